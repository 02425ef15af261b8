"""A wheel built from this tree works by itself: the grammar is in it, and its dependencies are those it declares."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("fixer", "grammar", "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md")


def run(*command: str | Path, cwd: Path) -> str:
    env = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, so that nothing is left in the checkout; with the hatchling of this environment, so that no
    index is needed."""
    tree = tmp_path_factory.mktemp("tree")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, tree / name)
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tree / "dist", tree, cwd=tree)
    (built,) = (tree / "dist").glob("*.whl")
    return built


def requirements(of: Distribution) -> list[Distribution]:
    """The installed distributions that `of` needs without its extras, theirs included."""
    names = [line for line in of.requires or () if "extra ==" not in line]
    if sys.version_info >= (3, 11):
        names = [line for line in names if "python_version <" not in line]
    found = [distribution(re.split(r"[^\w.-]", line, maxsplit=1)[0]) for line in names if "platform_system" not in line]
    return found + [deep for one in found for deep in requirements(one)]


def lend(one: Distribution, folder: Path) -> None:
    """Make an installed distribution visible in `folder`, and nothing else of the environment that it stands in."""
    for top in {file.parts[0] for file in one.files or () if file.parts[0] not in {"..", "__pycache__"}}:
        if not (folder / top).exists():
            (folder / top).symlink_to(one.locate_file(top))


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a fresh environment that holds the wheel and the dependencies that it declares."""
    home = tmp_path_factory.mktemp("fresh") / "env"
    run(sys.executable, "-m", "venv", "--without-pip", home, cwd=home.parent)
    interpreter = home / "bin" / "python"
    run(
        sys.executable, "-m", "pip", "--python", interpreter, "install", "-q", "--no-deps", "--no-index", wheel,
        cwd=home.parent,
    )  # fmt: skip
    (site,) = (home / "lib").glob("python*/site-packages")
    (installed,) = site.glob("dockfix-*.dist-info")
    for one in requirements(Distribution.at(installed)):
        lend(one, site)
    return interpreter


def test_contents(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "fixer/grammar/dockerfile.lark" in names
    assert "fixer/grammar/shell.lark" in names
    assert "fixer/py.typed" in names
    assert {"fixer/prove/templates/page.html.jinja", "fixer/prove/templates/page.css"} <= set(names)
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"fixer"}


SCRIPT = """
import fixer, pathlib, sys
home = pathlib.Path(sys.prefix).resolve()
assert home in pathlib.Path(fixer.__file__).resolve().parents, fixer.__file__
source = b"FROM python:3.12-slim\\nRUN pip install --no-cache-dir flask && echo ok\\n"
assert fixer.parse(source).code == source
outcome = fixer.fix(source)
assert outcome.error is None, outcome.error
assert b"--mount=type=cache" in outcome.after, outcome.after
"""


def test_parses_and_fixes_in_a_clean_environment(python: Path, tmp_path: Path) -> None:
    run(python, "-c", SCRIPT, cwd=tmp_path)


PAGE = """
from fixer.prove.as_html import page
from fixer.prove.model import Proof
text = page(Proof("Dockerfile", ".", (), "an engine", (), (), (), "", "", "", (), (), (), (), 0.0))
assert "</html>" in text and "--back" in text, text
"""


def test_the_page_of_a_proof_is_made_in_a_clean_environment(python: Path, tmp_path: Path) -> None:
    run(python, "-c", PAGE, cwd=tmp_path)


def test_the_command_works_in_a_clean_environment(python: Path, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM python:3.12-slim\nRUN pip install flask\n")
    diff = run(python.parent / "dockfix", "--diff", "Dockerfile", cwd=tmp_path)
    assert "+RUN --mount=type=cache" in diff
    run(python.parent / "dockfix", "--demo", cwd=tmp_path)
    version = run(python.parent / "dockfix", "--version", cwd=tmp_path)
    assert re.search(r"\d+\.\d+", version)
