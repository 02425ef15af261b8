"""What may change the package sources that `apt-get update` reads: commands, and files that COPY and ADD bring."""

from __future__ import annotations

from fixer.analysis import Call, Facts, Known, Unknown, below
from fixer.analysis.commands import Arg
from fixer.analysis.paths import Effect
from fixer.analysis.programs import ONLY_LOOK, REMOVES
from fixer.tree.nodes import Run
from fixer.tree.shell import Word

SOURCES = "/etc/apt"
_NAMES = ("/etc", "etc/")
"""One of these stands in what names a path there."""
_NAMED = ("etc/apt",)
_REPOSITORIES = frozenset(("add-apt-repository", "apt-add-repository", "extrepo"))
_READ = frozenset((*ONLY_LOOK, "cat", "head", "tail", "grep", "echo", "printf", "cd", "export"))
"""Programs that change none of the files that they name."""
_KEYS = frozenset(("gpg", "apt-key"))
"""Programs that write a keyring whose name stands behind an option."""
_BRINGS = ("-i", "--install", "--unpack", "--add-architecture")
"""What makes `dpkg` bring a package, which may bring a source, or ask for more lists."""
_TREES = frozenset(("cp", "mv", "rsync"))
"""Programs that put things into a directory that is there. (What `tar -C /` unpacks is a program far more often than a
system.)"""
_ALL = frozenset(("", ".", "apt", "etc"))
"""What an operand of theirs is called that may be all of a directory (as a pattern may), or one on the way there."""


def changes_sources(facts: Facts, run: Run, call: Call) -> bool:
    """Whether a command of a RUN may change the package sources, their keys or apt's settings. One that removes some
    does not count: apt does not look at lists of a source that it has no more."""
    if call.program in _REPOSITORIES:
        return True
    if call.program == "dpkg" and any((call.argument(i) or "").startswith(_BRINGS) for i in range(1, len(call.words))):
        return True
    if call.program in _KEYS and any(call.prefix(node)[0].startswith(f"{SOURCES}/") for node in call.nodes[1:]):
        return True
    named = facts.may_name(run, _NAMED)
    if named and "xargs" in call.wrappers and call.program not in _READ and call.program not in REMOVES:
        return True
    if call.program not in _TREES and not facts.may_name(run, _NAMES):
        return False
    # In the text of a program: `python3 -c "open('/etc/apt/sources.list', 'a')…"`.
    told = named and call.program not in _READ and call.program not in REMOVES
    if told and any(below(path, SOURCES) for _, path in facts.call_mentions(call)):
        return True
    return any(_reaches(call, effect, named) for effect in facts.call_effects(call) if effect.mode == "write")


def _reaches(call: Call, effect: Effect, named: bool) -> bool:
    if effect.implicit:
        return effect.path == call.cwd and isinstance(effect.path, Known) and below(effect.path.value, SOURCES)
    if isinstance(effect.path, Unknown):
        if effect.start.startswith(f"{SOURCES}/"):
            return True
        # A variable may hold what the RUN names elsewhere: `for f in /etc/apt/sources.list.d/*`.
        relative = not effect.start and isinstance(effect.site, Word) and call.prefix(effect.site)[0] != ""
        return named and not relative and f"{SOURCES}/".startswith(effect.start)
    if below(effect.path.value, SOURCES):
        return True
    whole = any(_is_all(_text(node)) for node in call.nodes[1:-1])
    return whole and call.program in _TREES and effect.extent == "tree" and below(SOURCES, effect.path.value)


def _is_all(text: str) -> bool:
    name = text.rstrip("/").rpartition("/")[2]
    return name in _ALL or any(sign in name for sign in "*?[$")


def _text(node: Arg) -> str:
    return node.text.strip("\"'") if isinstance(node, Word) else node.value
