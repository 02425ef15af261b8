"""What there is to prove: what dockfix would change in a Dockerfile, and which stages have to be built to see it."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path, PurePath

from fixer.analysis import Facts, Images, Stage, analyse
from fixer.codemods.api import Builder
from fixer.engine.files import FileTrouble, Target, read
from fixer.engine.job import FileResult, Options, find_context, find_targets, fix_data, fix_target, searched
from fixer.engine.kinds import IGNORE, IGNORE_NAME
from fixer.engine.outcome import AppliedChange, Outcome, Problem
from fixer.engine.project import project_name
from fixer.text.records import dataclass, replace
from fixer.tree.nodes import Copy, Instruction, Onbuild, Run
from fixer.tree.parse import parse


class VerifyTrouble(Exception):
    """What was asked for cannot be done; the message is for the user. Nothing was built."""


@dataclass(frozen=True, slots=True)
class IgnorePlan:
    """What dockfix would do to the .dockerignore that is in force."""

    path: str
    outcome: Outcome[bytes]
    diff: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What dockfix would do to a Dockerfile, and what of that can be built."""

    dockerfile: Path
    context: Path
    result: FileResult
    outcome: Outcome[bytes]
    facts: Facts
    """Of the original."""
    targets: tuple[str, ...]
    """In the order in which they are built: those that a change is part of first. The empty string is the last one."""
    missed: tuple[AppliedChange, ...]
    """Changes in stages that no target is made from."""
    ignore: IgnorePlan | None = None
    """None if nothing would change in it."""

    @property
    def changed(self) -> bool:
        return self.outcome.changed or self.ignore is not None

    @property
    def changes(self) -> tuple[AppliedChange, ...]:
        """Those of the Dockerfile, and those of the .dockerignore, which say so in their titles."""
        if self.ignore is None:
            return self.outcome.changes
        name = PurePath(self.ignore.path).name
        others = (replace(change, title=f"{name}: {change.title}") for change in self.ignore.outcome.changes)
        return (*self.outcome.changes, *others)

    @property
    def diff(self) -> str:
        return self.result.diff + (self.ignore.diff if self.ignore is not None else "")


def prepare(
    dockerfile: Path,
    context: Path,
    *,
    targets: Sequence[str] = (),
    select: Collection[str] | None = None,
    ignore: Collection[str] = (),
    unsafe_fixes: bool = False,
    project: str | None = None,
    builder: Builder | None = None,
    images: Images | None = None,
) -> Plan:
    """Run the codemods and see which stages have to be built. builder, images: see `Options`. Raises VerifyTrouble: a
    file that cannot be read or is not understood, a stage that does not exist, changes that are part of no stage that
    would be built."""
    path = str(dockerfile)
    try:
        data = read(path)
    except FileTrouble as trouble:
        raise VerifyTrouble(_why(path, trouble.problem)) from trouble
    chosen = None if select is None else tuple(select)
    options = Options(chosen, tuple(ignore), unsafe_fixes, project, builder, context=str(context), images=images)
    found = find_context(path, options), find_targets(path)
    result = fix_data(data, path, options, project or project_name(path), *found)
    if result.problem is not None or result.outcome is None:
        raise VerifyTrouble(_why(path, result.problem))
    if not context.is_dir():
        raise VerifyTrouble(f"{context}: the build context is not a directory.")
    outcome = result.outcome
    facts = analyse(parse(outcome.text_before), bounded=False, images=options.own_images)
    if not facts.stages:
        raise VerifyTrouble(f"{path}: there is no FROM in it, so nothing to build.")
    wanted = _known_targets(facts, targets)
    built: set[int] = set()
    for target in wanted:
        built |= stages_for(facts, stage_of_target(facts, target))
    missed = tuple(change for change in outcome.changes if not _in_stages(facts, change, built))
    if missed and len(missed) == len(outcome.changes):
        raise VerifyTrouble(_no_target(facts, missed))
    ordered = sorted(wanted, key=lambda target: not _changes_of(facts, outcome, target))
    left_out = _ignore_plan(dockerfile, context, options)
    return Plan(dockerfile, context, result, outcome, facts, tuple(ordered), missed, left_out)


