"""cargo-target-cache: see the class."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from posixpath import basename, dirname
from typing import ClassVar

from fixer.analysis import BaseImage, Call, Facts, Known, Stage, Unknown, UserState, Value, below, join, related
from fixer.analysis.paths import Effect, Reader
from fixer.analysis.programs import ABOUT_THE_SYSTEM, ONLY_LOOK
from fixer.analysis.tools.cargo import OWN_DIRECTORIES, Cargo, Written, cargo_of
from fixer.analysis.tools.workspace import has_dev_dependencies
from fixer.codemods import common
from fixer.codemods.altered import alters, put_by, settings_of
from fixer.codemods.api import Alters, Builder, Change, Codemod, Refusal, Settings
from fixer.codemods.artifact_ends import sees
from fixer.codemods.artifact_readers import runs_stranger
from fixer.codemods.artifacts import REASONS as SHARED
from fixer.codemods.artifacts import (
    Product,
    Stop,
    cargo_calls,
    is_pattern,
    kept,
    located,
    moved_to,
    must_have_run,
    must_not_stand_in,
    names_anywhere,
    place,
    quoted,
    repoint,
    same_text,
    stops_at_failure,
    take_out,
    wants_content,
)
from fixer.codemods.cargo_sources import filled, real_path, roots_of
from fixer.codemods.cargo_steps import (
    Group,
    Step,
    brought,
    calls_of,
    cargo_home,
    chains,
    group_of,
    no_artifact,
    span_of,
)
from fixer.codemods.cargo_words import is_as_told
from fixer.text.edits import Edit
from fixer.text.source import Span
from fixer.tree.editor import add_mounts, insert_before
from fixer.tree.nodes import Directive, ExecForm, Run, Transfer
from fixer.tree.shell import OpaqueScript, Pipeline, Script, Simple, Word


class CargoTargetCache(Codemod):
    """Keep cargo's target directory in a cache mount of the project, and take the programs out of it.

    What it does

    Each step that compiles in the same target directory gets one cache mount on it, for this project alone and
    locked. Before cargo runs, the sources are touched; when it is done, what somebody reads later is moved out of
    the cache, and every reader reads it there.

        RUN cargo build --release
        COPY --from=builder /app/target/release/ledger /usr/local/bin/ledger

    becomes

        RUN --mount=type=cache,id=ledger-target,target=/app/target,sharing=locked \\
            find . -path ./target -prune -o -type f -exec touch {} + && \\
            cargo build --release && mv target/release/ledger /tmp/ledger
        COPY --from=builder /tmp/ledger /usr/local/bin/ledger

    A change of one source file then compiles the project's own crates, and not their 200 dependencies.

    Why it is safe

    Only as a whole. The touch: COPY keeps the dates of files, and a layer from the cache brings those of an older
    build, so that cargo would take changed sources for old ones and hand out the last build's program. It names all
    places to which sources come: from the context, an image or another stage, by `git clone`, `tar` or `mv`, and the
    crates that the manifests name by path, if these are at hand. The id: a
    cache that another project uses can hold a program of the same name. The lock: two builds at once wait for each
    other. The move, in the same step and only after success: a cache is in no layer. If one of these cannot be had,
    nothing is done.

    What is moved comes again: cargo links programs, and the libraries of the project, into the target directory at
    every call. It does not do so with what a build script left there (the library of a dependency, say), which runs
    once: who takes such a file, from there or from the home, is a reason to refuse. Which programs and libraries
    there are say the manifests, if the build context is at hand, and the project's own `.cargo/config.toml` says
    where they are.

    A step that touches its sources itself does not get a second touch; its own spares the cache. A program to which the
    step gives another name goes to its new place under that name. What it copies out itself may be named by variables
    that are arguments of the call that makes it (`cargo build --target $T && cp target/$T/release/ledger /out/`).

    What changes in the image

    Nothing: the stage that compiles is not part of it. A stage whose target directory is part of an image is refused,
    also if that is only built as the target that a file of Compose, a workflow or another file around names.

    What to know

    This is for builders that stay. Where every build has a new one, the cache is empty each time, and only layers help.

    cargo sees another compiler, other options and other sources; it does not see that the system around it changed.
    After a move to another base system with the very same compiler, results of build scripts (the system's OpenSSL,
    say) may be those of the old one: give the mount another id then. Where a build argument chooses the system, the
    cache is named after it.

    When it refuses

    Where the dependencies are kept in a layer already (cargo-chef, a build with an empty `main`), because the mount
    would hide them; without a name for the project (`--project`, or what the command finds); when a reader may take
    more than single products; and for the reasons below.

    Sources: BuildKit v0.25 on a real engine (dates of copied files, identity of caches), cargo 1.95 (freshness by
    date), six builds in a row with and without the touch.
    """

    id = "cargo-target-cache"
    words = ("cargo",)
    builders = frozenset((Builder.PERSISTENT,))
    reasons: ClassVar[Mapping[str, str]] = {
        **SHARED,
        "deps-in-layers": "Dependencies are compiled into a layer before the sources come; a mount would hide them.",
        "half-mounted": "Some steps that compile in this directory have a cache mount on it, and some have not.",
        "mount-elsewhere": "A cache mount looks as if it were meant for the target directory, and is not there.",
        "no-artifact": "Nothing that is compiled here leaves the target directory.",
        "no-find": f"The sources are touched with `find`, and the image may have none. {common.OWN_IMAGE}",
        "no-project-name": "The cache needs a name that no other project on the builder uses.",
        "old-syntax": "The file asks for a frontend that knows no cache mounts, or no variables in them.",
        "reproducible-build": "SOURCE_DATE_EPOCH asks for a build that starts from nothing.",
        "removes-target": "A step removes the target directory, one above it or what it holds; a mount lets that fail.",
        "shipped-stage": "People get this image: the target directory is in it, or what leaves the cache would be.",
        "sources-elsewhere": "Where the sources are, which have to be touched, is not certain.",
        "sources-in-step": "The directory of the sources is made in the very step that compiles them.",
        "target-is-filled": "Something else than cargo puts files into the target directory; a mount would hide them.",
        "unknown-reader": "A later step may read anything in the target directory.",
        "unknown-step": "Another tool, or a command of cargo that is not known, may compile in the same directory.",
        "unknown-target-dir": "Which directory cargo compiles in is not certain, or it cannot be mounted.",
        "unknown-user": "The number of the user who compiles is not known, and the mount has to name it. "
        f"{common.OWN_IMAGE}",
        "variable-base": "A build argument chooses the base image, so that two systems would share the cache.",
        "unwritable-sources": "The user who compiles cannot touch the sources.",
    }

    def run(self, facts: Facts, settings: Settings) -> Iterator[Change | Refusal]:
        families = list(chains(facts))
        taken: set[str] = set()
        for chain in families:
            try:
                group = group_of(facts, chain, settings.context)
                if group is not None:
                    hint = _hint(facts, group, taken) if len(families) > 1 else ""
                    yield self._change(facts, group, settings, hint)
            except Stop as stop:
                yield Refusal(self.id, stop.reason, stop.span, stop.because)

    def _change(self, facts: Facts, group: Group, settings: Settings, hint: str) -> Change:
        _check_place(facts, group)
        _check_links(facts, group)
        roots = [roots_of(facts, step, group.directory) for step in group.steps]
        _find_products(facts, group)
        for step, where in zip(group.steps, roots, strict=True):
            _check_step(facts, step, group)
            _check_home(facts, step, group)
            _check_find(facts, step)
            _check_user(facts, step, where)
        if settings.project is None:
            because = "compiled code of two projects must not meet in one cache: say --project NAME"
            raise Stop("no-project-name", span_of(group.steps[0]), because)
        _check_syntax(facts)
        name = f"{settings.project}{hint}-target{_of_base(facts, group)}"
        edits: list[Edit] = []
        for step, where in zip(group.steps, roots, strict=True):
            mount = _mount(facts, step, group, name)
            edits += _edits(facts, step, group, mount, where)
        for product in group.products:
            edits += repoint(product)
        title = f"keep {group.directory} in a cache of the project"
        return Change(self.id, title, _WHY, group.steps[0].run.span, tuple(edits), alters=_altered(facts, group))


_WHY = (
    "cargo then compiles the project's own crates only; these are touched because it goes by dates, and what is read "
    "later leaves the cache in the same step"
)


# --- what may stand in the way -------------------------------------------------------------------------------------


def _check_place(facts: Facts, group: Group) -> None:
    if not common.plain(group.directory):
        raise Stop("unknown-target-dir", span_of(group.steps[0]), f"{group.directory} cannot be written in a mount")
    for step in group.steps:
        if step.stage.shipped:
            _check_removal(facts, step, group)
            later = facts.writers(step.stage, group.directory, None, step.run)
            if any(w.mode == "remove" and isinstance(w.path, Known) and w.relation in ("same", "above") for w in later):
                because = f"this makes {common.image(step.stage)}, and what leaves the cache would stay in it"
                raise Stop("shipped-stage", span_of(step), because)
            because = f"the target directory is part of {common.image(step.stage)}; a mount would take it out"
            raise Stop("shipped-stage", span_of(step), because)
        parent = dirname(group.directory)
        cargo = step.calls[0][1]
        if cargo.target_dir is None and parent != "/" and not _is_there(facts, step, parent):
            because = f"{parent} is made in this step, where the mount would stand in its way"
            raise Stop("sources-in-step", span_of(step), because)
        for writer in facts.writers(step.stage, group.directory, step.run):
            own = writer.relation in ("same", "inside") and common.puts_files(writer)
            if own and (writer.call is None or cargo_of(writer.call) is None):  # what cargo left can be made again
                because = f"it puts something into {group.directory}, which the mount would hide"
                raise Stop("target-is-filled", writer.span, because)
        there = common.STANDARD | {parent, *_parents(parent)}
        for call in calls_of(facts, step.run):
            made = common.finds_it_made(facts, call, group.directory, there)
            if made is not None:
                because = f"it makes a directory that is there, and not empty, where {group.directory} is mounted"
                raise Stop("sources-in-step", made, because)


def _check_links(facts: Facts, group: Group) -> None:
    """Where a link leads to the target directory, nobody may read there under its own name, which is another one."""
    for step in group.steps:
        real = real_path(facts, step, group.directory)
        if real == group.directory:
            continue
        seen = {reader.span for reader in facts.readers(step.stage, group.directory, step.run)}
        for reader in facts.readers(step.stage, real, step.run):
            takes = reader.relation in ("same", "inside") or (reader.relation == "above" and reader.kind != "run")
            if takes and reader.span not in seen and reader.kind != "symlink" and wants_content(reader):
                because = f"a link leads to the target directory, and this reads it as {real}"
                raise Stop("fixed-reader", reader.span, because)


def _check_home(facts: Facts, step: Step, group: Group) -> None:
    """Nobody may take from the home of who compiles what only the build script of a dependency can have put there: it
    does not run again when cargo finds the dependency compiled."""
    call = step.calls[0][0]
    home, own = call.lookup("HOME"), cargo_home(facts, call, step.run)
    if not isinstance(home, Known) or home.value == "/" or not names_anywhere(facts, home.value):
        return
    compiling = {id(each) for other in group.steps for each, _ in other.calls}
    for reader in facts.readers(step.stage, home.value, step.run):
        if reader.relation != "inside" or not isinstance(reader.path, Known) or reader.through_mount is not None:
            continue
        path = reader.path.value
        cargos = isinstance(own, Known) and below(path, own.value)
        if cargos or related(path, group.directory) or reader.kind not in ("copy", "mount", "run"):
            continue
        writers = [w for w in facts.writers(step.stage, path) if w.mode == "write" and w.content and w.kind != "base"]
        others = [w for w in writers if w.call is None or w.call.program not in ABOUT_THE_SYSTEM]
        if others and all(w.call is not None and id(w.call) in compiling for w in others):
            because = "only a build script can have put it there, which does not run again for what the cache holds"
            raise Stop("not-provably-written", reader.span, because)


def _parents(path: str) -> Iterator[str]:
    while path not in ("/", ""):
        path = dirname(path)
        yield path


def _is_there(facts: Facts, step: Step, directory: str) -> bool:
    """`directory` was made before the step, so that the mount does not stand in the way of what makes it."""
    for instruction, path in brought(facts, step):
        if path is None:
            continue
        if below(path, directory):
            return True
        if isinstance(instruction, Transfer) and below(directory, path):
            return True
    for stage in facts.passing(step.stage.lineage):
        for instruction in stage.instructions:
            if instruction is step.run:
                return False
            if not isinstance(instruction, Run):
                continue
            places = [call.cwd.value for call in calls_of(facts, instruction) if isinstance(call.cwd, Known)]
            if any(below(cwd, directory) for cwd in places):
                return True
    return False


def _check_step(facts: Facts, step: Step, group: Group) -> None:
    """What else the step does with the directory."""
    for call, _ in step.calls:
        must_have_run(call)
        epoch = call.lookup("SOURCE_DATE_EPOCH")
        if isinstance(epoch, Known) or (epoch is not None and epoch.arg is not None):
            because = "SOURCE_DATE_EPOCH asks for a build that can be repeated from nothing; a cache is not nothing"
            raise Stop("reproducible-build", Span(*call.span), because)
        if not call.fatal:
            raise Stop("failure-not-fatal", Span(*call.span), "a failure of this command does not end the step")
    _check_removal(facts, step, group)
    for call, _, hit in common.removed_later(facts, step.run, group.directory):
        if hit is not common.Reach.OWN:
            continue
        if not any(other.run.span.start <= call.span[0] < other.run.span.end for other in group.steps):
            because = "without -f it fails, because nothing is left there to remove"
            raise Stop("removes-target", Span(*call.span), because)


def _check_removal(facts: Facts, step: Step, group: Group) -> None:
    """What the step itself removes, and takes as a whole."""
    effects = facts.effects(step.run)
    compiling = {id(call) for call, _ in step.calls}
    for effect in effects:
        if effect.call is None or id(effect.call) in compiling or effect.through_mount is not None:
            continue
        _check_effect(facts, effect, step, group.directory)
    for call, cargo in cargo_calls(facts, step.run):
        if cargo.subcommand == "clean":
            raise Stop("removes-target", Span(*call.span), "it would empty the cache, and fail to remove the mount")


def _check_effect(facts: Facts, effect: Effect, step: Step, directory: str) -> None:
    program = effect.call.program if effect.call is not None else None
    if not isinstance(effect.path, Known):
        if effect.start.startswith(directory + "/") or _is_meant_there(effect, directory):
            if _links(effect):
                raise Stop("fixed-reader", effect.span, _LINK)
            if is_as_told(facts, step, effect, directory):
                return
            because = "it may take what earlier builds left in the cache: the file does not say exactly what it means"
            raise Stop("glob" if is_pattern(effect.path) else "unknown-path", effect.span, because)
        if effect.mode != "remove" or not effect.start or not directory.startswith(effect.start):
            return
        raise Stop("removes-target", effect.span, "it may remove the directory on which the mount would stand")
    path = effect.path.value
    if program == "find" and effect.mode == "remove" and related(directory, path):
        raise Stop("removes-target", effect.span, "it may remove what cargo keeps in the cache")
    if below(directory, path) and (effect.mode == "remove" or (program == "mv" and effect.mode == "read")):
        raise Stop("removes-target", effect.span, "it removes the directory on which the mount would stand")
    if effect.mode == "remove" and below(path, directory) and basename(path) in OWN_DIRECTORIES:
        raise Stop("removes-target", effect.span, "it would empty the cache at the end of each build")
    if program in ("mv", "rm") and below(path, directory) and _is_left(facts, step, path, moved=program == "mv"):
        because = "cargo does not make it again when a build finds it compiled, and the next build would miss it"
        raise Stop("not-provably-written", effect.span, because)
    if effect.mode == "read" and not effect.implicit and below(directory, path) and _takes_along(effect, directory):
        because = f"it takes {directory} along, which as a cache holds what earlier builds left, too"
        raise Stop("whole-directory", effect.span, because)
    if _links(effect) and below(path, directory):
        raise Stop("fixed-reader", effect.span, _LINK)
    if effect.mode == "read" and effect.extent != "exact" and below(path, directory):
        depth = path[len(directory) :].count("/")
        if depth < 2 and program not in ("ls", "du", "stat", "test", "["):
            because = "a whole directory of the cache holds what earlier builds left, too"
            raise Stop("whole-directory", effect.span, because)


def _is_meant_there(effect: Effect, directory: str) -> bool:
    """Whether a command that stands in the directory may take something of it that is not named: `*.so`, `$X`."""
    cwd = effect.call.cwd if effect.call is not None else None
    named = effect.start or effect.implicit or effect.mode == "write"
    return not named and isinstance(cwd, Known) and below(cwd.value, directory)


def _links(effect: Effect) -> bool:
    """Whether a command makes links instead of copies: `ln`, `cp -l`, `cp -s`."""
    call = effect.call
    if call is None or call.program not in ("ln", "cp"):
        return False
    options = [word.value for word in call.words[1:] if isinstance(word, Known) and word.value.startswith("-")]
    letters = "".join(option for option in options if not option.startswith("--"))
    return call.program == "ln" or bool(set("ls") & {*letters}) or not {"--link", "--symbolic-link"}.isdisjoint(options)


_LINK = "a link into the cache leads nowhere after this step"
_COPIES = frozenset(("cp", "tar", "bsdtar", "rsync", "scp", "zip", "7z", "cpio", "mksquashfs"))
"""Programs that take a directory with all that is below it."""


def _takes_along(effect: Effect, directory: str) -> bool:
    """Whether a command copies or packs the directory with one above it, and does not leave it out by name."""
    call = effect.call
    if call is None or call.program not in _COPIES or effect.extent == "exact":
        return False
    words = [word.value if isinstance(word, Known) else "" for word in call.words]
    leaves_out = any(word.startswith(("--exclude", "-x")) for word in words)
    return not (leaves_out and any(basename(directory) in word for word in words))


def _is_left(facts: Facts, step: Step, path: str, *, moved: bool) -> bool:
    """Whether a build script may have put the file into the target directory, where it is then once; or, if it is moved
    away, anybody but cargo and the step's own commands."""
    if step.provider(path) is not None:
        return False
    if any(effect.mode == "write" and effect.path == Known(path) for effect in facts.effects(step.run)):
        return False
    return moved or any(cargo.provides(path) is Written.LEFT for _, cargo in step.calls)


