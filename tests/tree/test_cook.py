"""What is read of raw text, and the way back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixer.tree import nodes as n
from fixer.tree.cook import Cooked, cook, cook_heredoc
from fixer.tree.parse import parse
from fixer.tree.visitor import find
from tests.tree.fuzz import texts
from tests.tree.samples import SAMPLES


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("a", "a"),
        ("a \\\n b", "a  b"),
        ("a\\\nb\\ \t\r\nc", "abc"),
        ("a \\\n  # x\n\n \t\n#y\nb", "a b"),
        ("a \\\n# x", "a "),
        ("'a \\\n#b\n c'", "'a  c'"),
        ("a \\\n", "a "),
        ("", ""),
    ],
)
def test_cook(raw: str, text: str) -> None:
    cooked = cook(raw)
    assert cooked.text == text
    _check(cooked, raw)


def test_backtick() -> None:
    assert cook("a `\n b \\\n", "`").text == "a  b \\"


def test_ends_are_those_of_the_character_before() -> None:
    cooked = cook("ab\\\n  c")
    assert cooked.text == "ab  c"
    assert (cooked.raw(2), cooked.raw_end(2)) == (4, 2)
    assert (cooked.raw(5), cooked.raw_end(5), cooked.raw_end(0)) == (7, 7, 0)
    assert not cooked.plain
    assert cook("ab").plain


def test_heredoc_tabs() -> None:
    cooked = cook_heredoc("\ta\n\t\tb \t\nc\n", chomp=True)
    assert cooked.text == "a\nb \t\nc\n"
    assert (cooked.raw(2), cooked.raw_end(2)) == (5, 3)
    assert cook_heredoc("\ta\n").text == "\ta\n"
    _check(cooked, "\ta\n\t\tb \t\nc\n")


def _check(cooked: Cooked, raw: str) -> None:
    for offset, character in enumerate(cooked.text):
        assert raw[cooked.raw(offset)] == character
        assert cooked.raw_end(offset + 1) == cooked.raw(offset) + 1
    assert "".join(raw[start : start + length] for start, length in cooked.pieces()) == cooked.text


@given(st.one_of(texts(), st.sampled_from([sample.text for sample in SAMPLES])))
def test_cook_agrees_with_the_lexer(text: str) -> None:
    """`cook` of a leaf's text is the value that the lexer found by joining the lines from the start."""
    file = parse(text)
    for node in (*find(file, n.ShellForm), *find(file, n.Flag)):
        leaf = node.script if isinstance(node, n.ShellForm) else node.word
        cooked = cook(leaf.text, file.escape)
        assert cooked.text == leaf.value
        _check(cooked, leaf.text)
    for doc in find(file, n.Heredoc):
        assert cook_heredoc(doc.body.text, doc.chomp).text == doc.body.value
