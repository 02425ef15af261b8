"""The lossless tree: lexers, parsers, nodes, visitors, editor. Only the lexers and parsers import lark."""
