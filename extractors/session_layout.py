"""Which file of a session folder holds what. See docs/formats.md."""

from pathlib import Path

__all__ = [
    "ANALYSED",
    "BASELINE_SUFFIX",
    "FORMAT",
    "LANDMARKS_FILE",
    "LINES",
    "MANIFEST",
    "MEDIA",
    "RECORDED",
    "RESERVE",
    "SESSION",
    "STANDBY",
    "TABLE_SUFFIXES",
    "TENTATIVE",
    "VERSION",
    "baseline_path",
    "table_path",
]

SESSION = "affectscope-session-"
VERSION = 2
FORMAT = f"{SESSION}{VERSION}"
MANIFEST = "manifest.json"
MEDIA = "media.mkv"
RESERVE = ".reserve"
"""Room that is kept while recording, so that a full disk still takes the manifest."""
STANDBY = ".standby"
"""While recording: names where writes are kept that the disk has not taken yet."""
TENTATIVE = {"timeline": "tentative.arrows", "voice": "tentative_voice.arrows"}
"""While it is recorded: rows of tables that are not settled; those after the last that is count."""
BASELINE_SUFFIX = ".baseline"
"""Of a file with somebody at rest, to whom predictions are fitted."""
LINES = ("words", "markers", "events", "health")
"""Names of the files of JSON lines."""
LANDMARKS_FILE = "features/landmarks.npy"
ANALYSED = ("timeline", "face", "voice", "text")
"""Tables of every session."""
RECORDED = ("pictures", "sound")
"""Tables that a recording has as well: what was captured when."""
TABLE_SUFFIXES = (".parquet", ".arrows")
"""Of a table, and of one that is or was being recorded."""

FOLDERS = {"timeline": "", "pictures": "capture", "sound": "capture"}


def baseline_path(folder: Path, sha256: str) -> Path:
    """Where somebody at rest lies to whom predictions of a live session were fitted."""
    return folder / "baselines" / f"{sha256}{BASELINE_SUFFIX}"


def table_path(folder: Path, name: str, suffix: str = TABLE_SUFFIXES[0]) -> Path:
    """Where a table lies."""
    return folder / FOLDERS.get(name, "features") / f"{name}{suffix}"
