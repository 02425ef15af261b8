"""Text to tree: `parse` never raises on content, and the tree's leaves are the text.

The tables of Lark's LALR parser are driven line by line, a line being an instruction with all that belongs to it. One
that does not fit the grammar goes in as one OPAQUE token, so that an error never leaves its instruction and the cost
stays linear.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, NamedTuple, TypeVar, overload

from fixer.text.edits import Edit
from fixer.text.regex import regex
from fixer.text.source import LineIndex, decode
from fixer.tree import nodes as n
from fixer.tree.cook import SPACE
from fixer.tree.grammar import Grammar, Rule, arranged, load_grammar
from fixer.tree.lexer import Scan, Terms, terms
from fixer.tree.moved import moved
from fixer.tree.nodes import Leaf
from fixer.tree.words import Unreadable, csv_fields, heredoc_of, is_cut, unquote_flag

REASONS: Mapping[str, str] = {
    "copy-arguments": "COPY and ADD need at least one source and a destination",
    "copy-heredoc-destination": "the destination of COPY or ADD is a here-document",
    "csv": "a flag's comma-separated value has a quote where none may be, or is empty",
    "device": "the value of --device is not a device",
    "directive-duplicate": "this parser directive occurs twice",
    "directive-escape": "the escape character must be a backslash or a backtick",
    "flag-bytes": "a flag holds a character that BuildKit cuts in two",
    "flag-duplicate": "this flag may be given only once",
    "flag-unknown": "the instruction does not know this flag",
    "flag-value": "a flag lacks its value, or has one that is not allowed",
    "from-arguments": "FROM takes one argument, or three: image AS name",
    "healthcheck-arguments": "HEALTHCHECK NONE takes no arguments",
    "healthcheck-command": "there is no command behind HEALTHCHECK CMD",
    "healthcheck-kind": "HEALTHCHECK needs CMD or NONE",
    "heredoc-name": "the name of a here-document cannot be read",
    "heredoc-unterminated": "the line that ends a here-document is missing",
    "json-not-strings": "an array in JSON form may hold strings only",
    "line-too-long": "a line is longer than 65535 bytes",
    "missing-argument": "the instruction needs an argument",
    "mount-from-variable": "from= of a mount cannot hold a variable",
    "nested-too-deep": "variables are nested too deeply",
    "network": "--network must be default, none or host",
    "onbuild-trigger": "ONBUILD takes no FROM, MAINTAINER or ONBUILD",
    "pair-blank-name": "a name is missing before =",
    "pair-without-equals": "in a list of name=value, one has no =",
    "pair-without-value": "ENV and LABEL need a name and a value",
    "security": "--security must be sandbox or insecure",
    "shell-not-json": "SHELL takes a JSON array of strings with at least one",
    "stage-name": "a stage's name begins with a letter and holds letters, digits, -, _ and . only",
    "unknown-instruction": "there is no such instruction",
    "volume-empty": "VOLUME holds an empty path",
}
"""Why an instruction became `Opaque`: every code that its `reason` may have, with what it means."""

_ONE, _MANY, _BOOL = "one", "many", "bool"

_FLAGS: dict[str, dict[str, str]] = {
    "RUN": {"mount": _MANY, "network": _ONE, "security": _ONE, "device": _MANY},
    "COPY": {"chown": _ONE, "from": _ONE, "chmod": _ONE, "link": _BOOL, "exclude": _MANY, "parents": _BOOL},
    "ADD": {
        "chown": _ONE,
        "chmod": _ONE,
        "link": _BOOL,
        "keep-git-dir": _BOOL,
        "checksum": _ONE,
        "unpack": _BOOL,
        "exclude": _MANY,
    },
    "FROM": {"platform": _ONE},
    "HEALTHCHECK": {
        "interval": _ONE,
        "timeout": _ONE,
        "start-period": _ONE,
        "start-interval": _ONE,
        "retries": _ONE,
    },
}
"""The flags that an instruction knows (instructions/parse.go and commands_run*.go, v0.25)."""

_ANY_FLAG = ("ARG", "STOPSIGNAL")
"""Instructions that never look at their flags."""

S = TypeVar("S", str, bytes)


@overload
def parse(source: str) -> n.Dockerfile[str]: ...
@overload
def parse(source: bytes) -> n.Dockerfile[bytes]: ...
def parse(source: str | bytes) -> n.Dockerfile[Any]:
    """The tree of a Dockerfile. `parse(x).code == x` for every `x`.

    Never raises on content: an instruction that BuildKit would refuse becomes `Opaque` with one of `REASONS`, and its
    neighbours are not touched. Bytes are read as UTF-8, those that are not stay as lone surrogates.
    """
    text = decode(source) if isinstance(source, bytes) else source
    return _parse(text, isinstance(source, bytes), {}, "")


def reparse(before: n.Dockerfile[str], text: str, edits: Sequence[Edit]) -> n.Dockerfile[str]:
    """What `parse(text)` gives, if `text` is that of `before` after `edits`, which are in order and do not overlap.

    What no edit touches is not read again: where the lexer comes to the place of a line or an instruction, it would
    find the same as before. Nodes in front of the first edit are the same objects in both trees.
    """
    intact: _Intact = {}
    shift = at = 0
    for start, end, item in zip(before.starts, before.starts[1:], before.items, strict=False):
        while at < len(edits) and edits[at].end <= start:
            shift += len(edits[at].new) - (edits[at].end - edits[at].start)
            at += 1
        # The last one may have ended with the file, and what a directive is depends on what stands before it.
        if (at == len(edits) or edits[at].start >= end) and not isinstance(item, n.Directive | n.Opaque):
            intact[start + shift] = (end + shift, shift, item)
    return _parse(text, before.binary, intact, before.escape)


_Intact = dict[int, tuple[int, int, n.Item]]
"""By where it begins: where an item of an earlier text ends, how many characters further on it stands, and the item."""


def _parse(text: str, binary: bool, intact: _Intact, escape: str) -> n.Dockerfile[Any]:
    """`intact` counts where `escape` is in force."""
    known, lalr = _parser()
    scan = Scan(text, known, intact, escape)
    _builder.begin(scan)
    stack = _Stack(lalr)
    starts = []
    for start, tokens, reason in scan.units():
        starts.append(start)
        if not tokens:
            _, shift, item = intact[start]
            stack.take(moved(item, shift))
            continue
        if reason is None:
            misfit = stack.push(tokens)
            if misfit is None:
                continue
            reason = _misfit(tokens, misfit)
        melted = _melt(tokens)
        _builder.reasons[melted[0].start] = reason
        stack.push(list(melted))
    bom, items = stack.close()
    return n.Dockerfile(
        bom, items, text, binary, scan.escape, LineIndex(text), tuple(starts if bom is None else starts[1:])
    )


class _Reduction(NamedTuple):
    """A rule of the grammar, found whole on the stack."""

    build: Callable[[list[Any]], Any] | None
    """From the values of the rule's symbols to its own; None if it has one symbol and hands its value on."""
    size: int
    rule: str


