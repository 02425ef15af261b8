"""Nodes of the shell tree: what stands in RUN, shell-form CMD/ENTRYPOINT/HEALTHCHECK, and script heredocs.

Positions (`start`, `end`) are offsets in the **file**, so that an edit can be made from any node; what the shell reads
is the *cooked* text (Docker's continuations, and comments inside them, removed). The characters between two nodes are
blanks, continuations, comments, reserved words and brackets. A script is understood whole, or it is an `OpaqueScript`
with a reason: a wrong tree is worse than none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from fixer.text.records import dataclass, fields
from fixer.text.source import Span


@dataclass(frozen=True, slots=True, eq=False)
class ShellNode:
    start: int
    end: int
    _names: ClassVar[tuple[str, ...]] = ()

    @property
    def span(self) -> Span:
        return Span(self.start, self.end)

    @property
    def children(self) -> Iterator[ShellNode]:
        """Child nodes in the order of the text."""
        found: list[ShellNode] = []
        for name in self._field_names():
            value = getattr(self, name)
            if isinstance(value, ShellNode):
                found.append(value)
            elif type(value) is tuple:
                found += [each for each in value if isinstance(each, ShellNode)]
        if len(found) > 1:
            found.sort(key=_start)
        return iter(found)

    @classmethod
    def _field_names(cls) -> tuple[str, ...]:
        names: tuple[str, ...] | None = cls.__dict__.get("_names")
        if names is None:
            names = tuple(each.name for each in fields(cls))
            cls._names = names
        return names

    def walk(self) -> Iterator[ShellNode]:
        """This node and all below it, in the order of the text."""
        stack: list[ShellNode] = [self]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(reversed(list(node.children)))


def _start(node: ShellNode) -> int:
    return node.start


# --- words ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Part(ShellNode):
    """A piece of a word. Quotation marks are outside of its span (but those of `Uncertain`), backslashes inside."""


@dataclass(frozen=True, slots=True, eq=False)
class Literal(Part):
    """Fixed characters. `value` has quotes and escapes removed; `quoted` text is not subject to globbing or splitting.
    `glob` is True if it is unquoted and holds `*`, `?` or `[`."""

    value: str
    quoted: bool
    glob: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Parameter(Part):
    """`$name`, `${name}`, `${name<op>arg}`. `op` is the operator's text (`:-`, `#`, `%%`, `/`, …), `""` for none, and
    `length` for `${#name}`; `argument` is what follows, unparsed cooked text. In bash's `${!name…}` `op` is `!`, and in
    `${name[…]…}` it is `[`."""

    name: str
    op: str
    argument: str
    quoted: bool
    parts: tuple[Part, ...] = ()
    """The expansions in `argument`."""


@dataclass(frozen=True, slots=True, eq=False)
class CommandSubstitution(Part):
    """`$(…)`, backquotes, `<(…)` and `>(…)` (`kind` is `$`, `` ` ``, `<`, `>`)."""

    kind: str
    script: Script | OpaqueScript
    quoted: bool


@dataclass(frozen=True, slots=True, eq=False)
class Arithmetic(Part):
    """`$((…))`; `text` is the inside, `parts` the expansions in it."""

    text: str
    quoted: bool
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Tilde(Part):
    """An unquoted `~` or `~user` at the start of a word; `user` is `""` for the current one."""

    user: str


@dataclass(frozen=True, slots=True, eq=False)
class Braces(Part):
    """`{a,b}` or `{1..3}`, which bash expands and a POSIX shell does not; `text` is all of it, `parts` the
    expansions in it."""

    text: str
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Uncertain(Part):
    """Text whose value is not known, because shells read it differently (`$'…'`, or the tilde of an argument `a=~`, in
    a script for sh; escapes of `$'…'` beyond the plain ones)."""

    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Word(ShellNode):
    parts: tuple[Part, ...]
    text: str
    """The cooked text, quotes included."""

    @property
    def static(self) -> str | None:
        """The one string that this word always is, or None if it holds an expansion, a tilde, a glob or braces."""
        out = []
        for part in self.parts:
            if not isinstance(part, Literal) or part.glob:
                return None
            out.append(part.value)
        return "".join(out)


# --- commands ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Operator(ShellNode):
    """`&&`, `||`, `|`, `|&`, `;`, `&`, newline (`"\\n"`), `;;` …; a node because chains are edited at
    their operators."""

    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Assignment(ShellNode):
    """`name=value`, `name+=value`, `name=(…)` (then `array` is True and `values` are its words)."""

    name: str
    append: bool
    array: bool
    values: tuple[Word, ...]
    """One word (possibly without parts) unless `array`."""


@dataclass(frozen=True, slots=True, eq=False)
class Redirect(ShellNode):
    """`2>file`, `<<EOF` …: `fd` is the written number, `{name}` or `""`; for a shell heredoc `body` is its raw text."""

    fd: str
    op: str
    target: Word
    body: str | None = None
    body_span: Span | None = None
    body_parts: tuple[Part, ...] = ()
    """The expansions in `body` (they stand outside of the node's own span)."""


@dataclass(frozen=True, slots=True, eq=False)
class Command(ShellNode):
    """Base of commands; `redirects` apply to the whole of it."""

    redirects: tuple[Redirect, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Simple(Command):
    """Assignments, then words; `words` is empty for a bare assignment."""

    assignments: tuple[Assignment, ...]
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Subshell(Command):
    """`( … )`"""

    body: Script


@dataclass(frozen=True, slots=True, eq=False)
class Group(Command):
    """`{ …; }`"""

    body: Script


@dataclass(frozen=True, slots=True, eq=False)
class If(Command):
    conditions: tuple[Script, ...]
    """Of `if` and every `elif`."""
    branches: tuple[Script, ...]
    otherwise: Script | None


@dataclass(frozen=True, slots=True, eq=False)
class Loop(Command):
    """`while` and `until`."""

    keyword: str
    condition: Script
    body: Script


@dataclass(frozen=True, slots=True, eq=False)
class For(Command):
    """`for name in words; do … done`, `select`; `words` is None without `in`. C-style `for ((…))` has name `""`, and
    `parts` are the expansions in its parentheses."""

    keyword: str
    name: str
    words: tuple[Word, ...] | None
    body: Script
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class CaseItem(ShellNode):
    patterns: tuple[Word, ...]
    body: Script
    terminator: Operator | None = None
    """`;;`, bash's `;&` and `;;&`, or None for a last item without."""


@dataclass(frozen=True, slots=True, eq=False)
class Case(Command):
    subject: Word
    items: tuple[CaseItem, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Function(Command):
    name: str
    body: Command


@dataclass(frozen=True, slots=True, eq=False)
class Test(Command):
    """`[[ … ]]`: its words, operators among them."""

    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ArithmeticCommand(Command):
    """`(( … ))`; `parts` are the expansions in it."""

    text: str
    parts: tuple[Part, ...] = ()


# --- lists ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Pipeline(ShellNode):
    """Commands joined by `|` or `|&`; `negated` by `!`; `timed` by `time`."""

    negated: bool
    timed: bool
    commands: tuple[Command, ...]
    operators: tuple[Operator, ...]


@dataclass(frozen=True, slots=True, eq=False)
class AndOr(ShellNode):
    """Pipelines joined by `&&` and `||`; `operators[i]` stands between `pipelines[i]` and `pipelines[i + 1]`."""

    pipelines: tuple[Pipeline, ...]
    operators: tuple[Operator, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Script(ShellNode):
    """A list; `separators[i]` (`;`, `&`, newline) follows `items[i]`, and is None only after the last one."""

    items: tuple[AndOr, ...]
    separators: tuple[Operator | None, ...]


@dataclass(frozen=True, slots=True, eq=False)
class OpaqueScript(ShellNode):
    """A script that is not understood: `why` is one of the reasons listed in `fixer.tree.parse_shell.REASONS`."""

    why: str
    at: int = -1
    """Offset in the file of what stopped us, or -1."""
