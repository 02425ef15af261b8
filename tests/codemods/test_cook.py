"""From `cargo build` to `cargo chef cook`."""

from __future__ import annotations

import pytest

from fixer.analysis import analyse
from fixer.codemods.artifacts import cargo_calls
from fixer.codemods.common import Stop
from fixer.codemods.cook import cook_command, manner_of, options_of, variables
from fixer.tree.nodes import Run
from fixer.tree.parse import parse


def cook(command: str, root: str = "/app") -> str:
    """The command for the one call of cargo in a RUN."""
    facts = analyse(parse(f"FROM rust\nARG F\nARG G=--release\nWORKDIR /app\nRUN {command}\n"))
    run = facts.stages[0].instructions[-1]
    assert isinstance(run, Run)
    call, cargo = next(iter(cargo_calls(facts, run)))
    list(variables(call.nodes[1:]))
    return " ".join(cook_command(call, cargo, root))


@pytest.mark.parametrize(
    ("command", "wanted"),
    [
        ("cargo build", "cargo chef cook"),
        ("cargo b -r", "cargo chef cook --release"),
        ("cargo build --release --locked -p api", "cargo chef cook --release --locked -p api"),
        ("cargo build -rq", None),
        ("cargo --locked build -vv --profile=dist", "cargo chef cook --locked --profile=dist"),
        ("cargo +nightly build -Z build-std --all", "cargo +nightly chef cook -Z build-std --workspace"),
        ("cargo build -F 'a b' --features=c", "cargo chef cook --features 'a b' --features=c"),
        ('cargo build --features "$F" -j$(nproc)', 'cargo chef cook --features "$F" -j$(nproc)'),
        ("cargo build --target x --target-dir out", "cargo chef cook --target x --target-dir out"),
        ("cargo build --message-format short --color always --keep-going --lib", "cargo chef cook"),
        ("cargo build --example a --example b", "cargo chef cook --examples"),
        ("cargo check --tests", "cargo chef cook --check --tests"),
        ("cargo clippy -- -D warnings", "cargo chef cook --clippy"),
        ("cargo zigbuild --target x.2.17", "cargo chef cook --zigbuild --target x.2.17"),
        ("cargo rustc --release --bin a -- -C lto", "cargo chef cook --release"),
        ("cargo install --path . --locked --root /out", "cargo chef cook --release --locked"),
        ("cargo install --path . --locked --debug", "cargo chef cook --locked"),
        ("cargo install --path ./x --locked", "cargo chef cook --release --locked --manifest-path x/Cargo.toml"),
        ("cargo build --manifest-path x/Cargo.toml", "cargo chef cook --manifest-path x/Cargo.toml"),
        ("cd x && cargo build --manifest-path ../Cargo.toml", "cargo chef cook"),
        ("A=b CC='x y' cargo build", "CC='x y' cargo chef cook"),
        ("A=b RUSTFLAGS=$A cargo build", "A=b RUSTFLAGS=$A cargo chef cook"),
        ("cargo build --frozen --offline", "cargo chef cook --locked"),
        ("time cargo build", "cargo chef cook"),
        ('["cargo", "build", "--release"]', "cargo chef cook --release"),
    ],
)
def test_command(command: str, wanted: str | None) -> None:
    if wanted is None:
        with pytest.raises(Stop):
            cook(command)
    else:
        assert cook(command) == wanted


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("cargo test", "not-cookable"),
        ("cargo run", "not-cookable"),
        ("cargo auditable build", "not-cookable"),
        ("mold -run cargo build", "not-cookable"),
        ("sudo cargo build", "not-cookable"),
        ("cargo build --target thumbv7em-none-eabi", "not-cookable"),
        ("cargo install --path .", "lock-file-ignored"),
        ("cargo build --config a=1", "unsupported-option"),
        ("cargo build --workspace --exclude a", "unsupported-option"),
        ("cargo build --ignore-rust-version", "unsupported-option"),
        ("cd x && cargo build --manifest-path ../Cargo.toml --target-dir out", "unsupported-option"),
        ("cargo build $F", "unknown-options"),
        ("cargo build $G", "unknown-options"),
        ("cargo build ${F:+--release}", "unknown-options"),
        ("cargo build --features $(cat features)", "unknown-options"),
        ("if true; then cargo build; fi", "conditional"),
        ("for f in a b; do cargo build; done", "conditional"),
    ],
)
def test_refused(command: str, reason: str) -> None:
    with pytest.raises(Stop) as stop:
        cook(command)
    assert stop.value.reason == reason


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("cargo build --release", "cargo chef cook --profile release --recipe-path r", True),
        ("cargo build --features a,b", "cargo chef cook --features 'b a'", True),
        ("cargo build -F a -F b", "cargo chef cook --features b,a", True),
        ("cargo build --release --bin x --locked -q", "cargo chef cook --release", True),
        ("cargo install --path . --locked", "cargo chef cook --release", True),
        ("cargo check", "cargo chef cook --check", True),
        ("cargo build --profile dev", "cargo chef cook", True),
        ("cargo build --release", "cargo chef cook", False),
        ("cargo build --target x", "cargo chef cook --target y", False),
        ("cargo build -p a", "cargo chef cook", False),
        ("cargo +nightly build", "cargo chef cook", False),
        ("cargo zigbuild", "cargo chef cook", False),
    ],
)
def test_manner(one: str, other: str, same: bool) -> None:
    facts = analyse(parse(f"FROM rust\nRUN {one}\nRUN {other}\n"))
    found = [
        manner_of(cargo, options_of(call, cargo))
        for run in facts.stages[0].instructions for call, cargo in cargo_calls(facts, run)
    ]  # fmt: skip
    assert (found[0] == found[1]) is same
