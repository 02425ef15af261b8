"""TOML and JSON of other people."""

from __future__ import annotations

import importlib
import sys
from typing import Any


def read_toml(text: str) -> dict[str, Any]:
    """The tables of a TOML text. Raises ValueError for what is none, or is nested deeper than Python reads."""
    # tomllib came with 3.11; before that the same code is on PyPI as tomli
    toml = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    try:
        found: dict[str, Any] = toml.loads(text.replace("\r\n", "\n"))
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return found


def read_json(text: str) -> dict[str, Any]:
    """The object of a JSON text, empty for one that holds something else. Raises ValueError as `read_toml` does."""
    import json

    try:
        found = json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return found if isinstance(found, dict) else {}
