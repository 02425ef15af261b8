"""How long rebuilds take before and after dockfix, on a real BuildKit engine.

    python benchmarks/rebuild.py [PROJECT]… [--repeat N] [--only EDIT] [--json FILE] [-- DOCKER OPTIONS…]

PROJECT is a folder of benchmarks/projects: `rust` (132 crates), `python`, `debian`, or `rust-layers`: the first one on
builders that keep nothing but layers, as on hosted CI, fixed with `--builder ephemeral --unsafe-fixes`, and with all
cache mounts emptied before each build. By default all of them.

Each is built from nothing, before and after, and then N times (5 by default) after an edit of a source file and N
times after a change of a dependency: another crate, another version of a package, another Debian package. (Or only
one of the two: `--only source`, `--only dependency`.) Each edit is a new one, and the two Dockerfiles take turns, so
that a machine that slows down slows both. Times are wall-clock times of whole builds, with what the builder would
have at hand: all layers and, after dockfix, the cache mounts. The caches are of a namespace of their own, which is
removed in the end.

The engine is that of the docker command. The one of the end-to-end tests wants `-- --network=host`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import fixer  # noqa: E402
from fixer.codemods.api import Builder  # noqa: E402
from fixer.engine.context import FoundContext  # noqa: E402
from fixer.prove.docker import BuildRequest, Docker, EngineTrouble, connect  # noqa: E402
from fixer.prove.model import Build, Phase, Side  # noqa: E402

PROJECTS = ROOT / "benchmarks" / "projects"
LIMIT = 1_800.0
"""Seconds that one build may take."""


@dataclass(frozen=True)
class Edit:
    """Text of a file that is replaced, each time by something else."""

    file: str
    """Of the context; empty for the Dockerfile."""
    old: str
    news: tuple[str, ...]
    """What replaces it at each time, over and over; `%d` in it is the number of the time."""

    def apply(self, text: str, number: int) -> str:
        if text.count(self.old) != 1:
            raise ValueError(f"{self.file or 'Dockerfile'} holds {self.old!r} {text.count(self.old)} times")
        return text.replace(self.old, self.news[number % len(self.news)].replace("%d", str(number)))


@dataclass(frozen=True)
class Project:
    """What is built, and what changes between two builds."""

    name: str
    source: Edit
    dependency: Edit
    folder: str = ""
    """Of benchmarks/projects, if it is not the name."""
    layers: bool = False
    """Whether only layers are kept between builds."""

    @property
    def files(self) -> Path:
        return PROJECTS / (self.folder or self.name)


CRATES = ('hex = "0.4"', 'fastrand = "2"', 'humantime = "2"', 'shlex = "1"', 'unicode-width = "0.2"')
HTTPX = ("0.28.0", "0.27.2", "0.27.1", "0.27.0", "0.26.0")
PACKAGES = ("tree", "jq", "rsync", "unzip", "pv")
RUST = (
    Edit("src/main.rs", '"cannot render".to_string()', ('"cannot render %d".to_string()',)),
    Edit("Cargo.toml", "[dependencies]\n", tuple(f"[dependencies]\n{crate}\n" for crate in CRATES)),
)
ALL = (
    Project("rust", *RUST),
    Project(
        "python",
        Edit("app/report.py", "A table from CSV", ("A table (%d) from CSV",)),
        Edit("requirements.txt", "httpx==0.28.1", tuple(f"httpx=={version}" for version in HTTPX)),
    ),
    Project(
        "debian",
        Edit("thumbnails.sh", "set -eu", ("set -eu # %d",)),
        Edit("", "        git \\\n", tuple(f"        git \\\n        {name} \\\n" for name in PACKAGES)),
    ),
    Project("rust-layers", *RUST, folder="rust", layers=True),
)


@dataclass(frozen=True)
class Row:
    """One line of the table: the seconds of each build."""

    project: str
    what: str
    before: list[float]
    after: list[float]

    @property
    def ratio(self) -> float:
        return median(self.before) / median(self.after)


def main() -> None:
    ours, options = split(sys.argv[1:])
    parser = argparse.ArgumentParser(description="How long rebuilds take before and after dockfix.")
    known = ", ".join(project.name for project in ALL)
    parser.add_argument("projects", nargs="*", metavar="PROJECT", help=f"{known} (default: all)")
    parser.add_argument("--repeat", type=int, default=5, help="rebuilds to take the median of (default: 5)")
    parser.add_argument("--only", choices=("source", "dependency"), help="rebuilds after such edits alone")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all times to FILE")
    arguments = parser.parse_args(ours)
    if arguments.repeat < 1:
        parser.error("--repeat wants 1 or more")
    chosen = [project for project in ALL if not arguments.projects or project.name in arguments.projects]
    if unknown := set(arguments.projects) - {project.name for project in ALL}:
        parser.error(f"no such project: {', '.join(sorted(unknown))}")

    try:
        with connect(options, time_limit=LIMIT) as docker:
            machine = f"{os.cpu_count()} cores, {platform.machine()}"
            print(f"{docker.description}; {machine}; medians of {arguments.repeat}\n")
            print("| project | | before | after | |\n|---|---|---|---|---|", flush=True)
            rows = [row for project in chosen for row in bench(docker, project, arguments)]
    except EngineTrouble as trouble:
        sys.exit(f"no engine: {trouble}")
    if arguments.json:
        report = [{"project": r.project, "what": r.what, "before": r.before, "after": r.after} for r in rows]
        arguments.json.write_text(json.dumps(report, indent=1) + "\n")


def split(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Our arguments, and those behind `--`, which are docker's."""
    at = arguments.index("--") if "--" in arguments else len(arguments)
    return list(arguments[:at]), list(arguments[at + 1 :])


