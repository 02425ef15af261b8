"""What package managers read, by their words: `fixer.analysis.tools.manifests`, and where COPY puts files."""

from __future__ import annotations

import pytest

from fixer.analysis import Known, analyse
from fixer.analysis.tools.manifests import Manager, is_manager, read_manager
from fixer.analysis.transfers import Lands, lands
from fixer.tree.nodes import Copy
from fixer.tree.parse import parse


def manager(command: str) -> Manager | None:
    facts = analyse(parse(f"FROM debian\nWORKDIR /app\nRUN {command}\n"))
    calls = facts.calls(facts.stages[0].instructions[1])
    assert isinstance(calls, tuple)
    return read_manager(calls[-1])


@pytest.mark.parametrize(
    ("command", "path"),
    [
        ("pip install -r requirements.txt", "/app/requirements.txt"),
        ("pip install --requirement=deps/prod.lst", "/app/deps/prod.lst"),
        ("python3 -m pip install -rdev.txt", "/app/dev.txt"),
        ("uv pip install -r requirements.txt", "/app/requirements.txt"),
        ("uv sync --frozen --no-install-project", "/app/uv.lock"),
        ("uv venv", "/app/.python-version"),
        ("uv python install", "/app/.python-version"),
        ("uv pip install a[b]==1 c", "/app/pyproject.toml"),
        ("poetry install --no-root", "/app/pyproject.toml"),
        ("npm ci --omit=dev", "/app/package-lock.json"),
        ("yarn install --frozen-lockfile", "/app/yarn.lock"),
        ("pnpm install --frozen-lockfile", "/app/pnpm-lock.yaml"),
        ("go mod download", "/app/go.sum"),
        ("BUNDLE_FROZEN=1 bundle install", "/app/Gemfile.lock"),
        ("composer install --no-scripts", "/app/composer.lock"),
        ("dotnet restore Web/Web.csproj", "/app/Web/Web.csproj"),
        ("cargo fetch --locked", "/app/Cargo.lock"),
    ],
)
def test_reads(command: str, path: str) -> None:
    found = manager(command)
    assert found is not None
    assert found.reads(path, Known("/app"))
    assert found.writes == ""


@pytest.mark.parametrize(
    "command",
    ["npm install", "yarn", "pnpm install", "bun install", "uv sync", "pipenv install", "go mod tidy", "cargo fetch"],
)
def test_may_write(command: str) -> None:
    found = manager(command)
    assert found is not None
    assert found.writes


@pytest.mark.parametrize(
    "command",
    [
        "pip install .", "pip install -e .", "npm run build", "bundle exec rake", "go build", "pip install .[a]",
        "pip install -r a.txt .[a]", "pip install -e.", "pip install --editable=.[a]", "uv pip install .[a]",
        "uv pip install -r a.txt -e .[a]", "uv pip install --editable=.", "uv pip install 'a @ file:.'",
        "python -m pip install ./dist/*.whl", "uv tool install .", "uv tool install --from ./a b", "npm i -g ./a",
        "npm install -g", "yarn global add file:a", "pnpm add -g ./a.tgz", "uv python pin 3.12", "uv tool install .[a]",
    ],
)  # fmt: skip
def test_not_known(command: str) -> None:
    assert manager(command) is None


@pytest.mark.parametrize(
    "command",
    [
        "npm install --global pnpm", "pip install flask", "go install example.com/x@latest", "uv --version",
        "pip install a[b]", "uv tool install 'a[b]==1'", "pip install -e git+https://a/b", "pip install a==$B",
        "npm i -g @a/b",
    ],
)  # fmt: skip
def test_reads_no_manifest(command: str) -> None:
    found = manager(command)
    assert found is not None
    assert not found.names
    assert not found.files


def test_a_frozen_lock_file_is_not_written() -> None:
    for command, names in (("bundle install", True), ("bundle install --frozen", False)):
        found = manager(command)
        assert found is not None
        assert found.writes_in_place("Gemfile.lock") is names
        assert not found.writes_in_place("Gemfile")


def test_programs() -> None:
    facts = analyse(parse("FROM debian\nRUN npm run x && make\n"))
    calls = facts.calls(facts.stages[0].instructions[0])
    assert isinstance(calls, tuple)
    assert [is_manager(call) for call in calls] == [True, False]


@pytest.mark.parametrize(
    ("copy", "how"),
    [
        ("COPY . .", Lands.YES),
        ("COPY ./ /app/", Lands.YES),
        ("COPY . /srv", Lands.NO),
        ("COPY deps .", Lands.YES),
        ("COPY other .", Lands.MAYBE),
        ("COPY deps/req.txt .", Lands.YES),
        ("COPY deps/req.txt other.txt", Lands.NO),
        ("COPY deps/*.txt ./", Lands.YES),
        ("COPY *.py ./", Lands.NO),
        ("COPY main.py ./", Lands.NO),
        ("COPY other.txt req.txt", Lands.YES),
        ("COPY --exclude=*.txt . .", Lands.MAYBE),
        ("COPY $X ./", Lands.MAYBE),
        ("COPY --from=golang:1 /x/req.txt ./", Lands.YES),
    ],
)
def test_lands(copy: str, how: Lands) -> None:
    source, path = ("deps/req.txt", "/app/req.txt") if "deps" in copy else ("req.txt", "/app/req.txt")
    facts = analyse(parse(f"FROM debian\nWORKDIR /app\nARG X\n{copy}\n"))
    instruction = facts.stages[0].instructions[-1]
    assert isinstance(instruction, Copy)
    assert lands(facts, instruction, path, source, None) is how
