"""Calls of apt, from their words."""

from __future__ import annotations

import pytest

from fixer.analysis.tools import apt
from fixer.tree.nodes import Run
from fixer.tree.shell import OpaqueScript, Script
from tests.analysis.help import calls, facts, last
from tests.cost import count_calls


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("apt-get -yqo Dpkg::Options::=--force-confold install hello", "install"),
        ("apt-get -yqoDpkg::Options::=--force-confold install hello", "install"),
        ("apt-get -qyt bookworm install hello", "install"),
        ("apt-get -qytbookworm install hello", "install"),
        ("apt-get -qq=2 install hello", "install"),
        ("apt-get -y --error-mode any update", "update"),
        ("apt-get dselect-upgrade -y", "install"),
        ("apt-get install --print-uris hello", "uris"),
        ("apt-get -qq --print-uris dist-upgrade", "uris"),
        ("apt-get source --print-uris hello", "query"),
        ("apt-get update --print-uris", "local"),
        ("apt-get remove -y hello", "names"),
        ("apt-get -y --purge autoremove hello", "names"),
        ("apt-get autoremove -y", "local"),
        ("apt-get autoremove -y -o APT::AutoRemove::RecommendsImportant=false", "local"),
        ("apt-mark hold hello", "names"),
        ("apt-mark showmanual", "local"),
        ("aptitude -y markauto hello", "names"),
        ("apt-rdepends hello", "query"),
        ("grep-aptavail -P hello", "query"),
        ("/usr/lib/update-notifier/apt-check", "query"),
        ("apt-file search bin/hello", "query"),
        ("unattended-upgrade -d", "install"),
        ("mk-build-deps -irt'apt-get -y' debian/control", "install"),
        ("mk-build-deps -ri debian/control", "install"),
        ("mk-build-deps -t 'apt-get -i' debian/control", None),
        ("mk-build-deps -tinstall debian/control", None),
    ],
)
def test_kind(script: str, expected: str | None) -> None:
    found = apt.read(calls(script)[0])
    assert (found.kind.value if found is not None else None) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("retry 'apt-get  -y -q install hello'", "unknown"),
        ("retry apt-get", "unknown"),
        ("retry /usr/bin/apt-get", "unknown"),
        ("retry 'true;apt update'", "unknown"),
        ("retry 'apt-get -y remove hello install'", None),
        ("retry 'my-apt-get install'", None),
        ("retry 'apt-get - install'", None),
        ("retry 'install apt'", None),
    ],
)
def test_apt_in_the_words_of_another(words: str, expected: str | None) -> None:
    found = apt.read(calls(words)[0])
    assert (found.kind.value if found is not None else None) == expected


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("apt-get -yo Dir::Cache=/x install hello", True),
        ("apt-get -yoDir::Cache=/x install hello", True),
        ("apt-get -yc /x install hello", True),
        ("apt-get -o \"$X\" install hello", True),
        ("apt-get -yt Dir::Cache install hello", False),
        ("apt-get -yq --option=Dpkg::Options::=--force-confold install hello", False),
        ("apt-get -o\"Dpkg::Options::=$X\" install hello", False),
    ],
)  # fmt: skip
def test_moved(script: str, *, expected: bool) -> None:
    found = apt.read(calls("ARG X\nRUN " + script)[0])
    assert found is not None
    assert (found.moved is not None) == expected


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("apt-get remove -y a b=1 -o c", ["a", "b=1"]),
        ("X='a b' && apt-get purge $X", ["a", "b"]),
        ("X='a b' && apt-get purge \"$X\" c", ["a b", "c"]),
        ("X='a b' && apt-get purge \"$X\"$X", [None]),
        ("apt-get purge $NOTHING", []),
        ("apt-get purge $(cat x)", [None]),
    ],
)  # fmt: skip
def test_packages(script: str, expected: list[str | None]) -> None:
    found = [call for call in calls(script) if call.program == "apt-get"]
    assert list(apt.packages(found[-1])) == expected


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("apt-get update; apt-get install -y a", True),
        ("A && apt-get update && B && apt-get install -y a", True),
        ("if A; then apt-get update && apt-get install -y a; fi", True),
        ("if A; then apt-get update; apt-get install -y a; fi", True),
        ("cd /x && (apt-get update || true) && apt-get install -y a; true", True),
        ("cd /x && { apt-get update; } && (apt-get install -y a; true); true", True),
        ("if A; then apt-get update; if B; then apt-get install -y a; fi; fi", True),
        ("if A; then sh -c 'apt-get update && apt-get install -y a'; fi", True),
        ("for i in 1 2; do apt-get update && break; done; apt-get install -y a", True),
        ("A || apt-get update && apt-get install -y a", False),
        ("A && apt-get update || true && apt-get install -y a", False),
        ("A && apt-get update; apt-get install -y a", False),
        ("set -e; A && apt-get update; apt-get install -y a", False),
        ("if A; then apt-get update; fi; apt-get install -y a", False),
        ("if A; then B && apt-get update; apt-get install -y a; fi", False),
        ("cd /x && (A && apt-get update; true) && apt-get install -y a; true", False),
        ("if A; then apt-get update; else apt-get install -y a; fi", False),
    ],
)
def test_update_before_install(script: str, *, expected: bool) -> None:
    found = facts("RUN " + script)
    run = last(found)
    assert isinstance(run, Run)
    whole = found.script(run)
    inside = found.calls(run)
    assert isinstance(whole, Script)
    assert not isinstance(inside, OpaqueScript)
    reads = list(apt.reads(inside))
    assert [a.kind.value for a in reads] == ["update", "install"]
    assert apt.comes_before(reads[0].call, reads[1].call, whole) == expected


def test_updates_under_conditions_cost_no_more_than_their_number_squared() -> None:
    def work(count: int) -> int:
        found = facts("RUN " + "if a; then apt-get update; fi; apt-get install -y b; " * count + "true")
        run = last(found)
        assert isinstance(run, Run)
        whole, inside = found.script(run), found.calls(run)
        assert isinstance(whole, Script)
        assert not isinstance(inside, OpaqueScript)
        reads = [a.call for a in apt.reads(inside)]
        return count_calls(lambda: apt.one_comes_before(found, reads[::2], reads[-1], whole))

    assert work(80) < 3 * work(40)
