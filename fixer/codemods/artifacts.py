"""Products of a step that its cache mount hides: how they leave the cache in that same step, and who finds them
where.

Shared by artifact-out-of-cache, where the mount is there, and cargo-target-cache, which brings it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from posixpath import basename, dirname
from typing import Any

from fixer.analysis import BaseImage, Call, Facts, Known, Stage, Unknown, Value, below, clean, related
from fixer.analysis.paths import Reader, Site
from fixer.analysis.programs import ONLY_MODES, only_files
from fixer.analysis.tools.cargo import Cargo, Written, cargo_of
from fixer.codemods.artifact_names import keeps_name
from fixer.text.edits import Edit
from fixer.text.records import dataclass, field
from fixer.text.regex import regex
from fixer.text.source import Span
from fixer.tree.editor import WIDEST_LINE, Layout, append_command, has_comments, layout
from fixer.tree.nodes import Dockerfile, Env, ExecForm, Instruction, JsonString, Run
from fixer.tree.shell import AndOr, OpaqueScript, Script, Simple, Word

REASONS: Mapping[str, str] = {
    "ends-early": "The script leaves before its end (`exit`, `exec`), or acts then (`trap`): nothing comes after that.",
    "failure-not-fatal": "The step goes on, or succeeds, when the build fails; a stale product would be taken out.",
    "fixed-reader": "A reader names the path in a place that cannot be changed by itself, or keeps the name itself.",
    "glob": "A reader takes a pattern; in a cache it matches what earlier builds left, too.",
    "lost-attributes": "The step gives the file attributes (`setcap`, `setfattr`) that a copy would lose.",
    "no-place": "No place is surely free, can be written by the step's user, and stays in the image if it must.",
    "no-shell": "The step is in exec form, and there is no shell that could take a second command.",
    "not-provably-written": "It is not certain that the step writes what is read, each time it runs.",
    "onbuild": "The step is a trigger: it runs in another build, which this file does not show.",
    "opaque-script": "The step's script is not understood.",
    "replaced-stage": "A file of the repository puts another context in the stage's place, which has what it has.",
    "unknown-path": "Which path is meant depends on a variable that is not known, or not the same in both places.",
    "whole-directory": "A reader takes a whole directory of the cache, with all that earlier builds left in it.",
}
"""The codes of `Stop`, with what each means in general."""

_RUN_TIME = frozenset(("cmd", "entrypoint", "healthcheck", "env"))
"""Kinds of readers that read when the image runs."""

_PLAIN = regex(r"[A-Za-z0-9_@%+=:,./-]+\Z")
_VARIABLE = regex(r"\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\})")
_HARMLESS = frozenset(("echo", "printf", "date", "ls", "du", "df", "true", ":", "sccache", "ccache", "pwd", "uname"))
"""Programs that change no product and need none."""


class Stop(Exception):
    """What was planned cannot be done: `reason` is a code, `span` the text that is in the way, `because` a
    sentence."""

    def __init__(self, reason: str, span: Span, because: str) -> None:
        super().__init__(because)
        self.reason = reason
        self.span = span
        self.because = because


@dataclass(slots=True)
class Product:
    """A file or directory that `call`, in `run`, leaves in a cache, and those who want it elsewhere.

    path: absolute; a build argument without a default stands in it as `${NAME}`.
    text: the same as its readers write it, all variables kept; it may be relative.
    verb: `mv`, `cp`, `cp -p` or `cp -a`.
    destination: where it will be found, variables kept in the name; "" as long as nobody has chosen.
    """

    run: Run
    call: Call | None
    path: str
    text: str
    verb: str
    readers: list[Reader] = field(default_factory=list)
    destination: str = ""


# --- who makes what ------------------------------------------------------------------------------------------------


def cargo_calls(facts: Facts, run: Instruction) -> Iterator[tuple[Call, Cargo]]:
    """The calls of cargo in a RUN that is understood."""
    calls = facts.calls(run)
    if isinstance(calls, OpaqueScript):
        return
    for call in calls:
        cargo = cargo_of(call)
        if cargo is not None:
            yield call, cargo


def surest(found: Iterable[tuple[Call, Written]]) -> tuple[Call, Written] | None:
    """The last of the calls that leave a path, a sure one before one that may."""
    best: tuple[Call, Written] | None = None
    for call, written in found:
        if written is not Written.NO and (best is None or _SURE.index(written) >= _SURE.index(best[1])):
            best = (call, written)
    return best


_SURE = (Written.LEFT, Written.MAYBE, Written.YES)


# --- readers -------------------------------------------------------------------------------------------------------


def must_not_stand_in(reader: Reader, directory: str) -> None:
    """Raises Stop if the reader has changed into `directory`, which is not there without the mount."""
    cwd = reader.call.cwd if reader.kind == "run" and reader.call is not None else None
    if isinstance(cwd, Known) and below(cwd.value, directory):
        because = f"it changes into {directory}, which is not there without the mount"
        raise Stop("fixed-reader", reader.span, because)


_DEEP = 40
"""Parts of a path up to which the names of all directories above it are asked about."""


def names_anywhere(facts: Facts, path: str) -> bool:
    """Whether a name of the directory `path` may stand anywhere but in the mounts that take from no stage. A cheap
    question that spares most files the search for readers: who reads below a directory must name it."""
    facts.charge(1 + len(facts.file.text) // 200)
    parent, _, name = path.rpartition("/")
    if name not in facts.file.text:
        return False
    if path.count("/") > _DEEP:
        return True
    file, (_, taken) = facts.file, _mounts(facts.file)
    if not _is_elsewhere(file, name, None):
        return False
    if not parent or taken or any(related(link.target, path) for link in facts.links):
        return True
    if not _is_elsewhere(file, name, ("", basename(parent))):
        return False
    # Its name alone, without what is above it, means it only to somebody who is there.
    return _is_elsewhere(file, name, (basename(parent),)) or _is_entered(facts, parent)


@lru_cache(maxsize=32)
def _is_elsewhere(file: Dockerfile[Any], name: str, parents: tuple[str, ...] | None) -> bool:
    """Whether the name stands in the text more often than in the mounts, behind one of the parents."""
    word, (mounts, _) = _alone(name), _mounts(file)
    return _count(word, file.text, parents) > sum(_count(word, each, parents) for each in mounts)


@lru_cache(maxsize=8)
def _mounts(file: Dockerfile[Any]) -> tuple[list[str], bool]:
    """The mounts that take from no stage. And whether there are others, through which a directory may be seen
    elsewhere, so that it has another parent there."""
    mounts = [flag.word.text for i in file.instructions for flag in i.flags if flag.name == "mount"]
    own = [text for text in mounts if "from=" not in text]
    return own, any("from=" in text.lower() for text in mounts)


def _is_entered(facts: Facts, path: str) -> bool:
    """Whether somebody may have the directory `path` as the current one: the file names it, or nobody has to name it,
    because it is a home or what the base image brings."""
    if path in ("", "/", "/root") or dirname(path) == "/home":
        return True
    facts.charge(len(facts.stages))
    for root in {id(stage.root): stage.root for stage in facts.stages}.values():
        if isinstance(root, BaseImage):
            values = (root.workdir, *root.env.values(), *[account.home for account in root.accounts.values()])
            if any(isinstance(value, Known) and value.value == path for value in values):
                return True
    return names_anywhere(facts, path)


def _count(word: re.Pattern[str], text: str, parents: Sequence[str] | None) -> int:
    return sum(parents is None or _may_be_in(text, match.start(), parents) for match in word.finditer(text))


def _may_be_in(text: str, at: int, parents: Sequence[str]) -> bool:
    """False if what begins at `at` stands behind the plain and whole name of another directory than one of `parents`,
    or behind none if "" is not one of them."""
    end = at - 1
    if text[end:at] != "/":
        return "" in parents
    start = end
    while start > 0 and (text[start - 1].isalnum() or text[start - 1] in "_-"):
        start -= 1
    return text[start:end] in ("", *parents) or text[start - 1 : start] not in ("/", " ", "\t")


@lru_cache(maxsize=64)
def _alone(name: str) -> re.Pattern[str]:
    """`name` as a whole part of a path. It begins with fixed characters, which a search jumps to."""
    fixed = re.escape(name)
    return re.compile(rf"{fixed}(?<![\w.-]{fixed})(?![\w.-])")


def wants_content(reader: Reader) -> bool:
    """It reads something there; WORKDIR and VOLUME only make a directory, and most variables only say where one
    is."""
    if isinstance(reader.instruction, Env):
        keys = [pair.key.value for pair in reader.instruction.pairs if pair.value and pair.value.span == reader.span]
        return any(key in _SEARCH_PATHS for key in keys)
    return reader.kind not in ("workdir", "volume")


_SEARCH_PATHS = frozenset(("PATH", "LD_LIBRARY_PATH", "PYTHONPATH", "CLASSPATH", "NODE_PATH"))


# --- how readers write a path --------------------------------------------------------------------------------------


def located(facts: Facts, reader: Reader, run: Run) -> tuple[str, str]:
    """The path of a reader, and how the shell of `run` may write it: absolute, with its variables.

    A build argument that has no default, but is the same one in both places, stays in the path as `${NAME}`. Raises
    Stop if the path is a pattern, is not known, or rests on a variable that is something else in the two places.
    """
    if isinstance(reader.path, Known) and not reader.path.args:
        return reader.path.value, reader.path.value
    why = reader.path.why if isinstance(reader.path, Unknown) else "a build argument decides it"
    if is_pattern(reader.path):
        raise Stop("glob", reader.span, "a pattern takes what earlier builds left in the cache, too")
    raw = facts.file.text[reader.span.start : reader.span.end].strip("\"'")
    path = text = raw
    if not raw.startswith(("/", "$")):
        cwd = reader.call.cwd if reader.call is not None else Known("/")
        if isinstance(cwd, Unknown):
            raise Stop("unknown-path", reader.span, f"which path this is cannot be told: {cwd.why}")
        path = text = f"{cwd.value.rstrip('/')}/{raw}"
    if not _PLAIN.match(_VARIABLE.sub("", text)):
        raise Stop("unknown-path", reader.span, f"which path this is cannot be told: {why}")
    there, here = facts.state(reader.instruction), facts.state(run)
    for found in _VARIABLE.finditer(text):
        name = found[1] or found[2]
        ours, theirs = here.lookup(name), there.lookup(name)
        if isinstance(ours, Known) and isinstance(theirs, Known) and ours == theirs and ours.args == theirs.args:
            path = path.replace(found[0], ours.value, 1)
        elif isinstance(ours, Unknown) and isinstance(theirs, Unknown) and ours.arg and ours.arg == theirs.arg == name:
            path = path.replace(found[0], f"${{{name}}}", 1)
        else:
            raise Stop("unknown-path", reader.span, f"${name} may mean something else in the step that builds it")
    return clean(path), text


def is_pattern(path: Value) -> bool:
    """Whether the path is not known because it is a pattern, which may match several."""
    return isinstance(path, Unknown) and ("pattern" in path.why or "braces" in path.why)


def same_text(product: Product, reader: Reader, text: str) -> None:
    """Raises Stop if the reader means the product's path only as long as nobody gives a `--build-arg`."""
    if product.text != text:
        because = "it is the same path as another reader's only with the default build arguments"
        raise Stop("unknown-path", reader.span, because)


