"""`affectscope replay VIDEO_OR_SESSION`: play a video or session in the window."""

import argparse
from pathlib import Path

from assets.errors import BadInput

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument(
        "recording",
        metavar="VIDEO_OR_SESSION",
        type=Path,
        help="a video, which is analysed while it plays, or a folder that analyze has written",
    )


def run(args: argparse.Namespace) -> int:
    """Show the window until it is closed; returns the exit code. Raises BadInput."""
    if not args.recording.exists():
        raise BadInput(f"{args.recording}: no such file or session folder")
    from desktop.application import run_window

    if args.recording.is_dir():
        from extractors.session import Session

        Session(args.recording)
    else:
        from extractors.video_file import VideoFile

        VideoFile(args.recording)
    return run_window(None, args.recording)
