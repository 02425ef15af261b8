"""The build context of a proof: a copy of it, which of its files to edit so that the image must change, and back.

Nothing here touches the user's own tree: everything is edited in the copy.
"""

from __future__ import annotations

import contextlib
import errno
import os
import posixpath
import re
import shutil
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from fixer.analysis import Facts, Known, Stage, Value, analyse
from fixer.analysis.context import LARGEST as READABLE
from fixer.analysis.dockerignore import Ignore, IgnoreTrouble, parse_ignore
from fixer.engine.context import read_ignore
from fixer.engine.outcome import AppliedChange
from fixer.prove.marks import Language, any_language_of, append_line, language_by_name, language_of, mark
from fixer.text.data import read_toml
from fixer.text.edits import Edit, apply_edits
from fixer.text.globs import Glob, NotFollowedError, whole
from fixer.text.records import dataclass
from fixer.text.source import Position
from fixer.tree.editor import insert_instruction, keyword_like
from fixer.tree.nodes import Copy, From, Instruction, Onbuild, Run, Transfer
from fixer.tree.parse import parse

MARKER = re.compile(r"[A-Za-z][A-Za-z0-9]*\Z")
"""What a marker looks like: it becomes part of identifiers."""
LARGEST = 1024 * 1024
"""Bytes; larger files are data, or made by a program."""
MOST = 12
"""How many files are offered."""


_SHOWN = 200
"""Characters of a path, in a message."""
NO_ROOM = "There is no room left on the disk for a copy of the build context (TMPDIR says where copies go)."


class NoRoom(OSError):
    """The disk with the scratch folder is full: nothing that the user's files or options could mend."""


class SourceTrouble(Exception):
    """A build context that cannot be copied, or a file that cannot be edited. The message is a sentence."""

    def __init__(self, path: str, why: str) -> None:
        shown = path if len(path) <= _SHOWN else f"{path[: _SHOWN // 2]}…{path[-_SHOWN // 2 :]}"
        super().__init__(f"{shown}: {why}")
        self.path = path


# --- the copy ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A copy of a build context. skipped: devices, which only the superuser can make, relative to the context."""

    folder: Path
    context: Path
    ignore: Ignore
    skipped: tuple[str, ...]
    files: int
    size: int
    """Bytes."""

    def remove(self) -> None:
        """Delete the copy, directories that may not be written to included. Does nothing if it is gone."""
        remove_tree(self.folder)


def copy_context(context: Path, to: Path, dockerfile: Path) -> Snapshot:
    """A copy, at the new directory `to`, of what the engine gets from `context` in a build of `dockerfile`: with
    contents, modes, times to the nanosecond and symbolic links as they are. .dockerignore and the Dockerfile are in the
    copy too, if they stand in the context. Raises SourceTrouble and NoRoom, and leaves nothing behind then."""
    if not context.is_dir():
        raise SourceTrouble(str(context), "is not a directory")
    try:
        ignore = read_ignore(context, dockerfile, bounded=False)
    except IgnoreTrouble as trouble:
        raise SourceTrouble(trouble.path, str(trouble).removeprefix(f"{trouble.path}:").strip()) from trouble
    copier = _Copier(context, to, ignore)
    with _told(str(to)):
        os.makedirs(to)
    try:
        copier.run(_always(context, dockerfile))
    except BaseException:
        remove_tree(to)
        raise
    return Snapshot(to, context, ignore, tuple(copier.skipped), copier.files, copier.size)


def remove_tree(folder: Path) -> None:
    """Delete a directory with all that is in it, whatever the modes are and however deep. Does nothing if there is
    none."""
    top = os.fspath(folder)
    waiting = [] if os.path.islink(top) else [top]
    while waiting:
        directory = waiting.pop()
        with contextlib.suppress(OSError):
            os.chmod(directory, 0o700)
            with os.scandir(directory) as entries:
                found = sorted(entries, key=lambda entry: entry.is_dir(follow_symlinks=False))
            for entry in found:  # files first: on a full disk that makes room to rename
                with contextlib.suppress(OSError):
                    if entry.is_dir(follow_symlinks=False):
                        os.chmod(entry.path, 0o700)
                        near = os.path.join(top, f"dockfix-{os.urandom(8).hex()}")
                        os.rename(entry.path, near)  # so that no path gets longer than the system takes
                        waiting.append(near)
                    else:
                        _unlink(entry.path)
            if directory != top:
                os.rmdir(directory)
    with contextlib.suppress(OSError):
        os.rmdir(top)


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except PermissionError:  # Windows keeps what is read-only
        os.chmod(path, 0o700)
        os.unlink(path)


