"""Paths: what every instruction reads, writes and removes, and who reads what a mount hides.

Sound in one direction: a use that is reported may be harmless, a use that is not reported is not there, as far as a
program keeps to its places: **a program that is not known may read and write anything at or below its current
directory, a path that it names, or a directory that a variable of its trade names (`CARGO_HOME`), and may write below
the home**, and nothing else. For well-known programs their manuals say more (`fixer.analysis.programs`).
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from fixer.analysis.bases import BaseImage
from fixer.analysis.commands import Arg, Call
from fixer.analysis.mounts import Mount, hiding_mount
from fixer.analysis.opaque import REASONS
from fixer.analysis.programs import NO_CONTENT, REMOVES, Operand, program_uses
from fixer.analysis.stages import Stage, flag_value
from fixer.analysis.state import State
from fixer.analysis.values import ROOT, Known, Unknown, Value, below, clean, expand, join, known_start
from fixer.text.records import dataclass, replace
from fixer.text.regex import regex
from fixer.text.source import Span
from fixer.tree.nodes import (
    Cmd,
    Copy,
    Entrypoint,
    Env,
    Healthcheck,
    Instruction,
    JsonString,
    Leaf,
    Onbuild,
    Run,
    Transfer,
    Volume,
    Workdir,
)
from fixer.tree.shell import OpaqueScript, Word

if TYPE_CHECKING:
    from fixer.analysis.facts import Facts

Site = Leaf | Word | JsonString


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing that an instruction does to the file system of its stage.

    mode: "read", "write" or "remove".
    path: absolute and clean; Unknown if that cannot be told.
    extent: "exact" (this file or directory itself), "tree" (it and all below), "unknown" (it, or anything below it, or
        nothing). With an Unknown path and the extent "unknown" it may be anything below `start`.
    start: what the path surely begins with: `/app/` for `/app/$X`; "" if nothing is sure.
    site: the word that names the path, if it does so alone and whole.
    span: the exact text that says so.
    call: the command, in scripts. through_mount: the mount that the path lies under, which keeps it out of the layer.
    implicit: True if no word names the path: it is where the program runs, or where tools of its kind put things.
    base: the word that names the directory from which the path is meant (`tar -C DIR`), if it does so alone and whole,
        and nothing else is meant from there.
    """

    mode: str
    path: Value
    extent: str
    start: str
    site: Site | None
    span: Span
    call: Call | None = None
    through_mount: Mount | None = None
    implicit: bool = False
    base: Site | None = None


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who reads at, below or above a path.

    kind: "run", "copy" (COPY --from), "mount" (RUN --mount=from=), "cmd", "entrypoint", "healthcheck", "env",
        "workdir", "volume", "symlink" (a link that leads there).
    stage, instruction: where it stands. span: the exact text.
    path: what it reads, as a path in the asked stage; Unknown if a variable or a pattern decides.
    relation: of what it reads to the asked path: "same"; "inside" (below it); "above" (a directory that holds it);
        "unknown" (it may read it).
    site: the word that names the path, if what it reads can be re-pointed by writing another path in the place of
        `span` (the whole word; in a mount, the value of `source=`); None with a reason in `why`.
    through_mount: the reader's own mount through which it sees the path: it does not read the layer.
    call: the command, in scripts. base: as in `Effect`; a reader with one has no site.
    """

    kind: str
    stage: Stage
    instruction: Instruction
    span: Span
    path: Value
    relation: str
    site: Site | None
    why: str | None = None
    through_mount: Mount | None = None
    call: Call | None = None
    base: Site | None = None


@dataclass(frozen=True, slots=True)
class Writer:
    """Somebody who may have put, changed or removed something at, below or above a path; fields as in `Reader`.

    kind: "run", "copy" (COPY and ADD), "workdir" (which makes the directory), "base" (the base image, whose content
        nobody knows; its instruction is the FROM).
    mode: "write" or "remove". content: False if it can only make empty directories, or change modes and owners.
    """

    kind: str
    mode: str
    stage: Stage
    instruction: Instruction
    span: Span
    path: Value
    relation: str
    content: bool = True
    through_mount: Mount | None = None
    call: Call | None = None


# --- effects of one instruction --------------------------------------------------------------------------------------


def effects_of(facts: Facts, instruction: Instruction) -> tuple[Effect, ...]:
    """What `instruction` reads, writes and removes in the file system of its stage, in the order of the text. What COPY
    takes from the context or another stage is not in it (see `readers`)."""
    if isinstance(instruction, Onbuild) or facts.stage_of(instruction) is None:
        return ()
    if isinstance(instruction, Run):
        mounts = facts.mounts(instruction)
        return tuple(_behind(effect, mounts) for effect in _call_effects(facts, instruction))
    if isinstance(instruction, Cmd | Entrypoint | Healthcheck):
        return tuple(_call_effects(facts, instruction))
    state = facts.state(instruction)
    if isinstance(instruction, Transfer):
        return tuple(_transfer_effects(instruction, state, facts.file.escape))
    if isinstance(instruction, Workdir):
        path = facts.workdir_after(instruction)
        return (Effect("write", path, "exact", _start(path), instruction.argument, instruction.argument.span),)
    if isinstance(instruction, Volume):
        return tuple(
            Effect("read", path, "tree", _start(path), None, _volume_span(instruction))
            for path in facts.volume_paths(instruction)
        )
    return ()


def _behind(effect: Effect, mounts: tuple[Mount, ...]) -> Effect:
    if not mounts or not effect.start:
        return effect
    known = effect.path.value if isinstance(effect.path, Known) else clean(effect.start)
    mount = hiding_mount(mounts, known)
    if mount is None:
        return effect
    return replace(effect, through_mount=mount)


def _start(path: Value) -> str:
    return path.value if isinstance(path, Known) else ""


def _volume_span(volume: Volume) -> Span:
    if volume.form is not None:
        return volume.form.span
    return Span(volume.paths[0].span.start, volume.paths[-1].span.end)


def _transfer_effects(instruction: Transfer, state: State, escape: str) -> Iterator[Effect]:
    if instruction.form is not None:
        items = instruction.form.items
        if not items:
            return
        target: Leaf | JsonString = items[-1]
        text, span = items[-1].value, items[-1].string.span
        several = len(items) > 2
    else:
        if instruction.destination is None:
            return
        target, text, span = instruction.destination, instruction.destination.value, instruction.destination.span
        several = len(instruction.sources) > 1
    value = expand(text, state.lookup, escape)
    path = join(state.workdir, value)
    directory = several or (isinstance(value, Known) and value.value.endswith(("/", "/.", ".")))
    # A directory that is copied puts its content there, a file may become the path itself.
    yield Effect(
        "write", path, "tree" if directory or isinstance(path, Known) else "unknown", _start(path), target, span
    )


def _call_effects(facts: Facts, instruction: Instruction) -> Iterator[Effect]:
    calls = facts.calls(instruction)
    if isinstance(calls, OpaqueScript):
        span = Span(calls.start, calls.end)
        yield Effect("read", Unknown("a script that is not understood"), "unknown", "", None, span)
        yield Effect("write", Unknown("a script that is not understood"), "unknown", "", None, span)
        return
    for call in calls:
        yield from facts.call_effects(call)


def call_effects(call: Call) -> Iterator[Effect]:
    """What one command does."""
    uses = program_uses(call)
    span = Span(*call.span)
    for operand in uses.operands:
        yield from _operand_effects(call, operand)
    if uses.anything:
        for mode in ("read", "write"):
            yield Effect(mode, call.cwd, "unknown", _start(call.cwd), None, span, call, None, True)
    for path in uses.writes:
        yield Effect("write", Known(path), "unknown", path, None, span, call, None, True)
    for redirect in call.redirects:
        if redirect.op.startswith("<<") or redirect.op in (">&", "<&"):
            continue
        mode = "read" if redirect.op == "<" else "write"
        yield from _operand_effects(call, Operand(redirect.target, mode, "exact"))


def _operand_effects(call: Call, operand: Operand) -> Iterator[Effect]:
    value = call.shell_value(operand.node) if operand.value is None else operand.value
    path = join(call.cwd, value)
    whole = operand.value is None
    span = Span(*_span(operand.node))
    if isinstance(path, Known):
        if not path.value.startswith(("/dev/", "/proc/")):
            site = operand.node if whole else None
            implicit = not whole and bool(call.nodes) and operand.node is call.nodes[0]
            yield Effect(operand.mode, path, operand.extent, path.value, site, span, call, None, implicit, operand.base)
        return
    start = known_start(call.cwd, call.prefix(operand.node)[0]) if whole else ""
    yield Effect(operand.mode, path, "unknown", start, operand.node if whole else None, span, call)


def _span(node: Arg) -> tuple[int, int]:
    if isinstance(node, JsonString):
        return node.string.start, node.string.span.end
    return node.start, node.end


# --- readers ---------------------------------------------------------------------------------------------------------


def relation(path: str, asked: str) -> str | None:
    """Of `path` to `asked`: "same", "inside", "above"; None if they have nothing to do with each other."""
    if path == asked:
        return "same"
    if below(path, asked):
        return "inside"
    return "above" if below(asked, path) else None


class _Search:
    """One question: who reads `asked`, or a path that a symbolic link makes of it."""

    def __init__(self, facts: Facts, stage: Stage, asked: str, naming: tuple[str, ...] = ()) -> None:
        self.facts = facts
        self.stage = stage
        self.asked = asked
        self.naming = naming
        self.names: dict[str, str] = {asked: asked}
        """Paths under which `asked`, or a part of it, is seen, and what they stand for."""
        self.sorted: list[str] = [asked]
        self.found: list[Reader] = []

    def alias(self, name: str, stands_for: str) -> None:
        self.names[name] = stands_for

    def close(self) -> None:
        """All names are known; from here on they can be searched."""
        self.sorted = sorted(self.names)

    def named(self, path: str) -> tuple[str, str] | None:
        """The name that is `path` or lies above it, and the path that it stands for, with the rest of `path`."""
        if len(self.names) == 1:
            return (self.asked, clean(self.asked + path[len(self.asked) :])) if below(path, self.asked) else None
        at = path
        while True:
            stands_for = self.names.get(at)
            if stands_for is not None:
                return at, clean(stands_for + path[len(at) :])
            if at in ("/", ""):
                return None
            at = at.rpartition("/")[0] or "/"

    def begins(self, start: str) -> bool:
        """Whether a name begins with `start`."""
        index = bisect_left(self.sorted, start)
        return index < len(self.sorted) and self.sorted[index].startswith(start)

    def relation(self, path: Value, start: str, extent: str) -> tuple[str, Value] | None:
        """The relation of a use to the asked path, and its path there."""
        if isinstance(path, Unknown):
            if not start:
                return "unknown", path
            if self.named(clean(start)) is not None and (start.endswith("/") or clean(start) not in self.names):
                return "inside", path
            return ("unknown", path) if self.begins(start) or clean(start) in self.names else None
        found = self.named(path.value)
        if found is not None:
            seen = Known(found[1], path.args)
            how = relation(seen.value, self.asked) or "unknown"
            return ("unknown" if extent == "unknown" and how == "above" else how), seen
        if extent == "exact":
            return None
        if path.value == "/" or self.begins(path.value + "/"):
            return ("unknown" if extent == "unknown" else "above"), path
        return None

    def add(self, reader: Reader) -> None:
        self.found.append(reader)


def find_readers(
    facts: Facts, stage: Stage, path: str, after: Instruction | None, naming: tuple[str, ...] = ()
) -> tuple[Reader, ...]:
    """Everybody who reads at, below or above `path` of the stage's file system after `after` (None: from its start), in
    the order of the text. See `Facts.readers`."""
    search = _Search(facts, stage, clean(path), naming)
    first = facts.index_of(after) + 1 if after is not None else 0
    family = _family(stage)
    _links(search, family, first)
    search.close()
    members = set(family)
    foreign = set(_takers(facts, stage, family))
    for each in sorted(members | foreign, key=lambda each: each.index):
        if each in members:
            _stage_readers(search, each, first if each is stage else 0)
        if each in foreign:
            _foreign_readers(search, each, members)
    _image_readers(search, family)
    unique: dict[tuple[int, int, int, str], Reader] = {}
    for reader in search.found:
        unique.setdefault((id(reader.instruction), reader.span.start, reader.span.end, str(reader.path)), reader)
    return tuple(sorted(unique.values(), key=lambda r: (r.instruction.keyword.start, r.span.start)))


def find_takers(facts: Facts, stage: Stage, path: str) -> tuple[Reader, ...]:
    """Those of `find_readers` that take files out of the stage, or one derived from it, into another: COPY --from and
    RUN --mount=from=. See `Facts.takers`."""
    family = _family(stage)
    facts.charge(len(family))
    members = set(family)
    takers = _takers(facts, stage, family)
    if not takers:
        return ()
    search = _Search(facts, stage, clean(path))
    _links(search, family, 0)
    search.close()
    for each in takers:
        _foreign_readers(search, each, members)
    return tuple(search.found)


def _takers(facts: Facts, stage: Stage, family: Sequence[Stage]) -> list[Stage]:
    """The stages behind `stage` in which a COPY or a mount takes from one of its family, in order."""
    found = {taker for each in family for taker in facts.takers_from(each) if taker.index > stage.index}
    return sorted(found, key=lambda each: each.index)


def sources_of(facts: Facts, stage: Stage) -> Iterator[Stage]:
    """The stages that a COPY or a mount of `stage`, or of a trigger that it runs, takes from."""
    for outer in (*stage.instructions, *stage.triggers):
        instruction = outer.inner if isinstance(outer, Onbuild) else outer
        if isinstance(instruction, Copy):
            source = facts.copied_from(instruction)
            if isinstance(source, Stage):
                yield source
        elif isinstance(instruction, Run):
            for mount in facts.mounts(instruction):
                if isinstance(mount.stage, Stage):
                    yield mount.stage


def _family(stage: Stage) -> list[Stage]:
    """The stage and all that are derived from it."""
    out = [stage]
    for each in out:
        out.extend(each.derived)
    return out


def _stage_readers(search: _Search, stage: Stage, first: int) -> None:
    """RUNs, WORKDIR, VOLUME and triggers of a stage that has the path in its file system."""
    facts = search.facts
    facts.charge(len(stage.instructions) + 1)
    for index, instruction in enumerate(stage.instructions):
        if isinstance(instruction, Env):
            _env_reader(search, stage, instruction)
        if index < first:
            continue
        if isinstance(instruction, Run):
            _run_readers(search, stage, instruction)
        elif isinstance(instruction, Workdir):
            path = facts.workdir_after(instruction)
            _reader(search, "workdir", stage, instruction, path, "exact", _start(path), None, instruction.argument.span,
                    "WORKDIR makes the directory, and the image starts in it")  # fmt: skip
        elif isinstance(instruction, Volume):
            span = _volume_span(instruction)
            for path in facts.volume_paths(instruction):
                _reader(search, "volume", stage, instruction, path, "tree", _start(path), None, span,
                        "a volume is filled from the image")  # fmt: skip
        elif isinstance(instruction, Onbuild):
            _trigger_readers(search, stage, instruction)


def _trigger_readers(search: _Search, stage: Stage, onbuild: Onbuild) -> None:
    """Triggers run in stages that start from this one, in this file or in another."""
    before = len(search.found)
    inner = onbuild.inner
    if isinstance(inner, Run):
        _run_readers(search, stage, inner)
    elif isinstance(inner, Workdir):
        path = search.facts.workdir_after(inner)
        _reader(
            search, "workdir", stage, inner, path, "exact", _start(path), None, inner.argument.span, "in a trigger"
        )
    search.found[before:] = [
        Reader(r.kind, r.stage, r.instruction, r.span, r.path, r.relation, None, "it stands in a trigger of ONBUILD",
               r.through_mount, r.call)
        for r in search.found[before:]
    ]  # fmt: skip


def _run_readers(search: _Search, stage: Stage, run: Run) -> None:
    facts = search.facts
    if search.naming and not facts.may_name(run, search.naming):
        return
    mounts = facts.mounts(run)
    calls = facts.calls(run)
    if isinstance(calls, OpaqueScript):
        span = Span(calls.start, calls.end)
        reader = Reader(
            "run", stage, run, span, Unknown("a script that is not understood"), "unknown", None,
            f"the script is not understood: {REASONS.get(calls.why, calls.why)}",
            hiding_mount(mounts, search.asked), None,
        )  # fmt: skip
        search.add(reader)
        return
    facts.charge(len(calls))
    for call in calls:
        _call_readers(search, "run", stage, run, call, mounts)


def _call_readers(
    search: _Search, kind: str, stage: Stage, instruction: Instruction, call: Call, mounts: tuple[Mount, ...]
) -> None:
    for effect in search.facts.call_effects(call):
        if effect.mode != "read" or search.relation(effect.path, effect.start, effect.extent) is None:
            continue
        why = None
        if effect.site is None:
            name = call.program or "a program"
            why = f"{name} may read anything in its directory"
            if isinstance(effect.path, Known) and not effect.implicit:
                why = f"another word tells {name} where it is, and more than this may be meant by that"
        _reader(
            search, kind, stage, instruction, effect.path, effect.extent, effect.start, effect.site, effect.span, why,
            mounts, call, effect.implicit, effect.base,
        )  # fmt: skip
    _mentions(search, kind, stage, instruction, call, mounts)


def _mentions(
    search: _Search, kind: str, stage: Stage, instruction: Instruction, call: Call, mounts: tuple[Mount, ...]
) -> None:
    """The path inside longer words and texts: `-L/app/target/lib`, `PATH=/app/target/release:$PATH`, printed text."""
    for node, part in search.facts.call_mentions(call):
        if (found := search.named(part)) is not None:
            path = Known(found[1])
            how = relation(path.value, search.asked) or "unknown"
            search.add(Reader(
                kind, stage, instruction, Span(*_span(node)), path, how, None, "it is a part of a longer word",
                hiding_mount(mounts, search.asked), call,
            ))  # fmt: skip


def call_mentions(call: Call) -> Iterator[tuple[Arg, str]]:
    """The words of a call with the paths that stand in them, but those that are a path as a whole."""
    nodes: list[Arg] = [] if call.program in REMOVES else list(call.nodes)
    if call.simple is not None:
        nodes.extend(word for assignment in call.simple.assignments for word in assignment.values)
    for node in nodes:
        text = node.value if isinstance(node, JsonString) else node.text
        if "/" not in text:
            continue
        start, whole = call.prefix(node)
        for part in _paths_in(start):
            if not whole or clean(start) != part:
                yield node, part


_CUT = regex(r"[\s=:,;@'\"()\[\]{}<>|&`]+|(?<=-[A-Za-z])(?=/)")


def _paths_in(text: str) -> list[str]:
    """The absolute paths in a text, clean."""
    return [clean(part) for part in _CUT.split(text) if part.startswith("/") and len(part) > 1]


def _reader(
    search: _Search, kind: str, stage: Stage, instruction: Instruction, path: Value, extent: str, start: str,
    site: Site | None, span: Span, why: str | None = None, mounts: Sequence[Mount] = (), call: Call | None = None,
    implicit: bool = False, base: Site | None = None,
) -> None:  # fmt: skip
    found = search.relation(path, start, extent)
    if found is None:
        return
    how, seen = found
    if implicit and extent == "unknown":
        how = "unknown"
    if site is not None and isinstance(path, Unknown):
        why = path.why
        if "pattern" in why or "braces" in why or "several" in why:
            site = None
    if isinstance(path, Known) and seen != path:
        why = f"through the symbolic link that makes it {path.value}"
    mount = hiding_mount(tuple(mounts), search.asked)
    if mount is None and isinstance(seen, Known) and how in ("same", "inside"):
        mount = hiding_mount(tuple(mounts), seen.value)
    if site is not None and how in ("above", "unknown"):
        site, why = None, why or "it takes more than this path"
    if seen != path or how in ("above", "unknown"):
        base = None
    search.add(Reader(kind, stage, instruction, span, seen, how, site, why, mount, call, base))


def _env_reader(search: _Search, stage: Stage, instruction: Env) -> None:
    state = search.facts.state(instruction)
    for pair in instruction.pairs:
        if pair.value is None:
            continue
        value = expand(pair.value.value, state.lookup, search.facts.file.escape)
        # A text with a variable that nobody knows still shows its fixed parts.
        text = value.value if isinstance(value, Known) else pair.value.value
        if "/" not in text:
            continue
        whole = clean(text) if text.startswith("/") else ""
        for part in _paths_in(text):
            found = search.named(part)
            if found is None:
                continue
            path = Known(found[1])
            how = relation(path.value, search.asked) or "unknown"
            site = pair.value if part == whole else None
            why = None if site is not None else f"it is a part of ${pair.key.value}"
            search.add(Reader("env", stage, instruction, pair.value.span, path, how, site, why))


def _foreign_readers(search: _Search, stage: Stage, family: set[Stage]) -> None:
    """COPY --from and RUN --mount=from= of a stage that take from the path's stage or one derived from it."""
    facts = search.facts
    facts.charge(len(stage.instructions) + 1)
    for outer in stage.instructions:
        instruction = outer.inner if isinstance(outer, Onbuild) else outer
        trigger = "it stands in a trigger of ONBUILD" if isinstance(outer, Onbuild) else None
        if isinstance(instruction, Copy):
            source = facts.copied_from(instruction)
            if isinstance(source, Stage) and source in family:
                _copy_readers(search, stage, instruction, trigger)
        elif isinstance(instruction, Run):
            for mount in facts.mounts(instruction):
                if not isinstance(mount.stage, Stage) or mount.stage not in family:
                    continue
                span, site = _source_of(facts, mount)
                why = trigger or (None if site is not None else "the mount's source cannot be found in its text")
                _reader(
                    search, "mount", stage, instruction, mount.source, "tree", _start(mount.source),
                    site if why is None else None, span, why,
                )  # fmt: skip
                _readers_behind(search, stage, instruction, mount)
    for trigger_of_base in stage.triggers:
        inner = trigger_of_base.inner
        if isinstance(inner, Copy) and isinstance(s := facts.copied_from(inner), Stage) and s in family:
            _copy_readers(search, stage, inner, "it stands in a trigger of ONBUILD")


