"""cargo-chef: see the class."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from posixpath import basename, relpath
from typing import ClassVar

from fixer.analysis import BaseImage, Call, Facts, Known, Mount, Stage, Unknown, below, related
from fixer.analysis.brought import Brought
from fixer.analysis.context import BuildContext, context_sources
from fixer.analysis.tools.cargo import Cargo
from fixer.analysis.tools.workspace import TOOLCHAINS, Trouble, Workspace, read_workspace
from fixer.codemods.altered import alters
from fixer.codemods.api import Builder, Change, Codemod, Refusal, Safety, Settings
from fixer.codemods.artifacts import cargo_calls
from fixer.codemods.cargo_steps import downloads
from fixer.codemods.chef_repairs import repairs, takers_of_cooked
from fixer.codemods.chef_steps import (
    PREPARES,
    check_call,
    clears_stand_in,
    download_mounts,
    for_system,
    is_stand_in,
    makes_stand_in,
    moved_above,
    sets_up,
    target_mounts,
)
from fixer.codemods.common import Stop, image, known_mounts, plain, takes_mounts
from fixer.codemods.cook import COOKABLE, MATTERS, RECIPE, cook_command, needed_assignments, variables
from fixer.text.edits import Edit
from fixer.text.records import dataclass, field
from fixer.text.source import Span
from fixer.tree.editor import (
    WIDEST_LINE,
    insertion_place,
    instruction_block,
    keyword_like,
    layout,
    remove_blocks,
    remove_flag,
)
from fixer.tree.nodes import (
    Arg,
    Blank,
    Copy,
    Env,
    ExecForm,
    Instruction,
    Onbuild,
    Run,
    Transfer,
    User,
    Workdir,
)
from fixer.tree.shell import OpaqueScript


class CargoChef(Codemod):
    """Compile the dependencies of a Rust build in a layer of their own, with cargo-chef.

    What it does

    For builders that keep nothing but layers, as on hosted CI. Before the stage that compiles come two more: `chef`,
    with cargo-chef and everything that was prepared before the sources came, and `planner`, which writes down in
    `recipe.json` what the dependencies are. The stage that compiles first cooks that recipe, as it builds: with the
    same profile, features, target and packages, in the same directory. Then come the sources, as before.

        FROM rust:1-bookworm AS builder
        WORKDIR /app
        COPY . .
        RUN cargo build --release --locked

    becomes

        FROM rust:1-bookworm AS chef
        RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=private \\
            --mount=type=cache,target=/usr/local/cargo/git/db,sharing=private \\
            cargo install cargo-chef --locked
        WORKDIR /app

        FROM chef AS planner
        COPY . .
        RUN cargo chef prepare --recipe-path recipe.json

        FROM chef AS builder
        COPY --from=planner /app/recipe.json recipe.json
        RUN cargo chef cook --release --locked --recipe-path recipe.json
        COPY . .
        RUN cargo build --release --locked

    As long as no manifest changes, nor `Cargo.lock`, `recipe.json` stays the same, and the layer with the compiled
    dependencies comes from the cache: an edit compiles the project's own crates.

    An empty `main` that stands in for the sources goes: cook does what it was for. So does a cache mount on the target
    directory, which would hide what cook has compiled, and which is empty there in every build; and, for ephemeral
    builders, one on cargo's downloads, which would hide those that cook has made. What prepares the system (packages,
    tools, keys, links), and what decides how dependencies are compiled (RUSTFLAGS, CARGO_…, CC), comes before cook,
    even if it came after the sources. A `rust-toolchain` file comes before cook, too: otherwise cook would take another
    compiler. An option that keeps the build from the network is not one of cook, which comes before all downloads.

    A file that uses cargo-chef already is mended: cook gets the options of the build, also of one in a stage that
    copies what is cooked; sources that come before cook come after it, if cook does not need them; settings for all
    dependencies that come after cook come before it; a cache mount that hides what is cooked goes.

    What must be there

    The build context, because a recipe holds manifests and nothing else. Everything that the dependencies need must be
    in them: a crate by path that is no member of the workspace, vendored crates, or a file that `.cargo/config.toml`
    names is a reason to leave the file alone. `Cargo.lock` must be there, or the versions would differ.

    Why it is unsafe

    It brings a program into the build, the newest cargo-chef (it wants Rust 1.88), and the network that this takes.
    Dependencies are compiled without the sources around them: a build script of a dependency that looks for a file
    there, or asks git, finds none. And it pays only where layers are kept: without `cache-from` and `cache-to` in the
    workflow every build becomes a little slower.

    What changes in the image

    Nothing: the stages that compile are not part of it. A stage that is one is refused.

    Sources: cargo-chef 0.1.78 (`src/main.rs`, `src/recipe.rs`, `src/skeleton`), its README, cargo 1.95 and BuildKit
    v0.25 on a real engine: builds before and after, edits, edits taken back, changes of dependencies.
    """

    id = "cargo-chef"
    words = ("cargo",)
    builders = frozenset((Builder.EPHEMERAL,))
    reasons: ClassVar[Mapping[str, str]] = {
        "another-directory": "cook and the build run in different directories, so that nothing of cook's is used.",
        "bound-sources": "The sources come by a bind mount, not by COPY.",
        "changing-argument": "A build argument that is another one in every build stands before the sources.",
        "conditional": "Whether cargo is called, and with what, is decided while the step runs.",
        "config-elsewhere": "cargo's configuration names files, or stands where a recipe does not have it.",
        "layered-already": "Something is compiled before all sources are there, and is more than a stand-in.",
        "lock-file-ignored": "`cargo install` without --locked takes other dependencies than Cargo.lock names.",
        "no-context": "The build context is not at hand, and what a recipe would lack stands there.",
        "no-lock-file": "There is no Cargo.lock among what is copied.",
        "no-manifest": "The manifest is not among what is copied from the context.",
        "no-planner": "The recipe is made in the stage that cooks it, so that every edit cooks anew.",
        "not-cookable": "cargo chef cook has no way to do what this call of cargo does.",
        "not-root": "Another user than root compiles, who may not be able to write where cook does.",
        "old-toolchain": "cargo-chef needs a newer Rust than the image has.",
        "onbuild": "A trigger would run in the new stages, too.",
        "opaque-script": "The step's script is not understood.",
        "path-dependency": "A crate by path is no member of the workspace, and a recipe has only members.",
        "prepares-in-step": "The step that compiles also prepares the system; cook needs that before it.",
        "removes-target": "A step removes the target directory, and with it what cook has compiled.",
        "same-version": "A crate of the project could pass for the stand-in that cook compiles.",
        "several-workspaces": "The stage compiles several workspaces.",
        "shipped-stage": "The stage that compiles is an image that people get.",
        "sources-in-base": "The sources, or what is compiled, come with the stage that this one starts from.",
        "step-between": "What a step between the sources and the build does cannot be told, and cook may need it.",
        "target-mount": "A mount over the target directory, or near it, cannot simply be taken away.",
        "unknown-directory": "Where cargo runs is not known.",
        "unknown-image": "What Rust the image has is not known.",
        "unknown-options": "Some options of cargo are not known.",
        "unsupported-option": "An option of the build matters to dependencies, and cook does not have it.",
        "vendored": "The dependencies come with the sources.",
        "whole-directory": "Another stage takes a whole directory in which cargo-chef would leave something.",
    }

    def run(self, facts: Facts, settings: Settings) -> Iterator[Change | Refusal]:
        found: list[Change | Refusal] = []
        plans: list[_Plan] = []
        with_chef = _with_chef(facts)
        for stage in facts.stages:
            try:
                if stage.index in with_chef:
                    found.extend(repairs(facts, stage, settings.context, self.id))
                    continue
                plan = _plan(facts, stage, settings)
                if plan is not None:
                    plans.append(plan)
            except Stop as stop:
                found.append(Refusal(self.id, stop.reason, stop.span, stop.because))
        if plans and any(_numbers(facts, plan.stage) for plan in plans):
            del plans[1:]  # the numbers are those of a text with two stages more
        names = _Names(facts)
        for plan in plans:
            found.append(_change(facts, plan, names, self.id, alone=len(plans) == 1))
        found.sort(key=lambda each: each.span.start)
        yield from found


_WHY = (
    "the dependencies come from a layer that only a change of a manifest or of Cargo.lock makes again; they are "
    "compiled as the build compiles them, and the stages that people get are not touched"
)
_RISK = (
    "installs the newest cargo-chef, from the network; dependencies are compiled without the sources around them; "
    "pays only where layers are kept between builds (cache-from and cache-to)"
)

# --- what is there -------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Step:
    """A RUN that compiles, with its calls of cargo that do."""

    run: Run
    calls: list[tuple[Call, Cargo]]


@dataclass(slots=True)
class _Plan:
    """What has to be written for one stage.

    first: the first instruction that brings sources; the new stages end right before it.
    copies: what the planner copies. moved: what comes before the planner. removed: stand-ins, and COPYs
    that only these needed. cooks: the RUNs.
    root, here: the directory of the workspace, and the current one before `first`. packages, programs: what its
    packages, and the programs of these, are called.
    toolchain: the COPY's source and destination. mounts: those that go.
    """

    stage: Stage
    first: Transfer
    root: str
    here: str
    copies: list[Transfer]
    moved: list[Instruction]
    removed: list[Instruction]
    cooks: list[str]
    steps: list[_Step]
    packages: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    install: str | None = None
    """"first" (right after FROM), "last" (before the planner); None if cargo-chef is there."""
    toolchain: tuple[str, str] | None = None
    mounts: list[tuple[Run, Mount]] = field(default_factory=list)


def _with_chef(facts: Facts) -> set[int]:
    """The stages, by index, in which cargo-chef prepares or cooks, or in one that they are made of, or in one made of
    them; and those that take what is cooked in another."""
    using: set[int] = set()
    under: set[int] = set()
    for stage in facts.stages if facts.mentions("chef") else ():
        uses = [cargo for cargo in _chefs(facts, stage) if cargo.subcommand in ("chef-cook", "chef-prepare")]
        if uses:
            under.update(each.index for each in stage.lineage)
        if uses or any(each.index in using for each in stage.lineage):
            using.add(stage.index)
        for cargo in uses:
            if cargo.subcommand == "chef-cook":
                using.update(each.index for each in takers_of_cooked(facts, stage, cargo))
    return using | under


def _chefs(facts: Facts, stage: Stage) -> Iterator[Cargo]:
    for instruction in stage.instructions:
        if isinstance(instruction, Run) and "chef" in instruction.code:
            for _, cargo in cargo_calls(facts, instruction):
                yield cargo


def _compiling(facts: Facts, stage: Stage) -> list[_Step]:
    steps = []
    for instruction in stage.instructions:
        inner = instruction.inner if isinstance(instruction, Onbuild) else instruction
        if not isinstance(inner, Run) or "cargo" not in inner.code:
            continue
        calls = facts.calls(inner)
        if isinstance(calls, OpaqueScript):
            if re.search(r"\bcargo[\"', ]+(?:build|b|install\s+--path|rustc)\b", inner.code):
                raise Stop("opaque-script", inner.span, "the step's script is not understood")
            continue
        found = [(call, cargo) for call, cargo in cargo_calls(facts, inner) if cargo.compiles and cargo.known]
        if found and isinstance(instruction, Onbuild):
            raise Stop("onbuild", instruction.span, "the step runs in another build, which this file does not show")
        if found:
            steps.append(_Step(inner, found))
    return steps


def _span(step: _Step) -> Span:
    return Span(*step.calls[0][0].span)


def _plan(facts: Facts, stage: Stage, settings: Settings) -> _Plan | None:
    """None if there is nothing to do. Raises Stop."""
    context = settings.context
    if not any("cargo" in i.code for i in stage.instructions if isinstance(i, Run | Onbuild)):
        return None
    copies = _from_context(facts, stage.instructions)
    inherited = [copy for each in stage.lineage[:-1] for copy in _from_context(facts, each.instructions)]
    bound = [
        mount for i in stage.instructions if isinstance(i, Run) and "cargo" in i.code
        for mount in facts.mounts(i) if mount.type == "bind" and mount.from_ is None
    ]  # fmt: skip
    if not copies and not inherited and not bound:
        return None
    steps = _compiling(facts, stage)
    if not steps:
        return None
    if stage.shipped:
        because = f"what is compiled here is part of {image(stage)}, and cargo-chef would be, too"
        raise Stop("shipped-stage", _span(steps[0]), because)
    if bound:
        because = "the sources are bound into the step, and there is no layer of them to put another one before"
        raise Stop("bound-sources", bound[0].flag.word.span, because)
    if not context.at_hand:
        because = "what a recipe would lack stands in the manifests, which are not at hand: name them with --context"
        raise Stop("no-context", _span(steps[0]), because)
    for each in inherited:
        if _is_code(facts, each, context):
            raise Stop("sources-in-base", each.span, "the stage that this one starts from has the sources already")
    for below_ in stage.lineage[:-1]:
        for step in _compiling(facts, below_):
            raise Stop("sources-in-base", _span(step), "the stage that this one starts from compiles already")
    code = [copy for copy in copies if _is_code(facts, copy, context)]
    if not code:
        raise Stop("no-manifest", _span(steps[0]), _NO_SOURCES)
    return _laid_out(facts, stage, settings, steps, copies, code)


def _from_context(facts: Facts, instructions: Sequence[Instruction]) -> list[Transfer]:
    return [i for i in instructions if isinstance(i, Transfer) and context_sources(facts, i)]


_NO_SOURCES = "what is copied from the context holds no crate; if it is another directory, name it with --context"
_LOOKED_AT = 20_000
"""Files of a directory that are looked at for one of Rust."""


def _is_code(facts: Facts, copy: Transfer, context: BuildContext) -> bool:
    """Whether it brings manifests or sources of Rust."""
    for source in context_sources(facts, copy):
        if not isinstance(source.path, Known):
            return True
        path = source.path.value
        if source.pattern:
            if path.endswith((".rs", ".toml", ".lock", "*")) and basename(path) not in TOOLCHAINS:
                return True
            continue
        if context.kind(path) == "directory":
            if any(_is_rust(each) for each in islice(context.walk(path), _LOOKED_AT)):
                return True
        elif _is_rust(path):
            return True
    return False


def _is_rust(path: str) -> bool:
    return path.endswith(".rs") or basename(path) in ("Cargo.toml", "Cargo.lock")


# --- where everything goes -----------------------------------------------------------------------------------------


def _laid_out(
    facts: Facts, stage: Stage, settings: Settings, steps: list[_Step], copies: list[Transfer], code: list[Transfer]
) -> _Plan:
    instructions = stage.instructions
    at = {id(instruction): index for index, instruction in enumerate(instructions)}
    last = at[id(code[-1])]
    early = [step for step in steps if at[id(step.run)] < last]
    final = [step for step in steps if at[id(step.run)] > last]
    if not final:
        raise Stop("layered-already", _span(steps[-1]), "sources are copied after the last step that compiles")
    stubs = [i for i in instructions[:last] if isinstance(i, Run) and is_stand_in(facts, i)]
    for step in early:
        if not any(step.run is stub for stub in stubs) or not any(makes_stand_in(facts, stub) for stub in stubs):
            because = "it compiles before all sources are there, and does more than to compile a stand-in"
            raise Stop("layered-already", _span(step), because)
    end = at[id(final[0].run)]
    if early:
        stubs += [i for i in instructions[last:end] if isinstance(i, Run) and clears_stand_in(facts, i)]
    else:
        stubs = []
    calls = [(call, cargo) for step in final for call, cargo in step.calls]
    files = Brought(facts, settings.context, copies)
    workspace = _workspace(files, calls)
    start = at[id(code[0])]
    while start > 0 and any(instructions[start - 1] is copy for copy in copies):
        if _is_toolchain(facts, instructions[start - 1]):
            break
        start -= 1
    first = instructions[start]
    assert isinstance(first, Transfer)
    between = [i for i in instructions[start:end] if not any(i is stub for stub in stubs)]
    system = [i for i in between if isinstance(i, Transfer) and for_system(facts, i, workspace.root)]
    others = Brought(facts, settings.context, [copy for copy in copies if not any(copy is each for each in system)])
    moved = moved_above(facts, between, others, calls, workspace.root)
    here_state = facts.state(final[0].run if any(isinstance(i, Workdir) for i in moved) else first)
    if not isinstance(here_state.workdir, Known):
        raise Stop("unknown-directory", first.span, f"where this goes is not known: {here_state.workdir.why}")
    plan = _Plan(
        stage, first, workspace.root, here_state.workdir.value,
        [copy for copy in copies if at[id(copy)] >= start and at[id(copy)] < end and _comes_to(facts, copy, workspace)
         and not any(copy is each for each in moved)],
        moved, [*stubs], [], final, workspace.packages, workspace.programs,
    )  # fmt: skip
    if early:
        _drop_repeated(facts, settings.context, plan, between)
    _check_prefix(instructions[:start])
    plan.mounts = target_mounts(facts, stage, [cargo for _, cargo in calls])
    if settings.builder is Builder.EPHEMERAL:
        plan.mounts += download_mounts(facts, stage, first)
    plan.cooks = list(_cooks(facts, plan, files))
    plan.install = _installation(facts, plan, settings.context)
    for state, span in ((facts.state(first), first.span), (facts.state(final[0].run), _span(final[0]))):
        if not state.user.root:
            raise Stop("not-root", span, "whether this user can write where cook does is not certain")
    if workspace.toolchain is not None and not any(
        _is_toolchain(facts, i) for each in stage.lineage for i in each.instructions[: start if each is stage else None]
    ):
        source = files.source(workspace.toolchain)
        assert source is not None
        plan.toolchain = (source, "./" if plan.here == plan.root else plan.root.rstrip("/") + "/")
    _check_takers(facts, plan)
    _check_arguments([*(i for each in stage.lineage[:-1] for i in each.instructions), *instructions[:start], *moved])
    return plan


def _drop_repeated(facts: Facts, context: BuildContext, plan: _Plan, between: Sequence[Instruction]) -> None:
    """Take out the COPYs for a stand-in whose files the COPY of the whole context brings again, right after them."""
    wide = [index for index, i in enumerate(between) if isinstance(i, Copy) and not i.flags and _is_whole(facts, i)]
    if not wide:
        return
    again = Brought(facts, context, [i for i in between[wide[-1] : wide[-1] + 1] if isinstance(i, Copy)])
    repeated: set[int] = set()
    for copy in reversed(between[: wide[-1]]):
        if isinstance(copy, Run):
            break
        if isinstance(copy, Copy) and not copy.flags and any(copy is each for each in plan.copies):
            own = Brought(facts, context, [copy]).places
            if own and all(again.source(target) == source for source, target in own):
                repeated.add(id(copy))
                plan.removed.append(copy)
    plan.copies = [copy for copy in plan.copies if id(copy) not in repeated]


def _is_whole(facts: Facts, copy: Copy) -> bool:
    return any(source.path == Known("") for source in context_sources(facts, copy))


def _workspace(files: Brought, calls: Sequence[tuple[Call, Cargo]]) -> Workspace:
    found: Workspace | None = None
    for call, cargo in calls:
        span = Span(*call.span)
        if isinstance(cargo.manifest, Unknown) or isinstance(cargo.cwd, Unknown):
            why = cargo.manifest.why if isinstance(cargo.manifest, Unknown) else str(cargo.cwd)
            raise Stop("unknown-directory", span, f"which manifest this means is not known: {why}")
        try:
            workspace = read_workspace(files, cargo.manifest.value, cargo.cwd.value)
        except Trouble as trouble:
            raise Stop(trouble.reason, span, trouble.because) from None
        if found is not None and workspace.root != found.root:
            because = f"this compiles the workspace in {workspace.root}, and an earlier call that in {found.root}"
            raise Stop("several-workspaces", span, because)
        found = workspace
    assert found is not None
    return found


def _is_toolchain(facts: Facts, instruction: Instruction) -> bool:
    """A COPY of the toolchain file, or of cargo's configuration, alone."""
    if not isinstance(instruction, Transfer):
        return False
    sources = context_sources(facts, instruction)
    return bool(sources) and all(
        isinstance(source.path, Known) and basename(source.path.value) in (*TOOLCHAINS, ".cargo") for source in sources
    )


