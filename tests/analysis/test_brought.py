"""What COPYs bring, against a copy that is really made."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixer.analysis import analyse
from fixer.analysis.brought import Brought, may_put_into
from fixer.analysis.context import NO_CONTEXT
from fixer.tree.nodes import Transfer
from fixer.tree.parse import parse
from tests.analysis.tools.test_workspace import Held

TREE = ("Cargo.toml", "api/Cargo.toml", "api/src/main.rs", "api/proto/a.proto", "proto/a.proto", "proto/b/c.proto")
DIRECTORIES = (".", "api", "api/src", "api/proto", "proto", "proto/b")
PLACES = (".", "src", "proto", "proto/b", "api", "pro")
Copies = list[tuple[str, str]]


def brought(copies: Copies) -> Brought:
    lines = "\n".join(f"COPY {source} {place}" for source, place in copies)
    facts = analyse(parse(f"FROM scratch\nWORKDIR /app\n{lines}\n"))
    transfers = [i for i in facts.stages[0].instructions if isinstance(i, Transfer)]
    return Brought(facts, Held({name: name for name in TREE}), transfers)


def copied(copies: Copies) -> tuple[dict[str, str], bool]:
    """What they give, as the paths in the context by those in the stage, and whether one came on top of another."""
    files: dict[str, str] = {}
    clash = False
    for source, place in copies:
        for name in TREE:
            inside = "" if source == "." else f"{source}/"
            if name.startswith(inside):
                to = "/".join(part for part in ("/app", place, name[len(inside) :]) if part != ".")
                clash |= files.get(to, name) != name
                files[to] = name
    return files, clash


@given(st.lists(st.tuples(st.sampled_from(DIRECTORIES), st.sampled_from(PLACES)), min_size=1, max_size=3))
def test_it_is_what_a_copy_gives(copies: Copies) -> None:
    laid = brought(copies)
    files, clash = copied(copies)
    assert {path: laid.source(path) for path in files} == files
    assert {path: laid.kind(path) for path in files} == dict.fromkeys(files, "file")
    assert sorted(laid.walk("/app")) == sorted(files)
    assert laid.kind("/app/none") is None
    assert not clash or laid.conflict() is not None


@pytest.mark.parametrize(
    ("copies", "conflict"),
    [
        ([(".", "."), ("Cargo.toml", "."), ("api", "api")], None),
        ([("api", "."), ("proto/b", "shared")], None),
        ([("api", "."), ("Cargo.toml", ".")], "/app/Cargo.toml"),
        ([("api", "."), ("proto", "proto")], "/app/proto"),
        ([("api/src", "src"), ("proto", "src/more")], None),
        ([(".", "."), ("proto", "api/proto")], "/app/api/proto"),
    ],
)
def test_conflicts(copies: Copies, conflict: str | None) -> None:
    assert brought(copies).conflict() == conflict


SEEN = ("rootfs/etc/apt/sources.list.d/a.list", "plain/etc/motd", "apt/sources.list", "start", "x.tar.gz")


@pytest.mark.parametrize(
    ("copy", "unseen", "seen"),
    [
        ("COPY a.list /etc/apt/sources.list.d/", True, True),
        ("COPY a.list $NAME/etc/apt", False, False),
        ("COPY a.list /etc/apt/sources.list.d/$NAME", True, True),
        ("COPY rootfs/ /", True, True),
        ("COPY rootfs /rootfs", False, False),
        ("COPY plain /", True, False),
        ("COPY other /", True, True),
        ("COPY apt /etc/apt", True, True),
        ("COPY apt /etc", True, False),
        ("COPY apt/ /etc/apt-other", False, False),
        ("COPY . /", True, False),
        ("COPY . /app", False, False),
        ("COPY . .", False, False),
        ("COPY *.sh /", False, False),
        ("COPY * /", True, True),
        ("COPY root* /", True, True),
        ("COPY start /", True, False),
        ("COPY start.sh VERSION docker-entrypoint /", False, False),
        ("COPY --parents start /", False, False),
        ("COPY --parents etc /", True, True),
        ("COPY --from=alpine /etc /etc", True, True),
        ("COPY --from=alpine / /", True, True),
        ("COPY --from=alpine /usr/bin/tool /", False, False),
        ("COPY <<FILE /etc/start\nx\nFILE", False, False),
        ("ADD x.tar.gz /", True, True),
        ("ADD x.tar.gz /opt", False, False),
        ("COPY x.tar.gz /", False, False),
        ("ADD https://example.com/x.tar.gz /", False, False),
        ("ADD --unpack=true https://example.com/x.tar.gz /", True, True),
        ("ADD https://example.com/x.git#main /", True, True),
        ('COPY ["rootfs", "/"]', True, True),
        ('COPY ["start.sh", "/"]', False, False),
    ],
)
def test_what_may_come_to_a_directory(copy: str, unseen: bool, seen: bool) -> None:
    facts = analyse(parse(f"FROM debian:bookworm\nARG NAME\nWORKDIR /app\n{copy}\n"))
    instruction = facts.stages[0].instructions[-1]
    assert isinstance(instruction, Transfer)
    assert unseen == may_put_into(facts, NO_CONTEXT, instruction, "/etc/apt")
    assert seen == may_put_into(facts, Held(dict.fromkeys(SEEN, "")), instruction, "/etc/apt")
