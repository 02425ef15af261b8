"""Proofs made by hand, for what shows them; no engine.

python -m tests.proofs DIRECTORY           the page of each of them, DIRECTORY/NAME.html
python -m tests.proofs DIRECTORY --shots   and how a browser shows them: light and dark, wide and narrow, printed
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import fixer
from fixer.codemods.api import Alters, Safety
from fixer.engine.outcome import AppliedChange, PlacedRefusal
from fixer.prove.model import (
    Build,
    Cause,
    Check,
    Comparison,
    Difference,
    Phase,
    Proof,
    Side,
    Step,
    Times,
    Verdict,
)
from fixer.text.diff import unified_diff
from fixer.text.source import Position

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / "fixer" / "data" / "demo" / "Dockerfile"
MOUNT = "RUN --mount=type=cache,target="
CARGO = f"{MOUNT}/usr/local/cargo/registry --mount=type=cache,target=/app/target cargo build --release"
ENGINE = "Docker Engine 28.5.2, buildx 0.29.1, driver docker"


def step(
    name: str, stage: str, number: int, start: float, seconds: float, *, cached: bool = False, error: str = ""
) -> Step:
    return Step(name, stage, number, start, seconds, cached, error)


def build(side: Side, phase: Phase, seconds: float, steps: Sequence[Step], **more: object) -> Build:
    ok = not more.get("error")
    values = {"target": "", "ok": ok, "image": "sha256:0" if ok else "", "log": "", **more}
    return Build(side=side, phase=phase, seconds=seconds, steps=tuple(steps), **values)  # type: ignore[arg-type]


def own_steps(end: float) -> list[Step]:
    """What the engine does by itself in every build."""
    return [
        step("[internal] load build definition from Dockerfile", "", 0, 0.0, 0.02),
        step("[internal] load metadata for docker.io/library/rust:1.90-slim-bookworm", "", 0, 0.03, 0.41),
        step("[internal] load .dockerignore", "", 0, 0.45, 0.01),
        step("[internal] load build context", "", 0, 0.47, 0.08),
        step("exporting to image", "", 0, end - 0.4, 0.38),
    ]


def steps(
    *, fixed: bool, server: float, apt: float, pip: float, cached: Sequence[int] = ()
) -> tuple[list[Step], float]:
    """A build of the demo, and its end. `cached`: stage * 10 + number."""
    made: list[Step] = []

    def stage(name: str, start: float, rows: Sequence[tuple[str, float]]) -> float:
        at = start
        for number, (text, seconds) in enumerate(rows, 1):
            is_cached = (10 if name == "server" else 20) + number in cached
            took = 0.0 if is_cached else seconds
            made.append(step(text, name, number, at, took, cached=is_cached))
            at += took + 0.004
        return at

    cargo = CARGO + (" && mv target/release/server /tmp/server" if fixed else "")
    end = stage(
        "server",
        0.6,
        [
            ("FROM docker.io/library/rust:1.90-slim-bookworm", 0.01),
            ("WORKDIR /app", 0.05),
            ("COPY server/ .", 0.06),
            (cargo, server),
        ],
    )
    rows = [("FROM docker.io/library/python:3.13-slim-bookworm", 0.01), ("WORKDIR /srv", 0.05)]
    if fixed:
        rows += [
            (
                "RUN rm -f /etc/apt/apt.conf.d/docker-clean;"
                "     echo 'Binary::apt::APT::Keep-Downloaded-Packages \"true\";' > /etc/apt/apt.conf.d/keep-cache",
                0.31,
            ),
            (
                f"{MOUNT}/var/cache/apt,sharing=locked     --mount=type=cache,target=/var/lib/apt/lists"
                "     apt-get update     && apt-get install -y --no-install-recommends         libpq5",
                apt,
            ),
        ]
    else:
        rows += [
            ("RUN apt-get update", apt * 0.4),
            (
                "RUN apt-get install -y --no-install-recommends         libpq5     && rm -rf /var/lib/apt/lists/*",
                apt * 0.6,
            ),
        ]
    pip_run = (
        "RUN --mount=type=cache,target=/root/.cache/pip     pip install -r requirements.txt"
        if fixed
        else "RUN pip install --no-cache-dir -r requirements.txt"
    )
    rows += [("COPY requirements.txt .", 0.05), (pip_run, pip), ("COPY workers/ .", 0.06)]
    last = stage("1", 0.62, rows)
    copy = (
        "COPY --from=server /tmp/server /usr/local/bin/server"
        if fixed
        else "COPY --from=server /app/target/release/server /usr/local/bin/server"
    )
    begin = max(end, last)
    made.append(step(copy, "1", len(rows) + 1, begin, 0.07))
    finish = begin + 0.07 + 0.45
    return [*own_steps(finish)[:4], *made, own_steps(finish)[-1]], finish


def demo() -> Proof:
    """The demo of `dockfix --demo`, as it might be proven: everything went well."""
    source = DEMO.read_bytes()
    outcome = fixer.fix(source)
    diff = unified_diff(outcome.text_before, outcome.text_after, "Dockerfile")
    rebuilt = (11, 12, 21, 22, 23, 24, 25, 26)
    plans = [
        (Phase.FIRST, 0, (38.2, 9.4, 14.8, ()), (37.6, 9.9, 15.1, ())),
        (Phase.EDIT, 0, (36.9, 9.4, 14.8, rebuilt), (4.1, 9.9, 15.1, rebuilt)),
        (Phase.EDIT, 1, (35.7, 9.4, 14.8, rebuilt), (4.4, 9.9, 15.1, rebuilt)),
        (Phase.EDIT, 2, (39.3, 9.4, 14.8, rebuilt), (4.2, 9.9, 15.1, rebuilt)),
        (Phase.REVERT, 0, (36.1, 9.4, 14.8, rebuilt), (4.0, 9.9, 15.1, rebuilt)),
        (
            Phase.DEPENDENCY,
            0,
            (0.0, 9.4, 13.9, (11, 12, 13, 14, 21, 22, 23, 24)),
            (0.0, 9.9, 2.3, (11, 12, 13, 14, 21, 22, 23, 24)),
        ),
        (Phase.EMPTIED, 0, (36.6, 9.4, 14.8, rebuilt), (37.2, 9.9, 15.1, rebuilt)),
    ]
    builds = []
    for phase, repeat, *both in plans:
        for side, (server, apt, pip, cached) in zip(Side, both, strict=True):
            made, end = steps(fixed=side is Side.FIXED, server=server, apt=apt, pip=pip, cached=cached)
            builds.append(build(side, phase, end, made, repeat=repeat))
            if phase is Phase.FIRST and side is Side.ORIGINAL:
                made, end = steps(fixed=False, server=37.1, apt=9.8, pip=14.1)
                builds.append(build(side, Phase.AGAIN, end, made))

    def times(what: str, phase: Phase) -> Times:
        of = {side: [b for b in builds if b.side is side and b.phase is phase] for side in Side}
        whole = [tuple(b.seconds for b in of[side]) for side in Side]
        runs = [tuple(b.run_seconds for b in of[side]) for side in Side]
        return Times(what, phase, whole[0], whole[1], runs[0], runs[1])

    noise = [
        f"/var/{path}"
        for path in ("cache/ldconfig/aux-cache", "log/apt/history.log", "log/apt/term.log", "log/dpkg.log")
    ]
    named = [
        Difference("/etc/apt/apt.conf.d/docker-clean", "only before", Cause.NAMED, "apt-cache"),
        Difference("/etc/apt/apt.conf.d/keep-cache", "only after", Cause.NAMED, "apt-cache"),
    ]
    differences = [*named, *(Difference(path, "content", Cause.NOISE) for path in noise)]
    return Proof(
        dockerfile="Dockerfile",
        context=".",
        targets=("",),
        engine=ENGINE,
        changes=outcome.changes,
        withheld=(),
        refusals=outcome.refusals,
        diff=diff,
        edited="server/src/main.rs",
        dependency="requirements.txt",
        builds=tuple(builds),
        comparisons=(
            Comparison(Phase.FIRST, "", 4211, tuple(differences)),
            Comparison(Phase.EDIT, "", 4211, tuple(differences[:3])),
        ),
        checks=(
            Check("builds", "Does it build?", Verdict.PASSED, "Both build from nothing."),
            Check(
                "same-image",
                "Is it the same image?",
                Verdict.PASSED,
                "4,211 paths and the configuration: 2 differences are named by apt-cache, 4 are noise.",
            ),
            Check(
                "edit-arrives",
                "Does an edit arrive in the image?",
                Verdict.IMPROVED,
                "Edited server/src/main.rs.\nThe original's /usr/local/bin/server is stale.",
            ),
            Check(
                "revert-arrives",
                "Is the edit gone when it is taken back?",
                Verdict.PASSED,
                "/usr/local/bin/server is that of the first build again.",
            ),
            Check(
                "dependency-builds",
                "Does it build after a dependency change?",
                Verdict.PASSED,
                "A comment line was added to requirements.txt.",
            ),
            Check(
                "emptied-builds",
                "Does it build with emptied cache mounts?",
                Verdict.PASSED,
                "3 cache mounts were emptied while the layers stayed; it builds, and the edit arrives.",
            ),
        ),
        times=(
            times("first build", Phase.FIRST),
            times("rebuild after an edit of server/src/main.rs", Phase.EDIT),
            times("rebuild after a change of requirements.txt", Phase.DEPENDENCY),
        ),
        seconds=402.8,
    )


def change(
    codemod: str, title: str, why: str, line: int, risk: str = "", alters: Alters | None = None
) -> AppliedChange:
    safety = Safety.UNSAFE if risk else Safety.SAFE
    place = Position(line, 1)
    return AppliedChange(codemod, title, why, safety, risk, place, place, 0, (), alters or Alters())


def broken() -> Proof:
    """The fix broke it in every way, with two targets; something was refused and something withheld."""
    good = demo()
    first = [b for b in good.builds if b.phase is Phase.FIRST]
    log = "#9 [server 4/4] RUN cargo build\n" + "".join(
        f"#9 {n / 10:.1f}   \x1b[32mCompiling\x1b[0m crate-{n} v0.{n}.0\n" for n in range(260)
    )
    log += '#9 ERROR: process "/bin/sh -c cargo build --release" did not complete successfully: exit code: 101\n'
    error = 'process "/bin/sh -c cargo build --release" did not complete successfully: exit code: 101'
    emptied = build(
        Side.FIXED,
        Phase.EMPTIED,
        12.2,
        [step("COPY server/ .", "server", 3, 0.4, 0.1, cached=True), step(CARGO, "server", 4, 0.5, 11.6, error=error)],
        error=error,
        log=log,
    )
    unexplained = [
        Difference("/usr/local/bin/server", "only before", Cause.UNEXPLAINED),
        Difference(
            "/usr/local/lib/python3.13/site-packages/psycopg/__pycache__/_connection_base.cpython-313.pyc",
            "mode 0644, now 0755",
            Cause.UNEXPLAINED,
        ),
        Difference("config: Env PATH", "/usr/bin, now /bin", Cause.UNEXPLAINED),
    ]
    risk = "a build on a builder with another architecture may use a cache that was filled for the first"
    return dataclasses.replace(
        good,
        targets=("", "server"),
        builds=(*good.builds, emptied, *(dataclasses.replace(one, target="server") for one in first)),
        comparisons=(
            Comparison(Phase.FIRST, "", 4211, (*unexplained, *good.comparisons[0].differences)),
            Comparison(Phase.FIRST, "server", 18_042, ()),
        ),
        changes=(
            *good.changes,
            change(
                "cargo-target-cache",
                "keep target/ in a cache mount",
                "The binary is copied out.",
                7,
                risk,
                Alters(("/app/target",), ("Env CARGO_HOME",)),
            ),
        ),
        withheld=(
            change(
                "apt-cache",
                "mount apt's caches",
                "They are the same packages.",
                12,
                "the list of packages may be older than the index says",
            ),
        ),
        refusals=(
            PlacedRefusal(
                "pip-cache",
                "unknown-user",
                "the number of svc is not in the file, and without it that user could not write to the mount",
                "USER svc",
                Position(6, 1),
                Position(9, 1),
            ),
        ),
        checks=(
            Check("builds", "Does it build?", Verdict.PASSED, "Both build from nothing."),
            Check(
                "same-image",
                "Is it the same image?",
                Verdict.FAILED,
                "3 differences are unexplained:\n/usr/local/bin/server: only before\nand 2 more",
            ),
            Check(
                "same-image:server",
                "Is it the same image (stage server)?",
                Verdict.PASSED,
                "18,042 paths, no difference.",
            ),
            Check(
                "edit-arrives",
                "Does an edit arrive in the image?",
                Verdict.NOT_CHECKED,
                "Tried server/src/main.rs and workers/workers.py; none of them changes a file of the image.",
            ),
            Check("emptied-builds", "Does it build with emptied cache mounts?", Verdict.FAILED, error),
        ),
        times=(
            dataclasses.replace(good.times[0], after=(73.1,), run_after=(71.0,)),
            dataclasses.replace(good.times[1], before=(0.02,), after=(0.03,), run_before=(0.0,), run_after=(0.0,)),
            dataclasses.replace(good.times[2], before=(10.0, 10.2), after=(10.1,), run_before=(9.0,), run_after=()),
        ),
    )


EVIL = "</script></style></title><img src=x onerror=alert(1)>\"'`&lt;{{ 7 * 7 }}"
EVIL += "\u202e\x1b[31m\x00\udcff\ud800\ufffe\r\n-->"


def hostile() -> Proof:
    """Every string tries to become something else."""
    good = broken()
    bad = change(EVIL, EVIL, EVIL, 3, EVIL, Alters((EVIL,), (EVIL,)))
    made = [step(EVIL * 9, EVIL, 1, 0.0, 1.0, error=EVIL), step(EVIL, EVIL, 2, 1.0, 0.0), step(EVIL, "", 0, 0.0, 1.0)]
    return Proof(
        dockerfile=EVIL,
        context=EVIL,
        targets=(EVIL,),
        engine=EVIL,
        changes=(bad,),
        withheld=(bad,),
        refusals=(PlacedRefusal(EVIL, EVIL, EVIL, EVIL, Position(1, 1), Position(1, 1)),),
        diff=f"--- a/{EVIL}\n+++ b/{EVIL}\n@@ -1,2 +1,2 @@\n {EVIL}\n-{EVIL}\n+{EVIL}\n+{EVIL}x\n\\ No newline\n",
        edited=EVIL,
        dependency=EVIL,
        builds=(build(Side.ORIGINAL, Phase.FIRST, 1.0, made, target=EVIL, log=EVIL, error=EVIL),),
        comparisons=(Comparison(Phase.FIRST, EVIL, 1, tuple(Difference(EVIL, EVIL, cause, EVIL) for cause in Cause)),),
        checks=tuple(Check(EVIL, EVIL, verdict, EVIL) for verdict in Verdict),
        times=(dataclasses.replace(good.times[0], what=EVIL),),
        seconds=1.0,
        original_fails=EVIL,
    )


def many() -> Proof:
    """200 steps in 12 stages, some of them tiny; the fixed build has them all cached. Long names."""
    good = demo()
    names = [
        "RUN echo %d && make -C /src/packages/component-%d all install DESTDIR=/opt/component CFLAGS='-O2 -g'",
        "COPY packages/component-%d-%d /src",
        "RUN true # %d %d",
    ]
    lengths = (7.3, 0.04, 0.0007)
    slow, fast = [], []
    at = [0.5] * 12
    for n in range(200):
        where = n % 12
        name, seconds = names[n % 3] % (n, n) + " x" * (n if n % 50 == 0 else 0), lengths[n % 3] * (1 + n % 7)
        slow.append(step(name, f"component-{where}", n // 12 + 1, at[where], seconds))
        fast.append(step(name, f"component-{where}", n // 12 + 1, 0.4 + n * 0.0011, 0.0, cached=n != 199))
        at[where] += seconds
    end = max(at)
    builds = [
        build(Side.ORIGINAL, Phase.FIRST, end + 3, [*slow, *own_steps(end + 3)]),
        build(Side.FIXED, Phase.FIRST, end, slow),
        build(Side.ORIGINAL, Phase.EDIT, 1.4, fast),
        build(Side.FIXED, Phase.EDIT, 1.1, fast),
    ]
    return dataclasses.replace(good, builds=tuple(builds))


def not_building() -> Proof:
    """The original does not build."""
    good = demo()
    error = "failed to solve: rust:1.9-slim: docker.io/library/rust:1.9-slim: not found"
    failing = build(Side.ORIGINAL, Phase.FIRST, 0.0, [], error=error, log=f"ERROR: {error}\n")
    return dataclasses.replace(
        good, builds=(failing,), checks=(), comparisons=(), times=(), original_fails=error, edited="", dependency=""
    )


def nothing() -> Proof:
    """A Dockerfile that dockfix leaves as it is."""
    return Proof("Dockerfile", ".", (), ENGINE, (), (), (), "", "", "", (), (), (), (), 0.0)


def unseen() -> Proof:
    """Proven as far as it goes: two checks could not be made. CR LF in the diff, and a byte that is not UTF-8."""
    good = demo()
    before = "FROM python:3.13\r\n# caf\udce9 \u200b\r\nRUN pip install --no-cache-dir flask\r\n"
    after = before.replace(
        "RUN pip install --no-cache-dir flask",
        "RUN --mount=type=cache,target=/root/.cache/pip \\\r\n    pip install flask",
    )
    checks = [dataclasses.replace(c, verdict=Verdict.NOT_CHECKED) if "arrives" in c.id else c for c in good.checks]
    return dataclasses.replace(
        good, diff=unified_diff(before, after, "Dockerfile"), checks=tuple(checks), changes=good.changes[-2:-1]
    )


PROOFS: dict[str, Callable[[], Proof]] = {
    "demo": demo, "broken": broken, "hostile": hostile, "many": many, "not-building": not_building, "nothing": nothing,
    "unseen": unseen,
}  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    from fixer.prove.as_html import page

    parser = argparse.ArgumentParser(prog="python -m tests.proofs", description="Pages of proofs made by hand.")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--shots", action="store_true", help="screenshots too; needs playwright and chromium")
    args = parser.parse_args(argv)
    args.directory.mkdir(parents=True, exist_ok=True)
    pages = []
    for name, make in PROOFS.items():
        path = args.directory / f"{name}.html"
        path.write_text(page(make()), "utf-8")
        pages.append(path)
    if args.shots:
        from tests.browser.chromium import shots

        shots(pages)
    return 0


if __name__ == "__main__":
    sys.exit(main())
