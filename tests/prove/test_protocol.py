"""The protocol: which builds it makes, and what it makes of what they show."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fixer.engine.job import Options, fix_data
from fixer.prove import protocol
from fixer.prove.as_text import headline
from fixer.prove.command import exit_code
from fixer.prove.docker import EngineTrouble
from fixer.prove.model import Cause, Check, Phase, Proof, Side, Step, Verdict
from fixer.prove.plan import VerifyTrouble
from fixer.prove.protocol import Event, verify
from fixer.prove.sources import SourceTrouble
from tests.prove.fake_docker import Fails, FakeDocker, Files, Moment

DOCKERFILE = """\
FROM python:3.12-slim
WORKDIR /srv
COPY requirements.txt .
RUN pip install -r requirements.txt
COPY main.py .
CMD ["python", "main.py"]
"""
PASSED, FAILED, NOT_CHECKED, IMPROVED = Verdict.PASSED, Verdict.FAILED, Verdict.NOT_CHECKED, Verdict.IMPROVED


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Dockerfile that dockfix changes, and its context. Scratch folders go where we can look."""
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "Dockerfile").write_text(DOCKERFILE)
    (folder / "requirements.txt").write_text("flask\n")
    (folder / "main.py").write_text("print('hello')\n")
    return folder


def prove(project: Path, make: Callable[[Moment], Files] | FakeDocker, **options: Any) -> tuple[Proof, FakeDocker]:
    docker = make if isinstance(make, FakeDocker) else FakeDocker(make)
    proof = verify(project / "Dockerfile", project, docker=docker, project="p", **options)  # type: ignore[arg-type]
    assert os.listdir(tempfile.gettempdir()) == []
    return proof, docker


def honest(moment: Moment) -> Files:
    return {"/srv/main.py": moment.read("main.py"), "/lib/flask": b"1"}


def check(proof: Proof, id: str) -> Check:
    (found,) = [check for check in proof.checks if check.id == id]
    return found


def verdicts(proof: Proof) -> dict[str, Verdict]:
    assert len({check.id for check in proof.checks}) == len(proof.checks)
    return {check.id: check.verdict for check in proof.checks}


ALL_PASSED = {
    "builds": PASSED,
    "same-image": PASSED,
    "edit-arrives": PASSED,
    "same-after-edit": PASSED,
    "revert-arrives": PASSED,
    "dependency-builds": PASSED,
    "same-after-dependency": PASSED,
    "emptied-builds": PASSED,
}


# --- what is built -------------------------------------------------------------------------------------------------


def test_proven(project: Path) -> None:
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in project.iterdir()}
    proof, docker = prove(project, honest)
    assert verdicts(proof) == ALL_PASSED
    assert proof.proven
    assert exit_code(proof) == 0
    assert proof.edited == "main.py"
    assert proof.dependency == "requirements.txt"
    assert "main.py is in /srv/main.py of both" in check(proof, "edit-arrives").detail
    assert [change.codemod for change in proof.changes] == ["pip-cache"]
    assert proof.engine == docker.description
    assert {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in project.iterdir()} == before


def test_the_order_of_the_builds(project: Path) -> None:
    proof, docker = prove(project, honest)
    o, f = Side.ORIGINAL, Side.FIXED
    assert [(one.phase, one.side, one.repeat, bool(one.fresh)) for one in docker.requests] == [
        (Phase.FIRST, o, 0, True),
        (Phase.AGAIN, o, 0, True),
        (Phase.FIRST, f, 0, True),
        (Phase.EDIT, o, 0, False),
        (Phase.EDIT, f, 0, False),
        (Phase.REVERT, o, 0, False),
        (Phase.REVERT, f, 0, False),
        (Phase.REVERT, f, 1, False),
        (Phase.DEPENDENCY, o, 0, False),
        (Phase.DEPENDENCY, f, 0, False),
        (Phase.EMPTIED, f, 0, False),
    ]
    assert len({one.space for one in docker.requests}) == 2
    assert all(one.space == one.side.value for one in docker.requests)
    assert docker.emptied == ["fixed"]
    assert [(one.phase, one.side, one.repeat) for one in proof.builds] == [
        (one.phase, one.side, one.repeat) for one in docker.requests
    ]


def test_an_image_that_is_known_is_not_read_again(project: Path) -> None:
    docker = FakeDocker(honest)
    docker.same_ids = True
    proof, _ = prove(project, docker)
    assert verdicts(proof) == ALL_PASSED
    assert [(one.phase, one.side) for one in docker.read] == [
        (Phase.FIRST, Side.ORIGINAL),
        (Phase.AGAIN, Side.ORIGINAL),
        (Phase.FIRST, Side.FIXED),
        (Phase.EDIT, Side.ORIGINAL),
        (Phase.EDIT, Side.FIXED),
        (Phase.EMPTIED, Side.FIXED),
    ]


def test_what_is_built_is_what_dockfix_would_write(project: Path) -> None:
    texts: dict[Side, str] = {}

    def make(moment: Moment) -> Files:
        if moment.request.phase is Phase.FIRST:
            texts[moment.request.side] = moment.text
        return honest(moment)

    proof, _ = prove(project, make)
    result = fix_data(DOCKERFILE.encode(), str(project / "Dockerfile"), Options(), "p")
    assert result.outcome is not None
    assert texts == {Side.ORIGINAL: DOCKERFILE, Side.FIXED: result.outcome.text_after}
    assert result.outcome.changed
    assert proof.diff == result.diff


