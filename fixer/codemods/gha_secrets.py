"""Secrets that a build may put into its layers: by build arguments, or by files of its context."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Sequence

from fixer.analysis.workflow import CHECKOUT, Step, default_directory, listed, text_of
from fixer.analysis.workflow_runs import Place, Run, Runs, Use
from fixer.analysis.yaml_nodes import Mapping, Scalar

_NAMED = re.compile(
    r"token|secret|passw|passphrase|credential|private|api_?key|access_?key|(?<![a-z])(?:key|pat)(?![a-z])"
)
_NO_SECRET = re.compile(r"cache[_-]?key|public|secret[_-]?name|key[_-]?(?:id|name)")
"""Names of values that are, or are not, secrets, as their authors choose them."""
_WORKSPACE = re.compile(r"\$\{\{\s*github\.workspace\s*\}\}|\$\{?GITHUB_WORKSPACE\}?")
_REDIRECT = re.compile(
    r"(?<![-=>&])>{1,2}\|?[ \t]*(?P<to>(?:\"[^\"\n]*\"|'[^'\n]*'|\$\{\{[^\n]*?(?:\}\}|(?=\n)|\Z)|[^\s;&|)<>\"'])+)"
    r"|\b(?:tee|Out-File|Set-Content|Add-Content)[ \t]+(?:-\w+[ \t]+)*"
    r"(?P<tee>(?:\"[^\"\n]*\"|\$\{\{[^\n]*?(?:\}\}|(?=\n)|\Z)|[^\s;&|)])+)"
)
_KEEPS = re.compile(
    r"\bsed\s+(?:-\w+\s+)*-i|\bgit\s+config\s+(?!--(?:global|system))"
    r"|\b(?:npm|pnpm|yarn|poetry|bundle|composer)\s+config\b"
    r"|\bsops\b(?:(?!\bsops\b)[^\n])*-i\b"
    r"|\b(?:gpg|openssl)\b(?:(?!\b(?:gpg|openssl)\b)[^\n])*\s-(?:o|out|-output)\b"
    r"|\bopen\((?:(?!\bopen\()[^\n])*['\"][wa]b?['\"]"
)
"""Commands that write what they are told into a file of the directory."""
_FETCHES = re.compile(r"\s*(?:\w+=)?\$?\(?\s*(?:curl|wget|gh)\s")
"""Commands that use a secret to get what they write."""
_ARGUMENT = re.compile(r"--build-arg[= \t]+(?P<value>(?:\"[^\"]*\"|'[^']*'|\$\{\{.*?(?:\}\}|\Z)|[^\s\"'])+)", re.DOTALL)
_WHOLE = re.compile(r"(?m)(?:^[^\S\n]*|[;&|]\s*)(?:printenv|env|export\s+-p)\s*(?:[>|]|$)|\benvsubst\b")
"""Commands that take all variables of the environment."""
_ELSEWHERE = re.compile(
    r"/dev/|/tmp/|/etc/|/root/|/home/|/var/|~|\$\{?(?:HOME|TMPDIR|TEMP|RUNNER_TEMP|GITHUB_(?!WORKSPACE))|&"
    r"|\$env:(?:HOME|TEMP|RUNNER_TEMP|GITHUB_(?!WORKSPACE))|\$\{\{\s*runner\.temp"
)
_CREDENTIALS = "google-github-actions/auth"
_FILE_ACTION = re.compile(r"env-?file|to-file|write-file|create-(?:a-)?(?:\w+-)?file|dotenv")
_PERSISTS_BELOW = 6
"""actions/checkout keeps its token in `.git/config` in the versions before this one (README of v6)."""


class Secrets:
    """Where the steps of a repository's workflows use secrets.

    left_out: whether a file of the workspace is known to be in no build's context, relative to the workspace.
    """

    def __init__(self, runs: Runs, left_out: Callable[[str], bool]) -> None:
        self._runs = runs
        self._left_out = left_out
        self._handling: dict[tuple[Run, Step, int], bool] = {}

    def in_inputs(self, step: Step) -> str | None:
        """The input of a build that holds a secret, and may be seen in its layers."""
        for name in ("build-args", "build-contexts", "context"):
            text = step.input(name) or ""
            if self.in_texts(step, listed(text) if name == "build-args" else [text]):
                return name
        return None

    def in_texts(self, step: Step, arguments: Sequence[str]) -> bool:
        """Whether a secret may be in build arguments of a step; one without `=` is taken from the environment."""
        for text in arguments:
            if re.fullmatch(r"[A-Za-z_]\w*", text) is not None:
                text = f"${{{{ env.{text} }}}}"
            if "${{" in text and any(self._secret(text, place, 0) for place in self._places(step)):
                return True
        return False

    def in_command(self, step: Step, command: str) -> bool:
        """Whether a secret may be in the build arguments of `docker build` in a script."""
        for match in _ARGUMENT.finditer(command):
            value = match["value"].replace('"', "").replace("'", "")
            used = re.findall(r"\$(?:env:)?\{?([A-Za-z_]\w*)", value)
            if self.in_texts(step, [value, *used]):
                return True
        return False

    def in_files(self, step: Step, contexts: Sequence[str]) -> Place | None:
        """The step before a build that writes a secret into a file of one of these directories."""
        for place in self._places(step):
            for text in contexts:
                context = self._runs.read(text, place).strip()
                if not context or "://" in context or re.sub(r"\s", "", context).startswith("{{defaultContext}}"):
                    continue
                context = posixpath.normpath(_WORKSPACE.sub(".", context))
                found = next((one for one in self._runs.before(place, _may_write) if self._writes(one, context)), None)
                if found is not None:
                    return found
        return None

    def _places(self, step: Step) -> Iterator[Place]:
        return (Place(run, step) for run in self._runs.of(step.job))

    # --- values -----------------------------------------------------------------------------------------------------

    def _secret(self, text: str, place: Place, deep: int) -> bool:
        return any(self._is_secret(use, deep) for use in self._runs.uses(text, place))

    def _is_secret(self, use: Use, deep: int) -> bool:
        reference, place = use.reference, use.place
        path, context = reference.path, reference.context
        if context == "secrets":
            return True
        if context == "github":
            return not path or path[0].lower() == "token"
        if use.known or context not in ("steps", "needs", "env", "inputs"):
            return False
        if deep > 4:  # nobody follows it further
            return True
        name = path[-1] if path else ""
        words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
        if not reference.exact or (_NAMED.search(words) and not _NO_SECRET.search(words)):
            return True
        if context == "env":
            return any(self._handles(one, deep) for one in self._runs.writers(name, place))
        if context == "steps":
            said = [one for one in place.run.job.steps if one.id == path[0]]
            return any(one.run is not None and self._handles(Place(place.run, one), deep) for one in said)
        if context == "needs":
            return any(
                self._secret(text_of(outputs.get(name)) or "", Place(run, None), deep + 1)
                for job in place.run.job.workflow.jobs
                if job.id == path[0] and isinstance(outputs := job.node.get("outputs"), Mapping)
                for run in self._runs.of(job)
            )
        return False

    def _handles(self, place: Place, deep: int = 0) -> bool:
        """Whether a script has a secret in its text, or uses a variable that holds one."""
        assert place.step is not None
        key = (place.run, place.step, deep)
        if key not in self._handling:  # each build asks about all steps before it
            self._handling[key] = self._uses_secrets(place, place.step.run, deep)
        return self._handling[key]

    def _uses_secrets(self, place: Place, run: Scalar | None, deep: int) -> bool:
        if run is None:
            return False
        if self._secret(run.text, place, deep + 1):
            return True
        everything = _WHOLE.search(run.text) is not None
        for table, where in self._runs.environments(place):
            for key, value in table.items():
                named = everything or re.search(rf"\b{re.escape(key.text)}\b", run.text)
                if not isinstance(value, Scalar) or not named:
                    continue
                if self._secret(value.text, where, deep + 1):
                    return True
        return False

    # --- files ------------------------------------------------------------------------------------------------------

    def _writes(self, place: Place, context: str) -> bool:
        """Whether a step writes a secret into a file at or below a directory of the workspace."""
        step = place.step
        assert step is not None
        if step.run is None:
            return self._action_writes(step, place, context)
        text = step.run.text
        if not self._handles(place):
            return False
        if _KEEPS.search(text):
            return True
        home = text_of(step.node.get("working-directory")) or default_directory(step) or "."
        if re.search(r"(?m)(?:^[^\S\n]*|[;&|]\s*)(?:cd|pushd)\s", text):
            home = "${{ }}"
        text = text.replace("\\\n", "  ")
        for match in _REDIRECT.finditer(text):
            if _FETCHES.match(text, text.rfind("\n", 0, match.start()) + 1):
                continue
            target = _WORKSPACE.sub(".", (match["to"] or match["tee"]).replace('"', "").replace("'", ""))
            if not _ELSEWHERE.match(target) and self._in(posixpath.join(home, target), context):
                return True
        return False

    def _action_writes(self, step: Step, place: Place, context: str) -> bool:
        if step.action == _CREDENTIALS:
            wanted = (step.input("create_credentials_file") or "true").strip() != "false"
            return wanted and bool(step.input("credentials_json")) and self._in("gha-creds-0.json", context)
        if step.action == CHECKOUT:
            token = step.input("token") or ""
            kept = (step.input("persist-credentials") or "true").strip().lower() != "false"
            newer = step.major is not None and step.major >= _PERSISTS_BELOW
            if not kept or newer or re.search(r"\bsecrets\.GITHUB_TOKEN\b|\bgithub\.token\b", token):
                return False
            config = posixpath.join(step.input("path") or ".", ".git/config")
            return self._secret(token, place, 0) and self._in(config, context)
        writes = _FILE_ACTION.search(step.action) is not None
        return writes and any(self._secret(text, place, 0) for text in step.texts())

    def _in(self, path: str, directory: str) -> bool:
        """Whether a file may be in a build context, both relative to the workspace."""
        if "$" in path + directory or path.startswith("/") or directory.startswith(("/", "..")):
            return True
        path = posixpath.normpath(path)
        return not self._left_out(path) if directory == "." else path.startswith(directory + "/")


def _may_write(step: Step) -> bool:
    """Whether it is one of the steps that may put a secret into a file."""
    if step.run is not None or step.action in (_CREDENTIALS, CHECKOUT):
        return True
    return _FILE_ACTION.search(step.action) is not None
