"""The judges of benchmarks/peers: each finds the fault that it is there for, and no other. No engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.peers import judges
from benchmarks.peers.cases import CASES, CORPUS, FIRST, IMAGES, WORD, Case
from benchmarks.peers.engine import STAND_INS, Built, Ran, without_syntax
from benchmarks.peers.judges import BROKEN, OLD, SILENT, Fault, Seen, Size
from benchmarks.peers.tools import TOOLS, Tool, rewrite

BEFORE = """\
# syntax=docker/dockerfile:1
FROM debian AS build
# what it needs
RUN apt-get update && apt-get install -y \\
    # the probe
    curl
COPY . /src
CMD ["sh"]
"""


def phases(before: str, after: str) -> list[tuple[str, str]]:
    return [(fault.kind, fault.phase) for fault in judges.judge_text(before, after)]


# -- the text


def test_a_text_that_is_right_has_no_fault() -> None:
    after = BEFORE.replace("RUN apt-get", "RUN --mount=type=cache,target=/var/cache/apt apt-get")
    assert phases(BEFORE, after) == []
    assert judges.lost_comments(BEFORE, after) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    # the probe\n    curl", "    # the probe \\\n    && true\n    curl"),  # the continuation ends too early
        ("FROM debian AS build", "#FROM debian AS build"),
        ("RUN apt-get", "RUN <<EOF apt-get"),
    ],
    ids=["unknown instruction", "no FROM", "a here-document without end"],
)
def test_what_does_not_parse_is_broken(old: str, new: str) -> None:
    after = BEFORE.replace(old, new)
    assert after != BEFORE
    assert phases(BEFORE, after) == [(BROKEN, "text")]


@pytest.mark.parametrize(
    ("old", "gone"),
    [("COPY . /src\n", "COPY"), ('CMD ["sh"]\n', "CMD"), ("# syntax=docker/dockerfile:1\n", "syntax")],
)
def test_what_is_gone_is_silent(old: str, gone: str) -> None:
    after = BEFORE.replace(old, "")
    assert judges.lost_instructions(BEFORE, after) == [gone]
    assert phases(BEFORE, after) == [(SILENT, "text")]


def test_two_runs_may_become_one_but_not_none() -> None:
    two = "FROM x\nRUN a\nRUN b\n"
    assert judges.lost_instructions(two, "FROM x\nRUN a && b\n") == []
    assert judges.lost_instructions(two, "FROM x\n") == ["RUN"]


def test_a_copy_that_is_a_bind_mount_now_is_not_gone() -> None:
    before = "FROM x\nCOPY a ./b /srv/\nCOPY --from=y a /srv/\nRUN c\n"
    mounts = "--mount=type=bind,source=a,target=/srv/a --mount=source=b,target=/srv/b"
    assert judges.lost_instructions(before, f"FROM x\nCOPY --from=y a /srv/\nRUN {mounts} c\n") == []
    assert judges.lost_instructions(before, f"FROM x\nRUN {mounts} c\n") == ["COPY"]  # that of another stage
    assert judges.lost_instructions(before, before.replace("COPY a ./b /srv/\nCOPY", "COPY")) == ["COPY"]
    half = mounts.replace("source=b", "from=y,source=b")
    assert judges.lost_instructions(before, f"FROM x\nCOPY --from=y a /srv/\nRUN {half} c\n") == ["COPY"]


def test_a_lost_comment_is_seen_wherever_it_stood() -> None:
    assert judges.lost_comments(BEFORE, BEFORE.replace("    # the probe\n", "")) == ["# the probe"]
    assert judges.lost_comments(BEFORE, BEFORE.replace("# what it needs\n", "")) == ["# what it needs"]


def test_the_size_of_a_change() -> None:
    assert judges.size("a\nb\n", "a\nc\nd\n") == Size(added=2, removed=1, blank=0, respaced=0)
    assert judges.size("a\nb\n", "a\n\nb\n") == Size(added=1, removed=0, blank=1, respaced=0)
    assert judges.size("a\n  b\n", "a\n\tb\n") == Size(added=1, removed=1, blank=0, respaced=1)
    assert [judges.size("a\nb\n", after).extra for after in ("a\nc\n", "a\n\nb\n", "a\n\tb\n")] == [0, 1, 2]


# -- the builds, by what was seen of them

GOOD = Seen(True, "", Ran(0, "hello"), True, 3, {"/usr/bin/jq": b"jq", "/etc/motd": b"x"})
ORIGINAL = {"first": GOOD, "missing": Seen(False, "no such package")}


def found(**seen: Seen) -> list[tuple[str, str, str]]:
    result = {"first": GOOD, "missing": Seen(False, "no such package"), **seen}
    return [(fault.kind, fault.phase, fault.what) for fault in judges.judge_builds(ORIGINAL, result)]


def test_builds_that_are_alike_have_no_fault() -> None:
    assert found(edit=GOOD, back=GOOD, evicted=GOOD) == []


@pytest.mark.parametrize("phase", ["first", "edit", "back", "evicted"])
def test_a_build_that_fails_is_broken(phase: str) -> None:
    assert found(**{phase: Seen(False, "not found")}) == [(BROKEN, phase, "not found")]


@pytest.mark.parametrize(
    ("phase", "what"),
    [("edit", "the edit is not in the image"), ("evicted", "the edit is not in the image"), ("back", "taken back")],
)
def test_an_old_artifact_is_silent(phase: str, what: str) -> None:
    (fault,) = found(**{phase: replace(GOOD, arrived=False)})
    assert fault[:2] == (SILENT, phase)
    assert what in fault[2]


def test_an_image_that_does_not_start_is_silent() -> None:
    ran = Ran(127, "exec: no such file: error")
    assert found(first=replace(GOOD, ran=ran, arrived=False)) == [
        (SILENT, "first", "the image does not start: exec: no such file: error")
    ]


def test_files_that_are_gone_or_other_are_silent_but_not_caches() -> None:
    assert found(first=replace(GOOD, files={"/etc/motd": b"x"}))[0][2] == "gone from the image: /usr/bin/jq"
    assert found(first=replace(GOOD, files={**GOOD.files, "/etc/motd": b"y"}))[0][2] == "other in the image: /etc/motd"
    cached = replace(
        GOOD, files={**GOOD.files, "/var/lib/apt/lists/x": b"", "/root/.cache/pip/y": b"", "/etc/passwd": b""}
    )
    assert judges.judge_builds({"first": cached}, {"first": GOOD}) == []


def test_a_file_that_moved_is_there() -> None:
    moved = {"/app/motd": b"x", "/usr/bin/jq": b"jq"}
    assert found(first=replace(GOOD, files=moved)) == []
    assert found(first=replace(GOOD, files={**moved, "/app/motd": b"y"}))[0][2] == "gone from the image: /etc/motd"


def test_a_masked_failure_is_silent() -> None:
    assert found(missing=GOOD)[0][:2] == (SILENT, "missing")


def test_a_health_check_without_its_program_is_silent() -> None:
    assert found(first=replace(GOOD, health="wget: not found"))[0][:2] == (SILENT, "first")


def test_what_fails_in_the_original_is_nobodys_fault() -> None:
    failed = {"first": Seen(False, "x")}
    assert judges.judge_builds(failed, failed) == []
    assert not judges.mended(failed, failed)
    assert judges.mended(failed, {"first": GOOD, "edit": GOOD})
    stale = {"first": GOOD, "back": replace(GOOD, arrived=False)}
    assert not judges.mended(failed, stale)
    assert [fault.phase for fault in judges.judge_builds(failed, stale)] == ["back"]


# -- the sequence of builds


class Fake:
    """A builder whose images print what `shows` makes of the context and of the mounts, one text for each space."""

    def __init__(self, shows: Callable[[Fake, str, str], str | None]) -> None:
        self.shows = shows
        self.mounts: dict[str, str] = {}
        self.images: dict[str, str] = {}
        self.log: list[tuple[str, str, int, bool]] = []
        self.layers = 0

    def new_layers(self) -> int:
        self.layers += 1
        return self.layers

    def build(self, text: str, context: Path, space: str, layers: int, *, parent: str = "") -> Built:
        source = context / "main"
        word = source.read_text() if source.exists() else text
        self.log.append((word, space, layers, source.exists() and source.stat().st_mtime == OLD))
        shown = self.shows(self, word, space)
        tag = str(len(self.images))
        self.images[tag] = shown or ""
        return Built(shown is not None, tag, "#7 0.1 FETCH apt jq\nERROR: failed to solve: gone\n")

    def run(self, tag: str, command: Sequence[str] = (), entrypoint: str | None = None) -> Ran:
        return Ran(0, " ".join([self.images[tag], *command]))

    def files(self, tag: str) -> dict[str, bytes]:
        return {"/main": self.images[tag].encode()}

    def config(self, tag: str) -> dict[str, object]:
        return {}

    def empty(self, space: str) -> None:
        self.mounts.pop(space, None)


MOUNTED = "FROM x\nRUN --mount=type=cache,target=/c make\n"
CASE = Case("some", {"main": WORD})


def layered(fake: Fake, word: str, space: str) -> str:
    return word


def stale(fake: Fake, word: str, space: str) -> str:
    """The first build's artifact stays in the cache mount for ever."""
    return fake.mounts.setdefault(space, word)


