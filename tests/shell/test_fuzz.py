"""Whatever comes in: no exception, a tree whose positions hold, and nothing of the text forgotten."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from fixer.tree.cook import Cooked, cook
from fixer.tree.parse_shell import REASONS, Dialect, parse_shell
from fixer.tree.shell import (
    ArithmeticCommand,
    Assignment,
    For,
    Function,
    OpaqueScript,
    Operator,
    Redirect,
    Script,
    ShellNode,
    Word,
)
from tests.shell.cases import BASH, BOTH, OPAQUE, SH
from tests.shell.oracle import invariants, plain

OWN = [text for text, *_ in (*BOTH, *BASH, *SH, *OPAQUE)]
PIECES = sorted(
    {piece for text in OWN for piece in re.findall(r"\w+|\s+|[^\w\s]+|.", text)} | set("$`\"'\\(){}[]#;&|<>=~*!\n\t ")
)
RESERVED = re.compile(
    r"(?:if|then|elif|else|fi|for|select|while|until|do|done|case|in|esac|function|time|-p|!|\||;(?=\s*do\b)|[{}()]|\[\[|\]\]|\\\n|\s|\\$)*"
)

fragments = st.lists(st.sampled_from(PIECES), max_size=25).map("".join)
joined = st.lists(st.sampled_from(OWN), min_size=1, max_size=4).flatmap(
    lambda texts: st.sampled_from(["; ", " && ", "\n", " | ", " "]).map(lambda s: s.join(texts))
)


@st.composite
def mutated(draw: st.DrawFn) -> str:
    text = draw(joined)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(text)))
        cut = draw(st.integers(0, 3))
        text = text[:at] + draw(st.sampled_from([*PIECES, ""])) + text[at + cut :]
    return text


scripts = st.one_of(fragments, mutated(), st.text(max_size=40))
dialects = st.sampled_from(["sh", "bash"])


def leftovers(tree: Script, text: str) -> str:
    """What no leaf of the tree covers, without comments."""
    left = list(text)

    def cover(start: int, end: int) -> None:
        for i in range(start, end):
            if left[i] != "\n":
                left[i] = " "

    for node in tree.walk():
        if isinstance(node, (Word, Operator, Assignment, ArithmeticCommand)):
            cover(node.start, node.end)
        elif isinstance(node, Redirect):
            cover(node.start, node.end)
            if node.body_span is not None:
                eol = text.find("\n", node.body_span.end)
                cover(node.body_span.start, len(text) if eol < 0 else eol)
        elif isinstance(node, Function):
            keyword = re.match(r"function[ \t]+(?!\()", text[node.start : node.end])
            name = text.index(node.name, node.start + (keyword.end() if keyword else 0))
            cover(name, name + len(node.name))
        elif isinstance(node, For):
            head = text[node.start : node.body.start]
            if node.name:
                name = head.index(node.name, len(node.keyword))
                cover(node.start + name, node.start + name + len(node.name))
            else:
                cover(node.start + head.index("(("), node.start + head.rindex("))") + 2)
    return re.sub(r"(?m)(?<![^\s()]) *#.*", "", "".join(left))


def check(tree: Script | OpaqueScript, text: str) -> None:
    assert invariants(tree, text) == ""
    if isinstance(tree, OpaqueScript):
        assert tree.why in REASONS
        assert 0 <= tree.at <= len(text)
        return
    for node in tree.walk():
        assert not isinstance(node, OpaqueScript)
    if "\\\n" not in text:
        rest = leftovers(tree, text)
        assert RESERVED.fullmatch(rest), rest


@settings(max_examples=400, deadline=None)
@given(scripts, dialects)
def test_any_text(text: str, dialect: Dialect) -> None:
    check(parse_shell(plain(text), 0, dialect), text)


@settings(max_examples=200, deadline=None)
@given(scripts, dialects, st.data())
def test_pieces_of_a_file(text: str, dialect: Dialect, data: st.DataObject) -> None:
    """The same tree, at other places, when Docker has taken something out of the text."""
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    raw, pieces, at = "", [], 0
    for cut in [*cuts, len(text)]:
        pieces.append((len(raw), len(raw) + cut - at))
        raw += text[at:cut] + "\\\n"
        at = cut
    cooked = Cooked(raw, pieces)
    assert cooked.text == text
    here = parse_shell(plain(text), 0, dialect)
    there = parse_shell(cooked, 50, dialect)
    assert invariants(there, " " * (50 + len(raw))) == ""
    for a, b in zip(here.walk(), there.walk(), strict=True):
        assert type(a) is type(b)
        if isinstance(a, (Word, Operator)):
            assert a.text == b.text
        if a.start < a.end:
            assert b.start == 50 + cooked.raw(a.start)
            assert b.end == 50 + cooked.raw_end(a.end)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(OWN), min_size=1, max_size=3), dialects)
def test_what_docker_joins(texts: list[str], dialect: Dialect) -> None:
    raw = " \\\n # comment\n && ".join(texts)
    cooked = cook(raw)
    tree: ShellNode = parse_shell(cooked, 0, dialect)
    assert invariants(tree, raw) == ""
