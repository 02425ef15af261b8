"""The codemods that exist, in the order in which they run. Explicit: one line each, nothing is discovered.

What joins or moves commands comes before what adds mounts to them: apt-update-install, apt-cache, pip-cache,
cargo-chef, artifact-out-of-cache, cargo-target-cache, cargo-cache. The order decides how a result looks, never what it
means.
"""

from __future__ import annotations

from collections.abc import Collection
from importlib import import_module
from typing import NamedTuple

from fixer.codemods.api import Codemod


class Entry(NamedTuple):
    """Where a codemod lives. The module is imported only when the codemod is needed."""

    id: str
    module: str
    name: str
    document: str = "dockerfile"
    """The kind of text that it is for: its `Codemod.document`."""


ORDER: tuple[Entry, ...] = (
    Entry("apt-update-install", "fixer.codemods.apt_update_install", "AptUpdateInstall"),
    Entry("apt-cache", "fixer.codemods.apt_cache", "AptCache"),
    Entry("pip-cache", "fixer.codemods.pip_cache", "PipCache"),
    Entry("cargo-chef", "fixer.codemods.cargo_chef", "CargoChef"),
    Entry("artifact-out-of-cache", "fixer.codemods.artifact_out_of_cache", "ArtifactOutOfCache"),
    Entry("cargo-target-cache", "fixer.codemods.cargo_target_cache", "CargoTargetCache"),
    Entry("cargo-cache", "fixer.codemods.cargo_cache", "CargoCache"),
    Entry("gha-cache", "fixer.codemods.gha_cache", "GhaCache", "workflow"),
    Entry("dockerignore", "fixer.codemods.dockerignore", "Dockerignore", "dockerignore"),
)


def ids() -> tuple[str, ...]:
    """All codemod ids, in the order in which they run."""
    return tuple(entry.id for entry in ORDER)


def documents(chosen: Collection[str] | None = None) -> frozenset[str]:
    """The kinds of documents, besides Dockerfiles, that codemods are for: those with such ids, or all of them."""
    found = (entry.document for entry in ORDER if chosen is None or entry.id in chosen)
    return frozenset(document for document in found if document != "dockerfile")


def load(id: str) -> Codemod:
    """The codemod called `id`. Raises KeyError if there is none."""
    for entry in ORDER:
        if entry.id == id:
            codemod: Codemod = getattr(import_module(entry.module), entry.name)()
            return codemod
    raise KeyError(id)
