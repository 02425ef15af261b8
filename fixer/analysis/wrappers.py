"""What a command is run through: `sudo`, `env`, `time`, `xargs`, `exec` …; and the shells."""

from __future__ import annotations

from fixer.analysis.values import Known, Unknown, Value
from fixer.text.records import dataclass

DIALECTS = {"bash": "bash", "sh": "sh", "ash": "sh", "dash": "sh"}
"""The shells whose scripts are understood, and as which of the two dialects."""
SHELLS = frozenset((*DIALECTS, "ksh", "zsh"))
"""All that run scripts of a shell."""


@dataclass(frozen=True, slots=True)
class Peeled:
    """at: where the program's own words begin. through: what stands before them. local: variables set on the way.
    user: who it is run as. chdir: the directory it is run in. reset: why the environment is not the shell's ("" if it
    is empty); None if it is the shell's."""

    at: int
    through: tuple[str, ...]
    local: dict[str, Value | None]
    user: str | None
    chdir: Value | None
    reset: str | None


_TAKES: dict[str, frozenset[str]] = {
    "sudo": frozenset(
        ("-u", "-g", "-h", "-p", "-C", "-r", "-t", "-T", "-U", "-D", "-R", "--user", "--group", "--host", "--chdir",
         "--prompt", "--close-from", "--role", "--type", "--command-timeout", "--other-user", "--chroot")
    ),
    "doas": frozenset(("-u", "-C")),
    "env": frozenset(("-u", "-C", "--unset", "--chdir")),
    "nice": frozenset(("-n", "--adjustment")),
    "ionice": frozenset(("-c", "-n", "--class", "--classdata")),
    "timeout": frozenset(("-s", "-k", "--signal", "--kill-after")),
    "stdbuf": frozenset(("-i", "-o", "-e")),
    "time": frozenset(("-f", "-o", "--format", "--output")),
    "exec": frozenset(("-a",)),
    "command": frozenset(),
    "builtin": frozenset(),
    "nohup": frozenset(),
    "setsid": frozenset(),
    "fakeroot": frozenset(),
    "eatmydata": frozenset(),
    "unbuffer": frozenset(),
    "linux32": frozenset(),
    "linux64": frozenset(),
    "gosu": frozenset(),
    "su-exec": frozenset(),
    "tini": frozenset(("-p", "-e")),
    "dumb-init": frozenset(("-r", "--rewrite")),
    "xvfb-run": frozenset(("-s", "-n", "-e", "-f", "--server-args", "--server-num")),
    "busybox": frozenset(),
    "runuser": frozenset(("-u", "-g", "--user", "--group")),
    "xargs": frozenset(
        ("-I", "-n", "-P", "-L", "-d", "-a", "-s", "-E", "--max-args", "--max-procs", "--max-lines", "--delimiter")
    ),
}
"""Programs that run another, and which of their options take a word (sudo(8), coreutils, util-linux, findutils)."""
_POSITIONALS = {"timeout": 1, "gosu": 1, "su-exec": 1}
_STOPS = {
    "command": frozenset(("-v", "-V")),
    "env": frozenset(("-S", "--split-string")),
    "sudo": frozenset(("-l", "-v", "-e", "-i", "--login", "-s", "--shell")),
    "runuser": frozenset(("-c", "-l", "-", "--command", "--login")),
}
"""Options with which it is something else."""


_BARE = Peeled(0, (), {}, None, None, None)
"""What is run through nothing."""


def peel(words: tuple[Value, ...]) -> Peeled:
    """Take off what a command is run through: `sudo -u app env A=b nice make` is `make`."""
    first = words[0] if words else None
    if not isinstance(first, Known) or first.value.rpartition("/")[2] not in _TAKES:
        return _BARE
    at = 0
    through: list[str] = []
    local: dict[str, Value | None] = {}
    user: str | None = None
    chdir: Value | None = None
    reset: str | None = None
    while at < len(words):
        first = words[at]
        if not isinstance(first, Known):
            break
        name = first.value.rpartition("/")[2]
        if name not in _TAKES:
            break
        step = _options(name, words, at + 1)
        if step is None:
            break
        after, options = step
        after += _POSITIONALS.get(name, 0)
        if after > len(words):
            break
        new: dict[str, Value | None] = {}
        if name in ("env", "sudo", "doas"):
            after = _environment(words, after, new)
        if after >= len(words):
            break
        if name in ("sudo", "doas"):
            user = _last(options, "-u", "--user") or "root"
            if not any(o == "-E" or o.startswith("--preserve-env") for o, _ in options):
                reset, local = f"`{name}` drops most of the environment", {}
        elif name in ("gosu", "su-exec"):
            operand = words[after - 1]
            user = operand.value.partition(":")[0] if isinstance(operand, Known) else "?"
            local = {**local, "HOME": Unknown(f"{name} sets $HOME")}
        elif name == "runuser":
            user = _last(options, "-u", "--user") or "?"
        elif name == "env":
            if any(o in ("-i", "-", "--ignore-environment") for o, _ in options):
                reset, local = "", {}
            local = {**local, **{v: None for o, v in options if o in ("-u", "--unset")}}
            where = _last(options, "-C", "--chdir")
            chdir = Known(where) if where is not None else chdir
        local.update(new)
        through.append(name)
        at = after
    return Peeled(at, tuple(through), local, user, chdir, reset)


def _options(name: str, words: tuple[Value, ...], at: int) -> tuple[int, list[tuple[str, str]]] | None:
    """The place after the options, and the options with their words; None if they are not understood."""
    takes, stops = _TAKES[name], _STOPS.get(name, frozenset())
    options: list[tuple[str, str]] = []
    while at < len(words):
        word = words[at]
        if not isinstance(word, Known):
            return (at, options) if name in ("env", "exec", "command", "time") else None
        text = word.value
        if text in stops:
            return None
        if not text.startswith("-") or (text == "-" and name != "env"):
            break
        at += 1
        if text == "--":
            break
        option, equals, value = text.partition("=") if text.startswith("--") else (text, "", "")
        if option in stops:
            return None
        if not text.startswith("--") and len(text) > 2 and text[:2] in takes:
            options.append((text[:2], text[2:]))
            continue
        if not text.startswith("--") and len(text) > 2:
            if any("-" + letter in stops for letter in text[1:]):
                return None
            options.extend(("-" + letter, "") for letter in text[1:-1])
            option = "-" + text[-1]
        if option in takes and not equals:
            if at >= len(words):
                return None
            operand = words[at]
            options.append((option, operand.value if isinstance(operand, Known) else "?"))
            at += 1
            continue
        options.append((option, value))
    return at, options


def _last(options: list[tuple[str, str]], *names: str) -> str | None:
    found = [value for option, value in options if option in names]
    return found[-1] if found else None


def _environment(words: tuple[Value, ...], at: int, local: dict[str, Value | None]) -> int:
    """Reads `NAME=value` words; returns the place after them."""
    while at < len(words):
        word = words[at]
        if not isinstance(word, Known):
            break
        name, equals, value = word.value.partition("=")
        if not equals or not name.isidentifier():
            break
        local[name] = Known(value, word.args)
        at += 1
    return at
