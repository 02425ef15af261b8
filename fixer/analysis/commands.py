"""Commands as data: the calls of a script in order, each with its expanded words and with what holds where it stands.

Sound where it claims something: a value is known, a failure is fatal, a directory is the current one only if that
follows from the text. Rules of the shell: POSIX.1-2024 XCU 2.8 and 2.9 (`-e`: the `set` utility).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from functools import lru_cache, wraps
from typing import Any, NamedTuple, TypeVar

from fixer.analysis.state import State, UserState, shell_options
from fixer.analysis.values import EMPTY, Known, Unknown, Value, bounded, decimal, join
from fixer.analysis.words import known_prefix, plain_text, plain_value, plain_values, word_value
from fixer.analysis.wrappers import DIALECTS, peel
from fixer.text.records import dataclass, replace
from fixer.tree.cook import Cooked, cook, cook_heredoc
from fixer.tree.nodes import JsonString
from fixer.tree.shell import (
    AndOr,
    ArithmeticCommand,
    Assignment,
    Case,
    Command,
    CommandSubstitution,
    For,
    Function,
    Group,
    If,
    Literal,
    Loop,
    OpaqueScript,
    Parameter,
    Part,
    Pipeline,
    Redirect,
    Script,
    ShellNode,
    Simple,
    Subshell,
    Test,
    Word,
)

Arg = Word | JsonString

_VOLATILE = frozenset(
    ("PWD", "OLDPWD", "UID", "EUID", "PPID", "RANDOM", "LINENO", "SECONDS", "SHLVL", "HOSTNAME", "HOSTTYPE", "MACHTYPE",
     "OSTYPE", "IFS", "OPTIND", "OPTARG", "REPLY", "BASH", "BASH_VERSION", "BASH_SOURCE", "BASHPID", "FUNCNAME",
     "GROUPS", "DIRSTACK", "PIPESTATUS", "TERM", "SHELL", "_")
)  # fmt: skip
"""Variables that a shell or the runtime sets itself."""
_MAX_SHELLS = 8
"""How deep `sh -c` in `sh -c` is read. Each one nests what walks it."""

_MAX_FUNCTIONS = 100
"""How many functions of a script are told apart in what they may set."""

_NEVER_FAIL = frozenset((":", "true", "echo", "set", "export", "unset", "umask", "trap", "shift"))
_BUILTINS = frozenset(
    ("cd", "pushd", "popd", "exit", "return", "break", "continue", "set", "export", "readonly", "declare", "typeset",
     "local", "unset", "read", ".", "source", "eval")
)  # fmt: skip
"""Commands that change the shell that runs them."""
_SOURCED = {
    "env": frozenset(("PATH",)),
    "activate": frozenset(("PATH", "VIRTUAL_ENV", "VIRTUAL_ENV_PROMPT", "PS1", "PYTHONHOME", "_OLD_VIRTUAL_PATH")),
    "os-release": frozenset(
        ("NAME", "ID", "ID_LIKE", "VERSION", "VERSION_ID", "VERSION_CODENAME", "UBUNTU_CODENAME", "PRETTY_NAME",
         "DEBIAN_CODENAME", "PLATFORM_ID", "VARIANT", "VARIANT_ID", "BUILD_ID")
    ),
}  # fmt: skip
"""Well-known files that are sourced, and the variables that they set."""

_PROXIES = frozenset(
    name
    for upper in ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY")
    for name in (upper, upper.lower())
)
"""Build arguments that every RUN sees without an ARG, if they are given (dockerfile2llb/convert.go, v0.25)."""

_SOURCED_IN_PLACE = frozenset(
    ("nvm.sh", "profile", ".profile", ".bashrc", "bash.bashrc", ".bash_profile", "setup.bash", "setup.sh", "conda.sh",
     "envvars", "environment", "enable", "lsb-release", "common.sh", "sdkman-init.sh", "functions")
)  # fmt: skip
"""Files that are sourced for variables and functions, and leave the current directory alone."""


class Call:
    """One command of a script (or a command in exec form).

    words: what the program gets, its own name first; Unknown where a word is dynamic. Empty for redirections alone.
    nodes: the same words as nodes of the tree.
    program: the name of the program without directories; None if it is not known.
    assignments: `A=b` in front of it.
    cwd: the current directory.
    wrappers: what it is run through, outermost first: "sudo", "env", "time", "exec", "xargs" (then more words follow
        that nobody knows), "sh -c" …
    simple: its node; None in exec form and for `[[ … ]]`.
    pipeline, and_or, script: the innermost that it stands in; None in exec form.
    redirects: its own redirections and those of the groups around it.
    conditional: True if the instruction may succeed without running it.
    loop, background, piped, in_substitution: whether it stands in a loop; is not waited for; is one of several commands
        of a pipeline; stands in `$(…)`.
    function: the name of the function in whose body it stands; such a call may run many times, or never.
    fatal: True if its failure surely makes the instruction fail.
    """

    __slots__ = (
        "_notes", "_time", "_user", "_walk", "and_or",
        "assignments", "background", "conditional", "cwd", "fatal", "function",
        "in_substitution", "local", "loop", "nodes", "piped", "pipeline", "program", "redirects", "script", "simple",
        "words", "wrappers",
    )  # fmt: skip

    words: tuple[Value, ...]
    nodes: tuple[Arg, ...]
    program: str | None
    assignments: tuple[Assignment, ...]
    cwd: Value
    wrappers: tuple[str, ...]
    simple: Simple | None
    pipeline: Pipeline | None
    and_or: AndOr | None
    script: Script | None
    redirects: tuple[Redirect, ...]
    conditional: bool
    loop: bool
    background: bool
    piped: bool
    in_substitution: bool
    function: str | None
    fatal: bool
    local: Mapping[str, Value | None]
    """Variables that are set for this command alone."""
    _notes: dict[object, Any]
    _time: int
    _user: str | None
    _walk: _Walk

    @property
    def user(self) -> UserState:
        """Who runs it."""
        return self._walk.user(self._user)

    @property
    def dialect(self) -> str:
        """Of the shell that reads it: "bash", or "sh" for the others."""
        return self._walk.dialect

    @property
    def file_text(self) -> str:
        """The text of the whole file."""
        return self._walk.around.text

    def file_names(self, word: str) -> bool:
        """Whether `word` stands anywhere in the file. Asked of one command after the other, it is looked for once."""
        return _stands_in(word, self._walk.around.text)

    @property
    def span(self) -> tuple[int, int]:
        """From its first word to its last, in the file."""
        if self.simple is not None:
            return self.simple.start, self.simple.end
        if not self.nodes:
            return (-1, -1)
        return _start(self.nodes[0]), _end(self.nodes[-1])

    def lookup(self, name: str) -> Value | None:
        """The variable in the program's environment; None if it is surely unset."""
        if name in self.local:
            return self.local[name]
        return self._walk.exported(name, self._time, self.cwd)

    def inherits(self, name: str) -> bool:
        """Whether the shell has the variable as it was started with it."""
        return self._walk.variables.get(name, self._time) is None

    def shell_value(self, node: Arg) -> Value:
        """What a word is at this place (for words that are not the call's own, such as a redirection's target)."""
        if isinstance(node, JsonString):
            return Known(node.value)
        return self._walk.value(node, self._time, self.cwd)

    def fields(self, node: Arg) -> tuple[str, ...] | None:
        """The words that the shell makes of one: several, or none, where a variable without quotes holds blanks.
        Patterns stay as they are. None if they are not known."""
        if isinstance(node, JsonString):
            return (node.value,)
        return self._walk.fields(node, self._time, self.cwd)

    def prefix(self, node: Arg) -> tuple[str, bool]:
        """The text that a word surely begins with, and whether that is all of it."""
        if isinstance(node, JsonString):
            return node.value, True
        plain = plain_text(node)
        if plain is not None:
            return plain, True
        return self._walk.prefix(node, self._time, self.cwd)

    def argument(self, index: int) -> str | None:
        """The word at `index` if it is there and known."""
        if index < len(self.words):
            word = self.words[index]
            return word.value if isinstance(word, Known) else None
        return None

    def __repr__(self) -> str:
        return f"<Call {' '.join(w.value if isinstance(w, Known) else '?' for w in self.words)}>"


