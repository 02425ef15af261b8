"""The command: options, streams, exit codes."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import tiny_codemods
from click.testing import CliRunner, Result
from tiny_codemods import popen, process

from fixer.cli import command
from fixer.codemods import registry

SOURCE = b"FROM a\nRUN one\nRUN one more\nRUN three\n"
FIXED = b"FROM a\nRUN two\nRUN one more\nRUN three\n"
DIFF = (
    b"--- a/Dockerfile\n+++ b/Dockerfile\n@@ -1,4 +1,4 @@\n"
    b" FROM a\n-RUN one\n+RUN two\n RUN one more\n RUN three\n"
)
NOTES = (
    "Dockerfile:2: rename: fix: rename one: Nobody calls it that.\n"
    "Dockerfile:3: rename: too-long: it has more than one word.\n"
    "Dockerfile:4: risky: withheld: rename three. Risk: It may rain.\n"
)
COUNTS = "fixes: 1 (rename 1)\nrefused: 1 (rename: too-long 1)\n1 more with --unsafe-fixes (risky 1)\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(registry, "ORDER", tiny_codemods.ORDER)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    (tmp_path / "Dockerfile").write_bytes(SOURCE)
    return tmp_path


def run(*args: str, input: bytes | None = None) -> Result:
    return CliRunner().invoke(command, args, input=input, prog_name="dockfix")


def test_a_diff_is_the_default() -> None:
    for args in (["Dockerfile"], ["--diff", "Dockerfile"], ["."], []):
        result = run(*args)
        assert result.stdout_bytes == DIFF
        assert result.stderr == NOTES + "1 file would change, 0 unchanged.\n" + COUNTS
        assert result.exit_code == 0
    assert Path("Dockerfile").read_bytes() == SOURCE


def test_write() -> None:
    result = run("--write", "Dockerfile")
    assert (result.exit_code, result.stdout_bytes) == (0, b"")
    assert result.stderr == NOTES + "1 file changed, 0 unchanged.\n" + COUNTS
    assert Path("Dockerfile").read_bytes() == FIXED
    again = run("--write")
    assert "0 files changed, 1 unchanged." in again.stderr


def test_write_and_show_what() -> None:
    assert run("--write", "--diff").stdout_bytes == DIFF
    assert Path("Dockerfile").read_bytes() == FIXED


def test_check() -> None:
    result = run("--check")
    assert (result.exit_code, result.stdout_bytes) == (1, b"")
    assert NOTES in result.stderr
    assert run("--check", "--diff").stdout_bytes == DIFF
    assert Path("Dockerfile").read_bytes() == SOURCE
    run("--write")
    assert run("--check").exit_code == 0


def test_unsafe_fixes_and_project() -> None:
    result = run("--unsafe-fixes", "--project", "My Project", "--write")
    assert Path("Dockerfile").read_bytes() == FIXED.replace(b"three", b"my-project")
    assert "Dockerfile:4: risky: unsafe fix: rename three: Nobody calls it that. Risk: It may rain.\n" in result.stderr


def test_the_project_is_found(here: Path) -> None:
    (here / ".git").mkdir()
    (here / ".git" / "config").write_text('[remote "origin"]\n\turl = https://forge.example/me/it.git\n')
    assert b"+RUN me-it\n" in run("--unsafe-fixes").stdout_bytes
    args = ["--unsafe-fixes", "-"]
    assert b"+RUN None\n" in run(*args, input=SOURCE).stdout_bytes
    assert b"+RUN me-it-d\n" in run(*args, "--stdin-filename", "d/Dockerfile", input=SOURCE).stdout_bytes


def test_select_and_ignore() -> None:
    assert run("--select", "risky").stdout_bytes == b""
    assert run("--ignore", "rename,risky").stdout_bytes == b""
    assert run("--select", "rename,risky", "--ignore", "risky").stdout_bytes == DIFF
    assert run("--select", "rename", "--select", "risky").stdout_bytes == DIFF


def test_quiet() -> None:
    result = run("--quiet", "Dockerfile", "gone")
    assert result.stdout_bytes == DIFF
    assert result.stderr == "gone: missing: no such file or directory.\n"


# --- standard input ------------------------------------------------------------------------------------------------


def test_stdin() -> None:
    result = run("-", input=SOURCE)
    assert result.stdout_bytes == DIFF.replace(b"Dockerfile", b"<stdin>")
    assert NOTES.replace("Dockerfile", "<stdin>") in result.stderr
    assert run("-", "--stdin-filename", "Dockerfile", input=SOURCE).stdout_bytes == DIFF
    assert run("--check", "-", input=SOURCE).exit_code == 1
    assert run("--check", "-", input=FIXED).exit_code == 0


def test_stdin_is_written_to_stdout() -> None:
    source = SOURCE.replace(b"\n", b"\r\n") + b"# \xff \xc3\xa9"
    assert run("--write", "-", input=source).stdout_bytes == source.replace(b"one\r", b"two\r")
    assert run("--write", "-", input=FIXED).stdout_bytes == FIXED
    both = run("--write", "-", "--stdin-filename", "Dockerfile", "Dockerfile", input=SOURCE)
    assert both.stdout_bytes == FIXED
    assert Path("Dockerfile").read_bytes() == FIXED


def test_a_list_of_files(here: Path) -> None:
    (here / "a b").mkdir()
    (here / "a b" / "Dockerfile").write_bytes(SOURCE)
    (here / "list").write_text("Dockerfile\na b\n\ngone\n")
    result = run("--from-file", "list", "--check")
    assert result.exit_code == 3
    assert result.stderr.startswith(NOTES)
    assert "a b/Dockerfile:2: rename: fix" in result.stderr
    assert "gone: missing: no such file or directory (line 4 of the list).\n" in result.stderr
    assert "2 files would change, 0 unchanged, 1 left alone (missing 1)." in result.stderr
    assert run("--from-file", "-", "--check", input=b"Dockerfile\0a b\0").stderr.startswith(NOTES)
    assert "0 files would change, 0 unchanged." in run("--from-file", "-", input=b"").stderr
    both = run("--from-file", "-", "a b", "--check", input=b"Dockerfile\n")
    assert "2 files would change" in both.stderr


def test_stdin_that_is_none() -> None:
    result = run("--write", "-", input=b"\0")
    assert (result.exit_code, result.stdout_bytes) == (3, b"")
    assert result.stderr.startswith("<stdin>: binary: ")


# --- bad input -----------------------------------------------------------------------------------------------------


def test_the_rest_is_done(here: Path) -> None:
    (here / "empty").mkdir()
    (here / "binary").write_bytes(b"FROM a\nRUN one\n\0")
    (here / "big").write_bytes(b"RUN one\n" * 2_500_000)
    (here / "Dockerfile.j2").write_bytes(b"FROM a\nRUN one\n")
    (here / "content").write_bytes(b"FROM {{ a }}\nRUN one\n")
    (here / "broken").write_bytes(b"FROM a\nRUN one\nWHAT is this\n")
    before = {path: path.read_bytes() for path in here.iterdir() if path.is_file()}
    names = ["gone", "empty", "binary", "big", "Dockerfile.j2", "content", "broken", "Dockerfile"]
    result = run("--write", *names)
    assert result.exit_code == 3
    assert [line.rsplit(": ", 1)[0] for line in result.stderr.splitlines()[:8]] == [
        "Dockerfile:2: rename: fix: rename one",
        "Dockerfile:3: rename: too-long",
        "Dockerfile:4: risky: withheld: rename three. Risk",
        "Dockerfile.j2: template",
        "big: too-large",
        "binary: binary",
        "broken:3: not-understood",
        "content:1: template",
    ]
    assert "empty: no-dockerfiles: " in result.stderr
    assert "gone: missing: " in result.stderr
    assert "1 file changed, 0 unchanged, 7 left alone (template 2, binary 1, missing 1," in result.stderr
    before[here / "Dockerfile"] = FIXED
    assert {path: path.read_bytes() for path in here.iterdir() if path.is_file()} == before


def test_a_file_that_changes_meanwhile(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def late(path: str) -> str | None:
        (here / "Dockerfile").write_bytes(b"FROM other\n")
        return None

    monkeypatch.setattr("fixer.engine.job.project_name", late)
    result = run("--write")
    assert result.exit_code == 3
    assert "Dockerfile: changed-meanwhile: " in result.stderr
    assert (here / "Dockerfile").read_bytes() == b"FROM other\n"


def test_a_codemod_that_crashes(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*args: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(tiny_codemods.Risky, "run", crash)
    result = run("--write")
    assert result.exit_code == 3
    assert "Dockerfile:1: risky: internal-error: ZeroDivisionError: oops at test_command.py" in result.stderr
    assert Path("Dockerfile").read_bytes() == FIXED


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--select", "renam"], "There is no codemod 'renam'. Did you mean rename?"),
        (["--ignore", "zzz"], "There is no codemod 'zzz'. See dockfix --list."),
        (["--explain", "zzz"], "There is no codemod 'zzz'. See dockfix --list."),
        (["--write", "--check"], "--write does not go with --check"),
        (["--write", "--demo"], "--write does not go with --demo"),
        (["--demo", "x"], "--demo takes no paths"),
        (["--write", "--diff", "-"], "--write prints what came from standard input"),
        (["--project", "///"], "--project '///' holds nothing"),
        (["--jobs", "0"], "--jobs"),
        (["--from-file", "gone"], "--from-file gone: No such file or directory."),
        (["--from-file", "-", "-"], "cannot be a Dockerfile and a list"),
        (["--from-file", "x", "--demo"], "--demo takes no paths"),
        (["--report", "Dockerfile", "--write"], "that is the name of a Dockerfile"),
        (["--report", "gone/report", "--write"], "--report gone/report: No such file or directory."),
        (["--report", "-"], "--report - needs standard output for itself"),
        (["--report", "-", "--check", "--format", "json"], "--report - needs standard output for itself"),
        (["--report", "-", "--write", "-"], "there is no room for a diff or JSON"),
        (["--format", "xml"], "--format"),
        (["--nonsense"], "--nonsense"),
    ],
)
def test_wrong_usage(args: list[str], message: str) -> None:
    result = run(*args)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stdout == ""


# --- information ---------------------------------------------------------------------------------------------------


def test_list() -> None:
    assert run("--list").stdout == (
        "rename  Rename a command called one.\nrisky   Rename a command called three, which is risky.\n"
    )


def test_explain() -> None:
    text = run("--explain", "rename").stdout
    assert text.startswith("rename\n======\n\nRename a command called one.\n\nIts second paragraph.\n")
    assert "- too-long: the command has more than one word\n" in text
    assert "- conflict: " in text


def test_version() -> None:
    assert run("--version").stdout.startswith("dockfix 0.")


def test_help_names_every_option() -> None:
    text = run("--help").stdout
    for option in command.params:
        for name in option.opts:
            assert option.param_type_name == "argument" or name in text
    assert "Exit codes" in text


def test_demo() -> None:
    result = run("--demo")
    assert result.exit_code == 0
    assert "unchanged" in result.stderr


# --- json ----------------------------------------------------------------------------------------------------------


def test_json() -> None:
    result = run("--format", "json", "Dockerfile", "gone")
    assert (result.exit_code, result.stderr) == (3, "")
    report = json.loads(result.stdout)
    assert set(report) == {"schema", "dockfix", "files", "summary"}
    assert report["schema"] == 1
    assert [(file["path"], file["status"], file["written"]) for file in report["files"]] == [
        ("Dockerfile", "changed", False),
        ("gone", "error", False),
    ]
    assert report["files"][0]["diff"].encode() == DIFF
    assert report["summary"]["files"] == {"changed": 1, "unchanged": 0, "skipped": 0, "error": 1}
    written = json.loads(run("--format", "json", "--write").stdout)
    assert written["files"][0]["written"] is True


def test_the_report_is_the_same_as_lines(here: Path) -> None:
    (here / "Dockerfile.x").write_bytes(b"FROM a\nRUN one\nWHAT\n")
    (here / "report").write_text("what was there before is gone\n" * 100)
    document = json.loads(run("--format", "json").stdout)
    result = run("--check", "--report", "report")
    assert result.exit_code == 3
    assert NOTES in result.stderr
    first, *files, last = [json.loads(line) for line in Path("report").read_text().splitlines()]
    assert first == {name: document[name] for name in ("schema", "dockfix")}
    assert files == document["files"]
    assert last == {"summary": document["summary"]}


def test_the_report_on_stdout(here: Path) -> None:
    code, out, err = process("--write", "--report", "-", cwd=here)
    lines = [json.loads(line) for line in out.splitlines()]
    assert (code, len(lines), lines[1]["written"]) == (0, 3, True)
    assert err.startswith(NOTES.encode())


def test_a_report_that_cannot_be_written(here: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no device that is full")
    code, _, err = process("--check", "--report", "/dev/full", cwd=here)
    assert code == 3
    assert b"Traceback" not in err
    assert b"cannot print: No space left on device" in err


# --- many files ----------------------------------------------------------------------------------------------------


def many(here: Path, count: int = 90) -> None:
    for number in range(count):
        (here / f"Dockerfile.{number:03}").write_bytes(SOURCE + b"# %d\n" % number)


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_what_is_known_is_not_worked_out_again(here: Path, monkeypatch: pytest.MonkeyPatch, jobs: str) -> None:
    many(here)

    def summary(*args: str) -> dict[str, Any]:
        found = json.loads(run("--format", "json", "--jobs", jobs, *args).stdout)["summary"]
        assert isinstance(found, dict)
        return found

    assert summary()["known"] == 0
    assert summary()["known"] == 0, "changes are never taken from the cache"
    assert summary("--write", "--no-cache")["known"] == 0
    first = summary()
    assert (first["known"], first["files"]["unchanged"]) == (0, 91)
    second = summary()
    assert second == {**first, "known": 91}
    assert second["refusals"] == {"rename": {"too-long": 91}}
    (here / "Dockerfile.000").write_bytes(SOURCE)
    assert summary("--no-cache") == {**summary(), "known": 0}
    monkeypatch.setenv("DOCKFIX_NO_CACHE", "1")
    assert summary()["known"] == 0


def test_what_was_written_is_known(here: Path) -> None:
    many(here)
    run("--write", "--jobs", "2")
    assert json.loads(run("--format", "json", "--jobs", "2").stdout)["summary"]["known"] == 91


def test_a_few_files_need_no_cache(here: Path) -> None:
    many(here, 3)
    run("--write")
    assert [*Path(os.environ["XDG_CACHE_HOME"]).rglob("results*")] == []


def test_two_names_of_one_file(here: Path) -> None:
    many(here)
    os.link(here / "Dockerfile.000", here / "Dockerfile.link")
    os.link(here / "Dockerfile.001", here / "elsewhere")
    result = run("--write", "--jobs", "2")
    assert result.exit_code == 3
    assert "Dockerfile.001: hard-links: it has 2 names" in result.stderr
    assert "90 files changed, 0 unchanged, 1 left alone (hard-links 1)" in result.stderr
    assert (here / "Dockerfile.link").read_bytes() == FIXED + b"# 0\n"
    assert (here / "Dockerfile.link").stat().st_ino == (here / "Dockerfile.000").stat().st_ino
    assert (here / "elsewhere").read_bytes() == SOURCE + b"# 1\n"


# --- colours -------------------------------------------------------------------------------------------------------


def test_colours() -> None:
    assert "\x1b[" not in run("--color", "auto").stdout
    colored = run("--color", "always")
    assert "\x1b[32m+RUN two\x1b[0m\n" in colored.stdout
    assert "\x1b[31m-RUN one\x1b[0m\n" in colored.stdout
    assert "\x1b[32mfix\x1b[0m" in colored.stderr
    assert "\x1b[" not in run("--color", "never").output


def test_progress_is_shown_on_a_terminal_and_erased(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(60):
        (here / f"Dockerfile.{number:03}").write_bytes(b"FROM a\n")
    assert "of 61 files" not in run("--check").stderr
    monkeypatch.setattr("fixer.cli.PROGRESS_FROM", 50)
    assert "of 61 files" not in run("--check").stderr
    monkeypatch.setattr("click.testing._NamedTextIOWrapper.isatty", lambda stream: True)
    monkeypatch.setattr("fixer.report.progress._EVERY", 0)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    for jobs in ("1", "2"):
        monkeypatch.setattr("fixer.cli.PARALLEL_FROM", 10)
        text = run("--check", "--quiet", "--color", "never", "--jobs", jobs).stderr
        assert re.search(r"\d+ of 61 files(, \d+ a second)?, \d:\d\d left", text)
        assert screen(text) == ""
        noisy = run("--check", "--color", "never", "--jobs", jobs).stderr
        assert screen(noisy).startswith(NOTES + "1 file would change, 60 unchanged.\n")


def screen(text: str) -> str:
    """What is left of it on a terminal: as much of one as rich's line needs."""
    lines, row = [""], 0
    for part in re.findall(r"\x1b\[\??[\d;]*[A-Za-z]|[\r\n]|[^\x1b\r\n]+", text):
        if part == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif part == "\x1b[2K":
            lines[row] = ""
        elif part == "\x1b[1A":
            row -= 1
        elif part[0] not in "\r\x1b":
            lines[row] = part
    return "\n".join(lines).rstrip("\n")


