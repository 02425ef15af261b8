from __future__ import annotations

import time

import pytest

from fixer.analysis.workflow import read_workflow
from fixer.analysis.workspace_writes import may_write


def writes(script: str) -> bool:
    text = f"jobs:\n a:\n  runs-on: ubuntu-latest\n  steps:\n  - run: |\n     {script}\n"
    (step,) = read_workflow(text).steps
    return may_write(step)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("rm -rf /usr/share/dotnet", False),
        ("sudo rm -rf /usr/share/dotnet /opt/ghc /", True),
        ("sudo rm -rf /usr/share/dotnet /opt/ghc", False),
        ("rm -r -f /opt/a", False),
        ("rm -rf /opt/a b", True),
        ("rm -rf /opt/a ./b", True),
        ("rm -rf /home/runner/work", True),
        ("rm -rf /opt/a /home/runner/work", True),
        ("rm -rf", True),
    ],
)
def test_rm(script: str, expected: bool) -> None:
    assert writes(script) is expected


def test_a_long_path_is_read_once() -> None:
    """It could be cut at each of its slashes, and was tried in all ways."""
    started = time.process_time()
    assert writes("rm -rf " + "/a" * 5_000 + " b")
    assert time.process_time() - started < 5
