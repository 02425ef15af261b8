"""What RUNs run of the build context."""

from __future__ import annotations

import pytest

from fixer.analysis.context import NO_CONTEXT, BuildContext, Kind
from fixer.analysis.facts import Facts
from fixer.analysis.unseen import Unseen
from fixer.tree.parse import parse
from tests.analysis.help import last


class Files(BuildContext):
    """A context of some files."""

    def __init__(self, **texts: str) -> None:
        self._texts = {name.replace("__", "/"): text for name, text in texts.items()}

    @property
    def at_hand(self) -> bool:
        return True

    def kind(self, path: str) -> Kind | None:
        if path in self._texts:
            return "file"
        return "directory" if not path or any(one.startswith(f"{path}/") for one in self._texts) else None

    def read(self, path: str) -> bytes | None:
        text = self._texts.get(path)
        return None if text is None else text.encode()

    def names(self, directory: str = "") -> tuple[str, ...]:
        start = f"{directory}/" if directory else ""
        return tuple(sorted({one[len(start) :].split("/")[0] for one in self._texts if one.startswith(start)}))


HERE = Files(setup="deps", Makefile="all:", bin__tool="tool", lib__env="env", install__py="python")


def found(text: str, context: BuildContext) -> list[str | None]:
    """What the last RUN runs: the texts, None for what cannot be read."""
    facts = Facts(parse(text))
    run = last(facts)
    calls = facts.calls(run)
    assert isinstance(calls, tuple)
    codes = [Unseen(facts, context).code(run, call) for call in calls]
    return [code.text for code in codes if code is not None]


@pytest.mark.parametrize(
    ("copy", "script", "expected"),
    [
        ("setup /usr/local/bin/", "setup --all", ["deps"]),
        ("setup /usr/local/bin/deps", "deps", ["deps"]),
        ("setup /opt/", "setup", []),
        ("setup /opt/", "PATH=/opt:$PATH setup", ["deps"]),
        ("setup /opt/", "/opt/setup", ["deps"]),
        ("setup /opt/", "cd /opt && ./setup", ["deps"]),
        ("setup /opt/", "sh -eu /opt/setup", ["deps"]),
        ("setup /opt/", "/bin/bash /opt/setup", ["deps"]),
        ("setup /opt/", "sh -c /opt/setup", ["deps"]),
        ("setup /opt/", "cat /opt/setup", []),
        ("bin /usr/local/bin", "tool", ["tool"]),
        ("bin/ /usr/local/bin/", "sudo tool x", ["tool"]),
        ("lib/env /etc/app.env", ". /etc/app.env", ["env"]),
        ("lib/env /etc/app.env", ". /etc/os-release", []),
        (". /src/", "cd /src && make -j", ["all:"]),
        (". /src/", "make -j", []),
        (". /src/", "python3 -u /src/install/py", ["python"]),
        (". /src/", "python3 -m install", []),
        ("--from=other /setup /usr/local/bin/", "setup", []),
    ],
)
def test_files_of_the_context(copy: str, script: str, expected: list[str]) -> None:
    assert found(f"FROM debian:12\nCOPY {copy}\nRUN {script}\n", HERE) == expected


@pytest.mark.parametrize(
    ("copy", "script", "seen"),
    [
        ("setup /usr/local/bin/", "setup", False),
        ("scripts /opt/scripts", ". /opt/scripts/env.sh", False),
        ("scripts /opt/scripts", ". /opt/scripts/activate", True),
        (". /app", "/app/venv/bin/pip list", True),
        (". /app", "cd /app && make", True),
        ("--from=other /setup /usr/local/bin/", "setup", True),
    ],
)
def test_without_the_context(copy: str, script: str, seen: bool) -> None:
    assert found(f"FROM debian:12\nCOPY {copy}\nRUN {script}\n", NO_CONTEXT) == ([] if seen else [None])


def test_what_comes_later_is_not_there_yet() -> None:
    assert found("FROM debian:12\nRUN setup\nCOPY setup /usr/bin/\nRUN true\n", HERE) == []
