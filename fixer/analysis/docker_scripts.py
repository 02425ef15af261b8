"""`docker build` in the scripts of workflows: which commands there are, in which directory, with which options; also
`podman build`, `buildah build` and what `docker buildx bake --set` says.

Options are those of `docker buildx build` (docs.docker.com, "docker buildx build", v0.26) and of the older `docker
build`. An option that nobody knows is taken for one with a value, as most are.
"""

from __future__ import annotations

import posixpath
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence

from fixer.analysis.expressions import EXPRESSION
from fixer.analysis.values import Known, Unknown, Value
from fixer.analysis.wrappers import SHELLS, peel
from fixer.text.records import dataclass
from fixer.tree.cook import Cooked
from fixer.tree.parse_shell import parse_shell
from fixer.tree.shell import (
    AndOr,
    Assignment,
    Command,
    CommandSubstitution,
    For,
    Group,
    Literal,
    OpaqueScript,
    Parameter,
    Script,
    ShellNode,
    Simple,
    Subshell,
    Word,
)

WORKSPACE = "${{ github.workspace }}"
OF_GITHUB = frozenset(
    {
        "GITHUB_EVENT_NAME", "GITHUB_REF", "GITHUB_REF_NAME", "GITHUB_REF_TYPE", "GITHUB_REPOSITORY",
        "GITHUB_REPOSITORY_OWNER", "GITHUB_RUN_ATTEMPT", "GITHUB_RUN_ID", "GITHUB_RUN_NUMBER", "GITHUB_SHA",
        "GITHUB_WORKSPACE",
    }
)  # fmt: skip
"""Variables that are what `github` says under the same name, never empty and without blanks; nobody can set them
(docs.github.com, "Variables reference")."""
_HELD = "dockfixexpression{}held"
_FLAGS = frozenset(
    (
        *("--check", "--compress", "--debug", "--disable-content-trust", "--force-rm", "--help", "--load"),
        *("--no-cache", "--pull", "--push", "--quiet", "--rm", "--squash", "--stream", "-D", "-q", "-h"),
    )
)
"""Options without a value, or with one behind `=` alone."""
_ELSEWHERE = ("-H", "--host", "-c", "--context")
"""Options of `docker` that choose another engine."""
_GLOBAL_VALUES = (*_ELSEWHERE, "--config", "-l", "--log-level", "--tlscacert", "--tlscert", "--tlskey")

UNKNOWN = "\0"
"""Stands in a text for what is not known."""
_OPTION = re.compile(r"--?[A-Za-z]")
_TARGET = re.compile(r"--target(?:=|\s+)[\"']?([A-Za-z0-9_][\w.-]*)")
_LISTED_TARGET = re.compile(r"--target(?:=|[\"']?,?\s+(?:-\s+)?)[\"']?([A-Za-z0-9_][\w.-]*)")
"""The same with words in lists of YAML and JSON."""
_LONGEST = 10_000
"""Characters of a value that is remembered: one that holds itself twice grows fast."""
_MOST_PUT_IN = 1 << 20
"""Characters that values may add to the words of a script."""

Lookup = Callable[[str], "str | None"]
"""The value of a variable; None if it is not known."""


@dataclass(frozen=True, slots=True)
class ScriptCommand:
    """A simple command of a script. Texts are None where they are not known.

    directory: in which it runs, relative to the workspace. assigned: the variables that are set for it alone. open:
    whether a word that is not known may be several, options among them: it is nothing but a variable without quotes.
    """

    words: tuple[str | None, ...]
    directory: str | None
    assigned: tuple[str, ...]
    open: bool = False


