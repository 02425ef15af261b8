"""Whether a command can read a file under another name, and leave the same as before.

Sources: the manual pages of coreutils, binutils, findutils, tar, zip, rsync, grep, gzip, xz, zstd and gpg.
"""

from __future__ import annotations

from collections.abc import Sequence

from fixer.analysis import Call, Known
from fixer.analysis.commands import Arg
from fixer.analysis.programs import ABOUT_THE_SYSTEM, find_actions, only_files, surely_reads
from fixer.tree.nodes import JsonString
from fixer.tree.shell import Simple


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_CHANGE = _set(
    "cp mv install ln scp rsync strip upx chmod chown chgrp setfacl setcap patchelf dos2unix truncate touch dd test [ "
    "[[ unzip . source curl wget rm rmdir unlink shred tee"
)
"""Programs that keep no more of a file's name than its last part, and print none that somebody could need."""
_CONTENT = _set("cat base64 od hexdump sort uniq cut tr nl tac less more zcat xzcat bzcat jq zgrep ldd cmp sed")
"""Programs whose output is made of what is in the file."""
_ONE_FILE = _set("head tail readelf nm strings xxd grep egrep fgrep")
"""Programs that put a name before what they print as soon as there are several files."""
_NAMING = {
    "head": _set("-v --verbose"), "tail": _set("-v --verbose"), "nm": _set("-A -o --print-file-name"),
    "strings": _set("-f --print-file-name"), "xxd": _set("-i -include"),
    "grep": _set("-H -l -L -r -R --with-filename --files-with-matches --files-without-match --recursive"),
}  # fmt: skip
"""Their options that ask for the name all the same."""
_FORMATS = _set("-c --format --printf")
_BESIDE = _set("gzip gunzip bzip2 bunzip2 xz unxz zstd gpg lz4")
"""Programs that write beside what they read, unless they are told where."""
_TOLD = _set("-c --stdout --to-stdout -o --output")
_PASS_ON = _set("grep egrep fgrep head tail wc sort uniq cat tr cut")


def keeps_name(call: Call, site: object) -> str | None:
    """Why the word `site` cannot name another file without a change in what the command leaves; None if it can.

    The program that is run itself, and what stands behind `<`, can. The log of the build is nobody's.
    """
    at = next((at for at, node in enumerate(call.nodes) if node is site), None)
    name = call.program
    if at == 0 and call.argument(1) in ("--help", "-h") and not _goes_nowhere(call):
        return "a program may say in its help by which path it is called"
    if at is None or at == 0:
        return None
    if name is None:
        return "which program reads it is not known, nor what becomes of the name"
    words = [word.value if isinstance(word, Known) else "" for word in call.words]
    options = _options(words[1:])
    if _packs(name, words, options):
        return f"{name} keeps the path under which it reads this, which would be another"
    if name in _BESIDE:
        return None if options & _TOLD or _prints(words, options) else f"{name} writes beside what it reads"
    if name in _CHANGE or name in ABOUT_THE_SYSTEM or _stripper(name):
        return None
    if name == "find" and find_actions(call):
        return None if not any("{}" in word and word != "{}" for word in words) else f"{name} hands the name on"
    if _goes_nowhere(call) or name in _CONTENT or (name in _ONE_FILE and _one_file(name, call, options)):
        return None
    if name == "stat" and options & _FORMATS and not any("%n" in word or "%N" in word for word in words):
        return None
    if name == "file" and options & {"-b", "--brief"}:
        return None
    if name in ("awk", "gawk", "mawk") and not any("FILENAME" in word for word in words):
        return None
    if only_files(name):
        return f"the output of {name} holds the path under which it reads this, which would be another"
    if surely_reads(call, call.nodes[at]):
        return None
    return f"{name} is not known, nor what it does with the name"


def _packs(name: str, words: Sequence[str], options: frozenset[str]) -> bool:
    """Whether it puts what it reads somewhere under all of the path by which it reads it."""
    if name in ("tar", "bsdtar"):
        letters = words[1] if len(words) > 1 and not words[1].startswith("--") else ""
        short = {option[1:] for option in options if not option.startswith("--")}
        return bool({"c", "r", "u"} & {*letters, *short}) or bool(options & _set("--create --append --update"))
    if name == "zip":
        return not options & {"-j", "--junk-paths"}
    if name == "cp":
        return "--parents" in options
    return name == "rsync" and bool(options & {"-R", "--relative"})


def _options(words: Sequence[str]) -> frozenset[str]:
    """The options, each short one for itself and long ones without their values."""
    found: set[str] = set()
    for word in words:
        if word == "--":
            break
        if word.startswith("--"):
            found.add(word.partition("=")[0])
        elif word.startswith("-") and len(word) > 1:
            found.add(word)
            found.update(f"-{letter}" for letter in word[1:])
    return frozenset(found)


def _prints(words: Sequence[str], options: frozenset[str]) -> bool:
    """gpg that only looks at what it reads."""
    return words[0].endswith("gpg") and bool(options & _set("--import --verify --list-packets --show-keys"))


def _stripper(name: str) -> bool:
    return name.endswith(("-strip", "-objcopy")) or name == "objcopy"


def _one_file(name: str, call: Call, options: frozenset[str]) -> bool:
    """Whether it reads one file alone, so that it prints no name."""
    family = "grep" if name.endswith("grep") else name
    if options & _NAMING.get(family, frozenset()):
        return False
    if family == "grep" and options & _set("-h --no-filename -q --quiet -c --count"):
        return bool(options & _set("-h --no-filename -q --quiet")) or _paths(call) == 1
    return _paths(call) == 1


def _paths(call: Call) -> int:
    """How many of the words may be files that it reads, the pattern of a search not among them."""
    words = [word.value if isinstance(word, Known) else "?" for word in call.words[1:]]
    operands = [word for word in words if not word.startswith("-") and not word.isdigit()]
    searches = call.program in ("grep", "egrep", "fgrep") and "-e" not in words and "-f" not in words
    return len(operands) - searches


def _goes_nowhere(call: Call) -> bool:
    """Whether what the command prints is seen in the log of the build alone, at most."""
    if call.in_substitution or any(_leads_on(redirect.op, redirect.target) for redirect in call.redirects):
        return False
    if not call.piped:
        return True
    if call.pipeline is None or call.simple is None:
        return False
    commands = call.pipeline.commands
    at = next((at for at, command in enumerate(commands) if command is call.simple), None)
    if at is None:
        return False
    for command in commands[at + 1 :]:
        plain = isinstance(command, Simple) and command.words and command.words[0].text in _PASS_ON
        if not plain or not isinstance(command, Simple):
            return False
        if any(_leads_on(redirect.op, redirect.target) for redirect in command.redirects):
            return False
    return True


def _leads_on(op: str, target: Arg) -> bool:
    text = target.value if isinstance(target, JsonString) else target.text
    if op == ">&":
        return text.strip("0123456789-") != ""
    return op not in ("<", "<&") and not op.startswith("<<") and text != "/dev/null"
