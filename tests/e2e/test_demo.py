"""The Dockerfile that `dockfix --demo` shows, with a project around it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import fixer
from tests.e2e.harness import Project

DEMO = Path(fixer.__file__).parent / "data" / "demo" / "Dockerfile"
BASES = {"rust:1.84-bookworm": "rust:1", "python:3.13-slim-bookworm": "python:3"}
"""Its images, and stand-ins that `engine/images` makes."""


def test_demo(project: Callable[[str], Project]) -> None:
    demo = project("demo")
    before = DEMO.read_text()
    lost = demo.build(before, space="demo", bases=BASES, must=False)
    assert '"/app/target/release/server": not found' in lost.log

    codemods = ("artifact-out-of-cache", "apt-update-install", "apt-cache", "pip-cache")
    after = demo.fix(before, *codemods, bases=BASES)
    new = demo.build(after, space="demo", bases=BASES)
    assert demo.engine.run(new.image) == f"docopt 0.6.2, server e1 {demo.mark} 200"
    assert "libpq.so.5" in demo.engine.run(new.image, "sh", "-c", "ls /usr/lib/*/")

    demo.edit("server/src/main.rs", "e1", "e2")
    edited = demo.build(after, space="demo", bases=BASES)
    assert edited.step("apt-get update").cached
    assert demo.engine.run(edited.image).endswith(f"server e2 {demo.mark} 200")
