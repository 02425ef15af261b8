"""A file that uses cargo-chef already, and wrongly: cook with other options than the build, sources that come before
cook, cache mounts that hide what is cooked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from fixer.analysis import Call, Facts, Known, Stage, below
from fixer.analysis.brought import Brought
from fixer.analysis.context import BuildContext, context_sources
from fixer.analysis.tools.cargo import Cargo
from fixer.analysis.tools.workspace import TOOLCHAINS, Trouble, read_workspace
from fixer.codemods.api import Alters, Change, Refusal, Safety
from fixer.codemods.artifacts import cargo_calls
from fixer.codemods.chef_steps import NEUTRAL, PREPARES, is_absolute, target_mounts
from fixer.codemods.common import Stop, remove_words, span_of
from fixer.codemods.cook import COOKABLE, CORE, MATTERS, Manner, Option, manner_of, options_of, variables
from fixer.text.edits import Edit
from fixer.text.records import dataclass
from fixer.text.source import Span
from fixer.tree.editor import instruction_block, keyword_like, remove_flag
from fixer.tree.nodes import Arg, Blank, Env, Instruction, JsonString, Onbuild, Run, Shell, Transfer, User, Workdir
from fixer.tree.shell import Assignment, OpaqueScript, ShellNode

_RISK = "the dependencies are compiled in another way, or at another time, than before; pays only where layers are kept"


@dataclass(frozen=True, slots=True)
class _Use:
    """A call of cargo that compiles, in a RUN of a stage."""

    stage: Stage
    run: Run
    call: Call
    cargo: Cargo

    @property
    def span(self) -> Span:
        return Span(*self.call.span)


def repairs(facts: Facts, stage: Stage, context: BuildContext, codemod: str) -> Iterator[Change | Refusal]:
    """What is wrong in a stage that cooks, and what to do about it; nothing for other stages."""
    cooks = [use for use in _uses(facts, stage) if use.cargo.subcommand == "chef-cook"]
    if not cooks:
        return
    builds = list(_builds(facts, cooks))
    for mend in (_sources, _mounts, _variables, _options):
        try:
            yield from mend(facts, context, cooks, builds, codemod)
        except Stop as stop:
            yield Refusal(codemod, stop.reason, stop.span, stop.because)


def _change(
    codemod: str, title: str, why: str, span: Span, edits: Sequence[Edit], cooks: Sequence[_Use]
) -> Change:  # fmt: skip
    """A change by which the target directory differs, in a stage that nobody gets as a whole."""
    directories = dict.fromkeys(next(use.cargo.target_dirs(), "") for use in cooks)
    where = Alters(tuple(directory for directory in directories if directory))
    return Change(codemod, title, why, span, tuple(edits), safety=Safety.UNSAFE, risk=_RISK, alters=where)


def _uses(facts: Facts, stage: Stage) -> Iterator[_Use]:
    for instruction in stage.instructions:
        if isinstance(instruction, Run) and "cargo" in instruction.code:
            for call, cargo in cargo_calls(facts, instruction):
                if cargo.known:
                    yield _Use(stage, instruction, call, cargo)


def _builds(facts: Facts, cooks: Sequence[_Use]) -> Iterator[_Use]:
    """What is compiled after the last cook: in its stage, in those that start from it, and in those that copy what is
    cooked out of them."""
    stages = [cooks[-1].stage]
    known = {cooks[-1].stage.index}
    for each in stages:
        for other in (*each.derived, *takers_of_cooked(facts, each, cooks[-1].cargo)):
            if other.index not in known:
                known.add(other.index)
                stages.append(other)
        for use in _uses(facts, each):
            later = each is not cooks[-1].stage or use.call.span[0] > cooks[-1].call.span[0]
            if later and use.cargo.subcommand in COOKABLE and use.cargo.compiles:
                yield use


def takers_of_cooked(facts: Facts, stage: Stage, cook: Cargo) -> Iterator[Stage]:
    """The stages that copy the target directory, in which `cook` compiles in `stage`, out of it."""
    directory = next(cook.target_dirs(), None)
    for taker in facts.takers(stage, directory) if directory is not None else ():
        taking = facts.stage_of(taker.instruction)
        if taking is not None and taker.kind == "copy" and taker.relation in ("same", "above"):
            yield taking


# --- sources before cook ---------------------------------------------------------------------------------------------


def _sources(
    facts: Facts, context: BuildContext, cooks: Sequence[_Use], builds: Sequence[_Use], codemod: str
) -> Iterator[Change]:
    stage, first, last = cooks[0].stage, cooks[0].run, cooks[-1].run
    for each in stage.lineage[:-1]:
        for copy in each.instructions:
            if isinstance(copy, Transfer) and _brings_sources(facts, copy):
                because = "the sources come with the stage that this one starts from, so that every edit cooks anew"
                raise Stop("sources-in-base", copy.span, because)
    start, end = facts.index_of(first), facts.index_of(last)
    early = [
        i for i in stage.instructions[:start] if isinstance(i, Transfer) and _brings_sources(facts, i)
    ]  # fmt: skip
    if not early:
        return
    for use in _uses(facts, stage):
        if use.cargo.subcommand == "chef-prepare":
            because = "the recipe is made here, of the sources, so that every edit cooks anew: it wants a stage before"
            raise Stop("no-planner", use.span, because)
    between = stage.instructions[facts.index_of(early[0]) : end + 1]
    _check_between(facts, between, early, {id(use.run) for use in cooks})
    _check_recipe(facts, context, early, [*builds, *cooks])
    file = facts.file
    edits: list[Edit] = []
    lines: list[str] = []
    later = [i for i in stage.instructions[end + 1 :] if isinstance(i, Transfer)]
    for copy in early:
        at, until = instruction_block(file, copy)
        text = file.text[at:until]
        kept = _toolchain(facts, context, copy)
        if any(_same(facts, copy, other) for other in later):
            comments = "".join(line for line in text.splitlines(keepends=True) if line.lstrip().startswith("#"))
            edits.append(Edit(at, until, comments + kept))
        else:
            lines.append(text if text.endswith("\n") else text + "\n")
            edits.append(Edit(at, _with_blank(facts, at, until), kept))
    if lines:
        place = last.span.end
        edits.append(Edit(place, place, "".join(lines)))
    edits.sort(key=lambda edit: edit.start)
    why = "cook needs the recipe alone; sources before it make every edit compile all dependencies again"
    title = "copy the sources after cook"
    yield _change(codemod, title, why, early[0].span, edits, cooks)


def _check_recipe(facts: Facts, context: BuildContext, early: Sequence[Transfer], uses: Sequence[_Use]) -> None:
    """Raises Stop if cook may need what these COPYs bring, because a recipe does not hold it: a crate by path, vendored
    crates, files that a configuration names."""
    if not context.at_hand:
        because = "whether cook needs them stands in the manifests, which are not at hand: name them with --context"
        raise Stop("no-context", early[0].span, because)
    stages = {id(each): each for use in uses for each in use.stage.lineage}
    files = Brought(facts, context, [
        i for each in stages.values() for i in each.instructions
        if isinstance(i, Transfer) and facts.copied_from(i) is None
    ])  # fmt: skip
    for use in {(str(use.cargo.manifest), str(use.cargo.cwd)): use for use in uses}.values():
        manifest, cwd = use.cargo.manifest, use.cargo.cwd
        if not isinstance(manifest, Known) or not isinstance(cwd, Known):
            raise Stop("unknown-directory", use.span, "which manifest this means is not known, nor what cook needs")
        try:
            read_workspace(files, manifest.value, cwd.value)
        except Trouble as trouble:
            raise Stop(trouble.reason, early[0].span, f"cook may need the sources: {trouble.because}") from None


def _brings_sources(facts: Facts, copy: Transfer) -> bool:
    """Whether a COPY from the context brings sources of Rust, as far as its words say."""
    return any(
        isinstance(source.path, Known)
        and (source.path.value in ("", "src", "crates") or source.path.value.endswith((".rs", "/src")))
        for source in context_sources(facts, copy)
    )


def _check_between(facts: Facts, between: Sequence[Instruction], early: Sequence[Transfer], cooks: set[int]) -> None:
    """Raises Stop if something from the first of these sources to the last cook may need them."""
    for instruction in between:
        if isinstance(instruction, User | Shell | Onbuild):
            raise Stop("step-between", instruction.span, "the sources would be copied after it")
        if isinstance(instruction, Workdir) and not all(is_absolute(copy) for copy in early):
            raise Stop("step-between", instruction.span, "after it the sources would be copied to another place")
        if not isinstance(instruction, Run) or id(instruction) in cooks:
            continue
        calls = facts.calls(instruction)
        if isinstance(calls, OpaqueScript):
            raise Stop("step-between", instruction.span, "whether this needs the sources is not certain")
        for call in calls:
            reads = [e for e in facts.call_effects(call) if e.mode == "read" and not e.implicit]
            if call.program not in PREPARES | NEUTRAL or any(
                not isinstance(e.path, Known) or _is_brought(facts, early, e.path.value) for e in reads
            ):
                raise Stop("step-between", Span(*call.span), "whether this needs the sources is not certain")


def _is_brought(facts: Facts, early: Sequence[Transfer], path: str) -> bool:
    targets = [e.path for copy in early for e in facts.effects(copy) if e.mode == "write"]
    return any(not isinstance(target, Known) or below(path, target.value) for target in targets)


def _toolchain(facts: Facts, context: BuildContext, copy: Transfer) -> str:
    """A COPY of the toolchain's file, which cook wants before it, if the whole context came before it."""
    if not any(source.path == Known("") for source in context_sources(facts, copy)) or not context.at_hand:
        return ""
    name = next((name for name in TOOLCHAINS if context.kind(name) == "file"), None)
    targets = [effect.path for effect in facts.effects(copy) if effect.mode == "write"]
    if name is None or not targets or not isinstance(targets[0], Known):
        return ""
    eol = "\r\n" if "\r\n" in facts.file.text else "\n"
    here = "" if facts.state(copy).workdir == targets[0] else targets[0].value.rstrip("/")
    return f"{keyword_like(facts.file, 'COPY')} {name} {here or '.'}/{eol}"


