"""Package managers: which files of a project one call of them reads, and whether it may change them.

Sources: the manuals of pip, uv, poetry, pipenv, npm 10, yarn 1 and 4, pnpm 9, bun, go (and its `cmd/go/internal/modcmd`
and `modload`), bundler, composer, dotnet and cargo; corepack's `Engine.ts` (0.26 to 0.34). What is not in these tables
is another program.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase

from fixer.analysis.commands import Call, once_a_call
from fixer.analysis.tools.cargo import cargo_of
from fixer.analysis.tools.pip import EDITABLE, ENVIRONMENT, FILES, may_be_place, pip_of, said
from fixer.analysis.values import Known, Unknown, Value, join
from fixer.text.records import dataclass


@dataclass(frozen=True, slots=True)
class Manager:
    """One call of a package manager.

    tool: as people call it: "npm ci".
    names: patterns of the names of files that it reads in its directory, or above or below it; none: it reads none.
    files: what its words name, absolute.
    writes: why it may put other files in their place; "" if it never does.
    in_place: patterns of the names of those that it may write without another file in their place.
    written: the same for files wherever they are, absolute; one that is not known may be any that it reads.
    pins: corepack may run it, and then writes `packageManager` into a package.json that has none, in place.
    replaces: patterns of the names of files beside its manifests in whose place it may put others.
    locks: names of files one of which must be there so that none of them is written.
    scripts: the manifest whose scripts it runs ("package.json", "composer.json"), or None.
    anything: it may read other files, too.
    anywhere: its manifests name each other, wherever they lie: all that the build has brought before are there for it.
    """

    tool: str
    names: tuple[str, ...] = ()
    files: tuple[Value, ...] = ()
    writes: str = ""
    in_place: tuple[str, ...] = ()
    written: tuple[Value, ...] = ()
    pins: bool = False
    replaces: tuple[str, ...] = ()
    locks: tuple[str, ...] = ()
    scripts: str | None = None
    anything: bool = False
    requirements: bool = False
    """The files are requirements as pip has them, which nobody needs but who installs them."""
    anywhere: bool = False

    def reads_name(self, name: str) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in self.names)

    def may_replace(self, name: str) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in self.replaces)

    def writes_in_place(self, path: str) -> bool:
        """Whether it may write to the manifest `path`, absolute, and leave it the same file."""
        name = path.rpartition("/")[2]
        return any(fnmatchcase(name, pattern) for pattern in self.in_place) or any(
            file.value == path if isinstance(file, Known) else self.reads_name(name) for file in self.written
        )

    def reads(self, path: str, cwd: Value) -> bool:
        """Whether it may read the manifest `path`, absolute."""
        if any(isinstance(file, Known) and file.value == path for file in self.files):
            return True
        return self.reads_name(path.rpartition("/")[2])


NPM = ("package.json", "package-lock.json", "npm-shrinkwrap.json", ".npmrc")
YARN = ("package.json", "yarn.lock", ".yarnrc", ".yarnrc.yml", ".npmrc")
PNPM = ("package.json", "pnpm-lock.yaml", "pnpm-workspace.yaml", ".npmrc", ".pnpmfile.cjs")
BUN = ("package.json", "bun.lockb", "bun.lock", "bunfig.toml", ".npmrc")
PIP = ("*requirements*.txt", "*constraints*.txt", "pyproject.toml")
UV = ("pyproject.toml", "uv.lock", "uv.toml", ".python-version")
POETRY = ("pyproject.toml", "poetry.lock", "poetry.toml")
PIPENV = ("Pipfile", "Pipfile.lock")
GO = ("go.mod", "go.sum", "go.work", "go.work.sum")
BUNDLER = ("Gemfile", "Gemfile.lock", ".ruby-version", ".tool-versions", "*.gemspec")
COMPOSER = ("composer.json", "composer.lock", "auth.json")
DOTNET = ("*.csproj", "*.fsproj", "*.vbproj", "*.sln", "*.slnx", "nuget.config", "NuGet.config", "NuGet.Config",
          "global.json", "Directory.*.props", "Directory.*.targets")  # fmt: skip
CARGO = ("Cargo.toml", "Cargo.lock", "rust-toolchain", "rust-toolchain.toml")

NAMES = tuple(dict.fromkeys(
    (*NPM, *YARN, *PNPM, *BUN, *PIP, *UV, *POETRY, *PIPENV, *GO, *BUNDLER, *COMPOSER, *DOTNET, *CARGO)
))  # fmt: skip
"""Names of manifests, as patterns: files, and no directories."""

WORDS = ("pip", "uv ", "poetry", "npm", "yarn", "bun ", "go mod", "bundle", "composer", "dotnet", "cargo fetch")
"""A text without any of these calls none of them as far as it matters."""


def is_manifest(name: str) -> bool:
    """Whether a file's name is that of a manifest."""
    return any(fnmatchcase(name, pattern) for pattern in NAMES)


