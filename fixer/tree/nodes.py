"""Nodes of the Dockerfile tree: frozen, slotted, typed, lossless.

Fields stand in the order of the text, and every character belongs to exactly one leaf, so the concatenated leaves are
the file. A leaf owns the blanks, continuations and comments-in-continuations *before* it (its prefix); the end of a
line owns the trailing blanks. Nodes are compared by identity; positions are asked of the `Dockerfile`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Generic

from fixer.text.records import dataclass, field, fields, replace
from fixer.text.source import LineIndex, Position, Span, encode

if TYPE_CHECKING:
    from typing_extensions import Self, TypeVar

    from fixer.tree.visitor import Transformer, Visitor

    Source = TypeVar("Source", str, bytes, default=str)
else:
    from typing import TypeVar

    Source = TypeVar("Source", str, bytes)


@dataclass(frozen=True, slots=True, eq=False)
class Leaf:
    """One token of the grammar.

    type: the terminal's name in `grammar/dockerfile.lark`.
    prefix: what stands before it and means nothing: blanks, continuations, comments and blank lines inside those.
    text: the characters as they stand in the file (continuations inside a word included).
    value: the characters that BuildKit sees: continuations, and comments inside them, removed. Quotes are kept.
    start: offset of `text` in the file; -1 for a leaf that was made by hand and is not parsed yet.
    """

    type: str
    prefix: str
    text: str
    value: str
    start: int = -1

    @property
    def code(self) -> str:
        return self.prefix + self.text

    @property
    def span(self) -> Span:
        """The place of `text`, without the prefix."""
        return Span(self.start, self.start + len(self.text))

    def with_text(self, text: str) -> Leaf:
        """A leaf with the same prefix and other text."""
        return Leaf(self.type, self.prefix, text, text)

    def __str__(self) -> str:
        return self.text


class Node:
    """Base of all nodes. Subclasses are dataclasses whose fields are leaves, nodes, tuples of them, or None."""

    __slots__ = ()
    _names: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def _field_names(cls) -> tuple[str, ...]:
        names = cls.__dict__.get("_names")
        if names is None:
            names = tuple(f.name for f in fields(cls) if f.metadata.get("tree", True))  # type: ignore[arg-type]
            cls._names = names
        return names

    @property
    def children(self) -> Iterator[Node | Leaf]:
        """Child nodes and leaves in the order of the text."""
        for name in self._field_names():
            value = getattr(self, name)
            if value is None:
                continue
            if type(value) is tuple:
                yield from value
            else:
                yield value

    def leaves(self) -> Iterator[Leaf]:
        """All leaves below, in the order of the text."""
        found: list[Leaf] = []
        self._collect(found)
        return iter(found)

    def _collect(self, found: list[Leaf]) -> None:
        """The tree is some levels deep, whatever the text."""
        for name in self._field_names():
            value = getattr(self, name)
            if value.__class__ is Leaf:
                found.append(value)
            elif value.__class__ is not tuple:
                if value is not None:
                    value._collect(found)
            else:
                for child in value:
                    if child.__class__ is Leaf:
                        found.append(child)
                    else:
                        child._collect(found)

    @property
    def first_leaf(self) -> Leaf | None:
        """The first leaf below, found without a look at the others."""
        return self._edge(False)

    @property
    def code(self) -> str:
        """The exact text, prefixes included."""
        return "".join(leaf.prefix + leaf.text for leaf in self.leaves())

    @property
    def span(self) -> Span:
        """From the first leaf's text to the last leaf's end."""
        first, last = self._edge(False), self._edge(True)
        if first is None or last is None:
            return Span(-1, -1)
        return Span(first.start, last.start + len(last.text))

    def _edge(self, last: bool) -> Leaf | None:
        """The first or the last leaf below, without looking at those between."""
        names = self._field_names()
        for name in reversed(names) if last else names:
            value = getattr(self, name)
            many = value if type(value) is tuple else (value,)
            for child in reversed(many) if last else many:
                found = child if child is None or isinstance(child, Leaf) else child._edge(last)
                if found is not None:
                    return found
        return None

    def with_changes(self, **changes: Any) -> Self:
        """A copy with other fields. A plain string given for a leaf keeps that leaf's prefix and type.

        The result is text that is not parsed yet: `Dockerfile.visit` parses the whole file again, so that a tree and
        its positions never disagree. Raises TypeError for a field that the node does not have.
        """
        for name, new in changes.items():
            old = getattr(self, name, None)
            if isinstance(new, str) and isinstance(old, Leaf):
                changes[name] = old.with_text(new)
        return replace(self, **changes)  # type: ignore[type-var]

    def __str__(self) -> str:
        return self.code


# --- lines that are not instructions -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Directive(Node):
    """A parser directive: `# syntax=…`, `# escape=…`, `# check=…` (BuildKit parser/directives.go, v0.25)."""

    hash: Leaf
    name: Leaf
    equals: Leaf
    argument: Leaf
    end: Leaf


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Comment(Node):
    """A comment line, or a shebang on the first line."""

    text: Leaf
    end: Leaf


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Blank(Node):
    """A line with nothing but blanks."""

    end: Leaf


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Opaque(Node):
    """An instruction that BuildKit would refuse, or that is not understood: kept as it is, with the reason why."""

    text: Leaf
    end: Leaf
    reason: str = field(metadata={"tree": False})


# --- parts of instructions -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Flag(Node):
    """`--name=value` or `--name` before an instruction's arguments; `word` is the whole of it, quotes included."""

    word: Leaf
    name: str = field(metadata={"tree": False})
    value: str | None = field(metadata={"tree": False})
    """`name` without the dashes and `value` as BuildKit sees them: quotes removed (instructions/bflag.go, v0.25).
    The word `--`, which ends the flags, is a flag with the name `""`."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Heredoc(Node):
    """A here-document's body and its terminator line, below the instruction's own line."""

    body: Leaf
    terminator: Leaf
    end: Leaf
    name: str = field(metadata={"tree": False})
    """The terminator as it is compared, quotes removed."""
    fd: int = field(metadata={"tree": False})
    quoted: bool = field(metadata={"tree": False})
    """True if the name was quoted: no expansion in the body."""
    chomp: bool = field(metadata={"tree": False})
    """True for `<<-`: leading tabs of body and terminator mean nothing."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ShellForm(Node):
    """Text that a shell reads. `script.value` is what the shell gets (Docker's continuations and comments removed)."""

    script: Leaf


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class JsonString(Node):
    """One string of a JSON form, with the comma after it."""

    string: Leaf
    comma: Leaf | None
    value: str = field(metadata={"tree": False})
    """The decoded string."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ExecForm(Node):
    """JSON form: `["a", "b"]`."""

    open: Leaf
    items: tuple[JsonString, ...]
    close: Leaf

    @property
    def values(self) -> tuple[str, ...]:
        return tuple(item.value for item in self.items)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Pair(Node):
    """`key=value` of ENV, LABEL or ARG; `key value` of the old ENV and LABEL form has no `equals`;
    `ARG NAME` has neither `equals` nor `value`."""

    key: Leaf
    equals: Leaf | None
    value: Leaf | None
    """An empty leaf for `key=`. Quotes are kept in `value.value`: to unquote and expand is for `fixer.analysis`."""


Form = ShellForm | ExecForm

# --- instructions --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Instruction(Node):
    """Base of instructions. `keyword.prefix` is the indentation (inside ONBUILD: the gap)."""

    keyword: Leaf
    flags: tuple[Flag, ...]

    @property
    def name(self) -> str:
        """The keyword in upper case."""
        return self.keyword.value.upper()


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class From(Instruction):
    image: Leaf
    as_: Leaf | None
    alias: Leaf | None
    end: Leaf


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Run(Instruction):
    form: Form | None
    """None for a bare RUN."""
    end: Leaf
    heredocs: tuple[Heredoc, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Cmd(Instruction):
    form: Form | None
    end: Leaf


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Entrypoint(Instruction):
    form: Form | None
    end: Leaf


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Transfer(Instruction):
    """What COPY and ADD share: `sources` and `destination` (words cut at blanks, quotes kept), or `form` (JSON)."""

    form: ExecForm | None
    sources: tuple[Leaf, ...]
    destination: Leaf | None
    end: Leaf
    heredocs: tuple[Heredoc, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Copy(Transfer):
    pass


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Add(Transfer):
    pass


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Env(Instruction):
    pairs: tuple[Pair, ...]
    end: Leaf


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Label(Instruction):
    pairs: tuple[Pair, ...]
    end: Leaf


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Arg(Instruction):
    pairs: tuple[Pair, ...]
    end: Leaf


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Expose(Instruction):
    ports: tuple[Leaf, ...]
    end: Leaf


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Volume(Instruction):
    form: ExecForm | None
    paths: tuple[Leaf, ...]
    end: Leaf


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class User(Instruction):
    argument: Leaf
    end: Leaf


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Workdir(Instruction):
    argument: Leaf
    end: Leaf


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Stopsignal(Instruction):
    argument: Leaf
    end: Leaf


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Maintainer(Instruction):
    argument: Leaf
    end: Leaf


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Healthcheck(Instruction):
    kind: Leaf
    """NONE or CMD."""
    form: Form | None
    end: Leaf


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Shell(Instruction):
    form: ExecForm
    end: Leaf


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Onbuild(Instruction):
    inner: Instruction
    """The trigger. It holds the end of the line and the heredocs."""


Item = Directive | Comment | Blank | Opaque | Instruction


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Dockerfile(Node, Generic[Source]):
    """A whole file. `items` are its lines and instructions in order; nothing is left out."""

    bom: Leaf | None
    items: tuple[Item, ...]
    text: str = field(metadata={"tree": False})
    """The file's characters (bytes that are not UTF-8 as lone surrogates)."""
    binary: bool = field(metadata={"tree": False})
    """True if bytes were parsed; then `code` gives bytes."""
    escape: str = field(metadata={"tree": False})
    """The escape character in force."""
    lines: LineIndex = field(metadata={"tree": False})
    starts: tuple[int, ...] = field(metadata={"tree": False})
    """Where each item begins, prefix and all. It ends where the next one begins, the last one with the text."""
    instructions: tuple[Instruction, ...] = field(init=False, metadata={"tree": False})
    """The instructions, without comments, blanks, directives and opaque lines."""

    def __post_init__(self) -> None:
        found = tuple(item for item in self.items if isinstance(item, Instruction))
        object.__setattr__(self, "instructions", found)

    @property
    def code(self) -> Source:  # type: ignore[override]
        """Exactly what was given to `parse`, and of the same type."""
        return encode(self.text) if self.binary else self.text  # type: ignore[return-value]

    def visit(self, walker: Visitor | Transformer) -> Dockerfile[Source]:
        """The file after `walker`: itself if nothing changed, else the new text, parsed again.

        Raises TypeError if a transformer gives back what cannot stand in a place.
        """
        from fixer.tree.visitor import visit

        return visit(self, walker)

    def with_changes(self, **changes: Any) -> Dockerfile[Source]:
        """A file with other `items` or another `bom`, parsed again. Raises TypeError for any other field."""
        from fixer.tree.visitor import reparsed

        if not changes.keys() <= {"bom", "items"}:
            raise TypeError("of a Dockerfile, only bom and items can be changed")
        return reparsed(self, replace(self, **changes))

    def source_of(self, node: Node) -> str:
        """The same as `node.code` for a node of this tree, cut out of the text at once."""
        first, last = node._edge(False), node._edge(True)
        if first is None or last is None:
            return ""
        return self.text[first.start - len(first.prefix) : last.start + len(last.text)]

    @property
    def opaque(self) -> tuple[Opaque, ...]:
        return tuple(item for item in self.items if isinstance(item, Opaque))

    def position(self, place: Node | Leaf | int) -> Position:
        """Line and column, from 1, of a node of this tree or of an offset."""
        return self.lines.position(place if isinstance(place, int) else place.span.start)
