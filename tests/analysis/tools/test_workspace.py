"""A workspace as COPY brings it into a stage, and what a recipe of it would lack."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from fixer.analysis import analyse
from fixer.analysis.brought import Brought
from fixer.analysis.context import BuildContext, Kind
from fixer.analysis.tools.cargo import Cargo, read_cargo
from fixer.analysis.tools.workspace import (
    Trouble,
    Workspace,
    configured,
    lacking_in_lock_file,
    products_of,
    read_workspace,
)
from fixer.analysis.values import Known
from fixer.tree.nodes import Transfer
from fixer.tree.parse import parse


class Held(BuildContext):
    """A context that a test writes down."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self.files = files

    @property
    def at_hand(self) -> bool:
        return True

    def kind(self, path: str) -> Kind | None:
        if path in self.files:
            return "file"
        inside = f"{path}/" if path else ""
        return "directory" if any(each.startswith(inside) for each in self.files) else None

    def read(self, path: str) -> bytes | None:
        return self.files[path].encode() if path in self.files else None

    def names(self, directory: str = "") -> tuple[str, ...]:
        inside = f"{directory}/" if directory else ""
        return tuple(sorted({each[len(inside) :].split("/")[0] for each in self.files if each.startswith(inside)}))


def brought(copies: str, files: Mapping[str, str]) -> Brought:
    facts = analyse(parse(f"FROM rust\nWORKDIR /app\n{copies}\n"))
    return Brought(facts, Held(files), [i for i in facts.stages[0].instructions if isinstance(i, Transfer)])


def workspace(files: Mapping[str, str], *, at: str = "/app", copies: str = "COPY . .") -> Workspace:
    return read_workspace(brought(copies, {"Cargo.lock": "", **files}), at, at)


def package(name: str, rest: str = "", version: str = '"1.0.0"') -> str:
    return f'[package]\nname = "{name}"\nversion = {version}\n{rest}'


@pytest.mark.parametrize(
    ("copies", "path", "source"),
    [
        ("COPY . .", "/app/src/main.rs", "src/main.rs"),
        ("COPY src .", "/app/main.rs", "src/main.rs"),
        ("COPY src/main.rs x.rs", "/app/x.rs", "src/main.rs"),
        ("COPY src/main.rs .", "/app/main.rs", "src/main.rs"),
        ("COPY src/main.rs /x/", "/x/main.rs", "src/main.rs"),
        ("COPY src/main.rs a /x", "/x/main.rs", "src/main.rs"),
        ("COPY s*/*.rs /x/", "/x/main.rs", "src/main.rs"),
        ("COPY --parents src/main.rs /x", "/x/src/main.rs", "src/main.rs"),
        ('COPY ["src", "/x y"]', "/x y/main.rs", "src/main.rs"),
        ("COPY . .\nCOPY a src/main.rs", "/app/src/main.rs", "a"),
        ("COPY src .", "/app/src/main.rs", None),
    ],
)
def test_brought(copies: str, path: str, source: str | None) -> None:
    assert brought(copies, {"src/main.rs": "", "a": ""}).source(path) == source


def test_names() -> None:
    files = brought("COPY crates/a crates/a\nCOPY crates/b /app/crates/b", {"crates/a/x": "", "crates/b/y": ""})
    assert files.names("/app/crates") == ["a", "b"]
    assert files.kind("/app/crates") == "directory"
    assert files.kind("/app/crates/a/x") == "file"
    assert files.kind("/app/crates/c") is None


def test_one_package() -> None:
    assert workspace({"Cargo.toml": package("a")}) == Workspace("/app", ("/app",), ("a",), (), None)
    found = workspace({"Cargo.toml": package("a"), "src/main.rs": "", "src/bin/b.rs": ""})
    assert found.programs == ("a", "b")


MEMBERS = {
    "Cargo.toml": '[workspace]\nmembers = ["crates/*", "tool"]\nexclude = ["crates/old"]\n',
    "crates/a/Cargo.toml": package("a", '[dependencies]\nlib = { path = "../../lib" }\n'),
    "crates/old/Cargo.toml": package("old"),
    "crates/notes.txt": "",
    "lib/Cargo.toml": package("lib"),
    "tool/Cargo.toml": package("tool"),
}


