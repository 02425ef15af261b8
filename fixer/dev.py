"""For people who work on dockfix itself: the cases in `corpus/`, their pages, and new ones.

    python -m fixer.dev new-case ID NAME       a folder corpus/ID/NN-NAME with the next number
    python -m fixer.dev show CASE…             what comes out now: the diff, changes and refusals
    python -m fixer.dev update-corpus CASE…    the same, and write it into the cases as what is expected
    python -m fixer.dev pages [--check]        corpus/ID/README.md from the docstring and the cases
    python -m fixer.dev tree FILE              the tree of a Dockerfile, one line a leaf

CASE is a path, or what a case's `folder/name` begins with. Run it in a checkout.
"""

from __future__ import annotations

import argparse
import dataclasses
import inspect
import json
import re
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from fixer.analysis import Images
from fixer.codemods.api import Builder, Codemod
from fixer.engine.outcome import Outcome
from fixer.text.data import read_toml
from fixer.text.diff import unified_diff
from fixer.text.source import decode, encode

ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT / "corpus"

_KEYS = {"title", "text", "dockerfile", "select", "unsafe", "project", "changes", "problem", "refusals",
         "builder", "context", "images"}  # fmt: skip


class Expected(NamedTuple):
    """A refusal, as a case writes it: the line (from 1) is that of the file before."""

    codemod: str
    reason: str
    line: int


@dataclass(frozen=True, slots=True)
class Case:
    """One folder `corpus/<codemod id or _group>/<NN-name>/`."""

    folder: Path
    title: str
    text: str
    dockerfile: str
    """The file's name inside `before/` and `after/`: a Dockerfile, or another document."""
    select: tuple[str, ...] | None
    """Codemod ids; None is all of them."""
    unsafe: bool
    project: str | None
    images: Images
    """What is said of base images."""
    builder: Builder
    context: Path | None
    """The build context: `before/`, unless the case says `context = false`."""
    changes: int | None
    problem: str | None
    """The kind of `fixer.engine.outcome.Problem` for which the whole file is left alone."""
    refusals: tuple[Expected, ...]
    before: bytes
    after: bytes | None
    """None where nothing may change."""

    @property
    def id(self) -> str:
        return f"{self.folder.parent.name}/{self.folder.name}"

    @property
    def diff(self) -> str:
        """What the case expects to change, with the case's own path as the file name."""
        after = self.before if self.after is None else self.after
        return difference(self.before, after, f"{self.id}/{self.dockerfile}")


def load(folder: Path) -> Case:
    """The case in `folder`. Raises ValueError, with the folder in its text, for a case that is written wrongly."""
    from fixer.engine.kinds import WORKFLOW, kind_of

    group = folder.parent.name
    try:
        table = _toml(folder / "case.toml")
        if unknown := set(table) - _KEYS:
            raise ValueError(f"unknown keys {sorted(unknown)}")
        name = str(table.get("dockerfile", "Dockerfile"))
        select = table.get("select", None if group.startswith("_") else [group])
        after = folder / "after" / name
        case = Case(
            folder=folder,
            title=table["title"],
            text=table.get("text", "").strip(),
            dockerfile=name,
            select=None if select is None else tuple(select),
            unsafe=table.get("unsafe", False),
            project=table.get("project"),
            images=Images(table.get("images", {})),
            builder=Builder(table.get("builder", "ephemeral" if kind_of(name) == WORKFLOW else "persistent")),
            context=folder / "before" if table.get("context", True) else None,
            changes=table.get("changes"),
            problem=table.get("problem"),
            refusals=tuple(_expected(row, group) for row in table.get("refusals", ())),
            before=_before(folder / "before" / name),
            after=after.read_bytes() if after.exists() else None,
        )
        if case.after == case.before:
            raise ValueError("after/ equals before/: remove after/")
        if not after.exists() and (folder / "after").exists():
            raise ValueError(f"after/ holds no {name}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{folder}: {type(error).__name__}: {error}") from error
    return case


def _before(path: Path) -> bytes:
    """A .dockerignore may be missing; then its text is empty."""
    from fixer.engine.kinds import IGNORE, kind_of

    return b"" if kind_of(path) == IGNORE and not path.exists() else path.read_bytes()


def cases(corpus: Path = CORPUS) -> list[Case]:
    """All cases that a codemod is run on, in the order of their paths; the trees in `_tree` are `tree_cases`."""
    folders = sorted(path.parent for path in corpus.glob("*/*/case.toml"))
    return [load(folder) for folder in folders if folder.parent.name != "_tree"]


