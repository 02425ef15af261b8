"""Who says whether a rewrite is right: the same for all tools, dockfix too.

Two kinds of judges. Those of the *text* need no engine: does BuildKit's parser take it, are instructions, parser
directives or comments gone, how large is the change. Those of the *builds* compare with the original under the same
treatment, so that what fails there is nobody's fault:

- `first`: from nothing. It builds, its command does as before, and no file of the original image is gone or other
  (but for caches). A health check that it has now can be run.
- `missing`: a package that must be there does not exist. The build fails, as the original's does.

And where there are cache mounts, without which nothing outlives a build but layers, which BuildKit vouches for:

- `edit`: after an edit of one file, or of one word of the Dockerfile. The edit is in the new image.
- `back`: the edit taken back, files with their old times, every RUN run again with warm cache mounts. The edit is gone.
- `evicted`: another edit, with cache mounts emptied and the layers kept, as on a new builder with a layer cache.

A fault is `broken` if a build fails, or would; `silent` if all builds pass and the result is wrong.
In doubt for the tool: a COPY that became bind mounts is not gone; images that only some tool names are stood in for if
they exist; users and groups that it adds, files that it moves and files of package caches count as no difference; a
health check is only wrong if its program is not in the image; a container that does not end in time gets more of it.
"""

from __future__ import annotations

import difflib
import os
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from posixpath import normpath
from typing import Protocol

import dockerfile

from benchmarks.peers.cases import FIRST, WORD, Case
from benchmarks.peers.engine import Built, Ran

BROKEN, SILENT = "broken", "silent"
OLD = 1_577_836_800
"""The time of files that were not edited: 2020-01-01, older than everything that a build makes."""
CACHES = re.compile(
    r"/(var/cache|var/lib/apt|var/log|tmp|var/tmp|etc/apk/cache"
    r"|(root|home/\w+)/\.(cache|npm|cargo|nuget|m2|gem|bundle)"
    r"|usr/local/cargo/(registry|git)|usr/local/bundle/cache|go/pkg)/"
    r"|/etc/(apt/apt\.conf\.d/.*|passwd-?|group-?|shadow-?|gshadow-?|subuid-?|subgid-?|hosts|hostname|resolv\.conf|mtab)$"
    r"|/(\.dockerenv|dev/.*|home/\w+/\..*)$"
)
"""Paths that may differ."""
_INSTRUCTIONS = {
    "ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER", "ONBUILD",
    "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
}  # fmt: skip
_MERGED = {"RUN", "ENV", "LABEL", "EXPOSE"}
"""Of which several may become one."""
_DIRECTIVE = re.compile(r"#\s*(syntax|escape|check)\s*=\s*(.+?)\s*$", re.IGNORECASE)


@dataclass(frozen=True)
class Fault:
    """What is wrong with a result."""

    kind: str
    """BROKEN or SILENT."""
    phase: str
    """`text`, or one of the builds."""
    what: str


@dataclass(frozen=True)
class Size:
    """Of a change, in lines."""

    added: int
    removed: int
    blank: int
    """Of these, empty ones."""
    respaced: int
    """Of these, removed ones that stand among the added ones with other blanks."""

    @property
    def changed(self) -> int:
        return self.added + self.removed

    @property
    def extra(self) -> int:
        """Lines that no fix needs: blank ones, and both sides of those that only got other blanks."""
        return self.blank + 2 * self.respaced


# -- the text


def parse_fault(text: str) -> str:
    """Why BuildKit's parser, or what comes behind it, would not take it; empty if it would."""
    try:
        commands = dockerfile.parse_string(text)
    except (dockerfile.GoParseError, ValueError) as error:
        return str(error)
    for command in commands:
        if command.cmd.upper() not in _INSTRUCTIONS:
            return f"unknown instruction: {command.cmd}"
    if not any(command.cmd.upper() == "FROM" for command in commands):
        return "no FROM"
    return ""


def lost_comments(before: str, after: str) -> list[str]:
    return sorted((_comments(before) - _comments(after)).elements())


def lost_instructions(before: str, after: str) -> list[str]:
    """Kinds of which there are fewer (RUN, ENV… may be merged, but not go altogether), and parser directives. A COPY
    whose sources some RUN has bind mounts of now is not gone: what it was for is a question for the builds."""
    lost = []
    try:
        was, now = dockerfile.parse_string(before), dockerfile.parse_string(after)
    except (dockerfile.GoParseError, ValueError):
        was, now = (), ()
    old, new = (Counter(command.cmd.upper() for command in commands) for commands in (was, now))
    bound = _bound(now)
    for name in sorted(old):
        gone = int(not new[name]) if name in _MERGED else old[name] - new[name]
        if name in ("COPY", "ADD") and gone > 0:
            missing = _transfers(was, name) - _transfers(now, name)
            gone -= sum(count for sources, count in missing.items() if bound.issuperset(sources))
        lost += [name] * max(gone, 0)
    return lost + sorted(_directives(before).keys() - _directives(after).keys())


