"""Expressions of GitHub workflows: where they stand in a text, and what they refer to.

The grammar is that of docs.github.com "Evaluate expressions in workflows and actions": texts in single quotes, in which
a quote is doubled; `.` and `[ ]` lead into a context; names do not know case.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from itertools import pairwise
from typing import TypeAlias

from fixer.text.records import dataclass
from fixer.text.regex import regex

EXPRESSION = regex(r"\$\{\{((?:'[^']*(?:'|\Z)|[^'}]|\}(?!\}))*)(?:\}\}|\Z)")
"""One expression: two braces inside of a text do not end it. GitHub takes no file with one that nothing ends; it goes
to the end of the text, which is so read only once."""
_TOKEN = regex(r"'(?:[^']|'')*'|[A-Za-z_][\w-]*|\.?\d+(?:\.\d+)*\w*|\s+|.", re.DOTALL)
_WORDS = frozenset({"true", "false", "null", "nan", "infinity"})


@dataclass(frozen=True, slots=True)
class Reference:
    """One value that an expression uses.

    context: the first name in lower case, as `matrix`.
    path: the names behind it, as they stand there.
    exact: false where more than one value is meant, or where the rest of the path is computed: `toJSON(matrix)`,
        `matrix[inputs.x]`, `matrix.*.name`; it is then something at or below the path.
    start, end: in the text that was searched.
    """

    context: str
    path: tuple[str, ...]
    exact: bool
    start: int
    end: int

    @property
    def dotted(self) -> str:
        return ".".join(self.path)

    @property
    def name(self) -> str:
        """As it is written with dots."""
        return ".".join((self.context, *self.path))


def references(text: str) -> tuple[Reference, ...]:
    """What the expressions of a text use, in the order of the text."""
    return tuple(
        one for match in EXPRESSION.finditer(text) for one in of_expression(text, match.start(1), match.end(1))
    )


def of_expression(text: str, start: int = 0, end: int | None = None) -> tuple[Reference, ...]:
    """What the expression at a place uses, without the braces around it; `if` takes such ones."""
    tokens = [(m[0], m.start(), m.end()) for m in _TOKEN.finditer(text, start, len(text) if end is None else end)
              if not m[0].isspace()]  # fmt: skip
    found: list[Reference] = []
    i = 0
    while i < len(tokens):
        word, begin, stop = tokens[i]
        i += 1
        if not (word[0].isalpha() or word[0] == "_") or word.lower() in _WORDS:
            continue
        if (i < len(tokens) and tokens[i][0] == "(") or (i > 1 and tokens[i - 2][0] == "."):
            continue  # a function, or what stands behind an index that is computed
        path: list[str] = []
        exact = True
        while i + 1 < len(tokens):
            if tokens[i][0] == "." and (tokens[i + 1][0][0].isalnum() or tokens[i + 1][0][0] in "_*"):
                exact = exact and tokens[i + 1][0] != "*"
                if exact:
                    path.append(tokens[i + 1][0])
                stop, i = tokens[i + 1][2], i + 2
                continue
            literal = i + 2 < len(tokens) and tokens[i][0] == "[" and tokens[i + 2][0] == "]"
            if literal and (tokens[i + 1][0][0] == "'" or tokens[i + 1][0].isdigit()):
                if exact:
                    path.append(tokens[i + 1][0].strip("'").replace("''", "'"))
                stop, i = tokens[i + 2][2], i + 3
                continue
            exact = exact and tokens[i][0] != "["
            break
        found.append(Reference(word.lower(), tuple(path), exact and bool(path), begin, stop))
    return tuple(found)


def masked(text: str) -> str:
    """A text with a NUL for every expression, so that it can be cut at its own signs."""
    return EXPRESSION.sub("\0", text)


# --- conditions -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Somewhat:
    """A value that is not known. true: whether it counts as true, if that is known. prefix: how its text begins.
    among: the values of which it is one; none if these are not known either."""

    true: bool | None = None
    prefix: str = ""
    among: tuple[Value, ...] = ()


Value: TypeAlias = "str | bool | tuple[str, ...] | Somewhat | None"
UNKNOWN = Somewhat()
_MOST_OPTIONS = 50
"""So many values are remembered of which an expression chooses one."""
_DEEPEST = 40
"""So many brackets may be open in a condition that is understood."""
_FAILING = frozenset({"always", "failure", "cancelled"})


def goes_on(condition: str) -> bool:
    """Whether what has a condition may run though something before it has failed or was skipped: the condition asks
    for the status itself (docs.github.com, "Status check functions")."""
    words = [word for word in _TOKEN.findall(condition) if not word.isspace()]
    return any(word.lower() in _FAILING and after == "(" for word, after in pairwise(words))


def holds(condition: str, lookup: Callable[[str], Value]) -> bool | None:
    """Whether a condition is true; None if that is not known.

    lookup: the value of a reference, by its name as `Reference.name` gives it, in lower case.
    """
    reader = _Reader(condition, lookup)
    found = reader.either(0)
    return None if reader.failed or reader.word else _truth(found)


def outcomes(text: str, lookup: Callable[[str], Value]) -> frozenset[str] | None:
    """The texts of which a text is one that is a single expression, such as `${{ github.ref == 'x' && 'a' || 'b' }}`;
    None if they are not known."""
    match = EXPRESSION.fullmatch(text.strip())
    if match is None:
        return None
    reader = _Reader(match[1], lookup)
    found = reader.either(0)
    texts = [one for one in _options(found) if isinstance(one, str)]
    whole = not reader.failed and not reader.word and len(texts) == len(_options(found))
    return frozenset(texts) if whole else None


def as_value(text: str) -> Value:
    """What a text of a file is in an expression; there it may be a number, or true or false."""
    plain = re.fullmatch(r"(?i)|true|false|null|~|[-+.]?\d.*", text) is None
    return text if plain else UNKNOWN


class _Reader:
    """Reads one expression by recursive descent, from the weakest operator to the strongest."""

    def __init__(self, text: str, lookup: Callable[[str], Value]) -> None:
        self._words = [word for word in _TOKEN.findall(text) if not word.isspace()]
        self._at = 0
        self._lookup = lookup
        self.failed = False

    @property
    def word(self) -> str:
        """The next one; empty at the end."""
        return self._words[self._at] if self._at < len(self._words) else ""

    def _take(self, sign: str) -> bool:
        """Whether a sign is the next, which is then behind; one of two letters is two words."""
        found = self._words[self._at : self._at + len(sign)] == list(sign)
        self._at += len(sign) if found else 0
        return found

    def either(self, depth: int) -> Value:
        found = self._both(depth)
        while self._take("||"):
            found = _chosen(found, self._both(depth), True)
        return found

    def _both(self, depth: int) -> Value:
        found = self._compared(depth)
        while self._take("&&"):
            found = _chosen(found, self._compared(depth), False)
        return found

    def _compared(self, depth: int) -> Value:
        found = self._one(depth)
        while self.word in ("=", "!", "<", ">"):
            if self._take("=="):
                found = _equal(found, self._one(depth))
            elif self._take("!="):
                found = _negated(_equal(found, self._one(depth)))
            elif self._take("<") or self._take(">"):
                self._take("=")
                self._one(depth)
                found = UNKNOWN
            else:
                self.failed = True
                break
        return found

    def _one(self, depth: int) -> Value:
        turns = 0
        while self._take("!"):
            turns += 1
        found = self._plain(depth)
        for _ in range(turns and 2 - turns % 2):
            found = _negated(found)
        return found

    def _plain(self, depth: int) -> Value:
        word = self.word
        if not word or depth > _DEEPEST:
            self.failed, self._at = True, len(self._words)
            return UNKNOWN
        self._at += 1
        found: Value = UNKNOWN
        if word == "(":
            found = self.either(depth + 1)
            self.failed = self.failed or not self._take(")")
        elif word[0] == "'":
            found = word[1:-1].replace("''", "'")
            self.failed = self.failed or len(word) < 2
        elif word[0].isdigit() or word[0] in "-+.":
            self._at += word in ("-", "+") and self.word[:1].isdigit()
        elif word.lower() in _WORDS:
            found = {"true": True, "false": False, "null": None}.get(word.lower(), UNKNOWN)
        elif (word[0].isalpha() or word[0] == "_") and self._take("("):
            found = _called(word.lower(), self._arguments(depth))
        elif word[0].isalpha() or word[0] == "_":
            name = [word]
            while self.word == "." and self._words[self._at + 1 : self._at + 2]:
                name.append(self._words[self._at + 1])
                self._at += 2
            found = self._lookup(".".join(name).lower())
        else:
            self.failed = True
        while self.word in (".", "["):
            found = UNKNOWN
            if self._take("."):
                self._at += 1
                continue
            self._take("[")
            self.either(depth + 1)
            self.failed = self.failed or not self._take("]")
            if self.failed:
                break
        return found

    def _arguments(self, depth: int) -> list[Value]:
        found: list[Value] = []
        while not self._take(")"):
            found.append(self.either(depth + 1))
            if self.failed or not (self._take(",") or self.word == ")"):
                self.failed = True
                break
        return found


def _truth(value: Value) -> bool | None:
    return value.true if isinstance(value, Somewhat) else bool(value) or isinstance(value, tuple)


def _chosen(first: Value, second: Value, kept: bool) -> Value:
    """`||`, which keeps the first one if it is true, and `&&`, which does if it is false."""
    found: list[Value] = []
    for one in _options(first):
        true = _truth(one)
        found += [one] if true is kept else [] if true is not None else [Somewhat(kept)]
        found += [] if true is kept else _options(second)
    among = tuple(dict.fromkeys(found))
    if len(among) == 1:
        return among[0]
    truths = {_truth(one) for one in among}
    return Somewhat(truths.pop() if len(truths) == 1 else None, among=among if len(among) <= _MOST_OPTIONS else ())


def _options(value: Value) -> tuple[Value, ...]:
    """The values of which it is one."""
    return value.among or (value,) if isinstance(value, Somewhat) else (value,)


def _negated(value: Value) -> Value:
    true = _truth(value)
    return UNKNOWN if true is None else not true


def _equal(first: Value, second: Value) -> Value:
    for one, other in ((first, second), (second, first)):
        if isinstance(one, Somewhat):
            begins = one.prefix.lower()
            return False if begins and isinstance(other, str) and not other.lower().startswith(begins) else UNKNOWN
    if isinstance(first, str) and isinstance(second, str):
        return first.lower() == second.lower()
    return first is second if isinstance(first, bool) and isinstance(second, bool) else UNKNOWN


def _called(name: str, arguments: list[Value]) -> Value:
    if name == "always":
        return True
    if name == "fromjson" and len(arguments) == 1 and isinstance(arguments[0], str):
        try:
            found = json.loads(arguments[0])
        except (ValueError, RecursionError):
            return UNKNOWN
        if isinstance(found, list) and all(isinstance(one, str) for one in found):
            return tuple(found)
        return found if isinstance(found, str | bool) else UNKNOWN
    if len(arguments) != 2:
        return UNKNOWN
    whole, part = arguments
    if isinstance(whole, tuple) and isinstance(part, str):
        return part.lower() in [one.lower() for one in whole] if name == "contains" else UNKNOWN
    if not isinstance(part, str) or name not in ("startswith", "endswith", "contains"):
        return UNKNOWN
    part = part.lower()
    if isinstance(whole, Somewhat):
        begins = whole.prefix.lower()
        if not begins or name == "endswith":
            return UNKNOWN
        if begins.startswith(part) or (name == "contains" and part in begins):
            return True
        if name == "startswith":
            return UNKNOWN if part.startswith(begins) else False
        return False if part.startswith("refs/") and not part.startswith(begins) else UNKNOWN
    if not isinstance(whole, str):
        return UNKNOWN
    text = whole.lower()
    return {"startswith": text.startswith(part), "endswith": text.endswith(part), "contains": part in text}[name]
