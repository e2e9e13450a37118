"""Where the window meets the rest: a path becomes a recording."""

from pathlib import Path

import assets
from assets.errors import BadInput
from desktop.loaded_recording import LoadedRecording
from desktop.recording import Recording

__all__ = ["open_recording", "sample_clip"]


def open_recording(path: Path) -> Recording:
    """A session folder is read, a video is analysed while it plays.

    Returns at once: models load and analysis runs in threads of the recording.
    Raises BadInput if there is nothing to open at `path`.
    """
    if not path.exists():
        raise BadInput(f"{path}: no such file or session folder")
    return LoadedRecording(path)


def sample_clip() -> Path | None:
    """The clip that comes with the program; None where it was left out."""
    clips = sorted((Path(assets.__file__).parent / "sample").glob("*.mp4"))
    return clips[0] if clips else None
