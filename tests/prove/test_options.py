"""Options that the user passes on to docker."""

from __future__ import annotations

import pytest

from fixer.prove.options import OptionError, builder, check_options


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--network=host"],
        ["--network", "host"],
        ["--secret", "id=x,src=f", "--ssh", "default"],
        ["--build-arg", "A=tag", "--build-arg=B"],
        ["--label=--tag"],
        ["--build-context", "a=b", "--add-host", "x:1.2.3.4", "--pull"],
        ["--platform=linux/arm64"],
        ["-m", "2g", "-c2", "-D"],
        ["--builder", "x", "--cache-from=type=registry,ref=r"],
    ],
)
def test_what_may_be_passed_on(options: list[str]) -> None:
    assert check_options(options) == tuple(options)


@pytest.mark.parametrize(
    ("options", "name"),
    [
        (["--tag=x"], "--tag"),
        (["--tag", "x"], "--tag"),
        (["-t", "x"], "--tag"),
        (["-tx"], "--tag"),
        (["-t=x"], "--tag"),
        (["-Dtx"], "--tag"),
        (["-qt", "x"], "--quiet"),
        (["-tag"], "--tag"),
        (["--output", "type=local,dest=."], "--output"),
        (["-otype=local,dest=."], "--output"),
        (["-f", "x"], "--file"),
        (["--file=x"], "--file"),
        (["--target=x"], "--target"),
        (["--no-cache"], "--no-cache"),
        (["--no-cache=false"], "--no-cache"),
        (["--no-cache-filter", "a"], "--no-cache-filter"),
        (["--push"], "--push"),
        (["--load"], "--load"),
        (["--progress=plain"], "--progress"),
        (["--iidfile", "x"], "--iidfile"),
        (["--metadata-file", "x"], "--metadata-file"),
        (["--cache-to=type=gha"], "--cache-to"),
        (["--call=check"], "--call"),
        (["--check"], "--check"),
        (["--print=outline"], "--print"),
        (["--provenance=true"], "--provenance"),
        (["--sbom=true"], "--sbom"),
        (["--attest", "type=sbom"], "--attest"),
        (["--quiet"], "--quiet"),
        (["-h"], "--help"),
        # behind another option's value
        (["--network", "host", "-t", "x"], "--tag"),
        # a flag that we do not know has no value that could hide something
        (["--brand-new", "--tag", "x"], "--tag"),
        (["-z", "-t", "x"], "--tag"),
        (["--network", "--tag", "x"], "--tag"),
    ],
)
def test_what_verify_sets_itself(options: list[str], name: str) -> None:
    with pytest.raises(OptionError, match=f"^{name} cannot be passed to docker"):
        check_options(options)


@pytest.mark.parametrize("options", [["."], ["--"], ["-"], ["--pull", "."], ["--network", "host", "dir"], ["-D", "x"]])
def test_words_that_are_no_options(options: list[str]) -> None:
    with pytest.raises(OptionError, match="is no option"):
        check_options(options)


@pytest.mark.parametrize(
    "options",
    [
        ["--build-arg=BUILDKIT_CACHE_MOUNT_NS=x"],
        ["--build-arg", "BUILDKIT_CACHE_MOUNT_NS=x"],
        ["--build-arg", "BUILDKIT_CACHE_MOUNT_NS"],
    ],
)
def test_the_namespace_is_ours(options: list[str]) -> None:
    with pytest.raises(OptionError, match="BUILDKIT_CACHE_MOUNT_NS"):
        check_options(options)


@pytest.mark.parametrize("options", [["--platform=a,b"], ["--platform", "a", "--platform=b"]])
def test_one_platform(options: list[str]) -> None:
    with pytest.raises(OptionError, match="one platform"):
        check_options(options)


def test_the_builder() -> None:
    assert builder([]) == ""
    assert builder(["--builder", "a"]) == "a"
    assert builder(["--builder=a", "--network=host", "--builder=b"]) == "b"
