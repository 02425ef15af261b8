"""Scopes of repositories made at random: no builds that differ share one, in whatever order files change."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from functools import partial
from itertools import product

import pytest

from fixer.analysis.workflow import BUILD, Workflow
from fixer.engine.kinds import WORKFLOW
from fixer.engine.run import fix

WORDS = ("a", "b", "a-b", "b-a")
USES = ("${{ matrix.x }}", "${{ matrix['y'] }}", "${{ matrix.x }}-${{ matrix.y }}")


def made(rng: random.Random, scripts: bool) -> tuple[str, list[list[tuple[str, str]]]]:
    """A workflow, and for every build the values of the matrix in its runs.

    scripts: with builds that are scripts."""
    text, runs = "on: push\njobs:\n", []
    for number in range(rng.randint(1, 3)):
        xs, ys = rng.sample(WORDS, rng.randint(1, 3)), rng.sample(WORDS, rng.randint(1, 2))
        varies = rng.random() < 0.6
        text += f"  j{number}:\n    runs-on: ubuntu-latest\n"
        text += f"    strategy: {{matrix: {{x: [{', '.join(xs)}], y: [{', '.join(ys)}]}}}}\n" if varies else ""
        values = WORDS + USES if varies else WORDS
        text += "    steps:\n"
        if scripts and rng.random() < 0.5:
            target = f"--target {rng.choice(values)} " if rng.random() < 0.4 else ""
            tag = f"-t acme/{rng.choice(values)}:{rng.choice(values)} " if rng.random() < 0.7 else ""
            text += f"    - run: docker build {target}{tag}./{rng.choice(values)}\n"
            runs.append(list(product(xs, ys)) if varies else [("", "")])
            continue
        text += "    - uses: docker/setup-buildx-action@v3\n"
        for _ in range(rng.randint(1, 2)):
            text += f"    - uses: {BUILD}@v6\n      with:\n        push: true\n"
            text += f"        context: {rng.choice(values)}\n" if rng.random() < 0.7 else ""
            text += f"        target: {rng.choice(values)}\n" if rng.random() < 0.4 else ""
            text += f"        build-args: V={rng.choice(values)}\n" if rng.random() < 0.4 else ""
            text += f"        tags: acme/{rng.choice(values)}:{rng.choice(values)}\n" if rng.random() < 0.7 else ""
            runs.append(list(product(xs, ys)) if varies else [("", "")])
    return text, runs


def filled(text: str, run: tuple[str, str]) -> str:
    x, y = run
    return text.replace("${{ matrix.x }}", x).replace("${{ matrix['y'] }}", y).replace("${{ matrix.y }}", y)


def fixed(texts: dict[str, str], name: str) -> str:
    return fixed_with(texts, name, lambda other, text: Workflow(text))


def reader(texts: dict[str, str]) -> Callable[[str, str], Workflow]:
    """One that gives each the same object for a file as it is stored, as `read_at` does."""
    known = {name: Workflow(text) for name, text in texts.items()}
    return lambda name, text: known[name] if known[name].text == text else Workflow(text)


def fixed_with(texts: dict[str, str], name: str, read: Callable[[str, str], Workflow]) -> str:
    others = [(other, read(other, text)) for other, text in sorted(texts.items()) if other != name]
    return fix(
        texts[name],
        kind=WORKFLOW,
        select=["gha-cache"],
        unsafe_fixes=True,
        place=name,
        workflows=others,
        reader=partial(read, name),
    ).text_after


@pytest.mark.parametrize("scripts", [False, True])
@pytest.mark.parametrize("seed", range(60))
def test_no_scope_holds_two_things(seed: int, scripts: bool) -> None:
    rng = random.Random(seed)
    files = {f".github/workflows/{name}.yml": made(rng, scripts) for name in "abc"[: rng.randint(1, 3)]}
    before = {name: text for name, (text, _) in files.items()}
    after = dict(before)
    for name in rng.sample(sorted(files), len(files)):
        after[name] = fixed(after, name)
    assert after == {name: fixed(before, name) for name in files}
    assert after == {name: fixed(after, name) for name in files}
    assert after == {name: fixed_with(before, name, read) for read in [reader(before)] for name in files}
    held: dict[str, set[tuple[str, ...]]] = {}
    for name, (_, runs) in files.items():
        builds = [step for step in Workflow(after[name]).steps if step.action == BUILD]
        for step, values in zip(builds, runs, strict=True):
            scope = re.search(r"type=gha(?:,mode=max)?(?:,scope=([^,]+))?$", step.input("cache-to") or "")
            assert scope is not None
            inputs = [step.input(one) or "" for one in ("context", "target", "build-args")]
            for run in values:
                held.setdefault(filled(scope[1] or "", run), set()).add(tuple(filled(one, run) for one in inputs))
    assert {scope: keys for scope, keys in held.items() if len(keys) > 1} == {}
