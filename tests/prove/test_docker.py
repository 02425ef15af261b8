"""The docker command, without an engine: a script of our own stands in for it."""

from __future__ import annotations

import base64
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import fixer.prove.docker as module
from fixer.prove.docker import BuildRequest, Docker, EngineTrouble, connect
from fixer.prove.model import Phase, Side, Step
from fixer.prove.options import OptionError

SCRIPT = """\
#!{python} -SE
import json, os, signal, sys, time
here = {here!r}
words = sys.argv[1:]
with open(here + "/calls", "a") as calls:
    calls.write(json.dumps(words) + "\\n")
for rule in json.load(open(here + "/rules")):
    if words[: len(rule["words"])] == rule["words"] and all(word in " ".join(words) for word in rule["having"]):
        if rule["once"]:
            try:
                os.mkdir(here + "/" + rule["once"])
            except FileExistsError:
                continue
        if rule["deaf"]:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        if rule["child"] and os.fork() == 0:
            time.sleep(60)
            os._exit(0)
        os.write(1, rule["out"].encode("latin-1"))
        os.write(2, rule["err"].encode("latin-1"))
        open(here + "/ready", "w").close()
        time.sleep(rule["sleep"])
        sys.exit(rule["status"])
sys.exit("no rule for " + repr(words))
"""


