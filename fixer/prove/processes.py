"""Child processes that never outlive us, and signals that never hit us where it would leave something behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from types import FrameType
from typing import IO, Any

GRACE = 10.0
"""Seconds that a child has to end after the first signal, before it is killed."""


class Stopped(SystemExit):
    """A signal asked us to end. Nobody need catch it: the exit status is the usual one, 128 and the signal's number."""

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)
        self.signal = number


class Interrupts:
    """While this is entered (in the main thread; elsewhere it does nothing), SIGTERM and SIGHUP raise Stopped in the
    main thread as Ctrl-C raises KeyboardInterrupt, and all three wait while something is `held`. A signal that somebody
    else handles, or that is ignored (nohup), is left alone."""

    def __init__(self) -> None:
        self._old: dict[int, Any] = {}
        self._held = 0
        self._pending = 0

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            for name in ("SIGINT", "SIGTERM", "SIGHUP"):
                number = getattr(signal, name, None)  # Windows has no SIGHUP
                if number is not None and signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
                    self._old[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *error: object) -> None:
        while self._old:
            signal.signal(*self._old.popitem())

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """A signal that arrives inside raises at the end of it."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
            if self._pending and not self._held:
                number, self._pending = self._pending, 0
                self._raise(number)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._held:
            self._pending = self._pending or number
        else:
            self._raise(number)

    def _raise(self, number: int) -> None:
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        raise Stopped(number)


class Child:
    """A command with its standard output and error as pipes, no input, and a process group of its own: Ctrl-C in the
    terminal reaches us and not the command, and ending it ends what it started. Leaving the context ends it."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], interrupts: Interrupts, alive: list[Child]
    ) -> None:
        """alive: where it stands while it may run, for whoever cleans up."""
        self._command, self._environment = list(command), dict(environment)
        self._interrupts = interrupts
        self._alive = alive
        self._lock = threading.Lock()

    def __enter__(self) -> Child:
        with self._interrupts.held():
            self.process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=self._environment,
                start_new_session=True,
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )
            self._alive.append(self)
        return self

    def __exit__(self, *error: object) -> None:
        with self._interrupts.held():
            self.end()
            self._alive.remove(self)
            for pipe in (self.out, self.err):
                with contextlib.suppress(OSError, ValueError):
                    pipe.close()

    @property
    def out(self) -> IO[bytes]:
        assert self.process.stdout is not None
        return self.process.stdout

    @property
    def err(self) -> IO[bytes]:
        assert self.process.stderr is not None
        return self.process.stderr

    def end(self, grace: float = GRACE) -> None:
        """End it if it still runs, and wait for it. SIGINT first: docker then tells the engine to give the build up."""
        with self._lock:  # a watchdog may do that too
            if self.process.poll() is not None:
                return
            self._signal(getattr(signal, "CTRL_BREAK_EVENT", signal.SIGINT))
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(grace)
            if self.process.poll() is None:  # never later: the group's number may be somebody else's then
                self._signal(getattr(signal, "SIGKILL", signal.SIGTERM))
                self.process.wait()

    def _signal(self, number: int) -> None:
        with contextlib.suppress(OSError):
            if hasattr(os, "killpg"):
                os.killpg(self.process.pid, number)
            else:
                self.process.send_signal(number)
