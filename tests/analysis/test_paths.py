"""Who reads and writes a path, and what instructions do to the file system."""

from __future__ import annotations

import pytest

from fixer.analysis import Facts, Reader
from fixer.analysis.programs import surely_reads
from fixer.tree.nodes import Run
from fixer.tree.shell import OpaqueScript
from tests.analysis.help import facts, last, show

RUN = "RUN --mount=type=cache,target=/app/target cargo build --release\n"
HEAD = "FROM rust AS b\nWORKDIR /app\n" + RUN


def _readers(found: Facts, path: str = "/app/target") -> list[Reader]:
    """The readers of `path` in the first stage after its first RUN."""
    stage = found.stages[0]
    first = next((i for i in stage.instructions if isinstance(i, Run)), None)
    return list(found.readers(stage, path, first))


def _rows(text: str, path: str = "/app/target") -> list[tuple[str, str, str | None, str, str]]:
    """kind, text of the span, path, relation, and `site`, `fixed` or `mount`."""
    found = facts(text)
    out = []
    for r in _readers(found, path):
        how = "mount" if r.through_mount is not None else "site" if r.site is not None else "fixed"
        assert r.site is not None or r.why
        out.append((r.kind, found.file.text[r.span.start : r.span.end], show(r.path), r.relation, how))
    return out


def _one(text: str, path: str = "/app/target") -> tuple[str, str, str | None, str, str] | None:
    rows = _rows(text, path)
    assert len(rows) < 2, rows
    return rows[0] if rows else None


BIN = "/app/target/release/x"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"COPY --from=b {BIN} /x\n", (BIN, BIN, "inside", "site")),
        (f"COPY --from=B {BIN} /x\n", (BIN, BIN, "inside", "site")),
        (f"COPY --from=0 {BIN} /x\n", (BIN, BIN, "inside", "site")),
        ("COPY --from=b app/target/release/x /x\n", ("app/target/release/x", BIN, "inside", "site")),
        (f'COPY --from=b "{BIN}" /x\n', (f'"{BIN}"', BIN, "inside", "site")),
        (f'COPY --from=b ["{BIN}", "/x"]\n', (f'"{BIN}"', BIN, "inside", "site")),
        (f"COPY --chown=1:1 --from=b /etc/passwd {BIN} /x/\n", (BIN, BIN, "inside", "site")),
        ("COPY --from=b /app/target /x\n", ("/app/target", "/app/target", "same", "site")),
        ("COPY --from=b /app/target/ /x\n", ("/app/target/", "/app/target", "same", "site")),
        ("COPY --from=b /app /x\n", ("/app", "/app", "above", "fixed")),
        ("COPY --from=b / /\n", ("/", "/", "above", "fixed")),
        ("COPY --from=b . /\n", (".", "/", "above", "fixed")),
        ("COPY --from=b /app/target/release/*.so /x\n", ("/app/target/release/*.so", "?", "inside", "fixed")),
        ("COPY --from=b /app/*/release/x /x\n", ("/app/*/release/x", "?", "unknown", "fixed")),
        ("ARG T\nCOPY --from=b /app/target/$T/x /x\n", ("/app/target/$T/x", "?", "inside", "site")),
        ("ARG T\nCOPY --from=b /app/$T/x /x\n", ("/app/$T/x", "?", "unknown", "fixed")),
        ("ARG T\nCOPY --from=b $T /x\n", ("$T", "?", "unknown", "fixed")),
        ("ARG T=release\nCOPY --from=b /app/target/$T/x /x\n", ("/app/target/$T/x", BIN, "inside", "site")),
        (f"COPY --parents --from=b {BIN} /x\n", (BIN, BIN, "inside", "fixed")),
        (f"COPY {BIN} /x\n", None),
        ("COPY --from=b /app/targets /x\n", None),
        (f"COPY --from=debian {BIN} /x\n", None),
        (f"ONBUILD COPY --from=b {BIN} /x\n", (BIN, BIN, "inside", "fixed")),
    ],
)
def test_copy_from(text: str, expected: tuple[str, str, str, str] | None) -> None:
    found = _one(HEAD + "FROM debian\n" + text)
    assert found == (("copy", *expected) if expected is not None else None)


