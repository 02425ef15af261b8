"""What well-known base images bring: environment, user, home, working directory, shell, docker-clean.

A row says only what its source says (the image's build files, named in `source`, read in 2026). What differs between
the versions of an image is a name without a value (`None`): set or not, nobody can say without the image. An image that
is not in the table is unknown in everything; a row with `complete=False` says what it says, and nothing about other
variables.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from fixer.analysis.values import ROOT, Known, Unknown, Value
from fixer.text.records import dataclass, field
from fixer.text.regex import regex

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""What BuildKit sets if the image has no PATH (util/system/path.go, v0.25)."""


_TOOLS = (
    "HOME", "XDG_", "PIP_", "UV_", "POETRY_", "PIPENV_", "PDM_", "CARGO_", "RUSTUP_", "RUSTC_", "SCCACHE_", "GOCACHE",
    "GOMODCACHE", "GOFLAGS", "NPM_CONFIG_", "npm_config_", "YARN_CACHE", "PNPM_", "CCACHE_", "APT_",
)  # fmt: skip
"""What `BaseImage.quiet` speaks of."""


@dataclass(frozen=True, slots=True)
class Account:
    """A line of /etc/passwd, as far as it is known."""

    name: str
    uid: int | None
    gid: int | None
    home: Value


@dataclass(frozen=True, slots=True)
class BaseImage:
    """The image that a stage starts from.

    reference: as BuildKit reads it (build arguments with defaults put in).
    name: the repository without the registry of Docker's official images or their mirrors: `rust`, `library/rust` and
        `public.ecr.aws/docker/library/rust` are all `rust`; other names stay whole.
    known: True if the table has a row for it.
    family: "debian" (and Ubuntu), "alpine", "redhat", "busybox", "arch", "suse", "scratch", "distroless", "windows", or
        None.
    sh: what /bin/sh is: "dash", "bash", "busybox", "none" (no shell), "windows", or None.
    docker_clean: True if /etc/apt/apt.conf.d/docker-clean is there; None if nobody knows.
    """

    reference: str
    name: str
    tag: str
    digest: str
    known: bool
    family: str | None = None
    sh: str | None = None
    docker_clean: bool | None = None
    env: Mapping[str, Value] = field(default_factory=dict)
    complete: bool = False
    """True if `env` names every variable of the image."""
    user: Value = field(default_factory=lambda: Unknown("the base image's user is not known"))
    workdir: Value = field(default_factory=lambda: Unknown("the base image's working directory is not known"))
    accounts: Mapping[str, Account] = field(default_factory=dict)
    all_accounts: bool = False
    """True if `accounts` are all accounts that a person could mean."""
    source: str = ""
    quiet: bool = False
    """True if the image sets no HOME and no variable of a package manager but those in `env`."""
    made: tuple[str, ...] = ()
    """Directories of its user that are there."""
    own: bool = False
    """True for somebody's own image, of which only what it is made from is known."""

    def lookup(self, name: str) -> Value | None:
        """The variable's value in the image's configuration; None if it is surely not set."""
        value = self.env.get(name)
        if value is not None:
            return value
        if self.complete or (self.quiet and name.startswith(_TOOLS)):
            return None
        return Unknown(f"the base image {self.reference} may set ${name}")


_RELEASE = regex(
    r"trixie|bookworm|bullseye|buster|stretch|jessie|wheezy|noble|jammy|focal|bionic|xenial|trusty"
    r"|(?<![a-z])(ubuntu|ubi|el|centos|fedora|rockylinux|almalinux|amazonlinux|oraclelinux|debian)[-:]?(\d+(?:\.\d+)?)"
)
_NUMBERED = {
    "debian8": "jessie", "debian9": "stretch", "debian10": "buster", "debian11": "bullseye", "debian12": "bookworm",
    "debian13": "trixie", "ubuntu14.04": "trusty", "ubuntu16.04": "xenial", "ubuntu18.04": "bionic",
    "ubuntu20.04": "focal", "ubuntu22.04": "jammy", "ubuntu24.04": "noble",
}  # fmt: skip


