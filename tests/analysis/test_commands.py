"""Scripts as calls: words, directories, users, variables, and what a failure means."""

from __future__ import annotations

import pytest

from fixer.analysis import Facts, Known
from fixer.tree.nodes import Cmd, Entrypoint, Healthcheck, JsonString
from fixer.tree.shell import OpaqueScript
from tests.analysis.help import calls, facts, last, line, show


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("a b c", ["a b c"]),
        ("a 'b c' \"d\"", ["a b c d"]),
        ("a && b; c | d & e", ["a", "b", "c", "d", "e"]),
        ("a $X ${Y:-y} \"$Z\"", ["a ? y "]),
        ("X=1; a $X ${X}2", ["a 1 12"]),
        ("X='a b'; c $X \"$X\"", ["c ? a b"]),
        ("a *.c [ab] x?", ["a ? ? ?"]),
        ("a {b,c}", ["a ?"]),
        ("a ~/x", ["a /root/x"]),
        ("a $(b c) `d`", ["b c", "d", "a ? ?"]),
        ("a $(pwd)/x", ["pwd", "a //x"]),
        ("cd /w && a \"$PWD/x\" \"$(pwd)\"", ["cd /w", "pwd", "a /w/x /w"]),
        ("if a; then b; elif c; then d; else e; fi", ["a", "b", "c", "d", "e"]),
        ("for i in 1 2; do a $i; done", ["a ?"]),
        ("while a; do b; done", ["a", "b"]),
        ("case $X in a) b;; *) c;; esac", ["b", "c"]),
        ("(a; b) && { c; }", ["a", "b", "c"]),
        ("f() { a; }; f", ["a", "f"]),
        ("[[ -f /x ]] && a", ["-f /x", "a"]),
        ("X=1", []),
        ("X=$(a)", ["a"]),
        ("> /x", [""]),
        ("a ${HOME}", ["a /root"]),
        ("a $1 $@ $?", ["a ? ? ?"]),
        ("X=foo.tar.gz; a ${X%.gz} ${X##*.} ${#X}", ["a foo.tar gz 10"]),
        ("X=a; X+=b; c $X", ["c ab"]),
        ("a $((1+1))", ["a ?"]),
        ("IFS=,; X=a,b; c $X \"$X\"", ["c ? a,b"]),
        ("a \"\"", ["a "]),
        ("eval \"$(a)\"; b $X", ["a", "eval ?", "b ?"]),
    ],
)  # fmt: skip
def test_words(script: str, expected: list[str]) -> None:
    text = 'SHELL ["bash", "-c"]\nRUN ' + script + "\n"
    assert [line(call) for call in calls(text)] == expected


