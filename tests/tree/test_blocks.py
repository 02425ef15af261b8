"""Whole instructions that go away, with what stands above them, and flags."""

from __future__ import annotations

import pytest

from fixer.text.edits import apply_edits
from fixer.tree.editor import instruction_block, remove_blocks, remove_flag
from fixer.tree.nodes import Run
from fixer.tree.parse import parse


def without(text: str, *names: str) -> str:
    file = parse(text)
    gone = [i for i in file.instructions if i.name == "RUN" and any(name in i.code for name in names)]
    return apply_edits(text, remove_blocks(file, gone))


@pytest.mark.parametrize(
    ("text", "names", "wanted"),
    [
        ("FROM a\nRUN x\nRUN y\n", "x", "FROM a\nRUN y\n"),
        ("FROM a\n# why\n# so\nRUN x\nRUN y\n", "x", "FROM a\nRUN y\n"),
        ("FROM a\n\nRUN x\n\nRUN y\n", "x", "FROM a\n\nRUN y\n"),
        ("FROM a\nRUN x\n\nRUN y\n", "x", "FROM a\n\nRUN y\n"),
        ("FROM a\n\nRUN x\nRUN y\n", "x", "FROM a\n\nRUN y\n"),
        ("FROM a\n\nRUN x\n\n# why\nRUN y\n\nRUN z\n", "xy", "FROM a\n\nRUN z\n"),
        ("FROM a\nRUN x\n\nRUN y\n\nRUN z\n", "xz", "FROM a\n\nRUN y\n\n"),
        ("FROM a\r\n\r\nRUN x\r\n\r\nRUN y\r\n", "x", "FROM a\r\n\r\nRUN y\r\n"),
        ("FROM a\nRUN <<E\nx\nE\nRUN y\n", "x", "FROM a\nRUN y\n"),
    ],
)
def test_remove_blocks(text: str, names: str, wanted: str) -> None:
    assert without(text, *names) == wanted


def test_block() -> None:
    text = "FROM a\n\n# why\nRUN x \\\n  y\n"
    file = parse(text)
    start, end = instruction_block(file, file.instructions[1])
    assert text[start:end] == "# why\nRUN x \\\n  y\n"


@pytest.mark.parametrize(
    ("text", "at", "wanted"),
    [
        ("RUN --mount=a x", 0, "RUN x"),
        ("RUN --mount=a --mount=b x", 0, "RUN --mount=b x"),
        ("RUN --mount=a --mount=b x", 1, "RUN --mount=a x"),
        ("RUN --mount=a \\\n    --mount=b \\\n    x", 1, "RUN --mount=a \\\n    x"),
        ("RUN --mount=a \\\n    x", 0, "RUN x"),
        ("RUN --mount=a \\\n    # why\n    --mount=b x", 0, "RUN \\\n    # why\n    --mount=b x"),
        ('RUN --mount=a ["x"]', 0, 'RUN ["x"]'),
    ],
)
def test_remove_flag(text: str, at: int, wanted: str) -> None:
    file = parse(f"FROM a\n{text}\n")
    run = file.instructions[1]
    assert isinstance(run, Run)
    new = apply_edits(file.text, [remove_flag(file, run, run.flags[at])])
    assert new.removeprefix("FROM a\n").split() == wanted.split()
    assert [type(item) for item in parse(new).items] == [type(item) for item in file.items]