class Script:
    """A `docker` that does as it is told, and what it was asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rules: list[dict[str, object]] = []
        self.path = folder / "docker"
        self.path.write_text(SCRIPT.format(python=sys.executable, here=str(folder)))
        self.path.chmod(0o755)
        self.say("--version", out="Docker version 28.5.2, build 1\n")
        self.say("version", out='{"Version": "28.5.2+dfsg4", "Os": "linux", "Components": [{"Name": "Engine"}]}\n')
        self.say("buildx version", out="github.com/docker/buildx v0.29.1 abc\n")
        self.say("buildx inspect", out="Name:   default\nDriver: docker\n\nNodes:\nName: default\n")
        self.say("buildx du")
        self.say("buildx prune")
        self.say("image ls")
        self.say("image rm")
        self.say("image inspect", out="sha256:1234\n")

    def say(
        self,
        words: str,
        *having: str,
        out: str | bytes = "",
        err: str = "",
        status: int = 0,
        sleep: float = 0,
        deaf: bool = False,
        child: bool = False,
        once: str = "",
    ) -> None:
        """What to do when it is called with these first words, and `having` in the others. The last rule counts.

        deaf: does not end by SIGINT. child: leaves a process behind when it is killed alone. once: does so one time."""
        self.rules.insert(
            0,
            {
                "words": words.split(),
                "having": having,
                "out": out if isinstance(out, str) else out.decode("latin-1"),
                "err": err,
                "status": status,
                "sleep": sleep,
                "deaf": deaf,
                "child": child,
                "once": once,
            },
        )
        (self.folder / "rules").write_text(json.dumps(self.rules))

    def calls(self, words: str = "") -> list[list[str]]:
        path = self.folder / "calls"
        lines = path.read_text().splitlines() if path.exists() else []
        called = [json.loads(line) for line in lines]
        return [call for call in called if call[: len(words.split())] == words.split()]


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Script:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return Script(folder)


@pytest.fixture
def docker(script: Script) -> Iterator[Docker]:
    with connect(time_limit=20) as docker:
        yield docker


def request(docker: Docker, tmp_path: Path, **more: object) -> BuildRequest:
    options: dict[str, object] = {"side": Side.ORIGINAL, "phase": Phase.FIRST, "space": docker.new_space("o"), **more}
    return BuildRequest(tmp_path / "Dockerfile", tmp_path / "context", **options)  # type: ignore[arg-type]


def vertex(name: str, *, done: bool = True, error: str = "", cached: bool = False) -> str:
    record = {"digest": name, "name": name, "started": "2026-11-22T05:14:07.1Z", "cached": cached, "error": error}
    if done:
        record["completed"] = "2026-11-22T05:14:09.1Z"
    return json.dumps({"vertexes": [record]}) + "\n"


def printed(name: str, text: str) -> str:
    return json.dumps({"logs": [{"vertex": name, "data": base64.b64encode(text.encode()).decode()}]}) + "\n"


def trouble(script: Script, *options: str) -> EngineTrouble:
    """What `connect` raises, in one sentence."""
    with pytest.raises(EngineTrouble) as found:
        connect(options, time_limit=10)
    assert "\n" not in found.value.message
    assert found.value.message.endswith((".", ")."))
    return found.value


# -- what there is


def test_a_usable_engine(script: Script) -> None:
    with connect(["--network=host"], time_limit=10) as docker:
        assert docker.description == "Docker Engine 28.5.2, buildx 0.29.1, driver docker"
    assert script.calls("buildx build") == [["buildx", "build", "--network=host", "--help"]]
    # nothing was built, so there is nothing to remove
    assert [call[:2] for call in script.calls("buildx")] == [
        ["buildx", "version"],
        ["buildx", "inspect"],
        ["buildx", "build"],
    ]
    assert script.calls("image") == []


@pytest.fixture(autouse=True)
def _options_are_known(request: pytest.FixtureRequest) -> None:
    if "script" in request.fixturenames:
        request.getfixturevalue("script").say("buildx build", "--help", out="Usage")


def test_no_docker_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineTrouble, match="install Docker Engine") as found:
        connect(time_limit=1)
    assert found.value.kind == "no-docker"


@pytest.mark.parametrize("said", ["podman version 4.3.1\n", "nerdctl version 1.7\n", ""])
def test_another_program_with_that_name(script: Script, said: str) -> None:
    script.say("--version", out=said, err="Emulate Docker CLI using podman.\n")
    assert trouble(script).kind == "not-docker"


def test_podman_behind_the_socket(script: Script) -> None:
    script.say("version", out='{"Version": "5.1.0", "Os": "linux", "Components": [{"Name": "Podman Engine"}]}')
    found = trouble(script)
    assert found.kind == "not-docker"
    assert "Podman 5.1.0" in found.message


@pytest.mark.parametrize(
    ("err", "kind"),
    [
        ("Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?\n", "no-daemon"),
        ("failed to connect to the docker API at unix:///x; check if the path is correct\n", "no-daemon"),
        ("error during connect: Get http://x: command [ssh -- x] has exited with exit status 255\n", "no-daemon"),
        ("context \"x\": context not found\n", "no-daemon"),
        ("", "no-daemon"),
        (
            "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: Get "
            '"http://x/v1.51/version": dial unix /var/run/docker.sock: connect: permission denied\n',
            "no-permission",
        ),
        ("permission denied while trying to connect to the docker API at unix:///x\n", "no-permission"),
        ("Error response from daemon: client version 1.51 is too new. Maximum supported is 1.41\n", "too-old"),
        ("Error response from daemon: client version 1.24 is too old. Minimum supported is 1.44\n", "too-old"),
    ],
)  # fmt: skip
def test_no_answer_from_the_engine(script: Script, err: str, kind: str) -> None:
    script.say("version", out="null\n", err=err, status=1)
    found = trouble(script)
    assert found.kind == kind
    assert err.strip() in found.message or err.strip()[:-1] in found.message


def test_an_engine_that_never_answers(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ASKED", 0.3)
    script.say("version", sleep=60)
    found = trouble(script)
    assert found.kind == "no-daemon"
    assert "no answer to `docker version` within 0.3 s" in found.message


def test_no_buildx(script: Script) -> None:
    script.say("buildx version", err="docker: 'buildx' is not a docker command.\nSee 'docker --help'\n", status=1)
    assert trouble(script).kind == "no-buildx"


@pytest.mark.parametrize(
    ("version", "good"),
    [
        ("v0.12.1 30feaa1", False),
        ("0.9.1+ds1 0.9.1+ds1-1", False),
        ("v0.13.0 0de5f1c", True),
        ("v0.29.1-desktop.1 x", True),
        ("v1.0.0 x", True),
        ("0.13.1+ds1 x", True),
    ],
)
def test_the_version_of_buildx(script: Script, version: str, good: bool) -> None:
    script.say("buildx version", out=f"github.com/docker/buildx {version}\n")
    if good:
        assert "buildx" in connect(time_limit=1).description
    else:
        found = trouble(script)
        assert found.kind == "too-old"
        assert "0.13" in found.message


def test_an_unknown_version_of_buildx_is_tried(script: Script) -> None:
    script.say("buildx version", out="github.com/docker/buildx master\n")
    assert "buildx of unknown version" in connect(time_limit=1).description


@pytest.mark.parametrize(
    ("version", "driver", "good"),
    [
        ("24.0.9", "docker", False),
        ("20.10.24+dfsg1", "docker", False),
        ("25.0.0", "docker", True),
        ("28.0.0-rc.1", "docker", True),
        ("dev", "docker", True),
        ("20.10.24", "docker-container", True),
    ],
)
def test_the_version_of_the_engine(script: Script, version: str, driver: str, good: bool) -> None:
    script.say("version", out=json.dumps({"Version": version, "Os": "linux"}))
    script.say("buildx inspect", out=f"Name: x\nDriver: {driver}\n")
    if good:
        assert connect(time_limit=1).description.endswith(f"driver {driver}")
    else:
        found = trouble(script)
        assert found.kind == "too-old"
        assert "25.0" in found.message


@pytest.mark.parametrize(
    ("line", "good"),
    [
        ("BuildKit version: v0.11.6", False),
        ("Buildkit:  v0.10.0", False),
        ("BuildKit version: v0.12.0", True),
        ("BuildKit version: v0.0.0+unknown", True),
        ("", True),
    ],
)
def test_the_version_of_a_builder(script: Script, line: str, good: bool) -> None:
    script.say("buildx inspect", out=f"Name: x\nDriver:  docker-container\n\nNodes:\nName: x0\n{line}\n")
    if good:
        connect(time_limit=1)
    else:
        assert trouble(script).kind == "too-old"


def test_windows_containers(script: Script) -> None:
    script.say("version", out='{"Version": "28.0.0", "Os": "windows"}')
    assert trouble(script).kind == "windows-containers"


@pytest.mark.parametrize(
    ("out", "err", "status"),
    [
        ("", 'ERROR: no builder "x" found\n', 1),
        ("Name: x\nDriver: \nError: Cannot connect to the Docker daemon at unix:///x.\n", "", 0),
        ("Name: x\nDriver: remote\n\nNodes:\nName: x0\nError:  failed to dial\n", "", 0),
    ],
)
def test_a_builder_that_cannot_be_used(script: Script, out: str, err: str, status: int) -> None:
    script.say("buildx inspect", out=out, err=err, status=status)
    assert trouble(script, "--builder", "x").kind == "no-builder"
    assert script.calls("buildx inspect")[0] == ["buildx", "inspect", "--builder=x"]


def test_a_builder_that_is_not_running_is_started(script: Script) -> None:
    script.say("buildx inspect", out="Name: x\nDriver: docker-container\n\nNodes:\nStatus: inactive\n")
    script.say("buildx inspect --bootstrap", out="Name: x\nDriver: docker-container\n\nNodes:\nStatus: running\n")
    assert connect(time_limit=1).description.endswith("driver docker-container")
    assert len(script.calls("buildx inspect --bootstrap")) == 1


def test_a_builder_that_cannot_be_reached(script: Script) -> None:
    script.say("buildx inspect", out="Name: x\nDriver: remote\n\nNodes:\nStatus: inactive\n")
    script.say(
        "buildx inspect --bootstrap",
        err="#1 [internal] waiting for connection\n#1 ERROR: context deadline exceeded\n------\n------\n"
        "ERROR: context deadline exceeded\n",
        status=1,
    )
    found = trouble(script)
    assert found.kind == "no-builder"
    assert "(context deadline exceeded)" in found.message


def test_options_that_docker_does_not_know(script: Script) -> None:
    script.say("buildx build", "--help", err="unknown flag: --bogus\n\nUsage:  docker\n", status=125)
    with pytest.raises(OptionError, match="unknown flag: --bogus"):
        connect(["--bogus"], time_limit=1)


def test_options_that_break_the_protocol_are_refused_before_anything_is_asked(script: Script) -> None:
    with pytest.raises(OptionError, match="--tag"):
        connect(["-tx"], time_limit=1)
    assert script.calls() == []


def test_the_environment_that_changes_what_a_command_line_does(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DOCKER_BUILDKIT", "BUILDX_NO_DEFAULT_LOAD", "BUILDX_EXPERIMENTAL", "DOCKER_CONTEXT"):
        monkeypatch.setenv(name, "0")
    seen = connect(time_limit=1)._environment
    assert seen["DOCKER_CONTEXT"] == "0"
    assert not seen.keys() & {"DOCKER_BUILDKIT", "BUILDX_NO_DEFAULT_LOAD", "BUILDX_EXPERIMENTAL"}


# -- builds


def test_a_build(script: Script, tmp_path: Path) -> None:
    told: list[Step] = []
    script.say(
        "buildx build",
        "--tag=",
        err=vertex("[a 1/2] RUN x", done=False) + printed("[a 1/2] RUN x", "hello\n") + vertex("[a 1/2] RUN x"),
    )
    with connect(["--network=host"], time_limit=20, on_step=told.append) as docker:
        asked = request(docker, tmp_path, phase=Phase.EDIT, target="a", fresh=True, build_args=("A=1", "B=2"), repeat=3)
        build = docker.build(asked)
    assert (build.ok, build.image, build.error) == (True, "sha256:1234", "")
    assert (build.side, build.phase, build.target, build.repeat) == (Side.ORIGINAL, Phase.EDIT, "a", 3)
    assert [(step.name, step.stage, step.number) for step in build.steps] == [("RUN x", "a", 1)]
    assert build.run_seconds == pytest.approx(2)
    assert build.log == "[a 1/2] RUN x\nhello\n"
    assert [step.done for step in told] == [False, True]
    (call,) = script.calls("buildx build --network=host --progress=rawjson")
    assert {
        "--provenance=false",
        "--no-cache",
        "--load",
        "--target=a",
        "--build-arg=A=1",
        "--build-arg=B=2",
        f"--build-arg=BUILDKIT_CACHE_MOUNT_NS={asked.space}",
        f"--file={asked.dockerfile}",
        f"--tag={docker.session}:1-original-edit",
    } < set(call)
    assert call[-1] == str(asked.context)
    assert asked.space == f"{docker.session}-o"


def test_fresh_stages_and_no_freshness(script: Script, docker: Docker, tmp_path: Path) -> None:
    script.say("buildx build", "--tag=")
    docker.build(request(docker, tmp_path, fresh=("a", "b")))
    docker.build(request(docker, tmp_path))
    docker.build(request(docker, tmp_path, fresh=()))
    fresh = [[word for word in call if word.startswith("--no-cache")] for call in script.calls("buildx build")]
    assert fresh == [["--no-cache-filter=a", "--no-cache-filter=b"], [], []]
    tags = [word for call in script.calls("buildx build") for word in call if word.startswith("--tag")]
    assert len(set(tags)) == 3


def test_the_two_sides_take_no_layers_from_each_other(script: Script, tmp_path: Path) -> None:
    """The size of /dev/shm is another one: see `_apart`. It stays the same from build to build, and in a stream."""
    script.say("buildx build")
    with connect(time_limit=10) as docker, connect(["--shm-size=1g"], time_limit=10) as told:
        asked = [request(docker, tmp_path, side=side) for side in (Side.ORIGINAL, Side.FIXED, Side.ORIGINAL)]
        for one in asked:
            docker.build(one)
        with docker.tar(asked[0]):
            pass
        told.build(request(told, tmp_path))
    sizes = [[word for word in call if word.startswith("--shm-size")] for call in script.calls("buildx build")]
    sizes = [words for words in sizes[:-1] if words != ["--shm-size=1g"]]
    assert sizes[0] == sizes[2] == sizes[3] != sizes[1]
    assert all(len(words) == 1 for words in sizes)
    assert ["--shm-size=1g"] in [[word for word in call if "shm" in word] for call in script.calls("buildx build")]


def test_a_build_that_fails(script: Script, docker: Docker, tmp_path: Path) -> None:
    error = 'process "/bin/sh -c x" did not complete successfully: exit code: 7'
    script.say(
        "buildx build",
        "--tag=",
        err=vertex("[2/2] RUN x", error=error)
        + printed("[2/2] RUN x", "oh\n")
        + f"Dockerfile:2\n----\n   2 | >>> RUN x\n----\nERROR: failed to build: failed to solve: {error}\n",
        status=1,
    )
    build = docker.build(request(docker, tmp_path))
    assert (build.ok, build.image, build.error) == (False, "", error)
    assert build.log.startswith("[2/2] RUN x\noh\nDockerfile:2\n")
    assert script.calls("image inspect") == []


@pytest.mark.parametrize(
    ("err", "error"),
    [
        ("ERROR: failed to solve: a\n b\n", "a\n b"),
        ("unknown flag: --bogus\n\nUsage: x\n", "unknown flag: --bogus"),
        (vertex("[1/1] RUN x", error="broken"), "broken"),
        ("", "the docker command ended with status 1"),
    ],
)
def test_what_the_error_is(script: Script, docker: Docker, tmp_path: Path, err: str, error: str) -> None:
    script.say("buildx build", "--tag=", err=err, status=1)
    assert docker.build(request(docker, tmp_path)).error == error


def test_the_time_limit(script: Script, tmp_path: Path) -> None:
    script.say("buildx build", "--tag=", err=vertex("[a 2/2] RUN sleep 60", done=False), sleep=60)
    with connect(time_limit=1.5) as docker:
        began = time.monotonic()
        build = docker.build(request(docker, tmp_path))
    assert time.monotonic() - began < 40
    assert not build.ok
    assert build.error == "stopped after 1.5 s, the time limit, in `RUN sleep 60` (stage a)"
    assert [step.done for step in build.steps] == [False]


def test_the_time_limit_holds_for_a_build_that_never_stops_talking(
    script: Script, docker: Docker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    talking = script.folder / "talking"
    talking.write_text(f"#!{sys.executable} -SE\nimport os\nwhile True: os.write(2, b'{{}}\\n')\n")
    talking.chmod(0o755)
    monkeypatch.setattr(docker, "_command", str(talking))
    monkeypatch.setattr(docker, "_time_limit", 1.0)
    monkeypatch.setattr(docker, "_check_engine", lambda *_: None)
    assert "stopped after 1 s" in docker.build(request(docker, tmp_path)).error
    monkeypatch.undo()


def alive(folder: Path) -> list[int]:
    """The processes that run our script."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(folder / "docker") in path.read_text():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def test_what_ignores_the_signal_is_killed_with_all_it_started(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fixer.prove.processes.Child.end.__defaults__", (0.5,))
    script.say("buildx build", "--tag=", sleep=60, deaf=True, child=True)
    began = time.monotonic()
    with connect(time_limit=1) as docker:
        assert not docker.build(request(docker, tmp_path)).ok
    assert time.monotonic() - began < 40
    assert alive(script.folder) == []


