"""The lexer of Dockerfiles: tokens that tile the file, with the context that a grammar cannot have.

A token is a `Leaf` of the tree. The lexer knows the escape directive, joins lines, and takes here-documents' bodies
from below the line that asks for them. Which words an instruction may hold is for the grammar to say
(`grammar/dockerfile.lark`).
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from fixer.text.records import maker
from fixer.text.regex import regex
from fixer.tree.cook import SPACE, Cooked
from fixer.tree.nodes import Leaf
from fixer.tree.words import FLAG_WORD, PAIR_WORD, HeredocWord, Unreadable, heredocs_of, lone_escape

MAX_LINE = 65535
"""Bytes in a line, without its LF: the limit of Go's line scanner, which BuildKit reads with (parser.go, v0.25)."""

_INLINE_SPACE = SPACE.replace("\n", "")
BLANKS = "\t\v\f\r "
"""What cuts a keyword from its arguments, and a word from the next (`reWhitespace` of parser.go)."""

_LINE = regex(rf"([{_INLINE_SPACE}]*)(?:(#)|[^\n])?")
_WORD = regex(rf"[^{BLANKS}]+")
_KEYWORD = regex(rf"([^{BLANKS}]+)[\t\n\v\f\r ]*(-?)")
_HEALTH_BLANKS = "\t\n\v\f\r \udc85\udca0"
"""What BuildKit takes for blanks behind HEALTHCHECK, where it looks at single bytes (parser/line_parsers.go, v0.25): no
part of a character but a byte that is none."""
_HEALTH_WORD = regex(rf"[^{_HEALTH_BLANKS}]+")
_DIRECTIVE = regex(r"([a-zA-Z][a-zA-Z0-9]*)([\t\f\r ]*)=(.+)")
_DIRECTIVES = ("syntax", "escape", "check")
_MAY_CONTINUE = "\\` \t\r\n"
"""What may stand before the LF of a line that is continued."""
_JSON_GAP = regex(r"[ \t\r\n]*")
_ANY_CASE = regex(r"\(\?i:(\w+)\)")
"""How Lark writes `"FROM"i` as a regular expression."""


_leaf = maker(Leaf)


class Unit(NamedTuple):
    """The tokens of one line, or of one instruction with its continued lines and here-documents. It begins at `start`,
    prefix and all; it is known what stands there if there are no tokens."""

    start: int
    tokens: list[Leaf]
    reason: str | None
    """Why the instruction cannot be read, or None if it is for the grammar to say."""


class Terms(NamedTuple):
    """What the grammar file says about terminals, as far as the lexer asks it."""

    keywords: dict[str, str]
    """From a keyword in lower case to its terminal."""
    json_string: re.Pattern[str]
    stage_name: re.Pattern[str]


def terms(terminals: Mapping[str, str]) -> Terms:
    """The terms of the grammar's terminals, which are regular expressions by their names."""
    keywords = {
        match[1].lower(): name
        for name, pattern in terminals.items()
        if (match := _ANY_CASE.fullmatch(pattern)) is not None and name not in ("AS", "NONE")
    }
    return Terms(keywords, re.compile(terminals["JSON_STRING"]), re.compile(terminals["STAGE_NAME"]))


