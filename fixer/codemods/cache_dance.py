"""Carry what cache mounts hold from one hosted runner to the next."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Collection, Iterator, Sequence
from typing import ClassVar

from fixer.analysis.documents import Neighbour
from fixer.analysis.mounts import Mount
from fixer.analysis.values import Known
from fixer.analysis.workflow import SETUP, Job, Step, Workflow, listed, recipe
from fixer.analysis.workflow_runs import Place, Runs, files_with
from fixer.codemods.api import Change, Codemod, Refusal, Safety, Settings
from fixer.codemods.gha_engine import OWN_BUILDER, TRUE
from fixer.codemods.gha_events import UNREAD, reads_back
from fixer.codemods.gha_mounts import built_stages
from fixer.codemods.gha_scopes import is_build, slug
from fixer.codemods.yaml_edits import (
    column,
    inputs_indent,
    newline_at,
    put_before,
    quoted_like,
    steps_fault,
)
from fixer.text.edits import Edit
from fixer.text.records import dataclass
from fixer.text.source import Span
from fixer.tree.nodes import Run

DANCE = "reproducible-containers/buildkit-cache-dance"
CACHE = "actions/cache"
_VERSIONS = {DANCE: "v3", CACHE: "v5"}
"""Where the repository does not use them yet (November 2026)."""
_OLDEST = {DANCE: 3, CACHE: 3}
"""The first major versions that know a `cache-map`, and the cache as it is now."""
_PLACE = "${{ runner.temp }}/cache-mounts"
"""Outside of the workspace, which is mostly the build context."""
_NAMESPACE = "BUILDKIT_CACHE_MOUNT_NS"
"""The build argument that is put before the ids of cache mounts (docs.docker.com, "Dockerfile reference")."""
_LOCKS = (
    (r"cargo|/target\b|rust", ("**/Cargo.lock",)),
    (r"\bpip\b|\buv\b|poetry|pypoetry|pipenv", ("**/requirements*.txt", "**/pyproject.toml", "**/*.lock")),
    (r"npm", ("**/package-lock.json",)),
    (r"yarn", ("**/yarn.lock",)),
    (r"pnpm", ("**/pnpm-lock.yaml",)),
    (r"/go/|go-build|gomod", ("**/go.sum",)),
    (r"\.m2|maven", ("**/pom.xml",)),
    (r"gradle", ("**/*.gradle*",)),
    (r"composer", ("**/composer.lock",)),
    (r"nuget|dotnet", ("**/*.csproj",)),
    (r"bundle|\bgems?\b|ruby", ("**/Gemfile.lock",)),
)
"""Files whose content says what a cache of that name holds."""


@dataclass(frozen=True, slots=True)
class _Held:
    """One cache: where a mount of it is, and what else makes it this cache and no other."""

    name: str
    target: str
    options: tuple[tuple[str, str | int], ...]

    @property
    def line(self) -> str:
        value = {"target": self.target, **dict(self.options)} if self.options else self.target
        return f"{json.dumps(f'{_PLACE}/{self.name}')}: {json.dumps(value)}"


@dataclass(frozen=True, slots=True)
class _Stop:
    reason: str
    because: str
    span: Span | None = None


class CacheDance(Codemod):
    """Carry what cache mounts hold from one hosted runner to the next.

    Cache mounts are in no layer cache: on a hosted runner they start empty in every job, and `cache-to` does not keep
    them. reproducible-containers/buildkit-cache-dance fills them before the build, and takes out afterwards what they
    hold; actions/cache keeps it. Both steps are put before the first build of a job, with a `cache-map` of all cache
    mounts in the Dockerfiles that the job builds:

        - uses: actions/cache@v5
          id: cache-mounts
          with:
            path: ${{ runner.temp }}/cache-mounts
            key: cache-mounts-ci-image-${{ runner.os }}-${{ runner.arch }}-${{ hashFiles('Dockerfile', '**/*.lock') }}
            restore-keys: cache-mounts-ci-image-${{ runner.os }}-${{ runner.arch }}-
        - uses: reproducible-containers/buildkit-cache-dance@v3
          with:
            builder: ${{ steps.buildx.outputs.name }}
            cache-map: |
              {
                "${{ runner.temp }}/cache-mounts/root-.cache-pip": "/root/.cache/pip"
              }
            scratch-dir: ${{ runner.temp }}/cache-dance
            skip-extraction: ${{ steps.cache-mounts.outputs.cache-hit }}

    BuildKit knows a cache by its id, uid, gid and mode, so these are in the map as in the Dockerfile. Files come back
    as root's, or as those of the mount's `uid` and `gid`: where another user fills a mount that has none, the build is
    left alone. All is kept outside of the workspace, so that `COPY . .` does not see it. The key holds the names of the
    workflow's file and of the job, and what is in the Dockerfile and in the lock files that belong to what the mounts
    are for, which the job must have checked out. The step that makes the builder gets an `id` if it has none. A build
    that some runs leave out would let them keep empty caches for the others, so that it is left alone. So is one that
    throws mounts away (`no-cache`), or gives them other ids (`BUILDKIT_CACHE_MOUNT_NS`). Mounts of stages that its
    `target` does not need are not in the map. Where all actions of a workflow are pinned, only versions that the
    repository uses elsewhere are taken.

    Nobody gets this unasked (`--select cache-dance`), and it is unsafe: it runs the action of a third party, moves
    every cache through GitHub's, which holds 10 GB for a repository, and takes time in every run. Layers in a cache
    (`gha-cache`), with dependencies in layers of their own, need none of it.
    """

    id = "cache-dance"
    document = "workflow"
    words = ("build-push-action",)
    builders = frozenset()
    reasons: ClassVar = {
        "runner": "the file does not say that GitHub hosts the runner, or it does not, its system is not Linux, or the "
        "job runs in a container",
        "conditional-build": "a build has a condition: a run without it would keep caches that are empty",
        "no-checkout": "the files that the key is made of are not in the workspace",
        "no-buildx": "the builder is not made by docker/setup-buildx-action in this job, or there are several",
        "unknown-dockerfile": "which Dockerfile is built cannot be told, or it is not here, or not understood",
        "unknown-mount": "where a cache mount is, or which cache it is, cannot be told",
        "seeded-mount": "a cache mount begins with what another stage or image holds, which the map cannot say",
        "no-cache": "the build throws away what cache mounts hold (`no-cache`, `no-cache-filters`)",
        "namespace": "a build argument gives the cache mounts other ids, which the map cannot say",
        "lost-owner": "another user than root fills a cache mount without `uid`, and its files come back as root's",
        "pinned": "all actions of the workflow are pinned by digests, and that of a new one is not known",
        "other-builder": "the step is there without `builder`, and fills another one than the build uses",
        "other-map": "the step is there, and its map does not name a cache mount of the Dockerfile",
        "unread-cache": "each run is for a new tag, or another new ref, and none could read what another has kept",
        "not-plain": "the steps are written in a form in which nothing can be added",
    }

    def run(self, facts: Workflow, settings: Settings) -> Iterator[Change | Refusal]:  # type: ignore[override]
        for job in facts.jobs:
            builds = [step for step in job.steps if is_build(step)]
            if builds:
                yield from _one_job(job, builds, settings)


def _one_job(job: Job, builds: Sequence[Step], settings: Settings) -> Iterator[Change | Refusal]:
    held: dict[object, _Held] = {}
    files: dict[str, None] = {}
    dance = next((step for step in job.steps if step.action == DANCE), None)
    danced = dance is not None
    for step in builds:
        found = _mounts_of(step, settings.dockerfiles)
        if isinstance(found, _Stop):
            yield _refused(step, found)
            return
        thrown = _thrown_away(step) if found and not danced else None
        if thrown is not None:
            yield _refused(step, thrown)
            return
        for path, caches in found:
            files[path] = None
            for cache in caches:
                held.setdefault((_id_of(cache), cache.options), cache)
    if not held:
        return
    first = builds[0]
    setup = _setup(job, first)
    if dance is not None:
        fault = None if setup is None else _builder_fault(dance, setup)
        if fault is not None:
            yield _refused(dance, fault)
        yield from _compare(dance, list(held.values()))
        return
    runs = Runs(files_with(settings.path, job.workflow, settings.workflows or ()))
    stop = _stop(job, builds, setup, runs)
    if stop is not None or setup is None:
        yield _refused(first, stop or _Stop("no-buildx", "docker/setup-buildx-action is not used before the build."))
        return
    versions = [_used(action, first, settings) for action in (CACHE, DANCE)]
    if None in versions:
        missing = CACHE if versions[0] is None else DANCE
        because = f"your actions are pinned, and {missing} is not used here yet: add the steps by hand, pinned too."
        yield _refused(first, _Stop("pinned", because))
        return
    yield _change(first, setup, _apart(list(held.values())), list(files), [one for one in versions if one], settings)


def _thrown_away(step: Step) -> _Stop | None:
    """Why the cache mounts of a build would not be what the map fills."""
    for name in ("no-cache", "no-cache-filters"):
        said = (step.input(name) or "").strip()
        if said and said not in ("false", "False", "FALSE") and (name != "no-cache" or "${{" not in said):
            node = step.input_node(name)
            because = f"with `{name}` BuildKit throws away what the mounts hold, and begins with empty ones."
            return _Stop("no-cache", because, None if node is None else node.span)
    for line in listed(step.input("build-args")):
        name, _, value = line.strip("\"'").partition("=")
        if name == _NAMESPACE and value:
            node = step.input_node("build-args")
            because = f"`{_NAMESPACE}` gives the cache mounts other ids than the Dockerfile does, and the map its own."
            return _Stop("namespace", because, None if node is None else node.span)
    return None


def _apart(held: Sequence[_Held]) -> list[_Held]:
    """The same with names that are all different."""
    found: dict[str, _Held] = {}
    for cache in held:
        name = _free(cache.name, set(found))
        found[name] = _Held(name, cache.target, cache.options)
    return list(found.values())


def _stop(job: Job, builds: Sequence[Step], setup: Step | None, runs: Runs) -> _Stop | None:
    first = builds[0]
    if job.runner != "hosted":
        node = job.node.get("runs-on")
        because = f"`{job.runner_text}`: on a runner that stays, cache mounts keep what they hold."
        return _Stop("runner", because, None if node is None else node.span)
    if not job.linux:
        return _Stop("runner", f"`{job.runner_text}`: BuildKit runs in a container on Linux only.")
    if job.node.get("container") is not None:
        return _Stop("runner", "the job runs in a container, and the action calls `sudo`, which may not be there.")
    driver = "docker-container" if setup is None else (setup.input("driver") or "docker-container").strip()
    remote = setup is not None and (setup.input("endpoint") or setup.input("append"))
    if setup is None or setup.condition or remote or driver != "docker-container":
        because = "docker/setup-buildx-action must make the builder in this job, in a container, without a condition."
        return _Stop("no-buildx", because)
    other = next((step for step in builds if _setup(job, step) is not setup or _chosen_elsewhere(step, runs)), None)
    if other is not None:
        because = "another builder may do this build, and the steps would fill one only."
        return _Stop("no-buildx", because, other.span if other.uses is None else other.uses.span)
    conditional = next((step for step in builds if step.condition), None)
    if conditional is not None:
        because = "where a build does not run, empty caches would be kept for the runs after: it has a condition."
        node = conditional.node.get("if")
        return _Stop("conditional-build", because, None if node is None else node.span)
    if not any(_checks_out(step) for step in job.steps[: first.index]):
        because = "no step before the build checks out the repository into the workspace: `hashFiles` finds nothing."
        return _Stop("no-checkout", because)
    if not any(reads_back(runs, step) for step in builds):
        return _Stop("unread-cache", f"{UNREAD}: what this job would keep is its own.")
    shared = setup.shared or first.shared
    fault = steps_fault(first) or ("an alias uses the step in another place too" if shared else None)
    if fault is None and (setup.node.flow or (setup.uses is not None and setup.uses.style in ("|", ">"))):
        fault = "the step that makes the builder is written in braces"
    return None if fault is None else _Stop("not-plain", f"{fault}: add the steps by hand.")


def _checks_out(step: Step) -> bool:
    """Whether the files of the repository are where the paths of a workflow say, after it."""
    moved = step.input("path") or step.input("repository")
    return step.action == "actions/checkout" and not step.condition and not moved


def _setup(job: Job, build: Step) -> Step | None:
    """The step that makes the builder of a build; None if that is not docker/setup-buildx-action."""
    found = [step for step in job.steps[: build.index] if step.action == SETUP]
    named = (build.input("builder") or "").strip()
    if named:
        match = re.fullmatch(r"\$\{\{\s*steps\.([\w-]+)\.outputs\.name\s*\}\}", named)
        return next((step for step in found if match is not None and step.id == match[1]), None)
    return next((step for step in reversed(found) if (step.input("use") or "true").strip() in TRUE), None)


def _chosen_elsewhere(build: Step, runs: Runs) -> bool:
    """Whether a script before a build, or its environment, may choose another builder."""
    if any(step.run is not None and OWN_BUILDER.search(step.run.text) for step in build.job.steps[: build.index]):
        return True
    if not runs.mentions("BUILDX_BUILDER"):
        return False
    places = [Place(run, build) for run in runs.of(build.job)]
    tables = (table for place in places for table, _ in runs.environments(place))
    return any(table.get("BUILDX_BUILDER") is not None for table in tables) or any(
        runs.writers("BUILDX_BUILDER", place) for place in places
    )


def _change(
    first: Step, setup: Step, held: Sequence[_Held], files: Sequence[str], versions: Sequence[str], settings: Settings
) -> Change:
    names = {step.id for step in first.job.steps}
    builder = setup.id or _free("buildx", names)
    kept = _free("cache-mounts", names | {builder})
    wide = inputs_indent(first)
    title = first.node.get("name") is not None
    assert first.uses is not None
    locks = [pattern for cache in held for pattern in _locks(cache)]
    hashed = ", ".join(f"'{name}'" for name in dict.fromkeys([*files, *locks]))
    stem = slug(posixpath.splitext(posixpath.basename(settings.path))[0])
    part = "-${{ strategy.job-index }}" if first.job.matrix is not None else ""
    place = "-".join(name for name in ("cache-mounts", stem, slug(first.job.id)) if name)
    key = f"{place}{part}-${{{{ runner.os }}}}-${{{{ runner.arch }}}}-"
    cache = [
        *(["name: Keep what cache mounts hold"] if title else []),
        f"uses: {versions[0]}",
        f"id: {kept}",
        "with:",
        f"{wide}path: {_PLACE}",
        f"{wide}key: {key}${{{{ hashFiles({hashed}) }}}}",
        f"{wide}restore-keys: {key}",
    ]
    rows = [cache_.line for cache_ in held]
    dance = [
        *(["name: Fill cache mounts"] if title else []),
        f"uses: {versions[1]}",
        "with:",
        f"{wide}builder: ${{{{ steps.{builder}.outputs.name }}}}",
        f"{wide}cache-map: |",
        f"{wide * 2}{{",
        *(f"{wide * 3}{row}{',' if row is not rows[-1] else ''}" for row in rows),
        f"{wide * 2}}}",
        f"{wide}scratch-dir: ${{{{ runner.temp }}}}/cache-dance",
        f"{wide}skip-extraction: ${{{{ steps.{kept}.outputs.cache-hit }}}}",
    ]
    edits = [put_before(first, [cache, dance])]
    if not setup.id:
        edits.insert(0, _with_id(setup, builder))
    count = f"{len(held)} cache mount" + ("s" if len(held) > 1 else "")
    return Change(
        CacheDance.id,
        f"carry what {count} of {', '.join(files)} {'hold' if len(held) > 1 else 'holds'} from run to run",
        "the runner is new for every job, and cache mounts are in no layer cache; the map names them as the Dockerfile "
        "does, and all of it is kept outside of the build context.",
        Span(setup.span.start, first.span.end),
        tuple(edits),
        Safety.UNSAFE,
        "it runs the action of a third party, and what the mounts hold counts for GitHub's 10 GB.",
    )


def _with_id(setup: Step, name: str) -> Edit:
    """The id behind the line that names the action."""
    text = setup.job.workflow.text
    uses = setup.uses
    assert uses is not None
    key = next(key for key, value in setup.node.items() if value is uses)
    end = text.find("\n", uses.span.end)
    end = len(text) if end < 0 else end
    newline = newline_at(text, uses.span.start)
    at = end - 1 if newline == "\r\n" and text[end - 1 : end] == "\r" else end
    return Edit(at, at, f"{newline}{' ' * column(text, key.span.start)}id: {name}")


def _used(action: str, first: Step, settings: Settings) -> str | None:
    """An action as the repository uses it elsewhere, if that is new enough, else with the version of ours; None where
    all are pinned, and no digest is known."""
    assert first.uses is not None
    for workflow in (first.job.workflow, *(one for _, one in settings.workflows or ())):
        for step in workflow.steps:
            old = step.major is not None and step.major < _OLDEST[action]
            if step.action == action and step.version and step.uses is not None and not old:
                behind = workflow.comment_behind(step.uses.span.end) if step.pinned else ""
                return quoted_like(first.uses, f"{action}@{step.version}") + (f" {behind}" if behind else "")
    if first.job.workflow.is_pinned:
        return None
    return quoted_like(first.uses, f"{action}@{_VERSIONS[action]}")


def _free(name: str, taken: set[str]) -> str:
    number = 1
    found = name
    while found in taken:
        number += 1
        found = f"{name}-{number}"
    return found


def _compare(dance: Step, held: Sequence[_Held]) -> Iterator[Refusal]:
    """Whether a map that is there names all caches; without one the action finds those of the Dockerfile itself."""
    text = " ".join([dance.input("cache-map") or "", dance.input("cache-target") or "", dance.input("cache-id") or ""])
    if not text.strip():
        return
    for cache in held:
        if not any(f'"{word}"' in text or word == text.strip() for word in (cache.target, _id_of(cache))):
            because = f"the map does not name the cache mount {_id_of(cache)}: add {cache.line}"
            node = dance.input_node("cache-map")
            yield _refused(dance, _Stop("other-map", f"{because}.", None if node is None else node.span))


def _builder_fault(dance: Step, setup: Step) -> _Stop | None:
    """Whether the step is there, and fills the engine's own builder: what it does since v3.2.0 if it is told none."""
    said = dance.version
    if dance.pinned and dance.uses is not None:
        said = dance.job.workflow.comment_behind(dance.uses.span.end).lstrip("# ")
    if dance.input("builder") or setup.input("driver") == "docker" or re.match(r"v?(?:[12]\b|3\.[01]\b)", said):
        return None
    name = f"${{{{ steps.{setup.id or 'buildx'}.outputs.name }}}}"
    because = f"without `builder` it fills the engine's own builder, and the build uses another: add `builder: {name}`"
    return _Stop("other-builder", because + ("." if setup.id else ", and that `id`."))


