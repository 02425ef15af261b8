"""What a proof is made of. Plain data, with no engine in sight: reports are made of it, and tests make it by hand."""

from __future__ import annotations

from enum import Enum
from statistics import median

from fixer.engine.outcome import AppliedChange, PlacedRefusal
from fixer.text.records import dataclass


class Side(Enum):
    """Which of the two Dockerfiles."""

    ORIGINAL = "original"
    FIXED = "fixed"


class Phase(Enum):
    """What a build is for. In this order."""

    FIRST = "first"
    """From nothing: no layer, empty cache mounts."""
    AGAIN = "again"
    """From nothing once more (the original only): what differs now differs by itself."""
    EDIT = "edit"
    """After an edit of one source file, with the layers and mounts of the build before."""
    REVERT = "revert"
    """After the edit was taken back."""
    DEPENDENCY = "dependency"
    """After a change that makes the dependencies be resolved or installed again."""
    EMPTIED = "emptied"
    """After an edit, with the layers cached and the cache mounts emptied, as on a new builder with a layer cache."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a build (a vertex of BuildKit's graph)."""

    name: str
    """As the engine names it, without the number: `RUN cargo build`, `COPY src src`."""
    stage: str
    """The stage's name, or its number if it has none; empty for the engine's own steps (`[internal] …`)."""
    number: int
    """Which step of its stage, from 1; 0 for the engine's own."""
    start: float
    """Seconds after the build's start."""
    seconds: float
    cached: bool
    error: str = ""
    done: bool = True
    """False while it runs (`seconds` is 0 then), and for good if the build was stopped before its end."""

    @property
    def run(self) -> bool:
        """True for a RUN."""
        return self.name.split(None, 1)[0].upper() == "RUN" if self.name else False


@dataclass(frozen=True, slots=True)
class Build:
    """What came of one build."""

    side: Side
    phase: Phase
    target: str
    """The stage that was asked for; empty for the last one."""
    ok: bool
    image: str
    """The image's id; empty if there is none."""
    seconds: float
    """From the command's start to its end."""
    steps: tuple[Step, ...]
    log: str
    """What the steps printed, and the engine's own error at the end."""
    error: str = ""
    """The engine's error, or why we stopped the build; empty if `ok`."""
    repeat: int = 0
    """Counts the repetitions of EDIT and DEPENDENCY builds from 0."""

    @property
    def run_seconds(self) -> float:
        """Time in RUN steps that really ran."""
        return sum(step.seconds for step in self.steps if step.run and not step.cached)


class Cause(Enum):
    """Why two images differ in one place."""

    NAMED = "named"
    """A change says that it does that (`Change.alters`)."""
    NOISE = "noise"
    """The original differs from itself there."""
    UNEXPLAINED = "unexplained"


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where two images differ."""

    place: str
    """An absolute path, or `config: Env PATH`."""
    what: str
    """`only before`, `only after`, `content`, `mode 0644, now 0755`, `owner 0:0, now 1000:1000`…"""
    cause: Cause
    codemod: str = ""
    """Which one names it."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two images, path by path, and their configuration."""

    phase: Phase
    target: str
    paths: int
    """How many paths the two have together."""
    differences: tuple[Difference, ...]
    """By place."""

    def by(self, cause: Cause) -> tuple[Difference, ...]:
        return tuple(difference for difference in self.differences if difference.cause is cause)


class Verdict(Enum):
    """What came of a check."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_CHECKED = "not checked"
    """There was nothing to check, or it could not be seen; the detail says which."""
    IMPROVED = "improved"
    """The original fails it, the fixed one passes."""


@dataclass(frozen=True, slots=True)
class Check:
    """One question that was put to the builds."""

    id: str
    """Stable: `changes-built`, `builds`, `same-image`, `edit-arrives`, `same-after-edit`, `revert-arrives`,
    `dependency-builds`, `same-after-dependency`, `emptied-builds`, `layers-kept`; with `:TARGET` behind it for another
    stage than the last."""
    title: str
    verdict: Verdict
    detail: str
    """A sentence or a few lines: what was seen, and where."""


@dataclass(frozen=True, slots=True)
class Times:
    """How long the same thing takes before and after; seconds."""

    what: str
    """`first build`, `rebuild after an edit of src/main.rs`…"""
    phase: Phase
    before: tuple[float, ...]
    after: tuple[float, ...]
    run_before: tuple[float, ...]
    """In the RUN steps alone."""
    run_after: tuple[float, ...]

    @property
    def speedup(self) -> float:
        """How many times faster, by medians of the whole build. 0 if nothing was measured."""
        return _ratio(self.before, self.after)

    @property
    def run_speedup(self) -> float:
        return _ratio(self.run_before, self.run_after)

    @property
    def elsewhere(self) -> bool:
        """Whether the two differ for something else than their RUN steps, so that it is not the fix: who came first, or
        what else the machine had to do."""
        if not (self.before and self.after and self.run_before and self.run_after):
            return False
        whole = median(self.before) - median(self.after)
        runs = median(self.run_before) - median(self.run_after)
        return runs / whole < 0.25 if whole else False


def _ratio(before: tuple[float, ...], after: tuple[float, ...]) -> float:
    if not before or not after:
        return 0.0
    return median(before) / max(median(after), 0.001)


@dataclass(frozen=True, slots=True)
class Proof:
    """Everything that `dockfix verify` found out."""

    dockerfile: str
    context: str
    targets: tuple[str, ...]
    """The stages that were compared; the empty string is the last one."""
    engine: str
    """`Docker Engine 28.5.2, buildx 0.29.1, driver docker`."""
    changes: tuple[AppliedChange, ...]
    withheld: tuple[AppliedChange, ...]
    refusals: tuple[PlacedRefusal, ...]
    diff: str
    """A unified diff of the Dockerfile; empty if there is nothing to change."""
    edited: str
    """The file of the context that was edited; empty if none was."""
    dependency: str
    """What was changed for DEPENDENCY: a file of the context, or the instruction that was made to run again."""
    builds: tuple[Build, ...]
    comparisons: tuple[Comparison, ...]
    checks: tuple[Check, ...]
    times: tuple[Times, ...]
    seconds: float
    """The whole of it."""
    original_fails: str = ""
    """The engine's error if the original does not build; then there is nothing to compare with."""
    broke_off: str = ""
    """Why it was not finished (the engine went away, the disk is full…); then this is what was found until then."""

    @property
    def proven(self) -> bool:
        return not (self.original_fails or self.broke_off) and not any(
            check.verdict is Verdict.FAILED for check in self.checks
        )
