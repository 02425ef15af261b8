"""What files of Compose build."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from fixer.engine.files import FileTrouble, read
from fixer.text.regex import regex
from fixer.text.source import decode

if TYPE_CHECKING:
    from fixer.analysis.yaml_nodes import Node

NAMES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
"""Those that `docker compose` takes of itself, the first that is there (docs.docker.com, "The Compose file")."""
_VARIABLE = regex(r"\$(?:[A-Za-z_]\w*|\{[A-Za-z_]\w*(?::?([-?+])([^{}$]*))?\})")
_NESTED = 8
"""Defaults inside of defaults that are read."""
_MOST_FILES = 20
"""So many files of a directory may complete a service of another one."""


class ComposeBuild(NamedTuple):
    """context, dockerfile: real paths; for a Dockerfile inside of the file the path of that. target: the stage that is
    built; empty for the last one, None if it is not known. certain: whether the paths depend on no variable; else they
    are what its default makes of them."""

    service: str
    context: str
    dockerfile: str
    target: str | None
    certain: bool


class _Said(NamedTuple):
    """What a file says of the build of a service; None where it says nothing. directory: to which its context is
    relative. bases: the services that it extends, each with its file."""

    directory: str
    context: str | None
    dockerfile: str | None
    target: str | None
    inline: str | None
    bases: tuple[tuple[str, str], ...]


def compose_builds(path: str) -> tuple[ComposeBuild, ...]:
    """Those of a file by itself whose paths depend on nothing."""
    found = (_build(name, [said, *_bases(said)]) for name, said in _services(path).items())
    return tuple(build for build in found if build is not None and build.certain)


def all_compose_builds(paths: Iterable[str]) -> Iterator[tuple[str, ComposeBuild]]:
    """Those of files that may be used together, each with its file. A service without a context is completed by what
    other files of the directory say of it (docs.docker.com, "Merge Compose files"): each of them counts."""
    by_directory: dict[str, list[str]] = {}
    for path in paths:
        by_directory.setdefault(os.path.dirname(path), []).append(path)
    for files in by_directory.values():
        whole: dict[str, dict[_Said, None]] = {}
        for path in files:
            for name, said in _services(path).items():
                if said.context is not None:
                    whole.setdefault(name, {}).setdefault(said)
        for path in files:
            for name, said in _services(path).items():
                others = [] if said.context is not None else list(islice(whole.get(name, ()), _MOST_FILES))
                for below in [[other] for other in others] or [[*_bases(said)]]:
                    build = _build(name, [said, *below])
                    if build is not None:
                        yield path, build


def _build(service: str, parts: Sequence[_Said]) -> ComposeBuild | None:
    """What files say together, the first of them above all. `dockerfile` is relative to the context (docs.docker.com,
    "Compose Build Specification")."""
    if all(text is None for part in parts for text in (part.context, part.dockerfile, part.target, part.inline)):
        return None
    placed = next((part for part in parts if part.context is not None), parts[0])
    said = placed.context or "."
    named = next((part.dockerfile for part in parts if part.dockerfile is not None), None) or "Dockerfile"
    target = next((part.target for part in parts if part.target is not None), "")
    inline = next((part.inline for part in parts if part.inline is not None), None)
    context = real_place(placed.directory, interpolated(said))
    dockerfile = None if context is None else real_place(context, interpolated(named))
    if context is None or (dockerfile is None and inline is None):
        return None
    certain = "$" not in said and (inline is not None or "$" not in named)
    return ComposeBuild(service, context, inline or dockerfile or "", interpolated(target), certain)


def _bases(said: _Said) -> Iterator[_Said]:
    for path, name in said.bases if said.context is None else ():
        found = _services(path).get(name)
        if found is not None:
            yield found


@lru_cache(maxsize=256)
def _services(path: str) -> Mapping[str, _Said]:
    """Those that are built, or made of others."""
    return dict(_read_services(path))


def _read_services(path: str) -> Iterator[tuple[str, _Said]]:
    try:
        text = decode(read(path))
    except FileTrouble:
        return
    if "build" not in text and "extends" not in text:
        return
    from fixer.analysis.workflow import text_of
    from fixer.analysis.yaml_nodes import Mapping, Yaml, YamlError, merged

    try:
        root = Yaml(text).root
    except YamlError:
        return
    services = merged(root, "services")
    for name, service in services.items() if isinstance(services, Mapping) else ():
        build = merged(service, "build")
        bases = tuple(_extended(path, merged(service, "extends")))
        if build is None and not bases:
            continue
        whole = text_of(build)
        said = [text_of(merged(build, key)) for key in ("context", "dockerfile", "target")]
        inline = os.path.realpath(path) if merged(build, "dockerfile_inline") is not None else None
        yield name.text, _Said(os.path.dirname(path), whole or said[0], said[1], said[2], inline, bases)


def _extended(path: str, extends: Node | None) -> Iterator[tuple[str, str]]:
    from fixer.analysis.workflow import text_of
    from fixer.analysis.yaml_nodes import merged

    name = text_of(extends) or text_of(merged(extends, "service"))
    file = text_of(merged(extends, "file"))
    place = path if file is None else real_place(os.path.dirname(path), interpolated(file))
    if name is not None and place is not None:
        yield place, name


def interpolated(text: str) -> str | None:
    """A text of a file of Compose with the defaults of its variables; None if one has none, and what it holds is not
    known (docs.docker.com, "Interpolation")."""
    for _ in range(_NESTED):
        if "$" not in text:
            return text
        found = list(_VARIABLE.finditer(text))
        if "$$" in text or not found or any(match[1] != "-" for match in found):
            return None
        text = _VARIABLE.sub(lambda match: match[2], text)
    return None


def real_place(directory: str, said: str | None) -> str | None:
    """What a path means; None if it depends on a variable, or is none."""
    if not said or "$" in said or ":" in said or "\0" in said:
        return None
    try:
        return os.path.realpath(os.path.join(directory, said))
    except ValueError:  # half of a character, which an escape in JSON can make
        return None
