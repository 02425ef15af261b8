"""Regular expressions that patterns of other people's files become, so that Python's engine does not try again and
again: its time for `*a*a*a*b` grows with the power of the stars."""

from __future__ import annotations

import re

_FEW = 2
"""As many wildcards cost at most the square of a path."""
_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|\[:\w+:\]|[^\]\\])*\]|\(\?(?:[:=!]|P<\w+>)|.", re.DOTALL)
_NAME = "[^/]"
"""What a star stands for, again and again."""


def linear(expression: str) -> str:
    """An expression that matches the same paths, where a star in a name is not tried again once what follows it has
    been found: the first place that fits leaves most to what comes after, as no star leaves its name. Raises ValueError
    if more than two wildcards must be tried: `**`, a number of times without end, and a star before a group or before a
    class that may be a slash."""
    if expression.count("*") + expression.count("+") + expression.count(",}") <= _FEW:
        return expression
    names = _Names()
    return "|".join(_alternative(tokens, names) for tokens in _alternatives(_TOKEN.findall(expression)))


class _Names:
    """Names of groups, each once."""

    def __init__(self) -> None:
        self._count = 0

    def new(self) -> str:
        self._count += 1
        return f"star{self._count}"


def _alternatives(tokens: list[str]) -> list[list[str]]:
    found: list[list[str]] = [[]]
    depth = 0
    for token in tokens:
        depth += (token[0] == "(") - (token == ")")
        if token == "|" and not depth:
            found.append([])
        else:
            found[-1].append(token)
    return found


def _alternative(tokens: list[str], names: _Names) -> str:
    out: list[str] = []
    tried = at = 0
    while at < len(tokens):
        if not _is_star(tokens, at):
            tried += tokens[at] in ("*", "+") or tokens[at : at + 2] == [",", "}"]
            out.append(tokens[at])
            at += 1
            continue
        end, again = _next_star(tokens, at + 2)
        if end is None:
            tried += again
            out += tokens[at : at + 2]
            at += 2
        else:
            piece, name = "".join(tokens[at + 2 : end]), names.new()
            out.append(f"(?=(?P<{name}>{_NAME}{tokens[at + 1]}?{piece}))(?P={name})")
            at = end
    if tried > _FEW:
        raise ValueError("it has more wildcards than dockfix follows")
    return "".join(out)


def _is_star(tokens: list[str], at: int) -> bool:
    return tokens[at] == _NAME and tokens[at + 1 : at + 2] in (["*"], ["+"])


def _next_star(tokens: list[str], at: int) -> tuple[int | None, bool]:
    """Where the next star of the same name begins. None if there is none, and whether that cannot be told."""
    for here in range(at, len(tokens)):
        token = tokens[here]
        if _is_star(tokens, here):
            return here, False
        if token in ("/", "$", r"\Z"):
            return None, False
        if token[0] == "(":
            return None, tokens[here + 1] != "/" and not tokens[here + 1].startswith("(?P<")
        if token in (".", "^", "*", "+", "?", "{") or (token[0] == "[" and token != _NAME and re.match(token, "/")):
            return None, True
    return None, False
