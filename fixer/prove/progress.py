"""What BuildKit tells while it builds (`--progress=rawjson`), read into the steps of a build."""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
import re
from datetime import datetime, timezone
from itertools import groupby
from operator import itemgetter
from typing import Any

from fixer.prove.model import Step
from fixer.text.records import dataclass, field

_NAME = re.compile(
    r"\[(?:[a-z0-9]+/\S+\ )?"  # the platform: `linux/amd64`, `linux/arm64->amd64`
    r"(?:(?P<stage>[^\s\]]+)\ +)?"
    r"\s*(?P<number>\d+)/\d+\]\ "
    r"(?:ONBUILD\ )?(?P<name>.*)",
    re.DOTALL | re.VERBOSE,
)
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)")


@dataclass(slots=True)
class _Vertex:
    name: str = ""
    started: float | None = None
    completed: float | None = None
    cached: bool = False
    error: str = ""


@dataclass(slots=True)
class Progress:
    """Takes the lines of a build as they come. Times are counted by our own clock, from `begun` (`time.time()`): the
    engine may run on another machine, or in a virtual one, and its clock may be wrong."""

    begun: float
    other: list[str] = field(default_factory=list)
    """The lines that are not JSON: the engine's error at the end, with what stands around it."""
    _vertexes: dict[str, _Vertex] = field(default_factory=dict)
    _log: list[tuple[str, bytes]] = field(default_factory=list)
    """What was printed, in order, each piece with its vertex."""
    _behind: float | None = None
    """How many seconds the engine's clock is behind ours, as far as it is known: the least of what was seen, since a
    record may come late and never early."""

    def read(self, line: bytes, now: float) -> list[Step]:
        """Take one line that arrived at `now` (`time.time()`). Returns the steps that started or ended by it."""
        try:
            record = json.loads(line) if line.startswith(b"{") else None
        except ValueError:
            record = None
        if not isinstance(record, dict) or not record.keys() & {"vertexes", "statuses", "logs", "warnings"}:
            text = line.decode("utf-8", "replace").rstrip("\r\n")
            if text or self.other:
                self.other.append(text)
            return []
        self._set_clock(record, now)
        news = [self._step(vertex) for one in _records(record, "vertexes") if (vertex := self._merge(one)) is not None]
        for log in _records(record, "logs"):
            self._print(str(log.get("vertex", "")), str(log.get("data", "")))
        return news

    def steps(self) -> tuple[Step, ...]:
        """Every step that started, in the order of their starts. One that did not end has `done` False."""
        found = [self._step(vertex) for vertex in self._vertexes.values() if vertex.started is not None]
        return tuple(sorted(found, key=lambda step: step.start))

    def running(self) -> tuple[Step, ...]:
        """The steps that started and did not end."""
        return tuple(step for step in self.steps() if not step.done)

    def failed(self) -> tuple[Step, str] | None:
        """The step that failed (not one that was given up because of it), and what it printed."""
        for digest, vertex in self._vertexes.items():
            if vertex.error and "context canceled" not in vertex.error:
                printed = b"".join(piece for speaker, piece in self._log if speaker == digest)
                return self._step(vertex), printed.decode("utf-8", "replace")
        return None

    def log(self) -> str:
        """What the steps printed, with the name of the step before it, and the lines that are not JSON."""
        pieces = []
        for speaker, group in groupby(self._log, key=itemgetter(0)):
            name = self._vertexes[speaker].name if speaker in self._vertexes else ""
            text = b"".join(piece for _, piece in group).decode("utf-8", "replace")
            pieces.append(f"{name}\n{text}" + ("" if text.endswith("\n") else "\n"))
        return "".join(pieces) + "".join(f"{line}\n" for line in self.other)

    def _merge(self, record: dict[str, Any]) -> _Vertex | None:
        """Enter a record of a vertex. Returns the vertex if it started or ended by that."""
        digest = str(record.get("digest", ""))
        vertex = self._vertexes.setdefault(digest, _Vertex())
        before = (vertex.started, vertex.completed)
        vertex.name = str(record.get("name", "")) or vertex.name
        if (started := _seconds(record.get("started"))) is not None:
            vertex.started, vertex.completed = started, _seconds(record.get("completed"))
            vertex.cached = bool(record.get("cached"))
            vertex.error = str(record.get("error") or "")
        return vertex if vertex.started is not None and before != (vertex.started, vertex.completed) else None

    def _step(self, vertex: _Vertex) -> Step:
        match = _NAME.fullmatch(vertex.name)
        stage, number, name = "", 0, vertex.name
        if match:
            stage, number, name = match["stage"] or "0", int(match["number"]), match["name"]
            if re.fullmatch(r"stage-\d+", stage):  # BuildKit's word for a stage without a name
                stage = stage[6:]
        started = vertex.started or 0.0
        start = max(0.0, started + (self._behind or 0.0) - self.begun)
        done = vertex.completed is not None
        seconds = max(0.0, (vertex.completed or started) - started)
        return Step(name, stage, number, start, seconds, vertex.cached, vertex.error, done=done)

    def _set_clock(self, record: dict[str, Any], now: float) -> None:
        for key in ("vertexes", "statuses", "logs"):
            for one in _records(record, key):
                for name in ("started", "completed", "timestamp"):
                    if (at := _seconds(one.get(name))) is not None:
                        behind = now - at
                        self._behind = behind if self._behind is None else min(self._behind, behind)

    def _print(self, speaker: str, data: str) -> None:
        with contextlib.suppress(binascii.Error, ValueError):
            self._log.append((speaker, base64.b64decode(data)))


def _records(record: dict[str, Any], key: str) -> list[dict[str, Any]]:
    return [one for one in record.get(key) or () if isinstance(one, dict)]


def _seconds(text: object) -> float | None:
    """`2026-11-22T05:14:07.780775643Z` as seconds since 1970. (`datetime.fromisoformat` of 3.10 reads no `Z`, and no
    nine digits.)"""
    match = _TIME.fullmatch(text) if isinstance(text, str) else None
    if not match:
        return None
    zone = "+00:00" if match[3] == "Z" else match[3]
    whole = datetime.fromisoformat(match[1] + zone).astimezone(timezone.utc).timestamp()
    return whole + (float(f"0.{match[2]}") if match[2] else 0.0)
