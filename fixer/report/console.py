"""What the commands have in common: names that users give, and streams. Knows no library for commands."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import IO, TYPE_CHECKING

from fixer.codemods import registry

if TYPE_CHECKING:
    from fixer.analysis import Images


def codemod_ids(values: Sequence[str]) -> tuple[str, ...]:
    """The ids in the values of an option that may be given several times, each with several ids, split by commas.
    Raises ValueError with a sentence for the user."""
    ids = known([part.strip() for value in values for part in value.split(",") if part.strip()])
    if values and not ids:
        raise ValueError("An option that takes codemod ids got none.")
    return ids


def known(wanted: Sequence[str]) -> tuple[str, ...]:
    """The ids as they are. Raises ValueError with a sentence for the user if there is no such codemod."""
    ids = registry.ids()
    for id in wanted:
        if id not in ids:
            import difflib

            near = difflib.get_close_matches(id, ids, n=1)
            hint = f"Did you mean {near[0]}?" if near else "See dockfix --list."
            raise ValueError(f"There is no codemod {id!r}. {hint}")
    return tuple(wanted)


def project(name: str | None) -> str | None:
    """What stands in a cache's id for a project. Raises ValueError with a sentence for the user."""
    if name is None:
        return None
    from fixer.engine.project import slug

    if (cleaned := slug(name)) is None:
        raise ValueError(f"--project {name!r} holds nothing that can stand in a cache's id (a-z 0-9 . _ -).")
    return cleaned


def own_images(values: Sequence[str]) -> Images | None:
    """What is said of base images, `NAME=OTHER` each. Raises ValueError with a sentence for the user."""
    if not values:
        return None
    from fixer.analysis import Images, UnknownImageError

    said: dict[str, str] = {}
    for value in values:
        name, equals, other = value.partition("=")
        if not (name and equals and other):
            raise ValueError(f"--image {value!r} is not NAME=OTHER, as in ghcr.io/acme/rust=rust.")
        if said.setdefault(name, other) != other:
            raise ValueError(f"--image `{name}`: it cannot be `{said[name]}` and `{other}`.")
    try:
        return Images(said)
    except UnknownImageError as error:
        raise ValueError(f"--image {error}.") from error


def wants_color(choice: str, stream: IO[str]) -> bool:
    """https://no-color.org: NO_COLOR counts if it is not empty; what the user says on the command line comes first."""
    if choice != "auto":
        return choice == "always"
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and stream.isatty()


def write_text(stream: IO[str], text: str) -> None:
    """As the bytes that came in: UTF-8, and what is not UTF-8 as it was, whatever the locale says."""
    stream.flush()
    stream.buffer.write(text.encode("utf-8", "surrogateescape"))  # type: ignore[attr-defined]
    stream.buffer.flush()  # type: ignore[attr-defined]