def eager(fake: Fake, word: str, space: str) -> str | None:
    """A later step reads what an earlier one, whose layer is kept, once wrote into the mount."""
    if space in fake.mounts:
        return word
    if word == FIRST:
        fake.mounts[space] = word
        return word
    return None


def faults(shows: Callable[[Fake, str, str], str | None], case: Case, tmp_path: Path) -> list[tuple[str, str]]:
    original = judges.watch(Fake(layered), case, "FROM x\nRUN make\n", tmp_path / "original", "o")
    result = judges.watch(Fake(shows), case, MOUNTED, tmp_path / "result", "r")
    return [(fault.kind, fault.phase) for fault in judges.judge_builds(original, result)]


def test_the_builds_of_a_file_with_cache_mounts(tmp_path: Path) -> None:
    fake = Fake(layered)
    seen = judges.watch(fake, CASE, MOUNTED, tmp_path / "x", "s")
    assert list(seen) == ["first", "edit", "back", "evicted"]
    assert all(phase.ok and phase.arrived and phase.fetches == 1 for phase in seen.values())
    words, _, layers, old = zip(*fake.log, strict=True)
    assert words == (FIRST, "edits", FIRST, "lates")
    assert layers == (1, 1, 2, 2)  # taken back, all steps run; emptied, the layers are those of before
    assert old == (True, False, True, False)
    assert list(judges.watch(Fake(layered), CASE, "FROM x\nRUN make\n", tmp_path / "y", "s")) == ["first"]


