"""Sources that are bound into the step that compiles them: the same image, and edits arrive, wherever they lie."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import fixer
from fixer.engine.context import FoundContext
from tests.e2e.harness import Project, differences

pytestmark = pytest.mark.e2e

FINAL = (
    'FROM debian:bookworm-slim\nCOPY --from=build /out/bin/hello_rust /bin/hello_rust\nENTRYPOINT ["/bin/hello_rust"]\n'
)
INSTALLED = f"FROM rust:1-bookworm AS build\nWORKDIR /app\nCOPY . .\nRUN cargo install --path . --root /out\n\n{FINAL}"
ELSEWHERE = (
    "FROM rust:1-bookworm AS build\nWORKDIR /app\nCOPY --link code .\nCOPY Cargo.lock .\n"
    f"RUN cargo build --release && mkdir -p /out/bin && cp target/release/hello_rust /out/bin/\n\n{FINAL}"
)


def bound(project: Project, text: str) -> str:
    path = str(project.folder / "Dockerfile")
    context = FoundContext(path, str(project.folder))
    outcome = fixer.fix(text, path=path, select=["bind-sources"], unsafe_fixes=True, context=context)
    assert not outcome.refusals
    assert "COPY . ." not in outcome.after
    assert "type=bind" in outcome.after
    return outcome.after


def check(project: Project, text: str, source: str) -> None:
    after = bound(project, text)
    first = project.build(after)
    assert project.engine.run(first.image).split()[0] == "e1"
    assert differences(project.files(text), project.files(after)) == set()
    project.edit(source, "e1", "e2")
    assert project.engine.run(project.build(after).image).split()[0] == "e2"
    project.edit(source, "e2", "e1")
    assert project.engine.run(project.build(after).image).split()[0] == "e1"


def test_installed_by_path(project: Callable[[str], Project]) -> None:
    """`cargo install --path` takes the newest dependencies before and after; its program is under no mount."""
    check(project("hello"), INSTALLED, "src/greeting.txt")


def test_sources_of_another_directory(project: Callable[[str], Project]) -> None:
    """A manifest and sources from a directory, the lock file from beside it."""
    hello = project("hello")
    (hello.folder / "code").mkdir()
    for name in ("Cargo.toml", "src"):
        (hello.folder / name).rename(hello.folder / "code" / name)
    check(hello, ELSEWHERE, "code/src/greeting.txt")
