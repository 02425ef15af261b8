"""Walking and rewriting trees."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from fixer.tree import nodes as n
from fixer.tree.parse import parse
from fixer.tree.visitor import REMOVE, Match, Transformer, Visitor, find

TEXT = """\
# syntax=docker/dockerfile:1
FROM a AS b
ENV A=1 B=2

# why
RUN --mount=type=cache,target=/c \\
    x && y
ONBUILD COPY --from=b p q
CMD ["z"]
"""


def test_visitor_goes_in_the_order_of_the_text() -> None:
    class Names(Visitor):
        def __init__(self) -> None:
            self.seen: list[str] = []

        def visit_Node(self, node: n.Node) -> None:
            self.seen.append(type(node).__name__)

        def visit_Run(self, node: n.Run) -> bool:
            self.seen.append("Run, and nothing below")
            return False

        def leave_Onbuild(self, node: n.Onbuild) -> None:
            self.seen.append("end of Onbuild")

    file = parse(TEXT)
    names = Names()
    assert file.visit(names) is file
    assert names.seen == [
        "Dockerfile",
        "Directive",
        "From",
        "Env",
        "Pair",
        "Pair",
        "Blank",
        "Comment",
        "Run, and nothing below",
        "Onbuild",
        "Copy",
        "Flag",
        "end of Onbuild",
        "Cmd",
        "ExecForm",
        "JsonString",
    ]


def test_a_method_for_a_base_class_serves_its_subclasses() -> None:
    class Count(Visitor):
        transfers = instructions = leaves = 0

        def visit_Transfer(self, node: n.Transfer) -> None:
            self.transfers += 1

        def visit_Instruction(self, node: n.Instruction) -> None:
            self.instructions += 1

        def visit_Leaf(self, leaf: n.Leaf) -> None:
            self.leaves += 1

    count = Count()
    file = parse("COPY a b\nADD c d\nRUN e\n")
    file.visit(count)
    assert (count.transfers, count.instructions) == (2, 1)
    assert count.leaves == len(list(file.leaves()))


def test_transformer_rewrites_and_parses_again() -> None:
    class Upgrade(Transformer):
        def leave_Flag(self, original: n.Flag, updated: n.Flag) -> n.Flag:
            assert isinstance(original, n.Flag)
            return updated.with_changes(word=updated.word.text + ",sharing=locked")

        def leave_From(self, original: n.From, updated: n.From) -> n.From:
            return updated.with_changes(image="longer:1")

    file = parse(TEXT)
    new = file.visit(Upgrade())
    assert new.code == TEXT.replace("FROM a", "FROM longer:1").replace("/c", "/c,sharing=locked").replace(
        "--from=b", "--from=b,sharing=locked"
    )
    run = next(find(new, n.Run))
    assert run.flags[0].value == "type=cache,target=/c,sharing=locked"
    assert new.text[run.keyword.start :].startswith("RUN")
    assert file.code == TEXT


def test_bytes_stay_bytes() -> None:
    class Rename(Transformer):
        def leave_From(self, original: n.From, updated: n.From) -> n.From:
            return updated.with_changes(image="c")

    assert parse(b"FROM a\nRUN \xff\n").visit(Rename()).code == b"FROM c\nRUN \xff\n"


def test_nothing_changed_is_the_same_file() -> None:
    class Nothing(Transformer):
        def leave_Node(self, original: n.Node, updated: n.Node) -> n.Node:
            assert updated is original
            return updated

    file = parse(TEXT)
    assert file.visit(Nothing()) is file


def test_remove_and_insert() -> None:
    class Edit(Transformer):
        def leave_Env(self, original: n.Env, updated: n.Env) -> list[n.Item]:
            return [*parse("WORKDIR /w\n").items, updated]

        def leave_Cmd(self, original: n.Cmd, updated: n.Cmd) -> Any:
            return REMOVE

        def leave_Pair(self, original: n.Pair, updated: n.Pair) -> Any:
            return REMOVE if original.key.value == "A" else updated

        def visit_Onbuild(self, node: n.Onbuild) -> bool:
            return False

        def leave_Flag(self, original: n.Flag, updated: n.Flag) -> Any:
            return REMOVE

    changed = parse(TEXT).visit(Edit()).code
    expected = TEXT.replace("ENV A=1 B=2", "WORKDIR /w\nENV B=2").replace('CMD ["z"]\n', "")
    assert changed == expected.replace(" --mount=type=cache,target=/c", "")


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (None, "leave_From returned None"),
        ("list", "Onbuild.inner holds one node"),
        (REMOVE, "Onbuild.inner cannot be removed"),
    ],
)
def test_what_cannot_stand_in_a_place(result: Any, message: str) -> None:
    class Wrong(Transformer):
        def leave_From(self, original: n.From, updated: n.From) -> Any:
            return updated if result is not None else None

        def leave_Copy(self, original: n.Copy, updated: n.Copy) -> Any:
            return [updated, updated] if result == "list" else result

    with pytest.raises(TypeError, match=message):
        parse(TEXT).visit(Wrong())


def test_optional_fields_can_be_removed() -> None:
    class Bare(Transformer):
        def leave_ShellForm(self, original: n.ShellForm, updated: n.ShellForm) -> Any:
            return REMOVE

    assert parse("RUN a\nCMD b\n").visit(Bare()).code == "RUN\nCMD\n"


def test_the_root_cannot_go() -> None:
    class Gone(Transformer):
        def leave_Dockerfile(self, original: n.Node, updated: n.Node) -> Any:
            return REMOVE

    with pytest.raises(TypeError, match="root"):
        parse("FROM a\n").visit(Gone())


def test_remove_is_one() -> None:
    assert pickle.loads(pickle.dumps(REMOVE)) is REMOVE
    assert repr(REMOVE) == "REMOVE"


def test_with_changes_of_a_file_parses_again() -> None:
    file = parse("FROM a\nRUN b\nRUN c\n")
    shorter = file.with_changes(items=file.items[::2])
    assert shorter.code == "FROM a\nRUN c\n"
    assert shorter.items[1].span == (7, 13)
    with pytest.raises(TypeError, match="only bom and items"):
        file.with_changes(text="FROM b\n")


def test_with_changes_of_a_node() -> None:
    run = parse("RUN --network=none a\n").instructions[0]
    assert isinstance(run, n.Run)
    assert run.with_changes(flags=()).code == "RUN a\n"
    assert run.with_changes(keyword="run").code == "run --network=none a\n"
    with pytest.raises(TypeError):
        run.with_changes(nothing=1)


def test_matchers() -> None:
    file = parse(TEXT)
    cached = Match(n.Run, flags=Match(n.Flag, name="mount", value=lambda value: "type=cache" in value))
    assert [file.position(node).line for node in cached.find(file)] == [6]
    assert [node.name for node in Match((n.From, n.Cmd)).find(file)] == ["FROM", "CMD"]
    assert list(Match(n.From, image="a", alias="x").find(file)) == []
    assert len(list(Match(n.Pair, key="B").find(file))) == 1
    assert not Match(n.Run)(file)


def test_find() -> None:
    file = parse(TEXT)
    assert [pair.key.value for pair in find(file, n.Pair)] == ["A", "B"]
    assert [flag.name for flag in find(file, n.Flag, lambda flag: flag.name == "from")] == ["from"]
