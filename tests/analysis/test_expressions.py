"""Expressions of GitHub workflows, and what they stand for."""

from __future__ import annotations

import pytest

from fixer.analysis import TooMuchWorkError, workflow_runs
from fixer.analysis.expressions import EXPRESSION, UNKNOWN, Somewhat, goes_on, holds, masked, outcomes, references
from fixer.analysis.workflow import Workflow
from fixer.analysis.workflow_runs import Files, Place, Run, Runs


@pytest.mark.parametrize(
    ("expression", "used"),
    [
        ("matrix.b.c", ["matrix.b.c"]),
        ("matrix['b'].c", ["matrix.b.c"]),
        ("matrix['it''s'][0]", ["matrix.it's.0"]),
        ("Matrix.b", ["matrix.b"]),
        ("matrix.d || matrix.b", ["matrix.d", "matrix.b"]),
        ("'secrets.X'", []),
        ("format('{0}}}', secrets.X)", ["secrets.X"]),
        ("toJSON(secrets)", ["secrets*"]),
        ("matrix.*.b", ["matrix*"]),
        ("matrix.a[inputs.x].c", ["matrix.a*", "inputs.x"]),
        ("true && !false || 1.5e3 == null", []),
        ("always() && success()", []),
        ("github . sha", ["github.sha"]),
        ("", []),
    ],
)
def test_references(expression: str, used: list[str]) -> None:
    found = references(f"a ${{{{ {expression} }}}} secrets.no")
    assert [one.name + ("" if one.exact else "*") for one in found] == used


def test_where_expressions_end() -> None:
    text = "a ${{ format('}}{0}', x.y) }}:b ${{ z }}"
    assert [match[1].strip() for match in EXPRESSION.finditer(text)] == ["format('}}{0}', x.y)", "z"]
    assert masked(text) == "a \0:b \0"
    for text in ("a ${{ secrets.X", "a ${{ '}}' || secrets.X || '"):
        assert [one.name for one in references(text)] == ["secrets.X"]
        assert masked(text) == "a \0"


def test_what_texts_stand_for() -> None:
    action = Workflow(
        "inputs:\n  word: {default: some}\nruns:\n  using: composite\n  steps:\n"
        "  - run: echo\n    env: {OWN: '${{ env.E }}!'}\n"
    )
    caller = Workflow(
        "env: {E: root}\njobs:\n  a:\n    strategy: {matrix: {m: [x, y]}}\n"
        "    env: {E: 'e-${{ matrix.m }}'}\n    steps:\n"
        "    - uses: ./act\n      with: {Word: '${{ env.E }}'}\n    - uses: ./act/\n"
    )
    runs = Runs((("act/action.yml", action), ("w.yml", caller)))
    (job,) = action.jobs
    places = [Place(run, job.steps[0]) for run in runs.of(job)]

    def read(text: str) -> list[str]:
        return [runs.read(text, place) for place in places]

    assert read("${{ inputs.word }}") == ["e-x", "e-y", "some", "some"]
    assert read("${{ matrix.m }} ${{ env.OWN }}") == ["x e-x!", "y e-y!"] * 2
    assert read("${{ github.sha }} ${{ steps['a'].b }}")[0] == "${{ github.sha }} ${{ steps.a.b }}"
    assert read("${{ format('{0}', matrix.m) }}")[1] == "${{ format('{0}', 'y') }}"
    assert read("${{ matrix.none }}")[0] == ""


def test_what_calls_itself_ends() -> None:
    action = Workflow("runs:\n  using: composite\n  steps:\n  - uses: ./act\n    with: {a: '${{ inputs.a }}'}\n")
    runs = Runs((("act/action.yml", action),))
    (job,) = action.jobs
    for run in runs.of(job):
        place = Place(run, job.steps[0])
        assert "inputs.a" in runs.read("${{ inputs.a }}", place)
        assert list(runs.before(place, lambda _: True)) == []
    looped = Workflow("env: {A: '${{ env.B }}', B: '${{ env.A }}'}\njobs:\n  a:\n    steps:\n    - run: echo\n")
    (job,) = looped.jobs
    runs = Runs((("w.yml", looped),))
    assert "env." in runs.read("${{ env.A }}", Place(runs.of(job)[0], job.steps[0]))