# --- in a process of its own ---------------------------------------------------------------------------------------


def test_a_patch_that_git_takes(here: Path) -> None:
    if shutil.which("git") is None:
        pytest.fail("git is needed to test that it takes the patch")
    source = b"FROM a\r\n# \xff \xc3\xa9 \x0c\r\nRUN one\r\nRUN x"
    (here / "sub dir").mkdir()
    (here / "sub dir" / "Dockerfile").write_bytes(source)
    code, out, _ = process("--diff", ".", cwd=here, env={"LC_ALL": "C", "PYTHONIOENCODING": "ascii"})
    assert code == 0
    subprocess.run(["git", "init", "-q"], cwd=here, check=True)
    subprocess.run(["git", "apply", "--whitespace=nowarn"], cwd=here, input=out, check=True)
    assert (here / "sub dir" / "Dockerfile").read_bytes() == source.replace(b"one", b"two")
    assert (here / "Dockerfile").read_bytes() == FIXED


@pytest.mark.parametrize("paths", [["../.."], ["../../other", "Dockerfile"], ["../Dockerfile"]])
def test_a_patch_for_files_outside(here: Path, paths: list[str]) -> None:
    inside = here / "repository" / "sub" / "dir"
    (here / "repository" / "other").mkdir(parents=True)
    inside.mkdir(parents=True)
    subprocess.run(["git", "init", "-q"], cwd=here / "repository", check=True)
    files = [inside.parents[1] / name for name in ("Dockerfile", "other/Dockerfile", "sub/Dockerfile")]
    for path in (*files, inside / "Dockerfile"):
        path.write_bytes(SOURCE)
    code, out, err = process("--diff", *paths, cwd=inside)
    assert code == 0
    said = re.search(r"The names in the patch are relative to (.*): git -C (.*) apply\n", err.decode())
    assert said
    assert said[1] == said[2]
    assert b"../" not in out
    subprocess.run(["git", "-C", said[2], "apply"], input=out, check=True)
    assert process("--check", *paths, cwd=inside)[0] == 0
    assert "relative to" not in process("--diff", ".", cwd=inside)[2].decode()


