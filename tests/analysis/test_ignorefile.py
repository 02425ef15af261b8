"""A .dockerignore as people write it: lines, habits, and where a line goes."""

from __future__ import annotations

import pytest

from fixer.analysis.ignorefile import IgnoreFile, read_ignore_file
from fixer.text.edits import apply_edits
from fixer.text.source import Span

KIN = frozenset(("dist", "node_modules", "target"))


def added(text: str, line: str = "target", newline: str | None = None) -> str:
    edit, span = read_ignore_file(text).with_line(line, KIN, newline)
    assert span.start <= edit.start <= span.end
    return apply_edits(text, [edit])


def test_lines() -> None:
    found = IgnoreFile("\ufeff# a\r\n\r\n !/b/ \n  # c\nd")
    assert [(line.kind, line.text) for line in found.lines] == [
        ("comment", "# a"), ("blank", ""), ("pattern", "!/b/"), ("pattern", "# c"), ("pattern", "d")
    ]  # fmt: skip
    assert [line.written for line in found.lines[2:]] == ["/b/", "# c", "d"]
    assert found.lines[2].pattern is not None
    assert found.lines[2].pattern.exception
    assert found.block_at(found.lines[2].span.start) == found.lines[2].span
    assert found.block_at(0) is None
    assert found.newline == "\r\n"


def test_a_pattern_with_which_every_build_fails() -> None:
    assert read_ignore_file("a\n[b-\n").problem == (
        "a pattern with a malformed [class], with which the build fails", 2
    )  # fmt: skip
    assert read_ignore_file("a\n").problem is None


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("", "target"),
        ("/.git\n/docs\n*.md\n", "/target"),
        (".git/\nnotes/\n", "target/"),
        (".git\nnotes/\n", "target"),  # `.git` is a directory, too
        ("**/.git\n**/*.pyc\n", "target"),
        ("/.git/\n/dist/\nREADME.md\n", "/target/"),
        ("!/a\n!/b\nc\n", "target"),
    ],
)
def test_habits(text: str, written: str) -> None:
    assert read_ignore_file(text).written("target") == written


def test_for_any_depth() -> None:
    assert read_ignore_file("**/.git/\n**/dist/\na\n").written("target", anywhere=True) == "**/target/"
    assert read_ignore_file("**/.git\n**/dist\na\n").habits.anywhere
    assert not read_ignore_file("**/.git\n").habits.anywhere, "one line is no habit"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "target\n"),
        ("\n\n", "\n\ntarget\n"),
        ("a", "a\ntarget"),
        ("a\n", "a\ntarget\n"),
        ("a\n\n\n", "a\ntarget\n\n\n"),
        ("a\r\nb\r\n", "a\r\nb\r\ntarget\r\n"),
        ("dist\nzoo\nb\n", "dist\ntarget\nzoo\nb\n"),
        ("a\nb\nc\nzoo\ndist\n", "a\nb\nc\nzoo\ndist\ntarget\n"),
        ("a\nb\ndist\nzoo\n", "a\nb\ndist\ntarget\nzoo\n"),
        ("# x\na\n\n# y\ndist\n\n# z\nb\n", "# x\na\n\n# y\ndist\ntarget\n\n# z\nb\n"),
        ("# x\na\n\n# z\nb\n", "# x\na\n\n# z\nb\n\ntarget\n"),
        ("# x\na\n\n# z\nb", "# x\na\n\n# z\nb\n\ntarget"),
        ("# x\na\n# ----\n\n", "# x\na\n# ----\n\ntarget\n"),
        ("dist\n!a\n", "dist\n!a\ntarget\n"),
        ("*\n!a\n!b\n", "*\n!a\n!b\ntarget\n"),
        ("!a\ndist\nb\n", "!a\ndist\ntarget\nb\n"),
        ("web/dist\na\n", "web/dist\na\ntarget\n"),
    ],
)
def test_where_a_line_goes(before: str, after: str) -> None:
    assert added(before) == after


def test_a_directory_goes_to_those_beside_it() -> None:
    assert added("dist\nweb/dist\na\n", "web/target") == "dist\nweb/dist\nweb/target\na\n"


def test_the_first_of_the_alphabet() -> None:
    assert added("b\nc\nd\nnode_modules\n", "a") == "a\nb\nc\nd\nnode_modules\n"


def test_line_ends_of_a_new_file() -> None:
    assert added("", "target", "\r\n") == "target\r\n"


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("a\n", "a\nb\n", None),
        ("a\nb\n", "x\na\n# why\nb\n", None),
        ("a\nb\n", "b\na\n", "the pattern b was lost"),
        ("a\nb\n", "a\n", "the pattern b was lost"),
        ("a\n", "a\n!b\n", "a pattern that brings files back was added: !b"),
    ],
)
def test_only_lines_may_be_added(old: str, new: str, fault: str | None) -> None:
    assert IgnoreFile(new).fault(IgnoreFile(old), [Span(0, 0)], lambda at: at) == fault