def _readers_behind(search: _Search, stage: Stage, run: Run, mount: Mount) -> None:
    """What the commands of `run` name below a mount of a directory that holds the asked path. (A mount of the path
    itself, or of something in it, is a reader of its own.)"""
    if isinstance(mount.source, Known) and search.named(mount.source.value) is not None:
        return
    calls = search.facts.calls(run)
    if isinstance(calls, OpaqueScript) or not isinstance(mount.target, Known) or not isinstance(mount.source, Known):
        return
    mounts = search.facts.mounts(run)
    why = "it is found through a mount of a directory of that stage"
    for call in calls:
        for effect in search.facts.call_effects(call):
            # A pattern, or a variable, behind a path that is known: `cp /build/out/*.so /usr/lib/`.
            path = effect.path.value if isinstance(effect.path, Known) else effect.start.rpartition("/")[0]
            if effect.mode != "read" or not path or effect.implicit or hiding_mount(mounts, path) is not mount:
                continue
            found = search.named(clean(f"{mount.source.value}/{path[len(mount.target.value):]}"))
            if found is None:
                continue
            seen: Value = Known(found[1], effect.path.args) if isinstance(effect.path, Known) else effect.path
            how = relation(seen.value, search.asked) if isinstance(seen, Known) else "inside"
            search.add(Reader("mount", stage, run, effect.span, seen, how or "unknown", None, why, None, call))


