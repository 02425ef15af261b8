"""The mounts of a RUN as BuildKit reads them: commands_runmount.go and convert_runmount.go (v0.25)."""

from __future__ import annotations

import csv
from collections.abc import Callable

from fixer.analysis.bases import BaseImage
from fixer.analysis.stages import Stage
from fixer.analysis.state import State
from fixer.analysis.values import ROOT, Known, Unknown, Value, below, clean, expand, join
from fixer.text.records import dataclass
from fixer.tree.nodes import Flag, Run

TYPES = frozenset(("bind", "cache", "tmpfs", "secret", "ssh"))
_ALIASES = {"src": "source", "dst": "target", "destination": "target", "readonly": "ro", "readwrite": "rw"}
_KEYS = frozenset(
    ("type", "from", "source", "target", "ro", "rw", "required", "size", "id", "sharing", "mode", "uid", "gid", "env")
)
_TRUE = frozenset(("1", "t", "T", "TRUE", "true", "True"))
_FALSE = frozenset(("0", "f", "F", "FALSE", "false", "False"))

CacheKey = tuple[str, int | None, int | None, int | None, str, str]


@dataclass(frozen=True, slots=True)
class Mount:
    """One `--mount` of a RUN.

    flag: its node.
    type: "bind", "cache", "tmpfs", "secret" or "ssh".
    target: absolute and clean; Unknown if that cannot be told; a secret that is only a variable has none (None).
    target_text: the target as BuildKit has it before WORKDIR: variables put in, not cleaned; "" if not given.
    id: as given, variables put in; None if not given.
    cache_key: for a cache, what decides whether two mounts are the same directory: id, uid, gid, mode, from, source
        (solver/llbsolver/mounts/mount.go); None if a part is unknown, and for other types.
    sharing: "shared", "private" or "locked"; "" for other types.
    from_: the text of `from=`, or None. stage: the stage or image that it means.
    source: the path in `from`, or in the context; absolute and clean.
    uid, gid, mode: numbers, or None if not given.
    read_only: whether writes fail.
    required: for secret and ssh.
    env: the variable that a secret is put into, or None.
    options: every key as written (lower case, aliases resolved) with its text before expansion; None for a bare word.
    problem: why BuildKit would refuse it, or why it is not understood; None if all is well.
    """

    flag: Flag
    type: str
    target: Value | None
    target_text: str
    id: Value | None
    cache_key: CacheKey | None
    sharing: str
    from_: str | None
    stage: Stage | BaseImage | Unknown | None
    source: Value
    uid: int | None
    gid: int | None
    mode: int | None
    read_only: bool
    required: bool
    env: str | None
    options: tuple[tuple[str, str | None], ...]
    problem: str | None

    def covers(self, path: str) -> bool | None:
        """Whether `path` (absolute, clean) is the target or lies below it; None if the target is unknown."""
        if self.target is None:
            return False
        if isinstance(self.target, Unknown):
            return None
        return below(path, self.target.value)

    def inside(self, path: str) -> bool | None:
        """Whether the target lies at or below `path`; None if the target is unknown."""
        if self.target is None:
            return False
        if isinstance(self.target, Unknown):
            return None
        return below(self.target.value, path)


def read_mounts(
    run: Run, state: State, escape: str, resolve: Callable[[str], Stage | BaseImage | Unknown]
) -> tuple[Mount, ...]:
    """The mounts of `run`, in the order of the text. `resolve` says what a `from=` means."""
    return tuple(
        _mount(flag, flag.value or "", state, escape, resolve) for flag in run.flags if flag.name == "mount"
    )


def hiding_mount(mounts: tuple[Mount, ...], path: str) -> Mount | None:
    """The mount through which `path` is seen: the deepest one that covers it, the last one of equals; None if no
    mount with a known target does."""
    best: Mount | None = None
    for mount in mounts:
        if not isinstance(mount.target, Known) or not below(path, mount.target.value):
            continue
        if best is None or len(mount.target.value) >= len(str(best.target)):
            best = mount
    return best


def _mount(
    flag: Flag, value: str, state: State, escape: str, resolve: Callable[[str], Stage | BaseImage | Unknown]
) -> Mount:
    problems: list[str] = []
    given: dict[str, Value] = {}
    options: list[tuple[str, str | None]] = []
    read_only: bool | None = None
    for text in _fields(value, problems):
        key, equals, raw = text.partition("=")
        key = _ALIASES.get(key.lower(), key.lower())
        options.append((key, raw if equals else None))
        if key not in _KEYS:
            problems.append(f"{key!r} is not a key of --mount")
            continue
        if not equals:
            if key in ("ro", "rw"):
                read_only = key == "ro"
            elif key == "required":
                given[key] = Known("true")
            else:
                problems.append(f"{key!r} lacks a value")
            continue
        field = Known(raw) if key == "from" else expand(raw, state.lookup, escape)
        if key in ("ro", "rw"):
            truth = _boolean(field)
            if truth is None:
                problems.append(f"{key} is not a truth value")
            else:
                read_only = truth if key == "ro" else not truth
            continue
        given[key] = field
    return _build(flag, given, tuple(options), read_only, problems, state, resolve)


