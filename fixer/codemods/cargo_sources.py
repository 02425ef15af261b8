"""Where the sources stand of what a step compiles with cargo: the directories that have to be touched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from posixpath import basename, dirname

from fixer.analysis import Call, Effect, Facts, Known, Stage, Unknown, below, clean, related
from fixer.analysis.tools.workspace import crates_by_path
from fixer.analysis.transfers import DIRECTORIES
from fixer.codemods.artifacts import Stop
from fixer.codemods.cargo_steps import Step, calls_of
from fixer.text.records import dataclass, replace
from fixer.text.source import Span
from fixer.tree.nodes import Add, Instruction, Run, Transfer

_NO_SOURCE = (
    ".sh", ".json", ".toml", ".lock", ".conf", ".cfg", ".yml", ".yaml", ".txt", ".md", ".crt", ".pem", ".key", ".env",
    ".list", ".gpg", ".asc", ".sql", ".py", ".js", ".gz", ".zip", ".deb", ".tgz", ".xz", ".so", ".a", "Makefile",
    "rust-toolchain",
)  # fmt: skip
"""How names of single files end that are no crate of their own."""
_ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
"""How archives are called that ADD unpacks (builder/dockerfile docs, "Adding local tar archives")."""
_SYSTEM = ("/bin", "/boot", "/dev", "/etc", "/lib", "/lib64", "/proc", "/run", "/sbin", "/sys", "/usr/bin", "/usr/lib",
           "/usr/local/bin", "/usr/local/lib", "/usr/local/cargo", "/usr/share", "/var/lib", "/tmp")  # fmt: skip
_PACKAGES = ("/usr/include", "/usr/libexec", "/usr/local/go", "/usr/local/include", "/usr/local/rustup",
             "/usr/local/sbin", "/usr/local/share", "/usr/sbin", "/opt")  # fmt: skip
"""Where packages are put that come ready made (hier(7)): out of an archive, or of an image."""

_BRING = frozenset(("git", "tar", "bsdtar", "unzip", "cp", "mv", "rsync", "protoc"))
"""Programs that put whole trees of files, or Rust sources, somewhere."""
_OTHER_BUILDS = frozenset(
    ("make", "gmake", "cmake", "ninja", "meson", "configure", "config", "Configure", "autogen.sh", "autoreconf",
     "bootstrap.sh", "b2", "go", "npm", "yarn", "pnpm", "pip", "pip3", "python", "python3", "bundle", "gradle", "mvn")
)  # fmt: skip
"""Programs that build what is no crate, in the directory of its sources."""


@dataclass(frozen=True, slots=True)
class Fill:
    """Something that puts files into `path`, absolute and without links, before the step compiles.

    crate: they may be sources of crates. system: it is a place of the system or of packages, where nobody keeps crates
    of his own. whole: it brings all that is there; else others may be there, too. sure: the directory is there when
    the step compiles. call: the command, in a RUN. other: something that is no crate is built there.
    """

    path: str
    instruction: Instruction
    span: Span
    crate: bool
    system: bool
    whole: bool = True
    sure: bool = True
    call: Call | None = None
    other: bool = False


def roots_of(facts: Facts, step: Step, directory: str) -> list[str]:
    """The directories that hold the sources of what the step compiles, dependencies by path among them, without links:
    the workspace's, and all others that sources were brought to. The first one is the workspace's."""
    call, cargo = step.calls[0]
    manifests: list[str] = []
    for _, each in step.calls:
        if isinstance(each.manifest, Unknown):
            raise Stop("sources-elsewhere", Span(*call.span), f"where cargo runs is not known: {each.manifest.why}")
        manifests.append(real_path(facts, step, each.manifest.value))
    given = cargo.target_dir is not None
    first = manifests[0] if given else real_path(facts, step, dirname(directory))
    fills = filled(facts, step)
    bound = list(_bound(facts, step))
    crates = _crates(facts, step, manifests)
    others: list[str] = []
    for fill in fills:
        if not fill.crate or below(fill.path, first):
            continue
        if fill.path == "/":
            if isinstance(fill.instruction, Transfer) and not fill.system and _whole_tree(fill.instruction):
                because = "sources are copied to /, which cannot be touched as a whole"
                raise Stop("sources-elsewhere", fill.span, because)
        elif below(first, fill.path):
            if fill.path not in DIRECTORIES and (fill.whole or not _brings(fills, first, fill)):
                first = fill.path
        elif not fill.system and not fill.other:
            if fill.sure:
                others.append(fill.path)
            elif crates is None:
                because = f"whether {fill.path} holds crates, and is still there, is not certain"
                raise Stop("sources-elsewhere", fill.span, because)
    others += [path for path in bound if not any(below(path, place) for place in (first, *_SYSTEM))]
    places = [*(fill.path for fill in fills), *bound]
    if given:
        _must_be_brought(call, manifests, places)
    if first == "/" or below("/usr/local/cargo", first):
        because = f"the sources stand in {first}, which cannot be touched as a whole"
        raise Stop("sources-elsewhere", Span(*call.span), because)
    roots = [first]
    for path in sorted(dict.fromkeys(others), key=len):
        if not any(below(path, root) for root in roots):
            roots.append(path)
    roots[1:] = [path for path in dict.fromkeys(others) if path in roots[1:]]
    for name, path in crates or ():
        if any(below(path, root) for root in roots):
            continue
        if not any(below(path, place) for place in places):
            because = f"{name} is a crate by path, in {path}, and what puts it there is not seen"
            raise Stop("sources-elsewhere", Span(*call.span), because)
        roots.append(path)
    return roots


def _crates(facts: Facts, step: Step, manifests: Sequence[str]) -> list[tuple[str, str]] | None:
    """The crates by path that the manifests name, with their directories; None if these are not at hand."""
    found: list[tuple[str, str]] = []
    for manifest in dict.fromkeys(manifests):
        crates = None if step.files is None else crates_by_path(step.files, manifest)
        if crates is None:
            return None
        facts.charge(len(crates))
        found += [(name, real_path(facts, step, path)) for name, path in crates]
    return found


def _must_be_brought(call: Call, manifests: Sequence[str], places: Sequence[str]) -> None:
    """Where the target directory does not say where the sources begin, somebody must be seen to bring them."""
    for manifest in manifests:
        if not any(related(manifest, place) for place in places if place != "/"):
            because = f"what brings the sources to {manifest}, and whether more of them are above it, is not seen"
            raise Stop("sources-elsewhere", Span(*call.span), because)


def _brings(fills: Sequence[Fill], first: str, fill: Fill) -> bool:
    """Whether something else brings what is in `first`."""
    return any(other is not fill and other.crate and below(other.path, first) for other in fills)


def real_path(facts: Facts, step: Step, path: str) -> str:
    """The path without the symbolic links that are seen to be made before the step compiles."""
    if not facts.links:
        return path
    before = step.calls[0][0].span[0]
    facts.charge(len(facts.links))
    links = [each for each in facts.links if each.stage in step.stage.lineage and each.call.span[0] < before]
    for _ in links:
        link = next((each for each in reversed(links) if below(path, each.name)), None)
        if link is None or below(link.target, link.name):
            break
        path = clean(link.target + path[len(link.name) :])
    return path


# --- who brings them -----------------------------------------------------------------------------------------------


def filled(facts: Facts, step: Step) -> list[Fill]:
    """What puts files somewhere before the step compiles, in order, and is not removed before it does. Raises Stop
    where that cannot be told."""
    found: list[Fill] = []
    for stage in facts.passing(step.stage.lineage):
        for instruction in stage.instructions:
            if isinstance(instruction, Transfer):
                found += _copied(facts, step, instruction)
            elif isinstance(instruction, Run):
                found = _after(facts, step, instruction, found)
            if instruction is step.run:
                return found
    return found


def _copied(facts: Facts, step: Step, instruction: Transfer) -> Iterator[Fill]:
    foreign = not isinstance(facts.copied_from(instruction), Stage | None)
    crate = _may_be_crate(instruction)
    for effect in facts.effects(instruction):
        if isinstance(effect.path, Known):
            path = real_path(facts, step, effect.path.value)
            yield Fill(path, instruction, instruction.span, crate, is_system(path, foreign=foreign))
        elif crate:
            because = "where this puts its files, which may be sources, is not known"
            raise Stop("sources-elsewhere", instruction.span, because)


def is_system(path: str, *, foreign: bool) -> bool:
    """`foreign`: what comes there is neither of the context nor of a stage of the file."""
    if any(below(path, place) for place in _SYSTEM):
        return True
    if not foreign:
        return False
    hidden = any(part.startswith(".") for part in path.split("/"))
    return hidden or path in DIRECTORIES or any(below(path, place) for place in _PACKAGES)


def _after(facts: Facts, step: Step, run: Run, before: Sequence[Fill]) -> list[Fill]:
    """What is there after a RUN; after the commands before cargo, for the step's own."""
    end = step.calls[0][0].span[0] if run is step.run else run.span.end
    found = list(before)
    effects = facts.effects(run)
    facts.charge(len(effects))
    for effect in effects:
        call = effect.call
        if call is None or call.span[0] >= end or effect.through_mount is not None:
            continue
        if effect.mode == "remove":
            facts.charge(len(found))
            found = [left for fill in found if (left := _left(facts, step, effect, call, fill)) is not None]
        elif effect.mode == "write" and call.program in _BRING:
            found += _brought(facts, step, run, effect, call)
    for call in calls_of(facts, run):
        if call.program in _OTHER_BUILDS and isinstance(call.cwd, Known) and call.span[0] < end:
            place = real_path(facts, step, call.cwd.value)
            facts.charge(len(found))
            found = [
                replace(fill, other=True) if fill.call is not None and below(place, fill.path) else fill
                for fill in found
            ]  # fmt: skip
    return found


