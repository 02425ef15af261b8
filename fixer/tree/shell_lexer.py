"""Cuts a shell script into the terminals of grammar/shell.lark, and builds words.

A word may hold whole scripts (`$(…)`); their extent is only known by reading them, so the scanner hands the place right
after `$(` to the parser, with a new scanner for the same text that stops at the parenthesis that closes it. Every
character is looked at a bounded number of times, and nesting is bounded by `MAX_DEPTH`.

Two dialects. `bash` is bash. `sh` is what `/bin/sh` may be: dash, busybox or bash, and one of them reads the image's
RUNs. What all of them that do not fail read alike is understood; a script that dash refuses to parse (`<(…)`, `|&`,
`a=(…)`, `;&`, `<<<`, `function`, `select`) can only build where sh is bash, so it gets bash's meaning; where they read
*different things* without failing (`&>`, `((…))`, `{fd}>`, `10>`, `a+=b`, `[[ a && b ]]`), the script is opaque; and
where they only differ in the value of a word (`$'…'`, `{a,b}`), the part is one without a known value.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from fixer.text.records import maker
from fixer.text.regex import regex
from fixer.text.source import Span
from fixer.tree.shell import (
    Arithmetic,
    Assignment,
    Braces,
    CommandSubstitution,
    Literal,
    Operator,
    Parameter,
    Part,
    Redirect,
    Script,
    Tilde,
    Uncertain,
    Word,
)

MAX_DEPTH = 40
"""How deep scripts, substitutions, compound commands and quotes may nest. Real scripts stay below 10."""

REASONS: Mapping[str, str] = {
    "syntax": "a shell would not accept this, or this grammar does not",
    "too-deep": f"more than {MAX_DEPTH} levels of nesting",
    "unterminated-quote": "a quotation mark is never closed",
    "unterminated-substitution": "a $(…), ${…}, $((…)) or backquote is never closed",
    "unterminated-heredoc": "the end of a here-document is missing",
    "heredoc": "a here-document whose delimiter or body is not read alike by all shells",
    "bad-substitution": "a ${…} that no shell knows",
    "arithmetic": "an arithmetic expression, or a subshell, that shells tell apart in different ways",
    "dollar-bracket": "$[…], which only bash reads as arithmetic",
    "nested-quotes": "quotes inside a quoted ${…} that shells read differently",
    "extglob": "an extended glob, which needs bash with extglob",
    "coproc": "a coprocess",
    "continuation": "a line continuation inside an operator or a reserved word",
    "array": "an array element or an array argument",
    "bash-redirect": "a redirection that only bash knows, and sh reads as something else",
    "bash-assignment": "an assignment that only bash knows, and sh runs as a command",
    "double-bracket": "[[ … ]] with operators, which sh reads as several commands",
    "double-parenthesis": "((…)), which bash reads as arithmetic and sh as a subshell",
    "process-substitution": "a process substitution in the middle of a word",
}
"""Why a script may be opaque: `OpaqueScript.why` is one of these keys."""


class RefusedError(Exception):
    """A script is not understood: `why` is a key of REASONS, `at` an offset in the file."""

    def __init__(self, why: str, at: int) -> None:
        super().__init__(why)
        self.why = why
        self.at = at


Token = tuple[str, Any]
"""A terminal's name, and its value: a node, or the (start, end) of a reserved word or bracket."""

_TOKEN = regex(
    r"""(?: [ \t]+ | \\\n )*
    (?: ( [0-9]+ (?=[<>]) )
      | ( (?: [{}!] | \[\[? | [^ \t\n|&;<>()$`"'\\*?\[{~#!] [^ \t\n|&;<>()$`"'\\*?\[{~]* ) (?=[ \t\n|&;<>()]|\Z) )
      | ( &&|\|\||;;&|;;|;&|\|&|&>>|&>|<<<|<<-|<<|<&|<>|<\(|>>|>&|>\||>\(|[|&;<>()] )
      | ( \n )
      | ( \#[^\n]* )
      | ( \Z )
      | ( . )
    )""",
    re.X | re.S,
)
_DESCRIPTOR, _PLAIN, _OPERATOR, _NEWLINE, _COMMENT, _END, _OTHER = range(1, 8)

_CHUNK = regex(r"""[^ \t\n|&;<>()$`"'\\]+""")
_REGEX_CHUNK = regex(r"""[^ \t\n&;<>()$`"'\\]+""")
_QUOTED = regex(r'[^"\\$`]+')
_EXPANSION = regex(r"[\\$`]")
_BACKQUOTE = regex(r"[`\\]")
_ARGUMENT = regex(r"""[}\\$`"']""")
_UNLIKE = regex(r"""[}\\`"]|\$[{(]""")
_ARITHMETIC = regex(r"""[()\\$`"']""")
_SUBSCRIPT = regex(r"""[\]\[\\$`"'\s]""")
_NAME = regex(r"[A-Za-z_][A-Za-z0-9_]*")
_PARAMETER = regex(r"[A-Za-z_][A-Za-z0-9_]*|[0-9]+|[@*\#?$!-]")
_PARAMETER_OPERATOR = regex(r":[-=?+]|[-=?+]|\#\#?|%%?|//?|\^\^?|,,?|@|:|\[")
_ASSIGN = regex(r"([A-Za-z_][A-Za-z0-9_]*)(\+?=|\[)")
_ANSI = regex(r"[^'\\]+")
_SEQUENCE = regex(r"(?:-?[0-9]+\.\.-?[0-9]+|[A-Za-z]\.\.[A-Za-z])(?:\.\.-?[0-9]+)?\Z")
_ANSI_ESCAPES = {
    "n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "e": "\x1b", "E": "\x1b",
    "\\": "\\", "'": "'", '"': '"', "?": "?",
}  # fmt: skip

