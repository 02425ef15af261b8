"""Keep the layers of builds on GitHub's hosted runners in GitHub's cache."""

from __future__ import annotations

import posixpath
import re
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import cached_property
from typing import ClassVar

from fixer.analysis.docker_scripts import all_commands, commands_at, in_workspace, read_build
from fixer.analysis.expressions import goes_on, masked
from fixer.analysis.workflow import (
    BAKE,
    BUILD,
    SETUP,
    Job,
    Step,
    Workflow,
    comma_listed,
    default_directory,
    default_shell,
    listed,
    local_action,
    read_workflow,
    recipe,
    text_of,
)
from fixer.analysis.workflow_builds import in_repository
from fixer.analysis.workflow_runs import LETTERS, LEVELS, Place, Run, Runs, files_with
from fixer.analysis.yaml_nodes import Items, Mapping, Node
from fixer.codemods.api import Builder, Change, Codemod, Refusal, Safety, Settings
from fixer.codemods.gha_elsewhere import is_cached
from fixer.codemods.gha_engine import OWN_BUILDER, TRUE, Engine, leaves, loaded
from fixer.codemods.gha_events import BY_HAND, UNREAD, events_of, from_outside, reads_back
from fixer.codemods.gha_ignored import LeftOut
from fixer.codemods.gha_mounts import keeper
from fixer.codemods.gha_scopes import NoScope, Scopes, cache_inputs, is_build, scopes_of
from fixer.codemods.gha_scripts import as_action, script_build
from fixer.codemods.gha_secrets import Secrets
from fixer.codemods.yaml_edits import (
    Pair,
    add_inputs,
    comments,
    inputs_fault,
    inputs_indent,
    put_before,
    quoted_like,
    steps_fault,
)
from fixer.text.edits import Edit, apply_edits
from fixer.text.records import dataclass, replace
from fixer.text.source import Span

_TRUSTED = frozenset(
    {
        "push", "pull_request", "merge_group", "release", "schedule", "workflow_dispatch", "repository_dispatch",
        "delete", "registry_package", "page_build",
    }
)  # fmt: skip
"""Events whose runs may write to the cache (github.blog/changelog, 2026-06-26)."""
_SOMETIMES = frozenset({"workflow_run", "create", "deployment", "deployment_status"})
"""Events of which some runs may: a `workflow_run` only not behind a pull request from a fork (the same); whoever starts
the others may write, but they are not named there."""
_BUILDERS = ("depot/", "useblacksmith/", "namespacelabs/", "warpbuilds/", "docker/setup-docker-action")
"""Actions that bring a builder, or another engine, of their own."""
_OLDEST_BUILDX, _OLDEST_BUILDKIT = (0, 21), (0, 20)
"""The first that speak version 2 of the cache's protocol, the only one since April 2025 (docs.docker.com, "Cache
management with GitHub Actions")."""
_DOCKER = re.compile(
    r"\bdocker(?:\s+-[\w-]+(?:=\S+)?)*(?P<build>\s+(?:(?:buildx|image|builder)\s+)?(?:build|bake)\b(?!x))?"
)
_COMPOSE = re.compile(r"\bdocker(?:\s+|-)compose\b(?P<rest>[^\n&|;]*(?:\s--build\b)?)")
"""Commands as far as they go, whether they build or not, so that no part of one is read again for another."""
_TO_BUILD = re.compile(r"(?s).*\bbuild\b")
_SAYS = re.compile(r"\b(?:echo|printf)\b")
_TELLERS = frozenset(
    {
        ":", "[", "awk", "cat", "echo", "egrep", "export", "fgrep", "gh", "git", "grep", "npm", "pnpm", "printf", "sed",
        "tee", "test", "yarn",
    }
)  # fmt: skip
"""Programs that do not run what their words, or their input, say."""
_NO_BUILD = frozenset({"--check", "--help", "--print", "--call=check", "--call=outline", "--call=targets"})
_LOCAL_IMAGE = re.compile(r"\bdocker\s+(?:image\s+)?(?:load|tag|import|commit)\b|\bdocker(?:\s+|-)compose\b")
_SHOWN = (
    "holds a secret, or what may be one; with `mode=max` the layers of all stages are in a cache that pull requests "
    "from forks can read: pass it by `secrets` and `RUN --mount=type=secret`."
)
_ON_RUNNER = re.compile(r"\blocalhost\b|\b127\.0\.0\.1\b|\bhost\.docker\.internal\b")
_OTHER_ENGINE = {"BUILDX_BUILDER": "", "DOCKER_CONTEXT": "default", "DOCKER_HOST": "unix:///var/run/docker.sock"}
"""Variables that choose the builder or the engine, with what chooses none: Buildx asks them before the builder that
somebody has made the current one (docs.docker.com, "Build variables" and "Docker contexts")."""
_IMAGE_OF_DOCKER = re.compile(
    r"(?:docker\.io/)?(?:library/)?docker(?::(?:(\d+)(?:\.(\d+))?(?:[.-][\w.-]*)?|latest|cli|git|dind(?:-rootless)?))?"
)
_OLDEST_DOCKER = (28, 1)
"""The first of Docker's own images that come with such a Buildx alone."""
_NEW_TAG = re.compile(r"latest|(?:master|nightly|buildx-stable-1)?(?:-?rootless)?")
"""Tags of moby/buildkit that move on to the newest version."""
_SCHEDULED = (
    "the workflow runs on a schedule too; if that is to get newer packages, layers from the cache keep the old ones"
)
_OTHER_BUILDER = "the builder is another one: it sees no images of the engine, and pulls base images itself"
_ONCE_CONVERTED = "only a build that is a script now could read it, once that builds with docker/build-push-action too"
_NEWEST = {SETUP: "v4", BUILD: "v7"}
"""Where nothing in the repository says which version to use (November 2026)."""
_SWITCHED_OFF = re.compile(r"#+[ \t]*[\"']?cache-(?:from|to)[\"']?[ \t]*:")


