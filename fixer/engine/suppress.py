"""`# dockfix: ignore=ID[,ID] because …` and `# dockfix: skip-file`.

- Only whole comment lines count: not the text of a heredoc, not a comment in the middle of an instruction.
- `ignore` stands directly above its instruction, with nothing but other comment lines between. Without ids it means all
  codemods. What follows the ids is for people.
- `skip-file` may stand on any comment line.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable
from itertools import accumulate

from fixer.codemods.api import Change, Refusal
from fixer.engine.outcome import ENGINE
from fixer.text.records import dataclass, field
from fixer.text.regex import regex
from fixer.text.source import Span
from fixer.tree.nodes import Comment, Dockerfile, Instruction

MARK = "dockfix:"
_COMMENT = regex(r"#+\s*dockfix:\s*(?P<verb>[^\s=]*)(?:\s*=\s*(?P<ids>[^\s,]+(?:\s*,\s*[^\s,]+)*))?")


@dataclass(frozen=True, slots=True)
class Ignored:
    """An instruction and the codemods that leave it alone; `ids` is None for all of them."""

    span: Span
    ids: frozenset[str] | None

    def covers(self, codemod: str) -> bool:
        return self.ids is None or codemod in self.ids


@dataclass(slots=True)
class Suppressions:
    """What the comments of one text say."""

    skip_file: bool = False
    ignored: list[Ignored] = field(default_factory=list)
    warnings: list[Refusal] = field(default_factory=list)
    _tables: dict[str, _Table] = field(default_factory=dict)

    def cover(self, codemod: str, offset: int) -> bool:
        """Whether what begins at `offset` is left alone by the codemod."""
        return self._table(codemod).around(offset)

    def in_the_way(self, change: Change) -> Span | None:
        """The first place that the change is about or would edit, or touch, and that its codemod leaves alone."""
        return self._table(change.codemod).first_met(change) if self.ignored else None

    def _table(self, codemod: str) -> _Table:
        if codemod not in self._tables:
            self._tables[codemod] = _Table(one.span for one in self.ignored if one.covers(codemod))
        return self._tables[codemod]


class _Table:
    """The places that one codemod leaves alone. They may lie in each other; a search costs no more where they are
    many."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self.spans = sorted(set(spans), key=lambda span: (span.start, -span.end))
        self.starts = [span.start for span in self.spans]
        self.reach = list(accumulate((span.end for span in self.spans), max))
        """How far this one and those before it go."""

    def around(self, offset: int) -> bool:
        before = bisect_right(self.starts, offset)
        return before > 0 and self.reach[before - 1] > offset

    def first_met(self, change: Change) -> Span | None:
        found = [self._touched(edit.start, edit.end) for edit in change.edits]
        found.append(self._inside(change.span))
        first = min((at for at in found if at is not None), default=None)
        return self.spans[first] if first is not None else None

    def _touched(self, start: int, end: int) -> int | None:
        at = bisect_left(self.reach, start)
        return at if at < len(self.spans) and self.starts[at] <= end else None

    def _inside(self, span: Span) -> int | None:
        at = bisect_left(self.starts, span.start)
        while at < len(self.spans) and self.starts[at] <= span.end:
            if self.spans[at].end <= span.end:
                return at
            at += 1
        return None


def read_suppressions(file: Dockerfile[str], known: Collection[str]) -> Suppressions:
    """The suppressions of a file; `known` are the ids that exist, and others are warned of. Costs nothing where the
    mark is not in the text."""
    found = Suppressions()
    if MARK not in file.text:
        return found
    waiting: list[tuple[Span, frozenset[str] | None]] = []
    for item in file.items:
        if isinstance(item, Comment):
            _read(item.text.text, item.text.span, known, found, waiting)
            continue
        if isinstance(item, Instruction):
            found.ignored.extend(Ignored(item.span, ids) for _, ids in waiting)
        else:
            found.warnings.extend(_warning("misplaced", span) for span, _ in waiting)
        waiting.clear()
    found.warnings.extend(_warning("misplaced", span) for span, _ in waiting)
    return found


def read_line_suppressions(
    text: str, known: Collection[str], block_at: Callable[[int], Span | None]
) -> Suppressions:
    """The same for a text in which lines that begin with `#` are comments: `ignore` is about what begins on the next
    line that is none, which `block_at` knows by its offset."""
    found = Suppressions()
    waiting: list[tuple[Span, frozenset[str] | None]] = []
    at = 0
    for line in text.split("\n"):
        body = line.strip()
        if body.startswith("#"):
            start = at + len(line) - len(line.lstrip())
            _read(body, Span(start, start + len(body)), known, found, waiting)
        elif waiting:
            block = block_at(at)
            if block is None:
                found.warnings.extend(_warning("misplaced", span) for span, _ in waiting)
            else:
                found.ignored.extend(Ignored(block, ids) for _, ids in waiting)
            waiting.clear()
        at += len(line) + 1
    found.warnings.extend(_warning("misplaced", span) for span, _ in waiting)
    return found


def _read(
    comment: str,
    span: Span,
    known: Collection[str],
    found: Suppressions,
    waiting: list[tuple[Span, frozenset[str] | None]],
) -> None:
    match = _COMMENT.match(comment)
    if match is None:
        return
    if match["verb"] == "skip-file":
        found.skip_file = True
        return
    if match["verb"] != "ignore":
        found.warnings.append(_unknown(span, match["verb"], "it is ignore or skip-file"))
        return
    if match["ids"] is None:
        waiting.append((span, None))
        return
    ids = frozenset(part.strip() for part in match["ids"].split(","))
    found.warnings.extend(_unknown(span, name, "see `dockfix --list`") for name in sorted(ids.difference(known)))
    waiting.append((span, ids))


def _unknown(span: Span, name: str, hint: str) -> Refusal:
    return Refusal(ENGINE, "unknown-id", span, f"there is nothing called {name!r} here ({hint}).")


def _warning(reason: str, span: Span) -> Refusal:
    because = "nothing that it could be about stands directly below this comment, so that it has no effect."
    return Refusal(ENGINE, reason, span, because)
