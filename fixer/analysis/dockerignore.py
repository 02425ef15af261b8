"""Which files of a build context the engine never sees: .dockerignore as BuildKit reads it.

Its language is not that of .gitignore: patterns start at the context's root, the last one that matches decides, `!` may
bring back what lies in a directory that is left out, and what a pattern means is decided by a translation to Go's
regular expressions, oddities included (`\\d` is a digit). The rules are those of moby/patternmatcher v0.6 and of the
walk in tonistiigi/fsutil, which sends the files; builds with many patterns hold this module to them.
"""

from __future__ import annotations

import posixpath
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, NoReturn

from fixer.text.globs import Budget, Glob, NotFollowedError
from fixer.text.records import dataclass, field
from fixer.text.regex import regex
from fixer.text.source import decode

NAME = ".dockerignore"
_LONGEST_LINE = 64 * 1024 - 1
"""Bytes; Go's line scanner gives up at 64 KiB."""
_BLANK = "\t\n\v\f\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
"""What Go calls white space; Python's `strip` takes four control characters more."""
_GLOB = regex(r"[*?\[\]\\^]")
_REPEAT = regex(r"\{(0|[1-9]\d*)(?:(,)(0|[1-9]\d*)?)?\}", re.ASCII)
_CONTROL = regex(r"[\x00-\x1f\x7f]")
_MOST_REPEATS = 1000
_SURROGATES = regex("[\ud800-\udfff]")
_STRAY = "\ufffd"
"""What Go reads for a byte that is not UTF-8."""

_OPEN, _MATCHED, _EXACT = range(3)
"""Of a pattern and a path: it does not match, and may match what is in it; it does; it does not, and what it matches
is known without asking."""
_MOST_REMEMBERED = 50_000
_SHORT, _LONG = 64, 256
"""A test of a path costs little up to so many characters; it may cost their square up to so many."""

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
    """One line. text: cleaned, without `!`. exception: it brings files back. line: where it stands, from 1. exact: it
    matches the path that is written like it, and no other one."""

    text: str
    exception: bool
    line: int
    test: Test
    exact: bool = False


