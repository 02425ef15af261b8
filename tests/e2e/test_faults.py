"""`dockfix verify` when the machine fails it: it says what happened, exits with 4, and leaves nothing behind.

A build that hangs, Ctrl-C and SIGTERM are in `test_verify.py`; the docker command alone in `test_prove_docker.py`.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.private import Private, docker_says, processes, until
from tests.e2e.test_verify import command, environment

NO_ENGINE = 4
PACKAGE = (
    "FROM debian\nRUN {first}\nRUN apt-get update && apt-get install -y base-files && rm -rf /var/lib/apt/lists/*\n"
)
"""Something that dockfix changes, and that is quick: the package is there."""


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def start(text: str, folder: Path, scratch: Path) -> subprocess.Popen[str]:
    """The command on a Dockerfile, in a process of its own; it writes `proof.json` beside the context."""
    context = folder / "context"
    context.mkdir(exist_ok=True)
    (context / "Dockerfile").write_text(text)
    return subprocess.Popen(
        command(str(context), "--json", str(folder / "proof.json")),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(scratch),
    )  # fmt: skip


def end(running: subprocess.Popen[str]) -> tuple[str, str]:
    """What it printed. It has failed in the way that has nothing to do with the Dockerfile, and as people want it."""
    out, err = running.communicate(timeout=300)
    assert running.returncode == NO_ENGINE, out + err
    assert "Traceback" not in out + err
    return out, err


def report(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "proof.json").read_text()))


def ours() -> list[str]:
    """What the engine holds that verify has made: images, containers, and mounts by their description."""
    images = docker_says("image", "ls", "--format={{.Repository}}").split()
    mounts = docker_says("buildx", "du", "--verbose", "--filter=type=exec.cachemount").splitlines()
    return [line for line in images + mounts if "dockfix-verify" in line] + docker_says("ps", "-aq").split()


@pytest.mark.own_engine
@pytest.mark.thorough
def test_the_engine_is_killed(private: Callable[[str], Private], word: str, scratch: Path, tmp_path: Path) -> None:
    """In the second build, so that there is an image of the first that cannot be removed."""
    engine = private("600m")
    sleeps = f"echo {word}; sleep 8"
    with start(PACKAGE.format(first=sleeps), tmp_path, scratch) as running:

        def kill() -> None:
            until(lambda: any("dockfix-verify" in name for name in images(engine)))
            engine.kill()

        images_seen = threading.Thread(target=kill)
        images_seen.start()
        _, err = end(running)
        images_seen.join()
    said = " ".join(err.split())
    assert "engine" in said, said
    assert report(tmp_path)["broke_off"]
    assert list(scratch.iterdir()) == []
    assert processes(str(scratch)) == {}
    # what could not be removed is said, with the command that does it when the engine is back
    commands = [part for part in err.split("`")[1::2] if part.startswith("docker")]
    assert commands
    engine.start()
    assert ours() != []
    for each in commands:
        subprocess.run(each, shell=True, check=True, capture_output=True)
    assert ours() == []


def images(engine: Private) -> list[str]:
    listed = subprocess.run(
        ["docker", "-H", engine.host, "image", "ls", "--format={{.Repository}}"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return listed.stdout.split()


@pytest.mark.own_engine
@pytest.mark.thorough
def test_the_engine_has_a_full_disk(
    private: Callable[[str], Private], word: str, scratch: Path, tmp_path: Path
) -> None:
    private("350m")
    with start(
        PACKAGE.format(first=f"echo {word}; dd if=/dev/urandom of=/x bs=1M count=400"), tmp_path, scratch
    ) as running:
        out, err = end(running)
    assert "No space left" in out + err
    assert "docker system df" in out + err
    assert list(scratch.iterdir()) == []
    assert processes(str(scratch)) == {}
    assert ours() == []


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of one megabyte."""
    if os.geteuid():
        pytest.skip("a disk of its own needs root")
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "dockfix", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_no_room_for_the_context(small: Path, tmp_path: Path) -> None:
    (tmp_path / "context").mkdir()
    (tmp_path / "context" / "big").write_bytes(os.urandom(3 << 20))
    with start(PACKAGE.format(first="true"), tmp_path, small) as running:
        _, err = end(running)
    assert "no room left on the disk" in " ".join(err.split())
    assert list(small.iterdir()) == []
