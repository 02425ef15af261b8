"""What one call of apt does to the package lists and the downloaded packages.

Sources: apt-get(8), apt(8), apt-mark(8), apt.conf(5) and aptitude(8) of Debian 12 (apt 2.6), and its
apt-pkg/contrib/cmndline.cc (clusters of short options) and apt-private/private-cmndline.cc (which take a value);
mk-build-deps(1) of devscripts 2.23; NodeSource's scripts from
github.com/nodesource/distributions (deb/setup_0.10 of 2014 to scripts/deb/setup_24.x of 2025); Playwright's
`server/registry/dependencies.ts`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from enum import Enum
from itertools import pairwise
from re import Pattern
from typing import TYPE_CHECKING, NamedTuple

from fixer.analysis.commands import Arg, Call, once_a_call
from fixer.analysis.values import Known, join
from fixer.analysis.wrappers import SHELLS
from fixer.text.records import dataclass
from fixer.text.regex import regex
from fixer.tree.nodes import Instruction, Run
from fixer.tree.shell import AndOr, Group, Literal, OpaqueScript, Parameter, Pipeline, Script, Simple, Subshell, Word

if TYPE_CHECKING:
    from fixer.analysis.facts import Facts
    from fixer.analysis.unseen import Unseen

LISTS = "/var/lib/apt/lists"
CACHE = "/var/cache/apt"
DOCKER_CLEAN = "/etc/apt/apt.conf.d/docker-clean"
"""Put there by the makers of Debian's and Ubuntu's images; it deletes every package right after its installation."""

PROGRAMS = frozenset(("apt-get", "apt", "aptitude", "apt-fast", "nala"))

NAMES = ("apt", "nala", "rosdep", "tasksel", "mk-build-deps", "gdebi", "unattended", "nodesource", "playwright")
"""What a RUN names that has to do with apt: one of these stands in every call that `read` knows, and in the paths of
apt's directories."""

_FROM_LISTS = frozenset(
    ("install", "upgrade", "dist-upgrade", "full-upgrade", "safe-upgrade", "build-dep", "download", "source", "satisfy",
     "reinstall", "dselect-upgrade")
)  # fmt: skip
_QUERIES = frozenset(
    ("list", "search", "show", "policy", "showsrc", "depends", "rdepends", "changelog", "indextargets")
)  # fmt: skip
_REMOVALS = frozenset(("remove", "purge", "autoremove", "auto-remove", "autopurge"))
_MARKS = frozenset(("hold", "unhold", "auto", "markauto", "manual", "unmarkauto", "install", "remove", "purge"))
"""Commands that must know the packages which they name (of apt-mark, or aptitude, or old versions of apt-get)."""
_CLEANS = frozenset(("clean", "autoclean", "auto-clean", "distclean", "dist-clean"))
_TAKES = frozenset(
    ("-o", "--option", "-c", "--config-file", "-t", "--target-release", "--default-release", "-a",
     "--host-architecture", "-P", "--build-profiles", "--solver", "--planner", "--error-mode", "--with-source")
)  # fmt: skip
_RUNNERS = frozenset(
    ("echo", "printf", "which", "type", "hash", "test", "[", "[[", "grep", "egrep", "sed", "man", "dpkg", "dpkg-divert",
     "rm", "ln", "ls", "chmod", "touch", "tee", "cat")
)  # fmt: skip
"""Programs to which the word `apt-get` is only text, or a file."""


_INSTALLERS = {
    "rosdep": ("install",),
    "tasksel": ("install",),
    "mk-build-deps": ("-i", "--install"),
    "gdebi": (),
    "unattended-upgrade": (),
    "unattended-upgrades": (),
}
"""Programs that run apt to install, with no update of their own, and the word that makes them do it."""
_TAKES_OF = {"mk-build-deps": frozenset(("-t", "--tool", "-a", "--arch", "-P", "--build-profiles", "-s", "--root-cmd"))}
"""Their options that take a value."""

_READERS = frozenset(("apt-cache", "apt-rdepends", "apt-check", "grep-aptavail"))
"""Other programs that read the lists."""