def release_of(base: BaseImage) -> str | None:
    """The release of a distribution that an image is surely made of, as its name and tag say: "bookworm", "centos7".
    None where they do not, as for a tag that moves on (`python:3.12`)."""
    found = _RELEASE.search(f"{base.name}:{base.tag}")
    if found is None or not found[1]:
        return found[0] if found is not None else None
    number = found[2] if found[1] in ("ubuntu", "amazonlinux") else found[2].partition(".")[0]
    return _NUMBERED.get(f"{found[1]}{number}", f"{found[1]}{number}")


@dataclass(frozen=True, slots=True)
class _Row:
    names: tuple[str, ...]
    source: str
    family: str | None = "debian"
    """The family of tags that name none."""
    env: Mapping[str, str | None] = field(default_factory=dict)
    complete: bool = True
    user: str | None = ""
    workdir: str | None = "/"
    accounts: tuple[tuple[str, int | None, int | None, str], ...] = ()
    made: tuple[str, ...] = ()
    some: Mapping[str, str] = field(default_factory=dict)
    """What some versions set, and others do not."""


_JAVA = {"JAVA_HOME": None, "JAVA_VERSION": None, "LANG": None, "LANGUAGE": None, "LC_ALL": None, "PATH": None}
_RUST = {
    "RUSTUP_HOME": "/usr/local/rustup",
    "CARGO_HOME": "/usr/local/cargo",
    "PATH": f"/usr/local/cargo/bin:{DEFAULT_PATH}",
    "RUST_VERSION": None,
}
_PYTHON = {
    "PATH": f"/usr/local/bin:{DEFAULT_PATH}",
    "LANG": None,
    "GPG_KEY": None,
    "PYTHON_VERSION": None,
    "PYTHON_SHA256": None,
    "PYTHON_PIP_VERSION": None,
    "PYTHON_SETUPTOOLS_VERSION": None,
    "PYTHON_WHEEL_VERSION": None,
    "PYTHON_GET_PIP_URL": None,
    "PYTHON_GET_PIP_SHA256": None,
    "PYTHONIOENCODING": None,
}
_CUDA = (
    "CUDA_VERSION",
    "CUDNN_VERSION",
    "NCCL_VERSION",
    "LD_LIBRARY_PATH",
    "LIBRARY_PATH",
    "PATH",
    "CUDA_PKG_VERSION",
    "NVARCH",
    "NVIDIA_PRODUCT_NAME",
    "NVIDIA_VISIBLE_DEVICES",
    "NVIDIA_DRIVER_CAPABILITIES",
    "NVIDIA_REQUIRE_CUDA",
)