def sources_of(product: Product, cwd: str | None) -> str:
    """The product's path as a command of its RUN writes it, seen from `cwd` (None: not known)."""
    text = product.text
    if cwd is not None and cwd != "/" and text.startswith(cwd + "/"):
        text = text[len(cwd) + 1 :]
    return quoted(text)


def quoted(text: str) -> str:
    """`text` as one word of a shell, its variables left to be expanded."""
    if _PLAIN.match(_VARIABLE.sub("", text) or "x"):
        return text
    import shlex

    return shlex.quote(text)


# --- where it goes -------------------------------------------------------------------------------------------------


def place(facts: Facts, stage: Stage, product: Product, products: Sequence[Product]) -> None:
    """Choose the destination of one of the products of a stage. Raises Stop if there is none.

    It keeps its name, because a COPY into a directory gives the copy the name of its source.
    """
    for reader in product.readers:
        _is_read_there(facts, stage, reader)
        if has_comments(facts.file, _site(reader)[1]):
            raise Stop("fixed-reader", reader.span, "a comment stands in the middle of the path")
    if all(_may_be_written(reader) for reader in product.readers):
        because = "whether the program reads this file or makes it is not certain, nor that it is there after the build"
        raise Stop("not-provably-written", product.readers[0].span, because)
    _must_stay(facts, product)
    _must_be_last(facts, product.run)
    _must_not_be_chosen(facts, stage, product)
    name = basename(product.path)
    rivals = {other.path for other in products if basename(other.path) == name} | {product.path}
    taken = {other.destination for other in products if other.path != product.path}
    for directory in _directories(facts, product, rivals):
        destination = f"{directory}/{basename(product.text)}"
        if destination not in taken and _free(facts, stage, product, f"{directory}/{name}"):
            product.destination = destination
            return
    because = f"no place for {name} is surely free, can be written by this user, and stays there"
    raise Stop("no-place", product.readers[0].span, because)


