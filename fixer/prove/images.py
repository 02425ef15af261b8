"""Images as data: read one from a tar stream, learn what is noise, compare two.

Times are left out everywhere: no two builds agree on them. A directory has no size here, and the mode of a symbolic
link means nothing, so that neither is kept.
"""

from __future__ import annotations

import hashlib
import json
import re
import tarfile
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from posixpath import basename, commonprefix, dirname, normpath
from typing import IO, NamedTuple

from fixer.engine.outcome import AppliedChange
from fixer.prove.model import Cause, Comparison, Difference, Phase
from fixer.text.records import dataclass, field

# --- reading -------------------------------------------------------------------------------------------------------


class BrokenStream(Exception):
    """What was read is not a whole tar archive: it ends too early, or is none."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a path of an image is. A hard link is what it is a link of."""

    kind: str
    """`file`, `directory`, `symbolic link`, `character device`, `block device`, `pipe`; `hard link` if that leads
    nowhere."""
    mode: int
    """Permission bits, with set-user-id and the like; 0777 for a symbolic link."""
    uid: int
    gid: int
    size: int
    """Bytes of a file, 0 for all else."""
    content: str
    """The sha256 of a file's bytes, the target of a link, `MAJOR:MINOR` of a device."""
    marked: bool = False
    """Whether the marker stands in the file's bytes. Not a property of the image: not compared."""
    attributes: tuple[tuple[str, str], ...] = ()
    """Extended attributes (capabilities are one), by name; values in hexadecimal."""


_KINDS = {
    tarfile.DIRTYPE: "directory",
    tarfile.SYMTYPE: "symbolic link",
    tarfile.CHRTYPE: "character device",
    tarfile.BLKTYPE: "block device",
    tarfile.FIFOTYPE: "pipe",
}
_ATTRIBUTE = "SCHILY.xattr."
_CHUNK = 1 << 17
"""Bytes. The fastest of those that were tried; a pipe gives half of it at a time."""


class _Header(tarfile.TarInfo):
    """Tells `_Tar` why there is no header: tarfile takes damage for the end, except at the very start."""

    @classmethod
    def fromtarfile(cls, tarfile: tarfile.TarFile) -> _Header:
        try:
            return super().fromtarfile(tarfile)
        except Exception as why:
            if isinstance(tarfile, _Tar):
                tarfile.complete = type(why).__name__ == "EOFHeaderError"
            raise


class _Tar(tarfile.TarFile):
    tarinfo = _Header
    members: list[tarfile.TarInfo]
    complete = False
    """Whether the mark at the archive's end was seen."""


def read_image(stream: IO[bytes], marker: bytes = b"") -> dict[str, Entry]:
    """Every path of the image whose flattened file system `stream` holds as a tar archive. Absolute paths, cleaned;
    names that are not UTF-8 with surrogates, as `os.fsdecode` gives them.

    stream: only read, to its end and never back, so that it may be a pipe. Contents are not kept.
    marker: bytes to look for in every file (`Entry.marked`); none, if empty.
    Raises BrokenStream.
    """
    found: dict[str, Entry] = {}
    links: list[str] = []
    try:
        # encoding: what PAX does not say is UTF-8, whatever the locale
        with _Tar.open(fileobj=stream, mode="r|", bufsize=_CHUNK, encoding="utf-8", errors="surrogateescape") as tar:
            while (member := tar.next()) is not None:
                path = _path(member.name)
                if not member.islnk():
                    found[path] = _entry(tar, member, marker)
                else:
                    found[path] = Entry("hard link", 0, 0, 0, 0, _path(member.linkname))
                    links.append(path)
                tar.members.clear()  # or all headers would be kept
            if not tar.complete:
                raise BrokenStream("the archive ends too early")
    except (tarfile.TarError, EOFError) as error:
        raise BrokenStream(str(error)) from error
    while stream.read(_CHUNK):
        pass
    for path in links:
        _resolve(found, path)
    return found


def _path(name: str) -> str:
    return normpath("/" + name.lstrip("/"))


def _entry(tar: tarfile.TarFile, member: tarfile.TarInfo, marker: bytes) -> Entry:
    headers = member.pax_headers
    attributes = tuple(
        sorted(
            (name[len(_ATTRIBUTE) :], value.encode("utf-8", "surrogateescape").hex())
            for name, value in headers.items()
            if name.startswith(_ATTRIBUTE)
        )
        if headers
        else ()
    )
    mode = member.mode & 0o7777
    if member.isreg():
        digest, marked = _read(tar, member, marker)
        return Entry("file", mode, member.uid, member.gid, member.size, digest, marked, attributes)
    kind = _KINDS.get(member.type) or f"entry of type {member.type!r}"
    content = member.linkname
    if member.issym():
        mode = 0o777
    elif member.isdev() and not member.isfifo():
        content = f"{member.devmajor}:{member.devminor}"
    return Entry(kind, mode, member.uid, member.gid, 0, content, False, attributes)


