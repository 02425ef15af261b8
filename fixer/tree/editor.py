"""Edits that follow the file's own layout: what is added looks as if the owner of the file had written it.

Every function takes nodes of one parsed file and gives edits of its text; nothing is applied here. Comments that stand
in a stretch that goes away are kept, each on its own line.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from fixer.text.edits import Edit
from fixer.text.records import dataclass
from fixer.text.regex import regex
from fixer.text.source import Span
from fixer.tree.lexer import BLANKS
from fixer.tree.nodes import (
    Blank,
    Comment,
    Dockerfile,
    Env,
    Flag,
    From,
    Heredoc,
    Instruction,
    Item,
    Leaf,
    Onbuild,
    Pair,
    Run,
    ShellForm,
    Transfer,
)
from fixer.tree.shell import AndOr, Assignment, Pipeline, Redirect, Script, ShellNode, Word

DEFAULT_INDENT = "    "
WIDEST_INDENT = 8
"""A deeper continuation indent is taken for alignment with something above it, not for a habit."""
WIDEST_LINE = 100
"""An added command goes on a line of its own rather than making a line longer than this."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How one instruction is written: line end, escape character, and indent of its continuation lines."""

    eol: str
    escape: str
    indent: str

    @property
    def next_line(self) -> str:
        """From the end of a word to the start of a word on the next line."""
        return f" {self.escape}{self.eol}{self.indent}"

    @property
    def deeper(self) -> str:
        """The indent of what goes on with such a line: a tab more where tabs are the habit."""
        return self.indent + ("\t" if self.indent.endswith("\t") else "  ")


def layout(file: Dockerfile, instruction: Instruction) -> Layout:
    """The layout of `instruction`: its own habit, else the file's, else four spaces below the keyword."""
    lines = _header_lines(file, instruction)
    eol = _eol(file, lines)
    indent = _habit(lines)
    if indent is None:
        indent = _file_indent(file)
    if indent is None:
        indent = _line_indent(file.text, instruction.keyword.start) + DEFAULT_INDENT
    return Layout(eol, file.escape, indent)


def add_mounts(file: Dockerfile, run: Run, mounts: Sequence[str]) -> list[Edit]:
    """Insert `--mount=<value>` for each of `mounts` after the flags that are there, one on each line, and let the
    command start on its own line. Raises ValueError for a RUN without a command."""
    if run.form is None:
        raise ValueError("a RUN without a command takes no mounts")
    style = layout(file, run)
    command = run.form.script if isinstance(run.form, ShellForm) else run.form.open
    flags = [flag.word for flag in run.flags]
    end = next((word for word in flags if word.value == "--"), None)
    if end is not None:  # it ends the flags, and what stands behind it is none
        command, flags = end, flags[: flags.index(end)]
    if not flags and not _may_hold_flags(file.text[run.keyword.span.end : command.start], file.escape):
        head = style.next_line.join(f"--mount={m}" for m in mounts)
        return [Edit(run.keyword.span.end, run.keyword.span.end, f" {head}")]
    if flags and "\n" in command.prefix:
        last = flags[-1]
        own = Layout(style.eol, style.escape, _flag_indent(file, run) or style.indent)
        return [Edit(last.span.end, last.span.end, "".join(f"{own.next_line}--mount={m}" for m in mounts))]
    if flags:
        own = Layout(style.eol, style.escape, _flag_indent(file, run) or style.indent)
        last = flags[-1]
        added = "".join(f"{own.next_line}--mount={m}" for m in mounts)
        gap = " " if command.text.startswith("<<") else own.next_line
        return [Edit(last.span.end, command.start, added + gap)]
    if "\n" in command.prefix:
        style = Layout(style.eol, style.escape, command.prefix.rpartition("\n")[2])
    head = style.next_line.join(f"--mount={m}" for m in mounts)
    comment = _first_comment(command.prefix)
    if comment is not None:  # it speaks of the command, and stays with it
        at = command.start - len(command.prefix) + comment
        return [Edit(at, at, style.indent + head + style.next_line.removesuffix(style.indent))]
    gap = " " if command.text.startswith("<<") else style.next_line
    return [Edit(command.start, command.start, head + gap)]


def _first_comment(gap: str) -> int | None:
    """Where the line of the first comment begins in what stands between a keyword and its command."""
    at = 0
    for line in gap.split("\n"):
        if at and line.lstrip(BLANKS).startswith("#"):
            return at
        at += len(line) + 1
    return None