def test_words_and_nodes_go_together() -> None:
    for call in calls("sudo -u x env A=1 pip install 'a b' $X"):
        assert len(call.words) == len(call.nodes) == 4
        assert call.program == "pip"
        assert getattr(call.nodes[0], "text", "") == "pip"


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("x", ["/app"]),
        ("cd a && x", ["/app", "/app/a"]),
        ("cd /a && cd b && x", ["/app", "/a", "/a/b"]),
        ("cd a; x", ["/app", "?"]),
        ("set -e; cd a; x", ["/app", "/app", "/app/a"]),
        ("set -e; cd a && y; x", ["/app", "/app", "/app/a", "?"]),
        ("cd a || exit 1; x", ["/app", "/app", "/app/a"]),
        ("cd a || { echo no; exit 1; }; x", ["/app", "/app", "/app", "/app/a"]),
        ("cd a || true; x", ["/app", "/app", "?"]),
        ("(cd a && x) && y", ["/app", "/app/a", "/app"]),
        ("{ cd a && x; } && y", ["/app", "/app/a", "/app/a"]),
        ("cd a && x | y", ["/app", "/app/a", "/app/a"]),
        ("cd a | x; y", ["/app", "/app", "/app"]),
        ("cd a & y", ["/app", "/app"]),
        ("x=$(cd a && y) && z", ["/app", "/app/a", "/app"]),
        ("if x; then cd a; fi; y", ["/app", "/app", "?"]),
        ("if x; then cd /a; else cd /a; fi && y", ["/app", "/app", "/app", "/a"]),
        ("for d in 1 2; do cd $d; done; y", ["?", "?"]),
        ("for d in 1 2; do (cd $d && x); done; y", ["/app", "?", "/app"]),
        ("for d in 1 2; do cd /s/$d && x; done", ["?", "?"]),
        ("cd && x", ["/app", "/root"]),
        ("cd ~/y && x", ["/app", "/root/y"]),
        ("cd /a && cd - && x", ["/app", "/a", "/app"]),
        ("cd $X && x", ["/app", "?"]),
        ("cd $X && cd /b && x", ["/app", "?", "/b"]),
        ("pushd /a && x && popd && y", ["/app", "/a", "/a", "/app"]),
        ("cd a && cd .. && x", ["/app", "/app/a", "/app"]),
        ("mkdir b && cd b && x && cd ../c && y", ["/app", "/app", "/app/b", "/app/b", "/app/c"]),
        ("env -C /z x", ["/z"]),
        ("command cd /z && x", ["/app", "/z"]),
        ("builtin cd /z && x", ["/app", "/z"]),
        ("sh -c 'cd /q && x' && y", ["/app", "/q", "/app"]),
        (". /f && x", ["/app", "?"]),
        (". $HOME/.cargo/env && x", ["/app", "/app"]),
        ("f() { cd /t; x; }; f; y", ["?", "?", "/app", "?"]),
        ("x || cd /z && y", ["/app", "/app", "?"]),
        ("exit 0; y", ["/app", "/app"]),
        ("set -e; if x; then cd /b; exit 1; fi; y", ["/app", "/app", "/app", "/b", "/app"]),
    ],
)
def test_directories(script: str, expected: list[str]) -> None:
    text = f'SHELL ["bash", "-c"]\nWORKDIR /app\nRUN {script}\n'
    assert [show(call.cwd) for call in calls(text)] == expected


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("x", "F"),
        ("x && y", "FF"),
        ("x; y", ".F"),
        ("x || y", ".F"),
        ("x || exit 1", "FF"),
        ("x || exit $?; y", "F.F"),
        ("(x || exit 1); y", "..F"),
        ("(x || exit 1) && y", "FFF"),
        ("x || exit 0", ".F"),
        ("x && y || exit 1; z", "FF.F"),
        ("x || { echo a; exit 3; }; y", "F..F"),
        ("x && y; z", "..F"),
        ("set -e; x; y", ".FF"),
        ("set -ex; x; y", ".FF"),
        ("set -euxo pipefail; x; y", ".FF"),
        ("set -o errexit; x; y", ".FF"),
        ("set -e; x && y; z", "..FF"),
        ("set -e; x || y; z", "..FF"),
        ("set -e; x; set +e; y; z", ".FF.F"),
        ("set -e && x && y", "FFF"),
        ("x | y", ".F"),
        ("set -o pipefail; x | y", ".FF"),
        ("set -o pipefail && x | y && z", "FFFF"),
        ("! x", "."),
        ("! x && y", ".F"),
        ("set -e; ! x; y", "..F"),
        ("(x; y) && z", ".FF"),
        ("(x && y) && z", "FFF"),
        ("(set -e; x; y) && z", "..FF"),
        ("(set -e; x; y)", ".FF"),
        ("{ x; y; } && z", ".FF"),
        ("set -e; { x; y; }", ".FF"),
        ("set -e; { x; y; } && z", "..FF"),
        ("if x; then y; fi", ".F"),
        ("if x; then y; z; fi", "..F"),
        ("set -e; if x; then y; z; fi; w", "..FFF"),
        ("for i in a b; do x; done", "."),
        ("set -e; for i in a b; do x; done", ".F"),
        ("for i in a b; do x || exit 1; done", "F."),
        ("while x; do y; done", ".."),
        ("x & y", ".F"),
        ("x && y &", ".."),
        ("a=$(x)", "F"),
        ("a=$(x); y", ".F"),
        ("set -e; a=$(x); y", ".FF"),
        ("echo $(x)", ".F"),
        ("echo $(x) && y", ".FF"),
        ("exec x", "F"),
        ("sh -c 'x; y' && z", ".FF"),
        ("sh -ec 'x; y' && z", "FFF"),
        ("bash -eo pipefail -c 'x | y'", "FF"),
        ("sh -ec 'x; y'; z", "..F"),
        ("f() { x; }; f", ".F"),
        ("sudo x && env y", "FF"),
        ("x && true", "FF"),
        ("x || true", ".F"),
        ("case a in b) x;; esac", "F"),
        ("x && if a; then b; fi && y", "F.FF"),
    ],
)
def test_fatal(script: str, expected: str) -> None:
    text = 'SHELL ["bash", "-c"]\nRUN ' + script + "\n"
    assert "".join("F" if call.fatal else "." for call in calls(text)) == expected


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("x && y", ".."),
        ("x && y; z", ".c."),
        ("x || y", ".c"),
        ("x || y && z", ".c."),
        ("set -e; x && y; z", "..c."),
        ("true && y; z", "..."),
        ("if x; then y; else z; fi", ".cc"),
        ("[ -f x ] && y", ".."),
        ("for i in a; do x; done", "."),
        ("for i in $X; do x; done", "c"),
        ("while x; do y; done", ".c"),
        ("case a in b) x;; esac", "c"),
        ("exit 0; x", ".c"),
        ("a && exit 0; x", ".cc"),
        ("a || exit 1; x", ".c."),
        ("(a || exit 0); x", ".c."),
        ("[ -f y ] && { echo no; exit 0; }; x", ".ccc"),
        ("for i in a; do b || continue; x; done; y", ".cc."),
        ("for i in a; do b || exit 0; done; y", ".cc"),
        ("for i in a; do b || exit 1; x; done; y", ".c.."),
        ("f() { return 0; }; f; y", "c.c"),
        ("f() { x; }; f", "c."),
        ("x || exit 1; y", ".c."),
        ("(x && y) || z", ".cc"),
    ],
)
def test_conditional(script: str, expected: str) -> None:
    assert "".join("c" if call.conditional else "." for call in calls(script)) == expected


