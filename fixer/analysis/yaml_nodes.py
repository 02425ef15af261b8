"""YAML with places: the nodes of one document, made from the text alone, for edits of the text itself.

Read by PyYAML (`yaml.compose`, YAML 1.1). Only the structure and the texts of scalars are taken from it: whether `on`
is a word or a truth value is not decided here. An alias is the node of its anchor, the same object.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from fixer.text.records import dataclass, field
from fixer.text.source import Span

_MOST_OPEN, _TOO_MANY = 60, 500
"""So many open brackets, or dashes on a line, are read by libyaml, which does not mind its stack; more are read by the
parser in Python, which ends with an error; and even more would only take time."""
_DEEPEST = 100
"""So many collections inside of each other are read: whoever goes through them has a stack, too."""
_TOO_DEEP = "it is nested too deeply"
_BRACKET = re.compile(r"[\[\]{}]")
_NESTED_LINE = re.compile(r"(?m)^(?:[ ]{200}|(?:[ ]*[-?][ ]){20})")


class YamlError(Exception):
    """A text that is no YAML document, or one with what GitHub does not take. The message is a sentence without a
    stop."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


@dataclass(frozen=True, slots=True, eq=False)
class Scalar:
    """A text. style: `'`, `"`, `|`, `>`, or nothing for a plain one. The span is that of the scalar as it is written,
    quotes and a block's lines included, without the blank lines behind a block."""

    span: Span
    text: str
    style: str


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Mapping:
    """Pairs in the order of the text. flow: written in braces."""

    span: Span
    pairs: tuple[tuple[Node, Node], ...]
    flow: bool
    _by_name: dict[str, Node] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_name", {name.text: value for name, value in self.items()})

    def get(self, key: str) -> Node | None:
        """The value of a key; None if it is not there."""
        return self._by_name.get(key)

    def items(self) -> Iterator[tuple[Scalar, Node]]:
        """The pairs whose keys are texts, which all are in a file that GitHub takes."""
        for key, value in self.pairs:
            if isinstance(key, Scalar):
                yield key, value


@dataclass(frozen=True, slots=True, eq=False)
class Items:
    """A sequence. flow: written in brackets."""

    span: Span
    nodes: tuple[Node, ...]
    flow: bool


Node: TypeAlias = "Scalar | Mapping | Items"


class Yaml:
    """The one document of a text, or if `several` may be there, all of them.

    root: its node; None if there is none. roots: those of all documents.
    shared: the ids (`id`) of nodes that an alias names too, and of all that is inside them: an edit there would mean
        several places.
    """

    def __init__(self, text: str, *, several: bool = False) -> None:
        """Raises YamlError."""
        self.shared: set[int] = set()
        self._text = text
        self._base = 1 if text.startswith("\ufeff") else 0
        self._made: dict[int, Node] = {}
        self._active: set[int] = set()
        found = _compose(text[self._base :], self._base, several)
        self.roots = tuple(self._node(one) for one in found)
        self.root = self.roots[0] if self.roots else None

    def _node(self, raw: Any) -> Node:
        known = self._made.get(id(raw))
        if known is not None:
            self._share(known)
            return known
        start = raw.start_mark.index + self._base
        if id(raw) in self._active:
            raise YamlError("an alias stands inside of its own anchor", start)
        if len(self._active) > _DEEPEST:
            raise YamlError(_TOO_DEEP, start)
        self._active.add(id(raw))
        made = self._make(raw, start, raw.end_mark.index + self._base)
        self._active.discard(id(raw))
        self._made[id(raw)] = made
        return made

    def _make(self, raw: Any, start: int, end: int) -> Node:
        if raw.id == "scalar":
            style = raw.style or ""
            if style in ("|", ">"):
                end = self._block_end(start, end, raw.value)
            return Scalar(Span(start, end), raw.value, style)
        flow = bool(raw.flow_style)
        if raw.id == "sequence":
            nodes = tuple(self._node(one) for one in raw.value)
            return Items(Span(start, end if flow else self._last(start, nodes)), nodes, flow)
        pairs: list[tuple[Node, Node]] = []
        seen: set[str] = set()
        for key, value in raw.value:
            name = self._node(key)
            if isinstance(name, Scalar):
                if name.text in seen:
                    raise YamlError(f"the key {name.text!r} stands twice in a mapping", name.span.start)
                seen.add(name.text)
            pairs.append((name, self._node(value)))
        children = [node for pair in pairs for node in pair]
        return Mapping(Span(start, end if flow else self._last(start, children)), tuple(pairs), flow)

    def _last(self, start: int, nodes: list[Node] | tuple[Node, ...]) -> int:
        """The end of a block collection, whose own mark is where the next token begins."""
        return max((node.span.end for node in nodes), default=start)

    def _block_end(self, start: int, end: int, value: str) -> int:
        """The end of the last line of a block scalar that is not blank, or longer than the indent; with `+` blank lines
        belong to it."""
        header, *lines = self._text[start:end].split("\n")
        indent = _leading(lines) - _leading(value.split("\n"))
        while lines and not lines[-1].strip() and len(lines[-1].rstrip("\r")) <= indent:
            lines.pop()
            if "+" in header.partition("#")[0]:
                break
        return start + len("\n".join((header, *lines)).removesuffix("\r"))

    def _share(self, node: Node) -> None:
        stack = [node]
        while stack:
            one = stack.pop()
            if id(one) in self.shared:
                continue
            self.shared.add(id(one))
            if isinstance(one, Items):
                stack.extend(one.nodes)
            elif isinstance(one, Mapping):
                stack.extend(part for pair in one.pairs for part in pair)


