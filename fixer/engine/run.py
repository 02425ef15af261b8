"""`fix`: the codemods on one text, one at a time, each on a freshly parsed text, until nothing changes any more.

- All changes that a codemod yields for a text are done together, except those whose edits overlap or touch an earlier
  one's: they wait until the codemod has seen the new text.
- Every produced text is checked (`fixer.engine.check`). A codemod that raises, whose result fails a check, or that does
  not come to rest is left out of this text altogether, and the outcome is what the other codemods make of it, with a
  refusal `internal-error` that says what to report.
- Two runs give what one gives: the last pass over all codemods changed nothing.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import takewhile
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple

from fixer._version import __version__
from fixer.analysis import NO_IMAGES, Facts, Images, Targets, TooMuchWorkError, analyse
from fixer.analysis.context import NO_CONTEXT, BuildContext, all_context_sources
from fixer.analysis.documents import DocumentFacts, Neighbour
from fixer.analysis.scripts import Scripts
from fixer.codemods import registry
from fixer.codemods.api import Builder, Change, Codemod, Refusal, Safety, Settings
from fixer.engine.check import Parsed, find_fault
from fixer.engine.documents import Document, PlainDocument, reader_of
from fixer.engine.generated import says_generated
from fixer.engine.kinds import DOCKERFILE, WORKFLOW, kind_of
from fixer.engine.outcome import ENGINE, AppliedChange, Outcome, PlacedRefusal, Problem
from fixer.engine.suppress import MARK, Suppressions, read_suppressions
from fixer.engine.template import template_problem
from fixer.engine.trail import Step, Trail
from fixer.text.edits import Edit, apply_edits, by_place, conflicts, overlap
from fixer.text.records import dataclass
from fixer.text.source import UNDECODABLE, LineIndex, Span, decode
from fixer.tree.nodes import Comment, Dockerfile, Instruction, Opaque, Source

if TYPE_CHECKING:
    from fixer.analysis.workflow import Workflow

PASSES = 10
"""How often all codemods may be gone through. Real files need two or three."""
ROUNDS = 10
"""How often one codemod may be asked again at once because changes of it waited for each other."""


class Stays(NamedTuple):
    """Why a file must stay as it is. reason: of the refusals, one of `REASONS`. because: for people, in a sentence."""

    reason: str
    because: str


def fix(
    source: Source,
    *,
    path: str | PurePath | None = None,
    select: Collection[str] | None = None,
    ignore: Collection[str] = (),
    unsafe_fixes: bool = False,
    project: str | None = None,
    builder: Builder | None = None,
    context: BuildContext = NO_CONTEXT,
    targets: Callable[[], Targets] | None = None,
    kind: str | None = None,
    dockerfiles: Sequence[Neighbour] = (),
    place: str = "",
    workflows: Sequence[tuple[str, Workflow]] | None = None,
    reader: Callable[[str], DocumentFacts] | None = None,
    stays: Stays | None = None,
    codemods: Sequence[Codemod] | None = None,
    images: Mapping[str, str] | Images = NO_IMAGES,
) -> Outcome[Source]:
    """What the codemods make of `source`, the content of one Dockerfile, or of another kind of document.

    path: the file's name, for reports; nothing is read or written.
    select, ignore: ids of codemods to run (None: all) and not to run. Raises ValueError for an id that does not exist.
    unsafe_fixes: also make the changes that may alter the image or rest on the builder.
    project: names project-scoped cache mounts (`Settings.project`).
    builder: what keeps the caches of builds; decides which codemods run where `select` does not. None: nothing keeps
        those of a workflow's builds, and the builder those of others.
    context: the build context, if it is at hand.
    targets: finds what the files around name as targets; asked where a stage is nobody's image by the text alone.
    kind: of document, one of `fixer.engine.kinds`; by default what `path` says.
    dockerfiles: for another document: the Dockerfiles around it.
    place, workflows: for a workflow: where it is in its repository, and the others (`Settings.workflows`).
    reader: for another document: what makes the facts of a text; by default `documents.reader_of` says it.
    stays: why the file must stay as it is; what would be changed is refused.
    codemods: codemods to run, in this order, instead of the registered ones.
    images: what your own base images are made from, and what is mirrored where (`fixer.analysis.Images`). Raises
        UnknownImageError, a ValueError, for what cannot be followed.

    Never raises on content: trouble is in the outcome.
    """
    text = decode(source) if isinstance(source, bytes) else source
    binary = isinstance(source, bytes)
    images = images if isinstance(images, Images) else Images(images)
    shown = None if path is None else str(path)
    kind = kind if kind is not None else kind_of(path)
    if builder is None:
        builder = Builder.EPHEMERAL if kind == WORKFLOW else Builder.PERSISTENT
    chosen = choose(select, ignore, codemods, builder=builder, kind=kind)
    bare: Outcome[Source] = Outcome(shown, text, text, binary)
    joined = _joined(text) if kind == DOCKERFILE else text
    if MARK not in text and not any(_may_change(codemod, joined) for codemod in chosen):
        return bare
    known = {codemod.id for codemod in chosen}.union(registry.ids())
    try:
        first = _read(kind, text, known, targets, reader, images)
        skipped, problem = first.suppressions.skip_file, first.problem
    except Exception as error:  # a bug of the parser on this input must not stop the other files
        return _failed(bare, error)
    if skipped:
        return Outcome(shown, text, text, binary, skipped=True)
    if problem is not None:
        return Outcome(shown, text, text, binary, error=problem)
    if kind == DOCKERFILE:
        context.expect(lambda: all_context_sources(first.facts))
    place = place or (PurePath(path).name if path is not None else "")
    settings = Settings(project, builder, context, dockerfiles, place, workflows)
    return _run_all(kind, first, chosen, known, settings, unsafe_fixes, stays, bare)


def choose(
    select: Collection[str] | None,
    ignore: Collection[str] = (),
    codemods: Sequence[Codemod] | None = None,
    *,
    builder: Builder,
    kind: str,
) -> tuple[Codemod, ...]:
    """The codemods to run on such a document, in order: those selected, or those that are for such a builder; one id
    may stand for a collection of one. Raises ValueError for an id that does not exist."""
    selected = (select,) if isinstance(select, str) else None if select is None else tuple(select)
    ignored = (ignore,) if isinstance(ignore, str) else tuple(ignore)
    if codemods is None:
        return _choose(registry.ORDER, selected, ignored, builder, kind)
    wanted = _wanted([c.id for c in codemods], selected, ignored)
    found = [c for c in codemods if c.id in wanted and c.document == kind]
    return tuple(c for c in found if select is not None or builder in c.builders)


@lru_cache(maxsize=64)
def _choose(
    order: tuple[registry.Entry, ...],
    select: tuple[str, ...] | None,
    ignore: tuple[str, ...],
    builder: Builder,
    kind: str,
) -> tuple[Codemod, ...]:
    """The same for all files with the same options."""
    wanted = _wanted([entry.id for entry in order], select, ignore)
    found = [registry.late(entry.id) for entry in order if entry.id in wanted and entry.document == kind]
    return tuple(c for c in found if select is not None or builder in c.builders)


def _wanted(ids: Sequence[str], select: Collection[str] | None, ignore: Collection[str]) -> list[str]:
    for id in (*(select or ()), *ignore):
        if id not in ids:
            raise ValueError(f"there is no codemod {id!r}")
    return [id for id in ids if (select is None or id in select) and id not in ignore]


def _joined(text: str) -> str:
    """The text in which codemods' words are looked for: without continuations, which may cut a word in two."""
    return text.replace("\r", "").replace("\\\n", "").replace("`\n", "")


