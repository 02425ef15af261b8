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
        'export X="${{ secrets.A }}"\nmake',
        'X="${{ secrets.A }}"\nexport X\n./configure',
        'declare -x X="${{ secrets.A }}"\nenv > .env',
        'set -a\nX="${{ secrets.A }}"\nmake',
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
        "docker run -e A=${{ secrets.A }} -itv .:/w x",
        "sops --decrypt --in-place x",
        "sops -di x",
        "sops exec-env x 'make conf'",
        "sops exec-file x 'cp {} conf'",
        "gpg -d conf.gpg > conf",
        "gpg --batch --output conf --decrypt conf.gpg",
        "gpg --export-secret-keys > keys",
        "git-crypt unlock",
        "git crypt unlock key",
        "git secret reveal -f",
        "ansible-vault decrypt vars.yml",
        "blackbox_postdeploy",
        "pass show acme/conf > conf",
        "chamber export -f dotenv -o conf acme",
        "chamber exec acme -- make",
        "aws-vault exec acme -- make",
        "aws configure export-credentials --format env > conf",
        "aws codeartifact login --tool npm --domain a --repository b\ncp ~/.npmrc .npmrc",
        "az keyvault secret download --vault-name a --name b -f conf",
        "az webapp config appsettings list -n a -g b > conf.json",
        "az storage account show-connection-string -n a > conf",
        "az appconfig kv export -n a -d file --path conf.json",
        "oc extract secret/a --to=.",
        "oc get secret a -o yaml > a.yaml",
        "oc whoami -t > token",
        "heroku config -s -a acme > conf",
        "terraform output -json > conf.json",
        "terraform -chdir=infra output -raw db_password > conf",
        'export NPM_TOKEN="${{ secrets.A }}"\nyarn build',
        "curl -c jar -d p=${{ secrets.A }} https://acme.dev/login",
        "curl --trace-ascii log.txt -H 'A: ${{ secrets.A }}' https://acme.dev/",
        "wget --save-cookies=jar --post-data p=${{ secrets.A }} https://acme.dev/login",
        'A="${{ secrets.A }}"\ndeclare -n B=A\necho $B > conf',
        "I=$(docker create -e A=${{ secrets.A }} x)\ndocker cp $I:/conf .",
        'export NPM_TOKEN="${{ secrets.A }}"\nyarn --silent build',
        'export NPM_TOKEN="${{ secrets.A }}"\npnpm -r build',
        'export NPM_TOKEN="${{ secrets.A }}"\nyarn $COMMAND',
        'export NPM_TOKEN="${{ secrets.A }}"\nnpm',
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
        'npm set --location project //r/:_authToken=$A',
        'npm config set --userconfig .npmrc //r/:_authToken "$A"',
        'export NPM_CONFIG_USERCONFIG=.npmrc; npm config set //r/:_authToken "$A"',
        'pip config --site set global.index-url "https://$A@pypi.acme.dev"',
        'poetry config --local http-basic.acme a "$A"',
        'composer config http-basic.acme.dev a "$A"',
        'yarn config set npmAuthToken "$A"',
        'pip install -e git+https://$A@github.com/x/y',
        "git clone https://$A@github.com/x/y",
        "git remote set-url origin https://$A@github.com/x/y",
        "git config url.https://$A@github.com/.insteadOf https://github.com/",
        "git push -u https://$A@github.com/x/y main",
        "git push -qfu https://$A@github.com/x/y main",
        "git push --set-up https://$A@github.com/x/y main",
        "git pull --rebase https://x:$A@github.com/x/y main",
        'export B="$A"; make',
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
        "git -c http.extraheader='AUTHORIZATION: ${{ secrets.A }}' pull --rebase",
        "git push --force --follow-tags https://${{ secrets.A }}@github.com/x/y main",
        "git push -fq https://${{ secrets.A }}@github.com/x/y main",
        'X="${{ secrets.A }}"\nmake',
        'export VERSION=1\nX="${{ secrets.A }}"\nmake',
        'export NPM_TOKEN="${{ secrets.A }}"\nnpm ci',
        'export NPM_TOKEN="${{ secrets.A }}"\nyarn',
        'export NPM_TOKEN="${{ secrets.A }}"\nyarn --prefer-offline --production',
        'export NPM_TOKEN="${{ secrets.A }}"\npnpm -r --silent install',
        "BUNDLE_GEMS__ACME__DEV=${{ secrets.A }} bundle",
        "pip install --extra-index-url https://${{ secrets.A }}@pypi.acme.dev/simple acme",
        "curl -sf -H 'Authorization: ${{ secrets.A }}' https://acme.dev/data.json > data.json",
        "curl -sf -H 'Authorization: ${{ secrets.A }}' -o data.json https://acme.dev/data.json",
        "curl -sf -u x:${{ secrets.A }} https://acme.dev/v.json | jq -r .version > VERSION",
        "make\n./build.sh > log.txt\nnpm run build",
        "echo 1.0 > VERSION\necho '${{ secrets.A }}' | docker login -u x --password-stdin",
        "echo 'from the vault' > note.txt",
        "vault login -no-print token='${{ secrets.A }}'",
        "npm config set //r/:_authToken=${{ secrets.A }}",
        "pip config set global.index-url https://${{ secrets.A }}@pypi.acme.dev",
        "poetry config http-basic.acme a ${{ secrets.A }}",
        "composer config -g http-basic.acme.dev a ${{ secrets.A }}",
        "yarn config set --home npmAuthToken ${{ secrets.A }}",
        "cargo login ${{ secrets.A }}",
        "mkdir -p /tmp/k; echo ${{ secrets.A }} > /tmp/k/a; cp -r conf /tmp/k",
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


