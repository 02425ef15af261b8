"""Where everything stands in the picture of a build: bars, lanes, labels, ticks. Numbers only, nothing is drawn here.

One picture shows one build of each side, one below the other, on one time scale. Its units are CSS pixels at the size
for which it is laid out; a smaller screen gets a layout of its own and not a smaller picture.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

from fixer.prove.model import Build, Side, Step
from fixer.prove.visible import plain
from fixer.text.records import dataclass, replace

TICKS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
"""Seconds between two ticks; whole hours beyond."""

MANY = 40
"""Steps of stages up to which all of them are labelled; of more, only those that matter."""
FEW = 24
"""How many labels those get at most."""
SHARE = 0.005
"""Part of the whole time from which a step among many is worth a label."""
OWN_SHARE = 0.04
"""The same for the engine's own steps."""
TINY = 3.0
"""Width, and distance, of bars below which steps without labels share one."""
LEAST = 4
"""Characters below which a label says nothing."""
MOST = 72
"""Characters above which a label is no label any more."""

LABEL_LANE, BARE_LANE = 19.0, 6.0
"""Height of a lane with labels, and of one without."""
LABEL_BAR, BARE_BAR = 15.0, 4.5
HEADER, STAGE, AXIS, PANEL_GAP = 26.0, 18.0, 22.0, 14.0
"""Heights of a side's line, a stage's line and the axis; the room between the sides."""
NARROWEST = {"ran": 4.0, "cached": 9.0, "failed": 5.0}
"""Width of the bar of a step that took no time. Of a cached one the hatching must be seen."""
GAP = 1.5
"""Room between two neighbours in a lane."""
LABEL_GAP = 8.0
"""Room between a label and the next bar."""
PAD = 5.0
"""Room between a bar and its label."""
SHORTEST = 0.01
"""Seconds that a picture spans at least."""
TALL = 420.0
"""Height from which the axis stands at the bottom too."""

ENGINE = "BuildKit itself"
NAMES = {Side.ORIGINAL: "Original", Side.FIXED: "Fixed"}


@dataclass(frozen=True, slots=True)
class Style:
    """For what kind of screen."""

    name: str
    width: float
    margin: float
    character: float
    """Width of a character of a label."""
    ticks: int
    """How many fit."""


WIDE = Style("wide", 940.0, 10.0, 7.0, 10)
NARROW = Style("narrow", 360.0, 6.0, 6.4, 5)


@dataclass(frozen=True, slots=True)
class Label:
    """The name of a step, cut to the room that there is."""

    text: str
    x: float
    """Where it begins, or where it ends if it stands left of its bar."""
    y: float
    """Of the base line."""
    length: float
    before: bool
    inside: bool


@dataclass(frozen=True, slots=True)
class Bar:
    """One step, or a crowd of very short ones."""

    x: float
    y: float
    width: float
    height: float
    state: str
    """`ran`, `cached` or `failed`."""
    title: str
    """The whole name, and when, how long, and what happened."""
    label: Label | None
    count: int
    """How many steps it stands for: those that are too short and too close to be told apart share a bar."""


@dataclass(frozen=True, slots=True)
class Group:
    """A stage's line, and the lanes below it."""

    name: str
    y: float
    """Of the base line of its name."""
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """One build."""

    name: str
    summary: str
    x: float
    y: float
    width: float
    """From the build's start to its end."""
    height: float
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class Tick:
    x: float
    text: str
    anchor: str
    """`start`, `middle` or `end`, so that the text stays inside."""


@dataclass(frozen=True, slots=True)
class Picture:
    """All of it, to be drawn in a box from 0, 0 to `width`, `height`."""

    style: Style
    width: float
    height: float
    ticks: tuple[Tick, ...]
    axes: tuple[float, ...]
    """Base lines of the ticks' texts."""
    top: float
    bottom: float
    """The ends of the lines of the grid."""
    panels: tuple[Panel, ...]


