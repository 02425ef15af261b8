"""Which files of a build context the engine never sees: .dockerignore as BuildKit reads it.

Its language is not that of .gitignore: patterns start at the context's root, the last one that matches decides, `!` may
bring back what lies in a directory that is left out, and what a pattern means is decided by a translation to Go's
regular expressions, oddities included (`\\d` is a digit). The rules are those of moby/patternmatcher v0.6 and of the
walk in tonistiigi/fsutil, which sends the files; builds with many patterns hold this module to them.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from fixer.text.globs import Glob, NotFollowedError
from fixer.text.records import dataclass, field
from fixer.text.source import decode

NAME = ".dockerignore"
_LONGEST_LINE = 64 * 1024 - 1
"""Bytes; Go's line scanner gives up at 64 KiB."""
_BLANK = "\t\n\v\f\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
"""What Go calls white space; Python's `strip` takes four control characters more."""
_GLOB = re.compile(r"[*?\[\]\\^]")
_REPEAT = re.compile(r"\{(0|[1-9]\d*)(?:(,)(0|[1-9]\d*)?)?\}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_MOST_REPEATS = 1000
_SURROGATES = re.compile("[\ud800-\udfff]")
_STRAY = "\ufffd"
"""What Go reads for a byte that is not UTF-8."""

Test = Callable[[str], bool]


class IgnoreTrouble(Exception):
    """A .dockerignore that cannot be read, or with which every build fails; or, where it is not `followed`, one that is
    right for all that is known, but not understood here."""

    def __init__(self, path: str, line: int, why: str, *, followed: bool = True) -> None:
        super().__init__(f"{path}:{line}: {why}" if line else f"{path}: {why}")
        self.path = path
        self.line = line
        """From 1; 0 if it is about the file as a whole."""
        self.followed = followed


class Pattern(NamedTuple):
    """One line. text: cleaned, without `!`. exception: it brings files back. line: where it stands, from 1."""

    text: str
    exception: bool
    line: int
    test: Test


@dataclass(slots=True)
class Ignore:
    """The patterns of one build context. Paths are relative to the context, with `/`, clean (no `./`, no `..`)."""

    path: str
    """The file they are from; empty if there is none."""
    patterns: tuple[Pattern, ...]
    _names: tuple[str, ...] = field(init=False)
    """The exceptions that match one path each."""
    _starts: tuple[str, ...] = field(init=False)
    """What the paths that one of the others matches surely begin with; one for each."""
    _stems: tuple[str, ...] | None = field(init=False)
    """The exceptions without a final `/*` or `/**`, if they are plain then; else None."""
    _directories: dict[str, tuple[frozenset[int], bool]] = field(init=False)
    """What the patterns say of a directory: the numbers of those that match it, and the result."""
    _holds: dict[str, bool] = field(init=False)

    def __post_init__(self) -> None:
        exceptions = [pattern.text for pattern in self.patterns if pattern.exception]
        stems = tuple(text.removesuffix("/**").removesuffix("/*") + "/" for text in exceptions)
        self._names = tuple(text for text in exceptions if not _GLOB.search(text))
        self._starts = tuple(_start(text) for text in exceptions if _GLOB.search(text))
        self._stems = None if any(_GLOB.search(stem) for stem in stems) else stems
        self._directories = {}
        self._holds = {}

    def excludes(self, path: str) -> bool:
        """True if the engine does not get `path`, unless it is a directory in which something is brought back (it
        comes with that). The context itself is never left out."""
        if not self.patterns or path in ("", "."):
            return False
        parent = path.rpartition("/")[0]
        if parent and not self.may_hold(parent):
            return True
        return self._match(path, parent)[1]

    def may_hold(self, directory: str) -> bool:
        """False if nothing below the directory can reach the engine, so that nobody needs to look."""
        if not self.patterns or directory in ("", "."):
            return True
        if directory not in self._holds:
            for each in _from_the_top(directory):
                if each not in self._holds:
                    self._holds[each] = self._may_hold(each)
        return self._holds[directory]

    def _may_hold(self, directory: str) -> bool:
        parent = directory.rpartition("/")[0]
        if parent and not self.may_hold(parent):
            return False
        if not self._of_directory(directory)[1]:
            return True
        inside = directory + "/"
        if self._stems is not None:  # then the engine's client does not look either, whatever a `|` in them may mean
            return any(stem.startswith(inside) for stem in self._stems)
        return any(name.startswith(inside) for name in self._names) or any(
            start.startswith(inside) or inside.startswith(start) for start in self._starts
        )

    def _of_directory(self, path: str) -> tuple[frozenset[int], bool]:
        if path not in self._directories:
            for each in _from_the_top(path):
                if each not in self._directories:
                    self._directories[each] = self._match(each, each.rpartition("/")[0])
        return self._directories[path]

    def _match(self, path: str, parent: str) -> tuple[frozenset[int], bool]:
        """What matched the directory matches what is in it. What was not asked, since it could change nothing there,
        is asked again for each path in it, and of that path alone."""
        above = self._of_directory(parent)[0] if parent else frozenset()
        matched, excluded = [], False
        for number, (_, exception, _, test) in enumerate(self.patterns):
            if number in above or (exception is excluded and test(path)):
                matched.append(number)
                excluded = not exception
        return frozenset(matched), excluded


def _from_the_top(directory: str) -> Iterator[str]:
    """The directories above, the outermost first, and itself."""
    at = directory.find("/", 1)
    while at > 0:
        yield directory[:at]
        at = directory.find("/", at + 1)
    yield directory


def parse_ignore(data: bytes, path: str = NAME) -> Ignore:
    """The patterns in `data`. Raises IgnoreTrouble for what makes a build fail, or would with a file to try it on."""
    patterns = []
    for number, raw in enumerate(data.split(b"\n"), 1):
        if len(raw) > _LONGEST_LINE:
            raise IgnoreTrouble(path, number, "the line is longer than BuildKit reads")
        if number == 1:
            raw = raw.removeprefix(b"\xef\xbb\xbf")
        if raw.startswith(b"#"):
            continue
        try:
            pattern = _pattern(_SURROGATES.sub(_STRAY, decode(raw)), number)
        except NotFollowedError as error:
            raise IgnoreTrouble(path, number, str(error), followed=False) from None
        except ValueError as error:
            raise IgnoreTrouble(path, number, str(error)) from None
        if pattern is not None:
            patterns.append(pattern)
    if all(pattern.text.isascii() for pattern in patterns):  # else they are encoded on their way to the client
        for pattern in patterns:
            if _CONTROL.search(pattern.text):
                raise IgnoreTrouble(path, pattern.line, "a control character, with which the build fails")
    return Ignore(path, tuple(patterns))


def _pattern(line: str, number: int) -> Pattern | None:
    text = line.strip(_BLANK)
    if not text:
        return None
    exception = text.startswith("!")
    if exception:
        text = text[1:].strip(_BLANK)
    if text:
        text = _clean(text)
        if len(text) > 1:
            text = text.removeprefix("/")
    # The pattern is cleaned again, `!` and all, where it is used: of `!/` nothing is left, and `!../../x` leaves out.
    text = ("!" + text if exception else text).strip(_BLANK)
    if not text:
        return None
    text = _clean(text)
    exception = text.startswith("!")
    if exception:
        text = text[1:]
    if not text:
        raise ValueError("`!` without a pattern, with which the build fails")
    _check(text)
    return Pattern(text, exception, number, _test(text))


def _clean(path: str) -> str:
    """Go's `filepath.Clean`, which knows no root but `/`."""
    path = posixpath.normpath(path)
    return path[1:] if path.startswith("//") else path


def _start(pattern: str) -> str:
    """What every path that matches surely begins with."""
    return "" if "|" in pattern or "{" in pattern else _GLOB.split(pattern, maxsplit=1)[0]


# --- Go's filepath.Match, which says whether a pattern is one ---------------------------------------------------------


def _check(pattern: str) -> None:
    """Raises ValueError for a pattern that `filepath.Match` calls malformed."""
    at = 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "\\":
            if at == len(pattern):
                raise ValueError("a pattern that ends with a backslash, with which the build fails")
            at += 1
        elif char == "[":
            at = _check_class(pattern, at)


def _check_class(pattern: str, at: int) -> int:
    """Where the class ends that begins before `at`."""
    if pattern.startswith("^", at):
        at += 1
    first = True
    while first or not pattern.startswith("]", at):
        at = _check_member(pattern, at)
        if pattern.startswith("-", at):
            at = _check_member(pattern, at + 1)
        first = False
    return at + 1


def _check_member(pattern: str, at: int) -> int:
    escaped = pattern.startswith("\\", at)
    at += escaped
    if at + 1 >= len(pattern) or (not escaped and pattern[at] in "-]"):
        raise ValueError("a pattern with a malformed [class], with which the build fails")
    return at + 1


# --- what a pattern matches -------------------------------------------------------------------------------------------


def _test(pattern: str) -> Test:
    """A function that tells whether a path matches. Raises ValueError for a pattern with which a build fails."""
    expression: list[str] = []
    kind = "exact"
    text = pattern.removeprefix("\ufeff")
    at = 0
    while at < len(text):
        first = at == 0
        char = text[at]
        at += 1
        if char == "*" and text.startswith("*", at):
            at += 1
            if text.startswith("/", at):
                at += 1
            if at < len(text):
                kind = "regexp"
                if expression[-1:] != ["(.*/)?"]:
                    expression.append("(.*/)?")
            elif kind == "exact":
                kind = "prefix"
            else:
                kind = "regexp"
                expression.append(".*")
            if first:
                kind = "suffix"
        elif char == "*":
            kind = "regexp"
            if expression[-1:] != ["[^/]*"]:
                expression.append("[^/]*")
        elif char == "?":
            kind = "regexp"
            expression.append("[^/]")
        elif char == "\\":
            kind = "regexp"
            expression.append(text[at - 1 : at + 1])
            at += 1
        elif char in "[]":
            kind = "regexp"
            expression.append(char)
        elif char in ".+()$":  # and not `{`, `|` and `}`, which were meant to be here
            expression.append("\\" + char)
        else:
            expression.append(char)
    if kind == "exact":
        return lambda path: path == pattern
    if kind == "prefix":
        prefix = pattern[:-2]
        return lambda path: path.startswith(prefix)
    if kind == "suffix":
        suffix = pattern[2:]
        whole = suffix[1:] if suffix.startswith("/") else None
        return lambda path: path.endswith(suffix) or path == whole
    matches = Glob(_Expression("".join(expression)).translate(), re.ASCII).matches

    def test(path: str) -> bool:
        return matches(path if path.isascii() else _SURROGATES.sub(_STRAY, path))

    return test


_CONTROLS = {"a": "\a", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_SETS = {"d": "0-9", "w": "0-9A-Za-z_", "s": r"\t\n\f\r "}
_NAMED = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "ascii": r"\x00-\x7f", "blank": r"\t ", "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9", "graph": "!-~", "lower": "a-z", "print": " -~", "punct": r"!-/:-@\[-`{-~", "space": r"\t\n\v\f\r ",
    "upper": "A-Z", "word": "0-9A-Za-z_", "xdigit": "0-9A-Fa-f",
}  # fmt: skip


class _Expression:
    """One of Go's regular expressions, as far as patterns become such, on its way to one of Python's."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def translate(self) -> str:
        """Raises ValueError where Go's compiler does (and for `\\p`, `\\P`, `\\Q`, which nobody means)."""
        out = ["^"]
        repeated = False
        while self.at < len(self.text):
            repeat = _REPEAT.match(self.text, self.at)
            if repeat is not None:
                if repeated or out[-1] == "|" or out[-1] in ("*", "?"):
                    raise ValueError(f"nothing stands before {repeat[0]} that it could repeat, and the build fails")
                out.append(f"(?:{out.pop()}){self._repeat(repeat)}")
                repeated = True
                continue
            repeated = False
            if self.text.startswith("(.*/)?", self.at):
                self.at += 6
                out += ["(?:.*/)", "?"]
                continue
            char = self._next()
            if char == "[":
                out.append(self._class())
            elif char == "\\":
                out.append(self._escape())
            elif char in ".*^|":
                out.append(char)
            else:
                out.append(re.escape(char))
        return "".join(out) + r"\Z"

    def _repeat(self, repeat: re.Match[str]) -> str:
        self.at = repeat.end()
        low = int(repeat[1])
        high = low if repeat[2] is None else int(repeat[3]) if repeat[3] else None
        if low > _MOST_REPEATS or (high is not None and not low <= high <= _MOST_REPEATS):
            raise ValueError(f"{repeat[0]} is no number of times, and the build fails")
        return f"{{{low},{'' if high is None else high}}}"

    def _next(self) -> str:
        char = self.text[self.at : self.at + 1]
        if not char:
            raise ValueError("a pattern with a malformed [class], with which the build fails")
        self.at += 1
        return char

    def _escape(self) -> str:
        char = self.text[self.at]
        if char.lower() in _SETS:
            self.at += 1
            return f"[{'^' if char.isupper() else ''}{_SETS[char.lower()]}]"
        if char in "AbBz":
            self.at += 1
            return "\\Z" if char == "z" else "\\" + char
        return re.escape(self._escaped())

    def _escaped(self) -> str:
        """The character that is meant by what follows a backslash."""
        char = self._next()
        if char.isascii() and not char.isalnum():
            return char
        octal = re.compile("[0-7]{1,3}" if char == "0" else "[0-7]{2,3}").match(self.text, self.at - 1)
        if octal:
            self.at = octal.end()
            return chr(int(octal[0], 8))
        if char == "x":
            digits = self.text[self.at : self.at + 2]
            if re.fullmatch("[0-9A-Fa-f]{2}", digits):
                self.at += 2
                return chr(int(digits, 16))
        if char in _CONTROLS:
            return _CONTROLS[char]
        if char in "pPQ":
            raise NotFollowedError(f"what `\\{char}` does in a pattern is not known (a letter needs no backslash)")
        raise ValueError(f"`\\{char}` means nothing in a pattern, and the build fails (a letter needs no backslash)")

    def _class(self) -> str:
        out = ["["]
        if self.text.startswith("^", self.at):
            self.at += 1
            out.append("^")
        first = True
        while first or not self.text.startswith("]", self.at):
            first = False
            out.append(self._named() or self._set() or self._range())
        self.at += 1
        return "".join(out) + "]"

    def _named(self) -> str:
        """`[:alpha:]`."""
        if not self.text.startswith("[:", self.at):
            return ""
        end = self.text.find(":]", self.at + 2)
        if end < 0:
            return ""
        name = self.text[self.at + 2 : end]
        found = _NAMED.get(name.removeprefix("^"))
        if found is None:
            raise ValueError(f"[:{name}:] is no class of characters, and the build fails")
        self.at = end + 2
        return _others(found) if name.startswith("^") else found

    def _set(self) -> str:
        name = self.text[self.at + 1 : self.at + 2] if self.text.startswith("\\", self.at) else ""
        if not name or name.lower() not in _SETS:
            return ""
        self.at += 2
        return _others(_SETS[name.lower()]) if name.isupper() else _SETS[name]

    def _range(self) -> str:
        low = self._member()
        if not self.text.startswith("-", self.at) or self.text.startswith("-]", self.at):
            return re.escape(low)
        if self.at + 1 == len(self.text):
            return re.escape(low)
        self.at += 1
        high = self._member()
        if high < low:
            raise ValueError(f"the range {low}-{high} is backwards, and the build fails")
        return f"{re.escape(low)}-{re.escape(high)}"

    def _member(self) -> str:
        char = self._next()
        return self._escaped() if char == "\\" else char


def _others(members: str) -> str:
    """The members of a class that has all characters but these."""
    taken = re.compile(f"[{members}]")
    out, start = [], 0
    for code in [*(code for code in range(128) if taken.match(chr(code))), 0x110000]:
        if start < code:
            out.append(f"{_code(start)}-{_code(code - 1)}")
        start = code + 1
    return "".join(out)


def _code(code: int) -> str:
    return f"\\U{code:08x}"
