"""One file: read, fixed, or known from an earlier run, and written."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING

from fixer.codemods import registry
from fixer.codemods.api import Builder
from fixer.engine.config import NOTHING, ConfigTrouble, find_config
from fixer.engine.files import (
    FileTrouble,
    Target,
    check_content,
    create,
    is_dockerfile_name,
    places_around,
    read,
    write,
)
from fixer.engine.kinds import DOCKERFILE, IGNORE, WORKFLOW, kind_of, root_of
from fixer.engine.outcome import Outcome, Problem
from fixer.engine.project import project_name, real_path, repository_root
from fixer.engine.template import is_template_name
from fixer.engine.vendored import vendored_by
from fixer.text.diff import unified_diff
from fixer.text.records import dataclass, replace

if TYPE_CHECKING:
    from fixer.analysis import Images
    from fixer.analysis.context import BuildContext
    from fixer.engine.context import FoundContext
    from fixer.engine.declared import FoundTargets
    from fixer.engine.result_cache import ResultCache, Row
    from fixer.engine.surroundings import Questions, Surroundings


@dataclass(frozen=True, slots=True)
class Options:
    """What to do with every file; see `fixer.fix`."""

    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()
    unsafe_fixes: bool = False
    project: str | None = None
    """None: found from each file's repository."""
    builder: Builder | None = None
    """None: what a workflow builds on GitHub's runners has a builder that is ephemeral, all else a persistent one."""
    auto: bool = False
    """True if None was said of the builder, so that a configuration has no say."""
    context: str | None = None
    """The directory of the build context; None: found for each file by what it copies."""
    images: Images | None = None
    """What somebody says of base images; see `own_images`."""
    diff: bool = True
    """Whether somebody wants to see what would change."""
    write: bool = False
    """Whether files are written: then people have them, and count their lines, as this run leaves them."""
    base: str = os.curdir
    """The directory that names in diffs are relative to."""
    paths: frozenset[str] = frozenset()
    """The files and directories that this run is about, real paths."""

    @property
    def own_images(self) -> Images:
        from fixer.analysis import NO_IMAGES  # brings the analysis with it

        return self.images or NO_IMAGES

    def is_about(self, path: str) -> bool:
        """Whether this run changes the Dockerfile at `path`, if anything is to be changed in it."""
        real = os.path.realpath(path)
        if real in self.paths:
            return True
        directory = os.path.dirname(real) if self.paths and is_dockerfile_name(os.path.basename(real)) else ""
        while directory and directory not in self.paths:
            directory = "" if directory == os.path.dirname(directory) else os.path.dirname(directory)
        return bool(directory)


def configured(options: Options, path: str) -> Options:
    """The options with what the project of the file or directory `path` says where they say nothing. Raises
    ConfigTrouble."""
    config = find_config(path)
    if config is NOTHING:
        return options
    return replace(
        options,
        select=config.select if options.select is None else options.select,
        ignore=options.ignore or config.ignore or (),
        unsafe_fixes=options.unsafe_fixes or bool(config.unsafe_fixes),
        project=config.project if options.project is None else options.project,
        builder=config.builder if options.builder is None and not options.auto else options.builder,
        context=config.context if options.context is None else options.context,
        images=_images(options.images, config.images),
    )


def _images(given: Images | None, configured: Images | None) -> Images | None:
    return given.before(configured) if given and configured else given or configured


def searched(options: Options, paths: Iterable[str] = ()) -> tuple[frozenset[str], frozenset[str]]:
    """The kinds of other documents that are looked for in directories, and those of them that are looked for around all
    paths (see `files.find`). What belongs to a repository, but not to the paths that are named, is a matter of who asks
    for it: by the codemod's id, or for a workflow by its builder. What would be unsafe is not looked for in vain. What
    any of the paths' projects asks for is looked for, and done only where it counts."""
    wanted: frozenset[str] = frozenset()
    asked: frozenset[str] = frozenset()
    directories = {path if os.path.isdir(path) else os.path.dirname(path) or os.curdir for path in paths}
    for one in {_configured_or_not(options, directory) for directory in directories} or {options}:
        also = _searched(one)
        wanted, asked = wanted | also[0], asked | also[1]
    return wanted, asked


