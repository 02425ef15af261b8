"""Files of other people's packages that a program has put into a repository, and puts there again as they are.

That of `cargo vendor` would not even build with a change: cargo compares each file with `.cargo-checksum.json`
(src/cargo/sources/directory.rs, 1.85).
"""

from __future__ import annotations

import os
from functools import lru_cache

from fixer.engine.project import real_path, repository_root

_INSTALLED = frozenset(("node_modules", "bower_components", "site-packages", "dist-packages"))
"""Directories that hold packages, by their names."""
_BELOW = {"_workspace": "Godeps", "Checkouts": "Carthage"}
"""The same by two names: those of godep (before it used `vendor`) and Carthage."""
_WRITTEN = {
    "vendor": (
        "modules.txt",
        os.path.join("composer", "installed.json"),
        "vendor.json",
        os.path.join(os.pardir, "Gopkg.lock"),
        os.path.join(os.pardir, "jsonnetfile.lock.json"),
    ),
    "Pods": ("Manifest.lock",),
}
"""What a program writes that fills a directory of that name: `go mod vendor`, Composer, govendor, dep,
jsonnet-bundler, CocoaPods."""
_OF_ONE = (".cargo-checksum.json", os.path.join("meta", ".galaxy_install_info"))
"""What `cargo vendor` writes into the directory of each crate, and `ansible-galaxy install` into that of each role."""


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
    above, name = os.path.split(directory)
    if name in _INSTALLED or (name in _BELOW and os.path.basename(above) == _BELOW[name]):
        return directory
    candidates = (*_WRITTEN.get(name, ()), *_OF_ONE)
    found = next((each for each in candidates if os.path.isfile(os.path.join(directory, each))), "")
    return found and os.path.normpath(os.path.join(directory, found))