def _read(tar: tarfile.TarFile, member: tarfile.TarInfo, marker: bytes) -> tuple[str, bool]:
    """The digest of a file's bytes, and whether the marker is in them."""
    data = tar.extractfile(member)
    if data is None:
        raise BrokenStream(f"no content for {member.name}")
    read: Callable[[int], bytes] = getattr(data, "raw", data).read  # without a buffer that would copy everything twice
    digest = hashlib.sha256()
    overlap = len(marker) - 1
    marked, before = False, b""
    while chunk := read(_CHUNK):
        digest.update(chunk)
        if not marker or marked:
            continue
        marked = marker in chunk or (overlap > 0 and marker in before + chunk[:overlap])
        before = chunk[-overlap:] if overlap else b""  # all chunks but the last one are longer than any marker
    return digest.hexdigest(), marked


def _resolve(found: dict[str, Entry], path: str) -> None:
    """Replace a hard link by what it leads to, perhaps through other links that come later."""
    seen = {path}
    entry: Entry | None = found[path]
    while entry is not None and entry.kind == "hard link" and entry.content not in seen:
        seen.add(entry.content)
        entry = found.get(entry.content)
    if entry is not None and entry.kind != "hard link":
        found[path] = entry


# --- images and their differences ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Image:
    """The files of an image, and what `docker inspect` calls its Config."""

    files: Mapping[str, Entry]
    config: Mapping[str, object] = field(default_factory=dict)

    @property
    def marked(self) -> tuple[str, ...]:
        """The files in which the marker stands."""
        return tuple(sorted(path for path, entry in self.files.items() if entry.marked))


_VARYING = frozenset(
    (
        "Hostname",
        "Domainname",
        "Image",
        "AttachStdin",
        "AttachStdout",
        "AttachStderr",
        "Tty",
        "OpenStdin",
        "StdinOnce",
        "NetworkDisabled",
        "MacAddress",
        "StopTimeout",
    )
)
"""Fields of Config that are about a container, not about an image: empty with newer engines, and with older ones what
the build's last container or parent image happened to be. See "Non-standard fields in image inspect" on
https://docs.docker.com/engine/deprecated/ ."""


def _settings(config: Mapping[str, object]) -> dict[str, object]:
    """Config one setting at a time: `User`, `Env NAME`, `Labels NAME`. What is empty is as good as not there."""
    found: dict[str, object] = {}
    for name, value in config.items():
        if name in _VARYING or not value:
            continue
        if name == "Env" and isinstance(value, list):
            pairs = (str(item).partition("=") for item in value)
            found.update((f"Env {variable}", content if equals else None) for variable, equals, content in pairs)
        elif isinstance(value, Mapping):
            found.update((f"{name} {key}", content) for key, content in value.items())
        else:
            found[name] = value
    return found


_KIND, _CONTENT, _MODE, _OWNER, _ATTRIBUTES = "kind", "content", "mode", "owner", "attributes"


def _aspects(one: Entry, other: Entry) -> Iterator[tuple[str, str]]:
    """In what two entries at one path differ, and that in words."""
    if one.kind != other.kind:
        yield _KIND, f"{one.kind}, now {other.kind}"
        return
    if one.content != other.content:
        link = one.kind == "symbolic link"
        yield _CONTENT, f"link to {one.content}, now {other.content}" if link else "content"
    if one.mode != other.mode:
        yield _MODE, f"mode {one.mode:04o}, now {other.mode:04o}"
    if (one.uid, one.gid) != (other.uid, other.gid):
        yield _OWNER, f"owner {one.uid}:{one.gid}, now {other.uid}:{other.gid}"
    if one.attributes != other.attributes:
        names = sorted({name for name, _ in set(one.attributes) ^ set(other.attributes)})
        yield _ATTRIBUTES, f"extended attribute {', '.join(names)}"