def _may_hold_flags(gap: str, escape: str) -> bool:
    """Whether BuildKit finds a flag at the end of what stands between a keyword and the command. It takes fewer blanks
    for a gap there than elsewhere."""
    lines = gap.split("\n")  # those between the first and the last are comments, or empty
    return not lines[0].strip(BLANKS + escape) and not lines[-1].strip(BLANKS)


def append_command(
    file: Dockerfile, instruction: Instruction, script: Script, command: str, *, chain: bool = False
) -> Edit:
    """Insert `command` so that it runs last, in the way in which the script joins its commands.

    In an and-list it is joined with `&&`; in a list of several commands (`;` or newline) it becomes one more of them,
    so the caller must know that the script stops at the first failure (`set -e`). `chain` always joins with `&&`.
    """
    last = script.items[-1]
    if chain and _in_heredoc(instruction, last.start):
        return Edit(last.end, last.end, f" && {command}")
    if _in_heredoc(instruction, last.start):
        return Edit(last.end, last.end, f"\n{_line_indent(file.text, last.start)}{command}")
    style = layout(file, instruction)
    if len(script.items) > 1 and not chain:
        separator = script.separators[-1]
        gap = _gap_before(file, style, last.start, command)
        if separator is None:
            return Edit(last.end, last.end, f";{gap}{command}")
        return Edit(separator.end, separator.end, f"{gap}{command}{separator.text}")
    return Edit(last.end, last.end, _joined(file, instruction, last, command))


def insert_before(
    file: Dockerfile, instruction: Instruction, script: Script, place: Pipeline, command: str, *,
    chain: bool = False, own_line: bool = False,
) -> Edit:  # fmt: skip
    """Insert `command` to run just before `place`: joined with `&&`, or, where `place` is one of several commands of a
    list, as one more of them (then the caller must know of `set -e`). `chain` always joins with `&&`; `own_line` lets
    `place` begin a line."""
    style = layout(file, instruction)
    item, _ = _find(script, place)
    alone = len(item.pipelines) == 1 and len(script.items) > 1 and not chain
    if _in_heredoc(instruction, place.start):
        joint = f"\n{_line_indent(file.text, place.start)}" if alone else " && "
        return Edit(place.start, place.start, command + joint)
    if alone:
        return Edit(place.start, place.start, f"{command};{_gap_before(file, style, place.start, command)}")
    habit, lead = _chain_habit(file, instruction, script)
    if habit == "leading":
        joint = f" {style.escape}{style.eol}{lead}&& "
    elif habit == "trailing":
        joint = f" &&{style.next_line}"
    else:
        joint = " && "
        first_line = file.text[place.start : place.end].split("\n", 1)[0]
        width = _column(file.text, place.start) + len(command) + 4 + len(first_line)
        if own_line or width > WIDEST_LINE:
            joint = f" &&{style.next_line}"
    return Edit(place.start, place.start, command + joint)


def remove_command(file: Dockerfile, script: Script, place: Pipeline) -> Edit | None:
    """Take `place` out of its list, with one operator, so that the rest stays a list; None if nothing would be left."""
    edits = remove_commands(file, script, (place,))
    return edits[0] if edits else None


def remove_item(file: Dockerfile, script: Script, item: AndOr) -> Edit | None:
    """Take a whole item out of a list, with one separator; None if nothing would be left."""
    edits = remove_commands(file, script, item.pipelines)
    return edits[0] if edits else None


def remove_commands(file: Dockerfile, script: Script, places: Sequence[Pipeline]) -> list[Edit] | None:
    """Take several commands out of one list, with as many operators and separators; None if nothing would be left."""
    gone = {id(place) for place in places}
    left = [any(id(p) not in gone for p in item.pipelines) for item in script.items]
    if not any(left):
        return None
    edits = []
    for first, last in _stretches(left):
        if last + 1 < len(left) and not _ends_line(file.text, script, first, last):
            edits.append(_removal(file, script.items[first].start, _next_line(file, script, first, last), script))
            continue
        before, own, end = script.separators[first - 1], script.separators[last], script.items[first - 1].end
        if own is not None and before is not None and own.text == before.text != "\n":
            edits.append(_removal(file, before.end, own.end, script))
        elif before is not None and before.text == ";" and _comments_with_gaps(file.text, end, before.start):
            # They are often words that somebody took out: before the separator they can be put in again.
            edits.append(_removal(file, before.end, script.items[last].end, script))
        else:
            edits.append(_removal(file, end, script.items[last].end, script))
    for item, stays in zip(script.items, left, strict=True):
        if stays:
            edits.extend(_thinned(file, item, [id(p) not in gone for p in item.pipelines]))
    return edits


