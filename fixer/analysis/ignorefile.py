"""A .dockerignore as people write it: its lines, what they mean to BuildKit, its habits, and where a line goes.

What a pattern matches is said by `fixer.analysis.dockerignore`. Here is what that leaves out: comments, blank lines,
groups, slashes that mean nothing, line ends.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import cached_property
from typing import Literal, NamedTuple

from fixer.analysis.dockerignore import Ignore, IgnoreTrouble, Pattern, parse_ignore
from fixer.text.edits import Edit
from fixer.text.source import Span, encode

LineKind = Literal["pattern", "comment", "blank"]

_SEVERAL = 4
"""So many lines in the order of the alphabet are no accident."""


class IgnoreLine(NamedTuple):
    """One line. span: without the line's end. text: without the blanks around it. number: from 1. pattern: what it
    means; None for comments, blank lines and what BuildKit takes for nothing."""

    span: Span
    end: int
    """Where the next line begins; the text's end for the last one."""
    text: str
    number: int
    kind: LineKind
    pattern: Pattern | None

    @property
    def written(self) -> str:
        """The pattern as it is written, without `!`."""
        return self.text.removeprefix("!").strip()

    @property
    def name(self) -> str:
        """The last part of the pattern."""
        return self.pattern.text.rpartition("/")[2] if self.pattern is not None else ""


class Habits(NamedTuple):
    """How the file writes a directory: `/target` or `target`, `target/` or `target`, `**/target` or `target`."""

    slash_before: bool
    slash_behind: bool
    anywhere: bool


class IgnoreFile:
    """What is known of the text of one .dockerignore, also of one that is empty or missing."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.problem: tuple[str, int] | None = None
        """Why every build fails with it, and the offset of the line."""
        self._ignore = Ignore("", ())
        try:
            self._ignore = parse_ignore(encode(text))
        except IgnoreTrouble as trouble:
            self.problem = (str(trouble.args[0]).partition(": ")[2], self._start_of(trouble.line))

    @property
    def ignore(self) -> Ignore:
        """Its patterns, as BuildKit reads them."""
        return self._ignore

    @cached_property
    def lines(self) -> tuple[IgnoreLine, ...]:
        """All lines; an end of the text right behind a line's end begins none."""
        patterns = {pattern.line: pattern for pattern in self._ignore.patterns}
        return tuple(_line(self.text, start, end, number, patterns.get(number))
                     for number, (start, end) in enumerate(_extents(self.text), 1))  # fmt: skip

    @property
    def newline(self) -> str:
        """The line end that the file uses."""
        return "\r\n" if "\r\n" in self.text else "\n"

    @cached_property
    def habits(self) -> Habits:
        """From the patterns that bring nothing back; what is not shown is not done."""
        written = [line.written for line in self.lines if line.pattern is not None and not line.pattern.exception]
        plain = [text for text in written if "*" not in text and len(text) > 1]
        before = [text.startswith("/") for text in plain]
        behind = [text.endswith("/") for text in written if text.endswith("/") or _last(text) in DIRECTORIES]
        anywhere = [text.startswith("**/") for text in written if "/" not in text.removeprefix("**/").strip("/")]
        return Habits(_mostly(before), _mostly(behind), len(anywhere) > 1 and _mostly(anywhere))

    def block_at(self, offset: int) -> Span | None:
        """The pattern whose line begins at `offset`."""
        line = self._by_start.get(offset)
        return line.span if line is not None and line.kind == "pattern" else None

    @cached_property
    def _by_start(self) -> dict[int, IgnoreLine]:
        return {line.span.start: line for line in self.lines}

    def fault(self, old: IgnoreFile, about: Sequence[Span], forward: Callable[[int], int]) -> str | None:
        """What is wrong with this text as one that came from `old` by adding lines; None if nothing is."""
        waiting = deque((pattern.text, pattern.exception) for pattern in old.ignore.patterns)
        for pattern in self.ignore.patterns:
            if waiting and waiting[0] == (pattern.text, pattern.exception):
                waiting.popleft()
            elif pattern.exception:
                return f"a pattern that brings files back was added: !{pattern.text}"
        return f"the pattern {waiting[0][0]} was lost" if waiting else None

    def written(self, path: str, *, anywhere: bool = False) -> str:
        """A pattern for the directory `path` as this file would write it; anywhere: for all directories of that name,
        wherever they are."""
        habits = self.habits
        before = "**/" if anywhere else "/" if habits.slash_before else ""
        return f"{before}{path}{'/' if habits.slash_behind else ''}"

    def with_line(self, text: str, kin: Collection[str], newline: str | None = None) -> tuple[Edit, Span]:
        """The edit that adds the line `text`, and the line beside which it stands (an empty span in an empty file).

        It goes to the last group of lines that has a pattern with a name in `kin` and in the same directory, behind it,
        or to its place in the alphabet if the group keeps to that; else to the end, as a group of its own if the last
        one has a heading. Never before a pattern that brings files back: it could bring back what the line leaves out.
        newline: the line end for a file that has none yet.
        """
        newline = self.newline if "\n" in self.text or newline is None else newline
        lines = [line for line in self.lines if line.kind != "blank"]
        if not lines:
            at = len(self.text)
            start = newline if self.text and not self.text.endswith("\n") else ""
            return Edit(at, at, f"{start}{text}{newline if not self.text or not start else ''}"), Span(at, at)
        parent = text.removeprefix("**/").strip("/").rpartition("/")[0]
        group = self._group_of(kin, parent)
        anchor = None
        if group is not None:
            anchor, behind = _in_group(group, text, kin, parent)
            last = self._last_exception()
            if not behind and (last is None or last.span.start < anchor.span.start):
                return Edit(anchor.span.start, anchor.span.start, f"{text}{newline}"), anchor.span
            if last is not None and last.span.start > anchor.span.start:
                anchor = None
        gap = ""
        if anchor is None:
            anchor = lines[-1]
            if group is None and self._has_heading(anchor):
                following = self.lines[anchor.number] if anchor.number < len(self.lines) else None
                gap = newline if following is None else ""
                anchor = anchor if following is None else following
        if anchor.end == anchor.span.end:  # the last line, and it has no end
            return Edit(anchor.end, anchor.end, f"{newline}{gap}{text}"), anchor.span
        return Edit(anchor.end, anchor.end, f"{gap}{text}{newline}"), Span(anchor.span.start, anchor.end)

    def groups(self) -> Iterator[list[IgnoreLine]]:
        """Lines between blank ones."""
        group: list[IgnoreLine] = []
        for line in self.lines:
            if line.kind != "blank":
                group.append(line)
            elif group:
                yield group
                group = []
        if group:
            yield group

    def _group_of(self, kin: Collection[str], parent: str) -> list[IgnoreLine] | None:
        found = [group for group in self.groups() if any(_is_kin(line, kin, parent) for line in group)]
        return found[-1] if found else None

    def _has_heading(self, last: IgnoreLine) -> bool:
        """Whether the group of the file's last line begins with a comment, and stands alone; or it is a comment."""
        groups = list(self.groups())
        return last.kind == "comment" or (len(groups) > 1 and groups[-1][0].kind == "comment")

    def _last_exception(self) -> IgnoreLine | None:
        found = [line for line in self.lines if line.pattern is not None and line.pattern.exception]
        return found[-1] if found else None

    def _start_of(self, number: int) -> int:
        extents = list(_extents(self.text))
        return extents[number - 1][0] if 0 < number <= len(extents) else 0


