"""A BuildKit engine for tests: build a Dockerfile, run the image, read its files, compare what `fixer.fix` changes.

Everything goes through the docker command. Each build has a time limit, and cache mounts in a namespace of this test
session (the build argument BUILDKIT_CACHE_MOUNT_NS), so that nobody else's caches are used, filled or emptied.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import shutil
import subprocess
import tarfile
import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import fixer

PROJECTS = Path(__file__).parent / "projects"
OWN = "dockfix-e2e/"
"""What the names of images begin with that a test makes for another build to start from."""
BUILD_LIMIT = 300
"""Seconds that one build may take. The slowest takes a tenth of it on two cores with nothing else to do."""
TAIL = 40
"""Lines of a build's log that a failed test shows."""


class Step(NamedTuple):
    """One step of a build, as the log names it: `[builder 4/4] RUN cargo build`."""

    name: str
    cached: bool


@dataclass(frozen=True)
class Build:
    """What came of one build."""

    ok: bool
    image: str
    """Its id; empty if the build failed."""
    log: str
    seconds: float

    @property
    def tail(self) -> str:
        return _tail(self.log)

    @property
    def steps(self) -> tuple[Step, ...]:
        """Every instruction that the engine looked at, in the order of the log."""
        names = dict(re.findall(r"^#(\d+) (\[(?!internal).*)$", self.log, re.MULTILINE))
        cached = set(re.findall(r"^#(\d+) CACHED$", self.log, re.MULTILINE))
        return tuple(Step(name, number in cached) for number, name in names.items())

    def step(self, text: str) -> Step:
        """The one step with `text` in its name."""
        found = [step for step in self.steps if text in step.name]
        assert len(found) == 1, f"{len(found)} steps with {text!r}\n{self.tail}"
        return found[0]


@dataclass(frozen=True)
class Entry:
    """What a path of an image is. Times are left out: no two builds agree on them."""

    kind: str
    mode: int
    uid: int
    gid: int
    size: int
    content: str
    """Digest of a file, target of a link."""


def _tail(log: str) -> str:
    return "\n".join(log.splitlines()[-TAIL:])


@dataclass
class Engine:
    """The docker command, with a namespace of our own and a record of what has to be removed in the end."""

    scratch: Path
    session: str
    """A word that no other session uses. It names our caches."""
    images: set[str] = field(default_factory=set)
    spent: list[tuple[str, float]] = field(default_factory=list)

    def build(
        self,
        context: Path,
        dockerfile: str,
        *,
        space: str = "",
        options: Sequence[str] = (),
        bases: Mapping[str, str] | None = None,
        must: bool = True,
    ) -> Build:
        """Build the text `dockerfile` with `context`.

        space: tells cache mounts apart; two builds share caches if they give the same.
        bases: images to take in place of those that FROM names.
        must: a build that fails fails the test.
        """
        out = self.scratch / "iid"
        out.unlink(missing_ok=True)
        started = time.monotonic()
        done = self._build(context, dockerfile, space, ["--iidfile", str(out), *options], bases)
        seconds = time.monotonic() - started
        image = out.read_text().strip() if done.returncode == 0 and out.exists() else ""
        result = Build(done.returncode == 0, image, done.stdout + done.stderr, seconds)
        if image:
            self.images.add(image)
        self.spent.append((f"{'built' if result.ok else 'failed'} {context.name}", seconds))
        if must:
            assert result.ok, f"the build failed:\n{result.tail}"
        return result

    def files(
        self, context: Path, dockerfile: str, *, space: str = "", options: Sequence[str] = ()
    ) -> dict[str, Entry]:
        """Every path of the image that this makes, without `/`. What has been built already comes from the cache."""
        out = self.scratch / "image.tar"
        started = time.monotonic()
        done = self._build(context, dockerfile, space, ["--output", f"type=tar,dest={out}", *options], None)
        self.spent.append((f"exported {context.name}", time.monotonic() - started))
        assert done.returncode == 0, f"the export failed:\n{_tail(done.stderr)}"
        try:
            with tarfile.open(out) as tar:
                return {member.name.rstrip("/"): _entry(tar, member) for member in tar}
        finally:
            out.unlink()

    def config(self, image: str) -> dict[str, object]:
        """What `docker inspect` calls Config: environment, command, user, labels…"""
        done = self._docker("inspect", "--format", "{{json .Config}}", image)
        config: dict[str, object] = json.loads(done)
        return config

    def run(self, image: str, *command: str) -> str:
        """What the image's program (or `command` in it) prints."""
        return self._docker("run", "--rm", "--network=none", image, *command).strip()

    def warnings(self, context: Path, dockerfile: str, bases: Mapping[str, str] | None = None) -> Counter[str]:
        """What `docker build --check` says, each rule as often as it says it."""
        done = self._build(context, dockerfile, "", ["--call", "check,format=json"], bases)
        start = done.stdout.find("{")
        assert start >= 0, f"--check failed:\n{_tail(done.stderr)}"
        found = json.loads(done.stdout[start:])
        assert not found.get("buildError"), found["buildError"]
        return Counter(f"{warning['ruleName']}: {warning.get('detail', '')}" for warning in found["warnings"] or ())

    def prune_mounts(self, space: str) -> int:
        """Remove the cache mounts of `space`, and nobody else's. Returns how many there were."""
        return self._prune_mounts(self._namespace(space) + "/")

    def close(self) -> None:
        """Remove what this session left on the engine: its images and its cache mounts."""
        if self.images:
            subprocess.run(["docker", "rmi", "--force", *self.images], capture_output=True, timeout=120, check=False)
        self._prune_mounts(f"dockfix-e2e-{self.session}-")

    def _prune_mounts(self, prefix: str) -> int:
        listed = self._docker("buildx", "du", "--verbose", "--filter", "type=exec.cachemount")
        # the id of a cache mount is NAMESPACE/ID, and the description of its record ends with it
        ours = [
            match[1]
            for record in listed.split("\n\n")
            if f'with id "{prefix}' in record and (match := re.search(r"^ID:\s+(\S+)", record, re.MULTILINE))
        ]
        if ours:
            self._docker("buildx", "prune", "--force", "--filter", f"id=^({'|'.join(ours)})$")
        return len(ours)

    def _namespace(self, space: str) -> str:
        return f"dockfix-e2e-{self.session}-{space}"

    def _build(
        self, context: Path, dockerfile: str, space: str, options: Iterable[str], bases: Mapping[str, str] | None
    ) -> subprocess.CompletedProcess[str]:
        at = self.scratch / "Dockerfile"
        at.write_bytes(dockerfile.encode("utf-8", "surrogateescape"))
        contexts = [f"--build-context={name}=docker-image://{image}" for name, image in (bases or {}).items()]
        command = [
            "docker",
            "build",
            "--network=host",
            "--provenance=false",
            "--progress=plain",
            f"--build-arg=BUILDKIT_CACHE_MOUNT_NS={self._namespace(space)}",
            *contexts,
            *options,
            f"--file={at}",
            str(context),
        ]
        try:
            return subprocess.run(command, capture_output=True, text=True, timeout=BUILD_LIMIT, check=False)
        except subprocess.TimeoutExpired as late:
            log = (late.stderr or b"").decode("utf-8", "replace")  # bytes, whatever `text` says
            raise AssertionError(f"not built after {BUILD_LIMIT} s:\n{_tail(log)}") from late

    def _docker(self, *arguments: str) -> str:
        done = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, f"docker {' '.join(arguments)}: {_tail(done.stderr)}"
        return done.stdout


