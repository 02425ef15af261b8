"""What the workflows of a repository build, over all of their runs: with which context, which Dockerfile, and where."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from fixer.analysis.docker_scripts import (
    ComposeCall,
    all_commands,
    in_workspace,
    overridden,
    read_bake,
    read_build,
    read_compose,
    read_other_build,
    script_commands,
    targets_not_understood,
)
from fixer.analysis.workflow import (
    BAKE,
    BUILD,
    CHECKOUT,
    SETUP,
    Step,
    Workflow,
    default_directory,
    is_hosted,
    listed,
    recipe,
    text_of,
)
from fixer.analysis.workflow_runs import LETTERS, PARSED, Place, Run, Runs
from fixer.analysis.yaml_nodes import Mapping
from fixer.text.records import dataclass

_OWN = re.compile(r"(?i)\$\{\{\s*github\.repository\s*\}\}")
_LOCAL_DRIVERS = ("", "docker", "docker-container")
_ENGINE = ("DOCKER_HOST", "DOCKER_CONTEXT")
"""Variables that choose another engine."""


@dataclass(frozen=True, slots=True, eq=False)
class WorkflowBuild:
    """One build in one run of a job. context, file: relative to the root of the repository; None if they are not known.
    Of such a build only what it says of stages counts, and without any it is not given.

    target: the stage that is built; empty for the last one, None if it is not known.
    run: of the job in which it is done, also for a step of an action.
    hosted: whether the runner is one that GitHub hosts, and the builder is on it.
    replaced: the names for which the build brings contexts of its own.
    """

    run: Run
    context: str | None
    file: str | None
    target: str | None
    hosted: bool
    replaced: tuple[str, ...] = ()


class _Recipe(NamedTuple):
    """context, file: None if they are not known. of_root: whether they are relative to the repository's root already.
    elsewhere: whether another engine builds it."""

    context: str | None
    file: str | None
    target: str | None
    replaced: tuple[str, ...] = ()
    of_root: bool = False
    elsewhere: bool = False


Compose = Callable[[str, ComposeCall], Iterable[tuple[str, str, "str | None"]]]
"""The contexts and Dockerfiles, relative to the repository's root, that Compose builds in a directory of it, each with
the target as in `WorkflowBuild`."""


def workflow_builds(
    runs: Runs, compose: Compose = lambda _, __: (), files: Iterable[Workflow] | None = None
) -> Iterator[WorkflowBuild]:
    """Those of all files, or of these, whose context and Dockerfile are named, or that name a stage. Each step that is
    no action of the repository's is read once for every run. Raises TooMuchWorkError as `runs` does."""
    for workflow in runs.workflows if files is None else files:
        for job in workflow.jobs:
            steps = [step for step in job.steps if _may_build(step)]
            for run in runs.of(job) if steps else ():
                for step in steps:
                    runs.charge(1)
                    yield from _of_step(runs, Place(run, step), step, compose)


_BUILDAH = "redhat-actions/buildah-build"
_BUILDERS = ("docker", "podman", "buildah")


def _may_build(step: Step) -> bool:
    if step.action in (BUILD, BAKE, _BUILDAH):
        return True
    text = "" if step.run is None else step.run.text
    return any(name in text for name in _BUILDERS) and ("build" in text or "bake" in text or "bud" in text)


def _of_step(runs: Runs, place: Place, step: Step, compose: Compose) -> Iterator[WorkflowBuild]:
    roots: dict[tuple[str | None, bool], str | None] = {}  # a script may have many builds
    on_hosted: bool | None = None
    for made in _recipes(runs, place, step, compose):
        runs.charge(1)
        target = None if made.target is not None and "${{" in made.target else made.target
        paths = []
        for path in (made.context, made.file):
            if (path, made.of_root) not in roots:
                roots[path, made.of_root] = _in_root(runs, place, made, path)
            paths.append(roots[path, made.of_root])
        context, file = paths
        if context is not None and file is not None and "" not in paths:
            if on_hosted is None:
                on_hosted = _hosted(runs, place)
            hosted = not made.elsewhere and on_hosted
            yield WorkflowBuild(place.run.workflow_run, context, file, target, hosted, made.replaced)
        elif "" not in paths and (target != "" or made.replaced):
            yield WorkflowBuild(place.run.workflow_run, None, None, target, False, made.replaced)


def _in_root(runs: Runs, place: Place, made: _Recipe, path: str | None) -> str | None:
    """A path relative to the repository's root; None if it is not known, empty if it is not in the repository."""
    if path is None or "${{" in path:
        return None
    if ":" in path or path.startswith("/"):
        return ""
    inside = path if made.of_root else in_repository(runs, place, path)
    return "" if inside is None else posixpath.normpath(inside)


