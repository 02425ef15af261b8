"""What changes say about the images (`Change.alters`): over the whole corpus, and where COPY takes things."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from posixpath import normpath

import pytest

from fixer.analysis import Known, analyse
from fixer.codemods.api import Safety
from fixer.dev import Case, cases, run_case
from fixer.engine.kinds import DOCKERFILE, kind_of
from fixer.engine.outcome import AppliedChange
from fixer.engine.run import fix
from fixer.text.edits import apply_edits
from fixer.text.source import decode
from fixer.tree.nodes import Cmd, Entrypoint, Env, Healthcheck, Run
from fixer.tree.parse import parse

CHANGING = [case for case in cases() if case.after is not None and kind_of(case.dockerfile) == DOCKERFILE]
BROAD = {"/", "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib64", "/media", "/mnt", "/opt", "/proc", "/root",
         "/run", "/sbin", "/srv", "/sys", "/tmp", "/usr", "/var", "/app", "/src", "/var/cache", "/var/lib",
         "/var/lib/apt", "/root/.cache", "/root/.cargo", "/usr/local", "/usr/local/bin", "/usr/local/cargo",
         "/usr/bin", "/usr/lib", "/var/log", "/etc/apt", "/etc/apt/apt.conf.d"}  # fmt: skip
"""Directories that hold more than what any change is about."""


def steps(case: Case) -> Iterator[tuple[AppliedChange, str, str]]:
    """Each change of a case, with the text before it and what it alone makes of that."""
    outcome = run_case(case)
    text = decode(outcome.before)
    for step in range(max(change.step for change in outcome.changes) + 1):
        now = [change for change in outcome.changes if change.step == step]
        for change in now:
            yield change, text, apply_edits(text, change.edits)
        text = apply_edits(text, [edit for change in now for edit in change.edits])


def targets(text: str) -> Counter[str]:
    """The targets of all cache mounts, absolute."""
    facts = analyse(parse(text))
    return Counter(
        mount.target.value
        for run in facts.file.instructions
        if isinstance(run, Run)
        for mount in facts.mounts(run)
        if mount.type == "cache" and isinstance(mount.target, Known)
    )


def settings(text: str) -> Counter[tuple[str, str]]:
    """What the instructions say that make the configuration: the name of the setting, and its text."""
    found: Counter[tuple[str, str]] = Counter()
    for instruction in parse(text).instructions:
        if isinstance(instruction, Env):
            found.update((f"Env {pair.key.value}", pair.value.value) for pair in instruction.pairs if pair.value)
        elif isinstance(instruction, Cmd | Entrypoint | Healthcheck):
            found[type(instruction).__name__, instruction.code] += 1
    return found


@pytest.mark.parametrize("case", CHANGING, ids=lambda case: str(case.id))
def test_every_change_of_the_corpus(case: Case) -> None:
    for change, before, after in steps(case):
        paths, config = change.alters.paths, change.alters.config
        mounts = targets(after) - targets(before)
        assert set(mounts) <= set(paths), "a mount hides what is below its target"
        old, new = settings(before), settings(after)
        assert {name for name, _ in (old - new) + (new - old)} == set(config)
        for path in paths:
            assert path.startswith("/"), path
            assert path == normpath(path), path
            assert not set(path) & set("$*?[\"' "), path
            assert path not in BROAD
            assert not any(other != path and path.startswith(f"{other}/") for other in paths), "said twice"
        assert len(set(paths)) == len(paths)
        if not paths and not config:
            # What a later COPY brings again is the same in the image.
            again = change.codemod == "bind-manifests" and change.safety is Safety.SAFE
            assert again or change.title.startswith("let pip use its cache"), change.title


@pytest.mark.parametrize(
    ("codemod", "must"),
    [
        ("apt-cache", {"/var/lib/apt/lists"}),
        ("apt-update-install", {"/var/lib/apt/lists"}),
        ("artifact-out-of-cache", set()),
        ("cargo-cache", set()),
        ("cargo-chef", set()),
        ("cargo-target-cache", set()),
        ("pip-cache", set()),
    ],
)
def test_every_codemod_says_something(codemod: str, must: set[str]) -> None:
    said = [change.alters.paths for case in CHANGING if case.select == (codemod,) for change, _, _ in steps(case)]
    assert len(said) >= 12
    assert len([paths for paths in said if must and not must & set(paths)]) <= 3  # what only switches docker-clean off
    assert len([paths for paths in said if not paths]) <= 2


def altered(text: str, codemod: str) -> tuple[set[str], set[str]]:
    """What the changes of one codemod alter."""
    outcome = fix(text, select=[codemod], project="p")
    assert outcome.error is None
    assert outcome.changes, outcome.refusals
    return (
        {path for change in outcome.changes for path in change.alters.paths},
        {name for change in outcome.changes for name in change.alters.config},
    )


PIP = "FROM python:3.12-slim AS build\nRUN pip install flask\n"


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ("", set()),
        ("FROM scratch\nCOPY --from=build / /\n", set()),
        ("FROM scratch\nCOPY --from=build /usr/local /usr/local\n", set()),
        ("FROM debian:12\nCOPY --from=build /root /srv/home\n", {"/srv/home/.cache/pip"}),
        ("FROM debian:12\nWORKDIR /srv\nCOPY --from=build / rootfs/\n", {"/srv/rootfs/root/.cache/pip"}),
        (
            "FROM debian:12 AS two\nCOPY --from=build /root /a/b\nFROM two AS three\nFROM debian:12\n"
            "COPY --from=three /a /c\n",
            {"/a/b/.cache/pip", "/c/b/.cache/pip"},
        ),
        ("FROM debian:12\nCOPY --parents --from=build /root /x\n", {"/x/root/.cache/pip"}),
        ("FROM debian:12\nARG D\nCOPY --from=build /root /$D\n", set()),
    ],
)
def test_copy_takes_them_along(rest: str, expected: set[str]) -> None:
    assert altered(PIP + rest, "pip-cache") == ({"/root/.cache/pip", *expected}, set())


RUST = "FROM rust:1.84 AS build\nWORKDIR /app\nCOPY . .\nRUN --mount=type=cache,target=/app/target cargo build -r\n"
RELEASE = "/app/target/release"


@pytest.mark.parametrize(
    ("rest", "paths", "config"),
    [
        (f"FROM scratch\nCOPY --from=build {RELEASE}/api /api\n", {"/api"}, set()),
        (f"FROM debian:12\nCOPY --from=build {RELEASE}/api /usr/local/bin\n", {"/usr/local/bin/api"}, set()),
        (f"FROM debian:12\nCOPY --from=build {RELEASE}/api /usr/bin/server\n", {"/usr/bin/server"}, set()),
        (f"FROM debian:12\nWORKDIR /srv\nCOPY --from=build {RELEASE}/api .\n", {"/srv/api"}, set()),
        (f"FROM debian:12\nWORKDIR /srv\nCOPY --from=build {RELEASE}/api /srv\n", {"/srv/api"}, set()),
        (f"FROM debian:12\nRUN mkdir -p /o\nCOPY --from=build {RELEASE}/api /o\n", {"/o/api"}, set()),
        (f'FROM debian:12\nCOPY --from=build ["{RELEASE}/api", "/o/"]\n', {"/o/api"}, set()),
        (f"RUN cp {RELEASE}/api /opt/api-1\n", {"/opt/api-1"}, set()),
        (f"RUN install {RELEASE}/api /opt/tools/\nFROM scratch\nCOPY --from=build /opt /o\n",
         {"/opt/tools/api", "/o/tools/api"}, set()),
    ],
)  # fmt: skip
def test_what_was_stale_is_named_wherever_it_goes(rest: str, paths: set[str], config: set[str]) -> None:
    assert altered(RUST + rest, "artifact-out-of-cache") == ({"/tmp/api", *paths}, config)


def test_settings_that_point_to_a_product() -> None:
    text = f'{RUST}HEALTHCHECK CMD {RELEASE}/api --check\nCMD ["{RELEASE}/api"]\n'
    assert altered(text, "artifact-out-of-cache") == ({"/usr/local/bin/api"}, {"Cmd", "Healthcheck"})


def test_a_purge_that_goes_names_its_directory() -> None:
    text = "FROM python:3.12\nRUN pip install flask\nENV PIP_CACHE_DIR=/opt/pip-cache\nRUN pip cache purge\n"
    assert altered(text, "pip-cache")[0] == {"/root/.cache/pip", "/opt/pip-cache"}


def test_the_hook_alone_lets_packages_stay() -> None:
    """Debian's hook goes because of the mounts; whoever installs without them keeps the packages in the layer."""
    mounts = "--mount=type=cache,target=/var/cache/apt,sharing=locked --mount=type=cache,target=/var/lib/apt/lists"
    text = f"FROM debian:bookworm\nRUN {mounts},sharing=locked apt-get update && apt-get install -y curl\n"
    conf = "/etc/apt/apt.conf.d"
    paths = {"/var/cache/apt", f"{conf}/docker-clean", f"{conf}/keep-cache"}
    assert altered(text, "apt-cache") == (paths, set())


