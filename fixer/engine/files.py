"""Files: find Dockerfiles, read them, write them. All trouble is a `FileTrouble` with a `Problem`."""

from __future__ import annotations

import contextlib
import os
import re
import stat
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from fixer.engine.config import NAMES, PYPROJECT
from fixer.engine.kinds import DOCKERFILE, IGNORE, IGNORE_NAME, WORKFLOW, is_in_place, kind_of
from fixer.engine.outcome import Problem
from fixer.engine.project import repository_root
from fixer.engine.vendored import vendored_by
from fixer.text.records import dataclass
from fixer.text.regex import regex

if TYPE_CHECKING:
    from fixer.text.globs import Glob

MAX_SIZE = 16 * 1024 * 1024
"""Bytes. BuildKit receives a Dockerfile in one message of at most 16,777,216 bytes and fails above it (shown with a
file of 20 MB on v0.25)."""


class FileTrouble(Exception):
    """A file that cannot be read or written."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.problem = Problem(kind, message)


class Target(NamedTuple):
    """A file to work on, or something that was named and is none."""

    path: str
    """As it was given or found."""
    names: tuple[str, ...] = ()
    """All names of a file with hard links that were found, real paths; empty for a file with one name."""
    problem: Problem | None = None
    """Why there is no file to work on."""
    missing: bool = False
    """True for a file that is not there, and may be made."""


# --- find ----------------------------------------------------------------------------------------------------------


def is_dockerfile_name(name: str) -> bool:
    """Dockerfile, Dockerfile.*, *.Dockerfile, *.dockerfile and the same with Containerfile; in lower case only as a
    whole name. An ignore file is none."""
    if name.endswith((".dockerignore", ".containerignore")):
        return False
    if name in ("dockerfile", "containerfile"):
        return True
    return name.startswith(("Dockerfile.", "Containerfile.")) or name.endswith(
        (".Dockerfile", ".dockerfile", ".Containerfile", ".containerfile")
    ) or name in ("Dockerfile", "Containerfile")


def read_list(data: bytes) -> dict[str, int]:
    """The paths in a list of files, each with the number of its line (from 1): one a line, or ended by NUL where there
    is a NUL, as `find -print0` and `git ls-files -z` write them. Empty lines do not count."""
    if b"\0" in data:
        rows = data.split(b"\0")
    else:
        rows = [row.removesuffix(b"\r") for row in data.removeprefix(b"\xef\xbb\xbf").split(b"\n")]
    found: dict[str, int] = {}
    for number, row in enumerate(rows, 1):
        if row:
            found.setdefault(os.fsdecode(row), number)
    return found


def find(
    paths: Iterable[str],
    *,
    sweep: bool = False,
    lines: Mapping[str, int] | None = None,
    kinds: Collection[str] = (),
    around: Collection[str] = (),
    contexts: Collection[str] = (),
    kinds_at: Callable[[str], Collection[str]] | None = None,
) -> Iterator[Target | None]:
    """The Dockerfiles at and below `paths`, in the order of their paths, as the search goes on. A file that is named is
    always taken, whatever it is called; a directory is walked, without what Git ignores (.gitignore files, also of
    directories above inside the same repository, and .git/info/exclude). Symbolic links are followed to files inside
    the directory only. Each file is given once, however many ways lead to it; those with hard links come last, because
    all their names must be known.

    None is given after every directory in which nothing was found, so that whoever asks can do something else.
    sweep: remove what killed runs left behind. lines: numbers of the lines in which paths were listed, for messages.
    kinds: other kinds of documents that are looked for in directories: GitHub workflows, and .dockerignore files, also
    where one is missing beside a Dockerfile or in a repository's root. around: those of these kinds that are given for
    every path, wherever they are in its repository, and beside Dockerfiles that are named. contexts: build contexts
    whose .dockerignore is given, too, if such are looked for. kinds_at: those that are looked for at and below a
    directory with a configuration of its own.
    """
    search = _Search(lines or {}, sweep, kinds, kinds_at)
    named = sorted((f"{path}/" if os.path.isdir(path) else path, path) for path in dict.fromkeys(paths))
    files = [path for key, path in named if key == path]
    for key, path in named:
        yield from search.file(path) if key == path else search.directory(path, files)
    for key, path in named if around else ():
        yield from search.around(path if key != path else os.path.dirname(path) or os.curdir, around)
    for directory in contexts if IGNORE in kinds else ():
        yield from search.ignore_file(directory)
    for names in search.linked.values():
        yield Target(next(iter(names.values())), tuple(names))


_KindsAt: TypeAlias = "Callable[[str], Collection[str]] | None"
_CONFIGURATIONS = frozenset((*NAMES, PYPROJECT))


class _Search:
    """What was found so far."""

    __slots__ = ("_files_at", "_kinds", "_kinds_at", "_lines", "_seen", "_sweep", "linked")

    def __init__(self, lines: Mapping[str, int], sweep: bool, kinds: Collection[str], kinds_at: _KindsAt) -> None:
        self._kinds = kinds
        self._kinds_at = kinds_at
        self._lines = lines
        self._sweep = sweep
        self._seen: set[str] = set()
        """Real paths. Numbers of inodes are not to be relied on everywhere, and a file must not be passed over."""
        self._files_at: list[str] | None = None
        self.linked: dict[tuple[int, int], dict[str, str]] = {}
        """Files with hard links: their real paths, each with the path by which it was found."""

    def file(self, path: str) -> Iterator[Target]:
        try:
            status = os.stat(path)
        except OSError as error:
            yield self._trouble(path, _os_problem(error))
        else:
            yield from self._take(path, os.path.realpath(path), status)

    def directory(self, path: str, files: Sequence[str]) -> Iterator[Target | None]:
        """files: the files that were named, which count as found here."""
        empty = True
        for found in _walk(path, self._sweep, self._kinds, kinds_at=self._kinds_at):
            if found is None:
                yield None
                continue
            if isinstance(found, Target):
                empty = empty and found.missing
                yield from self._missing(found) if found.missing else (found,)
                continue
            empty = False
            file, real = found
            try:
                yield from self._take(file, real, os.stat(real))
            except OSError as error:  # it has gone meanwhile, or nobody may look at it
                yield Target(file, problem=_os_problem(error))
        for file in _used_actions(path) if WORKFLOW in self._kinds else ():
            empty = False
            yield from self.file(file)
        if empty and not self._has_any(path, files):
            yield self._trouble(path, Problem("no-dockerfiles", "no Dockerfiles in this directory."))

    def around(self, directory: str, kinds: Collection[str]) -> Iterator[Target]:
        """Documents of the directory, and of the root of its repository."""
        root = repository_root(os.path.realpath(directory))
        above = None if root is None else _relative_to(root, directory)
        for place in dict.fromkeys(place for place in (directory, above) if place is not None):
            if IGNORE in kinds:
                yield from self.ignore_file(place)
        if WORKFLOW in kinds and above is not None:
            for path in (*repository_workflows(above), *_used_actions(above, above)):
                yield from self.file(path)

    def ignore_file(self, directory: str) -> Iterator[Target]:
        path = _join(directory, IGNORE_NAME)
        yield from self.file(path) if os.path.lexists(path) else self._missing(Target(path, missing=True))

    def _missing(self, target: Target) -> Iterator[Target]:
        real = os.path.realpath(target.path)
        if real not in self._seen:
            self._seen.add(real)
            yield target

    def _take(self, path: str, real: str, status: os.stat_result) -> Iterator[Target]:
        if real in self._seen:
            return
        self._seen.add(real)
        if status.st_nlink > 1 and stat.S_ISREG(status.st_mode):
            self.linked.setdefault((status.st_dev, status.st_ino), {})[real] = path
        else:
            yield Target(path)

    def _has_any(self, directory: str, files: Sequence[str]) -> bool:
        if self._files_at is None:
            self._files_at = sorted(os.path.realpath(path) for path in files)
        inside = os.path.join(os.path.realpath(directory), "")
        at = bisect_left(self._files_at, inside)
        return at < len(self._files_at) and self._files_at[at].startswith(inside)

    def _trouble(self, path: str, problem: Problem) -> Target:
        line = self._lines.get(path)
        if line is not None:
            problem = Problem(problem.kind, f"{problem.message.removesuffix('.')} (line {line} of the list).")
        return Target(path, problem=problem)


class _Level(NamedTuple):
    """A directory that is being walked."""

    directory: str
    absolute: str
    real: str
    """Without symbolic links."""
    rules: tuple[_Rules, ...]
    """Of all directories above it and its own."""
    entries: Iterator[os.DirEntry[str]]
    kinds: Collection[str]


def places_around(path: str, kinds: Collection[str]) -> list[str]:
    """The directory, outside of that of the real `path`, in which documents of these kinds are that are given around it
    (see `find`); none or one."""
    root = repository_root(path if os.path.isdir(path) else os.path.dirname(path)) if kinds else None
    if root is None or not (IGNORE in kinds or os.path.isdir(os.path.join(root, ".github"))):
        return []
    return [root]


def _relative_to(root: str, directory: str) -> str:
    """The repository's root as somebody would write it who wrote `directory`."""
    if os.path.isabs(directory):
        return root
    return os.path.relpath(root, os.path.realpath(os.curdir))


