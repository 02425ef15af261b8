"""What a script of a workflow may keep of the secrets that it sees.

A list of the commands that write would never be complete, so it is the other way round: whatever may see a secret is
taken to keep it, unless it is known to keep nothing, or to give it to its output alone. What sees one is followed
through words, variables, substitutions, pipes, here-documents and functions.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence

from fixer.text.records import dataclass, replace
from fixer.tree.cook import Cooked
from fixer.tree.parse_shell import parse_shell
from fixer.tree.shell import (
    Arithmetic,
    ArithmeticCommand,
    Braces,
    Case,
    Command,
    CommandSubstitution,
    For,
    Function,
    Group,
    If,
    Literal,
    Loop,
    OpaqueScript,
    Parameter,
    Part,
    Pipeline,
    Redirect,
    Script,
    ShellNode,
    Simple,
    Subshell,
    Test,
    Uncertain,
    Word,
)

SECRET, OTHER = "\ue000", "\ue001"
"""What stands for an expression in a script: of a secret, and any other."""
SOMEWHERE = "${{ }}"
"""A file that cannot be told."""
HOME = "~"
"""The files in which programs keep what they are told, in the home directory."""
_ELSEWHERE = re.compile(
    r"/(?:dev|tmp|etc|root|var|run|usr|opt)(?![\w.-])|/home/(?!runner\b)"
    r"|(?:~|\$HOME\b|\$\{HOME\})(?:/(?!work\b)|\Z)|\$\{?(?:TMPDIR|RUNNER_TEMP|RUNNER_TOOL_CACHE|GITHUB_(?!WORKSPACE)\w+)\b"
    r"|\$\(mktemp(?: -d)?\)"
)
"""Places outside of the workspace, which is in the folder `work` of the runner's home."""
_NOT_KEPT = re.compile(r"/dev/(?!shm)|\$\{?GITHUB_(?:OUTPUT|PATH|STEP_SUMMARY|STATE)\b")
"""Places that no later step reads as a file."""
_ANY = re.compile(r"")
_OF_CLUSTER = r"\bget\b(?:(?!\bget\b).)*\bsecrets?\b|\bcreate token\b|\bconfig view\b"
_OF_STATE = re.compile(
    r"\A(?:-\S+ )*(?:output(?: -\S+)*(?:\Z| \S*(?:secret|passw|token|key|cred))|show -json\b|state pull\b)"
)
_TELLS = {
    "age": re.compile(r"(?:^| )-(?:\w*d\b|-decrypt\b)"),
    "ansible-vault": re.compile(r"\b(?:decrypt|edit|rekey|view)\b"),
    "aws": re.compile(
        r"\b(?:secretsmanager|get-login-password|get-authorization-token|with-decryption|sts|kms|export-credentials"
        r"|get-token|generate-db-auth-token)\b"
    ),
    "aws-vault": re.compile(r"\b(?:exec|export)\b"),
    "az": re.compile(
        r"\b(?:keyvault|get-access-token|expose-token|show-connection-string|list-connection-strings|appsettings"
        r"|list-publishing-profiles|generate-sas)\b|\bkeys? list\b|\bcredential show\b|\bappconfig kv\b"
    ),
    "blackbox_cat": _ANY,
    "blackbox_postdeploy": _ANY,
    "bw": _ANY,
    "bws": _ANY,
    "chamber": _ANY,
    "doppler": _ANY,
    "ejson": re.compile(r"\bdecrypt\b"),
    "gcloud": re.compile(r"\b(?:secrets|print-access-token|print-identity-token|kms)\b"),
    "gh": re.compile(r"\bauth token\b|\bauth status\b(?:(?!\bauth status\b).)*-t\b|--show-token"),
    "git-crypt": re.compile(r"\bunlock\b"),
    "git-secret": re.compile(r"\b(?:cat|reveal)\b"),
    "gpg": re.compile(r"(?:^| )-(?:\w*d\b|-decrypt(?:-files)?\b|-export-secret)"),
    "heroku": re.compile(r"\bconfig\b"),
    "infisical": _ANY,
    "kubectl": re.compile(_OF_CLUSTER),
    "oc": re.compile(_OF_CLUSTER + r"|\bwhoami\b(?:(?!\bwhoami\b).)* (?:-t|--show-token)\b|\bextract\b|\bget-token\b"),
    "op": _ANY,
    "pass": re.compile(r"\A(?!(?:git|init|ls|version)\b)"),
    "pulumi": re.compile(r"--show-secrets"),
    "sops": _ANY,
    "terraform": _OF_STATE,
    "tofu": _OF_STATE,
    "transcrypt": _ANY,
    "vault": re.compile(r"\b(?:kv|read|print|token|write|unwrap)\b"),
}
"""Programs that tell a secret, in which commands."""
_SPREADS = frozenset(
    {
        "--decrypt-files", "blackbox_postdeploy", "decrypt", "download", "edit", "exec", "exec-env", "exec-file",
        "extract", "inject", "rekey", "reveal", "run", "transcrypt", "unlock",
    }
)  # fmt: skip
"""Commands of them, or programs, that put it into files, or run another program with it."""
_MAY_TELL = re.compile(rf"\b(?:{'|'.join(_TELLS)}|git (?:crypt|secret))\b")
_WHOLE = frozenset({"env", "printenv", "set", "export", "declare", "typeset", "envsubst", "compgen"})
"""Commands that tell all variables."""

