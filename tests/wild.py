"""All codemods over real files, judged by BuildKit's own parser: a command, not a test.

    python -m tests.wild DIRECTORY… [--files N] [--safe] [--builder B] [--select ID[,ID]]
                                    [--show N [--seed N]] [--refusals N]

Every Dockerfile below the directories is fixed with `--unsafe-fixes`, or without with `--safe`, as for builders that
keep their caches or, with `--builder ephemeral`, for those that keep nothing but layers. Counted are crashes,
results that a second run changes, comment lines that are gone, results that BuildKit's parser refuses though it took
the original, and instructions that are gone or new without being what a codemod takes away or adds.

Each change is then replayed, and `difflib` says which lines it changes. A line must lie in an instruction (as
BuildKit's parser finds them) that the change edits or adds, or be a blank one beside one that comes or goes; all other
instructions must be there as they were, and nobody may edit one that does not speak of the codemod's subject. Where
this does not hold the lines are counted as *outside*. Then the sizes of changes, and refusals by reason.

`--show N` prints N diffs of changed files for reading, chosen by `--seed` so that every codemod, safe and unsafe, and
as many repositories as possible take their turn. `--refusals N` prints N examples of each reason.

Exits with 1 if anything of the first two paragraphs is not zero.
"""

from __future__ import annotations

import argparse
import difflib
import random
import re
import statistics
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import dockerfile

import fixer
from fixer.codemods.api import Builder
from fixer.engine.context import FoundContext
from fixer.engine.outcome import AppliedChange
from fixer.text.diff import unified_diff
from fixer.text.edits import Edit, apply_edits, by_place
from fixer.text.source import decode

SUBJECT = {
    "apt-cache": r"\bapt\b|/etc/apt|/var/lib/apt|/var/cache/apt|aptitude|deb\.nodesource\.com|playwright install",
    "apt-update-install": r"\bapt\b|aptitude|gdebi|rosdep|mk-build-deps",
    "pip-cache": r"(?i)pip|\.cache",
    "cargo-cache": r"(?i)cargo",
}
"""What an instruction must speak of before a codemod may edit it. The other codemods move paths, which may stand
anywhere."""


class Options(NamedTuple):
    """What of dockfix's options was chosen."""

    unsafe: bool = True
    builder: Builder = Builder.PERSISTENT
    select: tuple[str, ...] | None = None


class Size(NamedTuple):
    """The lines that one change adds and removes."""

    codemod: str
    safety: str
    added: int
    removed: int


class Judged(NamedTuple):
    """What came of one file: what is wrong with it, and counts."""

    path: str
    faults: tuple[str, ...]
    changed: bool = False
    taken: bool = False
    sizes: tuple[Size, ...] = ()
    refusals: tuple[tuple[str, str, int, str, str], ...] = ()
    """codemod, reason, line, the text, the sentence"""


def main() -> int:
    parser = argparse.ArgumentParser(description="All codemods over real files.")
    parser.add_argument("directories", nargs="+", type=Path)
    parser.add_argument("--files", type=int, help="a random choice of so many")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--safe", action="store_true", help="without unsafe fixes")
    parser.add_argument("--builder", type=Builder, choices=list(Builder), default=Builder.PERSISTENT)
    parser.add_argument("--select", metavar="ID[,ID]", help="only these codemods")
    parser.add_argument("--show", type=int, default=0, metavar="N", help="print the diffs of N files")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--refusals", type=int, default=0, metavar="N", help="print N examples of each reason")
    args = parser.parse_args()
    paths = sorted(_files(args.directories))
    if args.files:
        paths = sorted(random.Random(1).sample(paths, min(args.files, len(paths))))
    options = Options(not args.safe, args.builder, tuple(args.select.split(",")) if args.select else None)
    start = time.perf_counter()
    # The parser is a Go library, whose threads do not live through a fork.
    with ProcessPoolExecutor(args.jobs, mp_context=get_context("spawn")) as pool:
        rows = list(pool.map(partial(judge, options=options), paths, chunksize=16))
    _print(rows, time.perf_counter() - start)
    _print_refusals(rows, args.refusals, random.Random(args.seed))
    for path in _sample(rows, args.show, random.Random(args.seed)):
        _show(path, options)
    return int(any(row.faults for row in rows))


