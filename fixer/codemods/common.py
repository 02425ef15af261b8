"""What the cache codemods share: the text of a mount, who owns it, whether it is there, who is in its way.

Facts about BuildKit are those of v0.25: a mount belongs to root unless it has numbers; its target and the parents made
for it are gone after the RUN; the target can be neither removed nor renamed while it is mounted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from enum import Enum
from fnmatch import fnmatchcase
from posixpath import dirname
from typing import Any, NamedTuple, TypeVar

from fixer.analysis import (
    Call,
    Facts,
    Known,
    Mount,
    Reader,
    Stage,
    Unknown,
    UserState,
    Value,
    Writer,
    below,
    clean,
    related,
)
from fixer.analysis.accounts import home_made
from fixer.text.edits import Edit
from fixer.text.records import dataclass
from fixer.text.regex import regex
from fixer.text.source import Span
from fixer.tree.editor import draw_up, is_continued, remove_commands, remove_word
from fixer.tree.nodes import Copy, Directive, Dockerfile, JsonString, Run
from fixer.tree.shell import (
    AndOr,
    Braces,
    CommandSubstitution,
    Literal,
    OpaqueScript,
    Parameter,
    Part,
    Pipeline,
    Redirect,
    Script,
    Simple,
    Word,
)

OWN_IMAGE = "Of a base image of your own, `[images]` in the configuration says what it is made from."

REASONS: Mapping[str, str] = {
    "onbuild": "The step runs in other people's builds, whose user and environment this file does not know.",
    "opaque-script": "The step's script is not understood as a whole.",
    "old-syntax": "The `# syntax=` line asks for a Dockerfile frontend from before cache mounts.",
    "unknown-user": f"A mount for a user needs the user's number, and the file does not say it. {OWN_IMAGE}",
    "unknown-home": f"The cache is in the user's home, and where that is cannot be told. {OWN_IMAGE}",
    "other-mount": "Another mount of the step is at, above or below the place of the cache.",
    "cleanup": "The step removes, moves or changes the directory of the cache or one above it: not to be taken out.",
    "cache-is-read": "Somebody reads the cache's directory where the mount would not be.",
}
"""Reasons that mean the same in every codemod that mounts a cache; take those that it gives."""


class Stop(Exception):
    """Something is in the way: `reason` is a code, `span` the exact text, `because` one sentence."""

    def __init__(self, reason: str, span: Span, because: str) -> None:
        super().__init__(because)
        self.reason = reason
        self.span = span
        self.because = because


# --- the mount -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Owner:
    """The numbers that a mount must have so that a user who is not root can write to it."""

    uid: int
    gid: int


def owner_of(user: UserState, span: Span) -> Owner | None:
    """The owner that a mount for `user` needs; None for root. Raises Stop if the file does not say the numbers."""
    if user.root:
        return None
    if user.uid is None or user.gid is None:
        whose = f"of {user.name}" if user.name else "of the user who runs this"
        what = "number" if user.uid is None else "group's number"
        because = f"the {what} {whose} is not in the file, and without it that user could not write to the mount"
        if not user.name:
            because += "; of a base image of your own, --image can say it"
        raise Stop("unknown-user", span, because)
    return Owner(user.uid, user.gid)


def cache_mount(target: str, *, id: str | None = None, sharing: str | None = None, owner: Owner | None = None) -> str:
    """The value of `--mount=` for a cache, its fields in the order that all our mounts have."""
    fields = ["type=cache"]
    if id is not None:
        fields.append(f"id={id}")
    fields.append(f"target={target}")
    if sharing is not None:
        fields.append(f"sharing={sharing}")
    if owner is not None:
        fields += [f"uid={owner.uid}", f"gid={owner.gid}"]
    return _csv(",".join(fields), fields)


def _csv(text: str, fields: Sequence[str]) -> str:
    if re.search(r"[\"\s,$\\']", "".join(fields)):
        raise ValueError(f"a mount cannot be written plainly: {text}")
    return text


def image(stage: Stage) -> str:
    """What a shipped stage is part of, for messages: with who builds it, if the file does not show that."""
    return f"an image that people get ({stage.named})" if stage.named else "an image that people get"


def plain(path: str) -> bool:
    """Whether a path can stand in a mount as it is: no blanks, quotes, commas or variables, and only ASCII, because
    BuildKit reads the bytes of flags one by one (see `flag-bytes` in `fixer.tree.parse`)."""
    return path.isascii() and re.search(r"[\"\s,$\\'`]", path) is None


def mounted(mounts: Sequence[Mount], target: str) -> Mount | None:
    """The cache mount through which `target` is seen already; None if nothing is mounted there.

    Raises Stop if a mount of another kind, or one further down, is in the way.
    """
    found: Mount | None = None
    for mount in mounts:
        if mount.target is None:
            continue
        if not isinstance(mount.target, Known):
            if mount.type != "ssh":
                because = "where this is mounted cannot be told, and it may be over the cache"
                raise Stop("other-mount", mount.flag.word.span, because)
            continue
        where = mount.target.value
        if not related(where, target):
            continue
        if mount.type != "cache" or mount.problem is not None or mount.read_only or not below(target, where):
            because = f"it is mounted at {where}, and the cache would be at {target}"
            raise Stop("other-mount", mount.flag.word.span, because)
        found = mount
    return found


_VERSION = regex(r"(?:docker\.io/)?docker/dockerfile:([0-9]+)(?:\.([0-9]+))?(?:\.[0-9]+)?(-.*)?\Z")


def takes_mounts(file: Dockerfile[Any]) -> Directive | None:
    """The `# syntax=` directive of a frontend that does not know RUN --mount (before docker/dockerfile:1.2, but for the
    experimental ones, which were made for it); None if mounts can be used."""
    for item in file.items:
        if not isinstance(item, Directive):
            return None
        if item.name.value.lower() != "syntax":
            continue
        version = _VERSION.match(item.argument.value.strip())
        numbered = version is not None and version[2] is not None and "experimental" not in (version[3] or "")
        if version is not None and numbered and (int(version[1][:9]), int(version[2][:9])) < (1, 2):
            return item
    return None


def known_mounts(
    facts: Facts, runs: Sequence[Run], *, sharing: str | None = None
) -> dict[tuple[str, Owner | None], str]:
    """The cache mounts that the RUNs have, as the file writes them, by target and owner: one cache is better than two
    of the same. With `sharing` only those that are shared so."""
    known: dict[tuple[str, Owner | None], str] = {}
    for run in runs:
        for mount in facts.mounts(run):
            text = mount.flag.value or ""
            if mount.type != "cache" or mount.problem is not None or not isinstance(mount.target, Known):
                continue
            if mount.mode is not None or mount.from_ is not None or mount.read_only or re.search(r"[$\s\"]", text):
                continue
            if not mount.target_text.startswith("/") or (sharing is not None and mount.sharing != sharing):
                continue
            owner = None if mount.uid is None and mount.gid is None else Owner(mount.uid or 0, mount.gid or 0)
            known.setdefault((mount.target.value, owner), text)
    return known


STANDARD = frozenset(
    ("/", "/var", "/var/cache", "/tmp", "/var/tmp", "/opt", "/usr", "/usr/local", "/root", "/home", "/srv")
)
"""Directories that every image of a distribution has."""


class Downloads(NamedTuple):
    """Where a RUN of a stage keeps what it downloads."""

    stage: Stage
    run: Run
    target: str


def handed_on(
    facts: Facts, fillers: Iterable[Downloads], users: Sequence[Downloads], program: str, hidden: str
) -> dict[int, Stop]:
    """By the ids of the RUNs: why one of `fillers`, which leave what `program` has downloaded in their layers, and one
    of `users`, to which a COPY --from or a mount brings that, must stay as they are; `hidden` is their reason."""
    found: dict[int, Stop] = {}
    for stage, run, target in fillers:
        for taker, user in _handed_to(facts, stage, target, users):
            line = facts.file.position(user).line
            because = f"it takes what {program} has downloaded to the step in line {line}, which would find nothing"
            found.setdefault(id(run), Stop("cache-is-read", taker.span, because))
            because = f"it brings what {program} has downloaded in another stage, which a mount would hide"
            found.setdefault(id(user), Stop(hidden, taker.span, because))
    return found


def _handed_to(facts: Facts, stage: Stage, target: str, users: Sequence[Downloads]) -> Iterator[tuple[Reader, Run]]:
    """Who takes what a stage holds at `target` to where one of `users` finds it: a COPY --from before it, in its stage
    or one that it starts from, or a mount of its own."""
    for taker in facts.takers(stage, target):
        copied = list(copied_to(facts, taker, target)) if taker.kind == "copy" else []
        for other, run, wanted in users:
            facts.charge(1)
            places = copied if taker.kind == "copy" and is_before(taker, other, run) else []
            if taker.instruction is run:
                places = [_brought(mount.target, mount.source, target) for mount in facts.mounts(run) if mount.stage]
            if any(isinstance(place, Unknown) or related(place.value, wanted) for place in places):
                yield taker, run


def puts_files(writer: Writer) -> bool:
    """Whether somebody surely leaves files of his own in the layer, as far as the file says."""
    return writer.mode == "write" and writer.content and writer.kind != "base" and writer.through_mount is None


def is_before(there: Reader | Writer, stage: Stage, run: Run) -> bool:
    """Whether what somebody does is done when a RUN of a stage begins."""
    if there.stage is stage:
        return there.instruction.keyword.start < run.keyword.start
    return there.stage in stage.lineage


def copied_to(facts: Facts, taker: Reader, target: str) -> Iterator[Value]:
    """Where a COPY, found as a taker of `target`, brings it in its stage."""
    parents = isinstance(taker.instruction, Copy) and any(flag.name == "parents" for flag in taker.instruction.flags)
    for effect in facts.effects(taker.instruction):
        if effect.mode == "write":
            yield _brought(effect.path, Known("/") if parents else taker.path, target)


def _brought(to: Value | None, source: Value, target: str) -> Value:
    """Where `target` is in a directory to which `source` comes; what lies below `target` comes to that directory."""
    if not isinstance(to, Known) or not isinstance(source, Known):
        return Unknown("the file does not say where it comes to")
    return Known(clean(to.value + target[len(source.value.rstrip("/")) :])) if below(target, source.value) else to


def finds_it_made(facts: Facts, call: Call, target: str, there: Container[str] = STANDARD) -> Span | None:
    """Where a call makes the directory `target`, or one above it, and would find it made, and not empty, by a mount at
    `target`: `git clone` and `mkdir` without -p fail then, `cp -r`, `mv` and `ln` put things into it, and a home does
    not become its user's. `there` says which directories exist anyway."""
    home = home_made(call)
    if home is not None:
        where = home.value if isinstance(home, Known) else dirname(dirname(target))
        return Span(*call.span) if where not in there and below(target, where) else None
    if call.program == "git" and Known("clone") in call.words:
        for effect in facts.call_effects(call):
            if effect.mode != "write" or not isinstance(effect.path, Known) or not below(target, effect.path.value):
                continue
            first = target[len(effect.path.value) :].strip("/").partition("/")[0]
            inside = clean(f"{effect.path.value}/{first}")
            # Where the name of the clone is not known it is not that of a directory which exists.
            if effect.extent == "tree" or inside not in there:
                return effect.span
        return None
    if call.program == "mkdir":
        if is_option(call, "p", "parents"):
            return None
        made = list(operands(call))
    elif call.program in ("mv", "ln") or (call.program == "cp" and is_option(call, "raRd", "recursive", "archive")):
        if is_option(call, "tT", "target-directory", "no-target-directory"):
            return None
        made = list(operands(call))[-1:]
    else:
        return None
    for index in made:
        path, whole = pattern_of(call, call.nodes[index])
        if whole and path.startswith("/") and path not in there and below(target, path):
            return node_span(call.nodes[index])
    return None


