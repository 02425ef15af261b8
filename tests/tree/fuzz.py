"""Texts that look like Dockerfiles, to try the parser on.

    python -m tests.tree.fuzz 100000 [SEED] [DIRECTORY…]

makes that many texts (half from pieces of the language, half by mutating the samples, or the files below the
directories) and checks that the tree gives each one back, and that every leaf knows where it stands.
"""

from __future__ import annotations

import random
import sys
import time

from hypothesis import strategies as st

from fixer.tree.parse import parse
from tests.tree.oracle import files_below
from tests.tree.samples import SAMPLES
from tests.tree.shapes import check_tiles

PIECES = [
    "FROM a", "FROM a AS b", "from x as 1y", "RUN ", "RUN echo hi", "COPY a b", "COPY --from=x a b", "ADD ", "ENV a=b",
    "ENV a b c", "LABEL x=\"a b\" y='z'", "ARG X", "ARG X=1 Y", "EXPOSE 1 2", 'VOLUME ["/a"]', "VOLUME /a /b", "USER u",
    "WORKDIR /x y", 'CMD ["a", "b"]', 'ENTRYPOINT ["a"] x', "HEALTHCHECK NONE", "HEALTHCHECK --interval=5s CMD x",
    'HEALTHCHECK cmd ["x"]', 'SHELL ["/bin/sh","-c"]', "STOPSIGNAL 9", "ONBUILD RUN x", "ONBUILD COPY a b", "ONBUILD ",
    "MAINTAINER me", "# escape=`", "# escape=\\", "# syntax=x", "#!/bin/sh", "# c", "\\", "`", "\n", "\n", "\n", "\n",
    "\r\n", "\r", " ", "\t", "\\\n", "`\n", " \\ \n", "<<EOF", "<<-EOF", '<<"EOF"', "3<<E", "<<'E F'", "<<\\EOF",
    "<<<a",
    "\nEOF\n", "\nE\n", "\tEOF\n", "EOF", "'", '"', "$", "${", "${a:-b}", "${x:-<<EOF }", "{", "}", "=", "[", "]", ",",
    '"a"', "--", "--mount=type=cache,target=/x", '--mount="a,b"', "--from=$x", "--link", "--link=", "--network=none",
    "--security=insecure", "--device=a,b", "--mount=from=$X", "--x", "\ufeff", "\u00e9", "\u00a0", "\u0085", "\u2003",
    "\x1c", "\v", "\f", "\\u0041", "1", "null", "{}", "true", "FOO", "/", "#", ";", "&&", "|",
]  # fmt: skip


def texts() -> st.SearchStrategy[str]:
    """Pieces of the language in any order."""
    piece = st.sampled_from(PIECES)
    return st.lists(st.one_of(piece, piece.map(lambda p: p + "\n")), max_size=25).map("".join)


def made(chance: random.Random) -> str:
    pieces = (chance.choice(PIECES) + ("\n" if chance.random() < 0.1 else "") for _ in range(chance.randint(1, 25)))
    return "".join(pieces)


def mutated(chance: random.Random, pool: list[str]) -> str:
    """A text of `pool` with a few insertions, removals and doublings."""
    text = chance.choice(pool)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(text) + 1)
        what = chance.random()
        if what < 0.5:
            text = text[:at] + chance.choice(PIECES) + text[at:]
        elif what < 0.8:
            text = text[:at] + text[at + chance.randint(1, 8) :]
        elif what < 0.9:
            text = text[:at] + chr(chance.choice((chance.randrange(128), 0xDC80 + chance.randrange(128)))) + text[at:]
        else:
            start = chance.randrange(len(text) + 1)
            text = text[:at] + text[start : start + chance.randint(1, 60)] + text[at:]
    return text


def main(count: int, seed: int, folders: list[str]) -> int:
    chance = random.Random(seed)
    pool = [path.read_bytes()[:6000].decode("utf-8", "surrogateescape") for path in files_below(folders)]
    pool = pool or [sample.text for sample in SAMPLES if len(sample.text) < 500]
    started = time.perf_counter()
    opaque = items = size = 0
    for number in range(count):
        text = made(chance) if number % 2 else mutated(chance, pool)
        try:
            file = parse(text)
            assert file.code == text
            check_tiles(file)
        except Exception as error:  # whatever it is, the text that shows it is what is wanted
            print(f"seed {seed}, text {number}: {type(error).__name__}: {error}\n{text!r}")
            return 1
        opaque += len(file.opaque)
        items += len(file.items)
        size += len(text)
    took = time.perf_counter() - started
    print(f"{count} texts, {size} characters, {items} items, {opaque} of them opaque: all given back, in {took:.0f} s")
    return 0


if __name__ == "__main__":
    arguments = sys.argv[1:] or ["10000"]
    sys.exit(main(int(arguments[0]), int(arguments[1]) if len(arguments) > 1 else 1, arguments[2:]))