def picture(builds: Sequence[Build], style: Style) -> Picture:
    """Lay out one build of each side (or of one side only) on one time scale, in the order given."""
    scale = extent(builds)
    room = style.width - 2 * style.margin
    y = AXIS
    panels = []
    for build in builds:
        panel = _Panel(style, scale, room, build).at(y)
        panels.append(panel)
        y = panel.y + panel.height + PANEL_GAP
    bottom = y - PANEL_GAP if panels else y
    tall = bottom > TALL
    axes = (AXIS - 8.0, bottom + 15.0) if tall else (AXIS - 8.0,)
    height = bottom + (AXIS if tall else 4.0)
    ticks = tuple(_ticks(scale, style, room))
    return Picture(style, style.width, height, ticks, axes, AXIS, bottom, tuple(panels))


def extent(builds: Sequence[Build]) -> float:
    """How many seconds the picture of these builds spans."""
    ends = [build.seconds for build in builds]
    ends += [step.start + step.seconds for build in builds for step in build.steps]
    return max([*ends, SHORTEST])


# --- one build -----------------------------------------------------------------------------------------------------


_Crowd = list[tuple[int, Step]]
"""Steps that share a bar, with their indices; mostly one."""


class _Panel:
    """Lays out one build."""

    def __init__(self, style: Style, scale: float, room: float, build: Build) -> None:
        self.style = style
        self.scale = scale
        self.room = room
        self.build = build
        self.steps = steps_of(build)
        self.labelled = _worth_a_label(self.steps, scale)

    def at(self, top: float) -> Panel:
        y = top + HEADER
        groups = []
        for name, steps in _stages(self.steps):
            base = y + STAGE - 5.0
            bars, y = self._bars(steps, y + STAGE)
            groups.append(Group(visible_name(name), base, bars))
        bottom = y + (6.0 if groups else 0.0)
        width = max(self._x(self.build.seconds) - self.style.margin, 1.0)
        name, summary = NAMES[self.build.side], summed_up(self.build)
        return Panel(name, summary, self.style.margin, top, width, bottom - top, tuple(groups))

    def _x(self, seconds: float) -> float:
        return self.style.margin + self.room * min(max(seconds / self.scale, 0.0), 1.0)

    def _bars(self, steps: Sequence[tuple[int, Step]], top: float) -> tuple[tuple[Bar, ...], float]:
        """The bars of one stage, from `top` down, and where they end."""
        lanes: list[list[tuple[float, float]]] = []
        placed = []
        for crowd in self._crowds(steps):
            left, right = self._ends(crowd)
            label = self._label(crowd, left, right) if len(crowd) > 1 or crowd[0][0] in self.labelled else None
            low, high = left, right
            if label is not None and label.before:
                low = label.x - label.length - LABEL_GAP
            elif label is not None and not label.inside:
                high = label.x + label.length + LABEL_GAP
            lane = next((n for n, taken in enumerate(lanes) if _free(taken, low, high)), len(lanes))
            if lane == len(lanes):
                lanes.append([])
            lanes[lane].append((low, high))
            placed.append(([step for _, step in crowd], left, right, label, lane))
        tall = {lane for *_, label, lane in placed if label is not None}
        tops, y = [], top
        for lane in range(len(lanes)):
            tops.append(y)
            y += LABEL_LANE if lane in tall else BARE_LANE
        bars = []
        for members, left, right, label, lane in placed:
            height = LABEL_BAR if lane in tall else BARE_BAR
            if label is not None:
                label = Label(label.text, label.x, tops[lane] + 11.5, label.length, label.before, label.inside)
            title = told(members[0]) if len(members) == 1 else told_together(members)
            bars.append(Bar(left, tops[lane], right - left, height, state(members[0]), title, label, len(members)))
        return tuple(bars), y

    def _crowds(self, steps: Sequence[tuple[int, Step]]) -> list[_Crowd]:
        """The steps of a stage by their start. Neighbours without labels, too narrow and too close to be told apart, of
        one state, together."""
        crowds: list[_Crowd] = []
        for index, step in sorted(steps, key=lambda pair: (pair[1].start, pair[0])):
            last = crowds[-1] if crowds else []
            if (
                last
                and self._is_tiny(index, step)
                and self._is_tiny(*last[-1])
                and state(step) == state(last[-1][1])
                and self._x(step.start) < self._ends(last[-1:])[1] + TINY
            ):
                last.append((index, step))
            else:
                crowds.append([(index, step)])
        return crowds

    def _is_tiny(self, index: int, step: Step) -> bool:
        return index not in self.labelled and step.seconds / self.scale * self.room < TINY

    def _ends(self, crowd: _Crowd) -> tuple[float, float]:
        """Left and right end of a bar, which is never too narrow to be seen nor out of the picture."""
        steps = [step for _, step in crowd]
        end = self.style.margin + self.room
        least = NARROWEST[state(steps[0])]
        left = min(self._x(steps[0].start), end - least)
        return left, max(*(self._x(step.start + step.seconds) for step in steps), left + least)

    def _label(self, crowd: _Crowd, left: float, right: float) -> Label | None:
        """Where a name goes: into its bar, behind it, before it, and cut only if it fits nowhere."""
        step = crowd[0][1]
        text = short_name(step)
        if len(crowd) > 1:
            text = f"{len(crowd)} {'cached' if step.cached else 'short'} steps"
        rooms = [
            ("inside", right - left - 2 * PAD if state(step) != "cached" else 0.0),
            ("behind", self.style.width - self.style.margin - right - PAD),
            ("before", left - self.style.margin - PAD),
        ]
        wanted = min(cells(text), MOST) * self.style.character
        place, room = next((one for one in rooms if one[1] >= wanted), max(rooms, key=lambda one: one[1]))
        count = min(int(room / self.style.character + 1e-9), MOST)
        if count < LEAST:
            return None
        text = cut(text, count)
        x = {"inside": left + PAD, "behind": right + PAD, "before": left - PAD}[place]
        return Label(text, x, 0.0, cells(text) * self.style.character, place == "before", place == "inside")


