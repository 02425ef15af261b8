"""`dockfix verify`: options, streams, files and exit codes. The engine is made of plain Python."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from fixer.prove import command as module
from fixer.prove.command import command, write_report
from fixer.prove.docker import EngineTrouble
from tests.prove.fake_docker import Fails, FakeDocker, Files, Moment

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = "FROM python:3.12-slim\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY main.py .\n"


class Connection:
    """In the place of `connect`: keeps what it was given."""

    def __init__(self) -> None:
        self.make: Callable[[Moment], Files] = honest
        self.trouble: Exception | None = None
        self.options: Sequence[str] | None = None
        self.time_limit = 0.0
        self.docker: FakeDocker | None = None
        self.left: list[str] = []

    def __call__(self, options: Sequence[str], *, time_limit: float, on_step: object) -> FakeDocker:
        self.options, self.time_limit = options, time_limit
        if self.trouble:
            raise self.trouble
        self.docker = FakeDocker(lambda moment: self.make(moment))
        self.docker.left += self.left
        return self.docker


def honest(moment: Moment) -> Files:
    return {"/main.py": moment.read("main.py")}


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Connection:
    connection = Connection()
    monkeypatch.setattr(module, "connect", connection)
    return connection


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "Dockerfile").write_text(DOCKERFILE)
    (folder / "requirements.txt").write_text("flask\n")
    (folder / "main.py").write_text("print('hello')\n")
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    monkeypatch.chdir(folder)
    monkeypatch.delenv("NO_COLOR", raising=False)
    return folder


def run(*args: str) -> Result:
    return CliRunner().invoke(command, args, prog_name="dockfix verify")


def test_proven(engine: Connection, here: Path) -> None:
    result = run()
    assert result.exit_code == 0
    assert result.stdout.startswith("Proven: it builds as before, and the image is the same")
    assert "Dockerfile: 1 change (pip-cache 1)" in result.stdout
    assert result.stderr.splitlines()[0].startswith("build 1 of 11: original, from nothing: built in")
    assert len(result.stderr.splitlines()) == 11
    assert engine.docker is not None
    assert engine.docker.closed
    assert sorted(os.listdir()) == ["Dockerfile", "main.py", "requirements.txt"]


@pytest.mark.parametrize(
    ("make", "code", "words"),
    [
        (lambda moment: honest(moment) | ({"/x": b""} if moment.fixed else {}), 1, "Not proven: 3 of 8 checks failed"),
        (lambda moment: honest(moment) if moment.fixed else _fail(), 3, "does not build, the fixed one does"),
        (lambda moment: _fail(), 3, "the original does not build, and neither does the fixed one"),
        (lambda moment: _gone(), 4, "broken off: the engine went away"),
    ],
    ids=["differs", "original-fails", "neither", "gone"],
)
def test_exit_codes(engine: Connection, make: Callable[[Moment], Files], code: int, words: str) -> None:
    engine.make = make
    result = run("--json", "proof.json")
    assert result.exit_code == code
    assert words in result.stdout.splitlines()[0]
    assert json.loads(Path("proof.json").read_text())["verdict"] == {
        1: "not-proven", 3: "original-fails", 4: "broke-off"
    }[code]  # fmt: skip


def _fail() -> Files:
    raise Fails('process "pip" did not complete successfully: exit code: 1\nDockerfile:3')


def _gone() -> Files:
    raise EngineTrouble("gone", "the engine went away")


def test_a_build_that_fails_is_shown_with_its_line(engine: Connection) -> None:
    engine.make = lambda moment: _fail() if moment.fixed else honest(moment)
    text = run().stdout
    assert "The fixed Dockerfile does not build from nothing: line 3\n" in text
    assert 'process "pip" did not complete successfully' in text


def test_nothing_to_change_needs_no_engine(engine: Connection) -> None:
    Path("Dockerfile").write_text("FROM scratch\n")
    engine.trouble = EngineTrouble("no-docker", "There is none.")
    result = run("--json", "proof.json")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("Nothing to prove: dockfix changes nothing here.\n")
    assert json.loads(Path("proof.json").read_text())["verdict"] == "nothing-to-change"


def test_no_engine(engine: Connection) -> None:
    engine.trouble = EngineTrouble("no-docker", "There is no `docker` command.")
    result = run()
    assert (result.exit_code, result.stdout) == (4, "")
    assert result.stderr == "dockfix: There is no `docker` command.\n"


def test_interruption(engine: Connection) -> None:
    engine.left = ["Images may be left."]

    def make(moment: Moment) -> Files:
        raise KeyboardInterrupt

    engine.make = make
    result = run()
    assert (result.exit_code, result.stdout) == (130, "")
    assert result.stderr == "dockfix: Images may be left.\ndockfix: interrupted.\n"
    assert engine.docker is not None
    assert engine.docker.closed
    assert os.listdir(tempfile.gettempdir()) == []


def test_what_could_not_be_removed_is_said(engine: Connection) -> None:
    engine.left = ["Cache mounts with ids that begin with x are still in use."]
    result = run("-q")
    assert result.exit_code == 0
    assert "Cache mounts with ids that begin with x are still in use." in result.stderr


# --- options -------------------------------------------------------------------------------------------------------


def test_options_reach_where_they_belong(engine: Connection) -> None:
    result = run(
        "--build-arg", "A=1", "--build-arg", "B=2", "--touch", "main.py", "--rebuild", "2", "--time-limit", "7.5",
        "--", "--network=host", "--secret", "id=x,src=y",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert engine.options == ("--network=host", "--secret", "id=x,src=y")
    assert engine.time_limit == 7.5
    assert engine.docker is not None
    assert {one.build_args for one in engine.docker.requests} == {("A=1", "B=2")}
    assert max(one.repeat for one in engine.docker.requests) == 1


def test_select_and_ignore(engine: Connection) -> None:
    assert "Nothing to prove" in run("--ignore", "pip-cache").stdout
    assert "Nothing to prove" in run("--select", "apt-cache").stdout
    assert run("--select", "pip-cache").stdout.startswith("Proven")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--select", "pip-cash"], "Did you mean pip-cache?"),
        (["--project", "///"], "--project '///'"),
        (["--target", "nope"], "There is no stage 'nope'"),
        (["--touch", "nope.py"], "nope.py"),
        (["--rebuild", "0"], "--rebuild"),
        (["--time-limit", "0"], "--time-limit"),
        (["--context", "nowhere"], "nowhere"),
        (["nowhere"], "nowhere: no such file or directory."),
        (["-"], "standard input has none"),
        (["--json", "nowhere/x.json"], "there is no directory"),
        (["--html", "."], "a directory"),
        (["--json", "-", "--html", "-"], "standard output"),
        (["--", "--push"], "--push cannot be passed to docker"),
        (["--", "-t", "x"], "--tag cannot be passed to docker"),
        (["--", "."], "'.' is no option"),
        (["--build-arg", "BUILDKIT_CACHE_MOUNT_NS=x"], "BUILDKIT_CACHE_MOUNT_NS"),
        (["--build-arg", ""], "has no name"),
        (["--build-arg", "=1"], "has no name"),
        (["--context", "https://example.org/x.git"], "has to be a directory"),
        (["--context", "git@example.org:x/y.git"], "has to be a directory"),
        (["--context", "-"], "has to be a directory"),
        (["a", "b"], "unexpected extra argument"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_wrong_usage(engine: Connection, args: list[str], words: str) -> None:
    result = run(*args)
    assert result.exit_code == 2
    assert words in click.unstyle(result.stderr)
    assert engine.docker is None or not engine.docker.requests
    assert os.listdir(tempfile.gettempdir()) == []


def test_the_configuration_counts_as_for_dockfix(engine: Connection, here: Path) -> None:
    Path("dockfix.toml").write_text('ignore = ["pip-cache"]\n')
    assert run().stdout.startswith("Nothing to prove")
    assert run("--ignore", "apt-cache").stdout.startswith("Proven"), "the command line comes first, key by key"


@pytest.mark.parametrize(("text", "code"), [('context = ".."\n', 0), ("", 3)])
def test_the_context_that_the_configuration_names(engine: Connection, here: Path, text: str, code: int) -> None:
    (here / "docker").mkdir()
    os.rename("Dockerfile", "docker/Dockerfile")
    Path("docker/dockfix.toml").write_text(text)
    engine.make = lambda moment: honest(moment) if (moment.request.context / "main.py").exists() else _fail()
    assert run("docker").exit_code == code


def test_the_context_that_compose_names(engine: Connection, here: Path) -> None:
    (here / "docker").mkdir()
    (here / ".git").mkdir()
    os.rename("Dockerfile", "docker/Dockerfile")
    Path("compose.yml").write_text("services:\n a:\n  build: {context: ., dockerfile: docker/Dockerfile}\n")
    engine.make = lambda moment: honest(moment) if (moment.request.context / "main.py").exists() else _fail()
    assert run("docker").exit_code == 0
    assert run("docker", "--context", "docker").exit_code == 3


def test_a_configuration_that_cannot_be_followed(engine: Connection) -> None:
    Path("dockfix.toml").write_text('builder = "mine"\n')
    result = run()
    assert (result.exit_code, result.stdout) == (2, "")
    assert "dockfix.toml:1: `builder` is one of" in result.stderr


@pytest.mark.parametrize(("builder", "made"), [((), True), (("--builder", "ephemeral"), False)])
def test_the_builder(engine: Connection, here: Path, builder: Sequence[str], made: bool) -> None:
    Path("Dockerfile").write_text(
        "FROM rust:1 AS build\nWORKDIR /app\nCOPY . .\nRUN cargo build\n\nFROM debian\n"
        "COPY --from=build /app/target/debug/app /app\n"
    )
    run("--json", "proof.json", "--project", "p", *builder)
    changes = {change["codemod"] for change in json.loads(Path("proof.json").read_text())["changes"]}
    assert ("cargo-target-cache" in changes) is made


@pytest.mark.parametrize("said", ["", '[images]\n"acme/python" = "python:3.12"\n'])
def test_images_of_ones_own(engine: Connection, here: Path, said: str) -> None:
    Path("Dockerfile").write_text(DOCKERFILE.replace("python:3.12-slim", "acme/python:3"))
    Path("dockfix.toml").write_text(said)
    assert run().stdout.startswith("Proven" if said else "Nothing to prove")
    assert run("--image", "acme/python=python").stdout.startswith("Proven")
    assert run("--image", "acme/python").exit_code == 2


def test_where_the_dockerfile_and_the_context_are(engine: Connection, here: Path) -> None:
    seen: list[set[str]] = []

    def make(moment: Moment) -> Files:
        seen.append(set(moment.files))
        return honest(moment)

    engine.make = make
    (here / "docker").mkdir()
    (here / "docker" / "api.Dockerfile").write_text(DOCKERFILE)
    everything = {"Dockerfile", "main.py", "requirements.txt", "docker/api.Dockerfile"}
    for args in (["."], ["Dockerfile"], ["--context", "."], ["docker/api.Dockerfile", "--context", "."]):
        result = run(*args)
        assert result.exit_code == 0, (args, result.output)
        assert seen[-1] == everything
    os.chdir(here / "docker")
    assert run("--context", "..").exit_code == 0
    assert seen[-1] == everything


# --- reports -------------------------------------------------------------------------------------------------------


def test_json_to_standard_output(engine: Connection) -> None:
    result = run("--json", "-")
    assert result.exit_code == 0
    report = json.loads(result.stdout)
    assert report["schema"] == 1
    assert report["verdict"] == "proven"
    assert "Proven" in result.stderr


def test_the_json(engine: Connection) -> None:
    run("--json", "proof.json", "--rebuild", "2")
    report = json.loads(Path("proof.json").read_text())
    assert report["changes"][0]["codemod"] == "pip-cache"
    assert [check["id"] for check in report["checks"]] == [
        "builds", "same-image", "edit-arrives", "same-after-edit", "revert-arrives", "dependency-builds",
        "same-after-dependency", "emptied-builds",
    ]  # fmt: skip
    assert {check["verdict"] for check in report["checks"]} == {"passed"}
    assert report["edited"] == "main.py"
    assert report["dependency"] == "requirements.txt"
    edit = next(times for times in report["times"] if times["phase"] == "edit")
    assert len(edit["before"]) == len(edit["after"]) == 2
    assert edit["speedup"] > 0
    build = report["builds"][0]
    assert (build["side"], build["phase"], build["ok"], build["log"]) == ("original", "first", True, "")
    assert build["steps"][0]["name"] == "RUN make"


def test_the_schema_is_described(engine: Connection) -> None:
    """Every key that is written stands in the module's docstring."""
    from fixer.prove import as_json

    Path("Dockerfile").write_text("FROM python:3.12-slim\nRUN pip install flask\nCOPY main.py .\nRUN date > /x\n")
    engine.make = lambda moment: honest(moment) | {"/x": str(moment.number).encode()}
    run("--json", "proof.json")

    def keys(value: Any) -> set[str]:
        if isinstance(value, dict):
            return set(value).union(*(keys(inner) for inner in value.values()))
        return set().union(*(keys(inner) for inner in value)) if isinstance(value, list) else set()

    report = json.loads(Path("proof.json").read_text())
    del report["changes"], report["refusals"], report["withheld"]
    assert report["comparisons"][0]["differences"]
    assert [key for key in keys(report) if f'"{key}":' not in (as_json.__doc__ or "")] == []


