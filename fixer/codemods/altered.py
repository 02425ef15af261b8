"""Where images may differ because of a change (`Alters`): the paths that a codemod names, and where COPY takes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from posixpath import basename

from fixer.analysis import Facts, Known, Reader, Stage, below, clean
from fixer.analysis.transfers import DIRECTORIES, destination_text, file_at
from fixer.codemods.api import Alters
from fixer.tree.nodes import Cmd, Copy, Entrypoint, Env, Healthcheck, Onbuild


def alters(facts: Facts, places: Iterable[tuple[Stage, str]], config: Iterable[str] = ()) -> Alters:
    """For a change by which `places` differ: a stage, and an absolute path in it. With them go the places in other
    stages to which COPY --from carries them. config: as in `Alters`."""
    todo = list(dict.fromkeys((stage.index, clean(path)) for stage, path in places))
    known = set(todo)
    for index, path in todo:
        for taker in facts.takers(facts.stages[index], path):
            carried = _carried(facts, taker, path)
            if carried is not None and (taker.stage.index, carried) not in known:
                known.add((taker.stage.index, carried))
                todo.append((taker.stage.index, carried))
    paths = dict.fromkeys(path for _, path in todo if path not in DIRECTORIES)
    top = _highest(paths)
    return Alters(tuple(path for path in paths if path in top), tuple(dict.fromkeys(config)))


def _highest(paths: Iterable[str]) -> set[str]:
    """Those that are not below another one."""
    found: list[str] = []
    for path in sorted(paths, key=lambda path: path.rstrip("/").split("/")):
        if not found or not below(path, found[-1]):
            found.append(path)
    return set(found)


def _carried(facts: Facts, taker: Reader, path: str) -> str | None:
    """Where a COPY --from that takes `path`, or a directory that holds it, puts it; None if that cannot be told."""
    copy = taker.instruction
    if not isinstance(copy, Copy) or not isinstance(taker.path, Known) or taker.relation not in ("same", "above"):
        return None
    written = [effect.path for effect in facts.effects(copy) if effect.mode == "write"]
    if not written or not isinstance(written[0], Known):
        return None
    target = written[0].value
    if any(flag.name == "parents" for flag in copy.flags):
        return clean(f"{target}/{path}")
    if taker.relation == "same":
        return file_at(facts, copy, taker.stage, basename(path), target, destination_text(copy))
    return clean(f"{target}/{path[len(taker.path.value) :]}")


def put_by(facts: Facts, reader: Reader, name: str) -> Iterator[tuple[Stage, str]]:
    """Where the reader of a file of that name puts it, or a link to it: targets of COPY, `cp`, `ln` and redirections.
    Without a name: of the content of a directory, if that is a directory of its own."""
    instruction = reader.instruction
    if isinstance(instruction, Copy):
        effects, text = facts.effects(instruction), destination_text(instruction)
    elif reader.call is not None and reader.kind in ("run", "mount", "symlink"):
        effects, text = tuple(facts.call_effects(reader.call)), None
    else:
        return
    for effect in effects:
        if effect.mode == "write" and isinstance(effect.path, Known) and not effect.implicit:
            written = facts.file.text[effect.span.start : effect.span.end].strip("\"'") if text is None else text
            path = file_at(facts, instruction, reader.stage, name, effect.path.value, written)
            if name or path.count("/") > 1:
                yield reader.stage, path


def settings_of(readers: Iterable[Reader]) -> Iterator[str]:
    """The fields of the configuration in which readers stand, so that they change if these are re-pointed."""
    for reader in readers:
        instruction = reader.instruction
        if isinstance(instruction, Cmd):
            yield "Cmd"
        elif isinstance(instruction, Entrypoint):
            yield "Entrypoint"
        elif isinstance(instruction, Healthcheck):
            yield "Healthcheck"
        elif isinstance(instruction, Onbuild):
            yield "OnBuild"
        elif isinstance(instruction, Env):
            for pair in instruction.pairs:
                if pair.span.start <= reader.span.start < pair.span.end:
                    yield f"Env {pair.key.value}"
