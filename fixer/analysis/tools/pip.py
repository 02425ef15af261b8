"""What one call of pip does: from its words to its subcommand, its cache and where it takes packages from.

Sources: pip's documentation (pip 24: "Caching", "Configuration", "Requirements File Format", command reference), its
option parser, which takes options before and after the subcommand and lets long options be cut short where that is not
ambiguous, and its rules for keeping wheels (`wheel_builder.py`, `cache.py` and `req/req_file.py` of pip 23.2).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from posixpath import basename, splitext
from string import ascii_letters, digits
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from fixer.analysis.commands import Call, once_a_call
from fixer.analysis.values import Known, Lookup, Unknown, Value, join
from fixer.text.records import dataclass
from fixer.text.regex import regex
from fixer.tree.nodes import JsonString


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


NEEDS_CACHE = frozenset(("install", "download", "wheel"))
"""Subcommands that download packages, or build wheels, and keep both in the cache."""

_PIP = regex(r"(?:.*/)?pip(?:[23](?:\.\d+)?)?\Z")
_PYTHON = regex(r"(?:.*/)?(?:python|pypy)(?:[23](?:\.\d+)?)?\Z")
_PYTHON_TAKES = frozenset(("-W", "-X", "--check-hash-based-pycs"))
_PYTHON_FLAGS = regex(r"-[bBdEhiIOPqRsStuvx?]*\Z")
"""Letters of python that may stand before `m` in one word (python(1))."""
_RUNNERS: Mapping[tuple[str, ...], frozenset[str]] = {
    ("conda", "run"): frozenset(("-n", "--name", "-p", "--prefix", "--cwd")),
    ("mamba", "run"): frozenset(("-n", "--name", "-p", "--prefix", "--cwd")),
    ("micromamba", "run"): frozenset(("-n", "--name", "-p", "--prefix", "--cwd", "-r", "--root-prefix", "-a", "-e")),
    ("poetry", "run"): frozenset(),
    ("pipenv", "run"): frozenset(),
    ("pyenv", "exec"): frozenset(),
}
"""Programs that run another in an environment of theirs; pip's cache stays the user's."""
_RUNNING = frozenset(words[0] for words in _RUNNERS)

_TAKES = _set(
    "-r --requirement --requirements-from-script -c --constraint --build-constraint -e --editable -t --target "
    "--platform --python-version --implementation --abi --root --prefix -b --build --build-option "
    "--global-option --config-settings -C --install-option --no-binary --only-binary --progress-bar "
    "--root-user-action --report --group --src -i --index-url --pypi-url --extra-index-url -f --find-links "
    "--hash --upgrade-strategy --use-feature --use-deprecated --python --log --log-file --local-log --proxy "
    "--retries --timeout --default-timeout --exists-action --trusted-host --cert --client-cert --cache-dir "
    "--keyring-provider -d --dest --destination-dir -w --wheel-dir --resume-retries --uploaded-prior-to"
)
_FIND_LINKS = ("-f", "--find-links")
_FILES = ("-r", "--requirement", "-c", "--constraint")
_NO_CACHE = "--no-cache-dir"
_SHORTEST = len("--no-ca")
"""`--no-c` could be `--no-clean`, `--no-color` or `--no-compile`."""


@dataclass(frozen=True, slots=True)
class Pip:
    """One call of pip.

    subcommand: "install", "cache" …; "" if there is none or it is not known.
    no_cache: the indexes in the call's words of the options that switch the cache off.
    cache_dir: the word of `--cache-dir`, or None.
    no_index: `--no-index`: nothing is downloaded.
    only_wheels: `--only-binary :all:`: nothing is built.
    find_links: the words of `--find-links`.
    requirements: the files that `-r` and `-c` name.
    operands: what stands behind the subcommand and is no option: requirements, or "purge".
    operands_at: the indexes of these in the call's words.
    unsure: why some options of the call are not known, or None.
    """

    subcommand: str
    no_cache: tuple[int, ...]
    cache_dir: Value | None
    no_index: bool
    only_wheels: bool
    find_links: tuple[Value, ...]
    requirements: tuple[Value, ...]
    operands: tuple[Value, ...]
    operands_at: tuple[int, ...]
    unsure: Unknown | None

    @property
    def needs_cache(self) -> bool:
        """It downloads or builds, and a cache would spare that."""
        return self.subcommand in NEEDS_CACHE and not self.no_index

    @property
    def purges(self) -> bool:
        """`pip cache purge`, `pip cache remove …`"""
        first = self.operands[0] if self.operands else None
        return self.subcommand == "cache" and isinstance(first, Known) and first.value in ("purge", "remove")


def is_local(place: Value) -> bool | None:
    """Whether a word of `--find-links` or a requirement is a place in the file system; None if that is not known."""
    if isinstance(place, Unknown):
        return None
    text = place.value
    return text.startswith("file:") or "://" not in text


def local_place(requirement: str) -> str | None:
    """The path that a requirement names, if it is a project or an archive in the file system: `.[extras]`, `file:.`,
    `tool @ file:///app`. None for a link that leads elsewhere; what may be a path is one.

    pip takes what stands before the last bracket (`req/constructors.py`, pip 23.2), and drops a fragment.
    """
    head, at, tail = requirement.partition("@")
    tail = tail.strip()
    if at and _NAME.match(head.strip()) is not None and (":" in tail or tail.startswith((".", "/"))):
        requirement = tail
    link = requirement.partition(";")[0].strip()
    scheme, _, rest = link.partition(":")
    if scheme.rpartition("+")[2].lower() == "file":
        path = rest.partition("#")[0]
        path = path[2:].partition("/")[1] + path[2:].partition("/")[2] if path.startswith("//") else path
        return unquote(path) or "."
    return None if "://" in link else _EXTRAS.sub("", link)


def may_be_place(text: str, whole: bool, *, sure: bool = False) -> bool:
    """Whether a requirement may be a project or an archive in the file system.

    text: the requirement, or what it surely begins with, if that is not the whole of it. sure: it is one, if it is no
    link, as behind `--editable`.
    """
    if "file:" in text or not (text or whole) or (not whole and _LINKING.match(text)):
        return True
    place = local_place(text)
    return place is not None and (sure or "/" in place or place.startswith(".") or place.endswith(_ARCHIVES))


FILES = _set(
    "-r --requirement --requirements -c --constraint --constraints -b --build-constraint --build-constraints "
    "--requirements-from-script --override --overrides --exclude --excludes"
)
"""Options of pip, and of uv, that name a file of requirements."""
ENVIRONMENT = ("PIP_REQUIREMENT", "PIP_CONSTRAINT", "PIP_BUILD_CONSTRAINT", "PIP_EDITABLE", "UV_CONSTRAINT",
               "UV_BUILD_CONSTRAINT", "UV_OVERRIDE")  # fmt: skip
"""Variables that name files of requirements, or projects, parted by blanks."""
EDITABLE = _set("-e --editable --with-editable")
_SHORT = frozenset(name for name in _TAKES if len(name) == 2) - {"-b"}


class Said(NamedTuple):
    """A word of a call of pip, or of what is like it, with what it stands for.

    option: that in whose value it is; "" for what is no option. text: the value, or the word; or what that surely
    begins with, if it is not `whole`. joined: whether it stands in one word with its option.
    """

    option: str
    text: str
    whole: bool
    at: int
    joined: bool

    @property
    def value(self) -> Value:
        return Known(self.text) if self.whole else Unknown("a part of it is not known")


_LONG = sorted(FILES | EDITABLE)
_ALL_TAKES = _TAKES | FILES | EDITABLE
_SHORTEST_CUT = len("--edi")


def said(call: Call) -> Iterator[Said]:
    """The words of a call behind the program, but for options without a value. One letter may follow others
    (`-Ur FILE`), and its value may follow at once; a long option may be cut short."""
    waiting = ""
    for at in range(1, min(len(call.words), len(call.nodes))):
        word = call.words[at]
        whole = isinstance(word, Known)
        text = word.value if isinstance(word, Known) else call.prefix(call.nodes[at])[0]
        if waiting or not text.startswith("-") or text == "-":
            yield Said(waiting, text, whole, at, False)
            waiting = ""
            continue
        name, equals, value = text.partition("=")
        if text.startswith("--"):
            if name not in _ALL_TAKES and len(name) >= _SHORTEST_CUT:
                name = next((one for one in _LONG if one.startswith(name)), name)
        else:
            first = next((n for n, letter in enumerate(text) if n and f"-{letter}" in _SHORT), None)
            if first is not None:
                name, value = f"-{text[first]}", text[first + 1 :].removeprefix("=")
                equals = value or ("" if whole else "?")
        if equals:
            yield Said(name, value, whole, at, True)
        elif whole and name in _ALL_TAKES:
            waiting = name


def is_with_extras(written: str) -> bool:
    """Whether a word, as it is written, ends in extras without quotes: a pattern, which the shell hands on as it is
    where no file is called so, and which is none but for them."""
    extras = _EXTRAS.search(written)
    return extras is not None and not any(sign in written[: extras.start()] for sign in "*?[")


_ARCHIVES = (".whl", ".zip", ".tar.gz", ".tgz", ".tar", ".tar.bz2", ".tbz", ".tar.xz", ".txz", ".tlz", ".tar.lz")
"""What pip takes for an archive by its name (`utils/filetypes.py`, pip 23.2)."""


def cache_directory(pip: Pip, cwd: Value, lookup: Lookup) -> Value:
    """Where pip keeps its cache: `--cache-dir`, else PIP_CACHE_DIR, else `$XDG_CACHE_HOME/pip`, else `~/.cache/pip`.

    `lookup` is the environment of the call, `$HOME` included. What a configuration file says is not seen.
    """
    if pip.cache_dir is not None:
        return join(cwd, pip.cache_dir)
    return _cache_in(_PLACES, cwd, lookup)


_PLACES = (("PIP_CACHE_DIR", ""), ("XDG_CACHE_HOME", "/pip"), ("HOME", "/.cache/pip"))


def _cache_in(places: Sequence[tuple[str, str]], cwd: Value, lookup: Lookup) -> Value:
    for at, (name, rest) in enumerate(places, 1):
        given = lookup(name)
        if isinstance(given, Unknown):
            if given.if_set is not None:
                unset = _cache_in(places[at:], cwd, lookup)
                if unset == join(cwd, Known(given.if_set.rstrip("/") + rest)):
                    return unset
            return given
        if given is not None and given.value:
            return join(cwd, Known(given.value.rstrip("/") + rest if rest else given.value, given.args))
    return Unknown("the user's home is not known")


def read_pip(words: Sequence[Value], texts: Sequence[str] = ()) -> Pip | None:
    """What the call `words` does; None if it does not call pip. `texts` are the words as written, which tell that
    `$VENV/bin/pip` is pip although the whole of it is not known."""
    at = _start(words, texts)
    return None if at is None else _read(words, at)


@once_a_call
def pip_of(call: Call) -> Pip | None:
    """What the call does; None if it does not call pip."""
    program = call.program
    if program is not None and not program.startswith(("pip", "pypy", "python")) and program not in _RUNNING:
        return None
    return read_pip(call.words, [node.value if isinstance(node, JsonString) else node.text for node in call.nodes])


def _start(words: Sequence[Value], texts: Sequence[str]) -> int | None:
    """The index of pip's first own word."""
    at = _behind_runner(words)
    if at >= len(words):
        return None
    name = _name(words, texts, at)
    if _PIP.match(name):
        return at + 1
    if not _PYTHON.match(name):
        return None
    at += 1
    while at < len(words):
        word = words[at]
        if isinstance(word, Unknown):
            return None
        text = word.value
        if not text.startswith("-") or text in ("-", "-c"):
            return None
        letters, joined, module_ = text.partition("m")
        if joined and _PYTHON_FLAGS.match(letters):
            if module_:
                return at + 1 if module_ == "pip" else None
            module = words[at + 1] if at + 1 < len(words) else None
            return at + 2 if isinstance(module, Known) and module.value == "pip" else None
        at += 2 if text in _PYTHON_TAKES else 1
    return None


