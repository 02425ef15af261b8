"""The page of a proof in a real browser: it asks for nothing, complains of nothing, and all of it can be read."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fixer.prove.as_html import page as page_of
from tests.browser.chromium import SIZES
from tests.proofs import PROOFS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

Opened = Callable[..., "Page"]
EVERY = pytest.mark.parametrize("name", PROOFS)
BOTH_SIZES = pytest.mark.parametrize("size", SIZES)
BOTH_SCHEMES = pytest.mark.parametrize("scheme", ["light", "dark"])

OPEN_ALL = "document.querySelectorAll('details').forEach(one => one.open = true)"

SEEN = """
const seen = node => node.checkVisibility({checkOpacity: true, checkVisibilityCSS: true})
  && !node.closest('.unseen, .skip, .store') && !(node.closest('thead')?.clientWidth <= 1);
"""

TOO_WIDE = (
    SEEN
    + """
const wide = document.documentElement.clientWidth;
const found = [...document.body.querySelectorAll('*')].filter(seen).filter(node => {
  const box = node.getBoundingClientRect();
  return box.width > 0 && (box.right > wide + 0.5 || box.left < -0.5);
}).map(node => node.outerHTML.slice(0, 120));
return found.concat(document.documentElement.scrollWidth > wide ? ['the page scrolls sideways'] : []);
"""
)
"""What reaches out of the window."""

CLIPPED = (
    SEEN
    + """
const boxes = [...document.body.querySelectorAll('*')].filter(node => !(node instanceof SVGElement));
return boxes.filter(seen).filter(node => {
  const style = getComputedStyle(node);
  const hides = value => value !== 'visible';
  const across = hides(style.overflowX) && node.scrollWidth > node.clientWidth + 1;
  const down = hides(style.overflowY) && style.overflowY !== 'auto' && node.scrollHeight > node.clientHeight + 1;
  return across || down;
}).map(node => node.outerHTML.slice(0, 120));
"""
)
"""Boxes whose content is larger than they are; those that scroll down (logs) may be."""

PICTURES = (
    SEEN
    + """
const inside = (box, frame) => box.left >= frame.left - 0.5 && box.right <= frame.right + 0.5
  && box.top >= frame.top - 0.5 && box.bottom <= frame.bottom + 0.5;
return [...document.querySelectorAll('svg.timeline')].filter(seen).map(svg => {
  const frame = svg.getBoundingClientRect();
  const bars = [...svg.querySelectorAll('.bar')], texts = [...svg.querySelectorAll('text')];
  const lost = [...bars, ...texts].filter(node => !inside(node.getBoundingClientRect(), frame));
  const rows = {};
  for (const node of [...bars, ...svg.querySelectorAll('.step text.beside')]) {
    const bar = node.parentNode.querySelector('.bar'), box = node.getBoundingClientRect();
    (rows[bar.getAttribute('y')] ??= []).push([box.left, box.right, node.outerHTML.slice(0, 150)]);
  }
  const clashes = [];
  for (const row of Object.values(rows)) {
    row.sort((a, b) => a[0] - b[0]);
    row.slice(1).forEach((one, i) => { if (one[0] < row[i][1] - 0.5) clashes.push(row[i][2] + ' | ' + one[2]); });
  }
  const spill = [...svg.querySelectorAll('.step text.inside')].filter(node =>
    !inside(node.getBoundingClientRect(), node.parentNode.querySelector('.bar').getBoundingClientRect()));
  const scale = frame.width / svg.viewBox.baseVal.width;
  const sizes = texts.map(node => parseFloat(getComputedStyle(node).fontSize) * scale);
  return {
    bars: bars.length,
    lost: lost.map(node => node.outerHTML.slice(0, 150)),
    clashes,
    spill: spill.map(node => node.textContent),
    smallest: Math.min(...sizes),
    thinnest: Math.min(...bars.map(node => node.getBoundingClientRect().width)),
    invisible: bars.filter(node => ['none', 'rgba(0, 0, 0, 0)'].includes(getComputedStyle(node).fill)).length,
  };
});
"""
)
"""What a browser makes of each timeline that is shown."""

CONTRAST = (
    SEEN
    + """
