"""How fast dockfix is: its start, many files, and one file that grows.

    python benchmarks/bench.py DIRECTORY… [--files N] [--sample] [--repeat N] [--tally PROGRAM] [--only SECTION]

DIRECTORY holds real Dockerfiles: every file below it with "dockerfile" or "containerfile" in its name is taken.
Nothing is written there. Times of commands are given by the clock and in processor time, times of phases and sizes in
processor time; run it on a machine that does nothing else, or believe the processor time alone. Not part of the tests:
it asserts nothing.

PROGRAM is tally (`pip install tally-cli`, in an environment of its own): then copies of the files are rewritten, by
turns, by all codemods and by tally's rule for cache mounts alone, with two processes (threads) each. tally stops at the
first file that it cannot read, so that files which dockfix or tally refuses are left out.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import platform
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from math import log
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

SMALL = """FROM python:3.12-slim
WORKDIR /srv
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt
COPY . .
CMD ["python", "main.py"]
"""
SECTIONS = ("start", "files", "phases", "size", "tally")
SIZES = (10, 100, 1_000, 10_000)
"""Lines of one file."""
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""An installed dockfix has its byte code; compiled anew at each start it takes three times as long."""


def main() -> None:
    parser = argparse.ArgumentParser(description="How fast dockfix is.")
    parser.add_argument("directory", type=Path, nargs="+", help="real Dockerfiles, searched recursively")
    parser.add_argument("--files", type=int, default=2_000, help="take the first N (default: 2000)")
    parser.add_argument("--sample", action="store_true", help="take N by chance, always the same, instead")
    parser.add_argument("--tally", help="compare with this program")
    parser.add_argument("--only", choices=SECTIONS, nargs="+", default=SECTIONS, help="parts to run (default: all)")
    parser.add_argument("--repeat", type=int, default=11, help="starts to take the median of (default: 11)")
    options = parser.parse_args()
    files = [file for directory in options.directory for file in dockerfiles(directory)]
    if options.sample:
        random.Random(7).shuffle(files)
    files = files[: options.files]
    if not files:
        parser.error("no Dockerfiles there")

    gc.set_threshold(100_000, 20, 20)  # as the command does
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}, load {load}")
    if "start" in options.only:
        bench_start(options.repeat)
    if "files" in options.only:
        bench_files(files)
    if "phases" in options.only:
        bench_phases(files)
    if "size" in options.only:
        bench_size()
    if options.tally and "tally" in options.only:
        bench_tally(files, options.tally)


def dockerfiles(directory: Path) -> list[Path]:
    found = (path for path in directory.rglob("*") if path.is_file())
    return sorted(path for path in found if any(word in path.name.lower() for word in ("dockerfile", "containerfile")))


# --- start -----------------------------------------------------------------------------------------------------------


def bench_start(repeat: int) -> None:
    heading(f"start: median of {repeat}, ms")
    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder, "Dockerfile")
        small.write_text(SMALL)
        row("python -c pass", milliseconds(repeat, [sys.executable, "-c", "pass"]))
        row("dockfix --version", milliseconds(repeat, dockfix("--version")))
        row("dockfix --diff, a file of 6 lines", milliseconds(repeat, dockfix("--diff", str(small))))


def dockfix(*arguments: str) -> list[str]:
    """What the installed command does."""
    return [sys.executable, "-c", "from fixer.__main__ import main; main()", *arguments]


def milliseconds(repeat: int, command: Sequence[str]) -> str:
    spawn(command)  # the first one writes the byte code
    runs = [spawn(command) for _ in range(repeat)]
    times, processor = [run.seconds for run in runs], [run.processor for run in runs]
    return (
        f"{statistics.median(times) * 1000:8.0f}   (fastest {min(times) * 1000:.0f}; processor time "
        f"{statistics.median(processor) * 1000:.0f}, at least {min(processor) * 1000:.0f})"
    )


