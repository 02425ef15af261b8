"""gha-cache over real workflows, judged by a schema and by their data: a command, not a test.

    python -m tests.wild_workflows REPOSITORY…

Every workflow and action of the repositories is fixed with `--unsafe-fixes` and `--builder ephemeral`. Counted are
crashes, results that are no YAML or hold other data but for what was added, results that a second run changes, and
those that the schema of GitHub workflows refuses though it took the original. Then changes and refusals by reason.
`--diff` prints the diffs too. Exits with 1 if anything of the first group is not zero.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from fixer.codemods.api import Builder
from fixer.engine.files import Target, repository_workflows
from fixer.engine.job import FileResult, Options, fix_data, fix_target
from fixer.text.source import encode
from tests.workflows import added, schema_faults

OPTIONS = Options(select=("gha-cache",), unsafe_fixes=True, builder=Builder.EPHEMERAL)


def faults(result: FileResult) -> list[str]:
    """What is wrong with one result, the schema aside."""
    outcome = result.outcome
    if outcome is None:
        return []
    found = [f"internal-error: {one.because}" for one in outcome.refusals if one.reason == "internal-error"]
    if outcome.changed:
        try:
            added(outcome.text_before, outcome.text_after)
        except Exception as error:
            found.append(f"other data: {error!r}")
        again = fix_data(outcome.after, result.path, OPTIONS, None).outcome
        if again is None or again.changed:
            found.append("a second run changes it")
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.wild_workflows")
    parser.add_argument("repository", nargs="+")
    parser.add_argument("--diff", action="store_true", help="print the diffs")
    args = parser.parse_args(argv)
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as scratch:
        changed: list[tuple[str, Path, Path]] = []
        for path in (path for root in args.repository for path in repository_workflows(root)):
            result = fix_target(Target(path), OPTIONS).result
            counts["files"] += 1
            wrong += [f"{path}: {fault}" for fault in faults(result)]
            if result.problem is not None:
                counts[f"problem {result.problem.kind}"] += 1
            if result.outcome is None:
                continue
            counts.update(f"{change.safety.value} changes" for change in result.outcome.changes)
            counts.update(f"refused {refusal.reason}" for refusal in result.outcome.refusals)
            if result.outcome.changed:
                counts["files changed"] += 1
                if args.diff:
                    print(result.diff)
                pair = [Path(scratch, folder, str(counts["files"]), Path(path).name) for folder in ("before", "after")]
                for target, text in zip(pair, (result.outcome.text_before, result.outcome.text_after), strict=True):
                    target.parent.mkdir(parents=True)
                    target.write_bytes(encode(text))
                changed.append((path, *pair))
        if schema_faults(after for _, _, after in changed):
            wrong += [f"{path}: no valid workflow any more" for path, before, after in changed
                      if schema_faults([after]) and not schema_faults([before])]  # fmt: skip
    for name, count in sorted(counts.items()):
        print(f"{count:6} {name}")
    print("\n".join(wrong) or "nothing wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