def _check_user(facts: Facts, step: Step, roots: Sequence[str]) -> None:
    user, runs = _compiler(step), facts.state(step.run).user
    for mount in facts.mounts(step.run):
        if mount.type not in ("bind", "secret") or not mount.read_only or not isinstance(mount.target, Known):
            continue
        if any(related(mount.target.value, root) for root in roots):
            raise Stop("unwritable-sources", mount.flag.word.span, "what is mounted read-only cannot be touched")
    if not user.root and (user.uid is None or user.gid is None):
        because = "the mount has to name the number of the user who compiles, and the file does not say it"
        raise Stop("unknown-user", span_of(step), because)
    if runs.root:
        return
    if (user.name, user.uid) != (runs.name, runs.uid):
        because = "it compiles as another user, whose sources and programs the user of the step cannot touch and move"
        raise Stop("unwritable-sources", span_of(step), because)
    because = "what it brings belongs to another user than the one who compiles and would have to touch it"
    names = (str(user.uid), user.name)
    given = list(_given(facts, step, names)) if facts.mentions("chown") else []
    for instruction, path in brought(facts, step):
        if isinstance(instruction, Transfer) and (path is None or any(related(path, root) for root in roots)):
            owner = next((flag.value for flag in instruction.flags if flag.name == "chown"), None)
            facts.charge(1 + len(given) // 4)
            own, start = (owner or "root").partition(":")[0] in names, instruction.keyword.start
            if not own and not (path and any(start < at and below(path, place) for at, place in given)):
                raise Stop("unwritable-sources", instruction.span, because)
    for fill in filled(facts, step):
        if fill.call is None or not any(below(root, fill.path) or below(fill.path, root) for root in roots[1:]):
            continue
        if (fill.call.user.name, fill.call.user.uid) != (user.name, user.uid):
            raise Stop("unwritable-sources", fill.span, because)


def _given(facts: Facts, step: Step, names: Container[str | None]) -> Iterator[tuple[int, str]]:
    """Where a `chown -R` that runs before the step compiles gives all that is there to the one of these names; with its
    place in the text."""
    before = step.calls[0][0].span[0]
    for stage in facts.passing(step.stage.lineage):
        for instruction in stage.instructions:
            run = instruction if isinstance(instruction, Run) and "chown" in instruction.code else None
            for call in calls_of(facts, run) if run is not None else ():
                if call.span[0] < before and call.program == "chown" and call.fatal and _always_runs(call):
                    yield from ((call.span[0], place) for place in _given_by(call, names))
            if instruction is step.run:
                return


def _given_by(call: Call, names: Container[str | None]) -> Iterator[str]:
    options = [word for word in call.words[1:] if isinstance(word, Known) and word.value.startswith("-")]
    others = [word for word in call.words[1:] if word not in options]
    owner = others[0] if others else None
    if options not in ([Known("-R")], [Known("--recursive")]) or not isinstance(owner, Known):
        return
    if owner.value.partition(":")[0] in names:
        for word in others[1:]:
            place = join(call.cwd, word)
            if isinstance(place, Known):
                yield place.value


def _compiler(step: Step) -> UserState:
    """The user who compiles, in the step's own name or through `sudo`, `runuser` and the like."""
    user = step.calls[0][0].user
    for call, _ in step.calls:
        if (call.user.name, call.user.uid, call.user.gid) != (user.name, user.uid, user.gid):
            because = "several users compile in this step, and the mount can belong to one of them only"
            raise Stop("unknown-user", Span(*call.span), because)
    return user


def _check_find(facts: Facts, step: Step) -> None:
    """`find` is essential in Debian and a part of busybox; small images of other systems come without it."""
    base = step.stage.root
    if isinstance(base, BaseImage) and base.family in ("debian", "alpine", "busybox", "arch"):
        return
    for stage in step.stage.lineage:
        for instruction in stage.instructions:
            if isinstance(instruction, Run) and any(_shows_find(call) for call in calls_of(facts, instruction)):
                return
            if instruction is step.run:
                because = "the sources have to be touched with `find`, which this image may not have"
                raise Stop("no-find", span_of(step), because)


def _shows_find(call: Call) -> bool:
    return call.program in ("find", "apt-get", "apt", "dpkg", "apk") or Known("findutils") in call.words


def _check_syntax(facts: Facts) -> None:
    for item in facts.file.items:
        if isinstance(item, Directive) and item.name.value.lower() == "syntax":
            image, _, tag = item.argument.value.strip().rpartition(":")
            version = tag.split("-")[0].split("@")[0].split(".")
            numbers = [int(part[:9]) for part in version if part.isascii() and part.isdigit()]
            if image.endswith("docker/dockerfile") and (numbers[:1] == [0] or numbers in ([1, 0], [1, 1], [1, 2])):
                raise Stop("old-syntax", item.argument.span, "this frontend is older than what the mount needs")


# --- products ------------------------------------------------------------------------------------------------------


def _find_products(facts: Facts, group: Group) -> None:
    """Everybody who reads in the directory, outside of the steps that will have the mount. Raises Stop for a reader
    of more than a product."""
    runs = {id(step.run) for step in group.steps}
    readers: dict[tuple[int, int], tuple[Reader, list[Step]]] = {}
    for step in group.steps:
        for reader in facts.readers(step.stage, group.directory, step.run):
            if not wants_content(reader):
                continue
            if id(reader.instruction) in runs and _makes_itself(facts, reader, step, group):
                continue
            key = (reader.span.start, reader.span.end)
            readers.setdefault(key, (reader, []))[1].append(step)
    made: dict[tuple[int, str], Product] = {}
    for reader, steps in readers.values():
        if reader.through_mount is not None:
            continue
        if reader.relation == "unknown" and _needs_nothing(reader, group.directory):
            continue
        if reader.relation == "unknown":
            raise Stop("unknown-reader", reader.span, reader.why or "it may read anything in the target directory")
        if reader.relation in ("above", "same"):
            because = "it takes the whole directory, of which nothing would be left without the mount"
            raise Stop("whole-directory", reader.span, because)
        if _in_layer(facts, reader, steps[-1].stage, runs):
            continue
        must_not_stand_in(reader, group.directory)
        product = _product(facts, reader, steps)
        known = made.setdefault((id(product.run), product.path), product)
        same_text(known, reader, product.text)
        known.readers.append(reader)
    group.products = list(made.values())
    for product in group.products:
        _must_stay_the_same(facts, product, group)
        stage = facts.stage_of(product.run)
        if stage is not None:
            place(facts, stage, product, group.products)
    if not group.products and not any(_hands_out(facts, step, group) for step in group.steps):
        last = group.steps[-1]
        raise no_artifact(facts, last, last.calls[0][0], group.directory)


def _makes_itself(facts: Facts, reader: Reader, before: Step, group: Group) -> bool:
    """Whether a later step that will have the mount makes itself what it reads there. What the step `before` has left
    in the cache may be gone by then, or be another build's, so that it has to be read elsewhere if not. Raises Stop
    if nobody knows what is read."""
    call = reader.call
    cargo = cargo_of(call) if call is not None else None
    if (cargo is not None and cargo.known) or reader.through_mount is not None or reader.relation in ("above", "same"):
        return True
    if reader.relation == "unknown":
        if _needs_nothing(reader, group.directory):
            return True
        because = "it may take what the step before has left in the cache, which need not be there any more"
        raise Stop("unknown-reader", reader.span, because)
    if not isinstance(reader.path, Known):
        return False
    path = reader.path.value
    if call is not None and call.program in ONLY_LOOK and _is_directory(path, group.steps):
        return True
    own = next(step for step in group.steps if step.run is reader.instruction)
    made = own.provider(path)
    if made is not None and _ends_before(made[0], reader) and own.makes_it_alone(path, [before]):
        return True
    return _is_made_in_step(facts, own, path, reader)


def _must_stay_the_same(facts: Facts, product: Product, group: Group) -> None:
    """Raises Stop if a later step with the mount writes to the product's path, and not to what it reads; or compiles it
    once more, and perhaps otherwise."""
    made = cargo_of(product.call) if product.call is not None else None
    seen = {(reader.span.start, reader.span.end) for reader in product.readers}
    for step in group.steps:
        if step.run.keyword.start <= product.run.keyword.start:
            continue
        if made is not None and _is_seen(facts, product, step):
            _must_link_the_same(step, made, product.path)
        effects = facts.effects(step.run)
        facts.charge(1 + len(effects) // 20)
        for effect in effects:
            own = effect.mode != "write" or effect.implicit or effect.call is None or effect.call.program == "cargo"
            if not own and effect.path == Known(product.path) and (effect.span.start, effect.span.end) not in seen:
                because = "it changes in the cache what another step makes and what is read elsewhere"
                raise Stop("not-provably-written", effect.span, because)


def _is_seen(facts: Facts, product: Product, step: Step) -> bool:
    """Whether a reader of the product would find without the mount what the step leaves."""
    stage = facts.stage_of(product.run)
    seen = [each for reader in product.readers if stage is not None for each in sees(facts, stage, reader)]
    facts.charge(1 + len(seen) // 20)
    return any(step.stage in each.lineage for each in seen)


def _must_link_the_same(step: Step, made: Cargo, path: str) -> None:
    """Raises Stop if the tests of a later step, or an installation, may link what stands at `path` once more, and
    otherwise: with other features, or those of the dependencies that are there for tests alone."""
    for call, cargo in step.calls:
        if not cargo.links_too(path):
            continue
        tests = cargo.subcommand != "install"
        if not cargo.is_chosen_like(made) or (tests and has_dev_dependencies(step.files, cargo)):
            because = "it may link what is read elsewhere once more, with other features, and the image has that one"
            raise Stop("not-provably-written", Span(*call.span), because)


def _ends_before(call: Call, reader: Reader) -> bool:
    return reader.call is None or call.span[1] <= reader.call.span[0]


def _is_made_in_step(facts: Facts, step: Step, path: str, reader: Reader) -> bool:
    """Whether another command of the step writes to the path before the reader."""
    effects = facts.effects(step.run)
    facts.charge(1 + len(effects) // 20)
    return any(
        effect.mode == "write" and effect.path == Known(path)
        and effect.call is not None and _ends_before(effect.call, reader)
        for effect in effects
    )  # fmt: skip


def _in_layer(facts: Facts, reader: Reader, stage: Stage, mounted: Container[int]) -> bool:
    """A step that will not have the mount puts the file there itself, into a directory that is in the layer."""
    if not isinstance(reader.path, Known) or reader.kind not in ("copy", "mount"):
        return False
    for writer in facts.writers(stage, reader.path.value, None):
        if writer.mode != "write" or writer.relation != "same" or not writer.content:
            continue
        if id(writer.instruction) in mounted:
            continue
        if writer.kind == "copy":
            return True
        for maker in facts.writers(stage, dirname(reader.path.value), writer.instruction):
            made = maker.kind == "workdir" or (maker.call is not None and maker.call.program == "mkdir")
            if made and maker.relation in ("same", "inside") and id(maker.instruction) not in mounted:
                return True
    return False


def _needs_nothing(reader: Reader, directory: str) -> bool:
    """A call of cargo that compiles nothing reads nothing that was compiled; neither does a program that is compiled
    here when it is asked what it is."""
    if reader.call is not None and reader.kind == "run" and len(reader.call.words) == 2:
        program = join(reader.call.cwd, reader.call.words[0])
        if isinstance(program, Known) and below(program.value, directory):
            return reader.call.argument(1) in _ONLY_TELL
    cargo = cargo_of(reader.call) if reader.call is not None else None
    return cargo is not None and cargo.known and not cargo.compiles


_ONLY_TELL = frozenset(("--version", "-V", "--help", "-h"))


def _product(facts: Facts, reader: Reader, steps: Sequence[Step]) -> Product:
    path, text = located(facts, reader, steps[-1].run)
    for at, each in reversed(list(enumerate(steps))):
        copied = _copied_in_step(facts, each, path)
        if copied is not None:
            return Product(each.run, copied, path, text, _verb(facts, each, steps[at + 1 :], path))
    found = [(each, made) for each in steps if (made := each.provider(path)) is not None]
    if not found:
        depth = path.count("/")
        known = any(cargo.target_dir_of(path) for each in steps for _, cargo in each.calls)
        whole = known and (_is_directory(path, steps) or basename(path) in OWN_DIRECTORIES)
        reason = "whole-directory" if whole else "not-provably-written"
        because = "it is not a product that cargo surely leaves there" if depth else ""
        if whole:
            because = "it is a directory of cargo's own, which holds what earlier builds left"
        if any(cargo.provides(path) is not Written.NO for each in steps for _, cargo in each.calls):
            because = "it is no product of the project that cargo leaves there again when a build finds it compiled"
        raise Stop(reason, reader.span, because)
    best = [row for row in found if row[1][1] is Written.YES] or found
    each, made = best[-1]
    if len(found) > 1 and not each.makes_it_alone(path, [other for other, _ in found if other is not each]):
        because = "which of the steps makes it is not certain, and the cache of one may be empty when the other runs"
        raise Stop("not-provably-written", reader.span, because)
    return Product(each.run, made[0], path, text, _verb(facts, each, steps[steps.index(each) + 1 :], path))


def _verb(facts: Facts, step: Step, later: Sequence[Step], path: str) -> str:
    """`mv`, unless a later step may need it in the cache."""
    needed = any(_reads(facts, other, path) or runs_stranger(facts, other.run) for other in later)
    return kept(facts, step.stage, step.run, "cp" if needed else "mv")


def _copied_in_step(facts: Facts, step: Step, path: str) -> Call | None:
    """The last command of the step that makes exactly this file of another, each time it runs: `mv` or `cp` to the
    name under which it is taken, `objcopy`."""
    for effect in reversed(facts.effects(step.run)):
        call = effect.call
        if effect.mode != "write" or effect.path != Known(path) or call is None or effect.site is not call.nodes[-1]:
            continue
        words = [word.value if isinstance(word, Known) else "" for word in call.words]
        operands = [word for word in words[1:] if not word.startswith("-")]
        options = {word.partition("=")[0] for word in words[1:] if word.startswith("-")}
        plain = (call.program in ("cp", "mv") and options <= _PLAIN_OPTIONS) or call.program == "objcopy"
        if plain and len(operands) == 2 and "" not in words and not words[-1].endswith("/") and call.fatal:
            must_have_run(call)
            return call
    return None


_PLAIN_OPTIONS = frozenset(("-f", "-v", "-p", "-a", "-fv", "-vf", "--force", "--verbose", "--preserve"))


def _is_directory(path: str, steps: Sequence[Step]) -> bool:
    for step in steps:
        for _, cargo in step.calls:
            directory = cargo.target_dir_of(path)
            if directory is not None and path[len(directory) + 1 :].count("/") == 0:
                return True
    return False


def _reads(facts: Facts, step: Step, path: str) -> bool:
    return any(e.mode == "read" and e.path == Known(path) for e in facts.effects(step.run))


def _hands_out(facts: Facts, step: Step, group: Group) -> bool:
    """The step itself takes a product out: `cargo install --path`, or a command that reads one."""
    if any(cargo.subcommand == "install" for _, cargo in step.calls):
        return True
    return any(
        effect.mode == "read" and effect.call is not None and effect.call.program != "cargo"
        and effect.start.startswith(f"{group.directory}/")
        for effect in facts.effects(step.run)
    )  # fmt: skip


def _altered(facts: Facts, group: Group) -> Alters:
    """The directory of the cache, the places of the products, and what points to them. The products' content is the
    same."""
    places = [(step.stage, group.directory) for step in group.steps]
    places += moved_to(facts, group.products)
    for product in group.products:
        for reader in product.readers:
            if reader.call is not None and reader.call.program == "ln":
                places += put_by(facts, reader, basename(product.path))
    return alters(facts, places, settings_of(reader for product in group.products for reader in product.readers))


# --- edits ---------------------------------------------------------------------------------------------------------


def _hint(facts: Facts, group: Group, taken: set[str]) -> str:
    """What tells the caches of a file apart, which may be those of different systems: the name of a stage, or of the
    directory, and its number where another cache has that name."""
    stage = group.steps[0].stage
    hint = stage.name or basename(dirname(group.directory)) or f"stage{stage.index}"
    if hint in taken or any(_has_cache(facts, each, f"-{hint}-target") for each in facts.stages):
        hint += str(stage.index)
    taken.add(hint)
    return f"-{hint}"


def _has_cache(facts: Facts, stage: Stage, end: str) -> bool:
    facts.charge(1 + len(stage.instructions) // 20)
    runs = [instruction for instruction in stage.instructions if isinstance(instruction, Run) and instruction.flags]
    mounts = (mount for run in runs for mount in facts.mounts(run) if mount.type == "cache")
    return any(end in str(mount.id) for mount in mounts)


def _of_base(facts: Facts, group: Group) -> str:
    """The build arguments that choose the system on which is compiled, for the name of the cache. Raises Stop if one
    cannot be said there: cargo does not see that the libraries around it are others."""
    bottom = group.stages[0].lineage[0]
    image = bottom.image
    names = image.args if isinstance(image, Known) else frozenset((image.arg,) if image.arg else ())
    out = ""
    for name in sorted(names):
        if _is_compiler(name) or name in _PLATFORM:
            continue
        if any(facts.state(step.run).args.get(name) is None for step in group.steps):
            because = f"{name} chooses the system; without `ARG {name}` in the stage the cache cannot be named after it"
            raise Stop("variable-base", bottom.from_.image.span, because)
        out += f"-${name}"
    return out


_PLATFORM = frozenset(("TARGETARCH", "TARGETPLATFORM", "BUILDPLATFORM", "BUILDARCH"))


def _is_compiler(name: str) -> bool:
    """Whether a build argument is called as one that chooses the version of the compiler, which cargo sees."""
    words = name.upper().split("_")
    return not {"RUST", "RUSTC", "CARGO"}.isdisjoint(words) and words[-1] in _VERSIONS


_VERSIONS = frozenset(("VERSION", "VER", "RUST", "TOOLCHAIN", "CHANNEL"))


def _mount(facts: Facts, step: Step, group: Group, name: str) -> str:
    state = facts.state(step.run)
    for variable in ("TARGETARCH", "TARGETPLATFORM"):
        if state.args.get(variable) is not None:
            name += f"-${variable}"
            break
    fields = ["type=cache", f"id={name}", f"target={group.directory}", "sharing=locked"]
    user = _compiler(step)
    if not user.root:
        fields += [f"uid={user.uid}", f"gid={user.gid}"]
    return ",".join(fields)


def _touch(facts: Facts, step: Step, roots: Sequence[str], directory: str, cwd: Value) -> str:
    """The command that touches all files below `roots` but not those of the caches. (`find` goes by the directory that
    is meant, also if a link leads to the current one; and it follows no link that it is given.)"""
    here = real_path(facts, step, cwd.value) if isinstance(cwd, Known) else None
    names = ["." if root == here else quoted(root) for root in roots]
    prune = ""
    for spared in _spared_directories(facts, step, roots, directory):
        for root, name in zip(roots, names, strict=True):
            if below(spared, root):
                prune += f" -path {name}{spared[len(root) :]} -prune -o"
                break
    return f"find {' '.join(names)}{prune} -type f -exec touch {{}} +"


def _spared_directories(facts: Facts, step: Step, roots: Sequence[str], directory: str) -> list[str]:
    """What holds no sources and may stand below `roots`: the target directory, other caches of the step, which other
    builds may be changing, what cargo has downloaded, and toolchains."""
    places = [mount.target.value for mount in facts.mounts(step.run)
              if mount.type == "cache" and isinstance(mount.target, Known)]  # fmt: skip
    call = step.calls[0][0]
    cargos = cargo_home(facts, call, step.run)
    if isinstance(cargos, Known):
        places += [cargos.value, f"{cargos.value}/registry", f"{cargos.value}/git"]
    home = call.lookup("HOME")
    rustups = call.lookup("RUSTUP_HOME") or (join(home, Known(".rustup")) if home is not None else None)
    if isinstance(rustups, Known):
        places.append(rustups.value)
    found = [real_path(facts, step, directory)]
    for path in sorted((real_path(facts, step, each) for each in places), key=len):
        inside = any(below(path, root) for root in roots) and path not in roots and common.plain(path)
        if inside and not any(below(path, each) for each in found):
            found.append(path)
    return found


def _edits(facts: Facts, step: Step, group: Group, mount: str, roots: Sequence[str]) -> list[Edit]:
    file = facts.file
    run = step.run
    products = [product for product in group.products if product.run is run]
    call = step.calls[0][0]
    if isinstance(run.form, ExecForm):
        touch = _touch(facts, step, roots, group.directory, call.cwd)
        return [*add_mounts(file, run, [mount]), *take_out(facts, run, products, before=touch)]
    script = facts.script(run)
    if not isinstance(script, Script):
        raise Stop("opaque-script", run.span, "the step's script is not understood")
    pipeline = _top_pipeline(script, call)
    if pipeline is None:
        raise Stop("opaque-script", Span(*call.span), "what stands around this command is not understood")
    plain = pipeline.commands[0]
    own = len(pipeline.commands) == 1 and isinstance(plain, Simple) and plain is call.simple
    edits = add_mounts(file, run, [mount])
    touched = _touched_already(facts, step, group.directory, roots)
    if touched is None:
        touch = _touch(facts, step, roots, group.directory, call.cwd if own else Unknown("inside another command"))
        calls = facts.calls(run)
        chain = isinstance(calls, OpaqueScript) or not stops_at_failure(facts, run, calls)
        touched = [insert_before(file, run, script, pipeline, touch, chain=chain, own_line=True)]
    edits += touched
    for product in list(products):
        word = _own_destination(facts, product)
        if word is not None:
            edits.append(Edit(word.start, word.end, quoted(product.destination)))
            products.remove(product)
    if products:
        edits += take_out(facts, run, products)
    return _joined(edits)


def _own_destination(facts: Facts, product: Product) -> Word | None:
    """The word by which the step itself gives the product its name, if it can as well put it to where it is read; None
    if something else in the step names it."""
    call = product.call
    if call is None or call.program not in ("cp", "mv") or product.verb != "mv":
        return None
    if dirname(product.destination) not in ("/tmp", "/usr/local/bin"):
        return None
    for later in calls_of(facts, product.run):
        if later.span[0] <= call.span[0]:
            continue
        for effect in facts.call_effects(later):
            named = isinstance(effect.path, Known) and related(effect.path.value, product.path)
            if (named and not effect.implicit) or (isinstance(effect.path, Unknown) and effect.start):
                return None
        if any(part == product.path for _, part in facts.call_mentions(later)):
            return None
    word = call.nodes[-1]
    return word if isinstance(word, Word) else None


def _touched_already(facts: Facts, step: Step, directory: str, roots: Sequence[str]) -> list[Edit] | None:
    """Edits of a command of the step that touches all sources before cargo runs, so that it spares the directory of the
    cache: cargo would take for changed what build scripts made there. None if there is no such command.

    It is enough that all Rust files are touched: one of each crate is, and of each build script.
    """
    first = step.calls[0][0].span[0]
    directory = real_path(facts, step, directory)
    for call in calls_of(facts, step.run):
        if call.span[0] >= first or call.program != "find" or not call.fatal or not _always_runs(call):
            continue
        words = [word.value if isinstance(word, Known) else "" for word in call.words]
        place = join(call.cwd, call.words[1]) if len(words) > 2 else None
        if isinstance(place, Known) and words[:2] in (["find", "."], ["find", "./"]):
            place = Known(real_path(facts, step, place.value))
        spared = _spared(words[2:])
        if not isinstance(place, Known) or spared is None or not all(below(root, place.value) for root in roots):
            continue
        prune = words[1].rstrip("/") + directory[len(place.value.rstrip("/")) :]
        if not below(directory, place.value) or spared == prune:
            return []
        node = call.nodes[2]
        if not spared and isinstance(node, Word):
            return [Edit(node.start, node.start, f"-path {quoted(prune)} -prune -o ")]
    return None


def _always_runs(call: Call) -> bool:
    return not (call.conditional or call.loop or call.background or call.in_substitution or call.function is not None)


def _spared(words: Sequence[str]) -> str | None:
    """The directory that an expression of `find` leaves out, "" if none, when it touches all other files, or all Rust
    files; None if it is another."""
    rest = list(words)
    spared = ""
    if rest[:1] == ["-path"] and rest[2:4] == ["-prune", "-o"]:
        spared, rest = rest[1], rest[4:]
    tests = []
    while rest[:1] in (["-type"], ["-name"], ["!"], ["-not"]):
        if rest[0] in ("!", "-not"):
            if spared or rest[1:2] != ["-path"] or not rest[2:] or not rest[2].endswith("/*"):
                return None
            spared, rest = rest[2].removesuffix("/*"), rest[3:]
        else:
            tests.append(tuple(rest[:2]))
            rest = rest[2:]
    touches = rest[:3] == ["-exec", "touch", "{}"] and rest[3:] in (["+"], [";"])
    return spared if touches and set(tests) <= {("-type", "f"), ("-name", "*.rs")} else None


def _joined(edits: list[Edit]) -> list[Edit]:
    """Insertions at one place, in the order in which they were planned, become one."""
    out: list[Edit] = []
    for edit in sorted(edits, key=lambda e: (e.start, e.end)):
        if out and edit.start == edit.end == out[-1].start == out[-1].end:
            out[-1] = Edit(edit.start, edit.end, out[-1].new + edit.new)
        else:
            out.append(edit)
    return out


def _top_pipeline(script: Script, call: Call) -> Pipeline | None:
    for item in script.items:
        for pipeline in item.pipelines:
            if pipeline.start <= call.span[0] < pipeline.end:
                return pipeline
    return None
