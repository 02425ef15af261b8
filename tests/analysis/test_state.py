"""Stages, and what is in force at each instruction."""

from __future__ import annotations

import pytest

from fixer.analysis import BaseImage, Known, Stage, Unknown
from fixer.tree.nodes import Copy, Onbuild, Run, User
from tests.analysis.help import end, facts, last, show, why


def _stage(text: str, index: int = -1) -> Stage:
    return facts(text).stages[index]


# --- stages ----------------------------------------------------------------------------------------------------------


def test_ancestry() -> None:
    a, b, c = facts("FROM debian AS Base\nFROM base AS b\nFROM b\nRUN x\n").stages
    assert (a.name, b.name, c.name) == ("base", "b", None)
    assert isinstance(a.base, BaseImage)
    assert b.base is a
    assert c.base is b
    assert c.lineage == (a, b, c)
    assert a.derived == (b,)
    assert isinstance(c.root, BaseImage)
    assert [s.last for s in (a, b, c)] == [False, False, True]
    assert c.label == "stage 2"


def test_a_stage_named_like_its_base_starts_from_the_earlier_one() -> None:
    a, b, c = facts("FROM debian AS x\nFROM x AS x\nFROM x\n").stages
    assert b.base is a
    assert c.base is b


def test_from_sees_only_names_above() -> None:
    a, _ = facts("FROM later\nFROM debian AS later\n").stages
    assert isinstance(a.base, BaseImage)
    assert a.base.name == "later"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ARG V=1.2\nFROM rust:$V\n", "rust:1.2"),
        ("ARG I=rust\nARG V=${I}:1\nFROM ${V}\n", "rust:1"),
        ("ARG B\nFROM $B\n", "?"),
        ("ARG B\nFROM ${B:-debian}\n", "debian"),
        ("FROM $B\n", "?"),
        ("FROM --platform=$BUILDPLATFORM golang\n", "golang"),
        ("FROM x-$TARGETARCH\n", "?"),
    ],
)
def test_from_expands_global_arguments(text: str, expected: str) -> None:
    stage = _stage(text)
    base = stage.base
    assert (base.reference if isinstance(base, BaseImage) else "?") == expected


def test_from_a_stage_by_variable() -> None:
    a, b = facts("ARG S=one\nFROM debian AS one\nFROM $S\n").stages
    assert b.base is a
    assert show(b.image) == "one"


@pytest.mark.parametrize(
    ("text", "shipped"),
    [
        ("FROM a AS x\nFROM b\nCOPY --from=x /f /\n", [False, True]),
        ("FROM a AS x\nFROM b\n", [True, True]),
        ("FROM a AS x\nFROM x\n", [True, True]),
        ("FROM a AS x\nFROM b\nCOPY --from=0 /f /\n", [False, True]),
        ("FROM a AS x\nFROM b\nRUN --mount=type=bind,from=x,target=/x true\n", [False, True]),
        ("FROM a AS x\nFROM x AS y\nFROM b\nCOPY --from=y /f /\n", [False, False, True]),
        ("FROM a AS x\nFROM x AS t\nRUN test\nFROM b\nCOPY --from=x /f /\n", [True, True, True]),
    ],
)
def test_shipped(text: str, shipped: list[bool]) -> None:
    assert [s.shipped for s in facts(text).stages] == shipped


@pytest.mark.parametrize(
    ("flag", "expected"),
    [
        ("x", "x"),
        ("X", "x"),
        ("0", "x"),
        ("1", "y"),
        ("2", "?"),
        ("9", "?"),
        ("z", "?"),
        ("nginx:1", "nginx"),
        ("dup", "dup"),
    ],
)
def test_copy_from(flag: str, expected: str) -> None:
    text = f"FROM a AS x\nFROM b AS y\nFROM c AS w\nCOPY --from={flag} /f /\nFROM d AS z\nFROM e AS dup\n"
    if expected == "dup":
        text = f"FROM a AS dup\nFROM b AS dup\nFROM c\nCOPY --from={flag} /f /\n"
    found = facts(text)
    source = found.copied_from(last(found, Copy))  # type: ignore[arg-type]
    if isinstance(source, Stage):
        assert source.name == expected
        assert expected != "dup" or source.index == 1
    else:
        assert ("?" if isinstance(source, Unknown) else getattr(source, "name", None)) == expected