@dataclass(frozen=True, slots=True)
class DockerBuild:
    """`docker build`, `docker buildx build`.

    options: in their order; of a flag the value is "". places: all that is no option; None where it is not known.
    elsewhere: whether it names another engine than that of the machine, or is another engine's command. open: as in
    `ScriptCommand`.
    """

    buildx: bool
    options: tuple[tuple[str, str | None], ...]
    places: tuple[str | None, ...]
    elsewhere: bool
    open: bool = False

    def option(self, *names: str) -> tuple[str | None, ...]:
        return tuple(value for name, value in self.options if name in names)

    def paths(self, directory: str | None) -> tuple[str, str] | None:
        """The context and the Dockerfile, relative to the workspace; None if they are not known, or not there."""
        known = [place for place in self.places if place is not None]
        files = self.option("-f", "--file")
        if len(known) != 1 or known[0] == "-" or len(files) > 1:
            return None
        context = in_workspace(directory, known[0])
        if context is None:
            return None
        if not files:
            return context, posixpath.normpath(posixpath.join(context, "Dockerfile"))
        file = None if files[0] is None else in_workspace(directory, files[0])
        return None if file is None else (context, file)

    @property
    def outside(self) -> bool:
        """Whether what is built is surely not in the workspace."""
        known = [place for place in self.places if place is not None and "${{" not in place]
        return not self.places or any(":" in place or place.startswith(("/", "~")) for place in known)

    @property
    def target(self) -> str | None:
        """The stage that is built; empty for the last one, None if it is not known."""
        found = self.option("--target")
        if found:
            return found[-1]
        return None if self.open and None in self.places and self.places != (None,) else ""

    @property
    def replaced(self) -> tuple[str, ...]:
        """The names that mean another context than the stages or images that are called so."""
        return tuple(value.partition("=")[0] for value in self.option("--build-context") if value)


def in_workspace(directory: str | None, path: str) -> str | None:
    """A path of a script that runs in `directory`, relative to the workspace."""
    for root in (WORKSPACE, "${{github.workspace}}"):
        if path == root or path.startswith(f"{root}/"):
            directory, path = ".", path[len(root) :].lstrip("/") or "."
    if directory is None or "${{" in path or ":" in path or path.startswith(("/", "~")):
        return None
    found = posixpath.normpath(posixpath.join(directory, path))
    return None if found == ".." or found.startswith("../") else found


def read_build(words: Sequence[str | None], *, several: bool = False) -> DockerBuild | None:
    """The build that a command is; None for another command. several: see `DockerBuild.open`."""
    rest = deque(words)
    if rest and rest[0] == "sudo":
        rest.popleft()
        while rest and rest[0] in ("-E", "-H", "-n", "--preserve-env"):
            rest.popleft()
    if not rest or rest.popleft() != "docker":
        return None
    elsewhere = _skip(rest, _GLOBAL_VALUES, _ELSEWHERE)
    buildx = bool(rest) and rest[0] == "buildx"
    options: list[tuple[str, str | None]] = []
    if buildx:
        rest.popleft()
        while rest and (rest[0] or "").startswith("-"):
            options.append(_option(rest))
    elif rest and rest[0] in ("image", "builder"):
        rest.popleft()
    if not rest or rest.popleft() not in ("build", "b") or (not buildx and "b" in words[1:2]):
        return None
    more, places = _read(rest)
    return DockerBuild(buildx, (*options, *more), tuple(places), elsewhere, several)


def _read(words: Iterable[str | None]) -> tuple[list[tuple[str, str | None]], list[str | None]]:
    """The options of a build, and all else."""
    rest = deque(words)
    options: list[tuple[str, str | None]] = []
    places: list[str | None] = []
    while rest:
        if rest[0] is None or rest[0] == "-" or not rest[0].startswith("-"):
            places.append(rest.popleft())
        else:
            options.append(_option(rest))
    return options, places


_OTHERS = {"podman": (("build",), ("image", "build")), "buildah": (("build",), ("bud",), ("build-using-dockerfile",))}
_DEEPEST = 3
"""Scripts in words of scripts that are read."""


def read_other_build(words: Sequence[str | None], *, several: bool = False) -> DockerBuild | None:
    """The build by Podman or Buildah that a command is; their options are those of Docker (podman-build(1))."""
    for before in _OTHERS.get(words[0] or "", ()) if words else ():
        if tuple(words[1 : 1 + len(before)]) == before:
            options, places = _read(words[1 + len(before) :])
            return DockerBuild(False, tuple(options), tuple(places), True, several)
    return None