def test_bytes_are_kept_and_so_is_the_ignore_file(project: Path) -> None:
    (project / "Dockerfile").write_bytes(DOCKERFILE.replace("\n", "\r\n").encode() + b"# \xff\r\n")
    (project / "Dockerfile.dockerignore").write_text("secret\n")
    (project / "secret").write_text("x")
    seen = []

    def make(moment: Moment) -> Files:
        beside = moment.request.dockerfile.with_name("Dockerfile.dockerignore")
        seen.append((moment.request.dockerfile.read_bytes(), beside.read_text(), "secret" in moment.files))
        return honest(moment)

    prove(project, make)
    assert seen[0] == ((project / "Dockerfile").read_bytes(), "secret\n", False)
    assert all(b"# \xff\r\n" in data and b"\r\n" in data for data, _, _ in seen)


def test_build_arguments_and_a_context_elsewhere(project: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (project / "Dockerfile").rename(tmp_path / "elsewhere" / "api.Dockerfile")
    docker = FakeDocker(honest)
    file = tmp_path / "elsewhere" / "api.Dockerfile"
    proof = verify(file, project, docker=docker, build_args=["A=1", "B=2"])  # type: ignore[arg-type]
    assert verdicts(proof) == ALL_PASSED
    assert {one.build_args for one in docker.requests} == {("A=1", "B=2")}
    assert {one.dockerfile.name for one in docker.requests} == {"api.Dockerfile"}
    assert len(docker.contexts) == 1


def test_events(project: Path) -> None:
    events: list[Event] = []
    proof, _ = prove(project, honest, on_event=events.append)
    assert [event.number for event in events] == [n for n in range(1, 12) for _ in range(2)]
    assert {event.total for event in events} == {11}
    assert [event.build for event in events[1::2]] == list(proof.builds)
    assert {event.build for event in events[::2]} == {None}


# --- images --------------------------------------------------------------------------------------------------------


def test_an_unexplained_difference(project: Path) -> None:
    proof, docker = prove(project, lambda moment: honest(moment) | ({"/tmp/left": b""} if moment.fixed else {}))
    assert check(proof, "same-image").verdict is FAILED
    assert "/tmp/left: only after" in check(proof, "same-image").detail
    assert exit_code(proof) == 1
    assert docker.requests[-1].phase is Phase.EMPTIED, "the rest is looked at all the same"
    assert [one.place for one in proof.comparisons[0].by(Cause.UNEXPLAINED)] == ["/tmp/left"]


def test_a_difference_in_the_configuration(project: Path) -> None:
    docker = FakeDocker(honest, lambda build: {"Env": [f"SIDE={build.side.value}"]})
    proof, _ = prove(project, docker)
    assert check(proof, "same-image").verdict is FAILED
    assert "config: Env SIDE" in check(proof, "same-image").detail


def test_what_differs_by_itself_is_noise(project: Path) -> None:
    proof, _ = prove(project, lambda moment: honest(moment) | {"/var/log/x": str(moment.number).encode()})
    assert verdicts(proof) == ALL_PASSED
    assert proof.comparisons[0].by(Cause.NOISE)
    assert check(proof, "same-image").detail.endswith("differences: 1 noise.")


def test_a_difference_that_comes_with_warm_caches(project: Path) -> None:
    """The first images are the same; after the edit they are not."""

    def make(moment: Moment) -> Files:
        warm = moment.fixed and moment.mount.get("warm", False)
        moment.mount["warm"] = True
        return honest(moment) | {"/lib/flask": b"2" if warm else b"1"}

    proof, _ = prove(project, make)
    assert check(proof, "same-image").verdict is PASSED
    assert check(proof, "same-after-edit").verdict is FAILED
    assert "/lib/flask: content" in check(proof, "same-after-edit").detail
    assert exit_code(proof) == 1


def test_a_difference_after_a_dependency_change(project: Path) -> None:
    def make(moment: Moment) -> Files:
        old = moment.fixed and moment.request.phase is Phase.DEPENDENCY
        return honest(moment) | {"/lib/flask": b"old" if old else b"new"}

    proof, _ = prove(project, make)
    assert check(proof, "dependency-builds").verdict is PASSED
    assert check(proof, "same-after-dependency").verdict is FAILED
    assert exit_code(proof) == 1


def test_layers_that_the_engine_did_not_keep(project: Path) -> None:
    """Then the image that is read is another build of the same."""
    docker = FakeDocker(honest)
    docker.reran.append(Step("RUN make", "builder", 2, 0.5, 1.0, False))
    proof, _ = prove(project, docker)
    assert check(proof, "layers-kept").verdict is NOT_CHECKED
    assert "RUN make" in check(proof, "layers-kept").detail


# --- builds that fail ----------------------------------------------------------------------------------------------


def fail(moment: Moment) -> Files:
    raise Fails('Dockerfile:4\n>>> RUN pip\nERROR: "/x": not found')


def test_the_original_does_not_build_and_the_fixed_one_does(project: Path) -> None:
    """Then the fixed one is looked at alone."""
    proof, docker = prove(project, lambda moment: honest(moment) if moment.fixed else fail(moment))
    assert '"/x": not found' in proof.original_fails
    assert verdicts(proof) == {
        "builds": IMPROVED, "edit-arrives": PASSED, "revert-arrives": PASSED, "emptied-builds": PASSED
    }  # fmt: skip
    assert check(proof, "builds").detail == "The original does not build. The fixed one does."
    assert exit_code(proof) == 3
    assert [(one.side, one.phase) for one in docker.requests] == [
        (Side.ORIGINAL, Phase.FIRST),
        (Side.FIXED, Phase.FIRST),
        (Side.FIXED, Phase.EDIT),
        (Side.FIXED, Phase.REVERT),
        (Side.FIXED, Phase.EMPTIED),
    ]


def test_the_original_does_not_build_and_the_fixed_one_is_stale(project: Path) -> None:
    proof, _ = prove(project, lambda moment: {"/bin/main": by_time(moment)} if moment.fixed else fail(moment))
    assert check(proof, "edit-arrives").verdict is PASSED
    assert check(proof, "revert-arrives").verdict is FAILED
    assert "it is still in /bin/main" in check(proof, "revert-arrives").detail
    assert exit_code(proof) == 3
    assert headline(proof) == "Not proven: the original does not build, the fixed one does, but 1 check of it failed."


def test_the_original_does_not_build_and_the_fixed_one_needs_its_mounts(project: Path) -> None:
    proof, _ = prove(project, lambda moment: needs_mount(moment) if moment.fixed else fail(moment))
    assert check(proof, "emptied-builds").verdict is FAILED


def test_the_original_does_not_build_and_a_late_edit_does_not_arrive(project: Path) -> None:
    def make(moment: Moment) -> Files:
        if not moment.fixed:
            raise Fails("no")
        return {"/srv/main.py": b"old"} if moment.request.phase is Phase.EMPTIED else honest(moment)

    assert check(prove(project, make)[0], "emptied-builds").verdict is FAILED


@pytest.mark.parametrize("shown", [True, False])
def test_the_original_does_not_build_and_no_edit_shows(project: Path, shown: bool) -> None:
    def make(moment: Moment) -> Files:
        if not moment.fixed or (shown and moment.request.phase is Phase.EDIT):
            raise Fails("no")
        return {"/x": b""}

    proof, _ = prove(project, make)
    assert verdicts(proof) == {"builds": IMPROVED, "edit-arrives": NOT_CHECKED}
    assert check(proof, "edit-arrives").detail == f"main.py: {'no' if shown else 'the image does not show it'}"


def test_neither_builds(project: Path) -> None:
    proof, docker = prove(project, fail)
    assert verdicts(proof) == {"builds": NOT_CHECKED}
    assert exit_code(proof) == 3
    assert len(docker.requests) == 2


def test_the_original_builds_once_only(project: Path) -> None:
    proof, _ = prove(project, lambda moment: fail(moment) if moment.number == 2 else honest(moment))
    assert exit_code(proof) == 3
    assert "It did so once, and not the second time." in check(proof, "builds").detail


def test_the_fixed_one_does_not_build(project: Path) -> None:
    proof, docker = prove(project, lambda moment: fail(moment) if moment.fixed else honest(moment))
    assert verdicts(proof) == {"builds": FAILED}
    assert '"/x": not found' in check(proof, "builds").detail
    assert exit_code(proof) == 1
    assert len(docker.requests) == 3


def test_the_fixed_one_does_not_build_after_the_edit(project: Path) -> None:
    def make(moment: Moment) -> Files:
        return fail(moment) if moment.fixed and moment.request.phase is Phase.EDIT else honest(moment)

    proof, _ = prove(project, make)
    assert check(proof, "edit-arrives").verdict is FAILED
    assert check(proof, "revert-arrives").verdict is NOT_CHECKED
    assert exit_code(proof) == 1


# --- stale images --------------------------------------------------------------------------------------------------


def kept(moment: Moment, key: str) -> Files:
    """Once made, never made again: as a COPY that finds an old artifact in a layer, or a tool that trusts a cache."""
    store = moment.layers if key == "layer" else moment.mount
    return store.setdefault("image", honest(moment))


def test_stale_after_the_edit(project: Path) -> None:
    proof, _ = prove(project, lambda moment: kept(moment, "mount") if moment.fixed else honest(moment))
    assert check(proof, "same-image").verdict is PASSED, "this is what equality of cold builds does not show"
    found = check(proof, "edit-arrives")
    assert found.verdict is FAILED
    assert "The fixed image is stale" in found.detail
    assert "/srv/main.py" in found.detail
    assert "same-after-edit" not in verdicts(proof)
    assert exit_code(proof) == 1


def test_the_original_is_stale_and_the_fixed_one_is_not(project: Path) -> None:
    proof, _ = prove(project, lambda moment: honest(moment) if moment.fixed else kept(moment, "mount"))
    assert verdicts(proof) == {id: v for id, v in ALL_PASSED.items() if id != "same-after-edit"} | {
        "edit-arrives": IMPROVED
    }
    assert "The original's image is stale" in check(proof, "edit-arrives").detail
    assert exit_code(proof) == 0


def test_the_artifact_is_stale_and_the_source_beside_it_is_not(project: Path) -> None:
    """In an image that holds the sources too, the edit is always somewhere."""

    def make(moment: Moment) -> Files:
        program = b"program of " + moment.read("main.py")
        if moment.fixed:
            program = moment.mount.setdefault("program", program)
        return {"/srv/main.py": moment.read("main.py"), "/srv/main": program}

    found = check(prove(project, make)[0], "edit-arrives")
    assert found.verdict is FAILED
    assert "is in /srv/main of the original's image, and not of the fixed one's; it is in /srv/main.py" in found.detail


def test_a_named_path_may_be_gone_but_not_stale(project: Path) -> None:
    """pip's cache is not in the fixed image, whatever stood in it."""

    def make(stale: bool) -> Callable[[Moment], Files]:
        def made(moment: Moment) -> Files:
            cache = {"/root/.cache/pip/main.py": moment.read("main.py")}
            if moment.fixed:
                cache = moment.layers.setdefault("cache", cache) if stale else {}
            return honest(moment) | cache

        return made

    assert check(prove(project, make(stale=False))[0], "edit-arrives").verdict is PASSED
    found = check(prove(project, make(stale=True))[0], "edit-arrives")
    assert found.verdict is FAILED
    assert "/root/.cache/pip/main.py" in found.detail


def test_where_the_edit_is(project: Path) -> None:
    def make(moment: Moment) -> Files:
        return honest(moment) | ({"/root/.cache/pip/x": moment.read("main.py")} if moment.fixed else {})

    found = check(prove(project, make)[0], "edit-arrives")
    assert found.verdict is PASSED
    assert found.detail == (
        "What was written into main.py is in /srv/main.py of both, and in /root/.cache/pip/x, which the original's "
        "image does not have."
    )


def test_an_edit_in_nothing_but_what_is_gone(project: Path) -> None:
    """pip's cache of the original is no place to see it in."""

    def make(moment: Moment) -> Files:
        return {"/x": b""} | ({} if moment.fixed else {"/root/.cache/pip/x": moment.read("main.py")})

    assert check(prove(project, make)[0], "edit-arrives").verdict is NOT_CHECKED


def by_time(moment: Moment) -> bytes:
    """A compiler that goes by the time of its source, with a cache mount, behind a COPY whose layer has the time of the
    first build with that content."""
    source = moment.read("main.py")
    time = moment.layers.setdefault(source, moment.number)
    first = (source, moment.rerun)
    if first in moment.layers:  # nothing has to run
        return bytes(moment.layers[first])
    if time > moment.mount.get("time", 0):
        moment.mount.update(time=time, program=b"program of " + source)
    return bytes(moment.layers.setdefault(first, moment.mount["program"]))


def test_stale_after_the_revert(project: Path) -> None:
    """It takes a step that runs again: the layers of the first builds are right."""

    def make(moment: Moment) -> Files:
        return {"/bin/main": by_time(moment) if moment.fixed else b"program of " + moment.read("main.py")}

    proof, docker = prove(project, make)
    assert check(proof, "edit-arrives").verdict is PASSED
    found = check(proof, "revert-arrives")
    assert found.verdict is FAILED
    assert found.detail.startswith("The fixed image is stale: with the edit taken back and the changed steps run again")
    assert exit_code(proof) == 1
    assert [one.side for one in docker.requests if one.phase is Phase.REVERT].count(Side.ORIGINAL) == 2


def test_stale_after_the_revert_before_and_after(project: Path) -> None:
    """The changes do not mend it, and did not make it."""
    proof, _ = prove(project, lambda moment: {"/bin/main": by_time(moment)})
    found = check(proof, "revert-arrives")
    assert found.verdict is NOT_CHECKED
    assert "the original is stale, and the changes do not mend that" in found.detail
    assert exit_code(proof) == 0


def test_the_original_is_stale_after_the_revert(project: Path) -> None:
    mounted = DOCKERFILE.replace("RUN pip", "RUN --mount=type=cache,target=/x true\nRUN pip")
    (project / "Dockerfile").write_text(mounted)

    def make(moment: Moment) -> Files:
        return {"/bin/main": b"program of " + moment.read("main.py") if moment.fixed else by_time(moment)}

    proof, _ = prove(project, make)
    assert check(proof, "revert-arrives").verdict is IMPROVED
    assert exit_code(proof) == 0


def test_not_as_at_first_after_the_revert(project: Path) -> None:
    def make(moment: Moment) -> Files:
        extra = {"/lib/new": b""} if moment.fixed and moment.request.phase is Phase.REVERT and moment.rerun else {}
        return honest(moment) | extra

    found = check(prove(project, make)[0], "revert-arrives")
    assert found.verdict is FAILED
    assert "/lib/new: only after" in found.detail


def test_not_as_at_first_after_the_revert_on_either_side(project: Path) -> None:
    """A step that gives something else when it runs a second time does so without us."""

    def make(moment: Moment) -> Files:
        return honest(moment) | ({"/lib/new": b""} if moment.rerun else {})

    assert check(prove(project, make)[0], "revert-arrives").verdict is PASSED


# --- edits that do not show ----------------------------------------------------------------------------------------


def packed(source: bytes) -> bytes:
    return hashlib.sha256(source).digest()


def test_an_edit_that_cannot_be_read_but_changes_the_same_files(project: Path) -> None:
    proof, _ = prove(project, lambda moment: {"/srv/main.zip": packed(moment.read("main.py")), "/x": b""})
    assert check(proof, "edit-arrives").verdict is PASSED
    assert "/srv/main.zip changed in both" in check(proof, "edit-arrives").detail


def test_an_edit_that_cannot_be_read_and_is_not_there(project: Path) -> None:
    def make(moment: Moment) -> Files:
        content = packed(moment.read("main.py"))
        return {"/srv/main.zip": moment.mount.setdefault("zip", content) if moment.fixed else content}

    proof, _ = prove(project, make)
    assert check(proof, "edit-arrives").verdict is FAILED
    detail = check(proof, "edit-arrives").detail
    assert "changed /srv/main.zip in the original's image, and not in the fixed one's" in detail
    assert exit_code(proof) == 1


def test_the_next_file_is_tried(project: Path) -> None:
    (project / "Dockerfile").write_text(DOCKERFILE.replace("COPY main.py", "COPY main.py other.py"))
    (project / "other.py").write_text("x = 1\n")
    proof, docker = prove(project, lambda moment: {"/srv/other.py": moment.read("other.py")})
    assert proof.edited == "other.py"
    assert check(proof, "edit-arrives").verdict is PASSED
    assert [one.phase for one in docker.requests].count(Phase.EDIT) == 4
    assert [one.phase for one in proof.builds].count(Phase.EDIT) == 2, "what is shown is what was looked at"


def test_an_edit_that_breaks_the_original_is_not_ours_to_judge(project: Path) -> None:
    (project / "Dockerfile").write_text(DOCKERFILE.replace("COPY main.py", "COPY main.py other.py"))
    (project / "other.py").write_text("x = 1\n")

    def make(moment: Moment) -> Files:
        if b"dockfix" in moment.read("main.py"):
            raise Fails("a linter says no")
        return {"/srv/other.py": moment.read("other.py")}

    proof, _ = prove(project, make)
    assert proof.edited == "other.py"
    assert proof.proven


def test_no_edit_shows(project: Path) -> None:
    proof, _ = prove(project, lambda moment: {"/x": b"always the same"})
    assert check(proof, "edit-arrives").verdict is NOT_CHECKED
    assert "main.py" in check(proof, "edit-arrives").detail
    assert check(proof, "revert-arrives").verdict is NOT_CHECKED
    assert check(proof, "emptied-builds").verdict is PASSED
    assert exit_code(proof) == 0
    assert [times.phase for times in proof.times] == [Phase.FIRST, Phase.EDIT, Phase.DEPENDENCY], "it took its time"


def test_no_file_to_edit(project: Path) -> None:
    (project / "Dockerfile").write_text("FROM python:3.12-slim\nRUN pip install flask\n")
    proof, docker = prove(project, lambda moment: {"/x": b""})
    assert check(proof, "edit-arrives").verdict is NOT_CHECKED
    assert proof.edited == ""
    assert proof.dependency == "the changed steps run again"
    assert [one.phase for one in docker.requests].count(Phase.EDIT) == 0
    texts = [one.dockerfile for one in docker.requests if one.phase is Phase.DEPENDENCY]
    assert len(set(texts)) == 2
    assert exit_code(proof) == 0


def test_touch(project: Path) -> None:
    (project / "Dockerfile").write_text(DOCKERFILE.replace("COPY main.py", "COPY main.py other.py"))
    (project / "other.py").write_text("x = 1\n")
    names = ("main.py", "other.py")
    proof, _ = prove(project, lambda moment: {f"/{name}": moment.read(name) for name in names}, touch="other.py")
    assert proof.edited == "other.py"
    with pytest.raises(SourceTrouble, match=r"missing\.py"):
        verify(project / "Dockerfile", project, docker=FakeDocker(honest), touch="missing.py")  # type: ignore[arg-type]
    assert os.listdir(tempfile.gettempdir()) == []


# --- dependencies and emptied mounts -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sides", "verdict", "code"),
    [({Side.FIXED}, FAILED, 1), ({Side.ORIGINAL, Side.FIXED}, NOT_CHECKED, 0), ({Side.ORIGINAL}, IMPROVED, 0)],
)
def test_a_dependency_change_that_does_not_build(project: Path, sides: set[Side], verdict: Verdict, code: int) -> None:
    def make(moment: Moment) -> Files:
        bad = moment.request.phase is Phase.DEPENDENCY and moment.request.side in sides
        return fail(moment) if bad else honest(moment)

    proof, _ = prove(project, make)
    assert check(proof, "dependency-builds").verdict is verdict
    assert exit_code(proof) == code


