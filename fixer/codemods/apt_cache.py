"""The codemod apt-cache."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import pairwise
from typing import ClassVar

from fixer.analysis import REASONS, BaseImage, Call, Facts, Known, Reader, Stage, below, hiding_mount, join
from fixer.analysis.brought import FromContext, may_put_into
from fixer.analysis.commands import Arg
from fixer.analysis.context import BuildContext
from fixer.analysis.scripts import calls_in
from fixer.analysis.tools import apt
from fixer.analysis.tools.apt import CACHE, DOCKER_CLEAN, LISTS, Apt, Kind
from fixer.analysis.unseen import Unseen
from fixer.codemods import common
from fixer.codemods.altered import alters
from fixer.codemods.api import Change, Codemod, Refusal, Safety, Settings
from fixer.codemods.common import Reach, Stop
from fixer.text.edits import Edit
from fixer.text.records import dataclass, field
from fixer.text.regex import regex
from fixer.text.source import Span
from fixer.tree.editor import (
    add_mounts,
    gap_like,
    has_comments_above,
    insert_instruction,
    keyword_like,
    layout,
    remove_instruction,
)
from fixer.tree.nodes import Add, Cmd, Copy, Entrypoint, Healthcheck, Instruction, Onbuild, Run
from fixer.tree.shell import AndOr, Assignment, Braces, For, OpaqueScript, Script, Word

_REMOVES = frozenset(("rm", "rmdir", "mv", "shred", "unlink"))
_CLEARS = _REMOVES - {"mv"}
_FETCHES = (Kind.UPDATE, Kind.BOTH)
_KEEP_BRACES = ("dash", "busybox")
_KEEP = "/etc/apt/apt.conf.d/keep-cache"
_DIRECTORIES = (CACHE, LISTS)
_ABOVE = ("/var", "/ ", "var/")
"""What a RUN names that copies a directory above them."""
_COPIES = frozenset(("cp", "rsync", "tar", "zip"))
_LISTING = ("for ", "for\t", "=(")
"""One of these stands in a loop over words, or in an array."""
_PASSED = 50
"""So many calls are passed in the time of one step."""
_LONGEST_SCRIPT = 100_000
_NAMES = ("apt", "archives", "lists", "partial", "lock", "pkgcache.bin", "curl_8.1-1_amd64.deb", "deb.org_Packages.lz4")
"""What things in apt's directories are called."""
_MOVES = regex(r"(?i)\bDir(::|\s*\{)")
_LOCAL = regex(r"\b(?:file|copy):/")
"""A package source that is a directory."""
_LISTED = regex(r"/etc/apt/|\bdeb(?:-src)?\b|\bURIs:|-repository\b")
"""What an instruction that adds a package source holds."""
_SOURCES = ("/etc/apt/sources.list", "/etc/apt/sources.list.d")
_HARMLESS = frozenset(
    ("echo", "printf", "mkdir", "install", "chmod", "chown", "chgrp", "touch", "du", "find", "true", "export", "trap",
     "eval", "sh", "bash", "dash")
)  # fmt: skip
"""Programs that may name one of apt's directories without reading what is in it, or for which it is seen to."""
_NEEDS = frozenset(("chmod", "chown", "chgrp", "touch", "du", "find"))
"""Those that fail for something that is not there."""


_REVOKES = regex(r"sudo(?:ers|edit)|visudo|usermod|gpasswd|deluser|groupdel")
"""What a RUN holds that may take from a user what sudo allows."""
_SUDO_FOR_ALL = {
    "circleci/": "circleci",
    "cimg/": "circleci",
    "gitpod/workspace-": "gitpod",
    "codercom/code-server": "coder",
    "selenium/": "seluser",
}
"""How the names of images begin whose user may run everything through sudo, without a password, and who that is (what
CircleCI-Public/cimg-base, gitpod-io/workspace-images, coder/code-server and SeleniumHQ/docker-selenium put into
/etc/sudoers and /etc/sudoers.d, read in 2026)."""
_NOT_OF_THEM = ("circleci/runner",)


