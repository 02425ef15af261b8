"""Ctrl-C and its relatives, so that what is under way is finished and can be reported."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType
from typing import Any


class Interrupts:
    """While it is entered, the first SIGINT, SIGTERM or SIGHUP is noted, and raises KeyboardInterrupt only where that
    is harmless: between `open` and `shield`. A second one always raises it."""

    def __init__(self) -> None:
        self.number = 0
        """Of the first signal; 0 if none came."""
        self._is_open = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Interrupts:
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            if number is None or signal.getsignal(number) in (signal.SIG_IGN, None):  # nohup, a job in the background
                continue
            try:
                self._before[number] = signal.signal(number, self._come)
            except ValueError:  # not in the main thread
                break
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def open(self) -> None:
        """Whatever is done now may be broken off. Raises KeyboardInterrupt if a signal came before."""
        self._is_open = True
        if self.number:
            raise KeyboardInterrupt

    def shield(self) -> None:
        """From now on nothing is broken off."""
        self._is_open = False

    def came(self) -> bool:
        return self.number != 0

    def _come(self, number: int, frame: FrameType | None) -> None:
        again, self.number = self.number != 0, self.number or number
        if again or self._is_open:
            raise KeyboardInterrupt
