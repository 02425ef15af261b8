"""Documents beside a Dockerfile that decide how it builds, and the Dockerfiles around them.

Each kind has a class for what is known of one text, made from the text alone; `DocumentFacts` is what the engine wants
of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from functools import cached_property
from typing import Protocol, TypeVar

from fixer.analysis.context import NO_CONTEXT, BuildContext
from fixer.analysis.facts import Facts
from fixer.text.source import Span

Self = TypeVar("Self", bound="DocumentFacts", contravariant=True)


class DocumentFacts(Protocol):
    """What the engine asks about a text that is no Dockerfile."""

    @property
    def text(self) -> str: ...

    @property
    def problem(self) -> tuple[str, int] | None:
        """Why the text is not understood, one sentence without a stop, and the offset where; None if it is."""

    def block_at(self, offset: int) -> Span | None:
        """What begins on the line that starts at `offset`: that is what a comment right above it speaks of."""

    def fault(self: Self, old: Self, about: Sequence[Span], forward: Callable[[int], int]) -> str | None:
        """What is wrong with this text as one that came from `old` by changes of the places `about`, one sentence
        without a stop; None if all else means what it meant. forward: where an offset of `old` is now."""


class Use(Enum):
    """Whether a directory is the build context of a Dockerfile."""

    CERTAIN = "certain"
    """Somebody says so, or it is the nearest that holds what the Dockerfile takes."""
    POSSIBLE = "possible"
    """What is known does not rule it out."""
    NONE = "none"


class Neighbour:
    """A Dockerfile around a document: at or below the directory that it is about, or with that for its build context.

    path: relative to that directory, with `/`.
    facts: what is known of it, as it will be when this run has changed it; None if it cannot be read or is not
        understood.
    context: its build context; for a .dockerignore that directory, if it may be used with it.
    use: whether the directory that the document is about is its build context.
    own_ignore: whether a .dockerignore of its own stands beside it, so that the context's is not in force.
    line: for an offset in the text that `facts` is about: its line in the file as people have it, and whether a change
        wrote what stands there. By default that text is what they have.
    """

    def __init__(
        self,
        path: str,
        facts: Callable[[], Facts | None],
        context: BuildContext = NO_CONTEXT,
        use: Callable[[], Use] = lambda: Use.NONE,
        *,
        own_ignore: bool = False,
        line: Callable[[int], tuple[int, bool]] | None = None,
    ) -> None:
        self.path = path
        self.context = context
        self.own_ignore = own_ignore
        self._facts = facts
        self._use = use
        self._line = line

    @cached_property
    def facts(self) -> Facts | None:
        return self._facts()

    def at(self, offset: int) -> str:
        """A place of the Dockerfile, for people."""
        if self._line is not None:
            line, written = self._line(offset)
            return f"{self.path}:{line} as rewritten" if written else f"{self.path}:{line}"
        return self.path if self.facts is None else f"{self.path}:{self.facts.file.lines.position(offset).line}"

    @cached_property
    def use(self) -> Use:
        return self._use()
