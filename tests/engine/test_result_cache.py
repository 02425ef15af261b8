"""Results that are kept for the next run."""

from __future__ import annotations

import contextlib
import copy
import multiprocessing
import os
import pickle
import random
import sqlite3
import zlib
from pathlib import Path

import pytest

from fixer.codemods import registry
from fixer.dev import CORPUS
from fixer.engine import result_cache
from fixer.engine.files import Target
from fixer.engine.job import Options, fix_data, fix_target
from fixer.engine.outcome import Outcome
from fixer.engine.result_cache import ResultCache, open_cache
from fixer.engine.surroundings import Questions
from fixer.text.records import replace

DOCKERFILES = sorted(path for path in CORPUS.glob("*/*/before/*ockerfile*") if path.is_file())
REFUSED = b"FROM python:3.12\nUSER svc\nRUN pip install --no-cache-dir x\n"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("DOCKFIX_NO_CACHE", raising=False)
    return tmp_path / "home" / "dockfix"


def database(home: Path) -> Path:
    (path,) = home.glob("results-*.sqlite")
    return path


def cache(options: Options | None = None) -> ResultCache:
    found = open_cache(options or Options())
    assert found is not None
    return found


def outcome(data: bytes, options: Options | None = None, project: str | None = "p") -> Outcome[bytes]:
    result = fix_data(data, "Dockerfile", options or Options(), project).outcome
    assert result is not None
    return result


def keep(data: bytes, options: Options | None = None, project: str | None = "p") -> None:
    keep_by(cache(options), data, options, project)


def keep_by(one: ResultCache, data: bytes, options: Options | None = None, project: str | None = "p") -> None:
    rows = one.rows(one.key(data, project), outcome(data, options, project))
    assert rows
    one.keep(rows)


def known(data: bytes, options: Options | None = None, project: str | None = "p") -> Outcome[bytes] | None:
    one = cache(options)
    with contextlib.closing(one):
        return one.follow(one.key(data, project), "Dockerfile", data).outcome


def test_what_is_kept_is_found() -> None:
    assert known(REFUSED) is None
    keep(REFUSED)
    assert known(REFUSED) == outcome(REFUSED)
    assert outcome(REFUSED).refusals


@pytest.mark.parametrize("unsafe", [False, True], ids=["safe", "unsafe"])
def test_what_is_kept_of_a_change_is_what_a_second_run_says(unsafe: bool) -> None:
    """For every case of the corpus."""
    options = Options(unsafe_fixes=unsafe)
    one = cache(options)
    outcomes = {path: outcome(path.read_bytes(), options) for path in DOCKERFILES}
    rows = [one.rows_after(one.key(first.after, "p"), first) for first in outcomes.values()]
    assert () not in rows
    one.keep([row for each in rows for row in each])
    wrong = []
    for path, first in outcomes.items():
        found = one.follow(one.key(first.after, "p"), "Dockerfile", first.after).outcome
        if found != outcome(first.after, options):
            wrong.append(path)
    one.close()
    assert wrong == []
    assert sum(first.changed for first in outcomes.values()) > 100


