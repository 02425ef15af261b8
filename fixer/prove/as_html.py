"""A proof as one HTML file for the reviewer of a pull request.

The file stands alone: no script, no request, nothing but its own style sheet may have an effect (its content security
policy names that by its digest). The same proof gives the same bytes. Its words are in `templates/page.html.jinja`,
its looks in `templates/page.css`, the picture's geometry in `fixer.prove.timeline`.
"""

from __future__ import annotations

import base64
import difflib
import hashlib
import re
from collections.abc import Collection, Iterator, Sequence
from functools import cache
from statistics import median

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from fixer._version import __version__
from fixer.engine.outcome import AppliedChange
from fixer.prove import timeline
from fixer.prove.model import Build, Cause, Check, Comparison, Difference, Phase, Proof, Side, Step, Times, Verdict
from fixer.prove.timeline import Picture, duration
from fixer.prove.visible import of_a_terminal, parts, plain
from fixer.text.records import dataclass, replace

LOG_LINES = 200
"""The end of a log that is shown."""
SAME = 1.05
"""Ratios of times below this are called "about the same"."""
SHORT = 0.05
"""Seconds below which times are not compared: the clock says more about the machine than about the Dockerfile."""
ALIKE = 0.5
"""How much two lines must have in common for the words that differ to be marked."""


def page(proof: Proof) -> str:
    """The whole page. It can always be encoded as UTF-8."""
    template, style = _template()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return template.render(style=style, policy=policy, view=_view(proof))


@cache
def _template() -> tuple[Template, Markup]:
    """The page, and the style sheet that stands in it."""
    loader = PackageLoader("fixer.prove")
    environment = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_final,
    )
    environment.filters.update(shown=shown, duration=duration, count=count, anchor=anchor, verdict=_VERDICT_WORDS.get)
    environment.globals.update(
        state=timeline.state, stage_name=timeline.stage_name, steps_of=timeline.steps_of, version=__version__
    )
    style, _, _ = loader.get_source(environment, "page.css")
    return environment.get_template("page.html.jinja"), Markup("\n" + style)


def _final(value: object) -> object:
    """What every expression of the template goes through, besides autoescape."""
    return plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def shown(text: str) -> Markup:
    """`text` as HTML, its invisible characters marked as what they are."""
    return Markup("").join(
        Markup('<span class="escape">{}</span>').format(piece) if hidden else escape(piece)
        for piece, hidden in parts(text)
    )


def count(number: int, one: str, many: str = "") -> str:
    """`1 change`, `1,204 paths`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def anchor(line: int) -> str:
    """The id of a line of the new text in the diff."""
    return f"line-{line}"


# --- what the template needs to know -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Headline:
    """The verdict."""

    kind: str
    """One of the styles `passed`, `failed`, `notchecked`."""
    text: str
    rest: str
    """A sentence, or nothing."""


@dataclass(frozen=True, slots=True)
class Compared:
    """The same thing measured on both sides."""

    before: str
    after: str
    verdict: str
    kind: str
    """`faster`, `slower`, or `same` for everything else."""


@dataclass(frozen=True, slots=True)
class Timing:
    """One row of the times."""

    what: str
    whole: Compared
    runs: Compared
    measured: str
    """How often."""
    whole_each: tuple[str, ...]
    """All that was measured, of each side, if more than once."""
    runs_each: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a diff."""

    kind: str
    """`context`, `added`, `removed`, `hunk`, `note`."""
    old: int
    new: int
    """Line numbers; 0 if the line is not on that side."""
    pieces: tuple[tuple[str, bool], ...]
    """The text; True where it differs from the line that it replaces or that replaces it."""


@dataclass(frozen=True, slots=True)
class Figure:
    """Both builds of one phase."""

    title: str
    note: str
    alternative: str
    """What the picture shows, in words."""
    pictures: tuple[Picture, ...]
    """For wide screens and for narrow ones."""
    builds: tuple[Build, ...]
    chief: bool
    """False for those that are folded away."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A build that failed."""

    title: str
    error: str
    log: str
    left_out: int
    """Lines of the log's beginning that are not in `log`."""


