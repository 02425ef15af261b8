"""bind-manifests: see the class."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from posixpath import basename, dirname
from typing import ClassVar

from fixer.analysis import (
    BaseImage,
    Call,
    Facts,
    Known,
    Reader,
    Stage,
    Unknown,
    below,
    clean,
    hiding_mount,
    join,
    related,
)
from fixer.analysis.brought import FromContext
from fixer.analysis.paths import Effect
from fixer.analysis.programs import ABOUT_THE_SYSTEM, ONLY_LOOK, ONLY_MODES, copies_by_links
from fixer.analysis.stages import flag_value
from fixer.analysis.tools.manifests import PROGRAMS, WORDS, Manager, is_manager, is_manifest, read_manager
from fixer.analysis.transfers import (
    DIRECTORIES,
    Lands,
    Source,
    destination,
    destination_text,
    file_at,
    is_file_name,
    lands,
    sources,
)
from fixer.codemods import common
from fixer.codemods.altered import alters
from fixer.codemods.api import NOTHING, Change, Codemod, Refusal, Safety, Settings
from fixer.codemods.common import Stop
from fixer.text.data import read_json
from fixer.text.records import dataclass, field
from fixer.text.regex import regex
from fixer.text.source import Span
from fixer.tree.editor import add_mounts, name_stage, remove_instructions
from fixer.tree.nodes import Add, Copy, Instruction, Onbuild, Run, Transfer, Workdir
from fixer.tree.shell import OpaqueScript, Word

MOST_MOUNTS = 10
"""So many files are bound into one step: a line for each is longer than the COPY was, and of more nobody has a gain."""


class BindManifests(Codemod):
    """Let package managers read their manifests through bind mounts, without a COPY.

    What it does

    A COPY that only brings what a package manager reads goes, and each RUN that reads it gets a bind mount of the same
    file at the same place: requirements for pip and uv, package.json and lock files for npm, yarn, pnpm and bun, go.mod
    and go.sum, pyproject.toml with its lock, Pipfile, Gemfile, composer.json, project files for dotnet restore.

        COPY package.json package-lock.json ./
        RUN npm ci
        COPY . .

    becomes

        RUN --mount=type=bind,source=package.json,target=package.json \\
            --mount=type=bind,source=package-lock.json,target=package-lock.json \\
            npm ci
        COPY . .

    COPY --from becomes a mount with `from=`; a stage that has only a number gets a name.

    Why it is safe

    The step sees the same file, owned by root and with the same mode, and BuildKit runs it again when the content
    changes, as it did behind the COPY. Every RUN that may read the file before a later COPY brings it again gets the
    mount, for other files that came with it, too: it may name them (`-r base.txt`, `-e .`, `file:local.tgz`). No step
    may write to the file, but for tools that write in place what that later COPY overwrites in any case (`go mod
    download`, `bundle install`, `pipenv install`, plugins of composer, `poetry config --local`, and corepack, which
    adds `packageManager` to a package.json that has none): these get a mount with `rw`, whose changes are dropped.

    What changes in the image

    Nothing, where a later COPY brings the file again, or where the stage is in no image. Where nothing does, the image
    no longer holds the file: for files of requirements, which nobody needs when the image runs, this is an unsafe
    change; other manifests are left alone.

    When it refuses

    When the COPY has flags or patterns, or brings other things; when the step would get more than ten mounts; when a
    step that is not understood comes before the file is brought again, or one that writes to it or makes a link to it
    (`cp -al`); when the package manager may write it (`npm install`, `yarn install` without --frozen-lockfile); when it
    runs scripts of the project that are not known; when the directory of the file is only there because of the COPY;
    when a COPY of the whole directory takes the file to where a step, or what the image starts with, needs it.

    All COPYs of what one step reads go, or none of them: half of the files through mounts and half by COPY would be no
    gain. The refusal of the one that has to stay names the others.

    Sources: BuildKit v0.25 on a real engine (bind mounts: what they leave, when steps run again; modes and owners of
    copied files), the manuals of the package managers, npm 10, pip 23 and go 1.19 on a real engine.
    """

    id = "bind-manifests"
    words = WORDS
    reasons: ClassVar[Mapping[str, str]] = {
        "directory-made-here": "The directory of the file is there only because of the COPY.",
        "flags": "The COPY has flags, whose work a mount does not do.",
        "many-files": f"More than {MOST_MOUNTS} files: as many mounts in one step are no gain.",
        "lifecycle-script": "The package manager runs scripts of the project, which may write to the file.",
        "may-write": "The package manager may write to the file, which a mount does not keep.",
        "needed-later": "Somebody reads the file later, or it is part of an image that may need it.",
        "no-context": "The build context is not at hand, and it has to be read here.",
        "not-a-file": "What the COPY brings is no plain file of the build context.",
        "old-syntax": common.REASONS["old-syntax"],
        "onbuild": "The step runs in other people's builds, which this file does not show.",
        "opaque-script": common.REASONS["opaque-script"],
        "other-files": "The COPY brings other files, too, which nothing brings again.",
        "overwritten": "Another COPY may put a file at the same place while steps still read it.",
        "pattern": "The COPY takes a pattern, and a mount takes single files.",
        "unknown-path": "Where the COPY puts its files, or what they are, depends on something.",
        "unknown-step": "A step before the file is brought again may write to it.",
        "writes": "A step changes or removes the file.",
    }

    def run(self, facts: Facts, settings: Settings) -> Iterator[Change | Refusal]:
        plan = _Plan(facts, settings)
        items = plan.items()
        if not items:
            return
        old = common.takes_mounts(facts.file)
        if old is not None:
            because = f"{old.argument.value.strip()} does not know RUN --mount; docker/dockerfile:1 does"
            yield Refusal(self.id, "old-syntax", old.argument.span, because)
            return
        for item in items:
            plan.prepare(item)
        for group in _groups(items):
            stopped = [item for item in group if item.stop is not None]
            others = _lines(facts, [item for item in group if item.stop is None])
            for item in stopped:
                if item.stop is not None:
                    because = f"{item.stop.because}; so {others} stays, too" if others else item.stop.because
                    yield Refusal(self.id, item.stop.reason, item.stop.span, because)
            many = 0 if stopped else _most_mounts(group)
            if many > MOST_MOUNTS:
                because = f"{many} mounts in one step are more to read than the COPYs are"
                yield Refusal(self.id, "many-files", group[0].copy.span, because)
            elif not stopped:
                yield self._change(facts, plan, group)

    def _change(self, facts: Facts, plan: _Plan, group: Sequence[_Item]) -> Change:
        file = facts.file
        heirs = [run for item in group for each in item.files for run, _ in each.runs.values()]
        edits = remove_instructions(file, [item.copy for item in group], into=heirs)
        names = plan.stage_names(group)
        edits += [name_stage(file, stage.from_, name) for stage, name in names.items()]
        runs: dict[int, tuple[Run, list[str]]] = {}
        for item in group:
            for each in item.files:
                for run, in_place in each.runs.values():
                    text = _mount(facts, run, item, each, in_place, names)
                    runs.setdefault(id(run), (run, []))[1].append(text)
        for run, texts in runs.values():
            edits += add_mounts(file, run, texts)
        lost = [(stage, each.path) for item in group for each in item.files for stage in each.lost]
        shown = [each.path for item in group for each in item.files if any(stage.shipped for stage in each.ends)]
        shown += [path for item in group for each in item.files for path in each.carried]
        where = alters(facts, lost) if lost else NOTHING
        risk = ""
        if shown:
            what = " and ".join(dict.fromkeys(shown))
            risk = f"the image no longer holds {what}; a program of it that reads the file would not find it"
        return Change(
            self.id, _title(group), _why(facts, group), group[0].copy.span, tuple(edits),
            safety=Safety.UNSAFE if risk else Safety.SAFE, risk=risk, alters=where,
        )  # fmt: skip


def _most_mounts(group: Sequence[_Item]) -> int:
    """How many mounts that step gets which gets most of them."""
    counts = Counter(run for item in group for each in item.files for run in each.runs)
    return max(counts.values(), default=0)


def _lines(facts: Facts, items: Sequence[_Item]) -> str:
    """Which COPYs these are, for a sentence about what becomes of them; "" for none."""
    lines = [str(facts.file.position(item.copy).line) for item in items]
    return f"the COPY in line {' and '.join(lines)}" if lines else ""


def _title(group: Sequence[_Item]) -> str:
    names = list(dict.fromkeys(basename(each.path) for item in group for each in item.files if each.runs))
    tools = list(dict.fromkeys(tool for item in group for each in item.files for tool in each.tools))
    what = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return f"let {' and '.join(tools) or 'the step'} read {what} through bind mounts, without a COPY"


def _why(facts: Facts, group: Sequence[_Item]) -> str:
    backs = {facts.file.position(back).line for item in group for each in item.files for back in each.backs}
    lost = any(each.ends for item in group for each in item.files)
    after = []
    if backs:
        lines = " and ".join(f"line {line}" for line in sorted(backs))
        after.append(f"the COPY in {lines} brings all of it for the steps behind it")
    if lost:
        after.append("no later step reads it")
    return (
        "the step reads the same files, and runs again when their content changes, as it did behind the COPY; "
        + ", and elsewhere ".join(after)
    )


@dataclass(slots=True)
class _File:
    """One file that a COPY brings.

    source: in the context, or in what --from names. path: in the stage.
    runs: the RUNs that need the mount, with whether they may write.
    visited: all RUNs that come before it is brought again. backs: what brings it again.
    lost: the stages at whose end it is missing.
    carried: the path of it, if another stage takes a directory that held it.
    tools: what reads it. requirements: whether pip reads it as that.
    """

    site: Source
    source: str
    path: str
    runs: dict[int, tuple[Run, bool]] = field(default_factory=dict)
    visited: list[Run] = field(default_factory=list)
    backs: list[Transfer] = field(default_factory=list)
    lost: list[Stage] = field(default_factory=list)
    carried: list[str] = field(default_factory=list)
    tools: list[str] = field(default_factory=list)
    requirements: bool = False

    @property
    def ends(self) -> list[Stage]:
        """The stages of `lost` that no other starts from, or that people build: what is missing in one of these is
        missing in an image."""
        return [stage for stage in self.lost if not stage.derived or stage.goal]


@dataclass(slots=True)
class _Item:
    """A COPY of manifests. origin: what it takes them from (None: the context). stop: why nothing can be done; then
    readers are the RUNs that read its files, by their ids."""

    stage: Stage
    copy: Transfer
    origin: Stage | BaseImage | Unknown | None
    files: list[_File]
    stop: Stop | None = None
    readers: set[int] = field(default_factory=set)

    @property
    def runs(self) -> set[int]:
        """The RUNs that read its files, by their ids."""
        return {run for each in self.files for run in each.runs} | self.readers


@dataclass(frozen=True, slots=True)
class _Missing:
    """Where a file is missing without its COPY: `path` of `stage` behind the instruction `after`, and at the ends of
    the stages `lost`."""

    stage: Stage
    after: Instruction
    path: str
    lost: frozenset[int]


@dataclass(frozen=True, slots=True)
class _Use:
    """What a RUN does with a file. reads: it may read it. in_place: it may write it in place. conflict: why a mount of
    it would be in the way, or the RUN would miss the file otherwise. harmless: the conflict is none without a mount."""

    reads: bool = False
    in_place: bool = False
    conflict: Stop | None = None
    harmless: bool = False


def _behind_copies(facts: Facts) -> Iterator[Instruction]:
    """The instructions that may find a file which a COPY or ADD has brought."""
    brought: set[int] = set()
    for stage in facts.stages:
        some = isinstance(stage.base, Stage) and stage.base.index in brought
        for instruction in stage.instructions:
            inner = instruction.inner if isinstance(instruction, Onbuild) else instruction
            if isinstance(inner, Transfer):
                some = True
            elif some:
                yield instruction
        if some:
            brought.add(stage.index)


class _Plan:
    """Finds the COPYs, and works out for each what is to be done, or why it cannot be."""

    def __init__(self, facts: Facts, settings: Settings) -> None:
        self.facts = facts
        self.settings = settings
        self.from_context = FromContext(facts, settings.context)
        self.removed: set[int] = set()
        self._read: dict[int, list[tuple[Call, Manager]]] = {}
        self.readings = [reading for run in _behind_copies(facts) for reading in self._reading(run)]

    # --- finding -----------------------------------------------------------------------------------------------------

    def items(self) -> list[_Item]:
        found: list[_Item] = []
        for stage in self.facts.stages if self.readings else ():
            if not self._has_manager(stage):
                continue
            for instruction in stage.instructions:
                inner = instruction.inner if isinstance(instruction, Onbuild) else instruction
                if isinstance(inner, Copy | Add) and not inner.heredocs:
                    item = self._item(stage, instruction, inner)
                    if item is not None:
                        found.append(item)
        self.removed = {id(item.copy) for item in found}
        return found

    def _has_manager(self, stage: Stage) -> bool:
        return any(
            self._reading(instruction)
            for each in (stage, *stage.derived)
            for instruction in each.instructions
        )

    def _reading(self, instruction: Instruction) -> list[tuple[Call, Manager]]:
        """The calls of package managers that read manifests."""
        run = instruction.inner if isinstance(instruction, Onbuild) else instruction
        if not isinstance(run, Run) or not self.facts.may_name(run, PROGRAMS):
            return []
        found = self._read.get(id(run))
        if found is None:
            calls = self.facts.calls(run)
            found = self._read[id(run)] = [
                (call, manager) for call in (() if isinstance(calls, OpaqueScript) else calls)
                if (manager := read_manager(call)) is not None and (manager.names or manager.files)
            ]  # fmt: skip
        return found

    def _item(self, stage: Stage, outer: Instruction, copy: Copy | Add) -> _Item | None:
        facts = self.facts
        origin = facts.copied_from(copy)
        files: list[_File] = []
        stop: Stop | None = None
        found = sources(facts, copy)
        if not any(self._may_be_wanted(copy, source) for source in found):
            return None
        for source in found:
            where, why = self._files(stage, copy, source)
            files += where
            stop = stop or why
            if source.pattern:
                because = "a mount takes single files, and what this pattern takes may be others tomorrow"
                stop = stop or Stop("pattern", source.span, because)
        if isinstance(outer, Onbuild):
            later = [i for i in stage.instructions[facts.index_of(outer) + 1 :] if isinstance(i, Onbuild)]
            if not any(self._read_by(trigger.inner, each) for trigger in later for each in files):
                return None
            stop = Stop("onbuild", outer.span, "it runs in the builds of other files, which this one does not show")
            return _Item(stage, copy, origin, files, stop)
        wanted = [each for each in files if any(True for _ in self._readers(stage, copy, each, origin))]
        if not wanted:
            return None
        flags = [flag for flag in copy.flags if flag.name != "from"]
        if flags:
            because = f"a mount does not do what --{flags[0].name} does"
            stop = Stop("flags", flags[0].word.span, because)
        if isinstance(origin, Unknown):
            stop = stop or Stop("unknown-path", copy.span, f"what it copies from is not known: {origin.why}")
        if isinstance(copy, Add):
            unpacked = next((s for s in found if isinstance(s.path, Known) and _ARCHIVE.search(s.path.value)), None)
            if unpacked is not None:
                stop = stop or Stop("not-a-file", unpacked.span, "ADD unpacks archives, which a mount does not")
            if "://" in copy.code:
                stop = stop or Stop("not-a-file", copy.span, "ADD fetches something, too, which a mount does not")
        if stop is None and len(found) != len(files):
            stop = Stop("unknown-path", copy.span, "what it brings cannot be told")
        return _Item(stage, copy, origin, files, stop)

    def _files(self, stage: Stage, copy: Transfer, source: Source) -> tuple[list[_File], Stop | None]:
        """Where a source goes; for a pattern, as if it were each manifest that it takes. Where a variable decides, as
        if it decided about directories alone."""
        target = destination(self.facts, copy)
        stop: Stop | None = None
        if not isinstance(source.path, Known) or source.path.args:
            stop = Stop("unknown-path", source.span, "what this is depends on a variable")
        elif not isinstance(target, Known) or target.args:
            stop = Stop("unknown-path", copy.span, "where it goes depends on a variable")
        text = destination_text(copy)
        if not isinstance(target, Known):
            target = self.facts.state(copy).workdir
            text = "."
        name = _name_of(source)
        if not isinstance(target, Known) or not name:
            return [], stop
        where = source.path.value if isinstance(source.path, Known) else name
        if _is_pattern(source):
            names = [each for each in _COMMON if fnmatchcase(each, name)] if name.strip("*?.") else []
            return [_File(source, _beside(where, each), clean(f"{target.value}/{each}")) for each in names], stop
        path = file_at(self.facts, copy, stage, name, target.value, text)
        return [_File(source, where, path)], stop

    def _may_be_wanted(self, copy: Transfer, source: Source) -> bool:
        """False if no package manager of the file reads what the source may bring, whether or not the COPY's target is
        a directory."""
        if _is_pattern(source):
            return True
        target = destination(self.facts, copy)
        name = _name_of(source)
        self.facts.charge(len(self.readings))
        if not isinstance(target, Known):
            return bool(name) and any(self._names(manager, name) for _, manager in self.readings)
        paths = (target.value, clean(f"{target.value}/{name}"))
        return bool(name) and any(self._wants(*reading, path) for reading in self.readings for path in paths)

    @staticmethod
    def _names(manager: Manager, name: str) -> bool:
        """Whether it reads files of that name, wherever they are."""
        return manager.reads_name(name) or any(
            isinstance(file, Known) and basename(file.value) == name for file in manager.files
        )

    def _readers(self, stage: Stage, copy: Transfer, each: _File, origin: object) -> Iterator[Run]:
        """The RUNs in which a package manager reads the file before another COPY brings it again."""
        todo = [(stage, self.facts.index_of(copy) + 1)]
        while todo:
            at, start = todo.pop()
            for instruction in at.instructions[start:]:
                if isinstance(instruction, Transfer):
                    if lands(self.facts, instruction, each.path, each.source, origin) is Lands.YES:
                        break
                elif isinstance(instruction, Run) and self._read_by(instruction, each):
                    yield instruction
            else:
                todo += [(derived, 0) for derived in at.derived]

    def _read_by(self, run: Instruction, each: _File) -> bool:
        if not isinstance(run, Run) or hiding_mount(self.facts.mounts(run), each.path) is not None:
            return False
        return any(self._wants(call, manager, each.path) for call, manager in self._reading(run))

    def _wants(self, call: Call, manager: Manager, path: str) -> bool:
        """Whether it surely is one of the files that the call is about."""
        if any(isinstance(file, Known) and file.value == path for file in manager.files):
            return True
        if manager.requirements and all(isinstance(file, Known) for file in manager.files):
            return False
        near = manager.anywhere or not isinstance(call.cwd, Known) or related(dirname(path), call.cwd.value)
        return near and manager.reads_name(basename(path))

    # --- what becomes of it ----------------------------------------------------------------------------------------

    def prepare(self, item: _Item) -> None:
        """Fill in the item's files, or say why not."""
        try:
            self._prepare(item)
        except Stop as stop:
            item.stop = stop
        if item.stop is not None and not isinstance(self._outer(item), Onbuild):
            found = (run for each in item.files for run in self._readers(item.stage, item.copy, each, item.origin))
            item.readers.update(id(run) for run in found)

    def _outer(self, item: _Item) -> Instruction:
        """The instruction of the stage in which the COPY stands: itself, or its ONBUILD."""
        return item.stage.instructions[self.facts.index_of(item.copy)]

    def _prepare(self, item: _Item) -> None:
        if item.stop is not None:
            return
        for each in item.files:
            self._follow(item, each)
        for each in item.files:
            self._in_place(each)
            self._plain_file(item, each)
            self._directory(item, each)
            self._later(item, each)
        if not any(each.runs for each in item.files):
            raise Stop("needed-later", item.copy.span, "no step that could have a mount reads what it brings")

    def _follow(self, item: _Item, each: _File) -> None:
        """Who reads the file, until it is brought again or the stages end."""
        todo = [(item.stage, self.facts.index_of(item.copy) + 1)]
        while todo:
            stage, start = todo.pop()
            back: Transfer | None = None
            maybe: Transfer | None = None
            for instruction in stage.instructions[start:]:
                if isinstance(instruction, Run):
                    self._step(each, instruction, maybe)
                elif isinstance(instruction, Transfer):
                    how = lands(self.facts, instruction, each.path, each.source, item.origin)
                    if how is Lands.YES and id(instruction) not in self.removed:
                        back = instruction
                        break
                    maybe = instruction if how is not Lands.NO else maybe
                elif isinstance(instruction, Onbuild):
                    because = "this runs in the builds of other files, and what it reads there is not known"
                    raise Stop("onbuild", instruction.span, because)
            if back is not None:
                each.backs.append(back)
                continue
            each.lost.append(stage)
            todo += [(derived, 0) for derived in stage.derived]

    def _step(self, each: _File, run: Run, maybe: Transfer | None) -> None:
        each.visited.append(run)
        mounts = self.facts.mounts(run)
        if hiding_mount(mounts, each.path) is not None:
            return
        use = self._use(each, run)
        if not use.reads:
            if use.conflict is not None and not use.harmless:
                raise use.conflict
            return
        if use.conflict is not None:
            raise use.conflict
        if maybe is not None:
            because = f"it may put another file at {each.path}, which the mount of a later step would hide"
            raise Stop("overwritten", maybe.span, because)
        for mount in mounts:
            if isinstance(mount.target, Unknown) and mount.type != "ssh":
                raise Stop("unknown-path", mount.flag.word.span, "where this is mounted cannot be told")
        each.runs[id(run)] = (run, use.in_place)

    def _use(self, each: _File, run: Run) -> _Use:
        calls = self.facts.calls(run)
        if isinstance(calls, OpaqueScript):
            because = "it may read the file, or write to it: the step's script is not understood"
            return _Use(conflict=Stop("opaque-script", Span(calls.start, calls.end), because))
        uses = [self._call(each, run, call) for call in calls]
        conflicts = [use for use in uses if use.conflict is not None]
        worst = next((use for use in conflicts if not use.harmless), conflicts[0] if conflicts else None)
        return _Use(
            any(use.reads for use in uses), any(use.in_place for use in uses),
            worst.conflict if worst is not None else None, worst is not None and worst.harmless,
        )  # fmt: skip

    def _call(self, each: _File, run: Run, call: Call) -> _Use:
        manager = read_manager(call)
        if manager is not None:
            return self._managed(each, run, call, manager)
        up = isinstance(call.cwd, Known) and below(call.cwd.value, dirname(each.path)) and dirname(each.path) != "/"
        if up and is_manager(call):
            because = f"what {call.program} does here is not known, and it may write to {each.path}"
            return _Use(conflict=Stop("unknown-step", Span(*call.span), because))
        # Programs that work on a project look for its manifest in the directories above.
        reads = up and is_manifest(basename(each.path)) and _works_there(self.facts, call)
        for effect in self.facts.call_effects(call):
            how = _hits(effect, each.path)
            if not how:
                continue
            if effect.mode == "read":
                reads = reads or not (call.program in ONLY_LOOK | ONLY_MODES and how != "same")
                if _links(call, effect, how):
                    because = "a link to it would lead nowhere once the mount is gone, and a hard one cannot be made"
                    return _Use(conflict=Stop("needed-later", effect.span, because))
                continue
            if call.program in ABOUT_THE_SYSTEM and effect.implicit:
                continue
            harmless = call.program in ONLY_MODES and how == "above"
            if effect.implicit or isinstance(effect.path, Unknown):
                because = f"{call.program or 'this'} may write to {each.path} before it is brought again"
                return _Use(conflict=Stop("unknown-step", Span(*call.span), because))
            does = "may change or remove" if effect.extent == "unknown" else "changes or removes"
            because = f"it {does} {each.path}, which cannot be done to a mount"
            return _Use(reads, conflict=Stop("writes", effect.span, because), harmless=harmless)
        return _Use(reads)

    def _managed(self, each: _File, run: Run, call: Call, manager: Manager) -> _Use:
        for redirect in call.redirects:
            path = join(call.cwd, call.shell_value(redirect.target))
            if redirect.op in (">", ">>", ">|") and (not isinstance(path, Known) or path.value == each.path):
                return _Use(conflict=Stop("writes", Span(*call.span), f"what it prints may go to {each.path}"))
        if not (manager.anything or manager.reads(each.path, call.cwd) or _may_be_named(call, manager, each.path)):
            return _Use()
        if manager.may_replace(basename(each.path)):
            because = f"{manager.tool} may write {basename(each.path)} anew, which a mount does not keep"
            return _Use(True, conflict=Stop("may-write", Span(*call.span), because))
        if manager.writes:
            return _Use(True, conflict=Stop("may-write", Span(*call.span), manager.writes))
        if manager.locks and not self._brought(run, manager.locks):
            because = f"without {manager.locks[0]} it would write one"
            return _Use(True, conflict=Stop("may-write", Span(*call.span), because))
        if manager.scripts is not None:
            stop = self._scripts(run, call, manager)
            if stop is not None:
                return _Use(True, conflict=stop)
        if self._wants(call, manager, each.path):
            each.tools.append(manager.tool)
            each.requirements = each.requirements or manager.requirements
        pinned = manager.pins and basename(each.path) == "package.json" and self._may_be_pinned(each, run, call)
        return _Use(True, pinned or manager.writes_in_place(each.path))

    def _may_be_pinned(self, each: _File, run: Run, call: Call) -> bool:
        """Whether corepack, which looks at the directories above, finds the file, and no `packageManager` in it."""
        if isinstance(call.cwd, Known) and not below(call.cwd.value, dirname(each.path)):
            return False
        path = self.from_context.path(run, each.path)
        text = self.settings.context.text(path) if path is not None else None
        try:
            return text is None or not isinstance(read_json(text).get("packageManager"), str)
        except ValueError:
            return True

    def _brought(self, run: Run, names: Sequence[str]) -> bool:
        """Whether a COPY before the RUN surely brings a file of one of these names."""
        return any(
            isinstance(source.path, Known) and not source.pattern and basename(source.path.value) in names
            for copy in self._before(run)
            for source in sources(self.facts, copy)
        )

    def _before(self, run: Run) -> Iterator[Transfer]:
        stage = self.facts.stage_of(run)
        for each in self.facts.passing(stage.lineage if stage is not None else ()):
            for instruction in each.instructions:
                if instruction is run:
                    return
                if isinstance(instruction, Transfer):
                    yield instruction

    def _scripts(self, run: Run, call: Call, manager: Manager) -> Stop | None:
        """Why the scripts that the call runs may be in the way; None if there are none, or only well-known ones."""
        name = manager.scripts or ""
        context = self.settings.context
        span = Span(*call.span)
        found = False
        for copy in self._before(run):
            if self.facts.copied_from(copy) is not None:
                continue
            for source in sources(self.facts, copy):
                if not isinstance(source.path, Known) or source.pattern or basename(source.path.value) != name:
                    continue
                if not context.at_hand:
                    because = f"it runs scripts of {name}, which is not at hand: say --context DIR"
                    return Stop("no-context", span, because)
                text = context.text(source.path.value)
                script = _unknown_script(text, name) if text is not None else "?"
                if script is not None:
                    because = f"it runs the script {script!r} of {source.path.value}, which may write to the manifests"
                    return Stop("lifecycle-script", span, because)
                found = True
        return None if found else Stop("lifecycle-script", span, f"it runs the scripts of a {name} that is not known")

    # --- what else has to be so --------------------------------------------------------------------------------------

    def _in_place(self, each: _File) -> None:
        """What a step writes is dropped with its mount: no later one may read it."""
        runs = list(each.runs.values())
        for run, in_place in runs[:-1]:
            if in_place:
                because = f"it may write to {each.path}, and a later step would not see that"
                raise Stop("may-write", run.span, because)

    def _plain_file(self, item: _Item, each: _File) -> None:
        name = basename(each.path)
        if not common.plain(each.path) or not common.plain(each.source):
            raise Stop("unknown-path", each.site.span, "such a name cannot be written plainly in a mount")
        if item.origin is None and self.settings.context.at_hand:
            kind = self.settings.context.kind(each.source)
            if kind != "file":
                what = {"directory": "a directory", "link": "a link", "other": "no file"}.get(kind or "")
                what = what or "not in the build context"
                raise Stop("not-a-file", each.site.span, f"it is {what}, and a mount would not give what COPY gives")
        elif not is_manifest(name) and not is_file_name(name) and not each.tools:
            because = "whether this is a file or a directory is not known: say --context DIR"
            raise Stop("no-context", each.site.span, because)
        if not each.tools and each.ends:
            because = f"it brings {name}, too, which no later COPY brings again"
            raise Stop("other-files", each.site.span, because)

    def _directory(self, item: _Item, each: _File) -> None:
        """The file's directory must be there without the COPY. Where it is not, the mount makes it for its RUN: enough
        in a stage that is in no image, if nobody else is in it before it is made again."""
        directory = dirname(each.path)
        if directory in DIRECTORIES or not each.visited or self._made(item, each.visited[0], directory):
            return
        because = f"{directory} is only there because of this COPY, with the owner and the mode that it gives"
        stop = Stop("directory-made-here", item.copy.span, because)
        family = [item.stage]
        for stage in family:
            family.extend(stage.derived)
        if any(stage.shipped for stage in family):
            raise stop
        if any(reader.relation != "inside" for reader in self.facts.takers(item.stage, directory)):
            raise stop
        for run in each.visited:
            calls = self.facts.calls(run)
            if id(run) in each.runs or isinstance(calls, OpaqueScript):
                continue
            for call in calls:
                inside = not isinstance(call.cwd, Known) or below(call.cwd.value, directory)
                if inside or any(
                    isinstance(effect.path, Known) and below(effect.path.value, directory)
                    for effect in self.facts.call_effects(call)
                ):
                    raise stop

    def _made(self, item: _Item, first: Run, directory: str) -> bool:
        """Whether the directory is there before the first RUN behind the COPY, made by something else."""
        facts = self.facts
        start = item.stage.lineage[0]
        if start.instructions:
            workdir = facts.state(start.instructions[0]).workdir
            if isinstance(workdir, Known) and below(workdir.value, directory) and directory != "/":
                return True
        behind = False
        for stage in facts.passing((*item.stage.lineage, *_path_to(item.stage, facts.stage_of(first)))):
            for instruction in stage.instructions:
                if instruction is first:
                    return False
                behind = behind or instruction is item.copy
                if isinstance(instruction, Workdir):
                    path = facts.effects(instruction)[0].path
                    made = isinstance(path, Known) and below(path.value, directory)
                    if made and (not behind or facts.state(instruction).user.root):
                        return True
                elif behind or id(instruction) in self.removed:
                    continue
                elif isinstance(instruction, Transfer):
                    path = destination(facts, instruction)
                    if isinstance(path, Known) and below(path.value, directory):
                        return True
                elif isinstance(instruction, Run) and self._makes(instruction, directory):
                    return True
        return False

    def _makes(self, run: Run, directory: str) -> bool:
        calls = self.facts.calls(run)
        return not isinstance(calls, OpaqueScript) and any(
            call.program == "mkdir" and not call.conditional and effect.path.value.startswith(directory)
            and below(effect.path.value, directory)
            for call in calls for effect in self.facts.call_effects(call)
            if isinstance(effect.path, Known)
        )  # fmt: skip

    def _later(self, item: _Item, each: _File) -> None:
        """Nobody may miss the file at the end of the stages, nor where a COPY of a directory takes it along."""
        if not each.lost:
            return
        facts = self.facts
        places = [_Missing(item.stage, item.copy, each.path, frozenset(stage.index for stage in each.lost))]
        for place in places:
            facts.charge(1)
            for reader in facts.readers(place.stage, place.path, place.after):
                if reader.kind == "copy" and isinstance(reader.instruction, Copy):
                    origin = facts.copied_from(reader.instruction)
                    if isinstance(origin, Stage) and origin.index not in place.lost:
                        continue
                    if reader.relation == "above":
                        places += [new for new in self._carried(item, each, reader, place.path) if new not in places]
                        continue
                elif reader.kind in ("run", "workdir", "volume") or (
                    reader.kind != "mount"
                    and (reader.stage.index not in place.lost or reader.relation in ("above", "unknown"))
                ):
                    # RUNs were looked at; a program of the image that may read anything is the risk that is told.
                    continue
                raise Stop("needed-later", reader.span, f"it may read {place.path}, which no later COPY brings again")
        for stage in each.ends:
            if stage.shipped and not each.requirements:
                whose = f"{common.image(stage)} would lose" if stage.named else "the image would lose"
                because = f"{whose} {each.path}, which programs may read when it runs"
                raise Stop("needed-later", item.copy.span, because)

    def _carried(self, item: _Item, each: _File, taker: Reader, path: str) -> Iterator[_Missing]:
        """Where a COPY of a directory that holds the file brings it. Raises Stop if a RUN misses it there."""
        if not each.requirements:
            because = f"it takes a directory with {path}, which would not be in it any more"
            raise Stop("needed-later", taker.span, because)
        facts, copy, stage = self.facts, taker.instruction, taker.stage
        if stage.instructions[facts.index_of(copy)] is not copy:
            raise Stop("onbuild", taker.span, "it runs in the builds of other files, which this one does not show")
        for new in common.copied_to(facts, taker, path):
            if not isinstance(new, Known):
                because = f"it takes a directory with {path}, and where that comes to cannot be told"
                raise Stop("needed-later", taker.span, because)
            each.carried.append(new.value)
            lost = frozenset(self._missed(item, each, taker, new.value))
            if lost:
                yield _Missing(stage, copy, new.value, lost)

    def _missed(self, item: _Item, each: _File, taker: Reader, path: str) -> Iterator[int]:
        """The stages at whose end the file is missing at `path`, to which a COPY brought it. Raises Stop for a RUN that
        may need it there before something brings it again."""
        facts = self.facts
        moved = _File(each.site, each.source, path)
        todo = [(taker.stage, facts.index_of(taker.instruction) + 1)]
        while todo:
            stage, start = todo.pop()
            for instruction in stage.instructions[start:]:
                if isinstance(instruction, Run):
                    self._not_needed(moved, instruction)
                elif isinstance(instruction, Onbuild):
                    because = "this runs in the builds of other files, and what it reads there is not known"
                    raise Stop("onbuild", instruction.span, because)
                elif not isinstance(instruction, Transfer):
                    continue
                elif lands(facts, instruction, path, each.source, item.origin) is Lands.YES:
                    break
            else:
                yield stage.index
                todo += [(derived, 0) for derived in stage.derived]

    def _not_needed(self, moved: _File, run: Run) -> None:
        """Raises Stop if a RUN may read the file, or fails without it."""
        if hiding_mount(self.facts.mounts(run), moved.path) is not None:
            return
        calls = self.facts.calls(run)
        because = f"it may need {moved.path}, which a COPY of the directory brings"
        if isinstance(calls, OpaqueScript):
            raise Stop("needed-later", Span(calls.start, calls.end), because)
        for call in calls:
            use = self._call(moved, run, call)
            cleans = call.program in common.REMOVERS and (common.is_forced(call) or call.program == "rmdir")
            if use.reads or (use.conflict is not None and not use.harmless and not cleans):
                raise Stop("needed-later", Span(*call.span), because)

    # --- mounts ------------------------------------------------------------------------------------------------------

    def stage_names(self, group: Sequence[_Item]) -> dict[Stage, str]:
        """Names for the stages that a mount has to name and that have none."""
        text = self.facts.file.text
        names: dict[Stage, str] = {}
        for item in group:
            if isinstance(item.origin, Stage) and item.origin.name is None and item.origin not in names:
                free = (f"{word}{number}" for number in ("", *range(2, 99)) for word in ("manifests", "files"))
                taken = set(names.values())
                names[item.origin] = next(n for n in free if n not in taken and not re.search(rf"\b{n}\b", text))
        return names