def test_the_manifest_is_as_it_was_after_the_dependency_change(project: Path) -> None:
    seen: dict[Phase, set[bytes]] = {}

    def make(moment: Moment) -> Files:
        seen.setdefault(moment.request.phase, set()).add(moment.read("requirements.txt"))
        return honest(moment)

    prove(project, make, rebuild=2)
    assert seen[Phase.EMPTIED] == seen[Phase.FIRST] == {b"flask\n"}
    assert len(seen[Phase.DEPENDENCY]) == 2
    assert all(text.startswith(b"flask\n#") for text in seen[Phase.DEPENDENCY])


def needs_mount(moment: Moment) -> Files:
    """A late step that uses what an earlier one left in the mount."""
    if moment.request.fresh:
        moment.mount["lists"] = True
    if "lists" not in moment.mount:
        raise Fails("Unable to locate package")
    return honest(moment)


def test_emptied_mounts_break_the_fixed_one_only(project: Path) -> None:
    proof, docker = prove(project, lambda moment: needs_mount(moment) if moment.fixed else honest(moment))
    found = check(proof, "emptied-builds")
    assert found.verdict is FAILED
    assert found.detail == "The original does, the fixed one does not: Unable to locate package"
    assert exit_code(proof) == 1
    assert docker.emptied == ["fixed", "original"]


