"""What the engine works on: the text of a Dockerfile, or of another document, with what its loop must know of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import cached_property
from importlib import import_module
from typing import Any, Protocol

from fixer.analysis.documents import DocumentFacts
from fixer.codemods.api import Change
from fixer.engine.check import encoding_fault, stray_change
from fixer.engine.generated import says_generated
from fixer.engine.kinds import IGNORE, WORKFLOW
from fixer.engine.outcome import Problem
from fixer.engine.suppress import MARK, Suppressions, read_line_suppressions
from fixer.engine.trail import Step
from fixer.text.source import LineIndex, Span

_READERS = {
    WORKFLOW: ("fixer.analysis.workflow", "read_workflow"),
    IGNORE: ("fixer.analysis.ignorefile", "read_ignore_file"),
}
"""The function that makes the facts of a text, by its kind; imported when it is needed."""

_NOTHING_YET = frozenset(("", "---"))
"""Lines that a file may begin with, and say nothing: the other begins a YAML document."""


class Document(Protocol):
    """One text of the loop."""

    @property
    def text(self) -> str: ...

    @property
    def joined(self) -> str:
        """The text in which codemods' words are looked for."""

    @property
    def lines(self) -> LineIndex: ...

    @property
    def suppressions(self) -> Suppressions: ...

    @property
    def generated(self) -> Span | None:
        """The comment that says that a program writes the file."""

    @property
    def problem(self) -> Problem | None:
        """Why nothing can be done with it."""

    @property
    def facts(self) -> Any:
        """What the codemods for this kind of text are given."""

    def edited(self, text: str, step: Step) -> Document:
        """The text that comes of this one by the edits of `step`."""

    def fault(self, old: Any, changes: Sequence[Change], step: Step) -> str | None:
        """What is wrong with this text, which came from `old` by `changes`, whose edits `step` holds; or None."""

    def rest(self) -> None:
        """Nobody asks for now: what was computed may go."""


class PlainDocument:
    """A document that is no Dockerfile. Its comments are lines that begin with `#`."""

    def __init__(self, text: str, known: Collection[str], read: Callable[[str], DocumentFacts]) -> None:
        self.text = text
        self.joined = text
        self.facts = read(text)
        self._known = known
        self._read = read

    def edited(self, text: str, step: Step) -> PlainDocument:
        return PlainDocument(text, self._known, self._read)

    @cached_property
    def lines(self) -> LineIndex:
        return LineIndex(self.text)

    @cached_property
    def suppressions(self) -> Suppressions:
        if MARK not in self.text:
            return Suppressions()
        return read_line_suppressions(self.text, self._known, self.facts.block_at)

    @cached_property
    def generated(self) -> Span | None:
        return says_generated(self._top())

    def _top(self) -> Iterator[tuple[str, Span]]:
        at = 0
        for line in self.text.split("\n"):
            bare = line.removeprefix("\ufeff").strip()
            if bare.startswith("#"):
                yield line, Span(at, at + len(line))
            elif bare not in _NOTHING_YET:
                return
            at += len(line) + 1

    @property
    def problem(self) -> Problem | None:
        found = self.facts.problem
        if found is None:
            return None
        message, offset = found
        return Problem("not-understood", f"{message}; it is left alone.", self.lines.position(offset))

    def rest(self) -> None:
        pass

    def fault(self, old: PlainDocument, changes: Sequence[Change], step: Step) -> str | None:
        if self.facts.problem is not None:
            return f"the result is not understood: {self.facts.problem[0]}"
        lost = _comment_lines(old.text) - _comment_lines(self.text)
        if lost:
            return f"a comment vanished: {next(iter(lost))}"
        spans: list[Span] = [change.span for change in changes]
        return (
            stray_change(changes)
            or encoding_fault(old.text, self.text)
            or self.facts.fault(old.facts, spans, step.forward)
        )


def reader_of(kind: str) -> Callable[[str], DocumentFacts]:
    """What makes the facts of a text of that kind, which is not a Dockerfile's."""
    module, name = _READERS[kind]
    found: Callable[[str], DocumentFacts] = getattr(import_module(module), name)
    return found


def _comment_lines(text: str) -> Counter[str]:
    return Counter(line.strip() for line in text.split("\n") if line.lstrip().startswith("#"))