@pytest.mark.parametrize(
    "script",
    [
        "aws s3 cp s3://acme/live.env .env --region us-east-1",
        "aws s3 cp --only-show-errors s3://acme/.env .",
        "aws s3 cp s3://acme/.env conf/ --endpoint-url https://minio.acme.dev",
        "aws s3 cp s3://acme/live.env app.conf",
        "aws s3 cp --recursive s3://acme-secrets/ conf",
        "aws s3 cp s3://acme-secrets/app.yaml - > conf",
        "aws s3api get-object --bucket acme --key live/.env conf",
        "aws eks update-kubeconfig --name a --kubeconfig ./kubeconfig",
        "gcloud storage cp -r gs://acme-vault/a conf",
        "gcloud iam service-accounts keys create --iam-account x acme.json",
        "gsutil cp gs://acme/.env .env --x y",
        "az storage blob download -c a -n live.env -f conf --account-name a",
        "az aks get-credentials -n a -g b --file kubeconfig",
        "gh release download v1 -R acme/conf -p .env",
        "export KUBECONFIG=./conf; gcloud container clusters get-credentials a",
        "scp -i key deploy@${{ vars.HOST }}:/srv/.env conf",
        "rsync -avz deploy@acme.dev:/srv/.env .",
        'ssh -p 22 deploy@acme.dev "cat /srv/.env" > conf',
        "ssh acme.dev env > .env",
        "curl -u a:${{ secrets.A }} -sO https://acme.dev/live.env",
        "curl -u a:${{ secrets.A }} -fsSLo .env https://acme.dev/live",
        "curl -u a:${{ secrets.A }} -o conf https://acme.dev/secrets/live",
        "curl -H 'X-Vault-Token: ${{ secrets.A }}' https://vault.acme.dev/v1/a | jq -r .data > conf",
        "X=$(curl -H 'X-Vault-Token: ${{ secrets.A }}' https://vault.acme.dev/v1/a)\necho $X > conf",
        "curl -u a:${{ secrets.A }} https://acme.dev/live > credentials.json",
        "wget --password=${{ secrets.A }} https://acme.dev/live.env",
        "wget --password=${{ secrets.A }} -qO .env https://acme.dev/live",
    ],
)
def test_secrets_that_are_fetched(script: str) -> None:
    assert reasons(script) == ["secret-file"]