def is_manager(call: Call) -> bool:
    """Whether the program is a package manager, whatever it is told to do."""
    return call.program in _READERS


@once_a_call
def read_manager(call: Call) -> Manager | None:
    """What a call does; None if it is not known, or calls none of them."""
    if "xargs" in call.wrappers:  # more words follow that nobody knows
        return None
    if pip_of(call) is not None:
        return _pip(call)
    reader = _READERS.get(call.program or "")
    return reader(call) if reader is not None else None


class _Words:
    """The words of a call: options with their values, and the others."""

    __slots__ = ("operands", "options", "places", "unsure")

    def __init__(self, call: Call, takes: frozenset[str]) -> None:
        self.options: dict[str, Value | None] = {}
        self.operands: list[str] = []
        self.places: list[int] = []
        """The indexes of the operands in the call, with those that are not known."""
        self.unsure = False
        waiting = ""
        for at, word in enumerate(call.words[1:], 1):
            if waiting:
                self.options[waiting] = word
                waiting = ""
            elif isinstance(word, Unknown):
                self.unsure = True
                self.places.append(at)
            elif word.value.startswith("-") and len(word.value) > 1:
                name, equals, value = word.value.partition("=")
                if equals:
                    self.options[name] = Known(value, word.args)
                elif name in takes:
                    waiting = name
                else:
                    self.options[name] = None
            else:
                self.operands.append(word.value)
                self.places.append(at)

    def has(self, *names: str) -> bool:
        """Whether one of the options is given, and not switched off."""
        return any(name in self.options and self.options[name] not in _NO for name in names)


_NO = (Known("false"), Known("0"), Known("no"))


def _words(call: Call, takes: str = "") -> _Words:
    return _Words(call, frozenset(takes.split()))


def _true(call: Call, *names: str) -> bool:
    """Whether one of the variables is surely set, and not to a word for no."""
    for name in names:
        value = call.lookup(name)
        if isinstance(value, Known) and not value.args and value.value.lower() not in ("", "0", "false", "no"):
            return True
    return False


# --- Python --------------------------------------------------------------------------------------------------------

_PIP_READS_NOTHING = frozenset(("cache", "check", "config", "debug", "freeze", "list", "show", "uninstall", ""))


def _pip(call: Call) -> Manager | None:
    pip = pip_of(call)
    assert pip is not None
    if pip.subcommand not in ("install", "download", "wheel"):
        known = pip.subcommand in _PIP_READS_NOTHING and pip.unsure is None and not pip.requirements
        return Manager(f"pip {pip.subcommand}".strip()) if known else None
    return _requirements(call, f"pip {pip.subcommand}", pip.operands_at)


def _requirements(call: Call, tool: str, operands: Sequence[int], always: tuple[str, ...] = ()) -> Manager | None:
    """pip and what is like it: files of requirements are named, and may name others. None where a project or an archive
    may be named. operands: the indexes of the requirements among the words. always: what it reads besides."""
    files: list[Value] = []
    for each in said(call):
        if each.option in FILES:
            files.append(join(call.cwd, each.value if each.joined else call.words[each.at]))
        elif each.option == "--group":
            always = (*always, "pyproject.toml")
        elif each.option in EDITABLE and may_be_place(each.text, each.whole, sure=True):
            return None
    for name in ENVIRONMENT:  # no base image has them
        given = call.lookup(name) if call.file_names(name) else None
        if given is not None and (not isinstance(given, Known) or (given.value and name == "PIP_EDITABLE")):
            return None
        files += [join(call.cwd, Known(one)) for one in (given.value.split() if isinstance(given, Known) else ())]
    for at in operands:
        word, node = call.words[at], call.nodes[at]
        text, whole = (word.value, True) if isinstance(word, Known) else call.prefix(node)
        if may_be_place(text, whole) and (text or not files) and not text.startswith("-"):
            return None
    return Manager(tool, (*(PIP if files else ()), *always), tuple(files), requirements=True)


