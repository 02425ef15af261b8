"""What `dockerignore` leaves out: programs that are older than the sources, packages of another system, environments,
and a repository that changes with every commit."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

import fixer
from fixer.codemods.api import Alters
from fixer.engine.neighbours import Neighbours
from tests.e2e.harness import OWN, Engine, differences

pytestmark = pytest.mark.e2e

RUST = """\
FROM rust:1-bookworm AS build
WORKDIR /app
COPY . .
RUN cargo build --release --offline

FROM debian:bookworm-slim
COPY --from=build /app/target/release/ledger /usr/local/bin/ledger
CMD ["ledger"]
"""
COMPILE = """\
FROM rust:1-bookworm AS build
WORKDIR /app
COPY . .
RUN cargo build --release --offline

FROM scratch
COPY --from=build /app/target /target
"""
NPM = """\
FROM debian:bookworm-slim
COPY --chmod=755 <<'END' /usr/local/bin/npm
#!/bin/sh -e
test "$1" = ci
rm -rf node_modules
mkdir -p node_modules/native
echo "made for $(uname -s)" > node_modules/native/binding
END
"""
NODE = """\
FROM {base}
WORKDIR /app
COPY package.json ./
RUN npm ci
COPY . .
CMD ["cat", "node_modules/native/binding", "server.js"]
"""
PYTHON = """\
FROM python:3.12-slim-bookworm
WORKDIR /srv
COPY requirements.txt .
RUN pip install --no-index -r requirements.txt
COPY . .
CMD ["python", "app.py"]
"""
GIT = "FROM debian:bookworm-slim\nWORKDIR /src\nCOPY . .\nRUN cat greeting.txt\n"


def put(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def left_out(folder: Path, lines: str) -> Alters:
    """Let dockfix write the .dockerignore, which then is `lines`. Returns where images may differ by it."""
    ignore = folder / ".dockerignore"
    text = ignore.read_bytes() if ignore.exists() else b""
    options = {"path": ".dockerignore", "select": ["dockerignore"], "unsafe_fixes": True}
    told = fixer.fix(text, dockerfiles=Neighbours(str(folder), "dockerignore"), **options)  # type: ignore[call-overload]
    command = [sys.executable, "-m", "fixer", "--write", "--unsafe-fixes", "--select", "dockerignore", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert ignore.read_text() == lines == told.after.decode()
    return Alters(tuple(path for change in told.changes for path in change.alters.paths))


def test_a_program_that_is_older_than_its_sources(engine: Engine, tmp_path: Path, word: str) -> None:
    """The program was compiled in the same directory of the same image, as in a development container; then sources
    came back that are older than it: cargo goes by dates, and takes it for theirs."""
    files = {
        "Dockerfile": RUST,
        "Cargo.toml": '[package]\nname = "ledger"\nversion = "0.1.0"\nedition = "2021"\n',
        "src/main.rs": f'fn main() {{ println!("new {word}"); }}\n',
        ".gitignore": "/target\n",
    }
    folder = put(tmp_path / "ledger", files)
    command = ["docker", "build", "--network=host", f"--output=type=local,dest={folder}", "--file=-", str(folder)]
    subprocess.run(command, input=COMPILE, capture_output=True, text=True, check=True, timeout=300)
    assert (folder / "target" / "release" / "ledger").exists()
    source = folder / "src" / "main.rs"
    put(folder, {"src/main.rs": f'fn main() {{ println!("old {word}"); }}\n'})
    older = source.stat().st_mtime - 3600
    os.utime(source, (older, older))

    assert engine.run(engine.build(folder, RUST).image) == f"new {word}", "the program of other sources is shipped"
    left_out(folder, "target\n")
    assert engine.run(engine.build(folder, RUST).image) == f"old {word}"

    (folder / "target" / "release" / "ledger").write_text("compiled again outside")
    assert engine.build(folder, RUST).step("RUN cargo build").cached


def test_packages_of_another_system(engine: Engine, tmp_path: Path, word: str) -> None:
    base = f"{OWN}npm-{word}"
    engine.build(put(tmp_path / "base", {"README": "nothing\n"}), NPM, options=["--tag", base])
    files = {
        "Dockerfile": NODE.format(base=base),
        "package.json": '{"dependencies": {"native": "1"}}\n',
        "server.js": f"{word}\n",
        "node_modules/native/binding": "made for Darwin\n",
        ".dockerignore": "# what is not shipped\n*.log\n",
        ".gitignore": "node_modules/\n",
    }
    folder = put(tmp_path / "shop", files)
    try:
        text = (folder / "Dockerfile").read_text()
        assert engine.run(engine.build(folder, text).image) == f"made for Darwin\n{word}"
        left_out(folder, "# what is not shipped\n*.log\nnode_modules\n")
        assert engine.run(engine.build(folder, text).image) == f"made for Linux\n{word}"
    finally:
        subprocess.run(["docker", "rmi", "--force", base], capture_output=True, check=False, timeout=60)


def test_an_environment_that_nobody_uses(engine: Engine, tmp_path: Path, word: str) -> None:
    files = {
        "Dockerfile": PYTHON,
        "requirements.txt": "# nothing\n",
        "app.py": "import parts.tray\n",
        "parts/tray.py": f'print("{word}")\n',
        "parts/__pycache__/tray.cpython-311.pyc": "stale",
        ".venv/pyvenv.cfg": "home = /opt/homebrew/bin\n",
        ".venv/lib/flask.py": "raise SystemExit\n",
        ".gitignore": ".venv\n__pycache__/\n",
    }
    folder = put(tmp_path / "desk", files)
    before = engine.files(folder, PYTHON)
    alters = left_out(folder, ".venv\n**/__pycache__\n")
    after = engine.files(folder, PYTHON)
    assert engine.run(engine.build(folder, PYTHON).image) == word

    other = differences(before, after)
    assert "srv/.dockerignore" in other
    assert _among("srv/.dockerignore", alters)
    other.remove("srv/.dockerignore")
    lost = {path for path in other if path not in after}
    assert {"srv/.venv/lib/flask.py", "srv/parts/__pycache__/tray.cpython-311.pyc"} <= lost
    assert {path for path in lost if path.startswith("srv/") and not _among(path, alters)} == set()
    assert {path for path in other - lost if path.startswith("srv/")} <= {"srv", "srv/parts"}, "nothing else is altered"


def _among(path: str, alters: Alters) -> bool:
    return any(f"/{path}/".startswith(f"{place}/") for place in alters.paths)


@pytest.mark.thorough
def test_verify_takes_the_new_file(tmp_path: Path, word: str) -> None:
    files = {
        "Dockerfile": PYTHON,
        "requirements.txt": "# nothing\n",
        "app.py": f"print('{word}')\n",
        "parts/__pycache__/tray.cpython-311.pyc": "stale",
        ".venv/pyvenv.cfg": "home = /opt/homebrew/bin\n",
        ".gitignore": ".venv\n__pycache__/\n",
    }
    folder = put(tmp_path / "desk", files)
    report = tmp_path / "report.json"
    options = ["--unsafe-fixes", "--select=dockerignore", f"--json={report}", str(folder / "Dockerfile")]
    command = [sys.executable, "-m", "fixer", "verify", *options, "--", "--network=host"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    proof = json.loads(report.read_text())
    verdicts = {check["id"]: check["verdict"] for check in proof["checks"]}
    assert verdicts["same-image"] == verdicts["edit-arrives"] == verdicts["same-after-edit"] == "passed"
    assert "+.venv\n" in proof["diff"]
    assert "/srv/.venv: only before" in done.stdout
    assert not (folder / ".dockerignore").exists()


@pytest.mark.skipif(shutil.which("git") is None, reason="no git on this machine")
def test_a_commit_that_changes_nothing(engine: Engine, tmp_path: Path, word: str) -> None:
    folder = put(tmp_path / "hello", {"Dockerfile": GIT, "greeting.txt": f"{word}\n"})

    def commit(message: str) -> None:
        who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        subprocess.run(["git", "-C", str(folder), *who, "commit", "-q", "--allow-empty", "-m", message], check=True)

    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    commit("one")
    engine.build(folder, GIT)
    assert engine.build(folder, GIT).step("RUN cat").cached
    commit("two")
    assert not engine.build(folder, GIT).step("RUN cat").cached

    left_out(folder, ".git\n")
    engine.build(folder, GIT)
    commit("three")
    assert engine.build(folder, GIT).step("RUN cat").cached