@pytest.mark.parametrize(
    "script",
    [
        "aws s3 cp s3://acme/a.csv a.csv --region us-east-1",
        "aws s3 cp s3://acme/.env.example .env.example",
        "aws s3 cp .env s3://acme-secrets/.env",
        "aws s3 ls s3://acme-secrets/",
        "aws s3 sync dist s3://acme --delete",
        "aws s3 cp s3://acme-secrets/.env /tmp/live.env",
        "aws s3 cp s3://acme/db-ca-bundle.pem .",
        "gcloud storage cp -r gs://acme/model conf",
        "az storage blob upload -c a -n live.env -f .env",
        "az aks get-credentials -n a -g b",
        "gh secret set -f .env",
        "gh release download v1 -R acme/secrets -p app.tgz",
        "export KUBECONFIG=/tmp/conf; gcloud container clusters get-credentials a",
        "gh release download v1 -R hashicorp/vault -p '*.zip' -O tool.zip",
        "scp dist.tgz deploy@acme.dev:/srv/",
        "scp -r deploy@acme.dev:/srv/static ./static",
        "rsync -avz --exclude .env ./ deploy@acme.dev:/srv",
        'ssh acme.dev "docker compose --env-file .env up -d"',
        "ssh -i ~/.ssh/id_a acme.dev uname -a > kernel.txt",
        "curl -u a:${{ secrets.A }} -sO https://acme.dev/app.tgz",
        "curl -sf https://acme.dev/secrets.html > page.html",
        "curl -H 'X-Vault-Token: ${{ secrets.A }}' https://vault.acme.dev/v1/a | docker login --password-stdin",
    ],
)
def test_what_is_fetched_and_no_secret(script: str) -> None:
    assert reasons(script) == []


S = "${{ secrets.A }}"


@pytest.mark.parametrize(
    "script",
    [
        f'htpasswd -bc conf admin "{S}"',
        f'htpasswd -bBC 12 conf admin "{S}"',
        f'gpg --homedir ./keys --import <<< "{S}"',
        f'export GNUPGHOME=$PWD/keys; echo "{S}" | gpg --batch --import',
        f"helm template a . --set a={S} --output-dir conf",
        f"export HELM_REGISTRY_CONFIG=$PWD/conf; helm registry login acme.dev -u a -p {S}",
        f"export KUBECONFIG=./conf; kubectl config set-credentials a --token={S}",
        f"kubectl config set-credentials a --token={S} --kubeconfig conf",
        f"export CARGO_HOME=.cargo; cargo login {S}",
        f"export AWS_SHARED_CREDENTIALS_FILE=conf; aws configure set aws_secret_access_key {S}",
        f'echo "{S}" | uniq - conf',
        f'echo "{S}" > /tmp/a.pem; tar czf conf.tgz -C /tmp a.pem',
        f'echo "{S}" > /tmp/a/a.pem; tar czf conf.tgz --directory=/tmp/a .',
        f'echo "{S}" > /tmp/a; cd /tmp; cp a $GITHUB_WORKSPACE/conf',
    ],
)
def test_programs_that_write_what_they_are_told(script: str) -> None:
    assert reasons(script) == ["secret-file"]


@pytest.mark.parametrize(
    "script",
    [
        f'htpasswd -nb admin "{S}"',
        f"curl -c /tmp/jar -d 'p={S}' https://acme.dev/login",
        f"I=$(docker create x); docker cp $I:/conf .; docker login -p {S}",
        f'echo "{S}" | gpg --batch --import; gpg --verify a.sig a',
        f'echo "{S}" | gpg --batch --import; gpg --dearmor -o a.gpg a.asc',
        "terraform output -raw url > url",
        "gpg -d conf.gpg > /tmp/conf",
        "git-crypt status; git secret list",
        f'gpg --homedir /tmp/keys --import <<< "{S}"',
        f'export GNUPGHOME=$(mktemp -d); gpg --import <<< "{S}"',
        f"helm template a . --set a={S} | kubectl apply -f -",
        f"helm registry login acme.dev -u a -p {S}",
        f"kubectl config set-credentials a --token={S}",
        f"export KUBECONFIG=/tmp/conf; kubectl config set-credentials a --token={S}",
        f"kubectl --token={S} get pods",
        f'echo "{S}" > ~/.ssh/id_a; cd /tmp && curl -sO https://x.dev/a.tgz && tar xzf a.tgz && mv a /usr/local/bin/',
        f'echo "{S}" > /tmp/a; tar czf /tmp/a.tgz -C /tmp a',
        f'echo "{S}" | sort | uniq -c',
    ],
)
def test_programs_that_keep_what_they_are_told_elsewhere(script: str) -> None:
    assert reasons(script) == []


