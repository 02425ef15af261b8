"""`dockfix verify` on real projects: which codemods change them, and that the builds show each change to be right.

What is expected was written down from the laws, before anybody looked at what comes out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import fixer
from fixer.prove.docker import connect
from fixer.prove.model import Cause, Phase, Proof, Verdict
from fixer.prove.protocol import verify
from tests.e2e.harness import BUILD_LIMIT, OWN, Project, differences

APT, JOIN, PIP = "apt-cache", "apt-update-install", "pip-cache"
TARGET, CARGO = "cargo-target-cache", "cargo-cache"
MANIFESTS, SOURCES = "bind-manifests", "bind-sources"

PASSED, NOT_CHECKED = Verdict.PASSED, Verdict.NOT_CHECKED


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
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    """Of the checks that do not pass like the others, by id."""
    differs: frozenset[str] = frozenset()
    """Paths that differ because a change says so, after the first build."""
    unsafe: bool = False
    """With --unsafe-fixes."""

    @property
    def id(self) -> str:
        return self.dockerfile.removesuffix("/Dockerfile").removesuffix(".Dockerfile")


def expect(
    dockerfile: str, *changes: str, refusals: tuple[tuple[str, str], ...] = (), withheld: tuple[str, ...] = (),
    differs: tuple[str, ...] = (), unsafe: bool = False, **verdicts: Verdict,
) -> Expected:  # fmt: skip
    named = {name.replace("_", "-"): verdict for name, verdict in verdicts.items()}
    return Expected(
        dockerfile, frozenset(changes), frozenset(refusals), frozenset(withheld), named, frozenset(differs), unsafe
    )  # fmt: skip


NOISE = {"/var/log/apt/history.log", "/var/log/apt/term.log", "/var/log/dpkg.log", "/var/cache/ldconfig/aux-cache"}
"""What differs between two builds of one Dockerfile that installs packages."""
HOOK = ("/etc/apt/apt.conf.d/docker-clean", "/etc/apt/apt.conf.d/keep-cache")

PROJECTS = (
    # two programs, a library crate of their own, and crates of others
    expect("ledger/Dockerfile", TARGET, CARGO, withheld=(SOURCES,)),
    # the same with cargo-chef: what it keeps in a layer must stay there
    expect("ledger/chef.Dockerfile", CARGO, refusals=((TARGET, "deps-in-layers"), (SOURCES, "deps-in-layers"))),
    # a static program for another libc, in an image that holds nothing else
    expect("beacon/Dockerfile", TARGET, CARGO, withheld=(SOURCES,)),
    # the build platform's compiler; where the program is depends on a variable that cargo is given, too
    expect("herald/Dockerfile", APT, CARGO, TARGET, withheld=(SOURCES,), differs=HOOK),
    # a service with wheels and source archives, one with a C extension; the compiler comes in a layer of its own
    expect("courier/Dockerfile", APT, JOIN, PIP, MANIFESTS),
    # a package that comes from a directory of the image: a layer brings an older one, and apt does not go back
    expect("vendor/Dockerfile", APT, withheld=(APT,)),
    # users who are not root
    expect("guest/Dockerfile", TARGET, CARGO, PIP, refusals=((MANIFESTS, "flags"), (SOURCES, "not-root"))),
    # scripts in here-documents
    expect("scribe/Dockerfile", APT, PIP, refusals=((MANIFESTS, "unknown-step"),), differs=HOOK),
    # seed 003 as it was before: everything is copied
    expect("hello/plain.Dockerfile", SOURCES, TARGET, CARGO, unsafe=True),
    # and with requirements that nothing brings again
    expect("parrot/frugal.Dockerfile", MANIFESTS, PIP, unsafe=True, differs=("/requirements.txt",)),
)
"""Every safe codemod but artifact-out-of-cache is in one of them. That one is in `test_verify.py`, with seed 000: an
original that does not build, and one that ships an old program."""

CHECKS = {"builds", "same-image", "edit-arrives", "revert-arrives", "dependency-builds", "emptied-builds"}


def prove(project: Project, expected: Expected, *, options: tuple[str, ...] = (), touch: str | None = None) -> Proof:
    """The proof for a copy of a project, which holds what `expected` says."""
    dockerfile = project.folder / Path(expected.dockerfile).relative_to(project.folder.name)
    with connect(("--network=host", *options), time_limit=BUILD_LIMIT) as docker:
        unsafe = expected.unsafe
        proof = verify(
            dockerfile, dockerfile.parent, docker=docker, project="proof", touch=touch, unsafe_fixes=unsafe
        )  # fmt: skip
    assert docker.left == []
    assert {change.codemod for change in proof.changes} == expected.changes, proof.refusals
    assert {(refusal.codemod, refusal.reason) for refusal in proof.refusals} == expected.refusals
    assert {change.codemod for change in proof.withheld} == expected.withheld
    assert (proof.original_fails, proof.broke_off) == ("", "")
    said = [f"{check.id}: {check.verdict.value}: {check.detail}" for check in proof.checks]
    assert {check.id.partition(":")[0] for check in proof.checks} >= CHECKS
    for check in proof.checks:
        assert check.verdict is expected.verdicts.get(check.id.partition(":")[0], PASSED), "\n".join(said)
    assert [one for found in proof.comparisons for one in found.by(Cause.UNEXPLAINED)] == []
    first = next(found for found in proof.comparisons if (found.phase, found.target) == (Phase.FIRST, ""))
    assert {difference.place for difference in first.by(Cause.NAMED)} == expected.differs
    assert proof.proven
    return proof


@pytest.mark.parametrize(
    "expected",
    [
        pytest.param(one, id=one.id, marks=[] if one.id == "ledger" else pytest.mark.thorough)
        for one in PROJECTS
    ],
)
def test_proven(project: Callable[[str], Project], expected: Expected) -> None:
    prove(project(expected.id.partition("/")[0]), expected)


@pytest.mark.thorough
def test_packages_of_the_image_itself(project: Callable[[str], Project]) -> None:
    """Why that is withheld: the layer with the packages goes back, the lists in the cache do not."""
    vendor = project("vendor")
    risky = fixer.fix(vendor.text(), unsafe_fixes=True).after
    for text, space, builds in ((vendor.text(), "as-it-was", True), (risky, "risky", False)):
        vendor.build(text, space=space)
        vendor.edit("clerk/usr/bin/clerk", "e1", "e2")
        vendor.build(text, space=space)
        vendor.edit("clerk/usr/bin/clerk", "e2", "e1")
        vendor.write("vendor.sources", f"{vendor.text('vendor.sources')}# {space}\n")  # apt runs again
        again = vendor.build(text, space=space, must=False)
        assert again.step("RUN ./publish").cached
        assert again.ok is builds, again.tail
        assert ("Hash Sum mismatch" in again.log) is not builds


@pytest.mark.thorough
def test_triggers(project: Callable[[str], Project]) -> None:
    """A base image whose ONBUILD steps run in the builds of others: those builds do not see that it was fixed."""
    house = project("household")
    engine = house.engine
    base = expect(
        "household/Dockerfile", APT, refusals=((PIP, "onbuild"), (MANIFESTS, "onbuild")), differs=HOOK,
        edit_arrives=NOT_CHECKED, revert_arrives=NOT_CHECKED,
    )  # fmt: skip
    proof = prove(house, base)
    bases = {}
    for side, text in (("before", house.text()), ("after", fixer.fix(house.text()).after)):
        tag = f"{OWN}household-{side}-{house.mark}"
        built = house.build(text, space="household", options=[f"--tag={tag}"])
        assert len(engine.config(built.image)["OnBuild"] or ()) == 3  # type: ignore[arg-type]
        bases[side] = f"--build-context={OWN}household=docker-image://{tag}"
    assert proof.diff

    child = Project(engine, house.folder / "child", house.mark)
    files = [child.files(child.text(), space=side, options=[option]) for side, option in bases.items()]
    differ = {f"/{path}" for path in differences(*files) if not path.endswith((".pyc", "/RECORD"))}
    assert differ - NOISE == set(HOOK)
    prove(
        house, expect("household/child/Dockerfile", PIP), options=(bases["after"],), touch="worker/__main__.py"
    )  # the edit comes in by a trigger, which this Dockerfile does not show
