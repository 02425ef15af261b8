"""What COPY and ADD, and bind mounts, bring from the build context, by the paths that it gets in the stage.

Source: BuildKit v0.25, dockerfile2llb/convert.go (`dispatchCopy`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from posixpath import basename, normpath

from fixer.analysis.context import BuildContext, Kind, context_sources, in_context
from fixer.analysis.facts import Facts
from fixer.analysis.mounts import hiding_mount
from fixer.analysis.stages import Stage
from fixer.analysis.transfers import DIRECTORIES, Source, destination, destination_text, is_file_name
from fixer.analysis.transfers import sources as sources_of
from fixer.analysis.values import Known, below
from fixer.text.regex import regex
from fixer.tree.nodes import Add, Copy, Instruction, Run, Transfer


class Brought:
    """The files that some COPY and ADD, and the bind mounts of some RUN, bring from the build context, by the path that
    they get in the stage."""

    def __init__(self, facts: Facts, context: BuildContext, instructions: Sequence[Transfer | Run]) -> None:
        self.context = context
        self.places: list[tuple[str, str]] = []
        """Paths in the context, with the absolute paths that they get. The later ones win."""
        for instruction in instructions:
            if isinstance(instruction, Run):
                self.places.extend(_mounted(facts, instruction))
            else:
                self.places.extend(_places(facts, context, instruction))

    def _sources(self, path: str) -> Iterator[str]:
        for source, target in reversed(self.places):
            if below(path, target):
                rest = path[len(target.rstrip("/")) + 1 :]
                yield f"{source}/{rest}".strip("/") if rest else source

    def source(self, path: str) -> str | None:
        """The path in the context of what stands at `path`; None if nothing of it stands there."""
        return next((source for source in self._sources(path) if self.context.kind(source) is not None), None)

    def kind(self, path: str) -> Kind | None:
        source = self.source(path)
        if source is not None:
            return self.context.kind(source)
        return "directory" if any(below(target, path) for _, target in self.places) else None

    def text(self, path: str) -> str | None:
        source = self.source(path)
        return None if source is None else self.context.text(source)

    def conflict(self) -> str | None:
        """A path to which two parts of the context come, one on top of the other; None if there is none. (What comes
        again, and is the same, is none.)"""
        for source, target in self.places:
            for outer, directory in self.places:
                if not below(target, directory) or (source, target) == (outer, directory):
                    continue
                there = f"{outer}/{target[len(directory.rstrip('/')) + 1 :]}".strip("/")
                if there != source and self.context.kind(there) is not None:
                    return target
        return None

    def walk(self, directory: str) -> Iterator[str]:
        """Every path below a directory of the stage that is none itself; links are not followed."""
        waiting = [directory]
        while waiting:
            here = waiting.pop()
            for name in self.names(here):
                path = f"{here.rstrip('/')}/{name}"
                if self.kind(path) == "directory":
                    waiting.append(path)
                else:
                    yield path

    def names(self, directory: str) -> list[str]:
        """What stands in a directory of the stage."""
        found: set[str] = set()
        for source in self._sources(directory):
            found.update(self.context.names(source))
        inside = directory.rstrip("/") + "/"
        found.update(target[len(inside) :].split("/")[0] for _, target in self.places if target.startswith(inside))
        return sorted(found)


class FromContext:
    """Which file of the build context a RUN finds at a path: one that a COPY or ADD before it brings, or a mount."""

    def __init__(self, facts: Facts, context: BuildContext) -> None:
        self.facts = facts
        self.context = context
        self._names: dict[int, frozenset[str | None]] = {}
        self._stages: dict[int, dict[str, list[tuple[int, str]]]] = {}
        """By the stage: where its instructions put something, with their places in it and the path in the context."""

    def path(self, run: Instruction, path: str) -> str | None:
        """The path in the context of what stands at `path`, absolute, in the file system of a RUN, or of what the image
        starts with; None if it does not come from there, as far as it is at hand."""
        stage = self.facts.stage_of(run)
        if stage is None or not self.context.at_hand:
            return None
        mount = hiding_mount(self.facts.mounts(run), path)
        if mount is not None:
            if mount.type != "bind" or mount.from_ is not None:
                return None
            if not isinstance(mount.target, Known) or not isinstance(mount.source, Known):
                return None
            return in_context(mount.source.value + path[len(mount.target.value.rstrip("/")) :])
        for put, end in self._before(run, stage):
            found = [
                (at, f"{source}{path[len(target.rstrip('/')) :]}".strip("/"))
                for target in _at_and_above(path) for at, source in put.get(target, ()) if at < end
            ]  # fmt: skip
            for _, source in sorted(found, key=lambda one: one[0], reverse=True):
                self.facts.charge(1)
                if self.context.kind(source) is not None:
                    return source
        return None

    def brings(self, stage: Stage) -> bool:
        """Whether a COPY or ADD of a stage, or of one below it, puts anything somewhere."""
        return bool(self._names_in(stage))

    def may_be_called(self, run: Instruction, stage: Stage, name: str) -> bool:
        """False if a program that is looked for by its name surely does not come from the context: nothing of that name
        is put anywhere, and no directory that may hold one. Spares most programs from being looked for."""
        names = self._names_in(stage)
        return name in names or None in names or self.context.at_hand or bool(self.facts.mounts(run))

    def _names_in(self, stage: Stage) -> frozenset[str | None]:
        """The last parts of what COPYs and ADDs of a stage and those below it take, and of where they put it; None
        where one of them does not say what it is."""
        if stage.index not in self._names:
            found: set[str | None] = set()
            for each in self.facts.passing(stage.lineage):
                for instruction in each.instructions:
                    if isinstance(instruction, Transfer):
                        found.update(map(_last_part, _words(instruction)))
            self._names[stage.index] = frozenset(found)
        return self._names[stage.index]

    def may_have_brought(self, run: Instruction, path: str, *, below: bool) -> bool:
        """Whether a COPY or ADD from a context that is not at hand says `path` itself, or, with `below`, a directory
        that it may be in."""
        stage = self.facts.stage_of(run)
        if stage is None or self.context.at_hand:
            return False
        targets = tuple(_at_and_above(path)) if below else (path,)
        return any(at < end for put, end in self._before(run, stage) for one in targets for at, _ in put.get(one, ()))

    def _before(self, run: Instruction, stage: Stage) -> Iterator[tuple[Mapping[str, Sequence[tuple[int, str]]], int]]:
        """What the stages of an instruction put somewhere, the last first, and the index in each from which on it comes
        too late; what the image starts with finds all."""
        for each in reversed(stage.lineage):
            self.facts.charge(1)
            late = self.facts.index_of(run) if each is stage and isinstance(run, Run) else len(each.instructions)
            yield self._put(each), late

    def _put(self, stage: Stage) -> Mapping[str, Sequence[tuple[int, str]]]:
        if stage.index not in self._stages:
            put = self._stages[stage.index] = {}
            self.facts.charge(len(stage.instructions))
            for at, instruction in enumerate(stage.instructions):
                if isinstance(instruction, Transfer):
                    for source, target in _places(self.facts, self.context, instruction):
                        put.setdefault(target, []).append((at, source))
        return self._stages[stage.index]


def leaves_out(facts: Facts, context: BuildContext, instruction: Transfer, path: str) -> bool:
    """Whether .dockerignore keeps from the build all that a COPY from the context could bring to `path`, absolute, and
    below."""
    apart = any(flag.name in ("parents", "exclude") for flag in instruction.flags)
    if not context.at_hand or not isinstance(instruction, Copy) or instruction.heredocs or apart:
        return False
    sources = context_sources(facts, instruction)
    if not sources or any(source.pattern or not isinstance(source.path, Known) for source in sources):
        return False
    facts.charge(len(sources))
    places = list(_places(facts, context, instruction))
    for source, target in places:
        if below(target, path):
            return False
        inside = f"{source}/{path[len(target.rstrip('/')) + 1 :]}".strip("/") if below(path, target) else ""
        if inside and (not context.excluded(inside) or context.names(inside)):
            return False
    return bool(places)


def may_put_into(facts: Facts, context: BuildContext, instruction: Transfer, directory: str) -> bool:
    """Whether a COPY or ADD may put something at `directory`, absolute, or below it: also as a part of a tree that it
    brings to a directory above. A destination that nobody knows is taken for one elsewhere."""
    target = destination(facts, instruction)
    if not isinstance(target, Known):
        return destination_text(instruction).partition("$")[0].startswith(f"{directory}/")
    if below(target.value, directory):
        return True
    if not below(directory, target.value):
        return False
    rest = directory[len(target.value.rstrip("/")) + 1 :]
    facts.charge(len(instruction.sources))
    if isinstance(instruction, Add) and _fetches_tree(instruction):
        return True
    return any(_may_hold(facts, context, instruction, each, rest) for each in sources_of(facts, instruction))


def _fetches_tree(instruction: Add) -> bool:
    """Whether an ADD gets a repository, or unpacks what it gets."""
    texts = instruction.form.values if instruction.form is not None else [leaf.value for leaf in instruction.sources]
    fetched = [text for text in texts if "://" in text or text.startswith("git@")]
    return any(flag.name == "unpack" for flag in instruction.flags) or any(
        text.partition("#")[0].strip("\"'").endswith(".git") for text in fetched
    )


_ARCHIVE = regex(r"\.(?:tar(?:\.[a-z0-9]+)?|t[gbx]z2?|tzst)\Z")
"""What ADD unpacks, by its name."""


def _may_hold(facts: Facts, context: BuildContext, instruction: Transfer, source: Source, rest: str) -> bool:
    """Whether a source may hold something at `rest`, a path seen from where its content comes to."""
    if not isinstance(source.path, Known):
        return True
    path = source.path.value
    if isinstance(instruction, Add) and _ARCHIVE.search(path):
        return True
    if any(flag.name == "parents" for flag in instruction.flags):
        return below(f"/{path}", f"/{rest}") or below(f"/{rest}", f"/{path}")
    if facts.copied_from(instruction) is None and context.at_hand:
        names = list(_matches(context, path)) if source.pattern else [path]
        seen = [name for name in names if context.kind(name) is not None]
        if seen:
            facts.charge(len(seen))
            return any(_holds(context, name, rest) for name in seen)
    return fnmatchcase(rest, basename(path)) or not _is_file(path)


def _holds(context: BuildContext, source: str, rest: str) -> bool:
    """Whether a path of the context holds `rest`, as far as its links tell."""
    if context.kind(source) != "directory" and basename(source) == rest:
        return True
    at = source
    for part in rest.split("/"):
        if context.kind(at) == "link":
            return True
        at = f"{at}/{part}".strip("/")
    return context.kind(at) is not None


_FILE = regex(r"[A-Z0-9_-]+\Z|.*(?:file|entrypoint)\Z")
_PROGRAMS = frozenset(("bin", "sbin", "release", "debug"))
"""Directories that hold programs: cargo's among them."""