def _is_read_there(facts: Facts, stage: Stage, reader: Reader) -> None:
    """Raises Stop if a build may have another context in the place of the stage from which the reader takes the
    product."""
    if reader.kind not in ("copy", "mount") or reader.stage is stage:
        return
    stages = [stage]
    for each in stages:
        facts.charge(1)
        stages.extend(each.derived)
        if each.replaced:
            because = f"{each.replaced} puts another context in the place of {each.label}, which has only what it has"
            raise Stop("replaced-stage", reader.span, because)


def _may_be_written(reader: Reader) -> bool:
    """The word behind an option of a program that nobody knows: `--log FILE`."""
    call = reader.call
    if call is None or call.program is None or only_files(call.program):
        return False
    at = next((index for index, node in enumerate(call.nodes) if node is reader.site), 0)
    before = call.words[at - 1] if at > 1 else None
    return isinstance(before, Known) and before.value.startswith("-") and before.value.strip("-") != ""


def _must_stay(facts: Facts, product: Product) -> None:
    """Raises Stop if the step itself takes the product away after it was made."""
    if product.call is None:
        return
    because = "the step takes it away again, so that it is not there"
    for effect in facts.effects(product.run):
        call = effect.call
        if call is None or call.span[0] <= product.call.span[0]:
            continue
        if effect.mode != "remove" and not (call.program == "mv" and effect.mode == "read"):
            continue
        known = isinstance(effect.path, Known) and below(product.path, effect.path.value)
        if known or (isinstance(effect.path, Unknown) and effect.start and product.path.startswith(effect.start)):
            raise Stop("not-provably-written", effect.span, because)
    for call, cargo in cargo_calls(facts, product.run):
        cleans = cargo.subcommand == "clean" and cargo.target_dir_of(product.path) is not None
        if cleans and call.span[0] > product.call.span[0]:
            raise Stop("not-provably-written", Span(*call.span), because)


