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
    from fixer.tree.nodes import Add as Add
    from fixer.tree.nodes import Arg as Arg
    from fixer.tree.nodes import Blank as Blank
    from fixer.tree.nodes import Cmd as Cmd
    from fixer.tree.nodes import Comment as Comment
    from fixer.tree.nodes import Copy as Copy
    from fixer.tree.nodes import Directive as Directive
    from fixer.tree.nodes import Dockerfile as Dockerfile
    from fixer.tree.nodes import Entrypoint as Entrypoint
    from fixer.tree.nodes import Env as Env
    from fixer.tree.nodes import ExecForm as ExecForm
    from fixer.tree.nodes import Expose as Expose
    from fixer.tree.nodes import Flag as Flag
    from fixer.tree.nodes import From as From
    from fixer.tree.nodes import Healthcheck as Healthcheck
    from fixer.tree.nodes import Heredoc as Heredoc
    from fixer.tree.nodes import Instruction as Instruction
    from fixer.tree.nodes import JsonString as JsonString
    from fixer.tree.nodes import Label as Label
    from fixer.tree.nodes import Leaf as Leaf
    from fixer.tree.nodes import Maintainer as Maintainer
    from fixer.tree.nodes import Node as Node
    from fixer.tree.nodes import Onbuild as Onbuild
    from fixer.tree.nodes import Opaque as Opaque
    from fixer.tree.nodes import Pair as Pair
    from fixer.tree.nodes import Run as Run
    from fixer.tree.nodes import Shell as Shell
    from fixer.tree.nodes import ShellForm as ShellForm
    from fixer.tree.nodes import Stopsignal as Stopsignal
    from fixer.tree.nodes import Transfer as Transfer
    from fixer.tree.nodes import User as User
    from fixer.tree.nodes import Volume as Volume
    from fixer.tree.nodes import Workdir as Workdir
    from fixer.tree.parse import parse as parse
    from fixer.tree.visitor import REMOVE as REMOVE
    from fixer.tree.visitor import Match as Match
    from fixer.tree.visitor import Transformer as Transformer
    from fixer.tree.visitor import Visitor as Visitor

_HOMES = {
    "Change": "fixer.codemods.api",
    "Codemod": "fixer.codemods.api",
    "Edit": "fixer.text.edits",
    "Facts": "fixer.analysis",
    "Match": "fixer.tree.visitor",
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

_NODES = (
    "Add", "Arg", "Blank", "Cmd", "Comment", "Copy", "Directive", "Dockerfile", "Entrypoint", "Env", "ExecForm",
    "Expose", "Flag", "From", "Healthcheck", "Heredoc", "Instruction", "JsonString", "Label", "Leaf",
    "Maintainer", "Node", "Onbuild", "Opaque", "Pair", "Run", "Shell", "ShellForm", "Stopsignal", "Transfer",
    "User", "Volume", "Workdir",
)  # fmt: skip
_HOMES.update(dict.fromkeys(_NODES, "fixer.tree.nodes"))

__all__ = [*_HOMES, "__version__"]


if not TYPE_CHECKING:  # or every name would pass for one of ours

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module 'fixer' has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(_HOMES[name]), name)
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
