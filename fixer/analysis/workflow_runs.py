"""What expressions of a workflow stand for, in each of the runs of a job: one for every combination of its matrix, and
for everyone in the repository who calls it.

Which contexts there are where is said in docs.github.com "Contexts reference"; the contexts of a composite action's
steps are `github`, `inputs`, `strategy`, `matrix`, `steps`, `job`, `runner` and `env` (the schema of actions/runner,
action_yaml.json), of which all but `inputs` and `steps` are those of the caller.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property, lru_cache

from fixer.analysis.expressions import (
    EXPRESSION,
    Reference,
    goes_on,
    of_expression,
    outcomes,
    references,
)
from fixer.analysis.workflow import Job, Step, Workflow, local_action, matrix_values, text_of
from fixer.analysis.yaml_nodes import Items, Mapping, Node, Scalar
from fixer.text.records import dataclass, field

_DEEPEST = 50
"""Values of the environment and of inputs that are made of others. Each of ten workflows may have some on the way."""
LETTERS = 100
"""So many letters of a text with values in it are looked at as one step: values that are made of others may double."""
PARSED = 20
"""So many letters of a script are parsed in the time of one step."""
LEVELS = 10
"""A workflow that is called has at most nine around it, and an action nine (docs.github.com "Reuse workflows";
actions/runner, Constants.cs, CompositeActionsMaxDepth). GitHub refuses what is deeper."""


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """One run of a job.

    combination: that of its own matrix, or for the steps of an action of the caller's; None if the matrix is computed.
    caller: the step that uses the action, or the job that calls the workflow; None if nobody calls it, or nobody known.
    outer: the run of the caller.
    """

    job: Job
    combination: dict[str, str] | None
    caller: Step | Job | None = None
    outer: Run | None = None
    level: int = field(init=False)
    """1 for a workflow or an action that none of its kind has called, one more for each that has."""

    def __post_init__(self) -> None:
        alike = self.outer is not None and self.outer.composite == self.composite
        object.__setattr__(self, "level", self.outer.level + 1 if self.outer is not None and alike else 1)

    @property
    def composite(self) -> bool:
        """Whether it is an action's, which runs among the steps of the caller."""
        return not self.job.id

    @property
    def workflow_run(self) -> Run:
        """The run of the job in which an action's steps run."""
        return self if self.outer is None or not self.composite else self.outer.workflow_run

    def within(self, other: Run) -> bool:
        """Whether it is the other one, or that called it."""
        return self is other or (self.outer is not None and self.outer.within(other))


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where a text stands: in a run, and there in a step or outside of the steps. own: in the step's own `env`, for
    which none of its variables is there yet."""

    run: Run
    step: Step | None
    own: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Use:
    """A reference, and where it is. known: whether it stands for a text of the files, whose references follow it."""

    reference: Reference
    place: Place
    known: bool


MAX_STEPS = 100_000
"""Steps and runs that may be looked at to answer the questions of somebody about one file. Each build is compared with
the steps before it that may matter: a job of 400 builds, each with a step of its own, asks for nearly as many. Of 36
repositories the one that asks for most needs 328."""

Wanted = Callable[[Step], bool]
"""Which steps somebody asks for: a function of a module, as what it finds is kept."""


class Files:
    """The workflows and actions of a repository with their paths."""

    def __init__(self, files: Sequence[tuple[str, Workflow]]) -> None:
        self.all = tuple(files)
        self.by_path = dict(files)
        self.path_of = {id(workflow): path for path, workflow in files}
        self.runs: dict[Job, tuple[Run, ...]] = {}
        """Those of jobs for which somebody has asked."""
        self.costs: dict[Job, int] = {}
        """The steps that making these alone has taken."""
        self._mentioned: dict[str, bool] = {}

    def mention(self, word: str) -> bool:
        """Whether the text of any file holds it."""
        if word not in self._mentioned:
            self._mentioned[word] = any(word in one.text for _, one in self.all)
        return self._mentioned[word]

    def callers(self, workflow: Workflow) -> list[Step | Job]:
        """The steps that use an action, or the jobs that call a workflow."""
        path = self.path_of.get(id(workflow), "")
        return self._callers.get(path.rpartition("/")[0] if workflow.kind == "action" else path, [])

    def calling(self, workflow: Workflow) -> list[Job]:
        """The jobs of the callers of a file, in their order."""
        return [caller.job if isinstance(caller, Step) else caller for caller in self.callers(workflow)]

    def in_circle(self, workflow: Workflow) -> bool:
        """Whether a file calls itself, perhaps by way of others, or lies between two that do: GitHub runs no such."""
        return id(workflow) in self._circular

    @cached_property
    def _circular(self) -> frozenset[int]:
        above = {id(one): {id(job.workflow) for job in self.calling(one)} for _, one in self.all}
        below: dict[int, set[int]] = {one: set() for one in above}
        for one, callers in above.items():
            for caller in callers:
                below[caller].add(one)
        left = set(above)
        for before, after in ((above, below), (below, above)):
            counts = {one: len(before[one] & left) for one in left}
            free = [one for one, count in counts.items() if not count]
            while free:
                one = free.pop()
                left.discard(one)
                for other in after[one] & left:
                    counts[other] -= 1
                    if not counts[other]:
                        free.append(other)
        return frozenset(left)

    @cached_property
    def _callers(self) -> dict[str, list[Step | Job]]:
        """By the path of a workflow, or the folder of an action."""
        found: dict[str, list[Step | Job]] = {}
        for _, workflow in self.all:
            for job in workflow.jobs:
                name = text_of(job.node.get("uses")) or ""
                if name.startswith("./"):
                    found.setdefault(name.partition("@")[0].removeprefix("./"), []).append(job)
                for step in job.steps:
                    folder = local_action(step)
                    if folder is not None:
                        found.setdefault(folder, []).append(step)
        return found


def files_with(path: str, own: Workflow, others: Sequence[tuple[str, Workflow]]) -> Files:
    """A file and the others of its repository, in the order of their paths; one object for each of them that asks, as
    long as they are the same."""
    return _files(tuple(sorted([(path, own), *others], key=_path)))


@lru_cache(maxsize=4)
def _files(files: tuple[tuple[str, Workflow], ...]) -> Files:
    return Files(files)


def _path(file: tuple[str, Workflow]) -> str:
    return file[0]


class Runs:
    """Those of the jobs of a repository. Questions raise TooMuchWorkError where more than MAX_STEPS steps and runs were
    looked at.

    files: its workflows and actions with their paths.
    """

    def __init__(self, files: Files | Sequence[tuple[str, Workflow]]) -> None:
        self._looked_at = 0
        self._notable: dict[tuple[Job, Wanted], tuple[Step, ...]] = {}
        self._holding: dict[Wanted, frozenset[int]] = {}
        self._inner: dict[object, Run] = {}
        self._values: dict[object, str | None] = {}
        self._files = files if isinstance(files, Files) else Files(files)
        self._conditions: dict[Job, tuple[str, ...]] = {}
        self._asked: set[Job] = set()

    @property
    def workflows(self) -> Iterator[Workflow]:
        """All files."""
        return (workflow for _, workflow in self._files.all)

    def mentions(self, word: str) -> bool:
        """Whether the text of any file holds it."""
        return self._files.mention(word)

    def path(self, run: Run) -> str:
        """Of the file in which the job of a run is."""
        return self.path_of(run.job.workflow)

    def path_of(self, workflow: Workflow) -> str:
        """Of a file; empty for one that is none of these."""
        return self._files.path_of.get(id(workflow), "")

    def action(self, step: Step) -> Workflow | None:
        """The action of the repository's own that a step uses, if it is known."""
        folder = local_action(step)
        if folder is None:
            return None
        names = (f"{folder}/{name}" if folder else name for name in ("action.yml", "action.yaml"))
        return next((self._files.by_path[name] for name in names if name in self._files.by_path), None)

    def called(self, job: Job) -> Workflow | None:
        """The workflow of the repository's own that a job calls, if it is known."""
        name = text_of(job.node.get("uses")) or ""
        return self._files.by_path.get(name.partition("@")[0].removeprefix("./")) if name.startswith("./") else None

    def callers(self, workflow: Workflow) -> list[Step | Job]:
        """The steps that use an action, or the jobs that call a workflow."""
        return self._files.callers(workflow)

    def of(self, job: Job) -> tuple[Run, ...]:
        """Every run of a job that is known; where others may call it too, one more without a caller. Of a job in a file
        that calls itself only that one is."""
        self.charge(0)
        known, costs = self._files.runs, self._files.costs
        waiting = [] if job in self._asked else [job]
        while waiting:
            at = waiting[-1]
            new = [] if self._files.in_circle(at.workflow) else self.calling(at.workflow)
            new = [one for one in new if one not in self._asked]
            waiting += new
            if new or waiting.pop() in self._asked:
                continue
            if at in known:  # what is too much must not depend on who has asked before
                self.charge(costs[at])
            else:
                before = self._looked_at
                known[at] = tuple(self._runs(at))
                costs[at] = self._looked_at - before
            self._asked.add(at)
        return known[job]

    def charge(self, steps: int) -> None:
        """Note that so many steps or runs are looked at. Raises TooMuchWorkError, from then on at every question: what
        was begun is not finished."""
        self._looked_at += steps
        if self._looked_at >= MAX_STEPS:
            from fixer.analysis.facts import TooMuchWorkError

            raise TooMuchWorkError

    def calling(self, workflow: Workflow) -> list[Job]:
        """The jobs of the callers of a file."""
        return self._files.calling(workflow)

    def _runs(self, job: Job) -> Iterator[Run]:
        if self._files.in_circle(job.workflow):
            yield Run(job, None if job.id else {})
            return
        outers: list[tuple[Step | Job, Run]] = []
        for caller, its in zip(self.callers(job.workflow), self.calling(job.workflow), strict=True):
            made = self._files.runs[its]
            self.charge(len(made))
            outers += [(caller, one) for one in made if one.level < LEVELS or one.composite != (not job.id)]
        if not job.id:
            self.charge(len(outers))
            for caller, outer in outers:
                yield Run(job, outer.combination, caller, outer)
            if not outers:
                yield Run(job, None)
            return
        called = "workflow_call" in job.workflow.triggers
        alone = not called or not outers or len(job.workflow.triggers) > 1
        combinations = (None,) if job.combinations is None else job.combinations
        self.charge(len(combinations) * (alone + len(outers) * called))
        for combination in combinations:
            if alone:
                yield Run(job, combination)
            if called:
                for caller, outer in outers:
                    yield Run(job, combination, caller, outer)

    def conditions(self, job: Job) -> tuple[str, ...]:
        """What must hold for a job to run: its own condition, and those of the jobs that it needs. Where one of these
        is skipped it is skipped too, unless its own condition asks for their status."""
        waiting = [] if job in self._conditions else [(job, iter(_inherited(job)))]
        begun = {job}
        while waiting:
            at, rest = waiting[-1]
            needed = next((one for one in rest if one not in self._conditions), None)
            if needed is not None:
                if needed in begun:
                    return self._conditions_in_circle(job)
                begun.add(needed)
                waiting.append((needed, iter(_inherited(needed))))
                continue
            waiting.pop()
            found = dict.fromkeys([at.condition] if at.condition else ())
            for one in _inherited(at):
                self.charge(len(self._conditions[one]))
                found.update(dict.fromkeys(self._conditions[one]))
            self._conditions[at] = tuple(found)
        return self._conditions[job]

    def _conditions_in_circle(self, job: Job) -> tuple[str, ...]:
        """The same where jobs need themselves, which GitHub refuses."""
        found = {job: None}
        waiting = [job]
        while waiting:
            newer = [one for one in _inherited(waiting.pop()) if one not in found]
            self.charge(1 + len(newer))
            found.update(dict.fromkeys(newer))
            waiting += newer
        return tuple(dict.fromkeys(one.condition for one in found if one.condition))

    # --- texts ------------------------------------------------------------------------------------------------------

    def read(self, text: str, place: Place, deep: int = 0) -> str:
        """A text with what is known in the place of its expressions. Texts that come out the same are the same in one
        run of the workflow, as far as the expressions that are left are."""
        if "${{" not in text:
            return text
        self.charge(len(text) // LETTERS)
        parts: list[str] = []
        at = 0
        for match in EXPRESSION.finditer(text):
            parts += [text[at : match.start()], self._read_one(text, match, place, deep)]
            at = match.end()
        return "".join([*parts, text[at:]])

    def _read_one(self, text: str, match: re.Match[str], place: Place, deep: int) -> str:
        used = of_expression(text, match.start(1), match.end(1))
        start = match.start(1) + len(match[1]) - len(match[1].lstrip())
        if len(used) == 1 and (used[0].start, used[0].end) == (start, start + len(match[1].strip())):
            value = self.value(used[0], place, deep)
            return f"${{{{ {used[0].name} }}}}" if value is None else value
        parts, at = [], match.start(1)
        for one in used:
            value = self.value(one, place, deep)
            said = one.name if value is None else "'" + value.replace("'", "''") + "'"
            parts += [text[at : one.start], said]
            at = one.end
        return "${{ " + "".join([*parts, text[at : match.end(1)]]).strip() + " }}"

    def value(self, reference: Reference, place: Place, deep: int = 0) -> str | None:
        """What a reference stands for; of one that is not exact a text that differs where they differ. None if that is
        not known before the workflow runs."""
        if reference.context in ("matrix", "strategy"):
            self.charge(len(place.run.workflow_run.combination or ()) // LETTERS)
            found = _of_matrix(reference, place.run)
        else:
            found = self._value(reference, place, deep)
        self.charge(len(found or "") // LETTERS)
        return found

    def _value(self, reference: Reference, place: Place, deep: int) -> str | None:
        self.charge(0)
        key = (reference.name, place.run, place.step, place.own)
        if key not in self._values:
            if deep > _DEEPEST:
                self.charge(MAX_STEPS)
            self._values[key] = None  # for those that are made of themselves
            found = self._source(reference, place)
            self._values[key] = None if found is None else self.read(found[0], found[1], deep + 1)
        return self._values[key]

    def uses(self, text: str, place: Place) -> Iterator[Use]:
        """What the expressions of a text use, and after each that stands for another text what that uses."""
        return self.all_uses([(text, place)])

    def all_uses(self, texts: Iterable[tuple[str, Place]]) -> Iterator[Use]:
        """The same for several texts; what stands for a text that was followed before is not followed again."""
        seen: set[object] = set()
        for text, place in texts:
            waiting = [(iter(references(text)), place)]
            while waiting:
                reference, where = next(waiting[-1][0], None), waiting[-1][1]
                if reference is None:
                    waiting.pop()
                    continue
                found = self._source(reference, where)
                yield Use(reference, where, found is not None)
                key = (reference.name, reference.exact, where.run, where.step, where.own)
                if found is not None and key not in seen:
                    self.charge(1)
                    seen.add(key)
                    waiting.append((iter(references(found[0])), found[1]))

    # --- where values come from -------------------------------------------------------------------------------------

    def _source(self, reference: Reference, place: Place) -> tuple[str, Place] | None:
        """The text that an input or a variable of the environment has, and where it stands."""
        path, context = reference.path, reference.context
        if context == "github" and path[:2] == ("event", "inputs"):
            path, context = path[2:], "inputs"
        name = path[0] if path else None
        if context == "inputs" and place.run.outer is not None:
            return self._given(name, place.run)
        if context == "github" and reference.exact and path[0].lower() in ("job", "workflow"):
            return self._names_of(place, path[0].lower())
        if context != "env":
            return None
        if name is None:
            tables = [(table, where) for table, where in self.environments(place)]
            texts = [value.text for table, _ in tables for _, value in table.items() if isinstance(value, Scalar)]
            return ("\n".join(texts), tables[0][1]) if tables else None
        for table, where in self.environments(place):
            value = text_of(table.get(name))
            if value is not None:
                return None if where.step is None and self.writers(name, place) else (value, where)
        return None

    def _names_of(self, place: Place, what: str) -> tuple[str, Place] | None:
        """The key of the job, or the name of the workflow that an event starts."""
        run = place.run.workflow_run
        if what == "job":
            return (run.job.id, place) if run.job.id else None
        while run.outer is not None:
            run = run.outer
        workflow = run.job.workflow
        called = set(workflow.triggers) == {"workflow_call"} or workflow.kind == "action"
        name = None if workflow.root is None else workflow.root.get("name")
        found = self.path_of(workflow) if name is None else text_of(name)
        return None if called or not found or "${{" in found else (found, place)

    def _given(self, name: str | None, run: Run) -> tuple[str, Place] | None:
        """What the caller gives as an input, or what it is without."""
        outer, caller = run.outer, run.caller
        assert outer is not None
        assert caller is not None
        given = caller.node.get("with")
        found = {key.text.lower(): value for key, value in given.items()} if isinstance(given, Mapping) else {}
        place = Place(outer, caller if isinstance(caller, Step) else None)
        if name is None:
            return "\n".join(text_of(value) or "" for value in found.values()), place
        node = found.get(name.lower())
        if node is not None:
            text = text_of(node)
            return None if text is None else (text, place)
        declared = _declared(run.job.workflow).get(name.lower())
        default = declared.get("default") if isinstance(declared, Mapping) else None
        return text_of(default) or "", Place(run, None)

    def environments(self, place: Place) -> Iterator[tuple[Mapping, Place]]:
        """The tables `env` that hold at a place, the nearest first, and where their texts stand."""
        return ((table, where) for table, where in self._all_env(place) if isinstance(table, Mapping))

    def made_environments(self, place: Place) -> Iterator[tuple[str, Place]]:
        """The expressions that stand in the place of such tables."""
        return ((table.text, where) for table, where in self._all_env(place) if isinstance(table, Scalar))

    def _all_env(self, place: Place) -> Iterator[tuple[Node | None, Place]]:
        run = place.run
        if place.step is not None and not place.own:
            yield place.step.node.get("env"), Place(run, place.step, own=True)
        if run.composite:
            if run.outer is not None:
                yield from self._all_env(Place(run.outer, run.caller if isinstance(run.caller, Step) else None))
            return
        for node in (run.job.node, run.job.workflow.root):
            if node is not None:
                yield node.get("env"), Place(run, None)

    def before(self, place: Place, wanted: Wanted) -> Iterator[Place]:
        """Those of the steps that run before one which are wanted, the last first; those of an action before it with
        those of its callers, and the steps inside of actions before the step that uses them."""
        run, step = place.run, place.step
        if step is not None:
            notable = self._notable_in(run.job, wanted)
            for other in reversed(notable[: bisect_left(notable, step.index, key=_index)]):
                yield from self._inside(Place(run, other), wanted, ())
        if run.composite and run.outer is not None and isinstance(run.caller, Step):
            yield from self.before(Place(run.outer, run.caller), wanted)

    def inside(self, place: Place, wanted: Wanted) -> list[Place]:
        """Those of a step, and of the steps of the action that it uses, which are wanted, the last first."""
        assert place.step is not None
        notable = self._notable_in(place.run.job, wanted)
        at = bisect_left(notable, place.step.index, key=_index)
        return list(self._inside(place, wanted, ())) if at < len(notable) and notable[at] is place.step else []

    def during(self, run: Run, wanted: Wanted) -> Iterator[Place]:
        """Those of the steps of a run which are wanted, and of those inside of actions, the last first."""
        for other in reversed(self._notable_in(run.job, wanted)):
            yield from self._inside(Place(run, other), wanted, ())

    def _notable_in(self, job: Job, wanted: Wanted) -> tuple[Step, ...]:
        """The steps of a job that are wanted, or inside of which some may be."""
        key = (job, wanted)
        if key not in self._notable:
            self.charge(len(job.steps))
            self._notable[key] = tuple(step for step in job.steps if wanted(step) or self._holds(step, wanted))
        return self._notable[key]

    def _holds(self, step: Step, wanted: Wanted) -> bool:
        """Whether a step uses an action in which some step is wanted, or in one that it uses."""
        action = self.action(step)
        if action is None:
            return False
        if wanted not in self._holding:
            found = {id(one): one for one in self.workflows if one.kind == "action" and any(map(wanted, one.steps))}
            waiting = list(found.values())
            while waiting:
                using = {id(job.workflow): job.workflow for job in self.calling(waiting.pop())}
                newer = {id: one for id, one in using.items() if id not in found and one.kind == "action"}
                found.update(newer)
                waiting += newer.values()
            self._holding[wanted] = frozenset(found)
        return id(action) in self._holding[wanted]

    def _inside(self, place: Place, wanted: Wanted, around: tuple[Workflow, ...]) -> Iterator[Place]:
        """around: the actions in which it is; GitHub ends a job in which one uses itself."""
        assert place.step is not None
        self.charge(1)
        action = self.action(place.step)
        if action is None or action in around or len(around) == LEVELS:
            inner_jobs: Sequence[Job] = ()
        else:
            inner_jobs = action.jobs
            around = (*around, action)
        for job in inner_jobs:
            inner = self._inner_run(job, place)
            for other in reversed(self._notable_in(job, wanted)):
                yield from self._inside(Place(inner, other), wanted, around)
        if wanted(place.step):
            yield place

    def inner(self, place: Place) -> Run | None:
        """The run of the steps of the repository's own action that a step uses; None if it has none that are known."""
        assert place.step is not None
        action = self.action(place.step)
        job = None if action is None else next((one for one in action.jobs if one.steps), None)
        if job is None or (place.run.composite and place.run.level >= LEVELS):
            return None
        return self._inner_run(job, place)

    def _inner_run(self, job: Job, place: Place) -> Run:
        made = Run(job, place.run.combination, place.step, place.run)
        return self._inner.setdefault((job, place.run, place.step), made)

    def writers(self, name: str, place: Place) -> list[Place]:
        """The scripts before a place that put a variable into the environment of later steps."""
        word = re.compile(rf"\b{re.escape(name)}\b")
        scripts = ((one, one.step.run) for one in self.before(place, _writes_environment) if one.step is not None)
        return [one for one, script in scripts if script is not None and word.search(script.text)]

    def labels(self, run: Run) -> tuple[str, ...]:
        """Those of the runner, as far as they are known; of an expression that chooses one of some, all of them."""
        run = run.workflow_run
        place = Place(run, None)
        found: list[str] = []
        for one in _labels(run):
            text = self.read(one, place)
            texts = outcomes(one, matrix_values(run.combination)) if "${{" in text else None
            found += [text] if texts is None else sorted(texts)
        return tuple(found)

    def runner_text(self, run: Run) -> str:
        """`runs-on` with what is known in it: equal for runs whose runners are chosen in the same way."""
        run = run.workflow_run
        return " ".join(self.read(one, Place(run, None)) for one in _labels(run))

    def runner_uses(self, run: Run) -> Iterator[Use]:
        """What the choice of the runner depends on."""
        run = run.workflow_run
        for one in _labels(run):
            yield from self.uses(one, Place(run, None))


def _inherited(job: Job) -> tuple[Job, ...]:
    """The jobs without which a job is skipped."""
    return () if goes_on(job.condition) else job.needs


def _index(step: Step) -> int:
    return step.index


def _writes_environment(step: Step) -> bool:
    return step.run is not None and "GITHUB_ENV" in step.run.text


def _labels(run: Run) -> list[str]:
    node = run.job.node.get("runs-on")
    if isinstance(node, Mapping):
        node = node.get("labels") or node.get("group")
    nodes: Sequence[Node | None] = node.nodes if isinstance(node, Items) else (node,)
    return [text_of(one) or "?" for one in nodes]


def _declared(workflow: Workflow) -> dict[str, Node]:
    """The inputs that an action or a workflow says it takes."""
    if workflow.kind == "action":
        found = None if workflow.root is None else workflow.root.get("inputs")
    else:
        called = workflow.triggers.get("workflow_call")
        found = called.get("inputs") if isinstance(called, Mapping) else None
    return {key.text.lower(): value for key, value in found.items()} if isinstance(found, Mapping) else {}


def _of_matrix(reference: Reference, run: Run) -> str | None:
    """A value of the matrix, or all below a path."""
    known = run.workflow_run.combination
    if known is None:
        return None
    if reference.context == "strategy":
        return repr(sorted(known.items()))
    path = reference.dotted.lower()
    if reference.exact and (value := next((v for k, v in known.items() if k.lower() == path), None)) is not None:
        return value
    below = sorted((k, v) for k, v in known.items() if not path or f"{k}.".lower().startswith(f"{path}."))
    return repr(below) if below else ""