def test_runs_are_all_or_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    caller = Workflow("jobs:\n" + "".join(f"  a{n}: {{uses: ./x.yml, with: {{b: c{n}}}}}\n" for n in range(600)))
    called = Workflow("on: workflow_call\njobs:\n  d:\n    steps:\n    - run: echo\n")
    files = (("w.yml", caller), ("x.yml", called))
    runs = Runs(files)
    (job,) = called.jobs
    assert len({runs.read("${{ inputs.b }}", Place(run, job.steps[0])) for run in runs.of(job)}) == 600
    monkeypatch.setattr(workflow_runs, "MAX_STEPS", 1_500)
    runs = Runs(files)
    for _ in range(2):
        with pytest.raises(TooMuchWorkError):
            runs.of(job)


def test_runs_are_made_once_for_all_who_ask() -> None:
    called = "on: workflow_call\njobs:\n  a:\n    uses: ./{}.yml\n"
    texts = {name: called.format(after) for name, after in ("ab", "bc", "cb", "de")}
    texts["e"] = "on: {workflow_call: , push: }\njobs:\n  a:\n    steps:\n    - run: echo\n"
    workflows = {f"{name}.yml": Workflow(text) for name, text in texts.items()}

    def made(runs: Runs, name: str) -> list[list[str]]:
        """The files of each run, from the first that calls."""
        found = []
        for run in runs.of(workflows[name].jobs[0]):
            found.append([runs.path(run)])
            while run.outer is not None:
                run = run.outer
                found[-1].append(runs.path(run))
        return found

    alone = {name: made(Runs(tuple(workflows.items())), name) for name in workflows}
    assert alone["e.yml"] == [["e.yml"], ["e.yml", "d.yml"]]
    for names in (sorted(workflows), sorted(workflows, reverse=True)):
        files = Files(tuple(workflows.items()))
        assert {name: made(Runs(files), name) for name in names} == alone
        assert all(Runs(files).of(one.jobs[0]) is files.runs[one.jobs[0]] for one in workflows.values())
    assert alone["b.yml"] == [["b.yml"]]  # it calls itself by way of another, so that GitHub starts none of its runs


def test_conditions_of_jobs_come_with_those_that_they_need() -> None:
    workflow = Workflow(
        "jobs:\n  a: {if: x, steps: []}\n  b: {needs: a, steps: []}\n  c: {needs: [b, a, none], if: '${{ y }}'}\n"
        "  d: {needs: c, if: always() && z}\n  e: {needs: [d, c]}\n  f: {needs: g, if: u}\n  g: {needs: [f, a]}\n"
    )
    jobs = workflow.by_id
    assert [one.id for one in jobs["c"].needs] == ["b", "a"]
    runs = Runs((("w.yml", workflow),))
    assert {name: set(runs.conditions(jobs[name])) for name in "abcde"} == {
        "a": {"x"}, "b": {"x"}, "c": {"x", "y"}, "d": {"always() && z"}, "e": {"always() && z", "x", "y"},
    }  # fmt: skip
    for names in ("fg", "gf"):  # in a circle, whoever is first
        runs = Runs((("w.yml", workflow),))
        assert [set(runs.conditions(jobs[name])) for name in names] == [{"u", "x"}] * 2


def test_too_much_does_not_depend_on_who_has_asked_before(monkeypatch: pytest.MonkeyPatch) -> None:
    matrix = "strategy: {matrix: {n: [" + ", ".join(map(str, range(40))) + "]}}"
    called = Workflow(f"on: workflow_call\njobs:\n  a:\n    {matrix}\n    steps:\n    - run: echo\n")
    empty = Workflow("jobs:\n  a:\n    strategy: {matrix: {n: []}}\n    uses: ./b.yml\n")
    caller = Workflow(f"jobs:\n  a:\n    {matrix}\n    uses: ./b.yml\n")
    files = (("a.yml", caller), ("b.yml", called), ("c.yml", empty))
    (job,) = called.jobs
    for bound in (1_500, 2_000):
        monkeypatch.setattr(workflow_runs, "MAX_STEPS", bound)
        shared = Files(files)
        for one in (Runs(shared), Runs(shared), Runs(files)):
            if bound == 2_000:
                assert len(one.of(job)) == 1_600
            else:
                with pytest.raises(TooMuchWorkError):
                    one.of(job)
    assert [Runs(shared).of(empty.jobs[0]) for _ in range(2)] == [(), ()]


