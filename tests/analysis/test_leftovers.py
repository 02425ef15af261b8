"""Which calls make which directories of a project anew."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from fixer.analysis.leftovers import installs_python, made_by
from tests.analysis.help import calls

SCRIPTS = {"build": "npm run build:app", "build:app": "next build", "site": "nuxt generate", "docs": "typedoc"}


def made(text: str, scripts: Mapping[str, str] = SCRIPTS) -> list[str]:
    found = calls(f"FROM rust:1\nWORKDIR /app\nRUN {text}\n")
    return [
        f"{each.directory}{' elsewhere' * each.elsewhere}"
        for call in found
        for each in made_by(call, lambda project: scripts if project == "/app" else {})
    ]


@pytest.mark.parametrize(
    ("text", "directories"),
    [
        ("cargo build", ["/app/target", "/target"]),
        ("cd crates/a && cargo test", ["/app/crates/a/target", "/app/crates/target", "/app/target", "/target"]),
        ("cargo build --target-dir /tmp/x", ["/app/target elsewhere"]),
        ("cargo chef prepare", []),
        ("cargo fetch", []),
        ("npm ci", ["/app/node_modules"]),
        ("npm install", ["/app/node_modules"]),
        ("npm install left-pad", []),
        ("npm ci --omit=dev --no-audit --loglevel error", ["/app/node_modules"]),
        ("npm ci --dry-run", []),
        ("npm install --package-lock-only", []),
        ("npm ci -w apps/a", []),
        ("yarn install --modules-folder /deps", []),
        ("pnpm --filter web... install", []),
        ("npm install -g npm", []),
        ("npm --prefix web ci", ["/app/web/node_modules"]),
        ("npm install $PACKAGES", []),
        ("yarn", ["/app/node_modules"]),
        ("yarn --frozen-lockfile", ["/app/node_modules"]),
        ("yarn add left-pad", []),
        ("pnpm -C web install", ["/app/web/node_modules"]),
        ("bun install", ["/app/node_modules"]),
        ("npm run build", ["/app/.next"]),
        ("yarn site", ["/app/.nuxt", "/app/.output"]),
        ("npx next build", ["/app/.next"]),
        ("npm run docs", []),
        ("mvn -B clean package", ["/app/target"]),
        ("./mvnw -f server/pom.xml package", ["/app/server/target"]),
        ("mvn dependency:go-offline", []),
        ("./gradlew :app:bootJar", ["/app/.gradle", "/app/build"]),
        ("gradle dependencies", []),
        ("gradle build -x test", ["/app/.gradle", "/app/build"]),
        ("gradle jar -x classes", []),
        ("dotnet publish -c Release", ["/app/bin", "/app/obj"]),
        ("dotnet restore", ["/app/obj"]),
        ("dotnet build --no-restore", ["/app/bin"]),
        ("dotnet publish --no-build", []),
        ("mix do deps.get, compile", ["/app/deps", "/app/_build"]),
        ("composer install --no-dev", ["/app/vendor"]),
        ("swift build -c release", ["/app/.build"]),
        ("uv sync --frozen", ["/app/.venv"]),
        ("UV_PROJECT_ENVIRONMENT=/opt/env uv sync", ["/app/.venv elsewhere"]),
        ("uv run --no-sync app", []),
        ("python3 -m venv --copies venv", ["/app/venv"]),
        ("virtualenv $PLACE", []),
        ("make", []),
        ("$TOOL ci", []),
    ],
)
def test_what_is_made(text: str, directories: list[str]) -> None:
    assert made(text) == directories


@pytest.mark.parametrize(
    ("text", "installs"),
    [
        ("pip install -r requirements.txt", True),
        ("python -m pip install .", True),
        ("uv sync", True),
        ("uv pip sync requirements.txt", True),
        ("poetry install", True),
        ("pip download x", False),
        ("python -m venv x", False),
        ("npm install", False),
    ],
)
def test_python(text: str, installs: bool) -> None:
    assert [installs_python(call) for call in calls(text)] == [installs]


def test_scripts_that_call_each_other_again_and_again() -> None:
    calls_of = {"build": "b", "b": "c", "c": "d", "d": "build"}
    again = {name: f"npm run {then} && " * 50 for name, then in calls_of.items()}
    assert made("npm run build", again | {"d": "next build"}) == ["/app/.next"]
    assert made("npm run build", again) == []
