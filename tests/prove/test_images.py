"""Images: read from a tar stream, noise learned, differences with their causes."""

from __future__ import annotations

import hashlib
import io
import random
import tarfile
import tracemalloc
from collections.abc import Iterator, Mapping
from posixpath import dirname

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixer.codemods.api import Alters, Safety
from fixer.engine.outcome import AppliedChange
from fixer.prove.images import BrokenStream, Entry, Image, Noise, changed_paths, compare, learn, printable, read_image
from fixer.prove.model import Cause, Comparison, Phase
from fixer.text.source import Position

NAMED, NOISE, UNEXPLAINED = Cause.NAMED, Cause.NOISE, Cause.UNEXPLAINED


class Pipe(io.RawIOBase):
    """Bytes that can be read once, in pieces as a pipe gives them, and nothing else."""

    def __init__(self, data: bytes, piece: int = 1 << 16) -> None:
        self.data, self.piece, self.place = data, piece, 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        assert size > 0, "all at once"
        start, self.place = self.place, min(self.place + min(size, self.piece), len(self.data))
        return self.data[start : self.place]

    def seek(self, *_: object) -> int:
        raise AssertionError("a pipe")

    tell = seek


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", mode: int = 0o644, **pax: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = kind, link, mode
    info.pax_headers = {key.replace("__", "."): value for key, value in pax.items()}
    return info