def _left(facts: Facts, step: Step, effect: Effect, call: Call, fill: Fill) -> Fill | None:
    """What a command that removes something leaves of what was brought; None if nothing."""
    if isinstance(effect.path, Known):
        if not below(fill.path, real_path(facts, step, effect.path.value)):
            return fill
        return None if _surely_runs(call) else replace(fill, sure=False)
    return replace(fill, sure=False) if effect.start and fill.path.startswith(effect.start) else fill


def _surely_runs(call: Call) -> bool:
    return not (call.conditional or call.loop or call.background or call.in_substitution or call.function is not None)


def _brought(facts: Facts, step: Step, run: Run, effect: Effect, call: Call) -> Iterator[Fill]:
    if not isinstance(effect.path, Known):
        return
    words = [word.value if isinstance(word, Known) else "" for word in call.words[1:]]
    path = effect.path.value
    if call.program == "git":
        crate = "clone" in words and effect.extent == "tree"
    elif call.program == "protoc":
        crate = any(word.partition("_out=")[2].endswith(path) for word in words)
    elif call.program in ("cp", "mv", "rsync"):
        crate = _moves_sources(facts, step, call, words)
    else:
        crate = True
    if crate:
        real = real_path(facts, step, path)
        whole = effect.extent == "tree"
        system = is_system(real, foreign=call.program != "git" or real in DIRECTORIES)
        yield Fill(real, run, effect.span, True, system, whole, _surely_runs(call), call)


