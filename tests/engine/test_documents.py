"""Documents that are no Dockerfiles: found, changed, made, and held to the same laws."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType

import pytest

from fixer.analysis import TooMuchWorkError, workflow_runs
from fixer.analysis.documents import Use
from fixer.codemods import registry
from fixer.codemods.api import Builder, Change, Codemod, Refusal, Settings
from fixer.engine import documents
from fixer.engine.declared import declared
from fixer.engine.files import FileTrouble, Target, create, find
from fixer.engine.job import Options, contexts_of, diff_base, diff_name, fix_target, kinds_at, searched
from fixer.engine.kinds import DOCKERFILE, IGNORE, WORKFLOW, kind_of, root_of
from fixer.engine.neighbours import Neighbours
from fixer.engine.run import fix
from fixer.engine.workflows import builds_of, hosted_by, read_at, workflows_of
from fixer.text.edits import Edit
from fixer.text.source import Span


class Lines:
    """Facts of a text of lines, in which `bad` is not understood."""

    def __init__(self, text: str) -> None:
        self.text = text

    @property
    def problem(self) -> tuple[str, int] | None:
        at = self.text.find("bad")
        return ("nobody understands this", at) if at >= 0 else None

    def block_at(self, offset: int) -> Span | None:
        end = self.text.find("\n", offset)
        return Span(offset, end if end >= 0 else len(self.text)) if self.text[offset:].strip() else None

    def fault(self, old: Lines, about: Sequence[Span], forward: Callable[[int], int]) -> str | None:
        return "a line was lost" if self.text.count("\n") < old.text.count("\n") else None


class Append(Codemod):
    """Puts the names of the Dockerfiles around into a .dockerignore."""

    id = "append"
    words = ()
    document = IGNORE
    reasons = MappingProxyType({"never": "it must not"})

    def run(self, facts: Lines, settings: Settings) -> Iterator[Change | Refusal]:  # type: ignore[override]
        if "never" in facts.text:
            yield Refusal(self.id, "never", Span(0, 1), "it says so.")
            return
        for neighbour in settings.dockerfiles:
            line = f"{neighbour.path}:{neighbour.use.value}\n"
            if line not in facts.text and neighbour.facts is not None:
                at = len(facts.text)
                yield Change(self.id, f"add {line}", "It is one.", Span(at, at), (Edit(at, at, line),))


class Shrink(Append):
    """Takes the last line away."""

    id = "shrink"

    def run(self, facts: Lines, settings: Settings) -> Iterator[Change | Refusal]:  # type: ignore[override]
        at = facts.text.rindex("\n", 0, -1)
        yield Change(self.id, "shrink", "Less.", Span(at, len(facts.text) - 1), (Edit(at, len(facts.text) - 1, ""),))


@pytest.fixture(autouse=True)
def _readers(monkeypatch: pytest.MonkeyPatch) -> None:
    readers = dict.fromkeys((WORKFLOW, IGNORE), (__name__, "Lines"))
    monkeypatch.setattr(documents, "_READERS", readers)


@pytest.fixture
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = registry.Entry("append", __name__, "Append", IGNORE)
    monkeypatch.setattr(registry, "ORDER", (*registry.ORDER, entry))


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("Dockerfile", DOCKERFILE),
        (".dockerignore", IGNORE),
        ("a/api.Dockerfile.dockerignore", IGNORE),
        (".github/workflows/ci.yml", WORKFLOW),
        ("/r/.github/workflows/ci.yaml", WORKFLOW),
        ("r/.github/actions/build/action.yml", WORKFLOW),
        ("ci/docker/action.yaml", WORKFLOW),
        ("action.yml", WORKFLOW),
        (".github/workflows/deep/ci.yml", DOCKERFILE),
        (".github/dependabot.yml", DOCKERFILE),
        ("x.github/workflows/ci.yml", DOCKERFILE),
        (None, DOCKERFILE),
    ],
)
def test_kinds(path: str | None, kind: str) -> None:
    assert kind_of(path) == kind


def test_roots() -> None:
    assert root_of("/r/.github/workflows/ci.yml", WORKFLOW) == "/r"
    assert root_of("/r/.github/actions/a/b/action.yml", WORKFLOW) == "/r"
    assert root_of("/nowhere/ci/action.yml", WORKFLOW) == "/nowhere/ci"
    assert root_of("/r/app/.dockerignore", IGNORE) == "/r/app"
    assert root_of("/.dockerignore", IGNORE) == "/"


def test_the_loop_is_the_same() -> None:
    assert fix("a\nb\n", path=".dockerignore", codemods=[Append()]).after == "a\nb\n"
    refused = fix("a\nnever\n", path=".dockerignore", codemods=[Append()]).refusals
    assert [(one.reason, one.text) for one in refused] == [("never", "a")]


def test_codemods_for_other_documents_do_not_run() -> None:
    assert fix("FROM a\n", codemods=[Shrink()]).after == "FROM a\n"
    assert fix("FROM a\nRUN pip install a\n", path=".dockerignore", select=["pip-cache"]).after.startswith("FROM")


def test_what_is_not_understood_is_left_alone() -> None:
    problem = fix("a\n bad\n", path=".dockerignore", codemods=[Append()]).error
    assert problem is not None
    assert (problem.kind, problem.position) == ("not-understood", (2, 2))


def test_a_fault_restores_the_text() -> None:
    outcome = fix("a\nb\n", path=".dockerignore", codemods=[Shrink()])
    assert outcome.after == "a\nb\n"
    assert [one.reason for one in outcome.refusals] == ["internal-error"]
    assert "a line was lost" in outcome.refusals[0].because


def test_a_comment_that_vanishes_is_a_fault() -> None:
    outcome = fix("a\n# b\n", path=".dockerignore", codemods=[Shrink()])
    assert "a comment vanished: # b" in outcome.refusals[0].because


def test_suppressions() -> None:
    text = "# dockfix: ignore=shrink because\nb\n"
    assert fix(text, path=".dockerignore", codemods=[Shrink()]).suppressed == 0  # that edits above, too
    outcome = fix("a\n# dockfix: ignore\nnever\n", path=".dockerignore", codemods=[Append()])
    assert [one.reason for one in outcome.refusals] == ["never"]
    outcome = fix("# dockfix: ignore=append\nnever\n# dockfix: ignore\n", path=".dockerignore", codemods=[Append()])
    assert [one.reason for one in outcome.refusals] == ["never", "misplaced"]
    assert fix("a\n# dockfix: skip-file\n", path=".dockerignore", codemods=[Shrink()]).skipped


def test_searched() -> None:
    assert searched(Options()) == (registry.documents() - {IGNORE}, frozenset())
    assert searched(Options(select=("pip-cache",))) == (frozenset(), frozenset())


@pytest.mark.usefixtures("_registered")
def test_searched_where_it_matters() -> None:
    assert IGNORE not in searched(Options())[0]
    assert IGNORE in searched(Options(unsafe_fixes=True))[0]
    assert searched(Options(unsafe_fixes=True))[1] == frozenset()
    assert searched(Options(select=("append",))) == (frozenset([IGNORE]), frozenset([IGNORE]))
    assert IGNORE not in searched(Options(unsafe_fixes=True, ignore=("append", "dockerignore")))[0]
    assert searched(Options(builder=Builder.EPHEMERAL))[1] <= {WORKFLOW}


def paths(*names: str, **options: object) -> list[tuple[str, bool]]:
    found = find(names, **options)  # type: ignore[arg-type]
    return [(target.path, target.missing) for target in found if target is not None]


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in (
        ".git/config",
        ".github/workflows/ci.yml",
        ".github/workflows/notes.txt",
        ".github/actions/a/action.yaml",
        "app/Dockerfile",
        "app/.dockerignore",
        "docker/web.Dockerfile",
        "lib/x.txt",
    ):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("FROM scratch\n")
    return tmp_path


@pytest.mark.usefixtures("repository")
def test_find_documents() -> None:
    dockerfiles = [("app/Dockerfile", False), ("docker/web.Dockerfile", False)]
    assert paths(".") == dockerfiles
    assert paths(".", kinds=[WORKFLOW]) == [
        (".github/actions/a/action.yaml", False),
        (".github/workflows/ci.yml", False),
        *dockerfiles,
    ]
    assert paths(".", kinds=[IGNORE]) == [
        (".dockerignore", True),
        ("app/.dockerignore", False),
        ("app/Dockerfile", False),
        ("docker/.dockerignore", True),
        ("docker/web.Dockerfile", False),
    ]


@pytest.mark.usefixtures("repository")
def test_find_around_what_is_named() -> None:
    assert paths("app/Dockerfile", kinds=[WORKFLOW]) == [("app/Dockerfile", False)]
    assert paths("app/Dockerfile", kinds=[WORKFLOW, IGNORE], around=[WORKFLOW, IGNORE]) == [
        ("app/Dockerfile", False),
        ("app/.dockerignore", False),
        (".dockerignore", True),
        (".github/actions/a/action.yaml", False),
        (".github/workflows/ci.yml", False),
    ]
    assert paths(".", kinds=[WORKFLOW], around=[WORKFLOW]) == paths(".", kinds=[WORKFLOW])
    assert (".github/workflows/ci.yml", False) in paths("docker", kinds=[WORKFLOW], around=[WORKFLOW])


@pytest.mark.usefixtures("repository")
def test_find_actions_that_are_used() -> None:
    for name, uses in (("ci/image", "./ci/base"), ("ci/base", "actions/checkout@v4"), ("other", "./ci/base")):
        Path(name).mkdir(parents=True)
        Path(name, "action.yml").write_text(f"runs: {{using: composite, steps: [{{uses: {uses}}}]}}\n")
    Path(".github/workflows/ci.yml").write_text("jobs: {a: {steps: [{uses: ./ci/image}]}}\n")
    actions = [("ci/base/action.yml", False), ("ci/image/action.yml", False)]
    assert [one for one in paths(".", kinds=[WORKFLOW]) if one[0].endswith("action.yml")] == actions
    assert paths("ci", kinds=[WORKFLOW]) == actions
    around = paths("app/Dockerfile", kinds=[WORKFLOW], around=[WORKFLOW])
    assert [one for one in around if one[0].endswith("action.yml")] == actions
    assert paths("other/action.yml", kinds=[WORKFLOW]) == [("other/action.yml", False)]


@pytest.mark.usefixtures("repository", "_registered")
def test_a_missing_file_is_made() -> None:
    options = Options(select=("append",))
    target = Target("docker/.dockerignore", missing=True)
    done = fix_target(target, options)
    assert done.result.created
    assert done.result.diff == "--- /dev/null\n+++ b/docker/.dockerignore\n@@ -0,0 +1 @@\n+web.Dockerfile:certain\n"
    checked = subprocess.run(["git", "apply", "--check", "-"], input=done.result.diff.encode(), check=False)
    assert checked.returncode == 0
    assert fix_target(target, options, write_back=True).written
    assert Path("docker/.dockerignore").read_text() == "web.Dockerfile:certain\n"
    assert Path("docker/.dockerignore").stat().st_mode & 0o777 == 0o666 & ~_mask()
    assert fix_target(Target("docker/.dockerignore"), options, write_back=True).result.status == "unchanged"
    assert not [name for name in os.listdir("docker") if name.startswith(".dockfix-")]


@pytest.mark.usefixtures("repository", "_registered")
def test_nothing_is_said_of_a_file_that_is_not_missed() -> None:
    result = fix_target(Target("lib/.dockerignore", missing=True), Options(select=("append",))).result
    assert result.nothing
    assert not fix_target(Target("app/.dockerignore"), Options(select=("append",))).result.nothing


@pytest.mark.usefixtures("repository")
def test_a_file_that_somebody_else_made_is_not_overwritten() -> None:
    with pytest.raises(FileTrouble) as trouble:
        create("app/.dockerignore", b"x")
    assert trouble.value.problem.kind == "changed-meanwhile"
    assert Path("app/.dockerignore").read_text() == "FROM scratch\n"
    with pytest.raises(FileTrouble) as trouble:
        create("nowhere/.dockerignore", b"x")
    assert trouble.value.problem.kind == "missing"


@pytest.mark.usefixtures("repository", "_registered")
def test_what_has_another_name_stays() -> None:
    options = Options(select=("append",))
    Path("docker/.dockerignore").symlink_to("../.gitignore")
    Path(".gitignore").write_text("x\n")
    done = fix_target(Target("docker/.dockerignore"), options, write_back=True)
    assert done.result.outcome is not None
    assert [one.reason for one in done.result.outcome.refusals] == ["shared"]
    assert ".gitignore too" in done.result.outcome.refusals[0].because
    assert Path(".gitignore").read_text() == "x\n"
    os.link("app/.dockerignore", "lib/.dockerignore")
    (linked,) = [target for target in find(["."], kinds=[IGNORE]) if target is not None and len(target.names) == 2]
    told = fix_target(linked, options, write_back=True).result.outcome
    assert told is not None
    assert [one.reason for one in told.refusals] == ["shared"]


@pytest.mark.usefixtures("repository", "_registered")
def test_a_directory_in_a_files_place_is_trouble_of_its_own() -> None:
    Path("docker/.dockerignore").mkdir()
    done = fix_target(Target("docker/.dockerignore"), Options(select=("append",)))
    assert done.result.problem is not None
    assert done.result.problem.kind == "not-a-file"


def test_a_patch_names_what_is_around(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("docker")
    assert diff_base(["web.Dockerfile"]) == os.curdir
    base = diff_base(["web.Dockerfile"], [IGNORE])
    assert base == str(repository)
    assert diff_name("../.dockerignore", base) == ".dockerignore"
    assert diff_name("web.Dockerfile", base) == "docker/web.Dockerfile"
    assert diff_base(["web.Dockerfile"], [WORKFLOW]) == str(repository)


def put(folder: Path, **files: str) -> None:
    """Names have `__` for `/` and `_` for `.`."""
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def uses(folder: Path, options: Options | None = None, top: str | None = None) -> dict[str, str]:
    around = Neighbours(str(folder), IGNORE, options or Options(), top)
    return {one.path: one.use.value for one in around if one.use is not Use.NONE}


WHOLE = "FROM a\nCOPY . /a\n"


def test_whose_context_it_is(tmp_path: Path) -> None:
    put(
        tmp_path,
        _git__HEAD="",
        Dockerfile=WHOLE,
        web__Dockerfile=WHOLE,
        api__Dockerfile="FROM a\nCOPY main.py /a\n",
        api__main_py="",
        lib__Dockerfile="FROM a\nCOPY built.whl /\n",
    )
    assert uses(tmp_path) == {"Dockerfile": "certain", "lib/Dockerfile": "possible", "web/Dockerfile": "possible"}
    assert uses(tmp_path / "api") == {"Dockerfile": "certain"}
    assert uses(tmp_path / "lib") == {"Dockerfile": "possible"}
    put(tmp_path, api__main_py="", main_py="")
    assert uses(tmp_path)["api/Dockerfile"] == "possible"


def test_contexts_that_somebody_names(tmp_path: Path) -> None:
    put(tmp_path, _git__HEAD="", web__Dockerfile=WHOLE, docker__Dockerfile=WHOLE, docker__prod_Dockerfile=WHOLE)
    put(tmp_path, docker__compose_yml="services:\n a:\n  build: {context: .., dockerfile: docker/Dockerfile}\n")
    put(tmp_path, compose_yaml="services:\n b:\n  build: web\n c:\n  build: {context: $D}\n d: {image: x}\n")
    assert uses(tmp_path) == {"docker/Dockerfile": "certain", "docker/prod.Dockerfile": "possible"}
    assert uses(tmp_path / "docker") == {"prod.Dockerfile": "certain"}
    build = "runs-on: x\n  steps:\n  - uses: docker/build-push-action@v6\n"
    build += "    with: {context: web, file: docker/prod.Dockerfile}\n"
    put(tmp_path, _github__workflows__a_yml=f"on: push\njobs:\n a:\n  {build}")
    workflows_of.cache_clear()
    declared.cache_clear()
    assert uses(tmp_path / "docker") == {}
    assert uses(tmp_path / "web") == {"../docker/prod.Dockerfile": "certain", "Dockerfile": "certain"}


def test_paths_that_nothing_can_have(tmp_path: Path) -> None:
    deep = "a/" * 1500
    put(tmp_path, _git__HEAD="", Dockerfile=WHOLE, compose_yaml=f"services:\n a:\n  build: {{context: {deep}b}}\n")
    steps = f"  - uses: docker/build-push-action@v6\n    with: {{context: '{deep}b', file: '{deep}Dockerfile'}}\n"
    steps += "  - run: \"docker compose -f 'x\\0.yml' build\"\n"
    put(tmp_path, _github__workflows__a_yml=f"on: push\njobs:\n a:\n  runs-on: x\n  steps:\n{steps}")
    assert uses(tmp_path) == {"Dockerfile": "certain"}


def test_the_context_that_is_said_counts(tmp_path: Path) -> None:
    put(tmp_path, _git__HEAD="", a__Dockerfile=WHOLE, b__x="", c__Dockerfile=WHOLE, c__dockfix_toml='context = ".."\n')
    options = Options(context=str(tmp_path / "b"), paths=frozenset((str(tmp_path / "a" / "Dockerfile"),)))
    assert uses(tmp_path / "a", options) == {}
    assert uses(tmp_path / "b", options) == {"../a/Dockerfile": "certain"}
    assert uses(tmp_path / "c", options) == {}
    assert uses(tmp_path, options) == {"c/Dockerfile": "certain"}
    assert contexts_of(options, [str(tmp_path / "c")]) == (str(tmp_path / "b"),)
    assert contexts_of(Options(), [str(tmp_path / "c")]) == (str(tmp_path),)


def test_a_dockerfile_of_another_name_counts(tmp_path: Path) -> None:
    put(tmp_path, Dockerfile=WHOLE, odd__txt=WHOLE, odd__notes="From here on\n", odd__tool=f"#!/bin/x\n{WHOLE}")
    (tmp_path / "Dockerfile-prod").write_text(WHOLE)
    (tmp_path / "Dockerfile-notes.md").write_text("How to build it\n")
    (tmp_path / "compose.yml").write_text("services: {a: {build: {dockerfile_inline: FROM a}}}\n")
    found = uses(tmp_path)
    assert set(found) == {"Dockerfile", "Dockerfile-prod", "compose.yml", "odd/txt"}
    assert found["odd/txt"] == "possible"
    named = Options(paths=frozenset((str(tmp_path / "odd" / "txt"),)))
    assert uses(tmp_path, named)["odd/txt"] == "possible"


def test_what_a_dockerfile_will_be_counts(tmp_path: Path) -> None:
    text = "FROM python:3\nRUN pip install flask\n"
    put(tmp_path, a__Dockerfile=text, b__Dockerfile=text)
    options = Options(select=("pip-cache",), paths=frozenset((str(tmp_path / "a"),)))
    texts = [one.facts.file.text for one in Neighbours(str(tmp_path), WORKFLOW, options) if one.facts is not None]
    assert ["--mount" in text for text in texts] == [True, False]


PYTHON = """\
FROM python:3.12
RUN apt-get update && apt-get install -y git && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY . .
RUN pip install --no-cache-dir -r requirements.txt
CMD ["myapp"]
"""
RUST = """\
FROM rust:1 AS build
WORKDIR /app
COPY . .
RUN cargo build --release
FROM debian:12
COPY --from=build /app/target/release/app /usr/local/bin/app
"""


def test_what_a_change_wrote_stands_where_it_was_put(tmp_path: Path) -> None:
    put(
        tmp_path, Dockerfile=RUST, Cargo_toml='[package]\nname = "app"\nversion = "0.1.0"\n', Cargo_lock="",
        src__main_rs="fn main() {}\n", _git__HEAD="ref: refs/heads/a\n",
    )  # fmt: skip
    options = Options(unsafe_fixes=True, project="p", paths=frozenset((str(tmp_path),)))
    [one] = Neighbours(str(tmp_path), IGNORE, options)
    assert one.facts is not None
    text = one.facts.file.text
    pieces = ("FROM rust", "find .", "cargo build", "FROM debian", "COPY --from", "/tmp/app /usr")
    assert {piece: one.at(text.index(piece)) for piece in pieces} == {
        "FROM rust": "Dockerfile:1",
        "find .": "Dockerfile:4 as rewritten",
        "cargo build": "Dockerfile:4",
        "FROM debian": "Dockerfile:5",
        "COPY --from": "Dockerfile:6",
        "/tmp/app /usr": "Dockerfile:6 as rewritten",
    }


def test_lines_that_a_change_put_in_are_those_of_what_it_is_about(tmp_path: Path) -> None:
    put(tmp_path, Dockerfile=PYTHON, _git__HEAD="ref: refs/heads/a\n")
    [one] = Neighbours(str(tmp_path), IGNORE, Options(project="p", paths=frozenset((str(tmp_path),))))
    assert one.facts is not None
    assert one.at(one.facts.file.text.index("RUN rm -f")) == "Dockerfile:2 as rewritten"
    assert one.at(one.facts.file.text.index("apt-get install")) == "Dockerfile:2"


@pytest.mark.usefixtures("repository", "_registered")
def test_a_configuration_below_says_what_is_looked_for() -> None:
    Path("docker/dockfix.toml").write_text('select = ["append"]\n')
    found = find(["."], kinds=[], kinds_at=partial(kinds_at, Options()))
    assert [target.path for target in found if target is not None] == [
        "app/Dockerfile",
        "docker/.dockerignore",
        "docker/web.Dockerfile",
    ]
    Path("app/.dockfix.toml").write_text('select = ["pip-cache"]\n')
    found = find(["."], kinds=[IGNORE], kinds_at=partial(kinds_at, Options(unsafe_fixes=True)))
    assert "app/.dockerignore" not in [target.path for target in found if target is not None]


def test_what_compose_builds_in_a_workflow(tmp_path: Path) -> None:
    services = "services:\n a:\n  build: .\n b:\n  build: {context: .., dockerfile: app/x}\n"
    put(tmp_path, _git__HEAD="", app__compose_yml=services)
    step = "run: docker compose build a\n    working-directory: app"
    job = f"runs-on: ubuntu-latest\n  steps:\n  - {step}\n"
    put(tmp_path, _github__workflows__a_yml=f"on: push\njobs:\n a:\n  {job}")
    assert hosted_by(str(tmp_path / "app" / "Dockerfile")) == (".github/workflows/a.yml",)
    assert hosted_by(str(tmp_path / "app" / "x")) == ()


def test_what_workflows_build_is_all_or_known_not_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that nobody goes through in time takes nothing from the others, and no .dockerignore is judged without it."""
    monkeypatch.setattr(workflow_runs, "MAX_STEPS", 50)
    build = "- uses: docker/build-push-action@v6\n    with: {context: ., file: FILE}\n"
    setup = "- uses: docker/setup-buildx-action@v3\n    with: {driver: '${{ matrix.a }}'}\n"
    job = "on: push\njobs:\n a:\n  runs-on: ubuntu-latest\n  steps:\n"
    many = job + "".join(f"  {setup}  {build.replace('FILE', f'f{number}')}" for number in range(12))
    put(tmp_path, _git__HEAD="", Dockerfile="FROM a\nCOPY . .\n")
    put(tmp_path, _github__workflows__a_yml=many, _github__workflows__z_yml=f"{job}  {build.replace('FILE', 'z')}")
    found, complete = builds_of(str(tmp_path))
    assert not complete
    assert [build.file for _, build in found] == ["z"]
    with pytest.raises(TooMuchWorkError):
        list(Neighbours(str(tmp_path), IGNORE))
    put(tmp_path / "other", _git__HEAD="", _github__workflows__z_yml=f"{job}  {build.replace('FILE', 'z')}")
    assert builds_of(str(tmp_path / "other")).complete


def _mask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_file_of_a_repository_is_parsed_once(tmp_path: Path) -> None:
    put(tmp_path, _git__HEAD="", _github__workflows__a_yml="on: push\n# docker\n")
    root, name = str(tmp_path), ".github/workflows/a.yml"
    known = read_at(root, name, "on: push\n# docker\n")
    assert [one is known for _, one in workflows_of(root)] == [True]
    other = read_at(root, name, "on: pull_request\n")
    assert other is not known
    assert set(other.triggers) == {"pull_request"}
    assert read_at(root, name, "on: push\n# docker\n") is known
