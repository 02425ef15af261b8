"""Seed 003, apt: packages and lists in caches. The image is the same but for what the codemod names."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

from tests.e2e.harness import OWN, Project, differences

NOISE = {"var/log/apt/history.log", "var/log/apt/term.log", "var/log/dpkg.log", "var/cache/ldconfig/aux-cache"}
"""What differs between two builds of one Dockerfile that installs packages."""
CLEAN, KEEP = "etc/apt/apt.conf.d/docker-clean", "etc/apt/apt.conf.d/keep-cache"

PROBE = """FROM debian:bookworm
ARG MARK=@mark@
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked \\
    --mount=type=cache,target=/var/lib/apt/lists,sharing=locked \\
    ls /var/cache/apt/archives /var/lib/apt/lists > /seen
CMD ["cat", "/seen"]
"""
"""Tells what is in the caches."""


def test_seed_003(project: Callable[[str], Project]) -> None:
    tree = project("tree")
    engine = tree.engine
    before = tree.text()
    old = tree.build(before)
    files = tree.files(before)
    assert CLEAN in files
    assert KEEP not in files

    after = tree.fix(before, "apt-cache")
    new = tree.build(after, space="apt")
    fixed = tree.files(after, space="apt")
    assert CLEAN not in fixed
    assert KEEP in fixed
    assert differences(files, fixed) - NOISE == {CLEAN, KEEP}
    assert engine.config(new.image) == engine.config(old.image)
    assert engine.run(new.image).startswith("tree v")

    seen = engine.run(tree.build(PROBE.replace("@mark@", tree.mark), space="apt").image).split()
    assert [name for name in seen if name.startswith("tree_") and name.endswith(".deb")]
    assert [name for name in seen if "bookworm" in name], "no lists"

    # the step runs again, as it would for another package: this time nothing is downloaded
    more = tree.build(after.replace("install -y", "install  -y"), space="apt")
    assert not more.step("apt-get install").cached
    assert "Need to get 0 B/" in more.log, more.tail


def test_an_update_of_its_own(project: Callable[[str], Project]) -> None:
    """The lists are in a mount, the update is a step of its own. The step is cached, the mount is emptied (on a new
    builder it is empty), and the next package cannot be found."""
    tree = project("tree")
    before = tree.text("split.Dockerfile")
    tree.build(before, space="split")
    assert tree.engine.prune_mounts("split") == 1
    failed = tree.build(before.replace("recommends tree", "recommends sl"), space="split", must=False)
    assert failed.step("apt-get update").cached
    assert not failed.ok
    assert "Unable to locate package sl" in failed.log or "no installation candidate" in failed.log

    after = tree.fix(before, "apt-update-install", "apt-cache")
    tree.build(after, space="split")
    tree.engine.prune_mounts("split")
    tree.build(after.replace("recommends tree", "recommends sl"), space="split")


def test_a_user_with_sudo(project: Callable[[str], Project]) -> None:
    """apt runs through sudo, as the user of the base image: docker-clean is switched off through sudo too."""
    tree = project("tree")
    engine = tree.engine
    base = f"{OWN}agent-{tree.mark}"
    tree.build(tree.text("agent.Dockerfile"), options=["--tag", base])
    bases = {"cimg/base:2026.01": base}  # what it stands for is as its user is
    contexts = [f"--build-context={name}=docker-image://{image}" for name, image in bases.items()]
    try:
        before = tree.text("sudo.Dockerfile")
        old = tree.build(before, bases=bases)
        files = tree.files(before, options=contexts)
        assert CLEAN in files

        after = tree.fix(before, "apt-cache", bases=bases)
        new = tree.build(after, space="sudo", bases=bases)
        fixed = tree.files(after, space="sudo", options=contexts)
        assert differences(files, fixed) - NOISE == {CLEAN, KEEP}
        assert fixed[KEEP].uid == 0
        assert engine.config(new.image) == engine.config(old.image)
        assert engine.config(new.image)["User"] == "agent"
        assert engine.run(new.image).startswith("tree v")

        more = tree.build(after.replace("install -y", "install  -y"), space="sudo", bases=bases)
        assert not more.step("apt-get install").cached
        assert "Need to get 0 B/" in more.log, more.tail
    finally:
        subprocess.run(["docker", "rmi", "--force", base], capture_output=True, check=False, timeout=60)