def _name(words: Sequence[Value], texts: Sequence[str], at: int) -> str:
    """The program's path as far as it tells the program: `?/bin/pip` for `$VENV/bin/pip`."""
    word = words[at]
    if isinstance(word, Known):
        return word.value
    text = texts[at].strip("\"'") if at < len(texts) else ""
    return "?/" + text.rpartition("/")[2] if "/" in text else ""


def _behind_runner(words: Sequence[Value]) -> int:
    """Where the words begin that `conda run -n env …` and its like run; 0 without one."""
    head = tuple(word.value.rpartition("/")[2] if isinstance(word, Known) else "" for word in words[:2])
    takes = _RUNNERS.get(head)
    if takes is None:
        return 0
    at = 2
    while at < len(words):
        word = words[at]
        if not isinstance(word, Known) or not word.value.startswith("-"):
            return at
        at += 2 if word.value in takes else 1
    return at


def _read(words: Sequence[Value], at: int) -> Pip:
    options: list[tuple[str, Value]] = []
    flags: set[str] = set()
    operands: list[Value] = []
    places: list[int] = []
    no_cache: list[int] = []
    unsure: Unknown | None = None
    waiting = ""
    for index in range(at, len(words)):
        word = words[index]
        if waiting:
            options.append((waiting, word))
            waiting = ""
            continue
        if isinstance(word, Unknown):
            unsure = unsure or word
            operands.append(word)
            places.append(index)
            continue
        text = word.value
        if not text.startswith("-") or text == "-":
            operands.append(word)
            places.append(index)
            continue
        if text.startswith("--") and len(text) >= _SHORTEST and _NO_CACHE.startswith(text):
            no_cache.append(index)
            continue
        name, equals, value = text.partition("=")
        if not text.startswith("--") and len(text) > 2 and text[:2] in _TAKES:
            name, equals, value = text[:2], "=", text[2:]
        flags.add(name)
        if equals:
            options.append((name, Known(value, word.args)))
        elif name in _TAKES:
            waiting = name
    first = operands[0] if operands else None
    directories = [value for name, value in options if name == "--cache-dir"]
    binary = [value.value for name, value in options if name == "--only-binary" and isinstance(value, Known)]
    return Pip(
        subcommand=first.value if isinstance(first, Known) else "",
        no_cache=tuple(no_cache),
        cache_dir=directories[-1] if directories else None,
        no_index="--no-index" in flags,
        only_wheels=":all:" in binary,
        find_links=tuple(value for name, value in options if name in _FIND_LINKS),
        requirements=tuple(value for name, value in options if name in _FILES),
        operands=tuple(operands[1:]),
        operands_at=tuple(places[1:]),
        unsure=unsure,
    )


