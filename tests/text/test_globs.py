"""Patterns are matched in a time that their stars do not multiply, and match what they matched."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

from fixer.analysis.dockerignore import IgnoreTrouble, parse_ignore
from fixer.analysis.facts import TooMuchWorkError
from fixer.text import globs
from fixer.text.globs import Budget, Glob, NotFollowedError, whole, within_names

GIT = ("*", "a", "b", "/", "?", "[ab]", "[a-c]", "**/", "/**", ".", "[!a]", "[]a]", r"\*", "é")
OTHERS = (
    "[^/]*", "a", "b", "/", "[^/]", "[ab]", "(?:.*/)?", "/.*", r"\.", "(?:a){1,2}", "|", "[^a]", "(?:[ab]){0,3}",
    "(?:b){2,}", ".*", "^", "$",
)  # fmt: skip
PATHS = st.text("aab/.cé\n", max_size=300) | st.text("aab/.cé\n", max_size=12)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(GIT), min_size=1, max_size=12).map("".join), st.lists(PATHS, min_size=20))
def test_git_s_patterns_match_the_same(pattern: str, paths: list[str]) -> None:
    try:
        expression, _ = GitIgnoreSpecPattern.pattern_to_regex(pattern)
    except ValueError:
        return
    if expression is not None:
        for path in paths:
            assert Glob(expression).matches(path) == bool(re.search(_to_the_end(expression), path))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(OTHERS), min_size=1, max_size=9).map("".join), st.lists(PATHS, min_size=20))
def test_others_match_the_same(expression: str, paths: list[str]) -> None:
    for path in (path[:40] for path in paths):
        assert whole(expression).matches(path) == bool(re.search(rf"\A(?:{_to_the_end(expression)})\Z", path))


def _to_the_end(expression: str) -> str:
    """Git and Docker take `$` for the very end; to Python it is also before a last line feed. No class here has one."""
    return expression.replace("$", r"\Z")


@pytest.mark.parametrize("expression", ["a$", "a+$", "a*b*c*a$", r"\$a$", "[$]a$|a$"])
@pytest.mark.parametrize("before", ["", "b" * 300])
def test_a_name_may_end_in_a_line_feed(expression: str, before: str) -> None:
    assert Glob(expression).matches(f"{before}$a")
    assert not Glob(expression).matches(f"{before}$a\n")


OTHER_CHARACTERS = "".join(map(chr, range(0x3000, 0x3000 + 16_000)))


def test_characters_that_no_class_tells_apart_share_their_states() -> None:
    ignore = parse_ignore(b"?{0,1000}" * 9 + b"Q")
    for at in range(0, len(OTHER_CHARACTERS), 80):
        assert not ignore.excludes(OTHER_CHARACTERS[at : at + 80])
    assert ignore.excludes(OTHER_CHARACTERS[:80] + "Q")
    assert ignore.budget.steps < 10 * ignore.budget.places * 80


def test_all_automata_together_keep_so_much() -> None:
    many = [Glob(f"{k}*[ab]*[bc]*[cd]*(?:a|b|c|d){{0,99}}e$") for k in range(60)]
    for turn in range(40):
        for glob in many:
            assert not glob.matches("".join("abcd"[(k * 7 + turn * k // 3) % 4] for k in range(120)))
            assert globs._MEMORY.kept <= globs._MOST_KEPT
    automata = [glob._automaton for glob in many if glob._automaton is not None]
    assert len(automata) == len(many)
    assert sum(len(places) for one in automata for places in one._states) <= globs._MOST_KEPT


def test_the_same_after_all_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(globs, "_MOST_KEPT", 20)
    for expression in ("a*b*c*d", "[ab]*c[^c]*d(?:a|b)*$"):
        glob = Glob(expression)
        for path in ("abcd", "a/b/cda", "aaaabbbbccccd", "", "d", "ccccc", "abcd" * 20, "c" + "a" * 30 + "d", "cd"):
            assert glob.matches(path) == bool(re.search(_to_the_end(expression), path)), (expression, path)


def test_what_lies_below_a_known_directory_costs_its_own_characters_though_all_is_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where thousands of patterns share what may be kept, each path is the first after it."""
    looked_at: list[int] = []
    real = globs._Automaton._behind

    def behind(self: globs._Automaton, state: globs._State, text: str) -> globs._State:
        looked_at.append(len(text))
        return real(self, state, text)

    monkeypatch.setattr(globs._Automaton, "_behind", behind)
    glob = Glob("(?:.+/)?a*a[^/]*a*b$")
    assert glob._automaton is not None
    for depth in range(400):
        assert not glob.matches("ab/" * depth + "c")
        assert glob.matches("ab/" * depth + "aab")
        glob._automaton.forget()
    assert sum(looked_at) == 399 * len("ab/c") + 400 * len("aab")


def test_the_patterns_of_a_file_have_places_together() -> None:
    with pytest.raises(IgnoreTrouble) as caught:
        parse_ignore(b"\n".join(b"?{0,1000}" * 9 + b"Q%d" % k for k in range(1000)))
    assert not caught.value.followed
    assert parse_ignore(b"\n".join(b"**/a%d*b*c" % k for k in range(2000)))


def test_the_patterns_of_a_file_have_work_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(globs, "_MOST_STEPS", 5_000)
    lines = b"\n".join(b"*[a-m]*[k-z]*%d" % k for k in range(20))
    ignore = parse_ignore(lines)
    with pytest.raises(TooMuchWorkError):
        any(ignore.excludes(f"a{k}z") for k in range(300))
    with pytest.raises(TooMuchWorkError):  # and from then on always
        ignore.excludes("b")
    unbounded = parse_ignore(lines, bounded=False)
    assert not any(unbounded.excludes(f"a{k}z") for k in range(300, 600))


def test_what_cannot_be_built_is_tried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    glob = Glob(r"a\b", budget=Budget())
    assert glob.matches("b" * 300 + " a")
    monkeypatch.setattr(globs, "_Automaton", None)
    assert not glob.matches("b" * 300)


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
