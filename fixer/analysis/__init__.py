"""Facts about a parsed Dockerfile."""

from __future__ import annotations

from fixer.analysis.bases import Account, BaseImage
from fixer.analysis.commands import Call
from fixer.analysis.facts import Facts, analyse
from fixer.analysis.mounts import Mount, hiding_mount
from fixer.analysis.paths import Effect, Reader, Writer
from fixer.analysis.stages import Stage
from fixer.analysis.state import ShellState, State, UserState
from fixer.analysis.values import Known, Unknown, Value, below, clean, expand, join, related

__all__ = [
    "Account",
    "BaseImage",
    "Call",
    "Effect",
    "Facts",
    "Known",
    "Mount",
    "Reader",
    "ShellState",
    "Stage",
    "State",
    "Unknown",
    "UserState",
    "Value",
    "Writer",
    "analyse",
    "below",
    "clean",
    "expand",
    "hiding_mount",
    "join",
    "related",
]
