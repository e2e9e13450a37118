"""`affectscope export SESSION --format csv vtt ...`: a session in the formats of other tools."""

import argparse
from pathlib import Path

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the session, the formats and what is to be left out."""
    from desktop.export.formats import FORMATS

    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = "formats:\n" + "\n".join(f"  {f.name:10}{f.description}" for f in FORMATS)
    parser.add_argument("session", type=Path, metavar="SESSION", help="a session folder")
    parser.add_argument(
        "--format",
        nargs="+",
        action="extend",
        required=True,
        metavar="FORMAT",
        dest="formats",
        help="one or more of those below",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path(),
        metavar="PATH",
        help="folder for the files, or with one format the file itself; default: here",
    )
    parser.add_argument(
        "--face",
        choices=["shown", "blurred", "landmarks"],
        default="shown",
        help="in mp4 and html: the pictures, the face blurred, or its lines and no picture",
    )
    parser.add_argument("--no-voice", action="store_true", help="in mp4 and html: no sound")
    parser.add_argument(
        "--no-words", action="store_true", help="in all formats: blanks instead of words"
    )
    parser.add_argument("--replace", action="store_true", help="replace files that are there")


def run(args: argparse.Namespace) -> int:
    """Export, and say which files were made and what the session lacks. Raises BadInput."""
    from desktop.export import ExportOptions, Face, export, format_named
    from desktop.progress_bar import ProgressBar
    from extractors.session import Session

    formats = [name for group in args.formats for name in group.split(",") if name]
    for name in formats:
        format_named(name)
    options = ExportOptions(
        face=Face(args.face),
        voice=not args.no_voice,
        words=not args.no_words,
        replace=args.replace,
    )
    if not options.words and options.voice and {"mp4", "html"} & set(formats):
        print("the words can still be heard in mp4 and html: add --no-voice")
    session = Session(args.session)
    with ProgressBar() as bar:
        done = export(session, formats, args.out, options, lambda share: bar.show(share, ""))
        bar.clear()
    missing = dict.fromkeys(line for _, exported in done for line in exported.missing)
    for line in missing:
        print(f"not in the session: {line}")
    for _, exported in done:
        for file in exported.files:
            print(file)
    return 0
