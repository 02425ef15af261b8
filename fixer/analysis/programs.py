"""What well-known programs read and write, by their words.

Sources: their manual pages (coreutils, findutils, tar, sed, grep, curl, wget, git, shadow, apt, apk-tools, dnf, pip). A
program that is not here is unknown: it may use anything in its directory, and anything that it names.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import pairwise, takewhile

from fixer.analysis.commands import Arg, Call
from fixer.analysis.tools.pip import (
    EDITABLE,
    ENVIRONMENT,
    FILES,
    NEEDS_CACHE,
    Said,
    is_with_extras,
    local_place,
    may_be_place,
    pip_of,
    said,
)
from fixer.analysis.values import Known, Unknown, Value, join
from fixer.text.records import dataclass, field
from fixer.text.regex import regex


@dataclass(frozen=True, slots=True)
class Operand:
    """A word that names a path. mode, extent, base: as in `Effect`. value: the path, if it is a part of the word."""

    node: Arg
    mode: str
    extent: str
    value: Value | None = None
    base: Arg | None = None


@dataclass(slots=True)
class Uses:
    """operands: the paths that the words name. anything: it may read and write all of its directory. writes:
    directories below which it may write, whatever its words are."""

    operands: list[Operand] = field(default_factory=list)
    anything: bool = False
    writes: tuple[str, ...] = ()


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_PURE = _set(
    "echo printf true false : exit return popd export unset set shift local declare typeset readonly trap "
    "umask ulimit alias sleep date hash which type whoami id uname nproc hostname pwd wait kill command builtin "
    "getent locale uuidgen arch dirname basename seq expr break continue read let dircolors ssh-keyscan mktemp "
    "getconf dpkg-query dpkg-architecture lsb_release pkg-config pg_config gdal-config"
)
_ASKED = _set("node nodejs python python2 python3 ruby perl php java javac gcc g++ cc c++ clang make cmake")
_ASK = _set("-v -V -version --version")
"""What these say about themselves where nothing else is asked for."""
_SYSTEM = _set(
    "apt-get apt aptitude apt-key apt-mark apt-cache add-apt-repository dpkg apk yum dnf dnf5 microdnf tdnf zypper rpm "
    "pacman pipx conda mamba micromamba gem snap opkg tlmgr "
    "update-ca-certificates update-ca-trust ldconfig locale-gen dpkg-reconfigure update-alternatives update-locale "
    "useradd adduser userdel deluser usermod groupadd addgroup groupdel delgroup groupmod gpasswd passwd chpasswd chsh "
    "a2enmod a2dismod a2ensite a2dissite rustup debconf-set-selections systemctl rc-update service "
    "docker-php-ext-install docker-php-ext-configure docker-php-ext-enable phpenmod pecl fc-cache"
)
ABOUT_THE_SYSTEM = _SYSTEM
"""Programs that change the system: where they write without naming it, they put things of their own."""
ONLY_LOOK = _set("ls du test [ [[ stat tree")
"""Programs that say what is there, without a look at what is in a file below."""
ONLY_MODES = _set("chmod chown chgrp setfacl")
"""Programs that change modes and owners, and nothing else."""
NO_CONTENT = _set("mkdir chmod chown chgrp touch")
"""Programs that make empty files and directories, or change modes and owners."""
_SYSTEM_PLACES = ("/usr", "/etc", "/var", "/lib", "/lib64", "/bin", "/sbin", "/opt", "/boot", "/run", "/srv", "/tmp")
_READS = _set(
    "cat ls head tail wc stat file du md5sum sha1sum sha224sum sha256sum sha384sum sha512sum shasum cksum ldd objdump "
    "readelf nm readlink realpath test [ [[ diff cmp xxd od hexdump sort uniq cut tr nl tac less more strings size "
    "tree base64 jq grep egrep fgrep zcat xzcat bzcat zgrep gpg gpgv"
)
_WRITES = _set("touch mkdir truncate strip upx setcap chmod chown chgrp setfacl gzip gunzip xz unxz bzip2 bunzip2 zstd "
               "patchelf dos2unix")  # fmt: skip
REMOVES = _set("rm rmdir unlink shred")
_FIRST_IS_NO_PATH = _set("chmod chown chgrp setcap grep egrep fgrep jq sed awk gawk mawk tr")
_TAKES_WORD: dict[str, frozenset[str]] = {
    "head": _set("-n -c"), "tail": _set("-n -c"), "cut": _set("-d -f -c -b"), "mkdir": _set("-m"), "stat": _set("-c"),
    "install": _set("-m -o -g -S"), "grep": _set("-e -A -B -C -m"), "sort": _set("-k -t -T"), "touch": _set("-d -t"),
    "truncate": _set("-s"), "gpg": _set("--keyserver --recv-keys --recv-key -u"), "find": _set(""),
    "sed": _set(""), "du": _set("-d"), "jq": _set("--arg"), "shred": _set("-n -s"), "xxd": _set("-l -s -c"),
    "git": _set(
        "-C -c --git-dir --work-tree -b --branch -o --origin -u --upload-pack --reference --depth --config -j --jobs "
        "--template --separate-git-dir --shallow-since --shallow-exclude --filter"
    ),
}  # fmt: skip


def only_files(name: str) -> bool:
    """Whether the program does what its words say with files and accounts, and starts no other (but `find -exec`)."""
    known = name in _PURE or name in _SYSTEM or name in _READS or name in _WRITES or name in REMOVES
    return known or (name in _SPECIAL and name not in _START_OTHERS)


_START_OTHERS = _set("git . source pip pip3 sh bash dash ash")


_INTERPRETERS = _set("sh bash dash ash python node ruby perl php")
_NO_SCRIPT = _set("-c -e -m -r -p -E -I -W -X -C -o -O")
"""Options of theirs behind which no script follows: the program itself does, a module, or another word."""


_TAKE_FILES = {
    "zip": _set("-b -i -n -P -s -t -tt -x"),
    "wasm-bindgen": _set("--out-dir --out-name --target"),
    "wasm-opt": _set(""),
}
"""Programs that read all files that they name (zip: but the first), and options behind which stands something else."""


def surely_reads(call: Call, node: Arg) -> bool:
    """Whether the command, once it is run, surely reads what its word `node` names, if it reads it at all
    (`program_uses`). A program that is not known may as well write there: `--output DIR`, `--cache-dir DIR`."""
    name = call.program
    at = next((at for at, each in enumerate(call.nodes) if each is node), None)
    if name is None or at is None:
        return False
    if at == 0:
        return True
    text = _text(call.words[at])
    before = [_text(word) for word in call.words[1:at]]
    option = before[-1] if before else ""
    if name == "java":
        return option == "-jar"
    if name.rstrip("0123456789.") in _INTERPRETERS:
        return all(t.startswith("-") and t not in _NO_SCRIPT and ("=" in t or t[:2] != "--") for t in before)
    if option in ("-o", "--output"):
        return False
    if name in _TAKE_FILES:
        archive = name == "zip" and all(t.startswith("-") for t in before)
        return not text.startswith("-") and option not in _TAKE_FILES[name] and not archive
    if name in ("pip", "pip3"):
        return not text.startswith("-")
    if name in _SYSTEM:
        return text.endswith(_FILES)
    if name in ("curl", "wget"):
        return text.startswith("@") or option in ("-T", "--upload-file", "--post-file")
    return name != "git" and only_files(name)


def find_actions(call: Call) -> frozenset[str]:
    """What a `find` does with what it finds: `-delete`, and names of programs (`?` for one that is not known); empty
    if it prints it."""
    done = set()
    pairs = _pairs(call)
    for at, (word, _) in enumerate(pairs):
        text = _text(word)
        if text in ("-exec", "-execdir", "-ok", "-okdir"):
            done.add(_text(pairs[at + 1][0]).rpartition("/")[2] if at + 1 < len(pairs) else "?")
        elif text == "-delete" or text.startswith(("-fprint", "-fls")):
            done.add(text)
    return frozenset(done)


def program_uses(call: Call) -> Uses:
    """The paths that a command uses."""
    name = call.program
    uses = Uses()
    if call.words and name is not None:
        _program_itself(call, uses)
    if not call.words:
        return uses
    if "xargs" in call.wrappers and name not in _PURE:
        # More words follow that nobody knows.
        uses.anything = True
    if name is None:
        uses.anything = True
        return _named(call, uses, "unknown")
    if name in _PURE or (name in _ASKED and len(call.words) == 2 and call.argument(1) in _ASK):
        return uses
    pip = pip_of(call)
    special = _pip if pip is not None and pip.subcommand in _PIP_KNOWN else _SPECIAL.get(name)
    if special is not None:
        special(call, uses)
        return uses
    if name in _SYSTEM:
        uses.writes = _SYSTEM_PLACES
        _homes(call, uses, ("write",))
        if name in _CONDA:
            files = (node for (word, _), (_, node) in pairwise(_pairs(call)) if _text(word) in ("--file", "-f"))
            uses.operands += [Operand(node, "read", "exact") for node in files]
        return _named(call, uses, "tree")
    for names, mode, extent in ((_READS, "read", "tree"), (_WRITES, "write", "exact"), (REMOVES, "remove", "tree")):
        if name in names:
            _operands(call, uses, mode, extent)
            return uses
    uses.anything = True
    _homes(call, uses, ("read", "write"))
    _works_in(call, uses)
    return _named(call, uses, "unknown")


_PIP_KNOWN = NEEDS_CACHE | _set("cache check config debug freeze help inspect list search show uninstall")
"""Subcommands of pip that use what their words name, and nothing else."""
_CONDA = ("conda", "mamba", "micromamba")
_WORK_IN = {
    "make": _set("-C --directory"), "gmake": _set("-C --directory"), "ninja": _set("-C"), "meson": _set("-C"),
    "cmake": _set("-B --build --install"), "ctest": _set("--test-dir"),
}  # fmt: skip
"""Options of build tools that name, behind them, the directory in which they work."""


def _works_in(call: Call, uses: Uses) -> None:
    """The directory of a build, which may be called by its name alone. (Those with a slash are paths as others.)"""
    options = _WORK_IN.get(call.program or "", frozenset())
    pairs = _pairs(call)
    for (word, _), (place, node) in pairwise(pairs):
        if _text(word) in options and isinstance(place, Known) and "/" not in place.value and place.value != ".":
            _both(uses, node, "unknown", None)


_PLACES = (
    "CARGO_HOME", "CARGO_TARGET_DIR", "RUSTUP_HOME", "GOPATH", "GOCACHE", "GOMODCACHE", "PIP_CACHE_DIR", "UV_CACHE_DIR",
    "XDG_CACHE_HOME", "npm_config_cache", "NPM_CONFIG_CACHE", "YARN_CACHE_FOLDER", "GRADLE_USER_HOME", "NUGET_PACKAGES",
    "COMPOSER_HOME", "COMPOSER_CACHE_DIR", "BUNDLE_PATH", "GEM_HOME", "CCACHE_DIR", "SCCACHE_DIR", "PNPM_HOME",
)  # fmt: skip
"""Variables that tell build tools where to put things."""


_OF_BASES = frozenset(("CARGO_HOME", "RUSTUP_HOME", "GOPATH", "GEM_HOME"))
"""Those of them that the table of base images knows."""


@lru_cache(maxsize=4)
def _places_of(text: str) -> tuple[str, ...]:
    """Those that can have a known value in a file: a base image sets them, or the file names them."""
    return tuple(name for name in _PLACES if name in _OF_BASES or name in text)


def _homes(call: Call, uses: Uses, modes: tuple[str, ...]) -> None:
    """Where tools put things that no word names: their directories in the environment, and below the home."""
    if not call.nodes:
        return
    for name in _places_of(call.file_text):
        value = call.lookup(name)
        if isinstance(value, Known) and value.value.startswith("/"):
            uses.operands.extend(Operand(call.nodes[0], mode, "unknown", value) for mode in modes)
    home = call.lookup("HOME")
    if isinstance(home, Known) and home.value != "/":
        uses.operands.append(Operand(call.nodes[0], "write", "unknown", home))


def _program_itself(call: Call, uses: Uses) -> None:
    """`./build.sh`, `/app/bin/tool`: the program is read."""
    first = call.words[0]
    if isinstance(first, Known) and "/" in first.value and call.nodes:
        uses.operands.append(Operand(call.nodes[0], "read", "exact"))


def _pairs(call: Call) -> list[tuple[Value, Arg]]:
    skip = 1 if call.program != "[[" else 0
    return list(zip(call.words, call.nodes, strict=False))[skip:]


def _text(word: Value) -> str:
    return word.value if isinstance(word, Known) else "?"


_FILES = (".deb", ".rpm", ".apk", ".whl", ".gem", ".tar.gz", ".zip", ".snap")


def _named(call: Call, uses: Uses, extent: str) -> Uses:
    """Words that can only be paths: those with a slash or a dot at the front, also behind `--option=`."""
    for word, node in _pairs(call):
        if isinstance(word, Unknown):
            text, _ = call.prefix(node)
            pattern = not text.startswith("-") and "*" in getattr(node, "text", "") and not uses.anything
            if ("/" in text and "://" not in text) or pattern:
                _both(uses, node, "unknown", None)
            continue
        text = word.value
        if "://" in text:
            continue
        if text.startswith("-"):
            _, equals, value = text.partition("=")
            if equals and ("/" in value or value in (".", "..")):
                _both(uses, node, extent, Known(value, word.args))
        elif "/" in text or text in (".", "..") or text.endswith(_FILES):
            _both(uses, node, extent, None)
    return uses


def _both(uses: Uses, node: Arg, extent: str, value: Value | None) -> None:
    uses.operands.append(Operand(node, "read", extent, value))
    uses.operands.append(Operand(node, "write", extent, value))


def _split(call: Call) -> tuple[list[tuple[Value, Arg]], dict[str, tuple[Value, Arg] | None]]:
    """Operands, and options with their words."""
    takes = _TAKES_WORD.get(call.program or "", frozenset())
    operands: list[tuple[Value, Arg]] = []
    options: dict[str, tuple[Value, Arg] | None] = {}
    pairs = _pairs(call)
    at = 0
    only_operands = False
    while at < len(pairs):
        word, node = pairs[at]
        at += 1
        if only_operands or isinstance(word, Unknown) or not word.value.startswith("-") or word.value == "-":
            if not (isinstance(word, Known) and word.value in ("-", "]", "]]", "!", "(", ")")):
                operands.append((word, node))
            continue
        text = word.value
        if text == "--":
            only_operands = True
        elif text in takes and at < len(pairs):
            options[text] = pairs[at]
            at += 1
        else:
            options[text] = None
    return operands, options


def _operands(call: Call, uses: Uses, mode: str, extent: str) -> None:
    operands, options = _split(call)
    name = call.program or ""
    if name in _FIRST_IS_NO_PATH and not any(o in ("-e", "-f", "--file", "--regexp") for o in options):
        operands = operands[1:]
    recursive = any(o in ("--recursive",) or (not o.startswith("--") and ("R" in o or "r" in o)) for o in options)
    for _, node in operands:
        if mode == "write" and name in ("mkdir", "touch", "truncate"):
            uses.operands.append(Operand(node, "write", "exact"))
            continue
        reach = "tree" if recursive or extent == "tree" else "exact"
        if mode != "read":
            if mode == "write":
                uses.operands.append(Operand(node, "read", reach))
            uses.operands.append(Operand(node, mode, reach))
            continue
        uses.operands.append(Operand(node, "read", reach))
    if mode == "read" and not operands and name in ("ls", "tree", "du"):
        _both_here(call, uses)


def _both_here(call: Call, uses: Uses) -> None:
    uses.operands.append(Operand(call.nodes[0], "read", "tree", call.cwd))


# --- programs with a grammar of their own ----------------------------------------------------------------------------


def _copy(call: Call, uses: Uses) -> None:
    """cp, mv, install, rsync, scp: the last operand, or the word of -t, is where it goes."""
    pairs = _pairs(call)
    takes = _TAKES_WORD.get(call.program or "", frozenset())
    operands: list[tuple[Value, Arg]] = []
    target: tuple[Arg, Value | None] | None = None
    directories = False
    at = 0
    while at < len(pairs):
        word, node = pairs[at]
        at += 1
        if isinstance(word, Known) and word.value.startswith("-") and word.value != "-":
            text = word.value
            if text in ("-t", "--target-directory") and at < len(pairs):
                target = (pairs[at][1], None)
                at += 1
            elif text.startswith("--target-directory="):
                target = (node, Known(text.partition("=")[2], word.args))
            elif text in takes and at < len(pairs):
                at += 1
            elif call.program == "install" and text in ("-d", "--directory"):
                directories = True
            continue
        if "://" in _text(word) or re.match(r"[^/@]*@[^/]*:", _text(word)):
            continue
        operands.append((word, node))
    if directories:
        uses.operands.extend(Operand(node, "write", "exact") for _, node in operands)
        return
    if target is None and operands:
        target = (operands.pop()[1], None)
    for _, node in operands:
        uses.operands.append(Operand(node, "read", "tree"))
        if call.program == "mv":
            uses.operands.append(Operand(node, "remove", "tree"))
    if target is not None:
        uses.operands.append(Operand(target[0], "write", "tree", target[1]))


def copies_by_links(call: Call) -> bool:
    """Whether `cp` makes links, hard or symbolic ones, to what it reads. (`--s` alone may be four options; coreutils
    9.)"""
    words = (word.value for word in call.words[1:] if isinstance(word, Known))
    return any(_MAKES_LINKS.match(word) for word in takewhile(lambda word: word != "--", words))


_MAKES_LINKS = regex(r"-[^-tS]*[ls]|--l(?:i(?:n(?:k)?)?)?$|--sy[a-z-]*$")
"""`-t` and `-S` take the rest of their word."""


def _link(call: Call, uses: Uses) -> None:
    pairs = [p for p in _pairs(call) if not (isinstance(p[0], Known) and p[0].value.startswith("-"))]
    symbolic = any(
        isinstance(word, Known) and word.value.startswith("-") and "s" in word.value for word, _ in _pairs(call)
    )
    if len(pairs) == 1:
        uses.operands.append(Operand(pairs[0][1], "read", "tree", _link_target(call, pairs[0][0], None, symbolic)))
        uses.operands.append(Operand(pairs[0][1], "write", "unknown", call.cwd))
        return
    for word, node in pairs[:-1]:
        value = _link_target(call, word, pairs[-1][0], symbolic)
        uses.operands.append(Operand(node, "read", "tree", value))
    if pairs:
        uses.operands.append(Operand(pairs[-1][1], "write", "tree"))


def _link_target(call: Call, word: Value, name: Value | None, symbolic: bool) -> Value | None:
    """A relative target of a symbolic link is seen from where the link is; None: the word itself is the path."""
    if not symbolic or not isinstance(word, Known) or word.value.startswith("/"):
        return None
    if name is None:
        return None
    place = join(call.cwd, name)
    if not isinstance(place, Known):
        return Unknown("where a symbolic link stands is not known")
    if isinstance(name, Known) and name.value.endswith("/"):
        return join(place, word)
    return join(Known(place.value.rpartition("/")[0] or "/"), word)


def _find(call: Call, uses: Uses) -> None:
    starts: list[Arg] = []
    changes = deletes = False
    expression = False
    for word, node in _pairs(call):
        text = word.value if isinstance(word, Known) else ""
        if not expression and text in ("-L", "-H", "-P"):
            continue
        if text.startswith(("-", "(", ")", "!", ",")):
            expression = True
            changes = changes or text in ("-delete", "-exec", "-execdir", "-ok", "-okdir", "-fprint", "-fls")
            deletes = deletes or text == "-delete"
        elif expression:
            deletes = deletes or text in REMOVES
        else:
            starts.append(node)
    places: list[tuple[Arg, Value | None]] = [(node, None) for node in starts] or [(call.nodes[0], call.cwd)]
    for node, value in places:
        uses.operands.append(Operand(node, "read", "tree", value))
        if changes:
            uses.operands.append(Operand(node, "write", "unknown", value))
        if deletes:
            uses.operands.append(Operand(node, "remove", "unknown", value))


def _tar(call: Call, uses: Uses) -> None:
    pairs = _pairs(call)
    letters = ""
    directory: tuple[Arg, Value] | None = None
    archive: tuple[Arg, Value | None] | None = None
    members: list[tuple[Arg, Value | None]] = []
    bases: list[Arg | None] = []
    base: Arg | None = None
    at = 0
    first = True
    while at < len(pairs):
        word, node = pairs[at]
        at += 1
        text = _text(word)
        if text in ("-C", "--directory") and at < len(pairs):
            directory = (pairs[at][1], _within(directory, pairs[at][0]))
            base = pairs[at][1]
            at += 1
        elif text.startswith(("--directory=", "-C")):
            given = text.partition("=")[2] if text.startswith("--") else text[2:]
            directory, base = (node, _within(directory, Known(given))), None
        elif text in ("-f", "--file") and at < len(pairs):
            archive = (pairs[at][1], None)
            at += 1
        elif text.startswith("--file="):
            archive = (node, Known(text.partition("=")[2]))
        elif text in ("--exclude", "-X", "-T", "-I", "--strip-components", "--transform") and at < len(pairs):
            at += 1
        elif text.startswith("--"):
            letters += {"--extract": "x", "--get": "x", "--create": "c", "--list": "t"}.get(text, "")
        elif text.startswith("-") or first:
            letters += text.lstrip("-")
            if "f" in text and at < len(pairs):
                archive = (pairs[at][1], None)
                at += 1
        else:
            members.append((node, None if directory is None else _within(directory, word)))
            bases.append(base if isinstance(word, Known) and "/" not in word.value.removeprefix("./") else None)
        first = False
    where = directory if directory is not None else (call.nodes[0], call.cwd)
    if archive is not None:
        uses.operands.append(Operand(archive[0], "write" if "c" in letters else "read", "exact", archive[1]))
    if "c" in letters:
        alone = _only_one_each(call, bases)
        for (node, value), own in zip(members, bases, strict=True):
            uses.operands.append(Operand(node, "read", "tree", value, own if id(own) in alone else None))
        if not members:
            uses.operands.append(Operand(where[0], "read", "tree", where[1]))
    elif "t" not in letters:
        uses.operands.append(Operand(where[0], "write", "unknown", where[1]))


_PACKING = regex(
    r"-?[cvzjJahp]+f?|-f?|--(?:create|file|directory|gzip|bzip2|xz|zstd|verbose|auto-compress|numeric-owner)"
    r"|--(?:file|owner|group|mode|mtime|sort|format)=.*"
)
"""Options of a `tar -c` with which it takes what stands among its words, and nothing else."""


def _only_one_each(call: Call, bases: Sequence[Arg | None]) -> set[int]:
    """The words (by their ids) of a `tar -c` that name a directory out of which it takes one member and nothing else,
    so that another directory with this one would do as well."""
    words = [_text(word) for word in call.words[1:]]
    options = [word for at, word in enumerate(words) if word.startswith("-") or at == 0]
    if not all(word == "-C" or _PACKING.fullmatch(word) for word in options):
        return set()
    counts = Counter(id(base) for base in bases if base is not None)
    others = [at for at, word in enumerate(words) if word in ("-C", "--directory")]
    # A later directory is meant from the one before it, unless it is absolute.
    held = {id(call.nodes[a + 2]) for a, b in pairwise(others) if not "".join(words[b + 1 : b + 2]).startswith("/")}
    return {base for base, count in counts.items() if count == 1 and base not in held}


def _within(directory: tuple[Arg, Value] | None, path: Value) -> Value:
    """A path that is meant from a directory given before it; the directory, whole, if the path is not known."""
    if directory is None or (isinstance(path, Known) and path.value.startswith("/")):
        return path
    if not isinstance(path, Known) or not isinstance(directory[1], Known):
        return directory[1]
    return Known(f"{directory[1].value}/{path.value}", path.args | directory[1].args)


def _unzip(call: Call, uses: Uses) -> None:
    pairs = _pairs(call)
    where: tuple[Arg, Value | None] = (call.nodes[0], call.cwd)
    at = 0
    while at < len(pairs):
        word, node = pairs[at]
        at += 1
        text = _text(word)
        if text == "-d" and at < len(pairs):
            where = (pairs[at][1], None)
            at += 1
        elif not text.startswith("-"):
            uses.operands.append(Operand(node, "read", "tree"))
    uses.operands.append(Operand(where[0], "write", "unknown", where[1]))


def _fetch(call: Call, uses: Uses) -> None:
    """curl and wget: they write what -o, -O or -P says, or into the directory."""
    pairs = _pairs(call)
    named = False
    here = call.program == "wget"
    fetched: list[tuple[Arg, str]] = []
    times = 0
    at = 0
    while at < len(pairs):
        word, node = pairs[at]
        at += 1
        text = _text(word)
        takes_file = ("-o", "--output") if call.program == "curl" else ("-O", "--output-document", "-o")
        bundle = not text.startswith("--") and text.startswith("-") and text[-1:] in "oO" and len(text) > 2
        if (text in takes_file or (bundle and "-" + text[-1] in takes_file)) and at < len(pairs):
            if pairs[at][0] != Known("-"):
                uses.operands.append(Operand(pairs[at][1], "write", "exact"))
            named = True
            at += 1
        elif text in ("-P", "--directory-prefix", "--output-dir") and at < len(pairs):
            uses.operands.append(Operand(pairs[at][1], "write", "unknown"))
            named = True
            at += 1
        elif text.startswith(("--output=", "--output-document=", "--directory-prefix=")):
            uses.operands.append(Operand(node, "write", "unknown", Known(text.partition("=")[2])))
            named = True
        elif call.program == "curl" and (text in ("--remote-name", "--remote-name-all") or (bundle or text == "-O")):
            here = True
            times += len(pairs) if text.endswith("-all") else 1
        elif "://" in text:
            fetched.append((node, text.partition("://")[2].partition("/")[2].rpartition("/")[2]))
        elif text.startswith("@"):
            uses.operands.append(Operand(node, "read", "exact", Known(text[1:])))
        elif text.startswith(("/", "./")):
            uses.operands.append(Operand(node, "read", "exact"))
    if here and not named and _by_address(call, [name for _, name in fetched], times):
        uses.operands.extend(Operand(node, "write", "exact", Known(name)) for node, name in fetched)
    elif here and not named:
        uses.operands.append(Operand(call.nodes[0], "write", "unknown", call.cwd))


_ELSEWHERE = _set("-J --remote-header-name --content-disposition -r --recursive -m --mirror -x -i --input-file")
_KEEP_NAME = _set("-N --timestamping -nc --no-clobber")
"""Without one of these wget gives another name to what it finds there already."""


def _by_address(call: Call, names: Sequence[str], times: int) -> bool:
    """Whether curl, told so `times`, and wget call all files by the last part of their addresses, which are `names`.
    (What a query becomes differs by version.)"""
    options = {_text(word) for word in call.words[1:]}
    if not names or any(isinstance(word, Unknown) for word in call.words) or options & _ELSEWHERE:
        return False
    sure = times >= len(names) if call.program == "curl" else bool(options & _KEEP_NAME)
    return sure and all(re.fullmatch(r"[\w.+-]+", name) for name in names)


def _git(call: Call, uses: Uses) -> None:
    operands, options = _split(call)
    elsewhere = not options.keys().isdisjoint(("-C", "--git-dir", "--work-tree"))
    texts = [_text(w) for w, _ in operands]
    if texts[:1] == ["config"]:
        return
    if texts[:1] == ["clone"] and not elsewhere:
        _clone(call, operands[1:], uses)
        return
    uses.anything = True
    _named(call, uses, "unknown")
    if texts[:1] == ["clean"] and not elsewhere:
        uses.operands.append(Operand(call.nodes[0], "remove", "unknown", call.cwd))


def _clone(call: Call, operands: Sequence[tuple[Value, Arg]], uses: Uses) -> None:
    """`git clone [OPTIONS] SOURCE [DIRECTORY]`; without a directory it is named after the source."""
    if len(operands) > 1 and isinstance(operands[1][0], Known):
        uses.operands.append(Operand(operands[1][1], "write", "tree"))
        return
    source = operands[0][0] if len(operands) == 1 else Unknown("the directory of this clone is not known")
    name = source.value.rstrip("/").removesuffix("/.git").rpartition("/")[2] if isinstance(source, Known) else ""
    name = name.rpartition(":")[2].removesuffix(".git")
    if name:
        uses.operands.append(Operand(call.nodes[0], "write", "tree", join(call.cwd, Known(name))))
        return
    uses.operands.append(Operand(call.nodes[0], "write", "unknown", call.cwd))


def _sed(call: Call, uses: Uses) -> None:
    pairs = _pairs(call)
    in_place = script = False
    operands: list[Arg] = []
    at = 0
    while at < len(pairs):
        word, node = pairs[at]
        at += 1
        text = _text(word)
        if text.startswith("-") and text != "-":
            in_place = in_place or text.startswith(("-i", "--in-place")) or (not text.startswith("--") and "i" in text)
            if text in ("-e", "-f", "--expression", "--file") or (not text.startswith("--") and text.endswith("e")):
                script = True
                at += 1
            script = script or text.startswith(("--expression=", "--file="))
            continue
        operands.append(node)
    for node in operands if script else operands[1:]:
        uses.operands.append(Operand(node, "read", "exact"))
        if in_place:
            uses.operands.append(Operand(node, "write", "exact"))


def _awk(call: Call, uses: Uses) -> None:
    operands, options = _split(call)
    for _, node in operands if "-f" in options else operands[1:]:
        uses.operands.append(Operand(node, "read", "exact"))


def _tee(call: Call, uses: Uses) -> None:
    for _, node in _split(call)[0]:
        uses.operands.append(Operand(node, "write", "exact"))


def _dd(call: Call, uses: Uses) -> None:
    for word, node in _pairs(call):
        text = word.value if isinstance(word, Known) else call.prefix(node)[0]
        name, _, path = text.partition("=")
        if name in ("if", "of"):
            value = Known(path, word.args) if isinstance(word, Known) else Unknown("a word of dd is not known")
            uses.operands.append(Operand(node, "read" if name == "if" else "write", "exact", value))


def _cd(call: Call, uses: Uses) -> None:
    for word, node in _pairs(call):
        if not (isinstance(word, Known) and word.value.startswith("-")):
            uses.operands.append(Operand(node, "read", "exact"))


def _source(call: Call, uses: Uses) -> None:
    for _, node in _pairs(call)[:1]:
        uses.operands.append(Operand(node, "read", "exact"))


_PIP_PLACES = _set(
    "-t --target --prefix --root --cache-dir -d --dest --destination-dir -w --wheel-dir --src --log --log-file "
    "--local-log --report"
)
_PIP_LINKS = _set("-i --index-url --extra-index-url -f --find-links --trusted-host")


def _pip(call: Call, uses: Uses) -> None:
    """pip: requirement files and local projects; a local project is read whole."""
    uses.writes = _SYSTEM_PLACES
    _homes(call, uses, ("write",))
    for each in said(call):
        node = call.nodes[each.at]
        value = each.value if each.joined else None
        if each.option in FILES:
            uses.operands.append(Operand(node, "read", "exact", value))
        elif each.option in _PIP_PLACES:
            uses.operands.append(Operand(node, "write", "unknown", value))
        elif each.option in _PIP_LINKS:
            if each.text.startswith(("/", ".", "file:")):
                place = local_place(each.text) if each.whole else None
                uses.operands.append(Operand(node, "read", "tree", Known(place) if place else value))
        elif may_be_place(each.text, each.whole, sure=each.option in EDITABLE):
            _project(uses, each, node)
    for name in ENVIRONMENT:
        given = call.lookup(name)
        for one in given.value.split() if isinstance(given, Known) else ():
            uses.operands.append(Operand(call.nodes[0], "read", "tree", join(call.cwd, Known(one))))


def _project(uses: Uses, each: Said, node: Arg) -> None:
    """A project in a directory, or an archive. Extras without quotes are a pattern, which the shell hands on as it is
    where no file is called so."""
    place = local_place(each.text)
    if each.whole:
        _both(uses, node, "unknown", None if place == each.text and not each.joined else Known(place or each.text))
        return
    start, opened, _ = each.text.partition("[")
    written = is_with_extras(getattr(node, "text", ""))
    inside = place if written else start if opened else None
    linked = "@" in each.text or "file:" in each.text
    _both(uses, node, "unknown", each.value if each.joined or linked or opened else None)
    if inside:
        _both(uses, node, "unknown", Known(inside))


def _pipx(call: Call, uses: Uses) -> None:
    """pipx: what it installs, it installs with pip; what it runs may do anything."""
    handed_on = any(_text(word).startswith("--pip-args") for word in call.words)
    if call.words[1:2] == (Known("install"),) and not handed_on:
        _pip(call, uses)
        return
    uses.anything = True
    _homes(call, uses, ("read", "write"))
    _named(call, uses, "unknown")


def _shell(call: Call, uses: Uses) -> None:
    """A shell that reads its script from input, or a script file that it names."""
    uses.anything = True
    _named(call, uses, "unknown")
    operands, _ = _split(call)
    for word, node in operands[:1]:
        if not (isinstance(word, Known) and "/" in word.value):
            uses.operands.append(Operand(node, "read", "exact"))


_SPECIAL: dict[str, Callable[[Call, Uses], None]] = {
    "cp": _copy, "mv": _copy, "install": _copy, "rsync": _copy, "scp": _copy, "ln": _link, "find": _find, "tar": _tar,
    "bsdtar": _tar, "unzip": _unzip, "curl": _fetch, "wget": _fetch, "git": _git, "sed": _sed, "awk": _awk,
    "gawk": _awk, "mawk": _awk, "tee": _tee, "dd": _dd, ".": _source, "source": _source,
    "cd": _cd, "pushd": _cd,
    "pipx": _pipx, "sh": _shell, "bash": _shell, "dash": _shell, "ash": _shell,
}  # fmt: skip
