"""The map of cache-dance, seen by others; what the corpus does not show."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from fixer.analysis import analyse
from fixer.analysis.documents import Neighbour
from fixer.dev import Case, cases
from fixer.engine.kinds import WORKFLOW
from fixer.engine.outcome import Outcome
from fixer.engine.run import fix
from fixer.tree.parse import parse
from tests.workflows import added, load, schema_faults

CHANGING = [case for case in cases() if case.folder.parent.name == "cache-dance" and case.after is not None]
TEXT = """\
on: push
jobs:
  image:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: docker/setup-buildx-action@v3
      - uses: docker/build-push-action@v6
"""


def run(dockerfile: str, text: str = TEXT) -> Outcome[str]:
    facts = analyse(parse(dockerfile))
    around = [Neighbour("Dockerfile", lambda: facts)]
    return fix(text, kind=WORKFLOW, select=["cache-dance"], unsafe_fixes=True, dockerfiles=around, workflows=[])


def cache_map(text: str) -> dict[str, object]:
    steps = [step for job in load(text)["jobs"].values() for step in job["steps"]]
    (dance,) = [step for step in steps if "cache-dance" in step.get("uses", "")]
    found: dict[str, object] = json.loads(dance["with"]["cache-map"])
    return found


@pytest.mark.parametrize("case", CHANGING, ids=lambda case: str(case.id))
def test_the_data_is_the_same_but_for_the_steps(case: Case) -> None:
    assert case.after is not None
    new = added(case.before, case.after)
    assert [one.partition("@")[0] for one in new if one != "id"] == [
        "actions/cache", "reproducible-containers/buildkit-cache-dance"
    ]  # fmt: skip
    assert all(place.startswith("${{ runner.temp }}/") for place in cache_map(case.after.decode()))


def test_workflows_are_valid(tmp_path: Path) -> None:
    paths = []
    for case in CHANGING:
        path = tmp_path / case.folder.name / "ci.yml"
        path.parent.mkdir()
        path.write_bytes(case.after or b"")
        paths.append(path)
    assert schema_faults(paths) == ""


@pytest.mark.parametrize(
    ("mount", "value"),
    [
        ("target=/c", "/c"),
        ("target=/c/,sharing=locked", "/c"),
        ("id=x,target=/c", {"target": "/c", "id": "x"}),
        ("id=/c/,target=/c", {"target": "/c", "id": "/c/"}),
        ("target=c", {"target": "/w/c", "id": "c"}),
        ("target=/c,uid=5", {"target": "/c", "uid": 5, "gid": 0}),
        ("target=/c,gid=5", {"target": "/c", "uid": 0, "gid": 5}),
        ("target=/c,uid=5,gid=6,mode=0700", {"target": "/c", "uid": 5, "gid": 6, "mode": "0700"}),
    ],
)
def test_a_cache_is_named_as_buildkit_names_it(mount: str, value: object) -> None:
    outcome = run(f"FROM debian\nWORKDIR /w\nRUN --mount=type=cache,{mount} make\n")
    assert list(cache_map(outcome.text_after).values()) == [value]


def test_one_cache_by_two_paths_is_carried_once() -> None:
    runs = [f"RUN --mount=type=cache,id=x,target={target} make\n" for target in ("/a", "/b")]
    outcome = run("FROM debian\n" + "".join(runs))
    assert list(cache_map(outcome.text_after).values()) == [{"target": "/a", "id": "x"}]


def test_caches_that_differ_by_their_owner_have_places_of_their_own() -> None:
    outcome = run("FROM debian\nRUN --mount=type=cache,target=/a make\nRUN --mount=type=cache,target=/a,uid=5 make\n")
    assert len(cache_map(outcome.text_after)) == 2


def test_caches_whose_names_would_be_the_same_have_places_of_their_own() -> None:
    outcome = run("FROM debian\nRUN --mount=type=cache,target=/a make\nRUN --mount=type=cache,id=a,target=/a make\n")
    assert list(cache_map(outcome.text_after).values()) == ["/a", {"target": "/a", "id": "a"}]


def test_ids_that_are_taken_are_not_used() -> None:
    own = "".join(f"      - id: {name}\n        run: echo\n" for name in ("buildx", "cache-mounts"))
    text = TEXT.replace("    steps:\n", f"    steps:\n{own}")
    after = run("FROM debian\nRUN --mount=type=cache,target=/a make\n", text).text_after
    assert re.findall(r"id: (\S+)", after) == ["buildx", "cache-mounts", "buildx-2", "cache-mounts-2"]
    assert "steps.buildx-2.outputs.name" in after
    assert "steps.cache-mounts-2.outputs.cache-hit" in after


STAGES = """\
FROM debian AS tools
RUN --mount=type=cache,target=/tools make
FROM debian AS test
RUN --mount=type=cache,target=/test make
FROM debian
RUN --mount=type=cache,target=/last --mount=from=tools,target=/t make
"""


@pytest.mark.parametrize(
    ("inputs", "targets"),
    [
        ("target: test", ["/test"]),
        ("target: TOOLS", ["/tools"]),
        ("push: true", ["/tools", "/last"]),
        ("target: ${{ inputs.target }}", ["/tools", "/test", "/last"]),
        ("target: other", ["/tools", "/test", "/last"]),
        ("no-cache: false", ["/tools", "/last"]),
        ("no-cache: ${{ inputs.fresh }}", ["/tools", "/last"]),
        ("build-args: A=b", ["/tools", "/last"]),
    ],
)
def test_the_mounts_of_stages_that_are_built(inputs: str, targets: list[str]) -> None:
    outcome = run(STAGES, f"{TEXT}        with:\n          {inputs}\n")
    assert list(cache_map(outcome.text_after).values()) == targets


@pytest.mark.parametrize(
    ("last", "targets"),
    [
        ("FROM alpine", []),
        ("FROM alpine:$TAG", []),
        ("ARG A=one\nFROM ${HOST}/alpine", []),
        ("FROM one", ["/one"]),
        ("FROM alpine\nCOPY --from=two /a /a", ["/two"]),
        ("FROM $BASE", ["/one", "/two"]),
    ],
)
def test_stages_that_a_variable_chooses(last: str, targets: list[str]) -> None:
    stages = "".join(f"FROM debian AS {a}\nRUN --mount=type=cache,target=/{a} make\n" for a in ("one", "two"))
    outcome = run(f"ARG BASE=one\nARG HOST=acme.dev\nARG TAG=3\n{stages}{last}\n")
    assert (list(cache_map(outcome.text_after).values()) if outcome.changes else []) == targets


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        ("no-cache: true", "no-cache"),
        ("no-cache-filters: tools", "no-cache"),
        ("build-args: BUILDKIT_CACHE_MOUNT_NS=a", "namespace"),
    ],
)
def test_mounts_that_are_others(inputs: str, reason: str) -> None:
    outcome = run(STAGES, f"{TEXT}        with:\n          {inputs}\n")
    assert [one.reason for one in outcome.refusals] == [reason]
    assert outcome.text_after == outcome.text_before
    assert run("FROM debian\n", f"{TEXT}        with:\n          {inputs}\n").refusals == ()


def test_a_second_run_changes_nothing() -> None:
    dockerfile = "FROM debian\nRUN --mount=type=cache,id=x,target=/a make\n"
    after = run(dockerfile).text_after
    assert after != TEXT
    again = run(dockerfile, after)
    assert (again.text_after, again.refusals) == (after, ())


def test_workflows_whose_names_begin_alike_keep_their_own() -> None:
    facts = analyse(parse("FROM debian\nRUN --mount=type=cache,target=/c true\n"))
    keys = set()
    for place in (".github/workflows/image.yml", ".github/workflows/image.release.yml"):
        around = [Neighbour("Dockerfile", lambda: facts)]
        outcome = fix(TEXT, kind=WORKFLOW, select=["cache-dance"], unsafe_fixes=True, dockerfiles=around, place=place)
        keys.update(re.findall(r" key: (.+)", outcome.after))
    assert len(keys) == 2
