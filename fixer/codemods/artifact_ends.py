"""Whether a later step, without the mount, puts something at a path that an earlier one has written in its cache."""

from __future__ import annotations

from collections.abc import Iterator
from posixpath import basename

from fixer.analysis import Call, Facts, Known, Reader, Stage, Unknown, hiding_mount
from fixer.analysis.paths import Writer
from fixer.analysis.programs import only_files
from fixer.analysis.tools.cargo import Written
from fixer.analysis.tools.compilers import output_of
from fixer.analysis.transfers import Lands, lands
from fixer.codemods.artifact_readers import is_unknown, surely_read
from fixer.codemods.artifacts import cargo_calls
from fixer.text.source import Span
from fixer.tree.nodes import Copy, Instruction, Run, Transfer


def sees(facts: Facts, stage: Stage, reader: Reader) -> Iterator[Stage]:
    """The stages in whose layers the reader looks for what `stage` should have: that stage, or ones that start from
    it."""
    found: list[object] = [reader.stage]
    if reader.kind == "copy" and isinstance(reader.instruction, Copy):
        found = [facts.copied_from(reader.instruction)]
    elif reader.kind == "mount":
        mounts = [mount for mount in facts.mounts(reader.instruction) if isinstance(mount.stage, Stage)]
        found = [m.stage for m in mounts if m.flag.word is reader.site] or [m.stage for m in mounts]
    for each in found:
        if isinstance(each, Stage) and stage in each.lineage:
            yield each


def enters(reader: Reader) -> bool:
    """It changes into the directory that it names."""
    return reader.call is not None and reader.call.program in ("cd", "pushd")


def put_later(facts: Facts, stage: Stage, run: Run, reader: Reader, path: str) -> tuple[Written, Span | None]:
    """Whether the reader finds at `path` what somebody put into the layers after `run`; and the text of one who may
    have done so, if it is not sure."""
    perhaps: Span | None = None
    for each in sees(facts, stage, reader):
        for how, span in _later(facts, each, stage, run, reader, path):
            if how is Written.YES:
                return Written.YES, None
            perhaps = perhaps or (span if how is Written.MAYBE else None)
    return (Written.MAYBE if perhaps is not None else Written.NO), perhaps


def _later(
    facts: Facts, seen: Stage, stage: Stage, run: Run, reader: Reader, path: str
) -> Iterator[tuple[Written, Span]]:
    own = reader.instruction if _reads_now(reader) else None
    wants_directory = enters(reader)
    for writer in facts.writers(seen, path, None, run):
        if writer.mode == "write" and _between(writer, reader):
            yield _puts(facts, writer, path, own, wants_directory), writer.span
    for each in facts.passing(seen.lineage[seen.lineage.index(stage) :]):
        for instruction in each.instructions:
            if not isinstance(instruction, Run) or instruction.keyword.start <= run.keyword.start:
                continue
            if own is not None and instruction.keyword.start > own.keyword.start:
                break
            if hiding_mount(facts.mounts(instruction), path) is None and facts.may_name(instruction, ("cargo",)):
                yield from _cargo(facts, instruction, reader, path)


def _cargo(facts: Facts, run: Run, reader: Reader, path: str) -> Iterator[tuple[Written, Span]]:
    for call, cargo in cargo_calls(facts, run):
        written = cargo.provides(path)
        if written is not Written.NO and not _not_yet(call, run, reader):
            yield Written.MAYBE if _under_condition(call) else written, Span(*call.span)


def _between(writer: Writer, reader: Reader) -> bool:
    """It writes before the reader reads, and into the layer."""
    instruction = writer.instruction
    if writer.through_mount is not None:
        return False
    if _reads_now(reader):
        if instruction.keyword.start > reader.instruction.keyword.start:
            return False
        if writer.call is not None and _not_yet(writer.call, instruction, reader):
            return False
    return True


