"""`fixer.prove.docker` on a real engine: what it reports, and that nothing of it stays there."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tarfile
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import fixer
from fixer.prove.docker import BuildRequest, Docker, EngineTrouble, connect
from fixer.prove.model import Phase, Side, Step
from tests.e2e.private import Private, docker_says, processes, until

Ask = Callable[..., BuildRequest]


def mounts(word: str) -> list[str]:
    listed = docker_says("buildx", "du", "--verbose", "--filter", "type=exec.cachemount")
    return re.findall(rf'with id "({word}[^"]*)"', listed)


def images(session: str) -> list[str]:
    return docker_says("image", "ls", "--filter", f"reference={session}", "--format", "{{.Tag}}").split()


def assert_nothing_is_left(session: str) -> None:
    assert mounts(session) == []
    assert images(session) == []
    assert processes(session) == {}
    assert list(Path(tempfile.gettempdir()).glob(f"*{session}*")) == []


@pytest.fixture
def ask(tmp_path: Path, word: str) -> Ask:
    """`ask(docker, TEXT)`: a request for a Dockerfile, `@` in it replaced by the test's own word."""

    def ask(docker: Docker, text: str, **more: object) -> BuildRequest:
        context = tmp_path / "context"
        context.mkdir(exist_ok=True)
        (context / "file").write_text(word)
        dockerfile = tmp_path / f"Dockerfile{len(list(tmp_path.iterdir()))}"
        dockerfile.write_text(text.replace("@", word))
        options: dict[str, object] = {"side": Side.ORIGINAL, "phase": Phase.FIRST, **more}
        options.setdefault("space", docker.new_space("o"))
        return BuildRequest(dockerfile, context, **options)  # type: ignore[arg-type]

    return ask


@pytest.fixture
def docker() -> Iterator[Docker]:
    with connect(["--network=host"], time_limit=300) as docker:
        yield docker
    assert docker.left == []
    assert_nothing_is_left(docker.session)


TWO_STAGES = """\
FROM debian AS builder
RUN echo @ && echo hello && echo world >&2
COPY file /file
FROM debian
COPY --from=builder /file /copy
RUN sleep 1; echo @ > /out
ENV COLOUR=blue
USER 1000
"""


def test_steps_times_image_and_configuration(ask: Ask, word: str) -> None:
    told: list[Step] = []
    with connect(["--network=host"], time_limit=300, on_step=told.append) as docker:
        assert re.fullmatch(r"Docker Engine \d+\.\d+\.\d+, buildx \d+\.\d+\.\d+, driver \S+", docker.description)
        asked = ask(docker, TWO_STAGES, fresh=True)
        build = docker.build(asked)
        again = docker.build(ask(docker, TWO_STAGES, phase=Phase.AGAIN))
        config = docker.config(build)
        with docker.tar(asked) as stream, tarfile.open(fileobj=stream, mode="r|") as tar:
            files = {member.name: member for member in tar}
    assert build.ok, build.error
    # FROM is left out: if somebody else builds from the same image just now, the engine shows it under his stage's name
    steps = {
        (step.stage, step.number): step for step in build.steps if step.number and not step.name.startswith("FROM")
    }
    assert {place: step.name for place, step in steps.items()} == {
        ("builder", 2): f"RUN echo {word} && echo hello && echo world >&2",
        ("builder", 3): "COPY file /file",
        ("1", 2): "COPY --from=builder /file /copy",
        ("1", 3): f"RUN sleep 1; echo {word} > /out",
    }
    slept = steps["1", 3]
    assert not slept.cached
    assert slept.run
    assert 1 <= slept.seconds < slept.start + slept.seconds <= build.seconds + 0.5
    assert [step.start for step in build.steps] == sorted(step.start for step in build.steps)
    assert steps["builder", 2].start < slept.start
    assert slept.seconds <= build.run_seconds < build.seconds
    assert {word, "hello", "world"} <= set(build.log.splitlines())  # two streams: in no order
    assert {(step.name, step.done) for step in told} >= {(slept.name, False), (slept.name, True)}
    # the second time nothing runs
    assert all(step.cached for step in again.steps if step.number and step.name.split()[0] in {"RUN", "COPY"})
    assert again.run_seconds == 0
    assert config["User"] == "1000"
    assert "COLOUR=blue" in config["Env"]  # type: ignore[operator]
    assert files["out"].size == len(word) + 1
    assert "copy" in files
    assert "file" not in files
    assert docker.reran == []
    assert_nothing_is_left(docker.session)
    for one in (build, again):
        assert subprocess.run(["docker", "image", "inspect", one.image], capture_output=True, check=False).returncode