# --- noise ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Names:
    """The names in one directory that come and go with every build."""

    seen: frozenset[str]
    """Those that one of the builds had."""
    stable: frozenset[str]
    """Those that all builds had: if one is missing, that is no noise."""
    shapes: tuple[tuple[str, str], ...]
    """What other names would look like: a regular expression, and the kind of entry."""

    def with_(self, other: Names) -> Names:
        seen = self.seen | other.seen
        shapes = tuple(sorted({*self.shapes, *other.shapes}))
        return Names(seen, (self.stable | other.stable) - seen, shapes)

    def cover(self, name: str, kind: str) -> bool:
        if name in self.seen:
            return True
        return name not in self.stable and any(
            kind == kind_ and re.fullmatch(shape, name) is not None for shape, kind_ in self.shapes
        )


@dataclass(frozen=True, slots=True)
class Noise:
    """Where an image differs from itself, built twice. Without arguments: nowhere."""

    aspects: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """For each path what of it varies: `content` alone, most of the time, so that mode and owner still count."""
    names: Mapping[str, Names] = field(default_factory=dict)
    """For each directory whose names vary (hashed names, temporary files), which."""
    config: frozenset[str] = frozenset()
    """Settings that vary: `Labels build-date`."""

    def covers(self, path: str, aspect: str) -> bool:
        """Whether this aspect of a path, or the path as a whole, varies."""
        varying = self.aspects.get(path)
        return varying is not None and (aspect in varying or _KIND in varying)

    def covers_name(self, path: str, kind: str) -> bool:
        """Whether the path may be there or not."""
        names = self.names.get(dirname(path))
        return names is not None and names.cover(basename(path), kind)

    def place(self, path: str) -> str:
        """The path; if its name varies, or that of a directory above it, what all such paths there have in common."""
        at = path.find("/", 1)
        while self.names and at > 0:
            if self.covers_name(path[:at], "directory"):
                return f"{dirname(path[:at])}/*"
            at = path.find("/", at + 1)
        return f"{dirname(path)}/*" if self.covers_name(path, "file") else path

    def with_(self, *others: Noise) -> Noise:
        """What is noise here or there."""
        aspects, names, config = dict(self.aspects), dict(self.names), self.config
        for other in others:
            for path, found in other.aspects.items():
                aspects[path] = aspects.get(path, frozenset()) | found
            for path, one in other.names.items():
                known = names.get(path)
                names[path] = known.with_(one) if known else one
            config |= other.config
        return Noise(aspects, names, config)


def learn(one: Image, two: Image) -> Noise:
    """What is noise, from two builds of the same. As little as possible: the paths that differ, in what they differ;
    and where names come and go, names that look like them."""
    aspects = {}
    for path in one.files.keys() & two.files.keys():
        found = frozenset(aspect for aspect, _ in _aspects(one.files[path], two.files[path]))
        if found:
            aspects[path] = found
    gone: dict[str, dict[str, str]] = {}
    come: dict[str, dict[str, str]] = {}
    for mine, others, names in ((one.files, two.files, gone), (two.files, one.files, come)):
        for path, entry in mine.items():
            parent = dirname(path)
            if path not in others and (parent in others or parent not in mine):
                names.setdefault(parent, {})[basename(path)] = entry.kind
    stable: dict[str, set[str]] = {directory: set() for directory in {*gone, *come}}
    for path in one.files.keys() & two.files.keys() if stable else ():
        if (listed := stable.get(dirname(path))) is not None:
            listed.add(basename(path))
    return Noise(
        aspects,
        {d: _names(gone.get(d, {}), come.get(d, {}), frozenset(stable[d])) for d in stable},
        frozenset(name for name, _ in _setting_differences(one, two)),
    )


def _names(gone: Mapping[str, str], come: Mapping[str, str], stable: frozenset[str]) -> Names:
    shapes: set[tuple[str, str]] = set()
    for kind in {*gone.values(), *come.values()}:
        old = [name for name, kind_ in gone.items() if kind_ == kind]
        new = [name for name, kind_ in come.items() if kind_ == kind]
        if old and new:
            pairs = [*_partners(old, new), *_partners(new, old)]
            shapes.update((_shape_of_two(a, b), kind) for a, b in pairs)
        else:
            shapes.update((_shape_of_one(name), kind) for name in (*old, *new))
    return Names(frozenset((*gone, *come)), stable, tuple(sorted(shapes)))


def _partners(names: Sequence[str], others: Sequence[str]) -> Iterator[tuple[str, str]]:
    """For each name that of the others which is most alike, by what they have in common at the start and the end."""
    forward = sorted(others)
    backward = sorted(other[::-1] for other in others)
    for name in names:
        near = {*_neighbours(forward, name), *(other[::-1] for other in _neighbours(backward, name[::-1]))}
        yield name, max(near, key=lambda other: (sum(_common(name, other)), other))