_UV_TOOL = frozenset(
    {
        "-p", "--python", "-q", "--quiet", "-v", "--verbose", "--force", "--no-cache", "-n", "-U", "--upgrade",
        "--reinstall", "--all", "--cache-dir", "--link-mode", "--index-url", "--default-index", "--index",
        "--extra-index-url", "--prerelease", "--compile-bytecode", "--no-progress",
    }
)
"""Options of `uv tool` that name no file of requirements and no project."""


def _uv(call: Call) -> Manager | None:
    words = _words(call, "-p --python --directory --project --cache-dir --config-file --group --extra --index-url "
                         "--no-group --only-group --link-mode --default-index --index --extra-index-url --target "
                         "--prefix -r --requirement --requirements -c --constraint --constraints -b --build-constraint "
                         "--build-constraints --override --overrides --exclude --excludes --package "
                         "--no-install-package")  # fmt: skip
    head = words.operands[:2]
    if head[:1] == ["pip"] and head[1:] in (["install"], ["sync"], ["uninstall"]):
        if head[1] == "sync":
            files = tuple(join(call.cwd, Known(word)) for word in words.operands[2:])
            return Manager("uv pip sync", (*PIP, *UV), files, requirements=True)
        return _requirements(call, f"uv pip {head[1]}", words.places[2:], UV)
    if head[:1] == ["pip"] and head[1:] in (["list"], ["freeze"], ["check"], ["show"], ["tree"]):
        return None if words.unsure else Manager(f"uv pip {head[1]}", UV)
    if head[:1] == ["sync"]:
        frozen = words.has("--frozen", "--locked") or _true(call, "UV_FROZEN", "UV_LOCKED")
        if words.unsure and not frozen:
            return None
        writes = "" if frozen else "without --frozen or --locked it may write uv.lock"
        return Manager("uv sync", UV, writes=writes, anything=not words.has("--no-install-project"))
    if words.unsure:
        return None
    if head[:1] == ["venv"] or (head[:1] == ["python"] and head != ["python", "pin"]):
        return Manager(f"uv {head[0]}", UV)  # .python-version and `requires-python` choose the Python
    if head[:1] == ["tool"]:
        known = head[1:] in (["install"], ["upgrade"], ["uninstall"], ["list"], ["dir"], ["update-shell"])
        named = any(may_be_place(one, True) for one in words.operands[2:])
        return Manager("uv tool") if known and not named and set(words.options) <= _UV_TOOL else None
    return Manager("uv") if head[:1] in (["cache"], ["self"]) or not head else None


def _poetry(call: Call) -> Manager | None:
    words = _words(call, "-C --directory -P --project --without --with --only -E --extras -f --format -o --output")
    head = words.operands[:1]
    if head == ["install"]:
        return Manager("poetry install", POETRY, locks=("poetry.lock",), anything=not words.has("--no-root"))
    if head == ["export"]:
        return Manager("poetry export", POETRY, locks=("poetry.lock",))
    if head in (["config"], ["cache"], ["self"], ["env"]) or not head:
        local = ("poetry.toml",) if head == ["config"] and words.has("--local") else ()
        return Manager("poetry", POETRY, in_place=local) if not words.unsure else None
    return None


