"""The Dockerfiles that use a .dockerignore: what of the context they bring into which stage, and what is made there.

For dockerignore, which adds a line only if all of them can do without what it leaves out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cached_property, lru_cache
from posixpath import basename, dirname

from fixer.analysis import Call, Facts, Known, Stage, TooMuchWorkError, below, clean
from fixer.analysis.context import BuildContext, ContextSource, all_context_sources
from fixer.analysis.dockerignore import Ignore, IgnoreTrouble, parse_ignore
from fixer.analysis.documents import Neighbour, Use
from fixer.analysis.leftovers import Made, made_by, words_of
from fixer.analysis.stages import flag_value
from fixer.text.data import read_json
from fixer.text.globs import Glob, NotFollowedError, whole
from fixer.text.records import dataclass
from fixer.tree.nodes import Instruction, Onbuild, Run
from fixer.tree.shell import OpaqueScript

NOTHING = Ignore("", ())
MOST_PATHS = 20_000
"""So many paths of a context are looked at."""


@dataclass(frozen=True, slots=True)
class Brought:
    """A directory of the context whose content an instruction puts into its stage, or mounts there.

    source: its path in the context. target: where the content is, absolute; None if that is not known.
    site: the word that says so. excludes: what `--exclude` leaves out of it.
    """

    stage: Stage
    instruction: Instruction
    source: str
    target: str | None
    site: object = None
    excludes: Ignore = NOTHING

    def takes(self, path: str) -> bool:
        """Whether `path` of the context, or something in it, is taken along."""
        inside = path[len(self.source) :].strip("/")
        return below(f"/{path}", f"/{self.source}") and not self.excludes.excludes(inside)

    def place(self, path: str) -> str | None:
        """Where `path` of the context, which is below the source, is in the stage."""
        return None if self.target is None else clean(f"{self.target}/{path[len(self.source) :]}")


@dataclass(frozen=True, slots=True)
class Making:
    """A call that makes a directory, and where it stands."""

    stage: Stage
    instruction: Instruction
    made: Made
    place: tuple[int, int, int]
    """Compares with that of other calls in the stage and those below it."""


class User:
    """A Dockerfile for whose builds the .dockerignore is in force, or may be."""

    def __init__(self, neighbour: Neighbour, facts: Facts, *, certain: bool) -> None:
        self.path = neighbour.path
        self.facts = facts
        self.context: BuildContext = neighbour.context
        self._neighbour = neighbour
        self.certain = certain
        """Whether its context is surely the one that the .dockerignore is about."""
        self._scripts: dict[str, Mapping[str, str]] = {}

    @cached_property
    def sources(self) -> tuple[ContextSource, ...]:
        """Everything that it takes from the context."""
        return all_context_sources(self.facts)

    @cached_property
    def brought(self) -> tuple[Brought, ...]:
        """The directories that it takes from the context, in the order of the text."""
        found = []
        for source in self.sources:
            stage = self.facts.stage_of(source.instruction)
            if stage is None or source.pattern or not isinstance(source.path, Known):
                continue
            if source.path.value == "" or self.context.kind(source.path.value) == "directory":
                target = _target(self.facts, source)
                left = _excludes(source.instruction)
                found.append(Brought(stage, source.instruction, source.path.value, target, source.site, left))
        return tuple(found)

    @cached_property
    def makings(self) -> tuple[Making, ...]:
        """The calls of build tools, in the order of the text."""
        found = []
        for stage, instruction, call in self.calls:
            for made in made_by(call, lambda project, stage=stage: self._scripts_of(stage, project)):  # type: ignore[misc]
                found.append(Making(stage, instruction, made, place_of(self.facts, stage, instruction, call)))
        return tuple(found)

    @cached_property
    def calls(self) -> tuple[tuple[Stage, Run, Call], ...]:
        """The commands of all RUNs that are understood."""
        return tuple(
            (stage, instruction, call)
            for stage in self.facts.stages
            for instruction in stage.instructions
            if isinstance(instruction, Run)
            for call in self._calls(instruction)
        )

    def _calls(self, run: Run) -> Sequence[Call]:
        calls = self.facts.calls(run)
        return () if isinstance(calls, OpaqueScript) else calls

    def opaque(self) -> Iterator[Instruction]:
        """The instructions with a script that is not understood."""
        for stage in self.facts.stages:
            for outer in stage.instructions:
                instruction = outer.inner if isinstance(outer, Onbuild) else outer
                if isinstance(self.facts.calls(instruction), OpaqueScript):
                    yield instruction

    def in_context(self, stage: Stage, directory: str) -> Iterator[tuple[Brought, str]]:
        """Which directories of the context are seen as `directory` in a stage, with what brings them there."""
        for brought in self.brought:
            if brought.stage in stage.lineage and brought.target is not None and below(directory, brought.target):
                rest = directory[len(brought.target) :].strip("/")
                yield brought, f"{brought.source}/{rest}".strip("/")

    def leaves(self, making: Making, place: str, inner: str = "") -> bool:
        """Whether what the call makes at `place`, or in it at `inner`, is in the layer afterwards: not in a mount."""
        path = clean(f"{place}/{inner}")
        hidden = any(mount.covers(path) is not False for mount in self.facts.mounts(making.instruction))
        return not hidden and self.makes(making, place)

    def surely(self, making: Making) -> bool:
        """Whether the call runs in every build, and its failure is that of the build; it has what it fetches."""
        call = making.made.call
        if call.conditional or not call.fatal:
            return False
        run = making.instruction
        offline = isinstance(run, Run) and flag_value(run.flags, "network") == "none"
        if not making.made.fetches or not (offline or "--offline" in words_of(call)):
            return True
        return any(
            fetch.program == "pnpm" and "fetch" in words_of(fetch) and stage in making.stage.lineage
            for stage, _, fetch in self.calls
        )

    def makes(self, making: Making, place: str) -> bool:
        """Whether the call surely makes the directory `place`, as its step sees it: the project's own, or that of one
        below."""
        made = making.made
        if not self.surely(making):
            return False
        if made.directory == place:
            return True
        if not made.nested or basename(place) != made.name or not below(place, made.project):
            return False
        inner = dirname(place)[len(made.project) :].strip("/")
        return any(
            has_parts(self.context, made, path) and is_part(self.context, made, path, joined(path, inner))
            for _, path in self.in_context(making.stage, made.project)
        )

    def _scripts_of(self, stage: Stage, project: str) -> Mapping[str, str]:
        for _, directory in self.in_context(stage, project):
            if directory not in self._scripts:
                self._scripts[directory] = scripts_in(self.context, directory)
            return self._scripts[directory]
        return {}

    def at(self, offset: int) -> str:
        """A place of the Dockerfile, for people."""
        return self._neighbour.at(offset)


def users_of(dockerfiles: Iterable[Neighbour], name: str) -> tuple[list[User], list[str]]:
    """The Dockerfiles that use the .dockerignore called `name`, or may use it, and the paths of those that cannot be
    read."""
    found, unread = [], []
    own = name.removesuffix(".dockerignore")  # of `.dockerignore` nothing is left
    for neighbour in dockerfiles:
        if own:
            if neighbour.path != own:
                continue
        elif neighbour.own_ignore:
            continue
        if not own and neighbour.use is Use.NONE:
            continue
        facts = neighbour.facts
        if facts is None:
            unread.append(neighbour.path)
            continue
        certain = neighbour.context.at_hand if own else neighbour.use is Use.CERTAIN
        found.append(User(neighbour, facts, certain=certain))
    return found, unread


def place_of(facts: Facts, stage: Stage, instruction: Instruction, call: Call | None) -> tuple[int, int, int]:
    """Where a call stands among the others of its stage and of those below it."""
    return stage.index, facts.index_of(instruction), -1 if call is None else call.span[0]


def _excludes(instruction: Instruction) -> Ignore:
    """What `--exclude` of COPY and ADD leaves out, which is written like lines of .dockerignore, from the source on."""
    patterns = [flag.value or "" for flag in getattr(instruction, "flags", ()) if flag.name == "exclude"]
    if not patterns or any("$" in pattern for pattern in patterns):
        return NOTHING
    try:
        return parse_ignore("\n".join(patterns).encode())
    except (IgnoreTrouble, UnicodeEncodeError):
        return NOTHING


def _target(facts: Facts, source: ContextSource) -> str | None:
    if isinstance(source.instruction, Run):
        for mount in facts.mounts(source.instruction):
            if mount.flag.word is source.site and isinstance(mount.target, Known):
                return mount.target.value
        return None
    for effect in facts.effects(source.instruction):
        if effect.mode == "write":
            return effect.path.value if isinstance(effect.path, Known) else None
    return None


# --- the context ---------------------------------------------------------------------------------------------------


def has_file(context: BuildContext, directory: str, patterns: Sequence[str]) -> bool:
    """Whether the directory holds a file with a name that one of the patterns matches."""
    found = _called(context.names(directory), tuple(patterns))
    return any(context.kind(joined(directory, name)) == "file" for name in found)


@lru_cache(maxsize=256)
def _called(names: tuple[str, ...], patterns: tuple[str, ...]) -> tuple[str, ...]:
    """The names that one of the patterns matches. The Dockerfiles of a context ask the same of it."""
    return tuple(name for name in names if any(fnmatchcase(name, pattern) for pattern in patterns))


def joined(directory: str, name: str) -> str:
    return f"{directory}/{name}" if directory else name


def has_parts(context: BuildContext, made: Made, project: str) -> bool:
    """Whether projects below the directory `project` of the context belong to the one there."""
    if made.tool == "dotnet":
        return True
    if made.tool == "maven":
        return "<module>" in (context.text(joined(project, "pom.xml")) or "")
    if made.tool == "gradle":
        texts = [context.text(joined(project, f"settings.gradle{end}")) or "" for end in ("", ".kts")]
        return any(re.search(r"^[^\S\n]*include\b", text, re.MULTILINE) for text in texts)
    return bool(_workspaces(context, project))


def is_part(context: BuildContext, made: Made, project: str, directory: str) -> bool:
    """Whether the project in the directory, which is below the directory `project`, belongs to the one there."""
    if made.tool not in ("npm", "yarn", "pnpm", "bun"):
        return True
    path = directory[len(project) :].strip("/")
    verdict = False
    for pattern in _workspaces(context, project):
        if _glob(pattern.removeprefix("!")).matches(path):
            verdict = not pattern.startswith("!")
    return verdict


@lru_cache(maxsize=1024)
def _glob(pattern: str) -> Glob:
    """A pattern of a workspace. Raises TooMuchWorkError for one that is too long to be followed."""
    try:
        return whole(_regex(pattern))
    except NotFollowedError:
        raise TooMuchWorkError from None


def _workspaces(context: BuildContext, project: str) -> list[str]:
    """The patterns for the packages of a workspace: of package.json, lerna.json and pnpm-workspace.yaml."""
    found: list[object] = []
    for table in (package_json(context, project), _json(context.text(joined(project, "lerna.json")))):
        value = table.get("workspaces") or table.get("packages")
        value = value.get("packages") if isinstance(value, dict) else value
        found += value if isinstance(value, list) else []
    text = context.text(joined(project, "pnpm-workspace.yaml"))
    listed = re.search(r"^packages:[ \t]*(.*(?:\n(?:[ \t]*-.*|[ \t]*#.*|[ \t]*))*)", text or "", re.MULTILINE)
    if listed is not None:
        found += _LISTED.findall(listed[1])
    return [pattern.removeprefix("./").strip("/") for pattern in found if isinstance(pattern, str)]


_LISTED = re.compile(
    r"(?:^[^\S\n]*-|[\[,])\s*[\"']?([^\"'#,\[\]\s](?:[^\"'#,\[\]\n]*[^\"'#,\[\]\s])?)[\"']?\s*(?=[,\]#]|$)",
    re.MULTILINE,
)
"""An entry of a list in YAML. It begins and ends with something, so that blanks are gone through once."""


def _regex(pattern: str) -> str:
    """A pattern of a workspace: `*` is in one part of a path, `**` in any number of them."""
    parts = re.split(r"(\*\*/|\*\*|\*)", pattern.removeprefix("./").strip("/"))
    means = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*"}
    return "".join(means.get(part, re.escape(part)) for part in parts)


def scripts_in(context: BuildContext, directory: str) -> Mapping[str, str]:
    """The scripts of the package.json there."""
    scripts = package_json(context, directory).get("scripts")
    if not isinstance(scripts, dict):
        return {}
    return {name: text for name, text in scripts.items() if isinstance(name, str) and isinstance(text, str)}


def package_json(context: BuildContext, directory: str) -> Mapping[str, object]:
    """The package.json there; empty if there is none."""
    return _json(context.text(joined(directory, "package.json")))


def _json(text: str | None) -> Mapping[str, object]:
    try:
        return read_json(text) if text is not None else {}
    except ValueError:
        return {}


class Files:
    """The files and directories of a context, but for what stands in directories that tools make."""

    def __init__(self, context: BuildContext, directories: frozenset[str]) -> None:
        self._context = context
        self._closed = directories

    @cached_property
    def paths(self) -> Mapping[str, bool]:
        """The paths, in order, and whether each is a directory; those of tools are there, and what is in them is not.
        At most `MOST_PATHS` and one more."""
        found: dict[str, bool] = {}
        waiting = [""]
        while waiting and len(found) <= MOST_PATHS:
            here = waiting.pop()
            inner = []
            for name in self._context.names(here):
                path = joined(here, name)
                found[path] = self._context.kind(path) == "directory"
                if found[path] and name not in self._closed:
                    inner.append(path)
            waiting.extend(reversed(inner))
        return found

    @property
    def all(self) -> bool:
        """Whether all of them were looked at."""
        return len(self.paths) <= MOST_PATHS

    def directories_with(self, patterns: Sequence[str], below_: str) -> list[str]:
        """The directories at and below one that hold a file with a name that one of the patterns matches."""
        found = dict.fromkeys(
            path.rpartition("/")[0]
            for path, directory in self.paths.items()
            if not directory and any(fnmatchcase(path.rpartition("/")[2], pattern) for pattern in patterns)
        )
        return [path for path in found if not below_ or below(f"/{path}", f"/{below_}")]