_ROWS: tuple[_Row, ...] = (
    # Operating systems: nothing but PATH, root, "/".
    _Row(
        ("debian", "ubuntu", "buildpack-deps"), "debuerreotype/docker-debian-artifacts, docker-library/buildpack-deps"
    ),
    _Row(("debian/debian",), "public mirror of debian by its makers: debuerreotype/docker-debian-artifacts"),
    _Row(("alpine",), "alpinelinux/docker-alpine Dockerfile", "alpine"),
    _Row(("busybox",), "docker-library/busybox", "busybox"),
    _Row(
        ("fedora",),
        "fedora-cloud/docker-brew-fedora",
        "redhat",
        {"DISTTAG": None, "FGC": None, "FBR": None, "container": None},
    ),
    _Row(
        ("centos", "rockylinux", "almalinux", "oraclelinux", "amazonlinux", "rockylinux/rockylinux"),
        "CentOS/sig-cloud-instance-images, rocky-linux/sig-cloud-instance-images, amazonlinux/container-images",
        "redhat",
        {"LANG": None, "container": None},
    ),
    _Row(
        ("archlinux", "archlinux/archlinux"), "archlinux/archlinux-docker Dockerfile.template", "arch", {"LANG": None}
    ),
    _Row(("opensuse/leap", "opensuse/tumbleweed"), "openSUSE/docker-containers-build", "suse", complete=False),
    _Row(
        ("phusion/baseimage",),
        "phusion/baseimage-docker image/Dockerfile, all of its versions",
        "debian",
        complete=False,
        some={"HOME": "/root"},
    ),
    _Row(("gliderlabs/alpine",), "gliderlabs/docker-alpine versions/*/Dockerfile", "alpine", complete=False),
    _Row(("quay.io/centos/centos",), "CentOS/sig-cloud-instance-images", "redhat", {"LANG": None, "container": None}),
    # Rust.
    _Row(("rust",), "rust-lang/docker-rust Dockerfile-debian.template, Dockerfile-alpine.template", env=_RUST),
    _Row(
        ("rustlang/rust",),
        "rust-lang/docker-rust-nightly bullseye/slim/Dockerfile",
        env={name: value for name, value in _RUST.items() if name != "RUST_VERSION"},
    ),
    _Row(
        ("lukemathwalker/cargo-chef",),
        "LukeMathWalker/cargo-chef docker/Dockerfile (FROM rust)",
        env={**_RUST, "CARGO_NET_GIT_FETCH_WITH_CLI": None},
    ),
    _Row(
        ("messense/rust-musl-cross", "ghcr.io/rust-cross/rust-musl-cross"),
        "rust-cross/rust-musl-cross Dockerfile",
        env={"PATH": None},
        complete=False,
        workdir="/home/rust/src",
    ),
    _Row(
        ("clux/muslrust",),
        "clux/muslrust Dockerfile.x86_64, and Dockerfile of 2025 (0318dae)",
        env={
            "RUSTUP_HOME": None,
            "CARGO_HOME": None,
            "PATH": None,
            "CARGO_BUILD_TARGET": None,
            "CARGO_REGISTRIES_CRATES_IO_PROTOCOL": None,
        },
        complete=False,
        workdir="/volume",
    ),
    _Row(
        ("ekidd/rust-musl-builder",),
        "emk/rust-musl-builder Dockerfile, all of its versions",
        env={"PATH": None},
        complete=False,
        user="rust",
        workdir="/home/rust/src",
        accounts=(("rust", 1000, 1000, "/home/rust"),),
        made=("/home/rust/.cargo",),
    ),
    # Languages of docker-library.
    _Row(
        ("golang",),
        "docker-library/golang Dockerfile-linux.template",
        env={
            "GOLANG_VERSION": None,
            "GOTOOLCHAIN": None,
            "GOPATH": "/go",
            "PATH": f"/go/bin:/usr/local/go/bin:{DEFAULT_PATH}",
        },
        workdir="/go",
    ),
    _Row(("python",), "docker-library/python Dockerfile-linux.template", env=_PYTHON),
    _Row(
        ("pypy",),
        "docker-library/pypy Dockerfile-linux.template",
        env={**_PYTHON, "PYPY_VERSION": None, "PATH": None},
    ),
    _Row(
        ("node",),
        "nodejs/docker-node Dockerfile-debian.template, Dockerfile-alpine.template",
        env={"NODE_VERSION": None, "YARN_VERSION": None, "NPM_CONFIG_LOGLEVEL": None},
        accounts=(("node", 1000, 1000, "/home/node"),),
    ),
    _Row(
        ("ruby",),
        "docker-library/ruby Dockerfile.template",
        env={
            "LANG": "C.UTF-8",
            "RUBY_VERSION": None,
            "RUBY_MAJOR": None,
            "RUBY_DOWNLOAD_URL": None,
            "RUBY_DOWNLOAD_SHA256": None,
            "RUBYGEMS_VERSION": None,
            "BUNDLER_VERSION": None,
            "GEM_HOME": "/usr/local/bundle",
            "BUNDLE_PATH": None,
            "BUNDLE_BIN": None,
            "BUNDLE_SILENCE_ROOT_WARNING": "1",
            "BUNDLE_APP_CONFIG": "/usr/local/bundle",
            "PATH": None,
        },
    ),
    _Row(("php",), "docker-library/php Dockerfile-linux.template", complete=False, workdir=None),
    _Row(("openjdk", "java"), "docker-library/openjdk", None, _JAVA, complete=False),
    _Row(("eclipse-temurin", "adoptopenjdk"), "adoptium/containers", "debian", _JAVA, complete=False),
    _Row(
        ("maven",),
        "carlossg/docker-maven",
        None,
        {**_JAVA, "MAVEN_HOME": None, "MAVEN_CONFIG": None, "USER_HOME_DIR": None},
        complete=False,
    ),
    _Row(
        ("gradle",),
        "gradle/docker-gradle",
        "debian",
        {**_JAVA, "GRADLE_HOME": "/opt/gradle", "GRADLE_VERSION": None},
        complete=False,
        user=None,
        workdir="/home/gradle",
        accounts=(("gradle", 1000, 1000, "/home/gradle"),),
    ),
    _Row(("gcc",), "docker-library/gcc Dockerfile.template", complete=False),
    _Row(("perl",), "Perl/docker-perl", complete=False, workdir=None),
    _Row(("erlang", "elixir"), "erlang/docker-erlang-otp, erlef/docker-elixir", complete=False),
    _Row(("haskell",), "haskell/docker-haskell", complete=False),
    _Row(("swift",), "swiftlang/swift-docker", complete=False),
    _Row(("dart",), "dart-lang/dart-docker", complete=False, workdir="/root"),
    _Row(("julia",), "docker-library/julia", complete=False),
    _Row(("clojure",), "Quantisan/docker-clojure", None, complete=False, workdir=None),
    _Row(("r-base",), "rocker-org/rocker r-base", complete=False),
    _Row(("composer",), "composer/docker", "alpine", complete=False, workdir="/app"),
    _Row(
        ("oven/bun",),
        "oven-sh/bun dockerhub/*/Dockerfile",
        complete=False,
        workdir="/home/bun/app",
        accounts=(("bun", 1000, 1000, "/home/bun"),),
    ),
    _Row(("denoland/deno",), "denoland/deno_docker", complete=False, workdir=None),
    # Servers of docker-library; their entrypoints drop root, the images do not.
    _Row(("nginx",), "nginxinc/docker-nginx mainline/debian/Dockerfile", complete=False),
    _Row(("httpd",), "docker-library/httpd", complete=False, workdir="/usr/local/apache2"),
    _Row(("postgres",), "docker-library/postgres Dockerfile-debian.template", complete=False),
    _Row(("redis",), "docker-library/redis Dockerfile.template", complete=False, workdir="/data"),
    _Row(("mongo",), "docker-library/mongo Dockerfile-linux.template", complete=False),
    _Row(("mariadb",), "MariaDB/mariadb-docker", complete=False),
    _Row(("tomcat",), "docker-library/tomcat", None, complete=False, workdir="/usr/local/tomcat"),
    _Row(("caddy",), "caddyserver/caddy-docker", "alpine", complete=False, workdir="/srv"),
    _Row(("docker",), "docker-library/docker", "alpine", complete=False),
    # Images whose user is not root.
    _Row(
        ("jenkins/jenkins", "jenkins"),
        "jenkinsci/docker debian/*/Dockerfile",
        complete=False,
        user="jenkins",
        accounts=(("jenkins", 1000, 1000, "/var/jenkins_home"),),
    ),
    _Row(
        ("jenkins/agent", "jenkins/inbound-agent"),
        "jenkinsci/docker-agent, all of its versions under these names (4.0 and later)",
        complete=False,
        user="jenkins",
        workdir="/home/jenkins",
        accounts=(("jenkins", 1000, 1000, "/home/jenkins"),),
        some={"HOME": "/home/jenkins"},
    ),
    _Row(
        ("jenkins/slave", "jenkins/jnlp-slave"),
        "jenkinsci/docker-agent, versions before 4.0: the user's number is 10000 or 1000",
        complete=False,
        user="jenkins",
        workdir="/home/jenkins",
        accounts=(("jenkins", None, None, "/home/jenkins"),),
        some={"HOME": "/home/jenkins"},
    ),
    _Row(("nginxinc/nginx-unprivileged",), "nginxinc/docker-nginx-unprivileged", complete=False, user="101"),
    _Row(
        ("grafana/grafana",),
        "grafana/grafana Dockerfile: Debian, then Ubuntu, and Alpine since 6.4",
        None,
        complete=False,
        user="472",
        workdir="/usr/share/grafana",
    ),
    _Row(("jetty",), "jetty/jetty.docker", None, complete=False, user="jetty", workdir=None),
    _Row(
        ("gitpod/workspace-base", "gitpod/workspace-full"),
        "gitpod-io/workspace-images",
        complete=False,
        user="gitpod",
        workdir=None,
        accounts=(("gitpod", 33333, 33333, "/home/gitpod"),),
    ),
    _Row(
        ("cimg/base", "cimg/rust", "cimg/python", "cimg/node", "cimg/go"),
        "CircleCI-Public/cimg-*",
        complete=False,
        user="circleci",
        workdir="/home/circleci/project",
        accounts=(("circleci", 1001, 1001, "/home/circleci"),),
    ),
    _Row(
        ("homebrew/brew", "linuxbrew/brew"),
        "Homebrew/brew Dockerfile",
        complete=False,
        user="linuxbrew",
        workdir=None,
        accounts=(("linuxbrew", 1000, 1000, "/home/linuxbrew"),),
    ),
    _Row(
        (
            "jupyter/base-notebook",
            "jupyter/scipy-notebook",
            "jupyter/minimal-notebook",
            "jupyter/datascience-notebook",
            "jupyter/r-notebook",
            "jupyter/tensorflow-notebook",
            "jupyter/pyspark-notebook",
            "jupyter/all-spark-notebook",
            "quay.io/jupyter/base-notebook",
            "quay.io/jupyter/minimal-notebook",
            "quay.io/jupyter/scipy-notebook",
            "quay.io/jupyter/datascience-notebook",
            "quay.io/jupyter/r-notebook",
            "quay.io/jupyter/tensorflow-notebook",
            "quay.io/jupyter/pyspark-notebook",
            "quay.io/jupyter/all-spark-notebook",
        ),
        "jupyter/docker-stacks base-notebook/Dockerfile and those built on it, all of their versions",
        env={"HOME": "/home/jovyan", "PATH": None},
        some={"XDG_CACHE_HOME": "/home/jovyan/.cache/"},
        complete=False,
        user="1000",
        workdir="/home/jovyan",
        accounts=(("jovyan", 1000, 100, "/home/jovyan"),),
    ),
    # Python and CUDA distributions.
    _Row(
        ("continuumio/miniconda3", "continuumio/anaconda3", "continuumio/miniconda"),
        "ContinuumIO/docker-images",
        env={"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "PATH": f"/opt/conda/bin:{DEFAULT_PATH}"},
        workdir=None,
    ),
    _Row(
        ("condaforge/miniforge3", "condaforge/mambaforge"),
        "conda-forge/miniforge-images",
        env={
            "CONDA_DIR": "/opt/conda",
            "LANG": None,
            "LC_ALL": None,
            "MINIFORGE_VERSION": None,
            "MINIFORGE_NAME": None,
            "PATH": f"/opt/conda/bin:{DEFAULT_PATH}",
        },
        complete=False,
    ),
    _Row(("mambaorg/micromamba",), "mambaorg/micromamba-docker", complete=False, user="mambauser", workdir=None),
    _Row(
        ("nvidia/cuda", "nvcr.io/nvidia/cuda"),
        "NVIDIA container-images/cuda on GitLab: Ubuntu unless the tag says otherwise",
        env=dict.fromkeys(_CUDA),
        complete=False,
    ),
    _Row(("pytorch/pytorch",), "pytorch/pytorch Dockerfile", complete=False, workdir="/workspace"),
    _Row(("tensorflow/tensorflow",), "tensorflow/build", complete=False, workdir=None),
    _Row(
        ("ghcr.io/astral-sh/uv",),
        "astral-sh/uv .github/workflows/build-docker.yml: uv on the image in the tag",
        None,
        {**_PYTHON, "UV_TOOL_BIN_DIR": None},
        complete=False,
    ),
    _Row(
        ("tiangolo/uvicorn-gunicorn-fastapi", "tiangolo/uvicorn-gunicorn"),
        "fastapi/uvicorn-gunicorn-docker",
        env={**_PYTHON, "PYTHONPATH": "/app"},
        complete=False,
        workdir="/app",
    ),
    _Row(
        ("tiangolo/uwsgi-nginx", "tiangolo/uwsgi-nginx-flask"),
        "tiangolo/uwsgi-nginx-docker, tiangolo/uwsgi-nginx-flask-docker",
        env={**_PYTHON, "PYTHONPATH": None},
        complete=False,
        workdir="/app",
    ),
    _Row(
        ("frolvlad/alpine-python3", "jfloff/alpine-python"),
        "frol/docker-alpine-python3 Dockerfile, jfloff/alpine-python versions/*/Dockerfile",
        "alpine",
        env={"PATH": None},
        complete=False,
    ),
    # ROS (Ubuntu) and development containers.
    _Row(("ros", "osrf/ros", "gazebo"), "osrf/docker_images", complete=False),
    _Row(
        ("mcr.microsoft.com/devcontainers/base", "mcr.microsoft.com/vscode/devcontainers/base"),
        "devcontainers/images src/base-*",
        complete=False,
        accounts=(("vscode", 1000, 1000, "/home/vscode"),),
    ),
    _Row(
        (
            "mcr.microsoft.com/dotnet/sdk",
            "mcr.microsoft.com/dotnet/aspnet",
            "mcr.microsoft.com/dotnet/runtime",
            "mcr.microsoft.com/dotnet/runtime-deps",
        ),
        "dotnet/dotnet-docker src/*",
        complete=False,
        accounts=(("app", 1654, 1654, "/home/app"),),
    ),
    # Nothing in it.
    _Row(("scratch",), "BuildKit dockerfile2llb/convert.go emptyImageName", "scratch"),
)

_LOUD = frozenset(
    ("messense/rust-musl-cross", "cimg/base", "gitpod/workspace-base", "homebrew/brew", "mambaorg/micromamba",
     "denoland/deno", "oven/bun", "composer", "dart")
)  # fmt: skip
"""Rows (by their first name) whose images set, or may set, variables of package managers or HOME."""

_BY_NAME: dict[str, _Row] = {name: row for row in _ROWS for name in row.names}

_OFFICIAL = (
    "docker.io/library/",
    "index.docker.io/library/",
    "registry-1.docker.io/library/",
    "public.ecr.aws/docker/library/",
    "mirror.gcr.io/library/",
    "library/",
    "docker.io/",
    "index.docker.io/",
    "registry-1.docker.io/",
    "mirror.gcr.io/",
    "public.ecr.aws/",
)
_PORTS = regex(r"(?:amd64|arm32v[567]|arm64v8|i386|ppc64le|riscv64|s390x|mips64le)/")
"""Docker's official images for one architecture stand below its name, built from the same files."""

_WINDOWS = regex(r"windowsservercore|nanoserver|windows|ltsc20\d\d|servercore")
_ALPINE = regex(r"(?:^|[-_.\d])alpine")
_REDHAT = regex(
    r"(?:^|[-_.\d])(?:ubi\d*|centos|rocky\w*|oracle\w*|amazonlinux|amzn|al20\d\d|fedora|almalinux|corretto)"
)
_DEBIAN = regex(
    r"(?:^|[-_.\d])(?:slim|bullseye|buster|bookworm|stretch|jessie|wheezy|trixie|forky|sid|ubuntu\w*"
    r"|trusty|xenial|bionic|focal|jammy|noble|kinetic|lunar|mantic|debian\w*)"
)
_SH = {
    "debian": "dash",
    "alpine": "busybox",
    "busybox": "busybox",
    "redhat": "bash",
    "arch": "bash",
    "suse": "bash",
    "scratch": "none",
    "distroless": "none",
    "windows": "windows",
}

_DEBIAN_ACCOUNTS = (
    ("root", 0, 0, "/root"),
    ("daemon", 1, 1, "/usr/sbin"),
    ("bin", 2, 2, "/bin"),
    ("games", 5, 60, "/usr/games"),
    ("mail", 8, 8, "/var/mail"),
    ("www-data", 33, 33, "/var/www"),
    ("backup", 34, 34, "/var/backups"),
    ("nobody", 65534, 65534, "/nonexistent"),
)
_ACCOUNTS: dict[str | None, tuple[tuple[str, int, int, str], ...]] = {
    "debian": _DEBIAN_ACCOUNTS,
    "alpine": (
        ("root", 0, 0, "/root"),
        ("nobody", 65534, 65534, "/"),
        ("daemon", 2, 2, "/sbin"),
        ("guest", 405, 100, "/dev/null"),
    ),
    "redhat": (("root", 0, 0, "/root"),),
    "distroless": (
        ("root", 0, 0, "/root"),
        ("nonroot", 65532, 65532, "/home/nonroot"),
        ("nobody", 65534, 65534, "/nonexistent"),
    ),
}
"""base-passwd of Debian; alpine-baselayout; distroless common/variables.bzl."""


def split_reference(reference: str) -> tuple[str, str, str]:
    """Repository, tag and digest of an image reference; empty strings for what is not there."""
    rest, _, digest = reference.partition("@")
    colon = rest.rfind(":")
    if colon > rest.rfind("/"):
        return rest[:colon], rest[colon + 1 :], digest
    return rest, "", digest


def canonical(repository: str) -> str:
    """The name under which the table knows a repository."""
    name = repository
    for prefix in _OFFICIAL:
        if name.startswith(prefix):
            name = name[len(prefix) :]
            break
    ported = _PORTS.match(name)
    return name[ported.end() :] if ported else name


@lru_cache(maxsize=1024)
def base_image(reference: str, exact: bool = True) -> BaseImage:
    """What is known of the image `reference`; not `exact` if a part of its tag is unknown (written `?`)."""
    repository, tag, digest = split_reference(reference)
    name = canonical(repository)
    special = _special(reference, name, tag, digest)
    if special is not None:
        return special
    row = _BY_NAME.get(name)
    if row is None:
        return BaseImage(reference, name, tag, digest, False)
    family = _family(row, tag, exact)
    if family == "windows":
        return _windows(reference, name, tag, digest, row.source)
    env = {key: _value(reference, key, value) for key, value in row.env.items()}
    env |= {key: _in_some(reference, key, value) for key, value in row.some.items()}
    if "PATH" not in env and row.complete:
        env["PATH"] = Known(DEFAULT_PATH)
    if name == "clux/muslrust" and exact and not digest and not any(map(str.isdigit, tag)):
        # What is tagged anew for each release is made by the newest file; before it cargo was in root's home.
        env |= {"CARGO_HOME": Known("/opt/cargo"), "RUSTUP_HOME": Known("/opt/rustup")}
    user: Value = Unknown(f"the user of {reference} is not in the table") if row.user is None else Known(row.user)
    workdir: Value = Unknown(f"the working directory of {reference} is not in the table")
    if name == "php" and exact:
        # Its apache and fpm templates set one, its cli does not.
        workdir = Known("/var/www/html") if "apache" in tag or "fpm" in tag else ROOT
    elif row.workdir is not None:
        workdir = ROOT if row.workdir == "/" else Known(row.workdir)
    accounts = {a[0]: Account(a[0], a[1], a[2], Known(a[3])) for a in (*_ACCOUNTS.get(family, ()), *row.accounts)}
    return BaseImage(
        reference,
        name,
        tag,
        digest,
        True,
        family=family,
        sh=_SH.get(family) if family else None,
        docker_clean=_docker_clean(row, family),
        env=env,
        complete=row.complete and family is not None,
        user=user,
        workdir=workdir,
        accounts=accounts,
        all_accounts=family in ("debian", "alpine", "scratch") and row.complete,
        quiet=row.names[0] not in _LOUD,
        source=row.source,
        made=row.made,
    )


def made_from(reference: str, other: str, tag: str, exact: bool = True) -> BaseImage:
    """The image `reference`, which is made from `other` and has its user, homes and settings of package managers.
    Nobody knows what else it has. tag: what is said of its version and system."""
    base = base_image(other, exact)
    row = _BY_NAME.get(base.name)
    said = base.env if row is None else {key: _value(reference, key, value) for key, value in row.env.items()}
    some = {} if row is None else {key: _in_some(reference, key, value) for key, value in row.some.items()}
    return BaseImage(
        reference,
        base.name,
        tag,
        split_reference(reference)[2],
        base.known,
        family=base.family,
        sh=None if base.sh == "dash" else base.sh,  # bash in its place is what people make of it
        env={key: value for key, value in {**said, **some}.items() if key.startswith(_TOOLS)},
        user=base.user,
        workdir=Unknown(f"the working directory of {reference} is not known"),
        accounts=base.accounts,
        source=base.source,
        quiet=base.quiet,
        made=base.made,
        own=True,
    )


def says_system(tag: str) -> bool:
    """Whether a tag names a system, or a release of one."""
    return any(pattern.search(tag) for pattern in (_WINDOWS, _ALPINE, _REDHAT, _DEBIAN, _RELEASE))


def _family(row: _Row, tag: str, exact: bool) -> str | None:
    if row.family in ("scratch", "redhat", "arch", "suse", "busybox"):
        return row.family
    if _WINDOWS.search(tag):
        return "windows"
    if _ALPINE.search(tag):
        return "alpine"
    if _REDHAT.search(tag):
        return "redhat"
    if _DEBIAN.search(tag):
        return "debian"
    if not exact and row.names[0] not in ("debian", "alpine"):
        return None
    return row.family


def _docker_clean(row: _Row, family: str | None) -> bool | None:
    if family == "debian":
        # Both Debian's and Ubuntu's makers put it in (debuerreotype-minimizing-config; live-build's docker hook).
        # An image built on top may have removed it, which only complete rows rule out; docker-library never does.
        return None if row.names[0] == "phusion/baseimage" else True
    return False if family is not None else None


def _value(reference: str, key: str, value: str | None) -> Value:
    return Unknown(f"${key} depends on the version of {reference}") if value is None else Known(value)


def _in_some(reference: str, key: str, value: str) -> Value:
    return Unknown(f"only some versions of {reference} set ${key}", if_set=value)


def _windows(reference: str, name: str, tag: str, digest: str, source: str) -> BaseImage:
    return BaseImage(
        reference,
        name,
        tag,
        digest,
        True,
        family="windows",
        sh="windows",
        docker_clean=False,
        user=Unknown("a Windows image"),
        workdir=Unknown("a Windows image"),
        source=source,
    )


def _special(reference: str, name: str, tag: str, digest: str) -> BaseImage | None:
    """Repositories that are whole families of names."""
    if name.startswith(
        (
            "mcr.microsoft.com/windows",
            "microsoft/windowsservercore",
            "microsoft/nanoserver",
            "mcr.microsoft.com/dotnet/framework",
            "microsoft/dotnet-framework",
            "microsoft/iis",
            "mcr.microsoft.com/windows/servercore/iis",
        )
    ):
        return _windows(reference, name, tag, digest, "microsoft/Windows container images")
    if name == "mcr.microsoft.com/powershell" and _WINDOWS.search(tag):
        return _windows(reference, name, tag, digest, "PowerShell/PowerShell-Docker")
    if name.startswith("gcr.io/distroless/"):
        nonroot = tag.endswith("nonroot") or "nonroot-" in tag
        debug = "debug" in tag
        return BaseImage(
            reference,
            name,
            tag,
            digest,
            True,
            family="distroless",
            sh="busybox" if debug else "none",
            docker_clean=False,
            env={"PATH": Unknown(f"$PATH depends on the version of {reference}")},
            complete=False,
            user=Known("65532" if nonroot else "0"),
            workdir=Known("/home/nonroot") if nonroot else ROOT,
            accounts={a[0]: Account(a[0], a[1], a[2], Known(a[3])) for a in _ACCOUNTS["distroless"]},
            source="GoogleContainerTools/distroless common/variables.bzl, base/base.bzl",
            quiet=True,
        )
    if name.startswith("bitnami/"):
        return (
            BaseImage(
                reference,
                name,
                tag,
                digest,
                True,
                family="debian",
                sh="dash",
                env={"HOME": Known("/")},
                user=Known("1001"),
                workdir=Unknown(f"the working directory of {reference} differs"),
                source="bitnami/containers bitnami/*/debian-*/Dockerfile (USER 1001 in all but its base images)",
            )
            if name not in _BITNAMI_ROOT
            else None
        )
    return None


_BITNAMI_ROOT = frozenset(
    "bitnami/" + name
    for name in ("minideb", "git", "node", "python", "ruby", "golang", "java", "php-fpm", "dotnet-sdk", "rust")
)
"""Bitnami's images that run as root, or of which it is not clear."""