def test_a_chain_of_jobs_costs_no_more_than_its_length(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = "".join(f"  a{n + 1}: {{needs: a{n}, steps: []}}\n" for n in range(3_000))
    workflow = Workflow(f"jobs:\n  a0: {{if: x, steps: []}}\n{lines}")
    monkeypatch.setattr(workflow_runs, "MAX_STEPS", 4_000)
    runs = Runs((("w.yml", workflow),))
    assert runs.conditions(workflow.jobs[-1]) == ("x",)
    assert all(runs.conditions(job) == ("x",) for job in workflow.jobs)


def test_long_values_are_known() -> None:
    env = f"{{E: '{'e' * 5_000}-${{{{ matrix.m }}}}'}}"
    workflow = Workflow(f"jobs:\n  a:\n    env: {env}\n    steps:\n    - run: echo\n")
    (job,) = workflow.jobs
    run = Run(job, {"m": "x" * 5_000})
    assert Runs((("w.yml", workflow),)).read("${{ env.E }}", Place(run, job.steps[0])) == f"{'e' * 5_000}-{'x' * 5_000}"


def test_values_that_grow_are_too_much() -> None:
    lines = "".join(f"  V{n}: '{f'${{{{ env.V{n + 1} }}}}' * 20}'\n" for n in range(40))
    workflow = Workflow(f"env:\n{lines}jobs:\n  a:\n    steps:\n    - run: echo\n")
    (job,) = workflow.jobs
    runs = Runs((("w.yml", workflow),))
    place = Place(runs.of(job)[0], job.steps[0])
    assert len(list(runs.uses("${{ env.V0 }}", place))) < 1000
    for text in ("${{ env.V0 }}", "a ${{ env.V1 }}"):
        with pytest.raises(TooMuchWorkError):
            runs.read(text, place)


KNOWN = {"github.event_name": "push", "github.ref_type": "branch", "github.ref": Somewhat(True, "refs/heads/")}


@pytest.mark.parametrize(
    ("condition", "value"),
    [
        ("github.event_name == 'Push'", True),
        ("github.event_name != 'push'", False),
        ("(startsWith(github.ref, 'refs/tags/'))", False),
        ("!startsWith(github.ref, 'refs/heads/') && inputs.x", False),
        ("!!startsWith(github.ref, 'refs/heads/')", True),
        ("startsWith(github.ref, 'refs/heads/main')", None),
        ("contains(github.ref, 'refs/tags/')", False),
        ("contains(github.ref, 'release')", None),
        ("github.ref == 'refs/tags/v1'", False),
        ("github.ref == 'refs/heads/main'", None),
        ("contains(fromJSON('[\"push\", \"release\"]'), github.event_name)", True),
        ("needs.*.result || github.ref_type == 'branch'", True),
        ("always() && !cancelled()", None),
        ("github.event.inputs['x'].y == 'z' && false", False),
        ("1 < 2 || 'it''s'", True),
        ("a b", None),
        ("'open", None),
        ("(" * 100 + "true" + ")" * 100, None),
        ("!" * 999 + "true", False),
        ("", None),
    ],
)
def test_whether_a_condition_holds(condition: str, value: bool | None) -> None:
    assert holds(condition, lambda name: KNOWN.get(name, UNKNOWN)) is value


@pytest.mark.parametrize(
    ("condition", "goes"),
    [("always()", True), ("!Cancelled ( )", True), ("success()", False), ("x == 'always()'", False), ("", False)],
)
def test_what_goes_on_behind_a_failure(condition: str, goes: bool) -> None:
    assert goes_on(condition) is goes


@pytest.mark.parametrize(
    ("text", "texts"),
    [
        ("${{ inputs.x && 'a' || 'b' }}", {"a", "b"}),
        (" ${{ github.event_name == 'push' && 'a' || 'b' }} ", {"a"}),
        ("${{ inputs.x == '1' && 'a' || inputs.x == '2' && 'b' || 'c' }}", {"a", "b", "c"}),
        ("${{ (inputs.x || inputs.y) && 'a' || 'b' }}", {"a", "b"}),
        ("${{ 'a' }}", {"a"}),
        ("${{ inputs.x && 'a' }}", None),
        ("${{ inputs.x || 'a' }}", None),
        ("${{ inputs.x && inputs.y || 'a' }}", None),
        ("${{ inputs.x && 'a' || true }}", None),
        ("${{ inputs.x && 'a' || 'b' }}-c", None),
        ("${{ inputs.x && 'a' || }}", None),
        ("a", None),
    ],
)
def test_what_an_expression_chooses_from(text: str, texts: set[str] | None) -> None:
    assert outcomes(text, lambda name: KNOWN.get(name, UNKNOWN)) == texts


def test_long_choices_end() -> None:
    text = "${{ " + " || ".join(f"inputs.x == '{n}' && 'r{n}'" for n in range(5_000)) + " || 'a' }}"
    assert outcomes(text, lambda _: UNKNOWN) is None
