"""What is done with the folder of sessions at every start: repair, and delete what has expired."""

import json
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from assets.errors import SessionError
from desktop.library.session_folder import move_to_trash
from extractors.folder_lock import is_locked
from extractors.manifest_file import write_manifest
from extractors.recording.expiry import Removal, expired
from extractors.session_layout import MANIFEST
from extractors.session_writer import is_session

__all__ = ["delete_for_good", "keep_for", "look_after"]

DOOMED = ".affectscope-deleted-"


def look_after(folder: Path, now: datetime | None = None) -> tuple[str, ...]:
    """Make sessions in `folder` whole that were cut off, then remove those that have expired.

    Returns a line for everything that was done or could not be done; usually none.
    """
    from extractors.recording.repair import repair_all  # the window starts without a decoder

    told = [str(result) for result in repair_all(folder)]
    for left in folder.glob(f"{DOOMED}*"):  # deleting was cut off
        shutil.rmtree(left, ignore_errors=True)
    for session in _sessions(folder):
        how = _removal(session, now or datetime.now(UTC))
        if how is None:
            continue
        try:
            if how == "trash":
                move_to_trash(session)
            else:
                delete_for_good(session)
        except SessionError as error:
            told.append(str(error))
        else:
            place = "moved to the trash" if how == "trash" else "deleted"
            told.append(f"{session.name} has been kept as long as was asked for, and is {place}")
    return tuple(told)


def keep_for(folder: Path, days: int | None, then: Removal = "trash") -> None:
    """Let a session be removed by itself `days` after it was recorded; None keeps it.

    Raises SessionError if it was not recorded, is being recorded, or cannot be written.
    """
    if is_locked(folder):
        raise SessionError(f"{folder} is being recorded; stop the recording first")
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if days is not None and not manifest.get("recorded"):
            raise SessionError(
                f"{folder} has no time of recording to count from; keep it, or trash"
            )
        write_manifest(folder, {**manifest, "keep_days": days, "then": then})
    except (OSError, ValueError, AttributeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise SessionError(f"cannot change how long {folder} is kept: {why}") from error


def delete_for_good(folder: Path) -> None:
    """Remove a session. It loses its name first, so that no half of it looks like a whole.

    Raises SessionError if it is no session, is being recorded, or cannot be removed.
    """
    if not is_session(folder) or folder.is_symlink():
        raise SessionError(f"{folder} is not a session")
    if is_locked(folder):
        raise SessionError(f"{folder} is being recorded; stop the recording first")
    try:
        doomed = Path(tempfile.mkdtemp(prefix=DOOMED, dir=folder.parent))
        folder.rename(doomed / "session")
        shutil.rmtree(doomed)
    except OSError as error:
        raise SessionError(f"cannot delete {folder}: {error.strerror or error}") from error


def _sessions(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_dir() and not path.is_symlink())
    except OSError:
        return []


def _removal(session: Path, now: datetime) -> Removal | None:
    try:
        manifest = json.loads((session / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(manifest, dict) or not is_session(session) or is_locked(session):
        return None
    return expired(manifest, now)
