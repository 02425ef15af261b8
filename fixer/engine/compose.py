"""What files of Compose build, and what they run in it."""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from fixer.engine.builds import ANY, UNKNOWN, NamedBuild, Room, TooMuchError, placed, real_place
from fixer.engine.files import FileTrouble, read
from fixer.text.regex import regex
from fixer.text.source import decode

if TYPE_CHECKING:
    from fixer.analysis.yaml_nodes import Node

NAMES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
"""Those that `docker compose` takes of itself, the first that is there (docs.docker.com, "The Compose file")."""
_VARIABLE = regex(r"\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?:(:?[-?+])([^{}$]*))?\})")
_SETTING = regex(r"\s*(?:export\s+)?([A-Za-z_][\w.-]*)\s*[=:]\s*(.*)")
_ABOUT = ("build", "extends", "include")
"""One of these stands in a file that makes others of its directory worth reading."""
_NESTED = 8
"""Defaults inside of defaults that are read."""
_MOST_FILES = 20
"""So many files of a directory may complete a service of another one, and so many services one that extends them."""
_MOST_INCLUDED = 200
"""So many files, or lists of files, that `include` names are read in a repository."""
_LONGEST = 4096
"""Characters of a text in which variables are put."""
_LARGEST = 1 << 20
"""Bytes of a file that is read: those that people write have a hundredth of it."""
_MOST_LOOKS = 500_000
"""Keys and merged mappings of a file that are looked at, words and names included that a service has; and parts of
services in all files, where one is made of several."""


class ComposeBuild(NamedTuple):
    """A build of a service. where: the file that names it."""

    service: str
    where: str
    build: NamedBuild


class _Said(NamedTuple):
    """What a file says of a service; None where it says nothing. directory: to which its context is relative. bases:
    the services that it extends, each with its file. replaced, command, entrypoint: see `NamedBuild`."""

    where: str
    directory: str
    context: str | None
    dockerfile: str | None
    target: str | None
    inline: str | None
    bases: tuple[tuple[str, str], ...]
    replaced: tuple[str, ...]
    command: tuple[str, ...] | None
    entrypoint: tuple[str, ...] | None

    @property
    def builds(self) -> bool:
        return any(text is not None for text in (self.context, self.dockerfile, self.target, self.inline))


class _File(NamedTuple):
    """services: of each document those that are built, or run something, or are made of others. included: the files
    that are used together with this one, those of one entry each, with their directory. complete: see
    `_MOST_LOOKS`."""

    services: tuple[Mapping[str, _Said], ...]
    included: tuple[tuple[tuple[str, ...], str], ...]
    complete: bool = True


_NOTHING = _File((), ())


def compose_builds(path: str) -> tuple[ComposeBuild, ...]:
    """Those of a file by itself whose paths depend on nothing."""
    documents = _file(path, os.path.dirname(path)).services
    services = [one for services in documents for one in services.items()]
    found = [build for name, said in services for build in _builds(name, [said, *_bases(said)])]
    return tuple(one for one in found if one.build.certain)


def all_compose_builds(paths: Iterable[str], top: str | None = None) -> Iterator[ComposeBuild]:
    """Those of files that may be used together: a service is completed by what other files of the directory, and other
    documents of the file, say of it (docs.docker.com, "Merge Compose files"): each of them counts. Without a context it
    cannot be without one of those. top: where Compose may run."""
    by_directory: dict[str, list[str]] = {}
    for path in paths:
        by_directory.setdefault(os.path.dirname(path), []).append(path)
    groups = deque((tuple(files), directory) for directory, files in by_directory.items())
    seen = set(groups)
    number = len(groups)
    room = Room(_MOST_LOOKS)
    while groups:
        files, directory = groups.popleft()
        if not any(word in _text(path) for path in files for word in _ABOUT):
            continue
        read_files = [_file(path, directory) for path in files]
        try:
            yield from _together(read_files, top, room)
        except TooMuchError:
            yield _anything(files[0])
            return
        yield from (_anything(path) for path, file in zip(files, read_files, strict=True) if not file.complete)
        for file in read_files:
            for group in file.included:
                if group not in seen and len(seen) < number + _MOST_INCLUDED:
                    seen.add(group)
                    groups.append(group)


