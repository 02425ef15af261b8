"""The codemod apt-update-install."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar, NamedTuple

from fixer.analysis import Call, Facts, Known, Stage, hiding_mount
from fixer.analysis.commands import Arg
from fixer.analysis.programs import ONLY_LOOK
from fixer.analysis.tools import apt
from fixer.analysis.tools.apt import Kind
from fixer.analysis.unseen import Unseen
from fixer.codemods.altered import alters
from fixer.codemods.api import Change, Codemod, Refusal, Settings
from fixer.codemods.common import Stop
from fixer.text.edits import Edit
from fixer.text.records import dataclass, field
from fixer.text.source import Span
from fixer.tree.editor import insert_before, remove_instruction
from fixer.tree.nodes import Add, Copy, Onbuild, Run, Transfer
from fixer.tree.shell import OpaqueScript, Pipeline, Script

_SOURCES = "/etc/apt"
_UPDATED = (apt.LISTS, f"{apt.CACHE}/pkgcache.bin", f"{apt.CACHE}/srcpkgcache.bin")
"""What an update writes: a stage that has one more, or one less, has other lists, or lists of another age."""
_REPOSITORIES = frozenset(("add-apt-repository", "apt-add-repository", "extrepo"))
_READ = frozenset((*ONLY_LOOK, "cat", "head", "tail", "grep"))
"""Programs that change none of the files that they name."""


class AptUpdateInstall(Codemod):
    """Join `apt-get update` to the installs that rely on its lists.

    ## What it does

    An `apt-get update` in a RUN of its own goes to the front of every RUN that installs from its lists, in the same
    stage and in stages derived from it. A RUN that updates and does more keeps what it has; a later RUN that installs
    from its lists gets an update of its own.

    ```diff
    -RUN apt-get update
    -RUN apt-get install -y curl
    +RUN apt-get update && apt-get install -y curl
    ```

    ## Why

    A layer is cached for as long as its text stays the same. So the lists of an old `RUN apt-get update` meet a new
    install line, and the packages that the lists name are gone from the mirror ("Unable to locate package", or 404).
    With a cache mount over the lists it is worse: the layer may be cached while the mount is empty. A RUN that installs
    must fetch its lists itself.

    ## What changes in the image

    Nothing but the age of the lists: the packages are those that a build without cached layers installs.

    ## When it refuses

    Where something stands between the update and the install that decides what the lists are: another user, a change of
    the package sources, a script that nobody can read.

    Facts: `apt-get` 2.6; BuildKit v0.25 (layers of RUN are keyed by their text and what stands before them).
    """

    id = "apt-update-install"
    words = ("apt",)
    reasons: ClassVar = {
        "sources-change": "Between the update and the install the package sources change, or may change, so that an "
        "update in another place would find other packages.",
        "user-changes": "The update and the install run as different users.",
        "opaque-script": "A script that is not understood stands between the update and the install, or holds one.",
        "inner-script": "The install is in a script that the RUN feeds to another shell.",
        "exec-form": "The install is a RUN in exec form, which holds one command.",
    }

    def run(self, facts: Facts, settings: Settings) -> Iterator[Change | Refusal]:
        found: list[_Source] = []
        ends: dict[int, _Lists] = {}
        unseen = Unseen(facts, settings.context)
        for stage in facts.stages:
            below = ends[stage.base.index] if isinstance(stage.base, Stage) else _NO_LISTS
            ends[stage.index] = _follow(facts, stage, below, found, unseen)
        for source in found:
            if not source.needs:
                continue
            try:
                yield self._change(facts, source)
            except Stop as stop:
                yield Refusal(self.id, stop.reason, stop.span, stop.because)

    def _change(self, facts: Facts, source: _Source) -> Change:
        edits: list[Edit] = []
        for need in source.needs:
            if need.stop is not None:
                raise need.stop
            edits += _insertion(facts, need, source.update)
        altered = [*_UPDATED]
        about, title = source.needs[0].run, "update the lists in the RUN that installs from them"
        if apt.only_updates(_calls(facts, source.run)) and not source.read_otherwise:
            script = facts.script(source.run)
            script = script if isinstance(script, Script) else None
            edits.append(remove_instruction(facts.file, source.run, script, into=source.needs[0].run))
            if any(a.kind is Kind.CLEAN for a in apt.reads(_calls(facts, source.run))):
                altered.append(apt.CACHE)
            about, title = source.run, "join apt-get update to the install that needs it"
        whose = "the install reads" if len(source.needs) == 1 else "every install reads"
        why = (
            "the layer of the update may be older than the install, and its lists gone from a cache mount; now "
            f"{whose} lists that were fetched right before"
        )
        stages = [stage for run in (source.run, *(n.run for n in source.needs)) if (stage := facts.stage_of(run))]
        where = alters(facts, [(stage, path) for path in altered for stage in stages])
        return Change(self.id, title, why, about.span, tuple(edits), alters=where)


@dataclass(frozen=True, slots=True)
class _Need:
    """A RUN that installs from another RUN's lists, and what stands in the way of an update of its own."""

    run: Run
    call: Call
    stop: Stop | None