_Row = dict[str, "int | _Reduction"]


class _Tables(NamedTuple):
    """The grammar's tables laid out for a short loop: by state and symbol, the next state or a reduction."""

    end: int
    rows: list[_Row]
    certain: list[_Reduction | None]
    """By state, the reduction that comes whatever follows."""
    pauses: dict[tuple[int, ...], _Pause]
    first: _Pause


class _Pause:
    """The states between two lines, and what was found to happen in the next line by the types of its tokens.

    A parser does the same for the same tokens in the same states, so it need not be asked again.
    """

    __slots__ = ("lines", "states")

    def __init__(self, states: tuple[int, ...]) -> None:
        self.states = states
        self.lines: dict[tuple[str, ...], _Line] = {}


_Step = tuple["Callable[[list[Any]], Any] | None", int]
"""That many tokens come in (without a function), or that many values become one."""


class _Line(NamedTuple):
    """What the tokens of one line make of the values."""

    steps: tuple[_Step, ...]
    after: _Pause


_MAX_LINE, _MAX_LINES = 16, 1024
"""How long a line, in tokens, may be to be kept, and how many are kept for one pause."""


class _Stack:
    """Lark's parser in between two lines: states, and the values built so far."""

    __slots__ = ("at", "tables", "values")

    def __init__(self, tables: _Tables) -> None:
        self.tables = tables
        self.at = tables.first
        self.values: list[Any] = []

    def push(self, tokens: list[Leaf]) -> Leaf | None:
        """Take a line in. The first token that does not fit, or None; then nothing was taken."""
        kinds = tuple([token.type for token in tokens])
        line = self.at.lines.get(kinds)
        if line is None:
            found = self._find(kinds)
            if isinstance(found, int):
                return tokens[found]
            line = found
        self._do(line, tokens)
        return None

    def take(self, item: n.Item) -> None:
        """Take in a line whose value is known: its first token says what is done before it, and behind it the parser
        stands where the rule leads."""
        first = item.keyword if isinstance(item, n.Instruction) else item.first_leaf
        assert first is not None
        kinds = (first.type, "line")
        line = self.at.lines.get(kinds) or self._find(kinds, known=True)
        assert isinstance(line, _Line)
        self._do(line, [item])

    def _do(self, line: _Line, given: list[Any]) -> None:
        values = self.values
        at = 0
        for build, size in line.steps:
            if build is None:
                values += given[at : at + size]
                at += size
            elif size:
                values[-size:] = (build(values[-size:]),)
            else:
                values.append(build([]))
        self.at = line.after

    def _find(self, kinds: tuple[str, ...], known: bool = False) -> _Line | int:
        """What happens to a line, by the tables; or the index of the token that does not fit. kinds: its tokens, or
        (`known`) the first one and the rule that the whole line is."""
        rows, certain = self.tables.rows, self.tables.certain
        states = list(self.at.states)
        steps: list[_Step] = []
        for index, kind in enumerate(kinds[:1] if known else kinds):
            while (action := rows[states[-1]].get(kind)).__class__ is not int:
                if action is None:
                    return index
                _reduce(rows, states, steps, action)  # type: ignore[arg-type]
            state = rows[states[-1]][kinds[1] if known else kind]
            assert isinstance(state, int)
            states.append(state)
            if steps and steps[-1][0] is None:
                steps[-1] = (None, steps[-1][1] + 1)
            else:
                steps.append((None, 1))
            while (sure := certain[states[-1]]) is not None:
                _reduce(rows, states, steps, sure)
        key = tuple(states)
        line = _Line(tuple(steps), self.tables.pauses.setdefault(key, _Pause(key)))
        if len(kinds) <= _MAX_LINE and len(self.at.lines) < _MAX_LINES:
            self.at.lines[kinds] = line
        return line

    def close(self) -> Any:
        """The value of the whole text."""
        rows = self.tables.rows
        states = list(self.at.states)
        steps: list[_Step] = []
        while isinstance(action := rows[states[-1]].get("$END"), _Reduction):
            if _reduce(rows, states, steps, action) == self.tables.end:
                break
        for build, size in steps:
            assert build is not None
            self.values[len(self.values) - size :] = [build(self.values[len(self.values) - size :])]
        return self.values[-1]


