"""Where compilers put what they make: the one file that `-o` names.

Sources: gcc(1), clang(1), ld(1), `go help build`, `rustc --help`. For `go build` a directory may follow `-o`; then
the file lies in it under a name that the words do not say.
"""

from __future__ import annotations

from collections.abc import Sequence

from fixer.analysis.values import Known, Value, join

_COMPILERS = frozenset(("cc", "c++", "gcc", "g++", "clang", "clang++", "ld", "rustc", "gfortran", "as"))


def output_of(words: Sequence[Value], cwd: Value) -> Value | None:
    """The file that the call `words` in the directory `cwd` surely writes if it succeeds, absolute; None if its
    words do not say so."""
    if not words or not isinstance(words[0], Known):
        return None
    program = words[0].value.rpartition("/")[2]
    rest = words[1:]
    if program == "go":
        if not rest or rest[0] != Known("build"):
            return None
        rest = rest[1:]
    elif program not in _COMPILERS and not program.endswith(("-gcc", "-g++", "-cc", "-clang")):
        return None
    for at, word in enumerate(rest):
        if not isinstance(word, Known):
            continue
        if word.value == "-o" and at + 1 < len(rest):
            return _file(rest[at + 1], cwd)
        if word.value.startswith("-o="):
            return _file(Known(word.value[3:], word.args), cwd)
    return None


def _file(path: Value, cwd: Value) -> Value | None:
    if isinstance(path, Known) and path.value.endswith(("/", "/.")):
        return None
    return join(cwd, path)
