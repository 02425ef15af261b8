"""`run: docker build …` as a step with docker/build-push-action, where the script is this one command."""

from __future__ import annotations

import posixpath
import re
from functools import cached_property
from itertools import pairwise

from fixer.analysis.docker_scripts import OF_GITHUB, DockerBuild, only_command, read_build
from fixer.analysis.workflow import BUILD, Step, default_directory, text_of
from fixer.analysis.yaml_nodes import Mapping, Node, Scalar
from fixer.codemods.yaml_edits import column, newline_at
from fixer.text.edits import Edit
from fixer.text.records import dataclass

_LISTS = {"--tag": "tags", "-t": "tags", "--build-arg": "build-args", "--label": "labels"}
_TEXTS = {"--file": "file", "-f": "file", "--target": "target", "--platform": "platforms", "--network": "network"}
_FLAGS = {"--push": "push", "--load": "load", "--pull": "pull"}
"""Options of `docker build` and `docker buildx build`, and the inputs that mean the same (docker/build-push-action v7,
src/context.ts)."""
_DEFAULTS = {"DOCKER_BUILDKIT": "1", "DOCKER_CONTENT_TRUST": "0", "DOCKER_CLI_EXPERIMENTAL": "enabled"}
"""Variables of a command with values that change nothing."""
_SAYS = frozenset({"--compress", "--force-rm", "--progress", "--quiet", "--rm", "-q"})
"""Options that change what the command says, or that BuildKit does not mind."""
_OUTPUTS = {"type=docker": "load", "type=registry": "push"}
_GOES = ("shell", "working-directory")
"""Keys of a script that mean nothing to an action."""
_ORDER = ("context", "file", "target", "platforms", "build-args", "network", "pull", "push", "load", "tags", "labels")
_PATH = re.compile(r"[\w.@+=/-]+")
_WORD = re.compile(r"[\w.:@+=/,-]+")
_CERTAIN = re.compile(
    rf"\$\{{\{{\s*github\.(?:{'|'.join(sorted(name.removeprefix('GITHUB_').lower() for name in OF_GITHUB))})\s*\}}\}}"
)
"""What `github` says and is one word."""
_WORKSPACE = re.compile(r"^\$\{\{\s*github\.workspace\s*\}\}(?:/|$)")


@dataclass(frozen=True, slots=True)
class ScriptBuild:
    """A build that a script does.

    inputs: those of docker/build-push-action that mean the same, in their order; several values of one are its lines.
    engine: whether the image is in the engine afterwards, with the engine's own builder.
    """

    inputs: tuple[tuple[str, tuple[str, ...]], ...]
    engine: bool

    def get(self, name: str) -> tuple[str, ...]:
        return next((values for key, values in self.inputs if key == name), ())


class AsBuild(Step):
    """A script that is a build, as the step with docker/build-push-action that it can become."""

    def __init__(self, script: Step, build: ScriptBuild) -> None:
        super().__init__(script.node, script.job, script.index)
        self._given = {name: "\n".join(values) for name, values in build.inputs}

    @cached_property
    def action(self) -> str:
        return BUILD

    def input(self, name: str) -> str | None:
        return self._given.get(name)

    def input_node(self, name: str) -> None:
        return None


def script_build(step: Step) -> ScriptBuild | str:
    """The build of a step with a script, or why it cannot be one of docker/build-push-action: a sentence without a
    stop."""
    run = step.run
    assert run is not None
    shell = text_of(step.node.get("shell"))
    if shell not in (None, "bash", "sh"):
        return f"its shell is {shell}"
    command = only_command(run.text, lambda name: _is_word_of_env(step, name))
    if isinstance(command, str):
        return command
    build = read_build(command.words)
    if build is None or command.words[0] != "docker" or build.elsewhere:
        return "the script is another command"
    for name, value in command.assigned:
        if _DEFAULTS.get(name, value) != value or name not in _DEFAULTS:
            return f"`{name}` is set for it"
    home = text_of(step.node.get("working-directory")) or default_directory(step) or "."
    return _build(step, build, home)


def _is_word_of_env(step: Step, name: str) -> bool:
    """Whether the file gives a script a variable that holds one word, whatever runs it, and no other script may write
    it."""
    if name in step.job.env_words:
        return False
    for node in (step.node, step.job.node, step.job.workflow.root):
        table = None if node is None else node.get("env")
        value = table.get(name) if isinstance(table, Mapping) else None
        if value is not None:
            return _is_word(step, text_of(value) or "")
    return False


def _is_word(step: Step, text: str) -> bool:
    """Whether a shell takes a text for one word, over all combinations of the matrix."""
    values = step.job.values(_CERTAIN.sub("x", text))
    return values is not None and all(_WORD.fullmatch(value) for value in values)


