"""Mounts as BuildKit reads them (commands_runmount.go, convert_runmount.go)."""

from __future__ import annotations

import pytest

from fixer.analysis import Mount, analyse, hiding_mount
from fixer.tree.parse import parse
from tests.analysis.help import facts, last, show


def _mounts(flags: str, before: str = "WORKDIR /app\n") -> tuple[Mount, ...]:
    found = facts(f"{before}RUN {flags} true\n")
    return found.mounts(last(found))


def _mount(value: str, before: str = "WORKDIR /app\n") -> Mount:
    (mount,) = _mounts("--mount=" + value, before)
    return mount


@pytest.mark.parametrize(
    ("value", "type_", "target"),
    [
        ("type=cache,target=/c", "cache", "/c"),
        ("type=cache,dst=/c/", "cache", "/c"),
        ("type=cache,destination=c", "cache", "/app/c"),
        ("target=x", "bind", "/app/x"),
        ("type=tmpfs,target=/t", "tmpfs", "/t"),
        ("TYPE=CACHE,TARGET=/c", "cache", "/c"),
        ("type=cache,target=/a,target=/b", "cache", "/b"),
        ("type=cache,target=$HOME/.cache", "cache", "/.cache"),
        ("type=cache,target=~/.cache", "cache", "/app/~/.cache"),
        ('"type=cache,target=/q b"', "cache", "/q b"),
        ("'type=cache,\"target=/a,b\"'", "cache", "/a,b"),
        ("type=secret,id=s", "secret", "/run/secrets/s"),
        ("type=secret,id=s,target=/s", "secret", "/s"),
        ("type=secret,source=a/s", "secret", "/run/secrets/s"),
        ("type=secret,id=s,env=S", "secret", None),
        ("type=ssh", "ssh", "?"),
    ],
)
def test_type_and_target(value: str, type_: str, target: str | None) -> None:
    mount = _mount(value)
    assert (mount.type, show(mount.target), mount.problem) == (type_, target, None)


def test_variables() -> None:
    before = "FROM rust\nARG N\nENV D=/d\nWORKDIR /app\n"
    assert show(_mount("type=cache,target=$CARGO_HOME/registry", before).target) == "/usr/local/cargo/registry"
    assert show(_mount("type=cache,target=${D}/x,id=${N:-z}", before).id) == "z"
    mount = _mount("type=cache,target=/x/$N", before)
    assert show(mount.target) == "?"
    assert mount.problem is not None


@pytest.mark.parametrize(
    ("value", "read_only"),
    [
        ("target=/x", True),
        ("target=/x,rw", False),
        ("target=/x,readwrite=true", False),
        ("target=/x,rw=0", True),
        ("target=/x,ro=false", False),
        ("type=cache,target=/x", False),
        ("type=cache,target=/x,ro", True),
        ("type=tmpfs,target=/x", False),
        ("type=secret,id=x", True),
    ],
)
def test_read_only(value: str, read_only: bool) -> None:
    assert _mount(value).read_only is read_only


@pytest.mark.parametrize(
    "value",
    [
        "type=cache",
        "type=nope,target=/x",
        "type=cache,target=/x,sharing=lock",
        "type=cache,target=/x,uid=app",
        "target=/",
        "type=cache,target=/x,foo=1",
        "type=bind,target=/x,sharing=locked",
    ],
)
def test_what_buildkit_refuses_has_a_problem(value: str) -> None:
    file = parse(f"FROM debian\nRUN --mount={value} true\n")
    asked = analyse(file)
    assert file.opaque or asked.mounts(last(asked))[0].problem is not None


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("target=/idt/target", "target=/idt/target/", True),
        ("target=/idt/target", "target=/idt/./x/../target", True),
        ("target=target", "target=./target", True),
        ("target=target", "target=/app/target", False),
        ("target=target", "target=/x,id=target", True),
        ("target=/a", "target=/b,id=/a/", False),
        ("target=/a", "target=/b,id=/a", True),
        ("target=/a,uid=1001", "target=/a", False),
        ("target=/a,uid=1001", "target=/a,uid=1001,gid=0", True),
        ("target=/a,uid=1001", "target=/a,uid=1001,mode=0777", False),
        ("target=/a,uid=0", "target=/a", False),
        ("target=/a,sharing=locked", "target=/a", True),
        ("target=/a,from=x", "target=/a", False),
    ],
)
def test_identity(a: str, b: str, same: bool) -> None:
    one, two = _mounts(f"--mount=type=cache,{a} --mount=type=cache,{b}")
    assert one.cache_key is not None
    assert (one.cache_key == two.cache_key) is same


def test_fields() -> None:
    mount = _mount("type=cache,target=/c,id=i,sharing=locked,uid=1,gid=2,mode=0700,from=debian,source=s")
    assert (show(mount.id), mount.sharing, mount.uid, mount.gid, mount.mode) == ("i", "locked", 1, 2, 0o700)
    assert (mount.from_, show(mount.source)) == ("debian", "/s")
    assert ("sharing", "locked") in mount.options
    assert _mount("type=cache,target=/c").sharing == "shared"
    assert _mount("target=/c").sharing == ""
    assert _mount("type=secret,id=x,required").required
    assert _mount("type=secret,id=x,env=TOKEN").env == "TOKEN"


def test_covers() -> None:
    mount = _mount("type=cache,target=/a/b")
    assert mount.covers("/a/b/c") is True
    assert mount.covers("/a/b") is True
    assert mount.covers("/a/bc") is False
    assert mount.inside("/a") is True
    assert mount.inside("/a/b/c") is False


def test_the_deepest_mount_hides() -> None:
    mounts = _mounts("--mount=type=cache,target=/a --mount=type=cache,target=/a/b --mount=type=bind,target=/a/b")
    assert hiding_mount(mounts, "/a/b/c") is mounts[2]
    assert hiding_mount(mounts, "/a/c") is mounts[0]
    assert hiding_mount(mounts, "/x") is None


def test_a_trigger_has_its_mounts() -> None:
    found = facts("WORKDIR /w\nONBUILD RUN --mount=type=cache,target=c true\nWORKDIR /x\n")
    assert show(found.mounts(found.file.instructions[-2])[0].target) == "/x/c"


def test_volumes() -> None:
    found = facts('ENV V=/v\nVOLUME /a $V/b\nVOLUME ["/c d"]\n')
    assert [show(path) for _, path in found.volumes(found.stages[0])] == ["/a", "/v/b", "/c d"]
