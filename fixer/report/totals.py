"""Counts over many files."""

from __future__ import annotations

from collections import Counter

from fixer.engine.job import FileResult
from fixer.text.records import dataclass, field


@dataclass(slots=True)
class Totals:
    """Add every file's result; read the counts."""

    files: Counter[str] = field(default_factory=Counter)
    """By status: changed, unchanged, skipped, error."""
    changes: Counter[str] = field(default_factory=Counter)
    """By codemod."""
    withheld: Counter[str] = field(default_factory=Counter)
    """By codemod."""
    refusals: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By codemod and reason."""
    problems: Counter[str] = field(default_factory=Counter)
    """By kind."""
    suppressed: int = 0
    known: int = 0
    """Files of which an earlier run had the same result."""

    @property
    def trouble(self) -> bool:
        """True if a file could not be read, understood, processed or written, as far as the codemods would."""
        return bool(self.files["error"]) or any(reason == "internal-error" for _, reason in self.refusals)

    def merge(self, other: Totals) -> None:
        self.files.update(other.files)
        self.changes.update(other.changes)
        self.withheld.update(other.withheld)
        self.refusals.update(other.refusals)
        self.problems.update(other.problems)
        self.suppressed += other.suppressed
        self.known += other.known

    def add(self, result: FileResult, *, known: bool = False) -> None:
        self.files[result.status] += 1
        self.known += known
        if result.problem is not None:
            self.problems[result.problem.kind] += 1
        outcome = result.outcome
        if outcome is None:
            return
        self.changes.update(change.codemod for change in outcome.changes)
        self.withheld.update(change.codemod for change in outcome.withheld)
        self.refusals.update((refusal.codemod, refusal.reason) for refusal in outcome.refusals)
        self.suppressed += outcome.suppressed
