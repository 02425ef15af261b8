"""What a call of cargo is read as."""

from __future__ import annotations

import pytest

from fixer.analysis.tools.cargo import Cargo, Products, Written, read_cargo
from fixer.analysis.values import Known, Unknown, Value

APP = Known("/app")
FLAGS = Unknown("$FLAGS is not known")


def read(text: str, cwd: Value = APP, /, **env: str) -> Cargo:
    words = [FLAGS if word == "$FLAGS" else Known(word) for word in text.split()]
    cargo = read_cargo(words, cwd, lambda name: Known(env[name]) if name in env else None)
    assert cargo is not None
    return cargo


@pytest.mark.parametrize(
    ("text", "subcommand"),
    [
        ("cargo build", "build"),
        ("cargo b -r", "build"),
        ("/usr/local/cargo/bin/cargo +nightly t", "test"),
        ("cargo --locked -v build", "build"),
        ("cargo --color never check", "check"),
        ("cargo chef cook --release", "chef-cook"),
        ("cargo auditable build", "build"),
        ("rustup run stable cargo build", "build"),
        ("/usr/bin/mold -run cargo build", "build"),
        ("xx-cargo build --release", "xx-build"),
        ("xx-cargo fetch", "fetch"),
        ("xx-cargo --print-target-triple", ""),
        ("cargo --version", ""),
        ("cargo clippy --version", ""),
        ("cargo build --help", ""),
        ("cargo install cargo-chef --version 0.1.71", "install"),
    ],
)
def test_subcommand(text: str, subcommand: str) -> None:
    assert read(text).subcommand == subcommand


def test_not_cargo() -> None:
    assert read_cargo([Known("make")], APP, lambda _: None) is None
    assert read_cargo([FLAGS], APP, lambda _: None) is None
    assert read_cargo([Known("cargo-chef"), Known("chef")], APP, lambda _: None) is None
    assert read_cargo([], APP, lambda _: None) is None


@pytest.mark.parametrize(
    ("text", "directory"),
    [
        ("cargo build", "debug"),
        ("cargo build --release", "release"),
        ("cargo build -r", "release"),
        ("cargo build --profile dev", "debug"),
        ("cargo build --profile=dist", "dist"),
        ("cargo test", "debug"),
        ("cargo test --release", "release"),
        ("cargo bench", "release"),
        ("cargo install --path .", "release"),
        ("cargo install --path . --debug", "debug"),
        ("cargo chef cook --release --recipe-path r.json", "release"),
        ("cargo run -- --release", "debug"),
    ],
)
def test_profile_directory(text: str, directory: str) -> None:
    assert read(text).profile_dir == Known(directory)


