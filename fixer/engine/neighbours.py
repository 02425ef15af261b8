"""The Dockerfiles around a document that is none."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import overload

from fixer.analysis import Facts, TooMuchWorkError, analyse
from fixer.analysis.context import ContextSource, Sources, all_context_sources
from fixer.analysis.documents import Neighbour, Use
from fixer.engine.config import ConfigTrouble
from fixer.engine.context import FoundContext, holds
from fixer.engine.declared import FoundTargets, declared
from fixer.engine.files import FileTrouble, begins_like_dockerfile, is_dockerfile_name, read, survey
from fixer.engine.job import Options, configured, outcome_for
from fixer.engine.kinds import DOCKERFILE, IGNORE, IGNORE_NAME, kind_of
from fixer.engine.outcome import Origins, Outcome
from fixer.engine.project import repository_root
from fixer.text.source import decode
from fixer.tree.parse import parse


class Neighbours(Sequence[Neighbour]):
    """The Dockerfiles around a document of that kind, in the order of their paths: those at and below the directory
    `root`, without what Git ignores, and for a .dockerignore all that have it for their context. Looked for when
    somebody asks, and parsed one by one.

    options: what is done with them in this run. top: the directory that is searched, by default the repository's root.
    """

    def __init__(self, root: str, kind: str, options: Options = Options(), top: str | None = None) -> None:  # noqa: B008
        self._root = os.path.realpath(root)
        self._kind = kind
        self._options = options
        self._top = top
        self._found: tuple[Neighbour, ...] | None = None

    def _all(self) -> tuple[Neighbour, ...]:
        if self._found is None:
            top = self._top or repository_root(self._root) or _named_above(self._root, self._options)
            around = _Around(self._root, os.path.realpath(top), self._options)
            self._found = tuple(around.users() if self._kind == IGNORE else around.below())
        return self._found

    @overload
    def __getitem__(self, index: int) -> Neighbour: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Neighbour]: ...
    def __getitem__(self, index: int | slice) -> Neighbour | Sequence[Neighbour]:
        return self._all()[index]

    def __iter__(self) -> Iterator[Neighbour]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())


class _Around:
    """Everything in real paths."""

    def __init__(self, root: str, top: str, options: Options) -> None:
        self._root = root
        self._top = top
        self._options = options

    def below(self) -> Iterator[Neighbour]:
        """All Dockerfiles at and below the directory."""
        for path in self._paths_below():
            facts = self._facts_of(path)
            context = FoundContext(path)
            context.expect(_sources(facts))
            own = os.path.lexists(path + IGNORE_NAME)
            yield Neighbour(self._name(path), facts, context, own_ignore=own, line=self._line_of(path))

    def users(self) -> Iterator[Neighbour]:
        """Those that may have the directory for their context, and those of the directory that have a .dockerignore of
        their own. Raises TooMuchWorkError if nobody can tell in time what workflows build."""
        said = declared(self._top)
        if not said.complete:
            raise TooMuchWorkError
        first: FoundContext | None = None
        named = (*_by_context(self._top, self._options).get(self._root, ()), *_with_contexts(self._top, self._options))
        inside = os.path.join(self._root, "")
        odd = {path for path in _by_content(self._top) if path.startswith(inside)}
        if any(os.path.basename(path) == _PIPED for path in said.users.get(self._root, ())):
            yield Neighbour("a Dockerfile that a script pipes in", lambda: None, use=lambda: Use.POSSIBLE)
        for path in sorted({*self._paths_below(), *said.users.get(self._root, ()), *named, *odd}, key=self._name):
            facts = self._facts_of(path)
            if not os.path.isfile(path) or (not _is_one(path) and path not in said.contexts and facts() is None):
                continue
            contexts = self._contexts(os.path.realpath(path))
            own = os.path.lexists(path + IGNORE_NAME)
            if own and os.path.dirname(path) == self._root:
                for directory in sorted(contexts or ()) or (None,):
                    context = FoundContext(path, directory)
                    context.expect(_sources(facts))
                    yield Neighbour(self._name(path), facts, context, own_ignore=True, line=self._line_of(path))
            elif not own:
                context = FoundContext(path, self._root, first)
                first = first or context
                use = self._use(path, facts, contexts, possible=path in odd)
                yield Neighbour(self._name(path), facts, context, use, line=self._line_of(path))

    def _use(
        self, path: str, facts: Callable[[], Facts | None], contexts: frozenset[str], *, possible: bool
    ) -> Callable[[], Use]:
        """possible: it cannot be certain by itself that it is built at all."""

        def use() -> Use:
            if contexts:
                return Use.CERTAIN if self._root in contexts else Use.NONE
            known = facts()
            if known is None:
                return Use.POSSIBLE
            nearest = FoundContext(path)
            nearest.expect(lambda: all_context_sources(known))
            if nearest.directory == self._root:
                return Use.POSSIBLE if possible else Use.CERTAIN
            if nearest.directory is not None and not holds(self._root, all_context_sources(known)):
                return Use.NONE
            return Use.POSSIBLE

        return use

    def _contexts(self, path: str) -> frozenset[str]:
        """Those that are named for a Dockerfile; none if nobody says one."""
        named = _options_for(path, self._options).context
        if named is not None:
            return frozenset((os.path.realpath(named),))
        return declared(self._top).contexts.get(path, frozenset())

    def _paths_below(self) -> Sequence[str]:
        found = _candidates(self._top, _odd_names(self._options))
        inside = os.path.join(self._root, "")
        first = bisect_left(found, inside)
        return found[first : bisect_left(found, inside[:-1] + chr(ord(os.sep) + 1))]

    def _facts_of(self, path: str) -> Callable[[], Facts | None]:
        return lambda: _read(path, self._top, self._options)[0]

    def _line_of(self, path: str) -> Callable[[int], tuple[int, bool]] | None:
        if self._options.write:
            return None
        found: list[Origins] = []

        def line(offset: int) -> tuple[int, bool]:
            if not found:
                found.extend(_read(path, self._top, self._options)[1:])
            return found[0].line(offset)

        return line

    def _name(self, path: str) -> str:
        return os.path.relpath(path, self._root).replace(os.sep, "/")


def _sources(facts: Callable[[], Facts | None]) -> Sources:
    def sources() -> tuple[ContextSource, ...]:
        known = facts()
        return () if known is None else all_context_sources(known)

    return sources


def _named_above(root: str, options: Options) -> str:
    """Outside of a repository: the highest directory above that this run is about."""
    found, directory = root, root
    while directory != os.path.dirname(directory):
        directory = os.path.dirname(directory)
        if directory in options.paths:
            found = directory
    return found


def _is_one(path: str) -> bool:
    return is_dockerfile_name(os.path.basename(path))


@lru_cache(maxsize=64)
def _odd_names(options: Options) -> tuple[str, ...]:
    """The files that are named in this run as Dockerfiles that are not called so."""
    odd = (path for path in options.paths if not _is_one(path) and kind_of(path) == DOCKERFILE)
    return tuple(sorted(path for path in odd if os.path.isfile(path)))


_PIPED = "-"
"""A Dockerfile that comes by standard input."""
_MOST_ODD = 2_000
"""So many files without an ending are looked into."""


@lru_cache(maxsize=64)
def _by_content(top: str) -> Sequence[str]:
    """The Dockerfiles that nobody would know by their names; most tools can be told to take one."""
    return [path for path in survey(top).odd[:_MOST_ODD] if begins_like_dockerfile(path)]


@lru_cache(maxsize=64)
def _candidates(top: str, odd: tuple[str, ...]) -> Sequence[str]:
    """What may be a Dockerfile, in order. A repository has many documents, and is searched once."""
    found = survey(top)
    paths = {*found.dockerfiles, *found.alike}
    real = {os.path.realpath(path) for path in paths}
    return sorted(paths.union(path for path in (*odd, *declared(top).contexts) if path not in real))


@lru_cache(maxsize=64)
def _by_context(top: str, options: Options) -> Mapping[str, Sequence[str]]:
    """The Dockerfiles for which the command line or a configuration names the context, by that."""
    found: dict[str, list[str]] = {}
    for path in _candidates(top, _odd_names(options)):
        context = _options_for(path, options).context
        if context is not None:
            found.setdefault(os.path.realpath(context), []).append(path)
    return found


@lru_cache(maxsize=64)
def _with_contexts(top: str, options: Options) -> Sequence[str]:
    """The Dockerfiles to whose builds a file gives contexts by name: these may be any directory."""
    paths = _candidates(top, _odd_names(options))
    said = declared(top)
    loose = [which for which, targets in said.loose.items() if targets.replaced]
    return [
        path for path in paths
        if (path in said.targets and said.targets[path].replaced) or any(one.may_be(path) for one in loose)
    ]  # fmt: skip


def _options_for(path: str, options: Options) -> Options:
    """What counts for a Dockerfile: but for base images, the command line has a say only if it is worked on."""
    try:
        return configured(options if options.is_about(path) else Options(images=options.images), path)
    except ConfigTrouble:
        return options


@lru_cache(maxsize=256)
def _read(path: str, top: str, options: Options) -> tuple[Facts | None, Origins]:
    """The facts of a Dockerfile as this run leaves it, and where its text was before."""
    try:
        data = read(path)
    except FileTrouble:
        return None, Origins(Outcome(path, "", "", True))
    outcome = outcome_for(data, path, options) if options.is_about(path) else None
    if outcome is None:
        outcome = Outcome(path, decode(data), decode(data), True)
    file = parse(outcome.text_after)
    understood = not file.opaque and file.instructions
    facts = analyse(file, targets=FoundTargets(path, top), images=options.own_images) if understood else None
    return facts, Origins(outcome)
