"""Which steps of a workflow may write into the workspace, where builds find what they copy.

It is the other way round: a step may write there, unless it is known to write nothing, or elsewhere.
"""

from __future__ import annotations

import re

from fixer.analysis.expressions import EXPRESSION
from fixer.analysis.workflow import BAKE, BUILD, CHECKOUT, Step, default_shell, listed, text_of
from fixer.tree.cook import Cooked
from fixer.tree.parse_shell import parse_shell
from fixer.tree.shell import Function, Literal, OpaqueScript, Parameter, Redirect, Simple, Tilde, Word

_ASIDE_ACTIONS = (
    "actions/attest", "actions/create-github-app-token", "actions/setup-", "actions/upload-artifact", "aws-actions/",
    "azure/login", "azure/docker-login", "azure/setup-", "codecov/codecov-action", "crazy-max/ghaction-", "docker/",
    "dorny/paths-filter", "google-github-actions/", "gradle/actions/setup-gradle", "gradle/wrapper-validation-action",
    "hadolint/hadolint-action", "jlumbroso/free-disk-space", "rlespinasse/github-slug-action", "sigstore/", "slackapi/",
    "step-security/harden-runner",
)  # fmt: skip
"""Actions that write nothing that a build takes: what google-github-actions/auth writes belongs into a .dockerignore,
as its manual says."""
_BY_PATH = ("actions/cache", "actions/cache/restore", "actions/download-artifact")
"""Actions that write where their `path` says."""
_OUTSIDE = re.compile(r"[~/]|!|\$\{\{\s*runner\.\w+\s*\}\}/|\$\{\{\s*env\.(?:HOME|RUNNER_TEMP)\s*\}\}/")
_PROGRAMS = frozenset(
    {
        ":", "[", "apt", "apt-get", "basename", "break", "cat", "cd", "continue", "cut", "date", "df", "dirname", "du",
        "echo", "egrep", "exit", "export", "false", "fgrep", "free", "grep", "head", "id", "jq", "local", "ls", "nproc",
        "popd", "printf", "pushd", "pwd", "read", "readonly", "return", "seq", "set", "sha256sum", "shift", "shopt",
        "sleep", "sort", "stat", "tail", "test", "tr", "true", "type", "uname", "uniq", "unset", "wc", "which",
        "whoami",
    }
)  # fmt: skip
"""Programs that write into their output alone, or into the system."""
_COMMANDS = re.compile(
    r"git (?:rev-parse|describe|log|config|fetch|rev-list|show|diff|status|symbolic-ref|name-rev|ls-remote|ls-files)\b"
    r"|aws (?:ecr|sts|configure|ecs|lambda)\b|gcloud (?:auth|config)\b|az (?:login|acr|account)\b|cosign\b"
    r"|docker (?:login|logout|pull|push|tag|images|inspect|info|version|rm|rmi|stop|kill|logs|ps|wait|manifest)\b"
    r"|docker (?:image|system|network|volume|trust|context)\b"
    r"|docker (?:buildx )?(?:imagetools|ls|inspect|create|use|version|prune)\b"
    r"|docker (?:container )?run (?!(?:.* )?(?:-\w*v|--volumes?(?:-from)?|--mount|--cidfile)\b)"
    r"|sed (?!(?:.* )?(?:-\w*i|--in-place))(?!.*\bw )|awk [^>]*\Z"
    r"|curl (?!(?:.* )?(?:-\w*[oOJcD]|--(?:output|remote|cookie-jar|dump)))"
    r"|rm (?:-\w+ )*(?:/(?!home/runner/work)\S+(?: |\Z))+\Z|gh (?:api|pr|auth)\b"
)
"""Commands with the words behind them that write no files there either."""
_FILES = re.compile(r"GITHUB_(?:OUTPUT|ENV|PATH|STEP_SUMMARY|STATE)|RUNNER_TEMP|HOME")


def may_write(step: Step) -> bool:
    """Whether a step may write what a build copies, or checks it out. Of an action of the repository's own that cannot
    be read it is true."""
    if step.run is not None:
        return not _is_quiet(step)
    if step.action in (BUILD, BAKE):
        said = (step.input("outputs") or "") + (step.input("set") or "")
        return "dest=" in said or "type=local" in said
    if step.action in _BY_PATH:
        paths = listed(step.input("path"))
        return not paths or not all(_OUTSIDE.match(path) for path in paths)
    return step.action == CHECKOUT or not step.action.startswith(_ASIDE_ACTIONS)


def _is_quiet(step: Step) -> bool:
    """Whether a script surely writes nothing into the workspace."""
    run = step.run
    assert run is not None
    if (text_of(step.node.get("shell")) or default_shell(step) or "bash").partition(" ")[0] not in ("bash", "sh"):
        return False
    text = EXPRESSION.sub("expression", run.text)
    for node in parse_shell(Cooked(text, [(0, len(text))]), 0, "bash").walk():
        if isinstance(node, OpaqueScript | Function):
            return False
        if isinstance(node, Redirect) and ">" in node.op and not _goes_elsewhere(node):
            return False
        if isinstance(node, Simple) and node.words and not _is_quiet_call([word.static for word in node.words]):
            return False
    return True


def _is_quiet_call(words: list[str | None]) -> bool:
    while words[:1] == ["sudo"]:
        words = words[1:]
    if not words or words[0] is None:
        return False
    return words[0] in _PROGRAMS or _COMMANDS.match(" ".join(word or "?" for word in words)) is not None


def _goes_elsewhere(redirect: Redirect) -> bool:
    if redirect.op.endswith("&"):
        return (redirect.target.static or "").isdigit() or redirect.target.static == "-"
    return _is_elsewhere(redirect.target)


def _is_elsewhere(word: Word) -> bool:
    first = word.parts[0] if word.parts else None
    if isinstance(first, Parameter):
        return not first.op and _FILES.fullmatch(first.name) is not None
    if isinstance(first, Tilde):
        return True
    return isinstance(first, Literal) and first.value.startswith(("/dev/", "/tmp/", "/etc/"))