_NAMED_LAST = regex(r"(?<![\w.-])(?:apt-get|apt|aptitude)\Z")
_COMMANDS = ("install", "up", "dist-", "build-", "down")
"""What commands of apt that fetch something begin with."""

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
    URIS = "uris"
    """Prints what an install would download: what is there already is left out."""
    NAMES = "names"
    """Removes or marks packages, and fails for one that is neither installed nor in the lists."""
    CLEAN = "clean"
    """Deletes downloaded packages (`distclean` the lists too)."""
    LOCAL = "local"
    """Needs neither."""
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


def kind_of(call: Call) -> Kind | None:
    """The kind alone."""
    found = _found(call)
    return found[0] if found is not None else None


_Found = tuple[Kind, "int | None"]


@once_a_call
def _found(call: Call) -> _Found | None:
    """The kind of the call, and the word that moves directories."""
    program = call.program
    if program in _READERS or (program == "apt-file" and call.argument(1) != "update"):
        return Kind.QUERY, None
    if program == "apt-mark":
        words = [call.argument(index) for index in range(1, len(call.words))]
        named = [word for word in words if word is None or not word.startswith("-")]
        return (Kind.NAMES if named and (named[0] is None or named[0] in _MARKS) else Kind.LOCAL), None
    if program in PROGRAMS:
        return _read(call)
    if program in _INSTALLERS:
        wanted = _INSTALLERS[program]
        said = any(
            (option or value) in wanted for option, value, _ in _arguments(call, _TAKES_OF.get(program, frozenset()))
        )
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
        isinstance(w, Known) and "apt" in w.value and _holds_apt(w.value) for w in call.words
    ):
        return Kind.UNKNOWN, None
    return None


def _holds_apt(text: str) -> bool:
    """Whether a word is apt, or a text in which apt is run."""
    named = behind = False
    for word in text.split():
        if behind and word.startswith(_COMMANDS):
            return True
        named = "apt" in word and _NAMED_LAST.search(word) is not None
        behind = named or (behind and len(word) > 1 and word.startswith("-"))  # apt's options
    return named and text.endswith(("apt-get", "aptitude"))


def _installs_for_browsers(call: Call) -> bool:
    """`npx playwright install --with-deps`, `playwright install-deps`: `apt-get update` and `apt-get install`, if root
    runs it."""
    if not call.file_names("playwright"):
        return False
    words = [word.value if isinstance(word, Known) else "" for word in call.words]
    names = [at for at, word in enumerate(words) if word.rpartition("/")[2].partition("@")[0] == "playwright"]
    if not names or call.program in _RUNNERS or not call.user.root:
        return False
    rest = words[names[0] + 1 :]
    return "--dry-run" not in rest and ("install-deps" in rest or ("install" in rest and "--with-deps" in rest))


_Argument = tuple[str, "str | None", int]
"""An option (nothing for an operand), its value or the operand's (None if not known), and the index of its word."""


def _arguments(call: Call, takes: frozenset[str]) -> Iterator[_Argument]:
    """The options and operands of a call; `takes` are the options that take a value, which may stand in the next
    word. Short ones may stand in one word, of which the first that takes a value takes the rest."""
    at = 0
    while (at := at + 1) < len(call.words):
        index, word = at, call.words[at]
        text = word.value if isinstance(word, Known) else call.prefix(call.nodes[at])[0]
        if text == "-" or not text.startswith("-"):
            yield "", text if isinstance(word, Known) else None, index
            continue
        options, value = _split(text, takes)
        if not isinstance(word, Known):
            value = value or None
        elif value is None and options[-1] in takes and at + 1 < len(call.words):
            at += 1
            following = call.words[at]
            value = following.value if isinstance(following, Known) else None
        else:
            value = value or ""
        for option in options[:-1]:
            yield option, "", index
        yield options[-1], value, index


def _split(word: str, takes: frozenset[str]) -> tuple[list[str], str | None]:
    """A long option, or short ones up to the first that takes a value; and that value, None if the word has none."""
    if word.startswith("--"):
        option, equals, value = word.partition("=")
        return [option], value if equals else None
    options: list[str] = []
    for at, letter in enumerate(word[1:], 1):
        if letter == "=" or (options and options[-1] in takes):
            return options or ["-"], word[at:].removeprefix("=")
        options.append(f"-{letter}")
    return options, None