def _source_of(facts: Facts, mount: Mount) -> tuple[Span, Leaf | None]:
    """The text of a mount's source in its flag."""
    leaf = mount.flag.word
    for key in ("source=", "src="):
        at = leaf.text.lower().find(key)
        if at >= 0 and leaf.text.lower().find(key, at + 1) < 0:
            start = at + len(key)
            end = min((i for i in (leaf.text.find(",", start), len(leaf.text)) if i >= 0), default=start)
            return Span(leaf.start + start, leaf.start + end), leaf
    return leaf.span, None


def _copy_readers(search: _Search, stage: Stage, instruction: Copy, trigger: str | None) -> None:
    facts = search.facts
    state = facts.state(instruction)
    parents = flag_value(instruction.flags, "parents") is not None
    sources: list[tuple[Leaf | JsonString, str, Span]]
    if instruction.form is not None:
        sources = [(item, item.value, item.string.span) for item in instruction.form.items[:-1]]
    else:
        sources = [(leaf, leaf.value, leaf.span) for leaf in instruction.sources]
    for site, text, span in sources:
        value = expand(text, state.lookup, facts.file.escape)
        why = trigger
        usable: Site | None = site if trigger is None else None
        if parents:
            usable, why = None, "COPY --parents keeps the path"
        if isinstance(value, Known) and re.search(r"[*?\[]", value.value):
            start = "/" + re.split(r"[*?\[]", value.value, maxsplit=1)[0].lstrip("/")
            pattern = Unknown(f"a pattern: {value.value}")
            _reader(search, "copy", stage, instruction, pattern, "tree", start, None, span, "it is a pattern")
            continue
        path = join(ROOT, value)
        start = _start(path)
        if isinstance(path, Unknown):
            start = "/" + _literal_start(text).lstrip("/")
        _reader(search, "copy", stage, instruction, path, "tree", start, usable, span, why)


