"""What a kept result rests on beside the text."""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fixer.analysis import TooMuchWorkError
from fixer.engine import job, result_cache, surroundings
from fixer.engine.context import FoundContext
from fixer.engine.declared import FoundTargets
from fixer.engine.files import Target
from fixer.engine.job import Done, Options, fix_target
from fixer.engine.result_cache import open_cache
from fixer.engine.surroundings import QUESTIONS, NotedContext, Questions, Surroundings
from fixer.text.globs import Budget, NotFollowedError

PIP = "FROM python:3.12\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY . .\n"
NODE = "FROM node:22\nWORKDIR /app\nCOPY package.json package-lock.json ./\nRUN npm ci\nCOPY . .\nRUN npm run build\n"
ASKS = NODE.replace("RUN npm ci", "RUN --mount=type=cache,target=/root/.npm \\\n    npm ci")
"""The one question left is whether a bind mount is as good as the first COPY."""
SCRIPT = json.dumps({"name": "x", "scripts": {"postinstall": "node setup.js"}})
"""It is not, where a script of the package may write to the files."""
PLAIN = json.dumps({"name": "x"})
WORDY = json.dumps({"name": "x", "scripts": {"install": "make"}})
GO = "FROM golang:1.23\nWORKDIR /src\nCOPY go.mod go.sum ./\nRUN go mod download\nCOPY . .\nRUN go build -o /x .\n"
RUST = (
    "FROM rust:1.80 AS build\nWORKDIR /src\nCOPY . .\nRUN cargo build --release\n"
    "FROM debian:12\nCOPY --from=build /src/target/release/app /\n"
)
HOSTED = """
on: push
jobs:
  image:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: docker/build-push-action@v6
        with: {context: .}
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("DOCKFIX_NO_CACHE", raising=False)
    return tmp_path / "home" / "dockfix"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "repo" / ".git").mkdir(parents=True)
    return tmp_path / "repo"


def put(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def forget() -> None:
    """As if this process had just begun."""
    for name in [name for name in sys.modules if name.startswith("fixer.engine.")]:
        for known in vars(sys.modules[name]).values():
            if hasattr(known, "cache_clear"):
                known.cache_clear()


def run(path: Path, *, cached: bool = True, write: bool = False, **options: Any) -> Done:
    """As in a run of its own."""
    forget()
    chosen = Options(project="p", **options)
    cache = open_cache(chosen) if cached else None
    with contextlib.closing(cache) if cache is not None else contextlib.nullcontext():
        done = fix_target(Target(str(path)), chosen, cache=cache, write_back=write)
    if cache is not None:
        cache.keep(done.rows)
    return done


def test_what_rests_on_the_context_is_known(root: Path) -> None:
    put(root, {"Dockerfile": ASKS, "package.json": SCRIPT, "package-lock.json": "{}"})
    first = run(root / "Dockerfile")
    assert first.result.status == "unchanged"
    assert not first.known
    assert len(first.rows) == 2
    second = run(root / "Dockerfile")
    assert second.known
    assert second.result == first.result
    assert second.rows == ()


@pytest.mark.parametrize("ignore", ["", "# nothing", "*.log\n.git"])
def test_what_is_written_is_known(root: Path, ignore: str) -> None:
    put(root, {"Dockerfile": PIP, "requirements.txt": "flask==3.0.0\n"})
    if ignore:
        put(root, {".dockerignore": ignore})
    assert run(root / "Dockerfile", write=True).written
    second = run(root / "Dockerfile")
    assert second.known
    assert second.result == run(root / "Dockerfile", cached=False).result
    assert "--mount=type=bind,source=requirements.txt" in (root / "Dockerfile").read_text()


STALE: dict[str, Callable[[Path], object]] = {
    "the file's content": lambda root: (root / "package.json").write_text(PLAIN),
    "its content, without a change": lambda root: (root / "package.json").write_text(WORDY),
    "the file is gone": lambda root: (root / "package.json").unlink(),
    "the file is a link": lambda root: (
        (root / "package.json").rename(root / "other.json"),
        (root / "package.json").symlink_to("other.json"),
    ),
    "the file is a directory": lambda root: (
        (root / "package.json").unlink(),
        (root / "package.json").mkdir(),
    ),
    "it is left out": lambda root: (root / ".dockerignore").write_text("package.json\n"),
    "it is left out for this one": lambda root: (root / "Dockerfile.dockerignore").write_text("*.json\n"),
    "Compose says another directory": lambda root: put(
        root,
        {
            "compose.yml": "services:\n a:\n  build: {context: sub, dockerfile: ../Dockerfile}\n",
            "sub/package.json": WORDY,
            "sub/package-lock.json": "{}",
        },
    ),
}


@pytest.mark.parametrize("what", STALE)
def test_what_has_changed_is_seen(root: Path, what: str) -> None:
    """Whatever changes, the second run says what a run without a cache says; and when all is as it was, what is known
    of it is known again."""
    put(root, {"Dockerfile": ASKS, "package.json": SCRIPT, "package-lock.json": "{}"})
    shutil.copytree(root, root.parent / "before", symlinks=True)
    first = run(root / "Dockerfile")
    STALE[what](root)
    second = run(root / "Dockerfile")
    assert not second.known
    assert second.result == run(root / "Dockerfile", cached=False).result
    third = run(root / "Dockerfile")
    assert third.known is (second.result.status != "changed")
    assert third.result == second.result
    shutil.rmtree(root)
    shutil.copytree(root.parent / "before", root, symlinks=True)
    again = run(root / "Dockerfile")
    assert again.known
    assert again.result == first.result


def test_one_text_in_several_places(root: Path) -> None:
    """Each with other answers and other questions; all are known the second time, whatever the order."""
    every = {
        "a": {"package.json": SCRIPT, "package-lock.json": "{}"},
        "b": {"package.json": WORDY, "package-lock.json": "{}", "preinstall": ""},
        "c": {},
        "d": {"package.json": SCRIPT, "package-lock.json": "{}", ".dockerignore": "package.json\n"},
        "e": {"package.json": SCRIPT, "package-lock.json": "{}", ".dockerignore": "package-lock.json\n"},
        "f": {"package.json": PLAIN, "package-lock.json": "{}"},
    }
    for name, files in every.items():
        put(root / name, {"Dockerfile": ASKS, **files})
    first = {name: run(root / name / "Dockerfile") for name in every}
    assert [name for name, done in first.items() if done.result.status == "changed"] == ["f"]
    for name in sorted(every, reverse=True):
        again = run(root / name / "Dockerfile")
        assert again.known is (name != "f")
        assert again.result == first[name].result


NAMES = ("requirements.txt", "package.json", "package-lock.json", "go.mod", "go.sum", "Cargo.toml", "Cargo.lock")
CONTENTS = (
    "",
    "-r requirements/base.txt\n",
    "flask==3.0.0\n-e .\n",
    json.dumps({"name": "x", "scripts": {"postinstall": "node setup.js"}}),
    json.dumps({"name": "x", "dependencies": {"a": "file:./lib"}}),
    "module example.org/x\n\nreplace example.org/y => ./lib\n",
    '[package]\nname = "app"\nversion = "0.1.0"\nedition = "2021"\n\n[dependencies]\nlib = { path = "lib" }\n',
    '[workspace]\nmembers = ["lib"]\n',
)
IGNORES = ("", "*.txt\n", "lib\n", "*\n!requirements.txt\n", "go.*\n**/Cargo.lock\n")
COMPOSE = (
    "services:\n a:\n  build: {context: ., target: build}\n",
    "services:\n a:\n  build: {context: ., dockerfile: app/Dockerfile}\n",
    "services:\n a:\n  build: app\n",
)

AROUND = {
    ".gitignore": ("*.txt\n", "lib/\n", ""),
    "Dockerfile.dockerignore": IGNORES,
    "docker-bake.hcl": ('target "a" {\n  target = "build"\n}\n', 'target "a" {\n  context = "lib"\n}\n'),
    "dockfix.toml": ('context = "."\n', 'ignore = ["pip-cache"]\n', 'builder = "ephemeral"\n', "no = 1\n"),
    ".github/workflows/a.yml": (HOSTED, HOSTED.replace("context: .", "context: app, target: build")),
}
"""Other files, and what they may say."""


def disturb(root: Path, chance: random.Random) -> None:
    """One thing is changed, as somebody who works there would."""
    place = root / chance.choice(("", "app", "app/lib", "other"))
    place.mkdir(exist_ok=True, parents=True)
    what = chance.randrange(11)
    if what == 0:
        (place / chance.choice(("Dockerfile", "app.Dockerfile"))).write_text(chance.choice((PIP, ASKS, NODE, GO, RUST)))
    elif what == 1:
        (place / ".dockerignore").write_text(chance.choice(IGNORES))
    elif what == 2:
        (root / "compose.yml").write_text(chance.choice(COMPOSE))
    elif what == 3:
        files = [path for path in root.rglob("*") if path.is_file() or path.is_symlink()]
        chance.choice(files).unlink()
    elif what == 4:
        link = place / chance.choice(NAMES)
        link.unlink(missing_ok=True)
        link.symlink_to(chance.choice(NAMES))
    elif what == 5:
        name = chance.choice(list(AROUND))
        put(root if "/" in name else place, {name: chance.choice(AROUND[name])})
    elif what == 6 and (root / "other").is_symlink():
        (root / "other").unlink()
        (root / "moved").rename(root / "other")
    elif what == 6 and not (root / "moved").exists():
        (root / "other").rename(root / "moved")
        (root / "other").symlink_to("moved")
    else:
        path = place / chance.choice(NAMES)
        path.unlink(missing_ok=True)
        path.write_text(chance.choice(CONTENTS))


@pytest.mark.parametrize("seed", range(6))
def test_a_project_that_lives(root: Path, seed: int) -> None:
    """Change upon change: what is known is always what a run without a cache says."""
    chance = random.Random(seed)
    for name, text in (("", PIP), ("app", NODE), ("other", GO), ("app/lib", RUST)):
        put(root / name, {"Dockerfile": text})
    for name in NAMES:
        put(root, {name: chance.choice(CONTENTS), f"app/{name}": chance.choice(CONTENTS)})
    hits = asked = 0
    for _ in range(25):
        disturb(root, chance)
        for path in sorted(root.rglob("*Dockerfile")):
            write = chance.random() < 0.1
            plain = run(path, cached=False)
            done = run(path, write=write)
            assert done.result == plain.result, path
            hits += done.known
            asked += 1
    assert 0.2 * asked < hits < asked


def test_a_build_context_of_another_place_is_not_this_one(root: Path) -> None:
    """A change that makes the Dockerfile take something else may be about another directory from then on."""
    put(root, {"docker/Dockerfile": PIP, "requirements.txt": "flask\n", "docker/other.txt": "x\n"})
    path = str(root / "docker" / "Dockerfile")
    asked = Surroundings(FoundContext(path), FoundTargets(path))
    asked.context.expect(lambda: ())
    assert asked.context.kind("other.txt") == "file"
    elsewhere = FoundContext(path, str(root))
    assert asked.asked_after(elsewhere) is None
    assert asked.asked_after(FoundContext(path, str(root / "docker"))) == (False, (), (("kind", "other.txt"),))


def test_what_is_written_is_known_where_the_context_has_to_be_found(root: Path) -> None:
    put(root, {"docker/Dockerfile": PIP, "requirements.txt": "flask==3.0.0\n", "docker/app.py": ""})
    assert run(root / "docker" / "Dockerfile", write=True).written
    assert run(root / "docker" / "Dockerfile").known


def test_the_builder_of_a_result_is_the_one_in_its_key(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the workflow goes while dockfix runs."""
    opaque = RUST.replace("RUN", 'SHELL ["/usr/bin/fish", "-c"]\nRUN')
    put(root, {"Dockerfile": opaque, ".github/workflows/a.yml": HOSTED})
    workflow = root / ".github" / "workflows" / "a.yml"
    find = job.find_context

    def gone(path: str, options: Options) -> FoundContext:
        workflow.unlink(missing_ok=True)
        forget()
        return find(path, options)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(job, "find_context", gone)
        run(root / "Dockerfile")
    put(root, {".github/workflows/a.yml": HOSTED})
    assert run(root / "Dockerfile").result == run(root / "Dockerfile", cached=False).result
    workflow.unlink()
    assert run(root / "Dockerfile").result == run(root / "Dockerfile", cached=False).result