def read_bake(words: Sequence[str | None]) -> tuple[str | None, ...] | None:
    """What `docker buildx bake` is told by `--set`; None for another command."""
    if tuple(words[:3]) != ("docker", "buildx", "bake"):
        return None
    rest, found = deque(words[3:]), list[str | None]()
    while rest:
        word = rest.popleft()
        if word == "--set":
            found.append(rest.popleft() if rest else None)
        elif word is not None and word.startswith("--set="):
            found.append(word.removeprefix("--set="))
    return tuple(found)


def overridden(said: str | None, key: str) -> str | None:
    """The value that `PATTERN.KEY=VALUE` gives to a key of targets of Bake (docs.docker.com, "docker buildx bake",
    `--set`); None if it is about something else. `contexts` gives the name of the context."""
    name, equals, value = (said or "").partition("=")
    _, _, own = name.partition(".")
    if not equals:
        return None
    if key == "contexts":
        return own.removeprefix("contexts.") if own.startswith("contexts.") else None
    return value if own == key else None


def all_commands(
    text: str, directory: str | None, lookup: Lookup = lambda _: None, depth: int = 0
) -> Iterator[ScriptCommand]:
    """`script_commands` without what they are run through (`time`, `timeout`, `env`, `exec` …), and those in the script
    that is given to a shell by `-c` in the place of that."""
    for command in script_commands(text, directory, lookup):
        values: tuple[Value, ...] = tuple(Unknown("") if word is None else Known(word) for word in command.words)
        peeled = peel(values)
        words = command.words[peeled.at :]
        where = directory_in(command.directory, peeled.chdir)
        inner = _given_script(words) if depth < _DEEPEST else None
        if inner is not None:
            yield from all_commands(inner, where, lookup, depth + 1)
        else:
            assigned = (*command.assigned, *peeled.local)
            yield ScriptCommand(words, where, assigned, command.open)


def directory_in(directory: str | None, chdir: Value | None) -> str | None:
    if chdir is None:
        return directory
    return in_workspace(directory, chdir.value) if isinstance(chdir, Known) else None


def _given_script(words: Sequence[str | None]) -> str | None:
    if not words or (words[0] or "").rpartition("/")[2] not in SHELLS:
        return None
    for at, word in enumerate(words[1:], 1):
        if word is None or not word.startswith("-"):
            return None
        if not word.startswith("--") and word.endswith("c"):
            return words[at + 1] if at + 1 < len(words) else None
    return None


@dataclass(frozen=True, slots=True)
class ComposeCall:
    """`docker compose build`, or another command of it that builds.

    files: those that are named; none for the one in the directory. services: those that are named; none for all.
    """

    files: tuple[str, ...]
    services: tuple[str, ...]


def read_compose(words: Sequence[str | None]) -> ComposeCall | None:
    """None for another command, or one that is not all known."""
    if None in words:
        return None
    given = [word for word in words if word is not None]
    if given[:1] == ["sudo"]:
        given.pop(0)
    if given[:1] == ["docker-compose"]:
        rest = deque(given[1:])
    elif given[:2] == ["docker", "compose"]:
        rest = deque(given[2:])
    else:
        return None
    files = []
    while rest and rest[0].startswith("-"):
        name, equals, value = rest.popleft().partition("=")
        if name not in ("-f", "--file", "-p", "--project-name", "--profile", "--ansi", "--progress", "--parallel"):
            return None
        value = value if equals else rest.popleft() if rest else ""
        if name in ("-f", "--file"):
            files.append(value)
    command = rest.popleft() if rest else ""
    if command == "build":
        flags = ("--no-cache", "--pull", "--push", "--quiet", "-q", "--with-dependencies", "--check")
        services = [word for word in rest if word not in flags and not word.partition("=")[1]]
        return None if any(word.startswith("-") for word in services) else ComposeCall(tuple(files), tuple(services))
    return ComposeCall(tuple(files), ()) if command == "up" and "--build" in rest else None


def _skip(rest: deque[str | None], values: Sequence[str], wanted: Sequence[str]) -> bool:
    """Takes options from the front. Returns whether one of those wanted was there."""
    found = False
    while rest and (rest[0] or "").startswith("-"):
        name, equals, _ = (rest.popleft() or "").partition("=")
        found = found or name in wanted
        if name in values and not equals and rest:
            rest.popleft()
    return found


