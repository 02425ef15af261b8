"""The same nodes elsewhere: what a text becomes that stands at another place of its file.

A node's positions are offsets in the file, so that a part that was not edited must be made anew where it has moved;
that costs a tenth of reading it again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from fixer.text.records import fields, maker
from fixer.text.source import Span

T = TypeVar("T")


def moved(tree: T, by: int) -> T:
    """`tree` with all its positions `by` characters further on; itself for 0. A tree is a node or a leaf of a
    Dockerfile or a script, or a tuple of these. A position of -1, which is none, stays."""
    return tree if by == 0 else _MOVES[tree.__class__](tree, by)


class _Moves(dict[type, Callable[[Any, int], Any]]):
    """By class, the function that moves; made when the first of a class is met."""

    def __missing__(self, cls: type) -> Callable[[Any, int], Any]:
        found = self[cls] = _mover(cls)
        return found


def _same(value: Any, by: int) -> Any:
    return value


def _moved_all(values: tuple[Any, ...], by: int) -> tuple[Any, ...]:
    if len(values) == 1:  # the parts of nearly every word
        return (_MOVES[values[0].__class__](values[0], by),)
    return tuple([_MOVES[value.__class__](value, by) for value in values]) if values else ()


_MOVES = _Moves(
    {
        int: lambda at, by: at + by if at >= 0 else at,
        Span: lambda span, by: Span(span.start + by, span.end + by),
        tuple: _moved_all,
        str: _same,
        bool: _same,
        type(None): _same,
    }
)


def _mover(cls: type) -> Callable[[Any, int], Any]:
    """Compiled, field by field: a general loop takes four times as long. What is no part of the tree but belongs to a
    node (`metadata={"tree": False}`) holds no positions."""
    values = []
    for each in fields(cls):
        value = f"node.{each.name}"
        if each.metadata.get("tree", True):
            value = _MOVED_BY_TYPE.get(str(each.type), "moves[{0}.__class__]({0}, by)").format(value)
        values.append(value)
    known = {"make": maker(cls), "moves": _MOVES}
    found: Callable[[Any, int], Any] = eval(f"lambda node, by: make({', '.join(values)})", known)
    return found


_MOVED_BY_TYPE = {
    "int": "{0} + by if {0} >= 0 else {0}",
    "str": "{0}",
    "bool": "{0}",
    "str | None": "{0}",
}