def _id_of(cache: _Held) -> str:
    return str(dict(cache.options).get("id", cache.target))


def _refused(step: Step, stop: _Stop) -> Refusal:
    span = stop.span or (step.span if step.uses is None else step.uses.span)
    return Refusal(CacheDance.id, stop.reason, span, stop.because)


# --- Dockerfiles ------------------------------------------------------------------------------------------------------


def _mounts_of(step: Step, dockerfiles: Sequence[Neighbour]) -> list[tuple[str, list[_Held]]] | _Stop:
    """The cache mounts of the Dockerfiles that a build takes."""
    paths = recipe(step).files()
    if paths is None:
        return _Stop("unknown-dockerfile", "which Dockerfile it builds cannot be told.")
    known = {one.path: one for one in dockerfiles}
    targets: Collection[str | None] = step.job.values(recipe(step).target) or (None,)
    found: list[tuple[str, list[_Held]]] = []
    for path in sorted(paths):
        facts = known[path].facts if path in known else None
        if facts is None:
            why = "is not understood" if path in known else "is not here"
            return _Stop("unknown-dockerfile", f"{path} {why}.")
        caches: dict[_Held, None] = {}
        stages = {stage.index: stage for target in targets for stage in built_stages(facts, target)}
        for instruction in (one for index in sorted(stages) for one in stages[index].instructions):
            for mount in facts.mounts(instruction) if isinstance(instruction, Run) else ():
                if mount.type == "cache":
                    one = _held(mount, facts.state(instruction).user.root)
                    if isinstance(one, _Stop):
                        return _Stop(one.reason, f"{path}: {one.because}")
                    caches[one] = None
        if caches:
            found.append((path, list(caches)))
    return found