_COMMON = (
    "package.json", "package-lock.json", "yarn.lock", "pnpm-lock.yaml", "requirements.txt", "pyproject.toml", "uv.lock",
    "poetry.lock", "Pipfile", "Pipfile.lock", "go.mod", "go.sum", "Gemfile", "Gemfile.lock", "composer.json",
    "composer.lock", "app.csproj", "app.sln", "requirements-dev.txt",
)  # fmt: skip
"""What a pattern may stand for."""


def _name_of(source: Source) -> str:
    """The name of the file that a source is; "" if a variable decides about it."""
    if isinstance(source.path, Known):
        return basename(source.path.value)
    name = basename(source.text)
    return "" if "$" in name or "}" in name else name


def _is_pattern(source: Source) -> bool:
    return source.pattern or re.search(r"[*?\[]", _name_of(source)) is not None


def _beside(pattern: str, name: str) -> str:
    directory = dirname(pattern)
    return f"{directory}/{name}" if directory else name


def _path_to(stage: Stage, other: Stage | None) -> list[Stage]:
    """The stages between `stage` and one that is derived from it."""
    if other is None or other is stage:
        return []
    line = other.lineage
    return list(line[line.index(stage) + 1 :]) if stage in line else []


def _hits(effect: Effect, path: str) -> str:
    """How an effect meets a file: "same", "above" (a directory that holds it, or a pattern that may take it), "" if it
    does not."""
    if isinstance(effect.path, Known):
        if effect.path.value == path:
            return "same"
        return "above" if effect.extent != "exact" and below(path, effect.path.value) else ""
    if effect.extent == "exact" and effect.call is not None and effect.call.program in ("mkdir", "cd"):
        return ""
    if not path.startswith(effect.start):
        return ""
    if effect.call is not None and isinstance(effect.site, Word):
        pattern, whole = common.pattern_of(effect.call, effect.site)
        if common.reach(pattern, whole, path) is common.Reach.NONE:
            return ""
    return "above"