# Where the scanner stands.
_COMMAND, _PREFIX, _ARGUMENTS, _FOR, _FOR_NAMED, _FOR_IN = range(6)
_CASE, _CASE_NAMED, _CLAUSE, _PATTERN, _TEST, _FUNCTION = range(6, 12)
_BRACES_EXPAND = frozenset({_COMMAND, _PREFIX, _ARGUMENTS, _FOR_IN})

_RESERVED = {
    "if": "IF", "then": "THEN", "elif": "ELIF", "else": "ELSE", "fi": "FI", "for": "FOR", "select": "FOR",
    "while": "WHILE", "until": "UNTIL", "do": "DO", "done": "DONE", "case": "CASE", "esac": "ESAC",
    "in": "IN", "{": "LBRACE", "}": "RBRACE", "!": "BANG", "function": "FUNCTION", "coproc": "COPROC",
    "]]": "TEST_CLOSE",
}  # fmt: skip
_RESERVED_BASH = {**_RESERVED, "time": "TIME", "[[": "TEST_OPEN"}
_OPENERS = frozenset({"IF", "FOR", "WHILE", "UNTIL", "CASE", "LBRACE"})
_CLOSERS = frozenset({"FI", "DONE", "ESAC", "RBRACE"})
_AFTER = {"FOR": _FOR, "CASE": _CASE, "FUNCTION": _FUNCTION, "TEST_OPEN": _TEST}
_NOT_FRESH = frozenset({"FI", "DONE", "ESAC", "RBRACE", "BANG", "TIME", "FOR", "CASE", "FUNCTION"})
_DECLARING = frozenset({"declare", "typeset", "local", "export", "readonly"})
_DEFAULTING = frozenset({":-", "-", ":=", "=", ":+", "+", ":?", "?"})

_word, _literal, _operator = maker(Word), maker(Literal), maker(Operator)