def test_members() -> None:
    """Patterns, and path dependencies below the root; not what is excluded, and no file."""
    found = workspace(MEMBERS, at="/app/crates/a")
    assert found.root == "/app"
    assert set(found.members) == {"/app/crates/a", "/app/lib", "/app/tool"}


def test_an_excluded_package_stands_alone() -> None:
    files = {**MEMBERS, "crates/old/Cargo.lock": ""}
    assert workspace(files, at="/app/crates/old") == Workspace(
        "/app/crates/old", ("/app/crates/old",), ("old",), (), None
    )  # fmt: skip


def test_copied_one_by_one() -> None:
    copies = "COPY Cargo.* ./\nCOPY crates/a crates/a\nCOPY lib lib\nCOPY tool tool"
    assert set(workspace(MEMBERS, copies=copies).members) == {"/app/crates/a", "/app/lib", "/app/tool"}


@pytest.mark.parametrize(
    ("manifest", "lacking"),
    [
        (package("a"), None),
        (package("a", '[dependencies]\nb = "1"\n'), None),
        (package("a", '[dependencies]\nother = { version = "1", package = "b" }\n'), None),
        (package("a", version='"1.0.1"'), "a 1.0.1"),
        (package("a", '[dev-dependencies]\nc = "1"\n'), "c"),
    ],
)
def test_lock_file(manifest: str, lacking: str | None) -> None:
    """What `--locked` would fail for; of a lock file without packages nothing is said."""
    lock = '[[package]]\nname = "a"\nversion = "1.0.0"\n[[package]]\nname = "b"\nversion = "1.2.0"\n'
    assert lacking_in_lock_file(brought("COPY . .", {"Cargo.toml": manifest, "Cargo.lock": lock}), "/app") == lacking
    assert lacking_in_lock_file(brought("COPY . .", {"Cargo.toml": manifest, "Cargo.lock": ""}), "/app") is None


def test_inherited_path() -> None:
    root = '[workspace]\nmembers = ["a"]\n[workspace.dependencies]\nb = { path = "b" }\n'
    a = package("a", "[target.'cfg(unix)'.build-dependencies]\nb.workspace = true\n")
    files = {"Cargo.toml": root, "a/Cargo.toml": a, "b/Cargo.toml": package("b")}
    assert set(workspace(files).members) == {"/app/a", "/app/b"}


def test_toolchain() -> None:
    files = {"Cargo.toml": package("a"), "rust-toolchain.toml": "", "rust-toolchain": ""}
    assert workspace(files).toolchain == "/app/rust-toolchain"


BIN = '[[bin]]\nname = "a"\nrequired-features = ["x"]\n'
TROUBLES: list[tuple[str, dict[str, str]]] = [
    ("no-manifest", {}),
    ("no-manifest", {"Cargo.toml": "[package"}),
    ("no-manifest", {"Cargo.toml": '[workspace]\nmembers = ["a"]\n'}),
    ("path-dependency", {"Cargo.toml": package("a", '[dependencies]\nb = { path = "b" }\n')}),
    ("path-dependency", {"Cargo.toml": '[workspace]\n[patch.crates-io]\nb = { path = "b" }\n'}),
    ("path-dependency", {"Cargo.toml": package("a"), ".cargo/config.toml": '[patch.x]\nb = { path = "b" }\n'}),
    ("vendored", {"Cargo.toml": package("a"), ".cargo/config": '[source.v]\ndirectory = "vendor"\n'}),
    ("config-elsewhere", {"Cargo.toml": package("a"), ".cargo/config.toml": 'paths = ["b"]\n'}),
    ("config-elsewhere", {"Cargo.toml": package("a"), ".cargo/config.toml": '[build]\nrustc-wrapper = "ci/wrap"\n'}),
    ("config-elsewhere", {"Cargo.toml": package("a"), ".cargo/config.toml": '[build]\ntarget = "x.json"\n'}),
    ("config-elsewhere", {"Cargo.toml": package("a"), ".cargo/config.toml": "[build"}),
    ("same-version", {"Cargo.toml": package("a", BIN, '"0.0.1"')}),
    ("same-version", {"Cargo.toml": '[package]\nname = "a"\n' + BIN}),
    (
        "same-version",
        {"Cargo.toml": '[workspace.package]\nversion = "0.0.1"\n' + package("a", BIN, "{ workspace = true }")},
    ),
]


