"""Facts of a GitHub workflow, or of a composite action: its jobs, their steps, and what they build.

Made from the text alone. The syntax is that of docs.github.com "Workflow syntax for GitHub Actions" and "Metadata
syntax" (2026); what actions take is read from their `action.yml` (docker/build-push-action v7,
docker/setup-buildx-action v4).
"""

from __future__ import annotations

import posixpath
import re
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import cached_property
from itertools import product

from fixer.analysis.expressions import EXPRESSION, UNKNOWN, Value, as_value, of_expression, outcomes
from fixer.analysis.yaml_nodes import Items, Mapping, Node, Scalar, Yaml, YamlError, same
from fixer.text.regex import regex
from fixer.text.source import Span, Spans

BUILD = "docker/build-push-action"
SETUP = "docker/setup-buildx-action"
BAKE = "docker/bake-action"
METADATA = "docker/metadata-action"
CHECKOUT = "actions/checkout"

_BEFORE_STEP = regex(r"[- \t\r\n]*")
"""What may stand between the line where a step's block begins and the step."""
_HOSTED = regex(r"(?:ubuntu|windows|macos)-(?:latest|slim|\d+(?:\.\d+)?)(?:-(?:arm|intel|large|xlarge))?")
"""Labels of the runners that GitHub hosts (docs.github.com, "GitHub-hosted runners reference"). Larger runners have
names that their owners choose."""
_MOST_COMBINATIONS = 256
"""GitHub's own limit of jobs that one matrix makes."""
_MOST_VALUES = 200_000
"""So many values are looked at for the matrices of a file: aliases may name more than anybody can hold."""
_LETTERS = 100
"""So many letters of a value's path count as one more."""

ADDED_INPUTS = frozenset({"cache-from", "cache-to", "load"})
"""Inputs that an edit may add to a step that was there."""


_VERSION = regex(r"[\w./+-]+")


class Step:
    """One step of a job."""

    def __init__(self, node: Mapping, job: Job, index: int) -> None:
        self.node = node
        self.job = job
        self.index = index
        self.shared = id(node) in job.workflow.shared
        """An alias names it too."""
        self.kept: object = None
        """What somebody made of its file alone, to have it again."""

    @property
    def span(self) -> Span:
        return self.node.span

    @cached_property
    def uses(self) -> Scalar | None:
        return _scalar(self.node.get("uses"))

    @cached_property
    def run(self) -> Scalar | None:
        """The script; None for a step that uses an action, as no step can do both."""
        return None if self.uses is not None else _scalar(self.node.get("run"))

    @cached_property
    def id(self) -> str:
        return text_of(self.node.get("id")) or ""

    @cached_property
    def condition(self) -> str:
        """`if`, without what may be written around an expression."""
        return without_braces(self.node.get("if"))

    @cached_property
    def action(self) -> str:
        """Owner and repository of the action, in lower case, with its path inside; `./…` for one of this repository;
        empty for a script."""
        uses = self.uses
        return "" if uses is None else uses.text.partition("@")[0].lower()

    @property
    def version(self) -> str:
        """What stands behind the `@`, if that may be a commit, a tag or a branch."""
        found = "" if self.uses is None else self.uses.text.partition("@")[2]
        return found if _VERSION.fullmatch(found) else ""

    @property
    def major(self) -> int | None:
        """The major version, also of a digest with a comment like `# v6.9.0` behind it; None if that cannot be told."""
        uses = self.uses
        if uses is None:
            return None
        said = self.version
        if self.pinned:
            said = self.job.workflow.comment_behind(uses.span.end).lstrip("# ").partition(" ")[0].rpartition("@")[2]
        match = re.fullmatch(r"(?:tag=)?v?(\d{1,9})(?:\.\d+)*(?:[-+.].*)?", said)
        return int(match[1]) if match else None

    @property
    def pinned(self) -> bool:
        """By the digest of a commit."""
        return re.fullmatch(r"[0-9a-f]{40,64}", self.version) is not None

    @cached_property
    def inputs(self) -> Mapping | None:
        """`with`, if it is a mapping."""
        found = self.node.get("with")
        return found if isinstance(found, Mapping) else None

    def input(self, name: str) -> str | None:
        """The text of an input; None if it is not given. Names of inputs do not know case."""
        found = self.input_node(name)
        return None if found is None else text_of(found)

    def input_node(self, name: str) -> Node | None:
        return self._inputs.get(name)

    @cached_property
    def _inputs(self) -> dict[str, Node]:
        """By their names in lower case, the first of a name: steps are compared with each other, and ask often."""
        found: dict[str, Node] = {}
        for key, value in () if self.inputs is None else self.inputs.items():
            found.setdefault(key.text.lower(), value)
        return found

    def texts(self) -> Iterator[str]:
        """Every text in it."""
        yield from _texts(self.node)

    @cached_property
    def expressions(self) -> tuple[str, ...]:
        """Those of its texts that hold expressions, the condition as one; every step that comes after it asks."""
        condition = "${{ " + self.condition.replace("${{", " ").replace("}}", " ") + " }}" if self.condition else ""
        return tuple(text for text in (condition, *self.texts()) if "${{" in text)


