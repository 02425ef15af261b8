"""bind-manifests: whoever reads a manifest behind the step that it is for goes on finding it."""

from __future__ import annotations

import pytest

from fixer.engine.run import fix

PYTHON = (
    "FROM python:3.12\nWORKDIR /app\nCOPY requirements.txt ./\nRUN pip install -r requirements.txt\n"
    "COPY setup.py ./\nCOPY src src\nARG E\nRUN {}\nCMD [\"app\"]\n"
)
NODE = (
    "FROM node:20 AS build\nWORKDIR /app\nCOPY package.json package-lock.json ./\nRUN npm ci --ignore-scripts\n"
    "RUN {}\nFROM node:20\nCOPY --from=build /out /out\n"
)
READS = (
    "cp ./req*.txt /x",
    "cp ./*.txt /x",
    "cat ../app/req*.txt",
    'pip install ".[${E}]"',
    'pip install -e ".[${E}]"',
    'pip install "./${E}"',
    'pip install "/app[${E}]"',
    'python -m pip install ".[${E}]"',
    'python3 -m pip install "./${E}"',
    "cd / && pip install ./app*",
    "cd / && pip install ./ap[p]",
    "cd / && python -m pip install ./ap*",
    "cd / && for d in app b; do pip install -e $d; done",
    "for d in /app /b; do pip install -e $d; done",
    'pip install "app[${E}] @ file:///app"',
    'pip install "app @ file://${E}"',
    'uv pip install --system "app[${E}] @ file:///app"',
    'python -m pip install "app[${E}] @ file:///app"',
    "pipx run build --wheel",
    "pipx run tox",
    "uv tool run tox",
    "uv tool run pip-audit -r requirements.txt",
    "pip install -Ue.",
    "pip install -Uqe.",
    "uv pip install --system -qe.",
    "pip install --editabl=.",
    "pip install -e$E",
    "xargs pip install --no-cache-dir < requirements.txt",
    "xargs -a requirements.txt pip install",
    "echo . | xargs pip install",
    "xargs uv pip install --system < requirements.txt",
    "PIP_EDITABLE=. pip install",
    "pip hash requirements.txt",
    "pip lock",
    "pip lock -qr requirements.txt",
    "python -m pip hash requirements.txt",
    'uv pip install --system "app @ ."',
    'uv pip install --system "app@."',
    'pipx install app --pip-args="-c requirements.txt"',
    'pipx install app --pip-args "-c requirements.txt"',
    "conda install --file requirements.txt",
    "uv tool install x --with=.",
    "uv tool install x -c requirements.txt",
    "pip install -qr requirements.txt",
    "pip install -Ur requirements.txt",
    "pip install -qc requirements.txt x",
    "uv pip install --system -Ur requirements.txt",
    "pip install --require requirements.txt",
    "pip install -r$E",
    "uv pip install --system --overrides requirements.txt x",
    "uv pip install --system -b requirements.txt x",
    "PIP_CONSTRAINT=requirements.txt pip install gunicorn",
    "PIP_CONSTRAINT=/app/requirements.txt pip install gunicorn",
    "PIP_REQUIREMENT=requirements.txt pip install",
    "pip uninstall -y -r requirements.txt",
    "pip freeze -r requirements.txt",
    "pip install --requirements-from-script requirements.txt",
)
READS_NOT = (
    "pip install a[b] c==1",
    "python -m pip install a[b]",
    "pip install --prefix=$E -t /x y",
    "uv pip list",
    "uv pip install --system x[y]==1",
    "uv tool install 'x[y]'",
    "pip install -U pip",
    "pip install --upgrade pip",
    "pip install --no-deps --pre --user --quiet a",
    "pip install git+https://a/b@c#egg=d",
    'pip install "a @ git+https://a/b"',
    'pip install "a>=$E"',
    "pip install a-$E",
)
NODE_READS = (
    "npm i -g x@file:.",
    "npm i -g x@.",
    "npm i -g git+file:///app",
    "npm i -g FILE:.",
    "npm install -g",
    "npm i -g ./x.TGZ",
    "yarn global add x@link:.",
    "pnpm add -g x@file:.",
    "pnpm run -g x",
    "pnpm exec -g x",
    "cp ./package*.json /out/",
)
NODE_READS_NOT = (
    "npm i -g @acme/tool",
    "npm i -g npm@10",
    "pnpm root -g",
    "pnpm list -g",
    "npm update -g",
    "yarn global add x",
)