@dataclass(slots=True)
class _Source:
    """A RUN that leaves lists in its layer, and who needs them."""

    run: Run
    update: Call
    needs: list[_Need] = field(default_factory=list)
    read_otherwise: bool = False
    """Somebody else may read the lists, so the RUN must stay."""


class _Lists(NamedTuple):
    """The lists of a layer: where they come from, who fetched them, and what has come between that and now."""

    source: _Source | None
    user: str | None
    stop: Stop | None
    renewed: bool = False
    """An install has come since, whose own update surely leaves new ones in the layer: nobody reads those of the source
    any more."""

    def read(self) -> None:
        """Somebody reads them who gets no update of his own."""
        if self.source is not None and not self.renewed:
            self.source.read_otherwise = True


_NO_LISTS = _Lists(None, None, None)


def _follow(facts: Facts, stage: Stage, now: _Lists, found: list[_Source], unseen: Unseen) -> _Lists:
    """The lists at the end of `stage`, from those that its base left; new sources go to `found`."""
    for instruction in stage.instructions:
        if now.source is not None and isinstance(instruction, Onbuild):
            calls = facts.calls(instruction)
            if isinstance(calls, OpaqueScript) or any(a.kind is Kind.INSTALL for a in apt.reads(calls)):
                now.read()
        elif isinstance(instruction, Transfer) and _may_write_sources(facts, instruction):
            because = "this brings package sources that the update did not see"
            now = _stopped(now, "sources-change", instruction.span, because)
        elif isinstance(instruction, Run):
            now = _step(facts, instruction, now, found, unseen)
    return now


def _step(facts: Facts, run: Run, now: _Lists, found: list[_Source], unseen: Unseen) -> _Lists:
    if now.source is None and not facts.may_name(run, apt.NAMES):
        return now
    calls = facts.calls(run)
    if isinstance(calls, OpaqueScript):
        now.read()
        because = "this script is not understood, and it may change what an update would find"
        return _stopped(now, "opaque-script", Span(calls.start, calls.end), because)
    own = False
    inside: list[Call] = []
    """The installs that get an update of their own, and which it may be conditional with."""
    user = facts.state(run).user.name
    scripts = {id(call) for call in apt.scripts(facts, run)}
    for call in calls:
        apt_call = apt.read(call)
        kind = apt_call.kind if apt_call is not None else None
        if kind is Kind.UPDATE and not call.in_substitution:
            if not own:
                found.append(_Source(run, call))
                now = _Lists(found[-1], user, None)
            own, inside = True, []
        elif apt.deletes_lists(call):
            now, own = _NO_LISTS, False
        elif now.source is None or (own and not (kind is Kind.INSTALL and _misses(inside, call))):
            continue
        elif kind is Kind.INSTALL:
            stop = now.stop
            if stop is None and user != now.user:
                stop = Stop("user-changes", Span(*call.span), "the update ran as another user than this install")
            now.source.needs.append(_Need(run, call, stop))
            inside.append(call)
            # The RUN gets an update of its own, and what follows relies on that one.
            now, own = _Lists(now.source, user, None, now.renewed or _renews(facts, run, call)), True
        elif kind is Kind.QUERY:
            now.read()
        elif kind is Kind.UNKNOWN or id(call) in scripts or apt.may_be_about(unseen, run, call):
            now.read()
            because = "this may change the package sources, so that a later update would find other packages"
            now = _stopped(now, "sources-change", Span(*call.span), because)
        elif _names_sources(call):
            verb = "may change" if call.program == "dpkg" else "changes"
            because = f"this {verb} the package sources, so that a later update would find other packages"
            now = _stopped(now, "sources-change", Span(*call.span), because)
    return now