@pytest.mark.parametrize(
    ("mount", "expected"),
    [
        (
            "from=b,source=/app/target/release,target=/r",
            ("/app/target/release", "/app/target/release", "inside", "site"),
        ),
        ("from=b,src=app/target,target=/r", ("app/target", "/app/target", "same", "site")),
        ("from=b,target=/r", (None, "/", "above", "fixed")),
        ("type=cache,from=b,source=/app,target=/r", ("/app", "/app", "above", "fixed")),
        ("from=0,source=/app/target,target=/r", None),
        ("from=b,source=/other,target=/r", None),
    ],
)
def test_mount_from(mount: str, expected: tuple[str | None, str, str, str] | None) -> None:
    found = _one(HEAD + f"FROM debian\nRUN --mount={mount} true\n")
    if expected is None or found is None:
        assert found is expected
        return
    assert (found[0], *found[2:]) == ("mount", *expected[1:])
    assert expected[0] is None or found[1] == expected[0]


def test_all_stages_and_their_children_are_searched() -> None:
    text = (
        HEAD + "FROM b AS mid\nFROM mid AS low\n"
        f"FROM debian\nCOPY --from=mid {BIN} /1\nCOPY --from=2 {BIN} /2\nCOPY --from=b {BIN} /3\n"
    )
    assert [row[0] for row in _rows(text)] == ["copy", "copy", "copy"]


def test_a_name_given_twice_means_the_last() -> None:
    text = HEAD + f"FROM debian AS b\nFROM debian\nCOPY --from=b {BIN} /x\n"
    assert _rows(text) == []