def test_shell_options_come_from_the_shell_instruction() -> None:
    text = 'SHELL ["/bin/bash", "-eo", "pipefail", "-c"]\nRUN x | y; z\n'
    assert [call.fatal for call in calls(text)] == [True, True, True]


def test_where_a_call_stands() -> None:
    a, b, c, d, e = calls("a | b; for i in 1; do c; done; d & echo $(e)")[:5]
    assert (a.piped, b.piped, c.piped) == (True, True, False)
    assert c.loop
    assert d.background
    assert not b.background
    assert e.in_substitution
    assert a.pipeline is not None
    assert a.pipeline is b.pipeline
    assert a.and_or is not None
    assert a.script is c.script or c.script is not None


@pytest.mark.parametrize(
    ("script", "program", "wrappers", "words"),
    [
        ("sudo apt-get install x", "apt-get", ("sudo",), "apt-get install x"),
        ("sudo -E -u app pip install x", "pip", ("sudo",), "pip install x"),
        ("sudo -uapp x", "x", ("sudo",), "x"),
        ("env A=b pip x", "pip", ("env",), "pip x"),
        ("env -i A=b B=c x", "x", ("env",), "x"),
        ("time x", "x", (), "x"),
        ("nice -n 10 x", "x", ("nice",), "x"),
        ("timeout 10m x y", "x", ("timeout",), "x y"),
        ("timeout -k 5 10m x", "x", ("timeout",), "x"),
        ("exec x", "x", ("exec",), "x"),
        ("command x", "x", ("command",), "x"),
        ("command -v x", "command", (), "command -v x"),
        ("y | xargs -n 1 x a", "x", ("xargs",), "x a"),
        ("sudo env A=b nice x", "x", ("sudo", "env", "nice"), "x"),
        ("gosu app x", "x", ("gosu",), "x"),
        ("/usr/bin/env x", "x", ("env",), "x"),
        ("sudo sh -c 'x a'", "x", ("sudo", "sh -c"), "x a"),
        ("bash -lc 'x a'", "x", ("bash -c",), "x a"),
        ('bash -c "x a"', "x", ("bash -c",), "x a"),
        ('bash -c "x $A"', "bash", (), "bash -c x "),
        ("bash script.sh", "bash", (), "bash script.sh"),
        ("sudo", "sudo", (), "sudo"),
        ("sudo -i x", "sudo", (), "sudo -i x"),
        ("env", "env", (), "env"),
        ("$X y", None, (), "? y"),
        ("/usr/local/bin/x y", "x", (), "/usr/local/bin/x y"),
    ],
)
def test_wrappers(script: str, program: str | None, wrappers: tuple[str, ...], words: str) -> None:
    call = calls('FROM debian\nARG X\nSHELL ["bash", "-c"]\nRUN ' + script + "\n")[-1]
    assert (call.program, call.wrappers, line(call)) == (program, wrappers, words)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("x", None),
        ("V=1 x", "1"),
        ("V=1; x", None),
        ("export V=1; x", "1"),
        ("export V=1 && x", "1"),
        ("V=1; export V; x", "1"),
        ("V=1; export V; V=2; x", "2"),
        ("set -a; V=1; x", "1"),
        ("env V=1 x", "1"),
        ("export V=1; env -u V x", None),
        ("export V=1; unset V; x", None),
        ("export V=1; (x)", "1"),
        ("(export V=1); x", None),
        ("{ export V=1; }; x", "1"),
        ("export V=1 | y; x", None),
        ("a && export V=1; x", "?"),
        ("a || export V=1; x", "?"),
        ("if a; then export V=1; fi; x", "?"),
        ("export V=1; if a; then export V=1; fi; x", "1"),
        ("for V in 1 2; do export V; x; done", "?"),
        ("while a; do export V=1; done; x", "?"),
        ("export V=$(a); x", "?"),
        ("export V=a$W; x", "a"),
        ("export V=1; sudo x", "?"),
        ("export V=1; sudo -E x", "1"),
        ("export V=1; sudo V=2 x", "2"),
        ("export V=1; env -i x", None),
        ("export V=1; sh -c x", "1"),
        ("V=1; sh -c x", None),
        ("V=1 sh -c x", "1"),
        (". /some/file; x", "?"),
        (". ~/.cargo/env; x", None),
        (". venv/bin/activate && x", None),
        ("eval a; x", "?"),
        ("read V; export V; x", "?"),
        ("f() { V=1; export V; }; f; x", "?"),
        ("declare -x V=1; x", "1"),
        ("E=2 x", None),
        ("export V=\"$E\"; x", "e"),
        ("E=2; export V=$E; x", "2"),
    ],
)  # fmt: skip
def test_environment(script: str, expected: str | None) -> None:
    call = calls(f'ENV E=e\nSHELL ["bash", "-c"]\nRUN {script}\n')[-1]
    assert call.program == "x"
    assert show(call.lookup("V")) == expected


