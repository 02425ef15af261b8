"""Who asks Git: whether a build, and what it makes, can do without `.git`. For dockerignore.

Nobody can list what asks Git: plugins of build tools, hooks, programs that stamp a version. So the question is turned
round. `.git` can go where each program that runs in a place where the repository can be seen is one that is known not
to look at it, and no source, no plugin and no package of the project is known to; otherwise the first program that may
is named.

Sources: the manuals of the tools; Composer's `VersionGuesser`, Go's `-buildvcs`, the SourceLink of the .NET SDK.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from posixpath import basename, dirname

from fixer.analysis import Call, Known, Stage, below
from fixer.analysis.context import BuildContext
from fixer.analysis.programs import only_files
from fixer.analysis.scripts import calls_in
from fixer.analysis.transfers import is_file_name
from fixer.analysis.wrappers import SHELLS
from fixer.codemods.dockerignore_needs import copied_to, family_of, stop
from fixer.codemods.dockerignore_users import Brought, Files, User, joined, scripts_in
from fixer.text.data import read_json, read_toml
from fixer.tree.nodes import Cmd, Copy, Entrypoint, Healthcheck, Instruction, Onbuild, Run
from fixer.tree.shell import OpaqueScript

_LARGEST = 1 << 20
_MOST = 64 << 20
_DEEPEST = 8
"""So many scripts that call each other are followed."""


def nobody_asks_git(users: Sequence[User], files: Files) -> None:
    """Raises Stop, with the first program that may read `.git` of the context. `files`: of that context."""
    if not files.all:
        raise stop("git", "the context has too many files to see whether one of them reads .git")
    for user in users:
        asked = _Asked(user, files)
        for stage, instruction in _seeing(user):
            asked.instruction(stage, instruction)
    if users:
        _check_sources(users[0].context, files)


def _seeing(user: User) -> Iterator[tuple[Stage, Instruction]]:
    """The steps that see the repository, and what runs in images that have it."""
    seen: set[tuple[int, int]] = set()
    for brought in user.brought:
        if brought.source != "":
            continue
        if isinstance(brought.instruction, Run):
            yield brought.stage, brought.instruction
            continue
        yield from _spread(user, brought, seen)


def _spread(user: User, brought: Brought, seen: set[tuple[int, int]]) -> Iterator[tuple[Stage, Instruction]]:
    waiting: list[tuple[Stage, Instruction, str]] = [(brought.stage, brought.instruction, brought.place(".git") or "/")]
    while waiting:
        start, after, place = waiting.pop()
        first = user.facts.index_of(after) + 1
        for stage in family_of(start):
            for instruction in stage.instructions[first if stage is start else 0 :]:
                inner = instruction.inner if isinstance(instruction, Onbuild) else instruction
                if isinstance(inner, Run) and (stage.index, inner.span.start) not in seen:
                    seen.add((stage.index, inner.span.start))
                    yield stage, inner
            for each in stage.lineage if stage.shipped else ():
                for instruction in each.instructions:
                    if isinstance(instruction, Cmd | Entrypoint | Healthcheck):
                        yield stage, instruction
        for reader in user.facts.readers(start, place, after):
            if reader.kind == "mount":
                yield reader.stage, reader.instruction
            elif reader.kind == "copy" and (reader.stage.index, reader.instruction.span.start) not in seen:
                seen.add((reader.stage.index, reader.instruction.span.start))
                copy = reader.instruction
                there = copied_to(user, copy, place) if isinstance(copy, Copy) else None
                waiting.append((reader.stage, copy, there or "/"))


# --- programs --------------------------------------------------------------------------------------------------------


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_QUIET = _set(
    "gcc g++ cc c++ clang clang++ ld ar ranlib as rustc rustfmt javac jar java jlink jdeps kotlinc tsc esbuild "
    "swc sass protoc buf sqlc templ minify terser postcss tailwindcss gofmt golint staticcheck envsubst msgfmt "
    "openssl ssh-keygen keytool pg_dump psql mysql sqlite3 redis-cli nc netcat tput stty sync trap alembic "
    "pybabel ldconfig gpgconf xargs yes cpio node python python3 php php-fpm ruby perl lua nginx caddy httpd "
    "apache2 apache2-foreground apachectl gunicorn uvicorn hypercorn daphne uwsgi granian waitress-serve celery flask "
    "fastapi streamlit "
    "redis-server postgres mysqld memcached pm2 pm2-runtime puma unicorn sidekiq rackup serve http-server nodemon "
    "ts-node tsx deno pg_isready supervisorctl pytest mypy ruff flake8 black isort eslint prettier jest vitest "
    "mocha vue-tsc stylelint rimraf mkdirp cpy copyfiles shx wait-for-it wait-on"
)
"""Programs that do not look at the repository, but for what they are told to run: that is in the sources."""
_BUNDLERS = _set(
    "vite next nuxt nuxi webpack rollup tsup parcel astro svelte-kit ng react-scripts vue-cli-service babel remix "
    "react-router gulp turbopack nest prisma tsdown unbuild rspack rsbuild"
)
"""Programs that run what their settings import."""
_NODE_TAKES = _set("--filter -F -w --workspace --prefix -C --cwd --dir --cache --registry --store-dir")
_NODE_QUIET = _set(
    "config cache set prune audit store fetch dedupe link root bin ls list help deploy setup import policies "
    "plugin get view"
)
_PYTHON_QUIET = _set("venv python tool lock export cache config self env requirements check show verify")
_RUNNERS = _set("cross-env cross-env-shell dotenv env-cmd concurrently npm-run-all npm-run-all2 run-s run-p")


class _Asked:
    """What a Dockerfile runs, looked at program by program."""

    def __init__(self, user: User, files: Files) -> None:
        self._user = user
        self._context: BuildContext = user.context
        self._files = files
        self._seen: set[str] = set()

    def instruction(self, stage: Stage, instruction: Instruction) -> None:
        """Raises Stop if what the instruction runs may ask Git."""
        user = self._user
        where = user.at(instruction.span.start)
        image = isinstance(instruction, Cmd | Entrypoint | Healthcheck)
        calls = user.facts.image_calls(instruction, stage) if image else user.facts.calls(instruction)
        if isinstance(calls, OpaqueScript):
            raise stop("git", f"{where} may ask Git: its script is not understood")
        for call in calls:
            self._call(call, where if call.span[0] < 0 else user.at(call.span[0]), 0)

    def _call(self, call: Call, where: str, depth: int) -> None:
        words = [word.value if isinstance(word, Known) else "?" for word in call.words]
        if not words:
            return
        if call.program is None:
            first = call.nodes[0]
            if getattr(first, "text", "") in ('"$@"', "$@", '"${@}"'):  # the command of the image, looked at itself
                return
            raise stop("git", f"{where} may ask Git: which program it runs is not certain")
        given = call.piped or any(redirect.op.startswith("<") for redirect in call.redirects)
        if given and call.program in _INTERPRETERS and (len(words) == 1 or words[1] in ("-", "-s")):
            raise stop("git", f"{where} may ask Git: {call.program} gets its script from elsewhere")
        found = _uses_git(" ".join(words[1:]))
        if found is not None:
            raise stop("git", f"{where} may ask Git: {' '.join(found[0].split())}")
        lookup = {"GOFLAGS": call.lookup("GOFLAGS")}
        self.command([call.program, *words[1:]], words[0], where, depth, lookup)

    def command(self, words: Sequence[str], path: str, where: str, depth: int, lookup: Mapping[str, object]) -> None:
        """Raises Stop if the program may ask Git. words: its name without directories first. path: as written."""
        name, rest = words[0], list(words[1:])
        if depth > _DEEPEST:
            raise stop("git", f"{where} may ask Git: its scripts call each other too often")
        tool = _TOOLS.get(name)
        if name == "git":
            if not rest or rest[0] not in ("clone", "--version", "version", "init"):
                raise stop("git", f"{where} asks Git, which reads .git")
        elif tool is not None:
            tool(self, rest, where, depth, lookup)
        elif name in SHELLS:
            self._shell(rest, where, depth)
        elif name == "find":
            for at, word in enumerate(rest):
                if word in ("-exec", "-execdir", "-ok") and at + 1 < len(rest):
                    self.command([basename(rest[at + 1])], rest[at + 1], where, depth + 1, lookup)
        elif name in _BUNDLERS:
            self._settings(name, where)
        elif name in _RUNNERS:
            self._runner(name, rest, where, depth, lookup)
        elif name in _QUIET or only_files(name):
            return
        elif "/" in path or is_file_name(name):
            self._file(path, where, depth)
        else:
            raise stop("git", f"{where}: {name} may ask Git: it is not among the programs that are known not to")

    def _shell(self, rest: Sequence[str], where: str, depth: int) -> None:
        files = [word for word in rest if not word.startswith("-")]
        if "-c" in rest:
            self.script(" ".join(files[:1]), where, depth)
        elif files:
            self._file(files[0], where, depth)

    def _file(self, path: str, where: str, depth: int) -> None:
        """A program that is named by its path: a file of the context, or something that the build has made of sources
        that are looked at."""
        name = basename(path)
        found = [p for p, directory in self._files.paths.items() if not directory and basename(p) == name]
        if not found and (path.startswith("/") and not self._is_brought(path)):
            raise stop("git", f"{where}: {path} may ask Git: it is not among the programs that are known not to")
        if not found and name.endswith((".sh", ".bash")):
            raise stop("git", f"{where}: {path} may ask Git: the script is not at hand")
        for each in found:
            text = self._context.text(each)
            if text is None:
                raise stop("git", f"{where}: {each} may ask Git: it is no text")
            first = text.split("\n", 1)[0]
            if not first.startswith("#!") or re.search(r"\b(?:ba|da|a)?sh\b", first):
                if each not in self._seen:
                    self._seen.add(each)
                    self.script(text, each, depth)
            elif not re.search(r"\b(?:node|python[\d.]*|ruby|perl|php)\b", first):
                raise stop("git", f"{where}: {each} may ask Git: who reads it is not known")

    def _is_brought(self, path: str) -> bool:
        return any(brought.target is not None and below(path, brought.target) for brought in self._user.brought)

    def script(self, text: str, where: str, depth: int) -> None:
        """Raises Stop if a script of the shell may ask Git."""
        calls = calls_in(text, "bash" if "bash" in text.split("\n", 1)[0] else "sh")
        if calls is None:
            raise stop("git", f"{where} may ask Git: the script is not understood")
        functions = {call.function for call in calls}
        for call in calls:
            if call.program not in functions or call.program is None:
                self._call(call, where, depth + 1)

    # --- JavaScript ---

    def node(self, name: str, rest: Sequence[str], where: str, depth: int, lookup: Mapping[str, object]) -> None:
        """npm, yarn, pnpm, bun and npx."""
        behind = {at + 1 for at, word in enumerate(rest) if word in _NODE_TAKES}
        operands = [word for at, word in enumerate(rest) if not word.startswith("-") and at not in behind]
        first = operands[0] if operands else ""
        if name == "npx" or first in ("exec", "x", "dlx"):
            program = operands[0 if name == "npx" else 1 :]
            if program:
                self.command([program[0].split("@")[0] or program[0], *program[1:]], "", where, depth + 1, lookup)
            return
        if first in ("run", "run-script", "rum"):
            self.run_script(operands[1] if len(operands) > 1 else "", where, depth, known=True)
            return
        if first in ("ci", "install", "i", "clean-install", "add", "rebuild", "update") or not operands:
            if "--ignore-scripts" not in rest:
                for script in ("install", "prepublish", "prepare"):
                    self.run_script(script, where, depth)
            return
        if first in ("start", "stop", "test", "t", "restart"):
            self.run_script("test" if first == "t" else first, where, depth)
            return
        if name == "bun" and first in ("build", "upgrade"):
            return
        if first in _NODE_QUIET:
            return
        if name == "npm" or first in ("pack", "publish", "version"):
            raise stop("git", f"{where}: {name} {first} may ask Git")
        if not self.run_script(first, where, depth):
            file = first if "/" in first or is_file_name(first) else ""
            if not (name == "bun" and file):
                self.command(operands, file, where, depth + 1, lookup)

    def run_script(self, name: str, where: str, depth: int, *, known: bool = False) -> bool:
        """Raises Stop if a script of that name, of any package, may ask Git; `known`: or if there is none."""
        found = False
        for path, directory in self._files.paths.items():
            if directory or basename(path) != "package.json":
                continue
            scripts = scripts_in(self._context, dirname(path))
            found = found or name in scripts
            for each in (f"pre{name}", name, f"post{name}"):
                if each in scripts and f"{path}:{each}" not in self._seen:
                    self._seen.add(f"{path}:{each}")
                    self.script(scripts[each], f"{where}, script {each!r} of {path}", depth)
        if known and not found:
            raise stop("git", f"{where} may ask Git: the script {name!r} is not at hand")
        return found

    def _runner(self, name: str, rest: Sequence[str], where: str, depth: int, lookup: Mapping[str, object]) -> None:
        operands = [word for word in rest if not word.startswith("-")]
        if name in ("concurrently", "npm-run-all", "npm-run-all2", "run-s", "run-p"):
            for word in operands:
                if name != "concurrently":
                    self.run_script(word, where, depth, known=True)
                elif word.startswith(("npm:", "yarn:", "pnpm:")):
                    self.run_script(word.partition(":")[2], where, depth, known=True)
                else:
                    self.script(word, where, depth)
            return
        while operands and "=" in operands[0]:
            operands.pop(0)
        if operands:
            self.command([basename(operands[0]), *operands[1:]], operands[0], where, depth + 1, lookup)

    def _settings(self, name: str, where: str) -> None:
        """Raises Stop if the settings of a program that bundles import a package of which nobody knows what it does."""
        for path, directory in self._files.paths.items():
            if directory or basename(path) != "package.json":
                continue
            here = dirname(path)
            packages = _packages(self._context.text(path) or "")
            for file in self._context.names(here):
                if _SETTINGS_OF_BUNDLERS.search(file) is None:
                    continue
                text = self._context.text(joined(here, file)) or ""
                for word in re.findall(r"[\"'`]([^\"'`\n]+)[\"'`]", text):
                    package = "/".join(word.split("/")[: 2 if word.startswith("@") else 1])
                    if package in packages and not _KNOWN_PACKAGES.match(package):
                        who = f"{joined(here, file)} has {name} use {package}"
                        raise stop("git", f"{where}: {who}, and nobody knows whether that asks Git")

    def patches(self, rest: Sequence[str], where: str, depth: int, lookup: Mapping[str, object]) -> None:
        """patch-package, which asks Git where it makes the patch of a package that it is told."""
        values = {at + 1 for at, word in enumerate(rest) if word in ("--patch-dir", "--include", "--exclude")}
        if any(not word.startswith("-") and at not in values for at, word in enumerate(rest)):
            raise stop("git", f"{where}: patch-package makes a patch with Git")

    # --- others ---

    def cargo(self, rest: Sequence[str], where: str, depth: int, lookup: Mapping[str, object]) -> None:
        operands = [word for word in rest if not word.startswith(("-", "+"))]
        if operands and operands[0] not in _CARGO:
            raise stop("git", f"{where}: cargo {operands[0]} may ask Git")
        for path, directory in self._files.paths.items():
            if directory or basename(path) not in ("Cargo.toml", "build.rs"):
                continue
            text = self._context.text(path) or ""
            if basename(path) == "build.rs":
                found = re.search(r"Command\s*::\s*new\s*\(\s*(?!\")", text)
                if found is not None:
                    raise stop("git", f"{path} may ask Git: which program it runs is not certain")
                continue
            for crate in _build_dependencies(path, text):
                if crate not in _BUILD_CRATES:
                    because = f"{path}: the build script uses {crate}, and nobody knows whether that asks Git"
                    raise stop("git", because)

    def go(self, rest: Sequence[str], where: str, depth: int, lookup: Mapping[str, object]) -> None:
        operands = [word for word in rest if not word.startswith("-")]
        first = operands[0] if operands else ""
        if first in ("build", "install", "run", "test"):
            flags = lookup.get("GOFLAGS")
            if "-buildvcs=false" not in rest and not (isinstance(flags, Known) and "-buildvcs=false" in flags.value):
                raise stop("git", f"{where}: go writes the commit into the program, which it reads in .git")
        elif first not in ("mod", "env", "get", "vet", "version", "clean", "fmt", "work", "list", "telemetry", ""):
            raise stop("git", f"{where}: go {first} may ask Git")

    def dotnet(self, rest: Sequence[str], where: str, depth: int, lookup: Mapping[str, object]) -> None:
        first = rest[0] if rest else ""
        if first in ("build", "publish", "pack", "test", "run", "watch", "msbuild"):
            raise stop("git", f"{where}: the SDK writes the commit into the program, which it reads in .git")
        if first not in ("restore", "new", "tool", "nuget", "workload", "clean", "add", "dev-certs") and (
            not first.endswith(".dll") and not first.startswith("-")
        ):
            raise stop("git", f"{where}: dotnet {first} may ask Git")

    def python(self, rest: Sequence[str], where: str, depth: int, lookup: Mapping[str, object]) -> None:
        if "-m" in rest[:-1]:
            module = rest[rest.index("-m") + 1]
            more = list(rest[rest.index("-m") + 2 :])
            own = module.split(".")[0]
            if module in _TOOLS or module in _QUIET:
                self.command([module, *more], "", where, depth + 1, lookup)
            elif module == "build":
                self.project(where)
            elif module not in ("venv", "compileall", "ensurepip", "http.server", "unittest", "site") and not any(
                basename(path) in (own, f"{own}.py") for path in self._files.paths
            ):
                raise stop("git", f"{where}: the module {module} may ask Git")
        elif any(basename(word) == "setup.py" for word in rest):
            self.project(where)

    def pip(self, rest: Sequence[str], where: str, depth: int, lookup: Mapping[str, object]) -> None:
        operands = [word for word in rest if not word.startswith("-")]
        own = any(
            word.startswith((".", "/", "?")) and not word.endswith((".txt", ".in", ".whl", ".gz"))
            for word in operands[1:]
        )
        if own or any(word in ("-e", "--editable") or word.startswith("--editable=") for word in rest):
            self.project(where)
        for path, directory in self._files.paths.items():
            if not directory and path.endswith((".txt", ".in")) and "requirements" in path:
                text = self._context.text(path) or ""
                if re.search(r"^[^\S\n]*(?:-e\s|--editable|\.|file:)", text, re.MULTILINE):
                    self.project(where)

    def python_project(
        self, name: str, rest: Sequence[str], where: str, depth: int, lookup: Mapping[str, object]
    ) -> None:
        """uv, poetry, pdm and pipenv."""
        operands = [word for word in rest if not word.startswith("-")]
        first = operands[0] if operands else ""
        if first == "pip":
            self.pip(rest[rest.index("pip") + 1 :], where, depth, lookup)
        elif first in ("install", "sync", "build", "run", "add"):
            if not {"--no-root", "--no-install-project", "--no-self", "--no-install-workspace"}.intersection(rest):
                self.project(where)
            if first == "run" and len(operands) > 1:
                start = rest.index(operands[1])
                self.command([basename(operands[1]), *rest[start + 1 :]], operands[1], where, depth + 1, lookup)
        elif first and first not in _PYTHON_QUIET:
            raise stop("git", f"{where}: {name} {first} may ask Git")

    def project(self, where: str) -> None:
        """Raises Stop if the build of a Python package may ask Git for its version."""
        for path, directory in self._files.paths.items():
            text = self._context.text(path) or "" if not directory and path.endswith((".toml", ".py")) else ""
            if basename(path) == "pyproject.toml":
                for need in _build_requirements(path, text):
                    if need.lower().replace("_", "-") not in _BACKENDS:
                        raise stop(
                            "git", f"{where} builds the package, and {path} needs {need} for it, which may ask Git"
                        )
                if re.search(r"\bsource\s*=\s*[\"'](?:scm|vcs)", text):
                    raise stop("git", f"{where} builds the package, whose version {path} takes from Git")
            elif basename(path) == "setup.py":
                for module in re.findall(r"^[^\S\n]*(?:from|import)\s+(\w+)", text, re.MULTILINE):
                    if module not in _OF_SETUP:
                        raise stop("git", f"{where} builds the package, and {path} uses {module}, which may ask Git")

    def maven(self, rest: Sequence[str], where: str, depth: int, lookup: Mapping[str, object]) -> None:
        own = {"spring-boot-starter-parent"}
        poms = [path for path, directory in self._files.paths.items() if not directory and basename(path) == "pom.xml"]
        comment = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
        texts = {path: comment.sub("", self._context.text(path) or "") for path in poms}
        if any(self._files.paths.get(joined(dirname(path), ".mvn/extensions.xml")) is False for path in poms):
            raise stop("git", f"{where}: an extension of Maven (.mvn/extensions.xml) may ask Git")
        for text in texts.values():
            project = re.sub(r"<parent>.*?(?:</parent>|\Z)", "", text, flags=re.DOTALL)
            own.update(re.findall(r"<artifactId>\s*([^<\s]+)", project)[:1])
        for path, text in texts.items():
            for kind, body in re.findall(r"<(plugin|extension|parent)>(.*?)(?:</\1>|\Z)", text, re.DOTALL):
                found = re.search(r"<artifactId>\s*([^<\s]+)", body)
                artifact = found[1] if found is not None else "?"
                if artifact not in own if kind == "parent" else not _MAVEN_PLUGINS.match(artifact):
                    raise stop("git", f"{where}: {path} uses {artifact}, and nobody knows whether that asks Git")

    def gradle(self, rest: Sequence[str], where: str, depth: int, lookup: Mapping[str, object]) -> None:
        for path, directory in self._files.paths.items():
            if directory or not path.endswith((".gradle", ".gradle.kts", ".versions.toml")):
                continue
            text = re.sub(r"/\*.*?(?:\*/|\Z)|(?<!:)//[^\n]*", "", self._context.text(path) or "", flags=re.DOTALL)
            named = re.findall(r"\bid(?:\s*\(\s*|\s+)[\"']([^\"']+)|\bapply\s+plugin:\s*[\"']([^\"']+)", text)
            named += re.findall(r"\bid\s*=\s*\"([^\"]+)()", text)
            for pair in named:
                plugin = pair[0] or pair[1]
                if not _GRADLE_PLUGINS.match(plugin):
                    raise stop("git", f"{where}: {path} uses {plugin}, and nobody knows whether that asks Git")
            found = re.search(
                r"\bcommandLine\b|\.execute\(\)|\bProcessBuilder\b|\bexec\s*[{(]|\bapply\s+from\b|\bclasspath\b", text
            )
            if found is not None:
                raise stop("git", f"{where}: {path} may ask Git: {found[0].strip()}")

    def mix(self, rest: Sequence[str], where: str, depth: int, lookup: Mapping[str, object]) -> None:
        operands = [word for word in rest if not word.startswith("-")]
        for task in operands[0].split(",") if operands and operands[0] != "do" else operands[1:]:
            name = task.strip().split(" ")[0]
            if not re.match(
                r"(?:deps|local|phx|ecto|assets|esbuild|tailwind|archive)\.|(?:compile|release|run|do|test)$|\?|\+|$",
                name,
            ):
                raise stop("git", f"{where}: mix {name} may ask Git")

    def composer(self, rest: Sequence[str], where: str, depth: int, lookup: Mapping[str, object]) -> None:
        if not {"install", "update", "dump-autoload", "dumpautoload", "require"}.intersection(rest):
            if (
                rest
                and not rest[0].startswith("-")
                and rest[0] not in ("config", "global", "self-update", "clear-cache")
            ):
                raise stop("git", f"{where}: composer {rest[0]} may ask Git")
            return
        for path, directory in self._files.paths.items():
            if not directory and basename(path) == "composer.json":
                table = _table(self._context.text(path) or "")
                if "version" not in table:
                    raise stop("git", f"{where}: Composer writes the commit into vendor, which it reads in .git")
                if table.get("scripts") and "--no-scripts" not in rest:
                    raise stop("git", f"{where}: a script of {path} may ask Git")

    def bundle(self, rest: Sequence[str], where: str, depth: int, lookup: Mapping[str, object]) -> None:
        operands = [word for word in rest if not word.startswith("-")]
        if operands[:1] == ["exec"] and len(operands) > 1:
            start = list(rest).index(operands[1])
            self.command([basename(operands[1]), *rest[start + 1 :]], operands[1], where, depth + 1, lookup)

    def rails(self, rest: Sequence[str], where: str, depth: int, lookup: Mapping[str, object]) -> None:
        operands = [word for word in rest if not word.startswith("-") and "=" not in word]
        for task in operands[:1]:
            if not re.match(
                r"(?:assets|db|tmp|log|bootsnap|webpacker|css|javascript):|(?:server|s|runner|console|precompile)$",
                task,
            ):
                raise stop("git", f"{where}: the task {task} may ask Git")

    def sourced(self, rest: Sequence[str], where: str, depth: int, lookup: Mapping[str, object]) -> None:
        if rest and (self._is_brought(rest[0]) or not rest[0].startswith("/")) and not rest[0].endswith("/activate"):
            self._file(rest[0], where, depth)


_INTERPRETERS = frozenset(("sh", "bash", "dash", "ash", "python", "python3", "node", "ruby", "perl", "php"))
_Tool = Callable[[_Asked, list[str], str, int, Mapping[str, object]], None]


def _of_node(name: str) -> _Tool:
    return lambda asked, rest, where, depth, lookup: asked.node(name, rest, where, depth, lookup)


def _of_python(name: str) -> _Tool:
    return lambda asked, rest, where, depth, lookup: asked.python_project(name, rest, where, depth, lookup)


def _quiet(asked: _Asked, rest: Sequence[str], where: str, depth: int, lookup: Mapping[str, object]) -> None:
    """A program that asks nobody."""


_TOOLS: dict[str, _Tool] = {
    **{name: _of_node(name) for name in ("npm", "yarn", "pnpm", "bun", "npx")},
    **{name: _of_python(name) for name in ("uv", "poetry", "pdm", "pipenv")},
    "cargo": _Asked.cargo, "go": _Asked.go, "dotnet": _Asked.dotnet, "python": _Asked.python, "python3": _Asked.python,
    "pip": _Asked.pip, "pip3": _Asked.pip, "mvn": _Asked.maven, "mvnw": _Asked.maven, "gradle": _Asked.gradle,
    "gradlew": _Asked.gradle, "mix": _Asked.mix, "composer": _Asked.composer, "bundle": _Asked.bundle,
    "rails": _Asked.rails, "rake": _Asked.rails, "bootsnap": _Asked.rails, ".": _Asked.sourced,
    "source": _Asked.sourced, "corepack": _quiet, "gem": _quiet, "virtualenv": _quiet, "patch-package": _Asked.patches,
}  # fmt: skip
_CARGO = _set(
    "build b check c run r test t bench doc fetch install chef clean update vendor generate-lockfile metadata "
    "tree fmt clippy rustc auditable zigbuild binstall strip add init new login search"
)
_BUILD_CRATES = _set(
    "cc cmake bindgen cbindgen pkg-config tonic-build tonic-prost-build prost-build prost-wkt-build "
    "protobuf-codegen protoc-bin-vendored protox autocfg version_check rustc_version rustversion winres "
    "winresource embed-resource tauri-build slint-build napi-build pyo3-build-config cxx-build lalrpop glob "
    "walkdir serde serde_json toml anyhow regex quote syn proc-macro2 clap clap_complete clap_mangen chrono time "
    "phf phf_codegen capnpc flatc-rust ructe minify-html rust-embed system-deps dunce fs_extra tempfile uniffi "
    "embuild sqlx heck itertools cfg_aliases"
)
_BACKENDS = _set(
    "setuptools wheel hatchling poetry-core poetry flit-core flit pdm-backend uv-build maturin cython numpy "
    "pybind11 setuptools-rust scikit-build-core meson-python ninja cffi packaging tomli mypy"
)
_OF_SETUP = _set(
    "setuptools distutils os sys re io pathlib codecs glob platform ast json typing Cython numpy pybind11 "
    "__future__ shutil pkg_resources collections itertools functools warnings textwrap"
)
_MAVEN_PLUGINS = re.compile(
    r"maven-(?!scm|release)[\w-]+-plugin$|(?:spring-boot|quarkus|micronaut|kotlin|scala|jacoco|flatten|protobuf"
    r"|avro|jib|liquibase"
    r"|lombok|build-helper|properties|native|graalvm|openapi-generator|checkstyle|spotbugs|sonar|versions"
    r"|antlr4|jaxb2|jaxb|cxf-codegen)"
    r"-maven-plugin$|quarkus-extension-maven-plugin$|os-maven-plugin$|sonar-maven-plugin$|antlr4-maven-plugin$"
)
_GRADLE_PLUGINS = re.compile(
    r"(?:java|java-library|application|base|war|groovy|scala|jacoco|checkstyle|pmd|idea|eclipse|maven-publish"
    r"|kotlin|kotlin-[\w-]+|distribution"
    r"|java-test-fixtures|java-platform|antlr|org\.springframework\.boot|io\.spring\.dependency-management"
    r"|org\.jetbrains\.kotlin[\w.-]*"
    r"|com\.github\.johnrengelman\.shadow|com\.gradleup\.shadow|io\.ktor\.plugin|io\.micronaut[\w.]*"
    r"|io\.quarkus|org\.graalvm\.buildtools\.native"
    r"|com\.google\.protobuf|org\.flywaydb\.flyway|io\.freefair\.lombok|com\.diffplug\.spotless"
    r"|io\.gitlab\.arturbosch\.detekt"
    r"|org\.gradle\.toolchains\.foojay-resolver-convention|com\.google\.devtools\.ksp)$"
)
_SETTINGS_OF_BUNDLERS = re.compile(
    r"\.config\.[cm]?[jt]s$|^\.babelrc|^babel\.config|^angular\.json$|^\.parcelrc$|^gulpfile\."
)
_KNOWN_PACKAGES = re.compile(
    r"(?:vite|next|nuxt|webpack|rollup|esbuild|tsup|astro|svelte|typescript|path|url|react|react-dom|vue"
    r"|vue-router|pinia|postcss|autoprefixer"
    r"|tailwindcss|tailwindcss-animate|cssnano|sass|less|terser|dotenv|vite-tsconfig-paths|vite-plugin-(?:svgr"
    r"|pwa|dts|checker|compression)"
    r"|unplugin-[\w-]+|[\w-]+-loader|[\w-]+-webpack-plugin|postcss-[\w-]+|babel-plugin-[\w-]+|next-(?:intl|auth"
    r"|themes|pwa|mdx)|drizzle-(?:orm|kit)"
    r"|eslint|eslint-[\w-]+|prettier|jest|vitest|jsdom|globals"
    r"|@(?:vitejs|babel|rollup|sveltejs|tailwindcss|swc|vue|angular|types|next|mdx-js|astrojs/(?:react|vue"
    r"|svelte|tailwind|node|mdx|sitemap|check)"
    r"|typescript-eslint|eslint|nestjs|radix-ui|remix-run|react-router|tanstack|mui|emotion|prisma|rspack"
    r"|rsbuild)(?:/[\w.-]+)*)$"
)


def _table(text: str) -> Mapping[str, object]:
    try:
        return read_json(text)
    except ValueError:
        return {}


def _packages(text: str) -> frozenset[str]:
    table = _table(text)
    groups = (table.get(name) for name in ("dependencies", "devDependencies", "optionalDependencies"))
    return frozenset(name for group in groups if isinstance(group, dict) for name in group)


def _toml(path: str, text: str) -> Mapping[str, object]:
    try:
        return read_toml(text)
    except ValueError:
        raise stop("git", f"{path} may ask Git: it is no TOML that is understood") from None


def _build_dependencies(path: str, manifest: str) -> Iterator[str]:
    """The crates in the tables of a Cargo.toml for build scripts."""
    table = _toml(path, manifest)
    platforms = table.get("target")
    tables = [table, *(platforms.values() if isinstance(platforms, dict) else ())]
    for each in tables:
        found = each.get("build-dependencies") if isinstance(each, dict) else None
        for name, value in found.items() if isinstance(found, dict) else ():
            yield str(value["package"]) if isinstance(value, dict) and "package" in value else name


def _build_requirements(path: str, manifest: str) -> Iterator[str]:
    """The packages that a pyproject.toml has installed to build its own."""
    system = _toml(path, manifest).get("build-system")
    needs = system.get("requires") if isinstance(system, dict) else None
    for need in needs if isinstance(needs, list) else ():
        name = re.match(r"\s*([A-Za-z0-9_.-]+)", str(need))
        yield name[1] if name is not None else str(need)


# --- sources -------------------------------------------------------------------------------------------------------


_USES_GIT = re.compile(
    r"\bgit[ \t]+(?:-C|-c|--git-dir|--no-pager|describe|rev-parse|rev-list|log|show|status|symbolic-ref|diff"
    r"|ls-files|"
    r"branch|tag|name-rev|archive|submodule|cat-file|for-each-ref|blame|shortlog|fetch|pull)\b"
    r"|(?:[\"'`])git(?:\.exe)?(?:[\"'`]|[ \t]+-)"
    r"|(?<![\w-])\.git/|[\"'`]\.git[\"'`]"
    r"|^[^\S\n]*(?:import|from)\s+(?:git|pygit2|dulwich)\b|\bgit\.Repo\(|\b(?:GitPython|pygit2)\b"
    r"|\bdulwich[.\"'<>=~]|^[^\S\n]*dulwich\b"
    r"|\b(?:simple-git|isomorphic-git|nodegit|go-git|LibGit2Sharp|jgit)\b|\brugged::"
    r"|[\"'`]rugged[\"'`]|GIT_EXECUTABLE|GIT_DIR\b"
    r"|setuptools[_-](?:scm|git)|hatch[_-]vcs|versioneer|versioningit|dunamai|poetry-dynamic-versioning|mkdocs-git"
    r"|uv-dynamic-versioning|git-commit-id|buildnumber-maven|com\.palantir\.git-version|gradle-git|grgit"
    r"|nerdbank\.gitversioning|gitversion|scmVersion"
    r"|\bpbr\s*=\s*True|[\"']pbr[\"'<>=!~\s]|^[^\S\n]*pbr\b",
    re.IGNORECASE | re.MULTILINE,
)
"""What reads a repository, in programs and in the settings of build tools."""
_SHELL = re.compile(r"(?:sh|bash)[\"']\s*,\s*(?:\[\s*)?[\"']-c[\"'][^)]*", re.IGNORECASE)
"""A program that has a shell do something."""
_GIT_CRATES = re.compile(
    r"^[^\S\n]*(?:name\s*=\s*\")?(vergen[\w-]*|git2|gix|shadow-rs|git[_-][\w-]*version|git-testament|built"
    r"|build-info[\w-]*|git-rev"
    r"|git[_-]info|rustc_tools_util|build-data|compile-time-git[\w-]*)\b[\"\s=]",
    re.MULTILINE,
)
_GIT_PACKAGES = re.compile(
    r"(?:^|[@/_-])git(?:$|[/_-])|^(?:husky|lefthook|yorkie|pre-commit|simple-git|simple-git-hooks"
    r"|isomorphic-git|nodegit"
    r"|next-build-id|vitepress|nextra[\w-]*|@docusaurus/[\w-]+|@astrojs/starlight|@sentry/(?:nextjs"
    r"|[\w-]*-plugin|cli|sveltekit"
    r"|astro|nuxt|remix)|[\w-]*gitinfo[\w-]*|fumadocs-[\w-]+|rspress|gatsby[\w-]*|@vuepress/[\w-]+|vuepress"
    r"|lint-staged)$"
)
_SETTINGS = frozenset(("pyproject.toml", "setup.cfg", "pom.xml", "Cargo.toml", "Cargo.lock", "package.json", "Gemfile",
                       "Rakefile", "requirements.txt", "CMakeLists.txt"))  # fmt: skip
_INERT = _set(
    "md markdown rst adoc asciidoc org txt text pdf tex bib po pot mo csv tsv parquet sql graphql gql proto prisma "
    "avsc json jsonc json5 jsonl ndjson geojson toml ini cfg conf config properties env xml xsd xsl wsdl plist html "
    "htm xhtml css scss sass less styl map lock sum mod lockb editorconfig yml yaml svg png jpg jpeg gif ico webp "
    "avif bmp tif tiff psd mp3 mp4 ogg wav webm woff woff2 ttf otf eot zip gz tgz bz2 xz zst tar jar war whl egg so "
    "dll dylib exe o a lib bin dat db sqlite sqlite3 pem crt key cert pub log snap patch diff ipynb tf tfvars hcl "
    "example sample dist template tmpl tpl j2 hbs mustache dockerfile containerfile dockerignore gitignore keep "
    "gitkeep iml suo user"
)
"""Endings of files that nothing runs: documents, data, settings of tools, styles, what is binary."""
_INERT_NAMES = re.compile(
    r"\.[\w-]+|(?:Dockerfile|Containerfile)(?:[-_.].*)?|(?i:dockerfile|containerfile|(?:licen[cs]e|copying|copyright"
    r"|notice|readme|authors|contributors|contributing|maintainers|changelog|changes|history|news|todo|install"
    r"|codeowners|version|procfile|jenkinsfile|vagrantfile|earthfile|capfile|fastfile|dangerfile|brewfile|podfile"
    r"|tiltfile)(?:[-_][\w-]+)?)",
    re.DOTALL,
)
_SCRIPTS = re.compile(
    r".*\.(?:sh|bash|zsh|fish|ksh|ps1|psm1|bat|cmd|mk|mak)|(?:GNU)?[Mm]akefile|[Jj]ustfile", re.DOTALL
)
"""What runs only where somebody calls it."""
_SHEBANG = re.compile(r"#![^\n]*\b(?:ba|da|a|k|z|fi)?sh\b")
_EMBEDDED = re.compile(r"<%")
"""A text in YAML that is a template of Ruby."""
_MAKES = re.compile(r"[\"'`](?:g?make|just)(?:[\"'`]|[ \t]+(?:-|[\w.-]+[\"'`]))")
"""A source calls what runs the targets of a Makefile or a justfile."""
_ELSEWHERE = frozenset((".github", ".gitlab", ".circleci", ".husky", ".vscode", ".idea"))
"""Directories whose scripts run elsewhere."""


def _check_sources(context: BuildContext, files: Files) -> None:
    """Raises Stop if a source, or the settings of a tool, read the repository, or call a script that does."""
    size = 0
    scripts: dict[str, str] = {}
    sources: list[str] = []
    for path, directory in files.paths.items():
        name = basename(path)
        if directory or _ELSEWHERE.intersection(path.split("/")) or _is_inert(name):
            continue
        text = context.text(path)
        if text is None or len(text) > _LARGEST:
            continue
        if name.endswith((".yml", ".yaml")) and _EMBEDDED.search(text) is None:
            continue
        size += len(text)
        if size > _MOST:
            raise stop("git", "the context is too large to see whether a file in it reads .git")
        if name == "package.json":
            _check_package(path, text)
            continue
        if _SCRIPTS.fullmatch(name) or _SHEBANG.match(text):
            scripts[path] = text
            continue
        sources.append(path)
        found = _GIT_CRATES.search(text) if name in ("Cargo.toml", "Cargo.lock") else _uses_git(text)
        if found is not None:
            raise stop("git", f"{path} may read .git: {' '.join(found[0].split())}")
    asking = {path: found[0] for path, text in scripts.items() if (found := _uses_git(text)) is not None}
    if asking:
        _check_calls(context, sources, scripts, asking)


def _check_calls(
    context: BuildContext, sources: Sequence[str], scripts: Mapping[str, str], asking: Mapping[str, str]
) -> None:
    """Raises Stop if a source calls one of the scripts that ask Git, or one that calls such a script. (What the image
    runs is followed by its words.)"""
    asks = dict(asking)
    for _ in range(_DEEPEST):
        calls = _calls_of(asks)
        more = {path: asks[one] for path, text in scripts.items() if path not in asks and (one := calls(text))}
        if not more:
            break
        asks.update(more)
    calls = _calls_of(asks)
    for path in sources:
        called = calls(context.text(path) or "")
        if called is not None:
            raise stop("git", f"{path} may call {called}, which may read .git: {' '.join(asks[called].split())}")


def _calls_of(asks: Mapping[str, str]) -> Callable[[str], str | None]:
    """Which of these scripts a text may call; None for none. By their names alone, wherever they are."""
    names = {basename(path): path for path in asks}
    made = next((path for name, path in names.items() if name.lower() in _OF_MAKE or name.endswith(".mk")), None)
    plain = sorted(name for name in names if name.lower() not in _OF_MAKE)
    said = re.compile(rf"(?<![\w.-])(?:{'|'.join(map(re.escape, plain))})(?![\w-])") if plain else None

    def called(text: str) -> str | None:
        for found in said.finditer(text) if said is not None else ():
            if not _is_aside(text, found.start()):
                return names[found[0]]
        return made if made is not None and _MAKES.search(text) is not None else None

    return called


def _is_aside(text: str, at: int) -> bool:
    """Whether a name stands in an address, or on a line that is a comment."""
    line = text[max(text.rfind("\n", 0, at) + 1, at - _NEAR) : at]
    return "://" in re.split(r"[\s\"'`(<]", line)[-1] or line.lstrip().startswith(("# ", "//", "/*", "* ", "<!--"))


_NEAR = 400
_OF_MAKE = ("makefile", "gnumakefile", "justfile")


def _is_inert(name: str) -> bool:
    if name in _SETTINGS:
        return False
    if _INERT_NAMES.fullmatch(name):
        return True
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    return ending in _INERT and ending not in ("yml", "yaml")


def _uses_git(text: str) -> re.Match[str] | None:
    return _USES_GIT.search(text) or next(
        (shell for shell in _SHELL.finditer(text) if re.search(r"\bgit\b", shell[0], re.IGNORECASE)), None
    )


def _check_package(path: str, text: str) -> None:
    for package in sorted(_packages(text)):
        if _GIT_PACKAGES.search(package):
            raise stop("git", f"{path} may read .git: {package}")