def around(root: Path) -> Surroundings:
    return Surroundings(FoundContext(str(root / "Dockerfile"), str(root)), FoundTargets(str(root / "Dockerfile")))


def test_all_that_was_asked_counts(root: Path) -> None:
    put(root, {"a.txt": "a"})
    nothing, one, two = around(root), around(root), around(root)
    asked = (one.context.kind("a.txt"), one.context.excluded("b"), one.context.names(), one.context.read("a.txt"))
    assert asked == ("file", False, (".git", "a.txt"), b"a")
    questions = one.asked(nothing)
    assert questions == (False, (), (("kind", "a.txt"), ("excluded", "b"), ("names", ""), ("read", "a.txt")))
    assert two.answer(questions) == one.answer(questions)
    assert one.asked(two) == (False, (), ())
    one.targets()
    assert one.asked(two) == (True, (), ())


def test_what_changes_between_two_looks_is_no_answer(root: Path) -> None:
    """What was found by the answers before must not be kept with those after."""
    put(root, {"a.txt": "a"})
    earlier, now = around(root), around(root)
    assert earlier.context.kind("a.txt") == "file"
    (root / "a.txt").unlink()
    assert now.context.kind("a.txt") is None
    assert now.asked(earlier) is None


def test_targets_that_change_between_two_looks_are_none(root: Path) -> None:
    put(root, {"Dockerfile": RUST})
    earlier, now = around(root), around(root)
    assert earlier.targets().unknown is None
    forget()
    put(root, {"compose.yml": "services:\n a:\n  build: {context: ., target: $WHAT}\n"})
    assert now.targets() != earlier.targets()
    assert now.asked(earlier) is None