def _ignore_plan(dockerfile: Path, context: Path, options: Options) -> IgnorePlan | None:
    """The changes of the .dockerignore that is in force for the Dockerfile, also if it is to be made."""
    if IGNORE not in searched(options, [str(context)])[0]:
        return None
    options = replace(options, paths=frozenset((os.path.realpath(dockerfile),)))
    own = dockerfile.with_name(dockerfile.name + IGNORE_NAME)
    path = str(own if own.is_file() else context / IGNORE_NAME)
    try:
        done = fix_target(Target(path, missing=not os.path.lexists(path)), options).result
    except FileTrouble:
        return None
    if done.outcome is None or not done.outcome.changed:
        return None
    return IgnorePlan(path, done.outcome, done.diff)


def _why(path: str, problem: Problem | None) -> str:
    place = f":{problem.position.line}" if problem and problem.position else ""
    return f"{path}{place}: {problem.message if problem else 'cannot be fixed.'}"


def _known_targets(facts: Facts, targets: Sequence[str]) -> list[str]:
    """The last stage, and the others that were named, each once."""
    wanted = [""]
    for target in targets:
        stage = stage_of_target(facts, target)
        if stage.last:
            continue
        if target.lower() != stage.name and stage_of_target(facts, stage.name or "") is not stage:
            raise VerifyTrouble(
                f"Stage {target} has no name of its own, and BuildKit builds no stage by its number: give it one "
                "(`FROM … AS NAME`)."
            )
        name = target if target.lower() == stage.name else stage.name or ""
        if all(stage_of_target(facts, known) is not stage for known in wanted[1:]):
            wanted.append(name)
    return wanted


def stage_of_target(facts: Facts, target: str) -> Stage:
    """The stage that `--target` means. Raises VerifyTrouble."""
    if not target:
        return facts.stages[-1]
    for stage in reversed(facts.stages):
        if target.lower() == stage.name:
            return stage
    if target.isascii() and target.isdigit() and int(target) < len(facts.stages):
        return facts.stages[int(target)]
    names = [stage.name or str(stage.index) for stage in facts.stages]
    raise VerifyTrouble(f"There is no stage {target!r}; there are: {', '.join(names)}.")


def stages_for(facts: Facts, stage: Stage) -> set[int]:
    """The numbers of the stages that are built for `stage`, itself included."""
    found: set[int] = set()
    open_ = [stage]
    while open_:
        one = open_.pop()
        if one.index in found:
            continue
        found.add(one.index)
        if isinstance(one.base, Stage):
            open_.append(one.base)
        for instruction in [*one.instructions, *one.triggers]:
            open_.extend(_sources(facts, instruction.inner if isinstance(instruction, Onbuild) else instruction))
    return found


def _sources(facts: Facts, instruction: Instruction) -> Iterator[Stage]:
    """The stages that an instruction takes files from."""
    if isinstance(instruction, Copy):
        source = facts.copied_from(instruction)
        if isinstance(source, Stage):
            yield source
    elif isinstance(instruction, Run):
        yield from (mount.stage for mount in facts.mounts(instruction) if isinstance(mount.stage, Stage))


def _in_stages(facts: Facts, change: AppliedChange, stages: Collection[int]) -> bool:
    """Whether the instruction of a change stands in one of `stages`; always true for what stands before the first."""
    found = -1
    for stage in facts.stages:
        if facts.file.position(stage.from_).line <= change.position.line:
            found = stage.index
    return found < 0 or found in stages


def _changes_of(facts: Facts, outcome: Outcome[bytes], target: str) -> bool:
    stages = stages_for(facts, stage_of_target(facts, target))
    return any(_in_stages(facts, change, stages) for change in outcome.changes)


def _no_target(facts: Facts, missed: Sequence[AppliedChange]) -> str:
    """Which stages to name so that the changes are built."""
    names = []
    for stage in facts.stages:
        used = any(stage.index in stages_for(facts, other) for other in facts.stages if other is not stage)
        needed = stages_for(facts, stage)
        if not used and stage.name and any(_in_stages(facts, change, needed) for change in missed):
            names.append(stage.name)
    lines = ", ".join(str(change.position.line) for change in missed)
    how = "That stage has no name, so nobody can build it."
    if names:
        how = f"Name the stage that is: {' '.join(f'--target {name}' for name in names)}"
    return f"The last stage is built without what would change (line {lines}), so there is nothing to compare. {how}"
