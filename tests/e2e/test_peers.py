"""The comparison with other tools (benchmarks/peers) on a real engine: its judges find planted faults."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.peers import judges
from benchmarks.peers.cases import CASES, CORPUS, IMAGES, Case
from benchmarks.peers.engine import Engine
from benchmarks.peers.judges import BROKEN, SILENT

pytestmark = [pytest.mark.e2e, pytest.mark.thorough]

TARGET = "RUN --mount=type=cache,target=/src/target,id=cargo-target,sharing=locked "
LISTS = "RUN --mount=type=cache,target=/var/lib/apt/lists,sharing=locked "


@pytest.fixture(scope="module")
def builder() -> Iterator[Engine]:
    stages = ("debian", "rust")
    with Engine(["--network=host"]) as engine:
        engine.make_images({stage: IMAGES[stage] for stage in stages}, jobs=2)
        yield engine


def case(number: int) -> Case:
    return next(case for case in CASES if case.name.startswith(f"peers-{number:02}-"))


def faults(builder: Engine, case: Case, text: str, tmp_path: Path, word: str) -> list[tuple[str, str]]:
    assert text != case.text
    original = judges.watch(builder, case, case.text, tmp_path / "original", f"{word}o")
    assert original["first"].ok
    assert original["first"].arrived
    result = judges.watch(builder, case, text, tmp_path / "result", f"{word}r")
    return [(fault.kind, fault.phase) for fault in judges.judge_builds(original, result)]


def test_what_dockfix_writes_has_no_fault(builder: Engine, tmp_path: Path, word: str) -> None:
    right = (CORPUS / case(1).name / "after" / "Dockerfile").read_text()
    assert faults(builder, case(1), right, tmp_path, word) == []


def test_a_binary_that_a_mount_swallows_is_found(builder: Engine, tmp_path: Path, word: str) -> None:
    hidden = case(1).text.replace("RUN ", TARGET)
    assert faults(builder, case(1), hidden, tmp_path, word) == [(BROKEN, "first")]


def test_a_binary_by_old_times_is_found(builder: Engine, tmp_path: Path, word: str) -> None:
    stale = case(1).text.replace("RUN ", TARGET).replace("--locked", "--locked && cp target/release/ferryd /tmp/")
    stale = stale.replace("/src/target/release/ferryd", "/tmp/ferryd")
    assert faults(builder, case(1), stale, tmp_path, word) == [(SILENT, "back")]


def test_an_image_that_does_not_start_is_found(builder: Engine, tmp_path: Path, word: str) -> None:
    hidden = case(4).text.replace("RUN ", TARGET.replace("/src/", "/bot/"))
    assert faults(builder, case(4), hidden, tmp_path, word)[0] == (SILENT, "first")


def test_lists_between_steps_are_found(builder: Engine, tmp_path: Path, word: str) -> None:
    split = case(10).text.replace("RUN ", LISTS).replace(" && rm -rf /var/lib/apt/lists/*", "")
    assert faults(builder, case(10), split, tmp_path, word) == [(BROKEN, "evicted")]


def test_a_masked_failure_is_found(builder: Engine, tmp_path: Path, word: str) -> None:
    masked = case(25).text.replace("procps\nRUN apt-get update", "procps && apt-get update")
    assert faults(builder, case(25), masked, tmp_path, word) == [(SILENT, "missing")]