_PRINTS = frozenset(
    {
        "base64", "basename", "cat", "cmp", "comm", "column", "cut", "date", "diff", "dirname", "echo", "egrep", "expr",
        "fgrep", "fold", "grep", "head", "helm", "hexdump", "htpasswd", "kubectl", "less", "md5sum", "nl", "od",
        "openssl", "gpg", "paste", "printf", "pwd", "readlink", "realpath", "rev", "seq", "sha1sum", "sha256sum",
        "sha512sum", "sort", "stat", "strings", "tac", "tail", "tr", "uniq", "wc", "age", "bw", "bws",
        "doppler", "infisical", "op", "sops", "vault", "xxd",
    }
)  # fmt: skip
"""Programs that put what they see into their output alone, but for the files that options of `_OUTPUT` name."""
_QUIET = frozenset(
    {
        ":", "[", "apt", "apt-get", "break", "cd", "chmod", "chown", "continue", "curl", "df", "du",
        "exit", "false", "free", "getopts", "hash", "hostname", "id", "kill", "let", "ls", "mkdir", "mktemp", "nproc",
        "popd", "ps", "pushd", "read", "mapfile", "readarray", "return", "rm", "rmdir", "shift", "shopt", "sleep",
        "ssh", "ssh-add", "ssh-agent", "ssh-keyscan", "sync", "test", "touch", "true", "type", "ulimit", "umask",
        "uname", "unset", "wait", "wget", "which", "whoami",
    }
)  # fmt: skip
"""Programs that keep nothing of what they see, nor tell it; what curl and wget write is what they got."""
_CLOUD = frozenset({"aws", "az", "gcloud", "gh", "gsutil", "bq"})
"""Programs that use a secret to get what they write, where they do not tell one."""
_PUTS = frozenset({"cp", "dd", "gunzip", "gzip", "install", "ln", "mv", "patch", "rsync", "tar", "unzip", "xz", "zip"})
"""Programs that write files, but take nothing from the environment."""
_NO_INPUT = frozenset({"date", "echo", "expr", "printf", "pwd", "seq", "basename", "dirname", "helm", "kubectl"})
"""Those of `_PRINTS` that do not read their input; helm and kubectl do if told so."""
_READ = (_PRINTS - _NO_INPUT) | _PUTS | {"awk", "gawk", "jq", "mawk", "sed", "yq"}
"""Programs that read the files that they name, and what they tell of them."""
_MOVES = frozenset({"cp", "install", "ln", "mv"})
"""Those of them whose last word is a file that is made."""
_OUTPUT = re.compile(r"-o|-out|-keyout|--output(?:-file|-dir)?|--out-file|--logger-file|--kubeconfig|--file")
"""Options behind which a file to be written stands, with programs of `_PRINTS` and `_CLOUD`."""
_FORMATS = frozenset({"json", "yaml", "text", "table", "tsv", "name", "wide", "none"})
_SECRET_FILE = re.compile(
    r"\A\.env|\.env(?:\.|\Z)|\A\.(?:npmrc|netrc|pypirc|htpasswd|git-credentials)\Z"
    r"|\.(?:pem|key|p12|pfx|jks|kubeconfig)\Z"
    r"|\Aid_\w+\Z|\A(?:secrets?|credentials?)[\w.-]*\.(?:json|ya?ml|toml|txt|ini|properties)\Z|\Akubeconfig\b"
    r"|[-_]credentials?\.json\Z|(?:\A|[-_])key\.json\Z"
)
_NO_SECRET_FILE = re.compile(
    r"(?:example|sample|template|tpl|dist|pub)\Z|(?:bundle|ca|certs?|chain|public|root)[\w-]*\.pem\Z"
)
"""Names of files that say that they hold a secret, and those of them that say that they do not."""
_SECRET_PLACE = re.compile(r"(?<![a-z])(?:secrets?|(?:key)?vault)(?![a-z])")
"""A word in an address of what holds secrets."""
_MAY_NAME = re.compile(
    r"\.(?:env|npmrc|netrc|pypirc|htpasswd|git-cred|pem|key|p12|pfx|jks|kubeconfig)|\bid_|secret|vault|credential|key\.json"
    r"|\bkubeconfig"
)
_GETTERS = _CLOUD | {"rsync", "scp", "sftp", "ssh"}
"""Programs that get what they write, with a secret that need not be seen."""
_MAY_GET = re.compile(rf"\b(?:{'|'.join(sorted(_GETTERS))})\b")
_DESTINATION = re.compile(
    r"-[oO]|--output|--output-document|--output-file|--out-file|--dir|-D|--output-dir|--directory-prefix|-P|--kubeconfig"
)
_TRACE = re.compile(r"-c|--cookie-jar|--libcurl|--save-cookies|--trace(?:-ascii)?")
"""Options of curl and wget behind which stands a file for what they have sent, or for the session that they got."""
_AZURE_DESTINATION = re.compile(r"-[fd]|--(?:file|destination(?:-path)?)")
"""Options of what gets something behind which the file stands that it writes."""
_SOURCE = re.compile(r"--(?:key|name|blob-name|source|source-path)|-[ns]")
"""Options behind which stands the name of what it gets."""
_COPIES = frozenset(
    {"copy", "cp", "download", "download-batch", "get-credentials", "get-object", "mv", "rsync", "sync"}
)
"""Commands of `_CLOUD` that write files."""
_SWITCHES = re.compile(
    r"-[avzrRqpCmBnLfsSkvuN]+|--(?:recursive|quiet|only-show-errors|dryrun|delete|exact-timestamps|size-only|force|archive"
    r"|compress|progress|no-[\w-]+|follow-symlinks|silent|fail|show-error|location|remote-name|overwrite(?:-existing)?"
    r"|admin|yes|verbose)"
)
"""Options of them behind which no value stands."""
_REMOTE = re.compile(r"\w+://|[^/:=]+:(?!\d)")
"""What begins so is not on the machine."""
_DIGESTS = frozenset({"b2sum", "cksum", "md5sum", "sha1sum", "sha256sum", "sha512sum", "wc"})
"""Programs whose output tells nothing of what they read."""
_FILTERS = frozenset({"awk", "egrep", "fgrep", "gawk", "grep", "jq", "mawk", "sed", "yq"})
"""Programs whose first word that is no option is no file."""
_COMPUTES = frozenset({"basename", "date", "dirname", "echo", "expr", "printf", "pwd", "realpath", "seq", "tr"})
"""Programs of `_PRINTS` that tell no more than what they are given."""
_MOVED = {
    "aws": ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"),
    "az": ("AZURE_CONFIG_DIR",),
    "bundle": ("BUNDLE_USER_CONFIG", "BUNDLE_USER_HOME"),
    "cargo": ("CARGO_HOME",),
    "composer": ("COMPOSER_HOME",),
    "docker": ("DOCKER_CONFIG",),
    "gcloud": ("CLOUDSDK_CONFIG",),
    "gh": ("GH_CONFIG_DIR", "XDG_CONFIG_HOME"),
    "git": ("GIT_CONFIG_GLOBAL", "XDG_CONFIG_HOME"),
    "gpg": ("GNUPGHOME",),
    "helm": ("HELM_CONFIG_HOME", "HELM_REGISTRY_CONFIG", "HELM_REPOSITORY_CONFIG", "XDG_CONFIG_HOME"),
    "kubectl": ("KUBECONFIG",),
    "npm": ("NPM_CONFIG_USERCONFIG",),
    "pip": ("PIP_CONFIG_FILE", "XDG_CONFIG_HOME"),
    "pip3": ("PIP_CONFIG_FILE", "XDG_CONFIG_HOME"),
    "pnpm": ("NPM_CONFIG_USERCONFIG", "XDG_CONFIG_HOME"),
    "poetry": ("POETRY_CONFIG_DIR", "XDG_CONFIG_HOME"),
}
"""Variables that say where a program keeps what it is told, besides HOME: the manuals of these programs."""
HOMES = ("HOME", "TMPDIR", *dict.fromkeys(name for names in _MOVED.values() for name in names))
"""Variables that say where programs keep what they are told."""
_KEYS = {
    "gpg": re.compile(r"--(?:fast-)?import\b"),
    "helm": re.compile(r"registry login\b|repo add\b"),
    "kubectl": re.compile(r"\bconfig set\b|\bconfig set-"),
}
"""Commands of programs of `_PRINTS` that keep what they are told, where other programs do."""
_HOME_OPTION = re.compile(r"--(?:homedir|kubeconfig|registry-config|repository-config)")
_MADE = {"htpasswd": 0, "uniq": 1, "xxd": 1}
"""Programs of `_PRINTS` one of whose operands, counted from 0, is a file that they write."""
_GIT_SEES = frozenset({"fetch", "ls-remote", "push"})
"""Commands of git that leave a password out of what they note of an address: not `pull`, whose words are in the reflog
(git 2.47, builtin/pull.c, set_reflog_message; builtin/fetch.c asks transport_anonymize_url)."""
_UPSTREAM = re.compile(r"-[46dfnqv]*u.*|--se(?:t(?:-(?:u(?:p(?:s(?:t(?:r(?:e(?:a(?:m)?)?)?)?)?)?)?)?)?)?")
"""The option by which `push` notes the address, in a cluster of short ones, or cut short (git-push(1))."""
_GIT = re.compile(r"config --(?:global|system)\b")
_REGISTRIES = frozenset({"skopeo", "crane", "oras", "cosign", "regctl", "buildah", "podman", "nerdctl", "trivy"})
_DOCKER = frozenset(
    {
        "login", "logout", "pull", "push", "tag", "inspect", "manifest", "info", "version", "images", "image", "ps",
        "rm", "rmi", "stop", "start", "kill", "logs", "wait", "load", "buildx", "build", "builder", "run", "context",
        "network", "volume", "system", "create", "trust",
    }
)  # fmt: skip
_WRITES_OUT = re.compile(r"-[diPqt]*[ov].*|--(?:output|metadata-file|iidfile|cidfile|volume|volumes-from|mount)\b.*")
"""Options by which docker writes files."""
_INSTALLERS = {
    "npm": ("cache", "ci", "install", "i", "add", "publish", "audit", "view", "whoami", "ping", "-v", "--version"),
    "pnpm": ("ci", "install", "i", "add", "publish", "fetch", "store", "-v", "--version"),
    "yarn": ("cache", "install", "add", "-v", "--version"),
    "pip": ("install", "download", "wheel", "--version"),
    "pip3": ("install", "download", "wheel", "--version"),
    "uv": ("sync", "pip", "--version"),
    "poetry": ("install", "lock", "--version"),
    "bun": ("install", "add", "--version"),
    "bundle": ("install", "--version"),
    "cargo": ("fetch", "metadata", "--version"),
    "composer": ("install", "require", "--version"),
    "go": ("env", "mod", "get", "install", "build", "vet", "version", "list"),
    "corepack": ("enable", "prepare"),
    "dotnet": ("restore", "--version"),
    "pipenv": ("install", "sync", "--version"),
}
"""Programs that take a token from the environment to get packages, and in which commands."""
_ALONE = {"bundle": "install", "yarn": "install"}
"""What they do if they are told no command."""
_PACKAGERS = frozenset(
    {
        "addgroup", "adduser", "apk", "dnf", "groupadd", "ldconfig", "microdnf", "tdnf", "update-ca-certificates",
        "useradd", "usermod", "yum", "zypper",
    }
)  # fmt: skip
"""Programs of the system that look at no secret that they are not told."""
_NO_READER = _QUIET | _PACKAGERS | {"git", *_INSTALLERS}
"""Programs that put nothing of a file that they name elsewhere."""
_ENDS = frozenset({"exec", "exit", "return", "trap"})
_SETTINGS = {
    "mvn": frozenset({"-s", "--settings", "-gs", "--global-settings"}),
    "mvnw": frozenset({"-s", "--settings", "-gs", "--global-settings"}),
}
"""Options behind which a program is told the file of its own settings (maven.apache.org, "Maven CLI Options")."""
_CONFIGURATION = re.compile(
    r"/etc/(?:apk|apt|ca-certificates|containers|dnf|gitconfig|netrc|npmrc|pip\.conf|pki|ssl|yum|zypp)|~/(?:\.npmrc|\.yarnrc(?:\.yml)?|\.netrc|\.pypirc|\.gitconfig|\.git-credentials|\.m2/|\.gradle/|\.cargo/"
    r"|\.config/|\.aws/|\.gem/|\.bundle/|\.composer/|\.nuget/|\.docker/|\.pip/|\.ssh/|\.kube/)"
)
"""Where programs look for their own configuration, of which they copy nothing."""
_AT_HOME = re.compile(
    r"(?:~|\$HOME\b|\$\{HOME\}|/root\b|/home/runner\b)/(?:\.(?:aws|azure|bundle|composer|config|docker|gem"
    r"|git-credentials|gitconfig|gnupg|kube|netrc|npmrc|nuget|pip|pypirc|ssh|yarnrc)\b|\.m2/settings|\.cargo/credentials"
    r"|\.gradle/gradle\.properties)"
)
"""Where they keep what they are told by default."""
_OWN_FILE = r"(?!.*(?:project\b|--(?:user|global)config\b))"
_CONFIGURES = {
    "bundle": re.compile(r"config (?=.*--global\b)"),
    "cargo": re.compile(r"login\b"),
    "composer": re.compile(r"config (?=.*(?:--global|-g)\b)"),
    "npm": re.compile(rf"(?:config )?set {_OWN_FILE}"),
    "pip": re.compile(r"config (?:--user |--global )?set "),
    "pip3": re.compile(r"config (?:--user |--global )?set "),
    "pnpm": re.compile(rf"(?:config )?set {_OWN_FILE}"),
    "poetry": re.compile(r"config (?!.*--local\b)"),
    "yarn": re.compile(r"config set (?=.*(?:--home|-H)\b)"),
}
"""Commands that put what they are told into a file in the home directory, and not into one of the project: the manuals
of Bundler 2.5, Cargo 1.95, Composer 2.8, npm 11, pip 25, pnpm 10, Poetry 2.1, Yarn 4."""
_INDEX = re.compile(r"(?:-i|--(?:extra-)?index-url)(?:=|\Z)")
_ASSIGNS = frozenset({"declare", "export", "local", "readonly", "typeset"})
_WRAPPERS = frozenset({"sudo", "nohup", "command", "builtin", "env", "time", "exec", "nice", "timeout"})
_POSITIONS = frozenset({"@", "*", *map(str, range(1, 10))})
_ROUNDS = 5
_MOST_VALUES = 50
"""Values of a variable that are told apart."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What a script may keep.

    targets: the files that may get a secret, as they are written: of the workspace, or not known where.
    moved: whether it changes its directory.
    beside: the files, or directories with one, outside of the workspace that may get a secret, as they are written.
    outside: whether files outside of the workspace may hold one that later steps read.
    variables: those of later steps that may hold one; SOMEWHERE for those that are not known.
    outputs: the same of its outputs.
    loose: whether a program saw one that may do anything with it.
    built: whether a build argument of docker may be one.
    """

    targets: tuple[str, ...] = ()
    moved: bool = False
    outside: bool = False
    variables: frozenset[str] = frozenset()
    outputs: frozenset[str] = frozenset()
    beside: tuple[str, ...] = ()
    loose: bool = False
    built: bool = False


