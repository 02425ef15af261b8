"""What is built: for each case of corpus/_together a context for the stand-ins, an edit, and how to see it arrive.

In the files stands @WORD@ where the edit puts a word that no other build has; without an edit it is FIRST. A case that
copies nothing from its context is edited in the Dockerfile instead: one of its words (`word`) is replaced.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
CORPUS = ROOT / "corpus" / "_together"
WORD = "@WORD@"
FIRST = "firstword"

IMAGES = {
    "debian": ("debian:bookworm-slim", "debian:latest"),
    "rust": ("rust:1-slim", "rust:1-slim-bookworm"),
    "rust-full": ("rust:1-bookworm",),
    "rust-alpine": ("rust:1-alpine",),
    "python": ("python:3.12-slim", "python:3.12-slim-bookworm"),
    "uv": ("ghcr.io/astral-sh/uv:python3.12-bookworm-slim",),
    "node": ("node:20-bookworm-slim",),
    "node-alpine": ("node:alpine",),
    "nginx": ("nginx:1.27",),
    "go": ("golang:1.23",),
    "distroless": ("gcr.io/distroless/static-debian12:nonroot",),
    "dotnet": ("mcr.microsoft.com/dotnet/aspnet:8.0",),
    "dotnet-sdk": ("mcr.microsoft.com/dotnet/sdk:8.0",),
    "jre": ("eclipse-temurin:21-jre",),
    "maven": ("maven:3.9-eclipse-temurin-21",),
    "ruby": ("ruby:3.3-slim-bookworm",),
    "alpine": ("alpine:3.20",),
}
"""Stages of stand_ins/Dockerfile, and the images that they stand for: those of the cases, and those that some tool puts
in their place and that exist."""


@dataclass(frozen=True)
class Case:
    """One Dockerfile of the corpus, and what its build needs."""

    name: str
    """The folder in corpus/_together."""
    files: Mapping[str, str] = field(default_factory=dict)
    """The context, beside the Dockerfile."""
    word: str = ""
    """A word of the Dockerfile, to be replaced by the edit."""
    command: tuple[str, ...] = ()
    """What to run in the image if it is not its own command. WORD in it is replaced."""
    prints: bool = True
    """Whether that prints the word of the edit. Otherwise the word is looked for in the image's files."""
    must: str = ""
    """A package without which the build must fail: its name is replaced by one that does not exist."""
    child: Mapping[str, str] = field(default_factory=dict)
    """The context of a build that starts from this image, for triggers."""
    parse_only: str = ""
    """Why it cannot be built here; empty if it can."""

    @property
    def text(self) -> str:
        return (CORPUS / self.name / "before" / "Dockerfile").read_bytes().decode()

    def context(self, word: str) -> dict[str, str]:
        return {path: text.replace(WORD, word) for path, text in self.files.items()}

    def edited(self, text: str, word: str) -> str:
        """The Dockerfile with the edit; the text as it is if the edit is in the context, or not made."""
        return _put(text, self.word, word) if self.word and word != FIRST else text

    def without(self, text: str) -> str:
        """The Dockerfile in which the package that must be there does not exist."""
        return _put(text, self.must, f"missing-{self.must}")

    def expected(self, word: str) -> str:
        """What shows in the image, and in what it prints, if `word` arrived."""
        return self.word if self.word and word == FIRST else word


def _put(text: str, old: str, new: str) -> str:
    """Where it is a word of its own, not part of a path or of another name."""
    return re.sub(rf"(?<![\w/.\-]){re.escape(old)}(?![\w/.\-])", new, text)


def _cargo(name: str, *dependencies: str, bins: tuple[str, ...] = ()) -> dict[str, str]:
    lines = ["[package]", f'name = "{name}"', 'version = "0.1.0"', 'edition = "2021"', "", "[dependencies]"]
    lines += [f'{dependency} = "1"' for dependency in dependencies]
    sources = [f"src/bin/{name}.rs" for name in bins] or ["src/main.rs"]
    program = f'fn main() {{\n    println!("{WORD}");\n}}\n'
    return {"Cargo.toml": "\n".join(lines) + "\n", "Cargo.lock": "version = 3\n", **dict.fromkeys(sources, program)}