def _ends_line(text: str, script: Script, first: int, last: int) -> bool:
    """Whether the items from `first` to `last` end the line of the one before them."""
    if first == 0 or "\n" in text[script.items[first - 1].end : script.items[first].start]:
        return False
    return "\n" in text[script.items[last].end : script.items[last + 1].start]


def _next_line(file: Dockerfile, script: Script, first: int, last: int) -> int:
    """Where the text after the items from `first` to `last` goes on: at the next item, or at an empty line that follows
    them and has no like above `first`."""
    start, end = script.items[last].end, script.items[last + 1].start
    lines = file.text[start:end].split("\n")
    if len(lines) < 3 or lines[1].strip(f" \t\r{file.escape}"):
        return end
    above = file.text[: script.items[first].start].rsplit("\n", 2)
    if len(above) == 3 and not above[1].strip(f" \t\r{file.escape}"):
        return end
    return start + len(lines[0]) + 1 + len(lines[1]) - len(lines[1].lstrip(" \t"))


def _thinned(file: Dockerfile, item: AndOr, left: Sequence[bool]) -> list[Edit]:
    edits = []
    for first, last in _stretches(left):
        if first == 0:
            edits.append(_removal(file, item.start, item.pipelines[last + 1].start, item))
            continue
        end = item.pipelines[first - 1].end
        # In `a && b || c` the `||` is what follows `a`, too.
        mixed = last + 1 < len(left) and item.operators[first - 1].text != item.operators[last].text
        if mixed or last + 1 == len(left) or _belongs_to_line_before(file.text, item, first, last):
            edits.append(_removal(file, end, item.pipelines[last].end, item))
        else:
            edits.append(_removal(file, item.pipelines[first].start, item.pipelines[last + 1].start, item))
    return edits


def _belongs_to_line_before(text: str, item: AndOr, first: int, last: int) -> bool:
    """Whether the commands from `first` to `last` end the line of the one before them, or have lines of their own that
    begin with the operator."""
    before, after = item.pipelines[first - 1].end, item.pipelines[last].end
    if "\n" not in text[before : item.pipelines[first].start]:
        return "\n" in text[after : item.pipelines[last + 1].start]
    return "\n" in text[before : item.operators[first - 1].start] and "\n" in text[after : item.operators[last].start]


def _stretches(left: Sequence[bool]) -> list[tuple[int, int]]:
    """First and last index of every run of False."""
    out: list[tuple[int, int]] = []
    for at, stays in enumerate(left):
        if stays:
            continue
        if out and out[-1][1] == at - 1:
            out[-1] = (out[-1][0], at)
        else:
            out.append((at, at))
    return out


def is_continued(file: Dockerfile, removal: Edit) -> bool:
    """Whether a removal brings an escape character to the end of a line, which would go on in the next one, or a
    carriage return, which would be a part of it."""
    line = file.text[removal.end :].split("\n", 1)[0]
    before = file.text[: removal.start].rstrip(" \t")
    return not (removal.new + line).strip() and before.endswith((file.escape, "\r"))


def remove_word(file: Dockerfile, word: Word | Span, previous_end: int) -> Edit:
    """Take a word out of a command, with the blanks or the continuation before it (in exec form: with the comma).
    `previous_end` is where the node before it ends."""
    return _removal(file, previous_end, word.end)


def draw_up(file: Dockerfile, start: int, end: int) -> Edit:
    """Take out what stands before a word of a command, which takes its place: `end` is where that word begins, and
    between the two is no command's end."""
    return Edit(start, end, "") if _heredoc_at(file, start) is not None else _removal(file, start, end)


def remove_instruction(
    file: Dockerfile, instruction: Instruction, script: Script | None = None, *, into: Instruction | None = None
) -> Edit:
    """Take out a whole instruction with its lines (heredocs too), and the blank lines on one of its sides if both have
    some. Comments inside its continuations stay, as do those of the shell in `script`, which is that of the
    instruction. `into` is the instruction that does what this one did: if it is the next one, a comment above this one
    comes to stand above it."""
    start, end = _extent(instruction)
    kept = _comments(file.text, start, end)
    if script is not None:
        kept += _behind_commands(file, end, script)
    eol = _eol(file, file.text[start:end].split("\n"))
    at = _index(file, instruction)
    above, below = _blanks(file, at, -1), _blanks(file, at, 1)
    if kept or (at > 0 and above == 0):
        if into is not None and (kept or isinstance(file.items[at - 1], Comment)) and _is_next(file, at, into):
            end = _start_of(file, at + 1 + below)
    elif below and below <= above:
        end = _start_of(file, at + 1 + below)
    elif above and (below or at + 1 == len(file.items)):
        start = _start_of(file, at - above)
    new = "".join(line.strip() + eol for line in kept)
    if end == len(file.text) and not file.text.endswith("\n"):
        # The file has no final newline, and is not to get one.
        if kept:
            new = new.removesuffix(eol)
        else:
            start -= len(eol) if file.text[:start].endswith(eol) else 0
    return Edit(start, end, new)


