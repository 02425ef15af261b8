"""The build context of a Dockerfile in the file system: which directory it is, and what BuildKit would get of it."""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from fixer.analysis.context import LARGEST, BuildContext, ContextSource, Kind, Sources
from fixer.analysis.dockerignore import NAME, Ignore, IgnoreTrouble, parse_ignore
from fixer.analysis.values import Known
from fixer.engine.files import kept_by_git
from fixer.engine.project import repository_root

_MOST_LINKS = 40
_HIGHEST = 32
"""So many directories above a Dockerfile are tried at most."""


class FoundContext(BuildContext):
    """The context of the Dockerfile at `dockerfile`: the directory `named`; else the one that files of its repository
    name for it (`fixer.engine.declared`), if they agree and it holds everything that `expect` was told of; else, if
    nobody names one, the nearest directory from the Dockerfile's own up to its repository's root that does. A
    Dockerfile outside a repository has its own directory or none.

    Nothing is looked at before somebody asks.

    like: another one of the same directory, for a Dockerfile that has no .dockerignore of its own either: what it has
    seen there counts here too.
    """

    def __init__(self, dockerfile: str, named: str | None = None, like: FoundContext | None = None) -> None:
        self._dockerfile = dockerfile
        self._named = named
        self._sources: Sources = tuple
        self._wanted: tuple[str, ...] | None = None
        self._resolved = False
        self._root: str | None = None
        self._ignore = Ignore("", ())
        self._like = like
        self._real: dict[str, bool] = {} if like is None else like._real
        self._names: dict[str, tuple[str, ...]] = {} if like is None else like._names

    def expect(self, sources: Sources) -> None:
        self._sources = sources

    def expect_paths(self, wanted: Iterable[str]) -> None:
        """The same as `expect`, for what `wanted` said of the sources."""
        self._wanted = tuple(wanted)

    @property
    def wanted(self) -> tuple[str, ...]:
        """The paths that a directory must have to be the context; none where somebody names it."""
        if self._wanted is None:
            self._wanted = () if self._named is not None else wanted_paths(self._sources())
        return self._wanted

    def is_same(self, other: FoundContext) -> bool:
        """Whether both are one directory, if any, with the same .dockerignore, by name."""
        return self._directory() == other._directory() and self._ignore.path == other._ignore.path

    @property
    def at_hand(self) -> bool:
        return self._directory() is not None

    @property
    def sure(self) -> bool:
        return self._named is not None and self.at_hand

    @property
    def directory(self) -> str | None:
        """Where it is; None if that cannot be told."""
        return self._directory()

    @property
    def ignore(self) -> Ignore:
        """The patterns of its .dockerignore."""
        self._directory()
        return self._ignore

    def kind(self, path: str) -> Kind | None:
        root = self._directory()
        if root is None or not _plain(path) or not self._is_real(root, path.rpartition("/")[0]):
            return None
        try:
            mode = os.lstat(os.path.join(root, path)).st_mode
        except (OSError, ValueError):
            return None
        if stat.S_ISDIR(mode):
            return "directory" if not self._ignore.excludes(path) or self._ignore.may_hold(path) else None
        if self._ignore.excludes(path):
            return None
        return "file" if stat.S_ISREG(mode) else "link" if stat.S_ISLNK(mode) else "other"

    def read(self, path: str) -> bytes | None:
        root = self._directory()
        return None if root is None or self.kind(path) != "file" else _content(os.path.join(root, path))

    def stored(self, path: str) -> str | None:
        root = self._directory()
        if root is None or not _plain(path) or not self._is_real(root, path.rpartition("/")[0]):
            return None
        place = os.path.join(root, path)
        try:
            data = _content(place) if stat.S_ISREG(os.lstat(place).st_mode) else None
            return None if data is None else data.decode("utf-8-sig")
        except (OSError, ValueError):
            return None

    def names(self, directory: str = "") -> tuple[str, ...]:
        found = self._names.get(directory)
        if found is None:
            found = self._names[directory] = tuple(self._list(directory))
        return found

    def _list(self, directory: str) -> Iterator[str]:
        root = self._directory()
        if root is None or self.kind(directory) != "directory":
            return
        try:
            names = sorted(os.listdir(os.path.join(root, directory)))
        except OSError:
            return
        inside = f"{directory}/" if directory else ""
        yield from (name for name in names if self.kind(inside + name) is not None)

    def excluded(self, path: str) -> bool:
        return self._directory() is not None and self._ignore.excludes(path)

    def kept(self, path: str) -> str | None:
        root = self._directory()
        if root is None or self.kind(path) is None:
            return None
        return next((each for each in kept_by_git(root, path) if self.kind(each) is not None), None)

    def _is_real(self, root: str, directory: str) -> bool:
        """Whether there is no link on the way: the engine takes none out of the context, and others we leave alone."""
        waiting = []
        while directory and directory not in self._real:
            waiting.append(directory)
            directory = directory.rpartition("/")[0]
        real = not directory or self._real[directory]
        for each in reversed(waiting):
            real = self._real[each] = real and not os.path.islink(os.path.join(root, each))
        return real

    def _directory(self) -> str | None:
        if not self._resolved:
            self._resolved = True
            self._root, self._ignore = self._find()
        return self._root

    def _find(self) -> tuple[str | None, Ignore]:
        if self._like is not None:
            return self._like._directory(), self._like._ignore
        if self._named is not None:
            try:
                return self._open(os.path.abspath(self._named))
            except IgnoreTrouble:
                return None, Ignore("", ())
        wanted = self.wanted
        from fixer.engine.declared import declared_contexts  # reads YAML and workflows

        candidates = declared_contexts(self._dockerfile)
        for directory in _candidates(self._dockerfile) if candidates is None else candidates:
            try:
                root, ignore = self._open(directory)
            except IgnoreTrouble:  # it may well be this one
                break
            if root is not None and _has(root, wanted):
                return root, ignore
        return None, Ignore("", ())

    def _open(self, directory: str) -> tuple[str | None, Ignore]:
        """The directory, if it can be the context. Raises IgnoreTrouble where that cannot be told."""
        try:
            ignore = read_ignore(Path(directory), Path(self._dockerfile))
        except IgnoreTrouble as trouble:
            if not trouble.followed:
                raise
            return None, Ignore("", ())  # every build fails with it
        return (directory, ignore) if os.path.isdir(directory) else (None, ignore)


