"""What the steps of a job share by the images of the engine: who leaves one there, and who may take it.

The engine's own builder leaves every image in the engine, and finds there what a Dockerfile starts from. A builder of
Buildx in a container does neither. So a build can move to it if what steps after it may need is loaded, and if it takes
nothing that a step before it may have left.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from fixer.analysis.bases import BaseImage, base_image, split_reference
from fixer.analysis.documents import Neighbour
from fixer.analysis.expressions import EXPRESSION
from fixer.analysis.facts import Facts
from fixer.analysis.values import Unknown
from fixer.analysis.workflow import Job, Step, default_shell, listed, recipe, text_of
from fixer.analysis.workflow_runs import Runs
from fixer.codemods.gha_scopes import image_repositories, is_build
from fixer.tree.cook import Cooked
from fixer.tree.nodes import Copy, Run
from fixer.tree.parse_shell import parse_shell
from fixer.tree.shell import Function, OpaqueScript, Simple

OWN_BUILDER = re.compile(r"\b(?:buildx\s+(?:create|use)|docker\s+context\s+use)\b|\bBUILDX_BUILDER\s*=")
"""What a script says that makes or chooses a builder."""
TRUE = ("true", "True", "TRUE")
"""How an input says yes."""
_QUIET_ACTIONS = (
    "actions/", "aws-actions/", "azure/login", "codecov/codecov-action", "docker/login-action",
    "docker/metadata-action", "docker/setup-buildx-action", "docker/setup-qemu-action", "dorny/paths-filter",
    "github/codeql-action", "google-github-actions/", "peter-evans/", "sigstore/cosign-installer", "slackapi/",
    "softprops/action-gh-release",
)  # fmt: skip
"""Actions that have nothing to do with the images of the engine."""
_QUIET_PROGRAMS = frozenset(
    {
        ":", "[", "[[", "aws", "awk", "base64", "basename", "break", "cat", "cd", "chmod", "chown", "continue",
        "cosign", "cp", "curl", "cut", "date", "df", "dirname", "du", "echo", "exit", "export", "false", "free",
        "gcloud", "gh", "git", "grep", "gunzip", "gzip", "head", "helm", "jq", "local", "ls", "mkdir", "mv",
        "printf", "pwd", "read", "readonly", "return", "rm", "sed", "set", "sha256sum", "shift", "sleep",
        "sort", "tail", "tar", "tee", "test", "touch", "tr", "true", "uname", "uniq", "unset", "unzip", "wc",
        "wget", "yq", "zip",
    }
)  # fmt: skip
_QUIET_DOCKER = re.compile(r"login|logout|version|info|pull|manifest|trust|buildx (?:imagetools|ls|inspect|du|version)")
"""Commands of docker that speak with a registry, or tell nothing of an image."""
_PULLING = re.compile(r"docker (?:container )?(?:run|create)|kubectl")
"""Commands that take from the registry what the engine has not."""
_DEPTH = 3
_OFFICIAL = frozenset(
    {
        "caddy", "elasticsearch", "haproxy", "httpd", "influxdb", "julia", "kong", "mariadb", "memcached",
        "mongo", "mysql", "nginx", "postgres", "rabbitmq", "redis", "rockylinux", "solr", "sonarqube", "swift",
        "telegraf", "tomcat", "traefik", "vault", "wordpress",
    }
)  # fmt: skip
"""Docker's official images that the table of base images has no row for."""


class Engine:
    """The engine of one job.

    runs: those of the repository, for its own actions that steps use.
    """

    def __init__(self, job: Job, runs: Runs, dockerfiles: Sequence[Neighbour]) -> None:
        self._job = job
        self._runs = runs
        self._dockerfiles = dockerfiles
        self._known_quiet: dict[tuple[Step, bool], bool] = {}

    def inner(self, step: Step, depth: int = 0) -> Iterator[Step]:
        """The steps that run for one: those of an action of the repository, as far as it can be read; else itself."""
        action = None
        if step.action.startswith("./") and depth < _DEPTH:
            action = self._runs.action(step)
        if action is None or action.problem is not None or not any(True for _ in action.steps):
            yield step
            return
        for one in action.steps:
            yield from self.inner(one, depth + 1)

    def needed(self, build: Step) -> Step | None:
        """The first step after a build that may need its image in the engine. Other builds are asked by `taken`."""
        pushed = _pushed(build)
        for later in self._job.steps[build.index + 1 :]:
            self._runs.charge(1)
            if not is_build(later) and not self._quiet(later, pushed):
                return later
        return None

    def taken(self, build: Step) -> Step | None:
        """A step before a build that may have left an image in the engine that the build takes."""
        names = self._bases(build)
        for before in self._job.steps[: build.index]:
            self._runs.charge(1)
            if is_build(before):
                left = _names(before) if leaves(before) else ()
            else:
                left = () if self._quiet(before, False) else None
            if left == ():
                continue
            if names is None:
                return before
            if left is None and any(_perhaps_local(name, build) for name in names):
                return before
            if left is not None and {_last(name) for name in names} & {_last(name) for name in left}:
                return before
        return None

    def _quiet(self, step: Step, pushed: bool) -> bool:
        """Whether a step surely neither makes images of the engine nor needs one that was built; pushed: nor one that
        is in a registry too."""
        if (step, pushed) not in self._known_quiet:
            self._known_quiet[step, pushed] = all(_quiet_step(one, pushed) for one in self.inner(step))
        return self._known_quiet[step, pushed]

    def _bases(self, build: Step) -> frozenset[str] | None:
        """The names of the images that its Dockerfiles take from elsewhere; None if they are not known."""
        paths = recipe(build).files()
        known = {one.path: one for one in self._dockerfiles}
        found: set[str] = set()
        for path in paths or ():
            facts = known[path].facts if path in known else None
            names = None if facts is None else _taken_by(facts, bool((build.input("build-args") or "").strip()))
            if names is None:
                return None
            found |= names
        for line in listed(build.input("build-contexts")):
            name, _, place = line.partition("=")
            found.discard(name.strip())
            if place.startswith("docker-image://"):
                found.add(split_reference(place.removeprefix("docker-image://"))[0])
        return None if paths is None else frozenset(found)


