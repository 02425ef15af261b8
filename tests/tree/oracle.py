"""Our tree against BuildKit's own parser, as far as the PyPI package `dockerfile` shows it (BuildKit v0.12.5).

    python -m tests.tree.oracle DIRECTORY…

compares every file below the directories and prints counts. `differences` compares one text. A difference is either
explained by name, in `EXPLANATIONS`, or it is a fault.
"""

from __future__ import annotations

import collections
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import dockerfile

from fixer.tree import nodes as n
from fixer.tree.cook import cook
from fixer.tree.parse import parse

PARSER_REASONS = frozenset(
    {
        "directive-duplicate",
        "directive-escape",
        "heredoc-name",
        "heredoc-unterminated",
        "json-not-strings",
        "line-too-long",
        "pair-without-equals",
        "pair-without-value",
    }
)
"""Reasons that BuildKit's parser itself gives as errors; the others come from a later step (instructions/parse.go)."""

EXPLANATIONS = {
    "nul": "the Go binding hands strings over as C strings: they end at a NUL",
    "json-then-text": "v0.12.5 reads a JSON array and forgets what stands behind it; later all of it is shell form",
    "heredoc-variable": "v0.12.5 keeps what stands before `${x:-y}` in a word; later versions lose it, so `<<E${x:-y}` "
    "is a here-document for the first only",
    "heredoc-after-blank": "v0.12.5 does not see `<< EOF`, with a blank before the name, as a here-document",
    "blank-before-directive": "v0.12.5 knows fewer blanks between the # and the name of a directive (no vertical tab)",
    "escape-in-flag": "v0.12.5 takes a backslash for the escape character in flags, whatever the file says; v0.25 what "
    "the file says (shown with `--network=no\\ne` on an engine)",
    "check-directive": "v0.12.5 does not know `# check=` (new in v0.15), so directives below it are comments there",
}
"""Every difference that is no fault, by name."""


UNDECODABLE = "the binding cannot decode its own answer"
"""What `theirs` gives for a text in which BuildKit cuts a character in two."""


class Seen(NamedTuple):
    """One instruction as both sides can show it."""

    name: str
    lines: tuple[int, int]
    flags: tuple[str, ...]
    values: tuple[str, ...]
    json: bool
    heredocs: tuple[tuple[str, int, str], ...]


class Difference(NamedTuple):
    what: str
    ours: Any
    theirs: Any
    explained: str | None


# --- their side ------------------------------------------------------------------------------------------------------


def theirs(text: str) -> list[Seen] | str:
    """The instructions as BuildKit's parser gives them, or its error."""
    try:
        commands = dockerfile.parse_string(text)
    except UnicodeDecodeError:
        return UNDECODABLE
    except dockerfile.GoParseError as error:
        return str(error)
    return [_seen(command) for command in commands]


def _seen(command: Any) -> Seen:
    name = (command.cmd or "").upper()
    if command.sub_cmd is not None:
        name += " " + command.sub_cmd.upper()
    heredocs = tuple((h.name, h.file_descriptor, h.content or "") for h in command.heredocs)
    lines = (command.start_line, command.end_line)
    return Seen(name, lines, tuple(command.flags), tuple(v or "" for v in command.value), command.json, heredocs)


# --- our side --------------------------------------------------------------------------------------------------------


def ours(file: n.Dockerfile[Any]) -> list[Seen | n.Opaque]:
    return [
        item if isinstance(item, n.Opaque) else seen(file, item)
        for item in file.items
        if isinstance(item, (n.Instruction, n.Opaque))
    ]


def seen(file: n.Dockerfile[Any], node: n.Instruction) -> Seen:
    """What BuildKit's parser would say about one of our nodes."""
    name = node.name
    flags = _flags(node)
    inner = node
    heredocs: tuple[tuple[str, int, str], ...] = ()
    if isinstance(node, n.Onbuild):
        inner = node.inner
        name += " " + inner.name
    else:
        heredocs = tuple((h.name, h.fd, h.body.text) for h in getattr(node, "heredocs", ()))
    form = getattr(inner, "form", None)
    return Seen(name, _lines(file, node), flags, tuple(values(inner)), isinstance(form, n.ExecForm), heredocs)