def _pipenv(call: Call) -> Manager | None:
    words = _words(call, "--python --pypi-mirror -i --index --categories --extra-pip-args")
    if words.operands[:1] == ["sync"]:
        return Manager("pipenv sync", PIPENV, anything=True)
    if words.operands == ["install"]:
        fixed = words.has("--deploy", "--ignore-pipfile")
        writes = "" if fixed else "without --deploy or --ignore-pipfile it may write Pipfile.lock"
        # It corrects the names of packages in Pipfile, in place (`ensure_pipfile`, pipenv 2018.11).
        return Manager("pipenv install", PIPENV, writes=writes, in_place=("Pipfile",), anything=True)
    if words.operands == ["requirements"]:
        return Manager("pipenv requirements", PIPENV)
    return None


# --- JavaScript ----------------------------------------------------------------------------------------------------

_LOCATION = ("--location", "--locatio", "--locati", "--locat", "--loca", "--loc", "-L")
"""npm takes options that are cut short (nopt)."""
_NPM_TAKES = ("--prefix -C --cache --registry --omit --include --loglevel --install-strategy --workspace -w --only "
              f"--fetch-retries --fetch-timeout --userconfig --globalconfig --maxsockets {' '.join(_LOCATION)}")


def _global(words: _Words, tool: str, names: tuple[str, ...] = ()) -> Manager | None:
    """What is done with packages for all: those that it names, or the one of its directory if it installs, and names
    none."""
    verb = next((one for one in words.operands if one != "global"), "")
    if words.unsure or verb not in _GLOBAL:
        return None
    named = [one for one in words.operands if one not in ("global", verb)]
    local = any(_names_a_file(one.lower()) for one in named)
    return None if local or (verb in ("install", "i", "add") and not named) else Manager(tool, names)


_GLOBAL = frozenset(
    {
        "install", "i", "add", "update", "up", "upgrade", "uninstall", "remove", "rm", "un", "list", "ls", "root",
        "bin", "dir", "outdated", "config",
    }
)


def _names_a_file(package: str) -> bool:
    """Whether what is installed may be a directory or an archive: `.`, `file:…`, `tool@link:…`."""
    source = package.rpartition("@")[2]
    return (
        "file:" in package
        or "link:" in package
        or package.startswith((".", "/", "~"))
        or source.startswith((".", "/", "~"))
        or package.endswith((".tgz", ".tar.gz", ".tar"))
    )


def _scripts(words: _Words, call: Call) -> str | None:
    silent = words.has("--ignore-scripts") or _true(call, "npm_config_ignore_scripts", "NPM_CONFIG_IGNORE_SCRIPTS")
    return None if silent else "package.json"


def _npm(call: Call) -> Manager | None:
    words = _words(call, _NPM_TAKES)
    head = words.operands[:1]
    if words.unsure and head != ["ci"]:
        return None
    if head[:1] in (["ci"], ["clean-install"]) and not words.has("-g", "--global"):
        return Manager("npm ci", NPM, scripts=_scripts(words, call))
    if head[:1] in (["install"], ["i"], ["add"], ["update"], ["uninstall"]):
        if words.has("-g", "--global"):
            return _global(words, "npm install --global")
        return Manager("npm install", NPM, writes="npm install may write package-lock.json; npm ci does not")
    if head[:1] in (["config"], ["set"]):
        return _npm_config(words, call)
    if head[:1] in (["cache"], ["ping"], ["version"], ["get"]) or not head:
        changes = len(words.operands) > 1 and head == ["version"]
        return None if changes else Manager("npm config" if head else "npm", (".npmrc",))
    return None


def _npm_config(words: _Words, call: Call) -> Manager | None:
    """It writes the .npmrc of the project, or by default that of the user, without another one in its place; one that
    nothing is left in it removes (docs.npmjs.com, "npm-config", "npmrc"; @npmcli/config 8, `save`)."""
    verb = words.operands[1] if words.operands[:1] == ["config"] and len(words.operands) > 1 else words.operands[0]
    if verb in ("get", "list", "ls", "config"):
        return Manager("npm config", (".npmrc",))
    given = next((words.options[name] for name in _LOCATION if name in words.options), None)
    where = given or _setting(call, "location") or Known("user")
    if where == Known("project") and verb in ("set", "edit"):
        return Manager("npm config", (".npmrc",), in_place=(".npmrc",))
    if where not in (Known("user"), Known("global")):
        return None
    if where == Known("global") or words.has("-g", "--global"):
        return Manager("npm config", (".npmrc",))
    said = words.options.get("--userconfig") or _setting(call, "userconfig")
    home = call.lookup("HOME") or Unknown("the home is not known")
    mine = join(call.cwd, said or join(home, Known(".npmrc")))
    return Manager("npm config", (".npmrc",), (mine,), written=(mine,))


