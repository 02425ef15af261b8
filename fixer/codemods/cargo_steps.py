"""Where a Dockerfile compiles with cargo: the steps that share a target directory, that directory, and the sources.

For cargo-target-cache, which puts a mount on all of them or on none; and the cargo home, for cargo-cache.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from posixpath import basename, dirname

from fixer.analysis import Call, Facts, Known, Stage, Unknown, Value, below, join, related
from fixer.analysis.brought import Brought
from fixer.analysis.context import BuildContext
from fixer.analysis.programs import ONLY_LOOK, ONLY_MODES
from fixer.analysis.tools.cargo import Cargo, Products, Written, cargo_of, is_library, read_cargo
from fixer.analysis.tools.workspace import configured, products_of, root_of
from fixer.codemods.artifacts import Product, Stop, cargo_calls, names_anywhere, surest, wants_content
from fixer.codemods.common import Owner, cache_mount
from fixer.text.records import dataclass, field
from fixer.text.regex import regex
from fixer.text.source import Span
from fixer.tree.nodes import Instruction, Onbuild, Run, Transfer, Workdir
from fixer.tree.shell import OpaqueScript


@dataclass(slots=True)
class Step:
    """A RUN that compiles, with its calls of cargo that do.

    files: what the build context brings to the stage; None if it is not at hand.
    """

    stage: Stage
    run: Run
    calls: list[tuple[Call, Cargo]]
    files: Brought | None = None
    _products: dict[int, Products | None] = field(default_factory=dict)

    def provider(self, path: str) -> tuple[Call, Written] | None:
        """The last call of cargo that leaves `path`, surely or perhaps; a sure one is preferred. Asks the manifests, if
        they are at hand."""
        found = ((call, self.provides(call, cargo, path)) for call, cargo in self.calls)
        return surest((call, written) for call, written in found if written is not Written.LEFT)

    def provides(self, call: Call, cargo: Cargo, path: str) -> Written:
        """Whether one of the calls leaves `path`, as the manifests have it, if they are at hand."""
        written = cargo.provides(path)
        if written is Written.NO or self.files is None or "$" in basename(path):
            return written
        return cargo.provides(path, self._products_of(call, cargo))

    def _products_of(self, call: Call, cargo: Cargo) -> Products | None:
        if self.files is None:
            return None
        if id(call) not in self._products:
            self._products[id(call)] = products_of(self.files, cargo)
        return self._products[id(call)]

    def makes_it_alone(self, path: str, others: Sequence[Step]) -> bool:
        """Whether the step leaves `path` as surely as any of `others` that may leave it: what another one has left in a
        cache may be gone. Where the manifests are not at hand, and its options do not name the product, all that the
        others are told to compile it must be, too."""
        made = self.provider(path)
        if made is None:
            return False
        own = next(cargo for call, cargo in self.calls if call is made[0])
        name = basename(path)
        if own.names(name):
            return True
        rivals = [each for other in others for call, each in other.calls if other.provides(call, each, path) in _LEAVES]
        products = self._products_of(made[0], own)
        if products is None:
            return all(own.makes_all_of(each) for each in rivals)
        return name not in products.needy or all(own.has_features_of(each) for each in rivals)


_LEAVES = (Written.YES, Written.MAYBE)


class Makers:
    """Which calls of cargo leave what is read, in all of a file. Asks the manifests, if they are at hand."""

    def __init__(self, facts: Facts, context: BuildContext) -> None:
        self.context = context
        self._facts = facts
        self._steps: dict[int, Step] = {}

    def provider(self, run: Run, path: str) -> tuple[Call, Written] | None:
        """The last call of cargo in `run` that leaves `path`, surely or perhaps; a sure one is preferred. Of a library
        it is said, if nothing better is, that it is left there (`Written.LEFT`): whoever wants it may copy it, and not
        move it."""
        step = self._step(run)
        library = is_library(basename(path))
        found = ((call, step.provides(call, cargo, path)) for call, cargo in step.calls)
        return surest((call, written) for call, written in found if library or written is not Written.LEFT)

    def makes_it_alone(self, run: Run, path: str, others: Sequence[Run]) -> bool:
        """Whether `run` leaves `path` as surely as any of the others; also where no call of cargo in it does."""
        step = self._step(run)
        return step.provider(path) is None or step.makes_it_alone(path, [self._step(other) for other in others])

    def _step(self, run: Run) -> Step:
        step = self._steps.get(id(run))
        if step is None:
            stage = self._facts.stage_of(run)
            calls = [] if stage is None else list(cargo_calls(self._facts, run))
            step = self._steps[id(run)] = Step(stage or self._facts.stages[0], run, calls)
            if calls and self.context.at_hand:
                step.files = files_before(self._facts, step.stage, run, self.context)
                step.calls = [(call, configured(step.files, cargo)) for call, cargo in calls]
        return step


@dataclass(slots=True)
class Group:
    """The steps of a stage, and of those that start from it, that share one target directory."""

    directory: str
    stages: list[Stage]
    steps: list[Step]
    products: list[Product] = field(default_factory=list)


def span_of(step: Step) -> Span:
    return Span(*step.calls[0][0].span)

# --- the steps that compile, and where -----------------------------------------------------------------------------


def chains(facts: Facts) -> Iterator[list[Stage]]:
    """The stages that start from an image, each with all that start from it, if something is compiled there."""
    for stage in facts.stages:
        if isinstance(stage.base, Stage):
            continue
        family = [stage]
        for each in family:
            family.extend(each.derived)
        family.sort(key=lambda each: each.index)
        if any("cargo" in i.code for each in family for i in each.instructions if isinstance(i, Run | Onbuild)):
            yield family


def group_of(facts: Facts, stages: list[Stage], context: BuildContext) -> Group | None:
    """The steps of a chain that compile and share a directory; None if there is nothing to do.

    Raises Stop if they compile in a directory that is not known, or in several.
    """
    steps: list[Step] = []
    for stage in stages:
        for instruction in stage.instructions:
            step = step_of(facts, stage, instruction)
            if step is not None:
                steps.append(step)
    steps = [step for step in steps if not _has_mount(facts, step)] if _all_mounted(facts, steps) else steps
    if not steps:
        _refuse_unknown(facts, stages)
        return None
    refuse_layers(facts, steps)
    if context.at_hand:
        for step in steps:
            step.files = files_before(facts, step.stage, step.run, context)
            step.calls = [(call, configured(step.files, cargo)) for call, cargo in step.calls]
        if _all_mounted(facts, steps):
            return None
    directory = _directory(facts, steps)
    seen: dict[int, int] = {}
    for step in steps:
        _refuse_half(facts, step, directory)
        _refuse_others(facts, step, directory, seen)
    return Group(directory, stages, steps)


def files_before(facts: Facts, stage: Stage, run: Run | None, context: BuildContext) -> Brought:
    """What the context brings to a stage up to a RUN of it, whose mounts are included; None: up to its end."""
    found: list[Transfer | Run] = []
    for each in facts.passing(stage.lineage):
        for instruction in each.instructions:
            if instruction is run:
                break
            if isinstance(instruction, Transfer) and facts.copied_from(instruction) is None:
                found.append(instruction)
    facts.charge(len(found))
    return Brought(facts, context, found if run is None else [*found, run])


def step_of(facts: Facts, stage: Stage, instruction: Instruction) -> Step | None:
    inner = instruction.inner if isinstance(instruction, Onbuild) else instruction
    if not isinstance(inner, Run) or "cargo" not in inner.code:
        return None
    calls = facts.calls(inner)
    if isinstance(calls, OpaqueScript):
        if any(word in inner.code for word in ("cargo build", "cargo b ", "cargo install --path", "cargo rustc")):
            raise Stop("opaque-script", inner.span, "the step's script is not understood")
        return None
    found = [(call, cargo) for call, cargo in cargo_calls(facts, inner) if cargo.compiles and cargo.known]
    if not found:
        other = in_the_name_of(calls)
        if other is not None:
            raise Stop("opaque-script", Span(*other.span), "another user compiles here, in a script that is not read")
        return None
    if isinstance(instruction, Onbuild):
        because = "the step runs in another build, which this file does not show"
        raise Stop("onbuild", instruction.span, because)
    return Step(stage, inner, found)


def in_the_name_of(calls: Sequence[Call]) -> Call | None:
    """A call that lets another user run cargo, and is not read: `su app -c "cargo build"`, `sudo -i cargo build`."""
    return next((call for call in calls if call.program in _SWITCHERS and _runs_cargo(call)), None)


_SWITCHERS = frozenset(("su", "runuser", "sudo", "doas"))


def _runs_cargo(call: Call) -> bool:
    from fixer.analysis.docker_scripts import all_commands

    words = [word.value for word in call.words if isinstance(word, Known)]
    runs = [words[at:] for at, word in enumerate(words) if basename(word) == "cargo"]
    for script in words:
        if "cargo " in script:
            runs += [[word or "$" for word in command.words] for command in all_commands(script, None)]
    found = (read_cargo([Known(word) for word in run], call.cwd, call.lookup) for run in runs)
    return any(cargo is not None and cargo.fetches for cargo in found)


def _has_mount(facts: Facts, step: Step) -> bool:
    """A cache mount lies over a directory in which the step may compile."""
    for mount in facts.mounts(step.run):
        if mount.type == "cache" and isinstance(mount.target, Known):
            target = mount.target.value
            if any(below(d, target) for _, cargo in step.calls for d in cargo.target_dirs()):
                return True
    return False


def _all_mounted(facts: Facts, steps: Sequence[Step]) -> bool:
    return all(_has_mount(facts, step) for step in steps)


def _refuse_unknown(facts: Facts, stages: Sequence[Stage]) -> None:
    """Where no step compiles with a command that is known: one that may, and somebody reads in its target directory."""
    asked: dict[tuple[int, str], bool] = {}
    for stage in stages:
        for run in stage.instructions:
            if not isinstance(run, Run) or "cargo" not in run.code:
                continue
            for call, cargo in cargo_calls(facts, run):
                step = Step(stage, run, [(call, cargo)])
                if cargo.known or _has_mount(facts, step):
                    continue
                if _reads_in_step(facts, run, cargo) or _shown(facts, step, cargo, asked) is not None:
                    because = f"what {call.program} {cargo.subcommand.removeprefix('xx-')} leaves there is not known"
                    raise Stop("unknown-step", Span(*call.span), because)


def _reads_in_step(facts: Facts, run: Run, cargo: Cargo) -> bool:
    directories = tuple(f"{directory}/" for directory in cargo.target_dirs())
    facts.charge(1 + len(facts.effects(run)) // 20)
    return any(effect.mode == "read" and effect.start.startswith(directories) for effect in facts.effects(run))


def _refuse_half(facts: Facts, step: Step, directory: str) -> None:
    for mount in facts.mounts(step.run):
        if not isinstance(mount.target, Known):
            continue
        if mount.type == "cache" and basename(mount.target.value) == basename(directory) != mount.target.value:
            because = "this looks as if it were meant for cargo's target directory, which is another one"
            if mount.target.value != directory:
                raise Stop("mount-elsewhere", mount.flag.word.span, because)
        if mount.type in ("cache", "tmpfs", "bind") and related(mount.target.value, directory):
            if mount.type == "bind" and not below(mount.target.value, directory):
                continue
            because = "this step has a mount there, and another step that compiles in the same directory has none"
            raise Stop("half-mounted", mount.flag.word.span, because)


def _refuse_others(facts: Facts, step: Step, directory: str, seen: dict[int, int]) -> None:
    """Tools that may compile in the same directory before the step, into the layer. `seen`: how many instructions of a
    stage were looked at for the steps before."""
    for stage in step.stage.lineage:
        end = facts.index_of(step.run) if stage is step.stage else len(stage.instructions)
        start = seen.get(stage.index, 0)
        seen[stage.index] = max(start, end)
        for instruction in stage.instructions[start:end]:
            if not isinstance(instruction, Run):
                continue
            for call in calls_of(facts, instruction):
                if _may_compile(call) and not (isinstance(call.cwd, Known) and not related(call.cwd.value, directory)):
                    because = "it may compile in the same directory, into the layer, which a mount would hide"
                    raise Stop("unknown-step", Span(*call.span), because)


def _may_compile(call: Call) -> bool:
    if call.program in _BUILDERS:
        return True
    cargo = cargo_of(call)
    return cargo is not None and not cargo.known


_BUILDERS = frozenset(("make", "gmake", "just", "task", "ninja", "mage", "wasm-pack", "trunk", "maturin", "cross"))


def refuse_layers(facts: Facts, steps: Sequence[Step]) -> None:
    """Dependencies that are compiled before the sources come: cargo-chef, an empty main, or anything that builds
    twice with a COPY between."""
    seen: set[int] = set()
    for step in steps:
        for call, cargo in step.calls:
            if cargo.subcommand == "chef-cook":
                because = "cargo-chef compiles the dependencies into a layer, which a mount would hide"
                raise Stop("deps-in-layers", Span(*call.span), because)
        for stage in step.stage.lineage:
            if stage.index in seen:
                continue
            seen.add(stage.index)
            for instruction in stage.instructions:
                if isinstance(instruction, Run):
                    _refuse_stub(facts, instruction)
    _refuse_copied_target(facts, steps)
    for at, step in enumerate(steps[1:], 1):
        before = steps[at - 1]
        if before.stage in step.stage.lineage and _copies_between(facts, before, step):
            because = "this compiles before all sources are there, so that a layer keeps it, which a mount would hide"
            raise Stop("deps-in-layers", span_of(before), because)


def _refuse_copied_target(facts: Facts, steps: Sequence[Step]) -> None:
    """A COPY of another stage's target directory, or of a stage that compiled: its layer is what a mount would hide."""
    stages = {stage.index: stage for step in steps for stage in step.stage.lineage}
    if not any(_copies_from_stage(facts, stage) for stage in stages.values()):
        return
    for step in steps:
        directories = [d for _, cargo in step.calls for d in cargo.target_dirs()]
        for instruction, path in brought(facts, step):
            if not isinstance(instruction, Transfer) or path is None:
                continue
            source = facts.copied_from(instruction)
            if not isinstance(source, Stage):
                continue
            compiled = any(_compiles(facts, i) for each in source.lineage for i in each.instructions)
            if any(below(path, d) or (compiled and below(d, path) and path != "/") for d in directories):
                because = "it brings what was compiled in another stage, which a mount would hide"
                raise Stop("deps-in-layers", instruction.span, because)


