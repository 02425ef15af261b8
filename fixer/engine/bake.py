"""What a file of Bake builds. Of one in JSON that is read. Of one in HCL values may be made by functions, and there is
no reader of that language here: the stages count that stand in it as targets, for every Dockerfile that it may mean."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from fixer.engine.builds import UNKNOWN, Loose, NamedBuild, placed, real_place
from fixer.engine.files import FileTrouble, read
from fixer.text.regex import regex
from fixer.text.source import decode

_MOST_ABOVE = 20
"""So many targets that one inherits from are looked at."""
_LARGEST = 1 << 20
"""Bytes of a file that is read."""
_MOST_CONTEXTS = 50
"""So many contexts may belong to the Dockerfiles that stand in a file in HCL."""
_LONGEST = 4096
"""Characters of a mapping that is read."""
_MOST_PAIRS = 10_000
"""Dockerfiles and targets of a file in HCL that may belong together."""
_KEYS = ("context", "dockerfile", "dockerfile-inline", "target", "contexts")
_FILLED = regex(r"[$%]\{[^{}]*\}")
_ATTRIBUTE = regex(r"(?m)^[ \t]*(target|dockerfile|contexts)[ \t]*=[ \t]*(.*)$")
_INLINE = regex(r"(?m)^[ \t]*dockerfile-inline[ \t]*=")
_CONTEXT = regex(r'(?m)^[ \t]*context[ \t]*=[ \t]*"([^"\\\n$%]*)"')
_TEXT = regex(r'"([^"\\\n$%]*)"')
_NAME = regex(r'"([A-Za-z][\w.-]*)"')
_LABELS = regex(r'"[\w.-]*"[ \t]*\{|(?:targets|inherits)[ \t]*=[ \t]*\[[^\]]{0,4096}\]')
_KEY = regex(r'(?m)(?:^|[{,])[ \t]*"?([A-Za-z_][\w.-]*)"?[ \t]*[=:]')


def bake_builds(path: str, top: str | None = None) -> Iterator[NamedBuild]:
    """`context` is relative to the directory in which Bake runs, which is that of the file or `top`, and `dockerfile`
    to the context (docs.docker.com, "Bake file reference")."""
    try:
        text = decode(read(path))
    except FileTrouble:
        return
    if len(text) > _LARGEST:
        return
    directories = tuple(dict.fromkeys((os.path.dirname(path), os.path.dirname(path) if top is None else top)))
    if path.endswith(".hcl"):
        yield from _of_hcl(text)
        if _INLINE.search(text):
            yield from _inside(path, _plain_contexts(text), directories)
    else:
        yield from _of_json(path, text, directories)


def _inside(path: str, contexts: Iterable[str], directories: Iterable[str]) -> Iterator[NamedBuild]:
    """The Dockerfile that stands in the file itself, for each context that it may have."""
    for directory in directories:
        for said in contexts:
            context = real_place(directory, said)
            if context is not None:
                yield NamedBuild(context, os.path.realpath(path), "")


def _plain_contexts(text: str) -> tuple[str, ...]:
    return tuple(islice(dict.fromkeys([".", *(match[1] for match in _CONTEXT.finditer(text))]), _MOST_CONTEXTS))


def _of_json(path: str, text: str, directories: tuple[str, ...]) -> Iterator[NamedBuild]:
    try:
        root = json.loads(text)
    except (ValueError, RecursionError):
        return
    found = root.get("target") if isinstance(root, dict) else None
    targets: dict[str, Any] = found if isinstance(found, dict) else {}
    for name, one in targets.items():
        if not isinstance(one, dict):
            continue
        said = _with_inherited(targets, name)
        if said.get("dockerfile-inline") is not None:
            yield from _inside(path, (_text(said.get("context", ".")),), directories)
            continue
        target = _text(said.get("target", ""))
        contexts = said.get("contexts")
        replaced = tuple(islice(contexts, _MOST_ABOVE)) if isinstance(contexts, dict) else ()
        for directory in directories:
            place, file = _text(said.get("context", ".")), _text(said.get("dockerfile", "Dockerfile"))
            _, dockerfile = placed(directory, place, file)
            if dockerfile is not None and (target or replaced):
                yield NamedBuild(None, dockerfile, None if UNKNOWN in target else target, False, replaced)


def _of_hcl(text: str) -> Iterator[NamedBuild]:
    """By its attributes, wherever they stand."""
    targets: dict[str, None] = {}
    files: dict[str, None] = {"Dockerfile": None}
    replaced: dict[str, None] = {}
    made = False
    searched = 0
    for match in _ATTRIBUTE.finditer(text):
        plain = _TEXT.match(match[2])
        if match[1] == "contexts":
            start = max(match.start(2), searched)  # where the one before has no end it may reach into this one
            inside = text[start : match.start(2) + _LONGEST].partition("}")[0]
            searched = start + len(inside)
            replaced.update(dict.fromkeys(_KEY.findall(inside)))
        elif match[1] == "dockerfile":
            files[plain[1] if plain is not None else ""] = None
        elif plain is not None:
            targets[plain[1]] = None
        else:
            made = True
    if made:  # of what stands in the file as a text, but for the names of Bake's own targets
        targets.update(dict.fromkeys(_NAME.findall(_LABELS.sub("", text))))
    if len(files) * (len(targets) + len(replaced)) > _MOST_PAIRS:
        files = {"": None}
    for file in files if targets or replaced else ():
        suffix = os.path.normpath(f"/{file}") if file else ""
        for number, target in enumerate(targets or ("",)):  # what replaces its stages counts for all of a Dockerfile
            yield NamedBuild(None, Loose("", suffix), target, False, () if number else tuple(replaced))


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
        said = {**{key: one[key] for key in _KEYS if key in one}, **said}
        above = one.get("inherits")
        names = [each for each in above[-_MOST_ABOVE:] if isinstance(each, str)] if isinstance(above, list) else []
        waiting = [*reversed(names), *waiting]
    return said


def _text(value: object) -> str:
    """With `UNKNOWN` in the place of what has to be put in."""
    return _FILLED.sub(UNKNOWN, value) if isinstance(value, str) else UNKNOWN