def _same(facts: Facts, copy: Transfer, other: Transfer) -> bool:
    """Whether the other one brings the same, to the same place."""
    paths = [
        (
            sorted(str(source.path) for source in context_sources(facts, each)),
            [effect.path for effect in facts.effects(each) if effect.mode == "write"],
            sorted(flag.word.value for flag in each.flags),
        )
        for each in (copy, other)
    ]
    return bool(paths[0][0]) and paths[0] == paths[1]


def _with_blank(facts: Facts, start: int, end: int) -> int:
    """`end`, or behind the blank line there if one stands before `start`, too."""
    before: object = None
    for item in facts.file.items:
        first = item.first_leaf
        begin = first.start - len(first.prefix) if first is not None else -1
        if begin == end:
            return item.span.end if isinstance(item, Blank) and isinstance(before, Blank) else end
        if begin < start:
            before = item
    return end


# --- mounts over the target directory --------------------------------------------------------------------------------


def _mounts(
    facts: Facts, context: BuildContext, cooks: Sequence[_Use], builds: Sequence[_Use], codemod: str
) -> Iterator[Change]:
    found = target_mounts(facts, cooks[0].stage, [use.cargo for use in (*cooks, *builds)])
    if found:
        edits = [remove_flag(facts.file, run, mount.flag) for run, mount in found]
        why = "a cache mount on the target directory hides what cook has compiled into the layer, and is empty itself"
        title = "take away the mount that hides what is cooked"
        yield _change(codemod, title, why, found[0][0].span, edits, cooks)


