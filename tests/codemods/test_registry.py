"""What the registry says of codemods without loading them is true."""

from __future__ import annotations

import pytest

from fixer.codemods.registry import ORDER, WORDS, Entry, Late, late, load


@pytest.mark.parametrize("entry", ORDER, ids=lambda entry: str(entry.id))
def test_documents_are_said_without_loading(entry: Entry) -> None:
    assert load(entry.id).document == entry.document


@pytest.mark.parametrize("id", WORDS)
def test_words_are_said_without_loading(id: str) -> None:
    codemod = load(id)
    assert (codemod.words, codemod.document) == (WORDS[id], "dockerfile")
    assert codemod.builders == late(id).builders
    assert not isinstance(codemod, Late)
