"""What there is to prove: changes of a Dockerfile, and of the .dockerignore that is in force."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixer.prove.plan import prepare

NODE = "FROM node:22\nWORKDIR /app\nCOPY . .\nRUN npm ci\n"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "Dockerfile").write_text(NODE)
    (tmp_path / "package.json").write_text("{}\n")
    return tmp_path


def test_a_dockerignore_that_is_missing(shop: Path) -> None:
    plan = prepare(shop / "Dockerfile", shop, unsafe_fixes=True, select=["dockerignore"])
    assert not plan.outcome.changed
    assert plan.changed
    assert plan.ignore is not None
    assert plan.ignore.path == str(shop / ".dockerignore")
    assert plan.ignore.outcome.after == b"node_modules\n"
    (change,) = plan.changes
    assert change.title == ".dockerignore: leave node_modules out of the build context"
    assert change.alters.paths == ("/app/node_modules", "/app/.dockerignore")
    assert plan.diff.startswith("--- /dev/null\n")


def test_the_one_beside_the_dockerfile(shop: Path) -> None:
    (shop / ".dockerignore").write_text("node_modules\n")
    (shop / "Dockerfile.dockerignore").write_text("*.md\n")
    plan = prepare(shop / "Dockerfile", shop, unsafe_fixes=True, select=["dockerignore"])
    assert plan.ignore is not None
    assert plan.ignore.path == str(shop / "Dockerfile.dockerignore")
    assert plan.ignore.outcome.after == b"*.md\nnode_modules\n"


@pytest.mark.parametrize(
    "options",
    [
        {"select": ["pip-cache"]},
        {"unsafe_fixes": True, "select": ["pip-cache", "dockerignore"], "ignore": ["dockerignore"]},
    ],
)
def test_nobody_wants_it(shop: Path, options: dict[str, object]) -> None:
    assert not prepare(shop / "Dockerfile", shop, **options).changed  # type: ignore[arg-type]


def test_nothing_to_do_in_it(shop: Path) -> None:
    (shop / ".dockerignore").write_text("node_modules\n")
    assert prepare(shop / "Dockerfile", shop, unsafe_fixes=True, select=["dockerignore"]).ignore is None
