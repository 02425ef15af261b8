"""Finding, reading and writing files."""

from __future__ import annotations

import os
import socket
import stat
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fixer.engine import files
from fixer.engine.files import MAX_SIZE, FileTrouble, Found, find, is_dockerfile_name, read, write

posix = pytest.mark.skipif(sys.platform == "win32", reason="there are no such files on Windows")


@pytest.fixture
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory of somebody who is not the superuser; the test runs as that person."""
    if sys.platform == "win32" or os.geteuid() != 0:
        yield tmp_path_factory.mktemp("plain")
        return
    with tempfile.TemporaryDirectory() as directory:
        os.chown(directory, 65534, 65534)
        os.seteuid(65534)
        try:
            yield Path(directory)
        finally:
            os.seteuid(0)


def make(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("FROM a\n")


def names(found: Found, root: Path) -> list[str]:
    return [Path(path).relative_to(root).as_posix() for path in found.files]


def kinds(found: Found) -> list[str]:
    return [problem.kind for _, problem in found.problems]


# --- find ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["Dockerfile", "Dockerfile.dev", "web.Dockerfile", "x.dockerfile", "Containerfile", "Containerfile.x"]
)
def test_names(name: str) -> None:
    assert is_dockerfile_name(name)


@pytest.mark.parametrize(
    "name", ["Dockerfile.dockerignore", ".dockerignore", "Dockerfiles", "MyDockerfile", "compose.yml", "Dockerfile-x"]
)
def test_names_of_others(name: str) -> None:
    assert not is_dockerfile_name(name)


def test_a_directory_is_walked(tmp_path: Path) -> None:
    make(tmp_path, "b/Dockerfile", "a/x/web.Dockerfile", "Dockerfile", "README.md", ".devcontainer/Dockerfile")
    make(tmp_path, ".git/Dockerfile", "a/Dockerfile.dockerignore")
    found = find([str(tmp_path)])
    assert names(found, tmp_path) == [".devcontainer/Dockerfile", "Dockerfile", "a/x/web.Dockerfile", "b/Dockerfile"]
    assert found.problems == []


def test_the_current_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "b/Dockerfile", "Dockerfile")
    monkeypatch.chdir(tmp_path)
    assert find(["."]).files == ["Dockerfile", "b/Dockerfile"]


def test_what_git_ignores_is_left_out(tmp_path: Path) -> None:
    make(tmp_path, "Dockerfile", "build/Dockerfile", "vendor/a/Dockerfile", "keep/vendor/Dockerfile", "x.dockerfile")
    make(tmp_path, "deep/Dockerfile.old", "deep/Dockerfile.new", "excluded/Dockerfile")
    (tmp_path / ".git" / "info").mkdir(parents=True)
    (tmp_path / ".git" / "info" / "exclude").write_text("excluded\n")
    (tmp_path / ".gitignore").write_text("# comment\nbuild/\n/vendor\n*.old\n*.dockerfile\n!x.dockerfile\n")
    (tmp_path / "deep" / ".gitignore").write_text("!*.old\nDockerfile.new\n")
    expected = ["Dockerfile", "deep/Dockerfile.old", "keep/vendor/Dockerfile", "x.dockerfile"]
    assert names(find([str(tmp_path)]), tmp_path) == expected
    assert names(find([str(tmp_path / "deep")]), tmp_path) == ["deep/Dockerfile.old"]


@pytest.mark.parametrize("line", ["!", "a\\", "x[b-a]", "[[:", "/", "***b"])
def test_a_line_that_is_no_pattern_stops_nothing(tmp_path: Path, line: str) -> None:
    make(tmp_path, "Dockerfile", "Dockerfile.old", "build/Dockerfile")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").write_bytes(f"\ufeff*.old\r\n{line}\r\nbuild/\r\n".encode())
    assert names(find([str(tmp_path)]), tmp_path) == ["Dockerfile"]


@posix
def test_an_ignore_file_that_is_a_pipe_does_not_block(tmp_path: Path) -> None:
    make(tmp_path, "Dockerfile")
    os.mkfifo(tmp_path / ".gitignore")
    assert names(find([str(tmp_path)]), tmp_path) == ["Dockerfile"]


def test_what_is_named_is_taken(tmp_path: Path) -> None:
    make(tmp_path, "build/Dockerfile", "odd.txt")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").write_text("build/\nodd.txt\n")
    found = find([str(tmp_path / "odd.txt"), str(tmp_path / "build")])
    assert names(found, tmp_path) == ["build/Dockerfile", "odd.txt"]


def test_ignore_files_of_another_repository_have_no_say(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").write_text("Dockerfile.*\n")
    make(tmp_path, "Dockerfile.a", "inner/Dockerfile.b", "inner/.git/config")
    assert names(find([str(tmp_path)]), tmp_path) == ["inner/Dockerfile.b"]


def test_trouble(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    make(tmp_path, "Dockerfile")
    found = find([str(tmp_path / "gone"), str(tmp_path / "empty"), str(tmp_path / "Dockerfile")])
    assert names(found, tmp_path) == ["Dockerfile"]
    assert [(Path(path).name, problem.kind) for path, problem in found.problems] == [
        ("empty", "no-dockerfiles"),
        ("gone", "missing"),
    ]


def test_a_file_is_taken_once(tmp_path: Path) -> None:
    make(tmp_path, "a/Dockerfile")
    (tmp_path / "link").symlink_to(tmp_path / "a" / "Dockerfile")
    one = str(tmp_path / "a" / "Dockerfile")
    assert find([one, one, str(tmp_path / "link"), str(tmp_path / "a"), str(tmp_path)]).files == [one]
    assert find([one, str(tmp_path / "a")]).problems == []


def test_links(tmp_path: Path) -> None:
    make(tmp_path, "in/real/Dockerfile", "out/Dockerfile")
    (tmp_path / "in" / "Dockerfile.inside").symlink_to(tmp_path / "in" / "real" / "Dockerfile")
    (tmp_path / "in" / "Dockerfile.outside").symlink_to(tmp_path / "out" / "Dockerfile")
    (tmp_path / "in" / "Dockerfile.broken").symlink_to(tmp_path / "nowhere")
    (tmp_path / "in" / "directory").symlink_to(tmp_path / "out", target_is_directory=True)
    (tmp_path / "in" / "loop").symlink_to(tmp_path / "in", target_is_directory=True)
    found = find([str(tmp_path / "in")])
    assert [os.path.realpath(path) for path in found.files] == [str(tmp_path / "in" / "real" / "Dockerfile")]
    assert kinds(found) == []


def test_a_directory_called_dockerfile(tmp_path: Path) -> None:
    make(tmp_path, "Dockerfile/Dockerfile")
    assert names(find([str(tmp_path)]), tmp_path) == ["Dockerfile/Dockerfile"]


def test_deep_directories(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["d"] * 400)
    deep.mkdir(parents=True)
    make(deep, "Dockerfile")
    assert len(find([str(tmp_path)]).files) == 1


# --- read ----------------------------------------------------------------------------------------------------------


def trouble(action: Callable[[], object]) -> str:
    with pytest.raises(FileTrouble) as caught:
        action()
    return caught.value.problem.kind


def test_read(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"\xef\xbb\xbfFROM a\r\n\xff")
    assert read(str(tmp_path / "x")) == b"\xef\xbb\xbfFROM a\r\n\xff"


def test_what_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\x7fELF\0")
    (tmp_path / "big").write_bytes(b"#" * 20_000_000)
    assert trouble(lambda: read(str(tmp_path / "binary"))) == "binary"
    assert trouble(lambda: read(str(tmp_path / "big"))) == "too-large"
    assert trouble(lambda: read(str(tmp_path / "gone"))) == "missing"
    assert trouble(lambda: read(str(tmp_path / "binary" / "below"))) == "input-output"


def test_the_limit_is_buildkits(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"#" * MAX_SIZE)
    assert len(read(str(tmp_path / "x"))) == 16_777_216


@posix
def test_pipes_and_devices_do_not_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert trouble(lambda: read(str(tmp_path / "pipe"))) == "not-a-file"
    assert trouble(lambda: read("/dev/zero")) == "not-a-file"
    with socket.socket(socket.AF_UNIX) as server:
        monkeypatch.chdir(tmp_path)  # the names of sockets are short
        server.bind("socket")
        assert trouble(lambda: read("socket")) in {"not-a-file", "input-output"}


@posix
def test_no_permission(plain: Path) -> None:
    make(plain, "secret/Dockerfile", "Dockerfile")
    (plain / "Dockerfile").chmod(0)
    (plain / "secret").chmod(0)
    try:
        assert trouble(lambda: read(str(plain / "Dockerfile"))) == "no-permission"
        assert kinds(find([str(plain)])) == ["no-permission"]
        assert kinds(find([str(plain / "secret" / "Dockerfile")])) == ["no-permission"]
    finally:
        (plain / "secret").chmod(0o700)


# --- write ---------------------------------------------------------------------------------------------------------


def test_write(tmp_path: Path) -> None:
    path = tmp_path / "Dockerfile"
    path.write_bytes(b"old")
    path.chmod(0o640)
    write(str(path), b"old", b"new \xff\r\n")
    assert path.read_bytes() == b"new \xff\r\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["Dockerfile"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    make(tmp_path, "real/Dockerfile")
    (tmp_path / "link").symlink_to("real/Dockerfile")
    write(str(tmp_path / "link"), b"FROM a\n", b"FROM b\n")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real" / "Dockerfile").read_bytes() == b"FROM b\n"
    assert sorted(os.listdir(tmp_path)) == ["link", "real"]


@pytest.mark.parametrize("new", [b"FROM b\nRUN longer\n", b"F\n"])
def test_hard_links_stay_together(tmp_path: Path, new: bytes) -> None:
    make(tmp_path, "a")
    os.link(tmp_path / "a", tmp_path / "b")
    write(str(tmp_path / "a"), b"FROM a\n", new)
    assert (tmp_path / "b").read_bytes() == new
    assert (tmp_path / "a").stat().st_ino == (tmp_path / "b").stat().st_ino


def test_what_somebody_else_changed_is_not_overwritten(tmp_path: Path) -> None:
    make(tmp_path, "a")
    assert trouble(lambda: write(str(tmp_path / "a"), b"FROM b\n", b"FROM c\n")) == "changed-meanwhile"
    assert (tmp_path / "a").read_bytes() == b"FROM a\n"
    (tmp_path / "a").unlink()
    assert trouble(lambda: write(str(tmp_path / "a"), b"FROM a\n", b"FROM c\n")) == "missing"
    assert os.listdir(tmp_path) == []


@posix
def test_what_may_not_be_written(plain: Path) -> None:
    make(plain, "a", "d/a")
    (plain / "a").chmod(0o444)
    assert trouble(lambda: write(str(plain / "a"), b"FROM a\n", b"FROM b\n")) == "no-permission"
    (plain / "d").chmod(0o555)
    try:
        assert trouble(lambda: write(str(plain / "d" / "a"), b"FROM a\n", b"FROM b\n")) == "no-permission"
    finally:
        (plain / "d").chmod(0o755)
    assert (plain / "a").read_bytes() == (plain / "d" / "a").read_bytes() == b"FROM a\n"


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    make(tmp_path, "a")
    monkeypatch.setattr(files.os, "fsync", full)
    assert trouble(lambda: write(str(tmp_path / "a"), b"FROM a\n", b"FROM b\n")) == "input-output"
    assert (tmp_path / "a").read_bytes() == b"FROM a\n"
    assert os.listdir(tmp_path) == ["a"]


def test_nobody_sees_half_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    versions = [bytes([65 + i]) * 200_000 for i in range(2)]
    path.write_bytes(versions[0])
    seen: set[bytes] = set()
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            seen.add(path.read_bytes())

    reader = threading.Thread(target=look)
    reader.start()
    try:
        for i in range(40):
            write(str(path), versions[i % 2], versions[(i + 1) % 2])
    finally:
        stop.set()
        reader.join()
    assert seen <= set(versions)


def test_a_whitelist_of_names_leaves_directories_open(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").write_text("*\n!*/\n!Dockerfile\n")
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "Dockerfile").write_text("FROM a\n")
    (tmp_path / "a" / "b" / "Dockerfile.old").write_text("FROM a\n")
    assert names(find([str(tmp_path)]), tmp_path) == ["a/b/Dockerfile"]
