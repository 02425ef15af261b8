"""A proof as text for people: the verdict, what was checked, what differs, the times, what was not checked and why."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from statistics import median

from fixer.codemods.api import Safety
from fixer.prove.model import Build, Cause, Check, Comparison, Difference, Phase, Proof, Side, Times, Verdict
from fixer.prove.timeline import cells, duration
from fixer.prove.visible import of_a_terminal, plain
from fixer.report.text import BOLD, GREEN, RED, YELLOW, paint

LOG_LINES = 30
"""How much of a failed build's log is shown, from its end."""
EXAMPLES = 3
"""How many differences with a known cause are named."""
SAME = 1.05
"""Ratios of times below this are no gain and no loss."""
ALIKE = 0.3
"""Seconds by which two builds of the same may differ."""

_WORDS = {
    Verdict.PASSED: ("passed", GREEN),
    Verdict.FAILED: ("FAILED", RED),
    Verdict.IMPROVED: ("improved", GREEN),
    Verdict.NOT_CHECKED: ("not checked", YELLOW),
}
_WIDTH = max(len(word) for word, _ in _WORDS.values())
_PHASES = {
    Phase.FIRST: "from nothing",
    Phase.AGAIN: "from nothing, once more",
    Phase.EDIT: "after the edit",
    Phase.REVERT: "after the edit was taken back",
    Phase.DEPENDENCY: "after the dependency change",
    Phase.EMPTIED: "with emptied cache mounts",
}
_LINE = re.compile(r"^\s*[\w./-]*:(\d+)$", re.MULTILINE)


def text(proof: Proof, color: bool = False) -> str:
    """The whole report; ends in LF. Nothing in it steers a terminal but our own colours."""
    blocks = [
        [headline(proof, color), *_what(proof)],
        _trouble(proof, color),
        _section("Checks", _checks(proof.checks, color), color),
        _section("Differences", _differences(proof.comparisons, color), color),
        _section("Times", _times(proof), color),
        _section("Left alone", _left_alone(proof), color),
    ]
    return "\n".join("".join(f"{line}\n" for line in block) for block in blocks if block)


def headline(proof: Proof, color: bool = False) -> str:
    """The verdict in one line."""
    if proof.broke_off:
        return f"{paint('Not proven', RED, color)}: broken off: {_one_line(proof.broke_off)}"
    if proof.original_fails:
        return f"{paint('Not proven', RED, color)}: the original does not build{_fixed_builds(proof)}."
    if not proof.changes:
        return "Nothing to prove: dockfix changes nothing here."
    failed = [check for check in proof.checks if check.verdict is Verdict.FAILED]
    if failed:
        titles = "; ".join(check.title[:1].lower() + check.title[1:] for check in failed)
        counts = f"{len(failed)} of {_count(len(proof.checks), 'check')} failed"
        return f"{paint('Not proven', RED, color)}: {counts}: {plain(titles).rstrip('?')}."
    if not any(check.id.partition(":")[0] == "same-image" for check in proof.checks):
        return f"{paint('Not proven', RED, color)}: nothing was compared."
    named = sorted({one.codemod for found in proof.comparisons for one in found.by(Cause.NAMED)})
    but = f", but for what {plain(_listed(named))} {'names' if len(named) == 1 else 'name'}" if named else ""
    gain = ""
    rebuild = next((times for times in proof.times if times.phase is Phase.EDIT), None)
    if any(_stale_original(check) for check in proof.checks):
        gain = "; the original ships stale files, the fixed one does not"
    elif rebuild and rebuild.before and rebuild.after:
        gain = f"; a rebuild after an edit takes {_takes(rebuild)}"
    missing = sum(check.verdict is Verdict.NOT_CHECKED for check in proof.checks)
    less = f", but for {_count(missing, 'check')} that could not be made" if missing else ""
    return f"{paint('Proven', GREEN, color)}{less}: it builds as before, and the image is the same{but}{gain}."