# --- notes -----------------------------------------------------------------------------------------------------------


def noted(root: Path) -> NotedContext:
    return NotedContext(FoundContext(str(root / "Dockerfile"), str(root)))


def test_every_question_is_noted(root: Path) -> None:
    put(root, {"a.txt": "a", "lib/b.txt": "b", ".dockerignore": "c\n", "c": "c"})
    context = noted(root)
    said = {
        "at_hand": context.at_hand,
        "excluded": context.excluded("c"),
        "kept": context.kept("lib"),
        "kind": context.kind("a.txt"),
        "names": context.names("lib"),
        "read": context.read("a.txt"),
        "stored": context.stored("c"),
        "sure": context.sure,
    }
    assert sorted(said) == sorted(QUESTIONS)
    assert said == {
        "at_hand": True,
        "excluded": True,
        "kept": "lib/b.txt",
        "kind": "file",
        "names": ("b.txt",),
        "read": b"a",
        "stored": "c",
        "sure": True,
    }
    assert context.noted is not None
    assert sorted(what for what, _ in context.noted) == sorted(QUESTIONS)
    assert context.text("lib/b.txt") == "b"
    assert list(context.walk()) == [".dockerignore", "a.txt", "lib/b.txt"]
    assert ("names", "") in context.noted
    again = noted(root)
    assert [again.ask(question) for question in context.noted] == list(context.noted.values())


