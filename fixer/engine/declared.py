"""The build contexts that the files of a project name for its Dockerfiles: those of Compose, and its workflows."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from fixer.engine.files import FileTrouble, read, survey
from fixer.engine.project import repository_root
from fixer.text.source import decode


class Declared(NamedTuple):
    """Real paths all.

    contexts: of each Dockerfile that is named, the contexts that are named with it.
    users: the other way round. A file of Compose that holds a Dockerfile itself stands for that.
    """

    contexts: Mapping[str, frozenset[str]]
    users: Mapping[str, frozenset[str]]


@lru_cache(maxsize=64)
def declared(top: str) -> Declared:
    """What is said at and below the directory `top`, and in the workflows of its repository."""
    contexts: dict[str, set[str]] = {}
    users: dict[str, set[str]] = {}
    for context, dockerfile in (*_by_compose(top), *_by_workflows(top)):
        contexts.setdefault(dockerfile, set()).add(context)
        users.setdefault(context, set()).add(dockerfile)
    return Declared(
        {path: frozenset(found) for path, found in contexts.items()},
        {path: frozenset(found) for path, found in users.items()},
    )


def _by_compose(top: str) -> Iterator[tuple[str, str]]:
    """Pairs of a context and a Dockerfile. `build` is a directory, or has `context`, `dockerfile` (relative to that)
    and `dockerfile_inline` (docs.docker.com, "Compose Build Specification")."""
    for path in survey(top).compose:
        try:
            text = decode(read(path))
        except FileTrouble:
            continue
        if "build" not in text:
            continue
        from fixer.analysis.workflow import text_of
        from fixer.analysis.yaml_nodes import Mapping, Yaml, YamlError

        try:
            root = Yaml(text).root
        except YamlError:
            continue
        services = root.get("services") if isinstance(root, Mapping) else None
        for _, service in services.items() if isinstance(services, Mapping) else ():
            build = service.get("build") if isinstance(service, Mapping) else None
            if build is None:
                continue
            inner = build if isinstance(build, Mapping) else None
            said = text_of(build) if inner is None else text_of(inner.get("context")) or "."
            context = _place(os.path.dirname(path), said)
            if context is None:
                continue
            if inner is not None and inner.get("dockerfile_inline") is not None:
                yield context, os.path.realpath(path)
                continue
            file = None if inner is None else text_of(inner.get("dockerfile"))
            dockerfile = _place(context, file or "Dockerfile")
            if dockerfile is not None:
                yield context, dockerfile


def _by_workflows(top: str) -> Iterator[tuple[str, str]]:
    root = repository_root(top)
    if root is None or not os.path.isdir(os.path.join(root, ".github")):
        return
    from fixer.engine.workflows import builds_of

    for _, build in builds_of(root):
        context, dockerfile = _place(root, build.context), _place(root, build.file)
        if context is not None and dockerfile is not None:
            yield context, dockerfile


def _place(directory: str, said: str | None) -> str | None:
    """What a path means; None if it depends on a variable, or is none."""
    if not said or "$" in said or ":" in said or "\0" in said:
        return None
    return os.path.realpath(os.path.join(directory, said))