def test_an_update_that_goes_takes_its_clean_up_with_it() -> None:
    text = "FROM debian:12\nRUN apt-get update{}\nRUN apt-get install -y curl\n"
    bins = {"/var/cache/apt/pkgcache.bin", "/var/cache/apt/srcpkgcache.bin"}
    assert altered(text.format(""), "apt-update-install")[0] == {"/var/lib/apt/lists", *bins}
    cleaned = text.format(" && apt-get clean")
    assert altered(cleaned, "apt-update-install")[0] == {"/var/lib/apt/lists", "/var/cache/apt"}


@pytest.mark.parametrize(
    ("reader", "more", "config"),
    [
        ("", {"/tmp/api"}, set()),
        ("RUN ln -s /app/target/release/api /usr/bin\n", {"/usr/local/bin/api", "/usr/bin/api"}, set()),
        ("RUN cp target/release/api /opt/api\n", {"/tmp/api"}, set()),
        ('CMD ["/app/target/release/api"]\n', {"/usr/local/bin/api"}, {"Cmd"}),
    ],
)
def test_a_target_cache_names_places_and_links_but_no_programs(reader: str, more: set[str], config: set[str]) -> None:
    text = (
        f"FROM rust:1.84 AS build\nWORKDIR /app\nCOPY . .\nRUN cargo build -r\n{reader}"
        "FROM debian:12\nCOPY --from=build /app/target/release/api /usr/sbin/api\n"
    )
    assert altered(text, "cargo-target-cache") == ({"/app/target", *more}, config)