def _copies_from_stage(facts: Facts, stage: Stage) -> bool:
    return any(isinstance(i, Transfer) and isinstance(facts.copied_from(i), Stage) for i in stage.instructions)


def _compiles(facts: Facts, instruction: Instruction) -> bool:
    return isinstance(instruction, Run) and any(cargo.compiles for _, cargo in cargo_calls(facts, instruction))


def _refuse_stub(facts: Facts, run: Run) -> None:
    calls = facts.calls(run)
    if isinstance(calls, OpaqueScript):
        return
    for call in calls:
        made = call.program == "cargo" and call.argument(1) in ("new", "init")
        written = any(r.op in (">", ">>") and r.target.text.strip("\"'").endswith(".rs") for r in call.redirects)
        if made or written:
            because = "an empty program stands in for the sources, so that a layer keeps the dependencies"
            raise Stop("deps-in-layers", Span(*call.span), because)


def _copies_between(facts: Facts, before: Step, after: Step) -> bool:
    inside = False
    for stage in facts.passing(after.stage.lineage):
        for instruction in stage.instructions:
            if instruction is before.run:
                inside = True
            elif instruction is after.run:
                return False
            elif inside and isinstance(instruction, Transfer) and facts.copied_from(instruction) is None:
                return True
    return False


def _directory(facts: Facts, steps: Sequence[Step]) -> str:
    """The one directory in which all steps compile.

    It is given on the command line or in the environment; else somebody who reads a product shows it; else, where
    cargo installs the program itself, it is `target` beside the manifest of the sources that were copied there.
    """
    found: dict[str, Span] = {}
    asked: dict[tuple[int, str], bool] = {}
    rest: list[tuple[Step, Call, Cargo]] = []
    for step in steps:
        for call, cargo in step.calls:
            if isinstance(cargo.target_dir, Unknown) or isinstance(cargo.manifest, Unknown):
                why = cargo.target_dir.why if isinstance(cargo.target_dir, Unknown) else str(cargo.manifest)
                raise Stop("unknown-target-dir", Span(*call.span), f"cargo's target directory is not known: {why}")
            given = cargo.target_dir
            shown = given.value if isinstance(given, Known) else _shown(facts, step, cargo, asked)
            if shown is None:
                rest.append((step, call, cargo))
            else:
                found.setdefault(shown, Span(*call.span))
    # Where a program is installed from the directory, nobody else has to show it.
    rest.sort(key=lambda row: row[2].subcommand != "install")
    for step, call, cargo in rest:
        if not any(directory in found for directory in cargo.target_dirs()):
            if cargo.subcommand != "install":
                if found:
                    continue
                raise _nothing_leaves(facts, step, call, cargo)
            found.setdefault(_beside_manifest(facts, step, call, cargo), Span(*call.span))
    if len(found) > 1:
        because = f"steps that build on each other compile in {' and in '.join(found)}"
        raise Stop("unknown-target-dir", list(found.values())[-1], because)
    return next(iter(found))


