"""How BuildKit cuts an instruction into words: flags, pairs, here-documents, comma-separated values.

Sources: parser/split_command.go, parser/line_parsers.go (parseWords), parser/parser.go (heredocsFromLine) and
shell/lex.go of BuildKit v0.25. All functions work on joined lines (`fixer.tree.cook`), so a line end never occurs.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from fixer.text.regex import regex
from fixer.tree.cook import SPACE

_DEPTH = 50
"""How deep `${a:-${b:-…}}` may nest before we give up; BuildKit has no bound but its stack."""


class Unreadable(ValueError):
    """A word that BuildKit refuses (or that is nested too deeply for us): `reason` is one of `parse.REASONS`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


# --- flags and pairs -------------------------------------------------------------------------------------------------


def _flag_pattern(escape: str) -> re.Pattern[str]:
    e = re.escape(escape)
    return re.compile(
        rf"""(?:[^\t\n\v\f\r '"{e}]+|{e}(?:.|\Z)|'(?:[^'{e}]+|{e}.)*(?:'|{e}?\Z)|"(?:[^"{e}]+|{e}.)*(?:"|{e}?\Z))+""",
        re.DOTALL,
    )


def _pair_pattern(escape: str) -> re.Pattern[str]:
    e = re.escape(escape)
    return re.compile(
        rf"""(?:[^{SPACE}'"{e}]+|{e}(?:.|(\Z))|'[^']*(?:'|\Z)|"(?:[^"{e}]+|{e}.)*(?:"|({e})\Z|\Z))+""",
        re.DOTALL,
    )


FLAG_WORD = {escape: _flag_pattern(escape) for escape in "\\`"}
"""A flag, by escape character. An open quote runs to the end."""

PAIR_WORD = {escape: _pair_pattern(escape) for escape in "\\`"}
"""A word of ENV, LABEL and ARG, by escape character. Single quotes know no escape here, other than in flags."""


def lone_escape(word: re.Match[str]) -> bool:
    """True if a match of PAIR_WORD ends with an escape character that escapes nothing: BuildKit drops it."""
    return word[1] is not None or word[2] is not None


def is_cut(word: str) -> bool:
    """Whether BuildKit cuts a flag in two: it takes flags byte by byte, and the bytes 85 and A0 for blanks, which stand
    in the UTF-8 of some characters."""
    if word.isascii():
        return False
    data = word.encode("utf-8", "surrogateescape")
    return b"\x85" in data or b"\xa0" in data


def unquote_flag(word: str, escape: str) -> str:
    """A flag that is not cut in two, as BuildKit sees it: quotes and escape characters removed. Characters beyond ASCII
    arrive as Latin-1."""
    if not word.isascii():
        word = word.encode("utf-8", "surrogateescape").decode("latin-1")
    if escape not in word and "'" not in word and '"' not in word:
        return word
    out = []
    quote = ""
    at = 0
    while at < len(word):
        ch = word[at]
        at += 1
        if ch == escape:
            out.append(word[at : at + 1])
            at += 1
        elif quote:
            if ch == quote:
                quote = ""
            else:
                out.append(ch)
        elif ch in "'\"":
            quote = ch
        else:
            out.append(ch)
    return "".join(out)


def csv_fields(value: str) -> list[str]:
    """The fields of a flag's comma-separated value. Raises Unreadable("csv") where BuildKit's reader fails."""
    value = value.removesuffix("\n").removesuffix("\r") if value.endswith("\n") else value
    if not value:
        raise Unreadable("csv")
    fields = []
    at = 0
    while True:
        if not value.startswith('"', at):
            comma = value.find(",", at)
            field = value[at:] if comma < 0 else value[at:comma]
            if '"' in field:
                raise Unreadable("csv")
            fields.append(field)
            if comma < 0:
                return fields
            at = comma + 1
            continue
        parts = []
        at += 1
        while True:
            quote = value.find('"', at)
            if quote < 0:
                raise Unreadable("csv")
            parts.append(value[at:quote])
            at = quote + 1
            if not value.startswith('"', at):
                break
            parts.append('"')
            at += 1
        fields.append("".join(parts))
        if at == len(value):
            return fields
        if value[at] != ",":
            raise Unreadable("csv")
        at += 1


