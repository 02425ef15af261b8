"""Regular expressions that patterns of other people's files become, matched in a time that grows with the path and the
pattern alone. Python's engine tries again: its time for `*a*a*a*b` grows with the power of the stars, and there is no
bound to the stars in a .gitignore.

What a path of ordinary length cannot make expensive is left to Python's engine, which is faster then. All else is done
by an automaton whose states are sets of places in the expression, made as paths need them (as Go's regexp does, and
RE2). What all automata remember has one bound, and the expressions of one file may share a `Budget`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple
from weakref import WeakSet

_FEW = 2
"""As many wildcards cost at most the square of a path."""
_SHORT = 256
"""Characters of a path of which the square is little."""
_MOST_PLACES = 20_000
"""Of one expression, in which `{1,1000}` is written a thousand times."""
_MOST_OF_A_FILE = 100_000
"""Places in all expressions of a file."""
_MOST_STEPS = 40_000_000
"""Some seconds of work."""
_MOST_KEPT = 1_000_000
"""Places in the sets that all automata together keep, and characters of which they know where they lead."""
_AT_ONCE = 64
"""Characters that Python's engine looks at while the automaton takes one step."""
_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?(?::|P<\w+>)|\(\?.?|.", re.DOTALL)
_START, _END = ("^", r"\A"), ("$", r"\Z")
_STEPS = {"*": (0, None), "+": (1, None), "?": (0, 1)}
_TIMES = re.compile(r"\{(\d+)(?:,(\d*))?\}", re.ASCII)
_LONGEST_TIMES = len("{1000,1000}")
_NO_CHARACTER = re.compile(r"\\[A-Za-z1-9]")
"""Those that stand for no character, or for what is in a group."""


class NotFollowedError(ValueError):
    """An expression that may be right, but that nothing here can follow."""


class Budget:
    """What the expressions of one file may have together: so many places in their automata, and so much work with them,
    in steps of less than a microsecond. bounded: whether the work has a bound; the places always have one."""

    __slots__ = ("_bounded", "places", "steps")

    def __init__(self, *, bounded: bool = True) -> None:
        self._bounded = bounded
        self.places = 0
        self.steps = 0

    def place(self) -> None:
        """Raises NotFollowedError if there may be no more places."""
        self.places += 1
        if self.places > _MOST_OF_A_FILE:
            raise NotFollowedError("the patterns of the file are, together, longer than dockfix follows")

    def charge(self, steps: int) -> None:
        """Raises NotFollowedError if that is too much, and from then on always."""
        self.steps += steps
        if self._bounded and self.steps > _MOST_STEPS:
            raise NotFollowedError("it would take too long to look for the patterns of the file")


class Glob:
    """An expression that is looked for in no more time than it must take. Knows characters, classes, groups, `|`,
    repetitions and the two ends; `$` is the very end. Raises NotFollowedError for others that Python's engine could not
    look for in time, and for very long ones; re.error for what is no expression.

    budget: what it shares with others; by default it has one of its own, in which work has no bound."""

    __slots__ = ("_automaton", "_budget", "_direct", "_expression", "_flags", "_tried")

    def __init__(self, expression: str, flags: int = 0, budget: Budget | None = None) -> None:
        self._expression = expression
        self._flags = flags
        self._budget = budget or Budget(bounded=False)
        self._direct: re.Pattern[str] | None = None
        self._automaton: _Automaton | None = None
        self._tried = False
        if expression.count("*") + expression.count("+") + expression.count("{") <= _FEW:
            self._direct = re.compile(_to_the_very_end(expression), flags)
        else:
            self._automaton = _Automaton(expression, flags, self._budget)

    def matches(self, text: str) -> bool:
        """Whether the expression is found anywhere in the text. Raises NotFollowedError if the budget is used up."""
        if self._direct is None or len(text) > _SHORT:
            automaton = self._automaton or self._try()
            if automaton is not None:
                return automaton.finds(text)
            self._budget.charge(len(text) * len(text) // _AT_ONCE)
        assert self._direct is not None
        return self._direct.search(text) is not None

    def _try(self) -> _Automaton | None:
        """The automaton of an expression that Python's engine follows, for long texts; None if there can be none."""
        if not self._tried:
            self._tried = True
            try:
                self._automaton = _Automaton(self._expression, self._flags, self._budget)
            except NotFollowedError:
                return None
        return self._automaton


def _to_the_very_end(expression: str) -> str:
    """For Python's engine `$` is also before a line feed that ends the text."""
    if "$" not in expression:
        return expression
    tokens: list[str] = _TOKEN.findall(expression)
    return "".join(r"\Z" if token == "$" else token for token in tokens)


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


class _State:
    """A set of places in an expression, and where the characters lead from there."""

    __slots__ = ("after", "found", "places", "verdict")

    def __init__(self, places: frozenset[int], found: bool) -> None:
        self.places = places
        self.found = found
        """Whether a match is behind."""
        self.after: dict[bytes, _State] = {}
        """By the classes in which a character is: characters that are in the same ones lead to the same place."""
        self.verdict: bool | None = None
        """Whether there is a match where the text ends here, as soon as somebody has asked."""


class _Memory:
    """What automata remember. There may be thousands of them, so that they have one bound: where it is reached, all
    forget all."""

    def __init__(self) -> None:
        self.kept = 0
        self._users: WeakSet[_Automaton] = WeakSet()

    def share(self, user: _Automaton) -> None:
        self._users.add(user)

    def take(self, places: int) -> None:
        """Makes room for so many places."""
        self.kept += places
        if self.kept > _MOST_KEPT:
            self.kept = places
            for user in list(self._users):
                user.forget()


_MEMORY = _Memory()


class _Automaton:
    """Sets of places in an expression, and where characters lead from each; made as it is needed."""

    def __init__(self, expression: str, flags: int, budget: Budget) -> None:
        self._flags = flags
        self._budget = budget
        self._tests: list[int] = []
        """The number of the class in which the character at each place must be; -1 where there is none."""
        self._ends: list[str] = []
        """The end of the text that must be here, one of `_START` and `_END`; empty where there is none."""
        self._next: list[tuple[int, ...]] = []
        self._numbers: dict[str, int] = {}
        self._classes: list[re.Pattern[str]] = []
        self._states: dict[frozenset[int], _State] = {}
        self._kinds: dict[str, bytes] = {}
        """The classes in which a character is: a byte for each class."""
        self._same: dict[bytes, bytes] = {}
        piece = _Reader(expression).read()
        self._shortest = piece.shortest
        self._found = self._place()
        first = self._put(piece, self._found)
        self._first = self._closed([first], start=True)
        self._again = self._closed([first])
        self._last: tuple[str, _State | None] = "", None
        """A directory that was last looked at, with a slash behind it, and the places behind that."""
        _MEMORY.share(self)

    def forget(self) -> None:
        """Everything that paths have had made, but for the places behind the last directory: with those, what is below
        it costs no more than its own characters, however often all is forgotten."""
        last = self._last[1]
        for state in (*self._states.values(), *(() if last is None else (last,))):  # they refer to each other
            state.after = {}
        self._states.clear()
        self._kinds.clear()
        self._same.clear()

    def _put(self, piece: _Piece, after: int) -> int:
        """The place where the piece begins; behind it goes on what is at `after`."""
        if piece.kind == "one":
            if piece.text not in self._numbers:
                self._numbers[piece.text] = len(self._classes)
                self._classes.append(re.compile(piece.text, self._flags))
            return self._place(after, test=self._numbers[piece.text])
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

    def _place(self, *after: int, test: int = -1, end: str = "") -> int:
        if len(self._next) >= _MOST_PLACES:
            raise NotFollowedError("it is longer than dockfix follows")
        self._budget.place()
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
        if state is None or not text.startswith(directory):
            directory, state = "", self._state(self._first)
        state = self._behind(state, text[len(directory) : cut])
        self._last = text[:cut], state  # the next path is often in the same directory, or below it
        state = self._behind(state, text[cut:])
        if not text:
            return self._found in self._closed(state.places, start=True, end=True)
        if state.verdict is None:
            self._budget.charge(len(state.places))
            state.verdict = self._found in self._closed(state.places, end=True)
        return state.verdict

    def _behind(self, state: _State, text: str) -> _State:
        """The places behind the text, or those where a match was found in it."""
        for char in text:
            if state.found:
                break
            kind = self._kinds.get(char) or self._kind(char)
            state = state.after.get(kind) or self._after(state, kind)
        return state

    def _kind(self, char: str) -> bytes:
        """The classes in which the character is."""
        self._budget.charge(len(self._classes))
        found = bytes(pattern.match(char) is not None for pattern in self._classes) or b"\0"
        _MEMORY.take(1 if found in self._same else 1 + len(found) // 8)
        kind = self._kinds[char] = self._same.setdefault(found, found)
        return kind

    def _after(self, state: _State, kind: bytes) -> _State:
        tests = self._tests
        fits = [place for place in state.places if tests[place] >= 0 and kind[tests[place]]]
        reached = [after for place in fits for after in self._next[place]]
        places = self._closed(reached) | self._again
        self._budget.charge(len(state.places) + len(places))
        _MEMORY.take(1)
        after = state.after[kind] = self._state(places)
        return after

    def _state(self, places: frozenset[int]) -> _State:
        """The one for these places."""
        known = self._states.get(places)
        if known is None:
            _MEMORY.take(len(places))
            known = self._states[places] = _State(places, self._found in places)
        return known

    def _closed(self, places: Iterable[int], *, start: bool = False, end: bool = False) -> frozenset[int]:
        """These places, and all to which they lead without a character."""
        waiting = list(places)
        reached = set(waiting)
        while waiting:
            place = waiting.pop()
            which = self._ends[place]
            if self._tests[place] >= 0 or (which in _START and not start) or (which in _END and not end):
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
