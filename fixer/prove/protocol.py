"""The protocol of `dockfix verify`: which builds are made, in which order, and what they show.

    plan = prepare(Path("Dockerfile"), Path("."))        # what dockfix would change; no engine, nothing written
    with connect() as docker:
        proof = prove(plan, docker)                      # or `verify`, which is both

The user's files are never touched: the context is copied to a scratch folder and edited there. Original and fixed have
cache mounts of their own, and their RUN steps take no layer from each other (see `fixer.prove.docker`), so that
neither is fast because the other one was built before.
"""

from __future__ import annotations

import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

from fixer.analysis import Facts, analyse
from fixer.analysis.dockerignore import parse_ignore
from fixer.prove.docker import BuildRequest, EngineTrouble
from fixer.prove.images import Image, Noise, changed_paths, compare, learn, printable, read_image
from fixer.prove.model import (
    Build,
    Cause,
    Check,
    Comparison,
    Difference,
    Phase,
    Proof,
    Side,
    Times,
    Verdict,
)
from fixer.prove.plan import Plan, prepare, stage_of_target, stages_for
from fixer.prove.sources import SourceEdit, candidates, copy_context, dependency_edit, remove_tree, rerun_text
from fixer.prove.timeline import duration
from fixer.text.edits import apply_edits
from fixer.text.records import dataclass, replace
from fixer.text.source import encode
from fixer.tree.editor import insert_instruction, keyword_like
from fixer.tree.nodes import Run
from fixer.tree.parse import parse

if TYPE_CHECKING:
    from fixer.prove.docker import Docker

CANDIDATES = 3
"""Edits that are tried until one can be seen in the images."""
LATE = 3
"""Steps that are tried one by one with emptied mounts."""
_SHOWN = 5
"""Paths that a detail names before it counts."""


@dataclass(frozen=True, slots=True)
class Event:
    """A build begins (`build` is None) or has ended."""

    number: int
    """Counts from 1."""
    total: int
    """How many builds there will be, as far as can be told."""
    phase: Phase
    side: Side
    target: str
    repeat: int
    build: Build | None


OnEvent = Callable[[Event], None]


def verify(
    dockerfile: Path,
    context: Path,
    *,
    docker: Docker,
    targets: Sequence[str] = (),
    build_args: Sequence[str] = (),
    select: Collection[str] | None = None,
    ignore: Collection[str] = (),
    unsafe_fixes: bool = False,
    project: str | None = None,
    touch: str | None = None,
    rebuild: int = 1,
    on_event: OnEvent | None = None,
) -> Proof:
    """Fix a Dockerfile as `dockfix --diff` would, and build it before and after. See `prepare` and `prove`."""
    plan = prepare(
        dockerfile,
        context,
        targets=targets,
        select=select,
        ignore=ignore,
        unsafe_fixes=unsafe_fixes,
        project=project,
    )
    return prove(plan, docker, build_args=build_args, touch=touch, rebuild=rebuild, on_event=on_event)


# --- the proof -----------------------------------------------------------------------------------------------------


def nothing_to_prove(plan: Plan) -> Proof:
    """The proof for a file that dockfix does not change: no build, no check."""
    return _proof(plan, engine="", seconds=0.0)


def prove(
    plan: Plan,
    docker: Docker,
    *,
    build_args: Sequence[str] = (),
    touch: str | None = None,
    rebuild: int = 1,
    on_event: OnEvent | None = None,
) -> Proof:
    """Build before and after, and say what was seen.

    build_args: `K=V`, for every build. touch: the file of the context to edit, relative to the context or as the user
    would name it. rebuild: how often the rebuilds after an edit and after a change of a dependency are timed.

    Raises SourceTrouble (`touch` names no file of the context), OSError (the scratch folder cannot be written) and
    whatever `on_event` raises. If the engine fails on the way, the proof says so in `broke_off`. Nothing is left in the
    scratch folder; what is left on the engine is removed by `docker.close()`.
    """
    if not plan.changed:
        return nothing_to_prove(plan)
    started = time.monotonic()
    scratch = Path(tempfile.mkdtemp(prefix="dockfix-verify-"))
    try:
        session = _Session(plan, docker, scratch, tuple(build_args), touch, rebuild, on_event)
        try:
            session.run()
        except EngineTrouble as trouble:
            session.broke_off = str(trouble)
        return session.proof(time.monotonic() - started)
    finally:
        remove_tree(scratch)


def _proof(plan: Plan, *, engine: str, seconds: float, session: _Session | None = None) -> Proof:
    outcome = plan.outcome
    return Proof(
        dockerfile=plan.result.path,
        context=str(plan.context),
        targets=plan.targets,
        engine=engine,
        changes=plan.changes,
        withheld=outcome.withheld,
        refusals=outcome.refusals,
        diff=plan.diff,
        edited=session.edited if session else "",
        dependency=session.dependency if session else "",
        builds=tuple(session.builds) if session else (),
        comparisons=tuple(session.comparisons) if session else (),
        checks=tuple(session.checks) if session else (),
        times=tuple(session.times) if session else (),
        seconds=seconds,
        original_fails=session.original_fails if session else "",
        broke_off=session.broke_off if session else "",
    )


def _is_left_out(plan: Plan, path: str) -> bool:
    """Whether the .dockerignore leaves a file out after the change."""
    return plan.ignore is not None and parse_ignore(plan.ignore.outcome.after, bounded=False).excludes(path)


