"""What a project says about dockfix: `dockfix.toml`, `.dockfix.toml`, or `[tool.dockfix]` in `pyproject.toml`.

    builder = "ephemeral"            # auto, persistent, ephemeral
    select = ["apt-cache"]           # only these codemods
    ignore = ["cargo-chef"]          # not these
    unsafe-fixes = true
    project = "shop"                 # the name in project-scoped caches
    context = "."                    # the build context, relative to this file

    [images]                         # base images of your own
    "ghcr.io/acme/rust" = "rust"     # made from it: the same user, homes and settings of package managers
    "harbor.acme.com/hub/" = "docker.io/"  # a mirror: the same images

The nearest of these files counts, from a Dockerfile's directory up to the root of its repository; outside a repository
only the directory itself is looked at. What the command line says comes first, key by key and
image by image.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from fixer.codemods import registry
from fixer.codemods.api import Builder
from fixer.engine.project import real_path, repository_root, slug
from fixer.text.data import read_toml
from fixer.text.records import dataclass

if TYPE_CHECKING:
    from fixer.analysis import Images

NAMES = ("dockfix.toml", ".dockfix.toml")
PYPROJECT = "pyproject.toml"
AUTO = "auto"
_LARGEST = 1 << 20
"""Bytes of a file of settings; a larger one is not read."""


class ConfigTrouble(Exception):
    """A file of settings that cannot be followed. The message names the file and, where there is one, the line."""


@dataclass(frozen=True, slots=True)
class Config:
    """None where nothing is said. path: the file that says it; empty if there is none."""

    path: str = ""
    builder: Builder | None = None
    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] | None = None
    unsafe_fixes: bool | None = None
    project: str | None = None
    context: str | None = None
    """An absolute path."""
    images: Images | None = None


NOTHING = Config()


def find_config(path: str) -> Config:
    """What counts for the file at `path`, or for the files in the directory `path`. Raises ConfigTrouble. Each
    directory is looked at once a process."""
    real = real_path(path)
    return _of_directory(real if os.path.isdir(real) else os.path.dirname(real))


@lru_cache(maxsize=16384)
def _of_directory(directory: str) -> Config:
    root = repository_root(directory)
    while (found := _in_directory(directory)) is None and root is not None and directory != root:
        directory = os.path.dirname(directory)
    return found or NOTHING


@lru_cache(maxsize=16384)
def _in_directory(directory: str) -> Config | None:
    for name in (*NAMES, PYPROJECT):
        path = os.path.join(directory, name)
        text = _text(path)
        if text is None or (name == PYPROJECT and "dockfix" not in text):
            continue
        table = _table(path, text)
        if name == PYPROJECT:
            tool = table.get("tool", {})
            found = tool.get("dockfix") if isinstance(tool, dict) else None
            if found is None:
                continue
            if not isinstance(found, dict):
                raise ConfigTrouble(f"{path}: `tool.dockfix` is no table.")
            table = found
        return _Reader(path, text).config(table)
    return None


def _text(path: str) -> str | None:
    if not os.path.isfile(path):  # a pipe would wait for ever
        return None
    try:
        with open(path, "rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise ConfigTrouble(f"{path}: cannot be read: {error.strerror}.") from error
    if len(data) > _LARGEST:
        raise ConfigTrouble(f"{path}: larger than {_LARGEST:,} bytes.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigTrouble(f"{path}: not UTF-8.") from error


def _table(path: str, text: str) -> dict[str, Any]:
    try:
        return read_toml(text)
    except ValueError as error:
        raise ConfigTrouble(f"{path}: no TOML: {error}.") from error


class _Reader:
    """One file. Complaints name the line of the key."""

    def __init__(self, path: str, text: str) -> None:
        self._path = path
        self._text = text

    def config(self, table: dict[str, Any]) -> Config:
        keys = {"builder", "select", "ignore", "unsafe-fixes", "project", "context", "images"}
        for key in table:
            if key not in keys:
                raise self._trouble(key, f"there is no key `{key}`; known are {', '.join(sorted(keys))}")
        return Config(
            self._path,
            self._builder(table),
            self._ids(table, "select"),
            self._ids(table, "ignore"),
            self._value(table, "unsafe-fixes", bool, "true or false"),
            self._project(table),
            self._context(table),
            self._images(table),
        )

    def _builder(self, table: dict[str, Any]) -> Builder | None:
        text = self._value(table, "builder", str, "a text")
        if text is None or text == AUTO:
            return None
        try:
            return Builder(text)
        except ValueError:
            names = ", ".join(f'"{name}"' for name in (AUTO, *(one.value for one in Builder)))
            raise self._trouble("builder", f'`builder` is one of {names}, not "{text}"') from None

    def _ids(self, table: dict[str, Any], key: str) -> tuple[str, ...] | None:
        found = self._value(table, key, list, "a list of codemod ids")
        for one in found or ():
            if one not in registry.ids():
                raise self._trouble(key, f"`{key}`: there is no codemod {one!r}; `dockfix --list` shows them")
        return None if found is None else tuple(found)

    def _project(self, table: dict[str, Any]) -> str | None:
        text = self._value(table, "project", str, "a text")
        if text is None:
            return None
        cleaned = slug(text)
        if cleaned is None:
            raise self._trouble("project", "`project` holds nothing that can stand in a cache's id (a-z 0-9 . _ -)")
        return cleaned

    def _context(self, table: dict[str, Any]) -> str | None:
        text = self._value(table, "context", str, "a text")
        if text is None:
            return None
        path = os.path.normpath(os.path.join(os.path.dirname(self._path), text))
        if not os.path.isdir(path):
            raise self._trouble("context", f"`context`: there is no directory {path}")
        return path

    def _images(self, table: dict[str, Any]) -> Images | None:
        said = self._value(table, "images", dict, "a table of images")
        if not said:
            return None
        from fixer.analysis import Images, UnknownImageError

        try:
            return Images(said)
        except UnknownImageError as error:
            raise self._trouble(error.name, f"`images`: {error}", "images") from error

    def _value(self, table: dict[str, Any], key: str, kind: type, words: str) -> Any:
        found = table.get(key)
        if found is not None and type(found) is not kind:
            raise self._trouble(key, f"`{key}` is {words}")
        return found

    def _trouble(self, key: str, message: str, inner: str = "") -> ConfigTrouble:
        """With the line of the key, if it is written as keys mostly are. inner: the table in ours that has the key."""
        at = 0
        names = (["tool", "dockfix"] if os.path.basename(self._path) == PYPROJECT else []) + ([inner] if inner else [])
        while names:
            header = r"\s*\.\s*".join(map(re.escape, names))
            table = re.search(rf"(?m)^[^\S\n]*\[\s*{header}\s*\]", self._text)
            if table:
                at = table.end()
                break
            names.pop()
        match = re.compile(rf"(?m)^[ \t]*[\"']?{re.escape(key)}[\"']?[ \t]*[.=]").search(self._text, at)
        line = f":{self._text.count(chr(10), 0, match.start()) + 1}" if match else ""
        return ConfigTrouble(f"{self._path}{line}: {message}.")
