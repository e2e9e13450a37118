"""Makes sessions whole that were cut off: by a crash, a power cut, a full disk."""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assets.errors import SessionError
from extractors.folder_lock import is_locked, lock_folder
from extractors.landmark_file import HEADER, ROW, landmark_header
from extractors.manifest_file import make_durable, write_manifest
from extractors.recording.arrow_stream import SUFFIX
from extractors.recording.media_repair import repair_media
from extractors.recording.sealing import columns_of, seal
from extractors.recording.standby import take_over
from extractors.session_layout import LANDMARKS_FILE, LINES, MANIFEST, MEDIA, RESERVE, STANDBY
from extractors.session_lines import LINE_ERRORS, parser_of
from extractors.session_table_reader import first_line

__all__ = ["Repaired", "make_whole", "repair", "repair_all", "unfinished"]

CUT_OFF = "the program ended before the recording did"
AT_MOST = 2.0
"""Seconds before it was cut off of which nothing may be left."""


UNSYNCED = 1024
"""Rows of landmarks at the end among which some may have a place in the file and no bytes."""


@dataclass(frozen=True, slots=True)
class Repaired:
    """A session that is whole again."""

    folder: Path
    until: float
    """Seconds of session time that are there."""
    lost: tuple[str, ...]
    """What is known to be lost, beside the last moments before it was cut off."""

    def __str__(self) -> str:
        if not self.folder.exists():
            return f"{self.folder.name} was cut off before anything was recorded, and is removed"
        lost = "".join(f"; lost: {what}" for what in self.lost)
        return (
            f"{self.folder.name} was cut off and is whole again: {self.until:.1f} s are there, "
            f"at most {AT_MOST:g} s more are lost{lost}"
        )


def unfinished(root: Path) -> tuple[Path, ...]:
    """Sessions directly in `root` that were cut off and that nobody is recording, by name."""
    try:
        folders = sorted(path for path in root.iterdir() if path.is_dir())
    except OSError:
        return ()
    return tuple(folder for folder in folders if _is_unfinished(folder))


def _is_unfinished(folder: Path) -> bool:
    begun = _manifest(folder).get("state") == "recording" or (folder / f"{MANIFEST}.new").exists()
    streams = [*folder.glob(f"*{SUFFIX}"), *folder.glob(f"*/*{SUFFIX}")]
    return (begun or bool(streams)) and not is_locked(folder)


def repair_all(root: Path) -> tuple[Repaired | SessionError, ...]:
    """Repair what is unfinished in `root`; what cannot be repaired is told and left as it is."""
    results: list[Repaired | SessionError] = []
    for folder in unfinished(root):
        try:
            results.append(repair(folder))
        except SessionError as error:
            results.append(error)
    return tuple(results)


def repair(folder: Path) -> Repaired:
    """Make a session whole that was cut off. Doing it again, or being cut off in it, does no harm.

    Raises SessionError if it is being recorded or cannot be written.
    """
    try:
        lock = lock_folder(folder)
    except BlockingIOError:
        raise SessionError(f"{folder} is still being recorded; stop that first") from None
    except OSError as error:
        raise SessionError(f"cannot repair {folder}: {first_line(error)}") from error
    try:
        with suppress(OSError):  # what the disk takes; the rest is told to be lost
            take_over(folder)
        manifest = _manifest(folder)
        state = "repaired" if manifest.get("state", "recording") == "recording" else None
        return make_whole(folder, manifest, state or str(manifest["state"]), CUT_OFF)
    except OSError as error:
        raise SessionError(f"cannot repair {folder}: {first_line(error)}") from error
    finally:
        os.close(lock)


