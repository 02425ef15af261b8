"""Reports are functions from results to text."""

from __future__ import annotations

import json

from fixer.codemods.api import Safety
from fixer.engine.job import FileResult
from fixer.engine.outcome import AppliedChange, Outcome, PlacedRefusal, Problem
from fixer.report.json import (
    document_end,
    document_entry,
    document_start,
    file_object,
    report_end,
    report_line,
    report_start,
)
from fixer.report.text import color_diff, notes, summary
from fixer.report.totals import Totals
from fixer.text.edits import Edit
from fixer.text.source import Position


def change(line: int = 3, *, risk: str = "") -> AppliedChange:
    safety = Safety.UNSAFE if risk else Safety.SAFE
    at, now = Position(line, 1), Position(line + 10, 1)
    return AppliedChange("a-mod", "do it", "It is good.", safety, risk, at, now, 0, (Edit(40, 40, "x\udcff"),))


def refusal(line: int = 5, because: str = "it cannot be.") -> PlacedRefusal:
    return PlacedRefusal("b-mod", "no-uid", because, "USER x", Position(line, 2), Position(line + 10, 2))


def result(path: str = "Dockerfile", **parts: object) -> FileResult:
    outcome: Outcome[bytes] = Outcome(path, "a", "b", True, **parts)  # type: ignore[arg-type]
    return FileResult(path, outcome, None, "--- a/x\n+++ b/x\n")


TROUBLE = FileResult("x", None, Problem("not-understood", "what is this?", Position(7, 1)), "")


def test_notes() -> None:
    one = result(changes=(change(9), change(risk="Rain.")), withheld=(change(1, risk="Snow."),), refusals=(refusal(),))
    assert notes(one) == (
        "Dockerfile:1: a-mod: withheld: do it. Risk: Snow.\n"
        "Dockerfile:3: a-mod: unsafe fix: do it: It is good. Risk: Rain.\n"
        "Dockerfile:5: b-mod: no-uid: it cannot be.\n"
        "Dockerfile:9: a-mod: fix: do it: It is good.\n"
    )
    assert notes(result(changes=(change(),)), written=True) == "Dockerfile:13: a-mod: fix: do it: It is good.\n"


def test_notes_of_trouble() -> None:
    assert notes(TROUBLE) == "x:7: not-understood: what is this?\n"
    assert notes(FileResult("x", None, Problem("missing", "gone."), "")) == "x: missing: gone.\n"


def test_a_note_is_one_line() -> None:
    """Whatever a Dockerfile or its name holds, it can neither forge a note nor steer the terminal."""
    text = notes(result("a\nb", refusals=(refusal(because="x\r\ny \x1b[2J\x9b z\x00"),)))
    assert text == "a b:5: b-mod: no-uid: x y  [2J  z \n"


def test_colours() -> None:
    assert notes(result(refusals=(refusal(),)), color=True) == (
        "Dockerfile:5: \x1b[1mb-mod\x1b[0m: \x1b[33mno-uid\x1b[0m: it cannot be.\n"
    )
    diff = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\r\n+b\n\\ No newline at end of file\n same"
    assert color_diff(diff) == (
        "\x1b[1m--- a/x\x1b[0m\n\x1b[1m+++ b/x\x1b[0m\n"
        "\x1b[36m@@ -1 +1 @@\x1b[0m\n\x1b[31m-a\r\x1b[0m\n\x1b[32m+b\x1b[0m\n"
        "\\ No newline at end of file\n same"
    )


def totals(*results: FileResult) -> Totals:
    counted = Totals()
    for one in results:
        counted.add(one)
    return counted


def test_summary() -> None:
    skipped: Outcome[bytes] = Outcome("s", "a", "a", True, skipped=True)
    counted = totals(
        result(changes=(change(), change()), refusals=(refusal(),) * 2, withheld=(change(risk="x"),), suppressed=2),
        TROUBLE,
        FileResult("s", skipped, None, ""),
    )
    assert summary(counted) == (
        "1 file would change, 0 unchanged, 1 skipped, 1 left alone (not-understood 1).\n"
        "fixes: 2 (a-mod 2)\n"
        "refused: 2 (b-mod: no-uid 2)\n"
        "silenced by comments: 2\n"
        "1 more with --unsafe-fixes (a-mod 1)\n"
    )
    assert summary(Totals(), written=True) == "0 files changed, 0 unchanged.\n"
    counted.known = 2
    more = summary(counted, seconds=1.5, interrupted=True).splitlines()[-2:]
    assert more == [
        "3 files in 1.5 s, 2 a second; 2 of them as an earlier run left them",
        "interrupted: the other files were not looked at.",
    ]


