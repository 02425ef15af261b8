"""A tree as short lines of text, so that what is expected can be written by hand."""

from __future__ import annotations

from typing import Any

from fixer.tree import nodes as n


def shape(file: n.Dockerfile[Any]) -> list[str]:
    """A line for each item but blanks: its place, its class, and its fields in order."""
    return [line(file, item) for item in file.items if not isinstance(item, n.Blank)]


def line(file: n.Dockerfile[Any], item: n.Node) -> str:
    at = file.position(item)
    return f"{at.line}:{at.column} {_node(item)}"


def _node(node: n.Node) -> str:
    name = type(node).__name__
    if isinstance(node, n.Opaque):
        return f"Opaque({node.reason}) {node.text.text!r}"
    if isinstance(node, n.Comment):
        return f"Comment {node.text.text!r}"
    if isinstance(node, n.Directive):
        return f"Directive {node.name.value} {node.argument.value!r}"
    if isinstance(node, n.Onbuild):
        return " ".join([name, *map(_flag, node.flags), _node(node.inner)])
    parts = []
    for field in node._field_names():
        value = getattr(node, field)
        if field in ("keyword", "end") or value is None:
            continue
        parts += [_part(item) for item in value] if isinstance(value, tuple) else [_part(value)]
    return " ".join([name, *parts])


def _part(part: n.Node | n.Leaf) -> str:
    match part:
        case n.Leaf():
            return repr(part.value)
        case n.Flag():
            return _flag(part)
        case n.ShellForm():
            return f"sh {part.script.value!r}"
        case n.ExecForm():
            return "exec " + repr(list(part.values))
        case n.Pair():
            value = "" if part.value is None else part.value.value
            sign = "=" if part.equals is not None else " " if part.value is not None else ""
            return f"{part.key.value}{sign}{value}"
        case n.Heredoc():
            marks = "-" * part.chomp + "'" * part.quoted
            return f"{part.fd or ''}<<{marks}{part.name} {part.body.text!r}"
    raise AssertionError(part)


def _flag(flag: n.Flag) -> str:
    return f"--{flag.name}" + ("" if flag.value is None else f"={flag.value}")


def check_tiles(file: n.Dockerfile[Any]) -> None:
    """The leaves are the text, and every leaf knows where it stands."""
    at = 0
    for leaf in file.leaves():
        assert leaf.start == at + len(leaf.prefix), leaf
        assert file.text.startswith(leaf.prefix, at), leaf
        assert file.text.startswith(leaf.text, leaf.start), leaf
        at = leaf.start + len(leaf.text)
    assert at == len(file.text)
