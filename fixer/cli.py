"""The command: options in, one call, results out. The only module that imports click."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from fixer._version import __version__
from fixer.codemods import registry
from fixer.report.console import codemod_ids, known, wants_color, write_text
from fixer.report.console import project as project_slug
from fixer.text.records import dataclass, field

if TYPE_CHECKING:
    from fixer.engine.job import FileResult, Options
    from fixer.report.totals import Totals

_Given = TypeVar("_Given")
_Taken = TypeVar("_Taken")

STDIN = "-"
FINE, FOUND_CHANGES, TROUBLE = 0, 1, 3
PROGRESS_FROM = 200
"""With fewer files than this nobody wonders how long it will take."""

_EPILOG = """\b
Exit codes:
  0  fine
  1  --check found something to change
  2  wrong usage
  3  some file could not be read, understood or processed; the others were

\b
Proof on a real engine, with builds before and after (a file of that name is ./verify):
  dockfix verify [DOCKERFILE]             see dockfix verify --help

\b
Comments in a Dockerfile:
  # dockfix: ignore=ID[,ID] because …   above an instruction
  # dockfix: skip-file
"""


@click.command(
    epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.argument("paths", nargs=-1, type=click.Path())
@click.option("--diff", is_flag=True, help="Print a unified diff (the default when no mode is given).")
@click.option("--write", is_flag=True, help="Write the files in place.")
@click.option("--check", is_flag=True, help="Exit with 1 if anything would change; write nothing.")
@click.option("--select", multiple=True, metavar="ID[,ID]", help="Only these codemods.")
@click.option("--ignore", multiple=True, metavar="ID[,ID]", help="Not these codemods.")
@click.option(
    "--unsafe-fixes", is_flag=True, help="Also make changes that may alter the image or rest on the builder."
)
@click.option("--project", metavar="NAME", help="Name for project-scoped caches (default: from the Git repository).")
@click.option("--stdin-filename", metavar="PATH", help="The name of what comes from standard input.")
@click.option("--demo", is_flag=True, help="Show what dockfix does with an example of its own.")
@click.option("--list", "list_", is_flag=True, help="List the codemods.")
@click.option("--explain", metavar="ID", help="Print a codemod's manual page.")
@click.option(
    "--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Of the report."
)
@click.option("--jobs", type=click.IntRange(min=1), metavar="N", help="Processes (default: one a core).")
@click.option("-q", "--quiet", is_flag=True, help="No notes, only trouble.")
@click.option(
    "--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True, help="Colours."
)
@click.version_option(__version__, message="dockfix %(version)s")
def command(
    paths: tuple[str, ...],
    diff: bool,
    write: bool,
    check: bool,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    unsafe_fixes: bool,
    project: str | None,
    stdin_filename: str | None,
    demo: bool,
    list_: bool,
    explain: str | None,
    format_: str,
    jobs: int | None,
    quiet: bool,
    color: str,
) -> None:
    """Rewrite Dockerfiles so that they build fast and still build right.

    PATHS are Dockerfiles, directories to search for them (without what Git ignores; the current one if none is given),
    or - for standard input. The patch goes to standard output, notes go to standard error.
    """
    if list_ or explain is not None:
        try:
            _write_out(_list() if explain is None else _explain(explain))
        except BrokenPipeError:
            _leave_quietly()
        return
    if write and (check or demo):
        raise click.UsageError(f"--write does not go with {'--check' if check else '--demo'}, which writes nothing.")
    if demo and paths:
        raise click.UsageError("--demo takes no paths.")
    if write and STDIN in paths and (diff or format_ == "json"):
        raise click.UsageError("--write prints what came from standard input; there is no room for a diff or JSON.")
    from fixer.engine.job import Options

    options = Options(
        _usage(codemod_ids, select) if select else None,
        _usage(codemod_ids, ignore),
        unsafe_fixes,
        _usage(project_slug, project),
    )
    show = _Show(
        diff=diff or not (write or check),
        write=write,
        json=format_ == "json",
        quiet=quiet,
        color_out=wants_color(color, sys.stdout),
        color_err=wants_color(color, sys.stderr),
    )
    try:
        results = _demo(options) if demo else _results(paths or (os.curdir,), options, show, stdin_filename, jobs)
        code = _run(results, show, check)
    except BrokenPipeError:
        _leave_quietly()
    except KeyboardInterrupt:
        show.progress.clear()
        sys.exit(130)
    except OSError as error:  # files have messages of their own: this is about what we print
        _cannot_print(error)
    sys.exit(code)


# --- list and explain ----------------------------------------------------------------------------------------------


def _list() -> str:
    """One line a codemod: its id and the first line of its manual page."""
    ids = registry.ids()
    width = max((len(id) for id in ids), default=0)
    return "".join(f"{id:{width}}  {_manual(id).partition(chr(10))[0]}\n" for id in ids)


def _explain(id: str) -> str:
    """A codemod's manual page, with its refusals and the engine's."""
    from fixer.engine.outcome import REASONS

    (id,) = _usage(known, [id])
    lines = [id, "=" * len(id), "", _manual(id), "", "What it refuses", "---------------"]
    for reason, meaning in registry.load(id).reasons.items():
        lines.append(f"- {reason}: {meaning}")
    lines += ["", "Any codemod may be kept from a change by the engine:"]
    lines += [f"- {reason}: {meaning}" for reason, meaning in REASONS.items()]
    return "\n".join(lines) + "\n"


def _manual(id: str) -> str:
    import inspect

    return inspect.getdoc(type(registry.load(id))) or ""


# --- options -------------------------------------------------------------------------------------------------------


def _usage(check: Callable[[_Given], _Taken], value: _Given) -> _Taken:
    """What `check` makes of an option's value. Its ValueError is a wrong usage."""
    try:
        return check(value)
    except ValueError as error:
        raise click.UsageError(str(error)) from error


