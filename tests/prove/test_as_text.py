"""A proof as text."""

from __future__ import annotations

import re

import pytest

from fixer.prove.as_text import headline, text
from fixer.prove.model import Phase, Times, Verdict
from fixer.text.records import replace
from tests.proofs import PROOFS, demo


@pytest.mark.parametrize("name", PROOFS)
@pytest.mark.parametrize("color", [False, True])
def test_nothing_in_it_steers_a_terminal(name: str, color: bool) -> None:
    printed = text(PROOFS[name](), color)
    assert printed.encode()
    assert printed.endswith("\n")
    assert ("\x1b[" in printed) is (color and name != "nothing")
    without = re.sub(r"\x1b\[\d*m", "", printed)
    assert re.findall(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e]", without) == []
    assert without == text(PROOFS[name](), False)


def test_headlines() -> None:
    said = {name: headline(make()) for name, make in PROOFS.items()}
    assert said["demo"].startswith("Proven: it builds as before, and the image is the same, but for what apt-cache ")
    assert said["broken"].startswith("Not proven: 2 of 5 checks failed: ")
    assert said["not-building"].startswith("Not proven: the original does not build")
    assert said["nothing"] == "Nothing to prove: dockfix changes nothing here."
    assert headline(replace(demo(), broke_off="The engine\nwent.")) == "Not proven: broken off: The engine went."


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ((30.0,), (5.0,), "6.0x faster"),
        ((5.0,), (7.0,), "1.40x slower"),
        ((5.0,), (5.1,), "about the same"),
        ((0.6,), (0.4,), "about the same"),
        ((10.0, 30.0, 20.0), (2.0, 1.0, 90.0), "10x faster"),
        ((1.0,), (0.0,), "1,000x faster"),
    ],
)
def test_times_are_told_in_both_directions(before: tuple[float, ...], after: tuple[float, ...], words: str) -> None:
    times = Times("rebuild", Phase.EDIT, before, after, before, after)
    printed = text(replace(demo(), times=(times,)))
    (row,) = [line for line in printed.splitlines() if line.startswith("  rebuild")]
    assert words in row
    assert ("Each was measured once" in printed) is (len(before) == 1)


@pytest.mark.parametrize(
    ("runs", "words", "head"),
    [
        ((0.0, 0.0), "not in RUN steps", "a rebuild after an edit takes as long in RUN steps as before."),
        ((2.0, 4.0), "not in RUN steps", "a rebuild after an edit takes as long in RUN steps as before."),
        ((5.0, 4.9), "not in RUN steps", "a rebuild after an edit takes as long in RUN steps as before."),
        ((5.0, 0.7), "6.3x faster", "a rebuild after an edit takes 0.83 s instead of 5.2 s (6.3x faster)."),
    ],
)
def test_a_gain_has_to_be_one_of_the_steps(runs: tuple[float, float], words: str, head: str) -> None:
    """Who is built second finds the context sent already, and what else runs on the machine is not the fix either."""
    times = Times("rebuild", Phase.EDIT, (5.19,), (0.83,), runs[:1], runs[1:])
    proof = replace(demo(), times=(times,), checks=demo().checks[:2])
    (row,) = [line for line in text(proof).splitlines() if line.startswith("  rebuild")]
    assert words in row
    assert headline(proof).endswith(head)


def test_what_could_not_be_checked_is_in_the_headline() -> None:
    checks = tuple(replace(check, verdict=Verdict.PASSED) for check in demo().checks)
    assert headline(replace(demo(), checks=checks)).startswith("Proven: ")
    less = (*checks[:-1], replace(checks[-1], verdict=Verdict.NOT_CHECKED))
    assert headline(replace(demo(), checks=less)).startswith("Proven, but for 1 check that could not be made: ")


def test_times_that_were_not_measured() -> None:
    times = Times("rebuild", Phase.EDIT, (1.0,), (), (1.0,), ())
    assert "Times" not in text(replace(demo(), times=(times,)))


def test_differences_are_listed_once() -> None:
    first = demo().comparisons[0]
    printed = text(replace(demo(), comparisons=(first, replace(first, phase=Phase.DEPENDENCY))))
    assert printed.count("/etc/apt/apt.conf.d/keep-cache: only after") == 1
    assert "after the dependency change: 4,211 paths, the same differences as from nothing" in printed


def test_a_build_that_failed() -> None:
    printed = text(PROOFS["broken"]())
    assert "The fixed Dockerfile does not build with emptied cache mounts: `RUN " in printed
    assert "[232 lines of the log before]" in printed
    assert 'process "/bin/sh -c cargo build --release" did not complete successfully' in printed