def _read(call: Call) -> _Found:
    command: str | None = None
    moved: int | None = None
    flags: set[str] = set()
    named = False
    for option, value, index in _arguments(call, _TAKES):
        if option in ("-c", "--config-file") or (
            option in ("-o", "--option") and (value is None or value.lower().startswith("dir"))
        ):
            moved = index
        if option:
            flags.add(option)
        elif command is not None:
            named = True
        elif value is None:
            return Kind.UNKNOWN, None
        else:
            command = value
    return _kind(command, flags, named=named), moved


def _kind(command: str | None, flags: set[str], *, named: bool) -> Kind:
    if command is None:
        return Kind.LOCAL
    if command == "update":
        return Kind.LOCAL if "--print-uris" in flags else Kind.UPDATE
    if command in _CLEANS:
        return Kind.CLEAN
    if command in _QUERIES:
        return Kind.QUERY
    if command in _REMOVALS or command in _MARKS - _FROM_LISTS:
        return Kind.NAMES if named else Kind.LOCAL
    if command not in _FROM_LISTS or flags & {"--help", "-h"}:
        return Kind.LOCAL
    if "--print-uris" in flags:
        return Kind.QUERY if command == "source" else Kind.URIS
    return Kind.QUERY if "--no-download" in flags else Kind.INSTALL


def reads(calls: Sequence[Call]) -> Iterator[Apt]:
    """The calls of apt among `calls`, in their order."""
    for call in calls:
        apt = read(call)
        if apt is not None:
            yield apt


def packages(call: Call) -> Iterator[str | None]:
    """The words behind a command of apt, which name packages; None for one that is not known."""
    operands = [(value, index) for option, value, index in _arguments(call, _TAKES) if not option]
    for value, index in operands[1:]:
        known = (value,) if value is not None else call.fields(call.nodes[index])
        yield from (None,) if known is None else known


def comes_before(update: Call, call: Call, script: Script | None) -> bool:
    """Whether the update has surely run when `call`, of the same script, runs. One that is tried again in a loop is
    taken to have."""
    if not update.conditional or update.loop:
        return True
    found = _spots(update.script, update, call) if update.script is not None else None
    found = found or (_innermost(script, update, call) if script is not None else None)
    if found is None or not _runs_first(found[0].pipeline, update):
        return False
    (item, first), (other, last) = found
    if first == 0:
        return item is not other or last > 0
    return item is other and all(operator.text == "&&" for operator in item.operators[first - 1 : last])


def one_comes_before(facts: Facts, updates: Sequence[Call], call: Call, script: Script | None) -> bool:
    """Whether one of the updates has surely run when `call` runs."""
    for update in updates:
        facts.charge(1)
        if comes_before(update, call, script):
            return True
    return False


def holds(script: Script | None, call: Call) -> bool:
    """Whether a call stands in a script."""
    return script is not None and script.start <= call.span[0] < script.end


class _Spot(NamedTuple):
    """The part of a list that holds a call."""

    item: AndOr
    at: int

    @property
    def pipeline(self) -> Pipeline:
        return self.item.pipelines[self.at]


def _spots(script: Script, a: Call, b: Call) -> tuple[_Spot, _Spot] | None:
    first, second = _spot(script, a), _spot(script, b)
    return (first, second) if first is not None and second is not None else None


def _innermost(script: Script, a: Call, b: Call) -> tuple[_Spot, _Spot] | None:
    """The spots of two calls in the innermost list of a script that holds both."""
    found: tuple[_Spot, _Spot] | None = None
    inside: Script | None = script
    while inside is not None and (spots := _spots(inside, a, b)) is not None:
        found, inside = spots, None
        if spots[0] == spots[1]:
            below = (each for each in spots[0].pipeline.walk() if isinstance(each, Script))
            inside = next((each for each in below if holds(each, a) and holds(each, b)), None)
    return found


def _spot(script: Script, call: Call) -> _Spot | None:
    start = call.span[0]
    item = script.items[bisect_right(script.items, start, key=lambda each: each.start) - 1] if script.items else None
    if item is None or not item.start <= start < item.end:
        return None
    return _Spot(item, bisect_right(item.pipelines, start, key=lambda each: each.start) - 1)


