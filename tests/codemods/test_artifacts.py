"""Ways of leaving a cache that are too small for a case of their own."""

from __future__ import annotations

import pytest

from fixer.engine.run import fix

HEAD = "FROM rust:1.84 AS builder\nWORKDIR /app\nCOPY . .\n"
TAIL = "\nFROM debian:bookworm-slim\nCOPY --from=builder /app/target/release/api /api\n"
MOUNT = "RUN --mount=type=cache,target=/app/target "


def moved(script: str) -> str:
    """The step after the fix, without its mount and without line breaks; "" if nothing was changed."""
    source = HEAD + MOUNT + script + "\n" + TAIL
    outcome = fix(source, select=["artifact-out-of-cache"])
    assert outcome.error is None
    if outcome.after == source:
        return ""
    assert "COPY --from=builder /tmp/api /api" in outcome.after
    step = outcome.after.partition(MOUNT)[2].partition("\nFROM")[0]
    return " ".join(step.replace("\\\n", " ").split())


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("cargo b -r", "cargo b -r && mv target/release/api /tmp/api"),
        ("cargo build --release # fast", "cargo build --release && mv target/release/api /tmp/api # fast"),
        ("(cargo build --release)", "(cargo build --release) && mv /app/target/release/api /tmp/api"),
        ("{ cargo build --release; }", "{ cargo build --release; } && mv /app/target/release/api /tmp/api"),
        ("set -e; cargo build -r;", "set -e; cargo build -r; mv target/release/api /tmp/api;"),
        ("a || b && cargo build -r", "a || b && cargo build -r && mv target/release/api /tmp/api"),
        ("cargo build -r && cd /", "cargo build -r && cd / && mv /app/target/release/api /tmp/api"),
        ("cargo build -r; echo done", "cargo build -r && mv target/release/api /tmp/api; echo done"),
        (
            "cargo build -r && { true || false; }",
            "cargo build -r && { true || false; } && mv /app/target/release/api /tmp/api",
        ),
        ("<<E\ncargo build -r\nE", "<<E cargo build -r && mv target/release/api /tmp/api E"),
        ("<<E\nset -e\ncargo build -r\nls\nE", "<<E set -e cargo build -r ls mv target/release/api /tmp/api E"),
        ('["cargo", "build", "-r"]', "cargo build -r && mv target/release/api /tmp/api"),
        (
            "make -C x && cargo auditable build -r",
            "make -C x && cargo auditable build -r && mv target/release/api /tmp/api",
        ),
        ("cargo build -r && rm -rf /tmp/*", "cargo build -r && rm -rf /tmp/* && mv target/release/api /tmp/api"),
    ],
)
def test_moved(script: str, expected: str) -> None:
    assert moved(script) == expected


@pytest.mark.parametrize(
    "script",
    [
        "cargo build -r &",
        "cargo build -r || cargo build -r --offline",
        "cargo build -r | cat",
        "! cargo build -r",
        "if true; then cargo build -r; fi",
        "for x in a b; do cargo build -r; done",
        "cargo build -r; make",
        "cargo build -r; exit 0",
        "x=$(cargo build -r)",
        "f() { cargo build -r; }; f",
        "cargo build",
        "cargo build -r --bin worker",
        "cargo build -r --target-dir /elsewhere",
        "cargo check -r",
    ],
)
def test_left_alone(script: str) -> None:
    assert moved(script) == ""


def test_place_that_is_cleaned_later() -> None:
    source = HEAD + MOUNT + "cargo build -r\nRUN rm -rf /var/lib/apt/lists/* /tmp/*\n" + TAIL
    after = fix(source, select=["artifact-out-of-cache"]).after
    assert "mkdir -p /out && " in after
    assert "COPY --from=builder /out/api /api" in after


def test_both_codemods_agree() -> None:
    """A target directory that cargo-target-cache mounts has nothing left for artifact-out-of-cache."""
    source = HEAD + "RUN cargo build --release\n" + TAIL
    once = fix(source, select=["cargo-target-cache"], project="p")
    assert len(once.changes) == 1
    twice = fix(once.after, select=["artifact-out-of-cache", "cargo-target-cache"], project="p")
    assert twice.after == once.after
    assert not twice.refusals