def _neighbours(names: Sequence[str], name: str) -> Sequence[str]:
    at = bisect_left(names, name)
    return names[max(at - 1, 0) : at + 1]


def _common(one: str, other: str) -> tuple[int, int]:
    """How many characters two names have in common at the start, and at the end of the rest."""
    start = len(commonprefix((one, other)))
    return start, len(commonprefix((one[start:][::-1], other[start:][::-1])))


_HEXADECIMAL = re.compile(r"[0-9a-f]*|[0-9A-F]*")
_LETTERS = re.compile(r"(?=[A-Za-z]*[g-zG-Z])[A-Za-z]{3,}")
_TOKEN = re.compile(r"(\w*[0-9]\w*)")
_LONG = 6
"""From how many characters on a part of a name that holds a digit is taken for a random one."""
_FIXED = 8
"""From how many characters on random parts of the same length are taken to have that length always."""


def _shape_of_two(one: str, other: str) -> str:
    """A regular expression for names like these two: what they have in common at both ends, whole words of it, and
    between that something like what they have there."""
    start, end = _common(one, other)
    start = max(_at_border(one, other, start), _letters(one[:start]))
    end = _at_border(one[::-1], other[::-1], end)
    middles = [name[start : len(name) - end] for name in (one, other)]
    return re.escape(one[:start]) + _between(middles) + re.escape(one[len(one) - end :])


def _letters(common: str) -> int:
    """The length of a word like `tmp` at the start: random names do not agree in so much."""
    found = _LETTERS.match(common)
    return found.end() if found is not None else 0


def _at_border(one: str, other: str, length: int) -> int:
    """Less of what they have in common, so that no word is cut: two random names may begin alike."""

    def cuts(name: str) -> bool:
        return length < len(name) and re.match(r"\w\w", name[length - 1 : length + 1]) is not None

    while length > 0 and (cuts(one) or cuts(other)):
        length -= 1
    return length


def _between(texts: Sequence[str]) -> str:
    if all(text.isascii() and text.isdigit() for text in texts):
        kind = "[0-9]"
    elif all(_HEXADECIMAL.fullmatch(text) and len(text) >= _FIXED for text in texts):
        kind = "[0-9a-fA-F]"
    else:
        kind = r"\w" if all(re.fullmatch(r"\w*", text) for text in texts) else "(?s:.)"
    lengths = {len(text) for text in texts}
    if len(lengths) == 1 and (length := lengths.pop()) >= _FIXED:
        return f"{kind}{{{length}}}"
    return f"{kind}+" if all(texts) else f"{kind}*"


def _shape_of_one(name: str) -> str:
    """The same for a name that stands alone: parts that are long and hold a digit may be others."""
    parts = _TOKEN.split(name)
    return "".join(
        rf"\w{{{len(part)}}}" if index % 2 and len(part) >= _LONG else re.escape(part)
        for index, part in enumerate(parts)
    )


# --- comparing -----------------------------------------------------------------------------------------------------


class _Found(NamedTuple):
    path: str
    what: str
    cause: Cause
    codemod: str


class _Named:
    """What changes say that they alter."""

    def __init__(self, changes: Iterable[AppliedChange]) -> None:
        self._paths: dict[str, str] = {}
        self._settings: dict[str, str] = {}
        for change in changes:
            for path in change.alters.paths:
                self._paths.setdefault(_path(path), change.codemod)
            for setting in change.alters.config:
                self._settings.setdefault(setting, change.codemod)
        self._parents: dict[str, str] = {}
        for path, codemod in self._paths.items():
            while path != "/":
                path = dirname(path)
                self._parents.setdefault(path, codemod)

    def codemod(self, path: str) -> str:
        """Whose path it is, or is below; the nearest one's. Empty if nobody names it."""
        while path not in self._paths and path != "/":
            path = dirname(path)
        return self._paths.get(path, "")

    def codemod_below(self, path: str) -> str:
        """Who names something below the path."""
        return self._parents.get(path, "")

    def codemod_of_setting(self, setting: str) -> str:
        """Who names a setting, or the whole field that it is of."""
        return self._settings.get(setting) or self._settings.get(setting.partition(" ")[0], "")


