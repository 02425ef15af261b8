"""Made-up and mutated texts through all of dockfix, with judges that know nothing of how it works.

    python -m tests.fuzz COUNT [--seed N] [--start N] [--jobs N] [--kind parse|shell|fix]… [DIRECTORY…]

Half of the texts are made of pieces of the language, half are Dockerfiles of the corpus (and those below the
directories) with a few edits. Text number N of a seed is always the same for the same files, so a run goes on where
another one stopped (`--start`). Of twenty texts fifteen go through the parser, four through the shell's, one through
all codemods and the engine's loop. What the judges find is printed in as few lines and words as still show it.

- parse: the tree gives the text back and every leaf knows its place; of every third text: BuildKit's parser (PyPI
  `dockerfile`) accepts what we accept and sees the same instructions, or `tests.tree.oracle` explains the difference.
- shell: positions hold, nothing of the text is forgotten; now and then: what we understand, bash or dash parses.
- fix: no exception and no `internal-error`; a second run changes nothing; comments are kept; the reported edits make
  the result, and what they do not touch is as it was; BuildKit's parser accepts the result if it accepted the text; now
  and then: `git apply` takes the diff.
"""

from __future__ import annotations

import argparse
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

from fixer.engine.outcome import Outcome
from fixer.engine.run import fix
from fixer.text.diff import unified_diff
from fixer.text.edits import apply_edits
from fixer.text.source import decode, encode
from fixer.tree.parse import parse
from fixer.tree.parse_shell import Dialect, parse_shell
from fixer.tree.shell import Script
from tests.tree.fuzz import PIECES
from tests.tree.samples import SAMPLES

KINDS = ("parse", "shell", "fix")
LONGEST = 4_000
"""Characters of a text that is taken for a start."""

COMMANDS = [
    "apt-get update",
    "apt-get install -y git",
    "apt-get install -y --no-install-recommends curl ca-certificates",
    "apt-get -y upgrade",
    "apt-get clean",
    "rm -rf /var/lib/apt/lists/*",
    "rm -rf /var/lib/apt/lists",
    "apt-get purge -y git",
    "apt update",
    "apt install -y vim",
    "apt-get autoremove -y",
    "apt-get install -y ./a.deb",
    "dpkg -i a.deb",
    "echo deb http://x y > /etc/apt/sources.list.d/x.list",
    "pip install flask",
    "pip install -r requirements.txt",
    "pip install --no-cache-dir -U pip setuptools",
    "pip3 install .",
    "python -m pip install --user x",
    "pip download x",
    "pip install -e .",
    "pip cache purge",
    "rm -rf /root/.cache",
    "rm -rf ~/.cache/pip",
    "pip wheel -w /w .",
    "uv pip install x",
    "cargo build --release",
    "cargo build",
    "cargo install --path .",
    "cargo install ripgrep",
    "cargo fetch",
    "cargo test",
    "cargo build --release --target x86_64-unknown-linux-musl",
    "cargo clean",
    "cargo chef cook",
    "cp target/release/app /usr/local/bin/app",
    "mv target/release/app /tmp/app",
    "strip target/release/app",
    "rm -rf target",
    "touch src/main.rs",
    "cd /app",
    "cd ..",
    "cd -",
    "mkdir -p /out",
    "useradd -m -u 1000 app",
    "adduser -D app",
    "export CARGO_HOME=/c",
    "PIP_NO_CACHE_DIR=1 pip install x",
    "set -eux",
    "set -o pipefail",
    "true",
    "exit 0",
    "ln -s /a /b",
    "sh -c 'pip install x'",
    'bash -lc "cargo build"',
    "sudo pip install x",
    "env A=b pip install x",
    "su app -c 'pip install x'",
    "curl -sSL https://x | sh",
    "xargs pip install < requirements.txt",
    "find / -name '*.pyc' -delete",
    "npm ci",
    ". venv/bin/activate",
    "source $HOME/.cargo/env",
    'echo "a # b" # c',
    "time cargo build",
    "! pip install x",
    "eval pip install x",
    "cat <<E\nx\nE\n",
]
"""Pieces of scripts that codemods are about, and what may stand beside them."""

JOINS = [
    " && ",
    " && \\\n    ",
    "; ",
    "; \\\n    ",
    " || ",
    " | ",
    " & ",
    "\n",
    " \\\n  && ",
    " && # c\n",
    " &&\\\n# c\n  ",
    "\\\n",
]

