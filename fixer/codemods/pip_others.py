"""Who else of a step, or of a file, has to do with the cache of pip: what `pip-cache` asks before it mounts one.

Sources: the manual pages of coreutils, findutils, tar, rsync, curl and wget.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from itertools import pairwise
from posixpath import basename, dirname

from fixer.analysis import PASSED, Call, Effect, Facts, Known, Stage, below, clean, join
from fixer.analysis.programs import only_files
from fixer.analysis.tools.pip import pip_of, said
from fixer.analysis.transfers import destination_text
from fixer.analysis.unseen import UnseenCode
from fixer.analysis.wrappers import SHELLS
from fixer.codemods import common
from fixer.codemods.common import Reach
from fixer.text.names import set_of
from fixer.text.regex import regex
from fixer.text.source import Span
from fixer.tree.nodes import Cmd, Entrypoint, Healthcheck, Instruction, JsonString, Run, Transfer, Workdir
from fixer.tree.shell import OpaqueScript, Word


def texts_of(call: Call) -> list[str]:
    """The words of a call as they are written."""
    return [node.value if isinstance(node, JsonString) else node.text for node in call.nodes]


def span_of(call: Call) -> Span:
    return Span(*call.span)


# --- programs that keep nothing in ~/.cache --------------------------------------------------------------------------

_TIDY = set_of(
    ": [ [[ addgroup adduser apk apt apt-cache apt-get apt-key apt-mark awk basename break cat cd chgrp chmod chown "
    "command cp curl cut date declare df dirname dnf dpkg du echo env exit export false find getent git gpg grep "
    "groupadd gunzip gzip head id install ldconfig ln local locale-gen ls microdnf mkdir mktemp mv nproc patch "
    "pipefail popd printf pushd pwd read readonly return rm rmdir rpm sed seq set sha256sum sha512sum shift sleep "
    "sort strip tail tar tee test touch tr trap true type umask uname uniq unset unzip update-alternatives "
    "update-ca-certificates useradd usermod wc wget which whoami xargs xz yum zypper cmp diff file jq md5sum nl "
    "openssl paste readlink realpath rev ssh-keygen ssh-keyscan stat yes"
)
_SOURCED = set_of("activate os-release env profile .profile .bashrc bash.bashrc .bash_profile nvm.sh conda.sh")
"""Files that are sourced for the variables and functions that they hold."""


def tidy(call: Call) -> bool:
    """Whether a call keeps nothing in ~/.cache but what its words name."""
    if not call.words or call.program in _TIDY or pip_of(call) is not None:
        return True
    program = call.program or ""
    if program in (".", "source"):
        return basename(call.argument(1) or texts_of(call)[-1].strip("\"'")) in _SOURCED
    if _PYTHON.match(program):
        module = call.argument(2) if call.argument(1) == "-m" else None
        script = basename(call.argument(1) or "")
        modules = ("venv", "ensurepip", "compileall", "virtualenv")
        return module in modules or script in ("--version", "-V", "get-pip.py")
    return program == "virtualenv" and "--version" in texts_of(call)


_PYTHON = regex(r"(?:python|pypy)[23]?(\.\d+)?\Z")


def writes_below(facts: Facts, call: Call, directory: str) -> Effect | None:
    """What a call writes at or below `directory` because its words or its redirections say so, or may say so; what
    pip keeps in its cache is no such thing."""
    cache = {each.at for each in said(call) if each.option == "--cache-dir"} if pip_of(call) is not None else set()
    own = {common.node_span(call.nodes[at]) for at in cache}
    for effect in facts.call_effects(call):
        if effect.mode != "write" or effect.implicit or effect.span in own:
            continue
        path = effect.path.value if isinstance(effect.path, Known) else effect.start and clean(effect.start)
        if path and below(path, directory):
            return effect
    return None


# --- clean-up that is not `rm` ---------------------------------------------------------------------------------------

_ACTIONS = ("-delete", "-exec", "-execdir", "-ok", "-okdir")


def find_removes(call: Call, places: Iterable[str], *, piped: bool = False) -> str | None:
    """Which of the directories a `find` that does something to what it finds, or that hands it on (`piped`), may hit:
    those at or below which it starts, unless all that it looks for has other names."""
    texts = texts_of(call)
    if not piped and not any(text in _ACTIONS for text in texts):
        return None
    starts = []
    for index in range(1, len(call.words)):
        if texts[index].startswith(("-", "(", "!", "\\(", "\\!")) and texts[index] not in ("-H", "-L", "-P"):
            break
        starts.append(index)
    behind = [texts[at].strip("\"'") for at in range(starts[-1] + 1 if starts else 1, len(texts))]
    patterns = [common.pattern_of(call, call.nodes[index]) for index in starts]
    if not starts:
        patterns = [(call.cwd.value, True) if isinstance(call.cwd, Known) else ("", False)]
    for target in places:
        near = any(common.reach(pattern, whole, target) is not Reach.NONE for pattern, whole in patterns)
        if near and not _has_other_names(behind, target.strip("/").split("/")):
            return target
    return None


def _has_other_names(expression: Sequence[str], parts: Sequence[str]) -> bool:
    """Whether a `find` surely leaves alone what is called like one of `parts`: each alternative asks for another name
    before it does anything. That holds however the alternatives are put in brackets, but not under a negation."""
    if any(text in ("!", "\\!", "-not", ",") for text in expression):
        return False
    excused = acted = False
    for text, after in pairwise([*expression, "-o"]):
        if text in ("-o", "-or"):
            if not excused:
                return False
            excused = acted = False
        elif text in _ACTIONS:
            acted = True
        elif text in ("-name", "-iname") and not acted:
            pattern = "*" if "$" in after or "`" in after else after.lower() if text == "-iname" else after
            names = [part.lower() if text == "-iname" else part for part in parts]
            excused = excused or not any(common.fits(name, pattern) for name in names)
    return excused


def xargs_removes(call: Call, calls: Sequence[Call], places: Iterable[str]) -> str | None:
    """Which of the directories an `rm` may hit that gets its words from a pipe: any, but for those that a `find` before
    it does not come to."""
    before = [each for each in calls if each.pipeline is call.pipeline and each.span[1] <= call.span[0]]
    if not before or before[0].program != "find" or not all(each.program in _FILTERS for each in before[1:]):
        return next(iter(places), None)
    wanted = [pattern for each in before[1:] if (pattern := _wanted(each)) is not None]
    return find_removes(before[0], [p for p in places if all(_finds(p, each) for each in wanted)], piped=True)


_FILTERS = set_of("grep egrep sort uniq head tail")
"""Programs that take lines out, and change none."""
_PLAIN = regex(r"[\w./|()$\\ -]+\Z")
_LONGEST, _GROUPS = 200, 2
"""Of an expression that is understood."""


def _wanted(call: Call) -> str | None:
    """The expression that lines must match to pass a `grep`, if it is one that surely means what it means here."""
    words = [word.value for word in call.words[1:] if isinstance(word, Known)]
    if call.program not in ("grep", "egrep") or not words or len(words) + 1 != len(call.words):
        return None
    *options, pattern = words
    extended = call.program == "egrep" or options == ["-E"]
    if options not in ([], ["-E"]) or _PLAIN.match(pattern) is None or re.search(r"\\[^.|/]", pattern):
        return None
    if len(pattern) > _LONGEST or pattern.count("(") > _GROUPS:  # `(|)(|)(|)…` is tried in all ways
        return None
    if not extended:
        pattern = re.escape(pattern).replace(re.escape("\\|"), "|").replace(re.escape("\\."), r"\.")
        return pattern.replace(re.escape("$"), "$").replace(re.escape("."), ".")
    try:
        re.compile(pattern)
    except re.error:
        return None
    return pattern


def _finds(target: str, pattern: str) -> bool:
    """Whether an expression matches the path of the cache, or of one above it, in whatever way it is written."""
    parts = target.strip("/").split("/")
    ends = ["/".join(parts[start:end]) for end in range(1, len(parts) + 1) for start in range(end)]
    return any(re.search(pattern, f"{head}{path}") for path in ends for head in ("./", "/", ""))


def trapped(call: Call, temporary: frozenset[str], places: Iterable[str]) -> bool:
    """Whether what `trap` runs at the end may remove one of the directories."""
    action = call.argument(1) if len(call.words) > 1 else ""
    text = texts_of(call)[1] if action is None else action or ""
    if re.search(r"\b(?:rm|rmdir|find|mv|rmtree|unlink)\b", text) is None:
        return False
    variables = set(re.findall(r"\$\{?(\w+)", text))
    if not variables <= temporary:
        return True
    words = [word.strip("\"';") for word in text.split()]
    names = {basename(path) for target in places for path in made_by_pip(target)}
    if any(word.startswith("~") or not names.isdisjoint(word.split("/")) for word in words):
        return True
    return any(
        common.reach(clean(word), True, target) is not Reach.NONE
        for target in places
        for word in words
        if word.startswith("/")
    )


def names_it(facts: Facts, call: Call, target: str) -> Span | None:
    """Where a program of which nobody knows what it does names the cache's directory, or one above it that is there for
    caches alone."""
    if call.program is None or only_files(call.program) or pip_of(call) is not None or call.program in _TIDY:
        return None
    short = "~/" + "/".join(target.split("/")[-2:-1])
    for effect in facts.call_effects(call):
        if not effect.implicit and isinstance(effect.path, Known) and _is_own(effect.path.value, target):
            return effect.span
    for node, part in facts.call_mentions(call):
        if _is_own(part, target):
            return common.node_span(node)
    for node in call.nodes:
        text = node.value if isinstance(node, JsonString) else node.text
        if short.endswith("cache") and re.search(re.escape(short) + r"(?:/pip)?(?![\w./-])", text):
            return common.node_span(node)
    return None


_OWN_VARIABLES = (
    "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_SRC", "PIP_WHEEL_DIR", "PIP_DEST", "PIP_LOG", "PYTHONUSERBASE",
    "VIRTUAL_ENV",
)  # fmt: skip


def puts_by_variable(facts: Facts, call: Call, target: str) -> str | None:
    """The variable that tells pip to put what it installs, or builds, into the cache's directory."""
    for name in _OWN_VARIABLES:
        value = join(call.cwd, value) if facts.mentions(name) and (value := call.lookup(name)) is not None else None
        if isinstance(value, Known) and below(value.value, target):
            return name
    return None