@dataclass(slots=True)
class _Built:
    """A build and its image."""

    build: Build
    image: Image | None

    @property
    def marked(self) -> set[str]:
        """Where the marker stands."""
        return set(self.image.marked) if self.image else set()


_REVERTED = "Taking the edit back arrives in the image"
_EMPTIED = "It builds with the cache mounts emptied and the layers kept"

_Round = dict[str, _Built]
"""By target. Ends with the first build that failed."""


class _Edits:
    """What an edit of one file showed."""

    def __init__(self, edit: SourceEdit, marker: str, original: _Round, fixed: _Round) -> None:
        self.edit = edit
        self.marker = marker
        """The last one."""
        self.first_marker = marker
        """That of `original` and `fixed`."""
        self.original = original
        self.fixed = fixed


class _Session:
    """One run of the protocol."""

    def __init__(
        self,
        plan: Plan,
        docker: Docker,
        scratch: Path,
        build_args: tuple[str, ...],
        touch: str | None,
        rebuild: int,
        on_event: OnEvent | None,
    ) -> None:
        self.plan = plan
        self.docker = docker
        self.scratch = scratch
        self.build_args = build_args
        self.rebuild = rebuild
        self.on_event = on_event
        self.spaces = {side: docker.new_space(side.value) for side in Side}
        self.snapshot = copy_context(plan.context, scratch / "context", plan.dockerfile)
        self.texts = {Side.ORIGINAL: plan.outcome.text_before, Side.FIXED: plan.outcome.text_after}
        self.files = {side: self._write(side, text) for side, text in self.texts.items()}
        edits = candidates(plan.facts, self.snapshot, touch, changes=plan.outcome.changes, targets=plan.targets)
        self.edits = [edit for edit in edits if not _is_left_out(plan, edit.path)][:CANDIDATES]
        self.edited = ""
        self.dependency = ""
        self.builds: list[Build] = []
        self.comparisons: list[Comparison] = []
        self.checks: list[Check] = []
        self.times: list[Times] = []
        self.original_fails = ""
        self.broke_off = ""
        self.number = 0
        self.reruns = 0
        self.again = 0
        self.bad: set[tuple[str, str]] = set()
        """Targets and places of differences that nothing explains."""
        self.noise: dict[str, Noise] = {}
        self.first: dict[Side, _Round] = {}

    def proof(self, seconds: float) -> Proof:
        return _proof(self.plan, engine=self.docker.description, seconds=seconds, session=self)

    def run(self) -> None:
        """Everything, in order. Raises EngineTrouble."""
        self._say_what_is_missed()
        if not self._first():
            return
        shown = self._edit()
        self._revert(shown)
        self._dependency()
        self._emptied(shown)
        self._say_what_ran_again()

    # --- builds ------------------------------------------------------------------------------------------------------

    def _write(self, side: Side, text: str, kind: str = "") -> Path:
        """A Dockerfile in the scratch folder, under its own name, with its own ignore file."""
        folder = self.scratch / f"{side.value}{kind}"
        folder.mkdir(exist_ok=True)
        path = folder / self.plan.dockerfile.name
        path.write_bytes(encode(text))
        ignore = self.plan.dockerfile.with_name(path.name + ".dockerignore")
        if side is Side.FIXED and self.plan.ignore is not None:
            (folder / ignore.name).write_bytes(self.plan.ignore.outcome.after)
        elif ignore.is_file():
            shutil.copyfile(ignore, folder / ignore.name)
        return path

    def _total(self) -> int:
        """How many builds there will be if nothing fails."""
        mounts = "type=cache" in self.texts[Side.ORIGINAL]
        late = sum(len(_late_texts(text)) for text in self.texts.values())
        per_target = 3 + self.again + 2 * self.rebuild + late + (2 * self.rebuild + 3 + mounts if self.edits else 0)
        return max(per_target * len(self.plan.targets), self.number)

    def _request(self, side: Side, phase: Phase, target: str, *, repeat: int, file: Path | None) -> BuildRequest:
        return BuildRequest(
            dockerfile=file or self.files[side],
            context=self.snapshot.folder,
            side=side,
            phase=phase,
            space=self.spaces[side],
            target=target,
            build_args=self.build_args,
            repeat=repeat,
        )

    def _build(self, request: BuildRequest) -> Build:
        self.number += 1
        self._tell(request, None)
        build = self.docker.build(request)
        self.builds.append(build)
        self._tell(request, build)
        return build

    def _tell(self, request: BuildRequest, build: Build | None) -> None:
        if self.on_event:
            one = request
            self.on_event(Event(self.number, self._total(), one.phase, one.side, one.target, one.repeat, build))

    def _round(
        self,
        side: Side,
        phase: Phase,
        *,
        fresh: bool = False,
        marker: str = "",
        look: bool = True,
        repeat: int = 0,
        file: Path | None = None,
    ) -> _Round:
        """Build all targets, up to the first that fails. `look`: read the images too, and say where `marker` is. An
        image that was there before anybody thought of the marker does not hold it."""
        done: _Round = {}
        stages: set[int] = set()
        for target in self.plan.targets:
            request = self._request(side, phase, target, repeat=repeat, file=file)
            again = replace(request, fresh=self._fresh(target, stages)) if fresh else request
            build = self._build(again)
            done[target] = _Built(build, None)
            if not build.ok:
                break
            if look:
                known = self.first.get(side, {}).get(target)
                same = known is not None and known.build.image == build.image
                done[target].image = known.image if known and same else self._image(request, build, marker)
        return done

    def _fresh(self, target: str, built: set[int]) -> bool | tuple[str, ...]:
        """What must not come from the cache: stages that were not built in this round. `built` is updated."""
        facts = self.plan.facts
        first = not built
        new = stages_for(facts, stage_of_target(facts, target)) - built
        built |= new
        if first:
            return True
        names = [facts.stages[index].name for index in sorted(new)]
        return tuple(name for name in names if name) if all(names) else True  # BuildKit's filter knows names only

    def _image(self, request: BuildRequest, build: Build, marker: str) -> Image:
        with self.docker.tar(request) as stream:
            files = read_image(stream, marker.encode())
        return Image(files, self.docker.config(build))

    # --- FIRST and AGAIN ---------------------------------------------------------------------------------------------

    def _say_what_is_missed(self) -> None:
        if self.plan.missed:
            lines = [f"line {change.position.line}: {change.codemod}: {change.title}" for change in self.plan.missed]
            detail = "Not part of a stage that was built; name one with --target:\n" + "\n".join(lines)
            self._check("changes-built", "Every change is part of what was built", Verdict.NOT_CHECKED, detail)

    def _say_what_ran_again(self) -> None:
        if self.docker.reran:
            names = sorted({" ".join(step.name.split()) for step in self.docker.reran})
            detail = (
                "The engine did not find the layers of these steps any more, so they ran once more when images were "
                "read; what was read is another build of the same: " + "; ".join(names)
            )
            self._check("layers-kept", "The images are those that were built", Verdict.NOT_CHECKED, detail)

    def _first(self) -> bool:
        """From nothing: the original twice, the fixed one once. False if there is nothing to go on with."""
        first = self._round(Side.ORIGINAL, Phase.FIRST, fresh=True)
        again = first if _failed(first) else self._round(Side.ORIGINAL, Phase.AGAIN, fresh=True)
        fixed = self._round(Side.FIXED, Phase.FIRST, fresh=True)
        title = "Both build from nothing"
        if bad := _failed(again):
            self.original_fails = _error(bad)
            once = "" if again is first else " It did so once, and not the second time."
            if worse := _failed(fixed):
                detail = f"Neither does.{once} The fixed one: {_error(worse)}"
                self._check("builds", title, Verdict.NOT_CHECKED, detail, bad.target)
            else:
                detail = f"The original does not build.{once} The fixed one does."
                self._check("builds", title, Verdict.IMPROVED, detail, bad.target)
                self._alone()
            return False
        if bad := _failed(fixed):
            self._check("builds", title, Verdict.FAILED, f"The fixed one does not: {_error(bad)}", bad.target)
            return False
        self.first = {Side.ORIGINAL: again, Side.FIXED: fixed}
        for target in self.plan.targets:
            before, after = again[target].build.seconds, fixed[target].build.seconds
            detail = f"The original in {duration(before)}, the fixed one in {duration(after)}."
            self._check("builds", title, Verdict.PASSED, detail, target)
            self.noise[target] = learn(_seen(first, target), _seen(again, target))
        more = self._once_more(again, fixed, Phase.FIRST)
        for target in self.plan.targets:
            known = [_seen(one, target) for one in (first, again, *more)]
            self.noise[target] = self.noise[target].with_(*(learn(*pair) for pair in combinations(known, 2)))
            comparison = self._compare(again, fixed, Phase.FIRST, target, more)
            self._same("same-image", "The images are the same", comparison)
            first[target].image = None
        self._time("first build", Phase.FIRST, [again], [fixed])
        return True

    def _once_more(self, before: _Round, after: _Round, phase: Phase, file: Path | None = None) -> list[_Round]:
        """The original once more from nothing, and if need be twice, with the context as it is now, while there is a
        difference that nothing explains: two builds may have too little time between them to show what is noise, and
        what the original made of layers and mounts may be old. Less, if it does not build."""
        more: list[_Round] = []
        while len(more) < 2 and any(self._doubtful(before, after, phase, target, more) for target in self.plan.targets):
            self.again += 1
            found = self._round(Side.ORIGINAL, Phase.AGAIN, fresh=True, repeat=self.again, file=file)
            if _failed(found):
                break
            more.append(found)
        return more

    def _doubtful(
        self, before: _Round, after: _Round, phase: Phase, target: str, more: Sequence[_Round]
    ) -> set[tuple[str, str]]:
        """What nothing explains, and what was not found in an earlier phase."""
        found = self._judged(before, after, phase, target, more)
        return {(target, one.place) for one in found.by(Cause.UNEXPLAINED)} - self.bad

    def _judged(
        self, before: _Round, after: _Round, phase: Phase, target: str, more: Sequence[_Round]
    ) -> Comparison:
        """more: from `_once_more`. What is as in one of the originals is not the fix's doing, and what differs between
        two that were built from nothing is noise."""
        noise = self.noise[target]
        if len(more) > 1:
            noise = noise.with_(learn(*(_seen(one, target) for one in more)))
        changes = self.plan.changes

        def compared(one: _Round) -> Comparison:
            return compare(_seen(one, target), _seen(after, target), noise, changes, phase=phase, target=target)

        found = compared(before)
        for one in more:
            left = [f"{other.place}/" for other in compared(one).by(Cause.UNEXPLAINED)]
            mine = {f"{place.place}/" for place in found.by(Cause.UNEXPLAINED)}
            # a directory stands for what is below it
            gone = {a for a in mine if not any(a.startswith(b) or b.startswith(a) for b in left)}
            found = _explained(found, {place[:-1] for place in gone})
        return found

    def _compare(
        self, before: _Round, after: _Round, phase: Phase, target: str, more: Sequence[_Round] = ()
    ) -> Comparison:
        found = self._judged(before, after, phase, target, more)
        self.bad |= {(target, one.place) for one in found.by(Cause.UNEXPLAINED)}
        self.comparisons.append(found)
        return found

    def _same(self, id: str, title: str, comparison: Comparison) -> None:
        bad = comparison.by(Cause.UNEXPLAINED)
        verdict = Verdict.FAILED if bad else Verdict.PASSED
        self._check(id, title, verdict, _compared(comparison), comparison.target)

    # --- EDIT --------------------------------------------------------------------------------------------------------

    def _edit(self) -> _Edits | None:
        """Find an edit that can be seen, and see whether it arrives. None if there is none."""
        title = "An edit of a source file arrives in the image"
        tried: list[str] = []
        unseen: tuple[_Edits, list[Build]] | None = None
        for edit in self.edits:
            before = len(self.builds)
            shown, why = self._try(edit)
            if shown is None or not self._visible(shown):
                tried.append(f"{edit.path}: {why or 'the image of neither shows it'}")
                if shown is not None and unseen is None:
                    unseen = shown, self.builds[before:]
                del self.builds[before:]
                edit.revert()
                continue
            self.edited = edit.path
            self._repeat(shown)
            return shown
        if not self.edits:
            tried.append("No file of the context that a changed stage copies can be edited so that it would show.")
        self._check("edit-arrives", title, Verdict.NOT_CHECKED, "\n".join(tried))
        if unseen is not None:  # the times are as good as others
            shown, builds = unseen
            self.edited = shown.edit.path
            self.builds += builds
            self._time_edits([shown.original], [shown.fixed])
        return None

    def _try(self, edit: SourceEdit) -> tuple[_Edits | None, str]:
        """Build both with an edit. None, and why, if the original does not build with it."""
        marker = _marker()
        edit.apply(marker)
        original = self._round(Side.ORIGINAL, Phase.EDIT, marker=marker)
        if bad := _failed(original):
            return None, f"the original does not build with the edit: {_error(bad)}"
        return _Edits(edit, marker, original, self._round(Side.FIXED, Phase.EDIT, marker=marker)), ""

    def _visible(self, shown: _Edits) -> bool:
        """Whether the edit shows in any target; then the checks are made."""
        if bad := _failed(shown.fixed):
            detail = f"With {shown.edit.path} edited, the original builds, and the fixed one does not: {_error(bad)}"
            self._check("edit-arrives", self._edit_title(shown), Verdict.FAILED, detail, bad.target)
            return True
        verdicts = {target: self._arrived(shown, target) for target in self.plan.targets}
        if all(verdict is Verdict.NOT_CHECKED for verdict, _ in verdicts.values()):
            return False
        stale = any(verdict in (Verdict.FAILED, Verdict.IMPROVED) for verdict, _ in verdicts.values())
        more = [] if stale else self._once_more(shown.original, shown.fixed, Phase.EDIT)
        for target, (verdict, detail) in verdicts.items():
            self._check("edit-arrives", self._edit_title(shown), verdict, detail, target)
            if verdict in (Verdict.FAILED, Verdict.IMPROVED):
                continue  # one of the two is stale
            comparison = self._compare(shown.original, shown.fixed, Phase.EDIT, target, more)
            self._same("same-after-edit", "The images are the same after the edit", comparison)
        return True

    def _edit_title(self, shown: _Edits) -> str:
        return f"An edit of {shown.edit.path} arrives in the image"

    def _arrived(self, shown: _Edits, target: str) -> tuple[Verdict, str]:
        """What an edit did to the two images of one target. NOT_CHECKED: nothing that could be seen."""
        original, fixed = shown.original[target], shown.fixed[target]
        if missing := self._lacking(original, fixed, target):
            places = f"; it is in {_places(fixed.marked)}" if fixed.marked else ""
            return Verdict.FAILED, (
                f"The fixed image is stale: what was written into {shown.edit.path} is in {_places(missing)} of the "
                f"original's image, and not of the fixed one's{places}."
            )
        alone = self._lacking(fixed, original, target)
        if more := alone & set(_files(original)):
            return Verdict.IMPROVED, (
                f"The original's image is stale: what was written into {shown.edit.path} is in {_places(more)} of the "
                "fixed image, and not of the original's."
            )
        if there := fixed.marked:
            both = self._common(fixed, original, target)
            where = [f"{_places(both)} of both"] if both else []
            where += [f"{_places(there - both)}, which the original's image does not have"] if there - both else []
            return Verdict.PASSED, f"What was written into {shown.edit.path} is in {', and in '.join(where)}."
        before, after = self._moved(Side.ORIGINAL, original, target), self._moved(Side.FIXED, fixed, target)
        if missing := self._plain(before - after, target, fixed):
            return Verdict.FAILED, (
                f"The fixed image is stale: the edit of {shown.edit.path} changed {_places(missing)} in the original's "
                "image, and not in the fixed one's."
            )
        if both := before & after:
            return Verdict.PASSED, (
                f"The words that were written into {shown.edit.path} cannot be read in the images (compressed, or "
                f"not kept), but {_places(both)} changed in both."
            )
        return Verdict.NOT_CHECKED, f"The edit of {shown.edit.path} cannot be seen in this image."

    def _plain(self, paths: Iterable[str], target: str, other: _Built | None = None) -> set[str]:
        """Without noise, and without what is not in the other image because a change says so."""
        noise = self.noise[target]
        plain = (path for path in paths if not noise.covers(path, "content") and not noise.covers_name(path, "file"))
        return self._not_gone(plain, other)

    def _not_gone(self, paths: Iterable[str], other: _Built | None) -> set[str]:
        """Without what is not in the other image because a change says so."""
        altered = [path for change in self.plan.changes for path in change.alters.paths]
        gone = set(paths)
        files = _files(other) if other is not None else gone
        return {
            path
            for path in gone
            if path in files or not any(path == one or path.startswith(one.rstrip("/") + "/") for one in altered)
        }

    def _common(self, one: _Built, other: _Built, target: str) -> set[str]:
        """Where the marker stands in one image and in the other one too. A file whose content varies may not lack it;
        one whose name varies, or that of a directory above it, may have another name there."""
        noise = self.noise[target]
        places = {noise.place(path) for path in other.marked}
        return {path for path in one.marked if noise.place(path) in places}

    def _lacking(self, one: _Built, other: _Built, target: str) -> set[str]:
        """Where the marker stands in one image and should in the other one, and does not."""
        return self._not_gone(one.marked - self._common(one, other, target), other)

    def _moved(self, side: Side, now: _Built, target: str) -> set[str]:
        """The paths that differ from the first image of that side, without those that always do."""
        first = _seen(self.first[side], target)
        return self._plain(changed_paths(first, now.image or first, self.noise[target]), target)

    def _repeat(self, shown: _Edits) -> None:
        """More edits, for the times alone. Original and fixed take turns at being first."""
        if _failed(shown.fixed):
            return
        original, fixed = [shown.original], [shown.fixed]
        for repeat in range(1, self.rebuild):
            shown.marker = _marker()
            shown.edit.revert()
            shown.edit.apply(shown.marker)
            before, after = self._pair(Phase.EDIT, repeat)
            if (bad := _failed(after)) and not _failed(before):
                detail = f"Edited once more, the fixed one does not build: {_error(bad)}"
                self._check("edit-arrives", self._edit_title(shown), Verdict.FAILED, detail, bad.target)
                break
            original.append(before)
            fixed.append(after)
        self._time_edits(original, fixed)

    def _pair(
        self, phase: Phase, repeat: int, *, look: bool = False, files: dict[Side, Path] | None = None
    ) -> tuple[_Round, _Round]:
        """Both sides; who is first depends on `repeat`."""
        done = {}
        for side in list(Side) if repeat % 2 == 0 else list(Side)[::-1]:
            done[side] = self._round(side, phase, look=look, repeat=repeat, file=files[side] if files else None)
        return done[Side.ORIGINAL], done[Side.FIXED]

    def _time_edits(self, original: Sequence[_Round], fixed: Sequence[_Round]) -> None:
        self._time(f"rebuild after an edit of {self.edited}", Phase.EDIT, original, fixed)

    # --- REVERT ------------------------------------------------------------------------------------------------------

    def _revert(self, shown: _Edits | None) -> None:
        """The edit is taken back: as it was, and then with the changed steps made to run once more. The COPY comes from
        the cache, with the old times of its files, so a tool that goes by times takes them for older than what it
        built from the edit."""
        title = _REVERTED
        if shown is None or _failed(shown.fixed):
            why = "No edit could be seen." if shown is None else "The fixed one does not build with the edit."
            self._check("revert-arrives", title, Verdict.NOT_CHECKED, why)
            return
        shown.edit.revert()
        plain = self._after_revert(shown, 0, None, None, both=True)
        files = self._rerun_files()
        caches = "type=cache" in self.texts[Side.ORIGINAL]
        again = self._after_revert(shown, 1, files[Side.ORIGINAL], files[Side.FIXED], both=caches)
        for target in self.plan.targets:
            worst = min((found[target] for found in (plain, again) if target in found), key=lambda one: _RANK[one[0]])
            self._check("revert-arrives", title, *worst, target)

    def _after_revert(
        self, shown: _Edits, repeat: int, original_file: Path | None, fixed_file: Path | None, *, both: bool
    ) -> dict[str, tuple[Verdict, str]]:
        """Build the fixed one (and the original, if `both`, or if something is wrong) and judge, target by target."""
        how = " and the changed steps run again" if repeat else ""

        def build(side: Side, file: Path | None) -> _Round:
            return self._round(side, Phase.REVERT, marker=shown.marker, repeat=repeat, file=file)

        original: _Round | None = build(Side.ORIGINAL, original_file) if both else None
        fixed = build(Side.FIXED, fixed_file)
        verdicts = {}
        for target in self.plan.targets:
            if target not in fixed:
                continue
            found = self._restored(fixed[target], target)
            if found.fine and not both:
                verdicts[target] = Verdict.PASSED, found.detail(how)
                continue
            if original is None:
                original = build(Side.ORIGINAL, original_file)
            if target not in original:  # an earlier target of it failed
                verdicts[target] = Verdict.NOT_CHECKED, "The original does not build any more."
                continue
            verdicts[target] = self._judge_revert(
                self._restored(original[target], target), found, original[target], fixed[target], target, how
            )
        return verdicts

    def _restored(self, built: _Built, target: str) -> _Restored:
        side = built.build.side
        if built.image is None:
            return _Restored(built.build.error or "it does not build", set(), None)
        first = _seen(self.first[side], target)
        changes = self.plan.changes
        found = compare(first, built.image, self.noise[target], changes, phase=Phase.REVERT, target=target)
        return _Restored("", built.marked, found)

    def _judge_revert(
        self, before: _Restored, after: _Restored, original: _Built, fixed: _Built, target: str, how: str
    ) -> tuple[Verdict, str]:
        if after.error:
            if before.error:
                return Verdict.NOT_CHECKED, f"With the edit taken back{how}, neither builds: {after.error}"
            return Verdict.FAILED, f"With the edit taken back{how}, the fixed one does not build: {after.error}"
        if left := after.marked - self._common(fixed, original, target):
            return Verdict.FAILED, (
                f"The fixed image is stale: with the edit taken back{how}, it is still in {_places(left)}."
            )
        if after.marked:
            return Verdict.NOT_CHECKED, (
                f"With the edit taken back{how}, it is still in {_places(after.marked)} of both images: the original "
                "is stale, and the changes do not mend that."
            )
        own = {one.place for one in before.comparison.differences} if before.comparison else set()
        comparison = _explained(after.comparison, own) if after.comparison else None
        if comparison is not None:
            self.comparisons.append(comparison)
            if comparison.by(Cause.UNEXPLAINED):
                return Verdict.FAILED, (
                    f"With the edit taken back{how}, the fixed image is not as at first. {_compared(comparison)}"
                )
        if before.marked:
            return Verdict.IMPROVED, (
                f"The original's image is stale: with the edit taken back{how}, it is still in "
                f"{_places(before.marked)}. The fixed image is as at first."
            )
        return Verdict.PASSED, after.detail(how)

    def _rerun_files(self) -> dict[Side, Path]:
        """Both Dockerfiles, with the changed steps made to run again."""
        self.reruns += 1
        number = self.reruns
        changes = self.plan.outcome.changes
        places = {
            Side.ORIGINAL: [change.position for change in changes],
            Side.FIXED: [change.position_after for change in changes],
        }
        out = {}
        for side, text in self.texts.items():
            out[side] = self._write(
                side, rerun_text(text, places[side], number), f"-rerun-{number}"
            )
        return out

    # --- DEPENDENCY --------------------------------------------------------------------------------------------------

    def _dependency(self) -> None:
        edit = dependency_edit(self.plan.facts, self.snapshot, self.plan.outcome.changes, self.plan.targets)
        title = "A change of the dependencies builds" if edit else "The changed steps build when they run again"
        self.dependency = edit.what if edit else "the changed steps run again"
        change = f"With a line more in {edit.what}" if edit else "With the changed steps made to run again"
        same = f"The images are the same after {'that change' if edit else 'they ran again'}"
        what = f"rebuild after a change of {edit.what}" if edit else "rebuild of the changed steps"
        original: list[_Round] = []
        fixed: list[_Round] = []
        more: list[_Round] = []
        for repeat in range(self.rebuild):
            files = None
            if edit:
                edit.apply(repeat)
            else:
                files = self._rerun_files()
            before, after = self._pair(Phase.DEPENDENCY, repeat, look=repeat == 0, files=files)
            if not repeat and not _failed(before) and not _failed(after):
                more = self._once_more(before, after, Phase.DEPENDENCY, files[Side.ORIGINAL] if files else None)
            if edit:
                edit.revert()
            bad, broken = _failed(after), _failed(before)
            if bad and broken:
                detail = f"{change}, neither builds. The original: {_error(broken)}"
                self._check("dependency-builds", title, Verdict.NOT_CHECKED, detail, bad.target)
                return
            if bad:
                detail = f"{change}, the fixed one does not build: {_error(bad)}"
                self._check("dependency-builds", title, Verdict.FAILED, detail, bad.target)
                return
            if broken:
                detail = f"{change}, the fixed one builds, and the original does not: {_error(broken)}"
                self._check("dependency-builds", title, Verdict.IMPROVED, detail, broken.target)
                return
            original.append(before)
            fixed.append(after)
        self._check("dependency-builds", title, Verdict.PASSED, f"{change}, both build.")
        for target in self.plan.targets:
            found = self._compare(original[0], fixed[0], Phase.DEPENDENCY, target, more)
            self._same("same-after-dependency", same, found)
        self._time(what, Phase.DEPENDENCY, original, fixed)

    # --- EMPTIED -----------------------------------------------------------------------------------------------------

    def _emptied(self, shown: _Edits | None) -> None:
        """Layers cached, cache mounts empty, and a late change: the steps with mounts may not rest on earlier ones. The
        sources are those after the edit, so that all but the late steps comes from the cache."""
        title = _EMPTIED
        late = {side: _late_texts(text) for side, text in self.texts.items()}
        if not late[Side.FIXED]:
            self._check("emptied-builds", title, Verdict.NOT_CHECKED, "The fixed one has no cache mounts.")
            return
        edit = shown if shown is not None and not _failed(shown.fixed) else None
        if edit:
            edit.edit.apply(edit.first_marker)
        fixed = self._late(Side.FIXED, late[Side.FIXED], edit)
        bad = next(filter(None, map(_failed, fixed)), None)
        original: list[_Round] = []
        if bad or late[Side.ORIGINAL]:
            original = self._late(Side.ORIGINAL, late[Side.ORIGINAL] or [self.texts[Side.ORIGINAL]], edit)
        broken = next(filter(None, map(_failed, original)), None)
        if bad and broken:
            detail = f"It does not, but neither does the original: no regression. {_error(broken)}"
            self._check("emptied-builds", title, Verdict.NOT_CHECKED, detail, bad.target)
            return
        if bad:
            detail = f"The original does, the fixed one does not: {_error(bad)}"
            self._check("emptied-builds", title, Verdict.FAILED, detail, bad.target)
            return
        wanted = edit.fixed if edit else self.first[Side.FIXED]
        more = [self._once_more(wanted, found, Phase.EMPTIED) for found in fixed]
        for target in self.plan.targets:
            verdict, detail = self._filled(wanted, fixed, more, edit, target)
            if broken and verdict is Verdict.PASSED:
                verdict, detail = Verdict.IMPROVED, f"{detail} The original does not: {_error(broken)}"
            self._check("emptied-builds", title, verdict, detail, target)

    def _late(self, side: Side, texts: Sequence[str], edit: _Edits | None) -> list[_Round]:
        """A build for each text, with empty mounts, up to the first that fails."""
        rounds: list[_Round] = []
        for number, text in enumerate(texts):
            self.docker.empty_mounts(self.spaces[side])
            file = self._write(side, text, f"-late-{number}")
            marker = edit.first_marker if edit else ""
            look = side is Side.FIXED
            rounds.append(self._round(side, Phase.EMPTIED, marker=marker, look=look, repeat=number, file=file))
            if _failed(rounds[-1]):
                break
        return rounds

    def _filled(
        self,
        wanted: _Round,
        rounds: Sequence[_Round],
        more: Sequence[Sequence[_Round]],
        edit: _Edits | None,
        target: str,
    ) -> tuple[Verdict, str]:
        """Whether the images that were built with empty mounts are the one that was built with full ones, or the
        original's."""
        for found, originals in zip(rounds, more, strict=True):
            if edit is not None and (missing := self._lacking(wanted[target], found[target], target)):
                where = _places(missing)
                return Verdict.FAILED, f"It does, but the edit of {edit.edit.path} is not in {where} of that image."
            comparison = self._judged(wanted, found, Phase.EMPTIED, target, originals)
            if comparison.by(Cause.UNEXPLAINED):
                self.comparisons.append(comparison)
                return Verdict.FAILED, f"It does, but the image is not as with full ones. {_compared(comparison)}"
        if edit is not None and wanted[target].marked:
            return Verdict.PASSED, f"It does, the edit of {edit.edit.path} is in the image, and the image is the same."
        return Verdict.PASSED, "It does, and the image is the same."

    # --- an original that does not build -----------------------------------------------------------------------------

    def _alone(self) -> None:
        """There is nothing to compare with, but the fixed one can still be seen to follow its sources."""
        tried = []
        for edit in self.edits:
            marker = _marker()
            edit.apply(marker)
            before = len(self.builds)
            fixed = self._round(Side.FIXED, Phase.EDIT, marker=marker)
            shown = [target for target, built in fixed.items() if built.marked]
            if shown:
                break
            why = _failed(fixed)
            tried.append(f"{edit.path}: {_error(why) if why else 'the image does not show it'}")
            del self.builds[before:]
            edit.revert()
        else:
            detail = "\n".join(tried) or "No file of the context can be edited so that it would show."
            self._check("edit-arrives", "An edit of a source file arrives in the image", Verdict.NOT_CHECKED, detail)
            return
        self.edited = edit.path
        for target in shown:
            detail = f"What was written into {edit.path} is in {_places(fixed[target].marked)}."
            self._check("edit-arrives", f"An edit of {edit.path} arrives in the image", Verdict.PASSED, detail, target)
        edit.revert()
        file = self._rerun_files()[Side.FIXED]
        self._gone(self._round(Side.FIXED, Phase.REVERT, marker=marker, repeat=1, file=file), shown)
        texts = _late_texts(self.texts[Side.FIXED])
        if not texts:
            return
        self.docker.empty_mounts(self.spaces[Side.FIXED])
        marker = _marker()
        edit.apply(marker)
        late = self._round(Side.FIXED, Phase.EMPTIED, marker=marker, file=self._write(Side.FIXED, texts[0], "-late"))
        bad = _failed(late)
        for target in [bad.target] if bad else shown:
            verdict, detail = Verdict.PASSED, "It does, and one more edit is in the image."
            if bad:
                verdict, detail = Verdict.FAILED, f"It does not: {_error(bad)}"
            elif not late[target].marked:
                verdict, detail = Verdict.FAILED, f"It does, but one more edit of {edit.path} is not in the image."
            self._check("emptied-builds", _EMPTIED, verdict, detail, target)

    def _gone(self, fixed: _Round, targets: Sequence[str]) -> None:
        """Whether an edit that was taken back is gone from the fixed images."""
        how = "With the edit taken back and the changed steps run again"
        bad = _failed(fixed)
        for target in [bad.target] if bad else targets:
            verdict, detail = Verdict.PASSED, f"{how}, nothing of it is left."
            if bad:
                verdict, detail = Verdict.FAILED, f"{how}, it does not build: {_error(bad)}"
            elif left := fixed[target].marked:
                verdict, detail = Verdict.FAILED, f"The image is stale. {how}, it is still in {_places(left)}."
            self._check("revert-arrives", _REVERTED, verdict, detail, target)

    # --- what is noted down ------------------------------------------------------------------------------------------

    def _check(self, id: str, title: str, verdict: Verdict, detail: str, target: str = "") -> None:
        if target:
            id, title = f"{id}:{target}", f"{title} (stage {target})"
        self.checks = [check for check in self.checks if check.id != id]
        self.checks.append(Check(id, title, verdict, detail))

    def _time(self, what: str, phase: Phase, original: Sequence[_Round], fixed: Sequence[_Round]) -> None:
        """Times of the first target: the others take most of it from the cache."""
        lead = self.plan.targets[0]
        before = [found[lead].build for found in original if lead in found and found[lead].build.ok]
        after = [found[lead].build for found in fixed if lead in found and found[lead].build.ok]
        self.times.append(
            Times(
                what,
                phase,
                tuple(build.seconds for build in before),
                tuple(build.seconds for build in after),
                tuple(build.run_seconds for build in before),
                tuple(build.run_seconds for build in after),
            )
        )


