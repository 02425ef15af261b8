"""Where the grammar files are, and how Lark is set up for them. Shared by the parsers of files and of shell scripts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

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