def make_whole(folder: Path, manifest: Mapping[str, Any], state: str, reason: str) -> Repaired:
    """Bring every file of a recording into order and write its manifest. Raises OSError.

    The caller has locked the folder.
    """
    for left in (
        *folder.glob("*.new"),
        *folder.glob("*/*.new"),
        folder / RESERVE,
        folder / STANDBY,
    ):
        left.unlink(missing_ok=True)  # what this function left when it was itself cut off, and room
    landmarks = _repair_landmarks(folder / LANDMARKS_FILE)
    lost = [*_repair_all_lines(folder)]
    media = repair_media(folder / MEDIA)
    if (named := _rows_beyond(folder, landmarks)) > 0:
        lost.append(f"the landmarks of {named} pictures")
    found = seal(folder, landmarks)
    if media is not None and (pictures := _pictures_after(folder, media.pictures_until)) > 0:
        lost.append(f"the last {pictures} pictures")
    lines = any((folder / f"{name}.jsonl").stat().st_size for name in LINES)
    if media is None and not (
        landmarks or lines or any(t["rows"] for t in found["streams"].values())
    ):
        shutil.rmtree(folder)
        return Repaired(folder, 0.0, ())
    found["duration"] = max(found["duration"], _last_line(folder))
    entry = {"name": folder.name, **manifest.get("media", {}), "path": None}
    if media is not None:
        entry.update(path=MEDIA, **media.describe())
        found["duration"] = max(found["duration"], media.until)
    entries = {
        **manifest,
        **found,
        "media": entry,
        "state": state,
        "interruption": {"reason": reason, "until": found["duration"], "lost": lost},
    }
    entries.setdefault("recorded", None)
    write_manifest(folder, entries)
    return Repaired(folder, found["duration"], tuple(lost))


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(manifest, dict):
        return {}
    manifest.pop("format", None)
    return manifest


def _repair_landmarks(path: Path) -> int:
    """Cut what is not a whole row, and rows that were never written. Returns how many are left."""
    path.parent.mkdir(exist_ok=True)
    with path.open("r+b" if path.exists() else "w+b") as file:
        rows = max(0, (os.fstat(file.fileno()).st_size - HEADER) // ROW)
        for row in range(max(0, rows - UNSYNCED), rows):
            file.seek(HEADER + row * ROW)
            if not any(file.read(ROW)):
                rows = row
                break
        file.truncate(HEADER + rows * ROW if rows else 0)
        file.seek(0)
        file.write(landmark_header(rows))
    make_durable(path)
    return rows


def _rows_beyond(folder: Path, landmarks: int) -> int:
    pieces = columns_of(folder, "face", ["landmark_row"])
    return sum(int((piece["landmark_row"] >= landmarks).sum()) for piece in pieces)


def _pictures_after(folder: Path, until: float) -> int:
    """Pictures whose times say that they were written, later than the file has any."""
    pieces = columns_of(folder, "pictures", ["written"])
    return sum(int((piece["written"] > until + 0.0005).sum()) for piece in pieces)


def _repair_all_lines(folder: Path) -> Iterator[str]:
    for name in LINES:
        path = folder / f"{name}.jsonl"
        path.touch()
        damaged = _repair_lines(path, parser_of(name))
        if damaged:
            yield f"{damaged} damaged line{'s' if damaged > 1 else ''} of {path.name}"


def _repair_lines(path: Path, parse: Callable[[Any], Any]) -> int:
    """Leave out what is no whole line, or cannot be read. Returns how many lines that are."""
    lines = path.read_bytes().splitlines(keepends=True)
    good = [line for line in lines if _is_whole(line, parse)]
    if len(good) == len(lines):
        return 0
    beside = path.with_suffix(".jsonl.new")
    beside.write_bytes(b"".join(good))
    make_durable(beside)
    beside.replace(path)
    return len(lines) - len(good)


def _last_line(folder: Path) -> float:
    """Session seconds of the latest line of any file of lines."""
    last = 0.0
    for name in LINES:
        for line in (folder / f"{name}.jsonl").read_bytes().splitlines():
            entry = json.loads(line)
            last = max(last, float(entry["end" if name == "words" else "time"]))
    return last


def _is_whole(line: bytes, parse: Callable[[Any], Any]) -> bool:
    try:
        parse(json.loads(line))
    except LINE_ERRORS:
        return False
    return line.endswith(b"\n")
