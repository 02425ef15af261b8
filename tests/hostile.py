"""Hostile texts: what nobody writes, in any size. Time and memory may grow with the text, and with nothing else.

    python -m tests.hostile [BYTES] [NAME…]

runs the command (`dockfix --diff --unsafe-fixes`) on every shape in that many bytes (default 500,000), twice as many
and four times as many, each in a process of its own with a bound on time and memory; prints seconds and megabytes, and
what came of it; exits with 1 for a crash, a bound that was reached, or a cost that grows faster than the text. Where it
has, eight times as many say whether it goes on to: a memory that is full is no more than a step.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from tests.hostile_repositories import REPOSITORIES, Repository, each, nested, times

LINE = 60_000
"""A line below BuildKit's bound of 65,535 bytes."""
SECONDS, MEGABYTES = 300, 6_000
"""Bounds for one run."""
FACTOR = 2.7
"""How much more twice the text may take, where it takes long enough to be measured."""

Shape = Callable[[int], str]


def _lines(head: str, piece: str, size: int, tail: str = "\n", between: str = "\\\n") -> str:
    """One instruction of that size: lines of `piece` below the bound, continued."""
    line = times(piece, min(size, LINE))
    return head + between.join([line] * max(1, size // len(line))) + tail


def _wrapped(text: str) -> str:
    """Cut into continued lines, which join to the same text."""
    return "\\\n".join(text[at : at + LINE] for at in range(0, len(text), LINE))


def _run(script: str) -> str:
    return f"FROM debian:12\nRUN {_wrapped(script)}\n"


def _after(text: str) -> str:
    """With work for all codemods around."""
    return (
        "FROM rust:1 AS build\nWORKDIR /app\nCOPY . .\n"
        f"{text}"
        "RUN apt-get update && apt-get install -y git && rm -rf /var/lib/apt/lists/*\n"
        "RUN cargo build --release\nRUN pip install --no-cache-dir flask\n"
        'FROM debian:12\nCOPY --from=build /app/target/release/app /usr/local/bin/app\nCMD ["app"]\n'
    )


SHAPES: dict[str, Shape] = {
    # lines and joining
    "one line": lambda s: "FROM debian\nRUN pip install " + "x" * s + "\n",
    "one line at the bound": lambda s: _after("RUN pip install " + "x" * min(s, LINE) + "\n") + times("# c\n", s),
    "continuations": lambda s: _after(
        _lines("RUN pip install ", "flask ", 60, between="\\\n") + "RUN a" + times(" \\\n b", s) + "\n"
    ),
    "continued commands": lambda s: _after(
        "RUN pip install a \\\n" + times("    && pip install b \\\n", s) + "    && true\n"
    ),
    "continued apt-get": lambda s: _after(
        "RUN apt-get update && \\\n" + times("    apt-get install -y vim && \\\n", s) + "    true\n"
    ),
    "packages": lambda s: _after(
        "RUN apt-get update && apt-get install -y \\\n" + each(lambda k: f"    p{k} \\\n", s) + "    z\n"
    ),
    "comments in a continuation": lambda s: _after("RUN pip install a \\\n" + times("# c\n", s) + "  b\n"),
    "blank lines in a continuation": lambda s: _after("RUN pip install a \\\n" + times("\n", s) + "  b\n"),
    "blank lines": lambda s: _after(times("\n", s)),
    "comments": lambda s: _after(times("# pip install\n", s)),
    "ignore comments": lambda s: _after(times("# dockfix: ignore=pip-cache\n", s)),
    "ignore comments, each with an instruction": lambda s: _after(
        times("# dockfix: ignore=pip-cache\nRUN pip install a\n", s)
    ),
    "an ignore comment of many names": lambda s: _after(
        "# dockfix: ignore=" + times("pip-cache, ", min(s, LINE)) + "x\nRUN pip install a\n" + times("#\n", s)
    ),
    "an ignore comment of blanks": lambda s: _after(
        "# dockfix: ignore=a" + " " * min(s, LINE) + "!\nRUN pip install a\n" + times("#\n", s)
    ),
    "carriage returns": lambda s: _after(_lines("RUN pip install a", "\r", s, " b\n", "x\\\n")),
    "lines of one CR": lambda s: _after(times("\r\n", s)),
    "blanks": lambda s: _after(_lines("RUN pip install ", " ", s, "b\n")),
    "wide blanks": lambda s: _after(_lines("RUN pip install ", "\u2003", s // 3, "b\n")),
    "escapes": lambda s: _after(_lines("RUN pip install ", "\\\\", s, "b\n")),
    "form feeds": lambda s: _after(_lines("RUN pip install ", "\f", s, "b\n")),
    # many instructions
    "RUN": lambda s: _after(times("RUN true\n", s)),
    "RUN pip install": lambda s: _after(times("RUN pip install flask\n", s)),
    "RUN apt-get": lambda s: _after(times("RUN apt-get update && apt-get install -y vim\n", s)),
    "RUN apt-get update alone": lambda s: _after(times("RUN apt-get update\n", s)),
    "RUN cargo build": lambda s: _after(times("RUN cargo build --release\n", s)),
    "RUN cargo in an unknown image": lambda s: "FROM example.org/x\n" + times("RUN cargo build --release\n", s),
    "RUN cargo with mounts": lambda s: _after(
        times("RUN --mount=type=cache,target=/app/target cargo build --release\n", s)
    ),
    "artifacts": lambda s: _after(
        each(lambda k: f"RUN --mount=type=cache,target=/app/target cargo build && cp target/debug/a /out{k}\n", s)
    ),
    "COPY of artifacts": lambda s: _after("") + each(lambda k: f"COPY --from=build /app/target/release/a{k} /a\n", s),
    "ENV": lambda s: _after(each(lambda k: f"ENV A{k}=b\n", s)),
    "ENV, each of the one before": lambda s: _after("ENV A0=b\n" + each(lambda k: f"ENV A{k + 1}=$A{k}\n", s)),
    "ENV that grows": lambda s: _after(times("ENV PATH=$PATH:/some/directory\n", s)),
    "ENV that doubles": lambda s: _after("ENV A=/aaaaaaa\n" + times("ENV A=$A$A\n", s) + "RUN pip install $A\n"),
    "ENV of many pairs": lambda s: _after("ENV A=b \\\n" + each(lambda k: f"  A{k}=b \\\n", s) + "  Z=z\n"),
    "ARG": lambda s: _after(each(lambda k: f"ARG A{k}=b\n", s)),
    "ARG that doubles": lambda s: _after("ARG A=/aaaaaaa\n" + times("ARG A=$A$A\n", s) + "RUN pip install $A\n"),
    "global ARG": lambda s: each(lambda k: f"ARG A{k}=b\n", s) + _after(""),
    "global ARG that doubles": lambda s: "ARG A=a\n" + times("ARG A=$A$A\n", s) + "FROM $A\nRUN pip install a\n",
    "WORKDIR": lambda s: _after(times("WORKDIR a\n", s)),
    "WORKDIR and RUN": lambda s: _after(times("WORKDIR a\nRUN pip install -r r.txt\n", s)),
    "WORKDIR up": lambda s: _after("WORKDIR /a" + "/.." * (min(s, LINE) // 3) + "\n" + times("WORKDIR ../b\n", s)),
    "USER": lambda s: _after(each(lambda k: f"USER u{k}\n", s)),
    "USER and RUN": lambda s: _after(each(lambda k: f"USER u{k}\nRUN pip install a\n", s)),
    "useradd": lambda s: _after(each(lambda k: f"RUN useradd -u {k} u{k}\nUSER u{k}\n", s)),
    "useradd in one RUN": lambda s: _after(
        "RUN true \\\n" + each(lambda k: f" && useradd -u {k} u{k} \\\n", s) + " && true\nUSER u1\n"
    ),
    "useradd and a number": lambda s: _after(
        each(lambda k: f"RUN useradd -u {k} u{k}\nUSER {k}\nRUN pip install a\nUSER root\n", s)
    ),
    "groupmod": lambda s: _run(each(lambda k: f"groupmod -g {k} g{k} && ", s) + "true"),
    "SHELL": lambda s: _after(times('SHELL ["/bin/bash", "-ec"]\n', s)),
    "VOLUME": lambda s: _after(each(lambda k: f"VOLUME /v{k}\n", s)),
    "COPY": lambda s: _after(each(lambda k: f"COPY a{k} b/\n", s)),
    "COPY of many sources": lambda s: _after("COPY \\\n" + each(lambda k: f"  a{k} \\\n", s) + "  b/\n"),
    "COPY of one path in JSON form": lambda s: _after('COPY ["a", "' + _lines("", " ", s, '<<x"]\n')),
    "COPY into shifts and blanks": lambda s: _after('COPY ["a", "<<' + _lines("", " ", s, '<"]\n')),
    "COPY into shifts": lambda s: _after("COPY a " + _lines("", "<<", s)),
    "ADD": lambda s: _after(each(lambda k: f"ADD https://example.org/{k}.tar.gz /\n", s)),
    "ONBUILD": lambda s: _after(times("ONBUILD RUN pip install a\n", s)),
    "LABEL": lambda s: _after("LABEL a=b \\\n" + each(lambda k: f'  l{k}="b c" \\\n', s) + "  z=z\n"),
    "EXPOSE": lambda s: _after("EXPOSE \\\n" + each(lambda k: f"  {k} \\\n", s) + "  1\n"),
    "HEALTHCHECK": lambda s: _after(times("HEALTHCHECK CMD true\n", s)),
    "HEALTHCHECK of a long time": lambda s: _after(
        _lines("HEALTHCHECK --interval=", "1", s, "x CMD true\n")
        if s < 0
        else "HEALTHCHECK --interval=" + _wrapped("1h" * (s // 2)) + "! CMD true\n"
    ),
    "STOPSIGNAL": lambda s: _after(times("STOPSIGNAL 9\n", s)),
    "unknown": lambda s: _after(times("FOO bar\n", s)),
    # stages
    "stages": lambda s: each(lambda k: f"FROM debian AS s{k}\nRUN pip install a\n", s),
    "stages, each of the one before": lambda s: (
        "FROM debian AS s0\n" + each(lambda k: f"FROM s{k} AS s{k + 1}\nRUN pip install a\n", s)
    ),
    "stages of one name": lambda s: times("FROM debian AS a\nRUN pip install a\n", s),
    "stages that copy": lambda s: (
        "FROM debian AS s0\n"
        + each(lambda k: f"FROM debian AS s{k + 1}\nCOPY --from=s{k} /a /a\nRUN pip install a\n", s)
    ),
    "stages that copy from the first": lambda s: (
        "FROM rust AS s0\nRUN --mount=type=cache,target=/app/target cargo build\n"
        + each(lambda k: f"FROM debian AS s{k + 1}\nCOPY --from=s0 /app/target/debug/a /a\n", s)
    ),
    "stages that copy all": lambda s: (
        "FROM debian AS s0\n" + each(lambda k: f"FROM rust AS s{k + 1}\nCOPY --from=s{k} / /\nRUN cargo build\n", s)
    ),
    "stages that use apt": lambda s: (
        "FROM debian:12 AS s0\n"
        + each(lambda k: f"FROM s{k} AS s{k + 1}\nRUN apt-get update && apt-get install -y vim\n", s)
    ),
    "stages that make accounts": lambda s: (
        "FROM debian:12 AS s0\n"
        + each(lambda k: f"FROM s{k} AS s{k + 1}\nRUN useradd -u {k} u{k}\nUSER u{k}\nRUN pip install a\n", s)
    ),
    "stages that copy accounts": lambda s: (
        "FROM debian:12 AS s0\nRUN useradd -u 1001 a\n"
        + each(lambda k: f"FROM debian:12 AS s{k + 1}\nCOPY --from=s{k} /etc/passwd /etc/passwd\n", s)
        + "USER a\nRUN pip install a\n"
    ),
    "stages with a command": lambda s: (
        "FROM rust AS s0\n" + each(lambda k: f"FROM s{k} AS s{k + 1}\nCMD cargo run\nRUN cargo build\n", s)
    ),
    "stages that mount": lambda s: (
        "FROM debian AS s0\n"
        + each(lambda k: f"FROM rust AS s{k + 1}\nRUN --mount=from=s{k},target=/x cargo build\n", s)
    ),
    "FROM a number": lambda s: (
        "FROM debian\nCOPY --from=" + "9" * min(s, LINE) + " a b\nRUN pip install x\n" + times("#\n", s)
    ),
    "a platform": lambda s: "FROM --platform=" + _lines("", "x", s, " debian\nRUN pip install a\n"),
    # flags
    "flags": lambda s: _after("RUN \\\n" + times("  --mount=type=cache,target=/x \\\n", s) + "  pip install a\n"),
    "flags that differ": lambda s: _after(
        "RUN \\\n" + each(lambda k: f"  --mount=type=cache,target=/x{k} \\\n", s) + "  cargo build\n"
    ),
    "fields of a mount": lambda s: _after(
        "RUN --mount=type=cache,target=/x" + _wrapped(",ro" * (s // 3)) + " pip install a\n"
    ),
    "quotes in a flag": lambda s: _after("RUN --mount=" + _wrapped("'x'" * (s // 3)) + " pip install a\n"),
    "quotes in a mount": lambda s: _after('RUN --mount="' + _wrapped('""' * (s // 2)) + '" pip install a\n'),
    "--mount open": lambda s: _after('RUN --mount="' + _wrapped("x" * s) + " pip install a\n"),
    # words
    "quotes in a pair": lambda s: _after("ENV A=" + _wrapped("'x'" * (s // 3)) + "\n"),
    "double quotes in a pair": lambda s: _after('ENV A="' + _wrapped('\\"' * (s // 2)) + '"\n'),
    "an open quote": lambda s: _after('ENV A="' + _wrapped("x" * s) + "\n"),
    "variables": lambda s: _after("ENV A=" + _wrapped("$B" * (s // 2)) + "\nRUN pip install a\n"),
    "variables in one word": lambda s: _after(
        "ENV B=b\nWORKDIR /" + _wrapped("${B}" * (s // 4)) + "\nRUN pip install a\n"
    ),
    "nested defaults in ENV": lambda s: _after(
        "ENV A=" + _wrapped(nested("${A:-", "x", "}", s)) + "\nRUN pip install a\n"
    ),
    "nested defaults in FROM": lambda s: "FROM " + _wrapped(nested("${A:-", "x", "}", s)) + "\nRUN pip install a\n",
    "nested defaults in a heredoc line": lambda s: _after(
        "RUN cat <<E " + _wrapped(nested("${A:-", "x", "}", s)) + "\nE\n"
    ),
    "stars in ENV": lambda s: _after(
        "ENV A=" + "a" * min(s, LINE) + "\nENV B=${A#*a*a*b}\nRUN pip install $B\n" + times("#\n", s)
    ),
    "stars in a replacement": lambda s: _after(
        "ENV A=" + "a" * min(s, LINE) + "\nENV B=${A//*a*a*b/x}\nRUN pip install $B\n" + times("#\n", s)
    ),
    "brackets": lambda s: _after("CMD " + _wrapped("[" * (s // 2) + "]" * (s // 2)) + "\n"),
    "brackets of one kind": lambda s: _after("CMD " + _wrapped("[" * s) + "\n"),
    "strings": lambda s: _after("CMD [" + ",\\\n".join(['"a"'] * (s // 6)) + "]\n"),
    "broken strings": lambda s: _after("CMD [" + ",\\\n".join(['"a"'] * (s // 6)) + ",]\n"),
    "numbers": lambda s: _after("CMD [" + ",\\\n".join(["1"] * (s // 4)) + "]\n"),
    "a number": lambda s: _after("CMD [" + _wrapped("1" * s) + "]\n"),
    "digits before shifts": lambda s: _after("RUN cat " + _wrapped("1" * s) + "<<E\nE\n"),
    "objects": lambda s: _after("CMD [" + _wrapped('{"a":' * (s // 6) + "1" + "}" * (s // 6)) + "]\n"),
    # here-documents
    "here-documents of one line": lambda s: _after(
        "RUN cat"
        + _wrapped(each(lambda k: f" <<e{k}", s // 2))
        + "\n"
        + each(lambda k: f"e{k}\n", s // 2 - s // 8)
        + each(lambda k: f"e{k}\n", s)
    ),
    "a thousand here-documents": lambda s: _after(
        times("RUN cat" + "".join(f" <<e{k}" for k in range(1000)) + "\n" + "".join(f"e{k}\n" for k in range(1000)), s)
    ),
    "here-documents of COPY": lambda s: _after(times("COPY <<a <<b /x/\n1\na\n2\nb\n", s)),
    "here-documents": lambda s: _after(times("RUN <<E\npip install a\nE\n", s)),
    "here-documents without end": lambda s: _after(each(lambda k: f"RUN <<e{k}\n", s)),
    "a large here-document": lambda s: _after("RUN <<E\n" + times("pip install a\n", s) + "E\n"),
    "a large here-document of tabs": lambda s: _after("RUN <<-E\n" + times("\t\tpip install a\n", s) + "\tE\n"),
    "a here-document of one line": lambda s: _after("RUN cat <<E\n" + times("x" * LINE + "\n", s) + "E\n"),
    "tabs": lambda s: _after("RUN <<-E\n" + times("\t" * LINE + "\n", s) + "E\n"),
    "shifts": lambda s: _after("RUN " + _wrapped("<< " * (s // 3)) + "\n"),
    "shifts without blanks": lambda s: _after("RUN " + _wrapped("<<" * (s // 2)) + "\n"),
    "here-documents in the shell": lambda s: _after("RUN <<E\n" + times("cat <<F\nx\nF\n", s) + "E\n"),
    "here-documents of a shell line": lambda s: _after(
        "RUN <<E\ncat"
        + "".join(f" <<f{k}" for k in range(min(s // 12, 6000)))
        + "\n"
        + "".join(f"f{k}\n" for k in range(min(s // 12, 6000)))
        + "E\n"
        + times("#\n", s // 2)
    ),
    # the shell
    "commands": lambda s: _run(times("pip install a; ", s) + "true"),
    "and": lambda s: _run(times("pip install a && ", s) + "true"),
    "or": lambda s: _run(times("pip install a || ", s) + "true"),
    "pipes": lambda s: _run(times("pip install a | ", s) + "cat"),
    "background": lambda s: _run(times("pip install a & ", s) + "true"),
    "words of a command": lambda s: _run("pip install " + times("a ", s)),
    "words that differ": lambda s: _run("pip install " + each(lambda k: f"a{k} ", s)),
    "variables of the shell": lambda s: _run("pip install " + times("$a ", s)),
    "assignments": lambda s: _run(each(lambda k: f"a{k}=b; ", s) + "pip install $a1"),
    "assignments of one variable": lambda s: _run(times("a=b; pip install $a; ", s) + "true"),
    "assignments, each of the one before": lambda s: _run(
        "a0=b; " + each(lambda k: f"a{k + 1}=$a{k}; ", s) + "pip install $a1"
    ),
    "assignments that grow": lambda s: _run("a=b; " + times("a=$a/b; ", s) + "pip install $a"),
    "assignments that double": lambda s: _run("a=bbbbbbbb; " + times("a=$a$a; ", s) + "pip install $a"),
    "assignments before a command": lambda s: _run(each(lambda k: f"a{k}=b ", s) + "pip install a"),
    "export that doubles": lambda s: _run("export a=bbbbbbbb; " + times("export a=$a$a; ", s) + "pip install $a"),
    "cd": lambda s: _run(times("cd a && ", s) + "pip install -r r.txt"),
    "cd and pip": lambda s: _run(times("cd a && pip install -r r.txt && ", s) + "true"),
    "pip and rm": lambda s: _run(times("pip install a && rm -rf /root/.cache && ", s) + "true"),
    "cd that doubles": lambda s: _run("cd /aaaaaaaa && " + times("cd $PWD$PWD && ", s) + "pip install a"),
    "pushd": lambda s: _run(times("pushd a && ", s) + "pip install a"),
    "set": lambda s: _run(times("set -e; ", s) + "pip install a"),
    "eval": lambda s: _run(each(lambda k: f"eval a{k}; b{k}=c; ", s) + "pip install $b1"),
    "source": lambda s: _run(each(lambda k: f". /x{k}; b{k}=c; ", s) + "pip install $b1"),
    "functions": lambda s: _run(each(lambda k: f"f{k}() {{ pip install a; }}; ", s) + "f1"),
    "functions, each of the one before": lambda s: _run(
        "f0() { pip install a; }; " + each(lambda k: f"f{k + 1}() {{ f{k}; f{k}; }}; ", s) + "f1"
    ),
    "rm": lambda s: _run(each(lambda k: f"rm -rf /root/.cache/a{k}; ", s) + "pip install a"),
    "rm that goes": lambda s: _run("pip install a; " + times("rm -rf /root/.cache/pip; ", s) + "true"),
    "rm that goes, at the end": lambda s: _run("pip install a; " + times("rm -rf /root/.cache/pip; ", s) + "rm -rf /x"),
    "rm of many": lambda s: _run("pip install a; rm -rf " + each(lambda k: f"/root/.cache/a{k} ", s)),
    "globs": lambda s: _run("pip install a; rm -rf /root/" + "*" * s),
    "globs of many stars": lambda s: _run("pip install a; rm -rf " + times("/r*t/.c*e/*p ", s)),
    "questions": lambda s: _run("pip install a; rm -rf /" + "?" * s),
    "braces": lambda s: _run("pip install a; rm -rf " + times("{a,b}", s)),
    "braces nested": lambda s: _run("pip install a; rm -rf " + nested("{a,", "x", "}", s)),
    "braces open": lambda s: _run("pip install a; rm -rf " + "{" * s),
    "braces open and a variable": lambda s: _run("pip install a; rm -rf $a" + "{" * s),
    "braces and commas": lambda s: _run("pip install a; rm -rf $a" + times("{,", s)),
    "braces and dots": lambda s: _run("pip install a; rm -rf $a{" + times("..", s)),
    "braces in a word with quotes": lambda s: _run("pip install " + times("'x'{a,b}", s)),
    "tildes": lambda s: _run("pip install " + times("~", s)),
    "tildes and colons": lambda s: _run("a=" + times("~:", s) + " pip install a"),
    "arithmetic": lambda s: _run("pip install $((" + times("1+", s) + "1))"),
    "parentheses in arithmetic": lambda s: _run("pip install $((" + nested("(", "x", ")", s) + "))"),
    "quotes": lambda s: _run("pip install " + times("'a' ", s)),
    "quotes in one word": lambda s: _run("pip install " + times("'a'", s)),
    "double quotes in one word": lambda s: _run("pip install " + times('"$a"', s)),
    "backquotes": lambda s: _run("pip install " + times("`a` ", s)),
    "backslashes in backquotes": lambda s: _run("pip install `" + times("\\\\", s) + "`"),
    "nested $(": lambda s: _run("pip install " + nested("$(", "x", ")", s)),
    "nested ${": lambda s: _run("pip install " + nested("${a:-", "x", "}", s)),
    'nested "$(': lambda s: _run("pip install " + nested('"$(', "x", ')"', s)),
    "nested (": lambda s: _run(nested("( ", "x", ")", s)),
    "nested {": lambda s: _run(nested("{ ", "x", "; }", s)),
    "nested if": lambda s: _run(nested("if a; then ", "x", "; fi", s)),
    "nested while": lambda s: _run(nested("while a; do ", "x", "; done", s)),
    "nested case": lambda s: _run(nested("case a in a) ", "x", ";; esac", s)),
    "nested backquotes": lambda s: _run("pip install `" + "\\`" * s),
    "nested to the bound": lambda s: _run(
        times("( ( ( ( ( ( ( ( ( ( ( ( ( ( ( ( pip install a ) ) ) ) ) ) ) ) ) ) ) ) ) ) ) ); ", s) + "true"
    ),
    "nested $( to the bound": lambda s: _run(times("$($($($($($($($($($($($(pip install a)))))))))))); ", s) + "true"),
    "sh -c": lambda s: _run(times("sh -c 'pip install a'; ", s) + "true"),
    "sh -c in sh -c": lambda s: _run('sh -c "' * min(s // 7, 8000) + "pip install a" + '"' * min(s // 7, 8000)),
    "eval in eval": lambda s: _run('eval "' * min(s // 7, 8000) + "pip install a" + '"' * min(s // 7, 8000)),
    "sudo sudo": lambda s: _run(times("sudo ", s) + "pip install a"),
    "env env": lambda s: _run(times("env A=b ", s) + "pip install a"),
    "sudo -u": lambda s: _run(times("sudo -u u pip install a; ", s) + "true"),
    "xargs": lambda s: _run("pip install a | " + times("xargs ", s) + "rm"),
    "if": lambda s: _run(times("if a; then pip install a; else b; fi; ", s) + "true"),
    "elif": lambda s: _run("if a; then b; " + times("elif a; then pip install a; ", s) + "fi"),
    "for": lambda s: _run(times("for i in a b; do pip install $i; done; ", s) + "true"),
    "for of many words": lambda s: _run("for i in " + each(lambda k: f"a{k} ", s) + "; do pip install $i; done"),
    "case": lambda s: _run("case $a in " + times("a) pip install a;; ", s) + "esac"),
    "case of many patterns": lambda s: _run("case $a in " + times("a | ", s) + "b) pip install a;; esac"),
    "redirections": lambda s: _run("pip install a " + times("> b ", s)),
    "[[": lambda s: _run("[[ " + times("a == b && ", s) + "c ]]"),
    "[[ =~": lambda s: _run("[[ a =~ " + times("(a|b)", s) + " ]]"),
    "comments in the shell": lambda s: _after("RUN <<E\n" + times("pip install a # pip install\n", s) + "E\n"),
    "hashes": lambda s: _run("pip install " + times("a#", s)),
    "cargo": lambda s: _run(times("cargo build --release && ", s) + "true"),
    "cargo that copies": lambda s: _run(
        each(lambda k: f"cargo build --release && cp target/release/a{k} /out && ", s) + "true"
    ),
    "cargo install": lambda s: _run(each(lambda k: f"cargo install a{k} && ", s) + "true"),
    "options of cargo": lambda s: _run("cargo build " + each(lambda k: f"--bin a{k} ", s)),
    "options of pip": lambda s: _run("pip " + times("-v ", s) + "install a"),
    "dashes of pip": lambda s: _run("pip" + " -x" * (s // 3) + "!"),
    "options in a script that is not understood": lambda s: _after(
        "RUN <<E\nif\npip " + times("-pip\n", s // 2) + "\ncargo " + times("-cargo\n", s // 2) + "\nE\n"
    ),
    "addresses": lambda s: _run("git clone a" + "@" * (s // 2)) + "ADD a" + "@" * (s // 2) + " /b\n",
    "pip, pip, pip": lambda s: _run("echo " + times("pip ", s)),
    "apt-get and a file": lambda s: _run(
        "apt-get update; " + times("dpkg -i a.deb; apt-get install -y ./a.deb; ", s) + "true"
    ),
    "echo > sources.list": lambda s: _run(
        times("echo deb http://a b >> /etc/apt/sources.list; ", s) + "apt-get update && apt-get install -y vim"
    ),
    "apt-get options": lambda s: _run("apt-get " + times("-o Dir::Cache=/x ", s) + "install a"),
    "classes in a pattern": lambda s: _run("pip install a; rm -rf /root/." + times("[[:a", s) + ":]"),
    "an expression of alternatives": lambda s: _run(
        "pip install a; find / -name .cache | grep -E '" + times("(|)", s) + "x' | xargs rm -rf"
    ),
    "apt-get in a text": lambda s: _run("apt-get update && apt-get install -y a && b '" + times("apt -x,", s) + "'"),
    "apt-get under conditions": lambda s: _after(
        "RUN apt-get update\nRUN "
        + times("if a; then apt-get update; fi; apt-get install -y b; ", min(s, LINE))
        + "true\n"
    ),
    "slashes of a source": lambda s: _run("apt-get update; cp -r " + times("/", s) + "a /; apt-get install -y b"),
    "ln": lambda s: _run(each(lambda k: f"ln -s /a{k} /b{k}; ", s) + "pip install a"),
    "paths": lambda s: _run("pip install a; cp " + each(lambda k: f"/a{k}/b ", s) + "/c"),
    "a long path": lambda s: _run("pip install a; cp /" + times("a/", s) + " /b"),
    "dots in a path": lambda s: _run("pip install a; cp /" + times("../", s) + " /b"),
    "at signs": lambda s: _run("pip install " + times("a@", s)),
    "slashes": lambda s: _run("pip install " + times("/", s)),
    "percent signs": lambda s: _after(times("%", min(s, LINE)) + "\n" + times("#\n", s)),
    "braces of a template": lambda s: _after("RUN echo " + _lines("", "{{", s)),
    "marks of a template": lambda s: _after(times("# <% {{ {% @a @b %%a\n", s)),
    "letters beyond ASCII": lambda s: _run("pip install " + times("\u00e9 ", s // 2)),
    "bytes that are no UTF-8": lambda s: _run("pip install " + times("\udcff ", s)),
    "control characters": lambda s: _after(
        times("RUN pip install a " + "".join(map(chr, (*range(1, 10), *range(11, 32), 127))) + "\n", s)
    ),
}
"""By name: a text of about so many characters."""


class Cost(NamedTuple):
    seconds: float
    megabytes: float
    exit: int
    said: str


def measure(files: str | Repository, options: tuple[str, ...] = ("--diff", "--unsafe-fixes")) -> Cost:
    """What the command costs on a Dockerfile of this text, or on a repository of these."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "repository", "Dockerfile")
        for name, text in ({"Dockerfile": files} if isinstance(files, str) else files).items():
            at = path.parent / name
            at.parent.mkdir(parents=True, exist_ok=True)
            at.write_bytes(text.encode("utf-8", "surrogateescape"))
        if not isinstance(files, str):
            path = path.parent
            path.joinpath(".git").mkdir(exist_ok=True)
        report = Path(folder, "report")
        # One process: where there are files for two, each reads the repository's workflows, and the time is doubled.
        command = [sys.executable, "-m", "fixer", *options, "--no-cache", "--jobs", "1"]
        command += ["--project", "p", "--report", str(report)]
        with Path(folder, "out").open("wb") as out, Path(folder, "err").open("wb") as err:
            child = subprocess.Popen([*command, str(path)], stdout=out, stderr=err, preexec_fn=_bounded)
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
        seconds = usage.ru_utime + usage.ru_stime
        said = _said(report, Path(folder, "err").read_text(errors="replace"))
        return Cost(seconds, usage.ru_maxrss / 1024, child.returncode, said)


def _bounded() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEGABYTES << 20, MEGABYTES << 20))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


def _said(report: Path, errors: str) -> str:
    """What came of the files, in short; a fault is in capitals."""
    if "Traceback" in errors:
        return f"TRACEBACK {errors.strip().splitlines()[-1]}"
    said: Counter[str] = Counter()
    for line in report.read_text().splitlines() if report.exists() else ():
        entry = json.loads(line)
        if "status" not in entry:
            continue
        reasons = {refusal["reason"] for refusal in entry.get("refusals", ())}
        problem = (entry.get("problem") or {}).get("kind")
        if "internal-error" in (*reasons, problem):
            return f"INTERNAL ERROR {errors.strip()[:300]}"
        said[f"{entry['status']}: {problem}" if problem else entry["status"]] += 1
    if not said:
        return f"NO REPORT {errors.strip()[-300:]}"
    return ", ".join(what if count == 1 else f"{what} ({count})" for what, count in said.items())


def _grows(less: Cost, more: Cost, base: float) -> str:
    """What twice the text has made grow more than that; empty if nothing has. base: seconds that no text takes."""
    if more.seconds > 2 and more.seconds - base > FACTOR * (less.seconds - base):
        return "TIME"
    return "MEMORY" if more.megabytes > 400 and more.megabytes > FACTOR * less.megabytes else ""


def main(size: int, names: list[str]) -> int:
    bad = 0
    shapes = SHAPES | REPOSITORIES
    for name in names or shapes:
        base = min(measure("FROM debian\n").seconds, 0.2)
        costs = [measure(shapes[name](size * factor)) for factor in (1, 2, 4)]
        if any(_grows(less, more, base) for less, more in pairwise(costs)):
            costs.append(measure(shapes[name](size * 8)))
        faults = sorted({cost.said for cost in costs if cost.said[:2].isupper()})
        faults += [f"exit {cost.exit}" for cost in costs if cost.exit not in (0, 3)][:1]
        what = _grows(*costs[-2:], base) if len(costs) > 3 else ""
        faults += [f"{what} grows faster than the text"] if what else []
        bad += bool(faults)
        figures = "  ".join(f"{cost.seconds:6.2f} s {cost.megabytes:5.0f} MB" for cost in costs)
        print(f"{name:42} {figures}  {costs[-1].said}  {'; '.join(dict.fromkeys(faults))}", flush=True)
    print(f"{bad} shapes with faults")
    return int(bool(bad))


if __name__ == "__main__":
    arguments = sys.argv[1:]
    sys.exit(main(int(arguments[0]) if arguments else 500_000, arguments[1:]))
