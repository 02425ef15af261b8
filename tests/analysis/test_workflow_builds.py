"""What workflows build, and where."""

from __future__ import annotations

import pytest

from fixer.analysis.docker_scripts import ComposeCall, read_build, read_compose, script_commands
from fixer.analysis.workflow import Workflow
from fixer.analysis.workflow_builds import workflow_builds
from fixer.analysis.workflow_runs import Runs


def hosted(**files: str) -> set[tuple[str, str]]:
    runs = Runs([(f".github/{name}", Workflow(text)) for name, text in files.items()])
    return {(build.context, build.file) for build in workflow_builds(runs) if build.hosted}


def of_steps(steps: str, job: str = "") -> set[tuple[str, str]]:
    text = f"on: push\njobs:\n a:\n  runs-on: ubuntu-latest\n  {job}\n  steps:\n{steps}\n"
    assert Workflow(text).problem is None
    return hosted(ci=text)


def of_script(script: str, job: str = "") -> set[tuple[str, str]]:
    lines = "\n".join(f"     {line}" for line in script.split("\n"))
    return of_steps(f"  - run: |\n{lines}", job)


ROOT = {(".", "Dockerfile")}


def test_what_is_named() -> None:
    text = """
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    strategy:
      matrix:
        service: [api, worker]
    steps:
    - uses: docker/build-push-action@v6
      with:
        context: services/${{ matrix.service }}
    - run: docker build -t x -f docker/Dockerfile.x .
    - run: |
        set -e
        docker buildx build --load \\
          --tag y tools
      working-directory: lib
    - run: docker build $DIR
  b:
    runs-on: self-hosted
    steps:
    - uses: docker/build-push-action@v6
"""
    assert hosted(ci=text) == {
        ("services/api", "services/api/Dockerfile"),
        ("services/worker", "services/worker/Dockerfile"),
        (".", "docker/Dockerfile.x"),
        ("lib/tools", "lib/tools/Dockerfile"),
    }


@pytest.mark.parametrize(
    "script",
    [
        "docker build . -t a/b",
        "docker build -t r . --build-arg A=b",
        "docker build -t x . > build.log",
        'docker build -t x "$PWD"',
        "docker build -t x $(pwd)",
        "docker build -t x $GITHUB_WORKSPACE",
        "docker build -t x ${{ github.workspace }}",
        "docker buildx --builder y build -t x --load .",
        "sudo -E docker image build -qt x .",
        "DOCKER_BUILDKIT=1 docker --log-level debug build --tag=x:$(date +%s) .",
        "if true; then docker build .; fi",
        "(cd app && make); docker build .",
        "cd app\ncd ..\ndocker build .",
        'docker build -f "Dockerfile" .',
        "docker build $PLACE",
        "docker build -t x . | tee log",
    ],
)
def test_scripts(script: str) -> None:
    assert of_script(script, "env: {PLACE: ./}") == ROOT


@pytest.mark.parametrize(
    "script",
    [
        "# docker build .",
        "echo docker build .",
        "docker build - < Dockerfile",
        "docker build https://github.com/a/b.git",
        "docker build ..",
        "docker build -f $FILE .",
        "cd $PLACE && docker build .",
        "if a; then cd b; fi\ndocker build .",
        "docker -H ssh://b build .",
        "DOCKER_HOST=ssh://b docker build .",
        "docker run build .",
        "docker build . 'open",
    ],
)
def test_scripts_that_name_none(script: str) -> None:
    assert of_script(script) == set()


def test_directories_of_scripts() -> None:
    assert of_script("cd app && docker build .") == {("app", "app/Dockerfile")}
    assert of_script("pushd app\ndocker build -f ../x .") == {("app", "x")}
    assert of_script("(cd a; docker build .)\ndocker build b") == {("a", "a/Dockerfile"), ("b", "b/Dockerfile")}