# --- variables -------------------------------------------------------------------------------------------------------

_OF_ALL = re.compile(r"(?:RUSTFLAGS|RUSTC\w*|CARGO_(?:BUILD|ENCODED|PROFILE|TARGET)_\w+)\Z")
"""Variables that decide how every dependency is compiled. (The Cargo book, "Environment Variables")"""


def _variables(
    facts: Facts, context: BuildContext, cooks: Sequence[_Use], builds: Sequence[_Use], codemod: str
) -> Iterator[Change]:
    """An ENV between cook and the build that decides how dependencies are compiled comes before cook."""
    stage, cook = cooks[-1].stage, cooks[0]
    own = [facts.index_of(use.run) for use in builds if use.stage is stage]
    edits: list[Edit] = []
    lines: list[str] = []
    found: Instruction | None = None
    between = stage.instructions[facts.index_of(cooks[-1].run) + 1 : min(own, default=0)]
    for at, instruction in enumerate(between):
        if not isinstance(instruction, Env | Arg) or not any(_OF_ALL.match(p.key.value) for p in instruction.pairs):
            continue
        other = next((i for i in between[:at] if isinstance(i, Run) and ("cargo" in i.code or "rustc" in i.code)), None)
        if other is not None:
            raise Stop("step-between", other.span, "cook wants what is set after it, and it would be set for it, too")
        for name in (n for p in instruction.pairs if p.value is not None for n in _NAMED.findall(p.value.value)):
            if facts.state(cook.run).lookup(name) != facts.state(instruction).lookup(name):
                because = f"cook wants it, too, and ${name} is not there yet, or is another: declare both above"
                raise Stop("step-between", instruction.span, because)
        start, end = instruction_block(facts.file, instruction)
        text = facts.file.text[start:end]
        lines.append(text if text.endswith("\n") else text + "\n")
        edits.append(Edit(start, end, ""))
        found = found or instruction
    if found is not None:
        place = instruction_block(facts.file, cook.run)[0]
        edits.insert(0, Edit(place, place, "".join(lines)))
        why = "dependencies that are compiled with other settings than the build has are of no use to it"
        yield _change(codemod, "set before cook what the build is compiled with", why, found.span, edits, cooks)


