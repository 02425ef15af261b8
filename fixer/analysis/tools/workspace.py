"""A cargo workspace as COPY brings it into a stage: which manifests there are, and what they need of other files.

Sources: the Cargo book ("Workspaces", "Specifying Dependencies", "Configuration"), cargo 1.95 `core/workspace.rs` (how
a root is found, and which path dependencies are members), `util/toml/targets.rs` (which programs and libraries a
package has) and `util/context/mod.rs` (where configuration is looked for), cargo-chef 0.1.78
`src/skeleton` (what a recipe holds: the manifests of the members, `Cargo.lock`, `.cargo/config.toml` and
`rust-toolchain` of one directory, and nothing else).
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from posixpath import dirname, normpath
from typing import Any

from fixer.analysis.brought import Brought
from fixer.analysis.tools.cargo import Cargo, Products
from fixer.analysis.values import Known, below, join
from fixer.text.data import read_toml
from fixer.text.records import dataclass, replace

CONFIGS = ("config", "config.toml")
TOOLCHAINS = ("rust-toolchain", "rust-toolchain.toml")
"""In the order in which rustup, and cargo-chef, look for them."""
_TABLES = ("dependencies", "dev-dependencies", "build-dependencies")
_STAND_IN = "0.0.1"
"""The version that cargo-chef gives to the crates of the workspace (src/skeleton/version_masking.rs)."""


class Trouble(Exception):
    """What a recipe would lack. `reason` is a code, `because` one sentence."""

    def __init__(self, reason: str, because: str) -> None:
        super().__init__(because)
        self.reason = reason
        self.because = because


@dataclass(frozen=True, slots=True)
class Workspace:
    """Paths are absolute, in the stage.

    root: the directory of the workspace's manifest, and of `Cargo.lock`.
    members: the directories of all manifests that belong to it.
    packages, programs: what their packages, and the programs of these, are called.
    toolchain: the file beside the root's manifest that says which toolchain rustup takes; None if there is none.
    """

    root: str
    members: tuple[str, ...]
    packages: tuple[str, ...]
    programs: tuple[str, ...]
    toolchain: str | None


def read_workspace(files: Brought, directory: str, cwd: str) -> Workspace:
    """The workspace to which the manifest in `directory` belongs, if a recipe holds all that its dependencies need to
    be compiled. `cwd`: where cargo runs. Raises Trouble if not."""
    manifest = _manifest(files, directory)
    if manifest is None:
        raise Trouble("no-manifest", f"no Cargo.toml that can be read comes to {directory}")
    root, root_manifest = _root(files, directory, manifest)
    members = _members(files, root, root_manifest)
    if files.kind(f"{root.rstrip('/')}/Cargo.lock") != "file":
        because = "no Cargo.lock comes with the sources, so that each build may take other dependencies"
        raise Trouble("no-lock-file", because)
    _check_patches(members, root, root_manifest)
    _check_config(files, root, members)
    for place in (cwd, *_above(cwd), *_above(root)):
        if place != root and any(files.kind(f"{place.rstrip('/')}/.cargo/{name}") == "file" for name in CONFIGS):
            raise Trouble("config-elsewhere", f"cargo reads {place.rstrip('/')}/.cargo, which is not in a recipe")
    for member, table in members.items():
        _check_version(member, table, root_manifest)
    beside = [f"{root.rstrip('/')}/{name}" for name in TOOLCHAINS]
    toolchain = next((path for path in beside if files.kind(path) == "file"), None)
    named = {at: table for at, table in members.items() if isinstance(_package(table).get("name"), str)}
    programs: set[str] = set()
    for at, table in named.items():
        _add_products(files, at, table, programs, set(), any_library=False)
    packages = tuple(str(_package(table)["name"]) for table in named.values())
    return Workspace(root, tuple(members), packages, tuple(sorted(programs)), toolchain)


def lacking_in_lock_file(files: Brought, directory: str) -> str | None:
    """What `Cargo.lock` would have to hold for the manifests of a workspace, and does not, so that `--locked` fails: a
    package, or a crate that one depends on. None if nothing is seen to be lacking."""
    manifest = _manifest(files, directory)
    if manifest is None:
        return None
    root, root_manifest = _root(files, directory, manifest)
    lock = _toml(files.text(f"{root.rstrip('/')}/Cargo.lock"))
    rows = lock.get("package") if lock is not None else None
    if not isinstance(rows, list):
        return None
    try:
        members = _members(files, root, root_manifest, strict=False)
    except Trouble:
        return None
    held = {(str(row.get("name")), str(row.get("version"))) for row in rows if isinstance(row, dict)}
    names = {name for name, _ in held}
    shared = _table(_table(root_manifest, "workspace"), "dependencies")
    for table in members.values():
        name, version = _package(table).get("name"), _package(table).get("version", "0.0.0")
        if isinstance(version, dict):
            version = _table(_table(root_manifest, "workspace"), "package").get("version")
        if isinstance(name, str) and (name, version) not in held:
            return f"{name} {version}"
        for key, entry in (row for kind in _TABLES for row in _table(table, kind).items()):
            named = shared.get(key, entry) if isinstance(entry, dict) and entry.get("workspace") is True else entry
            crate = named.get("package", key) if isinstance(named, dict) else key
            if isinstance(crate, str) and crate not in names:
                return crate
    return None


def root_of(files: Brought, directory: str) -> str | None:
    """The directory of the workspace of the manifest in `directory`; None if no manifest that can be read is there."""
    manifest = _manifest(files, directory)
    return None if manifest is None else _root(files, directory, manifest)[0]


def crates_by_path(files: Brought, directory: str) -> list[tuple[str, str]] | None:
    """The crates by path that a build of the manifest in `directory`, or above it, reads: the members of its workspace,
    what they and their dependencies by path depend on by path, and patches; names, and directories in the stage. None
    if the manifest cannot be read. (One of a crate that comes from elsewhere cannot, and is passed over.)"""
    found = _nearest(files, directory)
    if found is None:
        return None
    at, manifest = found
    root, root_manifest = _root(files, at, manifest)
    named = [("the package", at), ("the workspace", root), *_patches(root, root_manifest)]
    for pattern in _strings(_table(root_manifest, "workspace").get("members")):
        named += [(pattern, path) for path in _glob(files, root, pattern)]
    for place in (directory, *_above(directory)):
        config = _config_in(files, place) or {}
        named += _patches(place, config)
        named += [(path, _at(place, path)) for path in _strings(config.get("paths"))]
    crates: dict[str, str] = {}
    while named:
        name, path = named.pop()
        if path in crates:
            continue
        crates[path] = name
        table = _manifest(files, path)
        if table is not None:
            inside = below(path, root) and "workspace" not in table
            own_root, own = (root, root_manifest) if inside else _root(files, path, table)
            named += _path_dependencies(path, table, own_root, own)
    return [(name, path) for path, name in crates.items()]


def _nearest(files: Brought, directory: str) -> tuple[str, Mapping[str, Any]] | None:
    """The manifest in the directory, or in the nearest one above it that has one; None if it cannot be read."""
    places = (directory, *_above(directory))
    at = next((at for at in places if files.kind(f"{at.rstrip('/')}/Cargo.toml") is not None), None)
    manifest = None if at is None else _manifest(files, at)
    return None if at is None or manifest is None else (at, manifest)


def _config_in(files: Brought, place: str) -> Mapping[str, Any] | None:
    """The configuration in the directory `.cargo` of `place`; None if there is none that can be read."""
    names = (f"{place.rstrip('/')}/.cargo/{name}" for name in CONFIGS)
    path = next((name for name in names if files.kind(name) == "file"), None)
    return None if path is None else _toml(files.text(path))


def configured(files: Brought, cargo: Cargo) -> Cargo:
    """The call as the project's own configuration has it, which says nothing about a target directory that the call or
    its environment names. `build.target-dir` is seen from the directory that holds `.cargo`; the nearest one counts.
    `cargo install --path` looks from the crate's directory."""
    start = cargo.manifest if cargo.subcommand == "install" else cargo.cwd
    if cargo.target_dir is not None or not isinstance(start, Known):
        return cargo
    for place in (start.value, *_above(start.value)):
        directory = _table(_config_in(files, place), "build").get("target-dir")
        if isinstance(directory, str):
            return replace(cargo, target_dir=join(Known(place), Known(directory)))
    return cargo