def _content(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST + 1)
    except OSError:
        return None
    return data if len(data) <= LARGEST else None


def _candidates(dockerfile: str) -> list[str]:
    directory = os.path.dirname(os.path.realpath(dockerfile))
    root = repository_root(directory)
    found = [directory]
    while root is not None and directory != root and len(found) < _HIGHEST:
        directory = os.path.dirname(directory)
        found.append(directory)
    return found


def holds(root: str, sources: Iterable[ContextSource]) -> bool:
    """Whether a directory has all that a Dockerfile takes from its context, as far as that is known."""
    return _has(root, wanted_paths(sources))


def wanted_paths(sources: Iterable[ContextSource]) -> tuple[str, ...]:
    """The paths that must be in the context of who takes such sources, as far as they are known, each once. Of a
    pattern what stands before its first special character must be."""
    found: dict[str, None] = {}
    for source in sources:
        if isinstance(source.path, Known) and not source.path.args:
            path = source.path.value
            if source.pattern:
                path = next((path[:at] for at, char in enumerate(path) if char in "*?[\\"), path).rpartition("/")[0]
            found[path] = None
    return tuple(found)


def _has(root: str, paths: Iterable[str]) -> bool:
    return all(_plain(path) and os.path.lexists(os.path.join(root, path)) for path in paths)


def _plain(path: str) -> bool:
    return "\0" not in path and not path.startswith("/") and ".." not in path.split("/")


def read_ignore(context: Path, dockerfile: Path, *, bounded: bool = True) -> Ignore:
    """The patterns for a build of `dockerfile` with `context`: those of `<dockerfile>.dockerignore` beside it, else
    those of `.dockerignore` in the context. Raises IgnoreTrouble. bounded: see `parse_ignore`."""
    for root, name in ((dockerfile.parent, f"{dockerfile.name}{NAME}"), (context, NAME)):
        try:
            path = _followed(root, name)
            if not stat.S_ISREG(os.stat(path).st_mode):  # a pipe would wait for ever
                continue
            with open(path, "rb") as file:
                data = file.read(LARGEST + 1)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            continue
        except OSError as error:
            raise IgnoreTrouble(str(root / name), 0, f"cannot be read: {error.strerror}") from error
        if len(data) > LARGEST:
            raise IgnoreTrouble(str(root / name), 0, f"it has more than {LARGEST:,} bytes", followed=False)
        return parse_ignore(data, str(root / name), bounded=bounded)
    return Ignore("", ())


def _followed(root: Path, name: str) -> Path:
    """What a link means to the engine, for which there is nothing outside of `root`."""
    for _ in range(_MOST_LINKS):
        path = root / name
        if not path.is_symlink():
            return path
        name = posixpath.normpath(posixpath.join("/", posixpath.dirname(name), os.readlink(path))).lstrip("/")
    return root / name
