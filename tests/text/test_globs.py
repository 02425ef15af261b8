"""Patterns are matched in a time that their stars do not multiply, and match what they matched."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

from fixer.analysis.dockerignore import parse_ignore
from fixer.text.globs import linear

PIECES = ("*", "a", "b", "/", "?", "[ab]", "[a-c]", "**/", "/**", ".", "{1,2}", "|", "[^a]")
PATHS = st.text("aab/.c", min_size=1, max_size=14)


@settings(max_examples=1_000, deadline=None)
@given(st.lists(st.sampled_from(PIECES[:10]), min_size=3, max_size=12).map("".join), st.lists(PATHS, min_size=20))
def test_git_s_patterns_match_the_same(pattern: str, paths: list[str]) -> None:
    try:
        expression, _ = GitIgnoreSpecPattern.pattern_to_regex(pattern)
        rewritten = None if expression is None else linear(expression)
    except ValueError:
        return
    if expression is None or rewritten is None:
        return
    for path in paths:
        before, after = re.search(expression, path), re.search(rewritten, path)
        assert (before is None) == (after is None)
        if before is not None and after is not None:
            assert before.groupdict().get("ps_d") == after.groupdict().get("ps_d")


GO = {"*": "[^/]*", "?": "[^/]", "**/": "(?:.*/)?", "/**": "/.*", ".": r"\."}


@settings(max_examples=1_000, deadline=None)
@given(st.lists(st.sampled_from(PIECES), min_size=3, max_size=12), st.lists(PATHS, min_size=20))
def test_docker_s_patterns_match_the_same(pieces: list[str], paths: list[str]) -> None:
    expression = "^" + "".join(GO.get(piece, piece) for piece in pieces) + r"\Z"
    try:
        before = re.compile(expression)
        after = re.compile(linear(expression))
    except (ValueError, re.error):
        return
    for path in paths:
        assert (before.search(path) is None) == (after.search(path) is None)


@pytest.mark.parametrize(
    "pattern", ["*a*a*a*a*a*a*a*a*b", "a?*a?*a?*a?*a?*a?*b", "*[ac]*[ac]*[ac]*[ac]*[ac]*b", "*/*/*/*/*b"]
)
def test_many_stars_take_no_time(pattern: str) -> None:
    expression, _ = GitIgnoreSpecPattern.pattern_to_regex(pattern)
    assert expression is not None
    started = time.process_time()
    assert re.search(linear(expression), "a" * 200) is None
    assert not parse_ignore(pattern.encode()).excludes("a" * 200)
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    "expression",
    [
        r"^(?:.*/)?a/(?:.*/)?b/(?:.*/)?c\Z",
        r"^[^/]*[^a][^/]*[^a][^/]*[^a][^/]*b\Z",
        r"^[^/]*f(?:o){1,}[^/]*f(?:o){2,}[^/]*x\Z",
    ],
)
def test_too_many_are_refused(expression: str) -> None:
    with pytest.raises(ValueError, match="more wildcards"):
        linear(expression)
