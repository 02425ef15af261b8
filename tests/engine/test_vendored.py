"""Files that belong to packages of others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from fixer.cli import command
from fixer.engine import vendored
from fixer.engine.files import Target, find
from fixer.engine.job import Done, Options, fix_target
from fixer.engine.project import repository_root
from fixer.engine.result_cache import open_cache
from fixer.engine.vendored import vendored_by

PIP = "FROM python:3.12\nRUN pip install --no-cache-dir x\n"
MADE = [
    ("node_modules/left-pad/Dockerfile", "", "node_modules"),
    ("web/node_modules/@a/b/docker/Dockerfile", "", "web/node_modules"),
    ("lib/python3/site-packages/x/Dockerfile", "", "lib/python3/site-packages"),
    ("vendor/example.org/x/Dockerfile", "vendor/modules.txt", "vendor/modules.txt"),
    ("tools/vendor/example.org/x/Dockerfile", "tools/vendor/modules.txt", "tools/vendor/modules.txt"),
    ("vendor/acme/x/Dockerfile", "vendor/composer/installed.json", "vendor/composer/installed.json"),
    ("third-party/serde/ci/Dockerfile", "third-party/serde/.cargo-checksum.json", None),
    ("web/bower_components/x/Dockerfile", "", "web/bower_components"),
    ("Godeps/_workspace/src/x/Dockerfile", "", "Godeps/_workspace"),
    ("Carthage/Checkouts/x/Dockerfile", "", "Carthage/Checkouts"),
    ("vendor/example.org/x/Dockerfile", "vendor/vendor.json", None),
    ("a/vendor/example.org/x/Dockerfile", "a/Gopkg.lock", None),
    ("vendor/example.org/x/Dockerfile", "jsonnetfile.lock.json", None),
    ("Pods/x/Dockerfile", "Pods/Manifest.lock", None),
    ("roles/x/molecule/default/Dockerfile", "roles/x/meta/.galaxy_install_info", None),
]
OWN = [
    ("vendor/x/Dockerfile", ""),
    ("vendor/x/Dockerfile", "modules.txt"),
    ("parts/x/Dockerfile", "parts/modules.txt"),
    ("my_node_modules/Dockerfile", ""),
    ("Dockerfile", ".cargo-checksum.json"),
    ("x/Dockerfile", "Gopkg.lock"),
    ("_workspace/x/Dockerfile", ""),
    ("Carthage/x/Dockerfile", ""),
    ("Pods/x/Dockerfile", "Podfile.lock"),
    ("roles/x/molecule/default/Dockerfile", "roles/x/meta/main.yml"),
    ("node_modules/own/Dockerfile", "node_modules/own/.git/config"),
]


@pytest.fixture(autouse=True)
def _nothing_known() -> Iterator[None]:
    yield
    vendored._marker.cache_clear()
    repository_root.cache_clear()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "repo" / ".git").mkdir(parents=True)
    return tmp_path / "repo"


def put(root: Path, name: str, text: str = "") -> Path:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)
    return root / name


def fixed(path: Path, cached: bool = False) -> Done:
    options = Options(project="p")
    cache = open_cache(options) if cached else None
    done = fix_target(Target(str(path)), options, cache=cache, write_back=True)
    if cache is not None:
        cache.keep(done.rows)
        cache.close()
    return done


@pytest.mark.parametrize(("name", "made", "says"), MADE)
def test_what_a_program_puts_there_stays(root: Path, name: str, made: str, says: str | None) -> None:
    path = put(root, name, PIP)
    if made:
        put(root, made)
    assert vendored_by(str(path)) == (says or made)
    done = fixed(path)
    assert done.result.outcome is not None
    assert [refusal.reason for refusal in done.result.outcome.refusals] == ["vendored"]
    assert f"says {says or made}." in done.result.outcome.refusals[0].because
    assert path.read_text() == PIP


@pytest.mark.parametrize(("name", "made"), OWN)
def test_what_is_ones_own_does_not(root: Path, name: str, made: str) -> None:
    path = put(root, name, PIP)
    if made:
        put(root, made)
    assert vendored_by(str(path)) == ""
    assert fixed(path).written


def test_outside_of_a_repository(tmp_path: Path) -> None:
    path = put(tmp_path, "node_modules/x/Dockerfile", PIP)
    assert vendored_by(str(path)) == str(tmp_path / "node_modules")


def test_a_link_to_such_a_directory(root: Path) -> None:
    put(root, "vendor/modules.txt")
    put(root, "vendor/x/Dockerfile", PIP)
    (root / "x").symlink_to("vendor/x")
    assert vendored_by(str(root / "x" / "Dockerfile")) == "vendor/modules.txt"


def test_what_has_no_place_is_in_none(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "node_modules" / "x").mkdir(parents=True)
    monkeypatch.chdir(root / "node_modules" / "x")
    assert "pip-cache: fix" in CliRunner().invoke(command, ["-", "--diff"], input=PIP).output
    named = CliRunner().invoke(command, ["-", "--diff", "--stdin-filename", "Dockerfile"], input=PIP)
    assert "vendored" in named.output
    demo = CliRunner().invoke(command, ["--demo"])
    assert "pip-cache: fix" in demo.output
    assert "vendored" not in demo.output


def test_nobody_misses_a_dockerignore_there(root: Path) -> None:
    put(root, "vendor/modules.txt")
    for name in ("Dockerfile", "vendor/x/Dockerfile", "node_modules/x/Dockerfile"):
        put(root, name, PIP)
    found = [target for target in find([str(root)], kinds={"dockerignore"}) if target is not None]
    missing = [Path(target.path).relative_to(root) for target in found if target.missing]
    assert missing == [Path(".dockerignore")]


def test_a_result_rests_on_it(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("DOCKFIX_NO_CACHE", raising=False)
    marker = put(root, "vendor/modules.txt")
    path = put(root, "vendor/x/Dockerfile", PIP)
    assert not fixed(path, cached=True).known
    assert fixed(path, cached=True).known
    marker.unlink()
    vendored._marker.cache_clear()
    done = fixed(path, cached=True)
    assert not done.known
    assert done.written