def _literal_start(text: str) -> str:
    return re.split(r"[$\\\"'`]", text.strip("\"'"), maxsplit=1)[0]


_InForce = dict[type[Instruction], Instruction]


def _image_readers(search: _Search, family: Sequence[Stage]) -> None:
    """CMD, ENTRYPOINT and HEALTHCHECK that are in force in the images of the stages."""
    in_force: dict[Stage, _InForce] = {}
    for stage in (*family[0].lineage[:-1], *family):
        search.facts.charge(len(stage.instructions) + 1)
        mine = dict(in_force[stage.base]) if isinstance(stage.base, Stage) else {}
        for instruction in stage.instructions:
            if isinstance(instruction, Cmd | Entrypoint | Healthcheck):
                mine[type(instruction)] = instruction
        in_force[stage] = mine
    for stage in family:
        _commands_in_force(search, stage, in_force[stage])


def _commands_in_force(search: _Search, stage: Stage, effective: _InForce) -> None:
    facts = search.facts
    for instruction in effective.values():
        kind = type(instruction).__name__.lower()
        calls = facts.image_calls(instruction, stage)
        if isinstance(calls, OpaqueScript):
            span = Span(calls.start, calls.end)
            search.add(Reader(
                kind, stage, instruction, span, Unknown("a script that is not understood"), "unknown", None,
                f"the script is not understood: {REASONS.get(calls.why, calls.why)}",
            ))  # fmt: skip
            continue
        for call in calls:
            _call_readers(search, kind, stage, instruction, call, ())


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link that a RUN makes: `target` is what it leads to, `name` where it is, both absolute; `node` the
    target's word."""

    stage: Stage
    index: int
    run: Run
    call: Call
    target: str
    name: str
    node: Arg


