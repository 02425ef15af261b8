"""The build contexts that the files of a project name for its Dockerfiles: those of Compose, and its workflows."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from fixer.engine.compose import compose_builds, real_place
from fixer.engine.files import survey
from fixer.engine.project import repository_root


class Declared(NamedTuple):
    """Real paths all.

    contexts: of each Dockerfile that is named, the contexts that are named with it.
    users: the other way round. A file of Compose that holds a Dockerfile itself stands for that.
    complete: see `Builds`.
    """

    contexts: Mapping[str, frozenset[str]]
    users: Mapping[str, frozenset[str]]
    complete: bool


@lru_cache(maxsize=64)
def declared(top: str) -> Declared:
    """What is said at and below the directory `top`, and in the workflows of its repository."""
    contexts: dict[str, set[str]] = {}
    users: dict[str, set[str]] = {}
    by_workflows, complete = _by_workflows(top)
    for context, dockerfile in (*_by_compose(top), *by_workflows):
        contexts.setdefault(dockerfile, set()).add(context)
        users.setdefault(context, set()).add(dockerfile)
    return Declared(
        {path: frozenset(found) for path, found in contexts.items()},
        {path: frozenset(found) for path, found in users.items()},
        complete,
    )


def _by_compose(top: str) -> Iterator[tuple[str, str]]:
    for path in survey(top).compose:
        for build in compose_builds(path):
            yield build.context, build.dockerfile


def _by_workflows(top: str) -> tuple[list[tuple[str, str]], bool]:
    root = repository_root(top)
    if root is None or not os.path.isdir(os.path.join(root, ".github")):
        return [], True
    from fixer.engine.workflows import builds_of

    builds, complete = builds_of(root)
    places = ((real_place(root, build.context), real_place(root, build.file)) for _, build in builds)
    return [(context, file) for context, file in places if context is not None and file is not None], complete
