"""TOML of other people."""

from __future__ import annotations

import time

import pytest

from fixer.text.data import read_toml

MANY = "a." * 20_000


@pytest.mark.parametrize(
    "text",
    [
        f"{MANY}a = 1",
        f"b = 1\n[{MANY}a]\n",
        f"[[ {MANY}a ]]",
        f"b = {{{MANY}a = 1}}",
        "'a' . " * 20_000 + "a = 1",
        '"a\\".#" .\t' * 20_000 + "a = 1",
        f'b = """ \\""" """ # "\n{MANY}a = 1',
        f"b = ''' \\'''\n{MANY}a = 1",
    ],
    ids=["a key", "a table", "a list", "inline", "quoted", "quoted twice", "behind a string", "behind a literal"],
)
def test_a_key_of_too_many_parts(text: str) -> None:
    started = time.process_time()
    with pytest.raises(ValueError, match="a key of more than 64 parts"):
        read_toml(text)
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    "text",
    [
        f'b = "{MANY}"',
        f"b = '{MANY}'",
        f'b = """\n{MANY} \\""" "" \n{MANY}"""""',
        f"b = '''\n{MANY} '' \n{MANY}'''''",
        f"# {MANY}\nb = 1",
        "b = [" + '"a.a", ' * 100 + "]",
        "b = [" + "1.5, " * 100 + "]",
        "a." * 63 + "a = 1",
    ],
)
def test_dots_elsewhere(text: str) -> None:
    assert len(read_toml(text)) == 1


@pytest.mark.parametrize(
    "text", ["b = " + '"""a' * 3333 + "." * 100, 'b = "' + '\\".' * 20_000, "b = " + "'" * 9_999 + "." * 100]
)
def test_strings_without_an_end(text: str) -> None:
    started = time.process_time()
    with pytest.raises(ValueError, match=r"line 1|end of document"):
        read_toml(text)
    assert time.process_time() - started < 1