_NAMED = re.compile(r"\$\{?(\w+)")


# --- options ---------------------------------------------------------------------------------------------------------


def _options(
    facts: Facts, context: BuildContext, cooks: Sequence[_Use], builds: Sequence[_Use], codemod: str
) -> Iterator[Change]:
    wanted = [use for use in builds if use.cargo.subcommand not in ("check", "clippy")] or list(builds)
    if len(cooks) > 1 or not wanted:
        return
    cook = cooks[0]
    for use in wanted:
        where = use.cargo.cwd
        if cook.stage not in use.stage.lineage:
            continue  # what is copied may go anywhere
        if isinstance(where, Known) and isinstance(cook.cargo.cwd, Known) and not below(
            where.value, cook.cargo.cwd.value
        ):
            because = f"cook compiles in {cook.cargo.cwd.value}, and what is built in {where.value} uses nothing of it"
            raise Stop("another-directory", cook.span, because)
    try:
        own = options_of(cook.call, cook.cargo)
        rows = [(use, options_of(use.call, use.cargo)) for use in wanted]
    except Stop:
        return  # options that nobody can compare
    have = manner_of(cook.cargo, own)
    manners = [manner_of(use.cargo, options) for use, options in rows]
    if any(_core(manner) != _core(manners[0]) for manner in manners[1:]):
        return
    want = manners[0]
    names = {name for name in CORE if have.of(name) != want.of(name)}
    if have.kind != want.kind:
        names.update(("--check", "--clippy", "--zigbuild"))
    if len(rows) == 1 and rows[0][0].stage is cook.stage and rows[0][0].cargo.subcommand != "install":
        names.update(name for name in ("--package", "--workspace") if have.of(name) != want.of(name))
    missing = _missing_assignments(cook, rows[0][0]) if len(rows) == 1 else []
    if not names and not missing and have.toolchain == want.toolchain:
        return
    for option in rows[0][1]:
        if _name(option) in names:
            _check_known(facts, cook, rows[0][0], option.nodes)
    _check_known(facts, cook, rows[0][0], [value for each in missing for value in each.values])
    edits = _aligned(facts, cook, own, rows[0], names)
    if missing:
        texts = (cook.call.file_text[each.start : each.end] for each in missing)
        edits.append(Edit(cook.call.span[0], cook.call.span[0], "".join(f"{text} " for text in texts)))
    if have.toolchain != want.toolchain:
        edits += _toolchains(cook, want.toolchain)
    edits.sort(key=lambda edit: (edit.start, edit.end))
    why = "what is compiled with other options, or by another compiler, is of no use to the build"
    title = "cook as the build compiles"
    yield _change(codemod, title, why, cook.run.span, edits, cooks)


