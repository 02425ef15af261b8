"""What the corpus does not show: forms of YAML, and that results are valid workflows with the same data."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
import yaml

from fixer.analysis.workflow import Workflow
from fixer.codemods.api import Builder, Safety
from fixer.dev import Case, cases
from fixer.engine.kinds import WORKFLOW, kind_of
from fixer.engine.outcome import Outcome
from fixer.engine.run import fix
from tests.workflows import added, load, schema_faults

CASES = [case for case in cases() if kind_of(case.dockerfile) == WORKFLOW and case.problem is None]
CHANGING = [case for case in CASES if case.after is not None]


def run(
    text: str,
    *,
    unsafe: bool = False,
    others: list[tuple[str, str]] | None = None,
    path: str = ".github/workflows/ci.yml",
) -> Outcome[str]:
    known = None if others is None else [(name, Workflow(other)) for name, other in others]
    return fix(text, kind=WORKFLOW, select=["gha-cache"], unsafe_fixes=unsafe, place=path, workflows=known)


def reasons(outcome: Outcome[str]) -> list[str]:
    return [refusal.reason for refusal in outcome.refusals]


# --- the corpus, seen by others -------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CHANGING, ids=lambda case: str(case.id))
def test_the_data_is_the_same_but_for_what_was_added(case: Case) -> None:
    assert case.after is not None
    assert added(case.before, case.after) != []


def test_workflows_are_valid_before_and_after(tmp_path: Path) -> None:
    paths = []
    for case in CASES:
        for name, data in (("before", case.before), ("after", case.after)):
            if data is not None:
                path = tmp_path / case.folder.name / name / case.dockerfile.rpartition("/")[2]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
                paths.append(path)
    assert schema_faults(paths) == ""


def test_the_schema_is_one(tmp_path: Path) -> None:
    path = tmp_path / "ci.yml"
    path.write_text("on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n    - used: y\n", "utf-8")
    assert "used" in schema_faults([path])


# --- forms of YAML --------------------------------------------------------------------------------------------------

HEAD = "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n"
SETUP = "    - uses: docker/setup-buildx-action@v3\n"
WITH = "    - uses: docker/build-push-action@v6\n      with:\n"
PLAIN = HEAD + SETUP + "    - uses: docker/build-push-action@v6\n      with:\n        push: true\n"


@pytest.mark.parametrize(
    "build",
    [
        "    - uses: docker/build-push-action@v6\n",
        "    - uses: docker/build-push-action@v6",
        "    -   uses: docker/build-push-action@v6\n        with:\n            tags: x  # last",
        "    - with:\n        tags: x\n      uses: docker/build-push-action@v6\n",
        "    - uses: docker/build-push-action@v6\n      with:\n        tags: |+\n          x\n\n\n",
        "    - uses: docker/build-push-action@v6\n      with:\n        tags: |+\n          x\n\n      id: y\n",
        "    - uses: docker/build-push-action@v6\n      with:\n        tags: >-\n          x\n\n\n      # end\n",
        "    - uses: docker/build-push-action@v6\n      with:\n        tags: x\n         y\n",
        "    - uses: docker/build-push-action@v6\n      with:\n        tags:\n",
        "    - uses: docker/build-push-action@v6\n      with:\n        labels: 'x'\n        # tags: y\n",
        "    - uses: docker/build-push-action@v6\n      with: {tags: x}\n",
        "    - uses: docker/build-push-action@v6\n      with: {tags: x,}\n",
        "    - uses: docker/build-push-action@v6\n      with: {\n        tags: x, # y\n        push: true\n      }\n",
        "    - 'uses': 'docker/build-push-action@v6'\n      \"with\":\n        \"tags\": \"x\"\n",
        WITH + "        push: true\n        # y\n        tags: |\n          x\n          y",
        WITH + "        tags: |+\n          x",
        WITH + "        tags: |\n          x\n             \n\n",
        WITH + "        tags: >\n          x\n             \n      id: y\n",
        WITH + "        tags: |2\n            x\n           \n      id: y\n",
        WITH + "        tags: |\n\n            \n      id: y\n",
        "    - run: &x y\n    - uses: docker/build-push-action@v6\n      with: {push: true, tags: *x}\n",
        "    - run: &x y\n" + WITH + "        tags:\n          *x\n      id: y\n",
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("head", ["", "\ufeff", "# kept\n"])
def test_forms(build: str, newline: str, head: str) -> None:
    text = (head + HEAD + SETUP + build).replace("\n", newline)
    outcome = run(text)
    assert reasons(outcome) == []
    assert added(text, outcome.text_after) == ["cache-from", "cache-to"]
    assert ("\n" in outcome.text_after.replace(newline, "")) is False
    assert outcome.text_after.endswith("\n") == text.endswith("\n")


@pytest.mark.parametrize(
    "build",
    [
        "    - { uses: docker/build-push-action@v6 }\n",
        "    - uses: docker/build-push-action@v6\n      with: {}\n",
        "    - uses: docker/build-push-action@v6\n      with:\n        ? tags\n        : x\n",
        "    - uses: docker/build-push-action@v6\n      with:\n",
        "    - uses: docker/build-push-action@v6\n      with: ${{ fromJSON(vars.X) }}\n",
        "    - uses: docker/build-push-action@v6\n      with:\n        <<: *x\n        tags: y\n",
        "    - uses: docker/build-push-action@v6\n      with: *x\n",
        "    - uses: docker/build-push-action@v6\n      with:\n        cache-from:\n        cache-to: ''\n",
        "    - uses: docker/build-push-action@v6\n      with: {Cache-To: ''}\n",
        "    - uses: >\n        docker/build-push-action@v6",
    ],
)
def test_forms_that_are_left_alone(build: str) -> None:
    text = HEAD + SETUP + "    - uses: a/b@v1\n      with: &x\n        c: d\n" + build
    outcome = run(text)
    assert outcome.text_after == text
    assert reasons(outcome) == ["not-plain"]


def test_a_step_is_put_in_front_in_the_same_form() -> None:
    steps = [
        "      - uses: docker/build-push-action@v6\n",
        "      -\n        name: Build\n        uses: docker/build-push-action@v6\n",
        "      -   name: Build\n          uses: docker/build-push-action@v6\n",
        "      - uses: actions/checkout@v4\n\n      # why\n      # it is\n      - uses: docker/build-push-action@v6\n",
    ]
    for step in steps:
        text = HEAD + step
        outcome = run(text, unsafe=True)
        assert added(text, outcome.text_after) == ["docker/setup-buildx-action@v3", "cache-from", "cache-to"]
    assert outcome.text_after.index("setup-buildx") < outcome.text_after.index("# why")
    assert "@v3\n\n      # why" in outcome.text_after


def test_comments_of_the_step_before_stay_with_it() -> None:
    for before in (
        "      - uses: actions/x@v1\n        with:\n          c: d\n          # e: f\n",
        "      - uses: actions/x@v1\n        # with:\n        #   c: d\n",
        "      - run: |\n          echo\n          # docker is next\n",
        "      - run: 'echo\n\n      # docker is next\n\n      #'\n",
    ):
        text = HEAD + before + "      # why\n      - uses: docker/build-push-action@v6\n"
        outcome = run(text, unsafe=True)
        assert added(text, outcome.text_after) == ["docker/setup-buildx-action@v3", "cache-from", "cache-to"]
        assert outcome.text_after.startswith(HEAD + before + "      - uses: docker/setup-buildx-action@v3\n      # why")


def test_a_builder_is_not_made_where_an_input_that_it_needs_cannot_be_added() -> None:
    for inputs in ("      with: {}\n", "      with:\n        load: false\n"):
        text = HEAD + "    - uses: docker/build-push-action@v6\n" + inputs + "    - run: docker run x\n"
        outcome = run(text, unsafe=True)
        assert outcome.text_after == text
        assert set(reasons(outcome)) == {"not-plain"}


def test_steps_in_brackets_get_no_other() -> None:
    step = "{uses: docker/build-push-action@v6, with: {push: true}}"
    text = f"on: push\njobs: {{a: {{runs-on: ubuntu-latest, steps: [{step}]}}}}\n"
    assert reasons(run(text, unsafe=True)) == ["not-plain"]


# --- names ----------------------------------------------------------------------------------------------------------


def test_without_knowing_the_other_workflows_every_build_has_a_name() -> None:
    outcome = run(PLAIN.replace("push: true", "tags: acme/api"))
    assert "type=gha,scope=api\n" in outcome.text_after


def test_the_order_of_files_does_not_matter() -> None:
    """What one file gets is the same, whether the others have theirs already or not."""
    texts = {
        f".github/workflows/{name}.yml": PLAIN.replace("push: true", f"file: {file}\n        tags: acme/{image}")
        for name, file, image in (("a", "A", "one"), ("b", "B", "one"), ("c", "A", "two"), ("d", "D", "three"))
    }

    def result(order: list[str]) -> dict[str, str]:
        now = dict(texts)
        for name in order:
            others = [(other, text) for other, text in sorted(now.items()) if other != name]
            now[name] = run(now[name], others=others, path=name).text_after
        return now

    names = list(texts)
    assert result(names) == result(names[::-1]) == result([*names[2:], *names[:2]])
    scopes = {name: text.partition("scope=")[2].partition("\n")[0] for name, text in result(names).items()}
    assert list(scopes.values()) == ["one-a", "one-b", "one-a", "three"]


def test_a_name_that_is_taken_is_not_used() -> None:
    other = PLAIN.replace("push: true", "context: x\n        cache-from: type=gha,scope=api\n"
                          "        cache-to: type=gha,mode=max,scope=api")  # fmt: skip
    outcome = run(PLAIN.replace("push: true", "context: y\n        tags: acme/api"), others=[("z.yml", other)])
    assert "scope=api-y\n" in outcome.text_after


def test_a_script_that_uses_the_default_scope_counts() -> None:
    other = HEAD + "    - run: docker buildx build --cache-to type=gha .\n"
    assert "scope=" in run(PLAIN, others=[("z.yml", other)]).text_after
    assert "scope=" not in run(PLAIN, others=[]).text_after


def test_values_are_followed_to_their_end() -> None:
    """Builds that differ by a value that comes a long way share no scope."""
    chain = "".join(f"      A{number + 1}: '${{{{ env.A{number} }}}}'\n" for number in range(20))
    steps = "    steps:\n      - uses: docker/setup-buildx-action@v3\n      - uses: docker/build-push-action@v6\n" \
        "        with: {context: ., file: '${{ env.A20 }}/Dockerfile', push: true, tags: 'o/img'}\n"  # fmt: skip
    job = "  {0}:\n    runs-on: ubuntu-latest\n    env:\n      A0: {0}\n"
    outcome = run("on: push\njobs:\n" + "".join(job.format(name) + chain + steps for name in ("api", "web")), others=[])
    assert outcome.error is None
    assert scopes_in(outcome) == 2


def scopes_in(outcome: Outcome[str]) -> int:
    return len(set(re.findall(r"cache-to: [\"']?type=gha,mode=max,scope=([^,\"'\n}]*)", outcome.text_after)))


def matrix(values: str, build: str) -> str:
    return (
        "on: push\njobs:\n  a:\n    strategy:\n      matrix:\n"
        + "".join(f"        {line}\n" for line in values.split("\n"))
        + "    runs-on: ubuntu-latest\n    steps:\n" + SETUP
        + "    - uses: docker/build-push-action@v6\n      with:\n"
        + "".join(f"        {line}\n" for line in build.split("\n"))
    )  # fmt: skip


BUILD = "    - uses: docker/build-push-action@v6\n      with:\n"


def scopes(outcome: Outcome[str]) -> list[str]:
    """Those that are written to, in the order of the file; a text that is empty for the default."""
    return re.findall(r"cache-to: type=gha,mode=max(?:,scope=([^,\n]*))?", outcome.text_after)


@pytest.mark.parametrize(
    ("one", "two", "names"),
    [
        ("tags: acme/app:a\nbuild-args: V=1", "tags: acme/app:b\nbuild-args: V=2", ["app-a", "app-b"]),
        ("tags: acme/app\nbuild-contexts: b=x", "tags: acme/app\nbuild-contexts: b=y", ["app-ci-a-2", "app-ci-a-3"]),
        ("tags: acme/app\nbuild-args: V=1", "tags: acme/app\nbuild-args: V=1", ["", ""]),
        ("context: a\ntags: acme/a:${{ x == 'y/z' && 'latest' || 'a,b' }}", "context: b\ntags: acme/b:${{ 'y/z' }}",
         ["a", "b"]),
        ("tags: ${{ format('{0}/{1}', 'x', 'y') }}", "context: b", ["a", "b"]),
    ],
)  # fmt: skip
def test_two_builds_in_a_job(one: str, two: str, names: list[str]) -> None:
    builds = [BUILD + "".join(f"        {line}\n" for line in text.split("\n")) for text in (one, two)]
    assert scopes(run(HEAD + SETUP + "".join(builds), others=[])) == names


def test_long_values_tell_builds_apart() -> None:
    build = BUILD + "        tags: x/a\n        build-args: A=${{ env.X }}\n      env: {X: "
    text = HEAD + SETUP + "".join(f"{build}{letter * 5_000}}}\n" for letter in "pq")
    assert scopes(run(text, others=[])) == ["a-ci-2", "a-ci-3"]
    job = "  {0}:\n    uses: ./.github/workflows/x.yml\n    with: {{c: {1}}}\n"
    callers = "on: push\njobs:\n" + "".join(job.format(letter, letter * 5_000) for letter in "pq")
    called = PLAIN.replace("on: push", "on: workflow_call") + "        build-args: A=${{ inputs.c }}\n"
    assert reasons(run(called, others=[("z.yml", callers)], path=".github/workflows/x.yml")) == ["no-scope"]


@pytest.mark.parametrize(("scope", "taken"), [("api", True), ("a:b", True), ("a #b", False), ("a:", False)])
def test_a_scope_that_others_have_is_written_as_it_is(scope: str, taken: bool) -> None:
    build = BUILD + "        push: true\n        tags: x/a\n"
    cached = f"        cache-from: 'type=gha,scope={scope}'\n        cache-to: 'type=gha,mode=max,scope={scope}'\n"
    outcome = run(HEAD + SETUP + build + cached + build, others=[])
    assert outcome.error is None
    assert [one for one in scopes(outcome) if one] == ([scope] if taken else [])


@pytest.mark.parametrize("version", ["v0.20.1", "0.9"])
def test_old_builders(version: str) -> None:
    setup = f"    - uses: docker/setup-buildx-action@v3\n      with:\n        version: {version}\n"
    assert reasons(run(HEAD + setup + BUILD + "        push: true\n", others=[])) == ["old-version"]
    image = f"image=moby/buildkit:v{version.strip('v')}-rootless"
    options = f"        driver-opts: |\n          network=host\n          {image}\n"
    setup = f"    - uses: docker/setup-buildx-action@v3\n      with:\n{options}"
    late = setup.replace(version.strip("v"), "9" * 5_000 + ".0")
    expected = ["old-version"] if version == "0.9" else []
    assert reasons(run(HEAD + setup + BUILD + "        push: true\n", others=[])) == expected
    assert reasons(run(HEAD + late + BUILD + "        push: true\n", others=[])) == []


@pytest.mark.parametrize(
    ("container", "inputs", "old"),
    [
        ("docker:24", "", True),
        ("{image: 'docker:20.10.16-dind'}", "", True),
        ("docker:28.0.4", "", True),
        ("docker:stable", "", True),
        ("acme/ci:1", "", True),
        ("docker:28.1-cli", "", False),
        ("docker:28", "", False),
        ("docker", "", False),
        ("docker.io/library/docker:dind", "", False),
        ("''", "", False),
        ("acme/ci:1", "      with: {version: latest}\n", False),
    ],
)
def test_a_builder_of_the_container_of_a_job(container: str, inputs: str, old: bool) -> None:
    head = HEAD.replace("    steps:", f"    container: {container}\n    steps:")
    build = BUILD + "        push: true\n"
    wanted = ["old-version"] if old else []
    assert reasons(run(head + SETUP + inputs + build, others=[])) == wanted
    if not inputs:
        assert reasons(run(head + build, others=[])) == wanted


@pytest.mark.parametrize("odd", ["uses docker/setup-buildx-action@v3", "", "[a]"])
def test_steps_that_are_none(odd: str) -> None:
    """As somebody writes who has forgotten a colon; GitHub does not take the file."""
    text = HEAD + f"    - {odd}\n" + BUILD + "        context: .\n" + "    - run: docker build -t a .\n"
    for steps in (text, text.replace("    - run: docker build -t a .\n", "")):
        outcome = run(steps, others=[], unsafe=True)
        assert "internal-error" not in reasons(outcome)
        assert ("cache-to" in outcome.text_after) == outcome.changed


def test_a_version_that_is_none_is_not_used() -> None:
    other = HEAD + "    - uses: docker/setup-buildx-action@a b # v3\n"
    outcome = run(HEAD + BUILD + "        context: .\n", others=[("b.yml", other)], unsafe=True)
    assert "docker/setup-buildx-action@v" in outcome.text_after


def test_a_step_that_is_both_an_action_and_a_script() -> None:
    text = HEAD + SETUP + BUILD + "        context: .\n      run: docker build -t a .\n"
    assert "internal-error" not in reasons(run(text, others=[], unsafe=True))


def test_a_variable_that_an_action_s_script_hands_on() -> None:
    build = BUILD + "        context: .\n        build-args: A=${{ env.B }}\n"
    retry = "    - uses: nick-fields/retry@v3\n      with: {command: 'echo B=${{ secrets.A }} >> $GITHUB_ENV'}\n"
    assert reasons(run(HEAD + retry + SETUP + build, others=[])) == ["secret-build-arg"]


def test_variables_that_an_expression_makes() -> None:
    build = BUILD + "        context: .\n        build-args: A=${{ env.A }}\n"
    for made, wanted in (("secrets", ["secret-build-arg"]), ("fromJSON(vars.A)", [])):
        head = HEAD.replace("    steps:", f"    env: ${{{{ {made} }}}}\n    steps:")
        assert reasons(run(head + SETUP + build, others=[])) == wanted


def test_variables_of_the_container_of_a_job() -> None:
    for value, wanted in (("'${{ secrets.A }}'", ["secret-file"]), ("b", [])):
        head = HEAD.replace("    steps:", f"    container: {{image: docker, env: {{A: {value}}}}}\n    steps:")
        text = head + "    - run: make\n" + SETUP + BUILD + "        context: .\n"
        assert reasons(run(text, others=[])) == wanted


def test_a_step_s_variable_of_the_job_s() -> None:
    """In the `env` of a step none of its own variables is there yet."""
    job = HEAD.partition("jobs:\n")[2].replace("    steps:", "    env: {X: one, Y: one}\n    steps:") + SETUP + BUILD
    job += "        tags: x/a\n        build-args: A=${{ env.X }}\n      env: {X: '${{ env.Y }}', Y: '${{ env.X }}'}\n"
    other = job.replace("  a:", "  b:").replace("X: one", "X: two")
    assert scopes(run("on: push\njobs:\n" + job + other, others=[])) == ["", ""]
    other = job.replace("  a:", "  b:").replace("Y: one", "Y: two")
    assert scopes(run("on: push\njobs:\n" + job + other, others=[])) == ["a-ci", "a-ci-b"]


def test_runners_of_two_kinds() -> None:
    job = HEAD.partition("jobs:\n")[2] + SETUP + BUILD + "        tags: acme/app\n"
    arm = job.replace("  a:", "  b:").replace("ubuntu-latest", "ubuntu-24.04-arm")
    assert scopes(run("on: push\njobs:\n" + job + arm, others=[])) == ["app", "app-arm64"]
    same = job.replace("  a:", "  b:").replace("ubuntu-latest", "ubuntu-24.04")
    assert scopes(run("on: push\njobs:\n" + job + same, others=[])) == ["", ""]


ACTION = "runs:\n  using: composite\n  steps:\n" + SETUP + BUILD


def calls(*steps: str, head: str = "", runner: str = "ubuntu-latest") -> str:
    start = f"on: push\njobs:\n  a:\n    runs-on: {runner}\n{head}    steps:\n"
    return start + "".join(f"    - uses: ./.github/actions/x\n{step}" for step in steps)


CALLED = ".github/workflows/x.yml"
MATRIX = "    strategy:\n      matrix:\n        r: [ubuntu-24.04, ubuntu-24.04-arm]\n"


@pytest.mark.parametrize(
    ("build", "caller", "scope"),
    [
        ("tags: x", calls(""), ""),
        ("tags: x", calls("", ""), ""),
        ("tags: x", calls("", head=MATRIX, runner="${{ matrix.r }}"), "${{ matrix.r }}"),
        ("build-args: S=${{ inputs.s }}", calls("      with:\n        s: a\n", "      with:\n        s: b\n"),
         "${{ inputs.s }}"),
        ("build-args: S=${{ inputs.s }}", calls("      with:\n        s: a\n", "      with:\n        S: a\n"), ""),
        ("build-args: S=${{ inputs.s }}", calls("", "      with:\n        s: b\n"), None),
        ("file: ${{ env.F }}", calls("      env:\n        F: a\n", "      env:\n        F: b\n"), None),
        ("file: ${{ env.F }}", calls("", head=MATRIX + "    env:\n      F: ${{ matrix.r }}\n"), "${{ matrix.r }}"),
    ],
)  # fmt: skip
def test_callers_of_an_action(build: str, caller: str, scope: str | None) -> None:
    others = [(".github/workflows/ci.yml", caller)]
    outcome = run(ACTION + f"        {build}\n", others=others, path=".github/actions/x/action.yml")
    assert (scopes(outcome), reasons(outcome)) == (([], ["no-scope"]) if scope is None else ([scope], []))


@pytest.mark.parametrize(
    ("build", "caller", "scope"),
    [
        ("tags: x", "x: y", ""),
        ("build-args: S=${{ inputs.s }}", "s: ${{ matrix['v'] }}", "${{ inputs.s }}"),
        ("context: ${{ inputs.s }}", "s: a", ""),
        ("build-args: S=${{ inputs.s }}", None, None),
    ],
)
def test_callers_of_a_workflow(build: str, caller: str | None, scope: str | None) -> None:
    own = PLAIN.replace("on: push", "on: workflow_call").replace("push: true", build)
    job = "  a:\n    strategy:\n      matrix:\n        v: [a, b]\n    uses: ./.github/workflows/x.yml\n    with:\n"
    others = [] if caller is None else [("ci.yml", f"on: push\njobs:\n{job}      {caller}\n")]
    outcome = run(own, others=others, path=".github/workflows/x.yml")
    assert (scopes(outcome), reasons(outcome)) == (([], ["no-scope"]) if scope is None else ([scope], []))


def test_the_last_of_many_callers_counts() -> None:
    own = PLAIN.replace("on: push", "on: workflow_call")
    job = "  a{}:\n    uses: ./.github/workflows/x.yml\n    with: {{c: {}}}\n"
    callers = "on: push\njobs:\n" + "".join(job.format(n, "y" if n == 512 else "x") for n in range(513))
    given = run(own + "        build-args: A=${{ inputs.c }}\n", others=[("z.yml", callers)], path=CALLED)
    assert scopes(given) == ["${{ inputs.c }}"]
    values = ", ".join(f"v{n}" for n in range(256))
    varied = matrix(f"a: [{values}]\ninclude: [{{a: v255, d: z}}]", "build-args: A=${{ matrix.d }}")
    callers = "on: push\njobs:\n" + "".join(job.format(n, "x") for n in range(3))
    outcome = run(varied.replace("on: push", "on: workflow_call"), others=[("z.yml", callers)], path=CALLED)
    assert scopes(outcome) == ["${{ matrix.a }}"]


def test_names_of_a_matrix_are_nobody_elses() -> None:
    own = matrix("a: [web, worker]", "context: app\ntarget: ${{ matrix.a }}\ntags: acme/app:${{ matrix.a }}")
    other = PLAIN.replace("push: true", "context: worker\n        tags: acme/app-worker:edge")
    assert scopes(run(own, others=[("z.yml", other)])) == ["app-${{ matrix.a }}"]
    assert scopes(run(other, others=[("a.yml", own)])) == ["app-worker-edge"]
    taken = other.replace("tags: acme/app-worker:edge", "cache-from: type=gha,scope=app-worker")
    assert scopes(run(own, others=[("z.yml", taken)])) == ["app-ci-a-${{ matrix.a }}"]


def test_many_values_of_a_matrix_are_tried_in_bounded_time() -> None:
    """Names of which each three would be tried, in vain: once they are all the same, and once all different."""
    axes = "\n".join(f"a{k}: [0, 1]" for k in range(7))
    build = "build-args: |\n" + "\n".join(f"  A{k}=${{{{ matrix.a{k} }}}}" for k in range(7))
    same = ", ".join(f"c{k}: x" for k in range(400))
    assert reasons(run(matrix(f"{axes}\ninclude: [{{{same}}}]", build), others=[])) == ["no-scope"]
    rng = random.Random(0)
    entries = [
        ", ".join([f"a{k}: {number >> k & 1}" for k in range(7)] + [f"c{k}: {rng.randint(0, 1)}" for k in range(80)])
        for number in range(128)
    ]
    included = "\n".join(f"- {{{entry}}}" for entry in entries)
    assert reasons(run(matrix(f"{axes}\ninclude:\n{included}", build), others=[])) == ["too-much-work"]


@pytest.mark.parametrize(
    ("before", "scope"),
    [
        ("- run: ./make.sh ${{ matrix.a }} > Dockerfile", "${{ matrix.a }}"),
        ("- run: ./make.sh\n      env:\n        A: ${{ matrix.a }}", "${{ matrix.a }}"),
        ("- run: ./make.sh\n      if: matrix.a == 'x'", "${{ matrix.a }}"),
        ("- run: ./make.sh\n      if: ${{ success() }} && matrix.a == 'x'", "${{ matrix.a }}"),
        ("- run: ./make.sh ${{ strategy.job-index }}", "${{ matrix.a }}"),
        ("- run: ./make.sh '${{ toJSON(matrix) }}'", "${{ matrix.a }}"),
        ("- uses: actions/checkout@v4\n      with:\n        ref: ${{ matrix.a }}", "${{ matrix.a }}"),
        ("- uses: docker/login-action@v3\n      with:\n        registry: ${{ matrix.a }}", ""),
        ("- run: ./make.sh", ""),
    ],
)
def test_a_matrix_that_acts_through_steps_before(before: str, scope: str) -> None:
    text = matrix("a: [x, y]", "context: .").replace(SETUP, f"    {before}\n{SETUP}")
    assert scopes(run(text, others=[])) == [scope]


def test_a_secret_in_an_input_that_callers_fill() -> None:
    own = ACTION + "        build-args: A=${{ inputs.word }}\n"
    for value, expected in (("${{ secrets['X'] }}", ["secret-build-arg"]), ("x", [])):
        caller = calls(f"      with:\n        word: {value}\n")
        outcome = run(own, others=[("ci.yml", caller)], path=".github/actions/x/action.yml")
        assert reasons(outcome) == expected


@pytest.mark.parametrize(
    ("argument", "secret"),
    [
        ("A=${{ secrets['A'] }}", True),
        ("A=${{ format('{0}}}', secrets.A) }}", True),
        ("A=${{ toJSON(secrets) }}", True),
        ("A=${{ github.token }}", False),
        ("A=${{ secrets.GITHUB_TOKEN }}", False),
        ("A=${{ secrets.GITHUB_TOKEN || secrets.PAT }}", True),
        ("A=${{ toJson(github) }}", True),
        ("A=${{ Secrets.A }}", True),
        ("A=${{ env.A }}", True),
        ("A=${{ env.B }}", True),
        ("A=${{ env['B'] }}", True),
        ("A", True),
        ("A=${{ toJSON(env) }}", True),
        ("A=${{ steps.app.outputs.token }}", True),
        ("A=${{ steps.app.outputs.apiKey }}", True),
        ("A=${{ steps.get.outputs.value }}", True),
        ("A=${{ needs.b.outputs.word }}", True),
        ("A=${{ env.WRITTEN }}", True),
        ("A=${{ env.C }}", False),
        ("C", False),
        ("A=${{ needs.b.outputs.version }}", False),
        ("A=${{ steps.app.outputs.version }}", False),
        ("A=${{ vars.A }}", False),
        ("A=${{ github.sha }} secrets.A", False),
    ],
)
def test_secrets_in_build_arguments(argument: str, secret: bool) -> None:
    text = (
        "on: push\nenv:\n  A: ${{ secrets.A }}\n  B: x${{ env.A }}\n  C: plain\njobs:\n"
        "  b:\n    runs-on: ubuntu-latest\n    outputs:\n      word: ${{ secrets.X }}\n      version: v1\n"
        "    steps:\n    - run: echo\n  a:\n    runs-on: ubuntu-latest\n    steps:\n"
        "    - id: get\n      run: echo value=${{ secrets.X }} >> $GITHUB_OUTPUT\n"
        "    - run: echo WRITTEN=${{ secrets.X }} >> $GITHUB_ENV\n"
    )
    text += SETUP + BUILD + f"        build-args: {argument}\n"
    assert reasons(run(text, others=[])) == (["secret-build-arg"] if secret else [])


@pytest.mark.parametrize("value", ["${{ secrets.X }}", "plain"])
def test_what_comes_a_long_way_may_be_a_secret(value: str) -> None:
    job = "  j{0}:\n    runs-on: ubuntu-latest\n    outputs: {{o: '{1}'}}\n    steps:\n    - run: echo\n"
    jobs = [job.format(0, value), *(job.format(n, f"${{{{ needs.j{n - 1}.outputs.o }}}}") for n in range(1, 20))]
    last = HEAD.partition("jobs:\n")[2] + SETUP + BUILD + "        build-args: A=${{ needs.j19.outputs.o }}\n"
    assert reasons(run("on: push\njobs:\n" + "".join(jobs) + last, others=[])) == ["secret-build-arg"]


@pytest.mark.parametrize(
    ("before", "context", "secret"),
    [
        ("- run: echo ${{ secrets.A }} > .npmrc", ".", True),
        ("- run: echo ${{ secrets.A }} > .npmrc", "app", False),
        ("- run: echo ${{ secrets.A }} > app/.npmrc", "./app", True),
        ("- run: cd app && echo ${{ secrets.A }} > .npmrc", "app", True),
        ("- run: echo ${{ secrets.A }} > .npmrc\n      working-directory: app", "app", True),
        ("- run: echo ${{ secrets.A }} > ${{ github.workspace }}/app/x", "app", True),
        ("- run: echo ${{ secrets.A }} | tee x", ".", True),
        ("- run: echo $S > x\n      env:\n        S: ${{ secrets.A }}", ".", True),
        ("- run: env > .env\n      env:\n        S: ${{ secrets.A }}", ".", True),
        ("- run: npm config set --location project x=${{ secrets.A }}", ".", True),
        ("- run: echo ${{ secrets.A }} > .npmrc", "", False),
        ("- run: echo ${{ secrets.A }} > ~/.npmrc", ".", False),
        ("- run: echo ${{ secrets.A }} > $RUNNER_TEMP/x", ".", False),
        ("- run: echo x=${{ secrets.A }} >> $GITHUB_OUTPUT", ".", False),
        ("- run: echo ${{ secrets.A }} | docker login --password-stdin 2>&1", ".", False),
        ("- run: curl -H 'A ${{ secrets.A }}' https://example.org > x", ".", False),
        ("- run: echo x > x", ".", False),
        ("- uses: actions/checkout@v4\n      with:\n        token: ${{ secrets.PAT }}", ".", True),
        ("- uses: actions/checkout@v4\n      with:\n        token: ${{ secrets.PAT }}", "app", False),
        ("- uses: actions/checkout@v6\n      with:\n        token: ${{ secrets.PAT }}", ".", False),
        ("- uses: actions/checkout@v4\n      with:\n        token: ${{ secrets.GITHUB_TOKEN }}", ".", False),
        ("- uses: a/create-envfile@v2\n      with:\n        envkey_A: ${{ secrets.A }}", ".", True),
    ],
)
def test_secrets_in_files(before: str, context: str, secret: bool) -> None:
    text = HEAD + f"    {before}\n" + SETUP + BUILD + f"        context: {context}\n"
    assert reasons(run(text, others=[])) == (["secret-file"] if secret else [])


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("docker build --build-arg A=${{ secrets.A }} .", "secret-build-arg"),
        ("x && docker build --build-arg \"A=$A\" .", "secret-build-arg"),
        ("docker build --build-arg A .", "secret-build-arg"),
        ("docker build --build-arg B=$B .", "plain-build"),
        ("docker buildx build `\n--cache-to type=gha `\n.", None),
        ("docker buildx build \\\n--cache-to type=gha \\\n.", None),
        ("docker build .\necho --cache-to", "plain-build"),
    ],
)
def test_what_is_said_of_a_script(script: str, reason: str | None) -> None:
    lines = "".join(f"        {line}\n" for line in script.split("\n"))
    text = HEAD + f"    - run: |\n{lines}      env:\n        A: ${{{{ secrets.A }}}}\n"
    assert reasons(run(text, others=[])) == ([] if reason is None else [reason])
    text = text.replace("on: push", "on: pull_request_target")
    assert [one for one in reasons(run(text, others=[])) if one == "plain-build"] == []


@pytest.mark.parametrize(
    ("script", "builds"),
    [
        ("docker" + " --a" * 60, 0),
        ("docker" + " --a" * 60 + " build .", 1),
        ("docker compose up -d; docker-compose -f a build; docker compose up --build", 2),
        ("docker --x=docker-compose build", 1),
        ("docker compose run $(docker buildx bake x)", 1),
        ("echo docker build; printf docker build; docker build .", 1),
    ],
)
def test_what_builds_in_a_script(script: str, builds: int) -> None:
    assert reasons(run(HEAD + f"    - run: {script}\n      shell: pwsh\n", others=[])) == ["plain-build"] * builds


def test_a_folded_script_is_one_command() -> None:
    text = HEAD + "    - run: >\n        docker buildx build\n        --cache-to type=gha\n        .\n"
    assert reasons(run(text, others=[])) == []


@pytest.mark.parametrize(
    ("values", "build", "scope"),
    [
        ("a: [x, y]", "context: ${{ matrix.a }}", "${{ matrix.a }}"),
        ("a: [x, y]\nb: [1, 2]", "context: ${{ matrix.a }}\nbuild-args: V=${{ matrix.b }}",
         "${{ matrix.a }}-${{ matrix.b }}"),
        ("include:\n- {n: x, p: \"linux/amd64,linux/arm64\"}\n- {n: y, p: linux/amd64}",
         "platforms: ${{ matrix.p }}\ntags: acme/${{ matrix.n }}", "${{ matrix.n }}"),
        ("i: [{n: x, f: X.Dockerfile}, {n: y, f: Y.Dockerfile}]", "file: ${{ matrix.i.f }}", "${{ matrix.i.f }}"),
        ("a: [x]", "context: ${{ matrix.a }}", ""),
        ("a: [x, y]", "context: .", ""),
        ("a: [x, y]", "context: .\nbuild-args: V=${{ env.V }}", "${{ matrix.a }}"),
        ("a: [\"x,1\", y]", "build-args: V=${{ matrix.a }}", None),
        ("a: [x, y]", "context: ${{ inputs.dir }}", None),
        ("a: [x, y]", "target: ${{ matrix['a'] }}", "${{ matrix.a }}"),
        ("a: [x, y]", "target: ${{ matrix[format('a')] }}", "${{ matrix.a }}"),
        ("a: [x, y]", "build-args: A=${{ format('{0}}}', matrix.a) }}", "${{ matrix.a }}"),
        ("a: [x, y]\nb: [[1, 2], [3]]", "platforms: ${{ join(matrix.b) }}", None),
        ("a: [web, web-slim]\nb: [slim-x, x]", "context: ${{ matrix.a }}\nbuild-args: B=${{ matrix.b }}",
         "${{ matrix.a }}--${{ matrix.b }}"),
        ("a: ${{ fromJSON(inputs.a) }}", "context: ${{ matrix.a }}", None),
    ],
)  # fmt: skip
def test_names_from_a_matrix(values: str, build: str, scope: str | None) -> None:
    outcome = run(matrix(values, build), others=[])
    if scope is None:
        assert reasons(outcome) == ["no-scope"]
    else:
        assert reasons(outcome) == []
        assert f"type=gha,scope={scope}\n" in outcome.text_after if scope else "scope=" not in outcome.text_after


# --- events, builders, outputs --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("events", "lenient"),
    [
        ("push", False),
        ("[push, pull_request, release, merge_group, workflow_dispatch]", False),
        ("{push: {branches: [main]}, pull_request: {types: [opened]}}", False),
        ("[push, pull_request_target]", True),
        ("[push, issue_comment]", True),
        ("[push, workflow_run]", True),
        ("{push: {}, pull_request: {types: closed}}", True),
        ("workflow_call", True),
        ("[workflow_call, pull_request_target]", True),
        ("issue_comment", None),
        ("[pull_request_target, workflow_run]", True),
        ("workflow_run", True),
        ("[create, deployment]", True),
        ("[pull_request_target, issue_comment]", None),
        ("{pull_request: {types: [closed]}}", None),
        ("something_new", None),
    ],
)
def test_who_may_write(events: str, lenient: bool | None) -> None:
    outcome = run(PLAIN.replace("on: push", f"on: {events}"), others=[])
    if lenient is None:
        assert reasons(outcome) == ["read-only-cache"]
    else:
        assert reasons(outcome) == []
        assert ("ignore-error=true" in outcome.text_after) is lenient


NIGHTLY = "name: nightly\non: {schedule: [{cron: '0 0 * * *'}]}\njobs: {}\n"
TESTS = "name: tests\non: push\njobs: {}\n"


@pytest.mark.parametrize(
    ("events", "build", "words"),
    [
        ("push", "", ""),
        ("[push, workflow_dispatch]", "", ""),
        ("[release, workflow_dispatch, push]", "", ""),
        ("[workflow_run, push]", "", ""),
        ("{workflow_run: {workflows: [tests]}}", "", ""),
        ("{workflow_run: {workflows: [unknown]}}", "", ""),
        ("{workflow_run: {workflows: [nightly]}}", "if: github.event.workflow_run.event == 'push'", ""),
        ("[push, schedule]", "if: github.event_name != 'schedule'", ""),
        ("[push, schedule]", "no-cache: ${{ github.event_name == 'schedule' }}", ""),
        ("[push, repository_dispatch]", "if: github.event_name == 'push'", ""),
        ("[push, schedule]", "no-cache: ${{ inputs.fresh }}", "on a schedule"),
        ("[push, schedule]", "if: github.event_name != 'push'", "on a schedule"),
        ("[push, repository_dispatch]", "", "by `repository_dispatch`"),
        ("registry_package", "", "by `registry_package`"),
        ("{push: {}, workflow_run: {workflows: [nightly]}}", "", "by `workflow_run`"),
        ("workflow_dispatch", "", "by hand alone"),
        ("[push, workflow_dispatch]", "if: github.event_name == 'workflow_dispatch'", "by hand alone"),
    ],
)
def test_who_starts_it(events: str, build: str, words: str) -> None:
    text = PLAIN.replace("on: push", f"on: {events}")
    if build.startswith("if"):
        text = text.replace("    - uses: docker/build", f"    - {build}\n      uses: docker/build")
    elif build:
        text = text.rstrip() + f"\n        {build}\n"
    others = [("nightly.yml", NIGHTLY), ("tests.yml", TESTS)]
    (change,) = run(text, unsafe=True, others=others).changes
    assert (change.safety is Safety.SAFE) is (not words)
    assert words in change.risk


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        ("driver: docker-container", None),
        ("version: latest", None),
        ("version: v0.21.0", None),
        ("driver-opts: network=host", None),
        ("driver-opts: image=moby/buildkit:buildx-stable-1", None),
        ("version: v0.20.1", "old-version"),
        ("driver-opts: image=moby/buildkit:v0.19.0", "old-version"),
        ("driver: kubernetes", "other-builder"),
        ("driver: ${{ inputs.driver }}", "other-builder"),
        ("append: |\n          - endpoint: ssh://x", "other-builder"),
    ],
)
def test_builders(inputs: str, reason: str | None) -> None:
    text = PLAIN.replace("@v3\n", f"@v3\n      with:\n        {inputs}\n")
    assert reasons(run(text, others=[])) == ([] if reason is None else [reason])


@pytest.mark.parametrize(
    ("build", "later", "loads"),
    [
        ("tags: x", "docker run x", True),
        ("tags: x", "make test", True),
        ("tags: x", "./test.sh", True),
        ("tags: x", "echo done", False),
        ("push: true\n        tags: x", "docker run x", False),
        ("load: true\n        tags: x", "docker run x", False),
        ("outputs: type=tar,dest=x.tar", "docker run x", False),
        ("tags: acme/thing", "echo acme/thing", False),
        ("tags: x", "npm run e2e", True),
        ("tags: x", "echo $(docker images -q)", True),
        ("tags: x", "sudo docker login", False),
        ("tags: x", "${{ inputs.test }}", True),
        ("push: true\n        tags: x", "docker tag x y", True),
        ("push: true\n        tags: x", "docker save x | gzip > x.tgz", True),
        ("push: true\n        tags: x", "docker run ${{ steps.b.outputs.imageid }}", True),
        ("push: true\n        tags: x", "docker buildx imagetools inspect x", False),
        ("outputs: type=image,name=x", "docker run x", None),
        ("outputs: type=registry,name=x", "docker run x", False),
        ("outputs: type=docker", "docker run x", False),
        ("outputs: type=docker,dest=x.tar", "docker load -i x.tar", False),
        ("platforms: linux/amd64,linux/arm64\n        tags: x", "docker run x", None),
        ("push: ${{ inputs.push }}\n        tags: x", "docker run x", True),
        ("push: ${{ inputs.push }}\n        tags: y", "echo done", False),
    ],
)
def test_load(build: str, later: str, loads: bool | None) -> None:
    text = PLAIN.replace(SETUP, "").replace("push: true", build) + f"    - run: {later}\n"
    outcome = run(text, others=[], unsafe=True)
    if loads is None:
        assert reasons(outcome) == ["output"]
    else:
        assert reasons(outcome) == []
        assert ("load: true" in outcome.text_after.replace(text, "")) is (loads or "load: true" in text)


@pytest.mark.parametrize(
    ("build", "setup"),
    [("v7", "v4"), ("v6.18.0", "v3"), ("v5", "v3"), ("v4", "v3"), ("v8", "v4"), ("master", None), ("main", None)],
)
def test_the_version_of_a_new_step(build: str, setup: str | None) -> None:
    outcome = run(PLAIN.replace(SETUP, "").replace("@v6", f"@{build}"), others=[], unsafe=True)
    if setup is None:
        assert reasons(outcome) == ["pinned"]
    else:
        assert f"docker/setup-buildx-action@{setup}\n" in outcome.text_after


@pytest.mark.parametrize(
    ("script", "inputs"),
    [
        ("docker build .", {"context": ".", "load": True}),
        ("docker image build -t a -t b:${{ github.sha }} x/",
         {"context": "x", "load": True, "tags": "a\nb:${{ github.sha }}\n"}),
        ("docker buildx build --push --tag=a .", {"context": ".", "push": True, "tags": "a"}),
        ("docker buildx build --load -f D/x .", {"context": ".", "file": "D/x", "load": True}),
        ("docker build --pull --build-arg 'A=b c' --label l=1 --network none .",
         {"context": ".", "build-args": "A=b c", "network": "none", "pull": True, "load": True, "labels": "l=1"}),
        ("docker build --network host .", None),
        ("docker build ${{ github.workspace }}/x", {"context": "x", "load": True}),
        ("docker build -f ${{ github.workspace }}/d/D ${{github.workspace}}",
         {"context": ".", "file": "d/D", "load": True}),
        ("docker build ${{ inputs.arguments }}", None),
        ("docker build -f ${{ env.FILE }} .", None),
        ("docker build \\\n  -t a \\\n  .\n", {"context": ".", "load": True, "tags": "a"}),
        ("docker build -t 1.5 .", {"context": ".", "load": True, "tags": "1.5"}),
        ("docker build -t 0x10 .", {"context": ".", "load": True, "tags": "0x10"}),
        ("docker build -t '- x' .", {"context": ".", "load": True, "tags": "- x"}),
        ("docker build --target 'a: b' .", {"context": ".", "target": "a: b", "load": True}),
        ("docker build --build-arg 'A=b ' .", None),
        ("docker build -t a . && echo", None),
        ("docker build -t a . > log", None),
        ("A=b docker build -t a .", None),
        ("docker build -t $A .", None),
        ("docker build -t `x` .", None),
        ("docker build -t a -", None),
        ("docker build -t a https://example.org/x.git", None),
        ("docker build -t a ../x", None),
        ("docker build -t a /x", None),
        ("docker build --build-arg A .", None),
        ("docker build --build-arg 'A=\"b\"' .", None),
        ("docker build --squash .", None),
        ("docker build --load=false .", None),
        ("docker buildx build .", None),
        ("docker build --platform linux/amd64,linux/arm64 .", None),
        ("docker build -f a -f b .", None),
        ("docker build .  # why", None),
        ("docker build", None),
        ("docker buildx bake", None),
        ("docker compose build", None),
        ("docker build . || true", None),
    ],
)  # fmt: skip
def test_scripts(script: str, inputs: dict[str, object] | None) -> None:
    lines = "".join(f"          {line}\n" for line in script.splitlines())
    text = HEAD + SETUP + f"    - name: x\n      run: |\n{lines}      env:\n        X: y\n"
    outcome = run(text, others=[], unsafe=True)
    if inputs is None:
        assert outcome.text_after == text
        assert reasons(outcome) == ["plain-build"]
        return
    assert reasons(outcome) == []
    (job,) = load(outcome.text_after)["jobs"].values()
    step = job["steps"][1]
    assert added(text, outcome.text_after) == ["uses"]
    expected = {name: "true" if value is True else value for name, value in inputs.items()}
    expected |= {"cache-from": "type=gha", "cache-to": "type=gha,mode=max"}
    assert step == {"name": "x", "uses": "docker/build-push-action@v7", "with": expected, "env": {"X": "y"}}
    assert not run(outcome.text_after, others=[], unsafe=True).changed
    assert run(text, others=[]).text_after == text


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ("- run: docker build .\n      shell: pwsh\n", "its shell is pwsh"),
        ("- { run: docker build . }\n", "written in braces"),
        ("- run: docker build .  # why\n", "a comment beside the script"),
        ("- run: docker build --no-cache .\n", "builds everything anew"),
        ("- working-directory: ${{ inputs.x }}\n      run: docker build .\n", "a directory of the repository"),
    ],
)
def test_scripts_in_steps_that_stay(step: str, words: str) -> None:
    outcome = run(HEAD + SETUP + f"    {step}", others=[], unsafe=True)
    assert [words in refusal.because for refusal in outcome.refusals] == [True]


@pytest.mark.parametrize("sign", ["\\0", "\\a", "\\t", "\\n", "\\r", "\\x1f", "\\x7f", "\\N", "\\L", "\\P", "\\uFFFE"])
@pytest.mark.parametrize(
    "step",
    [
        '- run: docker build .\n      working-directory: "q{}r"\n',
        "- run: \"docker build -t 'a{}b' .\"\n",
        "- run: \"docker build --target 'a{}b' .\"\n",
    ],
)
def test_control_characters_are_no_inputs(step: str, sign: str) -> None:
    outcome = run(HEAD + SETUP + f"    {step.format(sign)}", others=[], unsafe=True)
    assert (reasons(outcome), outcome.changed) == (["plain-build"], False)


def test_keys_of_a_script_go_with_it() -> None:
    steps = [
        "- shell: bash\n      run: docker build .\n      working-directory: a\n",
        "- run: docker build .\n      name: x\n      working-directory: a\n      shell: sh\n      id: y",
        "- working-directory: a\n      name: x\n      run: docker build .",
    ]
    for step in steps[:2]:
        text = HEAD + SETUP + f"    {step}"
        outcome = run(text, others=[], unsafe=True)
        assert added(text, outcome.text_after) == ["uses"]
        assert "context: a\n" in outcome.text_after
    last = HEAD + SETUP + f"    {steps[2]}"
    assert run(last, others=[], unsafe=True).text_after == last


def test_a_persistent_builder_is_left_alone() -> None:
    assert fix(PLAIN, kind=WORKFLOW).changed
    assert not fix(PLAIN, kind=WORKFLOW, builder=Builder.PERSISTENT).changed


def test_loading_knows_on() -> None:
    assert load("on: yes\n") == {"on": "yes"}
    assert yaml.safe_load("on: yes\n") == {True: True}