def bench(docker: Docker, project: Project, arguments: argparse.Namespace) -> list[Row]:
    """All rows of one project, printed as they come."""
    with tempfile.TemporaryDirectory(prefix="dockfix-bench-") as scratch:
        return Bench(docker, project, Path(scratch)).rows(arguments.repeat, arguments.only)


class Bench:
    """A copy of one project, its two Dockerfiles, and what has been edited in it."""

    def __init__(self, docker: Docker, project: Project, scratch: Path) -> None:
        self.docker, self.project, self.scratch = docker, project, scratch
        self.context = scratch / "context"
        shutil.copytree(project.files, self.context)
        self.texts: dict[Side, str] = {}
        self.spaces: dict[Side, str] = {}
        before = (self.context / "Dockerfile").read_text()
        path = str(self.context / "Dockerfile")
        outcome = fixer.fix(
            before,
            path=path,
            project=f"bench-{project.name}",
            unsafe_fixes=project.layers,
            builder=Builder.EPHEMERAL if project.layers else Builder.PERSISTENT,
            context=FoundContext(path, str(self.context)),
        )
        if not outcome.changed:
            raise ValueError(f"dockfix changes nothing in {project.name}")
        for side, text in ((Side.ORIGINAL, before), (Side.FIXED, outcome.after)):
            self.texts[side] = text
            self.spaces[side] = docker.new_space(f"{project.name.replace('-', '')}{side.value}")
            (scratch / side.value).mkdir()
            (scratch / side.value / "Dockerfile").write_text(text)

    def rows(self, repeat: int, only: str | None) -> list[Row]:
        def no_edit(number: int) -> None: ...

        rows = [self._row("first build", Phase.FIRST, 1, no_edit)]
        for name, what, edit, phase in (
            ("source", "source edit", self.project.source, Phase.EDIT),
            ("dependency", "dependency change", self.project.dependency, Phase.DEPENDENCY),
        ):
            if only in (None, name):
                rows.append(self._row(f"rebuild after a {what}", phase, repeat, partial(self._edit, edit)))
        return rows

    def _row(self, what: str, phase: Phase, repeat: int, edit: Callable[[int], None]) -> Row:
        row = Row(self.project.name, what, [], [])
        for number in range(repeat):
            edit(number)
            turns = ((Side.ORIGINAL, row.before), (Side.FIXED, row.after))
            for side, times in turns if number % 2 == 0 else reversed(turns):
                times.append(self._build(side, phase, number).seconds)
        before, after = median(row.before), median(row.after)
        print(f"| {row.project} | {what} | {before:.1f} s | {after:.1f} s | {row.ratio:.1f}x |", flush=True)
        return row

    def _edit(self, edit: Edit, number: int) -> None:
        if edit.file:
            text = (self.project.files / edit.file).read_text()
            (self.context / edit.file).write_text(edit.apply(text, number))
            return
        for side, text in self.texts.items():
            (self.scratch / side.value / "Dockerfile").write_text(edit.apply(text, number))

    def _build(self, side: Side, phase: Phase, number: int) -> Build:
        request = BuildRequest(
            dockerfile=self.scratch / side.value / "Dockerfile",
            context=self.context,
            side=side,
            phase=phase,
            space=self.spaces[side],
            fresh=phase is Phase.FIRST,
            repeat=number,
        )
        if self.project.layers:
            self.docker.empty_mounts(self.spaces[side])
        build = self.docker.build(request)
        if not build.ok:
            said = f"{build.log[-4000:]}\n{build.error}"
            sys.exit(f"{said}\n{self.project.name}: the {side.value} Dockerfile does not build")
        if phase is not Phase.FIRST and all(step.cached for step in build.steps if step.number):
            sys.exit(f"{self.project.name}: nothing was rebuilt after {phase.value} {number}")
        return build


if __name__ == "__main__":
    main()
