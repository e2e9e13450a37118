"""What a person does with a session: give it a title, write notes, throw it away."""

import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from assets.errors import SessionError
from extractors.folder_lock import is_locked
from extractors.manifest_file import write_manifest
from extractors.session_layout import MANIFEST
from extractors.session_writer import is_session

__all__ = ["NOTES", "move_to_trash", "notes_of", "rename", "write_notes"]

NOTES = "notes.txt"
LONGEST_TITLE = 200


def rename(folder: Path, title: str) -> None:
    """Change the title; the folder keeps its name, so that nothing that points to it breaks.

    Raises SessionError if the title is empty, or the session is being recorded or not writable.
    """
    title = " ".join(title.split())[:LONGEST_TITLE]
    if not title:
        raise SessionError(f"{folder} needs a title of at least one letter")
    _check(folder)
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        write_manifest(folder, {**manifest, "title": title})
    except (OSError, ValueError) as error:
        raise SessionError(f"cannot rename {folder}: {_why(error)}") from error


def notes_of(folder: Path) -> str:
    """The notes; empty if there are none or they cannot be read."""
    try:
        return (folder / NOTES).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def write_notes(folder: Path, text: str) -> None:
    """Replace the notes by `text`; empty notes are removed. Raises SessionError."""
    _check(folder, recording=True)
    try:
        if not text.strip():
            (folder / NOTES).unlink(missing_ok=True)
            return
        handle, beside = tempfile.mkstemp(prefix=".notes-", dir=folder)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
                file.write(text)
            Path(beside).replace(folder / NOTES)
        except BaseException:
            with suppress(OSError):
                Path(beside).unlink()
            raise
    except OSError as error:
        raise SessionError(f"cannot write the notes of {folder}: {_why(error)}") from error


def move_to_trash(folder: Path) -> None:
    """Move the session to the trash of the desktop, from where it can be taken back.

    Raises SessionError if it is being recorded, or there is no trash on its disk.
    """
    from send2trash import TrashPermissionError, send2trash

    _check(folder)
    try:
        send2trash(folder)
    except (OSError, TrashPermissionError) as error:
        raise SessionError(f"cannot move {folder} to the trash: {_why(error)}") from error


def _check(folder: Path, *, recording: bool = False) -> None:
    if not is_session(folder):
        raise SessionError(f"{folder} is not a session")
    if not recording and is_locked(folder):
        raise SessionError(f"{folder} is being recorded; stop the recording first")


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
