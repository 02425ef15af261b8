"""A name for project-scoped cache mounts, found from the files around a Dockerfile, without running git.

It has to be stable (the same for everybody who clones the repository) and unlike other projects' on the same builder.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache

from fixer.text.regex import regex

_REMOTE_URL = regex(r"^[^\S\n]*url\s*=\s*(?P<url>\S+)\s*$", re.MULTILINE | re.IGNORECASE)
_ORIGIN = regex(r'^[^\S\n]*\[remote "origin"\]\s*$(?P<body>(?:\n(?![^\S\n]*\[).*)*)', re.MULTILINE)


def project_name(path: str) -> str | None:
    """The name for the Dockerfile at `path`: owner and repository of Git's remote `origin`, else the name of the
    repository's directory, and the Dockerfile's place in it where that is not the root. None outside a repository.
    Reads `.git/config` only.
    """
    directory = os.path.dirname(real_path(path))
    root = repository_root(directory)
    if root is None:
        return None
    name = _origin(root) or os.path.basename(root)
    place = os.path.relpath(directory, root)
    base = os.path.basename(path)
    parts = [name, "" if place == os.curdir else place, "" if base in ("Dockerfile", "Containerfile") else base]
    return slug("-".join(part for part in parts if part))


def slug(text: str) -> str | None:
    """`text` with what is fit for the id of a cache mount, `a-z 0-9 . _ -`, or None if nothing is left."""
    return re.sub(r"[^a-z0-9._]+", "-", text.lower()).strip("-._") or None


def real_path(path: str) -> str:
    """As `os.path.realpath`, but where a directory leads is asked once a process: for questions about what stands
    around a file, of which there are several for each, and not for what is written."""
    directory, name = os.path.split(path)
    if name in ("", os.curdir, os.pardir) or os.path.islink(path):
        return os.path.realpath(path)
    return os.path.join(_real_directory(os.getcwd(), directory), name)


@lru_cache(maxsize=1024)
def _real_directory(current: str, directory: str) -> str:
    return os.path.realpath(os.path.join(current, directory))


@lru_cache(maxsize=4096)
def repository_root(directory: str) -> str | None:
    """The nearest directory, from this real one up, that holds `.git`; None outside a repository."""
    for _ in range(max(_AT_ONCE, directory.count(os.sep) - _DEEP)):
        if os.path.lexists(os.path.join(directory, ".git")):
            return directory
        parent = os.path.dirname(directory)
        if parent == directory:
            return None
        directory = parent
    return repository_root(directory)


_AT_ONCE = 4
"""Directories that are looked at before it is asked whether the answer for the next is known: one would lead to a
recursion as deep as the path."""
_DEEP = 100
"""Below so many directories all are looked at, since a path may have thousands."""


@lru_cache(maxsize=4096)
def _origin(root: str) -> str | None:
    """`owner-repo` from the last two parts of the URL of `origin`, in any of Git's forms."""
    config = _config(root)
    section = _ORIGIN.search(config)
    match = _REMOTE_URL.search(section["body"]) if section else None
    if match is None:
        return None
    url = match["url"].rstrip("/").removesuffix(".git")
    parts = [part for part in re.split(r"[/:\\]", url) if part]
    return "-".join(parts[-2:]) if parts else None


def _config(root: str) -> str:
    """The text of the repository's configuration, also from a worktree or submodule, whose `.git` is a file."""
    git = os.path.join(root, ".git")
    try:
        if os.path.isfile(git):
            with open(git, encoding="utf-8", errors="replace") as file:
                line = file.read(4096).strip()
            if not line.startswith("gitdir:"):
                return ""
            git = os.path.normpath(os.path.join(root, line.removeprefix("gitdir:").strip()))
            if os.path.isfile(common := os.path.join(git, "commondir")):
                with open(common, encoding="utf-8", errors="replace") as file:
                    git = os.path.normpath(os.path.join(git, file.read(4096).strip()))
        if not os.path.isfile(config := os.path.join(git, "config")):  # a pipe would wait for ever
            return ""
        with open(config, encoding="utf-8", errors="replace") as file:
            return file.read(1024 * 1024)
    except OSError:
        return ""