def test_quiet_says_what_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*args: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(tiny_codemods.Risky, "run", crash)
    result = run("--write", "--quiet")
    assert result.exit_code == 3
    assert result.stderr.startswith("Dockerfile:1: risky: internal-error: ZeroDivisionError: oops")
    assert result.stderr.count("\n") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes are broken on Windows")
@pytest.mark.parametrize("mode", ["--check", "--write"])
def test_nobody_listens_but_the_work_counts(here: Path, mode: str) -> None:
    many(here, 300)
    with popen(mode, "--diff", cwd=here) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.readline()
        running.stdout.close()
        err = running.stderr.read()
        assert running.wait(30) == (1 if mode == "--check" else 0)
    assert b"Traceback" not in err
    written = sum(b"RUN two" in path.read_bytes() for path in here.iterdir())
    assert written == (0 if mode == "--check" else 301)


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes are broken on Windows")
def test_nobody_listens(here: Path) -> None:
    for number in range(200):
        (here / f"Dockerfile.{number}").write_bytes(SOURCE)
    with popen(cwd=here) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.readline()
        running.stdout.close()
        err = running.stderr.read()
        assert running.wait(30) == 0
    assert b"Traceback" not in err
    assert b"BrokenPipe" not in err


def test_many_files_in_parallel(here: Path) -> None:
    for number in range(90):
        (here / f"Dockerfile.{number:03}").write_bytes(SOURCE if number % 3 else b"FROM a\nRUN x\n")
    one = process("--jobs", "1", cwd=here)
    two = process("--jobs", "2", cwd=here)
    assert one == two
    assert one[1].count(b"+++ ") == 61
    paths = [line[6:] for line in one[1].split(b"\n") if line.startswith(b"+++ b/")]
    assert paths == sorted(paths)
    assert process("--write", "--jobs", "2", cwd=here)[1] == b""
    assert process("--check", cwd=here)[0] == 0