def test_environment_of_the_instruction() -> None:
    call = calls("FROM rust\nARG A=1\nENV B=2\nRUN B=3 x\n")[0]
    assert show(call.lookup("CARGO_HOME")) == "/usr/local/cargo"
    assert show(call.lookup("A")) == "1"
    assert show(call.lookup("B")) == "3"
    assert show(call.lookup("HOME")) == "/root"
    assert call.lookup("NOPE") is None
    assert show(call.lookup("HOSTNAME")) == "?"
    assert show(call.lookup("http_proxy")) == "?"


def test_a_variable_of_the_environment_changes_without_export() -> None:
    assert show(calls("ENV E=1\nRUN E=2; x\n")[0].lookup("E")) == "2"


def test_a_login_shell_sets_path() -> None:
    assert show(calls('SHELL ["bash", "-lc"]\nRUN x\n')[0].lookup("PATH")) == "?"
    assert show(calls('SHELL ["bash", "-c"]\nRUN bash -lc x\n')[0].lookup("PATH")) == "?"


@pytest.mark.parametrize(
    ("script", "name", "uid", "home"),
    [
        ("x", "app", 1001, "/home/app"),
        ("sudo x", "root", 0, "/root"),
        ("sudo -u app x", "app", 1001, "/home/app"),
        ("gosu root x", "root", 0, "/root"),
        ("sudo sh -c 'x'", "root", 0, "/root"),
        ("sudo -u $U x", None, None, "?"),
    ],
)
def test_users(script: str, name: str | None, uid: int | None, home: str) -> None:
    text = f"FROM debian\nARG U\nRUN useradd -m -u 1001 app\nUSER app\nRUN {script}\n"
    user = calls(text)[-1].user
    assert (user.name, user.uid, show(user.home)) == (name, uid, home)


# --- forms -----------------------------------------------------------------------------------------------------------


def test_exec_form() -> None:
    (call,) = calls('WORKDIR /w\nRUN ["pip", "install", "$X"]\n')
    assert line(call) == "pip install $X"
    assert call.fatal
    assert not call.conditional
    assert isinstance(call.nodes[1], JsonString)
    assert call.simple is None
    assert show(call.cwd) == "/w"


def test_exec_form_of_a_shell() -> None:
    text = 'RUN ["bash", "-ec", "cd /x; cargo build && y"]\n'
    found = calls(text)
    assert [line(c) for c in found] == ["cd /x", "cargo build", "y"]
    assert show(found[1].cwd) == "/x"
    start = found[1].span[0] - len("FROM debian\n")
    assert text[start:].startswith("cargo build")


def test_positions_inside_quotes() -> None:
    text = "RUN sudo bash -c 'a && \\\n    pip install x'\n"
    call = calls(text)[-1]
    assert call.simple is not None
    start, end = (at - len("FROM debian\n") for at in call.span)
    assert text[start:end] == "pip install x"


