"""Scopes of GitHub's layer cache: a name for each image that the workflows of a repository build.

Builds in one scope overwrite each other's cache (docs.docker.com, "GitHub Actions cache"); the default scope is
`buildkit`. A name is made of what the files say about the build alone, so that it is the same in every run, whichever
file is changed first.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import combinations

from fixer.analysis.workflow import (
    BUILD,
    METADATA,
    Step,
    Workflow,
    comma_listed,
    filled,
    listed,
    matrix_paths,
    recipe,
    text_of,
)
from fixer.analysis.yaml_nodes import Mapping, Scalar
from fixer.text.records import dataclass

DEFAULT = "buildkit"
"""BuildKit's scope where none is named (cache/remotecache/gha/gha.go, v0.25)."""
_VALID = re.compile(r"[A-Za-z0-9_./:@+-]+")
"""No comma, which parts the fields, and nothing that a shell or CSV minds."""
_GHA = re.compile(r"\btype=gha\b")
_SCOPE = re.compile(r"(?:^|,)scope=([^,]*)")
_PLAIN_FOLDERS = ("docker", ".docker", "dockerfiles", "build", "images", "ci", "deploy")
"""Names of folders that tell nothing of an image."""
_VARYING = ("context", "file", "target", "platforms", "build-args", "build-contexts", "tags")
"""Inputs that tell the combinations of a matrix apart."""


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


class Scopes:
    """The names for the builds of one workflow.

    others: the other workflows of the repository with their paths; None if they are not known, so that every build gets
    a name.
    """

    def __init__(self, own: Workflow, path: str, others: Sequence[tuple[str, Workflow]] | None) -> None:
        self._own = own
        everything = [(path, own), *(others or ())]
        self._alone_unknown = others is None
        self._files = sorted(everything, key=lambda one: one[0])
        self._path_of = {id(workflow): name for name, workflow in everything}

    def of(self, step: Step) -> str | NoScope | None:
        """The scope for a build that has no cache yet; None for the only one of the repository, which needs none."""
        varying = self._varying(step)
        if isinstance(varying, NoScope):
            return varying
        group = self._group(step)
        for other in group:
            found = _scope_in(other)
            if found is not None and ("${{" not in found or other.job is step.job):
                return None if found == DEFAULT else found
        if not varying and not self._alone_unknown and len(group) == len(self._builds) and not self._others_use_it:
            return None
        strangers = [one for one in self._builds if one not in group]
        if varying and not strangers and not self._alone_unknown and not self._others_use_it:
            return varying
        names = self._names(group[0])
        taken = {scope for one in strangers if (scope := _scope_in(one)) is not None}
        for level, name in enumerate(names):
            if name in taken or any(self._names(one)[level] == name for one in strangers):
                continue
            return f"{name}-{varying}" if varying else name
        return NoScope("no name tells this build from the other builds of the repository")

    # --- which builds there are -------------------------------------------------------------------------------------

    @cached_property
    def _builds(self) -> list[Step]:
        """Those that use GitHub's cache, or might."""
        return [step for _, workflow in self._files for step in workflow.steps if is_build(step) and _may_use(step)]

    @cached_property
    def _others_use_it(self) -> bool:
        """Whether something that is no such step names the cache: a script, or docker/bake-action."""
        return any(
            _GHA.search(text)
            for _, workflow in self._files
            for step in workflow.steps
            if not is_build(step)
            for text in step.texts()
        )

    def _group(self, step: Step) -> list[Step]:
        """The builds with the same layers, in the order of the files."""
        mine = _identity(step)
        return [one for one in self._builds if one is step or _identity(one) == mine]

    # --- names ------------------------------------------------------------------------------------------------------

    def _names(self, step: Step) -> tuple[str, ...]:
        """From the shortest to the longest; each level tells more builds apart."""
        found = recipe(step)
        where = _place_name(found.context, found.file)
        image = image_name(step) or where or slug(step.job.id) or "image"
        target = slug(found.target) if "${{" not in found.target else ""
        stem = slug(posixpath.basename(self._path_of[id(step.job.workflow)]).partition(".")[0])
        by_target = _dashed(image, target)
        by_place = _dashed(by_target, "" if where in image else where)
        by_platform = _dashed(by_place, _platforms(step))
        by_job = _dashed(by_platform, stem, slug(step.job.id))
        return image, by_target, by_place, by_platform, by_job

    def _varying(self, step: Step) -> str | NoScope:
        """The expressions that tell the combinations of the matrix apart; empty if they all build the same."""
        texts = [step.input(name) or "" for name in _VARYING]
        if any("inputs." in text for text in texts[:4]) and re.search(r"\binputs\.", "".join(texts[:4])):
            return NoScope("what it builds comes from `inputs`, so that whoever calls it decides")
        if step.job.matrix is None:
            return ""
        runner = text_of(step.job.node.get("runs-on")) or ""
        used = [path for text in [*texts[:5], runner, *texts[5:]] for path in matrix_paths(text)]
        hidden = any(_hides(text) for text in texts[:5])
        known = step.job.combinations
        if known is None:
            if not used and not hidden:
                return ""
            return NoScope("the matrix is computed, so that its values are not known")
        if hidden and not used:
            used = sorted({key for one in known for key in one})
        if not used:
            return ""
        return _telling(list(dict.fromkeys(used)), known)


