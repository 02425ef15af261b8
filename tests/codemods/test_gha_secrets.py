"""What steps before a build may leave of a secret in its context."""

from __future__ import annotations

import textwrap

import pytest

from fixer.engine.kinds import WORKFLOW
from fixer.engine.run import fix

HEAD = "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n"
BUILD = (
    "    - uses: docker/setup-buildx-action@v3\n    - uses: docker/build-push-action@v6\n      with:\n"
    "        context: {context}\n        push: true\n        tags: x/y\n"
)


def reasons(steps: str, *, env: str = "", context: str = ".") -> list[str]:
    """Of the refusals for a build behind these steps; a text that is no list of steps is one script."""
    if not steps.startswith("- "):
        steps = "- run: |\n" + textwrap.indent(steps, "    ")
    head = HEAD + (f"    env: {{{env}}}\n" if env else "")
    text = f"{head}    steps:\n{textwrap.indent(steps.rstrip(), '    ')}\n{BUILD.format(context=context)}"
    outcome = fix(text, kind=WORKFLOW, select=["gha-cache"], place=".github/workflows/ci.yml", workflows=[])
    assert outcome.error is None
    changed = bool(outcome.changes)
    found = [refusal.reason for refusal in outcome.refusals]
    assert changed != bool(found), text
    return found


A = "A: '${{ secrets.A }}'"
WORK = "work"
"""Where the workspace is, in the home of the runner."""
TOKEN = "GH_TOKEN: '${{ secrets.GITHUB_TOKEN }}'"


@pytest.mark.parametrize(
    "script",
    [
        'echo "${{ secrets.A }}" > .env',
        'echo "${{ secrets.A }}" >| .env',
        'echo "${{ secrets.A }}" &> .env',
        'echo "${{ secrets.A }}" | tee .env',
        'echo "${{ secrets.A }}" | tr a b | tee -a .env >/dev/null',
        "cat <<EOF > .env\nA=${{ secrets.A }}\nEOF",
        'X="${{ secrets.A }}"\necho "$X" > .env',
        'export X="${{ secrets.A }}"\nprintf %s "${X}" > .env',
        'f() { echo "$1" > .env; }\nf "${{ secrets.A }}"',
        'f() { cat > .env; }\necho "${{ secrets.A }}" | f',
        'f() { echo "${{ secrets.A }}"; }\nf > .env',
        '{ echo "${{ secrets.A }}"; } > .env',
        'echo "${{ secrets.A }}" | while read -r x; do echo "$x" > .env; done',
        'for x in ${{ secrets.A }}; do echo $x > .env; done',
        'echo "$(echo "${{ secrets.A }}")" > .env',
        'printf -v X %s "${{ secrets.A }}"\necho "$X" > .env',
        "set -- ${{ secrets.A }}\necho $1 > .env",
        '[[ "${{ secrets.A }}" =~ (.*) ]]\necho "${BASH_REMATCH[1]}" > .env',
        "(( x = ${{ secrets.A }} ))\necho $x > .env",
        'let "x=${{ secrets.A }}"\necho $x > .env',
        "for ((i=${{ secrets.A }};i<1;i++)); do :; done\necho $i > .env",
        'X="${{ secrets.A }}"\n(( y = X + 1 ))\necho $y > .env',
        ': "${X:=${{ secrets.A }}}"\necho "$X" > .env',
        'exec > .env\necho "${{ secrets.A }}"',
        'echo "${{ secrets.A }}" > "$DIR/.env"',
        'cat <(echo "${{ secrets.A }}") > .env',
        'echo "${{ secrets.A }}" > >(tee .env)',
        "make TOKEN=${{ secrets.A }}",
        "echo '${{ secrets.A }}' | base64 -d | tar x",
        "if (",
        "eval 'echo ${{ secrets.A }} > .env'",
        "aws secretsmanager get-secret-value --secret-id x > .env",
        "aws secretsmanager get-secret-value --secret-id x | jq -r .SecretString > .env",
        "gcloud secrets versions access latest --secret=x --out-file=.env",
        "vault kv get -field=a secret/x > .env",
        "K=$(vault kv get -field=a secret/x)\necho $K > .env",
        "sops -d -i x",
        "sops -d x.enc > x",
        "gh auth token > .token",
        "op read op://a/b/c > .env",
        "op inject -i .env.tpl -o .env",
        "doppler secrets download --no-file --format env > .env",
        "kubectl get secret a -o yaml > a.yaml",
        "docker run -e A=${{ secrets.A }} -v .:/w x",
        "find . -name '*.tpl' -exec sed -i 's/X/${{ secrets.A }}/' {} +",
        "find . -name '*.tpl' | xargs sed -i 's/X/${{ secrets.A }}/'",
    ],
)
def test_a_script_that_may_keep_a_secret(script: str) -> None:
    if script == "if (":
        script += ' "${{ secrets.A }}"'
    assert reasons(script) == ["secret-file"]


