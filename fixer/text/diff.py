"""A unified diff that `git apply` and `patch` take: split on LF only, CR kept, missing final newline said."""

from __future__ import annotations

import difflib


def unified_diff(before: str, after: str, name: str, *, context: int = 3) -> str:
    """The diff from `before` to `after` with `a/` and `b/` names, or an empty string if they are equal.

    Lines end at LF only: `str.splitlines` would cut at form feeds and lone CRs, and the result would not apply.
    """
    if before == after:
        return ""
    quoted_a, quoted_b = _name("a/" + name), _name("b/" + name)
    out = [f"--- {quoted_a}\n", f"+++ {quoted_b}\n"]
    matcher = difflib.SequenceMatcher(None, a := _lines(before), b := _lines(after), autojunk=False)
    for group in matcher.get_grouped_opcodes(context):
        first, last = group[0], group[-1]
        out.append(f"@@ -{_range(first[1], last[2])} +{_range(first[3], last[4])} @@\n")
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                out.extend(_row(" ", line) for line in a[i1:i2])
                continue
            out.extend(_row("-", line) for line in a[i1:i2])
            out.extend(_row("+", line) for line in b[j1:j2])
    return "".join(out)


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
    """Git's quoting of unusual file names (git-apply reads C-style quotes)."""
    if any(ord(c) < 32 or c in '"\\' or ord(c) == 127 for c in name):
        body = "".join(f"\\{ord(c):03o}" if ord(c) < 32 or ord(c) == 127 else "\\" + c if c in '"\\' else c for c in name)
        return f'"{body}"'
    return name