# --- what pip keeps a wheel of -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Requirement:
    """What one line of a file of requirements says, as far as it matters where packages come from.

    line: its number. kind: "-r" (of a file, also of constraints), "-f" (of a place with archives), "-C" (of settings
    for the build of a package), "" (of a package). text: the file, the place, the option, or the requirement.
    """

    line: int
    kind: str
    text: str


_NAME = regex(r"[A-Za-z0-9][\w.-]*\s*(?:\[[^\]]*\]\s*)?\Z")
_LINKING = regex(r"[A-Za-z0-9][\w.-]*\s*(?:\[[^\]]*\Z|(?:\[[^\]]*\])?\s*@)")
"""What may go on to be a requirement with a link, if a part of the word is not known."""
_EXTRAS = regex(r"\[[^\[\]/]*\]\Z")
_HASHES = ("sha512", "sha384", "sha256", "sha224", "sha1", "md5")
_VERSIONED = regex(r"(?i)[a-z0-9_.]-[a-z0-9_.!+-]")
"""What a name must hold so that pip takes it for one with a version, and keeps the wheel."""
_VARIABLE = regex(r"\$\{[^{}]*\}|\$\w+")
_IMMUTABLE = ("files.pythonhosted.org", "pypi.org", "pypi.python.org")
"""Hosts where a file never changes."""


