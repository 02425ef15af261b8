"""Secrets that a build may put into its layers: by build arguments, or by files of its context."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Collection, Iterator, Sequence

from fixer.analysis.expressions import EXPRESSION
from fixer.analysis.workflow import CHECKOUT, Job, Step, Workflow, listed, text_of
from fixer.analysis.workflow_runs import LETTERS, PARSED, Place, Run, Runs, Use
from fixer.analysis.yaml_nodes import Mapping, Node, Scalar
from fixer.codemods.gha_actions import (
    AWS,
    GOOGLE,
    UPLOAD,
    code,
    directory_of,
    downloads,
    ends_with_job,
    exports,
    gives,
    gives_file,
    is_familiar,
    keeps_at_home,
    keeps_key,
    keeps_token,
    logs_in,
    of_other_runs,
    script_of,
    shell_of,
    writes,
)
from fixer.codemods.gha_keeps import EVERYTHING, HOME, HOMES, OTHER, SECRET, SOMEWHERE, Around, Kept, is_elsewhere, kept
from fixer.text.records import dataclass, replace

_NAMED = re.compile(
    r"token|secret|passw|passphrase|credential|private|api_?key|access_?key|(?<![a-z])(?:key|pat)(?![a-z])"
)
_NO_SECRET = re.compile(r"cache[_-]?key|public|secret[_-]?name|key[_-]?(?:id|name)")
"""Names of values that are, or are not, secrets, as their authors choose them."""
_WORKSPACE = re.compile(r"\$\{\{\s*github\.workspace\s*\}\}|\$\{?GITHUB_WORKSPACE\}?")
_ARGUMENT = re.compile(r"--build-arg[= \t]+(?P<value>(?:\"[^\"]*\"|'[^']*'|\$\{\{.*?(?:\}\}|\Z)|[^\s\"'])+)", re.DOTALL)
_OWN = re.compile(r"\$\{\{\s*github\.repository\s*\}\}")
_WORKFLOW_TOKEN = "github_token"
"""The token of the job, which ends with it: in a cache it is of use to nobody. `github.token` is the same."""
_MOUNTED = re.compile(r"\"?(?P<id>[\w.-]+)=(?P<value>.*)")
"""A line of the inputs that give secrets; one that is no such belongs to the line before."""
_GIT_TOKEN = "GIT_AUTH_TOKEN"
"""As what docker/build-push-action gives its `github-token` (README of v6)."""
_GLOB = re.compile(r"[*?\[]|\$\{\{")
_TEMPORARY = re.compile(r"\$\{\{\s*runner\.temp\s*\}\}")
_COMPUTED = re.compile(r"\$\{?\w+\}?(?:=|<<)|\b(?:jq|yq|sed|awk|cat|tr|sops|vault|op|doppler|env|printenv|envsubst)\b")
"""What may make the names of the variables that a script writes."""
_AWS_NAMES = frozenset({"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"})
_AT_HOME = re.compile(rf"\b({'|'.join(HOMES)})=([^\s\"']*)")
"""Where a script says where programs keep what they are told."""
_HOME = "/home/runner"
_WORK = f"{_HOME}/work"
_HOMES = re.compile(r"(?:~|\$HOME\b|\$\{HOME\}|/root|/github/home)(?=/|\Z)")
_TEMPORARIES = re.compile(r"\$(?:RUNNER_TEMP|TMPDIR)\b|\$\{(?:RUNNER_TEMP|TMPDIR)\b[^}]*\}|\$\(mktemp(?: -d)?\)")
"""Names of the home, in containers and with sudo too, and of directories for temporary files."""
_DEEPEST = 12
"""Nobody follows a value further, from job to job."""
_MOST_FILES = 20
"""So many files with secrets are followed by their names."""


@dataclass(frozen=True, slots=True)
class Writer:
    """A step that may write a secret where a build reads it; recipe: whether that is its Dockerfile."""

    place: Place
    recipe: bool


class Secrets:
    """Where the steps of a repository's workflows use secrets.

    left_out: whether the .dockerignore that counts leaves out of a context what stands at a path: the context, the
        Dockerfile and the path, relative to the workspace. An empty text for a Dockerfile that is not known.
    """

    def __init__(self, runs: Runs, left_out: Callable[[str, str, str], bool]) -> None:
        self._runs = runs
        self._left_out = left_out
        self._acting: dict[tuple[Run, Step, int], bool] = {}
        self._holding: dict[tuple[int, Run, Step | None, int], tuple[frozenset[str], dict[str, str]]] = {}
        self._left: dict[tuple[Run, Step | None, int], Around] = {}
        self._keeping: dict[tuple[Run, Step, int], Kept] = {}
        self._written: dict[tuple[Run, Step, int], tuple[str, ...]] = {}
        self._passing: dict[tuple[str, str, Workflow, int, bool], bool] = {}
        self._needed: dict[Job, frozenset[str]] = {}
        self._artifacts: dict[Workflow, list[tuple[Place, str]]] = {}
        self._uploading: dict[tuple[Run, Step, int], bool] = {}
        self._read: dict[object, Kept] = {}
        self._in_files: dict[tuple[Step, tuple[str, ...], str | None], Writer | None] = {}

    def in_inputs(self, step: Step) -> str | None:
        """The input of a build that holds a secret, and may be seen in its layers."""
        for name in ("build-args", "build-contexts", "context"):
            text = step.input(name) or ""
            if self.in_arguments(step, listed(text)) if name == "build-args" else self._in_text(step, text):
                return name
        return None

    def in_arguments(self, step: Step, arguments: Sequence[str]) -> bool:
        """Whether a secret may be in build arguments of a step; one without `=` is taken from the environment."""
        named = (re.sub(r"\A[A-Za-z_]\w*\Z", r"${{ env.\g<0> }}", text) for text in arguments)
        return any(self._in_text(step, text) for text in named)

    def _in_text(self, step: Step, text: str) -> bool:
        return "${{" in text and any(self._secret(text, place, 0) for place in self._places(step))

    def in_command(self, step: Step, command: str) -> bool:
        """Whether a secret may be in the build arguments of `docker build` in a script."""
        if "--build-arg" not in command:
            return False
        for place in self._places(step):
            self._given(place, 0)
            if self._kept(place, 0).built:
                return True
        for match in _ARGUMENT.finditer(command):
            value = match["value"].replace('"', "").replace("'", "")
            used = re.findall(r"\$(?:env:)?\{?([A-Za-z_]\w*)", value)
            if self.in_arguments(step, [value, *used]):
                return True
        return False

    def in_files(self, step: Step, contexts: Sequence[str], dockerfile: str | None) -> Writer | None:
        """The step before a build that writes a secret into its Dockerfile, or into a file of one of these directories,
        of which the first is that of the Dockerfile, if none is given."""
        key = (step, tuple(contexts), dockerfile)  # a script may build the same many times
        if key not in self._in_files:
            self._in_files[key] = self._writer(step, contexts, dockerfile)
        return self._in_files[key]

    def mounted(self, step: Step) -> frozenset[str] | None:
        """The ids of the secrets that a build gives its Dockerfile; None if one may have any. A file that is given so
        is one, whatever is in it."""
        found: set[str] = set()
        for place in self._places(step):
            for name in ("secrets", "secret-envs", "secret-files"):
                id = ""
                for line in listed(step.input(name)):
                    match = _MOUNTED.match(line)
                    id = id if match is None else match["id"]
                    value = line if match is None else match["value"]
                    if name == "secret-envs":
                        value = re.sub(r"\A[A-Za-z_]\w*\Z", r"${{ env.\g<0> }}", value.strip())
                    if (name == "secret-files" and value) or self._secret(value, place, 0, doubted=True):
                        if not id:
                            return None
                        found.add(id)
            if self._secret(step.input("github-token") or "", place, 0, doubted=True):
                found.add(_GIT_TOKEN)
        return frozenset(found)

    def _writer(self, step: Step, contexts: Sequence[str], dockerfile: str | None) -> Writer | None:
        for place in self._places(step):
            for number, text in enumerate(contexts):
                context = self._runs.read(text, place).strip()
                if not context or "://" in context or re.sub(r"\s", "", context).startswith("{{defaultContext}}"):
                    continue
                aside = _outside(context)
                context = _clean(_WORKSPACE.sub(".", context))
                said = self._runs.read(dockerfile or posixpath.join(context, "Dockerfile"), place).strip()
                file = "" if number or "${{" in said else posixpath.normpath(_WORKSPACE.sub(".", said))
                recipe = "" if number else _outside(said)
                self._given(place, 0)
                ignores: bool | None = None
                for one in self._runs.before(place, _may_keep):
                    paths = self._paths(one)
                    beside = self._beside(one) if aside or recipe else []
                    reached = [path for path in paths if _below(path, context)]
                    if reached and ignores is None:
                        ignores = not any(True for _ in self._runs.before(place, _may_ignore_less))
                    if _reach(beside, aside) or not all(
                        ignores and self._left_out(context, file, path) for path in reached
                    ):
                        return Writer(one, False)
                    if file and (file in paths or _reach(beside, recipe)):
                        return Writer(one, True)
        return None

    def _places(self, step: Step) -> Iterator[Place]:
        return (Place(run, step) for run in self._runs.of(step.job))

    # --- values -----------------------------------------------------------------------------------------------------

    def _secret(self, text: str, place: Place, deep: int, doubted: bool = False) -> bool:
        """Whether a text holds a secret. doubted: whether it has a name of one."""
        return any(self._is_secret(use, deep, doubted) for use in self._runs.uses(text, place))

    def _is_secret(self, use: Use, deep: int, doubted: bool) -> bool:
        reference, place = use.reference, use.place
        path, context = reference.path, reference.context
        if context == "secrets":
            return not reference.exact or path[0].lower() != _WORKFLOW_TOKEN
        name = path[-1] if path else ""
        words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
        named = doubted or (_NAMED.search(words) is not None and not _NO_SECRET.search(words))
        if context == "github" and not use.known:
            if path[:1] == ("event",) and path[1:2] in (("inputs",), ("client_payload",)):
                return not reference.exact or len(path) == 2 or named
            return not path
        if use.known or context not in ("steps", "needs", "jobs", "env", "inputs"):
            return False
        if deep > _DEEPEST or not reference.exact:
            return True
        if context == "env":
            return named or self._in_environment(name, place, deep)
        if path[1:] in ((), ("outputs",)):
            name = SOMEWHERE
        if context == "steps":
            return path[1:2] in ((), ("outputs",)) and self._of_steps(path[0], name, place, deep, named)
        if context in ("needs", "jobs"):
            return self._of_job(path[0], name, place.run.job.workflow, deep + 1, named)
        return named

    def _of_job(self, id: str, name: str, workflow: Workflow, deep: int, named: bool) -> bool:
        """Whether an output of a job may hold a secret."""
        key = (id, name, workflow, deep, named)
        if key not in self._passing:
            self._passing[key] = True  # for those that are made of themselves
            found = [
                (text, run)
                for job in workflow.jobs
                if job.id == id
                for outputs, runs in [self._outputs(job)]
                for text in _values(outputs, name)
                for run in runs
            ]
            sees = any(self._secret(text, Place(run, None), deep, named) for text, run in found)
            self._passing[key] = sees or (named and not found)
        return self._passing[key]

    def _outputs(self, job: Job) -> tuple[Node | None, Sequence[Run]]:
        """The outputs of a job, or of the workflow that it calls, with the runs in which they are."""
        called = self._runs.called(job)
        if called is None:
            return job.node.get("outputs"), self._runs.of(job)
        trigger = called.triggers.get("workflow_call")
        runs = [run for one in called.jobs[:1] for run in self._runs.of(one) if run.caller is job]
        return (trigger.get("outputs") if isinstance(trigger, Mapping) else None), runs

    def _in_environment(self, name: str, place: Place, deep: int) -> bool:
        """Whether a variable whose value no file says may hold a secret."""
        if self._is_made_of_secrets(place, deep):
            return True
        writers = self._runs.writers(name, place)
        if writers:
            self._given(place, deep)
            return any(_has(self._kept(one, deep).variables, name) for one in writers)
        return self._given(place, deep).unknown

    def _of_steps(self, id: str, name: str, place: Place, deep: int, named: bool) -> bool:
        """Whether an output of steps may hold a secret."""
        steps = place.run.job.steps
        end = len(steps) if place.step is None else place.step.index
        said = [one for one in steps[:end] if one.id == id]
        if not said:
            return named
        self._given(place if place.step is not None else Place(place.run, steps[-1]), deep)
        for step in said:
            inner = self._runs.inner(Place(place.run, step))
            if inner is not None:
                if self._of_own(inner, name, deep + 1, named):
                    return True
            elif step.run is None:
                if script_of(step) is not None and self._is_given(step, Place(place.run, step), deep):
                    return True
                if gives(step) or (named and not ends_with_job(step)) or self._acts(Place(place.run, step), deep):
                    return True
            elif self._puts_out(Place(place.run, step), name, deep, named):
                return True
        return False

    def _of_own(self, run: Run, name: str, deep: int, named: bool) -> bool:
        """Whether an output of the repository's own action may hold a secret. run: that of its steps."""
        assert run.job.workflow.root is not None
        texts = _values(run.job.workflow.root.get("outputs"), name)
        return any(self._secret(text, Place(run, None), deep, named) for text in texts)

    def _puts_out(self, place: Place, name: str, deep: int, doubted: bool) -> bool:
        """Whether a script may put a secret into an output."""
        if _has(self._kept(place, deep).outputs, name):
            return True
        if not doubted:
            return False
        assert place.step is not None
        around = self._around(place, deep)
        known = {key.text for table, _ in self._runs.environments(place) for key, _ in table.items()}
        self._runs.charge(len(known) // LETTERS)
        around = replace(around, unknown=True, known=frozenset(known) - around.names - around.told, doubted=True)
        return _has(self._read_script(place, around, deep).outputs, name)

    def _acts(self, place: Place, deep: int) -> bool:
        """Whether an action of others may do anything with a secret. What is before it is known."""
        step = place.step
        assert step is not None
        key = (place.run, step, deep)
        if key not in self._acting:
            self._acting[key] = True  # for those that are made of themselves
            self._acting[key] = self._runs.inner(place) is None and self._may_act(step, place, deep)
        return self._acting[key]

    def _may_act(self, step: Step, place: Place, deep: int) -> bool:
        if script_of(step) is None and not is_familiar(step) and self._is_given(step, place, deep):
            return True
        text = code(step)
        if not text and not writes(step):
            return False
        around = self._around(place, deep)
        words = frozenset(re.findall(r"\w+", text))
        held = around.names | around.files if writes(step) else words & (around.names | around.told)
        return bool(held) or around.unknown or self._secret(text, place, deep)

    def _is_given(self, step: Step, place: Place, deep: int) -> bool:
        """Whether an action is given a secret."""
        return any(self._secret(text, place, deep) for text in _given_texts(step))

    # --- files ------------------------------------------------------------------------------------------------------

    def _paths(self, place: Place, deep: int = 0) -> tuple[str, ...]:
        """The files, relative to the workspace, into which a step may write a secret; SOMEWHERE for those that are not
        known."""
        step = place.step
        assert step is not None
        key = (place.run, step, deep)
        if key not in self._written:
            self._written[key] = (SOMEWHERE,)  # for those that are made of themselves
            is_script = script_of(step) is not None
            found = self._of_script(step, place, deep) if is_script else self._of_action(step, place, deep)
            self._written[key] = tuple(dict.fromkeys(found))
        return self._written[key]

    def _beside(self, place: Place) -> list[str]:
        """The places outside of the workspace where a step may keep a secret."""
        step = place.step
        assert step is not None
        if script_of(step) is not None:
            return [path for path in map(_outside, self._kept(place, 0).beside) if path]
        return [_HOME] if self._runs.inner(place) is None and self._is_given(step, place, 0) else []

    def _of_script(self, step: Step, place: Place, deep: int) -> Iterator[str]:
        found = self._kept(place, deep)
        home = SOMEWHERE if found.moved else _WORKSPACE.sub(".", directory_of(step))
        for target in found.targets:
            path = _WORKSPACE.sub(".", target)
            yield _clean(path if _WORKSPACE.match(target) else posixpath.join(home, path))

    def _of_action(self, step: Step, place: Place, deep: int) -> Iterator[str]:
        if keeps_key(step):
            yield "gha-creds-0.json"
        if downloads(step):
            path = self._runs.read(_place_names(step.input("path") or "."), place)
            if not is_elsewhere(path) and self._brings(step, place, deep):
                yield _clean(_WORKSPACE.sub(".", path))
        if step.action == CHECKOUT:
            if keeps_token(step) and self._secret(step.input("token") or "", place, deep):
                own = posixpath.join(_WORKSPACE.sub(".", step.input("path") or "."), ".git")
                yield _clean(f"{own}/config")
                if (step.input("submodules") or "false").strip().lower() != "false":
                    yield _clean(f"{own}/modules")
            return
        if self._runs.inner(place) is not None:
            return  # its steps are asked
        if gives_file(step) or self._acts(place, deep):
            yield SOMEWHERE
        if logs_in(step) and ("ecr" in step.action or self._is_given(step, place, deep)):
            homes: dict[str, set[str]] = {}
            for name, value in self._around(place, deep).homes:
                homes.setdefault(name, set()).add(value)
            for value in sorted(homes.get("DOCKER_CONFIG") or homes.get("HOME") or ()):
                if not is_elsewhere(value):
                    yield _clean(_WORKSPACE.sub(".", value)) + "/config.json"

    def _brings(self, step: Step, place: Place, deep: int) -> bool:
        """Whether what actions/download-artifact brings may hold a secret."""
        if deep > _DEEPEST:
            return True
        name = self._runs.read(step.input("name") or "", place)
        pattern = self._runs.read(step.input("pattern") or "", place)
        others = of_other_runs(step)
        for upload, said in self._all_uploads() if others else self._uploads(place.run):
            self._runs.charge(1)
            if not others and not self._is_before(upload.run, place.run):
                continue
            sure = "${{" not in said + name + pattern
            if name and sure and name != said:
                continue
            if not name and pattern and sure and "*" not in pattern.rstrip("*") and not said.startswith(
                pattern.rstrip("*")
            ):
                continue
            if self._uploads_secret(upload, deep + 1):
                return True
        return False

    def _uploads(self, run: Run) -> list[tuple[Place, str]]:
        """The uploads of artifacts in the same run of a workflow, with their names."""
        top = _top(run)
        if top.job.workflow not in self._artifacts:
            found = self._artifacts[top.job.workflow] = []
            if self._runs.mentions(UPLOAD):
                for job in [job for one in self._workflows(run) for job in one.jobs]:
                    for other in self._runs.of(job):
                        if _top(other).job.workflow is top.job.workflow:
                            uploads = self._runs.during(other, _uploads)
                            found += [(one, self._artifact(one)) for one in uploads]
        return self._artifacts[top.job.workflow]

    def _all_uploads(self) -> Iterator[tuple[Place, str]]:
        """Those of all workflows."""
        if self._runs.mentions(UPLOAD):
            for job in [job for one in self._runs.workflows if one.kind == "workflow" for job in one.jobs]:
                for run in self._runs.of(job):
                    for one in self._runs.during(run, _uploads):
                        yield one, self._artifact(one)

    def _is_before(self, run: Run, other: Run) -> bool:
        """Whether the run of a job, or one that has called it, has ended before another one begins."""
        others = {one.job.workflow: one.job for one in _callers(other)}
        found = ((one.job, others.get(one.job.workflow)) for one in _callers(run))
        return any(later is not None and job.id in self._needs(later) for job, later in found)

    def _needs(self, job: Job) -> frozenset[str]:
        """The jobs that have run before a job."""
        if job not in self._needed:
            found: set[str] = set()
            waiting = [job]
            while waiting:
                newer = [one for one in waiting.pop().needs if one.id not in found]
                found.update(one.id for one in newer)
                waiting += newer
            self._needed[job] = frozenset(found)
        return self._needed[job]

    def _workflows(self, run: Run) -> list[Workflow]:
        """Those of the repository, and that of a run, if nobody knows the repository."""
        found = {id(one): one for one in (*self._runs.workflows, _top(run).job.workflow) if one.kind == "workflow"}
        return list(found.values())

    def _artifact(self, place: Place) -> str:
        assert place.step is not None
        return self._runs.read(place.step.input("name") or "artifact", place)

    def _uploads_secret(self, place: Place, deep: int) -> bool:
        """Whether a file that a step uploads may hold a secret."""
        step = place.step
        assert step is not None
        key = (place.run, step, deep)
        if key not in self._uploading:
            self._uploading[key] = True  # for those that are made of themselves
            outside = self._given(place, deep).outside
            texts = [self._runs.read(_place_names(one), place) for one in listed(step.input("path"))]
            inside = [_WORKSPACE.sub(".", one) for one in texts if not one.startswith("!") and not is_elsewhere(one)]
            wanted = [_clean(_GLOB.split(text, maxsplit=1)[0] or ".") for text in inside]
            self._uploading[key] = (outside and any(map(is_elsewhere, texts))) or any(
                _below(path, one) and (not path.startswith(".git/") or one.startswith(".git"))
                for other in self._runs.before(place, _may_keep)
                for path in self._paths(other, deep)
                for one in wanted
            )
        return self._uploading[key]

    def _kept(self, place: Place, deep: int) -> Kept:
        """What a script may keep of secrets."""
        step = place.step
        assert step is not None
        key = (place.run, step, deep)
        if key not in self._keeping:
            self._keeping[key] = EVERYTHING  # for those that are made of themselves
            self._keeping[key] = self._read_script(place, self._around(place, deep), deep)
        return self._keeping[key]

    def _read_script(self, place: Place, around: Around, deep: int) -> Kept:
        step = place.step
        assert step is not None
        text, shell = self._masked(script_of(step) or "", place, deep), shell_of(step)
        same = (text, shell, around)
        if same not in self._read:
            self._runs.charge(len(text) // PARSED)
            self._read[same] = kept(text, shell, around)
        return self._read[same]

    def _masked(self, text: str, place: Place, deep: int) -> str:
        """A script with marks for its expressions, but for those that are known."""
        text = _place_names(text)
        if "${{" not in text:
            return text
        text = self._runs.read(text, place)
        return EXPRESSION.sub(lambda match: SECRET if self._secret(match[0], place, deep) else OTHER, text)

    def _around(self, place: Place, deep: int) -> Around:
        """What surrounds a step."""
        given = self._given(place, deep)
        known: frozenset[str] = frozenset()
        names = given.names
        homes: dict[str, str] = {}
        if not given.unknown and self._is_made_of_secrets(place, deep):
            given = replace(given, unknown=True)
        tables = [*self._runs.environments(place), *_of_container(place)]
        for table, where in tables:
            held, its = self._held(table, where, deep)
            names = names | held if held else names
            homes = {**its, **homes}
            if given.unknown:
                known |= {key.text for key, _ in table.items()}
        self._runs.charge((len(names) + len(known)) // LETTERS)
        found = given.homes.union(homes.items()) if homes else given.homes
        return replace(given, names=names, known=known - names - given.told, homes=found)

    def _given(self, place: Place, deep: int) -> Around:
        """What the steps before one have left to it."""
        waiting = [place]
        while True:
            at = waiting[-1]
            key = (at.run, at.step, deep)
            if key not in self._left:
                before = next((one for one in self._runs.before(at, _may_keep) if one.step is not at.step), None)
                if before is not None and (before.run, before.step, deep) not in self._left:
                    waiting.append(before)
                    continue
                self._left[key] = Around() if before is None else self._leaves(before, deep)
            waiting.pop()
            if not waiting:
                return self._left[key]

    def _leaves(self, place: Place, deep: int) -> Around:
        """What there is after a step, of which what is before it is known."""
        step, before = place.step, self._left[place.run, place.step, deep]
        assert step is not None
        paths = before.files.union(self._paths(place, deep))
        self._runs.charge(len(paths) // LETTERS)
        after = replace(before, files=paths if len(paths) <= _MOST_FILES else frozenset({SOMEWHERE}))
        text = script_of(step)
        if text is None:
            if step.action == AWS:
                return replace(after, told=after.told | _AWS_NAMES)
            if keeps_at_home(step) and ("ecr" in step.action or self._is_given(step, place, deep)):
                after = replace(after, beside=after.beside | {HOME})
            return replace(after, unknown=True) if exports(step) or self._acts(place, deep) else after
        found = self._kept(place, deep)
        words: Collection[str] = found.variables
        if SOMEWHERE in words:
            words = re.findall(r"\b([A-Za-z_]\w*)(?==|<<)", text)
        beside = before.beside.union(found.beside) if found.beside else before.beside
        homes = _AT_HOME.findall(_place_names(text)) if "GITHUB_ENV" in text else ()
        self._runs.charge((len(before.names) + len(words) + len(before.homes) + len(homes)) // LETTERS)
        return replace(
            after,
            names=before.names.union(words) if words else before.names,
            unknown=before.unknown
            or found.loose
            or (step.run is None and bool(found.variables))
            or (SOMEWHERE in found.variables and _COMPUTED.search(text) is not None),
            outside=before.outside or found.outside,
            beside=beside if len(beside) <= _MOST_FILES else frozenset({SOMEWHERE}),
            homes=before.homes.union(homes) if homes else before.homes,
        )

    def _is_made_of_secrets(self, place: Place, deep: int) -> bool:
        """Whether an expression makes the variables of a place of secrets, under names that it alone knows."""
        return any(self._secret(text, where, deep) for text, where in self._runs.made_environments(place))

    def _held(self, table: Mapping, where: Place, deep: int) -> tuple[frozenset[str], dict[str, str]]:
        """The variables of a table that hold a secret, and those that say where programs keep what they are told."""
        key = (id(table), where.run, where.step, deep)
        if key not in self._holding:
            names: set[str] = set()
            homes: dict[str, str] = {}
            for name, value in table.items():
                if not isinstance(value, Scalar):
                    continue
                if name.text in HOMES:
                    homes[name.text] = self._runs.read(_place_names(value.text), where)
                if "${{" in value.text and self._secret(value.text, where, deep):
                    names.add(name.text)
            self._holding[key] = (frozenset(names), homes)
        return self._holding[key]


def _of_container(place: Place) -> Iterator[tuple[Mapping, Place]]:
    """The variables of the container in which the steps of a job run; expressions do not see them."""
    run = place.run.workflow_run
    container = run.job.node.get("container")
    table = container.get("env") if isinstance(container, Mapping) else None
    if isinstance(table, Mapping):
        yield table, Place(run, None)


def _clean(path: str) -> str:
    """A path relative to the workspace, or absolute; SOMEWHERE if it is not known."""
    return SOMEWHERE if "$" in path else posixpath.normpath(path)


def _below(path: str, directory: str) -> bool:
    """Whether something is written at or below a directory; one of both may be a directory in which the other is."""
    if "$" in path + directory or path.startswith(("/", "..")) or directory.startswith(("/", "..")):
        return True
    return "." in (path, directory) or f"{path}/".startswith(f"{directory}/") or directory.startswith(f"{path}/")


def _outside(path: str) -> str:
    """A path outside of the workspace as far as it is known, with one name for each home and each directory for
    temporary files; empty for another one."""
    path = _HOMES.sub(_HOME, _TEMPORARIES.sub("/tmp", _place_names(path)), count=1)
    known = _GLOB.split(path.partition("$")[0], maxsplit=1)[0]
    if known != path:
        known = posixpath.dirname(known)
    known = posixpath.normpath(known)
    return known if known.startswith("/") and posixpath.commonpath([known, _WORK]) != _WORK else ""


def _reach(places: Sequence[str], directory: str) -> bool:
    """Whether one of these places outside of the workspace is in a directory there, or holds it."""
    return bool(directory) and any(posixpath.commonpath([one, directory]) in (one, directory) for one in places)


def _values(outputs: Node | None, name: str) -> list[str]:
    """The texts of the outputs of a name, or of all for SOMEWHERE, as jobs, actions or workflows give them."""
    found = []
    for key, node in outputs.items() if isinstance(outputs, Mapping) else ():
        if name == SOMEWHERE or key.text.lower() == name.lower():
            found.append(text_of(node.get("value") if isinstance(node, Mapping) else node) or "")
    return found


def _has(names: Collection[str], name: str) -> bool:
    """Whether a name, or SOMEWHERE for any, is among some; they do not know case."""
    return (bool(names) and SOMEWHERE in (name, *names)) or name.lower() in map(str.lower, names)


def _place_names(text: str) -> str:
    """A text with directories of the runner as a shell would name them."""
    return _TEMPORARY.sub("/tmp", _WORKSPACE.sub("$GITHUB_WORKSPACE", text))


def _given_texts(step: Step) -> Iterator[str]:
    """The texts that an action is given alone."""
    for node in (step.inputs, step.node.get("env")):
        for _, value in node.items() if isinstance(node, Mapping) else ():
            yield text_of(value) or ""


def _callers(run: Run) -> Iterator[Run]:
    """A run, the one that called it, and so on."""
    at: Run | None = run
    while at is not None:
        yield at
        at = at.outer


def _top(run: Run) -> Run:
    """The run of the job that nobody has called."""
    return list(_callers(run))[-1]


def _uploads(step: Step) -> bool:
    return step.action == UPLOAD


def _may_ignore_less(step: Step) -> bool:
    """Whether another .dockerignore than that of the repository may be in force after it."""
    if step.action == CHECKOUT:
        ref = step.input("ref") or ""
        other = _OWN.sub("", step.input("repository") or "").strip()
        return bool(other or (ref and "${{" not in ref)) and not step.input("path")
    return step.run is not None and "dockerignore" in step.run.text


def _may_keep(step: Step) -> bool:
    """Whether later steps may find secrets by it, in their environment or in files."""
    if script_of(step) is not None or step.action in (AWS, CHECKOUT, GOOGLE):
        return True
    known = downloads(step) or gives(step) or code(step) or logs_in(step) or keeps_at_home(step)
    return bool(known or not is_familiar(step))