EVERYTHING = Kept((SOMEWHERE,), True, True, frozenset({SOMEWHERE}), frozenset({SOMEWHERE}), ("/",), True)


@dataclass(frozen=True, slots=True)
class Layer:
    """What is around a script of a Dockerfile that sees secrets: whatever it writes stays in its layer.

    directory, home: where it runs, and its home; SOMEWHERE if that is not known.
    files: the paths at which secrets are mounted.
    aside: those of all mounts that leave nothing in the layer.
    """

    directory: str
    home: str
    files: frozenset[str]
    aside: frozenset[str]


@dataclass(frozen=True, slots=True)
class Around:
    """What is around a script.

    names: the variables of its environment that hold a secret.
    told: those that hold one which ends with the job, or is known by its name: only who names them is asked about.
    unknown: whether other variables may hold one too; known are then those that do not.
    outside: whether files outside of the workspace may hold one; beside: those that are known, SOMEWHERE for too many.
    files: those of the workspace that may hold one, relative to it; SOMEWHERE for one that is not known.
    homes: what is known of the variables of HOMES, with their names.
    doubted: whether all counts as a secret that is not known to be computed from what is none.
    layer: for a script of a Dockerfile, which has no workspace: all files of its container are kept.
    """

    names: frozenset[str] = frozenset()
    told: frozenset[str] = frozenset()
    unknown: bool = False
    known: frozenset[str] = frozenset()
    outside: bool = False
    beside: frozenset[str] = frozenset()
    files: frozenset[str] = frozenset()
    homes: frozenset[tuple[str, str]] = frozenset()
    doubted: bool = False
    layer: Layer | None = None


def is_elsewhere(path: str) -> bool:
    """Whether a path, as it stands in a script, is outside of the workspace."""
    return ".." not in path and _ELSEWHERE.match(re.sub(r"/(?:\.?/)+", "/", path)) is not None