def judge(path: Path, options: Options) -> Judged:
    """Fix one file and say what is wrong with the result."""
    before = decode(path.read_bytes())
    try:
        outcome = _fix(before, path, options)
        again = _fix(outcome.after, path, options)
    except Exception as error:  # a crash is what is looked for
        return Judged(str(path), (f"crash: {type(error).__name__}: {error}",))
    taken = _buildkit(before)
    faults = []
    sizes: list[Size] = []
    if again.after != outcome.after:
        faults.append("a second run changes it again")
    if _comments(before) - _comments(outcome.after):
        faults.append("a comment is gone")
    if any(refusal.reason == "internal-error" for refusal in outcome.refusals):
        faults.append("internal error")
    if taken is not None and outcome.changed:
        left = _buildkit(outcome.after)
        if left is None:
            faults.append("BuildKit's parser refuses the result")
        else:
            made = {change.codemod for change in outcome.changes}
            faults += [f"instruction {what}" for what in _strays(taken, left, made)]
            faults += _replay(outcome, sizes)
    return Judged(
        str(path),
        tuple(faults),
        outcome.changed,
        taken is not None,
        tuple(sizes),
        tuple((r.codemod, r.reason, r.position.line, r.text, r.because) for r in outcome.refusals),
    )


def _fix(text: str, path: Path, options: Options) -> fixer.Outcome[str]:
    return fixer.fix(
        text,
        path=str(path),
        select=options.select,
        unsafe_fixes=options.unsafe,
        project="project",
        builder=options.builder,
        context=FoundContext(str(path)),
    )


def _files(directories: Sequence[Path]) -> Iterator[Path]:
    for directory in directories:
        for path in directory.rglob("*"):
            name = path.name.lower()
            if ("dockerfile" in name or "containerfile" in name) and path.is_file() and not name.endswith(".tsv"):
                yield path


def _buildkit(text: str) -> tuple[dockerfile.Command, ...] | None:
    try:
        # the package ends the process where a text cannot be encoded
        return dockerfile.parse_string(text.encode("utf-8", "replace").decode())  # type: ignore[no-any-return]
    except (dockerfile.GoParseError, UnicodeError, ValueError):
        return None


def _comments(text: str) -> Counter[str]:
    return Counter(line.strip() for line in text.split("\n") if line.lstrip().startswith("#"))


def _strays(before: Sequence[dockerfile.Command], after: Sequence[dockerfile.Command], made: set[str]) -> Iterator[str]:
    """Instructions gone or new, but for those that a codemod of `made` may take away or add: RUNs that only update or
    purge, ENVs of one switch, the RUN that switches docker-clean off; by bind-*, what brings files; by cargo-chef,
    whole stages, beside which what neither builds nor copies must be there as often as it was."""
    new = Counter(c.original for c in after)
    if "cargo-chef" in made:
        gone = Counter(c.original for c in before) - new
        for text in gone:
            if not re.match(r"(?i)(run|copy|from|workdir)\s", text):
                yield f"count: {text!r} is gone"
        return
    binds = any(codemod.startswith("bind-") for codemod in made)
    all_ = Counter(c.cmd.upper() for c in before)  # a COPY that is not there as it was may have been pointed elsewhere
    if binds:
        kept_copies = []
        for command in before:
            if command.cmd.upper() not in ("COPY", "ADD") or new[command.original] > 0:
                new[command.original] -= 1
                kept_copies.append(command)
        before = kept_copies
    kept = {c.original for c in before}
    after = [c for c in after if c.original in kept or not _switches_docker_clean_off(c)]
    old, now = Counter(c.cmd.upper() for c in before), Counter(c.cmd.upper() for c in after)
    may = Counter(c.cmd.upper() for c in before if _may_go(c))
    for cmd in sorted(old | now):
        if not old[cmd] - may[cmd] <= now[cmd] <= all_[cmd]:
            yield f"count: {old[cmd]} {cmd} before, {now[cmd]} after"
    loose = ("RUN", "ENV", "COPY", "ADD") if binds else ("RUN", "ENV")
    rest = [[c.cmd.upper() for c in commands if c.cmd.upper() not in loose] for commands in (before, after)]
    if rest[0] != rest[1]:
        yield "order: other instructions than RUN and ENV are not those that were there"


