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
        ("cargo build -r && tar -czf /x --exclude=./target . && cp -r src /s",
         f"{TOUCH} && cargo build -r && tar -czf /x --exclude=./target . && cp -r src /s && {MOVE}"),
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
        "cargo build -r && cp -r . /elsewhere",
        "cargo build -r && cp -a /app /elsewhere",
        "cargo build -r && tar -czf /x.tgz -C / app",
        "cargo build -r && rsync -a --exclude .git ./ /elsewhere",
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


FIND = "find {} -path ./target -prune -o -type f -exec touch {{}} +"
CRATE = '[package]\nname = "api"\nversion = "0.1.0"\n[dependencies]\n'


def step_or_reasons(head: str, files: dict[str, str] | None = None, where: Path | None = None, *, command: str) -> str:
    """The touch and what follows it, up to what takes the program out; or the reasons of the refusals."""
    source = f"FROM rust:1.84-bookworm AS builder\n{head}\nRUN {command}\n{TAIL}"
    context = None
    if files is not None and where is not None:
        for name, text in {"Dockerfile": source, "Cargo.lock": "", "src/main.rs": "", **files}.items():
            (where / name).parent.mkdir(parents=True, exist_ok=True)
            (where / name).write_text(text)
        context = FoundContext(str(where / "Dockerfile"), str(where))
    outcome = fix(source, select=["cargo-target-cache"], project="p", **({"context": context} if context else {}))
    assert outcome.error is None
    if outcome.after == source:
        return " ".join(refusal.reason for refusal in outcome.refusals)
    step = outcome.after.partition("sharing=locked")[2].partition("\nFROM")[0]
    line = " ".join(step.replace("\\\n", " ").split())
    return line.partition(" && cargo")[0].partition(" && runuser")[0].partition(" && mv")[0]


@pytest.mark.parametrize(
    ("head", "roots"),
    [
        # Sources that something else than COPY from the context brings.
        ("WORKDIR /app\nRUN git clone -b $V https://example.com/rates /rates\nCOPY . .", ". /rates"),
        ("WORKDIR /app\nRUN git clone https://example.com/rates.git ../rates\nCOPY . .", ". /rates"),
        ("WORKDIR /app\nRUN mkdir /rates && tar xzf /tmp/rates.tgz -C /rates\nCOPY . .", ". /rates"),
        ("WORKDIR /app\nRUN mkdir /rates && unzip /tmp/rates.zip -d /rates\nCOPY . .", ". /rates"),
        ("WORKDIR /app\nADD rates.tar.gz /rates/\nCOPY . .", ". /rates"),
        ("WORKDIR /app\nADD https://example.com/rates.git#v2 /rates\nCOPY . .", ". /rates"),
        ("WORKDIR /app\nCOPY --from=rates . /rates\nCOPY . .", ". /rates"),
        ("WORKDIR /app\nCOPY --from=registry.example.com/rates:1 /src /rates\nCOPY . .", ". /rates"),
        ("WORKDIR /app\nCOPY . .\nRUN cp -r /app/vendored/rates /rates", ". /rates"),
        ("WORKDIR /app\nCOPY rates /src/rates\nRUN mv /src/rates /rates\nCOPY . .", ". /rates"),
        ("WORKDIR /app\nCOPY . .\nRUN mkdir /gen && protoc --rust_out=/gen api.proto", ". /gen"),
        ("WORKDIR /app\nRUN git clone https://example.com/r /r && mv /r /rates\nCOPY . .", ". /rates"),
        # What is no crate, or is gone.
        ("WORKDIR /app\nRUN git clone https://example.com/r /r && rm -rf /r\nCOPY . .", "."),
        ("WORKDIR /app\nRUN git clone https://example.com/c /c && cd /c && make install\nCOPY . .", "."),
        ("WORKDIR /app\nRUN git clone https://example.com/c /tmp/c\nCOPY . .", "."),
        ("WORKDIR /app\nRUN curl -L https://example.com/x.tgz | tar xz -C /usr/local\nCOPY . .", "."),
        ("WORKDIR /app\nRUN curl -L https://example.com/ndk.tgz | tar xz -C /opt/ndk\nCOPY . .", "."),
        ("WORKDIR /app\nCOPY --from=tonistiigi/xx / /\nCOPY . .", "."),
        ("WORKDIR /app\nCOPY --from=ghcr.io/example/mold /opt/mold /opt/mold\nCOPY . .", "."),
        ("WORKDIR /app\nADD https://example.com/data.tar.gz /data/\nCOPY . .", "."),
        ("WORKDIR /app\nCOPY . .\nRUN cp config.toml /srv/config.toml", "."),
        ("WORKDIR /app\nCOPY . .\nRUN git config --global user.name x", "."),
        ("WORKDIR /app\nRUN --mount=type=cache,target=/r git clone https://example.com/r /r\nCOPY . .", "."),
    ],
)
def test_what_is_touched(head: str, roots: str) -> None:
    assert step_or_reasons(head, command="cargo build -r") == FIND.format(roots)


