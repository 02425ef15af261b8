"""A short run of `python -m tests.fuzz`: the same texts each time, and some that Hypothesis makes."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixer.engine import run as engine
from tests import fuzz

COUNTS = {"parse": 300, "shell": 200, "fix": 60}


@pytest.mark.parametrize("kind", fuzz.KINDS)
def test_the_same_texts_each_time(kind: str) -> None:
    _, found = fuzz.run(11, 0, COUNTS[kind], (kind,), ())
    assert found == []


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32))
def test_other_texts(seed: int) -> None:
    chance = random.Random(seed)
    text = fuzz.mutated(chance, [fuzz.made(chance)])
    assert fuzz.judged("fix", text, seed) is None
    assert fuzz.judged("parse", text, 0) is None


def test_a_text_is_the_same_for_its_number() -> None:
    pool = ["FROM debian\nRUN true\n"]
    assert [fuzz.text_of(1, n, fuzz.KINDS, pool) for n in range(40)] == [
        fuzz.text_of(1, n, fuzz.KINDS, pool) for n in range(40)
    ]


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (lambda text: 1 / 0, "ZeroDivisionError"),
        (lambda text: text.replace("# keep\n", ""), "a comment is gone"),
        (lambda text: text + "RUN true\n", "the reported edits do not make the result"),
        (lambda text: text.replace("debian", "debian "), "the reported edits do not make the result"),
    ],
    ids=["crash", "comment", "more", "less"],
)
def test_judges_see_faults(monkeypatch: pytest.MonkeyPatch, fault: object, says: str) -> None:
    text = "FROM debian:12\n# keep\nRUN pip install flask\nRUN echo one\nRUN echo two\n"
    assert fuzz.judged("fix", text, 1) is None
    right = engine.fix

    def wrong(source: str, **options: object) -> object:
        outcome = right(source, **options)  # type: ignore[arg-type]
        object.__setattr__(outcome, "text_after", fault(outcome.text_after))  # type: ignore[operator]
        return outcome

    monkeypatch.setattr(fuzz, "fix", wrong)
    found = fuzz.judged("fix", text, 1)
    assert found is not None
    assert found.startswith(says)
    small = fuzz.shrunk("fix", text, 1, found)
    assert len(small) < len(text)
    assert (fuzz.judged("fix", small, 1) or "").startswith(says)
