"""Debian's chromium, driven by playwright; its own browsers are not needed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SIZES = {"wide": (1280, 900), "narrow": (360, 740)}


def executable() -> str | None:
    """The browser on this machine; DOCKFIX_CHROMIUM names one that is not on PATH."""
    found = os.environ.get("DOCKFIX_CHROMIUM")
    return found or next((path for path in map(shutil.which, NAMES) if path), None)


def why_no_browser() -> str | None:
    """None if there is one, else what is missing."""
    try:
        import playwright.sync_api  # noqa: F401
    except ImportError:
        return "no playwright: pip install '.[browser]'"
    return None if executable() else "no chromium: apt-get install chromium"


@contextmanager
def launched() -> Iterator[Browser]:
    """The browser, headless. The sandbox is off for root, who cannot have it; the pages are our own."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = driver.chromium.launch(executable_path=executable(), args=arguments)
        try:
            yield browser
        finally:
            browser.close()


def shots(pages: Sequence[Path]) -> None:
    """Whole pages as pictures beside them: NAME-wide-light.png and so on, and NAME.pdf."""
    with launched() as browser:
        for scheme in ("light", "dark"):
            for size, (width, height) in SIZES.items():
                context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
                page = context.new_page()
                for path in pages:
                    page.goto(path.resolve().as_uri())
                    page.screenshot(path=path.with_name(f"{path.stem}-{size}-{scheme}.png"), full_page=True)
                context.close()
        page = browser.new_page()
        for path in pages:
            page.goto(path.resolve().as_uri())
            page.pdf(
                path=path.with_suffix(".pdf"),
                format="A4",
                margin=dict.fromkeys(("top", "bottom", "left", "right"), "1.2cm"),
            )
