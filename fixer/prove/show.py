"""What people see while the builds run, on standard error: a live line on a terminal, else a line for each build."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from fixer.prove.model import Phase, Step
from fixer.prove.protocol import Event
from fixer.prove.timeline import duration, short_name, stage_name
from fixer.prove.visible import plain
from fixer.report.text import GREEN, RED, paint

if TYPE_CHECKING:
    from rich.live import Live
    from rich.text import Text

PHASES = {
    Phase.FIRST: "from nothing",
    Phase.AGAIN: "from nothing again",
    Phase.EDIT: "after an edit",
    Phase.REVERT: "edit taken back",
    Phase.DEPENDENCY: "dependencies changed",
    Phase.EMPTIED: "cache mounts emptied",
}


class Show:
    """A context. `event` and `step` are what the protocol and docker call."""

    def __init__(self, *, quiet: bool, color: bool) -> None:
        self.quiet = quiet
        self.color = color
        self._live: Live | None = None
        self._event: Event | None = None
        self._begun = 0.0
        self._steps: dict[tuple[str, int, str], tuple[Step, float]] = {}
        """Those that run, and when they were first heard of."""

    def __enter__(self) -> Show:
        if not self.quiet and sys.stderr.isatty():
            from rich.console import Console
            from rich.live import Live

            console = Console(file=sys.stderr, no_color=not self.color, highlight=False)
            self._live = Live(console=console, get_renderable=self._line, refresh_per_second=4, transient=True)
            self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._live:
            self._live.stop()
            self._live = None

    def event(self, event: Event) -> None:
        """A build begins or has ended."""
        self._steps.clear()
        self._event = event
        self._begun = time.monotonic()
        if event.build is not None and not self.quiet:
            word = paint("built", GREEN, self.color) if event.build.ok else paint("failed", RED, self.color)
            self.note(f"{_title(event)}: {word} in {duration(event.build.seconds)}")

    def step(self, step: Step) -> None:
        """A step began or has ended."""
        key = (step.stage, step.number, step.name)
        if step.done:
            self._steps.pop(key, None)
        else:
            self._steps.setdefault(key, (step, time.monotonic()))

    def note(self, line: str) -> None:
        """A line that stays."""
        if self.quiet:
            return
        if self._live:
            from rich.text import Text

            self._live.console.print(Text.from_ansi(line), soft_wrap=True)
        else:
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()

    def _line(self) -> Text:
        """What runs now: the build, and the step that runs for the longest time, each with its seconds."""
        from rich.text import Text

        event, now = self._event, time.monotonic()
        if event is None:
            return Text("copying the build context")
        if event.build is not None:
            return Text(f"{_title(event)}: looking at the image")
        words = f"{_title(event)}: {now - self._begun:.0f} s"
        running = sorted(self._steps.values(), key=lambda one: one[1])
        if running:
            step, since = running[0]
            stage = f"{stage_name(step.stage)}: " if step.stage else ""
            more = f", {len(running)} steps" if len(running) > 1 else ""
            words += f"{more}; {now - since:.0f} s in {stage}{short_name(step)}"
        return Text(plain(words), no_wrap=True, overflow="ellipsis")


def _title(event: Event) -> str:
    repeat = f" {event.repeat + 1}" if event.repeat else ""
    if event.phase is Phase.REVERT and event.repeat:
        repeat = ", changed steps run again"
    stage = f", stage {plain(event.target)}" if event.target else ""
    return f"build {event.number} of {event.total}: {event.side.value}, {PHASES[event.phase]}{repeat}{stage}"