def is_offline(files: Brought, directory: str, home: str | None) -> bool:
    """Whether the configuration in force in `directory` keeps cargo from the network: `net.offline`, in the nearest
    file that says something about it; that of the cargo home comes last."""
    for place in (directory, *_above(directory)):
        offline = _table(_config_in(files, place), "net").get("offline")
        if isinstance(offline, bool):
            return offline
    own = (_toml(files.text(f"{home}/{name}")) for name in CONFIGS) if home is not None else ()
    return any(_table(config, "net").get("offline") is True for config in own)


def products_of(files: Brought, cargo: Cargo) -> Products | None:
    """The programs and libraries of the packages that the call may compile: of those that it names, else of those that
    cargo takes by itself. None if some manifest or source directory is not at hand."""
    if not isinstance(cargo.manifest, Known):
        return None
    found = _nearest(files, cargo.manifest.value)
    if found is None:
        return None
    directory, manifest = found
    root, root_manifest = _root(files, directory, manifest)
    try:
        members = _members(files, root, root_manifest, strict=False)
    except Trouble:
        return None
    members.setdefault(directory, manifest)
    packages = {at: table for at, table in members.items() if isinstance(_package(table).get("name"), str)}
    if cargo.packages:
        wanted = [name.value if isinstance(name, Known) else "" for name in cargo.packages]
        packages = {at: table for at, table in packages.items() if _package(table)["name"] in wanted}
        if len(packages) < len(set(wanted)):
            # An address, a pattern, a variable or a dependency.
            return None
    elif not cargo.workspace:
        own = [directory] if cargo.subcommand == "install" else _by_default(files, directory, root, root_manifest)
        packages = {at: table for at, table in packages.items() if own is None or at in own}
    bins: set[str] = set()
    libs: set[str] = set()
    for at, table in packages.items():
        if not _add_products(files, at, table, bins, libs, any_library=cargo.subcommand == "rustc"):
            return None
    return Products(frozenset(bins), frozenset(libs), frozenset(_needy(packages.values())))