def is_option(call: Call, letters: str, *names: str) -> bool:
    """Whether a call has one of the options: a letter, also among others (`-av`), or a long name."""
    for word in call.words[1:]:
        text = word.value if isinstance(word, Known) else ""
        if text == "--":
            break
        if text.startswith("--"):
            if text[2:].partition("=")[0] in names:
                return True
        elif text.startswith("-") and any(letter in text for letter in letters):
            return True
    return False


def removed_later(
    facts: Facts, run: Run, directory: str, names: tuple[str, ...] = ("rm",)
) -> Iterator[tuple[Call, str, Reach]]:
    """Calls of `rm` without -f that may hit `directory`, in the steps that come after `run` in its stage and in those
    that start from it: they fail if there is nothing to remove. With what the word says, and what it can hit. names:
    only those RUNs are of interest that name one of these."""
    stage = facts.stage_of(run)
    facts.charge(1 + len(facts.file.text) // 500)
    if stage is None or not facts.mentions("rm"):
        return
    stages = [stage]
    for each in stages:
        stages.extend(each.derived)
        for instruction in each.instructions[facts.index_of(run) + 1 if each is stage else 0 :]:
            named = isinstance(instruction, Run) and facts.may_name(instruction, names)
            calls = facts.calls(instruction) if named else ()
            for call in () if isinstance(calls, OpaqueScript) else calls:
                if call.program != "rm" or not call.fatal or is_forced(call):
                    continue
                for index in operands(call):
                    pattern, whole = pattern_of(call, call.nodes[index])
                    hit = reach(pattern, whole, directory)
                    if hit in (Reach.OWN, Reach.WIDE):
                        yield call, pattern, hit


_RM = ("rm",)


def is_forced(call: Call) -> bool:
    """Whether `rm` says `-f`."""
    return any(isinstance(w, Known) and re.match(r"-[a-zA-Z]*f|--force", w.value) for w in call.words[1:])


def gives_password(call: Call) -> bool:
    """Whether the sudo that a call goes through may ask for a password and get it there (`-S`, `-A`)."""
    if call.simple is None or "sudo" not in call.wrappers:
        return False
    through = call.simple.words[: len(call.simple.words) - len(call.nodes)]
    begins = (call.prefix(word) for word in through)
    return any(_ASKS.match(text) is not None if text else not whole for text, whole in begins)


_ASKS = regex(r"-[a-zA-Z]*[SA]|--(?:stdin|askpass)")


# --- words that are paths ------------------------------------------------------------------------------------------


class Reach(Enum):
    """What a word of `rm` (or another command) can hit of a cache's directory."""

    NONE = "none"
    OWN = "own"
    """Only the directory itself, or something in it."""
    WIDE = "wide"
    """The directory, together with what is beside or above it."""
    UNKNOWN = "unknown"


def pattern_of(call: Call, node: Word | JsonString, *, braces: bool = True) -> tuple[str, bool]:
    """The absolute path that a word of `call` means, `*`, `?` and `[` unquoted as patterns (quoted ones as `[*]`), and
    whether that is all of it; if not, what it surely begins with. Relative if the current directory is unknown.

    braces: False if the shell surely takes `{a,b}` as it stands.
    """
    text, whole = _text(call, node, braces)
    if not text.startswith("/"):
        if not text and not whole:
            return "", False
        if not isinstance(call.cwd, Known):
            return (text, True) if whole else ("", False)
        text = f"{call.cwd.value}/{text}"
    if whole:
        return clean(text), True
    head, _, tail = text.rpartition("/")
    return clean(head or "/").rstrip("/") + "/" + tail, False


def patterns_of(call: Call, node: Word | JsonString, *, braces: bool = True) -> list[tuple[str, bool]]:
    """As `pattern_of`; several, or none, where a variable without quotes holds several words."""
    found = pattern_of(call, node, braces=braces)
    fields = None if found[1] else call.fields(node)
    if fields is None:
        return [found]
    start = f"{call.cwd.value}/" if isinstance(call.cwd, Known) else ""
    return [(clean(each if each.startswith("/") or not start else start + each), True) for each in fields]


def _text(call: Call, node: Word | JsonString, braces: bool) -> tuple[str, bool]:
    if isinstance(node, JsonString):
        return _escaped(node.value), True
    out: list[str] = []
    for part in node.parts:
        if isinstance(part, Literal):
            if braces and not part.quoted and "{" in part.value:
                return "".join(out) + part.value.partition("{")[0], False
            out.append(part.value if part.glob else _escaped(part.value))
            continue
        if not braces and isinstance(part, Braces) and not part.parts:
            out.append(part.text)
            continue
        value = call.shell_value(Word(part.start, part.end, (part,), ""))
        if not isinstance(value, Known):
            return "".join(out), False
        out.append(_escaped(value.value))
    return "".join(out), True


_SPECIAL = regex(r"([*?\[])")


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"[\1]", text) if _SPECIAL.search(text) is not None else text


