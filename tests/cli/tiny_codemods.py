"""Two codemods that the tests of the command put in the place of the real ones, and a way to run them in a process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Any

from fixer.analysis import Facts
from fixer.codemods.api import Change, Codemod, Refusal, Safety, Settings
from fixer.codemods.registry import Entry
from fixer.text.edits import Edit
from fixer.tree.nodes import Run

ORDER = (Entry("rename", "tiny_codemods", "Rename"), Entry("risky", "tiny_codemods", "Risky"))


class Rename(Codemod):
    """Rename a command called one.

    Its second paragraph.
    """

    id = "rename"
    words = ("one",)
    reasons = MappingProxyType({"too-long": "the command has more than one word"})
    old, new, risk = "one", "two", ""

    def run(self, facts: Facts, settings: Settings) -> Iterator[Change | Refusal]:
        for run in facts.file.instructions:
            if not isinstance(run, Run) or run.form is None or self.old not in run.code:
                continue
            if run.form.code.strip() != self.old:
                yield Refusal(self.id, "too-long", run.form.span, "it has\nmore than one word.")
                continue
            edits = (Edit(*run.form.span, self.new.replace("PROJECT", str(settings.project))),)
            safety = Safety.UNSAFE if self.risk else Safety.SAFE
            yield Change(self.id, f"rename {self.old}", "Nobody calls it that.", run.span, edits, safety, self.risk)


class Risky(Rename):
    """Rename a command called three, which is risky."""

    id = "risky"
    words = ("three",)
    old, new, risk = "three", "PROJECT", "It may rain."


MAIN = """
import sys
import fixer.codemods.registry as registry
import tiny_codemods
registry.ORDER = tiny_codemods.ORDER
from fixer.__main__ import main
main()
"""


def popen(*args: str | Path, cwd: Path, **options: Any) -> subprocess.Popen[bytes]:
    """The command in a process of its own, with these codemods, that Ctrl-C interrupts, whatever the shell does."""
    path = os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parents[2])])
    environment = {**os.environ, "PYTHONPATH": path, **options.pop("env", {})}
    command = [sys.executable, "-c", MAIN, *map(str, args)]
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    usual = signal.signal(signal.SIGINT, signal.default_int_handler)  # what is ignored is inherited
    try:
        return subprocess.Popen(command, cwd=cwd, env=environment, **streams)
    finally:
        signal.signal(signal.SIGINT, usual)


def process(*args: str | Path, cwd: Path, input: bytes = b"", **options: Any) -> tuple[int, bytes, bytes]:
    """Exit code, standard output, standard error."""
    with popen(*args, cwd=cwd, **options) as running:
        out, err = running.communicate(input, timeout=60)
        return running.returncode, out, err
