"""bind-sources: see the class."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from posixpath import basename, dirname
from typing import ClassVar

from fixer.analysis import Call, Facts, Known, Stage, Unknown, below, clean, related
from fixer.analysis.brought import Brought
from fixer.analysis.context import BuildContext
from fixer.analysis.paths import Effect
from fixer.analysis.programs import ABOUT_THE_SYSTEM, ONLY_LOOK, copies_by_links
from fixer.analysis.tools.cargo import Cargo
from fixer.analysis.tools.workspace import lacking_in_lock_file
from fixer.analysis.transfers import destination, sources
from fixer.codemods import common
from fixer.codemods.altered import alters
from fixer.codemods.api import Builder, Change, Codemod, Refusal, Safety, Settings
from fixer.codemods.artifacts import Stop, cargo_calls
from fixer.codemods.cargo_steps import refuse_layers, step_of
from fixer.codemods.chef_steps import PREPARES
from fixer.text.edits import Edit
from fixer.text.records import dataclass
from fixer.text.regex import regex
from fixer.text.source import Span
from fixer.tree.editor import add_mounts, remove_instructions
from fixer.tree.nodes import Add, Copy, JsonString, Run, Transfer, Workdir
from fixer.tree.shell import OpaqueScript


class BindSources(Codemod):
    """Let cargo compile sources that are bound into its step, and copied into no layer.

    What it does

    In a stage that is in no image, where one step compiles what COPY brought from the build context, the COPYs go, and
    the step gets a bind mount for each file and directory of the context that the build may need. `--locked` keeps
    cargo from changing Cargo.lock.

        WORKDIR /app
        COPY . .
        RUN cargo build --release

    becomes, for a crate that has nothing else,

        WORKDIR /app
        RUN --mount=type=bind,source=Cargo.lock,target=Cargo.lock,rw \\
            --mount=type=bind,source=Cargo.toml,target=Cargo.toml,rw \\
            --mount=type=bind,source=src,target=src,rw \\
            cargo build --locked --release

    So is a crate that `cargo install --path` installs; `--locked` is not added there, for it would choose other
    versions.

    What the context has at its top is bound, all of it, but for what no build of cargo reads: Git's directory, if no
    build script asks git or runs another program, Dockerfiles, the target directory. Documents, scripts, settings of
    other tools, tests and benches that no source names are left out, too, where no package has a build script and no
    macro is given the whole directory: which files these read cannot be told. (`.env` stays for macros that read it.)
    So is what Git is told to ignore: it stands on one machine alone. Where the build may read such a file, nothing is
    done.

    Why the mounts are writable

    Nothing that the step writes there is kept. But cargo goes by the dates of files, and where the target directory is
    in a cache mount (cargo-target-cache), the sources have to be touched in the same step, which a read-only mount does
    not allow.

    Why it is unsafe

    A Cargo.lock that does not agree with Cargo.toml ends the build now; before, cargo wrote another one. And a program
    that is compiled may hold the place of its sources: it is the same, but nothing is there in the stage any more for
    somebody who looks into it.

    When it refuses

    When the context is not at hand, or holds no Cargo.lock; when another step reads the sources, or another stage takes
    something but the products; when the stage is part of an image; when the dependencies are kept in a layer
    (cargo-chef, a build with an empty `main`); when the step does more with the sources than to compile them; and for
    the reasons below.

    Sources: BuildKit v0.25 on a real engine (writable bind mounts, a cache below them, dates), cargo 1.95.
    """

    id = "bind-sources"
    words = ("cargo",)
    builders = frozenset((Builder.PERSISTENT,))
    reasons: ClassVar[Mapping[str, str]] = {
        "copied-otherwise": "A COPY of sources has flags or a pattern, goes elsewhere than into the directory of the "
        "build, or on top of another one.",
        "deps-in-layers": "Dependencies are compiled into a layer before the sources come.",
        "ignored-by-git": "Git is told to ignore something that the build may read: elsewhere it may not be there.",
        "needed-later": "Somebody reads the sources after the step that compiles them.",
        "no-context": "The build context is not at hand, and what it holds decides about the mounts.",
        "no-manifest": "The COPYs bring no Cargo.toml to the directory in which cargo looks for it.",
        "no-lock-file": "The context has no Cargo.lock: each build would choose its dependencies anew.",
        "not-root": "A user who is not root could not write to the mounts.",
        "old-syntax": common.REASONS["old-syntax"],
        "opaque-script": common.REASONS["opaque-script"],
        "other-mount": "Another mount of the step is where a part of the sources would be bound.",
        "several-steps": "More than one step of the stage uses the sources.",
        "shipped-stage": "The sources are part of an image that people get.",
        "stale-lock-file": "Cargo.lock does not agree with a manifest, so that a build with --locked would fail.",
        "step-does-more": "The step does more with the sources than to compile them.",
        "too-many": "The context holds so much at its top that the mounts would fill the step.",
        "unknown-directory": "Where cargo runs is not certain, or the directory is not there without the COPY.",
    }

    def run(self, facts: Facts, settings: Settings) -> Iterator[Change | Refusal]:
        for stage in facts.stages:
            try:
                change = self._stage(facts, stage, settings)
            except Stop as stop:
                yield Refusal(self.id, stop.reason, stop.span, stop.because)
            else:
                if change is not None:
                    yield change

    def _stage(self, facts: Facts, stage: Stage, settings: Settings) -> Change | None:
        build = _find(facts, stage)
        if build is None:
            return None
        _check_layers(facts, build)
        _check_steps(facts, build)
        root = _root(facts, build)
        context = settings.context
        span = Span(*build.call.span)
        if not context.at_hand:
            raise Stop("no-context", span, "what the build context holds decides about the mounts: say --context DIR")
        files = _brought(facts, build, root, context)
        _check_readers(facts, build, root, files)
        entries = _entries(build, files, root)
        manifest = build.cargo.manifest
        if not isinstance(manifest, Known) or files.kind(f"{manifest.value}/Cargo.toml") is None:
            raise Stop("no-manifest", build.copies[0].span, "no Cargo.toml comes to where cargo looks for it")
        if not _installs(build) and not {"Cargo.lock", "Cargo.toml"} <= set(entries):
            because = "there is no Cargo.lock beside Cargo.toml in what is copied, so that --locked would fail"
            raise Stop("no-lock-file", build.copies[0].span, because)
        lacking = None if _installs(build) or build.cargo.locked else lacking_in_lock_file(files, manifest.value)
        if lacking is not None:
            because = f"Cargo.lock has no {lacking}, which a manifest wants, so that --locked would fail"
            raise Stop("stale-lock-file", build.copies[0].span, because)
        if len(entries) > _MOST:
            because = f"{len(entries)} files and directories would have to be bound one by one"
            raise Stop("too-many", build.copies[0].span, because)
        _check_mounts(facts, build, root, entries, files)
        _check_others(facts, build, root, entries)
        _check_step(facts, build, root, entries, files)
        file = facts.file
        old = common.takes_mounts(file)
        if old is not None:
            because = "this frontend does not know RUN --mount; docker/dockerfile:1 does"
            raise Stop("old-syntax", old.argument.span, because)
        edits = remove_instructions(file, build.copies, into=[build.run])
        mounts = [(files.source(f"{root}/{entry}"), entry) for entry in entries]
        edits += add_mounts(file, build.run, [f"type=bind,source={here},target={there},rw" for here, there in mounts])
        edits += _locked(facts, build)
        return Change(
            self.id, f"bind the sources into the step that compiles them: {', '.join(entries)}", _WHY,
            build.copies[0].span, tuple(sorted(edits, key=lambda edit: edit.start)), safety=Safety.UNSAFE, risk=_RISK,
            alters=alters(facts, [(stage, f"{root}/{entry}") for entry in entries]),
        )  # fmt: skip


_WHY = (
    "the step sees all that cargo may read of the context, and runs again when it changes; the sources are in no "
    "layer, and nobody reads them later"
)
_RISK = (
    "with a Cargo.lock that does not agree with Cargo.toml the build fails; files that a macro or a build script reads "
    "elsewhere than in the directory of the project are not seen"
)
_MOST = 10
"""So many mounts are written at most."""


@dataclass(slots=True)
class _Build:
    """A step that compiles, its first call of cargo that does, the COPYs of sources before it, and its calls."""

    stage: Stage
    run: Run
    call: Call
    cargo: Cargo
    copies: list[Transfer]
    calls: list[Call]


def _find(facts: Facts, stage: Stage) -> _Build | None:
    """The first step of a stage that compiles what COPY brought from the context; None if there is none."""
    copies: list[Transfer] = []
    for instruction in stage.instructions:
        if isinstance(instruction, Copy | Add) and facts.copied_from(instruction) is None and not instruction.heredocs:
            copies.append(instruction)
        if not isinstance(instruction, Run) or "cargo" not in instruction.code:
            continue
        for call, cargo in cargo_calls(facts, instruction):
            if cargo.compiles and cargo.known and copies and (cargo.subcommand != "install" or cargo.path is not None):
                calls = [each for each, _ in cargo_calls(facts, instruction)]
                return _Build(stage, instruction, call, cargo, copies, calls)
    return None


def _installs(build: _Build) -> bool:
    """Whether it is `cargo install --path`, which leaves nothing of use in the target directory, and which without
    --locked neither reads nor writes Cargo.lock."""
    return build.cargo.subcommand == "install"


# --- what may stand in the way -------------------------------------------------------------------------------------


def _check_steps(facts: Facts, build: _Build) -> None:
    """It is the only step that uses the sources."""
    stage = build.stage
    if stage.shipped:
        because = f"the sources are part of {common.image(stage)}, and would be missing there"
        raise Stop("shipped-stage", build.copies[0].span, because)
    if stage.derived:
        raise Stop("several-steps", stage.derived[0].from_.image.span, "a stage starts from this one, with its sources")
    first, own = facts.index_of(build.copies[0]), facts.index_of(build.run)
    for instruction in stage.instructions[first + 1 :]:
        if not isinstance(instruction, Run) or instruction is build.run:
            continue
        calls = facts.calls(instruction)
        if isinstance(calls, OpaqueScript):
            raise Stop("opaque-script", instruction.span, "it may read the sources: the script is not understood")
        for call in calls:
            early = facts.index_of(instruction) < own
            if _uses(facts, call, build) if not early else not _is_apart(facts, call, build):
                because = "it is another step that may read the sources, or write to them"
                raise Stop("several-steps", Span(*call.span), because)
    if not facts.state(build.run).user.root:
        raise Stop("not-root", Span(*build.call.span), "what is mounted belongs to root, and this is another user")


def _is_apart(facts: Facts, call: Call, build: _Build) -> bool:
    """Whether a call before the step prepares the system, and neither reads sources nor writes where they are."""
    root = build.cargo.cwd
    if call.program not in _PREPARES or not isinstance(root, Known):
        return False
    for effect in facts.call_effects(call):
        if effect.implicit:
            continue
        place = effect.path.value if isinstance(effect.path, Known) else clean(effect.start or root.value)
        if related(place, root.value) and place != "/":
            return False
    return True


_PREPARES = (PREPARES - {"rustup"}) | {"rm", "mkdir", "echo", "set", "true", ":", "export"}
"""(rustup goes by a file of the sources.)"""


def _uses(facts: Facts, call: Call, build: _Build) -> bool:
    root = build.cargo.cwd
    for effect in facts.call_effects(call):
        if not isinstance(effect.path, Known) or not isinstance(root, Known):
            return True
        path = effect.path.value
        hit = below(path, root.value) or (effect.extent != "exact" and below(root.value, path))
        if hit and not any(below(path, directory) for directory in build.cargo.target_dirs()):
            return True
    return False


def _check_step(facts: Facts, build: _Build, root: str, entries: Sequence[str], files: Brought) -> None:
    """What else the step does needs nothing that is not bound, and takes no mount away."""
    calls = facts.calls(build.run)
    if isinstance(calls, OpaqueScript):
        raise Stop("opaque-script", build.run.span, "it may do anything with the sources: the script is not understood")
    compiling = {id(call) for call, cargo in cargo_calls(facts, build.run) if cargo.subcommand in _CARGOS}
    for call in calls:
        if id(call) in compiling or _touches(call):
            continue
        for effect in facts.call_effects(call):
            if effect.implicit and call.program in ABOUT_THE_SYSTEM | PREPARES:
                continue
            if effect.mode == "read" and _makes_links(call) and _is_bound(root, entries, effect):
                because = "what it links to is a mount: a hard link cannot be made, and another would lead nowhere"
                raise Stop("step-does-more", effect.span, because)
            if effect.mode == "write" and effect.path == Known(root) and _puts_beside(facts, call, root, files):
                continue
            if _in_the_way(build, root, entries, files, effect):
                because = "it may need what is not bound, or change what is, and a mount cannot be moved or removed"
                raise Stop("step-does-more", effect.span, because)


def _puts_beside(facts: Facts, call: Call, root: str, files: Brought) -> bool:
    """Whether it puts something into the directory of the build, under a name that the context has not."""
    taken = [effect for effect in facts.call_effects(call) if effect.path != Known(root)]
    return call.program in ("cp", "mv") and bool(taken) and all(
        isinstance(effect.path, Known) and files.kind(f"{root}/{basename(effect.path.value)}") is None
        for effect in taken
    )  # fmt: skip


_CARGOS = frozenset(("build", "rustc", "check", "clippy", "test", "run", "bench", "doc", "install", "fetch", "update"))


def _makes_links(call: Call) -> bool:
    return call.program == "ln" or (call.program == "cp" and copies_by_links(call))


def _is_bound(root: str, entries: Sequence[str], effect: Effect) -> bool:
    """Whether what is named may be a part of the sources (of what a pattern means, by what it begins with)."""
    if not isinstance(effect.path, Known):
        return bool(effect.start) and related(clean(effect.start), root)
    return any(below(effect.path.value, f"{root}/{entry}") for entry in entries)


def _touches(call: Call) -> bool:
    """Whether it changes dates, and nothing else."""
    words = [word.value if isinstance(word, Known) else "" for word in call.words]
    if call.program == "find" and not {"-delete", "-execdir", "-ok", "-okdir"} & set(words):
        runs = [words[index + 1 : index + 2] for index, word in enumerate(words) if word == "-exec"]
        return bool(runs) and all(run == ["touch"] for run in runs)
    return call.program == "touch"


def _in_the_way(build: _Build, root: str, entries: Sequence[str], files: Brought, effect: Effect) -> bool:
    looks = effect.call is not None and effect.call.program in ONLY_LOOK | {"find", "cd", "mkdir", "pwd"}
    if not isinstance(effect.path, Known):
        if any(effect.start.startswith(f"{directory}/") for directory in build.cargo.target_dirs()):
            return False
        near = not effect.start or related(clean(effect.start), root)
        return near and not (looks and effect.mode == "read")
    path = effect.path.value
    if any(below(path, directory) for directory in build.cargo.target_dirs()):
        return False
    if not below(path, root):
        return effect.extent != "exact" and below(root, path) and not (looks and effect.mode == "read")
    name = path[len(root) + 1 :]
    if not name:
        return effect.extent != "exact" and not (looks and effect.mode == "read")
    holder = next((entry for entry in entries if below(f"/{name}", f"/{entry}")), None)
    if holder is not None:
        return effect.mode != "read" and holder == name
    if effect.mode == "read":
        return files.kind(path) is not None
    return any(below(f"/{entry}", f"/{name}") for entry in entries)


def _check_others(facts: Facts, build: _Build, root: str, entries: Sequence[str]) -> None:
    """Nothing else is copied to where the mounts will be, and nothing is unpacked or fetched."""
    for instruction in build.stage.instructions[: facts.index_of(build.run)]:
        if not isinstance(instruction, Transfer):
            continue
        if any(instruction is copy for copy in build.copies):
            remote = isinstance(instruction, Add) and "://" in instruction.code
            if remote or (isinstance(instruction, Add) and any(_ARCHIVE.search(entry) for entry in entries)):
                because = "ADD fetches or unpacks something, which a mount does not do"
                raise Stop("copied-otherwise", instruction.span, because)
            continue
        for effect in facts.effects(instruction):
            if effect.mode != "write":
                continue
            into = effect.path
            if not isinstance(into, Known) or below(root, into.value) or any(
                related(into.value, f"{root}/{entry}") for entry in entries
            ):
                because = "it may put something where a part of the sources would be bound"
                raise Stop("other-mount", instruction.span, because)


_ARCHIVE = regex(r"\.(?:tar|tgz|tbz2?|txz|gz|bz2|xz|zst)\Z")


def _check_layers(facts: Facts, build: _Build) -> None:
    for stage in build.stage.lineage:
        for instruction in stage.instructions:
            for call, cargo in cargo_calls(facts, instruction) if isinstance(instruction, Run) else ():
                if cargo.subcommand == "chef-cook":
                    because = "cargo-chef compiles the dependencies into a layer: the file is made for layers"
                    raise Stop("deps-in-layers", Span(*call.span), because)
    step = step_of(facts, build.stage, build.run)
    if step is not None:
        refuse_layers(facts, [step])


def _root(facts: Facts, build: _Build) -> str:
    """The directory in which cargo runs, which something else than a COPY has made."""
    span = Span(*build.call.span)
    cwd = build.cargo.cwd
    workdir = facts.state(build.run).workdir
    manifest = build.cargo.manifest
    if isinstance(cwd, Unknown) or cwd != workdir or isinstance(manifest, Unknown) or not (
        manifest == cwd or (_installs(build) and below(manifest.value, cwd.value))
    ):
        raise Stop("unknown-directory", span, "cargo does not run in the directory that WORKDIR names")
    for stage in facts.passing(build.stage.lineage):
        for instruction in stage.instructions:
            if instruction is build.run:
                break
            made = facts.effects(instruction)[0].path if isinstance(instruction, Workdir) else None
            if isinstance(made, Known) and below(made.value, cwd.value) and cwd.value != "/":
                return cwd.value
    raise Stop("unknown-directory", span, f"{cwd.value} is not made by a WORKDIR, and would be gone after the step")


def _check_readers(facts: Facts, build: _Build, root: str, files: Brought) -> None:
    directories = [d for d in build.cargo.target_dirs() if below(d, root)]
    given = build.cargo.target_dir
    if isinstance(given, Known):
        directories.append(given.value)
    for reader in facts.takers(build.stage, root):
        path = reader.path.value if isinstance(reader.path, Known) else root
        product = any(below(path, d) and path != d for d in directories)
        if not product and not _is_made(facts, build, root, path, files):
            raise Stop("needed-later", reader.span, f"it takes something of {root} that may be a part of the sources")


def _is_made(facts: Facts, build: _Build, root: str, path: str, files: Brought) -> bool:
    """Whether the step itself puts a file into the directory of the build, under a name that the context has not."""
    return dirname(path) == root and files.kind(path) is None and any(
        effect.mode == "write" and not effect.implicit and effect.through_mount is None
        and effect.path in (Known(path), Known(root)) and effect.call is not None and effect.call.program in _PUT
        for effect in facts.effects(build.run)
    )  # fmt: skip


_PUT = frozenset(("cp", "mv", "install", "objcopy", "strip"))
"""Programs that put a file somewhere."""


# --- what is bound -------------------------------------------------------------------------------------------------

_NEVER = (
    ".git", "target", ".dockerignore", "*.dockerignore", "Dockerfile*", "*.Dockerfile", "Containerfile*",
    "docker-compose*", "compose.y*ml", ".github", ".gitattributes", ".gitlab-ci.yml", ".vscode", ".idea",
    ".editorconfig", ".pre-commit-config.yaml", ".DS_Store",
)  # fmt: skip
"""What no build reads: files of Docker, of editors and of services. (`.git` is another matter.)"""
_OF_OTHERS = (".gitignore", "justfile", "Makefile")
"""What cargo and crates do not read, but a build script may: with these it calls other programs, or goes by them."""
_DOCUMENTS = (
    "*.md", "*.txt", "LICENSE*", "COPYING*", "*.svg", "*.png", "docs", "doc", "examples", "benches", "tests", ".env*",
    "*.yml", "*.yaml", "*.sh", "scripts", "rustfmt.toml", ".rustfmt.toml", "clippy.toml", "deny.toml", "renovate.json",
)  # fmt: skip
"""What they read only if a source names it."""


def _brought(facts: Facts, build: _Build, root: str, context: BuildContext) -> Brought:
    """What the COPYs bring, all of it below `root`, and nothing on top of something else."""
    for copy in build.copies:
        flag = next((flag for flag in copy.flags if flag.name != "link"), None)
        if flag is not None:
            raise Stop("copied-otherwise", flag.word.span, f"--{flag.name} does what a mount does not do")
        for source in sources(facts, copy):
            path = source.path
            if source.pattern or not isinstance(path, Known) or not isinstance(destination(facts, copy), Known):
                raise Stop("copied-otherwise", source.span, "which files this takes, or where they go, is not certain")
            if isinstance(copy, Add) and _ARCHIVE.search(path.value):
                raise Stop("copied-otherwise", source.span, "ADD unpacks archives, which a mount does not do")
            if path.value and context.kind(path.value) not in ("file", "directory"):
                raise Stop("copied-otherwise", source.span, f"no file or directory {path.value} is in the context")
        if not all(below(target, root) for _, target in Brought(facts, context, [copy]).places):
            raise Stop("copied-otherwise", copy.span, "it does not go into the directory of the build")
    files = Brought(facts, context, build.copies)
    conflict = files.conflict()
    if conflict is not None:
        raise Stop("copied-otherwise", build.copies[0].span, f"two parts of the context come to {conflict}")
    return files


def _entries(build: _Build, files: Brought, root: str) -> list[str]:
    """What to bind: paths below the directory of the build, in order."""
    found = [target[len(root) + 1 :] for _, target in files.places if target != root]
    if len(found) < len(files.places):
        found += _top(files, root, build)
        link = next((path for path in found if files.kind(f"{root}/{path}") == "link"), None)
        if link is not None:
            because = f"{link} is a link, and a mount would be what it leads to, if there is anything"
            raise Stop("copied-otherwise", build.copies[0].span, because)
    entries: list[str] = []
    for path in sorted(dict.fromkeys(found)):
        outer = next((entry for entry in entries if below(f"/{path}", f"/{entry}")), None)
        if outer is None:
            entries.append(path)
        elif files.source(f"{root}/{path}") != f"{files.source(f'{root}/{outer}')}{path[len(outer) :]}":
            because = f"{path} comes from elsewhere than {outer}, in which it lies"
            raise Stop("copied-otherwise", build.copies[0].span, because)
    return entries


_TARGETS = {"examples": "example", "benches": "bench", "tests": "test"}
"""Directories of crates, and the word by which manifests, and options of cargo, speak of what is in them."""
_READS_GIT = regex(r"\b(?:git|git2|gix|git[-_]version|vergen\w*|shadow-rs|built|bugreport)\b")
_HAS_SCRIPT = regex(r"(?m)^[^\S\n]*build[^\S\n]*=[^\S\n]*[\"']([^\"'\n]*)")
_RUNS = regex(r"\bCommand\s*::\s*new\s*\(\s*(?!\"(?:rustc|cargo|protoc|pkg-config)\")")
_READS_ENV = regex(r"\b(?:query(?:_file)?(?:_as|_scalar)?(?:_unchecked)?|dotenv)!")
"""Macros of sqlx and of dotenv read `.env`."""
_ALL_OF_IT = r"[\"'](?:\$CARGO_MANIFEST_DIR|\.{0,2})(?:/\.{0,2})*[\"']"
_IS_GIVEN_ALL = regex(
    rf"#!?\[[^\]\n]{{0,500}}[=(,]\s*{_ALL_OF_IT}"
    rf"|(?<!\w)(?!(?:e?print|e?println|write|writeln|format|panic|assert\w*|debug\w*|info|warn|error|trace|vec|matches"
    rf"|env|option_env|concat|bail|anyhow|ensure|todo|unreachable|unimplemented)!)\w+!\s*[({{\[]\s*{_ALL_OF_IT}"
)
"""An attribute or a macro that is given the directory of the package (`#[folder = "."]`, `include_dir!("..")`), where
it may take whatever it finds."""
_READS_FILES = regex(r"\bfs\s*::|\bFile\s*::\s*open\b|\bread_dir\b|\bread_to_string\b|\bWalkDir\b|\bglob\b")


_RUN = frozenset(("bench", "nextest", "r", "run", "t", "test"))
"""Commands of cargo that run programs of the project, which may read what no source names."""
_OF_CARGO = ("Cargo.toml", "Cargo.lock", ".cargo", "src", "build.rs", "rust-toolchain", "rust-toolchain.toml")
"""What cargo looks for by itself."""


def _top(files: Brought, root: str, build: _Build) -> list[str]:
    code = build.run.code
    there = files.names(root)
    names = [name for name in there if not _is_like(name, _NEVER)]
    ignored = {name for name in names if files.context.kept(files.source(f"{root}/{name}") or "") is None}
    maybe = [
        name for name in names
        if _is_like(name, (*_OF_OTHERS, *_DOCUMENTS)) or (name in ignored and name not in _OF_CARGO)
    ]  # fmt: skip
    texts = {}
    if maybe or ".git" in there:
        sources = [path for path in files.walk(root) if path.endswith((".rs", ".toml"))]
        texts = {path: files.text(path) or "" for path in sources if not below(path, f"{root}/target")}
    if _may_read_all(texts):
        named = set(maybe)
    elif any(call.argument(1) in _RUN for call in build.calls):
        named = {name for name in maybe if name not in ignored}
    else:
        named = {name for name in maybe if not _is_like(name, _OF_OTHERS) and _speaks_of(name, texts, code)}
    if any(_READS_ENV.search(text) for path, text in texts.items() if path.endswith(".rs")):
        named.update(name for name in maybe if name.startswith(".env"))
    names = [name for name in names if name not in maybe or name in named]
    mine = next((name for name in names if name in ignored), None)
    if mine is not None:
        because = f"Git is told to ignore {mine}: where it is not there, COPY goes without it, and a mount of it fails"
        raise Stop("ignored-by-git", build.copies[0].span, because)
    if ".git" in there and any(_asks_git(path, text, _scripts(texts)) for path, text in texts.items()):
        names = [".git", *names]
    return names


def _is_like(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _may_read_all(texts: Mapping[str, str]) -> bool:
    """Whether what runs while cargo compiles may read files that no source names: a build script, or a macro."""
    if any(basename(path) == "build.rs" or _has_script(path, text) for path, text in texts.items()):
        return True
    macros = [dirname(path) for path, text in texts.items() if path.endswith(".toml") and _PROC_MACRO.search(text)]
    sources = [(path, text) for path, text in texts.items() if path.endswith(".rs")]
    return any(_IS_GIVEN_ALL.search(text) for _, text in sources) or any(
        _READS_FILES.search(text) and any(below(path, directory) for directory in macros) for path, text in sources
    )


_PROC_MACRO = regex(r"(?m)^[^\S\n]*proc[-_]macro[^\S\n]*=[^\S\n]*true\b")


def _has_script(path: str, text: str) -> bool:
    return basename(path) == "Cargo.toml" and _HAS_SCRIPT.search(text) is not None


def _speaks_of(name: str, texts: Mapping[str, str], code: str) -> bool:
    """Whether a Rust source or a manifest speaks of it, or cargo is asked to compile what is in it."""
    said = re.compile(rf"(?<![\w.-]){re.escape(name)}(?![\w-])")
    if any(name in text and said.search(text) for text in texts.values()):
        return True
    word = _TARGETS.get(name)
    if word is None:
        return False
    return word in code or "all-targets" in code or any(
        word in text and re.search(rf"(?m)^[^\S\n]*(?:\[\[\s*)?{word}\b", text)
        for path, text in texts.items()
        if path.endswith(".toml")
    )


def _scripts(texts: Mapping[str, str]) -> set[str]:
    """The paths of the build scripts."""
    found = {path for path in texts if basename(path) == "build.rs"}
    for path, text in texts.items():
        if basename(path) == "Cargo.toml":
            found.update(clean(f"{dirname(path)}/{script[1]}") for script in _HAS_SCRIPT.finditer(text))
    return found


_GIT_CRATES = regex(
    r"(?m)^[^\S\n]*(?:vergen[\w-]*|shadow-rs|built|build-data|build-info[\w-]*|git[-_]version|git-const|git-testament"
    r"|rustc-tools-util|bugreport)\b"
)
"""Crates that ask git while others are compiled."""


def _asks_git(path: str, text: str, scripts: set[str]) -> bool:
    if path.endswith(".toml"):
        return _GIT_CRATES.search(text) is not None
    return path in scripts and (_READS_GIT.search(text) is not None or _RUNS.search(text) is not None)


def _check_mounts(facts: Facts, build: _Build, root: str, entries: Sequence[str], files: Brought) -> None:
    for mount in facts.mounts(build.run):
        unknown = isinstance(mount.target, Unknown) and mount.type != "ssh"
        if unknown or (
            isinstance(mount.target, Known)
            and (below(root, mount.target.value) or any(related(mount.target.value, f"{root}/{e}") for e in entries))
        ):
            raise Stop("other-mount", mount.flag.word.span, "it is where a part of the sources would be bound")
    for path in (path for entry in entries for path in (entry, files.source(f"{root}/{entry}") or "")):
        if not common.plain(path):
            raise Stop("copied-otherwise", build.copies[0].span, f"{path!r} cannot be written plainly in a mount")


def _locked(facts: Facts, build: _Build) -> Iterator[Edit]:
    """`--locked` behind the subcommands of the step that without it might want to write another Cargo.lock. (`install`
    takes the newest dependencies then, and goes on doing so.)"""
    for call, cargo in cargo_calls(facts, build.run):
        if cargo.locked or not cargo.compiles or cargo.subcommand not in _CARGOS - {"install"}:
            continue
        names = (cargo.subcommand, cargo.subcommand[:1])
        for word, node in zip(call.words[1:], call.nodes[1:], strict=False):
            if isinstance(word, Known) and word.value in names:
                if isinstance(node, JsonString):
                    end = node.string.span.end
                    yield Edit(end, end, ', "--locked"')
                else:
                    yield Edit(node.end, node.end, " --locked")
                break
