"""Programs and scripts that come from the build context, and which the Dockerfile itself does not show.

Source: the manuals of dash, bash (`.`, the search in PATH), make (the names of makefiles, GNU make 4.4) and npm.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from posixpath import basename, normpath

from fixer.analysis.brought import FromContext
from fixer.analysis.commands import Call
from fixer.analysis.context import BuildContext
from fixer.analysis.facts import Facts
from fixer.analysis.transfers import heredoc_files
from fixer.analysis.values import Known, join
from fixer.analysis.wrappers import SHELLS
from fixer.text.records import dataclass
from fixer.text.regex import regex
from fixer.tree.nodes import Instruction, Run, Transfer
from fixer.tree.shell import OpaqueScript, Redirect

_INTERPRETERS = regex(r"(?:python|pypy|perl|ruby|php|node|Rscript|tclsh|lua)[\d.]*")
_BUILDERS = {
    **dict.fromkeys(("make", "gmake"), ("GNUmakefile", "makefile", "Makefile")),
    **dict.fromkeys(("npm", "yarn", "pnpm", "bun"), ("package.json",)),
    "rake": ("Rakefile", "rakefile"),
    "just": ("justfile", "Justfile"),
}
"""Programs that run commands which stand in a file of the current directory."""
PRINTERS = frozenset(("echo", "printf", "cat", "tee"))
"""Programs that print what they are told, or given in a here-document."""
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""What BuildKit has for PATH where the image has none (util/system/path.go, v0.25)."""


@dataclass(frozen=True, slots=True)
class UnseenCode:
    """name: of the file that is run, as the call has it. text: what is in it; None if that is not at hand, or no
    text."""

    name: str
    text: str | None


class Unseen:
    """Finds what the calls of an instruction run of the build context."""

    def __init__(self, facts: Facts, context: BuildContext) -> None:
        self._facts = facts
        self._files = FromContext(facts, context)
        self._written: dict[str, dict[str, list[str]]] = {}

    def written(self, call: Call, word: str) -> Sequence[str]:
        """Texts with a certain word that the Dockerfile itself puts into programs of the name that a call runs: into a
        COPY's here-document, or by what a command of a RUN prints into a directory of programs."""
        name = call.program or ""
        if not name or not (self._facts.mentions(f"bin/{name}") or self._facts.mentions("<<")):
            return ()
        if word not in self._written:
            found = self._written[word] = {}
            for stage in self._facts.stages:
                for instruction in stage.instructions:
                    if isinstance(instruction, (Run, Transfer)) and word in self._facts.file.source_of(instruction):
                        for program, text in self._puts(instruction):
                            if word in text:
                                found.setdefault(program, []).append(text)
        return self._written[word].get(name, ())

    def _puts(self, instruction: Run | Transfer) -> Iterator[tuple[str, str]]:
        """The names of programs that an instruction writes, with the text, or a part of it."""
        if isinstance(instruction, Transfer):
            yield from heredoc_files(self._facts, instruction)
            return
        code = self._facts.file.source_of(instruction)
        if "bin/" not in code or (">" not in code and "tee" not in code):
            return
        calls = self._facts.calls(instruction)
        for call in () if isinstance(calls, OpaqueScript) else calls:
            if call.program not in PRINTERS:
                continue
            places = [join(call.cwd, call.shell_value(each.target)) for each in call.redirects if ">" in each.op]
            if call.program == "tee":
                places += [join(call.cwd, word) for word in call.words[1:]]
            for place in places:
                if isinstance(place, Known) and "bin/" in place.value:
                    yield basename(place.value), _printed(self._facts.file.text, call)

    def texts(self, instruction: Instruction, call: Call) -> Iterator[str]:
        """The texts of what the build context brings and a call may run: as it is found by `code`, or as any of its
        words names it, for a call of a program that starts another one (`tini -- /start.sh`)."""
        found = self.code(instruction, call)
        if found is not None and found.text is not None:
            yield found.text
        for word in call.words[1:]:
            path = join(call.cwd, word) if isinstance(word, Known) and "/" in word.value else None
            self._facts.charge(1)
            source = self._files.path(instruction, normpath(path.value)) if isinstance(path, Known) else None
            text = self._files.context.text(source) if source is not None else None
            if text is not None:
                yield text

    def code(self, instruction: Instruction, call: Call) -> UnseenCode | None:
        """What a call of a RUN, or of what a container starts with, runs that a COPY, an ADD or a mount has brought
        from the build context; None if that is nothing, as far as is known.

        Where the context is not at hand, it is what is brought by exactly that name, and a shell's script (`*.sh`) that
        may be in a directory that is brought.
        """
        stage = self._facts.stage_of(instruction)
        first = call.argument(0)
        if stage is None or first is None or (not self._files.brings(stage) and not self._facts.mounts(instruction)):
            return None
        for name, candidates, direct in _candidates(call, first):
            self._facts.charge(1)
            if candidates is None:  # a program that is looked for in PATH
                if not self._files.may_be_called(instruction, stage, name):
                    return None
                candidates = _in_path(call, name)
            for candidate in candidates:
                path = join(call.cwd, Known(candidate))
                if not isinstance(path, Known):
                    continue
                place = normpath(path.value)
                found = self._files.path(instruction, place)
                if found is not None:
                    kind = self._files.context.kind(found)
                    return UnseenCode(name, self._files.context.text(found) if kind == "file" else None)
                if direct and self._files.may_have_brought(instruction, place, below=name.endswith(".sh")):
                    return UnseenCode(name, None)
        return None


def _printed(text: str, call: Call) -> str:
    """The text of the pipeline that a call is in, with the here-documents of it."""
    pipeline = call.pipeline
    if pipeline is None:
        return ""
    bodies = (node.body or "" for node in pipeline.walk() if isinstance(node, Redirect))
    return "\n".join((text[pipeline.start : pipeline.end], *bodies))


def _candidates(call: Call, first: str) -> Iterator[tuple[str, tuple[str, ...] | None, bool]]:
    """What a call may run: how it names it, the paths where that would be (None: those of PATH), and whether the call
    itself names it."""
    program = call.program or ""
    if program in (*SHELLS, ".", "source") or _INTERPRETERS.fullmatch(program):
        script = _operand(call)
        if script is not None:
            yield script, (script,), not _INTERPRETERS.fullmatch(program)
    elif "/" in first:
        yield first, (first,), True
    elif first in _BUILDERS:
        yield first, _BUILDERS[first], False
    else:
        yield first, None, True


def _in_path(call: Call, name: str) -> tuple[str, ...]:
    value = call.lookup("PATH")
    path = value.value if isinstance(value, Known) else _PATH
    return tuple(f"{folder}/{name}" for folder in path.split(":") if folder.startswith("/"))


def _operand(call: Call) -> str | None:
    """The script that a shell or another interpreter is given; None if it is none, or not known."""
    for word in call.words[1:]:
        if not isinstance(word, Known) or word.value in ("-c", "-s", "-m", "-e", "-"):
            return None
        if not word.value.startswith(("-", "+")):
            return word.value
    return None
