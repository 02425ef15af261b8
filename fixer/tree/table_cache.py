"""Tables of the grammars on disk: `$XDG_CACHE_HOME/dockfix`, or `~/.cache/dockfix`. DOCKFIX_NO_CACHE=1 switches it off.

All is best effort: whatever is wrong with the directory or with a file, there is no cached text, or none is written,
and nobody hears of it. A file counts only if it belongs to the user, nobody else may write it, and it holds exactly the
key that is asked for: the versions of this program and of Lark, and the whole grammar.
"""

from __future__ import annotations

import contextlib
import os
import stat
from binascii import crc32
from importlib.machinery import PathFinder
from typing import NamedTuple

_MARK = "dockfix tables 1"
_MAX_SIZE = 1 << 20


class Place(NamedTuple):
    """Where a text is cached, and what it was made from."""

    path: str
    key: str


def find(name: str, maker: str, source: str) -> Place | None:
    """The place of what `maker` makes from `source`, the content of the grammar file `name`, with the installed Lark;
    None if there is no directory for caches."""
    folder, version = directory(), lark()
    if folder is None or version is None:
        return None
    key = "\n".join((_MARK, maker, version, source))
    return Place(os.path.join(folder, f"{name}-{_sum(key)}.tables"), key)


def directory() -> str | None:
    """The directory for all that is cached, which need not exist; None if there is none."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):  # the XDG specification: relative ones are invalid
        base = os.path.join(os.environ.get("HOME", ""), ".cache")
    if os.environ.get("DOCKFIX_NO_CACHE") or not os.path.isabs(base) or not hasattr(os, "geteuid"):
        return None
    return os.path.join(base, "dockfix")


def lark() -> str | None:
    """Lark's front module, which names its version: read, because to import it is what takes long, and to ask for the
    version of the distribution takes longer than to read the tables."""
    spec = PathFinder.find_spec("lark")
    if spec is None or spec.origin is None:
        return None
    try:
        with open(spec.origin, encoding="utf-8") as file:
            return file.read(_MAX_SIZE)
    except (OSError, ValueError):
        return None


def read(place: Place) -> str | None:
    """The text that was written for this place, or None."""
    try:
        descriptor = os.open(place.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or not is_mine(status) or status.st_size > _MAX_SIZE:
                return None
            found = file.read(_MAX_SIZE).decode("utf-8")
    except (OSError, ValueError):
        return None
    checksum, _, rest = found.partition("\n")
    if not rest.startswith(f"{place.key}\n") or checksum != _sum(rest):
        return None
    return rest[len(place.key) + 1 :]


def write(place: Place, text: str) -> None:
    """Keep `text` for the next time, in one step: nobody sees half of it."""
    folder = os.path.dirname(place.path)
    rest = f"{place.key}\n{text}"
    temporary = f"{place.path}.{os.getpid()}"
    try:
        if not is_mine(os.stat(_existing(folder))):  # a root shell with somebody else's HOME
            return
        os.makedirs(folder, mode=0o700, exist_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError:
        return
    try:
        with open(descriptor, "wb") as file:
            file.write(f"{_sum(rest)}\n{rest}".encode())
        os.replace(temporary, place.path)
    except (OSError, ValueError):
        with contextlib.suppress(OSError):
            os.unlink(temporary)


def is_mine(status: os.stat_result) -> bool:
    """True for what belongs to the user, and nobody else may write."""
    return status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _existing(folder: str) -> str:
    while not os.path.lexists(folder) and folder != os.path.dirname(folder):
        folder = os.path.dirname(folder)
    return folder


def _sum(text: str) -> str:
    return f"{crc32(text.encode('utf-8', 'surrogateescape')):08x}"