def _comes_to(facts: Facts, copy: Transfer, workspace: Workspace) -> bool:
    targets = [effect.path for effect in facts.effects(copy) if effect.mode == "write"]
    return any(isinstance(path, Unknown) or related(path.value, workspace.root) for path in targets)


def _check_prefix(instructions: Sequence[Instruction]) -> None:
    for instruction in instructions:
        if isinstance(instruction, Onbuild):
            raise Stop("onbuild", instruction.span, "the stages that start from the new one would run this trigger")


_PASSING = re.compile(
    r"(?:^|_)(?:sha1?|(?:git_?|vcs_)(?:ref|rev|hash)|commit|revision|date|timestamp|created|build_?(?:id|num(?:ber)?|time))"
    r"(?:_|\Z)",
    re.IGNORECASE,
)
"""Names of what is another value in every build, or for every commit."""


def _check_arguments(instructions: Sequence[Instruction]) -> None:
    """A RUN behind an ARG is made again where its value is another one (BuildKit, dockerfile2llb: it is a variable of
    its environment)."""
    for instruction in instructions:
        for pair in instruction.pairs if isinstance(instruction, Arg) else ():
            if _PASSING.search(pair.key.value):
                because = (
                    f"{pair.key.value} looks like another value in every build, and would stand before cook: "
                    "declare it right before the step that needs it, and the dependencies can have a layer"
                )
                raise Stop("changing-argument", pair.span, because)