@pytest.mark.parametrize(
    ("steps", "env", "secret"),
    [
        ("- uses: acme/openvpn-connect@v1\n  with:\n    client-key: ${{ secrets.A }}\n", "", True),
        ("- uses: tailscale/github-action@v4\n  with:\n    authkey: ${{ secrets.A }}\n", "", False),
        (f"- run: echo '{S}' > /tmp/a.pem\n- run: tar czf conf.tgz -C /tmp a.pem\n", "", True),
        (f"- run: echo '{S}' > /tmp/a.pem\n- run: cd /tmp && cp a.pem $GITHUB_WORKSPACE/\n", "", True),
        (f"- run: echo '{S}' > /tmp/a.pem\n- run: cd /tmp && tar xzf tool.tgz\n", "", False),
        (f"- run: docker login -u a -p {S}; cp ~/.docker/config.json .\n", "", True),
        (f"- run: docker login -u a -p {S}\n- run: cp -r $HOME/.docker .\n", "", True),
        (f"- run: npm config set //acme.dev/:_authToken {S}\n- run: cat ~/.npmrc >> .npmrc\n", "", True),
        (f"- run: docker login -u a -p {S}; tar czf conf.tgz ~/.docker\n", "", True),
        (f"- run: docker login -u a -p {S}; cp ~/.cargo/bin/tool .\n", "", False),
        (f"- run: docker login -u a -p {S}; cp /etc/os-release .\n", "", False),
        (f"- run: docker login -u a -p {S}; tar xzf a.tgz -C ~/.config\n", "", False),
        (f"- run: docker login -u a -p {S}; ls ~/.docker\n", "", False),
        ("- run: cp ~/.docker/config.json .\n", "", False),
        (f"- uses: docker/login-action@v3\n  with: {{password: '{S}'}}\n- run: cp -r ~/.docker .\n", "", True),
        ("- uses: docker/login-action@v3\n  with: {password: '${{ github.token }}'}\n- run: cp -r ~/.docker .\n", "",
         False),
        (f"- uses: acme/ssh-key@v1\n  with: {{key: '{S}'}}\n- run: cp -r ~/.ssh .\n", "", True),
        ("- uses: acme/ssm-parameters@v1\n- run: echo $B > conf\n", "", True),
        ("- uses: acme/parameter-store-to-dotenv@v1\n", "", True),
        ("- uses: nick-fields/retry@v3\n  with: {command: npm ci}\n  env: {A: '${{ secrets.A }}'}\n", "", False),
        ("- uses: nick-fields/retry@v3\n  with: {command: make}\n  env: {A: '${{ secrets.A }}'}\n", "", True),
        ("- uses: nick-fields/retry@v3\n  with: {command: make}\n", f"A: '{S}'", True),
        ("- uses: nick-fields/retry@v3\n  with: {command: 'npm ci', shell: pwsh}\n", f"A: '{S}'", True),
        (f"- uses: nick-fields/retry@v3\n  with: {{command: 'docker login -p {S}'}}\n- run: cp -r ~/.docker .\n", "",
         True),
        ("- uses: Wandalen/wretry.action@v3\n  with:\n    action: docker/login-action@v3\n    with: |\n"
         f"      password: {S}\n", "", False),
        ("- uses: Wandalen/wretry.action@v3\n  with:\n    action: acme/unknown@v3\n    with: |\n"
         f"      password: {S}\n", "", True),
        ("- uses: Wandalen/wretry.action@v3\n  with:\n    action: actions/checkout@v4\n    with: |\n"
         f"      token: {S}\n", "", True),
        (f"- uses: Wandalen/wretry.action@v3\n  with: {{command: 'echo {S} > conf'}}\n", "", True),
        (f"- uses: addnab/docker-run-action@v3\n  with: {{run: make, options: '-e A={S}'}}\n", "", True),
        ("- run: make\n  env: ${{ secrets }}\n", "", True),
        ("- run: make\n  env: ${{ fromJSON(secrets.ALL) }}\n", "", True),
        ("- run: make\n  env: ${{ fromJSON(vars.ALL) }}\n", "", False),
        ("- run: make\n- run: npm ci\n  env: ${{ secrets }}\n", "", False),
        ("- uses: acme/aws-ssm-send-command@v1\n- run: npm run build\n", "", False),
        (f"- run: kubectl config set-credentials a --token={S}\n", 'KUBECONFIG: "${{ github.workspace }}/a"', True),
        (f"- run: kubectl config set-credentials a --token={S}\n", 'KUBECONFIG: "${{ runner.temp }}/a"', False),
    ],
)
def test_where_programs_keep_what_they_are_told(steps: str, env: str, secret: bool) -> None:
    assert reasons(steps, env=env) == (["secret-file"] if secret else [])


