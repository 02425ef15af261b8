"""Finding, reading and writing files."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fixer.engine import files
from fixer.engine.files import MAX_SIZE, FileTrouble, Target, is_dockerfile_name, read, read_list, write
from fixer.engine.kinds import IGNORE
from fixer.engine.outcome import Problem

with contextlib.suppress(ImportError):
    import fcntl

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


class Found:
    """All that `find` gives."""

    def __init__(self, targets: Iterable[Target | None]) -> None:
        self.targets = [target for target in targets if target is not None]
        self.files = [target.path for target in self.targets if target.problem is None]
        self.problems: list[tuple[str, Problem]] = [
            (target.path, target.problem) for target in self.targets if target.problem is not None
        ]


def find(paths: Iterable[str], **options: Any) -> Found:
    return Found(files.find(paths, **options))


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


@pytest.mark.parametrize(
    ("lines", "left"),
    [
        ("build/\n!docker/", ["docker/Dockerfile", "x/Dockerfile"]),  # what lies below the directory is not meant
        ("node_modules\nbuild\n!/docker", ["docker/Dockerfile", "x/Dockerfile"]),
        ("Dockerfile\n!docker/", []),
        ("*\n!*/\n!**/build/Dockerfile", ["docker/build/Dockerfile"]),
        ("docker/**\n!docker/build/", ["x/Dockerfile"]),
        ("x\t\ndocker\t", ["docker/Dockerfile", "docker/build/Dockerfile", "x/Dockerfile"]),
        ("/docker/build \nx\\ ", ["docker/Dockerfile", "x/Dockerfile"]),
    ],
)
def test_the_same_as_to_git(tmp_path: Path, lines: str, left: list[str]) -> None:
    make(tmp_path, "docker/Dockerfile", "docker/build/Dockerfile", "x/Dockerfile")
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / ".gitignore").write_text(f"{lines}\n")
    command = ["git", "-C", str(tmp_path), "ls-files", "--others", "--exclude-standard"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    assert sorted(set(listed) - {".gitignore"}) == left
    assert names(find([str(tmp_path)]), tmp_path) == left


@pytest.mark.parametrize("line", ["!", "a\\", "x[b-a]", "[[:", "/", "***b"])
def test_a_line_that_is_no_pattern_stops_nothing(tmp_path: Path, line: str) -> None:
    make(tmp_path, "Dockerfile", "Dockerfile.old", "build/Dockerfile")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").write_bytes(f"\ufeff*.old\r\n{line}\r\nbuild/\r\n".encode())
    assert names(find([str(tmp_path)]), tmp_path) == ["Dockerfile"]


@pytest.mark.parametrize(
    ("lines", "left"),
    [
        ("**/a/**/b/**/Dockerfile", ["a/b.d/Dockerfile", "ab/Dockerfile"]),
        ("*file\n!**/x/**/y/**/*file", ["a/x/b/y/c/Dockerfile"]),
        ("?[!a]", ["a/b.d/Dockerfile", "a/x/b/y/c/Dockerfile"]),  # a class takes no slash
        ("[!x]*[!x]*[!x]*file", []),
    ],
)
def test_patterns_with_many_wildcards(tmp_path: Path, lines: str, left: list[str]) -> None:
    make(tmp_path, "a/x/b/y/c/Dockerfile", "a/b.d/Dockerfile", "ab/Dockerfile")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").write_text(f"{lines}\n")
    assert sorted(names(find([str(tmp_path)]), tmp_path)) == left


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
    found = find([one, one, str(tmp_path / "link"), str(tmp_path / "a"), str(tmp_path)])
    assert (found.files, found.problems) == ([one], [])
    assert find([one, str(tmp_path / "a")]).problems == []
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").write_text("Dockerfile\n")
    assert find([one, str(tmp_path)]).problems == []
    assert kinds(find([str(tmp_path)])) == ["no-dockerfiles"]


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


def test_the_order_is_that_of_whole_paths(tmp_path: Path) -> None:
    make(tmp_path, "a/Dockerfile", "a-b/Dockerfile", "a.dockerfile", "a/b/Dockerfile", "b/Dockerfile", "Dockerfile")
    expected = sorted(str(path) for path in tmp_path.rglob("*ockerfile"))
    assert find([str(tmp_path)]).files == expected
    assert find([str(tmp_path / name) for name in ("b", "a", "Dockerfile", "a.dockerfile", "a-b")]).files == expected


def test_every_directory_gives_time(tmp_path: Path) -> None:
    for number in range(50):
        (tmp_path / str(number)).mkdir()
    assert sum(target is None for target in files.find([str(tmp_path)])) >= 50


def test_a_list_of_files(tmp_path: Path) -> None:
    assert read_list(b"\xef\xbb\xbfa b\r\n\nc\na b\n\xff") == {"a b": 1, "c": 3, "\udcff": 5}
    assert read_list(b"a\nb\0c\r\0\0d") == {"a\nb": 1, "c\r": 2, "d": 4}
    assert read_list(b"") == {}
    make(tmp_path, "x")
    (tmp_path / "empty").mkdir()
    listed = {str(tmp_path / name): number for number, name in enumerate(["gone", "x", "empty"], 1)}
    found = find(listed, lines=listed)
    assert names(found, tmp_path) == ["x"]
    assert [problem.message for _, problem in found.problems] == [
        "no Dockerfiles in this directory (line 3 of the list).",
        "no such file or directory (line 1 of the list).",
    ]


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
    assert trouble(lambda: read(str(tmp_path))) == "not-a-file"
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
    make(tmp_path, "Dockerfile", "z/Dockerfile.x")
    (tmp_path / "Dockerfile").chmod(0o640)
    (tmp_path / "d").mkdir()
    one, two = tmp_path / "Dockerfile", tmp_path / "d" / "Dockerfile"
    os.link(one, two)
    (tmp_path / "Dockerfile.link").symlink_to(two)
    target = find([str(tmp_path), str(two), str(tmp_path / "Dockerfile.link")]).targets[-1]
    assert target.path in (str(one), str(two), str(tmp_path / "Dockerfile.link"))
    assert sorted(target.names) == sorted([str(one), str(two)])
    write(target.path, b"FROM a\n", new, target.names)
    assert one.read_bytes() == two.read_bytes() == new
    assert one.stat().st_ino == two.stat().st_ino
    assert one.stat().st_nlink == 2
    assert stat.S_IMODE(two.stat().st_mode) == 0o640
    assert sorted(os.listdir(tmp_path)) == ["Dockerfile", "Dockerfile.link", "d", "z"]
    assert os.listdir(tmp_path / "d") == ["Dockerfile"]


def test_a_name_of_several_that_cannot_be_replaced_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "Dockerfile", "d/x")
    one, two = tmp_path / "Dockerfile", tmp_path / "d" / "Dockerfile"
    os.link(one, two)
    replaced = os.replace

    def replace(source: str, target: str) -> None:
        if target == str(two):
            raise PermissionError
        replaced(source, target)

    monkeypatch.setattr("os.replace", replace)
    with pytest.raises(FileTrouble) as caught:
        write(str(one), b"FROM a\n", b"FROM b\n", (str(one), str(two)))
    assert caught.value.problem.kind == "no-permission"
    assert f"{two}, which is the same file" in caught.value.problem.message
    assert f"Written: {one};" in caught.value.problem.message
    assert (one.read_bytes(), two.read_bytes()) == (b"FROM b\n", b"FROM a\n")
    assert sorted(os.listdir(tmp_path / "d")) == ["Dockerfile", "x"]
    assert sorted(os.listdir(tmp_path)) == ["Dockerfile", "d"]


def test_a_file_with_names_that_nobody_knows_is_left_alone(tmp_path: Path) -> None:
    make(tmp_path, "in/Dockerfile", "out/x")
    os.link(tmp_path / "in" / "Dockerfile", tmp_path / "out" / "y")
    os.link(tmp_path / "in" / "Dockerfile", tmp_path / "in" / "Dockerfile.z")
    (target,) = find([str(tmp_path / "in")]).targets
    assert trouble(lambda: write(target.path, b"FROM a\n", b"FROM b\n", target.names)) == "hard-links"
    os.unlink(tmp_path / "out" / "y")
    os.link(tmp_path / "out" / "x", tmp_path / "out" / "y")
    wrong = (*target.names, str(tmp_path / "out" / "y"))
    write(target.path, b"FROM a\n", b"FROM b\n", wrong)
    assert (tmp_path / "out" / "y").read_bytes() == b"FROM a\n"
    assert (tmp_path / "in" / "Dockerfile.z").read_bytes() == b"FROM b\n"


def test_a_name_that_cannot_be_replaced_leaves_all_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, "a")
    os.link(tmp_path / "a", tmp_path / "b")

    def no(*args: object) -> None:
        raise PermissionError(1, "no")

    monkeypatch.setattr(files.os, "link", no)
    both = [str(tmp_path / name) for name in "ab"]
    assert trouble(lambda: write(both[0], b"FROM a\n", b"FROM b\n", both)) == "no-permission"
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() == b"FROM a\n"
    assert sorted(os.listdir(tmp_path)) == ["a", "b"]


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


def test_a_file_that_nobody_may_write_is_read_only_for_the_superuser_too(tmp_path: Path) -> None:
    make(tmp_path, "a")
    (tmp_path / "a").chmod(0o444)
    assert trouble(lambda: write(str(tmp_path / "a"), b"FROM a\n", b"FROM b\n")) == "no-permission"
    assert (tmp_path / "a").read_bytes() == b"FROM a\n"


@pytest.mark.parametrize("how", ["write", "replace"])
def test_somebody_changes_it_at_the_last_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """While the new text is written beside it."""
    make(tmp_path, "a")
    really = os.fsync

    def late(descriptor: int) -> None:
        if how == "replace":  # by the same content: it is another file, though
            (tmp_path / "b").write_bytes(b"FROM a\n")
            os.replace(tmp_path / "b", tmp_path / "a")
        else:
            (tmp_path / "a").write_bytes(b"FROM z\n")
        really(descriptor)

    monkeypatch.setattr(files.os, "fsync", late)
    assert trouble(lambda: write(str(tmp_path / "a"), b"FROM a\n", b"FROM b\n")) == "changed-meanwhile"
    assert (tmp_path / "a").read_bytes() == (b"FROM a\n" if how == "replace" else b"FROM z\n")
    assert os.listdir(tmp_path) == ["a"]


@posix
def test_what_a_killed_run_left_is_swept_away(tmp_path: Path) -> None:
    left = tmp_path / ".dockfix-0123456789abcdef"
    others = [tmp_path / ".dockfix-mine", tmp_path / ".dockfix-0123456789abcdefg"]
    make(tmp_path, "Dockerfile", left.name, *(other.name for other in others))
    (tmp_path / ".dockfix-0123456789abcde0").mkdir()
    assert len(find([str(tmp_path)]).targets) == 1
    assert left.exists()
    with left.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        find([str(tmp_path)], sweep=True)
        assert left.exists(), "somebody is at it"
    find([str(tmp_path)], sweep=True)
    assert not left.exists()
    assert all(other.exists() for other in others)


@posix
def test_a_temporary_file_that_is_swept_before_it_is_locked_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, "a")
    really, times = fcntl.flock, []

    def slow(descriptor: int, how: int) -> None:
        if not times:
            times.append(1)
            for path in tmp_path.glob(".dockfix-*"):
                path.unlink()
        really(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", slow)
    write(str(tmp_path / "a"), b"FROM a\n", b"FROM b\n")
    assert times
    assert (tmp_path / "a").read_bytes() == b"FROM b\n"
    assert os.listdir(tmp_path) == ["a"]


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


def kept(root: Path, directory: str) -> list[str]:
    return sorted(files.kept_by_git(str(root), directory))


def test_what_git_keeps_of_a_directory(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    app = tmp_path / "app"
    for name in ("target/idl/a.json", "target/debug/a", "bin/start.sh", ".venv/pyvenv.cfg", "out/a"):
        (app / name).parent.mkdir(parents=True, exist_ok=True)
        (app / name).write_text("")
    (tmp_path / ".gitignore").write_text("target/*\n!target/idl\n")
    (app / ".gitignore").write_text("/out/\n")
    (app / ".venv" / ".gitignore").write_text("*\n")  # as uv and venv write it
    assert kept(app, "target") == ["target/debug/a", "target/idl/a.json"]  # `target/*` is that of the root alone
    (tmp_path / ".gitignore").write_text("**/target/*\n!**/target/idl\n")
    assert kept(app, "target") == ["target/idl/a.json"]
    assert kept(app, "bin") == ["bin/start.sh"]
    assert kept(app, ".venv") == []
    assert kept(app, "out") == []
    assert kept(app, "gone") == []


def test_no_file_is_made_among_installed_packages(tmp_path: Path) -> None:
    for name in ("Dockerfile", "node_modules/a/Dockerfile"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("FROM a\n")
    found = [each for each in files.find([str(tmp_path)], kinds=[IGNORE]) if each is not None and each.missing]
    assert [os.path.relpath(each.path, tmp_path) for each in found] == [".dockerignore"]
