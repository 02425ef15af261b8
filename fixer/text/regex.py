"""Regular expressions that are compiled when they are first used: all of them would be a fifth of the start-up."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from re import compile as regex
else:

    class regex:
        """As `re.compile`, with the methods of what that gives."""

        def __init__(self, source, flags=0):
            self._source = source
            self._flags = flags

        def __getattr__(self, name):
            if name not in _METHODS:
                raise AttributeError(name)
            compiled = re.compile(self._source, self._flags)
            for method in _METHODS:
                setattr(self, method, getattr(compiled, method))
            return getattr(self, name)

    _METHODS = ("findall", "finditer", "fullmatch", "match", "search", "split", "sub")

__all__ = ["regex"]
