"""`dockfix verify` as people call it, on a real engine; and fixes that are wrong, which it must not let through."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from fixer.prove.docker import connect
from fixer.prove.model import Check, Proof, Verdict
from fixer.prove.plan import Plan, prepare
from fixer.prove.protocol import prove
from fixer.text.records import replace
from tests.e2e.harness import Project

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 900
"""Seconds for one run of the command."""


class Verified(NamedTuple):
    """What came of one run."""

    code: int
    text: str
    errors: str
    report: dict[str, Any]

    @property
    def verdicts(self) -> dict[str, str]:
        return {check["id"]: check["verdict"] for check in self.report["checks"]}

    def check(self, id: str) -> str:
        (found,) = [check["detail"] for check in self.report["checks"] if check["id"] == id]
        return str(found)


def command(*args: str) -> list[str]:
    return [sys.executable, "-m", "fixer", "verify", *args, "--", "--network=host"]


def environment(scratch: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(scratch)}


def left_on_the_engine() -> set[str]:
    """Images and cache mounts of any verify. Others may run at the same time: only what is more than before counts."""
    images = docker("image", "ls", "--format={{.Repository}}").split()
    mounts = docker("buildx", "du", "--verbose", "--filter=type=exec.cachemount").splitlines()
    return {word for word in images if word.startswith("dockfix-verify")} | {
        line.partition("dockfix-verify")[2].partition("/")[0] for line in mounts if "dockfix-verify" in line
    }


def docker(*args: str) -> str:
    return subprocess.run(["docker", *args], capture_output=True, text=True, timeout=60, check=True).stdout


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Verified]:
    def state(folder: Path) -> dict[Path, tuple[int, int]]:
        return {path: (path.lstat().st_mtime_ns, path.lstat().st_mode) for path in folder.rglob("*")}

    def run(project: Project, dockerfile: str = "Dockerfile", *args: str) -> Verified:
        before = state(project.folder)
        scratch = tmp_path / "scratch"
        scratch.mkdir(exist_ok=True)
        report = tmp_path / "proof.json"
        done = subprocess.run(
            command(str(project.folder / dockerfile), "--project", "proof", "--json", str(report), *args),
            capture_output=True, text=True, timeout=LIMIT, check=False, env=environment(scratch),
        )  # fmt: skip
        assert list(scratch.iterdir()) == []
        assert state(project.folder) == before
        found = json.loads(report.read_text()) if report.exists() else {}
        return Verified(done.returncode, done.stdout, done.stderr, found)

    return run


SLOW = "FROM python:3.12-slim\nCOPY . .\nRUN sleep 300\nRUN pip install six\n"
ALL = {
    "builds", "same-image", "edit-arrives", "same-after-edit", "revert-arrives", "dependency-builds",
    "same-after-dependency", "emptied-builds",
}  # fmt: skip


@pytest.mark.thorough
def test_a_rust_program(project: Callable[[str], Project], run: Callable[..., Verified]) -> None:
    done = run(project("hello"))
    assert done.code == 0, done.text + done.errors
    assert done.verdicts == dict.fromkeys(ALL, "passed")
    assert done.text.startswith("Proven: it builds as before, and the image is the same")
    assert "/usr/bin/hello_rust of both" in done.check("edit-arrives")
    assert done.report["edited"] == "src/main.rs"
    assert done.report["dependency"] == "Cargo.toml"
    assert {change["codemod"] for change in done.report["changes"]} == {"cargo-cache", "cargo-target-cache"}
    first, again = [
        next(build for build in done.report["builds"] if (build["side"], build["phase"]) == ("fixed", phase))
        for phase in ("first", "edit")
    ]
    assert not any(step["cached"] for step in first["steps"] if step["name"].startswith("RUN"))
    assert any(step["name"].startswith("RUN") and not step["cached"] for step in again["steps"])
    assert "build 1 of 11: original, from nothing: built in " in done.errors


@pytest.mark.thorough
def test_a_python_program(project: Callable[[str], Project], run: Callable[..., Verified], tmp_path: Path) -> None:
    page = tmp_path / "proof.html"
    done = run(project("parrot"), "Dockerfile", "--html", str(page), "-q")
    assert done.code == 0, done.text + done.errors
    assert done.verdicts == dict.fromkeys(ALL, "passed")
    assert done.errors == ""
    assert len(done.text.splitlines()) == 1
    assert "pip-cache" in page.read_text()


@pytest.mark.thorough
def test_a_step_that_reads_no_file(project: Callable[[str], Project], run: Callable[..., Verified]) -> None:
    """There is no source to edit and no manifest: the changed step is made to run again."""
    done = run(project("tree"), "split.Dockerfile")
    assert done.code == 0, done.text + done.errors
    assert done.verdicts == dict.fromkeys(ALL - {"same-after-edit"}, "passed") | {
        "edit-arrives": "not checked",
        "revert-arrives": "not checked",
        "emptied-builds": "improved",
    }
    assert "Unable to locate package tree" in done.check("emptied-builds") or "exit code: 100" in done.text
    assert {one["codemod"] for one in done.report["comparisons"][0]["differences"] if one["cause"] == "named"} == {
        "apt-cache"
    }


@pytest.mark.thorough
def test_an_original_that_does_not_build(project: Callable[[str], Project], run: Callable[..., Verified]) -> None:
    done = run(project("rest"))
    assert done.code == 3, done.text + done.errors
    assert done.text.startswith("Not proven: the original does not build, the fixed one does")
    assert "The original Dockerfile does not build from nothing: line 10\n" in done.text
    assert '"/app/target/release/rest": not found' in done.text
    assert '"/app/target/release/rest": not found' in done.report["original_fails"]
    assert done.verdicts["builds"] == "improved"
    assert done.verdicts["edit-arrives"] == done.verdicts["emptied-builds"] == "passed"


@pytest.mark.thorough
def test_an_original_that_ships_something_old(project: Callable[[str], Project], run: Callable[..., Verified]) -> None:
    done = run(project("rest"), "layered.Dockerfile")
    assert done.code == 0, done.text + done.errors
    assert done.verdicts["same-image"] == "passed"
    assert done.verdicts["edit-arrives"] == "improved"
    assert "in /app/api of the fixed image, and not of the original's" in done.check("edit-arrives")
    assert {one["place"] for one in done.report["comparisons"][0]["differences"] if one["cause"] == "named"} == {
        "/app/api"
    }


@pytest.mark.thorough
def test_another_stage(project: Callable[[str], Project], run: Callable[..., Verified]) -> None:
    done = run(project("hello"), "script.Dockerfile", "--target", "build", "--rebuild", "2")
    assert done.code == 0, done.text + done.errors
    assert done.report["targets"] == ["", "build"]
    assert {f"{id}:build" for id in ("builds", "same-image", "edit-arrives", "revert-arrives")} <= done.verdicts.keys()
    assert not {"failed", "not checked"} & set(done.verdicts.values())
    assert all(len(times["before"]) == 2 for times in done.report["times"] if times["phase"] != "first")


# --- trouble -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_stopped_in_the_middle_of_a_build(
    project: Callable[[str], Project], tmp_path: Path, number: signal.Signals, code: int
) -> None:
    folder = project("hello").folder
    (folder / "Dockerfile").write_text(SLOW)
    before = left_on_the_engine()
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with subprocess.Popen(
        command(str(folder), "--project", "proof", "--json", str(tmp_path / "proof.json")),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(scratch),
    ) as running:  # fmt: skip
        deadline = time.monotonic() + 60
        while not any(scratch.glob("*/original/*")) and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(3)
        running.send_signal(number)
        out, err = running.communicate(timeout=90)
    assert running.returncode == code, out + err
    assert (out, "Traceback" in err) == ("", False)
    assert list(scratch.iterdir()) == []
    assert not (tmp_path / "proof.json").exists()
    assert left_on_the_engine() - before == set()


def test_a_build_that_hangs(project: Callable[[str], Project], run: Callable[..., Verified]) -> None:
    hello = project("hello")
    (hello.folder / "Dockerfile").write_text(SLOW)
    done = run(hello, "Dockerfile", "--time-limit", "4")
    assert done.code == 3, done.text + done.errors
    assert "stopped after 4 s, the time limit" in done.report["original_fails"]
    assert "`RUN sleep 300`" in done.report["original_fails"]


# --- fixes that are wrong ------------------------------------------------------------------------------------------


def prove_wrong(project: Project, wrong: Callable[[str], str], options: Sequence[str] = ("--network=host",)) -> Proof:
    """The proof for a fix that a codemod did not make."""
    plan: Plan = prepare(project.folder / "Dockerfile", project.folder, project="proof")
    text = wrong(plan.outcome.text_after)
    assert text != plan.outcome.text_after
    with connect(options, time_limit=300) as docker:
        return prove(replace(plan, outcome=replace(plan.outcome, text_after=text)), docker)


def check(proof: Proof, id: str) -> Check:
    (found,) = [check for check in proof.checks if check.id == id]
    return found


@pytest.mark.thorough
def test_a_target_directory_without_a_touch(project: Callable[[str], Project]) -> None:
    """cargo goes by times, and COPY brings old ones: two cold builds are the same, and so is one after an edit."""
    touch = "find . -path ./target -prune -o -type f -exec touch {} + && "
    proof = prove_wrong(project("hello"), lambda text: text.replace(touch, ""))
    assert check(proof, "same-image").verdict is Verdict.PASSED
    assert check(proof, "edit-arrives").verdict is Verdict.PASSED
    found = check(proof, "revert-arrives")
    assert found.verdict is Verdict.FAILED, found.detail
    assert "still in /usr/bin/hello_rust" in found.detail
    assert not proof.proven


@pytest.mark.thorough
def test_an_artifact_of_an_older_layer(project: Callable[[str], Project]) -> None:
    """What is compiled into the mount is not what COPY takes."""

    def wrong(text: str) -> str:
        text = text.replace(" && mv target/release/hello_rust /tmp/hello_rust", "")
        text = text.replace("COPY --from=build /tmp/hello_rust", "COPY --from=build /app/target/release/hello_rust")
        first = "RUN mkdir src && echo 'fn main() {}' > src/main.rs && cargo build --locked --release\nCOPY src src\n"
        return text.replace("COPY src src\n", first, 1)

    proof = prove_wrong(project("hello"), wrong)
    assert check(proof, "same-image").verdict is Verdict.FAILED
    found = check(proof, "edit-arrives")
    assert found.verdict is Verdict.FAILED, found.detail
    assert "/usr/bin/hello_rust of the original's image, and not of the fixed one's" in found.detail


@pytest.mark.thorough
def test_a_step_that_rests_on_an_earlier_ones_mount(project: Callable[[str], Project]) -> None:
    """`apt-get update` in a layer of its own, the lists in a mount: it builds until the mounts are gone."""
    tree = project("tree")

    def wrong(text: str) -> str:
        lists = "--mount=type=cache,target=/var/lib/apt/lists,sharing=locked"
        return (
            f"FROM debian:bookworm\nARG MARK={tree.mark}\nRUN {lists} apt-get update\n"
            f"RUN {lists} apt-get install -y --no-install-recommends tree\nCMD [\"tree\", \"--version\"]\n"
        )

    proof = prove_wrong(tree, wrong)
    found = check(proof, "emptied-builds")
    assert found.verdict is Verdict.FAILED, found.detail
    assert "The original does, the fixed one does not" in found.detail


@pytest.mark.thorough
def test_small_things(project: Callable[[str], Project]) -> None:
    """A file too many, another mode, owner, kind of entry, an empty directory that is gone, and the configuration."""
    damage = (
        "touch /left && chmod 600 /etc/passwd && chown 7:8 /etc/group && rmdir /media && cp /etc/os-release /o "
        "&& rm /etc/os-release && mv /o /etc/os-release && ln -s /nowhere /etc/debian_chroot"
    )

    def wrong(text: str) -> str:
        text = text.replace("COPY main.py .", f"COPY main.py .\nRUN {damage}\nENV LANG=C.UTF-9\nUSER 7")
        return text.replace('["python"', '["python3"')

    proof = prove_wrong(project("parrot"), wrong)
    found = check(proof, "same-image")
    assert found.verdict is Verdict.FAILED
    seen = {line.partition(": ")[0]: line.partition(": ")[2] for line in found.detail.splitlines()[1:]}
    for place in ("config: Cmd", "config: Env LANG", "config: User"):
        assert place in found.detail
    del seen["config"]
    assert seen == {
        "/left": "only after",
        "/etc/passwd": "mode 0644, now 0600",
        "/etc/group": "owner 0:0, now 7:8",
        "/media": "only before",
        "/etc/os-release": "symbolic link, now file",
        "/etc/debian_chroot": "only after",
    }


@pytest.mark.thorough
def test_a_step_between_others_rests_on_an_earlier_ones_mount(project: Callable[[str], Project]) -> None:
    """The step that needs it is not the last one with a mount, nor in the stage of the one that fills it; and an edit
    of a source would make both run again."""
    pip = project("parrot")
    lists = "--mount=type=cache,id=words,target=/var/words"

    def wrong(text: str) -> str:
        first, copy, rest = text.partition("COPY requirements.txt")
        filled = f"{first.rstrip()} AS filled\nCOPY main.py /tmp/main.py\nRUN {lists} echo word > /var/words/a\n"
        used = f"FROM filled\nRUN {lists} cp /var/words/a /tmp/a && rm /tmp/a /tmp/main.py\n"
        return f"{filled}{used}RUN {lists} echo word > /var/words/a\n{copy}{rest}"

    proof = prove_wrong(pip, wrong)
    found = check(proof, "emptied-builds")
    assert check(proof, "same-image").verdict is Verdict.PASSED, check(proof, "same-image").detail
    assert found.verdict is Verdict.FAILED, found.detail
    assert "The original does, the fixed one does not" in found.detail
