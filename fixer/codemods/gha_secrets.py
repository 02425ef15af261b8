"""Secrets that a build may put into its layers: by build arguments, or by files of its context."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Sequence

from fixer.analysis.expressions import EXPRESSION, references
from fixer.analysis.workflow import CHECKOUT, Step, default_directory, default_shell, listed, text_of
from fixer.analysis.workflow_runs import LETTERS, Place, Run, Runs, Use
from fixer.analysis.yaml_nodes import Mapping, Scalar
from fixer.codemods.gha_keeps import OTHER, SECRET, SOMEWHERE, Around, Kept, kept
from fixer.text.records import replace

_NAMED = re.compile(
    r"token|secret|passw|passphrase|credential|private|api_?key|access_?key|(?<![a-z])(?:key|pat)(?![a-z])"
)
_NO_SECRET = re.compile(r"cache[_-]?key|public|secret[_-]?name|key[_-]?(?:id|name)")
"""Names of values that are, or are not, secrets, as their authors choose them."""
_WORKSPACE = re.compile(r"\$\{\{\s*github\.workspace\s*\}\}|\$\{?GITHUB_WORKSPACE\}?")
_ARGUMENT = re.compile(r"--build-arg[= \t]+(?P<value>(?:\"[^\"]*\"|'[^']*'|\$\{\{.*?(?:\}\}|\Z)|[^\s\"'])+)", re.DOTALL)
_WHOLE = re.compile(r"(?m)(?:^[^\S\n]*|[;&|]\s*)(?:printenv|env|export\s+-p)\s*(?:[>|]|$)|\benvsubst\b")
"""Commands that take all variables of the environment."""
_WORKFLOW_TOKEN = re.compile(r"secrets\.github_token|github\.token")
"""The token of the job, which ends with it."""
_TEMPORARY = re.compile(r"\$\{\{\s*runner\.temp\s*\}\}")
_COMPUTED = re.compile(r"\$\{?\w+\}?(?:=|<<)|\b(?:jq|yq|sed|awk|cat|tr|sops|vault|op|doppler|env|printenv|envsubst)\b")
"""What may make the names of the variables that a script writes."""
_PARSED = 20
"""So many letters of a script are parsed in the time of one step."""
_CREDENTIALS = "google-github-actions/auth"
_FILE_ACTION = re.compile(r"env-?file|to-file|write-file|create-(?:a-)?(?:\w+-)?file|dotenv")
_GIVES = re.compile(r"vault|secret|1password|doppler|infisical|bitwarden|akeyless|conjur|ksm-action")
"""Actions that put secrets into their outputs, and into variables of later steps, whose names they may choose."""
_AWS = "aws-actions/configure-aws-credentials"
_AWS_NAMES = frozenset({"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"})
_CODE = frozenset({"script", "run", "command", "commands", "cmd", "inlinescript", "inline-script", "code"})
"""Inputs of actions that are code, which runs in the workspace."""
_REMOTE = re.compile(r"\bssh\b")
"""Actions that run it elsewhere."""
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
        self._holding: dict[tuple[int, Run, Step | None], tuple[frozenset[str], frozenset[str]]] = {}
        self._left: dict[tuple[Run, Step | None], Around] = {}
        self._keeping: dict[tuple[Run, Step], Kept] = {}
        self._read: dict[object, Kept] = {}

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
            return any(
                _GIVES.search(one.action) if one.run is None else self._handles(Place(place.run, one), deep)
                for one in said
            )
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
        words = frozenset(re.findall(r"\w+", run.text))
        everything = _WHOLE.search(run.text) is not None
        for table, where in self._runs.environments(place):
            if everything:
                named = [value for _, value in table.items()]
            else:  # a script is looked at once, however many variables there are
                named = [value for value in map(table.get, sorted(words)) if value is not None]
            if any(isinstance(value, Scalar) and self._secret(value.text, where, deep + 1) for value in named):
                return True
        return False

    # --- files ------------------------------------------------------------------------------------------------------

    def _writes(self, place: Place, context: str) -> bool:
        """Whether a step writes a secret into a file at or below a directory of the workspace."""
        step = place.step
        assert step is not None
        if step.run is None:
            return self._action_writes(step, place, context)
        found = self._kept(place)
        home = text_of(step.node.get("working-directory")) or default_directory(step) or "."
        home = SOMEWHERE if found.moved else _WORKSPACE.sub(".", home)
        for target in found.targets:
            whole = _WORKSPACE.match(target)
            path = _WORKSPACE.sub(".", target)
            if self._in(path if whole else posixpath.join(home, path), context):
                return True
        return False

    def _kept(self, place: Place) -> Kept:
        """What a script may keep of secrets."""
        step = place.step
        assert step is not None
        assert step.run is not None
        key = (place.run, step)
        if key not in self._keeping:
            self._keeping[key] = Kept((SOMEWHERE,), True, True, True)  # for those that are made of themselves
            text = self._masked(step.run.text, place)
            around = self._around(place)
            shell = text_of(step.node.get("shell")) or default_shell(step) or "bash"
            same = (text, shell, around)
            if same not in self._read:
                self._runs.charge(len(text) // _PARSED)
                self._read[same] = kept(text, shell, around)
            self._keeping[key] = self._read[same]
        return self._keeping[key]

    def _masked(self, text: str, place: Place) -> str:
        """A script with marks for its expressions, but for those that are known."""
        text = _TEMPORARY.sub("/tmp", _WORKSPACE.sub("$GITHUB_WORKSPACE", text))
        if "${{" not in text:
            return text
        text = self._runs.read(text, place)
        return EXPRESSION.sub(lambda match: SECRET if self._secret(match[0], place, 0) else OTHER, text)

    def _around(self, place: Place) -> Around:
        """What surrounds a step."""
        given = self._given(place)
        known: frozenset[str] = frozenset()
        names, told = given.names, given.told
        for table, where in self._runs.environments(place):
            held, ending = self._held(table, where)
            names = names | held if held else names
            told = told | ending if ending else told
            if given.unknown:
                known |= {key.text for key, _ in table.items()}
        self._runs.charge((len(names) + len(known)) // LETTERS)
        return replace(given, names=names, told=told, known=known - names - told)

    def _given(self, place: Place) -> Around:
        """What the steps before one have left to it."""
        waiting = [place]
        while True:
            at = waiting[-1]
            key = (at.run, at.step)
            if key not in self._left:
                before = next((one for one in self._runs.before(at, _may_leave) if one.step is not at.step), None)
                if before is not None and (before.run, before.step) not in self._left:
                    waiting.append(before)
                    continue
                self._left[key] = Around() if before is None else self._leaves(before)
            waiting.pop()
            if not waiting:
                return self._left[key]

    def _leaves(self, place: Place) -> Around:
        """What there is after a step, of which what is before it is known."""
        step, before = place.step, self._left[place.run, place.step]
        assert step is not None
        if step.run is None:
            if step.action == _AWS:
                return replace(before, told=before.told | _AWS_NAMES)
            return replace(before, unknown=True)
        found = self._kept(place)
        if not found.environment and (before.outside or not found.outside):
            return before
        words = re.findall(r"\b([A-Za-z_]\w*)(?==|<<)", step.run.text) if found.environment else ()
        self._runs.charge((len(before.names) + len(words)) // LETTERS)
        computed = found.environment and _COMPUTED.search(step.run.text) is not None
        return replace(
            before,
            names=before.names.union(words),
            unknown=before.unknown or computed,
            outside=before.outside or found.outside,
        )

    def _held(self, table: Mapping, where: Place) -> tuple[frozenset[str], frozenset[str]]:
        """The variables of a table that hold a secret, and those that hold one which ends with the job."""
        key = (id(table), where.run, where.step)
        if key not in self._holding:
            names: set[str] = set()
            told: set[str] = set()
            for name, value in table.items():
                if isinstance(value, Scalar) and "${{" in value.text and self._secret(value.text, where, 0):
                    ends = all(_WORKFLOW_TOKEN.fullmatch(one.name.lower()) for one in references(value.text))
                    (told if ends else names).add(name.text)
            self._holding[key] = (frozenset(names), frozenset(told))
        return self._holding[key]

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
        if _FILE_ACTION.search(step.action) is not None:
            return any(self._secret(text, place, 0) for text in step.texts())
        code = " ".join(step.input(name) or "" for name in _CODE)
        if not code.strip() or _REMOTE.search(step.action):
            return False
        around = self._around(place)
        words = frozenset(re.findall(r"\w+", code))
        return self._secret(code, place, 0) or around.unknown or not words.isdisjoint(around.names | around.told)

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
    return _FILE_ACTION.search(step.action) is not None or any(step.input(name) for name in _CODE)


def _may_leave(step: Step) -> bool:
    """Whether later steps may find secrets by it, in their environment or in files."""
    return step.run is not None or step.action == _AWS or _exports(step)


def _exports(step: Step) -> bool:
    """Whether an action that gives secrets puts them into variables."""
    said = [(step.input(name) or "").strip().lower() for name in ("export-env", "exportenv")]
    return _GIVES.search(step.action) is not None and "false" not in said
