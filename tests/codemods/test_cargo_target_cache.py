"""Forms of a step that are too small for a case of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixer.engine.context import FoundContext
from fixer.engine.run import fix

HEAD = "FROM rust:1.84 AS builder\nWORKDIR /app\nCOPY . .\n"
TAIL = "\nFROM debian:bookworm-slim\nCOPY --from=builder /app/target/release/api /api\n"
MOUNT = "RUN --mount=type=cache,id=p-target,target=/app/target,sharing=locked "
TOUCH = "find . -path ./target -prune -o -type f -exec touch {} +"
ABSOLUTE = "find /app -path /app/target -prune -o -type f -exec touch {} +"
MOVE = "mv target/release/api /tmp/api"


def cached(script: str) -> str:
    """The step after the fix, without its mount and without line breaks; "" if nothing was changed."""
    source = HEAD + "RUN " + script + "\n" + TAIL
    outcome = fix(source, select=["cargo-target-cache"], project="p")
    assert outcome.error is None
    if outcome.after == source:
        return ""
    step = outcome.after.partition("COPY . .\n")[2].partition("\nFROM")[0]
    line = " ".join(step.replace("\\\n", " ").split())
    assert line.startswith(MOUNT)
    return line.removeprefix(MOUNT)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("cargo build -r", f"{TOUCH} && cargo build -r && {MOVE}"),
        ("RUSTFLAGS=-g cargo build -r", f"{TOUCH} && RUSTFLAGS=-g cargo build -r && {MOVE}"),
        ("rustc --version; cargo build -r", f"rustc --version; {TOUCH} && cargo build -r && {MOVE}"),
        ("set -e; rustc --version; cargo build -r", f"set -e; rustc --version; {TOUCH}; cargo build -r; {MOVE}"),
        ("(cargo build -r)", f"{ABSOLUTE} && (cargo build -r) && mv /app/target/release/api /tmp/api"),
        ("sh -c 'cargo build -r'", f"{ABSOLUTE} && sh -c 'cargo build -r' && mv /app/target/release/api /tmp/api"),
        ('["cargo", "build", "-r"]', f"{TOUCH} && cargo build -r && {MOVE}"),
        ("<<E\nset -e\ncargo build -r\nE", f"<<E set -e {TOUCH} cargo build -r {MOVE} E"),
        ("<<E\ncargo build -r\nE", f"<<E {TOUCH} && cargo build -r && {MOVE} E"),
        ("cargo test -r && cargo build -r", f"{TOUCH} && cargo test -r && cargo build -r && {MOVE}"),
        ("cargo fetch && cargo build -r", f"cargo fetch && {TOUCH} && cargo build -r && {MOVE}"),
        ("a || b && cargo build -r", f"a || b && {TOUCH} && cargo build -r && {MOVE}"),
        ("find . -type f -exec touch {} + && cargo build -r",
         f"find . -path ./target -prune -o -type f -exec touch {{}} + && cargo build -r && {MOVE}"),
        ("find /app/ -name '*.rs' -exec touch {} \\; && cargo build -r",
         f"find /app/ -path /app/target -prune -o -name '*.rs' -exec touch {{}} \\; && cargo build -r && {MOVE}"),
        ("find . -name '*.rs' ! -path './target/*' -exec touch {} + && cargo build -r",
         f"find . -name '*.rs' ! -path './target/*' -exec touch {{}} + && cargo build -r && {MOVE}"),
        ("find src -name '*.rs' -exec touch {} + && cargo build -r",
         f"find src -name '*.rs' -exec touch {{}} + && {TOUCH} && cargo build -r && {MOVE}"),
        ("find . -name main.rs -exec touch {} + && cargo build -r",
         f"find . -name main.rs -exec touch {{}} + && {TOUCH} && cargo build -r && {MOVE}"),
        ("find . -name '*.rs' -exec touch {} +; cargo build -r",
         f"find . -name '*.rs' -exec touch {{}} +; {TOUCH} && cargo build -r && {MOVE}"),
        ("touch src/main.rs && cargo build -r", f"touch src/main.rs && {TOUCH} && cargo build -r && {MOVE}"),
        ("cargo build -r && cp target/release/x target/release/api",
         f"{TOUCH} && cargo build -r && cp target/release/x /tmp/api"),
        ("cargo build -r && mv target/release/x target/release/api && strip target/release/api",
         f"{TOUCH} && cargo build -r && mv target/release/x target/release/api && strip target/release/api && {MOVE}"),
        ("cargo build -r && objcopy --strip-debug target/release/x target/release/api",
         f"{TOUCH} && cargo build -r && objcopy --strip-debug target/release/x target/release/api && {MOVE}"),
    ],
)
def test_cached(script: str, expected: str) -> None:
    assert cached(script) == expected


@pytest.mark.parametrize(
    "script",
    [
        "cargo build -r || true",
        "cargo build -r | cat",
        "if true; then cargo build -r; fi",
        "cargo build -r &",
        "cargo build -r; make install",
        "cargo build -r && rm -rf /app",
        "cargo build -r && mv target /elsewhere",
        "cargo build -r && mv target/release/libx.so /usr/lib/",
        "cargo build -r && cp target/release/libx.so /usr/lib/ && rm target/release/libx.so",
        "cargo build -r && mv target/release/build/api /x",
        "cargo build -r && if true; then mv target/release/x target/release/api; fi",
        "cargo build -r && cp -r target/release /elsewhere",
        "cargo build -r && cp target/release/* /elsewhere",
        "cargo build -r && ln -s /app/target/release/api /usr/bin/api",
        "cargo check",
        "cargo fetch",
    ],
)
def test_left_alone(script: str) -> None:
    assert cached(script) == ""


def test_arguments_of_the_platform_are_part_of_the_name() -> None:
    source = HEAD.replace("WORKDIR", "ARG TARGETPLATFORM\nWORKDIR") + "RUN cargo build -r\n" + TAIL
    assert "id=p-target-$TARGETPLATFORM," in fix(source, select=["cargo-target-cache"], project="p").after


def test_with_bound_sources_in_any_order(tmp_path: Path) -> None:
    """What cargo installs by itself is cached whether its sources are copied or bound by then."""
    dockerfile = tmp_path / "Dockerfile"
    text = HEAD + "RUN cargo install --path .\n\nFROM debian:12\nCOPY --from=builder /usr/local/cargo/bin/api /api\n"
    dockerfile.write_text(text)
    (tmp_path / "Cargo.toml").write_text('[package]\nname = "api"\nversion = "0.1.0"\n')
    (tmp_path / "Cargo.lock").write_text("")
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "main.rs").write_text("fn main() {}\n")
    ids = ("bind-sources", "cargo-target-cache")
    found = []
    for order in ([ids], [ids[:1], ids[1:]], [ids[1:], ids[:1]]):
        after = text
        for select in order:
            context = FoundContext(str(dockerfile), str(tmp_path))
            after = fix(after, select=select, unsafe_fixes=True, project="p", context=context).after
        found.append(sorted(after.replace("\\\n", "").split()))
    assert found[0] == found[1] == found[2]
    assert "--mount=type=cache,id=p-target,target=/app/target,sharing=locked" in found[0]
    assert "--mount=type=bind,source=src,target=src,rw" in found[0]
