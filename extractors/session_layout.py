"""Which file of a session folder holds what. See docs/formats.md."""

from pathlib import Path

__all__ = [
    "ANALYSED",
    "FORMAT",
    "LANDMARKS_FILE",
    "LINES",
    "MANIFEST",
    "MEDIA",
    "READABLE",
    "SESSION",
    "VERSION",
    "table_path",
]

SESSION = "affectscope-session-"
VERSION = 2
FORMAT = f"{SESSION}{VERSION}"
READABLE = tuple(f"{SESSION}{version}" for version in range(1, VERSION + 1))
MANIFEST = "manifest.json"
MEDIA = "media.mkv"
LINES = ("words", "markers", "events", "health")
"""Names of the files of JSON lines."""
LANDMARKS_FILE = "features/landmarks.npy"
ANALYSED = ("timeline", "face", "voice", "text")
"""Tables of every session; a recording has `pictures` and `sound` as well."""

FOLDERS = {"timeline": "", "pictures": "capture", "sound": "capture"}


def table_path(folder: Path, name: str, suffix: str = ".parquet") -> Path:
    """Where a table lies: ".parquet", or ".arrows" while it is recorded."""
    return folder / FOLDERS.get(name, "features") / f"{name}{suffix}"
