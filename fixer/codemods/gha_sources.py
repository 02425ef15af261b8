"""What stands in the workspace when a build begins: whether two builds copy the same.

Of what a script or an action writes nobody can tell what it is, so it counts which steps may have written, with their
texts and what these hold. A commit that an expression chooses is the one that the run is for.
"""

from __future__ import annotations

import posixpath
import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from hashlib import sha256

from fixer.analysis.expressions import references
from fixer.analysis.workflow import CHECKOUT, Job, Step, default_directory, text_of
from fixer.analysis.workflow_runs import Place, Run, Runs
from fixer.analysis.workspace_writes import may_write
from fixer.analysis.yaml_nodes import Mapping, Scalar
from fixer.text.records import dataclass

_OWN = re.compile(r"(?i)\$\{\{\s*github\.(?:repository|workspace)\s*\}\}/?")
_OF_ALL = ("github", "vars", "secrets", "runner")
"""Contexts that are the same for all jobs of a run."""
_OF_JOB = re.compile(r"\bGITHUB_(?:JOB|WORKFLOW|ACTION)\b")


@dataclass(frozen=True, slots=True)
class Origin:
    """What has made the files of a context. key: equal where they are the same; empty for the commit alone, as it is
    checked out by default. opaque: whether somebody may have written into it."""

    key: str = ""
    opaque: bool = False


COMMIT = Origin()


class Sources:
    """Those of the builds of some files.

    image: the name of the image that a step makes in a run, or nothing.
    """

    def __init__(self, runs: Runs, image: Callable[[Place], str]) -> None:
        self._runs = runs
        self._image = image
        self._origins: dict[tuple[object, ...], tuple[tuple[int, ...], tuple[Origin, ...]]] = {}
        self._tables: dict[tuple[object, ...], str] = {}
        self._images: dict[tuple[object, ...], dict[str, str]] = {}

    def key(self, place: Place) -> tuple[str, ...]:
        """What tells the context of a build from those of others, besides its name. If somebody may have written into
        it, the image's name counts too: the first that is built of these files in the job."""
        found = self._origin(place)
        if not found.opaque:
            return (found.key,) if found.key else ()
        return found.key, self._image_of(place, found)

    def _origin(self, place: Place) -> Origin:
        assert place.step is not None
        indexes, origins = self._of_job(place.run)
        return origins[bisect_left(indexes, place.step.index)]

    def _of_job(self, run: Run) -> tuple[tuple[int, ...], tuple[Origin, ...]]:
        """The steps of a job that may write, and the origin before the first of them and behind each."""
        key = _chain(run)
        if key not in self._origins:
            outer = run.outer if run.composite and isinstance(run.caller, Step) else None
            origin = COMMIT if outer is None else self._origin(Place(outer, _step(run.caller)))
            indexes, origins = [], [origin]
            for step in run.job.steps:
                inside = [one for one in self._runs.inside(Place(run, step), may_write) if not self._is_read(one)]
                for one in reversed(inside):
                    origin = self._behind(origin, one)
                if inside:
                    indexes.append(step.index)
                    origins.append(origin)
            self._origins[key] = tuple(indexes), tuple(origins)
        return self._origins[key]

    def _is_read(self, place: Place) -> bool:
        """Whether it is an action whose own steps are known."""
        action = None if place.step is None else self._runs.action(place.step)
        return action is not None and any(True for _ in action.steps)

    def _behind(self, before: Origin, place: Place) -> Origin:
        step = place.step
        assert step is not None
        if step.action == CHECKOUT:
            said = self._checkout(step, place)
            return before if not any(said) else Origin(_digest(before.key, *said), before.opaque)
        if step.run is not None:
            said = (step.run.text, text_of(step.node.get("working-directory")) or default_directory(step) or "")
        else:
            inputs = step.inputs
            pairs = () if inputs is None else sorted((key.text, text_of(value) or "") for key, value in inputs.items())
            said = (step.action, *(part for pair in pairs for part in pair))
        said = (*said, step.condition and "${{ " + step.condition + " }}")
        around = [self._table(table, where) for table, where in self._runs.environments(place)]
        return Origin(_digest(before.key, self._read(said, place), *around), opaque=True)

    def _table(self, table: Mapping, where: Place) -> str:
        key = (_chain(where.run), id(table))
        if key not in self._tables:
            pairs = [(key.text, value.text) for key, value in table.items() if isinstance(value, Scalar)]
            self._tables[key] = self._read([part for pair in pairs for part in pair], where)
        return self._tables[key]

    def _read(self, texts: Sequence[str], place: Place) -> str:
        """Equal for texts that are the same in every run."""
        read = [self._runs.read(text, place) for text in texts]
        return _digest(*read, *(_job_key(text, place.run) for text in read))

    def _checkout(self, step: Step, place: Place) -> tuple[str, ...]:
        """Which repository, at which commit, where, and what of it; empty texts for what is so by default."""
        def read(name: str) -> str:
            return self._runs.read(step.input(name) or "", place).strip()

        path = posixpath.normpath(_OWN.sub("", read("path")) or ".")
        ref = read("ref")
        parts = [_OWN.sub("", read("repository")), "" if "${{" in ref else ref, "" if path == "." else path]
        for name in ("submodules", "lfs"):
            said = read(name).lower()
            parts.append("" if said == "false" else said)
        return (*parts, read("sparse-checkout"))

    def _image_of(self, place: Place, origin: Origin) -> str:
        key = _chain(place.run)
        if key not in self._images:
            found: dict[str, str] = {}
            for step in place.run.job.steps:
                other = Place(place.run, step)
                name = self._image(other)
                if name:
                    found.setdefault(self._origin(other).key, name)
            self._images[key] = found
        return self._images[key].get(origin.key, "")


def _chain(run: Run) -> tuple[object, ...]:
    """Equal for the runs of one job for the same callers."""
    found: list[object] = []
    at: Run | None = run
    while at is not None:
        found += [id(at.job), id(at.caller)]
        at = at.outer
    return tuple(found)


def _step(caller: Step | Job | None) -> Step:
    assert isinstance(caller, Step)
    return caller


def _job_key(text: str, run: Run) -> str:
    """What a text is about besides what stands there: a job, if something of it is in there that is not known."""
    used = {one.context for one in references(text)} if "${{" in text else set[str]()
    if used - {*_OF_ALL, "inputs", "matrix", "strategy"} or _OF_JOB.search(text):
        return str(id(run.job))
    return str(id(run.job.workflow)) if "inputs" in used else ""


def _digest(*parts: str) -> str:
    return sha256("\0".join(f"{len(part)}\0{part}" for part in parts).encode("utf-8", "surrogatepass")).hexdigest()