def _switches_docker_clean_off(command: dockerfile.Command) -> bool:
    words = [word for word in command.original.lower().split()[:4] if word != "sudo"]
    return words[:3] == ["run", "rm", "-f"]


def _may_go(command: dockerfile.Command) -> bool:
    text = command.original
    return (command.cmd.upper() == "RUN" and ("update" in text or "purge" in text)) or "PIP_NO_CACHE_DIR" in text


# --- lines ---------------------------------------------------------------------------------------------------------


def _replay(outcome: fixer.Outcome[str], sizes: list[Size]) -> Iterator[str]:
    """Make the changes again, each alone on the text that it is about, and look at the lines. Yields what is outside,
    and appends the size of each."""
    steps: dict[int, list[AppliedChange]] = defaultdict(list)
    for change in outcome.changes:
        steps[change.step].append(change)
    text = outcome.text_before
    for step in sorted(steps):
        for change in steps[step]:
            alone = apply_edits(text, change.edits)
            gone, come = _changed_lines(text, alone, change.edits)
            sizes.append(Size(change.codemod, change.safety.value, len(come), len(gone)))
            yield from _outside(change, text, alone, gone, come)
        text = apply_edits(text, [edit for change in steps[step] for edit in change.edits])
    if text != outcome.text_after:
        yield "outside: the changes, made again, do not give the result"


def _changed_lines(before: str, after: str, edits: Sequence[Edit]) -> tuple[list[int], list[int]]:
    """The numbers of the lines that are gone and of those that have come, from 1. Only those that edits touch are
    compared: elsewhere a line may stand that reads the same."""
    old, new = before.split("\n"), after.split("\n")
    gone: list[int] = []
    come: list[int] = []
    for first, last, shift, grown in _windows(before, edits):
        ours, theirs = old[first : last + 1], new[first + shift : last + 1 + shift + grown]
        for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
            if tag != "equal":
                # A blank line on both sides, or a comment that has another place among what is replaced, is the same.
                same = Counter(map(_loose, ours[i1:i2])) & Counter(map(_loose, theirs[j1:j2]))
                gone += _without(old, range(first + i1, first + i2), same)
                come += _without(new, range(first + shift + j1, first + shift + j2), same)
    return gone, come


def _windows(text: str, edits: Sequence[Edit]) -> Iterator[tuple[int, int, int, int]]:
    """The lines that edits touch, from 0: the first and the last, how many lines further down the first is in the new
    text, and how many more there are."""
    shift = 0
    window: tuple[int, int, int] | None = None
    for edit in sorted(edits, key=by_place):
        first, last = text.count("\n", 0, edit.start), text.count("\n", 0, edit.end)
        grown = edit.new.count("\n") - (last - first)
        if window is not None and first <= window[1]:
            window = window[0], max(window[1], last), window[2] + grown
            continue
        if window is not None:
            yield window[0], window[1], shift, window[2]
            shift += window[2]
        window = first, last, grown
    if window is not None:
        yield window[0], window[1], shift, window[2]


def _loose(line: str) -> str:
    """What tells a line from others; only for blank lines and comments without the blanks around it."""
    bare = line.strip()
    return bare if not bare or bare.startswith("#") else line