def _check_known(facts: Facts, cook: _Use, build: _Use, nodes: Iterable[ShellNode | JsonString]) -> None:
    """Raises Stop if these words of the build rest on something that is not the same where cook runs."""
    for name in variables(nodes):
        known = facts.state(cook.run).lookup(name) is not None
        if not known or cook.call.lookup(name) != build.call.lookup(name):
            because = f"it wants the options of the build, and ${name} is not there, or is another: declare it above"
            raise Stop("unknown-options", cook.span, because)


def _missing_assignments(cook: _Use, build: _Use) -> list[Assignment]:
    """Variables in front of the build that decide how dependencies are compiled, and that cook has not."""
    there = {assignment.name for assignment in cook.call.assignments}
    return [
        each for each in build.call.assignments
        if MATTERS.match(each.name) and each.name not in there and cook.call.simple is not None
        and "\n" not in build.call.file_text[each.start : each.end]
    ]  # fmt: skip


def _core(manner: Manner) -> tuple[object, ...]:
    return manner.kind, manner.toolchain, manner.of(*CORE)


def _aligned(
    facts: Facts, cook: _Use, own: Sequence[Option], build: tuple[_Use, Sequence[Option]], names: set[str]
) -> list[Edit]:
    """Edits that give cook the options of these names as the build has them."""
    call = cook.call
    use, options = build
    texts: dict[str, list[str]] = {}
    if "--profile" in names and use.cargo.subcommand == "install" and use.cargo.profile == Known("release"):
        texts["--profile"] = ["--release"]
    if use.cargo.subcommand in ("check", "clippy", "zigbuild") and f"--{use.cargo.subcommand}" in names:
        texts[f"--{use.cargo.subcommand}"] = [f"--{use.cargo.subcommand}"]
    for option in options:
        if _name(option) in names:
            texts.setdefault(_name(option), []).append(option.text)
    edits: list[Edit] = []
    gone: list[Option] = []
    for option in own:
        name, first, last = _name(option), option.nodes[0], option.nodes[-1]
        if name not in names:
            continue
        alone = sum(_name(other) == name for other in own) == 1 == len(texts.get(name, ()))
        if alone and not isinstance(first, JsonString) and not isinstance(last, JsonString):
            edits.append(Edit(first.start, last.end, texts.pop(name)[0]))
        else:
            gone.append(option)
    indexes = [
        index for index, node in enumerate(call.nodes) if any(node is each for option in gone for each in option.nodes)
    ]
    edits += remove_words(facts.file, call, indexes, "unknown-options")
    added = [text for each in texts.values() for text in each]
    if added:
        node = next(each for each in call.nodes if _says(each, "cook"))
        if isinstance(node, JsonString):
            words = [word for text in added for word in text.split()]
            edits.append(Edit(node.string.span.end, node.string.span.end, "".join(f', "{word}"' for word in words)))
        else:
            edits.append(Edit(node.end, node.end, "".join(f" {text}" for text in added)))
    return edits


def _name(option: Option) -> str:
    return "--profile" if option.name == "--release" else option.name


def _says(node: object, text: str) -> bool:
    return (node.value if isinstance(node, JsonString) else getattr(node, "text", "")) == text


def _toolchains(cook: _Use, wanted: str | None) -> list[Edit]:
    first, second = cook.call.nodes[0], cook.call.nodes[1]
    if isinstance(first, JsonString) or isinstance(second, JsonString):
        raise Stop("unknown-options", span_of(first), "the toolchain is another one, and the step is in exec form")
    if second.text.startswith("+"):
        return [Edit(first.end, second.end, f" +{wanted}" if wanted else "")]
    return [Edit(first.end, first.end, f" +{wanted}")]
