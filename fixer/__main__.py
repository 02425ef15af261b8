"""`dockfix` and `python -m fixer`."""

from __future__ import annotations


def main() -> None:
    """Runs the command on `sys.argv` and exits."""
    from fixer.cli import command

    command(prog_name="dockfix")


if __name__ == "__main__":
    main()