FLAGS = [
    "--mount=type=cache,target=/root/.cache/pip",
    "--mount=type=cache,target=/var/cache/apt,sharing=locked",
    "--mount=type=cache,target=/app/target",
    "--mount=type=cache,id=t,target=/app/target,uid=1000",
    "--network=none",
    "--mount=type=cache,target=/usr/local/cargo/registry",
    "--mount=type=bind,source=a,target=a",
    "--mount=type=secret,id=x",
    "--mount=type=bind,from=build,source=/app,target=/b",
    "--mount=type=tmpfs,target=/t",
    "--security=insecure",
    "--mount=type=cache,target=$X",
]

INSTRUCTIONS = [
    "FROM debian:bookworm",
    "FROM debian:bookworm AS base",
    "FROM rust:1 AS build",
    "FROM python:3.12-slim",
    "FROM base",
    "FROM build AS test",
    "FROM scratch",
    "FROM alpine:3",
    "FROM $BASE",
    "FROM ubuntu",
    "FROM --platform=$BUILDPLATFORM rust AS build",
    "WORKDIR /app",
    "WORKDIR sub",
    "WORKDIR $X",
    "USER root",
    "USER app",
    "USER 1000:1000",
    "USER $U",
    "ENV PIP_NO_CACHE_DIR=1",
    "ENV PIP_NO_CACHE_DIR 1",
    "ENV A=b C=d",
    "ENV CARGO_TARGET_DIR=/t",
    "ENV CARGO_HOME=/c PATH=/c/bin:$PATH",
    "ENV HOME=/h",
    "ARG X",
    "ARG X=1",
    "ARG PIP_NO_CACHE_DIR=off",
    "COPY . .",
    "COPY Cargo.toml Cargo.lock ./",
    "COPY src src",
    "COPY requirements.txt .",
    "COPY --from=build /app/target/release/app /usr/local/bin/app",
    "COPY --from=0 /app/target /t",
    "COPY --from=build --chown=1000 /out/ /",
    "COPY --chown=app:app . /app",
    "ADD x.tar.gz /",
    'SHELL ["/bin/bash", "-c"]',
    'SHELL ["/bin/bash", "-euo", "pipefail", "-c"]',
    'SHELL ["powershell"]',
    'CMD ["app"]',
    "CMD app",
    'ENTRYPOINT ["/app/target/release/app"]',
    "HEALTHCHECK CMD curl -f http://x",
    "VOLUME /app/target",
    'VOLUME ["/root/.cache"]',
    "ONBUILD RUN pip install x",
    "ONBUILD COPY . .",
    "LABEL a=b",
    "# dockfix: ignore=pip-cache because x",
    "# dockfix: skip-file",
    "# comment",
    "",
    "EXPOSE 80",
    "STOPSIGNAL 9",
    'RUN ["pip", "install", "x"]',
    "RUN <<E\npip install x\ncargo build\nE",
    "RUN <<-'E'\n\tapt-get update\n\tapt-get install -y x\n\tE",
    "COPY <<E /x\ntext\nE",
]

WORDS = sorted({word for text in (*COMMANDS, *INSTRUCTIONS, *FLAGS) for word in text.split()})


class Finding(NamedTuple):
    number: int
    kind: str
    fault: str
    text: str


# --- texts -----------------------------------------------------------------------------------------------------------


def script(chance: random.Random) -> str:
    """A script of commands, joined in one way or in several."""
    join = chance.choice(JOINS)
    out = chance.choice(COMMANDS)
    for _ in range(chance.choice((0, 0, 1, 1, 2, 3, 5))):
        out += (join if chance.random() < 0.8 else chance.choice(JOINS)) + chance.choice(COMMANDS)
    shape = chance.random()
    if shape < 0.05:
        out = f"if [ -f x ]; then {out}; fi"
    elif shape < 0.1:
        out = f"for i in a b; do {out}; done"
    elif shape < 0.13:
        out = f"( {out} )"
    elif shape < 0.16:
        out = f"{{ {out}; }}"
    elif shape < 0.19:
        out = f"x=$({out}) && echo $x"
    return out


def instruction(chance: random.Random) -> str:
    if chance.random() < 0.5:
        return chance.choice(INSTRUCTIONS)
    flags = "".join(
        f"{flag}{chance.choice((' ', ' ', chr(92) + chr(10) + '    '))}"
        for flag in chance.sample(FLAGS, chance.choice((0, 0, 0, 1, 2)))
    )
    text = script(chance)
    if chance.random() < 0.1:
        lines = text.replace("\\\n", "")
        return f"RUN {flags}<<EOF\n{lines}\nEOF"
    return f"RUN {flags}{text}"


