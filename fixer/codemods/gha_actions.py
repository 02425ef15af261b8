"""What actions of a workflow may keep of the secrets that they are given.

As with scripts, one that is not known may keep them all; here are those that are known.
"""

from __future__ import annotations

import re

from fixer.analysis.workflow import CHECKOUT, Step, default_directory, default_shell, text_of

GOOGLE = "google-github-actions/auth"
AWS = "aws-actions/configure-aws-credentials"
DOWNLOAD = "actions/download-artifact"
UPLOAD = "actions/upload-artifact"
_OTHER_DOWNLOAD = "dawidd6/action-download-artifact"
_FAMILIAR = re.compile(
    r"(?:actions|github|docker|aws-actions|azure|google-github-actions|sigstore|anchore|aquasecurity|codecov|hadolint|"
    r"reviewdog|sonarsource|snyk|hashicorp|pnpm|ruby|shivammathur|oven-sh|denoland|astral-sh|swatinem|dtolnay|"
    r"peter-evans|softprops|dorny|tj-actions|tailscale|depot|renovatebot|googleapis|changesets|datadog|getsentry|"
    r"step-security|cachix|mozilla-actions|redhat-actions|oras-project|nrwl|webfactory|appleboy|superfly|cloudflare|"
    r"ossf|crazy-max|digitalocean|fossas|chromaui|zricethezav|gitleaks|trufflesecurity|gittools|8398a7|rtcamp|slackapi)/.+"
)
"""Those of owners whose actions log in, bring tools, look at the code, or tell others; what they write of a secret, if
anything, is beside the workspace."""
_QUIET = re.compile(
    r"login|setup|install|metadata|slack|discord|telegram|mattermost|teams|webhook|notif|e?mail|comment|label|status|"
    r"coverall|sonar|scan|trivy|snyk|lint|audit|release|publish|upload|deploy|rollout|purge|invalidat|dispatch|trigger|"
    r"workflow|wait|badge|pull-request|push|commit|ssh|scp|rsync|sign|sbom|attest|cache|tailscale|sentry|lock|"
    r"approve|assign|merge|stale|triage|tag|bump|changelog|version|import-gpg|app-token|workload-identity|clean|prune|"
    r"delete|download-artifact|disk-space|docker|image|helm|argocd|semantic|paths-filter|changed-files|jira|linear|kubectl|http-request|check(?!out)|report|"
    r"review|netrc"
)
"""Words in names of actions that do such things."""
_WRITES = re.compile(
    r"env-?file|to-file|write-file|create-(?:a-)?(?:\w+-)?file|dotenv|substitut|replace-?token|jinja|mustache|template|"
    r"envsubst|crypt|sops|(?:find|file|string)\w{0,20}-(?:and-)?replace|(?:json|yaml|yml)-(?:update|edit)"
)
"""Actions that put what they are given, or have in their environment, into files."""
_GIVES = re.compile(
    r"vault|secret|1password|doppler|infisical|bitwarden|akeyless|conjur|ksm-action|parameter-store"
    r"|(?<![a-z])ssm(?!-(?:send|run|command|session|port)|[a-z])|get-?parameters?|chamber|berglas"
)
"""Actions that put secrets into their outputs, and into variables of later steps, whose names they may choose."""
_LOGIN = re.compile(r"(?:docker|ecr|acr|gcr|registry|container)[\w-]{0,40}login|docker/login-action")
"""Actions that log in to a registry, as docker keeps it."""
_HOME = re.compile(r"login|auth|credential|ssh|gpg|kube|netrc|npmrc|setup-git")
"""Actions that keep what they are given in the home directory, where programs look for it."""
_CODE = frozenset({"script", "run", "command", "commands", "cmd", "inlinescript", "inline-script", "code"})
"""Inputs of actions that are code, which runs in the workspace."""
_RETRY = "wandalen/wretry.action"
_SCRIPTS = frozenset({_RETRY, "nick-fields/retry", "nick-invision/retry"})
"""Actions whose `command` runs as a script of the workflow does (README of each); the first runs actions, too."""
_ENGINE = re.compile(r"docker-run|run-in-docker")
"""Actions that run it in a container, which may have the workspace in it."""
_REMOTE = re.compile(r"\bssh\b")
"""Actions that run it elsewhere."""
_JOB_TOKEN = "actions/create-github-app-token"
_PERSISTS_BELOW = 6
"""actions/checkout keeps its token in `.git/config` in the versions before this one (README of v6)."""


