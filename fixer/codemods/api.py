"""What a codemod is, and what it yields: changes, and refusals that say why not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, ClassVar

from fixer.text.edits import Edit
from fixer.text.records import dataclass, field
from fixer.text.source import Span

if TYPE_CHECKING:
    from fixer.analysis import Facts
    from fixer.analysis.context import BuildContext
    from fixer.analysis.documents import Neighbour
    from fixer.analysis.workflow import Workflow


class Safety(Enum):
    """How far a change may be trusted ("applicability" in other fixers)."""

    SAFE = "safe"
    """Keeps every law: it still builds, from warm, cold and evicted caches, and it is the same image."""
    UNSAFE = "unsafe"
    """May change the image, or rests on something about the builder that a Dockerfile does not show."""


@dataclass(frozen=True, slots=True)
class Alters:
    """Where an image may differ because of a change: what `dockfix verify` takes as explained."""

    paths: tuple[str, ...] = ()
    """Absolute paths in the file system of any stage: the path itself, and everything at or below it."""
    config: tuple[str, ...] = ()
    """Fields of the image's configuration, as `docker inspect` names them: `Cmd`, `Entrypoint`; `Env NAME` for one
    variable."""


NOTHING = Alters()


@dataclass(frozen=True, slots=True)
class Change:
    """A group of edits of one text that is applied whole or not at all."""

    codemod: str
    title: str
    """What it does, one line, imperative: "mount pip's cache"."""
    why: str
    """Why that is right and safe, one sentence, for the reviewer."""
    span: Span
    """The instruction that it is about."""
    edits: tuple[Edit, ...]
    safety: Safety = Safety.SAFE
    risk: str = ""
    """For an unsafe change: what may go wrong."""
    alters: Alters = NOTHING
    """Where images may differ because of it."""

    def __post_init__(self) -> None:
        if not self.edits:
            raise ValueError(f"{self.codemod}: a change without edits")
        if (self.safety is Safety.UNSAFE) != bool(self.risk):
            raise ValueError(f"{self.codemod}: a change is unsafe exactly if it names a risk")


@dataclass(frozen=True, slots=True)
class Refusal:
    """The pattern was found and left alone."""

    codemod: str
    reason: str
    """A stable code, one of the codemod's `reasons`."""
    span: Span
    """The exact text that stops us."""
    because: str
    """One sentence for the owner of the file."""


class Builder(Enum):
    """What keeps the caches of the builds."""

    PERSISTENT = "persistent"
    """The builder stays: a laptop, a builder of one's own. Cache mounts pay."""
    EPHEMERAL = "ephemeral"
    """Every build has a new builder, as on hosted CI. Only layers survive, in a cache that the workflow names."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the user chose, and what is known of the files around, as far as codemods need it."""

    project: str | None = None
    """Names project-scoped cache mounts; None if nothing is known that is stable and unique enough."""
    builder: Builder = Builder.PERSISTENT
    context: BuildContext = field(default_factory=lambda: _no_context())
    """The build context, if it is at hand."""
    dockerfiles: Sequence[Neighbour] = ()
    """For a document that is no Dockerfile: the Dockerfiles at and below the directory that it is about (that of a
    .dockerignore, the repository of a workflow), in the order of their paths."""
    path: str = ""
    """For a workflow: where it is in its repository, with `/`; for a .dockerignore its name."""
    workflows: Sequence[tuple[str, Workflow]] | None = None
    """For a workflow: the others of its repository that name docker, and the repository's actions, with their paths,
    in the order of these; None if they are not known."""


def _no_context() -> BuildContext:
    from fixer.analysis.context import NO_CONTEXT  # brings the analysis with it, which `--help` does without

    return NO_CONTEXT


class Codemod:
    """Base class. The docstring of a subclass is its manual page: the first line is its summary."""

    id: ClassVar[str]
    words: ClassVar[tuple[str, ...]]
    """A text that holds none of these strings cannot be changed by this codemod: it is skipped unparsed. Without words
    every text is looked at."""
    document: ClassVar[str] = "dockerfile"
    """The kind of text that it is for, one of `fixer.analysis.documents`: `run` gets that kind's facts."""
    reasons: ClassVar[Mapping[str, str]] = {}
    """Every reason code that it may give, with what it means in general."""
    builders: ClassVar[frozenset[Builder]] = frozenset(Builder)
    """For which builders it runs if nobody selects it by its id; none for a codemod that must be asked for."""

    def run(self, facts: Facts, settings: Settings) -> Iterator[Change | Refusal]:
        """All changes and refusals for one file, in the order of the text. Reads only. Changes of one run are meant for
        the same text; those that overlap or touch are applied one round after the other."""
        raise NotImplementedError