@dataclass(frozen=True, slots=True)
class _Restored:
    """What is left of an edit that was taken back."""

    error: str
    marked: set[str]
    comparison: Comparison | None

    @property
    def fine(self) -> bool:
        return not self.error and not self.marked and not (self.comparison and self.comparison.by(Cause.UNEXPLAINED))

    def detail(self, how: str) -> str:
        paths = self.comparison.paths if self.comparison else 0
        return (
            f"With the edit taken back{how}, nothing of it is left, and the fixed image is as at first "
            f"({paths:,} paths)."
        )


_RANK = {Verdict.FAILED: 0, Verdict.NOT_CHECKED: 1, Verdict.IMPROVED: 2, Verdict.PASSED: 3}


def _failed(found: _Round) -> Build | None:
    """The build that failed, if one did."""
    return next((one.build for one in found.values() if not one.build.ok), None)


def _seen(found: _Round, target: str) -> Image:
    image = found[target].image
    assert image is not None, f"the image of {target or 'the last stage'} was not read"
    return image


def _files(built: _Built) -> Collection[str]:
    return built.image.files if built.image is not None else ()


def _error(build: Build) -> str:
    return build.error.strip() or "the engine gave no reason"


def _marker() -> str:
    """A word that stands nowhere else."""
    return f"dockfix{secrets.token_hex(8)}"