@pytest.mark.parametrize(
    "script",
    [
        "if true; then env > .env; fi",
        "(env) > .env",
        "{ env; } > .env",
        "sudo env > .env",
        "sudo -E env > .env",
        "env 2>/dev/null > .env",
        "env -0 > .env",
        "env | sort > .env",
        "printenv > .env",
        "printenv A > .env",
        "export > .env",
        "export -p > .env",
        "set > .env",
        "declare -px > .env",
        "declare -p A > .env",
        "jq -n env > .env",
        "jq -n '$ENV.A' > .env",
        "yq -n 'strenv(A)' > .env",
        "envsubst < .env.tpl > .env",
        "awk 'BEGIN { print ENVIRON[\"A\"] }' > .env",
        "awk 'BEGIN { print ENVIRON[\"A\"] > \".env\" }'",
        'echo "$A" &> .env',
        'echo "${!A}" > .env',
        'X=A; echo "${!X}" > .env',
        'sed -e "s/X/$A/" -i conf',
        'sed --in-place "s/X/$A/" conf',
        'sed "s/X/$A/w .env" conf',
        'perl -pi -e "s/X/$A/" conf',
        'npm set //r/:_authToken=$A',
        'npm config set //r/:_authToken "$A"',
        'pip config set global.index-url "https://$A@pypi.acme.dev"',
        'pip install -e git+https://$A@github.com/x/y',
        "git clone https://$A@github.com/x/y",
        "git remote set-url origin https://$A@github.com/x/y",
        "git config url.https://$A@github.com/.insteadOf https://github.com/",
        "git push -u https://$A@github.com/x/y main",
        'dd of=.env <<< "$A"',
        'cp /dev/stdin .env <<< "$A"',
        'echo "$A" | install /dev/stdin .env',
        'echo "$A" > /tmp/k && cp /tmp/k key.pem',
        'echo "$A" > /tmp/k\nmv /tmp/k key.pem',
        'echo "$A" > $RUNNER_TEMP/k\ncat $RUNNER_TEMP/k > key.pem',
        'T=$(mktemp); echo "$A" > $T; base64 -d < $T > key.pem',
        'openssl enc -d -k "$A" -in a.enc -out a',
        'openssl enc -d -pass env:A -in a.enc -out a',
        'openssl enc -d -pass env:A -in a.enc > a',
        "docker run -e A x env > .env",
        'gpg --batch --passphrase "$A" -o a -d a.gpg',
        'gpg --batch --passphrase "$A" -d a.gpg > a',
        "node -e \"require('fs').writeFileSync('.env', process.env.A)\"",
        "python - <<E\nimport os\nopen('.env', 'w').write(os.environ['A'])\nE",
        "docker run -e A -v $PWD:/w x sh -c 'echo $A > /w/.env'",
        "./setup.sh",
        "make configure",
        "bash -c 'echo $A > .env'",
        "source ./setup.sh",
    ],
)
def test_a_script_with_a_secret_in_its_environment(script: str) -> None:
    assert reasons(script, env=A) == ["secret-file"]


@pytest.mark.parametrize(
    "script",
    [
        '(cd sub && echo "${{ secrets.A }}" > .env)',
        '{ cd sub; echo "${{ secrets.A }}" > .env; }',
        'if true; then cd sub; echo "${{ secrets.A }}" > .env; fi',
        'for d in sub; do cd $d; echo "${{ secrets.A }}" > .env; done',
        'time cd sub; echo "${{ secrets.A }}" > .env',
        '! cd sub || echo "${{ secrets.A }}" > .env',
        'pushd sub; echo "${{ secrets.A }}" > .env',
        'echo "${{ secrets.A }}" > sub/.env',
        'echo "${{ secrets.A }}" > $GITHUB_WORKSPACE/sub/.env',
        'echo "${{ secrets.A }}" > /home/runner/wx/x/sub/.env',
        'echo "${{ secrets.A }}" > /tmp/../home/runner/wx/x/sub/.env',
        'echo "${{ secrets.A }}" > ~/' + WORK + '/x/x/sub/.env',
        'echo "${{ secrets.A }}" > "$HOME/' + WORK + '/x/x/sub/.env"',
        'echo "${{ secrets.A }}" > s\\ub/.env',
        'echo "${{ secrets.A }}" > s*b/.env',
        'D=sub; echo "${{ secrets.A }}" > "$D/.env"',
        'for D in sub; do echo "${{ secrets.A }}" > "$D/.env"; done',
        "# a comment \\\necho '${{ secrets.A }}' > sub/.env",
        'cd \\\n  sub\necho "${{ secrets.A }}" > .env',
    ],
)
def test_directories(script: str) -> None:
    assert reasons(script, context="sub") == ["secret-file"]


