"""pip-cache: what else of a step, or of a file, has to do with pip's cache."""

from __future__ import annotations

import pytest

from fixer.engine.run import fix

STEP = "FROM python:3.12-slim\nENV TOOL=x\nSHELL [\"/bin/bash\", \"-c\"]\nRUN pip install flask && {}\n"
LATER = "FROM python:3.12-slim\nRUN pip install flask\nRUN {}\n"
SWITCH = "FROM python:3.12-slim\nENV PIP_NO_CACHE_DIR=1\nRUN pip install flask\nRUN {}\n"
USER = "FROM python:3.12-slim\nRUN useradd -m -u 1200 clerk\nUSER clerk\nRUN pip install --user flask && {}\n"
ALONE = "FROM python:3.12-slim\n{}\n"


def reasons(text: str) -> list[str]:
    """The reasons of the refusals; none if the file was changed as a whole."""
    result = fix(text, select=["pip-cache"])
    return [row.reason for row in result.refusals] or ([] if result.changes else ["nothing"])


@pytest.mark.parametrize(
    ("text", "command", "reason"),
    [
        (STEP, "find -mindepth 1 -delete", "cleanup"),
        (STEP, 'find / -name "$TOOL*" -delete', "cleanup"),
        (STEP, "find / -iname PIP -exec rm -rf {} +", "cleanup"),
        (STEP, "find / -delete -name nothing", "cleanup"),
        (STEP, "find /root -not -name .ssh -exec rm -rf {} +", "cleanup"),
        (STEP, "find / -name '*.pyc' -o -type d -empty -delete", "cleanup"),
        (STEP, "ls -A /root | sed s,^,/root/, | xargs rm -rf", "cleanup"),
        (STEP, "find / | grep cache | xargs rm -rf", "cleanup"),
        (STEP, "pip cache dir | xargs rm -rf", "cleanup"),
        (STEP, "rm -rf /root/.[[:alpha:]]*", "cleanup"),
        (STEP, "trap 'cd /root; rm -rf .cache' EXIT", "cleanup"),
        (STEP, "trap 'rm -rf $TOOL' EXIT", "cleanup"),
        (STEP, "wiper /root/.cache", "cleanup"),
        (STEP, "cp -a /root/.[a-z]* /srv/", "cache-is-read"),
        (STEP, "rsync -a ~/ /srv/home/", "cache-is-read"),
        (LATER, "echo blue > /root/.cache/colour", "cache-is-read"),
        (LATER, "ln -s /srv/tones ~/.cache/tones", "cache-is-read"),
        (LATER, "mkdir /root/.cache/tones", "cache-is-read"),
        (LATER, "cp /srv/tones.json /root/.cache/", "cache-is-read"),
        (LATER, "tar -xf /srv/tones.tar -C /root/.cache", "cache-is-read"),
        (LATER, "test -e /x && mkdir -p ~/.cache; touch ~/.cache/x", "cache-is-read"),
        (SWITCH, "./install.sh", "no-cache-in-env"),
        (SWITCH, "./bin/setup", "no-cache-in-env"),
        (SWITCH, "make deps", "no-cache-in-env"),
        (SWITCH, "python -m spacy download en_core_web_sm", "no-cache-in-env"),
        (SWITCH, "curl -sSL https://example.org/get.py | python", "no-cache-in-env"),
        (SWITCH, "python3 -c \"import os; os.system('pip install gauge')\"", "no-cache-in-env"),
        (USER, "echo x > ~/.cache/x", "home-cache-in-use"),
        (USER, "git clone https://example.org/x ~/.cache/x", "home-cache-in-use"),
        (USER, ". ./hooks.sh", "home-cache-in-use"),
        (ALONE, "ENV PYTHONUSERBASE=/opt/pip PIP_CACHE_DIR=/opt/pip\nRUN pip install --user flask", "odd-cache-dir"),
        (ALONE, "ENV PIP_CACHE_DIR=/opt/pip\nRUN pip install --target=/opt/pip/lib flask", "odd-cache-dir"),
        (ALONE, "ENV PIP_CACHE_DIR=/var/cache\nRUN pip install flask && apt-get update", "odd-cache-dir"),
        (ALONE, "ENV PIP_CACHE_DIR=/srv/cache\nRUN pip install flask && npm ci", "odd-cache-dir"),
        (ALONE, "ENV PIP_CACHE_DIR=/var/cache/pip\nRUN pip install flask && rm -rf /var/cache/*", "cleanup"),
        (ALONE, "RUN export WITH_SSL=1 && pip install pylon", "other-builds"),
        (ALONE, "ENV CC=clang\nRUN pip install pylon", "other-builds"),
        (ALONE, "RUN pip install -C setup-args=-Dssl=on pylon", "other-builds"),
        (ALONE, "RUN env WITH_SSL=1 pip install pylon", "other-builds"),
    ],
)
def test_in_the_way(text: str, command: str, reason: str) -> None:
    assert reasons(text.replace("{}", command, 1)) == [reason]


