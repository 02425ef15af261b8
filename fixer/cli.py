"""The command: options in, one call, results out. The only module that imports click."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from typing import IO, TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from fixer._version import __version__
from fixer.codemods import registry
from fixer.report.console import codemod_ids, known, own_images, wants_color, write_text
from fixer.report.console import project as project_slug
from fixer.report.options import image_option, project_option, unsafe_fixes_option
from fixer.text.records import dataclass, field, replace

if TYPE_CHECKING:
    from fixer.engine.files import Target
    from fixer.engine.interrupts import Interrupts
    from fixer.engine.job import Done
    from fixer.engine.result_cache import Row
    from fixer.report.entry import Entry, View, Worker
    from fixer.report.progress import Bar
    from fixer.report.totals import Totals

_Given = TypeVar("_Given")
_Taken = TypeVar("_Taken")

STDIN = "-"
FINE, FOUND_CHANGES, TROUBLE = 0, 1, 3
PROGRESS_FROM = 200
"""With fewer files than this nobody wonders how long it will take."""
PARALLEL_FROM = 64
"""Fewer files than this are done in this process, and without a cache: both cost more than they save."""
ROWS = 1_000
"""So many results are kept for later runs at a time."""

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
@unsafe_fixes_option
@project_option
@click.option(
    "--builder",
    type=click.Choice(["auto", "persistent", "ephemeral"]),
    help="What keeps the caches of builds: the builder, or layers alone (default: layers, where a workflow builds the "
    "Dockerfile on GitHub's runners).",
)
@click.option(
    "--context",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False),
    help="The build context of all Dockerfiles (default: found by what they copy).",
)
@image_option
@click.option("--stdin-filename", metavar="PATH", help="The name of what comes from standard input.")
@click.option("--demo", is_flag=True, help="Show what dockfix does with an example of its own.")
@click.option("--list", "list_", is_flag=True, help="List the codemods.")
@click.option("--explain", metavar="ID", help="Print a codemod's manual page.")
@click.option(
    "--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Of the report."
)
@click.option(
    "--from-file", metavar="LIST", help="Also the paths in this file, one a line or NUL-separated; - is standard input."
)
@click.option("--report", metavar="FILE", help="Write the JSON report line by line, while the files are worked on.")
@click.option("--no-cache", is_flag=True, help="Neither use nor keep results of files in which nothing changes.")
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
    builder: str | None,
    context: str | None,
    images: tuple[str, ...],
    stdin_filename: str | None,
    demo: bool,
    list_: bool,
    explain: str | None,
    format_: str,
    from_file: str | None,
    report: str | None,
    no_cache: bool,
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
    if demo and (paths or from_file is not None):
        raise click.UsageError("--demo takes no paths.")
    if write and STDIN in paths and (diff or format_ == "json" or report == STDIN):
        raise click.UsageError("--write prints what came from standard input; there is no room for a diff or JSON.")
    if from_file == STDIN and STDIN in paths:
        raise click.UsageError("Standard input cannot be a Dockerfile and a list of files.")
    show_diff = diff or not (write or check)
    if report == STDIN and (show_diff or format_ == "json"):
        raise click.UsageError("--report - needs standard output for itself: use --write or --check alone.")
    from fixer.codemods.api import Builder
    from fixer.engine.job import Options, contexts_of, diff_base, searched
    from fixer.engine.kinds import IGNORE
    from fixer.report.entry import View, Worker

    lines = {} if from_file is None else _listed(from_file)
    named = tuple(path for path in paths if path != STDIN) if paths or from_file is not None or demo else (os.curdir,)
    options = Options(
        _usage(codemod_ids, select) if select else None,
        _usage(codemod_ids, ignore),
        unsafe_fixes,
        _usage(project_slug, project),
        None if builder in (None, "auto") else Builder(builder),
        builder == "auto",
        context,
        _usage(own_images, images),
    )
    every = (*named, *lines)
    kinds, around = searched(options, every)
    contexts = contexts_of(options, every) if IGNORE in around else ()
    options = replace(options, paths=frozenset(map(os.path.realpath, every)) if kinds else frozenset())
    seen = show_diff or format_ == "json" or report is not None
    base = diff_base((*every, *contexts), around) if seen else os.curdir
    options = replace(options, diff=seen, write=write, base=base)
    view = View(
        diff=show_diff,
        notes=not quiet,
        document=format_ == "json",
        line=report is not None,
        color_out=wants_color(color, sys.stdout),
        color_err=wants_color(color, sys.stderr),
    )
    output = _Output(view, write, quiet, None if report is None else _open_report(report), sys.stderr.isatty())
    items = _Items(named, lines, STDIN in paths, stdin_filename, demo, kinds, around, contexts)
    try:
        code = _run(items, Worker(options, view, write), output, check=check, jobs=jobs, no_cache=no_cache)
    except KeyboardInterrupt:  # a second one
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
class _Output:
    """Where everything goes."""

    view: View
    writes: bool
    """True if files are written: then the work goes on if nobody listens any more."""
    quiet: bool
    report: int | None = None
    """A file descriptor."""
    terminal: bool = False
    started: float = 0.0
    """By `monotonic`."""
    totals: Totals = field(default_factory=lambda: _totals())
    bar: Bar | None = None

    def start(self) -> None:
        self._report(lambda json: json.report_start())
        if self.view.document:
            from fixer.report.json import document_start

            self.print(document_start())

    def entry(self, entry: Entry) -> None:
        """One file's; nothing where there was nothing to say."""
        if not entry.totals.files:
            return
        if self.view.document:
            self.print(("," if self.totals.files else "") + entry.document)
        self.totals.merge(entry.totals)
        self._report(lambda json: entry.line)
        if entry.diff:
            self.print(entry.diff)
        self.note(entry.notes)

    def progress(self, found: int, *, all_found: bool) -> None:
        """On a terminal, if the job is big."""
        if not self.terminal or found < PROGRESS_FROM:
            return
        if self.bar is None:
            from fixer.report.progress import Bar

            self.bar = Bar(sys.stderr, color=self.view.color_err, started=self.started)
        self.bar.step(self.totals.files.total(), found, all_found=all_found)

    def end(self, seconds: float, interrupted: bool, base: str) -> None:
        self.no_bar()
        self._report(lambda json: json.report_end(self.totals, complete=not interrupted))
        if self.view.document:
            from fixer.report.json import document_end

            self.print(document_end(self.totals, any_files=bool(self.totals.files), complete=not interrupted))
            return
        if not self.quiet:
            from fixer.report.text import summary

            big = self.totals.files.total() >= PROGRESS_FROM
            self.note(
                summary(
                    self.totals, written=self.writes, seconds=seconds if big else None, interrupted=interrupted
                )
            )
        if self.view.diff and base != os.curdir and self.totals.files["changed"]:
            self.note(f"The names in the patch are relative to {base}: git -C {base} apply\n")

    def no_bar(self) -> None:
        """The terminal is as it was."""
        if self.bar is not None:
            self.bar.stop()
            self.bar = None

    def print(self, text: str) -> None:
        """On standard output."""
        self._clear()
        try:
            _write_out(text)
        except BrokenPipeError:
            if not self.writes:
                raise
            _to_nowhere(sys.stdout)

    def note(self, text: str) -> None:
        """On standard error."""
        if not text:
            return
        self._clear()
        try:
            sys.stdout.flush()
            write_text(sys.stderr, text)
        except BrokenPipeError:
            if not self.writes:
                raise
            _to_nowhere(sys.stderr)

    def _clear(self) -> None:
        if self.bar is not None:
            self.bar.clear()

    def _report(self, line: Callable[[Any], str]) -> None:
        """Whole lines, at once: whoever kills this process leaves no half of one."""
        if self.report is None:
            return
        from fixer.report import json

        data = line(json).encode("ascii")
        while data:
            data = data[os.write(self.report, data) :]


