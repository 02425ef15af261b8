"""What BuildKit tells while it builds. The records are those of BuildKit 0.25 (buildx 0.29)."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timezone

import pytest

from fixer.prove.model import Step
from fixer.prove.progress import Progress

BEGUN = 1_800_000_000.0


def at(seconds: float) -> str:
    """A time of the engine, as Go writes it."""
    moment = datetime.fromtimestamp(BEGUN + seconds, timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + "123Z"


def vertex(digest: str, name: str, *, inputs: list[str] | None = None, **more: object) -> dict[str, object]:
    return {"digest": digest, "name": name, "inputs": inputs or [], **more}


def line(**record: object) -> bytes:
    return json.dumps(record).encode() + b"\n"


def printed(digest: str, text: bytes) -> dict[str, object]:
    return {"vertex": digest, "stream": 1, "data": base64.b64encode(text).decode()}


def run(digest: str, name: str, start: float, end: float, **more: object) -> bytes:
    return line(vertexes=[vertex(digest, name, started=at(start), completed=at(end), **more)])


def read(*lines: bytes, now: float = BEGUN + 100) -> Progress:
    progress = Progress(BEGUN)
    for one in lines:
        progress.read(one, now)
    return progress


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("[builder 3/4] RUN cargo build", ("builder", 3, "RUN cargo build")),
        ("[builder  3/14] RUN cargo build", ("builder", 3, "RUN cargo build")),
        ("[linux/amd64 builder 2/3] COPY . .", ("builder", 2, "COPY . .")),
        ("[linux/arm64->amd64 builder 2/3] COPY . .", ("builder", 2, "COPY . .")),
        ("[linux/amd64 2/3] COPY . .", ("0", 2, "COPY . .")),
        ("[linux/arm/v7 stage-1 2/3] COPY . .", ("1", 2, "COPY . .")),
        ("[stage-1 2/2] RUN x", ("1", 2, "RUN x")),
        ("[2/3] RUN x", ("0", 2, "RUN x")),
        ("[ 2/13] RUN x", ("0", 2, "RUN x")),
        ("[2/3] ONBUILD RUN x", ("0", 2, "RUN x")),
        ("[2/2] RUN <<EOF (a...)\nb]", ("0", 2, "RUN <<EOF (a...)\nb]")),
        ("[internal] load build context", ("", 0, "[internal] load build context")),
        ("[auth] library/x:pull token", ("", 0, "[auth] library/x:pull token")),
        ("[context a] load metadata for b", ("", 0, "[context a] load metadata for b")),
        ("exporting to image", ("", 0, "exporting to image")),
    ],
)
def test_names(name: str, expected: tuple[str, int, str]) -> None:
    (step,) = read(run("a", name, 1, 2)).steps()
    assert (step.stage, step.number, step.name) == expected


def test_the_last_record_of_a_step_counts() -> None:
    progress = Progress(BEGUN)
    name = "[2/2] RUN x"
    told = [
        progress.read(line(vertexes=[vertex("a", name)]), BEGUN),
        # its cache key, then the step itself
        progress.read(run("a", name, 1, 1.5), BEGUN + 1.5),
        progress.read(line(vertexes=[vertex("a", name, started=at(2))]), BEGUN + 2),
        progress.read(line(vertexes=[vertex("a", name, started=at(2))]), BEGUN + 2.5),
        progress.read(run("a", name, 2, 5), BEGUN + 5),
    ]
    assert [[(step.done, round(step.seconds, 3)) for step in steps] for steps in told] == [
        [],
        [(True, 0.5)],
        [(False, 0.0)],
        [],
        [(True, 3.0)],
    ]
    (step,) = progress.steps()
    assert (round(step.start, 3), round(step.seconds, 3), step.cached, step.run) == (2, 3, False, True)


def test_records_of_one_line_are_told_one_by_one() -> None:
    a = vertex("a", "[1/1] FROM x", started=at(1), completed=at(1))
    progress = Progress(BEGUN)
    steps = progress.read(line(vertexes=[a, {**a, "started": at(2), "completed": None}, {**a, "cached": True}]), BEGUN)
    assert [(step.done, step.cached) for step in steps] == [(True, False), (False, False), (True, True)]


def test_steps_are_sorted_by_their_start_and_those_that_never_started_are_left_out() -> None:
    progress = read(
        line(vertexes=[vertex("never", "[3/3] RUN never")]),
        run("b", "[2/3] RUN b", 4, 5),
        run("a", "[1/3] FROM a", 1, 2, cached=True),
    )
    assert [(step.name, step.cached) for step in progress.steps()] == [("FROM a", True), ("RUN b", False)]


@pytest.mark.parametrize("skew", [-3600.0, -0.5, 0.0, 7200.0])
def test_times_are_those_of_our_clock(skew: float) -> None:
    """The engine's clock is `skew` seconds before ours; what it tells comes 10 ms late at best, once 2 s."""
    progress = Progress(BEGUN)
    progress.read(run("a", "[1/2] FROM a", 1 + skew, 1.5 + skew), BEGUN + 3.5)
    progress.read(line(vertexes=[vertex("b", "[2/2] RUN b", started=at(2 + skew))]), BEGUN + 2.01)
    progress.read(run("b", "[2/2] RUN b", 2 + skew, 4 + skew), BEGUN + 5)
    first, second = progress.steps()
    assert first.start == pytest.approx(1.01, abs=0.001)
    assert second.start == pytest.approx(2.01, abs=0.001)
    assert second.seconds == pytest.approx(2, abs=0.001)