def test_emptied_mounts_break_both(project: Path) -> None:
    proof, _ = prove(project, needs_mount)
    found = check(proof, "emptied-builds")
    assert found.verdict is NOT_CHECKED
    assert "no regression" in found.detail
    assert exit_code(proof) == 0


def test_emptied_mounts_break_the_original_only(project: Path) -> None:
    """The original is built only if it has mounts that could be empty."""
    mounted = DOCKERFILE.replace("RUN pip", "RUN --mount=type=cache,target=/x true\nRUN pip")
    (project / "Dockerfile").write_text(mounted)
    proof, docker = prove(project, lambda moment: honest(moment) if moment.fixed else needs_mount(moment))
    found = check(proof, "emptied-builds")
    assert found.verdict is IMPROVED
    assert found.detail.endswith("The original does not: Unable to locate package")
    assert exit_code(proof) == 0
    assert docker.emptied == ["fixed", "original"]


def test_the_last_step_with_a_mount_runs_on_the_emptied_mounts(project: Path) -> None:
    (project / "Dockerfile").write_text(
        "FROM python:3.12-slim\nRUN pip install flask\nRUN pip install attrs\nCOPY main.py .\nCMD python main.py\n"
    )
    texts = {}

    def make(moment: Moment) -> Files:
        texts[moment.request.phase, moment.request.side] = moment.text
        return honest(moment)

    prove(project, make)
    late = texts[Phase.EMPTIED, Side.FIXED].splitlines()
    at = late.index("ARG DOCKFIX_VERIFY=late")
    assert "flask" in "".join(late[:at])
    assert "attrs" not in "".join(late[:at])
    assert late[at + 1].startswith("RUN --mount=type=cache")