class Job:
    """One job, or the steps of a composite action, which run in the job of whoever uses them.

    id: its key; empty for an action's.
    """

    def __init__(self, workflow: Workflow, id: str, node: Mapping, steps: Items | None) -> None:
        self.workflow = workflow
        self.id = id
        self.node = node
        self.sequence = steps
        found = () if steps is None else [one for one in steps.nodes if isinstance(one, Mapping)]
        self.steps = tuple(Step(one, self, i) for i, one in enumerate(found))

    @cached_property
    def condition(self) -> str:
        """`if`, without what may be written around an expression."""
        return without_braces(self.node.get("if"))

    @cached_property
    def needs(self) -> tuple[Job, ...]:
        """The jobs that it names as those that come before it, each once."""
        node = self.node.get("needs")
        names = dict.fromkeys(text_of(one) for one in (node.nodes if isinstance(node, Items) else (node,)))
        by_id = self.workflow.by_id
        return tuple(by_id[name] for name in names if name is not None and name in by_id)

    @cached_property
    def env_words(self) -> frozenset[str]:
        """The words of its scripts that write variables for steps behind them."""
        scripts = (step.run.text for step in self.steps if step.run is not None)
        return frozenset(word for text in scripts if "GITHUB_ENV" in text for word in re.findall(r"\w+", text))

    @property
    def runner(self) -> str:
        """`hosted` by GitHub, `self-hosted`, or `unknown`: that of whoever calls it, a group, a name of somebody's own,
        or what an expression says."""
        if not self.id:
            return "unknown"
        labels = self._labels(self.node.get("runs-on"))
        if labels is None:
            return "unknown"
        if any(label.lower() == "self-hosted" for label in labels):
            return "self-hosted"
        return "hosted" if is_hosted(labels) else "unknown"

    @property
    def linux(self) -> bool:
        """Whether the system of a runner that GitHub hosts is Linux. On the others BuildKit runs in no container."""
        return all(label.lower().startswith("ubuntu-") for label in self._labels(self.node.get("runs-on")) or ())

    @property
    def runner_text(self) -> str:
        """`runs-on` as a message names it."""
        node = self.node.get("runs-on")
        if node is None:
            return "the runner of whoever uses it"
        return " ".join(self.workflow.text[node.span.start : node.span.end].split())

    @cached_property
    def combinations(self) -> tuple[dict[str, str], ...] | None:
        """The values of every combination of the matrix, by their paths (`image.name`, and `image.tags.0` in a list);
        one that is empty without a matrix; None if it is computed."""
        return self.workflow.combinations.get(id(self))

    @property
    def matrix(self) -> Node | None:
        strategy = self.node.get("strategy")
        return strategy.get("matrix") if isinstance(strategy, Mapping) else strategy

    def values(self, text: str) -> frozenset[str] | None:
        """What a text becomes, over all combinations; None if it has an expression that is not of a known matrix."""
        if "${{" not in text:
            return frozenset((text,))
        if self.combinations is None:
            return None
        found = [filled(text, one) for one in self.combinations]
        return None if None in found else frozenset(one for one in found if one is not None)

    def _outcomes(self, text: str) -> frozenset[str] | None:
        """What an expression chooses from, over all combinations; None if that is not known."""
        found: set[str] = set()
        for one in (None,) if self.combinations is None else self.combinations:
            texts = outcomes(text, matrix_values(one))
            if texts is None:
                return None
            found |= texts
        return frozenset(found)

    def _labels(self, node: Node | None) -> list[str] | None:
        if isinstance(node, Mapping):
            return None if node.get("group") is not None else self._labels(node.get("labels"))
        nodes = node.nodes if isinstance(node, Items) else (node,)
        labels: list[str] = []
        for one in nodes:
            text = text_of(one)
            found = None if text is None else self.values(text)
            if found is None and text is not None:
                found = self._outcomes(text)
            if found is None:
                return None
            labels += sorted(found)
        return labels


