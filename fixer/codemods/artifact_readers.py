"""How much a reader of a path wants what is there, and whether a step with a mount is seen to write it."""

from __future__ import annotations

from enum import Enum

from fixer.analysis import Call, Effect, Facts, Known, Mount, Reader, Unknown, below, clean, related
from fixer.analysis.programs import (
    ABOUT_THE_SYSTEM,
    NO_CONTENT,
    ONLY_LOOK,
    REMOVES,
    find_actions,
    only_files,
    surely_reads,
)
from fixer.analysis.tools.cargo import cargo_of
from fixer.analysis.tools.compilers import output_of
from fixer.codemods.artifacts import cargo_calls
from fixer.text.source import Span
from fixer.tree.nodes import JsonString, Run
from fixer.tree.shell import OpaqueScript, Simple


class Need(Enum):
    """What a reader wants.

    CONTENT: it surely reads what is there. PERHAPS: a program that is not known names the path, or it is a part of
    a word: it may as well write there. LOOK: it says what is there. NONE: it clears the place, or writes there.
    """

    CONTENT = "content"
    PERHAPS = "perhaps"
    LOOK = "look"
    NONE = "none"


_FILTERS = frozenset(("wc", "sort", "head", "tail", "grep", "egrep", "fgrep", "uniq", "cat", "tee", "tr"))
"""Programs that take lines from the one before them, and give lines."""


def need_of(facts: Facts, reader: Reader) -> Need:
    """What the reader wants of what it names."""
    call = reader.call
    if call is None or reader.kind == "symlink":
        return Need.CONTENT
    facts.charge(1 + len(call.nodes) // 20)
    if output_of(call.words, call.cwd) == reader.path:
        return Need.NONE
    listed = call.program in ONLY_LOOK
    if call.program == "find":
        done = find_actions(call)
        if done and done <= {"-delete", *REMOVES}:
            return Need.NONE
        listed = not done
    if listed and not call.in_substitution:
        after = _behind(facts, reader, call)
        if after is not None:
            return after
    return Need.CONTENT if surely_read(facts, call, reader.span) else Need.PERHAPS


def surely_read(facts: Facts, call: Call, span: Span) -> bool:
    """Whether the command surely reads what its text `span` names."""
    if not any(effect.mode == "read" and effect.span == span for effect in facts.call_effects(call)):
        return False
    for node in call.nodes:
        if span == (node.string.span if isinstance(node, JsonString) else Span(node.start, node.end)):
            return surely_reads(call, node)
    return any(span == Span(each.target.start, each.target.end) for each in call.redirects)


def _behind(facts: Facts, reader: Reader, call: Call) -> Need | None:
    """What comes of a list of names: LOOK if people see it, NONE if all of them are removed, None if somebody may read
    what they name."""
    pipeline = call.pipeline
    if pipeline is None or call.simple is None or not call.piped:
        return Need.LOOK
    calls = facts.calls(reader.instruction)
    by_node = {id(c.simple): c for c in (() if isinstance(calls, OpaqueScript) else calls)}
    facts.charge(len(by_node))
    at = next((at for at, command in enumerate(pipeline.commands) if command is call.simple), None)
    if at is None:
        return None
    for command in pipeline.commands[at + 1 :]:
        later = by_node.get(id(command)) if isinstance(command, Simple) else None
        if later is None:
            return None
        if "xargs" in later.wrappers:
            return Need.NONE if later.program in REMOVES else Need.LOOK if later.program in ONLY_LOOK else None
        if later.program not in _FILTERS:
            return None
    return Need.LOOK


def is_seen(facts: Facts, run: Run, mount: Mount, reader: Reader) -> bool:
    """Whether the step says that it writes, below its mount, what the reader names: cargo compiles there, or a word
    names it."""
    target = str(mount.target)
    facts.charge(1 + len(facts.effects(run)) // 20)
    path = reader.path.value if isinstance(reader.path, Known) else target
    for _, cargo in cargo_calls(facts, run):
        if cargo.compiles and any(related(directory, path) for directory in cargo.target_dirs()):
            return True
    named = any(_names(effect, target, path) or _works(effect, target, path) for effect in facts.effects(run))
    return named or _mentioned(facts, run, target, path)


def _works(effect: Effect, target: str, path: str) -> bool:
    """A program that is not known, and whose current directory lies in the mount."""
    call = effect.call
    if effect.mode != "write" or not effect.implicit or call is None or effect.path != call.cwd:
        return False
    here = isinstance(effect.path, Known) and below(effect.path.value, target) and related(effect.path.value, path)
    return here and is_unknown(call)


def _names(effect: Effect, target: str, path: str) -> bool:
    if effect.mode != "write" or effect.implicit or (effect.call is not None and effect.call.program in NO_CONTENT):
        return False
    if isinstance(effect.path, Known):
        return below(effect.path.value, target) and related(effect.path.value, path)
    fits = path == target or path.startswith(effect.start)
    return effect.start != "" and below(clean(effect.start), target) and fits


def _mentioned(facts: Facts, run: Run, target: str, path: str) -> bool:
    calls = facts.calls(run)
    if isinstance(calls, OpaqueScript):
        return True
    parts = (part for call in calls for _, part in facts.call_mentions(call))
    return any(below(part, target) and related(part, path) for part in parts)


def may_make(facts: Facts, run: Run, mount: Mount, path: str) -> bool:
    """Whether the step may have made `path` below its mount: it names it, or a program that is not known works in a
    directory above. (Package managers keep things of their own in caches, and nothing that a build made.)"""
    target = str(mount.target)
    facts.charge(1 + len(facts.effects(run)) // 20)
    for effect in facts.effects(run):
        if _names(effect, target, path):
            return True
        if effect.mode != "write" or (effect.call is not None and not is_unknown(effect.call)):
            continue
        above = isinstance(effect.path, Known) and below(path, effect.path.value)
        if above or (isinstance(effect.path, Unknown) and path.startswith(effect.start)):
            return True
    return _mentioned(facts, run, target, path)


def runs_unknown(facts: Facts, run: Run) -> bool:
    """Whether the step runs a program that may do anything."""
    calls = facts.calls(run)
    if isinstance(calls, OpaqueScript):
        return True
    facts.charge(1 + len(calls) // 4)
    return any(call.words and is_unknown(call) for call in calls)


def is_unknown(call: Call) -> bool:
    """Whether the program may do anything in its directory."""
    name = call.program
    return name is None or not (only_files(name) or name in ABOUT_THE_SYSTEM or name in ("pip", "pip3"))


def runs_stranger(facts: Facts, run: Run) -> bool:
    """Whether the step runs a program that is neither known nor cargo: it may make anything, and need anything that is
    there. What cargo compiles it links again; what others add to it (`cargo deb`) may only take what is there."""
    calls = facts.calls(run)
    if isinstance(calls, OpaqueScript):
        return True
    facts.charge(1 + len(calls) // 4)
    for call in calls:
        if call.words and is_unknown(call) and call.program not in ("sccache", "ccache"):
            cargo = cargo_of(call)
            if cargo is None or not cargo.known:
                return True
    return False