@pytest.mark.parametrize(
    ("text", "command"),
    [
        (STEP, "find / -name '*.pyc' -delete"),
        (STEP, "find / -type d -name __pycache__ -prune -exec rm -rf {} +"),
        (STEP, "find / -depth \\( -type d -a \\( -name test -o -name tests \\) \\) -o -name '*.pyo' -delete"),
        (STEP, "find /usr/local ! -name '*.so' -delete"),
        (STEP, "find / -name '*.pyc' | xargs rm -rf"),
        (STEP, "find . | grep '__pycache__' | xargs rm -rf"),
        (STEP, "grep -l x /srv/* | xargs rm -f"),
        (STEP, "rm -rf /root/*"),
        (STEP, "rm -rf /root/.[^c]*"),
        (STEP, "trap 'rm -f /srv/lock' EXIT"),
        (STEP, "trap 'echo done' EXIT"),
        (STEP, "wiper /root/build && wiper --home=/root"),
        (STEP, "cp -a /root/.ssh /srv/ && cp -r /root/* /srv/ && ls -laR /root && tar -C /srv -cf /x.tar ."),
        (LATER, "mkdir -p ~/.cache && echo blue > ~/.cache/colour"),
        (LATER, "curl --create-dirs -o /root/.cache/tones/x https://example.org/x && touch /root/.cache/y"),
        (LATER, "wget -P /root/.cache/tones https://example.org/x"),
        (LATER, "pip install gauge && touch ~/.cache/x"),
        (LATER, "echo x > /root/cache.txt && mkdir /root/cache"),
        (SWITCH, "npm ci && python manage.py migrate && python -m playwright install && ./configure"),
        (SWITCH, "curl -fsSL https://deb.nodesource.com/setup_20.x | bash - && apt-get install -y nodejs"),
        (SWITCH, "python3 -m venv /opt/x && . /opt/x/bin/activate && /opt/x/bin/gunicorn --version"),
        (SWITCH, "python -c 'print(1)' && python --version"),
        (USER, "mkdir -p ~/.config/x && echo x > ~/x && . ~/.profile"),
        (ALONE, "ENV PIP_CACHE_DIR=/srv/cache\nRUN apt-get update && pip install flask && rm -rf /var/lib/apt/lists/*"),
        (ALONE, "ENV PIP_CACHE_DIR=/opt/pip-cache\nRUN pip install --target=/opt/pip/lib flask && npm ci"),
        (ALONE, "ENV PIP_CACHE_DIR=/opt/pip-cache\nRUN pip wheel -w /opt/wheels flask"),
        (ALONE, "ENV GCC=12 CCACHE_DIR=/x\nRUN TMPDIR=/srv https_proxy=http://p HOME=/root pip install pylon"),
        (ALONE, "RUN export LANG=C.UTF-8 GOPATH=/go && pip install pylon"),
        (ALONE, "RUN WITH_SSL=1 ./install && pip install pylon"),
        (ALONE, "RUN pip install --no-binary :none: pylon"),
    ],
)
def test_not_in_the_way(text: str, command: str) -> None:
    assert reasons(text.replace("{}", command, 1)) == []