def _free(taken: Sequence[tuple[float, float]], low: float, high: float) -> bool:
    return all(high + GAP <= left or right + GAP <= low for left, right in taken)


def _worth_a_label(steps: Sequence[Step], scale: float) -> set[int]:
    """Indices of the steps whose names are shown."""
    found = {index for index, step in enumerate(steps) if step.error}
    found |= {i for i, step in enumerate(steps) if not step.stage and step.seconds >= OWN_SHARE * scale}
    mine = [index for index, step in enumerate(steps) if step.stage]
    if len(mine) > MANY:
        mine = [index for index in mine if not steps[index].cached and steps[index].seconds >= SHARE * scale]
        mine = sorted(mine, key=lambda index: -steps[index].seconds)[:FEW]
    return found.union(mine)


def _stages(steps: Sequence[Step]) -> list[tuple[str, list[tuple[int, Step]]]]:
    """Steps with their indices by stage, in the order in which the stages begin; the engine's own at the end."""
    stages: dict[str, list[tuple[int, Step]]] = {}
    for index, step in enumerate(steps):
        stages.setdefault(step.stage, []).append((index, step))
    first = {name: min(step.start for _, step in of) for name, of in stages.items()}
    return sorted(stages.items(), key=lambda pair: (not pair[0], first[pair[0]]))


def steps_of(build: Build) -> tuple[Step, ...]:
    """The steps; one that still ran when a build was stopped ended there, and is where it got stuck."""
    if build.ok:
        return build.steps
    return tuple(
        step
        if step.done
        else replace(step, seconds=max(build.seconds - step.start, 0.0), error=step.error or "the build was stopped")
        for step in build.steps
    )


# --- words ---------------------------------------------------------------------------------------------------------


def state(step: Step) -> str:
    """`ran`, `cached` or `failed`."""
    return "failed" if step.error else "cached" if step.cached else "ran"


def stage_name(stage: str) -> str:
    """How a stage is called: a stage without a name has a number."""
    if not stage:
        return ENGINE
    return f"stage {stage}" if stage.isdecimal() else stage