@pytest.mark.parametrize(
    "head",
    [
        "WORKDIR /app\nRUN test -z $X || git clone https://example.com/rates /rates\nCOPY . .",
        "WORKDIR /app\nRUN git clone https://example.com/rates /w/rates\nCOPY . .\nRUN rm -rf /w/*",
    ],
)
def test_sources_that_may_be_there(head: str) -> None:
    assert step_or_reasons(head, command="cargo build -r") == "sources-elsewhere"


@pytest.mark.parametrize(
    ("head", "manifest", "expected"),
    [
        ("COPY . .", 'rates = { path = "crates/rates" }', FIND.format(".")),
        ("COPY . .", 'rates = { path = "../rates" }', "sources-elsewhere"),
        ("COPY . .\nCOPY kit /\nRUN ./unpack.sh", 'rates = { path = "/rates" }', FIND.format(". /rates")),
        ("COPY . .\nRUN ./unpack.sh", 'rates = { path = "/rates" }', "sources-elsewhere"),
        ("COPY . .\nCOPY --from=kits .x /.x", 'rates = { path = "/.x/rates" }', FIND.format(". /.x/rates")),
        ("COPY . .\nRUN git clone https://e.com/r /opt/r", 'r = { path = "/opt/r/core" }', FIND.format(". /opt/r")),
        ("COPY . .\nRUN curl -L e.com/r | tar xz -C /opt", 'r = { path = "/opt/r" }', FIND.format(". /opt/r")),
        ("COPY . .", '[patch.crates-io]\nr = { path = "/r" }', "sources-elsewhere"),
        ("COPY . .", '[replace]\n"r:1.0.0" = { path = "/r" }', "sources-elsewhere"),
        ("COPY . .", '[target."cfg(unix)".dependencies]\nr = { path = "../r" }', "sources-elsewhere"),
        ("COPY . .\nRUN test -z $X || git clone https://example.com/r /r", 'serde = "1"', FIND.format(".")),
    ],
)
def test_crates_by_path(head: str, manifest: str, expected: str, tmp_path: Path) -> None:
    files = {"Cargo.toml": CRATE + manifest + "\n"}
    assert step_or_reasons("WORKDIR /app\n" + head, files, tmp_path, command="cargo build -r") == expected


def test_crate_by_path_of_a_crate_by_path(tmp_path: Path) -> None:
    files = {
        "Cargo.toml": CRATE + 'a = { path = "a" }\n',
        "a/Cargo.toml": CRATE.replace("api", "a") + 'b = { path = "../../b" }\n',
    }
    assert step_or_reasons("WORKDIR /app\nCOPY . .", files, tmp_path, command="cargo build -r") == "sources-elsewhere"


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("RUN git clone https://example.com/all /src\nWORKDIR /src/server", "find /src -type f -exec touch {} +"),
        ("COPY . /src\nWORKDIR /src/server", "find /src -type f -exec touch {} +"),
        ("COPY server /src/server\nCOPY rates /src/rates\nWORKDIR /src/server",
         "find . /src/rates -type f -exec touch {} +"),
        ("WORKDIR /src\nRUN curl -L https://example.com/all.tgz | tar xz\nWORKDIR /src/server",
         "find /src -type f -exec touch {} +"),
        ("WORKDIR /src\nRUN ./fetch\nWORKDIR /src/server", "sources-elsewhere"),
    ],
)  # fmt: skip
def test_sources_beside_a_given_target_directory(head: str, expected: str) -> None:
    assert step_or_reasons(head, command="cargo build -r --target-dir /app/target") == expected


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("COPY . /src/api\nRUN ln -s /src/api /app\nWORKDIR /app", FIND.format(".")),
        ("COPY . /src/api\nRUN ln -s /src/api /w\nRUN ln -s /w /app\nWORKDIR /app", FIND.format(".")),
        ("COPY . /src/api\nCOPY rates /src/rates\nRUN ln -s /src/api /app\nWORKDIR /app", FIND.format(". /src/rates")),
        ("COPY . /src/api\nRUN ln -s /src/api /app\nWORKDIR /\nRUN cp -r /src/api/rates /rates\nWORKDIR /app",
         FIND.format(". /rates")),
    ],
)  # fmt: skip
def test_sources_behind_a_link(head: str, expected: str) -> None:
    assert step_or_reasons(head, command="cargo build -r") == expected


