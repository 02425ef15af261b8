"""What one call of pip does: from its words to its subcommand, its cache and where it takes packages from.

Sources: pip's documentation (pip 24: "Caching", "Configuration", command reference) and its option parser, which takes
options before and after the subcommand and lets long options be cut short where that is not ambiguous.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
    operands: what stands behind the subcommand and is no option: requirements, or "purge".
    unsure: why some options of the call are not known, or None.
    """

    subcommand: str
    no_cache: tuple[int, ...]
    cache_dir: Value | None
    no_index: bool
    only_wheels: bool
    find_links: tuple[Value, ...]
    operands: tuple[Value, ...]
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


def cache_directory(pip: Pip, cwd: Value, lookup: Lookup) -> Value:
    """Where pip keeps its cache: `--cache-dir`, else PIP_CACHE_DIR, else `$XDG_CACHE_HOME/pip`, else `~/.cache/pip`.

    `lookup` is the environment of the call, `$HOME` included. What a configuration file says is not seen.
    """
    if pip.cache_dir is not None:
        return join(cwd, pip.cache_dir)
    for name, rest in (("PIP_CACHE_DIR", ""), ("XDG_CACHE_HOME", "/pip"), ("HOME", "/.cache/pip")):
        given = lookup(name)
        if isinstance(given, Unknown):
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
        if text == "-m":
            module = words[at + 1] if at + 1 < len(words) else None
            return at + 2 if isinstance(module, Known) and module.value == "pip" else None
        if not text.startswith("-") or text in ("-", "-c"):
            return None
        if not text.startswith("--") and "m" in text:
            return at + 1 if text.partition("m")[2] == "pip" else None
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
            continue
        text = word.value
        if not text.startswith("-") or text == "-":
            operands.append(word)
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
        find_links=tuple(value for name, value in options if name in ("-f", "--find-links")),
        operands=tuple(operands[1:]),
        unsure=unsure,
    )