def test_mounts_know_names_only() -> None:
    found = facts("FROM a AS x\nFROM b\nRUN --mount=from=x,target=/x --mount=from=0,target=/y true\n")
    one, two = found.mounts(last(found))
    assert one.stage is found.stages[0]
    assert isinstance(two.stage, BaseImage)


def test_copy_from_the_context() -> None:
    found = facts("COPY a b\n")
    assert found.copied_from(last(found, Copy)) is None  # type: ignore[arg-type]


def test_stage_of() -> None:
    found = facts("ARG A=1\nFROM a\nRUN x\nONBUILD RUN y\n")
    stage = found.stages[0]
    arg, from_, run, onbuild = found.file.instructions
    assert found.stage_of(arg) is None
    assert [found.stage_of(i) for i in (from_, run, onbuild)] == [stage] * 3
    assert isinstance(onbuild, Onbuild)
    assert found.stage_of(onbuild.inner) is stage
    with pytest.raises(ValueError, match="no stage"):
        found.state(arg)


# --- WORKDIR ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "/"),
        ("WORKDIR /app\n", "/app"),
        ("WORKDIR app\n", "/app"),
        ("WORKDIR /a\nWORKDIR b/../c\n", "/a/c"),
        ("WORKDIR /a/\n", "/a"),
        ('WORKDIR "/a b"\n', "/a b"),
        ("ENV D=/x\nWORKDIR $D/y\n", "/x/y"),
        ("ARG D=/x\nWORKDIR $D\n", "/x"),
        ("ARG D\nWORKDIR $D\n", "?"),
        ("ARG D\nWORKDIR ${D:-/d}\n", "/d"),
        ("ARG D\nWORKDIR $D\nWORKDIR /y\n", "/y"),
        ("FROM golang\n", "/go"),
        ("FROM golang\nWORKDIR src\n", "/go/src"),
        ("FROM me/x\n", "?"),
        ("FROM me/x\nWORKDIR app\n", "?"),
        ("FROM me/x\nWORKDIR /app\n", "/app"),
        ("FROM debian AS a\nWORKDIR /a\nFROM a\nWORKDIR b\n", "/a/b"),
        ("FROM mcr.microsoft.com/windows/servercore\nWORKDIR C:\\\\app\n", "?"),
    ],
)
def test_workdir(text: str, expected: str) -> None:
    assert show(end(text).workdir) == expected


def test_workdir_rests_on_an_argument() -> None:
    value = end("ARG D=/x\nWORKDIR $D\n").workdir
    assert isinstance(value, Known)
    assert value.args == {"D"}


# --- ENV and ARG -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("ENV A=1\n", "A", "1"),
        ("ENV A 1 2\n", "A", "1 2"),
        ("ENV A='x y' B=\"$A\"\n", "A", "x y"),
        ("ENV A=1\nENV A=2 B=$A\n", "B", "1"),
        ("ENV A=1\n", "B", None),
        ("FROM me/x\nENV A=1\n", "B", "?"),
        ("FROM me/x\nENV A=1\n", "A", "1"),
        ("ENV PATH=/x:$PATH\n", "PATH", "/x:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
        ("FROM me/x\nENV PATH=/x:$PATH\n", "PATH", "?"),
        ("ARG A=1\n", "A", "1"),
        ("ARG A\n", "A", "?"),
        ("ARG A=1 B=$A\n", "B", "1"),
        ("ENV A=1\nARG A=2\n", "A", "2"),
        ("ARG A=2\nENV A=1\n", "A", "1"),
        ("ENV A=1\nARG A\n", "A", "1"),
        ("ARG A=g\nFROM debian\n", "A", None),
        ("ARG A=g\nFROM debian\nARG A\n", "A", "g"),
        ("ARG A=g\nFROM debian\nARG A=s\n", "A", "s"),
        ("ARG TARGETARCH\n", "TARGETARCH", "?"),
        ("RUN x\n", "TARGETARCH", None),
        ("FROM debian AS a\nENV A=1\nFROM a\n", "A", "1"),
        ("FROM debian AS a\nARG A=1\nFROM a\n", "A", "1"),
        ("FROM debian AS a\nENV A=1\nARG A=2\nFROM a\n", "A", "1"),
        ("FROM debian AS a\nENV A=1\nFROM debian\n", "A", None),
        ("FROM debian AS a\nENV A=1\nFROM a\nENV A=2\n", "A", "2"),
        ("ENV HOME=/h\n", "HOME", "/h"),
        ("RUN x\n", "HOME", None),
        ("ENV $A=x\n", "A", None),
        ("FROM rust\nENV X=$CARGO_HOME/bin\n", "X", "/usr/local/cargo/bin"),
    ],
)
def test_lookup(text: str, name: str, expected: str | None) -> None:
    assert show(end(text).lookup(name)) == expected