def test_target_directory_that_is_read_by_its_other_name() -> None:
    head = HEAD.replace("WORKDIR /app\nCOPY . .", "COPY . /src\nRUN ln -s /src /app\nWORKDIR /app")
    source = head + "RUN cargo build -r\n" + TAIL + "COPY --from=builder /src/target/release/worker /worker\n"
    outcome = fix(source, select=["cargo-target-cache"], project="p")
    assert [refusal.reason for refusal in outcome.refusals] == ["fixed-reader"]


USER = "RUN useradd -m -u 1000 web\nWORKDIR /app\nCOPY --chown=web . .\n"


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("runuser -u web -- cargo build -r", ",uid=1000,gid=1000 " + TOUCH),
        ("sudo -u web cargo build -r", ",uid=1000,gid=1000 " + TOUCH + " && sudo -u web cargo build -r"),
        ("gosu web cargo build -r", ",uid=1000,gid=1000 " + TOUCH + " && gosu web cargo build -r"),
        ("sudo cargo build -r", TOUCH + " && sudo cargo build -r"),
        ("gosu other cargo build -r", "unknown-user"),
        ("cargo fetch && cargo build -r && runuser -u web -- cargo build -r", "unknown-user"),
    ],
)
def test_another_user_compiles(command: str, expected: str) -> None:
    assert step_or_reasons(USER, command=command) == expected


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("cargo build -r", ",uid=1000,gid=1000 " + TOUCH),
        ("sudo -u web cargo build -r", ",uid=1000,gid=1000 " + TOUCH + " && sudo -u web cargo build -r"),
        ("sudo cargo build -r", "unwritable-sources"),
    ],
)
def test_the_user_of_the_step_touches(command: str, expected: str) -> None:
    assert step_or_reasons(USER + "USER web", command=command) == expected


def test_a_user_cannot_touch_what_root_fetched() -> None:
    head = USER + "RUN git clone https://example.com/rates /rates\nUSER web"
    assert step_or_reasons(head, command="cargo build -r") == "unwritable-sources"


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ("ARG SUITE=bookworm\nFROM rust:1.84-${SUITE} AS builder\nARG SUITE", ["p-target-$SUITE"]),
        ("ARG SUITE=bookworm\nFROM rust:1.84-${SUITE} AS builder", ["variable-base"]),
        ("ARG BASE=rust:1.84\nFROM $BASE AS builder", ["variable-base"]),
        ("ARG RUST_VERSION=1.84\nFROM rust:${RUST_VERSION}-bookworm AS builder", ["p-target"]),
        ("ARG RUST=1.84\nFROM rust:$RUST AS builder", ["p-target"]),
        ("FROM rust:1.84 AS builder\nARG SUITE", ["p-target"]),
    ],
)
def test_argument_that_chooses_the_system(base: str, expected: list[str]) -> None:
    source = HEAD.replace("FROM rust:1.84 AS builder", base) + "RUN cargo build -r\n" + TAIL
    assert ids_or_reasons(source) == expected


@pytest.mark.parametrize(
    ("stages", "expected"),
    [
        (("rust:1.84-bookworm", "rust:1.84-bullseye"), ["p-app-target", "p-app1-target"]),
        (("rust:1.84 AS a", "rust:1.84 AS b"), ["p-a-target", "p-b-target"]),
        (("rust:1.84 AS app", "rust:1.84"), ["p-app-target", "p-app1-target"]),
    ],
)
def test_caches_of_two_systems(stages: tuple[str, str], expected: list[str]) -> None:
    source = "".join(f"FROM {base}\nWORKDIR /app\nCOPY . .\nRUN cargo build -r\n\n" for base in stages)
    source += "FROM debian:12\nCOPY --from=0 /app/target/release/a /a\nCOPY --from=1 /app/target/release/b /b\n"
    assert ids_or_reasons(source) == expected


def ids_or_reasons(source: str) -> list[str]:
    outcome = fix(source, select=["cargo-target-cache"], project="p")
    assert outcome.error is None
    found = [part.partition(",")[0] for part in outcome.after.split("type=cache,id=")[1:]]
    return found or [refusal.reason for refusal in outcome.refusals]


