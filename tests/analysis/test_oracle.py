"""What the calls claim (fatal, conditional, directory, variables), against real shells that run random scripts."""

from __future__ import annotations

import random
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from fixer.analysis import Known, analyse
from fixer.tree.nodes import Run
from fixer.tree.parse import parse
from fixer.tree.shell import OpaqueScript

SHELLS = [shell for shell in ("dash", "bash") if shutil.which(shell)]
SCRIPTS = 60
"""For each shell; each is run with several sets of commands that fail."""

_PROGRAM = """#!/bin/sh
echo "${0##*/} $PWD ${V-unset}" >> "$LOG"
case " $FAIL " in *" ${0##*/} "*) exit 1 ;; esac
"""


@dataclass
class _Maker:
    """Makes random scripts in which every program has a name of its own."""

    rng: random.Random
    bash: bool
    count: int = 0

    def program(self) -> str:
        self.count += 1
        return f"c{self.count}"

    def simple(self) -> str:
        kind = self.rng.randrange(24)
        if kind < 12:
            return self.program()
        if kind < 16:
            return "cd " + self.rng.choice(("a", "b", "..", "$W/a", "missing", "a/b", "-"))
        if kind < 18:
            return self.rng.choice(("set -e", "set +e", "set -ex", "set -eu"))
        if kind == 18:
            return "set -o pipefail" if self.bash else "set -e"
        if kind == 19:
            return self.rng.choice(("exit 0", "exit 1", "true", "false"))
        if kind < 23:
            return self.rng.choice(("export V=1", "export V=2", "V=3", "unset V", f"V=4 {self.program()}"))
        return f"env V=5 {self.program()}"

    def command(self, depth: int) -> str:
        kind = self.rng.randrange(30)
        if depth <= 0 or kind < 18:
            return self.simple()
        inner = self.list(depth - 1)
        if kind == 18:
            return f"( {inner} )"
        if kind == 19:
            return f"{{ {inner}; }}"
        if kind in (20, 21):
            other = f"else {self.list(depth - 1)}; " if self.rng.random() < 0.5 else ""
            return f"if {self.list(depth - 1)}; then {inner}; {other}fi"
        if kind in (22, 23):
            leave = self.rng.choice(("", "", f"; {self.program()} || continue", f"; {self.program()} && break"))
            return f"for i in 1 2; do {inner}{leave}; done"
        if kind == 24:
            return f"while {self.program()}; do {inner}; break; done"
        if kind == 25:
            return f"case x in {self.rng.choice('xyz*')}) {inner} ;; esac"
        if kind == 26:
            return f"Y=$( {inner})"
        if kind == 27 and "'" not in inner:
            return f"sh {self.rng.choice(('-c', '-ec'))} '{inner}'"
        if kind == 28:
            self.count += 1
            return f"f{self.count}() {{ {inner}; }}; f{self.count}"
        return f"{self.simple()} || {{ echo no; exit {self.rng.choice('01')}; }}"

    def pipeline(self, depth: int) -> str:
        commands = [self.command(depth)]
        if self.rng.random() < 0.12:
            commands.append(self.command(depth))
        return ("! " if self.rng.random() < 0.06 else "") + " | ".join(commands)

    def list(self, depth: int) -> str:
        out = self.pipeline(depth)
        for _ in range(self.rng.randrange(4)):
            out += self.rng.choice((" && ", " && ", " || ", "; ", "; ")) + self.pipeline(depth)
        return out


def _scripts(shell: str) -> Iterator[tuple[str, random.Random, int]]:
    for seed in range(SCRIPTS):
        rng = random.Random(f"{shell}{seed}")
        maker = _Maker(rng, shell == "bash")
        yield maker.list(3), rng, maker.count


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("oracle").resolve()
    for directory in ("bin", "w/a/a", "w/a/b", "w/b/a", "w/b/b"):
        (root / directory).mkdir(parents=True)
    for number in range(1, 200):
        program = root / "bin" / f"c{number}"
        program.write_text(_PROGRAM)
        program.chmod(0o755)
    return root


@pytest.mark.parametrize("shell", SHELLS)
def test_claims_hold(shell: str, place: Path) -> None:
    checked = 0
    for script, rng, count in _scripts(shell):
        text = f'FROM debian\nSHELL ["{shell}", "-c"]\nENV W={place}/w\nWORKDIR {place}/w\nRUN {script}\n'
        facts = analyse(parse(text))
        run = next(i for i in facts.file.instructions if isinstance(i, Run))
        calls = facts.calls(run)
        assert not isinstance(calls, OpaqueScript), (script, calls.why)
        for _ in range(4):
            failing = {f"c{n}" for n in range(1, count + 1) if rng.random() < rng.choice((0, 0.15, 0.4))}
            status, ran = _run(shell, script, place, failing)
            for call in calls:
                name = call.program or ""
                if not name.startswith("c") or not name[1:].isdigit():
                    continue
                told = (script, sorted(failing), status, name)
                times = ran.get(name, [])
                if call.fatal and times and name in failing:
                    assert status != 0, told
                if not call.conditional and status == 0:
                    assert times, told
                for directory, variable in times:
                    assert not isinstance(call.cwd, Known) or call.cwd.value == directory, (told, call.cwd, directory)
                    value = call.lookup("V")
                    assert value is not None or variable == "unset", (told, variable)
                    assert not isinstance(value, Known) or value.value == variable, (told, value, variable)
                    checked += 1
    assert checked > 250


def _run(shell: str, script: str, place: Path, failing: set[str]) -> tuple[int, dict[str, list[tuple[str, str]]]]:
    log = place / "log"
    log.write_text("")
    environment = {
        "PATH": f"{place}/bin:/usr/bin:/bin",
        "LOG": str(log),
        "FAIL": " ".join(failing),
        "W": f"{place}/w",
        "HOME": "/",
    }
    done = subprocess.run(
        [shell, "-c", script], cwd=place / "w", env=environment, capture_output=True, timeout=20, check=False
    )
    ran: dict[str, list[tuple[str, str]]] = {}
    for row in log.read_text().splitlines():
        name, directory, variable = row.split(" ")
        ran.setdefault(name, []).append((directory, variable))
    return done.returncode, ran