def _runs_first(pipeline: Pipeline, call: Call) -> bool:
    """Whether `call` runs wherever the pipeline runs: it is that, or stands in its braces before anything that may keep
    it from running."""
    while pipeline is not call.pipeline:
        group = pipeline.commands[0]
        spot = _spot(group.body, call) if isinstance(group, Subshell | Group) else None
        if spot is None or spot.at > 0 or len(pipeline.commands) > 1:
            return False
        pipeline = spot.pipeline
    return True


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
        elif (call.program in SHELLS or _is_path(call)) and call.argument(1) != "--version":
            words = [_text(node) for node in call.nodes[call.program in SHELLS :]]
            file = next((word for word in words if not word.startswith("-")), "")
            known = file.rpartition("/")[2] in gotten or _is_piped(call, _INSTALLING)
            if not known and not _INSTALLING.match(_added_from(facts, run, at) or ""):
                yield call


def may_be_about(unseen: Unseen, run: Run, call: Call) -> bool:
    """Whether a call of a RUN runs something that may install packages or name apt's directories: code of the build
    context that says so, or that cannot be read, or a program that the Dockerfile itself writes."""
    if kind_of(call) is not None:
        return False
    if call.program in _MANAGERS or (call.program == "find" and _finds_for_a_shell(call)):
        return True
    if any(_ABOUT.search(text) is not None for text in unseen.written(call, "apt")):
        return True
    code = unseen.code(run, call)
    if code is None or code.text is None:
        return code is not None and code.name.rpartition("/")[2] not in _BUILD_SCRIPTS
    return _ABOUT.search(code.text) is not None


def runs_a_variable(call: Call) -> bool:
    """Whether a call runs what a variable holds (`$CLEAN`, `eval "$CLEAN"`), and nobody knows that, or it may be about
    apt, or a directory above apt's."""
    if call.program == "eval":
        return any(_may_hold_apt(call, node) for node in call.nodes[1:])
    return bool(call.words) and call.program is None and _may_hold_apt(call, call.nodes[0])


def _may_hold_apt(call: Call, node: Arg) -> bool:
    """Whether a word that the shell runs may be about apt. A program by its path is none (`$JAVA_HOME/bin/java`), and
    the words of a function are those of its calls (`"$@"`)."""
    fields = call.fields(node)
    if fields is not None:
        return any("/var" in field or _ABOUT.search(field) is not None for field in fields)
    parts = node.parts if isinstance(node, Word) else ()
    names = [part.name for part in parts if isinstance(part, Parameter)]
    if call.function is not None:
        names = [name for name in names if name not in ("@", "*") and not name.isdigit()]
    last = parts[-1] if parts else None
    return bool(names) and not (isinstance(last, Literal) and "/" in last.value and not last.value.endswith(".sh"))


def is_about(unseen: Unseen, start: Instruction, call: Call) -> bool:
    """Whether what an image starts with runs a file of the build context that is seen to run apt."""
    return any(_ABOUT.search(text) is not None for text in unseen.texts(start, call))


def _finds_for_a_shell(call: Call) -> bool:
    """`find … -exec sh {} \\;`: scripts that no word names."""
    words = [word.value if isinstance(word, Known) else "" for word in call.words]
    return any(
        one in ("-exec", "-execdir") and next_one in SHELLS and words[at + 2 : at + 3] != ["-c"]
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
    name = script_of(call) if call.program in SHELLS else None
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
    if call.program not in SHELLS or call.pipeline is None or call.simple is None:
        return False
    first, *others = call.pipeline.commands
    if others != [call.simple] or not isinstance(first, Simple) or not first.words:
        return False
    return first.words[0].static in _GETTERS and any(address.match(_text(word)) for word in first.words[1:])


_SELECTS = frozenset(("-name", "-iname", "-path", "-regex", "-newer", "-mtime", "-mmin", "-size"))
"""With one of these `find` takes only some files."""


@once_a_call
def deletes_lists(call: Call) -> bool:
    """Whether `call` surely empties the directory of the lists: `rm -rf /var/lib/apt/lists/*` and its like."""
    if call.program in PROGRAMS:
        return call.argument(1) in ("distclean", "dist-clean")
    if call.program == "find":
        words = [call.argument(index) for index in range(1, len(call.words))]
        wanted = any(word in _SELECTS and before not in ("!", "-not") for before, word in pairwise(words))
        return "-delete" in words and not wanted and (words[0] or "").rstrip("/") == LISTS
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
    if call.program not in SHELLS:
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
