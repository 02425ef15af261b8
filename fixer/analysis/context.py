"""The build context, as far as it is at hand: which files BuildKit would get, and what is in them.

Paths are relative to the context, with `/`, clean: `src/main.rs`; "" is the context itself. What .dockerignore leaves
out is not there. Nothing here reads a file: `fixer.engine.context` does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Literal

from fixer.analysis.facts import Facts
from fixer.analysis.stages import Stage, flag_value
from fixer.analysis.values import Known, Unknown, Value, clean
from fixer.text.records import dataclass
from fixer.text.regex import regex
from fixer.text.source import Span
from fixer.tree.nodes import Add, Copy, Instruction, JsonString, Leaf, Onbuild, Run, Transfer

Kind = Literal["file", "directory", "link", "other"]

_GLOB = regex(r"[*?\[\\]")
_REMOTE = regex(r"https?://|git@|git://|ssh://|[^/][^/@]*@[^/]+:", re.IGNORECASE)
"""What ADD fetches (instructions/parse.go and dockerfile2llb/convert.go, v0.25)."""


class BuildContext:
    """What a codemod may ask about the build context. This one is for texts whose context is not at hand: there is
    nothing in it, and nothing follows from that."""

    @property
    def at_hand(self) -> bool:
        """Whether anything is known. If not, the other answers mean nothing."""
        return False

    @property
    def sure(self) -> bool:
        """True if somebody named the context's directory; false if it was found by the files that COPY takes."""
        return False

    def expect(self, sources: Sources) -> None:
        """What the Dockerfile takes from its context; asked once, if at all. To be said before the first question."""

    def kind(self, path: str) -> Kind | None:
        """What stands at `path`, links not followed; None if nothing is there, or .dockerignore leaves it out."""
        return None

    def read(self, path: str) -> bytes | None:
        """The content of a regular file; None if there is none, or it is larger than `LARGEST`."""
        return None

    def names(self, directory: str = "") -> tuple[str, ...]:
        """What stands in a directory, in order, without what .dockerignore leaves out."""
        return ()

    def excluded(self, path: str) -> bool:
        """Whether .dockerignore leaves `path` out, whether it is there or not."""
        return False

    def kept(self, path: str) -> str | None:
        """A file at `path`, or below it, that .dockerignore does not leave out and Git is not told to ignore; None if
        there is none."""
        return None

    def text(self, path: str) -> str | None:
        """The content of a text file in UTF-8 (without a byte order mark); None if there is none."""
        data = self.read(path)
        try:
            return None if data is None else data.decode("utf-8-sig")
        except UnicodeDecodeError:
            return None

    def stored(self, path: str) -> str | None:
        """The same, also for a file that .dockerignore leaves out of what BuildKit gets."""
        return None

    def walk(self, directory: str = "") -> Iterator[str]:
        """Every path below a directory that is none itself, in order; links are not followed."""
        waiting = [directory]
        while waiting:
            here = waiting.pop()
            inner = []
            for name in self.names(here):
                path = f"{here}/{name}" if here else name
                if self.kind(path) == "directory":
                    inner.append(path)
                else:
                    yield path
            waiting.extend(reversed(inner))


Sources = Callable[[], Iterable["ContextSource"]]
NO_CONTEXT = BuildContext()
LARGEST = 8 << 20
"""Bytes of the largest file that is read."""


@dataclass(frozen=True, slots=True)
class ContextSource:
    """Something that an instruction takes from the build context.

    instruction: a COPY, an ADD or a RUN; also of a trigger.
    site: the node of the word; for a mount that of its flag.
    span: where it is written.
    path: relative to the context and clean, "" for the context itself; Unknown if it depends on something.
    pattern: whether it is a pattern (`*.txt`), which `path` then is.
    """

    instruction: Instruction
    site: Leaf | JsonString
    span: Span
    path: Value
    pattern: bool


def in_context(path: str) -> str:
    """A source as COPY or a mount writes it, as a path in the context: above the context there is nothing."""
    return clean("/" + path).lstrip("/")


def context_sources(facts: Facts, instruction: Instruction) -> tuple[ContextSource, ...]:
    """What the instruction takes from the build context, in the order of the text: sources of COPY and ADD (not those
    with --from, no here-documents, nothing that ADD fetches), and bind mounts of RUN."""
    if isinstance(instruction, Onbuild):
        instruction = instruction.inner
    stage = facts.stage_of(instruction)
    if stage is None:
        return ()
    if isinstance(instruction, Run):
        return tuple(
            ContextSource(instruction, mount.flag.word, mount.flag.word.span, _relative(mount.source), False)
            for mount in facts.mounts(instruction)
            if mount.type == "bind" and mount.from_ is None and mount.problem is None
        )
    if not isinstance(instruction, Copy | Add) or facts.copied_from(instruction) is not None:
        return ()
    return tuple(_copied(facts, instruction))


def named_sources(facts: Facts) -> tuple[tuple[str, ContextSource], ...]:
    """What COPY --from and mounts take from what is no stage, with the name of that: an image, or another context that
    a build has under this name."""
    found = []
    for stage in facts.stages:
        for outer in stage.instructions:
            instruction = outer.inner if isinstance(outer, Onbuild) else outer
            if isinstance(instruction, Run):
                for mount in facts.mounts(instruction):
                    if mount.type == "bind" and mount.from_ is not None and not isinstance(mount.stage, Stage):
                        word = mount.flag.word
                        one = ContextSource(instruction, word, word.span, _relative(mount.source), False)
                        found.append((mount.from_, one))
            elif isinstance(instruction, Copy):
                name = flag_value(instruction.flags, "from")
                if name is not None and not isinstance(facts.copied_from(instruction), Stage):
                    found += [(name, one) for one in _copied(facts, instruction)]
    return tuple(found)


def _copied(facts: Facts, instruction: Transfer) -> Iterator[ContextSource]:
    words: list[tuple[Leaf | JsonString, str, Span]]
    if instruction.form is not None:
        words = [(item, item.value, item.string.span) for item in instruction.form.items[:-1]]
    else:
        words = [(leaf, leaf.value, leaf.span) for leaf in instruction.sources if not leaf.text.startswith("<<")]
    state = facts.state(instruction)
    for site, text, span in words:
        value = state.expand(text)
        if isinstance(instruction, Add) and _REMOTE.match(value.value if isinstance(value, Known) else text):
            continue
        pattern = isinstance(value, Known) and _GLOB.search(value.value) is not None
        yield ContextSource(instruction, site, span, _relative(value), pattern)


def all_context_sources(facts: Facts) -> tuple[ContextSource, ...]:
    """Those of every instruction of the file; of a trigger, if a stage of the file runs it: in other builds it takes
    from their contexts."""
    return tuple(
        source
        for stage in facts.stages
        for instruction in stage.instructions
        if not isinstance(instruction, Onbuild) or stage.derived
        for source in context_sources(facts, instruction)
    )


def _relative(value: Value) -> Value:
    return value if isinstance(value, Unknown) else Known(in_context(value.value), value.args)
