"""Clean-ups and uses of apt's directories whose words no command holds, in forms that are too small for a case."""

from __future__ import annotations

import pytest

from fixer.engine.outcome import Outcome
from fixer.engine.run import fix

STEP = "RUN apt-get update && apt-get install -y hello"
ARCHIVES = "/var/cache/apt/archives"


def cached(text: str) -> Outcome[str]:
    outcome = fix("FROM debian:bookworm\n" + text + "\n", select=["apt-cache"])
    assert outcome.error is None
    return outcome


def reasons(text: str) -> list[str]:
    outcome = cached(text)
    assert bool(outcome.refusals) != bool(outcome.changes)
    return [refusal.reason for refusal in outcome.refusals]


@pytest.mark.parametrize(
    "text",
    [
        f"{STEP} && for d in /var/lib/apt/lists /var/cache/apt; do rm -rf $d; done",
        f"{STEP} && for i in /tmp/x /var/lib/apt/lists; do rm -rf \"$i\"/*; done",
        f'ARG CLEAN="/var/lib/apt/lists /tmp/x"\n{STEP} && rm -rf $CLEAN',
        f"{STEP} && x='/tmp/x /var/lib/apt/lists' && rm -rf $x",
        f"{STEP} && find /var/lib/apt -mindepth 1 -maxdepth 1 -print0 | xargs -0 rm -rf",
        f"{STEP} && find /var/lib -maxdepth 1 | while read f; do rm -rf $f; done",
        "RUN clean() { rm -rf \"$1\"; }; apt-get update && apt-get install -y hello && clean /var/lib/apt",
        "RUN trap 'rm -rf /var/lib/apt/lists' EXIT; apt-get update && apt-get install -y hello",
        f'{STEP}\nRUN for f in /var/lib/apt/lists/*; do rm -r "$f"; done',
        f"RUN chown -R _apt:root {ARCHIVES}/partial/ && apt-get update && apt-get install -y hello",
        f"RUN find {ARCHIVES} -type d && apt-get update && apt-get install -y hello",
        "RUN set -e; apt-get update && apt-get install -y hello sl && rm -rf /var/lib/apt/lists/*; echo done",
        f"{STEP} && apt-get clean > /removed && cat /removed",
        f"{STEP} && rm -rfv /var/lib/apt/lists/* >& /removed",
        f"{STEP} && rm -rfv /var/lib/apt/lists/* >> $LOG 2>&1",
    ],
)  # fmt: skip
def test_clean_ups_that_stay(text: str) -> None:
    assert reasons(text) == ["cleanup"]


@pytest.mark.parametrize(
    "text",
    [
        f"RUN apt-get update && apt-get install -yd hello && find {ARCHIVES} -name '*.deb' -exec mv {{}} /repo \\;",
        f"RUN apt-get update && apt-get install -yd hello && find {ARCHIVES} -name '*.deb' -exec cp {{}} /out \\;",
        f"RUN apt-get update && apt-get install -yd hello && find {ARCHIVES} -exec /usr/bin/dpkg-deb -x {{}} / \\;",
        f"RUN apt-get update && apt-get install -yd hello && install -m644 -t /out {ARCHIVES}/*.deb",
        f"RUN apt-get update && apt-get install -yd hello && for f in {ARCHIVES}/*.deb; do dpkg -x $f /out; done",
        f"RUN apt-get update && apt-get install -yd hello; D={ARCHIVES}; for f in $D/*.deb; do dpkg -x $f /o; done",
        f'SHELL ["bash", "-c"]\nRUN apt-get update && apt-get install -yd a && x=({ARCHIVES}/*.deb) && dpkg -i "$x"',
        f"{STEP} python3 && python3 -c \"import shutil; shutil.rmtree('/var/lib/apt/lists')\"",
        f"{STEP} && perl -e 'unlink glob \"{ARCHIVES}/*.deb\"'",
        f"RUN apt-get update && apt-get install -yd a\nFROM debian\nCOPY --from=0 /var/cache /var/cache\n"
        f"RUN dpkg -i {ARCHIVES}/*.deb",
        f"FROM debian AS a\nRUN apt-get update && apt-get install -yd a\nFROM debian\n"
        f"RUN --mount=type=bind,from=a,target=/a dpkg -i /a{ARCHIVES}/*.deb",
    ],
)
def test_packages_that_are_used(text: str) -> None:
    assert reasons(text) == ["lists-are-read"]


