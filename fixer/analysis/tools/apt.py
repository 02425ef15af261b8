"""What one call of apt does to the package lists and the downloaded packages.

Sources: apt-get(8), apt(8), apt.conf(5) and aptitude(8) of Debian 12 (apt 2.6); NodeSource's scripts from
github.com/nodesource/distributions (deb/setup_0.10 of 2014 to scripts/deb/setup_24.x of 2025); Playwright's
`server/registry/dependencies.ts`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from enum import Enum
from itertools import pairwise
from re import Pattern
from typing import TYPE_CHECKING

from fixer.analysis.commands import Arg, Call, once_a_call
from fixer.analysis.values import Known, Value, join
from fixer.text.records import dataclass
from fixer.text.regex import regex
from fixer.tree.nodes import Instruction, Run
from fixer.tree.shell import OpaqueScript, Pipeline, Script, Simple, Word

if TYPE_CHECKING:
    from fixer.analysis.facts import Facts
    from fixer.analysis.unseen import Unseen

LISTS = "/var/lib/apt/lists"
CACHE = "/var/cache/apt"
DOCKER_CLEAN = "/etc/apt/apt.conf.d/docker-clean"
"""Put there by the makers of Debian's and Ubuntu's images; it deletes every package right after its installation."""

PROGRAMS = frozenset(("apt-get", "apt", "aptitude", "apt-fast", "nala"))

NAMES = ("apt", "nala", "rosdep", "tasksel", "mk-build-deps", "gdebi", "nodesource", "playwright")
"""What a RUN names that has to do with apt: one of these stands in every call that `read` knows, and in the paths of
apt's directories."""

_FROM_LISTS = frozenset(
    ("install", "upgrade", "dist-upgrade", "full-upgrade", "safe-upgrade", "build-dep", "download", "source", "satisfy",
     "reinstall")
)  # fmt: skip
_QUERIES = frozenset(("list", "search", "show", "policy", "showsrc", "depends", "rdepends", "changelog"))
_CLEANS = frozenset(("clean", "autoclean", "auto-clean", "distclean", "dist-clean"))
_TAKES = frozenset(
    ("-o", "--option", "-c", "--config-file", "-t", "--target-release", "--default-release", "-a",
     "--host-architecture", "-P", "--build-profiles", "--solver")
)  # fmt: skip
_RUNNERS = frozenset(
    ("echo", "printf", "which", "type", "hash", "test", "[", "[[", "grep", "egrep", "sed", "man", "dpkg", "dpkg-divert",
     "rm", "ln", "ls", "chmod", "touch", "tee", "cat")
)  # fmt: skip
"""Programs to which the word `apt-get` is only text, or a file."""


_INSTALLERS = {
    "rosdep": ("install",),
    "tasksel": ("install",),
    "mk-build-deps": ("-i", "--install", "-ir", "-ri"),
    "gdebi": (),
}
"""Programs that run apt to install, with no update of their own, and the word that makes them do it."""

_TEXT = regex(
    r"(?<![\w.-])(apt-get|aptitude)\Z|(?<![\w.-])(apt-get|apt|aptitude)\s+(-\S+\s+)*(install|up|dist-|build-|down)"
)
"""A word that is apt, or a text in which apt is run."""

_BUILD_SCRIPTS = frozenset(
    ("configure", "Configure", "config", "autogen.sh", "buildconf", "gradlew", "mvnw", "b2", "bjam")
)
"""Scripts of build tools, which leave the system's packages alone as `make` does."""

_ABOUT = regex(r"(?<![\w.-])apt(?:-get|itude)?(?![\w-])")
"""What a script holds that runs apt, or names one of its directories."""

_MANAGERS = frozenset(
    ("ansible", "ansible-playbook", "ansible-pull", "chef-client", "chef-solo", "chef-apply", "puppet", "salt-call",
     "ubuntu-drivers", "run-parts", "install_packages", "clean-install")
)  # fmt: skip
"""Programs that install what files elsewhere say, run scripts that no word names, or come with an image that has them
for it (install_packages of bitnami/minideb, clean-install of Kubernetes' debian-base)."""

_SHELLS = frozenset(("sh", "bash", "dash", "ash", "zsh"))
_GETTERS = frozenset(("curl", "wget"))

_FETCHING = regex(r"https?://deb\.nodesource\.com/setup")
"""Scripts from the net that run `apt-get update` before and after they add a package source, fail if it fails, and
leave apt's directories alone."""

