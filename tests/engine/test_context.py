"""Which directory the build context is, and what of it would be sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixer.analysis import analyse
from fixer.analysis.context import NO_CONTEXT, all_context_sources, in_context
from fixer.engine.context import FoundContext
from fixer.engine.files import Target
from fixer.engine.job import Options, fix_target
from fixer.tree.parse import parse


def found(dockerfile: Path, text: str, named: Path | None = None) -> FoundContext:
    dockerfile.parent.mkdir(parents=True, exist_ok=True)
    dockerfile.write_text(text)
    context = FoundContext(str(dockerfile), None if named is None else str(named))
    context.expect(lambda: all_context_sources(analyse(parse(text))))
    return context


def put(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)


def test_its_own_directory_comes_first(tmp_path: Path) -> None:
    put(tmp_path, ".git/config", "app/a.txt", "a.txt")
    assert found(tmp_path / "app" / "Dockerfile", "FROM x\nCOPY a.txt /\n").directory == str(tmp_path / "app")


def test_else_the_nearest_above_that_holds_everything(tmp_path: Path) -> None:
    put(tmp_path, ".git/config", "app/a.txt", "lib/b.txt", "Cargo.toml")
    text = "FROM x\nCOPY Cargo.toml lib/*.txt /\nRUN --mount=type=bind,source=app/a.txt,target=/a true\n"
    context = found(tmp_path / "docker" / "deep" / "Dockerfile", text)
    assert context.directory == str(tmp_path)
    assert not context.sure


def test_none_holds_everything(tmp_path: Path) -> None:
    put(tmp_path, ".git/config", "a.txt")
    context = found(tmp_path / "docker" / "Dockerfile", "FROM x\nCOPY a.txt made-by-ci.txt /\n")
    assert not context.at_hand
    assert context.read("a.txt") is None


def test_not_above_the_repository(tmp_path: Path) -> None:
    put(tmp_path, "a.txt", "repo/.git/config")
    assert not found(tmp_path / "repo" / "Dockerfile", "FROM x\nCOPY a.txt /\n").at_hand
    assert not found(tmp_path / "bare" / "Dockerfile", "FROM x\nCOPY a.txt /\n").at_hand


def test_what_is_named_is_sure(tmp_path: Path) -> None:
    put(tmp_path, "a.txt")
    context = found(tmp_path / "else" / "Dockerfile", "FROM x\nCOPY b.txt /\n", named=tmp_path)
    assert context.at_hand
    assert context.sure
    assert context.read("a.txt") == b"a.txt"


def test_other_stages_here_documents_and_addresses_are_not_in_it(tmp_path: Path) -> None:
    text = (
        "FROM x AS one\nADD https://example.org/a.tar git@example.org:a/b.git /\nCOPY <<EOF /b\nx\nEOF\n"
        "FROM x\nCOPY --from=one /b /\nRUN --mount=from=one,source=/b,target=/c true\n"
    )
    assert all_context_sources(analyse(parse(text))) == ()


def test_sources_as_buildkit_sees_them() -> None:
    text = 'FROM x\nARG V\nCOPY ./a/../b /c "/d" /\nCOPY ["f e", "/../g*/", "/"]\nCOPY . $V ./\n'
    sources = all_context_sources(analyse(parse(text)))
    assert [str(source.path) for source in sources[:-1]] == ["b", "c", "d", "f e", "g*", ""]
    assert [source.pattern for source in sources] == [False, False, False, False, True, False, False]
    assert in_context("/../g/") == "g"
    assert "V" in str(sources[-1].path)


def test_what_is_ignored_is_not_there(tmp_path: Path) -> None:
    put(tmp_path, "src/a.rs", "src/b.txt", "target/x/y", "notes.md")
    (tmp_path / ".dockerignore").write_text("target\n*.md\n**/*.txt\n")
    (tmp_path / "link").symlink_to("src")
    context = found(tmp_path / "Dockerfile", "FROM x\nCOPY . .\n")
    assert list(context.walk()) == [".dockerignore", "Dockerfile", "link", "src/a.rs"]
    assert context.kind("target") is None
    assert context.kind("link") == "link"
    assert context.kind("link/a.rs") is None
    assert context.excluded("target/debug/app")
    assert context.read("notes.md") is None
    assert context.kind("../" + tmp_path.name + "/src") is None


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / ".dockerignore")
    os.mkfifo(tmp_path / "a")
    context = found(tmp_path / "Dockerfile", "FROM x\nCOPY a /\n")
    assert context.kind("a") == "other"
    assert context.read("a") is None


def test_a_dockerignore_that_no_build_survives(tmp_path: Path) -> None:
    put(tmp_path, "a.txt")
    (tmp_path / ".dockerignore").write_text("[\n")
    assert not found(tmp_path / "Dockerfile", "FROM x\nCOPY a.txt /\n").at_hand


@pytest.mark.parametrize("line", [r"\pL", "?{1000}" * 30])
def test_a_dockerignore_that_is_not_understood(tmp_path: Path, line: str) -> None:
    """The directory above is no more likely for it."""
    put(tmp_path, ".git/config", "a.txt", "sub/a.txt")
    (tmp_path / "sub" / ".dockerignore").write_text(f"{line}\n")
    assert not found(tmp_path / "sub" / "Dockerfile", "FROM x\nCOPY a.txt /\n").at_hand


def test_a_dockerignore_without_end(tmp_path: Path) -> None:
    put(tmp_path, "a.txt")
    with open(tmp_path / ".dockerignore", "wb") as file:
        file.truncate(1 << 38)
    assert not found(tmp_path / "Dockerfile", "FROM x\nCOPY a.txt /\n").at_hand


def test_paths_as_deep_as_there_are(tmp_path: Path) -> None:
    put(tmp_path, "a.txt")
    (tmp_path / ".dockerignore").write_text("b\n*/c\n!b/d\n")
    context = found(tmp_path / "Dockerfile", "FROM x\nCOPY a.txt /\n")
    deep = "a/" * 1500 + "b"
    assert context.kind(deep) is None
    assert not context.excluded(deep)
    assert context.excluded("b/" * 1500 + "b")
    assert context.ignore.may_hold(deep)


def test_nothing_is_looked_at_before_somebody_asks(tmp_path: Path) -> None:
    context = FoundContext(str(tmp_path / "Dockerfile"))
    context.expect(lambda: pytest.fail("nobody asked"))


def test_no_context() -> None:
    assert not NO_CONTEXT.at_hand
    assert (NO_CONTEXT.kind("a"), NO_CONTEXT.read("a"), NO_CONTEXT.names(), list(NO_CONTEXT.walk())) == (
        None,
        None,
        (),
        [],
    )


def test_a_file_without_a_pattern_does_not_consult(tmp_path: Path) -> None:
    dockerfile = tmp_path / "Dockerfile"
    dockerfile.write_text("FROM debian\nRUN apt-get update && apt-get install -y curl\n")
    assert fix_target(Target(str(dockerfile)), Options(context=str(tmp_path))).result.status == "changed"