def test_totals_of_totals() -> None:
    one = totals(result(changes=(change(),), refusals=(refusal(),), withheld=(change(risk="x"),), suppressed=2))
    two = totals(TROUBLE, result(changes=(change(),)))
    two.known = 1
    together = Totals()
    together.merge(one)
    together.merge(two)
    expected = totals(
        result(changes=(change(),), refusals=(refusal(),), withheld=(change(risk="x"),), suppressed=2),
        TROUBLE,
        result(changes=(change(),)),
    )
    expected.known = 1
    assert together == expected
    assert (one.trouble, two.trouble) == (False, True)


def test_only_trouble() -> None:
    internal = PlacedRefusal("b-mod", "internal-error", "a bug.", "", Position(1, 1), Position(1, 1))
    one = result(changes=(change(),), withheld=(change(risk="x"),), refusals=(internal, refusal()))
    assert notes(one, only_trouble=True) == "Dockerfile:1: b-mod: internal-error: a bug.\n"
    assert notes(TROUBLE, only_trouble=True) == notes(TROUBLE)


def test_json_schema_1() -> None:
    """The whole of it: who changes this changes the schema's number, or only adds."""
    one = result(changes=(change(risk="Rain."),), refusals=(refusal(),), suppressed=1)
    files = [file_object(one, written=True), file_object(TROUBLE)]
    text = document_start() + ",".join(document_entry(facts) for facts in files)
    text += document_end(totals(one, TROUBLE), any_files=True)
    report = json.loads(text)
    assert text == json.dumps(report, indent=2) + "\n"
    lines = [report_start(), *(report_line(facts) for facts in files), report_end(totals(one, TROUBLE))]
    assert all(line.endswith("\n") and line.count("\n") == 1 for line in lines)
    parts = [json.loads(line) for line in lines]
    assert parts[0] == {name: report[name] for name in ("schema", "dockfix")}
    assert parts[1:-1] == report["files"]
    assert parts[-1] == {"summary": report["summary"]}
    assert report.pop("dockfix").startswith("0.")
    assert report == {
        "schema": 1,
        "files": [
            {
                "path": "Dockerfile",
                "status": "changed",
                "written": True,
                "created": False,
                "problem": None,
                "changes": [
                    {
                        "codemod": "a-mod",
                        "title": "do it",
                        "why": "It is good.",
                        "safety": "unsafe",
                        "risk": "Rain.",
                        "position": {"line": 3, "column": 1},
                        "position_after": {"line": 13, "column": 1},
                        "step": 0,
                        "edits": [{"start": 40, "end": 40, "new": "x\udcff"}],
                        "alters": {"paths": [], "config": []},
                    }
                ],
                "withheld": [],
                "refusals": [
                    {
                        "codemod": "b-mod",
                        "reason": "no-uid",
                        "because": "it cannot be.",
                        "text": "USER x",
                        "position": {"line": 5, "column": 2},
                        "position_after": {"line": 15, "column": 2},
                    }
                ],
                "builder": None,
                "built_by": [],
                "suppressed": 1,
                "diff": "--- a/x\n+++ b/x\n",
            },
            {
                "path": "x",
                "status": "error",
                "written": False,
                "created": False,
                "problem": {
                    "kind": "not-understood",
                    "message": "what is this?",
                    "position": {"line": 7, "column": 1},
                },
                "changes": [],
                "withheld": [],
                "refusals": [],
                "builder": None,
                "built_by": [],
                "suppressed": 0,
                "diff": "",
            },
        ],
        "summary": {
            "files": {"changed": 1, "unchanged": 0, "skipped": 0, "error": 1},
            "changes": {"a-mod": 1},
            "withheld": {},
            "refusals": {"b-mod": {"no-uid": 1}},
            "problems": {"not-understood": 1},
            "suppressed": 1,
            "known": 0,
            "complete": True,
        },
    }


def test_json_without_files() -> None:
    text = document_start() + document_end(Totals(), any_files=False, complete=False)
    report = json.loads(text)
    assert text == json.dumps(report, indent=2) + "\n"
    assert (report["files"], report["summary"]["complete"]) == ([], False)
