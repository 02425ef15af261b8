"""Scripts and the trees that they must give."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from lark import Token

from fixer.tree.cook import cook, cook_heredoc
from fixer.tree.grammar import load_lark
from fixer.tree.lark_lexers import ShellLexer
from fixer.tree.nodes import Run
from fixer.tree.parse import parse
from fixer.tree.parse_shell import _BUILDERS, REASONS, Dialect, parse_shell
from fixer.tree.shell import OpaqueScript, Operator, Redirect, Script, ShellNode, Simple, Word
from fixer.tree.shell_lexer import Scanner
from tests.cost import count_calls
from tests.shell.cases import BASH, BOTH, OPAQUE, SH
from tests.shell.oracle import invariants, plain, shell_text
from tests.shell.sketch import sketch


def nodes(tree: ShellNode, kind: type) -> list[ShellNode]:
    return [node for node in tree.walk() if isinstance(node, kind)]


def read(text: str, dialect: Dialect = "sh") -> Script:
    tree = parse_shell(cook(text), 0, dialect)
    assert isinstance(tree, Script), tree
    return tree


@pytest.mark.parametrize("dialect", ["sh", "bash"])
@pytest.mark.parametrize(("text", "expected"), BOTH)
def test_both_dialects(text: str, expected: str, dialect: Dialect) -> None:
    tree = parse_shell(plain(text), 0, dialect)
    assert sketch(tree) == expected
    assert invariants(tree, text) == ""


@pytest.mark.parametrize(("text", "expected"), BASH)
def test_bash(text: str, expected: str) -> None:
    tree = parse_shell(plain(text), 0, "bash")
    assert sketch(tree) == expected
    assert invariants(tree, text) == ""


@pytest.mark.parametrize(("text", "expected"), SH)
def test_sh(text: str, expected: str) -> None:
    assert sketch(parse_shell(plain(text), 0, "sh")) == expected


@pytest.mark.parametrize(("text", "dialects", "why"), OPAQUE)
def test_opaque(text: str, dialects: str, why: str) -> None:
    both: tuple[Dialect, ...] = ("sh", "bash")
    for dialect in both:
        if dialects in ("both", dialect):
            tree = parse_shell(plain(text), 100, dialect)
            assert isinstance(tree, OpaqueScript)
            assert tree.why == why
            assert 100 <= tree.at <= 100 + len(text)
            assert tree.span == (100, 100 + len(text))
        else:
            assert why == "syntax" or isinstance(parse_shell(plain(text), 0, dialect), Script)


def test_every_reason_occurs() -> None:
    assert {why for _, _, why in OPAQUE} == set(REASONS)


def test_words_and_operators_are_where_they_say() -> None:
    for text, _ in [*BOTH, *BASH]:
        tree = parse_shell(plain(text), 0, "bash")
        if "`" in text or "\\\n" in text:
            continue
        for node in tree.walk():
            if isinstance(node, (Word, Operator)):
                assert text[node.start : node.end] == node.text


def test_positions_are_those_of_the_file() -> None:
    text = 'apt-get update \\\n  # why\n  && apt-get install "a\\\n b" \\\n # x\n\n  c\\\nd; e'
    base = 7
    tree = parse_shell(cook(text), base, "sh")
    found = {text[n.start - base : n.end - base] for n in tree.walk() if isinstance(n, (Word, Operator))}
    assert found == {"apt-get", "update", "&&", "install", '"a\\\n b"', "c\\\nd", ";", "e"}
    assert sketch(tree) == "apt-get update && apt-get install «a b» cd ; e"
    for node in tree.walk():
        if isinstance(node, Word):
            assert cook(text[node.start - base : node.end - base]).text == node.text


def test_positions_inside_escaped_backquotes() -> None:
    text = "a `b \\`c \\\\\\`d\\\\\\`\\``"
    tree = parse_shell(plain(text), 0, "sh")
    assert sketch(tree) == "a <` b <` c <` d>>>"
    assert invariants(tree, text) == ""
    words = [n for n in tree.walk() if isinstance(n, Word)]
    assert [text[w.start] for w in words] == ["a", "`", "b", "`", "c", "`", "d"]


def test_heredoc_bodies_have_places_and_expansions() -> None:
    text = "cat <<A >x\n$b \\$c $(d)\nA\ncat <<'E'\n$b\nE\n"
    tree = parse_shell(plain(text), 10, "sh")
    first, _, second = nodes(tree, Redirect)
    assert isinstance(first, Redirect)
    assert isinstance(second, Redirect)
    assert first.body == "$b \\$c $(d)\n"
    assert first.body_span is not None
    assert text[first.body_span.start - 10 : first.body_span.end - 10] == first.body
    assert [sketch(p) for p in first.body_parts] == ['<"b">', '<"$ d">']
    assert second.body == "$b\n"
    assert second.body_parts == ()
    assert "d" in [n.text for n in tree.walk() if isinstance(n, Word)]


def test_expansions_inside_arguments_are_found() -> None:
    tree = read('a ${b:-$(c1)} $((1 + $(c2))) {x,$(c3)} "${d%"$(c4)"}" `c5`', "bash")
    names = [sketch(n) for n in nodes(tree, Simple)]
    assert names[1:] == ["c1", "c2", "c3", "c4", "c5"]


def test_static_words() -> None:
    tree = read("a 'b c'd \"$e\" f* {g,h} ~ i\\ j \"\"")
    words = [n for n in nodes(tree, Word) if isinstance(n, Word)]
    assert [w.static for w in words] == ["a", "b cd", None, None, None, None, "i j", ""]


def test_tabs_of_a_chomped_heredoc() -> None:
    body = "\tset -e\n\t\tcat <<E\n\tx\n\tE\n\tb\n"
    tree = parse_shell(cook_heredoc(body, chomp=True), 0, "sh")
    assert sketch(tree) == "set -e / cat {<<:E|x/} / b /"
    words = [n for n in nodes(tree, Word) if isinstance(n, Word)]
    assert [body[w.start : w.end] for w in words] == ["set", "-e", "cat", "E", "b"]


def run_text(source: str) -> tuple[str, str]:
    """What the shell reads of the only RUN, and the file from the offset that comes with it."""
    file = parse(source)
    (run,) = [i for i in file.instructions if isinstance(i, Run)]
    found = shell_text(file, run)
    assert found is not None
    cooked, base = found
    for i in range(len(cooked.text)):
        assert source[base + cooked.raw(i)] == cooked.text[i]
    return cooked.text, source[base:]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("RUN a \\\n # c\n  && b\n", "a   && b"),
        ("RUN <<E\na\nb\nE\n", "a\nb\n"),
        ("RUN --mount=type=cache,target=/x <<-'E'\n\ta\n\tE\n", "a\n"),
        ("RUN cat <<E >f && \\\n b\nx\nE\n", "cat <<E >f &&  b\nx\nE"),
        ("RUN <<A cat\r\nx\r\nA\r\n", "<<A cat\nx\r\nA"),
        ("RUN a <<A <<B\n1\nA\n2\nB\nUSER x\n", "a <<A <<B\n1\nA\n2\nB"),
    ],
)
def test_what_the_shell_reads(source: str, text: str) -> None:
    assert run_text("FROM x\n" + source)[0] == text


class Builders:
    """The builders of `parse_shell` for Lark's own loop."""

    def __getattr__(self, rule: str) -> Callable[[list[Any]], Any]:
        if not rule.strip("_").islower() or rule.startswith("__"):
            raise AttributeError(rule)
        builder = _BUILDERS.get(rule, lambda value: value)
        return lambda values: builder(*[v.value if isinstance(v, Token) else v for v in values])


