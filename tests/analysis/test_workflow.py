from __future__ import annotations

from fixer.analysis.workflow import Workflow, recipe
from fixer.text.source import Span


def job(body: str) -> Workflow:
    indented = "".join(f"    {line}\n" for line in body.splitlines())
    found = Workflow(f"on: push\njobs:\n  a:\n{indented}")
    assert found.problem is None
    return found


def runner(text: str) -> str:
    return job(f"{text}\nsteps: []").jobs[0].runner


def test_runners() -> None:
    assert runner("runs-on: ubuntu-latest") == "hosted"
    assert runner("runs-on: [ubuntu-24.04-arm]") == "hosted"
    assert runner("runs-on: Ubuntu-22.04") == "hosted"
    assert runner("runs-on: macos-15-intel") == "hosted"
    assert runner("runs-on: [self-hosted, ubuntu-latest]") == "self-hosted"
    assert runner("runs-on: ubuntu-latest-16-cores") == "unknown"
    assert runner("runs-on: { group: big, labels: ubuntu-latest }") == "unknown"
    assert runner("runs-on: { labels: ubuntu-latest }") == "hosted"
    assert runner("runs-on: ${{ vars.RUNNER }}") == "unknown"
    assert runner("runs-on: []") == "unknown"
    assert runner("uses: ./.github/workflows/x.yml") == "unknown"


def test_runners_of_a_matrix() -> None:
    matrix = "runs-on: ${{ matrix.os }}\nstrategy:\n  matrix:\n    os: "
    assert runner(matrix + "[ubuntu-latest, macos-latest]") == "hosted"
    assert runner(matrix + "[ubuntu-latest, big]") == "unknown"
    assert runner(matrix + "[ubuntu-latest, self-hosted]") == "self-hosted"
    assert runner(matrix + "${{ fromJSON(inputs.os) }}") == "unknown"


def combinations(matrix: str) -> object:
    indented = "".join(f"    {line}\n" for line in matrix.splitlines())
    return job(f"strategy:\n  matrix:\n{indented}").jobs[0].combinations


def test_matrices() -> None:
    assert job("runs-on: x").jobs[0].combinations == ({},)
    assert combinations("a: [1, 2]\nb: [x]") == ({"a": "1", "b": "x"}, {"a": "2", "b": "x"})
    assert combinations("a: [1, 2]\nexclude:\n- a: 2") == ({"a": "1"},)
    assert combinations("include:\n- a: 1\n  b: x\n- a: 2") == ({"a": "1", "b": "x"}, {"a": "2"})
    assert combinations("a: [{n: x, p: 1}, {n: y, p: 2}]") == ({"a.n": "x", "a.p": "1"}, {"a.n": "y", "a.p": "2"})
    assert combinations("a: [[x, y], z]") == ({"a.0": "x", "a.1": "y"}, {"a": "z"})
    assert combinations("a: ${{ fromJSON(x) }}") is None
    assert combinations("a: [\"${{ github.ref }}\"]") is None
    assert combinations("a: [1]\ninclude: ${{ x }}") is None
    assert combinations(f"a: {list(range(17))}\nb: {list(range(16))}") is None


def test_matrices_that_aliases_make_large() -> None:
    twice = "a0: &a0 [x, x]\n" + "".join(f"a{k + 1}: &a{k + 1} [*a{k}, *a{k}]\n" for k in range(39))
    for matrix in ("{v: *a39}", "{include: *a39}", "{v: [x], exclude: *a39}", "{v: [{<<: *a39}]}"):
        found = Workflow(f"{twice}jobs: {{a: {{strategy: {{matrix: {matrix}}}}}}}")
        assert found.jobs[0].combinations is None, matrix
    small = Workflow("a: &a [x, y]\njobs: {b: {strategy: {matrix: {v: *a, w: [*a]}}}}").jobs[0]
    assert small.combinations == ({"v": "x", "w.0": "x", "w.1": "y"}, {"v": "y", "w.0": "x", "w.1": "y"})


def test_the_example_of_githubs_documentation_for_include() -> None:
    found = combinations(
        "fruit: [apple, pear]\nanimal: [cat, dog]\ninclude:\n- color: green\n- color: pink\n  animal: cat\n"
        "- fruit: apple\n  shape: circle\n- fruit: banana\n- fruit: banana\n  animal: cat"
    )
    assert found == (
        {"fruit": "apple", "animal": "cat", "color": "pink", "shape": "circle"},
        {"fruit": "apple", "animal": "dog", "color": "green", "shape": "circle"},
        {"fruit": "pear", "animal": "cat", "color": "pink"},
        {"fruit": "pear", "animal": "dog", "color": "green"},
        {"fruit": "banana"},
        {"fruit": "banana", "animal": "cat"},
    )


def files(step: str) -> object:
    indented = step.replace("\n", "\n  ")
    steps = list(job(f"runs-on: ubuntu-latest\nsteps:\n- {indented}").steps)
    return recipe(steps[0]).files()


