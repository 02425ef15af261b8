"""pip-cache: see the class."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, partial
from itertools import islice, pairwise
from posixpath import basename, dirname
from typing import ClassVar

from fixer.analysis import (
    PASSED,
    REASONS,
    BaseImage,
    Call,
    Facts,
    Known,
    Reader,
    Stage,
    Unknown,
    Value,
    Writer,
    below,
    join,
    related,
)
from fixer.analysis.bases import release_of
from fixer.analysis.brought import FromContext
from fixer.analysis.context import BuildContext, in_context
from fixer.analysis.tools.apt import is_fetching_script, scripts
from fixer.analysis.tools.pip import (
    EDITABLE,
    PROJECT_FILES,
    Pip,
    Requirement,
    cache_directory,
    is_local,
    keeps_wheel_of,
    local_place,
    pip_of,
    read_linked,
    read_requirements,
    said,
)
from fixer.analysis.unseen import Unseen, UnseenCode
from fixer.codemods import common
from fixer.codemods.altered import alters
from fixer.codemods.api import Change, Codemod, Refusal, Safety, Settings
from fixer.codemods.common import Downloads, Owner, Reach, Stop
from fixer.codemods.pip_others import (
    COPIERS,
    PROJECTS,
    copies_by_pattern,
    find_removes,
    made_by_pip,
    makes_home,
    names_cache,
    names_it,
    needs_made,
    puts_by_variable,
    span_of,
    starts_pip,
    texts_of,
    there,
    tidy,
    trapped,
    writes_below,
    xargs_removes,
)
from fixer.codemods.pip_settings import CACHE_KEYS, build_settings, configured, deciding_variables, exports
from fixer.text.edits import Edit
from fixer.text.records import dataclass, field
from fixer.text.regex import regex
from fixer.text.source import Span
from fixer.tree.editor import add_mounts, draw_up, has_comments, remove_instruction, remove_pair, remove_word
from fixer.tree.nodes import Arg, Env, Instruction, JsonString, Onbuild, Pair, Run, ShellForm, Transfer
from fixer.tree.shell import Assignment, OpaqueScript, Parameter, Script, Word

SWITCH = "PIP_NO_CACHE_DIR"
_MOST_FILES = 50
"""So many files of requirements are read for one call."""
_CHARACTERS = 500
"""As many are read in the time in which an instruction is looked at."""


class PipCache(Codemod):
    """Keep pip's downloads and wheels in a cache mount.

    What it does

    Every RUN in which pip installs, downloads or builds wheels gets a cache mount at pip's own cache directory:
    `--cache-dir`, `PIP_CACHE_DIR`, `$XDG_CACHE_HOME/pip`, or `~/.cache/pip` of the user who runs it. What would keep
    pip from using it goes: `--no-cache-dir`, `PIP_NO_CACHE_DIR` (if every step that it is in force for has the mount,
    and no script behind it may run pip), and the clean-up of the directory, which would empty the cache, or end the
    build: what is mounted cannot be removed.

        RUN pip install --no-cache-dir -r requirements.txt

    becomes

        RUN --mount=type=cache,target=/root/.cache/pip \\
            pip install -r requirements.txt

    Why it is safe

    The cache holds downloads and built wheels, which pip checks and can get again: an empty one is as good. It is no
    part of the image, which stays as small as it was. Nobody reads the directory afterwards, or writes where only pip
    had made one: all stages are searched. It holds nothing else: where pip's cache has a directory with others
    (`--cache-dir /root/.cache`), all that the step runs must be known to keep nothing there. On Alpine the cache has a
    name of its own: wheels that are built there do not run elsewhere, and pip cannot tell them apart. So it has for
    each release of a distribution where the stages of a file start from several.

    A script of the same step that is not at hand may remove the directory, which fails where it is mounted: then the
    change is unsafe.

    What changes in the image

    Where `ENV PIP_NO_CACHE_DIR` goes, the image's environment no longer has it. Nothing else.

    When it refuses

    When the user's number or home is not in the file; when `sudo` or `su` runs pip; when something else of the step
    removes or reads the directory, copies one above it (`tar -C /root`), or needs ~/.cache of a user who is not root
    (it belongs to root while the mount is there); when settings that are not part of pip's cache decide what a wheel
    has in it that pip builds (`CMAKE_ARGS=… pip install`, `ENV CFLAGS`, `--no-binary`, `--no-build-isolation`), as
    others would get it too;
    when packages come from archives that may change under the same name, as pip would go on taking the wheel
    that it once built: those of a local `--find-links`, and those of a requirement with a name and a link (`tool @
    file:///vendor/tool-1.0.tar.gz`, `tool @ https://example.org/tool-latest.zip`), but for links to wheels, to PyPI's
    files, with a hash, or to a commit of a repository. Files of requirements are read for that, with those that they
    name, and pyproject.toml, setup.cfg and setup.py of a directory that is installed, if the build context is at hand.

    Sources: pip 23 to 25 (documentation, and tried out), its rules for keeping wheels (pip 23.2), BuildKit v0.25 on a
    real engine.
    """

    id = "pip-cache"
    words = ("pip",)
    reasons: ClassVar[Mapping[str, str]] = {
        **common.REASONS,
        "sudo": "It is run by sudo, su or their like: the cache is another user's.",
        "no-network": "The step has no network, so that it cannot fill a cache.",
        "no-cache-in-env": f"{SWITCH} switches the cache off, and cannot go from there.",
        "no-cache-in-settings": "pip's configuration switches the cache off, or puts it elsewhere.",
        "no-cache-in-variable": "The option that switches the cache off comes out of a variable.",
        "odd-cache-dir": "The cache's directory is not known, cannot be mounted, or holds other things too.",
        "local-archives": "pip builds wheels of archives that may change, and would take old ones from the cache.",
        "cache-was-filled": "Somebody puts files into the cache's directory before, and a mount would hide them.",
        "other-builds": "Settings decide what pip builds, and pip's cache does not tell wheels apart by them.",
        "home-cache-in-use": "Another program of the step may write to ~/.cache of a user who is not root.",
    }

    def run(self, facts: Facts, settings: Settings) -> Iterator[Change | Refusal]:
        steps: list[_Step] = []
        for stage in facts.stages:
            for instruction in stage.instructions:
                found = _step(facts, stage, instruction)
                if isinstance(found, Stop):
                    yield self._refusal(found)
                    continue
                other = _other_user(facts, instruction)
                if other is not None:
                    yield self._refusal(other)
                if found is not None:
                    steps.append(found)
        steps = [step for step in steps if step.purges or step.wants]
        if not any(step.wants for step in steps):
            return
        old = common.takes_mounts(facts.file)
        if old is not None:
            because = f"{old.argument.value.strip()} does not know RUN --mount; docker/dockerfile:1 does"
            yield Refusal(self.id, "old-syntax", old.argument.span, because)
            return
        plan = _Plan(facts, steps, settings.context)
        for step in steps:
            plan.prepare(step)
        for group in _groups(facts, steps):
            yield from self._group(facts, plan, group)

    def _refusal(self, stop: Stop) -> Refusal:
        return Refusal(self.id, stop.reason, stop.span, stop.because)

    def _group(self, facts: Facts, plan: _Plan, group: Sequence[_Step]) -> Iterator[Change | Refusal]:
        file = facts.file
        stopped = [step for step in group if step.stop is not None]
        for step in stopped:
            if step.stop is not None:
                yield self._refusal(step.stop)
        pairs = {id(pair): (env, pair) for step in group for env, pair in step.pairs}
        for env, pair in pairs.values():
            other = None if stopped else _other_runner(facts, plan, env, group)
            if other is not None:
                name, place = other
                line = file.position(place).line
                because = f"{name} in line {line} may run pip, too, and would leave pip's cache in the image"
                yield Refusal(self.id, "no-cache-in-env", pair.span, because)
                return
        if stopped:
            if pairs and any(step.stop is None for step in group):
                line = file.position(stopped[0].run).line
                because = f"it would be needed no more if the step in line {line} could use a mount, too"
                yield Refusal(self.id, "no-cache-in-env", next(iter(pairs.values()))[1].span, because)
            return
        edits = [edit for step in group for edit in step.edits]
        if not edits and not pairs:
            return
        edits += [remove_pair(file, env, pair) for env, pair in pairs.values()]
        edits.sort(key=lambda edit: edit.start)
        # What the change is about: a step, or the ENV alone where all steps are as they should be.
        about: list[Run | Env] = [step.run for step in group if step.wants and step.edits]
        about += [step.run for step in group if step.edits] or [env for env, _ in pairs.values()]
        altered = [(step.stage, path) for step in group for path in (*step.mounts, *step.purged)]
        where = alters(facts, altered, [f"Env {SWITCH}"] if pairs else [])
        title, why = _title(group, bool(pairs)), _why(group, bool(pairs))
        risk = next((step.risk for step in group if step.risk), "")
        safety = Safety.UNSAFE if risk else Safety.SAFE
        yield Change(self.id, title, why, about[0].span, tuple(edits), safety=safety, risk=risk, alters=where)


@dataclass(slots=True)
class _Step:
    """A RUN with calls of pip. wants: those that need the cache. edits, mounts, dropped: what is to be done, and what
    of it to say. purged: directories that `pip cache purge`, which goes, has emptied. doomed: commands that go. pairs:
    the ENV that must go with it. stop: why nothing can be done."""

    stage: Stage
    run: Run
    calls: tuple[Call, ...]
    pips: list[tuple[Call, Pip]]
    edits: list[Edit] = field(default_factory=list)
    mounts: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    purged: list[str] = field(default_factory=list)
    doomed: list[Call] = field(default_factory=list)
    pairs: list[tuple[Env, Pair]] = field(default_factory=list)
    risk: str = ""
    stop: Stop | None = None

    @property
    def wants(self) -> list[tuple[Call, Pip]]:
        return [(call, pip) for call, pip in self.pips if pip.needs_cache]

    @property
    def purges(self) -> bool:
        return any(pip.purges for _, pip in self.pips)


def _title(group: Sequence[_Step], switch: bool) -> str:
    mounts = list(dict.fromkeys(mount for step in group for mount in step.mounts))
    dropped = list(dict.fromkeys(what for step in group for what in step.dropped))
    if switch:
        dropped.append(f"ENV {SWITCH}")
    parts = [f"mount pip's cache at {' and '.join(mounts)}"] if mounts else []
    if dropped:
        parts.append(f"{'drop' if mounts else 'let pip use its cache: drop'} {', '.join(dropped)}")
    return ", ".join(parts)


def _why(group: Sequence[_Step], switch: bool) -> str:
    why = (
        "pip takes what it has downloaded or built before from the mount, which is no part of the image; "
        "nobody reads that directory afterwards, and an empty one does as well"
    )
    if switch:
        why += f"; the image's environment loses {SWITCH}, which would keep pip from using the mount"
    return why


# --- finding -------------------------------------------------------------------------------------------------------

_CALL = regex(r"(?<!uv )\bpip[23]?(?:\.\d+)?[\"']?,?\s+(?:-\S+\s+)*([\"']?(?:install|download|wheel)\b)?")


def _is_mentioned(text: str) -> bool:
    """Whether a text that is not understood has a call in it. What looks like options is gone through once."""
    return any(call[1] for call in _CALL.finditer(text))


def _step(facts: Facts, stage: Stage, instruction: Instruction) -> _Step | Stop | None:
    """The pip calls of a RUN; Stop if there are some and nothing can be done about them."""
    trigger = isinstance(instruction, Onbuild)
    run = instruction.inner if isinstance(instruction, Onbuild) else instruction
    if not isinstance(run, Run) or run.form is None or "pip" not in facts.file.source_of(run).lower():
        return None
    calls = facts.calls(run)
    if isinstance(calls, OpaqueScript):
        if trigger or not _is_mentioned(_text(run)):
            return None
        because = f"the script runs pip, and it is not understood: {REASONS.get(calls.why, calls.why)}"
        return Stop("opaque-script", Span(calls.start, calls.end), because)
    pips = [(call, pip) for call in calls if (pip := pip_of(call)) is not None]
    if not pips:
        return None
    step = _Step(stage, run, calls, pips)
    if trigger:
        if not step.wants or facts.mounts(run):
            return None
        return Stop("onbuild", run.span, "it runs in the builds of other files, as a user that this file does not know")
    return step


_SWITCHERS = ("su", "runuser", "sudo")


def _other_user(facts: Facts, instruction: Instruction) -> Stop | None:
    """Why nothing is done for a RUN that gives a script with pip to a shell of another user (`su app -c '…'`); None if
    it does not, or has a cache mount already."""
    if not isinstance(instruction, Run) or not facts.may_name(instruction, _SWITCHERS):
        return None
    if "pip" not in facts.file.source_of(instruction).lower():
        return None
    calls = facts.calls(instruction)
    for call in () if isinstance(calls, OpaqueScript) else calls:
        if call.program in _SWITCHERS and any(_is_mentioned(text.strip("\"'")) for text in texts_of(call)):
            if any(mount.type == "cache" for mount in facts.mounts(instruction)):
                return None
            because = f"{call.program} runs it in a shell of another user, in an environment that is not seen"
            return Stop("sudo", span_of(call), because)
    return None


def _text(run: Run) -> str:
    script = run.form.script.value if isinstance(run.form, ShellForm) else run.code
    return script + "".join(heredoc.body.text for heredoc in run.heredocs)


# --- planning ------------------------------------------------------------------------------------------------------


class _Plan:
    """Works out, step by step, what is to be done, or why it cannot be."""

    def __init__(self, facts: Facts, steps: Sequence[_Step], context: BuildContext) -> None:
        self.facts = facts
        self.context = context
        self.file = facts.file
        self.steps = steps
        self.readers: dict[tuple[int, str], Stop | None] = {}
        self.writers: dict[tuple[int, str], list[Writer]] = {}
        self.fillers: dict[tuple[int, str], list[Writer]] = {}
        self.strangers: dict[tuple[int, str], list[Call]] = {}
        self.temporary: dict[int, frozenset[str]] = {}
        self.dotglob: dict[int, bool] = {}
        self.from_context = FromContext(facts, context)
        self.unseen = Unseen(facts, context)
        self.requirements: dict[str, tuple[Requirement, ...]] = {}
        self.named: dict[tuple[str, str, bool], bool] = {}
        self.configured: dict[int, list[tuple[str, Span]]] = {}
        self.known_mounts: dict[str, dict[tuple[str, Owner | None], str]] = {}

    def prepare(self, step: _Step) -> None:
        """Fill in the step. Steps of one stage come in the order of the text."""
        try:
            if step.wants:
                self._use_cache(step)
                if step.doomed:
                    step.edits += common.remove_calls(self.file, step.doomed, step.calls)
            elif self._follows(step):
                self._purge(step)
        except Stop as stop:
            step.stop = stop

    def _use_cache(self, step: _Step) -> None:
        for call, _ in step.wants:
            if self._is_off(call):
                self._inherited_switch(step)
        places = self._places(step)
        mounts = self.facts.mounts(step.run)
        missing = {target: owner for target, owner in places.items() if common.mounted(mounts, target) is None}
        self._switch(step)
        for call, pip in step.wants:
            self._flags(step, call, pip)
        switched = bool(step.edits or step.doomed or step.pairs)
        if not missing and not switched:
            return
        # What pip would find, or leave, in its cache matters wherever it begins to use one, also in a mount of old.
        self._kept_elsewhere(step)
        self._local_archives(step)
        self._built_otherwise(step)
        for target in missing:
            self._only_for_pip(step, target)
            self._filled_before(step, target)
        self._clean_up(step, places if switched else missing)
        if not missing:
            return
        self._scripts(step, missing)
        for target, owner in missing.items():
            if owner is not None:
                self._home_cache(step, target)
            self._read_later(step, target)
        if _flag(step.run, "network") == "none":
            raise Stop("no-network", step.run.span, "the step runs with --network=none")
        texts = [self._mount_text(step, target, owner) for target, owner in missing.items()]
        step.edits += add_mounts(self.file, step.run, texts)
        step.mounts += missing

    def _places(self, step: _Step) -> dict[str, Owner | None]:
        """The cache directories of the step's calls, each with the owner that its mount needs."""
        places: dict[str, Owner | None] = {}
        for call, pip in step.wants:
            if "sudo" in call.wrappers or "doas" in call.wrappers:
                raise Stop("sudo", span_of(call), "sudo runs it as another user, in an environment that is not seen")
            owner = common.owner_of(call.user, span_of(call))
            directory = cache_directory(pip, call.cwd, partial(self._seen, call))
            if isinstance(directory, Unknown):
                named = any(self._seen(call, name) is not None for name in ("PIP_CACHE_DIR", "XDG_CACHE_HOME"))
                reason = "odd-cache-dir" if named or pip.cache_dir is not None else "unknown-home"
                raise Stop(reason, span_of(call), f"where pip keeps its cache cannot be told: {directory.why}")
            target = directory.value
            if _odd(target, call):
                because = f"{target} may hold more than pip's cache, and a mount would hide it"
                if not common.plain(target):
                    because = f"{target} cannot be written in a mount"
                raise Stop("odd-cache-dir", span_of(call), because)
            places[target] = owner
        return places

    def _seen(self, call: Call, name: str) -> Value | None:
        """A variable as far as this file speaks of it: if it does not, a mount at the usual place is harmless."""
        value = call.lookup(name)
        unseen = isinstance(value, Unknown) and value.if_set is None
        if unseen and name != "HOME" and not self.facts.mentions(name):
            return None
        return value

    def _mount_text(self, step: _Step, target: str, owner: Owner | None) -> str:
        system = self._systems[step.stage.index]
        if system not in self.known_mounts:
            alike = [each.run for each in self.steps if self._systems[each.stage.index] == system]
            self.known_mounts[system] = common.known_mounts(self.facts, alike)
        known = self.known_mounts[system].get((target, owner))
        if known is not None:
            return known
        alone = system == "alpine" or len(set(self._systems.values()) - {"alpine"}) > 1
        return common.cache_mount(target, id=f"pip-{system}" if system and alone else None, owner=owner)

    @cached_property
    def _systems(self) -> dict[int, str]:
        """By the indexes of the stages with steps: the system for which wheels are built there."""
        stages = {step.stage.index: step.stage for step in self.steps}
        return {index: _system(self.facts, stage) for index, stage in stages.items()}

    def code(self, run: Run, call: Call) -> UnseenCode | None:
        """What a call of a RUN runs of the build context."""
        found = self.unseen.code(run, call)
        self.facts.charge(len(found.text or "") // _CHARACTERS if found is not None else 0)
        return found

    # --- what keeps pip from using it ----------------------------------------------------------------------------

    def _flags(self, step: _Step, call: Call, pip: Pip) -> None:
        for index in pip.no_cache:
            node = call.nodes[index]
            if isinstance(node, Word) and node.static is None:
                raise Stop("no-cache-in-variable", node.span, "its value has --no-cache-dir")
        for node in call.nodes:
            for part in node.parts if isinstance(node, Word) else ():
                value = call.lookup(part.name) if isinstance(part, Parameter) else None
                if isinstance(value, Known) and "--no-cache" in value.value:
                    raise Stop("no-cache-in-variable", node.span, "its value has --no-cache-dir")
        if pip.no_cache:
            step.edits += common.remove_words(self.file, call, pip.no_cache)
            _note(step, "--no-cache-dir")

    def _switch(self, step: _Step) -> None:
        """PIP_NO_CACHE_DIR: before a command, exported, in ENV. Any value but an empty one switches the cache off."""
        for call, _ in step.wants:
            if self._is_off(call):
                self._own_switch(step, call)
        for call in step.calls:
            if call.program in ("export", "declare", "typeset"):
                self._export(step, call)

    def _is_off(self, call: Call) -> bool:
        value = self._seen(call, SWITCH)
        return value is not None and value != Known("")

    def _own_switch(self, step: _Step, call: Call) -> None:
        if call.simple is None:
            return
        nodes: list[Assignment | Word] = [*call.simple.assignments, *call.simple.words]
        for at, node in enumerate(nodes):
            text = node.text if isinstance(node, Word) else f"{node.name}="
            if not text.startswith(f"{SWITCH}=") or (isinstance(node, Word) and node.start > call.span[1]):
                continue
            if isinstance(node, Word):
                step.edits.append(remove_word(self.file, node, nodes[at - 1].end))
            else:
                end = nodes[at + 1].start
                form = step.run.form
                first = isinstance(form, ShellForm) and node.start == form.script.start
                if first and has_comments(self.file, Span(node.start, end)):
                    raise Stop("no-cache-in-variable", node.span, "a comment stands between it and the command")
                step.edits.append(draw_up(self.file, node.start, end))
            _note(step, SWITCH)

    def _export(self, step: _Step, call: Call) -> None:
        found = [i for i, text in enumerate(texts_of(call)) if text.startswith(f"{SWITCH}=") and text != f"{SWITCH}="]
        if not found:
            return
        if len(call.nodes) == len(found) + 1:
            step.doomed.append(call)
        else:
            first = call.nodes[found[0]]
            after = call.nodes[found[0] + 1] if found[0] + 1 < len(call.nodes) else None
            if isinstance(first, Word) and isinstance(after, Word) and len(found) == 1:
                step.edits.append(draw_up(self.file, first.start, after.start))
            else:
                step.edits += common.remove_words(self.file, call, found)
        _note(step, SWITCH)

    def _inherited_switch(self, step: _Step) -> None:
        pairs: list[tuple[Env, Pair]] = []
        for stage in self.facts.passing(step.stage.lineage):
            for instruction in stage.instructions:
                if instruction is step.run:
                    break
                if isinstance(instruction, Env):
                    for pair in instruction.pairs:
                        if pair.key.value == SWITCH:
                            value = _value(self.facts, instruction, pair)
                            if isinstance(value, Unknown):
                                raise Stop("no-cache-in-env", pair.span, f"what it is cannot be told: {value.why}")
                            if value.value:
                                self.facts.charge(1)
                                pairs.append((instruction, pair))
                            else:
                                pairs.clear()
                elif isinstance(instruction, Arg) and stage is step.stage:
                    for argument in instruction.pairs:
                        if argument.key.value == SWITCH:
                            because = "it is a build argument, which whoever builds may give"
                            raise Stop("no-cache-in-env", argument.span, because)
        if pairs and re.search(r"\$\{?" + SWITCH, self.file.text):
            raise Stop("no-cache-in-env", pairs[0][1].span, "its value is used elsewhere in the file")
        step.pairs = list({id(pair): (env, pair) for env, pair in [*step.pairs, *pairs]}.values())

    # --- who else is there -----------------------------------------------------------------------------------------

    def _local_archives(self, step: _Step) -> None:
        """Raises Stop if pip may build a wheel of something that keeps its name when its content changes."""
        for call, pip in step.pips:
            if pip.subcommand not in ("install", "wheel", "download"):
                continue
            places = [] if pip.only_wheels else [*pip.find_links]
            given = self._seen(call, "PIP_FIND_LINKS")
            if given is not None and not pip.only_wheels:
                places.append(given)
            texts = texts_of(call)
            named = any(
                keeps_wheel_of(operand.value if isinstance(operand, Known) else texts[at].strip("\"'"))
                for at, operand in zip(pip.operands_at, pip.operands, strict=True)
            )
            if named or any(is_local(place) is not False for place in places):
                because = "pip would take the wheel that it once built from that archive, even if the archive changed"
                raise Stop("local-archives", span_of(call), because)
            self._listed_archives(step, call, pip)

    def _listed_archives(self, step: _Step, call: Call, pip: Pip) -> None:
        """The same for what the files say from which pip takes its requirements, as far as they are at hand."""
        names = [*pip.requirements, *(self._seen(call, name) for name in ("PIP_REQUIREMENT", "PIP_CONSTRAINT"))]
        names += [Known(f"{project}/{name}") for project in _projects(call) for name in PROJECT_FILES]
        files = [join(call.cwd, name) for name in names if name is not None]
        if not files or not self.context.at_hand:
            return
        found = [self.from_context.path(step.run, file.value) for file in files if isinstance(file, Known)]
        todo = [path for path in found if path is not None]
        known = set(todo)
        for at, path in enumerate(todo):
            if at >= _MOST_FILES:
                because = f"it reads more than {_MOST_FILES} files of requirements, which may name archives that change"
                raise Stop("local-archives", span_of(call), because)
            if path not in self.requirements:
                text = self.context.text(path) or ""
                self.facts.charge(len(text) // _CHARACTERS)
                read = read_linked if basename(path) in PROJECT_FILES else read_requirements
                self.requirements[path] = tuple(read(text))
            self.facts.charge(1 + len(self.requirements[path]) // PASSED)
            for each in self.requirements[path]:
                if each.kind == "-C":
                    because = f"{each.text} in line {each.line} of {path} decides what pip builds"
                    raise Stop("other-builds", span_of(call), because)
                if each.kind == "-r":
                    other = in_context(f"{dirname(path)}/{each.text}")
                    if "://" not in each.text and other not in known:
                        known.add(other)
                        todo.append(other)
                elif (
                    keeps_wheel_of(each.text)
                    if not each.kind
                    else is_local(Known(each.text)) and not pip.only_wheels and not self._wheels(path, each.text)
                ):
                    because = (
                        f"line {each.line} of {path} names {'a place with archives' if each.kind else 'an archive'}: "
                        "pip would take the wheel that it once built from it, even if the archive changed"
                    )
                    raise Stop("local-archives", span_of(call), because)

    def _wheels(self, path: str, place: str) -> bool:
        """Whether a place that a file of the context names is a directory of it that holds nothing but wheels."""
        names = () if place.startswith(("/", "file:")) else self.context.names(in_context(f"{dirname(path)}/{place}"))
        return bool(names) and all(name.endswith(".whl") for name in names)

    def _built_otherwise(self, step: _Step) -> None:
        """Raises Stop if pip may build a wheel that is another one than other steps, and other files, would get: it
        looks wheels up by where they come from, whatever they were built with."""
        exported = exports(step.calls)
        given = next((each for each in self._settings_of(step) if each[0] not in CACHE_KEYS), None)
        for call, pip in step.wants:
            if given is not None and not pip.only_wheels:
                key, place = given
                if key == "find-links":
                    because = "pip would take the wheel that it once built from an archive there, even if that changed"
                    raise Stop("local-archives", place, because)
                because = f"{key} in its settings decides what pip builds, and it would take that wheel elsewhere, too"
                raise Stop("other-builds", place, because)
            found = build_settings(call, pip, self._deciding, exported)
            if found is not None:
                because = f"{found[0]} decides what pip builds, and pip would take that wheel without it, too"
                raise Stop("other-builds", found[1], because)

    def _kept_elsewhere(self, step: _Step) -> None:
        """Raises Stop if pip's configuration says that it has no cache, or where, and nothing else says more."""
        said = [each for each in self._settings_of(step) if each[0] in CACHE_KEYS]
        for call, pip in step.wants if said else ():
            own = pip.cache_dir is not None or self._seen(call, "PIP_CACHE_DIR") is not None
            found = next((each for each in said if each[1].start < call.span[0]), None)
            if found is not None and not own:
                because = f"{found[0]} in pip's configuration keeps it from using what would be mounted"
                raise Stop("no-cache-in-settings", found[1], because)

    def _settings_of(self, step: _Step) -> list[tuple[str, Span]]:
        index = step.stage.index
        if index not in self.configured:
            self.configured[index] = configured(self.facts, step.stage, self.context)
        return self.configured[index]

    @cached_property
    def _deciding(self) -> list[str]:
        return deciding_variables(self.facts)

    def _only_for_pip(self, step: _Step, target: str) -> None:
        """Raises Stop if something else than pip's cache comes into its directory, and would go with the mount."""
        for call, _ in step.pips:
            program = call.words[0] if call.words else None
            if isinstance(program, Known) and below(program.value, target):
                raise Stop("odd-cache-dir", span_of(call), f"the program is in {target}, which a mount would hide")
            effect = writes_below(self.facts, call, target)
            if effect is not None:
                because = f"it puts what it makes into {target}, where a mount would keep it out of the image"
                raise Stop("odd-cache-dir", effect.span, because)
            name = puts_by_variable(self.facts, call, target)
            if name is not None:
                because = f"{name} tells it to put what it makes into {target}, where a mount would hide it"
                raise Stop("odd-cache-dir", span_of(call), because)
        if "pip" in basename(target).lower():
            return
        stranger = next((call for call in step.calls if not tidy(call)), None)
        if stranger is not None:
            because = f"{stranger.program or 'this'} may keep things in {target}, too, which a mount would hide"
            raise Stop("odd-cache-dir", span_of(stranger), because)

    def _clean_up(self, step: _Step, places: Mapping[str, Owner | None]) -> None:
        own = {id(call) for call, _ in step.pips}
        for call in step.calls:
            if id(call) in own:
                continue
            if call.program in common.REMOVERS:
                self._removal(step, call, places)
            elif call.program == "find":
                target = find_removes(call, places)
                if target is not None:
                    because = f"it may change {target}, which cannot be removed while it is mounted"
                    raise Stop("cleanup", span_of(call), because)
            elif call.program == "trap" and trapped(call, self._temporary(step), places):
                raise Stop("cleanup", span_of(call), "what it runs at the end may empty the cache")
            else:
                self._other_use(call, places)
        for call, pip in step.pips:
            if pip.purges:
                step.doomed.append(call)
                _note(step, "the clean-up of it")

    def _scripts(self, step: _Step, places: Mapping[str, Owner | None]) -> None:
        """What the step runs of which the file does not show what it does must leave the cache's directory alone."""
        strangers = [call for call in step.calls if not tidy(call)]
        unknown = {id(call) for call in scripts(self.facts, step.run)} if strangers else set()
        for call in strangers:
            found = self.code(step.run, call)
            text = found.text if found is not None else None
            name = found.name if found is not None else call.program or "a script"
            if text is not None:
                script = call.program not in PROJECTS
                if any(self._names(text, target, script) for target in places):
                    because = f"{name} names the cache's directory, which cannot be removed while it is mounted"
                    raise Stop("cleanup", span_of(call), because)
            elif (found is not None or id(call) in unknown) and not is_fetching_script(call):
                target = next(iter(places))
                step.risk = step.risk or f"{name} may remove {target}, which fails where it is mounted"

    def _names(self, text: str, target: str, script: bool) -> bool:
        key = (text, target, script)
        if key not in self.named:
            self.named[key] = names_cache(text, target, script=script)
        return self.named[key]

    def _removal(self, step: _Step, call: Call, places: Mapping[str, Owner | None]) -> None:
        drop: list[int] = []
        words = list(common.operands(call))
        if not common.removes_directories(call):
            return
        if "xargs" in call.wrappers:
            target = xargs_removes(call, step.calls, places)
            if target is not None:
                because = f"what it is told to remove cannot be told, and it may be {target}"
                raise Stop("cleanup", span_of(call), because)
        temporary = self._temporary(step)
        dots = self._dotglob(step)
        for index in words:
            node = call.nodes[index]
            if common.is_temporary(node, temporary):
                continue
            pattern, whole = common.pattern_of(call, node)
            hits = {target: common.reach(pattern, whole, target, dots=dots) for target in places}
            if Reach.UNKNOWN in hits.values():
                because = "what this removes cannot be told, and it may be the cache"
                raise Stop("cleanup", common.node_span(node), because)
            if Reach.WIDE in hits.values():
                self._wide(step, call, node, pattern, [t for t, hit in hits.items() if hit is Reach.WIDE])
                drop.append(index)
            elif Reach.OWN in hits.values():
                drop.append(index)
        if not drop:
            return
        _note(step, "the clean-up of it")
        if len(drop) < len(words) and not isinstance(call.nodes[0], JsonString):
            step.edits += common.remove_words(self.file, call, drop)
            return
        step.doomed.append(call)

    def _dotglob(self, step: _Step) -> bool:
        """Whether the step may tell the shell that patterns match names which begin with a dot."""
        if id(step) not in self.dotglob:
            self.dotglob[id(step)] = any(
                each.program == "shopt" and Known("dotglob") in each.words for each in step.calls
            )
        return self.dotglob[id(step)]

    def _temporary(self, step: _Step) -> frozenset[str]:
        if id(step) not in self.temporary:
            self.temporary[id(step)] = common.temporary_names(self.facts, step.run)
        return self.temporary[id(step)]

    def _wide(self, step: _Step, call: Call, node: Word | JsonString, pattern: str, targets: Sequence[str]) -> None:
        """`rm -rf ~/.cache`: fine if only pip can have put something there."""
        for target in targets:
            parent = dirname(target)
            if basename(parent) != ".cache" or not below(pattern, parent):
                because = f"it removes more than {target}, which cannot be removed while it is mounted"
                raise Stop("cleanup", common.node_span(node), because)
            stranger = next((c for c in self._strangers(step, parent) if c is not call), None)
            if stranger is not None:
                because = f"{stranger.program or 'another command'} may leave things in {parent} that this removes"
                raise Stop("cleanup", common.node_span(node), because)
            for writer in self._foreign_writers(step.stage, parent):
                if writer.stage is not step.stage or writer.instruction.keyword.start < step.run.keyword.start:
                    raise Stop("cleanup", common.node_span(node), f"it removes what others left in {parent}, too")

    def _foreign_writers(self, stage: Stage, directory: str) -> list[Writer]:
        """Those who put something into `directory`, and are not pip; asked once for a stage."""
        key = (stage.index, directory)
        if key not in self.writers:
            self.writers[key] = [
                writer
                for writer in self.facts.writers(stage, directory)
                if writer.mode == "write" and writer.content and writer.relation in ("same", "inside")
                and (writer.call is None or pip_of(writer.call) is None)
            ]  # fmt: skip
        return self.writers[key]

    def _strangers(self, step: _Step, directory: str) -> list[Call]:
        """The calls of the step that may leave something of their own in `directory`: the first two."""
        key = (id(step), directory)
        if key not in self.strangers:
            self.strangers[key] = list(islice((c for c in step.calls if self._may_fill(c, directory)), 2))
        return self.strangers[key]

    def _may_fill(self, call: Call, directory: str) -> bool:
        """Whether a call may leave something of its own in `directory`."""
        if pip_of(call) is not None:
            return False
        return not tidy(call) or any(
            effect.mode == "write" and isinstance(effect.path, Known) and below(effect.path.value, directory)
            for effect in self.facts.call_effects(call)
        )

    def _other_use(self, call: Call, places: Mapping[str, Owner | None]) -> None:
        """A command that names the directory, makes one above it, or changes a whole directory that holds it."""
        for target in places:
            made = common.finds_it_made(self.facts, call, target)
            if made is not None:
                because = f"it makes a directory that is there already where {target} is mounted"
                raise Stop("cleanup", made, because)
            made = makes_home(self.facts, call, target)
            if made is not None:
                because = f"the directory that it makes would go with the mount at {target}"
                raise Stop("cleanup", made, because)
            copied = copies_by_pattern(self.facts, call, target)
            if copied is not None:
                raise Stop("cache-is-read", copied, f"{call.program} copies what is in the mount, too")
            named = names_it(self.facts, call, target)
            if named is not None:
                because = f"{call.program} may do anything with the cache's directory, or the one above it"
                raise Stop("cleanup", named, because)
        hits = []
        copies = call.program in COPIERS
        for effect in self.facts.call_effects(call):
            if not isinstance(effect.path, Known) or (effect.extent == "unknown" and not copies):
                continue
            for target in places:
                path = effect.path.value
                home = basename(dirname(target)) in (".cache", "cache") and path == dirname(target)
                takes = effect.mode != "read" or home or (copies and not effect.implicit)
                over = below(target, path) and takes and effect.extent == "tree"
                if below(path, target) or over:
                    hits.append(effect)
        if hits:
            worst = next((effect for effect in hits if effect.mode != "read"), hits[0])
            reason = "cache-is-read" if worst.mode == "read" else "cleanup"
            because = f"{call.program or 'it'} uses the cache's directory, or one above it, in the same step"
            raise Stop(reason, worst.span, because)

    def _home_cache(self, step: _Step, target: str) -> None:
        parent = dirname(target)
        if parent in common.STANDARD:
            return
        for call in step.calls:
            effect = writes_below(self.facts, call, parent)
            if effect is not None or not tidy(call):
                because = f"{call.program or 'this'} may write to {parent}, which is root's while a mount is below it"
                raise Stop("home-cache-in-use", effect.span if effect is not None else span_of(call), because)

    def _filled_before(self, step: _Step, target: str) -> None:
        """Raises Stop if the step may need what the cache holds before it, or a later one what it leaves there."""
        stop = self._handed_on.get(id(step.run))
        if stop is not None:
            raise stop
        key = (step.stage.index, target)
        if key not in self.fillers:
            found = self.facts.writers(step.stage, target) if self._may_be_filled(step.stage, target) else ()
            self.fillers[key] = [writer for writer in found if _fills(writer, target)]
        for writer in self.fillers[key]:
            if common.is_before(writer, step.stage, step.run):
                what = writer.path.value if isinstance(writer.path, Known) else target
                because = f"it puts something into {what}, which a mount of pip's cache would hide"
                raise Stop("cache-was-filled", writer.span, because)

    def _may_be_filled(self, stage: Stage, target: str) -> bool:
        """False if no COPY of the stage comes near the cache, and no RUN names it: most need not be read for that."""
        names: tuple[str, ...]
        above = basename(dirname(target))
        if above.startswith(".") and basename(target) == "pip":  # also as one of several: `~/.{cache,local}`
            names = (above, f"{{{above[1:]}", f",{above[1:]}")
        else:
            names = ("cache", above or "pip") if basename(target) == "pip" else ("cache", basename(target))
        for each in self.facts.passing(stage.lineage):
            for instruction in each.instructions:
                if isinstance(instruction, Transfer):
                    places = [effect.path for effect in self.facts.effects(instruction) if effect.mode == "write"]
                    if any(not isinstance(path, Known) or related(path.value, target) for path in places):
                        return True
                elif isinstance(instruction, Run) and self.facts.may_name(instruction, names):
                    return True
        return False

    @cached_property
    def _handed_on(self) -> dict[int, Stop]:
        """By the ids of the RUNs: why one that fills the cache in its layer, and one to which a COPY brings that, must
        stay as they are."""
        if len(self.facts.stages) < 2:
            return {}
        users = [Downloads(step.stage, step.run, target) for step in self.steps for target in self._looked_in(step)]
        filling = {id(step.run) for step in self.steps if not all(p.no_cache or self._is_off(c) for c, p in step.wants)}
        fillers = [user for user in users if id(user.run) in filling]
        return common.handed_on(self.facts, fillers, users, "pip", "cache-was-filled")

    def _looked_in(self, step: _Step) -> Iterator[str]:
        """The cache directories of a step that are not in a cache mount; none if they are not known."""
        try:
            places = self._places(step)
        except Stop:
            return
        for target in places:
            try:
                if common.mounted(self.facts.mounts(step.run), target) is None:
                    yield target
            except Stop:  # something else is mounted there, and what it holds may be what pip looks for
                yield target

    def _read_later(self, step: _Step, target: str) -> None:
        key = (step.stage.index, target)
        if key not in self.readers:
            self.readers[key] = self._reader(step, target)
        stop = self.readers[key]
        if stop is not None:
            raise stop

    def _reader(self, step: _Step, target: str) -> Stop | None:
        names = () if self.facts.links else tuple(map(basename, made_by_pip(target)))
        for reader in self.facts.readers(step.stage, target, step.run, names):
            if reader.call is not None and _empties(reader.call):
                # What a step leaves that cannot have a mount is there for it.
                if reader.call.fatal and not self._leaves(reader, target):
                    because = "it fails where there is nothing to remove, as the cache of pip would not be there"
                    return Stop("cache-is-read", reader.span, because)
            elif self._matters(reader, target):
                because = f"it reads {reader.path if isinstance(reader.path, Known) else 'what may be the cache'}"
                return Stop("cache-is-read", reader.span, f"{because}, where the cache of pip will not be any more")
        for call, pattern, hit in common.removed_later(self.facts, step.run, target):
            if hit is Reach.OWN or not there(pattern, target):
                return Stop("cache-is-read", span_of(call), "without -f it fails where there is nothing to remove")
        place = needs_made(self.facts, step.stage, step.run, target, self._fills_cache)
        if place is not None:
            because = f"it writes where only pip has made a directory: {dirname(target)} will not be there any more"
            return Stop("cache-is-read", place, because)
        return None

    def _fills_cache(self, call: Call) -> bool:
        pip = pip_of(call)
        return pip is not None and pip.needs_cache and not pip.no_cache and not self._is_off(call)

    def _leaves(self, reader: Reader, target: str) -> bool:
        """Whether a `find` comes to a directory that is there without the cache: one that all have, or one that pip has
        filled before it in the same step, which gets no mount then."""
        if reader.relation == "above" and isinstance(reader.path, Known) and there(reader.path.value, target):
            return True
        step = next((each for each in self.steps if each.run is reader.instruction), None)
        return step is not None and any(
            not pip.no_cache and not self._is_off(call) and not call.conditional and call.span[0] < reader.span.start
            for call, pip in step.wants
        )

    def _matters(self, reader: Reader, target: str) -> bool:
        if reader.through_mount is not None or reader.kind == "env":
            return False
        if reader.call is not None and (reader.call.program in common.REMOVERS or pip_of(reader.call) is not None):
            return False
        if reader.relation in ("same", "inside"):
            return True
        named = reader.kind in ("copy", "mount")
        if reader.relation == "unknown":
            return named
        # A directory above: it is there without the cache, unless pip alone would have made it.
        return not isinstance(reader.path, Known) or not there(reader.path.value, target)

    def _follows(self, step: _Step) -> bool:
        """Whether a step that only purges comes behind one of ours that gets a mount."""
        self.facts.charge(len(self.steps) // PASSED)
        return any(other.mounts and _precedes(other, step) for other in self.steps)

    def _purge(self, step: _Step) -> None:
        others = [call for call in step.calls if call.program not in ("true", ":", "echo", "exit")]
        purging = {id(call) for call, pip in step.pips if pip.purges}
        if all(id(call) in purging for call in others):
            script = self.facts.script(step.run)
            script = script if isinstance(script, Script) else None
            step.edits.append(remove_instruction(self.file, step.run, script))
        else:
            doomed = [call for call, pip in step.pips if pip.purges]
            step.edits += common.remove_calls(self.file, doomed, step.calls)
        _note(step, "pip cache purge")
        for call, pip in step.pips:
            directory = cache_directory(pip, call.cwd, partial(self._seen, call))
            if pip.purges and isinstance(directory, Known):
                step.purged.append(directory.value)


def _note(step: _Step, what: str) -> None:
    if what not in step.dropped:
        step.dropped.append(what)


def _flag(run: Run, name: str) -> str | None:
    return next((flag.value for flag in run.flags if flag.name == name), None)


def _value(facts: Facts, env: Env, pair: Pair) -> Value:
    return facts.state(env).expand(pair.value.value, facts.file.escape) if pair.value is not None else Known("")


# --- directories ---------------------------------------------------------------------------------------------------

def _fills(writer: Writer, target: str) -> bool:
    """Whether somebody but pip puts something into the cache: by its own name, or by that of a directory of caches. (A
    `find` that removes may write anything, as far as its effects tell.)"""
    own = writer.call is not None and (pip_of(writer.call) is not None or _empties(writer.call))
    if own or not common.puts_files(writer):
        return False
    caches = isinstance(writer.path, Known) and basename(writer.path.value) in (".cache", "cache")
    return writer.relation in ("same", "inside") or (writer.relation in ("above", "unknown") and caches)


def _projects(call: Call) -> Iterator[str]:
    """The directories among a call's words, as `.` and `./libs/tool[extra]`."""
    texts = texts_of(call)
    for each in said(call):
        # The brackets make a pattern of it, as far as the file says.
        text = each.text if each.whole or each.joined else texts[each.at].strip("\"'")
        place = local_place(text)
        if place is not None and (each.option in EDITABLE or (not each.option and place.startswith((".", "/")))):
            yield place


def _odd(target: str, call: Call) -> bool:
    """A directory that is not only pip's: by its name, or because the command works in it."""
    if not common.plain(target) or target in common.STANDARD:
        return True
    if not re.search(r"cache|pip", "/".join(target.split("/")[-2:]), re.IGNORECASE):
        return True
    return isinstance(call.cwd, Known) and below(call.cwd.value, target)


def _empties(call: Call) -> bool:
    """Whether it is a `find` that removes what it finds, and does nothing else with it."""
    texts = texts_of(call)
    after = dict(pairwise(texts))
    runs = [after.get(text) for text in texts if text in ("-exec", "-execdir")]
    if call.program != "find" or not ("-delete" in texts or runs):
        return False
    return all(each in common.REMOVERS for each in runs)


def _system(facts: Facts, stage: Stage) -> str:
    """"alpine", another release of a distribution, or "" where the file does not say it."""
    if _alpine(facts, stage):
        return "alpine"
    root = stage.root
    return (release_of(root) if isinstance(root, BaseImage) else None) or ""


def _alpine(facts: Facts, stage: Stage) -> bool:
    """Whether programs that are built in this stage are linked with musl: its base is Alpine, or `apk` is at work."""
    root = stage.root
    if isinstance(root, BaseImage) and root.family is not None:
        return root.family == "alpine"
    if not facts.mentions("apk"):
        return False
    for each in stage.lineage:
        for instruction in each.instructions:
            calls = facts.calls(instruction) if isinstance(instruction, Run) else ()
            if not isinstance(calls, OpaqueScript) and any(c.program == "apk" and not c.conditional for c in calls):
                return True
    return False


# --- together ------------------------------------------------------------------------------------------------------


def _precedes(a: _Step, b: _Step) -> bool:
    """Whether what `a` leaves is there when `b` runs."""
    if a.stage is b.stage:
        return a.run.keyword.start < b.run.keyword.start
    return a.stage in b.stage.lineage


def _other_runner(facts: Facts, plan: _Plan, env: Env, group: Sequence[_Step]) -> tuple[str, int] | None:
    """What runs pip in a shipped stage under `env` where no mount would be, and the place of it in the file."""
    mounted = {id(step.run) for step in group}
    first = facts.stage_of(env)
    stages = [first] if first is not None else []
    for stage in stages:
        stages.extend(stage.derived)
        if not stage.shipped:
            continue
        for instruction in stage.instructions[facts.index_of(env) + 1 if stage is first else 0 :]:
            if id(instruction) in mounted:
                continue
            if isinstance(instruction, Onbuild) and _is_mentioned(instruction.code):
                return "ONBUILD", instruction.keyword.start
            if not isinstance(instruction, Run):
                continue
            calls = facts.calls(instruction)
            if isinstance(calls, OpaqueScript):
                if _is_mentioned(instruction.code):
                    return "a script that is not understood", instruction.keyword.start
                continue
            unseen = {id(call) for call in scripts(facts, instruction) if not is_fetching_script(call)}
            for call in calls:
                if starts_pip(call, unseen, partial(plan.code, instruction)):
                    return call.program or "it", call.span[0]
    return None


def _groups(facts: Facts, steps: Sequence[_Step]) -> list[list[_Step]]:
    """Steps that must change together: those under one ENV, and those before one purge."""
    leader = list(range(len(steps)))

    def find(index: int) -> int:
        while leader[index] != index:
            leader[index] = leader[leader[index]]
            index = leader[index]
        return index

    seen: dict[int, int] = {}
    for index, step in enumerate(steps):
        for _, pair in step.pairs:
            other = seen.setdefault(id(pair), index)
            leader[find(index)] = find(other)
        if not step.wants:
            facts.charge(len(steps) // PASSED)
            for before, other_step in enumerate(steps):
                if other_step.wants and _precedes(other_step, step):
                    leader[find(index)] = find(before)
    groups: dict[int, list[_Step]] = {}
    for index, step in enumerate(steps):
        groups.setdefault(find(index), []).append(step)
    return list(groups.values())
