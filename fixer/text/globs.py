"""Regular expressions that patterns of other people's files become, matched in a time that grows with the path and the
pattern alone. Python's engine tries again: its time for `*a*a*a*b` grows with the power of the stars, and there is no
bound to the stars in a .gitignore.

What a path of ordinary length cannot make expensive is left to Python's engine, which is faster then. All else is done
by an automaton whose states are sets of places in the expression, made as paths need them (as Go's regexp does, and
RE2).
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable
from typing import NamedTuple

_FEW = 2
"""As many wildcards cost at most the square of a path."""
_SHORT = 256
"""Characters of a path of which the square is little."""
_MOST_PLACES = 20_000
"""Of one expression, in which `{1,1000}` is written a thousand times."""
_MOST_KEPT = 1_000_000
"""Places in the sets that are kept."""
_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?(?::|P<\w+>)|\(\?.?|.", re.DOTALL)
_START, _END = ("^", r"\A"), ("$", r"\Z")
_STEPS = {"*": (0, None), "+": (1, None), "?": (0, 1)}
_TIMES = re.compile(r"\{(\d+)(?:,(\d*))?\}", re.ASCII)
_LONGEST_TIMES = len("{1000,1000}")
_NO_CHARACTER = re.compile(r"\\[A-Za-z1-9]")
"""Those that stand for no character, or for what is in a group."""


class NotFollowedError(ValueError):
    """An expression that may be right, but that nothing here can follow."""


class Glob:
    """An expression that is looked for in no more time than it must take. Knows characters, classes, groups, `|`,
    repetitions and the two ends. Raises NotFollowedError for others that Python's engine could not look for in time,
    and for very long ones; re.error for what is no expression."""

    __slots__ = ("_automaton", "_direct", "_expression", "_flags")

    def __init__(self, expression: str, flags: int = 0) -> None:
        self._expression = expression
        self._flags = flags
        self._direct: re.Pattern[str] | None = None
        self._automaton: _Automaton | None = None
        if expression.count("*") + expression.count("+") + expression.count("{") <= _FEW:
            self._direct = re.compile(expression, flags)
        else:
            self._automaton = _Automaton(expression, flags)

    def matches(self, text: str) -> bool:
        """Whether the expression is found anywhere in the text."""
        if self._direct is None or len(text) > _SHORT:
            if self._automaton is None:
                with contextlib.suppress(NotFollowedError):
                    self._automaton = _Automaton(self._expression, self._flags)
            if self._automaton is not None:
                return self._automaton.finds(text)
        assert self._direct is not None
        return self._direct.search(text) is not None


class _Piece(NamedTuple):
    """A part of an expression. kind: "one" (character of `text`), "end" (of the text, of which kind `text` says),
    "all" or "any" of `parts`, or "times" (`parts` from `low` to `high` times, or without end)."""

    kind: str
    text: str = ""
    parts: tuple[_Piece, ...] = ()
    low: int = 0
    high: int | None = None

    @property
    def shortest(self) -> int:
        """Of how many characters there must be at least."""
        if self.kind == "any":
            return min(part.shortest for part in self.parts)
        inside = sum(part.shortest for part in self.parts)
        return 1 if self.kind == "one" else inside * self.low if self.kind == "times" else inside


class _Reader:
    """Reads an expression."""

    def __init__(self, expression: str) -> None:
        self._tokens: list[str] = _TOKEN.findall(expression)
        self._at = 0

    def read(self) -> _Piece:
        piece = self._any()
        if self._at < len(self._tokens):
            raise re.error("unbalanced parenthesis")
        return piece

    def _any(self) -> _Piece:
        parts = [self._all()]
        while self._takes("|"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else _Piece("any", parts=tuple(parts))

    def _all(self) -> _Piece:
        parts: list[_Piece] = []
        while self._at < len(self._tokens) and self._tokens[self._at] not in ("|", ")"):
            one = self._one()
            steps = self._steps()
            if steps is not None:
                one = _Piece("times", "", (one,), *steps)
            if parts and one == parts[-1] and steps == _STEPS["*"]:  # twice as often is as often
                continue
            parts.append(one)
        return _Piece("all", parts=tuple(parts))

    def _one(self) -> _Piece:
        token = self._tokens[self._at]
        self._at += 1
        if token in ("(", "(?:") or token.startswith("(?P<"):
            inside = self._any()
            if not self._takes(")"):
                raise re.error("missing ), unterminated subpattern")
            return inside
        if token in _START or token in _END:
            return _Piece("end", token)
        if token in _STEPS:
            raise re.error("nothing to repeat")
        if token[0] == "(" or _NO_CHARACTER.match(token):
            raise NotFollowedError(f"dockfix does not follow {token} in it")
        return _Piece("one", token)

    def _steps(self) -> tuple[int, int | None] | None:
        """How often the piece that was just read may be there, if that is said."""
        token = self._tokens[self._at] if self._at < len(self._tokens) else ""
        if token in _STEPS:
            self._at += 1
            steps = _STEPS[token]
        elif token == "{" and (times := _TIMES.match("".join(self._tokens[self._at : self._at + _LONGEST_TIMES]))):
            self._at += len(times[0])
            low = int(times[1])
            steps = low, low if times[2] is None else int(times[2]) if times[2] else None
        else:
            return None
        if self._tokens[self._at : self._at + 1] in (["?"], ["+"], ["*"]):
            raise NotFollowedError("dockfix does not follow two repetitions in it")
        return steps

    def _takes(self, token: str) -> bool:
        if self._tokens[self._at : self._at + 1] != [token]:
            return False
        self._at += 1
        return True


class _Automaton:
    """A set of places in an expression, and where each character leads from there; made as it is needed."""

    def __init__(self, expression: str, flags: int) -> None:
        self._flags = flags
        self._tests: list[str] = []
        """The character, or class of them, that stands at each place; empty where there is none."""
        self._ends: list[str] = []
        """The end of the text that must be here, one of `_START` and `_END`; empty where there is none."""
        self._next: list[tuple[int, ...]] = []
        self._classes: dict[str, re.Pattern[str]] = {}
        self._states: dict[frozenset[int], dict[str, frozenset[int]]] = {}
        self._verdicts: dict[frozenset[int], bool] = {}
        """Whether there is a match where the text ends in such a state."""
        self._kept = 0
        piece = _Reader(expression).read()
        self._shortest = piece.shortest
        self._found = self._place()
        first = self._put(piece, self._found)
        self._first = self._closed([first], start=True)
        self._again = self._closed([first])
        self._last = "", self._first
        """A directory that was last looked at, with a slash behind it, and the places behind that."""

    def _put(self, piece: _Piece, after: int) -> int:
        """The place where the piece begins; behind it goes on what is at `after`."""
        if piece.kind == "one":
            if piece.text not in self._classes:
                self._classes[piece.text] = re.compile(piece.text, self._flags)
            return self._place(after, test=piece.text)
        if piece.kind == "end":
            return self._place(after, end=piece.text)
        if piece.kind == "any":
            return self._place(*(self._put(part, after) for part in piece.parts))
        if piece.kind == "times":
            return self._put_times(piece, after)
        for part in reversed(piece.parts):
            after = self._put(part, after)
        return after

    def _put_times(self, piece: _Piece, after: int) -> int:
        (part,) = piece.parts
        if piece.high is None:
            loop = self._place()
            self._next[loop] = self._put(part, loop), after
            begin = loop
        else:
            begin = after
            for _ in range(piece.high - piece.low):
                begin = self._place(self._put(part, begin), after)
        for _ in range(piece.low):
            begin = self._put(part, begin)
        return begin

    def _place(self, *after: int, test: str = "", end: str = "") -> int:
        if len(self._next) >= _MOST_PLACES:
            raise NotFollowedError("it is longer than dockfix follows")
        self._tests.append(test)
        self._ends.append(end)
        self._next.append(after)
        return len(self._next) - 1

    def finds(self, text: str) -> bool:
        """Whether there is a match anywhere in the text."""
        if len(text) < self._shortest:
            return False
        cut = text.rfind("/") + 1
        directory, state = self._last
        if not text.startswith(directory):
            directory, state = "", self._first
        state = self._behind(state, text[len(directory) : cut])
        self._last = text[:cut], state  # the next path is often in the same directory, or below it
        state = self._behind(state, text[cut:])
        if not text:
            return self._found in self._closed(state, start=True, end=True)
        verdict = self._verdicts.get(state)
        if verdict is None:
            self._keep(state)
            verdict = self._verdicts[state] = self._found in self._closed(state, end=True)
        return verdict

    def _behind(self, state: frozenset[int], text: str) -> frozenset[int]:
        """The places behind the text, or those where a match was found in it."""
        for char in text:
            if self._found in state:
                break
            known = self._states.get(state)
            if known is None:
                self._keep(state)
                known = self._states[state] = {}
            after = known.get(char)
            if after is None:
                after = known[char] = self._after(state, char)
            state = after
        return state

    def _keep(self, state: frozenset[int]) -> None:
        """Make room for it."""
        self._kept += len(state)
        if self._kept > _MOST_KEPT:
            self._kept = 0
            self._states.clear()
            self._verdicts.clear()

    def _after(self, state: frozenset[int], char: str) -> frozenset[int]:
        fits = {test: pattern.match(char) is not None for test, pattern in self._classes.items()}
        reached = [after for place in state if fits.get(self._tests[place]) for after in self._next[place]]
        return self._closed(reached) | self._again

    def _closed(self, places: Iterable[int], *, start: bool = False, end: bool = False) -> frozenset[int]:
        """These places, and all to which they lead without a character."""
        waiting = list(places)
        reached = set(waiting)
        while waiting:
            place = waiting.pop()
            which = self._ends[place]
            if self._tests[place] or (which in _START and not start) or (which in _END and not end):
                continue
            for after in self._next[place]:
                if after not in reached:
                    reached.add(after)
                    waiting.append(after)
        return frozenset(reached)


def whole(expression: str, flags: int = 0) -> Glob:
    """An expression that a text must match from its start to its end. Raises what `Glob` raises."""
    return Glob(rf"\A(?:{expression})\Z", flags)


def within_names(expression: str) -> str:
    """The expression without classes of other characters that take a slash (`[^a]`): no wildcard in a name of Git's
    does."""
    tokens: list[str] = _TOKEN.findall(expression)
    for number, token in enumerate(tokens):
        if token.startswith("[^") and token != "[^/]":
            first, rest = token[2], token[3:]
            tokens[number] = f"[^/\\{first}{rest}" if first in "]-" else f"[^/{first}{rest}"
    return "".join(tokens)