def test_another_directory() -> None:
    assert reasons('echo "${{ secrets.A }}" > "~/.env"') == ["secret-file"]
    assert reasons("echo '${{ secrets.A }}' > '$HOME/.env'") == ["secret-file"]
    assert reasons('echo "${{ secrets.A }}" > other/.env', context="sub") == []
    assert reasons('echo "${{ secrets.A }}" > .env', context="sub") == []


@pytest.mark.parametrize(
    "steps",
    [
        '- run: echo "X=${{ secrets.A }}" >> $GITHUB_ENV\n- run: echo "$X" > .env\n',
        '- run: echo "X=${{ secrets.A }}" | tee -a "$GITHUB_ENV"\n- run: env > .env\n',
        "- run: |\n    {\n      echo 'X<<E'\n      echo '${{ secrets.A }}'\n      echo E\n    } >> $GITHUB_ENV\n"
        '- run: echo "$X" > .env\n',
        "- run: vault kv get -format=json a | jq -r '.data|to_entries[]|\"\\(.key)=\\(.value)\"' >> $GITHUB_ENV\n"
        '- run: echo "$X" > .env\n',
        "- uses: hashicorp/vault-action@v3\n  with:\n    secrets: a/b c | X\n"
        '- run: echo "$X" > .env\n',
        "- uses: 1password/load-secrets-action@v2\n  env:\n    X: op://a/b/c\n"
        '- run: echo "$X" > .env\n',
        "- uses: 1password/load-secrets-action@v2\n  env:\n    X: op://a/b/c\n- run: ./configure\n",
        "- uses: hashicorp/vault-action@v3\n  id: v\n  with:\n    exportEnv: false\n    secrets: a/b c | X\n"
        '- run: echo "${{ steps.v.outputs.X }}" > .env\n',
        "- uses: aws-actions/configure-aws-credentials@v4\n"
        '- run: echo "$AWS_SECRET_ACCESS_KEY" > .env\n',
        "- uses: aws-actions/configure-aws-credentials@v4\n- run: env > .env\n",
        '- run: echo "${{ secrets.A }}" > ~/k\n- run: cp ~/k k\n',
        "- run: echo \"${{ secrets.A }}\" | docker login -u x --password-stdin\n- run: |\n"
        "    echo '${{ secrets.A }}' > $HOME/.netrc\n- run: cat $HOME/.netrc > .netrc\n",
        "- shell: python\n  env:\n    K: ${{ secrets.K }}\n  run: |\n    import os, pathlib\n"
        "    pathlib.Path('.env').write_text(os.environ['K'])\n",
        "- shell: pwsh\n  env:\n    K: ${{ secrets.K }}\n  run: Set-Content .env $env:K\n",
        "- uses: actions/github-script@v7\n  with:\n"
        "    script: require('fs').writeFileSync('.env', '${{ secrets.K }}')\n",
        "- uses: actions/github-script@v7\n  env:\n    K: ${{ secrets.K }}\n  with:\n"
        "    script: require('fs').writeFileSync('.env', process.env.K)\n",
    ],
)
def test_steps_that_may_keep_a_secret(steps: str) -> None:
    assert reasons(steps) == ["secret-file"]