class Run(NamedTuple):
    """Seconds by the clock and of processor time, and the peak memory of the largest process in MB."""

    seconds: float
    processor: float
    memory: float


LAUNCHER = """
import os, subprocess, sys, time
started = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
seconds = time.perf_counter() - started
process.returncode = os.waitstatus_to_exitcode(status)
print(process.returncode, seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss)
"""
"""Until it has become another program, a new process counts with the memory of the one that started it. Ours holds
thousands of files, so that a small one starts the commands."""


def spawn(command: Sequence[str]) -> Run:
    """Run it."""
    launcher = [sys.executable, "-c", LAUNCHER, *command]
    said = subprocess.run(launcher, cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True, check=True).stdout
    code, seconds, processor, largest = said.split()
    if code not in ("0", "3"):  # 3: some file is none that Docker would build
        raise SystemExit(f"{' '.join(command[:5])}: exit code {code}")
    kilobytes = int(largest) if sys.platform != "darwin" else int(largest) / 1024
    return Run(float(seconds), float(processor), kilobytes / 1024)


# --- many files ------------------------------------------------------------------------------------------------------


def bench_files(files: Sequence[Path]) -> None:
    size = sum(path.stat().st_size for path in files)
    heading(f"dockfix --diff, {len(files)} files, {size / 1e6:.1f} MB")
    paths = [str(path.resolve()) for path in files]
    for jobs in (1, 2):
        run = spawn(dockfix("--diff", "--quiet", "--no-cache", "--jobs", str(jobs), *paths))
        row(f"{jobs} process{'es' if jobs > 1 else ''}", rate(run, len(files)))


def rate(run: Run, count: int) -> str:
    return (
        f"{count / run.seconds:8.0f} files/s   {run.seconds * 1000 / count:.2f} ms/file by the clock, "
        f"{run.processor * 1000 / count:.2f} of processor time   {run.memory:.0f} MB in the largest process"
    )


def bench_phases(files: Sequence[Path]) -> None:
    """What the time goes to, in one process. `fix` parses and analyses again after each codemod that changed something,
    and checks every result; it passes over codemods none of whose words is in the file."""
    import dockerfile

    from fixer import analyse, fix, parse
    from fixer.codemods import registry
    from fixer.codemods.api import Builder, Codemod, Settings
    from fixer.text.source import decode

    texts = [decode(path.read_bytes()) for path in files]
    ids = [entry.id for entry in registry.ORDER if entry.document == "dockerfile"]
    codemods: list[Codemod] = [one for id in ids if Builder.PERSISTENT in (one := registry.load(id)).builders]
    ids = [codemod.id for codemod in codemods]
    settings = Settings(project="bench")
    parse(SMALL)  # builds the parser
    names = ("go", "parse", "analysis", *ids, "fix", "changed", "parsed", "not parsed")
    spent: dict[str, float] = dict.fromkeys(names, 0.0)
    counts = dict.fromkeys(names, 0)

    for text in texts:
        with clock(spent, "go"), contextlib.suppress(dockerfile.GoParseError):
            dockerfile.parse_string(text.encode("utf-8", "replace").decode())
        with clock(spent, "parse"):
            tree = parse(text)
        facts = analyse(tree)
        with clock(spent, "analysis"):
            for stage in facts.stages:
                for instruction in stage.instructions:
                    facts.state(instruction)
                    facts.calls(instruction)
                    if instruction.name.upper() == "RUN":
                        facts.mounts(instruction)  # type: ignore[arg-type]
        for codemod in codemods:
            with clock(spent, codemod.id):
                for _ in codemod.run(facts, settings):
                    pass
        facts.close()
        before = spent["fix"]
        with clock(spent, "fix"):
            outcome = fix(text, project="bench")
        words = "dockfix:" in text or any(word in text for codemod in codemods for word in codemod.words)
        kind = "changed" if outcome.changed else "parsed" if words else "not parsed"
        counts[kind] += 1
        spent[kind] += spent["fix"] - before

    heading(f"one process, {len(texts)} files, ms/file")
    each = {name: seconds * 1000 / len(texts) for name, seconds in spent.items()}
    row("BuildKit's own parser (Go), as a reference", f"{each['go']:8.3f}")
    row("parse", f"{each['parse']:8.3f}")
    row("analysis (stages, states, calls, mounts)", f"{each['analysis']:8.3f}")
    row("codemods, each once, nothing applied", f"{sum(each[codemod.id] for codemod in codemods):8.3f}")
    for codemod in codemods:
        row(f"  {codemod.id}", f"{each[codemod.id]:8.3f}")
    row("fixer.fix, all in", f"{each['fix']:8.3f}")
    names_of = {"changed": "files that change", "parsed": "others that are parsed", "not parsed": "the rest"}
    for kind, name in names_of.items():
        row(f"  {counts[kind]} {name}", f"{spent[kind] * 1000 / max(counts[kind], 1):8.3f}   each")


