"""Words as BuildKit cuts them."""

from __future__ import annotations

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixer.tree.words import (
    FLAG_WORD,
    HeredocWord,
    Unreadable,
    csv_fields,
    heredoc_of,
    heredocs_of,
    is_cut,
    unquote_flag,
)


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("--a=b", "--a=b"),
        ("--a='b c'", "--a=b c"),
        ('--a="b\\"c"', '--a=b"c'),
        ("--a='b\\'c'", "--a=b'c"),
        ("--a=b\\ c\\\\d", "--a=b c\\d"),
        ("--a=b\\", "--a=b"),
        ("--a='b", "--a=b"),
        ("--a=\u00e9", "--a=\u00c3\u00a9"),
    ],
)
def test_unquote_flag(word: str, value: str) -> None:
    match = FLAG_WORD["\\"].match(word + " next")
    assert match is not None
    assert match[0] == word or "'" in word or word.endswith("\\")
    assert unquote_flag(word, "\\") == value


@pytest.mark.parametrize("word", ["--a=\u00e0", "--a=\u0105", "--a=\u00a0"])
def test_flag_cut_in_two(word: str) -> None:
    assert is_cut(word)
    assert not is_cut(word.replace("\u00e0", "\u00e1").replace("\u0105", "a").replace("\u00a0", " "))


def test_backtick_escapes_in_flags() -> None:
    assert unquote_flag("--a=C:\\b` c", "`") == "--a=C:\\b c"


@pytest.mark.parametrize(
    ("value", "fields"),
    [
        ("a", ["a"]),
        ("a,b", ["a", "b"]),
        ("a,", ["a", ""]),
        (",", ["", ""]),
        ('"a,b",c', ["a,b", "c"]),
        ('"a""b"', ['a"b']),
        ('""', [""]),
        ("a\r\n", ["a"]),
    ],
)
def test_csv(value: str, fields: list[str]) -> None:
    assert csv_fields(value) == fields


@pytest.mark.parametrize("value", ["", "\n", 'a"b', '"a', '"a"b', 'a,"b"c,d'])
def test_csv_refused(value: str) -> None:
    with pytest.raises(Unreadable, match="csv"):
        csv_fields(value)


@given(st.lists(st.text('ab," =', max_size=5), min_size=1, max_size=4))
def test_csv_reads_what_csv_writes(fields: list[str]) -> None:
    class Line(list[str]):
        def write(self, text: str) -> None:
            self.append(text)

    line = Line()
    csv.writer(line, lineterminator="").writerow(fields)
    assert csv_fields("".join(line)) == fields


@pytest.mark.parametrize(
    ("word", "heredoc"),
    [
        ("<<EOF", HeredocWord("EOF", 0, False, False)),
        ("<<-EOF", HeredocWord("EOF", 0, False, True)),
        ("3<<EOF", HeredocWord("EOF", 3, False, False)),
        ("<< EOF", HeredocWord("EOF", 0, False, False)),
        ("<<'E F'", HeredocWord("E F", 0, True, False)),
        ('<<E"O"F', HeredocWord("EOF", 0, True, False)),
        ("<<\\EOF", HeredocWord("EOF", 0, False, False)),
        ("<<$A", HeredocWord("$A", 0, False, False)),
        ("99999999999999999999<<A", HeredocWord("A", 2**64 - 1, False, False)),
        ("<<", None),
        ("<<<a", None),
        ("<<a<b", None),
        ("<<''", None),
        ("<<a b", None),
        ("x<<a", None),
    ],
)
def test_heredoc_of(word: str, heredoc: HeredocWord | None) -> None:
    assert heredoc_of(word) == heredoc


def test_heredoc_of_an_open_quote() -> None:
    with pytest.raises(Unreadable, match="heredoc-name"):
        heredoc_of("<<'a")


def test_heredocs_of() -> None:
    assert [h.name for h in heredocs_of("RUN a <<A 'x <<B' && b 2<<-\"C\" # <<D")] == ["A", "C", "D"]
    assert heredocs_of('RUN "<<A') == []
    assert heredocs_of("RUN ${x <<A") == []
    assert heredocs_of("RUN a") == []
