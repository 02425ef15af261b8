"""Our lexers as Lark is given them (its lexer interface 2). The only module that needs Lark to be imported."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lark.common import LexerConf
from lark.lexer import Lexer, Token

from fixer.tree.lexer import Scan, terms


class DockerfileLexer(Lexer):
    """Cuts a Dockerfile. Keywords and simple patterns come from the grammar file."""

    __future_interface__ = 2

    def __init__(self, lexer_conf: LexerConf) -> None:
        self.terms = terms({terminal.name: terminal.pattern.to_regexp() for terminal in lexer_conf.terminals})

    def lex(self, lexer_state: Any, parser_state: Any) -> Iterator[Any]:
        """All tokens, an unreadable instruction's as they are."""
        for unit in Scan(str(lexer_state.text.text), self.terms).units():
            yield from unit.tokens


class ShellLexer(Lexer):
    """Reads from the `Scanner` that Lark is given as its text."""

    __future_interface__ = 2

    def __init__(self, conf: object) -> None:
        pass

    def lex(self, lexer_state: Any, parser_state: Any) -> Iterator[Token]:
        """The scanner's terminals as Lark's own loop wants them."""
        for name, value in lexer_state.text.tokens():
            if name != "$END":
                token = Token(name, "", 0, 1, 1, 1, 1, 0)
                token.value = value
                yield token
