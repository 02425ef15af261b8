"""Cost grows with the size of the text and with nothing else: counted in calls, since machines are busy at times."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import pytest

from fixer.tree.parse import parse
from tests.cost import count_calls

SHAPES: dict[str, Callable[[int], str]] = {
    "instructions": lambda k: "RUN echo hi && x\n" * k,
    "comments": lambda k: "# c\n" * k,
    "blank lines": lambda k: "\n" * k,
    "unknown instructions": lambda k: "FOO bar\n" * k,
    "instructions against the grammar": lambda k: "FROM a b\n" * k,
    "continued lines": lambda k: "RUN a \\\n" + "  && b \\\n" * k + " c\n",
    "continued pairs": lambda k: "ENV a=b \\\n" + "  c=d \\\n" * k + "  e=f\n",
    "comments in a continuation": lambda k: "RUN a \\\n" + "  # b \\\n" * k + " c\n",
    "escapes alone": lambda k: "\\\n" * k,
    "flags": lambda k: "RUN" + " \\\n --mount=type=cache,target=/x" * k + " \\\n a\n",
    "strings": lambda k: "CMD [" + ",\\\n".join(['"a"'] * k) + "]\n",
    "broken array": lambda k: "CMD [" + ",\\\n".join(['"a"'] * k) + ",]\n",
    "here-documents of one line": lambda k: (
        "RUN" + "".join(f" \\\n<<{i}" for i in range(k)) + "\n" + "".join(f"x\n{i}\n" for i in range(k))
    ),
    "here-documents": lambda k: "RUN <<-E\n\tx\n\tE\n" * k,
    "here-documents without end": lambda k: "".join(f"RUN <<E{i}\n" for i in range(k)),
    "here-documents without end, one name": lambda k: "RUN <<E\n" * k,
    "words": lambda k: "COPY" + " a\\\n" * k + " b\n",
    "quotes": lambda k: "ENV a=" + "'x'\\\n" * k + "\n",
    "shifts": lambda k: "RUN " + "<< " * k + "\n",
}


@pytest.mark.parametrize("name", SHAPES)
def test_linear(name: str) -> None:
    parse("FROM a\n")
    few, many = (count_calls(partial(parse, SHAPES[name](times))) for times in (100, 800))
    assert many < 8.5 * few, (few, many)


@pytest.mark.parametrize("name", SHAPES)
def test_large(name: str) -> None:
    """Thousands of anything in some seconds, also where the work is inside of a regular expression."""
    text = SHAPES[name](2_500)
    started = time.process_time()
    assert parse(text).code == text
    assert time.process_time() - started < 6


@pytest.mark.parametrize(
    "text",
    [
        "CMD " + "[" * 30_000 + "]" * 30_000 + "\n",
        "# syntax=a" + " " * 60_000 + "b\n",
        "RUN <<a " + "${a:-" * 10_000 + "\n",
        "RUN --a=" + "'x" * 30_000 + "\n",
        'LABEL a="' + "\\\\" * 30_000 + "\n",
        "RUN a" + " " * 60_000 + "b\n",
        "\u2003" * 20_000 + "\n",
        "RUN <<a " + "\"$x\"" * 15_000 + "\n",
    ],
    ids=["brackets", "blanks in a directive", "braces", "quotes", "escapes", "blanks", "wide blanks", "dollars"],
)  # fmt: skip
def test_long_lines(text: str) -> None:
    started = time.process_time()
    assert parse(text).code == text
    assert time.process_time() - started < 5