@pytest.mark.parametrize(
    ("text", "expected", "fatal"),
    [
        ("RUN <<EOF\na\nb\nEOF\n", ["a", "b"], [False, True]),
        ("RUN <<EOF\nset -e\na\nb\nEOF\n", ["set -e", "a", "b"], [False, True, True]),
        ("RUN <<'EOF'\n#!/bin/bash\na\nb\nEOF\n", ["a", "b"], [False, True]),
        ("RUN <<'EOF'\n#!/bin/bash -e\na\nb\nEOF\n", ["a", "b"], [True, True]),
        ("RUN <<-EOF\n\ta\n\tb\n\tEOF\n", ["a", "b"], [False, True]),
        ("RUN cat <<EOF > /f && x\nbody\nEOF\n", ["cat", "x"], [True, True]),
        ("RUN <<EOF bash -e\na\nb\nEOF\n", ["a", "b"], [True, True]),
        ("RUN bash <<'EOF'\na\nb\nEOF\n", ["a", "b"], [False, True]),
        ("RUN bash -s x <<'EOF'\na\nEOF\n", ["bash -s x"], [True]),
    ],
)
def test_heredocs(text: str, expected: list[str], fatal: list[bool]) -> None:
    found = calls(text)
    assert [line(c) for c in found] == expected
    assert [c.fatal for c in found] == fatal


def test_positions_in_heredocs() -> None:
    text = "FROM debian\nRUN <<-EOF\n\tset -e\n\tpip install \\\n\t  x\n\tEOF\n"
    call = calls(text)[-1]
    assert text[slice(*call.span)] == "pip install \\\n\t  x"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("RUN <<EOF\n#!/usr/bin/env python3\nprint(1)\nEOF\n", "interpreter"),
        ('SHELL ["pwsh", "-Command"]\nRUN x\n', "other-shell"),
        ("FROM mcr.microsoft.com/windows/nanoserver\nRUN x\n", "other-shell"),
        ("RUN echo 'open\n", "unterminated-quote"),
    ],
)
def test_opaque(text: str, reason: str) -> None:
    found = facts(text)
    result = found.calls(last(found))
    assert isinstance(result, OpaqueScript)
    assert result.why == reason


def _calls_of(found: Facts, kind: type) -> list[str]:
    result = found.calls(last(found, kind))
    assert not isinstance(result, OpaqueScript)
    return [line(c) for c in result]


def test_other_instructions() -> None:
    found = facts('WORKDIR /w\nCMD ["./a", "b"]\nENTRYPOINT exec c d\nHEALTHCHECK CMD curl x || exit 1\n')
    assert _calls_of(found, Cmd) == ["./a b"]
    assert _calls_of(found, Entrypoint) == ["c d"]
    assert _calls_of(found, Healthcheck) == ["curl x", "exit 1"]


def test_triggers() -> None:
    found = facts("ONBUILD RUN a && b\nWORKDIR /late\n")
    result = found.calls(found.file.instructions[1])
    assert not isinstance(result, OpaqueScript)
    assert [(line(c), show(c.cwd)) for c in result] == [("a", "/late"), ("b", "/late")]


def test_answers_are_shared() -> None:
    found = facts("RUN a && b\n")
    run = last(found)
    assert found.calls(run) is found.calls(run)
    assert found.script(run) is found.script(run)
    assert found.state(run) is found.state(run)


def test_long_scripts_stay_linear() -> None:
    script = " && \\\n".join(f"export V{i}=$V{i - 1}x" for i in range(3000))
    assert len(calls(script + " && end")) == 3001


def test_only_so_many_directories_are_kept() -> None:
    script = " && ".join(["pushd /a"] * 150 + ["popd"] * 99 + ["x", "popd", "popd", "y"])
    found = [show(call.cwd) for call in calls(script) if call.program in ("x", "y")]
    assert found == ["/a", "?"]


def test_redirections() -> None:
    call = calls("{ a > x; } 2> y")[0]
    assert [r.target.static for r in call.redirects] == ["x", "y"]
    assert call.shell_value(call.redirects[0].target) == Known("x")


def test_nested_shells_are_bounded() -> None:
    script = "x"
    for i in range(300):
        script = f"bash <<'E{i}'\n{script}\nE{i}"
    found = facts(f"RUN <<'OUT'\n{script}\nOUT\n")
    result = found.calls(last(found))
    assert isinstance(result, OpaqueScript) or [call.program for call in result] == ["bash"]