@lru_cache(maxsize=32)
def _stands_in(word: str, text: str) -> bool:
    return word in text


_T = TypeVar("_T")


def once_a_call(ask: Callable[[Call], _T]) -> Callable[[Call], _T]:
    """`ask`, which gives the same for a call each time, asked once for each. What it gives must not hold the call:
    such a circle is not freed at once."""

    @wraps(ask)
    def asked(call: Call) -> _T:
        notes: dict[object, _T] = call._notes
        if ask not in notes:
            notes[ask] = ask(call)
        return notes[ask]

    return asked


def _start(node: Arg) -> int:
    return node.string.start if isinstance(node, JsonString) else node.start


def _end(node: Arg) -> int:
    return node.string.span.end if isinstance(node, JsonString) else node.end


class _Flow(NamedTuple):
    """What changes along a script."""

    cwd: Value
    old: Value
    dirs: tuple[Value, ...]
    errexit: bool
    pipefail: bool
    may_exit: bool = False
    """`-e` is not known to be off."""

    def lost(self, why: str) -> _Flow:
        """After something that may have changed the directory and the options."""
        return _Flow(Unknown(why), self.cwd, (), False, False, True)


class _Place(NamedTuple):
    """What a position in a script means for its commands."""

    tail: bool
    """The failure of the command here is the failure of the instruction."""
    hard: bool
    """If the shell process that runs it ends with a failure, the instruction fails."""
    tested: bool
    """`set -e` is not heeded here."""
    conditional: bool = False
    loop: bool = False
    background: bool = False
    piped: bool = False
    substitution: bool = False
    function: str | None = None
    redirects: tuple[Redirect, ...] = ()
    wrappers: tuple[str, ...] = ()
    user: str | None = None
    heredoc: bool = False

    def part(self, *, tail: bool, tested: bool, conditional: bool) -> _Place:
        """The place of a part of what stands here. (Like `_replace`, at a third of the cost.)"""
        return _Place(
            tail, self.hard, tested, conditional, self.loop, self.background, self.piped, self.substitution,
            self.function, self.redirects, self.wrappers, self.user, self.heredoc,
        )  # fmt: skip


class _Where(NamedTuple):
    pipeline: Pipeline | None
    and_or: AndOr | None
    script: Script | None


class _Exported(Enum):
    """Whether programs get a variable that the shell has set."""

    YES = "exported"
    NO = "not exported"
    INHERITED = "exported if the shell got it from its own environment"
    MAYBE = "nobody knows"


class _Variable(NamedTuple):
    """A variable of the shell; the value None is unset."""

    value: Value | None
    exported: _Exported


_LAST = chr(0x10FFFF)
"""Behind every text."""


class _Variables:
    """The variables that a shell sets, over time."""

    __slots__ = ("changed", "entries", "now", "poisons")

    def __init__(self) -> None:
        self.entries: dict[str, tuple[list[int], list[_Variable | None]]] = {}
        self.changed: list[str] = []
        self.poisons: list[tuple[int, str]] = []
        self.now = 0

    def put(self, name: str, variable: _Variable | None) -> None:
        """None: as the shell was started with it."""
        self.now += 1
        times, values = self.entries.setdefault(name, ([], []))
        times.append(self.now)
        values.append(variable)
        self.changed.append(name)

    def set(self, name: str, value: Value, exported: _Exported | None = None) -> None:
        """An assignment, which leaves a variable exported or not, unless `exported` says it."""
        if exported is None:
            before = self.get(name, self.now)
            exported = before.exported if before is not None else _Exported.INHERITED
        self.put(name, _Variable(value, exported))

    def unset(self, name: str) -> None:
        self.put(name, _Variable(None, _Exported.NO))

    def poison(self, why: str) -> None:
        """From now on any variable may be anything."""
        self.now += 1
        self.poisons.append((self.now, why))

    def get(self, name: str, time: int) -> _Variable | None:
        """The variable at that time; None if the shell has not changed it."""
        since = 0
        entry = self.entries.get(name)
        found: _Variable | None = None
        if entry is not None:
            index = bisect_right(entry[0], time) - 1
            if index >= 0:
                since, found = entry[0][index], entry[1][index]
        if self.poisons and name != "HOME":
            index = bisect_right(self.poisons, (time, _LAST)) - 1
            if index >= 0 and since < self.poisons[index][0]:
                return _Variable(Unknown(self.poisons[index][1]), _Exported.MAYBE)
        return found

    def mark(self) -> int:
        return len(self.changed)

    def back_to(self, mark: int, *, merge: bool) -> None:
        """After a part that may not have run (`merge`), or that ran in a process of its own."""
        changes: dict[str, int] = {}
        for name in self.changed[mark:]:
            changes[name] = changes.get(name, 0) + 1
        for name, count in changes.items():
            values = self.entries[name][1]
            before = values[-count - 1] if len(values) > count else None
            if not merge:
                self.put(name, before)
            elif values[-1] != before:
                self.put(name, _merged(name, before, values[-1]))


