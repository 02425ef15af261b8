"""Whether what an image runs calls cargo, so that it needs the crates that are in it. For cargo-cache."""

from __future__ import annotations

from collections.abc import Sequence
from posixpath import basename

from fixer.analysis import Facts, Known, Stage, Unknown, Value, join
from fixer.analysis.brought import Brought
from fixer.analysis.context import BuildContext
from fixer.analysis.docker_scripts import all_commands
from fixer.analysis.tools.cargo import read_cargo
from fixer.codemods.cargo_steps import files_before
from fixer.tree.nodes import Cmd, Entrypoint, ExecForm, Instruction

_RUN_IT = frozenset(("bacon", "dx", "trunk"))
"""Programs that run cargo without being told so: bacon, Dioxus' and Trunk's servers (their own documentation)."""
_PLACES = ("/usr/local/bin", "/usr/bin", "/bin")
"""Where a program is looked for that is named without a directory."""
_RECIPES = {
    "make": ("GNUmakefile", "makefile", "Makefile"),
    "gmake": ("GNUmakefile", "makefile", "Makefile"),
    "just": ("justfile", "Justfile", ".justfile"),
    "task": ("Taskfile.yml", "Taskfile.yaml"),
}
"""Programs that run commands which stand in a file of the current directory (their own manuals)."""


def calls_cargo(words: Sequence[str | None]) -> bool:
    """Whether a command calls cargo, or a program that belongs to it, for what may fetch: by itself, or through any
    other program, which need not be known (`./wait-for db -- cargo run`, `watchexec "cargo test"`)."""
    for at, word in enumerate(words):
        if word is None:
            continue
        name = basename(word)
        if any(char.isspace() for char in word):
            if any(_is_cargo(command.words) for command in all_commands(word, None)):
                return True
        elif name.startswith("cargo-") and ("/" not in word or "/bin/" in word):
            if _is_cargo(["cargo", name.removeprefix("cargo-"), *words[at + 1 :]]):
                return True
        elif _is_cargo(words[at:]) or (at == 0 and name in _RUN_IT):
            return True
    return False


def _is_cargo(words: Sequence[str | None]) -> bool:
    known = [Unknown("a variable") if word is None else Known(word) for word in words]
    cargo = read_cargo(known, Unknown("the image is run somewhere"), lambda _: None)
    return cargo is not None and cargo.fetches


def runs_cargo(facts: Facts, words: Sequence[str]) -> bool:
    """The same of a command that is run in an image, also in a script for a shell."""
    import shlex

    facts.charge(len(words))
    return any(calls_cargo(command.words) for command in all_commands(shlex.join(words), None))


def words_of(instruction: Instruction | None) -> Sequence[str]:
    """The words of an ENTRYPOINT or CMD in exec form; none of another."""
    form = instruction.form if isinstance(instruction, Cmd | Entrypoint) else None
    return form.values if isinstance(form, ExecForm) else ()


class Scripts:
    """The scripts of the build context that the image of a stage may run."""

    def __init__(self, facts: Facts, stage: Stage, context: BuildContext) -> None:
        self._facts = facts
        self._stage = stage
        self._context = context
        self._files: Brought | None = None

    def run_cargo(self, words: Sequence[str | None]) -> bool:
        """Whether a word of a command names one of them that calls cargo. It is asked for as long as it is the program,
        or may be what an unknown one is given: `sh entry.sh`, `tini -- /entry.sh`."""
        if not self._context.at_hand:
            return False
        if self._files is None:
            self._files = files_before(self._facts, self._stage, None, self._context)
        workdir = self._facts.end_state(self._stage).workdir
        for at, word in enumerate(words):
            if word is not None and basename(word) in _RECIPES and self._recipes_run_cargo(words[at:], workdir):
                return True
            if word is None or (at > 0 and "/" not in word and not word.endswith(".sh")):
                continue
            paths = [join(workdir, Known(word)), *(Known(f"{place}/{word}") for place in _PLACES if "/" not in word)]
            for path in paths:
                text = self._files.text(path.value) if isinstance(path, Known) else None
                if text is None or not (text.startswith("#!") or word.endswith(".sh")):
                    continue
                self._facts.charge(1 + len(text) // 200)
                if any(calls_cargo(command.words) for command in all_commands(text, None)):
                    return True
        return False

    def _recipes_run_cargo(self, words: Sequence[str | None], workdir: Value) -> bool:
        """Whether the file of a `make` or the like has a command that calls cargo, whichever target is meant."""
        given = {name: words[at + 1] for at, name in enumerate(words[:-1]) if name in _GIVEN}
        directory = join(workdir, Known(given.get("-C") or given.get("-d") or "."))
        file = given.get("-f") or given.get("-t")
        for name in (file,) if file else _RECIPES[basename(words[0] or "")]:
            path = join(directory, Known(name))
            text = self._files.text(path.value) if self._files is not None and isinstance(path, Known) else None
            if text is not None:
                self._facts.charge(1 + len(text) // 200)
                return any(_is_recipe(line) for line in text.splitlines())
        return False


_GIVEN = frozenset(("-C", "-d", "-f", "-t"))


def _is_recipe(line: str) -> bool:
    """Whether a line of a file of recipes calls cargo."""
    command = line.replace("$(CARGO)", "cargo").replace("${CARGO}", "cargo").lstrip(" \t@+-")
    return "cargo" in command and any(calls_cargo(each.words) for each in all_commands(command, None))