def tree_cases(corpus: Path = CORPUS) -> list[Path]:
    """Folders of `corpus/_tree`: a Dockerfile and its tree.txt."""
    return sorted(path.parent for path in (corpus / "_tree").glob("*/Dockerfile"))


def _toml(path: Path) -> dict[str, Any]:
    return read_toml(path.read_text("utf-8"))


def _expected(row: dict[str, Any], group: str) -> Expected:
    if unknown := set(row) - set(Expected._fields):
        raise ValueError(f"unknown keys {sorted(unknown)} of a refusal")
    if group.startswith("_"):
        return Expected(row["codemod"], row["reason"], row["line"])
    return Expected(row.get("codemod", group), row["reason"], row["line"])


def difference(before: bytes, after: bytes, name: str) -> str:
    """A unified diff of two files; bytes that are not UTF-8 stand in it as lone surrogates."""
    return unified_diff(decode(before), decode(after), name)


# --- running -------------------------------------------------------------------------------------------------------


def run(
    source: bytes, case: Case, *, select: Sequence[str] | None = None, unsafe: bool | None = None
) -> Outcome[bytes]:
    """`fixer.fix` over a text with the options and the build context of a case, but for `select`, and for `unsafe` if
    that is given. Raises what `fixer.fix` raises for ids that do not exist."""
    from fixer.analysis.context import NO_CONTEXT
    from fixer.engine.context import FoundContext
    from fixer.engine.declared import FoundTargets
    from fixer.engine.kinds import DOCKERFILE, WORKFLOW, kind_of, root_of
    from fixer.engine.neighbours import Neighbours
    from fixer.engine.run import fix
    from fixer.engine.workflows import OtherWorkflows

    at = case.folder / "before" / case.dockerfile
    kind = kind_of(at)
    top = str(case.folder / "before")
    around = Neighbours(top if kind == WORKFLOW else root_of(str(at), kind), kind, top=top)
    return fix(
        source,
        path=case.dockerfile,
        kind=kind,
        dockerfiles=() if kind == DOCKERFILE else around,
        place=case.dockerfile if kind == WORKFLOW else "",
        workflows=OtherWorkflows(str(case.folder / "before"), case.dockerfile) if kind == WORKFLOW else None,
        select=select,
        unsafe_fixes=case.unsafe if unsafe is None else unsafe,
        project=case.project,
        builder=case.builder,
        context=NO_CONTEXT if case.context is None else FoundContext(str(at), str(case.context)),
        targets=FoundTargets(str(at), str(case.folder / "before")),
        images=case.images,
    )


def run_case(case: Case) -> Outcome[bytes]:
    """`run` with the codemods that the case is about."""
    return run(case.before, case, select=case.select)


def refusals(outcome: Outcome[bytes]) -> tuple[Expected, ...]:
    """The refusals of a run in the form that a case writes, in the order of the text."""
    rows = [Expected(row.codemod, row.reason, row.position.line) for row in outcome.refusals]
    return tuple(sorted(rows, key=lambda row: (row.line, row.codemod, row.reason)))


# --- trees ---------------------------------------------------------------------------------------------------------


def dump(source: bytes) -> str:
    """The tree of a Dockerfile for people: nodes indented, one leaf a line with its place, type, prefix and text.

    A value is shown where BuildKit sees another text than the one that stands in the file.
    """
    from fixer.tree.nodes import Leaf, Node
    from fixer.tree.parse import parse

    file = parse(source)
    rows: list[str] = []

    def leaf(part: Leaf, depth: int) -> None:
        at = file.position(part)
        prefix = f" after {_quote(part.prefix)}" if part.prefix else ""
        value = "" if part.value == part.text else f" = {_quote(part.value)}"
        rows.append(f"{'  ' * depth}{at.line}:{at.column} {part.type} {_quote(part.text)}{value}{prefix}")

    def node(part: Node, depth: int) -> None:
        said = [f for f in dataclasses.fields(part) if not f.metadata.get("tree", True)]  # type: ignore[arg-type]
        facts = "".join(f" {f.name}={_quote(getattr(part, f.name))}" for f in said if part is not file)
        rows.append(f"{'  ' * depth}{type(part).__name__}{facts}")
        for child in part.children:
            if isinstance(child, Leaf):
                leaf(child, depth + 1)
            else:
                node(child, depth + 1)

    node(file, 0)
    return "\n".join(rows) + "\n"


def _quote(value: object) -> str:
    return json.dumps(value)


# --- pages ---------------------------------------------------------------------------------------------------------


def codemods() -> tuple[Codemod, ...]:
    """Instances of all codemods, in their order."""
    from fixer.codemods import registry

    return tuple(registry.load(name) for name in registry.ids())


