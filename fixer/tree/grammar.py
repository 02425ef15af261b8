"""Where the grammar files are, and how Lark is set up for them. Shared by the parsers of files and of shell scripts."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from lark import Lark
    from lark.lexer import Lexer

_PACKAGE = Path(__file__).resolve().parent.parent


def grammar_path(name: str) -> Path:
    """The file `name` of the grammar folder: inside the package (a wheel) or beside it (a checkout).

    Raises FileNotFoundError if the installation holds neither.
    """
    for folder in (_PACKAGE / "grammar", _PACKAGE.parent / "grammar"):
        path = folder / name
        if path.is_file():
            return path
    raise FileNotFoundError(f"{name} is neither in {_PACKAGE / 'grammar'} nor in {_PACKAGE.parent / 'grammar'}")


def load_lark(name: str, lexer: type[Lexer], transformer: Any = None, start: str = "start") -> Lark:
    """An LALR parser for the grammar file `name`, with `lexer` (Lark's lexer interface 2) plugged in.

    `transformer`, if given, has a method for each rule and builds nodes while parsing: no tree of Lark's is made.
    """
    from lark import Lark

    source = grammar_path(name).read_text(encoding="utf-8")
    return Lark(
        source,
        parser="lalr",
        lexer=lexer,
        transformer=transformer,
        start=start,
        maybe_placeholders=True,
        propagate_positions=False,
    )


class Reduction(NamedTuple):
    """A rule of the grammar, found whole on the stack."""

    build: Callable[[list[Any]], Any] | None
    """From the values of the rule's symbols to its own; None if it has one symbol and hands its value on."""
    size: int
    rule: str


Row = dict[str, "int | Reduction"]


class Tables(NamedTuple):
    """Lark's LALR tables, laid out for a short loop: by state and symbol, the next state or a reduction.

    Lark's own loop looks builders up by the hash of a rule and compares names that are tokens: most of its cost.
    """

    start: int
    end: int
    rows: list[Row]
    certain: list[Reduction | None]
    """By state, the reduction that comes whatever follows."""


def tables(lark: Lark) -> Tables:
    """The tables of a parser made by `load_lark`, with the builders of its transformer."""
    parser = lark.parser.parser.parser
    table, builders = parser.parse_table, parser.callbacks
    rows: list[Row] = [{} for _ in range(max(table.states) + 1)]
    certain: list[Reduction | None] = [None] * len(rows)
    for state, actions in table.states.items():
        for symbol, (action, argument) in actions.items():
            if action.name == "Shift":
                rows[state][_plain(symbol)] = argument
                continue
            size = len(argument.expansion)
            passes = argument.options.expand1 and size == 1
            build = None if passes else builders[argument]
            rows[state][_plain(symbol)] = Reduction(build, size, _plain(argument.origin.name))
        found = list(rows[state].values())
        if found and isinstance(found[0], Reduction) and all(action == found[0] for action in found):
            certain[state] = found[0]
    return Tables(table.start_states["start"], table.end_states["start"], rows, certain)


def _plain(symbol: str) -> str:
    return sys.intern(str.__str__(symbol))