def _always(context: Path, dockerfile: Path) -> list[str]:
    """What the engine reads although .dockerignore may leave it out."""
    names = [".dockerignore"]
    with contextlib.suppress(ValueError, OSError):
        inside = (dockerfile.parent.resolve() / dockerfile.name).relative_to(context.resolve()).as_posix()
        names += [inside, f"{inside}.dockerignore"]
    return names


class _Copier:
    def __init__(self, context: Path, to: Path, ignore: Ignore) -> None:
        self.context = os.fspath(context)
        self.to = os.fspath(to)
        self.ignore = ignore
        self.skipped: list[str] = []
        self.files = 0
        self.size = 0
        self._made: list[str] = []
        """Directories of the copy, parents first."""
        self._known: set[str] = set()

    def run(self, always: Iterable[str]) -> None:
        own = os.stat(self.to)
        self._know("")
        waiting = [""]
        while waiting:
            directory = waiting.pop()
            for entry in self._entries(directory):
                path = f"{directory}/{entry.name}" if directory else entry.name
                if not entry.is_dir(follow_symlinks=False):
                    if not self.ignore.excludes(path):
                        self._copy(path)
                    continue
                if entry.inode() == own.st_ino and os.path.samestat(own, entry.stat(follow_symlinks=False)):
                    continue  # the copy itself, in a context that holds the directory for temporary files
                if not self.ignore.excludes(path):
                    self._make(path)
                    waiting.append(path)
                elif self.ignore.may_hold(path):
                    waiting.append(path)
        for path in always:
            if os.path.lexists(os.path.join(self.context, path)) and not os.path.lexists(os.path.join(self.to, path)):
                self._copy(path)
        for path in reversed(self._made):  # what is made in a directory changes its time
            with _told(path):
                shutil.copystat(os.path.join(self.context, path), os.path.join(self.to, path))

    def _entries(self, directory: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(os.path.join(self.context, directory)) as entries:
                return list(entries)
        except FileNotFoundError:
            return []
        except PermissionError as error:
            if self.ignore.excludes(directory):  # as the engine's client does
                return []
            raise SourceTrouble(directory or self.context, "may not be read") from error
        except OSError as error:
            raise SourceTrouble(directory, _reason(error)) from error

    def _know(self, directory: str) -> None:
        self._known.add(directory)
        self._made.append(directory)

    def _make(self, directory: str) -> None:
        missing = []
        while directory not in self._known:
            missing.append(directory)
            directory = directory.rpartition("/")[0]
        for path in reversed(missing):
            with _told(path):
                os.mkdir(os.path.join(self.to, path))
            self._know(path)

    def _copy(self, path: str) -> None:
        source, target = os.path.join(self.context, path), os.path.join(self.to, path)
        with _told(path), contextlib.suppress(FileNotFoundError):  # it may go away while we look
            status = os.lstat(source)
            if stat.S_ISLNK(status.st_mode):
                link = os.readlink(source)
                self._make(path.rpartition("/")[0])
                os.symlink(link, target)
            elif stat.S_ISREG(status.st_mode):
                with open(source, "rb") as data:
                    self._make(path.rpartition("/")[0])
                    _copy_bytes(data.fileno(), source, target)
                self.files += 1
                self.size += status.st_size
            elif stat.S_ISFIFO(status.st_mode):
                self._make(path.rpartition("/")[0])
                os.mkfifo(target)
            elif stat.S_ISSOCK(status.st_mode):  # the engine's client sends an empty file
                self._make(path.rpartition("/")[0])
                open(target, "xb").close()
            else:
                self.skipped.append(path)
                return
            shutil.copystat(source, target, follow_symlinks=False)


@contextlib.contextmanager
def _told(path: str) -> Iterator[None]:
    """Trouble of the operating system, as a sentence about `path`."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoRoom(error.errno, NO_ROOM) from error
        raise SourceTrouble(path, _reason(error)) from error


def _reason(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "may not be read"
    return f"cannot be copied: {error.strerror}"


def _copy_bytes(source: int, name: str, target: str) -> None:
    """The file's content, shared with the original where the file system can do that."""
    if not hasattr(os, "copy_file_range"):
        shutil.copyfile(name, target)
        return
    with open(target, "xb") as out:
        done = False
        try:
            while os.copy_file_range(source, out.fileno(), 1 << 30):
                done = True
        except OSError as error:
            if error.errno not in (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM):
                raise
        if done:
            return
        os.lseek(source, 0, os.SEEK_SET)
        with open(source, "rb", closefd=False) as data:
            shutil.copyfileobj(data, out, 1 << 20)


def _read(file: Path, most: int = LARGEST) -> bytes | None:
    """The content of a regular file, links followed; None for a larger one, and for what is none: a pipe would wait for
    ever, and a device never ends."""
    if not os.path.isfile(file):
        return None
    try:
        with file.open("rb") as opened:
            data = opened.read(most + 1)
    except OSError:
        return None
    return data if len(data) <= most else None


# --- edits ------------------------------------------------------------------------------------------------------------


class _Edited:
    """A file of the copy that is changed and put back."""

    def __init__(self, file: Path, original: bytes) -> None:
        self._file = file
        self._original = original

    def write(self, data: bytes) -> None:
        """With a new time, as an editor or a checkout does. The mode stays."""
        mode = stat.S_IMODE(self._file.stat().st_mode)
        if not mode & stat.S_IWUSR:
            self._file.chmod(mode | stat.S_IWUSR)
        try:
            self._file.write_bytes(data)
            os.utime(self._file)  # a file of the same bytes too
        finally:
            if not mode & stat.S_IWUSR:
                self._file.chmod(mode)

    @property
    def original(self) -> bytes:
        return self._original

    def revert(self) -> None:
        self.write(self._original)


class SourceEdit:
    """An edit of one source file that must show in the image.

    path: relative to the context, with `/`. language: its name. what: the edit, for people. visible: whether the marker
    can be found in the image; if not, only that something changed can be seen.
    """

    def __init__(self, path: str, file: Path, data: bytes, language: Language) -> None:
        self.path = path
        self.language = language.name
        self.what = language.what
        self.visible = language.visible
        self._language = language
        self._edited = _Edited(file, data)

    def apply(self, marker: str) -> None:
        """Put the marker (letters and digits, a letter first) into the file as it was at first. A second marker takes
        the place of the first. Raises ValueError for another marker, OSError."""
        if not MARKER.match(marker):
            raise ValueError(f"{marker!r} is no marker")
        data = mark(self._language, self._edited.original, marker)
        assert data is not None
        self._edited.write(data)

    def revert(self) -> None:
        """The bytes that the file had, with a new time."""
        self._edited.revert()

    def __repr__(self) -> str:
        return f"<SourceEdit {self.path} ({self.language})>"


class DependencyEdit:
    """A change of a manifest that means nothing, but makes the steps that read the file run again.

    path: relative to the context. what: the same, for people.
    """

    def __init__(self, path: str, file: Path, data: bytes, form: str) -> None:
        self.path = path
        self.what = path
        self._form = form
        self._edited = _Edited(file, data)

    def apply(self, n: int) -> None:
        """Each number (from 0) gives other bytes."""
        line = self._form.replace("@", f"dockfix verify {n}") if self._form else " " * (n + 1)
        self._edited.write(append_line(self._edited.original, line))

    def revert(self) -> None:
        self._edited.revert()

    def __repr__(self) -> str:
        return f"<DependencyEdit {self.path}>"


# --- what the instructions take from the context ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Use:
    """What one instruction takes from the context. index: its place in the stage, -1 for an ONBUILD of the base."""

    stage: Stage
    index: int
    run: Run | None
    """For a bind mount."""
    takes: Ignore
    """Patterns; what they "exclude" is taken."""
    leaves: Ignore
    """What `--exclude` leaves out of it."""
    everything: bool
    named: frozenset[str]
    """The sources, where they are plain."""

    def covers(self, path: str) -> bool:
        return (self.everything or self.takes.excludes(path)) and not self.leaves.excludes(path)


_NOTHING = Ignore("", ())


def _use(stage: Stage, index: int, run: Run | None, sources: Sequence[str], leaves: Sequence[str] = ()) -> _Use:
    clean = [posixpath.normpath(f"/{source}").lstrip("/") for source in sources]
    patterns = "\n".join(path for path in clean if path)
    return _Use(
        stage, index, run, _patterns(patterns), _patterns("\n".join(leaves)), "" in clean, frozenset(clean)
    )  # fmt: skip


def _patterns(text: str) -> Ignore:
    try:
        return parse_ignore(text.encode("utf-8", "surrogateescape"), bounded=False) if text else _NOTHING
    except IgnoreTrouble:
        return _NOTHING


class _Uses:
    """Who takes what from the context, in the stages that are built."""

    def __init__(self, facts: Facts, changes: Sequence[AppliedChange], targets: Sequence[str]) -> None:
        self.facts = facts
        self.goals = _goals(facts, targets)
        self.shipped = {each.index for goal in self.goals for each in goal.lineage}
        self.stages = _needed(facts, self.goals)
        self.changed = _changed(facts, [change.position for change in changes])
        self.uses = [use for stage in self.stages for use in self._of_stage(stage)]
        self._grades: dict[tuple[int, str], int] = {}

    def _of_stage(self, stage: Stage) -> Iterator[_Use]:
        for index, instruction in [
            *((-1, trigger.inner) for trigger in stage.triggers), *enumerate(stage.instructions)
        ]:  # fmt: skip
            if isinstance(instruction, Transfer) and self.facts.copied_from(instruction) is None:
                sources = self._sources(instruction)
                if sources:
                    leaves = [flag.value or "" for flag in instruction.flags if flag.name == "exclude"]
                    yield _use(stage, index, None, sources, leaves)
            elif isinstance(instruction, Run):
                for mount in self.facts.mounts(instruction):
                    if mount.type == "bind" and mount.from_ is None and isinstance(mount.source, Known):
                        yield _use(stage, index, instruction, [mount.source.value])

    def _sources(self, transfer: Transfer) -> list[str]:
        state = self.facts.state(transfer)
        escape = self.facts.file.escape
        if transfer.form is not None:
            texts = [item.value for item in transfer.form.items[:-1]]
        else:
            bodies = {f"<<{heredoc.name}" for heredoc in transfer.heredocs}
            texts = [leaf.value for leaf in transfer.sources]
            texts = [text for text in texts if text.replace("-", "", 1).replace('"', "").replace("'", "") not in bodies]
        found = []
        for text in texts:
            if "://" in text or text.startswith("git@"):
                continue
            value: Value = state.expand(text, escape)
            # Of a name with a variable nobody knows, the builds will tell.
            found.append(value.value if isinstance(value, Known) else text.partition("$")[0].rpartition("/")[0])
        return found

    def of(self, path: str) -> list[_Use]:
        return [use for use in self.uses if use.covers(path)]

    def readers(self, use: _Use) -> Iterator[Run]:
        """The RUNs that may read what the instruction took."""
        if use.run is not None:
            yield use.run
            return
        for instruction in use.stage.instructions[use.index + 1 :]:
            if isinstance(instruction, Run):
                yield instruction
        for stage in self.stages:
            if stage is not use.stage and use.stage in stage.lineage:
                yield from (instruction for instruction in stage.instructions if isinstance(instruction, Run))

    def programs(self, run: Run) -> frozenset[str]:
        """The names of what a RUN starts; of a script that is not understood, all its words."""
        calls = self.facts.calls(run)
        if isinstance(calls, tuple):
            return frozenset(call.program for call in calls if call.program is not None)
        return frozenset(re.findall(r"[\w.+-]+", run.code))

    def grade(self, use: _Use, language: str) -> int:
        """How surely an edit of a file that is taken so shows, and shows what the changes do. 0: a changed RUN makes
        something of it; 1: some RUN does; 2: it is in the image as it is; 3: neither is known."""
        key = (id(use), language)
        if key not in self._grades:
            changed = {id(instruction) for _, instruction in self.changed}
            best = 2 if use.run is None and use.stage.index in self.shipped else 3
            for run in self.readers(use):
                if any(_makes(program, language) for program in self.programs(run)):
                    best = min(best, 0 if id(run) in changed else 1)
            self._grades[key] = best
        return self._grades[key]


def _makes(program: str, language: str) -> bool:
    """Whether the program is one of the language's tools, or a script that may start a compiler."""
    return language in _TOOLS.get(program, _COMPILED if program.endswith(".sh") else ())


def _goals(facts: Facts, targets: Sequence[str]) -> list[Stage]:
    """The last stage, and those that are asked for."""
    wanted = {target.lower() for target in targets if target}
    found = [stage for stage in facts.stages if stage.last or stage.name in wanted or str(stage.index) in wanted]
    return list(reversed(found))


def _needed(facts: Facts, goals: Sequence[Stage]) -> list[Stage]:
    """The stages that a build of the goals goes through, in the order of the text."""
    found: dict[int, Stage] = {}
    waiting = list(goals)
    while waiting:
        stage = waiting.pop()
        if stage.index in found:
            continue
        found[stage.index] = stage
        if isinstance(stage.base, Stage):
            waiting.append(stage.base)
        for instruction in (*stage.instructions, *(trigger.inner for trigger in stage.triggers)):
            source: object = None
            if isinstance(instruction, Copy):
                source = facts.copied_from(instruction)
                waiting += [source] if isinstance(source, Stage) else []
            elif isinstance(instruction, Run):
                waiting += [mount.stage for mount in facts.mounts(instruction) if isinstance(mount.stage, Stage)]
    return [found[index] for index in sorted(found)]


def _changed(facts: Facts, places: Iterable[Position]) -> list[tuple[Stage, Instruction]]:
    """The instructions of stages at those places, in the order of the text."""
    file = facts.file
    found: dict[int, tuple[Stage, Instruction]] = {}
    for place in places:
        if place.line > len(file.lines):
            continue
        offset = file.lines.line_start(place.line) + place.column - 1
        for instruction in file.instructions:
            if instruction.keyword.start <= offset < instruction.span.end:
                stage = facts.stage_of(instruction)
                if stage is not None:
                    found[instruction.keyword.start] = (stage, instruction)
    return [found[start] for start in sorted(found)]


# --- candidates -------------------------------------------------------------------------------------------------------

_COMPILED = ("Rust", "Go", "C", "Java")
_WEB = ("JavaScript", "HTML", "CSS")
_TOOLS = {
    program: frozenset(languages)
    for programs, languages in (
        ("cargo rustc cross trunk wasm-pack", ("Rust",)),
        ("pip pip3 python python3 uv poetry pipenv pdm hatch conda mamba micromamba pyinstaller nuitka3 maturin",
         ("Python", "Rust", "C")),
        ("npm npx yarn pnpm bun bunx node vite webpack tsc esbuild next turbo nx ng deno", _WEB),
        ("go", ("Go",)),
        ("gcc g++ cc c++ clang clang++ cmake ninja meson", ("C",)),
        ("mvn mvnw gradle gradlew javac kotlinc sbt dotnet", ("Java",)),
        ("bundle gem rake rails ruby", ("Ruby",)),
        ("composer php", ("PHP",)),
        ("perl cpanm", ("Perl",)),
        ("make just task bazel bazelisk earthly", _COMPILED),
    )
    for program in programs.split()
}  # fmt: skip
_NO_SOURCES = frozenset(
    ("test", "tests", "testing", "testdata", "test_data", "__tests__", "__mocks__", "spec", "specs", "e2e", "fixtures",
     "example", "examples", "bench", "benches", "benchmarks", "vendor", "vendored", "third_party",
     "thirdparty", "node_modules", "bower_components", "site-packages", "venv", "target", "dist", "__pycache__", "fuzz",
     "generated", "gen", "__generated__", "coverage", "Pods", "_build")
)  # fmt: skip
"""Directories whose files are not the project's own, or reach no image."""
_NO_SOURCE = re.compile(
    r"""(?ix) (?:^|[._-]) (?:test|tests|spec|mock|stories|min|bundle|generated|pb|pb2|pb2_grpc|g|lock|config) \.\w+\Z
    | ^test_ | ^readme | ^licen[cs]e | ^changelog | ^contributing | ^notice
    | ^(?:conftest\.py|setup\.(?:py|cfg)|build\.rs|package-lock|pnpm-lock|yarn\.lock|.*[.-]lock\.\w+|.*\.lock
      |.*\.d\.[mc]?ts|.*shrinkwrap.*|go\.(?:mod|sum)|module-info\.java|package-info\.java|requirements[^/]*|pyproject\.toml
      |cargo\.toml|pipfile|gemfile|pom\.xml|docker-?compose.*|compose\.ya?ml|dockerfile.*|.*\.dockerfile|makefile
      |constraints[^/]*|tsconfig.*|skaffold.*
      |rust-toolchain.*|clippy\.toml|rustfmt\.toml|deny\.toml|environment\.ya?ml)\Z"""
)
_MADE = re.compile(rb"@generated|DO NOT EDIT|automatically generated|auto-generated by|autogenerated", re.IGNORECASE)
_ENTRY = re.compile(r"^(?:main|app|index|server|__main__|wsgi|asgi|lib|cli|__init__|application)\.")


def candidates(
    facts: Facts,
    snapshot: Snapshot,
    touch: str | None = None,
    *,
    changes: Sequence[AppliedChange] = (),
    targets: Sequence[str] = (),
) -> list[SourceEdit]:
    """The files that, if edited, should change the images of the last stage and the targets; the surest first.

    facts: of the original Dockerfile. touch: the one file to take, relative to the context (or absolute, in it).
    changes: what the fix changes; a file that a changed RUN reads is best. Raises SourceTrouble for a `touch` that is
    not there, not in the context, left out by .dockerignore or not to be edited.
    """
    if touch is not None:
        return [_touched(snapshot, touch)]
    uses = _Uses(facts, changes, targets)
    words = frozenset(re.findall(r"[\w-]+", facts.file.text))
    files = list(_files(snapshot.folder)) if uses.uses else []
    rust = _rust_files(snapshot.folder, [path for path in files if posixpath.basename(path) == "Cargo.toml"], words)
    found = []
    for path in files:
        language = language_by_name(path)
        name = posixpath.basename(path)
        if (language is None and "." in name) or not _is_source(path):
            continue
        label = language.name if language is not None else "shell"
        if label == "Rust" and rust and path not in rust:
            continue
        grade = min((uses.grade(use, label) for use in uses.of(path)), default=None)
        if grade is None:
            continue
        rank = language.rank if language is not None else _UNNAMED_RANK
        known = name in words or name.rpartition(".")[0] in words
        found.append((grade, rank, rust.get(path, 0), not _ENTRY.match(name), not known, path.count("/"), path))
    found.sort()
    return _chosen(snapshot.folder, [path for *_, path in found])


_UNNAMED_RANK = 8
"""Of a file without an extension, which may be a script."""


def _files(folder: Path) -> Iterator[str]:
    """The regular files of the copy, relative to it, without those in hidden directories and in those of packages."""
    waiting = [""]
    while waiting:
        directory = waiting.pop()
        shown: list[os.DirEntry[str]] = []
        with contextlib.suppress(OSError), os.scandir(folder / directory) as entries:
            shown = sorted((entry for entry in entries if entry.name[0] != "."), key=lambda entry: entry.name)
        inner = []
        for entry in shown:
            path = f"{directory}/{entry.name}" if directory else entry.name
            if entry.is_file(follow_symlinks=False):
                yield path
            elif entry.is_dir(follow_symlinks=False) and not _holds_no_sources(entry.name):
                inner.append(path)
        waiting.extend(reversed(inner))


def _holds_no_sources(directory: str) -> bool:
    return directory in _NO_SOURCES or directory.endswith(".egg-info")


def _is_source(path: str) -> bool:
    return not _NO_SOURCE.search(posixpath.basename(path))


def _chosen(folder: Path, paths: Sequence[str]) -> list[SourceEdit]:
    """Edits of the files that take one; after two of a language, the best of another one gets its turn."""
    found: list[SourceEdit] = []
    for path in paths:
        edit = _edit_of(folder, path)
        if edit is not None:
            found.append(edit)
            if len(found) == MOST:
                break
    first: list[SourceEdit] = []
    later: list[SourceEdit] = []
    for edit in found:
        same = sum(other.language == edit.language for other in first)
        (first if same < 2 else later).append(edit)
    return first + later


def _edit_of(folder: Path, path: str) -> SourceEdit | None:
    data = _read(folder / path)
    language = language_of(path, data) if data else None
    if not data or language is None or _MADE.search(data, 0, 2000):
        return None
    return SourceEdit(path, folder / path, data, language)


def _touched(snapshot: Snapshot, touch: str) -> SourceEdit:
    asked = Path(touch)
    if asked.is_absolute():
        try:
            path = (asked.parent.resolve() / asked.name).relative_to(snapshot.context.resolve()).as_posix()
        except ValueError:
            raise SourceTrouble(touch, "is not in the build context") from None
    else:
        path = posixpath.normpath(asked.as_posix())
    if path.startswith("../") or path in (".", ".."):
        raise SourceTrouble(touch, "is not a file in the build context")
    file = snapshot.folder / path
    if not (snapshot.context / path).is_file():
        raise SourceTrouble(touch, f"there is no such file in the build context {snapshot.context}")
    if snapshot.ignore.excludes(path) or not file.is_file():
        raise SourceTrouble(touch, f"is left out of the build context by {snapshot.ignore.path or 'a link'}")
    if not file.resolve().is_relative_to(snapshot.folder.resolve()):
        raise SourceTrouble(touch, "is a link that leads out of the build context")
    data = _read(file, READABLE)
    if data is None:
        raise SourceTrouble(touch, f"cannot be read, or is larger than {READABLE:,} bytes")
    language = any_language_of(path, data)
    if language is None:
        raise SourceTrouble(touch, "is not a text file, so that no edit of it is known that keeps it valid")
    return SourceEdit(path, file, data, language)


# --- cargo ------------------------------------------------------------------------------------------------------------


def _rust_files(folder: Path, manifests: Sequence[str], words: frozenset[str]) -> dict[str, int]:
    """Where the crates' programs and libraries begin, each with how unlikely it is that it is shipped: 0 for a program
    that the Dockerfile names, 1 for another one, 2 for a library that is linked into something else, 3 for a crate
    outside of the workspace, 4 for a library of Rust alone."""
    found: dict[str, int] = {}
    read = {path: _toml(folder / path) for path in manifests}
    members = _members(read)
    for path, manifest in read.items():
        package = manifest.get("package")
        if not isinstance(package, dict):
            continue
        home = posixpath.dirname(path)
        programs = _programs(folder, home, manifest)
        for source, name in programs.items():
            outside = members is not None and home not in members
            rank = 3 if outside else 0 if name in words else 1
            found[source] = min(rank, found.get(source, rank))
        library = manifest.get("lib")
        library = library if isinstance(library, dict) else {}
        source = _joined(home, library.get("path", "src/lib.rs"))
        if not programs and os.path.isfile(folder / source):
            kinds = library.get("crate-type", library.get("crate_type", []))
            linked = isinstance(kinds, list) and bool({"cdylib", "staticlib", "dylib"} & {str(kind) for kind in kinds})
            found.setdefault(source, 2 if linked else 4)
    return found


def _programs(folder: Path, home: str, manifest: dict[str, Any]) -> dict[str, str]:
    """The files with the `main` of a package's programs, and the programs' names."""
    package = manifest["package"]
    name = str(package.get("name", ""))
    found: dict[str, str] = {}
    if package.get("autobins", True):
        found[_joined(home, "src/main.rs")] = name
        for source in sorted((folder / home / "src/bin").glob("*.rs")):
            found[_joined(home, f"src/bin/{source.name}")] = source.stem
        for source in sorted((folder / home / "src/bin").glob("*/main.rs")):
            found[_joined(home, f"src/bin/{source.parent.name}/main.rs")] = source.parent.name
    programs = manifest.get("bin", [])
    for program in programs if isinstance(programs, list) else []:
        if isinstance(program, dict):
            own = str(program.get("name", name))
            paths = [program["path"]] if "path" in program else [
                f"src/bin/{own}.rs", f"src/bin/{own}/main.rs", *(["src/main.rs"] if own == name else [])
            ]  # fmt: skip
            for path in paths:
                found[_joined(home, path)] = own
    return {path: own for path, own in found.items() if os.path.isfile(folder / path)}


def _members(manifests: dict[str, dict[str, Any]]) -> set[str] | None:
    """The directories of the packages in the workspace of the topmost manifest; None without one."""
    for path in sorted(manifests, key=lambda path: (path.count("/"), path)):
        workspace = manifests[path].get("workspace")
        if isinstance(workspace, dict):
            home = posixpath.dirname(path)
            members = workspace.get("members", [])
            globs = list(_globs(_joined(home, member) for member in (members if isinstance(members, list) else [])))
            return {
                own
                for own in map(posixpath.dirname, manifests)
                if own == home or any(glob.matches(own) for glob in globs)
            }
    return None


def _globs(patterns: Iterable[str]) -> Iterator[Glob]:
    """Those that can be followed; what the others match is no member, as far as we know."""
    for pattern in patterns:
        with contextlib.suppress(NotFollowedError):
            yield whole(_regex(pattern))


def _regex(pattern: str) -> str:
    return re.escape(pattern).replace(r"\*\*", ".*").replace(r"\*", "[^/]*").replace(r"\?", "[^/]")


def _joined(home: str, path: object) -> str:
    return posixpath.normpath(posixpath.join(home, str(path)))


def _toml(file: Path) -> dict[str, Any]:
    try:
        return read_toml((_read(file) or b"").decode("utf-8"))
    except ValueError:
        return {}


# --- dependencies -----------------------------------------------------------------------------------------------------

_HASH, _SLASHES, _XML, _BLANKS = "# @", "// @", "<!-- @ -->", ""
_MANIFESTS = (
    (("cargo", "cross", "trunk"), (("Cargo.toml", _HASH),)),
    (("pip", "pip3", "python", "python3", "uv", "pipenv", "poetry", "pdm", "hatch", "maturin"),
     (("requirements*.txt", _HASH), ("requirements/*.txt", _HASH), ("*requirements.txt", _HASH),
      ("pyproject.toml", _HASH), ("Pipfile", _HASH), ("setup.cfg", _HASH), ("setup.py", _HASH))),
    (("conda", "mamba", "micromamba"), (("environment*.yml", _HASH), ("environment*.yaml", _HASH))),
    (("npm", "npx", "yarn", "pnpm", "bun", "node"), (("package.json", _BLANKS),)),
    (("go",), (("go.mod", _SLASHES),)),
    (("bundle", "gem"), (("Gemfile", _HASH),)),
    (("composer",), (("composer.json", _BLANKS),)),
    (("mvn", "mvnw"), (("pom.xml", _XML),)),
    (("gradle", "gradlew"), (("build.gradle", _SLASHES), ("build.gradle.kts", _SLASHES))),
    (("dotnet",), (("*.csproj", _XML), ("*.fsproj", _XML), ("Directory.Packages.props", _XML))),
    (("mix",), (("mix.exs", _HASH),)),
)  # fmt: skip
"""Which programs read which manifests, and what a line in one looks like that means nothing. Lock files are not among
them: what is locked is compared with them."""


def dependency_edit(
    facts: Facts, snapshot: Snapshot, changes: Sequence[AppliedChange] = (), targets: Sequence[str] = ()
) -> DependencyEdit | None:
    """A manifest that comes into a stage before a RUN that installs or builds from it, so that an edit of it makes that
    RUN work again. The best is one that a changed RUN reads and that is copied by its name, near the context's root.
    None if there is none."""
    uses = _Uses(facts, changes, targets)
    changed = {id(instruction) for _, instruction in uses.changed}
    best: dict[str, tuple[tuple[object, ...], str]] = {}
    for path in _files(snapshot.folder) if uses.uses else ():
        forms = _forms(path)
        if not forms:
            continue
        for use in uses.of(path):
            for run in uses.readers(use):
                programs = uses.programs(run)
                for own, form, order in forms:
                    if not programs.intersection(own):
                        continue
                    said = posixpath.basename(path) in run.code
                    key = (id(run) not in changed, not said, path not in use.named, path.count("/"), order, path)
                    if path not in best or key < best[path][0]:
                        best[path] = (key, form)
    for path, (_, form) in sorted(best.items(), key=lambda item: item[1]):
        data = _read(snapshot.folder / path)
        if data is not None:
            return DependencyEdit(path, snapshot.folder / path, data, form)
    return None


def _forms(path: str) -> list[tuple[tuple[str, ...], str, int]]:
    """Who reads the file, and the form of a line for it."""
    return [
        (programs, form, order)
        for programs, manifests in _MANIFESTS
        for order, (pattern, form) in enumerate(manifests)
        if re.search(f"(?:^|/){_regex(pattern)}$", path)
    ]


def rerun_text(text: str, places: Iterable[Position], n: int) -> str:
    """The Dockerfile with a line `ARG DOCKFIX_VERIFY=n` above the first of the instructions at `places` in each stage,
    so that it and what follows it run again for every other `n`. Nothing else changes.

    places: `position` of the changes for the original, `position_after` for the fixed one. A place outside of stages is
    left out; without one that helps, the text comes back as it was.
    """
    file = parse(text)
    facts = analyse(file, bounded=False)
    edits: dict[int, Edit] = {}
    for stage, instruction in _changed(facts, places):
        if stage.index in edits:
            continue
        at = 0 if isinstance(instruction, From) else facts.index_of(instruction)
        behind = [one for one in stage.instructions[at:] if not isinstance(one, Onbuild)]
        if behind:
            line = f"{keyword_like(file, 'ARG')} DOCKFIX_VERIFY={n}"
            edits[stage.index] = insert_instruction(file, behind[0], line)
    return apply_edits(text, edits.values())
