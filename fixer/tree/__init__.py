"""The lossless tree: lexers, parsers, nodes, visitors, editor. Only `parse`, `lexer` and their shell twins import lark."""