class Workflow:
    """One file. Anything that is not understood is in `problem`, and then there are no jobs.

    kind: `workflow`, or `action` for a composite action.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.problem: tuple[str, int] | None = None
        self.kind = "workflow"
        self.jobs: tuple[Job, ...] = ()
        self.shared: set[int] = set()
        self.root: Mapping | None = None
        try:
            yaml = Yaml(text)
        except YamlError as error:
            self.problem = (str(error), error.offset)
            return
        self.shared = yaml.shared
        if isinstance(yaml.root, Mapping):
            self.root = yaml.root
            self.jobs = tuple(self._jobs(yaml.root))
        elif yaml.root is not None:
            self.problem = ("it is neither a workflow nor an action: it is no mapping", yaml.root.span.start)

    def _jobs(self, root: Mapping) -> Iterator[Job]:
        jobs, runs = root.get("jobs"), root.get("runs")
        if isinstance(jobs, Mapping):
            for key, node in jobs.items():
                if isinstance(node, Mapping):
                    steps = node.get("steps")
                    yield Job(self, key.text, node, steps if isinstance(steps, Items) else None)
        elif isinstance(runs, Mapping):
            self.kind = "action"
            steps = runs.get("steps")
            yield Job(self, "", runs, steps if isinstance(steps, Items) else None)

    @cached_property
    def triggers(self) -> dict[str, Node | None]:
        """The events by which it is started."""
        node = None if self.root is None else self.root.get("on")
        if isinstance(node, Scalar):
            return {node.text: None}
        if isinstance(node, Items):
            return {one.text: None for one in node.nodes if isinstance(one, Scalar)}
        return {key.text: value for key, value in node.items()} if isinstance(node, Mapping) else {}

    @cached_property
    def combinations(self) -> dict[int, tuple[dict[str, str], ...] | None]:
        """Those of each job's matrix, by its `id`, made in the order of the file: together they have a bound, and which
        are known must not depend on who asks first."""
        room = _Room(_MOST_VALUES)
        return {id(job): _combinations(job.matrix, room) for job in self.jobs}

    @cached_property
    def by_id(self) -> dict[str, Job]:
        """The jobs by their keys."""
        return {job.id: job for job in self.jobs}

    @property
    def steps(self) -> Iterator[Step]:
        for job in self.jobs:
            yield from job.steps

    @cached_property
    def versioned(self) -> dict[str, Step]:
        """The first step that uses an action in a version, by the action."""
        found: dict[str, Step] = {}
        for step in self.steps:
            if step.version and step.uses is not None:
                found.setdefault(step.action, step)
        return found

    @cached_property
    def is_pinned(self) -> bool:
        """Whether all of its actions are pinned by digests."""
        used = [step for step in self.steps if step.version]
        return bool(used) and all(step.pinned for step in used)

    def comment_behind(self, offset: int) -> str:
        """The comment on the rest of the line; empty if there is none."""
        end = self.text.find("\n", offset)
        rest = self.text[offset : len(self.text) if end < 0 else end]
        return rest.partition("#")[1] + rest.partition("#")[2].rstrip() if "#" in rest else ""

    # --- for the engine ---------------------------------------------------------------------------------------------

    @cached_property
    def _step_spans(self) -> list[Span]:
        return sorted(step.span for step in self.steps)

    def block_at(self, offset: int) -> Span | None:
        """The step, job or other pair of a mapping that begins on the line at `offset`."""
        end = self.text.find("\n", offset)
        end = len(self.text) if end < 0 else end
        at = bisect_left(self._step_spans, (offset, offset))
        if at < len(self._step_spans):
            span = self._step_spans[at]
            if span.start < end or _BEFORE_STEP.fullmatch(self.text, offset, span.start) is not None:
                return span
        stack: list[Node] = [] if self.root is None else [self.root]
        seen: set[int] = set()
        while stack:
            one = stack.pop()
            if id(one) in seen:
                continue
            seen.add(id(one))
            if isinstance(one, Mapping):
                for key, value in one.pairs:
                    if offset <= key.span.start <= end:
                        return Span(key.span.start, max(value.span.end, key.span.end))
                    if value.span.end > offset:
                        stack.append(value)
            elif isinstance(one, Items):
                stack += [node for node in one.nodes if node.span.end > offset]
        return None

    def fault(self, old: Workflow, about: Sequence[Span], forward: Callable[[int], int]) -> str | None:
        """What is wrong with this text as one that came from `old` by changes of the places `about`: everywhere else
        it must hold the same data, and there only steps before a build, inputs of it, or a script that became a build
        may be new."""
        if (old.root is None) != (self.root is None) or old.kind != self.kind:
            return "the file is not the same kind of thing any more"
        if old.root is None or self.root is None:
            return None
        if not same(_without_steps(old), _without_steps(self)) or len(old.jobs) != len(self.jobs):
            return "something changed outside of the steps"
        places = Spans(about)
        for before, after in zip(old.jobs, self.jobs, strict=True):
            found = _job_fault(before, after, places)
            if found is not None:
                return found
        return None


def is_hosted(labels: Collection[str]) -> bool:
    """Whether the runner with these labels is surely one that GitHub hosts."""
    return bool(labels) and all(_HOSTED.fullmatch(label.lower()) for label in labels)


def read_workflow(text: str) -> Workflow:
    """The facts of a text. Never raises on content."""
    return Workflow(text)


def _without_steps(workflow: Workflow) -> Node | None:
    """The data without the steps of jobs, which are compared one by one."""
    steps = {id(job.sequence) for job in workflow.jobs}
    made: dict[tuple[int, int], Node] = {}  # aliases cost nothing twice

    def copy(node: Node, depth: int) -> Node:
        if not isinstance(node, Mapping) or depth > 3:
            return node
        if (id(node), depth) not in made:
            pairs = tuple((key, copy(value, depth + 1)) for key, value in node.pairs if id(value) not in steps)
            made[id(node), depth] = Mapping(node.span, pairs, node.flow)
        return made[id(node), depth]

    return None if workflow.root is None else copy(workflow.root, 0)


def _job_fault(old: Job, new: Job, about: Spans) -> str | None:
    if old.id != new.id or not same(old.node.get("runs-on"), new.node.get("runs-on")):
        return "a job is not where it was"
    olds = () if old.sequence is None else old.sequence.nodes
    news = list(() if new.sequence is None else new.sequence.nodes)
    for step in olds:
        mine = about.overlap(step.span)
        inserted = 0
        while news and not same(step, news[0]) and not (mine and _grew(step, news[0])):
            if not mine or inserted == 3 or not _is_helper(news[0]):
                return f"a step of the job {old.id!r} changed that no change is about" if not mine else (
                    f"a step of the job {old.id!r} changed in another way than by what was added"
                )
            news.pop(0)
            inserted += 1
        if not news:
            return f"a step of the job {old.id!r} was lost"
        news.pop(0)
    return f"a step was added to the job {old.id!r} where none was announced" if news else None


def _is_helper(node: Node) -> bool:
    """A step that an edit may put before a build."""
    action = text_of(node.get("uses")) if isinstance(node, Mapping) else None
    name = (action or "").partition("@")[0]
    return name in (SETUP, "actions/cache", "reproducible-containers/buildkit-cache-dance")


def _grew(old: Node, new: Node) -> bool:
    """Whether a step is the old one with more inputs, or a build in the place of a script."""
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        return False
    keys, now = _by_text(old), _by_text(new)
    if "run" in keys and "run" not in now:
        gone, came = {"run", "shell", "working-directory"}, {"uses", "with"}
        left = all(same(keys[key], now.get(key)) for key in set(keys) - gone)
        build = (text_of(now.get("uses")) or "").partition("@")[0] == BUILD
        return left and build and set(now) - set(keys) <= came
    if set(keys) - set(now) or set(now) - set(keys) - {"with", "id"}:
        return False
    if not all(same(value, now[key]) for key, value in keys.items() if key != "with"):
        return False
    before, after = keys.get("with"), now.get("with")
    was = _by_text(before)
    has = _by_text(after)
    if before is not None and not isinstance(before, Mapping) and text_of(before) != "":
        return same(before, after)
    kept = all(key in has and same(value, has[key]) for key, value in was.items())
    return kept and set(has) - set(was) <= ADDED_INPUTS


def _by_text(node: Node | None) -> dict[str, Node]:
    return {key.text: value for key, value in node.items()} if isinstance(node, Mapping) else {}


# --- texts ----------------------------------------------------------------------------------------------------------


def text_of(node: Node | None) -> str | None:
    """The text of a scalar; None for anything else."""
    return node.text if isinstance(node, Scalar) else None


def without_braces(node: Node | None) -> str:
    """The expression of an `if`, without what may be written around it."""
    found = " ".join((text_of(node) or "").split())
    match = EXPRESSION.fullmatch(found)
    return match[1].strip() if match else found


def _scalar(node: Node | None) -> Scalar | None:
    return node if isinstance(node, Scalar) else None


def _texts(node: Node) -> Iterator[str]:
    stack: list[Node] = [node]
    seen: set[int] = set()
    while stack:
        one = stack.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, Scalar):
            yield one.text
        elif isinstance(one, Items):
            stack.extend(one.nodes)
        else:
            stack.extend(part for pair in one.pairs for part in pair)


def listed(text: str | None) -> list[str]:
    """The members of an input that is a list: one a line, as docker's actions read `tags`; empty lines do not count."""
    return [line.strip() for line in (text or "").splitlines() if line.strip()]