class AptCache(Codemod):
    """Mount caches for apt's package lists and downloaded packages.

    ## What it does

    Every RUN that installs gets two cache mounts, and no longer cleans up what is in them. One that only updates goes:
    its lists would be in no layer, and the others fetch their own. The hook that Debian's and Ubuntu's images have
    against packages in layers is switched off once, before the first of them, as it would empty the cache.

    ```diff
    +RUN rm -f /etc/apt/apt.conf.d/docker-clean; \\
    +    echo 'Binary::apt::APT::Keep-Downloaded-Packages "true";' \\
    +      > /etc/apt/apt.conf.d/keep-cache
    -RUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*
    +RUN --mount=type=cache,target=/var/cache/apt,sharing=locked \\
    +    --mount=type=cache,target=/var/lib/apt/lists,sharing=locked \\
    +    apt-get update && apt-get install -y curl
    ```

    ## Why

    When such a RUN runs again, packages that have not changed come from the cache instead of the network, and `update`
    fetches differences. The layer holds neither lists nor packages, so the clean-up has nothing to do: in the mounts
    it would throw away the cache, and removing a mounted directory fails. `sharing=locked`, because apt fails where
    another build holds its lock. Not all of `/var/lib/apt` is mounted: it also records which packages were installed
    only for others, which a later `autoremove` reads.

    ## What changes in the image

    `/etc/apt/apt.conf.d/docker-clean` is gone and `/etc/apt/apt.conf.d/keep-cache` is there; lists or packages that the
    file left in its layers are no longer in them. A RUN of yours that installs later without these mounts keeps its
    packages in its layer until it says `apt-get clean`. So does a script that installs: where the build context is at
    hand and shows one, the change is unsafe. What a script of the network does (`curl … | bash`), or one that another
    script runs, is not looked at.

    ## When it refuses

    It is unsafe where a script shares a RUN with apt, or runs after one that left its lists: nobody sees whether it
    removes or reads apt's directories. A program, a sourced file or a Makefile that comes from the build context
    counts, if its text says something of apt, or is not at hand; so does a program that the file itself writes, and
    what a variable or `eval` runs; so do ansible, puppet and their like, and, if its text says so, what the image
    starts with. So it is where the base image may have no apt: docker-clean's new line fails there; and where packages
    that no step has surely installed are removed or marked in a RUN that finds the lists of another: without lists apt
    does not know them. Where the file itself needs docker-clean later, it stays.

    A package source that is a directory (`file:`) is no server: its state is that of a layer, which may be older than
    the lists in the cache. apt keeps the newer ones, and the packages that they name are not there. Where the file says
    so, it is a refusal; where it copies a list of sources that only the context shows, the change is unsafe.

    All RUNs of a stage and of the stages derived from it change together, or none does: where one of them cannot be
    changed, the refusal names it. Every RUN must fetch the lists that it installs from (`apt-update-install` sees to
    that), and nobody else may read lists or packages from the layer.

    Where apt runs through `sudo`, docker-clean is switched off through it too (`sudo rm`, `sudo tee`). As sudo may be
    allowed for apt alone, that is unsafe but in the images of CircleCI, Gitpod, code-server and Selenium, whose user
    may run everything; where sudo may not be there, or gets a password, it is a refusal.

    `playwright install --with-deps` and `playwright install-deps` update and install themselves: they get the mounts.

    Facts: apt 2.6 with the configuration of Debian's images (debuerreotype, docker-clean); BuildKit v0.25: a cache
    mount is empty at first, is no part of the layer, and its target cannot be removed.
    """

    id = "apt-cache"
    words = ("apt", "playwright")
    reasons: ClassVar = {
        "opaque-script": common.REASONS["opaque-script"],
        "old-syntax": common.REASONS["old-syntax"],
        "onbuild": common.REASONS["onbuild"],
        "other-mount": common.REASONS["other-mount"],
        "cleanup": common.REASONS["cleanup"],
        "cleanup-of-parent": "A clean-up hits a directory above the caches, or them and their neighbours by one "
        "pattern: the mounts would make it fail, and it cannot be narrowed.",
        "no-update": "The step installs from lists that it does not fetch itself, which a mount would hide.",
        "sudo": "The step runs apt through sudo, and whether that is there before it, to write the configuration, is "
        "not certain; or it gets a password.",
        "moved-dirs": "apt's directories are moved by an option or a configuration file.",
        "local-source": "A package source is a directory of the image, which may be older than the lists in a cache.",
        "lists-are-read": "Somebody reads lists or downloaded packages from the layer, where they would be missing.",
        "unclear-call": "apt is run through something that is not understood.",
    }

    def run(self, facts: Facts, settings: Settings) -> Iterator[Change | Refusal]:
        yield from self._triggers(facts)
        old = common.takes_mounts(facts.file)
        for chain in _chains(facts):
            try:
                if old is not None and chain.steps:
                    raise Stop("old-syntax", old.span, "this frontend does not know cache mounts")
                change = self._change(facts, chain, settings)
            except Stop as stop:
                yield Refusal(self.id, stop.reason, stop.span, stop.because)
            else:
                if change is not None:
                    yield change

    def _triggers(self, facts: Facts) -> Iterator[Refusal]:
        for stage in facts.stages:
            for trigger in stage.instructions:
                if not isinstance(trigger, Onbuild) or not isinstance(trigger.inner, Run) or trigger.inner.flags:
                    continue
                calls = facts.calls(trigger)
                if not isinstance(calls, OpaqueScript) and any(a.kind in _FETCHES for a in apt.reads(calls)):
                    yield Refusal(self.id, "onbuild", trigger.span, "this trigger runs in other people's builds")

    def _change(self, facts: Facts, chain: _Chain, settings: Settings) -> Change | None:
        if not any(step.installs for step in chain.steps) or _is_done(facts, chain):
            return None
        unseen = Unseen(facts, settings.context)
        risk = _local_sources(facts, settings.context, chain) or _nobody_reads(facts, chain, unseen)
        mounts = _mounts(facts)
        edits: list[Edit] = []
        about: Run | None = None
        dropped = False
        altered: list[tuple[Stage, str]] = []
        for step in chain.steps:
            added, changed, cleaned = _step_edits(facts, step, mounts)
            dropped = dropped or cleaned
            altered += ((step.stage, directory) for directory in added)
            about = about or (step.run if changed else None)
            edits += changed
            if added:
                risk = risk or _script_inside(facts, step, unseen)
        mounted = bool(altered)
        hooks = [step for step in chain.first if _needs_hook(facts, step, new=mounted)]
        unsure = ""
        for step in hooks:
            if facts.state(step.run).shell.dialect is None:
                because = "a shell writes the configuration that keeps packages in a cache, and this one is not known"
                raise Stop("opaque-script", step.run.span, because)
            narrow = _sudo(facts, settings.context, step)
            unsure = unsure or _no_apt(step) or narrow or ""
            edits.append(_hook(facts, step.run, _place_of_hook(facts, chain, step), through=narrow is not None))
            # CACHE: what another RUN installs stays there, now that nothing removes it.
            altered += ((step.stage, path) for path in (CACHE, DOCKER_CLEAN, _KEEP))
        if not edits:
            return None
        if hooks and mounted:
            risk = risk or _keeps_packages(facts, chain, hooks, FromContext(facts, settings.context))
        title = "mount caches for apt's lists and packages" if mounted else "let apt's cache mounts keep what they hold"
        if mounted and dropped:
            title += ", drop the clean-up of them"
        why = "update and install run in each of these RUNs, so an empty cache only costs a download"
        if any(step.idle for step in chain.steps):
            why += "; a RUN that only fetches lists would leave nothing behind, and goes"
        if hooks:
            why += "; in the image, apt.conf.d/docker-clean gives way to apt.conf.d/keep-cache"
        risk = (risk if mounted else "") or unsure
        safety = Safety.UNSAFE if risk else Safety.SAFE
        span = about.span if about is not None else Span(edits[0].start, hooks[0].run.span.end)
        where = alters(facts, altered)
        return Change(self.id, title, why, span, tuple(edits), safety, risk, where)


@dataclass(frozen=True, slots=True)
class _Step:
    """A RUN that updates or installs."""

    stage: Stage
    run: Run
    calls: tuple[Call, ...]
    apt: tuple[Apt, ...]
    idle: bool = False
    """It only fetches lists, into a layer: mounted, it would do nothing."""

    @property
    def installs(self) -> bool:
        """It does, or may do, more than to fetch lists."""
        return not self.calls or any(a.kind in (Kind.INSTALL, Kind.BOTH, Kind.UNKNOWN) for a in self.apt)


@dataclass(slots=True)
class _Chain:
    """A stage that starts from an image, and all that is derived from it."""

    root: Stage
    stages: list[Stage] = field(default_factory=list)
    steps: list[_Step] = field(default_factory=list)
    first: list[_Step] = field(default_factory=list)
    """The steps that no other comes before: one, or one in each branch."""