def leaves(build: Step) -> bool:
    """Whether the image is in the engine after a build with the engine's own builder (docs.docker.com, "Exporters
    overview": all but those that write files)."""
    outputs = listed(build.input("outputs"))
    return not outputs or any(_exporter(one) in ("image", "registry", "docker") for one in outputs)


def loaded(build: Step) -> bool:
    """Whether it is there with any builder."""
    outputs = listed(build.input("outputs"))
    return _true(build.input("load")) or any(_exporter(one) == "docker" for one in outputs)


def _exporter(output: str) -> str:
    """The type of an output; `file` for one that goes to a place in the file system."""
    fields = dict(part.strip().partition("=")[::2] for part in output.split(","))
    kind = fields.get("type", "local")
    return "file" if kind in ("local", "tar", "oci") or (kind == "docker" and "dest" in fields) else kind


def _pushed(build: Step) -> bool:
    outputs = listed(build.input("outputs"))
    return _true(build.input("push")) or any("type=registry" in one or "push=true" in one for one in outputs)


def _true(text: str | None) -> bool:
    return (text or "").strip() in ("true", "True", "TRUE")


def _names(build: Step) -> tuple[str, ...] | None:
    """The names of the images that a build makes; None if not all are known."""
    names = tuple(image_repositories(build))
    tags = [part for part in re.split(r"[\n,]", build.input("tags") or "") if part.strip()]
    return names if len(names) >= len(tags) else None


def _taken_by(facts: Facts, arguments: bool) -> frozenset[str] | None:
    """The images that a Dockerfile names; None if a variable says which, and the build sets some."""
    found: set[str] = set()
    for stage in facts.stages:
        bases: list[object] = [stage.base]
        if arguments and "$" in stage.from_.image.text:
            return None
        for instruction in stage.instructions:
            if isinstance(instruction, Copy):
                bases.append(facts.copied_from(instruction))
            elif isinstance(instruction, Run):
                for mount in facts.mounts(instruction):
                    if mount.from_ is not None:
                        bases.append(facts.resolve(stage, str(mount.from_), numbers=False))
        for base in bases:
            if isinstance(base, BaseImage):
                found.add(split_reference(base.reference)[0])
            elif isinstance(base, Unknown):
                return None
    return frozenset(found - {"scratch"})


def _perhaps_local(name: str, build: Step) -> bool:
    """Whether an image with that name may be one that a step of the job has built, and not one of a registry."""
    host = name.partition("/")[0]
    if "/" in name and ("." in host or ":" in host) and not re.match(r"localhost\b|127\.", host):
        return any(name.rpartition("/")[0] == own.rpartition("/")[0] for own in image_repositories(build))
    return not (base_image(name).known or name.removeprefix("library/") in _OFFICIAL)


def _last(name: str) -> str:
    return name.rpartition("/")[2]


def _quiet_step(step: Step, pushed: bool) -> bool:
    return step.action.startswith(_QUIET_ACTIONS) if step.run is None else _quiet_script(step, pushed)


def _quiet_script(step: Step, pushed: bool) -> bool:
    run = step.run
    assert run is not None
    if (text_of(step.node.get("shell")) or default_shell(step) or "bash") not in ("bash", "sh"):
        return False
    pushed = pushed and "outputs.imageid" not in run.text
    text = EXPRESSION.sub("expression", run.text)
    found = parse_shell(Cooked(text, [(0, len(text))]), 0, "bash")
    for node in found.walk():
        if isinstance(node, OpaqueScript | Function):
            return False
        if isinstance(node, Simple) and node.words and not _quiet_call([word.static for word in node.words], pushed):
            return False
    return True


def _quiet_call(words: Sequence[str | None], pushed: bool) -> bool:
    rest = list(words[1:] if words[0] == "sudo" else words)
    if not rest or rest[0] is None:
        return False
    if rest[0] in _QUIET_PROGRAMS:
        return True
    said = " ".join(word or "?" for word in rest)
    if rest[0] == "docker" and _QUIET_DOCKER.match(said.partition(" ")[2]):
        return True
    return pushed and _PULLING.match(said) is not None and "--pull" not in said
