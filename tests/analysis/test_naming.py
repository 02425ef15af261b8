"""Which RUNs may name a word at all."""

from __future__ import annotations

import pytest

from fixer import parse
from fixer.analysis import analyse
from fixer.tree.nodes import Run

YES = (
    "RUN apt-get update",
    "RUN a''p\"t\"-get update",
    "RUN ap\\\nt-get update",
    "RUN ap\\\n# why\nt-get update",
    "RUN <<E\nap\\\nt-get update\nE",
    "RUN cat <<E > a\napt\nE",
    'RUN ["/usr/bin/apt-get", "update"]',
    "ENV A=apt-get\nRUN $A update",
    "ENV A=a'p't-get\nRUN $A update",
    "ARG A=apt\nRUN $A update",
    "WORKDIR /var/lib/apt\nRUN ls lists",
    "ONBUILD ENV A=apt-get\nFROM debian\nRUN $A update",
    "RUN true # apt",
)
NO = (
    "RUN make",
    "RUN true\nRUN apt-get update",
    "RUN true\nCOPY apt.conf /etc/",
    "# apt\nRUN true",
    'RUN ["make"]',
    "RUN",
)


@pytest.mark.parametrize("text", YES)
def test_named(text: str) -> None:
    assert _may_name(text)


@pytest.mark.parametrize("text", NO)
def test_not_named(text: str) -> None:
    assert not _may_name(text)


def _may_name(text: str) -> bool:
    facts = analyse(parse(f"FROM debian\n{text}\n"))
    run = next(i for i in facts.file.instructions if isinstance(i, Run))
    first = facts.may_name(run, ("other", "apt"))
    assert first == facts.may_name(run, ("other", "apt"))
    return first