# --- cook ----------------------------------------------------------------------------------------------------------

_SETS = frozenset(("export", ".", "source", "set"))


def _cooks(facts: Facts, plan: _Plan, files: Brought) -> Iterator[str]:
    """The RUN instructions that cook: one for each step, if it compiles anything that none before it does."""
    done: set[tuple[str, ...]] = set()
    refused: Stop | None = None
    for step in plan.steps:
        commands: list[list[str]] = []
        for call, cargo in step.calls:
            if cargo.subcommand not in COOKABLE:
                refused = refused or Stop(
                    "not-cookable", Span(*call.span), f"cargo chef cook does not do what cargo {cargo.subcommand} does"
                )
                continue
            _check_variables(facts, plan, call)
            command = cook_command(call, cargo, plan.root)
            if tuple(command) not in done:
                done.add(tuple(command))
                commands.append(command)
        if not commands:
            continue
        yield _cook_run(facts, plan, step, commands)
    if not done:
        assert refused is not None
        raise refused


def _check_variables(facts: Facts, plan: _Plan, call: Call) -> None:
    state = facts.state(plan.steps[0].run)
    for name in variables(call.nodes[1:]):
        if state.lookup(name) is None:
            because = f"${name} is set while the step runs, and cook would not have it"
            raise Stop("unknown-options", Span(*call.span), because)


