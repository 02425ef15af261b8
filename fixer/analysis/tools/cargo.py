"""What one call of cargo does: from its words and its environment to directories, and to what it fetches and writes.

Sources: the Cargo book (commands, "Build cache", "Configuration", "Environment variables"; cargo 1.95), and the
sources of cargo-chef, cargo-zigbuild and cargo-auditable for the commands that they add. What stands in a
`.cargo/config.toml` or in the environment of an unknown base image is not seen: a target directory that the file
does not give is therefore `None`, and `Cargo.target_dirs` tells which directories it may be; somebody who reads a
product there shows which one it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from posixpath import dirname

from fixer.analysis.commands import Call, once_a_call
from fixer.analysis.values import Known, Unknown, Value, below, join
from fixer.text.records import dataclass, replace
from fixer.tree.shell import Word


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


ALIASES: Mapping[str, str] = {"b": "build", "c": "check", "d": "doc", "r": "run", "t": "test"}

FETCHES = _set(
    "add bench build check clippy doc fetch fix generate-lockfile install metadata package publish run "
    "rustc rustdoc test tree update vendor zigbuild nextest chef-cook"
)
"""Commands that download what is not in `$CARGO_HOME/registry` and `$CARGO_HOME/git` yet."""

COMPILES = _set("bench build check chef-cook clippy doc fix install nextest run rustc rustdoc test zigbuild")
"""Commands that write below the target directory. (`package` and `publish` do too: see `Cargo.compiles`.)"""

LINKS = frozenset(("build", "run", "rustc", "zigbuild"))
"""Commands that leave executables and (but for `run`) libraries right in the profile's directory, again at every call,
whether anything was compiled or not (shown with cargo 1.95)."""

_LINKS_TOO = frozenset(("test", "bench", "nextest", "install"))
"""Commands that may leave such files there by the way."""

_READ_ONLY = _set(
    "add chef-prepare clean config fetch fmt generate-lockfile help info init locate-project login logout "
    "metadata new owner pkgid read-manifest remove report search tree uninstall update vendor "
    "verify-project version yank about audit binstall cyclonedx deny license machete outdated sbom sort"
) | {""}
"""Known commands that compile nothing, well-known plug-ins among them; `cargo --version` is none at all."""

_READS_CRATES = _set("about cyclonedx deny license machete outdated sbom")
"""Those among them that look at the crates of a project, by way of `cargo metadata`, which may fetch them."""

_VALUE_OPTIONS = _set(
    "--package --exclude --bin --example --test --bench --features --target --target-dir --profile --jobs "
    "--message-format --color --config --manifest-path --lockfile-path --artifact-dir --out-dir --version "
    "--vers --git --branch --tag --rev --path --root --index --registry --recipe-path --charset --format "
    "--prefix --depth --edges --invert --prune -p -F -j -Z -C -i -e"
)
_CHOICE = ("--bin", "--bins", "--example", "--examples", "--test", "--tests", "--bench", "--benches")
_ONLY_TELLS = frozenset(("--version", "--help", "-V", "-h", "--list"))
_SHORT = {"-p": "--package", "-F": "--features", "-j": "--jobs", "-r": "--release", "-C": "--directory"}

_DIRECTORIES = {"dev": "debug", "test": "debug", "bench": "release"}
"""The directory of a built-in profile that is not named after it."""


OWN_DIRECTORIES = frozenset(("deps", "build", "examples", "incremental", ".fingerprint"))
"""What cargo keeps in the directory of a profile beside the products; no program may be called so
(`core/features.rs`, "conflicts with cargo's build directory names")."""


class Written(Enum):
    """Whether a call writes a path."""

    YES = "yes"
    MAYBE = "maybe"
    """Its directory fits, but some option of the call is not known."""
    LEFT = "left"
    """Its directory fits, but a product of cargo is not called so: a build script, perhaps one of a dependency, may
    have put it there. It does not run again while cargo takes it for fresh, and what was removed does not come back."""
    NO = "no"


@dataclass(frozen=True, slots=True)
class Products:
    """What the manifests say that a call may leave: names of programs, and of libraries that are more than Rust's own
    (`cdylib`, `dylib`, `staticlib`) as crates are called, with `_`. needy: the programs that take certain
    features to be there (`required-features`)."""

    bins: frozenset[str]
    libs: frozenset[str]
    needy: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Cargo:
    """One call of cargo. Paths are absolute; `Unknown` says why a path is not known.

    subcommand: the long name; `chef-cook` and `chef-prepare` for cargo-chef; `auditable build` is `build`; `xx-build`
        is that of xx-cargo.
    cwd: where it runs, `-C` included.
    manifest: the directory of the manifest (`--manifest-path`, `install --path`), else `cwd`.
    target_dir: as given by `--target-dir`, `CARGO_TARGET_DIR`, `CARGO_BUILD_TARGET_DIR` or `--config`; None if none
        of them says so: `target` beside the workspace's root manifest, which is `manifest` or a directory above it.
    profile_dir: the directory of the profile below the target directory: `debug`, `release`, or the custom
        profile's name.
    triples: of `--target` and `CARGO_BUILD_TARGET`; empty: built for the host.
    unsure: why some options of the call are not known (an unquoted variable may hold any of them), or None.
    """

    subcommand: str
    toolchain: str | None
    cwd: Value
    manifest: Value
    target_dir: Value | None
    profile: Value
    profile_dir: Value
    triples: tuple[Value, ...]
    packages: tuple[Value, ...]
    bins: tuple[Value, ...]
    examples: tuple[Value, ...]
    workspace: bool
    features: tuple[Value, ...]
    """The values of `--features`; `--all-features` and `--no-default-features` as they stand."""
    libs_only: bool
    """`--lib`, without `--bin`, `--bins` or `--all-targets`."""
    libs: bool
    """It links libraries: `--lib` or `--all-targets`, or no option that chooses products."""
    offline: bool
    """`--offline`, `--frozen` or CARGO_NET_OFFLINE: it reads what an earlier step fetched."""
    locked: bool
    path: Value | None
    """`install --path`."""
    artifact_dir: Value | None
    """`--artifact-dir` (`--out-dir` before 1.80): final artifacts are copied there."""
    unsure: Unknown | None

    @property
    def fetches(self) -> bool:
        """It may download crates into `$CARGO_HOME`. A command that is not known may."""
        if self.subcommand in FETCHES:
            return True
        return self.subcommand not in _READ_ONLY

    @property
    def reads_crates(self) -> bool:
        """It wants the crates of the project, whether it may download them or not."""
        return self.fetches or self.subcommand in _READS_CRATES

    @property
    def compiles(self) -> bool:
        """It may write below the workspace's target directory.

        `install` without `--path` builds in a directory of its own, unless one is given (cargo
        `ops/cargo_install.rs`).
        """
        if self.subcommand == "install":
            return self.path is not None or self.target_dir is not None
        return self.subcommand not in _READ_ONLY

    @property
    def known(self) -> bool:
        """The subcommand is one that this module knows."""
        return self.subcommand in FETCHES or self.subcommand in COMPILES or self.subcommand in _READ_ONLY

    def target_dirs(self) -> Iterator[str]:
        """The directories that may be the target directory: one if it is given, else `target` in the manifest's
        directory and in each one above it (a workspace's root), nearest first; none if that is not known."""
        if self.target_dir is not None:
            if isinstance(self.target_dir, Known):
                yield self.target_dir.value
            return
        if isinstance(self.manifest, Unknown):
            return
        at = self.manifest.value
        while True:
            yield "/target" if at == "/" else f"{at}/target"
            if at == "/":
                return
            at = dirname(at)

    def profile_dirs(self) -> Iterator[Known]:
        """The directories that hold nothing but directories, or the products of a profile: that of the profile, below
        each that may be the target directory and the one of each target."""
        triples = [_without_glibc(triple.value) for triple in self.triples if isinstance(triple, Known)]
        for directory in self.target_dirs():
            for above in (directory, *(f"{directory}/{triple}" for triple in triples)):
                if above != directory:
                    yield Known(above)
                for name in ("debug", "release", str(self.profile_dir)):
                    yield Known(f"{above}/{name}")

    def target_dir_of(self, path: str) -> str | None:
        """The target directory, one of `target_dirs`, that `path` lies in, at any depth; None if in none of them.

        Without a given one the nearest to the path's end counts: `/a/target/target/x` is in `/a/target` for a
        manifest in `/a`.
        """
        for directory in self.target_dirs():
            if below(path, directory) and path != directory:
                return directory
        return None

    def provides(self, path: str, products: Products | None = None) -> Written:
        """Whether this call surely leaves a file `path`, absolute and clean, in the target directory: an executable, a
        library or an example, each time it runs and whether anything was compiled or not.

        products: what the manifests of the project say; None if they are not at hand. Then a path that the call's
        options allow, and that is called like a program, is taken to be one. A library is not, unless the call names
        its package: what build scripts put there is called so, too.
        """
        if self.subcommand not in LINKS:
            return Written.NO
        if self.target_dir is None and isinstance(self.manifest, Unknown):
            return Written.NO
        directory = self.target_dir_of(path)
        if directory is None:
            return Written.NO
        parts = path[len(directory) + 1 :].split("/")
        if parts[-1] in OWN_DIRECTORIES:
            return Written.NO
        fits = self._fits(parts, products)
        if fits is Written.NO and self.unsure is not None and 2 <= len(parts) <= 4:
            return Written.MAYBE
        return Written.MAYBE if fits is Written.YES and self.unsure is not None else fits

    def links_too(self, path: str) -> bool:
        """Whether the call, which is there to test or to install, may link a program, a library or an example at `path`
        as well: for integration tests cargo links all programs of the package (shown with cargo 1.95)."""
        if self.subcommand not in _LINKS_TOO or self.libs_only:
            return False
        built = replace(self, subcommand="build", bins=(), examples=(), libs=True)
        examples = replace(built, examples=(Known("*"),))
        return any(each.provides(path) is not Written.NO for each in (built, examples))

    def is_chosen_like(self, other: Cargo) -> bool:
        """Whether the calls ask for the same features of the same packages, so that what both compile is the same."""
        mine = (set(self.features), set(self.packages), self.workspace, self.manifest)
        return mine == (set(other.features), set(other.packages), other.workspace, other.manifest)

    def names(self, name: str) -> bool:
        """Whether the call names a program, or the package that is called like it."""
        stem = name.removesuffix(".d").removesuffix(".exe")
        if any(each == Known(stem) for each in (*self.bins, *self.examples)):
            return True
        return any(isinstance(p, Known) and p.value.replace("-", "_") == stem.replace("-", "_") for p in self.packages)

    def makes_all_of(self, other: Cargo) -> bool:
        """Whether the call compiles whatever the other one does, as far as its options choose it."""
        if (self.packages, self.bins, self.examples) != (other.packages, other.bins, other.examples):
            return False
        same = (self.manifest, self.workspace, self.libs_only) == (other.manifest, other.workspace, other.libs_only)
        return same and self.has_features_of(other)

    def has_features_of(self, other: Cargo) -> bool:
        """Whether the call asks for all features of the other one, and leaves none out that the other one does not."""
        bare = Known("--no-default-features")
        mine, theirs = set(self.features) - {bare}, set(other.features) - {bare}
        fuller = Known("--all-features") in mine or theirs <= mine
        return fuller and (bare not in self.features or bare in other.features)

    def _fits(self, parts: Sequence[str], products: Products | None) -> Written:
        directories = list(parts[:-1])
        name = parts[-1]
        example = len(directories) > 1 and directories[-1] == "examples"
        if example:
            directories.pop()
        maybe = False
        triple = ""
        if self.triples:
            if len(directories) != 2:
                return Written.NO
            triple = directories.pop(0)
            known = [_without_glibc(t.value) for t in self.triples if isinstance(t, Known)]
            if triple not in known:
                if len(known) == len(self.triples):
                    return Written.NO
                maybe = True
        elif len(directories) == 2:
            # `build.target` in a configuration file that is not seen
            triple = directories.pop(0)
            maybe = True
        if len(directories) != 1:
            return Written.NO
        if isinstance(self.profile_dir, Unknown):
            maybe = True
        elif directories[0] != self.profile_dir.value:
            return Written.NO
        wanted = self._wants(name, triple, products) if not example else self._example(name)
        return Written.MAYBE if wanted is Written.YES and maybe else wanted

    def _example(self, name: str) -> Written:
        wanted = _among(name.removesuffix(".exe"), self.examples)
        return Written.LEFT if wanted is Written.YES and _kind(name, "") is not _Kind.PROGRAM else wanted

    def _wants(self, name: str, triple: str, products: Products | None) -> Written:
        """Whether the options that choose products allow for one that is called `name`; `triple`: the directory of the
        target, "" for the host's."""
        kind = _kind(name, triple)
        stem = name.removesuffix(".d").removesuffix(".dwp").removesuffix(".exe")
        if any(isinstance(n, Known) and n.value in (name, stem) for n in self.bins):
            return Written.YES
        if kind is _Kind.OTHER:
            return Written.LEFT
        if kind is _Kind.LIBRARY:
            linked = self.libs and self.subcommand != "run"
            return Written.YES if linked and self._is_own_library(name, products) else Written.LEFT
        if kind is _Kind.RUST_LIBRARY:
            return Written.YES if self.libs else Written.NO
        if kind is _Kind.WASM:
            # A program or a library.
            if products is None:
                return Written.YES
            crate = name.partition(".")[0].replace("-", "_")
            own = {each.replace("-", "_") for each in products.bins} | products.libs
            return Written.YES if crate in own else Written.LEFT
        if products is not None and stem not in products.bins:
            return Written.LEFT
        if self.bins:
            return _among(stem, self.bins)
        if self.examples or self.libs_only:
            return Written.NO
        if self.subcommand == "run" and (products is None or len(products.bins) > 1):
            return Written.MAYBE  # of several it is the one that `default-run` names
        return Written.YES

    def _is_own_library(self, name: str, products: Products | None) -> bool:
        """A library of a package that the manifests know, or, without them, that the call names. (A library's name is
        its package's, with `_`, unless the manifest gives it another.)"""
        crate = name.removeprefix("lib").partition(".")[0]
        if products is not None:
            return crate in products.libs
        return any(isinstance(n, Known) and n.value.replace("-", "_") == crate for n in self.packages)


class _Kind(Enum):
    """What the name of a file tells of it."""

    PROGRAM = "program"
    LIBRARY = "library"
    """As cargo calls a `cdylib`, `dylib` or `staticlib`; but any other library may be called so."""
    RUST_LIBRARY = "rlib"
    WASM = "wasm"
    OTHER = "other"


def _kind(name: str, triple: str) -> _Kind:
    """Names of what rustc writes for a target (`rustc --print file-names`), and of the `.d` and `.dwp` files that cargo
    leaves beside them (core/compiler/build_context/target_info.rs)."""
    stem, dot, extension = name.removesuffix(".d").removesuffix(".dwp").rpartition(".")
    if not dot:
        own_library = name.endswith(".d") and name.startswith("lib")
        return _Kind.RUST_LIBRARY if own_library else _Kind.PROGRAM
    if "." in stem or not stem or name.endswith(".d"):
        return _Kind.OTHER
    if extension == "exe":
        return _Kind.PROGRAM
    if extension == "rlib" and stem.startswith("lib"):
        return _Kind.RUST_LIBRARY
    if extension == "wasm" or (extension == "js" and "emscripten" in triple):
        return _Kind.WASM if triple.startswith(("wasm", "asmjs")) else _Kind.OTHER
    if (stem.startswith("lib") and extension in ("so", "dylib", "a")) or extension in ("dll", "lib"):
        return _Kind.LIBRARY
    return _Kind.OTHER


def is_library(name: str) -> bool:
    """Whether a file is called as cargo calls a `cdylib`, `dylib` or `staticlib`."""
    return _kind(name, "") is _Kind.LIBRARY


def _among(name: str, names: Sequence[Value]) -> Written:
    if any(isinstance(n, Known) and n.value in (name, "*") for n in names):
        return Written.YES
    return Written.MAYBE if any(isinstance(n, Unknown) for n in names) else Written.NO


def _without_glibc(triple: str) -> str:
    """cargo-zigbuild takes a glibc version behind the triple: `x86_64-unknown-linux-gnu.2.17`."""
    return triple.split(".", 1)[0]


_FOR_TARGET = "xx-cargo"
"""cargo for the platform that is built for (tonistiigi/xx, `src/xx-cargo`): it adds `--target` with that platform's
triple, which the file does not say. So its commands that compile are none that are known."""

Lookup = Callable[[str], "Value | None"]


def read_cargo(words: Sequence[Value], cwd: Value, lookup: Lookup) -> Cargo | None:
    """What the call `words` does in the directory `cwd`, with the environment `lookup` (None for an unset variable).

    None if it does not call cargo. `rustup run TOOLCHAIN cargo …`, `mold -run cargo …` and `xx-cargo …` do.
    """
    words = _unwrapped(words)
    program = words[0].value.rpartition("/")[2] if words and isinstance(words[0], Known) else ""
    if program not in ("cargo", _FOR_TARGET):
        return None
    rest = list(words[1:])
    toolchain = None
    if rest and isinstance(rest[0], Known) and rest[0].value.startswith("+"):
        toolchain = rest[0].value[1:]
        rest.pop(0)
    options = _options(rest)
    subcommand = options.subcommand
    cwd = join(cwd, options.last("--directory") or Known("."))
    path = options.last("--path") if subcommand == "install" else None
    if program == _FOR_TARGET and subcommand in COMPILES and (subcommand != "install" or path is not None):
        subcommand = f"xx-{subcommand}"
    manifest_path = options.last("--manifest-path")
    manifest = cwd
    if path is not None:
        manifest = join(cwd, path)
    elif manifest_path is not None:
        file = join(cwd, manifest_path)
        manifest = Known(dirname(file.value), file.args) if isinstance(file, Known) else file
    profile = _profile(subcommand, options)
    config = _config(options.all("--config"))
    return Cargo(
        subcommand=subcommand,
        toolchain=toolchain,
        cwd=cwd,
        manifest=manifest,
        target_dir=_target_dir(cwd, options, config, lookup),
        profile=profile,
        profile_dir=_directory(profile),
        triples=_triples(options, config, lookup),
        packages=options.all("--package"),
        bins=options.all("--bin") + ((Known("*"),) if options.has("--bins") and not options.all("--bin") else ()),
        examples=options.all("--example") + ((Known("*"),) if options.has("--examples", "--all-targets") else ()),
        workspace=options.has("--workspace", "--all"),
        features=_features(options),
        libs=options.has("--lib", "--all-targets") or not options.has(*_CHOICE),
        libs_only=options.has("--lib") and not options.has("--bin", "--bins", "--all-targets"),
        offline=options.has("--offline", "--frozen")
        or config.get("net.offline", "") == "true"
        or _true(lookup("CARGO_NET_OFFLINE")),
        locked=options.has("--locked", "--frozen"),
        path=path,
        artifact_dir=_path(cwd, options.last("--artifact-dir") or options.last("--out-dir")),
        unsure=options.unsure,
    )


@once_a_call
def cargo_of(call: Call) -> Cargo | None:
    """What the call does, if it calls cargo. `--features="$X"` is an option with an unknown value, not any option."""
    words: list[Value] = []
    for word, node in zip(call.words, call.nodes, strict=True):
        name = "" if isinstance(word, Known) else call.prefix(node)[0]
        if name.startswith("--") and "=" in name and isinstance(node, Word) and '"' in node.text:
            words += [Known(name.partition("=")[0]), word]
        elif name == "-j":
            continue
        else:
            words.append(word)
    return read_cargo(words, call.cwd, call.lookup)


def _unwrapped(words: Sequence[Value]) -> Sequence[Value]:
    names = [w.value if isinstance(w, Known) else "" for w in words[:4]]
    program = names[0].rpartition("/")[2] if names else ""
    if program == "rustup" and names[1:2] == ["run"]:
        return words[3:]
    if program == "mold" and names[1:2] in (["-run"], ["--run"]):
        return words[2:]
    return words


class _Options:
    """The options of a call in the order in which they stand."""

    __slots__ = ("flags", "subcommand", "unsure", "values")

    def __init__(self) -> None:
        self.subcommand = ""
        self.flags: set[str] = set()
        self.values: list[tuple[str, Value]] = []
        self.unsure: Unknown | None = None

    def has(self, *names: str) -> bool:
        return any(name in self.flags for name in names)

    def all(self, name: str) -> tuple[Value, ...]:
        return tuple(value for key, value in self.values if key == name)

    def last(self, name: str) -> Value | None:
        found = self.all(name)
        return found[-1] if found else None


def _options(words: Sequence[Value]) -> _Options:
    out = _Options()
    parts: list[str] = []
    waiting = ""
    for word in words:
        if waiting:
            out.values.append((_SHORT.get(waiting, waiting), word))
            waiting = ""
            continue
        if isinstance(word, Unknown):
            out.unsure = out.unsure or word
            continue
        if word.args and out.unsure is None:
            out.unsure = Unknown(f"a --build-arg for {', '.join(sorted(word.args))} may hold any options")
        text = word.value
        if text == "--":
            break
        if not text:
            continue
        if not text.startswith("-") or text == "-":
            parts.append(text)
            continue
        name, equals, value = text.partition("=")
        if not text.startswith("--") and len(text) > 2:
            name, equals, value = text[:2], "=", text[2:].removeprefix("=")
            if name in ("-v", "-q"):
                continue
        out.flags.add(_SHORT.get(name, name))
        if equals:
            out.values.append((_SHORT.get(name, name), Known(value, word.args)))
        elif name in _VALUE_OPTIONS and not (name == "--version" and "install" not in parts):
            waiting = name
    out.subcommand = _subcommand(parts)
    if out.flags & _ONLY_TELLS and not out.last("--version"):
        out.subcommand = ""
    return out


def _subcommand(parts: Sequence[str]) -> str:
    if not parts:
        return ""
    first = ALIASES.get(parts[0], parts[0])
    if first == "chef":
        return f"chef-{parts[1]}" if len(parts) > 1 else first
    if first == "auditable" and len(parts) > 1:
        return ALIASES.get(parts[1], parts[1])
    return first


def _profile(subcommand: str, options: _Options) -> Value:
    given = options.last("--profile")
    if given is not None:
        return given
    if options.has("--release"):
        return Known("release")
    if options.unsure is not None:
        return options.unsure
    if subcommand == "install":
        return Known("dev") if options.has("--debug") else Known("release")
    return Known({"bench": "bench", "test": "test"}.get(subcommand, "dev"))


def _directory(profile: Value) -> Value:
    if isinstance(profile, Unknown):
        return profile
    return Known(_DIRECTORIES.get(profile.value, profile.value), profile.args)


def _target_dir(cwd: Value, options: _Options, config: Mapping[str, str], lookup: Lookup) -> Value | None:
    given = options.last("--target-dir")
    for name in ("CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR"):
        if given is not None:
            break
        value = lookup(name)
        if isinstance(value, Known) and value.value:
            given = value
    if given is None and "build.target-dir" in config:
        given = Known(config["build.target-dir"])
    return _path(cwd, given)


def _path(cwd: Value, path: Value | None) -> Value | None:
    return None if path is None else join(cwd, path)


def _triples(options: _Options, config: Mapping[str, str], lookup: Lookup) -> tuple[Value, ...]:
    given = options.all("--target")
    if given:
        return given
    value = lookup("CARGO_BUILD_TARGET")
    if isinstance(value, Known) and value.value:
        return (value,)
    if "build.target" in config:
        return (Known(config["build.target"]),)
    return ()


def _config(values: Sequence[Value]) -> dict[str, str]:
    """`--config 'key = "string"'`, and true and false; a file's name, and any other value, says nothing here."""
    out = {}
    for value in values:
        if isinstance(value, Known):
            key, equals, text = value.value.partition("=")
            text = text.strip()
            if equals and len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
                out[key.strip()] = text[1:-1]
            elif text in ("true", "false"):
                out[key.strip()] = text
    return out


def _features(options: _Options) -> tuple[Value, ...]:
    flags = [Known(name) for name in ("--all-features", "--no-default-features") if options.has(name)]
    return (*options.all("--features"), *flags)


def _true(value: Value | None) -> bool:
    return isinstance(value, Known) and value.value.lower() == "true"