PYTHON = {"requirements.txt": "six==1.16.0\n"}
CASES = (
    Case("peers-01-rust-multistage", _cargo("ferryd", "tides", "moor")),
    Case("peers-02-cargo-chef", _cargo("lighthouse", "lamp", "fog")),
    Case("peers-03-workspace-musl", _cargo("harbour", "crane", bins=("gate", "worker"))),
    Case("peers-04-run-in-the-same-stage", _cargo("bot", "wire")),
    Case("peers-05-the-bug-is-there", _cargo("tideclock", "moon")),
    Case("peers-06-cargo-install", word="cargo-llvm-cov", command=(WORD,), must="sqlx-cli"),
    Case(
        "peers-07-pip-switched-off",
        {
            **PYTHON,
            "requirements-dev.txt": "toml==0.10.2\n",
            "billing/__main__.py": f'import six\n\nprint("{WORD}")\n',
        },
    ),
    Case("peers-08-pip-as-a-user", {**PYTHON, "main.py": f'import six\n\nprint("{WORD}")\n'}),
    Case("peers-09-apt-with-comments", {"exporter.sh": f'#!/bin/sh\ncurl "{WORD}"\n'}),
    Case("peers-10-apt-update-alone", word="tini"),
    Case(
        "peers-11-npm",
        {
            "package.json": '{"name": "chart", "scripts": {"build": "vite build"}}\n',
            "package-lock.json": '{\n  "left-pad": "1.3.0",\n  "vite": "5.0.0" // dev\n}\n',
            "src/index.html": f"<p>{WORD}</p>\n",
        },
    ),
    Case(
        "peers-12-go",
        {
            "go.mod": "module pilot\n\nrequire (\n\texample.com/buoys v1.0.0\n\texample.com/log v1.2.0\n)\n",
            "go.sum": "example.com/buoys v1.0.0 h1:x=\n",
            "cmd/pilot/main.go": f'package main\n\nfunc main() {{\n\tprintln("pilot")\n\tfmt.Println("{WORD}")\n}}\n',
        },
    ),
    Case(
        "peers-13-dotnet",
        {
            "Buoy.csproj": '<Project>\n  <PackageReference Include="Chart" Version="1.0" />\n</Project>\n',
            "Program.cs": f'Console.WriteLine("{WORD}");\n',
        },
    ),
    Case(
        "peers-14-maven-offline",
        {
            "pom.xml": "<project>\n<finalName>anchor</finalName>\n<artifactId>chain</artifactId><!-- dependency -->\n"
            "</project>\n",
            "src/main/java/Anchor.java": f'System.out.println("{WORD}");\n',
        },
    ),
    Case("peers-15-apk", {"entry.sh": f"#!/bin/sh\nbash {WORD}\n"}),
    Case("peers-16-heredoc", word="sweet", command=("cat", "/etc/quay/settings.ini")),
    Case("peers-17-windows", parse_only="Windows containers are not built by BuildKit here"),
    Case(
        "peers-18-onbuild",
        child={
            "package.json": '{"name": "app"}\n',
            "package-lock.json": '{\n  "left-pad": "1.3.0",\n  "vite": "5.0.0" // dev\n}\n',
            "index.js": f"{WORD}\n",
        },
    ),
    Case(
        "peers-19-bundler",
        {
            "Gemfile": 'gem "puma"\n',
            "Gemfile.lock": "GEM\n  specs:\n    puma (6.4.2)\n    rack (3.0.8)\n",
            "config.ru": f"{WORD}\n",
        },
    ),
    Case(
        "peers-20-uv",
        {"pyproject.toml": '[project]\nname = "app"\n', "uv.lock": "rich==13.0\nhttpx==0.27\n", "app.py": f"{WORD}\n"},
    ),
    Case("peers-21-comment-in-a-continuation", word="curl", command=(WORD,)),
    Case("peers-22-two-edits", word="bash", prints=False),
    Case("peers-23-env-and-long-run", {"app.py": f'print("{WORD}")\n'}),
    Case("peers-24-repeated-option", _cargo("compass", "needle", bins=("north", "south")), command=("north",)),
    Case("peers-25-masked-failure", word="sl", command=(WORD,), must="procps"),
    Case("peers-26-a-stage-is-no-image", word="hiredis", prints=False),
    Case("peers-27-backtick-and-pip", {"app.py": f'print("{WORD}")\n'}, prints=False),
)
