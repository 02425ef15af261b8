"""The workflows of a repository in the file system, and what they say of its Dockerfiles."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from typing import TYPE_CHECKING, NamedTuple, overload

from fixer.analysis.workflow import Workflow, local_action, read_workflow
from fixer.analysis.workflow_runs import Runs
from fixer.engine.files import FileTrouble, read, repository_workflows
from fixer.engine.kinds import is_in_place
from fixer.engine.project import real_path, repository_root
from fixer.text.regex import regex
from fixer.text.source import decode

if TYPE_CHECKING:
    from fixer.analysis.docker_scripts import ComposeCall
    from fixer.analysis.workflow_builds import WorkflowBuild

FOLDER = ".github"
_OWN = regex(r"\buses[\"']?\s*:\s*[\"']?\./")
"""A file that calls others of the repository."""
_GIVES = regex(r"\bworkflow_call\b|/upload-artifact@")
"""A file that others call, or that uploads something: builds elsewhere may take what it puts out."""
_BUILDER = regex(r"(?i)docker|podman|buildah")
_MOST_REFUSED = 4
"""After so many files that nobody can go through in time the others are not read: all is not known anyway."""


class OtherWorkflows(Sequence[tuple[str, Workflow]]):
    """The workflows below `root` but for the one at `path`, that name docker, call others, are called or upload
    something, and the actions. Looked for when somebody asks."""

    def __init__(self, root: str, path: str) -> None:
        self._root = root
        self._path = path
        self._found: tuple[tuple[str, Workflow], ...] | None = None

    def _all(self) -> tuple[tuple[str, Workflow], ...]:
        if self._found is None:
            self._found = tuple(one for one in workflows_of(self._root) if one[0] != self._path)
        return self._found

    @overload
    def __getitem__(self, index: int) -> tuple[str, Workflow]: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[tuple[str, Workflow]]: ...
    def __getitem__(
        self, index: int | slice
    ) -> tuple[str, Workflow] | Sequence[tuple[str, Workflow]]:
        return self._all()[index]

    def __iter__(self) -> Iterator[tuple[str, Workflow]]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())


@lru_cache(maxsize=64)
def _parsed(root: str) -> dict[str, Workflow]:
    """The files of a repository by their paths in it, each as it was when it was first read."""
    return {}


def read_at(root: str, path: str, text: str) -> Workflow:
    """What `read_workflow` makes of the text of a file at a path in the repository: one object for all who ask, as long
    as the text is the one that was first there. So what is known of a repository's files is known for each of them."""
    known = _parsed(root).get(path)
    if known is None:
        known = _parsed(root)[path] = read_workflow(text)
    return known if known.text == text else read_workflow(text)


def hosted_by(path: str) -> tuple[str, ...]:
    """The workflows of its repository that build the Dockerfile at `path` on runners that GitHub hosts, relative to the
    repository's root. Whatever the number of Dockerfiles, a repository's workflows are read once a process."""
    real = real_path(path)
    root = repository_root(os.path.dirname(real))
    if root is None:
        return ()
    relative = os.path.relpath(real, root).replace(os.sep, "/")
    return tuple(name for name, files in _hosted(root) if relative in files)


@lru_cache(maxsize=256)
def _hosted(root: str) -> tuple[tuple[str, frozenset[str]], ...]:
    if not os.path.isdir(os.path.join(root, FOLDER, "workflows")):
        return ()
    found: dict[str, set[str]] = {}
    for name, build in builds_of(root).found:
        if build.hosted and build.file is not None:
            found.setdefault(name, set()).add(build.file)
    return tuple((name, frozenset(files)) for name, files in sorted(found.items()))


class Builds(NamedTuple):
    """The builds of a repository's workflows whose Dockerfiles or stages are named, each once with the file of its job.

    complete: whether that is all; there may be files that nobody could go through in time.
    """

    found: tuple[tuple[str, WorkflowBuild], ...]
    complete: bool