def _fields(value: str, problems: list[str]) -> list[str]:
    if '"' not in value:
        return value.split(",")
    try:
        return next(csv.reader([value], strict=True))
    except (csv.Error, StopIteration):
        problems.append("its value is not CSV")
        return []


def _boolean(value: Value) -> bool | None:
    if isinstance(value, Known) and value.value in _TRUE:
        return True
    return False if isinstance(value, Known) and value.value in _FALSE else None


def _number(given: dict[str, Value], key: str, base: int, problems: list[str]) -> int | None:
    value = given.get(key)
    if value is None:
        return None
    if isinstance(value, Known) and value.value.isascii() and value.value.isdigit():
        try:
            return int(value.value, base)
        except ValueError:
            pass
    problems.append(f"{key} is not a number")
    return None


def _text(given: dict[str, Value], key: str, problems: list[str]) -> str:
    value = given.get(key)
    if isinstance(value, Unknown):
        problems.append(f"{key} is not known: {value.why}")
        return ""
    return value.value if value is not None else ""


def _build(
    flag: Flag, given: dict[str, Value], options: tuple[tuple[str, str | None], ...], read_only: bool | None,
    problems: list[str], state: State, resolve: Callable[[str], Stage | BaseImage | Unknown],
) -> Mount:  # fmt: skip
    type_ = _text(given, "type", problems).lower() if "type" in given else "bind"
    if type_ not in TYPES:
        problems.append(f"{type_!r} is not a type of mount")
    from_ = _text(given, "from", problems) or None
    uid, gid = _number(given, "uid", 10, problems), _number(given, "gid", 10, problems)
    mode = _number(given, "mode", 8, problems)
    sharing = _text(given, "sharing", problems).lower()
    if sharing and (type_ != "cache" or sharing not in ("shared", "private", "locked")):
        problems.append(f"sharing={sharing} is not possible for a {type_} mount")
    raw_target = given.get("target", Known(""))
    target = _target(type_, raw_target, given, state, problems)
    target_text = raw_target.value if isinstance(raw_target, Known) else ""
    source = given.get("source", Known(""))
    source = join(ROOT, source)
    ident = given.get("id")
    env = given.get("env")
    problem = problems[0] if problems else None
    return Mount(
        flag=flag, type=type_, target=target, target_text=target_text, id=ident,
        cache_key=_cache_key(type_, raw_target, ident, uid, gid, mode, from_, source, problem),
        sharing=(sharing or "shared") if type_ == "cache" else "", from_=from_,
        stage=resolve(from_) if from_ is not None else None, source=source, uid=uid, gid=gid, mode=mode,
        read_only=type_ not in ("cache", "tmpfs") if read_only is None else read_only,
        required=_boolean(given["required"]) is True if "required" in given else False,
        env=env.value if isinstance(env, Known) else None, options=options, problem=problem,
    )  # fmt: skip


def _target(type_: str, raw: Value, given: dict[str, Value], state: State, problems: list[str]) -> Value | None:
    if isinstance(raw, Unknown):
        problems.append(f"its target is not known: {raw.why}")
        return raw
    if raw.value:
        target = join(state.workdir, raw)
        if isinstance(target, Known) and target.value == "/":
            problems.append("its target is /")
        return target
    if type_ == "ssh":
        return Unknown("an agent socket below /run/buildkit")
    if type_ == "secret":
        # convert_secrets.go: only in a variable, or at /run/secrets/<id>; the id is the source's last part without one.
        if "env" in given:
            return None
        name = given.get("id", given.get("source", Known("")))
        if isinstance(name, Unknown):
            return name
        return Known("/run/secrets/" + name.value.rpartition("/")[2])
    problems.append("it has no target")
    return Unknown("it has no target")


def _cache_key(
    type_: str, target: Value, ident: Value | None, uid: int | None, gid: int | None, mode: int | None,
    from_: str | None, source: Value, problem: str | None,
) -> CacheKey | None:  # fmt: skip
    if type_ != "cache" or problem is not None or isinstance(source, Unknown):
        return None
    if isinstance(ident, Unknown) or isinstance(target, Unknown):
        return None
    # An explicit id is not cleaned; the default is the target's text, not what WORKDIR makes of it.
    name = ident.value if ident is not None and ident.value else clean(target.value)
    if from_ is None and source.value == "/" and (uid, gid, mode) != (None, None, None):
        uid, gid, mode = uid or 0, gid or 0, 0o755 if mode is None else mode
    return (name, uid, gid, mode, from_ or "", source.value)
