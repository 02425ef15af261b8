"""Expressions of GitHub workflows: where they stand in a text, and what they refer to.

The grammar is that of docs.github.com "Evaluate expressions in workflows and actions": texts in single quotes, in which
a quote is doubled; `.` and `[ ]` lead into a context; names do not know case.
"""

from __future__ import annotations

import re

from fixer.text.records import dataclass

EXPRESSION = re.compile(r"\$\{\{((?:'[^']*(?:'|\Z)|[^'}]|\}(?!\}))*)(?:\}\}|\Z)")
"""One expression: two braces inside of a text do not end it. GitHub takes no file with one that nothing ends; it goes
to the end of the text, which is so read only once."""
_TOKEN = re.compile(r"'(?:[^']|'')*'|[A-Za-z_][\w-]*|\.?\d+(?:\.\d+)*\w*|\s+|.", re.DOTALL)
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