def fits(name: str, pattern: str) -> bool:
    """Whether a name may match a pattern of the shell. `[^a]` means `[!a]` to bash, dash and busybox. What classes of
    characters hold (`[[:alpha:]]`) is not asked for: from the first bracket on such a pattern may match anything."""
    if any(sign in pattern for sign in ("[:", "[.", "[=")):
        pattern = pattern.partition("[")[0] + "*"
    return fnmatchcase(name, pattern.replace("[^", "[!"))


def reach(pattern: str, whole: bool, directory: str, *, dots: bool = False) -> Reach:
    """What `pattern` (of `pattern_of`) can hit of `directory`. dots: a pattern finds hidden names, too."""
    if not whole:
        fixed = re.split(r"[*?\[]", pattern, maxsplit=1)[0]
        if not fixed or directory.startswith(fixed):
            return Reach.UNKNOWN
        return Reach.OWN if fixed.startswith(directory + "/") else Reach.NONE
    parts = [p for p in pattern.split("/") if p]
    wanted = [p for p in directory.split("/") if p]
    if not pattern.startswith("/"):
        # Wherever it is: what is removed has the name of its last part, and the cache is below none of that name.
        last = parts[-1] if parts else "."
        odd = last in (".", "..") or ".." in parts or any(fits(want, last) for want in wanted)
        return Reach.UNKNOWN if odd else Reach.NONE
    for have, want in zip(parts, wanted, strict=False):
        hidden = want.startswith(".") and not dots and not have.startswith((".", "[.]"))
        if have != want and (hidden or not fits(want, have)):
            return Reach.NONE
    exact = parts[: len(wanted)] == wanted
    return Reach.OWN if exact else Reach.WIDE