def test_a_stream_is_of_the_newest_build(docker: Docker, ask: Ask) -> None:
    """Two builds without a cache differ, and the one after that takes the newer layers."""
    text = "FROM debian\nRUN date +%s.%N | tee /stamp; echo @\n"
    asked = ask(docker, text, fresh=True)
    stamps = [re.findall(r"^\d+\.\d+$", docker.build(asked).log, re.MULTILINE)[0] for _ in range(3)]
    assert len(set(stamps)) == 3
    with docker.tar(asked) as stream, tarfile.open(fileobj=stream, mode="r|") as tar:
        for member in tar:
            if member.name == "stamp":
                content = tar.extractfile(member)
                assert content is not None
                assert content.read().decode().strip() == stamps[-1]
                break
        else:
            pytest.fail("no /stamp in the image")
    assert docker.reran == []


def test_stages_that_are_built_afresh(docker: Docker, ask: Ask) -> None:
    text = "FROM debian AS a\nRUN echo @a\nFROM a AS b\nRUN echo @b\nFROM debian AS c\nRUN echo @c\n"
    docker.build(ask(docker, text, fresh=True, target="b"))
    docker.build(ask(docker, text, fresh=True, target="c"))
    build = docker.build(ask(docker, text, fresh=("b",), target="b"))
    assert {step.stage: step.cached for step in build.steps if step.run} == {"a": True, "b": False}


MOUNTS = """\
FROM debian
RUN --mount=type=cache,target=/one --mount=type=cache,target=/two,uid=1000,gid=1000 \\
    --mount=type=cache,target=/three,id=three,sharing=locked,mode=0700 --mount=type=cache,target=/four \\
    cat /one/* /two/* /three/*; echo @ | tee /one/f /two/f /three/f
"""


def test_cache_mounts_of_one_space_are_emptied_and_no_others(docker: Docker, ask: Ask, word: str) -> None:
    text = MOUNTS
    spaces = [docker.new_space(name) for name in ("o", "o2")]
    for space in spaces:
        assert docker.build(ask(docker, text, space=space, fresh=True)).ok
    ids = ["//four", "//one", "//two", "/three"]
    assert sorted(mounts(docker.session)) == sorted(space + name for space in spaces for name in ids)
    assert docker.empty_mounts(spaces[0]) == 4
    assert sorted(mounts(docker.session)) == sorted(spaces[1] + name for name in ids)
    assert docker.empty_mounts(spaces[0]) == 0
    # the layers are there as before, and a step that runs again finds nothing in its mounts
    assert docker.build(ask(docker, text, space=spaces[0])).run_seconds == 0
    changed = text.replace("cat /one", "true; cat /one")
    empty, full = (docker.build(ask(docker, changed, space=space)).log.count(f"\n{word}") for space in spaces)
    assert (empty, full) == (1, 4)


def test_a_failed_build(docker: Docker, ask: Ask) -> None:
    build = docker.build(ask(docker, "FROM debian\nRUN --mount=type=cache,target=/c echo @ > /c/f; exit 7\n"))
    assert not build.ok
    assert build.image == ""
    assert "exit code: 7" in build.error
    assert mounts(docker.session) != []
    missing = docker.build(ask(docker, "FROM debian\nCOPY @ /\n"))
    assert "not found" in missing.error
    unknown = docker.build(ask(docker, "FROM debian\nRUM @\n"))
    assert "unknown instruction: RUM" in unknown.error


SLEEPS = """\
FROM debian
SHELL ["bash", "-c"]
RUN --mount=type=cache,target=/c echo @ > /c/f; exec -a @ sleep 600
"""
"""The program in it has the test's word for its name."""


def test_a_build_that_hangs(ask: Ask, word: str) -> None:
    with connect(["--network=host"], time_limit=5) as docker:
        build = docker.build(ask(docker, SLEEPS))
        assert not build.ok
        assert re.fullmatch(r"stopped after 5 s, the time limit, in `RUN .* sleep 600` \(stage 0\)", build.error)
        (slept,) = (step for step in build.steps if step.run)
        assert not slept.done or "canceled" in slept.error
        assert 5 <= build.seconds < 20
    assert docker.left == []
    assert_nothing_is_left(docker.session)
    until(lambda: not processes(f"{word} 600"), 5)