def _without(lines: Sequence[str], places: range, same: Counter[str]) -> list[int]:
    left = Counter(same)
    numbers = []
    for place in places:
        if left[_loose(lines[place])] > 0:
            left[_loose(lines[place])] -= 1
        else:
            numbers.append(place + 1)
    return numbers


def _outside(
    change: AppliedChange, before: str, after: str, gone: Sequence[int], come: Sequence[int]
) -> Iterator[str]:
    old, new = _buildkit(before), _buildkit(after)
    if old is None or new is None:
        yield f"outside: {change.codemod}: BuildKit's parser refuses what the change alone gives"
        return
    named = {i for edit in change.edits for i, c in enumerate(old) if _meets(edit, before, c)}
    wholly = [old[i] for i in named if set(range(old[i].start_line, old[i].end_line + 1)) <= set(gone)]
    removed = {n for c in wholly for n in _beside(before, c)}
    if change.codemod == "cargo-chef":  # which moves instructions, with what stands above them
        there, came = Counter(before.split("\n")), Counter(after.split("\n"))
        gone = [n for n in gone if came[(line := before.split("\n")[n - 1])] < there[line]]
        come = [n for n in come if there[(line := after.split("\n")[n - 1])] < came[line]]
    for number in gone:
        holder = next((i for i, c in enumerate(old) if c.start_line <= number <= c.end_line), None)
        if (holder is None or holder not in named) and number not in removed:
            yield f"outside: {change.codemod}: line {number} is gone: {before.split(chr(10))[number - 1]!r}"
    lines = after.split("\n")
    kept = Counter(_raw(before, c) for i, c in enumerate(old) if i not in named)
    known = {c.original for c in old}
    fresh = {number for c in new if c.original not in known for number in (c.start_line - 1, c.end_line + 1)}
    for number in come:
        line = lines[number - 1].strip()
        separates = not line and (number in fresh or change.codemod == "cargo-chef")
        moved = line.startswith("#") and any(line in before.split("\n")[n - 1] for n in gone)
        if not separates and not moved and not any(c.start_line <= number <= c.end_line for c in new):
            yield f"outside: {change.codemod}: line {number} has come: {lines[number - 1]!r}"
    for raw in kept - Counter(_raw(after, c) for c in new):
        yield f"outside: {change.codemod}: not as it was: {raw!r}"
    for index in sorted(named):
        if not re.search(SUBJECT.get(change.codemod, ""), old[index].original):
            yield f"outside: {change.codemod}: edits what is not its business: {old[index].original!r}"


def _beside(text: str, command: dockerfile.Command) -> Iterator[int]:
    """The blank lines next to an instruction."""
    lines = text.split("\n")
    for at, step in ((command.start_line - 1, -1), (command.end_line + 1, 1)):
        while 0 < at <= len(lines) and not lines[at - 1].strip():
            yield at
            at += step


def _meets(edit: Edit, text: str, command: dockerfile.Command) -> bool:
    first = text.count("\n", 0, edit.start) + 1
    if edit.start == edit.end and edit.new.endswith("\n") and first == command.start_line:
        return False  # whole lines that are new
    last = text.count("\n", 0, max(edit.end - 1, edit.start)) + 1
    return bool(first <= command.end_line and command.start_line <= last)


def _raw(text: str, command: dockerfile.Command) -> str:
    return "\n".join(text.split("\n")[command.start_line - 1 : command.end_line])


# --- what is printed -----------------------------------------------------------------------------------------------