def repository_workflows(root: str) -> list[str]:
    """The workflows of a repository, and its own actions, in the order of their paths."""
    found = []
    for folder in ("workflows", "actions"):
        for directory, inner, names in os.walk(_join(root, os.path.join(".github", folder))):
            inner.sort()
            found += [path for name in names if is_in_place(path := os.path.join(directory, name))]
    return sorted(found)


def _used_actions(top: str, root: str | None = None) -> Iterator[str]:
    """The actions of a repository's own that its workflows use and that lie elsewhere than where GitHub's files do, at
    and below a directory."""
    real = os.path.realpath(top)
    root = repository_root(real) if root is None else root
    if root is None or not os.path.isdir(os.path.join(root, ".github", "workflows")):
        return
    from fixer.engine.workflows import used_actions  # reads YAML

    for name in used_actions(os.path.realpath(root)):
        path = os.path.relpath(os.path.join(os.path.realpath(root), name), real)
        if not path.startswith(os.pardir):
            yield _join(top, path)


_LIKE_DOCKERFILES = regex(r"(?:.*[-_.])?(?:docker|container)file(?:[-_.].*)?", re.IGNORECASE | re.DOTALL)
_COMPOSE = regex(r"(?:docker-)?compose(?:[-_.].*)?\.ya?ml", re.DOTALL)
_BAKE = regex(r"docker-bake(?:\..*)?\.(?:json|hcl)", re.DOTALL)
_OTHERS = frozenset(
    (
        *("devcontainer.json", ".devcontainer.json", "skaffold.yaml", "skaffold.yml", ".gitlab-ci.yml"),
        *("Makefile", "makefile", "GNUmakefile", "justfile", "Justfile", ".justfile", "Jenkinsfile", "Rakefile"),
        *("Taskfile.yml", "Taskfile.yaml", "Taskfile.dist.yml", "Tiltfile", "package.json", "README.md"),
        *(".travis.yml", ".drone.yml", ".woodpecker.yml", "appveyor.yml", "azure-pipelines.yml"),
        *("bitbucket-pipelines.yml", "buildspec.yml", "cloudbuild.yaml", "cloudbuild.yml", "cloudbuild.json"),
    )
)
_SCRIPTS = (".sh", ".bash", ".mk", ".just", ".ps1")
_FOLDERS = (".circleci", ".buildkite", ".woodpecker")
"""Those of services that build, whose files may have any name."""


