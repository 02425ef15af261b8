"""What a workflow must be after dockfix: valid by the schema, and the same data but for what was added.

The schema is SchemaStore's, as the package check-jsonschema carries it.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

HELPERS = ("docker/setup-buildx-action@", "actions/cache@", "reproducible-containers/buildkit-cache-dance@")
ADDED = ("cache-from", "cache-to", "load")


class _Loader(yaml.SafeLoader):
    """`on` is a word, as it is to GitHub."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load(text: str | bytes) -> Any:
    return yaml.load(text, Loader=_Loader)


def schema_faults(paths: Iterable[Path]) -> str:
    """What the schemas say of workflows and of actions; empty if nothing."""
    files = sorted(paths)
    said = ""
    for schema, mine in (
        ("vendor.github-workflows", [path for path in files if path.stem != "action"]),
        ("vendor.github-actions", [path for path in files if path.stem == "action"]),
    ):
        if not mine:
            continue
        command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *map(str, mine)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        said += (done.stdout + done.stderr) if done.returncode else ""
    return said


def added(before: str | bytes, after: str | bytes) -> list[str]:
    """The keys and steps that are only in the workflow after; an AssertionError if anything else differs. Written apart
    from the check that dockfix itself does."""
    found: list[str] = []
    old, new = load(before), load(after)
    assert _without_steps(old) == _without_steps(new)
    for was, now in zip(_step_lists(old), _step_lists(new), strict=True):
        rest = list(now)
        for step in was:
            while not _is(rest[0], step) and str(rest[0].get("uses", "")).startswith(HELPERS):
                found.append(rest.pop(0)["uses"])
            found += _difference(step, rest.pop(0))
        assert rest == []
    return found


def _is(new: Any, old: Any) -> bool:
    """Whether a step is an old one, which may have got an id."""
    return bool(new == old or {key: value for key, value in new.items() if key != "id"} == old)


def _difference(old: Any, new: Any) -> list[str]:
    if old == new:
        return []
    if "run" in old and "run" not in new:
        gone, came = {"run", "shell", "working-directory"}, {"uses", "with"}
        assert {key: value for key, value in old.items() if key not in gone} == {
            key: value for key, value in new.items() if key not in came
        }
        assert new["uses"].startswith("docker/build-push-action@")
        return ["uses"]
    if "id" not in old and "id" in new:
        return ["id", *_difference({**old, "id": new["id"]}, new)]
    inputs, now = old.get("with") or {}, new["with"]
    assert {**old, "with": None} == {**new, "with": None}
    assert {key: now[key] for key in inputs} == inputs
    more = [key for key in now if key not in inputs]
    assert set(more) <= set(ADDED)
    return more


def _step_lists(data: Any) -> list[list[Any]]:
    if not isinstance(data, dict):
        return []
    holders = [*(data.get("jobs") or {}).values(), data.get("runs") or {}]
    return [one["steps"] for one in holders if isinstance(one, dict) and isinstance(one.get("steps"), list)]


def _without_steps(data: Any) -> Any:
    if not isinstance(data, dict):
        return data
    copy = dict(data)
    for key in ("jobs", "runs"):
        if isinstance(copy.get(key), dict):
            holders = {"": copy[key]} if key == "runs" else copy[key]
            bare = {name: {k: v for k, v in one.items() if k != "steps"} if isinstance(one, dict) else one
                    for name, one in holders.items()}  # fmt: skip
            copy[key] = bare[""] if key == "runs" else bare
    return copy