def _listed(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _takes(times: Times) -> str:
    before, after = duration(median(times.before)), duration(median(times.after))
    meaning = _meaning(times)
    if meaning in (_SAME, _ELSEWHERE):
        return f"as long as before, {after}" if meaning == _SAME else "as long in RUN steps as before"
    return f"{after} instead of {before} ({meaning})"


def _fixed_builds(proof: Proof) -> str:
    fixed = [build for build in proof.builds if build.side is Side.FIXED and build.phase is Phase.FIRST]
    if not fixed:
        return ""
    if not all(build.ok for build in fixed):
        return ", and neither does the fixed one"
    failed = sum(check.verdict is Verdict.FAILED for check in proof.checks)
    return f", the fixed one does, but {_count(failed, 'check')} of it failed" if failed else ", the fixed one does"


def _what(proof: Proof) -> Iterator[str]:
    changes = Counter(change.codemod for change in proof.changes)
    counts = ", ".join(f"{name} {count}" for name, count in sorted(changes.items()))
    line = f"{plain(proof.dockerfile)}: {_count(len(proof.changes), 'change')}"
    yield line + (f" ({plain(counts)})" if counts else "")
    if proof.engine:
        stages = ", ".join(f"stage {plain(target)}" if target else "the last stage" for target in proof.targets)
        yield f"{plain(proof.engine)}; {stages}; {_count(len(proof.builds), 'build')} in {duration(proof.seconds)}"
    unsafe = [change for change in proof.changes if change.safety is Safety.UNSAFE]
    for change in unsafe:
        yield f"unsafe: line {change.position.line}: {plain(change.codemod)}: {_one_line(change.risk)}"


def _section(title: str, lines: Iterable[str], color: bool) -> list[str]:
    found = list(lines)
    return [paint(title, BOLD, color), *(f"  {line}" for line in found)] if found else []


# --- what went wrong -----------------------------------------------------------------------------------------------


def _trouble(proof: Proof, color: bool) -> list[str]:
    """Every build that failed, with the engine's error and the end of what was printed."""
    out: list[str] = []
    for build in proof.builds:
        if not build.ok:
            out += _section(f"{_build(build)}: {_where(build)}", _error(build), color)
    return out


def _build(build: Build) -> str:
    stage = f", stage {plain(build.target)}" if build.target else ""
    return f"The {build.side.value} Dockerfile does not build {_PHASES[build.phase]}{stage}"


def _where(build: Build) -> str:
    """`line 12`, as the engine says at the end of its error; else which step."""
    if match := _LINE.search(build.error) or _LINE.search(build.log[-20_000:]):
        return f"line {match[1]}"
    step = next((step for step in build.steps if step.error), None)
    return f"`{_one_line(step.name)}`" if step else "see the engine's error"


def _error(build: Build) -> Iterator[str]:
    log = [line.rstrip() for line in of_a_terminal(build.log).splitlines()]
    log = [line for line in log if line]
    if len(log) > LOG_LINES:
        yield f"[{len(log) - LOG_LINES} lines of the log before]"
    yield from (plain(line) for line in log[-LOG_LINES:])
    error = [plain(line) for line in build.error.splitlines()]
    if error and not any(error[0] in plain(line) for line in log[-LOG_LINES:]):
        yield from error


# --- checks and differences ----------------------------------------------------------------------------------------


def _checks(checks: Sequence[Check], color: bool) -> Iterator[str]:
    for check in checks:
        word, code = _WORDS[check.verdict]
        yield f"{paint(f'{word:{_WIDTH}}', code, color)}  {plain(check.title)}"
        for line in plain(check.detail).splitlines():
            yield f"{'':{_WIDTH}}  {line}"


def _differences(comparisons: Sequence[Comparison], color: bool) -> Iterator[str]:
    """Grouped by cause: all that nothing explains, a few of the others. What was seen before is not listed again."""
    known: dict[tuple[str, tuple[Difference, ...]], Phase] = {}
    for comparison in comparisons:
        if not comparison.differences:
            continue
        stage = f", stage {plain(comparison.target)}" if comparison.target else ""
        title = f"{_PHASES[comparison.phase]}{stage}: {comparison.paths:,} paths"
        key = comparison.target, comparison.differences
        if key in known:
            yield f"{title}, the same differences as {_PHASES[known[key]]}"
            continue
        known[key] = comparison.phase
        yield title
        bad = comparison.by(Cause.UNEXPLAINED)
        if bad:
            yield f"  {paint(f'unexplained: {len(bad)}', RED, color)}"
            yield from (f"    {_difference(one)}" for one in bad)
        named: dict[str, list[Difference]] = {}
        for one in comparison.by(Cause.NAMED):
            named.setdefault(one.codemod, []).append(one)
        for codemod, found in sorted(named.items()):
            yield f"  named by {plain(codemod)}: {len(found)}"
            yield from (f"    {line}" for line in _examples(found))
        if noise := comparison.by(Cause.NOISE):
            yield f"  noise (the original differs from itself there): {len(noise)}"
            yield from (f"    {line}" for line in _examples(noise))


def _examples(found: Sequence[Difference]) -> Iterator[str]:
    yield from (_difference(one) for one in found[:EXAMPLES])
    if len(found) > EXAMPLES:
        yield f"and {len(found) - EXAMPLES} more"


def _difference(one: Difference) -> str:
    return f"{_one_line(one.place)}: {_one_line(one.what)}"


# --- times ---------------------------------------------------------------------------------------------------------


def _times(proof: Proof) -> list[str]:
    rows = [["", "before", "after", "", "in RUN steps"]]
    for times in proof.times:
        if not times.before or not times.after:
            continue
        runs = ""
        if times.run_before and times.run_after:
            runs = f"{duration(median(times.run_before))}, now {duration(median(times.run_after))}"
        whole = [duration(median(times.before)), duration(median(times.after))]
        rows.append([plain(times.what), *whole, _meaning(times), runs])
    if len(rows) == 1:
        return []
    widths = [max(cells(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(_padded(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    most = max(len(times.before) for times in proof.times)
    said = f"Rebuilds: medians of {most}." if most > 1 else "Each was measured once; --rebuild N takes medians."
    lines.append(said)
    if any(_stale_original(check) for check in proof.checks):
        lines.append("The original's rebuild is not worth its time: what it makes is stale.")
    return lines


def _padded(cell: str, width: int) -> str:
    return cell + " " * (width - cells(cell))


def _stale_original(check: Check) -> bool:
    return check.id.partition(":")[0] == "edit-arrives" and check.verdict is Verdict.IMPROVED


_SAME = "about the same"
_ELSEWHERE = "not in RUN steps"


def _meaning(times: Times) -> str:
    """`6.1x faster`, `1.4x slower`, `about the same`, whichever it is."""
    if not times.before or not times.after:
        return "not measured"
    one, other = median(times.before), median(times.after)
    ratio = max(one, other) / max(min(one, other), 0.001)
    if ratio < SAME or abs(one - other) < ALIKE:
        return _SAME
    if times.elsewhere:
        return _ELSEWHERE
    factor = f"{ratio:.2f}" if ratio < 2 else f"{ratio:.1f}" if ratio < 10 else f"{ratio:,.0f}"
    return f"{factor}x {'faster' if other < one else 'slower'}"


# --- what was not done ---------------------------------------------------------------------------------------------


def _left_alone(proof: Proof) -> Iterator[str]:
    """What dockfix withheld or refused: not part of the proof."""
    for change in proof.withheld:
        place = f"line {change.position.line}: {_one_line(change.codemod)}"
        yield f"{place}: withheld: {_one_line(change.title)}. Risk: {_one_line(change.risk)}"
    for refusal in proof.refusals:
        place = f"line {refusal.position.line}: {_one_line(refusal.codemod)}"
        yield f"{place}: {_one_line(refusal.reason)}: {_one_line(refusal.because)}"


def _one_line(words: str) -> str:
    return plain(" ".join(words.split()))


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
