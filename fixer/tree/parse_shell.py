"""From the text that a shell reads to its tree. Understood whole, or opaque with a reason; never raises on content."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Literal

from fixer.text.records import maker, replace
from fixer.tree.cook import Cooked
from fixer.tree.grammar import load_grammar
from fixer.tree.shell import (
    AndOr,
    ArithmeticCommand,
    Assignment,
    Case,
    CaseItem,
    Command,
    For,
    Function,
    Group,
    If,
    Loop,
    OpaqueScript,
    Operator,
    Part,
    Pipeline,
    Redirect,
    Script,
    Simple,
    Subshell,
    Test,
    Word,
)
from fixer.tree.shell import Literal as LiteralPart
from fixer.tree.shell_lexer import MAX_DEPTH, REASONS, RefusedError, Scanner

__all__ = ["MAX_DEPTH", "REASONS", "Dialect", "parse_shell"]

Dialect = Literal["sh", "bash"]


def parse_shell(cooked: Cooked, base: int = 0, dialect: Dialect = "sh") -> Script | OpaqueScript:
    """The tree of a script.

    cooked: the script as the shell reads it; for a RUN with here-documents that the shell reads, with their bodies.
    base: offset in the file of the raw text that `cooked` came from; all positions in the tree are offsets in the file.
    dialect: `bash` if that is known to be the shell, else `sh`: see `fixer.tree.shell_lexer` for what differs.

    Never raises on content: what is not understood whole is an `OpaqueScript` whose `why` is a key of `REASONS`. Takes
    time linear in the text.
    """
    text = cooked.text
    places = _places(cooked, base)
    scanner = Scanner(text, places, 0, len(text), dialect == "bash", _parse)
    try:
        return _parse(scanner)
    except RefusedError as refused:
        return OpaqueScript(places[0], places[len(text)], refused.why, refused.at)


def _places(cooked: Cooked, base: int) -> Sequence[int]:
    """The offset in the file of every character, and the end."""
    size = len(cooked.text)
    if cooked.plain:
        return range(base, base + size + 1)
    raw = cooked.raw
    places: list[int] = []
    at = 0
    for start, length in cooked.pieces():
        places.extend(range(base + start, base + start + length))
        at += length
    places.append(base + raw(size))
    return places


# --- driving Lark's tables ------------------------------------------------------------------------------------------

_Row = dict[str, Any]


@lru_cache(maxsize=1)
def _tables() -> tuple[int, list[_Row]]:
    """The start state, and for each state: a terminal or rule name to the next state (an int), or to the reduction
    (its builder or None for the same value, how many symbols, the rule's name).

    These are the tables of Lark's LALR parser, laid out so that a loop over them costs less than Lark's own: no look-up
    by the hash of a rule, no list for every reduction, and see `_shorten`.
    """
    grammar = load_grammar("shell.lark", "ShellLexer")
    reductions: list[tuple[Any, int, str]] = []
    for rule in grammar.rules:
        builder = _BUILDERS.get(rule.name)
        if builder is None and rule.size != 1:
            raise LookupError(f"shell.lark: {rule.name} has no builder")
        reductions.append((builder, rule.size, rule.origin))
    rows: list[_Row] = [
        {symbol: action if action >= 0 else reductions[~action] for symbol, action in row.items()}
        for row in grammar.rows
    ]
    _shorten(rows)
    return grammar.start, rows


def _shorten(rows: list[_Row]) -> None:
    """Foresee reductions that come whatever follows.

    A state that can only turn its one symbol into a rule with the same value is skipped. And one that can only append
    its last symbol to a list (`simple: simple WORD`) leads back to where it came from, so the state before gets a
    reduction of size -1: take the token in and stay.
    """
    only: dict[int, tuple[Any, int, str]] = {}
    for state, row in enumerate(rows):
        reductions = set(row.values())
        if len(reductions) == 1 and type(reduction := reductions.pop()) is tuple:
            only[state] = reduction
    for row in rows:
        for symbol, action in row.items():
            while type(action) is int and (after := only.get(action)) is not None:
                builder, size, rule = after
                if builder is None and rule in row and rule != "start":
                    action = row[rule]
                elif builder is _next_element and size == 2 and symbol.isupper():
                    action = (builder, -1, rule)
                else:
                    break
            row[symbol] = action


def _parse(scanner: Scanner) -> Script:
    """The script that `scanner` reads. Raises RefusedError."""
    start_state, rows = _tables()
    row = rows[start_state]
    path = [row]
    values: list[Any] = []
    begin = scanner.pos
    for name, value in scanner.tokens():
        while True:
            action = row.get(name)
            if type(action) is int:
                row = rows[action]
                path.append(row)
                values.append(value)
                break
            if action is None:
                raise RefusedError("syntax", value[0] if type(value) is tuple else value.start)
            builder, size, rule = action
            if size == 1:
                if builder is not None:
                    values[-1] = builder(values[-1])
                row = rows[path[-2][rule]]
                path[-1] = row
            elif size < 0:
                values[-1].append(value)
                break
            else:
                if rule == "start" and not size:
                    place = scanner.places[begin]
                    return _make_script(place, place, (), ())
                if size:
                    result = builder(*values[-size:])
                    del values[-size:], path[-size:]
                else:
                    result = builder()
                row = rows[path[-1][rule]]
                path.append(row)
                values.append(result)
            if rule == "start":
                script: Script = values[0]
                return script
    raise AssertionError("the scanner ends with $END")


_make_simple, _make_pipeline, _make_and_or, _make_script = maker(Simple), maker(Pipeline), maker(AndOr), maker(Script)

# --- builders: one for each rule of grammar/shell.lark that does more than pass a value on -------------------------

_Mark = tuple[int, int, str]
"""Where a reserved word or bracket stands."""
_Joined = tuple[list[Any], list[Operator]]


def _first_element(element: Any) -> list[Any]:
    return [element]


def _next_element(elements: list[Any], element: Any) -> list[Any]:
    elements.append(element)
    return elements


def _next_pattern(patterns: list[Word], _: Operator, pattern: Word) -> list[Word]:
    patterns.append(pattern)
    return patterns


def _simple(elements: list[Any]) -> Simple:
    start, end = elements[0].start, elements[-1].end
    words = tuple([e for e in elements if type(e) is Word])
    if len(words) == len(elements):
        return _make_simple(start, end, (), (), words)
    redirects = tuple([e for e in elements if type(e) is Redirect])
    return _make_simple(start, end, redirects, tuple([e for e in elements if type(e) is Assignment]), words)


def _redirect(operator: tuple[int, str, str], target: Word) -> Redirect:
    return Redirect(operator[0], target.end, operator[1], operator[2], target)


def _piped(left: Command | _Joined, operator: Operator, right: Command) -> _Joined:
    if isinstance(left, Command):
        if type(left) is Simple and left.words and left.words[0].text == "time" and _is_bare(left.words):
            # A program for dash, half a command for bash; behind it may stand what dash does not read (`|&`).
            raise RefusedError("syntax", operator.start)
        return [left, right], [operator]
    left[0].append(right)
    left[1].append(operator)
    return left


def _is_bare(words: Sequence[Word]) -> bool:
    return all(word.text == "-p" for word in words[1:])


def _pipeline(pipe: Command | _Joined, start: int = -1, negated: bool = False, timed: bool = False) -> Pipeline:
    if isinstance(pipe, Command):
        return _make_pipeline(pipe.start if start < 0 else start, pipe.end, negated, timed, (pipe,), ())
    commands, operators = pipe
    first = commands[0].start if start < 0 else start
    return _make_pipeline(first, commands[-1].end, negated, timed, tuple(commands), tuple(operators))


def _joined(left: Pipeline | _Joined, operator: Operator, right: Pipeline) -> _Joined:
    if isinstance(left, Pipeline):
        return [left, right], [operator]
    left[0].append(right)
    left[1].append(operator)
    return left


def _and_or(value: Pipeline | _Joined) -> AndOr:
    if isinstance(value, Pipeline):
        return _make_and_or(value.start, value.end, (value,), ())
    pipelines, operators = value
    return _make_and_or(pipelines[0].start, pipelines[-1].end, tuple(pipelines), tuple(operators))


def _first_item(value: Pipeline | _Joined) -> _Joined:
    return [_and_or(value)], []


def _next_item(items: _Joined, separator: Operator, value: Pipeline | _Joined) -> _Joined:
    items[0].append(_and_or(value))
    items[1].append(separator)
    return items


def _list(items: _Joined) -> Script:
    nodes, separators = items
    return _make_script(nodes[0].start, nodes[-1].end, tuple(nodes), (*separators, None))


def _ended_list(items: _Joined, separator: Operator) -> Script:
    nodes, separators = items
    return _make_script(nodes[0].start, separator.end, tuple(nodes), (*separators, separator))


def _redirected(command: Command, redirects: list[Redirect]) -> Command:
    return replace(command, end=redirects[-1].end, redirects=tuple(redirects))


def _subshell(left: _Mark, body: Script, right: _Mark) -> Subshell:
    return Subshell(left[0], right[1], (), body)


def _group(left: _Mark, body: Script, right: _Mark) -> Group:
    return Group(left[0], right[1], (), body)


_Elifs = tuple[list[Script], list[Script]]


def _no_elifs() -> _Elifs:
    return [], []


def _next_elif(elifs: _Elifs, _: _Mark, condition: Script, then: _Mark, branch: Script) -> _Elifs:
    elifs[0].append(condition)
    elifs[1].append(branch)
    return elifs


def _if(start: _Mark, condition: Script, then: _Mark, branch: Script, elifs: _Elifs, end: _Mark) -> If:
    return If(start[0], end[1], (), (condition, *elifs[0]), (branch, *elifs[1]), None)


def _if_else(
    start: _Mark, condition: Script, then: _Mark, branch: Script, elifs: _Elifs, _: _Mark, other: Script, end: _Mark
) -> If:
    return If(start[0], end[1], (), (condition, *elifs[0]), (branch, *elifs[1]), other)


def _loop(start: _Mark, condition: Script, do: _Mark, body: Script, end: _Mark) -> Loop:
    return Loop(start[0], end[1], (), start[2], condition, body)


def _for_arguments(start: _Mark, name: Word, do: _Mark, body: Script, end: _Mark) -> For:
    return For(start[0], end[1], (), start[2], name.text, None, body)


def _for_arguments_semi(start: _Mark, name: Word, _: Operator, do: _Mark, body: Script, end: _Mark) -> For:
    return For(start[0], end[1], (), start[2], name.text, None, body)


def _for_none(start: _Mark, name: Word, in_: _Mark, _: Operator, do: _Mark, body: Script, end: _Mark) -> For:
    return For(start[0], end[1], (), start[2], name.text, (), body)


def _for_words(
    start: _Mark, name: Word, in_: _Mark, words: list[Word], _: Operator, do: _Mark, body: Script, end: _Mark
) -> For:
    return For(start[0], end[1], (), start[2], name.text, tuple(words), body)


_Inside = tuple[int, int, tuple[str, tuple[Part, ...]]]


def _for_arithmetic(start: _Mark, inside: _Inside, do: _Mark, body: Script, end: _Mark) -> For:
    return For(start[0], end[1], (), start[2], "", None, body, inside[2][1])


def _for_arithmetic_semi(start: _Mark, inside: _Inside, _: Operator, do: _Mark, body: Script, end: _Mark) -> For:
    return For(start[0], end[1], (), start[2], "", None, body, inside[2][1])


def _arithmetic(inside: _Inside) -> ArithmeticCommand:
    return ArithmeticCommand(inside[0], inside[1], (), inside[2][0], inside[2][1])


_TEST_UNARY = frozenset(f"-{letter}" for letter in "abcdefghknoprstuvwxzGLNORS")
_TEST_BINARY = frozenset(
    ("=", "==", "!=", "=~", "<", ">", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot", "-ef")
)
_TEST_JOINING = frozenset(("&&", "||", "(", ")", "<", ">"))


def _check_test(words: list[Word]) -> None:
    """Raise RefusedError where bash would not read the words of `[[ … ]]`, some of which are newlines."""
    depth = 0
    want = "operand"
    for word in words:
        text = word.text
        if text == "\n":
            # Not behind a word that stands for `-n word`, and not before an operator's second word.
            if want in ("binary", "argument"):
                raise RefusedError("syntax", word.start)
        elif want == "operand" and text in ("!", "("):
            depth += text == "("
        elif want in ("operand", "argument"):
            if text in _TEST_JOINING:
                raise RefusedError("syntax", word.start)
            want = "binary" if want == "operand" else "end"
            if want == "binary" and text in _TEST_UNARY:
                want = "argument"
        elif want == "binary" and text in _TEST_BINARY:
            want = "argument"
        elif text in ("&&", "||"):
            want = "operand"
        elif text == ")" and depth:
            depth -= 1
            want = "end"
        else:
            raise RefusedError("syntax", word.start)
    if depth or want in ("operand", "argument"):
        raise RefusedError("syntax", words[-1].start)


def _test(left: _Mark, words: list[Word], right: _Mark) -> Test:
    _check_test(words)
    return Test(left[0], right[1], (), tuple([word for word in words if word.text != "\n"]))


_Matcher = tuple[int, int, list[Word]]


def _matcher(patterns: list[Word], right: _Mark) -> _Matcher:
    return patterns[0].start, right[1], patterns


def _matcher_paren(left: _Mark, patterns: list[Word], right: _Mark) -> _Matcher:
    return left[0], right[1], patterns


def _clause_empty(matcher: _Matcher, end: Operator | None = None) -> CaseItem:
    start, at, patterns = matcher
    return CaseItem(start, at if end is None else end.end, tuple(patterns), Script(at, at, (), ()), end)


def _clause(matcher: _Matcher, body: Script, end: Operator | None = None) -> CaseItem:
    start, _, patterns = matcher
    return CaseItem(start, body.end if end is None else end.end, tuple(patterns), body, end)


def _case_empty(start: _Mark, subject: Word, in_: _Mark, end: _Mark) -> Case:
    return Case(start[0], end[1], (), subject, ())


def _case(start: _Mark, subject: Word, in_: _Mark, items: list[CaseItem], end: _Mark) -> Case:
    return Case(start[0], end[1], (), subject, tuple(items))


def _case_last(start: _Mark, subject: Word, in_: _Mark, last: CaseItem, end: _Mark) -> Case:
    return Case(start[0], end[1], (), subject, (last,))


def _case_more_last(
    start: _Mark, subject: Word, in_: _Mark, items: list[CaseItem], last: CaseItem, end: _Mark
) -> Case:
    return Case(start[0], end[1], (), subject, (*items, last))


def _function_name(word: Word) -> str:
    parts = word.parts
    if len(parts) != 1 or type(parts[0]) is not LiteralPart or parts[0].quoted or parts[0].glob or "=" in word.text:
        raise RefusedError("syntax", word.start)
    return parts[0].value


def _function(name: Word, left: _Mark, right: _Mark, body: Command) -> Function:
    return Function(name.start, body.end, (), _function_name(name), body)


def _function_word(start: _Mark, name: Word, body: Command) -> Function:
    return Function(start[0], body.end, (), _function_name(name), body)


def _function_word_parens(start: _Mark, name: Word, left: _Mark, right: _Mark, body: Command) -> Function:
    return Function(start[0], body.end, (), _function_name(name), body)


_BUILDERS: dict[str, Callable[..., Any]] = {
    "nothing": lambda: None,
    "list": _list,
    "ended_list": _ended_list,
    "first_item": _first_item,
    "next_item": _next_item,
    "joined": _joined,
    "pipeline": _pipeline,
    "negated": lambda bang, pipe: _pipeline(pipe, bang[0], negated=True),
    "timed": lambda time, pipe: _pipeline(pipe, time[0], timed=True),
    "timed_negated": lambda first, second, pipe: _pipeline(pipe, first[0], negated=True, timed=True),
    "piped": _piped,
    "simple_command": _simple,
    "first_element": _first_element,
    "next_element": _next_element,
    "redirect": _redirect,
    "redirected": _redirected,
    "subshell": _subshell,
    "group": _group,
    "if_": _if,
    "if_else": _if_else,
    "loop": _loop,
    "for_arguments": _for_arguments,
    "for_arguments_semi": _for_arguments_semi,
    "for_none": _for_none,
    "for_words": _for_words,
    "for_arithmetic": _for_arithmetic,
    "for_arithmetic_semi": _for_arithmetic_semi,
    "case_empty": _case_empty,
    "case_": _case,
    "case_last": _case_last,
    "case_more_last": _case_more_last,
    "test": _test,
    "arithmetic": _arithmetic,
    "no_elifs": _no_elifs,
    "next_elif": _next_elif,
    "clause_empty": _clause_empty,
    "clause": _clause,
    "last_clause_empty": _clause_empty,
    "last_clause": _clause,
    "matcher": _matcher,
    "matcher_paren": _matcher_paren,
    "next_pattern": _next_pattern,
    "function": _function,
    "function_word": _function_word,
    "function_word_parens": _function_word_parens,
}
