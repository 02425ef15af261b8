"""Products that a step names by the very variables that it gives to cargo: `cargo build --target $T && cp target/$T/…`.
What the variables hold need not be known: cargo has just made it. For cargo-target-cache."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fixer.analysis import Call, Effect, Facts, Known, clean
from fixer.analysis.tools.cargo import OWN_DIRECTORIES
from fixer.codemods.cargo_steps import Step, calls_of
from fixer.text.regex import regex
from fixer.tree.shell import Word

_VARIABLE = regex(r"\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\})")
_PLAIN = regex(r"[A-Za-z0-9_./-]+\Z")
_NAMES = ("--bin", "--example", "--package", "-p")
_SETS = frozenset(
    ("read", "export", "unset", "eval", "source", ".", "local", "declare", "typeset", "set", "mapfile", "readarray",
     "getopts", "readonly", "shift", "printf")
)  # fmt: skip
"""Builtins that may give a variable another value."""


def is_as_told(facts: Facts, step: Step, effect: Effect, directory: str) -> bool:
    """Whether a command uses a product of a call of cargo before it, in `directory`, and every variable in the name of
    it is an argument of that call which decides that part of the name."""
    call = effect.call
    if call is None or not isinstance(call.cwd, Known) or not _surely_runs(call):
        return False
    if effect.mode == "remove" and call.program != "mv":
        return False
    text = facts.file.text[slice(*effect.span)].replace('"', "")
    names = {found[1] or found[2] for found in _VARIABLE.finditer(text)}
    path = clean(text if text.startswith("/") else f"{call.cwd.value}/{text}")
    parts = path[len(directory) + 1 :].split("/")
    if not names or not _PLAIN.match(_VARIABLE.sub("", text)) or not path.startswith(f"{directory}/"):
        return False
    if len(parts) not in (2, 3) or ".." in parts or parts[-1] in OWN_DIRECTORIES:
        return False
    if call.program == "mv" and step.provider(path) is None:
        return False  # it would not come again
    return any(
        maker.span[1] <= call.span[0] and _surely_runs(maker) and _tells(maker, parts)
        and not _sets_between(facts, step, maker, call, names)
        for maker, _ in step.calls
    )  # fmt: skip


def _surely_runs(call: Call) -> bool:
    return not (call.conditional or call.loop or call.background or call.in_substitution or call.function is not None)


def _tells(maker: Call, parts: Sequence[str]) -> bool:
    options = list(_options(maker))
    wanted = [("--target",)] * (len(parts) - 2) + [("--profile", "--"), _NAMES]
    return all(
        "$" not in part or any(name in names and _same(value, part) for name, value in options)
        for part, names in zip(parts, wanted, strict=True)
    )


def _options(call: Call) -> Iterator[tuple[str, str]]:
    """The options of a call with their values as they stand; `--$PROFILE` is `--` with `$PROFILE`."""
    words = [node.text.replace('"', "") if isinstance(node, Word) else "" for node in call.nodes[1:]]
    for at, word in enumerate(words):
        name, equals, value = word.partition("=")
        if equals:
            yield name, value
        elif word.startswith("--$"):
            yield "--", word[2:]
        elif word.startswith("-") and at + 1 < len(words):
            yield word, words[at + 1]


def _same(first: str, second: str) -> bool:
    return _VARIABLE.sub(r"${\1\2}", first) == _VARIABLE.sub(r"${\1\2}", second)


def _sets_between(facts: Facts, step: Step, maker: Call, call: Call, names: set[str]) -> bool:
    calls = calls_of(facts, step.run)
    facts.charge(1 + len(calls) // 20)
    for each in calls:
        if maker.span[0] < each.span[0] < call.span[0]:
            own = not each.words and any(assignment.name in names for assignment in each.assignments)
            if own or each.program in _SETS:
                return True
    return False