class Scan:
    """One text being cut into units. `escape` and `heredocs` (by the body's offset) are filled on the way.

    known: from where a unit begins that need not be read, to where it ends, and more; `known_escape`: if that is in
    force.
    """

    def __init__(
        self,
        text: str,
        terms: Terms,
        known: Mapping[int, tuple[int, object, object]] = MappingProxyType({}),
        known_escape: str = "",
    ) -> None:
        self.text = text
        self.known = known
        self.known_escape = known_escape
        self.escape = "\\"
        self.heredocs: dict[int, HeredocWord] = {}
        self.keywords = terms.keywords
        self.json_string = terms.json_string
        self.stage_name = terms.stage_name
        self._lines: _LineEnds | None = None

    def units(self) -> Iterator[Unit]:
        """The units of the file in order; the BOM, if any, is one of its own."""
        text = self.text
        at = 0
        if text.startswith("\ufeff"):
            yield Unit(0, [_leaf("BOM", "", "\ufeff", "\ufeff", 0)], None)
            at = 1
        directives: _Directives | None = _Directives(text, at)
        size = len(text)
        known = self.known
        while at < size:
            if directives is None and at in known and self.escape == self.known_escape:
                yield Unit(at, [], None)
                at = known[at][0]
                continue
            match = _LINE.match(text, at)
            assert match is not None
            newline = text.find("\n", at)
            end = size if newline < 0 else newline + 1
            if match[2] is not None:
                unit = directives.unit(self, at, match.end(1), end) if directives is not None else None
                if unit is None:
                    unit = Unit(at, _line_tokens(text, at, match.end(1), end, "COMMENT"), None)
            elif match.end() == match.end(1):
                directives = None
                unit = Unit(at, [_end_leaf(text, at, end)], None)
            else:
                directives = None
                unit, end = self._instruction(at, match.end(1), end)
            if directives is not None and not directives.open:
                directives = None
            if end - at > MAX_LINE // 4 and _too_long(text, 0 if at == 1 else at, end):
                unit = Unit(at, unit.tokens, "line-too-long")
            yield unit
            at = end

    # --- instructions ------------------------------------------------------------------------------------------------

    def _instruction(self, start: int, word: int, end: int) -> tuple[Unit, int]:
        """The instruction whose first line is `start` to `end`, its first character at `word`."""
        text = self.text
        keep = self._continued(word, end)
        if keep < 0:
            line = text[word:end]
            tokens = _Tokens(text, start, line.rstrip(SPACE), word, None)
        else:
            cooked, end = self._join(word, keep, end)
            tokens = _Tokens(text, start, cooked.text.rstrip(SPACE), 0, cooked)
        reason = None
        first = 0 if keep < 0 else len(tokens.line) - len(tokens.line.lstrip(SPACE))
        try:
            heredocs = self._command(tokens, first)
        except Unreadable as problem:
            reason = problem.reason
            heredocs = False
            tokens.add_rest()
        tokens.leaves.append(_end_leaf(text, tokens.last, end))
        if reason is None and heredocs and "<<" in tokens.line:
            try:
                end = self._heredocs(tokens, end)
            except Unreadable as problem:
                reason = problem.reason
        if len(tokens.leaves) == 1:
            reason = "unknown-instruction"
        return Unit(start, tokens.leaves, reason), end

    def _continued(self, start: int, end: int) -> int:
        """Where the escape character stands that continues the line, or -1."""
        text = self.text
        at = end - 1
        if at > start and text[at] == "\n" and text[at - 1] not in _MAY_CONTINUE:
            return -1
        at = end
        while at > start and text[at - 1] in "\r\n":
            at -= 1
        while at > start and text[at - 1] in " \t":
            at -= 1
        escape = self.escape
        if at == start or text[at - 1] != escape or (at - 1 > start and text[at - 2] == escape):
            return -1
        return at - 1

    def _join(self, start: int, keep: int, end: int) -> tuple[Cooked, int]:
        """The joined lines of an instruction whose first line is kept from `start` to `keep`; and where they end."""
        text = self.text
        size = len(text)
        pieces = [(start, keep)]
        while end < size:
            at = end
            newline = text.find("\n", at)
            end = size if newline < 0 else newline + 1
            match = _LINE.match(text, at)
            assert match is not None
            if match[2] is not None or match.end() == match.end(1):
                continue
            keep = self._continued(at, end)
            if keep < 0:
                stop = end
                while text[stop - 1] in "\r\n":
                    stop -= 1
                pieces.append((at, stop))
                break
            pieces.append((at, keep))
        return Cooked(text, pieces), end

    def _command(self, out: _Tokens, at: int) -> bool:
        """Tokens of the command that begins at `at`, without the line's end; True if it may ask for here-documents."""
        line = out.line
        match = _KEYWORD.match(line, at)
        kind = self.keywords.get(match[1].lower()) if match is not None else None
        if match is None or kind is None:
            raise Unreadable("unknown-instruction")
        out.add(kind, at, match.end(1))
        at = match.end()
        if match[2]:
            at = self._flags(out, match.end(1))
        if at < len(line) and line[at] in SPACE:
            at = len(line) - len(line[at:].lstrip(SPACE))
        if kind == "ONBUILD":
            if at < len(line):
                nested = _WORD.match(line, at)
                if nested is not None and self.keywords.get(nested[0].lower()) in ("ONBUILD", "FROM", "MAINTAINER"):
                    raise Unreadable("onbuild-trigger")
                return self._command(out, at)
            return False
        _ARGUMENTS[kind](self, out, at)
        return kind in ("RUN", "COPY", "ADD") and not out.json

    def _flags(self, out: _Tokens, at: int) -> int:
        """Flag tokens from `at` on; where the arguments may begin."""
        line = out.line
        while True:
            while at < len(line) and line[at] in "\t\n\v\f\r ":
                at += 1
            if not line.startswith("--", at):
                return at
            match = FLAG_WORD[self.escape].match(line, at)
            assert match is not None
            out.add("FLAG", at, match.end())
            at = match.end()
            if match[0] == "--":
                return at

    # --- arguments, by instruction -----------------------------------------------------------------------------------

    def _from(self, out: _Tokens, at: int) -> None:
        words = list(_WORD.finditer(out.line, at))
        for index, word in enumerate(words):
            kind = "IMAGE"
            if index == 1 and word[0].casefold() == "as":
                kind = "AS"
            elif index == 2 and words[1][0].casefold() == "as":
                kind = "STAGE_NAME"
                if len(words) == 3 and not self.stage_name.fullmatch(word[0]):
                    raise Unreadable("stage-name")
            out.add(kind, word.start(), word.end())

    def _form(self, out: _Tokens, at: int) -> None:
        if at < len(out.line) and not self._json(out, at):
            out.add("SCRIPT", at, len(out.line))

    def _transfer(self, out: _Tokens, at: int) -> None:
        if self._json(out, at):
            return
        words = list(_WORD.finditer(out.line, at))
        for word in words[:-1]:
            out.add("SOURCE", word.start(), word.end())
        if words:
            out.add("DESTINATION", words[-1].start(), words[-1].end())

    def _volume(self, out: _Tokens, at: int) -> None:
        if not self._json(out, at):
            self._words(out, at, "PATH")

    def _expose(self, out: _Tokens, at: int) -> None:
        self._words(out, at, "PORT")

    def _words(self, out: _Tokens, at: int, kind: str) -> None:
        for word in _WORD.finditer(out.line, at):
            out.add(kind, word.start(), word.end())

    def _rest(self, out: _Tokens, at: int) -> None:
        if at < len(out.line):
            out.add("ARGUMENT", at, len(out.line))

    def _health(self, out: _Tokens, at: int) -> None:
        match = _HEALTH_WORD.match(out.line, at)
        if match is None:
            return
        kind = match[0].upper()
        if kind not in ("NONE", "CMD"):
            raise Unreadable("healthcheck-kind")
        out.add(kind, at, match.end())
        rest = out.line[match.end() :]
        self._form(out, len(out.line) - len(rest.lstrip(_HEALTH_BLANKS)))

    def _pairs(self, out: _Tokens, at: int) -> None:
        word = PAIR_WORD[self.escape].match(out.line, at)
        if word is None:
            return
        if "=" in word[0]:
            self._list(out, at, bare_too=False)
            return
        key = _WORD.match(out.line, at)
        assert key is not None
        out.add("KEY", at, key.end())
        value = _WORD.search(out.line, key.end())
        if value is not None:
            out.add("VALUE", value.start(), len(out.line))

    def _arg(self, out: _Tokens, at: int) -> None:
        self._list(out, at, bare_too=True)

    def _list(self, out: _Tokens, at: int, *, bare_too: bool) -> None:
        """Words with `=`, and for `bare_too` words without."""
        bare = blank = False
        for word in PAIR_WORD[self.escape].finditer(out.line, at):
            start, end = word.span()
            lone = lone_escape(word)
            if lone and end - start == 1:
                continue
            equals = out.line.find("=", start, end)
            if equals < 0:
                out.add("KEY", start, end, lone)
                bare = True
                continue
            if equals > start:
                out.add("KEY", start, equals)
            else:
                blank = True
            out.add("EQUALS", equals, equals + 1)
            out.add("VALUE", equals + 1, end, lone)
        if bare and not bare_too:
            raise Unreadable("pair-without-equals")
        if blank:
            raise Unreadable("pair-blank-name")

    def _json(self, out: _Tokens, at: int) -> bool:
        """The tokens of an array of strings, if that is what stands at `at` and nothing else.

        Raises Unreadable for an array that holds something else; any other text is not JSON form.
        """
        line = out.line
        if not line.startswith("[", at):
            return False
        spans: list[tuple[str, int, int]] = [("OPEN", at, at + 1)]
        gap, string = _JSON_GAP, self.json_string
        at = _skip(gap, line, at + 1)
        if not line.startswith("]", at):
            while True:
                match = string.match(line, at)
                if match is None:
                    return self._not_strings(line, spans[0][1])
                spans.append(("JSON_STRING", at, match.end()))
                at = _skip(gap, line, match.end())
                if not line.startswith(",", at):
                    break
                spans.append(("COMMA", at, at + 1))
                at = _skip(gap, line, at + 1)
        if at != len(line) - 1 or line[at] != "]":
            return self._not_strings(line, spans[0][1])
        spans.append(("CLOSE", at, at + 1))
        for kind, begin, end in spans:
            out.add(kind, begin, end)
        out.json = True
        return True

    def _not_strings(self, line: str, at: int) -> bool:
        if line.endswith("]") and _json_array(line[at:]):
            raise Unreadable("json-not-strings")
        return False

    # --- here-documents ----------------------------------------------------------------------------------------------

    def _heredocs(self, out: _Tokens, at: int) -> int:
        """Tokens of the bodies below; where they end. Raises Unreadable if one has no end."""
        words = heredocs_of(out.line)
        if not words:
            return at
        if self._lines is None:
            self._lines = _LineEnds(self.text)
        leaves: list[Leaf] = []
        notes: dict[int, HeredocWord] = {}
        text = self.text
        for word in words:
            found = self._lines.find(word, at)
            if found is None:
                raise Unreadable("heredoc-unterminated")
            start, end = found
            body = text[at:start]
            seen = re.sub(r"(?m)^\t+", "", body) if word.chomp and "\t" in body else body
            name = start
            if word.chomp:
                while text[name] == "\t":
                    name += 1
            stop = name + len(word.name)
            notes[at] = word
            leaves.append(_leaf("HEREDOC_BODY", "", body, seen, at))
            leaves.append(_leaf("HEREDOC_END", text[start:name], text[name:stop], word.name, name))
            leaves.append(_end_leaf(text, stop, end))
            at = end
        out.leaves.extend(leaves)
        self.heredocs.update(notes)
        return at


