"""Which files of a stage ADD has fetched from an address of the net, as long as nobody has changed them since.

Source: BuildKit v0.25, dockerfile2llb/convert.go (`dispatchCopy`): a destination that ends with a slash gets the last
part of the address's path as the file's name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from fixer.analysis.mounts import hiding_mount
from fixer.analysis.programs import NO_CONTENT
from fixer.analysis.stages import Stage
from fixer.analysis.transfers import destination, destination_text, file_at
from fixer.analysis.values import Known, below
from fixer.tree.nodes import Add, Run

if TYPE_CHECKING:
    from fixer.analysis.commands import Call
    from fixer.analysis.facts import Facts
    from fixer.analysis.paths import Effect


class Fetched:
    """The addresses that files come from."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self._stages: dict[int, dict[str, list[tuple[Add, str]]]] = {}
        """By the stage: its ADDs of an address, in order, by the path that the file gets."""

    def address(self, run: Run, calls: Sequence[Call], path: str) -> str | None:
        """The address, as it is written, from which the file at `path` comes that a RUN finds there, after those of its
        commands; None if it comes from elsewhere, or may have been changed."""
        facts = self.facts
        stage = facts.stage_of(run)
        if stage is None or not facts.mentions("://"):
            return None
        for each in reversed(stage.lineage):
            facts.charge(1)
            end = facts.index_of(run) if each is stage else len(each.instructions)
            for add, address in reversed(self._in(each).get(path, ())):
                facts.charge(1)
                if facts.index_of(add) < end:
                    same = hiding_mount(facts.mounts(run), path) is None and not self._changed(run, calls, path, add)
                    return address if same else None
        return None

    def _changed(self, run: Run, calls: Sequence[Call], path: str, add: Add) -> bool:
        """Whether what is at `path` may be another file, or have another content, than what `add` has put there."""
        facts = self.facts
        stage = facts.stage_of(run)
        for each in stage.lineage if stage is not None else ():
            for instruction in each.instructions:
                if instruction is run:
                    break
                if instruction.keyword.start > add.keyword.start:
                    facts.charge(1)
                    if any(_may_change(effect, path) for effect in facts.effects(instruction)):
                        return True
        facts.charge(len(calls))
        return any(_may_change(effect, path) for call in calls for effect in facts.call_effects(call))

    def _in(self, stage: Stage) -> Mapping[str, Sequence[tuple[Add, str]]]:
        if stage.index not in self._stages:
            put = self._stages[stage.index] = {}
            self.facts.charge(len(stage.instructions))
            for instruction in stage.instructions:
                if isinstance(instruction, Add):
                    for address, path in self._places(stage, instruction):
                        put.setdefault(path, []).append((instruction, address))
        return self._stages[stage.index]

    def _places(self, stage: Stage, add: Add) -> Iterator[tuple[str, str]]:
        words = [item.value for item in add.form.items[:-1]] if add.form is not None else [s.value for s in add.sources]
        addresses = [word.strip("\"'") for word in words if "://" in word]
        target = destination(self.facts, add) if addresses else None
        if not isinstance(target, Known):
            return
        text = destination_text(add)
        for address in addresses:
            name = address.partition("?")[0].rpartition("/")[2]
            if "$" not in name:
                yield address, file_at(self.facts, add, stage, name, target.value, text)


def _may_change(effect: Effect, path: str) -> bool:
    if effect.mode == "read" or (effect.call is not None and effect.call.program in NO_CONTENT):
        return False
    if isinstance(effect.path, Known):
        return effect.path.value == path or (effect.extent != "exact" and below(path, effect.path.value))
    return path.startswith(effect.start)