def keeps_wheel_of(requirement: str) -> bool:
    """Whether pip keeps the wheel that it builds for a requirement, and takes it again, although what the link of the
    requirement leads to may be something else by then.

    It looks a wheel up by the link if it knows the package's name (`tool @ https://…`, `…#egg=tool`), and keeps one if
    the file's name looks like one with a version; of a repository only for a commit that is named. A variable of the
    shell, or of the environment, is taken to hold what makes it so.
    """
    head, at, tail = requirement.partition("@")
    named = bool(at) and _NAME.match(head.strip()) is not None
    words = (tail if named else requirement).split()
    link, _, fragment = (words[0] if words else "").partition("#")
    fields = dict(field.partition("=")[::2] for field in fragment.split("&"))
    if not (named or fields.get("egg")) or any(name in fields for name in _HASHES):
        return False
    try:
        parts = urlsplit(_VARIABLE.sub("x-0", link))
        host = parts.hostname
    except ValueError:
        return False
    if "+" in parts.scheme or host in _IMMUTABLE:
        return False
    name, extension = splitext(basename(unquote(parts.path.rstrip("/"))))
    return extension != ".whl" and _VERSIONED.search(name.removesuffix(".tar")) is not None


def read_requirements(text: str) -> Iterator[Requirement]:
    """The lines of a file of requirements that name a file, a place with archives, or a package. Not those of a package
    whose archive is pinned by a hash, which pip checks also for a wheel that it has kept, and not editable ones, of
    which it keeps none."""
    for number, line in _logical_lines(text):
        words = line.split()
        name, equals, value = words[0].partition("=")
        if not name.startswith("--") and len(name) > 2 and name[:2] in _TAKES:
            name, equals, value = name[:2], "=", words[0][2:]
        if not name.startswith("-"):
            yield from (Requirement(number, "-C", w.partition("=")[0]) for w in words if w.startswith(_BUILT_BY))
            if not any(word.startswith("--hash") for word in words):
                yield Requirement(number, "", line)
        elif name in _FILES or name in _FIND_LINKS:
            value = value if equals else " ".join(words[1:])
            yield Requirement(number, "-r" if name in _FILES else "-f", value.strip("\"'"))


