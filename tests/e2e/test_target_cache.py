"""Seed 003, Rust: the target directory in a cache, in the one form that ships no stale program."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timezone

import pytest

from tests.e2e.harness import Build, Project

CODEMODS = ("cargo-target-cache", "cargo-cache")
LONG_AGO = datetime(2020, 1, 1, tzinfo=timezone.utc).timestamp()


class Hello:
    """The project, one Dockerfile of it, and what its program should print."""

    def __init__(self, project: Project, dockerfile: str, space: str) -> None:
        self.project, self.dockerfile, self.space = project, dockerfile, space
        self.text = "e1"

    def say(self, text: str, at: float | None = None) -> None:
        """Change the source. It is one that the program includes, not one that is called *.rs."""
        path = self.project.edit("src/greeting.txt", self.text, text)
        self.text = text
        if at is not None:
            os.utime(path, (at, at))

    def other_file(self, text: str) -> None:
        self.project.write("README.md", f"{text} @mark@\n")

    def build(self, *options: str) -> Build:
        return self.project.build(self.dockerfile, space=self.space, options=options)

    def prints(self, build: Build) -> str:
        said, mark, number = self.project.engine.run(build.image).split()
        assert (mark, number) == (self.project.mark, "1")
        return said


@pytest.mark.parametrize("name", ["Dockerfile", "script.Dockerfile"])
def test_seed_003_in_six_columns(project: Callable[[str], Project], name: str) -> None:
    copy = project("hello")
    hello = Hello(copy, copy.fix(copy.text(name), *CODEMODS, project="hello"), name)

    assert hello.prints(hello.build()) == "e1"

    hello.say("e2")
    edited = hello.build()
    assert hello.prints(edited) == "e2"
    assert "Compiling hello_rust" in edited.log
    assert "Compiling itoa" not in edited.log, "the cache is of no use"

    hello.say("e1")
    hello.other_file("reverted")
    reverted = hello.build()
    assert reverted.step("COPY src src").cached, "it is to bring the old time"
    assert hello.prints(reverted) == "e1"

    hello.say("e0", at=LONG_AGO)
    assert hello.prints(hello.build()) == "e0"

    assert hello.prints(hello.build("--no-cache")) == "e0"

    assert copy.engine.prune_mounts(name) >= 1
    hello.other_file("pruned")
    pruned = hello.build()
    assert not pruned.step("cargo build").cached
    assert hello.prints(pruned) == "e0"


def test_without_the_touch_it_is_stale(project: Callable[[str], Project]) -> None:
    """That the six columns can fail: the same file without the line that touches the sources."""
    copy = project("hello")
    fixed = copy.fix(copy.text(), *CODEMODS, project="hello")
    careless = "".join(line for line in fixed.splitlines(keepends=True) if "-exec touch" not in line)
    assert careless != fixed
    hello = Hello(copy, careless, "careless")
    assert hello.prints(hello.build()) == "e1"
    hello.say("e0", at=LONG_AGO)
    assert hello.prints(hello.build()) == "e1"