def test_quiet(engine: Connection) -> None:
    result = run("-q")
    assert result.stderr == ""
    assert result.stdout.startswith("Proven")
    assert len(result.stdout.splitlines()) == 1


def test_colours(engine: Connection) -> None:
    assert "\x1b[" not in run().output
    assert "\x1b[32mProven\x1b[0m" in run("--color", "always").stdout


def test_reports_are_written_when_it_is_not_proven(engine: Connection) -> None:
    engine.make = lambda moment: _fail()
    assert run("--json", "proof.json", "--html", "proof.html").exit_code == 3
    assert "did not complete successfully" in Path("proof.json").read_text()
    assert "<html" in Path("proof.html").read_text()


def test_no_room_for_the_copy_of_the_context(engine: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    from fixer.prove import sources

    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sources, "_copy_bytes", full)
    result = run()
    assert (result.exit_code, result.stdout) == (4, "")
    assert "no room left on the disk for a copy of the build context" in result.stderr
    assert os.listdir(tempfile.gettempdir()) == []


def test_a_full_disk(engine: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stood there stays, and the verdict is told all the same."""
    Path("proof.json").write_text("old")

    def full(path: str, text: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "write_report", full)
    result = run("--json", "proof.json")
    assert result.exit_code == 4
    assert "dockfix: proof.json could not be written: there is no room left on the disk." in result.stderr
    assert result.stdout.startswith("Proven")
    assert Path("proof.json").read_text() == "old"


def test_a_report_is_written_whole_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("x").write_text("old")
    os.chmod("x", 0o640)
    write_report("x", "new\udcff")
    assert Path("x").read_bytes() == b"new\xff"
    assert os.stat("x").st_mode & 0o777 == 0o640
    os.symlink("x", "link")
    write_report("link", "newer")
    assert os.path.islink("link")
    assert Path("x").read_text() == "newer"

    def fails(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(OSError, match="No space"):
        write_report("x", "newest")
    assert Path("x").read_text() == "newer"
    assert sorted(name for name in os.listdir() if name.startswith(".")) == []
    write_report("/dev/null", "anything")


# --- as a program --------------------------------------------------------------------------------------------------


def program(*args: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fixer", *args], cwd=cwd, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PATH": "/nowhere"},
    )  # fmt: skip


def test_the_first_word(here: Path) -> None:
    done = program("verify", cwd=here)
    assert done.returncode == 4
    assert done.stderr.startswith("dockfix: There is no `docker` command")
    assert "Usage: dockfix verify [OPTIONS]" in program("verify", "--help", cwd=here).stdout
    assert "dockfix verify [DOCKERFILE]" in program("--help", cwd=here).stdout


def test_a_file_of_that_name(here: Path) -> None:
    (here / "verify").write_text("FROM python:3.12-slim\nRUN pip install flask\n")
    done = program("./verify", cwd=here)
    assert done.returncode == 0
    assert "--mount=type=cache" in done.stdout
    assert "--mount=type=cache" in program("--diff", "verify", cwd=here).stdout


def test_nobody_reads_what_is_printed(here: Path) -> None:
    (here / "Dockerfile").write_text("FROM scratch\n")
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "fixer", "verify"], stdout=full, stderr=subprocess.PIPE, text=True, check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
    assert done.returncode == 4
    assert done.stderr == "dockfix: cannot print: No space left on device\n"
