"""What a file of Compose builds."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from fixer.engine.files import FileTrouble, read
from fixer.text.source import decode

NAMES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
"""Those that `docker compose` takes of itself, the first that is there (docs.docker.com, "The Compose file")."""


class ComposeBuild(NamedTuple):
    """context, dockerfile: real paths; for a Dockerfile inside of the file the path of that."""

    service: str
    context: str
    dockerfile: str


@lru_cache(maxsize=64)
def compose_builds(path: str) -> tuple[ComposeBuild, ...]:
    """Those whose paths depend on nothing. `build` is a directory, or has `context`, `dockerfile` (relative to that)
    and `dockerfile_inline` (docs.docker.com, "Compose Build Specification")."""
    return tuple(_builds(path))


def _builds(path: str) -> Iterator[ComposeBuild]:
    try:
        text = decode(read(path))
    except FileTrouble:
        return
    if "build" not in text:
        return
    from fixer.analysis.workflow import text_of
    from fixer.analysis.yaml_nodes import Mapping, Yaml, YamlError

    try:
        root = Yaml(text).root
    except YamlError:
        return
    services = root.get("services") if isinstance(root, Mapping) else None
    for name, service in services.items() if isinstance(services, Mapping) else ():
        build = service.get("build") if isinstance(service, Mapping) else None
        if build is None:
            continue
        inner = build if isinstance(build, Mapping) else None
        said = text_of(build) if inner is None else text_of(inner.get("context")) or "."
        context = real_place(os.path.dirname(path), said)
        if context is None:
            continue
        if inner is not None and inner.get("dockerfile_inline") is not None:
            yield ComposeBuild(name.text, context, os.path.realpath(path))
            continue
        file = None if inner is None else text_of(inner.get("dockerfile"))
        dockerfile = real_place(context, file or "Dockerfile")
        if dockerfile is not None:
            yield ComposeBuild(name.text, context, dockerfile)


def real_place(directory: str, said: str | None) -> str | None:
    """What a path means; None if it depends on a variable, or is none."""
    if not said or "$" in said or ":" in said or "\0" in said:
        return None
    return os.path.realpath(os.path.join(directory, said))