def _anything(path: str) -> ComposeBuild:
    """What a file says that nobody can go through."""
    return ComposeBuild("", path, NamedBuild(None, ANY, None, False))


def _together(files: Sequence[_File], top: str | None, room: Room) -> Iterator[ComposeBuild]:
    """Raises TooMuchError."""
    whole: dict[str, dict[_Said, None]] = {}
    for services in (one for file in files for one in file.services):
        for name, said in services.items():
            known = whole.setdefault(name, {})
            if len(known) < _MOST_FILES:
                known.setdefault(said)
    for services in (one for file in files for one in file.services):
        for name, said in services.items():
            parts = [said, *_bases(said)]
            others = [one for one in whole[name] if one is not said and (one.builds or one.command or one.entrypoint)]
            placing = [other for other in others if other.context is not None]
            if said.context is not None or not placing:
                room.take(_cost(parts))
                yield from _builds(name, parts, top)
            for other in others if said.context is not None else placing:
                more = [*parts, other, *_bases(other)]
                room.take(_cost(more))
                for one in _builds(name, more, top):
                    certain = one.build.certain and said.context is None
                    yield one._replace(build=one.build._replace(certain=certain))


def _cost(parts: Sequence[_Said]) -> int:
    """How many things are looked at in parts of a service."""
    return sum(1 + len(part.replaced) + len(part.command or ()) + len(part.entrypoint or ()) for part in parts)


def _builds(service: str, parts: Sequence[_Said], top: str | None = None) -> Iterator[ComposeBuild]:
    """What files say together, the first of them above all. `dockerfile` is relative to the context (docs.docker.com,
    "Compose Build Specification"). What variables hold may stand in a `.env`, which may not be there, or hold something
    else, on another machine: then their defaults count, too."""
    if not any(part.builds for part in parts):
        return
    place = next((part for part in parts if part.context is not None), parts[0])
    context = place.context or "."
    dockerfile = next((part.dockerfile for part in parts if part.dockerfile is not None), None) or "Dockerfile"
    staged = next((part for part in parts if part.target is not None), parts[0])
    inline = next((part.inline for part in parts if part.inline is not None), None)
    replaced = tuple(dict.fromkeys(name for part in parts for name in part.replaced))
    certain = "$" not in context and (inline is not None or "$" not in dockerfile)
    said = (context, dockerfile, staged.target or "")
    runs, run = _run(parts)
    found: dict[tuple[str, NamedBuild], None] = {}
    for environment in _environments(parts[0].where, place.directory, top) if "$" in "".join(said) else ({},):
        where, file, stage = (_filled(text, environment) for text in said)
        if found and UNKNOWN in where + file + stage:
            continue
        there, path = placed(place.directory, where, file)
        if path is None and inline is None:
            continue
        build = NamedBuild(
            there, inline or path or ANY, None if UNKNOWN in stage else stage, certain and there is not None, replaced
        )  # fmt: skip
        if isinstance(build.dockerfile, str) or build.target != "" or replaced:
            found.setdefault((staged.where, build))
        if run:
            words = [_filled(word, environment).replace(UNKNOWN, "?") for word in run]
            found.setdefault((runs, build._replace(commands=(tuple(words),))))
    for by, build in found:
        yield ComposeBuild(service, by, build)


def _run(parts: Sequence[_Said]) -> tuple[str, tuple[str, ...]]:
    """What a service runs in the place of the image's command, and who says so."""
    first = next((part for part in parts if part.entrypoint is not None), None)
    then = next((part for part in parts if part.command is not None), None)
    words = (*((first and first.entrypoint) or ()), *((then and then.command) or ()))
    return (then or first or parts[0]).where, words