def _behind_commands(file: Dockerfile, end: int, script: Script) -> list[str]:
    """The shell's own comments behind the commands of a script, each as a line."""
    kept = []
    commands = [pipeline for item in script.items for pipeline in item.pipelines]
    for item, after in zip(commands, [*(other.start for other in commands[1:]), end], strict=True):
        line, *more = file.text[item.end : after].split("\n")
        if "#" not in line:
            continue
        in_heredoc = _heredoc_at(file, item.end) is not None
        kept.append(line[line.index("#") :].rstrip(" \t\r" if in_heredoc else f" \t\r{file.escape}"))
        if not in_heredoc:
            # Continued lines belong to the comment, as the shell sees one line.
            bare = (line.strip(f" \t\r{file.escape}") for line in more)
            kept += [f"# {line}" for line in bare if line and not line.startswith("#")]
    return kept


def _blanks(file: Dockerfile, at: int, step: int) -> int:
    """How many blank lines stand next to the item at `at`, below or (`step` -1) above it."""
    count = 0
    while 0 <= at + step * (count + 1) < len(file.items) and isinstance(file.items[at + step * (count + 1)], Blank):
        count += 1
    return count


def _is_next(file: Dockerfile, at: int, instruction: Instruction) -> bool:
    """Whether `instruction` is the first one after the item at `at`."""
    at += 1
    while at < len(file.items) and isinstance(file.items[at], Blank | Comment):
        at += 1
    return at < len(file.items) and file.items[at] is instruction


def _start_of(file: Dockerfile, at: int) -> int:
    return file.starts[at] if at < len(file.starts) else len(file.text)


def remove_instructions(
    file: Dockerfile, instructions: Sequence[Instruction], *, into: Sequence[Instruction] = ()
) -> list[Edit]:
    """Take out several instructions; see `remove_instruction`. Those that stand one below the other count as one. So
    do, for a comment above the first of them, those with nothing but blank lines between them. `into`: what does now
    what these did."""
    edits = []
    above = before = -1
    ordered = sorted(instructions, key=lambda each: each.keyword.start)
    drawn = _drawn_up(file, [_index(file, each) for each in ordered], into)
    for instruction in ordered:
        at = _index(file, instruction)
        heir = next((each for each in into if _is_next(file, at, each)), None)
        edit = remove_instruction(file, instruction, into=heir)
        below = _blanks(file, at, 1)
        adjoins = at - 1 == before
        if not adjoins:
            above = _blanks(file, at, -1)
        if not edit.new and below and (at in drawn or (adjoins and below <= above)):
            edit = Edit(edit.start, _start_of(file, at + 1 + below), "")
        edits.append(edit)
        before = at
    return edits


def _drawn_up(file: Dockerfile, places: Sequence[int], into: Sequence[Instruction]) -> set[int]:
    """Which of the items at `places`, all to be removed, stand below a comment and above one of `into`, with nothing
    but others of them, blank lines and that one's own comments between these two."""
    found: set[int] = set()
    first = 0
    for n, at in enumerate(places):
        if n == 0 or at - 1 - _blanks(file, at, -1) != places[n - 1]:
            first = n
        if n + 1 < len(places) and places[n + 1] == at + 1 + _blanks(file, at, 1):
            continue
        commented = places[first] > 0 and isinstance(file.items[places[first] - 1], Comment)
        if commented and any(_is_next(file, at, each) for each in into):
            found.update(places[first : n + 1])
    return found


def name_stage(file: Dockerfile, from_: From, name: str) -> Edit:
    """Give a stage that has no name one."""
    keyword = "as" if from_.keyword.value.islower() else "AS"
    end = from_.image.span.end
    return Edit(end, end, f" {keyword} {name}")


def remove_pair(file: Dockerfile, instruction: Env, pair: Pair) -> Edit:
    """Take one `key=value` out of an ENV; the whole instruction if it holds no other."""
    if len(instruction.pairs) == 1:
        return remove_instruction(file, instruction)
    at = instruction.pairs.index(pair)
    follower = instruction.pairs[at + 1] if at + 1 < len(instruction.pairs) else None
    if follower is not None and (at == 0 or _shares_line_only_with(file, pair, follower)):
        return _removal(file, pair.span.start, follower.span.start)
    return _removal(file, instruction.pairs[at - 1].span.end, pair.span.end)