def _cook_run(facts: Facts, plan: _Plan, step: _Step, commands: Sequence[Sequence[str]]) -> str:
    file, run = facts.file, step.run
    gone = [mount.flag for other, mount in plan.mounts if other is run]
    flags = [
        flag.word.text for flag in run.flags
        if not any(flag is each for each in gone) and (flag.name, flag.value) != ("network", "none")
    ]  # fmt: skip
    front = _before_cargo(facts, plan, step)
    if plan.root != plan.here:
        inside = below(plan.root, plan.here)
        front.insert(0, f"cd {relpath(plan.root, plan.here) if inside else plan.root}")
    next_line = layout(file, run).next_line.replace("\r\n", "\n")
    keyword = keyword_like(file, "RUN")
    if isinstance(run.form, ExecForm) and not front and len(commands) == 1:
        import json

        words = ", ".join(json.dumps(word, ensure_ascii=False) for word in " ".join([*commands[0], RECIPE]).split())
        return next_line.join([f"{keyword} {flags[0]}" if flags else keyword, *flags[1:]]) + f" [{words}]"
    chain = [*front, *(_folded([*command, RECIPE], next_line) for command in commands)]
    text = (f" &&{next_line}" if len(commands) > 1 else " && ").join(chain)
    if not flags:
        return f"{keyword} {text}"
    return next_line.join([f"{keyword} {flags[0]}", *flags[1:], text])


