"""What the table says of base images, by reference."""

from __future__ import annotations

import pytest

from fixer.analysis.bases import base_image, canonical, release_of, split_reference
from fixer.analysis.values import Known, Unknown
from tests.analysis.help import end, show


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("rust", ("rust", "", "")),
        ("rust:1.79-slim", ("rust", "1.79-slim", "")),
        ("localhost:5000/x", ("localhost:5000/x", "", "")),
        ("localhost:5000/x:1@sha256:ab", ("localhost:5000/x", "1", "sha256:ab")),
    ],
)
def test_split(reference: str, expected: tuple[str, str, str]) -> None:
    assert split_reference(reference) == expected


@pytest.mark.parametrize(
    ("repository", "expected"),
    [
        ("rust", "rust"),
        ("library/rust", "rust"),
        ("docker.io/library/rust", "rust"),
        ("index.docker.io/library/rust", "rust"),
        ("public.ecr.aws/docker/library/rust", "rust"),
        ("mirror.gcr.io/library/rust", "rust"),
        ("docker.io/rust", "rust"),
        ("arm64v8/rust", "rust"),
        ("ghcr.io/me/rust", "ghcr.io/me/rust"),
        ("me/rust", "me/rust"),
    ],
)
def test_canonical(repository: str, expected: str) -> None:
    assert canonical(repository) == expected


@pytest.mark.parametrize(
    ("reference", "family", "sh", "docker_clean"),
    [
        ("debian:bookworm-slim", "debian", "dash", True),
        ("ubuntu", "debian", "dash", True),
        ("alpine:3.20", "alpine", "busybox", False),
        ("rust:1.79", "debian", "dash", True),
        ("rust:1.79-alpine3.20", "alpine", "busybox", False),
        ("python:3.12-slim", "debian", "dash", True),
        ("python:3.12-windowsservercore-ltsc2022", "windows", "windows", False),
        ("golang:1.22-nanoserver", "windows", "windows", False),
        ("node:20-alpine@sha256:00", "alpine", "busybox", False),
        ("nvidia/cuda:12.4.1-devel-ubuntu22.04", "debian", "dash", True),
        ("nvidia/cuda:12.4.1-devel-ubi8", "redhat", "bash", False),
        ("fedora:40", "redhat", "bash", False),
        ("eclipse-temurin:17-jre", "debian", "dash", True),
        ("maven:3-eclipse-temurin-17", None, None, None),
        ("scratch", "scratch", "none", False),
        ("gcr.io/distroless/cc-debian12", "distroless", "none", False),
        ("gcr.io/distroless/base:debug", "distroless", "busybox", False),
        ("mcr.microsoft.com/windows/servercore:ltsc2022", "windows", "windows", False),
        ("me/thing", None, None, None),
        ("ghcr.io/astral-sh/uv:python3.12-bookworm-slim", "debian", "dash", True),
    ],
)
def test_family(reference: str, family: str | None, sh: str | None, docker_clean: bool | None) -> None:
    image = base_image(reference)
    assert (image.family, image.sh, image.docker_clean) == (family, sh, docker_clean)


