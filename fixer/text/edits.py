"""Edits: spans of an original text with what replaces them. Untouched text is copied, never printed anew."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from fixer.text.records import dataclass


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the characters from `start` up to `end` (exclusive) by `new`; an insertion has `start == end`.

    Raises ValueError on an impossible span and on an edit that does nothing by its form (empty span, empty text).
    """

    start: int
    end: int
    new: str

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.end:
            raise ValueError(f"impossible span {self.start}..{self.end}")
        if self.start == self.end and not self.new:
            raise ValueError("an edit that changes nothing")


class ConflictError(ValueError):
    """Two edits overlap, or touch so that their order would matter."""


def conflicts(a: Edit, b: Edit) -> bool:
    """True if the edits overlap **or touch**: two neighbours that were not planned together may mean something else
    when joined."""
    return a.start <= b.end and b.start <= a.end


def overlap(edits: Iterable[Edit]) -> bool:
    """Whether `apply_edits` would raise ConflictError, for any text that is long enough. Costs what the edits do, and
    not what the text does."""
    return any(_collide(before, edit) for before, edit in pairwise(sorted(edits, key=by_place)))


def by_place(edit: Edit) -> tuple[int, int]:
    """The key by which edits are in the order of the text."""
    return edit.start, edit.end


def _collide(before: Edit, edit: Edit) -> bool:
    return edit.start < before.end or (edit.start == edit.end == before.start == before.end)


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """`text` with all `edits` done at once; spans are those of `text`.

    Edits of one plan may touch (a removal right after an insertion), but not overlap, and two insertions at one
    offset are ambiguous. Raises ConflictError then, and ValueError for a span outside `text`.
    """
    parts: list[str] = []
    at = 0
    before: Edit | None = None
    for edit in sorted(edits, key=by_place):
        if edit.end > len(text):
            raise ValueError(f"edit {edit} is outside a text of {len(text)} characters")
        if before is not None and _collide(before, edit):
            raise ConflictError(f"{before} and {edit} overlap")
        parts.append(text[at : edit.start])
        parts.append(edit.new)
        at = edit.end
        before = edit
    parts.append(text[at:])
    return "".join(parts)