def _folded(words: Sequence[str], next_line: str) -> str:
    """The words of a command, on as many lines as they need."""
    lines = [words[0]]
    for word in words[1:]:
        if len(lines[-1]) + 1 + len(word) > WIDEST_LINE:
            lines.append(word)
        else:
            lines[-1] += f" {word}"
    return next_line.join(lines)


def _before_cargo(facts: Facts, plan: _Plan, step: _Step) -> list[str]:
    """What the step does before cargo that cook needs: variables that it sets. Raises Stop for anything else."""
    calls = facts.calls(step.run)
    assert not isinstance(calls, OpaqueScript)
    compiling = {id(call) for call, _ in step.calls}
    cargos = {id(call): cargo for call, cargo in cargo_calls(facts, step.run)}
    last = max(call.span[0] for call, cargo in step.calls)
    wanted: set[str] = set()
    for call, own in step.calls:
        if own.subcommand in COOKABLE:
            wanted.update(variables(call.nodes[1:]))
            wanted.update(name for each in needed_assignments(call) for name in variables(each.values))
    texts: list[str] = []
    for call in calls:
        if id(call) in compiling or call.span[0] > last or call.in_substitution:
            continue
        cargo = cargos.get(id(call))
        if call.program in _SETS and call.program != "set" and not call.conditional and not call.loop:
            if call.program in (".", "source"):
                named = call.words[1] if len(call.words) > 1 else Unknown("nothing")
                if not isinstance(named, Known) or not named.value.endswith("cargo/env"):
                    raise Stop("prepares-in-step", Span(*call.span), "what this sets is not known")
            if call.program == "export" and not _matters(call, wanted):
                continue
            list(variables(call.nodes[1:]))
            texts.append(" ".join(getattr(node, "text", "") for node in call.nodes))
            continue
        if call.program in ("set", "cd"):
            continue
        if call.program in PREPARES or (cargo is not None and cargo.subcommand in ("install", "binstall")):
            because = "cook needs what this prepares, in a RUN of its own above the COPY of the sources"
            raise Stop("prepares-in-step", Span(*call.span), because)
        if call.program == "export" and any(name.startswith(("RUST", "CARGO")) for name in _exported(call)):
            because = "whether cook has to set this, too, is decided while the step runs"
            raise Stop("conditional", Span(*call.span), because)
        if sets_up(facts, call, plan.root, [d for _, own in step.calls for d in own.target_dirs()]):
            because = "cook needs what this puts there, in a RUN of its own above the COPY of the sources"
            raise Stop("prepares-in-step", Span(*call.span), because)
        check_call(facts, call, cargo, plan.packages, plan.programs)
    return texts