def _nothing_leaves(facts: Facts, step: Step, call: Call, cargo: Cargo) -> Stop:
    for reader in facts.readers(step.stage, next(cargo.target_dirs()), step.run):
        if reader.relation == "above" and reader.kind in ("copy", "mount") and reader.path != Known("/"):
            because = "it takes a directory that holds cargo's own, of which a mount would leave nothing"
            return Stop("whole-directory", reader.span, because)
    if isinstance(cargo.manifest, Known) and isinstance(cargo.profile_dir, Known):
        profile = cargo.profile_dir.value
        for reader in facts.readers(step.stage, cargo.manifest.value, step.run):
            path = reader.path.value if isinstance(reader.path, Known) else ""
            if reader.relation == "inside" and basename(dirname(path)) == profile and wants_content(reader):
                because = "it looks like a product of cargo, and no target directory that is known holds it"
                return Stop("unknown-target-dir", reader.span, because)
    return no_artifact(facts, step, call, next(cargo.target_dirs()))


def no_artifact(facts: Facts, step: Step, call: Call, directory: str) -> Stop:
    """Why nothing is done where nobody names what is compiled in `directory`: somebody may read it all the same, or
    nobody does."""
    because = "nothing that is compiled here is read anywhere else"
    return _may_read(facts, step, directory) or Stop("no-artifact", Span(*call.span), because)


