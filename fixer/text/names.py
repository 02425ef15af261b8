"""Sets of names, as tables of programs, options and variables hold them."""

from __future__ import annotations


def set_of(words: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(words.split())