def _late_texts(text: str) -> list[str]:
    """`text`, with a RUN that has a cache mount made to run again although those before it do not: one text for each
    that shares a mount with an earlier one and might rest on it, LATE at most and the later ones first. If there is
    none, one text for the last RUN with a mount of each stage. Empty if there are no cache mounts."""
    file = parse(text)
    facts = analyse(file, bounded=False)
    last: dict[int, Run] = {}
    resting: list[Run] = []
    seen: dict[int, set[object]] = {}
    for stage in facts.stages:
        mine = seen.setdefault(stage.index, set())
        for index in stages_for(facts, stage):
            mine |= seen.get(index, set())
        for one in stage.instructions:
            keys = _mounted(facts, one) if isinstance(one, Run) else set()
            if isinstance(one, Run) and keys:
                last[stage.index] = one
                if keys & mine:
                    resting.append(one)
                mine |= keys
    line = f"{keyword_like(file, 'ARG')} DOCKFIX_VERIFY=late"
    groups = [[one] for one in resting[::-1][:LATE]] or ([list(last.values())] if last else [])
    return [apply_edits(text, [insert_instruction(file, one, line) for one in group]) for group in groups]


def _mounted(facts: Facts, run: Run) -> set[object]:
    """What its cache mounts are, so that two RUNs with the same share a directory."""
    return {
        mount.cache_key or (mount.target_text, mount.options) for mount in facts.mounts(run) if mount.type == "cache"
    }