# --- RUN -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("cp target/release/x /x", [("target/release/x", BIN, "inside", "site")]),
        (f"cp {BIN} /x", [(BIN, BIN, "inside", "site")]),
        ("mv target/release/x /x", [("target/release/x", BIN, "inside", "site")]),
        ("install -m 755 target/release/x /x", [("target/release/x", BIN, "inside", "site")]),
        ("cp -r target /t", [("target", "/app/target", "same", "site")]),
        ("cp -r /app /t", [("/app", "/app", "above", "fixed")]),
        ("cp -t /t target/release/x", [("target/release/x", BIN, "inside", "site")]),
        ("strip target/release/x", [("target/release/x", BIN, "inside", "site")]),
        ("cd target/release && cp x /x", [("target/release", "/app/target/release", "inside", "site"),
                                          ("x", BIN, "inside", "site")]),
        ("ls target/release/*", [("target/release/*", "?", "inside", "fixed")]),
        ('test -f "target/release/x"', [('"target/release/x"', BIN, "inside", "site")]),
        ("[ -f target/release/x ]", [("target/release/x", BIN, "inside", "site")]),
        ("sha256sum < target/release/x", [("target/release/x", BIN, "inside", "site")]),
        ("ln -s /app/target/release/x /usr/bin/x", [(BIN, BIN, "inside", "site")]),
        ("tar -C target/release -cf /t.tar x", [("x", BIN, "inside", "fixed")]),
        ("tar -C target -C release -cf /t.tar x", [("x", BIN, "inside", "fixed")]),
        ("tar -C target/release -cf /t.tar $X", [("$X", "/app/target/release", "inside", "fixed")]),
        ("tar -C target/release -cf /t.tar", [("target/release", "/app/target/release", "inside", "fixed")]),
        ("tar cf /t.tar target", [("target", "/app/target", "same", "site")]),
        ("find / -name x", [("/", "/", "above", "fixed")]),
        ("find /usr -name x", []),
        ("chown -R app /app", [("/app", "/app", "above", "fixed")]),
        ("chown app /app", []),
        ("chmod +x target/release/x", [("target/release/x", BIN, "inside", "site")]),
        ("rm -rf target", []),
        ("mkdir -p target/x", []),
        ("echo hi > target/x", []),
        ("cat target/x > y", [("target/x", "/app/target/x", "inside", "site")]),
        ("apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*", []),
        ("apk add --no-cache curl", []),
        ("useradd -m app && echo done && true", []),
        ("pip install requests", []),
        ("pip install -r requirements.txt", []),
        ("pip install .", [(".", "/app", "unknown", "fixed")]),
        ("curl -fsSL https://x.y/z -o /usr/bin/z && chmod +x /usr/bin/z", []),
        ("git clone https://x.y/z /z", []),
        ("rustup target add wasm32", []),
        ("make", [("make", "/app", "unknown", "fixed")]),
        ("cargo test", [("cargo test", "/app", "unknown", "fixed")]),
        ("cd /srv && make", []),
        ("cd /srv && make -C /app", [("/app", "/app", "unknown", "fixed")]),
        ("./build.sh", [("./build.sh", "/app", "unknown", "fixed")]),
        ("cd /srv && /usr/bin/tool /app/target/release/x", [(BIN, BIN, "inside", "site")]),
        ("cd /srv && tool --in=/app/target/release/x", [("--in=/app/target/release/x", BIN, "inside", "fixed")]),
        ("cd /srv && gcc -L/app/target/lib x.c", [("-L/app/target/lib", "/app/target/lib", "inside", "fixed")]),
        ("export PATH=/app/target/release:$PATH", [
            ("PATH=/app/target/release:$PATH", "/app/target/release", "inside", "fixed")]),
        ("echo 'x=/app/target/release/x' >> /etc/conf", [("'x=/app/target/release/x'", BIN, "inside", "fixed")]),
        ("cd /srv && ls | xargs tool", []),
        ("ls | xargs cat", [("ls", "/app", "above", "fixed"), ("xargs cat", "/app", "unknown", "fixed")]),
        ("cd $X && make", [("$X", "?", "unknown", "fixed"), ("make", "?", "unknown", "fixed")]),
    ],
)  # fmt: skip
def test_later_runs(script: str, expected: list[tuple[str, str, str, str]]) -> None:
    rows = _rows(HEAD.replace("FROM rust AS b\n", "FROM rust AS b\nARG X\n") + f"RUN {script}\n")
    assert [row[1:] for row in rows] == expected
    assert all(row[0] == "run" for row in rows)


@pytest.mark.parametrize(
    ("mounts", "how"),
    [
        ("--mount=type=cache,target=/app/target", "mount"),
        ("--mount=type=bind,target=/app", "mount"),
        ("--mount=type=cache,target=/app/target/release", "mount"),
        ("--mount=type=cache,target=/other", "site"),
        ("", "site"),
    ],
)
def test_a_mount_of_the_readers_own(mounts: str, how: str) -> None:
    assert [row[4] for row in _rows(HEAD + f"RUN {mounts} cp target/release/x /x\n")] == [how]


def test_tools_use_what_their_variables_name() -> None:
    text = "ENV CARGO_TARGET_DIR=/out\nWORKDIR /app\nRUN cargo build\nWORKDIR /srv\nRUN cargo test\nRUN ls\n"
    found = facts(text)
    stage = found.stages[0]
    first = stage.instructions[2]
    readers = [(r.kind, r.relation) for r in found.readers(stage, "/out", first)]
    assert readers == [("env", "same"), ("run", "unknown")]
    assert [w.kind for w in found.writers(stage, "/out", stage.instructions[3])] == ["run"]
    assert [w.kind for w in found.writers(stage, "/root/.cargo/registry", first)] == ["base"]
    assert [w.kind for w in found.writers(stage, "/root/.cargo/registry", last(found))] == ["base", "run", "run"]


@pytest.mark.parametrize(
    ("script", "reads"),
    [("dpkg -i x.deb", True), ("dpkg -i *.deb", True), ("apt-get install -y ./x.deb", True),
     ("apt-get install x", False), ("pip install -i $P x", False), ("pip install --trusted-host $P x", False),
     ("pip install $P", True), ("pip install x==$P", False), ("pip install x.whl", True)],
)  # fmt: skip
def test_packages_in_files(script: str, reads: bool) -> None:
    found = facts(f"ARG P\nWORKDIR /c\nRUN {script}\n")
    assert bool(found.readers(found.stages[0], "/c")[1:]) is reads


