"""Scopes of GitHub's layer cache: a name for each image that the workflows of a repository build.

Builds in one scope overwrite each other's cache (docs.docker.com, "GitHub Actions cache"); the default scope is
`buildkit`. A name is made of what the files say about the build alone, so that it is the same in every run, whichever
file is changed first.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from itertools import combinations

from fixer.analysis.expressions import EXPRESSION, Reference, masked, references
from fixer.analysis.workflow import (
    BUILD,
    METADATA,
    SETUP,
    Job,
    Recipe,
    Step,
    Workflow,
    comma_listed,
    is_hosted,
    listed,
    recipe,
)
from fixer.analysis.workflow_runs import LEVELS, Files, Place, Run, Runs, Use
from fixer.analysis.yaml_nodes import Scalar
from fixer.codemods.gha_elsewhere import Elsewhere
from fixer.codemods.gha_scripts import AsBuild, ScriptBuild, script_build
from fixer.codemods.gha_sources import Sources
from fixer.text.records import dataclass
from fixer.tree.words import Unreadable, csv_fields

DEFAULT = "buildkit"
"""BuildKit's scope where none is named (cache/remotecache/gha/gha.go, v0.25)."""
_VALID = re.compile(r"[A-Za-z0-9_./:@+-]{1,100}")
"""No comma, which parts the fields, and nothing that a shell or CSV minds; the keys of GitHub's cache, of which a scope
is a part, have 512 letters at most."""
_PLAIN = re.compile(r"(?:[\w./@+-]|:(?!\Z)|\$\{\{(?:[^}#:\"\\\x00-\x1f\x7f]|\}(?!\}))*\}\})+")
"""A scope that another build has, as it may be written in YAML without quotes."""
_GHA = re.compile(r"\btype=[\"']?gha\b", re.IGNORECASE)
_SAID = re.compile(r"\bscope=[\"']?([\w.:/@+-]+)(?![\w$])", re.IGNORECASE)
"""A scope in what is no input of a build: a script, or settings of docker/bake-action."""
_TEXT = re.compile(r"'([^']*)'")
_OTHERS = "others"
"""Who keeps something under such a scope."""
_PLAIN_FOLDERS = ("docker", ".docker", "dockerfiles", "build", "images", "ci", "deploy")
"""Names of folders that tell nothing of an image."""
_INPUTS = ("context", "file", "target", "platforms", "build-args", "build-contexts")
"""Inputs on which layers depend."""
_ASIDE = (SETUP, METADATA, "docker/login-action", "docker/setup-qemu-action")
"""Actions that change nothing of what is built."""
_FEW = 6
"""Of so many values that vary all may be in one name."""
_ROWS = 16
"""So many values are put together and compared in the time of one step."""
_GIT = re.compile(r"(?i)\{\{\s*defaultContext\s*\}\}|[a-z][a-z0-9+.-]*://|git@|target:|\Z")
"""Contexts that are no folders of the workspace."""
_CONSTANT = ("github", "vars", "secrets", "runner", "job")
"""Contexts that are the same for all builds of a run, as far as builds use them."""
_ARCHITECTURES = {"amd64": "X64", "arm64": "ARM64"}
"""And what `runner.arch` says of them."""


@dataclass(frozen=True, slots=True)
class NoScope:
    """Why no name can be had: one sentence without a stop."""

    because: str


def cache_inputs(step: Step) -> tuple[str | None, str | None]:
    """`cache-from` and `cache-to`; None where one is missing or empty."""
    return (step.input("cache-from") or "").strip() or None, (step.input("cache-to") or "").strip() or None


def is_build(step: Step) -> bool:
    """Whether it makes an image: docker/build-push-action since v2, and not only its checks."""
    return step.action == BUILD and (step.input("call") or "build").strip() == "build"


@dataclass(frozen=True, slots=True)
class _Variant:
    """What one run of a step builds.

    key: equal for builds with the same layers.
    values: what it is made of, as it can be written in the step, with what that is then; all: with all that can.
    """

    key: tuple[object, ...]
    values: dict[str, str]
    all: dict[str, str]