def _may_change(codemod: Codemod, joined: str) -> bool:
    """False if none of the codemod's words is in the text."""
    for word in codemod.words:
        if word in joined:
            return True
    return not codemod.words


def _whole_file_problem(file: Dockerfile[str]) -> Problem | None:
    """Where one instruction is not understood nothing is certain about the others: BuildKit would refuse the file."""
    template = template_problem(file)
    if template is not None:
        return template
    for item in file.items:
        if isinstance(item, Opaque):
            from fixer.tree.parse import REASONS

            message = f"{REASONS.get(item.reason, item.reason)}; BuildKit would refuse the file, and it is left alone."
            return Problem("not-understood", message, file.position(item))
    return None


def _failed(bare: Outcome[Source], error: Exception) -> Outcome[Source]:
    problem = Problem("internal-error", f"{_describe(error)}. {_please_report()}")
    return Outcome(bare.path, bare.text_before, bare.text_before, bare.binary, error=problem)


def _read(
    kind: str,
    text: str,
    known: Collection[str],
    targets: Callable[[], Targets] | None = None,
    reader: Callable[[str], DocumentFacts] | None = None,
    images: Images = NO_IMAGES,
) -> Document:
    if kind != DOCKERFILE:
        return PlainDocument(text, known, reader or reader_of(kind))
    from fixer.tree.parse import parse  # the parser is imported only when there is something to parse

    return _Text(parse(text), known, Scripts(), targets, images)


