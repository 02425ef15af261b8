"""What is in force at each instruction: WORKDIR, USER, ENV, ARG, SHELL; inherited through FROM of another stage.

The rules are BuildKit's (dockerfile2llb/convert.go, v0.25): a variable of an ENV or ARG sees the values before its
instruction; the later of ENV and ARG wins; a derived stage gets the image's ENV anew, over the build arguments that it
inherits; a build argument before the first FROM is seen by FROM lines, and by a stage that declares it again.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping

from fixer.analysis.bases import BaseImage
from fixer.analysis.stages import PLATFORM_ARGS, Stage, with_default, without_default
from fixer.analysis.values import Known, Unknown, Value, expand, join
from fixer.analysis.wrappers import DIALECTS
from fixer.text.records import dataclass
from fixer.tree.nodes import Arg, Env, Instruction, Run, Shell, User, Workdir

_SHELL_WRAPPERS = frozenset(("env", "conda", "mamba", "micromamba", "nice", "time", "nohup", "scl", "stdbuf"))


@dataclass(frozen=True, slots=True)
class ShellState:
    """What reads the shell form.

    words: as in SHELL; `("/bin/sh", "-c")` without one.
    dialect: "sh" or "bash", how the script is to be read; None if it can't be (PowerShell, cmd, an unknown shell).
    errexit, pipefail: True if its options turn them on.
    login: True if it reads profiles first, which may change any variable.
    """

    words: tuple[str, ...]
    dialect: str | None
    errexit: bool = False
    pipefail: bool = False
    login: bool = False


def shell_state(words: tuple[str, ...]) -> ShellState:
    """What `SHELL [words]` makes of the scripts after it."""
    at = next((i for i, word in enumerate(words) if _name(word) in DIALECTS), -1)
    if at < 0 or (at > 0 and _name(words[0]) not in _SHELL_WRAPPERS):
        return ShellState(words, None)
    options = shell_options(words[at + 1 :])
    if options is None or not options.command or options.rest:
        return ShellState(words, None)
    return ShellState(words, DIALECTS[_name(words[at])], options.errexit, options.pipefail, options.login)


@dataclass(frozen=True, slots=True)
class ShellOptions:
    """Options of a call of a shell: `-e`, `-o pipefail`, `-l`, `-c`; `rest` is what is left after them."""

    errexit: bool
    pipefail: bool
    login: bool
    command: bool
    rest: tuple[str, ...]


def shell_options(words: tuple[str, ...]) -> ShellOptions | None:
    """Reads the options at the front of a shell's arguments; None if one is not understood."""
    errexit = pipefail = login = command = False
    at = 0
    while at < len(words) and words[at][:1] in ("-", "+") and len(words[at]) > 1:
        word = words[at]
        at += 1
        if word == "--":
            break
        if word in ("--login", "--noprofile", "--norc", "--posix", "--verbose"):
            login = login or word == "--login"
            continue
        if word.startswith("--"):
            return None
        on = word[0] == "-"
        for letter in word[1:]:
            if letter == "e":
                errexit = on
            elif letter == "l":
                login = on
            elif letter == "c":
                command = on
            elif letter == "o":
                if at >= len(words):
                    return None
                errexit = on if words[at] == "errexit" else errexit
                pipefail = on if words[at] == "pipefail" else pipefail
                at += 1
            elif letter not in "uxvfaibhmp":
                return None
    return ShellOptions(errexit, pipefail, login, command, words[at:])


def _name(word: str) -> str:
    return word.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class UserState:
    """Who runs RUN, CMD and ENTRYPOINT.

    name: as the file or the base image says it; "root" where nothing else is said; a number in text for `USER 1000`;
        None if it is not known.
    uid, gid: as far as the file or a well-known base says them.
    home: what `$HOME` is in a RUN: ENV HOME if there is one, else the account's.
    root: True or False if that is known, else None.
    """

    name: str | None
    uid: int | None
    gid: int | None
    home: Value
    root: bool | None


class _Table:
    """Values over time: what a name was after each instruction that set it."""

    __slots__ = ("entries",)

    def __init__(self) -> None:
        self.entries: dict[str, tuple[list[int], list[Value]]] = {}

    def set(self, name: str, at: int, value: Value) -> None:
        times, values = self.entries.setdefault(name, ([], []))
        if times and times[-1] == at:
            values[-1] = value
            return
        times.append(at)
        values.append(value)

    def get(self, name: str, at: int) -> Value | None:
        """The value set before the time `at`."""
        entry = self.entries.get(name)
        if entry is None:
            return None
        index = bisect_right(entry[0], at - 1) - 1
        return entry[1][index] if index >= 0 else None