BUILD = "uses: docker/build-push-action@v6\n"


def test_which_dockerfile_a_build_takes() -> None:
    assert files(BUILD) == {"Dockerfile"}
    assert files(BUILD + "with:\n  context: ./api/") == {"api/Dockerfile"}
    assert files(BUILD + "with:\n  context: api\n  file: docker/D.worker") == {"docker/D.worker"}
    assert files(BUILD + 'with:\n  context: "{{defaultContext}}:api"') == {"api/Dockerfile"}
    assert files(BUILD + "with:\n  context: ${{ github.workspace }}/api") == {"api/Dockerfile"}
    assert files(BUILD + "with:\n  context: ${{ env.DIR }}") is None


def test_versions() -> None:
    def major(uses: str) -> int | None:
        return next(job(f"steps:\n- uses: {uses}").steps).major

    digest = "docker/build-push-action@263435318d21b8e681c14492fe198d362a7d2c83"
    assert major("docker/build-push-action@v6") == 6
    assert major("docker/build-push-action@v6.18.0") == 6
    assert major("docker/build-push-action@master") is None
    assert major(f"docker/build-push-action@v{'9' * 5_000}") is None
    assert major(f"{digest} # v6.18.0") == 6
    assert major(f"{digest} # tag=v5") == 5
    assert major(f"{digest} # docker/build-push-action@v5.1.0") == 5
    assert major(digest) is None


def test_an_action() -> None:
    found = Workflow("name: x\nruns:\n  using: composite\n  steps:\n  - uses: a/b@v1\n")
    assert (found.kind, [step.action for step in found.steps], found.jobs[0].runner) == ("action", ["a/b"], "unknown")


def test_what_is_no_workflow() -> None:
    for text, said in (("- a\n", "no mapping"), ("a: [\n", "no YAML")):
        found = Workflow(text)
        assert found.problem is not None
        assert said in found.problem[0]
        assert found.jobs == ()
    assert Workflow("").problem is None
    assert Workflow("jobs: 1\non:\n").triggers == {"": None}
    assert Workflow("jobs:\n  a: 1\n  b:\n    steps: x\n").jobs[0].steps == ()


# --- the check of results ---------------------------------------------------------------------------------------------

OLD = """\
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: docker/build-push-action@v6
        with:
          push: true
      - run: docker build .
"""


def fault(new: str, about: str = "docker/build-push") -> str | None:
    old = Workflow(OLD)
    spans = [step.span for step in old.steps if about in OLD[slice(*step.span)]]
    assert all(isinstance(span, Span) for span in spans)
    return Workflow(new).fault(old, spans, lambda at: at)


def test_what_may_be_added() -> None:
    assert fault(OLD) is None
    assert fault(OLD.replace("push: true", "push: true\n          cache-from: type=gha")) is None
    setup = "- uses: docker/setup-buildx-action@v3\n      - uses: docker/build"
    assert fault(OLD.replace("- uses: docker/build", setup)) is None
    build = "uses: docker/build-push-action@v6\n        with:\n          context: ."
    converted = OLD.replace("run: docker build .", build)
    assert fault(converted, "docker build") is None


def test_what_may_not_happen() -> None:
    assert fault(OLD.replace("push: true", "push: false")) is not None
    assert fault(OLD.replace("push: true", "push: true\n          tags: x")) is not None
    assert fault(OLD.replace("          push: true\n", "          cache-from: x\n")) is not None
    assert fault(OLD.replace("on: push", "on: pull_request")) is not None
    assert fault(OLD.replace("ubuntu-latest", "ubuntu-22.04")) is not None
    assert fault(OLD.replace("checkout@v4", "checkout@v5")) is not None
    assert fault(OLD.replace("      - run: docker build .\n", "")) is not None
    assert fault(OLD + "      - run: rm -rf /\n") is not None
    assert fault(OLD.replace("- uses: docker/build", "- run: echo\n      - uses: docker/build")) is not None
    assert fault(OLD.replace("push: true", "push: true\n          cache-from: x"), "checkout") is not None
    assert fault(OLD.replace("run: docker build .", "uses: docker/build-push-action@v6"), "checkout") is not None
    assert fault(OLD + "  b:\n    runs-on: x\n") is not None


def test_blocks_below_comments() -> None:
    found = Workflow(OLD)

    def at(line: str) -> str | None:
        start = OLD.rindex("\n", 0, OLD.index(line)) + 1
        span = found.block_at(start)
        return None if span is None else OLD[slice(*span)]

    assert at("- uses: docker/build") == "uses: docker/build-push-action@v6\n        with:\n          push: true"
    assert at("a:\n") == OLD[OLD.index("a:\n") :].rstrip("\n")
    assert at("push: true") == "push: true"
    assert found.block_at(len(OLD)) is None
