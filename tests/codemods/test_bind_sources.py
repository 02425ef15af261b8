"""bind-sources: what cannot stand in a corpus, because Git would not keep it."""

from __future__ import annotations

from pathlib import Path

import pytest

import fixer
from fixer.engine.context import FoundContext

TEXT = """\
FROM rust:1.90 AS build
WORKDIR /app
COPY . .
RUN cargo build --release

FROM debian:bookworm-slim
COPY --from=build /app/target/release/ledger /usr/local/bin/
"""
MANIFEST = '[package]\nname = "ledger"\nversion = "0.1.0"\nbuild = "ci/version.rs"\n'


def bound(folder: Path, files: dict[str, str]) -> str:
    for name, text in {"Cargo.toml": MANIFEST, "Cargo.lock": "version = 4\n", "src/main.rs": "", **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    path = str(folder / "Dockerfile")
    context = FoundContext(path, str(folder))
    return fixer.fix(TEXT, path=path, select=["bind-sources"], unsafe_fixes=True, context=context).after


@pytest.mark.parametrize(
    ("script", "wanted"), [('fn main() { Command::new("git"); }', True), ("fn main() {}", False)]
)  # fmt: skip
def test_a_build_script_of_another_name_asks_git(tmp_path: Path, script: str, wanted: bool) -> None:
    after = bound(tmp_path, {"ci/version.rs": script, ".git/HEAD": "ref: refs/heads/main\n"})
    assert ("source=.git," in after) is wanted
    assert "source=ci," in after


def test_an_empty_directory_is_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / "spare").mkdir()
    assert bound(tmp_path, {"Cargo.toml": MANIFEST.replace('build = "ci/version.rs"\n', "")}) != TEXT
    assert "spare" not in bound(tmp_path, {})
