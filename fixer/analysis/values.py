"""Values that are known, or not known with a reason; and the expansion of words as BuildKit does it.

The expansion follows BuildKit's shell/lex.go (v0.25): quotes, escapes, `$X`, `${X}`, `${X:-d}`, `${X-d}`, `${X:+a}`,
`${X+a}`, `${X:?e}`, `${X?e}`, `${X#p}`, `${X##p}`, `${X%p}`, `${X%%p}`, `${X/p/r}`, `${X//p/r}`.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from fixer.text.records import dataclass, field
from fixer.text.regex import regex

NO_ARGS: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Known:
    """A value that the file says. `args` are the build arguments whose *default* it rests on: a `--build-arg` may
    change it. Two values are equal if their texts are."""

    value: str
    args: frozenset[str] = field(default=NO_ARGS, compare=False)

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that the file does not say; `why` is part of a sentence for people. `arg` names the build argument that
    it is, if it is one without a default: unset unless a `--build-arg` gives it. `if_set` is what a variable holds in
    the versions of the base image that set it, where others do not."""

    why: str
    arg: str | None = field(default=None, compare=False)
    if_set: str | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return f"unknown ({self.why})"


Value = Known | Unknown
Lookup = Callable[[str], Value | None]
"""The value of a variable; None if it is surely unset."""

EMPTY = Known("")
ROOT = Known("/")

MAX_VALUE = 16_384
"""Characters of a value that is put together from others. A text whose values double with every line is short; what it
makes is not."""
MAX_PATH = 4_095
"""Characters of a path: Linux takes no longer one (PATH_MAX)."""
MAX_ARGS = 100
"""Build arguments that one value may rest on."""
_MAX_DEPTH = 40
_SPECIAL = "@*#?-$!0"
_PLAIN = regex(r"[^$'\"\\`]*\Z")


def bounded(text: str, args: frozenset[str] = NO_ARGS) -> Value:
    """A value that was put together, if it is not too long and does not rest on too much."""
    if len(text) > MAX_VALUE:
        return Unknown(f"it is longer than {MAX_VALUE:,} characters")
    if len(args) > MAX_ARGS:
        return Unknown(f"it rests on more than {MAX_ARGS} build arguments")
    return Known(text, args) if args else Known(text)


def decimal(text: str) -> int | None:
    """The number that a text of digits is, None for another text. What has more than 18 digits is 10**18, which is more
    than any count, port or uid."""
    if not text.isascii() or not text.isdigit():
        return None
    digits = text.lstrip("0")
    return int(digits or "0") if len(digits) <= 18 else 10**18


def nothing(name: str) -> Value | None:
    """A lookup in which every variable is unset."""
    return None


def clean(path: str) -> str:
    """Go's `path.Clean`: no `.`, no `..` that can be resolved, one slash, none at the end."""
    if not path:
        return "."
    rooted = path[0] == "/"
    if rooted and "//" not in path and "/." not in path and path[-1] != "/":  # as most are
        return path
    out: list[str] = []
    for part in path.split("/"):
        if not part or part == ".":
            continue
        if part != "..":
            out.append(part)
        elif out and out[-1] != "..":
            out.pop()
        elif not rooted:
            out.append(part)
    return ("/" if rooted else "") + "/".join(out) if out or rooted else "."


def join(base: Value, path: Value) -> Value:
    """`path` seen from the directory `base`, absolute and clean; `base` does not matter to an absolute path."""
    if isinstance(path, Unknown):
        return path
    text, args = path.value, path.args
    if not text.startswith("/"):
        if isinstance(base, Unknown):
            return base
        text = f"/{base.value}/{text}"
        args = args | base.args if args or base.args else NO_ARGS
    if len(text) > MAX_PATH and len(text := clean(text)) > MAX_PATH:
        return Unknown(f"it is longer than {MAX_PATH:,} characters")
    return Known(clean(text), args)


def known_start(base: Value, text: str) -> str:
    """What a path that goes on behind `text` surely begins with, seen from the directory `base`: absolute, and clean as
    far as directories are named whole; "" if nothing is sure, as what goes on behind a dot may lead anywhere."""
    if not text or (not text.startswith("/") and isinstance(base, Unknown)):
        return ""
    if not text.startswith("/"):
        text = f"{base.value if isinstance(base, Known) else ''}/{text}"
    directory, _, last = text.rpartition("/")
    if last in (".", ".."):
        return ""
    return f"{clean(directory or '/').rstrip('/')}/{last}"


def below(path: str, parent: str) -> bool:
    """True if `path` is `parent` or lies below it (both clean and absolute)."""
    return path == parent or parent == "/" or path.startswith(parent + "/")


def related(a: str, b: str) -> bool:
    """True if one of the two paths is the other, or lies below it."""
    return below(a, b) or below(b, a)


