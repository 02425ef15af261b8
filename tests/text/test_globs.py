"""Patterns are matched in a time that their stars do not multiply, and match what they matched."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

from fixer.analysis.dockerignore import parse_ignore
from fixer.text.globs import Glob, NotFollowedError, whole, within_names

GIT = ("*", "a", "b", "/", "?", "[ab]", "[a-c]", "**/", "/**", ".", "[!a]", "[]a]", r"\*", "é")
OTHERS = (
    "[^/]*", "a", "b", "/", "[^/]", "[ab]", "(?:.*/)?", "/.*", r"\.", "(?:a){1,2}", "|", "[^a]", "(?:[ab]){0,3}",
    "(?:b){2,}", ".*", "^", "$",
)  # fmt: skip
PATHS = st.text("aab/.cé", max_size=300) | st.text("aab/.cé", max_size=12)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(GIT), min_size=1, max_size=12).map("".join), st.lists(PATHS, min_size=20))
def test_git_s_patterns_match_the_same(pattern: str, paths: list[str]) -> None:
    try:
        expression, _ = GitIgnoreSpecPattern.pattern_to_regex(pattern)
    except ValueError:
        return
    if expression is not None:
        for path in paths:
            assert Glob(expression).matches(path) == bool(re.search(expression, path))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(OTHERS), min_size=1, max_size=9).map("".join), st.lists(PATHS, min_size=20))
def test_others_match_the_same(expression: str, paths: list[str]) -> None:
    for path in (path[:40] for path in paths):
        assert whole(expression).matches(path) == bool(re.search(rf"\A(?:{expression})\Z", path))


@pytest.mark.parametrize(
    "pattern",
    [
        "*a*a*a*a*a*a*a*a*b",
        "a?*a?*a?*a?*a?*a?*b",
        "*[ac]*[ac]*[ac]*[ac]*[ac]*b",
        "*/*/*/*/*b",
        "**/a/**/a/**/a/**/b",
        "**/a**/a**/a**/b",
    ],
)
@pytest.mark.parametrize("path", ["a" * 2_000, "a/" * 1_000 + "a"])
def test_many_stars_take_no_time(pattern: str, path: str) -> None:
    expression, _ = GitIgnoreSpecPattern.pattern_to_regex(pattern)
    assert expression is not None
    started = time.process_time()
    assert not Glob(expression).matches(path)
    assert not parse_ignore(pattern.encode())._match(path, "")[1]
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    ("line", "path"),
    [("?{0,999}" * 6 + "b", "a" * 200), ("[a]{0,1}" * 40 + "[a]" * 40 + "b", "a" * 60)],
)
def test_repetitions_take_no_time(line: str, path: str) -> None:
    started = time.process_time()
    ignore = parse_ignore(line.encode())
    assert not ignore.excludes(path)
    assert ignore.excludes(path + "b")
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    "expression",
    [r"a*b*c*(?=d)", r"a*b*c*\bd", r"(a)*b*c*\1", "a*?b*c*", "(?:a){1000}*(?:b){1000}", "(?:ab){1000}" * 20],
)
def test_what_is_not_followed(expression: str) -> None:
    with pytest.raises(NotFollowedError):
        Glob(expression)


@pytest.mark.parametrize("expression", ["a*b*c*)", "(a*b*c*", "*a*b*c"])
def test_what_is_no_expression(expression: str) -> None:
    with pytest.raises(re.error):
        Glob(expression)


@pytest.mark.parametrize(
    ("expression", "within"),
    [
        ("[^a]b[^/]*", "[^/a]b[^/]*"),
        ("[^]a]", r"[^/\]a]"),
        ("[^-a]", r"[^/\-a]"),
        ("[a^]", "[a^]"),
        (r"\[^a]", r"\[^a]"),
    ],
)
def test_no_class_takes_a_slash(expression: str, within: str) -> None:
    assert within_names(expression) == within
    assert re.compile(within)
