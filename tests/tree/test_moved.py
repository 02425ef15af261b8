"""Trees that are made from earlier ones are those that the parsers make."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fixer.analysis.scripts import Scripts
from fixer.text.edits import Edit, apply_edits
from fixer.text.records import fields
from fixer.text.source import decode
from fixer.tree.cook import cook
from fixer.tree.moved import moved
from fixer.tree.nodes import Leaf, Node
from fixer.tree.parse import parse, reparse
from fixer.tree.parse_shell import Dialect, parse_shell
from fixer.tree.shell import ShellNode

CORPUS = Path(__file__).resolve().parents[2] / "corpus"
FILES = [path for path in CORPUS.glob("*/*/before/**/*ockerfile*") if path.is_file()]
TEXTS = sorted(decode(path.read_bytes()) for path in FILES)
PIECES = (
    "", " ", "\n", "\\", "\\\n", "\r\n", "#", "# x\n", "# escape=`\n", "`\n",
    "RUN a <<E\nb\nE\n", "<<E", "E\n", "ENV a=b\n", "FROM x\n",
    '["a"]', "--mount=type=cache,target=/x ", "\ufeff", "'",
)  # fmt: skip


def dump(value: Any) -> Any:
    """All that a tree says, as plain values."""
    if isinstance(value, Leaf | Node | ShellNode):
        record: Any = value
        return (type(value).__name__, *(dump(getattr(value, each.name)) for each in fields(record)))
    if type(value) is tuple:
        return tuple(map(dump, value))
    return value if isinstance(value, str | int | tuple | type(None)) else type(value).__name__


@st.composite
def edited(draw: st.DrawFn) -> tuple[str, list[Edit]]:
    text = draw(st.sampled_from(TEXTS))
    edits: list[Edit] = []
    at = 0
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(at, len(text)))
        end = draw(st.sampled_from((start, start, min(start + 1, len(text)), min(start + 9, len(text)))))
        new = draw(st.sampled_from(PIECES))
        if new or start < end:
            edits.append(Edit(start, end, new))
            at = end + 1
        if at > len(text):
            break
    return text, edits


@given(edited())
@example(("FROM a\nRUN b \\\n", [Edit(15, 15, " c\n")]))
@example(("FROM a\nRUN b <<E\nE\nRUN c\n", [Edit(18, 19, "")]))
@example(("FROM a\n# escape=`\nRUN a `\n b\n", [Edit(0, 7, "")]))
@example(("# escape=`\nFROM a\nRUN a `\n b\nRUN c\n", [Edit(0, 11, "")]))
def test_reparsing_gives_what_parsing_gives(case: tuple[str, list[Edit]]) -> None:
    text, edits = case
    after = apply_edits(text, edits)
    assert dump(reparse(parse(text), after, edits)) == dump(parse(after))


def test_what_stands_before_the_first_edit_is_the_same() -> None:
    before = parse("FROM a\nRUN b\nRUN c\nRUN d\n")
    after = reparse(before, "FROM a\nRUN b\nRUN cc\nRUN d\n", [Edit(17, 18, "cc")])
    assert after.items[1] is before.items[1]
    assert after.items[3] is not before.items[3]
    assert after.items[3].span == (20, 26)


SCRIPTS = (
    "apt-get update && apt-get install -y \\\n # why\n  a \\\n b > /dev/null 2>&1; x=$(cat <<E\n$y\nE\n)",
    "if [ -n \"${A:-$(b)}\" ]; then f() { c; }; else for i in a {b,c}; do d ~ $((1 + $e)); done; fi",
    "case $a in b|c) d ;; *) e & esac",
    "echo 'open",
)  # fmt: skip


@pytest.mark.parametrize("by", [0, 1, -3, 1000])
@pytest.mark.parametrize("text", SCRIPTS)
def test_a_script_that_moves(text: str, by: int) -> None:
    cooked = cook(text)
    dialects: tuple[Dialect, ...] = ("sh", "bash")
    for dialect in dialects:
        scripts = Scripts()
        first = scripts.parse(cooked, 10, dialect)
        assert dump(first) == dump(parse_shell(cooked, 10, dialect))
        assert dump(scripts.parse(cook(text), 10 + by, dialect)) == dump(parse_shell(cooked, 10 + by, dialect))
        assert dump(moved(first, by)) == dump(scripts.parse(cooked, 10 + by, dialect))


def test_scripts_are_told_apart_by_what_is_left_out_of_them() -> None:
    scripts = Scripts()
    one, other = (scripts.parse(cook("a \\\n# b\n c", escape), 0, "sh") for escape in ("\\", "`"))
    assert dump(one) != dump(other)


def test_there_are_texts() -> None:
    assert len(TEXTS) > 500
