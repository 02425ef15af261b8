"""Scripts that stand in a file of their own, or in the settings of a tool: their commands."""

from __future__ import annotations

from fixer.analysis.commands import Call, Surroundings, script_calls
from fixer.analysis.state import UserState
from fixer.analysis.values import Unknown, Value
from fixer.tree.cook import Cooked, cook_heredoc
from fixer.tree.parse_shell import parse_shell
from fixer.tree.shell import OpaqueScript, Script

_NOBODY = UserState(None, None, None, Unknown("who runs the script is not known"), None)


def calls_in(text: str, dialect: str = "sh") -> tuple[Call, ...] | None:
    """The commands of a script of sh or bash, of whose surroundings nothing is known; None if it is not understood."""
    script = _parse(cook_heredoc(text), 0, dialect)
    if isinstance(script, OpaqueScript):
        return None
    where = Unknown("where the script runs is not known")
    around = Surroundings(_lookup, lambda name: _NOBODY, where, text, "\\", _parse)
    return script_calls(script, around, dialect=dialect, errexit=False, pipefail=False)


def _lookup(name: str) -> Value:
    return Unknown(f"${name} is set from outside")


def _parse(cooked: Cooked, base: int, dialect: str) -> Script | OpaqueScript:
    return parse_shell(cooked, base, "bash" if dialect == "bash" else "sh")
