"""What somebody says of base images of his own."""

from __future__ import annotations

import pickle

import pytest

from fixer.analysis import NO_IMAGES, BaseImage, Images, Known, Unknown, UnknownImageError
from fixer.analysis.bases import base_image, release_of
from fixer.tree.nodes import Copy
from tests.analysis.help import facts

OWN = Images(
    {
        "ghcr.io/acme/rust": "rust",
        "ghcr.io/acme/rust:small": "rust:1-alpine",
        "docker.io/acme/python": "python:3.12-slim-bookworm",
        "hub.acme.com/": "docker.io/",
        "hub.acme.com/quay/": "quay.io/",
        "ghcr.acme.com/": "ghcr.io/",
    }
)


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("ghcr.io/acme/rust", ("rust", "debian", True)),
        ("ghcr.io/acme/rust:2024", ("rust", "debian", True)),
        ("ghcr.io/acme/rust:2024@sha256:ab", ("rust", "debian", True)),
        ("ghcr.io/acme/rust:1-alpine", ("rust", "alpine", True)),
        ("ghcr.io/acme/rust:small", ("rust", "alpine", True)),
        ("ghcr.acme.com/acme/rust:small", ("rust", "alpine", True)),
        ("acme/python:7", ("python", "debian", True)),
        ("hub.acme.com/acme/python", ("python", "debian", True)),
        ("hub.acme.com/library/rust:1-slim", ("rust", "debian", False)),
        ("hub.acme.com/quay/centos/centos:stream9", ("quay.io/centos/centos", "redhat", False)),
        ("rust:1", ("rust", "debian", False)),
    ],
)
def test_what_an_image_stands_for(reference: str, expected: tuple[str, str, bool]) -> None:
    base = OWN.base(reference)
    assert base.known
    assert base.reference == reference
    assert (base.name, base.family, base.own) == expected


@pytest.mark.parametrize("reference", ["ghcr.io/acme/rustc:1", "ghcr.io/acme", "hub.acme.com.org/rust", "acme/rust"])
def test_other_images_stay_unknown(reference: str) -> None:
    assert not OWN.base(reference).known


def test_a_mirrored_image_is_the_same_but_for_its_name() -> None:
    mirrored, plain = OWN.base("hub.acme.com/library/rust:1"), base_image("docker.io/library/rust:1")
    assert (mirrored.env, mirrored.complete, mirrored.docker_clean) == (plain.env, plain.complete, plain.docker_clean)
    assert mirrored.docker_clean


def test_of_what_is_made_from_an_image_only_what_is_said_is_known() -> None:
    own = OWN.base("ghcr.io/acme/rust:1")
    assert (own.lookup("CARGO_HOME"), own.lookup("HOME"), own.user) == (Known("/usr/local/cargo"), None, Known(""))
    assert isinstance(own.lookup("MINE"), Unknown)
    assert isinstance(own.lookup("PATH"), Unknown)
    assert isinstance(own.workdir, Unknown)
    assert (own.docker_clean, own.sh, own.complete, own.all_accounts) == (None, None, False, False)
    assert isinstance(Images({"a": "clux/muslrust:stable"}).base("a").lookup("CARGO_HOME"), Unknown)


@pytest.mark.parametrize(
    ("reference", "release"),
    [
        ("acme/python:7", "bookworm"),
        ("acme/python:7-bullseye", "bullseye"),
        ("ghcr.io/acme/rust:2024", None),
        ("ghcr.io/acme/rust:2024-trixie", "trixie"),
    ],
)
def test_the_own_tag_comes_before_the_other_one(reference: str, release: str | None) -> None:
    assert release_of(OWN.base(reference)) == release


def base_of(text: str, images: Images) -> BaseImage:
    found = facts(text, images).stages[-1].base
    assert isinstance(found, BaseImage)
    return found


def test_a_variable_in_the_tag() -> None:
    assert base_of("ARG V\nFROM ghcr.io/me/rust:$V\n", Images({"ghcr.io/me/rust": "rust"})).known
    assert not base_of("ARG V\nFROM acme/python:$V\n", OWN).known
    for image in ("ghcr.io/acme/rust", "ghcr.acme.com/acme/rust"):
        assert not base_of(f"ARG V\nFROM {image}:$V\n", OWN).known, "something is said of one of its tags"
    mirror = Images({"hub.acme.com/": "docker.io/", "hub.acme.com/rust:nightly": "clux/muslrust"})
    assert not base_of("ARG V\nFROM hub.acme.com/rust:$V\n", mirror).known
    assert not base_of("ARG V\nFROM rust:$V\n", Images({"rust:mine": "alpine"})).known
    assert base_of("ARG V=7\nFROM acme/python:$V\n", OWN).family == "debian"