def copies_by_pattern(facts: Facts, call: Call, target: str) -> Span | None:
    """Where a program that copies names the cache, or a directory above it, by a pattern (`cp -r ~/.[a-z]* /x`)."""
    for effect in facts.call_effects(call) if call.program in COPIERS else ():
        if effect.mode == "read" and not isinstance(effect.path, Known) and isinstance(effect.site, Word):
            pattern, whole = common.pattern_of(call, effect.site)
            if whole and common.reach(pattern, True, target) in (Reach.OWN, Reach.WIDE):
                return effect.span
    return None


def _is_own(path: str, target: str) -> bool:
    return below(path, target) or (below(target, path) and not there(path, target))


COPIERS = set_of("cp rsync scp tar bsdtar zip mv cpio 7z install")
"""Programs that take the content of the directories that they read somewhere else."""


def names_cache(text: str, target: str, *, script: bool) -> bool:
    """Whether a script, or the file of a tool that runs commands, names the cache's directory or the one above it."""
    places = [re.escape(dirname(target))]
    if basename(dirname(target)) == ".cache":
        places.append(r"(?:~|HOME[})\"']?)/\.cache")
        if script:
            places.append(r"(?<![\w.-])\.cache")
    inside = rf"/(?:\*|{re.escape(basename(target))}(?![\w.-]))"
    return re.search(rf"(?:{'|'.join(places)})(?:{inside}|/?(?![\w/.*-]))", text) is not None