_ARGUMENTS: dict[str, Callable[[Scan, _Tokens, int], None]] = {}


class _Tokens:
    """The leaves of one instruction. Offsets given to `add` are those of the joined line."""

    __slots__ = ("base", "cooked", "done", "json", "last", "leaves", "line", "text")

    def __init__(self, text: str, start: int, line: str, base: int, cooked: Cooked | None) -> None:
        self.text = text
        self.last = start
        self.line = line
        self.base = base
        self.cooked = cooked
        self.leaves: list[Leaf] = []
        self.json = False
        self.done = 0

    def add_rest(self) -> None:
        """What is left of the joined line, without the blanks before it."""
        rest = self.line[self.done :].lstrip(SPACE)
        if rest:
            self.add("OPAQUE", len(self.line) - len(rest), len(self.line))

    def add(self, kind: str, start: int, end: int, drop_last: bool = False) -> None:
        """`drop_last`: BuildKit does not see the last character."""
        value = self.line[start:end]
        if self.cooked is None:
            begin = self.base + start
            stop = self.base + end
            seen = value
        else:
            stop = self.cooked.raw_end(end)
            begin = self.cooked.raw(start) if start < end else stop
            seen = value if stop - begin == end - start else self.text[begin:stop]
        if drop_last:
            value = value[:-1]
        self.leaves.append(_leaf(kind, self.text[self.last : begin], seen, value, begin))
        self.last = stop
        self.done = end


