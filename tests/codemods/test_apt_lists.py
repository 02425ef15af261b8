"""Whose lists a step of apt reads, in forms that are too small for a case of their own."""

from __future__ import annotations

import pytest

from fixer.engine.outcome import Outcome
from fixer.engine.run import fix

FETCHED = "RUN apt-get update && apt-get install -y hello\n"
UPDATED = "RUN apt-get update\n"


def fixed(steps: str, *codemods: str) -> Outcome[str]:
    outcome = fix("FROM debian:bookworm\n" + steps, select=list(codemods or ("apt-update-install", "apt-cache")))
    assert outcome.error is None
    return outcome


def lines(outcome: Outcome[str]) -> list[str]:
    return outcome.text_after.replace("\\\n", " ").splitlines()[1:]


@pytest.mark.parametrize(
    "steps",
    [
        FETCHED + "RUN apt-get install --print-uris sl > /uris\n",
        "RUN apt-get update && apt-get install -y hello && apt-get -qq --print-uris install sl > /uris\n",
        FETCHED + "RUN apt-rdepends hello > /x\n",
        FETCHED + "RUN apt-file list hello > /x\n",
        FETCHED + "RUN /usr/lib/update-notifier/apt-check > /x\n",
    ],
)
def test_readers(steps: str) -> None:
    outcome = fixed(steps, "apt-cache")
    assert outcome.text_before == outcome.text_after
    assert [refusal.reason for refusal in outcome.refusals] == ["lists-are-read"]


@pytest.mark.parametrize(
    "step",
    [
        "apt-get remove -y cmake",
        "apt-get purge -y hello sl",
        "apt-get purge -y 'hel*'",
        "apt-get purge -y hello && apt-get purge -y hello",
        "apt-get -y autoremove $(cat /x)",
        "apt-get remove -y docker docker-engine || true",
        "apt-mark hold linux-image-amd64",
        "aptitude -y purge cmake",
    ],
)
def test_removals_that_may_need_the_lists(step: str) -> None:
    outcome = fixed(f"{FETCHED}RUN {step}\n")
    assert outcome.text_before == outcome.text_after
    assert ["for a package that is not installed" in change.risk for change in outcome.withheld] == [True]


@pytest.mark.parametrize(
    "steps",
    [
        FETCHED + "RUN apt-get remove -y hello\n",
        FETCHED + "RUN apt-mark hold hello\n",
        FETCHED + "RUN apt-get autoremove -y\n",
        FETCHED + "RUN apt-get update && apt-get remove -y cmake\n",
        FETCHED + "RUN apt-mark showmanual > /x\n",
        "ENV X='hello sl=1'\nRUN apt-get update && apt-get install -y $X\nRUN apt-get purge -y sl hello\n",
        "ENV X='hello sl'\nRUN apt-get update && apt-get install -y $X\nRUN apt-get purge -y $X\n",
        "RUN apt-get update && apt-get install -y hello && rm -rf /var/lib/apt/lists/*\nRUN apt-get remove -y cmake\n",
        "RUN x=gcc; apt-get update && apt-get install -y $x && rm -rf /var/lib/apt/lists/* && apt-get purge -y $x sl\n",
    ],
)
def test_removals_that_do_not(steps: str) -> None:
    outcome = fixed(steps)
    assert not outcome.withheld
    assert not outcome.refusals
    assert "--mount=type=cache" in outcome.text_after


@pytest.mark.parametrize(
    ("steps", "kept"),
    [
        (UPDATED + "RUN apt-get -yqo Dpkg::Options::=--force-confold install hello\n", False),
        (UPDATED + "RUN apt-get dselect-upgrade -y\n", False),
        (UPDATED + "RUN unattended-upgrade\n", False),
        (UPDATED + "RUN mk-build-deps -irt'apt-get -y' control\n", False),
        ('ENV I="apt-get install -y"\n' + UPDATED + "RUN $I hello\nRUN apt-get install -y sl\n", True),
        (UPDATED + "RUN apt-get remove -y cmake\nRUN apt-get install -y sl\n", True),
        (UPDATED + "RUN apt-get install -y sl\nRUN $ANY\n", False),
    ],
)
def test_update_stays_for_others(steps: str, *, kept: bool) -> None:
    outcome = fixed(steps, "apt-update-install")
    assert outcome.changes
    assert ("RUN apt-get update\n" in outcome.text_after) == kept


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ('[ -n "$R" ] && apt-get update; apt-get install -y sl',
         '[ -n "$R" ] && apt-get update; (apt-get update || true); apt-get install -y sl'),
        ("test -e /x || apt-get update && apt-get install -y sl",
         "test -e /x || apt-get update && apt-get update && apt-get install -y sl"),
        ("if test -e /x; then apt-get update; fi; apt-get install -y sl",
         "if test -e /x; then apt-get update; fi; (apt-get update || true); apt-get install -y sl"),
        ("if test -e /x; then apt-get update && apt-get install -y sl; fi", ""),
        ("test -e /x && apt-get update && apt-get install -y sl", ""),
        ("cd /x && (apt-get update || true) && apt-get install -y sl; true", ""),
    ],
)  # fmt: skip
def test_updates_that_may_not_run(step: str, expected: str) -> None:
    outcome = fixed(f"{FETCHED}RUN {step}\n", "apt-update-install")
    assert lines(outcome)[-1] == f"RUN {expected or step}"


@pytest.mark.parametrize(
    ("steps", "refused"),
    [
        (FETCHED + "RUN test -e /x || apt-get update && apt-get install -y sl\n", True),
        (FETCHED + "RUN test -e /x && apt-get update; apt-get install -y sl\n", True),
        ("RUN curl x | apt-key add - && apt-get update; apt-get install -y sl\n", False),
        ("RUN apt-get update && apt-get install -y a && rm -rf /var/lib/apt/lists/*\n"
         "RUN curl x | apt-key add - && apt-get update; apt-get install -y sl\n", False),
        (FETCHED + "RUN if test -e /x; then apt-get update; apt-get install -y sl; fi\n", False),
    ],
)  # fmt: skip
def test_updates_that_may_not_run_where_lists_are_left(steps: str, *, refused: bool) -> None:
    outcome = fixed(steps, "apt-cache")
    assert [refusal.reason for refusal in outcome.refusals] == (["no-update"] if refused else [])
    assert bool(outcome.changes) != refused


@pytest.mark.parametrize(
    ("update", "refused"),
    [
        ("apt-get update || apt-get update", True),
        ("apt-get update || (sleep 5; apt-get update)", True),
        ("apt-get update || { sleep 5 && apt-get update; }", True),
        ("apt-get update || true", False),
        ("apt-get update && apt-get update", False),
    ],
)
def test_updates_that_are_tried_again(update: str, *, refused: bool) -> None:
    outcome = fixed(f"RUN {update}\nRUN apt-get install -y hello\n", "apt-update-install")
    assert [refusal.reason for refusal in outcome.refusals] == ["in-loop"] * refused
    assert bool(outcome.changes) != refused