class _Build:
    """One step that makes an image, over all of its runs.

    path: of its file.
    files: all that say what it is, by their paths.
    """

    def __init__(self, step: Step, path: str, runs: Runs, sources: Sources, files: Mapping[str, Workflow]) -> None:
        self.step = step
        self._sources = sources
        self.files = files
        self._stem = slug(posixpath.splitext(posixpath.basename(path))[0])
        self._runs = runs
        self._named: dict[str, dict[str, set[object]] | None] = {}
        self.places = tuple(Place(run, step) for run in runs.of(step.job))

    def read(self, name: str) -> str:
        """An input, if it is the same in all runs; else with an expression that says no more."""
        text = self.step.input(name) or ""
        found = {self._runs.read(text, place) for place in self.places}
        return found.pop() if len(found) == 1 else "${{ }}"

    @cached_property
    def recipe(self) -> Recipe:
        """What is the same in all runs."""
        return recipe(self.step, self.read)

    def _images(self) -> Iterator[tuple[str, str]]:
        """The names and tags of its images that are the same in all runs."""
        for text in _image_texts(self.step):
            found = {self._runs.read(text, place) for place in self.places}
            image = _image(found.pop()) if len(found) == 1 else None
            if image is not None:
                yield image

    def image_name(self) -> str:
        """The last part of the image's name, without tag; empty if the file does not say it in words."""
        return next((slug(name.rpartition("/")[2]) for name, _ in self._images()), "")

    def tag_name(self) -> str:
        return next((slug(tag) for _, tag in self._images()), "")

    @cached_property
    def architecture(self) -> str:
        """That of the runners; empty if there are several, or it is amd64 as mostly."""
        found = {_architecture(self._runs.labels(place.run)) for place in self.places}
        return "arm64" if found == {"arm64"} else ""

    @cached_property
    def variants(self) -> tuple[_Variant, ...] | NoScope:
        uses = [self._uses(place) for place in self.places]
        for name, use in (one for found in uses for one in found):
            if use.known or self._runs.value(use.reference, use.place) is not None:
                continue
            if use.reference.context in ("matrix", "strategy"):
                return NoScope("the matrix is computed, so that its values are not known")
            called = use.place.run.composite or "workflow_call" in use.place.run.job.workflow.triggers
            if _is_input(use.reference) and (called or name in _INPUTS[:4]):
                return NoScope("what it builds comes from `inputs`, so that whoever calls it decides")
        around = [self._around(place, found) for place, found in zip(self.places, uses, strict=True)]
        if any(None in one.values() for one in around):
            return NoScope("the matrix is computed, and steps before the build use it")
        names = {name for one in around for name in one}
        names = {name for name in names if len({one.get(name) for one in around}) > 1}
        return tuple(
            self._variant(place, found, {name: one.get(name) for name in sorted(names)})
            for place, found, one in zip(self.places, uses, around, strict=True)
        )

    def _uses(self, place: Place) -> list[tuple[str, Use]]:
        """What its layers depend on, and by which input."""
        return [(name, use) for name in _INPUTS for use in self._runs.uses(self._input(name, place), place)]

    def _input(self, name: str, place: Place) -> str:
        """With the values of build arguments that are taken from the environment."""
        text = self.step.input(name) or ""
        if name != "build-args" or not text:
            return text
        return "\n".join(
            line if re.fullmatch(r"[A-Za-z_]\w*", line) is None else f"{line}=${{{{ env.{line} }}}}"
            for line in listed(text)
        )

    def _around(self, place: Place, used: Sequence[tuple[str, Use]]) -> dict[str, str | None]:
        """Values of matrices and inputs by which the build may change without naming them: those that steps before it
        use, which may write what is built, and its tags, which say that it is another image. None is unknown."""
        found: dict[str, str | None] = {}
        tags = _image_texts(self.step, whole=True)
        wheres = list(self._runs.before(place, _may_matter))
        for use in [use for _, use in used] + [use for text in tags for use in self._runs.uses(text, place)]:
            if use.reference.context == "steps":
                wheres += [
                    Place(use.place.run, step) for step in use.place.run.job.steps if step.id in use.reference.path[:1]
                ]
        said = [(text, where) for where in wheres if where.step is not None for text in where.step.expressions]
        said += [
            (value.text, where)
            for table, where in self._runs.environments(place)
            for _, value in table.items()
            if isinstance(value, Scalar)
        ]
        said += [(text, place) for text in tags]
        for use in self._runs.all_uses(one for one in said if "${{" in one[0]):
            mine = use.reference.context == "inputs" and place.run.within(use.place.run)
            if mine or use.reference.context in ("matrix", "strategy"):
                value = self._runs.value(use.reference, use.place)
                if value is not None or not mine:
                    found[f"{use.reference.name}{'' if use.reference.exact else '.*'}".lower()] = value
        return found

    def _variant(self, place: Place, used: Sequence[tuple[str, Use]], around: dict[str, str | None]) -> _Variant:
        made = recipe(self.step, lambda name: self._runs.read(self._input(name, place), place))
        arch = _architecture(self._runs.labels(place.run))
        key: list[object] = [*made.key, arch, *around.items()]
        if arch not in _ARCHITECTURES:
            key.append(self._runs.runner_text(place.run))
        key += self._sources.key(place) if self._is_copied(place) else ()
        whole = place.run.workflow_run.combination or {}
        self._runs.charge(1 + len(whole))
        if {use.reference.context for _, use in used if not use.known} - {*_CONSTANT, "matrix", "strategy", "inputs"}:
            key.append(id(place.run.job))
            key += [] if around else sorted(whole.items())
        uses = [use for _, use in used]
        for text in _image_texts(self.step, whole=True):
            uses += self._runs.uses(text, place)
        uses += self._runs.runner_uses(place.run)
        values: dict[str, str] = {}
        others = {f"matrix.{name}": value for name, value in whole.items()}
        for use in uses:
            name = use.reference.name
            if use.reference.context == "matrix" and use.place.run.workflow_run is place.run.workflow_run:
                values.update({name: others.pop(name)} if name in others else {})
            elif use.reference.context == "inputs" and use.place.run is place.run and use.reference.exact:
                values[name] = self._runs.value(use.reference, use.place) or ""
        others["runner.arch"] = _ARCHITECTURES.get(arch, "")
        return _Variant(tuple(key), values, {**values, **others})

    @property
    def is_for_others(self) -> bool:
        """Whether nobody in the repository starts it, so that other repositories do: it is not the only build there."""
        firsts = [place.run for place in self.places if place.run.outer is None]
        return any(set(run.job.workflow.triggers) == {"workflow_call"} for run in firsts)

    def _is_copied(self, place: Place) -> bool:
        """Whether it copies from the workspace, not only from a commit that BuildKit fetches itself."""
        named = (line.partition("=")[2] for line in listed(self._input("build-contexts", place)))
        said = (self._runs.read(text, place).strip() for text in (self._input("context", place), *named))
        return any(text and _GIT.match(text) is None for text in said)

    @cached_property
    def identity(self) -> object:
        """Equal for steps that build the same."""
        variants = self.variants
        return id(self.step) if isinstance(variants, NoScope) else frozenset(one.key for one in variants)

    @cached_property
    def varying(self) -> str | NoScope:
        """The expressions that tell its runs apart; empty if they all build the same."""
        variants = self.variants
        if isinstance(variants, NoScope):
            return variants
        keys = {one.key for one in variants}
        if len(keys) == 1:
            return ""
        for offered in ([one.values for one in variants], [one.all for one in variants]):
            found = _telling(offered, [one.key for one in variants], self._runs.charge)
            if found is not None:
                return found
        return NoScope("nothing that is fit for a name tells its builds apart")

    @cached_property
    def levels(self) -> tuple[str, ...]:
        """Names from the shortest to the longest; each level tells more builds apart."""
        where = _place_name(self.recipe.context, self.recipe.file)
        job = slug(self.step.job.id)
        image = self.image_name() or where or job or "image"
        target = slug(self.recipe.target) if "${{" not in self.recipe.target else ""
        by_target = _dashed(image, target)
        by_place = _dashed(by_target, "" if where in image else where)
        platform = _platforms(self.read("platforms")) or self.architecture
        by_platform = _dashed(by_place, platform)
        by_tag = _dashed(by_platform, self.tag_name())
        by_folder = _dashed(by_target, _folder_name(self.recipe.context, self.recipe.file) or where, platform)
        by_job = _dashed(by_platform, self._stem, job)
        by_step = _dashed(by_job, slug(self.step.id or str(self.step.index + 1)))
        return image, by_target, by_place, by_platform, by_tag, by_folder, by_job, by_step

    def names(self, text: str) -> dict[str, set[object]] | None:
        """What a scope is in its runs, and what each then keeps; None if that is not known."""
        if text not in self._named:
            self._named[text] = self._names(text)
        return self._named[text]

    def _names(self, text: str) -> dict[str, set[object]] | None:
        variants = self.variants
        if isinstance(variants, NoScope):
            return None if "${{" in text else {text: {self.identity}}
        found: dict[str, set[object]] = {}
        for place, variant in zip(self.places, variants, strict=True):
            name = self._runs.read(text.replace("${{ runner.arch }}", variant.all["runner.arch"]), place)
            if "${{" in name:
                return None
            found.setdefault(name, set()).add(variant.key)
        return found