def kept(text: str, shell: str, around: Around) -> Kept:
    """What a script may keep.

    text: with SECRET and OTHER for its expressions.
    """
    words = frozenset(re.findall(r"\w+", text))
    sees = SECRET in text or bool(around.names) or around.unknown or not words.isdisjoint(around.told)
    sees = sees or (bool(around.told) and not words.isdisjoint(_WHOLE)) or _MAY_TELL.search(text) is not None
    sees = sees or (around.outside and re.search(_ELSEWHERE.pattern, text) is not None)
    sees = sees or (HOME in around.beside and _AT_HOME.search(text) is not None)
    sees = sees or bool(around.files) or around.doubted
    sees = sees or (_MAY_GET.search(text) is not None and _MAY_NAME.search(text) is not None)
    if not sees:
        return Kept()
    if shell.split(" ")[0] not in ("bash", "sh"):
        return EVERYTHING
    return kept_by(parse_shell(Cooked(text, [(0, len(text))]), 0, "bash"), text, around)


def kept_by(script: Script | OpaqueScript, text: str, around: Around) -> Kept:
    """What a script may keep that is parsed already. text: in which its nodes are."""
    if isinstance(script, OpaqueScript):
        return EVERYTHING
    reader = _Reader(around, text)
    if around.layer is not None:
        reader.meet(script)
    for _ in range(_ROUNDS):
        before = reader.state
        reader.read(script)
        if reader.state == before:
            return reader.found if around.layer is None else replace(reader.found, targets=reader.left(script))
    return EVERYTHING