def comma_listed(text: str | None) -> list[str]:
    """The members of a list that commas may part too, as `platforms`."""
    return [part.strip() for line in listed(text) for part in line.split(",") if part.strip()]


def matrix_values(combination: dict[str, str] | None) -> Callable[[str], Value]:
    """What expressions find in a combination of the matrix, which is None if it is computed."""
    known = {f"matrix.{name}".lower(): as_value(value) for name, value in (combination or {}).items()}

    def lookup(name: str) -> Value:
        if combination is None or not name.startswith("matrix.") or any(one.startswith(f"{name}.") for one in known):
            return UNKNOWN
        return known.get(name)

    return lookup


def filled(text: str, combination: dict[str, str]) -> str | None:
    """A text with the values of a combination in it; None if it has another expression."""
    parts: list[str] = []
    at = 0
    for match in EXPRESSION.finditer(text):
        inside = match[1].strip()
        used = of_expression(inside)
        whole = len(used) == 1 and used[0].exact and (used[0].start, used[0].end) == (0, len(inside))
        value = combination.get(used[0].dotted) if whole and used[0].context == "matrix" else None
        if value is None:
            return None
        parts += [text[at : match.start()], value]
        at = match.end()
    return "".join([*parts, text[at:]])


# --- matrices -------------------------------------------------------------------------------------------------------