def visible_name(stage: str) -> str:
    return cut(one_line(stage_name(stage)), 40)


def short_name(step: Step) -> str:
    """What a step does, without the flags of its instruction: the mounts of a RUN are longer than its command."""
    words = one_line(step.name).split(" ")
    rest = words[1:]
    while len(rest) > 1 and rest[0].startswith("--"):
        rest = rest[1:]
    flags = ["…"] if len(rest) < len(words) - 1 else []
    text = " ".join([*words[:1], *flags, *rest])
    return f"failed: {text}" if step.error else text


def told(step: Step) -> str:
    """Everything about a step, for the text that appears above its bar."""
    place = f"{stage_name(step.stage)}, step {step.number}" if step.number else stage_name(step.stage)
    took = f"{duration(step.seconds)} from {duration(step.start)} on"
    what = f"failed after {took}: {step.error}" if step.error else f"{state(step)}, {took}"
    return plain(f"{step.name}\n{place}: {what}")


def told_together(steps: Sequence[Step]) -> str:
    """The same about a crowd."""
    first, last = steps[0], max(steps, key=lambda step: step.start + step.seconds)
    took = duration(last.start + last.seconds - first.start)
    names = "\n".join(one_line(step.name) for step in steps)
    where = one_line(stage_name(first.stage))
    return f"{names}\n{len(steps)} steps of {where}: {state(first)}, {took} from {duration(first.start)} on"


def summed_up(build: Build) -> str:
    """`42.3 s: 9 steps ran, 3 cached`."""
    own = [step for step in steps_of(build) if step.stage]
    cached = sum(state(step) == "cached" for step in own)
    failed = sum(bool(step.error) for step in own)
    ran = len(own) - cached - failed
    parts = [f"{ran} {'step' if ran == 1 else 'steps'} ran", f"{cached} cached"]
    parts += [f"{failed} failed"] if failed else []
    return f"{duration(build.seconds)}: {', '.join(parts) if own else 'no step was reached'}"


def one_line(text: str) -> str:
    """`text` for a place where there is one line."""
    return plain(" ".join(text.split())) or "(no name)"


def duration(seconds: float) -> str:
    """`40 ms`, `6.9 s`, `2 min 43 s`, `1 h 05 min`."""
    seconds = max(seconds, 0.0)
    if seconds < 0.0005:
        return "0 s"
    if seconds < 0.0995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 0.995:
        return f"{seconds:.2f} s"
    if seconds < 99.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def cells(text: str) -> int:
    """How many columns of a fixed-width font a text takes."""
    return sum(_cell(character) for character in text)


def _cell(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cut(text: str, columns: int) -> str:
    """`text` in at most so many columns, with an ellipsis where something is missing."""
    if cells(text) <= columns:
        return text
    kept, used = [], 1
    for character in text:
        used += _cell(character)
        if used > columns:
            break
        kept.append(character)
    return "".join(kept).rstrip() + "…"


# --- the axis ------------------------------------------------------------------------------------------------------


def _ticks(scale: float, style: Style, room: float) -> Iterator[Tick]:
    step = next((tick for tick in TICKS if scale / tick <= style.ticks), 0.0)
    if not step:
        hours = 2
        while scale / (hours * 3600) > style.ticks:
            hours *= 2
        step = hours * 3600.0
    for count in range(int(scale / step + 1e-9) + 1):
        text = _tick(count * step, step) if count else "0"
        x = style.margin + room * min(count * step / scale, 1.0)
        half = cells(text) * style.character / 2
        anchor = "start" if x < half else "end" if x + half > style.width else "middle"
        yield Tick(x, text, anchor)


def _tick(seconds: float, step: float) -> str:
    if step >= 3600:
        return f"{seconds / 3600:g} h"
    if step >= 30:
        return f"{seconds / 60:g} min"
    return f"{seconds:g} s" if step >= 0.01 else f"{seconds * 1000:g} ms"
