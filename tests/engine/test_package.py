"""The front door: what `import fixer` gives."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import fixer


def test_every_name_is_there() -> None:
    for name in fixer.__all__:
        assert getattr(fixer, name) is not None
        assert name in dir(fixer)


def test_other_names_are_not() -> None:
    with pytest.raises(AttributeError, match="module 'fixer' has no attribute 'nothing'"):
        _ = fixer.nothing


def test_the_first_example() -> None:
    assert fixer.parse("FROM scratch\nRUN true\n").code == "FROM scratch\nRUN true\n"
    assert not fixer.fix("FROM scratch\n").changed
    assert fixer.fix(b"FROM scratch\n").after == b"FROM scratch\n"


def test_type_checkers_see_the_names() -> None:
    """mypy reads the imports below TYPE_CHECKING; they have to name the same things as the lazy table."""
    source = Path(str(fixer.__file__)).read_text("utf-8")
    for name in set(fixer.__all__) - {"__version__"}:
        assert f" import {name} as {name}\n" in source


def test_it_can_be_run_as_a_module() -> None:
    done = subprocess.run([sys.executable, "-m", "fixer", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"dockfix {fixer.__version__}\n"


def test_every_kind_of_node_is_at_the_front_door() -> None:
    from fixer.tree import nodes

    kinds = {name for name, kind in vars(nodes).items() if isinstance(kind, type) and issubclass(kind, nodes.Node)}
    assert kinds | {"Leaf"} <= set(fixer.__all__)


def test_a_transformer_by_the_front_door_alone() -> None:
    class Newer(fixer.Transformer):
        def leave_From(self, original: fixer.From, updated: fixer.From) -> fixer.From:
            return updated.with_changes(image="debian:12")

    assert fixer.parse("from debian:11  AS a\nRUN x").visit(Newer()).code == "from debian:12  AS a\nRUN x"