def _transfers(commands: Iterable[dockerfile.Command], name: str) -> Counter[tuple[str, ...]]:
    """What instructions of that name take from the build context."""
    return Counter(
        tuple(map(normpath, command.value[:-1]))
        for command in commands
        if command.cmd.upper() == name and not any(flag.startswith("--from") for flag in command.flags)
    )


def _bound(commands: Iterable[dockerfile.Command]) -> set[str]:
    """The files of the build context that some RUN has a bind mount of."""
    found = set()
    for command in commands:
        for flag in command.flags if command.cmd.upper() == "RUN" else ():
            fields = dict(part.partition("=")[::2] for part in flag.removeprefix("--mount=").split(","))
            source = fields.get("source") or fields.get("src")
            if fields.get("type", "bind") == "bind" and "from" not in fields and source:
                found.add(normpath(source))
    return found


def size(before: str, after: str) -> Size:
    """How many lines a diff has."""
    old, new = before.splitlines(), after.splitlines()
    removed, added = [], []
    for kind, start, end, new_start, new_end in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind != "equal":
            removed += old[start:end]
            added += new[new_start:new_end]
    blank = sum(not line.strip() for line in removed + added)
    shared = _unspaced(removed) & _unspaced(added)
    return Size(len(added), len(removed), blank, shared.total())


def judge_text(before: str, after: str) -> list[Fault]:
    faults = []
    if not parse_fault(before) and (why := parse_fault(after)):
        faults.append(Fault(BROKEN, "text", f"does not parse: {why}"))
    lost = lost_instructions(before, after)
    if lost and not faults:
        faults.append(Fault(SILENT, "text", f"gone: {', '.join(lost)}"))
    return faults


def _comments(text: str) -> Counter[str]:
    lines = (line.strip() for line in text.splitlines())
    return Counter(line for line in lines if line.startswith("#") and not _DIRECTIVE.match(line))


def _directives(text: str) -> dict[str, str]:
    found = {}
    for line in text.splitlines():
        if not (match := _DIRECTIVE.match(line)):
            break
        found[match[1].lower()] = match[2]
    return found


def _unspaced(lines: Sequence[str]) -> Counter[str]:
    return Counter(text for line in lines if (text := "".join(line.split())))


# -- the builds


class Builder(Protocol):
    """What `engine.Engine` does."""

    def new_layers(self) -> int: ...
    def build(self, text: str, context: Path, space: str, layers: int, *, parent: str = ...) -> Built: ...
    def run(self, tag: str, command: Sequence[str] = ..., entrypoint: str | None = ...) -> Ran: ...
    def files(self, tag: str) -> dict[str, bytes]: ...
    def config(self, tag: str) -> dict[str, object]: ...
    def empty(self, space: str) -> None: ...


@dataclass(frozen=True)
class Seen:
    """One build of a sequence, and what was seen of its image."""

    ok: bool
    error: str = ""
    """Why the build failed."""
    ran: Ran | None = None
    """Its command."""
    arrived: bool = False
    """Whether the word that it should have is in what it prints, or in its files."""
    fetches: int = 0
    files: Mapping[str, bytes] = field(default_factory=dict)
    health: str = ""
    """Why its health check cannot be run, if it has one that cannot."""


def watch(builder: Builder, case: Case, text: str, folder: Path, name: str) -> dict[str, Seen]:
    """Build a Dockerfile in all phases that there are for it. name: of this sequence, with letters and digits only."""
    folder.mkdir(parents=True, exist_ok=True)
    sequence = _Sequence(builder, case, text, folder, name)
    seen = {"first": sequence.build(FIRST, whole=True)}
    if case.must:
        seen["missing"] = sequence.attempt(case.without(text))
    if seen["first"].ok and "type=cache" in text:
        seen["edit"] = sequence.build(f"edit{name}")
        seen["back"] = sequence.build(FIRST, again=True)
        builder.empty(name)
        seen["evicted"] = sequence.build(f"late{name}")
    return seen


def judge_builds(original: Mapping[str, Seen], result: Mapping[str, Seen]) -> list[Fault]:
    """What is wrong with the builds of a result, other than what is wrong with those of the original."""
    faults = []
    for phase, seen in result.items():
        was = original.get(phase, original["first"])
        if phase == "missing":
            if seen.ok and not was.ok:
                faults.append(Fault(SILENT, phase, "the failure of an install no longer fails the build"))
            continue
        if not seen.ok:
            if was.ok:
                faults.append(Fault(BROKEN, phase, seen.error))
            continue
        faults += [Fault(SILENT, phase, what) for what in _differences(was, seen, phase)]
    return faults