def _option(rest: deque[str | None]) -> tuple[str, str | None]:
    """Takes one option, with its value, from the front."""
    name, value = _named_option(rest)
    return name, None if value is not None and UNKNOWN in value else value


def _named_option(rest: deque[str | None]) -> tuple[str, str | None]:
    word = rest.popleft() or ""
    if word.startswith("--"):
        name, equals, value = word.partition("=")
        if equals or name in _FLAGS:
            return name, value
        return name, rest.popleft() if rest else None
    name, value = word[:2], word[2:].removeprefix("=")
    if name in _FLAGS:
        if value:  # `-qt name`
            rest.appendleft(f"-{value}")
        return name, ""
    return name, value or (rest.popleft() if rest else None)


def script_commands(text: str, directory: str | None, lookup: Lookup = lambda _: None) -> tuple[ScriptCommand, ...]:
    """The simple commands of a script for sh or bash, in the order of the text, with those that run under a condition;
    none if it is not understood. Expressions of the workflow stand as they are in the texts."""
    found, held = _parsed(text)
    if isinstance(found, OpaqueScript):
        return ()
    reader = _Reader(held, lookup)
    reader.script(found, directory)
    return tuple(reader.found)


@dataclass(frozen=True, slots=True)
class OnlyCommand:
    """The one simple command that a script is.

    words: with expressions of the workflow for variables that GitHub sets to what these are.
    assigned: variables that are set for it, with their values; None for one that is not known.
    """

    words: tuple[str, ...]
    assigned: tuple[tuple[str, str | None], ...]


def only_command(text: str, env: Callable[[str], bool] = lambda _: False) -> OnlyCommand | str:
    """The command; or why it is not all of the script, or not known, a sentence without a stop. env: whether a
    variable holds one word, which `env` says under the same name."""
    found, held = _parsed(text.strip())
    if isinstance(found, OpaqueScript):
        return "the script is not understood"
    chain = found.items[0] if found.items else None
    if chain is None or len(found.items) != 1 or found.separators not in ((), (None,)):
        return "the script is more than one command"
    command = chain.pipelines[0].commands[0]
    plain = len(chain.pipelines) == 1 and len(chain.pipelines[0].commands) == 1 and not chain.pipelines[0].negated
    if not plain or not isinstance(command, Simple):
        return "the script is more than one command"
    if command.redirects:
        return "its input or its output is redirected"
    shown = [*command.words, *(word for one in command.assignments for word in one.values)]
    if sum(word.text.count("#") for word in shown) < EXPRESSION.sub("", text).count("#"):
        return "a comment in the script would be lost"
    words: list[str] = []
    for word in command.words:
        parts = [_plain_part(part, held, env) for part in word.parts]
        unknown = next((why for part, why in parts if part is None), None)
        if unknown is not None:
            return unknown
        words.append("".join(part or "" for part, _ in parts))
    assigned = [(one.name, None if one.array or one.append else _static(one.values, held))
                for one in command.assignments]  # fmt: skip
    return OnlyCommand(tuple(words), tuple(assigned))


def _static(values: Sequence[Word], held: Sequence[str]) -> str | None:
    texts = [word.static for word in values]
    return None if None in texts else "".join(_restored(text or "", held) for text in texts)


def _plain_part(part: ShellNode, held: Sequence[str], env: Callable[[str], bool]) -> tuple[str | None, str]:
    """The text of a part of a word; None with the reason why it is not known."""
    if isinstance(part, Literal) and not part.glob:
        return _restored(part.value, held), ""
    if isinstance(part, Parameter):
        if part.name in OF_GITHUB and not part.op:
            return f"${{{{ github.{part.name.removeprefix('GITHUB_').lower()} }}}}", ""
        if not part.op and env(part.name):
            return f"${{{{ env.{part.name} }}}}", ""
        return None, f"`{part.name}` is a variable of the shell, which an input does not know"
    if isinstance(part, CommandSubstitution):
        return None, "a word of it is what another command tells"
    return None, "a word of it is made by the shell"


