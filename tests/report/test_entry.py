"""What a process of a large job keeps."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

from fixer.engine.files import Target
from fixer.engine.job import Options
from fixer.report.entry import TARGETS_PER_COLLECTION, View, Worker


class Circle:
    def __init__(self) -> None:
        self.own = self


def test_what_refers_to_itself_goes_now_and_then(tmp_path: Path) -> None:
    """The command's thresholds would leave it for a long time."""
    path = tmp_path / "Dockerfile"
    path.write_text("FROM scratch\n")
    worker = Worker(Options(), View())
    circle = weakref.ref(Circle())
    before = gc.get_threshold()
    gc.set_threshold(100_000, 20, 20)
    try:
        for _ in range(TARGETS_PER_COLLECTION - 1):
            worker(Target(str(path)))
        assert circle() is not None
        worker(Target(str(path)))
        assert circle() is None
    finally:
        gc.set_threshold(*before)
