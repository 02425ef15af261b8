"""The user's docker command: what of it can be used, builds and their images, and nothing left behind.

Everything goes through the command line (`docker buildx build`), so that the user's own settings hold: contexts,
builders, credentials, remote engines. Whatever is made on the engine carries a word that nobody else has, in the tags
of images and in the namespace of cache mounts, and is found again by that word alone. No image is removed by its
number: somebody else may have given the same image a name. What stays is what every build leaves: layers in the
build cache, and a line in `docker buildx history`. (That is not removed: after `history rm`, `history ls` makes an
engine with BuildKit 0.25 crash.)
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import re
import secrets
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from fixer.prove.model import Build, Phase, Side, Step
from fixer.prove.options import NAMESPACE, OptionError, builder, check_build_arg, check_options
from fixer.prove.processes import Child, Interrupts
from fixer.prove.progress import Progress
from fixer.text.records import dataclass

LEAST_BUILDX = (0, 13)
"""The first buildx with `--progress=rawjson` (its commands/build.go)."""
LEAST_ENGINE = (25, 0)
LEAST_BUILDKIT = (0, 12)
"""The first BuildKit that tells which namespace a cache mount is of (its solver/llbsolver/mounts/mount.go), and the
Docker Engine that has it."""
ASKED = 30.0
"""Seconds that a question to the engine may take."""
ASKED_GONE = 5.0
"""The same when it seemed to be gone, and how long the clean-up waits for it to come back: many are started again by
the system at once."""
SHM = 64 * 1024 * 1024
"""Bytes of /dev/shm that a RUN has by default."""
PAGE = 4096
CLEANED = 20.0
"""Seconds for which the engine is given time to let go of mounts, after a build that was stopped."""

_GONE = re.compile(
    r"code = Unavailable desc = (error reading from server|connection error|transport|closing transport)"
    r"|error reading from server: EOF|transport is closing|Cannot connect to the Docker daemon"
    r"|failed to connect to the docker API|connection reset by peer.*docker|broken pipe.*docker"
    r"|code = Canceled desc = (grpc|context).*(closing|stopping)",
    re.IGNORECASE,
)
_NO_SPACE = re.compile(r"no space left on device|ENOSPC|disk quota exceeded", re.IGNORECASE)


class EngineTrouble(Exception):
    """There is no engine to work with, or no longer. The message says what is missing and what to do."""

    def __init__(self, kind: str, message: str) -> None:
        """kind: `no-docker`, `not-docker`, `no-daemon`, `no-permission`, `no-buildx`, `no-builder`, `too-old`,
        `windows-containers`, `gone`, `disk-full`, `mounts-in-use`, `no-image`."""
        super().__init__(message)
        self.kind = kind
        self.message = message


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """What to build."""

    dockerfile: Path
    context: Path
    side: Side
    phase: Phase
    space: str
    """The namespace of its cache mounts, from `Docker.new_space`."""
    target: str = ""
    """The stage; empty for the last one."""
    fresh: bool | tuple[str, ...] = False
    """True: no layer comes from the cache, and every cache mount starts empty. Names of stages: that holds for them."""
    build_args: tuple[str, ...] = ()
    """`NAME=value`."""
    repeat: int = 0


def connect(options: Sequence[str] = (), *, time_limit: float, on_step: Callable[[Step], None] | None = None) -> Docker:
    """Find the docker command and its engine, and see that they can do what is needed.

    options: for every `docker buildx build`, as the user gave them.
    time_limit: seconds that one build, or reading one image, may take.
    on_step: is told of a step when it starts (`done` is False) and when it ended.

    Raises EngineTrouble if there is no usable engine, OptionError for an option that may not be passed on or that
    docker does not know.
    """
    options = check_options(options)
    command = shutil.which("docker")
    if command is None:
        raise EngineTrouble("no-docker", "There is no `docker` command: install Docker Engine and its buildx plugin.")
    docker = Docker(command, options, time_limit, on_step)
    docker.examine()
    return docker


class Docker:
    """An engine that can be used. A context: on leaving it, everything that was made is removed (`close`), also after
    Ctrl-C, SIGTERM and SIGHUP, which raise in the main thread what `processes.Interrupts` says."""

    def __init__(
        self, command: str, options: tuple[str, ...], time_limit: float, on_step: Callable[[Step], None] | None
    ) -> None:
        """Use `connect`."""
        self.description = ""
        """`Docker Engine 28.5.2, buildx 0.29.1, driver docker`."""
        self.reran: list[Step] = []
        """RUN steps that ran once more while an image was read (`tar`), because their layers had gone from the cache:
        such an image is not byte for byte the one that was built."""
        self.left: list[str] = []
        """What could not be removed by `close`, one sentence each."""
        self.session = f"dockfix-verify-{secrets.token_hex(5)}"
        self._command = command
        self._options = options
        self._builder = [f"--builder={name}"] if (name := builder(options)) else []
        self._time_limit = time_limit
        self._on_step = on_step
        self._interrupts = Interrupts()
        self._alive: list[Child] = []
        self._count = 0
        self._gone = False
        self._shm = SHM + PAGE * (1 + 2 * secrets.randbelow(10_000))
        self._spaces: set[str] = set()
        self._used = False
        """True when there may be something to remove."""
        self._environment = {
            **os.environ,
            "BUILDX_METADATA_PROVENANCE": "disabled",
            "BUILDX_METADATA_WARNINGS": "0",
            "DOCKER_CLI_HINTS": "false",
        }
        # they change what the same command line does
        for name in ("BUILDX_NO_DEFAULT_LOAD", "BUILDX_EXPERIMENTAL", "BUILDKIT_PROGRESS", "DOCKER_BUILDKIT"):
            self._environment.pop(name, None)

    # -- what there is

    def examine(self) -> None:
        """Raises EngineTrouble, or OptionError. Sets `description`."""
        said = self._ask("--version").text
        if not said.startswith("Docker version"):
            raise EngineTrouble(
                "not-docker",
                f"The `docker` command is something else ({_line(said) or 'it says no version'}): verify needs Docker "
                "Engine with the buildx plugin.",
            )
        server = self._server()
        engine = str(server.get("Version", ""))
        if any("podman" in str(part.get("Name", "")).lower() for part in server.get("Components") or ()):
            raise EngineTrouble(
                "not-docker",
                f"The engine behind `docker` is Podman {engine}, which does not build with BuildKit: point DOCKER_HOST "
                "or `docker context use` to a Docker Engine.",
            )
        if server.get("Os") == "windows":
            raise EngineTrouble(
                "windows-containers",
                "The engine runs Windows containers, for which there is no BuildKit: switch it to Linux containers.",
            )
        buildx = self._buildx()
        driver = self._driver()
        if driver == "docker" and _older(engine, LEAST_ENGINE):
            raise EngineTrouble(
                "too-old",
                f"Docker Engine {engine} is too old: verify needs {_dotted(LEAST_ENGINE)} or newer (BuildKit "
                f"{_dotted(LEAST_BUILDKIT)}), or a builder of its own (`docker buildx create --use`).",
            )
        if self._options:
            tried = self._ask("buildx", "build", *self._options, "--help")
            if tried.status:
                raise OptionError(f"docker does not take the options that are passed to it: {_line(tried.errors)}")
        self.description = f"Docker Engine {_plain(engine)}, buildx {_plain(buildx)}, driver {driver}"

    def _server(self) -> dict[str, Any]:
        asked = self._ask("version", "--format", "{{json .Server}}")
        with contextlib.suppress(ValueError):
            found = json.loads(asked.text)
            if asked.status == 0 and isinstance(found, dict):
                return found
        why = _line(asked.errors) or "it did not answer"
        if "permission denied" in why.lower():
            raise EngineTrouble(
                "no-permission",
                f"No permission to talk to the Docker engine ({why}): add yourself to the group `docker` and log in "
                "again, or run as a user who may.",
            )
        if "too new" in why or "too old" in why:
            raise EngineTrouble("too-old", f"The docker command and its engine do not fit: {why}: update the older.")
        raise EngineTrouble(
            "no-daemon",
            f"The Docker engine does not answer ({why}): start it, or point DOCKER_HOST or `docker context use` to one "
            "that runs.",
        )

    def _buildx(self) -> str:
        asked = self._ask("buildx", "version")
        match = re.search(r"buildx\s+v?(\d+\.\d+\S*)", asked.text)
        if asked.status:
            raise EngineTrouble(
                "no-buildx",
                "The docker command has no buildx plugin, so it cannot build with BuildKit: install it "
                "(`docker-buildx-plugin` of Docker's packages, `docker-buildx` of Debian's).",
            )
        version = match[1] if match else ""
        if _older(version, LEAST_BUILDX):
            raise EngineTrouble(
                "too-old",
                f"buildx {version} is too old: verify needs {_dotted(LEAST_BUILDX)} or newer; update the plugin.",
            )
        return version or "of unknown version"

    def _driver(self) -> str:
        asked = self._ask("buildx", "inspect", *self._builder)
        if asked.status == 0 and not re.search(r"^Driver:\s*(docker)?\s*$", asked.text, re.MULTILINE):
            # one that is not started yet is started now, as a build would; one that cannot be reached says so only here
            patience = max(ASKED, self._time_limit)
            asked = self._ask("buildx", "inspect", "--bootstrap", *self._builder, patience=patience)
        drivers = re.findall(r"^Driver:\s*(\S+)", asked.text, re.MULTILINE)
        trouble = re.findall(r"^Error:\s*(.+)", asked.text, re.MULTILINE)
        if asked.status or trouble or not drivers:
            why = trouble[0].strip() if trouble else _line(asked.errors) or "it did not answer"
            raise EngineTrouble(
                "no-builder", f"The builder cannot be used ({why}): `docker buildx ls` shows those that there are."
            )
        for version in re.findall(r"(?im)^\s*BuildKit(?: version)?:\s*v(\d\S*)", asked.text):
            if drivers[0] != "docker" and _older(version, LEAST_BUILDKIT):
                raise EngineTrouble(
                    "too-old",
                    f"The builder's BuildKit {version} is too old: verify needs {_dotted(LEAST_BUILDKIT)} or newer; "
                    "create the builder anew.",
                )
        return str(drivers[0])

    # -- builds

    def new_space(self, name: str) -> str:
        """A namespace for cache mounts that nobody else uses. name: lower-case letters and digits."""
        if not re.fullmatch(r"[a-z0-9]+", name):
            raise ValueError(f"no name of a space: {name!r}")
        space = f"{self.session}-{name}"
        self._spaces.add(space)
        return space

    def build(self, request: BuildRequest) -> Build:
        """Build it. A build that fails or takes too long is a Build that is not `ok`.

        Raises EngineTrouble `gone` if the engine ended meanwhile, `disk-full` if there was no space left.
        """
        self._count += 1
        tag = f"{self.session}:{self._count}-{request.side.value}-{request.phase.value}"
        command = [*self._arguments(request, again=False), f"--tag={tag}", "--load"]
        begun, clock = time.time(), time.monotonic()
        deadline = clock + self._time_limit
        progress = Progress(begun)
        with self._start("buildx", "build", *command, str(request.context)) as child:
            lines: queue.SimpleQueue[tuple[bytes, float] | None] = queue.SimpleQueue()
            reader = threading.Thread(target=_read_lines, args=(child.err, lines.put), daemon=True)
            reader.start()
            error = ""
            try:
                while (line := lines.get(timeout=_until(deadline))) is not None:
                    for step in progress.read(*line):
                        if self._on_step:
                            self._on_step(step)
                child.process.wait(_until(deadline))
            except (queue.Empty, subprocess.TimeoutExpired):
                error = self._too_late(progress)
                child.end()
                reader.join(1.0)
                while not lines.empty() and (line := lines.get()) is not None:
                    progress.read(*line)
            status = child.process.returncode
        seconds = time.monotonic() - clock
        image = ""
        if status and not error:
            error = self._why(progress, status)
        if not error:
            image = self._ask("image", "inspect", "--format={{.Id}}", tag, must=True).text.strip()
        if error:
            self._check_engine(progress, error)
        steps = progress.steps()
        side, phase, target = request.side, request.phase, request.target
        return Build(
            side, phase, target, not error, image, seconds, steps, progress.log(), error, repeat=request.repeat
        )

    @contextlib.contextmanager
    def tar(self, request: BuildRequest) -> Iterator[IO[bytes]]:
        """The files of the image that `request` made, as a tar stream, straight from the engine. It is the same build
        once more without `fresh`, so every layer is there already; if one is not, see `reran`.

        Raises EngineTrouble (`gone`, `disk-full`, `no-image`) on leaving it if the stream was not whole, in place of
        what its reader raised because of that.
        """
        command = [*self._arguments(request, again=True), "--output=type=tar,dest=-"]
        progress = Progress(time.time())
        with self._start("buildx", "build", *command, str(request.context)) as child:
            reader = threading.Thread(
                target=_read_lines,
                args=(child.err, lambda line: progress.read(*line) if line else None),
                daemon=True,
            )
            reader.start()
            late = threading.Event()

            def stop() -> None:
                late.set()
                child.end()

            watchdog = threading.Timer(self._time_limit, stop)
            watchdog.daemon = True
            watchdog.start()
            try:
                yield child.out
                while child.out.read(1 << 20):
                    pass
                child.process.wait()
            except Exception as error:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.process.wait(2.0)  # a stream that breaks off, or an error of its reader
                if child.process.poll() is None and not late.is_set():
                    raise
                reader.join(5.0)
                self._check_export(child, progress, late.is_set(), error)
                raise
            finally:
                watchdog.cancel()
            reader.join(5.0)
            self._check_export(child, progress, late.is_set(), None)
        self.reran += [step for step in progress.steps() if step.run and not step.cached]

    def config(self, build: Build) -> dict[str, object]:
        """The image's configuration, as `docker image inspect` shows it: environment, command, user…"""
        text = self._ask("image", "inspect", "--format={{json .Config}}", build.image, must=True).text
        found: dict[str, object] = json.loads(text) or {}
        return found

    def empty_mounts(self, space: str) -> int:
        """Remove the cache mounts of `space`, and no others. Returns how many there were.

        Raises EngineTrouble `mounts-in-use` if one is still used after a while."""
        removed = self._remove_mounts([space], CLEANED)
        if removed is None:
            raise EngineTrouble(
                "mounts-in-use", "The engine does not let go of verify's cache mounts: does a build still run?"
            )
        return removed

    # -- the end

    def __enter__(self) -> Docker:
        self._interrupts.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        try:
            self.close()
        finally:
            self._interrupts.__exit__()

    def close(self) -> None:
        """End what runs, and remove the images and the cache mounts that were made. Once more does no harm, and an
        engine that is gone is no error; `left` says what stays. Signals wait until it is done."""
        with self._interrupts.held():
            for child in self._alive:
                child.end()
            if self._used:
                self._used = False
                self._clean_up()

    def _clean_up(self) -> None:
        # the mounts first: when they are let go, a build that was stopped is over and makes no image any more
        which = " ".join(["docker buildx prune --force", *self._builder, f"--filter description~={self.session}"])
        self._removed(
            self._remove_all_mounts, f"Cache mounts of verify may be left on the engine: `{which}` removes them"
        )
        names = f"docker image ls --filter reference={self.session} --format '{{{{.Repository}}}}:{{{{.Tag}}}}'"
        which = f"docker image rm $({names})"
        self._removed(self._remove_images, f"Images of verify may be left on the engine: `{which}` removes them")

    def _removed(self, remove: Callable[[], None], otherwise: str) -> None:
        """Do it, again for a while if the engine is not there; `otherwise` goes to `left` if that does not help."""
        deadline = time.monotonic() + ASKED_GONE
        while True:
            try:
                return remove()
            except EngineTrouble as trouble:
                if time.monotonic() > deadline:
                    self.left.append(f"{otherwise}. ({trouble.message})")
                    return None
                time.sleep(0.5)

    def _remove_all_mounts(self) -> None:
        if self._remove_mounts(sorted(self._spaces), CLEANED) is None:
            raise EngineTrouble("mounts-in-use", "They are still in use.")

    def _remove_images(self) -> None:
        names = self._ask(
            "image", "ls", f"--filter=reference={self.session}", "--format={{.Repository}}:{{.Tag}}", must=True
        ).text.split()
        for some in _chunks(names):
            self._ask("image", "rm", *some, must=True)

    def _remove_mounts(self, spaces: Sequence[str], patience: float) -> int | None:
        """How many were removed; None if some are still there after `patience` seconds."""
        seen: set[str] = set()
        deadline = 0.0
        while found := self._mounts(spaces):
            if not deadline:
                deadline = time.monotonic() + patience
            elif time.monotonic() > deadline:
                return None
            else:
                time.sleep(0.5)  # one in use was passed over
            seen |= found
            for some in _chunks(sorted(found)):
                self._ask("buildx", "prune", *self._builder, "--force", f"--filter=id=^({'|'.join(some)})$", must=True)
        return len(seen)

    def _mounts(self, spaces: Sequence[str]) -> set[str]:
        """The numbers of the cache mounts of some spaces."""
        if not spaces:
            return set()
        asked = self._ask("buildx", "du", *self._builder, "--filter=type=exec.cachemount", "--format=json")
        if asked.status == 0:
            records = [json.loads(line) for line in asked.text.splitlines() if line.startswith("{")]
            pairs = [(str(record["ID"]), str(record.get("Description", ""))) for record in records]
        elif "unknown flag" in asked.errors:  # before buildx 0.28
            asked = self._ask("buildx", "du", *self._builder, "--filter=type=exec.cachemount", "--verbose", must=True)
            parts = re.split(r"^ID:\s+(?=\w+$)", asked.text, flags=re.MULTILINE)[1:]
            pairs = [(part.split(None, 1)[0], part) for part in parts]
        else:
            raise self._lost(asked)
        # a mount's id is NAMESPACE/ID, and its description ends with it, quoted: the slash ends the namespace
        ours = re.compile(rf' with id "(?:{"|".join(map(re.escape, spaces))})/(?:[^"\\\n]|\\.)*"$', re.MULTILINE)
        return {number for number, description in pairs if ours.search(description)}

    # -- small print

    def _arguments(self, request: BuildRequest, *, again: bool) -> list[str]:
        """Options of a build. again: of one that was done."""
        if request.space not in self._spaces:
            raise ValueError(f"{request.space!r} is no space of this session")
        for text in request.build_args:
            check_build_arg(text)
        fresh = []
        if request.fresh and not again:
            stages = request.fresh if isinstance(request.fresh, tuple) else ()
            fresh = [f"--no-cache-filter={name}" for name in stages] or ["--no-cache"]
        return [
            *self._options,
            "--progress=rawjson",
            "--provenance=false",
            "--sbom=false",
            *fresh,
            *([f"--target={request.target}"] if request.target else []),
            *(f"--build-arg={text}" for text in request.build_args),
            f"--build-arg={NAMESPACE}={request.space}",
            *self._apart(request),
            f"--file={request.dockerfile}",
        ]

    def _apart(self, request: BuildRequest) -> list[str]:
        """What keeps the layers of the two sides apart, and from those of everybody else: a RUN takes no layer from one
        that had another size of /dev/shm (seen with BuildKit 0.25). Without that, a step that both sides have would run
        for the side that is built first, and cost the other one nothing. The size is a few pages above the default."""
        if any(word == "--shm-size" or word.startswith("--shm-size=") for word in self._options):
            return []
        return [f"--shm-size={self._shm + PAGE * (request.side is Side.FIXED)}"]

    def _start(self, *words: str) -> Child:
        self._used = True
        return Child([self._command, *words], self._environment, self._interrupts, self._alive)

    def _ask(self, *words: str, must: bool = False, patience: float = 0.0) -> _Answer:
        """Run a short command. must: EngineTrouble if it fails. patience: seconds, if not as many as usual."""
        with Child([self._command, *words], self._environment, self._interrupts, self._alive) as child:
            try:
                limit = patience or (ASKED_GONE if self._gone else ASKED)
                out, err = child.process.communicate(timeout=limit)
                answer = _Answer(child.process.returncode, _decoded(out), _decoded(err))
            except subprocess.TimeoutExpired:
                answer = _Answer(-1, "", f"no answer to `docker {words[0]}` within {limit:g} s")
                child.end(1.0)
        if must and answer.status:
            raise self._lost(answer)
        return answer

    def _lost(self, answer: _Answer) -> EngineTrouble:
        """Why a question that an engine answers was not answered."""
        if _NO_SPACE.search(answer.errors):
            return _disk_full(answer.errors)
        if "no such image" in answer.errors.lower():
            return EngineTrouble("no-image", f"An image that was built is not there any more ({_line(answer.errors)}).")
        return EngineTrouble("gone", f"The Docker engine does not do as it is told any more ({_line(answer.errors)}).")

    def _too_late(self, progress: Progress) -> str:
        running = [step for step in progress.running() if step.number] or progress.running()
        what = ", ".join(_named(step) for step in running)
        return f"stopped after {self._time_limit:g} s, the time limit" + (f", in {what}" if what else "")

    def _why(self, progress: Progress, status: int) -> str:
        """The engine's error."""
        found = [at for at, line in enumerate(progress.other) if line.startswith("ERROR: ")]
        if found:
            text = "\n".join(progress.other[found[-1] :])[len("ERROR: ") :].strip()
            for words in ("failed to build: ", "failed to solve: "):
                text = text.removeprefix(words)
            return text
        failed = progress.failed()
        said = next((line for line in progress.other if line.strip()), "")
        if status < 0:
            return f"the docker command was ended by signal {-status}"
        return (failed[0].error if failed else "") or said or f"the docker command ended with status {status}"

    def _check_engine(self, progress: Progress, error: str) -> None:
        """Raises EngineTrouble if a build failed because of the engine."""
        failed = progress.failed()
        ran = failed is not None and "did not complete successfully" in failed[0].error
        # the error of a step that ran holds its command, which may say anything
        engines = "" if ran else error
        if _GONE.search(engines) or self._ask("version", "--format={{.Server.Version}}").status:
            self._gone = True
            raise EngineTrouble("gone", f"The Docker engine ended or was cut off during a build ({_line(error)}).")
        if "invalid progress mode" in engines:
            raise EngineTrouble("too-old", f"buildx is too old ({_line(error)}): update the plugin.")
        if _NO_SPACE.search(engines):
            raise _disk_full(engines)
        said = [line for line in failed[1].splitlines()[-40:] if _NO_SPACE.search(line)] if failed else []
        if failed and said:
            raise EngineTrouble(
                "disk-full",
                f"No space left for {_named(failed[0])} ({said[-1].strip()}): make room on the engine's disk "
                "(`docker system df` shows what takes it) or on what the step mounts.",
            )

    def _check_export(self, child: Child, progress: Progress, late: bool, cause: Exception | None) -> None:
        """Raises EngineTrouble if the stream was not whole."""
        if not late and child.process.returncode == 0:
            return
        error = self._too_late(progress) if late else self._why(progress, child.process.returncode)
        self._check_engine(progress, error)
        raise EngineTrouble("no-image", f"The image could not be read: {_line(error)}.") from cause


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    text: str
    errors: str


