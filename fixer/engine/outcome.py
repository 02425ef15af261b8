"""What came of one text: the new text, what was changed, what was left alone and why. Plain data, picklable."""

from __future__ import annotations

from typing import Generic

from fixer.codemods.api import NOTHING, Alters, Safety
from fixer.engine.trail import Step
from fixer.text.edits import Edit
from fixer.text.records import dataclass
from fixer.text.source import LineIndex, Position, encode
from fixer.tree.nodes import Source

ENGINE = "dockfix"
"""The name that stands in the place of a codemod's id where the engine itself speaks."""

REASONS = {
    "internal-error": "a codemod crashed, or its result failed the engine's checks: a bug in dockfix; nothing of that "
    "codemod was done in this file",
    "too-much-work": "the file has so many stages, instructions and commands that a codemod would take too long; "
    "nothing of that codemod was done in this file",
    "conflict": "the edits of one change overlap each other, so that it cannot be done",
    "not-utf-8": "the change would remove, move or repeat bytes that are not UTF-8",
    "generated": "the file says at its top that a program writes it, which would undo the change",
    "shared": "the file, which is no Dockerfile, has another name: who reads it by that one would get the change, too",
    "vendored": "the file belongs to a package of others, which a program would put there again as it was",
    "suppressed": "the change would edit an instruction below a `# dockfix: ignore` comment",
    "unknown-id": "a `# dockfix:` comment names something that does not exist",
    "misplaced": "a `# dockfix: ignore` comment that no instruction follows directly, so that it has no effect",
}
"""Reason codes of refusals that the engine itself gives, for any codemod."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a whole file was left alone."""

    kind: str
    """A stable code, one of `PROBLEMS`."""
    message: str
    """One sentence for people, without the file's name."""
    position: Position | None = None
    """Where in the file, if anywhere."""


PROBLEMS = {
    "missing": "no such file or directory",
    "no-permission": "may not be read or written",
    "not-a-file": "a directory in a file's place, a device, a pipe or a socket",
    "configuration": "the project's configuration cannot be followed",
    "no-dockerfiles": "a directory without Dockerfiles",
    "too-large": "larger than BuildKit takes",
    "binary": "holds NUL bytes",
    "template": "a template that makes a Dockerfile, not a Dockerfile",
    "not-understood": "BuildKit would refuse an instruction of it, or dockfix does not understand one",
    "hard-links": "a file with names that were not given, so that to replace it would tear it from them",
    "changed-meanwhile": "somebody else changed the file while dockfix worked on it",
    "input-output": "the operating system reported another error",
    "internal-error": "dockfix itself failed",
}
"""Kinds of problems, with what they mean."""


@dataclass(frozen=True, slots=True)
class AppliedChange:
    """A change that was made, or one that was withheld because it is unsafe."""

    codemod: str
    title: str
    why: str
    safety: Safety
    risk: str
    position: Position
    """The instruction that it is about, in the text before all changes."""
    position_after: Position
    """The same in the text after all changes."""
    step: int
    """Which text `edits` refer to: step 0 edits the text as it was, step 1 the result of all changes of step 0, and so
    on. A withheld change refers to the final text."""
    edits: tuple[Edit, ...]
    alters: Alters = NOTHING
    """Where images may differ because of it."""


@dataclass(frozen=True, slots=True)
class PlacedRefusal:
    """A refusal on the final text."""

    codemod: str
    reason: str
    because: str
    text: str
    """The exact text that stopped the codemod, as it stands in the final text."""
    position: Position
    """Its place in the text before all changes (of what stands there now, if a change made it)."""
    position_after: Position
    """Its place in the final text."""


@dataclass(frozen=True, slots=True)
class Outcome(Generic[Source]):
    """What `fix` gives back. `before` and `after` are of the type that was given, bytes or str."""

    path: str | None
    text_before: str
    text_after: str
    binary: bool
    """True if bytes were given."""
    changes: tuple[AppliedChange, ...] = ()
    """In the order in which they were made."""
    withheld: tuple[AppliedChange, ...] = ()
    """Unsafe changes that `unsafe_fixes` would make next, in the order of the final text."""
    refusals: tuple[PlacedRefusal, ...] = ()
    """In the order of the final text."""
    error: Problem | None = None
    """Set if the text was left alone as a whole."""
    skipped: bool = False
    """True if the file says `# dockfix: skip-file`."""
    suppressed: int = 0
    """How many changes and refusals a `# dockfix: ignore` silenced."""

    @property
    def changed(self) -> bool:
        return self.text_before != self.text_after

    @property
    def before(self) -> Source:
        return encode(self.text_before) if self.binary else self.text_before  # type: ignore[return-value]

    @property
    def after(self) -> Source:
        return encode(self.text_after) if self.binary else self.text_after  # type: ignore[return-value]


class Origins:
    """Where in the text before all changes stands what stands in the text after them."""

    def __init__(self, outcome: Outcome[bytes]) -> None:
        by_step: dict[int, dict[Edit, AppliedChange]] = {}
        for change in outcome.changes:
            by_step.setdefault(change.step, {}).update(dict.fromkeys(change.edits, change))
        self._steps = [(Step(by_step[step]), by_step[step]) for step in sorted(by_step, reverse=True)]
        self._lines = LineIndex(outcome.text_before)

    def line(self, offset: int) -> tuple[int, bool]:
        """The line before all changes, and whether a change wrote what stands at the offset after them: of text that
        takes another's place that of the other, of lines that are new that of the instruction they are there for."""
        written = False
        for step, changes in self._steps:
            edit = step.written(offset)
            if edit is not None:
                written = True
                if edit.start == edit.end and "\n" in edit.new:
                    return changes[edit].position.line, True
            offset = step.back(offset)
        return self._lines.position(offset).line, written