@pytest.mark.parametrize(("reason", "files"), TROUBLES)
def test_troubles(reason: str, files: dict[str, str]) -> None:
    with pytest.raises(Trouble) as trouble:
        workspace(files)
    assert trouble.value.reason == reason
    assert trouble.value.because


@pytest.mark.parametrize(
    "files",
    [
        {"Cargo.toml": package("a", version='"0.0.1"')},
        {"Cargo.toml": package("a", BIN)},
        {"Cargo.toml": package("a"), ".cargo/config.toml": '[build]\nrustc-wrapper = "/usr/bin/sccache"\n'},
        {"Cargo.toml": package("a"), ".cargo/config.toml": '[target.x]\nlinker = "aarch64-linux-gnu-gcc"\n'},
        {"Cargo.toml": '[workspace]\nmembers = ["b"]\n[patch.crates-io]\nb = { path = "b" }\n',
         "b/Cargo.toml": package("b")},
    ],
)  # fmt: skip
def test_no_trouble(files: dict[str, str]) -> None:
    assert workspace(files).root == "/app"


def test_no_lock_file() -> None:
    files = brought("COPY Cargo.toml .", {"Cargo.toml": package("a"), "Cargo.lock": ""})
    with pytest.raises(Trouble, match=r"Cargo\.lock"):
        read_workspace(files, "/app", "/app")


def test_configuration_above_the_workspace() -> None:
    files = {"x/Cargo.toml": package("a"), "x/Cargo.lock": "", ".cargo/config.toml": ""}
    with pytest.raises(Trouble) as trouble:
        workspace(files, at="/app/x")
    assert trouble.value.reason == "config-elsewhere"


def call(text: str, at: str = "/app") -> Cargo:
    cargo = read_cargo([Known(word) for word in text.split()], Known(at), lambda name: None)
    assert cargo is not None
    return cargo


LIB = '[lib]\nname = "own"\ncrate-type = ["cdylib", "rlib"]\n'
TWO = {
    "Cargo.toml": '[workspace]\nmembers = ["a", "libs/*"]\n',
    "a/Cargo.toml": package("a-server", '[[bin]]\nname = "serve"\npath = "src/other.rs"\n'),
    "a/src/main.rs": "", "a/src/bin/tool.rs": "", "a/src/bin/deep/main.rs": "", "a/src/bin/deep/more.rs": "",
    "libs/x/Cargo.toml": package("x", LIB), "libs/x/src/lib.rs": "",
    "libs/y/Cargo.toml": package("y", '[lib]\ncrate-type = ["rlib"]\n'), "libs/y/src/lib.rs": "",
}  # fmt: skip
CHOSEN = f'{TWO["Cargo.toml"]}default-members = ["libs/*"]\n'
TOP = TWO["Cargo.toml"] + package("top")
SERVER = {"serve", "a-server", "tool", "deep"}


