"""Sessions of recordings that were opened in the window, so that opening one again is instant."""

import hashlib
import shutil
from collections.abc import Iterable
from pathlib import Path

from assets.errors import SessionError
from extractors.session import Session

__all__ = ["KEPT", "cache_folder", "cached_session", "forget_old", "place_for"]

KEPT = 20
"""Sessions that stay; the longest unused go first."""


def cache_folder() -> Path:
    """Folder of the sessions: "sessions" in the user's cache."""
    import platformdirs

    return platformdirs.user_cache_path("affectscope") / "sessions"


def place_for(media: Path, checkpoint: Path) -> Path:
    """Folder of the session of this very file and this very checkpoint."""
    parts = [str(media.resolve())]
    for file in (media, checkpoint):
        found = file.stat()
        parts += [str(found.st_size), str(found.st_mtime_ns)]
    key = hashlib.sha256("\0".join(parts).encode(errors="surrogateescape")).hexdigest()
    return cache_folder() / key[:24]


def cached_session(folder: Path) -> Session | None:
    """The session in `folder`, or None if there is none that can be read whole."""
    try:
        session = Session(folder)
    except SessionError:
        return None
    if session.problems:
        return None
    (folder / "manifest.json").touch()  # says when it was last used
    return session


def forget_old(folders: Iterable[Path], kept: int = KEPT) -> None:
    """Remove all but the `kept` sessions that were used last."""

    def used(folder: Path) -> int:
        manifest = folder / "manifest.json"
        return manifest.stat().st_mtime_ns if manifest.is_file() else 0

    for folder in sorted(folders, key=used, reverse=True)[kept:]:
        shutil.rmtree(folder, ignore_errors=True)