def _exported(call: Call) -> list[str]:
    """The names that `export` is given, as far as they are written out."""
    return [call.prefix(node)[0].partition("=")[0] for node in call.nodes[1:]]


def _matters(call: Call, wanted: set[str]) -> bool:
    """Whether an `export` sets anything on which it may depend how dependencies are compiled."""
    return any(not name or MATTERS.match(name) or name in wanted for name in _exported(call))


# --- who would see it ---------------------------------------------------------------------------------------------


def _check_takers(facts: Facts, plan: _Plan) -> None:
    """Nobody may take a directory in which something of cargo-chef's would be."""
    places = [f"{plan.root.rstrip('/')}/recipe.json"]
    home = facts.state(plan.steps[0].run).lookup("CARGO_HOME")
    if plan.install is not None and isinstance(home, Known):
        places.append(f"{home.value}/bin/cargo-chef")
    for place in places:
        for taker in facts.takers(plan.stage, place):
            if taker.relation in ("above", "same"):
                because = f"it takes a directory in which {basename(place)} would be"
                raise Stop("whole-directory", taker.span, because)
    for step in plan.steps:
        _check_whole(facts, plan, step)


def _check_whole(facts: Facts, plan: _Plan, step: _Step) -> None:
    """No other stage may take all that is compiled: what cook compiles of stand-ins is there, too."""
    because = "it takes all that is compiled, and cook leaves more of that than the build"
    wholes = {path for _, cargo in step.calls for path in cargo.profile_dirs()}
    directories = dict.fromkeys(d for _, cargo in step.calls for d in cargo.target_dirs() if below(d, plan.root))
    wholes.update(Known(directory) for directory in directories)
    calls = {id(effect.call): effect for effect in facts.effects(step.run) if effect.call is not None
             and effect.mode == "read" and effect.extent == "tree" and effect.path in wholes}  # fmt: skip
    moving = [(effect.call, effect.span) for effect in calls.values()]
    for directory in directories:
        for reader in facts.readers(plan.stage, directory, step.run):
            if reader.relation != "same" and not (reader.relation == "inside" and reader.path in wholes):
                continue
            if reader.kind in ("copy", "mount"):
                raise Stop("whole-directory", reader.span, because)
            if reader.kind == "run":
                moving.append((reader.call, reader.span))
    for call, span in moving:
        for effect in facts.call_effects(call) if call is not None and call.program in _TAKE_TREES else ():
            into = effect.path if effect.mode == "write" else None
            if isinstance(into, Known) and any(
                taker.relation in ("above", "same") for taker in facts.takers(plan.stage, into.value)
            ):
                raise Stop("whole-directory", span, because)


_TAKE_TREES = frozenset(("cp", "mv", "rsync", "tar"))


# --- how cargo-chef gets there -------------------------------------------------------------------------------------

_NEEDED = (1, 88)
"""What cargo-chef 0.1.78 needs: the newest `rust-version` of its locked dependencies, that of cargo-platform."""
_NIGHTLY = "2025-05-20"
"""The first nightly that is certainly a 1.89."""
_VERSION = re.compile(r"(\d+)\.(\d+)(?:\.\d+)?(?:-|\Z)")
_SETTLES = re.compile(r"CARGO_(?:HOME|HTTP|NET|REGISTR|SOURCE)|RUSTUP|SSL|PATH|(?i:_proxy\Z)")
"""Variables without which cargo may not get anything from the network, or puts it elsewhere."""


def _installation(facts: Facts, plan: _Plan, context: BuildContext) -> str | None:
    stage = plan.stage
    texts = [i.code for each in stage.lineage for i in each.instructions if isinstance(i, Run)]
    root = stage.root
    if any("cargo-chef" in text for text in texts):
        return None
    if isinstance(root, BaseImage) and root.name == "lukemathwalker/cargo-chef":
        return None
    span = stage.lineage[0].from_.image.span
    start = facts.index_of(plan.first)
    before = [i for each in stage.lineage for i in each.instructions[: start if each is stage else None]]
    if isinstance(root, BaseImage) and root.name in ("rust", "rustlang/rust"):
        _check_tag(root, span)
        own = stage.instructions[:start]
        settled = any(_SETTLES.search(pair.key.value) for i in (*own, *plan.moved) if isinstance(i, Env | Arg)
                      for pair in i.pairs)  # fmt: skip
        brought = any(isinstance(i, Transfer) for i in own)
        at_once = root.family == "debian" and not settled and not brought and not any(isinstance(i, User) for i in own)
        where = "first" if at_once else "last"
    else:
        _check_rustup(facts, before, span)
        where = "last"
    if where == "last":
        _check_chosen(facts, plan, [*before, *plan.moved], context)
    state = facts.state(plan.first)
    for name in ("CARGO_BUILD_TARGET", "RUSTFLAGS") if where == "last" else ():
        value = state.lookup(name)
        if isinstance(value, Known) and (name != "RUSTFLAGS" or "link" in value.value):
            because = f"{name} would build cargo-chef for another machine than the one that runs it"
            raise Stop("unknown-image", span, because)
    return where