# --- here-documents --------------------------------------------------------------------------------------------------


class HeredocWord(NamedTuple):
    name: str
    fd: int
    quoted: bool
    chomp: bool


_HEREDOC = regex(r"([0-9]*)<<(-?)([^<]*)\Z")
_SURROGATES = regex("[\ud800-\udfff]")
_MAX_FD = 2**64 - 1


def heredocs_of(line: str) -> list[HeredocWord]:
    """The here-documents that a joined line asks for, in order.

    The escape character of the words is always a backslash, whatever the file's is. A line whose quotes or braces do
    not close has none. Raises Unreadable where BuildKit gives an error.
    """
    if "<<" not in line:
        return []
    if not line.isascii():
        line = _SURROGATES.sub("\ufffd", line)
    try:
        words = _Words(line, raw_quotes=True, raw_escapes=True).split()
    except _LexError:
        return []
    found = (heredoc_of(word) for word in words)
    return [heredoc for heredoc in found if heredoc is not None]


def heredoc_of(word: str) -> HeredocWord | None:
    """The here-document that one word asks for, or None. Raises Unreadable where BuildKit gives an error."""
    match = _HEREDOC.match(word)
    rest = "" if match is None else match[3].lstrip("\t\n\f\r ")
    if match is None or not rest:
        return None
    try:
        words = _Words(rest, raw_quotes=False, raw_escapes=False).split()
        if len(words) != 1:
            return None
        raw = _Words(rest, raw_quotes=True, raw_escapes=False).split()
    except _LexError:
        raise Unreadable("heredoc-name") from None
    if len(raw) != 1:
        raise Unreadable("heredoc-name")
    quoted = _quotes(words[0]) != _quotes(raw[0])
    fd = min(int(match[1][:21] or 0), _MAX_FD)
    return HeredocWord(words[0], fd, quoted, bool(match[2]))


def _quotes(word: str) -> int:
    return word.count("'") + word.count('"')


class _LexError(ValueError):
    pass


_PLAIN = regex(rf"[^{SPACE}$<'\"\\}}/]+")
_QUOTED = regex(r'[^"$\\]+')


