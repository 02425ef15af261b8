"""TOML and JSON of other people."""

from __future__ import annotations

import importlib
import re
import sys
from typing import Any

from fixer.text.regex import regex

_LONGEST_KEY = 64
"""Parts of a dotted key. Python's own reader takes a time that grows with their square, or worse."""
_NO_KEY = regex(
    r"""
    \#[^\n]*
  | (?:\"\"\"(?:[^"\\]+|\\.|"{1,2}(?!"))*"{0,5} | '''(?:[^']+|'{1,2}(?!'))*'{0,5})
  | (?P<quoted>"(?:[^"\\\n]+|\\[^\n])*"? | '[^'\n]*'?)
    """,
    re.VERBOSE | re.DOTALL,
)
_DOTTED = regex(rf"(?<![\w-])[\w-]+(?:[ \t]*\.[ \t]*[\w-]+){{{_LONGEST_KEY}}}")


def read_toml(text: str) -> dict[str, Any]:
    """The tables of a TOML text. Raises ValueError for what is none, is nested deeper than Python reads, or has a key
    of too many parts."""
    if _has_a_long_key(text):
        raise ValueError(f"a key of more than {_LONGEST_KEY} parts")
    # tomllib came with 3.11; before that the same code is on PyPI as tomli
    toml = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    try:
        found: dict[str, Any] = toml.loads(text.replace("\r\n", "\n"))
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return found


def _has_a_long_key(text: str) -> bool:
    if all(line.count(".") < _LONGEST_KEY for line in text.split("\n")):
        return False
    return _DOTTED.search(_NO_KEY.sub(lambda found: "s" if found["quoted"] else " ", text)) is not None


def read_json(text: str) -> dict[str, Any]:
    """The object of a JSON text, empty for one that holds something else. Raises ValueError as `read_toml` does."""
    import json

    try:
        found = json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return found if isinstance(found, dict) else {}
