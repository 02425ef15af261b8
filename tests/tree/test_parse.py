"""Text to tree, sample by sample; and what holds for any text."""

from __future__ import annotations

import dataclasses
import random
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixer.tree import nodes as n
from fixer.tree.parse import REASONS, parse
from tests.tree.fuzz import mutated, texts
from tests.tree.oracle import EXPLANATIONS, Difference, differences
from tests.tree.samples import SAMPLES, Sample
from tests.tree.shapes import check_tiles, shape

each = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)


@each
def test_shape(sample: Sample) -> None:
    file = parse(sample.text)
    assert shape(file) == sample.shape
    assert file.code == sample.text
    check_tiles(file)


@each
def test_bytes_give_the_same_tree(sample: Sample) -> None:
    data = sample.text.encode()
    file = parse(data)
    assert shape(file) == sample.shape
    assert file.code == data


CONTINUE = {
    "escape-at-the-end-of-the-file",
    "escape-and-newline-at-the-end",
    "escape-comment-end",
    "nothing-but-an-escape",
    "indented-escape-counts",
}
"""Samples whose last line is continued, so that what follows belongs to them."""


@each
def test_the_next_instruction_is_not_touched(sample: Sample) -> None:
    text = sample.text if sample.text.endswith("\n") or not sample.text else sample.text + "\n"
    file = parse(text + "STOPSIGNAL 9\n")
    line = text.count("\n") + 1
    if sample.name in CONTINUE:
        assert shape(file)[:-1] == sample.shape[:-1]
        assert len(shape(file)) == len(sample.shape)
    else:
        assert shape(file) == [*sample.shape, f"{line}:1 Stopsignal '9'"]


TOP = ("escape=", "ESCAPE", "syntax=", "check=", "\ufeff")
"""What has a meaning only at the top of a file."""


@pytest.mark.parametrize("sample", [s for s in SAMPLES if not any(t in s.text for t in TOP)], ids=lambda s: s.name)
def test_the_instruction_before_is_not_touched(sample: Sample) -> None:
    file = parse("STOPSIGNAL 9\n" + sample.text)
    below = (item.partition(":") for item in sample.shape)
    assert shape(file) == ["1:1 Stopsignal '9'", *(f"{int(line) + 1}:{rest}" for line, _, rest in below)]


@each
def test_buildkit_sees_the_same(sample: Sample) -> None:
    assert [d for d in differences(sample.text.encode()) if d.explained is None] == []


def test_the_oracle_finds_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    """A parser that drops a character, or an instruction, does not get past the comparison."""
    from tests.tree import oracle

    def wrong(new: bytes) -> None:
        swapped = {"FROM a\nRUN x\n": new}
        monkeypatch.setattr(oracle, "parse", lambda text: parse(swapped.get(text, text)))

    wrong(b"FROM a\nRUN y\n")
    assert differences(b"FROM a\nRUN x\n") == [Difference("values", ("y",), ("x",), None)]
    for new, what in (
        (b"FROM a\n# x\n", "count"),
        (b"FROM a\nRUN --network=none x\n", "flags"),
        (b'FROM a\nRUN ["x"]\n', "json"),
        (b"FROM a\n\nRUN x\n", "lines"),
        (b"FROM a\nCMD x\n", "name"),
        (b"FROM a\nRUN <<x\nx\n", "heredocs"),
        (b"FROM a\nENV x\n", "refused"),
    ):
        wrong(new)
        assert what in [d.what for d in differences(b"FROM a\nRUN x\n")]


def test_every_explanation_is_needed() -> None:
    examples = {
        "nul": b"RUN a\0b\n",
        "json-then-text": b'CMD ["a"] b\n',
        "heredoc-variable": b"RUN a <<E${x:-y}\n",
        "heredoc-after-blank": b"RUN << EOF\nEOF\n",
        "blank-before-directive": b"#\v escape=`\nRUN a`\n  b\n",
        "escape-in-flag": b"# escape=`\nRUN --mount=a\\b c\n",
        "check-directive": b"# check=skip=all\n# escape=`\nRUN a`\n  b\n",
    }
    assert examples.keys() == EXPLANATIONS.keys()
    for name, data in examples.items():
        assert {d.explained for d in differences(data)} == {name}, name


def test_mutated_samples_agree_with_buildkit() -> None:
    chance = random.Random(20)
    pool = [sample.text for sample in SAMPLES if len(sample.text) < 500]
    for _ in range(1500):
        text = mutated(chance, pool)
        found = [d for d in differences(text.encode("utf-8", "surrogateescape")) if d.explained is None]
        assert found == [], text


@pytest.mark.parametrize("text", ["# escape=`\nRUN a", "FROM a\n", ""])
def test_escape_in_force(text: str) -> None:
    assert parse(text).escape == ("`" if text.startswith("#") else "\\")