def _chains(facts: Facts) -> list[_Chain]:
    chains: dict[int, _Chain] = {}
    started: set[int] = set()
    for stage in facts.stages:
        root = stage.lineage[0]
        chain = chains.setdefault(root.index, _Chain(root))
        chain.stages.append(stage)
        begun = any(s.index in started for s in stage.lineage)
        for instruction in stage.instructions:
            step = _step(facts, stage, instruction)
            if step is None:
                continue
            chain.steps.append(step)
            if not begun and not step.idle:
                chain.first.append(step)
                started.add(stage.index)
                begun = True
    return list(chains.values())


def _step(facts: Facts, stage: Stage, instruction: Instruction) -> _Step | None:
    """What a RUN does with apt; None if it neither updates nor installs."""
    if not isinstance(instruction, Run) or not facts.may_name(instruction, apt.NAMES):
        return None
    calls = facts.calls(instruction)
    if isinstance(calls, OpaqueScript):
        return _Step(stage, instruction, (), ()) if _mentions(instruction) else None
    found = tuple(apt.reads(calls))
    if any(a.kind in (*_FETCHES, Kind.INSTALL, Kind.UNKNOWN) for a in found):
        idle = apt.only_updates(calls) and not facts.mounts(instruction)
        return _Step(stage, instruction, calls, found, idle)
    return None


def _mentions(run: Run) -> bool:
    text = run.code
    return "apt-get" in text or "apt install" in text or "apt update" in text


def _mounts(facts: Facts) -> dict[str, str]:
    """The mount for each of the directories: as the file has it elsewhere, if that one is locked."""
    runs = [i for stage in facts.stages for i in stage.instructions if isinstance(i, Run) and i.flags]
    known = common.known_mounts(facts, runs, sharing="locked")
    return {d: known.get((d, None)) or common.cache_mount(d, sharing="locked") for d in _DIRECTORIES}


def _step_edits(facts: Facts, step: _Step, mounts: Mapping[str, str]) -> tuple[list[str], list[Edit], bool]:
    """The targets of the mounts that are added, the edits of one RUN, and whether a clean-up goes. Raises Stop if it
    cannot have the mounts."""
    if not step.calls:
        script = facts.script(step.run)
        span = Span(script.start, script.end) if script is not None else step.run.span
        because = "this script runs apt, and it is not understood"
        if isinstance(script, OpaqueScript):
            because += f": {REASONS.get(script.why, script.why)}"
        raise Stop("opaque-script", span, because)
    _check(facts, step)
    if step.idle:
        script = facts.script(step.run)
        script = script if isinstance(script, Script) else None
        gone = remove_instruction(facts.file, step.run, script, into=_next(facts, step))
        return list(_DIRECTORIES), [gone], False
    there = facts.mounts(step.run)
    missing = [d for d in _DIRECTORIES if common.mounted(there, d) is None]
    edits = _cleanups(facts, step)
    cleaned = bool(edits)
    if missing:
        edits += add_mounts(facts.file, step.run, [mounts[d] for d in missing])
    return missing, edits, cleaned


def _is_done(facts: Facts, chain: _Chain) -> bool:
    """Whether all steps have their mounts, and nothing else is to be changed. Raises Stop if one cannot use them."""
    for step in chain.steps:
        there = facts.mounts(step.run) if step.calls else ()
        if not there or any(common.mounted(there, directory) is None for directory in _DIRECTORIES):
            return False
        _check(facts, step)
        if _cleanups(facts, step):
            return False
    return not any(_needs_hook(facts, step, new=False) for step in chain.first)


def _next(facts: Facts, step: _Step) -> Run | None:
    """The RUN right behind a step."""
    at = facts.index_of(step.run) + 1
    after = step.stage.instructions[at] if at < len(step.stage.instructions) else None
    return after if isinstance(after, Run) else None


def _check(facts: Facts, step: _Step) -> None:
    """Raises Stop unless every install of the RUN reads lists that the RUN fetched before, in the usual place."""
    updates: list[Call] = []
    for a in step.apt:
        span = Span(*a.call.span)
        if a.kind is Kind.UNKNOWN:
            raise Stop("unclear-call", span, "what this makes apt do is not understood")
        if a.kind in (Kind.LOCAL, Kind.NAMES):
            continue
        if a.moved is not None:
            where = common.span_of(a.call.nodes[a.moved])
            raise Stop("moved-dirs", where, "this may put lists or packages elsewhere than in the mounts")
        if a.kind in _FETCHES:
            updates.append(a.call)
        elif a.kind is Kind.INSTALL and not _is_updated(facts, step, updates, a.call):
            because = "this RUN fetches no lists itself, and the mount would hide those of its layers, if any"
            raise Stop("no-update", span, because)


def _is_updated(facts: Facts, step: _Step, updates: Sequence[Call], install: Call) -> bool:
    """Whether an update has surely run before an install; or one that may be skipped, where there are no other lists
    without which it would have failed."""
    script = facts.script(step.run)
    script = script if isinstance(script, Script) else None
    if apt.one_comes_before(facts, updates, install, script):
        return True
    tried = any(u.script is install.script or apt.holds(u.script, install) for u in updates)
    return tried and not _left_before(facts, step)


def _left_before(facts: Facts, step: _Step) -> bool:
    """Whether lists are in the layers that a step starts with, as far as the file says."""
    left = _left_by_base(facts, step.stage)
    for instruction in step.stage.instructions[: facts.index_of(step.run)]:
        left = _left_behind(facts, instruction, left)
    return left


def _cleanups(facts: Facts, step: _Step) -> list[Edit]:
    """Edits that take clean-ups of the two directories out of a RUN."""
    doomed: list[Call] = []
    edits: list[Edit] = []
    made = False
    for call in step.calls:
        a = apt.read(call)
        made = made or call.program == "mkdir" or (a is not None and a.kind in _FETCHES)
        if not made and call.fatal and call.program in _NEEDS and (call.program != "find" or not _finds(call)):
            _check_there(call)
        if call.program == "trap" and any(name in (call.argument(1) or "") for name in ("apt", "/var/")):
            raise Stop("cleanup", Span(*call.span), "this runs when the shell ends, and cannot be taken out")
        if call.program in _REMOVES and _is_fed(call) and _names_parents(facts, step):
            because = "what this removes is not known, and the step names one of apt's directories for it"
            raise Stop("cleanup", Span(*call.span), because)
        if a is not None and a.kind is Kind.CLEAN:
            doomed.append(call)
        elif call.program == "find":
            if _finds(call):
                doomed.append(call)
        elif call.program in _REMOVES or _makes_again(call):
            gone = _operands(facts, step, call)
            rest = [i for i in common.operands(call) if i not in gone]
            if gone and (call.program not in ("rm", "mkdir") or call.in_substitution):
                raise Stop("cleanup", Span(*call.span), "this changes apt's directories in a way that cannot be undone")
            if gone and rest:
                edits += common.remove_words(facts.file, call, gone)
            elif gone:
                doomed.append(call)
    return edits + common.remove_calls(facts.file, doomed, step.calls)


