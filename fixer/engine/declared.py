"""The builds that the files of a project name for its Dockerfiles: contexts, of those of Compose and its workflows;
and what they say of stages, also of those of Bake and others (`fixer.engine.other_builds`)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import NamedTuple

from fixer.analysis.stages import NO_TARGETS, Targets
from fixer.engine.builds import ANY, Loose, NamedBuild, real_place
from fixer.engine.files import Survey, survey
from fixer.engine.project import real_path, repository_root

_YAML = (".yml", ".yaml")
_MOST_LOOSE = 200
"""So many descriptions of Dockerfiles of which not all is known are told apart."""
_MOST_NAMES = 500
"""So many stages are kept that are named for one Dockerfile; with more it may be any that has a name. Each Dockerfile
for which they may be meant is compared with them."""
_MOST_COMMANDS = 100
"""So many commands are kept of what is run in the images of a Dockerfile."""


class Declared(NamedTuple):
    """Real paths all.

    contexts: of each Dockerfile that is named, the contexts that are named with it.
    users: the other way round. A file of Compose that holds a Dockerfile itself stands for that.
    targets: of each Dockerfile for which something is said of stages.
    loose: the same for Dockerfiles that are not all known.
    complete: see `Builds`.
    """

    contexts: Mapping[str, frozenset[str]]
    users: Mapping[str, frozenset[str]]
    targets: Mapping[str, Targets]
    loose: Mapping[Loose, Targets]
    complete: bool


class _Stages:
    """What is said of the stages of one Dockerfile."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._unknown: str | None = None
        self._replaced: dict[str, str] = {}
        self._commands: dict[tuple[str | None, str, tuple[str, ...]], None] = {}

    def add(self, where: str, build: NamedBuild) -> None:
        target = None if build.target is None else build.target.lower()
        if target is None:
            self._unknown = self._unknown or where
        elif target and len(self._names) < _MOST_NAMES:
            self._names.setdefault(target, where)
        elif target and target not in self._names:
            self._unknown = self._unknown or where
        for name in build.replaced:
            self._replaced.setdefault(name.lower(), where)
        for command in build.commands if len(self._commands) < _MOST_COMMANDS else ():
            self._commands.setdefault((target, where, command))

    def targets(self) -> Targets:
        return Targets(self._names, self._unknown, {}, self._replaced, tuple(self._commands))


@lru_cache(maxsize=64)
def declared(top: str) -> Declared:
    """What is said at and below the directory `top`, and in the workflows of its repository."""
    contexts: dict[str, set[str]] = {}
    users: dict[str, set[str]] = {}
    stages: dict[str, _Stages] = {}
    loose: dict[Loose, _Stages] = {}
    by_workflows, complete = _by_workflows(top)
    for where, build in (*_by_files(top, survey(top)), *by_workflows):
        if isinstance(build.dockerfile, Loose):
            which = build.dockerfile if build.dockerfile in loose or len(loose) < _MOST_LOOSE else ANY
            loose.setdefault(which, _Stages()).add(where, build)
            continue
        if build.context is not None and build.certain:
            contexts.setdefault(build.dockerfile, set()).add(build.context)
            users.setdefault(build.context, set()).add(build.dockerfile)
        stages.setdefault(build.dockerfile, _Stages()).add(where, build)
    return Declared(
        {path: frozenset(found) for path, found in contexts.items()},
        {path: frozenset(found) for path, found in users.items()},
        {path: found.targets() for path, found in stages.items()},
        {which: found.targets() for which, found in loose.items()},
        complete,
    )


def declared_contexts(dockerfile: str) -> list[str] | None:
    """The one context that files of its repository name for a Dockerfile; an empty list if they name several or nobody
    can tell in time what workflows build, None if they name none."""
    real = real_path(dockerfile)
    root = repository_root(os.path.dirname(real))
    if root is None:
        return None
    said = declared(root)
    if not said.complete:
        return []
    found = said.contexts.get(real)
    return None if found is None else list(found) if len(found) == 1 else []


class FoundTargets:
    """What is named for the Dockerfile at `dockerfile`, by files at and below the directory `top`, by default its
    repository; outside of one nothing is. Looked for when somebody calls this first; `consulted` tells whether anybody
    did."""

    def __init__(self, dockerfile: str, top: str | None = None) -> None:
        self._dockerfile = dockerfile
        self._top = top
        self._found: Targets | None = None

    @property
    def consulted(self) -> bool:
        return self._found is not None

    def __call__(self) -> Targets:
        if self._found is None:
            self._found = self._find()
        return self._found

    def _find(self) -> Targets:
        real = real_path(self._dockerfile)
        top = repository_root(os.path.dirname(real)) if self._top is None else os.path.realpath(self._top)
        if top is None:
            return NO_TARGETS
        said = declared(top)
        found = said.targets.get(real, NO_TARGETS)
        for loose, other in said.loose.items():
            if loose.may_be(real):
                found = found.perhaps(other)
        if said.complete or found.unknown is not None:
            return found
        return found._replace(unknown=os.path.join(".github", "workflows"))


def _by_files(top: str, found: Survey) -> Iterator[tuple[str, NamedBuild]]:
    from fixer.engine.bake import bake_builds  # these read YAML and more, for whoever is in a repository and asks
    from fixer.engine.compose import all_compose_builds
    from fixer.engine.other_builds import builds_named_by

    for _, path, build in all_compose_builds(found.compose, top):
        yield _name(top, path), build
    for path in found.bake:
        for build in bake_builds(path, top):
            yield _name(top, path), build
    places = {top, *(os.path.dirname(path) for path in found.dockerfiles)}
    around = _around(places, top)
    known = {*found.compose, *found.others}
    for path in (*found.others, *(path for path in _yaml_in(places) if path not in known)):
        if not path.endswith(("akefile", ".md")) or os.path.dirname(path) in places:
            for build in builds_named_by(path, top, around):
                yield _name(top, path), build


def _yaml_in(places: Iterable[str]) -> Iterator[str]:
    """What may be a file of Compose by another name."""
    for place in sorted(places):
        with suppress(OSError), os.scandir(place) as entries:
            files = (one.path for one in entries if one.is_file(follow_symlinks=False))
            yield from sorted(path for path in files if path.endswith(_YAML))


def _around(places: Iterable[str], top: str) -> frozenset[str]:
    """These directories below `top`, and those that they are in."""
    found: set[str] = set()
    for place in places:
        while place not in found and len(place) > len(top):
            found.add(place)
            place = os.path.dirname(place)
    return frozenset(found)


def _name(top: str, path: str) -> str:
    return os.path.relpath(path, top).replace(os.sep, "/")


def _by_workflows(top: str) -> tuple[Sequence[tuple[str, NamedBuild]], bool]:
    root = top if os.path.isdir(os.path.join(top, ".github")) else repository_root(top)
    if root is None or not os.path.isdir(os.path.join(root, ".github")):
        return [], True
    from fixer.engine.workflows import builds_of

    builds, complete = builds_of(root)
    found = []
    for name, build in builds:
        if build.context is None or build.file is None:
            found.append((name, NamedBuild(None, ANY, build.target, False, build.replaced)))
            continue
        context, file = real_place(root, build.context), real_place(root, build.file)
        if context is not None and file is not None:
            found.append((name, NamedBuild(context, file, build.target, True, build.replaced)))
    return found, complete