def _totals() -> Totals:
    from fixer.report.totals import Totals

    return Totals()


def _run(items: _Items, worker: Worker, output: _Output, *, check: bool, jobs: int | None, no_cache: bool) -> int:
    """Everything, file by file; the exit code."""
    from time import monotonic

    from fixer.engine.interrupts import Interrupts

    output.started = monotonic()
    with Interrupts() as interrupts:
        worker.before_write = interrupts.shield
        work = _Work(items, worker, output, interrupts, jobs, no_cache)
        came = 0
        try:
            output.start()
            with suppress(KeyboardInterrupt), closing(work):
                for entry in work.entries():
                    output.entry(entry)
            came = interrupts.number  # what comes while the end is said comes too late, and is not to contradict it
            output.end(monotonic() - output.started, came != 0, worker.options.base)
        except BrokenPipeError:
            came = interrupts.number
            _to_nowhere(sys.stdout)
            _to_nowhere(sys.stderr)
        finally:
            output.no_bar()
    if came:
        return 128 + came
    return _code(output.totals, check)


def _code(totals: Totals, check: bool) -> int:
    if totals.trouble:
        return TROUBLE
    return FOUND_CHANGES if check and totals.files["changed"] else FINE


@dataclass(slots=True)
class _Items:
    """What is to be done."""

    paths: tuple[str, ...] = ()
    lines: dict[str, int] = field(default_factory=dict)
    """Paths that came in a list, with the numbers of their lines."""
    stdin: bool = False
    stdin_filename: str | None = None
    demo: bool = False
    kinds: frozenset[str] = frozenset()
    around: frozenset[str] = frozenset()
    """What other documents are looked for, as `searched` says it."""
    contexts: tuple[str, ...] = ()
    """Those whose .dockerignore is looked for, too."""


