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
        super().__init__(f"`{_short(name)}`: {message}")
        self.name = name


class Images:
    """What base images of one's own stand for, by their names.

    - `ghcr.io/acme/rust` for `rust`: the image, with whatever tag, is made from `rust`, and has its user, homes and
      settings of package managers; what else it has nobody knows, nor which version it is. The system is the one that
      its tag names (`:3-alpine`), or else the one that the other's tag names (`rust:1-alpine`); where the two do not
      agree, nothing is known. A tag in the name means that tag alone, and it is what the other is.
    - `registry.acme.com/hub/` for `docker.io/`: what is below the one is what is below the other, image by image.

    What is said of a tag comes before what is said of the image, and that before its mirror.
    """

    __slots__ = ("_hash", "_made", "_mirrors", "_tagged")

    def __init__(self, said: Mapping[str, str]) -> None:
        """Raises UnknownImageError for what cannot be followed."""
        made: dict[str, str] = {}
        mirrors: dict[str, str] = {}
        for name, other in said.items():
            _check(name, other)
            found = mirrors if name.endswith("/") else made
            if found.setdefault(_full(name), other) != other:
                raise UnknownImageError(name, f"it cannot be `{found[_full(name)]}` and `{other}`")
        self._set(made, mirrors)

    def _set(self, made: dict[str, str], mirrors: dict[str, str]) -> None:
        self._made = made
        self._mirrors = mirrors
        self._tagged = {repository for repository, tag, _ in map(split_reference, made) if tag}
        self._hash = hash((tuple(sorted(made.items())), tuple(sorted(mirrors.items()))))

    def __bool__(self) -> bool:
        return bool(self._made or self._mirrors)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Images):
            return NotImplemented
        return self is other or (self._hash == other._hash and self.said == other.said)

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        return f"Images({dict(sorted(self.said.items()))!r})"

    def __reduce__(self) -> tuple[object, ...]:
        return _of, (self._made, self._mirrors)

    @property
    def said(self) -> dict[str, str]:
        """By the full names, with registry."""
        return {**self._made, **self._mirrors}

    def before(self, other: Images) -> Images:
        """What both say; where they speak of the same name, `other` has no say."""
        return _both(self, other)

    def base(self, reference: str, exact: bool = True) -> BaseImage:
        """What is known of the image `reference`; see `base_image`."""
        return _base(self, reference, exact) if self else base_image(reference, exact)

    def without_mirror(self, name: str) -> str:
        """The name of what is mirrored under a full name; the name itself if that is no mirror's."""
        end = name.rfind("/")
        while end >= 0 and name[: end + 1] not in self._mirrors:
            end = name.rfind("/", 0, end)
        return name if end < 0 else _full(self._mirrors[name[: end + 1]] + name[end + 1 :])

    def said_of(self, name: str) -> str:
        """What is said of the image, or of the tag, with that full name; empty if nothing is."""
        return self._made.get(name, "")

    def has_tags(self, repository: str) -> bool:
        """Whether something is said of one of its tags."""
        return repository in self._tagged


def _of(made: dict[str, str], mirrors: dict[str, str]) -> Images:
    images = Images({})
    images._set(made, mirrors)
    return images


NO_IMAGES = Images({})


@lru_cache(maxsize=64)
def _both(first: Images, other: Images) -> Images:
    return _of({**other._made, **first._made}, {**other._mirrors, **first._mirrors})


@lru_cache(maxsize=1024)
def _base(images: Images, reference: str, exact: bool) -> BaseImage:
    name = _full(reference)
    mirrored = images.without_mirror(name)
    for each in (name, mirrored):
        repository, tag, digest = split_reference(each)
        tag = tag or ("" if digest else "latest")
        if not exact and images.has_tags(repository):
            return _unknown(reference)
        if other := images.said_of(f"{repository}:{tag}"):
            return made_from(reference, other, split_reference(other)[1])
        if other := images.said_of(repository):
            return _of_any_tag(reference, other, tag, exact)
    if mirrored == name:
        return base_image(reference, exact)
    return replace(base_image(mirrored, exact), reference=reference)


def _of_any_tag(reference: str, other: str, tag: str, exact: bool) -> BaseImage:
    repository, said, _ = split_reference(other)
    by_tag = made_from(reference, f"{repository}:{tag}", f"?-{tag}", exact)
    if not said:
        return by_tag
    if not exact:  # it may be a tag that names another system
        return _unknown(reference)
    if not says_system(tag):
        return made_from(reference, other, f"?-{said}")
    by_other = made_from(reference, other, by_tag.tag)
    return by_tag if by_tag == by_other else _unknown(reference)


def _unknown(reference: str) -> BaseImage:
    repository, tag, digest = split_reference(reference)
    return BaseImage(reference, canonical(repository), tag, digest, False)


def _full(name: str) -> str:
    """The name with its registry, as the engine completes it (github.com/distribution/reference, normalize.go); also of
    a part of a name that ends in `/`."""
    registry, slash, rest = name.partition("/")
    if not slash or not ("." in registry or ":" in registry or registry == "localhost"):
        registry, rest = "docker.io", name
    if registry in ("index.docker.io", "registry-1.docker.io"):
        registry = "docker.io"
    if registry == "docker.io" and rest and "/" not in rest:
        rest = f"library/{rest}"
    return f"{registry}/{rest}"


_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_ABOVE = rf"(?:[A-Za-z0-9.-]+(?::[0-9]+)?/)?(?:{_PART}/)*"
_MIRROR = regex(rf"(?!/){_ABOVE}")
_IMAGE = regex(rf"{_ABOVE}{_PART}(?::[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}})?")
"""github.com/distribution/reference, regexp.go; without a digest."""


def _check(name: object, other: object) -> None:
    if not isinstance(name, str) or not isinstance(other, str):
        raise UnknownImageError(str(name), "names of images are texts in quotes")
    for each in (name, other):
        if not (_MIRROR if each.endswith("/") else _IMAGE).fullmatch(each):
            what = "part of an image's name" if each.endswith("/") else "image's name"
            raise UnknownImageError(name, f"`{_short(each)}` is no {what}")
        if canonical(each) == "scratch":
            raise UnknownImageError(name, "all images are made from scratch")
    if name.endswith("/") != other.endswith("/"):
        raise UnknownImageError(name, f"a mirror and what it mirrors both end in `/`: `{_short(other)}`")
    if not other.endswith("/") and not base_image(other).known:
        raise UnknownImageError(name, f"dockfix itself knows nothing of `{_short(other)}`")


def _short(name: str) -> str:
    return name if len(name) <= 100 else f"{name[:99]}…"
