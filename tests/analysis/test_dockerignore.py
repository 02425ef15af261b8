"""What .dockerignore leaves out. dockerignore.json holds what a real engine (Docker Engine 28.5.2, buildx 0.29.1) said
of one tree and many pattern sets; tests/e2e/test_dockerignore.py asks an engine again."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixer.analysis.dockerignore import Ignore, IgnoreTrouble, parse_ignore
from fixer.engine.context import read_ignore

RECORDED = json.loads(Path(__file__).with_name("dockerignore.json").read_text())
PATHS: list[str] = RECORDED["paths"]
"""Every path of the tree, in the order of their names; directories end with `/`."""
CASES: list[tuple[str, str]] = [(text, said) for text, said in RECORDED["cases"]]
"""A .dockerignore, and which paths arrived, by number: `0-3,7`; or `error: …`."""


def recorded(said: str) -> set[str]:
    """The paths that arrived."""
    found = set()
    for part in filter(None, said.split(",")):
        first, _, last = part.partition("-")
        found |= {PATHS[number].rstrip("/") for number in range(int(first), int(last or first) + 1)}
    return found


def arriving(ignore: Ignore, *, prune: bool = True) -> set[str]:
    """What a walk over the tree takes."""
    children: dict[str, list[str]] = {}
    for path in PATHS:
        children.setdefault(path.rstrip("/").rpartition("/")[0], []).append(path)

    def walk(directory: str) -> Iterator[str]:
        for path in children.get(directory, ()):
            name = path.rstrip("/")
            if not ignore.excludes(name):
                yield name
                while "/" in name:
                    name = name.rpartition("/")[0]
                    yield name
            name = path.rstrip("/")
            if path.endswith("/") and (not prune or ignore.may_hold(name)):
                yield from walk(name)

    return set(walk(""))


@pytest.mark.parametrize(("text", "said"), CASES, ids=[repr(text)[:60] for text, _ in CASES])
def test_the_engine_agrees(text: str, said: str) -> None:
    if said.startswith("error: "):
        with pytest.raises(IgnoreTrouble):
            parse_ignore(text.encode())
        return
    ignore = parse_ignore(text.encode())
    assert arriving(ignore) == recorded(said)
    # who asks for a path without walking to it gets the same answer
    assert arriving(parse_ignore(text.encode()), prune=False) == recorded(said)


def test_many_cases_are_recorded() -> None:
    assert len(CASES) > 300
    assert sum(said.startswith("error: ") for _, said in CASES) > 30
    assert {said for _, said in CASES if not said.startswith("error: ")} > {"", f"0-{len(PATHS) - 1}"}


@pytest.mark.parametrize(
    ("text", "line"),
    [("!", 1), ("a\n# b\n\n!\n", 4), ("a\r\n[b\r\n", 2), ("ok\n\\", 2), ("a\tb", 1), ("\\y", 1), ("a\n*{2}", 2)],
)
def test_trouble_names_the_line(text: str, line: int) -> None:
    with pytest.raises(IgnoreTrouble) as trouble:
        parse_ignore(text.encode(), "some/.dockerignore")
    assert trouble.value.line == line
    assert str(trouble.value).startswith(f"some/.dockerignore:{line}: ")


@pytest.mark.parametrize("pattern", ["\\pL", "\\p{Greek}*", "\\Qa*", "\\P{L}x*"])
def test_what_is_not_known_is_said(pattern: str) -> None:
    with pytest.raises(IgnoreTrouble, match="is not known") as raised:
        parse_ignore(pattern.encode())
    assert not raised.value.followed


def test_lines_are_as_long_as_the_engine_takes() -> None:
    assert parse_ignore(b"#" * 65535 + b"\nfoo").excludes("foo")
    for text in (b"#" * 65536 + b"\nfoo", b"foo\n" + b"#" * 65536, b"\xef\xbb\xbf" + b"#" * 65533):
        with pytest.raises(IgnoreTrouble, match="longer"):
            parse_ignore(text)


def test_nothing_is_left_out_without_patterns() -> None:
    for ignore in (parse_ignore(b""), parse_ignore(b"# foo\n\n"), parse_ignore(b"\xef\xbb\xbf")):
        assert not ignore.excludes("foo")
        assert ignore.may_hold("foo")


def test_the_context_itself_stays() -> None:
    ignore = parse_ignore(b"**\n.\n/\n")
    assert not ignore.excludes("")
    assert not ignore.excludes(".")
    assert ignore.may_hold("")
    assert ignore.may_hold(".")
    assert ignore.excludes("foo")


def test_who_walks_need_not_look_everywhere() -> None:
    ignore = parse_ignore(b"*\n!src\nsrc/gen\n!docs/*.md\nnode_modules\n")
    assert [ignore.may_hold(path) for path in ("src", "src/a", "src/gen", "docs", "img", "node_modules", "x")] == [
        True, True, False, True, False, False, False,
    ]  # fmt: skip
    assert parse_ignore(b"*\n!**/*.md\n").may_hold("x/y/z")
    assert not parse_ignore(b"a\n").may_hold("a/b/c")


def test_bytes_that_are_no_characters() -> None:
    # the engine's client gets a replacement for such a byte in a pattern; in a name it fails
    ignore = parse_ignore(b"n\xff*\nf\xff\n")
    assert ignore.excludes("n\udcffame")
    assert ignore.excludes("n�")
    assert not ignore.excludes("f\udcff")
    assert ignore.excludes("f�")


class TestWhichFile:
    @pytest.fixture
    def context(self, tmp_path: Path) -> Path:
        context = tmp_path / "context"
        context.mkdir()
        return context

    def excluded(self, context: Path, dockerfile: Path) -> list[str]:
        ignore = read_ignore(context, dockerfile)
        return [name for name in ("common", "own") if ignore.excludes(name)]

    def test_none(self, context: Path) -> None:
        ignore = read_ignore(context, context / "Dockerfile")
        assert ignore.path == ""
        assert not ignore.patterns

    def test_the_context_s(self, context: Path) -> None:
        (context / ".dockerignore").write_text("common\n")
        assert self.excluded(context, context / "Dockerfile") == ["common"]
        assert self.excluded(context, context / "docker" / "api.Dockerfile") == ["common"]

    @pytest.mark.parametrize("text", ["own\n", "# nothing\n", ""])
    def test_the_dockerfile_s_own_goes_first(self, context: Path, text: str) -> None:
        (context / ".dockerignore").write_text("common\n")
        (context.parent / "api.Dockerfile.dockerignore").write_text(text)
        assert self.excluded(context, context.parent / "api.Dockerfile") == text.split()[:1] * (text == "own\n")
        assert self.excluded(context, context.parent / "Dockerfile") == ["common"]

    def test_a_directory_of_that_name_is_none(self, context: Path) -> None:
        (context / ".dockerignore").write_text("common\n")
        (context / "Dockerfile.dockerignore").mkdir()
        assert self.excluded(context, context / "Dockerfile") == ["common"]

    @pytest.mark.parametrize(("link", "found"), [("real", True), ("/real", True), ("../real", True), ("none", False)])
    def test_a_link_stays_inside(self, context: Path, link: str, found: bool) -> None:
        """As for the engine, which has nothing outside: `..` of the context is the context."""
        (context / "real").write_text("common\n")
        (context.parent / "none").write_text("common\n")
        os.symlink(link, context / ".dockerignore")
        assert self.excluded(context, context / "Dockerfile") == (["common"] if found else [])

    def test_a_link_to_itself(self, context: Path) -> None:
        os.symlink(".dockerignore", context / ".dockerignore")
        with pytest.raises(IgnoreTrouble):
            read_ignore(context, context / "Dockerfile")

    @pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="for the superuser, who can be another")
    def test_one_that_may_not_be_read(self, context: Path) -> None:
        (context / ".dockerignore").write_text("common\n")
        (context / ".dockerignore").chmod(0)
        os.chmod(context, 0o755)
        os.seteuid(65534)
        try:
            with pytest.raises(IgnoreTrouble) as trouble:
                read_ignore(context, context / "Dockerfile")
        finally:
            os.seteuid(0)
        assert trouble.value.line == 0


def test_one_pattern_does_not_slow_down_what_many_directories_ask() -> None:
    asked = 0
    ignore = parse_ignore(b"*.log\n**/x\n")

    def counting(path: str) -> bool:
        nonlocal asked
        asked += 1
        return False

    ignore = Ignore("", tuple(pattern._replace(test=counting) for pattern in ignore.patterns))
    for number in range(100):
        ignore.excludes(f"a/b/c/d/{number}")
    assert asked <= 2 * (100 + 4)


def _by_the_book(ignore: Ignore, path: str) -> bool:
    """As moby/patternmatcher's `MatchesUsingParentResults` says it, directory by directory."""
    above = [False] * len(ignore.patterns)
    excluded = False
    for end in [*(at for at, char in enumerate(path) if char == "/"), len(path)]:
        here = [False] * len(ignore.patterns)
        excluded = False
        for number, pattern in enumerate(ignore.patterns):
            if above[number] or (pattern.exception is excluded and pattern.test(path[:end])):
                here[number] = True
                excluded = not pattern.exception
        above = here
    return excluded