class Scanner:
    """Reads one script: `text[pos:limit]`, or up to the `)` that closes it if `nested`.

    places: the offset in the file of every character of `text`, and one more for its end.
    parse: reads the script of another scanner and returns it.
    """

    __slots__ = ("bash", "depth", "held", "limit", "nested", "parse", "pending", "places", "pos", "text")

    def __init__(
        self,
        text: str,
        places: Sequence[int],
        pos: int,
        limit: int,
        bash: bool,
        parse: Callable[[Scanner], Script],
        depth: int = 0,
        nested: bool = False,
        held: bool = False,
    ) -> None:
        self.text = text
        self.places = places
        self.pos = pos
        self.limit = limit
        self.bash = bash
        self.parse = parse
        self.depth = depth
        self.nested = nested
        self.held = held
        self.pending: list[tuple[Redirect, str, bool, bool]] = []

    def refuse(self, why: str, at: int) -> RefusedError:
        return RefusedError(why, self.places[min(at, self.limit)])

    def deeper(self, at: int) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.refuse("too-deep", at)

    # --- terminals -------------------------------------------------------------------------------------------------

    def tokens(self) -> Iterator[Token]:
        """The terminals of this script, ending with `$END`; afterwards `pos` is behind what was read.

        Raises RefusedError where the text is not understood.
        """
        text, places, limit, bash = self.text, self.places, self.limit, self.bash
        reserved = _RESERVED_BASH if bash else _RESERVED
        match = _TOKEN.match
        pos = self.pos
        mode = _COMMAND
        fresh = True  # no command has begun since the last operator: a newline is a blank
        target = ""  # the redirection whose word comes next
        heredoc: tuple[str, str, int] | None = None
        parens = 0
        opened = -1  # where the last "(" ended
        brackets = False  # inside [[ … ]] as sh reads it
        declaring = False
        test_word = ""  # how the next word of [[ … ]] is read: "" or "=~" or "=="
        while True:
            m = match(text, pos, limit)
            assert m is not None
            kind = m.lastindex
            if kind == _PLAIN:
                start, pos = m.span(_PLAIN)
                value = m[_PLAIN]
                if not target:
                    if mode == _ARGUMENTS:
                        if brackets and value == "]]":
                            brackets = False
                        if declaring and "=" in value and text[pos : pos + 1] == "(":
                            raise self.refuse("array", start)
                        first, last = places[start], places[pos - 1] + 1
                        yield "WORD", _word(first, last, (_literal(first, last, value, False),), value)
                        continue
                    if mode <= _PREFIX:
                        if mode == _COMMAND and value in reserved:
                            name = reserved[value]
                            if name == "COPROC":
                                raise self.refuse("coproc", start)
                            if name in _OPENERS:
                                self.deeper(start)
                            elif name in _CLOSERS:
                                self.depth -= 1
                            end = pos
                            if name == "TIME":
                                pos = self._time_option(pos)
                            mode = _AFTER.get(name, _COMMAND)
                            fresh = name not in _NOT_FRESH
                            yield name, (places[start], places[end - 1] + 1, value)
                            continue
                        if "=" in value and (eq := _ASSIGN.match(value)) is not None and eq[2] != "[":
                            mode = _PREFIX
                            fresh = False
                            if text[pos : pos + 1] == "(" or eq[2] == "+=":
                                yield "ASSIGNMENT", self._assignment(start)
                                pos = self.pos
                                continue
                            first, last = places[start], places[pos - 1] + 1
                            cut = eq.end()
                            rest = value[cut:]
                            if rest:
                                at = places[start + cut]
                                word = _word(at, last, (_literal(at, last, rest, False),), rest)
                            else:
                                word = _word(last, last, (), "")
                            yield "ASSIGNMENT", Assignment(first, last, eq[1], False, False, (word,))
                            continue
                        if value == "[[" and not bash:
                            brackets = True
                        declaring = value in _DECLARING
                        mode = _ARGUMENTS
                        fresh = False
                        first, last = places[start], places[pos - 1] + 1
                        yield "WORD", _word(first, last, (_literal(first, last, value, False),), value)
                        continue
                first, last = places[start], places[pos - 1] + 1
                word = _word(first, last, (_literal(first, last, value, False),), value)
                if test_word and text[pos : pos + 1] in "(|" and (test_word == "=~" or value[-1] in "@+"):
                    word = self.word(start, test=test_word)
                    pos = self.pos
            elif kind == _OPERATOR:
                start, end = m.span(_OPERATOR)
                op = m[_OPERATOR]
                if end < limit and text[end] == "\\" and text[end + 1 : end + 2] == "\n":
                    self._refuse_split_operator(end)
                if target:
                    if op not in ("<(", ">("):
                        raise self.refuse("syntax", start)
                    word = self.word(start)
                    pos = self.pos
                elif mode == _TEST:
                    if op not in ("&&", "||", "(", ")", "<", ">"):
                        if op in ("<(", ">("):
                            end -= 1
                            op = op[0]
                        elif not (test_word and op == "|"):
                            raise self.refuse("syntax", start)
                    if test_word:
                        if op == "(" or op == "|":
                            word = self.word(start, test=test_word)
                            pos = self.pos
                        else:
                            raise self.refuse("syntax", start)
                    else:
                        pos = end
                        first, last = places[start], places[end - 1] + 1
                        word = _word(first, last, (_literal(first, last, op, False),), op)
                        yield "WORD", word
                        continue
                elif op == "&&" or op == "||":
                    if brackets:
                        raise self.refuse("double-bracket", start)
                    pos = end
                    mode = _COMMAND
                    fresh = True
                    yield "ANDOR", _operator(places[start], places[end - 1] + 1, op)
                    continue
                elif op == ";" or op == "&":
                    if brackets and op == "&":
                        raise self.refuse("double-bracket", start)
                    pos = end
                    brackets = False
                    mode = _COMMAND
                    fresh = True
                    yield "SEMI" if op == ";" else "AMP", _operator(places[start], places[end - 1] + 1, op)
                    continue
                elif op == "|" or op == "|&":
                    if brackets:
                        raise self.refuse("double-bracket", start)
                    pos = end
                    if mode != _PATTERN:
                        mode = _COMMAND
                        fresh = True
                    yield "PIPE", _operator(places[start], places[end - 1] + 1, op)
                    continue
                elif op == "(":
                    if brackets:
                        raise self.refuse("double-bracket", start)
                    if start > self.pos and start == m.start() and text[start - 1] in "?*+@!":
                        raise self.refuse("extglob", start)
                    if mode == _CLAUSE:
                        mode = _PATTERN
                        pos = end
                        yield "LPAR", (places[start], places[start] + 1, op)
                        continue
                    if text.startswith("(", end) and end < limit and mode in (_COMMAND, _FOR):
                        if not bash and mode == _COMMAND:
                            raise self.refuse("double-parenthesis", start)
                        inside = self._arithmetic_parts(start, end + 1)
                        if mode == _FOR and inside[0].count(";") != 2:
                            raise self.refuse("arithmetic", start)
                        pos = self.pos
                        mode = _COMMAND
                        fresh = False
                        yield "ARITHMETIC", (places[start], places[pos - 1] + 1, inside)
                        continue
                    parens += 1
                    self.deeper(start)
                    opened = pos = end
                    fresh = mode == _COMMAND
                    yield "LPAR", (places[start], places[start] + 1, op)
                    continue
                elif op == ")":
                    pos = end
                    if mode == _PATTERN:
                        mode = _COMMAND
                        fresh = True
                    elif parens:
                        parens -= 1
                        self.depth -= 1
                        fresh = m.start() == opened  # `name()`: the body may stand on the next line
                        mode = _COMMAND
                    elif self.nested:
                        if self.pending:
                            raise self.refuse("heredoc", start)
                        self.pos = end
                        yield "$END", (places[start], places[start] + 1, op)
                        return
                    brackets = False
                    yield "RPAR", (places[start], places[start] + 1, op)
                    continue
                elif op == ";;" or op == ";&" or op == ";;&":
                    pos = end
                    mode = _CLAUSE
                    fresh = True
                    yield "DSEMI", _operator(places[start], places[end - 1] + 1, op)
                    continue
                elif op == "<(" or op == ">(":
                    if start > self.pos and start == m.start() and text[start - 1] not in " \t\n;|&()":
                        raise self.refuse("process-substitution", start)
                    word = self.word(start)
                    pos = self.pos
                else:
                    if brackets:
                        raise self.refuse("double-bracket", start)
                    if not bash and (op == "&>" or op == "&>>"):
                        raise self.refuse("bash-redirect", start)
                    pos = end
                    if op == "<<" or op == "<<-":
                        heredoc = ("", op, places[start])
                    else:
                        yield "IO", (places[start], "", op)
                    target = op
                    continue
            elif kind == _NEWLINE:
                start, pos = m.span(_NEWLINE)
                if target:
                    raise self.refuse("syntax", start)
                if self.held:
                    raise self.refuse("heredoc", start)
                if brackets:
                    raise self.refuse("double-bracket", start)
                if self.pending:
                    pos = self._bodies(pos)
                if mode == _TEST:
                    # A blank at most places, for the parser to say.
                    yield "WORD", Word(places[start], places[start] + 1, (), "\n")
                    continue
                if fresh:
                    continue
                if mode in (_FOR_NAMED, _CASE_NAMED):
                    continue
                fresh = True
                mode = _COMMAND
                yield "SEMI", _operator(places[start], places[start] + 1, "\n")
                continue
            elif kind == _COMMENT:
                pos = m.end()
                continue
            elif kind == _END:
                if self.nested:
                    raise self.refuse("unterminated-substitution", limit)
                if self.pending:
                    raise self.refuse("unterminated-heredoc", self.limit)
                if target:
                    raise self.refuse("syntax", limit)
                self.pos = limit
                yield "$END", (places[limit], places[limit], "")
                return
            elif kind == _DESCRIPTOR:
                start, end = m.span(_DESCRIPTOR)
                if mode == _TEST or target:
                    if target not in ("", ">&", "<&"):
                        # `> 2> x`: no shell takes this, but bash takes `>&2> x`
                        raise self.refuse("syntax", start)
                    pos = end
                    first, last = places[start], places[end - 1] + 1
                    word = _word(first, last, (_literal(first, last, m[kind], False),), m[kind])
                else:
                    if not bash and end - start > 1:
                        raise self.refuse("bash-redirect", start)
                    m = match(text, end, limit)
                    assert m is not None
                    target = m[_OPERATOR]
                    pos = m.end()
                    if target in ("<(", ">("):
                        raise self.refuse("process-substitution", start)
                    if target == "<<" or target == "<<-":
                        heredoc = (text[start:end], target, places[start])
                    else:
                        yield "IO", (places[start], text[start:end], target)
                    continue
            else:
                start = m.start(_OTHER)
                if mode <= _PREFIX and not target and _ASSIGN.match(text, start, limit) is not None:
                    mode = _PREFIX
                    fresh = False
                    yield "ASSIGNMENT", self._assignment(start)
                    pos = self.pos
                    continue
                word = self.word(start, test=test_word, keep_braces=mode not in _BRACES_EXPAND)
                pos = self.pos
                if not target:
                    if "\\\n" in word.text:
                        joined = word.text.replace("\\\n", "")
                        if mode <= _PREFIX and (joined in reserved or _ASSIGN.match(joined)):
                            raise self.refuse("continuation", start)
                        if text[pos : pos + 1] in ("<", ">") and joined.isdigit():
                            raise self.refuse("continuation", start)
                    elif self._continued(pos) in ("<", ">") and (word.text.isdigit() or word.text[-1] == "}"):
                        raise self.refuse("continuation", start)
                if text[start] == "{" and not target and mode != _TEST and self._is_descriptor_variable(start, pos):
                    target = self._descriptor_variable(start, pos)
                    yield "IO", (places[start], word.text, target)
                    pos = self.pos
                    continue
                if declaring and mode == _ARGUMENTS and text[pos : pos + 1] == "(" and word.text[-1] == "=":
                    raise self.refuse("array", start)

            # A word that is not a command's plain argument.
            if pos == start:
                raise self.refuse("syntax", start)
            test_word = ""
            if target:
                target = ""
                fresh = False
                if mode == _COMMAND:
                    mode = _PREFIX
                if heredoc is not None:
                    yield "HEREDOC", self._open_heredoc(heredoc, word)
                    heredoc = None
                else:
                    yield "WORD", word
                continue
            fresh = False
            if mode <= _PREFIX:
                mode = _ARGUMENTS
            elif mode == _FOR:
                if not _NAME.fullmatch(word.text):
                    raise self.refuse("syntax", start)
                mode = _FOR_NAMED
                yield "NAME", word
                continue
            elif mode == _FOR_NAMED:
                if word.text == "in":
                    mode = _FOR_IN
                    yield "IN", (word.start, word.end, "in")
                    continue
                if word.text != "do":
                    raise self.refuse("syntax", start)
                mode = _COMMAND
                fresh = True
                yield "DO", (word.start, word.end, "do")
                continue
            elif mode == _CASE:
                mode = _CASE_NAMED
            elif mode == _CASE_NAMED:
                if word.text != "in":
                    raise self.refuse("syntax", start)
                mode = _CLAUSE
                fresh = True
                yield "IN", (word.start, word.end, "in")
                continue
            elif mode == _CLAUSE:
                if word.text == "esac":
                    self.depth -= 1
                    mode = _COMMAND
                    yield "ESAC", (word.start, word.end, "esac")
                    continue
                mode = _PATTERN
            elif mode == _TEST:
                if word.text == "]]":
                    mode = _COMMAND
                    yield "TEST_CLOSE", (word.start, word.end, "]]")
                    continue
                if word.text == "=~":
                    test_word = "=~"
                elif word.text in ("=", "==", "!="):
                    test_word = "=="
            elif mode == _FUNCTION:
                mode = _COMMAND
                fresh = True
                yield "WORD", word
                continue
            yield "WORD", word

    def _time_option(self, pos: int) -> int:
        m = _TOKEN.match(self.text, pos, self.limit)
        return m.end() if m is not None and m[_PLAIN] == "-p" else pos

    def _is_descriptor_variable(self, start: int, pos: int) -> bool:
        """`{name}` right before a redirection."""
        text = self.text
        return (
            pos < self.limit
            and text[pos] in "<>"
            and text[pos - 1] == "}"
            and _NAME.fullmatch(text, start + 1, pos - 1) is not None
        )

    def _descriptor_variable(self, start: int, pos: int) -> str:
        """The operator at `pos` after `{name}`."""
        m = _TOKEN.match(self.text, pos, self.limit)
        assert m is not None
        operator = m[_OPERATOR]
        if not self.bash or operator in ("<(", ">(", "<<", "<<-"):
            raise self.refuse("bash-redirect", start)
        self.pos = m.end()
        return operator

    def _refuse_split_operator(self, end: int) -> None:
        """`&` continuation `&`: shells see one operator."""
        if self._continued(end) in ("&", "|", ";", "<", ">", "(", "-"):
            raise self.refuse("continuation", end)

    def _continued(self, pos: int) -> str:
        """The character that shells see at `pos`, if there are continuations at `pos`."""
        text = self.text
        if not text.startswith("\\\n", pos):
            return ""
        while text.startswith("\\\n", pos):
            pos += 2
        return text[pos : pos + 1] if pos < self.limit else ""

    # --- assignments and here-documents ----------------------------------------------------------------------------

    def _assignment(self, start: int) -> Assignment:
        """`name=word`, `name+=word`, `name=(words)`, `name[subscript]=word` at `start`."""
        text, places, limit = self.text, self.places, self.limit
        m = _ASSIGN.match(text, start, limit)
        assert m is not None
        name, pos = m[1], m.end()
        append = m[2] == "+="
        if m[2] == "[":
            if not self.bash:
                raise self.refuse("bash-assignment", start)
            found = _SUBSCRIPT.search(text, pos, limit)
            close = found.start() if found is not None else limit
            if not text.startswith(("]=", "]+="), close) or close + 1 >= limit:
                raise self.refuse("array", start)
            append = text[close + 1] == "+"
            pos = close + (3 if append else 2)
            name = text[start : close + 1]
        if text[pos : pos + 1] == "(" and pos < limit:
            values = self._array(pos + 1)
            return Assignment(places[start], places[self.pos - 1] + 1, name, append, True, values)
        if append and not self.bash:
            raise self.refuse("bash-assignment", start)
        word = self.word(pos, assigned=True)
        return Assignment(places[start], places[self.pos - 1] + 1, name, append, False, (word,))

    def _array(self, pos: int) -> tuple[Word, ...]:
        """The words of `(…)`, behind its opening parenthesis."""
        text, limit = self.text, self.limit
        words: list[Word] = []
        if self.held or self.pending:
            raise self.refuse("array", pos)
        while True:
            m = _TOKEN.match(text, pos, limit)
            assert m is not None
            kind = m.lastindex
            pos = m.end()
            if kind in (_PLAIN, _DESCRIPTOR, _OTHER):
                word = self.word(m.start(kind))
                if word.text[:1] == "[" and "]" not in word.text:
                    raise self.refuse("array", m.start(kind))
                words.append(word)
                pos = self.pos
            elif kind == _OPERATOR and m[kind] == ")":
                self.pos = pos
                return tuple(words)
            elif kind == _END:
                raise self.refuse("unterminated-substitution", limit)
            elif kind not in (_NEWLINE, _COMMENT):
                raise self.refuse("array", m.start(kind or 0))

    def _open_heredoc(self, operator: tuple[str, str, int], word: Word) -> Redirect:
        delimiter = "".join(part.value for part in word.parts if isinstance(part, Literal))
        if not all(isinstance(part, Literal) for part in word.parts) or "\n" in word.text or not word.parts:
            raise RefusedError("heredoc", word.start)
        fd, op, start = operator
        redirect = Redirect(start, word.end, fd, op, word)
        quoted = any(isinstance(part, Literal) and part.quoted for part in word.parts)
        self.pending.append((redirect, delimiter, quoted, op == "<<-"))
        return redirect

    def _bodies(self, pos: int) -> int:
        """Read the bodies of the pending here-documents, whose first line begins at `pos`; returns where they end."""
        text, places, limit = self.text, self.places, self.limit
        pending, self.pending = self.pending, []
        for redirect, delimiter, quoted, chomp in pending:
            begin = pos
            while True:
                if pos >= limit:
                    raise RefusedError("unterminated-heredoc", redirect.start)
                eol = text.find("\n", pos, limit)
                end = limit if eol < 0 else eol
                line = text[pos:end]
                if (line.lstrip("\t") if chomp else line) == delimiter:
                    break
                pos = limit if eol < 0 else eol + 1
            body = text[begin:pos]
            if not quoted and body.endswith("\\\n"):
                raise self.refuse("heredoc", pos)
            first = places[begin]
            object.__setattr__(redirect, "body", body)
            object.__setattr__(redirect, "body_span", Span(first, places[pos - 1] + 1 if pos > begin else first))
            if not quoted:
                object.__setattr__(redirect, "body_parts", self._expansions(begin, pos))
            pos = limit if eol < 0 else eol + 1
        return pos

    def _expansions(self, pos: int, end: int) -> tuple[Part, ...]:
        """The expansions of a here-document's body."""
        inner = Scanner(self.text, self.places, pos, end, self.bash, self.parse, self.depth)
        parts: list[Part] = []
        while (m := _EXPANSION.search(self.text, pos, end)) is not None:
            pos = m.start()
            if m[0] == "\\":
                pos += 2
                continue
            part = inner.backquote(pos, False) if m[0] == "`" else inner.dollar(pos, True)
            pos = inner.pos
            if part is not None:
                parts.append(part)
        return tuple(parts)

    # --- words -----------------------------------------------------------------------------------------------------

    def word(self, start: int, assigned: bool = False, test: str = "", keep_braces: bool = False) -> Word:
        """The word that begins at `start` (it may be empty); afterwards `pos` is behind it.

        assigned: the value of an assignment: no braces, and tildes after colons.
        test: `=~` or `==`, if the word is the right side of that in `[[ … ]]`.
        keep_braces: nothing expands braces here.
        """
        text, places, limit = self.text, self.places, self.limit
        chunk_match = (_REGEX_CHUNK if test == "=~" else _CHUNK).match
        parts: list[Part] = []
        braces = False
        parens = 0
        pos = end = start
        while pos < limit:
            m = chunk_match(text, pos, limit)
            if m is not None:
                value = m[0]
                at, pos = pos, m.end()
                end = pos
                if "~" in value:
                    self._tildes(parts, at, pos, at == start, assigned)
                else:
                    self._literal(parts, at, pos)
                if "{" in value:
                    braces = True
                continue
            c = text[pos]
            if c == '"':
                self._quoted(parts, pos)
            elif c == "'":
                close = text.find("'", pos + 1, limit)
                if close < 0:
                    raise self.refuse("unterminated-quote", pos)
                first = places[pos + 1]
                last = places[close - 1] + 1 if close > pos + 1 else first
                parts.append(_literal(first, last, text[pos + 1 : close], True))
                self.pos = close + 1
            elif c == "$":
                part = self.dollar(pos, False)
                if part is not None:
                    parts.append(part)
                elif text[pos + 1 : pos + 2] != '"':
                    self._literal(parts, pos, pos + 1)
                elif not self.bash:
                    # $"…": bash translates it, and a POSIX shell keeps the dollar
                    parts.append(Uncertain(places[pos], places[pos] + 1, "$"))
            elif c == "\\":
                if pos + 1 >= limit:
                    parts.append(_literal(places[pos], places[pos] + 1, "\\", True))
                    self.pos = limit
                elif text[pos + 1] == "\n":
                    pos += 2
                    continue
                else:
                    parts.append(_literal(places[pos], places[pos + 1] + 1, text[pos + 1], True))
                    self.pos = pos + 2
            elif c == "`":
                parts.append(self.backquote(pos, False))
            elif c in "<>" and text[pos + 1 : pos + 2] == "(" and not test:
                if pos > start:
                    raise self.refuse("process-substitution", pos)
                parts.append(self._substitution(pos, c, False))
            elif c == "(" and (test == "=~" or (test and pos > start and text[pos - 1] in "?*+@!")):
                parens += 1
                self._literal(parts, pos, pos + 1)
                self.pos = pos + 1
            elif c == "(" and pos > start and text[pos - 1] in "?*+@!":
                raise self.refuse("extglob", pos)
            elif parens and c in ")|":
                parens -= c == ")"
                self._literal(parts, pos, pos + 1)
                self.pos = pos + 1
            elif parens:
                raise self.refuse("extglob", pos)
            else:
                break
            end = pos = self.pos
        self.pos = end
        if braces and not assigned and not keep_braces and not test:
            parts = self._braces(parts, start, end)
        last = places[end - 1] + 1 if end > start else places[start]
        return _word(places[start], last, tuple(parts), text[start:end])

    def _literal(self, parts: list[Part], start: int, end: int) -> None:
        value = self.text[start:end]
        glob = "*" in value or "?" in value
        if not glob and "[" in value and value != "[":
            glob = True
        parts.append(_literal(self.places[start], self.places[end - 1] + 1, value, False, glob))

    def _tildes(self, parts: list[Part], start: int, end: int, first: bool, assigned: bool) -> None:
        """A chunk with tildes in it: one at the start of a word, or after `=` or `:` of an assignment, is the home
        directory of somebody."""
        text = self.text
        at = start
        pos = start
        while pos < end:
            if text[pos] == "~" and self._is_home(start, pos, first, assigned):
                stop = pos + 1
                while stop < end and text[stop] not in "/:~":
                    stop += 1
                if stop == end and self._continued(end):
                    raise self.refuse("continuation", pos)
                quoted_after = stop == end and end < self.limit and text[end] in "\"'\\$`"
                if not quoted_after:
                    if pos > at:
                        self._literal(parts, at, pos)
                    a, b = self.places[pos], self.places[stop - 1] + 1
                    sure = self.bash or assigned or pos == start
                    parts.append(Tilde(a, b, text[pos + 1 : stop]) if sure else Uncertain(a, b, text[pos:stop]))
                    at = pos = stop
                    continue
            pos += 1
        if end > at:
            self._literal(parts, at, end)

    def _is_home(self, start: int, pos: int, first: bool, assigned: bool) -> bool:
        if pos == start:
            return first or (assigned and self.text[pos - 1] in ":=")
        before = self.text[pos - 1]
        if assigned:
            return before == ":"
        # name=~ in arguments: bash expands it, dash does not, and for `export` it depends on the version
        return first and before == "=" and _NAME.fullmatch(self.text, start, pos - 1) is not None

    def _quoted(self, parts: list[Part], start: int) -> None:
        """`"…"` at `start`."""
        text, places, limit = self.text, self.places, self.limit
        self.deeper(start)
        pos = start + 1
        count = len(parts)
        values: list[str] = []
        first = pos
        while True:
            m = _QUOTED.match(text, pos, limit)
            if m is not None:
                values.append(m[0])
                pos = m.end()
            if pos >= limit:
                raise self.refuse("unterminated-quote", start)
            c = text[pos]
            if c == "\\":
                follow = text[pos + 1 : pos + 2] if pos + 1 < limit else ""
                if not follow:
                    raise self.refuse("unterminated-quote", start)
                if follow != "\n":
                    values.append(follow if follow in '$`"\\' else "\\" + follow)
                pos += 2
                continue
            if c == "$":
                part = self.dollar(pos, True)
                if part is None:
                    values.append("$")
                    pos += 1
                    continue
            elif c == "`":
                part = self.backquote(pos, True)
            else:
                part = None
            if values:
                parts.append(_literal(places[first], places[pos - 1] + 1, "".join(values), True))
                values.clear()
            if part is None:
                break
            parts.append(part)
            first = pos = self.pos
        if len(parts) == count:
            parts.append(_literal(places[start + 1], places[start + 1], "", True))
        self.depth -= 1
        self.pos = pos + 1

    def _braces(self, parts: list[Part], start: int, end: int) -> list[Part]:
        """Put the parts of each `{a,b}` and `{1..3}` of the word `start`..`end` together."""
        text = self.text
        loose = [self._cooked(part, start, end) for part in parts if type(part) is Literal and not part.quoted]
        opened: list[tuple[int, bool]] = []
        found: list[tuple[int, int]] = []
        stray = False
        for first, last in loose:
            for i in range(first, last):
                c = text[i]
                if c == "{":
                    opened.append((i, False))
                elif c == "," and opened:
                    opened[-1] = (opened[-1][0], True)
                elif c == "}" and not opened:
                    stray = True
                elif c == "}":
                    at, comma = opened.pop()
                    if comma or _SEQUENCE.match(text, at + 1, i):
                        while found and found[-1][0] > at:
                            found.pop()
                        found.append((at, i + 1))
        if stray and any("," in text[first:last] for first, last in loose):
            # {a},b}: bash counts braces in its own way
            found = [(start, end)]
        return self._cut_braces(parts, found, start, end) if found else parts

    def _cooked(self, part: Part, start: int, end: int) -> tuple[int, int]:
        """Where a part of the word `start`..`end` stands in `text`."""
        first = bisect_left(self.places, part.start, start, end)
        return first, bisect_left(self.places, part.end, first, end)

    def _cut_braces(self, parts: list[Part], found: list[tuple[int, int]], start: int, end: int) -> list[Part]:
        """`parts` with one part for each range in `found`; only unquoted literals cross the ends of a range."""
        text, places = self.text, self.places
        out: list[Part] = []
        at = 0
        begin = start  # what stands before this is in `out` already
        for first, last in found:
            inner: list[Part] = []
            while at < len(parts):
                part = parts[at]
                a, b = self._cooked(part, start, end)
                if a >= last:
                    break
                if b <= first:
                    if a < begin:
                        self._literal(out, begin, b)
                    else:
                        out.append(part)
                elif max(a, begin) < first:
                    self._literal(out, max(a, begin), first)
                elif not isinstance(part, Literal):
                    inner.append(part)
                if b > last:
                    break
                at += 1
            begin = last
            out.append(Braces(places[first], places[last - 1] + 1, text[first:last], tuple(inner)))
        if at < len(parts) and self._cooked(parts[at], start, end)[0] < begin:
            self._literal(out, begin, self._cooked(parts[at], start, end)[1])
            at += 1
        out.extend(parts[at:])
        return out

    # --- expansions ------------------------------------------------------------------------------------------------

    def dollar(self, pos: int, quoted: bool) -> Part | None:
        """The expansion whose `$` is at `pos`, or None if the dollar is only a dollar."""
        text, places, limit = self.text, self.places, self.limit
        after = pos + 1
        c = text[after] if after < limit else ""
        m = _NAME.match(text, after, limit)
        if m is not None:
            self.pos = end = m.end()
            if _NAME.match(follow := self._continued(end)) or follow.isdigit():
                raise self.refuse("continuation", end)
            return Parameter(places[pos], places[end - 1] + 1, m[0], "", "", quoted)
        if c == "{":
            return self._parameter(pos, quoted)
        if c == "(":
            if after + 1 < limit and text[after + 1] == "(":
                return self._arithmetic_expansion(pos, quoted)
            return self._substitution(pos, "$", quoted)
        if c and c in "0123456789@*#?$!-":
            self.pos = after + 1
            return Parameter(places[pos], places[after] + 1, c, "", "", quoted)
        if c == "'" and not quoted:
            return self._ansi(pos)
        if c == "[":
            raise self.refuse("dollar-bracket", pos)
        if c == "\\" and text[after + 1 : after + 2] == "\n":
            raise self.refuse("continuation", pos)
        self.pos = after
        return None

    def _substitution(self, start: int, kind: str, quoted: bool) -> CommandSubstitution:
        """`$(…)`, `<(…)` or `>(…)`."""
        self.deeper(start)
        if self._continued(start + 2) == "(":
            raise self.refuse("continuation", start)
        inner = Scanner(
            self.text,
            self.places,
            start + 2,
            self.limit,
            self.bash,
            self.parse,
            self.depth,
            nested=True,
            held=self.held or bool(self.pending),
        )
        script = self.parse(inner)
        self.depth -= 1
        self.pos = inner.pos
        return CommandSubstitution(self.places[start], self.places[inner.pos - 1] + 1, kind, script, quoted)

    def backquote(self, start: int, quoted: bool) -> CommandSubstitution:
        """`` `…` ``: the inside is unescaped once, and then it is a script of its own."""
        text, places, limit = self.text, self.places, self.limit
        self.deeper(start)
        escapes = []
        pos = start + 1
        while True:
            m = _BACKQUOTE.search(text, pos, limit)
            if m is None:
                raise self.refuse("unterminated-substitution", start)
            if m[0] == "`":
                break
            pos = m.start() + 2
            follow = text[pos - 1 : pos]
            if follow and (follow in "$`\\" or (quoted and follow == '"')):
                escapes.append(m.start())
        end = m.start()
        held = self.held or bool(self.pending)
        if not escapes:
            inner = Scanner(text, places, start + 1, end, self.bash, self.parse, self.depth, held=held)
        else:
            kept: list[str] = []
            kept_places: list[int] = []
            at = start + 1
            for escape in [*escapes, end]:
                kept.append(text[at:escape])
                kept_places.extend(places[at:escape])
                at = escape + 1
            kept_places.append(places[end])
            script = "".join(kept)
            inner = Scanner(script, kept_places, 0, len(script), self.bash, self.parse, self.depth, held=held)
        node = self.parse(inner)
        self.depth -= 1
        self.pos = end + 1
        return CommandSubstitution(places[start], places[end] + 1, "`", node, quoted)

    def _parameter(self, start: int, quoted: bool) -> Parameter:
        """`${…}` at `start`."""
        text, places, limit = self.text, self.places, self.limit
        self.deeper(start)
        pos = start + 2
        c = text[pos : pos + 1] if pos < limit else ""
        op = ""
        m = _PARAMETER.match(text, pos + 1, limit)
        if c == "#" and m is not None and text[m.end() : m.end() + 1] in "}[":
            op = "length"
        elif c == "!" and m is not None:
            op = "!"
        else:
            m = _PARAMETER.match(text, pos, limit)
        if m is None:
            why = "bad-substitution" if pos < limit else "unterminated-substitution"
            raise self.refuse(why, start)
        pos = m.end()
        parts: list[Part] = []
        begin = pos
        if text.startswith("}", pos) and pos < limit:
            end = pos
        else:
            if not op:
                operator = _PARAMETER_OPERATOR.match(text, pos, limit)
                if operator is None:
                    raise self.refuse("bad-substitution" if pos < limit else "unterminated-substitution", start)
                op = operator[0]
                begin = operator.end()
                if self._continued(begin):
                    raise self.refuse("continuation", begin)
            end = self._argument(start, begin, quoted, op, parts)
        self.depth -= 1
        self.pos = end + 1
        return Parameter(places[start], places[end] + 1, m[0], op, text[begin:end], quoted, tuple(parts))

    def _argument(self, start: int, pos: int, quoted: bool, op: str, parts: list[Part]) -> int:
        """Find the brace that closes the `${` at `start`; its argument begins at `pos`. Expansions go to `parts`."""
        text, limit = self.text, self.limit
        literal_until = -1
        while True:
            m = _ARGUMENT.search(text, pos, limit)
            if m is None:
                raise self.refuse("unterminated-substitution", start)
            pos, c = m.start(), m[0]
            if c == "}":
                return pos
            if c == "\\":
                pos += 2
            elif c == "$":
                part = self.dollar(pos, quoted)
                if part is not None:
                    parts.append(part)
                    pos = self.pos
                else:
                    pos += 1
            elif c == "`":
                parts.append(self.backquote(pos, quoted))
                pos = self.pos
            elif c == '"':
                inner: list[Part] = []
                self._quoted(inner, pos)
                if quoted and not self.bash and ("}" in text[pos : self.pos] or "'" in text[pos : self.pos]):
                    raise self.refuse("nested-quotes", pos)
                parts.extend(part for part in inner if not isinstance(part, Literal))
                pos = self.pos
            elif quoted and op in _DEFAULTING:
                # The quotation marks are characters here, but bash (not in POSIX mode) still looks for the second one.
                if pos > literal_until:
                    literal_until = text.find("'", pos + 1, limit)
                    if literal_until < 0 or _UNLIKE.search(text, pos + 1, literal_until):
                        raise self.refuse("nested-quotes", pos)
                pos += 1
            elif quoted and op not in ("#", "##", "%", "%%"):
                raise self.refuse("nested-quotes", pos)
            else:
                close = text.find("'", pos + 1, limit)
                if close < 0:
                    raise self.refuse("unterminated-quote", pos)
                pos = close + 1

    def _arithmetic_expansion(self, start: int, quoted: bool) -> Arithmetic:
        inside, parts = self._arithmetic_parts(start, start + 3)
        return Arithmetic(self.places[start], self.places[self.pos - 1] + 1, inside, quoted, parts)

    def _arithmetic_parts(self, start: int, begin: int) -> tuple[str, tuple[Part, ...]]:
        """The inside of `((…))` and the expansions in it, from `begin`; afterwards `pos` is behind `))`."""
        text, limit = self.text, self.limit
        self.deeper(start)
        parts: list[Part] = []
        parens = 0
        pos = begin
        while True:
            m = _ARITHMETIC.search(text, pos, limit)
            if m is None:
                raise self.refuse("unterminated-substitution", start)
            pos, c = m.start(), m[0]
            if c == "(":
                parens += 1
                pos += 1
            elif c == ")":
                if not parens:
                    break
                parens -= 1
                pos += 1
            elif c == "$":
                part = self.dollar(pos, True)
                if part is not None:
                    parts.append(part)
                    pos = self.pos
                else:
                    pos += 1
            elif c == "`":
                parts.append(self.backquote(pos, True))
                pos = self.pos
            elif c == '"':
                inner: list[Part] = []
                self._quoted(inner, pos)
                parts.extend(part for part in inner if not isinstance(part, Literal))
                pos = self.pos
            elif c == "\\" and text[pos + 1 : pos + 2] == "\n":
                pos += 2
            else:
                raise self.refuse("arithmetic", pos)
        if not text.startswith("))", pos) or pos + 2 > limit:
            raise self.refuse("arithmetic", pos)
        self.depth -= 1
        self.pos = pos + 2
        return text[begin:pos], tuple(parts)

    def _ansi(self, start: int) -> Part:
        """`$'…'` at `start`."""
        text, places, limit = self.text, self.places, self.limit
        values: list[str] | None = []
        pos = start + 2
        escaped_quote = False
        while True:
            m = _ANSI.match(text, pos, limit)
            if m is not None:
                if values is not None:
                    values.append(m[0])
                pos = m.end()
            if pos >= limit:
                raise self.refuse("unterminated-quote", start)
            if text[pos] == "'":
                break
            follow = text[pos + 1 : pos + 2]
            escaped_quote = escaped_quote or follow == "'"
            plain = _ANSI_ESCAPES.get(follow)
            if plain is None:
                values = None
            elif values is not None:
                values.append(plain)
            pos += 2
        self.pos = pos + 1
        if not self.bash and escaped_quote:
            raise self.refuse("nested-quotes", start)
        if not self.bash or values is None:
            return Uncertain(places[start], places[pos] + 1, text[start : pos + 1])
        first = places[start + 2]
        return _literal(first, places[pos - 1] + 1 if pos > start + 2 else first, "".join(values), True)
