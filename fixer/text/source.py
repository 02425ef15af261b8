"""Bytes to characters and back without loss, and offsets to lines and columns."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from itertools import accumulate
from typing import NamedTuple

from fixer.text.regex import regex

UNDECODABLE = regex("[\udc80-\udcff]")
"""What `decode` makes of a byte that is not UTF-8."""


class Span(NamedTuple):
    """A half-open range of character offsets in one text."""

    start: int
    end: int


class Spans:
    """Several of them, to be asked often."""

    def __init__(self, spans: Iterable[Span]) -> None:
        found = sorted(spans)
        self._starts = [span.start for span in found]
        self._furthest = list(accumulate((span.end for span in found), max))

    def overlap(self, span: Span) -> bool:
        """Whether one of them begins before the end of another span, and ends behind its start."""
        before = bisect_left(self._starts, span.end)
        return before > 0 and self._furthest[before - 1] > span.start


class Position(NamedTuple):
    """A place for people: line and column, both counted from 1, the column in characters."""

    line: int
    column: int


def decode(data: bytes) -> str:
    """Characters of `data`; bytes that are not UTF-8 become lone surrogates, so that `encode` gives them back.

    A byte order mark stays in the text as its first character.
    """
    return data.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """The bytes that `decode` was given. Raises UnicodeEncodeError on surrogates that `decode` cannot have made."""
    return text.encode("utf-8", "surrogateescape")


class LineIndex:
    """Offsets of line starts. A line ends at LF only, as in BuildKit (parser.go, v0.25: a lone CR is no line end)."""

    __slots__ = ("_known", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._known: list[int] = []

    @property
    def _starts(self) -> list[int]:
        """Found when somebody asks for a position: nobody does for most texts."""
        starts = self._known
        if not starts:
            starts.append(0)
            at = self._text.find("\n")
            while at >= 0:
                starts.append(at + 1)
                at = self._text.find("\n", at + 1)
        return starts

    def position(self, offset: int) -> Position:
        """Line and column of `offset`."""
        starts = self._starts
        line = bisect_right(starts, offset)
        return Position(line, offset - starts[line - 1] + 1)

    def line_start(self, line: int) -> int:
        """Offset of the first character of `line` (from 1)."""
        return self._starts[line - 1]

    def __len__(self) -> int:
        return len(self._starts)
