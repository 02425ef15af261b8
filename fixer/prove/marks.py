"""Edits of a source file that keep it valid and carry a word into whatever is made of it.

One function for each language, on text whose bytes that are no UTF-8 are kept as lone surrogates. A statement, where
comments do not survive a compiler; a comment, where the file itself is what is shipped.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable

from fixer.prove.rust import library_entries, program_entries, read_module
from fixer.text.records import dataclass
from fixer.text.source import decode, encode

_STAND_IN = "dockfixdockfixdockfix"
"""A marker to try whether a file takes one."""


@dataclass(frozen=True, slots=True)
class Language:
    """What is edited alike. rank: how surely an edit shows in an image, best first. visible: whether the marker can be
    found in what is made of it."""

    name: str
    rank: int
    visible: bool
    what: str
    """What the edit is, for people: "a statement at the beginning of `main`"."""
    mark: Callable[[str, str], str | None]
    """The text and the marker to the new text; None if this text does not take it."""


def language_by_name(path: str) -> Language | None:
    """What a file's name says of its language."""
    name = posixpath.basename(path).lower()
    if _DECLARATIONS.search(name):
        return None
    stem, _, extension = name.rpartition(".")
    return _NAMES.get(name) or (_EXTENSIONS.get(extension) if stem else None)


def language_of(path: str, data: bytes) -> Language | None:
    """The language of a file in which a marker can be put so that it shows; None for all others."""
    found = language_by_name(path)
    if found is None and "." not in posixpath.basename(path) and data.startswith(b"#!"):
        found = _by_shebang(data)
    return found if found is not None and mark(found, data, _STAND_IN) is not None else None


def any_language_of(path: str, data: bytes) -> Language | None:
    """The same for a file that the user names: where no marker can show, an edit that means nothing. None for what is
    not text."""
    return language_of(path, data) or (None if b"\0" in data else _BLANK_LINE)


def mark(language: Language, data: bytes, marker: str) -> bytes | None:
    """`data` with the marker (letters and digits, beginning with a letter) in it; None if it does not take one."""
    if b"\0" in data:
        return None
    changed = language.mark(decode(data), marker)
    return None if changed is None else encode(changed)


def append_line(data: bytes, line: str) -> bytes:
    """`data` with one more line at its end, which nothing before it swallows."""
    return encode(_append(decode(data), line))


# --- pieces -----------------------------------------------------------------------------------------------------------


def _eol(text: str) -> str:
    at = text.find("\n")
    return "\r\n" if at > 0 and text[at - 1] == "\r" else "\n"


def _append(text: str, *lines: str) -> str:
    """The lines at the end of the text. A line that ends with a backslash there would take the first of them in."""
    eol = _eol(text)
    if text and not text.endswith("\n"):
        text += eol
    if text.rstrip("\r\n").endswith("\\"):
        text += eol
    return text + "".join(line + eol for line in lines)


def _after_shebang(text: str, line: str) -> str:
    """The line at the beginning, but below `#!`."""
    at = text.find("\n") + 1 if text.startswith("#!") else int(text.startswith("\ufeff"))
    if text.startswith("#!") and not at:
        return f"{text}\n{line}\n"
    return f"{text[:at]}{line}{_eol(text)}{text[at:]}"


def _end(form: str) -> Callable[[str, str], str]:
    return lambda text, marker: _append(text, form.replace("@", marker))


def _top(form: str) -> Callable[[str, str], str]:
    return lambda text, marker: _after_shebang(text, form.replace("@", marker))


# --- languages --------------------------------------------------------------------------------------------------------


def _rust(text: str, marker: str) -> str | None:
    """A statement in `main` (in each, where conditions choose one), or in the function that a library surely has. It is
    safe code for every edition and toolchain, and no compiler knows the environment, so the word has to stay."""
    module = read_module(text)
    places = program_entries(module) or library_entries(module)
    if not places:
        return None
    write = f'let _ = ::std::io::Write::write_all(&mut ::std::io::stderr(), b"{marker}");'
    statement = f' if ::std::env::var_os("DOCKFIX_VERIFY").is_some() {{ {write} }}'
    out, before = [], 0
    for place in places:
        out += [text[before : place.at], statement]
        before = place.at
    return "".join([*out, text[before:]])


def _python(text: str, marker: str) -> str:
    return _append(text, f'_dockfix_verify = "{marker}"')


def _javascript(text: str, marker: str) -> str:
    """An effect that no bundler may drop, in the last lines, where linters are told to look away."""
    statement = f'if (typeof globalThis === "object") {{ globalThis["__dockfix_verify"] = "{marker}"; }}'
    return _append(text, "/* eslint-disable */", "// @ts-ignore", statement)


_GO_PACKAGE = re.compile(r"^package[ \t]+\w", re.MULTILINE)
_GO_IGNORED = re.compile(r"^//[ \t]*(?:go:build|\+build)\b.*\bignore\b", re.MULTILINE)