def _shares_line_only_with(file: Dockerfile, pair: Pair, follower: Pair) -> bool:
    """Whether `pair` begins a line on which `follower` goes on."""
    start, end = pair.span.start, follower.span.start
    before = file.text[file.text.rfind("\n", 0, start) + 1 : start]
    return not before.strip(" \t") and "\n" not in file.text[start:end]


def insert_instruction(file: Dockerfile, before: Instruction, text: str, *, spaced: bool = False) -> Edit:
    """Insert the lines `text` (no final newline, LF inside) above `before` and the comments right above it; `spaced`
    adds a blank line below if one stands above."""
    start, above = insertion_place(file, before)
    eol = _eol(file, [])
    gap = eol if spaced and isinstance(above, Blank) else ""
    return Edit(start, start, text.replace("\n", eol) + eol + gap)


def insertion_place(file: Dockerfile, before: Instruction) -> tuple[int, Item | None]:
    """Where lines go that come above `before` and the comments right above it, and the item that ends there."""
    start = before.keyword.start - len(before.keyword.prefix)
    above: Item | None = None
    for above in reversed(file.items[: _index(file, before)]):
        if not isinstance(above, Comment):
            return start, above
        start = above.text.start - len(above.text.prefix)
    return start, None


def has_comments_above(file: Dockerfile, instruction: Instruction) -> bool:
    """Whether a comment stands right above an instruction."""
    at = _index(file, instruction)
    return at > 0 and isinstance(file.items[at - 1], Comment)


def instruction_block(file: Dockerfile, instruction: Instruction) -> tuple[int, int]:
    """The lines of an instruction, here-documents and the comments right above it included."""
    return insertion_place(file, instruction)[0], instruction.span.end


def remove_blocks(file: Dockerfile, instructions: Sequence[Instruction]) -> list[Edit]:
    """Take out instructions with the comments right above them and the blank lines between them, and the blank lines on
    one side of what goes if both have some. For what is written elsewhere: nothing of it is kept here."""
    blocks: list[tuple[int, int]] = []
    for last in sorted(_index(file, instruction) for instruction in instructions):
        first = last
        while first > 0 and isinstance(file.items[first - 1], Comment):
            first -= 1
        if blocks and all(isinstance(item, Blank) for item in file.items[blocks[-1][1] + 1 : first]):
            blocks[-1] = (blocks[-1][0], last)
        else:
            blocks.append((first, last))
    edits = []
    for first, last in blocks:
        above, below = _blanks(file, first, -1), _blanks(file, last, 1)
        start, end = _start_of(file, first), _start_of(file, last + 1)
        if below and below <= above:
            end = _start_of(file, last + 1 + below)
        elif above and below:
            start = _start_of(file, first - above)
        edits.append(Edit(start, end, ""))
    return edits


def remove_flag(file: Dockerfile, run: Run, flag: Flag) -> Edit:
    """Take a flag out of a RUN, so that what follows it takes its place. Comments between the two stay."""
    at = next(index for index, each in enumerate(run.flags) if each is flag)
    if at + 1 < len(run.flags):
        follower = run.flags[at + 1].word.start
    elif isinstance(run.form, ShellForm):
        follower = run.form.script.start
    elif run.form is not None:
        follower = run.form.open.start
    else:
        follower = flag.word.span.end
    return _removal(file, flag.word.span.start, follower)


def _index(file: Dockerfile, instruction: Instruction) -> int:
    return bisect_right(file.starts, instruction.keyword.start) - 1


def keyword_like(file: Dockerfile, keyword: str) -> str:
    """`keyword` in the case that most instructions of the file use."""
    return keyword.lower() if _mostly_lower(file) else keyword.upper()


def gap_like(run: Run) -> str:
    """The blanks between the keyword of `run` and what follows it; one where that begins on another line."""
    first: Leaf | None = next((flag.word for flag in run.flags), None)
    if first is None and run.form is not None:
        first = run.form.script if isinstance(run.form, ShellForm) else run.form.open
    gap = first.prefix if first is not None else ""
    return gap if gap and not gap.strip(" \t") else " "


@lru_cache(maxsize=4)
def _mostly_lower(file: Dockerfile) -> bool:
    lower = sum(1 for i in file.instructions if i.keyword.value.islower())
    return lower * 2 > len(file.instructions)


