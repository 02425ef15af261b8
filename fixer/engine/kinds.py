"""The kinds of documents that codemods are for, told by a file's name. To import this costs nothing."""

from __future__ import annotations

import re
from pathlib import PurePath

from fixer.text.regex import regex

DOCKERFILE = "dockerfile"
WORKFLOW = "workflow"
"""A GitHub workflow, or an action of the repository's own."""
IGNORE = "dockerignore"
"""`.dockerignore`, or that of one Dockerfile: `NAME.dockerignore`."""

IGNORE_NAME = ".dockerignore"
_IN_PLACE = regex(r"(?:.*/)?\.github/(?:workflows/[^/]+|actions/(?:[^/]+/)*action)\.ya?ml", re.DOTALL)
_ACTION = regex(r"(?:.*/)?action\.ya?ml", re.DOTALL)


def kind_of(path: str | PurePath | None) -> str:
    """The kind of text that a file of that name holds. A relative name counts as it stands."""
    name = "" if path is None else str(path).replace("\\", "/")
    if name.endswith(IGNORE_NAME):
        return IGNORE
    return WORKFLOW if _IN_PLACE.fullmatch(name) or _ACTION.fullmatch(name) else DOCKERFILE


def is_in_place(path: str) -> bool:
    """Whether a workflow, or an action, lies where all of that name are for GitHub. Elsewhere a file may be called
    `action.yml` for other reasons: one counts if somebody names it, or a workflow uses it."""
    return _IN_PLACE.fullmatch(path.replace("\\", "/")) is not None


def root_of(path: str, kind: str) -> str:
    """The directory that a document at the absolute `path` is about: for a workflow its repository's root."""
    directory, _, _ = path.replace("\\", "/").rpartition("/")
    if kind == WORKFLOW and "/.github" in directory:
        directory = directory[: directory.rindex("/.github")]
    elif kind == WORKFLOW:
        from fixer.engine.project import repository_root

        directory = repository_root(directory) or directory
    return directory or "/"