@dataclass(frozen=True, slots=True)
class Compare:
    """A comparison, its differences by cause."""

    title: str
    paths: int
    unexplained: tuple[Difference, ...]
    folded: tuple[tuple[str, str, tuple[Difference, ...]], ...]
    """For each other cause that occurs: its style, its words, its differences."""


@dataclass(frozen=True, slots=True)
class View:
    """Everything, in the form in which the page says it."""

    proof: Proof
    headline: Headline
    tally: str
    failed: tuple[Check, ...]
    changes: tuple[AppliedChange, ...]
    rows: tuple[Row, ...]
    crlf: bool
    """All lines of the diff end with CR LF; it is said once instead of at each."""
    lines: frozenset[int]
    """Lines of the new text that the diff shows."""
    compares: tuple[Compare, ...]
    figures: tuple[Figure, ...]
    times: tuple[Timing, ...]
    troubles: tuple[Trouble, ...]
    builds: tuple[tuple[str, Build], ...]
    method: str
    """What was done to find all that out."""


_VERDICT_WORDS = {
    Verdict.PASSED: ("passed", "Passed"),
    Verdict.FAILED: ("failed", "Failed"),
    Verdict.NOT_CHECKED: ("notchecked", "Not checked"),
    Verdict.IMPROVED: ("improved", "Improved"),
}
_ORDER = (Verdict.FAILED, Verdict.NOT_CHECKED, Verdict.IMPROVED, Verdict.PASSED)
_CAUSES = {
    Cause.NAMED: ("named", "named by a codemod"),
    Cause.NOISE: ("noise", "noise: the original differs from itself there"),
}


def _view(proof: Proof) -> View:
    rows = tuple(_rows(proof.diff))
    content = [row for row in rows if row.kind in ("context", "added", "removed")]
    crlf = bool(content) and all(row.pieces and row.pieces[-1][0].endswith("\r") for row in content)
    return View(
        proof=proof,
        headline=_headline(proof),
        tally=_tally(proof.checks),
        failed=tuple(check for check in proof.checks if check.verdict is Verdict.FAILED),
        changes=tuple(sorted(proof.changes, key=lambda change: change.position_after)),
        rows=tuple(_without_cr(row) for row in rows) if crlf else rows,
        crlf=crlf,
        lines=frozenset(row.new for row in rows if row.new),
        compares=tuple(_compare(comparison) for comparison in proof.comparisons),
        figures=tuple(_figures(proof)),
        times=tuple(_timing(times) for times in proof.times),
        troubles=tuple(_trouble(build) for build in proof.builds if not build.ok),
        builds=tuple((_build_title(build), build) for build in proof.builds),
        method=_method(proof),
    )


def _headline(proof: Proof) -> Headline:
    if proof.broke_off:
        return Headline("failed", "Not proven: broken off", f"{proof.broke_off} This is what was found until then.")
    if proof.original_fails:
        fixed = [build for build in proof.builds if build.side is Side.FIXED and build.phase is Phase.FIRST]
        rest = "There is nothing to compare the fixed one with."
        if fixed and all(build.ok for build in fixed):
            rest = "The fixed one does, but there is nothing to compare it with."
        elif fixed:
            rest = "Neither does the fixed one."
        return Headline("failed", "Not proven: the original does not build", rest)
    if not proof.diff and not proof.changes:
        return Headline("notchecked", "Nothing to prove: no change was made", "The Dockerfile stays as it is.")
    failed = [check for check in proof.checks if check.verdict is Verdict.FAILED]
    if failed:
        text = f"Not proven: {len(failed)} of {count(len(proof.checks), 'check')} failed"
        return Headline("failed", text, "Do not merge this before it is understood.")
    if not any(check.id.partition(":")[0] == "same-image" for check in proof.checks):
        return Headline("notchecked", "Not proven: nothing was compared", "")
    missing = sum(check.verdict is Verdict.NOT_CHECKED for check in proof.checks)
    rest = "It builds as before, and the image is the same but for what is named below."
    if any(check.verdict is Verdict.IMPROVED and "arrives" in check.id for check in proof.checks):
        rest += " The original ships stale files, the fixed one does not."
    if missing:
        return Headline("passed", f"Proven, but for {count(missing, 'check')} that could not be made", rest)
    return Headline("passed", "Proven: all checks passed", rest)


