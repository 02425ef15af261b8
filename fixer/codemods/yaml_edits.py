"""Edits of a workflow's text in the style that it has: more inputs for a step, and a step before another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fixer.analysis.workflow import Step
from fixer.analysis.yaml_nodes import Items, Mapping, Node, Scalar
from fixer.text.edits import Edit
from fixer.text.source import Span

Pair = tuple[str, str]
"""A key and its value as it is to be written in a block."""


def inputs_fault(step: Step, names: Sequence[str]) -> str | None:
    """Why inputs of these names cannot be added to a step, one sentence without a stop; None if they can."""
    if step.shared:
        return "an alias uses this step in another place too"
    if step.node.get("<<") is not None or (step.inputs is not None and step.inputs.get("<<") is not None):
        return "a merge key brings a part of it from elsewhere"
    text = step.job.workflow.text
    found = step.node.get("with")
    if found is None:
        if step.node.flow:
            return "the step is written in braces"
        key, uses = _pair(step.node, "uses")
        return None if _ends(text, key, uses) is not None else "nothing can be put behind the line of the action"
    if not isinstance(found, Mapping):
        return "its inputs are no mapping"
    if id(found) in step.job.workflow.shared:
        return "an alias uses its inputs in another place too"
    there = next((name for name in names if step.input_node(name) is not None), None)
    if there is not None:
        return f"`{there}` is there already"
    if found.flow:
        return None if found.pairs else "its inputs are empty"
    first = found.pairs[0][0].span.start
    return None if not text[_line_start(text, first) : first].strip(" ") else "its inputs begin on the line of the key"


def add_inputs(step: Step, pairs: Sequence[Pair]) -> Edit:
    """Adds inputs behind those that are there, or before the last one if nothing can be put behind it. `inputs_fault`
    was asked before."""
    text = step.job.workflow.text
    found = step.inputs
    if found is None:
        key, uses = _pair(step.node, "uses")
        indent = " " * column(text, key.span.start)
        lines = [f"{indent}with:", *(f"{indent}{inputs_indent(step)}{name}: {value}" for name, value in pairs)]
        return _behind(text, uses.span.end, lines)
    last, value = found.pairs[-1]
    end = _ends(text, last, value)
    if found.flow:
        made = [f"{name}: {_flow(text)}" for name, text in pairs]
        lines_edit = None if end is None else _flow_lines(text, found, end, made)
        if lines_edit is not None:
            return lines_edit
        if end is not None:
            return Edit(end, end, "".join(f", {one}" for one in made))
        return Edit(last.span.start, last.span.start, "".join(f"{one}, " for one in made))
    indent = " " * column(text, found.pairs[0][0].span.start)
    lines = [f"{indent}{name}: {value}" for name, value in pairs]
    if end is not None:
        return _behind(text, end, lines)
    at = _above_comments(text, _line_start(text, last.span.start), len(indent), found.span.start)
    return Edit(at, at, "".join(line + newline_at(text, at) for line in lines))


def _flow_lines(text: str, found: Mapping, end: int, made: Sequence[str]) -> Edit | None:
    """Adds pairs to a mapping in braces that has each of its own on a line, behind the last one, which ends at `end`;
    None for another one."""
    last = found.pairs[-1][0].span.start
    if len(found.pairs) < 2 or text[_line_start(text, last) : last].strip():
        return None
    new = newline_at(text, last) + " " * column(text, last)
    if found.span.end <= _line_end(text, end):
        return Edit(end, end, "".join(f",{new}{one}" for one in made))
    rest = text[end : _line_end(text, end)]
    has_comma = rest.lstrip().startswith(",")
    if rest.lstrip().removeprefix(",").strip()[:1] not in ("", "#") or (not has_comma and _next(text, end) == ","):
        return None
    return Edit(end, end + len(rest), ("" if has_comma else ",") + rest + ",".join(f"{new}{one}" for one in made)
                + ("," if has_comma else ""))  # fmt: skip


def _next(text: str, offset: int) -> str:
    """The first sign behind a place that is neither blank nor in a comment."""
    while offset < len(text):
        if text[offset] == "#":
            offset = _line_end(text, offset)
        elif not text[offset].isspace():
            return text[offset]
        else:
            offset += 1
    return ""


def comments(step: Step) -> Iterator[Span]:
    """The comments on lines of their own in a step and behind it, as far as they stand deeper than its dash."""
    text, sequence = step.job.workflow.text, step.job.sequence
    dash = 0 if sequence is None else column(text, sequence.span.start)
    blocks = [value.span for value in _scalars(step.node) if value.style]
    at, block = _line_start(text, step.span.start), 0
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        line = text[at:end]
        start = at + len(line) - len(line.lstrip())
        while block < len(blocks) and blocks[block].end <= start:
            block += 1
        inside = block < len(blocks) and blocks[block].start <= start
        if line.lstrip().startswith("#") and not inside and start - at > dash:
            yield Span(start, start + len(line.strip()))
        elif at > step.span.end and line.strip():
            return
        at = end + 1


def _scalars(node: Node) -> Iterator[Scalar]:
    """Those of a node in the order of the text, without those that aliases name elsewhere."""
    waiting, found, seen = [node], [], set[int]()
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, Scalar):
            found.append(one)
        elif isinstance(one, Items):
            waiting += one.nodes
        else:
            waiting += [part for pair in one.pairs for part in pair]
    return iter(sorted(found, key=lambda one: one.span))


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
    before = sequence.nodes[: sequence.nodes.index(step.node)]
    at = _above_comments(text, at, dash, before[-1].span.end if before else 0)
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


def _above_comments(text: str, at: int, column: int, floor: int) -> int:
    """The first of the comment lines that stand directly above a line, behind `floor`, in the column of what is on it:
    comments in other columns belong to what is above them."""
    while at > 0:
        above = _line_start(text, at - 1)
        line = text[above:at]
        if above < floor or len(line) - len(line.lstrip(" ")) != column or not line.startswith("#", column):
            break
        at = above
    return at


def _pair(node: Mapping, name: str) -> tuple[Scalar, Node]:
    return next((key, value) for key, value in node.items() if key.text == name)


def _ends(text: str, key: Node, value: Node) -> int | None:
    """The end of a pair, behind which more can be put. None where the value is an alias, whose place is not known; and
    behind a block scalar at the end of a file without a last line break, because such a break would belong to it."""
    if value.span.start < key.span.end:
        return None
    last = value
    while not isinstance(last, Scalar):
        parts = last.nodes if isinstance(last, Items) else [part for pair in last.pairs for part in pair]
        if last.flow or not parts:
            return value.span.end
        if parts[-1].span.start < last.span.start:
            return None
        last = parts[-1]
    return None if last.style in ("|", ">") and "\n" not in text[last.span.end :] else value.span.end


def _blank_before(text: str, at: int) -> bool:
    return at > 0 and not text[_line_start(text, at - 1) : at].strip()


def _blank_between(step: Step) -> bool:
    """Whether a blank line follows the first step."""
    if len(step.job.steps) < 2:
        return False
    between = step.job.workflow.text[step.span.end : step.job.steps[1].span.start]
    return any(not line.strip() for line in between.split("\n")[1:-1])