def _is_file(path: str) -> bool:
    """Whether the last name of a path is one that files have, as a directory has none of an ending."""
    directory, _, name = path.rpartition("/")
    name = name.rstrip("*?")
    stem, _, ending = name.lstrip(".").rpartition(".")
    named = is_file_name(name) or _FILE.match(name) is not None or (stem and ending != "d" and not ending.isdigit())
    return bool(named) or basename(directory) in _PROGRAMS


def _words(instruction: Transfer) -> Iterator[str]:
    if instruction.form is not None:
        yield from instruction.form.values
        return
    yield from (leaf.value for leaf in instruction.sources)
    if instruction.destination is not None:
        yield instruction.destination.value


def _last_part(word: str) -> str | None:
    name = word.strip("\"'").rstrip("/").rpartition("/")[2]
    return None if any(sign in name for sign in "$*?[\\\"'") else name


def _at_and_above(path: str) -> Iterator[str]:
    yield path
    while path not in ("/", ""):
        path = path.rpartition("/")[0] or "/"
        yield path


def _mounted(facts: Facts, run: Run) -> Iterator[tuple[str, str]]:
    for mount in facts.mounts(run):
        own = mount.type == "bind" and mount.from_ is None and mount.problem is None
        if own and isinstance(mount.source, Known) and isinstance(mount.target, Known):
            yield in_context(mount.source.value), mount.target.value