@pytest.mark.parametrize(
    ("script", "reads"),
    [(".[a]", True), ("./[a]", True), ("/c[a,b]", True), ("-e .[a]", True), ("--editable=.[a]", True), ("a[b]", False),
     ("a[b]==1", False), ("./d/*.whl", False), ("./d*/[a]", False), ("/c/d[a]", False), ("*.whl", True)],
)  # fmt: skip
def test_extras_without_quotes(script: str, reads: bool) -> None:
    """Who reads the directory's `requirements.txt`, perhaps."""
    found = facts(f"WORKDIR /c\nRUN pip install {script}\n")
    assert bool(found.readers(found.stages[0], "/c/requirements.txt")) is reads


def test_exec_form_reads() -> None:
    assert _rows(HEAD + 'RUN ["cp", "target/release/x", "/x"]\n') == [
        ("run", '"target/release/x"', BIN, "inside", "site")
    ]


def test_an_opaque_script_reads_anything() -> None:
    (row,) = _rows(HEAD + "RUN <<EOF\n#!/usr/bin/python3\nopen('/app/target/x')\nEOF\n")
    assert (row[0], row[3], row[4]) == ("run", "unknown", "fixed")


def test_derived_stages_read() -> None:
    text = HEAD + "FROM b AS c\nWORKDIR /srv\nRUN cp /app/target/release/x /x\n"
    assert _rows(text) == [("run", BIN, BIN, "inside", "site")]


def test_runs_before_do_not_count() -> None:
    text = "FROM rust\nWORKDIR /app\nRUN true\nRUN cp target/x /x\n"
    found = facts(text)
    assert len(found.readers(found.stages[0], "/app/target", last(found))) == 0
    assert len(found.readers(found.stages[0], "/app/target")) == 1


# --- the image -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('CMD ["/app/target/release/x"]\n', [("cmd", '"/app/target/release/x"', BIN, "inside", "site")]),
        ('WORKDIR /srv\nCMD ["/app/target/release/x"]\n', [
            ("cmd", '"/app/target/release/x"', BIN, "inside", "site")]),
        ('ENTRYPOINT ["./target/release/x", "--a"]\n', [
            ("entrypoint", '"./target/release/x"', BIN, "inside", "site")]),
        ("WORKDIR /srv\nCMD exec /app/target/release/x\n", [("cmd", BIN, BIN, "inside", "site")]),
        ("WORKDIR /srv\nHEALTHCHECK CMD /app/target/release/x ping\n", [
            ("healthcheck", BIN, BIN, "inside", "site")]),
        ('WORKDIR /srv\nCMD ["/app/target/release/x"]\nCMD ["/bin/y"]\n', []),
        ('WORKDIR /srv\nCMD ["y"]\n', []),
        ("ENV PATH=/app/target/release:$PATH\n", [
            ("env", "/app/target/release:$PATH", "/app/target/release", "inside", "fixed")]),
        ("ENV B=/app/target/release/x\n", [("env", BIN, BIN, "inside", "site")]),
        ("ENV B /app/target/release/x\n", [("env", BIN, BIN, "inside", "site")]),
        ("ENV B=/app\n", []),
        ("WORKDIR /app/target/release\n", [
            ("workdir", "/app/target/release", "/app/target/release", "inside", "fixed")]),
        ("WORKDIR /app\n", []),
        ("VOLUME /app/target\n", [("volume", "/app/target", "/app/target", "same", "fixed")]),
        ("VOLUME /app\n", [("volume", "/app", "/app", "above", "fixed")]),
        ("ONBUILD RUN cp /app/target/release/x /x\n", [("run", BIN, BIN, "inside", "fixed")]),
    ],
)  # fmt: skip
def test_image(text: str, expected: list[tuple[str, str, str, str, str]]) -> None:
    rows = [row for row in _rows(HEAD + text) if not (row[0] in ("cmd", "entrypoint") and row[3] == "unknown")]
    assert rows == expected