def _tally(checks: Sequence[Check]) -> str:
    counts = [(verdict, sum(check.verdict is verdict for check in checks)) for verdict in _ORDER]
    return ", ".join(f"{number} {verdict.value}" for verdict, number in counts if number)


# --- times ---------------------------------------------------------------------------------------------------------


def _timing(times: Times) -> Timing:
    least = min(len(times.before), len(times.after))
    most = max(len(times.before), len(times.after))
    measured = "measured once" if most == 1 else f"median of {most}"
    if least != most:
        measured = f"medians of {len(times.before)} and {len(times.after)}"
    each = most > 1
    whole = _compared(times.before, times.after)
    if times.elsewhere and whole.kind != "same":
        whole = replace(whole, verdict="not in RUN steps", kind="same")
    return Timing(
        times.what,
        whole,
        _compared(times.run_before, times.run_after),
        measured if most else "not measured",
        (_listed(times.before), _listed(times.after)) if each else (),
        (_listed(times.run_before), _listed(times.run_after)) if each else (),
    )


def _listed(values: Sequence[float]) -> str:
    return ", ".join(duration(value) for value in values) or "none"


def _compared(before: Sequence[float], after: Sequence[float]) -> Compared:
    """Two medians and what they mean, whichever is the larger one."""
    if not before or not after:
        one, other = (duration(median(values)) if values else "—" for values in (before, after))
        return Compared(one, other, "not measured", "same")
    b, a = median(before), median(after)
    return Compared(duration(b), duration(a), *_meaning(b, a))


def _meaning(before: float, after: float) -> tuple[str, str]:
    if max(before, after) < SHORT:
        return "too short to compare", "same"
    if after < 0.001:
        return "nothing had to run", "faster"
    if before < 0.001:
        return "ran only after the fix", "slower"
    ratio = max(before / after, after / before)
    if ratio < SAME:
        return "about the same", "same"
    factor = f"{ratio:.2f}" if ratio < 2 else f"{ratio:.1f}" if ratio < 10 else f"{ratio:,.0f}"
    return (f"{factor}× faster", "faster") if before > after else (f"{factor}× slower", "slower")


# --- differences ---------------------------------------------------------------------------------------------------


def _stage_words(target: str) -> str:
    return f"stage {target}" if target else "the last stage"


def _compare(comparison: Comparison) -> Compare:
    when = {
        Phase.FIRST: "First build",
        Phase.AGAIN: "First build again",
        Phase.EDIT: "After the edit",
        Phase.REVERT: "After the edit was taken back",
        Phase.DEPENDENCY: "After the dependency change",
        Phase.EMPTIED: "With emptied cache mounts",
    }[comparison.phase]
    folded = []
    for cause, (style, words) in _CAUSES.items():
        if found := comparison.by(cause):
            folded.append((style, words, found))
    title = f"{when}, {_stage_words(comparison.target)}"
    return Compare(title, comparison.paths, comparison.by(Cause.UNEXPLAINED), tuple(folded))


# --- builds --------------------------------------------------------------------------------------------------------

_PHASES = {
    Phase.FIRST: ("First build", "From nothing: no layers, empty cache mounts."),
    Phase.EDIT: ("Rebuild after an edit", "With the layers and cache mounts of the build before."),
    Phase.DEPENDENCY: ("Rebuild after a dependency change", "With the layers and cache mounts of the build before."),
    Phase.AGAIN: ("The original once more from nothing", "It shows what differs between two builds by itself."),
    Phase.REVERT: ("Rebuild after the edit was taken back", "With the layers and cache mounts of the build before."),
    Phase.EMPTIED: ("Rebuild with emptied cache mounts", "As on a new builder that has the layers and not the mounts."),
}
"""In the order of the page: what people wait for comes first."""
_CHIEF = (Phase.FIRST, Phase.EDIT, Phase.DEPENDENCY)


