"""What is seen while the builds run."""

from __future__ import annotations

import io
import sys
from typing import Any

import pytest

from fixer.prove.model import Build, Phase, Side, Step
from fixer.prove.protocol import Event
from fixer.prove.show import Show


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def event(build: Build | None = None, **changes: Any) -> Event:
    given = {"number": 2, "total": 11, "phase": Phase.EDIT, "side": Side.FIXED, "target": "", "repeat": 0}
    return Event(**given | {"build": build} | changes)


def built(ok: bool) -> Build:
    return Build(Side.FIXED, Phase.EDIT, "", ok, "", 12.34, (), "", "" if ok else "no")


RUNNING = Step("RUN --mount=type=cache,target=/x   make \x1b[2J", "builder", 3, 0.0, 0.0, False, done=False)
OTHER = Step("RUN other", "1", 2, 0.0, 0.0, False, done=False)


def test_a_line_for_each_build_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with Show(quiet=False, color=False) as show:
        show.event(event())
        show.step(RUNNING)
        show.event(event(built(True)))
        show.event(event(built(False), target="tests", repeat=1))
        show.event(event(built(True), phase=Phase.REVERT, repeat=1))
    assert sys.stderr.getvalue() == (  # type: ignore[attr-defined]
        "build 2 of 11: fixed, after an edit: built in 12.3 s\n"
        "build 2 of 11: fixed, after an edit 2, stage tests: failed in 12.3 s\n"
        "build 2 of 11: fixed, edit taken back, changed steps run again: built in 12.3 s\n"
    )


def test_nothing_if_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream in (io.StringIO(), Terminal()):
        monkeypatch.setattr(sys, "stderr", stream)
        with Show(quiet=True, color=True) as show:
            show.event(event())
            show.step(RUNNING)
            show.event(event(built(True)))
            show.note("never mind")
        assert stream.getvalue() == ""


def test_the_live_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    show = Show(quiet=False, color=False)
    assert show._line().plain == "copying the build context"
    show.event(event())
    assert show._line().plain == "build 2 of 11: fixed, after an edit: 0 s"
    show.step(RUNNING)
    show.step(OTHER)
    assert show._line().plain == (
        "build 2 of 11: fixed, after an edit: 0 s, 2 steps; 0 s in builder: RUN … make \\x1b[2J"
    )
    show.step(Step(RUNNING.name, "builder", 3, 0.0, 1.0, False))
    assert show._line().plain == "build 2 of 11: fixed, after an edit: 0 s; 0 s in stage 1: RUN other"
    show.event(event(built(True)))
    assert show._line().plain == "build 2 of 11: fixed, after an edit: looking at the image"


def test_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """The live line goes, the lines of the builds stay, and the cursor comes back."""
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    with Show(quiet=False, color=False) as show:
        show.event(event())
        show.event(event(built(True)))
    text = sys.stderr.getvalue()  # type: ignore[attr-defined]
    assert "build 2 of 11: fixed, after an edit: built in 12.3 s\n" in text
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")
