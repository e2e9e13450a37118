"""The command line: `affectscope COMMAND ...`, or the window when no command is named.

This module imports little, and a command's module is imported when it runs, so
that `--help` is instant and a headless command never loads Qt. A command module has
`add_arguments(parser)` and `run(args) -> int`; at its top level it imports the standard library
alone.

Exit codes: 0 done, 2 bad input (one line on stderr says what and what to do), 1 anything else,
130 stopped by Ctrl-C.
"""

import argparse
import io
import os
import sys
from collections.abc import Sequence
from typing import NamedTuple, NoReturn

__all__ = ["COMMANDS", "Command", "main", "start"]


class Command(NamedTuple):
    """One entry of the command table."""

    name: str
    help: str
    module: str


COMMANDS = (
    Command("analyze", "turn recordings into emotion timelines on disk", "desktop.analyze_command"),
    Command("replay", "play a video or a session in the window", "desktop.replay_command"),
    Command("export", "write a session as csv, subtitles and others", "desktop.export_command"),
    Command("live", "camera and microphone to emotion while it happens", "desktop.live_command"),
    Command("adapt", "teach the text model by a corpus's words", "desktop.adapt_command"),
    Command("extract", "turn a labelled corpus into training examples", "desktop.extract_command"),
    Command("train", "train a checkpoint on extracted examples", "desktop.train_command"),
    Command("baseline", "fit a checkpoint to how you look and sound", "desktop.baseline_command"),
    Command("evaluate", "measure a checkpoint on extracted examples", "desktop.evaluate_command"),
    Command("library", "search, rename and tidy up sessions", "desktop.library_command"),
    Command("compile", "build the network's engine for this computer", "desktop.compile_command"),
    Command("doctor", "say what runs on which device, and how fast", "desktop.doctor_command"),
    Command("models", "list, fetch or verify the pretrained files", "desktop.models_command"),
)

WINDOW = Command("window", "open the window", "desktop.window_command")


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, as every bad input is told."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"affectscope: {message} (see `{self.prog} --help`)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # names that are not UTF-8; LANG=C
    command, rest = _command_of(words)
    try:
        return _run(command, rest)
    except KeyboardInterrupt:
        print("affectscope: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of our output went away (`affectscope models list | head -1`).
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _command_of(words: list[str]) -> tuple[Command, list[str]]:
    """The command named by the first word, with the words that are its own."""
    if not words:
        return WINDOW, []
    for command in COMMANDS:
        if words[0] == command.name:
            return command, words[1:]
    parser = _Parser(
        prog="affectscope",
        description="Emotion trajectories from face, voice and words. "
        "Without a command the window opens.",
        epilog="Exit codes: 0 done, 2 bad input, 1 anything else, 130 stopped by Ctrl-C.",
    )
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for command in COMMANDS:
        commands.add_parser(command.name, help=command.help, add_help=False)
    parser.parse_args(words)
    # Only `--version` gets here: help and everything unknown have left through the parser.
    from assets.version import version

    print(f"affectscope {version()}")
    raise SystemExit(0)


def _run(command: Command, words: list[str]) -> int:
    from importlib import import_module

    from assets.errors import AffectscopeError, BadInput

    module = import_module(command.module)
    name = "affectscope" if command is WINDOW else f"affectscope {command.name}"
    parser = _Parser(prog=name, description=f"{command.help[0].upper()}{command.help[1:]}.")
    module.add_arguments(parser)
    try:
        code: int = module.run(parser.parse_args(words))
        sys.stdout.flush()
        return code
    except AffectscopeError as error:
        print(f"affectscope: {error}", file=sys.stderr)
        return 2 if isinstance(error, BadInput) else 1


def start() -> NoReturn:
    """The program: `main`, and the end of the process."""
    from desktop.process_end import end_process

    end_process(main())


if __name__ == "__main__":
    start()