_INSTALLING = regex(
    r"(?:https?://)?(?:"
    r"sh\.rustup\.rs(?![\w.-])|static\.rust-lang\.org/rustup/|astral\.sh/uv/|deno\.land/(?:x/)?install|pyenv\.run(?![\w.-])"
    r"|(?:www\.)?npmjs\.(?:com|org)/install\.sh(?![\w.-])|yarnpkg\.com/install\.sh(?![\w.-])|glide\.sh/get(?![\w.-])"
    r"|raw\.githubusercontent\.com/(?:(?:nvm-sh|creationix)/nvm|golang/dep|(?:helm|kubernetes)/helm"
    r"|(?:pyenv|yyuu)/pyenv-installer|cargo-bins/cargo-binstall|golangci/golangci-lint)/"
    r"|(?:repo\.anaconda\.com|repo\.continuum\.io)/|github\.com/conda-forge/miniforge/)"
)
"""Installers from the net that install one thing of their own, and leave the system's packages alone: rustup-init.sh of
rust-lang/rustup (0878429), install.sh of nvm-sh/nvm (b17550a), golang/dep (f13583b), denoland/deno_install (68b4bb2),
scripts/get-helm-3 of helm/helm (e9b85e4), bin/pyenv-installer (63a9e6a), install-from-binstall-release.sh (75b4bfa),
scripts/install.sh of npm/cli (31bed8b), install.sh of yarnpkg/website (00883dc) and golangci/golangci-lint (0157763),
get of Masterminds/glide.sh (046cb8f), uv's, which cargo-dist makes of its installer.sh.j2 (7bbefa3), and conda's, which
constructor makes of its header.sh (f57a3e7)."""


class Kind(Enum):
    """What a call does, as far as lists and downloaded packages go."""

    UPDATE = "update"
    """Fetches the lists."""
    BOTH = "both"
    """Fetches the lists, then reads them and downloads packages."""
    INSTALL = "install"
    """Reads the lists, downloads packages."""
    QUERY = "query"
    """Only reads the lists, or packages that were downloaded before."""
    CLEAN = "clean"
    """Deletes downloaded packages (`distclean` the lists too)."""
    LOCAL = "local"
    """Needs neither: remove, mark."""
    UNKNOWN = "unknown"
    """Runs apt in a way that is not understood."""


@dataclass(frozen=True, slots=True)
class Apt:
    """call: the call. kind: what it does. moved: the index of a word that moves apt's directories, or None."""

    call: Call
    kind: Kind
    moved: int | None = None


def read(call: Call) -> Apt | None:
    """What `call` does as apt; None if it has nothing to do with apt."""
    found = _found(call)
    return Apt(call, *found) if found is not None else None


_Found = tuple[Kind, "int | None"]


@once_a_call
def _found(call: Call) -> _Found | None:
    """The kind of the call, and the word that moves directories."""
    program = call.program
    if program == "apt-cache":
        return Kind.QUERY, None
    if program in PROGRAMS:
        return _read(call)
    if program in _INSTALLERS:
        wanted = _INSTALLERS[program]
        said = any(isinstance(w, Known) and w.value in wanted for w in call.words[1:])
        return (Kind.INSTALL, None) if said or not wanted else None
    if program in ("add-apt-repository", "apt-add-repository"):
        return None
    if program == "command" and call.argument(1) in ("-v", "-V"):
        return None
    if is_fetching_script(call):
        return Kind.UPDATE, None
    if _installs_for_browsers(call):
        return Kind.BOTH, None
    if program not in _RUNNERS and any(
        isinstance(w, Known) and "apt" in w.value and _TEXT.search(w.value) for w in call.words
    ):
        return Kind.UNKNOWN, None
    return None


def _installs_for_browsers(call: Call) -> bool:
    """`npx playwright install --with-deps`, `playwright install-deps`: `apt-get update` and `apt-get install`, if root
    runs it."""
    words = [word.value if isinstance(word, Known) else "" for word in call.words]
    names = [at for at, word in enumerate(words) if word.rpartition("/")[2].partition("@")[0] == "playwright"]
    if not names or call.program in _RUNNERS or not call.user.root:
        return False
    rest = words[names[0] + 1 :]
    return "--dry-run" not in rest and ("install-deps" in rest or ("install" in rest and "--with-deps" in rest))


def _read(call: Call) -> _Found:
    command: str | None = None
    moved: int | None = None
    flags: set[str] = set()
    at = 1
    while at < len(call.words):
        word = call.words[at]
        if not isinstance(word, Known):
            if command is None:
                prefix, _ = call.prefix(call.nodes[at])
                if not prefix.startswith("-"):
                    return Kind.UNKNOWN, None
        elif word.value in _TAKES:
            value = call.words[at + 1] if at + 1 < len(call.words) else None
            if _moves(word.value, value):
                moved = at
            at += 1
        elif word.value.startswith("-"):
            flags.add(word.value)
            if word.value.startswith(("-c", "--config-file=")) or _is_directory(_option(word.value)):
                moved = at
        elif command is None:
            command = word.value
        at += 1
    return _kind(command, flags), moved


