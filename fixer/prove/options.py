"""The options that the user passes on to every `docker buildx build`: which ones would break the protocol."""

from __future__ import annotations

from collections.abc import Sequence

from fixer.text.records import dataclass

_PROTOCOL = {
    "attest", "cache-to", "call", "check", "detach", "file", "help", "iidfile", "load", "metadata-file", "no-cache",
    "no-cache-filter", "output", "print", "progress", "provenance", "push", "quiet", "root", "sbom", "server-config",
    "tag", "target",
}  # fmt: skip
"""What verify decides by itself; with other values there would be no image, no cache or no progress to look at.
(`detach`, `root`, `server-config`: experimental, a build in the background.)"""

_FLAGS = {"check", "compress", "debug", "detach", "force-rm", "help", "load", "no-cache"}
_FLAGS |= {"pull", "push", "quiet", "rm", "squash"}
"""Options without a value in the next word."""

_SHORT = {"c": "cpu-shares", "D": "debug", "f": "file", "h": "help"}
_SHORT |= {"m": "memory", "o": "output", "q": "quiet", "t": "tag"}

NAMESPACE = "BUILDKIT_CACHE_MOUNT_NS"
"""The build argument that keeps our cache mounts apart."""


class OptionError(ValueError):
    """An option that may not be passed on. The message is a sentence for the user."""


@dataclass(frozen=True, slots=True)
class _Option:
    name: str
    value: str | None


def check_options(options: Sequence[str]) -> tuple[str, ...]:
    """The options as they are. Raises OptionError for one that verify sets itself, in any spelling (`--tag=x`,
    `--tag x`, `-t x`, `-tx`, `-qtx`), and for a word that is no option: the context is not passed here."""
    platforms: list[str] = []
    for option in _read(options):
        if option.name in _PROTOCOL:
            raise OptionError(f"--{option.name} cannot be passed to docker: verify sets it itself.")
        if option.name == "build-arg":
            check_build_arg(option.value or "")
        if option.name == "platform":
            platforms += (option.value or "").split(",")
    if len(platforms) > 1:
        raise OptionError(f"--platform: one platform can be verified at a time, not {len(platforms)}.")
    return tuple(options)


def check_build_arg(text: str) -> None:
    """Raises OptionError for a build argument (`K=V`) that verify sets itself, or without a name."""
    name = text.partition("=")[0]
    if not name.strip():
        raise OptionError(f"The build argument {text!r} has no name: K=V is meant.")
    if name == NAMESPACE:
        raise OptionError(f"The build argument {NAMESPACE} cannot be given: verify keeps its cache mounts apart by it.")


def builder(options: Sequence[str]) -> str:
    """The value of `--builder`; empty if it is not there. The last one counts."""
    return next((option.value or "" for option in reversed(list(_read(options))) if option.name == "builder"), "")


def _read(options: Sequence[str]) -> list[_Option]:
    """As docker (its flag library, pflag) reads them."""
    found: list[_Option] = []
    words = list(options)
    while words:
        word = words.pop(0)
        if word == "--" or not word.startswith("-") or word == "-":
            raise OptionError(f"{word!r} is no option: behind `--` stand options for `docker buildx build` only.")
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            found.append(_Option(name, _value(name, equals, value, words)))
            continue
        letters = word[1:]
        while letters:
            name, letters = _SHORT.get(letters[0], letters[0]), letters[1:]
            if name in _FLAGS and not letters.startswith("="):
                found.append(_Option(name, None))
                continue
            found.append(_Option(name, letters.removeprefix("=") or _value(name, "", "", words)))
            letters = ""
    return found


def _value(name: str, equals: str, value: str, words: list[str]) -> str | None:
    """The value of an option, taken from the words that follow if it does not stand behind `=`. A word with a dash is
    never taken: should docker have an option without a value that we do not know, nothing hides behind it."""
    if equals:
        return value
    if name in _FLAGS or not words or words[0].startswith("-"):
        return None
    return words.pop(0)