def test_a_command_may_read_its_directory() -> None:
    rows = _rows(HEAD + 'CMD ["python", "app.py"]\n')
    assert [(row[0], row[2], row[3]) for row in rows] == [("cmd", "/app", "unknown")]


def test_a_command_runs_in_the_derived_image() -> None:
    text = HEAD + 'WORKDIR /srv\nCMD ["./target/release/x"]\nFROM b\nWORKDIR /app\n'
    rows = [row for row in _rows(text) if row[3] != "unknown"]
    assert rows == [("cmd", '"./target/release/x"', BIN, "inside", "site")]


# --- symbolic links --------------------------------------------------------------------------------------------------


def test_a_link_into_the_path() -> None:
    text = (
        "FROM rust AS b\nWORKDIR /app\nRUN --mount=type=cache,target=/app/target "
        "cargo build && ln -s /app/target/release/x /usr/bin/x\nWORKDIR /srv\nRUN cp /usr/bin/x /y\n"
        "FROM debian\nCOPY --from=b /usr/bin/x /z\n"
    )
    assert [(row[0], row[1], row[2]) for row in _rows(text)] == [
        ("symlink", BIN, BIN),
        ("run", "/usr/bin/x", BIN),
        ("copy", "/usr/bin/x", BIN),
    ]


def test_a_link_to_the_path() -> None:
    text = "FROM rust\nRUN ln -s /cache/target /app/target\nWORKDIR /srv\nRUN cp /app/target/x /y\n"
    found = facts(text)
    rows = found.readers(found.stages[0], "/cache/target", found.stages[0].instructions[1])
    assert [(r.kind, show(r.path)) for r in rows] == [("symlink", "/cache/target"), ("run", "/cache/target/x")]


@pytest.mark.parametrize(
    ("link", "name"),
    [
        ("ln -s /c/t /l", "/l"), ("ln -sf /c/t /l", "/l"), ("ln -s ../c/t /a/l", "/a/l"), ("ln -s /c/t /a/", "/a/t"),
        ("cd /a && ln -s /c/t", "/a/t"), ("ln --symbolic /c/t /l", "/l"),
    ],
)  # fmt: skip
def test_forms_of_links(link: str, name: str) -> None:
    found = facts(f"RUN {link}\nRUN cat {name}/x\n")
    rows = found.readers(found.stages[0], "/c/t", found.stages[0].instructions[0])
    assert ("run", "/c/t/x") in [(r.kind, show(r.path)) for r in rows]


def test_a_hard_link_is_a_copy() -> None:
    found = facts("RUN ln /c/t /l\nRUN cat /l\n")
    assert found.readers(found.stages[0], "/c/t", found.stages[0].instructions[0]) == ()