@pytest.mark.parametrize(
    ("reference", "name", "expected"),
    [
        ("rust", "CARGO_HOME", "/usr/local/cargo"),
        ("rust:alpine", "RUSTUP_HOME", "/usr/local/rustup"),
        ("lukemathwalker/cargo-chef:latest-rust-1", "CARGO_HOME", "/usr/local/cargo"),
        ("golang:1.22", "GOPATH", "/go"),
        ("golang:1.22", "GOCACHE", None),
        ("python:3.12", "PIP_NO_CACHE_DIR", None),
        ("python:3.12", "PYTHON_VERSION", "?"),
        ("python:3.12", "ANYTHING", None),
        ("debian", "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
        ("debian", "CARGO_HOME", None),
        ("php:8", "HOME", None),
        ("php:8", "PIP_CACHE_DIR", None),
        ("php:8", "PHP_VERSION", "?"),
        ("me/thing", "PATH", "?"),
        ("me/thing", "HOME", "?"),
        ("messense/rust-musl-cross:x86_64-musl", "CARGO_HOME", "?"),
        ("clux/muslrust", "CARGO_HOME", "/opt/cargo"),
        ("clux/muslrust:stable", "RUSTUP_HOME", "/opt/rustup"),
        ("clux/muslrust:1.70.0-stable", "CARGO_HOME", "?"),
        ("bitnami/kafka", "HOME", "/"),
        ("phusion/baseimage:0.9.22", "HOME", "?"),
        ("phusion/baseimage:0.9.22", "PIP_CACHE_DIR", None),
        ("quay.io/jupyter/minimal-notebook", "HOME", "/home/jovyan"),
        ("jupyter/scipy-notebook", "XDG_CACHE_HOME", "?"),
        ("jenkins/jenkins:lts", "HOME", None),
        ("jenkins/agent", "HOME", "?"),
        ("tiangolo/uwsgi-nginx-flask:python3.8-alpine", "HOME", None),
    ],
)
def test_environment(reference: str, name: str, expected: str | None) -> None:
    assert show(base_image(reference).lookup(name)) == expected


@pytest.mark.parametrize(
    ("reference", "user", "workdir"),
    [
        ("debian", "", "/"),
        ("golang", "", "/go"),
        ("ekidd/rust-musl-builder", "rust", "/home/rust/src"),
        ("jenkins/jenkins:lts", "jenkins", "/"),
        ("gcr.io/distroless/static:nonroot", "65532", "/home/nonroot"),
        ("php:8-apache", "", "/var/www/html"),
        ("php:8-fpm-alpine", "", "/var/www/html"),
        ("php:8-cli", "", "/"),
        ("bitnami/kafka", "1001", "?"),
        ("me/thing", "?", "?"),
    ],
)
def test_user_and_workdir(reference: str, user: str, workdir: str) -> None:
    image = base_image(reference)
    assert (show(image.user), show(image.workdir)) == (user, workdir)


def test_what_some_versions_set() -> None:
    value = base_image("jupyter/scipy-notebook").lookup("XDG_CACHE_HOME")
    assert isinstance(value, Unknown)
    assert value.if_set == "/home/jovyan/.cache/"


def test_root_is_at_home_in_every_version() -> None:
    assert end("FROM phusion/baseimage\n").user.home == Known("/root")
    assert isinstance(end("FROM phusion/baseimage\nUSER www-data\n").user.home, Unknown)
    assert end("FROM phusion/baseimage\nENV HOME=/srv\n").user.home == Known("/srv")
    assert isinstance(end("FROM jenkins/agent\nUSER root\n").user.home, Unknown)


def test_a_tag_with_a_build_argument() -> None:
    state = end("ARG V\nFROM rust:${V}\n")
    assert state.lookup("CARGO_HOME") == Known("/usr/local/cargo")
    assert state.workdir == Known("/")
    base = state.stage.base
    assert (getattr(base, "name", None), getattr(base, "family", 1)) == ("rust", None)


def test_a_tag_that_names_its_family_beside_a_build_argument() -> None:
    assert getattr(end("ARG V\nFROM python:${V}-alpine\n").stage.base, "family", None) == "alpine"
    assert getattr(end("ARG V=1\nFROM python:${V}\n").stage.base, "family", None) == "debian"


def test_every_row_has_a_source() -> None:
    from fixer.analysis.bases import _ROWS

    names = [name for row in _ROWS for name in row.names]
    assert all(row.source for row in _ROWS)
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("reference", "release"),
    [
        ("python:3.12", None),
        ("python:3.9-slim-buster", "buster"),
        ("debian:12-slim", "bookworm"),
        ("debian:12.4", "bookworm"),
        ("ubuntu:20.04", "focal"),
        ("ubuntu:latest", None),
        ("nvidia/cuda:11.0-cudnn8-devel-ubuntu20.04", "focal"),
        ("centos:7.9.2009", "centos7"),
        ("quay.io/centos/centos:stream9", None),
        ("registry.access.redhat.com/ubi8/python-39", "ubi8"),
        ("registry.access.redhat.com/ubi8:8.5", "ubi8"),
        ("example/model:5", None),
    ],
)
def test_release(reference: str, release: str | None) -> None:
    assert release_of(base_image(reference)) == release