def fixed(text: str) -> list[str]:
    """The instructions that come out."""
    made = fix(text, path="Dockerfile", select=["bind-manifests"], unsafe_fixes=True)
    return made.text_after.replace("\\\n", "").splitlines()


@pytest.mark.parametrize("command", READS)
def test_what_reads_requirements_finds_them(command: str) -> None:
    lines = fixed(PYTHON.format(command))
    (step,) = (line for line in lines if line.startswith("RUN") and line.endswith(command))
    assert "COPY requirements.txt ./" in lines or "source=requirements.txt," in step


@pytest.mark.parametrize("command", READS_NOT)
def test_what_reads_no_requirements_is_no_reason(command: str) -> None:
    lines = fixed(PYTHON.format(command))
    assert "COPY requirements.txt ./" not in lines
    assert f"RUN {command}" in lines


@pytest.mark.parametrize("command", NODE_READS)
def test_what_reads_a_package_finds_it(command: str) -> None:
    lines = fixed(NODE.format(command))
    (step,) = (line for line in lines if line.startswith("RUN") and line.endswith(command))
    assert any(line.startswith("COPY package.json") for line in lines) or "source=package.json," in step


@pytest.mark.parametrize("command", NODE_READS_NOT)
def test_what_reads_no_package_is_no_reason(command: str) -> None:
    assert not any(line.startswith("COPY package.json") for line in fixed(NODE.format(command)))


def steps(text: str) -> list[str]:
    """The lines of the RUNs that come out; none if nothing is changed."""
    after = fixed(text)
    return [] if after == text.splitlines() else [line for line in after if line.startswith("RUN")]


POETRY = (
    "FROM python:3.12\nWORKDIR /srv\nCOPY pyproject.toml poetry.lock poetry.toml ./\n"
    "RUN {} && poetry install --no-root\nCOPY . .\n"
)
NPMRC = (
    "FROM node:20\nWORKDIR {}\nCOPY package.json package-lock.json .npmrc ./\n"
    "RUN {} && npm ci --ignore-scripts\nCOPY . .\n"
)


@pytest.mark.parametrize(
    ("command", "writes"),
    [
        ("poetry config virtualenvs.in-project true --local", True),
        ("poetry config --local installer.parallel false", True),
        ("poetry config --local --unset virtualenvs.path", True),
        ("poetry config virtualenvs.in-project true", False),
        ("poetry cache clear --all .", False),
        ("poetry self update", False),
    ],
)
def test_poetry_may_write_its_settings_beside_the_project(command: str, writes: bool) -> None:
    (step,) = steps(POETRY.format(command))
    assert "target=pyproject.toml " in step
    assert ("target=poetry.toml,rw " in step) is writes


def test_a_later_step_needs_the_settings_that_poetry_wrote() -> None:
    text = POETRY.format("poetry config virtualenvs.create false --local").replace(" && ", "\nRUN ")
    assert not steps(text)


