"""What decides, besides the package, what a wheel has in it that pip builds: `pip-cache` asks for it, since pip does
not when it looks for a wheel that it has built.

Sources: pip's documentation (pip 24: "Configuration"), its cache (`cache.py`, pip 23.0 to 24.3: a wheel that was built
is found again by link, hash, subdirectory and interpreter, and by nothing else), and the setup.py of the packages whose
variables are named here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from posixpath import basename

from fixer.analysis import Call, Facts, Known, Stage
from fixer.analysis.context import BuildContext
from fixer.analysis.tools.pip import Pip, is_local, pip_of
from fixer.analysis.transfers import destination_text, heredoc_files, sources
from fixer.analysis.unseen import PRINTERS
from fixer.codemods import common
from fixer.codemods.pip_others import span_of, texts_of
from fixer.text.names import set_of
from fixer.text.regex import regex
from fixer.text.source import Span
from fixer.tree.nodes import Arg, Env, Run, Transfer
from fixer.tree.shell import OpaqueScript

_HARMLESS = regex(
    r"PIP_(?!NO_BINARY|NO_BUILD_ISOLATION|CONFIG_SETTINGS|BUILD_OPTION|GLOBAL_OPTION|USE_PEP517|NO_USE_PEP517)\w+|POETRY_\w+|UV_\w+|PIPENV_\w+|LC_\w+|LANG|LANGUAGE|TERM|TZ|CI|USER|SHELL|HOME|PATH|PYTHON(?!_NO)\w*|"
    r"DEBIAN_FRONTEND|DEBCONF_\w+|TMPDIR|TMP|TEMP|XDG_\w+|VIRTUAL_ENV\w*|PS1|CONDA_\w+|GIT_\w+|SSL_\w+|CURL_CA_BUNDLE|"
    r"REQUESTS_CA_BUNDLE|LD_LIBRARY_PATH|NODE_\w+|NPM_\w+|SKIP_CACHE|MAKEFLAGS|MAX_JOBS|CMAKE_BUILD_PARALLEL_LEVEL|CARGO_HOME|RUSTUP_\w+|"
    r"(?i:(?:https?|ftp|all|no)_proxy)"
)
"""Variables that do not change what pip builds."""
_OF_SCRIPTS = regex(
    r"(?!PBR_|SETUPTOOLS_)\w*VERSION|GNUPGHOME|GOPATH|GOROOT|JAVA_HOME|HELM_HOME|\w*(?:URL|REPO|DEPS|PKGS|PACKAGES)|"
    r"(?:TARGET|BUILD|DPKG_|DEB_|UNAME_)?ARCH|NVM_\w+|N_PREFIX|PYENV_ROOT|[a-z_]+"
)
"""Variables that a script exports for itself."""
_BUILD = set_of(
    "CFLAGS CXXFLAGS CPPFLAGS LDFLAGS RUSTFLAGS CMAKE_ARGS SKBUILD_CMAKE_ARGS SKBUILD_CONFIGURE_OPTIONS CC CXX FC "
    "PIP_NO_BINARY PIP_NO_BUILD_ISOLATION PIP_CONFIG_SETTINGS PIP_BUILD_OPTION PIP_GLOBAL_OPTION PIP_USE_PEP517 "
    "PIP_NO_USE_PEP517 PYCURL_SSL_LIBRARY FORCE_CUDA TORCH_CUDA_ARCH_LIST TCNN_CUDA_ARCHITECTURES CUDAARCHS "
    "VLLM_TARGET_DEVICE LLAMA_CUBLAS LLAMA_CUDA STATIC_DEPS SODIUM_INSTALL UWSGI_PROFILE UWSGI_PROFILE_OVERRIDE "
    "UWSGI_EMBED_PLUGINS SLUGIFY_USES_TEXT_UNIDECODE AIRFLOW_GPL_UNIDECODE CRYPTOGRAPHY_DONT_BUILD_RUST DLIB_USE_CUDA "
    "GRPC_PYTHON_BUILD_SYSTEM_OPENSSL GRPC_PYTHON_BUILD_SYSTEM_ZLIB GRPC_PYTHON_BUILD_SYSTEM_CARES "
    "GRPC_PYTHON_BUILD_WITH_CYTHON AIOHTTP_NO_EXTENSIONS MULTIDICT_NO_EXTENSIONS YARL_NO_EXTENSIONS "
    "FROZENLIST_NO_EXTENSIONS"
)
_BUILD_OF = ("HOROVOD_", "FLASH_ATTENTION_", "DS_BUILD_")
"""Variables that surely change what is built, also where they are set for all steps: compilers', pip's own, and those
that packages ask for in their setup.py; and what the names of others begin with."""
_BUILD_OPTIONS = set_of(
    "--no-binary --config-settings -C --global-option --build-option --no-build-isolation --no-use-pep517"
)
"""Options with which pip builds otherwise, or with what happens to be installed. (With `--install-option` old ones
keep no wheel, and new ones fail.)"""
_SHORTEST_CUT = len("--confi")
"""pip takes options that are cut short."""
_ONLY_WHEELS = set_of("pip setuptools wheel pipenv poetry virtualenv uv pipx tox nox build twine")
"""Packages that are the same wheel for everybody."""


def deciding_variables(facts: Facts) -> list[str]:
    """The variables that ENV and ARG of a file set and that surely change what pip builds. What a file does not speak
    of is the base image's, and the same for all who start from it."""
    return list(dict.fromkeys(
        pair.key.value
        for stage in facts.stages for instruction in stage.instructions
        if isinstance(instruction, Env | Arg) for pair in instruction.pairs
        if pair.key.value in _BUILD or pair.key.value.startswith(_BUILD_OF)
    ))  # fmt: skip


