"""What a .dockerignore leaves out of the contexts that a workflow builds."""

from __future__ import annotations

import posixpath

from fixer.analysis.dockerignore import NAME, Ignore, IgnoreTrouble, parse_ignore
from fixer.codemods.api import Settings


class LeftOut:
    """Whether the .dockerignore that counts for a build leaves out what stands at a path: `left_out(context,
    dockerfile, path)`, all relative to the workspace. Only what is known is left out."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._own = frozenset(one.path for one in settings.dockerfiles if one.own_ignore)
        self._known: dict[str, Ignore | None] = {}

    def __call__(self, context: str, dockerfile: str, path: str) -> bool:
        if "$" in context + path or path.startswith("/") or context.startswith(("/", "..")):
            return False
        if not self._settings.context.at_hand or not (context == "." or path.startswith(context + "/")):
            return False
        inside = path if context == "." else path[len(context) + 1 :]
        own = f"{dockerfile}.dockerignore"
        if (dockerfile in self._own) if dockerfile else bool(self._own):
            ignore = self._read(own) if dockerfile else None
        elif dockerfile and self._settings.context.kind(own) is not None:
            ignore = self._read(own)
        elif context == ".":
            return self._settings.context.excluded(inside)
        else:
            ignore = self._read(posixpath.join(context, NAME))
        return ignore is not None and ignore.excludes(inside)

    def _read(self, path: str) -> Ignore | None:
        if path not in self._known:
            data = self._settings.context.read(path)
            try:
                self._known[path] = None if data is None else parse_ignore(data, path)
            except IgnoreTrouble:
                self._known[path] = None
        return self._known[path]