class _Reader:
    """Follows what may be a secret through a script, once a round: what a round has learned counts in the next."""

    def __init__(self, around: Around, text: str) -> None:
        self._around = around
        self._text = text
        self._tainted = set(around.names | around.told)
        self._assigned: dict[str, set[str]] = {}
        self._functions: dict[str, bool] = {}
        self._called = False
        self._got = False
        self._parts: set[str] = set()
        self._loose = self._anywhere = self._exported = self._away = False
        self._layer = around.layer
        self._mounted: set[str] = set() if around.layer is None else set(around.layer.files)
        for path in around.files:
            self._note(path)
        self._homes: dict[str, set[str]] = {}
        for name, value in around.homes:
            self._homes.setdefault(name, set()).add(value)
        if around.doubted:
            self._tainted |= {"RANDOM", "SRANDOM"}
        self.outside = around.outside
        self.moved = False
        self.built = False
        self.variables: set[str] = set()
        self.outputs: set[str] = set()
        self.targets: dict[str, None] = {}
        self.beside: dict[str, None] = {}

    @property
    def found(self) -> Kept:
        some = frozenset({SOMEWHERE}) if SOMEWHERE in self.targets else frozenset[str]()
        return Kept(
            tuple(self.targets),
            self.moved,
            self.outside,
            some.union(self.variables),
            some.union(self.outputs),
            tuple(self.beside),
            bool(some),
            self.built,
        )

    @property
    def state(self) -> object:
        """Equal where nothing new was learned; only grows."""
        files = len(self._parts), self._anywhere, self._loose, self._exported, self._away, len(self._mounted)
        return len(self._tainted), dict(self._functions), self._called, self.outside, len(self._assigned), files

    def read(self, script: Script) -> None:
        self.targets.clear()
        self.beside.clear()
        if self._list(script, False) and "set-output" in self._text:
            self.outputs.add(SOMEWHERE)

    # --- commands: each answers whether its output may hold a secret; stdin: whether its input may ------------------

    def _list(self, script: Script | OpaqueScript, stdin: bool) -> bool:
        if isinstance(script, OpaqueScript):
            self.targets[SOMEWHERE] = None
            return True
        return True in [self._pipeline(one, stdin) for item in script.items for one in item.pipelines]

    def _pipeline(self, pipeline: Pipeline, stdin: bool) -> bool:
        self._got = False
        for command in pipeline.commands:
            stdin = self._command(command, stdin)
        return stdin

    def _command(self, command: Command, stdin: bool) -> bool:
        for redirect in command.redirects:
            stdin = self._input(redirect, stdin)
        tells = self._inside(command, stdin)
        for redirect in command.redirects:
            target = _plain(redirect.target)
            if redirect.op.startswith("<") or not (tells or (self._got and _is_for_secrets(target))):
                continue
            if redirect.op != ">&" or not re.fullmatch(r"\d+|-", target):
                self._write(target, _given_name(command))
                tells = redirect.fd not in ("", "1") and redirect.op != "&>"
        return tells

    def _input(self, redirect: Redirect, stdin: bool) -> bool:
        sees = self._word(redirect.target)
        if redirect.body is not None:
            return SECRET in redirect.body or True in [self._part(part) for part in redirect.body_parts]
        if redirect.op == "<<<":
            return sees
        if redirect.op == "<" and _plain(redirect.target) not in ("/dev/stdin", "-"):
            sees = sees or self._around.doubted or self._opens(redirect.target)
            return sees or (self.outside and self._is_elsewhere(_plain(redirect.target)))
        return stdin

    def _inside(self, command: Command, stdin: bool) -> bool:
        if isinstance(command, Simple):
            return self._simple(command, stdin)
        if isinstance(command, Subshell | Group):
            return self._list(command.body, stdin)
        if isinstance(command, Function):
            self._functions[command.name] = self._command(command.body, self._called) or self._functions.get(
                command.name, False
            )
            return False
        parts: list[Script] = []
        if isinstance(command, If):
            parts = [*command.conditions, *command.branches]
            parts += [] if command.otherwise is None else [command.otherwise]
        elif isinstance(command, Loop):
            parts = [command.condition, command.body]
        elif isinstance(command, For):
            if True in [self._word(word) for word in command.words or ()]:
                self._tainted.add(command.name)
            self._give(command.name, SOMEWHERE)
            if command.words is None:
                self._computes(self._text[command.start : command.body.start])
            for part in command.parts:
                self._part(part)
            parts = [command.body]
        elif isinstance(command, Case):
            self._word(command.subject)
            parts = [item.body for item in command.items]
        else:
            sees = False
            for node in command.children:
                sees = (isinstance(node, Word) and self._word(node)) or sees
                sees = (isinstance(node, Part) and self._part(node)) or sees
            if sees and isinstance(command, Test):  # what `=~` matched
                self._tainted.add("BASH_REMATCH")
            if isinstance(command, ArithmeticCommand):
                self._computes(self._text[command.start : command.end])
        return True in [self._list(part, stdin) for part in parts]

    def _give(self, name: str, value: str) -> None:
        """A variable may have a value."""
        values = self._assigned.setdefault(name, set())
        values.add(value if len(values) < _MOST_VALUES else SOMEWHERE)

    def _computes(self, text: str) -> None:
        """An arithmetic expression, which names variables without `$`: a secret in it may come to all of them."""
        names = set(re.findall(r"[A-Za-z_]\w*", text))
        if SECRET in text or any(map(self._is_tainted, names)):
            self._tainted |= names

    # --- words ------------------------------------------------------------------------------------------------------

    def _word(self, word: Word) -> bool:
        return True in [self._part(part) for part in word.parts]

    def _part(self, part: Part) -> bool:
        if isinstance(part, CommandSubstitution):
            told = self._list(part.script, part.kind == ">")
            return told and part.kind != ">"
        inner: Sequence[ShellNode] = getattr(part, "parts", ())
        found = [self._part(one) for one in inner if isinstance(one, Part)]
        if isinstance(part, Literal):
            return SECRET in part.value
        if isinstance(part, Arithmetic | Braces | Uncertain):
            found.append(SECRET in part.text)
        if isinstance(part, Parameter):
            found.append(SECRET in part.argument or self._is_tainted(part.name))
            found.append(part.op == "!" and bool(self._tainted or self._around.unknown))
            if part.op in ("=", ":=") and any(found):
                self._tainted.add(part.name)
        return any(found)

    def _is_tainted(self, name: str) -> bool:
        if name in self._tainted:
            return True
        unknown = self._around.unknown and re.fullmatch(r"[A-Za-z_]\w*", name) is not None
        return unknown and not (name in self._around.known or name in self._assigned or _OWN.match(name))

    # --- simple commands --------------------------------------------------------------------------------------------

    def _simple(self, command: Simple, stdin: bool) -> bool:
        given = False
        for one in command.assignments:
            sees = True in [self._word(word) for word in one.values]
            self._give(one.name, "".join(_plain(word) for word in one.values))
            if sees:
                self._tainted.add(one.name)
                given = True
        seen = [self._word(word) for word in command.words]
        words = list(command.words)
        if not words:
            return False
        inherits = given or self._exported or bool(self._around.names) or self._around.unknown
        texts = [word.static for word in words]
        at = _program(texts)
        if at == len(words):  # `env`, `sudo`, `exec >file`
            if "env" in texts:
                return inherits or bool(self._around.told) or any(seen)
            for redirect in command.redirects if texts[0] == "exec" else ():
                self._write(_plain(redirect.target))
            return False
        if re.fullmatch(r"python[\d.]*", texts[at] or "") and texts[at + 1 : at + 3] in (["-m", "pip"], ["-m", "uv"]):
            at += 2
        program = texts[at]
        if program is not None and re.fullmatch(r"(?:/usr)?(?:/local)?/s?bin/[\w.+-]+", program):
            program = posixpath.basename(program)
        if program is not None and program.startswith("exec"):
            program = None
        rest, saw = texts[at + 1 :], seen[at + 1 :]
        plain = [_plain(word) for word in words[at + 1 :]]
        named = any(text is not None and self._names(text) for text in rest)
        ends = len(words) - (program in _MOVES and "-t" not in plain)  # of what is read
        from_outside = self._from_outside(program or "", plain[: ends - at - 1])
        sees = any(seen) or from_outside
        if program in self._functions:
            if any(saw):
                self._tainted |= _POSITIONS
            self._called = self._called or stdin
            return self._functions[program]
        if program in _ASSIGNS:
            return self._assign(program, plain, saw)
        opens = False
        if program in _READ or (self._layer is not None and program not in _NO_READER):
            behind = _SETTINGS.get(posixpath.basename(program or ""), frozenset())
            asked = [word for k, word in enumerate(words[at + 1 : ends]) if not (k and plain[k - 1] in behind)]
            opens = any(map(self._opens, asked))
        sees = sees or opens
        return self._runs(program or "", rest, plain, saw, sees, sees or stdin, inherits, named)

    def _assign(self, program: str, plain: Sequence[str], saw: Sequence[bool]) -> bool:
        names = [text for text in plain if not text.startswith("-")]
        for text, sees in zip(plain, saw, strict=True):
            name, is_given, value = text.partition("=")
            if is_given:
                self._give(name.rstrip("+"), value)
            by_name = is_given and any(re.match(r"-\w*n", text) for text in plain) and self._is_tainted(value)
            if sees or by_name:
                self._tainted.add(name.rstrip("+"))
        if program == "export" or any(re.match(r"-\w*x", text) for text in plain):
            self._exported = self._exported or any(
                self._is_tainted(name.partition("=")[0].rstrip("+")) for name in names
            )
        prints = program in _WHOLE and (not names or any(re.match(r"-\w*p", text) for text in plain))
        return prints and bool(self._tainted or self._around.unknown)

    def _runs(
        self,
        program: str,
        rest: Sequence[str | None],
        plain: Sequence[str],
        saw: Sequence[bool],
        sees: bool,
        reads: bool,
        inherits: bool,
        named: bool,
    ) -> bool:
        """One program.

        sees: whether a word of it, or a file that it names, is or holds a secret; reads: or its input.
        inherits: whether its environment has one; named: whether it names such a variable.
        """
        said = " ".join(plain)
        everything = inherits or bool(self._around.told)
        if program in ("cd", "pushd", "popd"):
            self.moved = True
            self._away = self._away or any(map(self._is_elsewhere, plain))
        if program in ("read", "mapfile", "readarray"):
            names = {text for text in rest if text is not None and not text.startswith("-")}
            self._tainted |= names if reads else set()
            for name in names:
                self._give(name, SOMEWHERE)
        if program == "set" and any(saw):
            self._tainted |= _POSITIONS
        if program == "set" and re.search(r"(?:^| )-(?:\w*a|o allexport)", said):
            self._exported = self._exported or bool(self._tainted)
        if program == "let":
            self._computes(f"{said} {SECRET if sees else ''}")
        if program == "getopts" and sees:
            self._tainted |= {"OPTARG", *plain[1:2]}
        doubted = self._around.doubted
        got = False
        if program in _GETTERS or (program in ("curl", "wget") and (reads or named)):
            got = self._gets(program, plain)
        if (reads or named) and _keeps_at_home(program):
            self.beside[HOME] = None
            if self._home_is_at_work(program, said):
                self._write(SOMEWHERE)
        if program in _PACKAGERS and not (reads or named):
            return False
        if program in _QUIET or program == "command" or (program == "set" and plain):
            return got or (doubted and program in ("curl", "wget", "ssh"))
        if doubted and program in _DIGESTS:
            return False
        if doubted and program in _READ and program not in _COMPUTES:
            files = sum(not text.startswith("-") for text in plain) - (program in _FILTERS)
            return reads or files > 0
        if program in ("printenv", "envsubst", "set", "compgen"):
            return everything or reads
        if program in ("jq", "yq"):
            if re.search(r"\benv\b|\bENV\b|env\(", said) is not None and everything:
                reads = True
            if program == "yq" and reads and any(re.match(r"-\w*i|--inplace", text) for text in plain):
                self._write(SOMEWHERE)
            return reads
        if program == "sed":
            into = any(re.match(r"-\w*i|--in-place", text) for text in plain)
            elsewhere = re.search(r"(?:^|[/;{}\s])w\s+\S", said) is not None
            if reads and (into or elsewhere):
                edited = [text for text in plain if not text.startswith("-")][1:]
                if elsewhere or not into or re.search(r"(?:^|\s)(?:-\w*[ef]\b|--(?:expr|file))", said) is not None:
                    edited = []  # the first word may be no script
                for text in edited or [SOMEWHERE]:
                    self._write(text)
            return reads
        if program in ("awk", "gawk", "mawk"):
            reads = reads or (everything and "ENVIRON" in said)
            if reads and re.search(r"[>|]|\bsystem\b", said):
                self._write(SOMEWHERE)
            return reads
        if program == "tee":
            for text in plain:
                if not text.startswith("-") and (reads or (self._got and _is_for_secrets(text))):
                    self._write(text)
            return reads
        tells = _TELLS.get(program)
        told = tells is not None and tells.search(said) is not None
        if program == "find" and not re.search(r"-(?:exec|ok|fprint|fls)", said):
            return False
        if program in _PRINTS:
            sees = sees or told or (named and program not in _NO_INPUT) or (program not in _NO_INPUT and reads)
            sees = sees or (reads and "-" in plain)
            if sees:
                self._named_output(program, plain)
                self._made(program, plain)
                if program in _KEYS and _KEYS[program].search(said):
                    self._keeps_keys(program, plain, said)
                if program == "printf" and "-v" in plain[:1]:
                    self._tainted |= set(plain[1:2])
                if told and _spreads(program, plain):
                    self._write(SOMEWHERE)
            return sees
        if program in _CLOUD:
            if told:
                self._named_output(program, plain)
            if program == "aws" and "codeartifact login" in said:
                self._keeps_keys(program, plain, said)
            if program == "gcloud" and "keys create" in said:
                self._write((re.findall(r"keys create (?:-\S+ )*([^\s-]\S*)", said) or [SOMEWHERE])[0])
            return got or told or doubted
        if program == "git":
            return self._git(rest, plain, saw, reads)
        if program in _PUTS:
            if reads:
                made = [text[3:] for text in plain if text.startswith("of=")] or plain[-1:]
                if program == "tar":
                    made = plain[1:2] if re.match(r"-?[a-zA-Z]*c[a-zA-Z]*f\Z", "".join(plain[:1])) else []
                self._write(made[0] if made and program in ("cp", "dd", "install", "ln", "mv", "tar") else SOMEWHERE)
            return False
        if program == "docker" and "build" in rest[:3]:
            self.built = self.built or any(
                saw[k] or self._is_tainted(text.removeprefix("--build-arg="))
                for k, text in enumerate(plain)
                if text.startswith("--build-arg=") or plain[k - 1 : k] == ["--build-arg"]
            )
        if program == "docker" and rest and rest[0] != "compose":
            if not reads and not named and not (self._loose and rest[0] == "run"):
                return doubted
            if rest[0] not in _DOCKER or any(_WRITES_OUT.fullmatch(text) for text in plain):
                self._write(SOMEWHERE)
            return doubted or rest[0] in ("run", "create", "inspect", "context")
        if program in _REGISTRIES:
            if reads and rest[:1] not in (["login"], ["sign"], ["copy"], ["push"], ["verify"], ["attest"], ["auth"]):
                self._write(SOMEWHERE)
            return doubted
        if program in _CONFIGURES and _CONFIGURES[program].match(said):
            return doubted
        if program in _INSTALLERS and _command_of(program, rest) in _INSTALLERS[program]:
            by_index = all(
                _INDEX.match(text) or (k and _INDEX.fullmatch(plain[k - 1]))
                for k, text in enumerate(plain) if saw[k]
            )  # fmt: skip
            if not by_index or (program == "uv" and "pip" in rest and "install" not in rest):
                self._write(SOMEWHERE)
            return doubted
        if told:
            self._named_output(program, plain)
        if inherits or reads or named or self._loose or (told and _spreads(program, plain)):
            self._write(SOMEWHERE)
        return doubted or reads or named or told

    def _git(self, rest: Sequence[str | None], plain: Sequence[str], saw: Sequence[bool], reads: bool) -> bool:
        at = 0
        while at < len(rest) and plain[at].startswith("-"):
            at += 2 if plain[at] in ("-c", "-C") else 1
        said = " ".join(plain[at:])
        own = f"git-{plain[at]}" if at < len(plain) else ""
        if own in _TELLS and _TELLS[own].search(said):
            self._write(SOMEWHERE)
            return True
        if not reads or (any(saw) and not any(saw[at:])):
            return False
        command = plain[at] if at < len(plain) else ""
        if not (command in _GIT_SEES and not any(map(_UPSTREAM.fullmatch, plain[at:]))) and not _GIT.match(said):
            self._write(".git/logs/HEAD" if command == "pull" and "-C" not in plain[:at] else SOMEWHERE)
        elif self._layer is not None and _GIT.match(said):
            self._write("~/.gitconfig" if "--global" in plain else "/etc/gitconfig")
        return False

    def _names(self, text: str) -> bool:
        """Whether an option gives a variable that holds a secret by its name: `-e A`, `--secret id=a,env=A`."""
        last = re.split(r"[=,:]", text)[-1]
        return re.fullmatch(r"[A-Za-z_]\w*", last) is not None and last in self._tainted

    def _from_outside(self, program: str, plain: Sequence[str]) -> bool:
        """Whether a program reads a file outside of the workspace that may hold a secret, by its path, or by its name
        in a directory there."""
        if (
            program in _READ
            and (HOME in self.beside or HOME in self._around.beside)
            and any(map(_AT_HOME.match, plain))
            and not _extracts(program, plain)
        ):
            return True
        if not self.outside:
            return False
        if any(map(self._reads_elsewhere, plain)):
            return True
        away = self._away or (program == "tar" and any(map(self._is_directory_elsewhere, plain)))
        if not away or program not in _READ:
            return False
        if SOMEWHERE in self._around.beside or len(self.beside) > _MOST_VALUES:
            return True
        names = {posixpath.basename(path) for path in (*self._around.beside, *self.beside)}
        return any(posixpath.basename(text) in names or text in (".", "*") for text in plain)

    def _is_directory_elsewhere(self, text: str) -> bool:
        match = re.fullmatch(r"(?:-C|--directory=)(.+)", text)
        return match is not None and self._is_elsewhere(match[1])

    def _reads_elsewhere(self, text: str) -> bool:
        return self._is_elsewhere(text) and not text.startswith("/dev/null")

    def _made(self, program: str, plain: Sequence[str]) -> None:
        """Note the file that a program makes which stands there without an option."""
        if program not in _MADE or (program == "htpasswd" and any(re.match(r"-[a-zA-Z]*n", text) for text in plain)):
            return
        operands = [text for text in plain if text == "-" or not text.startswith("-")]
        if program == "htpasswd" and any(re.match(r"-[a-zA-Z]*[Cr]", text) for text in plain):
            operands = [SOMEWHERE]  # with a number before it
        for text in operands[_MADE[program] :][:1]:
            self._write(text)

    def _keeps_keys(self, program: str, plain: Sequence[str], said: str) -> None:
        """A program that keeps what it is told with its own configuration."""
        self.outside = True
        self.beside[HOME] = None
        pairs = [(*text.partition("=")[::2], "".join(plain[k + 1 : k + 2])) for k, text in enumerate(plain)]
        places = [value or after for name, value, after in pairs if _HOME_OPTION.fullmatch(name)]
        for text in places:
            self._write(text or SOMEWHERE)
        if not places and self._home_is_at_work(program, said):
            self._write(SOMEWHERE)

    def _named_output(self, program: str, plain: Sequence[str]) -> None:
        for k, text in enumerate(plain):
            name, is_given, value = text.partition("=")
            if _OUTPUT.fullmatch(name) or (program == "az" and name in ("-f", "--path")):
                file = value if is_given else "".join(plain[k + 1 : k + 2])
                if file.partition("=")[0] not in _FORMATS and file != "-":
                    self._write(file or SOMEWHERE)

    # --- files ------------------------------------------------------------------------------------------------------

    def _opens(self, word: Word) -> bool:
        """Whether a word may name a file of the workspace that may hold a secret, or a directory with one."""
        if self._layer is not None:
            return any(self._holds(text) for text in self._paths(_plain(word)))
        if not self._parts and not self._anywhere:
            return False
        text = word.static
        if text is None or OTHER in text:
            return True
        _, is_given, value = text.partition("=")
        if text.startswith("-") and not is_given:
            return False
        paths = [one for one in (text, value) if one and not one.startswith("-")]
        names = {posixpath.basename(one.rstrip("/")) for one in paths}
        names |= {".git" for one in paths if ".git" in one.split("/")}
        return self._anywhere or not names.isdisjoint({"", ".", ".."} | self._parts)

    # --- layers -----------------------------------------------------------------------------------------------------

    def meet(self, script: Script) -> None:
        """Who reads the secrets that are mounted: if no program is seen to do so, one that is not known may."""
        assert self._layer is not None
        there = {path for path in self._mounted if not _CONFIGURATION.match(self._in_home(path))}
        seen: set[str] = set()
        for node in script.walk():
            words: Sequence[Word] = ()
            if isinstance(node, Simple):
                program = posixpath.basename((node.words[0].static if node.words else None) or "")
                words = node.words if program in _READ or program in _SETTINGS or program in _QUIET else ()
            elif isinstance(node, Redirect) and node.op == "<":
                words = (node.target,)
            seen |= {path for word in words for text in self._paths(_plain(word)) if (path := self._at(text))}
        self._loose = not there <= seen

    def _in_home(self, path: str) -> str:
        assert self._layer is not None
        home = self._layer.home
        return f"~{path[len(home):]}" if path.startswith(f"{home}/") else path

    def _paths(self, text: str) -> list[str]:
        """The paths that a word may name: it, what it gives an option, or the values of a variable; behind `@` too."""
        _, is_given, value = text.partition("=")
        found = [re.sub(r"\A(?:@|file:(?://)?)", "", one) for one in ((text, value) if is_given else (text,))]
        return [each for one in found for each in (self._meant(one) if one.startswith("$") else ()) or (one,)]

    def _at(self, text: str) -> str | None:
        """A path of the container as it is; None if that is not known."""
        assert self._layer is not None
        text = re.sub(r"\A(?:~|\$HOME\b|\$\{HOME\})(?=/|\Z)", lambda _: self._layer_home, text)
        if not text.startswith("/"):
            text = SOMEWHERE if self.moved else posixpath.join(self._layer.directory, text)
        return None if re.search(r"[$*?\[{~]", text) else posixpath.normpath(text)

    @property
    def _layer_home(self) -> str:
        assert self._layer is not None
        return self._layer.home

    def _holds(self, text: str) -> bool:
        """Whether a path of the container may be that of a secret, or of a directory with one."""
        path = self._at(text)
        if len(self._mounted) > _MOST_VALUES:
            return True
        if path is not None:
            return any(_covers(path, one) or _covers(one, path) for one in self._mounted)
        if text.startswith(("-", "$(")) or "=" in text:
            return False
        known = re.split(r"[$*?\[{~]", text, maxsplit=1)[0]
        if known.startswith("/"):
            return any(one.startswith(known) for one in self._mounted)
        names = {posixpath.basename(one) for one in self._mounted}
        return any(one.startswith(known) for one in names) or posixpath.basename(text) in names

    def _write_layer(self, target: str) -> None:
        assert self._layer is not None
        if target.startswith(("/dev/", "/proc/", "/sys/")):
            return
        for path in {self._at(one) for one in self._paths(target)}:
            if path is None:
                self.targets[SOMEWHERE] = None
                continue
            if not any(_covers(one, path) for one in self._layer.aside):
                self.targets[path] = None
                self._loose = self._loose or not _CONFIGURATION.match(self._in_home(path))
            self._mounted.add(path)

    def left(self, script: Script) -> tuple[str, ...]:
        """The files with secrets that are there when a script has ended well: those that it does not remove at last."""
        simple = [node for node in script.walk() if isinstance(node, Simple)]
        names = [node.words[0].static if node.words else None for node in simple]
        if any(one is not None and one.text == "&" for one in script.separators) or not _ENDS.isdisjoint(names):
            return tuple(self.targets)  # in the background, or not at all
        busy = [one.start for one, name in zip(simple, names, strict=True) if name not in _NO_READER or one.redirects]
        removed: set[str] = set()
        for k, item in enumerate(script.items):
            # what is behind `&&` has run if the script ends well by it
            sure = k == len(script.items) - 1 and all(one.text == "&&" for one in item.operators)
            for pipeline in item.pipelines if sure else item.pipelines[:1]:
                command = pipeline.commands[0] if len(pipeline.commands) == 1 else None
                if not isinstance(command, Simple) or command.start < max(busy, default=0) or not command.words:
                    continue
                if command.words[0].static == "rm":
                    removed |= {path for word in command.words[1:] if (path := self._at(_plain(word))) is not None}
        return tuple(one for one in self.targets if removed.isdisjoint(_upwards(one)))

    # --- files ------------------------------------------------------------------------------------------------------

    def _note(self, path: str) -> None:
        """Note that a file of the workspace may hold a secret."""
        if "$" in path or path.startswith("~"):
            self._anywhere = self._loose = True
        else:
            parts = [part for part in path.split("/") if part not in ("", ".", "..")]
            own = parts.index(".git") if ".git" in parts else None  # what is in there is copied with all of it
            self._parts.update(parts if own is None else parts[: own + 1])
            self._loose = self._loose or own is None

    def _gets(self, program: str, plain: Sequence[str]) -> bool:
        """A program that gets something with the help of a secret. What it puts into a file that is there for secrets
        is one, and so is what it gets from where secrets are. Answers whether it tells one."""
        self._got = True
        for k, text in enumerate(plain if program in ("curl", "wget") else ()):
            name, is_given, value = text.partition("=")
            if _TRACE.fullmatch(name):
                self._write(value if is_given else "".join(plain[k + 1 : k + 2]) or SOMEWHERE)
        if program == "ssh":
            behind = [text for k, text in enumerate(plain) if not (k and re.fullmatch(r"-[a-zA-Z]", plain[k - 1]))]
            return any(_is_for_secrets(one) for text in behind for one in text.split() if not one.startswith("-"))
        options = _AZURE_DESTINATION if program == "az" and not _COPIES.isdisjoint(plain) else _DESTINATION
        cluster = {"curl": r"-[a-zA-Z#]*o(.*)", "wget": r"-[a-zA-Z]*O(.*)"}.get(program)
        sources: list[str] = []
        given: list[str] = []
        places: list[str] = []
        for k, text in enumerate(plain):
            name, is_given, value = text.partition("=")
            match = re.fullmatch(cluster, text) if cluster is not None else None
            if match is not None:
                given += [match[1]] if match[1] else list(plain[k + 1 : k + 2])
                continue
            if text.startswith("-") and text != "-":
                if is_given and (options.fullmatch(name) or _DESTINATION.fullmatch(name)):
                    given.append(value)
                elif is_given and _SOURCE.fullmatch(name):
                    sources.append(value)
                continue
            before = plain[k - 1] if k else ""
            if cluster is not None and re.fullmatch(cluster[:-4], before):
                continue
            if before.startswith("-") and "=" not in before and before != "-":
                if (options.fullmatch(before) or _DESTINATION.fullmatch(before)) and not _REMOTE.match(text):
                    given.append(text)
                    continue
                if _SOURCE.fullmatch(before):
                    sources.append(text)
                    continue
                if program == "gh" and before in ("-p", "--pattern"):  # it is named as it is there
                    places.append(text)
                    continue
                short = not before.startswith("--")
                switch = _SWITCHES.fullmatch(before) and not (short and program in ("aws", "az", "gcloud", "gh"))
                if not switch and not ("://" in text and (short or program in ("curl", "wget"))):
                    continue
            if _REMOTE.match(text):
                sources += [text]
                places.clear()  # what stands before is what goes there
            else:
                places.append(text)
        joins = "get-credentials" in plain or "update-kubeconfig" in plain
        if joins and not given and self._is_at_work("KUBECONFIG"):
            self._write(SOMEWHERE)
        secret = [one for one in sources if _is_for_secrets(one) or _SECRET_PLACE.search(one.lower())]
        local = [one for one in given if one not in _FORMATS]
        for text in (*local, *places):
            if _is_for_secrets(text):
                self._write(text)
        if not secret:
            return False
        if program in ("curl", "wget"):
            if not local:
                return self._gets_by_name(program, plain, secret)
        elif program in _CLOUD and _COPIES.isdisjoint(plain):
            return False
        elif not local:
            if not places:
                return False  # it goes there
            local = places[-1:]
        for text in local:
            if text in ("-", "/dev/stdout"):
                return True
            into = text in (".", "..") or text.endswith("/")
            self._write(posixpath.join(text, posixpath.basename(secret[0])) if into and "/" in secret[0] else text)
        return False

    def _gets_by_name(self, program: str, plain: Sequence[str], sources: Sequence[str]) -> bool:
        """What is put into a file that is named as it is where it comes from, or told."""
        if program == "curl" and not any(re.fullmatch(r"-[a-zA-Z#]*O|--remote-name(?:-all)?", text) for text in plain):
            return True
        for text in sources:
            self._write(posixpath.basename(text) or SOMEWHERE)
        return False

    def _home_is_at_work(self, program: str, said: str) -> bool:
        """Whether the directory in which a program keeps what it is told may be in the workspace."""
        if self._layer is not None:  # what is told to log in, and not to get something
            configures = program in _CONFIGURES and _CONFIGURES[program].match(said) is not None
            return configures or program not in ("git", *_CONFIGURES, *_INSTALLERS)
        names = _MOVED.get("docker" if program in _REGISTRIES else program, ())
        moved = any(map(self._values, names))
        return any(map(self._is_at_work, names)) or (
            (not moved or program not in ("docker", *_REGISTRIES)) and self._is_at_work("HOME")
        )

    def _values(self, name: str) -> set[str]:
        return self._homes.get(name, set()) | self._assigned.get(name, set())

    def _is_at_work(self, name: str) -> bool:
        return not all(map(is_elsewhere, self._values(name)))

    def _is_elsewhere(self, target: str) -> bool:
        if self._is_out(target):
            return True
        return bool(values := self._meant(target)) and all(map(self._is_out, values))

    def _is_out(self, path: str) -> bool:
        if not is_elsewhere(path):
            return False
        if re.match(r"~|\$\{?HOME\b", path):
            return not self._is_at_work("HOME")
        return re.match(r"\$\{?TMPDIR\b|\$\(mktemp", path) is None or not self._is_at_work("TMPDIR")

    def _meant(self, target: str) -> set[str]:
        """The values of the variable with which a path begins."""
        match = re.match(r"\$(?:(\w+)|\{(\w+)\})(?=/|\Z)", target)
        return self._assigned.get(match[1] or match[2], set()) if match else set()

    def _write(self, target: str, name: str = SOMEWHERE) -> None:
        """Note that a file gets what may be a secret; name: if it is one for variables or outputs, of that one."""
        if self._layer is not None:
            self._write_layer(target)
            return
        if self._is_elsewhere(target):
            for path in {target, *self._meant(target)}:
                if re.match(r"\$\{?GITHUB_ENV\b", path):
                    self.variables.add(name)
                elif re.match(r"\$\{?GITHUB_OUTPUT\b", path):
                    self.outputs.add(name)
                elif not _NOT_KEPT.match(path):
                    self.outside = True
                    if self._is_out(path):
                        self.beside[path] = None
            return
        target = SOMEWHERE if re.search(r"\A~|[*?\[]|(?<!\$)\{", target) else target
        self._note(target)
        self.targets[target] = None


