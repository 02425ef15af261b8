"""The page of a proof, read by a parser: what it says, that it says it to everybody, and that nothing breaks out."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import html5lib
import pytest
import tinycss2

from fixer.prove.as_html import page
from fixer.prove.model import Build, Cause, Comparison, Difference, Phase, Proof, Side, Times, Verdict
from fixer.prove.visible import of_a_terminal, parts, plain
from fixer.text.diff import unified_diff
from tests.proofs import EVIL, PROOFS, build, demo, not_building, nothing

ROOT = Path(__file__).resolve().parents[2]
EVERY = pytest.mark.parametrize("name", PROOFS)
ELEMENTS = {
    *("html", "head", "meta", "title", "style", "body", "header", "nav", "main", "section"),
    *(
        "h1",
        "h2",
        "h3",
        "p",
        "div",
        "span",
        "a",
        "b",
        "br",
        "code",
        "pre",
        "strong",
        "ul",
        "ol",
        "li",
        "dl",
        "dt",
        "dd",
    ),
    *("table", "caption", "colgroup", "col", "thead", "tbody", "tr", "th", "td", "details", "summary"),
    *("figure", "figcaption", "svg", "defs", "pattern", "symbol", "path", "rect", "line", "text", "tspan", "g", "use"),
}
NUMBERS = ("x", "y", "width", "height", "x1", "x2", "y1", "y2", "textLength")
Node = Any  # an element of xml.etree, which html5lib makes


def text_of(node: Node) -> str:
    return "".join(node.itertext())


BLOCKS = {"td", "th", "tr", "br", "p", "li", "dt", "dd", "div", "caption", "summary", "h1", "h2", "h3", "title"}


def words(node: Node) -> str:
    """The text of a node in one line, with blanks between blocks."""

    def pieces(of: Node) -> Iterator[str]:
        apart = isinstance(of.tag, str) and of.tag.rpartition("}")[2] in BLOCKS
        yield " " * apart + (of.text or "")
        for child in of:
            yield from pieces(child)
            yield child.tail or ""
        yield " " * apart

    return " ".join("".join(pieces(node)).split())


class Page:
    """A page, parsed strictly: any error of its HTML raises."""

    def __init__(self, proof: Proof) -> None:
        self.source = page(proof)
        parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
        self.root: Node = parser.parse(self.source)

    def all(self, name: str, style: str = "", within: Node = None) -> list[Node]:
        """Elements of that name (SVG's too) with that class."""
        found = (self.root if within is None else within).iter()
        return [
            node
            for node in found
            if isinstance(node.tag, str)
            and node.tag.rpartition("}")[2] == name
            and (not style or style in node.get("class", "").split())
        ]

    def one(self, name: str, style: str = "") -> Node:
        (found,) = self.all(name, style)
        return found

    def section(self, id: str) -> Node:
        (found,) = [node for node in self.all("section") if node.get("id") == id]
        return found


def small(**changes: Any) -> Page:
    """The page of the demo without its builds, and with other values."""
    values: dict[str, Any] = {"builds": (), "comparisons": (), **changes}
    return Page(dataclasses.replace(demo(), **values))


PAGES: dict[str, Page] = {}


def made(name: str) -> Page:
    if name not in PAGES:
        PAGES[name] = Page(PROOFS[name]())
    return PAGES[name]


# --- all pages -------------------------------------------------------------------------------------------------------


@EVERY
def test_only_known_elements_and_nothing_that_acts(name: str) -> None:
    of = made(name)
    names = Counter(node.tag.rpartition("}")[2] for node in of.root.iter() if isinstance(node.tag, str))
    assert set(names) - ELEMENTS == set()
    for node in of.root.iter():
        for key, _ in node.items():
            assert not key.startswith("on")
            assert key not in ("style", "src", "action", "srcset", "data", "formaction")
    assert "<!--" not in of.source


@EVERY
def test_nothing_is_fetched_and_links_lead_somewhere(name: str) -> None:
    of = made(name)
    ids = [node.get("id") for node in of.root.iter() if node.get("id")]
    assert [one for one, count in Counter(ids).items() if count > 1] == []
    links = [value for node in of.root.iter() for key, value in node.items() if key.rpartition("}")[2] == "href"]
    assert all(link.startswith("#") for link in links)
    assert {link[1:] for link in links} <= set(ids)
    for key in ("aria-labelledby", "aria-describedby"):
        assert {node.get(key) for node in of.root.iter() if node.get(key)} <= set(ids)
    assert set(re.findall(r"url\(([^)]*)\)", of.one("style").text)) == {"#hatch"}
    assert "@import" not in of.one("style").text


@EVERY
def test_the_policy_allows_this_style_sheet_and_nothing_else(name: str) -> None:
    of = made(name)
    (policy,) = [m.get("content") for m in of.all("meta") if m.get("http-equiv") == "Content-Security-Policy"]
    digest = base64.b64encode(hashlib.sha256(of.one("style").text.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


@EVERY
def test_the_same_proof_gives_the_same_bytes(name: str) -> None:
    assert page(PROOFS[name]()).encode("utf-8") == made(name).source.encode("utf-8")


def test_the_same_bytes_in_another_process() -> None:
    script = "import tests.proofs, fixer.prove.as_html as of; print(of.page(tests.proofs.broken()))"
    found = {
        subprocess.run(
            [sys.executable, "-c", script], cwd=ROOT, env=os.environ | {"PYTHONHASHSEED": seed, "TZ": zone},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed, zone in (("1", "UTC"), ("2", "Asia/Tokyo"))
    }  # fmt: skip
    assert len(found) == 1


@EVERY
def test_structure_for_those_who_cannot_see_it(name: str) -> None:
    of = made(name)
    assert of.root.get("lang") == "en"
    headings = [int(n.tag[1]) for n in of.root.iter() if isinstance(n.tag, str) and re.fullmatch(r"h[1-6]", n.tag)]
    assert headings[0] == 1
    assert headings.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(headings))
    assert len(of.all("main")) == 1
    for table in of.all("table"):
        assert [n for n in of.all("th", within=table) if n.get("scope") == "col"], "a table without column headers"
        for row in of.all("tr", within=table):
            assert row.get("role") == ("row" if "grid" in table.get("class", "") else None)
    for svg in of.all("svg"):
        assert svg.get("aria-hidden") == "true" or (svg.get("role") == "img" and len(svg.get("aria-label")) > 40)
    for details in of.all("details"):
        assert details[0].tag == "summary"
        assert words(details[0])
        assert details.get("open") is None


@EVERY
def test_pictures_are_well_formed_and_nothing_leaves_its_box(name: str) -> None:
    of = made(name)
    sources = re.findall(r"<svg.*?</svg>", of.source, re.DOTALL)
    assert len(sources) == len(of.all("svg"))
    for source in sources:
        ElementTree.fromstring(source)
    for svg in of.all("svg", "timeline"):
        width, height = [float(number) for number in svg.get("viewBox").split()[2:]]
        for node in svg.iter():
            values = {key: float(node.get(key)) for key in NUMBERS if node.get(key)}
            assert all(value == value and abs(value) < 1e6 for value in values.values())
            if "width" in values and "x" in values:
                assert values["width"] > 0
                assert values["height"] > 0
                assert 0 <= values["x"] <= values["x"] + values["width"] <= width + 0.02
                assert 0 <= values["y"] <= values["y"] + values["height"] <= height + 0.02
            elif node.tag.endswith("}text") and "textLength" in values:
                begin = values["x"] - (values["textLength"] if node.get("text-anchor") == "end" else 0)
                assert 0 <= begin <= begin + values["textLength"] <= width + 0.02
                assert 8 <= values["y"] <= height
            elif node.tag.endswith("}line"):
                assert 0 <= values["x1"] <= width
                assert 0 <= values["y1"] <= values["y2"] <= height


@EVERY
def test_bars_of_a_lane_do_not_overlap(name: str) -> None:
    of = made(name)
    for svg in of.all("svg", "timeline"):
        lanes: dict[str, list[tuple[float, float]]] = {}
        for bar in of.all("rect", "bar", within=svg):
            x = float(bar.get("x"))
            lanes.setdefault(bar.get("y"), []).append((x, x + float(bar.get("width"))))
        tops = sorted(
            (float(y), float(next(b.get("height") for b in of.all("rect", "bar", svg) if b.get("y") == y)))
            for y in lanes
        )
        assert all(y + height <= below for (y, height), (below, _) in pairwise(tops))
        for lane in lanes.values():
            lane.sort()
            assert all(one[1] < other[0] for one, other in pairwise(lane))


@EVERY
def test_every_step_is_in_the_pictures_and_in_the_tables(name: str) -> None:
    of, proof = made(name), PROOFS[name]()
    for figure in of.all("figure"):
        rows = sum(len(of.all("tr", within=table)) - 1 for table in of.all("table", "steps", within=figure))
        for svg in of.all("svg", "timeline", within=figure):
            assert sum(int(node.get("data-steps")) for node in of.all("g", "step", within=svg)) == rows
    shown = {(build.phase, build.target) for build in proof.builds}
    assert len(of.all("figure")) == len(shown)


@EVERY
def test_nothing_invisible_is_left(name: str) -> None:
    source = made(name).source
    assert (
        re.findall("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff\ufffe]", source)
        == []
    )


# --- strings that want to be more ------------------------------------------------------------------------------------


def test_hostile_strings_are_text() -> None:
    of = made("hostile")
    seen = plain(EVIL)
    assert of.all("script") == of.all("img") == []
    everything = text_of(of.root)
    assert everything.count("onerror=alert(1)") > 40
    assert "{{ 7 * 7 }}" in everything
    assert "49" not in words(of.section("changes"))
    for id, least in {
        "changes": 5,
        "checks": 8,
        "differences": 6,
        "timelines": 6,
        "failed": 2,
        "alone": 8,
        "method": 4,
    }.items():
        assert text_of(of.section(id)).count(seen.split("\n")[0]) >= least, id
    escapes = Counter(node.text for node in of.all("span", "escape"))
    assert {"\\u202e", "\\x1b", "\\0", "\\xff", "\\ud800", "\\ufffe", "\\r"} <= set(escapes)


def test_visible() -> None:
    assert plain("a\tb\nc é 真") == "a\tb\nc é 真"
    assert plain("\udcff\x85\u2067\U000e0041\r") == "\\xff\\x85\\u2067\\U000e0041\\r"
    assert parts("a\x00b") == [("a", False), ("\\0", True), ("b", False)]
    assert parts("") == []
    assert of_a_terminal("\x1b[1;32mok\x1b[0m\n 1%\r 50%\r100%\r\n\x1b]0;title\x07x") == "ok\n100%\nx"


# --- what the page says ----------------------------------------------------------------------------------------------


def verdict(proof: Proof) -> str:
    of = Page(proof)
    assert words(of.all("title")[0]).startswith(words(of.one("h1")))
    return words(of.one("h1"))


def test_verdicts() -> None:
    good = dataclasses.replace(demo(), builds=(), comparisons=())
    passed = tuple(dataclasses.replace(check, verdict=Verdict.PASSED) for check in good.checks)
    failed = dataclasses.replace(passed[2], verdict=Verdict.FAILED)
    missing = dataclasses.replace(passed[2], verdict=Verdict.NOT_CHECKED)
    assert verdict(dataclasses.replace(good, checks=passed)) == "Proven: all checks passed"
    assert verdict(good) == "Proven: all checks passed"
    assert (
        verdict(dataclasses.replace(good, checks=(*passed, missing)))
        == "Proven, but for 1 check that could not be made"
    )
    assert verdict(dataclasses.replace(good, checks=(*passed, failed))) == "Not proven: 1 of 7 checks failed"
    assert verdict(dataclasses.replace(good, checks=(failed, missing))) == "Not proven: 1 of 2 checks failed"
    assert verdict(dataclasses.replace(good, checks=())) == "Not proven: nothing was compared"
    assert (
        verdict(dataclasses.replace(good, checks=(*passed, failed), broke_off="The engine went away."))
        == "Not proven: broken off"
    )
    assert verdict(not_building()) == "Not proven: the original does not build"
    assert verdict(nothing()) == "Nothing to prove: no change was made"


def test_the_verdict_is_no_better_than_the_proofs_own() -> None:
    proven = [name for name in PROOFS if words(made(name).one("h1")).startswith("Proven")]
    assert proven == ["demo", "many", "unseen"]
    assert all(PROOFS[name]().proven for name in proven)


def test_whether_the_fixed_one_builds_where_the_original_does_not() -> None:
    proof = not_building()
    fixed = build(Side.FIXED, Phase.FIRST, 3.0, [])
    rest = [
        words(Page(dataclasses.replace(proof, builds=(*proof.builds, *more))).one("p", "rest"))
        for more in [(), (fixed,), (dataclasses.replace(fixed, ok=False),)]
    ]
    assert rest[0].startswith("There is nothing to compare")
    assert rest[1].startswith("The fixed one does")
    assert rest[2] == "Neither does the fixed one."


def test_failed_checks_stand_at_the_top_and_every_verdict_has_words() -> None:
    of = made("broken")
    assert [words(node) for node in of.all("li", within=of.one("ul", "failures"))] == [
        "Is it the same image? 3 differences are unexplained: /usr/local/bin/server: only before and 2 more",
        'Does it build with emptied cache mounts? process "/bin/sh -c cargo build --release" did not complete '
        "successfully: exit code: 101",
    ]
    rows = of.all("tr", within=of.section("checks"))[1:]
    assert [words(row[0]) for row in rows] == ["Passed", "Failed", "Passed", "Not checked", "Failed"]
    assert [words(row[2]) for row in rows] == [" ".join(check.detail.split()) for check in PROOFS["broken"]().checks]
    assert len({node.get("class") for node in of.all("span", "pill", within=of.section("checks"))}) == 3
    assert "5 checks: 2 failed, 1 not checked, 2 passed." in words(of.section("checks"))
    assert "Improved" in words(made("demo").section("checks"))


def test_changes() -> None:
    of = made("broken")
    cards = of.all("li", within=of.section("changes"))
    texts = [words(card) for card in cards]
    assert len(texts) == len(PROOFS["broken"]().changes)
    assert [words(of.all("a", within=card)[0]) for card in cards] == [
        "line 5",
        "line 7",
        "line 14",
        "line 14",
        "line 21",
    ]
    (unsafe,) = [text for text in texts if "unsafe" in text]
    assert "Risk: a build on a builder with another architecture" in unsafe
    assert "The image may differ because of it in /app/target, Env CARGO_HOME." in unsafe
    alone = words(of.section("alone"))
    assert "apt-cache mount apt's caches unsafe line 12" in alone
    assert "Risk: the list of packages may be older than the index says" in alone
    assert "pip-cache unknown-user line 9 the number of svc" in alone
    silent = Page(dataclasses.replace(demo(), refusals=(), withheld=()))
    assert "Nothing was refused or withheld." in words(silent.section("alone"))


def rows_of_the_diff(of: Page) -> Iterator[str]:
    """The diff, put together again from its table."""
    for row in of.all("tr", within=of.one("table", "diff"))[1:]:
        kind = row.get("class")
        mark = {"context": " ", "added": "+", "removed": "-"}.get(kind, "")
        yield mark + text_of(row[-1])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a\nb\nc\n", "a\nB\nc\n"),
        ("a\n" * 30 + "x\n", "b\n" + "a\n" * 29 + "y\n"),
        ("", "new\n"),
        ("old\n", ""),
        ("-- a\n++ b\n", "-- c\n++ d\n"),
        ("RUN pip install a\nRUN pip install b\n", "RUN --mount=x \\\n  pip install a\nRUN b\n"),
    ],
)
def test_the_diff_is_all_there(before: str, after: str) -> None:
    diff = unified_diff(before, after, "Dockerfile")
    of = small(diff=diff)
    assert list(rows_of_the_diff(of)) == diff.rstrip("\n").split("\n")[2:]
    old, new = before.split("\n"), after.split("\n")
    for row in of.all("tr", within=of.one("table", "diff"))[1:]:
        if len(row) == 4:
            numbers = [row[0].text, row[1].text]
            assert not numbers[0] or old[int(numbers[0]) - 1] == text_of(row[3])
            assert not numbers[1] or new[int(numbers[1]) - 1] == text_of(row[3])
            assert words(row[2]) == {"context": "", "added": "+added", "removed": "−removed"}[row.get("class")]


def test_words_that_differ_are_marked() -> None:
    diff = unified_diff("COPY --from=a /app/target/x /x\n", "COPY --from=a /tmp/x /x\n", "Dockerfile")
    of = small(diff=diff)
    assert [text_of(node) for node in of.all("b", within=of.one("table", "diff"))] == ["app/target", "tmp"]


def test_a_line_is_compared_with_one_other_at_most() -> None:
    of = small(diff=unified_diff("COPY one /x/y\nCOPY two /x/y\n", "COPY new /x/y\n", "Dockerfile"))
    assert [text_of(node) for node in of.all("b", within=of.one("table", "diff"))] == ["one", "new"]


def test_files_without_a_last_line_feed() -> None:
    of = small(diff=unified_diff("a\nb", "a\nc", "Dockerfile"))
    notes = [words(row) for row in of.all("tr", "note")]
    assert notes == ["no line feed at the end of the old file", "no line feed at the end of the new file"]


def test_cr_lf_is_said_once_and_odd_bytes_are_shown() -> None:
    of = made("unseen")
    assert "Lines end with CR LF." in words(of.section("diff"))
    assert [node.text for node in of.all("span", "escape", within=of.one("table", "diff"))] == ["\\xe9", "\\u200b"]
    mixed = unified_diff("a\r\nb\n", "a\r\nc\n", "Dockerfile")
    of = small(diff=mixed)
    assert "CR LF" not in words(of.section("diff"))
    assert [node.text for node in of.all("span", "escape")] == ["\\r"]


def test_unexplained_differences_are_open_and_the_others_folded() -> None:
    many = [Difference(f"/etc/{n}", "content", list(Cause)[n % 3], "apt-cache") for n in range(600)]
    of = small(comparisons=(Comparison(Phase.FIRST, "", 20_000, tuple(many)),))
    section = of.section("differences")
    folded = of.all("details", within=section)
    hidden = {words(node) for one in folded for node in of.all("code", within=one)}
    open_ones = [words(node) for node in of.all("code", within=section) if words(node) not in hidden]
    assert open_ones == [f"/etc/{n}" for n in range(600) if list(Cause)[n % 3] is Cause.UNEXPLAINED]
    assert [words(one[0]) for one in folded] == [
        "200 differences, named by a codemod",
        "200 differences, noise: the original differs from itself there",
    ]
    assert "20,000 paths compared. 200 unexplained differences" in words(section)
    assert [len(of.all("tr", within=one)) for one in folded] == [201, 201]
    assert "No difference" in words(made("broken").section("differences"))
    assert "Nothing unexplained" in words(made("demo").section("differences"))


def compared(before: tuple[float, ...], after: tuple[float, ...]) -> tuple[str, str, str]:
    """The row of whole builds: before, after, what that means. And the tile at the top says the same."""
    times = Times("rebuild", Phase.EDIT, before, after, (), ())
    of = small(times=(times,))
    row = of.all("tr", within=of.section("times"))[1]
    found = tuple(words(cell) for cell in row[-3:])
    assert words(of.one("dd", "big")) == found[2]
    assert found[0] in words(of.one("dl", "tiles"))
    return found


@pytest.mark.parametrize(
    ("before", "after", "meaning"),
    [
        ((42.3,), (6.0,), "7.0× faster"),
        ((6.0,), (42.3,), "7.0× slower"),
        ((10.0,), (9.0,), "1.11× faster"),
        ((9.0,), (10.0,), "1.11× slower"),
        ((10.0,), (10.4,), "about the same"),
        ((10.4,), (10.0,), "about the same"),
        ((300.0,), (2.0,), "150× faster"),
        ((3.0, 100.0, 3.2), (1.0, 1.1, 50.0), "2.9× faster"),
        ((5.0,), (0.0,), "nothing had to run"),
        ((0.0,), (5.0,), "ran only after the fix"),
        ((0.004,), (0.04,), "too short to compare"),
        ((0.0,), (0.0,), "too short to compare"),
        ((), (1.0,), "not measured"),
        ((1.0,), (), "not measured"),
    ],
)
def test_times_are_honest_in_both_directions(before: tuple[float, ...], after: tuple[float, ...], meaning: str) -> None:
    assert compared(before, after)[2] == meaning


def test_a_gain_has_to_be_one_of_the_steps() -> None:
    times = Times("rebuild", Phase.EDIT, (5.2,), (0.8,), (0.0,), (0.0,))
    of = small(times=(times,))
    row = of.all("tr", within=of.section("times"))[1]
    assert [words(cell) for cell in row[-3:]] == ["5.2 s", "0.80 s", "not in RUN steps"]
    assert words(of.one("dd", "big")) == "not in RUN steps"


def test_how_often_was_measured() -> None:
    assert "median of 3 whole build original: 38.1 s, 36.9 s, 40.5 s fixed: 5.3 s, 5.6 s, 5.4 s" in words(
        made("demo").section("times")
    )
    assert "medians of 2 and 1" in words(made("broken").section("times"))
    assert "None were measured." in words(made("not-building").section("times"))


def test_timelines_by_phase_and_target() -> None:
    of = made("broken")
    titles = [words(of.all("h3", within=figure)[0]) for figure in of.all("figure")]
    assert titles == [
        "First build",
        "Rebuild after an edit: server/src/main.rs",
        "Rebuild after a dependency change: requirements.txt",
        "The original once more from nothing",
        "Rebuild after the edit was taken back",
        "Rebuild with emptied cache mounts",
        "First build (stage server)",
    ]
    folded = of.one("details", "more")
    assert [words(of.all("h3", within=one)[0]) for one in of.all("figure", within=folded)] == titles[3:]
    assert words(folded[0]) == f"4 more timelines: {'; '.join(titles[3:])}"
    edit = of.all("figure")[1]
    assert "Original: the median one of 3 builds. Fixed: the median one of 3 builds." in words(edit)
    (wide, narrow) = of.all("svg", "timeline", within=edit)
    assert wide.get("aria-label") == narrow.get("aria-label")
    assert "Original: 38.1 s: 4 steps ran, 8 cached; the longest: RUN … cargo build --release, 36.9 s." in wide.get(
        "aria-label"
    )
    assert [words(node) for node in of.all("caption", within=edit)] == ["Original", "Fixed"]


def test_states_are_told_apart_without_colour() -> None:
    """Cached bars are hatched, those that failed have a thick edge and say so; titles have it in words."""
    of = made("broken")
    style = of.one("style").text
    assert "fill: url(#hatch)" in style
    assert re.search(r"\.failed \.bar \{[^}]*stroke-width: 2;", style)
    failed = [node for node in of.all("g", "failed") if of.all("title", within=node)]
    assert failed
    for node in failed:
        assert words(of.all("text", within=node)[0]).startswith("failed: ")
        assert "failed after 11.6 s" in words(of.all("title", within=node)[0])
    cached = of.all("g", "cached")
    assert len(cached) > 10
    assert all("cached, " in text_of(of.all("title", within=node)[0]) for node in cached)


def test_a_build_that_failed_shows_the_end_of_its_log() -> None:
    section = made("broken").section("failed")
    assert "Fixed: rebuild with emptied cache mounts" in words(section)
    (log,) = made("broken").all("pre", "log", within=section)
    lines = text_of(log).split("\n")
    assert len(lines) == 200
    assert lines[-1].startswith("#9 ERROR: process")
    assert "Compiling crate-259" in text_of(log)
    assert "\\x1b" not in text_of(log)
    assert "without its first 62 lines" in words(section)


def test_what_was_not_done_is_not_told() -> None:
    assert "No build was made." in words(made("nothing").section("method"))
    assert "The edit was taken back" not in words(made("many").section("method"))
    assert "The edit was taken back" in words(made("demo").section("method"))


def test_the_method_is_what_was_done() -> None:
    def said(builds: tuple[Build, ...], **fields: str) -> str:
        return words(small(builds=builds, **fields).section("method"))

    first = demo().builds[0]
    both = [dataclasses.replace(first, side=side, phase=phase) for phase in Phase for side in Side]
    all_of_them = said(tuple(both), dependency="Cargo.toml", edited="a.rs")
    assert "The original was built twice from nothing" in all_of_them
    assert "The edit was taken back, and both were built again." in all_of_them
    assert "A line was added to Cargo.toml, and both were built again." in all_of_them
    assert "both were built again, with the sources of the edit." in all_of_them
    again = dataclasses.replace(first, phase=Phase.AGAIN, repeat=1)
    fixed = tuple(build for build in both if build.side is Side.FIXED or build.phase in (Phase.FIRST, Phase.AGAIN))
    less = said((first, again, *fixed), dependency="the changed steps run again", edited="")
    assert "The original was built 3 times from nothing" in less
    assert "The edit was taken back, and the fixed one was built again." in less
    assert "The changed steps were made to run again, and the fixed one was built again." in less
    assert "the layers stayed, and the fixed one was built again." in less
    ids = {node.get("id") for node in made("nothing").all("section")}
    assert not {"diff", "differences", "timelines", "failed"} & ids


# --- colours ---------------------------------------------------------------------------------------------------------


def palettes() -> tuple[dict[str, str], dict[str, str]]:
    """The colours of the light and of the dark scheme, from the style sheet."""
    rules = tinycss2.parse_stylesheet(made("nothing").one("style").text, skip_comments=True, skip_whitespace=True)
    assert [rule for rule in rules if rule.type == "error"] == []

    def variables(content: list[Any]) -> dict[str, str]:
        declared = tinycss2.parse_blocks_contents(content, skip_comments=True, skip_whitespace=True)
        assert [one for one in declared if one.type == "error"] == []
        values = {one.name[2:]: tinycss2.serialize(one.value).strip() for one in declared if one.name.startswith("--")}
        return {name: value for name, value in values.items() if value.startswith("#")}

    (light,) = [
        rule for rule in rules if rule.type == "qualified-rule" and tinycss2.serialize(rule.prelude).strip() == ":root"
    ]
    (scheme,) = [rule for rule in rules if rule.type == "at-rule" and "dark" in tinycss2.serialize(rule.prelude)]
    (dark,) = tinycss2.parse_rule_list(scheme.content, skip_comments=True, skip_whitespace=True)
    return variables(light.content), variables(dark.content)


def luminance(color: str) -> float:
    channels = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


TEXTS = [
    *((text, back) for text in ("text", "quiet", "link") for back in ("back", "raised")),
    *((text, back) for text in ("text", "quiet", "failed") for back in ("span", "back")),
    *((text, f"{kind}-back") for kind in ("passed", "failed", "notchecked") for text in ("text", kind)),
    *(("text", back) for back in ("added-back", "added-mark", "removed-back", "removed-mark", "mark")),
    *(("quiet", back) for back in ("added-back", "removed-back", "mark")),
    ("improved", "improved-back"), ("passed", "back"), ("failed", "back"), ("notchecked", "back"),
    ("passed", "added-back"), ("failed", "removed-back"), ("on-ran", "ran"), ("on-broken", "broken"),
]  # fmt: skip
GRAPHICS = [(bar, back) for bar in ("ran", "cached", "broken") for back in ("span", "back")] + [
    ("broken", "broken-edge")
]


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_contrast(scheme: int) -> None:
    """WCAG 2.2 AA: 4.5 for text, 3 for what a picture needs to be understood."""
    colors = palettes()[scheme]
    weak = {pair: contrast(colors[pair[0]], colors[pair[1]]) for pair in TEXTS}
    assert {pair: ratio for pair, ratio in weak.items() if ratio < 4.5} == {}
    weak = {pair: contrast(colors[pair[0]], colors[pair[1]]) for pair in GRAPHICS[:-1]}
    assert {pair: ratio for pair, ratio in weak.items() if ratio < 3} == {}


def test_every_colour_is_in_both_schemes_and_used() -> None:
    light, dark = palettes()
    assert set(light) == set(dark)
    style = made("nothing").one("style").text
    assert [name for name in light if f"var(--{name})" not in style] == []
    assert [name for name in re.findall(r"var\(--([\w-]+)\)", style) if name not in {*light, "mono"}] == []