@pytest.mark.parametrize(
    "error",
    [
        "failed to receive status: rpc error: code = Unavailable desc = error reading from server: EOF",
        "failed to build: failed to solve: Unavailable: error reading from server: EOF",
        "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?",
    ],
)
def test_the_engine_ends_during_a_build(script: Script, docker: Docker, tmp_path: Path, error: str) -> None:
    """Even if it is there again a moment later."""
    script.say("buildx build", "--tag=", err=f"ERROR: {error}\n", status=1)
    with pytest.raises(EngineTrouble) as found:
        docker.build(request(docker, tmp_path))
    assert found.value.kind == "gone"


def test_the_engine_is_not_there_after_a_failed_build(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ASKED_GONE", 3.0)
    with connect(time_limit=10) as docker:
        script.say("buildx build", "--tag=", err="ERROR: something else\n", status=1)
        for words in ("version", "buildx du", "image ls"):
            script.say(words, err="Cannot connect to the Docker daemon at unix:///x.\n", status=1)
        with pytest.raises(EngineTrouble) as found:
            docker.build(request(docker, tmp_path))
        assert found.value.kind == "gone"
    mounts, images = docker.left
    assert "Cannot connect to the Docker daemon" in mounts
    assert "Cannot connect to the Docker daemon" in images
    assert f"`docker buildx prune --force --filter description~={docker.session}`" in mounts
    assert f"reference={docker.session} --format '{{{{.Repository}}}}:{{{{.Tag}}}}')`" in images


NO_SPACE = "no space left on device"


@pytest.mark.parametrize(
    ("err", "kind"),
    [
        (f"ERROR: failed to solve: ResourceExhausted: write /x: {NO_SPACE}\n", "disk-full"),
        (f"ERROR: failed to write metadata: open /tmp/x: {NO_SPACE}\n", "disk-full"),
        (
            vertex("[2/2] RUN x", error='process "x" did not complete successfully: exit code: 1')
            + printed("[2/2] RUN x", "dd: error writing '/x': No space left on device\n")
            + 'ERROR: failed to solve: process "x" did not complete successfully: exit code: 1\n',
            "disk-full",
        ),
        # the words stand in the command
        (
            vertex("[2/2] RUN x", error=f'process "echo {NO_SPACE}" did not complete successfully: exit code: 1')
            + f'ERROR: failed to solve: process "echo {NO_SPACE}" did not complete successfully: exit code: 1\n',
            "",
        ),
        # another step said so, and went on
        (
            printed("[2/2] RUN y", f"{NO_SPACE}\n")
            + vertex("[2/2] RUN x", error='process "x" did not complete successfully: exit code: 1')
            + 'ERROR: failed to solve: process "x" did not complete successfully: exit code: 1\n',
            "",
        ),
        # a command that speaks of docker
        (
            vertex("[2/2] RUN x", error='process "grep Cannot connect to the Docker daemon" did not complete '
                   'successfully: exit code: 1')
            + 'ERROR: failed to solve: process "grep Cannot connect to the Docker daemon" did not complete '
            "successfully: exit code: 1\n",
            "",
        ),
    ],
)  # fmt: skip
def test_a_full_disk(script: Script, docker: Docker, tmp_path: Path, err: str, kind: str) -> None:
    script.say("buildx build", "--tag=", err=err, status=1)
    if kind:
        with pytest.raises(EngineTrouble, match=r"(?i)no space left") as found:
            docker.build(request(docker, tmp_path))
        assert found.value.kind == kind
    else:
        assert not docker.build(request(docker, tmp_path)).ok


def test_what_is_not_ours_is_refused(script: Script, docker: Docker, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no space of this session"):
        docker.build(request(docker, tmp_path, space="theirs"))
    with pytest.raises(OptionError, match="BUILDKIT_CACHE_MOUNT_NS"):
        docker.build(request(docker, tmp_path, build_args=("BUILDKIT_CACHE_MOUNT_NS=x",)))
    with pytest.raises(ValueError, match="no name of a space"):
        docker.new_space("a/b")
    assert script.calls("buildx build") == []


def test_the_configuration(script: Script, docker: Docker, tmp_path: Path) -> None:
    script.say("buildx build", "--tag=")
    build = docker.build(request(docker, tmp_path))
    script.say("image inspect", "json .Config", "sha256:1234", out='{"Env": ["A=1"]}\n')
    assert docker.config(build) == {"Env": ["A=1"]}
    script.say("image inspect", err="Error response from daemon: No such image: sha256:1234\n", status=1)
    with pytest.raises(EngineTrouble) as found:
        docker.config(build)
    assert found.value.kind == "no-image"


# -- images as a stream


def image() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for number in range(5):
            info = tarfile.TarInfo(f"file{number}")
            info.size = 50_000
            tar.addfile(info, io.BytesIO(b"x" * info.size))
    return out.getvalue()


def test_an_image_as_a_stream(script: Script, docker: Docker, tmp_path: Path) -> None:
    script.say("buildx build", "--output=type=tar,dest=-", out=image(), err=vertex("[1/1] RUN x", cached=True))
    asked = request(docker, tmp_path, fresh=True, target="a")
    with docker.tar(asked) as stream, tarfile.open(fileobj=stream, mode="r|") as tar:
        assert [member.name for member in tar] == [f"file{number}" for number in range(5)]
    (call,) = script.calls("buildx build")
    assert "--target=a" in call
    assert not [word for word in call if word.startswith(("--no-cache", "--tag", "--load"))]
    assert docker.reran == []


def test_a_step_that_runs_again_while_an_image_is_read_is_noted(script: Script, docker: Docker, tmp_path: Path) -> None:
    script.say("buildx build", "--output", out=image(), err=vertex("[1/2] COPY y") + vertex("[2/2] RUN x"))
    with docker.tar(request(docker, tmp_path)):
        pass
    assert [step.name for step in docker.reran] == ["RUN x"]


@pytest.mark.parametrize("length", [0, 512, 50_000, 100_000])
@pytest.mark.parametrize(
    ("error", "kind"),
    [("Unavailable: error reading from server: EOF", "gone"), (NO_SPACE, "disk-full"), ("else", "no-image")],
)
def test_a_stream_that_breaks_off(
    script: Script, docker: Docker, tmp_path: Path, length: int, error: str, kind: str
) -> None:
    script.say("buildx build", "--output", out=image()[:length], err=f"ERROR: {error}\n", status=1)
    with (
        pytest.raises(EngineTrouble) as found,
        docker.tar(request(docker, tmp_path)) as stream,
        tarfile.open(fileobj=stream, mode="r|") as tar,
    ):
        for _ in tar:
            pass
    assert found.value.kind == kind


def test_the_status_counts_even_if_the_reader_is_content(script: Script, docker: Docker, tmp_path: Path) -> None:
    script.say("buildx build", "--output", out=image(), err="ERROR: else\n", status=1)
    with pytest.raises(EngineTrouble), docker.tar(request(docker, tmp_path)) as stream:
        stream.read(10)


def test_an_error_of_the_reader_is_his_own(script: Script, docker: Docker, tmp_path: Path) -> None:
    script.say("buildx build", "--output", out=image() * 50, sleep=60)
    began = time.monotonic()
    with pytest.raises(ZeroDivisionError), docker.tar(request(docker, tmp_path)) as stream:
        assert stream.read(10) == 1 / 0
    assert time.monotonic() - began < 40
    assert alive(script.folder) == []


def test_the_time_limit_of_a_stream(script: Script, tmp_path: Path) -> None:
    script.say("buildx build", "--output", out=image()[:1000], sleep=60)
    with connect(time_limit=1) as docker:
        with pytest.raises(EngineTrouble, match="time limit") as found, docker.tar(request(docker, tmp_path)) as stream:
            stream.read()
        assert found.value.kind == "no-image"
    assert alive(script.folder) == []


# -- cache mounts


def mount(number: str, identity: str, command: str = "sh -c x") -> str:
    description = f"cached mount /c from exec {command} with id {json.dumps(identity)}"
    return json.dumps({"ID": number, "Description": description, "Type": "exec.cachemount"}) + "\n"


def test_mounts_of_one_space(script: Script, docker: Docker) -> None:
    space = docker.new_space("o")
    docker.new_space("o2")
    records = [
        mount("ours1", f"{space}//root/.cache"),
        mount("ours2", f"{space}/id"),
        mount("ours3", f'{space}/with "quotes"', "sh -c a\n\nb"),
        mount("longer", f"{space}2/id"),
        mount("before", f"x{space}/id"),
        mount("alone", space),
        mount("spoken", "other/id", f'echo with id "{space}/id" x'),
        mount("default", f"/{space}/id"),
        '{"ID": "none"}\n',
    ]
    script.say("buildx du", out="".join(record for record in records if '"ours' not in record))
    script.say("buildx du", out="".join(records), once="first")
    assert docker.empty_mounts(space) == 3
    assert script.calls("buildx prune") == [["buildx", "prune", "--force", "--filter=id=^(ours1|ours2|ours3)$"]]
    assert docker.empty_mounts(space) == 0


def test_mounts_before_buildx_0_28(script: Script, docker: Docker) -> None:
    space = docker.new_space("o")
    text = textwrap.dedent(
        f"""\
        ID:           abc1
        Parents:
         - def
        Type:         exec.cachemount
        Description:  cached mount /d from exec sh -c one

        two with id "{space}//d"
        Usage count:  1

        ID:		abc2
        Description:	cached mount /d from exec sh -c x with id "{space}2/d"

        ID:		abc3
        Description:	cached mount /d from exec sh -c x with id "{space}/d"
        Type:		exec.cachemount

        """
    )
    script.say("buildx du", "--verbose")
    script.say("buildx du", "--verbose", out=text, once="first")
    script.say("buildx du", "--format", err="unknown flag: --format\n", status=125)
    assert docker.empty_mounts(space) == 2
    assert script.calls("buildx prune") == [["buildx", "prune", "--force", "--filter=id=^(abc1|abc3)$"]]


def test_a_mount_in_use(script: Script, docker: Docker, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is passed over by the engine, and taken a moment later."""
    space = docker.new_space("o")
    script.say("buildx du", out="")
    script.say("buildx du", out=mount("a", f"{space}/a"), once="second")
    script.say("buildx du", out=mount("a", f"{space}/a"), once="first")
    assert docker.empty_mounts(space) == 1
    monkeypatch.setattr(module, "CLEANED", 0.2)
    script.say("buildx du", out=mount("a", f"{space}/a"))
    with pytest.raises(EngineTrouble) as found:
        docker.empty_mounts(space)
    assert found.value.kind == "mounts-in-use"
    script.say("buildx du")


# -- the end


def test_what_was_made_is_removed_once(script: Script, tmp_path: Path) -> None:
    with connect(["--builder=b"], time_limit=10) as docker:
        space = docker.new_space("o")
        script.say("buildx build", "--tag=", err="ERROR: no\n", status=1)
        docker.build(request(docker, tmp_path))
        script.say("buildx du", out=mount("a", f"{space}/a"), once="first")
        script.say("image ls", out=f"{docker.session}:1-a\n{docker.session}:2-b\n")
    assert script.calls("buildx prune") == [["buildx", "prune", "--builder=b", "--force", "--filter=id=^(a)$"]]
    assert script.calls("image rm") == [["image", "rm", f"{docker.session}:1-a", f"{docker.session}:2-b"]]
    assert f"--filter=reference={docker.session}" in script.calls("image ls")[0]
    assert docker.left == []
    before = len(script.calls())
    docker.close()
    assert len(script.calls()) == before


def test_images_are_removed_where_mounts_cannot_be(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A builder of its own that is gone, beside an engine that is not."""
    monkeypatch.setattr(module, "ASKED_GONE", 1.0)
    script.say("buildx build", "--tag=")
    with connect(time_limit=10) as docker:
        docker.build(request(docker, tmp_path))
        script.say("buildx du", err="failed to call diskusage: Unavailable: connection refused\n", status=1)
        script.say("image ls", out=f"{docker.session}:1-a\n")
    assert len(docker.left) == 1
    assert script.calls("image rm") == [["image", "rm", f"{docker.session}:1-a"]]


def test_an_engine_that_comes_back_is_cleaned_up(script: Script, tmp_path: Path) -> None:
    script.say("buildx build", "--tag=")
    with connect(time_limit=10) as docker:
        docker.build(request(docker, tmp_path))
        script.say("buildx du", err="Cannot connect to the Docker daemon\n", status=1, once="first")
        script.say("image ls", out=f"{docker.session}:1-a\n")
    assert docker.left == []
    assert len(script.calls("image rm")) == 1


PROGRAM = """
import os, signal, sys
from pathlib import Path
from fixer.prove.docker import BuildRequest, connect
from fixer.prove.model import Phase, Side
before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
docker = connect(time_limit=60)
try:
    with docker:
        docker.build(BuildRequest(Path("d"), Path("c"), Side.FIXED, Phase.EDIT, docker.new_space("f")))
finally:
    assert before == [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    print(type(sys.exc_info()[1]).__name__, docker.session, docker.left)
"""


def start(script: Script, program: str = PROGRAM, **more: object) -> subprocess.Popen[str]:
    """Run the program until its build is under way."""
    root = str(Path(module.__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": root, "PYTHONUNBUFFERED": "1"}
    (script.folder / "ready").unlink(missing_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **more,  # type: ignore[call-overload]
    )
    deadline = time.monotonic() + 20
    while not any("--tag=" in " ".join(call) for call in script.calls("buildx build")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return process


@pytest.mark.parametrize(
    ("number", "raised", "status"),
    [
        (signal.SIGINT, "KeyboardInterrupt", -signal.SIGINT),
        (signal.SIGTERM, "Stopped", 128 + signal.SIGTERM),
        (signal.SIGHUP, "Stopped", 128 + signal.SIGHUP),
    ],
)
def test_a_signal_during_a_build(script: Script, number: signal.Signals, raised: str, status: int) -> None:
    script.say("buildx build", "--tag=", sleep=60)
    with start(script) as process:
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    assert out.startswith(f"{raised} dockfix-verify-"), err
    assert out.endswith(" []\n")
    assert process.returncode == status
    assert len(script.calls("buildx du")) == 1
    assert len(script.calls("image ls")) == 1
    assert alive(script.folder) == []


def test_more_signals_during_the_clean_up_do_not_break_it(script: Script) -> None:
    script.say("buildx build", "--tag=", sleep=60)
    script.say("buildx du", sleep=1)
    script.say("image ls", out="a:1\n")
    with start(script) as process:
        process.send_signal(signal.SIGTERM)
        while not script.calls("buildx du"):
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=20)
    assert out.startswith("KeyboardInterrupt "), err
    assert out.endswith(" []\n")
    assert script.calls("image rm") == [["image", "rm", "a:1"]]


def test_a_signal_that_is_ignored_stays_so(script: Script, tmp_path: Path) -> None:
    """As for `nohup dockfix verify &`."""
    script.say("buildx build", "--tag=", sleep=1.5)
    program = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n" + PROGRAM
    with start(script, program) as process:
        process.send_signal(signal.SIGHUP)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    assert out.startswith("NoneType ")


def test_an_exception_in_the_callback_ends_the_build(script: Script, tmp_path: Path) -> None:
    def fail(step: Step) -> None:
        raise ZeroDivisionError

    script.say("buildx build", "--tag=", err=vertex("[1/1] RUN x", done=False), sleep=60)
    with pytest.raises(ZeroDivisionError), connect(time_limit=30, on_step=fail) as docker:
        docker.build(request(docker, tmp_path))
    assert alive(script.folder) == []
    assert len(script.calls("image ls")) == 1


def test_a_process_stays_listed_while_it_may_run(script: Script, tmp_path: Path) -> None:
    """`close` ends it, should it not have been left in the usual way."""
    script.say("buildx build", "--output", sleep=60)
    docker = connect(time_limit=30)
    leaving: Callable[..., object] = docker.tar(request(docker, tmp_path)).__enter__
    leaving()
    deadline = time.monotonic() + 20
    while not alive(script.folder):  # for a moment a program that has just been started has no command line
        assert time.monotonic() < deadline
        time.sleep(0.02)
    docker.close()
    assert alive(script.folder) == []