def expand(word: str, lookup: Lookup, escape: str = "\\") -> Value:
    """What BuildKit makes of `word` (continuations already removed): quotes removed, variables put in.

    Unknown if a variable that matters is unknown, or if BuildKit would refuse the word.
    """
    if _PLAIN.match(word):
        return Known(word)
    try:
        reader = _Reader(word, lookup, escape)
        text = reader.until("", False, 0)
    except _Stop as stop:
        return Unknown(stop.why)
    return bounded(text, frozenset(reader.args))


class _Stop(Exception):
    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class _Reader:
    __slots__ = ("args", "at", "end", "escape", "lookup", "put", "word")

    def __init__(self, word: str, lookup: Lookup, escape: str) -> None:
        self.word = word
        self.at = 0
        self.end = len(word)
        self.lookup = lookup
        self.escape = escape
        self.args: set[str] = set()
        self.put = 0
        """Characters that came from variables."""

    def peek(self) -> str:
        return self.word[self.at] if self.at < self.end else ""

    def next(self) -> str:
        char = self.peek()
        self.at += 1
        return char

    def until(self, stop: str, raw: bool, depth: int) -> str:
        """The text up to the character `stop`, or to the end; `raw` keeps escapes (the pattern of `#`, `%`, `/`)."""
        if depth > _MAX_DEPTH:
            raise _Stop("its expansions are nested too deep")
        out: list[str] = []
        while self.at < self.end:
            char = self.word[self.at]
            if stop and char == stop:
                self.at += 1
                return "".join(out)
            if char == "'":
                out.append(self.single())
            elif char == '"':
                out.append(self.double(raw, depth))
            elif char == "$":
                out.append(self.dollar(depth))
            elif char == self.escape:
                self.at += 1
                if raw:
                    out.append(char)
                if self.at >= self.end:
                    break
                out.append(self.next())
            else:
                self.at += 1
                out.append(char)
        if stop:
            raise _Stop(f"an expansion in it lacks its {stop!r}")
        return "".join(out)

    def single(self) -> str:
        close = self.word.find("'", self.at + 1)
        if close < 0:
            raise _Stop("a single quote in it is not closed")
        text = self.word[self.at + 1 : close]
        self.at = close + 1
        return text

    def double(self, raw: bool, depth: int) -> str:
        self.at += 1
        out: list[str] = []
        while self.at < self.end:
            char = self.word[self.at]
            if char == '"':
                self.at += 1
                return "".join(out)
            if char == "$":
                out.append(self.dollar(depth))
                continue
            self.at += 1
            if char == self.escape:
                if raw:
                    out.append(char)
                follow = self.peek()
                if not follow:
                    continue
                if follow in ('"', "$", self.escape):
                    char = self.next()
            out.append(char)
        raise _Stop("a double quote in it is not closed")

    def name(self) -> str:
        start = self.at
        first = self.peek()
        if first.isdigit() and first:
            while self.peek().isdigit():
                self.at += 1
        elif first and first in _SPECIAL:
            self.at += 1
        else:
            while self.at < self.end and (self.word[self.at] == "_" or self.word[self.at].isalnum()):
                self.at += 1
        return self.word[start : self.at]

    def value(self, name: str) -> str | None:
        value = self.lookup(name)
        if value is None:
            return None
        if isinstance(value, Unknown):
            raise _Stop(f"${name} is not known: {value.why}" if not value.why.startswith("$") else value.why)
        self.args.update(value.args)
        self.put += len(value.value)
        if self.put > MAX_VALUE or len(self.args) > MAX_ARGS:
            raise _Stop("too much is put into it")
        return value.value

    def dollar(self, depth: int) -> str:
        self.at += 1
        if self.peek() != "{":
            name = self.name()
            return (self.value(name) or "") if name else "$"
        self.at += 1
        if self.peek() in ("", "{", "}", ":"):
            raise _Stop("an expansion in it is malformed")
        name = self.name()
        op = self.next()
        if op == "}":
            return self.value(name) or ""
        empty_is_unset = op == ":"
        if empty_is_unset:
            op = self.next()
        if op in ("-", "+", "?"):
            return self.choice(name, op, empty_is_unset, depth)
        if op in ("#", "%") and not empty_is_unset:
            return self.trim(name, op, depth)
        if op == "/" and not empty_is_unset:
            return self.replace(name, depth)
        raise _Stop("an expansion in it is not one that BuildKit knows")

    def choice(self, name: str, op: str, empty_is_unset: bool, depth: int) -> str:
        found = self.lookup(name)
        if isinstance(found, Unknown) and found.arg is not None:
            self.args.add(found.arg)
            value = None
        else:
            value = self.value(name)
        given = value is not None and not (empty_is_unset and not value)
        # The alternative is read in any case, but what it rests on matters only if it is taken.
        lookup, args = self.lookup, set(self.args)
        taken = (op == "+") == given and op != "?"
        if not taken:
            self.lookup = nothing
        word = self.until("}", False, depth + 1)
        self.lookup = lookup
        if op == "+":
            return word if given else ""
        if not given and op == "?":
            raise _Stop(f"${name} must be set")
        if not given:
            return word
        self.args = args
        return value or ""

    def trim(self, name: str, op: str, depth: int) -> str:
        pattern = self.until("}", True, depth + 1)
        value = self.value(name) or ""
        greedy = pattern.startswith(op)
        pattern = pattern[1:] if greedy else pattern
        if op == "%":
            return _trim_prefix(_reverse(pattern), value[::-1], greedy)[::-1]
        return _trim_prefix(pattern, value, greedy)

    def replace(self, name: str, depth: int) -> str:
        every = self.peek() == "/"
        if every:
            self.at += 1
        pattern = self.until("/", True, depth + 1)
        replacement = self.until("}", True, depth + 1)
        value = self.value(name) or ""
        return _replaced(_segments(pattern), replacement, value, every)