@pytest.mark.parametrize(
    ("cargo", "path", "written"),
    [
        (read("cargo build --release"), "/app/target/release/api", Written.YES),
        (read("cargo build --release"), "/target/release/api", Written.YES),
        (read("cargo build --release"), "/app/target/debug/api", Written.NO),
        (read("cargo build --release"), "/app/target/release", Written.NO),
        (read("cargo build --release"), "/app/target/release/deps/api", Written.NO),
        (read("cargo build --release"), "/app/api", Written.NO),
        (read("cargo build --release"), "/app/sub/target/release/api", Written.NO),
        (read("cargo build --release"), "/app/target/x86_64-unknown-linux-musl/release/api", Written.MAYBE),
        (read("cargo build -r --target wasm32-wasip1"), "/app/target/wasm32-wasip1/release/a.wasm", Written.YES),
        (read("cargo build -r --target wasm32-wasip1"), "/app/target/release/a", Written.NO),
        (read("cargo zigbuild -r --target a-b.2.17"), "/app/target/a-b/release/a", Written.YES),
        (read("cargo build -r", CARGO_BUILD_TARGET="a-b"), "/app/target/a-b/release/a", Written.YES),
        (read("cargo build -r --bin api"), "/app/target/release/api", Written.YES),
        (read("cargo build -r --bin api"), "/app/target/release/worker", Written.NO),
        (read("cargo build -r --bin api"), "/app/target/release/libapi.so", Written.LEFT),
        (read("cargo build -r --bin api.v2"), "/app/target/release/api.v2", Written.YES),
        (read("cargo build -r -p my-api"), "/app/target/release/libmy_api.so", Written.YES),
        (read("cargo build -r -p my-api"), "/app/target/release/libonnxruntime.so", Written.LEFT),
        (read("cargo build -r -p my-api --bin x"), "/app/target/release/libmy_api.so", Written.LEFT),
        (read("cargo build -r"), "/app/target/release/libonnxruntime.so.1", Written.LEFT),
        (read("cargo build -r"), "/app/target/release/libapi.rlib", Written.YES),
        (read("cargo build -r --bins"), "/app/target/release/libapi.rlib", Written.NO),
        (read("cargo build -r"), "/app/target/release/config.toml", Written.LEFT),
        (read("cargo build -r"), "/app/target/release/api.d", Written.YES),
        (read("cargo build -r"), "/app/target/release/api.dwp", Written.YES),
        (read("cargo build -r"), "/app/target/release/api.wasm", Written.LEFT),
        (read("cargo build -r --target x86_64-pc-windows-gnu"), "/app/target/x86_64-pc-windows-gnu/release/a.exe",
         Written.YES),
        (read("cargo build $FLAGS"), "/app/target/release/api.log", Written.LEFT),
        (read("cargo build --examples"), "/app/target/debug/examples/demo.json", Written.LEFT),
        (read("cargo build --example demo"), "/app/target/debug/examples/demo", Written.YES),
        (read("cargo build"), "/app/target/debug/examples/demo", Written.NO),
        (read("cargo build --examples"), "/app/target/debug/examples/demo", Written.YES),
        (read("cargo build --lib"), "/app/target/debug/demo", Written.NO),
        (read("cargo build --lib"), "/app/target/debug/libdemo.a", Written.LEFT),
        (read("cargo test"), "/app/target/debug/demo", Written.NO),
        (read("cargo check"), "/app/target/debug/demo", Written.NO),
        (read("cargo build $FLAGS"), "/app/target/release/api", Written.MAYBE),
        (read("cargo build --release --features $FLAGS"), "/app/target/release/api", Written.YES),
        (read("cargo build --profile $FLAGS"), "/app/target/release/api", Written.MAYBE),
        (read("cargo build -r", CARGO_TARGET_DIR="/out"), "/out/release/api", Written.YES),
        (read("cargo build -r", CARGO_TARGET_DIR="/out"), "/app/target/release/api", Written.NO),
        (read("cargo build -r --target-dir ../out", CARGO_TARGET_DIR="/o"), "/out/release/api", Written.YES),
        (read("cargo build -r --target-dir=$FLAGS".replace("=", " ")), "/app/target/release/api", Written.NO),
        (read("cargo build -r --manifest-path server/Cargo.toml"), "/app/server/target/release/api", Written.YES),
        (read("cargo build -r --manifest-path server/Cargo.toml"), "/app/target/release/api", Written.YES),
        (read("cargo build -r", Unknown("no idea")), "/app/target/release/api", Written.NO),
        (read('cargo --config build.target="a-b" build'), "/app/target/a-b/debug/api", Written.YES),
    ],
)
def test_provides(cargo: Cargo, path: str, written: Written) -> None:
    assert cargo.provides(path) is written


@pytest.mark.parametrize(
    ("command", "name", "written"),
    [
        ("cargo build -r", "api-server", Written.YES),
        ("cargo build -r", "assets", Written.LEFT),
        ("cargo build -r", "libcore_api.so", Written.YES),
        ("cargo build -r", "libcore_api.a", Written.YES),
        ("cargo build -r", "libonnxruntime.so", Written.LEFT),
        ("cargo build -r --bin api-server", "libcore_api.so", Written.LEFT),
        ("cargo build -r --bin api-server", "api-server", Written.YES),
        ("cargo build -r --bin other", "api-server", Written.NO),
    ],
)
def test_provides_what_the_manifests_say(command: str, name: str, written: Written) -> None:
    products = Products(frozenset(("api-server", "other")), frozenset(("core_api",)))
    assert read(command).provides(f"/app/target/release/{name}", products) is written


def test_default_of_a_build_argument_may_be_any_options() -> None:
    words = [Known("cargo"), Known("build"), Known("", frozenset({"FLAGS"}))]
    cargo = read_cargo(words, APP, lambda _: None)
    assert cargo is not None
    assert cargo.unsure is not None
    assert cargo.provides("/app/target/debug/api") is Written.MAYBE


@pytest.mark.parametrize(
    ("text", "fetches", "compiles"),
    [
        ("cargo build", True, True),
        ("cargo fetch", True, False),
        ("cargo fmt", False, False),
        ("cargo chef prepare", False, False),
        ("cargo chef cook", True, True),
        ("cargo install ripgrep", True, False),
        ("cargo install --path .", True, True),
        ("cargo leptos build", True, True),
        ("cargo init", False, False),
        ("cargo --version", False, False),
    ],
)
def test_what_it_does(text: str, fetches: bool, compiles: bool) -> None:
    cargo = read(text)
    assert (cargo.fetches, cargo.compiles) == (fetches, compiles)


def test_offline() -> None:
    assert read("cargo build --frozen").offline
    assert read("cargo build", CARGO_NET_OFFLINE="true").offline
    assert not read("cargo build --locked").offline


def test_directories_above_the_manifest() -> None:
    assert list(read("cargo build", Known("/src/crates/api")).target_dirs()) == [
        "/src/crates/api/target",
        "/src/crates/target",
        "/src/target",
        "/target",
    ]
    assert next(read("cargo install --path crates/cli").target_dirs()) == "/app/crates/cli/target"
