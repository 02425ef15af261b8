"""The expansion of words, against BuildKit's rules (shell/lex.go)."""

from __future__ import annotations

import pytest

from fixer.analysis.values import (
    MAX_ARGS,
    MAX_PATH,
    MAX_VALUE,
    Known,
    Unknown,
    Value,
    below,
    clean,
    decimal,
    expand,
    join,
    related,
)

ENV: dict[str, Value] = {
    "A": Known("a"),
    "EMPTY": Known(""),
    "PATHS": Known("/usr/local/lib"),
    "FILE": Known("foo.tar.gz"),
    "U": Unknown("nobody knows"),
    "ARG": Unknown("$ARG is a build argument without a default", "ARG"),
    "D": Known("dir", frozenset(("D",))),
}


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("plain", "plain"),
        ("", ""),
        ("$A", "a"),
        ("${A}", "a"),
        ("${A}b$A", "aba"),
        ("$A/b", "a/b"),
        ("$UNSET", ""),
        ("x${UNSET}y", "xy"),
        ("'$A'", "$A"),
        ('"$A b"', "a b"),
        ("'x'y\"z\"", "xyz"),
        (r"\$A", "$A"),
        (r"a\ b", "a b"),
        (r'"\$A"', "$A"),
        (r'"a\b"', r"a\b"),
        ("a\\", "a"),
        ("$", "$"),
        ("a$ b", "a$ b"),
        ("${UNSET:-d}", "d"),
        ("${UNSET-d}", "d"),
        ("${EMPTY:-d}", "d"),
        ("${EMPTY-d}", ""),
        ("${A:-d}", "a"),
        ("${A:+x}", "x"),
        ("${EMPTY:+x}", ""),
        ("${EMPTY+x}", "x"),
        ("${UNSET+x}", ""),
        ("${UNSET:-$A}", "a"),
        ("${UNSET:-${EMPTY:-${A}}}", "a"),
        ("${A:-$U}", "a"),
        ("${A:?no}", "a"),
        ("${FILE%.gz}", "foo.tar"),
        ("${FILE%.*}", "foo.tar"),
        ("${FILE%%.*}", "foo"),
        ("${FILE#*.}", "tar.gz"),
        ("${FILE##*.}", "gz"),
        ("${FILE#foo}", ".tar.gz"),
        ("${PATHS#/usr}", "/local/lib"),
        (r"${PATHS/\/usr/x}", "x/local/lib"),
        ("${PATHS//l/L}", "/usr/LocaL/Lib"),
        ("${FILE/o/0}", "f0o.tar.gz"),
        ("${FILE/?oo/b}", "b.tar.gz"),
        ("$U", "?"),
        ("${U}", "?"),
        ("a$U", "?"),
        ("${U:-d}", "?"),
        ("$ARG", "?"),
        ("${ARG:-d}", "d"),
        ("${ARG-d}", "d"),
        ("${ARG:+d}", ""),
        ("'open", "?"),
        ('"open', "?"),
        ("${A", "?"),
        ("${}", "?"),
        ("${:x}", "?"),
        ("${A^^}", "?"),
        ("${UNSET?gone}", "?"),
        ("${A:#x}", "?"),
        ("~/x", "~/x"),
        ("a<<b", "a<<b"),
        ("$1x", "x"),
        ("$@", ""),
    ],
)
def test_expand(word: str, expected: str) -> None:
    value = expand(word, ENV.get)
    assert (value.value if isinstance(value, Known) else "?") == expected


def test_expand_with_backtick() -> None:
    assert expand("a`$b\\c", ENV.get, "`") == Known("a$b\\c")


def test_expand_says_what_it_rests_on() -> None:
    value = expand("/x/$D/${ARG:-e}", ENV.get)
    assert value == Known("/x/dir/e")
    assert isinstance(value, Known)
    assert value.args == {"D", "ARG"}