class _Room:
    """How many values may still be looked at."""

    def __init__(self, left: int) -> None:
        self._left = left

    def take(self, values: int) -> bool:
        """Whether there was room for them."""
        self._left = max(self._left - values, -1)
        return self._left >= 0


def _combinations(matrix: Node | None, room: _Room) -> tuple[dict[str, str], ...] | None:
    if matrix is None:
        return ({},)
    if not isinstance(matrix, Mapping):
        return None
    axes: list[list[dict[str, str]]] = []
    names: set[str] = set()
    for key, node in matrix.items():
        if key.text in ("include", "exclude"):
            continue
        names.add(key.text)
        values = _axis(key.text, node, room)
        if values is None:
            return None
        axes.append(values)
    size = 1
    for axis in axes:
        size *= len(axis)
    if size > _MOST_COMBINATIONS or not room.take(size * sum(map(_widest, axes))):
        return None
    made = [_joined(parts) for parts in product(*axes)] if axes else []
    return _included(made, names, matrix, room)


def _widest(axis: Sequence[dict[str, str]]) -> int:
    return max(map(len, axis), default=0)


def _axis(name: str, node: Node, room: _Room) -> list[dict[str, str]] | None:
    if not isinstance(node, Items):
        return None
    return _all_flat(name, node, room)


def _all_flat(name: str, node: Items, room: _Room) -> list[dict[str, str]] | None:
    found: list[dict[str, str]] = []
    for one in node.nodes:
        flat = _flat(name, one, room)
        if flat is None:
            return None
        found.append(flat)
    return found


