"""What nobody writes: a bounded cost, a clear refusal, no traceback. `python -m tests.hostile` has the large ones."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import fixer
from fixer.engine.files import MAX_SIZE
from tests.hostile import SHAPES, measure
from tests.hostile_repositories import REPOSITORIES

COSTLY = (
    "ENV that doubles",
    "ARG that doubles",
    "global ARG that doubles",
    "assignments that double",
    "export that doubles",
    "WORKDIR",
    "COPY into shifts and blanks",
    "COPY of artifacts",
    "FROM a number",
    "stars in ENV",
    "stars in a replacement",
    "stages, each of the one before",
    "stages that copy all",
    "stages that use apt",
    "stages that make accounts",
    "stages that copy accounts",
    "RUN cargo in an unknown image",
    "ignore comments, each with an instruction",
    "functions",
    "braces and dots",
    "flags that differ",
    "classes in a pattern",
    "an expression of alternatives",
    "slashes of a source",
    "a thousand here-documents",
)
"""Shapes that once took too long, or too much memory, or crashed."""


@pytest.mark.parametrize("name", COSTLY)
def test_costly_once(name: str) -> None:
    """Each of these grew faster than its text: at eight times this size it took from half a minute to for ever."""
    text = SHAPES[name](8_000)
    started = time.process_time()
    outcome = fixer.fix(text.encode("utf-8", "surrogateescape"), unsafe_fixes=True, project="p")
    assert time.process_time() - started < 20
    assert outcome.error is None or outcome.error.kind != "internal-error"
    assert [refusal for refusal in outcome.refusals if refusal.reason == "internal-error"] == []


def test_options_of_a_script_that_is_not_understood() -> None:
    text = SHAPES["options in a script that is not understood"](200_000)
    started = time.process_time()
    outcome = fixer.fix(text, unsafe_fixes=True, project="p")
    assert time.process_time() - started < 10
    assert outcome.error is None


@pytest.mark.parametrize("name", [name for name in SHAPES if "nest" in name or " in " in name or "bracket" in name])
def test_any_depth(name: str) -> None:
    text = SHAPES[name](9_000)
    outcome = fixer.fix(text.encode("utf-8", "surrogateescape"), unsafe_fixes=True, project="p")
    assert outcome.error is None or outcome.error.kind == "not-understood"
    assert [refusal for refusal in outcome.refusals if refusal.reason == "internal-error"] == []


def test_too_much_work_is_a_refusal_of_the_codemod(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fixer.analysis.facts.MAX_WORK", 100)
    steps = "".join(f"COPY --from=build /app/target/release/a{k} /a\n" for k in range(60))
    text = (
        "FROM rust:1 AS build\nWORKDIR /app\n"
        + "RUN --mount=type=cache,target=/app/target cargo build\n" * 60
        + f"RUN pip install flask\nFROM debian:12\n{steps}"
    )
    outcome = fixer.fix(text, unsafe_fixes=True, project="p")
    tired = {refusal.codemod for refusal in outcome.refusals if refusal.reason == "too-much-work"}
    assert tired
    assert {refusal.reason for refusal in outcome.refusals if refusal.codemod in tired} == {"too-much-work"}
    assert all(change.codemod not in tired for change in outcome.changes)


@pytest.mark.parametrize("char", [chr(code) for code in (*range(1, 32), 127, 0x85, 0xA0, 0xFEFF, 0xDC80, 0xDCFF)])
def test_odd_characters(char: str) -> None:
    """Anywhere: no crash, and no other byte is touched."""
    for text in (
        f"FROM debian:12\nRUN pip install a{char}b\n",
        f"FROM debian:12\nRUN{char}pip install a\n",
        f"{char}FROM debian:12\nRUN pip install a\n",
        f"FROM debian:12{char}\nRUN pip install a \\{char}\n  b\n",
        f"FROM debian:12\nRUN apt-get update && \\\n{char}  apt-get install -y a{char}\n",
        f'FROM debian:12\nRUN pip install "a{char}"\nCMD ["a{char}"]\n',
    ):
        data = text.encode("utf-8", "surrogateescape")
        outcome = fixer.fix(data, unsafe_fixes=True, project="p")
        assert outcome.error is None or outcome.error.kind == "not-understood", text
        assert [r for r in outcome.refusals if r.reason == "internal-error"] == [], text
        assert outcome.after.count(char.encode("utf-8", "surrogateescape")) >= data.count(
            char.encode("utf-8", "surrogateescape")
        ), text


# --- through the command ---------------------------------------------------------------------------------------------


def run(path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "fixer", "--no-cache", *options, str(path)]
    return subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=120)


def sized(size: int) -> bytes:
    return b"FROM debian:12\nRUN pip install flask\n" + b"# comment\n" * (size // 10)


BAD: dict[str, tuple[Callable[[], bytes], str]] = {
    "twenty megabytes": (lambda: sized(20_000_000), "BuildKit takes Dockerfiles of at most 16,777,216"),
    "a byte too many": (lambda: sized(MAX_SIZE)[:MAX_SIZE] + b"\n", "16,777,217 bytes"),
    "a line of ten megabytes": (lambda: b"FROM debian:12\nRUN pip install " + b"x" * 10_000_000, "65535 bytes"),
    "a NUL": (lambda: b"FROM debian:12\nRUN pip install a\0b\n", "binary"),
    "depth in a heredoc word": (lambda: b"FROM a\nRUN pip install <<E " + b"${a:-" * 9000 + b"\nE\n", "nested"),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("mode", ["--diff", "--write"])
def test_refused_files(tmp_path: Path, name: str, mode: str) -> None:
    make, says = BAD[name]
    path = tmp_path / "Dockerfile"
    path.write_bytes(make())
    done = run(path, mode)
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    assert says in done.stderr
    assert done.stdout == ""
    assert path.read_bytes() == make()


def test_things_that_are_no_files(tmp_path: Path) -> None:
    """None of them may keep the command waiting, or is written to."""
    fifo, plug = tmp_path / "fifo", tmp_path / "socket"
    os.mkfifo(fifo)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(plug))
        for path in (fifo, plug, Path("/dev/zero"), Path("/dev/null")):
            for mode in ("--diff", "--write"):
                done = run(path, mode)
                assert done.returncode == 3, path
                assert "Traceback" not in done.stderr
                assert str(path) in done.stderr


@pytest.mark.parametrize(
    "text",
    [
        "FROM debian:12\rRUN pip install flask\r",
        "FROM debian:12\r\nRUN pip install flask\r",
        "FROM debian:12\nRUN pip \rinstall flask\n",
        "FROM debian:12\n" + "RUN pip install a \\\n" + " b \\\n" * 20_000 + " c\n",
    ],
    ids=["all lone", "the last one lone", "inside", "twenty thousand continuations"],
)
def test_no_traceback(tmp_path: Path, text: str) -> None:
    path = tmp_path / "Dockerfile"
    path.write_bytes(text.encode())
    done = run(path, "--diff", "--unsafe-fixes")
    assert "Traceback" not in done.stderr
    assert done.returncode in (0, 3)


COSTLY_REPOSITORIES = (
    "yaml: aliases of steps",
    "env that doubles",
    "a matrix that doubles",
    "a matrix with include that doubles",
    "a matrix with exclude that doubles",
    "a matrix of merges that double",
    "matrices of a thousand values each",
    "mappings that mappings name",
    "docker compose",
    "docker build on a line",
    "docker build of words of all",
    "a long script that many call",
    "rm of a long path",
    "secrets: kubectl",
    "secrets: values of a variable",
    "compose: a long context",
    "compose: contexts that a variable makes long",
    "compose: variables",
    "compose: brackets",
    "compose: lists of files that are included",
    "make: targets and Dockerfiles",
    "actions that use two of the next",
    "configuration nested",
    "configuration of a long key",
    "git ignore that tries again",
    "ignore: a pattern that tries again",
    "ignore: a pattern of two stars that tries again",
    "workspaces of stars",
    "blank lines of cargo",
    "blank lines of gradle",
    "plugins of gradle",
    "blank lines of setup.py",
    "blank lines of requirements",
    "blank lines of a build system",
    "blanks of a workspace",
    "blanks of a script",
    "blank lines of npm's settings",
    "parents of a pom",
    "comments of a pom",
    "shells of a source",
    "blank lines of a source",
)


@pytest.mark.parametrize("name", COSTLY_REPOSITORIES)
def test_costly_once_around_a_dockerfile(name: str) -> None:
    """Each of these took more than a minute of a quick processor, or was a traceback that ended the run. The dearest
    takes 20 seconds of a slow one now."""
    cost = measure(REPOSITORIES[name](60_000))
    assert cost.seconds < 50
    assert cost.exit in (0, 3)
    assert not cost.said[:2].isupper()


@pytest.mark.parametrize(("step", "reason"), [("make a", "local-image"), ("make ${{ github.sha }}", "too-much-work")])
def test_a_workflow_with_a_thousand_builds(step: str, reason: str) -> None:
    """Each is compared with all steps before it on which it may depend, up to a bound."""
    build = "      - run: {0}{1}\n      - uses: docker/build-push-action@v6\n        with:\n          tags: x/a{1}\n"
    head = "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n"
    text = head + "".join(build.format(step, number) for number in range(1000))
    outcome = fixer.fix(text, path=".github/workflows/ci.yml", kind="workflow")
    assert outcome.error is None
    assert {(refusal.codemod, refusal.reason) for refusal in outcome.refusals} == {("gha-cache", reason)}
    assert outcome.text_after == text


def test_a_script_with_a_thousand_builds() -> None:
    script = "".join(f"          docker build -t a{number} .\n" for number in range(1000))
    text = f"on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: |\n{script}"
    outcome = fixer.fix(text, path=".github/workflows/ci.yml", kind="workflow")
    assert [refusal.reason for refusal in outcome.refusals] == ["plain-build"] * 1000