class _Words:
    """Word splitting of shell/lex.go with no variables set and unset ones left as they are.

    One buffer is shared with the words inside `${…}`, as there: it loses what stood before in the same word. That
    decides what is a here-document, so it is kept.
    """

    def __init__(self, source: str, *, raw_quotes: bool, raw_escapes: bool) -> None:
        self.source = source
        self.at = 0
        self.raw_quotes = raw_quotes
        self.raw_escapes = raw_escapes
        self.buffer: list[str] = []
        self.depth = 0

    def split(self) -> list[str]:
        return self.until("", self.raw_escapes)[1]

    def peek(self) -> str:
        return self.source[self.at : self.at + 1]

    def next(self) -> str:
        ch = self.source[self.at : self.at + 1]
        self.at += 1
        return ch

    def until(self, stop: str, raw_escapes: bool) -> tuple[str, list[str]]:
        self.depth += 1
        if self.depth > _DEPTH:
            raise Unreadable("nested-too-deep")
        before, self.raw_escapes = self.raw_escapes, raw_escapes
        try:
            return self._until(stop)
        finally:
            self.raw_escapes = before
            self.depth -= 1

    def _until(self, stop: str) -> tuple[str, list[str]]:
        buffer = self.buffer
        buffer.clear()
        words: list[str] = []
        result: list[str] = []
        in_word = False
        while self.at < len(self.source):
            plain = _PLAIN.match(self.source, self.at)
            if plain is not None:
                self.at = plain.end()
                buffer.append(plain[0])
                result.append(plain[0])
                in_word = True
                continue
            ch = self.source[self.at]
            if ch == stop:
                self.at += 1
                return "".join(result), _flush(buffer, words)
            if ch == "$":
                piece = self.dollar()
                result.append(piece)
                for c in piece:
                    in_word = _add(c, buffer, words, in_word)
                continue
            if ch in "<'\"":
                piece = self.angle() if ch == "<" else self.single() if ch == "'" else self.double()
                result.append(piece)
                buffer.append(piece)
                in_word = True
                continue
            self.at += 1
            if ch != "\\":
                in_word = _add(ch, buffer, words, in_word)
                result.append(ch)
                continue
            if self.raw_escapes:
                buffer.append(ch)
                result.append(ch)
                in_word = True
            ch = self.next()
            if not ch:
                break
            buffer.append(ch)
            result.append(ch)
            in_word = True
        if stop:
            raise _LexError
        return "".join(result), _flush(buffer, words)

    def single(self) -> str:
        end = self.source.find("'", self.at + 1)
        if end < 0:
            raise _LexError
        text = self.source[self.at : end + 1]
        self.at = end + 1
        return text if self.raw_quotes else text[1:-1]

    def double(self) -> str:
        self.at += 1
        out = ['"'] if self.raw_quotes else []
        while True:
            plain = _QUOTED.match(self.source, self.at)
            if plain is not None:
                out.append(plain[0])
                self.at = plain.end()
            ch = self.peek()
            if not ch:
                raise _LexError
            if ch == "$":
                out.append(self.dollar())
                continue
            self.at += 1
            if ch == '"':
                if self.raw_quotes:
                    out.append(ch)
                return "".join(out)
            if ch == "\\":
                if self.raw_escapes:
                    out.append(ch)
                after = self.peek()
                if not after:
                    continue
                if after in '"$\\':
                    ch = after
                    self.at += 1
            out.append(ch)

    def angle(self) -> str:
        self.at += 1
        if self.peek() != "<":
            return "<"
        self.at += 1
        start = self.at
        while self.peek() in ("\t", "\r", " "):
            self.at += 1
        return "<<" + self.source[start : self.at]

    def dollar(self) -> str:
        self.at += 1
        if self.peek() != "{":
            return "$" + self.name()
        self.at += 1
        if self.peek() in ("", "{", "}", ":"):
            raise _LexError
        name = self.name()
        op = self.next()
        if op == "}":
            return f"${{{name}}}"
        if op == "/":
            if self.peek() == "/":
                self.at += 1
            pattern = self.until("/", True)[0]
            return f"${{{name}/{pattern}/{self.until('}', True)[0]}}}"
        if op == ":":
            op += self.next()
            if op in (":#", ":%"):
                raise _LexError
        elif op not in ("+", "-", "?", "#", "%"):
            raise _LexError
        return f"${{{name}{op}{self.until('}', op in ('#', '%'))[0]}}}"

    def name(self) -> str:
        start = self.at
        ch = self.peek()
        if ch.isdecimal():
            while self.peek().isdecimal():
                self.at += 1
        elif ch and ch in "@*#?-$!":
            self.at += 1
        else:
            while (ch := self.peek()) and (ch == "_" or ch.isalpha() or ch.isdecimal()):
                self.at += 1
        return self.source[start : self.at]


def _add(ch: str, buffer: list[str], words: list[str], in_word: bool) -> bool:
    if ch not in SPACE:
        buffer.append(ch)
        return True
    if in_word and any(buffer):
        words.append("".join(buffer))
        buffer.clear()
        return False
    return in_word


def _flush(buffer: list[str], words: list[str]) -> list[str]:
    word = "".join(buffer)
    buffer.clear()
    if word:
        words.append(word)
    return words
