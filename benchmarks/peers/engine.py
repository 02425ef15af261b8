"""Builds for the judges: the docker command, images and cache mounts of our own, nothing left behind."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import shutil
import subprocess
import tarfile
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STAND_INS = Path(__file__).resolve().parent / "stand_ins"
BUILD_LIMIT, RUN_LIMIT = 300.0, 60.0
"""Seconds. No build here takes a hundredth of it on a machine with nothing else to do."""
LATE = 1_000
"""The status of a command that did not end in time."""
SHM, PAGE = 64 * 1024 * 1024, 4096


class NoEngine(Exception):
    """There is nothing to build with. The message says why."""


@dataclass(frozen=True)
class Built:
    """What came of a build."""

    ok: bool
    tag: str
    log: str

    @property
    def error(self) -> str:
        """The line that says why it failed."""
        lines = [line.strip() for line in self.log.splitlines() if line.strip()]
        said = [line for line in lines if line.startswith("ERROR: ")] or lines or ["it said nothing"]
        text = said[-1].removeprefix("ERROR: ")
        for words in ("failed to build: ", "failed to solve: "):
            text = text.removeprefix(words)
        return text

    @property
    def fetches(self) -> int:
        """How many things the stand-ins of package managers fetched."""
        return len(re.findall(r"^#\d+ [\d.]+ FETCH ", self.log, re.MULTILINE))

    @property
    def said(self) -> str:
        """The last thing that a step that failed said before that, for people."""
        lines = re.findall(r"^#\d+ [\d.]+ (.+)$", self.log, re.MULTILINE)
        return str(lines[-1]) if lines else ""


@dataclass(frozen=True)
class Ran:
    """What came of a container."""

    status: int
    output: str


class Engine:
    """A context: on leaving it, the images and cache mounts that were made are removed."""

    def __init__(self, options: Sequence[str]) -> None:
        """options: for the build of the stand-ins, which fetches Debian packages. All other builds have no network."""
        self.options = tuple(options)
        self.session = f"dockfix-peers-{secrets.token_hex(4)}"
        self.contexts: list[str] = []
        self._count = 0
        self._layers = secrets.randbelow(10_000) * 1_000
        self._lock = threading.Lock()
        self.description = ""

    def __enter__(self) -> Engine:
        if not shutil.which("docker"):
            raise NoEngine("there is no `docker` command")
        server = self._docker("version", "--format={{.Server.Version}}")
        buildx = self._docker("buildx", "version")
        if server.returncode or buildx.returncode:
            raise NoEngine((server.stderr or buildx.stderr).strip())
        versions = [server.stdout.strip(), *re.findall(r"v?\d+\.\d+\.\d\S*", buildx.stdout)[:1]]
        self.description = "Docker Engine {}, buildx {}".format(*(version.split("+")[0] for version in versions))
        return self

    def __exit__(self, *error: object) -> None:
        if late := self._docker("ps", "--all", "--quiet", f"--filter=label={self.session}").stdout.split():
            self._docker("rm", "--force", *late)
        self._remove_mounts(self.session)
        listed = self._docker("image", "ls", f"--filter=reference={self.session}", "--format={{.Repository}}:{{.Tag}}")
        tags = listed.stdout.split()
        for start in range(0, len(tags), 50):
            self._docker("image", "rm", "--force", *tags[start : start + 50])

    def make_images(self, images: Mapping[str, Sequence[str]], jobs: int) -> None:
        """The stand-ins. images: stages of stand_ins/Dockerfile, and what each stands for. Raises NoEngine."""

        def make(stage: str) -> subprocess.CompletedProcess[str]:
            tag = f"dockfix-peers/{stage}"
            words = (*self.options, "--provenance=false", f"--target={stage}", f"--tag={tag}", "--load", str(STAND_INS))
            return self._docker("buildx", "build", *words, limit=1_800)

        with ThreadPoolExecutor(jobs) as pool:
            for made in pool.map(make, images):
                if made.returncode:
                    raise NoEngine(f"the stand-ins cannot be built: {Built(False, '', made.stderr).error}")
        for stage, names in images.items():
            self.contexts += [f"--build-context={name}=docker-image://dockfix-peers/{stage}" for name in names]

    def new_layers(self) -> int:
        """A number for builds whose RUN steps take no layers from builds with another one."""
        with self._lock:
            self._layers += 1
            return self._layers

    def build(self, text: str, context: Path, space: str, layers: int, *, parent: str = "") -> Built:
        """Build a Dockerfile in a directory.

        space: tells the cache mounts of one sequence of builds from those of all others.
        layers: from `new_layers`. (It is the size of /dev/shm in pages, by which BuildKit tells RUN steps apart;
        --no-cache would empty the cache mounts, too.)
        parent: a tag of an earlier build, under the name `parent`.
        """
        with self._lock:
            self._count += 1
            tag = f"{self.session}:{self._count}"
        dockerfile = context.parent / f"{context.name}.Dockerfile"
        dockerfile.write_bytes(without_syntax(text).encode())
        done = self._docker(
            "buildx", "build", "--network=none", "--progress=plain", "--provenance=false", *self.contexts,
            *([f"--build-context=parent=docker-image://{parent}"] if parent else []),
            f"--shm-size={SHM + PAGE * layers}", f"--build-arg=BUILDKIT_CACHE_MOUNT_NS={self.session}-{space}",
            f"--file={dockerfile}", f"--tag={tag}", "--load", str(context), limit=BUILD_LIMIT,
        )  # fmt: skip
        return Built(done.returncode == 0, tag, done.stderr + done.stdout)

    def run(self, tag: str, command: Sequence[str] = (), entrypoint: str | None = None) -> Ran:
        """Run an image: its own command, or another."""
        options = [f"--entrypoint={entrypoint}"] if entrypoint is not None else []
        words = ("run", "--rm", f"--label={self.session}", "--network=none", *options, tag, *command)
        done = self._docker(*words, limit=RUN_LIMIT)
        if done.returncode == LATE:  # a busy machine
            done = self._docker(*words, limit=BUILD_LIMIT)
        return Ran(done.returncode, done.stdout + done.stderr)

    def files(self, tag: str) -> dict[str, bytes]:
        """The regular files and links of an image, by absolute path: what a file holds, where a link points."""
        made = self._docker("create", "--network=none", tag, "nothing")
        container = made.stdout.strip()
        if made.returncode:
            raise NoEngine(f"no container of an image that was built: {made.stderr.strip()}")
        found: dict[str, bytes] = {}
        try:
            with (
                subprocess.Popen(["docker", "export", container], stdout=subprocess.PIPE) as export,
                tarfile.open(fileobj=export.stdout, mode="r|") as tar,
            ):
                for entry in tar:
                    if entry.isfile() and (content := tar.extractfile(entry)):
                        data = content.read()
                        big = len(data) > 65_536
                        found[f"/{entry.name}"] = hashlib.sha256(data).digest() + data[-4096:] if big else data
                    elif entry.issym() or entry.islnk():
                        found[f"/{entry.name}"] = b"-> " + entry.linkname.encode()
        finally:
            self._docker("rm", container)
        return found

    def config(self, tag: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._docker("image", "inspect", "--format={{json .Config}}", tag).stdout)
        return found or {}

    def warnings(self, text: str, context: Path) -> list[str]:
        """What `docker build --check` says of it: names of rules."""
        dockerfile = context.parent / f"{context.name}.check"
        dockerfile.write_bytes(without_syntax(text).encode())
        done = self._docker(
            "buildx", "build", *self.contexts, "--call=check,format=json", f"--file={dockerfile}", str(context)
        )
        start = done.stdout.find("{")
        if start < 0:
            raise NoEngine(f"--check does not work: {Built(False, '', done.stderr).error}")
        return sorted(str(found["ruleName"]) for found in json.loads(done.stdout[start:]).get("warnings") or ())

    def empty(self, space: str) -> None:
        """Remove the cache mounts of one sequence of builds."""
        self._remove_mounts(f"{self.session}-{space}/")

    def _remove_mounts(self, prefix: str) -> None:
        listed = self._docker("buildx", "du", "--filter=type=exec.cachemount", "--format=json")
        records = [json.loads(line) for line in listed.stdout.splitlines() if line.startswith("{")]
        ours = [str(r["ID"]) for r in records if f'with id "{prefix}' in str(r.get("Description", ""))]
        for start in range(0, len(ours), 50):
            which = f"--filter=id=^({'|'.join(ours[start : start + 50])})$"
            self._docker("buildx", "prune", "--force", which)

    def _docker(self, *words: str, limit: float = 120.0) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                ["docker", *words], capture_output=True, text=True, errors="replace", timeout=limit, check=False,
                stdin=subprocess.DEVNULL,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(words, LATE, "", f"ERROR: not done within {limit:g} s")


def without_syntax(text: str) -> str:
    """Without the line that names a frontend, so that none is fetched: the engine's own is as good for all cases."""
    return re.sub(r"\A#\s*syntax\s*=.*\n", "", text)
