"""A proof as JSON, schema version 1.

    {
      "schema": 1,                     grows when a field changes its meaning or goes; new fields may come without
      "dockfix": "0.1.0",              the version that wrote this
      "verdict": "proven",             proven, not-proven, nothing-to-change, original-fails (the original does not
                                       build), broke-off (the engine failed on the way)
      "dockerfile": "Dockerfile",
      "context": ".",
      "targets": [""],                 the stages that were built; "" is the last one
      "engine": "Docker Engine …",
      "seconds": 81.2,                 the whole of it
      "changes": [], "withheld": [], "refusals": [],   as in the report of dockfix --format json
      "diff": "--- a/Dockerfile…",     a unified diff, empty if nothing changes
      "edited": "src/main.rs",         the file of the context that was edited; "" if none was
      "dependency": "…",               what was changed so that the dependencies are installed again
      "original_fails": "",            the engine's error, if the original does not build
      "broke_off": "",                 why it was not finished, if it was not
      "checks": [
        {
          "id": "edit-arrives",        changes-built, builds, same-image, edit-arrives, same-after-edit, revert-arrives,
                                       dependency-builds, same-after-dependency, emptied-builds, layers-kept; with
                                       ":STAGE" behind it for another stage than the last
          "title": "…",
          "verdict": "passed",         passed, failed, not checked, improved (the original fails it)
          "detail": "…"                what was seen; may have several lines
        }
      ],
      "comparisons": [
        {
          "phase": "first",            the build whose images were compared: see "builds"
          "target": "",
          "paths": 3812,               how many paths the two have together
          "differences": [
            {
              "place": "/app/x",       a path, or "config: Env PATH"
              "what": "content",
              "cause": "unexplained",  or "named" (by a codemod), or "noise" (the original differs from itself there)
              "codemod": ""            which one names it
            }
          ]
        }
      ],
      "times": [
        {
          "what": "rebuild after an edit of src/main.rs",
          "phase": "edit",
          "before": [30.1], "after": [4.9],            seconds, build by build
          "run_before": [29.0], "run_after": [4.1],    in RUN steps alone
          "speedup": 6.14, "run_speedup": 7.07         of medians; below 1 is slower; null if not measured
        }
      ],
      "builds": [                      in their order
        {
          "side": "original",          or fixed
          "phase": "first",            first, again, edit, revert, dependency, emptied
          "target": "",
          "repeat": 0,
          "ok": true,
          "image": "sha256:…",         removed when verify ends
          "seconds": 41.2,
          "run_seconds": 38.0,
          "error": "",                 the engine's, or why it was stopped
          "log": "",                   what the steps printed, if it failed
          "steps": [
            {
              "name": "RUN cargo build",   as the engine names it
              "stage": "builder",          its name or number; "" for steps of the engine's own
              "number": 4,                 which of its stage, from 1
              "start": 1.2,                seconds after the build's start
              "seconds": 38.0,
              "cached": false,
              "done": true,                false: stopped before its end
              "error": ""
            }
          ]
        }
      ]
    }
"""

from __future__ import annotations

import json
from typing import Any

from fixer._version import __version__
from fixer.prove.model import Build, Check, Comparison, Proof, Step, Times
from fixer.report.json import change_object, refusal_object

SCHEMA = 1


def document(proof: Proof) -> str:
    """The whole proof; ends in LF."""
    report = {
        "schema": SCHEMA,
        "dockfix": __version__,
        "verdict": verdict(proof),
        "dockerfile": proof.dockerfile,
        "context": proof.context,
        "targets": list(proof.targets),
        "engine": proof.engine,
        "seconds": _rounded(proof.seconds),
        "changes": [change_object(change) for change in proof.changes],
        "withheld": [change_object(change) for change in proof.withheld],
        "refusals": [refusal_object(refusal) for refusal in proof.refusals],
        "diff": proof.diff,
        "edited": proof.edited,
        "dependency": proof.dependency,
        "original_fails": proof.original_fails,
        "broke_off": proof.broke_off,
        "checks": [_check(check) for check in proof.checks],
        "comparisons": [_comparison(comparison) for comparison in proof.comparisons],
        "times": [_times(times) for times in proof.times],
        "builds": [_build(build) for build in proof.builds],
    }
    return json.dumps(report, indent=2) + "\n"


def verdict(proof: Proof) -> str:
    """`proven`, `not-proven`, `nothing-to-change`, `original-fails` or `broke-off`."""
    if proof.broke_off:
        return "broke-off"
    if proof.original_fails:
        return "original-fails"
    if not proof.changes:
        return "nothing-to-change"
    return "proven" if proof.proven else "not-proven"


def _check(check: Check) -> dict[str, Any]:
    return {"id": check.id, "title": check.title, "verdict": check.verdict.value, "detail": check.detail}


def _comparison(comparison: Comparison) -> dict[str, Any]:
    return {
        "phase": comparison.phase.value,
        "target": comparison.target,
        "paths": comparison.paths,
        "differences": [
            {"place": one.place, "what": one.what, "cause": one.cause.value, "codemod": one.codemod}
            for one in comparison.differences
        ],
    }


def _times(times: Times) -> dict[str, Any]:
    return {
        "what": times.what,
        "phase": times.phase.value,
        "before": [_rounded(value) for value in times.before],
        "after": [_rounded(value) for value in times.after],
        "run_before": [_rounded(value) for value in times.run_before],
        "run_after": [_rounded(value) for value in times.run_after],
        "speedup": _rounded(times.speedup) or None,
        "run_speedup": _rounded(times.run_speedup) or None,
    }


def _build(build: Build) -> dict[str, Any]:
    return {
        "side": build.side.value,
        "phase": build.phase.value,
        "target": build.target,
        "repeat": build.repeat,
        "ok": build.ok,
        "image": build.image,
        "seconds": _rounded(build.seconds),
        "run_seconds": _rounded(build.run_seconds),
        "error": build.error,
        "log": "" if build.ok else build.log,
        "steps": [_step(step) for step in build.steps],
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "name": step.name,
        "stage": step.stage,
        "number": step.number,
        "start": _rounded(step.start),
        "seconds": _rounded(step.seconds),
        "cached": step.cached,
        "done": step.done,
        "error": step.error,
    }


def _rounded(value: float) -> float:
    return round(value, 3)
