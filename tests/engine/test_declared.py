"""What the files of a repository say of its Dockerfiles: the contexts and the targets of their builds."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixer.analysis import NO_TARGETS, Targets, analyse, workflow_runs
from fixer.analysis.context import all_context_sources
from fixer.engine import compose, workflows
from fixer.engine.compose import compose_builds, interpolated
from fixer.engine.context import FoundContext
from fixer.engine.declared import FoundTargets, declared
from fixer.engine.files import Target
from fixer.engine.job import Done, Options, find_context, fix_target
from fixer.engine.result_cache import open_cache
from fixer.tree.parse import parse

RUST = """FROM rust:1.80 AS dev
WORKDIR /app
COPY . .
RUN cargo build
FROM dev AS builder
RUN cargo build --release
FROM debian:12
COPY --from=builder /app/target/release/svc /svc
"""
WORKFLOW = "on: push\njobs:\n a:\n  runs-on: x\n  steps:\n  - uses: actions/checkout@v4\n"


PERHAPS = Targets({}, None, {"dev": "W"})
BAKED = Targets({}, None, {"dev": "W"}, {"b": "W"})
IN_A = "services:\n a:\n  build: {context: .., target: '${T:-builder}'}\n"
OTHER = "uses: actions/checkout@v4\n    with: {path: b, repository: a/b}\n"
INCLUDES = "include:\n- a/x.yml\n- {path: [b/x.yml, b/y.yml], project_directory: .}\n- compose.yml\n- 1\n"
RUNS = "services:\n a:\n  build: {context: ., target: dev}\n  command: [a, b]\n b:\n  build: .\n"


def forget() -> None:
    files = (compose._file, compose._text, compose._settings)
    for known in (declared, *files, workflows.builds_of, workflows.workflows_of, workflows._composed):
        known.cache_clear()


@pytest.fixture(autouse=True)
def _nothing_known() -> Iterator[None]:
    forget()
    yield
    forget()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    put(tmp_path, {".git/HEAD": "", "Dockerfile": RUST})
    return tmp_path


def put(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def targets(path: Path) -> Targets:
    return FoundTargets(str(path))()


# --- targets --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("build", "names"),
    [
        ("{context: ., target: Dev}", ["dev"]),
        ("{context: ., dockerfile: ./Dockerfile, target: dev}", ["dev"]),
        ("{target: dev}", ["dev"]),
        ("{context: '${DIR:-.}', target: '${T:-dev}'}", ["dev"]),
        ("{context: ., target: '${T:-}'}", []),
        ("{context: ., target: '${T:-${U-dev}}'}", ["dev"]),
        ("{context: other, target: dev}", []),
        ("{context: ., dockerfile: other, target: dev}", []),
        ("{context: ., dockerfile_inline: FROM a AS dev, target: dev}", []),
        ("{<<: [{target: dev}, {context: .}]}", ["dev"]),
        (".", []),
    ],
)
def test_a_service_of_compose(root: Path, build: str, names: list[str]) -> None:
    put(root, {"compose.yaml": f"services:\n a:\n  build: {build}\n"})
    assert targets(root / "Dockerfile") == Targets(dict.fromkeys(names, "compose.yaml"))


@pytest.mark.parametrize("text", ["$T", "${T}", "${T:?which}", "${T:+dev}", "dev-$$", "${T:-$U}", "${T-${U}}", "a${"])
def test_a_target_that_nobody_knows_may_be_any(root: Path, text: str) -> None:
    put(root, {"deploy/compose.yml": f"services:\n a:\n  build: {{context: .., target: '{text}'}}\n"})
    assert targets(root / "Dockerfile") == Targets({}, "deploy/compose.yml")
    stages = analyse(parse(RUST), targets=FoundTargets(str(root / "Dockerfile"))).stages
    assert [(stage.goal, stage.shipped) for stage in stages] == [(True, True)] * 3


def test_defaults_in_a_file_of_compose() -> None:
    assert interpolated("a-${B:-b}-${C-}") == "a-b-"
    assert interpolated("${A:-" * 9 + "a" + "}" * 9) is None


def test_a_file_of_compose_that_completes_another(root: Path) -> None:
    """A service without a context has that of the other files of the directory."""
    put(root, {"compose.yml": "services:\n a:\n  build: {context: api, dockerfile: ../Dockerfile}\n"})
    put(root, {"compose.override.yml": "services:\n a:\n  build: {target: dev}\n b:\n  build: {target: other}\n"})
    assert targets(root / "Dockerfile").names == {"dev": "compose.override.yml", "other": "compose.override.yml"}
    assert declared(str(root)).contexts[str(root / "Dockerfile")] == {str(root / "api"), str(root)}


def test_a_service_that_extends_another(root: Path) -> None:
    put(root, {"base/common.yml": "services:\n a:\n  build: {context: .., target: builder}\n"})
    extends = "extends: {file: base/common.yml, service: a}"
    put(root, {"compose.yml": f"services:\n b:\n  {extends}\n  build: {{target: dev}}\n c:\n  {extends}\n"})
    assert sorted(targets(root / "Dockerfile").names) == ["builder", "dev"]
    put(root, {"compose.yml": "services:\n b:\n  extends: b\n c:\n  extends: {file: none.yml, service: c}\n"})
    forget()
    assert targets(root / "Dockerfile") == NO_TARGETS


@pytest.mark.parametrize(
    ("step", "found"),
    [
        ("uses: docker/build-push-action@v6\n    with: {context: ., target: dev}", Targets({"dev": "W"})),
        ("uses: docker/build-push-action@v6\n    with: {target: dev, file: other}", NO_TARGETS),
        ("uses: docker/build-push-action@v6\n    with: {context: .}", NO_TARGETS),
        ("uses: docker/build-push-action@v6\n    with: {target: '${{ vars.T }}'}", Targets({}, "W")),
        ("run: docker build --target dev .", Targets({"dev": "W"})),
        ("run: docker buildx build . -f Dockerfile --target=dev --target builder", Targets({"builder": "W"})),
        ("run: T=$(next) && docker build --target $T .", Targets({}, "W")),
        ("run: docker build --target dev -f $FILE .", Targets({}, None, {"dev": "W"})),
        ("run: docker build -t a -f $FILE .", NO_TARGETS),
        ("run: docker build -t a $DIR", NO_TARGETS),
        ("run: docker build ${{ inputs.options }} .", Targets({}, "W")),
        ("run: docker build --target=$T .", Targets({}, "W")),
        ("run: docker build $ARGS -t a .\n    env: {ARGS: --target dev}", Targets({"dev": "W"})),
        ("run: if a; then A='-t a'; else A='-t $B'; fi; docker build $A .", NO_TARGETS),
        ("run: if a; then A='-t a'; else A='--target dev'; fi; docker build $A .", Targets({}, "W")),
        ("run: A=-ta; A+=' --target dev'; exec docker build $A .", Targets({"dev": "W"})),
        ("run: A=$A; for A in a; do docker build $A .; done", Targets({}, "W")),
        ("run: A=(-t a); A+=(--target dev); docker build \"${A[@]}\" .", Targets({"dev": "W"})),
        ("run: docker build --target dev . ((", Targets({}, None, {"dev": "W"})),
        ("run: sudo -E nice docker build --target dev .", Targets({"dev": "W"})),
        ("run: sh -c 'sh -c \"docker build --target dev .\"'", Targets({"dev": "W"})),
        ("run: docker build --build-context Dev=x .", Targets({}, None, {}, {"dev": "W"})),
        ("run: docker build --target dev https://github.com/a/b.git", NO_TARGETS),
        ("run: docker build --target dev /tmp/a", NO_TARGETS),
        ("run: docker build --target dev", NO_TARGETS),
        ("run: docker build --target dev $DIR", PERHAPS),
        ("run: cd $DIR && docker build --target dev .", PERHAPS),
        ("uses: docker/build-push-action@v6\n    with: {context: 'https://a/b.git', target: dev}", NO_TARGETS),
        (f"{OTHER}  - run: docker build --target dev b", NO_TARGETS),
        ("run: buildah bud --target dev .", Targets({"dev": "W"})),
        ("run: podman build --target dev .", Targets({"dev": "W"})),
        ("run: docker buildx bake --set=a.target=dev --set a.contexts.b=c", BAKED),
        ("uses: docker/bake-action@v6\n    with: {set: a.tags=target=dev}", NO_TARGETS),
        ("uses: docker/build-push-action@v6\n    with: {file: '${{ vars.F }}', target: dev}", PERHAPS),
        ("uses: redhat-actions/buildah-build@v2\n    with: {dockerfiles: Dockerfile}", NO_TARGETS),
        ("run: docker build .", NO_TARGETS),
        ("uses: ./.github/actions/image", Targets({"dev": "W"})),
    ],
)
def test_a_step_of_a_workflow(root: Path, step: str, found: Targets) -> None:
    if "uses: ./" in step:
        action = "runs:\n using: composite\n steps:\n - {run: docker build --target dev ., shell: bash}\n"
        put(root, {".github/actions/image/action.yml": action})
    put(root, {".github/workflows/a.yml": f"{WORKFLOW}  - {step}\n"})
    where = ".github/workflows/a.yml"
    unknown = None if found.unknown is None else where
    named = (dict.fromkeys(names, where) for names in (found.names, found.possible, found.replaced))
    names, possible, replaced = named
    assert targets(root / "Dockerfile") == Targets(names, unknown, possible, replaced)


@pytest.mark.parametrize(
    ("build", "path", "may_be"),
    [
        ("{context: '${DIR}'", "api/Dockerfile", True),
        ("{context: '${DIR}'", "api/Dockerfile.dev", False),
        ("{context: '${DIR}/api'", "x/api/Dockerfile", True),
        ("{context: '${DIR}/api'", "api2/Dockerfile", False),
        ("{context: 'services/${NAME}'", "services/a/Dockerfile", True),
        ("{context: 'services/${NAME}'", "Dockerfile", False),
        ("{context: 'svc-${NAME}', dockerfile: ../Dockerfile", "Dockerfile", False),
        ("{context: '${NAME}', dockerfile: ../Dockerfile", "Dockerfile", True),
        ("{context: ., dockerfile: 'docker/${NAME}.Dockerfile'", "docker/a.Dockerfile", True),
        ("{context: ., dockerfile: 'docker/${NAME}.Dockerfile'", "a.Dockerfile", False),
        ("{context: ., dockerfile: 'Dockerfile.${NAME}'", "Dockerfile.a", True),
        ("{context: ., dockerfile: '${NAME}'", "any/where.Dockerfile", True),
        ("{context: 'https://${HOST}/a.git'", "Dockerfile", False),
        ("{context: '${PWD}'", "Dockerfile", True),
        ("{context: '${PWD}'", "api/Dockerfile", False),
    ],
)
def test_a_dockerfile_of_which_not_all_is_known(root: Path, build: str, path: str, may_be: bool) -> None:
    put(root, {path: RUST, "compose.yaml": f"services:\n a:\n  build: {build}, target: dev}}\n"})
    found = targets(root / path)
    assert {**found.names, **found.possible} == ({"dev": "compose.yaml"} if may_be else {})


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ("T=dev", ["dev"]),
        ("export T = 'dev' # this", ["dev"]),
        ('A=de\nT="${A}v"', ["dev"]),
        ("T=", ["", "builder"]),
        ("T=$(x)", ["builder"]),
        ("# T=dev", ["builder"]),
        ("T='$dev'", ["builder"]),
    ],
)
def test_what_stands_in_dotenv(root: Path, settings: str, names: list[str]) -> None:
    """And the default of the text where that may be empty, for it is no part of the repository."""
    put(root, {"a/.env": settings, "a/compose.yml": IN_A})
    found = targets(root / "Dockerfile")
    assert found.unknown is None
    assert set(found.names) == {name for name in (*names, "builder") if name}


def test_the_dotenv_of_the_root_counts_for_all(root: Path) -> None:
    put(root, {".env": "T=dev\n", "a/compose.yml": "services:\n a:\n  build: {context: .., target: '${T}'}\n"})
    assert targets(root / "Dockerfile") == Targets({"dev": "a/compose.yml"})


def test_included_files(root: Path) -> None:
    """Those of one entry are one project, in the directory that the entry names."""
    put(root, {"compose.yml": INCLUDES})
    put(root, {"a/x.yml": "include: [../compose.yml]\nservices:\n a:\n  build: {context: .., target: dev}\n"})
    put(root, {"b/x.yml": "services:\n a:\n  build: .\n", "b/y.yml": "services:\n a:\n  build: {target: builder}\n"})
    assert targets(root / "Dockerfile").names == {"dev": "a/x.yml", "builder": "b/y.yml"}


def test_what_is_run(root: Path) -> None:
    put(root, {"compose.yml": RUNS})
    put(root, {"compose.override.yml": "services:\n b:\n  entrypoint: c\n  command: d 'e f' ${G}\n"})
    facts = analyse(parse(RUST), targets=FoundTargets(str(root / "Dockerfile")))
    found = [(stage.label, stage.commands) for stage in facts.stages]
    assert found[0] == ("dev", (("compose.yml", ("a", "b")),))
    assert found[1:] == [("builder", ()), ("stage 2", (("compose.override.yml", ("c", "d", "e f", "?")),))]


def test_a_stage_that_a_context_replaces(root: Path) -> None:
    build = "{context: ., additional_contexts: {Dev: ./x, 'debian': 'docker-image://a'}}"
    put(root, {"compose.yml": f"services:\n a:\n  build: {build}\n"})
    facts = analyse(parse(RUST), targets=FoundTargets(str(root / "Dockerfile")))
    assert [stage.replaced for stage in facts.stages] == ["compose.yml", "", ""]


HOSTILE = {
    "aliases": "services:\n x: &x {build: {target: dev}}\n" + "".join(f" a{k}: *x\n" for k in range(20_000)),
    "merged": "x: &x {a: b}\ny: &y\n  <<: [" + "*x, " * 100_000 + "*x]\nservices:\n"
    + "".join(f" a{k}: {{<<: *y, build: .}}\n" for k in range(5_000)),
    "bases": "services:\n" + "".join(f" a{k}: {{extends: a{k + 1}}}\n" for k in range(5_000)),
    "documents": "services: {a: {build: {target: dev}}}\n---\n" * 2_000,
    "variables": "services: {a: {build: {context: '" + "${A" * 5_000 + "'}}}\n",
    "includes": "include:\n" + "".join(f"- a{k}.yml\n" for k in range(20_000)),
    "big": "services: {a: {build: .}}\n" + "# a\n" * 400_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_of_compose(root: Path, name: str) -> None:
    started = time.process_time()
    put(root, {"compose.yml": HOSTILE[name]})
    found = targets(root / "Dockerfile")
    assert time.process_time() - started < 10
    assert (found.unknown is not None) == (name in ("merged", "big"))


BAKE = """{"target": {
    "base": {"context": "..", "dockerfile": "Dockerfile"}, "late": {"target": "late"},
    "a": {"inherits": ["base"], "target": "dev"}, "b": {"inherits": ["late", "base", "b"]},
    "other": {"dockerfile": "other", "target": "other"}, "inline": {"dockerfile-inline": "FROM a", "target": "x"}
}}"""


def test_a_file_of_bake(root: Path) -> None:
    put(root, {"bake/docker-bake.json": BAKE})
    assert sorted(targets(root / "Dockerfile").names) == ["dev", "late"]
    # Where Bake runs is not known; what stands in its file itself is named by that.
    inline = {str(root / "bake/docker-bake.json"): frozenset((str(root), str(root / "bake")))}
    assert declared(str(root)).contexts == inline
    put(root, {"bake/docker-bake.json": BAKE.replace('"dev"', '"${STAGE}"')})
    forget()
    assert targets(root / "Dockerfile").unknown == "bake/docker-bake.json"


LONE = '{"target": {"a": {"context": "\\ud800", "target": "dev"}}}'


@pytest.mark.parametrize("text", ["", "[]", '{"target": []}', '{"target": {"a": 1}}', LONE, "[" * 100_000])
def test_a_file_of_bake_that_says_nothing(root: Path, text: str) -> None:
    put(root, {"docker-bake.json": text})
    assert targets(root / "Dockerfile") == NO_TARGETS


HCL = """
variable "STAGE" { default = "" }
target "a" {
  %s
  dockerfile = "tools/a.Dockerfile"
}
"""


@pytest.mark.parametrize(
    ("text", "names", "replaced"),
    [
        ('target = "dev"', ["dev"], []),
        ('targets = ["dev"]', [], []),
        ('target = STAGE\n  matrix = { STAGE = ["dev", "b"] }', ["b", "dev"], []),
        ('contexts = {\n    dev = "target:a"\n    "b" = "c:d"\n  }', [], ["b", "dev"]),
        ("", [], []),
    ],
)
def test_a_file_of_bake_in_hcl(root: Path, text: str, names: list[str], replaced: list[str]) -> None:
    put(root, {"docker-bake.hcl": HCL % text, "tools/a.Dockerfile": RUST, "b.Dockerfile": RUST})
    for path in ("Dockerfile", "tools/a.Dockerfile"):
        found = targets(root / path)
        assert (sorted(found.possible), sorted(found.replaced)) == (names, replaced)
    assert targets(root / "b.Dockerfile") == NO_TARGETS


def test_bake_runs_in_the_root_or_beside_its_file(root: Path) -> None:
    put(root, {"ci/docker-bake.json": '{"target": {"a": {"context": ".", "target": "dev"}}}', "ci/Dockerfile": RUST})
    for path in ("Dockerfile", "ci/Dockerfile"):
        assert targets(root / path) == Targets({"dev": "ci/docker-bake.json"})


@pytest.mark.parametrize(
    ("path", "text", "names"),
    [
        ("devcontainer/devcontainer.json", '{"build": {"dockerfile": "../Dockerfile", "target": "dev",},}', ["dev"]),
        (".devcontainer.json", '{"build": {"dockerfile": "Dockerfile", /* a, } */ "target": "dev"}} // b', ["dev"]),
        (".devcontainer.json", '{"dockerFile": "${localEnv:F}", "build": {"target": "dev"}}', ["dev"]),
        (".devcontainer.json", '{"image": "https://a", "build": {"dockerfile": "Dockerfile"}}', []),
        (".devcontainer.json", '{"build": {"target": "dev" /*', []),
        (".devcontainer.json", "[" * 100_000, []),
        ("skaffold.yaml", "build: {artifacts: [{docker: {target: dev}}, {docker: {target: '{{.T}}'}}]}", ["dev", None]),
        ("skaffold.yaml", "build: {artifacts: [{context: a, docker: {target: dev}}, a]}\n---\n- a", []),
        ("skaffold.yaml", "a: [", []),
        (".gitlab-ci.yml", "a: {script: [docker build --target dev .]}\nb: [docker]", ["dev"]),
        (".gitlab-ci.yml", "a: {script: [[cd a], docker build --target dev -f ../Dockerfile .]}", ["dev"]),
        (".gitlab-ci.yml", "a: {variables: {T: {value: dev}}, script: docker build --target $T .}", ["dev"]),
        (".gitlab-ci.yml", "a: {script: docker build --target $T .}", [None]),
        (".gitlab-ci.yml", "a: {script: 'docker build $DIR'}", []),
        (".gitlab-ci.yml", "a: {script: 'docker build --target dev https://a/b.git'}", []),
        (".gitlab-ci.yml", "a: {script: 'docker build --target dev $DIR'}", ["dev"]),
        ("a/.gitlab-ci.yml", "a: {script: docker build --target dev ..}", []),
        ("GNUmakefile", "a:\n\tpodman build --target 'dev' .\n", ["dev"]),
        ("Makefile", "a:\n\tdocker build --target $(T) .\n", []),
        ("Makefile", "a:\n\tcargo build --target dev\n", []),
        ("a/Makefile", "a:\n\tdocker build --target dev ..\n", []),
        ("justfile", "a:\n  docker build --target=dev .\n", ["dev"]),
        ("Jenkinsfile", "sh 'docker build --target dev .'\n", ["dev"]),
        ("Taskfile.yml", "tasks: {a: {cmds: [docker build --target dev .]}}\n", ["dev"]),
        ("package.json", '{"scripts": {"a": "docker build --target dev ."}}\n', ["dev"]),
        ("scripts/a.sh", "docker build \\\n  --target dev .\n", ["dev"]),
        ("scripts/a.sh", 'docker build --target "$1" .\n', []),
        ("scripts/a.sh", "cargo build --target dev\n", []),
        ("make/a.mk", "a:\n\tdocker build --target dev .\n", ["dev"]),
        (".circleci/config.yml", "jobs: {a: {steps: [{run: docker build --target dev .}]}}\n", ["dev"]),
        (".buildkite/pipeline.yml", "steps: [{command: docker build --target dev .}]\n", ["dev"]),
        ("a/config.yml", "run: docker build --target dev .\n", []),
        (".travis.yml", "script: docker build --target dev .\n", ["dev"]),
        ("azure-pipelines.yml", "steps: [{script: docker build --target dev .}]\n", ["dev"]),
        ("cloudbuild.yaml", "steps:\n- name: docker\n  args: ['build', '--target', 'dev', '.']\n", ["dev"]),
        ("cloudbuild.yaml", "steps:\n- name: docker\n  args:\n  - --target\n  - dev\n", ["dev"]),
        ("local.yml", "services: {a: {build: {context: ., target: dev}}}\n", ["dev"]),
        ("local.yaml", "services:\n a:\n  build:\n   context: .\n   target: '${T:-dev}'\n", ["dev"]),
        ("local.yml", "services: {a: {image: b, configs: [{target: dev}]}}\n", []),
        ("a/local.yml", "services: {a: {build: {context: .., target: dev}}}\n", []),
        ("README.md", "    docker build --target dev .\n", ["dev"]),
        ("docs/README.md", "    docker build --target dev .\n", []),
    ],
)
def test_other_files(root: Path, path: str, text: str, names: list[str | None]) -> None:
    put(root, {path: text})
    found = targets(root / "Dockerfile")
    said: list[str | None] = [*sorted({**found.names, **found.possible}), *([None] if found.unknown else [])]
    assert said == names


def test_a_makefile_beside_a_dockerfile(root: Path) -> None:
    put(root, {"a/Makefile": "docker build --target dev .\n", "a/Dockerfile": RUST, "b/Dockerfile": RUST})
    assert [bool(targets(root / name / "Dockerfile").possible) for name in "ab"] == [True, False]


def test_a_script_beside_a_dockerfile(root: Path) -> None:
    script = "docker build --target dev ."
    put(root, {"a/ci/b.sh": script, "a/Dockerfile": RUST, "b/Dockerfile": RUST})
    assert [bool(targets(root / name / "Dockerfile").possible) for name in "ab"] == [True, True]
    put(root, {"a/ci/Dockerfile": RUST})
    forget()
    assert [bool(targets(root / name / "Dockerfile").possible) for name in ("a", "a/ci", "b")] == [False, True, False]
    put(root, {"a/ci/b.sh": f"cd ..; {script}"})
    forget()
    assert [bool(targets(root / name / "Dockerfile").possible) for name in ("a", "a/ci", "b")] == [True, True, True]


def test_hostile_scripts_of_gitlab(root: Path) -> None:
    repeated = "x: &x '" + "docker build . ; " * 1_000 + "'\na: {script: [" + "*x, " * 50_000 + "*x]}\n"
    nested = "a0: &a0 [docker]\n" + "".join(f"a{k}: &a{k} [*a{k - 1}, *a{k - 1}]\n" for k in range(1, 30))
    for text in (repeated, nested + "b: {script: *a29}\n"):
        started = time.process_time()
        put(root, {".gitlab-ci.yml": text})
        forget()
        targets(root / "Dockerfile")
        assert time.process_time() - started < 10


def test_many_dockerfiles_of_which_not_all_is_known(root: Path) -> None:
    services = "".join(f" a{k}: {{build: {{context: 'a{k}/${{A}}', target: dev}}}}\n" for k in range(3_000))
    put(root, {"compose.yml": f"services:\n{services}"})
    assert len(declared(str(root)).loose) <= 201
    assert targets(root / "Dockerfile").possible == {"dev": "compose.yml"}


def test_workflows_that_nobody_goes_through_may_build_anything(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workflow_runs, "MAX_STEPS", 5)
    steps = "  - uses: docker/build-push-action@v6\n    with: {context: .}\n" * 12
    put(root, {".github/workflows/a.yml": WORKFLOW + steps})
    assert targets(root / "Dockerfile").unknown == ".github/workflows"
    assert not FoundContext(str(root / "Dockerfile")).at_hand


def test_nothing_is_looked_at_outside_of_repositories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, {"Dockerfile": RUST, "compose.yml": "services:\n a:\n  build: {context: ., target: dev}\n"})
    monkeypatch.delattr("fixer.engine.declared.declared")
    assert targets(tmp_path / "Dockerfile") == NO_TARGETS


def test_a_file_whose_stages_all_reach_the_image_asks_nobody(root: Path) -> None:
    asked = FoundTargets(str(root / "Dockerfile"))
    assert [stage.shipped for stage in analyse(parse("FROM a AS b\nFROM b\n"), targets=asked).stages] == [True, True]
    assert not asked.consulted


# --- results that are kept ------------------------------------------------------------------------------------------


def run(path: Path, write: bool = False) -> Done:
    """As in a run of its own."""
    forget()
    others = ("bind-manifests", "bind-sources", "cargo-target-cache")  # these rest on other files, too
    options = Options(project="p", ignore=others)
    cache = open_cache(options)
    assert cache is not None
    with contextlib.closing(cache):
        done = fix_target(Target(str(path)), options, cache=cache, write_back=write)
    cache.keep(done.rows)
    return done


def reasons(done: Done) -> list[str]:
    assert done.result.outcome is not None
    return [refusal.reason for refusal in done.result.outcome.refusals]


@pytest.fixture
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("DOCKFIX_NO_CACHE", raising=False)


@pytest.mark.usefixtures("_own_cache")
def test_a_result_rests_on_the_targets(root: Path) -> None:
    """What is kept while Compose builds the stage does not count when it builds another one, and the other way."""
    dockerfile, file = root / "Dockerfile", root / "compose.yml"
    dockerfile.write_text(RUST.replace("RUN cargo build\n", 'RUN cargo build\nCMD ["cargo", "run"]\n'))
    text = "services:\n a:\n  build: {context: ., target: dev}\n"
    file.write_text(text)
    assert run(dockerfile, write=True).written  # the downloads of the other stage
    assert reasons(run(dockerfile)) == ["cargo-at-run-time"]
    assert run(dockerfile).known
    file.write_text("services:\n a:\n  build: {context: .}\n")
    other = run(dockerfile)
    assert not other.known
    assert other.result.status == "changed"
    file.write_text(text)
    assert run(dockerfile).known
    file.unlink()
    freed = run(dockerfile)
    assert not freed.known
    assert freed.result.status == "changed"
    file.write_text(text)
    assert run(dockerfile).known
    assert reasons(run(dockerfile)) == ["cargo-at-run-time"]


@pytest.mark.usefixtures("_own_cache")
def test_a_result_without_other_stages_rests_on_the_text(root: Path) -> None:
    (root / "Dockerfile").write_text("FROM python:3.12\nUSER svc\nRUN pip install --no-cache-dir x\n")
    assert not run(root / "Dockerfile").known
    (root / "compose.yml").write_text("services:\n a:\n  build: {context: ., target: dev}\n")
    assert run(root / "Dockerfile").known


# --- contexts -------------------------------------------------------------------------------------------------------


def found(dockerfile: Path, named: str | None = None) -> str | None:
    forget()
    context = find_context(str(dockerfile), Options(context=named))
    context.expect(lambda: all_context_sources(analyse(parse(dockerfile.read_text()))))
    return context.directory


def test_the_context_that_somebody_names_is_the_context(root: Path) -> None:
    dockerfile = root / "svc" / "Dockerfile"
    put(root, {"svc/Dockerfile": "FROM a\nCOPY . .\n", "svc/Cargo.toml": "", "Cargo.toml": ""})
    assert found(dockerfile) == str(root / "svc")
    put(root, {"compose.yml": "services:\n a:\n  build: {context: ., dockerfile: svc/Dockerfile}\n"})
    assert found(dockerfile) == str(root)
    assert found(dockerfile, str(root / "svc")) == str(root / "svc")
    put(root, {".github/workflows/a.yml": f"{WORKFLOW}  - run: docker build -f svc/Dockerfile .\n"})
    assert found(dockerfile) == str(root)
    put(root, {".github/workflows/a.yml": f"{WORKFLOW}  - run: docker build svc\n"})
    assert found(dockerfile) is None
    assert found(dockerfile, str(root)) == str(root)


def test_a_context_that_lacks_something_is_not_all_that_a_build_gets(root: Path) -> None:
    put(root, {"compose.yml": "services:\n a:\n  build: {context: ., dockerfile: svc/Dockerfile}\n"})
    put(root, {"svc/Dockerfile": "FROM a\nCOPY made-by-ci .\n", "svc/made-by-ci": ""})
    assert found(root / "svc" / "Dockerfile") is None
    put(root, {"made-by-ci": ""})
    assert found(root / "svc" / "Dockerfile") == str(root)


def test_a_context_that_a_variable_names_is_none_that_is_named(root: Path) -> None:
    put(root, {"compose.yml": "services:\n a:\n  build: {context: '${D:-.}', dockerfile: svc/Dockerfile}\n"})
    put(root, {"svc/Dockerfile": "FROM a\nCOPY . .\n"})
    assert found(root / "svc" / "Dockerfile") == str(root / "svc")
    assert compose_builds(str(root / "compose.yml")) == ()


def test_sources_are_bound_from_the_context_that_compose_names(root: Path) -> None:
    """And not from the directory of the Dockerfile, which holds a package of its own."""
    text = "FROM rust:1.80 AS build\nWORKDIR /app\nCOPY . .\nRUN cargo build --locked --release\n"
    text += "FROM debian:12\nCOPY --from=build /app/target/release/svc /svc\n"
    package = '[package]\nname = "svc"\nversion = "0.1.0"\nedition = "2021"\n'
    lock = 'version = 3\n\n[[package]]\nname = "svc"\nversion = "0.1.0"\n'
    put(root, {"Cargo.toml": '[workspace]\nmembers = ["svc"]\nresolver = "2"\n', "Cargo.lock": lock})
    put(root, {"svc/Dockerfile": text, "svc/Cargo.toml": package, "svc/src/main.rs": "fn main() {}\n"})
    options = Options(select=("bind-sources",), unsafe_fixes=True)

    def diff() -> str:
        forget()
        return fix_target(Target(str(root / "svc" / "Dockerfile")), options).result.diff

    assert diff() == ""
    put(root, {"svc/Cargo.lock": lock})
    assert "source=src," in diff()
    put(root, {"compose.yml": "services:\n a:\n  build: {context: ., dockerfile: svc/Dockerfile}\n"})
    assert "source=svc," in diff()
    assert "source=src," not in diff()


def test_so_many_targets_that_it_may_be_any(root: Path) -> None:
    put(root, {"Makefile": "docker build\n" + "".join(f"--target a{k}\n" for k in range(600))})
    found = FoundTargets(str(root / "Dockerfile"))()
    assert found.unknown == "Makefile"
    assert len(found.possible) == 500
    put(root, {"Makefile": "docker build\n" + "--target dev\n" * 600})
    forget()
    assert FoundTargets(str(root / "Dockerfile"))() == Targets({}, None, {"dev": "Makefile"})


def test_contexts_of_a_bake_file_count_for_all_its_targets(root: Path) -> None:
    put(root, {"docker-bake.hcl": 'a {\n target = "dev"\n}\nb {\n target = "c"\n contexts = { x = "." }\n}\n'})
    found = FoundTargets(str(root / "Dockerfile"))()
    assert set(found.possible) == {"dev", "c"}
    assert set(found.replaced) == {"x"}


def test_paths_that_no_system_has(root: Path) -> None:
    """What each part of a path leads to is asked with all that stands before it."""
    started = time.process_time()
    put(root, {"compose.yaml": f"services:\n a:\n  build: {'a/' * 100_000}\n"})
    put(root, {"docker-bake.json": f'{{"target": {{"a": {{"target": "b", "context": "{"a/" * 100_000}"}}}}}}'})
    put(root, {".gitlab-ci.yml": f"a:\n  script: docker build --target c -f {'a/' * 100_000} .\n"})
    assert set(FoundTargets(str(root / "Dockerfile"))().possible) == {"c"}
    assert time.process_time() - started < 10


def test_variables_that_double(root: Path) -> None:
    lines = "".join(f"A{k + 1}=$A{k}$A{k}\n" for k in range(100))
    put(root, {".env": f"A0=dev\n{lines}", "compose.yaml": "services:\n a:\n  build: {context: ., target: $A0}\n"})
    assert set(FoundTargets(str(root / "Dockerfile"))().names) == {"dev"}
    put(root, {"compose.yaml": "services:\n a:\n  build: {context: ., target: $A99}\n"})
    forget()
    assert FoundTargets(str(root / "Dockerfile"))().unknown == "compose.yaml"