def _may_read(facts: Facts, step: Step, directory: str) -> Stop | None:
    for effect in facts.effects(step.run):
        reads = effect.mode == "read" and effect.extent == "tree" and effect.path == Known(directory)
        if reads and effect.call is not None and effect.call.program not in ONLY_LOOK:
            return Stop("whole-directory", effect.span, "a whole directory of the cache holds what earlier builds left")
    for reader in facts.readers(step.stage, directory, step.run):
        program = reader.call.program if reader.call is not None else None
        if reader.relation not in ("unknown", "above") or reader.through_mount is not None:
            continue
        if reader.kind in ("cmd", "entrypoint"):
            if program == "cargo":
                return Stop("shipped-stage", reader.span, "the image itself runs cargo, with what is compiled here")
        elif reader.kind == "run" and program not in ONLY_LOOK | ONLY_MODES:
            other = cargo_of(reader.call) if reader.call is not None else None
            if other is None or not other.known:
                because = f"{program or 'the step'} may take what is compiled here"
                return Stop("unknown-reader", reader.span, because)
    return None


def _shown(facts: Facts, step: Step, cargo: Cargo, asked: dict[tuple[int, str], bool]) -> str | None:
    """The target directory that a reader shows: of all that it may be, the one in which somebody reads something.

    `asked` remembers which directories somebody reads in.
    """
    if not names_anywhere(facts, "target"):
        return None
    calls = calls_of(facts, step.run)
    facts.charge(len(calls))
    own = [path.value for call in calls for path in _paths(call)]
    for directory in cargo.target_dirs():
        if any(path != directory and below(path, directory) for path in own):
            return directory
        key = (step.stage.index, directory)
        if key not in asked:
            asked[key] = any(
                reader.relation in ("same", "inside") and wants_content(reader)
                for reader in facts.readers(step.stage, directory, None)
            )
        if asked[key]:
            return directory
    return None