def test_an_edit_after_the_mounts_were_emptied_does_not_arrive(project: Path) -> None:
    def make(moment: Moment) -> Files:
        if moment.fixed and moment.request.phase is Phase.EMPTIED:
            return {"/srv/main.py": b"something old"}
        return honest(moment)

    proof, _ = prove(project, make)
    assert check(proof, "emptied-builds").verdict is FAILED


# --- stages --------------------------------------------------------------------------------------------------------

STAGES = """\
FROM python:3.12-slim AS base
WORKDIR /srv
COPY main.py .

FROM base AS tests
RUN pip install pytest

FROM base AS docs
RUN pip install sphinx

FROM base
CMD ["python", "main.py"]
"""


def test_changes_that_the_last_stage_is_made_without(project: Path) -> None:
    (project / "Dockerfile").write_text(STAGES)
    docker = FakeDocker(honest)
    with pytest.raises(VerifyTrouble, match=r"\(line 6, 9\).*--target tests --target docs"):
        verify(project / "Dockerfile", project, docker=docker)  # type: ignore[arg-type]
    assert docker.requests == []


def test_targets(project: Path) -> None:
    (project / "Dockerfile").write_text(STAGES)
    proof, docker = prove(project, honest, targets=["TESTS", "3"])
    assert proof.targets == ("TESTS", ""), "what changes is built first"
    first = [one for one in docker.requests if one.phase is Phase.FIRST and one.side is Side.FIXED]
    assert [(one.target, one.fresh) for one in first] == [("TESTS", True), ("", True)]
    assert check(proof, "changes-built").verdict is NOT_CHECKED
    assert "line 9: pip-cache" in check(proof, "changes-built").detail
    assert check(proof, "edit-arrives:TESTS").verdict is PASSED
    assert check(proof, "edit-arrives").verdict is PASSED
    assert proof.proven


