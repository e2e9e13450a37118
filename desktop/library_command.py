"""`affectscope library list|search|rebuild|rename|notes|keep|trash`: the sessions in a folder."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from desktop.argument_types import day, days_or_forever, probability

if TYPE_CHECKING:
    from desktop.library import Entry

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions and their options."""
    actions = parser.add_subparsers(title="actions", dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="all sessions, the newest first")
    searching = actions.add_parser("search", help="sessions by words, date, markers and peaks")
    searching.add_argument("words", nargs="*", metavar="WORD", help="spoken in one sentence")
    searching.add_argument("--since", type=day, metavar="YYYY-MM-DD")
    searching.add_argument("--until", type=day, metavar="YYYY-MM-DD", help="the last day")
    searching.add_argument("--marker", default="", metavar="TEXT", help="part of a marker")
    searching.add_argument("--emotion", metavar="NAME", help="an emotion that peaks")
    searching.add_argument(
        "--least", type=probability, metavar="P", help="of its peak; default: 0.5"
    )
    rebuilding = actions.add_parser("rebuild", help="make the index anew from the folders")
    for action in (listing, searching):
        action.add_argument("--json", action="store_true", help="print one JSON object per session")
    for action in (listing, searching, rebuilding):
        action.add_argument(
            "--folder", type=Path, metavar="DIR", help="of sessions; default: Videos/Affectscope"
        )
    renaming = actions.add_parser("rename", help="give a session another title")
    renaming.add_argument("session", type=Path, metavar="SESSION")
    renaming.add_argument("title", metavar="TITLE")
    noting = actions.add_parser("notes", help="print the notes of a session, or replace them")
    noting.add_argument("session", type=Path, metavar="SESSION")
    noting.add_argument("text", nargs="?", metavar="TEXT", help='"-" reads standard input')
    keeping = actions.add_parser("keep", help="say for how long a recorded session is kept")
    keeping.add_argument("session", type=Path, metavar="SESSION")
    keeping.add_argument("days", type=days_or_forever, metavar="DAYS", help='or "forever"')
    keeping.add_argument(
        "--delete", action="store_true", help="then delete it for good (default: to the trash)"
    )
    trashing = actions.add_parser("trash", help="move sessions to the trash")
    trashing.add_argument("sessions", nargs="+", type=Path, metavar="SESSION")


def run(args: argparse.Namespace) -> int:
    """Carry out the chosen action. Raises BadInput."""
    from desktop import library

    if args.action == "rename":
        library.rename(_session(args.session), args.title)
    elif args.action == "notes":
        session = _session(args.session)
        if args.text is None:
            print(library.notes_of(session))
        else:
            text = sys.stdin.read() if args.text == "-" else args.text
            library.write_notes(session, text)
    elif args.action == "trash":
        for session in [_session(name) for name in args.sessions]:
            library.move_to_trash(session)
    elif args.action == "keep":
        session = _session(args.session)
        library.keep_for(session, args.days, "delete" if args.delete else "trash")
    else:
        _look(args)
    return 0


def _session(name: Path) -> Path:
    """A session by its path or, in the library, by the name of its folder. Raises BadInput."""
    from assets.errors import BadInput
    from desktop.library import library_folder
    from extractors.session_writer import is_session

    inside = library_folder() / name
    for folder in (name, inside):
        if is_session(folder):
            return folder
    raise BadInput(f"{name} is not a session, nor is {inside}; `affectscope library list` has all")


def _look(args: argparse.Namespace) -> None:
    from assets.errors import BadInput
    from desktop.library import PEAK, Library, Query, library_folder, look_after

    query = Query()
    if args.action == "search":
        words = " ".join(args.words)
        if args.least is not None and args.emotion is None:
            raise BadInput("--least goes with --emotion; name one, or drop it")
        least = PEAK if args.least is None else args.least
        query = Query(words, args.since, args.until, args.marker, args.emotion, least)
    folder = args.folder or library_folder()
    if args.folder is not None and not folder.is_dir():
        raise BadInput(f"there is no folder {folder}")
    for line in look_after(folder):
        print(line, file=sys.stderr)
    with Library(folder) as library:
        if args.action == "rebuild":
            print(f"{library.rebuild()} sessions in {folder}")
            return
        library.refresh()
        found = library.find(query)
    for entry in found:
        print(json.dumps(_as_json(entry)) if args.json else _as_text(entry))
    if not found and not args.json:
        print(f"no such session in {folder}" if args.action == "search" else f"none in {folder}")


def _as_json(entry: "Entry") -> dict[str, Any]:
    return {
        "session": str(entry.folder),
        "title": entry.title,
        "began": entry.began.isoformat(timespec="seconds") if entry.began else None,
        "duration": entry.duration,
        "words": entry.words,
        "markers": entry.markers,
        "strongest": entry.strongest,
        "notes": entry.notes,
        "problem": entry.problem,
        "interruption": entry.interruption,
        "hits": [{"time": hit.time, "text": hit.text} for hit in entry.hits],
    }


def _as_text(entry: "Entry") -> str:
    when = f"{entry.began:%Y-%m-%d %H:%M}" if entry.began else " " * 16
    facts = [f"{entry.duration:.0f} s", f"{entry.words} words"]
    if entry.markers:
        facts.append(f"{entry.markers} markers")
    if entry.strongest:
        facts.append(f"mostly {entry.strongest}")
    lines = [f"{when}  {entry.title}  ({', '.join(facts)})  {entry.folder}"]
    lines += [f"{hit.time:16.1f}  {hit.text}" for hit in entry.hits]
    if entry.interruption:
        lines.append(f"{'!':>16}  {entry.interruption}")
    if entry.problem:
        lines.append(f"{'!':>16}  {entry.problem}")
    return "\n".join(lines)