def _paths(call: Call) -> Iterator[Known]:
    for word in call.words:
        path = join(call.cwd, word)
        if isinstance(path, Known):
            yield path


def _beside_manifest(facts: Facts, step: Step, call: Call, cargo: Cargo) -> str:
    manifest = cargo.manifest
    if isinstance(manifest, Known):
        root = None if step.files is None else root_of(step.files, manifest.value)
        if root is None and _brings_manifest(facts, step, manifest.value):
            root = manifest.value
        if root is not None:
            return f"{root}/target" if root != "/" else "/target"
    because = "whether the manifest belongs to a workspace above it, with a target directory of its own, is not certain"
    raise Stop("unknown-target-dir", Span(*call.span), because)


def _brings_manifest(facts: Facts, step: Step, directory: str) -> bool:
    """Whether files that are copied, or mounted, come to the very directory of the manifest."""
    if any(isinstance(i, Transfer) and path == directory for i, path in brought(facts, step)):
        return True
    places = (Known(directory), Known(f"{directory.rstrip('/')}/Cargo.toml"))
    return any(mount.type == "bind" and mount.target in places for mount in facts.mounts(step.run))


def brought(facts: Facts, step: Step) -> Iterator[tuple[Instruction, str | None]]:
    """The instructions before the step that bring files from outside, with where they put them (None: not known), and
    those that make a directory."""
    for stage in facts.passing(step.stage.lineage):
        for instruction in stage.instructions:
            if instruction is step.run:
                return
            if isinstance(instruction, Transfer | Workdir):
                for effect in facts.effects(instruction):
                    yield instruction, effect.path.value if isinstance(effect.path, Known) else None

