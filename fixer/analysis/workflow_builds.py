"""What the workflows of a repository build, over all of their runs: with which context, which Dockerfile, and where."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator

from fixer.analysis.docker_scripts import (
    ComposeCall,
    DockerBuild,
    in_workspace,
    read_build,
    read_compose,
    script_commands,
)
from fixer.analysis.workflow import (
    BUILD,
    CHECKOUT,
    SETUP,
    Step,
    Workflow,
    default_directory,
    is_hosted,
    recipe,
    text_of,
)
from fixer.analysis.workflow_runs import Place, Run, Runs
from fixer.analysis.yaml_nodes import Mapping
from fixer.text.records import dataclass

_OWN = re.compile(r"(?i)\$\{\{\s*github\.repository\s*\}\}")
_LOCAL_DRIVERS = ("", "docker", "docker-container")
_ENGINE = ("DOCKER_HOST", "DOCKER_CONTEXT")
"""Variables that choose another engine."""


@dataclass(frozen=True, slots=True, eq=False)
class WorkflowBuild:
    """One build in one run of a job. context, file: relative to the root of the repository.

    target: the stage that is built; empty for the last one, None if it is not known.
    run: of the job in which it is done, also for a step of an action.
    hosted: whether the runner is one that GitHub hosts, and the builder is on it.
    """

    run: Run
    context: str
    file: str
    target: str | None
    hosted: bool


_Recipe = tuple[str, str, "str | None"]
Compose = Callable[[str, ComposeCall], Iterable[_Recipe]]
"""The contexts and Dockerfiles, relative to the repository's root, that Compose builds in a directory of it, each with
the target as in `WorkflowBuild`."""


def workflow_builds(
    runs: Runs, compose: Compose = lambda _, __: (), files: Iterable[Workflow] | None = None
) -> Iterator[WorkflowBuild]:
    """Those of all files, or of these, whose context and Dockerfile are named. Each step that is no action of the
    repository's is read once for every run. Raises TooMuchWorkError as `runs` does."""
    for workflow in runs.workflows if files is None else files:
        for job in workflow.jobs:
            steps = [step for step in job.steps if _may_build(step)]
            for run in runs.of(job) if steps else ():
                for step in steps:
                    runs.charge(1)
                    yield from _of_step(runs, Place(run, step), step, compose)


def _may_build(step: Step) -> bool:
    if step.action == BUILD:
        return True
    return step.run is not None and "docker" in step.run.text and "build" in step.run.text


def _of_step(runs: Runs, place: Place, step: Step, compose: Compose) -> Iterator[WorkflowBuild]:
    if step.action == BUILD:
        build = recipe(step, lambda name: runs.read(step.input(name) or "", place))
        said = runs.read(step.input("context") or "", place)
        git = not said.strip() or "defaultcontext" in said.lower()
        builds = [((build.context, build.file, None if "${{" in build.target else build.target), git, False)]
    else:
        builds = list(_of_script(runs, place, step, compose))
    for (context, file, target), git, elsewhere in builds:
        runs.charge(1)
        if "${{" in context + file or ":" in context + file or context.startswith("/") or file.startswith("/"):
            continue
        found = [context, file] if git else [_in_repository(runs, place, path) for path in (context, file)]
        if found[0] is None or found[1] is None:
            continue
        hosted = not elsewhere and _hosted(runs, place)
        paths = posixpath.normpath(found[0]), posixpath.normpath(found[1])
        yield WorkflowBuild(place.run.workflow_run, *paths, target, hosted)


def _of_script(
    runs: Runs, place: Place, step: Step, compose: Compose
) -> Iterator[tuple[_Recipe, bool, bool]]:
    """The context, the Dockerfile and the target of each build of a script, whether the paths are relative to the
    repository already, and whether it is done by another engine."""
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

    home = runs.read(text_of(step.node.get("working-directory")) or default_directory(step) or ".", place)
    for command in script_commands(runs.read(step.run.text, place), in_workspace(".", home), lookup):
        build: DockerBuild | None = read_build(command.words)
        paths = None if build is None else build.paths(command.directory)
        elsewhere = any(name in _ENGINE for name in command.assigned)
        if build is not None and paths is not None:
            target = build.target
            target = None if target is not None and "${{" in target else target
            yield (*paths, target), False, build.elsewhere or elsewhere
        call = read_compose(command.words) if build is None and command.directory is not None else None
        if call is not None and command.directory is not None:
            directory = _in_repository(runs, place, command.directory)
            for found in compose(directory, call) if directory is not None else ():
                yield found, True, elsewhere


def _in_repository(runs: Runs, place: Place, path: str) -> str | None:
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