def test_lark_itself_builds_the_same_trees() -> None:
    lark = load_lark("shell.lark", ShellLexer, Builders())

    def parse_with_lark(scanner: Scanner) -> Script:
        place = scanner.places[scanner.pos]
        tree = lark.parse(scanner)  # type: ignore[arg-type]
        return Script(place, place, (), ()) if tree is None else tree  # type: ignore[return-value]

    for text, expected in [*BOTH, *BASH]:
        scanner = Scanner(text, range(len(text) + 1), 0, len(text), True, parse_with_lark)
        assert sketch(parse_with_lark(scanner)) == expected


def test_exec_form_has_no_shell() -> None:
    file = parse('FROM x\nRUN ["a", "b"]\n')
    assert shell_text(file, file.instructions[1]) is None


@pytest.mark.parametrize("dialect", ["sh", "bash"])
@pytest.mark.parametrize(
    "unit",
    ["$(", '"', "'", "`", "${a:-", "$((", "(", "{ ", "a; ", "a && ", "a | ", "if a; then ", "\\`", "a=(", "<<E ", "[[ ",
     "case a in ", "{a,", "~:", "a=~:", "\\\n", "# ", "\n", "$'", "<(", "! ", "x[", "f() ", "\\", '"$(', "a\\\nb", "$[",
     "{}", "{,}", "a* ", "\"${a:-'", "1>", "2", "&", ";;", "`\\`", "$a", "=~", "@(", "<<'E'\nE\n",
     "\r", "\0", "\udc80"],
)  # fmt: skip
def test_the_cost_is_linear(unit: str, dialect: Dialect) -> None:
    few, many = (count_calls(partial(parse_shell, plain(unit * times), 0, dialect)) for times in (200, 1_600))
    assert many < 8.5 * few, (few, many)