def calls_of(facts: Facts, run: Run) -> Sequence[Call]:
    calls = facts.calls(run)
    return () if isinstance(calls, OpaqueScript) else calls


# --- where cargo keeps what it downloads ------------------------------------------------------------------------------


def downloads(target: str, owner: Owner | None = None, known: str | None = None) -> str:
    """A mount for what cargo downloads; `known` is the one that the file has. cargo's lock, a file of the cargo home,
    is in no mount: where two platforms, stages or builds unpack a crate into one cache, one fails with "File exists"
    (shown on an engine). So each has a cache of its own while another has this one, and nobody waits."""
    if known is None:
        return cache_mount(target, sharing="private", owner=owner)
    return known.replace("sharing=shared", "sharing=private") if "sharing=" in known else f"{known},sharing=private"


_RUSTUP = regex(r"sh\.rustup\.rs|rustup-init|rustup\.sh")
"""A RUN with one of these installs rustup."""


def cargo_home(facts: Facts, call: Call, instruction: Instruction) -> Value:
    """The directory of what a call of cargo downloads and installs."""
    given = call.lookup("CARGO_HOME")
    if isinstance(given, Unknown):
        # A sourced file might set it; if it did, a mount at the place that the image has it would be of no use, and
        # of no harm. An image in which the file installs rustup had none before.
        given = facts.state(instruction).lookup("CARGO_HOME")
        if isinstance(given, Unknown) and not facts.mentions("CARGO_HOME") and facts.run_up_to(instruction, _RUSTUP):
            given = None
    if isinstance(given, Known) and given.value:
        return join(call.cwd, given)
    if isinstance(given, Unknown):
        return given
    home = call.lookup("HOME")
    return join(home, Known(".cargo")) if home is not None else Unknown("the user's home is not known")
