"""What people see of one file, made where the file was worked on: the process that collects it only prints."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import TYPE_CHECKING

from fixer.engine.job import Done, FileResult, Options, fix_target
from fixer.engine.outcome import Problem
from fixer.report.totals import Totals
from fixer.text.records import dataclass, field

if TYPE_CHECKING:
    from fixer.engine.files import Target
    from fixer.engine.result_cache import ResultCache, Row


@dataclass(frozen=True, slots=True)
class View:
    """What is wanted."""

    diff: bool = False
    notes: bool = True
    """False: only those about trouble."""
    document: bool = False
    """An entry of the JSON document, instead of diff and notes."""
    line: bool = False
    """A line of the report."""
    color_out: bool = False
    color_err: bool = False


@dataclass(slots=True)
class Entry:
    """Texts that are not wanted are empty."""

    totals: Totals = field(default_factory=Totals)
    diff: str = ""
    notes: str = ""
    document: str = ""
    line: str = ""
    rows: tuple[Row, ...] = ()
    """For the cache of results."""


def entry(done: Done, view: View) -> Entry:
    """One file's entry."""
    result = done.result
    made = Entry(rows=done.rows)
    if result.nothing:
        return made
    made.totals.add(result, known=done.known)
    if view.document or view.line:
        from fixer.report.json import document_entry, file_object, report_line

        facts = file_object(result, written=done.written)
        made.document = document_entry(facts) if view.document else ""
        made.line = report_line(facts) if view.line else ""
    if not view.document:
        from fixer.report.text import color_diff, notes

        made.notes = notes(result, written=done.written, color=view.color_err, only_trouble=not view.notes)
        if view.diff:
            made.diff = color_diff(result.diff) if view.color_out else result.diff
    return made


TARGETS_PER_COLLECTION = 500
"""The command's thresholds are for the start and for single files (see `fixer.__main__`): what refers to itself in
circles would gather, some 10 kB a file."""


@dataclass(slots=True)
class Worker:
    """From a target to its entry, in whatever process."""

    options: Options
    view: View
    write_back: bool = False
    cache: ResultCache | None = None
    before_write: Callable[[], None] | None = None
    """Called when nothing must break off any more."""
    _targets: int = 0

    def __call__(self, target: Target) -> Entry:
        self._targets += 1
        if self._targets % TARGETS_PER_COLLECTION == 0:
            gc.collect()
            if self._targets == TARGETS_PER_COLLECTION:
                gc.freeze()  # what is there now, the modules above all, stays: later collections need not look at it
        done = fix_target(
            target, self.options, write_back=self.write_back, cache=self.cache, before_write=self.before_write
        )
        return entry(done, self.view)

    def lost(self, target: Target) -> Entry:
        """For a target whose process died."""
        problem = Problem("internal-error", "the process died that worked on it.")
        return entry(Done(FileResult(target.path, None, problem, "")), self.view)