class Survey(NamedTuple):
    """What stands at and below a directory, without what Git ignores; paths in order."""

    dockerfiles: tuple[str, ...]
    alike: tuple[str, ...]
    """Called as Dockerfiles are that no search takes for ones: `Dockerfile-prod`."""
    compose: tuple[str, ...]
    bake: tuple[str, ...]
    others: tuple[str, ...]
    """Other files that may say what is built."""
    odd: tuple[str, ...]
    """Files without an ending: only their text tells whether they are Dockerfiles."""


def survey(top: str) -> Survey:
    """The Dockerfiles and what may be some, and the files that may say what is built of them."""
    found: tuple[list[str], ...] = ([], [], [], [], [], [])

    def wanted(name: str, directory: str, kinds: Collection[str]) -> bool:
        return _place_of(name, directory) is not None

    for one in _walk(top, False, (), wanted):
        place = None if one is None or isinstance(one, Target) else _place_of(*os.path.split(one[0])[::-1])
        if place is not None and one is not None:
            found[place].append(one[0])
    return Survey(*map(tuple, found))


def _place_of(name: str, directory: str) -> int | None:
    """Where in a `Survey` a file of that name stands, if at all."""
    if name in _OTHERS:
        return 4
    if name.endswith((".yml", ".yaml", ".json", ".hcl")):
        if _COMPOSE.fullmatch(name):
            return 2
        if _BAKE.fullmatch(name):
            return 3
        if directory.endswith(_FOLDERS):
            return 4
    if name.endswith((".dockerignore", ".containerignore")):
        return None
    if not _LIKE_DOCKERFILES.fullmatch(name):
        if name.endswith(_SCRIPTS):
            return 4
        return 5 if "." not in name or name.endswith(".docker") else None
    return 0 if is_dockerfile_name(name) else 1