def _bases(said: _Said) -> list[_Said]:
    """The services that it extends, and those that these extend: of each what it says counts above the next."""
    found: list[_Said] = []
    waiting = list(said.bases)
    seen = set(waiting)
    while waiting and len(found) < _MOST_FILES:
        path, name = waiting.pop(0)
        for services in _file(path, os.path.dirname(path)).services:
            base = services.get(name)
            if base is not None:
                found.append(base)
                waiting += [one for one in base.bases if one not in seen]
                seen.update(base.bases)
    return found


@lru_cache(maxsize=256)
def _file(path: str, directory: str) -> _File:
    """directory: to which paths in it are relative."""
    text = _text(path)
    if not any(word in text for word in (*_ABOUT, "command", "entrypoint")):
        return _NOTHING
    if len(text) > _LARGEST:
        return _File((), (), False)
    from fixer.analysis.yaml_nodes import YamlError

    try:
        return _Reader(text, path, directory).file()
    except YamlError:
        return _NOTHING
    except TooMuchError:
        return _File((), (), False)


@lru_cache(maxsize=256)
def _text(path: str) -> str:
    """Empty for a file that cannot be read."""
    try:
        return decode(read(path))
    except FileTrouble:
        return ""


class _Reader:
    """Of one file. What an alias repeats is read once."""

    def __init__(self, text: str, path: str, directory: str) -> None:
        """Raises YamlError."""
        from fixer.analysis.yaml_nodes import Yaml

        self._roots = Yaml(text, several=True).roots
        self._path = path
        self._directory = directory
        self._charge = Room(_MOST_LOOKS).take
        self._known: dict[int, _Said | None] = {}

    def file(self) -> _File:
        services = tuple(dict(self._services(root)) for root in self._roots)
        return _File(services, tuple(group for root in self._roots for group in self._included(root)))

    def _get(self, node: Node | None, *keys: str) -> Node | None:
        from fixer.analysis.yaml_nodes import merged

        for key in keys:
            node = merged(node, key, self._charge)
        return node

    def _services(self, root: Node) -> Iterator[tuple[str, _Said]]:
        from fixer.analysis.yaml_nodes import Mapping

        services = self._get(root, "services")
        for name, service in services.items() if isinstance(services, Mapping) else ():
            if id(service) not in self._known:
                self._known[id(service)] = self._said(service)
            said = self._known[id(service)]
            if said is not None:
                yield name.text, said

    def _said(self, service: Node) -> _Said | None:
        from fixer.analysis.workflow import text_of

        build = self._get(service, "build")
        bases = tuple(self._extended(self._get(service, "extends")))
        command, entrypoint = (self._words(self._get(service, key)) for key in ("command", "entrypoint"))
        if build is None and not bases and command is None and entrypoint is None:
            return None
        whole = text_of(build)
        context, file, target = (text_of(self._get(build, key)) for key in ("context", "dockerfile", "target"))
        inline = os.path.realpath(self._path) if self._get(build, "dockerfile_inline") is not None else None
        replaced = self._names(self._get(build, "additional_contexts"))
        return _Said(
            self._path, self._directory, whole or context, file, target, inline, bases, replaced, command, entrypoint
        )  # fmt: skip

    def _extended(self, extends: Node | None) -> Iterator[tuple[str, str]]:
        from fixer.analysis.workflow import text_of

        name = text_of(extends) or text_of(self._get(extends, "service"))
        file = text_of(self._get(extends, "file"))
        place = self._path if file is None else real_place(self._directory, interpolated(file))
        if name is not None and place is not None:
            yield place, name

    def _included(self, root: Node) -> Iterator[tuple[tuple[str, ...], str]]:
        """A text, or a mapping whose `path` is one or several (docs.docker.com, "Include")."""
        from fixer.analysis.workflow import text_of
        from fixer.analysis.yaml_nodes import Items

        include = self._get(root, "include")
        entries = {id(one): one for one in include.nodes} if isinstance(include, Items) else {}
        for one in entries.values():
            said = one if text_of(one) is not None else self._get(one, "path")
            texts = [text_of(each) for each in said.nodes[:_MOST_FILES]] if isinstance(said, Items) else [text_of(said)]
            self._charge(len(texts))
            places = [real_place(self._directory, interpolated(text or "")) for text in texts]
            files = tuple(place for place in places if place is not None)
            named = text_of(self._get(one, "project_directory"))
            directory = None if named is None else real_place(self._directory, interpolated(named))
            if files:
                yield files, directory or os.path.dirname(files[0])

    def _words(self, node: Node | None) -> tuple[str, ...] | None:
        """A command: a list, or a text that is cut into words as a shell would, without being one."""
        from fixer.analysis.workflow import text_of
        from fixer.analysis.yaml_nodes import Items

        if isinstance(node, Items):
            self._charge(len(node.nodes))
            words = tuple(text_of(one) or "" for one in node.nodes[:_LONGEST])
            return words if sum(map(len, words)) <= _LONGEST else None
        text = text_of(node)
        if text is None or len(text) > _LONGEST:
            return None
        import shlex

        try:
            words = tuple(shlex.split(text))
        except ValueError:
            return None
        self._charge(len(words))
        return words

    def _names(self, node: Node | None) -> tuple[str, ...]:
        """The keys of a mapping, or what stands before `=` in a list of texts."""
        from fixer.analysis.workflow import text_of
        from fixer.analysis.yaml_nodes import Items, Mapping

        if isinstance(node, Mapping):
            self._charge(len(node.pairs))
            return tuple(name.text for name, _ in node.items())
        if isinstance(node, Items):
            self._charge(len(node.nodes))
            return tuple((text_of(one) or "").partition("=")[0] for one in node.nodes)
        return ()


