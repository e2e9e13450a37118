"""Where the library and its index lie."""

import hashlib
import os
from pathlib import Path

__all__ = ["index_file", "library_folder"]


def library_folder() -> Path:
    """$AFFECTSCOPE_SESSIONS, else "Affectscope" in the user's folder of videos."""
    import platformdirs

    chosen = os.environ.get("AFFECTSCOPE_SESSIONS")
    return Path(chosen) if chosen else platformdirs.user_videos_path() / "Affectscope"


def index_file(folder: Path) -> Path:
    """The index of a folder of sessions, in the user's cache: the folder may be read-only."""
    import platformdirs

    name = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:16]
    return platformdirs.user_cache_path("affectscope") / "library" / f"{name}.sqlite"