class clock:
    """`with clock(sums, name):` adds the time that the block takes."""

    def __init__(self, sums: dict[str, float], name: str) -> None:
        self.sums, self.name = sums, name

    def __enter__(self) -> None:
        self.started = time.process_time()

    def __exit__(self, *_: object) -> None:
        self.sums[self.name] += time.process_time() - self.started


# --- against tally ---------------------------------------------------------------------------------------------------

TALLY_RULE = "tally/prefer-package-cache-mounts"
TURNS = 2


def bench_tally(files: Sequence[Path], tally: str) -> None:
    from fixer import fix

    with tempfile.TemporaryDirectory(prefix="dockfix-bench-") as folder:
        originals = Path(folder, "originals")
        for number, file in enumerate(files):
            content = file.read_bytes()
            if fix(content, select=[]).error is None and b"FROM" in content.upper():
                place = originals / f"{number:06}"
                place.mkdir(parents=True)
                (place / "Dockerfile").write_bytes(content)
        without_unreadable(tally, originals)
        count = sum(1 for _ in originals.iterdir())
        heading(f"written in place, {count} files, two processes")
        rule = ("--fix", "--fix-unsafe", "--fix-rule", TALLY_RULE)
        commands = {
            "all codemods": dockfix("--write", "--quiet", "--no-cache", "--jobs", "2"),
            "tally's cache rule alone": [*tally_lint(tally), *rule],
        }
        runs: dict[str, list[Run]] = {name: [] for name in commands}
        for turn in range(TURNS):
            for name in commands if turn % 2 == 0 else reversed(commands):
                # Nothing is removed in between: for half a minute ext4 looks past whatever was, for each new file.
                work = Path(folder, f"work-{turn}-{len(runs[name])}-{name[0]}")
                shutil.copytree(originals, work)
                os.sync()
                runs[name].append(spawn([*commands[name], str(work)]))
        for name in commands:
            row(name, rate(min(runs[name], key=lambda run: run.processor), count))
        ours, theirs = runs.values()
        processor = min(run.processor for run in theirs) / min(run.processor for run in ours)
        seconds = min(run.seconds for run in theirs) / min(run.seconds for run in ours)
        row("tally takes", f"{processor:8.1f} times the processor time, {seconds:.1f} times as long by the clock")


def tally_lint(tally: str) -> list[str]:
    only = ("--ignore", "*", "--select", TALLY_RULE, "--slow-checks", "off", "--hide-source", "--fail-level", "none")
    return ["env", "GOMAXPROCS=2", tally, "lint", "--no-config", *only]


def without_unreadable(tally: str, originals: Path) -> None:
    """Remove the files at which tally stops: each run names one."""
    for part in sorted({place.name[:-2] for place in originals.iterdir()}):
        while places := [str(place) for place in sorted(originals.glob(f"{part}??"))]:
            found = subprocess.run([*tally_lint(tally), *places], capture_output=True, text=True, check=False)
            named = re.search(r"(/\S+/Dockerfile)", found.stderr)
            if found.returncode in (0, 1) or named is None:
                break
            shutil.rmtree(Path(named[1]).parent)