def _build(step: Step, build: DockerBuild, home: str) -> ScriptBuild | str:
    buildx = build.buildx
    places = [place for place in build.places if place is not None]
    found: dict[str, list[str]] = {}
    for name, value in build.options:
        if name in _FLAGS and value in ("", "true"):
            found.setdefault(_FLAGS[name], []).append("true")
            continue
        if name in _SAYS or (name in ("--push", "--pull") and value == "false"):
            continue
        if name in ("--output", "-o"):
            if value not in _OUTPUTS:
                return f"`{name}` puts what is built elsewhere"
            found.setdefault(_OUTPUTS[value], []).append("true")
            continue
        key = _LISTS.get(name) or _TEXTS.get(name)
        if key is None or value is None:
            return f"`{name}` has no input that is known to mean the same"
        if key == "build-args" and "=" not in value:
            return f"the build argument {value} comes from the environment"
        if name in _LISTS and (re.search(r"[\n\"#]", value) or (key == "tags" and "," in value)):
            return f"the value of `{name}` cannot be said in one line of a list"
        found.setdefault(key, []).append(value)
    if len(places) > 1 and any("${{" in place for place in places):
        return "an expression among its words may be an option, or nothing"
    if len(places) != 1 or places[0] == "-" or "://" in places[0] or places[0].startswith("git@"):
        return "its context is no directory"
    if any(len(found[key]) > 1 for key in {*_TEXTS.values(), *_FLAGS.values()} if key in found):
        return "an option stands twice"
    paths = [_path(step, home, places[0])]
    if "file" in found:
        paths.append(_path(step, home, found["file"][0]))
    if any(path is None for path in paths):
        return "it is not built in a directory of the repository that is named"
    if any(path.startswith("..") for path in paths if path is not None):
        return "its context lies outside of the repository"
    for key, path in zip(("context", "file"), paths, strict=False):
        found[key] = [path or "."]
    if any(not value.isprintable() or value != value.strip() for values in found.values() for value in values):
        return "a value has control characters, or blanks at its ends, which an input does not keep"
    if found.get("network") == ["host"]:
        return "it uses the network of the runner"
    engine = "push" not in found and (not buildx or "load" in found)
    if engine:
        if "," in "".join(found.get("platforms", ())):
            return "an image for several platforms cannot be loaded"
        found["load"] = ["true"]
    elif buildx and "push" not in found:
        return "`docker buildx build` without `--load` and `--push` leaves the image to the builder"
    return ScriptBuild(tuple((key, tuple(found[key])) for key in _ORDER if key in found), engine)


def _path(step: Step, home: str, path: str) -> str | None:
    """A path of a script relative to the workspace; None if it is not in there, or if an expression in it may be
    anything else, such as several words."""
    found = path if path.startswith("/") or _WORKSPACE.match(path) else f"{home}/{path}"
    found = _WORKSPACE.sub("./", found)
    if found.startswith("/"):
        return None
    if "${{" in found:
        values = step.job.values(found)
        if values is None or not all(_PATH.fullmatch(value) for value in values):
            return None
    return posixpath.normpath(found)


def as_action(step: Step, build: ScriptBuild, uses: str, wide: str) -> tuple[Edit, ...] | str:
    """The edits that make the script of a step a build by `uses`; wide: how far inputs stand in. Or why there are none,
    a sentence without a stop."""
    text = step.job.workflow.text
    order = list(step.node.items())
    names = [key.text for key, _ in order]
    first = last = names.index("run")
    key = order[first][0]
    if step.node.flow:
        return "the step is written in braces"
    if key.style:
        return "the key `run` stands in quotes"
    while first > 0 and names[first - 1] in _GOES:
        first -= 1
    while last + 1 < len(names) and names[last + 1] in _GOES:
        last += 1
    newline, indent = newline_at(text, key.span.start), " " * column(text, key.span.start)
    lines = [f"uses: {uses}", f"{indent}with:"]
    for name, values in build.inputs:
        if len(values) == 1:
            lines.append(f"{indent}{wide}{name}: {_written(values[0])}")
            continue
        lines.append(f"{indent}{wide}{name}: |")
        lines += [f"{indent}{wide * 2}{value}" for value in values]
    start, end = order[first][0].span.start, _end(order[last])
    behind = text[end : _line_end(text, end)]
    inside = [node.span for pair in order[first : last + 1] for node in pair]
    gaps = [text[one.end : other.start] for one, other in pairwise(inside)]
    heads = [text[one.start : one.start + 200].partition("\n")[0] for one in inside if text[one.start] in "|>"]
    if any("#" in part for part in (behind, *gaps, *heads)):
        return "a comment beside the script would be lost"
    edits = [Edit(start, end, newline.join(lines))]
    for number, (other, value) in enumerate(order):
        if other.text in _GOES and not first <= number <= last:
            start, stop = _line_of(text, other.span.start, _end((other, value)))
            if text[start : other.span.start].strip() or text[stop : _line_end(text, stop)].strip():
                return f"something else stands on the line of `{other.text}`"
            edits.append(Edit(start, stop, ""))
    return tuple(sorted(edits, key=lambda edit: edit.start))


def _end(pair: tuple[Scalar, Node]) -> int:
    return max(pair[0].span.end, pair[1].span.end)


def _line_end(text: str, offset: int) -> int:
    end = text.find("\n", offset)
    return len(text) if end < 0 else end


def _line_of(text: str, start: int, end: int) -> tuple[int, int]:
    """With the line end before it: the last line of a file may have none behind."""
    start = text.rfind("\n", 0, start)
    if start > 0 and text[start - 1] == "\r":
        start -= 1
    return start, end


def _written(value: str) -> str:
    """A value as it stands in a block: plain, or in quotes where it would be read as something else."""
    plain = re.fullmatch(r"(?:[\w./$]|-(?=\S))(?:[^#:]|:(?=\S)|(?<=\S)#)*", value)
    if plain and value.lower() != "null" and not re.fullmatch(r"[-.]?[0-9][\w.+-]*", value):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
