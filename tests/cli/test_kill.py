"""Whenever and however `dockfix --write` is killed: every file is whole, and the next run goes on from there.

    python tests/cli/test_kill.py [TIMES]

kills it so often, at random moments (500 by default), and prints what was seen.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

import pytest
import tiny_codemods
from tiny_codemods import popen

from fixer.cli import command
from fixer.codemods import registry

SOURCE = b"FROM a\nRUN one\nRUN one more\n" + (b"# longer than a page " + b"x" * 400 + b"\n") * 20
FIXED = SOURCE.replace(b"RUN one\n", b"RUN two\n")
FILES = 100
LINKED = 3
"""Further names of every tenth file."""
SIGNALS = [signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT] if sys.platform != "win32" else []

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are different on Windows")


def make(root: Path) -> list[Path]:
    """The files, with hard links among them."""
    made = []
    for number in range(FILES):
        folder = root / f"d{number % 12}"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"Dockerfile.{number:03}"
        path.write_bytes(SOURCE)
        path.chmod(0o640)
        made.append(path)
        for link in range(LINKED if number % 10 == 0 else 0):
            other = root / f"d{(number + link) % 12}" / f"{number:03}-{link}.dockerfile"
            other.parent.mkdir(exist_ok=True)
            os.link(path, other)
            made.append(other)
    return made


class Forked:
    """The command in a fork of this process: what is imported already need not be imported 500 times."""

    def __init__(self, arguments: Sequence[str], root: Path, errors: IO[bytes]) -> None:
        self.returncode: int | None = None
        self.pid = os.fork()
        if self.pid:
            return
        try:
            os.setsid()
            os.chdir(root)
            os.dup2(errors.fileno(), 2)
            os.environ["XDG_CACHE_HOME"] = str(root / "cache")
            registry.ORDER = tiny_codemods.ORDER
            command(arguments, prog_name="dockfix")
        except SystemExit as end:
            os._exit(end.code if isinstance(end.code, int) else 1)
        finally:
            os._exit(99)

    def poll(self) -> int | None:
        return self._take(os.WNOHANG)

    def wait(self) -> int:
        code = self._take(0)
        assert code is not None
        return code

    def _take(self, how: int) -> int | None:
        if self.returncode is None:
            process, status = os.waitpid(self.pid, how)
            if process:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode


def spawned(arguments: Sequence[str], root: Path, errors: IO[bytes]) -> subprocess.Popen[bytes]:
    environment = {"XDG_CACHE_HOME": str(root / "cache")}
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": errors}
    return popen(*arguments, cwd=root, env=environment, start_new_session=True, **quiet)


Start = Callable[[Sequence[str], Path, IO[bytes]], Any]


def kill_once(root: Path, chance: random.Random, seen: Counter[str], start: Start) -> None:
    """One run that is killed after some files, and the run after it."""
    tree = root / "tree"
    files = make(tree)
    which = chance.choice(SIGNALS)
    group = chance.random() < 0.5
    jobs = chance.choice(("1", "2", "3"))
    report = root / "report.jsonl"
    with (root / "errors").open("w+b") as errors:
        running = start(["--write", "--jobs", jobs, "--report", str(report), "tree"], root, errors)
        wait_for(report, running, chance.randrange(1, FILES))
        time.sleep(chance.random() * 0.004)
        if running.poll() is None:
            (os.killpg if group else os.kill)(running.pid, which)
        code = running.wait()
        wait_for_the_end(running.pid)
        said = errors_of(errors)
    check(tree, files)
    written = sum(path.read_bytes() == FIXED for path in files)
    lines = whole_lines(report)
    complete = bool(lines) and "summary" in lines[-1]
    if code != 0 and which != signal.SIGKILL:
        assert code == 128 + which, (code, said)
        assert complete, "an end in good order"
        assert not lines[-1]["summary"]["complete"]
        assert "Traceback" not in said
        assert "interrupted: " in said
        told = {line["path"] for line in lines if line.get("written")}
        alone = [path for path in files if path.stat().st_nlink == 1]
        assert {path.relative_to(root).as_posix() for path in alone if path.read_bytes() == FIXED} == told - {
            path.relative_to(root).as_posix() for path in files if path.stat().st_nlink > 1
        }, "what was written was said"
    seen[f"{which.name} {'group' if group else 'process'}, exit {code}"] += 1
    seen["files written before"] += written
    seen["files left for the next run"] += len(files) - written
    seen["kills in the middle"] += 0 < written < len(files)
    seen["litter"] += sum(1 for _ in tree.rglob(".dockfix-*"))

    with (root / "errors").open("w+b") as errors:
        code = start(["--write", "--jobs", "2", "tree"], root, errors).wait()
        assert code == 0, errors_of(errors)
    check(tree, files)
    assert all(path.read_bytes() == FIXED for path in files)
    assert [*tree.rglob(".dockfix-*")] == [], "the next run sweeps"
    for path in [report, *sorted(tree.rglob("*"), reverse=True)]:
        path.rmdir() if path.is_dir() else path.unlink()


def wait_for(report: Path, running: Any, count: int) -> None:
    """Until the report has so many lines, or it is over."""
    while running.poll() is None:
        if report.exists() and report.read_bytes().count(b"\n") >= count:
            return
        time.sleep(0.003)


def wait_for_the_end(group: int) -> None:
    """Processes of a pool finish what they have at hand, and end because their parent did."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.003)
    raise AssertionError("a process outlived its parent")


def errors_of(stream: IO[bytes]) -> str:
    stream.seek(0)
    return stream.read().decode()


def check(tree: Path, files: list[Path]) -> None:
    for path in files:
        assert path.read_bytes() in (SOURCE, FIXED), path
        assert path.stat().st_mode & 0o777 == 0o640, path
    left = {path for path in tree.rglob("*") if path.is_file()} - set(files)
    assert all(path.name.startswith(".dockfix-") for path in left), left


def whole_lines(report: Path) -> list[dict[str, Any]]:
    if not report.exists():
        return []
    return [json.loads(line) for line in report.read_bytes().split(b"\n")[:-1]]


def test_killed_as_a_program(tmp_path: Path) -> None:
    seen: Counter[str] = Counter()
    for seed in range(3):
        kill_once(tmp_path, random.Random(seed), seen, spawned)
    assert seen["kills in the middle"]


def test_killed_at_random_moments() -> None:
    """In a process of its own, because this one may have threads, and must not fork."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    if os.path.isdir("/dev/shm"):  # where nothing waits for a disk
        environment["TMPDIR"] = "/dev/shm"
    command = [sys.executable, __file__, "20"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("20 times: every file whole")
    middle = re.search(r"kills in the middle: (\d+)", done.stdout)
    assert middle
    assert int(middle[1]) >= 10


def warm_up() -> None:
    """What every run needs is imported."""
    import fixer
    from fixer.engine import interrupts, pool, result_cache  # noqa: F401
    from fixer.report import entry, json, text, totals  # noqa: F401

    registry.ORDER = tiny_codemods.ORDER
    fixer.fix(SOURCE)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets jobs in the background ignore it


def main() -> None:
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    seen: Counter[str] = Counter()
    warm_up()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(times):
            kill_once(Path(folder), random.Random(number + 1_000), seen, Forked)
            if number % 50 == 49:
                print(number + 1, dict(seen), flush=True)
    print(f"{times} times: every file whole, every mode kept, every second run complete")
    for name, count in sorted(seen.items()):
        print(f"  {name}: {count}")


if __name__ == "__main__":
    main()
