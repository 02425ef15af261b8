"""dockerignore, where its corpus cannot show it: with Dockerfiles that the same run changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixer.engine.files import Target
from fixer.engine.job import Options, fix_target

DOCKERFILE = """\
FROM python:3.12
RUN apt-get update && apt-get install -y git && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY . .
RUN pip install --no-cache-dir -r requirements.txt
CMD ["myapp"]
"""


@pytest.mark.parametrize(("write", "copy", "command"), [(False, 4, 6), (True, 9, 12)])
def test_lines_of_a_dockerfile_are_those_that_people_have(
    tmp_path: Path, write: bool, copy: int, command: int
) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    (tmp_path / "requirements.txt").write_text("flask\n")
    (tmp_path / "app.py").write_text("import flask\n")
    options = Options(unsafe_fixes=True, project="p", paths=frozenset((str(tmp_path),)), write=write)
    outcome = fix_target(Target(str(tmp_path / ".dockerignore"), missing=True), options).result.outcome
    assert outcome is not None
    assert [one.because for one in outcome.refusals] == [
        f".git: Dockerfile:{command}: myapp may ask Git: it is not among the programs that are known not to"
    ]
    assert [f"COPY (Dockerfile:{copy})" in one.why for one in outcome.changes] == [True]
