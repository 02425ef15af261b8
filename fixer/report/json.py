"""Results as JSON, schema version 1.

    {
      "schema": 1,                     grows when a field changes its meaning or goes; new fields may come without
      "dockfix": "0.1.0",              the version that wrote this
      "files": [
        {
          "path": "Dockerfile",        as given or found
          "status": "changed",         changed (or would be), unchanged, skipped (`# dockfix: skip-file`), error
          "written": false,            true if the new text is on disk
          "created": false,            true if there was no such file before
          "problem": null,             or {"kind", "message", "position" or null}; kinds: fixer.engine.outcome.PROBLEMS
          "changes": [                 what was done, in the order in which it was done
            {
              "codemod": "pip-cache",
              "title": "…",            what it does
              "why": "…",              why that is right and safe
              "safety": "safe",        or "unsafe"; then
              "risk": "",              says what may go wrong
              "position": {"line": 3, "column": 1},         the instruction, in the text before all changes
              "position_after": {"line": 3, "column": 1},   the same in the text after all changes
              "step": 0,
              "edits": [{"start": 40, "end": 40, "new": "…"}],
              "alters": {"paths": ["/root/.cache/pip"],   where images may differ because of it: these paths and all
                                                          below them,
                         "config": ["Env PIP_NO_CACHE_DIR"]}   these fields of the configuration
            }
          ],
          "withheld": [],              the same for unsafe changes that --unsafe-fixes would make
          "refusals": [                what was left alone
            {
              "codemod": "apt-cache",
              "reason": "…",           a stable code; `dockfix --explain ID` lists those of a codemod
              "because": "…",          one sentence
              "text": "…",             the exact text that stopped the codemod, from the text after all changes
              "position": …, "position_after": …
            }
          ],
          "builder": "persistent",     what keeps the caches of its builds, or "ephemeral"; null if nothing was done
          "built_by": [],              the workflows that build it on GitHub's runners, where cache mounts start empty
          "suppressed": 0,             how many changes and refusals `# dockfix: ignore` comments silenced
          "diff": "--- a/Dockerfile…"  a unified diff, empty if nothing changes
        }
      ],
      "summary": {
        "files": {"changed": 1, "unchanged": 0, "skipped": 0, "error": 0},
        "changes": {"pip-cache": 1},
        "withheld": {},
        "refusals": {"apt-cache": {"reason": 1}},
        "problems": {},
        "suppressed": 0,
        "known": 0,                    files of which an earlier run had the same result
        "complete": true               false if the run was interrupted before all files were done
      }
    }

`--report` writes the same as JSON lines while the files are worked on: first `{"schema", "dockfix"}`, then one object
of `files` a line, each written at once when its file is done, and at last `{"summary"}`. Where the last line is another
one, the run was killed; what stands behind the last line's end is then no line.

Lines and columns count from 1. Offsets of edits count characters from 0 (a byte order mark is one, and so is a byte
that is not UTF-8), `end` is exclusive. All edits of one `step` are spans of one text and are made together: step 0
edits the text as it was, step 1 the result of step 0, and so on; edits of a withheld change are spans of the final
text. A byte that is not UTF-8 is written as the lone surrogate U+DC80 to U+DCFF (Python's `surrogateescape`).
"""

from __future__ import annotations

import json
from typing import Any

from fixer._version import __version__
from fixer.engine.job import FileResult
from fixer.engine.outcome import AppliedChange, PlacedRefusal, Problem
from fixer.report.totals import Totals
from fixer.text.source import Position

SCHEMA = 1


def document_start() -> str:
    """The document up to its files; then come `document_entry`s with `,` between them, and `document_end`."""
    return f'{{\n  "schema": {SCHEMA},\n  "dockfix": {json.dumps(__version__)},\n  "files": ['


def document_entry(facts: dict[str, Any]) -> str:
    """One `file_object` as it stands in the document, behind a line's end."""
    return "\n    " + json.dumps(facts, indent=2).replace("\n", "\n    ")


def document_end(totals: Totals, *, any_files: bool, complete: bool = True) -> str:
    """The rest of the document; ends in LF."""
    counts = json.dumps(summary_object(totals, complete=complete), indent=2).replace("\n", "\n  ")
    end = "\n  ]" if any_files else "]"
    return f'{end},\n  "summary": {counts}\n}}\n'


def report_start() -> str:
    """The first line of a report in JSON lines."""
    return _line({"schema": SCHEMA, "dockfix": __version__})


def report_line(facts: dict[str, Any]) -> str:
    """The line of one `file_object`."""
    return _line(facts)


def report_end(totals: Totals, *, complete: bool = True) -> str:
    """The last line of a report in JSON lines."""
    return _line({"summary": summary_object(totals, complete=complete)})


def _line(facts: dict[str, Any]) -> str:
    return json.dumps(facts, separators=(",", ":")) + "\n"


def file_object(result: FileResult, *, written: bool = False) -> dict[str, Any]:
    """One entry of `files`."""
    outcome = result.outcome
    return {
        "path": result.path,
        "status": result.status,
        "written": written,
        "created": result.created,
        "problem": None if result.problem is None else _problem(result.problem),
        "changes": [change_object(change) for change in outcome.changes] if outcome else [],
        "withheld": [change_object(change) for change in outcome.withheld] if outcome else [],
        "refusals": [refusal_object(refusal) for refusal in outcome.refusals] if outcome else [],
        "builder": result.builder.value if result.builder else None,
        "built_by": list(result.built_by),
        "suppressed": outcome.suppressed if outcome else 0,
        "diff": result.diff,
    }


def summary_object(totals: Totals, *, complete: bool = True) -> dict[str, Any]:
    """The entry `summary`."""
    refusals: dict[str, dict[str, int]] = {}
    for (codemod, reason), count in sorted(totals.refusals.items()):
        refusals.setdefault(codemod, {})[reason] = count
    return {
        "files": {status: totals.files[status] for status in ("changed", "unchanged", "skipped", "error")},
        "changes": dict(sorted(totals.changes.items())),
        "withheld": dict(sorted(totals.withheld.items())),
        "refusals": refusals,
        "problems": dict(sorted(totals.problems.items())),
        "suppressed": totals.suppressed,
        "known": totals.known,
        "complete": complete,
    }


def _problem(problem: Problem) -> dict[str, Any]:
    position = None if problem.position is None else _position(problem.position)
    return {"kind": problem.kind, "message": problem.message, "position": position}


def change_object(change: AppliedChange) -> dict[str, Any]:
    """One entry of `changes` and `withheld`."""
    return {
        "codemod": change.codemod,
        "title": change.title,
        "why": change.why,
        "safety": change.safety.value,
        "risk": change.risk,
        "position": _position(change.position),
        "position_after": _position(change.position_after),
        "step": change.step,
        "edits": [{"start": edit.start, "end": edit.end, "new": edit.new} for edit in change.edits],
        "alters": {"paths": list(change.alters.paths), "config": list(change.alters.config)},
    }


def refusal_object(refusal: PlacedRefusal) -> dict[str, Any]:
    """One entry of `refusals`."""
    return {
        "codemod": refusal.codemod,
        "reason": refusal.reason,
        "because": refusal.because,
        "text": refusal.text,
        "position": _position(refusal.position),
        "position_after": _position(refusal.position_after),
    }


def _position(position: Position) -> dict[str, int]:
    return {"line": position.line, "column": position.column}