def _flat(name: str, node: Node, room: _Room) -> dict[str, str] | None:
    """A value by the paths of its parts; None for one that is computed, or for which there is no room."""
    found: dict[str, str] = {}
    stack = [(name, node)]
    while stack:
        path, one = stack.pop()
        size = 0 if isinstance(one, Scalar) else len(one.nodes if isinstance(one, Items) else one.pairs)
        if not room.take(1 + size + len(path) // _LETTERS):
            return None
        if isinstance(one, Scalar):
            if "${{" in one.text:
                return None
            found[path] = one.text
            continue
        inner = enumerate(one.nodes) if isinstance(one, Items) else ((key.text, value) for key, value in one.items())
        stack += reversed([(f"{path}.{key}" if path else str(key), value) for key, value in inner])
    return found


def _joined(parts: Sequence[dict[str, str]]) -> dict[str, str]:
    return {key: value for part in parts for key, value in part.items()}


def _included(
    made: list[dict[str, str]], axes: set[str], matrix: Mapping, room: _Room
) -> tuple[dict[str, str], ...] | None:
    """With `exclude` and `include`, as "Running variations of jobs in a workflow" tells it: an entry is added to every
    combination that it does not contradict in the axes, else it is a combination of its own."""
    for key in ("exclude", "include"):
        node = matrix.get(key)
        if node is None:
            continue
        if not isinstance(node, Items):
            return None
        known = _all_flat("", node, room)
        if known is None:
            return None
        if key == "exclude":
            made = [one for one in made if not any(all(one.get(k) == v for k, v in out.items()) for out in known)]
            continue
        original = len(made)
        for entry in known:
            fits = [
                one
                for one in made[:original]
                if axes and all(one.get(k) == v for k, v in entry.items() if k.partition(".")[0] in axes)
            ]
            if not room.take(len(fits) * len(entry)):
                return None
            for one in fits:
                one.update(entry)
            if not fits:
                made.append(dict(entry))
    return tuple(made) if len(made) <= _MOST_COMBINATIONS else None


# --- what is built --------------------------------------------------------------------------------------------------


class Recipe:
    """What one build takes: enough to tell two images apart, and to find the Dockerfile.

    context, file, target: texts as they stand there, normalized; they may hold expressions.
    """

    def __init__(self, step: Step, context: str, file: str, target: str, rest: tuple[str, ...]) -> None:
        self.step = step
        self.context = context
        self.file = file
        self.target = target
        self.rest = rest

    @property
    def key(self) -> tuple[str, ...]:
        """Equal for builds that share their layers."""
        return (self.context, self.file, self.target, *self.rest)

    def files(self) -> frozenset[str] | None:
        """The Dockerfiles that it builds, relative to the repository's root; None if that cannot be told."""
        found = self.step.job.values(self.file)
        return None if found is None else frozenset(posixpath.normpath(path) for path in found)


def recipe(step: Step, read: Callable[[str], str] | None = None) -> Recipe:
    """Of a step with docker/build-push-action. Without `file` it is the Dockerfile in the context; with it the path is
    relative to the root of the repository, or of the default Git context, which is the same.

    read: the texts of inputs, where more is known of them than what stands there; empty for those that are not given.
    """
    read = read or (lambda name: step.input(name) or "")
    context = _plain_context(read("context"))
    file = read("file").strip()
    file = _relative(file) if file else posixpath.normpath(posixpath.join(context, "Dockerfile"))
    platforms = ",".join(sorted(comma_listed(read("platforms"))))
    lists = ["\n".join(sorted(listed(read(name)))) for name in ("build-args", "build-contexts")]
    return Recipe(step, context, file, read("target").strip(), (platforms, *lists))


def _plain_context(text: str) -> str:
    text = text.strip()
    compact = re.sub(r"\s+", "", text)
    for default in ("{{defaultContext}}", "${{github.workspace}}"):
        if compact == default:
            return "."
        if compact.startswith((default + ":", default + "/")):
            text = compact[len(default) + 1 :]
    return _relative(text) if text else "."


def _relative(path: str) -> str:
    for prefix in ("${{ github.workspace }}/", "${{github.workspace}}/"):
        path = path.removeprefix(prefix)
    return posixpath.normpath(path) if "://" not in path else path


def local_action(step: Step) -> str | None:
    """The folder of the repository's own action that a step uses, relative to the root, which is the empty text; None
    if it uses another."""
    name = step.uses.text if step.uses is not None else ""
    if not name.startswith("./"):
        return None
    folder = posixpath.normpath(name.partition("@")[0])
    return "" if folder == "." else folder


def default_directory(step: Step) -> str | None:
    """`working-directory` of the job's, or the workflow's, `defaults`."""
    return _default(step, "working-directory")


def default_shell(step: Step) -> str | None:
    """`shell` of the job's, or the workflow's, `defaults`."""
    return _default(step, "shell")


def _default(step: Step, key: str) -> str | None:
    for node in (step.job.node, step.job.workflow.root):
        defaults = None if node is None else node.get("defaults")
        run = defaults.get("run") if isinstance(defaults, Mapping) else None
        found = text_of(run.get(key)) if isinstance(run, Mapping) else None
        if found is not None:
            return found
    return None
