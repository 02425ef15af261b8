"""Files: find Dockerfiles, read them, write them. All trouble is a `FileTrouble` with a `Problem`."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from fixer.engine.outcome import Problem
from fixer.text.records import dataclass, field

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

MAX_SIZE = 16 * 1024 * 1024
"""Bytes. BuildKit receives a Dockerfile in one message of at most 16,777,216 bytes and fails above it (shown with a
file of 20 MB on v0.25)."""


class FileTrouble(Exception):
    """A file that cannot be read or written."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.problem = Problem(kind, message)


@dataclass(slots=True)
class Found:
    """What `find` found. Both in the order of their paths, each file once."""

    files: list[str] = field(default_factory=list)
    problems: list[tuple[str, Problem]] = field(default_factory=list)


# --- find ----------------------------------------------------------------------------------------------------------


def is_dockerfile_name(name: str) -> bool:
    """Dockerfile, Dockerfile.*, *.Dockerfile, *.dockerfile and the same with Containerfile; in lower case only as a
    whole name. An ignore file is none."""
    if name.endswith((".dockerignore", ".containerignore")):
        return False
    if name in ("dockerfile", "containerfile"):
        return True
    return name.startswith(("Dockerfile.", "Containerfile.")) or name.endswith(
        (".Dockerfile", ".dockerfile", ".Containerfile", ".containerfile")
    ) or name in ("Dockerfile", "Containerfile")


def find(paths: Iterable[str]) -> Found:
    """The Dockerfiles at and below `paths`. A file that is named is always taken, whatever it is called; a directory is
    walked, without what Git ignores (.gitignore files, also of directories above inside the same repository, and
    .git/info/exclude). Symbolic links are followed to files inside the directory only, and the same file is taken once.
    """
    found = Found()
    seen: set[str] = set()
    for path in dict.fromkeys(paths):
        if not os.path.isdir(path):
            try:
                os.lstat(path)
            except OSError as error:
                found.problems.append((path, _os_problem(error)))
            else:
                _take(path, found, seen)
            continue
        before = len(found.files), len(found.problems), len(seen)
        for file in _walk(path, found.problems):
            _take(file, found, seen)
        if before == (len(found.files), len(found.problems), len(seen)) and not _has_any(path, seen):
            found.problems.append((path, Problem("no-dockerfiles", "no Dockerfiles in this directory.")))
    found.files.sort()
    found.problems.sort()
    return found


def _take(path: str, found: Found, seen: set[str]) -> None:
    real = os.path.realpath(path)
    if real not in seen:
        seen.add(real)
        found.files.append(path)


def _has_any(directory: str, seen: Iterable[str]) -> bool:
    """True if a file below was taken already, by another argument."""
    inside = os.path.join(os.path.realpath(directory), "")
    return any(path.startswith(inside) for path in seen)


def _walk(top: str, problems: list[tuple[str, Problem]]) -> Iterator[str]:
    """Depth first without recursion. `rules` of a directory are those of all directories above it and its own."""
    inside = os.path.join(os.path.realpath(top), "")
    stack: list[tuple[str, tuple[_Rules, ...]]] = [(top, _rules_above(top))]
    while stack:
        directory, rules = stack.pop()
        try:
            with os.scandir(directory) as entries:
                here = sorted(entries, key=lambda e: e.name)
        except OSError as error:
            problems.append((directory, _os_problem(error)))
            continue
        absolute = os.path.abspath(directory)
        names = {entry.name for entry in here}
        if ".git" in names:  # a repository of its own: what stands around it has no say
            rules = _read_rules(os.path.join(directory, ".git", "info", "exclude"), absolute)
        if ".gitignore" in names:
            rules += _read_rules(os.path.join(directory, ".gitignore"), absolute)
        for entry in here:
            wanted = is_dockerfile_name(entry.name)
            if entry.is_dir(follow_symlinks=False):
                if entry.name != ".git" and not _ignored(os.path.join(absolute, entry.name), True, rules):
                    stack.append((_join(directory, entry.name), rules))
            elif wanted and _is_inside(entry, inside) and not _ignored(
                os.path.join(absolute, entry.name), False, rules
            ):
                yield _join(directory, entry.name)


def _is_inside(entry: os.DirEntry[str], inside: str) -> bool:
    """False for a link to a directory, to nothing, or out of the tree."""
    if not entry.is_symlink():
        return True
    return os.path.isfile(entry.path) and os.path.realpath(entry.path).startswith(inside)


def _join(directory: str, name: str) -> str:
    return name if directory == os.curdir else os.path.join(directory, name)


# --- ignore files --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Rules:
    """The patterns of one ignore file, and the directory that they are relative to."""

    base: str
    spec: GitIgnoreSpec


def _read_rules(path: str, base: str) -> tuple[_Rules, ...]:
    """The rules of one ignore file, as Git reads it: a byte order mark and CR before LF do not count, and a line that
    is no pattern matches nothing. What cannot be read holds no rules."""
    try:
        text = read(path).decode("utf-8-sig", "surrogateescape")
    except FileTrouble:
        return ()
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    if not any(line.strip() and not line.startswith("#") for line in lines):
        return ()
    spec = _spec(lines) or _spec([line for line in lines if _spec([line])])
    return (_Rules(base, spec),) if spec else ()


