"""Text from files, logs and engines made fit to be seen: nothing in it can hide, steer or forge.

Control characters, bytes that are not UTF-8, and characters that turn text round or have no width become
escapes as Python writes them (`\\x1b`, `\\u202e`). Line feeds and tabs stay.
"""

from __future__ import annotations

import re

_NO_CHARACTERS = "".join(chr(plane << 16 | low) for plane in range(1, 17) for low in (0xFFFE, 0xFFFF))
_HIDDEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164"
    rf"\ud800-\udfff\ufdd0-\ufdef\ufeff\ufff0-\ufffb\ufffe\uffff\U000e0000-\U000e0fff{_NO_CHARACTERS}]"
)
_CSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][A-Z0-9]|[=>78])")
"""What programs send to a terminal for colours, titles and the cursor."""


def plain(text: str) -> str:
    """`text` with escapes in the place of what cannot be seen. The result can always be encoded."""
    return _HIDDEN.sub(lambda found: escape(found[0]), text)


def parts(text: str) -> list[tuple[str, bool]]:
    """The same in pieces; True for those that are escapes, so that they can be shown as such."""
    out, at = [], 0
    for found in _HIDDEN.finditer(text):
        if found.start() > at:
            out.append((text[at : found.start()], False))
        out.append((escape(found[0]), True))
        at = found.end()
    return [*out, (text[at:], False)] if at < len(text) else out


def escape(character: str) -> str:
    """`\\xff` for a byte that is not UTF-8 and for a control character, else `\\u200b` or `\\U000e0001`."""
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # as `fixer.text.source.decode` keeps such a byte
        return f"\\x{code - 0xDC00:02x}"
    if code in (0x0D, 0x00):
        return {0x0D: "\\r", 0x00: "\\0"}[code]
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def of_a_terminal(log: str) -> str:
    """A log as a terminal would have shown it in the end: without colours, and of a line that was written several times
    (progress bars) what was written last."""
    lines = []
    for line in _CSI.sub("", log).split("\n"):
        written = [piece for piece in line.split("\r") if piece.strip()]
        lines.append(written[-1] if written else "")
    return "\n".join(lines)