def commands_at(text: str, offsets: Sequence[int]) -> list[tuple[str | None, ...] | None]:
    """For places of a script in ascending order, the words of the innermost simple command in which each stands, its
    here-documents included: none in a comment; None if the script is not understood."""
    plain = EXPRESSION.sub(lambda match: "x" * len(match[0]), text).replace("\\\n", "  ")
    nodes = list(parse_shell(Cooked(plain, [(0, len(plain))])).walk())
    if any(isinstance(node, OpaqueScript) for node in nodes):
        return [None] * len(offsets)
    spans = sorted(
        (start, -end, number)
        for number, node in enumerate(nodes)
        if isinstance(node, Simple)
        for start, end in (node.span, *(one.body_span for one in node.redirects if one.body_span is not None))
    )
    found: list[tuple[str | None, ...] | None] = []
    words: dict[int, tuple[str | None, ...]] = {}  # of a command in which many places are
    opened: list[tuple[int, int]] = []
    at = 0
    for offset in offsets:
        while at < len(spans) and spans[at][0] <= offset:
            while opened and opened[-1][0] <= spans[at][0]:
                opened.pop()
            opened.append((-spans[at][1], spans[at][2]))
            at += 1
        while opened and opened[-1][0] <= offset:
            opened.pop()
        if opened and opened[-1][1] not in words:
            node = nodes[opened[-1][1]]
            assert isinstance(node, Simple)
            words[opened[-1][1]] = tuple(word.static for word in node.words)
        found.append(words[opened[-1][1]] if opened else ())
    return found


def _parsed(text: str) -> tuple[Script | OpaqueScript, Sequence[str]]:
    """With a word in the place of each expression, and these."""
    held = [match[0] for match in EXPRESSION.finditer(text)]
    numbers = iter(range(len(held)))
    plain = EXPRESSION.sub(lambda _: _HELD.format(next(numbers)), text).replace("\\\n", " ")
    return parse_shell(Cooked(plain, [(0, len(plain))]), 0, "bash"), held


def plain_targets(text: str) -> tuple[str, ...]:
    """What stands behind `--target` in a text, whatever it means there."""
    return tuple(dict.fromkeys(_TARGET.findall(text)))


def listed_targets(text: str) -> tuple[str, ...]:
    """The same also where the words stand in a list."""
    return tuple(dict.fromkeys(_LISTED_TARGET.findall(text)))


def targets_not_understood(text: str) -> tuple[str, ...]:
    """The same of a script that is not understood."""
    return plain_targets(text) if "--target" in text and isinstance(_parsed(text)[0], OpaqueScript) else ()


def _may_be_several(part: ShellNode) -> bool:
    return isinstance(part, Parameter) and (not part.quoted or _is_array(part))


def _is_array(part: Parameter) -> bool:
    """`${name[@]}`."""
    return part.op == "[" and part.argument.strip("[]") in ("@", "*")


def _pieces(text: str) -> list[str]:
    """The words that the value of a variable is cut into."""
    return EXPRESSION.sub(_piece, text).split()


def _piece(expression: re.Match[str]) -> str:
    return UNKNOWN if in_workspace(".", expression[0]) is None else "".join(expression[0].split())


def _restored(text: str, held: Sequence[str]) -> str:
    return re.sub(_HELD.format(r"(\d+)"), lambda match: held[int(match[1])], text)