_HEADING = re.compile(r"(?<=\n\n)([A-Z][^\n]*[^\n.:;,|])(?=\n\n)")
"""A paragraph of a docstring that is one line without a stop: a heading."""


def page(codemod: Codemod, of: Iterable[Case]) -> str:
    """The page of one codemod: its docstring, its refusals, and its cases as examples."""
    manual = inspect.getdoc(type(codemod)) or ""
    mine = list(of)
    changing = [case for case in mine if case.after is not None]
    others = [case for case in mine if case.after is None]
    parts = [
        f"# {codemod.id}\n\n<!-- Written by `python -m fixer.dev pages` from the docstring and the cases. -->\n",
        _HEADING.sub(r"## \1", manual.strip()) + "\n",
    ]
    if codemod.reasons:
        parts.append(
            "## Refusals\n\n| reason | what it means |\n|---|---|\n"
            + "".join(f"| `{reason}` | {_cell(meaning)} |\n" for reason, meaning in sorted(codemod.reasons.items()))
        )
    if changing:
        parts.append(f"## What it changes ({len(changing)} cases)\n")
        parts += [_example(case) for case in changing]
    if others:
        parts.append(f"## What it leaves alone ({len(others)} cases)\n")
        parts += [_example(case) for case in others]
    return "\n".join(parts)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _example(case: Case) -> str:
    options = [f"`--project {case.project}`"] if case.project else []
    options += [f"`--image {name}={other}`" for name, other in case.images.said.items()]
    options += ["`--unsafe-fixes`"] if case.unsafe else []
    rows = [f"### [{case.title}]({case.folder.name})\n"]
    if case.text:
        rows.append(case.text + "\n")
    if options:
        rows.append(f"With {' and '.join(options)}.\n")
    rows += [_fence("dockerfile", _visible(decode(source))) for source in _around(case)]
    if case.after is not None:
        rows.append(_fence("diff", _hunks(case.diff)))
    else:
        rows += [_fence(_language(case), _visible(decode(case.before)))] if case.before else []
    if case.refusals:
        rows.append("Refused: " + ", ".join(f"`{r.reason}` (line {r.line})" for r in case.refusals) + ".\n")
    return "\n".join(rows)


def _around(case: Case) -> Iterator[bytes]:
    """The Dockerfiles of a case that is about a .dockerignore: they are what it is understood by."""
    from fixer.engine.files import is_dockerfile_name
    from fixer.engine.kinds import IGNORE, kind_of

    if kind_of(case.dockerfile) == IGNORE:
        for path in sorted((case.folder / "before").iterdir()):
            if is_dockerfile_name(path.name):
                yield path.read_bytes()


def _language(case: Case) -> str:
    from fixer.engine.kinds import IGNORE, WORKFLOW, kind_of

    return {IGNORE: "text", WORKFLOW: "yaml"}.get(kind_of(case.dockerfile), "dockerfile")


def _hunks(diff: str) -> str:
    """A diff without its two file lines."""
    return _visible("".join(diff.splitlines(keepends=True)[2:]))


def _visible(text: str) -> str:
    """Text that Markdown can show: bytes that are not UTF-8 become question marks, CR goes."""
    return encode(text).decode("utf-8", "replace").replace("\r", "").rstrip("\n") + "\n"


def _fence(language: str, body: str) -> str:
    longest = max((len(run) for run in re.findall(r"`{3,}", body)), default=2)
    ticks = "`" * max(3, longest + 1)
    return f"{ticks}{language}\n{body}{ticks}\n"


def pages() -> Iterator[tuple[Path, str]]:
    """Where every page stands and what it must say."""
    everything = cases()
    for codemod in codemods():
        mine = [case for case in everything if case.folder.parent.name == codemod.id]
        yield CORPUS / codemod.id / "README.md", page(codemod, mine)


# --- commands ------------------------------------------------------------------------------------------------------

_NEW = '''\
title = "{title}"
text = """
"""
'''


def _new_case(args: argparse.Namespace) -> int:
    group = CORPUS / args.id
    if not args.id.startswith("_") and args.id not in {codemod.id for codemod in codemods()}:
        print(f"no codemod has the id {args.id}", file=sys.stderr)
        return 2
    taken = [int(m[1]) for path in group.glob("*/case.toml") if (m := re.match(r"(\d+)-", path.parent.name))]
    folder = group / f"{max(taken, default=0) + 1:02d}-{args.name}"
    (folder / "before").mkdir(parents=True)
    (folder / "case.toml").write_text(_NEW.format(title=args.name.replace("-", " ")), "utf-8")
    (folder / "before" / "Dockerfile").write_text("FROM debian:bookworm-slim\n", "utf-8")
    print(folder.relative_to(ROOT))
    return 0


