"""The Dockerfiles around a document that is none."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import overload

from fixer.analysis import Facts, analyse
from fixer.analysis.context import all_context_sources
from fixer.analysis.documents import Neighbour
from fixer.engine.context import FoundContext
from fixer.engine.files import FileTrouble, find, read
from fixer.engine.kinds import IGNORE_NAME
from fixer.text.source import decode
from fixer.tree.parse import parse


class Neighbours(Sequence[Neighbour]):
    """The Dockerfiles at and below a directory, without what Git ignores. Looked for when somebody asks, and parsed one
    by one."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._found: tuple[Neighbour, ...] | None = None

    def _all(self) -> tuple[Neighbour, ...]:
        if self._found is None:
            self._found = tuple(_neighbour(self._root, path) for path in _below(self._root))
        return self._found

    @overload
    def __getitem__(self, index: int) -> Neighbour: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Neighbour]: ...
    def __getitem__(self, index: int | slice) -> Neighbour | Sequence[Neighbour]:
        return self._all()[index]

    def __iter__(self) -> Iterator[Neighbour]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())


@lru_cache(maxsize=64)
def _below(root: str) -> tuple[str, ...]:
    """A repository has many documents, and is searched once."""
    targets = (target for target in find([root]) if target is not None)
    return tuple(sorted(target.path for target in targets if target.problem is None))


def _neighbour(root: str, path: str) -> Neighbour:
    context = FoundContext(path)

    def facts() -> Facts | None:
        found = _facts(path)
        if found is not None:
            context.expect(lambda: all_context_sources(found))
        return found

    def directory() -> str | None:
        if neighbour.facts is None or context.directory is None:
            return None
        relative = os.path.relpath(os.path.realpath(context.directory), os.path.realpath(root)).replace(os.sep, "/")
        if relative == os.pardir or relative.startswith(f"{os.pardir}/"):
            return None
        return "" if relative == os.curdir else relative

    name = os.path.relpath(path, root).replace(os.sep, "/")
    own = os.path.lexists(f"{path}{IGNORE_NAME}")
    neighbour = Neighbour(name, facts, context, directory, own_ignore=own)
    return neighbour


@lru_cache(maxsize=256)
def _facts(path: str) -> Facts | None:
    try:
        file = parse(decode(read(path)))
    except FileTrouble:
        return None
    return None if file.opaque else analyse(file)
