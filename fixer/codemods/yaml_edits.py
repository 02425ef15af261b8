"""Edits of a workflow's text in the style that it has: more inputs for a step, and a step before another."""

from __future__ import annotations

from collections.abc import Sequence

from fixer.analysis.workflow import Step
from fixer.analysis.yaml_nodes import Mapping, Scalar
from fixer.text.edits import Edit

Pair = tuple[str, str]
"""A key and its value as it is to be written in a block."""


def inputs_fault(step: Step) -> str | None:
    """Why no inputs can be added to a step, one sentence without a stop; None if they can."""
    if step.shared:
        return "an alias uses this step in another place too"
    if step.node.get("<<") is not None or (step.inputs is not None and step.inputs.get("<<") is not None):
        return "a merge key brings a part of it from elsewhere"
    found = step.node.get("with")
    if found is None:
        return "the step is written in braces" if step.node.flow else None
    if not isinstance(found, Mapping):
        return "its inputs are no mapping"
    if id(found) in step.job.workflow.shared:
        return "an alias uses its inputs in another place too"
    if found.flow:
        return None if found.pairs else "its inputs are empty"
    text = step.job.workflow.text
    first = found.pairs[0][0].span.start
    return None if not text[_line_start(text, first) : first].strip(" ") else "its inputs begin on the line of the key"


def add_inputs(step: Step, pairs: Sequence[Pair]) -> Edit:
    """Adds inputs behind those that are there. `inputs_fault` was asked before."""
    text = step.job.workflow.text
    found = step.inputs
    if found is None:
        uses = step.uses
        assert uses is not None
        key = next(key for key, value in step.node.items() if value is uses)
        indent = " " * column(text, key.span.start)
        lines = [f"{indent}with:", *(f"{indent}{inputs_indent(step)}{name}: {value}" for name, value in pairs)]
        return _behind(text, uses.span.end, lines)
    if found.flow:
        at = found.pairs[-1][1].span.end or found.pairs[-1][0].span.end
        return Edit(at, at, "".join(f", {name}: {_flow(value)}" for name, value in pairs))
    indent = " " * column(text, found.pairs[0][0].span.start)
    return _behind(text, found.span.end, [f"{indent}{name}: {value}" for name, value in pairs])


def steps_fault(step: Step) -> str | None:
    """Why no step can be put before this one, one sentence without a stop; None if one can."""
    steps = step.job.sequence
    if steps is None or steps.flow:
        return "the steps are written in brackets"
    if id(steps) in step.job.workflow.shared:
        return "an alias uses these steps in another place too"
    return "the step is written in braces" if step.node.flow else None


def put_before(step: Step, steps: Sequence[Sequence[str]]) -> Edit:
    """Puts steps before one, each given as its lines without indent, in the form that this one has: where the dash
    stands, and blank lines between steps. `steps_fault` was asked before."""
    text = step.job.workflow.text
    newline = newline_at(text, step.span.start)
    sequence = step.job.sequence
    assert sequence is not None
    dash = column(text, sequence.span.start)
    at = _dash_line(text, step.span.start, dash)
    own_line = not text[at : _line_end(text, at)].strip(" ").lstrip("-").strip()
    keys = column(text, step.node.pairs[0][0].span.start)
    at = _above_comments(text, at)
    gap = _blank_before(text, at) if step.index else _blank_between(step)
    made: list[str] = []
    for lines in steps:
        first = f"{' ' * dash}-{newline}{' ' * keys}" if own_line else f"{' ' * dash}-{' ' * (keys - dash - 1)}"
        made.append(first + f"{newline}{' ' * keys}".join(lines) + newline + (newline if gap else ""))
    return Edit(at, at, "".join(made))


def column(text: str, offset: int) -> int:
    """How many characters stand before it on its line."""
    return offset - _line_start(text, offset)


def quoted_like(scalar: Scalar, value: str) -> str:
    """A value in the quotes of another."""
    return f"{scalar.style}{value}{scalar.style}" if scalar.style in ("'", '"') else value


def newline_at(text: str, offset: int) -> str:
    """How lines end there."""
    end = text.find("\n", offset)
    end = text.rfind("\n") if end < 0 else end
    return "\r\n" if end > 0 and text[end - 1] == "\r" else "\n"


def _behind(text: str, offset: int, lines: Sequence[str]) -> Edit:
    """Lines behind the line at `offset`, whatever else stands on it."""
    newline = newline_at(text, offset)
    at = _line_end(text, offset)
    return Edit(at, at, "".join(newline + line for line in lines))


def _flow(value: str) -> str:
    """In braces a comma or a brace parts values."""
    return f'"{value}"' if any(char in value for char in ",{}[]:#") else value


def inputs_indent(step: Step) -> str:
    """How far the inputs of other steps stand in."""
    text = step.job.workflow.text
    for other in step.job.workflow.steps:
        found = other.inputs
        if found is not None and not found.flow and found.pairs and not other.node.flow:
            wide = column(text, found.pairs[0][0].span.start) - column(text, other.node.pairs[0][0].span.start)
            if wide > 0:
                return " " * wide
    return "  "


def _line_start(text: str, offset: int) -> int:
    return text.rfind("\n", 0, offset) + 1 or (1 if text.startswith("\ufeff") else 0)


def _line_end(text: str, offset: int) -> int:
    """Before the line's end."""
    end = text.find("\n", offset)
    if end < 0:
        return len(text)
    return end - 1 if end > offset and text[end - 1] == "\r" else end


def _dash_line(text: str, offset: int, dash: int) -> int:
    """The line of the step's dash, which may stand above its first key."""
    at = _line_start(text, offset)
    while at > 0 and not (text[at : at + dash].strip(" ") == "" and text[at + dash : at + dash + 1] == "-"):
        at = _line_start(text, at - 1)
    return at


def _above_comments(text: str, at: int) -> int:
    """The first of the comment lines that stand directly above a line."""
    while at > 0:
        above = _line_start(text, at - 1)
        if not text[above:at].lstrip().startswith("#"):
            break
        at = above
    return at


def _blank_before(text: str, at: int) -> bool:
    return at > 0 and not text[_line_start(text, at - 1) : at].strip()


def _blank_between(step: Step) -> bool:
    """Whether a blank line follows the first step."""
    if len(step.job.steps) < 2:
        return False
    between = step.job.workflow.text[step.span.end : step.job.steps[1].span.start]
    return any(not line.strip() for line in between.split("\n")[1:-1])