def _moves(option: str, value: Value | None) -> bool:
    if option in ("-c", "--config-file"):
        return True
    return option in ("-o", "--option") and (not isinstance(value, Known) or _is_directory(value.value))


def _option(word: str) -> str:
    """What `-oX=y`, `-o=X=y` or `--option=X=y` sets; nothing for other options."""
    if word.startswith("--option="):
        return word.removeprefix("--option=")
    return word[2:].removeprefix("=") if word.startswith("-o") else ""


def _is_directory(setting: str) -> bool:
    return setting.lower().startswith("dir")


def _kind(command: str | None, flags: set[str]) -> Kind:
    if command is None:
        return Kind.LOCAL
    if command == "update":
        return Kind.UPDATE
    if command in _CLEANS:
        return Kind.CLEAN
    if command in _QUERIES:
        return Kind.QUERY
    if command not in _FROM_LISTS:
        return Kind.LOCAL
    if flags & {"--help", "-h"}:
        return Kind.LOCAL
    return Kind.QUERY if "--no-download" in flags else Kind.INSTALL


def reads(calls: Sequence[Call]) -> Iterator[Apt]:
    """The calls of apt among `calls`, in their order."""
    for call in calls:
        apt = read(call)
        if apt is not None:
            yield apt


def only_updates(calls: Sequence[Call]) -> bool:
    """Whether nothing but lists outlasts these calls: they fetch them, and clean up at most."""
    return all(
        call.program in ("true", ":") or ((apt := read(call)) is not None and apt.kind in (Kind.UPDATE, Kind.CLEAN))
        for call in calls
    )


def scripts(facts: Facts, run: Run) -> Iterator[Call]:
    """The calls among those of a RUN that run a script which the Dockerfile does not show: a shell that reads a file or
    its input, or a file by its path. (A shell's `-c` text is read as calls of its own.) Left out are scripts of build
    tools, and installers that leave the system's packages alone, whether the RUN itself gets them or an ADD has."""
    gotten: set[str] = set()
    calls = facts.calls(run)
    for at, call in enumerate(() if isinstance(calls, OpaqueScript) else calls):
        if call.program in _GETTERS:
            words = [_text(node) for node in (*call.nodes, *(each.target for each in call.redirects))]
            if any(map(_INSTALLING.match, words)):
                gotten.update(word.rpartition("/")[2] for word in words)
        elif (call.program in _SHELLS or _is_path(call)) and call.argument(1) != "--version":
            words = [_text(node) for node in call.nodes[call.program in _SHELLS :]]
            file = next((word for word in words if not word.startswith("-")), "")
            known = file.rpartition("/")[2] in gotten or _is_piped(call, _INSTALLING)
            if not known and not _INSTALLING.match(_added_from(facts, run, at) or ""):
                yield call


def may_be_about(unseen: Unseen, run: Run, call: Call) -> bool:
    """Whether a call of a RUN runs something that the Dockerfile does not show, and that may install packages or name
    apt's directories: code of the build context that says so, or that cannot be read."""
    if read(call) is not None:
        return False
    if call.program in _MANAGERS or (call.program == "find" and _finds_for_a_shell(call)):
        return True
    code = unseen.code(run, call)
    if code is None or code.text is None:
        return code is not None and code.name.rpartition("/")[2] not in _BUILD_SCRIPTS
    return _ABOUT.search(code.text) is not None


def is_about(unseen: Unseen, start: Instruction, call: Call) -> bool:
    """Whether what an image starts with runs a file of the build context that is seen to run apt."""
    return any(_ABOUT.search(text) is not None for text in unseen.texts(start, call))


def _finds_for_a_shell(call: Call) -> bool:
    """`find … -exec sh {} \\;`: scripts that no word names."""
    words = [word.value if isinstance(word, Known) else "" for word in call.words]
    return any(
        one in ("-exec", "-execdir") and next_one in _SHELLS and words[at + 2 : at + 3] != ["-c"]
        for at, (one, next_one) in enumerate(pairwise(words))
    )


def _added_from(facts: Facts, run: Run, at: int) -> str | None:
    """The address from which an ADD has fetched the script that a call of a RUN runs; None if none has."""
    calls = facts.calls(run)
    if isinstance(calls, OpaqueScript) or (name := script_of(calls[at])) is None:
        return None
    path = join(calls[at].cwd, Known(name))
    return facts.fetched.address(run, calls[:at], path.value) if isinstance(path, Known) else None


def _text(node: Arg) -> str:
    return node.text.strip("\"'") if isinstance(node, Word) else node.value


def _is_path(call: Call) -> bool:
    first = call.argument(0) or ""
    if first.rpartition("/")[2] in _BUILD_SCRIPTS:
        return False
    return first.endswith(".sh") or first.startswith(("./", "../"))


