"""Start-up is imports: what need not be loaded is not loaded."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

COUNT = """
import json, sys
{body}
print(json.dumps(sorted(sys.modules)))
"""

CLI = """
sys.argv = ["dockfix", {args}]
from fixer.__main__ import main
try:
    code = main()
except SystemExit as stop:
    code = stop.code
assert not code, code
"""


def loaded(body: str) -> set[str]:
    done = subprocess.run([sys.executable, "-c", COUNT.format(body=body)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    names: list[str] = json.loads(done.stdout.splitlines()[-1])
    return set(names)


def test_the_package_loads_neither_lark_nor_click() -> None:
    assert loaded("import fixer") & {"lark", "click", "fixer.tree.parse", "fixer.codemods.registry"} == set()


@pytest.mark.parametrize("args", ['"--version"', '"--help"', '"--list"', '"--explain", "pip-cache"'])
def test_what_parses_nothing_loads_no_parser(args: str) -> None:
    assert "lark" not in loaded(CLI.format(args=args))


def test_parsing_needs_no_command() -> None:
    names = loaded('import fixer; assert fixer.parse("FROM a\\n").code == "FROM a\\n"')
    assert names & {"click", "fixer.cli", "fixer.engine.run"} == set()


def test_a_few_files_load_nothing_for_many(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM a\nRUN pip install b\n")
    names = loaded(CLI.format(args=f'"--write", "-q", {str(tmp_path / "Dockerfile")!r}'))
    assert {"fixer.engine.run", "fixer.tree.parse"} <= names
    assert names & {"sqlite3", "multiprocessing", "rich", "pickle", "hashlib", "fixer.engine.result_cache"} == set()


@pytest.mark.parametrize("args", ['"--help"', '"--demo", "-q"'])
def test_the_proof_is_loaded_by_verify_only(args: str) -> None:
    silent = "import os; sys.stdout = open(os.devnull, 'w')" + CLI.format(args=args) + "sys.stdout = sys.__stdout__"
    names = loaded(silent)
    assert [name for name in names if name.startswith(("fixer.prove", "rich", "jinja2"))] == []
