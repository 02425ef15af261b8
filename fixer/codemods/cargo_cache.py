"""cargo-cache: see the class."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import ClassVar

from fixer.analysis import REASONS, BaseImage, Call, Facts, Known, Mount, Reader, Stage, Unknown, Value, below
from fixer.analysis.brought import Brought
from fixer.analysis.context import BuildContext
from fixer.analysis.programs import find_actions
from fixer.analysis.tools.cargo import Cargo, cargo_of
from fixer.analysis.tools.workspace import is_offline
from fixer.codemods import common
from fixer.codemods.altered import alters
from fixer.codemods.api import Builder, Change, Codemod, Refusal, Settings
from fixer.codemods.artifact_readers import Need, need_of
from fixer.codemods.cargo_commands import Scripts, calls_cargo, runs_cargo, words_of
from fixer.codemods.cargo_keys import arguments_of, between, keys_of, may_have_keys, takes_away
from fixer.codemods.cargo_steps import cargo_home, downloads, files_before, in_the_name_of
from fixer.codemods.common import Downloads, Owner, Reach, Stop
from fixer.text.edits import Edit
from fixer.text.records import dataclass, field
from fixer.text.regex import regex
from fixer.text.source import Span
from fixer.tree.editor import add_mounts
from fixer.tree.nodes import Cmd, Entrypoint, Healthcheck, Instruction, JsonString, Onbuild, Run, ShellForm
from fixer.tree.shell import OpaqueScript


class CargoCache(Codemod):
    """Keep the crates that cargo downloads in cache mounts.

    What it does

    Every RUN in which cargo may download crates gets two cache mounts, at `registry` and `git/db` of the CARGO_HOME in
    force there. A clean-up of these directories in the same step goes: it would empty the cache, or end the build,
    because what is mounted cannot be removed.

        RUN cargo build --release

    becomes

        RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=private \\
            --mount=type=cache,target=/usr/local/cargo/git/db,sharing=private \\
            cargo build --release

    Why it is safe

    Both directories hold nothing but downloads, which cargo checks and can get again. Its lock is a file of the cargo
    home, which is in no mount, so that two builds that unpack a crate into the same cache at once would fail ("File
    exists"): a step that runs while another one has the cache gets one of its own (`sharing=private`), and does not
    wait. What cargo builds, and what it installs, is elsewhere and stays where it is. Nobody reads
    the directories where the mounts are not, and no step builds offline from what another one fetched.

    For a user who is not root all of `git` is mounted: what is made between it and a mount would belong to root while
    the step runs.

    On builders that keep nothing but layers, a step that fetches or compiles the dependencies for a later one, as
    `cargo fetch`, `cargo chef cook` and a build of an empty `main` do, and what comes after it, are left as they are:
    its layer holds the downloads too, and behind a mount, which is empty there, each build would fetch them again.

    What changes in the image

    Downloaded crates are no part of it any more. Nothing else.

    When it refuses

    When some step of the file is offline, also by the project's own configuration; when the image is there to run
    cargo: by its own command, by that of a service of Compose, by a script of the context that one of them names, or
    where another image gets the cargo home; when one step has a key to the crates (a secret, an agent, a file that goes
    again) and a later one has not; when the place of CARGO_HOME or the number of the user is not in the file;
    when something else of the step removes the cargo home, or empties it.

    Sources: the Cargo book ("Cargo Home"), cargo 1.95 and BuildKit v0.25 on a real engine.
    """

    id = "cargo-cache"
    words = ("cargo",)
    reasons: ClassVar[Mapping[str, str]] = {
        **common.REASONS,
        "sudo": "It is run by sudo or su: the cargo home is another user's.",
        "offline-step": "A step of the file is offline, or may be, and takes what an earlier one has fetched.",
        "cargo-at-run-time": "The image is there to run cargo, with the crates that are in it.",
        "key-of-another-step": "One step has a key to the crates, and a later one, which finds them, has none.",
        "registry-is-changed": "Something else than cargo puts files into its downloads, and a mount would hide them.",
        "unknown-cargo-home": f"Where CARGO_HOME is cannot be told. {common.OWN_IMAGE}",
        "home-is-roots": "The cargo home of a user who is not root is not there yet, and would be made by root.",
    }

    def run(self, facts: Facts, settings: Settings) -> Iterator[Change | Refusal]:
        steps: list[_Step] = []
        for stage in facts.stages:
            for instruction in stage.instructions:
                found = _step(facts, stage, instruction)
                if isinstance(found, Stop):
                    yield self._refusal(found)
                elif found is not None:
                    steps.append(found)
        open_ = [step for step in steps if not _is_mounted(facts, step)]
        if settings.builder is Builder.EPHEMERAL:
            kept = [step for step in open_ if _serves_others(step, steps)]
            open_ = [step for step in open_ if not any(_is_behind(step, other) for other in kept)]
        if not open_:
            return
        stop = _whole_file(facts, settings.context)
        if stop is not None:
            yield self._refusal(stop)
            return
        plan = _Plan(facts, steps, settings.context)
        for step in open_:
            plan.prepare(step)
        said: set[tuple[str, Span]] = set()
        for step in open_:
            try:
                edits = plan.edits(step)
            except Stop as found:
                if (found.reason, found.span) not in said:
                    said.add((found.reason, found.span))
                    yield self._refusal(found)
                continue
            if edits:
                edits.sort(key=lambda edit: edit.start)
                where = alters(facts, [(step.stage, target) for target in step.mounts])
                yield Change(self.id, _title(step), _WHY, step.run.span, tuple(edits), alters=where)

    def _refusal(self, stop: Stop) -> Refusal:
        return Refusal(self.id, stop.reason, stop.span, stop.because)


_WHY = (
    "cargo takes the crates that it has downloaded before from the mounts, which are no part of the image; nobody "
    "reads them elsewhere, and empty ones do as well"
)


@dataclass(slots=True)
class _Step:
    """A RUN in which cargo may fetch. fetching: those calls, each with its CARGO_HOME. mounts: the targets that it
    gets. dropped: whether a clean-up goes."""

    stage: Stage
    run: Run
    calls: tuple[Call, ...]
    fetching: list[tuple[Call, Cargo, Value]]
    mounts: list[str] = field(default_factory=list)
    dropped: bool = False


def _title(step: _Step) -> str:
    text = f"mount cargo's downloads at {' and '.join(step.mounts)}"
    return f"{text}, drop the clean-up of them" if step.dropped else text


# --- finding -------------------------------------------------------------------------------------------------------

_CALL = regex(
    r"\bcargo[\"']?,?\s+(?:[+-]\S+\s+)*"
    r"([\"']?(?:build|b|test|t|run|r|check|c|install|fetch|doc|bench|clippy|rustc|update)\b)?"
)


def _is_mentioned(text: str) -> bool:
    """Whether a text that is not understood has a call in it. What looks like options is gone through once."""
    return any(call[1] for call in _CALL.finditer(text))


def _step(facts: Facts, stage: Stage, instruction: Instruction) -> _Step | Stop | None:
    """The calls of a RUN that fetch; Stop if there are some and nothing can be done about them."""
    trigger = isinstance(instruction, Onbuild)
    run = instruction.inner if isinstance(instruction, Onbuild) else instruction
    if not isinstance(run, Run) or run.form is None or "cargo" not in run.code.lower():
        return None
    calls = facts.calls(run)
    if isinstance(calls, OpaqueScript):
        script = run.form.script.value if isinstance(run.form, ShellForm) else run.code
        if trigger or not _is_mentioned(script + "".join(heredoc.body.text for heredoc in run.heredocs)):
            return None
        because = f"the script runs cargo, and it is not understood: {REASONS.get(calls.why, calls.why)}"
        return Stop("opaque-script", Span(calls.start, calls.end), because)
    fetching = []
    for call in calls:
        cargo = cargo_of(call)
        if cargo is not None and cargo.fetches:
            fetching.append((call, cargo, cargo_home(facts, call, run)))
    if not fetching:
        other = None if trigger else in_the_name_of(calls)
        because = "another user runs cargo, in an environment that is not seen"
        return None if other is None else Stop("sudo", Span(*other.span), because)
    if trigger:
        if facts.mounts(run):
            return None
        return Stop("onbuild", run.span, "it runs in the builds of other files, as a user that this file does not know")
    return _Step(stage, run, calls, fetching)


def _is_mounted(facts: Facts, step: _Step) -> bool:
    """Whether all that its calls download has a mount: of the registry, of a part of it, or of the whole cargo home."""
    mounts = facts.mounts(step.run)
    return all(
        isinstance(home, Known) and _covered(mounts, f"{home.value}/registry")
        for _, _, home in step.fetching
    )


def _serves_others(step: _Step, steps: Sequence[_Step]) -> bool:
    """Whether the layer of the step may be kept for what it downloads: it is made of a project, not of a tool that is
    installed, and a later step that fetches starts from it. What is cooked always is: to build from."""
    if not _of_project(step):
        return False
    if any(cargo.subcommand == "chef-cook" for _, cargo, _ in step.fetching):
        return True
    return any(other is not step and _is_behind(other, step) for other in steps)


def _of_project(step: _Step) -> bool:
    """Whether it downloads what a project is made of, and not a tool that is installed."""
    return any(cargo.compiles or cargo.subcommand in ("fetch", "chef-cook") for _, cargo, _ in step.fetching)


def _is_behind(step: _Step, other: _Step) -> bool:
    """Whether what the other step leaves in its layer is there in this one; also for the step itself."""
    if other.stage is step.stage:
        return other.run.keyword.start <= step.run.keyword.start
    return other.stage in step.stage.lineage


def _covered(mounts: Sequence[Mount], target: str) -> bool:
    return any(_serves(mount, target) for mount in mounts)


def _serves(mount: Mount, target: str) -> bool:
    if mount.type != "cache" or mount.problem is not None or not isinstance(mount.target, Known):
        return False
    return below(target, mount.target.value) or below(mount.target.value, target)


# --- what concerns the whole file ----------------------------------------------------------------------------------


def _whole_file(facts: Facts, context: BuildContext) -> Stop | None:
    old = common.takes_mounts(facts.file)
    if old is not None:
        because = f"{old.argument.value.strip()} does not know RUN --mount; docker/dockerfile:1 does"
        return Stop("old-syntax", old.argument.span, because)
    for stage in facts.stages:
        for instruction in stage.instructions:
            if not isinstance(instruction, Run) or "cargo" not in instruction.code.lower():
                continue
            calls = facts.calls(instruction)
            if isinstance(calls, OpaqueScript):
                continue
            files = files_before(facts, stage, instruction, context) if context.at_hand else None
            stop = _offline(facts, instruction, calls, files)
            if stop is not None:
                return stop
    return None


def _offline(facts: Facts, instruction: Run, calls: Sequence[Call], files: Brought | None) -> Stop | None:
    """A step that wants what another one has downloaded."""
    network = any(flag.name == "network" and flag.value == "none" for flag in instruction.flags)
    fetched = False
    for call in calls:
        cargo = cargo_of(call)
        if cargo is None or not cargo.reads_crates:
            continue
        offline = cargo.offline or (files is not None and _by_configuration(facts, instruction, call, cargo, files))
        if not offline and not network:
            fetched = fetched or cargo.fetches
        elif not fetched and (cargo.fetches or offline):
            because = "it is offline, and the crates that it needs would be in a cache that may be empty by then"
            return Stop("offline-step", Span(*call.span), because)
    return None


def _by_configuration(facts: Facts, run: Run, call: Call, cargo: Cargo, files: Brought) -> bool:
    """Whether the project's own configuration, or that in the cargo home, says that cargo is offline, and the
    environment does not say otherwise."""
    if not isinstance(cargo.cwd, Known) or call.lookup("CARGO_NET_OFFLINE") == Known("false"):
        return False
    home = cargo_home(facts, call, run)
    return is_offline(files, cargo.cwd.value, home.value if isinstance(home, Known) else None)


# --- planning ------------------------------------------------------------------------------------------------------


class _Plan:
    """Works out what a step gets, or why it cannot."""

    def __init__(self, facts: Facts, steps: Sequence[_Step], context: BuildContext) -> None:
        self.facts = facts
        self.context = context
        self.file = facts.file
        self.steps = steps
        self.known_mounts = common.known_mounts(facts, [step.run for step in steps])
        self.registry_only = any(self._has_registry_only(step) for step in steps)
        self.readers: dict[tuple[int, str], Stop | None] = {}
        self.taking: dict[int, bool] = {}
        self.run_time: dict[tuple[int, frozenset[str]], Stop | None] = {}
        self.whole_git: set[str] = set()
        """Cargo homes of which all of `git` is mounted, by all steps alike."""
        self.ready: dict[int, tuple[list[Edit], list[Call], dict[str, Owner | None]] | Stop] = {}

    def _has_registry_only(self, step: _Step) -> bool:
        """The file's own choice: a mount of the registry, and none for git."""
        mounts = self.facts.mounts(step.run)
        homes = [home.value for _, _, home in step.fetching if isinstance(home, Known)]
        return any(_covered(mounts, f"{home}/registry") and not _covered(mounts, f"{home}/git/db") for home in homes)

    def prepare(self, step: _Step) -> None:
        """What must be known of all steps before the first one is changed."""
        try:
            homes = self._homes(step)
            self._at_run_time(step)
            for home, owner in homes.items():
                if owner is not None:
                    self._home_is_there(step, home)
            doomed: list[Call] = []
            edits = self._clean_up(step, homes, doomed)
        except Stop as stop:
            self.ready[id(step)] = stop
            return
        self.whole_git.update(home for home, owner in homes.items() if owner is not None)
        self.ready[id(step)] = (edits, doomed, homes)

    def edits(self, step: _Step) -> list[Edit]:
        """Raises Stop if nothing can be done."""
        ready = self.ready[id(step)]
        if isinstance(ready, Stop):
            raise ready
        edits, doomed, homes = ready
        texts: list[str] = []
        for home, owner in homes.items():
            whole = home in self.whole_git or (f"{home}/git", owner) in self.known_mounts
            git = f"{home}/git" if whole else f"{home}/git/db"
            for target in (f"{home}/registry",) if self.registry_only else (f"{home}/registry", git):
                if self._needs(step, target):
                    self._has_key(step)
                    self._read_later(step, home, target)
                    texts.append(downloads(target, owner, self.known_mounts.get((target, owner))))
                    step.mounts.append(target)
        if not texts:
            return []
        if all(cargo.subcommand == "fetch" for _, cargo, _ in step.fetching) and not self._built_later(step):
            because = "no later step is seen to build from what it fetches; one that does so in a script may be offline"
            raise Stop("offline-step", Span(*step.fetching[0][0].span), because)
        if doomed:
            edits += common.remove_calls(self.file, doomed, step.calls)
        return edits + add_mounts(self.file, step.run, texts)

    def _homes(self, step: _Step) -> dict[str, Owner | None]:
        homes: dict[str, Owner | None] = {}
        for call, _, home in step.fetching:
            span = Span(*call.span)
            if "sudo" in call.wrappers or "doas" in call.wrappers:
                raise Stop("sudo", span, "sudo runs it as another user, in an environment that is not seen")
            owner = common.owner_of(call.user, span)
            if isinstance(home, Unknown):
                given = call.lookup("CARGO_HOME")
                reason = "unknown-home" if given is None else "unknown-cargo-home"
                raise Stop(reason, span, f"where cargo keeps its downloads cannot be told: {home.why}")
            if not common.plain(home.value) or home.value == "/":
                raise Stop("unknown-cargo-home", span, f"{home.value} cannot be written in a mount")
            homes[home.value] = owner
        return homes

    def _needs(self, step: _Step, target: str) -> bool:
        """Whether the step lacks a mount at `target`. Raises Stop if something else is mounted there."""
        mounts = self.facts.mounts(step.run)
        if _covered(mounts, target):
            return False
        common.mounted(mounts, target)
        return True

    def _at_run_time(self, step: _Step) -> None:
        homes = frozenset(home.value for _, _, home in step.fetching if isinstance(home, Known))
        key = (step.stage.index, homes)
        if key not in self.run_time:
            self.run_time[key] = self._image_runs_cargo(step.stage, homes)
        stop = self.run_time[key]
        if stop is not None:
            raise stop
        only_fetch = all(cargo.subcommand == "fetch" for _, cargo, _ in step.fetching)
        if step.stage.shipped and only_fetch and not self._built_later(step):
            because = "nothing in the file uses what this fetches, so that it must be there for the image's users"
            raise Stop("cargo-at-run-time", Span(*step.fetching[0][0].span), because)

    def _built_later(self, step: _Step) -> bool:
        return any(
            other is not step and _is_behind(other, step) and any(cargo.compiles for _, cargo, _ in other.fetching)
            for other in self.steps
        )

    def _image_runs_cargo(self, stage: Stage, homes: frozenset[str]) -> Stop | None:
        """The command of an image that is made from this stage, or has its cargo home, if it calls cargo."""
        stages = [stage]
        for each in stages:
            self.facts.charge(1)
            takers = [reader for home in homes for reader in self.facts.takers(each, home)]
            taking = [r.stage for r in takers if r.kind == "copy" and r.relation in ("same", "above")]
            stages.extend(dict.fromkeys(other for other in (*each.derived, *taking) if other not in stages))
            if each.shipped:
                stop = self._command_runs_cargo(each)
                if stop is not None:
                    return stop
        return None

    def _command_runs_cargo(self, stage: Stage) -> Stop | None:
        effective: dict[type[Instruction], Instruction] = {}
        for each in self.facts.passing(stage.lineage):
            for instruction in each.instructions:
                if isinstance(instruction, Cmd | Entrypoint | Healthcheck):
                    effective[type(instruction)] = instruction
        entry = effective.get(Entrypoint)
        before = words_of(entry)
        scripts = Scripts(self.facts, stage, self.context)
        for by, words in stage.commands:
            if runs_cargo(self.facts, words) or runs_cargo(self.facts, [*before, *words]) or scripts.run_cargo(words):
                because = f"{by} runs cargo in the image, which would have to download all crates again"
                return Stop("cargo-at-run-time", stage.from_.span, because)
        because = "the image runs cargo, which would have to download all crates again"
        command = effective.get(Cmd)
        if command is not None and before and runs_cargo(self.facts, [*before, *words_of(command)]):
            return Stop("cargo-at-run-time", command.span, because)
        for instruction in effective.values():
            calls = self.facts.image_calls(instruction, stage)
            if isinstance(calls, OpaqueScript) and _is_mentioned(instruction.code):
                return Stop("cargo-at-run-time", instruction.span, because)
            for call in () if isinstance(calls, OpaqueScript) else calls:
                known = [word.value if isinstance(word, Known) else None for word in call.words]
                if calls_cargo(known) or scripts.run_cargo(known):
                    return Stop("cargo-at-run-time", Span(*call.span), because)
        return None

    def _home_is_there(self, step: _Step, home: str) -> None:
        """For a user who is not root the cargo home must be there, or the mount's parents would be made by root."""
        if self._has_home(step, home):
            return
        because = f"{home} may not be there yet: the mount would make it, as root's, and cargo could not write to it"
        raise Stop("home-is-roots", Span(*step.fetching[0][0].span), because)

    def _has_home(self, step: _Step, home: str) -> bool:
        """Whether the base image has the cargo home, or an earlier step has put cargo there."""
        root = step.stage.root
        if isinstance(root, BaseImage) and _image_has(root, step, home):
            return True
        name = step.fetching[0][0].user.name
        for stage in self.facts.passing(step.stage.lineage if self.facts.mentions("rustup") else ()):
            for instruction in stage.instructions:
                if instruction is step.run:
                    return False
                if not isinstance(instruction, Run) or "rustup" not in self.facts.file.source_of(instruction):
                    continue
                if self.facts.state(instruction).user.name == name and not self.facts.mounts(instruction):
                    return True
        return False

    # --- who else is there -----------------------------------------------------------------------------------------

    def _clean_up(self, step: _Step, homes: Mapping[str, Owner | None], doomed: list[Call]) -> list[Edit]:
        """Edits that take clean-ups of the downloads out; `doomed` gets the commands that go whole."""
        edits: list[Edit] = []
        own = {id(call) for call, _, _ in step.fetching}
        names = ("registry",) if self.registry_only else ("registry", "git")
        temporary = common.temporary_names(self.facts, step.run)
        for call in step.calls:
            if _empties(call):
                because = "cargo-cache would empty what the mounts keep for all builds"
                raise Stop("cleanup", Span(*call.span), because)
            if id(call) in own:
                continue
            if call.program not in common.REMOVERS:
                self._other_use(step, call, homes)
                continue
            words = list(common.operands(call)) if common.removes_directories(call) else []
            drop = []
            for index in words:
                node = call.nodes[index]
                if common.is_temporary(node, temporary):
                    continue
                pattern, whole = common.pattern_of(call, node)
                for home in homes:
                    hits = {name: common.reach(pattern, whole, f"{home}/{name}") for name in names}
                    if Reach.UNKNOWN in hits.values():
                        because = "what this removes cannot be told, and it may be cargo's downloads"
                        raise Stop("cleanup", common.node_span(node), because)
                    if Reach.WIDE in hits.values():
                        because = f"it removes more than the downloads in {home}, and what is mounted cannot be removed"
                        raise Stop("cleanup", common.node_span(node), because)
                    if Reach.OWN in hits.values():
                        drop.append(index)
                    if hits.get("git") is Reach.OWN and common.reach(pattern, whole, f"{home}/git/db") is not Reach.OWN:
                        self.whole_git.add(home)
            if not drop:
                continue
            step.dropped = True
            if len(drop) == len(words) or isinstance(call.nodes[0], JsonString):
                doomed.append(call)
            else:
                edits += common.remove_words(self.file, call, drop)
        return edits

    def _other_use(self, step: _Step, call: Call, homes: Mapping[str, Owner | None]) -> None:
        for home in homes:
            there = common.STANDARD | {home} if self._has_home(step, home) else common.STANDARD
            made = common.finds_it_made(self.facts, call, f"{home}/registry", there)
            if made is not None:
                because = f"it makes a directory that is there already where {home}/registry is mounted"
                raise Stop("cleanup", made, because)
        hits = []
        for effect in self.facts.call_effects(call):
            if not isinstance(effect.path, Known) or effect.extent == "unknown":
                continue
            path = effect.path.value
            for home in homes:
                inside = any(below(path, f"{home}/{name}") for name in ("registry", "git"))
                if inside or (below(home, path) and effect.extent == "tree" and effect.mode == "remove"):
                    hits.append(effect)
        if hits:
            worst = next((effect for effect in hits if effect.mode != "read"), hits[0])
            reason = "cache-is-read" if worst.mode == "read" else "cleanup"
            because = f"{call.program or 'it'} uses cargo's downloads, or a directory that holds them, in the same step"
            raise Stop(reason, worst.span, because)

    def _has_key(self, step: _Step) -> None:
        """Raises Stop if the step, or a later one, could fetch its crates only with what it has not."""
        stop = self._lent.get(id(step.run))
        if stop is not None:
            raise stop

    @cached_property
    def _lent(self) -> dict[int, Stop]:
        """By the ids of the RUNs: why a step that downloads into its layer with a key, and a later one that finds the
        crates there and has no key, must stay as they are."""
        found: dict[int, Stop] = {}
        steps = [step for step in self.steps if _of_project(step) and not _is_mounted(self.facts, step)]
        if len(steps) < 2 or not may_have_keys(self.facts):
            return found
        keys = {id(step): keys_of(self.facts, step.run, step.calls) for step in steps}
        for at, first in enumerate(steps):
            for later in steps[at + 1 :]:
                self.facts.charge(1)
                if later.run is first.run or not _is_behind(later, first):
                    continue
                if not self._is_lent(first, later, keys[id(first)] - keys[id(later)]):
                    continue
                line = self.file.position(first.run).line
                because = f"the step in line {line} can reach crates that this one may not be able to fetch by itself"
                found.setdefault(id(later.run), Stop("key-of-another-step", Span(*later.fetching[0][0].span), because))
                because = "a later step finds the crates in its layer, and has not what lets this one fetch them"
                found.setdefault(id(first.run), Stop("key-of-another-step", Span(*first.fetching[0][0].span), because))
        return found

    def _is_lent(self, first: _Step, later: _Step, lent: set[str]) -> bool:
        if lent or arguments_of(self.facts, first.run) - arguments_of(self.facts, later.run):
            return True
        return any(self._takes_away(run) for run in between(self.facts, first.run, later.run, later.stage))

    def _takes_away(self, run: Run) -> bool:
        """Asked for each pair of steps that it stands between."""
        if id(run) not in self.taking:
            self.taking[id(run)] = takes_away(self.facts, run)
        return self.taking[id(run)]

    @cached_property
    def _handed_on(self) -> dict[int, Stop]:
        """By the ids of the RUNs: why one that downloads into its layer, and one to which a COPY brings that, must stay
        as they are. What the one was given to reach the crates, a key or a token, the other may not have."""
        if len(self.facts.stages) < 2:
            return {}
        users = [Downloads(step.stage, step.run, target) for step in self.steps for target in self._downloads(step)]
        filling = {id(step.run) for step in self.steps if _of_project(step)}
        fillers = [user for user in users if id(user.run) in filling]
        return common.handed_on(self.facts, fillers, users, "cargo", "registry-is-changed")

    def _downloads(self, step: _Step) -> list[str]:
        """Where a step downloads to without a mount; nothing if that is not known."""
        if _is_mounted(self.facts, step):
            return []
        homes = dict.fromkeys(home.value for _, _, home in step.fetching if isinstance(home, Known))
        return [f"{home}/{name}" for home in homes for name in ("registry", "git/db")]

    def _read_later(self, step: _Step, home: str, target: str) -> None:
        handed = self._handed_on.get(id(step.run))
        if handed is not None:
            raise handed
        key = (step.stage.index, target)
        if key not in self.readers:
            self.readers[key] = self._reader(step, home, target)
        stop = self.readers[key]
        if stop is not None:
            raise stop

    def _reader(self, step: _Step, home: str, target: str) -> Stop | None:
        # Also those before the step: a crate that somebody patches in the registry would be hidden by the mount.
        for reader in self.facts.readers(step.stage.lineage[0], target):
            if _matters(self.facts, reader, home):
                what = reader.path if isinstance(reader.path, Known) else "what may be the downloads"
                return Stop("cache-is-read", reader.span, f"it reads {what}, where cargo's downloads would be no more")
        for writer in self.facts.writers(step.stage, target):
            part = isinstance(writer.path, Known) and writer.path.value != home and below(writer.path.value, home)
            own = writer.relation in ("same", "inside") or (writer.relation == "above" and part)
            if own and common.puts_files(writer) and not _is_cargo(writer.call):
                because = f"it puts something into {target}, which a mount would hide"
                return Stop("registry-is-changed", writer.span, because)
        for call, _, hit in common.removed_later(self.facts, step.run, target):
            if hit is Reach.OWN:
                return Stop("cache-is-read", Span(*call.span), "without -f it fails where there is nothing to remove")
        return None


def _is_cargo(call: Call | None) -> bool:
    return call is not None and cargo_of(call) is not None


def _image_has(image: BaseImage, step: _Step, home: str) -> bool:
    """Whether the image has this cargo home, so that who compiles can write to it."""
    if not image.known or image.lookup("CARGO_HOME") == Known(home):
        return image.known
    own = isinstance(image.user, Known) and step.fetching[0][0].user.name == image.user.value
    return own and home in image.made


def _empties(call: Call) -> bool:
    """Whether cargo-cache is told to remove something (its README, "Usage")."""
    words = [word.value if isinstance(word, Known) else "" for word in call.words]
    if call.program == "cargo" and words[1:2] == ["cache"]:
        words = words[1:]
    elif call.program != "cargo-cache":
        return False
    options = {word.partition("=")[0] for word in words[1:]}
    return bool(options & {"-r", "-a", "-e", "--remove-dir", "--autoclean", "--autoclean-expensive", "trim"})


_CHANGES = frozenset(("chmod", "chown", "chgrp", "touch"))


def _matters(facts: Facts, reader: Reader, home: str) -> bool:
    if reader.through_mount is not None or reader.kind == "env":
        return False
    if reader.call is not None and (reader.call.program in common.REMOVERS or _is_cargo(reader.call)):
        return False
    if reader.relation in ("same", "inside"):
        return True
    if reader.relation == "unknown":
        return reader.kind in ("copy", "mount")
    # cargo keeps other things in its home, too, so that it is there, and so is what it is copied for.
    if reader.call is not None and reader.call.program == "find" and reader.path != Known("/"):
        return not find_actions(reader.call) & _CHANGES and need_of(facts, reader) not in (Need.LOOK, Need.NONE)
    return not isinstance(reader.path, Known) or not below(home, reader.path.value)
