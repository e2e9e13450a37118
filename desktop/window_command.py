"""`affectscope` without a command: the empty window."""

import argparse
import os

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The window takes no options."""


def run(args: argparse.Namespace) -> int:  # noqa: ARG001
    """Show the window until it is closed; returns the exit code. Raises BadInput."""
    # NumPy's threads would only get in the way of ours: it reads this when it is loaded
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from desktop.application import run_window

    return run_window(None)
