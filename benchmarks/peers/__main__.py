"""dockfix and every other fixer on the package index, on the same Dockerfiles, judged by the same code.

    python benchmarks/peers [--tools NAME,…] [--cases PART,…] [--jobs N] [--venv DIR] [--json FILE] [--verbose]
                            [-- DOCKER OPTIONS…]

1. An environment is made with the tools (tools.py: versions, and how each is called), and removed in the end, unless
   --venv names one to keep. None of them is a dependency of dockfix.
2. Each tool rewrites each Dockerfile of corpus/_together/peers-* in a folder of its own, and its result once more.
3. The originals and all results are built on the engine of the docker command: from nothing, after an edit, with the
   edit taken back, with emptied cache mounts (judges.py says what is looked for). The images that they start from are
   stand-ins (stand_ins/): a Debian of few programs, and scripts named apt-get, cargo, npm, … that read and write the
   paths that the real ones read and write. So what fails is a question of paths and data flow, and nothing is fetched.
4. The tables are printed as Markdown.

It needs the test dependencies (`pip install -e '.[test]'`), a package index, and a BuildKit engine that can pull
debian:bookworm-slim and install two Debian packages. The options behind `--` are for the build of the stand-ins alone;
the engine of the end-to-end tests wants `-- --network=host`.

Exit code: 0; 1 if dockfix has broken, silent, lost or unstable results by these judges; 3 without an engine.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import mean, median

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

import fixer  # noqa: E402
from benchmarks.peers import judges, tools  # noqa: E402
from benchmarks.peers.cases import CASES, IMAGES, Case  # noqa: E402
from benchmarks.peers.engine import Engine, NoEngine  # noqa: E402
from benchmarks.peers.judges import BROKEN, SILENT, Fault, Seen, Size  # noqa: E402
from benchmarks.peers.tools import TOOLS, Tool  # noqa: E402

FAULTY = "peers-05-the-bug-is-there"
"""The case that has the fault which dockfix is about."""

COLUMNS = ("changed", "broken", "silent", "mended", "lost comments", "lines a change", "extra lines", "unstable")
COLUMNS += ("fetched again", "ms a file")


@dataclass
class Result:
    """One tool on one case."""

    tool: str
    case: str
    text: str
    milliseconds: float
    trouble: str = ""
    changed: bool = False
    stable: bool = True
    size: Size = field(default_factory=lambda: Size(0, 0, 0, 0))
    comments: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    mended: bool = False
    fetches: int | None = None
    """What is fetched when every step runs again with warm cache mounts; None if that was not built."""

    @property
    def verdict(self) -> str:
        kinds = {fault.kind for fault in self.faults}
        return BROKEN if BROKEN in kinds else SILENT if SILENT in kinds else "right" if self.changed else "unchanged"


def main() -> int:
    arguments, options = _arguments()
    chosen = [tool for tool in TOOLS if _named(tool.name, arguments.tools)]
    cases = [case for case in CASES if _named(case.name, arguments.cases)]
    begun = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was made on the engine goes, too
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dockfix-peers-")))
        place = arguments.venv or scratch / "venv"
        packages = [tool.package for tool in chosen if tool.package]
        _say("the other tools are installed")
        missing = tools.install(place, [*packages, tools.HADOLINT, tools.TALLY])
        chosen = [tool for tool in chosen if tool.package not in missing]
        try:
            engine = stack.enter_context(Engine(options))
            _say("the stand-ins are built")
            engine.make_images(IMAGES, arguments.jobs)
        except NoEngine as why:
            print(f"no engine: {why}", file=sys.stderr)
            return 3
        results = _rewrite(chosen, cases, scratch, place, arguments.jobs)
        originals = _build(engine, cases, results, scratch, arguments.jobs)
        faulty = next((case for case in cases if case.name == FAULTY), None)
        seers = _detect(engine, place, faulty, results, scratch) if faulty else {}
        minutes = (time.monotonic() - begun) / 60
        _print(engine, chosen, cases, results, originals, seers, missing, minutes)
        if arguments.verbose:
            _print_details(results)
        if arguments.json:
            rows = [{**asdict(result), "verdict": result.verdict} for result in results]
            arguments.json.write_text(json.dumps(rows, indent=1) + "\n")
        sys.stdout.flush()
    return int(any(_wrong(result) for result in results if result.tool.startswith("dockfix")))


def _arguments() -> tuple[argparse.Namespace, list[str]]:
    words = sys.argv[1:]
    at = words.index("--") if "--" in words else len(words)
    parser = argparse.ArgumentParser(prog="benchmarks/peers", description="dockfix and the other fixers, judged alike.")
    parser.add_argument("--tools", metavar="NAME,…", help="only those whose names hold one of these (dockfix always)")
    parser.add_argument("--cases", metavar="PART,…", help="only those whose names hold one of these")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 2, help="builds at a time (default: cores)")
    parser.add_argument("--venv", type=Path, metavar="DIR", help="an environment for the tools, to keep")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write each result, its faults and text to FILE")
    parser.add_argument("--verbose", action="store_true", help="also print what is wrong, case by case")
    arguments = parser.parse_args(words[:at])
    if arguments.jobs < 1:
        parser.error("--jobs wants 1 or more")
    return arguments, words[at + 1 :]


def _named(name: str, parts: str | None) -> bool:
    return not parts or name == "dockfix" or any(part in name for part in parts.split(","))


def _say(text: str) -> None:
    print(f"# {text}", file=sys.stderr, flush=True)


# -- what the tools do


def _rewrite(chosen: Sequence[Tool], cases: Sequence[Case], scratch: Path, place: Path, jobs: int) -> list[Result]:
    """Every tool on every case, and on its own results."""
    _say(f"{len(chosen)} tools rewrite {len(cases)} Dockerfiles")

    def work(tool: Tool, case: Case) -> Result:
        folder = scratch / "rewrites" / f"{chosen.index(tool)}-{case.name}"
        before = case.text
        done = tools.rewrite(tool, before, folder, place)
        result = Result(tool.name, case.name, done.text, done.milliseconds, done.trouble, done.text != before)
        if result.changed:
            again = tools.rewrite(tool, done.text, folder.with_name(f"{folder.name}-again"), place)
            result.stable = again.text == done.text
            result.size = judges.size(before, done.text)
            result.comments = judges.lost_comments(before, done.text)
            result.faults = judges.judge_text(before, done.text)
        return result

    with ThreadPoolExecutor(jobs) as pool:
        for tool in chosen:  # once for nothing: byte code, and caches of grammars
            tools.rewrite(tool, "FROM debian:bookworm-slim\n", scratch / "rewrites" / str(chosen.index(tool)), place)
        pairs = [(tool, case) for tool in chosen for case in cases if tool.takes(case.name)]
        return list(pool.map(work, *zip(*pairs, strict=True)))


def _build(
    engine: Engine, cases: Sequence[Case], results: Sequence[Result], scratch: Path, jobs: int
) -> dict[str, Mapping[str, Seen]]:
    """Build the originals, and each result that parses, once if several tools have the same. Returns what was seen of
    the originals."""
    by_name = {case.name: case for case in cases if not case.parse_only}
    texts = {(name, case.text) for name, case in by_name.items()}
    texts |= {
        (result.case, result.text)
        for result in results
        if result.changed and result.case in by_name and not any(fault.kind == BROKEN for fault in result.faults)
    }
    jobs_to_do = sorted(texts)
    _say(f"{len(jobs_to_do)} Dockerfiles are built")

    def watch(at: int) -> dict[str, Seen]:
        name, text = jobs_to_do[at]
        seen = judges.watch(engine, by_name[name], text, scratch / "builds" / str(at), f"b{at}")
        if at % 20 == 19:
            _say(f"{at + 1} of them")
        return seen

    with ThreadPoolExecutor(jobs) as pool:
        seen = dict(zip(jobs_to_do, pool.map(watch, range(len(jobs_to_do))), strict=True))
    originals: dict[str, Mapping[str, Seen]] = {name: seen[name, case.text] for name, case in by_name.items()}
    for result in results:
        if found := seen.get((result.case, result.text)):
            warm = found.get("back", found["first"])
            result.fetches = warm.fetches if warm.ok else None
            if result.changed:
                result.faults += judges.judge_builds(originals[result.case], found)
                result.mended = judges.mended(originals[result.case], found)
    return originals


def _detect(engine: Engine, place: Path, faulty: Case, results: Sequence[Result], scratch: Path) -> dict[str, str]:
    """Which detectors see the fault of a case: they find something in it that they do not find in the mended file."""
    healed = next((r.text for r in results if r.case == faulty.name and r.tool == "dockfix"), "")
    files = []
    for name, text in (("faulty", faulty.text), ("mended", healed)):
        folder = scratch / "detect" / name
        folder.mkdir(parents=True)
        (folder / "Dockerfile").write_text(text)
        files.append(folder / "Dockerfile")

    def check(file: Path) -> list[str]:
        return engine.warnings(file.read_text(), file.parent)

    said = {}
    for name, detect in {**tools.detectors(place), "docker build --check": check}.items():
        before, after = (Counter(detect(file)) for file in files)
        only = sorted((before - after).elements())
        said[name] = f"{', '.join(only)} is gone when it is mended" if only else "does not see it"
        said[name] += f" ({before.total()} findings in the file)"
    return said


def _wrong(result: Result) -> bool:
    """Whether anything is not as it must be with dockfix."""
    faulty = result.case == FAULTY and not result.mended
    return bool(result.faults or result.comments or result.trouble or not result.stable or faulty)


# -- what is printed


def _print(
    engine: Engine, chosen: Sequence[Tool], cases: Sequence[Case], results: Sequence[Result],
    originals: Mapping[str, Mapping[str, Seen]], seers: Mapping[str, str], missing: Mapping[str, str], minutes: float,
) -> None:  # fmt: skip
    today = datetime.date.today().isoformat()
    print(f"{today}, {engine.description}, {len(cases)} Dockerfiles, {minutes:.0f} minutes\n")
    print(f"| | {' | '.join(COLUMNS)} |\n{'|---' * (len(COLUMNS) + 1)}|")
    fetched = {name: seen["first"].fetches for name, seen in originals.items() if seen["first"].ok}
    for tool in chosen:
        rows = [result for result in results if result.tool == tool.name]
        if not rows:
            continue
        changed = [result for result in rows if result.changed]
        kinds = Counter(result.verdict for result in rows)
        again = [r.fetches if r.fetches is not None else fetched[r.case] for r in rows if r.case in fetched]
        version = tool.package.partition("==")[2] or fixer.__version__
        cells = [
            f"{tool.name.partition(',')[0]} {version}{''.join(tool.name.partition(',')[1:])}",
            f"{len(changed)} of {len(rows)}",
            kinds[BROKEN],
            kinds[SILENT],
            sum(result.mended for result in rows),
            sum(len(result.comments) for result in rows),
            f"{mean(result.size.changed for result in changed):.1f}" if changed else "-",
            sum(result.size.extra for result in rows),
            sum(not result.stable for result in rows),
            f"{sum(again)} of {sum(fetched[result.case] for result in rows if result.case in fetched)}",
            f"{median(result.milliseconds for result in rows):.0f}",
        ]
        print(f"| {' | '.join(map(str, cells))} |")
    print()
    _print_same_fix(results, cases)
    for name, said in seers.items():
        print(f"- {name}, on the artifact that a cache mount swallows: {said}.")
    for case in cases:
        if case.parse_only:
            print(f"- {case.name} is only parsed: {case.parse_only}.")
    for package, why in missing.items():
        print(f"- {package} could not be had: {why}.")
    for name, why in tools.LEFT_OUT.items():
        print(f"- Not run: {name}: {why}.")
    for result in results:
        if result.trouble:
            print(f"- {result.tool} fails on {result.case}: {result.trouble}.")


def _print_same_fix(results: Sequence[Result], cases: Sequence[Case]) -> None:
    """The size of changes where dockfix and another tool both added cache mounts."""
    had = {case.name: case.text.count("type=cache") for case in cases}
    by_case = {result.case: result for result in results if result.tool == "dockfix"}

    def mounts(result: Result) -> bool:
        return result.text.count("type=cache") > had[result.case]

    for name in dict.fromkeys(result.tool for result in results if not result.tool.startswith("dockfix")):
        pairs = [(by_case[r.case], r) for r in results if r.tool == name and mounts(r) and mounts(by_case[r.case])]
        right = [(ours, theirs) for ours, theirs in pairs if not theirs.faults]
        for what, some in (("Both add", pairs), ("Both rightly add", right)):
            if some:
                ours, theirs = (mean(r.size.changed for r in side) for side in zip(*some, strict=True))
                print(
                    f"- {what} cache mounts to {len(some)} files: dockfix {ours:.1f} lines each, {name} {theirs:.1f}."
                )


def _print_details(results: Sequence[Result]) -> None:
    print("\n| case | tool | | |\n|---|---|---|---|")
    for result in sorted(results, key=lambda result: result.case):
        notes = [f"{fault.phase}: {fault.what}" for fault in result.faults]
        notes += [f"comments gone: {len(result.comments)}"] if result.comments else []
        notes += [] if result.stable else ["a second run changes more"]
        notes += ["mended"] if result.mended else []
        if result.changed:
            text = "; ".join(notes).replace("|", "\\|").replace("\n", " ")
            size = f"+{result.size.added}/-{result.size.removed}"
            print(f"| {result.case} | {result.tool} | {result.verdict} | {size} {text} |")


if __name__ == "__main__":
    sys.exit(main())