def _reduce(rows: list[_Row], states: list[int], steps: list[_Step], reduction: _Reduction) -> int:
    """Do a reduction on the states, and note what it does to the values."""
    build, size, rule = reduction
    if size:
        del states[-size:]
    if build is not None:
        steps.append((build, size))
    state: int = rows[states[-1]][rule]  # type: ignore[assignment]
    states.append(state)
    return state


def _melt(tokens: list[Leaf]) -> tuple[Leaf, Leaf]:
    """One OPAQUE token for all tokens but the last, which is a line's end."""
    first, end = tokens[0], tokens[-1]
    if first is end:
        # A line of continuations only: no character of it means anything, but it is an instruction to BuildKit.
        stripped = end.prefix.rstrip(" \t")
        text, left = stripped, end.prefix[len(stripped) :]
        start = end.start - len(end.prefix)
        return Leaf("OPAQUE", "", text, text, start), Leaf("EOL", left, end.text, end.value, end.start)
    text = first.text + "".join(token.prefix + token.text for token in tokens[1:-1])
    return Leaf("OPAQUE", first.prefix, text, text, first.start), end


def _misfit(tokens: list[Leaf], at: Leaf) -> str:
    """The reason for an instruction that is against the grammar at the token `at`."""
    kinds = [token.type for token in tokens]
    keyword = kinds[0]
    if any(token.type == "FLAG" and is_cut(token.value) for token in tokens):
        return "flag-bytes"
    if keyword == "ONBUILD":
        later = [kind for kind in kinds[1:] if kind in _BY_KEYWORD]
        if not later:
            return "missing-argument"
        keyword = later[0]
    if at.type in ("KEY", "EOL") and keyword in ("ENV", "LABEL"):
        if "KEY" not in kinds:
            return "missing-argument"
        return "pair-without-equals" if "EQUALS" in kinds else "pair-without-value"
    if keyword == "HEALTHCHECK":
        if "NONE" in kinds:
            return "healthcheck-arguments"
        return "healthcheck-command" if "CMD" in kinds else "missing-argument"
    return _BY_KEYWORD.get(keyword, "missing-argument")


