"""The events that start the runs of a build, and whether one such run ever reads what another one has cached.

GitHub shows a cache to the runs of the ref that wrote it, and that of the default branch to all; a tag does not see
another tag's (docs.github.com, "Dependency caching reference", "Restrictions for accessing a cache").
"""

from __future__ import annotations

from collections.abc import Iterator

from fixer.analysis.expressions import EXPRESSION, UNKNOWN, Somewhat, Value, holds
from fixer.analysis.workflow import Step, text_of
from fixer.analysis.workflow_runs import LETTERS, Run, Runs
from fixer.analysis.yaml_nodes import Items, Mapping, Node
from fixer.text.records import dataclass

_EACH_NEW = ("release", "create", "merge_group")
"""Events that happen once for a ref: a release, a new tag or branch, a merge group."""
_OUTSIDE = frozenset({"schedule", "repository_dispatch", "registry_package"})
"""Events for which nothing in the repository has changed."""
BY_HAND = "workflow_dispatch"
_ASKS = "workflow_run.event"
_REFS = {"branch": "refs/heads/", "tag": "refs/tags/", "pull": "refs/pull/"}
_KINDS = {
    "push": ("branch", "tag"), "workflow_dispatch": ("branch", "tag"), "create": ("branch", "tag"), "release": ("tag",),
    "pull_request": ("pull",), "merge_group": ("branch",), "schedule": ("branch",), "pull_request_target": ("branch",),
    "workflow_run": ("branch",), "repository_dispatch": ("branch",), "issue_comment": ("branch",),
}  # fmt: skip
"""Which refs the runs of an event may be for (docs.github.com, "Events that trigger workflows")."""

UNREAD = "each run is for a ref of its own, as a new tag is, and GitHub shows what one of them has cached to no other"


@dataclass(frozen=True, slots=True)
class _Start:
    """One way in which a workflow may be started. ref: the kind of what the run is for; empty if that is not known."""

    event: str
    ref: str

    @property
    def own_ref(self) -> bool:
        """Whether no later run is for the same ref."""
        return self.ref == "tag" or self.event in _EACH_NEW

    def value(self, name: str) -> Value:
        """What a reference is in such a run."""
        if self.event == "workflow_call":  # somebody else's event
            return UNKNOWN
        if name == "github.event_name":
            return self.event
        if name == "github.ref_type" and self.ref:
            return "tag" if self.ref == "tag" else "branch"
        return Somewhat(True, _REFS[self.ref]) if name == "github.ref" and self.ref else UNKNOWN


def from_outside(runs: Runs, step: Step) -> frozenset[str]:
    """The events that start a build because something outside of the repository may have changed: a schedule, a call by
    a program elsewhere, a workflow behind one that these start, and somebody by hand, where nothing else starts it. Not
    those with which it takes nothing from the cache."""
    starts = [(run, start) for run in runs.of(step.job) for start in _starts(run, step, runs)]
    fresh = EXPRESSION.fullmatch((step.input("no-cache") or "").strip())
    found: set[str] = set()
    for run, start in starts:
        if fresh is not None and holds(fresh[1], start.value) is True:
            continue
        follows = start.event == "workflow_run" and _follows_outside(run, step, runs)
        if start.event in _OUTSIDE or follows:
            found.add(start.event)
    by_hand = {start.event for _, start in starts} == {BY_HAND}
    return frozenset({BY_HAND} if by_hand and fresh is None else found)


def _follows_outside(run: Run, step: Step, runs: Runs) -> bool:
    """Whether a workflow that runs behind others does so behind one that is started from outside, as far as that is
    known: not if it asks what has started them."""
    if any(_ASKS in condition for condition in _conditions(run, step, runs)):
        return False
    node = _first(run).job.workflow.triggers.get("workflow_run")
    said = node.get("workflows") if isinstance(node, Mapping) else None
    names = {text_of(one) for one in (said.nodes if isinstance(said, Items) else (said,))}
    followed = [one for one in runs.workflows if one.root is not None and text_of(one.root.get("name")) in names]
    runs.charge(len(followed))
    return any(not _OUTSIDE.isdisjoint(one.triggers) for one in followed if one.kind == "workflow")


def reads_back(runs: Runs, step: Step) -> bool:
    """Whether a run of a step may read what an earlier one has cached: not if each is for a ref of its own, as a new
    tag is. True if that is not known, as what starts a workflow that others call from elsewhere."""
    return any(_reads_back(run, step, runs) for run in runs.of(step.job))


def events_of(runs: Runs, step: Step) -> frozenset[str]:
    """The events that may start a run of a step: those of the workflows that have it, or call what has it, but for
    those with which its conditions do not hold."""
    found: set[str] = set()
    for run in runs.of(step.job):
        found.update(start.event for start in _starts(run, step, runs))
    return frozenset(found)


def _reads_back(run: Run, step: Step, runs: Runs) -> bool:
    starts = _starts(run, step, runs)
    return not starts or any(not start.own_ref for start in starts)


def _starts(run: Run, step: Step, runs: Runs) -> list[_Start]:
    """How a run of a step may be started. Where the events that are named start none, as with a condition for tags and
    a `push` of branches, what would start one if they were."""
    runs.charge(1)
    triggers = _first(run).job.workflow.triggers
    conditions = [condition for condition in _conditions(run, step, runs) if condition]
    for refs in (_refs, _all_refs):
        found = [_Start(name, ref) for name, node in triggers.items() for ref in refs(name, node)]
        for condition in conditions:
            runs.charge(1 + len(condition) * len(found) // LETTERS)
            found = [start for start in found if holds(condition, start.value) is not False]
        if found:
            return found
    return []


def _first(run: Run) -> Run:
    """The run that an event starts."""
    while run.outer is not None:
        run = run.outer
    return run


def _conditions(run: Run, step: Step, runs: Runs) -> Iterator[str]:
    """What must hold for a step to run."""
    yield step.condition
    at: Run | None = run
    while at is not None:
        yield from runs.conditions(at.job)
        if isinstance(at.caller, Step):
            yield at.caller.condition
        at = at.outer


def _refs(name: str, node: Node | None) -> tuple[str, ...]:
    """The kinds of refs for which an event starts a workflow. Where `push` names tags alone, or no branch is left, it
    is started for no branch, and the other way round."""
    kinds = _all_refs(name, node)
    if name != "push" or not isinstance(node, Mapping):
        return kinds
    keys = [key.text for key, _ in node.items()]
    words = {"branch": "branches", "tag": "tags"}
    named = [kind for kind, word in words.items() if any(key.startswith(word) for key in keys)]
    found = named or list(kinds)
    for kind, word in words.items():
        ignored = node.get(f"{word}-ignore")
        texts = [text_of(one) for one in (ignored.nodes if isinstance(ignored, Items) else [ignored])]
        if "**" in texts and kind in found:
            found.remove(kind)
    return tuple(found)


def _all_refs(name: str, _: Node | None) -> tuple[str, ...]:
    """Those for which it may be started by any workflow."""
    return _KINDS.get(name, ("",))