def begins_like_dockerfile(path: str) -> bool:
    """Whether the first instruction is FROM, with nothing but ARGs before it."""
    try:
        with open(path, "rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return False
    return not head.startswith(b"#!") and _FROM.match(head) is not None


_HEAD = 4096
_FROM = regex(rb"(?:\xef\xbb\xbf)?(?:[ \t]*(?:#[^\n]*|ARG[ \t][^\n]*)?\r?\n)*[ \t]*FROM[ \t]+\S", re.IGNORECASE)


def _is_wanted(name: str, directory: str, kinds: Collection[str]) -> bool:
    """Whether a file in that absolute directory is a Dockerfile, or of one of the kinds."""
    if is_dockerfile_name(name):
        return True
    if not kinds or not name.endswith((IGNORE_NAME, ".yml", ".yaml")):
        return False
    kind = kind_of(f"{directory}/{name}")
    return kind != DOCKERFILE and kind in kinds and (kind != WORKFLOW or is_in_place(f"{directory}/{name}"))


def _walk(
    top: str,
    sweep: bool,
    kinds: Collection[str],
    wanted: Callable[[str, str, Collection[str]], bool] = _is_wanted,
    kinds_at: _KindsAt = None,
) -> Iterator[tuple[str, str] | Target | None]:
    """Paths and real paths of Dockerfiles, and of other documents, in their order, without recursion; None for every
    directory, or what is wrong with it, or what is missing in it."""
    real_top = os.path.realpath(top)
    inside = os.path.join(real_top, "")
    stack: list[_Level] = []
    yield _enter(stack, top, os.path.abspath(top), real_top, _rules_above(top), sweep, kinds, None)
    while stack:
        directory, absolute, real, rules, entries, kinds = stack[-1]
        for entry in entries:
            name = entry.name
            if entry.is_dir(follow_symlinks=False):  # known since the directory was read
                path = os.path.join(absolute, name)
                if name != ".git" and not _ignored(path, True, rules):
                    inner = os.path.join(real, name)
                    yield _enter(stack, _join(directory, name), path, inner, rules, sweep, kinds, kinds_at)
                    break
            elif (
                wanted(name, absolute, kinds)
                and _is_inside(entry, inside)
                and not _ignored(os.path.join(absolute, name), False, rules)
            ):
                is_link = entry.is_symlink()
                yield _join(directory, name), os.path.realpath(entry.path) if is_link else os.path.join(real, name)
        else:
            stack.pop()


def _enter(
    stack: list[_Level],
    directory: str,
    absolute: str,
    real: str,
    rules: tuple[_Rules, ...],
    sweep: bool,
    kinds: Collection[str],
    kinds_at: _KindsAt,
) -> Target | None:
    try:
        with os.scandir(directory) as entries:
            # So that all that is below `a` stands where `a/` does, and whole paths are in order.
            here = sorted(
                entries, key=lambda entry: f"{entry.name}/" if entry.is_dir(follow_symlinks=False) else entry.name
            )
    except OSError as error:
        return Target(directory, problem=_os_problem(error))
    names = {entry.name for entry in here}
    if ".git" in names:  # a repository of its own: what stands around it has no say
        rules = _read_rules(os.path.join(directory, ".git", "info", "exclude"), absolute)
    if ".gitignore" in names:
        rules += _read_rules(os.path.join(directory, ".gitignore"), absolute)
    if sweep:
        for name in names:
            if _TEMPORARY.fullmatch(name):
                _sweep(os.path.join(directory, name))
    if kinds_at is not None and (".git" in names or not names.isdisjoint(_CONFIGURATIONS)):
        kinds = kinds_at(real)
    stack.append(_Level(directory, absolute, real, rules, iter(here), kinds))
    if (
        IGNORE in kinds
        and IGNORE_NAME not in names
        and (".git" in names or any(map(is_dockerfile_name, names)))
        and not vendored_by(os.path.join(directory, IGNORE_NAME))
    ):
        return Target(_join(directory, IGNORE_NAME), missing=True)
    return None


def _is_inside(entry: os.DirEntry[str], inside: str) -> bool:
    """False for a link to a directory, to nothing, or out of the tree."""
    if not entry.is_symlink():
        return True
    return os.path.isfile(entry.path) and os.path.realpath(entry.path).startswith(inside)


def _join(directory: str, name: str) -> str:
    return name if directory == os.curdir else os.path.join(directory, name)


# --- ignore files --------------------------------------------------------------------------------------------------


_TAIL = "(?:(?P<ps_d>/)|$)"
"""What pathspec (1.0, `GitIgnoreSpecPattern`) puts behind what a pattern names: that itself, or what is below it."""


class _Pattern(NamedTuple):
    """One line of an ignore file. glob: what the path must be, relative to the file's directory. What is below a
    directory that matches needs no match of its own, because nobody goes there."""

    include: bool
    for_directories: bool
    glob: Glob

    def matches(self, path: str, is_directory: bool) -> bool:
        return (is_directory or not self.for_directories) and self.glob.matches(path)


@dataclass(frozen=True, slots=True)
class _Rules:
    """The patterns of one ignore file, the last first, and the directory that they are relative to."""

    base: str
    patterns: tuple[_Pattern, ...]


def _read_rules(path: str, base: str) -> tuple[_Rules, ...]:
    """The rules of one ignore file, as Git reads it: a byte order mark and CR before LF do not count, and a line that
    is no pattern matches nothing. What cannot be read holds no rules."""
    try:
        text = read(path).decode("utf-8-sig", "surrogateescape")
    except FileTrouble:
        return ()
    found = tuple(one for line in text.split("\n") if (one := _pattern(line.removesuffix("\r"))) is not None)
    return (_Rules(base, found[::-1]),) if found else ()


def _pattern(line: str) -> _Pattern | None:
    """None for a blank line, a comment, and what is no pattern."""
    if not line.strip() or line.startswith("#"):
        return None
    import warnings

    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern  # costs as much as a hundred files to fix

    from fixer.text.globs import Glob, within_names

    line = line if line.endswith("\\ ") else line.rstrip(" ")
    for_directories = line.endswith("/")
    line = line[:-1] if for_directories else line
    if line.endswith("\t"):  # a part of the name, which pathspec takes for a blank
        line = f"{line[:-1]}[\t]"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a pattern like `[[a]` is no news to who runs dockfix
            expression, include = GitIgnoreSpecPattern.pattern_to_regex(line)
            if expression is None or include is None:
                return None
            return _Pattern(include, for_directories, Glob(within_names(expression.replace(_TAIL, "$"))))
    except (ValueError, re.error):
        return None


def _rules_above(top: str) -> tuple[_Rules, ...]:
    """Of the directories above `top`, up to the repository's root; none if `top` itself is ignored, because whoever
    names a directory means it."""
    above: list[str] = []
    directory = os.path.abspath(top)
    while not os.path.lexists(os.path.join(directory, ".git")):
        parent = os.path.dirname(directory)
        if parent == directory:
            return ()
        above.append(parent)
        directory = parent
    if not above:
        return ()
    rules = _read_rules(os.path.join(above[-1], ".git", "info", "exclude"), above[-1])
    below = [*above[-2::-1], os.path.abspath(top)]
    for directory, inner in zip(reversed(above), below, strict=True):
        rules += _read_rules(os.path.join(directory, ".gitignore"), directory)
        if _ignored(inner, True, rules):
            return ()
    return rules


def _ignored(path: str, is_directory: bool, rules: tuple[_Rules, ...]) -> bool:
    """Whether Git ignores it, if it ignores none of the directories above: the last pattern that matches decides, of
    the deepest file that has one. `path` is absolute, and below the bases of all rules."""
    for one in reversed(rules):
        relative = path[len(one.base) :].lstrip(os.sep).replace(os.sep, "/")
        for pattern in one.patterns:
            if pattern.matches(relative, is_directory):
                return pattern.include
    return False


def kept_by_git(root: str, directory: str) -> Iterator[str]:
    """The files at and below `directory`, relative to `root` as it is, that no .gitignore leaves out (nor
    .git/info/exclude); those of the directories above `root` count, up to the repository's. That somebody has added a
    file in spite of them is not seen."""
    top = os.path.abspath(root)
    rules = _rules_above(top)
    waiting = [(top, rules, directory.split("/"))]
    while waiting:
        here, rules, names = waiting.pop()
        if os.path.lexists(os.path.join(here, ".git")):  # a repository of its own: what stands around it has no say
            rules = _read_rules(os.path.join(here, ".git", "info", "exclude"), here)
        rules += _read_rules(os.path.join(here, ".gitignore"), here)
        try:
            entries = [os.path.join(here, names[0])] if names else sorted(entry.path for entry in os.scandir(here))
        except OSError:
            continue
        for path in entries:
            is_directory = os.path.isdir(path) and not os.path.islink(path)
            if _ignored(path, is_directory, rules):
                continue
            if is_directory:
                waiting.append((path, rules, names[1:]))
            elif os.path.lexists(path):
                yield os.path.relpath(path, top).replace(os.sep, "/")


# --- read ----------------------------------------------------------------------------------------------------------


def read(path: str) -> bytes:
    """The content of a Dockerfile. Raises FileTrouble: missing, no-permission, not-a-file (never blocks on a pipe),
    too-large, binary, input-output."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        try:
            status = os.fstat(descriptor)
            if stat.S_ISDIR(status.st_mode):
                raise FileTrouble("not-a-file", "a directory.")
            if not stat.S_ISREG(status.st_mode):
                raise FileTrouble("not-a-file", "not a regular file; use `-` to read standard input.")
            if status.st_size > MAX_SIZE:
                raise _too_large(status.st_size)
            data = os.read(descriptor, status.st_size + 1)
            if len(data) != status.st_size:  # it grows or shrinks meanwhile, or its size is not known
                with open(descriptor, "rb", closefd=False) as file:
                    data += file.read(MAX_SIZE + 1 - len(data))
        finally:
            os.close(descriptor)
    except OSError as error:
        raise _os_trouble(error) from error
    except ValueError:
        raise FileTrouble("missing", "no file has such a name.") from None
    check_content(data)
    return data


def check_content(data: bytes) -> None:
    """Raises FileTrouble for content that can't be a Dockerfile: too-large, binary."""
    if len(data) > MAX_SIZE:
        raise _too_large(len(data))
    if b"\0" in data:
        raise FileTrouble("binary", "a binary file (it holds NUL bytes).")


def _too_large(size: int) -> FileTrouble:
    return FileTrouble("too-large", f"{size:,} bytes; BuildKit takes Dockerfiles of at most {MAX_SIZE:,}.")


def _os_trouble(error: OSError) -> FileTrouble:
    problem = _os_problem(error)
    return FileTrouble(problem.kind, problem.message)


def _os_problem(error: OSError) -> Problem:
    if isinstance(error, FileNotFoundError):
        return Problem("missing", "no such file or directory.")
    if isinstance(error, PermissionError):
        return Problem("no-permission", "permission denied.")
    return Problem("input-output", f"{error.strerror or error}.")


# --- write ---------------------------------------------------------------------------------------------------------

_TEMPORARY = regex(r"\.dockfix-[0-9a-f]{16}")
"""Names of files that take the place of others when they are complete. No Dockerfile is called so."""


def create(path: str, content: bytes) -> None:
    """A new file with that content: all of it or nothing, whenever this is killed. Raises FileTrouble:
    changed-meanwhile if there is one already, no-permission, input-output."""
    temporary = _temporary(os.path.dirname(path))
    try:
        descriptor = _open_locked(temporary)
        try:
            with open(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.chmod(temporary, 0o666 & ~_umask())
                os.fsync(file.fileno())
                os.link(temporary, path)
        finally:
            os.unlink(temporary)
    except FileExistsError as error:
        message = "somebody else made it meanwhile; nothing was written."
        raise FileTrouble("changed-meanwhile", message) from error
    except OSError as error:
        problem = _os_problem(error)
        raise FileTrouble(problem.kind, f"{problem.message} Nothing was written.") from error


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def write(path: str, before: bytes, after: bytes, names: Sequence[str] = ()) -> None:
    """Replace the content of `path`, which was `before`, by `after`: all of it or nothing, whenever this is killed.

    A temporary file beside the target takes its place, with its mode and, where that is allowed, its owner and extended
    attributes. A symbolic link stays, and what it points to is replaced. A file with hard links is replaced under all
    its names, which must be `names`, so that they stay one file; killed between two of them, they are two whole files.

    Raises FileTrouble: changed-meanwhile if the file does not hold `before` any more, hard-links if it has names that
    are not known, no-permission (also for a read-only file), input-output.
    """
    target = os.path.realpath(path)
    try:
        status = os.stat(target)
        if not status.st_mode & 0o222 or not os.access(target, os.W_OK, effective_ids=_EFFECTIVE):
            raise FileTrouble("no-permission", "it is read-only; nothing was written.")
        _replace(_all_names(target, status, names), status, before, after)
    except OSError as error:
        problem = _os_problem(error)
        raise FileTrouble(problem.kind, f"{problem.message} Nothing was written.") from error


_EFFECTIVE = os.access in os.supports_effective_ids


def _all_names(target: str, status: os.stat_result, names: Sequence[str]) -> list[str]:
    """The target's names, itself first. Only whoever knows all of them can keep them together."""
    if status.st_nlink <= 1:
        return [target]
    others = [name for name in names if name != target and os.path.samestat(os.lstat(name), status)]
    if len(others) + 1 != status.st_nlink:
        message = (
            f"it has {status.st_nlink} names (hard links), and {len(others) + 1} of them can be seen from here; name "
            "all of them, or make it a file of its own. Nothing was written."
        )
        raise FileTrouble("hard-links", message)
    return [target, *others]


def _replace(names: Sequence[str], status: os.stat_result, before: bytes, after: bytes) -> None:
    """Everything that can fail comes first, then a last look at the file, then the renaming."""
    temporary = [_temporary(os.path.dirname(name)) for name in names]
    descriptor = _open_locked(temporary[0])
    try:
        with open(descriptor, "wb") as file:
            file.write(after)
            file.flush()
            _copy_attributes(names[0], temporary[0], status)
            os.fsync(file.fileno())
            for other in temporary[1:]:
                os.link(temporary[0], other)
            if any(read(name) != before or not os.path.samestat(os.lstat(name), status) for name in names):
                raise FileTrouble("changed-meanwhile", "somebody else changed it meanwhile; nothing was written.")
            for number, (name, new) in enumerate(zip(names, temporary, strict=True)):
                try:
                    os.replace(new, name)
                except OSError as error:
                    if not number:
                        raise
                    problem = _os_problem(error)
                    message = (
                        f"{name}, which is the same file (a hard link), could not be replaced: {problem.message} "
                        f"Written: {', '.join(names[:number])}; these and the others are two files now."
                    )
                    raise FileTrouble(problem.kind, message) from error
    except BaseException:
        for path in temporary:
            with contextlib.suppress(OSError):
                os.unlink(path)
        raise


def _temporary(directory: str) -> str:
    return os.path.join(directory, f".dockfix-{os.urandom(8).hex()}")


def _open_locked(path: str) -> int:
    """A new file; locked as long as it is open, so that nobody takes it for one that was left behind."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        if not _lock(descriptor, wait=True):
            return descriptor
        try:
            if os.path.samestat(os.lstat(path), os.fstat(descriptor)):
                return descriptor
        except FileNotFoundError:
            pass  # swept away before it was locked
        os.close(descriptor)


def _lock(descriptor: int, *, wait: bool) -> bool:
    try:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except (ImportError, OSError):
        return False
    return True


def _sweep(path: str) -> None:
    """Remove a temporary file that nobody holds: whoever made it was killed."""
    try:
        descriptor = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        return
    try:
        status = os.fstat(descriptor)
        if stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid() and _lock(descriptor, wait=False):
            os.unlink(path)
    except (OSError, AttributeError):
        pass
    finally:
        os.close(descriptor)


def _copy_attributes(target: str, temporary: str, status: os.stat_result) -> None:
    """Owner first: a change of owner takes away set-id bits of the mode."""
    if hasattr(os, "chown"):
        with contextlib.suppress(OSError):
            os.chown(temporary, status.st_uid, status.st_gid)
    os.chmod(temporary, stat.S_IMODE(status.st_mode))
    if hasattr(os, "listxattr"):
        with contextlib.suppress(OSError):
            for name in os.listxattr(target):
                os.setxattr(temporary, name, os.getxattr(target, name))