def test_reasons_are_all_explained_and_all_shown() -> None:
    shown = {item.split("Opaque(")[1].split(")")[0] for s in SAMPLES for item in s.shape if "Opaque(" in item}
    assert shown | {"heredoc-name", "nested-too-deep"} == set(REASONS)


def test_nesting_is_bounded() -> None:
    (item,) = parse("RUN <<E " + "${a:-" * 60 + "}" * 60 + "\n").opaque
    assert item.reason == "nested-too-deep"


def test_bytes_that_are_not_utf_8() -> None:
    data = b"FROM a\nRUN \xff\xfe echo \xc3\nCOPY --from=\xe9 a b\n"
    file = parse(data)
    assert file.code == data
    assert shape(file)[1] == "2:1 Run sh '\\udcff\\udcfe echo \\udcc3'"
    assert shape(file)[2] == "3:1 Copy --from=\u00e9 'a' 'b'"


def test_positions_and_parts() -> None:
    text = "FROM a AS b\nRUN --mount=type=cache,target=/x \\\n    # why\n    echo \\\n    hi\n"
    file = parse(text)
    run = file.instructions[1]
    assert isinstance(run, n.Run)
    assert isinstance(run.form, n.ShellForm)
    script = run.form.script
    assert run.keyword.span == (12, 15)
    assert run.flags[0].word.text == "--mount=type=cache,target=/x"
    assert script.prefix == " \\\n    # why\n    "
    assert text[script.start :] == "echo \\\n    hi\n"
    assert (script.text, script.value) == ("echo \\\n    hi", "echo     hi")
    assert file.position(script) == (4, 5)
    assert (run.end.prefix, run.end.text) == ("", "\n")
    assert run.span == (12, len(text))


def test_json_parts() -> None:
    cmd = parse('CMD [ "a" , "b" ]\n').instructions[0]
    assert isinstance(cmd, n.Cmd)
    assert isinstance(cmd.form, n.ExecForm)
    first, second = cmd.form.items
    assert (first.string.text, first.value, first.comma and first.comma.prefix) == ('"a"', "a", " ")
    assert (second.string.prefix, second.comma) == (" ", None)
    assert (cmd.form.open.prefix, cmd.form.close.prefix) == (" ", " ")


def test_heredoc_parts() -> None:
    text = "RUN <<-'E'\n\ta\n\tE\r\nRUN b\n"
    run = parse(text).instructions[0]
    assert isinstance(run, n.Run)
    (doc,) = run.heredocs
    assert (doc.name, doc.fd, doc.quoted, doc.chomp) == ("E", 0, True, True)
    assert (doc.body.text, doc.body.value, doc.body.start) == ("\ta\n", "a\n", 11)
    assert (doc.terminator.prefix, doc.terminator.text, doc.end.text) == ("\t", "E", "\r\n")


def test_pair_parts() -> None:
    env = parse("ENV A= B='x'\n").instructions[0]
    assert isinstance(env, n.Env)
    empty, quoted = env.pairs
    assert empty.value is not None
    assert (empty.value.text, empty.value.start) == ("", 6)
    assert quoted.value is not None
    assert quoted.value.value == "'x'"
    old = parse("ENV A b\n").instructions[0]
    assert isinstance(old, n.Env)
    assert old.pairs[0].equals is None


def test_nodes_are_frozen() -> None:
    file = parse("FROM a\n")
    with pytest.raises(dataclasses.FrozenInstanceError):
        file.instructions[0].keyword = None  # type: ignore[misc,assignment]


def test_threads_do_not_mix() -> None:
    """The builder that Lark holds is one for all threads; what belongs to a text must not be."""
    texts_ = ["# escape=`\nRUN --mount=target=/q`\n c a\n" * 1, 'RUN --mount="target=/a b" <<E\nx\nE\nFOO\n']
    expected = [shape(parse(text)) for text in texts_]
    wrong: list[object] = []

    def work(index: int) -> None:
        for _ in range(150):
            if shape(parse(texts_[index])) != expected[index]:
                wrong.append(index)

    threads = [threading.Thread(target=work, args=(i % 2,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


# --- any text --------------------------------------------------------------------------------------------------------


@settings(max_examples=300)
@given(st.one_of(texts(), st.text(max_size=60)))
def test_round_trip_of_text(text: str) -> None:
    file = parse(text)
    assert file.code == text
    check_tiles(file)


@settings(max_examples=300)
@given(st.binary(max_size=120))
def test_round_trip_of_bytes(data: bytes) -> None:
    file = parse(data)
    assert file.code == data
    check_tiles(file)


@settings(max_examples=150)
@given(texts())
def test_buildkit_agrees_on_any_text(text: str) -> None:
    assert [d for d in differences(text.encode()) if d.explained is None] == []
