"""Files of a repository outside its workflows that may name GitHub's layer cache: of Bake, Compose, make, or scripts.

Whether a step uses such a file is not asked: this cache is there in workflows alone, so that a file which names it is
for one. The files are those that these programs take by themselves at the root of the repository, and those that steps
name.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import pairwise

from fixer.analysis.docker_scripts import in_workspace, script_commands
from fixer.analysis.workflow import BAKE, Step, Workflow, comma_listed, default_directory, text_of

_DEFAULTS = (
    "docker-bake.json", "docker-bake.hcl", "docker-bake.override.json", "docker-bake.override.hcl",
    "compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml", "compose.override.yaml",
    "compose.override.yml", "docker-compose.override.yaml", "docker-compose.override.yml",
    "Makefile", "makefile", "GNUmakefile", "justfile", "Justfile", "Taskfile.yml", "Taskfile.yaml", "package.json",
)  # fmt: skip
_BAKE_FILES = (
    "compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml", "docker-bake.json", "docker-bake.hcl",
    "docker-bake.override.json", "docker-bake.override.hcl",
)  # fmt: skip
"""Those that Bake takes by itself (docs.docker.com, "Bake file reference")."""
_CACHE_KEY = re.compile(r"\b(cache[-_](?:from|to))\b[\"']?\s*[=:]")
_TAKERS = frozenset({"docker", "docker-compose", "just", "make", "npm", "pnpm", "task", "yarn"})
"""Programs that take some of these."""
_GHA = re.compile(r"\btype[\"']?\s*[=:]\s*[\"']?gha\b", re.IGNORECASE)
_SCOPE = re.compile(r"\bscope[\"']?\s*[=:]\s*[\"']?([\w.:/@+-]+)(?![\w$])", re.IGNORECASE)
_FOLDERS = ("-C", "--directory", "--project-directory", "--prefix", "--cwd", "--dir")
_NAMED = re.compile(r"(?:[\w.@+-]+/)*[\w.@+-]+")


class Elsewhere:
    """What these files say.

    stored: the text of a file by its path in the repository; None if there is none.
    """

    def __init__(self, workflows: Iterable[Workflow], stored: Callable[[str], str | None]) -> None:
        paths = dict.fromkeys((*_DEFAULTS, *(path for workflow in workflows for path in _named(workflow))))
        texts = [text for path in paths if (text := stored(path)) is not None and _GHA.search(text)]
        self.uses_cache = bool(texts)
        self.scopes = frozenset(match[1] for text in texts for match in _SCOPE.finditer(text))


def is_cached(step: Step, stored: Callable[[str], str | None]) -> bool:
    """Whether the files that a step with docker/bake-action takes name this cache, both to read and to write."""
    texts = [stored(path) or "" for path in _of_bake(step, comma_listed(step.input("files")) or _BAKE_FILES)]
    lines = [line for text in texts for line in text.splitlines() if not line.lstrip().startswith(("#", "//"))]
    keys = {match[1].replace("_", "-") for line in lines for match in _CACHE_KEY.finditer(line)}
    return len(keys) == 2 and any(map(_GHA.search, lines))


def _of_bake(step: Step, names: Iterable[str]) -> Iterator[str]:
    home = in_workspace(step.input("source") or ".", step.input("workdir") or ".")
    yield from (path for name in names if (path := _path(home, name)) is not None)


def _named(workflow: Workflow) -> Iterator[str]:
    for step in workflow.steps:
        if step.action == BAKE:
            yield from _of_bake(step, (*comma_listed(step.input("files")), *_DEFAULTS))
        elif step.run is not None:
            home = text_of(step.node.get("working-directory")) or default_directory(step) or "."
            yield from _in_script(step.run.text, in_workspace(".", home))


@lru_cache(maxsize=4096)
def _in_script(text: str, home: str | None) -> tuple[str, ...]:
    """The paths that the commands of a script name, and the files that these take by themselves."""
    found: dict[str, None] = {}
    for command in script_commands(text, home):
        if command.directory is None:
            continue
        words = [word or "" for word in command.words]
        names = [word for word in words if _NAMED.fullmatch(word)]
        if next((word for word in words if word != "sudo"), "") in _TAKERS:
            chosen = [after for word, after in pairwise(words) if word in _FOLDERS and _NAMED.fullmatch(after)]
            names += [posixpath.join(folder, name) for folder in (".", *chosen) for name in _DEFAULTS]
        found.update(dict.fromkeys(path for name in names if (path := _path(command.directory, name)) is not None))
    return tuple(found)


def _path(directory: str | None, name: str) -> str | None:
    """A path in the repository; None for one that is not known, or for a folder."""
    found = in_workspace(directory, name)
    return None if found == "." else found
