"""Facts about a parsed Dockerfile: all that a codemod may ask. Lazy, cached, read-only, no IO, linear.

    facts = analyse(parse(text))

**Values.** `Known(value, args)` or `Unknown(why, arg)`. `args` are the build arguments whose *default* the value rests
on (not part of equality); `Unknown.arg` names a build argument without a default. A lookup gives `Value | None`: None
is "surely unset". `join(base, path)`, `clean(path)`, `below(path, parent)`, `related(a, b)`, `expand(word, lookup,
escape)`.

**Stages.** `facts.stages`; `Stage.index, .name, .from_, .image (Value), .base (Stage | BaseImage | Unknown),
.instructions, .opaque, .derived, .triggers (ONBUILD of the base), .platform, .last, .goal, .shipped, .named, .lineage,
.root (the image at the bottom), .label`. `facts.stage_of(instruction)`, `facts.index_of(instruction)`,
`facts.resolve(stage, "builder")`, `facts.copied_from(copy)` (Stage | BaseImage | Unknown | None for the context).
`BaseImage.name, .tag, .known, .family, .sh, .docker_clean, .env, .user, .workdir, .accounts, .lookup(name)`.

**State.** `facts.state(instruction)`, just before it; `facts.end_state(stage)`. `State.workdir (Value, absolute),
.user (UserState: name, uid, gid, home, root), .env, .args (mappings), .shell (ShellState: words, dialect "sh" | "bash"
| None, errexit, pipefail, login), .lookup(name)` (BuildKit's view: no `$HOME` without ENV), `.expand(word)`.

**Calls.** `facts.script(instruction)` is the tree, `facts.calls(instruction)` the commands, flat and in order, or an
`OpaqueScript` (`.why`: a key of `REASONS` here). `Call`: see its docstring.
`call.lookup(name)` is the program's environment: assignments in front, `env A=b`, exports before it, ENV and ARG;
`$HOME` is there.

**Mounts.** `facts.mounts(run)`; `Mount`: see its docstring. `hiding_mount(mounts, path)`: the one through which a path
is seen. `facts.volumes(stage)`.

**Paths.** `facts.effects(instruction)` (and `facts.call_effects(call)`), `facts.readers(stage, path, after)`,
`facts.takers(stage, path)` (those of them in other stages), `facts.writers(stage, path, before)`. A program that is not
well known may use anything at or below its directory, what it names, and what variables of build tools name, and may
write below the home. To re-point a `Reader`, write another path over `reader.span` if `reader.site` is not None.

Six questions:

    # The cargo home of a RUN, as BuildKit expands it in a mount: Known("/usr/local/cargo") on rust:*.
    facts.state(run).lookup("CARGO_HOME")

    # pip calls and pip's cache directory as pip sees it.
    [(c, c.lookup("PIP_CACHE_DIR"), c.user.home) for c in facts.calls(run) if c.program in ("pip", "pip3")]

    # Is the failure of this command the failure of the RUN, so that `&& cp …` may follow it?
    call.fatal and not call.conditional and not call.loop

    # Does pip's cache lie under a mount already?
    hiding_mount(facts.mounts(run), "/root/.cache/pip")

    # Who reads what the mount on /app/target hides, and cannot be re-pointed?
    [r for r in facts.readers(stage, "/app/target", run) if r.through_mount is None and r.site is None]

    # Was anything put below /app/target before this RUN?
    [w for w in facts.writers(stage, "/app/target", run) if w.content and w.through_mount is None]
"""

from __future__ import annotations

from fixer.analysis.bases import Account, BaseImage
from fixer.analysis.commands import Call
from fixer.analysis.facts import PASSED, Facts, TooMuchWorkError, analyse
from fixer.analysis.images import NO_IMAGES, Images, UnknownImageError
from fixer.analysis.mounts import Mount, hiding_mount
from fixer.analysis.opaque import REASONS
from fixer.analysis.paths import Effect, Reader, Writer
from fixer.analysis.stages import NO_TARGETS, Stage, Targets
from fixer.analysis.state import ShellState, State, UserState
from fixer.analysis.values import Known, Unknown, Value, below, clean, expand, join, related

__all__ = [
    "NO_IMAGES",
    "NO_TARGETS",
    "PASSED",
    "REASONS",
    "Account",
    "BaseImage",
    "Call",
    "Effect",
    "Facts",
    "Images",
    "Known",
    "Mount",
    "Reader",
    "ShellState",
    "Stage",
    "State",
    "Targets",
    "TooMuchWorkError",
    "Unknown",
    "UnknownImageError",
    "UserState",
    "Value",
    "Writer",
    "analyse",
    "below",
    "clean",
    "expand",
    "hiding_mount",
    "join",
    "related",
]