# --- how a file is written -----------------------------------------------------------------------------------------


def _extent(instruction: Instruction) -> tuple[int, int]:
    """From the indentation to the end of the last line, heredocs included."""
    first = instruction.keyword
    return first.start - len(first.prefix), instruction.span.end


def _header_lines(file: Dockerfile, instruction: Instruction) -> list[str]:
    """The lines of the instruction itself, without its heredocs."""
    start, end = _extent(instruction)
    inner = instruction.inner if isinstance(instruction, Onbuild) else instruction
    if isinstance(inner, (Run, Transfer)) and inner.heredocs:
        end = inner.end.start + len(inner.end.text)
    return file.text[start:end].removesuffix("\n").split("\n")


def _eol(file: Dockerfile, lines: Sequence[str]) -> str:
    if len(lines) > 1:
        return "\r\n" if lines[0].endswith("\r") else "\n"
    at = file.text.find("\n")
    return "\r\n" if at > 0 and file.text[at - 1] == "\r" else "\n"


def _habit(lines: Sequence[str]) -> str | None:
    """The smallest indent of the lines after the first; deeper ones belong to what is nested. A very wide one counts
    where it draws the lines up to the first one's command."""
    found: str | None = None
    for line in lines[1:]:
        body = line.lstrip(" \t")
        indent = line[: len(line) - len(body)]
        if not body.strip() or body.startswith("#") or not indent:
            continue
        if found is None or _width(indent) < _width(found):
            found = indent
    if found is None or _width(found) <= WIDEST_INDENT:
        return found
    return found if _width(found) == _start_of_command(lines[0]) else None


def _start_of_command(line: str) -> int:
    """The column in which the first word behind an instruction's keyword begins."""
    words = line.split(maxsplit=1)
    return _width(line[: len(line) - len(words[1])]) if len(words) > 1 else 0


@lru_cache(maxsize=256)
def _width(indent: str) -> int:
    return len(indent.expandtabs(4))


@lru_cache(maxsize=4)
def _file_indent(file: Dockerfile) -> str | None:
    """The most common indent of continuation lines; asked again for every instruction of one line."""
    seen: Counter[str] = Counter()
    for item in file.instructions:
        if not isinstance(item, Onbuild) and len(lines := _header_lines(file, item)) > 1:
            own = _habit(lines)
            if own is not None:
                seen[own] += 1
    return seen.most_common(1)[0][0] if seen else None


def _flag_indent(file: Dockerfile, run: Run) -> str | None:
    for flag in reversed(run.flags):
        if "\n" in flag.word.prefix:
            return flag.word.prefix.rpartition("\n")[2]
    return None


def _line_indent(text: str, offset: int) -> str:
    start = text.rfind("\n", 0, offset) + 1
    line = text[start:offset]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _column(text: str, offset: int) -> int:
    return offset - (text.rfind("\n", 0, offset) + 1)


def _in_heredoc(instruction: Instruction, offset: int) -> bool:
    inner = instruction.inner if isinstance(instruction, Onbuild) else instruction
    return isinstance(inner, Run) and any(h.body.span.start <= offset < h.body.span.end for h in inner.heredocs)


def _find(script: Script, place: Pipeline) -> tuple[AndOr, int]:
    for item in script.items:
        for index, pipeline in enumerate(item.pipelines):
            if pipeline is place:
                return item, index
    raise ValueError("the command is not at the top level of this script")


def _chain_habit(file: Dockerfile, instruction: Instruction, script: Script) -> tuple[str, str]:
    """("leading" | "trailing" | "inline", indent before a leading `&&`) of the chain, else of the whole file if the
    instruction has several lines."""
    seen: Counter[str] = Counter()
    lead = ""
    for item in script.items:
        for i, operator in enumerate(item.operators):
            before = file.text[item.pipelines[i].end : operator.start]
            after = file.text[operator.end : item.pipelines[i + 1].start]
            if "\n" in before:
                seen["leading"] += 1
                lead = before.rpartition("\n")[2]
            elif "\n" in after:
                seen["trailing"] += 1
            else:
                seen["inline"] += 1
    multi = {k: n for k, n in seen.items() if k != "inline"}
    if multi:
        return max(multi, key=lambda k: multi[k]), lead
    return "inline", layout(file, instruction).indent