def scopes_of(files: Files, complete: bool, stored: Callable[[str], str | None]) -> Scopes:
    """The names for the builds of workflows; one object for all who ask about the same.

    complete: whether these are all of the repository; else every build gets a name.
    stored: the text of a file of the repository by its path; None if there is none.
    """
    found = _scopes(files, complete)
    found.stored = found.stored or stored
    return found


@lru_cache(maxsize=4)
def _scopes(files: Files, complete: bool) -> Scopes:
    return Scopes(files, complete)


class Scopes:
    """See `scopes_of`."""

    def __init__(self, files: Files, complete: bool) -> None:
        self._complete = complete
        self._files = files
        self._runs = Runs(files)
        self.stored: Callable[[str], str | None] | None = None
        self._parts: dict[frozenset[str], tuple[Runs, Sources]] = {}
        self._deciders: dict[str, dict[str, Workflow]] = {}
        self._fitting: dict[tuple[str, object], bool] = {}
        self._agreeing: dict[object, bool] = {}

    def of(self, step: Step) -> str | NoScope | None:
        """The scope for a build that has no cache yet; None for the only one of the repository, which needs none."""
        mine = self._build_of[id(step)]
        varying = mine.varying
        if isinstance(varying, NoScope):
            return varying
        group = self._groups[mine.identity]
        for found, job in self._scopes_of[mine.identity]:
            mine_too = ("${{" not in found or job is step.job) and _PLAIN.fullmatch(found)
            if mine_too and self._fits_all(found, mine.identity):
                return None if found == DEFAULT else found
        strangers = len(self._builds) - len(group)
        levels = group[0].levels
        if self._complete and not strangers and not self._others_use_it and not mine.is_for_others:
            if not varying:
                return None
            if self._agree(mine.identity):
                return varying
        for level in range(self._level[mine.identity], len(levels)):
            name = _dashed(levels[level], varying)
            if self._fits(name, [mine]):
                return name
        return NoScope("no name tells this build from the other builds of the repository")

    def alike(self, step: Step) -> Iterator[Step]:
        """All builds that have the same layers as one, with that one; scripts that can become such are `AsBuild`."""
        return (one.step for one in self._groups[self._build_of[id(step)].identity])

    def _fits(self, name: str, builds: Sequence[_Build], shared: frozenset[object] = frozenset()) -> bool:
        """Whether builds that a scope joins have the same layers, and nobody else has it but those of `shared`."""
        for build in builds:
            found = build.names(name)
            if found is None:
                return False
            for scope, keys in found.items():
                if len(keys) > 1 or not self._taken.get(scope, keys) - shared <= keys:
                    return False
        return True

    def _fits_all(self, name: str, identity: object) -> bool:
        """The same for all builds of a group."""
        key = (name, identity)
        if key not in self._fitting:
            self._fitting[key] = self._fits(name, self._groups[identity], frozenset((_OTHERS,)))
        return self._fitting[key]

    def _agree(self, identity: object) -> bool:
        """Whether nothing is kept under one name that is not the same, if each of a group has the name of what varies
        in it."""
        if identity not in self._agreeing:
            found: dict[str, set[object]] = {}
            for build in self._groups[identity]:
                for scope, keys in (build.names(_text(build.varying)) or {}).items():
                    found.setdefault(scope, set()).update(keys)
            self._agreeing[identity] = all(len(keys) == 1 for keys in found.values())
        return self._agreeing[identity]

    # --- which builds there are -------------------------------------------------------------------------------------

    @cached_property
    def _builds(self) -> list[_Build]:
        """Those that use GitHub's cache, or might. Scripts that can become such steps are among them: each file of a
        repository is changed with all others as they were, and yet no two images may get the same name."""
        return [
            self._build(path, step, build)
            for path, workflow in self._files.all
            for step in workflow.steps
            if (build := _as_build(step)) is not None and _may_use(build, self._runs)
        ]

    def _build(self, path: str, step: Step, build: Step) -> _Build:
        """Kept with the step as long as the files that decide what it is are the same: a repository's workflows are
        read once, and compared with each other again where one of them is not any more what it was."""
        kept = step.kept
        if isinstance(kept, _Build) and all(self._files.by_path.get(name) is one for name, one in kept.files.items()):
            return kept
        files = self._deciding(path)
        names = frozenset(files)
        if names not in self._parts:
            runs = Runs(tuple(files.items()))
            self._parts[names] = runs, Sources(runs, lambda place: _image_key(place, runs))
        step.kept = found = _Build(build, path, *self._parts[names], files)
        return found

    def _deciding(self, path: str) -> dict[str, Workflow]:
        """The files that say what the builds of one are: itself, those that call it, and the actions of them all."""
        if path not in self._deciders:
            found = {path: self._files.by_path[path]}
            newest = [found[path]]
            for _ in range(2 * LEVELS):
                calling = [job.workflow for one in newest for job in self._runs.calling(one)]
                newest = [one for one in dict.fromkeys(calling) if self._runs.path_of(one) not in found]
                found.update((self._runs.path_of(one), one) for one in newest)
            waiting = list(found.values())
            while waiting:
                used = dict.fromkeys(self._runs.action(step) for step in waiting.pop().steps)
                actions = [one for one in used if one is not None and self._runs.path_of(one) not in found]
                found.update((self._runs.path_of(one), one) for one in actions)
                waiting += actions
            self._deciders[path] = dict(sorted(found.items()))
        return self._deciders[path]

    @cached_property
    def _others_use_it(self) -> bool:
        """Whether something that is no such step names the cache: a script, docker/bake-action, or a file that these
        may take."""
        return any(True for _ in self._other_texts()) or self._elsewhere.uses_cache

    @cached_property
    def _elsewhere(self) -> Elsewhere:
        return Elsewhere(self._runs.workflows, self.stored or (lambda _: None))

    @cached_property
    def _other_scopes(self) -> frozenset[str]:
        """The scopes that they name, as far as they say them in words."""
        return frozenset(
            match[1]
            for step, text in self._other_texts()
            for said in self._read(step, text)
            for match in _SAID.finditer(masked(said))
        ) | self._elsewhere.scopes

    def _other_texts(self) -> Iterator[tuple[Step, str]]:
        for workflow in self._runs.workflows:
            for step in workflow.steps:
                for text in () if is_build(step) else step.texts():
                    if _GHA.search(text):
                        yield step, text

    def _read(self, step: Step, text: str) -> set[str]:
        return _readings(step, text, self._runs)

    @cached_property
    def _groups(self) -> dict[object, list[_Build]]:
        """The builds with the same layers, in the order of the files."""
        found: dict[object, list[_Build]] = {}
        for one in self._builds:
            found.setdefault(one.identity, []).append(one)
        return found

    @cached_property
    def _build_of(self) -> dict[int, _Build]:
        """By the id of its step."""
        return {id(one.step): one for one in self._builds}

    @cached_property
    def _scopes_of(self) -> dict[object, list[tuple[str, Job]]]:
        """The scopes that the builds of a group have, with their jobs, in the order of the files."""
        found: dict[object, dict[tuple[str, Job], None]] = {}
        for identity, group in self._groups.items():
            scopes = ((_scope_in(one.step, self._runs), one.step.job) for one in group)
            found[identity] = dict.fromkeys((scope, job) for scope, job in scopes if scope is not None)
        return {identity: list(those) for identity, those in found.items()}

    # --- names ------------------------------------------------------------------------------------------------------

    @cached_property
    def _level(self) -> dict[object, int]:
        """How much a group must say to have a name of its own. All that would have the same one say more, so that the
        name of one does not depend on which of them has a scope already."""
        level = dict.fromkeys(self._groups, 0)
        levels = {identity: group[0].levels for identity, group in self._groups.items()}
        for _ in range(len(next(iter(levels.values()), ()))):
            wanted: dict[str, set[object]] = {}
            names = {identity: self._wanted(identity, levels[identity][level[identity]]) for identity in level}
            for identity, found in names.items():
                for name in found:
                    wanted.setdefault(name, set()).add(identity)
            clash = {
                identity
                for name, those in wanted.items()
                if len(those) > 1 or name in self._other_scopes
                for identity in those
            }
            if not clash:
                break
            for identity in clash:
                level[identity] = min(level[identity] + 1, len(levels[identity]) - 1)
        return level

    def _wanted(self, identity: object, base: str) -> set[str]:
        """What the name of a group is in its runs."""
        build = self._groups[identity][0]
        varying = build.varying
        return set() if isinstance(varying, NoScope) else set(build.names(_dashed(base, varying)) or ())

    @cached_property
    def _taken(self) -> dict[str, set[object]]:
        """What is kept under the scopes that are there, and under those that the others would get."""
        found: dict[str, set[object]] = {}
        for identity, group in self._groups.items():
            base = group[0].levels[self._level[identity]]
            names = [(one, _dashed(base, _text(one.varying))) for one in group]
            for one in group:
                scope = _scope_in(one.step, self._runs)
                names += [] if scope is None else [(one, scope)]
                names += [(one, said) for said in _scopes_read(one.step, self._runs) if "${{" not in said]
            for one, name in names:
                for scope, keys in (one.names(name) or {}).items():
                    found.setdefault(scope, set()).update(keys)
        for scope in self._other_scopes:
            found.setdefault(scope, set()).add(_OTHERS)
        return found


