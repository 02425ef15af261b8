"""What Dockerfiles keep of the secrets that are mounted into them.

A secret mount leaves nothing in its layer by itself. What a command writes of it stays there, and with `mode=max` the
layers of all stages are in the cache.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Sequence

from fixer.analysis.documents import Neighbour
from fixer.analysis.facts import Facts
from fixer.analysis.mounts import Mount
from fixer.analysis.paths import sources_of
from fixer.analysis.stages import Stage
from fixer.analysis.values import Known, Unknown
from fixer.analysis.workflow_runs import PARSED
from fixer.codemods.gha_keeps import SOMEWHERE, Around, Layer, kept_by
from fixer.tree.cook import Cooked
from fixer.tree.nodes import Copy, ExecForm, Instruction, Onbuild, Run
from fixer.tree.parse_shell import parse_shell

_VARIABLE = re.compile(r"\$\{[^}]*\}|\$\w+")


def keeper(neighbour: Neighbour, target: str | None, ids: frozenset[str] | None) -> str | None:
    """The place of a RUN of a Dockerfile that may keep a secret in its layer; None if none may.

    target: the stage that is built; empty for the last one, None if it is not known.
    ids: those of the secrets; None if all may be one.
    """
    facts = neighbour.facts
    assert facts is not None
    for stage in built_stages(facts, target):
        facts.charge(1 + len(stage.instructions))
        for instruction in stage.instructions:
            mounts = facts.mounts(instruction)
            secret = [one for one in mounts if one.type == "secret" and _is_one(one, ids)]
            if secret:
                facts.charge((instruction.span.end - instruction.span.start) // PARSED)
            if secret and _may_keep(facts, instruction, mounts, secret):
                return neighbour.at(instruction.span.start)
    return None


def built_stages(facts: Facts, target: str | None) -> Sequence[Stage]:
    """The stages that are built for a target, in their order."""
    if not facts.stages or target is None:
        return facts.stages
    name = target.lower()
    goal = next((one for one in facts.stages if name in (one.name, str(one.index))), None)
    if name and goal is None:
        return facts.stages
    found = {(goal or facts.stages[-1]).index: goal or facts.stages[-1]}
    waiting = list(found.values())
    while waiting:
        at = waiting.pop()
        facts.charge(1 + len(at.instructions))
        if _takes_any(facts, at):
            return facts.stages
        for one in (*([at.base] if isinstance(at.base, Stage) else ()), *sources_of(facts, at)):
            if one.index not in found:
                found[one.index] = one
                waiting.append(one)
    return [found[index] for index in sorted(found)]


def _takes_any(facts: Facts, stage: Stage) -> bool:
    """Whether a stage starts from, or takes from, one that a variable chooses, which a build may set. The names of
    stages have neither colons nor slashes."""
    image = stage.from_.image.text
    if "$" in image and not re.search(r"[/:]", _VARIABLE.sub("", image)):
        return True
    for outer in stage.instructions:
        inner = outer.inner if isinstance(outer, Onbuild) else outer
        if isinstance(inner, Copy) and isinstance(facts.copied_from(inner), Unknown):
            return True
        if any(isinstance(one.stage, Unknown) for one in facts.mounts(inner)):
            return True
    return False


def _is_one(mount: Mount, ids: frozenset[str] | None) -> bool:
    if ids is None or (mount.id is not None and not isinstance(mount.id, Known)):
        return True
    if mount.id is not None:
        return mount.id.value in ids
    return not isinstance(mount.target, Known) or posixpath.basename(mount.target.value) in ids


def _may_keep(facts: Facts, instruction: Instruction, mounts: Sequence[Mount], secrets: Sequence[Mount]) -> bool:
    state = facts.state(instruction)
    run = instruction.inner if isinstance(instruction, Onbuild) else instruction
    if any(one.problem is not None for one in mounts) or not isinstance(run, Run):
        return True
    if any(one.target is not None and not isinstance(one.target, Known) for one in mounts):
        return True
    files = frozenset(one.target.value for one in secrets if isinstance(one.target, Known))
    home, directory = state.user.home, state.workdir
    layer = Layer(
        directory.value if isinstance(directory, Known) else SOMEWHERE,
        home.value if isinstance(home, Known) else SOMEWHERE,
        files,
        frozenset(one.target.value for one in mounts if isinstance(one.target, Known)),
    )
    names = frozenset(one.env for one in secrets if one.env is not None)
    around = Around(names=names, layer=layer)
    if isinstance(run.form, ExecForm):
        text = shlex.join(run.form.values)
        return bool(kept_by(parse_shell(Cooked(text, [(0, len(text))])), text, around).targets)
    script = facts.script(instruction)
    return script is None or bool(kept_by(script, facts.file.text, around).targets)
