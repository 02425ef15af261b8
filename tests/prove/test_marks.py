"""Edits that carry a word into the artifact: the file stays valid, and nothing else of it changes."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from fixer.prove.marks import any_language_of, append_line, language_of, mark
from fixer.prove.rust import library_entries, program_entries, read_module, tokens

WORD = "Xq7marker"
STATEMENT = (
    ' if ::std::env::var_os("DOCKFIX_VERIFY").is_some()'
    ' { let _ = ::std::io::Write::write_all(&mut ::std::io::stderr(), b"Xq7marker"); }'
)


def marked(path: str, data: bytes) -> bytes:
    language = language_of(path, data)
    assert language is not None, path
    found = mark(language, data, WORD)
    assert found is not None
    assert WORD.encode() in found
    return found


class TestRust:
    @pytest.mark.parametrize(
        "text",
        [
            "fn main() {@ println!(); }",
            "fn main()\r\n{@\r\n    run()\r\n}\r\n",
            "\ufefffn main() {@}",
            "pub(crate) async fn main() -> Result<(), Box<dyn Error>> {@ Ok(()) }",
            "#[tokio::main(flavor = \"current_thread\")]\nasync fn main() -> Result<(), [u8; { 3 }]> {@}",
            "fn main() -> Wrapper<{ 3 }> {@ Wrapper }",
            "fn main() -> impl Fn() -> u8 where (): Sized {@ || 3 }",
            "fn main() { #![allow(unused)] // x\n #![allow(dead_code)]@ let x = 1; }",
            "fn main() {@ // { \n }",
            "fn main /* { */ ( /* ( */ ) /* fn main() { */ {@}",
            "// fn main() {\nfn main() {@}",
            "/* /* */ fn main() {} */ fn main() {@}",
            'const A: &str = "fn main() {"; fn main() {@}',
            'const A: &str = r#"fn main() { " "#; fn main() {@}',
            'const A: &str = r##"" fn main() { "# "##; fn main() {@}',
            'const A: &[u8] = br#"{"#; const B: &CStr = cr"{"; const C: &[u8] = b"{\\""; fn main() {@}',
            "const A: char = '{'; const B: char = '\\''; const C: char = '\\u{7b}'; const D: u8 = b'{'; fn main() {@}",
            "const A: char = '\"'; fn main() {@}",
            "fn a<'a>(x: &'a str) -> &'a str { x } fn main() {@}",
            "mod inner { fn main() {} } fn main() {@}",
            "macro_rules! m { () => { fn main() {} } } fn main() {@}",
            "m! { fn main() {} } fn main() {@}",
            "m!(fn main() {}); fn main() {@}",
            "impl A { fn main() {} } trait B { fn main(); } fn main() {@}",
            "extern \"C\" { fn main(); } fn main() {@}",
            "#[cfg(unix)] fn main() {@} #[cfg(not(unix))] fn main() {@}",
            "#!/usr/bin/env rust-script fn main() {\nfn main() {@}",
            "#![allow(unused)] fn main() {@}",
            "#! [allow(unused)] fn main() {@}",
            "fn r#main() {@}",
            "#[launch] fn rocket() -> _ {@ rocket::build() }",
            "static F: fn() = main; fn main() {@}",
            "struct fnmain; fn main() {@}",
            "use a::{b, c}; const N: usize = { 3 }; fn main() {@}",
            "fn größe() {} fn main() {@}",
            "fn main() {@ let byte = \"\udcff\"; }",
        ],
    )
    def test_statement_in_main(self, text: str) -> None:
        data = text.replace("@", "").encode("utf-8", "surrogateescape")
        assert marked("src/main.rs", data) == text.replace("@", STATEMENT).encode("utf-8", "surrogateescape")

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "mod a;",
            "// fn main() {}",
            "#![no_std] #![no_main] fn main() {}",
            "fn helper() {}",
            "const fn main() {}",
            "use library::main;",
            "macro_rules! m { () => { fn main() {} } }",
            "/* fn main() {}",
            'const A: &str = "fn main() {}',
            "fn main(",
            "fn main()",
            "fn",
            "#",
            "#[",
        ],
    )
    def test_no_place(self, text: str) -> None:
        assert language_of("src/main.rs", text.encode()) is None

    def test_library(self) -> None:
        text = (
            "pub const fn a() {} pub fn g<T>(x: T) {} #[inline] pub fn b() {} #[cfg(test)] pub fn c() {} fn d() {}\n"
            "pub(crate) mod e { pub fn f() {} } pub struct S; impl S { pub fn g() {} }\n"
        )
        assert language_of("src/lib.rs", text.encode()) is None
        plain = text + "pub fn h() {"
        assert marked("src/lib.rs", f"{plain}}}".encode()) == f"{plain}{STATEMENT}}}".encode()
        exported = plain + '} #[unsafe(no_mangle)] pub extern "C" fn i(x: u8) {'
        assert marked("src/lib.rs", f"{exported}}}".encode()) == f"{exported}{STATEMENT}}}".encode()
        module = plain + "} #[pymodule] fn j(m: &Bound<'_, PyModule>) -> PyResult<()> {"
        assert marked("src/lib.rs", f"{module} Ok(()) }}".encode()) == f"{module}{STATEMENT} Ok(()) }}".encode()

    def test_tokens_cover_what_they_read(self) -> None:
        text = "fn main<'a>(x: &'a u8) -> u8 { 'b'; '\\n'; r\"x\"; 1.5e3_f32; a::<b>() => || '\\u{1F600}' }"
        for token in tokens(text):
            assert text[token.start : token.end] == token.text
        assert [token.text for token in tokens(text) if token.kind == "char"] == ["'b'", "'\\n'", "'\\u{1F600}'"]
        assert [token.text for token in tokens(text) if token.kind == "lifetime"] == ["'a", "'a"]

    def test_what_is_read(self) -> None:
        module = read_module("#![no_std]\n#[test] pub async unsafe fn a<T>() {}")
        assert module.attributes == {"no_std"}
        [function] = module.functions
        assert (function.name, function.attributes, function.generic) == ("a", {"test"}, True)
        assert function.qualifiers == {"pub", "async", "unsafe"}
        assert program_entries(module) == library_entries(module) == ()

    @pytest.mark.skipif(shutil.which("rustc") is None, reason="there is no Rust")
    @pytest.mark.parametrize("edition", ["2015", "2021"])
    def test_the_word_stays_in_a_stripped_program(self, tmp_path: Path, edition: str) -> None:
        source = tmp_path / "main.rs"
        source.write_bytes(
            marked("main.rs", b"#![forbid(unsafe_code)]\n#![deny(warnings)]\nfn main() { println!(\"hello\"); }\n")
        )
        flags = ["-Copt-level=z", "-Clto=fat", "-Cpanic=abort", "-Cstrip=symbols", "-Ccodegen-units=1"]
        command = ["rustc", f"--edition={edition}", *flags, "-o", "program", "main.rs"]
        subprocess.run(command, cwd=tmp_path, check=True, timeout=120)
        assert WORD.encode() in (tmp_path / "program").read_bytes()
        done = subprocess.run([tmp_path / "program"], capture_output=True, check=True)
        assert (done.stdout, done.stderr) == (b"hello\n", b"")


class TestC:
    @pytest.mark.skipif(shutil.which("gcc") is None, reason="there is no C compiler")
    @pytest.mark.parametrize("tail", [b"", b"\n", b"\n#define X \\"])
    def test_the_word_stays(self, tmp_path: Path, tail: bytes) -> None:
        (tmp_path / "a.c").write_bytes(marked("a.c", b"int main(void) { return 0; }" + tail))
        flags = "-std=c89 -pedantic-errors -Wall -Wextra -Werror -Os -flto -ffunction-sections -Wl,--gc-sections -s"
        subprocess.run(["gcc", *flags.split(), "-o", "program", "a.c"], cwd=tmp_path, check=True, timeout=120)
        assert WORD.encode() in (tmp_path / "program").read_bytes()


class TestPython:
    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"print(1)",
            b"#!/usr/bin/env python3\n# coding: latin-1\n'\xe9'\nfrom __future__ import annotations\n",
            b"\xef\xbb\xbfprint(1)\r\n",
            b"if True:\r\n    x = 1\r\n    # end",
            b"x = '''\n'''",
            b"if True:\n\tx = 1\n\n\n",
        ],
    )
    def test_it_stays_valid(self, data: bytes) -> None:
        found = marked("a.py", data)
        assert found.startswith(data)
        code = compile(found, "a.py", "exec")
        names: dict[str, object] = {"print": lambda *_: None}
        exec(code, names)
        assert names["_dockfix_verify"] == WORD
        assert code.co_consts.count(WORD) == 1  # in the bytecode too


class TestScripts:
    @pytest.mark.skipif(shutil.which("node") is None, reason="there is no node")
    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("a.js", "const a = 1"),
            ("a.js", "#!/usr/bin/env node\n'use strict'\n;(() => {})()\n// end"),
            ("a.mjs", "export default function () {}"),
            ("a.cjs", "module.exports = {}\r\n"),
            ("a.mjs", "export const f = () => 1"),
            ("a.js", "var a = 1\n/* end */"),
        ],
    )
    def test_it_runs(self, tmp_path: Path, name: str, text: str) -> None:
        (tmp_path / name).write_bytes(marked(name, text.encode()))
        done = subprocess.run(["node", name], cwd=tmp_path, capture_output=True, timeout=60, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")

    def test_a_shell_script_runs(self, tmp_path: Path) -> None:
        texts = (b"#!/bin/sh\necho a", b"echo a\n", b"\necho a \\\n", b"#!/bin/sh", b"#!/bin/sh\ncat <<E\na\nE\n")
        for number, text in enumerate(texts):
            found = marked("a.sh", text)
            assert found.startswith(text.split(b"\n")[0] if text.startswith(b"#!") else b"# ")
            path = tmp_path / f"{number}.sh"
            path.write_bytes(found)
            done = subprocess.run(["sh", path], capture_output=True, timeout=60, check=True)
            assert done.stdout.strip() == (b"" if text == b"#!/bin/sh" else b"a")

    def test_scripts_without_an_extension(self) -> None:
        assert marked("bin/run", b"#!/usr/bin/env bash\r\nx\r\n") == b"#!/usr/bin/env bash\r\n# Xq7marker\r\nx\r\n"
        assert marked("bin/run", b"#!/usr/bin/python3\nx = 1\n").endswith(b'_dockfix_verify = "Xq7marker"\n')
        assert language_of("bin/run", b"x") is None
        assert language_of("bin/run", b"\x7fELF") is None


@pytest.mark.parametrize(
    ("path", "data", "expected"),
    [
        ("a.go", b"package main\n", b'package main\nvar dockfixVerifyXq7marker = "Xq7marker"\n'
         b'func init() { if dockfixVerifyXq7marker == "" { panic(dockfixVerifyXq7marker) } }\n'),
        ("A.java", b"class A {}", b"class A {}\nclass DockfixVerifyXq7marker { }\n"),
        ("a.rb", b"puts 1\n", b"puts 1\n# Xq7marker\n"),
        ("a.pl", b"print <DATA>;\n__DATA__\nx", b"print <DATA>;\n# Xq7marker\n__DATA__\nx"),
        ("a.rb", b"puts DATA.read\r\n__END__\r\nx", b"puts DATA.read\r\n# Xq7marker\r\n__END__\r\nx"),
        ("a.php", b"<?php\ndeclare(strict_types=1);\n", b"<?php /* Xq7marker */\ndeclare(strict_types=1);\n"),
        ("a.php", b"<p><?PHP echo 1 ?>", b"<p><?PHP /* Xq7marker */ echo 1 ?>"),
        ("a.html", b"<p>", b"<p>\n<!-- Xq7marker -->\n"),
        ("a.css", b"p {}\r\n", b"p {}\r\n/*! Xq7marker */\r\n"),
        ("a.sql", b"select 1", b"select 1\n-- Xq7marker\n"),
        ("a.yml", b"a: |\n  b", b"a: |\n  b\n# Xq7marker\n"),
        ("a.toml", b"a = 1", b"a = 1\n# Xq7marker\n"),
        ("a.ini", b"[a]\n", b"[a]\n; Xq7marker\n"),
        ("a.md", b"# a", b"# a\n\n<!-- Xq7marker -->\n"),
        ("a.txt", b"a\xff\xfeb", b"a\xff\xfeb\n# Xq7marker\n"),
        ("a.txt", b"", b"# Xq7marker\n"),
    ],
)  # fmt: skip
def test_other_languages(path: str, data: bytes, expected: bytes) -> None:
    assert marked(path, data) == expected


@pytest.mark.parametrize(
    ("path", "data"),
    [("a.json", b"{}"), ("a.png", b"x"), ("a.py", b"a\0b"), ("a.php", b"<p>"), ("a.go", b"// none"), (".py", b""),
     ("a.go", b"//go:build ignore\n\npackage main\n"), ("a.d.ts", b"export {}"), ("module-info.java", b"module a { }"),
     ("A.java", b"package a;")],
)
def test_where_no_marker_shows(path: str, data: bytes) -> None:
    assert language_of(path, data) is None


def test_what_is_named_is_edited_all_the_same() -> None:
    data = b'{"a": 1}\r\n'
    language = any_language_of("a.json", data)
    assert language is not None
    assert not language.visible
    one, two = mark(language, data, "Aone"), mark(language, data, "Atwo")
    assert one is not None
    assert two is not None
    assert one != two != data
    assert json.loads(one) == json.loads(two) == {"a": 1}
    assert any_language_of("a.png", b"\x89PNG\0") is None
    python = any_language_of("a.py", b"")
    assert python is not None
    assert python.visible


def test_append_line() -> None:
    assert append_line(b"a", "# b") == b"a\n# b\n"
    assert append_line(b"a\r\n", "# b") == b"a\r\n# b\r\n"
    assert append_line(b"a \\\n", "# b") == b"a \\\n\n# b\n"
    assert append_line(b"\xff", "# b") == b"\xff\n# b\n"