def _print(rows: Sequence[Judged], seconds: float) -> None:
    faults: Counter[str] = Counter(fault.split(":")[0] for row in rows for fault in row.faults)
    changed = sum(row.changed for row in rows)
    taken = sum(row.taken for row in rows)
    print(f"{len(rows)} files ({taken} taken by BuildKit's parser), {changed} changed, {seconds:.0f} s")
    for row in rows:
        for fault in row.faults:
            print(f"FAULT {row.path}: {fault}")
    print("faults:", dict(faults) or "none")
    print("changed lines outside the instructions that a change edits:", faults["outside"])
    _print_sizes([size for row in rows for size in row.sizes])
    refusals = Counter(refusal[:2] for row in rows for refusal in row.refusals)
    for (codemod, reason), count in refusals.most_common():
        print(f"refused {count:5}  {codemod}: {reason}")


def _print_sizes(sizes: Sequence[Size]) -> None:
    kinds: dict[str, list[Size]] = defaultdict(list)
    for size in sizes:
        kinds[f"{size.codemod} ({size.safety})"].append(size)
        kinds["all"].append(size)
    print(f"{'lines of a change':34} changes  added: mean median 90% most  removed: mean median 90% most")
    for kind, found in sorted(kinds.items()):
        added, removed = sorted(s.added for s in found), sorted(s.removed for s in found)
        print(f"{kind:34} {len(found):7}        {_spread(added)}           {_spread(removed)}")


def _spread(numbers: Sequence[int]) -> str:
    tenth = numbers[min(len(numbers) * 9 // 10, len(numbers) - 1)]
    return f"{statistics.mean(numbers):4.1f} {statistics.median(numbers):6.1f} {tenth:3} {numbers[-1]:4}"


def _print_refusals(rows: Sequence[Judged], each: int, chance: random.Random) -> None:
    if not each:
        return
    found: dict[tuple[str, str], list[tuple[str, int, str, str]]] = defaultdict(list)
    for row in rows:
        for codemod, reason, line, text, because in row.refusals:
            found[codemod, reason].append((row.path, line, text, because))
    for (codemod, reason), examples in sorted(found.items(), key=lambda pair: -len(pair[1])):
        print(f"\n== {codemod}: {reason}: {len(examples)}")
        for path, line, text, because in chance.sample(examples, min(each, len(examples))):
            print(f"{path}:{line}: {because}\n    {text[:300]!r}")


def _sample(rows: Sequence[Judged], count: int, chance: random.Random) -> list[str]:
    """So many changed files, taken by turns from each kind of change, at most one of a directory's neighbours if
    possible."""
    kinds: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in rows:
        for codemod, safety in sorted({(size.codemod, size.safety) for size in row.sizes}):
            kinds[codemod, safety].append(row.path)
    for paths in kinds.values():
        chance.shuffle(paths)
    chosen: list[str] = []
    used: Counter[str] = Counter()
    for most in range(1, count + 1):
        while len(chosen) < count:
            before = len(chosen)
            for paths in kinds.values():
                path = next((p for p in paths if p not in chosen and used[_repository(p)] < most), None)
                if path is not None and len(chosen) < count:
                    chosen.append(path)
                    used[_repository(path)] += 1
            if len(chosen) == before:
                break
    return chosen


def _repository(path: str) -> str:
    """The nearest directory above with `.git`, or the directory of the file where many repositories share one."""
    place = Path(path).parent
    for directory in (place, *place.parents):
        if (directory / ".git").exists():
            return str(directory) if len(place.relative_to(directory).parts) < 4 else str(place)
    return str(place)


def _show(path: str, options: Options) -> None:
    before = decode(Path(path).read_bytes())
    outcome = _fix(before, Path(path), options)
    print(f"\n{'=' * 100}\n{path}")
    for change in outcome.changes:
        risk = f" (unsafe: {change.risk})" if change.risk else ""
        print(f"{change.position.line}: {change.codemod}: {change.title}{risk}")
    for refusal in outcome.refusals:
        print(f"{refusal.position.line}: {refusal.codemod}: refused: {refusal.reason}: {refusal.because}")
    print(unified_diff(before, outcome.after, Path(path).name, context=12))


if __name__ == "__main__":
    sys.exit(main())
