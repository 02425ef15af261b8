"""What one build of a Dockerfile is, as some file around names it."""

from __future__ import annotations

import os
from typing import NamedTuple


class Loose(NamedTuple):
    """Dockerfiles of which not all of the path is known: real paths that begin and end so."""

    start: str
    end: str

    def may_be(self, path: str) -> bool:
        return path.startswith(self.start) and path.endswith(self.end)


ANY = Loose("", "")


class NamedBuild(NamedTuple):
    """context, dockerfile: real paths; for a Dockerfile inside of a file the path of that. context: None if it is not
    known. certain: whether the paths depend on no variable, and on no other file that may be used together with this
    one. target: the stage that is built; empty for the last one, None if it is not known. replaced: the names that
    mean a context of the build, and no stage. commands: what is run in the image in the place of its own command, as
    words."""

    context: str | None
    dockerfile: str | Loose
    target: str | None
    certain: bool = True
    replaced: tuple[str, ...] = ()
    commands: tuple[tuple[str, ...], ...] = ()


UNKNOWN = "\0"
"""Stands in a text for what nobody knows."""
_LONGEST = 4096
"""Characters of a path: the system opens none that is longer, and what each of its parts leads to would be asked with
all of the path before it."""


class TooMuchError(Exception):
    """A file is made so that nobody can go through it."""


class Room:
    """How much may still be looked at: aliases and variables name more than a file holds."""

    def __init__(self, left: int) -> None:
        self.left = left

    def take(self, number: int) -> None:
        """Note that so much is looked at. Raises TooMuchError if there is no room for it."""
        self.left -= number
        if self.left < 0:
            raise TooMuchError


def placed(directory: str, context: str, dockerfile: str) -> tuple[str | None, str | Loose | None]:
    """The context and the Dockerfile, which is relative to that, where both may hold `UNKNOWN`; no Dockerfile if they
    cannot be files of this machine."""
    if ":" in context.replace(UNKNOWN, "") or ":" in dockerfile.replace(UNKNOWN, ""):
        return None, None
    where = real_place(directory, context)
    found = None if where is None else real_place(where, dockerfile)
    if found is not None or UNKNOWN not in context + dockerfile:
        return where, found
    base, text = (directory, context) if where is None else (where, dockerfile)
    first, _, name = text.partition(UNKNOWN)[0].rpartition("/")
    start = real_place(base, first or ".") if first or name else None
    said = dockerfile if dockerfile.startswith("/") else f"{context}/{dockerfile}"
    before, slash, after = said.rpartition(UNKNOWN)[2].partition("/")
    end = os.path.normpath(f"/{after}") if slash else ""
    return where, Loose("" if start is None else os.path.join(start, name), end if ".." in after else before + end)


def real_place(directory: str, said: str | None) -> str | None:
    """What a path means; None if it depends on a variable, or is none."""
    if not said or len(said) > _LONGEST or "$" in said or ":" in said or UNKNOWN in said:
        return None
    try:
        return os.path.realpath(os.path.join(directory, said))
    except ValueError:  # half of a character, which an escape in JSON can make
        return None