@pytest.mark.skipif(sys.platform == "win32", reason="signals are different on Windows")
def test_interrupted(here: Path) -> None:
    for number in range(600):
        (here / f"Dockerfile.{number}").write_bytes(SOURCE * 20)
    streams = {"stderr": subprocess.DEVNULL, "start_new_session": True}
    with popen("--write", "--diff", "--jobs", "2", cwd=here, **streams) as running:
        assert running.stdout is not None
        running.stdout.readline()
        os.killpg(running.pid, signal.SIGINT)
        running.stdout.read()
        assert running.wait(30) == 130
    time.sleep(0.1)
    assert [path.name for path in here.iterdir() if path.name.startswith(".dockfix")] == []


@pytest.mark.skipif(sys.platform == "win32", reason="signals are different on Windows")
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_an_interrupted_document_is_whole(here: Path, jobs: str) -> None:
    many(here, 600)
    with popen("--format", "json", "--jobs", jobs, cwd=here) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        text = b"".join(iter(running.stdout.readline, b'      "path": "Dockerfile.003",\n'))
        running.send_signal(signal.SIGINT)
        text += b'      "path": "Dockerfile.003",\n' + running.stdout.read()
        assert running.wait(30) == 130
        assert running.stderr.read() == b""
    document = json.loads(text)
    assert document["summary"]["complete"] is False
    assert document["summary"]["files"]["changed"] == len(document["files"]) < 601