def _setting(call: Call, name: str) -> Value | None:
    """A setting of npm in the environment; no base image has one of those that are asked for here."""
    for variable in (f"npm_config_{name}", f"NPM_CONFIG_{name.upper()}"):
        value = call.lookup(variable) if call.file_names(variable) else None
        if value is not None:
            return value
    return None


def _pins(call: Call) -> bool:
    """Whether corepack may be what `yarn` and `pnpm` are, and change package.json: it does from 0.26 on (its #413), not
    by default any more from 0.34 on (#709)."""
    return call.file_names("corepack") and call.lookup("COREPACK_ENABLE_AUTO_PIN") != Known("0")


def _yarn(call: Call) -> Manager | None:
    words = _words(call, "--cwd --cache-folder --network-timeout --registry --modules-folder --mutex --mode "
                         "--network-concurrency")  # fmt: skip
    head = words.operands[:1]
    if words.unsure and not words.has("--frozen-lockfile", "--immutable"):
        return None
    if head in ([], ["install"]):
        if not head and words.has("--version", "-v", "--help"):
            return Manager("yarn")
        fixed = words.has("--frozen-lockfile", "--immutable", "--pure-lockfile")
        writes = "" if fixed else "without --frozen-lockfile or --immutable it may write yarn.lock"
        scripts = _scripts(words, call)
        return Manager("yarn install", YARN, writes=writes, pins=_pins(call), replaces=(".pnp.*",), scripts=scripts)
    if head == ["cache"] or (head == ["config"] and words.has("-H", "--home")):
        return Manager("yarn cache", (".yarnrc", ".yarnrc.yml"))
    return _global(words, "yarn global", (".yarnrc", ".npmrc")) if head == ["global"] else None


def _pnpm(call: Call) -> Manager | None:
    words = _words(call, "-C --dir --filter -F --store-dir --registry --reporter --network-concurrency --prefix")
    head = words.operands[:1]
    if head in (["install"], ["i"]) and len(words.operands) == 1 and not words.has("-g", "--global"):
        fixed = words.has("--frozen-lockfile")
        writes = "" if fixed else "without --frozen-lockfile it may write pnpm-lock.yaml"
        return Manager("pnpm install", PNPM, writes=writes, pins=_pins(call), scripts=_scripts(words, call))
    if head == ["fetch"]:
        return Manager("pnpm fetch", PNPM, pins=_pins(call))
    if words.has("-g", "--global"):
        return _global(words, f"pnpm {head[0]} --global", (".npmrc",)) if head else None
    return Manager("pnpm") if not words.unsure and (head in (["store"], ["setup"]) or not head) else None


def _bun(call: Call) -> Manager | None:
    words = _words(call, "--cwd --cache-dir --registry --filter --backend")
    if words.operands in (["install"], ["i"]) and not words.has("-g", "--global"):
        fixed = words.has("--frozen-lockfile")
        writes = "" if fixed else "without --frozen-lockfile it may write the lock file"
        return Manager("bun install", BUN, writes=writes, scripts=_scripts(words, call))
    return None


def _corepack(call: Call) -> Manager | None:
    words = _words(call)
    if words.operands[:1] in (["enable"], ["disable"]):
        return Manager("corepack enable")
    if words.operands[:1] in (["prepare"], ["install"]):
        # Without a version it reads `packageManager`.
        return Manager("corepack prepare", ("package.json",))
    return None


# --- others --------------------------------------------------------------------------------------------------------