# --- directories that pip alone makes --------------------------------------------------------------------------------


def there(path: str, target: str) -> bool:
    """Whether a directory above the cache is there although pip did not make it: a home, or what all images have."""
    if path in common.STANDARD:
        return True
    home = dirname(dirname(target)) if basename(dirname(target)) == ".cache" else None
    return home is not None and below(home, path)


def made_by_pip(target: str) -> list[str]:
    """The directories that are there because of pip alone, the cache's own first."""
    found = []
    path = target
    while path not in ("", "/"):
        if not there(path, target):
            found.append(path)
        path = dirname(path)
    return found


def makes_home(facts: Facts, call: Call, target: str) -> Span | None:
    """Where a call makes the home that the cache is in, or a directory above it: what is made only for the mount is
    taken away with it if nothing else has come into it."""
    if call.program not in ("mkdir", "install") or not _makes_parents(call):
        return None
    for effect in facts.call_effects(call):
        path = effect.path.value if effect.mode == "write" and isinstance(effect.path, Known) else ""
        if path and path not in common.STANDARD and below(target, path) and there(path, target):
            return effect.span
    return None


_INTO = set_of("cp mv ln install tar bsdtar rsync scp unzip")
"""Programs that need the directory which they are told to write to, or the one above it."""
_BESIDE = set_of("touch tee mkdir curl wget truncate")
"""Programs that need the directory of the file, or directory, which they make."""
_CODE = regex(r"\bopen\b|\bwrite")
_MAKING = regex(r"mkdir|makedirs")


