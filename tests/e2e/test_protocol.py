"""`dockfix verify` on real projects: which codemods change them, and that the builds show each change to be right.

What is expected was written down from the laws, before anybody looked at what comes out.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fixer.prove.docker import connect
from fixer.prove.model import Cause, Phase, Proof, Verdict
from fixer.prove.protocol import verify
from tests.e2e.harness import BUILD_LIMIT, Project

APT, JOIN, PIP = "apt-cache", "apt-update-install", "pip-cache"
OUT, TARGET, CARGO = "artifact-out-of-cache", "cargo-target-cache", "cargo-cache"

PASSED, IMPROVED, NOT_CHECKED = Verdict.PASSED, Verdict.IMPROVED, Verdict.NOT_CHECKED


@dataclass(frozen=True)
class Expected:
    """What has to come out for one Dockerfile."""

    dockerfile: str
    """Below `projects`. The context is the folder that it is in."""
    changes: frozenset[str]
    refusals: frozenset[tuple[str, str]] = frozenset()
    """Codemod and reason."""
    withheld: frozenset[str] = frozenset()
    """Codemods that would change something with --unsafe-fixes."""
    targets: tuple[str, ...] = ()
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    """Of the checks that do not pass like the others, by id."""
    differs: frozenset[str] = frozenset()
    """Paths of the last stage that differ because a change says so, after the first build."""

    @property
    def id(self) -> str:
        return self.dockerfile.removesuffix("/Dockerfile").removesuffix(".Dockerfile")


def expect(
    dockerfile: str, *changes: str, refusals: tuple[tuple[str, str], ...] = (), withheld: tuple[str, ...] = (),
    targets: tuple[str, ...] = (), differs: tuple[str, ...] = (), **verdicts: Verdict,
) -> Expected:  # fmt: skip
    named = {name.replace("_", "-"): verdict for name, verdict in verdicts.items()}
    return Expected(
        dockerfile, frozenset(changes), frozenset(refusals), frozenset(withheld), targets, named, frozenset(differs)
    )


HOOK = ("/etc/apt/apt.conf.d/docker-clean", "/etc/apt/apt.conf.d/keep-cache")

PROJECTS = (
    # two programs, a library crate of their own, and crates of others
    expect("ledger/Dockerfile", TARGET, CARGO),
    # the same with cargo-chef: what it keeps in a layer must stay there
    expect("ledger/chef.Dockerfile", CARGO, refusals=((TARGET, "deps-in-layers"),)),
    # a static program for another libc, in an image that holds nothing else
    expect("beacon/Dockerfile", TARGET, CARGO),
    # the build platform's compiler; what the script takes out of the target directory depends on a variable
    expect("herald/Dockerfile", APT, CARGO, refusals=((TARGET, "glob"),), differs=HOOK),
    # a service with wheels and source archives, one with a C extension; the compiler comes in a layer of its own
    expect("courier/Dockerfile", APT, JOIN, PIP, targets=("build", "")),
    # a package that comes from a directory of the image: a layer brings an older one, and apt does not go back
    expect("vendor/Dockerfile", APT, withheld=(APT,)),
    # users who are not root
    expect("guest/Dockerfile", TARGET, CARGO, PIP),
    # scripts in here-documents
    expect("scribe/Dockerfile", APT, PIP, differs=HOOK),
    # seed 000, the loud kind and the quiet kind
    expect("rest/layered.Dockerfile", OUT, CARGO, refusals=((TARGET, "deps-in-layers"),), edit_arrives=IMPROVED),
)
"""Every safe codemod is in one of them."""

CHECKS = {"builds", "same-image", "edit-arrives", "revert-arrives", "dependency-builds", "emptied-builds"}


def prove(project: Project, expected: Expected) -> Proof:
    dockerfile = project.folder / Path(expected.dockerfile).relative_to(project.folder.name)
    with connect(("--network=host",), time_limit=BUILD_LIMIT) as docker:
        proof = verify(dockerfile, dockerfile.parent, docker=docker, targets=expected.targets, project=project.mark)
        session = docker.session
    assert leftovers(session) == ""
    return proof


def leftovers(session: str) -> str:
    """What is left on the engine that has the session's name on it."""
    listed = ""
    for command in (["image", "ls"], ["container", "ls", "--all"], ["buildx", "du", "--verbose"]):
        listed += subprocess.run(["docker", *command], capture_output=True, text=True, check=True, timeout=60).stdout
    return "\n".join(line for line in listed.splitlines() if session in line and "cache mount" in line.lower())


@pytest.mark.parametrize("expected", PROJECTS, ids=lambda expected: expected.id)
def test_proven(project: Callable[[str], Project], expected: Expected) -> None:
    proof = prove(project(expected.id.split("/")[0]), expected)
    assert {change.codemod for change in proof.changes} == expected.changes, proof.refusals
    assert {(refusal.codemod, refusal.reason) for refusal in proof.refusals} == expected.refusals
    assert {change.codemod for change in proof.withheld} == expected.withheld
    assert proof.original_fails == ""
    assert proof.broke_off == ""
    said = {check.id: f"{check.verdict.value}: {check.detail}" for check in proof.checks}
    for check in proof.checks:
        wanted = expected.verdicts.get(check.id.split(":")[0], PASSED)
        assert check.verdict is wanted, said
    assert {check.id.split(":")[0] for check in proof.checks} >= CHECKS
    unexplained = [one for found in proof.comparisons for one in found.by(Cause.UNEXPLAINED)]
    assert unexplained == []
    first = next(found for found in proof.comparisons if found.phase is Phase.FIRST and found.target == "")
    assert {difference.place for difference in first.by(Cause.NAMED)} == expected.differs
    assert proof.proven