# --- writers and effects ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FROM rust\nWORKDIR /app\n", []),
        ("FROM me/x\nWORKDIR /app\n", [("base", "write", "unknown", True)]),
        ("FROM scratch\nWORKDIR /app\n", []),
        ("FROM rust\nWORKDIR /app\nCOPY . .\n", [("copy", "write", "above", True)]),
        ("FROM rust\nWORKDIR /app\nCOPY src src\n", []),
        ("FROM rust\nWORKDIR /app\nCOPY x target/\n", [("copy", "write", "same", True)]),
        ("FROM rust\nWORKDIR /app\nADD x target/y\n", [("copy", "write", "inside", True)]),
        ("FROM rust\nWORKDIR /app\nRUN mkdir -p target\n", [("run", "write", "same", False)]),
        ("FROM rust\nWORKDIR /app\nRUN rm -rf target\n", [("run", "remove", "same", True)]),
        ("FROM rust\nWORKDIR /app\nRUN cp x target/y\n", [("run", "write", "inside", True)]),
        ("FROM rust\nWORKDIR /app\nRUN echo x > target/y\n", [("run", "write", "inside", True)]),
        ("FROM rust\nWORKDIR /app\nRUN cargo build\n", [("run", "write", "unknown", True)]),
        ("FROM rust\nWORKDIR /app\nRUN apt-get install -y x\n", []),
        ("FROM rust\nRUN apt-get install -y x\n", []),
        ("FROM rust\nWORKDIR /app/target/x\n", [("workdir", "write", "inside", False)]),
        ("FROM rust AS a\nCOPY . /app\nFROM a\n", [("copy", "write", "above", True)]),
        ("FROM rust\nRUN git clone https://x.y/z /app\n", [("run", "write", "above", True)]),
        ("FROM rust\nRUN tar xf /x.tar -C /app\n", [("run", "write", "unknown", True)]),
        ("FROM rust\nRUN curl -o /app/target/x https://y\n", [("run", "write", "inside", True)]),
    ],
)
def test_writers(text: str, expected: list[tuple[str, str, str, bool]]) -> None:
    found = facts(text)
    rows = found.writers(found.stages[-1], "/app/target")
    assert [(w.kind, w.mode, w.relation, w.content) for w in rows] == expected


def test_writers_before_an_instruction() -> None:
    found = facts("FROM rust\nWORKDIR /app\nCOPY . .\nRUN true\nCOPY x target/x\n")
    stage = found.stages[0]
    assert [w.kind for w in found.writers(stage, "/app/target", last(found))] == ["copy"]
    assert len(found.writers(stage, "/app/target")) == 2


def test_a_writer_through_a_mount() -> None:
    found = facts("FROM rust\nWORKDIR /app\nRUN --mount=type=cache,target=target cp x target/y\n")
    (writer,) = found.writers(found.stages[0], "/app/target")
    assert writer.through_mount is not None


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("cp a b", ["read /w/a", "write /w/b"]),
        ("mv a b", ["read /w/a", "remove /w/a", "write /w/b"]),
        ("rm -rf a b", ["remove /w/a", "remove /w/b"]),
        ("cat a > b", ["read /w/a", "write /w/b"]),
        ("cat < a >> b 2>&1", ["read /w/a", "write /w/b"]),
        ("x > /dev/null", ["read /w", "write /w"]),
        ("sed -i s/a/b/ f", ["read /w/f", "write /w/f"]),
        ("sed -n -e p f", ["read /w/f"]),
        ("grep -r x d", ["read /w/d"]),
        ("awk '{print}' f", ["read /w/f"]),
        ("echo a | tee b", ["write /w/b"]),
        ("dd if=a of=/w/b bs=1M", ["read /w/a", "write /w/b"]),
        ("wget -O b https://x", ["write /w/b"]),
        ("wget https://x", ["write /w"]),
        ("curl -fsSLo b https://x", ["write /w/b"]),
        ("curl https://x | tar xz", ["write /w"]),
        ("tar xzf a -C b", ["read /w/a", "write /w/b"]),
        ("tar -czf a b", ["write /w/a", "read /w/b"]),
        ("unzip a -d b", ["read /w/a", "write /w/b"]),
        ("install -d a b", ["write /w/a", "write /w/b"]),
        ("find a -delete", ["read /w/a", "write /w/a", "remove /w/a"]),
        ("touch a", ["write /w/a"]),
        (". ./a", ["read /w/a"]),
        ("pip install -r a -t b", ["read /w/a", "write /w/b"]),
        ("pip3.11 install -ra -cb --target=c", ["read /w/a", "read /w/b", "write /w/c"]),
        ("python -m pip install .", ["read /w", "write /w"]),
        ("pip install a b[c] 'd>=1' -i https://e/f g==$H", []),
        ("pip install './a[b]'", ["read /w/a", "write /w/a"]),
        ("pip install -e 'a[b]'", ["read /w/a", "write /w/a"]),
        ("pip install --editable=a", ["read /w/a", "write /w/a"]),
        ("pip install file:a 'b @ file:///w/c'", ["read /w/a", "write /w/a", "read /w/c", "write /w/c"]),
        ("pip install git+file:///w/a#egg=b", ["read /w/a", "write /w/a"]),
        ("pip install -e git+https://a/b", []),
        ("pip install --no-index -f ./a b", ["read /w/a"]),
        ("git clone https://x/y b", ["write /w/b"]),
        ("git clone https://x/y.git -b main", ["write /w/y"]),
        ("git clean -fdx", ["remove /w", "read /w", "write /w"]),
        ("chmod 755 a", ["read /w/a", "write /w/a"]),
        ("head -n 5 a", ["read /w/a"]),
        ("command -v a", []),
        ("env cat a", ["read /w/a"]),
        ("cp -a a/. b/", ["read /w/a", "write /w/b"]),
    ],
)
def test_effects(script: str, expected: list[str]) -> None:
    found = facts(f"WORKDIR /w\nRUN {script}\n")
    effects = [f"{e.mode} {show(e.path)}" for e in found.effects(last(found))]
    assert [effect for effect in effects if " /w" in effect] == expected


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("cp /c/a /b", True),
        ("/c/a --help", True),
        ("strip /c/a", True),
        ("dpkg -i /c/a.deb", True),
        ("useradd -m -d /c/a app", False),
        ("python -u /c/a", True),
        ("python -m http.server /c/a", False),
        ("java -Xmx1g -jar /c/a", True),
        ("java -Dlog=x /c/a", False),
        ("hf download m --cache-dir /c/a", False),
        ("go build -o /c/a .", False),
        ("curl -T /c/a https://x/y", True),
        ("curl --cookie-jar /c/a https://x/y", False),
        ("sort /b -o /c/a", False),
        ("zip /b /c/a", True),
        ("zip /c/a /b", False),
        ("wasm-bindgen --out-dir /c/a /b", False),
        ("wasm-bindgen --out-dir /b /c/a", True),
        ("git -C /c/a status", False),
    ],
)
def test_who_surely_reads_what_it_names(script: str, expected: bool) -> None:
    calls = (found := facts(f"RUN {script}\n")).calls(last(found))
    assert not isinstance(calls, OpaqueScript)
    (call,) = calls
    words = zip(call.words, call.nodes, strict=True)
    (node,) = (node for word, node in words if (show(word) or "").startswith("/c/a"))
    assert surely_reads(call, node) is expected


