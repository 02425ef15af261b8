"""What a Dockerfile may keep of the secrets that a build mounts into it."""

from __future__ import annotations

import pytest

from fixer.analysis import analyse
from fixer.analysis.documents import Neighbour
from fixer.engine.kinds import WORKFLOW
from fixer.engine.run import fix
from fixer.tree.parse import parse

TEXT = """\
on: push
jobs:
  image:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: docker/setup-buildx-action@v3
      - uses: docker/build-push-action@v6
        with:
          context: .
          push: true
          tags: acme/web
"""
GIVEN = "          secrets: |\n            tok=${{ secrets.TOK }}\n            rc=${{ secrets.RC }}\n"


def reasons(dockerfile: str, given: str = GIVEN, text: str = TEXT) -> list[str]:
    facts = analyse(parse(dockerfile))
    around = [Neighbour("Dockerfile", lambda: facts)]
    outcome = fix(text + given, kind=WORKFLOW, select=["gha-cache"], dockerfiles=around, workflows=[])
    assert bool(outcome.changes) != bool(outcome.refusals)
    return [refusal.reason for refusal in outcome.refusals]


def built(run: str) -> str:
    head = f"FROM node:22 AS make\nWORKDIR /srv\nRUN --mount=type=secret,id={run}\n"
    return f"{head}FROM scratch\nCOPY --from=make /srv /\n"


@pytest.mark.parametrize(
    "run",
    [
        "rc,target=/root/.npmrc npm ci",
        'rc,target=/root/.npmrc ["npm", "ci"]',
        "tok,env=NPM_TOKEN npm ci",
        "tok NPM_TOKEN=$(cat /run/secrets/tok) npm ci",
        'tok export NPM_TOKEN="$(cat /run/secrets/tok)" && npm ci',
        'tok if [ -f /run/secrets/tok ]; then export T="$(cat /run/secrets/tok)"; fi; npm ci',
        "tok pip install --extra-index-url https://x:$(cat /run/secrets/tok)@pypi.acme.dev/simple -r r.txt",
        "rc,target=/etc/pip.conf pip install -r r.txt",
        "rc,target=/root/.m2/settings.xml mvn -B package",
        "rc mvn -s /run/secrets/rc -B package",
        "rc,target=/root/.netrc apk add git && go mod download",
        "rc NPM_CONFIG_USERCONFIG=/run/secrets/rc npm ci --userconfig /run/secrets/rc",
        "rc cp /run/secrets/rc .npmrc && npm ci && rm -f .npmrc",
        "rc cp /run/secrets/rc .npmrc; npm ci; rm -f .npmrc",
        "rc cp /run/secrets/rc .npmrc && npm ci && npm cache clean --force && rm .npmrc && rm -rf /tmp/x",
        "tok git config --global url.https://$(cat /run/secrets/tok)@x.insteadOf https://x && make deps"
        " && rm -f ~/.gitconfig",
        "tok python3 -m pip install --index-url https://$(cat /run/secrets/tok)@pypi.acme.dev acme",
        'tok echo "machine x password $(cat /run/secrets/tok)" > ~/.netrc && go mod download && rm /root/.netrc',
        "tok git config --global url.https://$(cat /run/secrets/tok)@x.insteadOf https://x && go mod download"
        " && rm -f ~/.gitconfig",
        "tok --mount=type=tmpfs,target=/tmp cat /run/secrets/tok > /tmp/t && npm ci",
        "tok --mount=type=cache,target=/root/.m2 cat /run/secrets/tok > /root/.m2/settings.xml && npm ci",
        'tok curl -fsSL -H "Authorization: $(cat /run/secrets/tok)" https://x/y.tgz -o /srv/y.tgz',
        "tok git ls-remote https://$(cat /run/secrets/tok)@x/y",
        "tok wc -c < /run/secrets/tok",
        "other cp /run/secrets/other .",
        "tok <<EOF\nset -e\nexport NPM_TOKEN=$(cat /run/secrets/tok)\nnpm ci\nEOF",
    ],
)
def test_a_mount_of_which_nothing_is_kept(run: str) -> None:
    assert reasons(built(run)) == []


