"""`dockfix verify`: options in, one proof, reports out."""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

import click

from fixer.codemods.api import Builder
from fixer.engine.config import ConfigTrouble
from fixer.engine.declared import declared_contexts
from fixer.engine.job import Options, configured
from fixer.prove.docker import EngineTrouble, connect
from fixer.prove.model import Proof
from fixer.prove.options import OptionError, check_build_arg, check_options
from fixer.prove.plan import VerifyTrouble, prepare
from fixer.prove.processes import Stopped
from fixer.prove.protocol import nothing_to_prove, prove
from fixer.prove.show import Show
from fixer.prove.sources import NoRoom, SourceTrouble
from fixer.report.console import codemod_ids, own_images, wants_color, write_text
from fixer.report.console import project as project_slug
from fixer.report.options import image_option, project_option, unsafe_fixes_option

STDOUT = "-"
PROVEN, NOT_PROVEN, USAGE, ORIGINAL_FAILS, NO_ENGINE, INTERRUPTED = 0, 1, 2, 3, 4, 130

_EPILOG = """\b
What is built:
  the original twice from nothing (what differs then is noise), the fixed one once; both after an edit of a
  source file; the fixed one after the edit was taken back; both after a change of the dependencies; the fixed
  one with its cache mounts emptied and its layers kept. The images are compared file by file, and the edit has
  to be in them. Where that leaves a doubt, the original is built once more.

\b
What is touched:
  nothing of yours. The context is copied and edited there; cache mounts have a namespace of their own. Images,
  cache mounts and copies are removed at the end, also after Ctrl-C. The build cache keeps the layers, until
  the engine's own clean-up.

\b
Exit codes:
  0    proven, or nothing to change
  1    the image differs, or a build fails after the fix
  2    wrong usage, or a Dockerfile that cannot be read or is not understood
  3    the original does not build
  4    no usable engine, or trouble on the way that has nothing to do with the Dockerfile (engine gone, disk full)
  130  interrupted

\b
Examples:
  dockfix verify
  dockfix verify docker/api.Dockerfile --context . --target runtime --html proof.html
  dockfix verify -- --network=host --secret id=token,src=token.txt
"""


