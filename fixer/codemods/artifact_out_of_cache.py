"""artifact-out-of-cache: see the class."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from posixpath import basename
from typing import ClassVar

from fixer.analysis import Call, Effect, Facts, Known, Mount, Stage, Unknown, hiding_mount
from fixer.analysis.brought import leaves_out
from fixer.analysis.mounts import CacheKey
from fixer.analysis.paths import Reader, Writer
from fixer.analysis.programs import ONLY_LOOK
from fixer.analysis.tools.cargo import OWN_DIRECTORIES, Written, is_library
from fixer.analysis.tools.compilers import output_of
from fixer.analysis.transfers import Lands, lands
from fixer.codemods.altered import alters, put_by, settings_of
from fixer.codemods.api import Alters, Change, Codemod, Refusal, Settings
from fixer.codemods.artifact_ends import enters, put_later, sees
from fixer.codemods.artifact_readers import Need, is_seen, may_make, need_of, runs_stranger, runs_unknown
from fixer.codemods.artifacts import (
    REASONS,
    Product,
    Stop,
    cargo_calls,
    kept,
    located,
    moved_to,
    must_not_stand_in,
    names_anywhere,
    place,
    repoint,
    same_text,
    take_out,
    wants_content,
)
from fixer.codemods.cargo_steps import Makers
from fixer.codemods.common import is_option
from fixer.text.source import Span
from fixer.tree.nodes import Instruction, Onbuild, Run, Transfer
from fixer.tree.shell import OpaqueScript


class ArtifactOutOfCache(Codemod):
    """Move what a step builds out of its cache mount, to where it is read from.

    What it does

    A step that writes below one of its cache mounts leaves nothing of that in the image: the mount is no part of
    the layer. Whoever wants such a file where the mount is not (`COPY --from`, another step, a stage that starts
    from this one, the image's own CMD) finds nothing there, or finds what an older layer left at that path, and
    then the image holds yesterday's program although every build says that it was built. This codemod takes the
    file out at the end of the very step that writes it, and lets every reader read it there.

        RUN --mount=type=cache,target=/app/target cargo build --release
        COPY --from=builder /app/target/release/rest api

    becomes

        RUN --mount=type=cache,target=/app/target cargo build --release && mv target/release/rest /tmp/rest
        COPY --from=builder /tmp/rest api

    Why it is safe

    The command is joined so that it runs only if the build succeeded: otherwise it would take what the last build left
    in the cache. Programs that cargo built are moved: cargo links them anew from its own files each time it is called,
    also when nothing was compiled, so that a binary that is not built any more cannot be shipped from the cache. What
    other tools made is copied, because some of them do not look whether it is still there; so is a library beside the
    programs, which a build script may have left: that does not run each time; and so is a program that somebody with
    the same cache may need there later. The file keeps its name, and the owner, modes and capabilities that the step
    has given it. It goes to /tmp of the builder, or to /usr/local/bin if the image itself runs it, and only if nobody
    else in the file reads, writes or clears that place.

    What changes in the image

    Nothing but what was missing, or stale.

    What it leaves as it is

    The mount itself. A cache of compiled code that was there before can be wrong in other ways: with the default id
    it is shared with every project that mounts the same path, and cargo goes by dates, which COPY keeps. How such a
    mount is made safe is shown by cargo-target-cache.

    What a later step without the mount puts there is in the layer, and its readers find it: a COPY to that path, a
    `cp`, a second build. A path behind `--output` or `--cache-dir` of a program that is not known may be written there
    as well as read; if the step with the mount does not say that it writes it, too, nothing is missing. And to
    list a directory, or to clear it, takes nothing out of a cache.

    When it refuses

    When a reader cannot be told to read from elsewhere (an archive and a check sum hold the path), takes a pattern or a
    whole profile directory, which in a cache hold what earlier builds left, or something else, too, that must stay;
    when it is not certain that the step writes what is read (the manifests say which programs there are, if the build
    context is at hand), or that nobody writes it after that, as a later step with the same cache that strips it does;
    when it is not certain that it is read; when the build's failure would not stop the step. And when a step of its own
    takes out of the cache the program that cargo built there in an earlier one: it finds it as long as the cache is
    that of the same build, and only its owner can say whether both can be one step. The reasons are below.

    Sources: BuildKit v0.25 on a real engine (a cache mount is not in the layer; the content of a cache is in no
    layer's key), cargo 1.95 (products are linked again at every call).
    """

    id = "artifact-out-of-cache"
    words = ("--mount",)
    reasons: ClassVar[Mapping[str, str]] = {
        **REASONS,
        "other-source": "Whoever takes this takes something else, too, that stays in the cache, and would still fail.",
        "other-step": "What an earlier step built in a cache is taken out in a step of its own.",
        "perhaps-a-writer": "A program that is not known names the path: it may read what is there, or write it.",
    }

    def run(self, facts: Facts, settings: Settings) -> Iterator[Change | Refusal]:
        makers = Makers(facts, settings.context)
        for stage in facts.stages:
            yield from self._triggers(facts, stage)
            products: list[Product] = []
            blocked: list[Reader] = []
            for found in _products(facts, makers, stage, blocked):
                if isinstance(found, Stop):
                    yield self._refusal(found)
                else:
                    products.append(found)
            yield from self._changes(facts, stage, products, blocked)
            yield from map(self._refusal, _of_other_steps(facts, makers, stage))

    def _refusal(self, stop: Stop) -> Refusal:
        return Refusal(self.id, stop.reason, stop.span, stop.because)

    def _triggers(self, facts: Facts, stage: Stage) -> Iterator[Refusal]:
        for instruction in stage.instructions:
            if not isinstance(instruction, Onbuild):
                continue
            for mount in facts.mounts(instruction):
                if not _is_open_cache(mount) or not names_anywhere(facts, str(mount.target)):
                    continue
                if any(_named(r) for r in facts.readers(stage, str(mount.target), instruction)):
                    because = "the step runs in another build, which this file does not show"
                    yield Refusal(self.id, "onbuild", instruction.span, because)
                    break

    def _changes(
        self, facts: Facts, stage: Stage, products: list[Product], blocked: list[Reader]
    ) -> Iterator[Change | Refusal]:
        good: list[Product] = []
        for product in products:
            try:
                place(facts, stage, product, products)
                repoint(product)
                good.append(product)
            except Stop as stop:
                product.destination = ""
                blocked += product.readers
                yield self._refusal(stop)
        for run, mine in _by_run(good):
            try:
                take_out(facts, run, mine)
            except Stop as stop:
                good = [product for product in good if product.run is not run]
                blocked += [reader for product in mine for reader in product.readers]
                yield self._refusal(stop)
        good, halves = _whole(facts, good, blocked)
        for half in halves:
            yield self._refusal(half)
        for run, mine in _by_run(good):
            edits = take_out(facts, run, mine)
            for product in mine:
                edits += repoint(product)
            where = _altered(facts, mine)
            yield Change(self.id, _title(mine), _why(mine), run.span, tuple(edits), alters=where)


def _by_run(products: list[Product]) -> list[tuple[Run, list[Product]]]:
    found: dict[int, list[Product]] = {}
    for product in products:
        found.setdefault(id(product.run), []).append(product)
    return [(mine[0].run, mine) for mine in found.values()]


def _whole(facts: Facts, products: list[Product], blocked: list[Reader]) -> tuple[list[Product], list[Stop]]:
    """The products that can be taken out, and why the others stay: an instruction of which one source is found, and
    another one, of a reader that is `blocked`, is not, would fail as before."""
    waiting = [id(reader.instruction) for reader in blocked]
    by_instruction: dict[int, list[tuple[Product, Reader]]] = {}
    for product in products:
        for reader in product.readers:
            by_instruction.setdefault(id(reader.instruction), []).append((product, reader))
    halves: dict[int, Stop] = {}
    because = "the same instruction takes something else that stays in the cache, and would still fail"
    while waiting:
        for product, reader in by_instruction.pop(waiting.pop(), ()):
            if id(product) not in halves:
                halves[id(product)] = Stop("other-source", reader.span, because)
                waiting += [id(other.instruction) for other in product.readers]
    return [product for product in products if id(product) not in halves], list(halves.values())


def _altered(facts: Facts, products: list[Product]) -> Alters:
    """The places of the products, and wherever their readers put them: what is there now was missing, or stale."""
    places = [*moved_to(facts, products)]
    for product in products:
        for name in (basename(product.path), *([""] if product.verb == "cp -a" else [])):
            for reader in product.readers:
                places += put_by(facts, reader, name)
    return alters(facts, places, settings_of(reader for product in products for reader in product.readers))


def _title(products: list[Product]) -> str:
    names = ", ".join(basename(product.path) for product in products)
    return f"take {names} out of the cache mount"


def _why(products: list[Product]) -> str:
    readers = sum(len(product.readers) for product in products)
    whom = "its reader finds" if readers == 1 else f"its {readers} readers find"
    return (
        f"what a step writes below a cache mount is in no layer, so that {whom} nothing there, or what an older layer "
        "left; it is taken out right after it was built, and only then"
    )


def _is_open_cache(mount: Mount) -> bool:
    """A cache that a step can write to, at a known place."""
    return mount.type == "cache" and mount.problem is None and not mount.read_only and isinstance(mount.target, Known)


def _named(reader: Reader) -> bool:
    """It names a path at or below the mount, wants what is there, and sees it without the mount."""
    return reader.relation in ("same", "inside") and reader.through_mount is None and wants_content(reader)


def _products(facts: Facts, makers: Makers, stage: Stage, blocked: list[Reader]) -> Iterator[Product | Stop]:
    """What the readers of a stage miss, each with the step that has to hand it out. Those that will miss it as before
    are added to `blocked`."""
    hidden: dict[tuple[int, int], tuple[Reader, list[tuple[Run, Mount]]]] = {}
    asked: dict[str, list[Reader]] = {}
    for run in stage.instructions:
        if not isinstance(run, Run):
            continue
        for mount in facts.mounts(run):
            if not _is_open_cache(mount):
                continue
            target = str(mount.target)
            if target not in asked:
                named = names_anywhere(facts, target)
                name = () if facts.links else (basename(target),)
                asked[target] = [r for r in facts.readers(stage, target, run, name) if _named(r)] if named else []
            for reader in asked[target]:
                if not _comes_before(facts, reader, run):
                    hidden.setdefault((reader.span.start, reader.span.end), (reader, []))[1].append((run, mount))
    made: dict[tuple[int, str], Product] = {}
    left: set[str] = set()
    for reader, steps in hidden.values():
        try:
            product = _product(facts, makers, stage, reader, steps, blocked)
            if product is not None:
                known = made.setdefault((id(product.run), product.path), product)
                same_text(known, reader, product.text)
                known.readers.append(reader)
        except Stop as stop:
            blocked.append(reader)
            left.add(str(reader.path))
            yield stop
    # All readers of a product, or none: one that stays behind would find less than before.
    for product in made.values():
        if product.path not in left:
            yield product
        else:
            blocked += product.readers


def _of_other_steps(facts: Facts, makers: Makers, stage: Stage) -> Iterator[Stop]:
    """The programs that a step takes out of a cache in which cargo has surely put them in an earlier step, the last one
    that calls cargo there."""
    builders: dict[tuple[CacheKey, str], Run] = {}
    for run in stage.instructions if facts.mentions("cargo") else ():
        if not isinstance(run, Run):
            continue
        caches = {id(m): (m.cache_key, str(m.target)) for m in facts.mounts(run) if m.cache_key and not m.problem}
        for effect in _taken_out(facts, run) if builders and not builders.keys().isdisjoint(caches.values()) else ():
            place = caches.get(id(effect.through_mount))
            builder = None if place is None else builders.get(place)
            if builder is None or not isinstance(effect.path, Known):
                continue
            found = makers.provider(builder, effect.path.value)
            if found is not None and found[1] is Written.YES and not is_library(basename(effect.path.value)):
                line = facts.file.position(builder).line
                because = (
                    f"it is built in line {line}, and a cache is in no layer: while that step's layer is kept, the "
                    "cache may be emptied, or hold what another build has put there"
                )
                yield Stop("other-step", effect.span, because)
        if caches and any(True for _ in cargo_calls(facts, run)):
            builders.update(dict.fromkeys(caches.values(), run))


_TAKES = frozenset(("cp", "install", "mv"))


def _taken_out(facts: Facts, run: Run) -> list[Effect]:
    """What commands copy, or move, of the files that the step finds below its mounts, and to where the mount is not."""
    if runs_unknown(facts, run):
        return []
    effects = [effect for effect in facts.effects(run) if effect.call is not None]
    writers: dict[str, set[int]] = {}
    places: dict[int, set[int]] = {}
    for effect in effects:
        if effect.mode == "write" and effect.extent != "exact" and effect.through_mount is not None:
            return []  # it may put there what is taken out
        if effect.mode != "read":
            writers.setdefault(str(effect.path), set()).add(id(effect.call))
            places.setdefault(id(effect.call), set()).add(id(effect.through_mount))
    return [
        effect for effect in effects
        if effect.mode == "read" and effect.call is not None and effect.call.program in _TAKES
        and not writers.get(str(effect.path), set()) - {id(effect.call)}
        and places.get(id(effect.call), set()) - {id(effect.through_mount)}
    ]  # fmt: skip


def _comes_before(facts: Facts, reader: Reader, run: Run) -> bool:
    """It has read before `run` writes."""
    if reader.kind != "run" or reader.stage is not facts.stage_of(run):
        return False
    return facts.index_of(reader.instruction) <= facts.index_of(run)


def _product(
    facts: Facts, makers: Makers, stage: Stage, reader: Reader, steps: list[tuple[Run, Mount]], blocked: list[Reader]
) -> Product | None:
    """What this reader misses, without readers; None if it misses nothing: a step without the mount provides it.

    Raises Stop if it is not certain which step writes it, or if it is nothing that could be taken out. A reader that
    nobody can be sure of misses only what a step is seen to write, and who looks what is there, only what it surely
    writes.
    """
    need = need_of(facts, reader)
    if need is Need.NONE or (need is not Need.CONTENT and not any(is_seen(facts, *step, reader) for step in steps)):
        return None
    try:
        return _missed(facts, makers, stage, reader, steps, need)
    except Stop:
        if need is not Need.LOOK:
            raise
        if reader.call is not None and reader.call.fatal and reader.relation == "inside":
            blocked.append(reader)  # what it lists is not there, and it fails
        return None


def _missed(
    facts: Facts, makers: Makers, stage: Stage, reader: Reader, steps: list[tuple[Run, Mount]], need: Need
) -> Product | None:
    path, text = located(facts, reader, steps[-1][0])
    steps = [(run, mount) for run, mount in steps if hiding_mount(facts.mounts(run), path) is mount]
    if not steps or _built_again(facts, makers, stage, reader, path):
        return None
    if any(_might_make(facts, *step, path) for step in steps):
        must_not_stand_in(reader, str(steps[-1][1].target))
    if reader.relation == "same":
        if not any(_might_make(facts, *step, path) for step in steps):
            layer = _layer_writers(facts, makers, stage, reader, path, [run for run, _ in steps])
            if any(writer.relation in ("same", "inside") for writer in layer):
                return None  # what it takes is in the layer
        raise Stop("whole-directory", reader.span, "this is all of the cache, with all that earlier builds left in it")
    sure = [(run, call) for run, mount in steps if (call := _surely_by(facts, makers, run, mount, path)) is not None]
    if sure:
        run, call = sure[-1]
        if _put_later(facts, stage, run, reader, path):
            return None
        _must_read(reader, need)
        _must_make_it_alone(makers, run, steps, reader, path)
        _must_be_done(facts, stage, run, reader, path)
        return Product(run, call, path, text, _verb(facts, makers, stage, run, path))
    layer = _layer_writers(facts, makers, stage, reader, path, [run for run, _ in steps])
    if enters(reader) and any(w.relation in ("same", "inside") for w in _made(facts, stage, reader, path)):
        return None
    if any(writer.relation == "same" or _by_cargo(makers, writer, path) for writer in layer):
        return None
    if put_later(facts, stage, steps[-1][0], reader, path)[0] is Written.YES:
        return None
    layer = [writer for writer in layer if writer.call is None or writer.call.program != "cargo"]
    for run, _ in steps:
        if isinstance(facts.calls(run), OpaqueScript):
            raise Stop("opaque-script", run.span, "the step's script is not understood")
        _refuse_cargo_directory(facts, makers, run, reader, path)
    perhaps = [(run, found[0]) for run, _ in steps if (found := makers.provider(run, path)) is not None]
    if perhaps:
        run, _ = perhaps[-1]
        if _put_later(facts, stage, run, reader, path):
            return None
        # A path of this form, below the mount of a step that calls cargo: what a whole tree brings along by chance,
        # from the context or from a base image, is not what is meant.
        layer = [writer for writer in layer if writer.kind != "base" and writer.relation != "above"]
    if layer:
        if not perhaps and not any(_might_make(facts, *step, path) for step in steps):
            return None  # whoever it is, it is none of the steps
        raise Stop("not-provably-written", reader.span, _unclear(facts, layer[0]))
    _must_read(reader, need)
    if perhaps:
        run, call = perhaps[-1]
        _must_make_it_alone(makers, run, steps, reader, path)
        _must_be_done(facts, stage, run, reader, path)
        return Product(run, call, path, text, _verb(facts, makers, stage, run, path))
    return _guessed(facts, stage, reader, steps, path, text)


def _put_later(facts: Facts, stage: Stage, run: Run, reader: Reader, path: str) -> bool:
    """Whether the reader finds what a later step put there. Raises Stop if that is not certain."""
    later, span = put_later(facts, stage, run, reader, path)
    if span is not None:
        line = facts.file.position(span.start).line
        because = f"line {line} may put it there once more, so that what is wanted cannot be told"
        raise Stop("not-provably-written", reader.span, because)
    return later is Written.YES


def _must_make_it_alone(makers: Makers, run: Run, steps: list[tuple[Run, Mount]], reader: Reader, path: str) -> None:
    """Raises Stop if the call of cargo in `run` may rest on what another step with the cache has left at `path`."""
    if len(steps) > 1 and not makers.makes_it_alone(run, path, [other for other, _ in steps if other is not run]):
        because = "which of the steps makes it is not certain, and the cache of one may be empty when the other runs"
        raise Stop("not-provably-written", reader.span, because)


def _must_be_done(facts: Facts, stage: Stage, run: Run, reader: Reader, path: str) -> None:
    """Raises Stop if a later step with the same cache changes what `run` leaves at `path`. (It cannot be taken out
    there instead: by then the cache may be empty, when the layer of `run` is an old one.)"""
    mine = hiding_mount(facts.mounts(run), path)
    for seen in sees(facts, stage, reader):
        for each in facts.passing(seen.lineage[seen.lineage.index(stage) :]):
            for instruction in each.instructions:
                if not isinstance(instruction, Run) or instruction.keyword.start <= run.keyword.start:
                    continue
                mount = hiding_mount(facts.mounts(instruction), path)
                if mount is None or mine is None or mount.cache_key != mine.cache_key:
                    continue
                change = next((effect for effect in facts.effects(instruction) if _changes(effect, path)), None)
                if change is not None:
                    program = (change.call.program if change.call is not None else None) or "a later step"
                    because = f"{program} changes it in the cache, in another step than the one that makes it"
                    raise Stop("not-provably-written", change.span, because)


def _changes(effect: Effect, path: str) -> bool:
    """Whether a command, which is not cargo, names the file to change it."""
    if effect.mode != "write" or effect.implicit or (effect.call is not None and effect.call.program == "cargo"):
        return False
    if isinstance(effect.path, Unknown):
        return effect.start != "" and path.startswith(effect.start)
    return path == effect.path.value or (effect.extent == "tree" and path.startswith(f"{effect.path.value}/"))


def _must_read(reader: Reader, need: Need) -> None:
    """Raises Stop if the reader may as well be a writer. (One without a word of its own is not re-pointed anyway.)"""
    if need is Need.PERHAPS and reader.site is not None:
        program = (reader.call.program if reader.call is not None else None) or "the program"
        raise Stop("perhaps-a-writer", reader.span, f"{program} is not known: it may read this, or write it")


def _guessed(
    facts: Facts, stage: Stage, reader: Reader, steps: list[tuple[Run, Mount]], path: str, text: str
) -> Product | None:
    """The product of a step that does not say that it makes it. Nobody else does, and the reader surely fails without
    it: so either this step makes it, or nothing has ever been built from this file."""
    fails = reader.kind in ("copy", "mount") and reader.call is None
    if reader.kind in ("run", "mount") and reader.call is not None:
        fails = reader.call.fatal and not reader.call.conditional
    makers = [run for run, mount in steps if may_make(facts, run, mount, path)]
    if not makers and fails:
        makers = _alone(facts, stage, reader, path)
    if not fails and not any(_might_make(facts, *step, path) for step in steps):
        return None
    if len(steps) > 1:
        because = "several steps have this cache, and which of them writes this cannot be told"
        raise Stop("not-provably-written", reader.span, because)
    if not makers or not fails:
        because = "nothing in the step with this cache says that it writes this"
        raise Stop("not-provably-written", reader.span, because)
    for effect in facts.effects(makers[0]):
        call = effect.call
        if call is None:
            continue
        if effect.mode == "write" and effect.path == Known(path) and call.program == "cp" and _recursive(call):
            because = "if it is a directory, the next build copies it into the one that the last has left in the cache"
            raise Stop("whole-directory", reader.span, because)
        beside = isinstance(effect.path, Known) and path.startswith(f"{effect.path.value}.")
        if beside and call.program in _NO_OVERWRITING and not is_option(call, "f", "force"):
            because = f"{call.program} fails where it finds what the last build left in the cache"
            raise Stop("not-provably-written", effect.span, because)
    return Product(makers[0], None, path, text, kept(facts, stage, makers[0], "cp -a"))


_NO_OVERWRITING = frozenset(("gzip", "bzip2", "xz", "lz4"))
"""Programs that leave a file alone that they find where they would write, unless they are told `-f`."""


def _might_make(facts: Facts, run: Run, mount: Mount, path: str) -> bool:
    return may_make(facts, run, mount, path) or runs_unknown(facts, run)


def _alone(facts: Facts, stage: Stage, reader: Reader, path: str) -> list[Run]:
    """The steps that run a program that is not known, which may put things anywhere: none if one of them has no mount
    there."""
    found: list[Run] = []
    for seen in sees(facts, stage, reader):
        for each in facts.passing(seen.lineage):
            for instruction in each.instructions:
                if isinstance(instruction, Run) and runs_unknown(facts, instruction):
                    if hiding_mount(facts.mounts(instruction), path) is None:
                        return []
                    found.append(instruction)
    return found


def _built_again(facts: Facts, makers: Makers, stage: Stage, reader: Reader, path: str) -> bool:
    """A stage between this one and the reader builds it once more, in a cache of its own: then it leaves there."""
    for source in sees(facts, stage, reader):
        for each in source.lineage[source.lineage.index(stage) + 1 :]:
            for instruction in each.instructions:
                if instruction is reader.instruction:
                    break
                mount = hiding_mount(facts.mounts(instruction), path) if isinstance(instruction, Run) else None
                if not isinstance(instruction, Run) or mount is None:
                    continue
                if _surely_by(facts, makers, instruction, mount, path):
                    return True
    return False


def _surely_by(facts: Facts, makers: Makers, run: Run, mount: Mount, path: str) -> Call | None:
    """The last command of the step that surely writes `path`."""
    found = makers.provider(run, path)
    if found is not None and found[1] is Written.YES:
        return found[0]
    calls = facts.calls(run)
    for call in reversed(() if isinstance(calls, OpaqueScript) else calls):
        if output_of(call.words, call.cwd) == Known(path):
            return call
    for effect in reversed(facts.effects(run)):
        if effect.mode != "write" or effect.through_mount is not mount:
            continue
        if effect.extent != "exact" and not _copies_file(effect):
            continue
        if effect.path == Known(path) and effect.call is not None and _makes(effect.call, effect.span):
            return effect.call
    return None


def _makes(call: Call, span: Span) -> bool:
    """Whether the command makes, each time anew, the file that its text `span` names: behind `>`, or as an operand."""
    for redirect in call.redirects:
        if span == Span(redirect.target.start, redirect.target.end):
            return redirect.op in (">", ">|", "&>")
    return call.program in _MAKE


def _copies_file(effect: Effect) -> bool:
    """Whether a `cp` or `install` makes one file of another, under the name that the effect has."""
    call = effect.call
    if call is None or call.program not in ("cp", "install") or not call.nodes or effect.site is not call.nodes[-1]:
        return False
    words = [word.value if isinstance(word, Known) else "" for word in call.words[1:]]
    return not _recursive(call) and len(_operands(words)) == 2 and not words[-1].endswith("/")


def _recursive(call: Call) -> bool:
    """Whether `cp` copies directories, too; or `install` makes them."""
    options = [word.value for word in call.words[1:] if isinstance(word, Known) and word.value.startswith("-")]
    letters = "".join(option for option in options if not option.startswith("--"))
    return bool(set(letters) & set("rRaTtd")) or bool({"--recursive", "--archive", "--directory"} & {*options})


def _operands(words: list[str]) -> list[str]:
    """The words that are no options, nor stand behind one of `install` that takes a word."""
    return [
        word for at, word in enumerate(words)
        if not word.startswith("-") and (at == 0 or words[at - 1] not in ("-m", "-o", "-g", "-S"))
    ]  # fmt: skip


_MAKE = frozenset(
    ("cp", "mv", "install", "curl", "wget", "tee", "cat", "echo", "printf", "ln", "touch", "truncate", "tar", "bsdtar")
)
"""Programs that make a file where there was none."""


def _verb(facts: Facts, makers: Makers, stage: Stage, run: Run, path: str) -> str:
    """`mv` for what cargo makes again at every call, unless somebody else needs it in the cache."""
    found = makers.provider(run, path)
    moved = found is not None and found[1] is not Written.LEFT and not _needed(facts, stage, run, path)
    return kept(facts, stage, run, "mv" if moved else "cp")


def _needed(facts: Facts, stage: Stage, run: Run, path: str) -> bool:
    """Whether another step with the same cache may need `path` there."""
    for reader in facts.readers(stage, path, run):
        looks = reader.call is not None and reader.call.program in ONLY_LOOK
        needs = reader.relation in ("same", "inside") or (reader.relation == "above" and not looks)
        if reader.through_mount is not None and needs:
            return True
    mine = hiding_mount(facts.mounts(run), path)
    for other in facts.passing(facts.stages):
        for instruction in other.instructions:
            if not isinstance(instruction, Run) or instruction is run:
                continue
            if other is stage and facts.index_of(instruction) < facts.index_of(run):
                continue
            shared = [m for m in facts.mounts(instruction) if mine is not None and m.cache_key == mine.cache_key]
            reads = other is not stage and shared and _reads_in(facts, instruction, shared)
            if reads or (shared and runs_stranger(facts, instruction)):
                return True
    return False


def _reads_in(facts: Facts, instruction: Instruction, mounts: list[Mount]) -> bool:
    """Something other than cargo reads in one of the mounts."""
    return any(
        effect.mode == "read"
        and (effect.call is None or effect.call.program != "cargo")
        and (effect.through_mount in mounts or not isinstance(effect.path, Known))
        for effect in facts.effects(instruction)
    )


def _layer_writers(
    facts: Facts, makers: Makers, stage: Stage, reader: Reader, path: str, steps: list[Run]
) -> list[Writer]:
    """Who may have put something at `path` into the layers that the reader sees; the steps with the mount cannot, nor
    can a COPY of files that are called otherwise, or that .dockerignore leaves out."""
    before = reader.instruction if reader.kind in ("run", "symlink") else None
    return [
        writer
        for seen in sees(facts, stage, reader)
        for writer in facts.writers(seen, path, before)
        if writer.mode == "write"
        and writer.content
        and writer.through_mount is None
        and not any(writer.instruction is run for run in steps)
        and not _brings_others(facts, makers, writer, path)
    ]


def _brings_others(facts: Facts, makers: Makers, writer: Writer, path: str) -> bool:
    instruction = writer.instruction
    if not isinstance(instruction, Transfer) or writer.relation != "above":
        return False
    if lands(facts, instruction, path, "", _NOWHERE) is Lands.NO:
        return True
    return facts.copied_from(instruction) is None and leaves_out(facts, makers.context, instruction, path)


_NOWHERE = object()
"""No origin of a COPY: nothing is known of what it takes."""


def _made(facts: Facts, stage: Stage, reader: Reader, path: str) -> Iterator[Writer]:
    """Who has made the directory `path` in the layer, before the reader enters it."""
    for seen in sees(facts, stage, reader):
        for writer in facts.writers(seen, path, reader.instruction if reader.kind == "run" else None):
            if writer.mode == "write" and writer.through_mount is None and writer.kind != "base":
                yield writer


def _by_cargo(makers: Makers, writer: Writer, path: str) -> bool:
    return isinstance(writer.instruction, Run) and makers.provider(writer.instruction, path) is not None


def _refuse_cargo_directory(facts: Facts, makers: Makers, run: Run, reader: Reader, path: str) -> None:
    """Raises Stop if `path` is one of cargo's own directories, or lies among cargo's products and nobody in the step
    makes it each time."""
    stays = False
    for _, cargo in cargo_calls(facts, run):
        directory = cargo.target_dir_of(path) if cargo.compiles else None
        if directory is None:
            continue
        *above, name = path[len(directory) + 1 :].split("/")
        if name in OWN_DIRECTORIES or Known(path) in cargo.profile_dirs():
            because = "a directory of cargo's target directory holds what earlier builds left, and cargo's own records"
            raise Stop("whole-directory", reader.span, because)
        stays = stays or cargo.provides(path) is Written.NO or (above != [] and "." not in name)
    others = runs_stranger(facts, run) or _may_copy(facts, run, path)
    if stays and makers.provider(run, path) is None and not others:
        because = "cargo, as it is called here, does not leave it there each time, nor does anything else in the step"
        raise Stop("not-provably-written", reader.span, because)


def _may_copy(facts: Facts, run: Run, path: str) -> bool:
    """Whether a word of another program than cargo names the path to write there, or may do so."""
    facts.charge(1 + len(facts.effects(run)) // 20)
    for effect in facts.effects(run):
        if effect.mode != "write" or effect.implicit or effect.call is None or effect.call.program == "cargo":
            continue
        if effect.path == Known(path) or (isinstance(effect.path, Unknown) and path.startswith(effect.start)):
            return True
    return False


def _unclear(facts: Facts, writer: Writer) -> str:
    line = facts.file.position(writer.span.start).line
    if writer.kind == "base":
        return "the base image may have it, and that the step writes it is not certain"
    return f"line {line} may have put it there as well, so that what is wanted cannot be told"
