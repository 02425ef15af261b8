"""When the tests of this folder run: if there is a browser. With DOCKFIX_BROWSER=require a skip is a failure."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.chromium import launched, why_no_browser

if TYPE_CHECKING:
    from playwright.sync_api import Browser

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    mine = [item for item in items if HERE in item.path.parents]
    why = why_no_browser() if mine else None
    if why and os.environ.get("DOCKFIX_BROWSER") == "require":
        pytest.exit(f"DOCKFIX_BROWSER=require: {why}", returncode=1)
    for item in mine:
        item.add_marker(pytest.mark.browser)
        if why:
            item.add_marker(pytest.mark.skip(reason=why))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, object, None]:
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.skipped and HERE in item.path.parents and os.environ.get("DOCKFIX_BROWSER") == "require":
        report.outcome = "failed"
        report.longrepr = f"DOCKFIX_BROWSER=require: a skip is a failure: {report.longrepr}"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with launched() as one:
        yield one