_CHOOSES = re.compile(r"rustup (?:default|override set) \"?([\w.-]+)")
_CHANNEL = re.compile(r"(?m)^\s*(?:channel\s*=\s*[\"'])?([\w.-]+)[\"']?\s*(?:#.*)?$")


def _check_chosen(facts: Facts, plan: _Plan, before: Sequence[Instruction], context: BuildContext) -> None:
    """Raises Stop if another toolchain than the image's is in force where cargo-chef is installed, and is too old."""
    chosen: list[tuple[str, Span]] = []
    for instruction in before:
        if isinstance(instruction, Run):
            chosen += [(found[1], instruction.span) for found in _CHOOSES.finditer(instruction.code)]
        for source in context_sources(facts, instruction) if isinstance(instruction, Transfer) else ():
            if isinstance(source.path, Known) and basename(source.path.value) in TOOLCHAINS:
                text = context.text(source.path.value) or ""
                chosen += [(found[1], instruction.span) for found in _CHANNEL.finditer(text)]
    variable = facts.state(plan.steps[0].run).lookup("RUSTUP_TOOLCHAIN")
    if isinstance(variable, Known):
        chosen.append((variable.value, plan.stage.lineage[0].from_.image.span))
    for name, span in chosen:
        _check_channel(name, span)


def _check_channel(name: str, span: Span) -> None:
    """Raises Stop for a toolchain that is too old for cargo-chef."""
    version = _VERSION.match(name)
    dated = re.search(r"\d{4}-\d\d-\d\d", name)
    if version is not None and (int(version[1]), int(version[2])) < _NEEDED:
        raise _too_old(span, f"Rust {version[1]}.{version[2]}")
    if dated is not None and dated[0] < _NIGHTLY:
        raise _too_old(span, f"the Rust of {dated[0]}")


def _check_tag(root: BaseImage, span: Span) -> None:
    if root.own and not _VERSION.match(root.tag):
        raise Stop("unknown-image", span, "which Rust this image has is not known, and cargo-chef needs 1.88")
    if "?" in root.tag:
        raise Stop("unknown-image", span, "the version of Rust is a build argument without a default")
    _check_channel(root.tag, span)


def _too_old(span: Span, what: str) -> Stop:
    because = f"the newest cargo-chef needs Rust 1.88, and this is {what}: install an older one by hand, or update Rust"
    return Stop("old-toolchain", span, because)


def _check_rustup(facts: Facts, before: Sequence[Instruction], span: Span) -> None:
    """In an image that is none of Rust's the file must install it, by rustup."""
    codes = [i.code for i in before if isinstance(i, Run)]
    if not any(re.search(r"sh\.rustup\.rs|rustup-init|static\.rust-lang\.org/rustup", code) for code in codes):
        raise Stop("unknown-image", span, "which Rust this image has is not known, and cargo-chef needs 1.88")
    for code in codes:
        for named in re.finditer(r"(?:--default-toolchain[= ]|toolchain install |rustup default )\"?([\w.-]+)", code):
            _check_channel(named[1], span)
        if re.search(r"--default-toolchain[= ]\"?\$", code):
            raise Stop("unknown-image", span, "which Rust is installed depends on a variable")


# --- names and numbers of stages -------------------------------------------------------------------------------------


class _Names:
    """Names for new stages that nothing in the file has."""

    def __init__(self, facts: Facts) -> None:
        self.used = {stage.name for stage in facts.stages if stage.name}
        self.used |= {stage.from_.image.value.lower() for stage in facts.stages}
        for stage in facts.stages:
            for instruction in stage.instructions:
                if isinstance(instruction, Copy | Run):
                    self.used.update(re.findall(r"from=([\w.-]+)", instruction.code.lower()))

    def take(self, *wanted: str) -> str:
        name = next((name for name in wanted if name not in self.used), None)
        number = 2
        while name is None:
            if f"{wanted[-1]}-{number}" not in self.used:
                name = f"{wanted[-1]}-{number}"
            number += 1
        self.used.add(name)
        return name


def _numbers(facts: Facts, stage: Stage) -> list[tuple[Copy, Stage]]:
    """COPY instructions that name a stage by a number which will not be its own any more."""
    found = []
    for each in facts.stages:
        for instruction in each.instructions:
            if not isinstance(instruction, Copy):
                continue
            number = next((flag.value for flag in instruction.flags if flag.name == "from"), None)
            if number and number.isascii() and number.isdigit() and stage.index <= int(number) < len(facts.stages):
                found.append((instruction, facts.stages[int(number)]))
    return found


# --- writing it down -------------------------------------------------------------------------------------------------