def read_ignore_file(text: str) -> IgnoreFile:
    """The facts of the text of a .dockerignore."""
    return IgnoreFile(text)


DIRECTORIES = frozenset(
    (".git", ".github", ".gitlab", ".idea", ".vscode", ".cache", ".gradle", ".mypy_cache", ".next", ".nox", ".nuxt",
     ".nyc_output", ".output", ".pytest_cache", ".ruff_cache", ".svelte-kit", ".terraform", ".tox", ".turbo", ".venv",
     ".vs", "__pycache__", "_build", "bin", "build", "coverage", "deps", "dist", "docs", "env", "logs", "node_modules",
     "obj", "out", "target", "test", "tests", "tmp", "venv", "vendor", ".build")
)  # fmt: skip
"""Names that are those of directories, whether a slash says so or not."""


def _line(text: str, start: int, end: int, number: int, pattern: Pattern | None) -> IgnoreLine:
    stop = end - 1 if text.endswith("\n", start, end) else end
    stop = stop - 1 if text.endswith("\r", start, stop) else stop
    body = text[start:stop].removeprefix("\ufeff").strip()
    kind: LineKind = "pattern" if pattern is not None else "blank"
    if pattern is None and text[start:stop].removeprefix("\ufeff").startswith("#"):
        kind = "comment"
    return IgnoreLine(Span(start, stop), end, body, number, kind, pattern)


def _extents(text: str) -> Iterator[tuple[int, int]]:
    at = 0
    while at < len(text):
        end = text.find("\n", at) + 1 or len(text)
        yield at, end
        at = end


def _is_kin(line: IgnoreLine, kin: Collection[str], parent: str) -> bool:
    if line.pattern is None or line.pattern.exception or line.name not in kin:
        return False
    return line.pattern.text.removeprefix("**/").rpartition("/")[0] == parent


def _in_group(group: Sequence[IgnoreLine], text: str, kin: Collection[str], parent: str) -> tuple[IgnoreLine, bool]:
    """The line beside which another one goes, and whether it goes behind it."""
    patterns = [line for line in group if line.kind == "pattern"]
    texts = [line.text.lower() for line in patterns]
    if len(patterns) >= _SEVERAL and len(patterns) == len(group) and texts == sorted(texts):
        smaller = [line for line in patterns if line.text.lower() < text.lower()]
        return (smaller[-1], True) if smaller else (patterns[0], False)
    return [line for line in patterns if _is_kin(line, kin, parent)][-1], True


def _last(written: str) -> str:
    return written.rstrip("/").rpartition("/")[2]


def _mostly(votes: Sequence[bool]) -> bool:
    return sum(votes) * 2 > len(votes)