def _held(mount: Mount, of_root: bool | None) -> _Held | _Stop:
    """of_root: whether root uses it; None if that is not known."""
    known = mount.problem is None and isinstance(mount.target, Known) and mount.cache_key is not None
    if not known or not isinstance(mount.target, Known) or mount.target.args:
        return _Stop("unknown-mount", "where a cache mount is, or which cache, cannot be told.")
    if isinstance(mount.id, Known) and mount.id.args:
        because = f"a build argument may give the cache mount at {mount.target.value} another id than {mount.id.value}."
        return _Stop("unknown-mount", because)
    if mount.from_ is not None:
        return _Stop("seeded-mount", f"the cache mount at {mount.target.value} begins with what `{mount.from_}` holds.")
    target = mount.target.value
    others_write = mount.mode is not None and bool(mount.mode & 0o022)
    if mount.uid is None and (of_root is False or (of_root is None and others_write)):
        because = f"another user than root fills the cache mount at {target}, and from the map its files come back as "
        return _Stop("lost-owner", because + "root's: give the mount that user's `uid` and `gid`.")
    options: list[tuple[str, str | int]] = []
    if isinstance(mount.id, Known):
        options.append(("id", mount.id.value))
    elif mount.cache_key is not None and mount.cache_key[0] != target:  # BuildKit's id is the text before WORKDIR
        options.append(("id", mount.cache_key[0]))
    if (mount.uid, mount.gid) != (None, None):  # both: the action hands `uid:gid` to chown, which minds half of it
        options += [("uid", mount.uid or 0), ("gid", mount.gid or 0)]
    if mount.mode is not None:
        options.append(("mode", f"{mount.mode:04o}"))
    parts = [str(dict(options).get("id", target)), *(str(value) for name, value in options if name != "id")]
    return _Held(slug("-".join(parts)) or "mount", target, tuple(options))


def _locks(cache: _Held) -> tuple[str, ...]:
    text = f"{cache.target} {_id_of(cache)}".lower()
    return tuple(pattern for words, patterns in _LOCKS if re.search(words, text) for pattern in patterns)
