"""From a call of cargo that compiles to the call of `cargo chef cook` that compiles its dependencies in the same way.

Sources: cargo-chef 0.1.78 `src/main.rs` (the options of `cook`) and `src/recipe.rs` (what it hands on to cargo); the
Cargo book for the options of `build`, `install`, `check` and `rustc`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from posixpath import relpath

from fixer.analysis import Call, Known
from fixer.analysis.tools.cargo import Cargo
from fixer.codemods.common import Stop, span_of
from fixer.text.records import dataclass
from fixer.text.regex import regex
from fixer.text.source import Span
from fixer.tree.nodes import JsonString
from fixer.tree.shell import Assignment, CommandSubstitution, Parameter, ShellNode, Word

RECIPE = "--recipe-path recipe.json"
COOKABLE = frozenset(("build", "check", "clippy", "install", "rustc", "zigbuild", "chef-cook"))
"""Commands whose dependencies `cook` can compile: those of `test`, `run`, `doc` and others are not quite the same."""

MATTERS = regex(
    r"(?:CARGO(?!_NET_OFFLINE)|RUST|CC|CXX|AR|LD|TARGET_|HOST_|PKG_CONFIG|OPENSSL|LIBZ|ZSTD|PROTOC|BINDGEN|LLVM|CLANG|LIBCLANG|CMAKE|ROCKSDB"
    r"|SODIUM|JEMALLOC|SCCACHE|SSL_|GIT_SS|PATH|LIBRARY_PATH|LD_LIBRARY_PATH|C_INCLUDE_PATH|CPATH|MACOSX)"
    r"|.*(?:FLAGS|_LIB_DIR|_INCLUDE_DIR|_STATIC|_NO_VENDOR|_LINKER|_CC|_CXX|_AR)\Z|(?i:(?:https?|all|no)_proxy)\Z"
)
"""Variables on which it may depend how dependencies are compiled. (`CC` also begins CCACHE_DIR: so be it.)"""
_KINDS = {"check": "--check", "clippy": "--clippy", "zigbuild": "--zigbuild"}
_FLAGS = frozenset(
    ("--release", "--no-default-features", "--all-features", "--benches", "--tests", "--examples", "--all-targets",
     "--workspace", "--offline", "--locked", "--frozen", "--bins", "--check", "--clippy", "--zigbuild", "--no-std",
     "--no-build")
)  # fmt: skip
_VALUES = frozenset(
    ("--profile", "--target", "--target-dir", "--features", "--manifest-path", "--package", "--bin", "--jobs", "-Z",
     "--recipe-path")
)  # fmt: skip
_DROPPED = frozenset(
    ("--quiet", "--verbose", "--keep-going", "--future-incompat-report", "--lib", "--unit-graph", "--no-run",
     "--force", "--no-track", "--debug", "--timings")
)  # fmt: skip
"""What changes nothing in how dependencies are compiled, or (`--debug` of `install`) is the default of `cook`."""
_DROPPED_VALUES = frozenset(("--message-format", "--color", "--artifact-dir", "--out-dir", "--root", "--path"))
_RENAMED = {
    "-r": "--release", "-F": "--features", "-p": "--package", "-j": "--jobs", "-q": "--quiet", "-v": "--verbose",
    "-f": "--force", "--all": "--workspace", "-vv": "--verbose",
}  # fmt: skip
_ALL_OF = {"--example": "--examples", "--test": "--tests", "--bench": "--benches"}
_SHORT_VALUE = regex(r"-[FpjZ][^-]")


@dataclass(frozen=True, slots=True)
class Option:
    """name: the long one. value: as it is written, None without one. text: how it stands on a command line. nodes: the
    words of the call that say so."""

    name: str
    value: str | None
    text: str
    nodes: tuple[Word | JsonString, ...]


def _text(node: Word | JsonString) -> str:
    return node.value if isinstance(node, JsonString) else node.text


def options_of(call: Call, cargo: Cargo) -> list[Option]:
    """The options of a call of cargo, as `cook` would be given them: renamed where it knows another name, without those
    that do not matter to dependencies. Raises Stop for one that matters and that it does not know."""
    if call.program != "cargo":
        raise Stop("not-cookable", Span(*call.span), f"cargo is called through {call.program}")
    out: list[Option] = []
    nodes = list(call.nodes[1:])
    words = list(call.words[1:])
    command = ["chef", "cook"] if cargo.subcommand == "chef-cook" else None
    at = 0
    named = command is None
    while at < len(nodes):
        node, word = nodes[at], words[at]
        at += 1
        start, whole = call.prefix(node)
        known = isinstance(word, Known) and not word.args
        if known and start in ("", "--"):
            if start == "--":
                break
            continue
        if not start.startswith("-"):
            if known and start.startswith("+"):
                continue
            if command is not None and known and command and start == command[0]:
                command.pop(0)
                continue
            if known and named:
                named = False
                continue
            raise Stop("unknown-options", span_of(node), f"what {_text(node)} means to cargo is not known")
        name, equals, _ = start.partition("=")
        value: str | None = None
        used: tuple[Word | JsonString, ...] = (node,)
        text = _text(node)
        if equals:
            value = text.partition("=")[2]
        elif _SHORT_VALUE.match(start if whole else f"{start}?"):
            name, value = start[:2], text[2:].removeprefix("=")
        elif not known:
            raise Stop("unknown-options", span_of(node), f"what {text} means to cargo is not known")
        given = name
        name = _RENAMED.get(name, name)
        if name in _VALUES | _DROPPED_VALUES | _ALL_OF.keys() and value is None:
            if at >= len(nodes):
                raise Stop("unknown-options", span_of(node), f"{text} has no value")
            used = (node, nodes[at])
            value = _text(nodes[at])
            text = f"{given} {value}"
            at += 1
        if name in _DROPPED or name in _DROPPED_VALUES or (name == "--bin" and cargo.subcommand == "rustc"):
            continue
        if name in _ALL_OF:
            name, value, text = _ALL_OF[name], None, _ALL_OF[name]
        elif name not in _FLAGS and name not in _VALUES:
            raise Stop("unsupported-option", span_of(node), f"cargo chef cook has no {name}, which matters to it")
        elif given != name and given not in ("-p", "-j"):
            text = name if value is None else f"{name} {value}"
        if not any(option.name == name and option.value == value for option in out):
            out.append(Option(name, value, text, used))
    return out


def cook_command(call: Call, cargo: Cargo, root: str) -> list[str]:
    """The call of `cook`, in the directory `root` of the workspace, for what `call` builds; without the path of the
    recipe. Its parts are the command and each of its options. Raises Stop if there is none."""
    span = Span(*call.span)
    if cargo.subcommand not in COOKABLE:
        raise Stop("not-cookable", span, f"cargo chef cook does not do what cargo {cargo.subcommand} does")
    if call.conditional or call.loop or call.background or call.function or call.in_substitution:
        raise Stop("conditional", span, "whether cargo is called here, and how often, is not certain")
    if call.program != "cargo":
        raise Stop("not-cookable", span, f"cargo is called through {call.program}, which cook would do without")
    if set(call.wrappers) - {"time", "exec"}:
        raise Stop("not-cookable", span, f"cargo is called through {call.wrappers[0]}, which cook would do without")
    if cargo.subcommand == "install" and not cargo.locked:
        because = "without --locked it takes the newest dependencies, not those of Cargo.lock, which cook compiles"
        raise Stop("lock-file-ignored", span, because)
    if any(isinstance(word, Known) and word.value == "auditable" for word in call.words):
        raise Stop("not-cookable", span, "cargo chef cook does not know cargo auditable")
    options = options_of(call, cargo)
    if any(isinstance(triple, Known) and "-none" in triple.value for triple in cargo.triples):
        raise Stop("not-cookable", span, "for a target without an operating system the stand-ins do not link")
    texts = [_KINDS[cargo.subcommand]] if cargo.subcommand in _KINDS else []
    texts += ["--release"] if cargo.subcommand == "install" and cargo.profile == Known("release") else []
    for option in options:
        if option.name in ("--manifest-path", "--recipe-path", "--offline") or option.text in texts:
            continue  # nothing is downloaded before cook, whatever is before the build
        if option.name == "--frozen":
            texts += ["--locked"] if "--locked" not in texts else []
            continue
        if option.name == "--target-dir" and cargo.cwd != Known(root):
            raise Stop("unsupported-option", span_of(option.nodes[0]), "it is relative to another directory")
        texts.append(option.text)
    if isinstance(cargo.manifest, Known) and cargo.manifest.value != root:
        texts.append(f"--manifest-path {relpath(cargo.manifest.value, root)}/Cargo.toml")
    toolchain = next((_text(node) for node in call.nodes[1:2] if _text(node).startswith("+")), None)
    front = f"{_assignments(call)}cargo" + (f" {toolchain}" if toolchain else "")
    return [f"{front} chef cook", *texts]


def _assignments(call: Call) -> str:
    return "".join(f"{call.file_text[each.start : each.end]} " for each in needed_assignments(call))


def needed_assignments(call: Call) -> list[Assignment]:
    """The assignments in front of a command on which it may depend how dependencies are compiled, and those that they
    or its words rest on. Raises Stop for a command in one of them."""
    simple = call.simple
    if simple is None or not simple.words:
        return []
    wanted = set(variables(call.nodes[1:]))
    found = []
    for each in reversed(simple.assignments):
        if MATTERS.match(each.name) or each.name in wanted:
            wanted.update(variables(each.values))
            found.append(each)
    return found[::-1]


def variables(nodes: Iterable[ShellNode | JsonString]) -> Iterator[str]:
    """The names of all variables that words rest on. Raises Stop for a command in them that reads more than how many
    processors there are."""
    for node in nodes:
        if isinstance(node, JsonString):
            continue
        for part in node.walk():
            if isinstance(part, Parameter):
                yield part.name
            elif isinstance(part, CommandSubstitution) and part.kind in ("$", "`"):
                text = " ".join(word.text for inner in part.script.walk() if isinstance(inner, Word)
                                for word in (inner,))  # fmt: skip
                if text.split()[:1] != ["nproc"]:
                    raise Stop("unknown-options", node.span, "it holds the output of a command")


# --- whether a call of cook and a call of cargo agree ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Manner:
    """How dependencies are compiled: the options that must be the same for cook and for what comes after it.

    Each is a pair of the option's name and its values; those that are not given have none."""

    kind: str
    toolchain: str | None
    options: tuple[tuple[str, frozenset[str]], ...]

    def of(self, *names: str) -> tuple[tuple[str, frozenset[str]], ...]:
        return tuple(row for row in self.options if row[0] in names)


CORE = ("--profile", "--target", "--features", "--no-default-features", "--all-features")
CHOICE = ("--package", "--workspace")


def manner_of(cargo: Cargo, options: Sequence[Option]) -> Manner:
    values: dict[str, set[str]] = {}
    for option in options:
        text = (option.value or "").strip("\"'")
        name = option.name
        if name == "--release":
            name, text = "--profile", "release"
        found = values.setdefault(name, set())
        found.update(re.split(r"[,\s]+", text) if name == "--features" else (text,))
    if cargo.subcommand == "install" and cargo.profile == Known("release"):
        values.setdefault("--profile", {"release"})
    if values.get("--profile") == {"dev"}:
        del values["--profile"]
    kind = next((name for name in ("--check", "--clippy", "--zigbuild") if name in values), "")
    kind = _KINDS.get(cargo.subcommand, kind)
    rows = tuple((name, frozenset(values[name])) for name in (*CORE, *CHOICE) if name in values)
    return Manner(kind, cargo.toolchain, rows)