def test_env_and_args_are_apart() -> None:
    state = end("FROM debian AS a\nENV E=1\nARG A=2\nARG N\nFROM a\nENV F=3\n")
    assert dict(state.args) == {"A": Known("2"), "N": Unknown("$N is a build argument without a default")}
    assert {k: show(v) for k, v in state.env.items() if k != "PATH"} == {"F": "3", "E": "1"}
    assert "A" not in state.env
    assert len(state.env) == 3


def test_state_is_before_the_instruction() -> None:
    found = facts("ENV A=1\nRUN one\nENV A=2\nWORKDIR /w\nRUN two\n")
    one, two = (i for i in found.file.instructions if isinstance(i, Run))
    assert (show(found.state(one).lookup("A")), show(found.state(one).workdir)) == ("1", "/")
    assert (show(found.state(two).lookup("A")), show(found.state(two).workdir)) == ("2", "/w")


def test_triggers_run_first_in_a_derived_stage() -> None:
    found = facts("FROM debian AS a\nONBUILD WORKDIR /t\nONBUILD ENV A=1\nFROM a\nRUN x\nFROM debian\n")
    state = found.state(last(found))
    assert show(state.workdir) == "/t"
    assert show(state.lookup("A")) == "1"


def test_many_variables_stay_linear() -> None:
    text = "".join(f"ENV V{i}=${{V{i - 1}}}x\n" if i % 100 else f"ENV V{i}=x\n" for i in range(5000))
    assert show(end(text).lookup("V4999")) == "x" * 100


# --- SHELL -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ("sh", False, False, False)),
        ("FROM fedora\n", ("bash", False, False, False)),
        ('SHELL ["/bin/bash", "-c"]\n', ("bash", False, False, False)),
        ('SHELL ["/bin/bash", "-eo", "pipefail", "-c"]\n', ("bash", True, True, False)),
        ('SHELL ["/bin/bash", "-o", "pipefail", "-c"]\n', ("bash", False, True, False)),
        ('SHELL ["bash", "-euxo", "pipefail", "-c"]\n', ("bash", True, True, False)),
        ('SHELL ["/bin/bash", "--login", "-c"]\n', ("bash", False, False, True)),
        ('SHELL ["/bin/sh", "-ec"]\n', ("sh", True, False, False)),
        ('SHELL ["/bin/ash", "-c"]\n', ("sh", False, False, False)),
        ('SHELL ["conda", "run", "-n", "env", "/bin/bash", "-c"]\n', ("bash", False, False, False)),
        ('SHELL ["pwsh", "-Command"]\n', (None, False, False, False)),
        ('SHELL ["/bin/bash", "-e"]\n', (None, False, False, False)),
        ('SHELL ["/bin/zsh", "-c"]\n', (None, False, False, False)),
        ("FROM mcr.microsoft.com/windows/servercore\n", (None, False, False, False)),
        ("# escape=`\nFROM me/x\n", (None, False, False, False)),
        ("# escape=`\nFROM debian\n", ("sh", False, False, False)),
        ('FROM debian AS a\nSHELL ["bash", "-ec"]\nFROM a\n', ("bash", True, False, False)),
    ],
)
def test_shell(text: str, expected: tuple[str | None, bool, bool, bool]) -> None:
    shell = end(text).shell
    assert (shell.dialect, shell.errexit, shell.pipefail, shell.login) == expected


# --- USER ------------------------------------------------------------------------------------------------------------

