"""Who needs a path of the build context: the checks of dockerignore, which all raise `Stop`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from posixpath import basename, dirname

from fixer.analysis import Call, Known, Reader, Stage, below, clean
from fixer.analysis.context import BuildContext, ContextSource, named_sources
from fixer.analysis.documents import Neighbour
from fixer.analysis.leftovers import words_of
from fixer.analysis.programs import only_files
from fixer.analysis.scripts import calls_in
from fixer.analysis.tools.cargo import Written, cargo_of
from fixer.codemods.common import Stop, is_forced
from fixer.codemods.dockerignore_users import Brought, Files, Making, User, has_file, joined, package_json, place_of
from fixer.text.source import Span
from fixer.tree.nodes import Cmd, Copy, Entrypoint, Healthcheck, Run
from fixer.tree.shell import OpaqueScript

NOWHERE = Span(0, 0)
"""What stops us stands in another file."""


def stop(reason: str, because: str) -> Stop:
    return Stop(reason, NOWHERE, because)


# --- what names the path -------------------------------------------------------------------------------------------


def nobody_names(user: User, path: str) -> None:
    """Raises Stop if a COPY, an ADD or a mount of the Dockerfile takes the path, or something in it, by its name."""
    for source in user.sources:
        where, text = user.at(source.span.start), _text(user, source)
        if not isinstance(source.path, Known) or (source.path.args and not _named(source.path.value, path)):
            if _may_begin(text, path):
                because = f"{where} takes {text}, which may be, or lie in, {path}: the file alone does not say"
                raise stop("unknown-source", because)
        elif source.pattern:
            if _matches(source.path.value, path):
                raise stop("needed", f"{where} takes {text} from the context, which {path} is or belongs to")
        elif below(f"/{source.path.value}", f"/{path}"):
            raise stop("needed", f"{where} takes {text} from the context, by its name")


def no_other_context(dockerfiles: Iterable[Neighbour], path: str) -> None:
    """Raises Stop if a Dockerfile may take the path from a context that its build has by another name
    (`--build-context NAME=DIR`, `additional_contexts`) and that may be this one: which directory that is is not
    followed. A name that no file gives to a context counts where it looks like none of an image."""
    for neighbour in dockerfiles:
        facts = neighbour.facts
        for name, source in named_sources(facts) if facts is not None else ():
            given = facts.replaced_by(name) if facts is not None else ""
            if not given and not _PLAIN.fullmatch(name):
                continue
            taken = source.path.value if isinstance(source.path, Known) else None
            if taken is None or _named(taken, path) or (given and below(f"/{path}", f"/{taken}")):
                by = f"which {given} says" if given else "which it seems to be"
                because = f"{neighbour.at(source.span.start)} may take it from the context {name}, {by}"
                raise stop("needed", because)


_PLAIN = re.compile(r"[A-Za-z][\w-]*")


def _named(source: str, path: str) -> bool:
    """Whether a source is the path, or in it, as things are written; a build argument could change that."""
    return below(f"/{source}", f"/{path}") or _matches(source, path)


def _text(user: User, source: ContextSource) -> str:
    return user.facts.file.text[slice(*source.span)]


def _may_begin(text: str, path: str) -> bool:
    """Whether a word with a variable in it may lead to the path, or into it."""
    start = re.split(r"[$\\\"'`]", text.strip("\"'"), maxsplit=1)[0].removeprefix("./").lstrip("/")
    return f"{path}/".startswith(start) or start.startswith(f"{path}/")


def _matches(pattern: str, path: str) -> bool:
    """Whether a pattern takes the path, or something in it, by name (and not a directory above it, as a whole)."""
    parts, wanted = pattern.split("/"), path.split("/")
    pairs = zip(parts, wanted, strict=False)
    return len(parts) >= len(wanted) and all(fnmatchcase(name, part) for part, name in pairs)


def nobody_keeps(user: User, path: str, markers: Sequence[str], files: Files) -> None:
    """Raises Stop if what stands at `path` is no leftover, but a part of the sources: Git keeps it, it is a project
    itself (by its markers), or a source of Rust has it put in."""
    context = user.context
    if context.kind(path) != "directory":
        return
    kept = context.kept(path)
    if kept is not None:
        raise stop("kept", f"{kept} is there, and no .gitignore leaves it out: it may be a part of the sources")
    if not basename(path).startswith(".") and markers != ("*",) and has_file(context, path, markers):
        raise stop("kept", "it is a project itself")
    for source in files.paths:
        text = context.text(source) if source.endswith(".rs") else None
        for found in _INCLUDES.finditer(text or ""):
            named = clean(f"/{dirname(source)}/{found[1]}")
            if below(named, f"/{path}"):
                raise stop("kept", f"{source} puts {named[1:]} into the program")


_INCLUDES = re.compile(r"\binclude(?:_bytes|_str)?!\s*[(\[{]\s*\"([^\"\n]*)\"")


# --- what is made in the image --------------------------------------------------------------------------------------


def somebody_makes(user: User, brought: Brought, path: str) -> None:
    """Raises Stop if what stands at `path` of the context is used in an image without being made there."""
    place = brought.place(path)
    if place is None:
        because = f"{user.at(brought.instruction.span.start)} takes it along, and where to is not certain"
        raise stop("unknown-destination", because)
    start = place_of(user.facts, brought.stage, brought.instruction, None)
    for stage in family_of(brought.stage):
        if not stage.goal or isinstance(brought.instruction, Run):
            continue
        gone = any(at > start and not call.conditional for at, call in _removals(user, stage, place))
        if not gone and not makers(user, stage, place):
            who = user.at(brought.instruction.span.start)
            raise stop("payload", f"{who} puts it into the image of {stage.label}, and nothing there surely makes it")
    if isinstance(brought.instruction, Run):
        _in_mount(user, brought, brought.instruction, place)
        return
    for reader in user.facts.readers(brought.stage, place, brought.instruction):
        _check_reader(user, reader, place)
    _check_removals(user, brought, place)


def makers(
    user: User, stage: Stage, place: str, inner: str = "", until: tuple[int, int, int] | None = None
) -> list[Making]:
    """The calls that make `place`, and what is in it at `inner`, in the layers of the stage or of those below it, and
    after which nothing removes it (before `until`); of those that a COPY brings from another stage, the ones that made
    it there."""
    removals = [at for at, _ in _removals(user, stage, place) if until is None or at < until]
    found = [each for each in user.makings if each.stage in stage.lineage and user.leaves(each, place, inner)]
    for each in stage.lineage:
        for instruction in each.instructions:
            source = user.facts.copied_from(instruction) if isinstance(instruction, Copy) else None
            if not isinstance(instruction, Copy) or not isinstance(source, Stage):
                continue
            for origin in _origins(user, instruction, place):
                at = place_of(user.facts, each, instruction, None)
                found += [Making(each, instruction, m.made, at) for m in makers(user, source, origin, inner)]
    return [each for each in found if not any(at > each.place for at in removals)]


def _removals(user: User, stage: Stage, place: str) -> Iterator[tuple[tuple[int, int, int], Call]]:
    """The calls that may remove `place` as a whole from the stage, and where they stand."""
    for each, instruction, call in user.calls:
        if each not in stage.lineage or call.program not in ("rm", "rmdir", "mv", "find", "git", "shred"):
            continue
        if any(mount.covers(place) for mount in user.facts.mounts(instruction)):
            continue
        for effect in user.facts.call_effects(call):
            whole = isinstance(effect.path, Known) and below(place, effect.path.value) and effect.extent != "exact"
            if effect.mode == "remove" and whole and not (call.program == "find" and effect.extent == "unknown"):
                yield place_of(user.facts, each, instruction, call), call
                break


def copied_to(user: User, copy: Copy, place: str) -> str | None:
    """Where a COPY --from puts what is at `place` of its stage; None if that is not known."""
    route = _route(user, copy)
    return clean(f"{route[1]}/{place[len(route[0]) :]}") if route is not None and below(place, route[0]) else None


def _origins(user: User, copy: Copy, place: str) -> Iterator[str]:
    """What of its stage a COPY --from puts at `place`."""
    route = _route(user, copy)
    if route is not None and below(place, route[1]):
        yield clean(f"{route[0]}/{place[len(route[1]) :]}")


def _route(user: User, copy: Copy) -> tuple[str, str] | None:
    """From where to where a COPY of one directory carries its content."""
    written = [effect.path for effect in user.facts.effects(copy) if effect.mode == "write"]
    if copy.form is not None or len(copy.sources) != 1 or not written or not isinstance(written[0], Known):
        return None
    source = user.facts.state(copy).expand(copy.sources[0].value)
    return (clean(f"/{source.value}"), written[0].value) if isinstance(source, Known) else None


def places_of(user: User, stage: Stage, making: Making) -> Iterator[str]:
    """Where in the stage the directory is that a call makes: there, or in a stage from which a COPY brings it."""
    if making.stage in stage.lineage:
        yield making.made.directory
    for each in stage.lineage:
        for copy in each.instructions:
            source = user.facts.copied_from(copy) if isinstance(copy, Copy) else None
            if not isinstance(copy, Copy) or not isinstance(source, Stage) or making.stage not in source.lineage:
                continue
            route = _route(user, copy)
            if route is not None and below(making.made.directory, route[0]):
                yield clean(f"{route[1]}/{making.made.directory[len(route[0]) :]}")


def family_of(stage: Stage) -> list[Stage]:
    """The stage and all that start from it."""
    out = [stage]
    for each in out:
        out.extend(each.derived)
    return out


def _check_reader(user: User, reader: Reader, place: str) -> None:
    if reader.kind == "volume" or _sees_mount(user, reader, place):
        return
    holder = _holder(user, reader)
    path = reader.path
    inner = ""
    if reader.relation == "inside" and isinstance(path, Known) and below(path.value, place):
        inner = path.value[len(place) :]
    at = place_of(user.facts, reader.stage, reader.instruction, reader.call)
    made = makers(user, holder, place, inner, at if reader.kind == "run" else None)
    before = [each for each in made if reader.kind != "run" or each.place <= at]
    where = user.at(reader.span.start)
    if reader.relation in ("same", "inside"):
        if not any(not each.made.elsewhere for each in before):
            raise stop("needed", f"{where} uses {_shown(user, reader)}, which nothing has made there before")
        _check_product(user, reader, [each for each in before if not each.made.elsewhere], place)
    elif not made and not _is_harmless(reader.call):
        who = reader.call.program if reader.call is not None else None
        because = f"{who or 'what runs here'} may read it, and nothing there surely makes it"
        raise stop("unknown-reader", f"{where}: {because}")


def _sees_mount(user: User, reader: Reader, place: str) -> bool:
    """Whether a step sees something else there: what it mounts."""
    if reader.kind != "run":
        return False
    return any(mount.covers(place) for mount in user.facts.mounts(reader.instruction)) or (
        reader.through_mount is not None and reader.relation == "inside"
    )


def _shown(user: User, reader: Reader) -> str:
    return user.facts.file.text[slice(*reader.span)].strip()


def _holder(user: User, reader: Reader) -> Stage:
    """The stage in whose file system somebody reads."""
    source: object = None
    if reader.kind == "copy" and isinstance(reader.instruction, Copy):
        source = user.facts.copied_from(reader.instruction)
    elif reader.kind == "mount":
        mounts = user.facts.mounts(reader.instruction)
        found = [m.stage for m in mounts if m.flag.word.start <= reader.span.start < m.flag.word.span.end]
        found = found or [m.stage for m in mounts if isinstance(m.stage, Stage)]
        source = found[0] if found else None
    return source if isinstance(source, Stage) else reader.stage


def _is_harmless(call: Call | None) -> bool:
    """Whether a call surely reads nothing that a build leaves: cargo where it compiles nothing."""
    cargo = cargo_of(call) if call is not None and call.program == "cargo" else None
    return cargo is not None and cargo.known and not cargo.compiles


def _check_product(user: User, reader: Reader, made: Sequence[Making], place: str) -> None:
    """A file in the directory must be one that a call in the image leaves there."""
    if reader.relation != "inside" or not isinstance(reader.path, Known):
        return
    path = reader.path.value
    rest = path[len(place) :].strip("/")
    if not any(each.made.products is None or each.made.products.match(rest) for each in made):
        where, tool = user.at(reader.span.start), made[0].made.shown
        because = f"{where} uses {_shown(user, reader)}, which `{tool}` does not surely leave there"
        raise stop("not-made-here", because)
    calls = [each.made.cargo for each in made if each.made.cargo is not None]
    if not calls:
        return
    for call in calls:
        written = call.provides(path)
        if written is Written.YES or (written is Written.MAYBE and (call.triples or call.unsure or _sets_target(user))):
            return
    directories = {call.profile_dir.value for call in calls if isinstance(call.profile_dir, Known)}
    parts = path[len(place) :].strip("/").split("/")
    whole = len(parts) == 1 or parts[1] in ("deps", "build", "examples")
    if any(call.unsure is not None for call in calls) or (parts[0] in directories and whole):
        return
    because = f"{user.at(reader.span.start)} uses {_shown(user, reader)}, which cargo does not surely leave there"
    raise stop("not-made-here", because)


def _sets_target(user: User) -> bool:
    """Whether a configuration of cargo in the context chooses the system for which it compiles."""
    names = (".cargo/config.toml", ".cargo/config")
    texts = (user.context.text(joined(brought.source, name)) for brought in user.brought for name in names)
    return any(re.search(r"^[^\S\n]*target\s*=", text, re.MULTILINE) for text in texts if text is not None)


def _check_removals(user: User, brought: Brought, place: str) -> None:
    """`rm` without -f fails where there is nothing to remove."""
    for stage, instruction, call in user.calls:
        if call.program not in ("rm", "rmdir") or is_forced(call) or not call.fatal:
            continue
        if brought.stage not in stage.lineage:
            continue
        at = place_of(user.facts, stage, instruction, call)
        if any(each.place <= at for each in makers(user, stage, place)):
            continue
        for effect in user.facts.call_effects(call):
            if effect.mode == "remove" and isinstance(effect.path, Known) and below(effect.path.value, place):
                where = user.at(effect.span.start)
                raise stop("removed", f"{where} removes it, and without -f that fails where there is nothing")


def _in_mount(user: User, brought: Brought, run: Run, place: str) -> None:
    """A bind mount of the context: the step alone sees what is there."""
    bind = next(m for m in user.facts.mounts(run) if m.flag.word is brought.site)
    others = [m for m in user.facts.mounts(run) if m is not bind]
    if bind.read_only and any(mount.inside(place) is not False for mount in others):
        because = "a mount needs it to be there, for BuildKit can make no directory in a mount that is read-only"
        raise stop("needed", f"{user.at(run.span.start)}: {because}")
    if any(mount.covers(place) for mount in others):
        return
    calls = user.facts.calls(run)
    if isinstance(calls, OpaqueScript):
        raise stop("unknown-reader", f"{user.at(run.span.start)}: this step sees it, and its script is not understood")
    made = [each for each in user.makings if each.instruction is run and user.makes(each, place)]
    if bind.read_only:
        made = [each for each in made if each.made.elsewhere]
    for call in calls:
        for effect in user.facts.call_effects(call):
            if effect.mode != "read" or not isinstance(effect.path, Known):
                continue
            before = [each for each in made if each.made.call.span <= call.span]
            inside = below(effect.path.value, place)
            if inside and not before:
                raise stop("needed", f"{user.at(effect.span.start)} uses what stands there in the context")
            above = below(place, effect.path.value) and effect.extent != "exact"
            if above and not made and not _is_harmless(call):
                raise stop("unknown-reader", f"{user.at(call.span[0])}: {call.program} may read it in the mount")


# --- devDependencies -----------------------------------------------------------------------------------------------


_PRODUCTION = ("--production", "--prod", "--omit=dev", "--only=production", "--only=prod", "-P", "--production=true")


def enough_is_installed(user: User, brought: Brought, path: str) -> None:
    """Raises Stop if a script runs after an installation without the development packages, which a node_modules of the
    context would have brought."""
    place = brought.place(path)
    npmrc = user.context.text(joined(dirname(path), ".npmrc")) or ""
    settings = re.search(r"^[^\S\n]*(?:omit\s*=\s*dev|production\s*=\s*true|only\s*=\s*prod)", npmrc, re.MULTILINE)
    for stage in family_of(brought.stage) if place is not None else ():
        made = makers(user, stage, place or "")
        if not made or not (settings or all(_for_production(each.made.call) for each in made)):
            continue
        if not package_json(user.context, dirname(path)).get("devDependencies"):
            continue
        first = min(each.place for each in made)
        package = package_json(user.context, dirname(path))
        for each, instruction, call in user.calls:
            at = place_of(user.facts, each, instruction, call)
            if each in stage.lineage and at > first and (_runs_script(call) or _needs_more(call, package)):
                because = f"{user.at(call.span[0])} runs a script, and only the packages for production are installed"
                raise stop("dev-dependencies", because)
        for offset, call in _of_image(user, stage) if stage.shipped else ():
            if _needs_more(call, package):
                where = user.at(offset)
                because = f"{where} needs more, it seems, than the packages for production, which alone are installed"
                raise stop("dev-dependencies", because)


def _of_image(user: User, stage: Stage) -> Iterator[tuple[int, Call]]:
    """What the image runs, as far as it is understood, and where that is written."""
    for each in stage.lineage:
        for instruction in each.instructions:
            if isinstance(instruction, Cmd | Entrypoint | Healthcheck):
                calls = user.facts.image_calls(instruction, stage)
                for call in () if isinstance(calls, OpaqueScript) else calls:
                    yield instruction.span.start, call


def _needs_more(call: Call, package: Mapping[str, object], deep: int = 0) -> bool:
    """Whether a call runs, or names, a package for development, or a program that may be of one; with the scripts of
    the package.json that it runs."""
    groups = (package.get("dependencies"), package.get("devDependencies"))
    normal, development = (frozenset(group) if isinstance(group, dict) else frozenset() for group in groups)
    words = [word.value for word in call.words if isinstance(word, Known)]
    parts = {part for word in words[1:] for part in (word, word.partition("=")[2], *_heads(word))}
    if parts & (development - normal):
        return True
    first = words[0] if words else ""
    if "node_modules/.bin/" in first:
        return call.program not in normal
    operands = [word for word in words[1:] if not word.startswith("-")]
    if call.program == "npx":
        return not operands or operands[0] not in normal
    if call.program not in ("npm", "yarn", "pnpm", "bun") or not operands:
        return False
    run = operands[0] in ("run", "run-script")
    if operands[0] in ("exec", "x", "dlx"):
        return len(operands) < 2 or operands[1] not in normal
    name = operands[1] if run and len(operands) > 1 else operands[0]
    scripts = package.get("scripts")
    script = scripts.get(name) if isinstance(scripts, dict) else None
    if not isinstance(script, str):
        return False
    calls = calls_in(script)
    if calls is None or deep > 3:
        return True
    return any(_needs_more(each, package, deep + 1) or not _is_there(each, normal) for each in calls)


def _heads(word: str) -> Iterator[str]:
    """`ts-node/register` begins with a package, `@scope/name/x` with two parts of one."""
    parts = word.split("/")
    yield parts[0]
    yield "/".join(parts[:2])


def _is_there(call: Call, packages: frozenset[str]) -> bool:
    """Whether the program of a script is there with these packages alone."""
    name = call.program
    return name is not None and (
        name in packages or name in _WITH_NODE or "/" in str(call.argument(0)) or only_files(name)
    )


_WITH_NODE = frozenset(("node", "npm", "npx", "yarn", "pnpm", "bun", "sh", "bash", "python", "python3"))


def _for_production(call: Call) -> bool:
    words = words_of(call)
    if any(word in _PRODUCTION for word in words) or ("--omit" in words and "dev" in words):
        return True
    if any(word in ("--include=dev", "--production=false", "--dev") for word in words):
        return False
    values = [call.lookup(name) for name in ("NODE_ENV", "npm_config_production", "NPM_CONFIG_PRODUCTION")]
    return any(isinstance(value, Known) and value.value in ("production", "true") for value in values)


def _runs_script(call: Call) -> bool:
    words = [word for word in words_of(call) if not word.startswith("-")]
    if call.program == "npx":
        return True
    if call.program not in ("npm", "yarn", "pnpm", "bun") or not words:
        return False
    if words[0] in ("run", "run-script", "test", "exec"):
        return True
    return call.program != "npm" and words[0] not in ("install", "i", "add", "config", "cache", "prune", "set")


# --- what needs no tool --------------------------------------------------------------------------------------------


def nobody_uses(user: User, brought: Brought, path: str) -> None:
    """Raises Stop if something in the image names the path, where nothing makes it."""
    place = brought.place(path)
    if place is None:
        return
    for reader in user.facts.readers(brought.stage, place, brought.instruction):
        if reader.relation in ("same", "inside") and reader.kind != "volume":
            _check_reader(user, reader, place)
    _check_removals(user, brought, place)


def names_nowhere(user: User, name: str) -> None:
    """Raises Stop if an instruction of the Dockerfile has the name of the directory in it: an environment that is named
    is used, wherever it is."""
    word = re.compile(rf"(?<![\w.-]){re.escape(name)}(?![\w.-])")
    for instruction in user.facts.file.instructions:
        start, end = instruction.span
        found = word.search(user.facts.file.text, start, end)
        if found is not None:
            because = f"{user.at(found.start())} names {name}, which nothing in the file makes"
            raise stop("needed", because)


_LARGEST = 1 << 20


_PROSE = (".md", ".rst", ".adoc", ".lock", ".ipynb", ".svg", "ignore")
_CONFIGURATION = (".ini", ".conf", ".cfg", ".yml", ".yaml", ".env")
_NOT_HERE = frozenset((".github", ".gitlab", ".circleci", ".vscode", ".idea", ".devcontainer"))
"""Directories whose files are for other places."""


def no_file_uses(context: BuildContext, files: Files, name: str) -> None:
    """Raises Stop if a file of the context enters, or names, the Python environment of that name."""
    word = re.escape(name)
    inside = re.compile(rf"(?<![\w.-]){word}/(?:bin|Scripts|lib|include)\b")
    key = r"(?:virtualenv|venv|home|pyhome|VIRTUAL_ENV)"
    setting = re.compile(rf"^[^\S\n]*{key}\s*[=:]\s*[\"']?(?:\S*/)?{word}/?[\"']?\s*$", re.MULTILINE)
    if not files.all:
        raise stop("needed", f"the context has too many files to see whether one of them uses {name}")
    for path, directory in files.paths.items():
        if directory or path.endswith(_PROSE) or _NOT_HERE.intersection(path.split("/")):
            continue
        text = context.text(path)
        if text is None or len(text) > _LARGEST:
            continue
        if inside.search(text) or (path.endswith(_CONFIGURATION) and setting.search(text)):
            raise stop("needed", f"{path} uses {name}")