_OWN = re.compile(
    r"(?:GITHUB|RUNNER|ACTIONS|DOTNET|JAVA|GOROOT|ANDROID|CHROME|AGENT|ImageOS|ImageVersion)\w*"
    r"|(?:HOME|PATH|PWD|OLDPWD|CI|USER|SHELL|LANG|LC_ALL|TMPDIR|IFS|HOSTNAME|SECONDS|RANDOM|UID|EUID|LINENO|PIPESTATUS"
    r"|FUNCNAME|OPTARG|OPTIND|BASH\w*)\Z"
)
"""Variables that the runner or the shell sets."""


def _spreads(program: str, plain: Sequence[str]) -> bool:
    """Whether what a program of `_TELLS` tells comes into files that no option names, or to another program."""
    if program == "sops" and any(re.match(r"-\w*i|--in-place", text) for text in plain):
        return True
    return program in _SPREADS or not _SPREADS.isdisjoint(plain)


def _command_of(program: str, rest: Sequence[str | None]) -> str | None:
    """The command that a program of `_INSTALLERS` is given, behind options without a value."""
    if rest and rest[0] in _INSTALLERS[program]:
        return rest[0]
    return next((text for text in rest if text is None or not text.startswith("-")), _ALONE.get(program))


def _extracts(program: str, plain: Sequence[str]) -> bool:
    """Whether it takes files out of an archive, so that its directory is where they go."""
    unpacks = re.match(r"-?[a-zA-Z]*x|--extract", "".join(plain[:1])) is not None
    return program in ("gunzip", "unzip") or (program == "tar" and unpacks)


