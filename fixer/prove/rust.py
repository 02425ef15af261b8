"""Where a statement can be put into a Rust source so that it runs, or is at least compiled into the artifact.

A scanner over Rust's tokens, not a parser: it knows comments, all kinds of literals, brackets, attributes and what a
function's head is made of, and nothing of what stands in bodies.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_TOKEN = re.compile(
    r"""
    (?P<space>\s+ | //[^\n]*)
  | (?P<block>/\*)
  | (?P<raw>(?:b|c)?r(?P<hashes>\#*)")
  | (?P<string>(?:b|c)?"(?:[^"\\]|\\.)*")
  | (?P<char>b?'(?:\\(?:u\{[^}']*\}|x[0-9A-Fa-f]{2}|.)|[^\\'\n\r\t])')
  | (?P<lifetime>'\w+)
  | (?P<word>(?:r\#)?[^\W\d]\w*)
  | (?P<number>\d\w*)
  | (?P<arrow>->|=>)
  | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_BLOCK_EDGE = re.compile(r"/\*|\*/")
_SHEBANG = re.compile(r"\ufeff?#!(?!\s*\[)[^\n]*")
_CLOSES = {"(": ")", "[": "]", "{": "}"}
_STARTS_A_PROGRAM = frozenset(("launch",))
"""Attributes of a function that becomes `main`."""
_EXPORTS = frozenset(
    ("no_mangle", "export_name", "pymodule", "pyfunction", "wasm_bindgen", "napi", "neon", "magnus", "rustler",
     "uniffi", "extendr", "php_module", "php_function", "module", "main", "handler")
)  # fmt: skip
"""Attributes of functions that others than Rust call, in a library: those are in every artifact."""
_TEST_ONLY = frozenset(("test", "cfg", "bench", "cfg_attr", "proc_macro", "proc_macro_derive", "proc_macro_attribute"))


class Token(NamedTuple):
    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


class Function(NamedTuple):
    """A function of a module's top level, with a body. at: where a statement may stand, behind inner attributes."""

    name: str
    attributes: frozenset[str]
    """Every word in them: `tokio`, `main`."""
    qualifiers: frozenset[str]
    """`pub`, `const`, `async`, `unsafe`, `extern`."""
    generic: bool
    at: int


class Module(NamedTuple):
    """A source file. attributes: the words of its inner attributes, `no_std`."""

    attributes: frozenset[str]
    functions: tuple[Function, ...]


def tokens(text: str) -> Iterator[Token]:
    """The tokens of a source without comments and blanks. A literal or comment that does not end takes the rest."""
    shebang = _SHEBANG.match(text)
    at = shebang.end() if shebang else 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        assert match is not None
        kind = match.lastgroup or ""
        end = match.end()
        if kind == "block":
            at = _block_end(text, end)
            continue
        if kind == "raw" or match["raw"] is not None:
            kind = "string"
            close = text.find('"' + match["hashes"], end)
            end = len(text) if close < 0 else close + 1 + len(match["hashes"])
        elif match["other"] == '"':
            kind, end = "string", len(text)
        if kind != "space":
            yield Token(kind, text[at:end], at)
        at = end


def _block_end(text: str, at: int) -> int:
    depth = 1
    while depth:
        edge = _BLOCK_EDGE.search(text, at)
        if edge is None:
            return len(text)
        depth += 1 if edge[0] == "/*" else -1
        at = edge.end()
    return at


def read_module(text: str) -> Module:
    """The functions of the file's top level."""
    return _Reader(list(tokens(text))).module()


def program_entries(module: Module) -> tuple[Function, ...]:
    """Where the program begins. More than one if conditions choose (`#[cfg(unix)] fn main`)."""
    if module.attributes & {"no_std", "no_core"}:
        return ()
    return tuple(
        function
        for function in module.functions
        if (function.name == "main" or function.attributes & _STARTS_A_PROGRAM) and "const" not in function.qualifiers
    )


def library_entries(module: Module) -> tuple[Function, ...]:
    """A function that every artifact made of this library has: one that others call first; else one that is compiled
    where it stands, since it is not generic. None or one."""
    if module.attributes & {"no_std", "no_core"}:
        return ()
    plain = [
        function
        for function in module.functions
        if not function.generic and "const" not in function.qualifiers and not function.attributes & _TEST_ONLY
    ]
    exported = [function for function in plain if function.attributes & _EXPORTS]
    public = [function for function in plain if "pub" in function.qualifiers and "inline" not in function.attributes]
    return tuple([*exported, *public][:1])


class _Reader:
    def __init__(self, found: list[Token]) -> None:
        self.tokens = found
        self.at = 0

    def module(self) -> Module:
        inner: set[str] = set()
        functions = []
        attributes: set[str] = set()
        qualifiers: set[str] = set()
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            if token.text == "#":
                own = self._is(1, "!")
                self.at += 2 if own else 1
                words = self._group()
                (inner if own else attributes).update(words)
                continue
            if token.kind == "word" and token.text == "fn" and self._kind(1) == "word":
                function = self._function(frozenset(attributes), frozenset(qualifiers))
                if function is not None:
                    functions.append(function)
            elif token.text in _CLOSES:
                self._group()
                if token.text == "(" or token.text == "[":  # of `pub(crate)`, or of a macro that `;` ends
                    continue
            else:
                self.at += 1
                if token.text != ";":
                    if token.kind == "word":
                        qualifiers.add(token.text)
                    continue
            attributes, qualifiers = set(), set()
        return Module(frozenset(inner), tuple(functions))

    def _function(self, attributes: frozenset[str], qualifiers: frozenset[str]) -> Function | None:
        """From `fn` to the end of the body."""
        name = self.tokens[self.at + 1].text.removeprefix("r#")
        self.at += 2
        generic = self._is(0, "<")
        angles = 0
        while self.at < len(self.tokens):
            text = self.tokens[self.at].text
            if text == ";" and not angles:
                self.at += 1
                return None
            if text == "{" and not angles:
                at = self._behind_inner_attributes()
                self._group()
                return Function(name, attributes, qualifiers, generic, at)
            if text in _CLOSES:
                self._group()
                continue
            angles += (text == "<") - (text == ">")
            self.at += 1
        return None

    def _behind_inner_attributes(self) -> int:
        """Where the first statement may stand in the body that begins here. Moves nothing."""
        start, at = self.at, self.tokens[self.at].end
        self.at += 1
        while self._is(0, "#") and self._is(1, "!") and self._is(2, "["):
            self.at += 2
            self._group()
            at = self.tokens[self.at - 1].end
        self.at = start
        return at

    def _group(self) -> set[str]:
        """Skip what is in the brackets that begin here, to behind the closing one. Returns the words in them."""
        words: set[str] = set()
        open_: list[str] = []
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            self.at += 1
            if token.text in _CLOSES:
                open_.append(_CLOSES[token.text])
            elif open_ and token.text == open_[-1]:
                open_.pop()
            elif token.kind == "word":
                words.add(token.text)
            if not open_:
                break
        return words

    def _is(self, ahead: int, text: str) -> bool:
        return self.at + ahead < len(self.tokens) and self.tokens[self.at + ahead].text == text

    def _kind(self, ahead: int) -> str:
        return self.tokens[self.at + ahead].kind if self.at + ahead < len(self.tokens) else ""
