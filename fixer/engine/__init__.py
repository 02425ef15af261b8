"""The engine: runs codemods on a text, checks every result, finds, reads and writes files."""
