from __future__ import annotations

import pytest
import yaml

from fixer.analysis import yaml_nodes
from fixer.analysis.yaml_nodes import Items, Mapping, Node, Scalar, Yaml, YamlError, same

TEXT = """# head
on: [push, "pull_request"]  # events
jobs:
  build: &job
    steps:
    - uses: a/b@v1
      with:
        tags: |
          one
          two

        keep: |+
          x

        folded: >-
          long
          text
        empty:
        plain: over
          two lines
  again: *job
"""


def nodes(node: Node) -> list[Node]:
    inner = node.nodes if isinstance(node, Items) else [part for pair in node.pairs for part in pair] if isinstance(
        node, Mapping
    ) else []  # fmt: skip
    return [node, *(one for child in inner for one in nodes(child))]


def texts(text: str) -> list[str]:
    root = Yaml(text).root
    assert root is not None
    return [text[slice(*node.span)] for node in nodes(root)]


def value(text: str, *path: str) -> Node:
    node = Yaml(text).root
    for key in path:
        assert isinstance(node, Mapping)
        node = node.get(key)
    assert node is not None
    return node


def test_spans_are_those_of_the_text() -> None:
    found = texts(TEXT)
    assert '[push, "pull_request"]' in found
    assert '"pull_request"' in found
    assert "|\n          one\n          two" in found
    assert "|+\n          x\n" in found
    assert ">-\n          long\n          text" in found
    assert "over\n          two lines" in found
    assert "" in found


def test_a_block_collection_ends_with_its_last_node() -> None:
    jobs = value(TEXT, "jobs")
    assert TEXT[slice(*jobs.span)].startswith("build:")
    assert not TEXT[slice(*jobs.span)].endswith("\n")


@pytest.mark.parametrize(("head", "newline"), [("", "\n"), ("\ufeff", "\n"), ("", "\r\n")])
def test_both_parsers_give_the_same_places(head: str, newline: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one in C, and the one in Python, which is used without it and for what is nested deeply."""
    if not yaml.__with_libyaml__:
        pytest.skip("no libyaml here")
    text = head + TEXT.replace("\n", newline)
    fast = texts(text)
    monkeypatch.setattr(yaml_nodes, "_loader", lambda _: yaml.SafeLoader)
    assert texts(text) == fast


def test_an_alias_is_its_anchor_and_all_in_it_is_shared() -> None:
    found = Yaml(TEXT)
    assert isinstance(found.root, Mapping)
    jobs = found.root.get("jobs")
    assert isinstance(jobs, Mapping)
    assert jobs.get("build") is jobs.get("again")
    build = jobs.get("build")
    assert build is not None
    assert {id(node) for node in nodes(build)} == found.shared


@pytest.mark.parametrize(
    ("text", "said", "place"),
    [
        ("a: 1\na: 2\n", "the key 'a' stands twice", 5),
        ("a: [\n", "it is no YAML", None),
        ("a:\n\tb: 1\n", "it is no YAML", None),
        ("a: 1\n---\nb: 2\n", "it is no YAML", None),
        ("a: &x [*x]\n", "inside of its own anchor", 3),
        ("a: \udc80\n", "it is no YAML", None),
        ("a: \x07\n", "it is no YAML", None),
        ("a: *b\n", "it is no YAML", None),
        ("[" * 100_000, "it is nested too deeply", None),
        ("- " * 100_000 + "a\n", "it is nested too deeply", None),
    ],
)
def test_what_is_no_yaml_document(text: str, said: str, place: int | None) -> None:
    with pytest.raises(YamlError, match=said) as caught:
        Yaml(text)
    assert 0 <= caught.value.offset <= len(text)
    assert place is None or caught.value.offset == place


def test_many_aliases_cost_nothing() -> None:
    """The expansion of this text has 10 to the 30th nodes."""
    lines = ["a0: &a0 x"] + [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 31)]
    text = "\n".join(lines)
    assert same(Yaml(text).root, Yaml(text).root)
    assert not same(Yaml(text).root, Yaml(text.replace("x", "y", 1)).root)


@pytest.mark.parametrize(
    ("old", "new", "equal"),
    [
        ("a: 1", "a:   1 # one", True),
        ("a: [b, c]", "a:\n- b\n- c", True),
        ("a: 1", 'a: "1"', False),
        ("a: 1\nb: 2", "b: 2\na: 1", False),
        ("a: [b]", "a: [b, c]", False),
        ("a: {b: c}", "a: [b, c]", False),
        ("", "a: 1", False),
    ],
)
def test_same(old: str, new: str, equal: bool) -> None:
    assert same(Yaml(old).root, Yaml(new).root) is equal


def test_scalars_keep_their_quotes() -> None:
    assert [value("a: x\nb: 'x'\nc: \"x\"\n", key).style for key in "abc"] == ["", "'", '"']  # type: ignore[union-attr]
    assert isinstance(value("a: x", "a"), Scalar)


@pytest.mark.parametrize("depth", [120, 250, 350, 420, 480, 600, 5000])
def test_too_deep(depth: int) -> None:
    """Never a RecursionError, however deep the one stands who asks."""
    for text in (
        "[" * depth + "a" + "]" * depth,
        "{a: " * depth + "b" + "}" * depth,
        "".join(f"{' ' * k}a:\n" for k in range(min(depth, 600))) + " " * depth + "b\n",
        "- " * depth + "a\n",
    ):
        with pytest.raises(YamlError, match="nested too deeply"):
            Yaml(text)


def test_deep_enough() -> None:
    assert Yaml("[" * 90 + "a" + "]" * 90).root is not None