@pytest.mark.parametrize(
    ("files", "text", "at", "bins", "libs"),
    [
        (TWO, "cargo build", "/app", SERVER, {"own"}),
        (TWO, "cargo build", "/app/a", SERVER, set()),
        (TWO, "cargo build", "/app/a/src", SERVER, set()),
        (TWO, "cargo build --workspace", "/app/a", SERVER, {"own"}),
        ({**TWO, "Cargo.toml": CHOSEN}, "cargo build", "/app", set(), {"own"}),
        ({**TWO, "Cargo.toml": TOP, "src/main.rs": ""}, "cargo build", "/app", {"top"}, set()),
        (TWO, "cargo build -p a-server", "/app", SERVER, set()),
        (TWO, "cargo build -p x -p y", "/app", set(), {"own"}),
        (TWO, "cargo rustc -p y --crate-type cdylib", "/app", set(), {"y"}),
        ({"Cargo.toml": package("a", "autobins = false\n"), "src/main.rs": ""}, "cargo build", "/app", set(), set()),
        ({"Cargo.toml": package("my-a"), "src/main.rs": ""}, "cargo build", "/app", {"my-a"}, set()),
        ({"Cargo.toml": package("my-a", '[lib]\ncrate-type = ["staticlib"]\n'), "src/lib.rs": ""},
         "cargo build", "/app", set(), {"my_a"}),
        ({"Cargo.toml": package("a", '[dependencies]\nb = { path = "../b" }\n'), "src/main.rs": ""},
         "cargo build", "/app", {"a"}, set()),
    ],
)  # fmt: skip
def test_products(files: dict[str, str], text: str, at: str, bins: set[str], libs: set[str]) -> None:
    products = products_of(brought("COPY . .", files), call(text, at))
    assert products is not None
    assert (products.bins, products.libs) == (bins, libs)


def test_programs_that_need_features() -> None:
    programs = '[[bin]]\nname = "x"\nrequired-features = ["cli"]\n[[bin]]\nname = "y"\n'
    files = brought("COPY . .", {"Cargo.toml": package("a", programs), "src/x.rs": ""})
    products = products_of(files, call("cargo build"))
    assert products is not None
    assert products.needy == {"x"}


@pytest.mark.parametrize(
    ("files", "text"),
    [
        ({"src/main.rs": ""}, "cargo build"),
        ({"Cargo.toml": package("a")}, "cargo build"),
        ({"Cargo.toml": "name = ["}, "cargo build"),
        ({"Cargo.toml": '[workspace]\nmembers = ["a"]\n'}, "cargo build"),
        (TWO, "cargo build -p serde"),
        (TWO, "cargo build -p x@1.0.0"),
        (TWO, "cargo build --manifest-path elsewhere/../../Cargo.toml"),
    ],
)
def test_products_that_nobody_knows(files: dict[str, str], text: str) -> None:
    assert products_of(brought("COPY . .", files), call(text)) is None


@pytest.mark.parametrize(
    ("configs", "text", "at", "directory"),
    [
        ({".cargo/config.toml": '[build]\ntarget-dir = "out"\n'}, "cargo build", "/app", "/app/out"),
        ({".cargo/config": '[build]\ntarget-dir = "../out/"\n'}, "cargo build", "/app", "/out"),
        ({".cargo/config.toml": '[build]\ntarget-dir = "/t"\n'}, "cargo build", "/app/x/y", "/t"),
        ({".cargo/config.toml": '[build]\ntarget-dir = "o"\n', "x/.cargo/config.toml": '[build]\ntarget-dir = "i"\n'},
         "cargo build", "/app/x", "/app/x/i"),
        ({".cargo/config.toml": '[build]\ntarget-dir = "o"\n', "x/.cargo/config.toml": "[build]\njobs = 2\n"},
         "cargo build", "/app/x", "/app/o"),
        ({"x/.cargo/config.toml": '[build]\ntarget-dir = "i"\n'}, "cargo build", "/app", None),
        ({"x/.cargo/config.toml": '[build]\ntarget-dir = "i"\n'}, "cargo install --path x", "/app", "/app/x/i"),
        ({".cargo/config.toml": '[build]\ntarget-dir = "out"\n'}, "cargo build --target-dir y", "/app", "/app/y"),
        ({".cargo/config.toml": "[build\n"}, "cargo build", "/app", None),
    ],
)  # fmt: skip
def test_configured(configs: dict[str, str], text: str, at: str, directory: str | None) -> None:
    cargo = configured(brought("COPY . .", configs), call(text, at))
    assert cargo.target_dir == (None if directory is None else Known(directory))
