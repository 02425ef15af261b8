"""Seed 003, Python: pip's cache in a mount. The image is the same."""

from __future__ import annotations

from collections.abc import Callable

import fixer
from tests.e2e.harness import Project, differences

ANSWER = "six 1.17.0, docopt 0.6.2"


def test_seed_003(project: Callable[[str], Project]) -> None:
    parrot = project("parrot")
    engine = parrot.engine
    before = parrot.text()
    old = parrot.build(before)
    files = parrot.files(before)
    noise = differences(files, parrot.files(before, options=["--no-cache"]))
    assert "root/.cache/pip" in files, "without the mount the cache is a part of the image"

    after = parrot.fix(before, "pip-cache")
    new = parrot.build(after)
    fixed = parrot.files(after)
    changed = {path for path in differences(files, fixed) - noise if not path.startswith("root/.cache")}
    assert changed == set()
    assert not [path for path in fixed if path.startswith("root/.cache")]
    assert engine.config(new.image) == engine.config(old.image)
    assert engine.run(new.image) == engine.run(old.image) == ANSWER
    assert "Building wheel for docopt" in new.log

    parrot.edit("requirements.txt", "six==1.17.0", "six==1.16.0")
    more = parrot.build(after)
    assert not more.step("pip install").cached
    assert "Using cached docopt" in more.log
    assert "Building wheel" not in more.log
    assert engine.run(more.image) == "six 1.16.0, docopt 0.6.2"


def test_a_cache_that_was_switched_off(project: Callable[[str], Project]) -> None:
    parrot = project("parrot")
    engine = parrot.engine
    before = parrot.text("switched-off.Dockerfile")
    old = parrot.build(before)
    files = parrot.files(before)

    after = parrot.fix(before, "pip-cache")
    new = parrot.build(after, space="off")
    fixed = parrot.files(after, space="off")
    # pyc files hold the time of their source, which is the time of the build
    assert {path for path in differences(files, fixed) if not path.endswith((".pyc", "/RECORD"))} == set()
    environment = set(engine.config(old.image)["Env"]) - set(engine.config(new.image)["Env"])  # type: ignore[call-overload]
    assert environment == {"PIP_NO_CACHE_DIR=1"}
    assert engine.run(new.image) == ANSWER


def test_a_user_with_a_number(project: Callable[[str], Project]) -> None:
    parrot = project("parrot")
    before = parrot.text("user.Dockerfile")
    after = parrot.fix(before, "pip-cache")
    new = parrot.build(after, space="user")
    assert "cache has been disabled" not in new.log
    assert parrot.engine.run(new.image) == ANSWER
    assert parrot.engine.run(new.image, "stat", "-c", "%U", "/home/parrot/.local") == "parrot"

    more = parrot.build(after.replace("pip install", "pip  install"), space="user")
    assert "Using cached docopt" in more.log


def test_a_user_without_a_number(project: Callable[[str], Project]) -> None:
    text = project("parrot").text("user.Dockerfile").replace(" --uid 1234", "")
    outcome = fixer.fix(text)
    assert outcome.after == text
    assert {(refusal.codemod, refusal.reason) for refusal in outcome.refusals} == {("pip-cache", "unknown-user")}


def test_wheels_from_another_stage(project: Callable[[str], Project]) -> None:
    """A mount over what is copied would make the last stage build them again, for which it often has no compiler."""
    parrot = project("parrot")
    before = parrot.text("wheels.Dockerfile")
    old = parrot.build(before)
    assert "Using cached docopt" in old.log

    after = parrot.fix(before, "bind-manifests")
    first = parrot.build(after, space="wheels")
    assert "Using cached docopt" in first.log
    assert parrot.engine.run(first.image) == parrot.engine.run(old.image) == ANSWER

    parrot.edit("requirements.txt", "six==1.17.0", "six==1.16.0")
    second = parrot.build(after, space="wheels")
    assert "Building wheel for docopt" in second.log
    assert "Using cached docopt" in second.log
    assert parrot.engine.run(second.image) == "six 1.16.0, docopt 0.6.2"

    copied = "COPY --from=compiler /root/.cache /root/.cache\n"
    assert "Using cached docopt" not in parrot.build(before.replace(copied, "")).log, "nobody needs what is copied"