def _joined(file: Dockerfile, instruction: Instruction, item: AndOr, command: str) -> str:
    """`command` with the `&&` that joins it to the end of `item`."""
    style = layout(file, instruction)
    script = Script(item.start, item.end, (item,), (None,))
    habit, lead = _chain_habit(file, instruction, script)
    if habit == "leading":
        return f" {style.escape}{style.eol}{lead}&& {command}"
    if habit == "trailing":
        return f" &&{style.next_line}{command}"
    if "\n" in file.text[item.pipelines[-1].start : item.end]:
        return f"{style.next_line}&& {command}"
    if _column(file.text, item.end) + len(command) + 4 <= WIDEST_LINE:
        return f" && {command}"
    return f" &&{style.next_line}{command}"


def _gap_before(file: Dockerfile, style: Layout, start: int, command: str) -> str:
    """What stands between a `;` and the next command: a new line if the neighbour at `start` began one, or if there
    is no room."""
    line_start = file.text.rfind("\n", 0, start) + 1
    before = file.text[line_start:start]
    if line_start > 0 and not before.strip():
        return f" {style.escape}{style.eol}{before}"
    if _column(file.text, start) + len(command) > WIDEST_LINE:
        return style.next_line
    return " "


# --- taking out, without losing comments ---------------------------------------------------------------------------


def _comments(text: str, start: int, end: int) -> list[str]:
    """The whole lines between the two offsets that are comments."""
    return [line for line in _whole_lines(text, start, end) if _is_comment(line)]


def _whole_lines(text: str, start: int, end: int) -> list[str]:
    """Those that begin and end between the two offsets; the last one of a file may have no line feed."""
    lines = text[start:end].split("\n")
    return lines[1:] if end == len(text) else lines[1:-1]


def has_comments(file: Dockerfile, span: Span) -> bool:
    """Whether a comment stands between the continuations of a stretch of an instruction."""
    return bool(_comments(file.text, *span))


def _is_comment(line: str) -> bool:
    return line.lstrip(" \t").startswith("#")


def _comments_with_gaps(text: str, start: int, end: int, *, below: bool = False) -> list[str]:
    """The same, with the blank lines that stand right above one of them; `below`: and with those below the last."""
    kept: list[str] = []
    gap: list[str] = []
    for line in _whole_lines(text, start, end):
        if not line.strip():
            gap.append(line)
            continue
        if _is_comment(line):
            kept += [*gap, line]
        gap.clear()
    return kept + gap if kept and below else kept


def _removal(file: Dockerfile, start: int, end: int, holder: ShellNode | None = None) -> Edit:
    """Remove a stretch; if comment lines stand in it they stay, between what is before and what is after. `holder`: the
    commands that it is a part of; None for a stretch of words."""
    if _heredoc_at(file, start) is not None:
        return _removal_in_heredoc(file.text, start, end, [] if holder is None else _words_in(holder, start, end))
    kept = _comments_with_gaps(file.text, start, end)
    if not kept:
        return Edit(start, end, "")
    eol = "\r\n" if kept[0].endswith("\r") else "\n"
    lines = "".join(line.rstrip("\r") + eol for line in kept)
    rest = file.text[end : _logical_end(file, end)].rstrip()
    if rest.lstrip().startswith("#"):
        # The shell's own comment ends the instruction: it stays on the last line, and the others come after it.
        return Edit(start, end + len(rest), rest + eol + lines.removesuffix(eol))
    line_start = file.text.rfind("\n", 0, start) + 1
    if line_start > 0 and not file.text[line_start:start].strip(" \t"):
        kept = _comments_with_gaps(file.text, start, end, below=True)
        return Edit(line_start, end, "".join(line.rstrip("\r") + eol for line in kept) + _line_indent(file.text, end))
    newline = file.text.find("\n", end)
    if newline >= 0 and file.text[end:newline].strip(" \t\r") == file.escape:
        # The line goes on below: what would be left of it is a continuation of nothing.
        return Edit(start, newline + 1, f" {file.escape}{eol}{lines}")
    if not rest.strip(" \t\r\n" + file.escape):
        # Nothing of the instruction follows: the comments come after it, and no continuation may lead to them.
        while file.text[end : end + 1] in (" ", "\t"):
            end += 1
        return Edit(start, end, eol + lines.removesuffix(eol))
    return Edit(start, end, f" {file.escape}{eol}{lines}{_line_indent(file.text, end)}")


def _heredoc_at(file: Dockerfile, offset: int) -> Heredoc | None:
    """The heredoc in whose body `offset` is."""
    item = _item_at(file, offset)
    inner = item.inner if isinstance(item, Onbuild) else item
    if isinstance(inner, Run | Transfer):
        for heredoc in inner.heredocs:
            if heredoc.body.start <= offset < heredoc.body.span.end:
                return heredoc
    return None