def test_builders_that_are_elsewhere() -> None:
    build = "  - uses: docker/build-push-action@v6\n"
    setup = "  - uses: docker/setup-buildx-action@v3\n"
    assert of_steps(setup + build) == ROOT
    assert of_steps(setup + "    with: {driver: docker-container}\n" + build) == ROOT
    assert of_steps(build + setup + "    with: {driver: remote}\n") == ROOT
    for other in ("driver: remote", "driver: cloud", "driver: kubernetes", "endpoint: 'ssh://b'"):
        assert of_steps(f"{setup}    with: {{{other}}}\n{build}") == set()
    assert of_steps(build, "env: {DOCKER_HOST: ssh://b}") == set()
    assert of_steps("  - run: echo DOCKER_HOST=ssh://b >> $GITHUB_ENV\n" + build) == set()


def test_where_the_repository_is() -> None:
    build = "  - uses: docker/build-push-action@v6\n    with: {context: PLACE}\n"
    out = "  - uses: actions/checkout@v4\n"
    assert of_steps(out + build.replace("PLACE", "a")) == {("a", "a/Dockerfile")}
    assert of_steps(out + "    with: {path: src}\n" + build.replace("PLACE", "src/a")) == {("a", "a/Dockerfile")}
    assert of_steps(out + "    with: {path: src}\n" + build.replace("PLACE", ".")) == set()
    assert of_steps(out + "    with: {path: src}\n" + build.replace("PLACE", "'{{defaultContext}}'")) == ROOT
    other = out + "    with: {repository: a/other}\n"
    assert of_steps(other + build.replace("PLACE", ".")) == set()
    assert of_steps(out + out + "    with: {repository: a/other, path: o}\n" + build.replace("PLACE", ".")) == ROOT
    assert of_steps(out + out + "    with: {repository: a/other, path: o}\n" + build.replace("PLACE", "o")) == set()
    mine = out + "    with: {repository: '${{ github.repository }}'}\n"
    assert of_steps(mine + build.replace("PLACE", ".")) == ROOT


def test_what_callers_and_the_environment_say() -> None:
    build = "docker/build-push-action@v6, with: {context: '${{ env.PLACE }}', file: '${{ inputs.file }}'}"
    text = f"jobs: {{a: {{runs-on: '${{{{ inputs.on }}}}', env: {{PLACE: .}}, steps: [{{uses: {build}}}]}}}}"
    inputs = "{file: {type: string}, on: {type: string, default: ubuntu-latest}}"
    called = f"on: {{workflow_call: {{inputs: {inputs}}}}}\n{text}"
    caller = "on: push\njobs: {b: {uses: ./.github/called, with: {file: ./x}}}"
    assert hosted(called=called, caller=caller) == {(".", "x")}
    assert hosted(called=called, caller=caller.replace("x}", "x, on: self-hosted}")) == set()
    assert hosted(called=called) == set()
    action = "runs: {using: composite, steps: [{uses: docker/build-push-action@v6}]}"
    user = "on: push\njobs: {b: {runs-on: ON, steps: [{uses: ./.github/actions/a}]}}"
    files = {"actions/a/action.yml": action}
    assert hosted(**files, w=user.replace("ON", "ubuntu-latest")) == ROOT
    assert hosted(**files, w=user.replace("ON", "self-hosted")) == set()
    assert hosted(**files) == set()
    matrix = "'${{ matrix.os }}', strategy: {matrix: {os: [ubuntu-latest, self-hosted]}}"
    assert hosted(**files, w=user.replace("ON", matrix)) == ROOT
    assert hosted(**files, w=user.replace("ON", "{group: big, labels: ubuntu-latest}")) == set()


def test_options() -> None:
    (command,) = script_commands("docker buildx build -tx --pull=false -f y --unknown z --load -- .", ".")
    build = read_build(command.words)
    assert build is not None
    assert build.buildx
    assert build.options[:4] == (("-t", "x"), ("--pull", "false"), ("-f", "y"), ("--unknown", "z"))


def test_compose() -> None:
    def call(text: str) -> ComposeCall | None:
        (command,) = script_commands(text, ".")
        return read_compose(command.words)

    assert call("docker compose build") == ComposeCall((), ())
    one = call("docker-compose -f a.yml -p x build --no-cache --build-arg=A=b web")
    assert one == ComposeCall(("a.yml",), ("web",))
    assert call("docker compose up -d --build") == ComposeCall((), ())
    for text in ("docker compose up", "docker compose build --unknown", "docker compose --project-directory x build"):
        assert call(text) is None
