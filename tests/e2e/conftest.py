"""Fixtures of the builds: one engine for the session, a fresh copy of a project for each test."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.harness import Engine, Project, copy_project


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = Engine(tmp_path_factory.mktemp("engine"), secrets.token_hex(4))
    yield engine
    engine.close()


@pytest.fixture
def project(engine: Engine, tmp_path: Path) -> Callable[[str], Project]:
    """`project(NAME)`: a copy of projects/NAME for this test alone."""
    return lambda name: copy_project(engine, name, tmp_path)