def _renews(facts: Facts, run: Run, install: Call) -> bool:
    """Whether the update that goes before an install surely runs, and leaves its lists in the layer."""
    sure = not install.conditional and not install.background
    return sure and hiding_mount(facts.mounts(run), apt.LISTS) is None


def _misses(given: Sequence[Call], install: Call) -> bool:
    """Whether none of the updates that are given to other installs of the RUN has surely run when this one runs."""
    return bool(given) and not any(
        not _in_branch(call)
        or call.script is install.script
        or (call.script is not None and call.script.start <= install.span[0] < call.script.end)
        for call in given
    )


def _in_branch(call: Call) -> bool:
    """Whether an update for this install goes into the branch that it stands in, so that it runs only with it."""
    return call.conditional and not call.loop and not call.in_substitution and call.script is not None


def _stopped(now: _Lists, reason: str, span: Span, because: str) -> _Lists:
    if now.source is None or now.stop is not None:
        return now
    return now._replace(stop=Stop(reason, span, because))


def _names_sources(call: Call) -> bool:
    if call.program in _REPOSITORIES:
        return True
    if call.program == "dpkg" and any(call.argument(i) in ("-i", "--install") for i in range(1, len(call.words))):
        return True
    operands = () if call.program in _READ else call.nodes[1:]
    words: tuple[Arg, ...] = (*operands, *(r.target for r in call.redirects if not r.op.startswith("<")))
    return call.program != "rm" and any(call.prefix(word)[0].startswith(_SOURCES) for word in words)


def _may_write_sources(facts: Facts, instruction: Transfer) -> bool:
    """Whether a COPY or ADD brings something below /etc/apt; one into / or /etc brings a tree that may hold it."""
    if not isinstance(instruction, Copy | Add):
        return False
    return any(
        effect.mode == "write" and isinstance(effect.path, Known) and effect.path.value.startswith(_SOURCES)
        for effect in facts.effects(instruction)
    )


def _calls(facts: Facts, run: Run) -> tuple[Call, ...]:
    calls = facts.calls(run)
    return () if isinstance(calls, OpaqueScript) else calls


def _text(call: Call) -> str:
    """The update as one line, the way its author wrote it; it may fail where it may fail there."""
    return _line(call) if call.fatal else f"({_line(call)} || true)"


def _line(call: Call) -> str:
    if apt.is_fetching_script(call):
        return "sudo apt-get update" if "sudo" in call.wrappers else "apt-get update"
    if call.simple is None:
        return " ".join(str(w.value) for w in call.words if isinstance(w, Known))
    words = [*(f"{a.name}={a.values[0].text}" for a in call.simple.assignments), *(w.text for w in call.simple.words)]
    return " ".join(words)


def _insertion(facts: Facts, need: _Need, update: Call) -> list[Edit]:
    script = facts.script(need.run)
    if not isinstance(script, Script):
        raise Stop("exec-form", need.run.span, "a RUN in exec form runs one command, and no update can go before it")
    branch = need.call.script
    if _in_branch(need.call) and any(node is branch for node in script.walk()):
        script = branch if branch is not None else script
    found = _place(script, need.call)
    if found is None:
        because = "this install is in a script that the RUN feeds to another shell"
        raise Stop("inner-script", Span(*need.call.span), because)
    place, otherwise = found
    if otherwise:
        # `a || install && b`: the update belongs to what runs if `a` fails.
        start = f"{{ {_line(update)} && " if update.fatal else f"{{ {_line(update)} || true; "
        return [Edit(place.start, place.start, start), Edit(place.end, place.end, "; }")]
    return [insert_before(facts.file, need.run, script, place, _text(update), chain=not need.call.fatal)]


def _place(script: Script, call: Call) -> tuple[Pipeline, bool] | None:
    """The command of the outermost list that holds `call`, and whether it stands behind `||`."""
    for item in script.items:
        for at, pipeline in enumerate(item.pipelines):
            if pipeline.start <= call.span[0] < pipeline.end:
                return pipeline, at > 0 and item.operators[at - 1].text == "||"
    return None