def kinds_at(options: Options, directory: str) -> frozenset[str]:
    """The kinds of other documents that are looked for at and below a directory with a configuration of its own."""
    return _searched(_configured_or_not(options, directory))[0]


def contexts_of(options: Options, paths: Iterable[str]) -> tuple[str, ...]:
    """The build contexts that somebody names for the files and directories at `paths`, in order."""
    named = (_configured_or_not(options, path).context for path in paths)
    return tuple(sorted({context for context in (options.context, *named) if context is not None}))


def _configured_or_not(options: Options, path: str) -> Options:
    try:
        return configured(options, path)
    except ConfigTrouble:  # every file that it counts for says so
        return options


def _searched(options: Options) -> tuple[frozenset[str], frozenset[str]]:
    wanted = registry.documents([id for id in options.select or registry.ids() if id not in options.ignore])
    if options.select is None and not options.unsafe_fixes:
        wanted -= {IGNORE}
    asked = wanted if options.select is not None else frozenset()
    if options.builder is Builder.EPHEMERAL:
        asked |= wanted & {WORKFLOW}
    return wanted, asked


@dataclass(frozen=True, slots=True)
class FileResult:
    """What came of one file."""

    path: str
    """As it is shown to people."""
    outcome: Outcome[bytes] | None
    """None if the file could not be read."""
    problem: Problem | None
    """Why the file was left alone: could not be read, or `outcome.error`."""
    diff: str
    """A unified diff, empty where nothing changes, or nobody wants it."""
    created: bool = False
    """True if there is no such file yet."""
    builder: Builder | None = None
    """What keeps the caches of its builds; None if nothing was done."""
    built_by: tuple[str, ...] = ()
    """The workflows that build this Dockerfile on GitHub's runners, relative to the repository's root."""

    @property
    def nothing(self) -> bool:
        """True for a file that is not there, and is not missed: nobody needs to hear of it."""
        made = self.outcome
        return self.created and made is not None and not (made.changed or made.withheld or made.refusals)

    @property
    def status(self) -> str:
        """`changed` (or would be), `unchanged`, `skipped` (the file says so), `error`."""
        if self.problem is not None or self.outcome is None:
            return "error"
        if self.outcome.skipped:
            return "skipped"
        return "changed" if self.outcome.changed else "unchanged"


@dataclass(frozen=True, slots=True)
class Done:
    """A result, and what was done about it."""

    result: FileResult
    written: bool = False
    known: bool = False
    """True if an earlier run had the same result."""
    rows: tuple[Row, ...] = ()
    """For the cache of results."""


def fix_target(
    target: Target,
    options: Options,
    *,
    write_back: bool = False,
    cache: ResultCache | None = None,
    before_write: Callable[[], None] | None = None,
) -> Done:
    """One file: read, fixed or known from an earlier run, written. Does not raise on anything about the file.

    write_back: put the new text in the place of the old one; before_write is called before that.
    """
    if target.problem is not None:
        return Done(FileResult(target.path, None, target.problem, ""))
    try:
        options = configured(options, target.path)
        data = b"" if target.missing else read(target.path)
    except FileTrouble as trouble:
        return Done(FileResult(target.path, None, trouble.problem, ""))
    except ConfigTrouble as wrong:
        return Done(FileResult(target.path, None, Problem("configuration", str(wrong)), ""))
    project = options.project or project_name(target.path)
    other = kind_of(target.path) != DOCKERFILE
    if cache is None or other or is_template_name(PurePath(target.path)):
        context, targets = find_context(target.path, options), find_targets(target.path)
        shared = _shared(target, other)
        done = Done(fix_data(data, target.path, options, project, context, targets, target.missing, shared))
        return write_result(done.result, target.names, before_write) if write_back else done
    return _with_cache(cache, target, options, data, project, write_back, before_write)