@lru_cache(maxsize=64)
def builds_of(root: str) -> Builds:
    """What the workflows of the repository at `root` build."""
    files = workflows_of(root)
    if not files:
        return Builds((), True)
    from fixer.analysis.facts import TooMuchWorkError
    from fixer.analysis.workflow_builds import workflow_builds  # brings the parser of scripts with it

    found: dict[tuple[object, ...], tuple[str, WorkflowBuild]] = {}
    runs, is_new = Runs(files), True
    refused = 0
    for _, workflow in files:
        if refused == _MOST_REFUSED:  # each of them has taken as long as may be
            break
        builds: list[WorkflowBuild] = []
        while True:
            try:
                builds = list(workflow_builds(runs, partial(_composed, root), [workflow]))
                is_new = False
                break
            except TooMuchWorkError:  # the others may have had most of the work
                refused += is_new
                runs, is_new, was_new = Runs(files), True, is_new
                if was_new:
                    break
        for build in builds:
            path = runs.path(build.run)
            key = (path, build.context, build.file, build.target, build.hosted, build.replaced)
            found.setdefault(key, (path, build))
    return Builds(tuple(found.values()), not refused)


@lru_cache(maxsize=1024)
def _composed(root: str, directory: str, call: ComposeCall) -> tuple[tuple[str, str, str | None], ...]:
    """What `docker compose` builds in a directory of the repository, relative to its root. Of several files one may
    replace what another says."""
    from fixer.engine.compose import NAMES, compose_builds

    here = os.path.join(root, directory)
    names = call.files or [name for name in NAMES if os.path.isfile(os.path.join(here, name))][:1]
    builds = compose_builds(os.path.join(here, names[0])) if len(names) == 1 else ()
    chosen = [build for build in builds if not call.services or build.service in call.services]
    found: dict[tuple[str, str, str | None], None] = {}
    for _, _, build in chosen:
        if build.context is not None and isinstance(build.dockerfile, str):
            found.setdefault((_inside(root, build.context), _inside(root, build.dockerfile), build.target))
    return tuple(found)


def _inside(root: str, path: str) -> str:
    return os.path.relpath(path, root).replace(os.sep, "/")


def _workflow_texts(root: str) -> Iterator[tuple[str, str]]:
    """Those that can be read, each with its path in the repository."""
    for path in repository_workflows(root):
        try:
            yield _inside(root, path), decode(read(path))
        except FileTrouble:
            continue


@lru_cache(maxsize=64)
def workflows_of(root: str) -> tuple[tuple[str, Workflow], ...]:
    """Those of a repository that name docker, or another builder, that call others, are called or upload something; and
    its actions."""
    found = [
        (name, read_at(root, name, text))
        for name, text in _workflow_texts(root)
        if _BUILDER.search(text) or ".github/actions/" in name or _OWN.search(text) or _GIVES.search(text)
    ]
    return (*found, *_actions(root, found))


@lru_cache(maxsize=256)
def used_actions(root: str) -> tuple[str, ...]:
    """The actions that workflows of a repository use and that lie elsewhere than in `.github/actions`, relative to its
    root. Of its workflows only those that use some of its own are parsed."""
    found = [(name, read_at(root, name, text)) for name, text in _workflow_texts(root) if _OWN.search(text)]
    return tuple(sorted(name for name, _ in _actions(root, found) if not is_in_place(name)))


def _actions(root: str, found: Sequence[tuple[str, Workflow]]) -> Iterator[tuple[str, Workflow]]:
    """The actions in other folders that workflows and actions use."""
    seen = {name for name, _ in found}
    left = [workflow for _, workflow in found]
    while left:
        for step in left.pop().steps:
            folder = local_action(step)
            if folder is None or folder.startswith(".."):
                continue
            for name in (posixpath.join(folder, base) for base in ("action.yml", "action.yaml")):
                path = os.path.join(root, *name.split("/"))
                if name in seen or not os.path.isfile(path):
                    continue
                seen.add(name)
                try:
                    workflow = read_at(root, name, decode(read(path)))
                except FileTrouble:
                    continue
                left.append(workflow)
                yield name, workflow
