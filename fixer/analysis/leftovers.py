"""What build tools leave beside the sources that they build: which call makes which directory of a project anew.

Sources: the manuals of cargo 1.95, npm 11, yarn 4, pnpm 10, bun 1.2, Maven 3.9, Gradle 8, .NET SDK 9 (MSBuild's
`OutputPath` and `BaseIntermediateOutputPath`), uv 0.8, mix 1.18, composer 2.8, SwiftPM 6. Directories that people also
use for things of their own (`dist`, `out`, `vendor` of Go) are not here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from posixpath import dirname

from fixer.analysis.commands import Call
from fixer.analysis.tools.cargo import Cargo, cargo_of
from fixer.analysis.values import Known, Value, join
from fixer.text.records import dataclass

Scripts = Callable[[str], Mapping[str, str]]
"""The scripts of the package.json in a directory of the image, by name; empty if nobody knows."""


@dataclass(frozen=True, slots=True)
class Made:
    """A call that makes a directory of a project anew, or works without what stands there.

    tool: the tool's name. shown: the call in few words, for people.
    project: the absolute directory of the project, in the file system of the call's stage.
    name: the directory, relative to the project.
    markers: the project has one of these files (patterns of `fnmatch`).
    nested: projects of the same kind may lie below, and have such directories, too.
    elsewhere: the tool does not use the project's own directory: what is found there is nobody's.
    cargo: what the call of cargo does.
    products: what in the directory the call surely makes, as a path from there (from its beginning); None: whatever
        the project has the tool make.
    fetches: it cannot do without a network, or something that was fetched before.
    """

    tool: str
    shown: str
    call: Call
    project: str
    name: str
    markers: tuple[str, ...]
    nested: bool = False
    elsewhere: bool = False
    cargo: Cargo | None = None
    products: re.Pattern[str] | None = None
    fetches: bool = False

    @property
    def directory(self) -> str:
        """Where it is."""
        return f"{self.project.rstrip('/')}/{self.name}"


def made_by(call: Call, scripts: Scripts) -> Iterator[Made]:
    """What the call makes."""
    program = call.program
    if program is None:
        return
    if program == "cargo":
        yield from _cargo(call)
        return
    find = _TOOLS.get(program)
    if find is not None:
        yield from find(call, program, scripts)


def words_of(call: Call) -> list[str]:
    """The words behind the program; `?` for those that are not known."""
    return [word.value if isinstance(word, Known) else "?" for word in call.words[1:]]


# --- cargo ---------------------------------------------------------------------------------------------------------


def _cargo(call: Call) -> Iterator[Made]:
    cargo = cargo_of(call)
    if cargo is None or not cargo.compiles or not isinstance(cargo.manifest, Known):
        return
    markers = ("Cargo.toml",)
    shown = f"cargo {cargo.subcommand.replace('-', ' ')}"
    if cargo.target_dir is not None:
        yield Made("cargo", shown, call, cargo.manifest.value, "target", markers, elsewhere=True, cargo=cargo)
        return
    for directory in cargo.target_dirs():  # of the workspace, which may be above
        yield Made("cargo", shown, call, dirname(directory), "target", markers, cargo=cargo)


# --- JavaScript ----------------------------------------------------------------------------------------------------

_PLACES = {"npm": ("--prefix", "-C"), "yarn": ("--cwd",), "pnpm": ("-C", "--dir"), "bun": ("--cwd",)}
_INSTALLS = {
    "npm": ("ci", "install", "i", "clean-install"),
    "yarn": ("install", ""),
    "pnpm": ("install", "i"),
    "bun": ("install", "i"),
}
_FULL = frozenset(
    ("--frozen-lockfile", "--immutable", "--immutable-cache", "--no-audit", "--no-fund", "--prefer-offline",
     "--production", "--prod", "-P", "--legacy-peer-deps", "--force", "-f", "--ignore-scripts", "--silent", "-s",
     "--quiet", "-q", "--verbose", "--no-progress", "--non-interactive", "--no-optional", "--unsafe-perm",
     "--shamefully-hoist", "-r", "--recursive", "--no-save", "--no-cache", "--pure-lockfile", "--check-files",
     "--ignore-engines", "--ignore-platform", "--ignore-optional", "--no-frozen-lockfile", "--no-package-lock",
     "--ci", "--inline-builds", "--link-workspace-packages", "--strict-peer-dependencies",
     "--no-strict-peer-dependencies", "--no-lockfile", "--no-bin-links", "--no-scripts", "--offline", "-d", "-dd",
     "-ddd", "--color", "--no-color", "--yes", "-y", "--prefer-frozen-lockfile", "--no-default-rc",
     "--refresh-lockfile", "--check-cache", "--ignore-workspace-root-check")
)  # fmt: skip
"""Options with which all packages are installed, or all that a kind of them is."""
_FULL_WITH = frozenset(
    ("--audit", "--fund", "--omit", "--include", "--only", "--loglevel", "--progress", "--network-timeout",
     "--cache", "--registry", "--network-concurrency", "--cache-folder", "--store-dir", "--reporter", "--maxsockets",
     "--backend", "--production", "--prefix", "-C", "--cwd", "--dir", "--mutex", "--unsafe-perm", "--optional",
     "--child-concurrency", "--fetch-timeout", "--fetch-retries", "--fetch-retry-mintimeout",
     "--fetch-retry-maxtimeout", "--shamefully-hoist", "--frozen-lockfile", "--foreground-scripts", "--userconfig",
     "--legacy-peer-deps", "--concurrent", "--package-import-method", "--ignore-scripts", "--prefer-offline")
)  # fmt: skip
"""Those with a word, behind `=` or as the next one."""
_RUNS = ("run", "run-script", "rum", "exec", "x")
_PRODUCTS = (
    (re.compile(r"\bnext build\b"), (".next",)),
    (re.compile(r"\b(?:nuxt|nuxi|nuxt3) (?:build|generate)\b"), (".nuxt", ".output")),
)
"""What a script calls, and what that makes."""
_CALLED = re.compile(r"(?:npm run|yarn|pnpm|bun run|run-s|run-p) ([\w:.-]+)")
_DEEP = 3
"""How many scripts that call each other are followed."""


def _node(call: Call, program: str, scripts: Scripts) -> Iterator[Made]:
    place, rest = _node_place(call, program)
    if not isinstance(place, Known):
        return
    markers = ("package.json",)
    operands = [word for word in rest if not word.startswith("-")]
    if (operands[0] if operands else "") in _INSTALLS.get(program, ()):
        first = operands[0] if operands else ""
        if _installs_all(rest, first):
            shown = f"{program} {first}".strip()
            yield Made(program, shown, call, place.value, "node_modules", markers, nested=True, fetches=True)
        return
    command = _command_of(program, operands, scripts(place.value))
    for pattern, names in _PRODUCTS:
        if pattern.search(command):
            for name in names:
                yield Made(program, " ".join([program, *operands]), call, place.value, name, markers)


def _installs_all(words: Sequence[str], command: str) -> bool:
    """Whether each word is one with which an installation puts all packages where they are put without it."""
    rest = [word for word in words if word != command] if command else list(words)
    at = 0
    while at < len(rest):
        word, equals, _ = rest[at].partition("=")
        at += 1
        if word.startswith("--config.") or (word in _FULL and not equals):
            continue
        if word not in _FULL_WITH:
            return False
        if not equals and at < len(rest) and not rest[at].startswith("-"):
            at += 1
    return True


def _node_place(call: Call, program: str) -> tuple[Value, list[str]]:
    """The directory of the package, and the other words."""
    rest: list[str] = []
    place: Value = call.cwd
    words = words_of(call)
    options = _PLACES.get(program, ())
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        name, equals, value = word.partition("=")
        if name in options and equals:
            place = join(call.cwd, Known(value))
        elif word in options and at < len(words):
            place = join(call.cwd, call.words[at + 1])
            at += 1
        else:
            rest.append(word)
    return place, rest


def _command_of(program: str, operands: Sequence[str], scripts: Mapping[str, str]) -> str:
    """What a call runs in the end, with the scripts that it names."""
    if program in ("npx", "next", "nuxt", "nuxi"):
        return " ".join(operands if program == "npx" else [program, *operands])
    if operands[:1] and operands[0] in _RUNS:
        name = operands[1] if len(operands) > 1 else ""
    elif program == "npm":
        return ""
    else:
        name = operands[0] if operands else ""
    commands = [scripts.get(name, " ".join(operands[operands[0] in _RUNS :]) if operands else "")]
    seen = {name}
    for _ in range(_DEEP):
        more = dict.fromkeys(n for n in _CALLED.findall(commands[-1]) if n in scripts and n not in seen)
        if not more:
            break
        seen.update(more)
        commands.append(" && ".join(map(scripts.__getitem__, more)))
    return " && ".join(commands)


# --- others --------------------------------------------------------------------------------------------------------

_MAVEN = ("package", "install", "verify", "deploy", "compile", "test", "spring-boot:repackage", "native:compile")
_GRADLE = ("build", "assemble", "jar", "war", "bootJar", "bootWar", "shadowJar", "installDist", "distTar", "distZip",
           "installShadowDist", "buildFatJar", "quarkusBuild", "nativeCompile", "classes", "check", "test")  # fmt: skip
_CHECKS = re.compile(r"test|check|lint|spotless|javadoc|pmd|spotbugs|detekt", re.IGNORECASE)
"""Tasks without which Gradle makes what it makes with them."""
_GRADLE_FILES = ("build.gradle", "build.gradle.kts", "settings.gradle", "settings.gradle.kts")


def _here(call: Call) -> str | None:
    return call.cwd.value if isinstance(call.cwd, Known) else None


def _maven(call: Call, program: str, scripts: Scripts) -> Iterator[Made]:
    words, here = words_of(call), _here(call)
    if here is None or not any(word in _MAVEN for word in words):
        return
    project = here
    for option in ("-f", "--file"):
        if option in words[:-1]:
            file = words[words.index(option) + 1]
            place = join(call.cwd, Known(dirname(file) or "." if file.endswith(".xml") else file))
            if file == "?" or not isinstance(place, Known):
                return
            project = place.value
    goals = [word for word in words if word in _MAVEN]
    products = _CLASSES if all(goal in ("compile", "test") for goal in goals) else None
    shown = f"{program} {goals[0]}"
    yield Made("maven", shown, call, project, "target", ("pom.xml",), nested=True, products=products)


_CLASSES = re.compile(r"(?:classes|test-classes|generated-[\w-]+|maven-status|surefire-reports)(?:/|$)")
"""What Maven makes before the phase `package`."""
_OF_GRADLE = re.compile(
    r"(?:libs|classes|resources|install|distributions|native|quarkus-app|tmp|generated|reports|test-results)(?:/|$)"
)
_BEFORE_JARS = re.compile(r"(?:classes|resources|tmp|generated|reports|test-results)(?:/|$)")


def _gradle(call: Call, program: str, scripts: Scripts) -> Iterator[Made]:
    words, here = words_of(call), _here(call)
    if here is None or {"-p", "--project-dir"}.intersection(words):
        return
    tasks = [word for word in words if word.rpartition(":")[2] in _GRADLE]
    left = [words[at + 1] for at, word in enumerate(words[:-1]) if word in ("-x", "--exclude-task")]
    if not tasks or not all(_CHECKS.search(task) for task in left):
        return
    shown = f"{program} {tasks[0]}"
    yield Made("gradle", shown, call, here, ".gradle", _GRADLE_FILES)
    jars = any(task.rpartition(":")[2] not in ("classes", "check", "test") for task in tasks)
    products = _OF_GRADLE if jars else _BEFORE_JARS
    yield Made("gradle", shown, call, here, "build", _GRADLE_FILES[:2], nested=True, products=products)


_DOTNET_PROJECTS = ("*.csproj", "*.fsproj", "*.vbproj")


def _dotnet(call: Call, program: str, scripts: Scripts) -> Iterator[Made]:
    words, here = words_of(call), _here(call)
    if here is None or words[:1] not in (["publish"], ["build"], ["test"], ["pack"], ["restore"]):
        return
    if "--no-build" in words:
        return
    for name in ("bin", "obj"):
        # what is restored is in obj; without it nothing is built
        if (name == "bin" and words[0] == "restore") or (name == "obj" and "--no-restore" in words):
            continue
        yield Made("dotnet", f"dotnet {words[0]}", call, here, name, _DOTNET_PROJECTS, nested=True)


def _mix(call: Call, program: str, scripts: Scripts) -> Iterator[Made]:
    words, here = words_of(call), _here(call)
    for word in words if here is not None else ():
        for task in word.split(","):
            if task.strip() == "deps.get" and here is not None:
                yield Made("mix", "mix deps.get", call, here, "deps", ("mix.exs",), fetches=True)
            elif task.strip() in ("compile", "release") and here is not None:
                yield Made("mix", f"mix {task.strip()}", call, here, "_build", ("mix.exs",))


def _composer(call: Call, program: str, scripts: Scripts) -> Iterator[Made]:
    words, here = words_of(call), _here(call)
    if here is not None and "install" in words and not any(word.startswith(("-d", "--working-dir")) for word in words):
        yield Made("composer", "composer install", call, here, "vendor", ("composer.json",), fetches=True)


def _swift(call: Call, program: str, scripts: Scripts) -> Iterator[Made]:
    words, here = words_of(call), _here(call)
    options = ("--package-path", "--scratch-path", "--build-path")
    if here is not None and words[:1] == ["build"] and not any(word.startswith(options) for word in words):
        yield Made("swift", "swift build", call, here, ".build", ("Package.swift",))


def _uv(call: Call, program: str, scripts: Scripts) -> Iterator[Made]:
    words, here = words_of(call), _here(call)
    if here is None or any(word.startswith(("--project", "--directory")) for word in words):
        return
    if words[:1] == ["sync"] or (words[:1] == ["run"] and "--no-sync" not in words):
        other = call.lookup("UV_PROJECT_ENVIRONMENT")
        elsewhere = other is not None and other != Known(".venv")
        yield Made("uv", f"uv {words[0]}", call, here, ".venv", ("pyproject.toml",), elsewhere=elsewhere)
    elif words[:1] == ["venv"]:
        operands = [word for word in words[1:] if not word.startswith("-")]
        yield from _venv(call, operands[-1] if operands else ".venv", "uv venv")


def _python(call: Call, program: str, scripts: Scripts) -> Iterator[Made]:
    words = words_of(call)
    module = words[1:2] == ["venv"] and words[:1] == ["-m"]
    operands = [word for word in words[2 if module else 0 :] if not word.startswith("-")]
    if operands and (module or program == "virtualenv"):
        yield from _venv(call, operands[-1], f"{program} -m venv" if module else program)


def _venv(call: Call, written: str, shown: str) -> Iterator[Made]:
    place = join(call.cwd, Known(written))
    if written != "?" and isinstance(place, Known) and place.value != "/":
        project, _, name = place.value.rpartition("/")
        yield Made("python", shown, call, project or "/", name, ("*",))


_TOOLS: dict[str, Callable[[Call, str, Scripts], Iterator[Made]]] = {
    "npm": _node, "yarn": _node, "pnpm": _node, "bun": _node, "npx": _node, "next": _node, "nuxt": _node, "nuxi": _node,
    "mvn": _maven, "mvnw": _maven, "gradle": _gradle, "gradlew": _gradle, "dotnet": _dotnet, "mix": _mix,
    "composer": _composer, "swift": _swift, "uv": _uv, "virtualenv": _python, "python": _python, "python3": _python,
}  # fmt: skip


PYTHON_INSTALLERS = frozenset(("pip", "pip3", "uv", "poetry", "pipenv", "pdm"))
"""Programs that install a Python project's packages."""


def installs_python(call: Call) -> bool:
    """Whether the call installs packages for Python."""
    words = words_of(call)
    if call.program in PYTHON_INSTALLERS:
        return bool({"install", "sync"}.intersection(words))
    module = call.program in ("python", "python3") and words[:2] == ["-m", "pip"]
    return module and "install" in words