def script_of(step: Step) -> str | None:
    """What a step runs as a script of the workflow."""
    if step.run is not None:
        return step.run.text
    return step.input("command") or None if step.action in _SCRIPTS else None


def shell_of(step: Step) -> str:
    """The shell of such a script."""
    if step.run is None:
        return (step.input("shell") or "bash").strip()
    return text_of(step.node.get("shell")) or default_shell(step) or "bash"


def directory_of(step: Step) -> str:
    """Where it runs."""
    if step.run is None:
        return (step.input("current_path") or ".").strip()
    return text_of(step.node.get("working-directory")) or default_directory(step) or "."


def _name(step: Step) -> str:
    """The action that a step uses, or that this runs for it."""
    inner = (step.input("action") or "").partition("@")[0].strip().lower() if step.action == _RETRY else ""
    return step.action if inner in ("", CHECKOUT, GOOGLE, AWS, DOWNLOAD, UPLOAD, _OTHER_DOWNLOAD) else inner


def gives(step: Step) -> bool:
    """Whether an action gets secrets for later steps."""
    return _GIVES.search(_name(step)) is not None


def exports(step: Step) -> bool:
    """Whether an action that gets secrets puts them into variables."""
    said = [(step.input(name) or "").strip().lower() for name in ("export-env", "exportenv")]
    return gives(step) and "false" not in said


def ends_with_job(step: Step) -> bool:
    """Whether the token that an action gives ends with the job: actions/create-github-app-token takes it back then."""
    said = [step.input(name) or "false" for name in ("skip-token-revoke", "skip_token_revoke")]
    return step.action == _JOB_TOKEN and all(one.strip().lower() == "false" for one in said)


def downloads(step: Step) -> bool:
    """Whether an action brings artifacts."""
    return step.action in (DOWNLOAD, _OTHER_DOWNLOAD)


def of_other_runs(step: Step) -> bool:
    """Whether they may be those of another run, which is mostly one of another workflow."""
    return step.action == _OTHER_DOWNLOAD or bool(step.input("run-id"))


def writes(step: Step) -> bool:
    """Whether an action is made to put what it finds into files."""
    return _WRITES.search(_name(step)) is not None


def is_familiar(step: Step) -> bool:
    """Whether an action is known to put no secret that it is given into files of the workspace, but for what other
    functions say."""
    name = _name(step)
    if writes(step) or _ENGINE.search(name) is not None:
        return False
    if gives(step):
        return True
    if name.startswith(("./", "docker://")):
        return False
    return _FAMILIAR.match(name) is not None or _QUIET.search(name.partition("/")[2]) is not None


def gives_file(step: Step) -> bool:
    """Whether an action that gets secrets is there to write them into a file, or told to."""
    if not gives(step):
        return False
    return writes(step) or any(re.search(r"(?<!pro)file|/\.env", text.lower()) for text in _said(step))


def logs_in(step: Step) -> bool:
    """Whether an action keeps the password of a registry where docker does."""
    return _LOGIN.search(_name(step)) is not None


def keeps_at_home(step: Step) -> bool:
    """Whether an action keeps what it is given in the home directory."""
    return _HOME.search(_name(step)) is not None


def code(step: Step) -> str:
    """The code that an action runs in the workspace."""
    if _REMOTE.search(step.action) or script_of(step) is not None:
        return ""
    return " ".join(filter(None, (step.input(name) for name in _CODE))).strip()


def keeps_token(step: Step) -> bool:
    """Whether actions/checkout leaves its token in `.git/config`."""
    kept = (step.input("persist-credentials") or "true").strip().lower() != "false"
    newer = step.major is not None and step.major >= _PERSISTS_BELOW
    return step.action == CHECKOUT and kept and not newer and bool(step.input("token"))


def keeps_key(step: Step) -> bool:
    """Whether google-github-actions/auth leaves a key in the workspace."""
    wanted = (step.input("create_credentials_file") or "true").strip() != "false"
    return step.action == GOOGLE and wanted and bool(step.input("credentials_json"))


def _said(step: Step) -> list[str]:
    """The names and the texts of an action's inputs."""
    given = () if step.inputs is None else step.inputs.items()
    return [text for key, _ in given for text in (key.text, step.input(key.text.lower()) or "")]