PROGRAM = """
import sys
from pathlib import Path
from fixer.prove.docker import BuildRequest, connect
from fixer.prove.model import Phase, Side
with connect(["--network=host"], time_limit=300) as docker:
    print(docker.session, flush=True)
    try:
        docker.build(BuildRequest(Path(sys.argv[1]), Path(sys.argv[2]), Side.FIXED, Phase.EDIT, docker.new_space("f")))
    finally:
        docker.close()
        print(docker.left, flush=True)
"""


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, -signal.SIGINT), (signal.SIGTERM, 128 + signal.SIGTERM)]
)
def test_a_signal_during_a_build(docker: Docker, ask: Ask, word: str, number: signal.Signals, status: int) -> None:
    asked = ask(docker, SLEEPS)
    root = str(Path(fixer.__file__).parents[1])
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(asked.dockerfile), str(asked.context)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": root},
    ) as process:
        assert process.stdout is not None
        session = process.stdout.readline().strip()
        until(lambda: processes(f"{word} 600"))
        assert mounts(session) != []
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert out == "[]\n", err
    assert process.returncode == status
    assert_nothing_is_left(session)
    until(lambda: not processes(f"{word} 600"), 5)


def test_an_image_that_somebody_else_named_too(docker: Docker, ask: Ask, word: str) -> None:
    """It stays, under his name."""
    build = docker.build(ask(docker, "FROM debian\nRUN echo @ > /f\n"))
    docker_says("tag", build.image, f"{word}:theirs")
    docker.close()
    assert_nothing_is_left(docker.session)
    assert docker_says("image", "inspect", "--format={{.Id}}", f"{word}:theirs").strip() == build.image
    docker_says("image", "rm", f"{word}:theirs")


# -- an engine that may be broken


@pytest.mark.own_engine
@pytest.mark.thorough
def test_an_engine_that_is_killed_during_a_build(private: Callable[[str], Private], ask: Ask, word: str) -> None:
    engine = private("600m")
    with connect(["--network=host"], time_limit=300) as docker:
        for phase in (Phase.FIRST, Phase.EDIT):  # one image with two names
            assert docker.build(ask(docker, "FROM debian\nRUN echo @\n", phase=phase)).ok
        hang = ask(docker, SLEEPS)
        threading.Thread(target=lambda: (until(lambda: processes(f"{word} 600")), engine.kill())).start()
        with pytest.raises(EngineTrouble) as found:
            docker.build(hang)
    assert found.value.kind == "gone"
    assert processes(docker.session) == {}
    for number in processes(f"{word} 600"):  # it has lost its engine: nobody else ends it
        os.kill(number, signal.SIGKILL)
    assert len(docker.left) == 2
    engine.start()
    assert mounts(docker.session) != []
    assert images(docker.session) != []
    for sentence in docker.left:
        command = re.findall(r"`(.*?)`", sentence)[0]
        subprocess.run(command, shell=True, check=True, capture_output=True)
    assert_nothing_is_left(docker.session)


def read_and_kill(docker: Docker, asked: BuildRequest, engine: Private) -> None:
    with docker.tar(asked) as stream, tarfile.open(fileobj=stream, mode="r|") as tar:
        for number, _ in enumerate(tar):
            if number == 100:
                engine.kill()


@pytest.mark.own_engine
@pytest.mark.thorough
def test_an_engine_that_is_killed_while_an_image_is_read(private: Callable[[str], Private], ask: Ask) -> None:
    engine = private("600m")
    with connect(["--network=host"], time_limit=300) as docker:
        asked = ask(docker, "FROM debian\nRUN echo @\n")
        assert docker.build(asked).ok
        with pytest.raises(EngineTrouble) as found:
            read_and_kill(docker, asked, engine)
    assert found.value.kind == "gone"


@pytest.mark.thorough
@pytest.mark.own_engine
@pytest.mark.parametrize(
    "text",
    [
        "FROM debian\nRUN echo @; dd if=/dev/urandom of=/x bs=1M count=400\n",
        "FROM debian\nCOPY big /@\n",
    ],
)
def test_an_engine_with_a_full_disk(private: Callable[[str], Private], ask: Ask, tmp_path: Path, text: str) -> None:
    private("350m")
    with connect(["--network=host"], time_limit=300) as docker:
        asked = ask(docker, text)
        with open(tmp_path / "context" / "big", "wb") as big:
            big.truncate(400 << 20)
        with pytest.raises(EngineTrouble, match=r"No space left .*docker system df") as found:
            docker.build(asked)
        assert found.value.kind == "disk-full"
    assert docker.left == []
    assert_nothing_is_left(docker.session)