def _entry(tar: tarfile.TarFile, member: tarfile.TarInfo) -> Entry:
    content = member.linkname
    if member.isreg():
        data = tar.extractfile(member)
        assert data is not None
        content = hashlib.sha256(data.read()).hexdigest()
    kind = member.type.decode("ascii")
    return Entry(kind, member.mode, member.uid, member.gid, member.size if member.isreg() else 0, content)


def differences(one: Mapping[str, Entry], other: Mapping[str, Entry]) -> set[str]:
    """The paths that two images do not have in common, or not alike."""
    return {path for path in one.keys() | other.keys() if one.get(path) != other.get(path)}


@dataclass
class Project:
    """A copy of a folder of `projects`, to build from and to edit."""

    engine: Engine
    folder: Path
    mark: str
    """A word that no other copy uses, of this session or another: it stands in the sources for `@mark@`, where a layer
    of another copy must not answer. (It would bring the old times of the files: one of the stories that are told here,
    but not in every test.)"""

    def text(self, name: str = "Dockerfile") -> str:
        return (self.folder / name).read_text()

    def write(self, name: str, text: str) -> Path:
        """Write a file of the context, `@mark@` replaced, and return its path."""
        path = self.folder / name
        path.write_text(text.replace("@mark@", self.mark))
        return path

    def edit(self, name: str, old: str, new: str) -> Path:
        """Replace the one `old` in a file of the context, and return its path."""
        text = self.text(name)
        assert text.count(old) == 1, f"{name} holds {old!r} {text.count(old)} times"
        return self.write(name, text.replace(old, new))

    def build(self, dockerfile: str, **options: object) -> Build:
        return self.engine.build(self.folder, dockerfile, **options)  # type: ignore[arg-type]

    def files(self, dockerfile: str, **options: object) -> dict[str, Entry]:
        return self.engine.files(self.folder, dockerfile, **options)  # type: ignore[arg-type]

    def fix(
        self,
        dockerfile: str,
        *changes: str,
        project: str | None = None,
        select: Collection[str] | None = None,
        bases: Mapping[str, str] | None = None,
    ) -> str:
        """What `fixer.fix` makes of a text. The codemods that changed something are exactly `changes`; nothing is left
        to do in the result; and BuildKit's own check has nothing to say that it had not said before."""
        outcome = fixer.fix(dockerfile, path="Dockerfile", project=project, select=select)
        assert outcome.error is None
        assert {change.codemod for change in outcome.changes} == set(changes), outcome.refusals
        assert not [refusal for refusal in outcome.refusals if refusal.reason == "internal-error"]
        again = fixer.fix(outcome.after, path="Dockerfile", project=project, select=select)
        assert again.after == outcome.after
        new = self.engine.warnings(self.folder, outcome.after, bases)
        new.subtract(self.engine.warnings(self.folder, dockerfile, bases))
        assert not +new, f"new warnings of docker build --check: {+new}\n{outcome.after}"
        return outcome.after


def copy_project(engine: Engine, name: str, to: Path) -> Project:
    """The folder `projects/NAME` below `to`, `@mark@` replaced in its files."""
    project = Project(engine, to / name, str(secrets.randbelow(10**12)))
    shutil.copytree(PROJECTS / name, project.folder)
    for path in project.folder.rglob("*"):
        if path.is_file() and b"@mark@" in path.read_bytes():
            project.write(str(path.relative_to(project.folder)), path.read_text())
    return project
