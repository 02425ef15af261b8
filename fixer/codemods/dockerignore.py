"""dockerignore: see the class."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from posixpath import basename, dirname
from typing import ClassVar

from fixer.analysis import Call, Known, below
from fixer.analysis.dockerignore import NAME as IGNORE_NAME
from fixer.analysis.dockerignore import Ignore
from fixer.analysis.ignorefile import DIRECTORIES, IgnoreFile, read_ignore_file
from fixer.analysis.leftovers import Made, installs_python, words_of
from fixer.codemods.altered import alters
from fixer.codemods.api import Alters, Change, Codemod, Refusal, Safety, Settings
from fixer.codemods.common import Stop
from fixer.codemods.dockerignore_git import nobody_asks_git
from fixer.codemods.dockerignore_needs import (
    NOWHERE,
    enough_is_installed,
    family_of,
    makers,
    names_nowhere,
    no_file_uses,
    no_other_context,
    nobody_keeps,
    nobody_names,
    nobody_uses,
    places_of,
    somebody_makes,
    stop,
)
from fixer.codemods.dockerignore_users import (
    Brought,
    Files,
    Making,
    User,
    has_file,
    has_parts,
    is_part,
    joined,
    package_json,
    users_of,
)
from fixer.text.edits import apply_edits
from fixer.text.records import dataclass
from fixer.tree.nodes import Run


class Dockerignore(Codemod):
    """Leave out of the build context what the build makes itself: `target`, `node_modules`, `.venv`…

    What it does

    `COPY . .` takes the whole context, and with it what the tools of whoever builds have left there. A line in
    .dockerignore for each such directory keeps it away, in the file that is in force (`.dockerignore` in the context,
    or `NAME.dockerignore` beside the Dockerfile), which is made where it is missing:

        FROM node:22
        WORKDIR /app
        COPY package.json package-lock.json ./
        RUN npm ci
        COPY . .

    gets a .dockerignore with the line

        node_modules

    without which `COPY . .` puts the developer's packages, made for another system, over those that `npm ci` has
    installed.

    | directory | where it is needless |
    |---|---|
    | `target` | `cargo build`, or Maven, works on the project in the image |
    | `node_modules` | npm, yarn, pnpm or bun installs all packages in the image |
    | `.next`, `.nuxt`, `.output` | a script of package.json makes them in the image |
    | `.gradle`, `build` | Gradle builds in the image |
    | `bin`, `obj` | the .NET SDK builds in the image |
    | `_build`, `deps`; `vendor` of PHP; `.build` | mix, composer, SwiftPM |
    | `.venv`, `venv` | Python packages are installed, and nothing names the environment |
    | `__pycache__` | Python code is copied |
    | `.git` | the repository's root is copied, and all that runs there is known not to ask Git |

    Lines are written as the file writes its own (`/target`, `target/`, `**/target`), beside those that are like them,
    and never before a `!` line that could bring the directory back.

    Why that is right

    In a fresh clone these directories are not there, and the image is built without them. On a developer's machine
    they are there: another system's binaries, programs that are older than the sources, classes whose source is gone,
    and a COPY that no cache can answer because something in them changes with every command. All Dockerfiles that use
    the file are looked at: each must make the directory before it uses it, and none may take it from the context by
    its name. Patterns are read as BuildKit reads them, and the line leaves out the directory and nothing else that
    is there. Python works without `__pycache__`, which it makes anew or, told by `PYTHONDONTWRITEBYTECODE`, not at all.
    `.git` goes where each program that runs in a place where the repository can be seen is one that is known not to
    look at it, down to the scripts and the plugins that it is told to use, and no source reads it, or calls a script
    that does; the first one that may is named. Documents, data and settings without code are no sources.

    Why it is unsafe

    What stands in the directory by accident, or because somebody put it there by hand, is in the image today, and is
    not any more. The file itself is a part of the context, and COPY takes it along, unless it leaves itself out. A
    Dockerfile that dockfix does not see (one of another repository, one that a script writes) may take from this
    context, too.

    When it refuses

    Where a Dockerfile takes the directory by its name, also from a context that has a name (`COPY --from=NAME`, where
    a build says `--build-context NAME=…`), or ships it without making it: then it is the payload, built before,
    outside. Where a program may read it that nobody knows, and for the reasons below.

    Nothing is said where the project's own files (Cargo.toml, package.json…) are not in the context, or the context
    is not at hand.

    Sources: BuildKit v0.25 (which file is read, what a pattern matches: shown by builds), the manuals of the tools.
    """

    id = "dockerignore"
    words = ()
    document = "dockerignore"
    reasons: ClassVar[Mapping[str, str]] = {
        "dev-dependencies": "A script runs where only the packages for production are installed: it may need others.",
        "exception": "A `!` line brings back something in the directory.",
        "git": "A program, a plugin or a source may read the repository: it is not known not to.",
        "kept": "What stands there is a part of the sources: Git keeps it, or a manifest or a source names it.",
        "needed": "A Dockerfile takes the directory, or something in it, by its name, where nothing has made it.",
        "not-made-here": "Something is used that the tool in the image does not surely make.",
        "not-understood": "A Dockerfile that may use this file is not understood.",
        "other-file": "A .containerignore stands there, which Podman and Buildah read in the place of a .dockerignore.",
        "other-paths": "No pattern leaves out the directory and nothing else.",
        "payload": "The directory is put into an image in which nothing makes it.",
        "removed": "A step removes the directory, and fails if there is none.",
        "unknown-destination": "Where the directory comes to be in the image is not certain.",
        "unknown-reader": "A program that nobody knows may read it, in a stage in which nothing makes it.",
        "unknown-source": "What a COPY takes depends on a variable, and may be the directory.",
    }

    def run(self, facts: IgnoreFile, settings: Settings) -> Iterator[Change | Refusal]:  # type: ignore[override]
        users, unread = users_of(settings.dockerfiles, settings.path)
        certain = [user for user in users if user.certain]
        if not any(user.brought for user in certain):
            return
        files = Files(certain[0].context, DIRECTORIES - {"bin", "build", "deps", "docs", "test", "tests", "vendor"})
        if not facts.text and certain[0].context.kind(_OF_PODMAN) is not None:
            because = f"{_OF_PODMAN} stands here, and who reads that does not read this file"
            yield Refusal(self.id, "other-file", NOWHERE, because)
            return
        found = list(_all_wanted(certain, files))
        yield from self._payloads(facts, certain, {path for wanted in found for path in wanted.paths})
        for wanted in found:
            try:
                if unread:
                    raise stop("not-understood", f"{unread[0]} may use this file, and it is not understood")
                if basename(settings.path) == IGNORE_NAME:
                    for path in wanted.paths:
                        no_other_context(settings.dockerfiles, path)
                change = self._change(facts, users, wanted, files)
                if change is not None:
                    yield change
            except Stop as problem:
                because = f"{wanted.shown}: {problem.because}"
                yield Refusal(self.id, problem.reason, problem.span, because)

    def _payloads(self, facts: IgnoreFile, users: Sequence[User], looked_at: Collection[str]) -> Iterator[Refusal]:
        """What is needed because no tool of the file makes it: packages of JavaScript that were installed outside."""
        for user in users:
            if any(making.made.name == "node_modules" for making in user.makings):
                continue
            for brought in user.brought:
                path = joined(brought.source, "node_modules")
                package = package_json(user.context, brought.source)
                if path in looked_at or not package.get("dependencies") or _is_out(facts.ignore, path):
                    continue
                if any(stage.shipped for stage in [brought.stage, *brought.stage.derived]):
                    where = user.at(brought.instruction.span.start)
                    because = f"{path}: {where} puts it into an image, and nothing in the file installs the packages"
                    yield Refusal(self.id, "payload", NOWHERE, because)
                    return

    def _change(self, facts: IgnoreFile, users: Sequence[User], wanted: Wanted, files: Files) -> Change | None:
        left = [path for path in wanted.paths if not _is_out(facts.ignore, path)]
        if not left:
            return None
        if not any(brought.takes(path) for user in users if user.certain for brought in user.brought for path in left):
            return None
        _check_exceptions(facts, left)
        places: list[tuple[User, Brought, str]] = []
        there = [path for path in files.paths if wanted.anywhere and basename(path) == wanted.name]
        markers = wanted.made.markers if wanted.made is not None else ("*",)
        for path in dict.fromkeys([*left, *there]) if wanted.name != ".git" else ():
            nobody_keeps(wanted.user, path, markers, files)
        for user in users:
            for path in left:
                nobody_names(user, path)
            for brought in user.brought:
                for path in dict.fromkeys([*left, *there]):
                    if brought.takes(path):
                        wanted.check(user, brought, path, files)
                        places.append((user, brought, path))
        places += _itself(facts, users)
        wanted.check_all(users, files)
        text = _pattern(facts, users, wanted, left, files)
        newline = "\r\n" if "\r\n" in wanted.user.facts.file.text else "\n"
        edit, span = facts.with_line(text, _kin(wanted.name), newline)
        return Change(
            self.id,
            f"leave {wanted.shown} out of the build context",
            wanted.why(),
            span,
            (edit,),
            Safety.UNSAFE,
            f"what {wanted.shown} holds on the machine that builds does not reach the image any more; a file there "
            "that no step makes would be missed",
            _altered(places),
        )


# --- what could be left out ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wanted:
    """A directory that could be left out, found by what a Dockerfile does.

    name: of the directory. paths: where it is, or would be, in the context; several in a project with projects below.
    user, brought: the Dockerfile and the instruction that takes it along. made: what makes it; None for those that no
    tool makes in the image. call: the call that tells, if there is one.
    anywhere: it is left out wherever it is.
    """

    name: str
    paths: tuple[str, ...]
    user: User
    brought: Brought
    made: Made | None = None
    call: Call | None = None
    anywhere: bool = False

    @property
    def shown(self) -> str:
        return self.name if self.anywhere or len(self.paths) > 1 else self.paths[0]

    def check(self, user: User, brought: Brought, path: str, files: Files) -> None:
        """Raises Stop if the user cannot do without the path."""
        if self.made is not None:
            somebody_makes(user, brought, path)
            if self.name == "node_modules":
                enough_is_installed(user, brought, path)
            return
        nobody_uses(user, brought, path)
        place = brought.place(path)
        if self.name in _ENVIRONMENTS and not (place is not None and makers(user, brought.stage, place)):
            names_nowhere(user, self.name)
            no_file_uses(user.context, files, self.name)

    def check_all(self, users: Sequence[User], files: Files) -> None:
        """Raises Stop for what is no matter of one place."""
        if self.name == ".git":
            nobody_asks_git(users, files)

    def why(self) -> str:
        """Why that is right, one sentence."""
        copy = f"{self.brought.instruction.name} ({self.user.at(self.brought.instruction.span.start)})"
        if self.made is not None:
            where = self.user.at(self.made.call.span[0])
            place = self.brought.place(self.paths[0])
            there = place is None or any(makers(self.user, stage, place) for stage in family_of(self.brought.stage))
            hidden = self.made.elsewhere or not there
            work = "works without it" if hidden and not isinstance(self.brought.instruction, Run) else "makes it"
            return (
                f"`{self.made.shown}` ({where}) {work} in the image; with it {copy} brings what another machine built: "
                "results that are not of these sources, and a new layer whenever something in it changes"
            )
        if self.name == ".git":
            return (
                f"no step and no source asks Git, and with it {copy} is run again after every commit, fetch and "
                "checkout, whatever has changed in the sources"
            )
        if self.name == "__pycache__":
            return (
                "Python works from the sources alone (and makes it anew, unless it is told to write no byte code), and "
                f"with it {copy} is run again after every run of the code outside"
            )
        where = "" if self.call is None else f" ({self.user.at(self.call.span[0])})"
        return (
            f"the packages are installed in the image{where}, and nothing names this environment, whose paths are "
            f"those of the machine that builds; with it {copy} takes all of its files along"
        )


_OF_PODMAN = ".containerignore"
_ENVIRONMENTS = (".venv", "venv")
_PROJECT = ("pyproject.toml", "requirements*.txt", "Pipfile", "poetry.lock")
_PYTHON = (*_PROJECT, "setup.py", "setup.cfg", "manage.py")
_ROOTS = (".github", ".gitmodules", ".gitlab-ci.yml", ".circleci", ".pre-commit-config.yaml")
"""What stands in the root of a repository only."""


def _all_wanted(users: Sequence[User], files: Files) -> Iterator[Wanted]:
    """Each once, in the order of the Dockerfiles."""
    seen: set[tuple[str, ...]] = set()
    for user in users:
        for wanted in (*_git(user), *_made(user, files), *_python(user, files)):
            if wanted.paths not in seen:
                seen.add(wanted.paths)
                yield wanted


def _git(user: User) -> Iterator[Wanted]:
    context = user.context
    if context.kind(".git") is None and not any(context.kind(name) is not None for name in _ROOTS):
        return
    for brought in user.brought:
        if brought.source == "":
            yield Wanted(".git", (".git",), user, brought)
            return


def _made(user: User, files: Files) -> Iterator[Wanted]:
    roots: set[tuple[int, str]] = set()
    for making in user.makings:
        made = making.made
        if made.markers == ("*",):
            continue
        for brought in user.brought:
            for place in _places(user, brought, making):
                if brought.target is None or not below(place, brought.target):
                    continue
                project = joined(brought.source, dirname(place)[len(brought.target) :].strip("/")).rstrip("/")
                if made.tool == "cargo":
                    if (id(made.call), brought.source) in roots or not _is_root(user, brought, project):
                        continue
                    roots.add((id(made.call), brought.source))
                paths = _projects(user, made, project, files)
                if paths:
                    yield Wanted(made.name, paths, user, brought, made, made.call)


def _places(user: User, brought: Brought, making: Making) -> Iterator[str]:
    """Where the directory is that a call makes, in the stage to which a COPY brings something, or one that starts from
    it."""
    found: dict[str, None] = {}
    for stage in family_of(brought.stage):
        user.facts.charge(1)
        found.update(dict.fromkeys(places_of(user, stage, making)))
    return iter(found)


def _is_root(user: User, brought: Brought, project: str) -> bool:
    """Whether a Cargo.toml there is that of the workspace. One that takes something from a workspace which is not there
    cannot be built with this context: it is not the right one."""
    text = user.context.text(joined(project, "Cargo.toml"))
    if text is None or "[workspace]" in text:
        return text is not None
    above = project
    while above and above != brought.source:
        above = dirname(above)
        if "[workspace]" in (user.context.text(joined(above, "Cargo.toml")) or ""):
            return False
    return not re.search(r"\bworkspace\s*=\s*true\b", text) and not _leaves(text, project)


def _leaves(manifest: str, project: str) -> bool:
    """Whether a manifest names a crate outside of the context."""
    depths = [path.count("../") for path in re.findall(r"path\s*=\s*\"((?:\.\./)+)", manifest)]
    return max(depths, default=0) > len([part for part in project.split("/") if part])


def _projects(user: User, made: Made, project: str, files: Files) -> tuple[str, ...]:
    """The directories that the call makes, in the context; none if no project is there."""
    context = user.context
    here = has_file(context, project, made.markers)
    if made.tool == "dotnet":
        found = files.directories_with(made.markers, project)
        return tuple(joined(path, made.name) for path in found)
    if not here:
        return ()
    if made.tool == "composer" and not _git_ignores(context.text(".gitignore") or "", made.name):
        return ()
    if made.name == ".next" and any("distDir" in (context.text(joined(project, name)) or "") for name in _NEXT):
        return ()
    if made.tool == "gradle" and made.name == "build" and _moves_build(user, project):
        return ()
    if not made.nested or not has_parts(context, made, project):
        return (joined(project, made.name),)
    found = [path for path in files.directories_with(made.markers, project) if is_part(context, made, project, path)]
    return tuple(joined(path, made.name) for path in dict.fromkeys([project, *found]))


_NEXT = ("next.config.js", "next.config.mjs", "next.config.ts", "next.config.cjs")
_GRADLE = ("build.gradle", "build.gradle.kts", "settings.gradle", "settings.gradle.kts")


def _moves_build(user: User, project: str) -> bool:
    texts = [user.context.text(joined(project, name)) or "" for name in _GRADLE]
    return any(re.search(r"\bbuild(?:Dir|Directory)\b\s*(?:=|\.set)|layout\.buildDirectory\.", text) for text in texts)


def _python(user: User, files: Files) -> Iterator[Wanted]:
    """Environments and byte code, where a Python project is copied and its packages are installed."""
    context = user.context
    cached = False
    for brought in user.brought:
        if not has_file(context, brought.source, _PYTHON) and not _names_module(user, brought):
            continue
        call = _installer(user, brought)
        if call is None:
            continue
        for name in _ENVIRONMENTS:
            path = joined(brought.source, name)
            if _has_environment(user, brought, name):
                yield Wanted(name, (path,), user, brought, None, call)
        if not cached and any(path.endswith(".py") and below(f"/{path}", f"/{brought.source}") for path in files.paths):
            cached = True
            yield Wanted("__pycache__", ("__pycache__",), user, brought, None, call, anywhere=True)


def _installer(user: User, brought: Brought) -> Call | None:
    """A call that installs packages in the stage; one that goes by its directory has its project there."""
    for stage, _, call in user.calls:
        if not installs_python(call) or not (stage in brought.stage.lineage or brought.stage in stage.lineage):
            continue
        by_place = call.program in ("uv", "poetry", "pdm", "pipenv") and "pip" not in words_of(call)
        if by_place and isinstance(call.cwd, Known):
            projects = [path for _, path in user.in_context(stage, call.cwd.value)]
            if projects and not any(has_file(user.context, path, _PROJECT) for path in projects):
                continue
        return call
    return None


def _names_module(user: User, brought: Brought) -> bool:
    """Whether the Dockerfile names a Python file of the directory."""
    names = (name for name in user.context.names(brought.source) if name.endswith(".py"))
    return any(name in user.facts.file.text for name in names)


def _has_environment(user: User, brought: Brought, name: str) -> bool:
    """Whether people have such an environment there: it is there, Git is told to ignore it, or uv makes it."""
    context = user.context
    if not has_file(context, brought.source, _PROJECT):
        return False
    if context.kind(joined(brought.source, f"{name}/pyvenv.cfg")) == "file":
        return True
    if name == ".venv" and context.kind(joined(brought.source, "uv.lock")) == "file":
        return True
    texts = (context.text(joined(brought.source, ".gitignore")), context.text(".gitignore"))
    return any(_git_ignores(text, name) for text in texts if text is not None)


def _git_ignores(text: str, name: str) -> bool:
    """Whether a .gitignore has a line for directories of that name, and none that brings something in them back."""
    lines = [line.strip().removeprefix("**/").strip("/") for line in text.splitlines()]
    if any(line.startswith("!") and name in line[1:].split("/") for line in lines):
        return False
    return any(line in (name, f"{name}/*", f"{name}/**") for line in lines)


# --- the line --------------------------------------------------------------------------------------------------------


def _is_out(ignore: Ignore, path: str) -> bool:
    """Whether the directory is left out already, or all of its content is."""
    return all(ignore.excludes(f"{path}/{inside}") for inside in ("a", "a/b.c", ".a", "b.c"))


def _check_exceptions(facts: IgnoreFile, paths: Sequence[str]) -> None:
    for line in facts.lines:
        if line.pattern is None or not line.pattern.exception:
            continue
        for path in paths:
            if below(f"/{line.pattern.text}", f"/{path}"):
                raise Stop("exception", line.span, f"{line.text} brings back what is, or stands in, {path}")


def _pattern(facts: IgnoreFile, users: Sequence[User], wanted: Wanted, paths: Sequence[str], files: Files) -> str:
    """The line that leaves out these paths, and nothing else that is there or that a Dockerfile names."""
    if any(re.search(r"[*?\[\]\\!#|{}]|^\s|\s$", path) for path in paths):
        raise stop("other-paths", "a pattern would not mean it as it is written")
    several = len(wanted.paths) > 1 or wanted.anywhere
    single = len(paths) == 1 and not wanted.anywhere
    options = []
    if several or (facts.habits.anywhere and "/" not in paths[0]):
        options.append(facts.written(wanted.name, anywhere=True))
    if single:
        options.append(facts.written(paths[0]))
    why = ""
    for text in options:
        why = _trouble(facts, users, wanted, paths, files, text)
        if not why:
            return text
    raise stop("other-paths", why or "no pattern leaves out these directories alone")


def _trouble(
    facts: IgnoreFile, users: Sequence[User], wanted: Wanted, paths: Sequence[str], files: Files, text: str
) -> str:
    """What the line would do besides, or would not do; empty if it is right."""
    edit, _ = facts.with_line(text, _kin(wanted.name))
    old, new = facts.ignore, read_ignore_file(apply_edits(facts.text, [edit])).ignore
    for path in paths:
        if not new.excludes(path) or not _is_out(new, path):
            return f"{text} would not leave out {path}, because of the lines that bring files back"
    if not files.all:
        return "the context has too many files to see what else a pattern would leave out"
    mine = [f"/{path}" for path in paths]
    for path in files.paths:
        if old.excludes(path) == new.excludes(path) or any(below(f"/{path}", one) for one in mine):
            continue
        if not (wanted.anywhere and wanted.name in path.split("/")):
            return f"{text} would leave out {path}, too"
    if wanted.made is not None and wanted.made.nested:
        for project in files.directories_with(wanted.made.markers, ""):
            other = joined(project, wanted.name)
            if other not in wanted.paths and new.excludes(other) and not old.excludes(other):
                return f"{text} would leave out {other}, too, of a project that is no part of this one"
    for user in users:
        for source in user.sources:
            named = getattr(source.path, "value", "")
            if named and not source.pattern and new.excludes(named) and not old.excludes(named):
                return f"{text} would leave out {named}, which {user.at(source.span.start)} takes"
    return ""


def _kin(name: str) -> frozenset[str]:
    """Names in whose company the directory is at home."""
    if name == ".git":
        return frozenset((".git", ".gitignore", ".gitattributes", ".github", ".gitmodules", ".gitlab-ci.yml"))
    made = DIRECTORIES - {".git", ".github", ".gitlab", ".idea", ".vscode", ".vs", "docs", "test", "tests", "logs"}
    return made | {"*.pyc", "*.class", "*.o", "*.egg-info", basename(name)}


def _itself(facts: IgnoreFile, users: Sequence[User]) -> Iterator[tuple[User, Brought, str]]:
    """Where the .dockerignore itself is in the images: it is a part of the context, unless it leaves itself out."""
    for user in users:
        own = f"{user.path}{IGNORE_NAME}"
        path = own if user.context.kind(own) == "file" else IGNORE_NAME
        for brought in user.brought if user.certain and not facts.ignore.excludes(path) else ():
            if below(f"/{path}", f"/{brought.source}"):
                yield user, brought, path


def _altered(places: Sequence[tuple[User, Brought, str]]) -> Alters:
    """Where the directory was in the images."""
    paths: dict[str, None] = {}
    for user, brought, path in places:
        place = brought.place(path)
        if place is not None:
            paths.update(dict.fromkeys(alters(user.facts, [(brought.stage, place)]).paths))
    return Alters(tuple(paths))

