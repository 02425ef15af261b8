"""All codemods over real files, judged by BuildKit's own parser: a command, not a test.

    python -m tests.wild DIRECTORY… [--files N]

Every Dockerfile below the directories is fixed with `--unsafe-fixes`. Counted are crashes, results that a second run
changes, comment lines that are gone, results that BuildKit's parser refuses though it took the original, and
instructions that are gone or new without being what a codemod takes away or adds. Then changes and refusals by reason.
Exits with 1 if anything of the first group is not zero.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import dockerfile

import fixer
from fixer.text.source import decode


class Judged(NamedTuple):
    """What came of one file: what is wrong with it, and counts."""

    path: str
    faults: tuple[str, ...]
    changed: bool
    taken: bool
    changes: tuple[str, ...]
    refusals: tuple[tuple[str, str], ...]


def main() -> int:
    parser = argparse.ArgumentParser(description="All codemods over real files.")
    parser.add_argument("directories", nargs="+", type=Path)
    parser.add_argument("--files", type=int, help="a random choice of so many")
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    paths = sorted(_files(args.directories))
    if args.files:
        paths = sorted(random.Random(1).sample(paths, min(args.files, len(paths))))
    start = time.perf_counter()
    # The parser is a Go library, whose threads do not live through a fork.
    with ProcessPoolExecutor(args.jobs, mp_context=get_context("spawn")) as pool:
        rows = list(pool.map(judge, paths, chunksize=16))
    _print(rows, time.perf_counter() - start)
    return int(any(row.faults for row in rows))


def judge(path: Path) -> Judged:
    """Fix one file and say what is wrong with the result."""
    before = decode(path.read_bytes())
    try:
        outcome = fixer.fix(before, path=str(path), unsafe_fixes=True, project="project")
        again = fixer.fix(outcome.after, path=str(path), unsafe_fixes=True, project="project")
    except Exception as error:  # a crash is what is looked for
        return Judged(str(path), (f"crash: {type(error).__name__}: {error}",), False, False, (), ())
    taken = _buildkit(before)
    faults = []
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
            faults += [f"instruction {what}" for what in _strays(taken, left)]
    return Judged(
        str(path),
        tuple(faults),
        outcome.changed,
        taken is not None,
        tuple(change.codemod for change in outcome.changes),
        tuple((refusal.codemod, refusal.reason) for refusal in outcome.refusals),
    )


def _files(directories: Sequence[Path]) -> Iterator[Path]:
    for directory in directories:
        for path in directory.rglob("*"):
            name = path.name.lower()
            if ("dockerfile" in name or "containerfile" in name) and path.is_file() and not name.endswith(".tsv"):
                yield path


def _buildkit(text: str) -> tuple[dockerfile.Command, ...] | None:
    try:
        return dockerfile.parse_string(text)  # type: ignore[no-any-return]
    except (dockerfile.GoParseError, UnicodeError, ValueError):
        return None


def _comments(text: str) -> Counter[str]:
    return Counter(line.strip() for line in text.split("\n") if line.lstrip().startswith("#"))


def _strays(before: Sequence[dockerfile.Command], after: Sequence[dockerfile.Command]) -> Iterator[str]:
    """Instructions gone or new, but for those that a codemod may take away or add: RUNs that only update or purge, ENVs
    of one switch, the RUN that switches docker-clean off."""
    kept = {c.original for c in before}
    after = [c for c in after if c.original in kept or not c.original.startswith(("RUN rm -f /etc", "run rm -f /etc"))]
    old, new = Counter(c.cmd.upper() for c in before), Counter(c.cmd.upper() for c in after)
    may = Counter(c.cmd.upper() for c in before if _may_go(c))
    for cmd in sorted(old | new):
        if not old[cmd] - may[cmd] <= new[cmd] <= old[cmd]:
            yield f"count: {old[cmd]} {cmd} before, {new[cmd]} after"
    rest = [[c.cmd.upper() for c in commands if c.cmd.upper() not in ("RUN", "ENV")] for commands in (before, after)]
    if rest[0] != rest[1]:
        yield "order: other instructions than RUN and ENV are not those that were there"


def _may_go(command: dockerfile.Command) -> bool:
    text = command.original
    return (command.cmd.upper() == "RUN" and ("update" in text or "purge" in text)) or "PIP_NO_CACHE_DIR" in text


def _print(rows: Sequence[Judged], seconds: float) -> None:
    faults: Counter[str] = Counter(fault.split(":")[0] for row in rows for fault in row.faults)
    changes: Counter[str] = Counter(codemod for row in rows for codemod in row.changes)
    refusals: Counter[tuple[str, str]] = Counter(pair for row in rows for pair in row.refusals)
    changed = sum(row.changed for row in rows)
    taken = sum(row.taken for row in rows)
    print(f"{len(rows)} files ({taken} taken by BuildKit's parser), {changed} changed, {seconds:.0f} s")
    for row in rows:
        for fault in row.faults:
            print(f"FAULT {row.path}: {fault}")
    print("faults:", dict(faults) or "none")
    print("changes:", ", ".join(f"{codemod} {count}" for codemod, count in changes.most_common()))
    for (codemod, reason), count in refusals.most_common():
        print(f"refused {count:5}  {codemod}: {reason}")


if __name__ == "__main__":
    sys.exit(main())
