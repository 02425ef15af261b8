"""The codemod apt-update-install."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar, NamedTuple

from fixer.analysis import Call, Facts, Known, Mount, Stage, hiding_mount, related
from fixer.analysis.brought import may_put_into
from fixer.analysis.context import BuildContext
from fixer.analysis.stages import flag_value
from fixer.analysis.tools import apt
from fixer.analysis.tools.apt import Kind
from fixer.analysis.unseen import Unseen
from fixer.codemods.altered import alters
from fixer.codemods.api import Change, Codemod, Refusal, Settings
from fixer.codemods.apt_sources import SOURCES, changes_sources
from fixer.codemods.common import Stop, gives_password
from fixer.text.edits import Edit
from fixer.text.records import dataclass, field
from fixer.text.source import Span
from fixer.tree.editor import insert_before, remove_instruction
from fixer.tree.nodes import ExecForm, Onbuild, Run, Transfer
from fixer.tree.shell import Literal, OpaqueScript, Parameter, Part, Pipeline, Script

_UPDATED = (apt.LISTS, f"{apt.CACHE}/pkgcache.bin", f"{apt.CACHE}/srcpkgcache.bin")
"""What an update writes: a stage that has one more, or one less, has other lists, or lists of another age."""
_CACHES = (apt.LISTS, apt.CACHE)
_INSTALL = (Kind.INSTALL, Kind.URIS)
_OPTIONAL = frozenset((":-", "-", ":+", "+"))
"""Operators of a parameter that may be unset, also under `set -u`."""
_SETTINGS = ("APT_CONFIG", "http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy")
"""Variables that apt reads (apt.conf(5), apt-transport-http(1) of apt 2.6)."""


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
    the package sources, a script that nobody can read. And where the update would not be the same in another RUN:
    without a mount or the network of its own, or where a variable that it uses is not set.

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
        "other-flags": "The update and the install run with other mounts, another network or other rights.",
        "other-environment": "The update uses a variable, a file or a setting that is not the same at the install.",
        "in-loop": "The update stands in a loop, or is tried again where it fails: one line cannot take its place.",
    }

    def run(self, facts: Facts, settings: Settings) -> Iterator[Change | Refusal]:
        found: list[_Source] = []
        ends: dict[int, _Lists] = {}
        unseen = Unseen(facts, settings.context)
        last = _last_in_need(facts)
        for stage in facts.stages:
            below = ends[stage.base.index] if isinstance(stage.base, Stage) else _NO_LISTS
            ends[stage.index] = _follow(facts, settings.context, stage, below, found, unseen, last[stage.index])
        for stage in facts.stages if any(source.needs for source in found) else ():
            if _is_taken(facts, stage):
                ends[stage.index].read()
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
            edits += _insertion(facts, need, source)
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


def _last_in_need(facts: Facts) -> dict[int, int]:
    """The index of the last RUN of each stage that may need lists of another one; behind the stage's end if one of a
    stage that is derived from it may."""
    last: dict[int, int] = {}
    for stage in reversed(facts.stages):
        if any(last[each.index] >= 0 for each in stage.derived):
            last[stage.index] = len(stage.instructions)
            continue
        last[stage.index] = -1
        for at in range(len(stage.instructions) - 1, -1, -1):
            instruction = stage.instructions[at]
            if isinstance(instruction, Run) and _may_need_lists(facts, instruction):
                last[stage.index] = at
                break
    return last


def _may_need_lists(facts: Facts, run: Run) -> bool:
    """Whether a RUN may install before it has surely fetched lists."""
    calls = facts.calls(run) if facts.may_name(run, apt.NAMES) else ()
    for call in () if isinstance(calls, OpaqueScript) else calls:
        kind = apt.kind_of(call)
        if kind in _INSTALL:
            return True
        if kind is Kind.UPDATE and _is_sure(call):
            return False
    return False


def _is_sure(update: Call) -> bool:
    """Whether lists have surely been fetched behind an update."""
    return not update.in_substitution and (not update.conditional or update.loop)


def _follow(
    facts: Facts, context: BuildContext, stage: Stage, now: _Lists, found: list[_Source], unseen: Unseen, last: int
) -> _Lists:
    """The lists at the end of `stage`, from those that its base left; new sources go to `found`. last: the index of the
    last RUN that may need them."""
    own = len(found)
    for at, instruction in enumerate(stage.instructions):
        if at > last and (now.source is None or (len(found) > own and not now.source.needs)):
            return _NO_LISTS  # nobody needs what is there now, so it does not matter who else reads it
        if now.source is not None and isinstance(instruction, Onbuild):
            calls = facts.calls(instruction)
            if isinstance(calls, OpaqueScript) or any(a.kind is Kind.INSTALL for a in apt.reads(calls)):
                now.read()
        elif now.source is not None and isinstance(instruction, Transfer):
            if not may_put_into(facts, context, instruction, SOURCES):
                continue
            because = "this brings, or may bring, package sources that the update did not see"
            now = _stopped(now, "sources-change", instruction.span, because)
        elif isinstance(instruction, Run):
            now = _step(facts, instruction, now, found, unseen)
    return now


def _is_taken(facts: Facts, stage: Stage) -> bool:
    """Whether another stage takes the lists that a stage ends with."""
    return any(taker.relation != "unknown" for taker in facts.takers(stage, apt.LISTS))


def _step(facts: Facts, run: Run, now: _Lists, found: list[_Source], unseen: Unseen) -> _Lists:
    if now.source is None and not facts.may_name(run, apt.NAMES):
        return now
    calls = facts.calls(run)
    if isinstance(calls, OpaqueScript):
        now.read()
        because = "this script is not understood, and it may change what an update would find"
        return _stopped(now, "opaque-script", Span(calls.start, calls.end), because)
    own = False
    unsure: list[Call] = []
    """Updates that may not run, where there are lists of another RUN to fall back on."""
    inside: list[Call] = []
    """The installs that get an update of their own, and which it may be conditional with."""
    user = facts.state(run).user.name
    scripts = {id(call) for call in apt.scripts(facts, run)}
    whole = facts.script(run)
    script = whole if isinstance(whole, Script) else None
    for call in calls:
        kind = apt.kind_of(call)
        if kind is Kind.UPDATE and not call.in_substitution:
            sure = now.source is None or _is_sure(call)
            if not own:
                found.append(_Source(run, call))
            now = _Lists(found[-1] if not own else now.source, user, None, own and now.renewed)
            if sure or own:
                own, inside = True, []
            else:
                unsure.append(call)
        elif apt.deletes_lists(call):
            now, own = _NO_LISTS, False
        elif (
            now.source is not None
            and now.stop is None
            and kind in (None, Kind.LOCAL)
            and id(call) not in scripts
            and changes_sources(facts, run, call)
        ):
            verb = "may change" if call.program == "dpkg" else "changes"
            because = f"this {verb} the package sources, so that a later update would find other packages"
            now = _stopped(now, "sources-change", Span(*call.span), because)
        elif (source := now.source) is None or (own and not (kind in _INSTALL and _misses(inside, call))):
            now = _behind_package_file(facts, now, call, kind)
        elif kind in _INSTALL:
            if apt.one_comes_before(facts, unsure, call, script):
                now = _behind_package_file(facts, now, call, kind)
                continue
            stop = now.stop
            if stop is None and user != now.user:
                stop = Stop("user-changes", Span(*call.span), "the update ran as another user than this install")
            stop = stop or _not_the_same(facts, source, run, call)
            source.needs.append(_Need(run, call, stop))
            inside.append(call)
            # The RUN gets an update of its own, and what follows relies on that one.
            now, own = _Lists(source, user, None, now.renewed or _renews(facts, run, call)), True
            now = _behind_package_file(facts, now, call, kind)
        elif kind in (Kind.QUERY, Kind.NAMES) or (call.words and call.program is None):
            now.read()
        elif kind is Kind.UNKNOWN or id(call) in scripts or apt.may_be_about(unseen, run, call):
            now.read()
            because = "this may change the package sources, so that a later update would find other packages"
            now = _stopped(now, "sources-change", Span(*call.span), because)
    return now


def _behind_package_file(facts: Facts, now: _Lists, call: Call, kind: Kind | None) -> _Lists:
    """The lists behind an install: a package that is a file may bring a package source (google-chrome, code,
    packages-microsoft-prod), as those that `dpkg -i` installs."""
    if kind is not Kind.INSTALL or now.source is None or now.stop is not None or not facts.mentions(".deb"):
        return now
    if not any(word.endswith(".deb") for node in call.nodes[1:] for word in call.fields(node) or ()):
        return now
    because = "a package that is a file may bring a package source, so that a later update would find other packages"
    return _stopped(now, "sources-change", Span(*call.span), because)


def _renews(facts: Facts, run: Run, install: Call) -> bool:
    """Whether the update that goes before an install surely runs, and leaves its lists in the layer."""
    sure = not install.conditional and not install.background
    return sure and hiding_mount(facts.mounts(run), apt.LISTS) is None


def _misses(given: Sequence[Call], install: Call) -> bool:
    """Whether none of the updates that are given to other installs of the RUN has surely run when this one runs."""
    return bool(given) and not any(
        not _in_branch(call)
        or call.script is install.script
        or apt.holds(call.script, install)
        for call in given
    )


def _in_branch(call: Call) -> bool:
    """Whether an update for this install goes into the branch that it stands in, so that it runs only with it."""
    return call.conditional and not call.loop and not call.in_substitution and call.script is not None


def _stopped(now: _Lists, reason: str, span: Span, because: str) -> _Lists:
    if now.source is None or now.stop is not None:
        return now
    return now._replace(stop=Stop(reason, span, because))


# --- whether the update is the same elsewhere -----------------------------------------------------------------------


def _not_the_same(facts: Facts, source: _Source, run: Run, install: Call) -> Stop | None:
    """Why the update of a source, written before an install of another RUN, would do something else there."""
    update = source.update
    if update.loop:
        return Stop("in-loop", Span(*update.span), "this update stands in a loop, and what the loop does is not moved")
    if _is_tried_again(facts, source):
        because = "this update is tried again where it fails, and one line cannot take the place of that"
        return Stop("in-loop", Span(*update.span), because)
    there = _flags(facts, run, _any)
    if not _flags(facts, source.run, _may_need) <= there:
        because = "the update runs with a mount, a network or rights that this RUN does not have"
        return Stop("other-flags", run.span, because)
    if not _flags(facts, run, _may_disturb) <= _flags(facts, source.run, _any):
        because = "this RUN has a mount, a network or rights with which the update did not run"
        return Stop("other-flags", run.span, because)
    shell = _inner_shell(update)
    if shell and update.user.name != facts.state(source.run).user.name and "sudo" not in update.wrappers[shell:]:
        return Stop("user-changes", Span(*update.span), "this update runs in a shell that another user is given")
    if gives_password(update):
        because = "sudo gets a password here, which an update beside the install would not have"
        return Stop("other-environment", Span(*update.span), because)
    because = _changed(facts, source, run, install)
    return Stop("other-environment", Span(*update.span), because) if because else None


def _is_tried_again(facts: Facts, source: _Source) -> bool:
    """Whether another update runs if that of a source fails: `apt-get update || (sleep 5; apt-get update)`."""
    whole = source.update.and_or
    if source.update.fatal or whole is None:
        return False
    calls = (a.call for a in apt.reads(_calls(facts, source.run)) if a.kind is Kind.UPDATE and a.call.conditional)
    return any(call is not source.update and whole.start <= call.span[0] < whole.end for call in calls)


def _flags(facts: Facts, run: Run, counts: Callable[[Mount], bool]) -> set[tuple[object, ...]]:
    """What the flags of a RUN say, with those of its mounts that count, each to be compared."""
    said: set[tuple[object, ...]] = {
        (name, flag_value(run.flags, name) or default)
        for name, default in (("network", "default"), ("security", "sandbox"))
    }
    for mount in facts.mounts(run):
        if counts(mount):
            said.add((mount.type, mount.target, mount.source, mount.from_, mount.id, mount.env, mount.problem))
    return said


def _any(_: Mount) -> bool:
    return True


def _may_need(mount: Mount) -> bool:
    """Whether an update may read something of a mount: keys, a list of sources, or what these name."""
    return mount.type != "cache" or _touches(mount, SOURCES)


def _may_disturb(mount: Mount) -> bool:
    """Whether an update with this mount may do something else."""
    if mount.type == "ssh":
        return False
    return _touches(mount, SOURCES) or (mount.type != "cache" and any(_touches(mount, path) for path in _CACHES))


def _touches(mount: Mount, path: str) -> bool:
    if mount.target is None:
        return False
    return not isinstance(mount.target, Known) or related(mount.target.value, path)


def _inner_shell(call: Call) -> int:
    """How many of its wrappers a call leaves behind if its own words move: those up to the last `sh -c`."""
    return max((at for at, name in enumerate(call.wrappers, 1) if name.endswith(" -c")), default=0)


def _changed(facts: Facts, source: _Source, run: Run, install: Call) -> str:
    """What an update uses that is not the same before an install of another RUN; nothing if all is."""
    update = source.update
    # sudo gives an environment of its own to the one that it runs.
    outside = facts.state(run).lookup if "sudo" in install.wrappers else install.lookup
    for name in () if "sudo" in update.wrappers else _SETTINGS:
        here, there = update.lookup(name), outside(name)
        # What stands in front of the update goes with it, and what stands in front of the install is not for it.
        told = name in update.local or name in install.local
        if not told and here != there and isinstance(here, Known):
            return f"it runs with ${name}, which is not the same at the install"
        if not told and here is None and isinstance(there, Known):
            return f"the install runs with ${name}, and the update did not"
    if update.cwd != install.cwd and _names_relative(update):
        return "it names a file from a directory that is not the same at the install"
    if isinstance(source.run.form, ExecForm) and update.simple is None:
        return "a word of it holds a line break" if any("\n" in word for word in source.run.form.values) else ""
    if update.simple is None or apt.is_fetching_script(update):
        return ""
    if any(each.append or each.array for each in update.simple.assignments):
        return "a variable is set for it in a way that depends on what comes before"
    words = [*(word for each in update.simple.assignments for word in each.values), *update.simple.words]
    for part in (part for word in words for part in word.parts):
        if not _lasts(facts, source, run, install, part):
            what = f"${part.name}" if isinstance(part, Parameter) else "one of its words"
            return f"{what} may be something else at the install"
    return ""


def _lasts(facts: Facts, source: _Source, run: Run, install: Call, part: Part) -> bool:
    """Whether a part of a word is surely the same in the script of the update and in that of the install: fixed, or
    a variable of the environment."""
    if isinstance(part, Literal):
        return True
    if not isinstance(part, Parameter) or (part.op and part.op not in _OPTIONAL):
        return False
    update, name = source.update, part.name
    if _inner_shell(update) or _inner_shell(install) or not (update.inherits(name) and install.inherits(name)):
        return False
    here, there = facts.state(source.run).lookup(name), facts.state(run).lookup(name)
    # Where nobody knows whether it is set, `set -u` may end the other script.
    if part.op:
        same = here == there and all(_lasts(facts, source, run, install, each) for each in part.parts)
    else:
        same = isinstance(here, Known) and isinstance(there, Known) and here == there
    return same and getattr(here, "args", None) == getattr(there, "args", None)


def _names_relative(update: Call) -> bool:
    """Whether an option of the update names a file from the current directory."""
    found = apt.read(update)
    if found is None or found.moved is None:
        return False
    texts = [update.argument(at) or "" for at in (found.moved, found.moved + 1)]
    return not any(text.rpartition("=")[2].removeprefix("-c").startswith("/") for text in texts)


def _calls(facts: Facts, run: Run) -> tuple[Call, ...]:
    calls = facts.calls(run)
    return () if isinstance(calls, OpaqueScript) else calls


def _text(source: _Source) -> str:
    """The update as one line, the way its author wrote it; it may fail where it may fail there."""
    return _line(source) if source.update.fatal else f"({_line(source)} || true)"


def _line(source: _Source) -> str:
    run, call = source.run, source.update
    if isinstance(run.form, ExecForm) and call.simple is None:
        return shlex.join(run.form.values)
    if apt.is_fetching_script(call):
        return "sudo apt-get update" if "sudo" in call.wrappers else "apt-get update"
    if call.simple is None:
        return "apt-get update"
    words = [*(f"{a.name}={a.values[0].text}" for a in call.simple.assignments), *(w.text for w in call.simple.words)]
    return " ".join(words)


def _insertion(facts: Facts, need: _Need, source: _Source) -> list[Edit]:
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
        start = f"{{ {_line(source)} && " if source.update.fatal else f"{{ {_line(source)} || true; "
        return [Edit(place.start, place.start, start), Edit(place.end, place.end, "; }")]
    return [insert_before(facts.file, need.run, script, place, _text(source), chain=not need.call.fatal)]


def _place(script: Script, call: Call) -> tuple[Pipeline, bool] | None:
    """The command of the outermost list that holds `call`, and whether it stands behind `||`."""
    for item in script.items:
        for at, pipeline in enumerate(item.pipelines):
            if pipeline.start <= call.span[0] < pipeline.end:
                return pipeline, at > 0 and item.operators[at - 1].text == "||"
    return None