_BY_KEYWORD = {
    "FROM": "from-arguments",
    "RUN": "missing-argument",
    "CMD": "missing-argument",
    "ENTRYPOINT": "missing-argument",
    "COPY": "copy-arguments",
    "ADD": "copy-arguments",
    "ENV": "pair-without-equals",
    "LABEL": "pair-without-equals",
    "ARG": "missing-argument",
    "EXPOSE": "missing-argument",
    "VOLUME": "missing-argument",
    "USER": "missing-argument",
    "WORKDIR": "missing-argument",
    "STOPSIGNAL": "missing-argument",
    "MAINTAINER": "missing-argument",
    "HEALTHCHECK": "missing-argument",
    "SHELL": "shell-not-json",
}

# --- building nodes --------------------------------------------------------------------------------------------------


class _Builder(threading.local):
    """A method for each rule of the grammar: the rule's leaves and nodes in, a node out.

    An instruction with a fault that the grammar cannot see becomes Opaque here. What belongs to the text being parsed
    is kept for each thread, since Lark holds on to one builder for all.
    """

    def __init__(self) -> None:
        self.scan: Scan
        self.reasons: dict[int, str] = {}

    def begin(self, scan: Scan) -> None:
        self.scan = scan
        self.reasons = {}

    # lines

    def start(self, parts: list[Any]) -> tuple[Leaf | None, tuple[n.Item, ...]]:
        return parts[0], tuple(parts[1:])

    def directive(self, parts: list[Any]) -> n.Directive:
        return n.Directive(*parts)

    def comment(self, parts: list[Any]) -> n.Comment:
        return n.Comment(parts[0], parts[1])

    def blank(self, parts: list[Any]) -> n.Blank:
        return n.Blank(parts[0])

    def opaque(self, parts: list[Any]) -> n.Opaque:
        text, end = parts
        return n.Opaque(text, end, self.reasons[text.start])

    # parts

    def flags(self, parts: list[Any]) -> tuple[n.Flag, ...]:
        return tuple(map(self._flag, parts)) if parts else ()

    def _flag(self, word: Leaf) -> n.Flag:
        name, equals, value = unquote_flag(word.value, self.scan.escape)[2:].partition("=")
        return n.Flag(word, name, value if equals else None)

    def script(self, parts: list[Any]) -> n.ShellForm:
        return n.ShellForm(parts[0])

    def exec(self, parts: list[Any]) -> n.ExecForm:
        items = []
        for at in range(1, len(parts) - 1, 2):
            comma = parts[at + 1] if at + 2 < len(parts) else None
            items.append(n.JsonString(parts[at], comma, _json_value(parts[at].value)))
        return n.ExecForm(parts[0], tuple(items), parts[-1])

    def sources(self, parts: list[Any]) -> tuple[Leaf, ...]:
        return tuple(parts)

    paths = sources

    def heredocs(self, parts: list[Any]) -> tuple[n.Heredoc, ...]:
        return tuple(parts)

    def heredoc(self, parts: list[Any]) -> n.Heredoc:
        body, terminator, end = parts
        word = self.scan.heredocs[body.start]
        return n.Heredoc(body, terminator, end, word.name, word.fd, word.quoted, word.chomp)

    def pair(self, parts: list[Any]) -> n.Pair:
        return n.Pair(*parts)

    def old_pair(self, parts: list[Any]) -> n.Pair:
        return n.Pair(parts[0], None, parts[1])

    def name(self, parts: list[Any]) -> n.Pair:
        return n.Pair(parts[0], None, None)

    # instructions

    def from_(self, parts: list[Any]) -> n.From | n.Opaque:
        return _checked(n.From(*parts))

    def run(self, parts: list[Any]) -> n.Run | n.Opaque:
        return _checked(n.Run(*parts))

    def cmd(self, parts: list[Any]) -> n.Cmd | n.Opaque:
        return _checked(n.Cmd(*parts))

    def entrypoint(self, parts: list[Any]) -> n.Entrypoint | n.Opaque:
        return _checked(n.Entrypoint(*parts))

    def copy(self, parts: list[Any]) -> n.Copy | n.Opaque:
        return _checked(n.Copy(*parts), _transfer_fault)

    def add(self, parts: list[Any]) -> n.Add | n.Opaque:
        return _checked(n.Add(*parts), _transfer_fault)

    def env(self, parts: list[Any]) -> n.Env | n.Opaque:
        return _checked(n.Env(parts[0], parts[1], tuple(parts[2:-1]), parts[-1]))

    def label(self, parts: list[Any]) -> n.Label | n.Opaque:
        return _checked(n.Label(parts[0], parts[1], tuple(parts[2:-1]), parts[-1]))

    def arg(self, parts: list[Any]) -> n.Arg | n.Opaque:
        return _checked(n.Arg(parts[0], parts[1], tuple(parts[2:-1]), parts[-1]))

    def expose(self, parts: list[Any]) -> n.Expose | n.Opaque:
        return _checked(n.Expose(parts[0], parts[1], tuple(parts[2:-1]), parts[-1]))

    def volume(self, parts: list[Any]) -> n.Volume | n.Opaque:
        return _checked(n.Volume(*parts), _volume_fault)

    def user(self, parts: list[Any]) -> n.User | n.Opaque:
        return _checked(n.User(*parts))

    def workdir(self, parts: list[Any]) -> n.Workdir | n.Opaque:
        return _checked(n.Workdir(*parts))

    def stopsignal(self, parts: list[Any]) -> n.Stopsignal | n.Opaque:
        return _checked(n.Stopsignal(*parts))

    def maintainer(self, parts: list[Any]) -> n.Maintainer | n.Opaque:
        return _checked(n.Maintainer(*parts))

    def healthcheck(self, parts: list[Any]) -> n.Healthcheck | n.Opaque:
        return _checked(n.Healthcheck(*parts), _healthcheck_fault)

    def shell(self, parts: list[Any]) -> n.Shell | n.Opaque:
        return _checked(n.Shell(*parts), _shell_fault)

    def onbuild(self, parts: list[Any]) -> n.Onbuild | n.Opaque:
        keyword, flags, inner = parts
        if isinstance(inner, n.Opaque):
            return _opaque([keyword, *_leaves(flags), inner.text, inner.end], inner.reason)
        return _checked(n.Onbuild(keyword, flags, inner))