def test_two_answers_are_none(root: Path) -> None:
    put(root, {"a.txt": "a"})
    context = noted(root)
    assert context.read("a.txt") == b"a"
    put(root, {"a.txt": "b"})
    assert context.noted is not None
    assert context.read("a.txt") == b"b"
    assert context.noted is None


def test_a_question_that_takes_too_long_has_no_answer(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another run may have the time."""
    put(root, {"a.txt": "a", ".dockerignore": "b*\n" * 40})
    monkeypatch.setattr(Budget, "charge", _no_time)
    context = noted(root)
    with pytest.raises(TooMuchWorkError):
        context.kind("a.txt")
    assert context.noted is None


def _no_time(*_: object) -> None:
    raise NotFollowedError


def test_too_many_questions_are_not_kept(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surroundings, "_MOST", 1)
    put(root, {"Dockerfile": ASKS, "package.json": SCRIPT, "package-lock.json": "{}"})
    assert run(root / "Dockerfile").rows == ()
    assert not run(root / "Dockerfile").known


def test_more_and_more_questions_come_to_an_end(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(result_cache, "_MOST_STEPS", 1)
    put(root, {"Dockerfile": ASKS, "package.json": SCRIPT, "package-lock.json": "{}"})
    run(root / "Dockerfile")
    assert not run(root / "Dockerfile").known


def test_questions_are_what_they_say() -> None:
    plain = (True, ("a",), (("kind", "b"), ("at_hand", "")))
    assert Questions.of(plain) == plain
    with pytest.raises(ValueError, match="__class__"):
        Questions.of((True, (), (("__class__", ""),)))