def _spec(lines: list[str]) -> GitIgnoreSpec | None:
    """None if one of the lines is no pattern: pathspec does not say which."""
    import re
    import warnings

    from pathspec import GitIgnoreSpec  # costs as much to import as a hundred files to fix

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a pattern like `[[a]` is no news to who runs dockfix
            return GitIgnoreSpec.from_lines(lines)
    except (ValueError, re.error):
        return None


def _rules_above(top: str) -> tuple[_Rules, ...]:
    """Of the directories above `top`, up to the repository's root; none if `top` itself is ignored, because whoever
    names a directory means it."""
    above: list[str] = []
    directory = os.path.abspath(top)
    while not os.path.lexists(os.path.join(directory, ".git")):
        parent = os.path.dirname(directory)
        if parent == directory:
            return ()
        above.append(parent)
        directory = parent
    if not above:
        return ()
    rules = _read_rules(os.path.join(above[-1], ".git", "info", "exclude"), above[-1])
    for directory in reversed(above):
        rules += _read_rules(os.path.join(directory, ".gitignore"), directory)
    return () if _ignored(os.path.abspath(top), True, rules) else rules


def _ignored(path: str, is_directory: bool, rules: tuple[_Rules, ...]) -> bool:
    """The last pattern that matches decides, and a deeper file is asked later."""
    verdict = False
    for one in rules:
        relative = os.path.relpath(path, one.base).replace(os.sep, "/")
        if not is_directory:
            result = one.spec.check_file(relative).include
            verdict = verdict if result is None else result
            continue
        # For a path that ends in a slash check_file ranks a pattern for anything above one for directories alone,
        # whichever comes last: `*` then `!*/` would close every directory.
        for pattern in one.spec.patterns:
            if pattern.include is not None and pattern.match_file(relative + "/") is not None:
                verdict = pattern.include
    return verdict


# --- read ----------------------------------------------------------------------------------------------------------


def read(path: str) -> bytes:
    """The content of a Dockerfile. Raises FileTrouble: missing, no-permission, not-a-file (never blocks on a pipe),
    too-large, binary, input-output."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except OSError as error:
        raise _os_trouble(error) from error
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise FileTrouble("not-a-file", "not a regular file; use `-` to read standard input.")
        if status.st_size > MAX_SIZE:
            raise _too_large(status.st_size)
        try:
            data = file.read(MAX_SIZE + 1)
        except OSError as error:
            raise _os_trouble(error) from error
    check_content(data)
    return data


def check_content(data: bytes) -> None:
    """Raises FileTrouble for content that can't be a Dockerfile: too-large, binary."""
    if len(data) > MAX_SIZE:
        raise _too_large(len(data))
    if b"\0" in data:
        raise FileTrouble("binary", "a binary file (it holds NUL bytes).")


def _too_large(size: int) -> FileTrouble:
    return FileTrouble("too-large", f"{size:,} bytes; BuildKit takes Dockerfiles of at most {MAX_SIZE:,}.")


def _os_trouble(error: OSError) -> FileTrouble:
    problem = _os_problem(error)
    return FileTrouble(problem.kind, problem.message)


def _os_problem(error: OSError) -> Problem:
    if isinstance(error, FileNotFoundError):
        return Problem("missing", "no such file or directory.")
    if isinstance(error, PermissionError):
        return Problem("no-permission", "permission denied.")
    return Problem("input-output", f"{error.strerror or error}.")


# --- write ---------------------------------------------------------------------------------------------------------


def write(path: str, before: bytes, after: bytes) -> None:
    """Replace the content of `path`, which was `before`, by `after`: all of it or nothing.

    A temporary file beside the target takes its place, with its mode and, where that is allowed, its owner and extended
    attributes. A symbolic link stays, and what it points to is replaced. A file with further hard links is overwritten
    in place instead (that alone is not atomic), so that the links stay together. Raises FileTrouble: changed-meanwhile
    if the file does not hold `before` any more, no-permission (also for a read-only file), input-output.
    """
    target = os.path.realpath(path)
    try:
        if read(target) != before:
            raise FileTrouble("changed-meanwhile", "somebody else changed it meanwhile; nothing was written.")
        if not os.access(target, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
            raise FileTrouble("no-permission", "it is read-only; nothing was written.")
        status = os.stat(target)
        if status.st_nlink > 1:
            _overwrite(target, after)
        else:
            _replace(target, status, after)
    except OSError as error:
        problem = _os_problem(error)
        raise FileTrouble(problem.kind, f"{problem.message} Nothing was written.") from error


def _overwrite(target: str, data: bytes) -> None:
    with open(target, "r+b") as file:
        file.write(data)
        file.truncate()
        file.flush()
        os.fsync(file.fileno())


def _replace(target: str, status: os.stat_result, data: bytes) -> None:
    import tempfile  # slow to import, and most runs write nothing

    descriptor, temporary = tempfile.mkstemp(prefix=".dockfix-", dir=os.path.dirname(target))
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            _copy_attributes(target, temporary, status)
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _copy_attributes(target: str, temporary: str, status: os.stat_result) -> None:
    """Owner first: a change of owner takes away set-id bits of the mode."""
    if hasattr(os, "chown"):
        with contextlib.suppress(OSError):
            os.chown(temporary, status.st_uid, status.st_gid)
    os.chmod(temporary, stat.S_IMODE(status.st_mode))
    if hasattr(os, "listxattr"):
        with contextlib.suppress(OSError):
            for name in os.listxattr(target):
                os.setxattr(temporary, name, os.getxattr(target, name))
