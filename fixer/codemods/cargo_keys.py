"""What a step is given to reach private crates, and a later one is not: where the layer of the first holds the crates,
the second needs no key; behind a cache mount, which may be empty when that layer is an old one, it would. For
cargo-cache."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from posixpath import basename

from fixer.analysis import Call, Facts, Known, Stage, Value, below
from fixer.text.regex import regex
from fixer.tree.nodes import Run
from fixer.tree.shell import OpaqueScript

_VARIABLE = regex(r"(?i)(?:^GIT_(?:SSH|ASK|CONFIG)|^SSH_|_PROXY$|TOKEN|PASS|SECRET|CREDENTIAL|_KEY$|_AUTH)")
"""Names of variables that let somebody in, or say how. (git(1); the Cargo book, "Environment Variables")"""
_FILES = frozenset((".ssh", ".netrc", ".git-credentials", ".gitconfig", "credentials", "credentials.toml", ".gnupg"))
"""Files and directories of a home, and of a cargo home, that do."""
_WORDS = ("ssh", "netrc", "git", "credentials", "secret", "logout", "gnupg", "id_", "SSH", "TOKEN", "token", "PASS",
          "SECRET", "KEY", "AUTH", "PROXY", "proxy")  # fmt: skip
"""Without one of these words in the text there is no key."""


def may_have_keys(facts: Facts) -> bool:
    return any(facts.mentions(word) for word in _WORDS)


def keys_of(facts: Facts, run: Run, calls: Sequence[Call]) -> set[str]:
    """What lets the step in, and is there for as long as it runs: by its own mounts, variables and programs."""
    found: set[str] = set()
    for mount in facts.mounts(run):
        if mount.type in ("ssh", "secret"):
            found.add(f"{mount.type} {mount.id}")
        elif mount.type == "bind" and isinstance(mount.target, Known) and _is_key(mount.target.value):
            found.add(mount.target.value)
    facts.charge(1 + len(calls) // 4)
    for call in calls:
        names = [*call.local, *_exported(call)]
        if call.program in ("ssh-add", "ssh-agent"):
            names.append("SSH_AUTH_SOCK")
        found.update(name for name in names if _VARIABLE.search(name))
    return found


def _exported(call: Call) -> Iterator[str]:
    if call.program == "export":
        for word in call.words[1:]:
            if isinstance(word, Known):
                yield word.value.partition("=")[0]


def arguments_of(facts: Facts, run: Run) -> set[str]:
    """The build arguments that may let the step in. They end with the stage."""
    return {name for name in facts.state(run).args if _VARIABLE.search(name)}


def takes_away(facts: Facts, run: Run) -> bool:
    """Whether the step removes what may let somebody in."""
    if not any(word in run.code for word in ("rm", "unset", "remove", "logout", "shred", "mv")):
        return False
    calls = facts.calls(run)
    if isinstance(calls, OpaqueScript):
        return False
    for call in calls:
        words = [word.value if isinstance(word, Known) else "" for word in call.words]
        if call.program == "git" and "config" in words and any(w.startswith(("--unset", "--remove")) for w in words):
            return True
        if call.program == "cargo" and "logout" in words:
            return True
    effects = facts.effects(run)
    facts.charge(1 + len(effects) // 4)
    return any(
        effect.mode == "remove" and effect.through_mount is None and _removes_key(effect.path, effect.start)
        for effect in effects
    )  # fmt: skip


def _removes_key(path: Value, start: str) -> bool:
    return _is_key(path.value) if isinstance(path, Known) else bool(start) and _is_key(start.rstrip("/"))


def _is_key(path: str) -> bool:
    """A file of that name, or one in a directory of that name; not what is called so in /usr or /var."""
    parts = path.split("/")
    known = not _FILES.isdisjoint(parts) or basename(path).startswith("id_")
    return known and not any(below(path, place) for place in ("/usr/share", "/usr/lib", "/var", "/tmp"))


def between(facts: Facts, run: Run, last: Run, stage: Stage) -> Iterator[Run]:
    """The RUNs from `run` to `last`, which is one of `stage`; these included."""
    begun = False
    for each in facts.passing(stage.lineage):
        for instruction in each.instructions:
            begun = begun or instruction is run
            if begun and isinstance(instruction, Run):
                yield instruction
            if instruction is last:
                return

