"""`python -m tests.e2e.bases`: the images that the projects' Dockerfiles start from, one a line."""

from __future__ import annotations

import fixer
from fixer.analysis import BaseImage
from tests.e2e.harness import OWN, PROJECTS


def bases() -> list[str]:
    found = set()
    for dockerfile in PROJECTS.rglob("*Dockerfile"):
        for stage in fixer.analyse(fixer.parse(dockerfile.read_text())).stages:
            if isinstance(stage.base, BaseImage) and stage.base.reference != "scratch":
                found.add(stage.base.reference)
    return sorted(name for name in found if not name.startswith(OWN))


if __name__ == "__main__":
    print("\n".join(bases()))