def _change(facts: Facts, plan: _Plan, names: _Names, id: str, *, alone: bool) -> Change:
    file, stage = facts.file, plan.stage
    alias = stage.from_.alias
    builder = alias.text if alias is not None else names.take("builder", "build", "rust-builder")
    label = builder.lower()
    chef = names.take("chef", f"{label}-chef") if alone else names.take(f"{label}-chef")
    planner = names.take("planner", f"{label}-planner") if alone else names.take(f"{label}-planner")
    inserted: dict[int, str] = {}
    edits: list[Edit] = []
    image = stage.from_
    as_ = _as(facts, stage)
    if image.alias is not None:
        edits.append(Edit(image.alias.span.start, image.alias.span.end, chef))
    else:
        edits.append(Edit(image.image.span.end, image.image.span.end, f" {as_} {chef}"))
    run = keyword_like(file, "RUN")
    downloads = _downloads(facts, plan) if plan.install is not None else {}
    install = _install(facts, plan, run, downloads.values())
    if plan.install == "first":
        inserted[image.span.end] = install
    copy, from_ = keyword_like(file, "COPY"), keyword_like(file, "FROM")
    lines: list[str] = []
    for instruction in plan.moved:
        start, end = instruction_block(file, instruction)
        lines.append(file.text[start:end].replace("\r\n", "\n").rstrip("\n") + "\n")
    if plan.install == "last":
        lines.append(install)
    if plan.toolchain is not None:
        lines.append(f"{copy} {plan.toolchain[0]} {plan.toolchain[1]}\n{run} cargo --version\n")
    place, above = insertion_place(file, plan.first)
    open_ = isinstance(above, Blank)
    block = "".join(lines)
    if lines or not open_:
        block += "\n"
    block += f"{from_} {chef} {as_} {planner}\n"
    for each in plan.copies:
        block += file.text[each.keyword.start : each.span.end].replace("\r\n", "\n").rstrip("\n") + "\n"
    inside = below(plan.root, plan.here)
    away = "" if plan.root == plan.here else f"cd {relpath(plan.root, plan.here) if inside else plan.root} && "
    block += f"{run} {away}cargo chef prepare {RECIPE}\n\n"
    recipe = f"{plan.root.rstrip('/')}/recipe.json"
    block += f"{from_} {chef} {as_} {builder}\n"
    block += f"{copy} --from={planner} {recipe} {recipe if away else 'recipe.json'}\n"
    block += "".join(_comments(facts, stub) for stub in plan.removed) + "\n".join(plan.cooks) + "\n"
    if open_:
        block += "\n"
    inserted[place] = inserted.get(place, "") + block
    eol = "\r\n" if "\r\n" in file.text else "\n"
    edits += [Edit(at, at, text.replace("\n", eol)) for at, text in inserted.items()]
    edits += remove_blocks(file, [*plan.moved, *plan.removed])
    for mounted, mount in plan.mounts:
        if not any(mounted is stub for stub in plan.removed):
            edits.append(remove_flag(file, mounted, mount.flag))
    for instruction, target in _numbers(facts, stage):
        flag = next(flag for flag in instruction.flags if flag.name == "from")
        name = builder if target is stage else target.name
        if name is None or (target is not stage and facts.resolve(facts.stages[-1], name) is not target):
            name = str(target.index + 2)
        edits.append(Edit(flag.word.span.start, flag.word.span.end, f"--from={name}"))
    edits.sort(key=lambda edit: (edit.start, edit.end))
    title = f"cook the dependencies of {builder} in a layer of their own"
    places = [recipe, *downloads]
    home = facts.state(plan.steps[0].run).lookup("CARGO_HOME")
    if plan.install is not None and isinstance(home, Known):
        places.append(f"{home.value}/bin/cargo-chef")
    where = alters(facts, [(stage, place) for place in places])
    return Change(id, title, _WHY, image.span, tuple(edits), safety=Safety.UNSAFE, risk=_RISK, alters=where)


def _downloads(facts: Facts, plan: _Plan) -> dict[str, str]:
    """Mounts for what the installation of cargo-chef downloads, like those that the file has, by their targets: none
    if the place of cargo's home is not known."""
    state = facts.state(plan.stage.instructions[0] if plan.install == "first" else plan.first)
    home = state.lookup("CARGO_HOME")
    known = known_mounts(facts, [i for each in facts.stages for i in each.instructions if isinstance(i, Run)])
    if not isinstance(home, Known) or home.args or not plain(home.value) or takes_mounts(facts.file) is not None:
        return {}
    targets = [f"{home.value}/registry"]
    git = next((path for path in (f"{home.value}/git/db", f"{home.value}/git") if (path, None) in known), None)
    if git is not None or (targets[0], None) not in known:
        targets.append(git or f"{home.value}/git/db")
    return {target: downloads(target, known=known.get((target, None))) for target in targets}


def _install(facts: Facts, plan: _Plan, keyword: str, mounts: Iterable[str]) -> str:
    """The RUN that installs cargo-chef."""
    first, *rest = [*(f"--mount={mount}" for mount in mounts), "cargo install cargo-chef --locked"]
    next_line = layout(facts.file, plan.steps[0].run).next_line.replace("\r\n", "\n")
    return next_line.join([f"{keyword} {first}", *rest]) + "\n"


def _as(facts: Facts, stage: Stage) -> str:
    for each in (stage, *facts.stages):
        if each.from_.as_ is not None:
            return each.from_.as_.text
    return keyword_like(facts.file, "AS")


def _comments(facts: Facts, stub: Instruction) -> str:
    """What comments say above a stand-in and in it: they go to cook, which does what it was for."""
    start, end = instruction_block(facts.file, stub)
    lines = (line.strip() for line in facts.file.text[start:end].split("\n"))
    return "".join(f"{line}\n" for line in lines if line.startswith("#"))
