"""The copy of a context is the same to the engine, and a changed argument makes steps run again."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from fixer.prove.sources import copy_context, rerun_text
from fixer.tree.parse import parse
from tests.e2e.harness import Engine

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("ignored", ["", "*\n!src/deep/b.txt\n!run\n", "src/a.txt\nlink\n.dockerignore\nDockerfile\n"])
def test_the_copy_is_the_same_context(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ignored: str
) -> None:
    context = tmp_path / "context"
    (context / "src" / "deep").mkdir(parents=True)
    (context / "empty").mkdir(0o700)
    for name in ("Dockerfile", "src/a.txt", "src/deep/b.txt", "run"):
        (context / name).write_text(name)
    (context / ".dockerignore").write_text(ignored)
    (context / "run").chmod(0o4751)
    (context / "src").chmod(0o550)
    (context / "link").symlink_to("src/a.txt")
    (context / "dangling").symlink_to("/nowhere")
    os.link(context / "run", context / "again")
    os.mkfifo(context / "pipe", 0o640)
    monkeypatch.chdir(context)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
    snapshot = copy_context(context, tmp_path / "copy", context / "Dockerfile")
    text = "FROM scratch\nCOPY . /\n"
    one, two = engine.files(context, text), engine.files(snapshot.folder, text)
    # two names of one file are sent as such, and are two files in the copy
    assert {path: entry for path, entry in one.items() if path not in ("run", "again")} == {
        path: entry for path, entry in two.items() if path not in ("run", "again")
    }
    assert one.keys() == two.keys()
    assert {path: entry.mode for path, entry in one.items()} == {path: entry.mode for path, entry in two.items()}


def test_steps_run_again(engine: Engine, tmp_path: Path) -> None:
    """With another number the first changed step of each stage runs, in the original and in the fixed file; with the
    same number nothing does; and what stands before stays cached."""
    text = (
        # the session in each stage, because the engine may have kept the layers of an earlier run
        f"FROM debian:bookworm AS one\nRUN echo {engine.session}\n"
        "RUN pip3 --version || true; echo one\nRUN echo late\n"
        f"FROM debian:bookworm\nRUN echo {engine.session}\n"
        "RUN ls / && echo two\nCOPY --from=one /etc/hostname /\n"
    )
    places = [parse(text).lines.position(text.index(word)) for word in ("RUN pip3", "RUN ls")]

    def ran(number: int) -> list[str]:
        again = rerun_text(text, places, number)
        build = engine.build(tmp_path, again, options=["--output=type=cacheonly"])
        return sorted(step.name.partition("RUN ")[2] for step in build.steps if "RUN " in step.name and not step.cached)

    ran(1)
    assert ran(1) == []
    assert ran(2) == ["echo late", "ls / && echo two", "pip3 --version || true; echo one"]
    assert ran(2) == []
    assert ran(1) == []