def has_dev_dependencies(files: Brought | None, cargo: Cargo) -> bool:
    """Whether some package of the workspace in which the call runs has dependencies for its tests alone, which may give
    features to what the others depend on, too; also where the manifests are not at hand."""
    if files is None or not isinstance(cargo.manifest, Known):
        return True
    found = _nearest(files, cargo.manifest.value)
    if found is None:
        return True
    root, root_manifest = _root(files, *found)
    try:
        members = _members(files, root, root_manifest, strict=False)
    except Trouble:
        return True
    return any(
        _table(table, "dev-dependencies")
        for manifest in members.values()
        for table in (manifest, *(each for each in _table(manifest, "target").values() if isinstance(each, dict)))
    )


def _by_default(files: Brought, directory: str, root: str, manifest: Mapping[str, Any]) -> list[str] | None:
    """The directories of the packages that a call in `directory` compiles where it names none: that of the directory;
    at the root of a workspace its `default-members`, else the root's own package. None: all members. (The Cargo book,
    "Workspaces", "Package selection".)"""
    if directory != root:
        return [directory]
    chosen = _table(manifest, "workspace").get("default-members")
    if isinstance(chosen, list):
        return [at for pattern in _strings(chosen) for at in _glob(files, root, pattern)]
    return [root] if _package(manifest) else None


