"""Imports point down: text <- tree <- analysis <- codemods <- engine <- report <- cli. Read from the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixer.codemods.registry import ORDER, Entry

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "fixer"
MODULES = sorted(PACKAGE.rglob("*.py"))

LAYERS = ["text", "tree", "analysis", "codemods", "engine", "report", "prove", "bot", "cli"]
ABOVE_ALL = {"__main__", "dev"}
"""Commands: they may import everything, and nobody imports them."""

LARK = {"fixer.tree.grammar", "fixer.tree.lark_lexers"}


def module_name(path: Path) -> str:
    parts = ["fixer", *path.relative_to(PACKAGE).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path, *, only_at_import: bool = False) -> Iterator[str]:
    """Names of all modules that a file imports, also inside functions unless `only_at_import`."""
    package = module_name(path).split(".")
    if path.name != "__init__.py":
        package = package[:-1]
    tree = ast.parse(path.read_text("utf-8"))
    for node in walk(tree, only_at_import):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = ".".join([*base, *([node.module] if node.module else [])])
            yield stem
            yield from (f"{stem}.{alias.name}" for alias in node.names)


def walk(tree: ast.Module, only_at_import: bool) -> Iterator[ast.AST]:
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        yield node
        if only_at_import and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if only_at_import and isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            stack.extend(node.orelse)
            continue
        stack.extend(ast.iter_child_nodes(node))


def layer(name: str) -> str:
    """`text`, `tree`… of a module of ours; the package itself is its front door, "" ."""
    parts = name.split(".")
    return parts[1] if len(parts) > 1 else ""


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_imports_point_down(path: Path) -> None:
    mine = layer(module_name(path))
    if mine in ABOVE_ALL or not mine or mine == "_version":
        return
    assert mine in LAYERS, f"a layer that the design does not know: {mine}"
    upwards = [
        name
        for name in imports(path)
        if name.startswith("fixer.") and layer(name) in LAYERS and LAYERS.index(layer(name)) > LAYERS.index(mine)
    ]
    assert upwards == []
    assert [name for name in imports(path) if layer(name) in ABOVE_ALL and name.startswith("fixer.")] == []


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_text_and_tree_do_not_use_the_front_door(path: Path) -> None:
    """`import fixer` inside the package would turn the order round."""
    if layer(module_name(path)) not in {"cli", "", *ABOVE_ALL}:
        inner = {*LAYERS, "_version"}
        ours = [name for name in imports(path) if name.split(".")[0] == "fixer"]
        assert [name for name in ours if layer(name) not in inner] == []


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_lark_is_known_to_the_grammars_only(path: Path) -> None:
    found = [name for name in imports(path) if name == "lark" or name.startswith("lark.")]
    if module_name(path) not in LARK:
        assert found == []


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_click_is_known_to_the_commands_only(path: Path) -> None:
    if module_name(path) not in {"fixer.cli", "fixer.prove.command", "fixer.report.options"}:
        assert [name for name in imports(path) if name == "click" or name.startswith("click.")] == []


@pytest.mark.parametrize("entry", ORDER, ids=lambda entry: str(entry.id))
def test_no_codemod_knows_another(entry: Entry) -> None:
    others = {other.module for other in ORDER} - {entry.module}
    path = ROOT.joinpath(*entry.module.split(".")).with_suffix(".py")
    assert sorted(others.intersection(imports(path))) == []


def test_no_place_of_one_machine_is_written_down() -> None:
    """Committed text names no host's paths (a home, a scratch folder of a session)."""
    found = []
    texts = [*MODULES, *(ROOT / "grammar").glob("*"), *(ROOT / "tests").rglob("*.py"), *ROOT.glob("*.md")]
    for path in texts:
        text = path.read_text("utf-8")
        found += [f"{path.relative_to(ROOT)}: {place}" for place in ("/" + "work/", "/tmp" + "/v/") if place in text]
    assert found == []