ROOT = ("root", 0, 0, "/root", True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ROOT),
        ("USER root\n", ROOT),
        ("USER 0\n", ROOT),
        ("USER root:root\n", ROOT),
        ("ENV HOME=/h\n", ("root", 0, 0, "/h", True)),
        ("FROM me/x\n", (None, None, None, "?", None)),
        ("FROM me/x\nUSER root\n", ROOT),
        ("FROM me/x\nENV HOME=$WHERE_EVER\nUSER root\n", ("root", 0, 0, "?", True)),
        ("FROM me/x\nRUN useradd -m -u 1001 app\nUSER app\n", ("app", 1001, 1001, "/home/app", False)),
        ("FROM me/x\nRUN apt-get update && apt-get install -y git\n", ROOT),
        ("FROM me/x\nRUN set -eux; apk add git; make\n", ROOT),
        ('FROM me/x\nRUN ["yum", "install", "git"]\n', ROOT),
        ("FROM me/x AS a\nRUN groupadd -g 7 g\nFROM a\nRUN make\n", ROOT),
        ("FROM me/x AS a\nFROM a\nRUN x\nRUN dnf -y install git\n", ROOT),
        ("FROM me/x\nRUN sudo apt-get install -y git\n", (None, None, None, "?", None)),
        ("FROM me/x\nRUN apt-get install -y git || true\n", (None, None, None, "?", None)),
        ("FROM me/x\nRUN apt-get install -y git; make\n", (None, None, None, "?", None)),
        ("FROM me/x\nRUN if x; then apk add git; fi\n", (None, None, None, "?", None)),
        ("FROM me/x\nUSER $U\nRUN apk add git\n", (None, None, None, "?", None)),
        ("FROM node:20\nUSER node\n", ("node", 1000, 1000, "/home/node", False)),
        ("FROM node:20\nUSER 1000\n", ("node", 1000, 1000, "/home/node", False)),
        ("USER 1000\n", ("1000", 1000, 0, "/", False)),
        ("USER 1000:1001\n", ("1000", 1000, 1001, "/", False)),
        ("FROM me/x\nUSER 1000\n", ("1000", 1000, None, "?", False)),
        ("USER nobody\n", ("nobody", 65534, 65534, "/nonexistent", False)),
        ("RUN useradd -m -u 1001 app\nUSER app\n", ("app", 1001, 1001, "/home/app", False)),
        ("RUN useradd --uid=1001 --home-dir /srv/app app\nUSER app\n", ("app", 1001, 1001, "/srv/app", False)),
        ("RUN useradd app\nUSER app\n", ("app", None, None, "/home/app", False)),
        ("RUN groupadd -g 2000 g && useradd -u 1001 -g g app\nUSER app\n", ("app", 1001, 2000, "/home/app", False)),
        ("RUN useradd -u 1001 -g 100 app\nUSER app\n", ("app", 1001, 100, "/home/app", False)),
        ("RUN useradd -r -u 500 app\nUSER app\n", ("app", 500, None, "/home/app", False)),
        ("RUN useradd -u 1001 app\nUSER app:0\n", ("app", 1001, 0, "/home/app", False)),
        ("RUN useradd -u 1001 app\nUSER 1001\n", ("app", 1001, 1001, "/home/app", False)),
        ("RUN useradd -u 1001 app || true\nUSER app\n", ("app", 1001, 1001, "/home/app", False)),
        ("FROM me/x\nRUN useradd -u 1001 app || true\nUSER app\n", ("app", None, None, "?", False)),
        ("FROM alpine\nRUN adduser -D -u 1001 app\nUSER app\n", ("app", 1001, 1001, "/home/app", False)),
        (
            "FROM alpine\nRUN addgroup -g 5 g && adduser -DHu 1001 -G g -h /x app\nUSER app\n",
            ("app", 1001, 5, "/x", False),
        ),
        (
            "FROM alpine\nRUN addgroup -S app && adduser -S -G app app\nUSER app\n",
            ("app", None, None, "/home/app", False),
        ),
        (
            "RUN adduser --disabled-password --gecos '' --uid 1001 app\nUSER app\n",
            ("app", 1001, None, "/home/app", False),
        ),
        ("RUN adduser --system --uid 1001 app\nUSER app\n", ("app", 1001, None, "?", False)),
        ("FROM fedora\nRUN adduser -u 1001 app\nUSER app\n", ("app", 1001, 1001, "/home/app", False)),
        ("RUN useradd -u 1001 app && usermod -u 1002 app\nUSER app\n", ("app", 1002, 1001, "/home/app", False)),
        ("RUN useradd -u 1001 app && usermod -d /x app\nUSER app\n", ("app", 1001, 1001, "/x", False)),
        ("ARG U=1001\nRUN useradd -u $U app\nUSER app\n", ("app", 1001, 1001, "/home/app", False)),
        ("ARG U\nRUN useradd -u $U app\nUSER app\n", ("app", None, None, "/home/app", False)),
        ("ARG N\nRUN useradd -u 1001 $N\nUSER app\n", ("app", None, None, "?", False)),
        ("ARG N\nUSER $N\n", (None, None, None, "?", None)),
        ("USER ghost\n", ("ghost", None, None, "?", False)),
        ("RUN useradd -u 1001 app\nUSER app\nUSER root\n", ROOT),
        ("FROM debian AS a\nRUN useradd -u 1001 app\nFROM a\nUSER app\n", ("app", 1001, 1001, "/home/app", False)),
        (
            "FROM debian AS a\nRUN useradd -u 1001 app\nUSER app\nFROM a\nRUN x\n",
            ("app", 1001, 1001, "/home/app", False),
        ),
        (
            "FROM debian AS a\nRUN useradd -u 1001 app\n"
            "FROM scratch\nCOPY --from=a /etc/passwd /etc/passwd\nUSER app\n",
            ("app", 1001, 1001, "/home/app", False),
        ),
        ("COPY passwd /etc/passwd\nUSER www-data\n", ("www-data", None, None, "?", False)),
        ('RUN echo "app:x:1001:1002::/h:/bin/sh" >> /etc/passwd\nUSER app\n', ("app", 1001, 1002, "/h", False)),
        ("RUN if true; then useradd -u 1001 app; fi\nUSER app\n", ("app", 1001, 1001, "/home/app", False)),
        ("FROM me/x\nRUN if true; then useradd -u 1001 app; fi\nUSER app\n", ("app", None, None, "?", False)),
        ("FROM gcr.io/distroless/cc:nonroot\n", ("nonroot", 65532, 65532, "/home/nonroot", False)),
        ("FROM ekidd/rust-musl-builder\n", ("rust", 1000, 1000, "/home/rust", False)),
        ("FROM jenkins/jenkins\n", ("jenkins", 1000, 1000, "/var/jenkins_home", False)),
        ("RUN useradd -u 1001 app\nENV HOME=/h\nUSER app\n", ("app", 1001, 1001, "/h", False)),
    ],
)
def test_user(text: str, expected: tuple[str | None, int | None, int | None, str, bool | None]) -> None:
    user = end(text).user
    assert (user.name, user.uid, user.gid, show(user.home), user.root) == expected