def needs_made(facts: Facts, stage: Stage, run: Run, target: str, caches: Callable[[Call], bool]) -> Span | None:
    """Where somebody, after `run`, writes into a directory that only pip had made in it, and that nobody else surely
    makes. caches: whether a call fills pip's cache, for which the directory is there during its step.

    Asks for the names of the directories only, so that most RUNs need not be read.
    """
    directories = made_by_pip(target)
    if not directories:
        return None
    look = _Look(facts, directories, caches)
    stages = [stage]
    for each in stages:
        stages.extend(each.derived)
        facts.charge(1 + len(each.instructions) // PASSED)
        first = facts.index_of(run) + 1 if each is stage else 0
        for instruction in each.instructions[first:]:
            found = look.at(instruction, ends=True)
            if found is not None:
                before = _Look(facts, directories, caches)
                for below_ in stage.lineage:
                    for earlier in below_.instructions:
                        if earlier is run:
                            break
                        before.at(earlier, ends=False)
                return None if any(below(made, found[0]) for made in before.made) else found[1]
    return None


class _Look:
    """Goes through instructions for who makes the directories, and who needs them made."""

    def __init__(self, facts: Facts, directories: Sequence[str], caches: Callable[[Call], bool]) -> None:
        self.facts = facts
        self.directories = directories
        self.caches = caches
        self.names = tuple(basename(path) for path in directories)
        self.made: list[str] = []

    def at(self, instruction: Instruction, *, ends: bool) -> tuple[str, Span] | None:
        """What an instruction needs made, and where it says so; only who makes something, without `ends`."""
        if isinstance(instruction, Transfer | Workdir):
            for effect in self.facts.effects(instruction):
                if effect.mode == "write" and isinstance(effect.path, Known):
                    whole = isinstance(instruction, Workdir) or destination_text(instruction).endswith("/")
                    self._makes(effect.path.value if whole else dirname(effect.path.value))
            return None
        if isinstance(instruction, Run):
            if not self.facts.may_name(instruction, self.names):
                return None
        else:
            if not isinstance(instruction, Cmd | Entrypoint | Healthcheck):
                return None
            if not any(name in self.facts.file.source_of(instruction) for name in self.names):
                return None
        calls = self.facts.calls(instruction)
        mounts = self.facts.mounts(instruction)
        mounted = [mount.target.value for mount in mounts if isinstance(mount.target, Known)]
        for call in () if isinstance(calls, OpaqueScript) else calls:
            if self.caches(call):
                return None
            for made in self._made(call):
                self._makes(made)
            for need, span in self._needs(call) if ends else ():
                if not any(below(made, need) for made in (*self.made, *mounted)):
                    return need, span
        return None

    def _makes(self, path: str) -> None:
        if below(path, self.directories[-1]):
            self.made.append(path)

    def _made(self, call: Call) -> Iterator[str]:
        parents = _makes_parents(call)
        if call.conditional or not (parents or (call.program == "git" and Known("clone") in call.words)):
            return
        for effect in self.facts.call_effects(call):
            if effect.mode == "write" and isinstance(effect.path, Known) and not effect.implicit:
                yield effect.path.value if call.program in ("mkdir", "git") else dirname(effect.path.value)

    def _needs(self, call: Call) -> Iterator[tuple[str, Span]]:
        redirected = {(each.target.start, each.target.end) for each in call.redirects}
        making = _makes_parents(call)
        for effect in self.facts.call_effects(call):
            path = effect.path.value if isinstance(effect.path, Known) else effect.start and clean(effect.start)
            if effect.mode != "write" or effect.implicit or not path or not below(path, self.directories[-1]):
                continue
            if not isinstance(effect.path, Known):
                path = f"{path}/?" if effect.start.endswith("/") else path
            redirect = (effect.span.start, effect.span.end) in redirected
            if not redirect and (making or (call.program == "wget" and effect.extent != "exact")):
                continue
            if call.program in _INTO and not redirect:
                need = path if path in self.directories else dirname(path)
            elif call.program in _BESIDE or redirect:
                need = dirname(path)
            else:
                continue
            if below(need, self.directories[-1]):
                yield need, effect.span
        if call.program is not None and not only_files(call.program):
            for node, part in self.facts.call_mentions(call):
                text = node.value if isinstance(node, JsonString) else node.text
                if dirname(part) in self.directories and _CODE.search(text) and not _MAKING.search(text):
                    yield dirname(part), common.node_span(node)


def _makes_parents(call: Call) -> bool:
    if call.program == "mkdir":
        return common.is_option(call, "p", "parents")
    if call.program == "install":
        return common.is_option(call, "dD", "directory")
    return call.program == "curl" and "--create-dirs" in texts_of(call)


# --- who starts pip himself ------------------------------------------------------------------------------------------

_RUNNERS = set_of(
    "conda mamba micromamba nox pip-compile pip-sync pipenv pipx tox spacy pre-commit hatch flit maturin "
    "pyproject-build cibuildwheel ansible-playbook make gmake ninja just task invoke inv fab doit scons"
)
"""Programs that run pip in a process of their own, or whatever their files say."""
_MODULES = set_of(
    "venv virtualenv compileall ensurepip py_compile site sysconfig json.tool zipfile tarfile http.server unittest "
    "pytest nltk.downloader nltk playwright django flask uv poetry pdm textblob.download_corpora ipykernel "
    "grpc_tools.protoc black flake8 mypy ruff pylint coverage gunicorn uvicorn celery rfbrowser camoufox patchright "
    "whitenoise babel bandit alembic"
)


def starts_pip(call: Call, unseen: Container[int], code: Callable[[Call], UnseenCode | None]) -> bool:
    """Whether a call may run pip in a process of its own: a script of which nobody knows what it does, and programs
    that build what their files say. unseen: the ids of calls that run such scripts, as far as shells do. code: what a
    call runs of the build context."""
    if not call.words or pip_of(call) is not None:
        return False
    name = call.program
    if name is None:
        return "pip" in texts_of(call)[0].lower()
    if name in _RUNNERS:
        return True
    first = call.argument(0) or ""
    if (name in SHELLS or first.endswith(".sh") or first.startswith(("./", "../"))) and id(call) not in unseen:
        return False
    if name in SHELLS:
        return _script_does(call, code)
    if _PYTHON.match(name):
        return _python_does(call, code)
    if name in (".", "source"):
        return not tidy(call) and _script_does(call, code)
    is_script = first.endswith((".sh", ".py")) or first.startswith(("./", "../"))
    if is_script or ("/" in first and not _OWN_PLACES.match(first)):
        return _script_does(call, code)
    found = code(call)
    if found is None:
        return False
    return found.text is None or (_CALLS_PIP if name in PROJECTS else _NAMES_PIP).search(found.text) is not None


PROJECTS = set_of("npm yarn pnpm bun rake make gmake just")
"""Programs whose files hold much else than what is run of them."""
_OWN_PLACES = regex(r"(?:.*/)?s?bin/[^/]+\Z")


def _known(call: Call) -> list[str]:
    return [word.value if isinstance(word, Known) else "?" for word in call.words[1:]]


def _python_does(call: Call, code: Callable[[Call], UnseenCode | None]) -> bool:
    words = _known(call)
    at = 0
    while at < len(words) and words[at].startswith("-") and words[at] not in ("-", "-c", "-m"):
        if words[at] in ("--version", "-V", "--help", "-h"):
            return False
        at += 2 if words[at] in ("-W", "-X") else 1
    what = words[at] if at < len(words) else "-"
    rest = words[at + 1] if at + 1 < len(words) else "?"
    if what == "-c":
        return _RUNS.search(rest) is not None or rest == "?"
    if what == "-m":
        return rest.partition(".")[0] not in _MODULES and rest not in _MODULES
    if basename(what) == "manage.py":
        return False
    return _script_does(call, code)


_RUNS = regex(r"\bpip|subprocess|os\.system|\bpopen")
_NAMES_PIP = regex(r"pip|spacy|subprocess|os\.system|setup\(")
_CALLS_PIP = regex(r"\bpip[23]?\b")


def _script_does(call: Call, code: Callable[[Call], UnseenCode | None]) -> bool:
    found = code(call)
    return found is None or found.text is None or _NAMES_PIP.search(found.text) is not None