def _links(call: Call, effect: Effect, how: str) -> bool:
    """Whether the call makes a link to the file. (`ln` names a directory above only to link to that.)"""
    if call.program == "ln":
        node = effect.site
        pattern = isinstance(node, Word) and isinstance(effect.path, Unknown) and common.pattern_of(call, node)[1]
        return how == "same" or pattern
    return call.program == "cp" and copies_by_links(call)


_ARCHIVE = regex(r"\.(?:tar|tgz|tbz2?|txz|gz|bz2|xz|zst)\Z")


def _may_be_named(call: Call, manager: Manager, path: str) -> bool:
    """Whether the manifests may name a file that is none itself: `-r base.txt`, `-e .`, `file:local.tgz`."""
    if is_manifest(basename(path)) or not (manager.names or manager.files):
        return False
    places = [call.cwd, *manager.files]
    return any(not isinstance(place, Known) or related(dirname(path), place.value) for place in places) or any(
        isinstance(file, Known) and below(path, dirname(file.value)) for file in manager.files
    )


def _works_there(facts: Facts, call: Call) -> bool:
    """Whether it is a program that may use anything in its directory."""
    return any(
        effect.implicit and effect.extent == "unknown" and effect.mode == "read" and effect.path == call.cwd
        for effect in facts.call_effects(call)
    )