def test_a_stage_is_built_once_in_a_round(project: Path) -> None:
    """The filter of BuildKit knows names only: a stage without one has to be built with all it needs."""
    (project / "Dockerfile").write_text(STAGES.replace("FROM base\n", "FROM base AS final\n"))
    _, docker = prove(project, honest, targets=["tests", "docs"])
    first = [one for one in docker.requests if one.phase is Phase.FIRST and one.side is Side.FIXED]
    assert [(one.target, one.fresh) for one in first] == [("tests", True), ("docs", ("docs",)), ("", ("final",))]


def test_a_target_that_is_not_there(project: Path) -> None:
    with pytest.raises(VerifyTrouble, match=r"There is no stage 'nope'; there are: 0\."):
        prove(project, honest, targets=["nope"])


def test_a_stage_is_built_by_its_name(project: Path) -> None:
    """BuildKit 0.25: `target stage "0" could not be found`."""
    build = DOCKERFILE.replace("slim\n", "slim AS First\n")
    (project / "Dockerfile").write_text(build + DOCKERFILE.replace("slim\n", "slim AS same\n") + DOCKERFILE)
    proof, docker = prove(project, honest, targets=["0", "first"])
    assert proof.targets == ("", "first")
    assert {one.target for one in docker.requests} == {"first", ""}
    for names in ("", " AS last"), (" AS a", " AS a"):
        text = "".join(DOCKERFILE.replace("slim\n", f"slim{name}\n") for name in (*names, ""))
        (project / "Dockerfile").write_text(text)
        with pytest.raises(VerifyTrouble, match="Stage 0 has no name of its own"):
            prove(project, honest, targets=["0"])


def test_changes_in_a_stage_without_a_name(project: Path) -> None:
    (project / "Dockerfile").write_text(DOCKERFILE + "FROM scratch\nCOPY main.py /\n")
    with pytest.raises(VerifyTrouble, match="That stage has no name, so nobody can build it"):
        prove(project, honest)


def test_one_target_is_stale(project: Path) -> None:
    (project / "Dockerfile").write_text(STAGES)

    def make(moment: Moment) -> Files:
        stale = moment.fixed and moment.request.target == "tests"
        return moment.layers.setdefault("tests", honest(moment)) if stale else honest(moment)

    proof, _ = prove(project, make, targets=["tests"])
    assert check(proof, "edit-arrives:tests").verdict is FAILED
    assert check(proof, "edit-arrives").verdict is PASSED


# --- the rest ------------------------------------------------------------------------------------------------------


def test_nothing_to_change(project: Path) -> None:
    (project / "Dockerfile").write_text("FROM scratch\nCOPY main.py /\n")
    proof, docker = prove(project, honest)
    assert docker.requests == []
    assert proof.diff == ""
    assert proof.checks == ()
    assert exit_code(proof) == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [("# nothing\n", "no FROM"), ("\0", "binary"), (None, "no such file")],
    ids=["bad", "nul", "none"],
)
def test_a_file_that_is_no_dockerfile(project: Path, text: str | None, words: str) -> None:
    (project / "Dockerfile").unlink()
    if text is not None:
        (project / "Dockerfile").write_text(text)
    with pytest.raises(VerifyTrouble, match=words):
        prove(project, honest)