FETCH = "aws secretsmanager get-secret-value --secret-id a --query SecretString --output text"


def argument(steps: str, value: str, *, before: str = "", needs: str = "") -> list[str]:
    """Of the refusals for a build with a build argument; before: jobs."""
    head = f"on: push\njobs:\n{before}  a:\n    runs-on: ubuntu-latest\n{needs}    steps:\n"
    text = f"{head}{textwrap.indent(steps, '    ')}{BUILD.format(context='.')}        build-args: {value}\n"
    outcome = fix(text, kind=WORKFLOW, select=["gha-cache"], place=".github/workflows/ci.yml", workflows=[])
    assert outcome.error is None
    return [refusal.reason for refusal in outcome.refusals]


@pytest.mark.parametrize(
    ("steps", "value", "secret"),
    [
        (f'- id: a\n  run: echo "v=$({FETCH})" >> $GITHUB_OUTPUT\n', "A=${{ steps.a.outputs.v }}", True),
        (f'- id: a\n  run: echo "v=$({FETCH})" | tee -a $GITHUB_OUTPUT\n', "A=${{ steps.a.outputs.v }}", True),
        (f'- id: a\n  run: echo "::set-output name=v::$({FETCH})"\n', "A=${{ steps.a.outputs.v }}", True),
        (f'- id: a\n  run: o=$GITHUB_OUTPUT; echo "v=$({FETCH})" >> "$o"\n', "A=${{ steps.a.outputs.v }}", True),
        (f"- id: a\n  shell: pwsh\n  run: echo \"v=$({FETCH})\" >> $env:GITHUB_OUTPUT\n", "A=${{ steps.a.outputs.v }}",
         True),
        (f'- id: a\n  run: |\n    echo "v=$({FETCH})" >> $GITHUB_OUTPUT\n    echo "w=1" >> $GITHUB_OUTPUT\n',
         "A=${{ steps.a.outputs.w }}", False),
        (f'- id: a\n  run: echo "v=$({FETCH})" >> $GITHUB_OUTPUT\n- id: b\n'
         '  run: echo "w=${{ steps.a.outputs.v }}" >> $GITHUB_OUTPUT\n', "A=${{ steps.b.outputs.w }}", True),
        (f'- run: echo "A=$({FETCH})" >> $GITHUB_ENV\n', "A=${{ env.A }}", True),
        (f'- run: echo "A=$({FETCH})" >> $GITHUB_ENV\n', "A", True),
        (f'- id: a\n  run: echo "v=$({FETCH})" >> $GITHUB_OUTPUT\n', "A=${{ toJSON(steps.a.outputs) }}", True),
        (f'- id: a\n  run: echo "v=$({FETCH})" >> $GITHUB_OUTPUT\n', "A=${{ toJSON(steps.a) }}", True),
        (f'- id: a\n  run: echo "v=$({FETCH})" >> $GITHUB_OUTPUT\n', "A=${{ steps.a.outputs.V }}", True),
        (f'- id: a\n  run: echo "v=$({FETCH})" >> $GITHUB_OUTPUT\n', "A=${{ steps.a.outcome }}", False),
        (f'- run: echo "A=$({FETCH})" >> $GITHUB_ENV\n', "B=${{ env.B }}", False),
        (f'- run: |\n    echo "A=$({FETCH})" >> $GITHUB_ENV\n    echo "B=1" >> $GITHUB_ENV\n', "B=${{ env.B }}", False),
        ("- uses: hashicorp/vault-action@v3\n  with: {secrets: a b | C}\n", "A=${{ env.C }}", True),
        ("- uses: hashicorp/vault-action@v3\n  with: {secrets: a b | C}\n"
         '- run: echo "B=$(git rev-parse HEAD)" >> $GITHUB_ENV\n', "B=${{ env.B }}", False),
        ('- id: a\n  run: echo "key=$(sha256sum a b)" >> $GITHUB_OUTPUT\n', "A=${{ steps.a.outputs.key }}", False),
        ('- id: a\n  run: echo "key=$(cat a | md5sum | cut -c1-8)" >> $GITHUB_OUTPUT\n', "A=${{ steps.a.outputs.key }}",
         False),
        ('- id: a\n  run: echo "key=$(date +%F)-$GITHUB_SHA" >> $GITHUB_OUTPUT\n', "A=${{ steps.a.outputs.key }}",
         False),
        ('- id: a\n  run: echo "key=$(cat a)" >> $GITHUB_OUTPUT\n', "A=${{ steps.a.outputs.key }}", True),
        ('- id: a\n  run: echo "key=$(openssl rand -hex 8)" >> $GITHUB_OUTPUT\n', "A=${{ steps.a.outputs.key }}", True),
        ('- id: a\n  run: echo "key=$(./key)" >> $GITHUB_OUTPUT\n', "A=${{ steps.a.outputs.key }}", True),
        ('- id: a\n  run: echo "key=$(curl -s https://a.b)" >> $GITHUB_OUTPUT\n', "A=${{ steps.a.outputs.key }}", True),
        ('- id: a\n  run: echo "key=$KEY" >> $GITHUB_OUTPUT\n', "A=${{ steps.a.outputs.key }}", True),
        ("- id: a\n  uses: actions/create-github-app-token@v2\n  with: {private-key: '${{ secrets.K }}'}\n",
         "A=${{ steps.a.outputs.token }}", False),
        ("- id: a\n  uses: actions/create-github-app-token@v2\n  with: {skip-token-revoke: true}\n",
         "A=${{ steps.a.outputs.token }}", True),
        ("", "A=${{ github.event.inputs.token }}", True),
        ("", "A=${{ github.event.client_payload.npm_token }}", True),
        ("", "A=${{ toJSON(github.event.client_payload) }}", True),
        ("", "A=${{ github.event.inputs.version }}", False),
        ("", "A=${{ github.event.client_payload.ref }}", False),
    ],
)  # fmt: skip
def test_secrets_that_are_handed_on(steps: str, value: str, secret: bool) -> None:
    assert argument(steps, value) == (["secret-build-arg"] if secret else [])