def _with_cache(
    cache: ResultCache,
    target: Target,
    options: Options,
    data: bytes,
    project: str | None,
    write_back: bool,
    before_write: Callable[[], None] | None,
) -> Done:
    """The same for a Dockerfile whose result may be known, or is to be kept."""
    from fixer.engine.surroundings import Surroundings

    builder, built_by = find_builder(target.path, options)
    options = replace(options, builder=builder)  # found once, so that it is the one in the key
    place = (options.context, vendored_by(target.path))
    chosen = (options.select, options.ignore, options.unsafe_fixes, builder.value, place, options.images)
    earlier, now = (Surroundings(find_context(target.path, options), find_targets(target.path)) for _ in range(2))
    try:
        known = cache.follow(cache.key(data, project, chosen), target.path, data, earlier.answer)
    except Exception:  # to be met again below, where it is told
        known = None
    if known is not None and known.outcome is not None:
        outcome = known.outcome
        result = FileResult(target.path, outcome, outcome.error, "", builder=builder, built_by=built_by)
        return Done(result, known=True, rows=known.again)
    done = Done(fix_data(data, target.path, options, project, now.context, now.targets))
    made = done.result.outcome
    if made is None:
        return done
    if not made.changed:
        asked = now.asked(earlier) if known is not None else None
        if known is None or asked is None:
            return done
        rows = cache.rows(known.key, made, asked, now.answer(asked))
        return replace(done, rows=(*known.again, *rows))
    if write_back:
        done = write_result(done.result, target.names, before_write)
        context = find_context(target.path, options)
        asked = _asked_after(now, context, made.text_after, options.own_images) if done.written else None
        if asked is not None:
            key = cache.key(made.after, project, chosen)
            return replace(done, rows=cache.rows_after(key, made, asked, now.answer(asked)))
    return done


def _asked_after(
    now: Surroundings, context: FoundContext, text: str, images: Images
) -> Questions | None:
    """What the outcome for `text` rests on, which comes out of a change; None if nobody can tell."""
    from fixer.analysis import TooMuchWorkError, analyse
    from fixer.analysis.context import all_context_sources
    from fixer.tree.parse import parse

    context.expect(lambda: all_context_sources(analyse(parse(text), images=images)))
    try:
        return now.asked_after(context)
    except TooMuchWorkError:
        return None


def _shared(target: Target, other: bool) -> str:
    """Another name of a document that is no Dockerfile: what it says is about the directory in which it stands, and
    under another name it may be in force for another one, or be no such document at all. Empty if there is none."""
    if not other or target.missing:
        return ""
    if os.path.islink(target.path):
        return os.readlink(target.path)
    real = os.path.realpath(target.path)
    return next((os.path.relpath(name, os.path.dirname(real)) for name in target.names if name != real), "")


def outcome_for(data: bytes, path: str, options: Options) -> Outcome[bytes] | None:
    """What this run makes of the Dockerfile at `path`, which is `data` now; None if it leaves it as it is."""
    try:
        options = configured(options, path)
        project = options.project or project_name(path)
        context, targets = find_context(path, options), find_targets(path)
        return fix_data(data, path, options, project, context, targets).outcome
    except ConfigTrouble:
        return None


def find_builder(path: str, options: Options) -> tuple[Builder, tuple[str, ...]]:
    """What keeps the caches of the builds of the document at `path`, and the workflows for which that is nothing."""
    kind = kind_of(os.path.abspath(path))
    if kind != DOCKERFILE:
        return options.builder or (Builder.EPHEMERAL if kind == WORKFLOW else Builder.PERSISTENT), ()
    if options.builder is Builder.PERSISTENT:
        return options.builder, ()
    root = repository_root(os.path.dirname(real_path(path)))
    if root is None or not os.path.isdir(os.path.join(root, ".github")):
        return options.builder or Builder.PERSISTENT, ()
    from fixer.engine.workflows import hosted_by  # reads YAML

    built_by = hosted_by(path)
    return options.builder or (Builder.EPHEMERAL if built_by else Builder.PERSISTENT), built_by


def find_context(path: str, options: Options) -> FoundContext:
    """The build context of the Dockerfile at `path`, or the directory that another document there is about. Nothing is
    looked at yet."""
    from fixer.engine.context import FoundContext  # brings the analysis with it

    kind = kind_of(os.path.abspath(path))
    return FoundContext(path, options.context if kind == DOCKERFILE else root_of(os.path.abspath(path), kind))


def find_targets(path: str) -> FoundTargets:
    """What names targets of the Dockerfile at `path`. Nothing is looked at yet."""
    from fixer.engine.declared import FoundTargets  # brings the analysis with it

    return FoundTargets(path)