@dataclass(slots=True)
class Ignore:
    """The patterns of one build context. Paths are relative to the context, with `/`, clean (no `./`, no `..`).
    Questions raise TooMuchWorkError, from then on always, where patterns and paths are so many that the answers would
    take too long."""

    path: str
    """The file they are from; empty if there is none."""
    patterns: tuple[Pattern, ...]
    budget: Budget = field(default_factory=Budget, compare=False)
    """What the patterns may cost."""
    _names: tuple[str, ...] = field(init=False)
    """The exceptions that match one path each."""
    _starts: tuple[str, ...] = field(init=False)
    """What the paths that one of the others matches surely begin with; one for each."""
    _stems: tuple[str, ...] | None = field(init=False)
    """The exceptions without a final `/*` or `/**`, if they are plain then; else None."""
    _open: tuple[int, ...] = field(init=False)
    """The numbers of the patterns that must be asked what they match."""
    _exact: dict[str, list[int]] = field(init=False)
    """Those of the others, by the one path that each matches."""
    _directories: dict[str, tuple[bytes, bool]] = field(init=False)
    """What the patterns say of a directory: for each a byte, `_OPEN`, `_EXACT` or `_MATCHED`, and the result."""
    _same: dict[bytes, bytes] = field(init=False)
    """Directories that the same patterns match share what says so."""
    _excluded: dict[str, bool] = field(init=False)
    """What was said of some paths, for who asks again."""
    _holds: dict[str, bool] = field(init=False)

    def __post_init__(self) -> None:
        exceptions = [pattern.text for pattern in self.patterns if pattern.exception]
        stems = tuple(text.removesuffix("/**").removesuffix("/*") + "/" for text in exceptions)
        self._names = tuple(text for text in exceptions if not _GLOB.search(text))
        self._starts = tuple(_start(text) for text in exceptions if _GLOB.search(text))
        self._stems = None if any(_GLOB.search(stem) for stem in stems) else stems
        nothing = bytes(_EXACT if pattern.exact else _OPEN for pattern in self.patterns)
        self._open = tuple(number for number, pattern in enumerate(self.patterns) if not pattern.exact)
        self._exact = {}
        for number, pattern in enumerate(self.patterns):
            if pattern.exact:
                self._exact.setdefault(pattern.text, []).append(number)
        self._directories = {"": (nothing, False)}
        self._same = {nothing: nothing}
        self._excluded = {}
        self._holds = {}

    def excludes(self, path: str) -> bool:
        """True if the engine does not get `path`, unless it is a directory in which something is brought back (it
        comes with that). The context itself is never left out."""
        if not self.patterns or path in ("", "."):
            return False
        excluded = self._excluded.get(path)
        if excluded is None:
            parent = path.rpartition("/")[0]
            excluded = bool(parent and not self.may_hold(parent)) or self._match(path, parent)[1]
            if len(self._excluded) >= _MOST_REMEMBERED:
                self._excluded.clear()
            self._excluded[path] = excluded
        return excluded

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
        self._charge(len(self._names) + len(self._starts))
        if self._stems is not None:  # then the engine's client does not look either, whatever a `|` in them may mean
            return any(stem.startswith(inside) for stem in self._stems)
        return any(name.startswith(inside) for name in self._names) or any(
            start.startswith(inside) or inside.startswith(start) for start in self._starts
        )

    def _of_directory(self, path: str) -> tuple[bytes, bool]:
        if path not in self._directories:
            for each in _from_the_top(path):
                if each not in self._directories:
                    matched, excluded = self._match(each, each.rpartition("/")[0])
                    self._directories[each] = self._same.setdefault(matched, matched), excluded
        return self._directories[path]

    def _match(self, path: str, parent: str) -> tuple[bytes, bool]:
        """What matched the directory matches what is in it. What was not asked, since it could change nothing there,
        is asked again for each path in it, and of that path alone."""
        above = self._of_directory(parent)[0]
        exact = self._exact.get(path, ())
        try:
            self.budget.charge(len(exact) + above.count(_OPEN) * (1 + (min(len(path), _LONG) // _SHORT) ** 2))
            if _MATCHED in above:
                matched, excluded = self._ask_others(path, above, exact)
            else:
                matched, excluded = self._ask(path, sorted([*self._open, *exact]) if exact else self._open)
        except NotFollowedError:
            self._too_much()
        return (_with(above, matched) if matched else above), excluded

    def _ask(self, path: str, numbers: Iterable[int]) -> tuple[list[int], bool]:
        """Which of these patterns match the path, and the result."""
        matched: list[int] = []
        excluded = False
        patterns = self.patterns
        for number in numbers:
            pattern = patterns[number]
            if pattern.exception is excluded and pattern.test(path):
                matched.append(number)
                excluded = not excluded
        return matched, excluded

    def _ask_others(self, path: str, above: bytes, exact: Iterable[int]) -> tuple[list[int], bool]:
        """The same where some are known to match; of many of those in a row the last one counts."""
        matched: list[int] = []
        excluded = False
        waiting = deque(exact)
        behind = 0
        while behind < len(above):
            number = above.find(_OPEN, behind) % (len(above) + 1)  # where there is none, the end
            if waiting and waiting[0] < number:
                number = waiting.popleft()
            last = above.rfind(_MATCHED, behind, number)
            if last >= 0:
                excluded = not self.patterns[last].exception
            behind = number + 1
            if number < len(above):
                pattern = self.patterns[number]
                if pattern.exception is excluded and pattern.test(path):
                    matched.append(number)
                    excluded = not excluded
        return matched, excluded

    def _charge(self, steps: int) -> None:
        try:
            self.budget.charge(steps)
        except NotFollowedError:
            self._too_much()

    def _too_much(self) -> NoReturn:
        from fixer.analysis.facts import TooMuchWorkError

        raise TooMuchWorkError from None


def _with(matched: bytes, more: Iterable[int]) -> bytes:
    out = bytearray(matched)
    for number in more:
        out[number] = _MATCHED
    return bytes(out)


def _from_the_top(directory: str) -> Iterator[str]:
    """The directories above, the outermost first, and itself."""
    at = directory.find("/", 1)
    while at > 0:
        yield directory[:at]
        at = directory.find("/", at + 1)
    yield directory


def parse_ignore(data: bytes, path: str = NAME, *, bounded: bool = True) -> Ignore:
    """The patterns in `data`. Raises IgnoreTrouble for what makes a build fail, or would with a file to try it on.
    bounded: see `Ignore`; whoever waits for builds has the time."""
    patterns = []
    budget = Budget(bounded=bounded)
    tests: dict[str, tuple[Test, bool]] = {}
    for number, raw in enumerate(data.split(b"\n"), 1):
        if len(raw) > _LONGEST_LINE:
            raise IgnoreTrouble(path, number, "the line is longer than BuildKit reads")
        if number == 1:
            raw = raw.removeprefix(b"\xef\xbb\xbf")
        if raw.startswith(b"#"):
            continue
        try:
            pattern = _pattern(_SURROGATES.sub(_STRAY, decode(raw)), number, budget, tests)
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
    return Ignore(path, tuple(patterns), budget)


def _pattern(line: str, number: int, budget: Budget, tests: dict[str, tuple[Test, bool]]) -> Pattern | None:
    """tests: those of the patterns that were there before; the same one is not made twice."""
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
    if text not in tests:
        _check(text)
        tests[text] = _test(text, budget)
    return Pattern(text, exception, number, *tests[text])


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


def _test(pattern: str, budget: Budget) -> tuple[Test, bool]:
    """A function that tells whether a path matches, and whether that must be the pattern itself. Raises ValueError for
    a pattern with which a build fails."""
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
        return lambda path: path == pattern, True
    if kind == "prefix":
        prefix = pattern[:-2]
        return lambda path: path.startswith(prefix), False
    if kind == "suffix":
        suffix = pattern[2:]
        whole = suffix[1:] if suffix.startswith("/") else None
        return lambda path: path.endswith(suffix) or path == whole, False
    matches = Glob(_Expression("".join(expression)).translate(), re.ASCII, budget).matches

    def test(path: str) -> bool:
        return matches(path if path.isascii() else _SURROGATES.sub(_STRAY, path))

    return test, False


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