class _Command(click.Command):
    """What stands behind `--` is for docker, word by word."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        at = args.index("--") if "--" in args else len(args)
        ctx.obj = tuple(args[at + 1 :])
        return super().parse_args(ctx, args[:at])


@click.command(
    cls=_Command,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    options_metavar="[OPTIONS]",
)
@click.argument("dockerfile", required=False, type=click.Path(path_type=Path))
@click.option(
    "--context",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The build context (default: what the configuration or the repository says, or the Dockerfile's directory).",
)
@click.option("--target", "targets", multiple=True, metavar="STAGE", help="Build this stage too. May be repeated.")
@click.option("--build-arg", "build_args", multiple=True, metavar="K=V", help="For every build. May be repeated.")
@click.option("--select", multiple=True, metavar="ID[,ID]", help="Only these codemods.")
@click.option("--ignore", multiple=True, metavar="ID[,ID]", help="Not these codemods.")
@unsafe_fixes_option
@project_option
@click.option(
    "--builder",
    type=click.Choice(["auto", "persistent", "ephemeral"]),
    help="What keeps the caches of builds, as for dockfix itself.",
)
@image_option
@click.option(
    "--touch", metavar="FILE", help="The source file to edit, relative to the context (default: dockfix looks for one)."
)
@click.option(
    "--rebuild",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help="Time the rebuilds N times, and take medians.",
)
@click.option(
    "--time-limit",
    type=click.FloatRange(min=0, min_open=True),
    default=1800.0,
    show_default="half an hour",
    metavar="SECONDS",
    help="For each build.",
)
@click.option("--json", "json_", metavar="FILE", help="Write the proof as JSON; - is standard output.")
@click.option("--html", metavar="FILE", help="Write the proof as a page of its own, for reviewers.")
@click.option("-q", "--quiet", is_flag=True, help="No progress, and the verdict alone.")
@click.option(
    "--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True, help="Colours."
)
@click.pass_context
def command(
    ctx: click.Context,
    dockerfile: Path | None,
    context: Path | None,
    targets: tuple[str, ...],
    build_args: tuple[str, ...],
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    unsafe_fixes: bool,
    project: str | None,
    builder: str | None,
    images: tuple[str, ...],
    touch: str | None,
    rebuild: int,
    time_limit: float,
    json_: str | None,
    html: str | None,
    quiet: bool,
    color: str,
) -> None:
    """Build a Dockerfile before and after dockfix, on your own engine, and compare.

    DOCKERFILE is a file, or a directory with a Dockerfile (default: that of the context, or of the current directory).
    It is fixed as `dockfix --diff` would, by the same configuration, but nothing is written. Options behind -- go to
    every `docker buildx build`.
    """
    with _usage():
        options = check_options(ctx.obj)
        for text in build_args:
            check_build_arg(text)
        said = Options(
            codemod_ids(select) if select else None,
            codemod_ids(ignore),
            unsafe_fixes,
            project_slug(project),
            None if builder in (None, "auto") else Builder(builder),
            builder == "auto",
            None if context is None else str(context),
            own_images(images),
        )
    if json_ == html == STDOUT:
        raise click.UsageError("--json and --html cannot both go to standard output.")
    file = _place(dockerfile, context)
    for path in (json_, html):
        _check_report(path)
    show = Show(quiet=quiet, color=wants_color(color, sys.stderr))
    try:
        with _usage():
            wanted = configured(said, str(file))
            plan = prepare(
                file,
                _context(file) if wanted.context is None else Path(wanted.context),
                targets=targets,
                select=wanted.select,
                ignore=wanted.ignore,
                unsafe_fixes=wanted.unsafe_fixes,
                project=wanted.project,
                builder=wanted.builder,
                images=wanted.images,
            )
            proof = nothing_to_prove(plan)
            if plan.changed:
                docker = connect(options, time_limit=time_limit, on_step=show.step)
                try:
                    with docker, show:
                        proof = prove(
                            plan, docker, build_args=build_args, touch=touch, rebuild=rebuild, on_event=show.event
                        )
                finally:
                    for left in docker.left:
                        write_text(sys.stderr, f"dockfix: {left}\n")
    except EngineTrouble as trouble:
        _leave(NO_ENGINE, str(trouble))
    except KeyboardInterrupt:
        _leave(INTERRUPTED, "interrupted.")
    except Stopped as stopped:
        _leave(int(stopped.code or INTERRUPTED), "stopped by a signal.")
    except NoRoom as full:
        _leave(NO_ENGINE, str(full.strerror))
    except OSError as error:
        _leave(NO_ENGINE, _reason(error))
    code = _report(proof, json_, html, quiet=quiet, color=color)
    sys.exit(code or exit_code(proof))


def exit_code(proof: Proof) -> int:
    """What the verdict means for whoever called us."""
    if proof.broke_off:
        return NO_ENGINE
    if proof.original_fails:
        return ORIGINAL_FAILS
    return PROVEN if proof.proven else NOT_PROVEN


# --- what was asked for --------------------------------------------------------------------------------------------


@contextmanager
def _usage() -> Iterator[None]:
    """What is wrong with the options is said as click says it."""
    try:
        yield
    except (VerifyTrouble, SourceTrouble, OptionError, ConfigTrouble, ValueError) as error:
        if isinstance(error.__cause__, OSError) and error.__cause__.errno in (errno.ENOSPC, errno.EDQUOT):
            _leave(NO_ENGINE, str(error))
        raise click.UsageError(str(error)) from error


def _place(dockerfile: Path | None, context: Path | None) -> Path:
    """The Dockerfile."""
    where = str(context)
    if where == "-" or re.match(r"[a-z+-]+:/|git@", where):  # a Path has one slash of two
        raise click.UsageError("verify edits a copy of the build context, so --context has to be a directory here.")
    if dockerfile is None:
        return (context or Path(os.curdir)) / "Dockerfile"
    if dockerfile == Path("-"):
        raise click.UsageError("verify needs a Dockerfile with a build context; standard input has none.")
    return dockerfile / "Dockerfile" if dockerfile.is_dir() else dockerfile


def _context(file: Path) -> Path:
    """The build context, if nobody says one here: what files of the repository name for the Dockerfile, or its
    directory."""
    named = declared_contexts(str(file))
    return Path(os.path.relpath(named[0])) if named else file.parent


def _check_report(path: str | None) -> None:
    """A report that cannot be written is found out before the builds, not after."""
    if path is None or path == STDOUT:
        return
    folder = os.path.dirname(os.path.abspath(path))
    if os.path.isdir(path):
        raise click.UsageError(f"{path}: a directory, not a file to write to.")
    if not os.path.isdir(folder):
        raise click.UsageError(f"{path}: there is no directory {folder}.")
    if not os.access(path if os.path.exists(path) else folder, os.W_OK):
        raise click.UsageError(f"{path}: may not be written.")


# --- reports -------------------------------------------------------------------------------------------------------


def _report(proof: Proof, json_: str | None, html: str | None, *, quiet: bool, color: str) -> int:
    """Write all of them, whatever the verdict is. 0, or the exit code of one that could not be written."""
    code = 0
    for path, render in ((json_, _json), (html, _html)):
        if path is not None and path != STDOUT:
            code = _saved(path, render, proof) or code
    # the one who reads standard output by a program gets nothing else there
    stream = sys.stderr if STDOUT in (json_, html) else sys.stdout
    from fixer.prove.as_text import headline, text

    colored = wants_color(color, stream)
    try:
        write_text(stream, f"{headline(proof, colored)}\n" if quiet else text(proof, colored))
        if json_ == STDOUT:
            write_text(sys.stdout, _json(proof))
        elif html == STDOUT:
            write_text(sys.stdout, _html(proof))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        with suppress(OSError):
            sys.stderr.write(f"dockfix: cannot print: {error.strerror}\n")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = NO_ENGINE
    return code


def _json(proof: Proof) -> str:
    from fixer.prove.as_json import document

    return document(proof)


def _html(proof: Proof) -> str:
    from fixer.prove.as_html import page

    return page(proof)


def _saved(path: str, render: Callable[[Proof], str], proof: Proof) -> int:
    try:
        write_report(path, render(proof))
    except OSError as error:
        sys.stderr.write(f"dockfix: {path} could not be written: {_reason(error)}\n")
        return NO_ENGINE
    return 0


def write_report(path: str, text: str) -> None:
    """All of it or nothing: what stood there stays until the new text is whole. A device or a pipe is written to as it
    is. Raises OSError."""
    data = text.encode("utf-8", "surrogateescape")
    target = os.path.realpath(path)
    with suppress(FileNotFoundError):
        if not stat.S_ISREG(os.stat(target).st_mode):
            with open(target, "wb") as file:
                file.write(data)
            return
    descriptor, temporary = tempfile.mkstemp(prefix=".dockfix-", dir=os.path.dirname(target))
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, _mode(target))
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise


def _mode(target: str) -> int:
    """That of the file before, or what a new file gets here."""
    with suppress(OSError):
        return stat.S_IMODE(os.stat(target).st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _reason(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "there is no room left on the disk."
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}."


def _leave(code: int, message: str) -> NoReturn:
    with suppress(OSError):
        write_text(sys.stderr, f"dockfix: {message}\n")
    sys.exit(code)