_I = TypeVar("_I", bound=n.Instruction)


def _checked(node: _I, fault: Any = None) -> _I | n.Opaque:
    """The node, or Opaque if its flags or what `fault` looks at are not what BuildKit takes."""
    reason = _flag_fault(node) if node.flags else None
    if reason is None and fault is not None:
        reason = fault(node)
    return node if reason is None else _opaque(list(node.leaves()), reason)


def _opaque(leaves: list[Leaf], reason: str) -> n.Opaque:
    return n.Opaque(*_melt(leaves), reason)


def _leaves(parts: tuple[n.Node, ...]) -> list[Leaf]:
    return list(chain.from_iterable(part.leaves() for part in parts))


def _json_value(string: str) -> str:
    value: str
    if "\\" in string:
        import json

        value = json.loads(string)
    else:
        value = string[1:-1]
    return value if value.isascii() else _SURROGATES.sub("\ufffd", value)


_SURROGATES = regex("[\ud800-\udfff]")


# --- faults that the grammar cannot say ------------------------------------------------------------------------------


def _transfer_fault(node: n.Transfer) -> str | None:
    if node.form is None:
        destination = node.destination
        if destination is None or not node.sources:
            return "copy-arguments"
        last = destination.value
    else:
        if node.sources or node.destination is not None or len(node.form.items) < 2:
            return "copy-arguments"
        last = node.form.items[-1].value
    return "copy-heredoc-destination" if "<<" in last and _is_heredoc(last) else None


def _is_heredoc(word: str) -> bool:
    try:
        return heredoc_of(word) is not None
    except Unreadable:
        return False


def _volume_fault(node: n.Volume) -> str | None:
    paths = [path.value for path in node.paths] if node.form is None else node.form.values
    if not paths:
        return "missing-argument"
    return None if all(path.strip(SPACE) for path in paths) else "volume-empty"


def _healthcheck_fault(node: n.Healthcheck) -> str | None:
    form = node.form
    if node.kind.type == "NONE":
        return "healthcheck-arguments" if isinstance(form, n.ExecForm) and form.items else None
    if isinstance(form, n.ExecForm) and not form.items:
        return "healthcheck-command"
    return None


def _shell_fault(node: n.Shell) -> str | None:
    return None if node.form.items else "shell-not-json"