def _explained(comparison: Comparison, places: Collection[str]) -> Comparison:
    """With what the original does as well taken for noise."""
    return replace(
        comparison,
        differences=tuple(
            replace(one, cause=Cause.NOISE) if one.cause is Cause.UNEXPLAINED and one.place in places else one
            for one in comparison.differences
        ),
    )


# --- words ---------------------------------------------------------------------------------------------------------


def _compared(comparison: Comparison) -> str:
    """`3,812 paths and the configuration: 3 differ as noise, 1 is named by apt-cache.` and what nothing explains."""
    bad = comparison.by(Cause.UNEXPLAINED)
    counts = [f"{len(bad)} unexplained"] if bad else []
    names: dict[str, int] = {}
    for one in comparison.by(Cause.NAMED):
        names[one.codemod] = names.get(one.codemod, 0) + 1
    counts += [f"{count} named by {codemod}" for codemod, count in sorted(names.items())]
    if noise := comparison.by(Cause.NOISE):
        counts.append(f"{len(noise)} noise")
    looked = f"{comparison.paths:,} paths and the configuration"
    if not counts:
        return f"{looked}: no difference."
    return "\n".join([f"{looked}; differences: {', '.join(counts)}.", *(_difference(one) for one in bad)])


def _difference(one: Difference) -> str:
    return f"{one.place}: {one.what}"


def _places(paths: Collection[str]) -> str:
    """A few of them by name."""
    ordered = [printable(path) for path in sorted(paths)]
    if len(ordered) <= _SHOWN:
        return ", ".join(ordered)
    return f"{', '.join(ordered[: _SHOWN - 1])} and {len(ordered) - _SHOWN + 1} more places"
