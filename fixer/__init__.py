"""dockfix: Dockerfile rewrites that people can trust.

    >>> import fixer
    >>> file = fixer.parse("FROM scratch\\nRUN true\\n")
    >>> file.code
    'FROM scratch\\nRUN true\\n'
    >>> fixer.fix("FROM scratch\\n").changed
    False

`parse` reads a Dockerfile into a lossless tree, `Visitor` and `Transformer` walk it, `analyse` computes facts about it,
`fix` runs the codemods on it. To import this package costs nothing: each name is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from fixer._version import __version__

if TYPE_CHECKING:
    from fixer.analysis import Facts as Facts
    from fixer.analysis import analyse as analyse
    from fixer.codemods.api import Change as Change
    from fixer.codemods.api import Codemod as Codemod
    from fixer.codemods.api import Refusal as Refusal
    from fixer.codemods.api import Safety as Safety
    from fixer.codemods.api import Settings as Settings
    from fixer.engine.outcome import Outcome as Outcome
    from fixer.engine.run import fix as fix
    from fixer.text.diff import unified_diff as unified_diff
    from fixer.text.edits import Edit as Edit
    from fixer.text.source import Position as Position
    from fixer.text.source import Span as Span
    from fixer.tree.nodes import Dockerfile as Dockerfile
    from fixer.tree.parse import parse as parse
    from fixer.tree.visitor import REMOVE as REMOVE
    from fixer.tree.visitor import Transformer as Transformer
    from fixer.tree.visitor import Visitor as Visitor

_HOMES = {
    "Change": "fixer.codemods.api",
    "Codemod": "fixer.codemods.api",
    "Dockerfile": "fixer.tree.nodes",
    "Edit": "fixer.text.edits",
    "Facts": "fixer.analysis",
    "Outcome": "fixer.engine.outcome",
    "Position": "fixer.text.source",
    "REMOVE": "fixer.tree.visitor",
    "Refusal": "fixer.codemods.api",
    "Safety": "fixer.codemods.api",
    "Settings": "fixer.codemods.api",
    "Span": "fixer.text.source",
    "Transformer": "fixer.tree.visitor",
    "Visitor": "fixer.tree.visitor",
    "analyse": "fixer.analysis",
    "fix": "fixer.engine.run",
    "parse": "fixer.tree.parse",
    "unified_diff": "fixer.text.diff",
}

__all__ = [*_HOMES, "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'fixer' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