def test_an_alternative_that_is_not_taken_does_not_matter() -> None:
    value = expand("${A:-$D}", ENV.get)
    assert isinstance(value, Known)
    assert not value.args


def test_expand_is_bounded() -> None:
    assert isinstance(expand("${X:-" * 5000 + "}" * 5000, ENV.get), Unknown)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("", "."),
        ("/", "/"),
        ("//a", "/a"),
        ("/a/", "/a"),
        ("/a/./b/../c", "/a/c"),
        ("/..", "/"),
        ("a/..", "."),
        ("../a", "../a"),
        ("./a", "a"),
        ("a/../../b", "../b"),
    ],
)
def test_clean(path: str, expected: str) -> None:
    assert clean(path) == expected


@pytest.mark.parametrize(
    ("base", "path", "expected"),
    [
        ("/app", "x", "/app/x"),
        ("/app", "/x", "/x"),
        ("/app", ".", "/app"),
        ("/app", "../x/", "/x"),
        (None, "/x", "/x"),
        (None, "x", "?"),
        ("/", "a/b", "/a/b"),
    ],
)
def test_join(base: str | None, path: str, expected: str) -> None:
    value = join(Known(base) if base is not None else Unknown("no"), Known(path))
    assert (value.value if isinstance(value, Known) else "?") == expected


def test_below_and_related() -> None:
    assert below("/a/b", "/a")
    assert below("/a", "/a")
    assert below("/a", "/")
    assert not below("/ab", "/a")
    assert related("/a", "/a/b")
    assert not related("/a/c", "/a/b")


def test_what_is_put_together_is_bounded() -> None:
    half = Known("a" * (MAX_VALUE // 2))
    assert expand("$A$A", {"A": half}.get) == Known("a" * MAX_VALUE)
    assert isinstance(expand("$A$A.", {"A": half}.get), Unknown)
    assert isinstance(expand("$A$A$A", {"A": half}.get), Unknown)
    assert isinstance(expand("${A//a/bcd}", {"A": half}.get), Unknown)
    many = Known("a", frozenset(f"X{k}" for k in range(MAX_ARGS)))
    assert isinstance(expand("$A", {"A": many}.get), Known)
    assert isinstance(expand("$A$B", {"A": many, "B": Known("b", frozenset("B"))}.get), Unknown)


def test_a_path_is_as_long_as_linux_takes_it() -> None:
    long = "/a" * (MAX_PATH // 2)
    assert join(Known("/"), Known(long)) == Known(long)
    assert isinstance(join(Known(long), Known("bc")), Unknown)
    assert join(Known(long), Known("../b")) == Known(long[:-1] + "b")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0), ("007", 7), ("1000", 1000), ("", None), ("-1", None), ("\u00b2", None), ("\u0663", None),
        ("1" * 5000, 10**18),
    ],
)  # fmt: skip
def test_decimal(text: str, number: int | None) -> None:
    assert decimal(text) == number


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("${V#*b}", "cabcd"), ("${V##*b}", "cd"), ("${V%b*}", "abca"), ("${V%%b*}", "a"), ("${V#a*c}", "abcd"),
        ("${V##a*c}", "d"), ("${V#?b}", "cabcd"), ("${V##*?}", ""), ("${V%?}", "abcabc"), ("${V#b}", "abcabcd"),
        ("${V##a*z}", "abcabcd"), ("${V/b/x}", "axcabcd"), ("${V//b/x}", "axcaxcd"), ("${V//b*c/x}", "axd"),
        ("${V//?c/x}", "axaxd"), ("${V//*/x}", "x"), ("${V//z*/x}", "abcabcd"), ("${V/a?/}", "cabcd"),
        ("${V%c?}", "abcab"), ("${V//a*c*d/x}", "x"), ("${V//d*a/x}", "abcabcd"),
    ],
)  # fmt: skip
def test_patterns(word: str, expected: str) -> None:
    assert expand(word, {"V": Known("abcabcd")}.get) == Known(expected)