def temporary_names(facts: Facts, run: Run) -> frozenset[str]:
    """Variables that hold nothing but the output of `mktemp` in a step's script: what they name is no cache."""
    good: set[str] = set()
    bad: set[str] = set()
    script = facts.script(run)
    for node in script.walk() if isinstance(script, Script) and "mktemp" in run.code else ():
        if not isinstance(node, Simple):
            continue
        for assignment in node.assignments:
            parts = assignment.values[0].parts if len(assignment.values) == 1 else ()
            (good if _is_mktemp(parts) else bad).add(assignment.name)
        if node.words and node.words[0].static in ("export", "declare", "local", "readonly"):
            for word in node.words[1:]:
                name, equals, _ = word.text.partition("=")
                if equals:
                    fixed = isinstance(word.parts[0], Literal) and word.parts[0].value == f"{name}="
                    (good if fixed and _is_mktemp(word.parts[1:]) else bad).add(name)
    return frozenset(good - bad)


def _is_mktemp(parts: Sequence[Part]) -> bool:
    if len(parts) != 1 or not isinstance(parts[0], CommandSubstitution) or not isinstance(parts[0].script, Script):
        return False
    items = parts[0].script.items
    command = items[0].pipelines[0].commands[0] if len(items) == 1 and len(items[0].pipelines) == 1 else None
    return isinstance(command, Simple) and bool(command.words) and command.words[0].static == "mktemp"