class _Text:
    """The text of a Dockerfile, parsed; facts are computed when somebody asks."""

    __slots__ = (
        "_facts", "_generated", "_images", "_joined", "_known", "_scripts", "_targets", "file", "suppressions", "text",
    )  # fmt: skip

    def __init__(
        self,
        file: Dockerfile[str],
        known: Collection[str],
        scripts: Scripts,
        targets: Callable[[], Targets] | None,
        images: Images,
    ) -> None:
        self.text = file.text
        self.file = file
        self.suppressions: Suppressions = read_suppressions(self.file, known)
        self._facts: Facts | None = None
        self._generated: tuple[Span | None] | None = None
        self._joined: str | None = None
        self._known = known
        self._scripts = scripts
        self._targets = targets
        self._images = images

    def edited(self, text: str, step: Step) -> _Text:
        from fixer.tree.parse import reparse

        file = reparse(self.file, text, step.edits)
        return _Text(file, self._known, self._scripts, self._targets, self._images)

    @property
    def joined(self) -> str:
        if self._joined is None:
            self._joined = _joined(self.text)
        return self._joined

    @property
    def facts(self) -> Facts:
        if self._facts is None:
            self._facts = analyse(self.file, self._scripts, targets=self._targets, images=self._images)
        return self._facts

    def rest(self) -> None:
        """Nobody asks for facts now; if somebody does later, they are computed again."""
        if self._facts is not None:
            self._facts.close()
            self._facts = None

    @property
    def lines(self) -> LineIndex:
        return self.file.lines

    @property
    def generated(self) -> Span | None:
        if self._generated is None:
            top = takewhile(lambda item: not isinstance(item, Instruction | Opaque), self.file.items)
            comments = ((item.text.text, item.text.span) for item in top if isinstance(item, Comment))
            self._generated = (says_generated(comments),)
        return self._generated[0]

    @property
    def problem(self) -> Problem | None:
        return _whole_file_problem(self.file)

    @property
    def parsed(self) -> Parsed:
        return Parsed(self.file, lambda instruction: self.facts.script(instruction))

    def fault(self, old: _Text, changes: Sequence[Change], step: Step) -> str | None:
        return find_fault(old.parsed, self.parsed, changes, step)


class _Trouble(Exception):
    """Codemods that must be left out of this text, and why."""

    def __init__(self, codemods: Collection[str], message: str, reason: str = "internal-error") -> None:
        super().__init__(message)
        self.codemods = codemods
        self.reason = reason
        self.because = f"{message}. {_please_report()}" if reason == "internal-error" else f"{message}."

    @property
    def refusals(self) -> list[Refusal]:
        return [Refusal(id, self.reason, Span(0, 0), self.because) for id in self.codemods]


@dataclass(frozen=True, slots=True)
class _Found:
    """What one codemod said about one text."""

    text: Document
    changes: tuple[Change, ...]
    withheld: tuple[Change, ...]
    refusals: tuple[Refusal, ...]
    suppressed: int


def _run_all(
    kind: str,
    first: Document,
    chosen: Sequence[Codemod],
    known: Collection[str],
    settings: Settings,
    unsafe_fixes: bool,
    stays: Stays | None,
    bare: Outcome[Source],
) -> Outcome[Source]:
    """Without the codemods that make trouble. One that has changed nothing so far is left out from there on; else all
    begins again without it. Each restart leaves out at least one, so this ends."""
    troubles: list[Refusal] = []
    while True:
        attempt = _Attempt(kind, first, chosen, known, settings, unsafe_fixes, stays)
        try:
            attempt.run(troubles)
            return attempt.outcome(bare, troubles)
        except _Trouble as trouble:
            troubles.extend(trouble.refusals)
            left_out = {refusal.codemod for refusal in troubles}
            chosen = [codemod for codemod in chosen if codemod.id not in left_out]
        except Exception as error:  # what is left is the engine's own fault; the file stays as it is
            return _failed(bare, error)
        finally:
            attempt.rest()


