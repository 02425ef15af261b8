"""What an outcome rests on beside the text: what was asked of the files around a Dockerfile, and what they answered.

Whoever has the same answers to the same questions has the same outcome, as codemods look at nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any, NamedTuple, TypeVar

from fixer.analysis.context import BuildContext, Kind, Sources
from fixer.engine.context import FoundContext
from fixer.engine.declared import FoundTargets

Question = tuple[str, str]
"""What is asked of a context, one of `QUESTIONS`, and about which path."""
QUESTIONS = ("at_hand", "excluded", "kept", "kind", "names", "read", "stored", "sure")
_MOST = 5_000
"""So many questions are kept at most."""
_Answer = TypeVar("_Answer")


class Questions(NamedTuple):
    """targets: whether it was asked what other files name as targets.
    wanted: by what the context was found, see `FoundContext.wanted`.
    context: what was asked of it.
    """

    targets: bool
    wanted: tuple[str, ...]
    context: tuple[Question, ...]

    @classmethod
    def of(cls, content: tuple[Any, ...]) -> Questions:
        """Out of three parts that may be anything. Raises TypeError or ValueError if they are no such things."""
        targets, wanted, context = content
        if not isinstance(targets, bool) or not all(isinstance(path, str) for path in wanted):
            raise TypeError
        for what, path in context:
            if what not in QUESTIONS or not isinstance(path, str):
                raise ValueError(what)
        return cls(targets, tuple(wanted), tuple(context))


class Surroundings:
    """One for one use: to answer what was asked earlier, or to note what is asked now."""

    def __init__(self, context: FoundContext, targets: FoundTargets) -> None:
        self._found = context
        self.context = NotedContext(context)
        self.targets = targets

    def answer(self, questions: Questions) -> object:
        """Something whose `repr` tells these answers from others. Raises what the answers raise."""
        said = self.targets() if questions.targets else None
        if questions.context:
            self._found.expect_paths(questions.wanted)
        return said, [self.context.ask(question) for question in questions.context]

    def asked(self, earlier: Surroundings) -> Questions | None:
        """What was asked, but for what `earlier` was asked. None if that is not all that the outcome rests on, or the
        answers were not the same."""
        noted, before = self.context.noted, earlier.context.noted
        if noted is None or before is None or any(before.get(one, said) != said for one, said in noted.items()):
            return None
        new = tuple(question for question in noted if question not in before)
        named = self.targets.consulted and not earlier.targets.consulted
        if len(new) > _MOST or (self.targets.consulted and not named and self.targets() != earlier.targets()):
            return None
        return Questions(named, self._found.wanted if new else (), new)

    def asked_after(self, context: FoundContext) -> Questions | None:
        """What was asked, where it is asked of `context` from now on; None as before, or if that is elsewhere."""
        noted = self.context.noted
        if noted is None or len(noted) > _MOST or (noted and not self._found.is_same(context)):
            return None
        return Questions(self.targets.consulted, context.wanted if noted else (), tuple(noted))


class NotedContext(BuildContext):
    """Another context, with notes of what it is asked."""

    def __init__(self, context: BuildContext) -> None:
        self._context = context
        self._noted: dict[Question, object] = {}
        self._torn = False

    @property
    def noted(self) -> Mapping[Question, object] | None:
        """What was asked so far, in order, each with its answer; of a content a digest. None if one had no answer, or
        two as somebody has changed a file meanwhile."""
        return None if self._torn else self._noted

    def ask(self, question: Question) -> object:
        """What `noted` says of a question, which is asked if it was not yet."""
        if question not in self._noted:
            what, path = question
            answer = getattr(self, what)
            if callable(answer):
                answer(path)
        return self._noted[question]

    def expect(self, sources: Sources) -> None:
        self._context.expect(sources)

    @property
    def at_hand(self) -> bool:
        return self._note("at_hand", "", lambda _: self._context.at_hand)

    @property
    def sure(self) -> bool:
        return self._note("sure", "", lambda _: self._context.sure)

    def kind(self, path: str) -> Kind | None:
        return self._note("kind", path, self._context.kind)

    def read(self, path: str) -> bytes | None:
        return self._note("read", path, self._context.read)

    def stored(self, path: str) -> str | None:
        return self._note("stored", path, self._context.stored)

    def names(self, directory: str = "") -> tuple[str, ...]:
        return self._note("names", directory, self._context.names)

    def excluded(self, path: str) -> bool:
        return self._note("excluded", path, self._context.excluded)

    def kept(self, path: str) -> str | None:
        return self._note("kept", path, self._context.kept)

    def _note(self, what: str, path: str, find: Callable[[str], _Answer]) -> _Answer:
        try:
            answer = find(path)
        except BaseException:
            self._torn = True
            raise
        noted = _digest(what, answer)
        if self._noted.setdefault((what, path), noted) != noted:
            self._torn = True
        return answer


def _digest(what: str, answer: object) -> object:
    if what == "stored" and isinstance(answer, str):
        answer = answer.encode("utf-8")
    return blake2b(answer, digest_size=16).digest() if isinstance(answer, bytes) else answer
