"""The events that start the runs of a build, and whether one such run ever reads what another one has cached.

GitHub shows a cache to the runs of the ref that wrote it, and that of the default branch to all; a tag does not see
another tag's (docs.github.com, "Dependency caching reference", "Restrictions for accessing a cache").
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fixer.analysis.workflow import Job, Step, without_braces
from fixer.analysis.workflow_runs import LETTERS, Run, Runs
from fixer.analysis.yaml_nodes import Mapping, Node

_TAG = re.compile(
    r"startsWith\(\s*github\.ref\s*,\s*'refs/tags/[^']*'\s*\)|github\.ref_type\s*==\s*'tag'", re.IGNORECASE
)
_EVENT = re.compile(r"github\.event_name\s*(==|!=)\s*'([\w-]+)'", re.IGNORECASE)

UNREAD = "each run is for a ref of its own, as a new tag is, and GitHub shows what one of them has cached to no other"


def scheduled(runs: Runs, job: Job) -> bool:
    """Whether a schedule starts a run of a job, perhaps by way of one that calls it."""
    return any("schedule" in _first(run).job.workflow.triggers for run in runs.of(job))


def reads_back(runs: Runs, step: Step) -> bool:
    """Whether a run of a step may read what an earlier one has cached: not if each is for a ref of its own, as a new
    tag is. True if that is not known, as what starts a workflow that others call from elsewhere."""
    return any(_reads_back(run, step, runs) for run in runs.of(step.job))


def _reads_back(run: Run, step: Step, runs: Runs) -> bool:
    events = _first(run).job.workflow.triggers
    names = list(events)
    for condition in _conditions(run, step):
        runs.charge(1 + len(condition) // LETTERS)
        for part in () if "||" in condition else condition.split("&&"):
            if _TAG.fullmatch(part.strip()):
                return False
            match = _EVENT.fullmatch(part.strip())
            if match:
                names = [one for one in names if (one == match[2].lower()) == (match[1] == "==")]
    return not names or any(not _own_ref(name, events[name]) for name in names)


def _first(run: Run) -> Run:
    """The run that an event starts."""
    while run.outer is not None:
        run = run.outer
    return run


def _conditions(run: Run, step: Step) -> Iterator[str]:
    """What must hold for a step to run."""
    yield step.condition
    at: Run | None = run
    while at is not None:
        yield without_braces(at.job.node.get("if"))
        if isinstance(at.caller, Step):
            yield at.caller.condition
        at = at.outer


def _own_ref(name: str, node: Node | None) -> bool:
    """Whether an event happens once for a ref: a release, a new tag or branch, a merge group."""
    if name == "push":
        keys = [key.text for key, _ in node.items()] if isinstance(node, Mapping) else []
        return any(key.startswith("tags") for key in keys) and not any(key.startswith("branches") for key in keys)
    return name in ("release", "create", "merge_group")
