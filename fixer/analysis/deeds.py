"""What only root can do: a step that installs packages or makes accounts, and must succeed, is run by root.

So a file tells who the base image's user is although nobody knows the image: if it were another one, the file would
not build. Read from the script alone, before anything else is known of the stage.
"""

from __future__ import annotations

from collections.abc import Sequence

from fixer.text.regex import regex
from fixer.tree.nodes import ExecForm, Instruction, Run
from fixer.tree.shell import OpaqueScript, Pipeline, Script, Simple

DEED = regex(r"apt|apk|yum|dnf|zypper|user|group")
"""A RUN without any of these has nothing that is looked for here."""

_PACKAGES = frozenset(("apt-get", "apt", "apk", "yum", "dnf", "microdnf", "tdnf", "zypper"))
_CHANGES = frozenset(("install", "update", "upgrade", "add", "dist-upgrade", "groupinstall", "purge"))
_ACCOUNTS = frozenset(("useradd", "adduser", "groupadd", "addgroup", "usermod", "groupmod"))


def only_root(run: Instruction, script: Script | OpaqueScript | None) -> bool:
    """Whether `run` surely does, first or in a chain that must succeed, what only root can. `script` is its script."""
    if not isinstance(run, Run) or isinstance(script, OpaqueScript):
        return False
    if script is None:
        return isinstance(run.form, ExecForm) and _deed(run.form.values)
    stops = False
    for item in script.items:
        if any(operator.text != "&&" for operator in item.operators):
            # What stands behind may run after a failure.
            return False
        if stops or item is script.items[-1]:
            if any(_is_deed(pipeline) for pipeline in item.pipelines):
                return True
        elif len(item.pipelines) == 1 and _sets_errexit(item.pipelines[0]):
            stops = True
    return False


def _words(pipeline: Pipeline) -> Sequence[str]:
    command = pipeline.commands[0]
    if len(pipeline.commands) > 1 or pipeline.negated or not isinstance(command, Simple):
        return ()
    return [word.static or "" for word in command.words]


def _is_deed(pipeline: Pipeline) -> bool:
    return _deed(_words(pipeline))


def _deed(words: Sequence[str]) -> bool:
    if not words:
        return False
    name = words[0].rpartition("/")[2]
    if name in _PACKAGES:
        rest = [word for word in words[1:] if word and not word.startswith("-")]
        return bool(rest) and rest[0] in _CHANGES and not any("--root" in word for word in words)
    return name in _ACCOUNTS and len(words) > 1


def _sets_errexit(pipeline: Pipeline) -> bool:
    words = _words(pipeline)
    return len(words) > 1 and words[0] == "set" and words[1].startswith("-") and "e" in words[1]