# --- variables -----------------------------------------------------------------------------------------------------


def _environments(path: str, directory: str, top: str | None) -> Iterator[Mapping[str, str]]:
    """What variables may hold: what the `.env` of the project's directory, or of where Compose runs, says; and nothing
    that a file says."""
    own = {"PWD": directory}
    for place in dict.fromkeys((directory, os.path.dirname(path), top)):
        found = {} if place is None else _settings(os.path.join(place, ".env"))
        if found:
            yield {**own, **found}
    yield own


@lru_cache(maxsize=256)
def _settings(path: str) -> Mapping[str, str]:
    """What a `.env` says (docs.docker.com, "Syntax for .env files"); a value that is not sure is left out."""
    try:
        text = decode(read(path)) if os.path.isfile(path) else ""
    except FileTrouble:
        return {}
    found: dict[str, str] = {}
    for line in text.splitlines() if len(text) <= _LARGEST else ():
        match = _SETTING.fullmatch(line)
        if match is None or len(line) > _LONGEST:
            continue
        value = match[2].strip()
        quoted = value[:1] in ("'", '"')
        value = value[1:].partition(value[0])[0] if quoted else value.partition(" #")[0].rstrip()
        known = value if match[2].startswith("'") else _filled(value, found)
        if UNKNOWN in known or "$" in known or len(known) > _LONGEST:
            found.pop(match[1], None)
        else:
            found[match[1]] = known
    return found


def interpolated(text: str, environment: Mapping[str, str] | None = None) -> str | None:
    """A text of a file of Compose with what its variables hold, or their defaults; None if one has none, and what it
    holds is not known (docs.docker.com, "Interpolation")."""
    found = _filled(text, environment or {})
    return None if UNKNOWN in found else found


def _filled(text: str, environment: Mapping[str, str]) -> str:
    """The same with `UNKNOWN` in the place of what is not known."""

    def value(match: re.Match[str]) -> str:
        known = environment.get(match[1] or match[2])
        operator, word = match[3] or "", match[4] or ""
        if known is not None and (known or not operator.startswith(":")):
            return word if operator.endswith("+") else known
        return word if operator.endswith("-") else UNKNOWN

    for _ in range(_NESTED):
        if "$" not in text and len(text) <= _LONGEST:
            return text
        if "$$" in text or len(text) > _LONGEST:
            return UNKNOWN
        filled = _VARIABLE.sub(value, text)
        if filled == text:
            return UNKNOWN
        text = filled
    return UNKNOWN
