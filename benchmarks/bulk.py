"""Thousands of repositories: how fast `dockfix --write` goes over them, in how much memory, and how fast a second time.

    python benchmarks/bulk.py DIRECTORY [--files 100000] [--repositories 10000] [--jobs N] [--third] [--keep]

Makes a tree below DIRECTORY, which must not exist: repositories with `.git` directories, `.gitignore` files, ignored
directories, and Dockerfiles that are those of the corpus, each varied so that no two are the same. Then runs
`dockfix --write` on it twice and prints rate and memory. Not part of the tests: it asserts nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLACES = ("", "services/api", "services/web", "docker", "deploy/images/base", "tools", "build/ci", "cmd/server")
"""Where Dockerfiles stand in a repository."""
IGNORE = """# made by a template, as most are
__pycache__/
*.py[cod]
*.egg-info/
.venv/
/dist/
node_modules/
*.log
.DS_Store
.idea/
target/
!keep.log
coverage/
.env
*.tmp
"""


def main() -> None:
    parser = argparse.ArgumentParser(description="Thousands of repositories.")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--repositories", type=int, default=10_000)
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--third", action="store_true", help="run once more, without the cache")
    parser.add_argument("--keep", action="store_true", help="do not remove the tree")
    options = parser.parse_args()
    started = time.perf_counter()
    count = make_tree(options.directory / "tree", options.files, options.repositories)
    print(f"{count} files in {options.repositories} repositories, made in {time.perf_counter() - started:.0f} s")
    try:
        run("first run", options.directory, options.jobs)
        run("second run", options.directory, options.jobs)
        if options.third:
            run("third run, without the cache", options.directory, options.jobs, "--no-cache")
    finally:
        if not options.keep:
            shutil.rmtree(options.directory)


def make_tree(root: Path, files: int, repositories: int) -> int:
    """Returns the number of Dockerfiles that are to be found."""
    chance = random.Random(7)
    sources = [path.read_bytes() for path in sorted(ROOT.glob("corpus/*/*/before/*ockerfile*")) if path.is_file()]
    made = 0
    for number in range(repositories):
        repository = root / f"team-{number % 97:02}" / f"repository-{number:05}"
        git = repository / ".git"
        git.mkdir(parents=True)
        url = f"https://forge.example/team-{number % 97}/repository-{number}.git"
        (git / "config").write_text(f'[core]\n\tbare = false\n[remote "origin"]\n\turl = {url}\n')
        (repository / ".gitignore").write_text(f"{IGNORE}/generated-{number % 500}/\n")
        ignored = repository / "node_modules" / "left-pad"
        ignored.mkdir(parents=True)
        (ignored / "Dockerfile").write_bytes(sources[0])
        here = files * (number + 1) // repositories - files * number // repositories
        for index in range(here):
            folder = repository / PLACES[index % len(PLACES)]
            folder.mkdir(parents=True, exist_ok=True)
            name = "Dockerfile" if index < len(PLACES) else f"Dockerfile.{index}"
            source = sources[chance.randrange(len(sources))]
            (folder / name).write_bytes(source.rstrip(b"\n") + b"\n# file %d\n" % made)
            (folder / "README.md").write_text("nothing\n")
            made += 1
    return made


def run(name: str, directory: Path, jobs: int | None, *arguments: str) -> None:
    report = directory / "report.jsonl"
    command = [sys.executable, "-m", "fixer", "--write", "--quiet", "--report", str(report), *arguments]
    if jobs:
        command += ["--jobs", str(jobs)]
    environment = {**os.environ, "XDG_CACHE_HOME": str(directory.resolve() / "cache"), "PYTHONPATH": str(ROOT)}
    started = time.perf_counter()
    process = subprocess.Popen(
        [*command, str(directory / "tree")], cwd=ROOT, env=environment, stderr=subprocess.DEVNULL
    )
    peaks: dict[str, int] = {}
    watching = threading.Thread(target=watch, args=(process, peaks))
    watching.start()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - started
    watching.join()
    with report.open("rb") as file:
        for line in file:
            last = line
    summary = json.loads(last)["summary"]
    count = sum(summary["files"].values())
    processor = usage.ru_utime + usage.ru_stime
    cache = sum(path.stat().st_size for path in directory.glob("cache/dockfix/results*"))
    print(
        f"{name}: exit {process.returncode}, {count} files {summary['files']}, {summary['known']} known\n"
        f"  {seconds:.1f} s, {count / seconds:.0f} files/s; {processor:.1f} s of processor time, "
        f"{processor / count * 1000:.2f} ms a file\n"
        f"  MB at most: {', '.join(sizes(peaks))}; "
        f"MB of report: {report.stat().st_size / 1e6:.1f}, of cache: {cache / 1e6:.1f}",
        flush=True,
    )


def watch(process: subprocess.Popen[bytes], peaks: dict[str, int]) -> None:
    """Peak resident memory, in kB, of the process and of its children (Linux)."""
    while process.returncode is None:
        for pid in (str(process.pid), *children(process.pid)):
            try:
                status = Path("/proc", pid, "status").read_text()
            except OSError:
                continue
            peak = [int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")]
            peaks[pid] = max(peaks.get(pid, 0), *peak, 0)
        time.sleep(0.2)


def children(pid: int) -> Sequence[str]:
    try:
        return Path("/proc", str(pid), "task", str(pid), "children").read_text().split()
    except OSError:
        return ()


def sizes(peaks: dict[str, int]) -> list[str]:
    return [f"{kilobytes / 1024:.0f}" for kilobytes in peaks.values()]


if __name__ == "__main__":
    main()
