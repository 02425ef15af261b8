"""The copy of a context, and which of its files are edited."""

from __future__ import annotations

import contextlib
import errno
import os
import random
import socket
import stat
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import fixer
from fixer.analysis import analyse
from fixer.engine.outcome import AppliedChange
from fixer.prove.sources import (
    DependencyEdit,
    NoRoom,
    Snapshot,
    SourceEdit,
    SourceTrouble,
    candidates,
    copy_context,
    dependency_edit,
    remove_tree,
    rerun_text,
)
from fixer.text.source import Position
from fixer.tree.parse import parse

superuser = pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="needs the superuser")


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    return root


def copied(root: Path, dockerfile: str = "Dockerfile") -> Snapshot:
    return copy_context(root, root.parent / f"copy-{random.randrange(10**12)}", root / dockerfile)


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


class TestCopy:
    @pytest.fixture
    def context(self, tmp_path: Path) -> Path:
        return write(tmp_path / "context", {"Dockerfile": "FROM scratch\n", "src/a.txt": "a", "src/deep/b.txt": "b"})

    def test_everything_is_as_it_was(self, context: Path) -> None:
        (context / "run").write_bytes(os.urandom(100_000))
        (context / "empty").mkdir()
        (context / "run").chmod(0o4751)
        (context / "src" / "a.txt").chmod(0o400)
        (context / "link").symlink_to("src/a.txt")
        (context / "dangling").symlink_to("/nowhere/at/all")
        os.link(context / "run", context / "again")
        for number, path in enumerate(sorted(context.rglob("*"), reverse=True)):
            os.utime(path, ns=(1, 1_600_000_000_123_456_789 + number), follow_symlinks=False)
        (context / "src").chmod(0o555)
        snapshot = copied(context)
        assert names(snapshot.folder) == names(context)
        for path in context.rglob("*"):
            one, two = path.lstat(), (snapshot.folder / path.relative_to(context)).lstat()
            assert (one.st_mode, one.st_mtime_ns) == (two.st_mode, two.st_mtime_ns), path
            if stat.S_ISREG(one.st_mode):
                assert (one.st_size, one.st_ino) != (two.st_size, two.st_ino)
                assert path.read_bytes() == (snapshot.folder / path.relative_to(context)).read_bytes()
        assert os.readlink(snapshot.folder / "link") == "src/a.txt"
        assert os.readlink(snapshot.folder / "dangling") == "/nowhere/at/all"
        assert snapshot.files == 5
        snapshot.remove()
        assert not snapshot.folder.exists()
        snapshot.remove()
        (context / "src").chmod(0o755)

    def test_what_is_ignored_stays_behind(self, context: Path) -> None:
        write(context, {".dockerignore": "*\n!src/deep\n.dockerignore\nDockerfile\n", "c/d": "", "src/e": ""})
        snapshot = copied(context)
        assert names(snapshot.folder) == [".dockerignore", "Dockerfile", "src", "src/deep", "src/deep/b.txt"]

    def test_a_dockerfile_somewhere_in_it(self, context: Path) -> None:
        write(context, {"docker/api.Dockerfile": "", "docker/api.Dockerfile.dockerignore": "docker\nsrc\n"})
        snapshot = copied(context, "docker/api.Dockerfile")
        assert names(snapshot.folder) == [
            "Dockerfile", "docker", "docker/api.Dockerfile", "docker/api.Dockerfile.dockerignore",
        ]  # fmt: skip

    def test_a_dockerfile_outside(self, context: Path) -> None:
        outside = write(context.parent / "outside", {"Dockerfile": "", "Dockerfile.dockerignore": "src\n"})
        snapshot = copy_context(context, context.parent / "copy", outside / "Dockerfile")
        assert names(snapshot.folder) == ["Dockerfile"]
        assert snapshot.ignore.excludes("src")

    def test_pipes_and_sockets(self, context: Path) -> None:
        """As the engine's client sends them: a pipe as such, a socket as an empty file."""
        os.mkfifo(context / "pipe", 0o640)
        directory = os.getcwd()
        os.chdir(context)  # a socket's name may not be long
        try:
            with socket.socket(socket.AF_UNIX) as listening:
                listening.bind("socket")
        finally:
            os.chdir(directory)
        snapshot = copied(context)
        assert stat.S_ISFIFO((snapshot.folder / "pipe").lstat().st_mode)
        assert (snapshot.folder / "socket").is_file()

    @superuser
    def test_a_device_is_left_out(self, context: Path) -> None:
        try:
            os.mknod(context / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
        except PermissionError:
            pytest.skip("no devices can be made here")
        snapshot = copied(context)
        assert snapshot.skipped == ("null",)
        assert not (snapshot.folder / "null").exists()

    def test_names_of_any_bytes(self, context: Path) -> None:
        with contextlib.suppress(OSError):
            (context / os.fsdecode(b"\xff\n")).write_text("x")
        assert names(copied(context).folder) == names(context)

    def test_a_deep_tree(self, context: Path) -> None:
        deep = context
        for _ in range(300):
            deep = deep / "d"
        deep.mkdir(parents=True)
        (deep / "x").write_text("x")
        snapshot = copied(context)
        assert len(names(snapshot.folder)) == len(names(context))

    def test_the_copy_may_lie_in_the_context(self, context: Path) -> None:
        snapshot = copy_context(context, context / "tmp" / "copy", context / "Dockerfile")
        assert names(snapshot.folder) == ["Dockerfile", "src", "src/a.txt", "src/deep", "src/deep/b.txt", "tmp"]

    @pytest.fixture
    def stranger(self) -> Iterator[None]:
        os.seteuid(65534)
        yield
        os.seteuid(0)

    @superuser
    @pytest.mark.parametrize("name", ["src/a.txt", "src/deep", "src"])
    def test_what_may_not_be_read_is_named(self, tmp_path: Path, name: str) -> None:
        context = write(tmp_path / "context", {"src/a.txt": "a", "src/deep/b.txt": "b"})
        for directory in (tmp_path, context, *tmp_path.parents):
            with contextlib.suppress(PermissionError):
                directory.chmod(directory.stat().st_mode | 0o755)
        (tmp_path / "out").mkdir()
        (tmp_path / "out").chmod(0o777)
        (context / name).chmod(0)
        os.seteuid(65534)
        try:
            with pytest.raises(SourceTrouble, match="may not be read") as trouble:
                copy_context(context, tmp_path / "out" / "copy", context / "Dockerfile")
            assert trouble.value.path == name
            assert not (tmp_path / "out" / "copy").exists()
            (context / ".dockerignore").exists()
        finally:
            os.seteuid(0)
        (context / ".dockerignore").write_text(f"{name}\n")
        os.seteuid(65534)
        try:
            snapshot = copy_context(context, tmp_path / "out" / "copy", context / "Dockerfile")
        finally:
            os.seteuid(0)
        assert not (snapshot.folder / name).exists()

    def test_trouble(self, context: Path) -> None:
        with pytest.raises(SourceTrouble, match="not a directory"):
            copy_context(context / "Dockerfile", context.parent / "copy", context / "Dockerfile")
        (context / ".dockerignore").write_text("a\n[\n")
        with pytest.raises(SourceTrouble, match=r"\.dockerignore: 2: .*malformed"):
            copied(context)
        (context / ".dockerignore").unlink()
        (context.parent / "copy").mkdir()
        with pytest.raises(SourceTrouble):
            copy_context(context, context.parent / "copy", context / "Dockerfile")
        assert (context.parent / "copy").is_dir(), "what was there before is not ours"

    @pytest.mark.parametrize("name", ["copy_file_range", "lseek"])
    def test_a_full_disk(self, context: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        def full(*_: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        def other(*_: object) -> int:
            raise OSError(errno.EXDEV, "Invalid cross-device link")

        monkeypatch.setattr(os, "copy_file_range", other)
        assert copied(context).files == 3, "another file system is no trouble"
        monkeypatch.setattr(os, name, full)
        with pytest.raises(NoRoom, match="no room left"):
            copy_context(context, context.parent / "copy", context / "Dockerfile")
        assert not (context.parent / "copy").exists()

    def test_removal(self, tmp_path: Path) -> None:
        folder = write(tmp_path / "x", {"a/b/c": "", "d": ""})
        (folder / "a" / "b").chmod(0o500)
        (folder / "a").chmod(0)
        remove_tree(folder)
        assert not folder.exists()

    def test_removal_stays_inside(self, tmp_path: Path) -> None:
        outside = write(tmp_path / "outside", {"a": "", "b/c": ""})
        (outside / "b").chmod(0o500)
        folder = write(tmp_path / "x", {"d/e": ""})
        (folder / "link").symlink_to(outside)
        (folder / "d" / "link").symlink_to(outside / "b")
        remove_tree(folder)
        assert not folder.exists()
        (tmp_path / "link").symlink_to(outside)
        remove_tree(tmp_path / "link")
        assert names(outside) == ["a", "b", "b/c"]
        assert stat.S_IMODE((outside / "b").stat().st_mode) == 0o500


@pytest.fixture
def deep(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """A context with so many directories in each other, longer than a path may be."""
    root = write(tmp_path / "deep", {"Dockerfile": "FROM scratch\n"})

    def make(depth: int) -> Path:
        at = os.open(root, os.O_RDONLY)
        for _ in range(depth):
            os.mkdir("d", dir_fd=at)
            inner = os.open("d", os.O_RDONLY, dir_fd=at)
            os.close(at)
            at = inner
        os.close(os.open("x.py", os.O_CREAT | os.O_WRONLY, dir_fd=at))
        os.close(at)
        return root

    yield make
    remove_tree(root)  # pytest's own way gives up
    assert not root.exists()


class TestDeep:
    def test_a_copy(self, deep: Callable[[int], Path]) -> None:
        context = deep(1_100)
        (context / "Dockerfile").write_text("FROM python:3\nCOPY . .\n")
        snapshot = copied(context)
        assert (snapshot.files, len(snapshot.skipped)) == (2, 0)
        facts = analyse(parse((context / "Dockerfile").read_text()))
        assert candidates(facts, snapshot) == []
        snapshot.remove()
        assert not snapshot.folder.exists()

    def test_what_is_left_of_the_ignored(self, deep: Callable[[int], Path]) -> None:
        context = deep(1_100)
        (context / ".dockerignore").write_text("*\n!**/x.py\n")
        snapshot = copied(context)
        assert snapshot.files == 3
        snapshot.remove()

    def test_too_deep_to_copy(self, deep: Callable[[int], Path]) -> None:
        context = deep(2_200)
        copy = context.parent / "copy"
        with pytest.raises(SourceTrouble, match="File name too long") as trouble:
            copy_context(context, copy, context / "Dockerfile")
        assert len(str(trouble.value)) < 300
        assert not copy.exists()


class Case:
    """A project: its Dockerfile, what dockfix makes of it, and a copy of its context."""

    def __init__(self, root: Path, dockerfile: str, files: dict[str, str]) -> None:
        write(root, {"Dockerfile": dockerfile, **files})
        self.snapshot = copied(root)
        self.facts = analyse(parse(dockerfile))
        self.outcome = fixer.fix(dockerfile, path="Dockerfile", project="p")

    @property
    def changes(self) -> tuple[AppliedChange, ...]:
        return self.outcome.changes

    def edits(self, *targets: str, touch: str | None = None) -> list[SourceEdit]:
        return candidates(self.facts, self.snapshot, touch, changes=self.changes, targets=targets)

    def paths(self, *targets: str) -> list[str]:
        return [edit.path for edit in self.edits(*targets)]

    def dependency(self) -> DependencyEdit | None:
        return dependency_edit(self.facts, self.snapshot, self.changes)

    def read(self, path: str) -> bytes:
        return (self.snapshot.folder / path).read_bytes()


MAIN = "fn main() {}\n"
PACKAGE = '[package]\nname = "NAME"\nversion = "0.1.0"\n'
RUST = """\
FROM rust:1 AS build
WORKDIR /app
COPY Cargo.toml Cargo.lock ./
COPY src src
RUN cargo build --release
FROM debian:bookworm
COPY --from=build /app/target/release/app /bin/app
COPY static /srv
"""


class TestOddFiles:
    """What stands where a file is looked for, and cannot be read to its end."""

    @pytest.fixture(params=["pipe", "endless", "large"])
    def odd(self, request: pytest.FixtureRequest) -> Callable[[Path], None]:
        def large(path: Path) -> None:
            path.touch()
            os.truncate(path, 1 << 40)

        def endless(path: Path) -> None:
            path.symlink_to("/dev/zero")

        return {"pipe": os.mkfifo, "endless": endless, "large": large}[request.param]

    def test_manifests_and_sources(self, tmp_path: Path, odd: Callable[[Path], None]) -> None:
        case = Case(
            tmp_path / "c", RUST, {"Cargo.toml": PACKAGE.replace("NAME", "app"), "src/main.rs": MAIN, "src/x/y": ""}
        )
        for name in ("src/Cargo.toml", "src/x/Cargo.toml", "src/lib.rs", "src/bin", "static"):
            odd(case.snapshot.folder / name)
        assert case.paths() == ["src/main.rs"]
        (case.snapshot.folder / "Cargo.toml").unlink()
        odd(case.snapshot.folder / "Cargo.toml")
        assert case.paths() == ["src/main.rs"]
        assert case.dependency() is None

    def test_another_dependency(self, tmp_path: Path, odd: Callable[[Path], None]) -> None:
        case = Case(
            tmp_path / "c",
            "FROM python:3\nCOPY . .\nRUN pip install -r requirements.txt -r more/requirements.txt\n",
            {"more/requirements.txt": "flask\n"},
        )
        odd(case.snapshot.folder / "requirements.txt")
        edit = case.dependency()
        assert edit is not None
        assert edit.path == "more/requirements.txt"

    def test_the_file_that_was_asked_for(self, tmp_path: Path, odd: Callable[[Path], None]) -> None:
        case = Case(tmp_path / "c", RUST, {"static/a": "a"})
        for root in (case.snapshot.folder, case.snapshot.context):
            (root / "static" / "a").unlink()
            odd(root / "static" / "a")
        with pytest.raises(SourceTrouble):
            case.edits(touch="static/a")

    def test_a_path_that_no_system_takes(self, tmp_path: Path) -> None:
        manifest = PACKAGE.replace("NAME", "app") + f'[lib]\npath = "{"b" * 300}"\n[[bin]]\npath = "{"a" * 300}"\n'
        case = Case(tmp_path / "c", RUST, {"Cargo.toml": manifest, "src/main.rs": MAIN})
        assert case.paths() == ["src/main.rs"]


class TestCandidates:
    def test_rust_first(self, tmp_path: Path) -> None:
        case = Case(
            tmp_path / "c", RUST,
            {"Cargo.toml": PACKAGE.replace("NAME", "app"), "Cargo.lock": "", "src/main.rs": MAIN, "src/util.rs": MAIN,
             "src/bin/other.rs": MAIN, "build.rs": MAIN, "static/a.css": "", "static/b.html": "<p>", "notes.md": "x",
             "static/main.py": "x = 1"},
        )  # fmt: skip
        assert case.paths() == ["src/main.rs", "src/bin/other.rs", "static/main.py", "static/b.html"]
        assert all(edit.visible for edit in case.edits())

    def test_a_workspace(self, tmp_path: Path) -> None:
        manifests = {
            "Cargo.toml": '[workspace]\nmembers = ["crates/*"]\n',
            "crates/first/Cargo.toml": PACKAGE.replace("NAME", "first"),
            "crates/app/Cargo.toml": PACKAGE.replace("NAME", "app") + '[[bin]]\nname = "tool"\npath = "cmd/tool.rs"\n',
            "crates/base/Cargo.toml": PACKAGE.replace("NAME", "base"),
            "crates/native/Cargo.toml": PACKAGE.replace("NAME", "native") + '[lib]\ncrate-type = ["cdylib"]\n',
            "tools/make/Cargo.toml": PACKAGE.replace("NAME", "make"),
            "broken/Cargo.toml": "[package\n",
        }
        library = "pub fn f() {}\n"
        case = Case(
            tmp_path / "c", RUST.replace("COPY src src", "COPY . ."),
            {**manifests, "crates/first/src/main.rs": MAIN, "crates/app/src/main.rs": MAIN,
             "crates/app/cmd/tool.rs": MAIN, "crates/base/src/lib.rs": library, "crates/native/src/lib.rs": library,
             "tools/make/src/main.rs": MAIN, "crates/app/tests/main.rs": MAIN, "crates/app/examples/main.rs": MAIN,
             "broken/src/main.rs": MAIN},
        )  # fmt: skip
        assert case.paths() == [
            "crates/app/src/main.rs", "crates/first/src/main.rs", "crates/app/cmd/tool.rs", "crates/native/src/lib.rs",
            "tools/make/src/main.rs", "crates/base/src/lib.rs",
        ]  # fmt: skip

    @pytest.mark.parametrize(
        "manifest",
        [
            "[package]\nname = 3\n[lib]\npath = 3\ncrate-type = 3\n[[bin]]\nname = 5\n",
            "workspace = 3\npackage = 4\nbin = 3\nlib = 3\n",
            "[workspace]\nmembers = 3\n[package]\n",
            f'[workspace]\nmembers = ["{"*a" * 12_000}", "crates/*"]\n',
            "[package]\nbin = 3\n[[bin]]\npath = []\n",
            "\0",
        ],
    )
    def test_a_manifest_of_any_form(self, tmp_path: Path, manifest: str) -> None:
        case = Case(
            tmp_path / "c", RUST.replace("COPY src src", "COPY . ."),
            {"a/Cargo.toml": manifest, "Cargo.toml": PACKAGE, "src/main.rs": MAIN},
        )  # fmt: skip
        assert case.paths() == ["src/main.rs"]

    def test_links_are_not_followed_out_of_the_copy(self, tmp_path: Path) -> None:
        root = write(tmp_path / "c", {"real.py": "x = 1", "other/a.py": "x = 1"})
        (root / "inside.py").symlink_to("real.py")
        (root / "absolute.py").symlink_to(root / "real.py")
        (root / "directory").symlink_to(root / "other")
        case = Case(root, "FROM python\nCOPY . .\n", {})
        assert case.paths() == ["real.py", "other/a.py"]
        [edit] = case.edits(touch="inside.py")
        edit.apply("Aone")
        assert b"Aone" in case.read("real.py")
        for touch in ("absolute.py", "directory/a.py"):
            with pytest.raises(SourceTrouble, match="leads out of"):
                case.edits(touch=touch)
        assert (root / "real.py").read_text() == (root / "other" / "a.py").read_text() == "x = 1"

    def test_what_the_changed_step_reads_goes_first(self, tmp_path: Path) -> None:
        text = (
            "FROM python:3.12\nWORKDIR /app\nCOPY web web\nRUN npm ci && npm run build\n"
            "COPY pkg pkg\nRUN pip install ./pkg\nCOPY late late\n"
        )
        case = Case(
            tmp_path / "c", text,
            {"web/index.js": "x", "pkg/pkg/a.py": "", "pkg/pkg/b.py": "x = 1", "late/a.py": "x = 1", "late/b.sh": "x"},
        )  # fmt: skip
        assert {change.codemod for change in case.changes} == {"pip-cache"}
        assert case.paths() == ["pkg/pkg/b.py", "web/index.js", "late/a.py", "late/b.sh"]

    @pytest.mark.parametrize(
        ("copy", "expected"),
        [
            ("COPY . .", ["a.py", "x.py", "x/y.py"]),
            ("COPY ./ /app/", ["a.py", "x.py", "x/y.py"]),
            ("COPY x /x", ["x/y.py"]),
            ("COPY ./x/ a.p[xyz] /x/", ["a.py", "x/y.py"]),
            ("COPY *.py /x/", ["a.py", "x.py"]),
            ("COPY --exclude=x --exclude=*/b* . .", ["a.py", "x.py"]),
            ('COPY ["x", "/x/"]', ["x/y.py"]),
            ("COPY ../x/../a.py /", ["a.py"]),
            ("ADD x.py /x/", ["x.py"]),
            ("ADD https://example.org/a.py /x/", []),
            ("ARG D=x\nCOPY $D /x/", ["x/y.py"]),
            ("ARG D\nCOPY x/$D.py /x/", ["x/y.py"]),
            ("COPY <<a.py /x/\nhello\na.py", []),
            ("COPY --from=other a.py /", []),
            ("RUN --mount=type=bind,target=/src pip install /src", ["a.py", "x.py", "x/y.py"]),
            ("RUN --mount=type=bind,source=x,target=/src pip install /src", ["x/y.py"]),
            ("RUN --mount=type=bind,from=other,source=x,target=/src pip install /src", []),
        ],
    )
    def test_what_comes_from_the_context(self, tmp_path: Path, copy: str, expected: list[str]) -> None:
        case = Case(tmp_path / "c", f"FROM python\n{copy}\n", {"a.py": "a=1", "x.py": "a=1", "x/y.py": "a=1"})
        assert sorted(case.paths()) == expected

    @pytest.mark.parametrize(("run", "first"), [("./build.sh", "main.rs"), ("make", "main.rs"), ("ls", "a.css")])
    def test_a_script_may_compile(self, tmp_path: Path, run: str, first: str) -> None:
        text = f"FROM rust AS a\nCOPY main.rs build.sh ./\nRUN {run}\nFROM debian\nCOPY a.css /\nCOPY --from=a /b /b\n"
        case = Case(tmp_path / "c", text, {"main.rs": MAIN, "a.css": "x"})
        assert case.paths()[0] == first

    def test_only_stages_that_are_built(self, tmp_path: Path) -> None:
        text = (
            "FROM python AS unused\nCOPY a.py /\nFROM python AS base\nCOPY b.py /\nFROM base AS dev\nCOPY c.py /\n"
            "FROM base\nCOPY d.py /\n"
        )
        case = Case(tmp_path / "c", text, {f"{name}.py": "a=1" for name in "abcd"})
        assert sorted(case.paths()) == ["b.py", "d.py"]
        assert sorted(case.paths("dev")) == ["b.py", "c.py", "d.py"]
        assert sorted(case.paths("0")) == ["a.py", "b.py", "d.py"]

    def test_what_is_no_source(self, tmp_path: Path) -> None:
        files = dict.fromkeys(
            ("tests/a.py", "node_modules/a/index.js", ".venv/a.py", ".hidden.py", "vendor/a.go", "test_a.py",
             "a_test.go", "a.test.js", "a.min.js", "package-lock.json", "poetry.lock", "requirements.txt",
             "setup.py", "a_pb2.py", "types.d.ts", "data.json", "Dockerfile.dev", "a.pb.go", "conftest.py",
             "README.md", "dist/a.js"),
            "package a\nx = 1\n",
        )  # fmt: skip
        files |= {"made.py": "# Code generated by x. DO NOT EDIT.\n", "binary.py": "\0", "huge.py": "#" * 2_000_000}
        files |= {"empty.py": "", "real.py": "x = 1"}
        assert Case(tmp_path / "c", "FROM python\nCOPY . .\n", files).paths() == ["real.py"]

    def test_several_languages_get_a_turn(self, tmp_path: Path) -> None:
        files = {f"{name}.py": "a=1" for name in ("a", "b", "c", "main")} | {"z.sh": "x", "z.sql": "x"}
        paths = Case(tmp_path / "c", "FROM python\nCOPY . .\n", files).paths()
        assert paths == ["main.py", "a.py", "z.sh", "z.sql", "b.py", "c.py"]

    def test_no_context_at_all(self, tmp_path: Path) -> None:
        case = Case(tmp_path / "c", "FROM debian\nRUN apt-get update && apt-get install -y curl\n", {"a.py": "x=1"})
        assert case.edits() == []
        assert case.dependency() is None


class TestEdit:
    def test_edit_and_back(self, tmp_path: Path) -> None:
        case = Case(tmp_path / "c", "FROM python\nCOPY . .\n", {"a.py": "x = 1\r\n# \x00".replace("\x00", "é")})
        [edit] = case.edits()
        assert (edit.path, edit.language, edit.visible) == ("a.py", "Python", True)
        file = case.snapshot.folder / "a.py"
        file.chmod(0o444)
        os.utime(file, ns=(0, 0))
        before = file.read_bytes()
        edit.apply("Aone")
        assert b"Aone" in file.read_bytes()
        edit.apply("Atwo")
        assert b"Aone" not in file.read_bytes()
        assert file.read_bytes().startswith(before)
        edit.revert()
        assert file.read_bytes() == before
        assert stat.S_IMODE(file.stat().st_mode) == 0o444
        assert abs(file.stat().st_mtime - time.time()) < 3600
        assert (tmp_path / "c" / "a.py").read_bytes() == before, "the user's own file is not touched"

    @pytest.mark.parametrize("marker", ["", "1a", "a b", 'a"', "a-b", "é", "a\n"])
    def test_markers_are_words(self, tmp_path: Path, marker: str) -> None:
        [edit] = Case(tmp_path / "c", "FROM python\nCOPY . .\n", {"a.py": "x = 1"}).edits()
        with pytest.raises(ValueError, match="no marker"):
            edit.apply(marker)


class TestTouch:
    @pytest.fixture
    def case(self, tmp_path: Path) -> Case:
        case = Case(
            tmp_path / "c", "FROM python\nCOPY . .\n",
            {"a.py": "x=1", "d/data.json": "{}", "blob": "\0", ".dockerignore": "left\n", "left/a.py": "x=1"},
        )  # fmt: skip
        write(tmp_path, {"outside.py": "x = 1"})
        return case

    @pytest.mark.parametrize(("touch", "visible"), [("a.py", True), ("./d/../a.py", True), ("d/data.json", False)])
    def test_that_file_alone(self, case: Case, touch: str, visible: bool) -> None:
        for name in (touch, str(case.snapshot.context / touch)):
            [edit] = case.edits(touch=name)
            assert edit.path == os.path.normpath(touch)
            assert edit.visible is visible
            edit.apply("Aone")
            assert case.read(edit.path) != (case.snapshot.context / touch).read_bytes()

    @pytest.mark.parametrize(
        ("touch", "why"),
        [
            ("none.py", "no such file"),
            ("d", "no such file"),
            (".", "not a file in"),
            ("../outside.py", "not a file in"),
            ("/etc/passwd", "not in the build context"),
            ("left/a.py", r"left out of the build context by .*/\.dockerignore"),
            ("blob", "not a text file"),
        ],
    )
    def test_trouble(self, case: Case, touch: str, why: str) -> None:
        with pytest.raises(SourceTrouble, match=why) as trouble:
            case.edits(touch=touch)
        assert str(trouble.value).startswith(f"{touch}: ")


class TestDependency:
    @pytest.mark.parametrize(
        ("dockerfile", "files", "expected", "line"),
        [
            ("COPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY . .",
             "requirements.txt a/requirements.txt", "requirements.txt", b"# dockfix verify 3\n"),
            ("COPY requirements-dev.txt requirements.txt ./\nRUN pip install -r requirements.txt",
             "requirements.txt requirements-dev.txt", "requirements.txt", b"# dockfix verify 3\n"),
            ("COPY pyproject.toml .\nRUN uv sync", "pyproject.toml", "pyproject.toml", b"# dockfix verify 3\n"),
            ("COPY Cargo.toml Cargo.lock ./\nCOPY a a\nRUN cargo build", "Cargo.toml Cargo.lock a/Cargo.toml",
             "Cargo.toml", b"# dockfix verify 3\n"),
            ("COPY package*.json ./\nRUN npm ci", "package.json package-lock.json", "package.json", b"    \n"),
            ("COPY go.mod go.sum ./\nRUN go mod download", "go.mod go.sum", "go.mod", b"// dockfix verify 3\n"),
            ("COPY app/App.csproj app/\nRUN dotnet restore", "app/App.csproj", "app/App.csproj",
             b"<!-- dockfix verify 3 -->\n"),
            ("RUN --mount=type=bind,source=requirements.txt,target=r.txt pip install -r r.txt", "requirements.txt",
             "requirements.txt", b"# dockfix verify 3\n"),
            ("RUN pip install flask\nCOPY requirements.txt .", "requirements.txt", "", b""),
            ("COPY Cargo.toml .\nRUN pip install flask", "Cargo.toml", "", b""),
            ("COPY Cargo.lock .\nRUN cargo build", "Cargo.lock", "", b""),
            ("COPY . .", "requirements.txt", "", b""),
        ],
    )  # fmt: skip
    def test_which_manifest(self, tmp_path: Path, dockerfile: str, files: str, expected: str, line: bytes) -> None:
        text = f"FROM python:3.12\nWORKDIR /app\n{dockerfile}\n"
        case = Case(tmp_path / "c", text, dict.fromkeys(files.split(), "x\n"))
        edit = case.dependency()
        if not expected:
            assert edit is None
            return
        assert edit is not None
        assert (edit.path, edit.what) == (expected, expected)
        seen = set()
        for number in range(5):
            edit.apply(number)
            seen.add(case.read(expected))
        edit.apply(3)
        assert case.read(expected) == b"x\n" + line
        assert len(seen) == 5
        edit.revert()
        assert case.read(expected) == b"x\n"

    def test_of_the_changed_step(self, tmp_path: Path) -> None:
        text = (
            "FROM rust:1 AS a\nCOPY a a\nRUN cargo build --manifest-path=a/Cargo.toml --frozen\n"
            "FROM python:3.12\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY --from=a /a /a\n"
        )
        case = Case(tmp_path / "c", text, {"a/Cargo.toml": "", "requirements.txt": ""})
        assert {change.codemod for change in case.changes} == {"pip-cache"}
        edit = case.dependency()
        assert edit is not None
        assert edit.path == "requirements.txt"


class TestRerun:
    def places(self, text: str, *words: str) -> list[Position]:
        return [parse(text).lines.position(text.index(word)) for word in words]

    def test_one_line_for_each_stage(self) -> None:
        text = "# a\nFROM a\nRUN b\n\n# note\nRUN c\nRUN d\nFROM e\nRUN f\n"
        assert rerun_text(text, self.places(text, "RUN d", "RUN c", "RUN f"), 7) == (
            "# a\nFROM a\nRUN b\n\nARG DOCKFIX_VERIFY=7\n# note\nRUN c\nRUN d\nFROM e\nARG DOCKFIX_VERIFY=7\nRUN f\n"
        )

    @pytest.mark.parametrize(
        ("text", "word", "expected"),
        [
            ("FROM a\r\nRUN b\r\n", "RUN b", "FROM a\r\nARG DOCKFIX_VERIFY=1\r\nRUN b\r\n"),
            ("from a\nrun b", "run b", "from a\narg DOCKFIX_VERIFY=1\nrun b"),
            ("\ufeffFROM a\n  RUN b \\\n   c", "RUN", "\ufeffFROM a\nARG DOCKFIX_VERIFY=1\n  RUN b \\\n   c"),
            ("FROM a\nRUN <<E\nb\nE\nRUN c", "RUN c", "FROM a\nRUN <<E\nb\nE\nARG DOCKFIX_VERIFY=1\nRUN c"),
            ("FROM a\nRUN x\nCMD b\n", "FROM", "FROM a\nARG DOCKFIX_VERIFY=1\nRUN x\nCMD b\n"),
            ("ARG A\nFROM a\nRUN x\n", "ARG", "ARG A\nFROM a\nRUN x\n"),
            ("FROM a\nONBUILD RUN x\nRUN y\n", "ONBUILD", "FROM a\nONBUILD RUN x\nARG DOCKFIX_VERIFY=1\nRUN y\n"),
            ("FROM a\n", "FROM", "FROM a\n"),
            ("FROM a\nENV A=\udcff\nRUN x\n", "RUN", "FROM a\nENV A=\udcff\nARG DOCKFIX_VERIFY=1\nRUN x\n"),
        ],
    )
    def test_the_rest_stays(self, text: str, word: str, expected: str) -> None:
        assert rerun_text(text, self.places(text, word), 1) == expected

    def test_both_files_get_it(self) -> None:
        text = "FROM python:3.12\nRUN pip install a\nFROM debian\nRUN apt-get update\nRUN apt-get install -y curl\n"
        outcome = fixer.fix(text, path="Dockerfile", project="p")
        assert {change.codemod for change in outcome.changes} >= {"pip-cache", "apt-update-install"}
        for side, places in (
            (outcome.before, [change.position for change in outcome.changes]),
            (outcome.after, [change.position_after for change in outcome.changes]),
        ):
            one, two = (rerun_text(side, places, number) for number in (1, 2))
            assert one.count("ARG DOCKFIX_VERIFY=1\n") == two.count("ARG DOCKFIX_VERIFY=2\n") == 2
            assert one.replace("ARG DOCKFIX_VERIFY=1\n", "") == side
            again = one.split("ARG DOCKFIX_VERIFY=1\n")[1:]
            assert "pip install a" in again[0].split("FROM ")[0]
            assert "apt-get update" in again[1]
            assert "keep-cache" not in again[1], "what a change puts in front of a step is not what it changes"
