"""The codemods that exist, in the order in which they run. Explicit: one line each, nothing is discovered.

What joins or moves commands comes before what adds mounts to them, and bind mounts come before those of caches:
apt-update-install, bind-manifests, apt-cache, pip-cache, cargo-chef, artifact-out-of-cache, bind-sources,
cargo-target-cache, cargo-cache. The order decides how a result looks, never what it means.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from fixer.codemods.api import Builder, Codemod

if TYPE_CHECKING:
    from fixer.analysis import Facts
    from fixer.codemods.api import Change, Refusal, Settings


class Entry(NamedTuple):
    """Where a codemod lives. The module is imported only when the codemod is needed."""

    id: str
    module: str
    name: str
    document: str = "dockerfile"
    """The kind of text that it is for: its `Codemod.document`."""


ORDER: tuple[Entry, ...] = (
    Entry("apt-update-install", "fixer.codemods.apt_update_install", "AptUpdateInstall"),
    Entry("bind-manifests", "fixer.codemods.bind_manifests", "BindManifests"),
    Entry("apt-cache", "fixer.codemods.apt_cache", "AptCache"),
    Entry("pip-cache", "fixer.codemods.pip_cache", "PipCache"),
    Entry("cargo-chef", "fixer.codemods.cargo_chef", "CargoChef"),
    Entry("artifact-out-of-cache", "fixer.codemods.artifact_out_of_cache", "ArtifactOutOfCache"),
    Entry("bind-sources", "fixer.codemods.bind_sources", "BindSources"),
    Entry("cargo-target-cache", "fixer.codemods.cargo_target_cache", "CargoTargetCache"),
    Entry("cargo-cache", "fixer.codemods.cargo_cache", "CargoCache"),
    Entry("gha-cache", "fixer.codemods.gha_cache", "GhaCache", "workflow"),
    Entry("cache-dance", "fixer.codemods.cache_dance", "CacheDance", "workflow"),
    Entry("dockerignore", "fixer.codemods.dockerignore", "Dockerignore", "dockerignore"),
)


def ids() -> tuple[str, ...]:
    """All codemod ids, in the order in which they run."""
    return tuple(entry.id for entry in ORDER)


def documents(chosen: Collection[str] | None = None) -> frozenset[str]:
    """The kinds of documents, besides Dockerfiles, that codemods are for: those with such ids, or all of them."""
    found = (entry.document for entry in ORDER if chosen is None or entry.id in chosen)
    return frozenset(document for document in found if document != "dockerfile")


WORDS: Mapping[str, tuple[str, ...]] = {
    "apt-update-install": ("apt",),
    "bind-manifests": (
        "pip", "uv ", "poetry", "npm", "yarn", "bun ", "go mod", "bundle", "composer", "dotnet", "cargo fetch"
    ),
    "apt-cache": ("apt", "playwright"),
    "pip-cache": ("pip",),
    "cargo-chef": ("cargo",),
    "artifact-out-of-cache": ("--mount",),
    "cargo-target-cache": ("cargo",),
    "cargo-cache": ("cargo",),
}  # fmt: skip
"""The words of codemods for Dockerfiles. Those that stand here are not imported for a text that holds none of their
words."""
BUILDERS: Mapping[str, frozenset[Builder]] = {
    "cargo-chef": frozenset((Builder.EPHEMERAL,)),
    "cargo-target-cache": frozenset((Builder.PERSISTENT,)),
}
"""The builders of those of them that are not for all."""


class Late(Codemod):
    """A codemod that is imported when it is first asked."""

    def __init__(self, id: str) -> None:
        vars(self).update(id=id, words=WORDS[id], builders=BUILDERS.get(id, Codemod.builders))

    def run(self, facts: Facts, settings: Settings) -> Iterator[Change | Refusal]:
        codemod = load(self.id)
        vars(self).update(reasons=codemod.reasons, run=codemod.run)
        return codemod.run(facts, settings)


def late(id: str) -> Codemod:
    """The same as `load`, but it may be imported only when it is asked."""
    return Late(id) if id in WORDS and id in ids() else load(id)


def load(id: str) -> Codemod:
    """The codemod called `id`. Raises KeyError if there is none."""
    for entry in ORDER:
        if entry.id == id:
            codemod: Codemod = getattr(import_module(entry.module), entry.name)()
            return codemod
    raise KeyError(id)
