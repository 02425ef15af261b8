"""What all tests share: hypothesis' settings, and when tests that need a container engine run."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

E2E = Path(__file__).parent / "e2e"

# Behind an & of a script, or under nohup, these are ignored, also by the programs that tests start and send them to.
for number, action in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, action)

settings.register_profile(
    "default", deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def _why_no_engine() -> str | None:
    """None if a BuildKit engine answers where `tests/e2e/engine/up` put it, or anywhere if DOCKFIX_E2E_DOCKER=1 says
    that any will do; else what is missing."""
    given = "DOCKFIX_ENGINE" if os.environ.get("DOCKFIX_ENGINE") else "DOCKFIX_E2E_DOCKER"
    if given == "DOCKFIX_E2E_DOCKER" and os.environ.get(given) != "1":
        return "no engine: tests/e2e/run starts one"
    docker = shutil.which("docker")
    if docker is None:
        return f"{given} is set, but there is no docker command on PATH"
    try:
        done = subprocess.run([docker, "buildx", "version"], capture_output=True, text=True, timeout=30, check=False)
        if done.returncode == 0:
            done = subprocess.run([docker, "version"], capture_output=True, text=True, timeout=30, check=False)
    except subprocess.TimeoutExpired:
        return f"{given} is set, but the engine does not answer"
    if done.returncode:
        return f"{given} is set, but the engine does not answer: {done.stderr.strip()}"
    return None


def _e2e_required() -> bool:
    return os.environ.get("DOCKFIX_E2E") == "require"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    builds = [item for item in items if E2E in item.path.parents]
    if not builds:
        return
    why = _why_no_engine()
    if why and _e2e_required():
        pytest.exit(f"DOCKFIX_E2E=require: {why}", returncode=1)
    for item in builds:
        item.add_marker(pytest.mark.e2e)
        if why:
            item.add_marker(pytest.mark.skip(reason=why))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, object, None]:
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.skipped and _e2e_required() and E2E in item.path.parents and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"DOCKFIX_E2E=require: a skip is a failure: {report.longrepr}"
