"""The picture of builds: nothing overlaps, nothing is lost, nothing stands where it does not belong."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixer.prove.model import Build, Phase, Side, Step
from fixer.prove.timeline import (
    NARROW,
    NARROWEST,
    WIDE,
    Bar,
    Picture,
    Style,
    cells,
    cut,
    duration,
    extent,
    picture,
    short_name,
    steps_of,
)
from tests.proofs import CARGO, PROOFS, build, step

STYLES = pytest.mark.parametrize("style", [WIDE, NARROW], ids=lambda style: str(style.name))

SECONDS = st.one_of(st.just(0.0), st.floats(0, 0.01), st.floats(0, 20), st.floats(0, 5000))
STEPS = st.lists(
    st.builds(
        Step,
        name=st.one_of(st.text(max_size=80), st.just(CARGO), st.just("RUN " + "真" * 50)),
        stage=st.sampled_from(["", "0", "builder", "a-stage-with-a-name-that-is-much-too-long-for-a-phone"]),
        number=st.integers(0, 9),
        start=st.one_of(SECONDS, st.just(-0.001)),
        seconds=SECONDS,
        cached=st.booleans(),
        error=st.sampled_from(["", "", "", "exit code: 1"]),
        done=st.booleans(),
    ),
    max_size=70,
)


def builds_of(steps: list[Step], others: list[Step], seconds: float, ok: bool) -> list[Build]:
    return [
        Build(Side.ORIGINAL, Phase.FIRST, "", ok, "", seconds, tuple(steps), ""),
        Build(Side.FIXED, Phase.FIRST, "", ok, "", seconds / 3, tuple(others), ""),
    ]


def bars(of: Picture) -> list[Bar]:
    return [bar for panel in of.panels for group in panel.groups for bar in group.bars]


def ends(bar: Bar) -> tuple[float, float]:
    """Left and right end of a bar with its label."""
    if bar.label is None:
        return bar.x, bar.x + bar.width
    begin = bar.label.x - bar.label.length if bar.label.before else bar.label.x
    return min(bar.x, begin), max(bar.x + bar.width, begin + bar.label.length)


def check(of: Picture, builds: list[Build]) -> None:
    """What must hold for every picture."""
    for panel, one in zip(of.panels, builds, strict=True):
        assert sum(bar.count for group in panel.groups for bar in group.bars) == len(one.steps)
        assert panel.x >= 0
        assert panel.x + panel.width <= of.width + 1e-6
    for above, below in pairwise(of.panels):
        assert above.y + above.height <= below.y
    for panel in of.panels:
        assert of.top <= panel.y
        assert panel.y + panel.height <= of.bottom + 1e-6 <= of.height + 1e-6
        for group in panel.groups:
            assert panel.y < group.y < panel.y + panel.height
            for bar in group.bars:
                left, right = ends(bar)
                assert of.style.margin - 1e-6 <= left
                assert right <= of.width - of.style.margin + 1e-6
                assert group.y < bar.y
                assert bar.y + bar.height <= panel.y + panel.height
                assert bar.width >= NARROWEST[bar.state] - 1e-6
                if bar.label is not None:
                    assert bar.y < bar.label.y < bar.y + bar.height
                    assert bar.label.text.strip()
    lanes: dict[float, list[tuple[float, float]]] = {}
    for bar in bars(of):
        lanes.setdefault(bar.y, []).append(ends(bar))
    for lane in lanes.values():
        lane.sort()
        assert all(before[1] < after[0] for before, after in pairwise(lane))
    for tick in of.ticks:
        assert 0 <= tick.x <= of.width
    assert 1 <= len(of.ticks) <= of.style.ticks + 1
    assert all(0 < y <= of.height for y in of.axes)


@STYLES
@given(STEPS, STEPS, SECONDS, st.booleans())
def test_whatever_the_builds_are(style: Style, steps: list[Step], others: list[Step], seconds: float, ok: bool) -> None:
    builds = builds_of(steps, others, seconds, ok)
    check(picture(builds, style), builds)


@STYLES
@pytest.mark.parametrize("name", PROOFS)
def test_proofs_made_by_hand(style: Style, name: str) -> None:
    for one in PROOFS[name]().builds:
        check(picture([one], style), [one])


@STYLES
def test_both_sides_have_one_scale(style: Style) -> None:
    """A bar begins and ends where its seconds are, in both panels; that is what the picture is for."""
    slow = build(Side.ORIGINAL, Phase.FIRST, 100.0, [step("RUN slow", "a", 1, 10.0, 80.0)])
    fast = build(Side.FIXED, Phase.FIRST, 50.0, [step("RUN fast", "a", 1, 10.0, 20.0)])
    of = picture([slow, fast], style)
    room = style.width - 2 * style.margin
    one, other = bars(of)
    assert one.x == other.x == pytest.approx(style.margin + room * 0.1)
    assert one.width == pytest.approx(room * 0.8)
    assert other.width == pytest.approx(room * 0.2)
    assert [panel.width for panel in of.panels] == pytest.approx([room, room / 2])
    (minute,) = [tick.x for tick in of.ticks if tick.text in ("60 s", "1 min")]
    assert minute == pytest.approx(style.margin + room * 0.6)


def test_stages_stand_in_the_order_in_which_they_begin_and_the_engine_last() -> None:
    rows = [step("[internal] load", "", 0, 0, 0.1), step("RUN b", "late", 1, 5, 1), step("RUN a", "0", 1, 1, 1)]
    (panel,) = picture([build(Side.FIXED, Phase.FIRST, 6, rows)], WIDE).panels
    assert [group.name for group in panel.groups] == ["stage 0", "late", "BuildKit itself"]


def test_steps_at_the_same_time_stand_below_one_another_and_others_in_one_lane() -> None:
    rows = [
        step("RUN a", "s", 1, 0, 40.0),
        step("RUN b", "s", 2, 10, 40.0),
        step("RUN c", "s", 3, 50.5, 40.0),
    ]
    first, second, third = bars(picture([build(Side.FIXED, Phase.FIRST, 100, rows)], WIDE))
    assert first.y < second.y
    assert third.y == first.y


def test_a_name_goes_where_there_is_room() -> None:
    name = "RUN make all install check"
    rows = [step(name, "s", 1, 0, 90.0), step(name, "s", 2, 10, 1.0), step(name, "s", 3, 97, 1.0)]
    inside, behind, before = bars(picture([build(Side.FIXED, Phase.FIRST, 100, rows)], WIDE))
    assert inside.label
    assert inside.label.inside
    assert behind.label
    assert behind.label.x > behind.x + behind.width
    assert before.label
    assert before.label.before
    assert before.label.x < before.x
    assert {one.label.text for one in (inside, behind, before) if one.label} == {name}


@STYLES
def test_of_many_steps_the_long_ones_and_those_that_failed_are_named(style: Style) -> None:
    rows = [step(f"RUN step {n}", "s", n, n / 10, 0.05) for n in range(200)]
    rows += [step("RUN long", "s", 201, 20, 30.0), step("RUN broken", "s", 202, 50, 0.001, error="exit code: 2")]
    found = bars(picture([build(Side.FIXED, Phase.FIRST, 51, rows, error="exit code: 2")], style))
    names = [bar.label.text for bar in found if bar.label]
    assert "RUN long" in names
    assert "failed: RUN broken" in names
    assert len(names) < 40
    crowd = next(bar for bar in found if bar.count > 1)
    assert crowd.label
    assert crowd.label.text == f"{crowd.count} short steps"
    assert "RUN step 0\nRUN step 1\n" in crowd.title


def test_crowds_hold_what_is_alike() -> None:
    """Cached steps and those that ran never share a bar."""
    rows = [step(f"RUN {n}", "s", n, n / 1000, 0.0, cached=n < 30) for n in range(60)]
    found = bars(picture([build(Side.FIXED, Phase.EDIT, 10, rows)], WIDE))
    assert [(bar.state, bar.count, bar.label and bar.label.text) for bar in found] == [
        ("cached", 30, "30 cached steps"),
        ("ran", 30, "30 short steps"),
    ]


def test_a_step_that_ran_when_the_build_was_stopped() -> None:
    stuck = Step("RUN sleep infinity", "s", 2, 3.0, 0.0, False, done=False)
    one = build(Side.FIXED, Phase.FIRST, 60.0, [step("RUN a", "s", 1, 0, 3.0), stuck], error="took too long")
    (last,) = [bar for bar in bars(picture([one], WIDE)) if bar.state == "failed"]
    assert last.x + last.width == pytest.approx(WIDE.width - WIDE.margin)
    assert "the build was stopped" in last.title
    assert steps_of(one)[1].seconds == 57.0


@STYLES
def test_nothing_took_any_time(style: Style) -> None:
    one = build(Side.FIXED, Phase.FIRST, 0.0, [step("RUN a", "s", 1, 0, 0, cached=True)])
    check(picture([one], style), [one])
    assert extent([one]) > 0
    assert picture([], style).panels == ()


@pytest.mark.parametrize(
    ("seconds", "ticks"),
    [
        (0.0004, ["0", "1 ms", "2 ms"]),
        (0.031, ["0", "5 ms", "10 ms"]),
        (9.7, ["0", "1 s", "2 s"]),
        (42.3, ["0", "5 s", "10 s"]),
        (163.0, ["0", "0.5 min", "1 min"]),
        (742.0, ["0", "2 min", "4 min"]),
        (9000.0, ["0", "15 min", "30 min"]),
        (100_000.0, ["0", "4 h", "8 h"]),
    ],
)
def test_ticks(seconds: float, ticks: list[str]) -> None:
    of = picture([build(Side.FIXED, Phase.FIRST, seconds, [])], WIDE)
    assert [tick.text for tick in of.ticks][:3] == ticks


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1.0, "0 s"), (0.0, "0 s"), (0.0004, "0 s"), (0.04, "40 ms"), (0.0994, "99 ms"), (0.0996, "0.10 s"),
        (0.994, "0.99 s"), (0.996, "1.0 s"), (42.34, "42.3 s"), (99.94, "99.9 s"), (99.96, "1 min 40 s"),
        (119.6, "2 min 00 s"), (163.0, "2 min 43 s"), (3599.6, "1 h 00 min"), (3900.0, "1 h 05 min"),
    ],
)  # fmt: skip
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (CARGO, "RUN … cargo build --release"),
        ("COPY --link --from=a  b\n\tc", "COPY … b c"),
        ("RUN --mount=type=cache,target=/x", "RUN --mount=type=cache,target=/x"),
        ("", "(no name)"),
        ("RUN \x1b[31mred\udcff", "RUN \\x1b[31mred\\xff"),
    ],
)
def test_short_names(name: str, text: str) -> None:
    assert short_name(step(name, "s", 1, 0, 1)) == text


@given(st.text(), st.integers(4, 40))
def test_cut(text: str, columns: int) -> None:
    found = cut(text, columns)
    assert cells(found) <= columns
    assert found == text or found.endswith("…")
