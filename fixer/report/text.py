"""Notes for people: a line a change, a line a refusal, a summary. And colours for a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from fixer.codemods.api import Builder, Safety
from fixer.engine.job import FileResult
from fixer.engine.outcome import AppliedChange, PlacedRefusal, Problem
from fixer.report.totals import Totals

RED, GREEN, YELLOW, CYAN, BOLD = "31", "32", "33", "36", "1"


def paint(text: str, code: str, color: bool) -> str:
    """`text` in an ANSI colour if `color`."""
    return f"\x1b[{code}m{text}\x1b[0m" if color and text else text


def notes(
    result: FileResult, *, written: bool = False, color: bool = False, only_trouble: bool = False
) -> str:
    """What was done in a file and why, what was not and why: lines that end in LF, in the order of the text.

    written: the file on disk is the new text already, so lines are counted in it, else in the old one.
    only_trouble: problems of the file, and failures of dockfix itself.
    """
    if result.problem is not None:
        return _problem(result.path, result.problem, color)
    outcome = result.outcome
    if outcome is None:
        return ""
    rows: list[tuple[tuple[int, int], str]] = []
    for change in () if only_trouble else outcome.changes:
        rows.append((_place(change, written), _change(change, color)))
    for change in () if only_trouble else outcome.withheld:
        rows.append((_place(change, written), _withheld(change, color)))
    for refusal in outcome.refusals:
        if only_trouble and refusal.reason != "internal-error":
            continue
        rows.append((_place(refusal, written), _refusal(refusal, color)))
    rows.sort(key=lambda row: row[0])
    said = "".join(f"{_one_line(result.path)}:{place[0]}: {text}\n" for place, text in rows)
    return said if only_trouble else said + _of_builder(result, color)


def _of_builder(result: FileResult, color: bool) -> str:
    """What cache mounts bring where no builder stays, if mounts were added."""
    outcome = result.outcome
    if outcome is None or result.builder is not Builder.EPHEMERAL:
        return ""
    if outcome.text_after.count("type=cache") <= outcome.text_before.count("type=cache"):
        return ""
    who = ", ".join(result.built_by)
    builds = "build" if len(result.built_by) > 1 else "builds"
    where = f"where {who} {builds} it, on GitHub's runners," if who else "where every build has a new builder,"
    text = (
        f"{where} cache mounts start empty and bring nothing alone. There a cache of layers helps (gha-cache writes it "
        "into the workflow), with dependencies in layers of their own (cargo-chef); cache-dance carries mounts over."
    )
    return f"{_one_line(result.path)}: {paint('note', CYAN, color)}: {_one_line(text)}\n"


def _place(one: AppliedChange | PlacedRefusal, written: bool) -> tuple[int, int]:
    return one.position_after if written else one.position


def _problem(path: str, problem: Problem, color: bool) -> str:
    place = f":{problem.position.line}" if problem.position else ""
    return f"{_one_line(path)}{place}: {paint(problem.kind, RED, color)}: {_one_line(problem.message)}\n"


def _change(change: AppliedChange, color: bool) -> str:
    if change.safety is Safety.UNSAFE:
        verb, rest = paint("unsafe fix", RED, color), f"{change.title}: {change.why} Risk: {change.risk}"
    else:
        verb, rest = paint("fix", GREEN, color), f"{change.title}: {change.why}"
    return f"{paint(change.codemod, BOLD, color)}: {verb}: {_one_line(rest)}"


def _withheld(change: AppliedChange, color: bool) -> str:
    rest = _one_line(f"{change.title}. Risk: {change.risk}")
    return f"{paint(change.codemod, BOLD, color)}: {paint('withheld', YELLOW, color)}: {rest}"


def _refusal(refusal: PlacedRefusal, color: bool) -> str:
    reason = paint(refusal.reason, YELLOW, color)
    return f"{paint(refusal.codemod, BOLD, color)}: {reason}: {_one_line(refusal.because)}"


def _one_line(text: str) -> str:
    """`text` without line ends and other control characters, which could forge notes or steer a terminal."""
    return "".join(c if c >= " " and not "\x7f" <= c <= "\x9f" else " " for c in " ".join(text.split()))


def summary(
    totals: Totals, *, written: bool = False, seconds: float | None = None, interrupted: bool = False
) -> str:
    """The counts, in a few lines that end in LF. seconds: how long it took, where that is worth a line."""
    lines = list(_summary(totals, written))
    if seconds is not None:
        lines.append(_pace(totals, seconds))
    if interrupted:
        lines.append("interrupted: the other files were not looked at.")
    return "".join(f"{line}\n" for line in lines)


def _pace(totals: Totals, seconds: float) -> str:
    count = totals.files.total()
    known = f"; {totals.known:,} of them as an earlier run left them" if totals.known else ""
    return f"{count:,} files in {seconds:,.1f} s, {count / max(seconds, 0.001):,.0f} a second{known}"


def _summary(totals: Totals, written: bool) -> Iterator[str]:
    changed = totals.files["changed"]
    parts = [f"{_files(changed)} {'changed' if written else 'would change'}", f"{totals.files['unchanged']} unchanged"]
    if totals.files["skipped"]:
        parts.append(f"{totals.files['skipped']} skipped")
    if totals.files["error"]:
        parts.append(f"{totals.files['error']} left alone ({_counts(totals.problems)})")
    yield ", ".join(parts) + "."
    if totals.changes:
        yield f"fixes: {totals.changes.total()} ({_counts(totals.changes)})"
    if totals.refusals:
        by_name = Counter({f"{codemod}: {reason}": n for (codemod, reason), n in totals.refusals.items()})
        yield f"refused: {by_name.total()} ({_counts(by_name)})"
    if totals.suppressed:
        yield f"silenced by comments: {totals.suppressed}"
    if totals.withheld:
        yield f"{totals.withheld.total()} more with --unsafe-fixes ({_counts(totals.withheld)})"


def _files(count: int) -> str:
    return f"{count} file" if count == 1 else f"{count} files"


def _counts(counter: Counter[str]) -> str:
    """Most frequent first, then by name."""
    rows: Iterable[tuple[str, int]] = sorted(counter.items(), key=lambda row: (-row[1], row[0]))
    return ", ".join(f"{name} {count}" for name, count in rows)


def color_diff(diff: str) -> str:
    """A unified diff in the colours that people know from git."""
    return "".join(_color_row(row) for row in _rows(diff))


def _rows(text: str) -> list[str]:
    rows = text.split("\n")
    last = rows.pop()
    return [row + "\n" for row in rows] + ([last] if last else [])


def _color_row(row: str) -> str:
    body = row.rstrip("\n")
    if row.startswith(("---", "+++")):
        code = BOLD
    elif row.startswith("@@"):
        code = CYAN
    elif row.startswith("+"):
        code = GREEN
    elif row.startswith("-"):
        code = RED
    else:
        return row
    return paint(body, code, True) + row[len(body) :]