class _Directives:
    """The state of directive parsing at the top of a file.

    There are two readers with different habits (directives.go and parser.go, v0.25): that of `escape` takes indented
    lines and ends at a shebang; that of `syntax` and `check` skips a shebang and ends at an indented line.
    """

    def __init__(self, text: str, start: int) -> None:
        shebang = text.startswith("#!", start)
        self.start = start
        self.shebang = shebang
        self.escape_open = True
        self.other_open = True
        self.seen: set[str] = set()

    @property
    def open(self) -> bool:
        return self.escape_open or self.other_open

    def unit(self, scan: Scan, start: int, hash_: int, end: int) -> Unit | None:
        """The unit of the line with a `#` at `hash_`, or None for a comment."""
        text = scan.text
        if self.shebang and start == self.start:
            self.escape_open = False
            return None
        line = text[hash_ + 1 : end].rstrip("\r\n")
        rest = line.lstrip(SPACE)
        match = _DIRECTIVE.match(rest)
        name = match[1].lower() if match is not None else ""
        if match is None or name not in _DIRECTIVES:
            self.escape_open = self.other_open = False
            return None
        value = match[3].strip("\t\f\r ") or match[3][-1]
        value_at = match.start(3) + (match[3].rindex(value) if value.isspace() else match[3].index(value))
        indented = hash_ > start
        counts = self.escape_open if name == "escape" else self.other_open and not indented
        if indented:
            self.other_open = False
        reason = None
        if name in self.seen:
            if not self.escape_open:
                self.other_open = False
                return None
            reason = "directive-duplicate"
        elif name == "escape" and counts:
            if value in ("\\", "`"):
                scan.escape = value
            else:
                reason = "directive-escape"
        self.seen.add(name)
        if not counts and reason is None:
            return None
        base = end - len(text[hash_ + 1 : end]) + len(line) - len(rest)
        leaves = []
        last = start
        for kind, begin, stop in (
            ("HASH", hash_, hash_ + 1),
            ("DIRECTIVE_NAME", base + match.start(1), base + match.end(1)),
            ("EQUALS", base + match.end(2), base + match.end(2) + 1),
            ("DIRECTIVE_VALUE", base + value_at, base + value_at + len(value)),
        ):
            piece = text[begin:stop]
            leaves.append(_leaf(kind, text[last:begin], piece, piece, begin))
            last = stop
        leaves.append(_end_leaf(text, last, end))
        return Unit(start, leaves, reason)


