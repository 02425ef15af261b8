"""What the cache codemods share."""

from __future__ import annotations

from typing import Any

import pytest

from fixer.analysis import Call, Facts, UserState, analyse
from fixer.analysis.values import Known
from fixer.codemods import common
from fixer.codemods.common import Owner, Reach, Stop
from fixer.text.edits import apply_edits
from fixer.text.source import Span
from fixer.tree.nodes import Dockerfile, Run
from fixer.tree.parse import parse


def read(text: str) -> tuple[Facts, Run, tuple[Call, ...]]:
    file: Dockerfile[Any] = parse(text)
    facts = analyse(file)
    run = next(i for i in reversed(file.instructions) if isinstance(i, Run))
    calls = facts.calls(run)
    assert isinstance(calls, tuple)
    return facts, run, calls


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("/root/.cache/pip", Reach.OWN),
        ("/root/.cache/pip/", Reach.OWN),
        ("~/.cache/pip/*", Reach.OWN),
        ('"$HOME/.cache/pip"/http', Reach.OWN),
        ("/root/./x/../.cache/pip", Reach.OWN),
        ("/root/.cache", Reach.WIDE),
        ("/root/.cache/*", Reach.WIDE),
        ("/root/.[a-z]*", Reach.WIDE),
        ("/", Reach.WIDE),
        ("/root/*", Reach.NONE),
        ("'/root/.cache/*'", Reach.NONE),
        ("/root/.cache/pipenv", Reach.NONE),
        ("/tmp/*", Reach.NONE),
        ("pip", Reach.NONE),
        ("../root/.cache", Reach.WIDE),
        ("$X", Reach.UNKNOWN),
        ("/root/$X", Reach.UNKNOWN),
        ("/root/.cache/pip/$X", Reach.OWN),
        ("/opt/$X", Reach.NONE),
        ("/root/.cache/{pip,npm}", Reach.UNKNOWN),
    ],
)
def test_reach(word: str, expected: Reach) -> None:
    _, _, calls = read(f"FROM debian\nARG X\nWORKDIR /work\nRUN rm -rf {word}\n")
    pattern, whole = common.pattern_of(calls[0], calls[0].nodes[2])
    assert common.reach(pattern, whole, "/root/.cache/pip") is expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("key.asc", Reach.NONE),
        ("a/b.tar.gz", Reach.NONE),
        ("pip", Reach.UNKNOWN),
        ("*", Reach.UNKNOWN),
        ("..", Reach.UNKNOWN),
    ],
)
def test_reach_from_a_directory_that_nobody_knows(word: str, expected: Reach) -> None:
    _, _, calls = read(f"FROM me/x\nRUN rm -rf {word}\n")
    pattern, whole = common.pattern_of(calls[0], calls[0].nodes[2])
    assert common.reach(pattern, whole, "/root/.cache/pip") is expected


def test_owner() -> None:
    here = Span(0, 1)
    assert common.owner_of(UserState("root", 0, 0, Known("/root"), True), here) is None
    assert common.owner_of(UserState("app", 5, 6, Known("/a"), False), here) == Owner(5, 6)
    for user in (UserState("app", None, 6, Known("/a"), False), UserState("app", 5, None, Known("/a"), False)):
        with pytest.raises(Stop) as caught:
            common.owner_of(user, here)
        assert caught.value.reason == "unknown-user"


def test_mount_text() -> None:
    assert common.cache_mount("/c") == "type=cache,target=/c"
    text = common.cache_mount("/c", id="i", sharing="locked", owner=Owner(1, 2))
    assert text == "type=cache,id=i,target=/c,sharing=locked,uid=1,gid=2"
    with pytest.raises(ValueError, match="plainly"):
        common.cache_mount("/a b")


@pytest.mark.parametrize(
    ("syntax", "old"),
    [
        ("docker/dockerfile:1", False),
        ("docker/dockerfile:1.2", False),
        ("docker/dockerfile:1.10", False),
        ("docker/dockerfile:1.0", True),
        ("docker.io/docker/dockerfile:1.1.7", True),
        ("docker/dockerfile:1.1-experimental", False),
        ("docker/dockerfile:experimental", False),
        ("docker/dockerfile", False),
        ("example.org/frontend:1.0", False),
    ],
)
def test_old_frontends(syntax: str, old: bool) -> None:
    assert (common.takes_mounts(parse(f"# syntax={syntax}\nFROM debian\n")) is not None) is old


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("a && clean && b", "a && b"),
        ("a && clean", "a"),
        ("clean && a", "a"),
        ("a && clean || b", "a || b"),
        ("a; clean; b", "a; b"),
        ("clean || true; a", "a"),
        ("set -e; a; clean", "set -e; a"),
        ("a; clean", None),
        ("a || clean", None),
        ("clean || b", None),
        ("clean | cat; a", None),
        ("! clean && a", None),
        ("clean", None),
        ("(clean) && a", None),
        ("if a; then b && clean; fi", "if a; then b; fi"),
        ("if a; then clean; fi", None),
    ],
)
def test_taking_a_command_out(script: str, expected: str | None) -> None:
    facts, _, calls = read(f"FROM debian\nRUN {script}\n")
    doomed = [call for call in calls if call.program == "clean"]
    if expected is None:
        with pytest.raises(Stop) as caught:
            common.remove_calls(facts.file, doomed, calls)
        assert caught.value.reason == "cleanup"
    else:
        edits = common.remove_calls(facts.file, doomed, calls)
        assert apply_edits(facts.file.text, edits) == f"FROM debian\nRUN {expected}\n"


def test_temporary_names() -> None:
    script = 'A="$(mktemp -d)"; export B="$(mktemp)" C=$(pwd); D=$(mktemp -d); D=/x; rm -r $A'
    facts, run, _ = read(f"FROM debian\nRUN {script}\n")
    assert common.temporary_names(facts, run) == {"A", "B"}


def test_known_mounts_are_taken_over_as_they_are_written() -> None:
    text = "FROM debian\nRUN --mount=type=cache,id=x,target=/c/ a\nRUN --mount=type=cache,target=$X/c,uid=5 a\n"
    facts, _, _ = read(text)
    runs = [i for i in facts.file.instructions if isinstance(i, Run)]
    assert common.known_mounts(facts, runs) == {("/c", None): "type=cache,id=x,target=/c/"}