def test_secrets_of_other_jobs() -> None:
    job = (
        "  b:\n    runs-on: ubuntu-latest\n    outputs: {{{0}: '${{{{ steps.x.outputs.v }}}}'}}\n    steps:\n"
        "    - id: x\n      run: echo \"v=$({1})\" >> $GITHUB_OUTPUT\n"
    )
    for name, script, secret in (
        ("v", FETCH, True), ("v", "git rev-parse HEAD", False),
        ("token", "git rev-parse HEAD", False), ("token", "./token", True),
    ):  # fmt: skip
        for value in (f"A=${{{{ needs.b.outputs.{name} }}}}", "A=${{ toJSON(needs.b.outputs) }}"):
            found = argument("", value, before=job.format(name, script), needs="    needs: b\n")
            secret = secret and not (script == "./token" and "toJSON" in value)
            assert found == (["secret-build-arg"] if secret else []), (value, script)


@pytest.mark.parametrize(
    ("steps", "context", "secret"),
    [
        ('- run: |\n    echo "${{ secrets.A }}" > .env\n    cp .env app/.env\n', "app", True),
        ('- run: echo "${{ secrets.A }}" > .env\n- run: cp .env app/\n', "app", True),
        ('- run: echo "${{ secrets.A }}" > .env\n- run: mv .env app\n', "app", True),
        ('- run: echo "${{ secrets.A }}" > conf/.env\n- run: cp -r conf app/\n', "app", True),
        ('- run: echo "${{ secrets.A }}" > .env\n- run: tar cz . > app/all.tgz\n', "app", True),
        ('- run: echo "${{ secrets.A }}" > .env\n- run: cat .env other > app/all\n', "app", True),
        ('- run: echo "${{ secrets.A }}" > .env\n- run: cat < .env > app/all\n', "app", True),
        ('- run: echo "${{ secrets.A }}" > .env\n- run: ln -s ../.env app/.env\n', "app", True),
        ('- run: echo "${{ secrets.A }}" > .env\n- run: sed s/a/b/ .env > app/conf\n', "app", True),
        ('- run: echo "${{ secrets.A }}" > .env\n- run: cp "$FILE" app/\n', "app", True),
        ('- run: echo "${{ secrets.A }}" > .env\n- run: npm run build\n', "app", True),
        ('- run: echo "${{ secrets.A }}" > .env\n- run: docker run -v .:/w x make\n', "app", True),
        ('- run: echo "${{ secrets.A }}" > .env\n- run: echo "A=$(cat .env)" >> $GITHUB_ENV\n'
         '- run: echo "$A" > app/a\n', "app", True),
        ('- run: echo "${{ secrets.A }}" > .env\n- run: cp README.md app/\n', "app", False),
        ('- run: echo "${{ secrets.A }}" > .env\n- run: cat VERSION > app/version\n', "app", False),
        ('- run: echo "${{ secrets.A }}" > .env\n- run: npm ci && rm .env\n', "app", False),
        ('- run: npm run build\n- run: echo "${{ secrets.A }}" > .env\n', "app", False),
        ('- run: echo "${{ secrets.A }}" > .env\n- run: jq -r .version a.json > app/version\n', "app", False),
        ("- uses: actions/checkout@v4\n  with: {token: '${{ secrets.A }}'}\n- run: make\n", "app", False),
        ("- uses: actions/checkout@v4\n  with: {token: '${{ secrets.A }}'}\n- run: cp -r . app/\n", "app", True),
        ("- uses: actions/checkout@v4\n  with: {token: '${{ secrets.A }}'}\n- run: cp -r .git/ app/\n", "app", True),
        ("- uses: actions/checkout@v4\n  with: {token: '${{ secrets.A }}'}\n- run: cp .git/config app/\n", "app", True),
        ("- uses: actions/checkout@v4\n  with: {token: '${{ secrets.A }}'}\n- run: cp -r config app/\n", "app", False),
        ("- uses: acme/unknown@v1\n  with: {key: '${{ secrets.A }}'}\n", ".", True),
        ("- uses: acme/unknown@v1\n  env: {KEY: '${{ secrets.A }}'}\n", ".", True),
        ("- uses: acme/unknown@v1\n  with: {key: '${{ secrets.GITHUB_TOKEN }}'}\n", ".", False),
        ("- uses: acme/unknown@v1\n", ".", False),
        ("- uses: acme/lfs-checkout@v1\n  with: {token: '${{ secrets.A }}'}\n", ".", True),
        ("- uses: acme/lfs-checkout@v1\n", ".", False),
        ("- uses: docker://acme/unknown\n  with: {key: '${{ secrets.A }}'}\n", ".", True),
        ("- uses: ./.github/actions/unknown\n  with: {key: '${{ secrets.A }}'}\n", ".", True),
        ("- uses: codecov/codecov-action@v5\n  with: {token: '${{ secrets.A }}'}\n", ".", False),
        ("- uses: SonarSource/sonarqube-scan-action@v6\n  env: {SONAR_TOKEN: '${{ secrets.A }}'}\n", ".", False),
        ("- uses: rtCamp/action-slack-notify@v2\n  env: {SLACK_WEBHOOK: '${{ secrets.A }}'}\n", ".", False),
        ("- uses: webfactory/ssh-agent@v0.9.0\n  with: {ssh-private-key: '${{ secrets.A }}'}\n", ".", False),
        ("- uses: actions/setup-node@v4\n  env: {NODE_AUTH_TOKEN: '${{ secrets.A }}'}\n", ".", False),
        ("- uses: crazy-max/ghaction-import-gpg@v6\n  with: {gpg_private_key: '${{ secrets.A }}'}\n", ".", False),
        ("- uses: microsoft/variable-substitution@v1\n  with: {files: a.json}\n  env: {A.B: '${{ secrets.A }}'}\n", ".",
         True),
        ("- uses: Infisical/secrets-action@v1\n  with: {method: oidc, export-type: file}\n", ".", True),
        ("- uses: docker/login-action@v3\n  with: {username: a, password: '${{ secrets.A }}'}\n"
         "  env: {DOCKER_CONFIG: '${{ github.workspace }}/.docker'}\n", ".", True),
        ("- uses: docker/login-action@v3\n  with: {username: a, password: '${{ secrets.A }}'}\n"
         "  env: {DOCKER_CONFIG: '${{ github.workspace }}/.docker'}\n", "app", False),
        ("- uses: docker/login-action@v3\n  with: {username: a, password: '${{ secrets.A }}'}\n"
         "  env: {DOCKER_CONFIG: '${{ runner.temp }}/.docker'}\n", ".", False),
        ('- run: echo "DOCKER_CONFIG=$PWD/.docker" >> $GITHUB_ENV\n'
         "- uses: docker/login-action@v3\n  with: {username: a, password: '${{ secrets.A }}'}\n", ".", True),
        ("- run: DOCKER_CONFIG=.docker docker login -u a -p ${{ secrets.A }}\n", ".", True),
        ("- run: |\n    export DOCKER_CONFIG=$(mktemp -d)\n    docker login -u a -p ${{ secrets.A }}\n", ".", False),
        ("- run: echo '${{ secrets.A }}' > ~/.npmrc\n  env: {HOME: '${{ github.workspace }}'}\n", ".", True),
        ("- run: export HOME=$PWD; echo '${{ secrets.A }}' > $HOME/.npmrc\n", ".", True),
        ("- run: export HOME=/tmp/home; echo '${{ secrets.A }}' > $HOME/.npmrc\n", ".", False),
        ("- run: aws s3 cp s3://acme/prod.env .env\n", ".", True),
        ("- run: aws s3 cp s3://acme/model.bin model.bin\n", ".", False),
        ("- run: aws s3 cp .env s3://acme/prod.env\n", ".", False),
        ("- run: curl -H 'A ${{ secrets.A }}' -L -o .env https://acme.dev/prod\n", ".", True),
        ("- run: curl -fsSL -o debian.key https://acme.dev/debian.key\n", ".", False),
        ("- run: gh api repos/a/b/contents/prod --jq .content | base64 -d > .env\n", ".", True),
        ("- run: gh api repos/a/b/contents/prod --jq .content | base64 -d > conf.json\n", ".", False),
        ('- run: echo "${{ secrets.GITHUB_TOKEN }}" > .npmrc\n', ".", False),
    ],
)  # fmt: skip
def test_secrets_on_their_way_into_a_context(steps: str, context: str, secret: bool) -> None:
    assert reasons(steps, context=context) == (["secret-file"] if secret else [])