_HARMLESS_SCRIPT = regex(
    r"(?:npx |yarn |pnpm )?(?:husky(?: install)?|patch-package|only-allow (?:npm|yarn|pnpm)|is-ci|echo [\w\s'\".,:!-]*"
    r"|true|exit 0|:)"
)
_LIFECYCLE = frozenset(
    ("preinstall", "install", "postinstall", "prepublish", "preprepare", "prepare", "postprepare", "pnpm:devPreinstall",
     "pre-install-cmd", "post-install-cmd", "pre-autoload-dump", "post-autoload-dump", "pre-package-install",
     "post-package-install")
)  # fmt: skip
"""Scripts that an installation runs: npm's (docs, "scripts"), pnpm's, and composer's events."""


def _unknown_script(text: str, name: str) -> str | None:
    """The first script of an installation in a manifest that is not known to be harmless; "?" if it cannot be read."""
    try:
        scripts = read_json(text).get("scripts")
    except ValueError:
        return "?"
    for key, value in scripts.items() if isinstance(scripts, dict) else ():
        if key in _LIFECYCLE:
            parts = re.split(r"&&|\|\||;", value) if isinstance(value, str) else [""]
            if not all(_HARMLESS_SCRIPT.fullmatch(part.strip()) for part in parts):
                return str(key)
    return None