EARLY = """
import os, signal, sys
class Finder:
    def find_spec(self, name, *rest):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)
from fixer.__main__ import main
sys.meta_path.insert(0, Finder())
sys.argv = ["dockfix", "Dockerfile"]
main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are different on Windows")
@pytest.mark.parametrize("module", ["click", "fixer.cli", "fixer.engine.files", "fixer.engine.run", "fixer.tree.parse"])
def test_interrupted_early(here: Path, module: str) -> None:
    """While something is imported."""
    (here / "Dockerfile").write_bytes(b"FROM a\nRUN pip install b\n")
    program = EARLY.format(module=module)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False, env=environment)
    assert done.returncode in (130, -signal.SIGINT)
    assert done.stdout == b""
    if done.returncode == 130:
        assert done.stderr.endswith(b"interrupted: the other files were not looked at.\n")
    else:
        assert done.stderr == b""


def test_a_process_that_dies(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the file that kills it is lost."""
    harmless = tiny_codemods.Rename.run

    def deadly(self: tiny_codemods.Rename, facts: object, settings: object) -> object:
        if "deadly" in facts.file.text:  # type: ignore[attr-defined]
            os._exit(9)
        return harmless(self, facts, settings)  # type: ignore[arg-type]

    if sys.platform != "linux":
        return  # without fork the children do not see the patched class
    monkeypatch.setattr(tiny_codemods.Rename, "run", deadly)
    for number in range(70):
        (here / f"Dockerfile.{number:03}").write_bytes(SOURCE)
    (here / "Dockerfile.050").write_bytes(SOURCE + b"# deadly\n")
    result = run("--jobs", "2", "--check")
    assert result.exit_code == 3
    assert "Dockerfile.050: internal-error: the process died that worked on it.\n" in result.stderr
    assert "70 files would change, 0 unchanged, 1 left alone (internal-error 1).\n" in result.stderr
