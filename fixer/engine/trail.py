"""Where an offset was before some edits, and where it is after them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable

from fixer.text.edits import Edit, by_place


class Step:
    """One application of edits to one text: maps offsets across it in both directions, in logarithmic time."""

    __slots__ = ("_edits", "_ends", "_new_starts", "_shifts", "_starts")

    def __init__(self, edits: Iterable[Edit]) -> None:
        self._edits = sorted(edits, key=by_place)
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._new_starts: list[int] = []
        self._shifts: list[int] = []
        shift = 0
        for edit in self._edits:
            self._starts.append(edit.start)
            self._ends.append(edit.end)
            self._new_starts.append(edit.start + shift)
            shift += len(edit.new) - (edit.end - edit.start)
            self._shifts.append(shift)

    def forward(self, offset: int) -> int:
        """The place in the new text of what stood at `offset`; for removed text the place of what replaces it."""
        i = bisect_right(self._starts, offset) - 1
        if i < 0:
            return offset
        if offset < self._edits[i].end:
            return self._new_starts[i]
        return offset + self._shifts[i]

    def back(self, offset: int) -> int:
        """The place in the old text of what stands at `offset`; for added text the place where it was put."""
        i = bisect_right(self._new_starts, offset) - 1
        if i < 0:
            return offset
        edit = self._edits[i]
        if offset < self._new_starts[i] + len(edit.new):
            return edit.start
        return offset - self._shifts[i]

    def written(self, offset: int) -> Edit | None:
        """The edit that wrote what stands at `offset` of the new text, if one did."""
        i = bisect_right(self._new_starts, offset) - 1
        if i < 0 or offset >= self._new_starts[i] + len(self._edits[i].new):
            return None
        return self._edits[i]

    def inside(self, start: int, end: int) -> list[Edit]:
        """The edits that change something between `start` and `end`, insertions at either end not among them."""
        first = bisect_right(self._ends, start)
        last = bisect_left(self._starts, end)
        return self._edits[first:last]

    @property
    def edits(self) -> list[Edit]:
        """In the order of the text."""
        return self._edits


class Trail:
    """The steps from the first text to the last."""

    __slots__ = ("steps",)

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def forward(self, offset: int, step: int) -> int:
        """Where `offset` of the text that `step` edited is in the last text."""
        for one in self.steps[step:]:
            offset = one.forward(offset)
        return offset

    def back(self, offset: int, step: int) -> int:
        """Where `offset` of the text that `step` edited was in the first text."""
        for one in reversed(self.steps[:step]):
            offset = one.back(offset)
        return offset