def _moves_sources(facts: Facts, step: Step, call: Call, words: Sequence[str]) -> bool:
    """Whether a `cp` or `mv` may take crates to where it puts something: directories, and what cargo has not made."""
    recursive = any(word.startswith("-") and set(word) & set("rRa") for word in words) or call.program == "mv"
    for effect in facts.call_effects(call):
        if effect.mode != "read":
            continue
        text = effect.path.value if isinstance(effect.path, Known) else facts.file.text[slice(*effect.span)]
        made = any(cargo.target_dir_of(text) for _, cargo in step.calls)
        if (recursive and not text.endswith(_NO_SOURCE) and not made) or text.endswith(".rs"):
            return True
    return False


def _bound(facts: Facts, step: Step) -> Iterator[str]:
    """Where directories are mounted that may hold crates."""
    for mount in facts.mounts(step.run):
        source = basename(mount.source.value) if isinstance(mount.source, Known) else ""
        if mount.type == "bind" and isinstance(mount.target, Known) and not source.endswith(_NO_SOURCE):
            path = real_path(facts, step, mount.target.value)
            # An image, or a context that has a name of its own.
            foreign = mount.from_ is not None and not isinstance(mount.stage, Stage)
            if not (foreign and is_system(path, foreign=True)):
                yield path


def _whole_tree(instruction: Transfer) -> bool:
    return any(text.strip("\"'").rstrip("/") in ("", ".", "./") for text in _sources(instruction))


def _may_be_crate(instruction: Transfer) -> bool:
    for text in _sources(instruction):
        name = basename(text.strip("\"'").rstrip("/"))
        if isinstance(instruction, Add) and "://" not in text and name.endswith(_ARCHIVES):
            return True
        if not name.endswith(_NO_SOURCE) and not (name.startswith(".") and len(name) > 2):
            return True
    return False


def _sources(instruction: Transfer) -> list[str]:
    if instruction.form is not None:
        return list(instruction.form.values[:-1])
    return [leaf.value for leaf in instruction.sources]
