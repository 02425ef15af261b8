"""A fixed workflow's builds, replayed by hand on an engine that can write caches: GitHub's cache replaced by a folder.

`type=gha` speaks to GitHub's cache service, which is not here; what is replaced is the place alone. The engine is that
of the docker driver with containerd's image store; it can write a cache, as docker/setup-buildx-action's builder can.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fixer.analysis import analyse
from fixer.analysis.documents import Neighbour
from fixer.engine.kinds import WORKFLOW
from fixer.engine.run import fix
from fixer.tree.parse import parse
from tests.e2e.private import Private
from tests.workflows import load

pytestmark = [pytest.mark.own_engine]

DOCKERFILE = """\
FROM debian AS build
RUN echo built > /made
FROM debian
COPY --from=build /made /made
COPY late /late
"""
ENV = {"ACTIONS_RUNTIME_TOKEN": "x", "ACTIONS_RESULTS_URL": "http://127.0.0.1:1/", "ACTIONS_CACHE_SERVICE_V2": "1"}
SCRIPT = """\
on: push
jobs:
  image:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - name: Build
        run: docker build --file Dockerfile --tag dockfix-e2e/replayed .
      - run: docker run --rm --network=none dockfix-e2e/replayed cat /made
"""

BUILDX = """\
on: push
jobs:
  image:
    runs-on: ubuntu-latest
    steps:
      - uses: docker/setup-buildx-action@v3
      - uses: docker/build-push-action@v6
"""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Private]:
    private = Private(tmp_path, "1500m")
    try:
        private.start({"features": {"containerd-snapshotter": True}})
        private.load()
        yield private
    finally:
        private.close()


def command(inputs: dict[str, Any], place: Path | None) -> list[str]:
    """The command line that docker/build-push-action makes of its inputs; with a place, caches are there."""
    words = ["docker", "buildx", "build", "--network=host", "--progress=plain"]
    for name in ("cache-from", "cache-to"):
        value = inputs[name]
        if place is not None:
            value = value.replace("type=gha", f"type=local,{'src' if name == 'cache-from' else 'dest'}={place}")
        words += [f"--{name}", value]
    words += ["--load"] if inputs.get("load") == "true" else []
    words += [word for name in ("file", "target") if name in inputs for word in (f"--{name}", inputs[name])]
    words += [word for tag in inputs.get("tags", "").split() for word in ("--tag", tag)]
    return [*words, inputs["context"]]


def build(words: list[str], folder: Path, host: str | None = None) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, **ENV, **({} if host is None else {"DOCKER_HOST": host})}
    return subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, timeout=300, check=False)


def test_replayed(engine: Private, tmp_path: Path) -> None:
    outcome = fix(SCRIPT, kind=WORKFLOW, select=["gha-cache"], unsafe_fixes=True, workflows=[])
    (job,) = load(outcome.text_after)["jobs"].values()
    (inputs,) = [step["with"] for step in job["steps"] if "build-push" in step.get("uses", "")]
    project = tmp_path / "project"
    project.mkdir()
    (project / "Dockerfile").write_text(DOCKERFILE)
    (project / "late").write_text("1")

    refused = build(command(inputs, None), project)
    assert "Cache export is not supported for the docker driver" in refused.stderr  # why a builder is put first

    words = command(inputs, tmp_path / "cache")
    first = build(words, project, engine.host)
    assert first.returncode == 0, first.stderr
    assert json.loads((tmp_path / "cache" / "index.json").read_text())["manifests"]
    pruned = build(["docker", "builder", "prune", "--all", "--force"], project, engine.host)
    assert pruned.returncode == 0, pruned.stderr

    (project / "late").write_text("2")
    second = build(words, project, engine.host)
    assert second.returncode == 0, second.stderr
    step = next(line for line in second.stderr.splitlines() if "] RUN echo built" in line)
    assert f"{step.split()[0]} CACHED" in second.stderr.splitlines(), second.stderr
    see = ["docker", "run", "--rm", "--network=none", inputs["tags"], "cat", "/made", "/late"]
    ran = build(see, project, engine.host)
    assert ran.stdout == "built\n2"


MOUNTS = [
    "target=/a",
    "target=/b/,sharing=locked",
    "id=some/id,target=/c",
    "target=d",
    "target=/e,uid=5,gid=6",
    "target=/f,mode=0700",
    "id=g,target=/g,uid=7,mode=0711",
]


def test_the_map_of_cache_dance_names_the_caches_of_the_dockerfile(engine: Private, tmp_path: Path) -> None:
    """Each is filled by the mount that the action makes of the map (src/inject-cache.ts, v3), and found full."""
    lines = [f"RUN --mount=type=cache,{mount} ls {mount.partition('target=')[2].partition(',')[0]}" for mount in MOUNTS]
    dockerfile = "FROM debian\nWORKDIR /w\n" + "".join(f"{line} | grep filled-{i}\n" for i, line in enumerate(lines))
    facts = analyse(parse(dockerfile))
    workflow = BUILDX.replace("    steps:\n", "    steps:\n      - uses: actions/checkout@v4\n")
    outcome = fix(
        workflow, kind=WORKFLOW, select=["cache-dance"], unsafe_fixes=True, workflows=[],
        dockerfiles=[Neighbour("Dockerfile", lambda: facts)],
    )  # fmt: skip
    (job,) = load(outcome.text_after)["jobs"].values()
    (found,) = [step["with"]["cache-map"] for step in job["steps"] if "cache-dance" in step["uses"]]
    places = json.loads(found)
    assert len(places) == len(MOUNTS)
    fill = "FROM debian\n"
    for i, options in enumerate(places.values()):
        table = options if isinstance(options, dict) else {"target": options}
        words = ",".join(f"{name}={value}" for name, value in table.items())
        fill += f"RUN --mount=type=cache,{words} touch {table['target']}/filled-{i}\n"
    for name, text in (("Fill", fill), ("Dockerfile", dockerfile)):
        (tmp_path / name).write_text(text)
        done = build(["docker", "buildx", "build", "--network=host", "-f", name, "."], tmp_path, engine.host)
        assert done.returncode == 0, done.stderr
