"""artifact-out-of-cache in the forms that RUN has, and through the stages."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.e2e.harness import Project

LOST = "not found"


def lines(project: Project, *words: str) -> str:
    return "\n".join(f"{word} {project.mark}" for word in words)


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("two", ("left e1", "right e1")),
        ("heredoc", ("left e1",)),
        ("exec", ("left e1",)),
        ("script", ("right e1",)),
        ("same", ("left e1",)),
        ("derived", ("left e1", "right e1")),
        ("compiler", ("left e1",)),
    ],
)
def test_lost_and_found(project: Callable[[str], Project], name: str, printed: tuple[str, ...]) -> None:
    pair = project("pair")
    before = pair.text(f"{name}.Dockerfile")
    if name == "same":
        lost = pair.build(before, space=name)
        with pytest.raises(AssertionError, match="no such file or directory"):
            pair.engine.run(lost.image)
    else:
        assert LOST in pair.build(before, space=name, must=False).log
    after = pair.fix(before, "artifact-out-of-cache", *(() if name == "compiler" else ("cargo-cache",)))
    assert pair.engine.run(pair.build(after, space=name).image) == lines(pair, *printed)
    for source in ("src/bin/left.rs", "src/bin/right.rs", "left.c"):
        pair.edit(source, "e1", "e2")
    edited = pair.build(after, space=name)
    assert pair.engine.run(edited.image) == lines(pair, *(text.replace("e1", "e2") for text in printed))


@pytest.mark.parametrize("name", ["heredoc", "script"])
def test_what_does_not_compile_is_not_shipped(project: Callable[[str], Project], name: str) -> None:
    """A program of an earlier build is in the cache. A script that goes on after a failure would take that one."""
    pair = project("pair")
    after = pair.fix(pair.text(f"{name}.Dockerfile"), "artifact-out-of-cache", "cargo-cache")
    space = f"broken-{name}"
    pair.build(after, space=space)
    for source in ("left", "right"):
        pair.edit(f"src/bin/{source}.rs", "println!", "print_line!")
    broken = pair.build(after, space=space, must=False)
    assert not broken.ok
    assert "could not compile" in broken.log