@pytest.mark.parametrize(
    "run",
    [
        "tok git config --global url.https://$(cat /run/secrets/tok)@x.insteadOf https://x && go mod download",
        "tok git clone https://$(cat /run/secrets/tok)@x/y",
        "tok git pull https://$(cat /run/secrets/tok)@x/y",
        "tok cp /run/secrets/tok .env && npm run build",
        "rc cp /run/secrets/rc .npmrc && npm ci",
        "rc cp /run/secrets/rc .npmrc && npm ci || rm -f .npmrc",
        "rc cp /run/secrets/rc .npmrc && npm ci && rm -f .npmrc; true",
        "rc cp /run/secrets/rc .npmrc && npm ci & rm -f .npmrc",
        "rc,target=/etc/acme.conf ./build.sh",
        "tok openssl enc -d -pass file:/run/secrets/tok -in a.enc -out a",
        "rc cd /tmp && cp /run/secrets/rc x && rm /srv/x",
        "rc cp /run/secrets/rc .npmrc && npm run build && rm -f .npmrc",
        "tok cat /run/secrets/tok > .env",
        "tok cat /run/secrets/tok | tee .env",
        "tok tee .env < /run/secrets/tok",
        "tok T=/run/secrets/tok; cp $T x",
        "tok for f in /run/secrets/*; do cp $f .; done",
        "tok cp -r /run/secrets .",
        "rc,target=/srv/.npmrc cp -r . /opt/srv",
        "rc,target=/srv/.env npm run build",
        "tok,env=VITE_KEY npm run build",
        "tok,env=T env > .env",
        "tok export T=$(cat /run/secrets/tok) && make",
        "tok . /run/secrets/tok && npm run build",
        "tok ./build.sh",
        'tok ["./build.sh"]',
        'tok npm config set //r/:_authToken "$(cat /run/secrets/tok)" && npm ci',
        "tok aws configure set aws_secret_access_key $(cat /run/secrets/tok)",
        "tok gh auth login --with-token < /run/secrets/tok",
        'tok echo "machine x password $(cat /run/secrets/tok)" > ~/.netrc',
        "tok --mount=type=tmpfs,target=/tmp cp /run/secrets/tok /tmp/x && cp /tmp/x y",
        'tok sed -i "s/X/$(cat /run/secrets/tok)/" conf',
        'tok ["sh", "-c", "cp /run/secrets/tok ."]',
        "tok <<EOF\nset -e\ncp /run/secrets/tok .env\nEOF",
    ],
)
def test_a_mount_of_which_something_may_be_kept(run: str) -> None:
    assert reasons(built(run)) == ["secret-file"]


KEEPS = built("tok cp /run/secrets/tok .env")


@pytest.mark.parametrize(
    ("given", "secret"),
    [
        ("secrets: tok=${{ secrets.TOK }}", True),
        ('secrets: "\\"tok=${{ secrets.TOK }}\\""', True),
        ("secrets: tok=${{ secrets.GITHUB_TOKEN }}", False),
        ("secrets: tok=${{ github.token }}", False),
        ("secrets: tok=plain", False),
        ("secrets: other=${{ secrets.TOK }}", False),
        ("secrets: ${{ secrets.ALL }}", True),
        ("secrets: tok=${{ steps.a.outputs.b }}", True),
        ("secrets: |\n            \"tok=a\n            ${{ secrets.TOK }}\"", True),
        ("secret-files: tok=./tok.txt", True),
        ("secret-envs: tok=TOK", True),
        ("github-token: ${{ secrets.PAT }}", False),
        ("target: make\n          secrets: tok=${{ secrets.TOK }}", True),
        ("target: last\n          secrets: tok=${{ secrets.TOK }}", False),
        ("file: other/Dockerfile\n          secrets: tok=${{ secrets.TOK }}", True),
        ("file: ${{ env.NAME }}\n          secrets: tok=${{ secrets.TOK }}", True),
    ],
)
def test_which_secrets_are_given(given: str, secret: bool) -> None:
    dockerfile = f"{KEEPS}FROM alpine AS last\nFROM make\n"
    assert reasons(dockerfile, f"          {given}\n") == (["secret-file"] if secret else [])
