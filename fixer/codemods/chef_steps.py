"""What the steps around a compilation do: stand-ins for the sources, preparations that cook needs, mounts that hide it.

For cargo-chef, in files that do not use it yet and in those that do.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from fixer.analysis import Call, Effect, Facts, Known, Mount, Stage, below, related
from fixer.analysis.brought import Brought
from fixer.analysis.tools.cargo import Cargo
from fixer.analysis.tools.workspace import TOOLCHAINS
from fixer.codemods.artifacts import cargo_calls, wants_content
from fixer.codemods.cargo_sources import is_system
from fixer.codemods.cargo_steps import cargo_home
from fixer.codemods.common import Stop, is_forced, operands, pattern_of
from fixer.codemods.cook import COOKABLE, MATTERS, needed_assignments, variables
from fixer.text.source import Span
from fixer.tree.nodes import Arg, Env, Instruction, Onbuild, Run, Shell, Transfer, User, Workdir
from fixer.tree.shell import OpaqueScript

# --- stand-ins -----------------------------------------------------------------------------------------------------

_STAND_IN_PROGRAMS = frozenset(("mkdir", "echo", "printf", "touch", "rm", "cd", "true", ":", "set", "cat", "ls"))


def is_stand_in(facts: Facts, run: Run) -> bool:
    """Whether a RUN does nothing but make, compile or remove a program that stands in for the sources."""
    calls = facts.calls(run)
    if isinstance(calls, OpaqueScript) or not calls:
        return False
    for call in calls:
        if call.program == "cargo":
            continue
        if call.program not in _STAND_IN_PROGRAMS:
            return False
        if call.program in ("mkdir", "rm") and not all(_is_of_sources(call, index) for index in operands(call)):
            return False
    cargos = [cargo for _, cargo in cargo_calls(facts, run)]
    if any(not (cargo.known and (cargo.compiles or cargo.subcommand in _STAND_IN_COMMANDS)) for cargo in cargos):
        return False
    return bool(cargos) or makes_stand_in(facts, run) or any(call.program in ("mkdir", "rm") for call in calls)


_STAND_IN_COMMANDS = ("new", "init", "fetch", "clean")


def _is_of_sources(call: Call, index: int) -> bool:
    pattern, _ = pattern_of(call, call.nodes[index])
    parts = pattern.split("/")
    return any(part in ("src", "target", "benches", "tests", "examples") for part in parts) or parts[-1].endswith(".rs")


def makes_stand_in(facts: Facts, run: Run) -> bool:
    calls = facts.calls(run)
    for call in () if isinstance(calls, OpaqueScript) else calls:
        if call.program == "cargo" and call.argument(1) in ("new", "init"):
            return True
        if any(r.op in (">", ">>") and r.target.text.strip("\"'").endswith(".rs") for r in call.redirects):
            return True
        if call.program == "touch" and any(
            isinstance(word, Known) and word.value.endswith(".rs") for word in call.words[1:]
        ):
            return True
    return False


def clears_stand_in(facts: Facts, run: Run) -> bool:
    """Whether a RUN does nothing but remove what was compiled of a stand-in."""
    calls = facts.calls(run)
    if isinstance(calls, OpaqueScript) or not is_stand_in(facts, run) or makes_stand_in(facts, run):
        return False
    clears = [call for call in calls if call.program in ("rm", "cargo")]
    return bool(clears) and all(
        call.argument(1) == "clean" if call.program == "cargo"
        else all("target" in pattern_of(call, call.nodes[index])[0].split("/") for index in operands(call))
        for call in clears
    )  # fmt: skip


# --- what stands between the sources and the build -----------------------------------------------------------------

PREPARES = frozenset(
    ("apt-get", "apt", "apk", "dnf", "microdnf", "yum", "rustup", "dpkg", "ldconfig", "update-ca-certificates",
     "update-alternatives", "curl", "wget", "tar", "unzip", "ssh-keyscan")
)  # fmt: skip
"""Programs that prepare a system, and take nothing from the current directory that they are not told of."""
NEUTRAL = frozenset(("rm", "mkdir", "echo", "printf", "ln", "set", "true", ":", "export", "chmod", "test", "[", "cd"))
_WORKS_ON_SOURCES = frozenset(
    ("touch", "sed", "cp", "mv", "ls", "cat", "find", "chown", "npm", "yarn", "pnpm", "date", "pwd", "rustc")
)
"""Programs that change nothing of the system, so that they may run where they do, after cook."""
_SEEN = frozenset(("PATH", "LD_LIBRARY_PATH"))
"""Of the variables on which it may depend how dependencies are compiled, those that every program sees. Others matter
to compilers alone."""
_MANIFESTS = ("Cargo.toml", "Cargo.lock", ".cargo", "config", "config.toml", *TOOLCHAINS)


def for_system(facts: Facts, copy: Transfer, root: str) -> bool:
    """Whether it puts something where programs, libraries, certificates, keys or settings are looked for, and not into
    the workspace in `root`: cook may need it. (A script is none of these.)"""
    texts = copy.form.values[:-1] if copy.form is not None else [leaf.value for leaf in copy.sources]
    own = facts.copied_from(copy) is None
    return not all(text.strip("\"'").endswith(".sh") for text in texts) and any(
        isinstance(effect.path, Known) and effect.mode == "write" and _is_of_system(effect.path.value, root)
        and not (own and below(effect.path.value, "/opt"))
        for effect in facts.effects(copy)
    )  # fmt: skip


def _is_of_system(path: str, root: str) -> bool:
    inside = path == root or (root != "/" and below(path, root))
    return not inside and is_system(path, foreign=True) and not below(path, "/tmp") and path not in _HOLD_ANYTHING


_HOLD_ANYTHING = frozenset(("/home", "/media", "/mnt", "/opt", "/srv", "/var"))


def sets_up(facts: Facts, call: Call, root: str, made: Sequence[str] = ()) -> bool:
    """Whether a command puts something where compilers and others look, for which cook would look, too. `made`: the
    directories of what is compiled, which cook does not wait for."""
    effects = facts.call_effects(call)
    if any(
        e.mode == "read" and isinstance(e.path, Known) and any(below(e.path.value, directory) for directory in made)
        for e in effects
    ):
        return False
    return call.program != "mkdir" and any(
        effect.mode == "write" and not effect.implicit and isinstance(effect.path, Known)
        and _is_of_system(effect.path.value, root)
        for effect in effects
    )  # fmt: skip


def moved_above(
    facts: Facts, between: Sequence[Instruction], files: Brought, calls: Sequence[tuple[Call, Cargo]], root: str
) -> list[Instruction]:
    """What of the instructions between the sources and the build has to come before cook. Raises Stop.

    files: what the context brings, without that which `for_system` says of. root: the directory of the workspace.
    """
    moved = [index for index, i in enumerate(between) if isinstance(i, Transfer) and for_system(facts, i, root)]
    wanted: set[str] = set()
    for call, cargo in calls:
        if cargo.subcommand in COOKABLE:
            wanted.update(variables(call.nodes[1:]))
            wanted.update(variables(value for each in needed_assignments(call) for value in each.values))
    own = {target for _, target in files.places}
    directories = [i for i in between if isinstance(i, Workdir)]
    copies = [i for i in between if isinstance(i, Transfer)]
    early = bool(directories) and all(is_absolute(copy) for copy in copies)
    for index, instruction in enumerate(between):
        if isinstance(instruction, User | Shell | Onbuild):
            because = "it stands between the sources and the build, and cook would come before it"
            raise Stop("step-between", instruction.span, because)
        if isinstance(instruction, Run):
            if _prepares(facts, instruction, files) or _sets_up_alone(facts, instruction, files, root):
                moved.append(index)
                moved += _taken_along(facts, instruction, between[:index], set(moved), own)
            else:
                _check_stays(facts, instruction)
        elif isinstance(instruction, Workdir) and early:
            moved.append(index)
    last = max((index for index in moved if isinstance(between[index], Run)), default=-1)
    moved += [
        index for index, i in enumerate(between[: last + 1])
        if isinstance(i, Run) and index not in moved and _changes_system(facts, i, files)
    ]  # fmt: skip
    for index in reversed(range(len(between))):
        instruction = between[index]
        if not isinstance(instruction, Env | Arg):
            continue
        names = [pair.key.value for pair in instruction.pairs]
        needed = any(MATTERS.match(name) or name in wanted for name in names)
        if needed or any(at > index and isinstance(between[at], Run) for at in moved):
            moved.append(index)
            wanted.update(
                name for pair in instruction.pairs if pair.value is not None
                for name in re.findall(r"\$\{?(\w+)", pair.value.value)
            )  # fmt: skip
    _check_order(between, sorted(set(moved)))
    return [between[index] for index in sorted(set(moved))]


def _sets_up_alone(facts: Facts, run: Run, files: Brought, root: str) -> bool:
    """Whether a RUN of plain commands puts something where compilers look. Raises Stop if it takes that from what was
    copied, or does more."""
    calls = facts.calls(run)
    assert not isinstance(calls, OpaqueScript)
    first = next((call for call in calls if sets_up(facts, call, root)), None)
    if first is None or not all(call.program in NEUTRAL | _WORKS_ON_SOURCES for call in calls):
        return False
    if not _changes_system(facts, run, files):
        because = "cook may need what this puts there, and it may rest on what was copied before it"
        raise Stop("step-between", Span(*first.span), because)
    return True


def _taken_along(
    facts: Facts, run: Run, before: Sequence[Instruction], moved: set[int], own: set[str]
) -> list[int]:
    """The COPYs and ADDs before a RUN that bring what it reads; those of the context, whose targets are `own`, do not
    count."""
    reads = [effect for effect in facts.effects(run) if effect.mode == "read" and not effect.implicit]
    if not reads:
        return []
    facts.charge(len(before))
    found = []
    for index, instruction in enumerate(before):
        if not isinstance(instruction, Transfer) or index in moved:
            continue
        targets = [each.path.value for each in facts.effects(instruction) if isinstance(each.path, Known)]
        if not own.isdisjoint(targets):
            continue
        if any(isinstance(e.path, Known) and related(e.path.value, target) for e in reads for target in targets):
            found.append(index)
    return found


def is_absolute(copy: Transfer) -> bool:
    if copy.form is not None:
        return copy.form.values[-1].startswith("/")
    return copy.destination is not None and copy.destination.value.strip("\"'").startswith("/")


def _check_order(between: Sequence[Instruction], moved: Sequence[int]) -> None:
    """A variable that is set twice would get the other value."""
    gone = set(moved)
    staying: set[str] = set()
    codes: list[str] = []
    seen = ""  # what the steps that stay have said so far
    for index, instruction in enumerate(between):
        if index not in gone:
            if isinstance(instruction, Env | Arg):
                staying.update(pair.key.value for pair in instruction.pairs)
            elif isinstance(instruction, Run):
                codes.append(instruction.code)
                seen = ""
        elif isinstance(instruction, Env | Arg):
            names = {pair.key.value for pair in instruction.pairs}
            if names & staying:
                because = "a variable is set twice between the sources and the build"
                raise Stop("step-between", instruction.span, because)
            seen = seen or "\n".join(codes)
            if codes and (names & _SEEN or any(name in seen for name in names)):
                because = "it has to come before cook, and a step before it would see what it sets"
                raise Stop("step-between", instruction.span, because)


def _prepares(facts: Facts, run: Run, files: Brought) -> bool:
    """Whether a RUN prepares the system, without anything that was copied there. Raises Stop if it needs that."""
    calls = facts.calls(run)
    if isinstance(calls, OpaqueScript):
        raise Stop("step-between", run.span, "what this step does is not understood, and cook may need it")
    if not any(_prepares_system(call) or _installs_program(facts, run, call) for call in calls):
        return False
    for call in calls:
        if _prepares_system(call) or _installs_program(facts, run, call) or call.program in NEUTRAL | {"cat"}:
            for effect in facts.call_effects(call):
                if effect.implicit or effect.mode == "write":
                    continue
                if _may_be_brought(files, effect):
                    because = "cook needs what this prepares, and this may need what was copied before it"
                    raise Stop("step-between", effect.span, because)
            continue
        raise Stop("step-between", Span(*call.span), "whether cook needs what this does is not certain")
    return True


def _prepares_system(call: Call) -> bool:
    """Whether it prepares the system, for which git counts where it is given settings for all repositories."""
    if call.program == "git":
        return call.argument(1) == "config" and not {Known("--global"), Known("--system")}.isdisjoint(call.words)
    return call.program in PREPARES


def _changes_system(facts: Facts, run: Run, files: Brought) -> bool:
    """Whether a RUN writes or removes something, all of it outside of what was copied."""
    effects = [effect for effect in facts.effects(run) if not effect.implicit]
    return any(effect.mode != "read" for effect in effects) and not any(
        not isinstance(effect.path, Known) or any(related(effect.path.value, target) for _, target in files.places)
        for effect in effects
    )


def _may_be_brought(files: Brought, effect: Effect) -> bool:
    if isinstance(effect.path, Known):
        return files.kind(effect.path.value) == "file"
    start = effect.start
    return not start or any(below(target, start.rstrip("/") or "/") or start.startswith(f"{target.rstrip('/')}/")
                            for _, target in files.places)  # fmt: skip


def _installs_program(facts: Facts, run: Run, call: Call) -> bool:
    return any(
        other is call and cargo.subcommand in ("install", "binstall") and not cargo.compiles
        for other, cargo in cargo_calls(facts, run)
    )


def _check_stays(facts: Facts, run: Run) -> None:
    """Raises Stop if a RUN that does not prepare the system may matter to cook."""
    calls = facts.calls(run)
    assert not isinstance(calls, OpaqueScript)
    cargos = {id(call): cargo for call, cargo in cargo_calls(facts, run)}
    for call in calls:
        cargo = cargos.get(id(call))
        check_call(facts, call, cargo)


def check_call(
    facts: Facts, call: Call, cargo: Cargo | None, own: Sequence[str] = (), programs: Sequence[str] = ()
) -> None:
    """Raises Stop if cook may need what this call does. `own`, `programs`: what the packages of the workspace, and the
    programs of these, are called."""
    span = Span(*call.span)
    if cargo is not None:
        if cargo.subcommand == "clean":
            raise Stop("removes-target", span, "it would remove what cook has compiled")
        if cargo.subcommand not in _ONLY_READ:
            raise Stop("step-between", span, "what this changes would have to be there before cook")
        return
    if call.program not in NEUTRAL | _WORKS_ON_SOURCES:
        raise Stop("step-between", span, "whether cook needs what this does is not certain")
    if call.program == "rm":
        found = [pattern_of(call, call.nodes[index]) for index in operands(call)]
        if found and all(_removes_own(call, pattern, own, programs) for pattern, _ in found):
            return
        for pattern, whole in found:
            if "target" in pattern.split("/") or not whole or pattern.endswith("/*"):
                raise Stop("removes-target", span, "it may remove what cook has compiled")
    for effect in facts.call_effects(call):
        if effect.mode == "read" or effect.implicit:
            continue
        names = effect.path.value.split("/") if isinstance(effect.path, Known) else [*_MANIFESTS]
        if names[-1] in _MANIFESTS or ".cargo" in names:
            raise Stop("step-between", effect.span, "it may change what a recipe is made of, after it is made")


_ONLY_READ = frozenset(
    ("", "about", "audit", "deny", "fetch", "fmt", "license", "machete", "metadata", "outdated", "tree", "version")
)
"""Commands of cargo that change nothing of which a recipe is made, nor what is compiled."""


def _removes_own(call: Call, pattern: str, own: Sequence[str], programs: Sequence[str]) -> bool:
    """Whether an operand of `rm` names nothing but what was compiled of a package of the workspace; and, if `rm` fails
    without that, of one of which cook leaves something: a program (cargo-chef removes the stand-ins of libraries)."""
    name = pattern.rpartition("/")[2].replace("-", "_")
    inside = pattern.split("/")[:-1]
    if "target" not in inside:
        return False
    if is_forced(call):
        return any(name.removeprefix("lib").startswith(each.replace("-", "_")) for each in own)
    return inside[-1] == "deps" and any(name == f"{each.replace('-', '_')}*" for each in programs)


# --- mounts on the target directory ----------------------------------------------------------------------------------


def target_mounts(facts: Facts, stage: Stage, cargos: Sequence[Cargo]) -> list[tuple[Run, Mount]]:
    """The cache mounts on the target directory, in the stage and in those made of it. Raises Stop if one cannot go."""
    directories = {directory for cargo in cargos for directory in cargo.target_dirs()}
    stages = [stage]
    for each in stages:
        stages.extend(each.derived)
    found: list[tuple[Run, Mount]] = []
    for each in stages:
        for instruction in each.instructions:
            if not isinstance(instruction, Run):
                continue
            for mount in facts.mounts(instruction):
                if not isinstance(mount.target, Known):
                    continue
                where = mount.target.value
                near = [d for d in directories if related(where, d)]
                if mount.type not in ("cache", "tmpfs") or not near:
                    continue
                if where not in directories or mount.from_ is not None or mount.type == "tmpfs":
                    if any(below(where, d) for d in near) or where == "/" or any(
                        below(d, where) for d in near[:1]
                    ):
                        because = "it is over the target directory, or in it, and not the directory itself"
                        raise Stop("target-mount", mount.flag.word.span, because)
                    continue
                found.append((instruction, mount))
    if found:
        mount = found[0][1]
        assert isinstance(mount.target, Known)
        mounted = {id(run) for run, _ in found}
        for reader in facts.readers(stage, mount.target.value):
            if id(reader.instruction) in mounted or reader.through_mount is not None or not wants_content(reader):
                continue
            if reader.kind in ("copy", "mount") and reader.relation in ("above", "same"):
                because = "it takes a directory that would hold the target directory, without the mount"
                raise Stop("whole-directory", reader.span, because)
            if reader.relation == "inside" and not (reader.call is not None and reader.call.program == "cargo"):
                what = reader.path.value if isinstance(reader.path, Known) else "something"
                because = f"{what} is read elsewhere, and under this mount it is in no layer: it has to leave it first"
                raise Stop("target-mount", mount.flag.word.span, because)
    return found


def download_mounts(facts: Facts, stage: Stage, first: Instruction) -> list[tuple[Run, Mount]]:
    """The cache mounts of cargo's downloads in steps of cargo, from `first` on, in the stage and in those made of it.
    Where they start empty they hide what the layer of cook has downloaded."""
    found: list[tuple[Run, Mount]] = []
    stages = [stage]
    for each in stages:
        stages.extend(each.derived)
        start = facts.index_of(first) if each is stage else 0
        for instruction in each.instructions[start:]:
            if not isinstance(instruction, Run):
                continue
            homes = [cargo_home(facts, call, instruction) for call, _ in cargo_calls(facts, instruction)]
            known = [home.value for home in homes if isinstance(home, Known)]
            places = [f"{home}/{name}" for home in known for name in ("registry", "git")]
            for mount in facts.mounts(instruction):
                target = mount.target
                if mount.type != "cache" or mount.from_ is not None or not isinstance(target, Known):
                    continue
                if any(below(target.value, place) for place in places):
                    found.append((instruction, mount))
    return found