def _hides(text: str) -> bool:
    """Whether a text has an expression that may depend on the matrix without naming it."""
    return re.search(r"\$\{\{[^}]*\b(?:env|steps)\.", text) is not None


def _telling(used: list[str], known: Sequence[dict[str, str]]) -> str | NoScope:
    """The fewest of the paths that differ wherever one of them does, as expressions."""
    rows = [tuple(one.get(path, "") for path in used) for one in known]
    if len(set(rows)) <= 1:
        return ""
    good = [i for i in range(len(used)) if all(_VALID.fullmatch(row[i]) for row in rows)]
    for size in range(1, min(len(good), 3) + 1):
        for chosen in combinations(good, size):
            if len({tuple(row[i] for i in chosen) for row in rows}) == len(set(rows)):
                return "-".join(f"${{{{ matrix.{used[i]} }}}}" for i in chosen)
    return NoScope("no values of the matrix that tell its builds apart are fit for a name")


def _identity(step: Step) -> object:
    """Equal for builds with the same layers."""
    found = recipe(step)
    texts = found.key
    if not any("${{" in text for text in texts):
        return texts
    known = step.job.combinations
    if known is not None:
        rows = [tuple(filled(text, one) for text in texts) for one in known]
        if not any(None in row for row in rows):
            return frozenset(rows) if len(set(rows)) > 1 else rows[0]
    return (id(step.job), texts)


def _may_use(step: Step) -> bool:
    """Whether it uses GitHub's cache, or has none and so might."""
    cache = " ".join(one for one in cache_inputs(step) if one)
    return not cache or _GHA.search(cache) is not None


def _scope_in(step: Step) -> str | None:
    """The scope into which a step writes, or from which it reads; None without such a cache."""
    for text in reversed(cache_inputs(step)):
        for line in listed(text):
            if _GHA.search(line):
                match = _SCOPE.search(line)
                return match[1] if match else DEFAULT
    return None


# --- what files say --------------------------------------------------------------------------------------------------


def image_name(step: Step) -> str:
    """The last part of the image's name, without tag; empty if the file does not say it in words."""
    for text in _image_texts(step):
        last = _known(step, text).rpartition("/")[2].partition("@")[0].partition(":")[0]
        if last and "${{" not in last:
            return slug(last)
    return ""


def image_repositories(step: Step) -> Iterator[str]:
    """The names of the images that it makes, without tags, as far as they are words."""
    for text in _image_texts(step):
        path, _, last = _known(step, text).rpartition("/")
        name = last.partition("@")[0].partition(":")[0]
        if name and "${{" not in name:
            yield f"{path}/{name}" if path and "${{" not in path else name


def _image_texts(step: Step) -> Iterator[str]:
    for line in re.split(r"[\n,]", step.input("tags") or ""):
        line = line.strip()
        found = re.fullmatch(r"\$\{\{\s*steps\.([\w-]+)\.outputs\.tags\s*\}\}", line)
        if found is None:
            yield line
            continue
        for other in step.job.steps:
            if other.id == found[1] and other.action == METADATA:
                yield from (part.strip() for part in re.split(r"[\n,]", other.input("images") or "") if part.strip())
    found = re.search(r"(?:^|,)name=([^,\n]+)", step.input("outputs") or "")
    if found is not None:
        yield found[1]


def _known(step: Step, text: str) -> str:
    """With values of the environment that stand in the file."""
    tables = [step.node.get("env"), step.job.node.get("env")]
    tables.append(step.job.workflow.root.get("env") if step.job.workflow.root is not None else None)
    for match in re.finditer(r"\$\{\{\s*env\.(\w+)\s*\}\}", text):
        for table in tables:
            value = table.get(match[1]) if isinstance(table, Mapping) else None
            if isinstance(value, Scalar):
                text = text.replace(match[0], value.text)
                break
    return text


def _platforms(step: Step) -> str:
    """`linux/arm64` is arm64; empty if the file does not say it in words."""
    platforms = comma_listed(step.input("platforms"))
    if any("${{" in one for one in platforms):
        return ""
    return slug("-".join(one.removeprefix("linux/") for one in platforms))


def _place_name(context: str, file: str) -> str:
    """A name from where the Dockerfile is: `Dockerfile.worker` and `worker.Dockerfile` are worker, `api/Dockerfile` is
    api."""
    if "${{" in context + file:
        return ""
    folder, base = posixpath.split(file)
    stem = re.sub(r"(?i)^(?:docker|container)file[.-]?|[.-]?(?:docker|container)file$", "", base)
    near = posixpath.basename(folder)
    parts = [near if near not in _PLAIN_FOLDERS else "", stem]
    name = slug("-".join(part for part in parts if part))
    return name or slug(posixpath.basename(context) if context not in (".", "..") else "")


def slug(text: str) -> str:
    """With what is fit for a name."""
    return re.sub(r"[^a-z0-9._]+", "-", text.lower()).strip("-._")


def _dashed(*parts: str) -> str:
    return "-".join(dict.fromkeys(part for part in parts if part))
