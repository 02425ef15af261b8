"""Results of earlier runs: what dockfix would say about a text in which it changes nothing.

A database in the user's cache directory, beside the tables of the grammars; see `fixer.tree.table_cache`. A result is
found by a digest of all that it depends on: this program's code, the options, the project's name and the text. Where
files around were asked, the questions are kept under this digest, and the result under one of it and the answers; or
more questions, where other answers have led to other questions. All is best effort: whatever is wrong with the
database, nothing is known, or nothing is kept. A damaged database is replaced, several runs may use one at a time, and
its size is bounded.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import pickle
import stat
import sys
import zlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, Any, NamedTuple

from fixer._version import __version__
from fixer.codemods import registry
from fixer.engine.outcome import Outcome
from fixer.engine.surroundings import Questions
from fixer.text.records import replace
from fixer.text.source import decode
from fixer.tree.table_cache import directory, is_mine, lark

if TYPE_CHECKING:
    import sqlite3

    from fixer.engine.job import Options

Row = tuple[bytes, bytes]
"""A digest and what is kept for it."""

MAX_SIZE = 256 << 20
"""Bytes. Half of the rows go, those that were longest in no use, when it is reached."""
_FRESH = 7
"""Days for which a row need not be marked as used again."""
_WAIT = 2.0
"""Seconds to wait for another run that writes."""
_TRANSIENT = ("locked", "full", "readonly", "unable to open", "disk I/O")
"""What the database says of trouble that is not in it."""
_FORMAT = "1"
_PARTS = 5
"""So many parts of an outcome are kept."""
_MOST_STEPS = 16
"""So often answers may lead to more questions."""
_CLASSES = {
    ("fixer.codemods.api", "Alters"),
    ("fixer.codemods.api", "Safety"),
    ("fixer.engine.outcome", "AppliedChange"),
    ("fixer.engine.outcome", "PlacedRefusal"),
    ("fixer.engine.outcome", "Problem"),
    ("fixer.text.edits", "Edit"),
    ("fixer.text.source", "Position"),
}


class Followed(NamedTuple):
    """outcome: None if it is not known.
    key: where it is, or would be.
    again: rows that have to be kept again because they are old.
    """

    outcome: Outcome[bytes] | None
    key: bytes
    again: tuple[Row, ...] = ()


class ResultCache:
    """One for a run; a process of its own may use a copy."""

    def __init__(self, path: str, seed: bytes) -> None:
        self._path = path
        self._seed = seed
        self._connection: sqlite3.Connection | None = None
        self._process = 0
        self._broken = False
        """Nothing is looked for any more."""
        self._closed = False
        """Nor is anything kept: what is wrong is not in the database, which would be replaced."""

    def key(self, data: bytes, project: str | None, options: object = None) -> bytes:
        """The digest for one text in one project, with such options."""
        digest = hashlib.blake2b(self._seed, digest_size=16)
        digest.update(repr((project, options)).encode("utf-8", "surrogateescape") + b"\n")
        digest.update(data)
        return digest.digest()

    def follow(
        self, key: bytes, path: str, data: bytes, answer: Callable[[Questions], object] | None = None
    ) -> Followed:
        """The outcome for a file. answer: asked where that rests on the files around; see `Surroundings.answer`.
        Raises what `answer` raises."""
        again: list[Row] = []
        for _ in range(_MOST_STEPS):
            found = self._select(key)
            content = None if found is None else self._content(key, found[0])
            if found is None or content is None:
                break
            if found[1] < _today() - _FRESH:
                again.append((key, found[0]))
            if not isinstance(content, Questions):
                withheld, refusals, error, skipped, suppressed = content
                text = decode(data)
                outcome: Outcome[bytes] = Outcome(
                    path, text, text, True, (), withheld, refusals, error, skipped, suppressed
                )
                return Followed(outcome, key, tuple(again))
            if answer is None:
                break
            key = self._key_after(key, content, answer(content))
        return Followed(None, key, tuple(again))

    def _key_after(self, key: bytes, asked: Questions, answers: object) -> bytes:
        """The questions count, too: under one key there may have been others, to which the answers were the same."""
        said = repr((tuple(asked), answers)).encode("utf-8", "surrogateescape")
        return hashlib.blake2b(said, key=key, digest_size=16).digest()

    def _content(self, key: bytes, blob: bytes) -> Questions | tuple[Any, ...] | None:
        try:
            kept = zlib.decompress(blob)
            if not kept.startswith(key):
                return None
            content: Any = _Unpickler(io.BytesIO(kept[len(key) :])).load()
            if type(content) is not tuple or len(content) not in (len(Questions._fields), _PARTS):
                return None
            return Questions.of(content) if len(content) != _PARTS else content
        except Exception:  # damaged, whatever the damage makes of it
            return None

    def rows(
        self, key: bytes, outcome: Outcome[bytes], asked: Questions | None = None, answers: object = None
    ) -> tuple[Row, ...]:
        """What is to be kept about a text in which nothing changes; nothing if the outcome is not to be relied on.
        asked, answers: what it rests on besides."""
        internal = any(refusal.reason == "internal-error" for refusal in outcome.refusals)
        if outcome.changed or internal or (outcome.error is not None and outcome.error.kind == "internal-error"):
            return ()
        parts = (outcome.withheld, outcome.refusals, outcome.error, outcome.skipped, outcome.suppressed)
        if asked is None or not (asked.targets or asked.context):
            return (_row(key, parts),)
        return _row(key, tuple(asked)), _row(self._key_after(key, asked, answers), parts)

    def rows_after(
        self, key: bytes, outcome: Outcome[bytes], asked: Questions | None = None, answers: object = None
    ) -> tuple[Row, ...]:
        """The same for the text that comes out of a change, which a second run leaves as it is. That a codemod has too
        much work was said of a text on the way, and a second run tries it again."""
        if any(refusal.reason == "too-much-work" for refusal in outcome.refusals):
            return ()
        at_rest = replace(
            outcome,
            text_before=outcome.text_after,
            changes=(),
            withheld=tuple(replace(one, position=one.position_after, step=0) for one in outcome.withheld),
            refusals=tuple(replace(one, position=one.position_after) for one in outcome.refusals),
        )
        return self.rows(key, at_rest, asked, answers)

    def keep(self, rows: Sequence[Row]) -> None:
        """In one transaction, by a connection of its own: an open one does not survive a fork."""
        if not rows or self._closed:
            return
        for _ in range(2):
            try:
                with contextlib.closing(self._connect()) as connection:
                    _insert(connection, rows)
                return
            except OSError:
                return
            except Exception as error:  # of a damaged database sqlite3 raises anything, UnicodeDecodeError too
                if _is_transient(error) or not self._remove():
                    return

    def close(self) -> None:
        """It may be used again."""
        if self._connection is not None and self._process == os.getpid():
            self._connection.close()
        self._connection = None

    def _select(self, key: bytes) -> tuple[bytes, int] | None:
        if self._broken:
            return None
        try:
            if self._connection is None or self._process != os.getpid():
                if not os.path.exists(self._path):
                    return None
                self._connection, self._process = self._connect(), os.getpid()
            found = self._connection.execute("SELECT value, used FROM results WHERE key = ?", (key,)).fetchone()
        except Exception as error:  # of a damaged database sqlite3 raises anything, UnicodeDecodeError too
            self._broken = True
            self._closed = isinstance(error, OSError) or _is_transient(error)
            return None
        return found if found and isinstance(found[0], bytes) and isinstance(found[1], int) else None

    def _connect(self) -> sqlite3.Connection:
        import sqlite3

        if not _is_safe(self._path):
            raise OSError("not a file of the user's own")
        if not os.path.exists(self._path):
            os.makedirs(os.path.dirname(self._path), mode=0o700, exist_ok=True)
            with contextlib.suppress(FileExistsError):
                os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        connection = sqlite3.connect(self._path, timeout=_WAIT, isolation_level=None)
        try:
            connection.execute("PRAGMA synchronous = OFF")  # a crash of the machine may damage it: it is replaced then
            connection.execute("CREATE TABLE IF NOT EXISTS results (key BLOB UNIQUE, value BLOB, used INTEGER)")
        except BaseException:
            connection.close()
            raise
        return connection

    def _remove(self) -> bool:
        try:
            for path in (self._path, f"{self._path}-journal"):
                if os.path.lexists(path):
                    os.unlink(path)
        except OSError:
            return False
        return True


def open_cache(options: Options) -> ResultCache | None:
    """None if there is no place for one, or the environment says that there shall be none."""
    folder = directory()
    program = _program()
    if folder is None or program is None:
        return None
    try:
        import sqlite3  # noqa: F401  # Pythons without it exist
    except ImportError:
        return None
    entries = [tuple(entry) for entry in registry.ORDER]
    chosen = (options.select, options.ignore, options.unsafe_fixes, options.builder, options.context)
    what = (_FORMAT, __version__, program, entries, *chosen)
    seed = hashlib.blake2b(repr(what).encode("utf-8", "surrogateescape")).digest()
    return ResultCache(os.path.join(folder, f"results-{_FORMAT}.sqlite"), seed)


def _program() -> str | None:
    """Python, Lark and the code of this package, which changes more often than its version does for who works on it."""
    package = Path(__file__).parents[1]
    try:
        places = [package, *(path for path in package.rglob("*") if path.is_dir()), package.parent / "grammar"]
        parts = []
        for place in places:
            if not place.is_dir():
                continue
            with os.scandir(place) as entries:
                for entry in entries:
                    if entry.name.endswith((".py", ".lark")):
                        status = entry.stat()
                        parts.append((place.name, entry.name, status.st_size, status.st_mtime_ns))
    except OSError:
        return None
    return repr((sys.version_info[:2], lark(), sorted(parts)))


def _row(key: bytes, content: tuple[Any, ...]) -> Row:
    return key, zlib.compress(key + pickle.dumps(content, 5), 1)


def _is_transient(error: Exception) -> bool:
    import sqlite3

    return isinstance(error, sqlite3.OperationalError) and any(word in str(error) for word in _TRANSIENT)


def _insert(connection: sqlite3.Connection, rows: Iterable[Row]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        (pages,), (size,) = (connection.execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "page_size"))
        (free,) = connection.execute("PRAGMA freelist_count").fetchone()
        if (pages - free) * size > MAX_SIZE:
            connection.execute(
                "DELETE FROM results WHERE rowid IN (SELECT rowid FROM results ORDER BY used, rowid "
                "LIMIT (SELECT count(*) / 2 FROM results))"
            )
        today = _today()
        connection.executemany(
            "INSERT OR REPLACE INTO results VALUES (?, ?, ?)", ((key, value, today) for key, value in rows)
        )
        connection.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(Exception):
            connection.execute("ROLLBACK")
        raise


def _today() -> int:
    return int(time()) // 86_400


def _is_safe(path: str) -> bool:
    """True if the file, or the directory that it would stand in, is the user's, and nobody else's."""
    if os.path.lexists(path):
        status = os.lstat(path)
        return stat.S_ISREG(status.st_mode) and is_mine(status)
    while not os.path.exists(path) and path != os.path.dirname(path):
        path = os.path.dirname(path)
    return is_mine(os.stat(path))


class _Unpickler(pickle.Unpickler):
    """Makes nothing but records of outcomes."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _CLASSES:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name}")