def made(chance: random.Random) -> str:
    """A Dockerfile of instructions that fit each other more or less."""
    head = [
        "# syntax=docker/dockerfile:1\n",
        "# syntax=docker/dockerfile:1.1\n",
        "# escape=`\n",
        "ARG BASE=debian\n",
        "",
        "",
        "",
        "",
        "",
    ]
    lines = [chance.choice(INSTRUCTIONS[:8]), *(instruction(chance) for _ in range(chance.randint(1, 9)))]
    return chance.choice(head) + "\n".join(lines) + chance.choice(("\n", "\n", "\n", ""))


def mutated(chance: random.Random, pool: Sequence[str]) -> str:
    """A text of the pool with a few edits of characters, words or lines; at times with other line ends."""
    text = chance.choice(pool)
    for _ in range(chance.choice((1, 1, 2, 3, 5))):
        text = _mutate(chance, text, pool)
    ends = chance.random()
    if ends < 0.04:
        text = text.replace("\r\n", "\n").replace("\n", "\r\n")
    elif ends < 0.06:
        text = "\ufeff" + text
    elif ends < 0.08:
        text = text.rstrip("\n")
    elif ends < 0.1:
        text = "# escape=`\n" + text.replace("\\\n", "`\n")
    return text


def _mutate(chance: random.Random, text: str, pool: Sequence[str]) -> str:
    what = chance.randrange(12)
    at = chance.randrange(len(text) + 1)
    if what < 2:
        return text[:at] + chance.choice(PIECES) + text[at:]
    if what == 2:
        return text[:at] + text[at + chance.randint(1, 8) :]
    if what == 3:
        odd = chr(
            chance.choice((chance.randrange(1, 128), 0xDC80 + chance.randrange(128), 0x80 + chance.randrange(40)))
        )
        return text[:at] + odd + text[at:]
    lines = text.split("\n")
    row = chance.randrange(len(lines))
    if what == 4:
        del lines[row]
    elif what == 5:
        other = chance.choice(pool).split("\n")
        first = chance.randrange(len(other))
        lines[row:row] = other[first : first + chance.randint(1, 4)]
    elif what == 6:
        second = chance.randrange(len(lines))
        lines[row], lines[second] = lines[second], lines[row]
    elif what == 7:
        lines.insert(row, instruction(chance))
    elif what == 8:
        lines[row] += chance.choice(
            (" \\", "\\", " # c", " ", "\t", "\r", chance.choice(JOINS) + chance.choice(COMMANDS))
        )
    elif what == 9:
        words = re.split(r"( +)", lines[row])
        words[chance.randrange(0, len(words), 2)] = chance.choice(WORDS)
        lines[row] = "".join(words)
    elif what == 10:
        words = lines[row].split(" ")
        del words[chance.randrange(len(words))]
        lines[row] = " ".join(words)
    else:
        cut = chance.randrange(len(lines[row]) + 1)
        lines[row] = (
            lines[row][:cut]
            + chance.choice(
                (
                    "'",
                    '"',
                    "\\",
                    "$",
                    "${",
                    "}",
                    "$(",
                    ")",
                    "`",
                    "<<E",
                    "#",
                    "\\\n",
                    "\\\n# c\n",
                    "[",
                    "]",
                    ",",
                    "=",
                    "--",
                )
            )
            + lines[row][cut:]
        )
    return "\n".join(lines)


def shell_text(chance: random.Random) -> str:
    text = script(chance).replace("\\\n", "\n" if chance.random() < 0.5 else " ")
    if chance.random() < 0.3:
        text = chance.choice(_cases()) + chance.choice(("; ", "\n", " && ", " ")) + text
    for _ in range(chance.choice((0, 1, 1, 2, 4))):
        at = chance.randrange(len(text) + 1)
        piece = chance.choice(_shell_pieces())
        text = text[:at] + piece + text[at + chance.choice((0, 0, 1, 3)) :]
    return text


@lru_cache(maxsize=1)
def _cases() -> list[str]:
    from tests.shell.cases import BASH, BOTH, OPAQUE, SH

    return [text for text, *_ in (*BOTH, *BASH, *SH, *OPAQUE)]


@lru_cache(maxsize=1)
def _shell_pieces() -> list[str]:
    return sorted(
        {piece for text in _cases() for piece in re.findall(r"\w+|\s+|[^\w\s]+|.", text)}
        | set("$`\"'\\(){}[]#;&|<>=~*!\n\t ")
    )