def _merged(name: str, a: _Variable | None, b: _Variable | None) -> _Variable:
    unsure = Unknown(f"${name} is set only under a condition")
    if a is None or b is None or a.value != b.value or a.value is None:
        return _Variable(unsure, _Exported.MAYBE)
    return _Variable(a.value, _Exported.MAYBE)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a script runs in.

    lookup: a variable of the environment that it starts with; None if it is surely unset.
    user: who runs it, by name or number; None asks for the user in force.
    text, escape: the file's text and escape character, to read scripts inside words.
    parse: the shell parser.
    """

    lookup: Callable[[str], Value | None]
    user: Callable[[str | None], UserState]
    cwd: Value
    text: str
    escape: str
    parse: Callable[[Cooked, int, str], Script | OpaqueScript]
    heredoc: bool = False
    shells: int = 0
    """How many shells were started on the way here."""


def surroundings_of(
    state: State, user: Callable[[str | None], UserState], text: str, escape: str,
    parse: Callable[[Cooked, int, str], Script | OpaqueScript], *, heredoc: bool = False,
) -> Surroundings:  # fmt: skip
    """What a RUN at `state` starts with."""
    login = state.shell.login

    def lookup(name: str) -> Value | None:
        if name == "HOME":
            return state.user.home
        value = state.lookup(name)
        if value is None and (name in _VOLATILE or name in _PROXIES):
            return Unknown(f"${name} is set from outside")
        if login and name == "PATH":
            return Unknown("a login shell sets $PATH")
        return value

    return Surroundings(lookup, user, state.workdir, text, escape, parse, heredoc)


def script_calls(
    script: Script, around: Surroundings, *, dialect: str, errexit: bool, pipefail: bool
) -> tuple[Call, ...]:
    """The calls of a script whose failure is the failure of its instruction."""
    calls: list[Call] = []
    walk = _Walk(around, calls, dialect, script)
    flow = _Flow(around.cwd, Unknown("$OLDPWD"), (), errexit, pipefail)
    walk.script(script, flow, _Place(True, True, False, heredoc=around.heredoc))
    return _settled(calls)


def exec_calls(items: tuple[JsonString, ...], around: Surroundings) -> tuple[Call, ...]:
    """The call, or the calls of a `sh -c`, in exec form."""
    calls: list[Call] = []
    walk = _Walk(around, calls, "sh", None)
    flow = _Flow(around.cwd, Unknown("$OLDPWD"), (), False, False)
    words = tuple(Known(item.value) for item in items)
    walk.command_words(words, items, None, flow, _Place(True, True, False), _Where(None, None, None), {})
    return _settled(calls)


def _settled(calls: list[Call]) -> tuple[Call, ...]:
    """The calls of a walk that has ended. It has the list, and each call has the walk: such a circle is not freed at
    once."""
    found = tuple(calls)
    calls.clear()
    return found


_Ends = tuple["_Flow | None", "_Flow | None"]
"""How things stand after success and after failure; None if it never goes on from there."""


def _merge(a: _Flow | None, b: _Flow | None) -> _Flow | None:
    if a is None or b is None or a is b:
        return b if a is None else a
    return _Flow(
        _same(a.cwd, b.cwd), _same(a.old, b.old), a.dirs if a.dirs == b.dirs else (), a.errexit and b.errexit,
        a.pipefail and b.pipefail, a.may_exit or b.may_exit,
    )  # fmt: skip


def _same(a: Value, b: Value) -> Value:
    return a if a == b else Unknown("a `cd` runs only under a condition, or may fail unnoticed")


class _Walk:
    """Walks one script. Depth is bounded by the parser's bound on nesting."""

    def __init__(self, around: Surroundings, calls: list[Call], dialect: str, script: Script | None) -> None:
        self.around = around
        self.calls = calls
        self.dialect = dialect
        self.variables = _Variables()
        self.functions: dict[str, tuple[bool, frozenset[str]]] = {}
        self.all_export = False
        self.unsettled: frozenset[str] = frozenset()
        """Inside a function: the names that the script sets anywhere, for it may run at any time."""
        self.root = script
        self.sets: frozenset[str] | None = None
        """The variables that the root may set, once somebody has asked."""
        self.jumps = 0
        """How many commands were met that may leave out what follows, without failing."""

    # --- variables ---------------------------------------------------------------------------------------------------

    def user(self, name: str | None) -> UserState:
        return self.around.user(name)

    def home(self) -> Value:
        value = self.shell_lookup("HOME", self.variables.now, EMPTY)
        return value if value is not None else EMPTY

    def shell_lookup(self, name: str, time: int, cwd: Value) -> Value | None:
        """The variable as the shell expands it."""
        variable = self.variables.get(name, time)
        if variable is not None:
            return variable.value
        if name == "PWD":
            return cwd
        return self.around.lookup(name)

    def exported(self, name: str, time: int, cwd: Value) -> Value | None:
        """The variable as a program gets it."""
        variable = self.variables.get(name, time)
        if variable is None:
            return cwd if name == "PWD" else self.around.lookup(name)
        value, exported = variable
        if value is None or exported is _Exported.YES or self.all_export:
            return value
        if exported is _Exported.NO:
            return None
        inherited = self.around.lookup(name)
        if exported is _Exported.INHERITED and inherited is None:
            return None
        if exported is _Exported.INHERITED and isinstance(inherited, Known):
            return value
        return value if isinstance(value, Unknown) else Unknown(f"${name} may be exported or not")

    def value(self, word: Word, time: int, cwd: Value, *, split: bool = True) -> Value:
        if split and "IFS" in self.variables.entries and any(
            isinstance(part, Parameter) and not part.quoted for part in word.parts
        ):
            return Unknown("$IFS is set, so it may become several words")
        return word_value(word, lambda name: self.shell_lookup(name, time, cwd), self.home, cwd, split=split)

    def fields(self, word: Word, time: int, cwd: Value) -> tuple[str, ...] | None:
        whole = self.value(word, time, cwd)
        if isinstance(whole, Known):
            return (whole.value,)
        for part in word.parts:
            alone = self.value(Word(part.start, part.end, (part,), ""), time, cwd, split=False)
            kept = getattr(part, "quoted", False) or "IFS" in self.variables.entries
            if not isinstance(alone, Known) or (kept and alone.value.split() != [alone.value]):
                return None
        text = self.value(word, time, cwd, split=False)
        return tuple(text.value.split()) if isinstance(text, Known) else None

    def prefix(self, word: Word, time: int, cwd: Value) -> tuple[str, bool]:
        return known_prefix(word, lambda name: self.shell_lookup(name, time, cwd), self.home, cwd)

    def here(self, word: Word, flow: _Flow, *, split: bool = True) -> Value:
        return self.value(word, self.variables.now, flow.cwd, split=split)

    # --- lists -------------------------------------------------------------------------------------------------------

    def script(self, script: Script, flow: _Flow, place: _Place) -> _Ends:
        ok: _Flow | None = flow
        fail: _Flow | None = None
        last = len(script.items) - 1
        jumps = self.jumps
        for index, item in enumerate(script.items):
            if index and (self.jumps > jumps or (not place.hard and (flow.errexit or flow.may_exit))):
                # What came before may have left the shell without failing the instruction.
                place = place._replace(conditional=True)
            separator = script.separators[index] if index < len(script.separators) else None
            background = separator is not None and separator.text == "&"
            tail = place.tail and index == last and not background
            here = place if tail is place.tail else place._replace(tail=tail)
            if background:
                mark = self.variables.mark()
                self.and_or(item, script, flow, here._replace(background=True, hard=False))
                self.variables.back_to(mark, merge=False)
                ok, fail = flow, None
                continue
            ok, fail = self.and_or(item, script, flow, here)
            if index == last:
                break
            after = _merge(ok, fail)
            if after is None:
                # Nothing behind an `exit` runs, but it may stand in what we take for one.
                place = place._replace(conditional=True, tail=False, hard=False)
            else:
                flow = after
        return ok, fail

    def and_or(self, item: AndOr, script: Script, flow: _Flow, place: _Place) -> _Ends:
        pipelines = item.pipelines
        if len(pipelines) == 1:
            fatal = place.tail or (flow.errexit and not place.tested and place.hard)
            here = place if fatal is place.tail else place.part(
                tail=fatal, tested=place.tested, conditional=place.conditional
            )
            good, bad = self.pipeline(pipelines[0], flow, here, _Where(pipelines[0], item, script))
            return good, None if flow.errexit and not place.tested else bad
        operators = [operator.text for operator in item.operators]
        last = len(pipelines) - 1
        ends = _chain_ends(item, operators, place)
        ok: _Flow | None = None
        fail: _Flow | None = None
        prefix_fail: _Flow | None = None
        mark = self.variables.mark()
        jumps = self.jumps
        can_fail = left_out = False
        for k, pipeline in enumerate(pipelines):
            before = operators[k - 1] if k else ""
            reached = flow if k == 0 else ok if before == "&&" else fail
            skipped = reached is None or before == "||" or (can_fail and k > 0 and not ends[k - 1])
            if before == "||" or (k > 1 and operators[k - 2] == "||"):
                # What the pipelines before it would have set may not be set here.
                self.variables.back_to(mark, merge=True)
                mark = self.variables.mark()
            elif k == 1:
                mark = self.variables.mark()
            left_out = left_out or skipped
            start = reached or flow
            fatal = ends[k] or (k == last and start.errexit and not place.tested and place.hard)
            here = place.part(
                tail=fatal, tested=place.tested or k < last,
                conditional=place.conditional or skipped or self.jumps > jumps,
            )  # fmt: skip
            good, bad = self.pipeline(pipeline, start, here, _Where(pipeline, item, script))
            if reached is None:
                good = bad = None
            can_fail = can_fail or bad is not None
            if k == 0:
                ok, fail = good, bad
            elif before == "&&":
                prefix_fail = fail
                ok, fail = good, _merge(fail, bad)
            else:
                prefix_fail = None
                ok, fail = _merge(ok, good), bad
            if k == last and start.errexit and not place.tested:
                # The last one's failure ends the shell; what failed before it does not.
                fail = prefix_fail
        if left_out:
            self.variables.back_to(mark, merge=True)
        return ok, fail

    def pipeline(self, pipeline: Pipeline, flow: _Flow, place: _Place, where: _Where) -> _Ends:
        commands = pipeline.commands
        if pipeline.negated:
            place = place._replace(tail=False, tested=True)
        if len(commands) == 1:
            ok, fail = self.command(commands[0], flow, place, where)
            return (fail, ok) if pipeline.negated else (ok, fail)
        last = len(commands) - 1
        jumps = self.jumps
        for index, command in enumerate(commands):
            counts = place.tail and (index == last or flow.pipefail)
            mark = self.variables.mark()
            here = place._replace(tail=counts, hard=counts, piped=True, tested=place.tested or not counts)
            # A shell that writes to a pipe that nobody reads any more is ended by that.
            self.command(command, flow if index == last else flow._replace(may_exit=True), here, where)
            self.variables.back_to(mark, merge=False)
            self.jumps = jumps
        return flow, flow

    # --- commands ----------------------------------------------------------------------------------------------------

    def command(self, command: Command, flow: _Flow, place: _Place, where: _Where) -> _Ends:
        if isinstance(command, Simple):
            return self.simple(command, flow, place, where)
        if command.redirects:
            self.substitutions(tuple(r.target for r in command.redirects), flow, place)
            place = place._replace(redirects=(*command.redirects, *place.redirects))
        if isinstance(command, Subshell):
            mark, jumps = self.variables.mark(), self.jumps
            self.script(command.body, flow, place._replace(hard=place.tail))
            self.variables.back_to(mark, merge=False)
            self.jumps = jumps
            return flow, flow
        if isinstance(command, Group):
            return self.script(command.body, flow, place)
        if isinstance(command, If):
            return self.if_(command, flow, place)
        if isinstance(command, Loop):
            return self.loop(command, flow, place)
        if isinstance(command, For):
            return self.for_(command, flow, place)
        if isinstance(command, Case):
            return self.case(command, flow, place)
        if isinstance(command, Function):
            return self.function(command, flow, place)
        if isinstance(command, Test):
            self.substitutions(command.words, flow, place)
            words = (Known("[["), *(self.here(word, flow, split=False) for word in command.words))
            self.record(words, (), None, flow, place, where, {}, test=command)
        if isinstance(command, ArithmeticCommand):
            self.parts(command.parts, flow, place)
        return flow, flow

    def if_(self, command: If, flow: _Flow, place: _Place) -> _Ends:
        ends: _Flow | None = None
        fails: _Flow | None = None
        start = self.variables.mark()
        before: _Flow = flow
        maybe = place.conditional
        for condition, branch in zip(command.conditions, command.branches, strict=True):
            test = place._replace(tail=False, tested=True, conditional=maybe)
            good, bad = self.script(condition, before, test)
            maybe = True
            taken = self.variables.mark()
            ok, fail = self.script(branch, good or before, place._replace(conditional=True))
            self.variables.back_to(taken, merge=True)
            ends, fails = _merge(ends, ok), _merge(fails, fail)
            before = bad or before
        if command.otherwise is not None:
            ok, fail = self.script(command.otherwise, before, place._replace(conditional=True))
            ends, fails = _merge(ends, ok), _merge(fails, fail)
        else:
            ends = _merge(ends, before)
        self.variables.back_to(start, merge=True)
        return ends, fails

    def loop(self, command: Loop, flow: _Flow, place: _Place) -> _Ends:
        flow = self.unsettle((command.condition, command.body), flow)
        mark = self.variables.mark()
        leaves = _leaves(command.body) or _leaves(command.condition)
        jumps = self.jumps
        inside = place._replace(tail=False, loop=True)
        good, bad = self.script(command.condition, flow, inside._replace(tested=True))
        ok, fail = self.script(command.body, good or flow, inside._replace(conditional=True))
        self.variables.back_to(mark, merge=True)
        after = _merge(_merge(bad, flow), _merge(ok, fail))
        self.jumps = self.jumps if leaves else jumps
        return after, after

    def for_(self, command: For, flow: _Flow, place: _Place) -> _Ends:
        words = command.words
        self.substitutions(words or (), flow, place)
        self.parts(command.parts, flow, place)
        surely = bool(words) and any(word.static is not None for word in words or ())
        flow = self.unsettle((command.body,), flow)
        mark = self.variables.mark()
        if command.name:
            self.variables.set(command.name, Unknown(f"${command.name} is a loop variable"))
        inside = place._replace(tail=False, loop=True, conditional=place.conditional or not surely)
        jumps = self.jumps
        ok, fail = self.script(command.body, flow, inside)
        self.jumps = self.jumps if _leaves(command.body) else jumps
        self.variables.back_to(mark, merge=True)
        after = _merge(flow, _merge(ok, fail))
        return after, after

    def case(self, command: Case, flow: _Flow, place: _Place) -> _Ends:
        self.substitutions((command.subject,), flow, place)
        mark = self.variables.mark()
        ends: _Flow | None = flow
        fails: _Flow | None = None
        inside = place._replace(conditional=True)
        for item in command.items:
            self.substitutions(item.patterns, flow, inside)
            ok, fail = self.script(item.body, flow, inside)
            self.variables.back_to(mark, merge=True)
            mark = self.variables.mark()
            ends, fails = _merge(ends, ok), _merge(fails, fail)
        return ends, fails

    def function(self, command: Function, flow: _Flow, place: _Place) -> _Ends:
        moves, names = _effects(command.body)
        self.functions[command.name] = (moves, names)
        mark = self.variables.mark()
        if self.sets is None:
            self.sets = _effects(self.root)[1] if self.root is not None else names
        if len(self.functions) >= _MAX_FUNCTIONS:
            self.variables.poison("its many functions may set any variable")
        for name in self.sets if len(self.functions) < _MAX_FUNCTIONS else ():
            self.variables.set(
                name, Unknown(f"${name} may change before the function {command.name} runs"), _Exported.MAYBE
            )
        lost = flow.lost(f"the function {command.name} may run anywhere")
        inside = place._replace(
            tail=False, tested=True, conditional=True, function=command.name, piped=False, background=False
        )
        jumps = self.jumps
        self.command(command.body, lost, inside, _Where(None, None, None))
        self.variables.back_to(mark, merge=False)
        self.jumps = jumps
        return flow, None

    def unsettle(self, scripts: Iterable[Script], flow: _Flow) -> _Flow:
        """What a loop may have changed in an earlier round is unknown in every round."""
        for script in scripts:
            moves, names = _effects(script)
            for name in names:
                self.variables.set(name, Unknown(f"${name} changes in a loop"), _Exported.MAYBE)
            if moves:
                flow = flow.lost("a `cd` in a loop")
        return flow

    # --- simple commands ---------------------------------------------------------------------------------------------

    def simple(self, command: Simple, flow: _Flow, place: _Place, where: _Where) -> _Ends:
        if not command.assignments and not command.redirects and (values := plain_values(command.words)):
            return self.command_words(values, command.words, command, flow, place, where, {})
        only = not command.words
        for assignment in command.assignments:
            self.substitutions(assignment.values, flow, place, status=only and assignment is command.assignments[-1])
        self.substitutions(command.words, flow, place)
        self.substitutions(tuple(r.target for r in command.redirects), flow, place)
        for redirect in command.redirects:
            self.parts(redirect.body_parts, flow, place)
        if only:
            for assignment in command.assignments:
                self.variables.set(assignment.name, self.assigned(assignment, flow))
            if command.redirects:
                self.record((), (), command, flow, place, where, {})
            return flow, flow if any(_substitutes(a.values) for a in command.assignments) else None
        local: Mapping[str, Value | None] = {a.name: self.assigned(a, flow) for a in command.assignments}
        words = tuple([plain_value(word) or self.here(word, flow) for word in command.words])
        return self.command_words(words, command.words, command, flow, place, where, local)

    def assigned(self, assignment: Assignment, flow: _Flow) -> Value:
        if assignment.array:
            return Unknown(f"{assignment.name} is an array")
        value = self.here(assignment.values[0], flow, split=False) if assignment.values else EMPTY
        if not assignment.append:
            return value
        before = self.shell_lookup(assignment.name, self.variables.now, flow.cwd) or EMPTY
        if isinstance(before, Known) and isinstance(value, Known):
            return bounded(before.value + value.value, before.args | value.args)
        return before if isinstance(before, Unknown) else value

    def substitutions(self, words: Iterable[Word], flow: _Flow, place: _Place, *, status: bool = False) -> None:
        """The scripts inside the words. `status`: that of the last one is the command's (a bare assignment)."""
        for word in words:
            for part in word.parts:
                if type(part) is not Literal:
                    self.parts((part,), flow, place, status=status and len(word.parts) == 1)

    def parts(self, parts: Iterable[Part], flow: _Flow, place: _Place, *, status: bool = False) -> None:
        for part in parts:
            if isinstance(part, CommandSubstitution):
                if isinstance(part.script, Script):
                    counts = status and place.tail
                    inner = place._replace(
                        tail=counts, hard=counts, tested=place.tested or not counts, substitution=True, piped=False
                    )
                    mark, jumps = self.variables.mark(), self.jumps
                    # bash turns -e off in there, dash does not.
                    unsure = flow.errexit or flow.may_exit
                    self.script(part.script, flow._replace(errexit=False, may_exit=unsure), inner)
                    self.variables.back_to(mark, merge=False)
                    self.jumps = jumps
            elif isinstance(part, Parameter) and part.op in (":=", "="):
                self.parts(part.parts, flow, place)
                self.variables.set(part.name, Unknown(f"${part.name} gets a default"))
            else:
                self.parts(getattr(part, "parts", ()), flow, place)

    def command_words(
        self, words: tuple[Value, ...], nodes: tuple[Arg, ...], simple: Simple | None, flow: _Flow, place: _Place,
        where: _Where, local: Mapping[str, Value | None],
    ) -> _Ends:  # fmt: skip
        """A command whose words are known as far as they can be: what it is run through is taken off, then it is
        recorded, and what it changes is returned."""
        peeled = peel(words)
        if peeled.through:
            local = {**local, **peeled.local}
            flow_inside = flow._replace(cwd=join(flow.cwd, peeled.chdir)) if peeled.chdir is not None else flow
            inside = place._replace(
                wrappers=(*place.wrappers, *peeled.through), user=peeled.user if peeled.user is not None else place.user
            )
            rest, rest_nodes = words[peeled.at :], nodes[peeled.at :]
            if self.shell_command(rest, rest_nodes, simple, flow_inside, inside, where, local, peeled.reset):
                return (None, None) if "exec" in peeled.through else (flow, flow)
            self.record(rest, rest_nodes, simple, flow_inside, inside, where, local, reset=peeled.reset)
            if all(each in ("command", "builtin") for each in peeled.through):
                name = rest[0].value if isinstance(rest[0], Known) else None
                return self.builtin(name, rest, rest_nodes, flow, place)
            return (None, None) if "exec" in peeled.through else (flow, flow)
        if self.shell_command(words, nodes, simple, flow, place, where, local, None):
            return flow, flow
        name = words[0].value if isinstance(words[0], Known) else None
        self.record(words, nodes, simple, flow, place, where, local)
        return self.builtin(name, words, nodes, flow, place)

    def record(
        self, words: tuple[Value, ...], nodes: tuple[Arg, ...], simple: Simple | None, flow: _Flow, place: _Place,
        where: _Where, local: Mapping[str, Value | None], *, reset: str | None = None, test: Test | None = None,
    ) -> None:  # fmt: skip
        call = Call()
        call.words = words
        call.nodes = test.words if test is not None else nodes
        if test is not None:
            call.words = words[1:]
        first = words[0] if words else None
        call.program = first.value.rpartition("/")[2] if isinstance(first, Known) else None
        call.assignments = simple.assignments if simple is not None else ()
        call.cwd = flow.cwd
        call.wrappers = place.wrappers
        call.simple = simple
        call.pipeline, call.and_or, call.script = where
        call.redirects = (*(simple.redirects if simple is not None else ()), *place.redirects)
        call.conditional = place.conditional
        call.loop = place.loop
        call.background = place.background
        call.piped = place.piped
        call.in_substitution = place.substitution
        call.function = place.function
        call.fatal = place.tail and not place.background and place.function is None
        call.local = local
        call._notes = {}
        call._time = self.variables.now
        call._user = place.user
        call._walk = self if reset is None else _reset_walk(self, reset)
        self.calls.append(call)

    def shell_command(
        self, words: tuple[Value, ...], nodes: tuple[Arg, ...], simple: Simple | None, flow: _Flow, place: _Place,
        where: _Where, local: Mapping[str, Value | None], reset: str | None,
    ) -> bool:  # fmt: skip
        """`sh -c 'script'`: the calls of that script, where it can be read as it stands. False if it is none."""
        given = _shell_script(words)
        if given is None or self.around.shells >= _MAX_SHELLS:
            return False
        name, at, options, login = given
        if at < 0:
            read = self.read_input(simple, DIALECTS[name])
        else:
            read = self.read_inner(nodes[at], words[at], place.heredoc, DIALECTS[name])
        if read is None:
            return False
        outer = self if reset is None else _reset_walk(self, reset)
        time = self.variables.now

        def lookup(variable: str) -> Value | None:
            if variable in local:
                return local[variable]
            if login and variable == "PATH":
                return Unknown("a login shell sets $PATH")
            return outer.exported(variable, time, flow.cwd)

        user = place.user
        around = Surroundings(
            lookup, lambda who: outer.user(who if who is not None else user), flow.cwd, self.around.text,
            self.around.escape, self.around.parse, place.heredoc, self.around.shells + 1,
        )  # fmt: skip
        inner = _Walk(around, self.calls, DIALECTS[name], read)
        start = _Flow(flow.cwd, Unknown("$OLDPWD"), (), options[0], options[1])
        inside = place._replace(hard=place.tail, tested=False, wrappers=(*place.wrappers, f"{name} -c"), user=None)
        if at < 0:
            inside = inside._replace(heredoc=True, wrappers=(*place.wrappers, name))
        if simple is not None and simple.redirects:
            inside = inside._replace(redirects=(*simple.redirects, *place.redirects))
        inner.script(read, start, inside)
        return True

    def read_input(self, simple: Simple | None, dialect: str) -> Script | None:
        """The script that a shell gets from a here-document, if the outer shell puts nothing in."""
        redirects = simple.redirects if simple is not None else ()
        given = [r for r in redirects if r.op.startswith("<") and r.fd in ("", "0")]
        if len(given) != 1 or given[0].body is None or given[0].body_span is None or given[0].op not in ("<<", "<<-"):
            return None
        start, end = given[0].body_span
        raw = self.around.text[start:end]
        bare = given[0].target.static == given[0].target.text
        if bare and (given[0].body_parts or "\\" in raw):
            return None
        read = self.around.parse(cook_heredoc(raw, given[0].op == "<<-"), start, dialect)
        return read if isinstance(read, Script) else None

    def read_inner(self, node: Arg, value: Value, heredoc: bool, dialect: str) -> Script | None:
        """The script in a word, if its text stands in the file as the inner shell reads it."""
        if not isinstance(value, Known):
            return None
        if isinstance(node, JsonString):
            leaf = node.string
            if leaf.text[1:-1] != value.value:
                return None
            start, raw = leaf.start + 1, leaf.text[1:-1]
            cooked = Cooked(raw, [(0, len(raw))])
        else:
            if len(node.parts) != 1:
                return None
            start, raw = node.start, self.around.text[node.start : node.end]
            if len(raw) > 1 and raw[0] in "'\"" and raw[-1] == raw[0]:
                start, raw = start + 1, raw[1:-1]
            cooked = Cooked(raw, [(0, len(raw))]) if heredoc else cook(raw, self.around.escape)
            if cooked.text != value.value:
                return None
        read = self.around.parse(cooked, start, dialect)
        return read if isinstance(read, Script) else None

    # --- builtins ----------------------------------------------------------------------------------------------------

    def builtin(
        self, name: str | None, words: tuple[Value, ...], nodes: tuple[Arg, ...], flow: _Flow, place: _Place
    ) -> _Ends:
        """What a command changes in the shell that runs it, after success and after failure."""
        if name not in _BUILTINS and name not in self.functions:
            return flow, None if name in _NEVER_FAIL else flow
        if name in ("cd", "pushd", "popd"):
            return self.cd(name, words, flow), flow
        if name in ("exit", "return", "break", "continue"):
            texts = [word.value if isinstance(word, Known) else "" for word in words[1:]]
            if not (name == "exit" and place.hard and _is_failure(texts)):
                self.jumps += 1
            return None, None
        if name == "set":
            return self.set(words, flow), None
        if name in ("export", "readonly", "declare", "typeset", "local"):
            self.declare(name, words, nodes)
            return flow, flow if any(not isinstance(word, Known) for word in words) else None
        if name == "unset":
            for word in words[1:]:
                if isinstance(word, Known) and not word.value.startswith("-"):
                    self.variables.unset(word.value)
            return flow, None
        if name == "read":
            for word in words[1:]:
                if isinstance(word, Known) and not word.value.startswith("-"):
                    self.variables.set(word.value, Unknown(f"${word.value} is read from input"))
            return flow, flow
        if name in (".", "source"):
            return self.source(words, nodes, flow)
        if name == "eval":
            self.variables.poison("`eval` may set any variable")
            lost = flow.lost("`eval` may change the directory")
            return lost, lost
        if name in self.functions:
            self.jumps += 1
            moves, names = self.functions[name]
            for variable in names:
                self.variables.set(variable, Unknown(f"the function {name} may set ${variable}"), _Exported.MAYBE)
            if moves:
                flow = flow.lost(f"the function {name} may change the directory")
            return flow, flow
        return flow, None if name in _NEVER_FAIL else flow

    def cd(self, name: str, words: tuple[Value, ...], flow: _Flow) -> _Flow:
        operands = [w for w in words[1:] if not (isinstance(w, Known) and w.value in ("-P", "-L", "-e", "--"))]
        if name == "popd":
            if operands or not flow.dirs:
                return flow._replace(cwd=Unknown("`popd`"), old=flow.cwd, dirs=())
            return flow._replace(cwd=flow.dirs[-1], old=flow.cwd, dirs=flow.dirs[:-1])
        if len(operands) > 1:
            return flow._replace(cwd=Unknown("a `cd` with several words"), old=flow.cwd)
        target = operands[0] if operands else self.home()
        if isinstance(target, Known) and target.value == "-":
            target = flow.old
        elif name == "pushd" and isinstance(target, Known) and target.value[:1] in ("+", "-"):
            target = Unknown("`pushd` of a number")
        elif isinstance(target, Known) and not target.value:
            target = Known(".")
        new = join(flow.cwd, target)
        dirs = (*flow.dirs[1 - _MAX_DIRS :], flow.cwd) if name == "pushd" else flow.dirs
        return flow._replace(cwd=new, old=flow.cwd, dirs=dirs)

    def set(self, words: tuple[Value, ...], flow: _Flow) -> _Flow:
        texts = []
        for word in words[1:]:
            if not isinstance(word, Known):
                return flow._replace(errexit=False, pipefail=False, may_exit=True)
            texts.append(word.value)
        errexit, pipefail = flow.errexit, flow.pipefail
        at = 0
        while at < len(texts) and texts[at][:1] in ("-", "+") and texts[at] not in ("-", "--"):
            text, on = texts[at], texts[at][0] == "-"
            at += 1
            for letter in text[1:]:
                if letter == "e":
                    errexit = on
                elif letter == "a":
                    self.all_export = self.all_export or on
                elif letter == "o" and at < len(texts):
                    errexit = on if texts[at] == "errexit" else errexit
                    pipefail = on if texts[at] == "pipefail" else pipefail
                    self.all_export = self.all_export or (on and texts[at] == "allexport")
                    at += 1
        unsure = flow.may_exit if errexit == flow.errexit else errexit
        return flow._replace(errexit=errexit, pipefail=pipefail, may_exit=unsure)

    def declare(self, builtin: str, words: tuple[Value, ...], nodes: tuple[Arg, ...]) -> None:
        exports = builtin == "export"
        for word, node in zip(words[1:], nodes[1:], strict=False):
            text = word.value if isinstance(word, Known) else getattr(node, "text", "")
            if text.startswith("-"):
                if builtin in ("declare", "typeset") and "x" in text:
                    exports = True
                if builtin == "export" and "n" in text:
                    exports = False
                continue
            name, equals, value = text.partition("=")
            append = name.endswith("+")
            name = name.rstrip("+")
            if not name.isidentifier():
                continue
            if equals:
                known: Value = Known(value, word.args) if isinstance(word, Known) and not append else Unknown(
                    word.why if isinstance(word, Unknown) else f"${name} is appended to"
                )  # fmt: skip
                self.variables.set(name, known, _Exported.YES if exports else None)
            elif exports:
                variable = self.variables.get(name, self.variables.now)
                value_now = self.around.lookup(name) if variable is None else variable.value
                self.variables.put(name, _Variable(value_now, _Exported.YES))

    def source(self, words: tuple[Value, ...], nodes: tuple[Arg, ...], flow: _Flow) -> _Ends:
        text = "?"
        if len(words) > 1:
            # `. "$HOME/.cargo/env"` is that file wherever the home is.
            text = words[1].value if isinstance(words[1], Known) else getattr(nodes[1], "text", "?").strip("\"'")
        name = text.rpartition("/")[2]
        if name in _SOURCED and (name != "env" or text.endswith(("cargo/env", "CARGO_HOME/env", "CARGO_HOME}/env"))):
            for variable in _SOURCED[name]:
                self.variables.set(variable, Unknown(f"{text} sets ${variable}"), _Exported.MAYBE)
            return flow, flow
        self.variables.poison(f"the sourced file {text} may set any variable")
        if name in _SOURCED_IN_PLACE or text.startswith(("/etc/profile", "/opt/ros/")):
            return flow, flow
        lost = flow.lost(f"the sourced file {text} may change the directory")
        return lost, lost


