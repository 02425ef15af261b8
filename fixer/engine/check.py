"""The checks that every produced text goes through, in production.

A failed check is a bug of a codemod (or of the parser), never something about the user's file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from fixer.codemods.api import Change
from fixer.engine.trail import Step
from fixer.text.edits import Edit
from fixer.text.source import Span
from fixer.tree.nodes import Comment, Directive, Dockerfile, Instruction, Item, Onbuild, Opaque, Run
from fixer.tree.shell import OpaqueScript, Redirect, Script

ScriptOf = Callable[[Instruction], "Script | OpaqueScript | None"]
"""Gives the shell script of an instruction: `Facts.script`."""


class Parsed(NamedTuple):
    """A text with what the checks need to know about it."""

    file: Dockerfile[str]
    script: ScriptOf


class Place(NamedTuple):
    """One item of the file and where it is, its prefix and line end included."""

    start: int
    end: int
    item: Item


def find_fault(old: Parsed, new: Parsed, changes: Sequence[Change], step: Step) -> str | None:
    """What is wrong with `new`, which came from `old` by the edits of `changes` (`step` holds them all), or None.

    The message is one sentence for a bug report.
    """
    return stray_change(changes) or encoding_fault(old.file.text, new.file.text) or _item_fault(old, new, step)


def stray_change(changes: Sequence[Change]) -> str | None:
    """The complaint about a change that edits nothing of what it says that it is about."""
    for change in changes:
        if not any(_is_about(edit, change.span) for edit in change.edits):
            return f"the change {change.title!r} edits only instructions that it does not name"
    return None


def _is_about(edit: Edit, span: Span) -> bool:
    """True if the edit changes something of the span, or adds something at one of its ends."""
    if edit.start == edit.end:
        return span.start <= edit.start <= span.end
    return edit.start < span.end and span.start < edit.end


# --- encoding ------------------------------------------------------------------------------------------------------


def encoding_fault(old: str, new: str) -> str | None:
    """The complaint about a new text with another byte order mark, end or line ends than the old one had; a text that
    was empty had none."""
    if not old:
        return None
    if old.startswith("\ufeff") != new.startswith("\ufeff"):
        return "the byte order mark was not kept"
    if old.endswith("\n") != new.endswith("\n"):
        return "the end of the file did not stay as it was (with or without a line end)"
    if _line_ends(new) - _line_ends(old) and "\n" in old:
        return "the line ends of the file were not kept"
    return None


def _line_ends(text: str) -> set[str]:
    pairs = text.count("\r\n")
    return {end for end, there in (("\r\n", pairs), ("\n", text.count("\n") > pairs)) if there}


# --- items ---------------------------------------------------------------------------------------------------------


def places(file: Dockerfile[str]) -> list[Place]:
    """Every item of a file with its extent. The extents, and the byte order mark before them, tile the text."""
    ends = (*file.starts[1:], len(file.text))
    return [Place(*place) for place in zip(file.starts, ends, file.items, strict=True)]


def _item_fault(old: Parsed, new: Parsed, step: Step) -> str | None:
    """Untouched items are found again at the mapped place, and what remains on both sides is compared."""
    remaining = {place.start: place for place in places(new.file)}
    by_keyword = {p.item.keyword.start: p.item for p in remaining.values() if isinstance(p.item, Instruction)}
    touched: list[Place] = []
    for place in places(old.file):
        at_end_of_file = place.end == len(old.file.text)  # what is added there may belong to the last line
        edits = step.inside(place.start, place.end + at_end_of_file)
        if edits:
            touched.append(place)
            fault = _lost_keyword(place.item, edits, step, by_keyword)
        else:
            fault = _moved(place, remaining.pop(step.forward(place.start), None))
        if fault is not None:
            return fault
    return _touched_fault(old, touched, new, list(remaining.values()))


def _moved(old: Place, new: Place | None) -> str | None:
    if new is not None and type(new.item) is type(old.item) and new.end - new.start == old.end - old.start:
        return None
    return f"{_call(old.item)} means something else now, though no change names it"


def _lost_keyword(old: Item, edits: Sequence[Edit], step: Step, by_keyword: Mapping[int, Instruction]) -> str | None:
    """An instruction may only vanish or become another one by an edit of its keyword."""
    if isinstance(old, (Directive, Opaque)):
        return f"{_call(old)} was edited"
    if not isinstance(old, Instruction):
        return None
    keyword = old.keyword.span
    if any(edit.start < keyword.end and keyword.start < edit.end for edit in edits):
        return None
    found = by_keyword.get(step.forward(keyword.start))
    if found is None:
        return f"{_call(old)} was lost"
    return None if type(found) is type(old) else f"{_call(old)} became {_call(found)}"


def _touched_fault(old: Parsed, before: Sequence[Place], new: Parsed, after: Sequence[Place]) -> str | None:
    for place in after:
        if isinstance(place.item, Opaque):
            return f"the result has an instruction that BuildKit would refuse: {place.item.reason}"
    was_opaque = sum(_is_opaque(place.item, old.script) for place in before)
    is_opaque = sum(_is_opaque(place.item, new.script) for place in after)
    if is_opaque > was_opaque:
        return "a shell script that was understood before is not understood any more"
    lost = _comments(old.file.text, before, old.script) - _comments(new.file.text, after, new.script)
    if lost:
        return f"a comment vanished: {next(iter(lost))}"
    return None


def _is_opaque(item: Item, script: ScriptOf) -> bool:
    return isinstance(item, Instruction) and isinstance(script(item), OpaqueScript)


def _call(item: Item) -> str:
    """How a message names an item."""
    if isinstance(item, Instruction):
        return f"a {item.name} instruction"
    return {Directive: "a parser directive", Comment: "a comment", Opaque: "an instruction that is not understood"}.get(
        type(item), "a blank line"
    )


# --- comments ------------------------------------------------------------------------------------------------------


def _comments(text: str, found: Sequence[Place], script: ScriptOf) -> Counter[str]:
    """All comments in the items: Docker's, those inside continuations, those in heredoc bodies, and the shell's own."""
    counted: Counter[str] = Counter()
    for place in found:
        code = text[place.start : place.end]
        if "#" not in code:
            continue
        lines = [line.strip() for line in code.split("\n") if "#" in line]
        counted.update([line for line in lines if line.startswith("#")])
        if isinstance(place.item, Instruction) and not all(line.startswith("#") for line in lines):
            understood = script(place.item)
            if isinstance(understood, Script):
                counted.update(_shell_comments(understood, place, code))
    return counted


def _shell_comments(script: Script, place: Place, code: str) -> Iterator[str]:
    """Comments that follow a command on its line. They stand in the gaps between the shell's nodes."""
    inner = place.item.inner if isinstance(place.item, Onbuild) else place.item
    bodies = [heredoc.body.span for heredoc in inner.heredocs] if isinstance(inner, Run) else []
    at = script.start
    for start, end in [*_covered(script), (place.end, place.end)]:
        begin = max(at - place.start, 0)
        gap = code[begin : max(start - place.start, 0)]
        if "#" in gap:
            # A line that is all comment counts with the lines.
            head = code[code.rfind("\n", 0, begin) + 1 : begin]
            for i, line in enumerate(gap.split("\n")):
                if "#" in line and ((i == 0 and head.strip()) or not line.lstrip().startswith("#")):
                    # Docker's continuation is no part of it; in a here-document there is none.
                    in_body = any(body.start <= at < body.end for body in bodies)
                    yield line[line.index("#") :].rstrip(" \t\r" if in_body else " \t\r\\`")
        at = max(at, end)


def _covered(script: Script) -> list[tuple[int, int]]:
    """The extents of nodes that have no nodes inside, and of the bodies of shell heredocs."""
    spans: list[tuple[int, int]] = []
    for node in script.walk():
        if next(iter(node.children), None) is None:
            spans.append((node.start, node.end))
        elif isinstance(node, Redirect) and node.body_span is not None:
            spans.append((node.body_span.start, node.body_span.end))
    return sorted(spans)