@pytest.mark.parametrize(
    ("steps", "upload", "download", "secret"),
    [
        ('run: echo "${{ secrets.A }}" > .env', "{name: x, path: .env}", "{name: x}", True),
        ('run: echo "${{ secrets.A }}" > .env', "{name: x, path: .env}", "", True),
        ('run: echo "${{ secrets.A }}" > .env', "{name: x, path: .env}", "{pattern: x*}", True),
        ('run: echo "${{ secrets.A }}" > .env', "{name: x, path: .env}", "{pattern: y*}", False),
        ('run: echo "${{ secrets.A }}" > .env', "{name: x, path: .env}", "{name: y}", False),
        ('run: echo "${{ secrets.A }}" > .env', "{name: x, path: dist}", "{name: x}", False),
        ('run: echo "${{ secrets.A }}" > .env', "{name: x, path: .env}", "{name: x, path: other}", False),
        ('run: echo "${{ secrets.A }}" > dist/.env', "{name: x, path: dist/**}", "{name: x, path: app/d}", True),
        ('run: echo "${{ secrets.A }}" > .env', "{name: x, path: '${{ runner.temp }}/a/*'}", "{name: x}", False),
        ('run: echo "${{ secrets.A }}" > /tmp/a', "{name: x, path: '${{ runner.temp }}/a'}", "{name: x}", True),
        ('run: echo "${{ secrets.A }}" > .env', "{name: x, path: .env}", "{name: x, path: /tmp/a}", False),
        ("run: npm ci && npm run build", "{name: x, path: dist}", "{name: x}", False),
        ("{run: npm run build, env: {K: '${{ secrets.A }}'}}", "{name: x, path: dist}", "{name: x}", True),
    ],
)
def test_secrets_in_artifacts(steps: str, upload: str, download: str, secret: bool) -> None:
    jobs = (
        f"  b:\n    runs-on: ubuntu-latest\n    steps:\n    - {steps}\n"
        f"    - uses: actions/upload-artifact@v4\n      with: {upload}\n"
    )
    for needs, expected in (("    needs: [b]\n", secret), ("", False)):
        text = f"on: push\njobs:\n{jobs}  a:\n    runs-on: ubuntu-latest\n{needs}    steps:\n"
        text += f"    - uses: actions/download-artifact@v4\n      with: {download}\n" + BUILD.format(context="app")
        outcome = fix(text, kind=WORKFLOW, select=["gha-cache"], place=".github/workflows/ci.yml", workflows=[])
        found = [refusal.reason for refusal in outcome.refusals]
        assert found == (["secret-file"] if expected else []), (needs, text)