def _keeps_at_home(program: str) -> bool:
    """Whether a program keeps what it is told in the home directory."""
    known = (_CLOUD, _CONFIGURES, _INSTALLERS, _REGISTRIES)
    return program in ("docker", "git") or any(program in programs for programs in known)


def _upwards(path: str) -> list[str]:
    """An absolute path and the directories that it is in."""
    parts = path.split("/")
    return ["/".join(parts[: k + 1]) or "/" for k in range(len(parts))]


def _covers(directory: str, path: str) -> bool:
    """Whether an absolute path is a directory, or below it."""
    return path == directory or path.startswith(directory.rstrip("/") + "/")


def _is_for_secrets(target: str) -> bool:
    """Whether the name of a file says that it holds a secret."""
    name = posixpath.basename(target)
    return _SECRET_FILE.search(name) is not None and _NO_SECRET_FILE.search(name) is None


def _plain(word: Word) -> str:
    """A word as it is, but with its expansions as they stand there; SOMEWHERE where it may be anything."""
    text = word.static
    if text is not None:  # `'~'` and `'$HOME'` are names
        text = f"./{text}" if text.startswith(("~", "$")) else text
    else:
        text = word.text.replace('"', "").replace("'", "").replace("\\\n", "")
        if "\\" in text:
            return SOMEWHERE
    return text.replace(OTHER, SOMEWHERE)


def _given_name(command: Command) -> str:
    """The one variable, or output, that a command gives a value by `echo NAME=…`; SOMEWHERE if that is not sure."""
    words = [_plain(word) for word in command.words] if isinstance(command, Simple) else []
    if words[:1] == ["echo"]:
        words = [word for word in words[1:] if word not in ("-n", "-e")]
        match = re.match(r"([A-Za-z_][\w-]*)=", words[0]) if words else None
        if match is not None and not any("\n" in word or "\\" in word for word in words):
            return match[1]
    return SOMEWHERE


def _program(texts: Sequence[str | None]) -> int:
    """Where the name of the program stands, behind `sudo` and the like."""
    at = 0
    while at < len(texts) and (text := texts[at]) is not None and text in _WRAPPERS:
        if text == "command" and texts[at + 1 : at + 2] in (["-v"], ["-V"]):
            return at
        at += 1
        while at < len(texts) and (option := texts[at]) is not None and (
            option.startswith("-") or (text in ("env", "sudo") and "=" in option)
        ):
            at += 1
        at += text == "timeout" and at < len(texts)
    return at
