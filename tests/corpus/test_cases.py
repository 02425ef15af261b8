"""The corpus runner: every folder of `corpus/` is a test of what must, and must not, come out."""

from __future__ import annotations

import random
import shutil
import subprocess
import zlib
from collections import Counter
from functools import cache
from pathlib import Path

import dockerfile
import pytest

from fixer.codemods.api import Safety
from fixer.dev import CORPUS, Case, cases, codemods, difference, dump, refusals, run, run_case, tree_cases
from fixer.engine.kinds import DOCKERFILE, kind_of
from fixer.engine.outcome import ENGINE, REASONS, Outcome
from fixer.text.edits import Edit, apply_edits
from fixer.text.source import decode, encode
from fixer.tree.nodes import Item
from fixer.tree.parse import parse

CASES = cases()
CHANGING = [case for case in CASES if case.after is not None]


def ids(case: Case) -> str:
    return case.id


# --- what was written down -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_case(case: Case) -> None:
    outcome = run_case(case)
    assert (outcome.error.kind if outcome.error else None) == case.problem
    assert [row for row in outcome.refusals if row.reason == "internal-error"] == []
    expected = case.before if case.after is None else case.after
    assert difference(expected, outcome.after, "expected against what came out") == ""
    assert outcome.after == expected
    assert Counter(refusals(outcome)) == Counter(case.refusals)
    if case.changes is not None:
        assert len(outcome.changes) == case.changes
    assert bool(outcome.changes) == (case.after is not None)
    explained(outcome)
    assert lost_comments(case.before, outcome.after) == Counter()
    if kind_of(case.dockerfile) == DOCKERFILE:
        replayed(outcome)
        assert new_opaque(case.before, outcome.after) == []
        if accepted(case.before):
            assert accepted(outcome.after), "BuildKit's parser took the file before, and does not take it now"

    again = run(outcome.after, case, select=case.select)
    assert difference(outcome.after, again.after, "second run") == ""

    if case.unsafe:
        careful = run(case.before, case, select=case.select, unsafe=False)
        assert careful.after == case.before, "an unsafe change happened without --unsafe-fixes"
    else:
        assert [change.title for change in outcome.changes if change.safety is Safety.UNSAFE] == []


def explained(outcome: Outcome[bytes]) -> None:
    """Everything that is done or left alone says why, with reasons that are written down."""
    known = {codemod.id: {*codemod.reasons, *REASONS} for codemod in codemods()} | {ENGINE: set(REASONS)}
    for change in outcome.changes:
        assert change.title.strip(), change
        assert change.why.strip(), change
        assert "\n" not in change.title + change.why
    for refusal in outcome.refusals:
        assert refusal.reason in known[refusal.codemod], f"{refusal.reason} is not a reason of {refusal.codemod}"
        assert refusal.because.strip(), refusal
        assert "\n" not in refusal.because


def replayed(outcome: Outcome[bytes]) -> None:
    """The edits that are reported make the text that came out, and lines that they do not touch stay as they are."""
    text = decode(outcome.before)
    for step in range(max((change.step for change in outcome.changes), default=-1) + 1):
        edits = [edit for change in outcome.changes if change.step == step for edit in change.edits]
        new = apply_edits(text, edits)
        left = Counter(item.code for item in parse(new).items)
        left.subtract(item.code for item in parse(text).items if not any(touches(edit, item) for edit in edits))
        assert [code for code, count in left.items() if count < 0] == [], "changed, and no edit says so"
        text = new
    assert encode(text) == outcome.after


def touches(edit: Edit, item: Item) -> bool:
    return edit.start <= item.span.end and item.span.start <= edit.end


def comments(source: bytes) -> Counter[bytes]:
    """Lines that are a comment to somebody: Docker's, directives, those inside continuations and in heredocs' scripts.
    Read from the lines, without the parser, so that both cannot be wrong together."""
    return Counter(line.strip() for line in source.split(b"\n") if line.strip().startswith(b"#"))


def lost_comments(before: bytes, after: bytes) -> Counter[bytes]:
    return comments(before) - comments(after)


def new_opaque(before: bytes, after: bytes) -> list[str]:
    known = Counter(item.code for item in parse(before).opaque)
    return list((Counter(item.code for item in parse(after).opaque) - known).elements())


@cache
def accepted(source: bytes) -> bool:
    try:
        dockerfile.parse_string(source.decode("utf-8", "replace"))
    except dockerfile.GoParseError:
        return False
    return True


# --- the diffs are patches -----------------------------------------------------------------------------------------


def apply(folder: Path, patches: list[bytes]) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["git", "apply", "--whitespace=nowarn", "-"],
        cwd=folder,
        input=b"".join(patches),
        capture_output=True,
        check=False,
    )