def _reset_walk(walk: _Walk, why: str) -> _Walk:
    """The same, for a program that does not get the shell's environment (`sudo`, `env -i`)."""
    around = walk.around

    def lookup(name: str) -> Value | None:
        if not why:
            return None
        return Unknown(why)

    other = _Walk(
        replace(around, lookup=lookup), walk.calls, walk.dialect, walk.root
    )
    other.functions = walk.functions
    return other


def _chain_ends(item: AndOr, operators: list[str], place: _Place) -> list[bool]:
    """For each pipeline of a list: whether its failure, by what follows in the list, is the instruction's failure."""
    ends = [place.tail] * len(item.pipelines)
    for k in range(len(operators) - 1, -1, -1):
        if operators[k] == "&&":
            ends[k] = ends[k + 1]
        else:
            ends[k] = place.hard and _exits(item.pipelines[k + 1])
    return ends


def _exits(pipeline: Pipeline) -> bool:
    """True for `exit 1`, `exit`, and `{ …; exit 1; }`: behind a failure the shell ends with a failure."""
    if pipeline.negated or len(pipeline.commands) != 1:
        return False
    command = pipeline.commands[0]
    if isinstance(command, Simple):
        words = [word.static or word.text.strip('"') for word in command.words]
        return words[:1] == ["exit"] and (len(words) == 1 or words[1:] == ["$?"] or _is_failure(words[1:]))
    if isinstance(command, Group) and command.body.items:
        simple = all(
            len(item.pipelines) == 1 and _is_message(item.pipelines[0]) for item in command.body.items[:-1]
        ) and not any(s is not None and s.text == "&" for s in command.body.separators)
        last = command.body.items[-1]
        explicit = last.pipelines[0].commands[0] if len(last.pipelines) == 1 else None
        return simple and isinstance(explicit, Simple) and len(explicit.words) == 2 and _exits(last.pipelines[0])
    return False


