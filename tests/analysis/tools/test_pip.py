"""Calls of pip, from their words."""

from __future__ import annotations

import time

import pytest

from fixer.analysis.tools.pip import (
    Requirement,
    cache_directory,
    is_local,
    keeps_wheel_of,
    read_linked,
    read_pip,
    read_requirements,
)
from fixer.analysis.values import Known, Unknown, Value

NOT = Unknown("somebody else's business")


def words(text: str) -> list[Value]:
    return [NOT if word == "?" else Known(word) for word in text.split()]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pip install x", "install"),
        ("pip3 install x", "install"),
        ("pip3.12 download x", "download"),
        ("/opt/venv/bin/pip wheel x", "wheel"),
        ("python -m pip install x", "install"),
        ("python3.9 -u -W ignore -m pip install x", "install"),
        ("/venv/bin/python -Im pip install x", "install"),
        ("python -um pip install x", "install"),
        ("python3 -Bsmpip install x", "install"),
        ("python -Im venv pip", None),
        ("python -Wm pip install x", None),
        ("python -mpip install x", "install"),
        ("pypy3 -m pip install x", "install"),
        ("pip --no-cache-dir --proxy http://x install y", "install"),
        ("conda run -n ml pip install x", "install"),
        ("poetry run python -m pip install x", "install"),
        ("pip", ""),
        ("pip ? x", ""),
        ("python -m venv /venv", None),
        ("python setup.py -m pip install", None),
        ("python -c pip install", None),
        ("pipx install x", None),
        ("pip-compile install", None),
        ("uv pip install x", None),
        ("pipenv install x", None),
        ("? install x", None),
        ("", None),
    ],
)
def test_subcommand(text: str, expected: str | None) -> None:
    pip = read_pip(words(text))
    assert (pip.subcommand if pip is not None else None) == expected


def test_a_program_of_which_only_the_name_is_known() -> None:
    pip = read_pip([NOT, Known("install"), Known("x")], ['"$VENV/bin/pip"', "install", "x"])
    assert pip is not None
    assert pip.needs_cache
    assert read_pip([NOT, Known("install")], ["$PIP", "install"]) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pip install --no-cache-dir x", (2,)),
        ("pip --no-cache-dir install x", (1,)),
        ("pip install --no-cache x --no-cache-dir", (2, 4)),
        ("pip install --no-ca x", (2,)),
        ("pip install --no-c x", ()),
        ("pip install --no-clean --no-color x", ()),
        ("pip install -r --no-cache-dir x", ()),
        ("pip install --cache-dir --no-cache-dir x", ()),
    ],
)
def test_what_switches_the_cache_off(text: str, expected: tuple[int, ...]) -> None:
    pip = read_pip(words(text))
    assert pip is not None
    assert pip.no_cache == expected


@pytest.mark.parametrize(
    ("text", "environment", "expected"),
    [
        ("pip install x", {"HOME": "/root"}, "/root/.cache/pip"),
        ("pip install x", {"HOME": "/root", "XDG_CACHE_HOME": "/c/"}, "/c/pip"),
        ("pip install x", {"HOME": "/root", "XDG_CACHE_HOME": "/c", "PIP_CACHE_DIR": "/p"}, "/p"),
        ("pip install x", {"HOME": "/root", "PIP_CACHE_DIR": ""}, "/root/.cache/pip"),
        ("pip install --cache-dir=/d x", {"PIP_CACHE_DIR": "/p"}, "/d"),
        ("pip install --cache-dir d x", {}, "/srv/app/d"),
        ("pip install --cache-dir a --cache-dir b x", {}, "/srv/app/b"),
        ("pip install --cache-dir ? x", {}, None),
        ("pip install x", {}, None),
    ],
)
def test_cache_directory(text: str, environment: dict[str, str], expected: str | None) -> None:
    pip = read_pip(words(text))
    assert pip is not None

    def lookup(name: str) -> Value | None:
        return Known(environment[name]) if name in environment else None

    place = cache_directory(pip, Known("/srv/app"), lookup)
    assert (place.value if isinstance(place, Known) else None) == expected


def test_where_packages_come_from() -> None:
    pip = read_pip(words("pip install --no-index -f /wheels --find-links=https://x/y --only-binary :all: a b"))
    assert pip is not None
    assert not pip.needs_cache
    assert pip.only_wheels
    assert [is_local(place) for place in pip.find_links] == [True, False]
    assert pip.operands == (Known("a"), Known("b"))
    assert is_local(NOT) is None