def mended(original: Mapping[str, Seen], result: Mapping[str, Seen]) -> bool:
    """Whether the original does not build, and the result does, with all edits in it."""
    return not original["first"].ok and all(seen.ok and seen.arrived for seen in result.values())


def _differences(was: Seen, seen: Seen, phase: str) -> Iterator[str]:
    if not was.ok:  # a result that builds where the original does not: only what it shows itself can be judged
        if not seen.arrived:
            yield "the image holds something else than the sources"
        return
    if was.ran and seen.ran and was.ran.status == 0 and seen.ran.status:
        yield f"the image does not start: {_line(seen.ran.output)}"
    elif was.arrived and not seen.arrived:
        yield "the edit is not in the image" if phase != "back" else "what was taken back is still in the image"
    elif was.ran and seen.ran and was.ran.status != seen.ran.status:
        yield f"its command ends with {seen.ran.status}, not {was.ran.status}"
    if phase == "first":
        there = {(path.rpartition("/")[2], data) for path, data in seen.files.items()}
        gone = [
            path
            for path, data in was.files.items()
            if path not in seen.files and not CACHES.search(path) and (path.rpartition("/")[2], data) not in there
        ]
        other = [
            path for path, data in was.files.items() if seen.files.get(path, data) != data and not CACHES.search(path)
        ]
        if gone:
            yield f"gone from the image: {_some(gone)}"
        if other:
            yield f"other in the image: {_some(other)}"
        if seen.health and not was.health:
            yield f"its health check can never pass: {seen.health}"


class _Sequence:
    """Builds of one Dockerfile after one another, with one context and one set of cache mounts."""

    def __init__(self, builder: Builder, case: Case, text: str, folder: Path, name: str) -> None:
        self.builder, self.case, self.text, self.name = builder, case, text, name
        self.context, self.child = folder / "context", folder / "child"
        self.context.mkdir()
        self.layers = builder.new_layers()

    def attempt(self, text: str) -> Seen:
        """Only whether it builds."""
        built = self.builder.build(text, self.context, self.name, self.builder.new_layers())
        return Seen(built.ok, "" if built.ok else built.error)

    def build(self, word: str, *, again: bool = False, whole: bool = False) -> Seen:
        """again: no RUN step takes a layer of an earlier build."""
        case = self.case
        if again:
            self.layers = self.builder.new_layers()
        write(self.context, case.context(word), new=word if word != FIRST else "")
        built = self.builder.build(case.edited(self.text, word), self.context, self.name, self.layers)
        fetches = built.fetches
        if built.ok and case.child:
            self.child.mkdir(exist_ok=True)
            write(self.child, {path: text.replace(WORD, word) for path, text in case.child.items()}, new=word)
            built = self.builder.build("FROM parent\n", self.child, self.name, self.layers, parent=built.tag)
            fetches += built.fetches
        if not built.ok:
            return Seen(False, _why(built), fetches=fetches)
        expected = case.expected(word)
        ran = self.builder.run(built.tag, [part.replace(WORD, expected) for part in case.command])
        files: Mapping[str, bytes] = {}
        arrived = expected in ran.output
        if whole or not case.prints:
            files = self.builder.files(built.tag)
        if not case.prints:
            arrived = any(expected in path or expected.encode() in data for path, data in files.items())
        health = _health(self.builder, built.tag) if whole and "HEALTHCHECK" in self.text.upper() else ""
        return Seen(True, "", ran, arrived, fetches, files if whole else {}, health)


def write(folder: Path, files: Mapping[str, str], new: str) -> None:
    """A context, with old times; files that hold the word `new` are as young as they are."""
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o755 if text.startswith("#!") else 0o644)
        moment = time.time() if new and new in text else OLD
        os.utime(file, (moment, moment))


def _health(builder: Builder, tag: str) -> str:
    """Why the health check of an image can never pass, if it is because its program cannot be started."""
    check = builder.config(tag).get("Healthcheck")
    test = check.get("Test") if isinstance(check, dict) else None
    if not isinstance(test, list) or len(test) < 2:
        return ""
    words = ["/bin/sh", "-c", *test[1:]] if test[0] == "CMD-SHELL" else test[1:]
    ran = builder.run(tag, words[1:], entrypoint=words[0])
    return _line(ran.output) if re.search(r"not found|no such file", ran.output, re.IGNORECASE) else ""


def _why(built: Built) -> str:
    error = built.error
    return f"{error} ({built.said})" if "did not complete successfully" in error and built.said else error


def _line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()] or ["nothing said"]
    return next((line for line in lines if "rror" in line or "not found" in line), lines[0])


def _some(paths: Sequence[str], most: int = 3) -> str:
    more = f" and {len(paths) - most} more" if len(paths) > most else ""
    return ", ".join(sorted(paths)[:most]) + more