def _leading(lines: list[str]) -> int:
    """How many spaces stand before the first line that is not blank; without such a line, as many as stand anywhere."""
    first = next((line for line in lines if line.strip()), max(lines, key=len, default=""))
    return len(first) - len(first.lstrip(" "))


def _compose(text: str, base: int, several: bool) -> list[Any]:
    import yaml

    try:
        if several:
            return list(yaml.compose_all(text, Loader=_loader(text)))
        found = yaml.compose(text, Loader=_loader(text))
        return [] if found is None else [found]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = " ".join(part for part in (error.context, error.problem) if part)
        raise YamlError(f"it is no YAML: {said}", base + (mark.index if mark else 0)) from error
    except yaml.reader.ReaderError as error:
        place = error.position if isinstance(error.position, int) else 0
        raise YamlError("it is no YAML: a character that YAML does not allow", base + place) from error
    except UnicodeEncodeError as error:
        raise YamlError("it is no YAML: bytes that are not UTF-8", base + error.start) from error
    except RecursionError as error:
        raise YamlError(_TOO_DEEP, base) from error


def _loader(text: str) -> Any:
    import yaml

    deepest = _deepest(text)
    if deepest > _TOO_MANY:
        raise RecursionError
    if not yaml.__with_libyaml__ or deepest > _MOST_OPEN or _NESTED_LINE.search(text):
        return yaml.SafeLoader
    return yaml.CSafeLoader


def _deepest(text: str) -> int:
    """How many brackets are open at most, or more: those in scalars count too."""
    depth = deepest = 0
    for match in _BRACKET.finditer(text):
        depth = depth + 1 if match[0] in "[{" else max(depth - 1, 0)
        deepest = max(depth, deepest)
    return deepest


def merged(node: Node | None, key: str, charge: Callable[[int], None] = lambda _: None) -> Node | None:
    """The value of a key of a mapping, also of one that is merged into it by `<<` (YAML 1.1, "Merge Key Language-
    Independent Type"); None if it is not there, or the node is no mapping. charge: told how many nodes are looked
    at."""
    waiting, seen = [node], set[int]()
    while waiting:
        one = waiting.pop()
        charge(1)
        if id(one) in seen or not isinstance(one, Mapping | Items):
            continue
        seen.add(id(one))
        if isinstance(one, Items):
            charge(len(one.nodes))
            waiting.extend(reversed(one.nodes))
            continue
        found = one.get(key)
        if found is not None:
            return found
        waiting.append(one.get("<<"))
    return None


def same(old: Node | None, new: Node | None) -> bool:
    """Whether two nodes mean the same, keys in the same order. Aliases cost nothing twice."""
    seen: set[tuple[int, int]] = set()
    stack: list[tuple[Node | None, Node | None]] = [(old, new)]
    while stack:
        a, b = stack.pop()
        if a is None or b is None:
            if a is not b:
                return False
            continue
        if (id(a), id(b)) in seen:
            continue
        seen.add((id(a), id(b)))
        if isinstance(a, Scalar) and isinstance(b, Scalar):
            if a.text != b.text or bool(a.style) != bool(b.style):
                return False
        elif isinstance(a, Items) and isinstance(b, Items):
            if len(a.nodes) != len(b.nodes):
                return False
            stack.extend(zip(a.nodes, b.nodes, strict=True))
        elif isinstance(a, Mapping) and isinstance(b, Mapping):
            if len(a.pairs) != len(b.pairs):
                return False
            for (key, value), (other, changed) in zip(a.pairs, b.pairs, strict=True):
                stack += [(key, other), (value, changed)]
        else:
            return False
    return True
