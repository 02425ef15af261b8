"""Where compilers put what they make: the one file that `-o` names; and `strip -o` and `objcopy`, which copy it.

Sources: gcc(1), clang(1), ld(1), strip(1), objcopy(1), `go help build`, `rustc --help`. For `go build` a directory may
follow `-o`; then the file lies in it under a name that the words do not say.
"""

from __future__ import annotations

from collections.abc import Sequence

from fixer.analysis.values import Known, Value, join

_COMPILERS = frozenset(("cc", "c++", "gcc", "g++", "clang", "clang++", "ld", "rustc", "gfortran", "as", "strip"))
_ENDINGS = ("-gcc", "-g++", "-cc", "-clang", "-strip")
_TAKE_WORD = frozenset(
    ("-I", "-O", "-F", "-B", "-j", "-R", "-N", "-L", "-K", "-G", "-W", "-b", "-i", "--input-target", "--output-target",
     "--target", "--binary-architecture", "--only-section", "--remove-section", "--add-section", "--dump-section",
     "--update-section", "--set-section-flags", "--rename-section", "--add-gnu-debuglink", "--strip-symbol",
     "--keep-symbol", "--localize-symbol", "--globalize-symbol", "--weaken-symbol", "--redefine-sym", "--set-start",
     "--prefix-symbols", "--prefix-sections", "--change-section-address", "--gap-fill", "--pad-to")
)  # fmt: skip
"""Options of objcopy behind which stands a word of theirs."""


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
    elif program == "objcopy" or program.endswith("-objcopy"):
        return _copied(rest, cwd)
    elif program not in _COMPILERS and not program.endswith(_ENDINGS):
        return None
    for at, word in enumerate(rest):
        if not isinstance(word, Known):
            continue
        if word.value == "-o" and at + 1 < len(rest):
            return _file(rest[at + 1], cwd)
        if word.value.startswith("-o="):
            return _file(Known(word.value[3:], word.args), cwd)
    return None


def _copied(words: Sequence[Value], cwd: Value) -> Value | None:
    """The second operand of objcopy; without one it changes the first."""
    operands: list[Value] = []
    option = ""
    for word in words:
        text = word.value if isinstance(word, Known) else ""
        if not text.startswith("-") and option not in _TAKE_WORD:
            operands.append(word)
        option = text
    return _file(operands[1], cwd) if len(operands) == 2 else None


def _file(path: Value, cwd: Value) -> Value | None:
    if isinstance(path, Known) and path.value.endswith(("/", "/.")):
        return None
    return join(cwd, path)