class _Attempt:
    """One try to bring a text to rest."""

    def __init__(
        self,
        kind: str,
        first: Document,
        chosen: Sequence[Codemod],
        known: Collection[str],
        settings: Settings,
        unsafe_fixes: bool,
        stays: Stays | None,
    ) -> None:
        self._kind = kind
        self._first = first
        self._now = first
        self._chosen = chosen
        self._known = known
        self._settings = settings
        self._unsafe_fixes = unsafe_fixes
        self._stays = stays
        self._trail = Trail()
        self._made: list[tuple[Change, int]] = []
        self._latest: dict[str, _Found] = {}
        self._seen: dict[str, int] = {first.text: 0}
        self._history: list[str] = []

    def run(self, troubles: list[Refusal]) -> None:
        """Raises _Trouble if a codemod must be left out that has changed something; `troubles` gets those of others."""
        for _ in range(PASSES):
            steps = len(self._history)
            for codemod in tuple(self._chosen):
                try:
                    self._settle(codemod)
                except _Trouble as trouble:
                    if not set(trouble.codemods).isdisjoint(self._history):
                        raise
                    troubles.extend(trouble.refusals)
                    self._chosen = [each for each in self._chosen if each is not codemod]
            if len(self._history) == steps:
                return
        self._runaway(steps)

    def rest(self) -> None:
        """No more questions."""
        self._now.rest()

    def _settle(self, codemod: Codemod) -> None:
        """One codemod, asked again at once as long as changes of it wait for each other."""
        for _ in range(ROUNDS):
            found = self._ask(codemod)
            accepted = _compatible(found.changes)
            if not accepted:
                return
            self._apply(codemod, accepted)
            if len(accepted) == len(found.changes):
                return

    def _ask(self, codemod: Codemod) -> _Found:
        known = self._latest.get(codemod.id)
        if known is not None and known.text is self._now:
            return known
        found = self._latest[codemod.id] = self._sort(codemod, self._listen(codemod))
        return found

    def _listen(self, codemod: Codemod) -> list[Change | Refusal]:
        if not _may_change(codemod, self._now.joined):
            return []
        facts = self._now.facts
        facts.work = 0
        try:
            return list(codemod.run(facts, self._settings))
        except TooMuchWorkError:
            because = "it would take too long to look at all that this file holds, once for each question about it"
            raise _Trouble([codemod.id], because, "too-much-work") from None
        except Exception as error:  # the other codemods and the other files go on
            raise _Trouble([codemod.id], _describe(error)) from error

    def _sort(self, codemod: Codemod, said: Iterable[Change | Refusal]) -> _Found:
        changes: list[Change] = []
        withheld: list[Change] = []
        refusals: list[Refusal] = []
        suppressed = 0
        for one in said:
            self._hold_to_contract(codemod, one)
            if self._now.suppressions.cover(codemod.id, one.span.start):
                suppressed += 1
            elif isinstance(one, Refusal):
                refusals.append(one)
            elif (refusal := self._obstacle(one)) is not None:
                refusals.append(refusal)
            elif one.safety is Safety.UNSAFE and not self._unsafe_fixes:
                withheld.append(one)
            else:
                changes.append(one)
        return _Found(self._now, tuple(changes), tuple(withheld), tuple(refusals), suppressed)

    def _hold_to_contract(self, codemod: Codemod, one: Change | Refusal) -> None:
        if one.codemod != codemod.id:
            raise _Trouble([codemod.id], f"it speaks in the name of {one.codemod!r}")
        if isinstance(one, Refusal) and one.reason not in codemod.reasons:
            raise _Trouble([codemod.id], f"its reason {one.reason!r} is not declared")
        spans = [one.span, *(Span(e.start, e.end) for e in one.edits)] if isinstance(one, Change) else [one.span]
        if not all(0 <= span.start <= span.end <= len(self._now.text) for span in spans):
            raise _Trouble([codemod.id], "it names a place outside the text")

    def _obstacle(self, change: Change) -> Refusal | None:
        """Why a change cannot be made although its codemod would."""
        stays = self._stays or self._says_generated()
        if stays is not None:
            return Refusal(change.codemod, stays.reason, change.span, f"{change.title}: {stays.because}.")
        ignored = self._now.suppressions.in_the_way(change)
        if ignored is not None:
            line = self._now.lines.position(ignored.start).line
            because = f"{change.title}: it would edit line {line}, which a `dockfix: ignore` comment protects."
            return Refusal(change.codemod, "suppressed", change.span, because)
        if not self._keeps_bytes(change):
            because = f"{change.title}: bytes that are not UTF-8 would go, or stand elsewhere."
            return Refusal(change.codemod, "not-utf-8", change.span, because)
        if overlap(change.edits):
            because = f"{change.title}: its own edits overlap, so that it cannot be done."
            return Refusal(change.codemod, "conflict", change.span, because)
        return None

    def _says_generated(self) -> Stays | None:
        found = self._now.generated
        if found is None:
            return None
        line = self._now.lines.position(found.start).line
        return Stays("generated", f"line {line} says that a program writes this file: change what it is made from")

    def _keeps_bytes(self, change: Change) -> bool:
        """Whether all bytes that are not UTF-8 stay where they are."""
        text, found = self._now.text, UNDECODABLE.findall
        return text.isascii() or all(found(text[edit.start : edit.end]) == found(edit.new) for edit in change.edits)

    def _apply(self, codemod: Codemod, changes: Sequence[Change]) -> None:
        step = Step(edit for change in changes for edit in change.edits)
        text = apply_edits(self._now.text, step.edits)
        self._history.append(codemod.id)
        if text in self._seen:
            self._runaway(self._seen[text])
        try:
            new = self._now.edited(text, step)
            fault = new.fault(self._now, changes, step)
        except Exception as error:  # only this codemod's text has shown it
            raise _Trouble([codemod.id], f"its result cannot be checked: {_describe(error)}") from error
        if fault is not None:
            raise _Trouble([codemod.id], f"its result failed a check: {fault}")
        self._made.extend((change, len(self._trail.steps)) for change in changes)
        self._trail.steps.append(step)
        self._now.rest()
        self._now = new
        self._seen[text] = len(self._history)

    def _runaway(self, since: int) -> None:
        """All that changed something since step `since` share the blame."""
        culprits = list(dict.fromkeys(self._history[since:]))
        others = " and ".join(culprits)
        raise _Trouble(culprits, f"it does not come to rest (changed again and again by {others})")

    def outcome(self, bare: Outcome[Source], troubles: Iterable[Refusal]) -> Outcome[Source]:
        """The result, after `run`."""
        last = len(self._trail.steps)
        before, after = self._first.lines, self._now.lines
        found = [self._latest[codemod.id] for codemod in self._chosen]
        withheld = [change for one in found for change in one.withheld]
        refusals: list[Refusal] = [*troubles, *self._now.suppressions.warnings]
        for one in found:
            refusals.extend(one.refusals)
        placed = [self._place_refusal(r, last, before, after) for r in dict.fromkeys(refusals)]
        return Outcome(
            bare.path,
            self._first.text,
            self._now.text,
            bare.binary,
            changes=tuple(self._place_change(c, step, before, after) for c, step in self._made),
            withheld=tuple(self._place_change(c, last, before, after) for c in sorted(withheld, key=_start)),
            refusals=tuple(sorted(placed, key=lambda r: r.position_after)),
            suppressed=sum(one.suppressed for one in found),
        )

    def _place_change(self, change: Change, step: int, before: LineIndex, after: LineIndex) -> AppliedChange:
        return AppliedChange(
            change.codemod,
            change.title,
            change.why,
            change.safety,
            change.risk,
            before.position(self._trail.back(change.span.start, step)),
            after.position(self._trail.forward(change.span.start, step)),
            step,
            tuple(sorted(change.edits, key=by_place)),
            change.alters,
        )

    def _place_refusal(self, refusal: Refusal, last: int, before: LineIndex, after: LineIndex) -> PlacedRefusal:
        start, end = refusal.span
        return PlacedRefusal(
            refusal.codemod,
            refusal.reason,
            refusal.because,
            self._now.text[start:end],
            before.position(self._trail.back(start, last)),
            after.position(start),
        )


def _compatible(changes: Sequence[Change]) -> list[Change]:
    """The changes that can be made together, the earlier one winning; the others wait for the next round."""
    accepted: list[Change] = []
    taken: list[Edit] = []
    for change in sorted(changes, key=_start):
        if any(_is_taken(edit, taken) for edit in change.edits):
            continue
        accepted.append(change)
        for edit in change.edits:
            insort(taken, edit, key=by_place)
    return accepted


def _is_taken(edit: Edit, taken: Sequence[Edit]) -> bool:
    """True if the edit overlaps or touches one of `taken`, which are in order; only its neighbours can."""
    i = bisect_left(taken, by_place(edit), key=by_place)
    return any(conflicts(edit, other) for other in taken[max(i - 2, 0) : i + 2])


def _start(change: Change) -> int:
    return min(edit.start for edit in change.edits)


def _describe(error: Exception) -> str:
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}: {error}{where}"


def _please_report() -> str:
    return f"This is a bug in {ENGINE} {__version__}: please report it, with this file"
