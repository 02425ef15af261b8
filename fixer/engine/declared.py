"""The builds that the files of a project name for its Dockerfiles, contexts and targets: those of Compose, its
workflows, and, for targets, those of Bake."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from fixer.analysis.stages import NO_TARGETS, Targets
from fixer.engine.bake import bake_builds
from fixer.engine.compose import all_compose_builds, real_place
from fixer.engine.files import survey
from fixer.engine.project import real_path, repository_root


class Declared(NamedTuple):
    """Real paths all.

    contexts: of each Dockerfile that is named, the contexts that are named with it.
    users: the other way round. A file of Compose that holds a Dockerfile itself stands for that.
    targets: of each Dockerfile for which some are named.
    complete: see `Builds`.
    """

    contexts: Mapping[str, frozenset[str]]
    users: Mapping[str, frozenset[str]]
    targets: Mapping[str, Targets]
    complete: bool


class _Build(NamedTuple):
    """where: the file that names it, for people. context: None if it depends on a variable, or does not count."""

    where: str
    context: str | None
    dockerfile: str
    target: str | None


@lru_cache(maxsize=64)
def declared(top: str) -> Declared:
    """What is said at and below the directory `top`, and in the workflows of its repository."""
    contexts: dict[str, set[str]] = {}
    users: dict[str, set[str]] = {}
    names: dict[str, dict[str, str]] = {}
    unknown: dict[str, str] = {}
    by_workflows, complete = _by_workflows(top)
    found = survey(top)
    for build in (*_by_compose(top, found.compose), *_by_bake(top, found.bake), *by_workflows):
        if build.context is not None:
            contexts.setdefault(build.dockerfile, set()).add(build.context)
            users.setdefault(build.context, set()).add(build.dockerfile)
        if build.target is None:
            unknown.setdefault(build.dockerfile, build.where)
        elif build.target:
            names.setdefault(build.dockerfile, {}).setdefault(build.target.lower(), build.where)
    return Declared(
        {path: frozenset(found) for path, found in contexts.items()},
        {path: frozenset(found) for path, found in users.items()},
        {path: Targets(names.get(path, {}), unknown.get(path)) for path in {*names, *unknown}},
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
    repository; outside of one nothing is. Looked for when somebody calls this; `consulted` tells whether anybody did.
    """

    def __init__(self, dockerfile: str, top: str | None = None) -> None:
        self.consulted = False
        self._dockerfile = dockerfile
        self._top = top

    def __call__(self) -> Targets:
        self.consulted = True
        real = real_path(self._dockerfile)
        top = repository_root(os.path.dirname(real)) if self._top is None else os.path.realpath(self._top)
        if top is None:
            return NO_TARGETS
        said = declared(top)
        found = said.targets.get(real, NO_TARGETS)
        if said.complete or found.unknown is not None:
            return found
        return found._replace(unknown=os.path.join(".github", "workflows"))


def _by_compose(top: str, paths: Sequence[str]) -> Iterator[_Build]:
    for path, build in all_compose_builds(paths):
        context = build.context if build.certain else None
        yield _Build(_name(top, path), context, build.dockerfile, build.target)


def _by_bake(top: str, paths: Sequence[str]) -> Iterator[_Build]:
    for path in paths:
        for build in bake_builds(path):
            yield _Build(_name(top, path), None, build.dockerfile, build.target)


def _name(top: str, path: str) -> str:
    return os.path.relpath(path, top).replace(os.sep, "/")


def _by_workflows(top: str) -> tuple[list[_Build], bool]:
    root = top if os.path.isdir(os.path.join(top, ".github")) else repository_root(top)
    if root is None or not os.path.isdir(os.path.join(root, ".github")):
        return [], True
    from fixer.engine.workflows import builds_of

    builds, complete = builds_of(root)
    found = []
    for name, build in builds:
        context, file = real_place(root, build.context), real_place(root, build.file)
        if context is not None and file is not None:
            found.append(_Build(name, context, file, build.target))
    return found, complete