def _flag_fault(node: n.Instruction) -> str | None:
    if any(is_cut(flag.word.value) for flag in node.flags):
        return "flag-bytes"
    keyword = node.keyword.type
    if keyword in _ANY_FLAG or (isinstance(node, n.Healthcheck) and node.kind.type == "NONE"):
        return None
    known = _FLAGS.get(keyword, {})
    seen = set()
    for flag in node.flags:
        name, value = flag.name, flag.value
        if flag.word.value == "--":
            break
        kind = known.get(name)
        if kind is None:
            return "flag-unknown"
        if name in seen and kind is not _MANY:
            return "flag-duplicate"
        seen.add(name)
        if kind is _BOOL:
            if value is not None and value.lower() not in ("true", "false"):
                return "flag-value"
            continue
        if value is None:
            return "flag-value"
        check = _VALUES.get((keyword, name))
        reason = check(value) if check is not None else None
        if reason is not None:
            return reason
    return None


def _mount_fault(value: str) -> str | None:
    try:
        fields = csv_fields(value)
    except Unreadable as problem:
        return problem.reason
    for field in fields:
        key, equals, text = field.partition("=")
        if equals and key.lower() == "from" and "$" in text[:-1]:
            return "mount-from-variable"
    return None


def _device_fault(value: str) -> str | None:
    try:
        fields = csv_fields(value)
    except Unreadable as problem:
        return problem.reason
    name = ""
    for field in fields:
        key, equals, text = field.partition("=")
        key = key.lower()
        if key == "required":
            if equals and text not in _BOOLEANS:
                return "device"
        elif equals and key == "name":
            if name:
                return "device"
            name = text
        elif name:
            return "device"
        else:
            name = field
    return None


_BOOLEANS = {"1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False"}
_DURATION = regex(r"[+-]?(?:0|(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+)\Z", re.ASCII)
_DURATION_PART = regex(r"([0-9.]+)(ns|us|µs|μs|ms|s|m|h)")
_NANOSECONDS = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "μs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}


def _interval_fault(value: str) -> str | None:
    """Go's time.ParseDuration; nothing, zero, or at least a millisecond."""
    if not value:
        return None
    if not _DURATION.match(value):
        return "flag-value"
    total = 0.0
    for digits, unit in _DURATION_PART.findall(value):
        total += float(digits) * _NANOSECONDS[unit]
    if total >= 2**63:
        return "flag-value"
    if total and (value.startswith("-") or total < 10**6):
        return "flag-value"
    return None


def _retries_fault(value: str) -> str | None:
    if not value:
        return None
    if not re.fullmatch(r"[+-]?[0-9]+", value) or len(value) > 40:
        return "flag-value"
    return None if 0 <= int(value) < 2**31 else "flag-value"


_VALUES = {
    ("RUN", "mount"): _mount_fault,
    ("RUN", "device"): _device_fault,
    ("RUN", "network"): lambda value: None if value in ("default", "none", "host") else "network",
    ("RUN", "security"): lambda value: None if value in ("sandbox", "insecure") else "security",
    ("HEALTHCHECK", "interval"): _interval_fault,
    ("HEALTHCHECK", "timeout"): _interval_fault,
    ("HEALTHCHECK", "start-period"): _interval_fault,
    ("HEALTHCHECK", "start-interval"): _interval_fault,
    ("HEALTHCHECK", "retries"): _retries_fault,
}

_builder = _Builder()


@lru_cache(maxsize=1)
def _parser() -> tuple[Terms, _Tables]:
    grammar = load_grammar("dockerfile.lark", "DockerfileLexer")
    return terms(grammar.terminals), _tables(grammar)


def _tables(grammar: Grammar) -> _Tables:
    """The grammar's tables with the methods of the builder in them. Raises LookupError if one is missing."""
    reductions = [_Reduction(_build(rule), rule.size, rule.origin) for rule in grammar.rules]
    rows: list[_Row] = []
    certain: list[_Reduction | None] = []
    for row in grammar.rows:
        rows.append({symbol: action if action >= 0 else reductions[~action] for symbol, action in row.items()})
        only = set(row.values())
        certain.append(reductions[~only.pop()] if len(only) == 1 and min(only) < 0 else None)
    first = _Pause((grammar.start,))
    return _Tables(grammar.end, rows, certain, {first.states: first}, first)


def _build(rule: Rule) -> Callable[[list[Any]], Any] | None:
    if rule.passes:
        return None
    if rule.name.startswith("_"):  # made by Lark for a repetition
        return arranged(rule.shape, _repeated)
    if rule.name not in vars(_Builder):
        raise LookupError(f"dockerfile.lark: {rule.name} has no builder")
    build: Callable[[list[Any]], Any] = getattr(_builder, rule.name)
    return arranged(rule.shape, build)


def _repeated(values: list[Any]) -> list[Any]:
    return values
