"""What stands in the documents is what the code does."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fixer.codemods.api import Codemod
from fixer.dev import CORPUS, codemods, load, pages

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")
CODEMODS = pytest.mark.parametrize("codemod", codemods(), ids=lambda codemod: str(codemod.id))


def test_pages_are_fresh() -> None:
    stale = [path for path, text in pages() if not path.exists() or path.read_text("utf-8") != text]
    assert [path.relative_to(ROOT) for path in stale] == [], "run: python -m fixer.dev pages"


def test_every_folder_of_the_corpus_belongs_to_a_codemod() -> None:
    known = {codemod.id for codemod in codemods()} | {"_together", "_tree", "_regress"}
    assert {path.name for path in CORPUS.iterdir() if path.is_dir()} - known == set()


@CODEMODS
def test_manual(codemod: Codemod) -> None:
    """The docstring is the manual page: a summary line, then what it does and what it refuses."""
    manual = inspect.getdoc(type(codemod)) or ""
    summary, _, rest = manual.partition("\n")
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", codemod.id)
    assert 10 < len(summary) <= 100
    assert len(rest.split()) >= 60, "a manual page that says next to nothing"
    assert all(text.strip() for text in codemod.reasons.values())
    assert codemod.words or codemod.document != "dockerfile", "every Dockerfile would be parsed for it"


@CODEMODS
def test_readme_names_every_codemod(codemod: Codemod) -> None:
    assert f"[`{codemod.id}`](corpus/{codemod.id}/README.md)" in README


@pytest.mark.parametrize("words", [["--help"], ["verify", "--help"]], ids=" ".join)
def test_readme_names_every_option(words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "fixer", *words], capture_output=True, text=True, check=True, cwd=ROOT
    )
    options = re.findall(r"^  (?:-\w, )?(--[a-z-]+)", done.stdout, re.MULTILINE)
    assert len(options) > 10
    assert [option for option in options if f"`{option}" not in README] == []


def test_the_readmes_diff_is_the_demos() -> None:
    """The diff near the top is what `dockfix --demo` prints."""
    (folder,) = (CORPUS / "_together").glob("*-the-readme")
    demo = (ROOT / "fixer" / "data" / "demo" / "Dockerfile").read_bytes()
    assert load(folder).before == demo
    hunks = "".join(load(folder).diff.splitlines(keepends=True)[2:])
    shown = re.search(r"```diff\n(.*?)```", README, re.DOTALL)
    assert shown
    assert shown[1] == hunks


def test_the_readmes_refusal_is_what_is_printed() -> None:
    shown = re.search(r"```text\n(.*?)```", README, re.DOTALL)
    assert shown
    (folder,) = (CORPUS / "_together").glob("peers-08-*")
    command = [sys.executable, "-m", "fixer", "Dockerfile"]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder / "before", env=env)
    assert done.stdout == ""
    assert done.stderr == shown[1]


def test_the_readmes_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    (tmp_path / "Dockerfile").write_text("FROM python:3.12-slim\nRUN pip install flask\n")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(code, names)
    assert len(names["outcome"].changes) == 1


def test_links_of_the_documents_lead_somewhere() -> None:
    broken = []
    for path in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *CORPUS.glob("*/README.md")]:
        prose = re.sub(r"(?ms)^(`{3,}).*?^\1$", "", path.read_text("utf-8"))
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", prose):
            if "://" not in target and not (path.parent / target).exists():
                broken.append(f"{path.relative_to(ROOT)}: {target}")
    assert broken == []


def test_the_changelog_says_what_is_not_released_yet() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert "\n## [Unreleased]\n" in changelog
    entries = changelog.partition("\n## [Unreleased]\n")[2].partition("\n## [")[0]
    assert "\n- " in entries


def test_ci_runs_the_readmes_commands() -> None:
    commands = re.findall(r"^python3 -m venv .*$", README, re.MULTILINE)
    assert len(commands) == 2
    assert "dockfix --demo" in commands[0]
    assert "pytest" in commands[1]
    assert "grep -E '^python3 -m venv ' README.md" in (ROOT / ".ci" / "run").read_text("utf-8")