def compare(
    before: Image, after: Image, noise: Noise, changes: Sequence[AppliedChange], *, phase: Phase, target: str
) -> Comparison:
    """All differences of two images, each with its cause.

    A path is NAMED if a change alters it or a directory that it is in. So is a directory that is there on one side
    only, and there only for the sake of named paths: nothing below it is unexplained. What is missing or new as a whole
    directory, for one cause, is one difference, with the number of paths in it.
    """
    named = _Named(changes)
    differences = [*_changed(before, after, noise, named)]
    for mine, others, what in ((before, after, "only before"), (after, before, "only after")):
        differences += _folded(list(_one_sided(mine.files, others.files, noise, named, what)))
    places = [Difference(printable(d.path), printable(d.what), d.cause, d.codemod) for d in differences]
    for setting, what in _setting_differences(before, after):
        codemod = named.codemod_of_setting(setting)
        cause = Cause.NAMED if codemod else Cause.NOISE if setting in noise.config else Cause.UNEXPLAINED
        places.append(Difference(f"config: {printable(setting)}", printable(what), cause, codemod))
    places.sort(key=lambda difference: (difference.place, difference.what))
    return Comparison(phase, target, len(before.files.keys() | after.files.keys()), tuple(places))


def changed_paths(before: Image, after: Image, noise: Noise = Noise()) -> frozenset[str]:  # noqa: B008
    """The paths that two images do not have in common, or not alike, without the noise. Configuration left out."""
    named = _Named(())
    found = [*_changed(before, after, noise, named)]
    for mine, others in ((before, after), (after, before)):
        found += _one_sided(mine.files, others.files, noise, named, "")
    return frozenset(difference.path for difference in found if difference.cause is not Cause.NOISE)


def _changed(before: Image, after: Image, noise: Noise, named: _Named) -> Iterator[_Found]:
    """Differences at paths that both have."""
    for path, entry in before.files.items():
        other = after.files.get(path)
        if other is None or other == entry:
            continue
        for aspect, what in _aspects(entry, other):
            codemod = named.codemod(path)
            cause = Cause.NAMED if codemod else Cause.NOISE if noise.covers(path, aspect) else Cause.UNEXPLAINED
            yield _Found(path, what, cause, codemod)


def _one_sided(
    mine: Mapping[str, Entry], others: Mapping[str, Entry], noise: Noise, named: _Named, what: str
) -> Iterator[_Found]:
    """Paths that only `mine` has, by name."""
    paths = sorted(path for path in mine if path not in others)
    causes: dict[str, tuple[Cause, str]] = {}
    for path in paths:
        codemod = named.codemod(path)
        above = causes.get(dirname(path), (Cause.UNEXPLAINED, ""))[0]
        if codemod:
            causes[path] = Cause.NAMED, codemod
        elif above is Cause.NOISE or noise.covers_name(path, mine[path].kind):
            causes[path] = Cause.NOISE, ""
        else:
            causes[path] = Cause.UNEXPLAINED, ""
    unexplained: set[str] = set()
    for path in reversed(paths):
        if causes[path][0] is not Cause.UNEXPLAINED:
            continue
        codemod = named.codemod_below(path) if mine[path].kind == "directory" else ""
        if codemod and path not in unexplained:
            causes[path] = Cause.NAMED, codemod
        else:
            unexplained.add(dirname(path))
    for path in paths:
        yield _Found(path, what, *causes[path])


def _folded(found: Collection[_Found]) -> Iterator[_Found]:
    """Each directory together with what is below it for the same cause. `found` is sorted."""
    tops: dict[str, _Found] = {}
    below: dict[str, int] = {}
    for difference in found:
        above = tops.get(dirname(difference.path))
        if above is not None and above[1:] == difference[1:]:
            tops[difference.path] = above
            below[above.path] += 1
        else:
            tops[difference.path] = difference
            below[difference.path] = 0
    for path, count in below.items():
        counted = f", with {count} {'path' if count == 1 else 'paths'} below it" if count else ""
        yield tops[path]._replace(what=tops[path].what + counted)


def _setting_differences(before: Image, after: Image) -> Iterator[tuple[str, str]]:
    one, other = _settings(before.config), _settings(after.config)
    for setting in sorted(one.keys() | other.keys()):
        if setting not in other:
            yield setting, "only before"
        elif setting not in one:
            yield setting, "only after"
        elif one[setting] != other[setting]:
            yield setting, f"{_short(one[setting])}, now {_short(other[setting])}"


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 120 else f"{text[:119]}…"


def printable(text: str) -> str:
    """`text` with bytes that are not UTF-8, and with control characters, written as `\\xff` and the like."""
    if text.isprintable():
        return text
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