class Scope:
    """The variables of one stage. Times are instruction numbers; `END` is after the last."""

    __slots__ = ("all", "args", "base", "env", "known", "parent")

    END = 1 << 60

    def __init__(self, parent: Scope | None, base: BaseImage | Unknown) -> None:
        self.parent = parent
        self.base = base
        self.env = _Table()
        self.args = _Table()
        self.all = _Table()
        self.known: dict[tuple[str, bool], Value | None] = {}
        """What the stage's end has, as far as stages that start from it have asked."""

    def image(self, name: str, at: int) -> Value | None:
        """The variable in the image's configuration."""
        value = self.env.get(name, at)
        if value is not None:
            return value
        return of_base(self.base, name) if self.parent is None else self.parent._at_end(name, image=True)

    def argument(self, name: str, at: int) -> Value | None:
        """The build argument; None if it is not declared here or in a stage below."""
        value = self.args.get(name, at)
        if value is not None or self.parent is None:
            return value
        return self.parent._at_end(name, image=False)

    def _at_end(self, name: str, *, image: bool) -> Value | None:
        """The same at the end of this stage, which is complete. Kept, so that a long line of stages that start from
        each other is not walked again for every question of the last."""
        key = (name, image)
        if key in self.known:
            return self.known[key]
        scope = self
        value: Value | None = None
        while True:
            value = (scope.env if image else scope.args).get(name, Scope.END)
            if value is None and scope.parent is None and image:
                value = of_base(scope.base, name)
            if value is not None or scope.parent is None:
                break
            scope = scope.parent
            if key in scope.known:
                value = scope.known[key]
                break
        self.known[key] = value
        return value

    def lookup(self, name: str, at: int) -> Value | None:
        """The variable as RUN and expansion see it."""
        value = self.all.get(name, at)
        if value is not None:
            return value
        value = self.image(name, 0)
        if value is not None:
            return value
        return self.argument(name, 0) if self.parent is not None else None

    def names(self, at: int, *, image: bool) -> Iterator[str]:
        """The names of ENV and of the base image (`image`), or of the build arguments."""
        seen: set[str] = set()
        scope: Scope | None = self
        while scope is not None:
            table = scope.env if image else scope.args
            for name in table.entries:
                if name not in seen and table.get(name, at) is not None:
                    seen.add(name)
                    yield name
            if image and scope.parent is None and isinstance(scope.base, BaseImage):
                yield from (n for n in scope.base.env if n not in seen)
            scope, at = scope.parent, Scope.END


def of_base(base: BaseImage | Unknown, name: str) -> Value | None:
    """The variable that a stage starts with; Unknown for an image that nobody knows."""
    if isinstance(base, Unknown):
        return Unknown(f"the base image may set ${name}, and it is not known: {base.why}")
    return base.lookup(name)


class View(Mapping[str, Value]):
    """Variables by name, read-only. Iteration gives the names that the file or the table of base images names."""

    __slots__ = ("_get", "_names")

    def __init__(self, get: Callable[[str], Value | None], names: Callable[[], Iterator[str]]) -> None:
        self._get = get
        self._names = names

    def __getitem__(self, name: str) -> Value:
        value = self._get(name)
        if value is None:
            raise KeyError(name)
        return value

    def __iter__(self) -> Iterator[str]:
        return self._names()

    def __len__(self) -> int:
        return sum(1 for _ in self._names())


class State:
    """What is in force just before an instruction.

    workdir: absolute and clean.
    shell: what reads RUN in shell form.
    declared_user: what USER said last, variables put in, or the base image's; a Known("") is root.
    user: the same with numbers and home as far as they can be known.
    env: ENV and the base image's variables, as the image will have them.
    args: build arguments in scope; without a default and a value they are Unknown.
    """

    __slots__ = ("_at", "_scope", "_user", "declared_user", "shell", "stage", "user_set_by", "workdir")

    def __init__(
        self, stage: Stage, scope: Scope, at: int, workdir: Value, shell: ShellState, declared_user: Value,
        user_set_by: Instruction | None, user: Callable[[State], UserState],
    ) -> None:  # fmt: skip
        self.stage = stage
        self.workdir = workdir
        self.shell = shell
        self.declared_user = declared_user
        self.user_set_by = user_set_by
        self._scope = scope
        self._at = at
        self._user: Callable[[State], UserState] | UserState = user

    @property
    def user(self) -> UserState:
        if not isinstance(self._user, UserState):
            self._user = self._user(self)
        return self._user

    @property
    def env(self) -> Mapping[str, Value]:
        scope, at = self._scope, self._at
        return View(lambda name: scope.image(name, at), lambda: scope.names(at, image=True))

    @property
    def args(self) -> Mapping[str, Value]:
        scope, at = self._scope, self._at
        return View(lambda name: scope.argument(name, at), lambda: scope.names(at, image=False))

    def lookup(self, name: str) -> Value | None:
        """What `$name` is in an instruction here: the later of ENV and ARG, else what the stage below or the base image
        brings. None if it is surely unset. `$HOME` is unset without an ENV, as in BuildKit; a RUN sees more
        (`Call.lookup`)."""
        return self._scope.lookup(name, self._at)

    def expand(self, word: str, escape: str = "\\") -> Value:
        """A word of an instruction with quotes removed and variables put in."""
        return expand(word, self.lookup, escape)