@once_a_call
def is_fetching_script(call: Call) -> bool:
    """Whether `call` is a shell that gets a well-known script from the net which fetches the lists:
    `curl … | bash -`, or `bash FILE` right behind `curl … -o FILE`."""
    return _is_piped(call, _FETCHING) or _is_gotten(call, _FETCHING)


_BACK = 20
"""How many commands before a script is run it is looked for the one that gets it."""


def _is_gotten(call: Call, address: Pattern[str]) -> bool:
    """Whether a shell runs a file that a command before it in the same list has got from one of these addresses, and
    that no other one names, but to make it a program."""
    name = script_of(call) if call.program in _SHELLS else None
    if name is None or call.script is None or call.simple is None:
        return False
    for pipeline in _before(call.script, call.simple.start):
        simple = pipeline.commands[0]
        if len(pipeline.commands) > 1 or not isinstance(simple, Simple) or not simple.words:
            return False
        words = [_text(each) for each in (*simple.words, *(redirect.target for redirect in simple.redirects))]
        program = simple.words[0].static
        if name in words and program != "chmod":
            return program in _GETTERS and any(map(address.match, words))
    return False


def _before(script: Script, start: int) -> Iterator[Pipeline]:
    """The last commands of a list that end before `start`, backwards."""
    left = _BACK
    last = bisect_right(script.items, start, key=lambda item: item.start)
    for item in reversed(script.items[max(last - _BACK, 0) : last]):
        end = bisect_right(item.pipelines, start - 1, key=lambda pipeline: pipeline.start)
        for pipeline in reversed(item.pipelines[max(end - left, 0) : end]):
            if pipeline.end <= start:
                yield pipeline
                left -= 1


def _is_piped(call: Call, address: Pattern[str]) -> bool:
    """Whether a shell reads what curl or wget gets from one of these addresses, and nothing else."""
    if call.program not in _SHELLS or call.pipeline is None or call.simple is None:
        return False
    first, *others = call.pipeline.commands
    if others != [call.simple] or not isinstance(first, Simple) or not first.words:
        return False
    return first.words[0].static in _GETTERS and any(address.match(_text(word)) for word in first.words[1:])


@once_a_call
def deletes_lists(call: Call) -> bool:
    """Whether `call` surely empties the directory of the lists: `rm -rf /var/lib/apt/lists/*` and its like."""
    if call.program in PROGRAMS:
        return call.argument(1) in ("distclean", "dist-clean")
    if call.program == "find":
        acts = any(call.argument(i) in ("-delete", "-exec") for i in range(2, len(call.words)))
        return acts and (call.argument(1) or "").rstrip("/") == LISTS
    return call.program == "rm" and any(_is_lists(call, node) for node in call.nodes[1:])


def _is_lists(call: Call, node: Arg) -> bool:
    text, whole = call.prefix(node)
    if whole:
        return text.rstrip("/") in (LISTS, "/var/lib/apt")
    return text in (LISTS + "/", "/var/lib/apt/") and isinstance(node, Word) and node.text.strip("\"'").endswith("*")


def script_of(call: Call) -> str | None:
    """The file that `call` runs as a script, as its words name it: `./install.sh`, `bash -e /tmp/setup`, or a program
    by its path; None if it names none, or none that is known."""
    first = call.argument(0)
    if call.program not in _SHELLS:
        return first if first is not None and "/" in first else None
    for word in call.words[1:]:
        if not isinstance(word, Known):
            return None
        if not word.value.startswith(("-", "+")):
            return word.value
        if word.value in ("-c", "-s") or word.value.startswith("--"):
            return None
    return None


def leaves_packages(calls: Sequence[Call]) -> Call | None:
    """The call that installs and leaves what it has downloaded behind, where nothing of the system cleans up; None if
    none does, or a later one cleans up."""
    found: Call | None = None
    for call in calls:
        apt = read(call)
        if apt is not None and apt.kind in (Kind.INSTALL, Kind.BOTH):
            found = found or call
        elif removes_packages(call):
            found = None
    return found


@once_a_call
def removes_packages(call: Call) -> bool:
    """Whether `call` empties the directory of downloaded packages: `apt-get clean`, `rm -rf /var/cache/apt/*`."""
    apt = read(call)
    if apt is not None:
        return apt.kind is Kind.CLEAN
    return call.program == "rm" and any(_is_packages(*call.prefix(node)) for node in call.nodes[1:])


def _is_packages(text: str, whole: bool) -> bool:
    """Whether a path that begins so is that of all downloaded packages, or one above; with a pattern at its end if it
    is not whole."""
    path = text.rstrip("/")
    return path in (CACHE, f"{CACHE}/archives", "/var/cache") or (not whole and text.startswith(f"{CACHE}/archives/"))