_BUILT_BY = ("--config-setting", "--global-option")
PROJECT_FILES = ("pyproject.toml", "setup.cfg", "setup.py")
"""Files of a project that say what pip installs with it."""

_LINK = regex(r"@\s*[a-z][a-z0-9+]*:[^\s\"',\]]+")
_OF_NAMES = f"{ascii_letters}{digits}_.-"


def read_linked(text: str) -> Iterator[Requirement]:
    """The requirements with a link (`tool @ file:///…`) in one of `PROJECT_FILES`, wherever they stand."""
    for number, line in enumerate(text.splitlines(), 1):
        begin = 0
        while (at := line.find("@", begin)) >= 0:
            head = line[begin:at].rstrip()
            if head.endswith("]"):
                head = head[: max(head.find("[", head.rfind("]", 0, -1) + 1), 0)].rstrip()
            name = head[len(head.rstrip(_OF_NAMES)) :].lstrip("_.-")
            link = _LINK.match(line, at) if name else None
            if link is not None:
                yield Requirement(number, "", f"{name} {link[0]}")
            begin = at + 1 if link is None else link.end()


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines without comments, those put together that a backslash continues, with the number of their first."""
    first = 0
    parts: list[str] = []
    for number, raw in enumerate(text.splitlines(), 1):
        first = first if parts else number
        parts.append(_without_comment(raw).removesuffix("\\"))
        if raw.endswith("\\") and not raw.lstrip().startswith("#"):
            continue
        line = "".join(parts).strip()
        parts = []
        if line:
            yield first, line
    if line := "".join(parts).strip():
        yield first, line


def _without_comment(line: str) -> str:
    """A line up to a `#` at its beginning or behind a blank, and up to the blanks before it."""
    at = line.find("#")
    while at > 0 and not line[at - 1].isspace():
        at = line.find("#", at + 1)
    return line if at < 0 else line[:at].rstrip()