def test_a_stage_comes_before_an_image() -> None:
    text = "FROM debian AS own\nFROM own\nCOPY --from=hub.acme.com/library/alpine:3 /a /\n"
    found = facts(text, Images({**OWN.said, "own": "node"}))
    own, last = found.stages
    assert last.base is own
    copy = last.instructions[0]
    assert isinstance(copy, Copy)
    taken = found.copied_from(copy)
    assert getattr(taken, "family", None) == "alpine"


@pytest.mark.parametrize(
    ("said", "reference", "name"),
    [
        ({"acme/x": "rust", "acme/x:latest": "node"}, "acme/x", "node"),
        ({"acme/x": "rust", "acme/x:latest": "node"}, "docker.io/acme/x:latest", "node"),
        ({"acme/x": "rust", "acme/x:latest": "node"}, "acme/x@sha256:ab", "rust"),
        ({"acme/x": "rust"}, "public.ecr.aws/acme/x", None),
        ({"public.ecr.aws/acme/x": "rust"}, "acme/x", None),
        ({"public.ecr.aws/acme/x": "rust", "acme/x": "node"}, "acme/x", "node"),
        ({"acme/x": "rust"}, "acme/x:3-alpine", "rust"),
        ({"acme/x": "rust:1-bookworm"}, "acme/x:3-alpine", None),
        ({"acme/x": "gcr.io/distroless/cc:debug-nonroot"}, "acme/x:3-debian12", None),
        ({"acme/x": "gcr.io/distroless/cc:debug-nonroot"}, "acme/x:3", "gcr.io/distroless/cc"),
        ({"hub/": "docker.io/library/"}, "docker.io/hub/rust:1", "rust"),
        ({"amd64/library/rust": "node"}, "rust", "rust"),
    ],
)
def test_names_as_the_engine_reads_them(said: dict[str, str], reference: str, name: str | None) -> None:
    for images in (Images(said), pickle.loads(pickle.dumps(Images(said)))):
        base = images.base(reference)
        assert (base.name if base.known else None) == name


def test_the_version_is_not_that_of_the_other() -> None:
    assert Images({"acme/x": "rust:1.90"}).base("acme/x:1.60").tag == "?-1.90"
    assert Images({"acme/x": "rust"}).base("acme/x:1.60").tag == "?-1.60"
    assert Images({"acme/x:1.60": "rust:1.90"}).base("acme/x:1.60").tag == "1.90"


def test_two_who_speak_of_images() -> None:
    first, other = Images({"docker.io/acme/x": "rust"}), Images({"acme/x": "node", "acme/y": "alpine"})
    assert first.before(other).said == {"docker.io/acme/x": "rust", "docker.io/acme/y": "alpine"}
    assert first.before(NO_IMAGES) == NO_IMAGES.before(first) == first
    assert not NO_IMAGES
    both = first.before(other)
    again = pickle.loads(pickle.dumps(both))
    assert (again, hash(again), repr(again)) == (both, hash(both), repr(both))
    assert again != first


@pytest.mark.parametrize(
    ("name", "other", "said"),
    [
        ("acme/x", "acme/y", "`acme/x`: dockfix itself knows nothing of `acme/y`"),
        ("acme/", "rust", "both end in `/`"),
        ("acme/x", "docker.io/", "both end in `/`"),
        ("https://acme.com/", "docker.io/", "no part"),
        ("/", "docker.io/", "no part"),
        ("$REGISTRY/x", "rust", "no image's name"),
        ("acme/x@sha256:ab", "rust", "no image's name"),
        ("acme/x:?", "rust", "no image's name"),
        ("Acme/X", "rust", "no image's name"),
        ("acme/*", "rust", "no image's name"),
        ("", "rust", "no image's name"),
        ("acme/x", "", "no image's name"),
        ("acme/x", "rust:", "no image's name"),
        ("acme/x", "rust 1", "no image's name"),
        ("acme/x", 1, "texts"),
        ("acme/x:ü", "rust", "no image's name"),
        ("a" * 9_000 + "!", "rust", "a…` is no image's name"),
        ("acme/x", "scratch", "all images are made from scratch"),
        ("scratch", "debian", "all images are made from scratch"),
        ("docker.io/acme/z", "node", "cannot be `rust` and `node`"),
    ],
)
def test_what_cannot_be_said_of_images(name: str, other: str, said: str) -> None:
    with pytest.raises(UnknownImageError) as caught:
        Images({"acme/z": "rust", name: other})
    assert said in str(caught.value)
    assert caught.value.name == name
