"""Raw text to what BuildKit and the shell see, with a way back for every character.

BuildKit joins the lines of an instruction before it looks at anything else: the escape character at a line's end, the
line end, and comment and blank lines in between go away, even inside quotes (parser/parser.go, v0.25).
"""

from __future__ import annotations

import re
from bisect import bisect_right

from fixer.text.regex import regex

SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005"
    "\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
"""What Go's `unicode.IsSpace` accepts. `str.isspace` also takes U+001C to U+001F, which BuildKit does not."""

_TABS = regex(r"^\t+", re.MULTILINE)


class Cooked:
    """A text as it is read, and the raw text that it came from.

    raw: the characters of the file.
    text: what is read: pieces of `raw`, joined.
    """

    __slots__ = ("_at", "_from", "raw_text", "text")

    def __init__(self, raw: str, pieces: list[tuple[int, int]]) -> None:
        """`pieces` are the half-open ranges of `raw` that are kept, in order."""
        self.raw_text = raw
        self._at: list[int] = []
        self._from: list[int] = []
        kept = []
        at = 0
        for start, end in pieces:
            if start == end:
                continue
            self._at.append(at)
            self._from.append(start)
            kept.append(raw[start:end])
            at += end - start
        self.text = "".join(kept)

    def raw(self, offset: int) -> int:
        """Offset in the raw text of the character at `offset`; at the end of the text, the same as `raw_end`."""
        if offset >= len(self.text):
            return self.raw_end(offset)
        piece = bisect_right(self._at, offset) - 1
        return self._from[piece] + offset - self._at[piece]

    def raw_end(self, offset: int) -> int:
        """Offset in the raw text right after the character before `offset`; 0 for the start."""
        return self.raw(offset - 1) + 1 if offset > 0 else 0

    def pieces(self) -> list[tuple[int, int]]:
        """The ranges of the raw text that are kept, in order, each with its start and its length."""
        ends = [*self._at, len(self.text)][1:]
        return [(start, end - at) for start, at, end in zip(self._from, self._at, ends, strict=True)]

    @property
    def key(self) -> object:
        """Equal for what is cooked alike from equal texts."""
        return self.raw_text if self.plain else (self.raw_text, tuple(self._from), tuple(self._at), len(self.text))

    @property
    def plain(self) -> bool:
        """True if nothing was removed, so that offsets are the same on both sides."""
        return len(self.text) == len(self.raw_text)


def cook(raw: str, escape: str = "\\") -> Cooked:
    """What is read of `raw`, which is a part of one instruction (it may begin and end inside a line)."""
    if "\n" not in raw:
        return Cooked(raw, [(0, len(raw))])
    return Cooked(raw, kept_pieces(raw, 0, len(raw), escape))


def cook_heredoc(body: str, chomp: bool = False) -> Cooked:
    """What is read of a here-document's body: all of it, or without the tabs at the starts of lines (`<<-`)."""
    if not chomp or "\t" not in body:
        return Cooked(body, [(0, len(body))])
    pieces = []
    at = 0
    for tabs in _TABS.finditer(body):
        pieces.append((at, tabs.start()))
        at = tabs.end()
    pieces.append((at, len(body)))
    return Cooked(body, pieces)


def kept_pieces(text: str, start: int, end: int, escape: str) -> list[tuple[int, int]]:
    """The ranges of `text[start:end]` that stay when its lines are joined: every line end in it is a continuation."""
    pieces = []
    at = start
    while True:
        newline = text.find("\n", at, end)
        if newline < 0:
            if at == start or not _skipped(text[at:end]):
                pieces.append((at, end))
            return pieces
        line = text[at:newline]
        if at == start or not _skipped(line):
            line = line.rstrip("\r")
            cut = line.rstrip(" \t")
            keep = len(cut) - 1 if cut.endswith(escape) else len(line)
            pieces.append((at, at + keep))
        at = newline + 1


def _skipped(line: str) -> bool:
    """True for a line that goes away inside a continuation: blank, or a comment."""
    rest = line.lstrip(SPACE)
    return not rest or rest[0] == "#"