def _go(text: str, marker: str) -> str | None:
    if not _GO_PACKAGE.search(text) or _GO_IGNORED.search(text):
        return None
    name = f"dockfixVerify{marker}"
    use = f'func init() {{ if {name} == "" {{ panic({name}) }} }}'
    return _append(text, f'var {name} = "{marker}"', use)


def _c(text: str, marker: str) -> str:
    """A constructor is kept by every linker, and what is volatile by every compiler."""
    name = f"dockfix_verify_{marker}"
    return _append(
        text,
        f"static void {name}(void) __attribute__((constructor));",
        f'static void {name}(void) {{ static const char *volatile word = "{marker}"; (void)word; }}',
    )


def _class(text: str, marker: str) -> str | None:
    """Languages whose classes are found in the artifact by name."""
    if not re.search(r"\b(?:class|interface|enum|record|object|struct|namespace)\b", text):
        return None
    return _append(text, f"class DockfixVerify{marker} {{ }}")


def _ruby(text: str, marker: str) -> str:
    end = re.search(r"^__(?:END|DATA)__\r?$", text, re.MULTILINE)
    if end is None:
        return _append(text, f"# {marker}")
    return f"{text[: end.start()]}# {marker}{_eol(text)}{text[end.start() :]}"


def _php(text: str, marker: str) -> str | None:
    start = re.search(r"<\?php(?=\s)", text, re.IGNORECASE)
    return f"{text[: start.end()]} /* {marker} */{text[start.end() :]}" if start else None


def _markdown(text: str, marker: str) -> str:
    return _append(text, *([""] if text.strip() else []), f"<!-- {marker} -->")


def _blank_line(text: str, marker: str) -> str:
    """As many blanks as no other marker gives, or nearly."""
    return _append(text, " " * (1 + sum(map(ord, marker)) % 97))


_COMMENT = "a comment"
_RUST = Language("Rust", 0, True, "a statement at the beginning of a function", _rust)
_PYTHON = Language("Python", 1, True, "an assignment at the end", _python)
_SCRIPT = Language("JavaScript", 2, True, "a statement at the end", _javascript)
_GO = Language("Go", 3, True, "a variable with an `init` that uses it", _go)
_C = Language("C", 4, True, "a function that runs before `main`", _c)
_JVM = Language("Java", 5, True, "an empty class at the end", _class)
_RUBY = Language("Ruby", 6, True, _COMMENT, _ruby)
_PHP = Language("PHP", 6, True, _COMMENT, _php)
_PERL = Language("Perl", 6, True, _COMMENT, _ruby)
_SHELL = Language("shell", 7, True, _COMMENT, _top("# @"))
_HTML = Language("HTML", 8, True, _COMMENT, _end("<!-- @ -->"))
_CSS = Language("CSS", 8, True, _COMMENT, _end("/*! @ */"))
_SQL = Language("SQL", 9, True, _COMMENT, _end("-- @"))
_MARKDOWN = Language("Markdown", 10, True, _COMMENT, _markdown)
_HASH = Language("configuration", 9, True, _COMMENT, _end("# @"))
_SEMICOLON = Language("configuration", 9, True, _COMMENT, _end("; @"))
_TEXT = Language("text", 10, True, "a line", _end("# @"))
_BLANK_LINE = Language("other", 99, False, "blanks at the end", _blank_line)

_EXTENSIONS = {
    extension: language
    for language, extensions in (
        (_RUST, "rs"), (_PYTHON, "py"), (_SCRIPT, "js mjs cjs jsx ts mts cts tsx"), (_GO, "go"),
        (_C, "c cc cpp cxx c++"), (_JVM, "java kt cs scala"), (_RUBY, "rb"), (_PHP, "php"), (_PERL, "pl pm"),
        (_SHELL, "sh bash"), (_HTML, "html htm xhtml svg xml"), (_CSS, "css scss less"), (_SQL, "sql"),
        (_HASH, "yaml yml toml conf cfg"), (_SEMICOLON, "ini"), (_MARKDOWN, "md"), (_TEXT, "txt"),
    )
    for extension in extensions.split()
}  # fmt: skip
_DECLARATIONS = re.compile(r"\.d\.[mc]?ts\Z|\A(?:module|package)-info\.java\Z")
"""Files of languages that take no statement."""
_NAMES = {"rakefile": _RUBY, "config.ru": _RUBY}
_SHEBANGS = ((b"python", _PYTHON), (b"node", _SCRIPT), (b"ruby", _RUBY), (b"perl", _PERL), (b"sh", _SHELL))


def _by_shebang(data: bytes) -> Language | None:
    line = data[: data.find(b"\n") + 1 or len(data)]
    return next((language for word, language in _SHEBANGS if word in line), None)
