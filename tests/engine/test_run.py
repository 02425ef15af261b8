"""The machinery of `fix`, with tiny codemods that behave well and badly."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from types import MappingProxyType

import pytest

from fixer import Change, Codemod, Edit, Facts, Outcome, Refusal, Safety, Settings, Span, fix
from fixer.engine import run as engine
from fixer.text.edits import apply_edits
from fixer.tree.nodes import Instruction, Run


@pytest.fixture(autouse=True)
def _small_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "PASSES", 4)


class Tiny(Codemod):
    """A codemod for tests."""

    id = "tiny"
    words = ("RUN",)
    reasons = MappingProxyType({"no": "not possible"})

    def change(self, at: Instruction, *edits: Edit, title: str = "do it", risk: str = "") -> Change:
        safety = Safety.UNSAFE if risk else Safety.SAFE
        return Change(self.id, title, "because", at.span, edits, safety, risk)

    def refuse(self, at: Instruction, reason: str = "no") -> Refusal:
        return Refusal(self.id, reason, at.span, "it says no.")


def runs(facts: Facts, text: str) -> Iterator[Run]:
    for instruction in facts.file.instructions:
        if isinstance(instruction, Run) and text in instruction.code:
            yield instruction


def script(run: Run) -> Span:
    assert run.form is not None
    return run.form.span


class Rename(Tiny):
    """Renames a command."""

    id = "rename"
    old, new = "one", "two"

    def run(self, facts: Facts, settings: Settings) -> Iterator[Change | Refusal]:
        for run in runs(facts, self.old):
            start, end = script(run)
            if facts.file.text[start:end] == self.old:
                yield self.change(run, Edit(start, end, self.new))
            else:
                yield self.refuse(run)


class Back(Rename):
    id = "back"
    old, new = "two", "one"


class Grow(Tiny):
    """Never comes to rest."""

    id = "grow"

    def run(self, facts: Facts, settings: Settings) -> Iterator[Change | Refusal]:
        for run in runs(facts, "RUN"):
            yield self.change(run, Edit(script(run).start, script(run).start, "more "))


class Raise(Tiny):
    """Crashes."""

    id = "raise"

    def run(self, facts: Facts, settings: Settings) -> Iterator[Change | Refusal]:
        yield from (self.refuse(run) for run in runs(facts, "RUN"))
        raise KeyError("lost")


def ran(source: str, *codemods: Codemod, unsafe: bool = False) -> Outcome[str]:
    return fix(source, codemods=codemods, unsafe_fixes=unsafe)


def said(outcome: Outcome[str]) -> list[tuple[str, str, int]]:
    return [(r.codemod, r.reason, r.position.line) for r in outcome.refusals]


# --- what goes well ------------------------------------------------------------------------------------------------


def test_changes_and_refuses() -> None:
    outcome = ran("FROM a\nRUN one\nRUN one more\nRUN one\n", Rename())
    assert outcome.after == "FROM a\nRUN two\nRUN one more\nRUN two\n"
    assert [(c.codemod, c.title, c.why, c.position.line) for c in outcome.changes] == [
        ("rename", "do it", "because", 2),
        ("rename", "do it", "because", 4),
    ]
    assert said(outcome) == [("rename", "no", 3)]
    assert outcome.refusals[0].text == "RUN one more\n"


def test_bytes_give_bytes() -> None:
    outcome = fix(b"FROM a\r\nRUN one\r\n# \xff\r\n", codemods=[Rename()])
    assert outcome.before == b"FROM a\r\nRUN one\r\n# \xff\r\n"
    assert outcome.after == b"FROM a\r\nRUN two\r\n# \xff\r\n"


def test_second_run_changes_nothing() -> None:
    first = ran("FROM a\nRUN one\n", Rename())
    assert not ran(first.after, Rename()).changed


def test_the_last_line_may_grow() -> None:
    assert ran("FROM a\nRUN x", Spoil("RUN x", "RUN x y")).after == "FROM a\nRUN x y"

    class Append(Tiny):
        id = "append"

        def run(self, facts: Facts, settings: Settings) -> Iterator[Change | Refusal]:
            for run in runs(facts, "RUN x"):
                if "more" not in run.code:
                    yield self.change(run, Edit(script(run).end, script(run).end, " more"))

    assert ran("FROM a\nRUN x", Append()).after == "FROM a\nRUN x more"
    assert ran("FROM a\nRUN x\n", Append()).after == "FROM a\nRUN x more\n"


def test_one_codemod_sees_what_another_did() -> None:
    class Third(Rename):
        id = "third"
        old, new = "two", "three"

    for order in ([Rename(), Third()], [Third(), Rename()]):
        outcome = ran("FROM a\nRUN one\n", *order)
        assert outcome.after == "FROM a\nRUN three\n"
        assert [c.codemod for c in outcome.changes] == ["rename", "third"]
        assert [c.step for c in outcome.changes] == [0, 1]


def test_nothing_is_parsed_without_a_word() -> None:
    class Picky(Raise):
        words = ("nowhere",)

    outcome = ran("FROM a\nRUN one\n", Picky())
    assert (outcome.changed, outcome.refusals, outcome.error) == (False, (), None)


def test_a_word_may_be_cut_by_a_continuation() -> None:
    class Cut(Rename):
        words = ("one",)

        def run(self, facts: Facts, settings: Settings) -> Iterator[Change | Refusal]:
            yield from (self.refuse(run) for run in runs(facts, "RUN"))

    assert said(ran("FROM a\nRUN o\\\nne\n", Cut())) == [("rename", "no", 2)]
    assert said(ran("# escape=`\r\nFROM a\r\nRUN o`\r\nne\r\n", Cut())) == [("rename", "no", 3)]


def test_unsafe_changes_wait_for_the_flag() -> None:
    class Risky(Rename):
        def run(self, facts: Facts, settings: Settings) -> Iterator[Change | Refusal]:
            for run in runs(facts, "one"):
                yield self.change(run, Edit(*script(run), "two"), risk="it may rain")

    careful = ran("FROM a\nRUN one\n", Risky())
    assert (careful.changed, careful.changes) == (False, ())
    assert [(c.risk, c.safety, c.position.line) for c in careful.withheld] == [("it may rain", Safety.UNSAFE, 2)]
    bold = ran("FROM a\nRUN one\n", Risky(), unsafe=True)
    assert bold.after == "FROM a\nRUN two\n"
    assert bold.withheld == ()
    assert [c.safety for c in bold.changes] == [Safety.UNSAFE]


def test_refusals_are_those_of_the_final_text() -> None:
    class Last(Rename):
        """Refuses what `rename` makes, and what it makes vanish."""

        id = "last"

        def run(self, facts: Facts, settings: Settings) -> Iterator[Change | Refusal]:
            yield from (self.refuse(run) for run in runs(facts, "one"))

    assert said(ran("FROM a\nRUN one\nRUN one more\n", Last(), Rename())) == [("last", "no", 3), ("rename", "no", 3)]


def test_places_before_and_after() -> None:
    class Above(Tiny):
        """Puts a line above."""

        id = "above"

        def run(self, facts: Facts, settings: Settings) -> Iterator[Change | Refusal]:
            for run in runs(facts, "one"):
                if "USER" not in facts.file.text:
                    yield self.change(run, Edit(run.span.start, run.span.start, "USER a\n"))

    outcome = ran("FROM a\nRUN one\nRUN one more\n", Above(), Rename())
    # the line of its own was put between two changes that touch nothing of each other
    assert outcome.after == "FROM a\nUSER a\nRUN two\nUSER a\nRUN one more\n"
    assert [(c.codemod, c.position.line, c.position_after.line) for c in outcome.changes] == [
        ("above", 2, 3),
        ("above", 3, 5),
        ("rename", 2, 3),
    ]
    assert [(r.position.line, r.position_after.line) for r in outcome.refusals] == [(3, 5)]


def test_the_reported_edits_make_the_text() -> None:
    class Third(Rename):
        id = "third"
        old, new = "two", "three times"

    outcome = ran("FROM a\nRUN one\nRUN two\nRUN one\n", Third(), Rename())
    text = outcome.before
    for step in range(max(c.step for c in outcome.changes) + 1):
        text = apply_edits(text, [e for c in outcome.changes if c.step == step for e in c.edits])
    assert text == outcome.after


def test_outcomes_can_be_sent_to_another_process() -> None:
    outcome = ran("FROM a\nRUN one\nRUN one more\n", Rename())
    assert pickle.loads(pickle.dumps(outcome)) == outcome


def test_unknown_ids() -> None:
    with pytest.raises(ValueError, match="there is no codemod 'nothing'"):
        fix("FROM a\n", select=["nothing"])
    with pytest.raises(ValueError, match="there is no codemod 'nothing'"):
        fix("FROM a\n", ignore=["nothing"])


def test_select_and_ignore() -> None:
    codemods = [Rename(), Raise()]
    assert fix("FROM a\nRUN one\n", codemods=codemods, select=["rename"]).refusals == ()
    assert fix("FROM a\nRUN one\n", codemods=codemods, ignore=["raise"]).refusals == ()


# --- changes that are in each other's way --------------------------------------------------------------------------


class Both(Tiny):
    """Two changes whose edits touch: `ab` becomes `AB`, one letter a change."""

    id = "both"

    def run(self, facts: Facts, settings: Settings) -> Iterator[Change | Refusal]:
        for run in runs(facts, "RUN"):
            start, end = script(run)
            for i in range(start, end):
                letter = facts.file.text[i]
                if letter.islower():
                    yield self.change(run, Edit(i, i + 1, letter.upper()), title=f"raise {letter}")


def test_the_first_wins_and_the_other_waits() -> None:
    outcome = ran("FROM x\nRUN abcd\n", Both())
    assert outcome.after == "FROM x\nRUN ABCD\n"
    assert [(c.title, c.step) for c in outcome.changes] == [
        ("raise a", 0),
        ("raise c", 0),
        ("raise b", 1),
        ("raise d", 1),
    ]
    assert outcome.refusals == ()


def test_a_change_whose_own_edits_overlap() -> None:
    class Overlap(Tiny):
        id = "overlap"

        def run(self, facts: Facts, settings: Settings) -> Iterator[Change | Refusal]:
            for run in runs(facts, "one"):
                start, end = script(run)
                yield self.change(run, Edit(start, end, "two"), Edit(start + 1, end, "three"))

    outcome = ran("FROM a\nRUN one\n", Overlap())
    assert not outcome.changed
    assert said(outcome) == [("overlap", "conflict", 2)]


# --- codemods that misbehave ---------------------------------------------------------------------------------------


def caught(outcome: Outcome[str], codemod: str, because: str) -> None:
    """The bad codemod did nothing, is named, and says what to report; the good one did its work."""
    assert outcome.after == outcome.before.replace("RUN one\n", "RUN two\n")
    bad = [r for r in outcome.refusals if r.reason == "internal-error"]
    assert [r.codemod for r in bad] == [codemod]
    assert because in bad[0].because
    assert "please report it" in bad[0].because
    assert outcome.error is None


SOURCE = "FROM a\nRUN one\n# note\nRUN x && \\\n    # inside\n    y # tail\nCOPY a b\n"


@pytest.mark.parametrize("bad_first", [True, False])
def test_one_that_raises(bad_first: bool) -> None:
    codemods = [Raise(), Rename()] if bad_first else [Rename(), Raise()]
    caught(ran(SOURCE, *codemods), "raise", "KeyError: 'lost' at test_run.py:")


@pytest.mark.parametrize("bad_first", [True, False])
def test_one_that_loops_for_ever(bad_first: bool) -> None:
    codemods = [Grow(), Rename()] if bad_first else [Rename(), Grow()]
    caught(ran(SOURCE, *codemods), "grow", "does not come to rest (changed again and again by grow)")


def test_two_that_undo_each_other() -> None:
    outcome = ran("FROM a\nRUN one\n", Rename(), Back())
    assert not outcome.changed
    assert [(r.codemod, r.reason) for r in outcome.refusals] == [
        ("rename", "internal-error"),
        ("back", "internal-error"),
    ]
    assert "by rename and back" in outcome.refusals[0].because


class Spoil(Tiny):
    """Replaces one text by another, wherever it is."""

    id = "spoil"

    def __init__(self, old: str, new: str, about: str = "RUN x") -> None:
        self.old, self.new, self.about = old, new, about

    def run(self, facts: Facts, settings: Settings) -> Iterator[Change | Refusal]:
        start = -1 if self.old in self.new and self.new in facts.file.text else facts.file.text.find(self.old)
        for instruction in facts.file.instructions:
            if start >= 0 and self.about in instruction.code:
                yield self.change(instruction, Edit(start, start + len(self.old), self.new))


@pytest.mark.parametrize(
    ("codemod", "because"),
    [
        (Spoil("    # inside\n", ""), "a comment vanished: # inside"),
        (Spoil("# inside", "# outside"), "a comment vanished: # inside"),
        (Spoil(" # tail", ""), "a comment vanished: # tail"),
        (Spoil("# tail", "# tail && z"), "a comment vanished: # tail"),
        (Spoil("# note\nRUN x", "RUN x"), "a comment vanished: # note"),
        (Spoil("COPY a b", "COPY a c"), "edits only instructions that it does not name"),
        (Spoil("y # tail\n", "y # tail \\\n"), "a COPY instruction means something else now"),
        (Spoil("RUN x", "RUNN x"), "an instruction that BuildKit would refuse"),
        (Spoil("RUN x", "RUN --mount=nonsense x"), ""),
        (Spoil("x && \\", "x 'oops && \\"), "a shell script that was understood before is not understood any more"),
        (Spoil("COPY a b\n", "COPY a b", "COPY"), "the end of the file did not stay as it was"),
        (Spoil("x &&", "w && \\\r\n    x &&"), "the line ends of the file were not kept"),
        (Spoil("FROM a", "\ufeffFROM a", "FROM"), "the byte order mark was not kept"),
    ],
)
def test_one_whose_result_is_wrong(codemod: Spoil, because: str) -> None:
    outcome = ran(SOURCE, Rename(), codemod)
    if because:
        caught(outcome, "spoil", because)
    else:
        assert outcome.error is None


def test_bytes_that_are_not_utf8_are_kept() -> None:
    outcome = fix(b"FROM a\nRUN x \xff\xfe\n", codemods=[Spoil("x \udcff", "x ")])
    assert not outcome.changed
    assert outcome.refusals[0].reason == "not-utf-8"


@pytest.mark.parametrize("source", ["# escape=`\nFROM a\nRUN x\n", "# syntax=docker/dockerfile:1\nFROM a\nRUN x\n"])
def test_directives_are_kept(source: str) -> None:
    line = source.partition("\n")[0]
    for new in ("", "# other\n" + line, line.replace("=", " = ")):
        outcome = ran(source, Spoil(line, new, "RUN"))
        assert not outcome.changed
        assert [r.reason for r in outcome.refusals] == ["internal-error"]


def test_one_that_lies_about_itself() -> None:
    class Liar(Tiny):
        id = "liar"

        def __init__(self, what: Change | Refusal) -> None:
            self.what = what

        def run(self, facts: Facts, settings: Settings) -> Iterator[Change | Refusal]:
            yield self.what

    for what, because in [
        (Refusal("other", "no", Span(0, 1), "x"), "it speaks in the name of 'other'"),
        (Refusal("liar", "unheard-of", Span(0, 1), "x"), "its reason 'unheard-of' is not declared"),
        (Refusal("liar", "no", Span(0, 1000), "x"), "it names a place outside the text"),
        (Change("liar", "t", "w", Span(0, 1), (Edit(0, 1000, ""),)), "it names a place outside the text"),
    ]:
        caught(ran(SOURCE, Rename(), Liar(what)), "liar", because)


def test_a_change_that_changes_nothing() -> None:
    class Idle(Tiny):
        id = "idle"

        def run(self, facts: Facts, settings: Settings) -> Iterator[Change | Refusal]:
            for run in runs(facts, "RUN x"):
                yield self.change(run, Edit(run.span.start, run.span.start + 3, "RUN"))

    caught(ran(SOURCE, Rename(), Idle()), "idle", "does not come to rest")


# --- files that are left alone -------------------------------------------------------------------------------------


def test_a_file_that_is_not_understood() -> None:
    outcome = ran("FROM a\nRUN one\nNONSENSE\n", Rename())
    assert not outcome.changed
    assert outcome.error is not None
    assert (outcome.error.kind, outcome.error.position) == ("not-understood", (3, 1))


@pytest.mark.parametrize(
    "source",
    [
        "FROM {{ image }}\nRUN one\n",
        "FROM {{image}}\nRUN one\n",
        "FROM a\n{% if x %}\nRUN one\n{% endif %}\n",
        "FROM a\n<% if x %>\nRUN one\n",
        "FROM @IMAGE@\nRUN one\n",
        "FROM %%IMAGE%%\nRUN one\n",
    ],
)
def test_a_template(source: str) -> None:
    outcome = ran(source, Rename())
    assert not outcome.changed
    assert outcome.error is not None
    assert outcome.error.kind == "template"


def test_no_template() -> None:
    assert ran("FROM a\nRUN one\nRUN docker inspect -f '{{.Id}}' x\n", Rename()).changed


def test_a_parser_that_crashes(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(text: str) -> None:
        raise RecursionError("too deep")

    monkeypatch.setattr("fixer.tree.parse.parse", crash)
    outcome = ran("FROM a\nRUN one\n", Rename())
    assert outcome.after == outcome.before
    assert outcome.error is not None
    assert (outcome.error.kind, "RecursionError: too deep" in outcome.error.message) == ("internal-error", True)


# --- suppressions --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("above", "changed"),
    [
        ("# dockfix: ignore=rename because I say so\n", False),
        ("# dockfix: ignore=raise, rename\n", False),
        ("# dockfix: ignore\n", False),
        ("#dockfix:ignore=rename\n", False),
        ("# dockfix: ignore=rename\n# another comment\n", False),
        ("# a comment\n# dockfix: ignore=rename\n", False),
        ("# dockfix: ignore=raise\n", True),
        ("# dockfix: ignore=rename\n\n", True),
        ("# ignore=rename\n", True),
        ("ENV A=1\n# dockfix: ignore=rename\nENV B=2\n", True),
    ],
)
def test_ignore(above: str, changed: bool) -> None:
    class Quiet(Raise):
        words = ("nowhere",)

    outcome = ran(f"FROM a\n{above}RUN one\nRUN one more\n", Rename(), Quiet())
    assert outcome.changed == changed
    assert outcome.suppressed == (0 if changed else 1)
    assert ("rename", "no") in [(r.codemod, r.reason) for r in outcome.refusals]


def test_ignore_silences_refusals_too() -> None:
    outcome = ran("FROM a\n# dockfix: ignore=rename\nRUN one more\n", Rename())
    assert (outcome.refusals, outcome.suppressed) == ((), 1)


def test_ignore_with_an_unknown_id() -> None:
    assert said(ran("FROM a\n# dockfix: ignore=renam\nRUN two\n", Rename())) == [("dockfix", "unknown-id", 2)]
    assert said(ran("FROM a\n# dockfix: ignroe=rename\nRUN two\n", Rename())) == [("dockfix", "unknown-id", 2)]


def test_ignore_above_nothing() -> None:
    assert said(ran("FROM a\n# dockfix: ignore=rename\n\nRUN two\n# dockfix: ignore\n", Rename())) == [
        ("dockfix", "misplaced", 2),
        ("dockfix", "misplaced", 5),
    ]


def test_a_change_that_needs_an_ignored_instruction() -> None:
    class Far(Tiny):
        id = "far"

        def run(self, facts: Facts, settings: Settings) -> Iterator[Change | Refusal]:
            first, second = runs(facts, "RUN")
            if "one" in first.code:
                yield self.change(first, Edit(*script(first), "two"), Edit(*script(second), "two"))

    outcome = ran("FROM a\nRUN one\n# dockfix: ignore=far\nRUN one\n", Far())
    assert not outcome.changed
    assert said(outcome) == [("far", "suppressed", 2)]
    assert "it would edit line 4" in outcome.refusals[0].because


@pytest.mark.parametrize(
    "source",
    ["# dockfix: skip-file\nFROM a\nRUN one\n", "FROM a\nRUN one\n# dockfix: skip-file because it is old\n"],
)
def test_skip_file(source: str) -> None:
    outcome = ran(source, Rename())
    assert (outcome.changed, outcome.skipped, outcome.refusals) == (False, True, ())


def test_only_comment_lines_count() -> None:
    source = "FROM a\nRUN one\nCOPY <<E b\n# dockfix: skip-file\nE\n"
    assert ran(source, Rename()).changed
    source = "FROM a\nRUN one\nRUN x && \\\n  # dockfix: ignore=rename\n  y\n"
    assert ran(source, Rename()).changed
