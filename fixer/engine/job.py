"""Many files: each is read and fixed, in parallel where that pays, and given back in order. Nothing is written here."""

from __future__ import annotations

import os
import signal
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING

from fixer.engine.files import FileTrouble, check_content, read
from fixer.engine.outcome import Outcome, Problem
from fixer.engine.project import project_name
from fixer.engine.template import is_template_name
from fixer.text.diff import unified_diff
from fixer.text.records import dataclass

if TYPE_CHECKING:  # process pools are slow to import and rarely needed
    from concurrent.futures import Future, ProcessPoolExecutor

PARALLEL_FROM = 64
"""Fewer files than this are done in this process: to start others costs more than it saves."""
CHUNK = 16
"""Files that a process takes at once."""


@dataclass(frozen=True, slots=True)
class Options:
    """What to do with every file; see `fixer.fix`."""

    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()
    unsafe_fixes: bool = False
    project: str | None = None
    """None: found from each file's repository."""


@dataclass(frozen=True, slots=True)
class FileResult:
    """What came of one file."""

    path: str
    """As it is shown to people."""
    outcome: Outcome[bytes] | None
    """None if the file could not be read."""
    problem: Problem | None
    """Why the file was left alone: could not be read, or `outcome.error`."""
    diff: str
    """A unified diff, empty where nothing changes."""

    @property
    def status(self) -> str:
        """`changed` (or would be), `unchanged`, `skipped` (the file says so), `error`."""
        if self.problem is not None or self.outcome is None:
            return "error"
        if self.outcome.skipped:
            return "skipped"
        return "changed" if self.outcome.changed else "unchanged"


def fix_file(path: str, options: Options) -> FileResult:
    """One file, read from disk. Does not raise on anything about the file."""
    try:
        data = read(path)
    except FileTrouble as trouble:
        return FileResult(path, None, trouble.problem, "")
    return fix_data(data, path, options, options.project or project_name(path))


def fix_data(data: bytes, path: str, options: Options, project: str | None) -> FileResult:
    """Content that was read already; `path` is its name. Does not raise on anything about it."""
    from fixer.engine.run import fix  # brings the parser with it

    try:
        check_content(data)
    except FileTrouble as trouble:
        return FileResult(path, None, trouble.problem, "")
    if is_template_name(PurePath(path)):
        message = "a template by its name, not a Dockerfile; run dockfix on what it makes."
        return FileResult(path, None, Problem("template", message), "")
    outcome = fix(
        data,
        path=path,
        select=options.select,
        ignore=options.ignore,
        unsafe_fixes=options.unsafe_fixes,
        project=project,
    )
    diff = unified_diff(outcome.text_before, outcome.text_after, diff_name(path)) if outcome.changed else ""
    return FileResult(path, outcome, outcome.error, diff)


def diff_name(path: str) -> str:
    """The name in a diff, as `git apply` wants it: relative to the directory that dockfix runs in, with slashes, and of
    the file itself where `path` goes through symbolic links."""
    real = os.path.relpath(os.path.realpath(path), os.path.realpath(os.curdir))
    if not real.startswith(os.pardir) and os.path.exists(path):
        return PurePath(real).as_posix()
    if os.path.isabs(path) or os.pardir in PurePath(path).parts:
        relative = os.path.relpath(path)
        path = path if relative.startswith(os.pardir) else relative
    return PurePath(path).as_posix().lstrip("/")


def fix_files(paths: Sequence[str], options: Options, jobs: int | None = None) -> Iterator[FileResult]:
    """One result a path, in the order of `paths`, as they come. `jobs`: processes, None for one a core."""
    if jobs is None:
        jobs = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    jobs = min(jobs, -(-len(paths) // CHUNK))
    if jobs <= 1 or len(paths) < PARALLEL_FROM:
        yield from (fix_file(path, options) for path in paths)
        return
    yield from _in_parallel(paths, options, jobs)


def _in_parallel(paths: Sequence[str], options: Options, jobs: int) -> Iterator[FileResult]:
    """Chunks wait in a short queue, so that memory does not grow with the number of files."""
    from concurrent.futures.process import BrokenProcessPool

    from fixer.tree.parse import parse  # before the fork, so that the children need not import it

    parse("FROM scratch\n")
    chunks = [paths[i : i + CHUNK] for i in range(0, len(paths), CHUNK)]
    work = partial(_fix_chunk, options=options)
    done = 0
    with _pool(jobs) as pool:
        waiting: deque[Future[list[FileResult]]] = deque()
        try:
            for chunk in chunks:
                waiting.append(pool.submit(work, chunk))
                if len(waiting) >= 4 * jobs:
                    yield from waiting.popleft().result()
                    done += 1
            while waiting:
                yield from waiting.popleft().result()
                done += 1
            return
        except BrokenProcessPool:
            pass
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    for chunk in chunks[done:]:
        for path in chunk:
            yield _alone(path, options)


def _alone(path: str, options: Options) -> FileResult:
    """One file in a process of its own, after a process died: only the file that kills it is lost."""
    from concurrent.futures.process import BrokenProcessPool

    with _pool(1) as pool:
        try:
            return pool.submit(fix_file, path, options).result()
        except BrokenProcessPool:
            return FileResult(path, None, Problem("internal-error", "the process died that worked on it."), "")


def _fix_chunk(paths: Sequence[str], options: Options) -> list[FileResult]:
    return [fix_file(path, options) for path in paths]


def _pool(jobs: int) -> ProcessPoolExecutor:
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    # A forked child has everything imported; elsewhere than on Linux forking is not safe.
    method = "fork" if sys.platform == "linux" else None
    return ProcessPoolExecutor(jobs, multiprocessing.get_context(method), initializer=_leave_interrupts_to_the_parent)


def _leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