const parse = text => text.match(/[\\d.]+/g).map(Number);
const channel = c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const back = node => {
  for (; node; node = node.parentElement) {
    const color = parse(getComputedStyle(node).backgroundColor);
    if (color.length < 4 || color[3] === 1) return color;
  }
  return [255, 255, 255];
};
const weak = {};
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
let count = 0;
while (walker.nextNode()) {
  const node = walker.currentNode.parentElement;
  if (!node || !walker.currentNode.data.trim() || node instanceof SVGElement || !seen(node)) continue;
  count++;
  const color = parse(getComputedStyle(node).color), behind = back(node);
  const [low, high] = [luminance(color), luminance(behind)].sort((a, b) => a - b);
  const ratio = (high + 0.05) / (low + 0.05);
  if (ratio < 4.5) weak[node.tagName + '.' + node.className] = ratio;
}
return {count, weak};
"""
)
"""Texts whose colour is too near to what is behind them."""


def evaluate(page: Page, body: str) -> Any:
    return page.evaluate(f"() => {{ {body} }}")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    paths = {name: folder / f"{name}.html" for name in PROOFS}
    for name, path in paths.items():
        path.write_text(page_of(PROOFS[name]()), "utf-8")
    return paths


@pytest.fixture
def opened(browser: Browser, files: dict[str, Path]) -> Iterator[Opened]:
    """Opens a page; at the end nothing may have been fetched and nothing may stand in the console."""
    contexts, requests, complaints = [], [], []

    def listen(page: Page) -> None:
        page.on("request", lambda request: requests.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(f"a dialog: {dialog.message}"))

    def open_(name: str, size: str = "wide", scheme: str = "light") -> Page:
        width, height = SIZES[size]
        window = {"width": width, "height": height}
        context = browser.new_context(viewport=window, color_scheme=scheme)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        listen(page)
        page.goto(files[name].as_uri())
        return page

    yield open_
    for context in contexts:
        context.close()
    assert {url for url in requests if not url.startswith("file://")} == set()
    assert len(requests) == len(contexts), "the page itself, and nothing else"
    assert complaints == []


@BOTH_SIZES
@EVERY
def test_everything_has_room(name: str, size: str, opened: Opened) -> None:
    """No sideways scrolling and nothing cut off, folded and unfolded."""
    page = opened(name, size)
    assert evaluate(page, TOO_WIDE) == []
    page.evaluate(OPEN_ALL)
    assert evaluate(page, TOO_WIDE) == []
    assert evaluate(page, CLIPPED) == []


@BOTH_SIZES
@EVERY
def test_pictures(name: str, size: str, opened: Opened) -> None:
    """One layout of each is shown, with all of its bars, in letters that can be read; nothing covers anything."""
    page = opened(name, size)
    page.evaluate(OPEN_ALL)
    found = evaluate(page, PICTURES)
    builds = PROOFS[name]().builds
    assert len(found) == len({(build.phase, build.target) for build in builds})
    for picture in found:
        assert picture["lost"] == []
        assert picture["clashes"] == []
        assert picture["spill"] == []
        assert picture["smallest"] >= 9.5
        if picture["bars"]:
            assert picture["thinnest"] >= 3
        assert picture["invisible"] == 0
    if any(build.steps for build in builds):
        assert sum(picture["bars"] for picture in found) > 0


@BOTH_SCHEMES
@EVERY
def test_texts_stand_out(name: str, scheme: str, opened: Opened) -> None:
    page = opened(name, "wide", scheme)
    page.evaluate(OPEN_ALL)
    found = evaluate(page, CONTRAST)
    assert found["count"] > 20
    assert found["weak"] == {}


@BOTH_SCHEMES
@BOTH_SIZES
def test_screenshots(size: str, scheme: str, opened: Opened, tmp_path: Path) -> None:
    """The whole page has a picture, in the reader's scheme. `python -m tests.proofs DIR --shots` is for looking."""
    page = opened("demo", size, scheme)
    shot = page.screenshot(path=tmp_path / "shot.png", full_page=True)
    width, height = struct.unpack(">II", shot[16:24])
    assert width == SIZES[size][0]
    assert height > 3 * SIZES[size][1]
    assert len(shot) > 100_000
    color = page.evaluate("getComputedStyle(document.body).backgroundColor")
    (red,) = re.findall(r"rgb\((\d+),", color)
    assert (int(red) > 240) if scheme == "light" else (int(red) < 40)


def test_folded_parts_open(opened: Opened) -> None:
    page = opened("broken")
    for summary in page.locator("main > section > details > summary, figure > details > summary").all():
        if not summary.is_visible():
            continue
        body = summary.locator("xpath=following-sibling::*[1]")
        assert not body.is_visible()
        summary.press("Enter")
        assert body.is_visible()


def test_links_within_the_page(opened: Opened) -> None:
    page = opened("broken")
    page.locator("#changes a").first.click()
    row = page.locator("#diff tr:target")
    assert row.count() == 1
    box = row.bounding_box()
    assert box
    assert 0 <= box["y"] < SIZES["wide"][1]
    for link in page.locator("nav a").all():
        link.click()
        heading = page.locator(f"{link.get_attribute('href')} h2").bounding_box()
        assert heading
        assert 0 <= heading["y"] < SIZES["wide"][1]


def test_what_a_screen_reader_is_told(opened: Opened) -> None:
    """Also on a phone, where tables are laid out as blocks."""
    page = opened("broken", "narrow")
    assert page.get_by_role("heading", level=1).inner_text() == "Not proven: 2 of 5 checks failed"
    checks = page.locator("#checks").get_by_role("table")
    assert checks.get_by_role("row").count() == 6
    assert checks.get_by_role("rowheader", name="Is it the same image?").count() == 1
    assert page.get_by_role("navigation", name="On this page").get_by_role("link").count() == 9
    pictures = page.get_by_role("img")
    assert pictures.count() == 3
    assert "Fixed: 5.4 s: 4 steps ran, 8 cached" in (pictures.nth(1).get_attribute("aria-label") or "")
    diff = page.locator("#diff").get_by_role("table", name="Changes of Dockerfile, line by line")
    assert diff.get_by_role("columnheader").count() == 4


@BOTH_SCHEMES
def test_on_paper(scheme: str, opened: Opened) -> None:
    """Black on white, with tables and pictures as on a wide screen, whatever the screen is."""
    page = opened("demo", "narrow", scheme)
    page.emulate_media(media="print", color_scheme=scheme)  # type: ignore[arg-type]
    assert page.locator("svg.timeline.wide").first.is_visible()
    assert not page.locator("svg.timeline.narrow").first.is_visible()
    assert not page.locator("nav").is_visible()
    assert page.evaluate("getComputedStyle(document.querySelector('.checks tr')).display") == "table-row"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    paper = page.pdf(format="A4")
    assert paper.startswith(b"%PDF")
    assert 3 <= len(re.findall(rb"/Type /Page\b(?!s)", paper)) <= 12