class GhaCache(Codemod):
    """Keep the layers of builds on GitHub's hosted runners in GitHub's cache.

    A hosted runner is new for every job: what the builder cached is gone, and every image is built from its first
    instruction on. `type=gha` keeps the layers in GitHub's cache, and the next run takes what did not change from it:

        - uses: docker/build-push-action@v6
          with:
            context: .
            push: true
            tags: ghcr.io/acme/api:latest
            cache-from: type=gha
            cache-to: type=gha,mode=max

    `mode=max` keeps the layers of all stages, not only of the last one. Cache mounts are no layers and are not in this
    cache: what they hold is lost with the runner (see `cache-dance`).

    A `scope` is added where the workflows of the repository build more than one image, because builds in one scope
    overwrite each other's cache; a script that can become such a build counts. It is named for the image, with the
    values of the matrix, or of the inputs of an action or a workflow, that tell its builds apart; the only build of a
    repository needs none, unless a file of Bake, Compose or make, or a script, names this cache too, or other
    repositories call the workflow. Builds of the same image, as once to test and once to push, share one, if they have
    the same build arguments and the same files. These are not the same where another repository or tag is checked out,
    or where a script or an action before the build may write into the workspace, unless both builds come after the same
    ones, with the same texts and variables. Where it cannot be told whether two builds are the same, they have two
    names, or the file is left alone.

    Who may write to the cache

    Since June 2026 runs that outsiders can start (`pull_request_target`, `issue_comment`, a pull request that is
    merged) may only read the cache, and a build fails if its cache cannot be written. So `ignore-error=true` is added
    where such runs are among those of the build, by its conditions too, and where runs may be such (`workflow_run`, a
    workflow that others call); where there are no others the file is left alone. Nothing is added to `permissions`: the
    cache has a token of its own.

    Who reads it

    GitHub shows a cache to the runs of the branch that wrote it, and that of the default branch to all; what a run for
    a tag has cached is shown to no other tag. So a build that runs for new tags, releases or merge groups alone, by the
    events of its workflow, by its conditions or those of the jobs that it needs, is left alone, if no other job builds
    the same; where that is a script that can become a build with a cache, the change is not safe.

    Pull requests from forks read what the base branch wrote, so it must hold no secrets, and nobody else reads what
    they write. A build is left alone where a build argument holds a secret, also by way of `env`, of inputs, or of what
    a script fetched (`aws secretsmanager`, `vault`, …) and handed on; where one is an output or a variable whose name
    says that it may be a secret, unless the script that makes it is seen to compute it; and where a step before may
    write a secret into its Dockerfile, or into a file of its context, wherever that is. A script that has one, in its
    text, in its environment or in a file, may do so with every command that sees it, unless that is known to keep
    nothing, or what it tells is known to go elsewhere: as with `docker login`, `npm ci` or `echo … > ~/.netrc`, but not
    with `make`, `./configure`, or `git clone` and a token in the address. An action that is given one may do so, too,
    unless it is known as one that logs in, reports or the like. Who may do so may put it into outputs and variables as
    well. What an artifact brings is asked of the job that uploads it, and what outputs of actions and workflows of the
    repository bring is asked of their steps. GitHub's token of the job, and
    one of actions/create-github-app-token, end with the job and are no such secrets. What the .dockerignore of the
    build leaves out is not in its context.

    Nor may the Dockerfile keep a secret that the build gives it by `secrets`, `secret-files` or `secret-envs`: a `RUN`
    with such a mount is read in the same way, with its layer in the place of the workspace. `npm ci` with a mounted
    `.npmrc`, or a token in the environment, keeps none, nor does `pip install` with one in the address of the index;
    `git config --global url."https://$(cat …)@…"` and `cp /run/secrets/…` do, unless the same `RUN` ends with an `rm`
    of the file, and a program that is not known may.

    What is private but no secret, such as sources and packages that only members may read, is not looked for: if the
    build of a public repository uses it, it is stored in a cache that pull requests from forks can read.

    Safe and unsafe

    Safe: builds with docker/build-push-action, on a runner that GitHub hosts, with a builder from
    docker/setup-buildx-action. BuildKit takes a layer from the cache only where the instruction, and all before it, are
    the same, as on a builder that stays.

    Unsafe:

    - The workflow runs on a schedule, perhaps to get newer packages: `RUN apt-get upgrade` is then taken from the
      cache, until something before it changes. The same of one that `repository_dispatch` or `registry_package` starts,
      that runs behind such a one, or that is started by hand alone: something may have changed outside of the
      repository. Events with which the build, by its conditions, does not run do not count, nor do those with which
      `no-cache: ${{ … }}` is true.
    - docker/setup-buildx-action is missing. It is put before the first build, because the engine's own builder cannot
      write such a cache. The new builder sees no images of the engine and leaves none there, so `load: true` is added
      where a later step may use the image.
    - `run: docker build …` becomes docker/build-push-action, where the script is this one command and all of it can be
      said in inputs.

    Versions of actions are left as they are, and a new step gets the version that the repository uses elsewhere, else
    the major version that belongs to the build's. Other caches are left alone.
    """

    id = "gha-cache"
    document = "workflow"
    words = ("docker",)
    builders = frozenset({Builder.EPHEMERAL})
    reasons: ClassVar = {
        "half-cache": "only one of `cache-from` and `cache-to` is there, which somebody may have meant",
        "commented-out": "`cache-from` or `cache-to` stands in a comment among the inputs, so that somebody may have "
        "switched it off",
        "no-cache": "the build says `no-cache: true`, or `--no-cache`",
        "self-hosted": "the runner is the owner's own: its builder may keep its cache, and cache mounts pay there",
        "unknown-runner": "the file does not say that GitHub hosts the runner",
        "not-linux": "the runner's system is not Linux, and a builder of Buildx runs in a container of Linux",
        "docker-driver": "the builder is the engine's own (`driver: docker`), which cannot write this cache",
        "other-builder": "the builder comes from somewhere else, and may have a cache of its own",
        "conditional-builder": "the step that makes the builder does not run whenever the build does, or may fail",
        "old-version": "a version that does not know this cache, or may be such",
        "pinned": "docker/setup-buildx-action is missing, and no version of it can be told",
        "read-only-cache": "the runs of this workflow may not write to the cache, and a build that tries fails",
        "unread-cache": "each run is for a new tag, or another new ref, and none could read what another has cached",
        "secret-build-arg": "a build argument holds a secret, which may be in layers that the cache would show",
        "secret-file": "a step before writes, or may write, a secret into a file that the build may copy into a layer, "
        "or into its Dockerfile; or a `RUN` of the Dockerfile does so with a secret that is mounted",
        "local-image": "steps share images or a builder with the engine, which another builder would part",
        "local-network": "the build uses the network of the runner, which another builder would not",
        "output": "it cannot be told which images the engine must have after the build",
        "no-scope": "no stable name tells the build from others",
        "not-plain": "the step is written in a form in which nothing can be added",
        "bake": "docker/bake-action: the cache belongs into the bake file",
        "plain-build": "a script builds the image, without a cache that outlives the runner",
    }  # fmt: skip

    def run(self, facts: Workflow, settings: Settings) -> Iterator[Change | Refusal]:  # type: ignore[override]
        plan = _plans(facts, _Around(settings))
        for job in facts.jobs:
            yield from plan(job).found()


