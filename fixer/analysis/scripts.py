"""Scripts as trees: those of one file's texts, and those that stand in a file of their own or in a tool's settings."""

from __future__ import annotations

from fixer.analysis.commands import Call, Surroundings, script_calls
from fixer.analysis.state import UserState
from fixer.analysis.values import Unknown, Value
from fixer.tree.cook import Cooked, cook_heredoc
from fixer.tree.moved import moved
from fixer.tree.parse_shell import parse_shell
from fixer.tree.shell import OpaqueScript, Script

ReadScript = Script | OpaqueScript

_NOBODY = UserState(None, None, None, Unknown("who runs the script is not known"), None)


class Scripts:
    """The shell parser with a memory: of a script that it has read before, in this text or in one that came from it or
    before it, it gives the same tree, moved to where the script stands."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], tuple[ReadScript, int]] = {}

    def parse(self, cooked: Cooked, base: int, dialect: str) -> ReadScript:
        """See `parse_shell`; for it every dialect but `bash` is `sh`."""
        key = (cooked.key, dialect == "bash")
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = (_parse(cooked, base, dialect), base)
        script, at = known
        return moved(script, base - at)


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


def _parse(cooked: Cooked, base: int, dialect: str) -> ReadScript:
    return parse_shell(cooked, base, "bash" if dialect == "bash" else "sh")
