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

    def add(self, result: FileResult) -> None:
        self.files[result.status] += 1
        if result.problem is not None:
            self.problems[result.problem.kind] += 1
        outcome = result.outcome
        if outcome is None:
            return
        self.changes.update(change.codemod for change in outcome.changes)
        self.withheld.update(change.codemod for change in outcome.withheld)
        self.refusals.update((refusal.codemod, refusal.reason) for refusal in outcome.refusals)
        self.suppressed += outcome.suppressed