@pytest.mark.parametrize(
    ("before", "taken", "refused"),
    [
        ("", "/root/.cache/onnx", True),
        ("RUN apt-get update && apt-get install -y cmake\n", "/root/.cache/onnx", True),
        ("RUN curl --create-dirs -o /root/.cache/onnx/x.so e.com\n", "/root/.cache/onnx", False),
        ("RUN ./fetch-model\n", "/root/.cache/onnx", False),
        ("COPY onnx /root/.cache/onnx\n", "/root/.cache/onnx", False),
        ("ENV CARGO_HOME=/root/.cargo\n", "/root/.cargo/bin/tool", False),
        ("", "/etc/ssl/certs", False),
        ("", "/app/assets", False),
    ],
)
def test_what_a_build_script_leaves_in_the_home(before: str, taken: str, refused: bool) -> None:
    source = HEAD + before + "RUN cargo build -r\n" + TAIL + f"COPY --from=builder {taken} /x\n"
    assert ids_or_reasons(source) == (["not-provably-written"] if refused else ["p-target"])


@pytest.mark.parametrize(
    ("first", "second", "by"),
    [
        ("cargo build -r", "cargo build -r --features tls", 2),
        ("cargo build -r --features tls", "cargo build -r", 0),
        ("cargo build -r --features tls", "cargo build -r --bin api", 2),
        ("cargo build -r", "cargo build -r --no-default-features", 0),
        ("cargo build -r -p server", "cargo build -r -p api", 2),
        ("cargo build -r -p server", "cargo build -r -p server", 2),
        ("cargo build -r -p api", "cargo build -r -p server", 0),
        ("cargo build -r", "cargo build -r -p server", 0),
        ("cargo build -r", "cargo test -r", 0),
        ("cargo build -r", "cargo test", 1),
        ("cargo build -r", "cargo build", 1),
        ("cargo build -r --bin api", "cargo build -r --bin other", 1),
    ],
)
def test_the_step_that_makes_it(first: str, second: str, by: int) -> None:
    """Without manifests: the step out of which the product is moved; 0 if that is not certain."""
    outcome = fix(HEAD + f"RUN {first}\nRUN {second}\n" + TAIL, select=["cargo-target-cache"], project="p")
    steps = outcome.after.split("RUN ")[1:]
    assert [at for at, step in enumerate(steps, 1) if MOVE in step] == ([by] if by else [])


@pytest.mark.parametrize(
    ("script", "right"),
    [
        ("cargo build -r --target $T && cp target/$T/release/api /x", True),
        ("cargo build -r --target=$T && cp ./target/${T}/release/api /x", True),
        ('cargo build -r --target "$T" && strip "target/$T/release/api" && mv "target/$T/release/api" /x', True),
        ("cargo build --profile $P -p $A && cp target/$P/$A /x", True),
        ("cargo build --$P --bin $A && cp /app/target/$P/$A /x", True),
        ("(cd sub && cargo build -r --target $T) && cp target/$T/release/api /x", True),
        ("cargo build -r --target $T && cp target/$U/release/api /x", False),
        ("cargo build -r --features $T && cp target/$T/release/api /x", False),
        ("cargo build -r --bin $T && cp target/$T/release/api /x", False),
        ("cp target/$T/release/api /x && cargo build -r --target $T", False),
        ("cargo build -r --target $T; T=b; cp target/$T/release/api /x", False),
        ("cargo build -r --target $T && export T=$U && cp target/$T/release/api /x", False),
        ("cargo build -r --target $T && ln -s target/$T/release/api /x", False),
        ("cargo build -r --target $T && cp -al target/$T/release/api /x", False),
        ("cargo build -r --target $T && rm target/$T/release/api", False),
        ("cargo build -r --target $T && cp target/$T/release/*.so /x", False),
        ("cargo build -r --target $T && cp -r target/$T/release /x", False),
        ("cargo build -r --target $T && mv target/$T/release/libx.so /x", False),
        ("cargo build -r --target $T && if true; then cp target/$T/release/api /x; fi", False),
    ],
)
def test_names_by_the_variables_of_the_call(script: str, right: bool) -> None:
    head = HEAD.replace("COPY", "ARG T\nARG P\nARG A\nARG U\nCOPY")
    source = head + f"RUN {script}\nFROM scratch\nCOPY --from=0 /x /x\n"
    assert ("id=p-target" in fix(source, select=["cargo-target-cache"], project="p").after) is right


@pytest.mark.parametrize(
    ("command", "found"),
    [
        ("cp -p api /x", "p-target"),
        ("cp api $OUT/ && cd /app && cp *.md /x", "p-target"),
        ("cp *.so /x", "glob"),
        ("rm -rf *", "glob"),
        ("cp $(ls) /x", "unknown-path"),
        ("cp -l api /x", "fixed-reader"),
        ("cp --symbolic-link /app/target/release/api /x", "fixed-reader"),
    ],
)
def test_what_a_command_takes_that_stands_in_the_cache(command: str, found: str) -> None:
    source = HEAD + f"RUN cargo build -r && cd target/release && {command}\nFROM scratch\nCOPY --from=0 /x /x\n"
    assert ids_or_reasons(source) == [found]