LINES = st.sampled_from(
    ("*", "a", "b", "a/b", "a/*", "*/b", "**", "**/a", "a/**", "b/a/b", "**/b/a", "a*", "?", "a/b/a", "b/b", "**/*a")
)
WALKS = st.lists(st.sampled_from(("a", "b", "ab")), min_size=1, max_size=5).map("/".join)


@settings(max_examples=500, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(("", "!")), LINES).map("".join), max_size=12), st.lists(WALKS, min_size=20))
def test_the_last_pattern_decides_directory_by_directory(lines: list[str], paths: list[str]) -> None:
    ignore = parse_ignore("\n".join(lines).encode())
    for path in paths:
        parent = path.rpartition("/")[0]
        assert ignore._match(path, parent)[1] == _by_the_book(ignore, path), path
        assert ignore.excludes(path) == _by_the_book(ignore, path) or not ignore.may_hold(parent)


def test_directories_share_what_the_patterns_say_of_them() -> None:
    ignore = parse_ignore(b"*\n!*\n" * 2000 + b"x\n")
    assert not ignore.excludes("a/" * 300 + "b")
    assert len({id(matched) for matched, _ in ignore._directories.values()}) == 2
    assert ignore.budget.steps < 3 * len(ignore.patterns)


def test_patterns_without_a_wildcard_are_not_asked_one_by_one() -> None:
    ignore = parse_ignore(b"".join(b"a%d\n!a%d/b\n" % (k, k) for k in range(2000)) + b"a5\n")
    assert ignore.excludes("a7/c")
    assert not ignore.excludes("a7/b")
    assert not ignore.excludes("a5/b")  # what was not asked of the directory, since it was out already
    assert ignore.excludes("a5/c")
    assert not ignore.excludes("c/d/e")
    assert ignore.budget.steps < 10 * len(ignore.patterns)
