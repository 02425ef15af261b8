"""What cargo downloads, in caches that several steps use at the same time."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.e2e.harness import Project

AT_ONCE = 4
MANIFEST = """\
[package]
name = "fetches"
version = "0.1.0"
edition = "2021"

[dependencies]
axum = "0.7"
clap = { version = "4", features = ["derive"] }
regex = "1"
serde_json = "1"
tokio = { version = "1", features = ["full"] }
tracing-subscriber = { version = "0.3", features = ["env-filter"] }
uuid = { version = "1", features = ["v4"] }
"""
STAGE = """\
FROM rust:1-bookworm AS at-{n}
WORKDIR /app
COPY Cargo.toml ./
COPY src src
RUN echo {mark}-{n} && cargo fetch && cargo tree --offline | wc -l > /crates
"""


@pytest.mark.thorough
def test_downloads_at_once(project: Callable[[str], Project]) -> None:
    """cargo's lock is in no mount. In a cache that they share (`sharing=shared`, the default) two of these stages
    unpack the same crate into the same directory, and one ends with "File exists": nearly every time, with so many."""
    fetches = project("rest")
    fetches.write("Cargo.toml", MANIFEST)
    (fetches.folder / "Cargo.lock").unlink()
    before = "".join(STAGE.format(n=n, mark=fetches.mark) for n in range(AT_ONCE)) + "FROM debian:bookworm-slim\n"
    before += "".join(f"COPY --from=at-{n} /crates /crates-{n}\n" for n in range(AT_ONCE))

    after = fetches.fix(before, "cargo-cache")
    assert after.count("--mount=type=cache") == 2 * AT_ONCE
    built = fetches.build(after, space="at-once")
    assert not any(step.cached for step in built.steps if "cargo fetch" in step.name)
    counts = fetches.engine.run(built.image, "sh", "-c", "cat /crates-*").split()
    assert len(counts) == AT_ONCE
    assert all(int(count) > 50 for count in counts)
