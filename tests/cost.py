"""What a piece of work costs, counted and not timed: the same on every machine, however busy.

Work inside one call of a C function (a regular expression that tries again and again) is not seen by it; the shapes of
:mod:`tests.hostile` measure that."""

from __future__ import annotations

import sys
from collections.abc import Callable


def count_calls(work: Callable[[], object]) -> int:
    """How many functions, of Python and of C, are entered and left while ``work`` runs."""
    count = 0

    def counting(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += 1

    sys.setprofile(counting)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count