def trim_pattern(value: str, pattern: str, *, suffix: bool, greedy: bool) -> str | None:
    """`value` without the part at its start (or end: `suffix`) that matches `pattern` of `*` and `?`; None if the
    pattern is not one that is computed here."""
    try:
        if suffix:
            return _trim_prefix(_reverse(pattern), value[::-1], greedy)[::-1]
        return _trim_prefix(pattern, value, greedy)
    except _Stop:
        return None


def _trim_prefix(pattern: str, value: str, greedy: bool) -> str:
    end = _match(_segments(pattern), value, 0, greedy)
    return value if end is None else value[end:]


def _reverse(pattern: str) -> str:
    """The pattern backwards, escapes still before what they escape."""
    out: list[str] = []
    at = 0
    while at < len(pattern):
        step = 2 if pattern[at] == "\\" and at + 1 < len(pattern) else 1
        out.append(pattern[at : at + step])
        at += step
    return "".join(reversed(out))


_Segment = tuple[str, "re.Pattern[str] | None"]
"""What stands between two stars: its text, and an expression that finds it where it holds a `?`."""


def _segments(pattern: str) -> list[_Segment]:
    """A pattern cut at its stars; BuildKit has no brackets here."""
    segments: list[list[tuple[str, bool]]] = [[]]
    at = 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "*":
            segments.append([])
        elif char == "\\":
            follow = pattern[at : at + 1]
            if follow in ("}", "/"):
                continue
            if not follow or follow not in "*?\\":
                raise _Stop("a pattern in it has an escape that BuildKit refuses")
            segments[-1].append((follow, False))
            at += 1
        else:
            segments[-1].append((char, char == "?"))
    return [_segment(pieces) for pieces in segments]


def _segment(pieces: list[tuple[str, bool]]) -> _Segment:
    text = "".join(char for char, _ in pieces)
    if not any(wild for _, wild in pieces):
        return text, None
    return text, re.compile("".join("." if wild else re.escape(char) for char, wild in pieces), re.DOTALL)


def _find(segment: _Segment, value: str, start: int) -> int:
    text, expression = segment
    if expression is None:
        return value.find(text, start)
    found = expression.search(value, start)
    return -1 if found is None else found.start()


def _find_last(segment: _Segment, value: str, start: int) -> int:
    text, expression = segment
    if expression is None:
        return value.rfind(text, start)
    for at in range(len(value) - len(text), start - 1, -1):
        if expression.match(value, at):
            return at
    return -1


def _match(segments: list[_Segment], value: str, start: int, greedy: bool) -> int | None:
    """Where the shortest match (`greedy`: the longest) that begins at `start` ends. Each segment is looked for once,
    where a regular expression with several stars would try all ways to part the value."""
    first, *others = segments
    at = start + len(first[0])
    if at > len(value) or _find(first, value[start:at], 0) != 0:
        return None
    for place, segment in enumerate(others, 1):
        last = place == len(others)
        found = _find_last(segment, value, at) if last and greedy else _find(segment, value, at)
        if found < 0:
            return None
        at = found + len(segment[0])
    return at


def _replaced(segments: list[_Segment], replacement: str, value: str, every: bool) -> str:
    """`value` with the first match, or all, replaced. A match that begins later does not succeed where one that begins
    at the first place of the first segment fails."""
    if not any(text for text, _ in segments):
        if len(segments) == 1:
            raise _Stop("a pattern in it is empty")
        return replacement
    out: list[str] = []
    length = at = 0
    while (start := _find(segments[0], value, at)) >= 0 and (end := _match(segments, value, start, True)) is not None:
        out += (value[at:start], replacement)
        at = end
        length += len(replacement)
        if length > MAX_VALUE:
            raise _Stop("too much is put into it")
        if not every:
            break
    return "".join([*out, value[at:]])
