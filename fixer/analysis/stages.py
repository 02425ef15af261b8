"""Stages and their ancestry: what each FROM starts from, and which stage a name or a number means."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from fixer.analysis.bases import BaseImage, split_reference
from fixer.analysis.images import NO_IMAGES, Images
from fixer.analysis.values import Known, Lookup, Unknown, Value, bounded, decimal, expand
from fixer.tree.nodes import Arg, Dockerfile, Flag, From, Instruction, Onbuild, Opaque

PLATFORM_ARGS = frozenset(
    side + what for side in ("BUILD", "TARGET") for what in ("PLATFORM", "OS", "OSVERSION", "ARCH", "VARIANT")
) | {"TARGETSTAGE"}
"""Build arguments that BuildKit sets itself; global: a stage must declare them (dockerfile2llb/platform.go, v0.25)."""


_NOT_RESOLVED = Unknown("not resolved")


class Targets(NamedTuple):
    """What files around a Dockerfile say of its stages; names in lower case, files by their names for people.

    names: those that they name as targets of its builds, each with the file that names it. unknown: the file in which a
    target stands that nobody knows, so that it may be any stage that has a name; None if there is none.
    possible: as `names`, where the file may mean another Dockerfile.
    replaced: the names for which a build brings a context of its own, each with the file.
    commands: what is run in an image in the place of its own command: the target as in `WorkflowBuild`, the file, the
    words.
    """

    names: Mapping[str, str]
    unknown: str | None = None
    possible: Mapping[str, str] = MappingProxyType({})
    replaced: Mapping[str, str] = MappingProxyType({})
    commands: tuple[tuple[str | None, str, tuple[str, ...]], ...] = ()

    def perhaps(self, other: Targets) -> Targets:
        """With what is said of a Dockerfile that may be this one."""
        return Targets(
            self.names,
            other.unknown if self.unknown is None else self.unknown,
            {**other.names, **self.possible},
            {**other.replaced, **self.replaced},
            (*self.commands, *other.commands),
        )


NO_TARGETS = Targets({})


class Stage:
    """One FROM and what follows it.

    index: as in `COPY --from=0`.
    name: in lower case; None without AS.
    image: what stands after FROM, variables put in.
    base: the stage or the image that it starts from; Unknown if that depends on a variable without a value.
    instructions: without FROM; ONBUILD is one instruction (its trigger is `.inner`).
    opaque: instructions in it that are not understood.
    derived: the stages that start from this one.
    triggers: ONBUILD instructions of the base stage, which run first in this one (dockerfile2llb/convert.go, v0.25).
    platform: the value of `--platform`; None without it.
    last: True for the last stage, which is what is built unless a target is named.
    goal: True if people build it: the last stage, one that nothing else in the file uses (which can only be there to
        be built as a target), and one that a file around names as a target.
    shipped: True if its file system is part of a goal's.
    named: who builds what makes it shipped, if that is not to be seen in the file; else empty.
    replaced: the file by which builds have another context in the place of the stage; else empty.
    commands: what is run in its image in the place of the image's own command: the file that says so, and the words.
    """

    __slots__ = (
        "_commands", "_goal", "_named", "_replaced", "_root", "_shipped", "ask", "base", "charge", "derived", "from_",
        "image", "index", "instructions", "last", "name", "opaque", "platform", "triggers",
    )  # fmt: skip

    def __init__(self, index: int, from_: From, name: str | None, image: Value, platform: Value | None) -> None:
        self.index = index
        self.from_ = from_
        self.name = name
        self.image = image
        self.platform = platform
        self.base: Stage | BaseImage | Unknown = _NOT_RESOLVED
        self.instructions: tuple[Instruction, ...] = ()
        self.opaque: tuple[Opaque, ...] = ()
        self.derived: tuple[Stage, ...] = ()
        self.triggers: tuple[Onbuild, ...] = ()
        self.last = False
        self._goal = False
        self._shipped = False
        self._named = ""
        self._replaced = ""
        self._commands: tuple[tuple[str, tuple[str, ...]], ...] = ()
        self.ask: Callable[[], None] | None = None
        """Marks what is named outside of the file, in which somebody has to look; called once for all stages, if at
        all."""
        self._root: BaseImage | Unknown | None = None
        self.charge: Callable[[int], None] | None = None
        """Told how many stages are about to be looked at (`Facts.charge`)."""

    @property
    def lineage(self) -> tuple[Stage, ...]:
        """The stages whose file systems this one is made of: the one that starts from an image first, this one last."""
        out = [self]
        while isinstance(out[-1].base, Stage):
            out.append(out[-1].base)
        if self.charge is not None and len(out) > 1:
            self.charge(len(out) - 1)
        return tuple(reversed(out))

    @property
    def root(self) -> BaseImage | Unknown:
        """The image at the bottom."""
        stage = self
        while isinstance(stage.base, Stage):
            if stage._root is not None:
                return stage._root
            stage = stage.base
        if stage.base is not _NOT_RESOLVED:
            self._root = stage.base
        return stage.base

    @property
    def goal(self) -> bool:
        if not self._goal and self.ask is not None:
            self.ask()
        return self._goal

    @property
    def shipped(self) -> bool:
        if not self._shipped and self.ask is not None:
            self.ask()
        return self._shipped

    @property
    def named(self) -> str:
        return self._named

    @property
    def replaced(self) -> str:
        if self.ask is not None:
            self.ask()
        return self._replaced

    @property
    def commands(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        if self.ask is not None:
            self.ask()
        return self._commands

    def use(self, replaced: str, commands: tuple[tuple[str, tuple[str, ...]], ...]) -> None:
        self._replaced, self._commands = replaced, commands

    def ship(self, named: str = "") -> None:
        """It is a goal: mark it and what it is made of."""
        self._goal = True
        at: Stage | None = self
        while at is not None and not at._shipped:
            at._shipped, at._named = True, named
            at = at.base if isinstance(at.base, Stage) else None

    @property
    def label(self) -> str:
        """For messages: its name, or `stage 0`."""
        return self.name or f"stage {self.index}"

    def __repr__(self) -> str:
        return f"<Stage {self.index} {self.label}>"


def flag_value(flags: Sequence[Flag], name: str) -> str | None:
    """The value of the last flag of that name; None without one."""
    for flag in reversed(flags):
        if flag.name == name:
            return flag.value or ""
    return None


def build_stages(file: Dockerfile, images: Images = NO_IMAGES) -> tuple[tuple[Stage, ...], dict[str, Value]]:
    """The stages of the file, in order, and the build arguments before the first FROM. images: what is said of base
    images."""
    global_args: dict[str, Value] = {}
    stages: list[Stage] = []
    names: dict[str, Stage] = {}
    body: list[Instruction] = []
    opaque: list[Opaque] = []
    derived: dict[int, list[Stage]] = {}
    lookup = _global_lookup(global_args)

    def close() -> None:
        if stages:
            stages[-1].instructions = tuple(body)
            stages[-1].opaque = tuple(opaque)
        body.clear()
        opaque.clear()

    for item in file.items:
        if isinstance(item, Opaque):
            opaque.append(item)
        elif isinstance(item, From):
            close()
            stage = _stage(len(stages), item, lookup, file.escape)
            stage.base = _base(stage, names, lookup, file.escape, images)
            if isinstance(stage.base, Stage):
                derived.setdefault(stage.base.index, []).append(stage)
            stages.append(stage)
            if stage.name:
                names[stage.name] = stage
        elif isinstance(item, Instruction):
            if stages:
                body.append(item)
            elif isinstance(item, Arg):
                _declare_global(item, global_args, lookup, file.escape)
    close()
    for stage in stages:
        stage.derived = tuple(derived.get(stage.index, ()))
        if isinstance(stage.base, Stage):
            stage.triggers = tuple(i for i in stage.base.instructions if isinstance(i, Onbuild))
    if stages:
        stages[-1].last = True
    return tuple(stages), global_args


def _stage(index: int, from_: From, lookup: Lookup, escape: str) -> Stage:
    name = from_.alias.value.lower() if from_.alias is not None else None
    platform = flag_value(from_.flags, "platform")
    return Stage(
        index, from_, name, expand(from_.image.value, lookup, escape),
        None if platform is None else expand(platform, lookup, escape),
    )  # fmt: skip


def _global_lookup(global_args: dict[str, Value]) -> Lookup:
    def lookup(name: str) -> Value | None:
        value = global_args.get(name)
        if value is None and name in PLATFORM_ARGS:
            return Unknown(f"${name} depends on the platform")
        return value

    return lookup


def _declare_global(arg: Arg, global_args: dict[str, Value], lookup: Lookup, escape: str) -> None:
    for pair in arg.pairs:
        name = pair.key.value
        if pair.value is None:
            if name not in PLATFORM_ARGS:
                global_args.setdefault(name, without_default(name))
            continue
        global_args[name] = with_default(name, expand(pair.value.value, lookup, escape))


def without_default(name: str) -> Unknown:
    return Unknown(f"${name} is a build argument without a default", name)


def with_default(name: str, value: Value) -> Value:
    """The value of a build argument that has a default: known, but resting on that."""
    return bounded(value.value, value.args | {name}) if isinstance(value, Known) else value


def _base(
    stage: Stage, names: dict[str, Stage], lookup: Lookup, escape: str, images: Images
) -> Stage | BaseImage | Unknown:
    image = stage.image
    if isinstance(image, Known):
        if not image.value:
            return Unknown("the image's name is empty")
        return names.get(image.value) or images.base(image.value)
    # A tag that nobody knows leaves the repository, and with it most of what the table says.
    guess = expand(stage.from_.image.value, lambda name: _or_mark(lookup(name)), escape)
    if isinstance(guess, Known):
        repository, tag, _ = split_reference(guess.value)
        if repository and "?" not in repository and tag:
            return images.base(guess.value, exact=False)
    return image


def _or_mark(value: Value | None) -> Value | None:
    return Known("?") if isinstance(value, Unknown) else value


def last_of_name(stages: Sequence[Stage]) -> dict[str, Stage]:
    """The stage that each name means in COPY and RUN: the last one that has it."""
    return {stage.name: stage for stage in stages if stage.name}


def resolve_from(
    stages: Sequence[Stage],
    names: dict[str, Stage],
    user: Stage,
    text: str,
    *,
    numbers: bool = True,
    images: Images = NO_IMAGES,
) -> Stage | BaseImage | Unknown:
    """What `COPY --from=text` in the stage `user` means; `names` is `last_of_name(stages)`.

    `numbers=False` for `RUN --mount=from=`, which knows names only (dockerfile2llb/convert.go `toCommand` and
    convert_runmount.go, v0.25).
    """
    if "$" in text:
        return Unknown("a variable in --from, which BuildKit refuses")
    number = decimal(text) if numbers else None
    if number is not None:
        if number >= len(stages):
            return Unknown(f"there is no stage {text}")
        found: Stage | None = stages[number]
    else:
        found = names.get(text.lower())
    if found is None:
        return images.base(text)
    if found.index >= user.index:
        return Unknown(f"{found.label} does not stand before this stage")
    return found
