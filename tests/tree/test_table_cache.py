"""The grammars' tables are kept between runs, and nothing about the place where they are kept can do harm."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixer.tree import lark_lexers, table_cache
from fixer.tree.grammar import Grammar, from_lark, from_text, load_grammar, load_lark, to_text

GRAMMARS = [("dockerfile.lark", "DockerfileLexer"), ("shell.lark", "ShellLexer")]

READS = """
import sys, fixer
from fixer.tree.cook import cook
from fixer.tree.parse_shell import parse_shell
from fixer.tree.shell import Script
assert len(fixer.parse("FROM a\\nRUN b\\n").instructions) == 2
assert isinstance(parse_shell(cook("a && b")), Script)
print("lark" in sys.modules)
"""


def loads_lark(**environment: str) -> bool:
    """Parse in a new process; True if it needed Lark."""
    done = subprocess.run(
        [sys.executable, "-c", READS],
        env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PATH": os.environ.get("PATH", ""), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip() == "True"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cache directory that is not there yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("DOCKFIX_NO_CACHE", raising=False)
    yield tmp_path / "cache"
    tmp_path.chmod(0o700)


def fresh(name: str, lexer: str) -> Grammar:
    return from_lark(load_lark(name, getattr(lark_lexers, lexer)))


def cached(home: Path) -> list[Path]:
    return sorted((home / "dockfix").iterdir())


@pytest.mark.parametrize(("name", "lexer"), GRAMMARS)
def test_text_holds_all_of_the_tables(name: str, lexer: str) -> None:
    grammar = fresh(name, lexer)
    assert from_text(to_text(grammar)) == grammar


def test_miss_then_hit(home: Path) -> None:
    assert loads_lark(XDG_CACHE_HOME=str(home))
    assert [path.name.split("-")[0] for path in cached(home)] == [name for name, _ in GRAMMARS]
    assert not loads_lark(XDG_CACHE_HOME=str(home))


def test_below_home(home: Path) -> None:
    home.mkdir()
    assert loads_lark(HOME=str(home), XDG_CACHE_HOME="relative")
    assert not loads_lark(HOME=str(home))
    assert (home / ".cache" / "dockfix").is_dir()


def test_private(home: Path) -> None:
    load_grammar(*GRAMMARS[0])
    assert stat.S_IMODE((home / "dockfix").stat().st_mode) == 0o700
    assert [stat.S_IMODE(path.stat().st_mode) for path in cached(home)] == [0o600]


def test_switched_off(home: Path) -> None:
    assert loads_lark(XDG_CACHE_HOME=str(home), DOCKFIX_NO_CACHE="1")
    assert loads_lark()
    assert not home.exists()


@pytest.mark.parametrize(
    "harm",
    [
        lambda data: b"",
        lambda data: data[:-1],
        lambda data: data[:100],
        lambda data: data + b"\n",
        lambda data: data.replace(b";1", b";2"),
        lambda data: b"\xff" + data,
        lambda data: b"x" * len(data),
        lambda data: b"0" * (2 << 20),
    ],
    ids=["empty", "short", "very short", "long", "digits", "no UTF-8", "something else", "huge"],
)
def test_harmed_file(home: Path, harm: object) -> None:
    assert callable(harm)
    load_grammar(*GRAMMARS[1])
    (path,) = cached(home)
    good = path.read_bytes()
    bad = harm(good)
    assert bad != good
    path.write_bytes(bad)
    grammar = load_grammar(*GRAMMARS[1])
    assert len(grammar.rows) > 100
    assert path.read_text().endswith("\n" + to_text(grammar)), "it was not written anew"


@pytest.mark.parametrize(
    "text",
    ["", "1", "a b c d", "0 0 0 0", "0 0 1 0\nname origin 0 v", "0 0 0 0\n9 A", "0 9 0 0\n0 A", "0 0 0 0\n-1 A",
     "0 0 1 0\nname origin 0 x\n0 A", "0 0 1 0\n../x origin 0 v\n0 A", "0 0 0 1\nnothing\n0 A", "0 0 0 0\n0 A;",
     "-1 0 0 0\n0 A", "0 0 7 0\nname origin 0 v"],
)  # fmt: skip
def test_what_cannot_be_tables(text: str) -> None:
    assert from_text(text) is None


def test_another_key_is_another_text(home: Path) -> None:
    first, second = table_cache.find("g", "maker 1", "source"), table_cache.find("g", "maker 2", "source")
    assert first is not None
    assert second is not None
    assert first.path != second.path
    table_cache.write(first, "text")
    assert table_cache.read(first) == "text"
    os.rename(first.path, second.path)
    assert table_cache.read(second) is None


def test_file_that_others_may_write(home: Path) -> None:
    load_grammar(*GRAMMARS[1])
    (path,) = cached(home)
    path.chmod(0o666)
    place = table_cache.Place(str(path), path.read_text().partition("\n")[2])
    assert table_cache.read(place) is None


def test_pipes_and_directories_in_the_way(home: Path) -> None:
    load_grammar(*GRAMMARS[1])
    (path,) = cached(home)
    path.unlink()
    os.mkfifo(path)
    assert load_grammar(*GRAMMARS[1]).rules
    path.unlink()
    path.mkdir()
    assert load_grammar(*GRAMMARS[1]).rules
    assert cached(home) == [path]


def test_no_directory_can_be_made(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home.write_text("a file")
    assert load_grammar(*GRAMMARS[1]).rules
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/1/nothing")
    assert load_grammar(*GRAMMARS[1]).rules


def test_full_disk(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    assert load_grammar(*GRAMMARS[1]).rules
    assert cached(home) == []


def test_somebody_elses_directory(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert load_grammar(*GRAMMARS[1]).rules
    assert not home.exists()