def _figures(proof: Proof) -> Iterator[Figure]:
    targets = list(dict.fromkeys(build.target for build in proof.builds))
    targets.sort(key=bool)
    for target in targets:
        for phase, (title, note) in _PHASES.items():
            chosen, notes = [], [note]
            for side in Side:
                mine = [b for b in proof.builds if (b.side, b.phase, b.target) == (side, phase, target)]
                if not mine:
                    continue
                build = _typical(mine)
                chosen.append(build)
                if len(mine) > 1:
                    which = "the one that failed" if not build.ok else "the median one"
                    notes.append(f"{timeline.NAMES[side]}: {which} of {len(mine)} builds.")
            if not chosen:
                continue
            what = {Phase.EDIT: proof.edited, Phase.DEPENDENCY: proof.dependency}.get(phase, "")
            title += f": {timeline.one_line(what)}" if what else ""
            title += f" (stage {target})" if target else ""
            pictures = tuple(timeline.picture(chosen, style) for style in (timeline.WIDE, timeline.NARROW))
            chief = phase in _CHIEF and not target
            yield Figure(title, " ".join(notes), _alternative(chosen), pictures, tuple(chosen), chief)


def _typical(builds: Sequence[Build]) -> Build:
    """One that failed, else the median one."""
    failed = [build for build in builds if not build.ok]
    ordered = sorted(builds, key=lambda build: build.seconds)
    return failed[0] if failed else ordered[(len(ordered) - 1) // 2]


def _alternative(builds: Sequence[Build]) -> str:
    said = []
    for build in builds:
        text = f"{timeline.NAMES[build.side]}: {timeline.summed_up(build)}"
        ran = [step for step in timeline.steps_of(build) if step.stage and not step.cached]
        if ran:
            longest: Step = max(ran, key=lambda step: step.seconds)
            text += f"; the longest: {timeline.cut(timeline.short_name(longest), 60)}, {duration(longest.seconds)}"
        said.append(text + ".")
    scale = duration(timeline.extent(builds))
    many = "Timelines of both builds" if len(builds) > 1 else "Timeline of one build"
    return f"{many}, from 0 to {scale}. {' '.join(said)} The tables below the picture list all steps."


def _build_title(build: Build) -> str:
    title = f"{timeline.NAMES[build.side]}: {_PHASES[build.phase][0].lower()}"
    if build.phase is Phase.AGAIN:
        title = "Original: once more from nothing"
    title += f", stage {build.target}" if build.target else ""
    return title + (f", repetition {build.repeat}" if build.repeat else "")


def _trouble(build: Build) -> Trouble:
    lines = of_a_terminal(build.log).rstrip("\n").split("\n")
    left_out = max(0, len(lines) - LOG_LINES)
    return Trouble(_build_title(build), build.error, "\n".join(lines[left_out:]), left_out)


def _who(done: Collection[tuple[Phase, Side]], phase: Phase) -> str:
    sides = [side for side in Side if (phase, side) in done]
    return "both were" if len(sides) == 2 else f"the {sides[0].value} one was"


def _method(proof: Proof) -> str:
    """The protocol, as far as it went."""
    done = {(build.phase, build.side) for build in proof.builds}
    phases = {phase for phase, _ in done}
    if not done:
        return "No build was made."
    once_more = Side.ORIGINAL, Phase.AGAIN, proof.builds[0].target
    again = sum((build.side, build.phase, build.target) == once_more for build in proof.builds)
    said = ["The original was built from nothing."]
    if again:
        times = "twice" if again == 1 else f"{again + 1} times"
        said = [f"The original was built {times} from nothing, to learn what differs by itself."]
    if (Phase.FIRST, Side.FIXED) in done:
        said.append("The fixed one was built from nothing.")
    if Phase.EDIT in phases:
        who = _who(done, Phase.EDIT)
        said.append(f"A source file was edited in a way that can be recognised in the image, and {who} built again.")
    if Phase.REVERT in phases:
        said.append(f"The edit was taken back, and {_who(done, Phase.REVERT)} built again.")
    if Phase.DEPENDENCY in phases:
        file = not proof.dependency.startswith("the changed steps")
        change = f"A line was added to {proof.dependency}" if file else "The changed steps were made to run again"
        said.append(f"{change}, and {_who(done, Phase.DEPENDENCY)} built again.")
    if Phase.EMPTIED in phases:
        edit = ", with the sources of the edit" if proof.edited else ""
        said.append(
            f"The cache mounts were emptied while the layers stayed, and {_who(done, Phase.EMPTIED)} built again{edit}."
        )
    said.append("All of that happened on a copy of the context, with cache mounts that nothing else uses.")
    return " ".join(said)


# --- the diff ------------------------------------------------------------------------------------------------------

_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")
_TOKEN = re.compile(r"\w+|\s+|.", re.DOTALL)


def _rows(diff: str) -> Iterator[Row]:
    """The lines of a unified diff of one file, without its two lines of names."""
    lines = diff.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    if len(lines) > 1 and lines[0].startswith("--- ") and lines[1].startswith("+++ "):
        lines = lines[2:]
    old = new = 0
    removed: list[str] = []
    added: list[str] = []

    def flush() -> Iterator[Row]:
        nonlocal old, new
        before, after = _marked(removed, added)
        for pieces in before:
            yield Row("removed", old, 0, pieces)
            old += 1
        for pieces in after:
            yield Row("added", 0, new, pieces)
            new += 1
        removed.clear()
        added.clear()

    notes: list[Row] = []
    for line in lines:
        kind, text = line[:1], line[1:]
        if kind == "-" and not added:
            removed.append(text)
        elif kind == "+":
            added.append(text)
        elif kind == "\\":
            note = Row("note", 0, 0, ((f"no line feed at the end of {'the new' if added else 'the old'} file", False),))
            if removed or added:
                notes.append(note)
            else:
                yield Row("note", 0, 0, (("no line feed at the end of the file", False),))
        else:
            yield from flush()
            yield from notes
            notes.clear()
            if found := _HUNK.match(line):
                old, new = int(found[1]), int(found[2])
                yield Row("hunk", 0, 0, ((line, False),))
            elif kind == "-":
                removed.append(text)
            else:
                yield Row("context", old, new, ((text, False),))
                old, new = old + 1, new + 1
    yield from flush()
    yield from notes


_Pieces = tuple[tuple[str, bool], ...]


def _marked(removed: Sequence[str], added: Sequence[str]) -> tuple[list[_Pieces], list[_Pieces]]:
    """Lines in pieces: those that are alike are paired, in order, and what differs in a pair is marked."""
    before: list[_Pieces] = [((line, False),) for line in removed]
    after: list[_Pieces] = [((line, False),) for line in added]
    start = 0
    for i, old in enumerate(removed[:100]):
        best, where = ALIKE, -1
        for j in range(start, min(len(added), start + 20)):
            likeness = difflib.SequenceMatcher(None, _TOKEN.findall(old), _TOKEN.findall(added[j]), False).ratio()
            if likeness > best:
                best, where = likeness, j
        if where >= 0:
            before[i], after[where] = _pair(old, added[where])
            start = where + 1
    return before, after


def _pair(old: str, new: str) -> tuple[_Pieces, _Pieces]:
    a, b = _TOKEN.findall(old), _TOKEN.findall(new)
    before: list[tuple[str, bool]] = []
    after: list[tuple[str, bool]] = []
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, a, b, False).get_opcodes():
        if i1 < i2:
            before.append(("".join(a[i1:i2]), tag != "equal"))
        if j1 < j2:
            after.append(("".join(b[j1:j2]), tag != "equal"))
    return tuple(before), tuple(after)


def _without_cr(row: Row) -> Row:
    if row.kind not in ("context", "added", "removed"):
        return row
    *rest, (last, marked) = row.pieces
    return Row(row.kind, row.old, row.new, (*rest, (last[:-1], marked)))