@pytest.mark.skipif(shutil.which("git") is None, reason="no git on this machine to apply patches with")
def test_git_takes_every_diff(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    for case in CHANGING:
        target = tmp_path / case.id / case.dockerfile
        target.parent.mkdir(parents=True)
        target.write_bytes(case.before)
    patches = [encode(case.diff) for case in CHANGING]
    if patches and apply(tmp_path, patches).returncode:
        # together they tell nothing: name those that git refuses
        alone = {case.id: apply(tmp_path, [patch]) for case, patch in zip(CHANGING, patches, strict=True)}
        assert {name: done.stderr.decode() for name, done in alone.items() if done.returncode} == {}
    for case in CHANGING:
        assert (tmp_path / case.id / case.dockerfile).read_bytes() == case.after, case.id


# --- all codemods together, in any order ---------------------------------------------------------------------------


def orders(case: Case) -> list[list[str]]:
    kind = kind_of(case.dockerfile)
    names = [one.id for one in codemods() if one.document == kind and case.builder in one.builders]
    shuffled = names[:]
    random.Random(zlib.crc32(case.id.encode())).shuffle(shuffled)
    return [list(reversed(names)), shuffled]


@cache
def alone(source: bytes, name: str, case: Case) -> bytes:
    """What one codemod makes of a text. Remembered, since orders meet in the same texts."""
    result = run(source, case, select=[name])
    assert not result.error or result.error.kind != "internal-error", (name, result.error)
    assert [row for row in result.refusals if row.reason == "internal-error"] == []
    return result.after


def one_by_one(source: bytes, order: list[str], case: Case) -> bytes:
    """Each codemod by itself, again and again until nothing changes."""
    for _ in range(5):
        start = source
        for name in order:
            source = alone(source, name, case)
        if source == start:
            return source
    raise AssertionError(f"no end with the order {order}")


def meaning(source: bytes) -> list[str]:
    """What BuildKit's parser sees, with a RUN's mounts in alphabetical order, and without the blanks of layout."""
    return [
        f"{command.cmd} {sorted(command.flags)} {[value.split() for value in command.value]} {command.heredocs}"
        for command in dockerfile.parse_string(source.decode("utf-8", "replace"))
    ]


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_with_all_others(case: Case) -> None:
    whole = run(case.before, case)
    again = run(whole.after, case)
    assert difference(whole.after, again.after, "second run") == ""
    for order in orders(case):
        text = one_by_one(case.before, order, case)
        settled = run(text, case)
        assert difference(text, settled.after, f"all of them, after {order}") == ""
        assert lost_comments(case.before, text) == Counter()
        if kind_of(case.dockerfile) != DOCKERFILE:
            assert text == whole.after, order
            continue
        assert new_opaque(case.before, text) == []
        if accepted(case.before):
            assert accepted(text), order
            assert meaning(text) == meaning(whole.after), order


# --- the corpus itself ---------------------------------------------------------------------------------------------


def test_titles_differ() -> None:
    """A case that says the same as another is one too many, or does not say what it is about."""
    doubled = [title for title, count in Counter((c.folder.parent.name, c.title) for c in CASES).items() if count > 1]
    assert doubled == []


@pytest.mark.skipif(shutil.which("git") is None, reason="no git on this machine to ask")
def test_git_keeps_every_file() -> None:
    """A .gitignore of the project, or of the machine, must not keep a case's files out of a commit."""
    done = subprocess.run(
        ["git", "ls-files", "--others", "--ignored", "--exclude-standard", "."],
        cwd=CORPUS, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == ""


def test_no_case_is_there_twice() -> None:
    seen: dict[tuple[bytes, str], str] = {}
    doubled = []
    for case in CASES:
        files = [path for path in (case.folder / "before").rglob("*") if path.is_file()]
        around = sorted((path.name, path.read_bytes()) for path in files)
        key = (case.before, f"{case.select} {case.unsafe} {case.project} {case.builder} "
               f"{case.context is None} {around}")  # fmt: skip
        if key in seen:
            doubled.append((seen[key], case.id))
        seen[key] = case.id
    assert doubled == []


@pytest.mark.parametrize("codemod", codemods(), ids=lambda codemod: str(codemod.id))
def test_enough_cases(codemod: object) -> None:
    name = codemod.id  # type: ignore[attr-defined]
    mine = [case for case in CASES if case.folder.parent.name == name]
    changing = [case for case in mine if case.after is not None]
    assert len(changing) >= 12
    assert len(mine) - len(changing) >= 12


@pytest.mark.parametrize("codemod", codemods(), ids=lambda codemod: str(codemod.id))
def test_every_reason_has_a_case(codemod: object) -> None:
    """A reason that no case shows is one that nobody has seen."""
    shown = {refusal.reason for case in CASES for refusal in case.refusals if refusal.codemod == codemod.id}  # type: ignore[attr-defined]
    assert set(codemod.reasons) - shown == set()  # type: ignore[attr-defined]


# --- trees ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", tree_cases(), ids=lambda folder: str(folder.name))
def test_tree(folder: Path) -> None:
    source = (folder / "Dockerfile").read_bytes()
    assert parse(source).code == source
    assert "".join(leaf.code for leaf in parse(source).leaves()) == decode(source)
    assert dump(source) == (folder / "tree.txt").read_text("utf-8")