@dataclass(frozen=True, slots=True)
class _Stop:
    """Why a build is left alone."""

    reason: str
    because: str
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class _Plan:
    """The inputs that a build gets, and what may be wrong with them, without a stop."""

    pairs: tuple[Pair, ...]
    risk: str = ""


class _Around:
    """The other workflows of the repository, as far as they are known."""

    def __init__(self, settings: Settings) -> None:
        self.path = settings.path
        self.settings = settings
        self.others = tuple(settings.workflows or ())
        self._versions: dict[tuple[str, Workflow], str | None] = {}
        self.keepers: dict[object, str | None] = {}

    def version(self, action: str, own: Workflow) -> str | None:
        """How the repository uses an action: with `@`, the version, and the comment that tells what a digest is."""
        if (action, own) not in self._versions:
            self._versions[action, own] = self._version(action, own)
        return self._versions[action, own]

    def _version(self, action: str, own: Workflow) -> str | None:
        for workflow in (own, *(one for _, one in self.others)):
            step = workflow.versioned.get(action)
            if step is not None and step.uses is not None:
                behind = workflow.comment_behind(step.uses.span.end) if step.pinned else ""
                return f"{action}@{step.version}" + (f" {behind}" if behind else "")
        return None

    def callers(self) -> list[Step]:
        """The steps that use this file as an action."""
        folder = self.path.rpartition("/")[0]
        return [step for _, workflow in self.others for step in workflow.steps if local_action(step) == folder]


