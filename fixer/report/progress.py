"""A line on a terminal that says how far a big job is. The only module that imports rich."""

from __future__ import annotations

from time import monotonic
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress

_EVERY = 0.1
"""Seconds between two pictures."""


class Bar:
    """Nothing is shown before the first `step`. No thread draws it: whoever works calls it."""

    def __init__(self, stream: IO[str], *, color: bool, started: float) -> None:
        """started: when the work began, by `monotonic`."""
        self._stream = stream
        self._color = color
        self._progress: Progress | None = None
        self._started = started
        self._drawn = 0.0

    def step(self, done: int, found: int, *, all_found: bool) -> None:
        """done, found: files. Until all are found there is no remaining time."""
        now = monotonic()
        if now - self._drawn < _EVERY:
            return
        self._drawn = now
        text = f"{done:,} of {found:,} files" + ("" if all_found else " found so far")
        if now - self._started >= 1:
            text += f", {done / (now - self._started):,.0f} a second"
        if self._progress is None:
            self._progress = _progress(self._stream, color=self._color)
            self._progress.add_task("", completed=done, total=found if all_found else None, text=text)
            self._progress.start()
            return
        (task,) = self._progress.tasks
        self._progress.update(task.id, completed=done, total=found if all_found else None)
        if all_found and task.time_remaining is not None:
            text += f", {_clock(int(task.time_remaining))} left"
        self._progress.update(task.id, text=text)
        self._progress.refresh()

    def clear(self) -> None:
        """Make room: whatever is printed next begins where the line stood."""
        if self._drawn and self._progress is not None:
            self._stream.write("\r\x1b[2K")
            self._stream.flush()
            self._drawn = 0.0

    def stop(self) -> None:
        """It is gone, and will not come again."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None


def _clock(seconds: int) -> str:
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours}:{minutes:02}:{seconds % 60:02}" if hours else f"{minutes}:{seconds % 60:02}"


def _progress(stream: IO[str], *, color: bool) -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    console = Console(file=stream, no_color=not color, highlight=False)
    return Progress(
        BarColumn(bar_width=24),
        TextColumn("{task.fields[text]}", markup=False),
        console=console,
        auto_refresh=False,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
        speed_estimate_period=30,
    )