def _matching(names: Sequence[str]) -> list[Case]:
    wanted = []
    for name in names:
        place = Path(name).resolve()
        found = [c for c in cases() if c.id.startswith(name.rstrip("/")) or place in (c.folder, *c.folder.parents)]
        if not found:
            raise SystemExit(f"no case: {name}")
        wanted += [case for case in found if case not in wanted]
    return wanted


def _show(args: argparse.Namespace) -> int:
    for case in _matching(args.case):
        _print_result(case, run_case(case))
    return 0


def _print_result(case: Case, outcome: Outcome[bytes]) -> None:
    print(f"=== {case.id}: {case.title}")
    diff = difference(case.before, outcome.after, case.dockerfile)
    print(_hunks(diff) if diff else "(unchanged)")
    for change in outcome.changes:
        print(f"  {change.codemod}: {change.title} ({change.safety.value}): {change.why}")
    for change in outcome.withheld:
        print(f"  withheld: {change.codemod}: {change.title}: {change.risk}")
    for row in outcome.refusals:
        print(f"  line {row.position.line}: {row.codemod}: {row.reason}: {row.because}")
    if outcome.error:
        print(f"  ERROR {outcome.error}")


def _update(args: argparse.Namespace) -> int:
    failed = 0
    for case in _matching(args.case):
        result = run_case(case)
        _print_result(case, result)
        if (result.error and result.error.kind != case.problem) or any(
            row.reason == "internal-error" for row in result.refusals
        ):
            print("  not written", file=sys.stderr)
            failed = 1
            continue
        expected = case.before if case.after is None else case.after
        if result.after != expected:
            print("  --- against what was expected so far:")
            print(_hunks(difference(expected, result.after, case.dockerfile)))
        _write_expectation(case, result)
    return failed


def _write_expectation(case: Case, result: Outcome[bytes]) -> None:
    target = case.folder / "after" / case.dockerfile
    if result.after == case.before:
        if target.exists():
            shutil.rmtree(case.folder / "after")
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(result.after)
    path = case.folder / "case.toml"
    text = path.read_text("utf-8")
    path.write_text(_with_refusals(text, case.folder.parent.name, refusals(result)), "utf-8")


def _with_refusals(text: str, group: str, rows: Sequence[Expected]) -> str:
    """The text of a case.toml with its `refusals` array (closed by a `]` that ends a line) replaced."""
    kept = re.sub(r"(?ms)^refusals = \[.*?\]$\n?", "", text).rstrip("\n") + "\n"
    if not rows:
        return kept
    lines = []
    for row in rows:
        codemod = f'codemod = "{row.codemod}", ' if group.startswith("_") or row.codemod != group else ""
        lines.append(f'  {{ {codemod}reason = "{row.reason}", line = {row.line} }},\n')
    return kept + "refusals = [\n" + "".join(lines) + "]\n"


def _pages(args: argparse.Namespace) -> int:
    stale = 0
    for path, text in pages():
        if path.exists() and path.read_text("utf-8") == text:
            continue
        stale = 1
        print(path.relative_to(ROOT))
        if not args.check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
    return stale if args.check else 0


def _tree(args: argparse.Namespace) -> int:
    sys.stdout.write(dump(args.file.read_bytes()))
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m fixer.dev", description="Work on dockfix itself.")
    commands = parser.add_subparsers(required=True)
    new = commands.add_parser("new-case", help="make the folder of a new case")
    new.add_argument("id", help="a codemod's id, or _together or _regress")
    new.add_argument("name", help="words-with-dashes")
    new.set_defaults(call=_new_case)
    for name, call, words in (
        ("show", _show, "print what comes out of cases now"),
        ("update-corpus", _update, "print it, and write it down as what is expected"),
    ):
        command = commands.add_parser(name, help=words)
        command.add_argument("case", nargs="+", help="a path, or the beginning of folder/name")
        command.set_defaults(call=call)
    page_command = commands.add_parser("pages", help="write corpus/ID/README.md")
    page_command.add_argument("--check", action="store_true", help="write nothing, exit 1 if a page is stale")
    page_command.set_defaults(call=_pages)
    tree = commands.add_parser("tree", help="print the tree of a file")
    tree.add_argument("file", type=Path)
    tree.set_defaults(call=_tree)
    args = parser.parse_args(argv)
    code: int = args.call(args)
    return code


if __name__ == "__main__":
    sys.exit(main())