def links_of(facts: Facts) -> Iterator[Link]:
    """The links of a file whose target and place are known, stage by stage."""
    text = facts.file.text
    for stage in facts.stages:
        facts.charge(len(stage.instructions) + 1)
        for index, instruction in enumerate(stage.instructions):
            if not isinstance(instruction, Run) or "ln" not in text[slice(*instruction.span)]:
                continue
            calls = facts.calls(instruction)
            for call in () if isinstance(calls, OpaqueScript) else calls:
                link = _link(call) if call.program == "ln" else None
                if link is not None:
                    yield Link(stage, index, instruction, call, *link)


def _links(search: _Search, family: Sequence[Stage], first: int) -> None:
    """Symbolic links into the path: names under which it is seen; and those that were made before or in the same RUN
    are readers themselves, since they lead there for everybody after."""
    facts = search.facts
    stage = family[0]
    there = {*stage.lineage, *family}
    facts.charge(len(facts.links))
    for link in facts.links:
        how = relation(link.target, search.asked) if link.stage in there else None
        if how is None or below(link.name, search.asked):
            continue
        if how == "above":
            search.alias(clean(link.name + search.asked[len(link.target) :]), search.asked)
        else:
            search.alias(link.name, link.target)
        if how != "above" and (link.stage is not stage or link.index < first):
            # In an image the link stays, and leads to what a mount of this step does not leave there.
            mounts = facts.mounts(link.run)
            mount = hiding_mount(mounts, link.name if link.stage.shipped else link.target)
            hidden = hiding_mount(mounts, link.target) is not None
            why = "the link is made while the mount is there" if hidden else None
            search.add(Reader(
                "symlink", link.stage, link.run, Span(*_span(link.node)), Known(link.target), how,
                None if hidden else link.node, why, mount, link.call,
            ))  # fmt: skip


