"""What the registry says of codemods without loading them is true."""

from __future__ import annotations

import pytest

from fixer.codemods.registry import ORDER, Entry, load


@pytest.mark.parametrize("entry", ORDER, ids=lambda entry: str(entry.id))
def test_documents_are_said_without_loading(entry: Entry) -> None:
    assert load(entry.id).document == entry.document
