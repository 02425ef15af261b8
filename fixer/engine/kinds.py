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
_WORKFLOW = regex(r"(?:.*/)?\.github/(?:workflows/[^/]+|actions/(?:[^/]+/)*action)\.ya?ml", re.DOTALL)


def kind_of(path: str | PurePath | None) -> str:
    """The kind of text that a file of that name holds. A relative name counts as it stands."""
    name = "" if path is None else str(path).replace("\\", "/")
    if name.endswith(IGNORE_NAME):
        return IGNORE
    return WORKFLOW if _WORKFLOW.fullmatch(name) else DOCKERFILE


def root_of(path: str, kind: str) -> str:
    """The directory that a document at the absolute `path` is about: for a workflow its repository's root."""
    directory, _, _ = path.replace("\\", "/").rpartition("/")
    if kind == WORKFLOW:
        directory = directory[: directory.rindex("/.github")] if "/.github" in directory else directory
    return directory or "/"