@pytest.mark.parametrize(
    "script",
    [
        'echo "${{ secrets.GITHUB_TOKEN }}" | docker login ghcr.io -u x --password-stdin',
        "docker login ghcr.io -u x -p ${{ secrets.A }}",
        "docker login ghcr.io -u x --password-stdin <<< '${{ secrets.A }}'",
        "aws ecr get-login-password --region us-east-1 | docker login --username AWS --password-stdin x.amazonaws.com",
        "helm registry login ghcr.io -u x -p ${{ secrets.A }}",
        'echo "${{ secrets.A }}" | helm registry login ghcr.io -u x --password-stdin',
        'if [ -z "${{ secrets.A }}" ]; then\n  echo "no secret" > note.txt\n  exit 1\nfi',
        'echo "${{ secrets.A }}" > /tmp/key\nchmod 600 /tmp/key\nrm -f /tmp/key',
        'echo "${{ secrets.A }}" | base64 -d > "$RUNNER_TEMP/key"',
        'echo "${{ secrets.A }}" | base64 -d > ${{ runner.temp }}/key',
        'T=$(mktemp)\necho "${{ secrets.A }}" > "$T"',
        'D=/tmp/keys\nmkdir -p $D\necho "${{ secrets.A }}" > "$D/a"',
        'echo "${{ secrets.A }}" \\\n  | docker login -u x \\\n    --password-stdin ghcr.io',
        "mkdir -p ~/.ssh; echo '${{ secrets.A }}' > ~/.ssh/id; ssh-keyscan github.com >> ~/.ssh/known_hosts",
        'echo "::add-mask::${{ secrets.A }}"',
        'echo "key=${{ secrets.A }}" >> "$GITHUB_OUTPUT"',
        "git config --global url.https://${{ secrets.A }}@github.com/.insteadOf https://github.com/",
        "git fetch https://${{ secrets.A }}@github.com/x/y main",
        "git -c http.extraheader='AUTHORIZATION: ${{ secrets.A }}' fetch origin",
        "pip install --extra-index-url https://${{ secrets.A }}@pypi.acme.dev/simple acme",
        "curl -sf -H 'Authorization: ${{ secrets.A }}' https://acme.dev/data.json > data.json",
        "curl -sf -H 'Authorization: ${{ secrets.A }}' -o data.json https://acme.dev/data.json",
        "curl -sf -u x:${{ secrets.A }} https://acme.dev/v.json | jq -r .version > VERSION",
        "make\n./build.sh > log.txt\nnpm run build",
        "echo 1.0 > VERSION\necho '${{ secrets.A }}' | docker login -u x --password-stdin",
        "echo 'from the vault' > note.txt",
        "vault login -no-print token='${{ secrets.A }}'",
    ],
)
def test_a_script_that_keeps_none(script: str) -> None:
    assert reasons(script) == []


@pytest.mark.parametrize(
    "script",
    [
        "VERSION=$(gh api repos/x/y/releases/latest --jq .tag_name)\n"
        'echo "version=$VERSION" >> "$GITHUB_OUTPUT"\necho "$VERSION" > VERSION',
        'echo "version=$(git describe --tags)" >> $GITHUB_OUTPUT',
        "git describe --tags > VERSION",
        "make\n./build.sh",
        "gh release download v1 -p '*.tgz' -O data.tgz\ntar xzf data.tgz",
    ],
)
def test_a_token_of_the_job(script: str) -> None:
    assert reasons(script, env=TOKEN) == []


@pytest.mark.parametrize(
    "script",
    [
        "npm ci",
        "npm install --omit=dev",
        "pnpm install --frozen-lockfile",
        "yarn install --immutable",
        "corepack enable\npnpm i",
        "go mod download",
        "pip install -r requirements.txt",
        "mkdir -p dist\necho '{}' > dist/config.json",
        "test -n \"$NODE_AUTH_TOKEN\" || { echo missing; exit 1; }",
        "sed -i s/a/b/ package.json",
        "cp a b && mv b c && tar cf c.tar c",
        "git clone https://github.com/x/y",
        "jq .version package.json > VERSION",
        'SHA="${GITHUB_SHA::7}"\necho "sha=$SHA" >> $GITHUB_ENV\nexport SHA\nset -euo pipefail',
        'if [ "$GITHUB_REF_NAME" = main ]; then echo latest > tag; else echo "$GITHUB_REF_NAME" > tag; fi',
        "find . -name '*.orig' | wc -l",
        "command -v docker && docker run --rm -v $PWD:/w x make",
        "docker cp a:/b c",
    ],
)
def test_a_secret_that_the_environment_holds(script: str) -> None:
    assert reasons(script, env="NODE_AUTH_TOKEN: '${{ secrets.A }}'") == []


def test_an_action_that_gives_secrets_and_scripts_that_do_not_ask_for_them() -> None:
    vault = "- uses: hashicorp/vault-action@v3\n  with:\n    secrets: a/b c | X\n"
    assert reasons(f'{vault}- run: echo "$GITHUB_SHA" > VERSION\n') == []
    assert reasons(f'{vault}- run: echo "$X" | docker login -u x --password-stdin\n') == []
    assert reasons("- uses: aws-actions/configure-aws-credentials@v4\n- run: make\n") == []
    script = "- uses: actions/github-script@v7\n  with:\n    github-token: ${{ secrets.K }}\n"
    assert reasons(f"{script}    script: core.setOutput('a', 1)\n") == []
