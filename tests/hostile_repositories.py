"""Hostile repositories: workflows, actions, .dockerignore, Compose and configuration in any size, around a Dockerfile.

Run by `python -m tests.hostile`, as the shapes of one Dockerfile are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

Repository = Mapping[str, str]
"""By path: the text of each file."""

DOCKERFILE = "FROM python:3.12\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY . .\n"
RUST = "FROM rust:1\nWORKDIR /app\nCOPY . .\nRUN cargo build --release\n"
NODE = "FROM node:20\nWORKDIR /app\nCOPY . .\nRUN npm ci\nRUN npm run build\n"
MAVEN = "FROM maven:3\nWORKDIR /app\nCOPY . .\nRUN mvn package\n"
EDITABLE = "FROM python:3.12\nWORKDIR /app\nCOPY . .\nRUN pip install -e .\n"
STAGES = (
    "FROM rust:1 AS build\nWORKDIR /app\nCOPY . .\nRUN --mount=type=cache,target=/app/target cargo build --release\n"
    "FROM debian:12 AS a\nCOPY --from=build /app/target/release/a /a\n"
    "FROM python:3.12 AS b\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\n"
)
_FILES = {"Dockerfile": DOCKERFILE, "requirements.txt": "flask\n"}
_CI = ".github/workflows/ci.yml"
_PUSH = "docker/build-push-action@v6"
_SETUP = "      - uses: docker/setup-buildx-action@v3\n"
_STEP = f"      - uses: {_PUSH}\n        with:\n          push: true\n"
_COPIED = f"{_STEP}          context: .\n"


def each(line: Callable[[int], str], size: int) -> str:
    """Lines that are all different, up to the size."""
    out: list[str] = []
    length = 0
    while length < size:
        out.append(line(len(out)))
        length += len(out[-1])
    return "".join(out)


def times(piece: str, size: int) -> str:
    return piece * max(1, size // len(piece))


def nested(opening: str, inside: str, closing: str, size: int) -> str:
    """As deep as it goes."""
    depth = max(1, size // (len(opening) + len(closing)))
    return opening * depth + inside + closing * depth


def _indented(size: int, deepest: int) -> str:
    """A mapping in a mapping, each on a line of its own."""
    depth = 1
    while depth < deepest and depth * depth < size:
        depth += 1
    return "".join(f"{' ' * (k + 1)}a:\n" for k in range(depth)) + " " * (depth + 1) + "b\n"


def _workflow(text: str) -> Repository:
    return {**_FILES, _CI: text}


def _jobs(text: str) -> Repository:
    return _workflow(f"on: push\njobs:\n{text}")


def _steps(text: str, before: str = "") -> Repository:
    return _jobs(f"  a:\n    runs-on: ubuntu-latest\n{before}    steps:\n      - uses: actions/checkout@v4\n{text}")


def _script(text: str, before: str = "") -> Repository:
    return _steps(f"      - run: |\n{text}", before)


def _secretly(text: str) -> Repository:
    """A script that sees a secret before a build."""
    build = f"{_SETUP}{_STEP}          context: .\n"
    return _steps(f"      - run: |\n{text}{build}", "    env: {S: '${{ secrets.A }}'}\n")


def _staged(**files: str) -> Repository:
    """Around a Dockerfile for which it matters what stages other files name; `__` in a name stands for a dot, `_` for a
    dash."""
    named = {name.replace("__", ".").replace("_", "-"): text for name, text in files.items()}
    return {"Dockerfile": STAGES, "requirements.txt": "flask\n", **named}


def _composed(text: str) -> Repository:
    return _staged(compose__yaml=text)


def _matrix(text: str, target: str = "a") -> Repository:
    tags = f"      - uses: {_PUSH}\n        with:\n          tags: a:${{{{ matrix.a0 }}}}\n          target: {target}\n"
    return _steps(tags, f"    strategy:\n      matrix:\n{text}")


def _ignored(text: str, dockerfile: str = DOCKERFILE) -> Repository:
    return {
        **_FILES,
        "Dockerfile": dockerfile,
        ".dockerignore": text,
        "src/a.py": "",
        ".git/HEAD": "ref: refs/heads/a\n",
    }


def _doubled(k: int) -> str:
    return f"  A{k + 1}: ${{{{ env.A{k} }}}}${{{{ env.A{k} }}}}\n"


def _laughs(size: int) -> str:
    """Each anchor names the one before nine times."""
    return "a0: &a0 b\n" + each(lambda k: f"a{k + 1}: &a{k + 1} [{', '.join([f'*a{k}'] * 9)}]\n", size)


def _doubling(size: int, inner: str = "[{0}, {0}]") -> str:
    """Each anchor names the one before twice; the last one is `a0`."""
    lines = [f"a{k}: &a{k} " + inner.format(f"*a{k + 1}") for k in range(max(1, size // 25))]
    return f"a{len(lines)}: &a{len(lines)} [b, b]\n" + "\n".join(reversed(lines)) + "\n"


def _many_valued(matrix: str, size: int, inner: str = "[{0}, {0}]") -> Repository:
    """A matrix that names what doubles."""
    return _workflow(
        f"on: push\n{_doubling(size, inner)}jobs:\n  a:\n    strategy:\n      matrix: {matrix}\n"
        f"    runs-on: ubuntu-latest\n    steps:\n{_STEP}          tags: a:${{{{ matrix.v }}}}\n"
    )


REPOSITORIES: dict[str, Callable[[int], Repository]] = {
    # YAML
    "yaml: flow sequences nested": lambda s: _workflow("a: " + nested("[", "b", "]", s) + "\n"),
    "yaml: flow sequences open": lambda s: _workflow("a: " + "[" * s + "\n# docker\n"),
    "yaml: flow mappings nested": lambda s: _workflow("a: " + nested("{b: ", "c", "}", s) + "\n# docker\n"),
    "yaml: dashes on a line": lambda s: _workflow("a:\n  " + times("- ", s) + "docker\n"),
    "yaml: keys on a line": lambda s: _workflow(times("? ", s) + "docker\n"),
    "yaml: mappings nested": lambda s: _workflow(f"docker:\n{_indented(s, 5_000)}"),
    "yaml: aliases that multiply": lambda s: _workflow(f"on: push\n{_laughs(s)}jobs: *a1\n# docker\n"),
    "yaml: aliases of steps": lambda s: _steps(f"      - &b\n        uses: {_PUSH}\n" + times("      - *b\n", s)),
    "yaml: anchors": lambda s: _workflow("on: push\n" + each(lambda k: f"a{k}: &a{k} docker\n", s)),
    "yaml: merges": lambda s: _workflow(
        "on: push\nb0: &b0 {c: docker}\n" + each(lambda k: f"b{k + 1}: &b{k + 1}\n  <<: *b{k}\n", s)
    ),
    "yaml: documents": lambda s: _workflow(times("---\na: docker\n", s)),
    "yaml: comments": lambda s: _steps(times("# docker build\n", s) + _STEP),
    "yaml: blank lines": lambda s: _steps(times("\n", s) + _STEP),
    "yaml: quotes": lambda s: _workflow("a: docker " + times("''", s) + "\nb: '" + times("''", s) + "'\n"),
    "yaml: escapes": lambda s: _workflow('a: "docker' + times("\\x41", s) + '"\n'),
    "yaml: a long word": lambda s: _workflow("a: docker" + "x" * s + "\n"),
    "yaml: a long key": lambda s: _workflow("docker" + "x" * s + ": a\n"),
    "yaml: tags": lambda s: _workflow("a: " + times("!b ", s) + "docker\n"),
    "yaml: tabs": lambda s: _workflow("a: docker\n" + times("\t", s) + "b: c\n"),
    "yaml: carriage returns": lambda s: _workflow("on: push\r\n" + times("a: docker\r\n", s)),
    "yaml: control characters": lambda s: _workflow("a: docker\n" + times("\x01\x02\x7f", s)),
    "yaml: bytes that are no UTF-8": lambda s: _workflow("a: docker " + times("\udcff", s) + "\n"),
    "yaml: the same key": lambda s: _workflow(times("docker: a\n", s)),
    "yaml: other keys": lambda s: _workflow(each(lambda k: f"docker{k}: a\n", s)),
    # workflows
    "jobs that build": lambda s: _jobs(each(lambda k: f"  a{k}:\n    runs-on: ubuntu-latest\n    steps:\n{_STEP}", s)),
    "jobs that need the one before": lambda s: _jobs(
        "  a0:\n    runs-on: ubuntu-latest\n    steps: []\n"
        + each(lambda k: f"  a{k + 1}:\n    needs: a{k}\n    runs-on: ubuntu-latest\n    steps:\n{_STEP}", s)
    ),
    "jobs that need all before": lambda s: _jobs(
        each(
            lambda k: (
                f"  a{k}:\n    needs: [{', '.join(f'a{j}' for j in range(k))}]\n    runs-on: ubuntu-latest\n"
                f"    steps:\n{_STEP}"
            ),
            s,
        )
    ),
    "jobs that call a workflow": lambda s: {
        **_jobs(each(lambda k: f"  a{k}:\n    uses: ./.github/workflows/b.yml\n    with: {{c: d{k}}}\n", s)),
        ".github/workflows/b.yml": "on: {workflow_call: {inputs: {c: {type: string}}}}\njobs:\n  b:\n"
        f"    runs-on: ubuntu-latest\n    steps:\n{_STEP}          tags: a:${{{{ inputs.c }}}}\n",
    },
    "workflows that call the next": lambda s: {
        **_FILES,
        **{
            f".github/workflows/a{k}.yml": f"on: {{push: , workflow_call: }}\njobs:\n  b:\n    runs-on: ubuntu-latest\n"
            f"    steps:\n{_STEP}  c:\n    uses: ./.github/workflows/a{k + 1}.yml\n"
            for k in range(max(1, min(s // 200, 1_500)))
        },
    },
    "workflows that call two of the next": lambda s: {
        **_FILES,
        **{
            f".github/workflows/a{k}.yml": f"on: {{push: , workflow_call: }}\njobs:\n  b:\n"
            f"    uses: ./.github/workflows/a{k + 1}.yml\n  c:\n    uses: ./.github/workflows/a{k + 1}.yml\n"
            f"  d:\n    runs-on: ubuntu-latest\n    steps:\n{_STEP}"
            for k in range(max(1, min(s // 1_000, 1_500)))
        },
    },
    "workflows that call each other": lambda s: {
        **_FILES,
        **{
            f".github/workflows/a{k}.yml": "on: {push: , workflow_call: }\njobs:\n"
            + "".join(f"  b{j}:\n    uses: ./.github/workflows/a{j}.yml\n" for j in range(count))
            + f"  c:\n    runs-on: ubuntu-latest\n    steps:\n{_STEP}"
            for count in [max(2, int((s / 60) ** 0.5))]
            for k in range(count)
        },
    },
    "actions that use two of the next": lambda s: {
        **_steps("      - uses: ./.github/actions/a0\n" + _STEP),
        **{
            f".github/actions/a{k}/action.yml": "name: a\nruns:\n  using: composite\n  steps:\n"
            f"    - uses: ./.github/actions/a{k + 1}\n    - uses: ./.github/actions/a{k + 1}\n    - uses: {_PUSH}\n"
            for k in range(max(1, min(s // 200, 1_500)))
        },
    },
    "an action used often": lambda s: {
        **_steps(each(lambda k: f"      - uses: ./.github/actions/a\n        with: {{b: c{k}}}\n", s)),
        ".github/actions/a/action.yml": "name: a\ninputs: {b: {}}\nruns:\n  using: composite\n  steps:\n"
        f"    - uses: {_PUSH}\n      with: {{tags: 'a:${{{{ inputs.b }}}}'}}\n",
    },
    "steps that build": lambda s: _steps(times(_STEP, s)),
    "steps that build, with tags": lambda s: _steps(each(lambda k: f"{_STEP}          tags: a{k}\n", s)),
    "steps that set up": lambda s: _steps(times("      - uses: docker/setup-buildx-action@v3\n", s) + _STEP),
    "steps before a build": lambda s: _steps(times("      - run: echo docker >> a\n", s) + _STEP),
    "a step of many tags": lambda s: _steps(f"{_STEP}          tags: |\n" + each(lambda k: f"            a:{k}\n", s)),
    "a step of many arguments": lambda s: _steps(
        f"{_STEP}          build-args: |\n" + each(lambda k: f"            A{k}=${{{{ github.sha }}}}\n", s)
    ),
    "a step of many inputs": lambda s: _steps(_STEP + each(lambda k: f"          a{k}: b\n", s)),
    "steps that write the environment": lambda s: _steps(
        each(lambda k: f'      - run: echo "A{k}=b" >> $GITHUB_ENV\n', s) + _STEP
    ),
    "steps with outputs": lambda s: _steps(
        each(
            lambda k: f"      - id: a{k}\n        run: echo b=${{{{ steps.a{k - 1}.outputs.b }}}} >> $GITHUB_OUTPUT\n",
            s,
        )
        + _STEP
        + "          tags: ${{ steps.a9.outputs.b }}\n"
    ),
    "a matrix of many values": lambda s: _matrix("        a0:\n" + each(lambda k: f"          - b{k}\n", s)),
    "a matrix of many axes": lambda s: _matrix(each(lambda k: f"        a{k}: [b, c, d]\n", s)),
    "a matrix with include": lambda s: _matrix(
        "        a0: [b]\n        include:\n" + each(lambda k: f"          - {{a0: b{k}, c: d{k}}}\n", s)
    ),
    "a matrix with include of each other": lambda s: _matrix(
        "        a0: [" + each(lambda k: f"b{k}, ", s // 2) + "c]\n"
        "        include:\n" + each(lambda k: f"          - {{a0: b{k}, d{k}: e}}\n", s // 2)
    ),
    "a matrix with include for all": lambda s: _matrix(
        "".join(f"        a{k}: [b, c]\n" for k in range(6))
        + "        include:\n          - {"
        + each(lambda k: f"d{k}: e, ", s)
        + "d: e}\n",
        "".join(f"${{{{ matrix.a{k} }}}}" for k in range(6)),
    ),
    "a matrix with include of many values": lambda s: _matrix(
        "        include:\n"
        + "".join(
            "          - {"
            + "".join(f"a{k}: b{(n * 7919 + k * n * 31 + k) % 1009 % 2}, " for k in range(s // 640))
            + "z: b}\n"
            for n in range(64)
        ),
        "".join(f"${{{{ matrix.a{k} }}}}" for k in range(6)),
    ),
    "a matrix with exclude": lambda s: _matrix(
        "        a0: [b, c]\n        a1: [b, c]\n        exclude:\n" + times("          - {a0: b, a1: c}\n", s)
    ),
    "a matrix that doubles": lambda s: _many_valued("{v: *a0}", s),
    "a matrix with include that doubles": lambda s: _many_valued("{include: *a0}", s),
    "a matrix with exclude that doubles": lambda s: _many_valued("{v: [b], exclude: *a0}", s),
    "a matrix of merges that double": lambda s: _many_valued("{v: [{<<: *a0}]}", s, "{{<<: {0}, b: {0}}}"),
    "matrices of a thousand values each": lambda s: _workflow(
        "on: push\na: &a ["
        + "b, " * 32
        + "c]\nd: &d ["
        + "*a, " * 32
        + "*a]\njobs:\n"
        + each(
            lambda k: (
                f"  a{k}:\n    strategy: {{matrix: {{v: [*d], w: [{k}, c]}}}}\n    runs-on: ubuntu-latest\n"
                f"    steps:\n{_STEP}          tags: a:${{{{ matrix.w }}}}\n"
            ),
            s,
        )
    ),
    "a comment before what doubles": lambda s: _workflow(
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n"
        + _STEP
        + f"# dockfix: ignore=gha-cache\n\n\n{_doubling(s)}"
    ),
    "mappings that mappings name": lambda s: _workflow(
        "on: push\nx: &x\n"
        + each(lambda k: f"  k{k}: b\n", s // 4)
        + "y: &y\n"
        + each(lambda k: f"  k{k}: *x\n", s // 4)
        + "z: &z\n"
        + each(lambda k: f"  k{k}: *y\n", s // 4)
        + each(lambda k: f"k{k}: *z\n", s // 4)
        + f"jobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n{_SETUP}{_STEP}"
    ),
    "variables and scripts": lambda s: _steps(
        each(lambda k: f"      - run: make {k}\n", s // 2) + _SETUP + _STEP + "          context: .\n",
        "    env:\n" + each(lambda k: f"      V{k}: b\n", s // 2),
    ),
    "env that doubles": lambda s: _steps(
        _STEP + "          tags: ${{ env.A9 }}\n",
        "    env:\n" + "    A0: b\n".rjust(12) + each(lambda k: "    " + _doubled(k), s),
    ),
    "env of a workflow that doubles": lambda s: _workflow(
        "on: push\nenv:\n  A0: b\n"
        + each(_doubled, s)
        + f"jobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n{_STEP}"
        "          file: ${{ env.A40 }}\n"
    ),
    "env of many": lambda s: _steps(_STEP, "    env:\n" + each(lambda k: f"      A{k}: b\n", s)),
    # expressions
    "expressions": lambda s: _steps(_STEP + "          tags: a:" + times("${{ github.sha }}", s) + "\n"),
    "expressions open": lambda s: _steps(_STEP + "          tags: a:" + times("${{", s) + "\n"),
    "expressions open before a long text": lambda s: _steps(
        _STEP + "          tags: a:" + times("${{ ", 800) + "a" * s + "\n"
    ),
    "expressions of dots": lambda s: _steps(_STEP + "          tags: a:${{ " + "." * s + " }}\n"),
    "expressions of numbers": lambda s: _steps(_STEP + "          tags: a:${{ " + times("1.", s) + " }}\n"),
    "expressions of quotes": lambda s: _steps(_STEP + "          tags: a:${{ " + "'" * s + " }}\n"),
    "expressions of braces": lambda s: _steps(_STEP + "          tags: a:${{ " + times("}a", s) + " }}\n"),
    "expressions of names": lambda s: _steps(_STEP + "          tags: a:${{ github" + times(".a", s) + " }}\n"),
    "expressions of indices": lambda s: _steps(
        _STEP + "          tags: a:${{ " + nested("env[", "'a'", "]", s) + " }}\n"
    ),
    "expressions of calls": lambda s: _steps(
        _STEP + "          tags: a:${{ " + nested("format(", "'a'", ")", s) + " }}\n"
    ),
    "expressions of operators": lambda s: _steps(
        _STEP + "          tags: a:${{ github.ref == 'a'" + times(" || github.ref == 'b'", s) + " }}\n"
    ),
    "conditions": lambda s: _steps(f"{_STEP}        if: " + times("github.ref == 'a' && ", s) + "true\n"),
    # scripts
    "docker build": lambda s: _script(times("          docker build .\n", s)),
    "docker build of other files": lambda s: _script(each(lambda k: f"          docker build -f a{k} -t b{k} .\n", s)),
    "docker build of variables": lambda s: _script(each(lambda k: f"          A=b{k}; docker build -t $A .\n", s)),
    "docker build in functions": lambda s: _script(
        "          a0() { docker build .; }\n"
        + each(lambda k: f"          a{k + 1}() {{ a{k}; a{k}; }}\n", s)
        + "          a9\n"
    ),
    "docker build of many options": lambda s: _script("          docker build " + times("--build-arg A=b ", s) + ".\n"),
    "docker of many options": lambda s: _script("          docker" + times(" --a", s) + "\n"),
    "docker of options named docker": lambda s: _script("          docker" + times(" -docker", s) + "\n"),
    "docker compose on a line": lambda s: _script("          " + times("docker-compose ", s) + "\n"),
    "docker build on a line": lambda s: _script("          " + times("docker build ", s) + "\n"),
    "docker build over many lines": lambda s: _script("          docker build" + times(" \\\n          -a", s) + "\n"),
    "docker build behind echo": lambda s: _script("          " + times("echo ", s) + "; docker build .\n"),
    "docker bake": lambda s: _steps(times("      - uses: docker/bake-action@v6\n", s)),
    "docker compose": lambda s: {
        **_script(times("          docker compose build\n", s)),
        "compose.yaml": "services:\n" + each(lambda k: f"  a{k}: {{build: .}}\n", s),
    },
    "scripts of the repository": lambda s: {
        **_script(each(lambda k: f"          ./a{k % 50}.sh\n", s)),
        **{f"a{k}.sh": f"docker build -t b .\n./a{k + 1}.sh\n./a{k + 1}.sh\n" for k in range(50)},
    },
    "a script of the repository, long": lambda s: {
        **_script("          ./a.sh\n"),
        "a.sh": times("docker build .\n", s),
    },
    "docker build of many flags": lambda s: _script("          docker build" + times(" -q", s) + " .\n"),
    "docker bake of many sets": lambda s: _script(
        "          docker buildx bake" + times(" --set a.target=b", s) + "\n"
    ),
    "docker build of many places": lambda s: _script("          docker build" + times(" a", s) + "\n"),
    "docker build in a case of many": lambda s: _script(
        "          case $a in\n" + times("          a) docker build .;;\n", s) + "          esac\n"
    ),
    "docker build in many elif": lambda s: _script(
        "          if a; then docker build .\n" + times("          elif a; then docker build .\n", s) + "          fi\n"
    ),
    "docker build nested": lambda s: _script("          " + nested("if a; then ", "docker build .", "; fi", s) + "\n"),
    "docker build in bash -c": lambda s: _script(times("          bash -c 'docker build .'\n", s)),
    "docker build in an array": lambda s: _script(
        "          A=(--target a)\n" + times("          A+=(--target $B)\n", s) + '          docker build "${A[@]}" .\n'
    ),
    "docker build of words of all": lambda s: _script(
        "          A='" + times("-q ", min(s // 2, 9_000)) + "'\n" + times("          docker build $A .\n", s // 2)
    ),
    "docker build of arguments that double": lambda s: _script(
        "          A=bbbbbbbb\n" + times("          A=$A$A; docker build $A .\n", s)
    ),
    "a long script that many call": lambda s: {
        **_jobs(each(lambda k: f"  a{k}:\n    uses: ./.github/workflows/b.yml\n    with: {{c: d{k}}}\n", s // 2)),
        ".github/workflows/b.yml": "on: {workflow_call: {inputs: {c: {type: string}}}}\njobs:\n  b:\n"
        "    runs-on: ubuntu-latest\n    steps:\n      - run: |\n" + times("          docker build .\n", s // 2),
    },
    "a long script of a matrix": lambda s: _steps(
        "      - run: |\n" + times("          docker build .\n", s),
        "    strategy: {matrix: {a: [" + "b, " * 15 + "b], c: [" + "b, " * 15 + "b]}}\n",
    ),
    "a long list of a matrix": lambda s: _steps(
        _STEP + "          build-contexts: |\n" + each(lambda k: f"            a{k}=b\n", s),
        "    strategy: {matrix: {a: [" + "b, " * 15 + "b], c: [" + "b, " * 15 + "b]}}\n",
    ),
    "a long path of a build": lambda s: _steps(_STEP + "          file: " + times("a/", s) + "\n"),
    "a long path of a build in a script": lambda s: _script("          docker build -f " + times("a/", s) + " .\n"),
    "rm of a long path": lambda s: _steps("      - run: rm -rf " + times("/a", s) + " b\n" + _COPIED),
    "rm of long paths": lambda s: _steps("      - run: rm -rf " + times("/a/a ", s) + "'b\n\n'\n" + _COPIED),
    "docker run of many": lambda s: _steps("      - run: docker run " + times("-wv_ ", s) + "\n" + _COPIED),
    "curl of many": lambda s: _steps("      - run: curl " + times("-fsSL ", s) + "-" + "f" * s + "\n" + _COPIED),
    # secrets in scripts
    "secrets: kubectl": lambda s: _secretly("          kubectl" + times(" get", s) + "\n"),
    "secrets: gh": lambda s: _secretly("          gh" + times(" auth status", s) + "\n"),
    "secrets: values of a variable": lambda s: _secretly(each(lambda k: f"          A=/tmp/a{k}; echo $S > $A\n", s)),
    "secrets: values of HOME": lambda s: _secretly(
        each(lambda k: f"          export HOME=/tmp/a{k}; docker login -p $S; echo $S > ~/a\n", s)
    ),
    "secrets: functions": lambda s: _secretly(
        "          a0() { echo $S > b; }\n" + each(lambda k: f"          a{k + 1}() {{ a{k}; a{k}; }}\n", s)
    ),
    "secrets: variables of each other": lambda s: _secretly(
        each(lambda k: f"          a{k}=$a{k + 1}\n", s) + "          a9=$S; echo $a0 > b\n"
    ),
    "secrets: files": lambda s: _secretly(each(lambda k: f"          echo $S > a{k}; cat a{k} > b{k}\n", s)),
    "secrets: variables of later steps": lambda s: _secretly(
        each(lambda k: f'          echo "A{k}=$S" >> $GITHUB_ENV\n', s)
    ),
    "secrets: substitutions nested": lambda s: _secretly("          echo " + nested("$(echo ", "$S", ")", s) + "\n"),
    "secrets: parameters nested": lambda s: _secretly("          echo " + nested("${A:-", "$S", "}", s) + "\n"),
    "secrets: a long path": lambda s: _secretly("          echo $S > " + times("a/", s) + "\n"),
    "secrets: slashes": lambda s: _secretly("          echo $S > /tmp" + times("/./", s) + "\n"),
    "secrets: build arguments": lambda s: _secretly(times("          docker build --build-arg A=$S\"'\"'\"' .\n", s)),
    "secrets: build arguments that nothing ends": lambda s: _secretly(
        "          docker build " + times('--build-arg "', s) + "\n"
    ),
    "secrets: steps": lambda s: _steps(
        each(lambda k: f"      - run: echo $S > a{k}\n", s) + _SETUP + _STEP + "          context: .\n",
        "    env: {S: '${{ secrets.A }}'}\n",
    ),
    "secrets: builds and steps": lambda s: _steps(
        each(lambda k: f"      - run: echo $S > a{k}\n{_STEP}          context: b{k}\n", s),
        "    env: {S: '${{ secrets.A }}'}\n",
    ),
    "secrets: artifacts": lambda s: _steps(
        each(
            lambda k: (
                f"      - uses: actions/upload-artifact@v4\n        with: {{name: a{k}, path: b{k}}}\n"
                f"      - uses: actions/download-artifact@v4\n        with: {{pattern: 'a{k}*'}}\n"
            ),
            s,
        )
        + _SETUP
        + _STEP
        + "          context: .\n",
        "    env: {S: '${{ secrets.A }}'}\n",
    ),
    "secrets: outputs of each other": lambda s: _jobs(
        each(
            lambda k: (
                f"  a{k}:\n    needs: a{k + 1}\n    runs-on: ubuntu-latest\n"
                f"    outputs: {{o: '${{{{ needs.a{k + 1}.outputs.o }}}}'}}\n    steps: []\n"
            ),
            s,
        )
        + f"  b:\n    needs: a0\n    runs-on: ubuntu-latest\n    steps:\n{_STEP}"
        "          build-args: A=${{ needs.a0.outputs.o }}\n"
    ),
    "secrets: assignments of a command": lambda s: _secretly(
        "          A=$S " + each(lambda k: f"B{k}=c ", s) + "make\n"
    ),
    "secrets: in a case of many": lambda s: _secretly(
        "          case $S in\n" + times("          a) echo $S > b;;\n", s) + "          esac\n"
    ),
    "secrets: pipes": lambda s: _secretly("          echo $S" + times(" | cat", s) + " > b\n"),
    "secrets: here-documents": lambda s: _secretly(times("          cat > a <<E\n          $S\n          E\n", s)),
    "conditions nested": lambda s: _steps(_STEP + "        if: " + nested("(", "true", ")", s) + "\n"),
    "conditions of not": lambda s: _steps(_STEP + "        if: ${{ " + "!" * s + "true }}\n"),
    "conditions of JSON": lambda s: _steps(
        _STEP + "        if: fromJSON('" + nested("[", "", "]", s) + "') == fromJSON('" + "1" * s + "')\n"
    ),
    "conditions of calls": lambda s: _steps(_STEP + "        if: " + nested("contains(a, ", "b", ")", s) + "\n"),
    # .dockerignore
    "ignore: patterns": lambda s: _ignored(each(lambda k: f"a{k}\n", s)),
    "ignore: patterns that match": lambda s: _ignored(times("src\n", s)),
    "ignore: exceptions": lambda s: _ignored("*\n" + each(lambda k: f"!a{k}\n", s)),
    "ignore: exceptions by turns": lambda s: _ignored(times("src\n!src\n", s)),
    "ignore: two stars": lambda s: _ignored(each(lambda k: f"**/a{k}/**\n", s)),
    "ignore: a pattern of two stars": lambda s: _ignored(times("**/", s) + "a\n"),
    "ignore: a pattern of two stars and names": lambda s: _ignored(times("**/a/", s) + "b\n"),
    "ignore: a pattern of stars": lambda s: _ignored("*" * s + "a\n"),
    "ignore: a pattern of stars and letters": lambda s: _ignored(times("*a", s) + "b\n"),
    "ignore: a pattern of questions": lambda s: _ignored("?" * s + "\n"),
    "ignore: a pattern of brackets": lambda s: _ignored(times("[a-z]", s) + "\n"),
    "ignore: a pattern of open brackets": lambda s: _ignored("[" * s + "\n"),
    "ignore: a bracket of many": lambda s: _ignored("[" + times("a-z", s) + "]\n"),
    "ignore: a long pattern": lambda s: _ignored(times("a/", s) + "b\n"),
    "ignore: dots": lambda s: _ignored(times("../", s) + "a\n"),
    "ignore: backslashes": lambda s: _ignored("\\" * s + "a\n"),
    "ignore: comments": lambda s: _ignored(times("# a\n", s)),
    "ignore: ignore comments": lambda s: _ignored(times("# dockfix: ignore=dockerignore\n", s)),
    "ignore: blank lines": lambda s: _ignored(times(" \n", s)),
    "ignore: carriage returns": lambda s: _ignored(times("a\r\n", s)),
    "ignore: bytes that are no UTF-8": lambda s: _ignored(times("\udcff\n", s)),
    "ignore: control characters": lambda s: _ignored(times("\x01\n\x7f\n", s)),
    "ignore: patterns and sources": lambda s: _ignored(
        each(lambda k: f"a{k}\n", s // 2),
        "FROM debian\n" + each(lambda k: f"COPY a{k} b /c/\n", s // 2),
    ),
    "ignore: exceptions and sources": lambda s: _ignored(
        "**\n" + each(lambda k: f"!a{k}/**\n", s // 2),
        "FROM debian\n" + each(lambda k: f"COPY a{k}/b /c/\n", s // 2),
    ),
    "ignore: sources of stars": lambda s: _ignored(
        ".git\n", "FROM debian\nCOPY " + times("*a", min(s, 50_000)) + " /b/\nCOPY . .\n"
    ),
    "ignore: many sources": lambda s: _ignored(
        "*.md\n", "FROM debian\nCOPY . .\n" + each(lambda k: f"COPY a{k} /b/\n", s)
    ),
    "ignore: many Dockerfiles": lambda s: {
        **_ignored("*.md\n"),
        **{f"a{k}/Dockerfile": DOCKERFILE for k in range(max(1, s // 300))},
    },
    "ignore: files in the context": lambda s: {
        **_ignored("*.md\n"),
        **{f"src/a{k}.py": "" for k in range(max(1, s // 100))},
    },
    "ignore: directories in the context": lambda s: {
        **_ignored("*.md\n"),
        "src/" + times("a/", min(s // 100, 1_500)) + "b.py": "",
    },
    # beside a Dockerfile
    "compose: aliases that multiply": lambda s: {
        **_ignored("a\n"),
        "compose.yaml": _laughs(s) + "services: *a1\n# build\n",
    },
    "compose: services": lambda s: {
        **_ignored("a\n"),
        "compose.yaml": "services:\n" + each(lambda k: f"  a{k}: {{build: {{context: ., dockerfile: b{k}}}}}\n", s),
    },
    "configuration of many ids": lambda s: {
        **_FILES,
        "dockfix.toml": "ignore = [" + times('"pip-cache", ', s) + "]\n",
    },
    "configuration nested": lambda s: {**_FILES, "dockfix.toml": "ignore = " + nested("[", "", "]", s) + "\n"},
    "configuration of a long key": lambda s: {**_FILES, "dockfix.toml": times("a.", s) + "a = 1\n"},
    "configuration of long names": lambda s: {**_FILES, "dockfix.toml": "a" * s + " = 1\n"},
    "pyproject of many tables": lambda s: {**_FILES, "pyproject.toml": each(lambda k: f"[tool.a{k}]\nb = 1\n", s)},
    "requirements": lambda s: {**_FILES, "requirements.txt": each(lambda k: f"a{k}==1\n", s)},
    "requirements that include": lambda s: {**_FILES, "requirements.txt": each(lambda k: f"-r a{k}.txt\n", s)},
    "manifests of cargo": lambda s: {
        "Dockerfile": RUST,
        "Cargo.toml": '[package]\nname = "a"\n[dependencies]\n' + each(lambda k: f'a{k} = {{ path = "b{k}" }}\n', s),
    },
    "members of a cargo workspace": lambda s: {
        "Dockerfile": RUST,
        "Cargo.toml": "[workspace]\nmembers = [" + each(lambda k: f'"a{k}/*", ', s) + "]\n",
    },
    "git ignore": lambda s: {**_FILES, ".gitignore": each(lambda k: f"a{k}\n", s)},
    "git ignore of stars": lambda s: {**_FILES, ".gitignore": times("*a", s) + "\n" + times("**/", s) + "b\n"},
    "git ignore that tries again": lambda s: {
        **_FILES,
        ".gitignore": times("*a*a*a*a*a*a*a*a*b\n**/a*a/**/a*a/**/a*a/**/b\n", s),
        f"{'a' * 200}/{'a/' * 200}b": "",
    },
    "ignore: a pattern that tries again": lambda s: {
        **_ignored("*a*a*a*a*a*a*a*a*b\n" + times("*a?a*a?a*a?a*c\n", min(s, 9_000))),
        f"{'a' * 200}/b.py": "",
    },
    "ignore: a pattern of two stars that tries again": lambda s: {
        **_ignored("**/a/**/a/**/a/**/a/**/a/b\n" + times("src\n", s)),
        f"{'a/' * 200}b.py": "",
    },
    "ignore: repetitions": lambda s: {
        **_ignored("?{0,1000}" * 9 + "Q\n"),
        **{"".join(map(chr, range(0x3400 + 80 * k, 0x3450 + 80 * k))): "" for k in range(min(s // 300, 200))},
    },
    "ignore: repetitions of classes": lambda s: {
        **_ignored("[a-m]{0,1000}[g-z]{0,1000}[b-y]{0,1000}[ac-z]{0,1000}" * 2 + "Q\n"),
        **{
            "".join("abcdefghijklmnopqrstuvwxyz"[(k * k * j + j * j + j * k) % 26] for j in range(80)): ""
            for k in range(s // 80)
        },
    },
    "ignore: patterns of repetitions": lambda s: _ignored(each(lambda k: "?{0,1000}" * 9 + f"Q{k}\n", s)),
    "ignore: exceptions by turns, and deep": lambda s: _ignored(
        times("*\n!*\n", s), DOCKERFILE.replace("COPY requirements.txt", f"COPY {'a/' * 900}requirements.txt")
    ),
    "ignore: patterns of stars, and deep": lambda s: _ignored(
        "*\n!*\n" + each(lambda k: f"**/b{k}*\n", s),
        DOCKERFILE.replace("COPY requirements.txt", f"COPY {'a/' * 900}requirements.txt"),
    ),
    "ignore: exceptions, and directories": lambda s: {
        **_ignored("*\n!*\n" + each(lambda k: f"a{k}\n!a{k}\n", s)),
        **{f"a{k}/b/c/d.py": "" for k in range(max(1, s // 300))},
    },
    "members that are not followed": lambda s: {
        "Dockerfile": RUST,
        "Cargo.toml": f'[workspace]\nmembers = ["{times("*a", s)}"]\n',
        "crates/a/Cargo.toml": '[package]\nname = "a"\n',
    },
    "workspaces of stars": lambda s: {
        "Dockerfile": "FROM node:20\nWORKDIR /app\nCOPY . .\nRUN npm ci\n",
        "package.json": '{"workspaces": [' + times('"*a*a*a*a*a*a*a*a*b", ', s) + '"c"]}\n',
        f"{'a' * 100}/package.json": "{}\n",
        ".dockerignore": "*.md\n",
    },
    # files that name stages
    "compose: services that extend those of many files": lambda s: {
        **_composed(
            "services:\n"
            + each(lambda k: f"  a{k}: {{build: ., extends: {{file: b{k % 300}.yaml, service: c}}}}\n", s // 2)
        ),
        **{f"b{k}.yaml": "services:\n  c: {build: .}\n" + times("  # extends\n", s // 600) for k in range(300)},
    },
    "compose: services that extend each other": lambda s: {
        **_composed(
            "services:\n"
            + each(lambda k: f"  a{k}: {{build: ., extends: {{file: b{k % 300}.yaml, service: c}}}}\n", s // 2)
        ),
        **{
            f"b{k}.yaml": f"services:\n  c: {{extends: {{file: b{(k + 1) % 300}.yaml, service: c}}}}\n"
            + times("  # extends\n", s // 600)
            for k in range(300)
        },
    },
    "compose: a chain of extends": lambda s: _composed(
        "services:\n" + each(lambda k: f"  a{k}: {{build: ., extends: a{k + 1}}}\n", s)
    ),
    "compose: a service that extends itself": lambda s: _composed(
        "services:\n  a: {build: ., extends: a}\n" + each(lambda k: f"  b{k}: {{extends: a}}\n", s)
    ),
    "compose: a long context": lambda s: _composed("services:\n  a:\n    build: " + times("a/", s) + "\n"),
    "compose: a long context of dots": lambda s: _composed("services:\n  a:\n    build: " + times("../", s) + "\n"),
    "compose: contexts that a variable makes long": lambda s: {
        **_composed("services:\n  a:\n    build: " + "$A" * min(s // 2, 2_000) + "\n"),
        ".env": "A=" + times("a/", min(s, 4_000)) + "\n",
    },
    "compose: variables": lambda s: {
        **_composed("services:\n" + each(lambda k: f"  a{k}: {{build: {{context: ., target: $A{k}}}}}\n", s // 2)),
        ".env": "A0=a\n" + each(lambda k: f"A{k + 1}=$A{k}$A{k}\n", s // 2),
    },
    "compose: defaults": lambda s: _composed("services:\n  a:\n    build: " + nested("${A:-", "b", "}", s) + "\n"),
    "compose: a long value of .env": lambda s: {
        **_composed("services:\n  a:\n    build: $A\n"),
        ".env": "A" + times(" ", s) + "b\n" + times("export ", s) + "\n",
    },
    "compose: additional contexts of all": lambda s: _composed(
        "x: &x\n"
        + each(lambda k: f"  k{k}: b\n", s // 2)
        + "services:\n"
        + each(lambda k: f"  a{k}: {{build: {{context: ., additional_contexts: *x}}}}\n", s // 2)
    ),
    "compose: commands of all": lambda s: _composed(
        "x: &x ["
        + times(",".rjust(3, "'"), min(s // 2, 12_000))
        + "]\nservices:\n"
        + each(lambda k: f"  a{k}: {{build: ., command: *x}}\n", s // 2)
    ),
    "compose: quotes in commands": lambda s: _composed(
        "services:\n" + each(lambda k: f"  a{k}: {{build: ., command: cargo run {k} \\ }}\n", s)
    ),
    "compose: files that are included": lambda s: _composed(
        "include:\n" + each(lambda k: f"  - a{k}.yaml\n", s) + "services: {a: {build: .}}\n"
    ),
    "compose: lists of files that are included": lambda s: _composed(
        "x: &x {path: [" + each(lambda k: f"a{k}.yaml, ", s // 2) + "b]}\ninclude: [" + times("*x, ", s // 2) + "*x]\n"
    ),
    "compose: files that include the next": lambda s: {
        **_composed("include: [a0.yaml]\n"),
        **{
            f"a{k}.yaml": f"include: [a{k + 1}.yaml, a{k + 2}.yaml]\nservices: {{a: {{build: .}}}}\n"
            for k in range(max(1, min(s // 100, 3_000)))
        },
    },
    "compose: many files of a directory": lambda s: {
        **_staged(),
        **{
            f"compose.{k}.yaml": "services:\n  a: {build: {target: a}}\n  b: {build: ., command: cargo run}\n"
            for k in range(max(1, min(s // 100, 5_000)))
        },
    },
    "compose: documents": lambda s: _composed(times("---\nservices: {a: {build: .}}\n", s)),
    "compose: merges of all": lambda s: _composed(
        "x0: &x0 {build: .}\n"
        + each(lambda k: f"x{k + 1}: &x{k + 1} {{<<: *x{k}}}\n", s // 2)
        + "services:\n"
        + each(lambda k: f"  a{k}: {{<<: *x{s // 80}}}\n", s // 2)
    ),
    "compose: brackets": lambda s: _composed(
        "services: " + nested("[", "build", "]", min(s, 900)) + "\n" + times("#\n", s)
    ),
    "compose: numbers and odd keys": lambda s: _composed(
        times(
            "---\n1: 2\n? [a, b]\n: build\nnull: {}\nservices: {1: {build: 1e999}, ~: {build: }, ? [x] : {build: .}}\n",
            s,
        )
    ),
    "bake: nested": lambda s: _staged(docker_bake__json='{"target": ' + nested("[", "", "]", s) + "}"),
    "bake: a number": lambda s: _staged(docker_bake__json='{"target": {"a": {"target": ' + "1" * s + "}}}"),
    "bake: targets": lambda s: _staged(
        docker_bake__json='{"target": {' + each(lambda k: f'"a{k}": {{"target": "b{k}"}}, ', s) + '"a": {}}}'
    ),
    "bake: targets that inherit from many": lambda s: _staged(
        docker_bake__json='{"target": {'
        + each(
            lambda k: (
                f'"a{k}": {{"target": "a", "inherits": [' + ", ".join(f'"a{k + j}"' for j in range(1, 21)) + "]}, "
            ),
            s,
        )
        + '"a": {}}}'
    ),
    "bake: a target of many contexts": lambda s: _staged(
        docker_bake__json='{"target": {"a": {"target": "a", "contexts": {'
        + each(lambda k: f'"a{k}": "b", ', s)
        + '"a": "b"}}}}'
    ),
    "bake: halves of characters": lambda s: _staged(
        docker_bake__json='{"target": {'
        + each(lambda k: f'"a{k}": {{"target": "\\ud800", "dockerfile": "\\ud800", "context": "\\udfff\\u0000"}}, ', s)
        + '"\\ud801": {"target": "\\ud800\\ud800", "contexts": {"\\ud800": ""}}}}'
    ),
    "bake: a long path": lambda s: _staged(
        docker_bake__json='{"target": {"a": {"target": "a", "context": "' + times("a/", s) + '"}}}'
    ),
    "bake: targets in HCL": lambda s: _staged(
        docker_bake__hcl=each(lambda k: f'target "a{k}" {{\n  target = "b{k}"\n}}\n', s)
    ),
    "bake: targets and files in HCL": lambda s: _staged(
        docker_bake__hcl=each(lambda k: f'  target = "b{k}"\n  dockerfile = "c{k}"\n', s)
    ),
    "bake: targets and contexts in HCL": lambda s: _staged(
        docker_bake__hcl=each(lambda k: f'  target = "b{k}"\n', s // 2)
        + each(lambda k: f"  contexts = {{ c{k} = d }}\n", s // 2)
    ),
    "bake: contexts in HCL that nothing ends": lambda s: _staged(docker_bake__hcl=times("contexts=a=\n", s)),
    "bake: lists in HCL that nothing ends": lambda s: _staged(
        docker_bake__hcl="target = f()\n" + times("targets=[", s)
    ),
    "bake: texts in HCL": lambda s: _staged(docker_bake__hcl="target = f()\n" + each(lambda k: f'"a{k}" ', s)),
    "bake: quotes in HCL": lambda s: _staged(docker_bake__hcl="target = f()\n" + times('"', s) + times('"a ', s)),
    "bake: blanks in HCL": lambda s: _staged(
        docker_bake__hcl="target = f()\n" + times(" \t", s) + "target" + times(" ", s) + "\n"
    ),
    "make: targets": lambda s: _staged(Makefile="docker\n" + each(lambda k: f"--target a{k}\n", s)),
    "make: blanks": lambda s: _staged(Makefile="docker --target" + times(" ", s) + "!\n" + times("--target \n", s)),
    "make: targets and Dockerfiles": lambda s: {
        **_staged(Makefile="docker\n" + each(lambda k: f"--target a{k}\n", s // 2)),
        **{f"a{k}/Dockerfile": STAGES for k in range(max(1, s // 1_000))},
    },
    "make: Makefiles": lambda s: {
        **{
            f"a{k}/{name}": text
            for k in range(max(1, s // 800))
            for name, text in (("Makefile", f"docker build --target b{k}\n"), ("Dockerfile", STAGES))
        },
    },
    "devcontainer: comments": lambda s: _staged(
        devcontainer__json=times("/* a */ // b\n", s) + '{"build": {"target": "a"}}'
    ),
    "devcontainer: comments that nothing ends": lambda s: _staged(
        devcontainer__json='{"build": {"target": "a"}}' + times("/*", s)
    ),
    "devcontainer: quotes": lambda s: _staged(devcontainer__json=times('"\\', s) + times('"', s)),
    "devcontainer: backslashes": lambda s: _staged(devcontainer__json='"' + times("\\", s) + "\n" + times('"\\a', s)),
    "devcontainer: nested": lambda s: _staged(devcontainer__json=nested('{"build":', "1", "}", s)),
    "devcontainer: slashes": lambda s: _staged(devcontainer__json=times("/ ", s)),
    "devcontainer: commas": lambda s: _staged(devcontainer__json="[" + times(",]", s)),
    "devcontainer: a number": lambda s: _staged(devcontainer__json='{"build": {"target": ' + "1" * s + "}}"),
    "skaffold: artifacts": lambda s: _staged(
        skaffold__yaml="build:\n  artifacts:\n"
        + each(lambda k: f"  - {{context: a{k}, docker: {{target: b{k}}}}}\n", s)
    ),
    "skaffold: artifacts of all profiles": lambda s: _staged(
        skaffold__yaml="x: &x\n"
        + times("  - {docker: {target: a}}\n", s // 2)
        + "profiles:\n"
        + times("  - {build: {artifacts: *x}}\n", s // 2)
    ),
    "skaffold: merges of all": lambda s: _staged(
        skaffold__yaml="x0: &x0 {docker: {target: a}}\n"
        + each(lambda k: f"x{k + 1}: &x{k + 1} {{<<: *x{k}}}\n", s // 2)
        + "build:\n  artifacts: ["
        + times(f"*x{s // 80}, ", s // 2)
        + "]\n"
    ),
    "skaffold: a long context": lambda s: _staged(
        skaffold__yaml="build:\n  artifacts:\n  - {docker: {target: a}, context: " + times("a/", s) + "}\n"
    ),
    "gitlab: jobs": lambda s: _staged(
        __gitlab_ci__yml=each(lambda k: f"a{k}: {{script: docker build --target b{k} .}}\n", s)
    ),
    "gitlab: scripts of nothing": lambda s: _staged(
        __gitlab_ci__yml="x: &x ["
        + times("[],", s // 2)
        + "docker]\n"
        + each(lambda k: f"a{k}: {{script: *x}}\n", s // 2)
    ),
    "gitlab: scripts of all": lambda s: _staged(
        __gitlab_ci__yml="x: &x ["
        + times("docker build .,", s // 2)
        + "docker]\n"
        + each(lambda k: f"a{k}: {{script: *x}}\n", s // 2)
    ),
    "gitlab: merges of all": lambda s: _staged(
        __gitlab_ci__yml="x0: &x0 {script: docker build .}\n"
        + each(lambda k: f"x{k + 1}: &x{k + 1} {{<<: *x{k}}}\n", s // 2)
        + each(lambda k: f"a{k}: {{<<: *x{s // 80}}}\n", s // 2)
    ),
    "gitlab: variables": lambda s: _staged(
        __gitlab_ci__yml="variables:\n"
        + each(lambda k: f"  A{k}: b\n", s // 2)
        + "a:\n  script:\n"
        + each(lambda k: f"  - docker build --target $A{k} .\n", s // 2)
    ),
    "gitlab: variables by merges": lambda s: _staged(
        __gitlab_ci__yml="x0: &x0 {A: b}\n"
        + each(lambda k: f"x{k + 1}: &x{k + 1} {{<<: *x{k}}}\n", s // 2)
        + f"a:\n  variables: {{<<: *x{s // 80}}}\n  script:\n"
        + times("  - docker build --target $B .\n", s // 2)
    ),
    "gitlab: variables that double": lambda s: _staged(
        __gitlab_ci__yml="a:\n  script:\n  - A=bbbbbbbb\n" + times("  - A=$A$A; docker build --target $A .\n", s)
    ),
    # what surrounds a word that is looked for
    "blank lines of cargo": lambda s: {
        "Dockerfile": RUST.replace("COPY . .", "COPY . /app"),
        "Cargo.toml": '[package]\nname = "a"\n' + times("\n", s),
        "src/main.rs": "fn main() {}\n",
        "examples/a.rs": "fn main() {}\n",
    },
    "blank lines of cargo's settings": lambda s: {
        **_ignored("*.md\n", RUST),
        ".cargo/config.toml": times("\n", s) + "x",
        "Cargo.toml": '[package]\nname = "a"\n',
        "target/release/a": "",
    },
    "blank lines of gradle": lambda s: {
        **_ignored("*.md\n", "FROM gradle:8\nWORKDIR /app\nCOPY . .\nRUN gradle build\n"),
        "build.gradle": "",
        "settings.gradle": times("\n", s) + "x",
        "a/build.gradle": "",
        "a/build/b": "",
    },
    "plugins of gradle": lambda s: {
        **_ignored("*.md\n", "FROM gradle:8\nWORKDIR /app\nCOPY . .\nRUN gradle build\n"),
        "build.gradle": times("/*", s) + "\nid" + times(" ", s) + "x",
    },
    "blank lines of setup.py": lambda s: {**_ignored("*.md\n", EDITABLE), "setup.py": times("\n", s) + "x"},
    "blank lines of requirements": lambda s: {
        **_ignored("*.md\n"),
        "requirements.txt": "a" + times("\n", s) + "b\n",
    },
    "blank lines of a build system": lambda s: {
        **_ignored("*.md\n", EDITABLE),
        "pyproject.toml": "[build-system]" + times("\n", s),
    },
    "requirements of a build system": lambda s: {
        **_ignored("*.md\n", EDITABLE),
        "pyproject.toml": "[build-system]\n" + times("requires = [ x] y\n", s),
    },
    "blanks of a workspace": lambda s: {
        **_ignored("*.md\n", NODE),
        "package.json": "{}",
        "pnpm-workspace.yaml": "packages:\n  - a" + times(" ", s) + "b [\n  - [" + times(" ", s) + "[\n",
        "b/package.json": "{}",
        "b/node_modules/c": "",
    },
    "blanks of a script": lambda s: {
        "Dockerfile": "FROM node:20\nWORKDIR /app\nCOPY package.json .\nRUN npm install\n",
        "package.json": '{"scripts": {"postinstall": "a' + times(" ", s) + 'b"}}\n',
    },
    "blank lines of npm's settings": lambda s: {
        **_ignored("*.md\n", NODE),
        "package.json": '{"devDependencies": {"a": "1"}}',
        ".npmrc": times("\n", s) + "x",
        "node_modules/a/b": "",
    },
    "parents of a pom": lambda s: {**_ignored("*.md\n", MAVEN), "pom.xml": times("<parent>", s)},
    "comments of a pom": lambda s: {**_ignored("*.md\n", MAVEN), "pom.xml": times("<!--", s)},
    "shells of a source": lambda s: {**_ignored("*.md\n"), "a.py": times("sh','-c'", s) + "sh'," + times(" ", s)},
    "blank lines of a source": lambda s: {**_ignored("*.md\n"), "a.py": times("\n", s)},
}
"""By name: a repository with about so many characters."""