def build_settings(
    call: Call, pip: Pip, deciding: Sequence[str], exported: Sequence[tuple[str, Span, int]]
) -> tuple[str, Span] | None:
    """What decides, besides the package, what a wheel that pip may build here has in it, and where that is said: pip
    does not ask for it when it looks for a wheel that it has built. deciding: of `deciding_variables`. exported: of
    `exports`."""
    if pip.subcommand not in ("install", "wheel") or pip.only_wheels:
        return None
    for at, option in _options(call):
        if option in _BUILD_OPTIONS:
            return option, common.node_span(call.nodes[at])
    operands = [word.value if isinstance(word, Known) else "?" for word in pip.operands]
    if operands and not pip.requirements and all(_name_of(text) in _ONLY_WHEELS for text in operands):
        return None
    for name, span in _given(call):
        if _HARMLESS.fullmatch(name) is None:
            return name, span
    for name, span, start in exported:
        if start < call.span[0]:
            return name, span
    for name in deciding:
        value = call.lookup(name)
        if value is not None and value != Known(""):
            return name, span_of(call)
    return None


def _name_of(requirement: str) -> str:
    return re.split(r"[\[<>=!~;@ ]", requirement, maxsplit=1)[0].lower()


def _options(call: Call) -> Iterator[tuple[int, str]]:
    for at, word in enumerate(call.words[1:], 1):
        if isinstance(word, Known) and word.value.startswith("-"):
            name, _, value = word.value.partition("=")
            if not word.value.startswith("--"):
                name = word.value[:2]
            elif name not in _BUILD_OPTIONS and len(name) >= _SHORTEST_CUT:
                name = next((option for option in _BUILD_OPTIONS if option.startswith(name)), name)
            if name == "--no-binary" and (value == ":none:" or call.argument(at + 1) == ":none:"):
                continue
            yield at, name


def _given(call: Call) -> Iterator[tuple[str, Span]]:
    """The variables that are set for the call alone."""
    for assignment in call.assignments:
        yield assignment.name, Span(assignment.start, assignment.end)
    for name in call.local:
        yield name, span_of(call)


def exports(calls: Sequence[Call]) -> list[tuple[str, Span, int]]:
    """The first variable that a step exports for what comes behind it and that may change what pip builds, with where
    the command begins; none if there is none."""
    for each in calls:
        if each.program == "export" and each.function is None:
            for at, text in enumerate(texts_of(each)[1:], 1):
                name, equals, _ = text.partition("=")
                harmless = _HARMLESS.fullmatch(name) or _OF_SCRIPTS.fullmatch(name)
                if equals and not harmless and re.fullmatch(r"\w+", name):
                    return [(name, common.node_span(each.nodes[at]), each.span[0])]
    return []


# --- files of configuration ------------------------------------------------------------------------------------------

_KEYS = set_of(
    "find-links no-binary no-build-isolation config-settings build-option global-option use-pep517 no-use-pep517"
)
CACHE_KEYS = set_of("cache-dir no-cache-dir")
"""Where pip's cache is. Any value of `no-cache-dir` switches it off."""
_WORDS = ("pip.conf", "pip config", "pip3 config")
"""Without one of these words in the text there is no configuration."""


def configured(facts: Facts, stage: Stage, context: BuildContext) -> list[tuple[str, Span]]:
    """What a configuration of pip in a stage says about wheels and about the cache, in order, and where it comes from:
    `pip config set`, a pip.conf that a COPY brings or makes, if it is at hand, or one that a RUN writes."""
    found: list[tuple[str, Span]] = []
    if not any(facts.mentions(word) for word in _WORDS):
        return found
    read: set[str] = set()
    for each in facts.passing(stage.lineage):
        for instruction in each.instructions:
            if isinstance(instruction, Run):
                found += _configures(facts, instruction)
            elif isinstance(instruction, Transfer) and facts.copied_from(instruction) is None:
                for name, text in heredoc_files(facts, instruction):
                    if name == "pip.conf":
                        found += [(key, instruction.keyword.span) for key in _settings(text)]
                named = basename(destination_text(instruction)) == "pip.conf"
                for source in sources(facts, instruction):
                    path = source.path.value if isinstance(source.path, Known) else ""
                    if not path or path in read or not (named or basename(path) == "pip.conf"):
                        continue
                    read.add(path)
                    found += [(key, source.span) for key in _settings(context.text(path) or "")]
    return found


def _configures(facts: Facts, run: Run) -> Iterator[tuple[str, Span]]:
    if not facts.may_name(run, _WORDS):
        return
    calls = facts.calls(run)
    writes = "pip.conf" in run.code
    for heredoc in run.heredocs if writes else ():
        yield from ((key, run.keyword.span) for key in _settings(heredoc.body.text))
    for call in () if isinstance(calls, OpaqueScript) else calls:
        pip = pip_of(call)
        text = ""
        if pip is not None and pip.subcommand == "config":
            said = [each.value if isinstance(each, Known) else "" for each in pip.operands]
            text = f"{said[1].rpartition('.')[2]}={said[2]}" if said[:1] == ["set"] and said[2:] else ""
        elif writes and call.program in PRINTERS:
            text = " ".join(text.strip("\"'") for text in texts_of(call)[1:])
        yield from ((key, span_of(call)) for key in _settings(text))


def _settings(text: str) -> Iterator[str]:
    """The settings in a text that matter; links to what others serve do not. Values may follow in lines of their own,
    which are not read."""
    for line in text.replace("\\n", "\n").splitlines():
        name, equals, value = line.partition("=" if "=" in line else ":")
        key = name.strip().replace("_", "-")
        if equals and key in CACHE_KEYS:
            yield key
        elif equals and key in _KEYS:
            places = value.split()
            if key != "find-links" or not places or any(is_local(Known(place)) for place in places):
                yield key
