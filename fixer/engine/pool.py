"""Work for several processes: items go out, results come back in order, nothing grows with the number of items.

Each process has a pipe of its own, and the parent keeps book of what it sent where, so that

- a process that dies costs the one item that killed it;
- whoever is told to stop finishes the item at hand, and its result still arrives: what was done is known exactly;
- processes end when their parent does, however that ended.

The standard library's pools promise none of these.
"""

from __future__ import annotations

import contextlib
import gc
import signal
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:  # slow to import, and rarely needed
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

Item = TypeVar("Item")
Result = TypeVar("Result")

BATCH = 8
"""Items that are sent together."""
AHEAD = 64
"""Items a process, that may be done or under way while the results of an earlier one are waited for."""
LOOK = 64
"""Items that are fetched at once while there is nothing else to do."""
PATIENCE = 0.1
"""Seconds after which whoever waits for results is asked whether to stop."""
END_TIME = 5.0
"""Seconds that the processes have for the item at hand once they are told to stop."""


class Pool(Generic[Item, Result]):
    """`work(item)` for every item, in `jobs` processes.

    work: picklable where processes are not forked; must not raise. In the process, `stopped()` tells whether the parent
    wants it to stop.
    items: None stands for nothing yet.
    lost: the result for an item whose process died.
    """

    def __init__(
        self,
        work: Callable[[Item], Result],
        items: Iterator[Item | None],
        jobs: int,
        lost: Callable[[Item], Result],
    ) -> None:
        self.found = 0
        """Items so far."""
        self.all_found = False
        self._work = work
        self._items = items
        self._lost = lost
        self._window = AHEAD * jobs
        self._backlog: deque[tuple[int, Item]] = deque()
        self._again: deque[tuple[int, Item]] = deque()
        self._done: dict[int, Result] = {}
        self._next = 0
        self._stopping = False
        self._workers = [_Worker() for _ in range(jobs)]

    def results(self, stop: Callable[[], bool] = lambda: False) -> Generator[Result | None, None, None]:
        """In the order of the items; None now and then while nothing comes. Once `stop()` is true, what is at hand is
        finished, and that is all."""
        try:
            for worker in self._workers:
                worker.start(self._work, self._workers)
            self._look()
            while not self._is_over():
                if stop():
                    self._finish()
                    for number in sorted(self._done):
                        yield self._done[number]
                    return
                self._send()
                if not self._receive(0.0 if self._can_look() else PATIENCE):
                    self._look()
                    yield None
                while self._next in self._done:
                    yield self._done.pop(self._next)
                    self._next += 1
        finally:
            self._finish()
            for worker in self._workers:
                worker.kill()

    def _is_over(self) -> bool:
        waiting = self._backlog or self._again or self._done
        return self.all_found and not waiting and not any(worker.has for worker in self._workers)

    def _can_look(self) -> bool:
        return not self.all_found

    def _look(self) -> None:
        """The parent searches while it waits; what it holds are paths."""
        for _ in range(LOOK):
            try:
                item = next(self._items)
            except StopIteration:
                self.all_found = True
                return
            if item is not None:
                self._backlog.append((self.found, item))
                self.found += 1

    def _send(self) -> None:
        """At most two batches are with a process, so that it need not wait for the next one."""
        for worker in self._workers:
            while len(worker.has) <= BATCH and (batch := self._batch()):
                worker.send(batch)

    def _batch(self) -> list[tuple[int, Item]]:
        batch: list[tuple[int, Item]] = []
        while self._again and len(batch) < BATCH:
            batch.append(self._again.popleft())
        while self._backlog and len(batch) < BATCH and self._backlog[0][0] < self._next + self._window:
            batch.append(self._backlog.popleft())
        return batch

    def _receive(self, timeout: float) -> bool:
        """False if nothing came in time."""
        from multiprocessing.connection import wait

        by_pipe: dict[Any, _Worker] = {worker.pipe: worker for worker in self._workers if worker.pipe is not None}
        ready = wait(list(by_pipe), timeout)
        for pipe in ready:
            worker = by_pipe[pipe]
            try:
                number, result = worker.pipe.recv()  # type: ignore[union-attr]
            except (EOFError, OSError):
                self._bury(worker)
            else:
                worker.has.popleft()
                self._done[number] = result
        return bool(ready)

    def _bury(self, worker: _Worker) -> None:
        """The first item that it had is lost with it, the others are for its successor."""
        has = worker.has
        worker.kill()
        if self._stopping:
            return
        if has:
            number, item = has.popleft()
            self._done[number] = self._lost(item)
            self._again.extend(has)
        worker.start(self._work, self._workers)

    def _finish(self) -> None:
        """The items at hand are finished."""
        from time import monotonic

        self._stopping = True
        for worker in self._workers:
            worker.stop()
        end = monotonic() + END_TIME
        while any(worker.pipe is not None for worker in self._workers) and monotonic() < end:
            self._receive(PATIENCE)


