"""A unified diff that `git apply` and `patch` take: split on LF only, CR kept, missing final newline said."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator, Sequence

_Opcode = tuple[str, int, int, int, int]
"""As in difflib: `equal`, `replace`, `delete` or `insert`, and the range of lines on either side."""

_CHEAP = 50_000
"""Pairs of equal lines up to which difflib looks at a whole file; it is quadratic in lines that repeat."""
_LONG = 2_000
"""Lines, of both sides together, up to which it does: it looks at all of them again for each stretch that is equal."""
_IN_STEP = 3
"""Equal lines that show that both sides are in step again."""
_REACH = 200
"""Lines, of both sides together, in which that is looked for."""
_PATIENCE = 12
"""Lines by which that may be further away than a single equal line, and still be preferred to it."""
_BLOCK = 200
"""Lines of either side that are compared at once where nothing is in step."""


def unified_diff(before: str, after: str, name: str, *, context: int = 3, created: bool = False) -> str:
    """The diff from `before` to `after` with `a/` and `b/` names, or an empty string if they are equal. created: there
    was no file before.

    Lines end at LF only: `str.splitlines` would cut at form feeds and lone CRs, and the result would not apply.
    The cost is linear in the files where the changes are small.
    """
    if before == after:
        return ""
    old = "/dev/null" if created else _name("a/" + name)
    out = [f"--- {old}\n", f"+++ {_name('b/' + name)}\n"]
    a, b = _lines(before), _lines(after)
    for group in _grouped(_opcodes(a, b), context):
        first, last = group[0], group[-1]
        out.append(f"@@ -{_range(first[1], last[2])} +{_range(first[3], last[4])} @@\n")
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                out.extend(_row(" ", line) for line in a[i1:i2])
                continue
            out.extend(_row("-", line) for line in a[i1:i2])
            out.extend(_row("+", line) for line in b[j1:j2])
    return "".join(out)


# --- which lines are equal -----------------------------------------------------------------------------------------


def _opcodes(a: Sequence[str], b: Sequence[str]) -> list[_Opcode]:
    """difflib's answer where it is cheap; else difflib's answer for each place where the files are out of step."""
    start, a_end, b_end = _trim(a, b)
    found: list[_Opcode] = [("equal", 0, start, 0, start)] if start else []
    i, j = start, start
    for i1, i2, j1, j2 in _stretches(a, b, start, a_end, b_end):
        if i1 > i:
            found.append(("equal", i, i1, j, j1))
        matcher = difflib.SequenceMatcher(None, a[i1:i2], b[j1:j2], autojunk=False)
        found.extend((tag, i1 + p, i1 + q, j1 + r, j1 + s) for tag, p, q, r, s in matcher.get_opcodes())
        i, j = i2, j2
    if i < len(a):
        found.append(("equal", i, len(a), j, len(b)))
    return _joined(found)


def _trim(a: Sequence[str], b: Sequence[str]) -> tuple[int, int, int]:
    """Where the common beginning ends, and where the common end begins on either side."""
    start, a_end, b_end = 0, len(a), len(b)
    while start < a_end and start < b_end and a[start] == b[start]:
        start += 1
    while a_end > start and b_end > start and a[a_end - 1] == b[b_end - 1]:
        a_end, b_end = a_end - 1, b_end - 1
    return start, a_end, b_end


def _stretches(
    a: Sequence[str], b: Sequence[str], start: int, a_end: int, b_end: int
) -> Iterator[tuple[int, int, int, int]]:
    """Ranges of `a` and `b` that are compared by difflib; what lies between them is equal."""
    i, j = start, start
    counts = Counter(b[j:b_end])
    if a_end - i + b_end - j <= _LONG and sum(counts[line] for line in a[i:a_end]) <= _CHEAP:
        yield i, a_end, j, b_end
        return
    while i < a_end or j < b_end:
        if i < a_end and j < b_end and a[i] == b[j]:
            i, j = i + 1, j + 1
            continue
        i2, j2 = _in_step_again(a, b, i, j, a_end, b_end)
        yield i, i2, j, j2
        i, j = i2, j2


def _in_step_again(a: Sequence[str], b: Sequence[str], i: int, j: int, a_end: int, b_end: int) -> tuple[int, int]:
    """The nearest place from which some lines are equal, else the nearest equal line, else the end of a block."""
    single: tuple[int, int] | None = None
    reach = _REACH
    distance = 0
    while (distance := distance + 1) < reach:
        for skipped in range(max(0, distance - (b_end - j)), min(distance, a_end - i) + 1):
            p, q = i + skipped, j + distance - skipped
            if p < a_end and q < b_end and a[p] != b[q]:
                continue
            length = min(_IN_STEP, a_end - p, b_end - q)
            at_end = p + length == a_end and q + length == b_end
            if (length == _IN_STEP or at_end) and a[p : p + length] == b[q : q + length]:
                return p, q
            if single is None and length:
                single = p, q
                reach = min(reach, distance + _PATIENCE)
    return single or (min(i + _BLOCK, a_end), min(j + _BLOCK, b_end))


def _joined(opcodes: Sequence[_Opcode]) -> list[_Opcode]:
    """Neighbouring stretches of equal lines as one."""
    out: list[_Opcode] = []
    for code in opcodes:
        if out and code[0] == "equal" == out[-1][0]:
            last = out.pop()
            code = ("equal", last[1], code[2], last[3], code[4])
        out.append(code)
    return out


def _grouped(opcodes: Sequence[_Opcode], context: int) -> Iterator[list[_Opcode]]:
    """Hunks: changes with up to `context` equal lines around, those that would overlap as one."""
    group: list[_Opcode] = []
    for position, (tag, i1, i2, j1, j2) in enumerate(opcodes):
        if tag != "equal":
            group.append((tag, i1, i2, j1, j2))
            continue
        first, last = position == 0, position == len(opcodes) - 1
        if not first and not last and i2 - i1 <= 2 * context:
            group.append((tag, i1, i2, j1, j2))
            continue
        if not first:
            length = min(context, i2 - i1)
            group.append((tag, i1, i1 + length, j1, j1 + length))
            yield [code for code in group if code[0] != "equal" or code[1] < code[2]]
            group = []
        if not last:
            length = min(context, i2 - i1)
            group.append((tag, i2 - length, i2, j2 - length, j2))
    if group and (len(group) > 1 or group[0][0] != "equal"):
        yield [code for code in group if code[0] != "equal" or code[1] < code[2]]


# --- rows ----------------------------------------------------------------------------------------------------------


def _lines(text: str) -> list[str]:
    lines = text.split("\n")
    last = lines.pop()
    return [line + "\n" for line in lines] + ([last] if last else [])


def _row(mark: str, line: str) -> str:
    return mark + line if line.endswith("\n") else f"{mark}{line}\n\\ No newline at end of file\n"


def _range(start: int, stop: int) -> str:
    length = stop - start
    if length == 1:
        return str(start + 1)
    return f"{start + 1 if length else start},{length}"


def _name(name: str) -> str:
    """Git's quoting of unusual file names, and its tab after a name with blanks, which could be a time stamp."""
    if any(c in '"\\' or c < " " or c == "\x7f" for c in name):
        return '"' + "".join(_quoted(c) for c in name) + '"'
    return name + "\t" if " " in name else name


def _quoted(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    return f"\\{ord(character):03o}" if character < " " or character == "\x7f" else character