def _recipes(runs: Runs, place: Place, step: Step, compose: Compose) -> Iterator[_Recipe]:
    def read(name: str) -> str:
        found = runs.read(step.input(name) or "", place)
        runs.charge(len(found) // LETTERS)
        return found

    if step.action == BUILD:
        build = recipe(step, read)
        said = read("context")
        git = not said.strip() or "defaultcontext" in said.lower()
        replaced = tuple(line.partition("=")[0] for line in listed(read("build-contexts")))
        yield _Recipe(build.context, build.file, build.target, replaced, git)
    elif step.action == BAKE:
        yield from _overridden(listed(read("set")))
    elif step.action == _BUILDAH:
        words = next((one.words for one in script_commands(" ".join(listed(read("extra-args"))), ".")), ())
        context = in_workspace(".", read("context").strip() or ".")
        files = listed(read("containerfiles") or read("dockerfiles"))
        other = read_other_build(("buildah", "bud", *words))
        for file in files if other is not None else ():
            assert other is not None
            yield _Recipe(context, in_workspace(".", file), other.target, other.replaced, elsewhere=True)
    else:
        yield from _of_script(runs, place, step, compose)


def _overridden(said: Iterable[str | None]) -> Iterator[_Recipe]:
    for one in said:
        target, name = overridden(one, "target"), overridden(one, "contexts")
        if target or name:
            yield _Recipe(None, None, target or "", () if name is None else (name,))


def _of_script(runs: Runs, place: Place, step: Step, compose: Compose) -> Iterator[_Recipe]:
    assert step.run is not None
    if text_of(step.node.get("shell")) not in (None, "bash", "sh"):
        return

    def lookup(name: str) -> str | None:
        for table, where in runs.environments(place):
            text = text_of(table.get(name))
            if text is not None:
                value = runs.read(text, where)
                return None if "${{" in value or runs.writers(name, place) else value
        return None

    script = runs.read(step.run.text, place)
    runs.charge(len(script) // PARSED)
    for name in targets_not_understood(script):
        yield _Recipe(None, None, name)
    home = runs.read(text_of(step.node.get("working-directory")) or default_directory(step) or ".", place)
    for command in all_commands(script, in_workspace(".", home), lookup):
        elsewhere = any(name in _ENGINE for name in command.assigned)
        build = read_build(command.words, several=command.open) or read_other_build(command.words, several=command.open)
        if build is not None:
            context, file = build.paths(command.directory) or (None, None)
            if context is not None or not build.outside:
                yield _Recipe(context, file, build.target, build.replaced, False, build.elsewhere or elsewhere)
            continue
        bake = read_bake(command.words)
        if bake is not None:
            yield from _overridden(bake)
        call = read_compose(command.words) if command.directory is not None else None
        if call is not None and command.directory is not None:
            directory = in_repository(runs, place, command.directory)
            for found in compose(directory, call) if directory is not None else ():
                yield _Recipe(*found, of_root=True, elsewhere=elsewhere)


def in_repository(runs: Runs, place: Place, path: str) -> str | None:
    """A path of the workspace, relative to the root of the repository; None if that is not checked out there. Without a
    step that checks it out it is in the workspace itself."""
    best: tuple[int, str | None] | None = None
    for before in runs.before(place, _is_checkout):
        step = before.step
        assert step is not None
        at = posixpath.normpath(runs.read(step.input("path") or ".", before))
        whose = (step.input("repository") or "").strip()
        own = not whose or _OWN.fullmatch(whose) is not None
        if at == ".":
            rest: str | None = path
        elif path == at or path.startswith(f"{at}/"):
            rest = path[len(at) + 1 :] or "."
        else:
            rest = None
        length = 0 if at == "." else len(at)
        if rest is not None and (best is None or length > best[0]):
            best = (length, rest if own else None)
        elif rest is None and own and best is None:
            best = (-1, None)
    return path if best is None else best[1]


def _hosted(runs: Runs, place: Place) -> bool:
    run = place.run.workflow_run
    node = run.job.node.get("runs-on")
    if not run.job.id or (isinstance(node, Mapping) and node.get("group") is not None):
        return False
    if not is_hosted(runs.labels(run)):
        return False
    if any(table.get(name) is not None for table, _ in runs.environments(place) for name in _ENGINE):
        return False
    if any(runs.writers(name, place) for name in _ENGINE):
        return False
    return all(_is_local(runs, before) for before in runs.before(place, _is_setup))


def _is_checkout(step: Step) -> bool:
    return step.action == CHECKOUT


def _is_setup(step: Step) -> bool:
    return step.action == SETUP


def _is_local(runs: Runs, place: Place) -> bool:
    """False for a step that makes a builder which is on another machine."""
    step = place.step
    assert step is not None
    driver = runs.read(step.input("driver") or "", place).strip()
    endpoint = runs.read(step.input("endpoint") or "", place)
    return (driver in _LOCAL_DRIVERS or "${{" in driver) and "://" not in endpoint

