"""Processes that work on items: order, deaths, stops, orphans."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from fixer.engine import pool
from fixer.engine.pool import Pool

linux = pytest.mark.skipif(sys.platform != "linux", reason="processes are not forked elsewhere")


def double(item: int) -> int:
    if item % 50 == 3:
        time.sleep(0.02)
    return item * 2


def lost(item: int) -> int:
    return -item


def slowly(items: int) -> Iterator[int | None]:
    for item in range(items):
        yield None
        yield item


def test_all_results_in_order() -> None:
    one = Pool(double, slowly(700), 3, lost)
    assert [result for result in one.results() if result is not None] == [item * 2 for item in range(700)]
    assert (one.found, one.all_found) == (700, True)


def test_nothing_to_do() -> None:
    assert [*Pool(double, iter(()), 2, lost).results()] == []


def die(item: int) -> int:
    if item in (5, 6, 130):
        os.kill(os.getpid(), signal.SIGKILL)
    return double(item)


def test_only_what_kills_a_process_is_lost() -> None:
    results = [result for result in Pool(die, iter(range(200)), 2, lost).results() if result is not None]
    assert results == [-item if item in (5, 6, 130) else item * 2 for item in range(200)]


def note(folder: Path, item: int) -> int:
    time.sleep(0.01)
    (folder / str(item)).touch()
    return item


def test_what_is_at_hand_is_finished_and_told(tmp_path: Path) -> None:
    results: list[int] = []
    everything = Pool(partial(note, tmp_path), iter(range(10_000)), 2, lost)
    started = time.monotonic()
    for result in everything.results(lambda: len(results) >= 20):
        if result is not None:
            results.append(result)
    assert time.monotonic() - started < 20
    assert sorted(os.listdir(tmp_path)) == sorted(map(str, results))
    assert 20 <= len(results) < 60


def sleep(item: int) -> int:
    time.sleep(600)
    return item


def test_who_does_not_finish_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "END_TIME", 0.3)
    started = time.monotonic()
    assert [result for result in Pool(sleep, iter(range(5)), 2, lost).results(lambda: True) if result] == []
    assert time.monotonic() - started < 20


def big(item: int) -> bytes:
    return bytes(1_000_000)


def test_results_do_not_pile_up() -> None:
    """Whoever is slow to take results slows the others down."""
    taken = 0
    one = Pool(big, iter(range(10_000)), 2, lambda item: b"")
    for result in one.results():
        taken += result is not None
        if taken > 3:
            assert len(one._done) <= 2 * pool.AHEAD
            break


ORPHANS = """
import os, sys, time
from fixer.engine.pool import Pool
def work(item):
    if item < 3:
        return os.getpid()
    time.sleep(0.05)
    return 0
for result in Pool(work, iter(range(100000)), 3, abs).results():
    if result:
        print(result, flush=True)
"""


@linux
def test_processes_end_with_their_parent() -> None:
    with subprocess.Popen([sys.executable, "-c", ORPHANS], stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        children = {int(running.stdout.readline())}
        listed = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()
        children.update(map(int, listed))
        assert len(children) == 3
        running.kill()
    end = time.monotonic() + 20
    while any(is_alive(child) for child in children) and time.monotonic() < end:
        time.sleep(0.05)
    assert not any(is_alive(child) for child in children)


def is_alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