# --- the job -------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Progress:
    """A count on standard error, if that is a terminal and the job is big. Erased before anything else is printed."""

    total: int = 0
    done: int = 0
    shown: bool = False

    def step(self) -> None:
        self.done += 1
        if self.total >= PROGRESS_FROM and self.done % 20 == 0 and sys.stderr.isatty():
            sys.stderr.write(f"\r{self.done} of {self.total} files")
            sys.stderr.flush()
            self.shown = True

    def clear(self) -> None:
        if self.shown:
            sys.stderr.write("\r\x1b[K")
            self.shown = False


@dataclass(slots=True)
class _Show:
    """What is printed, and how."""

    diff: bool
    write: bool
    json: bool
    quiet: bool
    color_out: bool
    color_err: bool
    progress: _Progress = field(default_factory=_Progress)
    files: list[dict[str, Any]] = field(default_factory=list)

    def result(self, result: FileResult, written: bool) -> None:
        """One file's diff and notes; for JSON they are kept for `end`."""
        if self.json:
            from fixer.report.json import file_object

            self.files.append(file_object(result, written=written))
            return
        from fixer.report.text import color_diff, notes

        if self.diff and result.diff:
            self.progress.clear()
            _write_out(color_diff(result.diff) if self.color_out else result.diff)
        if not self.quiet or result.problem is not None:
            self._note(notes(result, written=written, color=self.color_err))

    def end(self, totals: Totals) -> None:
        self.progress.clear()
        if self.json:
            from fixer.report.json import document

            _write_out(document(self.files, totals))
            return
        if not self.quiet:
            from fixer.report.text import summary

            self._note(summary(totals, written=self.write))

    def _note(self, text: str) -> None:
        if text:
            self.progress.clear()
            sys.stdout.flush()
            write_text(sys.stderr, text)


def _run(results: Iterable[tuple[FileResult, bool]], show: _Show, check: bool) -> int:
    """Everything, file by file; the exit code. Each result comes with True if it is standard input's."""
    from fixer.report.totals import Totals

    totals = Totals()
    for result, from_stdin in results:
        written = False
        if show.write and from_stdin:
            written = _print_fixed(result)
        elif show.write and result.status == "changed":
            result, written = _written(result)
        totals.add(result)
        show.result(result, written)
        show.progress.step()
    show.end(totals)
    if totals.files["error"] or any(reason == "internal-error" for _, reason in totals.refusals):
        return TROUBLE
    return FOUND_CHANGES if check and totals.files["changed"] else FINE


def _results(
    paths: Sequence[str], options: Options, show: _Show, stdin_filename: str | None, jobs: int | None
) -> Iterator[tuple[FileResult, bool]]:
    """Standard input first, then what cannot be read, then the files in the order of their paths."""
    from fixer.engine.files import find
    from fixer.engine.job import FileResult, fix_files

    if STDIN in paths:
        yield _from_stdin(options, stdin_filename), True
    found = find(path for path in paths if path != STDIN)
    for path, problem in found.problems:
        yield FileResult(path, None, problem, ""), False
    show.progress.total = len(found.files)
    for result in fix_files(found.files, options, jobs):
        yield result, False


def _from_stdin(options: Options, filename: str | None) -> FileResult:
    from fixer.engine.files import MAX_SIZE
    from fixer.engine.job import fix_data
    from fixer.engine.project import project_name

    data = sys.stdin.buffer.read(MAX_SIZE + 1)
    project = options.project or (project_name(filename) if filename else None)
    return fix_data(data, filename or "<stdin>", options, project)


def _demo(options: Options) -> Iterator[tuple[FileResult, bool]]:
    from importlib.resources import files

    from fixer.engine.job import fix_data

    data = (files("fixer") / "data" / "demo" / "Dockerfile").read_bytes()
    yield fix_data(data, "Dockerfile", options, options.project or "demo"), False


def _print_fixed(result: FileResult) -> bool:
    """`--write -`: the text, fixed or as it came; False if it could not be taken at all."""
    if result.outcome is None:
        return False
    _write_out(result.outcome.text_after)
    return result.outcome.changed


def _written(result: FileResult) -> tuple[FileResult, bool]:
    """Writes the new text; what went wrong becomes the file's problem."""
    from fixer.engine.files import FileTrouble, write
    from fixer.text.records import replace

    if result.outcome is None:
        return result, False
    try:
        write(result.path, result.outcome.before, result.outcome.after)
    except FileTrouble as trouble:
        return replace(result, outcome=None, problem=trouble.problem, diff=""), False
    return result, True


# --- streams -------------------------------------------------------------------------------------------------------


def _write_out(text: str) -> None:
    write_text(sys.stdout, text)


def _cannot_print(error: OSError) -> NoReturn:
    with suppress(OSError):
        sys.stderr.write(f"dockfix: cannot print: {error.strerror}\n")
    # What is still buffered cannot be written either, and Python would complain about that at exit.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(TROUBLE)


def _leave_quietly() -> NoReturn:
    """Whoever read our output has gone. Python must not complain at exit when it flushes what nobody wants."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(FINE)