def write_result(
    result: FileResult, names: Sequence[str] = (), before_write: Callable[[], None] | None = None
) -> Done:
    """Puts the new text in the old one's place; what goes wrong becomes the file's problem. For `names` see
    `files.write`."""
    if result.status != "changed" or result.outcome is None:
        return Done(result)
    if before_write is not None:
        before_write()
    try:
        if result.created:
            create(result.path, result.outcome.after)
        else:
            write(result.path, result.outcome.before, result.outcome.after, names)
    except FileTrouble as trouble:
        return Done(replace(result, outcome=None, problem=trouble.problem, diff=""))
    return Done(result, written=True)


def fix_data(
    data: bytes,
    path: str,
    options: Options,
    project: str | None,
    context: BuildContext | None = None,
    targets: FoundTargets | None = None,
    created: bool = False,
    shared: str = "",
    placed: bool = True,
) -> FileResult:
    """Content that was read already; `path` is its name. Does not raise on anything about it. created: there is no
    such file yet. shared: see `_shared`. placed: False if the name is only to be shown."""
    from fixer.analysis.context import NO_CONTEXT
    from fixer.engine.run import Stays, fix  # brings the parser with it

    try:
        check_content(data)
    except FileTrouble as trouble:
        return FileResult(path, None, trouble.problem, "")
    if is_template_name(PurePath(path)):
        message = "a template by its name, not a Dockerfile; run dockfix on what it makes."
        return FileResult(path, None, Problem("template", message), "")
    kind = kind_of(os.path.abspath(path))
    if kind != DOCKERFILE:
        from fixer.engine.neighbours import Neighbours
    root = root_of(os.path.abspath(path), kind)
    if kind == WORKFLOW:
        from fixer.engine.workflows import OtherWorkflows, read_at

        place = os.path.relpath(os.path.abspath(path), root).replace(os.sep, "/")
    builder, built_by = find_builder(path, options)
    stays = Stays("shared", f"the file is {shared} too, for whoever reads it by that name") if shared else None
    if placed and (vendored := vendored_by(path)):
        stays = Stays("vendored", f"it belongs to a package of others, says {vendored}")
    outcome = fix(
        data,
        path=path,
        select=options.select,
        ignore=options.ignore,
        unsafe_fixes=options.unsafe_fixes,
        project=project,
        builder=builder,
        context=context if context is not None else NO_CONTEXT,
        targets=targets,
        kind=kind,
        dockerfiles=() if kind == DOCKERFILE else Neighbours(root, kind, options),
        place=place if kind == WORKFLOW else "",
        workflows=OtherWorkflows(root, place) if kind == WORKFLOW else None,
        reader=partial(read_at, root, place) if kind == WORKFLOW else None,
        stays=stays,
        images=options.own_images,
    )
    if not outcome.changed or not options.diff:
        return FileResult(path, outcome, outcome.error, "", created, builder, built_by)
    name = diff_name(path, options.base)
    diff = unified_diff(outcome.text_before, outcome.text_after, name, created=created)
    return FileResult(path, outcome, outcome.error, diff, created, builder, built_by)


def diff_name(path: str, base: str = os.curdir) -> str:
    """The name in a diff, as `git apply` wants it: relative to the directory in which the diff is applied, with
    slashes, and of the file itself where `path` goes through symbolic links."""
    real = os.path.relpath(real_path(path), real_path(base))
    if not _is_outside(real):
        return PurePath(real).as_posix()
    if os.path.isabs(path) or os.pardir in PurePath(path).parts:
        relative = os.path.relpath(path)
        path = path if _is_outside(relative) else relative
    return PurePath(path).as_posix().lstrip("/")


def diff_base(paths: Iterable[str], around: Collection[str] = ()) -> str:
    """The directory to which names in the diff of all these are relative: the current one, or the nearest above it that
    holds them all, as no patch can name what lies outside of where it is applied. around: the kinds of documents that
    are looked for around all paths."""
    here = base = os.path.realpath(os.curdir)
    every = dict.fromkeys(os.path.realpath(path) for path in paths)
    for real in [*every, *dict.fromkeys(place for path in every for place in places_around(path, around))]:
        if not real.startswith(os.path.join(base, "")) and real != base:
            try:
                base = os.path.commonpath([base, real if os.path.isdir(real) else os.path.dirname(real)])
            except ValueError:  # on another drive
                continue
    return os.curdir if base == here else base


def _is_outside(relative: str) -> bool:
    return relative == os.pardir or relative.startswith(os.path.join(os.pardir, ""))