class _Worker:
    """One process, as its parent sees it."""

    def __init__(self) -> None:
        self.pipe: Connection[Any, Any] | None = None
        self.has: deque[tuple[int, Any]] = deque()
        """What was sent, and has not come back."""
        self._process: BaseProcess | None = None

    def start(self, work: Callable[[Any], Any], everybody: list[_Worker]) -> None:
        import multiprocessing

        # A forked child has everything imported; elsewhere than on Linux forking is not safe.
        context = multiprocessing.get_context("fork" if sys.platform == "linux" else None)
        self.pipe, theirs = context.Pipe()
        forked = context.get_start_method() == "fork"
        inherited = [one.pipe for one in everybody if one.pipe is not None] if forked else []
        self._process = context.Process(target=_serve, args=(theirs, work, inherited), daemon=True)
        self._process.start()
        theirs.close()

    def send(self, batch: list[tuple[int, Any]]) -> None:
        self.has.extend(batch)
        with contextlib.suppress(OSError):  # it died: `recv` will say so
            self.pipe.send(batch)  # type: ignore[union-attr]

    def stop(self) -> None:
        if self.pipe is not None:
            with contextlib.suppress(OSError):
                self.pipe.send(None)

    def kill(self) -> None:
        """It holds nothing that it could leave half done."""
        if self._process is not None and self.pipe is not None:
            self.pipe.close()
            self._process.kill()
            self._process.join()
            self._process.close()
        self.pipe, self._process, self.has = None, None, deque()


_inbox: Connection[Any, Any] | None = None
_todo: deque[tuple[int, Any]] = deque()
_told_to_stop = False


def stopped() -> bool:
    """In a process of a pool: True if the parent wants it to stop, or is no more. Never true elsewhere."""
    global _told_to_stop
    try:
        while not _told_to_stop and _inbox is not None and _inbox.poll():
            _take(_inbox.recv())
    except (EOFError, OSError):
        _told_to_stop = True
    return _told_to_stop


def _take(batch: list[tuple[int, Any]] | None) -> None:
    global _told_to_stop
    if batch is None:
        _told_to_stop = True
    else:
        _todo.extend(batch)


def _serve(inbox: Connection[Any, Any], work: Callable[[Any], Any], inherited: list[Connection[Any, Any]]) -> None:
    """The life of a process of a pool. Signals are for the parent, whose end closes the pipe."""
    global _inbox
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    for pipe in inherited:  # else a sibling would not see the end of the parent
        pipe.close()
    gc.freeze()  # what was there before the fork is shared, as long as nobody writes into it
    _inbox = inbox
    try:
        while not stopped():
            if not _todo:
                _take(inbox.recv())
                continue
            number, item = _todo.popleft()
            inbox.send((number, work(item)))
    except (EOFError, OSError):
        pass