def _read_lines(pipe: IO[bytes], take: Callable[[tuple[bytes, float] | None], object]) -> None:
    """Hand over each line and when it came, and None at the end."""
    with contextlib.suppress(OSError, ValueError):  # closed under our hands
        for line in pipe:
            take((line, time.time()))
    take(None)


def _until(deadline: float) -> float:
    """Seconds; queue.Empty if it is over, however much there is to read."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise queue.Empty
    return left


def _decoded(text: bytes) -> str:
    return text.decode("utf-8", "replace")


def _line(text: str) -> str:
    """The line with the error, or the first that says something; without `ERROR: ` and a full stop."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    line = next((line for line in lines if line.startswith("ERROR: ")), lines[0] if lines else "")
    return line.removeprefix("ERROR: ").removesuffix(".")


def _named(step: Step) -> str:
    return f"`{step.name}`" + (f" (stage {step.stage})" if step.stage else "")


def _disk_full(error: str) -> EngineTrouble:
    return EngineTrouble(
        "disk-full",
        f"No space left on the engine's disk or on this machine's ({_line(error)}): make room (`docker system df` "
        "shows what the engine takes).",
    )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version.split("+")[0].split("-")[0])[:3])


def _older(version: str, least: tuple[int, ...]) -> bool:
    """False if nothing is known; 0.0.0 is what a build without a version calls itself."""
    found = _numbers(version)
    return any(found) and found[: len(least)] < least


def _dotted(version: Iterable[int]) -> str:
    return ".".join(map(str, version))


def _plain(version: str) -> str:
    """Without what a distribution adds."""
    return version.split("+")[0]


def _chunks(words: Sequence[str], size: int = 100) -> Iterator[Sequence[str]]:
    """In pieces that a command line holds."""
    for start in range(0, len(words), size):
        yield words[start : start + size]