class _LineEnds:
    """Where a line with a given text stands, so that a body's end is found without reading on line by line."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines: dict[bool, dict[str, list[int]]] = {}

    def find(self, word: HeredocWord, at: int) -> tuple[int, int] | None:
        """Start and end of the first line from `at` on that ends the body."""
        starts = self._starts(word.chomp).get(word.name, [])
        index = bisect_left(starts, at)
        if index == len(starts):
            return None
        start = starts[index]
        newline = self.text.find("\n", start)
        return start, len(self.text) if newline < 0 else newline + 1

    def _starts(self, chomp: bool) -> dict[str, list[int]]:
        lines = self.lines.get(chomp)
        if lines is None:
            lines = self.lines[chomp] = {}
            at = 0
            for line in self.text.split("\n"):
                key = line.rstrip("\r")
                lines.setdefault(key.lstrip("\t") if chomp else key, []).append(at)
                at += len(line) + 1
        return lines


def _line_tokens(text: str, start: int, word: int, end: int, kind: str) -> list[Leaf]:
    stop = word + len(text[word:end].rstrip(" \t\r\n"))
    piece = text[word:stop]
    return [_leaf(kind, text[start:word], piece, piece, word), _end_leaf(text, stop, end)]


def _end_leaf(text: str, start: int, end: int) -> Leaf:
    """The line end of what stops at `end`, with all that is left from `start` on as its prefix."""
    at = end
    if end > start and text[end - 1] == "\n":
        at = end - 2 if end - 1 > start and text[end - 2] == "\r" else end - 1
    piece = text[at:end]
    return _leaf("EOL", text[start:at], piece, piece, at)


def _too_long(text: str, start: int, end: int) -> bool:
    return any(
        len(line) > MAX_LINE // 4 and len(line.encode("utf-8", "surrogatepass")) > MAX_LINE
        for line in text[start:end].split("\n")
    )


def _skip(gap: re.Pattern[str], line: str, at: int) -> int:
    match = gap.match(line, at)
    return at if match is None else match.end()


def _json_array(text: str) -> bool:
    """True if Go's JSON reader takes `text` for an array."""
    import json

    def number(digits: str) -> float:
        value = float(digits)
        if value in (float("inf"), float("-inf")):
            raise ValueError(digits)
        return value

    def constant(name: str) -> None:
        raise ValueError(name)

    try:
        json.loads(text, parse_int=number, parse_float=number, parse_constant=constant)
    except (ValueError, RecursionError):
        return False
    return True


_ARGUMENTS.update(
    {
        "FROM": Scan._from,
        "RUN": Scan._form,
        "CMD": Scan._form,
        "ENTRYPOINT": Scan._form,
        "SHELL": Scan._form,
        "COPY": Scan._transfer,
        "ADD": Scan._transfer,
        "ENV": Scan._pairs,
        "LABEL": Scan._pairs,
        "ARG": Scan._arg,
        "EXPOSE": Scan._expose,
        "VOLUME": Scan._volume,
        "USER": Scan._rest,
        "WORKDIR": Scan._rest,
        "STOPSIGNAL": Scan._rest,
        "MAINTAINER": Scan._rest,
        "HEALTHCHECK": Scan._health,
    }
)
