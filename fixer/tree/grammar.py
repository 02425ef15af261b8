"""The grammars as tables: made by Lark, and kept from one run to the next. Shared by the parsers of files and scripts.

Lark makes LALR tables from a grammar file and is slow at that compared to what one file costs. So the tables are
written down as plain text in the user's cache directory (`fixer.tree.table_cache`), and Lark is imported only when they
are not there.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from fixer._version import __version__
from fixer.text.regex import regex
from fixer.tree import table_cache

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


# --- tables ----------------------------------------------------------------------------------------------------------

Row = dict[str, int]


class Rule(NamedTuple):
    """A rule of the grammar, as far as a parser needs it."""

    name: str
    """What its builder is called: the alias, or what the rule makes."""
    origin: str
    """What the rule makes."""
    shape: str
    """A letter for each value that its builder gets: `v` the value of a symbol, `*` all values of a symbol that Lark
    made for a repetition, `-` None for an optional symbol that is not there."""
    passes: bool
    """True if it has one symbol and hands its value on."""

    @property
    def size(self) -> int:
        """How many symbols it takes from the stack."""
        return len(self.shape) - self.shape.count("-")


class Grammar(NamedTuple):
    """LALR tables as plain data."""

    start: int
    end: int
    rows: list[Row]
    """By state and symbol: the next state, or a rule's index `r` as `~r`, which is negative."""
    rules: list[Rule]
    terminals: dict[str, str]
    """The terminals that the grammar file defines, as regular expressions."""


def load_grammar(name: str, lexer: str) -> Grammar:
    """The tables of the grammar file `name`. `lexer`: the class of `fixer.tree.lark_lexers` that Lark is given."""
    source = grammar_path(name).read_text(encoding="utf-8")
    cache = table_cache.find(name, f"dockfix {__version__}", source)
    if cache is not None and (text := table_cache.read(cache)) is not None and (known := from_text(text)) is not None:
        return known
    from fixer.tree import lark_lexers

    made = from_lark(load_lark(name, getattr(lark_lexers, lexer)))
    if cache is not None:
        table_cache.write(cache, to_text(made))
    return made


def from_lark(lark: Lark) -> Grammar:
    """The tables of a parser made by `load_lark`."""
    table = lark.parser.parser.parser.parse_table
    rows: list[Row] = [{} for _ in range(max(table.states) + 1)]
    rules: dict[Any, int] = {}
    for state, actions in table.states.items():
        for symbol, (action, argument) in actions.items():
            shifts = action.name == "Shift"
            rows[state][_plain(symbol)] = argument if shifts else ~rules.setdefault(argument, len(rules))
    terminals = {str(terminal.name): terminal.pattern.to_regexp() for terminal in lark.terminals}
    return Grammar(table.start_states["start"], table.end_states["start"], rows, [*map(_rule, rules)], terminals)


def _rule(rule: Any) -> Rule:
    """Lark's own way of calling builders, `parse_tree_builder.maybe_create_child_filter` (1.3), written down."""
    values = []
    for symbol in rule.expansion:
        if symbol.is_term and symbol.filter_out:
            raise LookupError(f"the grammar drops a token in {rule}")
        values.append("*" if not symbol.is_term and symbol.name.startswith("_") else "v")
    shape = "".join(values)
    if rule.options.empty_indices:
        rest = iter(values)
        shape = "".join("-" if empty else next(rest) for empty in rule.options.empty_indices)
    passes = rule.options.expand1 and shape == "v"
    return Rule(_plain(rule.alias or rule.origin.name), _plain(rule.origin.name), shape, passes)


def _plain(symbol: str) -> str:
    """Lark's names are tokens, which compare slowly."""
    return sys.intern(str.__str__(symbol))


def arranged(shape: str, build: Callable[[list[Any]], Any]) -> Callable[[list[Any]], Any]:
    """`build` for values as they lie on the stack."""
    if shape == "v" * len(shape):
        return build
    if shape == "*v":

        def grow(values: list[Any]) -> Any:
            out, last = values
            out.append(last)
            return build(out)

        return grow

    def arrange(values: list[Any]) -> Any:
        rest = iter(values)
        out: list[Any] = []
        for kind in shape:
            if kind == "-":
                out.append(None)
            elif kind == "v":
                out.append(next(rest))
            elif not out:
                out = next(rest)  # a repetition grows by one each time: its list is used again
            else:
                out.extend(next(rest))
        return build(out)

    return arrange


# --- as text ---------------------------------------------------------------------------------------------------------

_NAME = regex(r"\$?[A-Za-z_][A-Za-z0-9_]*")


def to_text(grammar: Grammar) -> str:
    """A line for the states, one for each rule, terminal and state. See `from_text`."""
    lines = [f"{grammar.start} {grammar.end} {len(grammar.rules)} {len(grammar.terminals)}"]
    lines += [f"{rule.name} {rule.origin} {int(rule.passes)} {rule.shape}" for rule in grammar.rules]
    lines += [f"{name} {pattern}" for name, pattern in grammar.terminals.items()]
    for row in grammar.rows:
        groups = groupby(sorted(row, key=lambda s: (row[s], s)), key=row.__getitem__)
        lines.append(";".join(f"{action} {' '.join(symbols)}" for action, symbols in groups))
    return "\n".join(lines)


def from_text(text: str) -> Grammar | None:
    """What `to_text` wrote, or None if it did not write that."""
    try:
        return _read(text.split("\n"))
    except (ValueError, IndexError):
        return None


def _read(lines: list[str]) -> Grammar:
    """Raises ValueError or IndexError on what cannot be tables."""
    start, end, rule_count, terminal_count = map(int, lines[0].split(" "))
    first_row = 1 + rule_count + terminal_count
    rules = []
    for line in lines[1 : 1 + rule_count]:
        name, origin, passes, shape = line.split(" ")
        if shape.strip("v*-") or not _NAME.fullmatch(name):
            raise ValueError(line)
        rules.append(Rule(sys.intern(name), sys.intern(origin), shape, passes == "1"))
    terminals = dict(_pair(line) for line in lines[1 + rule_count : first_row])
    rows: list[Row] = []
    for line in lines[first_row:]:
        row: Row = {}
        for group in line.split(";") if line else ():
            action, *symbols = group.split(" ")
            row.update(dict.fromkeys(map(sys.intern, symbols), int(action)))
        rows.append(row)
    grammar = Grammar(start, end, rows, rules, terminals)
    actions = {action for row in rows for action in row.values()} | {start, end}
    if len(rules) != rule_count or min(actions) < -len(rules) or max(actions) >= len(rows) or min(start, end) < 0:
        raise ValueError("a state or a rule that is not there")
    return grammar


def _pair(line: str) -> tuple[str, str]:
    name, pattern = line.split(" ", 1)
    return name, pattern
