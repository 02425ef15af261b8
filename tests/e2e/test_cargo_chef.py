"""cargo-chef: what is compiled in which layer, what a change compiles again, and why some files are left alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

import fixer
from fixer.engine.context import FoundContext
from fixer.prove.docker import connect
from fixer.prove.model import Cause, Verdict
from fixer.prove.protocol import verify
from tests.e2e.harness import BUILD_LIMIT, Build, Project, differences

READY = "lukemathwalker/cargo-chef:latest-rust-1"
OF_OTHERS = {"anyhow", "itoa", "lexopt", "memchr", "smallvec"}
"""The crates that the project `ledger` takes from elsewhere."""
OWN = {"ledger", "post", "report"}
COOK, BUILD = "cargo chef cook", "cargo build"

BUILD_STAGE = """\
WORKDIR /src
COPY . .
RUN cargo build --locked --release --workspace

FROM debian:bookworm-slim
COPY --from=build /src/target/release/post /src/target/release/report /usr/local/bin/
CMD ["report", "--edition", "/dev/null"]
"""
PLANNER = f"""\
FROM {READY} AS chef
WORKDIR /src

FROM chef AS planner
COPY . .
RUN cargo chef prepare --recipe-path recipe.json

FROM chef AS build
COPY --from=planner /src/recipe.json recipe.json
"""


def own(project: Project) -> Project:
    """A copy with a word of its own in a manifest: a recipe holds no sources, so that what another copy has cooked, of
    this session or another, would answer."""
    kind = "workspace" if "[workspace]" in project.text("Cargo.toml") else "package"
    project.write("Cargo.toml", f'{project.text("Cargo.toml")}\n[{kind}.metadata]\nmark = "@mark@"\n')
    return project


def fixed(project: Project, text: str) -> str:
    """What cargo-chef, and nothing else, makes of a Dockerfile of the project; nothing is left to do in it."""
    path = str(project.folder / "Dockerfile")
    for _ in range(2):
        outcome = fixer.fix(
            text, path=path, select=["cargo-chef"], unsafe_fixes=True, context=FoundContext(path, str(project.folder))
        )
        assert not outcome.refusals
        if not outcome.changed:
            break
        text = outcome.after
    else:
        raise AssertionError("a second run changes it again")
    return text


def compiled(build: Build, step: str) -> set[str]:
    """The crates that were compiled in the step with this text in its name; none if it came from the cache."""
    named = [match[1] for match in re.finditer(r"^#(\d+) \[(?!internal)[^\]]*\] (.*)$", build.log, re.MULTILINE)
             if step in match[2]]  # fmt: skip
    assert named, f"no step with {step!r}\n{build.tail}"
    found = re.findall(rf"^#{named[0]} .*Compiling (\S+) v", build.log, re.MULTILINE)
    return set(found)


def test_layers(project: Callable[[str], Project]) -> None:
    """Which layer a change makes anew, and that it arrives."""
    ledger = own(project("ledger"))
    text = f"FROM {READY} AS build\n{BUILD_STAGE}"
    after = fixed(ledger, text)
    assert COOK in after

    first = ledger.build(after)
    assert compiled(first, COOK) >= OF_OTHERS
    assert compiled(first, BUILD) == OWN, "a dependency was compiled again: cook did it in another way"
    assert differences(ledger.files(text), ledger.files(after)) == set()

    path = "crates/report/src/main.rs"
    ledger.edit(path, f'EDITION: &str = "{ledger.mark}"', 'EDITION: &str = "second"')
    edited = ledger.build(after)
    assert ledger.engine.run(edited.image).split()[0] == "second"
    assert edited.step(COOK).cached
    assert compiled(edited, BUILD) == OWN

    ledger.edit(path, '"second"', f'"{ledger.mark}"')
    reverted = ledger.build(after, options=["--build-arg=LATE=1"])
    assert ledger.engine.run(reverted.image).split()[0] == ledger.mark

    # another version of the project is no other dependency, another feature of one is
    for name in ("Cargo.toml", "Cargo.lock"):
        ledger.write(name, ledger.text(name).replace("0.3.0", "0.3.1", 3))
    ledger.write("Cargo.lock", ledger.text("Cargo.lock").replace('version = "0.3.0"', 'version = "0.3.1"'))
    assert ledger.build(after).step(COOK).cached
    ledger.edit("crates/ledger/Cargo.toml", 'smallvec = "1"', 'smallvec = { version = "1", features = ["union"] }')
    changed = ledger.build(after)
    assert not changed.step(COOK).cached
    assert "smallvec" in compiled(changed, COOK)
    assert compiled(changed, BUILD) == OWN


@pytest.mark.thorough
def test_proven(project: Callable[[str], Project]) -> None:
    """With an image that has no cargo-chef: it is installed, and the whole protocol holds."""
    ledger = project("ledger")
    # the protocol empties the caches, so cargo-chef is compiled several times: optimised, a quarter of an hour
    quick = "OPT_LEVEL=0 LTO=off CODEGEN_UNITS=64"
    base = "".join(f" CARGO_PROFILE_RELEASE_{setting}" for setting in quick.split())
    text = ledger.text("Dockerfile").replace("FROM rust:1-bookworm", "FROM base")
    ledger.write("Dockerfile", f"FROM rust:1-bookworm AS base\nENV{base}\n\n{text}")
    with connect(("--network=host",), time_limit=4 * BUILD_LIMIT) as docker:
        proof = verify(
            ledger.folder / "Dockerfile", ledger.folder, docker=docker, select=["cargo-chef"], unsafe_fixes=True
        )
    assert {change.codemod for change in proof.changes} == {"cargo-chef"}
    said = [f"{check.id}: {check.verdict.value}: {check.detail}" for check in proof.checks]
    assert all(check.verdict is Verdict.PASSED for check in proof.checks), "\n".join(said)
    assert [one for found in proof.comparisons for one in found.by(Cause.UNEXPLAINED)] == []
    assert proof.proven


@pytest.mark.thorough
def test_install_by_path(project: Callable[[str], Project]) -> None:
    """`cargo install --locked --path` of a member takes what cook compiled for its manifest."""
    ledger = own(project("ledger"))
    text = (
        f"FROM {READY} AS build\nWORKDIR /src\nCOPY . .\n"
        "RUN cargo install --locked --path crates/report --root /out\n\n"
        "FROM debian:bookworm-slim\nCOPY --from=build /out/bin/report /usr/local/bin/report\n"
    )
    built = ledger.build(fixed(ledger, text))
    assert compiled(built, COOK) >= OF_OTHERS
    assert compiled(built, "cargo install") == {"ledger", "report"}


@pytest.mark.thorough
def test_stand_in(project: Callable[[str], Project]) -> None:
    """What an empty main did, cook does, and the program is the real one."""
    hello = own(project("hello"))
    text = (
        f"FROM {READY} AS build\nWORKDIR /app\nCOPY Cargo.toml Cargo.lock ./\n"
        "RUN mkdir src && echo 'fn main() {}' > src/main.rs && cargo build --release && rm -rf src\n"
        "COPY src src\nRUN touch src/main.rs && cargo build --release && cp target/release/hello_rust /hello\n\n"
        'FROM debian:bookworm-slim\nCOPY --from=build /hello /hello\nCMD ["/hello"]\n'
    )
    after = fixed(hello, text)
    assert "fn main" not in after
    built = hello.build(after)
    assert hello.engine.run(built.image).split()[0] == "e1"
    assert compiled(built, BUILD) == {"hello_rust"}
    hello.edit("src/greeting.txt", "e1", "e2")
    edited = hello.build(after)
    assert hello.engine.run(edited.image).split()[0] == "e2"
    assert edited.step(COOK).cached


MISTAKES = {
    "without-options": (
        "RUN cargo chef cook --recipe-path recipe.json\nCOPY . .\n"
        "RUN RUSTFLAGS='-C debuginfo=1' cargo build --locked --release --workspace && mv target/release/report /\n"
    ),
    "hidden": (
        "RUN cargo chef cook --release --workspace --recipe-path recipe.json\nCOPY . .\n"
        "RUN --mount=type=cache,target=/src/target cargo build --release --workspace && mv target/release/report /\n"
    ),
}  # fmt: skip


@pytest.mark.thorough
@pytest.mark.parametrize("mistake", MISTAKES)
def test_mended(project: Callable[[str], Project], mistake: str) -> None:
    """Without the change the build compiles all dependencies again; with it, none."""
    ledger = own(project("ledger"))
    text = PLANNER + MISTAKES[mistake] + "\nFROM debian:bookworm-slim\nCOPY --from=build /report /usr/local/bin/\n"
    assert compiled(ledger.build(text, space=mistake), BUILD) == OWN | OF_OTHERS
    assert compiled(ledger.build(fixed(ledger, text), space=mistake), BUILD) == OWN


@pytest.mark.thorough
def test_sources_before_cook(project: Callable[[str], Project]) -> None:
    """With the sources before cook an edit cooks anew; with the change it does not."""
    ledger = own(project("ledger"))
    text = (
        PLANNER.replace("COPY --from=planner", "COPY . .\nCOPY --from=planner")
        + "RUN cargo chef cook --release --recipe-path recipe.json\nCOPY . .\nRUN cargo build --release\n\n"
        + "FROM debian:bookworm-slim\nCOPY --from=build /src/target/release/report /usr/local/bin/\n"
    )
    after = fixed(ledger, text)
    ledger.build(text)
    ledger.build(after)
    ledger.edit("crates/report/src/main.rs", f'"{ledger.mark}"', '"second"')
    assert not ledger.build(text).step(COOK).cached
    assert ledger.build(after).step(COOK).cached


# --- why some are left alone -----------------------------------------------------------------------------------------


def by_hand(cook: str = "cargo chef cook --release") -> str:
    """A file that uses cargo-chef as its manual says, for a crate called `app` in /src."""
    return (
        PLANNER + f"RUN {cook} --recipe-path recipe.json\nCOPY . .\nRUN cargo build --release\n\n"
        'FROM debian:bookworm-slim\nCOPY --from=build /src/target/release/app /app\nCMD ["/app"]\n'
    )


def crate(folder: Path, manifest: str, version: str = "0.3.0") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Cargo.toml").write_text(f'[package]\nname = "app"\nversion = "{version}"\nedition = "2021"\n{manifest}')
    (folder / "src").mkdir(exist_ok=True)
    (folder / "src" / "main.rs").write_text('fn main() {\n    println!("real");\n}\n')


@pytest.mark.thorough
def test_a_crate_by_path_fails(project: Callable[[str], Project]) -> None:
    """A recipe holds members alone."""
    tree = project("demo")
    crate(tree.folder, '\n[dependencies]\nmoney = { path = "money" }\n')
    money = tree.folder / "money"
    (money / "src").mkdir(parents=True)
    (money / "Cargo.toml").write_text('[package]\nname = "money"\nversion = "1.0.0"\nedition = "2021"\n')
    (money / "src" / "lib.rs").write_text("")
    (tree.folder / "Cargo.lock").write_text(
        'version = 4\n\n[[package]]\nname = "app"\nversion = "0.3.0"\ndependencies = [\n "money",\n]\n\n'
        '[[package]]\nname = "money"\nversion = "1.0.0"\n'
    )
    failed = tree.build(by_hand(), must=False)
    assert not failed.ok
    assert "failed to read `/src/money/Cargo.toml`" in failed.log


@pytest.mark.thorough
def test_the_version_of_the_stand_in_is_stale(project: Callable[[str], Project], word: str) -> None:
    """A crate that looks like cargo-chef's stand-in: the image holds the stand-in, and the build succeeds."""
    tree = project("demo")
    target = '\n[[bin]]\nname = "app"\npath = "src/main.rs"\nrequired-features = []\n'
    target += f'\n[package.metadata]\nword = "{word}"\n'
    printed = {}
    for version in ("0.0.1", "0.0.2"):
        crate(tree.folder, target, version)
        (tree.folder / "Cargo.lock").write_text(f'version = 4\n\n[[package]]\nname = "app"\nversion = "{version}"\n')
        printed[version] = tree.engine.run(tree.build(by_hand()).image)
    assert printed == {"0.0.1": "", "0.0.2": "real"}
