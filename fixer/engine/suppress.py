"""`# dockfix: ignore=ID[,ID] because …` and `# dockfix: skip-file`.

- Only whole comment lines count: not the text of a heredoc, not a comment in the middle of an instruction.
- `ignore` stands directly above its instruction, with nothing but other comment lines between. Without ids it means all
  codemods. What follows the ids is for people.
- `skip-file` may stand on any comment line.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from fixer.codemods.api import Refusal
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