def pool_of(folders: Sequence[str]) -> list[str]:
    """The corpus's Dockerfiles, the samples, and the files below the folders."""
    corpus = Path(__file__).parents[1] / "corpus"
    paths = [path for path in corpus.rglob("*") if path.is_file() and path.suffix not in (".toml", ".md", ".txt")]
    for folder in folders:
        paths += [path for path in Path(folder).rglob("*") if path.is_file()]
    texts = [decode(path.read_bytes()[: LONGEST * 4]) for path in sorted(paths)]
    return sorted(
        {text for text in texts if text and len(text) <= LONGEST} | {s.text for s in SAMPLES if 0 < len(s.text) < 500}
    )


def text_of(seed: int, number: int, kinds: Sequence[str], pool: Sequence[str]) -> tuple[str, str]:
    """Kind and text of one number."""
    chance = random.Random(f"{seed} {number}")
    kind = chance.choice([kind for kind in ("parse",) * 15 + ("shell",) * 4 + ("fix",) if kind in kinds])
    if kind == "shell":
        return kind, shell_text(chance)
    if kind == "parse" and chance.random() < 0.3:
        return kind, "".join(
            chance.choice(PIECES) + ("\n" if chance.random() < 0.1 else "") for _ in range(chance.randint(1, 25))
        )
    if chance.random() < (0.5 if kind == "fix" else 0.2):
        text = made(chance)
        return kind, mutated(chance, [text]) if chance.random() < 0.5 else text
    return kind, mutated(chance, pool)


# --- judges ----------------------------------------------------------------------------------------------------------


def judge_parse(text: str, number: int) -> str | None:
    """What is wrong with the tree of a text."""
    from tests.tree.oracle import differences
    from tests.tree.shapes import check_tiles

    file = parse(text)
    if file.code != text:
        return "the tree does not give the text back"
    check_tiles(file)
    if number % 3:
        return None
    bad = [d for d in differences(encode(text)) if d.explained is None]
    return f"parity: {bad[0].what}" if bad else None


def judge_shell(text: str, number: int) -> str | None:
    """What is wrong with the tree of a script."""
    from tests.shell.oracle import accepts, plain
    from tests.shell.test_fuzz import check

    dialect: Dialect = "bash" if number % 2 else "sh"
    tree = parse_shell(plain(text), 0, dialect)
    check(tree, text)
    if number % 20 < 2 and isinstance(tree, Script) and not accepts("bash", text):
        return (
            None if dialect == "sh" and accepts("dash", text) else f"understood as {dialect}, but no shell accepts it"
        )
    return None


def judge_fix(text: str, number: int) -> str | None:
    """What is wrong with what the codemods make of a text."""
    unsafe = number % 4 != 0
    outcome = fix(text, unsafe_fixes=unsafe, project="project")
    reasons = [refusal for refusal in outcome.refusals if refusal.reason in ("internal-error", "too-much-work")]
    if reasons:
        return f"{reasons[0].codemod}: {reasons[0].reason}: {reasons[0].because}"
    if outcome.error is not None and outcome.error.kind == "internal-error":
        return outcome.error.message
    if outcome.error is not None and outcome.error.kind == "not-understood" and outcome.error.position is None:
        return "a file that is not understood, and no place"
    if not outcome.changed:
        return None
    if _comments(text) - _comments(outcome.text_after):
        return "a comment is gone"
    fault = _replayed(outcome)
    if fault is not None:
        return fault
    if fix(outcome.text_after, unsafe_fixes=unsafe, project="project").changed:
        return "a second run changes it again"
    if _accepted(text) and not _accepted(outcome.text_after):
        return "BuildKit's parser accepted the text and refuses the result"
    return _applied(outcome) if number % 50 == 0 else None


def _comments(text: str) -> Counter[str]:
    return Counter(line.strip() for line in text.split("\n") if line.lstrip().startswith("#"))


def _accepted(text: str) -> bool:
    import dockerfile

    try:
        dockerfile.parse_string(text.encode("utf-8", "replace").decode())
    except (dockerfile.GoParseError, UnicodeError):
        return False
    return True


def _replayed(outcome: Outcome[str]) -> str | None:
    """The reported edits make the result, and items that they do not touch are as they were."""
    text = outcome.text_before
    for step in range(max((change.step for change in outcome.changes), default=-1) + 1):
        edits = [edit for change in outcome.changes if change.step == step for edit in change.edits]
        new = apply_edits(text, edits)
        left = Counter(item.code for item in parse(new).items)
        left.subtract(
            item.code
            for item in parse(text).items
            if not any(edit.start <= item.span.end and item.span.start <= edit.end for edit in edits)
        )
        if any(count < 0 for count in left.values()):
            return "an instruction changed that no edit names"
        text = new
    return None if text == outcome.text_after else "the reported edits do not make the result"