# --- size ------------------------------------------------------------------------------------------------------------


def bench_size() -> None:
    """The exponent is the slope of time against size in logarithms, by least squares, without the smallest size, where
    what every file costs dominates: 1 is linear."""
    from fixer import fix, parse

    fix(SMALL)
    verbs: dict[str, Callable[[str], object]] = {"parse": parse, "fix": lambda text: fix(text, project="bench")}
    shapes = {"many instructions": many_instructions, "many stages": many_stages, "one long RUN": one_long_run}
    heading("one file, ms")
    row("lines", "".join(f"{size:10d}" for size in SIZES) + "   exponent")
    for shape, make in shapes.items():
        for verb, function in verbs.items():
            times: list[float] = []
            for size in SIZES:
                if times and times[-1] > PATIENCE:
                    break
                times.append(fastest(function, make(size)))
            shown = "".join(f"{seconds * 1000:10.2f}" for seconds in times)
            shown += "         -" * (len(SIZES) - len(times))
            row(f"{verb}, {shape}", f"{shown}   {slope(SIZES[1 : len(times)], times[1:]):8.2f}")


PATIENCE = 2
"""Seconds: what takes longer is not tried at ten times the size."""


def fastest(function: Callable[[str], object], text: str) -> float:
    """The best of a few runs: as many as fit into half a second, and three if none takes long."""
    times: list[float] = []
    while not times or (sum(times) < 0.5 and len(times) < 25) or (len(times) < 3 and times[-1] < PATIENCE):
        gc.collect()
        started = time.process_time()
        function(text)
        times.append(time.process_time() - started)
    return min(times)


def slope(sizes: Sequence[int], times: Sequence[float]) -> float:
    xs, ys = [log(size) for size in sizes], [log(seconds) for seconds in times]
    x, y = statistics.mean(xs), statistics.mean(ys)
    return sum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True)) / sum((a - x) ** 2 for a in xs)


BLOCK = """ENV NAME_{n}=value \\
    OTHER_{n}="a $NAME_{n} b"
WORKDIR /srv/{n}
COPY file-{n}.txt ./
RUN apt-get update \\
    && apt-get install -y --no-install-recommends package-{n} \\
    # why it is needed
    && rm -rf /var/lib/apt/lists/*
RUN pip install --no-cache-dir package-{n} && echo "done: {n}" > /tmp/{n}.log
RUN cargo build --release
"""
"""Ten lines, as they stand in real files."""


def many_instructions(lines: int) -> str:
    return "FROM rust:1\n" + "".join(BLOCK.format(n=n) for n in range(lines // 10))


def many_stages(lines: int) -> str:
    def blocks() -> Iterator[str]:
        for n in range(lines // 10):
            yield f"FROM {'rust:1' if n % 2 == 0 else f'stage-{n - 1}'} AS stage-{n}\n"
            yield "WORKDIR /app\nCOPY . .\n"
            yield "RUN --mount=type=cache,target=/app/target \\\n    cargo build --release\n"
            yield "RUN apt-get update && \\\n    apt-get install -y curl && \\\n    rm -rf /var/lib/apt/lists/*\n"
            yield f"COPY --from=stage-{max(n - 1, 0)} /srv/a /srv/a\n" if n else "COPY a /srv/a\n"
            yield 'CMD ["a"]\n'

    return "".join(blocks())


def one_long_run(lines: int) -> str:
    packages = "".join(f"        package-{n} \\\n" for n in range(lines - 4))
    return f"FROM debian:bookworm\nRUN apt-get update \\\n    && apt-get install -y \\\n{packages}    && true\n"


# --- output ----------------------------------------------------------------------------------------------------------


def heading(text: str) -> None:
    print(f"\n{text}")


def row(name: str, value: str) -> None:
    print(f"  {name:42} {value}", flush=True)


if __name__ == "__main__":
    main()