def test_purge() -> None:
    for text, expected in [("pip cache purge", True), ("pip cache remove x", True), ("pip cache dir", False)]:
        pip = read_pip(words(text))
        assert pip is not None
        assert pip.purges is expected


@pytest.mark.parametrize(
    ("requirement", "expected"),
    [
        ("flask==3.0", False),
        ("user@host", False),
        ("./tool-1.0.tar.gz", False),
        ("https://example.org/tool-1.0.tar.gz", False),
        ("https://example.org/tool-1.0.tar.gz#egg=tool", True),
        ("tool @ file:///vendor/tool-1.0.tar.gz", True),
        ("tool @ file:///vendor/tool.tar.gz", False),
        ("tool[extra]@http://example.org/tool-latest.zip", True),
        ("tool @ https://example.org/tool-1.0.tar.gz ; python_version > '3.8'", True),
        ("tool @ https://example.org/tool-1.0.tar.gz#sha256=00", False),
        ("tool @ https://example.org/archive/main.zip", False),
        ("tool @ https://example.org/tool-1.0-py3-none-any.whl", False),
        ("tool @ https://files.pythonhosted.org/tool-1.0.tar.gz", False),
        ("tool @ git+https://example.org/a/b-c.git@v1-2", False),
        ("tool @ git+https://${TOKEN}@example.org/a/b-c.git", False),
        ("tool @ https://example.org/${REF}.zip", True),
        ("tool @ http://[x", False),
    ],
)
def test_keeps_wheel_of(requirement: str, expected: bool) -> None:
    assert keeps_wheel_of(requirement) is expected


def test_read_requirements() -> None:
    text = """\
# our own
-r base.txt
--constraint=limits.txt
-cmore.txt
flask==3.0 \\
    --hash=sha256:00
-e ./here
tool[x] \\
  @ file:///tool-1.zip  # the last one
-f './vendor'
--index-url https://example.org/simple

last"""
    assert list(read_requirements(text)) == [
        Requirement(2, "-r", "base.txt"),
        Requirement(3, "-r", "limits.txt"),
        Requirement(4, "-r", "more.txt"),
        Requirement(8, "", "tool[x]   @ file:///tool-1.zip"),
        Requirement(10, "-f", "./vendor"),
        Requirement(13, "", "last"),
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("deps = ['tool @ file:///tool-1.zip', 'a[x]@https://h/b-1.zip#c@d', 'c@d']",
         ["tool @ file:///tool-1.zip", "a @https://h/b-1.zip#c@d"]),
        ('tool.a-b [x, y] @ git+https://me@h/r.git@v1",', ["tool.a-b @ git+https://me@h/r.git@v1"]),
        ("__author__ = 'me@example.org', @https://h/x-1.zip ] @ file:/x-1.zip", []),
        ("x@x:x@x:x @ @ y @ file:/a-1.zip", ["x @x:x@x:x", "y @ file:/a-1.zip"]),
    ],
)  # fmt: skip
def test_read_linked(line: str, expected: list[str]) -> None:
    assert [each.text for each in read_linked(f"\n{line}\n")] == expected
    assert {each.line for each in read_linked(f"\n{line}\n")} <= {2}


def test_settings_in_requirements() -> None:
    text = "a==1 --hash=sha256:0 --config-settings=x=y\nb --global-option 'build'\n"
    assert list(read_requirements(text)) == [
        Requirement(1, "-C", "--config-settings"),
        Requirement(2, "-C", "--global-option"),
        Requirement(2, "", "b --global-option 'build'"),
    ]


def test_comments_of_requirements() -> None:
    text = "a#b  # c # d\n \t# e\n# f \\\ng @ https://h/g-1.zip#egg=g\n"
    assert [each.text for each in read_requirements(text)] == ["a#b", "g @ https://h/g-1.zip#egg=g"]


@pytest.mark.parametrize(
    "text",
    [
        "a" + " " * 100_000 + "b", "a" * 100_000 + "@", "a@x:" * 30_000, "@x:" * 30_000, "a @ " * 30_000,
        "[" * 100_000 + "@",
        "x @ https://h/" + "a" * 100_000, "x @ https://h/" + "${" * 50_000, "#" * 100_000, " #" * 50_000,
    ],
)  # fmt: skip
def test_time_is_linear(text: str) -> None:
    start = time.process_time()
    for each in (*read_linked(text), *read_requirements(text)):
        keeps_wheel_of(each.text)
    assert time.process_time() - start < 2