def _link(call: Call) -> tuple[str, str, Arg] | None:
    """Target, name and the target's word of an `ln -s target name`."""
    symbolic = False
    operands: list[tuple[Value, Arg]] = []
    into: Value | None = None
    for word, node in list(zip(call.words, call.nodes, strict=False))[1:]:
        if isinstance(word, Known) and word.value.startswith("-"):
            symbolic = (
                symbolic or word.value == "--symbolic" or ("s" in word.value and not word.value.startswith("--"))
            )
            continue
        operands.append((word, node))
    if not symbolic or not operands or len(operands) > 2:
        return None
    target, node = operands[0]
    if not isinstance(target, Known):
        return None
    name = join(call.cwd, operands[1][0] if len(operands) == 2 else Known("."))
    if not isinstance(name, Known) or into is not None:
        return None
    given = operands[1][0] if len(operands) == 2 else Known(".")
    base = target.value.rstrip("/").rpartition("/")[2]
    if isinstance(given, Known) and (given.value.endswith(("/", "/.")) or given.value in (".", "..")):
        name = Known(clean(f"{name.value}/{base}"))
    parent = name.value.rpartition("/")[0] or "/"
    absolute = join(Known(parent), target)
    return (absolute.value, name.value, node) if isinstance(absolute, Known) else None