def _reads_now(reader: Reader) -> bool:
    """A step that reads when it is run; a link is followed later."""
    return reader.kind == "run" and (reader.call is None or reader.call.program != "ln")


def _not_yet(call: Call, instruction: Instruction, reader: Reader) -> bool:
    """The command stands in the reader's own step, and not before it."""
    own = instruction is reader.instruction and reader.call is not None
    return own and reader.call is not None and call.span[0] >= reader.call.span[0]


def _under_condition(call: Call) -> bool:
    return call.conditional or call.loop or call.background or call.in_substitution or call.function is not None


def _puts(facts: Facts, writer: Writer, path: str, own: Instruction | None, wants_directory: bool) -> Written:
    """Whether the path holds afterwards what this writer has put there."""
    call = writer.call
    if isinstance(writer.instruction, Run) and hiding_mount(facts.mounts(writer.instruction), path) is not None:
        return Written.NO
    if not writer.content:
        makes = call is not None and writer.relation == "same" and call.program in ("touch", "mkdir")
        made = makes and ((call is not None and call.program == "touch") or writer.instruction is own)
        return Written.YES if made and call is not None and not _under_condition(call) else Written.NO
    if isinstance(writer.instruction, Transfer):
        if writer.relation == "above":
            return _LANDS[lands(facts, writer.instruction, path, "", _NOWHERE)]
        return Written.YES if writer.relation == "same" else Written.MAYBE
    if call is None:
        return Written.MAYBE
    how = _written_by(facts, writer, call, path)
    return Written.MAYBE if how is Written.YES and _under_condition(call) else how


_LANDS = {Lands.YES: Written.YES, Lands.MAYBE: Written.MAYBE, Lands.NO: Written.NO}
_NOWHERE = object()
"""No origin of a COPY: nothing is known of what it takes."""


def _written_by(facts: Facts, writer: Writer, call: Call, path: str) -> Written:
    effects = facts.call_effects(call)
    known = call.program is not None and only_files(call.program)
    if call.program == "cargo":
        return Written.NO  # asked for by itself
    if output_of(call.words, call.cwd) == Known(path):
        return Written.YES
    if surely_read(facts, call, writer.span):
        return Written.NO  # it changes what it finds, if anything: `strip`, `sed -i`
    if any(e.mode == "read" and e.path == Known(path) and surely_read(facts, call, e.span) for e in effects):
        return Written.NO  # it fails where nothing is
    if all(effect.implicit for effect in effects if effect.span == writer.span):
        return _unnamed(writer, call)
    if writer.relation == "above" and call.program in ("cp", "mv", "install"):
        return _into(facts, writer, call, path)
    redirected = any(Span(each.target.start, each.target.end) == writer.span for each in call.redirects)
    if writer.relation == "same" and (redirected or known):
        return Written.YES
    return Written.MAYBE


def _unnamed(writer: Writer, call: Call) -> Written:
    """A program that is not known, and works in a directory above the path, may build it once more. What it writes
    below the home is its own."""
    here = isinstance(call.cwd, Unknown) or writer.path == call.cwd
    return Written.MAYBE if here and is_unknown(call) and output_of(call.words, call.cwd) is None else Written.NO


def _into(facts: Facts, writer: Writer, call: Call, path: str) -> Written:
    """What `cp` and the like put into a directory keeps its name."""
    if not isinstance(writer.path, Known):
        return Written.MAYBE
    first, _, rest = path[len(writer.path.value.rstrip("/")) + 1 :].partition("/")
    found = Written.NO
    for effect in facts.call_effects(call):
        if effect.mode != "read" or effect.implicit:
            continue
        text = facts.file.text[effect.span.start : effect.span.end].strip("\"'")
        if isinstance(effect.path, Unknown) or text.endswith(("/", "/.", "/..")) or text in (".", ".."):
            return Written.MAYBE
        if basename(effect.path.value) == first:
            found = Written.MAYBE if rest else Written.YES
    return found
