"""Commands that are added to a script, in its own layout. (What codemods do with it is shown in `corpus/`.)"""

from __future__ import annotations

import pytest

from fixer.analysis import analyse
from fixer.text.edits import apply_edits
from fixer.tree.editor import add_mounts, append_command, insert_before
from fixer.tree.nodes import Run
from fixer.tree.parse import parse
from fixer.tree.shell import Script


def changed(step: str, *, append: str = "", insert: str = "", chain: bool = False, own_line: bool = False) -> str:
    """The step with a command appended to its script, or inserted before its last pipeline."""
    file = parse(f"FROM debian\n{step}\n")
    run = file.instructions[-1]
    assert isinstance(run, Run)
    script = analyse(file).script(run)
    assert isinstance(script, Script)
    if append:
        edit = append_command(file, run, script, append, chain=chain)
    else:
        place = script.items[-1].pipelines[-1]
        edit = insert_before(file, run, script, place, insert, chain=chain, own_line=own_line)
    return apply_edits(file.text, [edit]).removeprefix("FROM debian\n").rstrip("\n")


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("RUN a", "RUN a && z"),
        ("RUN a \\\n && b", "RUN a \\\n && b \\\n && z"),
        ("RUN a && \\\n  b", "RUN a && \\\n  b && \\\n  z"),
        ("RUN a; b", "RUN a; b; z"),
        ("RUN a; \\\n    b;", "RUN a; \\\n    b; \\\n    z;"),
        ("RUN a \\\n    --long \\\n    --options", "RUN a \\\n    --long \\\n    --options \\\n    && z"),
        ("RUN <<E\n  a\n  b\nE", "RUN <<E\n  a\n  b\n  z\nE"),
        ("RUN a # why", "RUN a && z # why"),
    ],
)
def test_append(step: str, expected: str) -> None:
    assert changed(step, append="z") == expected


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("RUN a; b", "RUN a; b && z"),
        ("RUN <<E\n  a\n  b\nE", "RUN <<E\n  a\n  b && z\nE"),
    ],
)
def test_append_to_the_last_item(step: str, expected: str) -> None:
    assert changed(step, append="z", chain=True) == expected


@pytest.mark.parametrize(
    ("step", "chain", "own_line", "expected"),
    [
        ("RUN b", False, False, "RUN z && b"),
        ("RUN b", False, True, "RUN z && \\\n    b"),
        ("RUN a; b", False, False, "RUN a; z; b"),
        ("RUN a; b", True, False, "RUN a; z && b"),
        ("RUN a \\\n && b", False, True, "RUN a \\\n && z \\\n && b"),
        ("RUN <<E\na\nb\nE", False, True, "RUN <<E\na\nz\nb\nE"),
        ("RUN <<E\na\nb\nE", True, True, "RUN <<E\na\nz && b\nE"),
    ],
)
def test_insert(step: str, chain: bool, own_line: bool, expected: str) -> None:
    assert changed(step, insert="z", chain=chain, own_line=own_line) == expected


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("RUN a", "RUN --mount=M \\\n    a"),
        ("RUN \\\n  a", "RUN \\\n  --mount=M \\\n  a"),
        ("RUN \\\n  # why\n  a", "RUN \\\n  --mount=M \\\n  # why\n  a"),
        ("RUN \\\n\n# why\n\n# more\n  a", "RUN \\\n\n  --mount=M \\\n# why\n\n# more\n  a"),
        ("RUN \\\r\n  # why\r\n  a", "RUN \\\r\n  --mount=M \\\r\n  # why\r\n  a"),
        ("RUN \\\n# why\na", "RUN \\\n--mount=M \\\n# why\na"),
        ("RUN \\\n  # why\n  -- a", "RUN \\\n  --mount=M \\\n  # why\n  -- a"),
        ('RUN \\\n  # why\n  ["a"]', 'RUN \\\n  --mount=M \\\n  # why\n  ["a"]'),
        ("RUN \\\n  # why\n  <<E\na\nE", "RUN \\\n  --mount=M \\\n  # why\n  <<E\na\nE"),
        ("RUN --network=none \\\n  # why\n  a", "RUN --network=none \\\n  --mount=M \\\n  # why\n  a"),
    ],
)
def test_add_mounts(step: str, expected: str) -> None:
    file = parse(f"FROM debian\n{step}\n")
    run = file.instructions[-1]
    assert isinstance(run, Run)
    text = apply_edits(file.text, add_mounts(file, run, ["M"]))
    assert text.removeprefix("FROM debian\n").removesuffix("\n") == expected
    again = parse(text).instructions[-1]
    assert isinstance(again, Run)
    assert [flag.word.text for flag in again.flags if flag.word.text == "--mount=M"]
