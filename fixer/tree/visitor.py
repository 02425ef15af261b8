"""Walk a Dockerfile's tree, and rewrite it.

Methods are found by the node's class name: `visit_Run` before a node's children, `leave_Run` after them. A method for
a base class serves all its subclasses that have none of their own: `visit_Transfer` for COPY and ADD,
`visit_Instruction`, `visit_Node`. Leaves have `visit_Leaf` and `leave_Leaf`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final, TypeVar

from fixer.text.records import fields, replace
from fixer.tree.nodes import Dockerfile, Leaf, Node

if TYPE_CHECKING:
    from collections.abc import Sequence

S = TypeVar("S", str, bytes)
N = TypeVar("N", bound=Node)


class _Remove:
    """The type of REMOVE. A value of its own, and not None: a forgotten `return` must not delete text."""

    def __repr__(self) -> str:
        return "REMOVE"

    def __reduce__(self) -> str:
        return "REMOVE"


REMOVE: Final = _Remove()
"""What `leave_…` returns to take a node away. Allowed for items of a tuple and for fields that may be None."""


class _Walker:
    _found: dict[tuple[str, type], Callable[..., Any] | None]

    def _method(self, prefix: str, kind: type) -> Callable[..., Any] | None:
        found = self.__dict__.setdefault("_found", {})
        key = (prefix, kind)
        if key not in found:
            names = (prefix + base.__name__ for base in kind.__mro__[:-1])
            methods = (getattr(self, name, None) for name in names)
            found[key] = next((method for method in methods if method is not None), None)
        return found[key]  # type: ignore[no-any-return]

    def _enter(self, node: Node | Leaf) -> bool:
        method = self._method("visit_", type(node))
        return method is None or method(node) is not False


class Visitor(_Walker):
    """Looks at nodes. `visit_X(node)` may return False to skip the node's children; `leave_X(node)` comes after."""

    def walk(self, node: Node) -> None:
        """Visit `node` and all below it, in the order of the text."""
        stack: list[tuple[Node | Leaf, Iterator[Node | Leaf]]] = []
        if self._enter(node):
            stack.append((node, node.children))
        while stack:
            at, children = stack[-1]
            child = next(children, None)
            if child is None:
                stack.pop()
                leave = self._method("leave_", type(at))
                if leave is not None:
                    leave(at)
            elif self._enter(child):
                stack.append((child, iter(()) if isinstance(child, Leaf) else child.children))


class Transformer(_Walker):
    """Makes another tree. `leave_X(original, updated)` returns the node to put in the place, or REMOVE, or, where
    several may stand (items of the file, flags, pairs …), a list of nodes.

    `visit_X(node)` may return False to leave a node and all below it as they are.
    """

    def transform(self, node: N) -> N:
        """`node` rewritten. Its positions are those of the old text: `visit` parses again, and is what files are for.

        Raises TypeError if a method returns None, or REMOVE or a list where one node is needed.
        """
        result = self._one(node)
        if not isinstance(result, Node):
            raise TypeError(f"{type(node).__name__}: the root cannot become {result!r}")
        return result  # type: ignore[return-value]

    def _one(self, node: Any) -> Any:
        updated = node
        if not self._enter(node):
            return node
        if isinstance(node, Node):
            changes: dict[str, Any] = {}
            for name in node._field_names():
                old = getattr(node, name)
                new = self._field(node, name, old)
                if new is not old:
                    changes[name] = new
            if changes:
                updated = replace(node, **changes)  # type: ignore[type-var]
        leave = self._method("leave_", type(node))
        if leave is None:
            return updated
        result = leave(node, updated)
        if result is None:
            raise TypeError(f"leave_{type(node).__name__} returned None; return the updated node, or REMOVE")
        return result

    def _field(self, node: Node, name: str, old: Any) -> Any:
        if old is None:
            return None
        if type(old) is not tuple:
            new = self._one(old)
            if isinstance(new, (list, tuple)):
                raise TypeError(f"{type(node).__name__}.{name} holds one node, not several")
            if new is REMOVE:
                if not _optional(type(node), name):
                    raise TypeError(f"{type(node).__name__}.{name} cannot be removed")
                return None
            return new
        out: list[Any] = []
        same = True
        for item in old:
            new = self._one(item)
            same = same and new is item
            if new is REMOVE:
                continue
            if isinstance(new, (list, tuple)):
                out.extend(new)
            else:
                out.append(new)
        return old if same else tuple(out)


def _optional(kind: type, name: str) -> bool:
    field = next(f for f in fields(kind) if f.name == name)
    return str(field.type).endswith("| None")


def visit(file: Dockerfile[S], walker: Visitor | Transformer) -> Dockerfile[S]:
    """`file` after `walker`: itself for a Visitor or if nothing changed, else the new text parsed again."""
    if isinstance(walker, Visitor):
        walker.walk(file)
        return file
    updated = walker.transform(file)
    return file if updated is file else reparsed(file, updated)


def reparsed(file: Dockerfile[S], updated: Node) -> Dockerfile[S]:
    """The text of `updated`, parsed, of the same type of source as `file`."""
    from fixer.text.source import encode
    from fixer.tree.parse import parse

    text = "".join(leaf.prefix + leaf.text for leaf in updated.leaves())
    return parse(encode(text)) if file.binary else parse(text)  # type: ignore[return-value]


def find(root: Node, kind: type[N], where: Callable[[N], bool] | None = None) -> Iterator[N]:
    """All nodes of class `kind` at or below `root`, in the order of the text, for which `where` is true."""
    stack: list[Node | Leaf] = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, kind) and (where is None or where(node)):
            yield node
        if isinstance(node, Node):
            stack.extend(reversed(list(node.children)))


# --- matchers --------------------------------------------------------------------------------------------------------


class Match:
    """What a node looks like: its class, and for some of its fields a value, a text, a `Match`, or a function.

    `Match(Run, form=Match(ShellForm))`, `Match(Flag, name="mount", value=lambda v: "cache" in v)`. A leaf is compared
    by its `value`. A tuple field matches if one of its items does.
    """

    def __init__(self, kind: type[Node] | type[Leaf] | Sequence[type[Node]], **fields: Any) -> None:
        self.kinds: tuple[type, ...] = (kind,) if isinstance(kind, type) else tuple(kind)
        self.fields = fields

    def __call__(self, node: object) -> bool:
        if not isinstance(node, self.kinds):
            return False
        return all(_fits(want, getattr(node, name)) for name, want in self.fields.items())

    def find(self, root: Node) -> Iterator[Any]:
        """The nodes at or below `root` that look like this."""
        stack: list[Node | Leaf] = [root]
        while stack:
            node = stack.pop()
            if self(node):
                yield node
            if isinstance(node, Node):
                stack.extend(reversed(list(node.children)))


def _fits(want: Any, value: Any) -> bool:
    if type(value) is tuple and type(want) is not tuple:
        return any(_fits(want, item) for item in value)
    if callable(want):
        return bool(want(value.value if isinstance(value, Leaf) and not isinstance(want, Match) else value))
    if isinstance(value, Leaf):
        return value.value == want  # type: ignore[no-any-return]
    return bool(value == want)


__all__ = ["REMOVE", "Match", "Transformer", "Visitor", "find", "reparsed", "visit"]