@pytest.mark.parametrize(
    "text",
    [
        f"{STEP} && rm -rf /var/lib/apt/lists/*; echo done",
        "RUN set -e; apt-get update; apt-get install -y hello; rm -rf /var/lib/apt/lists/*; echo done",
        "RUN set -e; apt-get update && apt-get install -y hello && rm -rf /var/lib/apt/lists/*",
        f"{STEP} && apt-get clean > /dev/null 2>&1 && rm -rf /var/lib/apt/lists/* 2>/dev/null",
        f"{STEP} && for d in /tmp/a /tmp/b; do rm -rf $d; done && rm -rf /var/lib/apt/lists/*",
        f"ARG CLEAN='/tmp/x /tmp/y'\n{STEP} && rm -rf $CLEAN",
        f"ARG CLEAN\n{STEP} && rm -rf $CLEAN /var/lib/apt/lists/*",
        f"ENV CLEAN=/var/lib/apt/lists/*\n{STEP} && rm -rf $CLEAN",
        f"{STEP} && find / -name '*.pyc' -print0 | xargs -0 rm -f",
        f"{STEP} && find /tmp -type f | xargs rm -f && rm -rf /var/lib/apt/lists/*",
        "RUN trap 'rm -rf /tmp/x' EXIT; apt-get update && apt-get install -y hello",
        f"{STEP} && find {ARCHIVES} -name '*.deb' -exec rm -f {{}} \\;",
        f"RUN install -d {ARCHIVES}/partial && apt-get update && apt-get install -y hello",
        f"RUN mkdir -p {ARCHIVES}/partial && chown _apt {ARCHIVES}/partial && apt-get update && apt-get install a",
        f"RUN apt-get update && chown -R _apt:root {ARCHIVES}/partial/ && apt-get install -y hello",
        f"RUN chown -R _apt:root {ARCHIVES}/partial/ || true; apt-get update && apt-get install -y hello",
        "RUN chown -R root /var/cache/apt && apt-get update && apt-get install -y hello",
        f"{STEP} && for f in /opt/*.deb; do dpkg -i $f; done",
        f"{STEP} && echo 'rm -rf /var/lib/apt/lists' > /etc/clean",
        f"RUN echo 'DPkg::Post-Invoke {{\"rm -f {ARCHIVES}/*.deb\";}};' | tee /etc/apt/apt.conf.d/no-cache\n{STEP}",
        "RUN export D=/var/lib/apt/lists && apt-get update && apt-get install -y hello && rm -rf $D/*",
        f"{STEP}\nFROM debian\nCOPY --from=0 /var/cache /var/cache\nRUN true",
        f"FROM debian AS a\n{STEP}\nFROM debian\nRUN --mount=type=bind,from=a,target=/a cp /a/usr/lib/*.so /usr/lib",
        f"{STEP}\nRUN for f in /var/lib/apt/lists/*; do rm -rf $f; done",
    ],
)
def test_others_change(text: str) -> None:
    assert not reasons(text)


@pytest.mark.parametrize(
    ("step", "hooked"),
    [
        ("cd /etc/apt/apt.conf.d && rm docker-clean", False),
        ("cd /etc/apt/apt.conf.d && rm -f docker-clean", True),
        ("cd /tmp && rm docker-clean", True),
    ],
)
def test_docker_clean_that_somebody_removes(step: str, *, hooked: bool) -> None:
    outcome = cached(f"{STEP}\nRUN {step}")
    assert ("keep-cache" in outcome.text_after) == hooked