# --- writers ---------------------------------------------------------------------------------------------------------


def find_writers(
    facts: Facts, stage: Stage, path: str, before: Instruction | None, after: Instruction | None = None
) -> tuple[Writer, ...]:
    """Everybody who may have written or removed at, below or above `path` before `before` (None: up to the stage's
    end) and after `after` (None: from the base image on), in the order of the text. See `Facts.writers`."""
    asked = clean(path)
    search = _Search(facts, stage, asked)
    out: list[Writer] = []
    root = stage.root
    bottom = stage.lineage[0]
    start = after.keyword.start if after is not None else -1
    if after is None and not _surely_absent(root, asked):
        out.append(Writer(
            "base", "write", bottom, bottom.from_, bottom.from_.image.span, Known(asked), "unknown",
        ))  # fmt: skip
    last = facts.index_of(before) if before is not None else len(stage.instructions)
    for each in stage.lineage:
        facts.charge(len(each.instructions) // (1 if after is None else 20) + 1)
        for index, instruction in enumerate(each.instructions):
            if each is stage and index >= last:
                break
            if instruction.keyword.start <= start:
                continue
            _instruction_writers(search, each, instruction, out)
    return tuple(out)


def _instruction_writers(search: _Search, stage: Stage, instruction: Instruction, out: list[Writer]) -> None:
    kind = "run"
    if isinstance(instruction, Transfer):
        kind = "copy"
    elif isinstance(instruction, Workdir):
        kind = "workdir"
    elif not isinstance(instruction, Run):
        return
    effects = effects_of(search.facts, instruction)
    search.facts.charge(len(effects))
    for effect in effects:
        if effect.mode == "read":
            continue
        found = search.relation(effect.path, effect.start, effect.extent)
        if found is None:
            continue
        how, seen = found
        if effect.implicit and effect.extent == "unknown":
            how = "unknown"
        if kind == "workdir" and how == "above":
            continue
        content = kind != "workdir" and not (effect.call is not None and effect.call.program in NO_CONTENT)
        out.append(Writer(
            kind, effect.mode, stage, instruction, effect.span, seen, how, content, effect.through_mount, effect.call
        ))  # fmt: skip


_EMPTY_PLACES = ("/app", "/src", "/work", "/workspace", "/build", "/code", "/project", "/usr/src/app", "/target",
                 "/out", "/root/.cache", "/artifacts")  # fmt: skip
"""Directories that operating systems and language images do not have."""


_TOPS = frozenset(
    ("bin", "boot", "data", "dev", "docker-entrypoint-initdb.d", "docker-entrypoint.d", "etc", "go", "home", "lib",
     "lib32", "lib64", "libx32", "lost+found", "media", "mnt", "nix", "opt", "proc", "root", "run", "sbin", "snap",
     "srv", "sys", "tmp", "usr", "var")
)  # fmt: skip
"""What such images have at the top."""


def _surely_absent(base: BaseImage | Unknown, path: str) -> bool:
    if isinstance(base, Unknown) or not base.known or base.own:
        return False
    if base.family == "scratch":
        return True
    if base.complete:
        return any(below(path, place) for place in _EMPTY_PLACES) or path.split("/")[1] not in _TOPS
    # Of an official image of which not all variables are known it is known where it works.
    own = base.workdir.value if isinstance(base.workdir, Known) else path
    if "/" in base.name or (own != "/" and below(path, own)):
        return False
    return any(below(path, place) for place in _EMPTY_PLACES)