class _JobPlan:
    """What is to be done in one job."""

    def __init__(self, job: Job, runs: Runs, scopes: Scopes, secrets: Secrets, around: _Around) -> None:
        self._job = job
        self._scopes = scopes
        self._secrets = secrets
        self._around = around
        self._runs = runs
        self._engine = Engine(job, runs, around.settings.dockerfiles)
        self._ignore_error = False
        self._kept_makers: dict[tuple[int, str, int], Step | _Stop | None] = {}

    def found(self) -> Iterator[Change | Refusal]:
        plans: list[tuple[Step, _Plan | _Stop, bool]] = []
        for step in self._job.steps:
            if step.action == BAKE:
                yield from self._bake(step)
            elif is_build(step):
                plan = self._plan(step)
                if plan is not None:
                    plans.append((step, plan, self._builder(step) is None))
            elif step.run is not None:
                yield from self._script(step)
        missing = [(step, plan) for step, plan, alone in plans if alone and not isinstance(plan, _Stop)]
        for step, plan, alone in plans:
            if isinstance(plan, _Stop):
                yield _refused(step, plan)
            elif not alone:
                risks = self._risks(step, plan)
                edit = add_inputs(step, plan.pairs)
                yield Change(
                    GhaCache.id,
                    "keep the layers in GitHub's cache",
                    f"the runner is new for every job, and takes unchanged layers from there; {_what(plan.pairs)}.",
                    Span(step.span.start, max(step.span.end, edit.start)),
                    (edit,),
                    Safety.UNSAFE if risks else Safety.SAFE,
                    "; ".join(risks) + ("." if risks else ""),
                )
        if missing:
            yield from self._with_setup([(step, plan) for step, plan in missing if not isinstance(plan, _Stop)])

    # --- one build --------------------------------------------------------------------------------------------------

    def _risks(self, step: Step, plan: _Plan) -> list[str]:
        return [*([plan.risk] if plan.risk else ()), *map(_started, sorted(from_outside(self._runs, step)))]

    def _plan(self, step: Step) -> _Plan | _Stop | None:
        """What to add; None where there is nothing to say."""
        source, target = cache_inputs(step)
        if source and target:
            return None
        stop = self._first_stop(step, source or target)
        if stop is not None:
            return stop
        scope = self._scopes.of(step)
        if isinstance(scope, NoScope):
            return _Stop("no-scope", f"{scope.because}: write `type=gha,scope=…` with a name for each image.")
        others = [one for one in self._scopes.alike(step) if one.job is not self._job]
        unread = None if any(one.run is None for one in others) else self._unread(step)
        if unread is not None and not others:
            return unread
        named = "" if scope is None else f",scope={scope}"
        lenient = ",ignore-error=true" if self._ignore_error else ""
        pairs = ("cache-from", f"type=gha{named}"), ("cache-to", f"type=gha,mode=max{named}{lenient}")
        return _Plan(pairs, "" if unread is None else _ONCE_CONVERTED)

    def _first_stop(self, step: Step, half: str | None) -> _Stop | None:
        runner = self._runner(step)
        if runner is not None:
            return runner
        if half:
            which, other = ("cache-from", "cache-to") if step.input("cache-from") else ("cache-to", "cache-from")
            because = f"`{which}` is there without `{other}`: add it if both are wanted."
            return _Stop("half-cache", because, _span(step.input_node(which)))
        off = next((one for one in comments(step) if _SWITCHED_OFF.match(self._job.workflow.text, *one)), None)
        if off is not None:
            because = "the cache stands here in a comment: somebody may have switched it off; remove that if not."
            return _Stop("commented-out", because, off)
        if (step.input("no-cache") or "").strip() in TRUE:
            because = "`no-cache: true` builds everything anew: a cache would only be written."
            return _Stop("no-cache", because, _span(step.input_node("no-cache")))
        if step.major is not None and step.major < 2:
            return _Stop("old-version", "docker/build-push-action v1 knows no such cache: update it.", _uses(step))
        builder = self._builder(step)
        if isinstance(builder, _Stop):
            return builder
        held = self._secrets.in_inputs(step)
        if held is not None:
            return _Stop("secret-build-arg", f"`{held}` {_SHOWN}", _span(step.input_node(held)))
        file = self._secret_file(step, _contexts(step), step.input("file")) or self._mounted(step)
        if file is not None:
            return file
        fault = inputs_fault(step, ("cache-from", "cache-to"))
        if fault is not None:
            return _Stop("not-plain", f"{fault}: add the cache by hand.")
        return self._may_write(step)

    def _secret_file(self, step: Step, contexts: Sequence[str], dockerfile: str | None) -> _Stop | None:
        found = self._secrets.in_files(step, contexts, dockerfile)
        writer = None if found is None else found.place.step
        if found is None or writer is None:
            return None
        here = writer.job is self._job
        because = "the step on this line" if here else "a step of the caller, or of an action,"
        because += " writes, or may write, a secret into "
        if found.recipe:
            because += "the Dockerfile, and layers that are made with it"
        else:
            because += "a file of the build's context; if a `COPY` takes it, its layer"
        because += (
            " would be in a cache that pull requests from forks can read: pass it by `secret-files` and "
            "`RUN --mount=type=secret`."
        )
        return _Stop("secret-file", because, writer.span if here else None)

    def _mounted(self, step: Step) -> _Stop | None:
        """Whether the Dockerfile may keep a secret in a layer that the build mounts into it."""
        ids = self._secrets.mounted(step)
        if ids is not None and not ids:
            return None
        given = ("secrets", "secret-envs", "secret-files", "github-token")
        node = next((one for name in given if (one := step.input_node(name)) is not None), None)
        known = {one.path: one for one in self._around.settings.dockerfiles}
        for path, target in sorted(set(self._recipes(step)), key=str):
            neighbour = None if path is None else known.get(path)
            if neighbour is None or neighbour.facts is None:
                what = "which Dockerfile it builds cannot be told" if path is None else f"{path} is not here"
                what = what if neighbour is None else f"{path} is not understood"
                because = f"the build mounts a secret, and {what}: a `RUN` that keeps it in a layer would show it."
                return _Stop("secret-file", because, _span(node))
            key = (path, target, ids)
            if key not in self._around.keepers:
                self._around.keepers[key] = keeper(neighbour, target, ids)
            place = self._around.keepers[key]
            if place is not None:
                because = (
                    f"the `RUN` at {place} writes, or may write, what a secret mount holds into its layer, which would "
                    "be in a cache that pull requests from forks can read: use it there without leaving it in a file."
                )
                return _Stop("secret-file", because, _span(node))
        return None

    def _recipes(self, step: Step) -> Iterator[tuple[str | None, str | None]]:
        """The Dockerfiles that a build takes, and the targets that it builds of them; None for what is not known."""
        for place in (Place(run, step) for run in self._runs.of(step.job)):
            def read(name: str, place: Place = place) -> str:
                return self._runs.read(step.input(name) or "", place)

            build, context = recipe(step, read), read("context")
            target = None if "${{" in build.target else build.target
            paths = {build.file} if "${{" not in build.file else recipe(step).files() or {None}
            for path in paths:
                of_git = not context.strip() or "defaultcontext" in context.lower()
                elsewhere = path is None or ":" in path or path.startswith("/")
                if path is not None and not of_git and not elsewhere:
                    path = in_repository(self._runs, place, path)
                yield (None if path is None or elsewhere else posixpath.normpath(path)), target

    def _runner(self, step: Step) -> _Stop | None:
        jobs = [self._job]
        if self._job.workflow.kind == "action":
            jobs = [caller.job for caller in self._around.callers()]
            if not jobs or any(not job.id for job in jobs):
                because = "this action runs wherever it is used, and no workflow here tells where."
                return _Stop("unknown-runner", because)
        for job in jobs:
            node = _span(job.node.get("runs-on")) if job is self._job else None
            if job.runner == "self-hosted":
                because = (
                    "the runner is your own (`self-hosted`): if its builder stays, it keeps layers and cache mounts, "
                    "and there is nothing to add."
                )
                return _Stop("self-hosted", because, node)
            if job.runner == "hosted" and not job.linux:
                because = f"`{_short(job.runner_text)}`: only BuildKit writes this cache, and it runs on Linux."
                return _Stop("not-linux", because, node)
            if job.runner == "unknown":
                because = f"`{_short(job.runner_text)}` does not say that GitHub hosts the runner; if it does, add " \
                    "`cache-from: type=gha` and `cache-to: type=gha,mode=max`."  # fmt: skip
                return _Stop("unknown-runner", because, node)
        return None

    # --- who may write ----------------------------------------------------------------------------------------------

    def _may_write(self, step: Step) -> _Stop | None:
        """Looks at the events too; sets whether errors are to be ignored."""
        workflows = [self._job.workflow]
        jobs = [self._job]
        if self._job.workflow.kind == "action":
            jobs = [caller.job for caller in self._around.callers()]
            workflows = [job.workflow for job in jobs]
        for mode in [node for job in jobs for node in (job.node.get("cache-mode"), _root(job).get("cache-mode"))]:
            if mode is not None and text_of(mode) != "write":
                because = f"`cache-mode: {text_of(mode)}` says that it may not both read and write the cache."
                return _Stop("read-only-cache", because, _span(mode) if jobs == [self._job] else None)
        events = [one for workflow in workflows for one in workflow.triggers.items()]
        starting = {"workflow_call", *events_of(self._runs, step)}
        events = [one for one in events if one[0] in starting] or events
        trusted = [name for name, node in events if name in _TRUSTED and not _closes(name, node)]
        if not events:
            return _Stop("read-only-cache", "the file does not say on which events it runs.")
        if not trusted and not {"workflow_call", *_SOMETIMES} & {name for name, _ in events}:
            names = ", ".join(f"`{name}`" for name, _ in events)
            because = (
                f"runs that {names} starts may only read the cache, and the build would fail when it writes: build on "
                "`push` too, and give this one `cache-from` with the same scope."
            )
            return _Stop("read-only-cache", because)
        self._ignore_error = len(trusted) < len(events)
        return None

    def _unread(self, step: Step) -> _Stop | None:
        """Why nobody would read what the runs of a step write."""
        if reads_back(self._runs, step):
            return None
        because = f"{UNREAD}: let the same build run on the default branch, whose cache all can read."
        return _Stop("unread-cache", because)

    # --- the builder ------------------------------------------------------------------------------------------------

    def _builder(self, step: Step) -> Step | _Stop | None:
        """The step that made the builder of a build; None if it is the engine's own."""
        chosen = self._variable(step, _OTHER_ENGINE)
        named, node = step.input("builder"), step.input_node("builder")
        if chosen is not None and chosen[0] == "BUILDX_BUILDER":
            named, node = named or chosen[1], node if named else chosen[2]
        elif chosen is not None:
            name, value, where = chosen
            because = f"`{name}: {_short(value)}` chooses the engine, which may not be the runner's own."
            return _Stop("other-builder", because, _span(where))
        found: Step | _Stop | None = None
        makers = self._makers[: bisect_left(self._makers, step.index, key=lambda one: one.index)]
        for other in makers:
            made = self._made(other, step)
            if made is not None and (isinstance(made, _Stop) or (made.input("use") or "true").strip() in TRUE):
                found = made
        if named:
            match = re.fullmatch(r"\$\{\{\s*steps\.([\w-]+)\.outputs\.name\s*\}\}", named.strip())
            found = next((one for one in self._job.steps if match and one.id == match[1] and one.action == SETUP), None)
            if found is None:
                named = _short(named.strip())
                because = f"the builder is `{named}`, which is not made by docker/setup-buildx-action here."
                return _Stop("other-builder", because, _span(node))
        if found is None and self._job.workflow.kind == "action":
            return _Stop("other-builder", "the builder is that of whoever uses this action: set it up in here.")
        return self._fit(found, step) if isinstance(found, Step) else found

    def _variable(self, step: Step, names: Collection[str]) -> tuple[str, str, Node | None] | None:
        """A variable of the environment that chooses the builder or the engine of a step: its name, its value, and
        where it is given, if that is this file. DOCKER_BUILDKIT chooses none with 1."""
        builder: tuple[str, str, Node | None] | None = None
        names = [name for name in names if self._runs.mentions(name)]
        for place in (Place(run, step) for run in self._runs.of(step.job)) if names else ():
            for name in names:
                self._runs.charge(1)
                for table, where in self._runs.environments(place):
                    node = table.get(name)
                    if node is not None:
                        text = text_of(node)
                        value = self._runs.read("${{ }}" if text is None else text, where).strip()
                        here = where.run.job.workflow is self._job.workflow
                        if value not in ("", _OTHER_ENGINE.get(name, "1")):
                            found = (name, value, node if here else None)
                            if name != "BUILDX_BUILDER":
                                return found
                            builder = found
                        break
                writers = self._runs.writers(name, place)
                if writers:
                    by = writers[0].step
                    here = by is not None and by.job.workflow is self._job.workflow
                    return name, "…", by.run if by is not None and here else None
        return builder

    @cached_property
    def _makers(self) -> list[Step]:
        """The steps that may make a builder."""
        return [one for one in self._job.steps if _may_make(one)]

    def _made(self, other: Step, build: Step, level: int = 1) -> Step | _Stop | None:
        """The builder that a step before a build makes."""
        key = (id(other), build.condition, level)
        if key not in self._kept_makers:  # actions that use two of the next are as many as they are, and not twice that
            self._kept_makers[key] = self._makes(other, build, level)
        return self._kept_makers[key]

    def _makes(self, other: Step, build: Step, level: int) -> Step | _Stop | None:
        self._runs.charge(1)
        if other.action == SETUP:
            return other
        if other.action.startswith(_BUILDERS):
            because = f"`{other.action}` brings a builder of its own, with its own cache."
            return _Stop("other-builder", because, _uses(other))
        if other.run is not None and OWN_BUILDER.search(other.run.text):
            return _Stop("other-builder", "a script before the build makes or chooses the builder.", other.run.span)
        if other.action.startswith("./") and other.uses is not None:
            action = self._runs.action(other)
            if action is None or action.problem is not None or level > LEVELS:
                because = f"`{other.uses.text}` may make the builder, and no action that can be read is there."
                return _Stop("other-builder", because, _uses(other))
            inner = [self._made(one, build, level + 1) for one in action.steps if _may_make(one)]
            made = next((one for one in reversed(inner) if one is not None), None)
            if isinstance(made, _Stop):
                return _Stop(made.reason, f"in `{other.uses.text}`: {made.because}", _uses(other))
            seldom = made is not None and (made.condition or _runs_less(other, build))
            if made is not None and (seldom or _may_fail(made) is not None or _may_fail(other) is not None):
                because = f"`{other.uses.text}` makes the builder only sometimes."
                return _Stop("conditional-builder", because, _uses(other))
            return made
        return None

    def _fit(self, setup: Step, build: Step) -> Step | _Stop:
        """Whether a builder can write the cache."""
        mine = setup.job is self._job
        node = _uses(setup) if mine else None
        driver = (setup.input("driver") or "docker-container").strip()
        if driver == "docker":
            because = "`driver: docker` cannot write this cache: use docker-container, which is the default."
            return _Stop("docker-driver", because, _span(setup.input_node("driver")) if mine else None)
        if driver != "docker-container" or setup.input("endpoint") or setup.input("append"):
            what = f"`driver: {driver}`" if driver != "docker-container" else "a builder elsewhere"
            because = f"{what} may outlive the runner, with its own cache."
            return _Stop("other-builder", because, node)
        if mine and _runs_less(setup, build):
            if not setup.condition:
                because = "the build runs after a step has failed too, and the step that makes its builder does not."
                return _Stop("conditional-builder", because, node)
            because = "the step that makes the builder has a condition that the build has not, and without it fails."
            return _Stop("conditional-builder", because, _span(setup.node.get("if")) or node)
        if mine and _may_fail(setup) is not None:
            because = "the step that makes the builder may fail, and the job goes on without it; this cache needs it."
            return _Stop("conditional-builder", because, _span(_may_fail(setup)))
        old = next((one for run in self._runs_of(setup) if (one := _too_old(setup, self._runs, run))), None)
        if old is not None:
            return _Stop("old-version", f"{old} speak to GitHub's cache as it is now: update it.", node)
        return setup

    def _runs_of(self, setup: Step) -> Sequence[Run]:
        """Those of the step that makes the builder, as far as they are for this job."""
        runs = self._runs.of(setup.job)
        return [run for run in runs if setup.job is self._job or _for_job(run, self._job)] or runs

    # --- a builder where there is none --------------------------------------------------------------------------------

    def _moved(self, build: Step) -> list[Pair] | _Stop:
        """The inputs by which a build means the same with a builder of Buildx as with the engine's own."""
        if (build.input("network") or "").strip() == "host" or any(_ON_RUNNER.search(one) for one in _inputs(build)):
            because = "the build uses the network of the runner, and a builder of Buildx is in a network of its own."
            return _Stop("local-network", because, _uses(build))
        giver = self._engine.taken(build)
        if giver is not None:
            because = (
                f"the build may take an image that {_said(giver)} leaves in the engine, which a builder of Buildx does "
                "not see."
            )
            return _Stop("local-image", because, _uses(build))
        return self._load(build)

    def _with_setup(self, builds: Sequence[tuple[Step, _Plan]]) -> Iterator[Change | Refusal]:
        first = builds[0][0]
        stop = self._setup_stop(first)
        version = None if stop is not None else self._version(first)
        edits: list[Edit] = []
        loads: list[str] = []
        if stop is None:
            for step in [one for one in self._job.steps[first.index :] if is_build(one) and self._builder(one) is None]:
                extra = self._moved(step)
                if isinstance(extra, _Stop):
                    stop = extra
                    break
                pairs = [*extra, *next((plan.pairs for one, plan in builds if one is step), ())]
                loads += [name for name, _ in extra]
                if not pairs:
                    continue
                fault = inputs_fault(step, [name for name, _ in pairs])
                if fault is not None:
                    because = f"with docker/setup-buildx-action a build of this job needs inputs, and {fault}."
                    stop = _Stop("not-plain", because, _uses(step))
                    break
                edits.append(add_inputs(step, pairs))
        if stop is None and version is None:
            stop = _Stop("pinned", "docker/setup-buildx-action is needed before it, and which version of it belongs "
                         "here cannot be told: add it, pinned as your other actions are.", _uses(first))  # fmt: skip
        if stop is not None:
            yield from (_refused(step, stop) for step, _ in builds)
            return
        assert version is not None
        edits.append(put_before(first, [_setup_lines(first, version)]))
        load, what = " and loads the image for the steps behind" if loads else "", _what(builds[0][1].pairs)
        risks = dict.fromkeys(risk for step, plan in builds for risk in self._risks(step, plan))
        yield Change(
            GhaCache.id,
            "build with Buildx and keep the layers in GitHub's cache",
            f"the runner is new for every job; a builder of Buildx can write the cache{load}; {what}.",
            Span(first.span.start, max(*(step.span.end for step, _ in builds), *(edit.start for edit in edits))),
            tuple(sorted(edits, key=lambda edit: edit.start)),
            Safety.UNSAFE,
            "; ".join((_OTHER_BUILDER, *risks)) + ".",
        )

    def _setup_stop(self, first: Step) -> _Stop | None:
        fault = steps_fault(first)
        if fault is not None:
            return _Stop("not-plain", f"{fault}: add docker/setup-buildx-action before it by hand.")
        image = next((one for run in self._runs.of(first.job) if (one := _container(run, self._runs))), None)
        if image is not None:
            because = f"the Buildx in the job's container (`{_short(image)}`) may be older than v0.21: update it."
            return _Stop("old-version", because, _span(self._job.node.get("container")))
        if first.condition:
            because = "the build has a condition, and so would have to have the step that makes its builder."
            return _Stop("conditional-builder", because, _span(first.node.get("if")))
        shares = self._builds_with_engine(first)
        if shares is not None:
            because = (
                "docker/setup-buildx-action is needed, and then what else in this job builds or loads images shares "
                "nothing with the build any more."
            )
            return _Stop("local-image", because, _span(shares.run) or _uses(shares))
        return None

    def _builds_with_engine(self, build: Step) -> Step | None:
        """Another step of the job that builds, or that brings an image into the engine before the build."""
        for step in self._job.steps:
            for inner in () if step is build else self._engine.inner(step):
                script = "" if inner.run is None else inner.run.text
                brings = step.index < build.index and _LOCAL_IMAGE.search(script)
                if brings or inner.action == BAKE or _builds(script):
                    return step
        return None

    def _load(self, step: Step) -> list[Pair] | _Stop:
        """`load: true` where the image would not reach the engine any more, and somebody may need it there."""
        needs = self._engine.needed(step)
        if needs is None or loaded(step) or not leaves(step):
            return []
        if step.input("outputs"):
            because = f"its `outputs` leave the image to the builder, and {_said(needs)} after it may need it."
            return _Stop("output", because, _span(step.input_node("outputs")))
        if len(comma_listed(step.input("platforms"))) > 1 or "${{" in (step.input("platforms") or ""):
            because = f"an image for several platforms cannot be loaded, and {_said(needs)} after it may need it."
            return _Stop("output", because, _span(step.input_node("platforms")))
        return [("load", "true")]

    def _version(self, build: Step) -> str | None:
        """That of docker/setup-buildx-action that belongs to a build."""
        known = self._around.version(SETUP, self._job.workflow)
        if known is not None:
            return known
        if build.pinned or build.major is None:
            return None
        return f"{SETUP}@v{4 if build.major >= 7 else 3}"

    # --- others -----------------------------------------------------------------------------------------------------

    def _bake(self, step: Step) -> Iterator[Refusal]:
        given = listed(step.input("set"))
        settings = " ".join(given)
        if self._runner(step) is None and self._secrets.in_arguments(step, given):
            yield _refused(step, _Stop("secret-build-arg", f"`set` {_SHOWN}", _span(step.input_node("set"))))
        elif (
            self._runner(step) is None
            and "cache-to" not in settings
            and "cache-from" not in settings
            and not is_cached(step, self._around.settings.context.stored)
        ):
            because = (
                "docker/bake-action takes its cache from the bake file: give each target `cache-from = "
                "[\"type=gha,scope=…\"]` and `cache-to = [\"type=gha,mode=max,scope=…\"]`, if they have none."
            )
            yield _refused(step, _Stop("bake", because, _uses(step)))

    def _script(self, step: Step) -> Iterator[Change | Refusal]:
        run = step.run
        assert run is not None
        text = self._job.workflow.text
        commands = _builds(run.text)
        whole: Change | _Stop | str | None = None
        writing: list[_Stop | None] = []  # the same for all builds of a step
        words = commands_at(run.text, [one.start for one in commands]) if _is_posix(step) else [None] * len(commands)
        for number, place in enumerate(_builds(text, run.span.start, run.span.end)):
            command = _command(run.text, commands[number]) if number < len(commands) else run.text
            line = text[text.rfind("\n", 0, place.start) + 1 : place.start].lstrip()
            mine = words[number] if number < len(words) else None
            self._runs.charge((len(line) + len(command) + len(mine or ())) // LETTERS)
            says = line.startswith("#") or _SAYS.search(re.split("[;&|]", line)[-1]) is not None
            if (says if mine is None else _only_tells(mine)) or "--cache-" in command or self._runner(step) is not None:
                continue
            if mine is not None and {"--no-cache", "--no-cache=true"} & set(mine):
                because = "`--no-cache` builds everything anew: a cache would only be written."
                yield _refused(step, _Stop("no-cache", because, place))
                continue
            change = whole = self._converted(step) if whole is None else whole
            if isinstance(change, Change):
                yield change
                return
            if self._secrets.in_command(step, command):
                change = _Stop("secret-build-arg", f"a build argument {_SHOWN}")
            elif not isinstance(change, _Stop):
                writing = writing or [self._given_file(step) or self._may_write(step) or self._unread(step)]
                change = writing[0] or change
            if isinstance(change, _Stop):
                yield _refused(step, replace(change, span=change.span or place))
                continue
            because = (
                "its layers are lost with the runner: build with docker/build-push-action and `cache-from: type=gha`, "
                f"`cache-to: type=gha,mode=max`, after docker/setup-buildx-action. By hand, because {change}."
            )
            yield _refused(step, _Stop("plain-build", because, place))

    def _given_file(self, step: Step) -> _Stop | None:
        """A secret that steps before a script have put where its builds find it."""
        assert step.run is not None
        home = in_workspace(".", text_of(step.node.get("working-directory")) or default_directory(step) or ".")
        for command in all_commands(step.run.text, home):
            build = read_build(command.words)
            paths = None if build is None else build.paths(command.directory)
            found = None if paths is None else self._secret_file(step, paths[:1], paths[1])
            if found is not None:
                return found
        return None

    def _converted(self, step: Step) -> Change | _Stop | str:
        """A script that is a build as a step that can have a cache, which it gets in the next round; or why not, a
        sentence without a stop."""
        build = script_build(step)
        if isinstance(build, str):
            return build
        if step.shared or step.node.get("<<") is not None:
            return "the step, or a part of it, stands in several places"
        if self._secrets.in_arguments(step, build.get("build-args")):
            return _Stop("secret-build-arg", f"a build argument {_SHOWN}")
        file = self._secret_file(step, build.get("context"), next(iter(build.get("file")), None))
        if file is not None:
            return file
        others = [one for other in self._job.steps if other is not step for one in self._engine.inner(other)]
        if any(_builds(one.run.text) or _LOCAL_IMAGE.search(one.run.text) for one in others if one.run):
            return "other scripts of the job build or load images of the engine"
        variable = self._variable(step, (*_OTHER_ENGINE, "DOCKER_BUILDKIT"))
        if variable is not None:
            return f"`{variable[0]}: {_short(variable[1])}` chooses another builder"
        if any(is_build(one) or one.action == BAKE for one in self._job.steps[step.index :]):
            return "a later build of the job may take its image from the engine"
        stop = self._may_write(step)
        builder = self._builder(step)
        if stop is not None:
            return stop
        if isinstance(builder, _Stop):
            return builder.because.rstrip(".")
        edits: list[Edit] = []
        if builder is None:
            fault = steps_fault(step)
            version = self._around.version(SETUP, self._job.workflow) or f"{SETUP}@{_NEWEST[SETUP]}"
            if fault is not None or step.condition:
                return fault or "the step has a condition"
            edits.append(put_before(step, [_setup_lines(step, version)]))
        uses = self._around.version(BUILD, self._job.workflow) or f"{BUILD}@{_NEWEST[BUILD]}"
        if self._job.workflow.is_pinned and "@v" in uses:
            return "your actions are pinned, and which version of docker/build-push-action belongs here is not known"
        made = as_action(step, build, uses, inputs_indent(step))
        if isinstance(made, str):
            return made
        edits += made
        later = self._later(step, edits)
        if later is not None:
            return later
        return Change(
            GhaCache.id,
            "build with docker/build-push-action",
            "it says the same, and can keep the layers in GitHub's cache, because a builder of Buildx can write it.",
            Span(step.span.start, step.span.end),
            tuple(sorted(edits, key=lambda edit: edit.start)),
            Safety.UNSAFE,
            "another builder and another program build the image: check its tags and what later steps do with it.",
        )


    def _later(self, step: Step, edits: Sequence[Edit]) -> str | None:
        """Why the build that a script becomes by `edits` could have no cache, or would be another; a sentence without a
        stop."""
        workflow = read_workflow(apply_edits(self._job.workflow.text, edits))
        job = workflow.jobs[self._job.workflow.jobs.index(self._job)]
        build = job.steps[step.index + len(job.steps) - len(self._job.steps)]
        plan = _plans(workflow, self._around)(job)
        for found in (plan._plan(build), plan._moved(build)):
            if isinstance(found, _Stop):
                return found.because.rstrip(".")
        return None


def _plans(workflow: Workflow, around: _Around) -> Callable[[Job], _JobPlan]:
    """What makes the plans for the jobs of a workflow."""
    settings = around.settings
    files = files_with(settings.path, workflow, settings.workflows or ())
    runs = Runs(files)
    scopes = scopes_of(files, settings.workflows is not None, settings.context.stored)
    secrets = Secrets(runs, LeftOut(settings))
    return lambda job: _JobPlan(job, runs, scopes, secrets, around)


def _inputs(step: Step) -> Iterator[str]:
    """The texts of a step's inputs, and of the variables in them."""
    texts = [value for _, value in _pairs(step.inputs)]
    yield from texts
    for node in (step.node, step.job.node, _root(step.job)):
        for key, value in _pairs(node.get("env")):
            if any(re.search(rf"\benv\.{re.escape(key)}\b", text) for text in texts):
                yield value


def _started(event: str) -> str:
    """Why a build that an event starts may be to take what is new elsewhere."""
    if event == "schedule":
        return _SCHEDULED
    how = "by hand alone" if event == BY_HAND else f"by `{event}`"
    return (
        f"the workflow is started {how}, perhaps because something outside of the repository has changed, as a version "
        "that is fetched or cloned; layers from the cache keep the old one"
    )


def _said(step: Step) -> str:
    """A step in a sentence."""
    line = step.job.workflow.text.count("\n", 0, step.span.start) + 1
    return f"the step at line {line}"


def _pairs(node: Node | None) -> Iterator[tuple[str, str]]:
    if isinstance(node, Mapping):
        yield from ((key.text, text_of(value) or "") for key, value in node.items())


def _refused(step: Step, stop: _Stop) -> Refusal:
    return Refusal(GhaCache.id, stop.reason, stop.span or _uses(step) or step.span, stop.because)


def _contexts(step: Step) -> list[str]:
    """The directories that a build may copy from: no Git context, which has what was committed."""
    named = (line.partition("=")[2] for line in listed(step.input("build-contexts")))
    return [step.input("context") or "", *(one for one in named if not one.startswith("target:"))]


def _what(pairs: Sequence[Pair]) -> str:
    """What the inputs do, for the reviewer."""
    text = dict(pairs)["cache-to"]
    parts = ["`mode=max` keeps those of all stages"]
    if "scope=" in text:
        parts.append("the scope keeps this image's apart from others'")
    if "ignore-error" in text:
        parts.append("runs that may not write the cache do not fail")
    return ", ".join(parts)


def _setup_lines(first: Step, uses: str) -> list[str]:
    action, blank, comment = uses.partition(" ")
    quoted = action if first.uses is None else quoted_like(first.uses, action)
    lines = ["name: Set up Docker Buildx"] if first.node.get("name") is not None else []
    return [*lines, f"uses: {quoted}{blank}{comment}"]


def _too_old(setup: Step, runs: Runs, run: Run) -> str | None:
    """What of a builder is too old for the cache's protocol, or may be, in one run."""
    place = Place(run, setup)
    version = masked(runs.read(setup.input("version") or "", place)).strip()
    version = version.rpartition("#")[2] if "#" in version else version.rpartition(":")[2]
    number = re.match(r"v?(\d+)\.(\d+)", version)
    if number is not None and (int(number[1][:9]), int(number[2][:9])) < _OLDEST_BUILDX:
        return f"Buildx {number[0]} is older than v0.21, and cannot"
    if number is None and version not in ("", "latest", "edge", "master"):
        return "the version of Buildx cannot be told, and one before v0.21 cannot"
    image = "" if version else _container(run, runs)
    if image:
        return f"the Buildx in the job's container (`{_short(image)}`) may be older than v0.21, and then cannot"
    for word in masked(runs.read(setup.input("driver-opts") or "", place)).split():
        name, _, image = word.strip("\"'").partition("=")
        if name != "image" and "\0" not in name:
            continue
        tag = image.rpartition("/")[2].partition("@")[0].partition(":")[2]
        number = re.match(r"v(\d+)\.(\d+)", tag)
        if number is not None and (int(number[1][:9]), int(number[2][:9])) < _OLDEST_BUILDKIT:
            return f"BuildKit {number[0]} is older than v0.20, and cannot"
        if number is None and ("\0" in name or "@" in image or not _NEW_TAG.fullmatch(tag)):
            return "the version of BuildKit cannot be told, and one before v0.20 cannot"
    return None


def _container(run: Run, runs: Runs) -> str:
    """The image of the container in which a job runs, unless it surely brings a new Buildx; empty for none."""
    node = run.workflow_run.job.node.get("container")
    found = node.get("image") if isinstance(node, Mapping) else node
    image = runs.read(text_of(found) or "", Place(run.workflow_run, None)).strip()
    match = _IMAGE_OF_DOCKER.fullmatch(image)
    if match is None:
        return image
    number = tuple(int(part[:9]) for part in match.groups() if part)
    return image if number < _OLDEST_DOCKER[: len(number)] else ""


def _runs_less(setup: Step, build: Step) -> bool:
    """Whether a step may be skipped where a build after it is not."""
    if setup.condition == build.condition:
        return False
    return setup.condition != "" or goes_on(build.condition)


def _may_fail(step: Step) -> Node | None:
    """What says that the job may go on if a step fails."""
    node = step.node.get("continue-on-error")
    return None if node is None or (text_of(node) or "").strip().lower() == "false" else node


def _for_job(run: Run, job: Job) -> bool:
    """Whether it is a run of a job, or of an action for one."""
    return run.job is job or (run.composite and run.outer is not None and _for_job(run.outer, job))


def _closes(name: str, node: Node | None) -> bool:
    """Whether a pull request that is closed starts it: its runs belong to the default branch, and may only read."""
    if name != "pull_request" or not isinstance(node, Mapping):
        return False
    types = node.get("types")
    texts = [text_of(one) for one in types.nodes] if isinstance(types, Items) else [text_of(types)]
    return "closed" in texts


def _root(job: Job) -> Mapping:
    assert job.workflow.root is not None
    return job.workflow.root


def _span(node: Node | None) -> Span | None:
    return None if node is None else node.span


def _may_make(step: Step) -> bool:
    """Whether it may make a builder: see `_JobPlan._made`."""
    if step.run is not None:
        return OWN_BUILDER.search(step.run.text) is not None
    return step.action == SETUP or step.action.startswith(("./", *_BUILDERS))


def _uses(step: Step) -> Span | None:
    return _span(step.uses)


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "…"


def _builds(text: str, start: int = 0, end: int | None = None) -> list[Span]:
    """The commands that build, from the name of the program to the word that says so."""
    end = len(text) if end is None else end
    found = [Span(*match.span()) for match in _DOCKER.finditer(text, start, end) if match["build"]]
    for match in _COMPOSE.finditer(text, start, end):
        said = _TO_BUILD.match(text, *match.span("rest"))
        found += [] if said is None else [Span(match.start(), said.end())]
    apart: list[Span] = []
    for one in sorted(found):
        if not apart or one.start >= apart[-1].end:
            apart.append(one)
    return apart


def _is_posix(step: Step) -> bool:
    return (text_of(step.node.get("shell")) or default_shell(step) or "bash").partition(" ")[0] in ("bash", "sh")


def _only_tells(words: Sequence[str | None]) -> bool:
    """Whether a command that names a build does none; it has no words in a comment."""
    program = next((word for word in words if word != "sudo"), "")
    return not words or program in _TELLERS or not _NO_BUILD.isdisjoint(words)


def _command(script: str, place: Span) -> str:
    """A command from its name on, with the lines that continue it in one of the shells. In a script, not in the text of
    the file, where a folded scalar has more ends of lines."""
    at, last = place.end, ""
    while True:
        end = script.find("\n", at)
        if end < 0:
            return script[place.start :]
        last = script[at:end].rstrip()[-1:] or last
        if last not in ("\\", "`", "^"):
            return script[place.start : end]
        at = end + 1
