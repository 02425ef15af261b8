"""Why a script is not understood, for people."""

from __future__ import annotations

from collections.abc import Mapping

from fixer.tree.shell_lexer import REASONS as OF_SHELL

REASONS: Mapping[str, str] = {
    **OF_SHELL,
    "other-shell": "it is read by a shell whose language is not known here",
    "carriage-return": "the shell gets the carriage returns of this here-document, as parts of its words",
    "interpreter": "it is a script for another interpreter",
}
"""Why a script may be opaque, by the code in `OpaqueScript.why`."""