def archive(*members: tuple[tarfile.TarInfo, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form, encoding="utf-8", errors="surrogateescape") as tar:
        for info, data in members:
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def read(data: bytes, marker: bytes = b"", piece: int = 1 << 16) -> dict[str, Entry]:
    return read_image(Pipe(data, piece), marker)  # type: ignore[arg-type]


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


# --- reading -------------------------------------------------------------------------------------------------------


def test_every_kind_of_entry() -> None:
    null = member("dev/null", tarfile.CHRTYPE, mode=0o666)
    null.devmajor, null.devminor = 1, 3
    disk = member("dev/sda1", tarfile.BLKTYPE)
    disk.devmajor, disk.devminor = 8, 1
    owned = member("etc/shadow", mode=0o4640)
    owned.uid, owned.gid, owned.mtime = 3_000_000_000, 42, 5
    found = read(
        archive(
            (member("./", tarfile.DIRTYPE, mode=0o755), b""),
            (member("etc/", tarfile.DIRTYPE, mode=0o1777), b""),
            (owned, b"secret"),
            (member("./etc/link", tarfile.SYMTYPE, "../usr", mode=0o755), b""),
            (member("/etc/pipe", tarfile.FIFOTYPE), b""),
            (null, b""),
            (disk, b""),
        )
    )
    assert found == {
        "/": Entry("directory", 0o755, 0, 0, 0, ""),
        "/etc": Entry("directory", 0o1777, 0, 0, 0, ""),
        "/etc/shadow": Entry("file", 0o4640, 3_000_000_000, 42, 6, sha(b"secret")),
        "/etc/link": Entry("symbolic link", 0o777, 0, 0, 0, "../usr"),
        "/etc/pipe": Entry("pipe", 0o644, 0, 0, 0, ""),
        "/dev/null": Entry("character device", 0o666, 0, 0, 0, "1:3"),
        "/dev/sda1": Entry("block device", 0o644, 0, 0, 0, "8:1"),
    }


@pytest.mark.parametrize("first", ["target", "links"])
def test_a_hard_link_is_what_it_is_a_link_of(first: str) -> None:
    target = (member("bin/a", mode=0o755), b"x marker y")
    links = [
        (member("bin/b", tarfile.LNKTYPE, "bin/c"), b""),
        (member("bin/c", tarfile.LNKTYPE, "./bin/a"), b""),
    ]
    found = read(archive(*([target, *links] if first == "target" else [*links, target])), b"marker")
    assert found["/bin/a"] == Entry("file", 0o755, 0, 0, 10, sha(b"x marker y"), True)
    assert found["/bin/b"] == found["/bin/c"] == found["/bin/a"]


def test_hard_links_that_lead_nowhere() -> None:
    found = read(
        archive(
            (member("a", tarfile.LNKTYPE, "b"), b""),
            (member("b", tarfile.LNKTYPE, "a"), b""),
            (member("c", tarfile.LNKTYPE, "gone"), b""),
        )
    )
    assert found["/c"] == Entry("hard link", 0, 0, 0, 0, "/gone")
    assert {found["/a"].kind, found["/b"].kind} == {"hard link"}


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
@pytest.mark.parametrize("name", ["a/" + "long" * 60 + "/b", "n\udcff\udcfe", "ü/ß", "new\nline", "a b", "..c", ".d"])
def test_names(name: str, form: int) -> None:
    found = read(archive((member(name), b"1"), (member("l", tarfile.LNKTYPE, name), b""), form=form))
    assert found == {f"/{name}": Entry("file", 0o644, 0, 0, 1, sha(b"1")), "/l": found[f"/{name}"]}
    assert printable(name).isprintable()


def test_extended_attributes_belong_to_the_entry() -> None:
    capability = b"\x01\x00\x00\x02\x00\x20\x00\x00\xff\n=".decode("utf-8", "surrogateescape")
    ping = member("ping", SCHILY__xattr__security__capability=capability, mtime="3.5")
    found = read(archive((ping, b"elf"), (member("other"), b"elf")))
    assert found["/ping"].attributes == (("security.capability", "0100000200200000ff0a3d"),)
    assert found["/other"].attributes == ()
    after = {**found, "/ping": found["/other"]}
    [difference] = diff(found, after).differences
    assert (difference.place, difference.what) == ("/ping", "extended attribute security.capability")


def test_a_sparse_file_is_what_a_program_reads_of_it() -> None:
    # GNU tar's own format: two pieces of a file of 2,000 bytes
    info = tarfile.TarInfo("sparse")
    info.type, info.size = tarfile.GNUTYPE_SPARSE, 1024
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    places = b"".join(b"%011o\0%011o\0" % pair for pair in ((0, 512), (1488, 512), (0, 0), (0, 0)))
    header[386 : 386 + len(places)] = places
    header[482] = 0
    header[483:495] = b"%011o\0" % 2000
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    found = read(bytes(header) + b"a" * 512 + b"b" * 512 + bytes(1024))
    assert found["/sparse"] == Entry("file", 0o644, 0, 0, 2000, sha(b"a" * 512 + bytes(976) + b"b" * 512))


def test_a_path_that_comes_twice_is_the_last_one() -> None:
    assert read(archive((member("a"), b"1"), (member("a"), b"22")))["/a"].size == 2
    link = (member("a", tarfile.LNKTYPE, "b"), b"")
    assert read(archive((member("b"), b"1"), link, (member("a"), b"22")))["/a"].size == 2


def test_an_empty_image() -> None:
    assert read(archive()) == {}


WHOLE = archive((member("a"), b"x" * 700), (member("d", tarfile.DIRTYPE), b""), (member("b"), b"y"))


@pytest.mark.parametrize("length", [0, 1, 511, 512, 1000, 1211, 1536, 1537, 2048, 2559, 3071, 3072])
def test_an_archive_that_ends_too_early(length: int) -> None:
    assert len(read(WHOLE)) == 3
    with pytest.raises(BrokenStream):
        read(WHOLE[:length])


@pytest.mark.parametrize("at", [0, 1536])
def test_a_damaged_archive(at: int) -> None:
    with pytest.raises(BrokenStream):
        read(WHOLE[:at] + b"\x07" * 512 + WHOLE[at + 512 :])


def test_what_is_no_archive() -> None:
    with pytest.raises(BrokenStream):
        read(b"ERROR: no such image\n" * 200)


def test_the_stream_is_read_to_its_end() -> None:
    """A writer must not be left with a broken pipe."""
    pipe = Pipe(WHOLE + bytes(1 << 20))
    read_image(pipe)  # type: ignore[arg-type]
    assert pipe.place == len(pipe.data)


@given(
    st.integers(0, 300_000),
    st.integers(0, 300_000),
    st.binary(min_size=1, max_size=40),
    st.sampled_from([1, 511, 4096, 1 << 16, 1 << 20]).map(lambda n: max(n, 97)),
)
def test_the_marker_is_found_wherever_it_stands(before: int, after: int, marker: bytes, piece: int) -> None:
    filler = bytes([(marker[0] + 1) % 256])
    data = filler * before + marker + filler * after
    lacking = filler * before + marker[:-1] + filler * after
    found = read(archive((member("with"), data), (member("without"), lacking)), marker, piece)
    assert found["/with"].marked
    assert found["/without"].marked == (marker in lacking)
    assert found["/with"].content == sha(data)


def test_the_marker_across_the_border_of_chunks() -> None:
    marker = b"0123456789"
    for at in range((1 << 17) - 12, (1 << 17) + 3):
        data = b"." * at + marker + b"." * 100
        assert read(archive((member("a"), data)), marker)["/a"].marked, at


def test_memory_does_not_grow_with_the_image() -> None:
    class Endless(Pipe):
        """An archive of one file, and 20,000 small ones; made while it is read."""

        def __init__(self, size: int) -> None:
            super().__init__(b"")
            self.parts = self.make(size)
            self.rest = b""

        def make(self, size: int) -> Iterator[bytes]:
            big = member("big")
            big.size = size
            yield big.tobuf()
            for _ in range(size >> 16):
                yield bytes(1 << 16)
            small = member("same/name")  # so that the result does not grow
            small.size = 512
            for _ in range(20_000):
                yield small.tobuf() + bytes(512)
            yield bytes(1024)

        def read(self, size: int = -1) -> bytes:
            if not self.rest:
                self.rest = next(self.parts, b"")
            out, self.rest = self.rest[:size], self.rest[size:]
            return out

    tracemalloc.start()
    try:
        found = read_image(Endless(64 << 20))  # type: ignore[arg-type]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found["/big"].size == 64 << 20
    assert peak < 3 << 20


# --- comparing: by hand --------------------------------------------------------------------------------------------


def a_file(content: str = "", mode: int = 0o644, uid: int = 0) -> Entry:
    return Entry("file", mode, uid, uid, len(content), sha(content.encode()))


def a_directory(mode: int = 0o755, uid: int = 0) -> Entry:
    return Entry("directory", mode, uid, uid, 0, "")


def tree(**files: str | Entry) -> dict[str, Entry]:
    """Files by path, with their parent directories."""
    return grown({path: a_file(entry) if isinstance(entry, str) else entry for path, entry in files.items()})


def grown(files: Mapping[str, Entry]) -> dict[str, Entry]:
    found = dict(files)
    for path in files:
        while (path := dirname(path)) != "/":
            found.setdefault(path, a_directory())
    return found


def change(*paths: str, config: tuple[str, ...] = (), codemod: str = "tiny") -> AppliedChange:
    place = Position(1, 1)
    return AppliedChange(codemod, "t", "w", Safety.SAFE, "", place, place, 0, (), Alters(paths, config))


def diff(
    before: Mapping[str, Entry],
    after: Mapping[str, Entry],
    *changes: AppliedChange,
    noise: Noise = Noise(),  # noqa: B008
) -> Comparison:
    return compare(Image(before), Image(after), noise, changes, phase=Phase.FIRST, target="")


def causes(comparison: Comparison) -> dict[str, Cause]:
    return {difference.place: difference.cause for difference in comparison.differences}


def test_every_aspect_is_a_difference_of_its_own() -> None:
    link = Entry("symbolic link", 0o777, 0, 0, 0, "a")
    before = {"/a": a_file("1"), "/d": a_directory(), "/l": link, "/x": a_file(), "/gone": a_file()}
    after = {
        "/a": a_file("2", 0o755, 7),
        "/d": a_directory(0o700, 5),
        "/l": Entry("symbolic link", 0o777, 0, 0, 0, "b"),
        "/x": a_directory(),
        "/new": a_file(),
    }
    comparison = diff(before, after)
    assert [(d.place, d.what) for d in comparison.differences] == [
        ("/a", "content"),
        ("/a", "mode 0644, now 0755"),
        ("/a", "owner 0:0, now 7:7"),
        ("/d", "mode 0755, now 0700"),
        ("/d", "owner 0:0, now 5:5"),
        ("/gone", "only before"),
        ("/l", "link to a, now b"),
        ("/new", "only after"),
        ("/x", "file, now directory"),
    ]
    assert {d.cause for d in comparison.differences} == {UNEXPLAINED}
    assert (comparison.paths, comparison.phase, comparison.target) == (6, Phase.FIRST, "")


def test_the_marker_is_no_property_of_the_image() -> None:
    one = a_file("1")
    other = Entry(one.kind, one.mode, one.uid, one.gid, one.size, one.content, marked=True)
    assert diff({"/a": one}, {"/a": other}).differences == ()
    assert Image({"/a": one, "/b": other}).marked == ("/b",)


def test_a_named_path_covers_what_is_below_it_and_nothing_beside_it() -> None:
    before = grown({"/c/apt/x": a_file("1"), "/c/apt": a_directory(), "/c/aptitude": a_file("1"), "/c/b": a_file("1")})
    after = grown({"/c/apt/x": a_file("2"), "/c/apt": a_directory(0o700), "/c/aptitude": a_file("2"), "/c/b": a_file()})
    assert causes(diff(before, after, change("/c/apt"))) == {
        "/c/apt": NAMED,
        "/c/apt/x": NAMED,
        "/c/aptitude": UNEXPLAINED,
        "/c/b": UNEXPLAINED,
    }


def test_the_nearest_codemod_names_it() -> None:
    comparison = diff(
        {"/a/b/c": a_file("1")}, {"/a/b/c": a_file("2")}, change("/a", codemod="far"), change("/a/b/", codemod="near")
    )
    assert [d.codemod for d in comparison.differences] == ["near"]


def test_parents_of_named_paths() -> None:
    """pip made /root/.cache for its cache; with a mount there is neither."""
    pip = change("/root/.cache/pip")
    before = grown({"/root/.cache/pip/a/b": a_file(), "/root/x": a_file()})
    after = grown({"/root/x": a_file()})
    comparison = diff(before, after, pip)
    [difference] = comparison.differences
    assert (difference.place, difference.what, difference.cause, difference.codemod) == (
        "/root/.cache",
        "only before, with 3 paths below it",
        NAMED,
        "tiny",
    )
    # a stub that was left behind
    assert causes(diff(after, {**after, "/root/.cache": a_directory()}, pip)) == {"/root/.cache": NAMED}
    # a file is no parent
    assert causes(diff(after, {**after, "/root/.cache": a_file()}, pip)) == {"/root/.cache": UNEXPLAINED}
    # on both sides its mode counts
    closed = {**before, "/root/.cache": a_directory(0o700)}
    assert causes(diff(before, closed, pip)) == {"/root/.cache": UNEXPLAINED}


def test_a_parent_of_more_than_named_paths() -> None:
    before = grown({"/root/.cache/pip/a": a_file(), "/root/.cache/tool/b": a_file(), "/root/x": a_file()})
    after = grown({"/root/x": a_file()})
    comparison = diff(before, after, change("/root/.cache/pip"))
    assert [(d.place, d.what, d.cause) for d in comparison.differences] == [
        ("/root/.cache", "only before, with 2 paths below it", UNEXPLAINED),
        ("/root/.cache/pip", "only before, with 1 path below it", NAMED),
    ]


def test_differences_of_the_configuration() -> None:
    before = {
        "Hostname": "4a5b",
        "Image": "sha256:1",
        "User": "app",
        "Env": ["PATH=/bin", "PIP_NO_CACHE_DIR=1", "A=", "ODD"],
        "Labels": {"a": "1", "b": "2"},
        "Cmd": ["sh"],
        "Entrypoint": None,
        "Volumes": {"/data": {}},
        "ExposedPorts": {"80/tcp": {}},
        "OnBuild": [],
    }
    after = {
        "Hostname": "",
        "User": "",
        "Env": ["ODD", "PATH=/usr/bin", "B=1"],
        "Labels": {"a": "1", "b": "3"},
        "Cmd": ["bash"],
        "Entrypoint": [],
        "Volumes": None,
        "ExposedPorts": {"80/tcp": {}, "81/tcp": {}},
    }
    changes = [change(config=("Env PIP_NO_CACHE_DIR", "Volumes"))]
    comparison = compare(Image({}, before), Image({}, after), Noise(), changes, phase=Phase.FIRST, target="")
    assert [(d.place, d.what) for d in comparison.differences] == [
        ("config: Cmd", '["sh"], now ["bash"]'),
        ("config: Env A", "only before"),
        ("config: Env B", "only after"),
        ("config: Env PATH", "/bin, now /usr/bin"),
        ("config: Env PIP_NO_CACHE_DIR", "only before"),
        ("config: ExposedPorts 81/tcp", "only after"),
        ("config: Labels b", "2, now 3"),
        ("config: User", "only before"),
        ("config: Volumes /data", "only before"),
    ]
    assert {d.place for d in comparison.by(NAMED)} == {"config: Env PIP_NO_CACHE_DIR", "config: Volumes /data"}


def test_a_label_that_varies_is_noise() -> None:
    def image(*labels: str) -> Image:
        return Image({}, {"Labels": dict(zip(("date", "who"), labels, strict=True))})

    noise = learn(image("1", "me"), image("2", "me"))
    comparison = compare(image("2", "me"), image("3", "you"), noise, (), phase=Phase.FIRST, target="")
    assert causes(comparison) == {"config: Labels date": NOISE, "config: Labels who": UNEXPLAINED}


def test_control_characters_do_not_reach_the_report() -> None:
    link = Entry("symbolic link", 0o777, 0, 0, 0, "\x1b[31m")
    comparison = diff({"/a\x1b\udcff\n": a_file(), "/l": link}, {"/l": Entry("symbolic link", 0o777, 0, 0, 0, "b")})
    assert [(d.place, d.what) for d in comparison.differences] == [
        ("/a\\x1b\\xff\\n", "only before"),
        ("/l", "link to \\x1b[31m, now b"),
    ]


# --- noise: by hand ------------------------------------------------------------------------------------------------


def learned(one: Mapping[str, Entry], two: Mapping[str, Entry]) -> Noise:
    return learn(Image(one), Image(two))


def test_content_noise_leaves_mode_and_owner() -> None:
    noise = learned({"/log": a_file("1")}, {"/log": a_file("22")})
    assert causes(diff({"/log": a_file("22")}, {"/log": a_file("333")}, noise=noise)) == {"/log": NOISE}
    comparison = diff({"/log": a_file("22")}, {"/log": a_file("333", 0o600, 1)}, noise=noise)
    assert [(d.what, d.cause) for d in comparison.differences] == [
        ("content", NOISE),
        ("mode 0644, now 0600", UNEXPLAINED),
        ("owner 0:0, now 1:1", UNEXPLAINED),
    ]
    assert causes(diff({"/log": a_file("22")}, {}, noise=noise)) == {"/log": UNEXPLAINED}
    assert causes(diff({"/log": a_file("22")}, {"/log": a_directory()}, noise=noise)) == {"/log": UNEXPLAINED}


@pytest.mark.parametrize(
    ("first", "second", "noise", "no_noise"),
    [
        # temporary directories and files
        (["tmpab12cd34"], ["tmpx9y8z7w6"], ["tmpq1w2e3r4"], ["tmpq1w2e3r", "pipq1w2e3r4", "app", "stable"]),
        (["pip-ab1-build"], ["pip-9z8-build"], ["pip-777-build"], ["pip-777", "pip-777-build.txt"]),
        # hashed names
        (["3f7a90b1c2.json", "aa00bb11cc.json"], ["0123456789.json"], ["ffffffffff.json"], ["ffffffffff.js", "f.json"]),
        (["main-1a2b3c4d5e.js", "main-1a2b3c4d5e.css"], ["main-f6e5d4c3b2.js", "main-f6e5d4c3b2.css"],
         ["main-0000000000.css"], ["vendor-0000000000.css", "main-xyzxyzxyzx.css"]),
        # directories by the first characters of a hash, or of anything else
        (["3f"], ["a0"], ["77", "zz"], ["z-z", "stable"]),
        # numbers of processes
        (["lock.12"], ["lock.1377"], ["lock.5"], ["lock", "lock.", "lock.x", "clock.5"]),
        # present in one build, and not in the other
        (["once"], [], ["once"], ["twice", "onc"]),
        ([], ["ld-9a8b7c6d.so"], ["ld-9a8b7c6d.so", "ld-00aa11bb.so"], ["ld-2.so", "ld-00aa11bbc.so"]),
    ],
)  # fmt: skip
def test_names_that_come_and_go(first: list[str], second: list[str], noise: list[str], no_noise: list[str]) -> None:
    def image(names: list[str], where: str = "/v/d") -> dict[str, Entry]:
        return grown({f"{where}/stable": a_file(), "/v/other/x": a_file(), **{f"{where}/{n}": a_file() for n in names}})

    known = learned(image(first), image(second))
    for name in noise:
        for comparison in (
            diff(image([]), image([name]), noise=known),
            diff(image([name]), image([]), noise=known),
        ):
            assert causes(comparison) == {f"/v/d/{name}": NOISE}
        # in this directory, for this kind of entry, with what is in it
        assert causes(diff(image([]), image([name], "/v/other"), noise=known))[f"/v/other/{name}"] is UNEXPLAINED
    for name in no_noise:
        comparison = diff(image([]), image([name]) if name != "stable" else {}, noise=known)
        assert UNEXPLAINED in causes(comparison).values(), name
    empty = grown({"/v/other/x": a_file(), "/v/d": a_directory()})
    assert causes(diff(image([]), empty, noise=known)) == {"/v/d/stable": UNEXPLAINED}


def test_a_name_that_was_always_there_is_no_noise() -> None:
    """Also if it looks like those that come and go."""
    stable = {"/c": a_directory(), "/c/ffffffffff": a_file()}
    noise = learned({**stable, "/c/3f7a90b1c2": a_file()}, {**stable, "/c/00bb11cc22": a_file()})
    assert causes(diff(stable, {"/c": a_directory(), "/c/eeeeeeeeee": a_file()}, noise=noise)) == {
        "/c/eeeeeeeeee": NOISE,
        "/c/ffffffffff": UNEXPLAINED,
    }


def test_no_more_is_learned_than_the_uppermost_name() -> None:
    one, two = (grown({f"/tmp/{name}/a/b": a_file(), "/tmp/x": a_file()}) for name in ("t-1", "t-2"))
    assert set(learned(one, two).names) == {"/tmp"}


def test_noise_is_for_one_kind_of_entry() -> None:
    base = {"/t": a_directory()}
    noise = learned({**base, "/t/tmpab12cd34": a_directory()}, {**base, "/t/tmpx9y8z7w6": a_directory()})
    assert causes(diff(base, {**base, "/t/tmp00000000": a_directory()}, noise=noise)) == {"/t/tmp00000000": NOISE}
    assert causes(diff(base, {**base, "/t/tmp00000000": a_file()}, noise=noise)) == {"/t/tmp00000000": UNEXPLAINED}


def test_a_noisy_directory_comes_with_what_is_in_it() -> None:
    base = grown({"/tmp/x": a_file()})
    names = ("t-111111111", "t-222222222", "t-333333333")
    one, two, three = (grown({**base, f"/tmp/{name}/a/b": a_file(name)}) for name in names)
    noise = learned(one, two)
    assert causes(diff(two, three, noise=noise)) == {"/tmp/t-222222222": NOISE, "/tmp/t-333333333": NOISE}
    # but what is named in it is named
    assert causes(diff(two, three, change("/tmp/t-333333333/a/b"), noise=noise))["/tmp/t-333333333/a/b"] is NAMED


def test_the_place_of_a_path_whose_name_varies() -> None:
    names = ("t-111111111", "t-222222222", "t-333333333")
    one, two, three = (grown({f"/tmp/{name}/a/b": a_file(name), "/tmp/same/b": a_file()}) for name in names)
    files = [grown({f"/js/main-{name}.js": a_file(), "/js/x": a_file()}) for name in ("00bb11cc22", "3f7a90b1c2")]
    noise = learned(one, two).with_(learned(*files))
    assert {noise.place(path) for path in three if path.endswith("/b")} == {"/tmp/*", "/tmp/same/b"}
    assert noise.place("/js/main-9999999999.js") == "/js/*"
    assert noise.place("/js/x") == "/js/x"
    assert Noise().place("/js/x") == "/js/x"


def test_noise_of_several_comparisons() -> None:
    base = {"/t": a_directory(), "/t/stable": a_file("1")}
    one = learned({**base, "/t/aa": a_file(), "/f": a_file("1")}, {**base, "/f": a_file("2")})
    two = learned({**base, "/t/bb": a_file(), "/f": a_file("1")}, {"/t": a_directory(), "/f": a_file("1", 0o600)})
    noise = one.with_(two)
    before = {**base, "/t/aa": a_file(), "/t/bb": a_file(), "/f": a_file("1")}
    assert causes(diff(before, {"/t": a_directory(), "/f": a_file("3", 0o777)}, noise=noise)) == {
        "/t/aa": NOISE, "/t/bb": NOISE, "/t/stable": NOISE, "/f": NOISE,
    }  # fmt: skip
    assert causes(diff(base, {"/t": a_directory()}, noise=one)) == {"/t/stable": UNEXPLAINED}


def test_many_names_are_learned_quickly() -> None:
    """Linear, but for sorting: each name is compared with its neighbours alone."""
    numbers = random.Random(3)

    def image() -> dict[str, Entry]:
        return grown({f"/c/{numbers.getrandbits(128):032x}": a_file() for _ in range(5_000)})

    one, two = image(), image()
    noise = learned(one, two)
    assert noise.names["/c"].shapes == (("[0-9a-fA-F]{32}", "file"),)
    assert set(causes(diff(two, image(), noise=noise)).values()) == {NOISE}


# --- comparing: properties -----------------------------------------------------------------------------------------

NAME = st.sampled_from(["a", "b", "c", "usr", "lib", ".x", "a b", "ü", "n\udcff", "tmp1234567"])
LEAF = st.one_of(
    st.builds(a_file, st.sampled_from(["", "1", "2"]), st.sampled_from([0o644, 0o755]), st.sampled_from([0, 7])),
    st.builds(a_directory, st.sampled_from([0o755, 0o700]), st.sampled_from([0, 7])),
    st.builds(lambda to: Entry("symbolic link", 0o777, 0, 0, 0, to), st.sampled_from(["a", "/b"])),
)


@st.composite
def trees(draw: st.DrawFn) -> dict[str, Entry]:
    """A file system in which every parent is a directory."""
    found: dict[str, Entry] = {}
    for parts, entry in draw(st.lists(st.tuples(st.lists(NAME, min_size=1, max_size=4), LEAF), max_size=12)):
        path = ""
        for part in parts[:-1]:
            path += f"/{part}"
            if found.setdefault(path, a_directory()).kind != "directory":
                break
        else:
            found.setdefault(f"{path}/{parts[-1]}", entry)
    return found


CONFIG = st.fixed_dictionaries(
    {},
    optional={
        "Env": st.lists(st.sampled_from(["A=1", "B=2", "C"]), unique=True),
        "Labels": st.dictionaries(st.sampled_from("xyz"), st.sampled_from("12")),
        "User": st.sampled_from(["", "app"]),
        "Cmd": st.one_of(st.none(), st.just(["sh"])),
        "Hostname": st.text(max_size=3),
    },
)
IMAGES = st.builds(Image, trees(), CONFIG)
CHANGES = st.lists(
    st.builds(
        lambda parts, config: change(*parts, config=config),
        st.lists(st.lists(NAME, min_size=2, max_size=3).map(lambda parts: "/" + "/".join(parts)), max_size=2),
        st.sampled_from([(), ("Env A",), ("Labels", "User")]),
    ),
    max_size=2,
)


def compared(before: Image, after: Image, noise: Noise, changes: list[AppliedChange]) -> Comparison:
    return compare(before, after, noise, changes, phase=Phase.EDIT, target="x")


@given(IMAGES, IMAGES, CHANGES)
def test_an_image_does_not_differ_from_itself(image: Image, other: Image, changes: list[AppliedChange]) -> None:
    assert compared(image, image, learn(image, other), changes).differences == ()
    assert learn(image, image) == Noise()
    assert changed_paths(image, image) == frozenset()


@given(IMAGES, IMAGES)
def test_what_the_original_did_twice_is_noise(one: Image, two: Image) -> None:
    noise = learn(one, two)
    assert {d.cause for d in compared(one, two, noise, []).differences} <= {NOISE}
    assert {d.cause for d in compared(two, one, noise, []).differences} <= {NOISE}
    assert changed_paths(one, two, noise) == frozenset()


@given(IMAGES, IMAGES, CHANGES)
def test_both_directions_find_the_same(one: Image, two: Image, changes: list[AppliedChange]) -> None:
    there, back = (compared(*pair, Noise(), changes) for pair in ((one, two), (two, one)))
    assert [(d.place, d.cause, d.codemod) for d in there.differences] == [
        (d.place, d.cause, d.codemod) for d in back.differences
    ]
    assert there.paths == back.paths


def expected(image: Image, path: str, noise: Noise, changes: list[AppliedChange], aspect: str) -> Cause:
    """The cause of one difference, straight from the definition."""
    named = [named for change in changes for named in change.alters.paths]
    if any(path == name or path.startswith(f"{name}/") for name in named):
        return NAMED
    return NOISE if aspect in noise.aspects.get(path, ()) or "kind" in noise.aspects.get(path, ()) else UNEXPLAINED


@given(IMAGES, IMAGES, CHANGES, st.data())
def test_every_planted_change_of_an_entry_is_found(
    image: Image, other: Image, changes: list[AppliedChange], data: st.DataObject
) -> None:
    if not image.files:
        return
    noise = learn(image, other)
    path = data.draw(st.sampled_from(sorted(image.files)))
    old = image.files[path]
    aspect = data.draw(st.sampled_from(["mode", "owner", "attributes", "content"]))
    new = {
        "mode": Entry(old.kind, old.mode ^ 0o111, old.uid, old.gid, old.size, old.content),
        "owner": Entry(old.kind, old.mode, old.uid, old.gid + 1, old.size, old.content),
        "attributes": Entry(old.kind, old.mode, old.uid, old.gid, old.size, old.content, False, (("user.x", "00"),)),
        "content": Entry(old.kind, old.mode, old.uid, old.gid, old.size, old.content + "0"),
    }[aspect]
    after = Image({**image.files, path: new}, image.config)
    [difference] = compared(image, after, noise, changes).differences
    assert difference.place == printable(path)
    assert difference.cause is expected(image, path, noise, changes, aspect)
    assert bool(difference.codemod) == (difference.cause is NAMED)


@given(IMAGES, CHANGES, st.data())
def test_every_planted_path_is_found(image: Image, changes: list[AppliedChange], data: st.DataObject) -> None:
    """A new file in a new directory, in one that is there."""
    parent = data.draw(st.sampled_from(["", *sorted(p for p, e in image.files.items() if e.kind == "directory")]))
    directory, path = f"{parent}/new", f"{parent}/new/file"
    after = Image({**image.files, directory: a_directory(), path: a_file("new")}, image.config)
    for one, two, side in ((image, after, "after"), (after, image, "before")):
        [difference] = compared(one, two, Noise(), changes).differences
        assert difference.place == printable(directory)
        assert difference.what == f"only {side}, with 1 path below it"
        assert difference.cause is expected(image, directory, Noise(), changes, "")
        # named alone, it takes its parent with it; its neighbour does not
        alone = compared(one, two, Noise(), [change(path)])
        assert [d.cause for d in alone.differences] == [NAMED]
        beside = compared(one, two, Noise(), [change(f"{directory}/other")])
        assert [d.cause for d in beside.differences] == [UNEXPLAINED]


@given(IMAGES, IMAGES, st.data())
def test_only_what_is_planted_is_found(image: Image, other: Image, data: st.DataObject) -> None:
    """Any two images: the paths of the differences, unfolded, are those that plain comparison finds."""
    plain = {p for p in image.files.keys() | other.files.keys() if image.files.get(p) != other.files.get(p)}
    assert changed_paths(image, other) == plain
    tops = {d.place for d in compared(image, other, Noise(), []).differences if d.place.startswith("/")}
    one_sided = image.files.keys() ^ other.files.keys()
    assert tops == {printable(path) for path in plain if not {path, dirname(path)} <= one_sided}


@given(trees(), st.randoms(use_true_random=False))
def test_the_order_of_the_archive_does_not_matter(files: dict[str, Entry], order: random.Random) -> None:
    types = {"file": tarfile.REGTYPE, "directory": tarfile.DIRTYPE, "symbolic link": tarfile.SYMTYPE}
    members = []
    for path, entry in files.items():
        info = member(path[1:], types[entry.kind], entry.content if entry.kind == "symbolic link" else "", entry.mode)
        info.uid = info.gid = entry.uid
        data = next(d for d in (b"", b"1", b"2") if entry.kind != "file" or sha(d) == entry.content)
        members.append((info, data))
        if entry.kind == "file":
            members.append((member(f"{path[1:]}.hard", tarfile.LNKTYPE, path[1:]), b""))
    hard = {f"{path}.hard": entry for path, entry in files.items() if entry.kind == "file"}
    assert read(archive(*members)) == {**files, **hard}
    order.shuffle(members)
    assert read(archive(*members)) == {**files, **hard}
