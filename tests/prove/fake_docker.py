"""An engine made of plain Python: what a build gives is a function of what BuildKit would be given."""

from __future__ import annotations

import io
import itertools
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from fixer.prove.docker import BuildRequest
from fixer.prove.model import Build, Side, Step

Files = dict[str, bytes]


class Fails(Exception):
    """The build ends with this error."""


class Moment:
    """What one build sees.

    files: the build context. text: the Dockerfile. mount: the cache mounts of its namespace, kept between builds and
    emptied by `--no-cache`. layers: what this side has made, kept as long as the engine. rerun: whether a changed step
    is made to run again although nothing that it reads has changed.
    """

    def __init__(self, request: BuildRequest, mount: dict[str, Any], layers: dict[str, Any], number: int) -> None:
        self.request = request
        self.mount = mount
        self.layers = layers
        self.number = number
        self.text = request.dockerfile.read_bytes().decode("utf-8", "surrogateescape")
        self.rerun = "DOCKFIX_VERIFY" in self.text

    @property
    def fixed(self) -> bool:
        return self.request.side is Side.FIXED

    def read(self, name: str) -> bytes:
        return (self.request.context / name).read_bytes()

    @property
    def files(self) -> list[str]:
        folder: Path = self.request.context
        return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


class FakeDocker:
    """`make` says what files a build gives; it may raise Fails, or anything else."""

    description = "Fake Engine 1, buildx 2, driver fake"

    def __init__(
        self, make: Callable[[Moment], Files], config: Callable[[Build], dict[str, object]] | None = None
    ) -> None:
        self.make = make
        self.requests: list[BuildRequest] = []
        self.emptied: list[str] = []
        self.closed = False
        self.same_ids = False
        """Whether images with the same files have the same id, as with an engine that takes all from its cache."""
        self.read: list[BuildRequest] = []
        """Those whose image was read."""
        self.left: list[str] = []
        self.reran: list[Step] = []
        self.mounts: dict[str, dict[str, Any]] = {}
        self.layers: dict[Side, dict[str, Any]] = {side: {} for side in Side}
        self.contexts: set[Path] = set()
        self._config = config
        self._made: Files = {}
        self._numbers = itertools.count(1)

    def new_space(self, name: str) -> str:
        assert name.isalnum()
        self.mounts[name] = {}
        return name

    def build(self, request: BuildRequest) -> Build:
        number = next(self._numbers)
        self.requests.append(request)
        self.contexts.add(request.context)
        if request.fresh is True:
            self.mounts[request.space].clear()
        moment = Moment(request, self.mounts[request.space], self.layers[request.side], number)
        steps = (Step("RUN make", "0", 2, 0.5, float(number), False),)
        error = ""
        try:
            self._made = self.make(moment)
        except Fails as failure:
            error = str(failure)
        one = request
        image = f"sha256:{hash(str(self._made))}" if self.same_ids else f"sha256:{number}"
        return Build(
            one.side, one.phase, one.target, not error, "" if error else image, number + 1.0, steps,
            f"log of {number}\n", error, one.repeat,
        )  # fmt: skip

    @contextmanager
    def tar(self, request: BuildRequest) -> Iterator[IO[bytes]]:
        """Of the build before, whose request it must be, but for `fresh`."""
        built = self.requests[-1]
        assert (built.side, built.phase, built.target, built.dockerfile) == (
            request.side, request.phase, request.target, request.dockerfile,
        )  # fmt: skip
        assert not request.fresh
        self.read.append(request)
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w") as tar:
            for name, content in self._made.items():
                member = tarfile.TarInfo(name.lstrip("/"))
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
        yield io.BytesIO(stream.getvalue())

    def config(self, build: Build) -> dict[str, object]:
        assert build.image
        return self._config(build) if self._config else {"Env": ["PATH=/bin"]}

    def empty_mounts(self, space: str) -> int:
        self.emptied.append(space)
        count = len(self.mounts[space])
        self.mounts[space].clear()
        return count

    def close(self) -> None:
        self.closed = True

    def __enter__(self) -> FakeDocker:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