def is_temporary(node: Word | JsonString, names: frozenset[str]) -> bool:
    """Whether a word is one of these variables, or something below it."""
    first = node.parts[0] if isinstance(node, Word) and node.parts else None
    return isinstance(first, Parameter) and first.name in names and not first.op


def removes_directories(call: Call) -> bool:
    """Whether `rm` (or its like) takes whole directories."""
    if call.program != "rm":
        return call.program == "rmdir"
    return any(isinstance(w, Known) and re.match(r"-[a-zA-Z]*[rR]|--recursive", w.value) for w in call.words[1:])


REMOVERS = frozenset(("rm", "rmdir", "unlink"))


def node_span(node: Word | JsonString) -> Span:
    """The place of a word of a call."""
    return node.string.span if isinstance(node, JsonString) else node.span


def operands(call: Call) -> Iterator[int]:
    """The indexes of the words of `call` that are not options (`--` ends the options)."""
    options = True
    for index, word in enumerate(call.words[1:], 1):
        text = word.value if isinstance(word, Known) else getattr(call.nodes[index], "text", "")
        if options and text == "--":
            options = False
        elif not (options and text.startswith("-") and len(text) > 1):
            yield index


def span_of(node: Word | JsonString) -> Span:
    """Where a word stands."""
    return node.string.span if isinstance(node, JsonString) else node.span


