"""Files of other people's packages that a program has put into a repository, and puts there again as they are.

That of `cargo vendor` would not even build with a change: cargo compares each file with `.cargo-checksum.json`
(src/cargo/sources/directory.rs, 1.85).
"""

from __future__ import annotations

import os
from functools import lru_cache

from fixer.engine.project import real_path, repository_root

_INSTALLED = frozenset(("node_modules", "site-packages"))
"""Directories that hold packages, by their names."""
_VENDOR = ("modules.txt", os.path.join("composer", "installed.json"))
"""What `go mod vendor` and Composer write into a directory `vendor`."""
_CHECKSUMS = ".cargo-checksum.json"
"""What `cargo vendor` writes into the directory of each crate."""


def vendored_by(path: str) -> str:
    """What says that the file at `path` belongs to such a package: a file or a directory, relative to the repository's
    root, or absolute outside of one. Empty if nothing does."""
    directory = os.path.dirname(real_path(path))
    root = repository_root(directory)
    while directory != root and directory != os.path.dirname(directory):
        found = _marker(directory)
        if found:
            return found if root is None else os.path.relpath(found, root).replace(os.sep, "/")
        directory = os.path.dirname(directory)
    return ""


@lru_cache(maxsize=4096)
def _marker(directory: str) -> str:
    name = os.path.basename(directory)
    if name in _INSTALLED:
        return directory
    candidates = (*(_VENDOR if name == "vendor" else ()), _CHECKSUMS)
    return next((path for each in candidates if os.path.isfile(path := os.path.join(directory, each))), "")
