"""Fixtures of the builds: one engine for the session, a fresh copy of a project for each test."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.harness import Engine, Project, copy_project
from tests.e2e.private import Private


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = Engine(tmp_path_factory.mktemp("engine"), secrets.token_hex(4))
    yield engine
    engine.close()


@pytest.fixture
def project(engine: Engine, tmp_path: Path) -> Callable[[str], Project]:
    """`project(NAME)`: a copy of projects/NAME for this test alone."""
    return lambda name: copy_project(engine, name, tmp_path)


@pytest.fixture
def word() -> str:
    """Something that no other test, and no other run, uses."""
    return f"w{secrets.token_hex(6)}"


@pytest.fixture
def private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Private]]:
    if os.geteuid() or not shutil.which("dockerd"):
        pytest.skip("an engine of its own needs root and dockerd on PATH")
    made: list[Private] = []

    def make(size: str) -> Private:
        folder = tmp_path / "engine"
        folder.mkdir()
        engine = Private(folder, size)
        made.append(engine)
        engine.start()
        engine.load()
        monkeypatch.setenv("DOCKER_HOST", engine.host)
        return engine

    yield make
    for engine in made:
        engine.close()
