"""The engine says which files of a context arrive, for pattern sets of every kind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fixer.analysis.dockerignore import IgnoreTrouble
from fixer.engine.context import read_ignore
from tests.analysis.test_dockerignore import CASES, PATHS, recorded
from tests.e2e.harness import Engine

pytestmark = pytest.mark.e2e
DOCKERFILE = "FROM scratch\nCOPY . /\n"
SAMPLE = [case for number, case in enumerate(CASES) if number % 8 == 0 or ("!" in case[0][1:] and number % 3 == 0)]


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("context")
    for path in PATHS:
        if path.endswith("/"):
            (folder / path).mkdir(parents=True, exist_ok=True)
        else:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text("x")
    return folder


@pytest.mark.parametrize(("text", "said"), SAMPLE, ids=[repr(text)[:60] for text, _ in SAMPLE])
def test_what_arrives(engine: Engine, context: Path, text: str, said: str) -> None:
    (context / ".dockerignore").write_bytes(text.encode())
    if said.startswith("error: "):
        assert not engine.build(context, DOCKERFILE, options=["--output=type=tar,dest=/dev/null"], must=False).ok
        with pytest.raises(IgnoreTrouble):
            read_ignore(context, context / "Dockerfile")
        return
    arrived = set(engine.files(context, DOCKERFILE)) - {".dockerignore"}
    assert arrived == recorded(said)


def own(context: Path, dockerfile: Path) -> None:
    (dockerfile.parent / f"{dockerfile.name}.dockerignore").write_text("own\n")


def own_and_empty(context: Path, dockerfile: Path) -> None:
    (dockerfile.parent / f"{dockerfile.name}.dockerignore").write_text("")


def directory(context: Path, dockerfile: Path) -> None:
    (dockerfile.parent / f"{dockerfile.name}.dockerignore").mkdir()


def link_inside(context: Path, dockerfile: Path) -> None:
    (context / ".dockerignore").rename(context / "real")
    (context / ".dockerignore").symlink_to("/real")


def link_outside(context: Path, dockerfile: Path) -> None:
    (context / ".dockerignore").rename(context.parent / "real")
    (context / ".dockerignore").symlink_to(context.parent / "real")


@pytest.mark.parametrize("given", [own, own_and_empty, directory, link_inside, link_outside])
def test_which_file_is_read(engine: Engine, tmp_path: Path, given: Callable[[Path, Path], None]) -> None:
    context = tmp_path / "context"
    context.mkdir()
    (context / "own").write_text("x")
    (context / "common").write_text("x")
    (context / ".dockerignore").write_text("common\n")
    dockerfile = engine.scratch / "Dockerfile"  # where the harness puts it
    beside = engine.scratch / "Dockerfile.dockerignore"
    try:
        given(context, dockerfile)
        arrived = set(engine.files(context, DOCKERFILE))
        ignore = read_ignore(context, dockerfile)
    finally:
        if beside.is_dir():
            beside.rmdir()
        beside.unlink(missing_ok=True)
    assert {name for name in ("own", "common") if name in arrived} == {
        name for name in ("own", "common") if not ignore.excludes(name)
    }