def _flags(node: n.Instruction) -> tuple[str, ...]:
    flags = (flag for flag in node.flags if flag.word.value != "--")
    return tuple(f"--{flag.name}" + ("" if flag.value is None else f"={flag.value}") for flag in flags)


def _lines(file: n.Dockerfile[Any], node: n.Node) -> tuple[int, int]:
    """First and last line. Lines that are `\\` alone before the keyword count, blanks before it do not."""
    leaves = list(node.leaves())
    start = leaves[0].start - len(leaves[0].prefix)
    last = leaves[-1]
    end = last.start + len(last.text)
    return file.position(start).line, file.position(end - 1 if end > start and last.text else end).line


def values(node: n.Instruction) -> Iterator[str]:
    match node:
        case n.From():
            yield from (leaf.value for leaf in (node.image, node.as_, node.alias) if leaf is not None)
        case n.Env() | n.Label():
            for pair in node.pairs:
                assert pair.value is not None
                yield pair.key.value
                yield pair.value.value
        case n.Arg():
            for pair in node.pairs:
                yield pair.key.value + ("" if pair.value is None else "=" + pair.value.value)
        case n.Expose():
            yield from (port.value for port in node.ports)
        case n.User() | n.Workdir() | n.Stopsignal() | n.Maintainer():
            yield node.argument.value
        case n.Transfer():
            yield from _form(node.form)
            yield from (source.value for source in node.sources)
            if node.destination is not None:
                yield node.destination.value
        case n.Volume():
            yield from _form(node.form)
            yield from (path.value for path in node.paths)
        case n.Healthcheck():
            yield node.kind.value
            yield from _form(node.form)
        case n.Run() | n.Cmd() | n.Entrypoint() | n.Shell():
            yield from _form(node.form)


def _form(form: n.Form | None) -> Iterator[str]:
    if isinstance(form, n.ShellForm):
        yield form.script.value
    elif form is not None:
        yield from form.values


# --- comparing -------------------------------------------------------------------------------------------------------


def differences(data: bytes) -> list[Difference]:
    """All differences for one text; empty if both sides agree that it cannot be read, or on all instructions.

    Bytes that are not UTF-8 are compared as U+FFFD, which BuildKit makes of them: the binding cannot hand them over.
    If BuildKit refuses the text, we must have an opaque instruction with one of PARSER_REASONS, or no instruction at
    all; if it accepts it, we must have none with such a reason.
    """
    text = data.decode("utf-8", "replace")
    file = parse(text)
    mine = ours(file)
    other = theirs(text)
    if other == UNDECODABLE:
        return []
    if isinstance(other, str):
        reasons = {item.reason for item in mine if isinstance(item, n.Opaque)}
        # What is left of a flag that BuildKit cuts in two may be what it refuses.
        refused = not mine or reasons & (PARSER_REASONS | {"onbuild-trigger", "flag-bytes"})
        if refused:
            return []
        forgetful = "JSON" in other and any(_json_then_text(item) for item in mine if isinstance(item, Seen))
        explained = "json-then-text" if forgetful else _explanation(text)
        return [Difference("accepted", [_name(item) for item in mine][:3], other, explained)]
    return list(_compare(file, mine, other))


def _compare(file: n.Dockerfile[Any], mine: list[Seen | n.Opaque], other: list[Seen]) -> Iterator[Difference]:
    data = file.text
    if len(mine) != len(other):
        yield _explain(data, "count", [_name(m) for m in mine], [t.name for t in other])
        return
    for item, their in zip(mine, other, strict=True):
        if isinstance(item, n.Opaque):
            if item.reason in PARSER_REASONS:
                yield _explain(data, "refused", item.reason, their)
            if _lines(file, item) != their.lines:
                yield _explain(data, "lines of opaque", _lines(file, item), their.lines)
            continue
        for what in Seen._fields:
            a, b = getattr(item, what), getattr(their, what)
            if a != b:
                forgetful = what in ("values", "json") and their.json and _json_then_text(item)
                yield Difference(what, a, b, "json-then-text" if forgetful else _explanation(data))
    for item in file.instructions:
        if isinstance(item, n.Onbuild):
            yield from _inner(item.inner, file.escape)