def _check_there(call: Call) -> None:
    """Raises Stop for a command that fails as long as a mount is empty."""
    for index in common.operands(call):
        for pattern, whole in common.patterns_of(call, call.nodes[index]):
            if any(common.reach(pattern, whole, d) is Reach.OWN and pattern != d for d in _DIRECTORIES):
                because = "this fails in a mount in which apt has put nothing yet"
                raise Stop("cleanup", common.span_of(call.nodes[index]), because)


def _is_fed(call: Call) -> bool:
    """Whether a clean-up removes things that its own words do not name."""
    patterns = [each for index in common.operands(call) for each in common.patterns_of(call, call.nodes[index])]
    unknown = any(common.reach(*each, d) is Reach.UNKNOWN for each in patterns for d in _DIRECTORIES)
    return unknown or "xargs" in call.wrappers


def _names_parents(facts: Facts, step: _Step) -> bool:
    """Whether words that become operands of other commands name one of apt's directories, something in them, or one
    above them: those of loops, arrays, functions, and of commands whose output is read."""
    script = facts.script(step.run)
    functions = {call.function for call in step.calls}
    named: list[tuple[Call, Arg]] = []
    for call in step.calls:
        words = [call.argument(index) for index in range(1, len(call.words))]
        read = call.piped or call.in_substitution or call.program == "set" or call.program in functions
        if read and call.program not in _REMOVES and (call.program != "find" or _selects(words)):
            named += ((call, call.nodes[index]) for index in common.operands(call))
    for node in script.walk() if isinstance(script, Script) else ():
        values: Sequence[Word] = ()
        if isinstance(node, For):
            values = node.words or ()
        elif isinstance(node, Assignment) and node.array:
            values = node.values
        facts.charge(1 + len(step.calls) // _PASSED if values else 0)
        after = [call for call in step.calls if call.span[0] >= node.start] if values else []
        named += ((after[0], value) for value in values if after)
    return any(
        pattern.startswith("/var/") and common.reach(pattern, whole, d) in (Reach.OWN, Reach.WIDE)
        for call, word in named
        for pattern, whole in common.patterns_of(call, word)
        for d in _DIRECTORIES
    )


def _makes_again(call: Call) -> bool:
    """Whether this is the `mkdir` that belongs to a clean-up: without -p it fails, as in the mount all is there."""
    return call.program == "mkdir" and not common.is_option(call, "p", "parents")


def _operands(facts: Facts, step: _Step, call: Call) -> list[int]:
    """The operands of an `rm` or `mkdir` that lie in apt's directories. Raises Stop for an `rm` that hits more than
    those."""
    gone = []
    for index in common.operands(call):
        node = call.nodes[index]
        expanded = not _has_braces(node) or call.dialect != "sh" or facts.sh(step.run) not in _KEEP_BRACES
        patterns = common.patterns_of(call, node, braces=expanded)
        hits = {common.reach(*each, d) for each in patterns for d in _DIRECTORIES}
        unclear = any(pattern.startswith("/var/") for pattern, whole in patterns if not whole)
        wide = Reach.WIDE in hits or (Reach.UNKNOWN in hits and unclear)
        if len(patterns) > 1 and Reach.OWN in hits:
            span = common.span_of(call.nodes[index])
            raise Stop("cleanup", span, "this variable names one of apt's directories among others")
        if wide and call.program != "mkdir":
            span = common.span_of(call.nodes[index])
            because = "this removes more than apt's caches at one stroke, and it fails where one of them is mounted"
            raise Stop("cleanup-of-parent", span, because)
        if Reach.OWN in hits:
            gone.append(index)
    return gone


def _has_braces(node: Arg) -> bool:
    return isinstance(node, Word) and any(isinstance(part, Braces) for part in node.parts)


def _finds(call: Call) -> bool:
    """Whether a `find` only empties apt's directories. Raises Stop if it deletes there and elsewhere."""
    arguments = [call.argument(i) for i in range(1, len(call.words))]
    if not _deletes(arguments):
        return False
    hits: list[bool] = []
    for index, text in enumerate(arguments, 1):
        if text is not None and text.startswith(("-", "(", "!")):
            break
        reaches = {common.reach(*common.pattern_of(call, call.nodes[index]), d) for d in _DIRECTORIES}
        if Reach.WIDE in reaches and _selects(arguments):
            because = "this deletes below a directory that apt's are in, and it fails where one of them is mounted"
            raise Stop("cleanup-of-parent", Span(*call.span), because)
        hits.append(Reach.OWN in reaches)
    if any(hits) and not all(hits):
        raise Stop("cleanup", Span(*call.span), "this empties apt's directories together with others")
    return any(hits)


def _deletes(arguments: Sequence[str | None]) -> bool:
    runs = ("-exec", "-execdir")
    after = dict(pairwise(arguments))
    return "-delete" in arguments or any((after.get(r) or "").rpartition("/")[2] in _CLEARS for r in runs)


def _selects(arguments: Sequence[str | None]) -> bool:
    """Whether a `find` may delete something of apt's: all but one that looks for other names."""
    after = dict(pairwise(arguments))
    name = after.get("-name") or after.get("-iname")
    return name is None or "-o" in arguments or any(fnmatchcase(n, name) for n in _NAMES)


# --- package sources -----------------------------------------------------------------------------------------------


def _local_sources(facts: Facts, context: BuildContext, chain: _Chain) -> str:
    """Raises Stop if a package source of the chain is a directory; a risk if one that is copied may be.

    apt takes no release file that is older than the one it has. A directory comes with a layer, and goes back in time
    with it; then the lists in the cache name packages that are not there.
    """
    risk = ""
    text = facts.file.text
    local = ("file:/" in text or "copy:/" in text) and _LOCAL.search(text) is not None
    last = {step.stage.index: facts.index_of(step.run) for step in chain.steps}
    under: set[int] = set()
    for stage in reversed(chain.stages):
        if isinstance(stage.base, Stage) and (stage.index in last or stage.index in under):
            under.add(stage.base.index)
    for stage in chain.stages:
        end = len(stage.instructions) if stage.index in under else last.get(stage.index, -1) + 1
        for instruction in stage.instructions[:end]:
            if local and isinstance(instruction, Run | Copy | Add):
                code = facts.file.source_of(instruction)
                if _LOCAL.search(code) and _LISTED.search(code):
                    because = "this package source is a directory, and apt would not go back to an older state of it"
                    raise Stop("local-source", instruction.span, because)
            if not risk and isinstance(instruction, Copy | Add) and _brings_sources(facts, context, instruction):
                what = " ".join(instruction.code.split())
                risk = (
                    f"`{what}` may name a directory (`file:`) as a package source; apt would not go back to an older "
                    "state of it"
                )
    return risk


def _brings_sources(facts: Facts, context: BuildContext, instruction: Copy | Add) -> bool:
    """Whether it brings a list of package sources that the file does not show."""
    return len(instruction.heredocs) < max(len(instruction.sources), 1) and any(
        may_put_into(facts, context, instruction, place) for place in _SOURCES
    )


# --- who else reads lists and packages -----------------------------------------------------------------------------


def _script_inside(facts: Facts, step: _Step, unseen: Unseen) -> str:
    """The risk of a script that shares a RUN with apt; nothing if there is none."""
    scripts = {id(call) for call in apt.scripts(facts, step.run)}
    for call in step.calls:
        if (id(call) in scripts or apt.may_be_about(unseen, step.run, call)) and not apt.is_fetching_script(call):
            return f"{_named(call)} may remove one of apt's directories, which fails where they are mounted"
        if apt.runs_a_variable(call):
            what = "nobody knows what a variable or `eval` runs here, and it may remove one of apt's directories"
            return f"{what}, which fails where they are mounted"
    return ""


def _named(call: Call) -> str:
    name = " ".join(word.value for word in call.words if isinstance(word, Known))
    return f"what `{name}` runs" if name else "a script"


def _nobody_reads(facts: Facts, chain: _Chain, unseen: Unseen) -> str:
    """Raises Stop if lists or packages are read from a layer of the chain; a risk if a script may read them."""
    risk = ""
    for stage in chain.stages:
        left = _left_by_base(facts, stage)
        starts: dict[type[Instruction], Instruction] = {}
        for instruction in stage.instructions:
            if isinstance(instruction, Cmd | Entrypoint | Healthcheck):
                starts[type(instruction)] = instruction
            if isinstance(instruction, Copy | Add):
                _check_transfer(facts, instruction)
            if isinstance(instruction, Onbuild):
                _check_trigger(facts, instruction)
            if isinstance(instruction, Run):
                if left and not risk:
                    risk = _script_after(facts, instruction, unseen) or _removal_after(facts, instruction)
                left = _check_run(facts, instruction, left)
        for instruction in starts.values() if left else ():
            risk = _check_start(facts, instruction, unseen) or risk
    _check_removals(facts, chain)
    for directory in _DIRECTORIES:
        for taker in facts.takers(chain.root, directory):
            if taker.relation in ("same", "inside") or (taker.relation == "above" and _takes_along(facts, taker)):
                raise Stop("lists-are-read", taker.span, "this reads apt's lists or packages from the layer")
    return risk


def _takes_along(facts: Facts, taker: Reader) -> bool:
    """Whether somebody who takes a directory above apt's wants what is in these: it is one below /var, and they are put
    somewhere else, or another stage gets them in their place and reads them."""
    source = taker.path.value if isinstance(taker.path, Known) else "/"
    if isinstance(taker.instruction, Copy):
        put = next((one.path for one in facts.effects(taker.instruction) if one.mode == "write"), None)
        if put == Known(source):
            return _is_read_behind(facts, taker.stage, taker.instruction)
    return source not in ("/", "/var")


def _is_read_behind(facts: Facts, stage: Stage, instruction: Instruction) -> bool:
    """Whether a stage, or one derived from it, reads lists behind an instruction before it fetches some."""
    found = [_reads_first(facts, stage.instructions[facts.index_of(instruction) + 1 :])]
    stages = list(stage.derived) if found[0] is None else []
    for each in stages:
        facts.charge(1)
        found.append(_reads_first(facts, each.instructions))
        stages += each.derived if found[-1] is None else ()
    return any(found)


def _reads_first(facts: Facts, instructions: Sequence[Instruction]) -> bool | None:
    """Whether lists are read before some are fetched; None if neither is done."""
    for instruction in instructions:
        if isinstance(instruction, Cmd | Entrypoint) or (
            isinstance(instruction, Run) and facts.may_name(instruction, apt.NAMES)
        ):
            calls = facts.calls(instruction)
            for call in () if isinstance(calls, OpaqueScript) else calls:
                a = apt.read(call)
                if a is not None and a.kind in (*_FETCHES, Kind.INSTALL, Kind.QUERY):
                    return a.kind not in _FETCHES
                if a is None and _used(facts, call) is not None:
                    return True
    return None


def _script_after(facts: Facts, run: Run, unseen: Unseen) -> str:
    """The risk of a script that finds lists which another RUN has left; nothing if there is none."""
    calls = facts.calls(run)
    if isinstance(calls, OpaqueScript):
        return ""
    scripts = {id(call) for call in apt.scripts(facts, run)}
    for call in calls:
        if apt.kind_of(call) in _FETCHES:
            return ""
        if apt.runs_a_variable(call):
            return "nobody knows what a variable runs here, and it may install from lists that would no longer be there"
        if id(call) in scripts or apt.may_be_about(unseen, run, call):
            return f"{_named(call)} may install from lists which would no longer be in the layer"
    return ""


def _left_by_base(facts: Facts, stage: Stage) -> bool:
    """Whether the layers below `stage` hold lists that somebody in the file fetched."""
    left = False
    for each in stage.lineage[:-1]:
        for instruction in each.instructions:
            left = _left_behind(facts, instruction, left)
    return left


def _left_behind(facts: Facts, instruction: Instruction, left: bool) -> bool:
    """Whether lists are in the layer after an instruction, if they were, or were not, before it."""
    if not isinstance(instruction, Run) or not facts.may_name(instruction, apt.NAMES):
        return left
    calls = facts.calls(instruction)
    if isinstance(calls, OpaqueScript) or hiding_mount(facts.mounts(instruction), LISTS) is not None:
        return left
    own: AndOr | None = None
    for call in calls:
        if apt.kind_of(call) in _FETCHES:
            left, own = True, call.and_or
        elif apt.deletes_lists(call) and not (call.conditional and (call.and_or is None or call.and_or is not own)):
            left = False
    return left


def _check_trigger(facts: Facts, trigger: Onbuild) -> None:
    calls = facts.calls(trigger)
    if not isinstance(calls, OpaqueScript) and any(a.kind is Kind.INSTALL for a in apt.reads(calls)):
        because = "this trigger installs in other people's builds, from lists that are left in the layer"
        raise Stop("onbuild", trigger.span, because)


def _check_run(facts: Facts, run: Run, left: bool) -> bool:
    """Whether lists are left after `run`; raises Stop if it reads those that were left before."""
    named = facts.may_name(run, apt.NAMES)
    calls = facts.calls(run) if named or facts.may_name(run, _ABOVE) else ()
    if isinstance(calls, OpaqueScript):
        return left
    for call in calls:
        _check_copies(facts, call)
    if not named:
        return left
    fetched = False
    _check_lists(facts, run, calls)
    for call in calls:
        _check_words(facts, run, call)
        kind = apt.kind_of(call)
        fetched = fetched or kind in _FETCHES
        if kind is Kind.URIS:
            because = "this prints what is to be downloaded, and leaves out what the mount holds"
            raise Stop("lists-are-read", Span(*call.span), because)
        if kind is Kind.QUERY and left and not fetched:
            raise Stop("lists-are-read", Span(*call.span), "this reads lists that would no longer be in the layer")
    return _left_behind(facts, run, left)


def _removal_after(facts: Facts, run: Run) -> str:
    """The risk of a package that nobody has installed, and that is to be removed or marked in a RUN which finds lists
    that another has left; nothing if there is none."""
    calls = facts.calls(run) if facts.may_name(run, apt.NAMES) else ()
    for a in apt.reads(calls) if not isinstance(calls, OpaqueScript) else ():
        if a.kind in _FETCHES:
            return ""
        if a.kind is Kind.NAMES and not _all_installed(facts, run, a.call):
            what = " ".join(w.value if isinstance(w, Known) else "…" for w in a.call.words)
            return f"`{what}` fails for a package that is not installed, where the lists are not in the layer"
    return ""


def _all_installed(facts: Facts, run: Run, call: Call) -> bool:
    """Whether the steps before `call` have surely installed each package that it names."""
    stage = facts.stage_of(run)
    there: set[str] = set()
    for each in facts.passing(stage.lineage if stage is not None else ()):
        for instruction in each.instructions[: facts.index_of(run) + 1 if each is stage else None]:
            if not isinstance(instruction, Run) or not facts.may_name(instruction, apt.NAMES):
                continue
            calls = facts.calls(instruction)
            for other in () if isinstance(calls, OpaqueScript) else calls:
                if other is call:
                    return all(name in there for name in apt.packages(call))
                a = apt.read(other)
                names = apt.packages(other) if a is not None else ()
                if a is not None and a.kind is Kind.NAMES:
                    there.difference_update(name for name in names if name is not None)
                elif a is not None and a.kind is Kind.INSTALL and not other.conditional:
                    there.update(name.partition("=")[0] for name in names if name is not None)
    return False


def _check_copies(facts: Facts, call: Call) -> None:
    """Raises Stop for a command that copies one of apt's directories, or one that they are in."""
    for effect in facts.call_effects(call) if call.program in _COPIES else ():
        if effect.mode == "read" and effect.extent == "tree" and isinstance(effect.path, Known):
            path = effect.path.value
            if any(below(directory, path) for directory in _DIRECTORIES):
                because = "this copies apt's lists or packages along, and the mount holds others, or none"
                raise Stop("lists-are-read", effect.span, because)


def _check_words(facts: Facts, run: Run, call: Call) -> None:
    """Raises Stop for a command, no clean-up, that names something in apt's directories: where the mount is, there is
    more, or less, than the step has put there; elsewhere nothing."""
    if _moves(facts, run, call):
        raise Stop("moved-dirs", Span(*call.span), "this may put lists or packages elsewhere than in the mounts")
    used = _used(facts, call)
    if used is not None:
        because = "this uses apt's lists or packages by their names, and the mount holds others, or none"
        raise Stop("lists-are-read", common.span_of(used), because)


def _moves(facts: Facts, run: Run, call: Call) -> bool:
    """Whether a command writes to apt's configuration, in a RUN that says something of apt's directories."""
    there = any(call.prefix(target)[0].startswith("/etc/apt/apt.conf") for target in _files(call))
    return there and _MOVES.search(facts.file.source_of(run)) is not None


def _files(call: Call) -> Iterator[Arg]:
    """The files that a command writes its output to: `… > FILE`, `… | tee FILE`."""
    yield from (each.target for each in call.redirects if ">" in each.op)
    if call.program == "tee":
        yield from (call.nodes[index] for index in common.operands(call))


def _is_kept_already(facts: Facts, run: Run) -> bool:
    """Whether a RUN before has written the file that lets apt keep packages."""
    stage = facts.stage_of(run)
    for each in facts.passing(stage.lineage) if stage is not None else ():
        for instruction in each.instructions:
            if instruction is run:
                break
            if isinstance(instruction, Run) and facts.may_name(instruction, ("keep-cache",)):
                calls = facts.calls(instruction)
                written = () if isinstance(calls, OpaqueScript) else ((c, file) for c in calls for file in _files(c))
                if any(common.pattern_of(*one)[0] == _KEEP for one in written):
                    return True
    return False


def _used(facts: Facts, call: Call) -> Arg | None:
    """The word by which a command that is no clean-up names something in apt's directories."""
    if call.program in _REMOVES or not _shows(call):
        return None
    away = isinstance(call.cwd, Known) and "apt" not in call.cwd.value
    if away and all(isinstance(word, Known) and "apt" not in word.value for word in call.words[1:]):
        return None
    for index in common.operands(call):
        node, word = call.nodes[index], call.words[index]
        if away and isinstance(word, Known) and "apt" not in word.value:
            continue
        pattern, whole = common.pattern_of(call, node)
        if "/apt" in pattern and any(common.reach(pattern, whole, d) is Reach.OWN for d in _DIRECTORIES):
            return node
    # In the text of a program: `python3 -c "shutil.rmtree('/var/lib/apt/lists')"`.
    told = call.program not in _HARMLESS and "/apt" in facts.file.text[slice(*call.span)]
    mentions = facts.call_mentions(call) if told else ()
    return next((node for node, path in mentions if any(below(path, d) for d in _DIRECTORIES)), None)


def _shows(call: Call) -> bool:
    """Whether a command may bring what it names to somewhere else, or do something because of it."""
    if call.program not in _HARMLESS or call.piped or call.in_substitution:
        return True
    if call.program == "install":
        return not common.is_option(call, "d", "directory")
    if call.program == "find":
        words = [call.argument(index) for index in range(1, len(call.words))]
        runs = [after for word, after in pairwise(words) if word in ("-exec", "-execdir", "-ok", "-okdir")]
        return any((name or "?").rpartition("/")[2] not in _CLEARS | _HARMLESS - {"install"} for name in runs)
    return False


def _check_lists(facts: Facts, run: Run, calls: Sequence[Call]) -> None:
    """Raises Stop for a loop over what is in apt's directories, or an array of it; but for one that only clears it."""
    script = facts.script(run) if facts.may_name(run, _LISTING) else None
    for node in script.walk() if isinstance(script, Script) else ():
        if isinstance(node, For):
            words, area = node.words or (), node.body
            users = [call for call in calls if area.start <= call.span[0] < area.end]
        elif isinstance(node, Assignment) and node.array:
            words, users = node.values, [call for call in calls if call.span[0] >= node.start]
        else:
            continue
        facts.charge(1 + len(calls) // _PASSED)
        shows = isinstance(node, Assignment) or any(c.program not in _REMOVES and _shows(c) for c in users)
        fails = any(call.program == "rm" and not common.is_forced(call) for call in users)
        for word in words if users and (shows or fails) else ():
            for pattern, whole in common.patterns_of(users[0], word):
                hits = {common.reach(pattern, whole, d) for d in _DIRECTORIES if pattern != d}
                if Reach.OWN in hits and shows:
                    because = "this uses apt's lists or packages by their names, and the mount holds others, or none"
                    raise Stop("lists-are-read", word.span, because)
                if Reach.OWN in hits:
                    raise Stop("cleanup", word.span, "without -f this fails where there is nothing to remove")


def _check_transfer(facts: Facts, instruction: Copy | Add) -> None:
    for effect in facts.effects(instruction):
        if effect.mode == "write" and isinstance(effect.path, Known) and below(effect.path.value, CACHE):
            raise Stop("lists-are-read", instruction.span, "the mount would hide the packages that this brings")


def _check_start(facts: Facts, instruction: Instruction, unseen: Unseen) -> str:
    """Raises Stop if what the image starts with reads lists that it does not fetch; the risk of a script of the build
    context that may do so, nothing if there is none."""
    calls = facts.calls(instruction)
    for call in () if isinstance(calls, OpaqueScript) else calls:
        kind = apt.kind_of(call)
        if kind in _FETCHES:
            return ""
        if kind in (Kind.INSTALL, Kind.QUERY):
            because = "this runs in the container, with lists that would no longer be in the image"
            raise Stop("lists-are-read", Span(*call.span), because)
        if apt.is_about(unseen, instruction, call):
            return f"{_named(call)} in the container may install from lists which would no longer be in the image"
    return ""


def _check_removals(facts: Facts, chain: _Chain) -> None:
    """Raises Stop for a clean-up in another RUN that fails if there is nothing to clean up."""
    own = {call.span for step in chain.steps for call in step.calls}
    for step in chain.first:
        for directory in _DIRECTORIES:
            for call, pattern, hit in common.removed_later(facts, step.run, directory, apt.NAMES):
                if hit is Reach.OWN and pattern != directory and call.span not in own:
                    raise Stop("cleanup", Span(*call.span), "without -f this fails where there is nothing to remove")


def _keeps_packages(facts: Facts, chain: _Chain, hooks: Sequence[_Step], files: FromContext) -> str:
    """The risk of a script of the build context that installs behind the place where docker-clean is switched off, and
    has no mount to keep the packages out of its layer; nothing if there is none."""
    mounted = {id(step.run) for step in chain.steps}
    stages = [step.stage for step in hooks]
    starts = {step.stage.index: facts.index_of(step.run) for step in hooks}
    for stage in stages:
        stages += stage.derived
        facts.charge(1 + len(stage.instructions))
        for instruction in stage.instructions[starts.get(stage.index, 0) :]:
            if not isinstance(instruction, Run) or id(instruction) in mounted:
                continue
            calls = facts.calls(instruction)
            if isinstance(calls, OpaqueScript) or hiding_mount(facts.mounts(instruction), f"{CACHE}/archives"):
                continue
            for at, call in enumerate(calls):
                name = apt.script_of(call) if call.user.root else None
                path = files.path(instruction, _path_of(call, name)) if name is not None else None
                if path is None or any(apt.removes_packages(later) for later in calls[at + 1 :]):
                    continue
                if _installs(facts, files.context.text(path) or ""):
                    return (
                        f"`{name}` installs packages, and without apt.conf.d/docker-clean they stay in its layer; "
                        "`apt-get clean` behind it removes them"
                    )
    return ""


def _path_of(call: Call, name: str) -> str:
    """The absolute path of a file that a call names; as it is where the current directory is not known."""
    path = join(call.cwd, Known(name))
    return path.value if isinstance(path, Known) else name


def _installs(facts: Facts, text: str) -> bool:
    """Whether the text is a shell's script that installs, and leaves the packages that it has downloaded."""
    first = text.partition("\n")[0]
    if "apt" not in text or len(text) > _LONGEST_SCRIPT or (first.startswith("#!") and "sh" not in first):
        return False
    facts.charge(len(text) // 100)
    calls = calls_in(text, "bash")
    return "apt-get install" in text if calls is None else apt.leaves_packages(calls) is not None


# --- the hook of Debian's images -----------------------------------------------------------------------------------


def _no_apt(step: _Step) -> str:
    """The risk of a base image that may have no apt, so that there is no directory for its settings; nothing if the
    step could not succeed without apt."""
    base = step.stage.lineage[0]
    sure = isinstance(base.base, BaseImage) and base.base.docker_clean and "$" not in base.from_.image.value
    if sure or any(not a.call.conditional and _needed(a.call) for a in step.apt):
        return ""
    return "the base image may have no apt, as not every build needs it; then the new line fails"


def _sudo(facts: Facts, context: BuildContext, step: _Step) -> str | None:
    """None where docker-clean is switched off as root, else the risk of doing so through sudo: as a step runs apt whose
    user may not be root. Raises Stop if sudo may not be there before the step, or gets a password."""
    through = [a.call for a in step.apt if "sudo" in a.call.wrappers or "doas" in a.call.wrappers]
    if not through or facts.state(step.run).user.root:
        return None
    if _may_run_all(facts, context, step):
        return ""
    at = Span(*through[0].span)
    if any(map(common.gives_password, through)):
        raise Stop("sudo", at, "sudo gets a password here, and apt's configuration is written without one")
    for call in step.calls:
        if call.wrappers[:1] == ("sudo",) and call.user.root is True and call.fatal and not call.conditional:
            return "sudo may not be allowed for rm and tee, which the new line runs through it"
        if _may_bring_sudo(call):
            break
    because = "apt runs through sudo, and whether that is there before, to write apt's configuration, is not certain"
    raise Stop("sudo", at, because)


def _may_run_all(facts: Facts, context: BuildContext, step: _Step) -> bool:
    """Whether the step's user is the one of a base image who may run everything through sudo, and nothing of the file
    takes that away."""
    root = step.stage.lineage[0]
    if not isinstance(root.base, BaseImage) or "$" in root.from_.image.value:
        return False
    name = root.base.name
    user = next((who for start, who in _SUDO_FOR_ALL.items() if name.startswith(start)), None)
    state = facts.state(step.run)
    if user is None or name.startswith(_NOT_OF_THEM):
        return False
    if state.user_set_by is not None and state.declared_user != Known(user):
        return False
    return not facts.run_up_to(step.run, _REVOKES) and not any(
        isinstance(each, Copy | Add) and may_put_into(facts, context, each, "/etc/sudoers")
        for stage in facts.passing(step.stage.lineage)
        for each in stage.instructions
    )


def _may_bring_sudo(call: Call) -> bool:
    """Whether a call may install packages, or is not known."""
    found = apt.read(call)
    if found is not None:
        return found.kind in (Kind.INSTALL, Kind.BOTH, Kind.UNKNOWN)
    asks = any(word in _DPKG_ASKS for word in (call.argument(at) for at in range(1, len(call.words))))
    return call.program is None or call.program == "gdebi" or (call.program == "dpkg" and not asks)


_DPKG_ASKS = frozenset(("--print-architecture", "--add-architecture", "-l", "--list", "-s", "--status", "-L", "-S"))
"""Options with which dpkg installs nothing."""


def _needed(call: Call) -> bool:
    """Whether nothing runs if `call` fails that would make up for it."""
    return call.fatal or call.and_or is None or all(o.text != "||" for o in call.and_or.operators)


def _needs_hook(facts: Facts, step: _Step, *, new: bool) -> bool:
    """Whether docker-clean is, or may be, in force at `step`. Where nothing else changes it must be known to be."""
    root = step.stage.lineage[0].base
    there = root.docker_clean if isinstance(root, BaseImage) else None
    if there is False or (there is None and not new):
        return False
    for stage in facts.passing(step.stage.lineage):
        for instruction in stage.instructions:
            if isinstance(instruction, Run) and _handles_hook(facts, instruction):
                return False
            if instruction is step.run:
                return not _hook_is_asked_for(facts, step)
    return True


_HOOK = ("docker-clean",)


def _handles_hook(facts: Facts, run: Run) -> bool:
    """Whether a RUN names docker-clean: then its author has seen to it."""
    if not facts.may_name(run, _HOOK):
        return False
    calls = facts.calls(run)
    if isinstance(calls, OpaqueScript):
        return DOCKER_CLEAN in run.code
    return any(_names_hook(call) for call in calls)


def _names_hook(call: Call) -> bool:
    return any(_is_hook(call, node) for node in (*call.nodes, *(r.target for r in call.redirects)))


def _is_hook(call: Call, node: Arg) -> bool:
    pattern, _ = common.pattern_of(call, node)
    return pattern.startswith(DOCKER_CLEAN) or pattern in _HOOK


def _hook_is_asked_for(facts: Facts, step: _Step) -> bool:
    """Whether docker-clean must be there after `step`, for a later RUN that would fail without it."""
    stages = [step.stage]
    for stage in stages:
        stages += stage.derived
        for instruction in stage.instructions[facts.index_of(step.run) if stage is step.stage else 0 :]:
            named = isinstance(instruction, Run) and facts.may_name(instruction, _HOOK)
            calls = facts.calls(instruction) if named else ()
            for call in () if isinstance(calls, OpaqueScript) else calls:
                forced = call.program == "rm" and common.is_forced(call)
                if not forced and any(_is_hook(call, node) for node in call.nodes):
                    return True
    return False


def _place_of_hook(facts: Facts, chain: _Chain, step: _Step) -> Instruction:
    """The instruction above which docker-clean is switched off: that of the step, or, where RUNs right before it go and
    leave their comments to it, the first of those."""
    idle = {id(each.run) for each in chain.steps if each.idle}
    before = step.stage.instructions
    first = facts.index_of(step.run)
    while first > 0 and id(before[first - 1]) in idle:
        first -= 1
    return before[first] if has_comments_above(facts.file, before[first]) else step.run


def _hook(facts: Facts, run: Run, before: Instruction, *, through: bool) -> Edit:
    """The RUN that switches docker-clean off, written as `run` is, above `before` and the comments that belong to it.
    A file of the author's own that has the name of ours stays as it is.

    through: whether it goes through sudo.
    """
    style = layout(facts.file, run)
    joint = f" {style.escape}\n"
    lines = [f"{keyword_like(facts.file, 'RUN')}{gap_like(run)}{'sudo ' if through else ''}rm -f {DOCKER_CLEAN}"]
    if not _is_kept_already(facts, run):
        lines[0] += ";"
        lines.append(f"{style.indent}echo 'Binary::apt::APT::Keep-Downloaded-Packages \"true\";'")
        lines.append(f"{style.deeper}{f'| sudo tee {_KEEP} > /dev/null' if through else f'> {_KEEP}'}")
    return insert_instruction(facts.file, before, joint.join(lines), spaced=True)