@dataclass(slots=True)
class _Work:
    """Standard input first, then the files in the order of their paths."""

    items: _Items
    worker: Worker
    output: _Output
    interrupts: Interrupts
    jobs: int | None
    no_cache: bool
    rows: list[Row] = field(default_factory=list)
    """For the cache, not kept yet."""

    def entries(self) -> Iterator[Entry]:
        from functools import partial
        from itertools import chain, islice

        items = self.items
        if items.demo:
            yield self._one(_demo)
            return
        if items.stdin:
            yield self._one(_from_stdin)
        from fixer.engine.files import find
        from fixer.engine.job import kinds_at

        self.interrupts.open()
        found = find(
            (*items.paths, *items.lines),
            sweep=self.worker.write_back,
            lines=items.lines,
            kinds=items.kinds,
            around=items.around,
            contexts=items.contexts,
            kinds_at=partial(kinds_at, self.worker.options),
        )
        first = list(islice((target for target in found if target is not None), PARALLEL_FROM))
        jobs = self.jobs or _cores()
        if len(first) < PARALLEL_FROM:
            yield from self._here(first)
            return
        if not self.no_cache:
            from fixer.engine.result_cache import open_cache

            self.worker.cache = open_cache(self.worker.options)
        every = chain(first, found)
        if jobs > 1:
            yield from self._in_processes(every, jobs)
        elif self.output.terminal:  # else there would be no remaining time
            yield from self._here([target for target in every if target is not None])
        else:
            yield from self._here(every)

    def close(self) -> None:
        self.interrupts.shield()
        self._keep(0)
        if self.worker.cache is not None:
            self.worker.cache.close()

    def _keep(self, at_least: int) -> None:
        """Hand rows to the cache, if there are so many."""
        if self.rows and len(self.rows) >= at_least and self.worker.cache is not None:
            self.worker.cache.keep(self.rows)
            self.rows = []

    def _one(self, make: Callable[[_Work], Done]) -> Entry:
        from fixer.report.entry import entry

        self.interrupts.open()
        done = make(self)
        self.interrupts.shield()
        if self.output.writes:
            done = self._print_fixed(done)
        return entry(done, self.worker.view)

    def _here(self, targets: Iterable[Target | None]) -> Iterator[Entry]:
        """In this process."""
        self.interrupts.open()
        for target in targets:
            if target is None:
                continue
            entry = self.worker(target)
            self.interrupts.shield()
            yield entry
            self.rows.extend(entry.rows)
            self._keep(ROWS)
            if isinstance(targets, list):
                self.output.progress(len(targets), all_found=True)
            self.interrupts.open()

    def _in_processes(self, targets: Iterator[Target | None], jobs: int) -> Iterator[Entry]:
        from fixer.engine.pool import Pool
        from fixer.tree.parse import parse  # before the fork, so that the children need not import it

        parse("FROM scratch\n")
        self.interrupts.shield()
        self.worker.before_write = None
        pool = Pool(self.worker, targets, jobs, self.worker.lost)
        with closing(pool.results(self.interrupts.came)) as results:
            for entry in results:
                if entry is not None:
                    yield entry
                    self.rows.extend(entry.rows)
                    self._keep(ROWS)
                self.output.progress(pool.found, all_found=pool.all_found)

    def _print_fixed(self, done: Done) -> Done:
        """`--write -`: the text, fixed or as it came; nothing if it could not be taken at all."""
        outcome = done.result.outcome
        if outcome is None:
            return done
        self.output.print(outcome.text_after)
        return replace(done, written=outcome.changed)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _from_stdin(work: _Work) -> Done:
    from fixer.engine.config import ConfigTrouble
    from fixer.engine.files import MAX_SIZE
    from fixer.engine.job import Done, FileResult, configured, find_context, find_targets, fix_data
    from fixer.engine.outcome import Problem
    from fixer.engine.project import project_name

    data = sys.stdin.buffer.read(MAX_SIZE + 1)
    options, filename = work.worker.options, work.items.stdin_filename
    try:
        options = configured(options, filename or os.curdir)
    except ConfigTrouble as wrong:
        return Done(FileResult(filename or "<stdin>", None, Problem("configuration", str(wrong)), ""))
    project = options.project or (project_name(filename) if filename else None)
    context = find_context(filename or STDIN, options) if filename or options.context else None
    targets = find_targets(filename) if filename else None
    placed = bool(filename)
    return Done(fix_data(data, filename or "<stdin>", options, project, context, targets, placed=placed))