def _places(facts: Facts, context: BuildContext, instruction: Transfer) -> Iterator[tuple[str, str]]:
    written = [effect.path for effect in facts.effects(instruction) if effect.mode == "write"]
    sources = context_sources(facts, instruction)
    if not written or not isinstance(written[0], Known):
        return
    target = written[0].value
    if instruction.form is not None:
        text = instruction.form.values[-1]
    else:
        text = instruction.destination.value.strip("\"'") if instruction.destination is not None else ""
    parents = any(flag.name == "parents" for flag in instruction.flags)
    names = [path for source in sources if isinstance(source.path, Known) for path in
             (_matches(context, source.path.value) if source.pattern else (source.path.value,))]  # fmt: skip
    workdir = facts.state(instruction).workdir
    there = workdir == Known(target) or target in DIRECTORIES
    into = there or len(names) > 1 or text.endswith("/") or text in (".", "..")
    for name in names:
        if parents:
            yield name, normpath(f"{target}/{name}")
        elif into and context.kind(name) != "directory":
            yield name, normpath(f"{target}/{basename(name)}")
        else:
            yield name, target


def _matches(context: BuildContext, pattern: str) -> Iterator[str]:
    """What a pattern of COPY means in the context: each part matches one name."""
    found = [""]
    for part in pattern.split("/"):
        found = [
            f"{at}/{name}".lstrip("/") for at in found for name in context.names(at) if fnmatchcase(name, part)
        ]  # fmt: skip
    yield from found