def _applied(outcome: Outcome[str]) -> str | None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "Dockerfile")
        path.write_bytes(encode(outcome.text_before))
        diff = encode(unified_diff(outcome.text_before, outcome.text_after, "Dockerfile"))
        done = subprocess.run(
            ["git", "apply", "--whitespace=nowarn", "-"], cwd=folder, input=diff, capture_output=True
        )
        if done.returncode:
            return "git does not apply the diff"
        return None if path.read_bytes() == encode(outcome.text_after) else "git makes another text of the diff"


JUDGES: dict[str, Callable[[str, int], str | None]] = {"parse": judge_parse, "shell": judge_shell, "fix": judge_fix}


def judged(kind: str, text: str, number: int) -> str | None:
    """The judge's word; an exception is a fault too."""
    try:
        return JUDGES[kind](text, number)
    except Exception as error:
        at = error.__traceback__
        while at is not None and at.tb_next is not None:
            at = at.tb_next
        where = f" at {Path(at.tb_frame.f_code.co_filename).name}:{at.tb_lineno}" if at is not None else ""
        return f"{type(error).__name__}{where}: {str(error)[:120]}"


def shrunk(kind: str, text: str, number: int, fault: str) -> str:
    """Fewer lines, then fewer words and characters, with a fault that begins alike."""
    start = fault[:40]

    def shows(candidate: str) -> bool:
        return (judged(kind, candidate, number) or "").startswith(start)

    for pattern in (r"(\n)", r"(\s+)", r"()"):
        pieces = re.split(pattern, text) if pattern != "()" else [*text[:400], text[400:]]
        size = max(1, len(pieces) // 2)
        while size:
            at = 0
            while at < len(pieces):
                fewer = pieces[:at] + pieces[at + size :]
                if shows("".join(fewer)):
                    pieces = fewer
                else:
                    at += size
            size //= 2
        text = "".join(pieces)
    return text


# --- the command -----------------------------------------------------------------------------------------------------

_POOLS: dict[tuple[str, ...], list[str]] = {}


def run(
    seed: int, start: int, stop: int, kinds: tuple[str, ...], folders: tuple[str, ...]
) -> tuple[Counter[str], list[Finding]]:
    """The texts `start` to `stop` (exclusive) of a seed: how many of each kind, and what was found."""
    pool = _POOLS.setdefault(folders, []) or _POOLS[folders]
    if not pool:
        pool += pool_of(folders)
    counts: Counter[str] = Counter()
    found: list[Finding] = []
    faults: Counter[str] = Counter()
    for number in range(start, stop):
        kind, text = text_of(seed, number, kinds, pool)
        counts[kind] += 1
        fault = judged(kind, text, number)
        if fault is None:
            continue
        faults[fault[:40]] += 1
        if faults[fault[:40]] <= 2:
            small = shrunk(kind, text, number, fault)
            fault = judged(kind, small, number) or fault
            found.append(Finding(number, kind, fault, small))
        else:
            found.append(Finding(number, kind, fault, ""))
    return counts, found


def main() -> int:
    parser = argparse.ArgumentParser(description="Made-up and mutated texts through all of dockfix.")
    parser.add_argument("count", type=int, help="of texts, from --start on")
    parser.add_argument("folders", nargs="*")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--kind", action="append", choices=KINDS)
    args = parser.parse_intermixed_args()
    kinds = tuple(args.kind or KINDS)
    step = 1_000
    starts = range(args.start, args.start + args.count, step)
    stops = [min(start + step, args.start + args.count) for start in starts]
    counts: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    began = time.perf_counter()
    # BuildKit's parser is a Go library, whose threads do not live through a fork.
    with ProcessPoolExecutor(args.jobs, mp_context=get_context("spawn")) as pool:
        size = len(starts)
        rows = pool.map(run, [args.seed] * size, starts, stops, [kinds] * size, [tuple(args.folders)] * size)
        for stop, (some, found) in zip(stops, rows, strict=True):
            counts += some
            for finding in found:
                faults[finding.fault[:60]] += 1
                if faults[finding.fault[:60]] <= 3 and finding.text:
                    print(
                        f"--- {args.seed}:{finding.number} {finding.kind}: {finding.fault}\n{finding.text!r}",
                        flush=True,
                    )
            if stop % 10_000 == 0 or stop == stops[-1]:
                took = time.perf_counter() - began
                print(
                    f"to {stop} of seed {args.seed}: {dict(counts)}, {took:.0f} s, {sum(faults.values())} faults",
                    flush=True,
                )
    for fault, count in faults.most_common():
        print(f"{count:6} {fault}")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