def test_repeated_rebuilds_take_turns(project: Path) -> None:
    markers: list[bytes] = []

    def make(moment: Moment) -> Files:
        if moment.request.phase is Phase.EDIT:
            markers.append(moment.read("main.py"))
        return honest(moment)

    proof, docker = prove(project, make, rebuild=3)
    assert [one.side.value[0] for one in docker.requests if one.phase is Phase.EDIT] == ["o", "f", "f", "o", "o", "f"]
    assert len(set(markers)) == 3
    (edit,) = [times for times in proof.times if times.phase is Phase.EDIT]
    assert len(edit.before) == len(edit.after) == len(edit.run_before) == len(edit.run_after) == 3
    assert edit.what == "rebuild after an edit of main.py"


def test_a_repeated_rebuild_that_fails(project: Path) -> None:
    def make(moment: Moment) -> Files:
        return fail(moment) if moment.fixed and moment.request.repeat == 1 and not moment.rerun else honest(moment)

    proof, _ = prove(project, make, rebuild=2)
    assert check(proof, "edit-arrives").verdict is FAILED


@pytest.mark.parametrize("at", range(1, 12))
def test_the_engine_goes_away(project: Path, at: int) -> None:
    def make(moment: Moment) -> Files:
        if moment.number == at:
            raise EngineTrouble("gone", "The Docker engine ended.")
        return honest(moment)

    proof, _ = prove(project, make)
    assert proof.broke_off == "The Docker engine ended."
    assert not proof.proven
    assert len(proof.builds) == at - 1
    assert exit_code(proof) == 4


@pytest.mark.parametrize("at", range(1, 12))
def test_interruption(project: Path, at: int) -> None:
    def make(moment: Moment) -> Files:
        if moment.number == at:
            raise KeyboardInterrupt
        return honest(moment)

    with pytest.raises(KeyboardInterrupt):
        prove(project, make)
    assert os.listdir(tempfile.gettempdir()) == []


# --- faults that hide ----------------------------------------------------------------------------------------------


def stamp(moment: Moment) -> bytes:
    """What no two builds have in common."""
    return hashlib.sha256(b"%d" % moment.number).digest()


@pytest.mark.parametrize("name", ["main", "main-%s.js"])
def test_a_stale_file_whose_content_or_name_varies(project: Path, name: str) -> None:
    """Noise is what such a file may differ in; the edit has to be in it all the same."""

    def make(stale: bool) -> Callable[[Moment], Files]:
        def made(moment: Moment) -> Files:
            source = moment.read("main.py")
            if moment.fixed and stale:
                source = moment.mount.setdefault("source", source)
            if "%s" in name:
                return {f"/srv/{name % stamp(moment).hex()}": source}
            return {f"/srv/{name}": source + stamp(moment)}

        return made

    proof, _ = prove(project, make(stale=False))
    assert verdicts(proof) == ALL_PASSED
    assert " of both" in check(proof, "edit-arrives").detail
    found = check(prove(project, make(stale=True))[0], "edit-arrives")
    assert found.verdict is FAILED
    assert "The fixed image is stale" in found.detail


def test_stale_after_the_revert_in_a_file_whose_content_varies(project: Path) -> None:
    def make(moment: Moment) -> Files:
        program = by_time(moment) if moment.fixed else b"program of " + moment.read("main.py")
        return {"/bin/main": program + stamp(moment)}

    found = check(prove(project, make)[0], "revert-arrives")
    assert found.verdict is FAILED
    assert "it is still in /bin/main" in found.detail


def test_a_program_without_the_edit_beside_its_source_with_it_when_the_mounts_are_empty(project: Path) -> None:
    def make(moment: Moment) -> Files:
        source = moment.read("main.py")
        late = moment.fixed and moment.request.phase is Phase.EMPTIED
        return {"/srv/main.py": source, "/srv/main": b"old program" if late else b"program of " + source}

    found = check(prove(project, make)[0], "emptied-builds")
    assert found.verdict is FAILED
    assert found.detail == "It does, but the edit of main.py is not in /srv/main of that image."


@pytest.mark.parametrize("shown", [True, False])
def test_what_is_missing_when_the_mounts_are_empty(project: Path, shown: bool) -> None:
    """With an edit that shows, and without one."""

    def make(moment: Moment) -> Files:
        late = moment.fixed and moment.request.phase is Phase.EMPTIED
        return (honest(moment) if shown else {}) | ({} if late else {"/lib/found": b"1"})

    proof, _ = prove(project, make)
    found = check(proof, "emptied-builds")
    assert found.verdict is FAILED
    assert "the image is not as with full ones" in found.detail
    assert "/lib/found: only before" in found.detail
    assert proof.comparisons[-1].phase is Phase.EMPTIED


def test_each_step_that_may_rest_on_an_earlier_ones_mount_runs_alone(project: Path) -> None:
    """The second needs what the first left in the mount; the third would run with what the second left there."""
    steps = "".join(f"RUN pip install {name}\n" for name in ("flask", "attrs", "six"))
    (project / "Dockerfile").write_text(f"FROM python:3.12-slim\n{steps}COPY main.py .\nCMD python main.py\n")
    late = []

    def make(moment: Moment) -> Files:
        if moment.request.phase is Phase.EMPTIED and moment.fixed:
            before, _, after = moment.text.partition("ARG DOCKFIX_VERIFY=late")
            late.append([name for name in ("flask", "attrs", "six") if name in after])
            if "flask" in before and "attrs" in after:
                raise Fails("no flask in the mount")
        return honest(moment)

    proof, docker = prove(project, make)
    assert check(proof, "emptied-builds").verdict is FAILED
    assert late == [["six"], ["attrs", "six"]]
    assert docker.emptied == ["fixed", "fixed", "original"]