def _mount(
    facts: Facts, run: Run, item: _Item, each: _File, in_place: bool, names: Mapping[Stage, str]
) -> str:
    """The value of the mount."""
    fields = ["type=bind"]
    source = each.source
    if isinstance(item.origin, Stage):
        fields.append(f"from={item.origin.name or names[item.origin]}")
        source = f"/{source}"
    elif isinstance(item.origin, BaseImage):
        fields.append(f"from={flag_value(item.copy.flags, 'from')}")
        source = f"/{source}"
    target = each.path
    here, there = facts.state(run).workdir, facts.state(item.copy).workdir
    relative = not destination_text(item.copy).startswith(("/", "$"))
    if relative and isinstance(here, Known) and here == there and below(target, here.value):
        target = target[len(here.value.rstrip("/")) + 1 :]
    fields += [f"source={source}", f"target={target}"]
    if in_place:
        fields.append("rw")
    return ",".join(fields)


def _groups(items: Sequence[_Item]) -> list[list[_Item]]:
    """COPYs whose files one RUN reads change together, or none of them."""
    leader: dict[int, int] = {}
    groups: dict[int, list[_Item]] = {}
    for number, item in enumerate(items):
        mine = {leader[run] for run in item.runs if run in leader}
        first = min(mine, default=number)
        members = [*(member for other in sorted(mine) for member in groups.pop(other)), item]
        groups[first] = members
        for member in members:
            for run in member.runs:
                leader[run] = first
    return [groups[number] for number in sorted(groups)]
