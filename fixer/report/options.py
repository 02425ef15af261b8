"""Options that the commands have in common."""

from __future__ import annotations

import click

unsafe_fixes_option = click.option(
    "--unsafe-fixes", is_flag=True, help="Also make changes that may alter the image or rest on the builder."
)
project_option = click.option(
    "--project", metavar="NAME", help="Name for project-scoped caches (default: from the Git repository)."
)
image_option = click.option(
    "--image",
    "images",
    multiple=True,
    metavar="NAME=OTHER",
    help="A base image of your own, and the well-known one that it is made from; or a mirror/, and what it mirrors/. "
    "May be repeated.",
)
