"""Words of a shell script as the strings that a command gets."""

from __future__ import annotations

import re
from collections.abc import Callable

from fixer.analysis.values import EMPTY, MAX_VALUE, Known, Lookup, Unknown, Value, bounded, expand, trim_pattern
from fixer.text.records import maker
from fixer.text.regex import regex
from fixer.tree.shell import (
    Arithmetic,
    Braces,
    CommandSubstitution,
    Literal,
    Parameter,
    Part,
    Script,
    Simple,
    Tilde,
    Word,
)

Home = Callable[[], Value]

_SPLITS = regex(r"[\s*?\[]")
_BRACES = regex(r"\{[^{}]*\}")
_NEEDS_SHELL = regex(r"`|\$\(|\$\{[^}]*[^\w}]")

_known = maker(Known)


def plain_value(word: Word) -> Value | None:
    """The value of a word that is the same everywhere; None if it needs to be looked at."""
    text = plain_text(word)
    return _known(text) if text is not None else None


def plain_values(words: tuple[Word, ...]) -> tuple[Value, ...] | None:
    """The values of words that are all the same everywhere, as most are; None if one needs to be looked at."""
    values: list[Value] = []
    for word in words:
        parts = word.parts
        if len(parts) != 1:
            return None
        part = parts[0]
        if type(part) is not Literal or part.glob or ("{" in part.value and not part.quoted):
            return None
        values.append(_known(part.value))
    return tuple(values)


def plain_text(word: Word) -> str | None:
    """The same as a string."""
    parts = word.parts
    if len(parts) == 1:
        part = parts[0]
        if type(part) is Literal and not part.glob and (part.quoted or "{" not in part.value):
            return part.value
    return None


def word_value(word: Word, lookup: Lookup, home: Home, cwd: Value, *, split: bool = True) -> Value:
    """The one string that `word` is, or Unknown: a pattern, braces, output of a command, an unknown variable, or text
    that the shell splits into several words or drops. `split=False` where the shell does not split (assignments)."""
    plain = plain_value(word)
    if plain is not None:
        return plain
    parts = word.parts
    out: list[str] = []
    args: frozenset[str] = frozenset()
    present = False
    size = 0
    for part in parts:
        value = _part(part, lookup, home, cwd, split)
        if isinstance(value, Unknown):
            return value
        out.append(value.value)
        size += len(value.value)
        args = args | value.args if value.args else args
        if size > MAX_VALUE:
            return bounded("".join(out), args)
        present = present or getattr(part, "quoted", False) or bool(value.value)
    text = "".join(out)
    if split and parts and not present:
        return Unknown("it is empty, and the shell drops it")
    if "{" in text and not all(getattr(p, "quoted", False) for p in parts) and _has_braces(word.text):
        return Unknown("braces, which some shells expand")
    return bounded(text, args)


def _has_braces(text: str) -> bool:
    """Whether there is something like `{a,b}` or `{1..3}`."""
    return any("," in found or ".." in found for found in _BRACES.findall(text))


def known_prefix(word: Word, lookup: Lookup, home: Home, cwd: Value) -> tuple[str, bool]:
    """The text that `word` surely begins with, and whether it is all of it (a pattern counts as not all)."""
    out: list[str] = []
    size = 0
    for part in word.parts:
        if size > MAX_VALUE:
            return "".join(out), False
        value = _part(part, lookup, home, cwd, True)
        if isinstance(value, Unknown):
            if isinstance(part, Literal):
                out.append(re.split(r"[*?\[]", part.value, maxsplit=1)[0])
            return "".join(out), False
        if isinstance(part, Literal) and not part.quoted and "{" in part.value:
            out.append(part.value.partition("{")[0])
            return "".join(out), False
        out.append(value.value)
        size += len(value.value)
    return "".join(out), True


def _part(part: Part, lookup: Lookup, home: Home, cwd: Value, split: bool) -> Value:
    if isinstance(part, Literal):
        return Unknown("a pattern") if part.glob and split else Known(part.value)
    if isinstance(part, Parameter):
        value = parameter_value(part, lookup)
        if isinstance(value, Known) and split and not part.quoted and _SPLITS.search(value.value):
            return Unknown(f"${part.name} may become several words")
        return value
    if isinstance(part, Tilde):
        return home() if not part.user else Unknown(f"the home of {part.user}")
    if isinstance(part, CommandSubstitution):
        if part.kind in ("$", "`") and _is_pwd(part.script):
            return cwd
        return Unknown("the output of a command")
    if isinstance(part, Arithmetic):
        return Unknown("a computed number")
    if isinstance(part, Braces):
        return Unknown("braces, which some shells expand")
    return Unknown("an expansion that is not understood")


def _is_pwd(script: object) -> bool:
    if not isinstance(script, Script) or len(script.items) != 1 or len(script.items[0].pipelines) != 1:
        return False
    commands = script.items[0].pipelines[0].commands
    if len(commands) != 1 or not isinstance(commands[0], Simple) or commands[0].assignments:
        return False
    return [word.static for word in commands[0].words] == ["pwd"]


def parameter_value(part: Parameter, lookup: Lookup) -> Value:
    """`$name` and `${name<op>argument}` as the shell has it; an unset variable is empty."""
    if not (part.name[:1].isalpha() or part.name[:1] == "_"):
        return Unknown(f"${part.name}")
    found = lookup(part.name)
    op = part.op
    if op in (":-", "-", ":=", "=", ":+", "+"):
        return _choice(part, found, lookup)
    if isinstance(found, Unknown):
        return found if found.why.startswith("$") else Unknown(f"${part.name} is not known: {found.why}")
    value = found if found is not None else EMPTY
    if op in ("", ":?", "?"):
        return value
    if op == "length":
        return Known(str(len(value.value)), value.args)
    if op in ("#", "##", "%", "%%"):
        pattern = _argument(part.argument, lookup)
        if isinstance(pattern, Unknown) or "[" in pattern.value or "\\" in part.argument:
            return Unknown(f"a pattern cut from ${part.name}")
        trimmed = trim_pattern(value.value, pattern.value, suffix=op[0] == "%", greedy=len(op) == 2)
        if trimmed is None:
            return Unknown("a pattern with too many stars")
        return Known(trimmed, value.args | pattern.args)
    return Unknown(f"an expansion of ${part.name} that is not computed")


def _choice(part: Parameter, found: Value | None, lookup: Lookup) -> Value:
    args: frozenset[str] = frozenset()
    if isinstance(found, Unknown):
        if found.arg is None:
            return found
        args = frozenset((found.arg,))
        found = None
    given = found is not None and not (part.op.startswith(":") and not found.value)
    if part.op.endswith("+"):
        value = _argument(part.argument, lookup) if given else EMPTY
    elif given and found is not None:
        return found
    else:
        value = _argument(part.argument, lookup)
    return Known(value.value, value.args | args) if isinstance(value, Known) else value


def _argument(text: str, lookup: Lookup) -> Value:
    if _NEEDS_SHELL.search(text) or text.startswith("~"):
        return Unknown("an expansion inside an expansion")
    return expand(text, lookup)