def _needy(manifests: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The programs that are passed over where a call does not ask for their features."""
    for manifest in manifests:
        programs = manifest.get("bin")
        for entry in programs if isinstance(programs, list) else ():
            if isinstance(entry, dict) and entry.get("required-features") and isinstance(entry.get("name"), str):
                yield entry["name"]


def _package(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    return _table(manifest, "package") or _table(manifest, "project")


_LINKED = frozenset(("cdylib", "dylib", "staticlib"))


def _add_products(
    files: Brought, at: str, manifest: Mapping[str, Any], bins: set[str], libs: set[str], *, any_library: bool
) -> bool:
    """False if it has to be looked for among the sources, and these are not at hand. `any_library`: `cargo rustc` may
    be given another crate type."""
    name = str(_package(manifest)["name"])
    programs = manifest.get("bin")
    given = [entry for entry in programs if isinstance(entry, dict)] if isinstance(programs, list) else []
    for entry in given:
        bins.update(entry[key] for key in ("name", "filename") if isinstance(entry.get(key), str))
    library = _table(manifest, "lib")
    types = _strings(library.get("crate-type")) or _strings(library.get("crate_type"))
    if any_library or any(each in _LINKED for each in types):
        libs.add(str(library.get("name", name)).replace("-", "_"))
    if _package(manifest).get("autobins") is False:
        return True
    sources = f"{at.rstrip('/')}/src"
    if files.kind(sources) != "directory":
        return bool(given) or "path" in library
    if files.kind(f"{sources}/main.rs") is not None:
        bins.add(name)
    for each in files.names(f"{sources}/bin"):
        if each.endswith(".rs"):
            bins.add(each.removesuffix(".rs"))
        elif files.kind(f"{sources}/bin/{each}/main.rs") is not None:
            bins.add(each)
    return True


def _above(path: str) -> Iterator[str]:
    while path != "/":
        path = dirname(path)
        yield path


def _at(directory: str, path: str) -> str:
    """A path of a manifest, which may be absolute."""
    return normpath(posixpath.join(directory, path))


def _manifest(files: Brought, directory: str) -> Mapping[str, Any] | None:
    return _toml(files.text(f"{directory.rstrip('/')}/Cargo.toml"))


def _toml(text: str | None) -> Mapping[str, Any] | None:
    if text is None:
        return None
    try:
        return read_toml(text)
    except ValueError:
        return None


def _root(files: Brought, directory: str, manifest: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    if "workspace" in manifest:
        return directory, manifest
    named = _table(manifest, "package").get("workspace")
    for place in (_at(directory, named),) if isinstance(named, str) else _above(directory):
        found = _manifest(files, place)
        if found is not None and "workspace" in found:
            return (directory, manifest) if _excluded(place, found, directory) else (place, found)
    return directory, manifest


def _excluded(root: str, manifest: Mapping[str, Any], directory: str) -> bool:
    workspace = _table(manifest, "workspace")
    inside = any(below(directory, _at(root, path)) for path in _strings(workspace.get("exclude")))
    return inside and not any(_at(root, path) == directory for path in _strings(workspace.get("members")))


def _members(
    files: Brought, root: str, manifest: Mapping[str, Any], *, strict: bool = True
) -> dict[str, Mapping[str, Any]]:
    """Directories and manifests: those that the root names, and the path dependencies below it. Raises Trouble for one
    that cannot be read, and, if `strict`, for a path dependency that is no member."""
    workspace = manifest.get("workspace")
    found: dict[str, Mapping[str, Any]] = {}
    waiting = [root] if "package" in manifest or workspace is None else []
    for pattern in _strings(_table(manifest, "workspace").get("members")):
        waiting.extend(at for at in _glob(files, root, pattern) if not _excluded(root, manifest, at))
    while waiting:
        at = waiting.pop()
        if at in found:
            continue
        table = _manifest(files, at)
        if table is None:
            raise Trouble("no-manifest", f"no Cargo.toml that can be read comes to {at}, a member of the workspace")
        found[at] = table
        for name, path in _path_dependencies(at, table, root, manifest):
            if path in found:
                continue
            if workspace is None or not below(path, root) or _excluded(root, manifest, path):
                if not strict:
                    continue
                because = f"{name} is a crate by path, in {path}, which is no member of the workspace: cook lacks it"
                raise Trouble("path-dependency", because)
            waiting.append(path)
    return found


def _glob(files: Brought, root: str, pattern: str) -> list[str]:
    found = [root]
    for part in normpath(pattern).split("/"):
        if part == ".":
            continue
        if not any(char in part for char in "*?["):
            found = [normpath(f"{at}/{part}") for at in found]
            continue
        found = [
            f"{at.rstrip('/')}/{name}" for at in found for name in files.names(at)
            if fnmatchcase(name, part) and files.kind(f"{at.rstrip('/')}/{name}/Cargo.toml") == "file"
        ]  # fmt: skip
    return found


def _path_dependencies(
    directory: str, manifest: Mapping[str, Any], root: str, root_manifest: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    shared = _table(_table(root_manifest, "workspace"), "dependencies")
    tables = [manifest, *(table for table in _table(manifest, "target").values() if isinstance(table, dict))]
    for table in tables:
        for key in _TABLES:
            for name, entry in _table(table, key).items():
                base = directory
                if isinstance(entry, dict) and entry.get("workspace") is True:
                    base, entry = root, shared.get(name)
                if isinstance(entry, dict) and isinstance(entry.get("path"), str):
                    yield name, _at(base, entry["path"])


def _check_patches(members: Mapping[str, object], root: str, manifest: Mapping[str, Any]) -> None:
    for name, path in _patches(root, manifest):
        if path not in members:
            because = f"{name} is patched with {path}, which is no member of the workspace: cook lacks it"
            raise Trouble("path-dependency", because)


def _patches(root: str, manifest: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The crates by path in `[patch]` and `[replace]` of a manifest or a configuration."""
    tables = [table for table in _table(manifest, "patch").values() if isinstance(table, dict)]
    for table in [*tables, _table(manifest, "replace")]:
        for name, entry in table.items():
            if isinstance(entry, dict) and isinstance(entry.get("path"), str):
                yield name, _at(root, entry["path"])


_PROGRAMS = ("linker", "runner", "rustc", "rustc-wrapper", "rustc-workspace-wrapper")


def _check_config(files: Brought, root: str, members: Mapping[str, object]) -> None:
    for name in CONFIGS:
        path = f"{root.rstrip('/')}/.cargo/{name}"
        if files.kind(path) is None:
            continue
        config = _toml(files.text(path))
        if config is None:
            raise Trouble("config-elsewhere", f"{path} cannot be read")
        for source in _table(config, "source").values():
            if isinstance(source, dict) and ("directory" in source or "local-registry" in source):
                raise Trouble("vendored", "the dependencies come with the sources, and cook has no sources")
        if "paths" in config or "include" in config:
            raise Trouble("config-elsewhere", f"{path} names other files, which are not in a recipe")
        _check_patches(members, root, config)
        targets = [table for table in _table(config, "target").values() if isinstance(table, dict)]
        for table in [_table(config, "build"), *targets]:
            for key in _PROGRAMS:
                program = table.get(key)
                first = program if isinstance(program, str) else next(iter(_strings(program)), "")
                if "/" in first and not first.startswith("/"):
                    because = f"{key} in {path} is a file of the sources, and cook has no sources"
                    raise Trouble("config-elsewhere", because)
        if any(str(triple).endswith(".json") for triple in _triples(config)):
            raise Trouble("config-elsewhere", f"{path} names a target by a file, which is not in a recipe")


def _triples(config: Mapping[str, Any]) -> list[Any]:
    triple = _table(config, "build").get("target")
    return triple if isinstance(triple, list) else [triple]


def _check_version(directory: str, manifest: Mapping[str, Any], root_manifest: Mapping[str, Any]) -> None:
    """A crate that has the version of the stand-ins (or none, as they then have), and a program with
    `required-features`, which cargo-chef writes for every program: it is taken for fresh, because cargo goes by dates,
    and its sources are older than what cook compiled. The image then holds the stand-in (shown with cargo 1.95)."""
    version = _table(manifest, "package").get("version", _STAND_IN)
    if isinstance(version, dict):
        version = _table(_table(root_manifest, "workspace"), "package").get("version")
    programs = [table for table in manifest.get("bin", ()) if isinstance(table, dict)]
    if version == _STAND_IN and any("required-features" in program for program in programs):
        because = f"the crate in {directory} has version {_STAND_IN}, like cargo-chef's stand-in, and may pass for it"
        raise Trouble("same-version", because)


def _table(value: Any, key: str) -> Mapping[str, Any]:
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def _strings(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