def _is_failure(words: list[str]) -> bool:
    """Whether `exit` with these words surely fails."""
    status = decimal(words[0]) if len(words) == 1 else None
    return status is not None and status % 256 != 0


def _leaves(node: ShellNode) -> bool:
    """Whether the node may end the shell or a function, not only a loop."""
    return any(
        isinstance(inner, Simple) and bool(inner.words) and inner.words[0].static in ("exit", "return")
        for inner in node.walk()
    )


def _is_message(pipeline: Pipeline) -> bool:
    command = pipeline.commands[0]
    if len(pipeline.commands) != 1 or not isinstance(command, Simple) or not command.words:
        return False
    return command.words[0].static in ("echo", "printf", "cat", "ls")


def _substitutes(words: Iterable[Word]) -> bool:
    return any(isinstance(part, CommandSubstitution) for word in words for part in word.parts)


_MAX_DIRS = 100
"""Directories that `pushd` keeps; where `popd` would find one before them it is not known."""
_MOVERS = frozenset(("cd", "pushd", "popd", "set", ".", "source", "eval"))
_SETTERS = frozenset(("export", "readonly", "declare", "typeset", "local", "read", "unset", "getopts", "mapfile"))


def _effects(node: ShellNode | None) -> tuple[bool, frozenset[str]]:
    """Whether running the node may change the directory or the options of the shell, and the variables it may set."""
    moves = False
    names: set[str] = set()
    waiting: list[ShellNode] = [node] if node is not None else []
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, Subshell | CommandSubstitution) or (
            isinstance(inner, Pipeline) and len(inner.commands) > 1
        ):
            continue
        waiting.extend(inner.children)
        if isinstance(inner, Simple):
            for assignment in inner.assignments:
                if not inner.words:
                    names.add(assignment.name)
            first = inner.words[0].static if inner.words else None
            if first in _MOVERS:
                moves = True
            elif first in _SETTERS:
                names.update(w.text.partition("=")[0].rstrip("+") for w in inner.words[1:])
        elif isinstance(inner, For) or (isinstance(inner, Parameter) and inner.op in (":=", "=")):
            names.add(inner.name)
    return moves, frozenset(name for name in names if name.isidentifier())


def _shell_script(words: tuple[Value, ...]) -> tuple[str, int, tuple[bool, bool], bool] | None:
    """The shell's name, the place of its script (-1: it reads its input), errexit and pipefail, login; None if it is
    not `sh … -c script` or `sh …` with nothing but options."""
    if not words or not isinstance(words[0], Known):
        return None
    name = words[0].value.rpartition("/")[2]
    if name not in DIALECTS:
        return None
    texts: list[str] = []
    for word in words[1:]:
        if not isinstance(word, Known):
            break
        texts.append(word.value)
    options = shell_options(tuple(texts))
    if options is None or (options.command and not options.rest):
        return None
    if not options.command:
        if len(texts) + 1 < len(words) or options.rest:
            return None
        return name, -1, (options.errexit, options.pipefail), options.login
    at = 1 + len(texts) - len(options.rest)
    return name, at, (options.errexit, options.pipefail), options.login