def _demo(work: _Work) -> Done:
    from importlib.resources import files

    from fixer.codemods.api import Builder
    from fixer.engine.job import Done, fix_data
    data = (files("fixer") / "data" / "demo" / "Dockerfile").read_bytes()
    options = work.worker.options
    options = replace(options, builder=options.builder or Builder.PERSISTENT)  # nobody's workflows have a say
    return Done(fix_data(data, "Dockerfile", options, options.project or "demo", placed=False))


def _listed(name: str) -> dict[str, int]:
    """The paths of `--from-file`."""
    from fixer.engine.files import read_list

    try:
        if name == STDIN:
            return read_list(sys.stdin.buffer.read())
        with open(name, "rb") as file:
            return read_list(file.read())
    except OSError as error:
        raise click.UsageError(f"--from-file {name}: {error.strerror}.") from error


def _open_report(name: str) -> int:
    from fixer.engine.files import is_dockerfile_name

    if name == STDIN:
        return os.dup(sys.stdout.fileno())
    if is_dockerfile_name(os.path.basename(name)):
        raise click.UsageError(f"--report {name}: that is the name of a Dockerfile.")
    try:
        return os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o666)
    except OSError as error:
        raise click.UsageError(f"--report {name}: {error.strerror}.") from error


# --- streams -------------------------------------------------------------------------------------------------------


def _write_out(text: str) -> None:
    write_text(sys.stdout, text)


def _cannot_print(error: OSError) -> NoReturn:
    with suppress(OSError):
        sys.stderr.write(f"dockfix: cannot print: {error.strerror}\n")
    # What is still buffered cannot be written either, and Python would complain about that at exit.
    _to_nowhere(sys.stdout)
    sys.exit(TROUBLE)


def _leave_quietly() -> NoReturn:
    """Whoever read our output has gone."""
    _to_nowhere(sys.stdout)
    sys.exit(FINE)


def _to_nowhere(stream: IO[str]) -> None:
    """Python must not complain at exit when it flushes what nobody wants."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
