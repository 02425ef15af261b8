"""Seed 000: the target directory is a cache mount, so the program is in no layer, and COPY takes what is not there, or
what stood there before."""

from __future__ import annotations

from collections.abc import Callable

from tests.e2e.harness import Project

LOST = '"/app/target/release/rest": not found'


def test_the_program_is_missing_and_then_it_is_there(project: Callable[[str], Project]) -> None:
    rest = project("rest")
    before = rest.text()
    mark = rest.mark
    assert LOST in rest.build(before, must=False).log

    after = rest.fix(before, "artifact-out-of-cache")
    assert rest.engine.run(rest.build(after).image) == f"rest e1 {mark} 200"
    rest.edit("src/main.rs", "e1", "e2")
    edited = rest.build(after)
    assert rest.engine.run(edited.image) == f"rest e2 {mark} 200"
    assert "Compiling itoa" not in edited.log, "the caches are of no use"
    rest.edit("src/main.rs", "e2", "e1")
    assert rest.engine.run(rest.build(after).image) == f"rest e1 {mark} 200"

    cold = rest.build(after, options=["--no-cache-filter=builder"])  # this empties the caches as well
    assert "Compiling itoa" in cold.log
    assert rest.engine.run(cold.image) == f"rest e1 {mark} 200"


def test_the_program_never_changes_and_then_it_does(project: Callable[[str], Project]) -> None:
    """The quiet kind: an earlier build without the mount left a program in the layer, and that one is shipped."""
    rest = project("rest")
    before = rest.text("layered.Dockerfile")
    mark = rest.mark
    stale = rest.build(before)
    assert "Compiling rest v0.1.0 (/app)" in stale.log
    assert rest.engine.run(stale.image) == "dummy"
    rest.edit("src/main.rs", "e1", "e2")
    stale = rest.build(before)
    assert not stale.step("touch src/main.rs && cargo build").cached, "it is compiled again"
    assert rest.engine.run(stale.image) == "dummy"

    after = rest.fix(before, "artifact-out-of-cache", "cargo-cache")
    assert rest.engine.run(rest.build(after).image) == f"rest e2 {mark} 200"
    rest.edit("src/main.rs", "e2", "e1")
    assert rest.engine.run(rest.build(after).image) == f"rest e1 {mark} 200"
    rest.edit("src/main.rs", "e1", "e2")
    assert rest.engine.run(rest.build(after).image) == f"rest e2 {mark} 200"
    rest.engine.prune_mounts("")
    rest.edit("src/main.rs", "e2", "e3")
    assert rest.engine.run(rest.build(after).image) == f"rest e3 {mark} 200"