@pytest.mark.parametrize(
    ("clean_up", "left"),
    [
        ("if [ -n \"$SLIM\" ]; then rm -rf /var/lib/apt/lists/*; fi", True),
        ("find /var/lib/apt/lists -name '*.gz' -delete", True),
        ("find /var/lib/apt/lists -type f ! -name lock -delete", False),
        ("rm -rf /var/lib/apt/lists/*; echo done", False),
    ],
)  # fmt: skip
def test_lists_that_are_left(clean_up: str, *, left: bool) -> None:
    assert reasons(f"{STEP} && {clean_up}\nRUN apt-cache policy > /x || true") == ["lists-are-read"] * left


@pytest.mark.parametrize(
    "text",
    [
        f'ENV CLEAN="rm -rf /var/lib/apt/lists /var/cache/apt"\n{STEP} && $CLEAN',
        f'ENV CLEAN="rm -rf /var/lib"\n{STEP} && $CLEAN',
        f'{STEP} && C="rm -rf /var/lib/apt/lists" && eval $C',
        f'{STEP} && C="rm -rf /var/lib/apt/lists" && eval "$C"',
        f'{STEP} && eval "rm -rf /var/lib/apt/lists"',
        f'{STEP} && for c in "rm -rf /var/lib/apt/lists"; do $c; done',
        f"ARG CLEAN\n{STEP} && ${{CLEAN}}",
        f"ARG SCRIPTS\n{STEP} && $SCRIPTS/clean.sh",
    ],
)
def test_commands_in_variables(text: str) -> None:
    outcome = cached(text)
    assert not outcome.changes
    assert ["a variable or `eval`" in change.risk for change in outcome.withheld] == [True]


@pytest.mark.parametrize(
    "text",
    [
        f'ENV PIP="pip install"\n{STEP} && $PIP flask',
        f"ARG JAVA_HOME\n{STEP} && $JAVA_HOME/bin/java -version",
        f"ARG JAVA_HOME\n{STEP}\nRUN $JAVA_HOME/bin/java -version",
        f'{STEP} && eval "$(ssh-agent)"',
        'RUN again() { "$@" || "$@"; }; apt-get update && apt-get install -y hello && again curl x',
    ],
)
def test_programs_that_variables_name(text: str) -> None:
    outcome = cached(text)
    assert len(outcome.changes) == 1
    assert not outcome.withheld


@pytest.mark.parametrize(
    "write",
    [
        "RUN echo 'rm -rf /var/lib/apt/lists' > /usr/bin/tidy && chmod +x /usr/bin/tidy",
        "RUN { echo '#!/bin/sh'; printf '%s\\n' 'apt-get clean'; } > /usr/local/bin/tidy && chmod +x /usr/local/bin/*",
        "RUN echo 'rm -rf /var/lib/apt/lists' | tee /usr/sbin/tidy; chmod +x /usr/sbin/tidy",
        "RUN <<END\ncat > /usr/bin/tidy <<'X'\n#!/bin/sh\nrm -rf /var/lib/apt/lists\nX\nchmod +x /usr/bin/tidy\nEND",
        "COPY --chmod=755 <<X /usr/bin/tidy\n#!/bin/sh\nrm -rf /var/lib/apt/lists\nX",
        "COPY --chmod=755 <<tidy /usr/bin/\n#!/bin/sh\nrm -rf /var/lib/apt/lists\ntidy",
    ],
)
def test_programs_that_the_file_writes(write: str) -> None:
    outcome = cached(f"{write}\n{STEP} && tidy")
    assert not outcome.changes
    assert ["what `tidy` runs" in change.risk for change in outcome.withheld] == [True]
    others = cached(f"{write.replace('apt', 'opt')}\n{STEP} && tidy")
    assert len(others.changes) == 1