def test_the_sources_are_those_of_the_edit_when_the_mounts_are_empty(project: Path) -> None:
    """With other ones the steps before the last one would run too, and fill the mount again."""
    seen: dict[Phase, set[bytes]] = {}

    def make(moment: Moment) -> Files:
        if moment.fixed:
            seen.setdefault(moment.request.phase, set()).add(moment.read("main.py"))
        return honest(moment)

    prove(project, make)
    assert seen[Phase.EMPTIED] == seen[Phase.EDIT]
    seen.clear()
    assert prove(project, make, rebuild=3)[0].proven
    assert seen[Phase.EMPTIED] < seen[Phase.EDIT]


# --- differences that are not the fix's ----------------------------------------------------------------------------


def test_what_varies_only_from_time_to_time(project: Path) -> None:
    """The minute of the build: two of them may have the same."""
    events: list[Event] = []
    make = FakeDocker(lambda moment: honest(moment) | {"/minute": b"%d" % (moment.number // 3)})
    proof, docker = prove(project, make, on_event=events.append)
    assert [events[at].total for at in (0, 8, -1)] == [11, 12, 12]
    assert events[-1].number == 12
    assert verdicts(proof) == ALL_PASSED
    assert [(one.side, one.phase, one.repeat) for one in docker.requests[:4]] == [
        (Side.ORIGINAL, Phase.FIRST, 0),
        (Side.ORIGINAL, Phase.AGAIN, 0),
        (Side.FIXED, Phase.FIRST, 0),
        (Side.ORIGINAL, Phase.AGAIN, 1),
    ]
    (found,) = proof.comparisons[0].differences
    assert (found.place, found.cause) == ("/minute", Cause.NOISE)


def test_what_varies_between_the_builds_after_the_edit(project: Path) -> None:
    def make(moment: Moment) -> Files:
        return honest(moment) | {"/hour": b"12" if moment.number < 5 else b"13"}

    proof, docker = prove(project, make)
    assert check(proof, "same-image").verdict is PASSED
    assert check(proof, "same-after-edit").verdict is PASSED
    assert docker.requests[5].phase is Phase.AGAIN
    assert docker.requests[5].fresh


@pytest.mark.parametrize("manifest", [True, False])
def test_the_original_is_stale_when_the_changed_steps_run_again(project: Path, manifest: bool) -> None:
    """What it makes then is not what the fixed one makes, and that is no fault of the fix."""
    if not manifest:
        (project / "requirements.txt").unlink()
        (project / "Dockerfile").write_text("FROM python:3.12-slim\nRUN pip install flask\nCOPY main.py .\n")

    def make(moment: Moment) -> Files:
        source = b"program of " + moment.read("main.py")
        if moment.fixed or moment.request.phase in (Phase.FIRST, Phase.AGAIN, Phase.EDIT, Phase.REVERT):
            return {"/bin/main": source}
        return {"/bin/main": b"the program of the edit"}

    proof, docker = prove(project, make)
    assert check(proof, "same-after-dependency").verdict is PASSED
    assert any(one.phase is Phase.AGAIN and one.repeat for one in docker.requests)
    assert proof.proven


@pytest.mark.parametrize("phase", [Phase.EDIT, Phase.EMPTIED])
def test_what_varies_in_a_file_that_only_the_edit_makes(project: Path, phase: Phase) -> None:
    """A name with a hash of the source, and a time in the content: nothing was learned of that path."""

    def make(moment: Moment) -> Files:
        name = hashlib.sha256(moment.read("main.py")).hexdigest()[:8]
        varies = moment.request.phase in (phase, Phase.AGAIN)
        return honest(moment) | {f"/js/{name}.gz": stamp(moment) if varies and moment.number > 3 else b"same"}

    assert prove(project, make)[0].proven


def test_what_the_mounts_of_the_original_do_as_well(project: Path) -> None:
    """A counter in a mount of the original's own."""

    def make(moment: Moment) -> Files:
        late = moment.request.phase is Phase.EMPTIED
        return honest(moment) | {"/count": b"1" if late or moment.request.fresh else b"2"}

    proof, _ = prove(project, make)
    assert check(proof, "emptied-builds").verdict is PASSED
    assert proof.proven


def test_a_difference_that_was_found_costs_no_more_builds(project: Path) -> None:
    proof, docker = prove(project, lambda moment: honest(moment) | ({"/left": b""} if moment.fixed else {}))
    assert check(proof, "same-after-dependency").verdict is FAILED
    assert [one.repeat for one in docker.requests if one.phase is Phase.AGAIN] == [0, 1, 2]


def test_a_fault_is_none_of_what_varies_from_time_to_time(project: Path) -> None:
    """Below a directory that only the third build of the original has as well."""

    def make(moment: Moment) -> Files:
        there = moment.fixed or moment.number > 3
        return honest(moment) | ({"/opt/x/known": b""} if there else {}) | ({"/opt/x/new": b""} if moment.fixed else {})

    found = check(prove(project, make)[0], "same-image")
    assert found.verdict is FAILED
    assert "/opt/x" in found.detail


def test_a_chain_of_stages_that_is_too_much_for_codemods() -> None:
    """Whoever waits for builds has the time."""
    mount = "RUN --mount=type=cache,target=/c true"
    stages = "".join(f"FROM s{n - 1} AS s{n}\n{mount}\n" for n in range(1, 1000))
    assert protocol._late_texts(f"FROM a AS s0\n{mount}\n{stages}")
