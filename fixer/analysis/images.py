"""What somebody says of base images that are not public: `[images]` in the configuration, or `--image`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from fixer.analysis.bases import BaseImage, base_image, canonical, made_from, says_system, split_reference
from fixer.text.records import replace
from fixer.text.regex import regex


class UnknownImageError(ValueError):
    """name: of the image of which something is said that cannot be followed."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"`{name}`: {message}")
        self.name = name


class Images:
    """What base images of one's own stand for, by their names.

    - `ghcr.io/acme/rust` for `rust`: the image, with whatever tag, is made from `rust`, and has its user, homes and
      settings of package managers; what else it has nobody knows. The system is the one that its own tag names
      (`:3-alpine`), or else the one that the other's tag names: `rust:1-alpine`. With a tag in the name this tag is
      meant alone, and is what the other says.
    - `registry.acme.com/hub/` for `docker.io/`: what is below the one is what is below the other, image by image.

    What is said of an image's tag comes before what is said of the image, and that before its mirror.
    """

    __slots__ = ("_hash", "_made", "_mirrors", "_tagged")

    def __init__(self, said: Mapping[str, str]) -> None:
        """Raises UnknownImageError for what cannot be followed."""
        self._made: dict[str, str] = {}
        self._mirrors: dict[str, str] = {}
        for name, other in said.items():
            _check(name, other)
            mirror = name.endswith("/")
            found, key = (self._mirrors, name) if mirror else (self._made, canonical(name))
            if found.setdefault(key, other) != other:
                raise UnknownImageError(name, f"it is said to stand for `{found[key]}` and for `{other}`")
        self._settle()

    def _settle(self) -> None:
        self._tagged = {split_reference(name)[0] for name in self._made if split_reference(name)[1]}
        self._hash = hash((tuple(sorted(self._made.items())), tuple(sorted(self._mirrors.items()))))

    def __bool__(self) -> bool:
        return bool(self._made or self._mirrors)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        same = isinstance(other, Images) and self._hash == other._hash
        return same and isinstance(other, Images) and self.said == other.said

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        return f"Images({dict(sorted(self.said.items()))!r})"

    def __reduce__(self) -> tuple[type[Images], tuple[dict[str, str]]]:
        return Images, (self.said,)

    @property
    def said(self) -> dict[str, str]:
        """By the names in the form in which they are looked for."""
        return {**self._made, **self._mirrors}

    def before(self, other: Images) -> Images:
        """What both say; where they speak of the same name, `other` has no say."""
        return _both(self, other) if self and other else self or other

    def base(self, reference: str, exact: bool = True) -> BaseImage:
        """What is known of the image `reference`; see `base_image`."""
        return _base(self, reference, exact) if self else base_image(reference, exact)

    def stands_for(self, reference: str) -> tuple[str, str] | None:
        """The reference without its mirror, and what it is made from, or empty; None if nothing is said of it."""
        found = self._made_from(reference)
        if found:
            return reference, found
        end = reference.rfind("/")
        while end >= 0 and reference[: end + 1] not in self._mirrors:
            end = reference.rfind("/", 0, end)
        if end < 0:
            return None
        mirrored = self._mirrors[reference[: end + 1]] + reference[end + 1 :]
        return mirrored, self._made_from(mirrored)

    def _made_from(self, reference: str) -> str:
        repository, tag, _ = split_reference(reference)
        own = canonical(repository)
        return self._made.get(f"{own}:{tag}") or self._made.get(own, "")

    def is_of_tag(self, reference: str) -> bool:
        """Whether something is said of this very tag."""
        repository, tag, _ = split_reference(reference)
        return f"{canonical(repository)}:{tag}" in self._made

    def has_tags(self, reference: str) -> bool:
        """Whether something is said of one of its repository's tags."""
        return canonical(split_reference(reference)[0]) in self._tagged


NO_IMAGES = Images({})


@lru_cache(maxsize=64)
def _both(first: Images, other: Images) -> Images:
    return Images({**other.said, **first.said})


@lru_cache(maxsize=1024)
def _base(images: Images, reference: str, exact: bool) -> BaseImage:
    found = images.stands_for(reference)
    if found is None:
        return base_image(reference, exact)
    mirrored, other = found
    if not other:
        return replace(base_image(mirrored, exact), reference=reference)
    tag, said = split_reference(mirrored)[1], split_reference(other)[1]
    if said and exact and (images.is_of_tag(mirrored) or not says_system(tag)):
        return made_from(reference, other, said)
    if not exact and images.has_tags(mirrored):
        return BaseImage(reference, canonical(split_reference(mirrored)[0]), tag, "", False)
    repository = split_reference(other)[0]
    return made_from(reference, f"{repository}:{tag}" if tag else repository, f"?-{tag}", exact)


_NAME = r"(?:[A-Za-z0-9.-]+(?::\d+)?/)?(?:[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*/)*"
_MIRROR = regex(rf"(?!/){_NAME}")
_IMAGE = regex(rf"{_NAME}[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?::\w[\w.-]{{0,127}})?")
"""github.com/distribution/reference, regexp.go: without a digest."""


def _check(name: object, other: object) -> None:
    for each in (name, other):
        if not isinstance(each, str):
            raise UnknownImageError(str(name), "names of images are texts")
        if not (_MIRROR if each.endswith("/") else _IMAGE).fullmatch(each):
            what = "part of an image's name" if each.endswith("/") else "image's name"
            raise UnknownImageError(str(name), f"`{each}` is no {what}")
        if canonical(each) == "scratch":
            raise UnknownImageError(str(name), "all images are made from scratch")
    if str(name).endswith("/") != str(other).endswith("/"):
        raise UnknownImageError(str(name), f"a mirror and what it mirrors both end in `/`, and `{other}` is not alike")
    if not str(other).endswith("/") and not base_image(str(other)).known:
        raise UnknownImageError(str(name), f"dockfix knows nothing of `{other}`")