@pytest.mark.parametrize(
    ("directory", "command", "writes"),
    [
        ("/srv", "npm config set loglevel warn -L project", True),
        ("/srv", "npm config set --location project loglevel warn", True),
        ("/srv", "npm config set loglevel warn --location=project", True),
        ("/srv", "npm set loglevel=warn --loca project", True),
        ("/srv", "npm_config_location=project npm config set loglevel warn", True),
        ("/srv", "npm config set loglevel warn --userconfig .npmrc", True),
        ("/srv", "NPM_CONFIG_USERCONFIG=/srv/.npmrc npm config set loglevel warn", True),
        ("/root", "npm config set loglevel warn", True),
        ("/srv", "export HOME=/srv; npm config set loglevel warn", True),
        ("/srv", "npm config set loglevel warn", False),
        ("/srv", "npm config delete loglevel", False),
        ("/srv", "npm config list", False),
        ("/root", "npm config get registry", False),
        ("/root", "npm config set -g loglevel warn", False),
        ("/root", "npm config set --location=global loglevel warn", False),
        ("/srv", "npm cache clean --force", False),
    ],
)
def test_npm_writes_the_settings_of_the_project_or_of_the_home(directory: str, command: str, writes: bool) -> None:
    (step,) = steps(NPMRC.format(directory, command))
    assert "target=package.json " in step
    assert ("target=.npmrc,rw " in step) is writes


@pytest.mark.parametrize("command", ["npm config rm loglevel -L project", "npm config set --location $WHERE a b"])
def test_settings_that_npm_may_remove_stay(command: str) -> None:
    assert not steps(NPMRC.format("/srv", command))


LINKED = "FROM python:3.12\nWORKDIR /srv\nCOPY requirements.txt ./\nRUN pip install -r requirements.txt{}\nCOPY . .\n"


@pytest.mark.parametrize(
    "command",
    [
        "cp -al . /copy", "cp -Rl ../srv /copy", "cp --link requirements.txt /copy", "cp --recursive --lin . /copy",
        "cp -rs /srv /copy", "cp --symbolic-link /srv/requirements.txt /copy", "ln requirements.txt /copy",
        "ln *.txt /copy", "ln -s /srv/req* /copy/",
    ],
)  # fmt: skip
@pytest.mark.parametrize("joined", [" && ", "\nRUN "])
def test_no_link_is_made_to_what_is_mounted(command: str, joined: str) -> None:
    assert not steps(LINKED.format(joined + command))


@pytest.mark.parametrize(
    "command",
    [
        "cp -a . /copy", "cp -S.l requirements.txt /copy", "cp -a --preserve=links . /copy", "ln -s /srv /copy",
        "cp -al /opt /copy", "ln /opt/*.txt /copy", "cp --suffix=l requirements.txt /copy",
    ],
)  # fmt: skip
def test_a_copy_of_what_is_mounted_is_none_of_its_links(command: str) -> None:
    assert steps(LINKED.format(" && " + command))


PINNED = (
    "FROM node:20\nWORKDIR /srv\n{}COPY package.json pnpm-lock.yaml yarn.lock ./\n"
    "RUN {}\nCOPY . .\n"
)


@pytest.mark.parametrize(
    ("before", "command", "writes"),
    [
        ("RUN corepack enable\n", "pnpm install --frozen-lockfile --ignore-scripts", True),
        ("", "corepack enable && yarn install --immutable --ignore-scripts", True),
        ("RUN corepack enable && corepack prepare pnpm@9 --activate\n", "pnpm fetch", True),
        ("ENV COREPACK_ENABLE_AUTO_PIN=1\nRUN corepack enable\n", "pnpm fetch", True),
        ("ENV COREPACK_ENABLE_AUTO_PIN=0\nRUN corepack enable\n", "pnpm fetch", False),
        ("RUN corepack enable\n", "COREPACK_ENABLE_AUTO_PIN=0 pnpm fetch", False),
        ("RUN npm i -g pnpm\n", "pnpm fetch", False),
        ("", "yarn install --frozen-lockfile --ignore-scripts", False),
        ("RUN corepack enable\n", "npm ci --ignore-scripts", False),
    ],
)
def test_corepack_may_write_its_choice_into_the_manifest(before: str, command: str, writes: bool) -> None:
    step = steps(PINNED.format(before, command))[-1]
    assert ("target=package.json,rw " in step) is writes
