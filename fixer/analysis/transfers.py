"""Where COPY and ADD put single files, and whether one of them surely brings a file to a path.

Source: BuildKit v0.25, dockerfile2llb/convert.go (`dispatchCopy`): a source that is a directory gives its content; a
file goes into a destination that ends with a slash, is a directory, or is shared by several sources.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from fnmatch import fnmatchcase
from posixpath import basename, dirname
from typing import TYPE_CHECKING

from fixer.analysis.stages import Stage
from fixer.analysis.values import ROOT, Known, Value, below, clean, expand, join
from fixer.text.records import dataclass
from fixer.text.regex import regex
from fixer.text.source import Span
from fixer.tree.nodes import Add, Instruction, JsonString, Leaf, Transfer

if TYPE_CHECKING:
    from fixer.analysis.facts import Facts

DIRECTORIES = frozenset(
    ("/", "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib64", "/media", "/mnt", "/opt", "/proc", "/root",
     "/run", "/sbin", "/srv", "/sys", "/tmp", "/usr", "/usr/bin", "/usr/lib", "/usr/libexec", "/usr/local",
     "/usr/local/bin", "/usr/local/lib", "/usr/local/sbin", "/usr/local/share", "/usr/sbin", "/usr/share", "/var",
     "/var/lib", "/var/tmp")
)  # fmt: skip
"""Directories that every image of a distribution has: a file that is copied there goes into them."""

_GLOB = regex(r"[*?\[\\]")


class Lands(Enum):
    """Whether an instruction puts something at a path."""

    YES = "yes"
    MAYBE = "maybe"
    NO = "no"


@dataclass(frozen=True, slots=True)
class Source:
    """One source of a COPY or ADD.

    site: the node of the word. span: where it is written. text: as written, quotes removed.
    path: variables put in, clean, without a slash at the front: relative to the context, or to the root of what
        `--from` names.
    pattern: whether it is one (`*.txt`), which `path` then is.
    """

    site: Leaf | JsonString
    span: Span
    text: str
    path: Value
    pattern: bool


def sources(facts: Facts, instruction: Transfer) -> tuple[Source, ...]:
    """The sources of a COPY or ADD, in order, without here-documents and without what ADD fetches."""
    words: list[tuple[Leaf | JsonString, str, Span]]
    if instruction.form is not None:
        words = [(item, item.value, item.string.span) for item in instruction.form.items[:-1]]
    else:
        words = [(leaf, leaf.value, leaf.span) for leaf in instruction.sources if not leaf.text.startswith("<<")]
    state = facts.state(instruction)
    found = []
    for site, text, span in words:
        value = state.expand(text)
        if isinstance(instruction, Add) and "://" in text:
            continue
        pattern = isinstance(value, Known) and _GLOB.search(value.value) is not None
        if isinstance(value, Known):
            value = Known(clean(join(ROOT, value).value).lstrip("/"), value.args)  # type: ignore[union-attr]
        found.append(Source(site, span, text.strip("\"'"), value, pattern))
    return tuple(found)


def destination_text(instruction: Transfer) -> str:
    """The text of the destination. It ends with a slash if several files go there."""
    if instruction.form is not None:
        return instruction.form.items[-1].value + ("/" if len(instruction.form.items) > 2 else "")
    text = instruction.destination.value if instruction.destination is not None else ""
    return text.strip("\"'") + ("/" if len(instruction.sources) > 1 else "")


def destination(facts: Facts, instruction: Transfer) -> Value:
    """The destination as an absolute path."""
    if instruction.form is not None:
        text = instruction.form.items[-1].value if instruction.form.items else ""
    else:
        text = instruction.destination.value if instruction.destination is not None else ""
    state = facts.state(instruction)
    return join(state.workdir, expand(text, state.lookup, facts.file.escape))


def heredoc_files(facts: Facts, instruction: Transfer) -> Iterator[tuple[str, str]]:
    """The names of the files that a COPY or ADD makes of its here-documents, and what is in them."""
    target = destination(facts, instruction) if instruction.heredocs else None
    if isinstance(target, Known):
        into = destination_text(instruction).endswith("/")
        yield from ((each.name if into else basename(target.value), each.body.value) for each in instruction.heredocs)


def file_at(facts: Facts, instruction: Instruction, stage: Stage, name: str, target: str, text: str) -> str:
    """The path of a file `name` after it was copied to `target`, written as `text`: below it, if it is a directory."""
    if text.endswith(("/", "/.")) or text in (".", "..") or target in DIRECTORIES:
        return clean(f"{target}/{name}")
    for writer in facts.writers(stage, target, instruction):
        into = writer.relation == "inside" or (writer.relation == "same" and writer.kind == "workdir")
        makes = writer.call is not None and writer.call.program == "mkdir" and writer.relation == "same"
        if writer.mode == "write" and (into or makes):
            return clean(f"{target}/{name}")
    return target


def lands(facts: Facts, instruction: Transfer, path: str, source: str, origin: object) -> Lands:
    """Whether a COPY or ADD puts a file at `path` of its stage, knowing that `source` is a file of `origin` (a stage or
    an image; None: the build context).

    YES whatever the content is: it is what the file at `path` holds afterwards. MAYBE for what cannot be told.
    """
    stage = facts.stage_of(instruction)
    target = destination(facts, instruction)
    if stage is None or not isinstance(target, Known):
        return Lands.MAYBE
    if not (below(path, target.value) or below(target.value, path)):
        return Lands.NO
    if instruction.heredocs or any(flag.name in ("exclude", "parents") for flag in instruction.flags):
        return Lands.MAYBE
    found = Lands.NO
    same = facts.copied_from(instruction) is origin
    for each in sources(facts, instruction):
        how = _source_lands(facts, instruction, stage, each, path, source if same else None, target.value)
        if how is Lands.YES:
            return how
        found = Lands.MAYBE if how is Lands.MAYBE else found
    return found


def _source_lands(
    facts: Facts, instruction: Transfer, stage: Stage, each: Source, path: str, source: str | None, target: str
) -> Lands:
    """`source`: a file that is surely there, None if nothing of what is there is known."""
    if not isinstance(each.path, Known) or each.path.args:
        return Lands.MAYBE
    text = destination_text(instruction)
    if each.pattern:
        if source is not None and "\\" not in each.path.value and "[" not in each.path.value:
            matches = dirname(source) == dirname(each.path.value) and fnmatchcase(source, each.path.value)
            if matches and clean(f"{target}/{basename(source)}") == path and text.endswith(("/", ".")):
                return Lands.YES
        return Lands.MAYBE if _may_match(basename(path), each.path.value) else Lands.NO
    if each.path.value == source:
        return Lands.YES if file_at(facts, instruction, stage, basename(source), target, text) == path else Lands.NO
    if source is not None and below("/" + source, "/" + each.path.value):
        rest = ("/" + source)[len("/" + each.path.value) :] if each.path.value else "/" + source
        if clean(f"{target}/{rest}") == path:
            return Lands.YES
    name = basename(each.path.value)
    if is_file_name(name):
        return Lands.YES if file_at(facts, instruction, stage, name, target, text) == path else Lands.NO
    return Lands.MAYBE


def _may_match(name: str, pattern: str) -> bool:
    """Whether a pattern may take `name`, or a directory, which gives its content."""
    last = basename(pattern)
    fixed = last.rpartition(".")[2]
    # `*.py` takes no directory that anybody has, and neither a file that ends otherwise
    plain = "." in last and fixed and not _GLOB.search(fixed) and fixed not in ("d", "egg-info")
    return not plain or fnmatchcase(name, last)


_FILE = regex(
    r"(?:.+\.(?:py|js|mjs|cjs|ts|tsx|jsx|json|jsonc|toml|lock|txt|in|cfg|ini|conf|yml|yaml|sh|md|rst|mod|sum|rs|rb|php"
    r"|java|kt|xml|html|css|sql|csproj|fsproj|vbproj|sln|slnx|props|targets|config|pem|crt|key|whl|jar|zip|gz|tgz|xz"
    r"|bz2|tar|gradle|kts|properties|sbt|scala|go|c|cc|cpp|h|hpp|cs|proto|ex|exs|gemspec|cmake)"
    r"|Makefile|Dockerfile|Gemfile|Rakefile|Procfile|Pipfile|justfile|gradlew|mvnw|LICENSE|README)\Z"
)


def is_file_name(name: str) -> bool:
    """Whether a name is one that files have, and no directory."""
    return _FILE.match(name) is not None