def test_writers_after_an_instruction() -> None:
    found = facts("COPY a /x/a\nRUN true\nCOPY b /x/b\n")
    assert [show(w.path) for w in found.writers(found.stages[0], "/x", None, last(found))] == ["/x/b"]


def test_effects_of_other_instructions() -> None:
    found = facts("WORKDIR /w\nCOPY a b c/\nADD x /y\nVOLUME /v\n")
    rows = [(e.mode, show(e.path)) for i in found.stages[0].instructions for e in found.effects(i)]
    assert rows == [("write", "/w"), ("write", "/w/c"), ("write", "/y"), ("read", "/v")]


def test_a_pattern_of_rm_is_no_reader() -> None:
    assert _rows("FROM debian\nRUN true\nRUN rm -rf /var/lib/apt/lists/* /tmp/x\n", "/var/lib/apt/lists") == []


@pytest.mark.parametrize(
    ("mount", "word", "relation"),
    [
        ("target=/m", "/m/app/target/release/*.so", "inside"),
        ("source=/app,target=/m", "/m/target/release/lib$X.so", "inside"),
        ("target=/m", "/m/app/target/release/x", "inside"),
        ("target=/m", "/m/app/src/*.so", None),
        ("target=/m", "/app/target/release/*.so", None),
        ("target=/m", "/m/$X", None),
    ],
)
def test_a_pattern_behind_a_mount_of_another_stage(mount: str, word: str, relation: str | None) -> None:
    rows = _rows(HEAD + f"FROM debian\nRUN --mount=from=b,{mount} cp {word} /out\n")
    found = [row[3] for row in rows if row[1].strip() == word]
    assert found == ([relation] if relation is not None else [])
