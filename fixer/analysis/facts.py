"""Everything that a codemod may ask about one Dockerfile: computed when it is asked for, once, read-only, no IO."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from fixer.analysis.accounts import MENTION, Accounts
from fixer.analysis.bases import BaseImage
from fixer.analysis.commands import Arg, Call, Surroundings, exec_calls, script_calls, surroundings_of
from fixer.analysis.deeds import DEED, only_root
from fixer.analysis.fetched import Fetched
from fixer.analysis.images import NO_IMAGES, Images
from fixer.analysis.mounts import Mount, read_mounts
from fixer.analysis.paths import (
    Effect,
    Link,
    Reader,
    Writer,
    call_effects,
    call_mentions,
    effects_of,
    find_readers,
    find_takers,
    find_writers,
    links_of,
    sources_of,
)
from fixer.analysis.scripts import Scripts
from fixer.analysis.stages import NO_TARGETS, Stage, Targets, build_stages, flag_value, last_of_name, resolve_from
from fixer.analysis.state import ShellState, StageStates, State, UserState, of_base
from fixer.analysis.values import Known, Unknown, Value, decimal, expand, join
from fixer.text.regex import regex
from fixer.tree.cook import Cooked, cook, cook_heredoc, kept_pieces
from fixer.tree.nodes import Arg as DockerArg
from fixer.tree.nodes import (
    Cmd,
    Copy,
    Dockerfile,
    Entrypoint,
    Env,
    ExecForm,
    Healthcheck,
    Instruction,
    Onbuild,
    Run,
    ShellForm,
    Transfer,
    User,
    Volume,
    Workdir,
)
from fixer.tree.shell import OpaqueScript, Script

if TYPE_CHECKING:
    import re

_OTHER_SH = regex(r"(?<![\w.-])(?:da)?sh(?![\w.-])")
"""What a RUN holds that may put another shell in the place of /bin/sh: `ln -sf bash /bin/sh`, `dpkg-reconfigure dash`,
a script from elsewhere (`| sh`)."""
_ONLY_HEREDOC = regex(r"\d*<<-?\s*\S+\s*\Z")
_SHEBANG = regex(
    r"#![ \t]*(?:/usr/bin/env[ \t]+(?:-S[ \t]+)?)?(?:\S*/)?(bash|sh|dash|ash)((?:[ \t]+-\S+)*)[ \t]*\r?\n"
)


MAX_WORK = 300_000
"""Instructions and commands that may be looked at to answer the questions of one codemod about one text, besides some
for each line. Of 3,500 real files the one that asks for most needs 2,910."""

PASSED = 20
"""As many instructions are passed in the time in which one is looked at."""


class TooMuchWorkError(Exception):
    """A codemod asks about more than `MAX_WORK` allows: the file has too many stages or instructions."""


def analyse(
    file: Dockerfile[Any],
    scripts: Scripts | None = None,
    *,
    bounded: bool = True,
    targets: Callable[[], Targets] | None = None,
    images: Images = NO_IMAGES,
) -> Facts:
    """The facts of a parsed file. Nothing is computed before it is asked for. scripts: the shell parser, if it has read
    another text of the same file. bounded: see `Facts.charge`; whoever waits for builds has the time. targets: finds
    what the files around name as targets; asked only about a stage that is nobody's image by the file alone. images:
    what is said of base images."""
    return Facts(file, scripts, bounded=bounded, targets=targets, images=images)


class Facts:
    """What is known of a file. All methods give the same object for the same question."""

    def __init__(
        self,
        file: Dockerfile[Any],
        scripts: Scripts | None = None,
        *,
        bounded: bool = True,
        targets: Callable[[], Targets] | None = None,
        images: Images = NO_IMAGES,
    ) -> None:
        self.file = file
        self._targets = targets
        self._images = images
        self._bounded = bounded
        self._parse = (scripts or Scripts()).parse
        self._stages: tuple[Stage, ...] | None = None
        self._global_args: dict[str, Value] = {}
        self._names: dict[str, Stage] = {}
        self._stage_of: dict[int, tuple[Stage, int]] = {}
        self._states: dict[int, StageStates] = {}
        self._scripts: dict[int, Script | OpaqueScript | None] = {}
        self._calls: dict[int, tuple[Call, ...] | OpaqueScript] = {}
        self._mounts: dict[int, tuple[Mount, ...]] = {}
        self._accounts: dict[int, tuple[int, Accounts]] = {}
        self._call_effects: dict[int, tuple[Call, tuple[Effect, ...]]] = {}
        self._readers: dict[tuple[int, str, tuple[str, ...]], tuple[Reader, ...] | None] = {}
        self._call_mentions: dict[int, tuple[Call, tuple[tuple[Arg, str], ...]]] = {}
        self._effects: dict[int, tuple[Effect, ...]] = {}
        self._first_runs: dict[tuple[object, int], int] = {}
        self._deeds: dict[int, tuple[bool, bool]] = {}
        self._takers: dict[int, list[Stage]] | None = None
        self._links: tuple[Link, ...] | None = None
        self._fetched: Fetched | None = None
        self._mentions: dict[str, bool] = {}
        self._flat: dict[int, str] = {}
        self._outside: dict[tuple[str, ...], bool] = {}
        self._given: str | None = None
        self._named: dict[tuple[int, tuple[str, ...]], bool] = {}
        self._workdirs: dict[int, Value] = {}
        self.work = 0
        """What was charged so far; for the engine to set back to zero."""

    def charge(self, steps: int) -> None:
        """Note that so many instructions or commands are about to be looked at for one question. Raises
        TooMuchWorkError if the facts are bounded."""
        self.work += steps
        if self.work > MAX_WORK and self._bounded and self.work > MAX_WORK + 20 * len(self.file.items):
            raise TooMuchWorkError

    def close(self) -> None:
        """Forget all that was computed; nobody may ask any more. Facts refer to each other in circles, and without this
        their memory waits for Python's garbage collector, which costs a seventh of all time in a run over many
        files."""
        for stage in self._stages or ():
            stage.derived, stage.charge, stage.ask = (), None, None
        vars(self).clear()

    # --- stages and state --------------------------------------------------------------------------------------------

    @property
    def stages(self) -> tuple[Stage, ...]:
        if self._stages is None:
            self._stages, self._global_args = build_stages(self.file, self._images)
            self._names = last_of_name(self._stages)
            for stage in self._stages:
                self._stage_of[id(stage.from_)] = (stage, -1)
                for index, instruction in enumerate(stage.instructions):
                    self._stage_of[id(instruction)] = (stage, index)
                    if isinstance(instruction, Onbuild):
                        self._stage_of[id(instruction.inner)] = (stage, index)
            self._mark_shipped()
            for stage in self._stages:
                stage.charge = self.charge
        return self._stages

    def stage_of(self, instruction: Instruction) -> Stage | None:
        """The stage in which the instruction stands (for a FROM the one that it begins, for a trigger that of its
        ONBUILD); None before the first FROM."""
        if self._stages is None:
            _ = self.stages
        found = self._stage_of.get(id(instruction))
        return found[0] if found is not None else None

    def index_of(self, instruction: Instruction) -> int:
        """The place in `stage.instructions`; -1 for a FROM and outside of stages."""
        _ = self.stages
        found = self._stage_of.get(id(instruction))
        return found[1] if found is not None else -1

    def state(self, instruction: Instruction) -> State:
        """What is in force just before the instruction; for a trigger of ONBUILD, what a stage that starts from this
        one begins with. Raises ValueError for an instruction that is in no stage."""
        if self._stages is None:
            _ = self.stages
        found = self._stage_of.get(id(instruction))
        if found is None:
            raise ValueError(f"{instruction.name} stands in no stage")
        stage, index = found
        states = self._states.get(stage.index) or self._of(stage)
        if index >= 0 and stage.instructions[index] is not instruction:
            return states.end
        if index < 0:
            return states.before[0] if states.before else states.end
        return states.before[index]

    def end_state(self, stage: Stage) -> State:
        """What is in force at the end of the stage: what its image has."""
        return self._of(stage).end

    def _of(self, stage: Stage) -> StageStates:
        missing: list[Stage] = []
        at: Stage | None = stage
        while at is not None and at.index not in self._states:
            missing.append(at)
            at = at.base if isinstance(at.base, Stage) else None
        for each in reversed(missing):
            below = self._states[each.base.index] if isinstance(each.base, Stage) else None
            self._states[each.index] = StageStates(each, below, self._global_args, self.file.escape, self._user_at)
        return self._states[stage.index]

    def _mark_shipped(self) -> None:
        stages = self._stages or ()
        used: set[int] = set()
        for stage in stages if len(stages) > 1 else ():
            if isinstance(stage.base, Stage):
                used.add(stage.base.index)
            for instruction in (*stage.instructions, *(t.inner for t in stage.triggers)):
                for text, numbers in _from_texts(instruction):
                    target = resolve_from(stages, self._names, stage, text, numbers=numbers, images=self._images)
                    if isinstance(target, Stage):
                        used.add(target.index)
        for stage in reversed(stages):
            if stage.last or stage.index not in used:
                stage.ship()
            if self._targets is not None:
                stage.ask = self._ask_for_targets

    def _ask_for_targets(self) -> None:
        for stage in self._stages or ():
            stage.ask = None
        named = self._targets() if self._targets is not None else NO_TARGETS
        for stage in self._stages or ():
            known = stage.name if stage.name is not None and self._names[stage.name] is stage else None
            runs = [(by, words) for target, by, words in named.commands if _may_mean(target, known, stage.last)]
            stage.use("" if known is None else named.replaced.get(known, ""), tuple(runs))
            if known is None:
                continue
            if known in named.names:
                stage.ship(f"{named.names[known]} builds {known}")
            elif known in named.possible:
                why = "which Dockerfile it means is not known"
                stage.ship(f"{named.possible[known]} may build {known}: {why}")
            elif named.unknown is not None:
                stage.ship(f"{named.unknown} may build {known}: the target that it names is not known")

    def resolve(self, stage: Stage, text: str, *, numbers: bool = True) -> Stage | BaseImage | Unknown:
        """What `--from=text` in that stage means; `numbers=False` for `RUN --mount=from=`."""
        return resolve_from(self.stages, self._names, stage, text, numbers=numbers, images=self._images)

    def replaced_by(self, name: str) -> str:
        """The file by which builds have a context of their own in the place of the image or stage that is called so;
        empty if none does."""
        named = self._targets() if self._targets is not None else NO_TARGETS
        return named.replaced.get(name, "") or named.replaced.get(name.lower(), "")

    def copied_from(self, instruction: Transfer) -> Stage | BaseImage | Unknown | None:
        """What a COPY takes its files from; None for the build context."""
        text = flag_value(instruction.flags, "from") if isinstance(instruction, Copy) else None
        stage = self.stage_of(instruction)
        if text is None or stage is None:
            return None
        return self.resolve(stage, text)

    # --- users -------------------------------------------------------------------------------------------------------

    def _user_at(self, state: State) -> UserState:
        """The user of a state: one for each USER instruction, or for the base image's, and each HOME."""
        declared = state.declared_user
        if isinstance(declared, Unknown) and state.user_set_by is None and self._root_by_deed(state.stage):
            declared = Known("root")
        if isinstance(declared, Unknown):
            home = _home(state)
            return UserState(None, None, None, home or Unknown(declared.why), None)
        name, _, group = declared.value.partition(":")
        return self._account_user(state, name or "root", group)

    def _root_by_deed(self, stage: Stage) -> bool:
        """Whether the base image's user does what only root can, in this stage or one below it."""
        for each in stage.lineage:
            self.charge(1)
            done = self._deeds.get(each.index)
            if done is None:
                done = self._deeds[each.index] = self._first_deed(each)
            found, ends = done
            if ends:
                return found
        return False

    def _first_deed(self, stage: Stage) -> tuple[bool, bool]:
        """Whether there is such a deed before the first USER, and whether there is either."""
        for instruction in stage.instructions:
            if isinstance(instruction, User):
                return False, True
            found = isinstance(instruction, Run) and DEED.search(self.file.source_of(instruction))
            if found and only_root(instruction, self.script(instruction)):
                return True, True
        return False, False

    def user_named(self, state: State, name: str | None, at: Instruction | None = None) -> UserState:
        """The user `name` (or number) at that state; None means the one in force. at: the instruction in which somebody
        becomes that user, if it is not USER."""
        if name is None:
            return state.user
        return self._account_user(state, name, "", at)

    def _account_user(self, state: State, name: str, group: str, at: Instruction | None = None) -> UserState:
        home = _home(state)
        if name in ("root", "0") and (home is not None or name == "root") and not group:
            return UserState("root", 0, 0, _or_own(home, Known("/root")), True)
        if name == "?":
            why = "the user is not known"
            return UserState(None, None, None, home or Unknown(why), None)
        accounts = self._accounts_before(state, at)
        gid = decimal(group)
        if gid is None and group:
            gid = accounts.groups.get(group)
        uid = decimal(name)
        if uid is not None:
            account = accounts.by_uid(uid)
            if account is None and accounts.strangers is None:
                return UserState(name, uid, gid if group else 0, _or_own(home, Known("/")), uid == 0)
            if account is None:
                why = f"no account with the number {name} is made in the file"
                return UserState(name, uid, gid, home or Unknown(why), uid == 0)
            return UserState(account.name, uid, gid if group else account.gid, _or_own(home, account.home), uid == 0)
        account = accounts.users.get(name)
        if account is None:
            why = f"the account {name} is not made in the file"
            return UserState(name, None, gid, home or Unknown(why), False)
        root = account.uid == 0 if account.uid is not None else False
        return UserState(name, account.uid, gid if group else account.gid, _or_own(home, account.home), root)

    def _accounts_before(self, state: State, at: Instruction | None) -> Accounts:
        """The accounts at an instruction; None: at the USER instruction that is in force."""
        by = at or state.user_set_by
        if by is None:
            return Accounts.of_base(state.stage.root)
        found = self._stage_of.get(id(by))
        if found is None:
            return Accounts.of_base(state.stage.root)
        return self._accounts_at(*found)

    def _accounts_at(self, stage: Stage, index: int) -> Accounts:
        if self.mentions("passwd"):  # a stage comes before those that copy from it
            for source in sorted(self._sources_of_accounts(stage), key=lambda each: each.index):
                self._accounts_until(source, len(source.instructions))
        return self._accounts_until(stage, index)

    def _sources_of_accounts(self, stage: Stage) -> set[Stage]:
        """The stages whose /etc/passwd is copied into this one, or into those that it is made of, or into one of these,
        as far as they were not scanned yet."""
        found: set[Stage] = set()
        waiting = [stage]
        while waiting:
            for each in self.passing(waiting.pop().lineage):
                for instruction in each.instructions:
                    if not isinstance(instruction, Transfer) or not _copies_passwd(instruction):
                        continue
                    source = self.copied_from(instruction)
                    if not isinstance(source, Stage) or source in found:
                        continue
                    done = self._accounts.get(source.index)
                    if done is None or done[0] < len(source.instructions):
                        found.add(source)
                        waiting.append(source)
        return found

    def _accounts_until(self, stage: Stage, index: int) -> Accounts:
        """Scans forward from what was scanned before, so that every RUN is looked at once and recursion stays flat."""
        lineage: list[Stage] = [stage]
        while isinstance(lineage[-1].base, Stage) and lineage[-1].index not in self._accounts:
            lineage.append(lineage[-1].base)
        accounts: Accounts | None = None
        for each in reversed(lineage):
            done = self._accounts.get(each.index)
            if done is None:
                start = self._charged(accounts).copy() if accounts is not None else Accounts.of_base(each.root)
                done = (0, start)
            end = index if each is stage else len(each.instructions)
            if end < done[0]:
                # Asked about an earlier place: scan again, which only a USER of a name met late can cause.
                below = each.base
                if isinstance(below, Stage):
                    start = self._charged(self._accounts_until(below, len(below.instructions))).copy()
                else:
                    start = Accounts.of_base(each.root)
                return self._scan(each, start, 0, end)
            accounts = self._scan(each, done[1], done[0], end)
            self._accounts[each.index] = (max(end, done[0]), accounts)
        return accounts if accounts is not None else Accounts.of_base(stage.root)

    def _charged(self, accounts: Accounts) -> Accounts:
        """The same, about to be copied. Each copy is kept, so that stages in a row that make accounts hold the square
        of them: memory is charged, too."""
        self.charge(10 * len(accounts.users))
        return accounts

    def _scan(self, stage: Stage, accounts: Accounts, start: int, end: int) -> Accounts:
        self.charge((end - start) // PASSED)
        for at in range(start, end):
            instruction = stage.instructions[at]
            if isinstance(instruction, Run):
                if not MENTION.search(self.file.source_of(instruction)):
                    continue
                self._accounts[stage.index] = (at, accounts)
                calls = self.calls(instruction)
                if isinstance(calls, OpaqueScript):
                    accounts.lose("a script that is not understood may make accounts")
                else:
                    accounts.run(calls)
            elif isinstance(instruction, Transfer) and _copies_passwd(instruction):
                source = self.copied_from(instruction)
                if isinstance(source, Stage) and instruction.form is None and len(instruction.sources) == 1:
                    self._accounts[stage.index] = (at, accounts)
                    accounts.take_users(self._charged(self._accounts_until(source, len(source.instructions))))
                else:
                    accounts.lose("/etc/passwd is copied into the image")
        return accounts

    # --- scripts and calls -------------------------------------------------------------------------------------------

    def script(self, instruction: Instruction) -> Script | OpaqueScript | None:
        """The script of a RUN, CMD, ENTRYPOINT or HEALTHCHECK in shell form, or the one in a RUN's here-document; None
        in exec form and for other instructions."""
        if isinstance(instruction, Onbuild):
            instruction = instruction.inner
        key = id(instruction)
        if key not in self._scripts:
            self._scripts[key] = self._read_script(instruction)
        return self._scripts[key]

    def _read_script(self, instruction: Instruction) -> Script | OpaqueScript | None:
        if not isinstance(instruction, Run | Cmd | Entrypoint | Healthcheck):
            return None
        if not isinstance(instruction.form, ShellForm):
            return None
        leaf = instruction.form.script
        dialect = self._shell(instruction).dialect
        heredocs = instruction.heredocs if isinstance(instruction, Run) else ()
        if heredocs and _ONLY_HEREDOC.match(leaf.value.strip()):
            body = heredocs[0].body
            shebang = _SHEBANG.match(body.text)
            if body.text.startswith("#!") and shebang is None:
                return OpaqueScript(body.span.start, body.span.end, "interpreter")
            if shebang is not None:
                dialect = "bash" if shebang[1] == "bash" else "sh"
            if dialect is None:
                return OpaqueScript(body.span.start, body.span.end, "other-shell")
            if "\r\n" in body.text:
                return OpaqueScript(body.span.start, body.span.end, "carriage-return")
            return self._parse(cook_heredoc(body.text, heredocs[0].chomp), body.start, dialect)
        if dialect is None:
            return OpaqueScript(leaf.start, leaf.span.end, "other-shell")
        if not heredocs:
            return self._parse(cook(leaf.text, self.file.escape), leaf.start, dialect)
        # The shell reads the line and then the bodies, which follow it in the file.
        end = heredocs[-1].terminator.span.end
        raw = self.file.text[leaf.start : end]
        pieces = kept_pieces(raw, 0, len(leaf.text), self.file.escape)
        newline = raw.find("\n", len(leaf.text))
        pieces.append((newline, len(raw)))
        return self._parse(Cooked(raw, pieces), leaf.start, dialect)

    def _shell(self, instruction: Instruction) -> ShellState:
        if self.stage_of(instruction) is None:
            return ShellState(("/bin/sh", "-c"), "sh")
        return self.state(instruction).shell

    def sh(self, instruction: Instruction) -> str | None:
        """What /bin/sh surely is when that runs, as `BaseImage.sh` has it: the base image's, which nothing before has
        put another one in the place of. None if that is not known."""
        stage = self.stage_of(instruction)
        base = stage.lineage[0].base if stage is not None else None
        if stage is None or not isinstance(base, BaseImage) or "$" in stage.lineage[0].from_.image.value:
            return None
        if self.run_up_to(instruction, _OTHER_SH):
            return None
        brought = any(each.kind == "copy" for each in self.writers(stage, "/bin/sh", before=instruction))
        return base.sh if not brought else None

    def calls(self, instruction: Instruction) -> tuple[Call, ...] | OpaqueScript:
        """The commands of a RUN, CMD, ENTRYPOINT or HEALTHCHECK (also of the one in an ONBUILD), flat and in order; an
        `OpaqueScript` if the script is not understood; nothing for other instructions."""
        if isinstance(instruction, Onbuild):
            instruction = instruction.inner
        self.charge(1)
        key = id(instruction)
        if key not in self._calls:
            self._calls[key] = self._read_calls(instruction)
        return self._calls[key]

    def _read_calls(self, instruction: Instruction) -> tuple[Call, ...] | OpaqueScript:
        if not isinstance(instruction, Run | Cmd | Entrypoint | Healthcheck) or self.stage_of(instruction) is None:
            return ()
        state = self.state(instruction)
        if isinstance(instruction.form, ExecForm):
            items = instruction.form.items
            return exec_calls(items, self._around(state, instruction)) if items else ()
        script = self.script(instruction)
        if script is None or isinstance(script, OpaqueScript):
            return script if script is not None else ()
        shell = state.shell
        errexit, pipefail = shell.errexit, shell.pipefail
        dialect = shell.dialect or "sh"
        inside = False
        if isinstance(instruction, Run) and instruction.heredocs:
            leaf = instruction.form.script if instruction.form is not None else None
            inside = leaf is not None and script.start >= leaf.span.end
            body = instruction.heredocs[0].body.text
            if inside and (shebang := _SHEBANG.match(body)) is not None:
                options = shebang[2].split()
                errexit = any(o.startswith("-") and "e" in o for o in options)
                pipefail = "pipefail" in options
                dialect = "bash" if shebang[1] == "bash" else "sh"
        around = self._around(state, instruction, heredoc=inside)
        return script_calls(script, around, dialect=dialect, errexit=errexit, pipefail=pipefail)

    def _around(self, state: State, at: Instruction | None = None, *, heredoc: bool = False) -> Surroundings:
        text, escape = self.file.text, self.file.escape
        return surroundings_of(
            state, lambda name: self.user_named(state, name, at), text, escape, self._parse, heredoc=heredoc
        )

    def image_calls(self, instruction: Instruction, stage: Stage) -> tuple[Call, ...] | OpaqueScript:
        """The commands of a CMD, ENTRYPOINT or HEALTHCHECK as they run in the image of `stage`, which may be derived
        from the stage where the instruction stands: with that image's directory, user and environment."""
        state = self.end_state(stage)
        if not isinstance(instruction, Cmd | Entrypoint | Healthcheck):
            return ()
        if isinstance(instruction.form, ExecForm):
            items = instruction.form.items
            return exec_calls(items, self._around(state)) if items else ()
        script = self.script(instruction)
        if script is None or isinstance(script, OpaqueScript):
            return script if script is not None else ()
        shell = self.state(instruction).shell
        return script_calls(
            script, self._around(state), dialect=shell.dialect or "sh", errexit=shell.errexit, pipefail=shell.pipefail
        )

    def may_name(self, run: Run, words: tuple[str, ...]) -> bool:
        """False if no word of the RUN's commands can hold one of `words`: neither its text does, quotes and backslashes
        left out, nor what ENV, ARG and WORKDIR say anywhere in the file. (A word that is put together from pieces of
        `words` by variables is not thought of.) Spares most RUNs from being read."""
        found = self._named.get((id(run), words))
        if found is None:
            text = self._flat.get(id(run)) or self._flat.setdefault(id(run), _flat(run))
            found = any(map(text.__contains__, words)) or self._named_outside(words)
            self._named[id(run), words] = found
        return found

    def _named_outside(self, words: tuple[str, ...]) -> bool:
        """Whether an instruction holds one of `words` that gives RUNs something to name."""
        found = self._outside.get(words)
        if found is None:
            if self._given is None:
                # A trigger of ONBUILD may stand for any of them in a stage that starts from its own.
                others = [self.file.source_of(i) for i in self.file.instructions if isinstance(i, (*_GIVING, Onbuild))]
                self._given = "\n".join(others).translate(_UNQUOTED)
            found = self._outside[words] = any(map(self._given.__contains__, words))
        return found

    # --- paths -------------------------------------------------------------------------------------------------------

    def effects(self, instruction: Instruction) -> tuple[Effect, ...]:
        """What an instruction reads, writes and removes in its stage's file system."""
        key = id(instruction)
        if key not in self._effects:
            self._effects[key] = effects_of(self, instruction)
        return self._effects[key]

    def call_effects(self, call: Call) -> tuple[Effect, ...]:
        """What one command reads, writes and removes; mounts are not looked at."""
        # The call is kept beside its effects, for another one might get its id.
        found = self._call_effects.get(id(call))
        if found is None or found[0] is not call:
            found = self._call_effects[id(call)] = (call, tuple(call_effects(call)))
        return found[1]

    def call_mentions(self, call: Call) -> tuple[tuple[Arg, str], ...]:
        """The words of one command with the absolute paths that are parts of them."""
        found = self._call_mentions.get(id(call))
        if found is None or found[0] is not call:
            found = self._call_mentions[id(call)] = (call, tuple(call_mentions(call)))
        return found[1]

    def readers(
        self, stage: Stage, path: str, after: Instruction | None = None, naming: tuple[str, ...] = ()
    ) -> tuple[Reader, ...]:
        """Everybody who reads at, below or above `path` of that stage's file system after that instruction (None: after
        FROM): later RUNs of the stage and of stages derived from it, COPY --from and RUN --mount=from= in any stage (by
        name, by number, from a derived stage), CMD, ENTRYPOINT and HEALTHCHECK in force, ENV values that name it,
        WORKDIR, VOLUME, ONBUILD, and symbolic links that lead there.

        `rm` is no reader. A RUN that sees the path through a mount of its own has `through_mount`. That the image of a
        shipped stage holds the path is not a reader: see `Stage.shipped`. naming: leave out RUNs that name none of
        these words (see `may_name`), which spares most of them from being read; for who asks for readers that must."""
        if after is None or self.links:  # which links are there depends on the place
            return find_readers(self, stage, path, after, naming)
        key = (stage.index, path, naming)
        if key not in self._readers:
            self._readers[key] = None
            return find_readers(self, stage, path, after, naming)
        known = self._readers[key]
        if known is None:  # somebody asks for every step: all is searched once, and what came before is left out
            known = self._readers[key] = find_readers(self, stage, path, None, naming)
        place = self.index_of(after)
        self.charge(len(known))
        return tuple(
            reader
            for reader in known
            if reader.stage is not stage
            or reader.kind not in ("run", "workdir", "volume")
            or self.index_of(reader.instruction) > place
        )

    @property
    def links(self) -> tuple[Link, ...]:
        """The symbolic links that RUNs make, as far as their targets and places are known."""
        if self._links is None:
            self._links = tuple(links_of(self)) if self.mentions("ln") else ()
        return self._links

    @property
    def fetched(self) -> Fetched:
        """The files that ADD has fetched from addresses of the net."""
        if self._fetched is None:
            self._fetched = Fetched(self)
        return self._fetched

    def passing(self, stages: Sequence[Stage]) -> Iterator[Stage]:
        """The stages, for somebody who passes through their instructions and looks at few of them."""
        for stage in stages:
            self.charge(1 + len(stage.instructions) // PASSED)
            yield stage

    def run_up_to(self, instruction: Instruction, pattern: re.Pattern[str]) -> bool:
        """Whether a RUN holds a match of `pattern`: the instruction itself, or one before it, in its stage or in those
        below. Each is searched once, however often it is asked."""
        stage = self.stage_of(instruction)
        for each in stage.lineage if stage is not None else ():
            self.charge(1)
            key = (pattern, each.index)
            if key not in self._first_runs:
                self._first_runs[key] = self._first_run(each, pattern)
            end = len(each.instructions)
            own = self.index_of(instruction)
            if each is stage and each.instructions[own] is instruction:
                end = own + 1
            if self._first_runs[key] < end:
                return True
        return False

    def _first_run(self, stage: Stage, pattern: re.Pattern[str]) -> int:
        """Where the stage's first RUN with a match stands; behind its last instruction if there is none."""
        for at, instruction in enumerate(stage.instructions):
            if isinstance(instruction, Run) and pattern.search(self.file.source_of(instruction)):
                return at
        return len(stage.instructions)

    def mentions(self, word: str) -> bool:
        """Whether `word` stands anywhere in the text. Looked for once, however often it is asked: for each command it
        would be the whole text each time."""
        if word not in self._mentions:
            self._mentions[word] = word in self.file.text
        return self._mentions[word]

    def takers_from(self, stage: Stage) -> Sequence[Stage]:
        """The stages that take files from `stage` itself: by COPY --from, by RUN --mount=from=, or by a trigger."""
        if self._takers is None:
            self._takers = {}
            for each in self.stages if len(self.stages) > 1 else ():
                for index in {source.index for source in sources_of(self, each)}:
                    self._takers.setdefault(index, []).append(each)
        return self._takers.get(stage.index, ())

    def takers(self, stage: Stage, path: str) -> tuple[Reader, ...]:
        """Those of `readers` that take files out of that stage, or out of one derived from it, into another: COPY
        --from and RUN --mount=from=. Cheap where there are none."""
        return find_takers(self, stage, path)

    def writers(
        self, stage: Stage, path: str, before: Instruction | None = None, after: Instruction | None = None
    ) -> tuple[Writer, ...]:
        """Everybody who may have written or removed something at, below or above `path` before that instruction (None:
        up to the end of the stage): the base image, COPY, ADD, RUN, WORKDIR, in the stage and those below it. after:
        only those behind that instruction."""
        return find_writers(self, stage, path, before, after)

    # --- mounts and volumes ------------------------------------------------------------------------------------------

    def mounts(self, run: Instruction) -> tuple[Mount, ...]:
        """The mounts of a RUN (or of the RUN in an ONBUILD), in order; nothing for other instructions."""
        if isinstance(run, Onbuild):
            run = run.inner
        if not isinstance(run, Run) or not run.flags or (stage := self.stage_of(run)) is None:
            return ()
        self.charge(1)
        key = id(run)
        if key not in self._mounts:
            self._mounts[key] = read_mounts(
                run, self.state(run), self.file.escape, lambda text: self.resolve(stage, text, numbers=False)
            )
        return self._mounts[key]

    def volumes(self, stage: Stage) -> tuple[tuple[Volume, Value], ...]:
        """The VOLUME paths of the stage and of the stages below it, absolute."""
        out: list[tuple[Volume, Value]] = []
        for each in stage.lineage:
            self.charge(len(each.instructions) + 1)
            for instruction in each.instructions:
                if isinstance(instruction, Volume):
                    out.extend((instruction, path) for path in self.volume_paths(instruction))
        return tuple(out)

    def workdir_after(self, instruction: Workdir) -> Value:
        """The directory that the instruction makes and that is the current one behind it."""
        key = id(instruction)
        if key not in self._workdirs:
            state = self.state(instruction)
            value = expand(instruction.argument.value.strip(), state.lookup, self.file.escape)
            self._workdirs[key] = join(state.workdir, value)
        return self._workdirs[key]

    def volume_paths(self, volume: Volume) -> tuple[Value, ...]:
        state = self.state(volume)
        words = volume.form.values if volume.form is not None else tuple(p.value for p in volume.paths)
        return tuple(join(Known("/"), expand(word, state.lookup, self.file.escape)) for word in words)


_GIVING = (Env, DockerArg, Workdir)
_UNQUOTED = str.maketrans("", "", "\"'\\\r\n")


def _may_mean(target: str | None, name: str | None, last: bool) -> bool:
    """Whether a target means the stage of that name, or the last one."""
    return last if target == "" else name is not None and target in (name, None)


def _flat(run: Run) -> str:
    """What the RUN's words are made of. (A continuation of the shell goes with its backslash and line end.)"""
    bodies = [heredoc.body.text for heredoc in run.heredocs]
    if isinstance(run.form, ShellForm):
        return "".join([run.form.script.value, *bodies]).translate(_UNQUOTED)
    return " ".join([*(run.form.values if run.form is not None else ()), *bodies]).translate(_UNQUOTED)


def _home(state: State) -> Value | None:
    """ENV HOME, which wins over the account's home, even for root; None if there is none.

    An image that nobody knows is taken to set none: few do, and nothing could be said of any home otherwise.
    """
    value, root = state.lookup("HOME"), state.stage.root
    unseen = isinstance(root, Unknown) or not root.known
    return None if unseen and value == of_base(root, "HOME") else value


def _or_own(home: Value | None, own: Value) -> Value:
    """ENV HOME, or an account's own home: also where only some versions of the image set ENV HOME, and to that home."""
    if home is None:
        return own
    return own if isinstance(home, Unknown) and home.if_set is not None and own == Known(home.if_set) else home


def _from_texts(instruction: Instruction) -> list[tuple[str, bool]]:
    """The texts of `--from=` and `--mount=…from=…`, and whether a number means a stage."""
    if isinstance(instruction, Onbuild):
        return []
    if isinstance(instruction, Copy):
        text = flag_value(instruction.flags, "from")
        return [(text, True)] if text is not None else []
    if not isinstance(instruction, Run):
        return []
    out: list[tuple[str, bool]] = []
    for flag in instruction.flags:
        if flag.name == "mount" and flag.value and "from=" in flag.value.lower():
            for field in flag.value.split(","):
                key, _, value = field.partition("=")
                if key.lower() == "from":
                    out.append((value.strip('"'), False))
    return out


def _copies_passwd(instruction: Transfer) -> bool:
    if instruction.form is not None:
        target = instruction.form.values[-1] if instruction.form.values else ""
    else:
        target = instruction.destination.value if instruction.destination is not None else ""
    if target.strip("\"'") in ("/etc/passwd", "/etc", "/etc/"):
        return target.strip("\"'") == "/etc/passwd" or "passwd" in instruction.code
    return False