_OPERATOR = regex(r";;|&&|\|\||[;&|]")


def _removal_in_heredoc(text: str, start: int, end: int, words: Sequence[Span]) -> Edit:
    """Remove a stretch of a script in a heredoc, where a comment goes on to the end of its line. The stretch begins
    with a command that goes away or at the end of one that stays, and ends the same way. In `words` no # begins a
    comment."""
    first, *others = text[start:end].split("\n")
    if not others:
        return Edit(start, end, "")
    line_start = text.rfind("\n", 0, start) + 1
    fresh = not text[line_start:start].strip(" \t")
    from_command = text[start] not in " \t\n;&|"
    comments = []
    at = start
    for line in (first, *others):
        comments.append(_shell_comment(text, at, at + len(line), words))
        at += len(line) + 1
    kept = comments[1:-1]
    if from_command:
        indent = others[-1][: len(others[-1]) - len(others[-1].lstrip(" \t"))]
        lines = [c for c in (comments[0].lstrip(" \t"), *kept) if c]
        if fresh and not lines and text[end : end + 1] in ("\n", "\r"):
            return Edit(line_start, end, "")
        if not lines:
            return Edit(start, end, "")
        lines[0] = lines[0].lstrip(" \t")
        return Edit(start, end, "".join(line + "\n" for line in lines) + indent)
    own = comments[0].lstrip(" \t")
    before = first[: len(first) - len(own)] if own else ""
    # A blank or an operator keeps it from being a part of a word.
    tail = (before[len(before.rstrip(" \t")) :] or " ") + own if own else ""
    lines = [c for c, line in zip(kept, others, strict=False) if c or not line.strip()]
    while lines and not lines[-1]:
        lines.pop()
    new = tail + "".join("\n" + line for line in lines)
    follows = text[end : text.find("\n", end)]
    if not new or not follows.strip(" \t\r"):
        return Edit(start, end, new)
    # What follows on the line would be a part of the comment. An operator stays behind the command that it is for.
    rest = follows.lstrip(" \t")
    operator = _OPERATOR.match(rest)
    joint = "" if operator is None else operator[0]
    new = f" {joint}{new}" if len(joint) > 1 else joint + new
    rest = rest[len(joint) :].lstrip(" \t")
    end += len(follows) - len(rest)
    return Edit(start, end, f"{new}\n{_line_indent(text, end)}" if rest.strip("\r") else new)


def _shell_comment(text: str, start: int, end: int, words: Sequence[Span]) -> str:
    """The comment of a line of a script, with the line's indent; nothing if there is none."""
    line = text[start:end]
    at = line.find("#")
    while at >= 0:
        place = start + at
        begins = at == 0 or line[at - 1] in " \t;&|()<>"
        if begins and not any(word.start <= place < word.end for word in words):
            return line[: len(line) - len(line.lstrip(" \t"))] + line[at:].rstrip("\r")
        at = line.find("#", at + 1)
    return ""


def _words_in(holder: ShellNode, start: int, end: int) -> list[Span]:
    """Where the words are in a stretch of commands."""
    found = []
    waiting = [holder]
    while waiting:
        node = waiting.pop()
        if node.end <= start or node.start >= end:
            continue
        if isinstance(node, Word | Assignment | Redirect):
            found.append(node.span)
        else:
            waiting.extend(node.children)
    return found


def _logical_end(file: Dockerfile, offset: int) -> int:
    """Where the instruction that holds `offset` ends."""
    item = _item_at(file, offset)
    if not isinstance(item, Instruction):
        return len(file.text)
    inner = item.inner if isinstance(item, Onbuild) else item
    if isinstance(inner, Run) and inner.heredocs and offset < inner.heredocs[0].body.start:
        return inner.heredocs[0].body.start
    return _extent(item)[1]


def _item_at(file: Dockerfile, offset: int) -> Item | None:
    """The line or instruction that holds `offset`."""
    index = bisect_right(file.starts, offset) - 1
    return file.items[index] if index >= 0 else None


__all__ = [
    "Layout",
    "add_mounts",
    "append_command",
    "draw_up",
    "gap_like",
    "has_comments",
    "has_comments_above",
    "insert_before",
    "insert_instruction",
    "insertion_place",
    "instruction_block",
    "is_continued",
    "keyword_like",
    "layout",
    "name_stage",
    "remove_blocks",
    "remove_command",
    "remove_flag",
    "remove_instruction",
    "remove_instructions",
    "remove_item",
    "remove_pair",
    "remove_word",
]