def known(value: Value | None) -> str | None:
    """The text of a value that is known."""
    return value.value if isinstance(value, Known) else None


# --- taking clean-up out -------------------------------------------------------------------------------------------


def remove_words(file: Dockerfile[Any], call: Call, indexes: Sequence[int], reason: str = "cleanup") -> list[Edit]:
    """Take words (not the first) out of a command, in shell form or in exec form. Raises Stop, with that reason, if a
    backslash or a carriage return before one would end a line."""
    edits: list[Edit] = []
    for index in sorted(indexes):
        node, before = call.nodes[index], call.nodes[index - 1]
        if isinstance(node, JsonString) or isinstance(before, JsonString):
            start = before.string.span.end if isinstance(before, JsonString) else before.end
            edits.append(remove_word(file, node.string.span if isinstance(node, JsonString) else node, start))
        elif (end_ := _drawn_up(file, call, index)) is not None and index + 1 not in indexes:
            edits.append(draw_up(file, node.start, end_))
        else:
            edits.append(remove_word(file, node, before.end))
    return _not_continued(file, edits, Span(*call.span), reason)


def _not_continued(file: Dockerfile[Any], removals: list[Edit], span: Span, reason: str = "cleanup") -> list[Edit]:
    if any(is_continued(file, removal) for removal in removals):
        raise Stop(reason, span, "a backslash or a carriage return would come to the end of the line without it")
    return removals


def _drawn_up(file: Dockerfile[Any], call: Call, index: int) -> int | None:
    """Where the next operand of `rm` begins, if the one at `index` is the only one on the command's own line: the next
    one takes its place, so that the line does not end in nothing but options."""
    if call.program not in REMOVERS or index + 1 >= len(call.nodes):
        return None
    before, node, after = call.nodes[index - 1 : index + 2]
    if isinstance(before, JsonString) or isinstance(node, JsonString) or isinstance(after, JsonString):
        return None
    gap = file.text[node.end : after.start]
    alone = index == 1 or before.text.startswith("-")
    if not alone or "\n" in file.text[before.end : node.start] or gap.count("\n") != 1 or "#" in gap:
        return None
    return after.start


def remove_calls(file: Dockerfile[Any], doomed: Sequence[Call], calls: Sequence[Call]) -> list[Edit]:
    """Take clean-up commands out, so that the rest of the script does what it did. `calls` are all calls of the
    instruction. They are taken to have succeeded.

    Raises Stop if the rest would not be the same: one is part of a pipeline, reads a here-document, writes to a file,
    is what runs after a failure, hides the failure of what stands before it, or is all that its list holds.
    """
    places: dict[int, tuple[Script, list[Pipeline]]] = {}
    gone = {id(call.pipeline) for call in doomed}
    order = _Order(gone)
    for call in doomed:
        script = call.script
        if script is None:
            raise Stop("cleanup", Span(*call.span), "this clean-up is all that the step does")
        found = places.setdefault(id(script), (script, []))[1]
        found.extend(_removable(call, gone, calls, order))
    edits: list[Edit] = []
    for script, found in places.values():
        removal = remove_commands(file, script, found)
        if removal is None:
            raise Stop("cleanup", Span(*doomed[0].span), "nothing would be left of the list that this clean-up is in")
        edits.extend(_not_continued(file, removal, Span(*doomed[0].span)))
    return edits


_Part = TypeVar("_Part")