def test_times_of_any_zone_and_of_any_precision() -> None:
    def started(text: str) -> Step:
        return read(line(vertexes=[vertex("a", "[1/1] FROM x", started=text, completed=text)]), now=BEGUN + 9).steps()[
            0
        ]

    assert started("2026-11-22T05:14:07.780775643Z").done
    assert started("2026-11-22T05:14:07Z").done
    assert started("2026-11-22T07:14:07.5+02:00").done
    assert read(line(vertexes=[vertex("a", "x", started="yesterday")])).steps() == ()


def test_running_steps() -> None:
    progress = read(
        run("a", "[1/2] FROM a", 1, 2),
        line(vertexes=[vertex("b", "[2/2] RUN b", started=at(2))]),
    )
    assert [step.name for step in progress.running()] == ["RUN b"]


def test_the_log() -> None:
    progress = read(
        line(vertexes=[vertex("a", "[2/3] RUN a"), vertex("b", "[3/3] RUN b")]),
        line(logs=[printed("a", b"one ")]),
        line(logs=[printed("a", b"\xe2\x82"), printed("a", b"\xac two\n")]),
        line(logs=[printed("b", b"three")]),
        line(logs=[printed("a", b"four\n")]),
        line(logs=[{"vertex": "a", "data": "§"}]),
        b"Dockerfile:2\n",
        b"\n",
        b"ERROR: failed to solve: no\n",
    )
    assert progress.log() == (
        "[2/3] RUN a\none € two\n[3/3] RUN b\nthree\n[2/3] RUN a\nfour\nDockerfile:2\n\nERROR: failed to solve: no\n"
    )
    assert progress.other == ["Dockerfile:2", "", "ERROR: failed to solve: no"]


def test_what_failed() -> None:
    progress = read(
        line(vertexes=[vertex("a", "[a 1/1] RUN a"), vertex("b", "[b 1/1] RUN b")]),
        line(logs=[printed("a", b"of a\n"), printed("b", b"of b\n"), printed("b", b"more\n")]),
        run("a", "[a 1/1] RUN a", 1, 2, error="context canceled"),
        run("b", "[b 1/1] RUN b", 1, 2, error='process "b" did not complete successfully: exit code: 7'),
    )
    failed = progress.failed()
    assert failed is not None
    assert (failed[0].name, failed[1]) == ("RUN b", "of b\nmore\n")
    assert read(run("a", "[a 1/1] RUN a", 1, 2)).failed() is None


@pytest.mark.parametrize(
    "junk",
    [b"", b"\n", b"{", b"{}\n", b'{"a": 1}\n', b"[1]\n", b'{"vertexes": [1, null]}\n', b'{"vertexes": null}', b"\xff\n",
     b'{"vertexes": [{"digest": 5, "started": 7}], "logs": [{"data": 3}], "statuses": [{"started": []}]}\n'],
)  # fmt: skip
def test_junk(junk: bytes) -> None:
    progress = read(junk, run("a", "[1/1] FROM x", 1, 2))
    assert [step.name for step in progress.steps()] == ["FROM x"]
    progress.log()