def test_right_builds_have_no_fault(tmp_path: Path) -> None:
    assert faults(layered, CASE, tmp_path) == []


def test_a_stale_mount_is_found(tmp_path: Path) -> None:
    assert faults(stale, CASE, tmp_path) == [(SILENT, "edit")]
    assert faults(stale, replace(CASE, prints=False), tmp_path / "files") == [(SILENT, "edit")]


def test_a_mount_between_steps_is_found(tmp_path: Path) -> None:
    assert faults(eager, CASE, tmp_path) == [(BROKEN, "evicted")]


def test_the_package_that_must_be_there_is_taken_away(tmp_path: Path) -> None:
    texts: list[str] = []

    def shows(fake: Fake, text: str, space: str) -> str | None:
        texts.append(text)
        return None if "missing-a" in text and "|| true" not in text else text

    case = Case("some", must="a", word="b", command=(WORD,))
    strict = judges.watch(Fake(shows), case, "FROM x\nRUN add a\n", tmp_path / "strict", "s")
    masked = judges.watch(Fake(shows), case, "FROM x\nRUN add a && add b || true\n", tmp_path / "masked", "m")
    assert (strict["missing"].ok, masked["missing"].ok) == (False, True)
    assert Fault(SILENT, "missing", "the failure of an install no longer fails the build") in judges.judge_builds(
        strict, masked
    )
    assert texts[1] == "FROM x\nRUN add missing-a\n"


# -- cases, tools


def test_every_case_of_the_corpus_is_built() -> None:
    assert {case.name for case in CASES} == {path.name for path in CORPUS.iterdir() if path.name.startswith("peers-")}


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.name))
def test_a_case_can_be_edited(case: Case) -> None:
    edits = [text for text in (*case.files.values(), *case.child.values()) if WORD in text]
    if case.word:
        assert "another" in case.edited(case.text, "another")
        assert case.edited(case.text, FIRST) == case.text
    assert bool(edits) + bool(case.word) == (not case.parse_only)
    if case.must:
        assert f"missing-{case.must}" in case.without(case.text)
    words = without_syntax(case.text).split()
    bases = {words[at + 1] for at, word in enumerate(words) if word == "FROM"}
    stages = {words[at + 1] for at, word in enumerate(words) if word == "AS"}
    known = {name for names in IMAGES.values() for name in names} | {stage.lower() for stage in stages} | {"scratch"}
    assert case.parse_only or bases <= known


def test_a_tool_for_some_files_gets_those() -> None:
    parts = {part for tool in TOOLS for part in tool.only}
    assert all(sum(part in case.name for case in CASES) == 1 for part in parts)
    assert [Tool("x", "", (), only=only).takes("peers-11-npm") for only in ((), ("-11-",), ("-12-",))] == [
        True,
        True,
        False,
    ]


def test_every_image_is_a_stage_of_the_stand_ins() -> None:
    text = (STAND_INS / "Dockerfile").read_text()
    assert [stage for stage in IMAGES if f" AS {stage}\n" not in text] == []


def test_a_word_is_replaced_where_it_stands_alone() -> None:
    case = Case("x", word="bash")
    assert case.edited('RUN add bash\nSHELL ["/bin/bash"]\nRUN bash-doc bash', "w") == (
        'RUN add w\nSHELL ["/bin/bash"]\nRUN bash-doc w'
    )


def test_a_tool_is_run_in_a_folder_of_its_own(tmp_path: Path) -> None:
    done = rewrite(TOOLS[0], "FROM python:3.12\nRUN pip install --no-cache-dir six\n", tmp_path / "work", tmp_path)
    assert "--mount=type=cache,target=/root/.cache/pip" in done.text
    assert done.milliseconds > 0
    assert not done.trouble


def test_a_tool_that_crashes_or_makes_nothing_is_said_to(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    script = tmp_path / "bin" / "tool"
    script.write_text("#!/bin/sh\necho 'Traceback (most recent call last):\n  x\nValueError: no' >&2\nexit 1\n")
    script.chmod(0o755)
    done = rewrite(Tool("tool", "tool==1", ("tool",)), "FROM x\n", tmp_path / "a", tmp_path)
    assert (done.text, done.trouble) == ("FROM x\n", "ValueError: no")
    script.write_text("#!/bin/sh\n")
    done = rewrite(Tool("tool", "tool==1", ("tool",), "result"), "FROM x\n", tmp_path / "b", tmp_path)
    assert (done.text, done.trouble) == ("FROM x\n", "no result")
