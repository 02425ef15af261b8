"""Places in a text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fixer.text.source import Span, Spans

SPANS = st.tuples(st.integers(0, 20), st.integers(0, 6)).map(lambda one: Span(one[0], sum(one)))


@given(st.lists(SPANS), SPANS)
def test_spans_overlap_where_one_of_them_does(spans: list[Span], other: Span) -> None:
    assert Spans(spans).overlap(other) == any(one.start < other.end and other.start < one.end for one in spans)
