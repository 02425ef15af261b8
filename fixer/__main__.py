"""`dockfix` and `python -m fixer`."""

from __future__ import annotations


def main() -> None:
    """Runs the command on `sys.argv` and exits."""
    import gc
    import os
    import signal
    import sys

    # Hardly anything that one file leaves refers to itself in circles: the collector would search it in vain, often.
    gc.set_threshold(100_000, 20, 20)
    usual = signal.getsignal(signal.SIGINT)
    if usual is signal.default_int_handler:  # as long as nothing is under way, Ctrl-C is simply the end
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started us
            setattr(sys, name, open(os.devnull, "r" if name == "stdin" else "w"))  # noqa: SIM115
    if sys.argv[1:2] == ["verify"]:  # a file of that name is ./verify
        from fixer.prove.command import command as verify

        signal.signal(signal.SIGINT, usual)
        verify(sys.argv[2:], prog_name="dockfix verify")
    from fixer.cli import command

    command(prog_name="dockfix")


if __name__ == "__main__":
    main()
