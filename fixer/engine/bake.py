"""What a file of Bake in JSON builds. Those in HCL are not read: their values may be made by functions, and there is no
reader of that language here."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from fixer.engine.compose import real_place
from fixer.engine.files import FileTrouble, read
from fixer.text.source import decode

_MOST_ABOVE = 20
"""So many targets that one inherits from are looked at."""


class BakeBuild(NamedTuple):
    """dockerfile: a real path. target: the stage that is built; empty for the last one, None if it is not known."""

    dockerfile: str
    target: str | None


def bake_builds(path: str) -> Iterator[BakeBuild]:
    """Those whose Dockerfiles are known. `context` is relative to the directory in which Bake runs, taken for that of
    the file, and `dockerfile` to the context (docs.docker.com, "Bake file reference")."""
    try:
        root = json.loads(decode(read(path)))
    except (FileTrouble, ValueError, RecursionError):
        return
    found = root.get("target") if isinstance(root, dict) else None
    targets: dict[str, Any] = found if isinstance(found, dict) else {}
    for name, one in targets.items():
        if not isinstance(one, dict):
            continue
        said = _with_inherited(targets, name)
        if said.get("dockerfile-inline") is not None:
            continue
        context = real_place(os.path.dirname(path), _text(said.get("context", ".")))
        dockerfile = None if context is None else real_place(context, _text(said.get("dockerfile", "Dockerfile")))
        target = _text(said.get("target", ""))
        if dockerfile is not None:
            yield BakeBuild(dockerfile, target)


def _with_inherited(targets: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A target with what it has from others: what itself says counts, else what the last of `inherits` does."""
    said: dict[str, Any] = {}
    waiting, seen = [name], set[str]()
    while waiting and len(seen) < _MOST_ABOVE:
        name = waiting.pop(0)
        one = targets.get(name)
        if name in seen or not isinstance(one, dict):
            continue
        seen.add(name)
        said = {**one, **said}
        above = one.get("inherits")
        names = [each for each in above if isinstance(each, str)] if isinstance(above, list) else []
        waiting = [*reversed(names), *waiting]
    return said


def _text(value: object) -> str | None:
    """A text in which nothing has to be put."""
    return value if isinstance(value, str) and "${" not in value and "%{" not in value else None
