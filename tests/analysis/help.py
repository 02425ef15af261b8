"""Short ways to ask the analysis in tests."""

from __future__ import annotations

from fixer.analysis import NO_IMAGES, Call, Facts, Images, Known, State, Unknown, Value, analyse
from fixer.tree.nodes import Instruction, Run
from fixer.tree.parse import parse
from fixer.tree.shell import OpaqueScript


def facts(text: str, images: Images = NO_IMAGES) -> Facts:
    """Facts of a Dockerfile, written with `FROM …` or without (then from debian)."""
    if "FROM" not in text:
        text = "FROM debian\n" + text
    file = parse(text)
    assert not file.opaque, [o.reason for o in file.opaque]
    return analyse(file, images=images)


def last(found: Facts, kind: type[Instruction] = Run) -> Instruction:
    """The last instruction of a kind."""
    return [i for i in found.file.instructions if isinstance(i, kind)][-1]


def end(text: str) -> State:
    """The state at the end of the last stage."""
    found = facts(text)
    return found.end_state(found.stages[-1])


def show(value: Value | None) -> str | None:
    """A value for tables: its text, `?` for unknown, None for unset."""
    if value is None:
        return None
    return value.value if isinstance(value, Known) else "?"


def why(value: Value | None) -> str:
    assert isinstance(value, Unknown), value
    return value.why


def calls(text: str) -> tuple[Call, ...]:
    """The calls of the last RUN; a text without instructions is one RUN."""
    if not text.startswith(("FROM", "RUN", "SHELL", "ARG", "ENV", "USER", "WORKDIR")):
        text = "RUN " + text
    found = facts(text)
    result = found.calls(last(found))
    assert not isinstance(result, OpaqueScript), result.why
    return result


def line(call: Call) -> str:
    """The words of a call; `?` for those that are not known."""
    return " ".join(show(word) or "" for word in call.words)
