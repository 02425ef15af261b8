"""Our trees against shfmt's, and what we accept against dash and bash, on the cases written by hand."""

from __future__ import annotations

import shutil

import pytest

from fixer.tree.parse_shell import Dialect
from tests.shell.cases import BASH, BOTH, OPAQUE, SH
from tests.shell.oracle import accepts, check, shfmt_program, static_words, values_in

WITHOUT_SHFMT = {
    # shfmt takes the single quotes for quotes; dash and bash print them, and expand $d
    "a \"${b:-'c $d'}\"",
}

needs_shells = pytest.mark.skipif(
    not (shutil.which("dash") and shutil.which("bash")), reason="needs dash and bash on the path"
)
needs_shfmt = pytest.mark.skipif(shutil.which(shfmt_program()) is None, reason="needs shfmt (PyPI shfmt-py)")


@needs_shells
@needs_shfmt
@pytest.mark.parametrize(
    ("text", "dialect"),
    [(text, dialect) for text, _ in BOTH if text not in WITHOUT_SHFMT for dialect in ("sh", "bash")]
    + [(text, "bash") for text, _ in BASH]
    + [(text, "sh") for text, _ in SH],
)
def test_same_tree_as_shfmt(text: str, dialect: Dialect) -> None:
    verdict = check(text, dialect)
    assert verdict.understood
    assert verdict.problem == ""


@needs_shells
@pytest.mark.parametrize(
    "text", [text for text, dialects, why in OPAQUE if dialects == "both" and why in ("syntax", "unterminated-quote")]
)
def test_shells_refuse_what_is_no_script(text: str) -> None:
    assert not (accepts("bash", text) and accepts("dash", text))


@needs_shells
@pytest.mark.parametrize(("shell", "dialect"), [("dash", "sh"), ("bash", "bash"), ("bash", "sh")])
def test_static_words_have_the_value_that_shells_give_them(shell: str, dialect: Dialect) -> None:
    words = static_words([text for text, _ in (BOTH + BASH if dialect == "bash" else BOTH)], dialect)
    assert len(words) > 80
    assert values_in(shell, words) == list(words.values())