def test_users_change_along_a_stage() -> None:
    found = facts("RUN useradd -u 1001 a\nUSER a\nRUN useradd -u 1002 b\nUSER b\nRUN x\n")
    first, second = (i for i in found.file.instructions if isinstance(i, User))
    assert found.state(first).user.name == "root"
    assert found.state(second).user.uid == 1001
    assert found.state(last(found)).user.uid == 1002
    assert found.state(second).user.home == Known("/home/a")


def test_alternating_users_do_not_nest() -> None:
    text = "".join(
        f"RUN useradd -u {1000 + i} u{i} && cd ~ && x\nUSER u{i}\nRUN cd ~ && y\nUSER root\n" for i in range(400)
    )
    found = facts(text + "USER u399\nRUN z\n")
    assert found.state(last(found)).user.uid == 1399


def test_accounts_that_go_from_stage_to_stage_do_not_nest() -> None:
    copies = "".join(
        f"FROM debian:12 AS s{k + 1}\nCOPY --from=s{k} /etc/passwd /etc/passwd\n" for k in range(2000)
    )
    text = f"FROM debian:12 AS s0\nRUN useradd -u 1001 a && true\n{copies}USER a\nRUN x\n"
    found = facts(text)
    assert found.state(last(found)).user.uid == 1001


def test_the_number_of_an_account_that_changes() -> None:
    """The first account of a number is meant, as in /etc/passwd; one that gets it later keeps its line."""
    made = "RUN useradd -u 1001 a && useradd -u 1002 b && useradd -o -u 1002 c"
    assert end(f"{made}\nUSER 1002\n").user.name == "b"
    assert end(f"{made} && usermod -o -u 1002 a\nUSER 1002\n").user.name == "a"
    assert end(f"{made} && usermod -u 1003 b\nUSER 1002\n").user.name == "c"
    assert end(f"{made} && userdel b\nUSER 1002\n").user.name == "c"
    assert end(f"{made} && usermod -l d b\nUSER 1002\n").user.name == "c"
    assert end(f"{made} && userdel a\nUSER 1001\n").user.name != "a"


def test_why_a_user_is_unknown() -> None:
    assert "ghost" in why(end("USER ghost\n").user.home)