def _as_build(step: Step) -> Step | None:
    """A step that makes an image, or a script as the one that it can become; None for others."""
    if step.run is None:
        return step if is_build(step) else None
    job = step.job
    if "docker" not in step.run.text or (job.id and not (job.runner == "hosted" and job.linux)):
        return None
    script = script_build(step)
    return AsBuild(step, script) if isinstance(script, ScriptBuild) else None


def _may_matter(step: Step) -> bool:
    """Whether what it does may depend on expressions, and be built."""
    return step.action not in _ASIDE and bool(step.expressions)


def _telling(
    offered: Sequence[dict[str, str]], keys: Sequence[object], charge: Callable[[int], None]
) -> str | None:
    """The fewest values that differ wherever the keys do, as expressions; better ones that differ nowhere else."""
    columns: dict[tuple[str, ...], str] = {}
    for name in dict.fromkeys(name for one in offered for name in one):
        column = tuple(one.get(name, "") for one in offered)
        fit = all(re.fullmatch(r"[A-Za-z_][\w-]*", part) for part in name.split("."))
        if fit and len(set(column)) > 1 and all(map(_VALID.fullmatch, column)):
            columns.setdefault(column, name)
    numbers = {key: str(number) for number, key in enumerate(dict.fromkeys(keys))}
    rows = list(dict.fromkeys(zip((numbers[key] for key in keys), *columns, strict=True)))
    alone: str | None = None
    for chosen in _choices(len(columns)):
        charge(1 + len(rows) // _ROWS)
        for between in ("-", "--"):
            said = {(between.join(row[at] for at in chosen), row[0]) for row in rows}
            texts = len({text for text, _ in said})
            if texts < len(said) or (alone is not None and texts > len(numbers)):
                continue
            names = list(columns.values())
            found = between.join(f"${{{{ {names[at - 1]} }}}}" for at in chosen)
            if texts == len(numbers):
                return found
            alone = found
    return alone


def _choices(columns: int) -> Iterator[tuple[int, ...]]:
    """Up to three of so many columns, which count from 1, few before many; of few columns any number."""
    for size in range(1, min(columns, 3 if columns > _FEW else columns) + 1):
        yield from combinations(range(1, columns + 1), size)


def _architecture(labels: Sequence[str]) -> str:
    """That of the runner with these labels; the labels, if they do not say it."""
    said = " ".join(labels).lower()
    if len(labels) > 1 and is_hosted(labels):  # it is one of them
        found = {_architecture([label]) for label in labels}
        return found.pop() if len(found) == 1 else said
    if re.search(r"(?<![a-z])(?:arm|arm64|aarch64)(?![a-z])", said):
        return "arm64"
    return "amd64" if re.fullmatch(r"(?:ubuntu|windows)-[\w.]+", said) else said


def _is_input(reference: Reference) -> bool:
    return reference.context == "inputs" or reference.name.startswith("github.event.inputs")


def _text(name: str | NoScope) -> str:
    return name if isinstance(name, str) else "${{ }}"


def _may_use(step: Step, runs: Runs) -> bool:
    """Whether it uses GitHub's cache, or has none and so might, or a cache that is not known."""
    texts = [one for one in cache_inputs(step) if one]
    lines = (line for text in texts for said in _readings(step, text, runs) for line in listed(said))
    return not texts or any(_kind(line) in ("gha", None) for line in lines)


def _readings(step: Step, text: str, runs: Runs) -> set[str]:
    """What a text is in the runs of a step, as far as that is known."""
    return {runs.read(text, Place(run, step)) for run in runs.of(step.job)} if "${{" in text else {text}


def _scope_in(step: Step, runs: Runs) -> str | None:
    """The scope into which a step writes, or from which it reads, as it stands there, or as it is in all runs; None
    without such a cache."""
    for text in reversed(cache_inputs(step)):
        for line in listed(text):
            if _kind(line) == "gha":
                return _fields(line).get("scope", DEFAULT)
    found = _scopes_read(step, runs)
    return found.pop() if len(found) == 1 else None


def _scopes_read(step: Step, runs: Runs) -> set[str]:
    """The scopes of a step in its runs, with those in the texts of an expression, which may choose one."""
    said = {one for text in cache_inputs(step) if text for one in _readings(step, text, runs)}
    lines = [line for text in said for line in listed(text)]
    for line in [line for line in lines if _kind(line) is None]:
        texts = (text for match in EXPRESSION.finditer(line) for text in _TEXT.findall(match[1]))
        lines += [text for text in texts if "{" not in text]
    return {_fields(line).get("scope", DEFAULT) for line in lines if _kind(line) == "gha"}


def _kind(line: str) -> str | None:
    """The type of a cache; None if that is not known."""
    fields = _fields(line)
    kind = fields.get("type", fields.get("", "registry"))
    return None if "${{" in kind else kind.lower() if "type" in fields else "registry"


def _fields(line: str) -> dict[str, str]:
    """The fields of a cache, as Buildx reads them (util/buildflags/cache.go): CSV, with names that do not know case.
    Those without a name are under the empty one."""
    if "\0" in line:
        return {"": "${{ }}"}
    expressions = [match[0] for match in EXPRESSION.finditer(line)]
    numbers = iter(range(len(expressions)))
    try:
        parts = csv_fields(EXPRESSION.sub(lambda _: f"\0{next(numbers)}\0", line))
    except Unreadable:
        parts = [line]
    found: dict[str, str] = {}
    for part in parts:
        name, is_named, value = part.strip().partition("=")
        name, value = (name.strip().lower(), value.strip()) if is_named else ("", name)
        found[name] = re.sub(r"\0(\d+)\0", lambda match: expressions[int(match[1])], value)
    return found


# --- what files say --------------------------------------------------------------------------------------------------


def image_repositories(step: Step) -> Iterator[str]:
    """The names of the images that it makes, without tags, as far as they are words."""
    for text in _image_texts(step):
        found = _image(_known(step, text))
        if found is not None:
            yield found[0]


def _image(text: str) -> tuple[str, str] | None:
    """The name of an image without its tag, and the tag; None if the last part of the name is not in words."""
    path, _, last = masked(text).rpartition("/")
    name, _, tag = last.partition("@")[0].partition(":")
    if not name or "\0" in name:
        return None
    return f"{path}/{name}" if path and "\0" not in path else name, "" if "\0" in tag else tag


def _image_key(place: Place, runs: Runs) -> str:
    """The last part of the name of the first image that a step makes, as far as it is known; nothing for a step that
    makes none."""
    step = place.step
    if step is None or not is_build(step):
        return ""
    for text in _image_texts(step):
        said = runs.read(text, place)
        signs = EXPRESSION.sub(lambda match: "\0" * len(match[0]), said)
        start = signs.rfind("/") + 1
        end = min([at for at in (signs.find(sign, start) for sign in "@:") if at > 0], default=len(said))
        name = said[start:end]
        if name and all(one.context in ("github", "vars") for one in references(name)):
            return name.lower()
    return ""


def _image_texts(step: Step, whole: bool = False) -> list[str]:
    """The images that it names, in their order.

    whole: with the expressions that stand for several of them; else what docker/metadata-action makes them of.
    """
    found: list[str] = []
    for line in _parted(step.input("tags") or ""):
        match = re.fullmatch(r"\$\{\{\s*steps\.([\w-]+)\.outputs\.tags\s*\}\}", line)
        if match is None or whole:
            found.append(line)
            continue
        for other in step.job.steps:
            if other.id == match[1] and other.action == METADATA:
                found += _parted(other.input("images") or "")
    match = re.search(r"(?:^|,)name=([^,\n]+)", step.input("outputs") or "")
    return [*found, match[1]] if match is not None else found


def _parted(text: str) -> list[str]:
    """The members of a list, which commas and ends of lines part where they are not in an expression."""
    ends = [match.start() for match in re.finditer(r"[\n,]", EXPRESSION.sub(lambda m: "\0" * len(m[0]), text))]
    cuts = zip([-1, *ends], [*ends, len(text)], strict=True)
    return [part for start, end in cuts if (part := text[start + 1 : end].strip())]


def _known(step: Step, text: str) -> str:
    """With values of the environment that stand in the file."""
    return Runs(()).read(text, Place(Run(step.job, {}), step))


def _platforms(text: str) -> str:
    """`linux/arm64` is arm64; empty if the file does not say it in words."""
    platforms = comma_listed(text)
    if any("${{" in one for one in platforms):
        return ""
    return slug("-".join(one.removeprefix("linux/") for one in platforms))


def _place_name(context: str, file: str) -> str:
    """A name from where the Dockerfile is: `Dockerfile.worker` and `worker.Dockerfile` are worker, `api/Dockerfile` is
    api."""
    if "${{" in context + file:
        return ""
    folder, base = posixpath.split(file)
    near = posixpath.basename(folder)
    parts = [near if near not in _PLAIN_FOLDERS else "", _stem(base)]
    name = slug("-".join(part for part in parts if part))
    return name or slug(posixpath.basename(context) if context not in (".", "..") else "")


def _folder_name(context: str, file: str) -> str:
    """A name from all folders on the way to the context, or to the Dockerfile, and what the Dockerfile's name tells."""
    folder, base = posixpath.split(file)
    if "${{" in context + file:
        return ""
    return slug("-".join(part for part in (folder if context == "." else context, _stem(base)) if part))


def _stem(base: str) -> str:
    return re.sub(r"(?i)^(?:docker|container)file[.-]?|[.-]?(?:docker|container)file$", "", base)


def slug(text: str) -> str:
    """With what is fit for a name."""
    return re.sub(r"[^a-z0-9._]+", "-", text.lower()).strip("-._")


def _dashed(*parts: str) -> str:
    return "-".join(dict.fromkeys(part for part in parts if part))