class _Order:
    """Where the pipelines of a list and the lists of a script stand, and which is the last that stays (-1: none)."""

    def __init__(self, gone: set[int]) -> None:
        self._gone = gone
        self._of: dict[int, tuple[dict[int, int], int]] = {}

    def pipeline(self, item: AndOr, place: Pipeline) -> tuple[int, int]:
        return self._place(item, item.pipelines, place, lambda each: id(each) in self._gone)

    def item(self, script: Script, item: AndOr) -> tuple[int, int]:
        return self._place(script, script.items, item, lambda each: _all_gone(each, self._gone))

    def _place(
        self, whole: object, parts: Sequence[_Part], part: _Part, goes: Callable[[_Part], bool]
    ) -> tuple[int, int]:
        if id(whole) not in self._of:
            last = next((at for at in range(len(parts) - 1, -1, -1) if not goes(parts[at])), -1)
            self._of[id(whole)] = ({id(each): at for at, each in enumerate(parts)}, last)
        places, last = self._of[id(whole)]
        return places[id(part)], last


def _removable(call: Call, gone: set[int], calls: Sequence[Call], order: _Order) -> Sequence[Pipeline]:
    """The pipelines that go with a call: its own, or all of an item such as `clean || true`."""
    script, item, place = call.script, call.and_or, call.pipeline
    span = Span(*call.span)
    if script is None or item is None or place is None or len(place.commands) > 1 or place.negated or call.background:
        raise Stop("cleanup", span, "this clean-up cannot be taken out of its pipeline")
    if any(isinstance(node, Redirect) and node.body is not None for node in place.walk()):
        raise Stop("cleanup", span, "this clean-up reads a here-document, which would be left without a reader")
    if any(isinstance(node, Redirect) and _makes_a_file(node) for node in place.walk()):
        raise Stop("cleanup", span, "what this clean-up prints goes to a file, which would not be there without it")
    at, last = order.pipeline(item, place)
    if at > 0 and item.operators[at - 1].text == "||":
        raise Stop("cleanup", span, "this clean-up runs only after a failure")
    if call.fatal and 0 <= last < at:
        kept = item.pipelines[last]
        spared = [other for other in calls if other.pipeline is kept and not other.piped and not other.fatal]
        if any(other.program not in ("true", ":", "echo") for other in spared):
            because = "without it a failure of the command before it would end the build (`set -e` heeds only the last)"
            raise Stop("cleanup", span, because)
    whole: Sequence[Pipeline] = (place,)
    if at == 0 and at + 1 < len(item.pipelines) and item.operators[at].text == "||":
        if len(item.pipelines) > 2 or not _says_true(item.pipelines[1], calls):
            raise Stop("cleanup", span, "what runs if this clean-up fails cannot be taken out with it")
        whole = item.pipelines
    if len(whole) > 1 or _all_gone(item, gone):
        position, last = order.item(script, item)
        if position > 0 and last <= position:
            earlier = range(min(last, position - 1), -1, -1)
            before = next((script.items[at] for at in earlier if not _all_gone(script.items[at], gone)), None)
            if before is not None and not _fails_alike(before, calls):
                because = "as the last command it hides a failure of the one before, which would else end the build"
                raise Stop("cleanup", span, because)
    return whole


def _makes_a_file(redirect: Redirect) -> bool:
    """Whether a redirection writes to something else than a device or a descriptor."""
    target = redirect.target.static or "?"
    if redirect.op.startswith("<") or (redirect.op == ">&" and (target == "-" or target.isdigit())):
        return False
    return not target.startswith("/dev/")


def _all_gone(item: AndOr, gone: set[int]) -> bool:
    return all(id(p) in gone for p in item.pipelines)


def _says_true(place: Pipeline, calls: Sequence[Call]) -> bool:
    return any(call.pipeline is place and call.program in ("true", ":") for call in calls)


def _fails_alike(item: AndOr, calls: Sequence[Call]) -> bool:
    """Whether a failure of `item` fails the instruction also where something follows it."""
    inside = [call for call in calls if item.start <= call.span[0] < item.end]
    return bool(inside) and all(call.fatal or call.program in ("true", ":", "echo") for call in inside)