def _go(call: Call) -> Manager | None:
    words = _words(call, "-C -modfile -o -ldflags -tags -gcflags -mod -p -run -timeout -reuse")
    head = words.operands[:2]
    if head == ["mod", "download"] and len(words.operands) == 2 and not words.unsure:
        # go.sum is left alone without arguments; an untidy go.mod is made tidy (modcmd/download.go, go 1.16 and newer).
        return Manager("go mod download", GO, in_place=GO)
    if head == ["mod", "verify"]:
        # It loads the modules as download does (modcmd/verify.go); before 1.16 that, too, could make go.mod tidy.
        return Manager("go mod verify", GO, in_place=GO)
    if head[:1] == ["mod"]:
        name = f"go {' '.join(head)}"
        return Manager(name, GO, writes=f"{name} may write go.mod and go.sum")
    if head[:1] in (["version"], ["env"], ["clean"]):
        return Manager("go", GO)
    if head[:1] == ["install"] and all("@" in operand for operand in words.operands[1:]) and words.operands[1:]:
        return Manager("go install")
    return None


def _bundle(call: Call) -> Manager | None:
    words = _words(call, "--gemfile --path --jobs -j --retry --without --with")
    head = words.operands[:1]
    if head in ([], ["install"]) and not words.has("--version", "-v"):
        fixed = words.has("--frozen", "--deployment") or _true(call, "BUNDLE_FROZEN", "BUNDLE_DEPLOYMENT")
        return Manager("bundle install", BUNDLER, in_place=() if fixed else ("Gemfile.lock",))
    if head in (["config"], ["clean"], ["check"], ["info"], ["exec"]):
        known = head != ["exec"] or words.operands[1:3] == ["bootsnap", "precompile"]
        return Manager(f"bundle {head[0]}", BUNDLER) if known else None
    return Manager("bundle") if not head else None


def _composer(call: Call) -> Manager | None:
    words = _words(call, "-d --working-dir --apcu-autoloader-prefix")
    head = words.operands[:1]
    if head in (["install"], ["i"]):
        scripts = None if words.has("--no-scripts") else "composer.json"
        # Symfony's plugin configures packages that symfony.lock does not know, also with --no-scripts: it writes to
        # composer.json, symfony.lock, .env and others, in place (symfony/flex, `src/Configurator`).
        written = ("symfony.lock",) if words.has("--no-plugins") else ("*",)
        return Manager("composer install", COMPOSER, in_place=written, locks=("composer.lock",), scripts=scripts)
    if head in (["clear-cache"], ["clearcache"], ["cc"], ["self-update"], ["diagnose"]) or not head:
        return Manager("composer")
    if head == ["global"]:
        return Manager("composer global")
    return None


def _dotnet(call: Call) -> Manager | None:
    words = _words(call, "-r --runtime -s --source --packages --configfile -v --verbosity -a --arch --os -p -c")
    head = words.operands[:1]
    if head == ["restore"]:
        files = tuple(join(call.cwd, Known(operand)) for operand in words.operands[1:])
        replaces = () if words.has("--locked-mode") else ("packages.lock.json",)
        return Manager("dotnet restore", DOTNET, files, replaces=replaces, anywhere=True)
    if head in (["tool"], ["nuget"], ["workload"]):
        return Manager("dotnet", DOTNET) if "--global" in words.options or "-g" in words.options else None
    return Manager("dotnet") if not head else None


def _cargo(call: Call) -> Manager | None:
    cargo = cargo_of(call)
    if cargo is None:
        return None
    if cargo.subcommand in ("fetch", "vendor"):
        writes = "" if cargo.locked else "without --locked it may write Cargo.lock"
        return Manager(f"cargo {cargo.subcommand}", CARGO, writes=writes, anything=True)
    if cargo.subcommand == "install" and cargo.path is None:
        return Manager("cargo install", ("rust-toolchain", "rust-toolchain.toml"))
    return None


_READERS: Mapping[str, Callable[[Call], Manager | None]] = {
    "uv": _uv, "poetry": _poetry, "pipenv": _pipenv, "npm": _npm, "yarn": _yarn, "yarnpkg": _yarn, "pnpm": _pnpm,
    "bun": _bun, "corepack": _corepack, "go": _go, "bundle": _bundle, "bundler": _bundle, "composer": _composer,
    "dotnet": _dotnet, "cargo": _cargo,
}  # fmt: skip
PROGRAMS = tuple(name for name in (*_READERS, "pip") if not any(other in name for other in _READERS if other != name))
"""What a RUN names that calls one of them. (Who names cargo names go.)"""
