"""Is it a template? Jinja, Go, ERB, autoconf and the like make Dockerfiles, and are none themselves."""

from __future__ import annotations

import re
from pathlib import PurePath

from fixer.engine.outcome import Problem
from fixer.text.regex import regex
from fixer.tree.nodes import Dockerfile, From, Item, Opaque

EXTENSIONS = frozenset(
    [
        *(".ejs", ".eex", ".erb", ".ftl", ".gotmpl", ".handlebars", ".hbs", ".in", ".j2", ".jinja", ".jinja2"),
        *(".liquid", ".m4", ".mako", ".mustache", ".njk", ".templ", ".template", ".tera", ".tmpl", ".tpl", ".twig"),
    ]
)
_MARK = regex(r"\{\{.*?\}\}|\{%.*?%\}|<%.*?%>|@[A-Za-z_][A-Za-z0-9_]*@|%%[A-Za-z_][A-Za-z0-9_]*%%")


def is_template_name(path: PurePath) -> bool:
    """True for names like `Dockerfile.j2`."""
    return path.suffix.lower() in EXTENSIONS


def template_problem(file: Dockerfile[str]) -> Problem | None:
    """A template's mark where no Dockerfile can have one: in an image's name, or in a file with an instruction that is
    not understood. (In RUN the same marks mean something to other programs: `docker inspect -f '{{.Id}}'`.)"""
    for item in file.items:
        mark = _mark(item)
        if mark is not None:
            message = f"it looks like a template ({mark[0]}), not like a Dockerfile; run dockfix on what it makes."
            return Problem("template", message, file.position(item))
    return None


def _mark(item: Item) -> re.Match[str] | None:
    if isinstance(item, From):
        return _MARK.search(item.image.value)
    if isinstance(item, Opaque):
        return _MARK.search(item.text.text)
    return None