def _must_be_last(facts: Facts, run: Run) -> None:
    """Raises Stop if the script has told its shell to do something when it ends, which is after all that is
    appended. (`trap`, POSIX.1-2024 XCU 2.15; ERR and RETURN are bash's.)"""
    calls = facts.calls(run)
    facts.charge(1 if isinstance(calls, OpaqueScript) else 1 + len(calls) // 20)
    for call in () if isinstance(calls, OpaqueScript) else calls:
        if call.program != "trap":
            continue
        words = [word.value if isinstance(word, Known) else None for word in call.words[1:]]
        action, *conditions = words[1:] if words[:1] == ["--"] else words or [""]
        if conditions and action not in ("", "-") and not set(conditions) <= _SIGNALS and not _is_harmless(action):
            because = "what this does when the script ends comes after all that could be appended, and may undo it"
            raise Stop("ends-early", Span(*call.span), because)


_SIGNALS = frozenset(
    sign + name for sign in ("", "SIG") for name in ("HUP", "INT", "QUIT", "TERM", "PIPE", "USR1", "USR2", "ALRM")
)  # fmt: skip


def _is_harmless(script: str | None) -> bool:
    """Whether a script for `trap` only says something, or ends what runs."""
    from fixer.analysis.docker_scripts import all_commands

    if script is None:
        return False
    programs = [command.words[0] for command in all_commands(script, None) if command.words]
    return bool(programs) and all(program in _HARMLESS | {"kill", "exit", "wait"} for program in programs)


def _sets_variables(facts: Facts) -> bool:
    return facts.mentions("ENV") or facts.mentions("env")


def _must_not_be_chosen(facts: Facts, stage: Stage, product: Product) -> None:
    """Raises Stop if a variable of the image names the product, or names it to a reader when the image runs."""
    for reader in facts.readers(stage, product.path, None) if _sets_variables(facts) else ():
        if reader.kind == "env" and reader.path == Known(product.path):
            because = "it names this file for all who read the variable, and would lead nowhere"
            raise Stop("fixed-reader", reader.span, because)
    for reader in product.readers:
        text = facts.file.text[reader.span.start : reader.span.end]
        if reader.kind in _RUN_TIME and "$" in text and "$" not in product.text:
            because = "the path is made of a variable, which whoever runs the image may set"
            raise Stop("fixed-reader", reader.span, because)


def _directories(facts: Facts, product: Product, rivals: set[str]) -> Iterator[str]:
    """Where it may go, the best first; `rivals` are all products of its name."""
    root = facts.state(product.run).user.root
    single = len(rivals) == 1
    if any(_at_run_time(reader) for reader in product.readers):
        # Things are mounted over /tmp when an image runs; /usr/local/bin is meant for programs.
        if root and single and product.verb != "cp -a":
            yield "/usr/local/bin"
        return
    if single:
        yield "/tmp"
    # Two profiles differ in the last directory, two targets (`x86_64-unknown-linux-musl/release`) further up.
    for up in (dirname, _grandparent):
        own = basename(up(product.path))
        if own and sum(basename(up(path)) == own for path in rivals) == 1:
            yield f"/tmp/{own}"
    if root and single:
        yield "/out"


def _grandparent(path: str) -> str:
    return dirname(dirname(path))


def _at_run_time(reader: Reader) -> bool:
    if reader.kind in _RUN_TIME:
        return True
    return reader.kind == "symlink" or (reader.call is not None and reader.call.program == "ln")


def _free(facts: Facts, stage: Stage, product: Product, path: str) -> bool:
    """Nobody reads, writes or removes `path`, and no mount of the step, or of one that is to read it, hides it."""
    runs = [product.run, *(r.instruction for r in product.readers if isinstance(r.instruction, Run))]
    for run in runs:
        for mount in facts.mounts(run):
            # A target that is not known is not taken for /tmp.
            if isinstance(mount.target, Known) and related(mount.target.value, path):
                return False
    if any(r.relation in ("same", "inside") or r.kind == "copy" for r in facts.readers(stage, path, None)):
        return False
    users = {id(r.stage): r.stage for r in product.readers if r.stage is stage or stage in r.stage.lineage}
    return all(_left_alone(facts, each, product.run, path) for each in (stage, *users.values()))


def _left_alone(facts: Facts, stage: Stage, run: Run, path: str) -> bool:
    order = {id(instruction): n for n, instruction in enumerate(facts.file.instructions)}
    for writer in facts.writers(stage, path, None):
        if writer.kind == "base" or writer.through_mount is not None:
            continue
        if writer.mode == "remove":
            if order[id(writer.instruction)] > order[id(run)]:
                return False
        elif writer.relation in ("same", "inside"):
            return False
        elif writer.kind == "copy" and writer.path != Known("/"):
            # A tree from the context, into /tmp itself, may hold a directory of that name.
            return False
    return True


def moved_to(facts: Facts, products: Iterable[Product]) -> Iterator[tuple[Stage, str]]:
    """The places of products that have been given one, each with its stage; but not one that a variable decides."""
    for product in products:
        stage = facts.stage_of(product.run)
        path = f"{dirname(product.destination)}/{basename(product.path)}"
        if stage is not None and product.destination and "$" not in path:
            yield stage, path


def kept(facts: Facts, stage: Stage, run: Run, verb: str) -> str:
    """The verb with which a file keeps what the step has given it: an owner, modes and attributes. Raises Stop if it
    would lose these: only GNU's `mv` and `cp -a` keep them."""
    calls = facts.calls(run)
    facts.charge(1 if isinstance(calls, OpaqueScript) else 1 + len(calls) // 20)
    for call in () if isinstance(calls, OpaqueScript) else calls:
        if call.program in ("setcap", "setfattr"):
            if not isinstance(stage.root, BaseImage) or stage.root.family not in _GNU:
                because = f"what {call.program} gives to a file gets lost when it is copied out of the cache"
                raise Stop("lost-attributes", Span(*call.span), because)
            verb = "mv" if verb == "mv" else "cp -a"
        elif verb == "cp" and (call.program in ONLY_MODES or call.program == "install" or _preserves(call)):
            verb = "cp -p"
    return verb


def _preserves(call: Call) -> bool:
    """A `cp` that keeps modes and owner."""
    options = [word.value for word in call.words[1:] if isinstance(word, Known) and word.value.startswith("-")]
    short = {letter for option in options if not option.startswith("--") for letter in option[1:]}
    long = any(option.startswith(("--preserve", "--archive")) for option in options)
    return call.program == "cp" and (long or bool(short & {"a", "p"}))


_GNU = ("debian", "redhat", "arch", "suse")


# --- getting it out ------------------------------------------------------------------------------------------------


def commands(products: Sequence[Product], cwd: str | None, style: Layout) -> list[str]:
    """The commands that take the products of one RUN out: one for all that go to one directory under one verb."""
    made = [d for d in dict.fromkeys(dirname(p.destination) for p in products) if d not in ("/tmp", "/usr/local/bin")]
    out = [f"mkdir -p {' '.join(quoted(d) for d in made)}"] if made else []
    groups: dict[tuple[str, str], list[Product]] = {}
    for product in products:
        groups.setdefault((product.verb, dirname(product.destination)), []).append(product)
    for (verb, directory), group in groups.items():
        if len(group) == 1:
            out.append(f"{verb} {sources_of(group[0], cwd)} {quoted(group[0].destination)}")
        else:
            out.append(_filled([verb, *(sources_of(p, cwd) for p in group), f"{quoted(directory)}/"], style))
    return out


def _filled(words: Sequence[str], style: Layout) -> str:
    """The words of a command, on as many lines as it needs; the later ones are indented further."""
    lines = [words[0]]
    for word in words[1:]:
        if len(style.indent.expandtabs(4)) + len(lines[-1]) + len(word) + 3 <= WIDEST_LINE:
            lines[-1] += f" {word}"
        else:
            lines.append(f"    {word}")
    return style.next_line.join(lines)


def take_out(facts: Facts, run: Run, products: Sequence[Product], *, before: str | None = None) -> list[Edit]:
    """Edits of `run` that take its products out. `before` is a command to put in front of an exec form, which
    becomes an and-list. Raises Stop if it cannot be made sure that this happens after they were built, and only
    then."""
    if isinstance(run.form, ExecForm):
        after = commands(products, _known(facts.state(run).workdir), layout(facts.file, run)) if products else []
        return [_as_shell(facts, run, run.form, [before] if before else [], after)]
    script = facts.script(run)
    if not isinstance(script, Script) or not script.items:
        raise Stop("opaque-script", run.span, "the step's script is not understood")
    point, chain = _point(facts, run, script, products)
    lines = commands(products, _cwd_after(facts, run, point), _style(facts, run))
    return _append_all(facts, run, point, lines, chain)


def _style(facts: Facts, run: Run) -> Layout:
    style = layout(facts.file, run)
    # The lines of a here-document are the shell's own: it continues them with a backslash.
    return Layout(style.eol, "\\", style.indent) if run.heredocs else style


def _known(value: Known | Unknown) -> str | None:
    return value.value if isinstance(value, Known) else None


def _point(facts: Facts, run: Run, script: Script, products: Sequence[Product]) -> tuple[Script, bool]:
    """The list to whose end the commands are appended, and whether that must be with `&&`.

    It is the whole script, or the one item that holds all producers. What is appended with `&&` runs only if all of
    its item succeeded; in a list of several items each is run whether the one before it failed or not, unless `set
    -e` is in force.
    """
    calls = facts.calls(run)
    if isinstance(calls, OpaqueScript):
        raise Stop("opaque-script", run.span, "the step's script is not understood")
    for call in calls:
        leaves = call.program in ("exit", "return", "exec") or "exec" in call.wrappers
        if leaves and not call.conditional and not call.in_substitution:
            raise Stop("ends-early", Span(*call.span), "the script ends here, so that nothing can follow")
    separator = script.separators[-1]
    if separator is not None and separator.text == "&":
        raise Stop("failure-not-fatal", run.span, "the step does not wait for its last command")
    known = [p.call for p in products if p.call is not None]
    for call in known:
        must_have_run(call)
    makers = known or [call for call in calls if call.program not in _HARMLESS and call.program != "set"]
    last = script.items[-1]
    fatal = all(call.fatal for call in makers)
    errexit = stops_at_failure(facts, run, calls)
    if fatal and (len(script.items) == 1 or errexit):
        return script, not errexit
    if fatal and not any(last.start <= call.span[0] < last.end for call in makers):
        return script, False
    return _own_item(script, calls, makers), True


def must_have_run(call: Call) -> None:
    """Raises Stop if a step can succeed without this command, or before it is done."""
    span = Span(*call.span)
    if call.conditional or call.loop or call.function is not None or call.in_substitution:
        raise Stop("not-provably-written", span, "this runs only under a condition")
    if call.background:
        raise Stop("failure-not-fatal", span, "nobody waits for this command")


def stops_at_failure(facts: Facts, run: Run, calls: Sequence[Call]) -> bool:
    """Whether `set -e` is in force at the end of the script."""
    on = facts.state(run).shell.errexit
    for call in calls:
        if call.program == "set" and not call.in_substitution:
            for at, word in enumerate(call.words):
                text = word.value if isinstance(word, Known) else "+e"
                if text[:1] in "+-" and ("e" in text or call.argument(at + 1) == "errexit"):
                    on = text[0] == "-" and not call.conditional
    return on


def _own_item(script: Script, calls: Sequence[Call], makers: Sequence[Call]) -> Script:
    """The item of a list of commands that holds all `makers`, if what follows it neither needs nor changes a
    product."""
    holding = [item for item in script.items if any(item.start <= c.span[0] < item.end for c in makers)]
    call = makers[-1]
    span = Span(*call.span)
    if len(holding) != 1:
        raise Stop("failure-not-fatal", span, "the step goes on after a failure of this command")
    item = holding[0]
    if any(op.text != "&&" for op in item.operators):
        raise Stop("failure-not-fatal", span, "the step may succeed although this command failed")
    for pipeline in item.pipelines:
        inside = any(pipeline.start <= c.span[0] < pipeline.end for c in makers)
        if inside and (len(pipeline.commands) > 1 or pipeline.negated or not isinstance(pipeline.commands[0], Simple)):
            raise Stop("failure-not-fatal", span, "the exit status of this command gets lost")
    for later in calls:
        if later.span[0] >= item.end and later.program not in _HARMLESS:
            raise Stop("failure-not-fatal", span, "the step goes on after a failure of this command")
    return Script(item.start, item.end, (item,), (None,))


def _cwd_after(facts: Facts, run: Run, point: Script) -> str | None:
    """The current directory at the end of `point`, if its last command is a plain one that does not change it."""
    item: AndOr = point.items[-1]
    last = item.pipelines[-1].commands[-1]
    calls = facts.calls(run)
    if isinstance(calls, OpaqueScript) or not isinstance(last, Simple):
        return None
    for call in calls:
        if call.simple is last and call.program not in ("cd", "pushd", "popd"):
            return _known(call.cwd)
    return None


def _append_all(facts: Facts, run: Run, point: Script, lines: Sequence[str], chain: bool) -> list[Edit]:
    first = append_command(facts.file, run, point, lines[0], chain=chain)
    if len(lines) == 1:
        return [first]
    joint, _, tail = first.new.partition(lines[0])
    if "\n" not in joint and not run.heredocs:
        joint = joint.rstrip(" ") + layout(facts.file, run).next_line
    return [Edit(first.start, first.end, "".join(joint + line for line in lines) + tail)]


def _as_shell(facts: Facts, run: Run, form: ExecForm, before: Sequence[str], after: Sequence[str]) -> Edit:
    """The exec form as an and-list of the shell in force."""
    if facts.state(run).shell.dialect is None:
        raise Stop("no-shell", form.open.span, "the step is in exec form, and what shell the stage has is not known")
    import shlex

    parts = [*before, " ".join(shlex.quote(value) for value in form.values), *after]
    start = form.open.start
    column = start - (facts.file.text.rfind("\n", 0, start) + 1)
    joint = " && "
    if before or column + len(joint.join(parts)) > WIDEST_LINE:
        joint = " &&" + layout(facts.file, run).next_line
    return Edit(start, form.span.end, joint.join(parts))


# --- re-pointing the readers ---------------------------------------------------------------------------------------


def repoint(product: Product) -> list[Edit]:
    """Edits that let the readers read the product's destination. Raises Stop for one that cannot be changed."""
    edits: dict[tuple[int, int], Edit] = {}
    for reader in product.readers:
        edit = _repointed(reader, product)
        edits[edit.start, edit.end] = edit
    return list(edits.values())


def _site(reader: Reader) -> tuple[Site, Span]:
    """The word that names what it reads, or the directory of it alone, and its extent. Raises Stop if there is none, or
    if what the reader leaves would be another with another name there."""
    site = reader.site
    if _by_directory(reader) and isinstance(reader.base, Word):
        return reader.base, Span(reader.base.start, reader.base.end)
    if site is None:
        raise Stop("fixed-reader", reader.span, f"it cannot be made to read from elsewhere: {reader.why}")
    why = keeps_name(reader.call, site) if reader.kind == "run" and reader.call is not None else None
    if why is not None:
        raise Stop("fixed-reader", reader.span, why)
    if isinstance(site, JsonString):
        return site, Span(site.string.start, site.string.span.end)
    return site, Span(site.start, site.end) if isinstance(site, Word) else reader.span


def _by_directory(reader: Reader) -> bool:
    """Whether a word of its own names the directory, and another one the file in it, which keeps its name."""
    return reader.site is None and isinstance(reader.base, Word) and reader.kind == "run"


def _repointed(reader: Reader, product: Product) -> Edit:
    site, span = _site(reader)
    new = dirname(product.destination) if _by_directory(reader) else product.destination
    if isinstance(site, JsonString):
        import json

        return Edit(*span, json.dumps(new, ensure_ascii=False))
    if isinstance(site, Word):
        return Edit(*span, quoted(new))
    if not _PLAIN.match(_VARIABLE.sub("", new)):
        raise Stop("fixed-reader", reader.span, "a path with such characters would have to be quoted here")
    return Edit(*span, new)