def test_it_depends_on_everything(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(REFUSED)
    assert known(REFUSED + b"\n") is None
    assert known(REFUSED, project=None) is None
    assert known(REFUSED, project="q") is None
    assert known(REFUSED, Options(unsafe_fixes=True)) is None
    assert known(REFUSED, Options(select=("pip-cache",))) is None
    assert known(REFUSED, Options(ignore=("pip-cache",))) is None
    with monkeypatch.context() as other:
        other.setattr(registry, "ORDER", registry.ORDER[1:])
        assert known(REFUSED) is None
    with monkeypatch.context() as other:
        other.setattr(result_cache, "__version__", "9")
        assert known(REFUSED) is None
    with monkeypatch.context() as other:
        other.setattr(result_cache, "_program", lambda: "another")
        assert known(REFUSED) is None
    assert known(REFUSED) is not None


def test_the_program_is_its_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "fixer"
    (package / "engine").mkdir(parents=True)
    (package / "engine" / "a.py").write_text("a = 1\n")
    monkeypatch.setattr(result_cache, "__file__", str(package / "engine" / "result_cache.py"))
    before = result_cache._program()
    assert before == result_cache._program()
    (package / "engine" / "a.py").write_text("a = 22\n")
    assert result_cache._program() != before


def test_changes_and_failures_are_not_kept() -> None:
    one = cache()
    changed = outcome(b"FROM python:3.12\nRUN pip install --no-cache-dir x\n")
    assert changed.changed
    assert one.rows(b"k", changed) == ()
    refused = outcome(REFUSED)
    failed = replace(refused, refusals=tuple(replace(one, reason="internal-error") for one in refused.refusals))
    assert one.rows(b"k", failed) == ()


def test_too_much_work_with_a_text_on_the_way_is_not_kept() -> None:
    one = cache()
    changed = outcome(b"FROM python:3.12\nRUN pip install --no-cache-dir x\nUSER svc\nRUN pip install y\n")
    assert changed.changed
    assert changed.refusals
    assert one.rows_after(b"k", changed)
    refusals = tuple(replace(one, reason="too-much-work") for one in changed.refusals)
    assert one.rows_after(b"k", replace(changed, refusals=refusals)) == ()


def test_the_same_answers_to_other_questions_are_others() -> None:
    """What is asked under one key is replaced where another run has asked something else, as two that do not know of
    each other do; what was kept for the answers before must not be found by those to the new questions."""
    one = cache()
    key = one.key(REFUSED, "p")
    before, after = (Questions(False, (), (("kind", path),)) for path in "ab")
    one.keep(one.rows(key, outcome(REFUSED), before, (None, ["file"])))
    assert one.follow(key, "Dockerfile", REFUSED, lambda _: (None, ["file"])).outcome == outcome(REFUSED)
    one.keep(one.rows(key, outcome(REFUSED), after, (None, [None])))
    assert one.follow(key, "Dockerfile", REFUSED, lambda _: (None, [None])).outcome == outcome(REFUSED)
    assert one.follow(key, "Dockerfile", REFUSED, lambda _: (None, ["file"])).outcome is None
    one.close()


def test_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKFIX_NO_CACHE", "1")
    assert open_cache(Options()) is None


def test_a_file_and_its_template_are_not_confused(tmp_path: Path) -> None:
    for name in ("Dockerfile", "Dockerfile.j2"):
        (tmp_path / name).write_bytes(REFUSED)
    plain, template = (Target(str(tmp_path / name)) for name in ("Dockerfile", "Dockerfile.j2"))
    one = cache(Options(project="p"))
    one.keep(fix_target(plain, Options(project="p"), cache=one).rows)
    assert fix_target(plain, Options(project="p"), cache=one).known
    done = fix_target(template, Options(project="p"), cache=one)
    assert not done.known
    assert done.result.problem is not None
    assert done.result.problem.kind == "template"


# --- what may happen to it -----------------------------------------------------------------------------------------


def test_damage_anywhere_is_no_trouble(home: Path) -> None:
    """Whatever is found is right, and it is usable again after the next `keep`."""
    texts = [REFUSED + b"# %d\n" % number for number in range(40)]
    expected = outcome(texts[0])
    one = cache()
    rows = [row for text in texts for row in one.rows(one.key(text, "p"), outcome(text))]
    one.keep(rows)
    whole = database(home).read_bytes()
    chance = random.Random(3)
    for _ in range(40):
        damaged = bytearray(whole)
        for _ in range(chance.choice((1, 20, 2_000))):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        cut = chance.choice((len(damaged), chance.randrange(len(damaged))))
        database(home).write_bytes(damaged[:cut])
        again = copy.copy(one)
        with contextlib.closing(again):
            found = [again.follow(again.key(text, "p"), "Dockerfile", text).outcome for text in texts]
        assert all(one is None or one.refusals == expected.refusals for one in found)
        one.keep(rows[:1])
    database(home).write_bytes(b"SQLite format 3\0" + bytes(chance.randrange(256) for _ in range(5_000)))
    keep(REFUSED)
    assert known(REFUSED) == outcome(REFUSED)
    database(home).write_bytes(b"no database at all" * 100)
    keep(REFUSED)
    assert known(REFUSED) == outcome(REFUSED)


def test_who_finds_it_damaged_replaces_it(home: Path) -> None:
    """With one process the same cache is asked first and told later."""
    keep(REFUSED)
    for damage in (b"no database at all" * 100, b"SQLite format 3\0" + bytes(range(256)) * 20):
        database(home).write_bytes(damage)
        one = cache()
        assert one.follow(one.key(REFUSED, "p"), "Dockerfile", REFUSED).outcome is None
        keep_by(one, REFUSED)
        assert known(REFUSED) == outcome(REFUSED)


class Evil:
    def __reduce__(self) -> object:
        return os.system, ("exit 1",)


NO_ROWS = [
    Evil(),
    ((), (), Evil(), False, 0),
    "nothing",
    "abc",
    "abcde",
    (1, 2),
    (True, ("a",), (("__init__", "a"),)),
    (True, ("a",), (("kind", 3),)),
    (True, (3,), ()),
    ("no", (), ()),
    (True, (), 3),
]


@pytest.mark.parametrize("content", NO_ROWS)
def test_a_row_makes_nothing_but_records(content: object) -> None:
    one = cache()
    key = one.key(REFUSED, "p")
    one.keep([(key, zlib.compress(key + pickle.dumps(content)))])
    found = one.follow(key, "Dockerfile", REFUSED, lambda asked: pytest.fail(f"asked {asked}"))
    one.close()
    assert found == (None, key, ())


def test_a_row_for_another_key() -> None:
    one = cache()
    (row,) = one.rows(one.key(b"FROM a\n", "p"), outcome(b"FROM a\n"))
    one.keep([(one.key(REFUSED, "p"), row[1])])
    assert known(REFUSED) is None


@pytest.mark.parametrize("trouble", ["link", "others", "folder", "pipe", "file"])
def test_places_that_are_not_the_users_own(home: Path, tmp_path: Path, trouble: str) -> None:
    keep(REFUSED)
    path = database(home)
    elsewhere = tmp_path / "elsewhere"
    if trouble == "link":
        path.rename(elsewhere)
        path.symlink_to(elsewhere)
    elif trouble == "others":
        path.chmod(0o666)
    elif trouble == "folder":
        path.unlink()
        home.chmod(0o777)
    elif trouble == "pipe":
        path.unlink()
        os.mkfifo(path)
    else:
        path.unlink()
        home.rmdir()
        home.write_text("not a folder")
    keep(REFUSED)
    assert known(REFUSED) is None


def test_its_size_is_bounded(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(result_cache, "MAX_SIZE", 200_000)
    one = cache()
    for number in range(60):
        one.keep([(os.urandom(16), os.urandom(400)) for _ in range(40)])
        assert database(home).stat().st_size < 300_000, number
    keep(REFUSED)
    assert known(REFUSED) is not None


def test_what_is_used_is_not_thrown_away(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(REFUSED)
    one = cache()
    key = one.key(REFUSED, "p")
    monkeypatch.setattr(result_cache, "_today", lambda: 10**6)
    found = one.follow(key, "Dockerfile", REFUSED)
    assert [place for place, _ in found.again] == [key], "it is old, so that it has to be kept again"
    one.keep(found.again)
    fresh = one.follow(key, "Dockerfile", REFUSED)
    one.close()
    assert fresh.outcome is not None
    assert fresh.again == ()


def fill(number: int) -> None:
    one = cache()
    for round_ in range(20):
        one.keep([(bytes([number, round_, index]) + bytes(13), b"x" * 500) for index in range(50)])


def test_several_runs_at_a_time(home: Path) -> None:
    context = multiprocessing.get_context("fork")
    running = [context.Process(target=fill, args=(number,)) for number in range(4)]
    for process in running:
        process.start()
    for process in running:
        process.join()
    assert [process.exitcode for process in running] == [0] * 4
    with sqlite3.connect(database(home)) as connection:
        assert connection.execute("SELECT count(*) FROM results").fetchone() == (4 * 20 * 50,)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_a_run_that_writes_for_long_stops_nobody(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(result_cache, "_WAIT", 0.1)
    keep(REFUSED)
    connection = sqlite3.connect(database(home), isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    keep(b"FROM a\n")
    assert known(REFUSED) is None
    connection.execute("ROLLBACK")
    connection.close()
    assert known(REFUSED) is not None
