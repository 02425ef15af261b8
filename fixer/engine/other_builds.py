"""The stages that other files name: `devcontainer.json`, `skaffold.yaml`, the scripts of `.gitlab-ci.yml`; Makefiles,
scripts, and files of other programs and services, in which a plain `--target NAME` counts wherever it stands."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING, Any

from fixer.engine.builds import ANY, UNKNOWN, Loose, NamedBuild, Room, TooMuchError, placed, real_place
from fixer.engine.files import FileTrouble, read
from fixer.text.regex import regex
from fixer.text.source import decode

if TYPE_CHECKING:
    from fixer.analysis.yaml_nodes import Node

_LARGEST = 1 << 20
"""Bytes of a file that is read; and characters, and nodes, of what is looked at in one, which aliases may repeat."""
_TOKEN = regex(r'"(?:[^"\\]|\\.)*"|//[^\n]*|/\*|[,\]}]|[^\s",\]}/]+|/')
_FILLED = regex(r"\$\{[^{}]*\}|\{\{[^{}]*\}\}")
_BUILDER = regex(r"(?i)docker|podman|buildah|nerdctl|kaniko")
_SERVICE_TARGET = regex(r"\btarget:[ \t]*[\"']?(?:\$\{\w+:?-)?([A-Za-z0-9_][\w.-]*)")
_SCRIPTS = ("before_script", "script", "after_script")


def builds_named_by(path: str, top: str, around: Collection[str]) -> Iterator[NamedBuild]:
    """What the file says, whose kind its name tells. top: the root of the repository; around: the directories below it
    in which Dockerfiles are, at any depth."""
    name = os.path.basename(path)
    reader = _READERS.get(name)
    if name == ".gitlab-ci.yml" and os.path.dirname(path) != top:
        return
    try:
        text = decode(read(path))
    except FileTrouble:
        return
    if len(text) > _LARGEST:
        return
    try:
        directory = os.path.dirname(path)
        if reader is not None:
            yield from reader(text, directory, top)
        else:
            make = name.endswith("akefile")
            yield from _of_make(text, directory, top) if make else _of_script(text, directory, around)
            if name.endswith((".yml", ".yaml")):
                yield from _of_services(text, directory, top)
    except TooMuchError:
        yield NamedBuild(None, ANY, None, False)


# --- Make ------------------------------------------------------------------------------------------------------------


def _of_make(text: str, directory: str, top: str) -> Iterator[NamedBuild]:
    """Of a directory's Makefile those for Dockerfiles below it, of the root's those for all."""
    if "--target" not in text or not _BUILDER.search(text):
        return
    from fixer.analysis.docker_scripts import plain_targets

    dockerfiles = ANY if directory == top else Loose(os.path.join(directory, ""), "")
    for name in plain_targets(text):
        yield NamedBuild(None, dockerfiles, name, False)


# --- others that build ---------------------------------------------------------------------------------------------


def _of_script(text: str, directory: str, around: Collection[str]) -> Iterator[NamedBuild]:
    """For the Dockerfiles at and below its directory, if there are any and it leads nowhere else; else for all, as a
    script may run anywhere."""
    if "--target" not in text or not _BUILDER.search(text):
        return
    from fixer.analysis.docker_scripts import listed_targets

    dockerfiles = Loose(os.path.join(directory, ""), "") if directory in around and ".." not in text else ANY
    for name in listed_targets(text):
        yield NamedBuild(None, dockerfiles, name, False)


def _of_services(text: str, directory: str, top: str) -> Iterator[NamedBuild]:
    """A file of Compose by a name of its own (`docker compose -f local.yml`)."""
    if "services:" in text and "build:" in text:
        dockerfiles = ANY if directory == top else Loose(os.path.join(directory, ""), "")
        for match in _SERVICE_TARGET.finditer(text):
            yield NamedBuild(None, dockerfiles, match[1], False)


# --- devcontainer ----------------------------------------------------------------------------------------------------


def _of_devcontainer(text: str, directory: str, top: str) -> Iterator[NamedBuild]:
    """`dockerfile` is relative to the file (containers.dev, "Development Container metadata reference")."""
    try:
        root = json.loads(_without_comments(text))
    except (ValueError, RecursionError):
        return
    build = root.get("build") if isinstance(root, dict) else None
    if not isinstance(build, dict) or "target" not in build:
        return
    said = build.get("dockerfile", build.get("dockerFile", root.get("dockerFile", "Dockerfile")))
    _, dockerfile = placed(directory, ".", _text(said))
    target = _text(build["target"])
    if dockerfile is not None:
        yield NamedBuild(None, dockerfile, None if UNKNOWN in target else target, False)


def _text(value: Any) -> str:
    return _FILLED.sub(UNKNOWN, value) if isinstance(value, str) else UNKNOWN


def _without_comments(text: str) -> str:
    """JSON of text that may have comments, and commas before a closing bracket."""
    out: list[str] = []
    at = 0
    while (match := _TOKEN.search(text, at)) is not None:
        at = match.end()
        if match[0].startswith("//"):
            continue
        if match[0] == "/*":
            at = text.find("*/", at) + 2
            if at == 1:
                break
            continue
        if match[0] in ("]", "}") and out and out[-1] == ",":
            out.pop()
        out.append(match[0])
    return " ".join(out)


# --- Skaffold --------------------------------------------------------------------------------------------------------


def _of_skaffold(text: str, directory: str, top: str) -> Iterator[NamedBuild]:
    """Of each artifact, also of profiles; `dockerfile` is relative to its context (skaffold.dev, "skaffold.yaml")."""
    from fixer.analysis.workflow import text_of
    from fixer.analysis.yaml_nodes import Items, merged

    room = Room(_LARGEST)

    def get(node: Node | None, key: str) -> Node | None:
        return merged(node, key, room.take)

    for root in _documents(text):
        profiles = get(root, "profiles")
        for one in (root, *(profiles.nodes if isinstance(profiles, Items) else ())):
            artifacts = get(get(one, "build"), "artifacts")
            for artifact in artifacts.nodes if isinstance(artifacts, Items) else ():
                docker = get(artifact, "docker")
                target = _text(text_of(get(docker, "target")) or "")
                if not target:
                    continue
                context = _text(text_of(get(artifact, "context")) or ".")
                _, dockerfile = placed(directory, context, _text(text_of(get(docker, "dockerfile")) or "Dockerfile"))
                if dockerfile is not None:
                    yield NamedBuild(None, dockerfile, None if UNKNOWN in target else target, False)


def _documents(text: str) -> tuple[Node, ...]:
    from fixer.analysis.yaml_nodes import Yaml, YamlError

    try:
        return Yaml(text, several=True).roots
    except YamlError:
        return ()


# --- GitLab ----------------------------------------------------------------------------------------------------------


def _of_gitlab(text: str, directory: str, top: str) -> Iterator[NamedBuild]:
    """The scripts of all jobs, each with the variables of its job and those of the file."""
    if not _BUILDER.search(text):
        return
    from fixer.analysis.docker_scripts import (
        WORKSPACE,
        all_commands,
        read_build,
        read_other_build,
        targets_not_understood,
    )
    from fixer.analysis.yaml_nodes import Mapping, merged

    room = Room(_LARGEST)
    seen: set[int] = set()
    for root in _documents(text):
        for _, job in root.items() if isinstance(root, Mapping) else ():
            if id(job) in seen or not isinstance(job, Mapping):
                continue
            seen.add(id(job))
            scripts = [merged(job, key, room.take) for key in _SCRIPTS]
            script = "\n".join(line for node in scripts for line in _lines(node, room))
            if not _BUILDER.search(script):
                continue
            for name in targets_not_understood(script):
                yield NamedBuild(None, ANY, name, False)
            variables = [merged(one, "variables", room.take) for one in (job, root)]

            def lookup(name: str, variables: list[Node | None] = variables) -> str | None:
                return WORKSPACE if name == "CI_PROJECT_DIR" else _variable(variables, name, room)

            for command in all_commands(script, ".", lookup):
                build = read_build(command.words, several=command.open)
                build = build or read_other_build(command.words, several=command.open)
                paths = None if build is None else build.paths(command.directory)
                if build is None or (paths is None and build.outside):
                    continue
                dockerfile = ANY if paths is None else real_place(top, paths[1]) or ANY
                if paths is not None and os.path.basename(paths[1]) == "-":
                    yield NamedBuild(real_place(top, paths[0]), dockerfile, build.target, True, build.replaced)
                elif build.target != "" or build.replaced:
                    yield NamedBuild(None, dockerfile, build.target, False, build.replaced)


def _variable(variables: list[Node | None], name: str, room: Room) -> str | None:
    from fixer.analysis.workflow import text_of
    from fixer.analysis.yaml_nodes import merged

    for table in variables:
        node = merged(table, name, room.take)
        if node is not None:
            found = text_of(node) or text_of(merged(node, "value", room.take))
            return None if found is None or "$" in found else found
    return None


def _lines(node: Node | None, room: Room) -> Iterator[str]:
    """A script: a text, or a list of such, also one inside of another."""
    from fixer.analysis.yaml_nodes import Items, Scalar

    waiting = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Scalar):
            room.take(len(one.text) + 1)
            yield one.text
        elif isinstance(one, Items):
            room.take(len(one.nodes))
            waiting.extend(reversed(one.nodes))


_READERS: dict[str, Callable[[str, str, str], Iterator[NamedBuild]]] = {
    "devcontainer.json": _of_devcontainer,
    ".devcontainer.json": _of_devcontainer,
    "skaffold.yaml": _of_skaffold,
    "skaffold.yml": _of_skaffold,
    ".gitlab-ci.yml": _of_gitlab,
}