class _Reader:
    """Variables that the script itself sets count where that is certain; one that may be set is not known, but for
    whether any of its values could choose a stage."""

    def __init__(self, held: Sequence[str], lookup: Lookup) -> None:
        self.found: list[ScriptCommand] = []
        self._held = held
        self._outer = lookup
        self._set: dict[str, str] = {}
        self._choosing: dict[str, bool] = {}
        self._sure = True
        self._left = _MOST_PUT_IN

    def script(self, script: Script, directory: str | None) -> str | None:
        """Returns the directory afterwards."""
        for item in script.items:
            directory = self._chain(item, directory)
        return directory

    def _chain(self, chain: AndOr, directory: str | None) -> str | None:
        for at, pipeline in enumerate(chain.pipelines):
            alone = len(pipeline.commands) == 1
            for command in pipeline.commands:
                sure, self._sure = self._sure, self._sure and alone and at == 0
                after = self._command(command, directory)
                self._sure = sure
                directory = after if alone else directory
        return directory

    def _command(self, command: Command, directory: str | None) -> str | None:
        if isinstance(command, Simple):
            return self._simple(command, directory)
        if isinstance(command, Group):
            return self.script(command.body, directory)
        self._sure = False
        if isinstance(command, Subshell):
            self.script(command.body, directory)
            return directory
        if isinstance(command, For):
            self._keep(command.name, UNKNOWN)
        after = {directory, *(self.script(one, directory) for one in _scripts(command))}
        return directory if len(after) == 1 else None

    def _simple(self, command: Simple, directory: str | None) -> str | None:
        words: list[str | None] = []
        several = False
        for word in command.words:
            text = self._text(word, directory)
            self._left -= max(len(text) - len(word.text), 0)
            text = text if self._left > 0 else UNKNOWN
            bare = len(word.parts) == 1 and _may_be_several(word.parts[0])
            if words and word.text == word.static and EXPRESSION.fullmatch(text) is not None:
                bare = True
            for piece in _pieces(text) if bare else (text,):
                words.append(piece if UNKNOWN not in piece or _OPTION.match(piece) else None)
                several = several or (bare and piece == UNKNOWN and self._may_choose(word.parts[0]))
        assigned = tuple(one.name for one in command.assignments)
        if command.words:
            self.found.append(ScriptCommand(tuple(words), directory, assigned, several))
        else:
            for one in command.assignments:
                self._assign(one, directory)
        if words[:1] == ["read"]:
            for each in words[1:]:
                self._keep(each or "", UNKNOWN)
        if words[:1] and words[0] in ("export", "local", "readonly", "declare"):
            for each in words[1:]:
                key, equals, value = (each or "").partition("=")
                if equals:
                    self._keep(key, value)
        if words[:1] in (["popd"], [None]):
            return None
        if words[:1] not in (["cd"], ["pushd"]):
            return directory
        rest = [word for word in words[1:] if word != "--"]
        return in_workspace(directory, rest[0]) if len(rest) == 1 and rest[0] not in (None, "-") else None

    def _assign(self, one: Assignment, directory: str | None) -> None:
        value = " ".join(self._text(word, directory) for word in one.values)
        if one.append:
            value = f"{self._lookup(one.name)}{' ' if one.array else ''}{value}"
        self._keep(one.name, value)

    def _keep(self, name: str, value: str) -> None:
        self._set[name] = value if self._sure and len(value) <= _LONGEST else UNKNOWN
        _, places = _read([None if piece == UNKNOWN else piece for piece in _pieces(value[:_LONGEST])])
        chooses = len(value) > _LONGEST or "--target" in value or None in places
        self._choosing[name] = chooses or (not self._sure and self._choosing.get(name, False))

    def _may_choose(self, part: ShellNode) -> bool:
        return not isinstance(part, Parameter) or self._choosing.get(part.name, True)

    def _lookup(self, name: str) -> str:
        if name in self._set:
            return self._set[name]
        found = self._outer(name)
        return UNKNOWN if found is None else found

    def _text(self, word: Word, directory: str | None) -> str:
        """With `UNKNOWN` in the place of what is not known."""
        return "".join(self._value(part, directory) for part in word.parts)

    def _value(self, part: ShellNode, directory: str | None) -> str:
        if isinstance(part, Literal):
            return UNKNOWN if part.glob else _restored(part.value, self._held)
        if isinstance(part, Parameter) and (not part.op or _is_array(part)):
            if part.name == "GITHUB_WORKSPACE":
                return WORKSPACE
            if part.name == "PWD":
                return UNKNOWN if directory is None else f"{WORKSPACE}/{directory}"
            return self._lookup(part.name)
        if isinstance(part, CommandSubstitution) and part.kind in ("$", "`") and isinstance(part.script, Script):
            inner = [node for node in part.script.walk() if isinstance(node, Word)]
            if [word.static for word in inner] == ["pwd"] and directory is not None:
                return f"{WORKSPACE}/{directory}"
        return UNKNOWN


def _scripts(command: Command) -> Iterator[Script]:
    """The scripts in a compound command, not those inside of other commands."""
    waiting = list(command.children)[::-1]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Script):
            yield node
        elif not isinstance(node, Word):
            waiting += list(node.children)[::-1]