def _inner(node: n.Instruction, escape: str) -> Iterator[Difference]:
    """The binding shows no flags and here-documents below ONBUILD, so what is below goes to it alone."""
    data = f"# escape={escape}\n{node.code}"
    other = theirs(data)
    if isinstance(other, str) or len(other) != 1:
        return
    file = parse(data)
    (mine,) = ours(file)
    assert isinstance(mine, Seen)
    for what in ("flags", "values", "heredocs"):
        a, b = getattr(mine, what), getattr(other[0], what)
        if a != b:
            forgetful = what == "values" and other[0].json and _json_then_text(mine)
            yield Difference(f"onbuild {what}", a, b, "json-then-text" if forgetful else _explanation(data))
    if _flags(node) != mine.flags or tuple(values(node)) != mine.values:
        yield Difference("onbuild alone", mine, node.code, None)


def _json_and_heredoc(code: str) -> bool:
    """True for an array with text behind it that asks for a here-document, which v0.12.5 does not see in JSON form."""
    at = code.find("[")
    return 0 <= at < code.find("<<") and _array_end(code[at:].partition("\n")[0]) > 0


def _json_then_text(item: Seen) -> bool:
    values = item.values[1:] if item.name.endswith("HEALTHCHECK") else item.values
    text = " ".join(values)
    return not item.json and 0 < _array_end(text) < len(text)


def _array_end(text: str) -> int:
    """Where the JSON array at the start of `text` ends; 0 if there is none."""
    try:
        array, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return 0
    return end if isinstance(array, list) else 0


def _name(item: Seen | n.Opaque) -> str:
    return f"Opaque({item.reason})" if isinstance(item, n.Opaque) else item.name


def _explain(text: str, what: str, a: Any, b: Any) -> Difference:
    return Difference(what, a, b, _explanation(text))


def _explanation(text: str) -> str | None:
    """The name of what makes the two sides differ on this text, or None."""
    if "\0" in text or "\\u0000" in text:
        return "nul"
    file = parse(text)
    joined = [cook(item.code, file.escape).text for item in file.items if isinstance(item, (n.Opaque, n.Instruction))]
    if any(_json_and_heredoc(code) for code in joined):
        return "json-then-text"
    if any(re.search(r"<<-?[\t\r ]", code) for code in joined):
        return "heredoc-after-blank"
    if any("<<" in code and "${" in code for code in joined):
        return "heredoc-variable"
    if file.escape == "`" and any(re.search(r"\s--.*[\\`]", code) for code in joined):
        return "escape-in-flag"
    top = text.removeprefix("\ufeff").split("\n")
    for line in top:
        rest = line.strip().lower()
        if not rest.startswith("#"):
            break
        if rest[1:].strip(" \t\r\f") != rest[1:].strip():
            return "blank-before-directive"
        if rest[1:].strip().startswith("check"):
            return "check-directive"
    return None


# --- the command -----------------------------------------------------------------------------------------------------


def files_below(folders: list[str]) -> Iterator[Path]:
    for folder in folders:
        for parent, _, names in sorted(os.walk(folder)):
            yield from (Path(parent, name) for name in sorted(names) if not name.endswith(".tsv"))


def main(folders: list[str]) -> int:
    counts: collections.Counter[str] = collections.Counter()
    faults = 0
    for path in files_below(folders):
        data = path.read_bytes()
        counts["files"] += 1
        counts["refused" if isinstance(theirs(data.decode("utf-8", "replace")), str) else "accepted"] += 1
        found = differences(data)
        for difference in found:
            counts[f"difference: {difference.explained or 'NOT EXPLAINED'}"] += 1
        bad = [difference for difference in found if difference.explained is None]
        faults += len(bad)
        for difference in bad[:2]:
            print(f"{path}: {difference.what}: {str(difference.ours)[:300]} != {str(difference.theirs)[:300]}")
        counts["instructions"] += len(parse(data).instructions)
    for name, count in sorted(counts.items()):
        print(f"{count:8} {name}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