class StageStates:
    """The states of one stage: one before each of its instructions, and one at its end."""

    __slots__ = ("before", "end", "scope")

    def __init__(
        self, stage: Stage, below: StageStates | None, global_args: Mapping[str, Value], escape: str,
        user: Callable[[State], UserState],
    ) -> None:  # fmt: skip
        base: BaseImage | Unknown = Unknown("a stage") if isinstance(stage.base, Stage) else stage.base
        scope = Scope(below.scope if below else None, base)
        self.scope: Scope = scope
        walker = _Walker(stage, scope, global_args, escape, user, below)
        self.before: list[State] = []
        for trigger in stage.triggers:
            walker.step(trigger.inner)
        for instruction in stage.instructions:
            self.before.append(walker.state())
            walker.step(instruction)
        self.end = walker.state()


class _Walker:
    __slots__ = (
        "at", "escape", "global_args", "last", "scope", "set_by", "shell", "stage", "user", "user_of", "workdir",
    )  # fmt: skip

    def __init__(
        self, stage: Stage, scope: Scope, global_args: Mapping[str, Value], escape: str,
        user_of: Callable[[State], UserState], below: StageStates | None,
    ) -> None:  # fmt: skip
        self.stage = stage
        self.scope = scope
        self.global_args = global_args
        self.escape = escape
        self.user_of = user_of
        self.at = 0
        self.last: State | None = None
        self.set_by: Instruction | None = None
        if below is not None:
            self.workdir, self.shell, self.user = below.end.workdir, below.end.shell, below.end.declared_user
            self.set_by = below.end.user_set_by
            return
        base = stage.base
        self.shell = _default_shell(base, escape)
        if isinstance(base, BaseImage):
            self.workdir, self.user = base.workdir, base.user
        else:
            why = base.why if isinstance(base, Unknown) else "a stage that is not known"
            self.workdir = Unknown(f"the base image's working directory is not known: {why}")
            self.user = Unknown(f"the base image's user is not known: {why}")

    def state(self) -> State:
        if self.last is None:
            self.last = State(
                self.stage, self.scope, self.at, self.workdir, self.shell, self.user, self.set_by, self.user_of
            )
        return self.last

    def step(self, instruction: Instruction) -> None:
        """Take over what the instruction changes. The states after it differ from those before it."""
        if isinstance(instruction, Run):
            return
        if isinstance(instruction, Env):
            self.env(instruction)
        elif isinstance(instruction, Arg):
            self.arg(instruction)
        elif isinstance(instruction, Workdir):
            self.workdir = join(self.workdir, _path(self.expand(instruction.argument.value)))
        elif isinstance(instruction, User):
            self.user = self.expand(instruction.argument.value)
            self.set_by = instruction
        elif isinstance(instruction, Shell):
            self.shell = shell_state(instruction.form.values)
        else:
            return
        self.at += 1
        self.last = None

    def lookup(self, name: str) -> Value | None:
        return self.scope.lookup(name, self.at)

    def expand(self, word: str) -> Value:
        return expand(word.strip(), self.lookup, self.escape)

    def env(self, instruction: Env) -> None:
        new = []
        for pair in instruction.pairs:
            name = expand(pair.key.value, self.lookup, self.escape)
            value = expand(pair.value.value, self.lookup, self.escape) if pair.value is not None else Known("")
            if isinstance(name, Known):
                new.append((name.value, value))
        for key, value in new:
            self.scope.env.set(key, self.at, value)
            self.scope.all.set(key, self.at, value)

    def arg(self, instruction: Arg) -> None:
        for pair in instruction.pairs:
            name = pair.key.value
            if pair.value is not None:
                # Arguments of one instruction see each other: they are set one after the other.
                value = expand(pair.value.value, lambda n: self.scope.lookup(n, self.at + 1), self.escape)
                self.declare(name, with_default(name, value))
            elif name in self.global_args and not _valueless(self.global_args[name]):
                self.declare(name, with_default(name, self.global_args[name]))
            elif name in PLATFORM_ARGS:
                self.declare(name, Unknown(f"${name} depends on the platform"))
            else:
                # Without a value BuildKit sets nothing: an ENV of that name stays.
                self.scope.args.set(name, self.at, without_default(name))
                before = self.scope.lookup(name, self.at)
                value = without_default(name) if before is None else with_default(name, before)
                self.scope.all.set(name, self.at, value)

    def declare(self, name: str, value: Value) -> None:
        self.scope.args.set(name, self.at, value)
        self.scope.all.set(name, self.at, value)


def _valueless(value: Value) -> bool:
    return isinstance(value, Unknown) and value.arg is not None


def _path(value: Value) -> Value:
    if isinstance(value, Known) and ("\\" in value.value or value.value[1:2] == ":"):
        return Unknown("a Windows path")
    return value


def _default_shell(base: Stage | BaseImage | Unknown, escape: str) -> ShellState:
    if isinstance(base, BaseImage) and base.known:
        if base.sh == "windows":
            return ShellState(("cmd", "/S", "/C"), None)
        return ShellState(("/bin/sh", "-c"), "bash" if base.sh == "bash" else "sh")
    # An escape of ` is what Dockerfiles for Windows have.
    return ShellState(("/bin/sh", "-c"), None if escape == "`" else "sh")
