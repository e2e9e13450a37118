"""Reads a session folder: what `affectscope analyze` and the recorder write."""

import bisect
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from assets.errors import SessionError
from extractors.features import EMOTIONS, FloatArray, Word
from extractors.folder_lock import is_locked
from extractors.landmark_file import declared_rows, read_landmarks
from extractors.session_layout import (
    ANALYSED,
    LANDMARKS_FILE,
    MANIFEST,
    MEDIA,
    RECORDED,
    SESSION,
    TABLE_SUFFIXES,
    VERSION,
    table_path,
)
from extractors.session_lines import LINE_ERRORS, Line, line_of, word_of
from extractors.session_table_reader import first_line, read_table
from extractors.session_tables import PRESENCE, SPACES, edge_column
from extractors.stream import to_seconds
from extractors.timeline import EDGES, Timeline

__all__ = ["Interruption", "Session"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Interruption:
    """Where a recording was cut off."""

    reason: str
    until: float | None
    """Seconds of session time up to which everything was kept; None if the manifest is damaged."""
    lost: tuple[str, ...]
    """What is known to be lost of the time before."""


class Session:
    """A session folder on disk. Files are read when they are first asked for.

    What is missing, damaged or unknown does not keep the rest from being read: it is empty or as
    long as it can be read, and `problems` names it. Raises SessionError only if the folder is not
    a session at all.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self._problems: dict[str, None] = {}
        self._growing = False
        self.manifest: Line = self._read_manifest()

    @property
    def problems(self) -> tuple[str, ...]:
        """What cannot be read, and why, in a line for each; empty for a session that is whole.

        Every file is looked at, but of the large tables only the times are read.
        """
        _ = (self.timeline, self.words, self.markers, self.events, self.health)
        _ = (self._landmark_index, self._landmarks)
        for name in ("voice", "text", *(RECORDED if self._live else ())):
            self.table(name, ["time"])
        if self._live and self._entry("media", "path") is not None and self.media is None:
            self._note(self.folder / MEDIA, "is missing")
        return tuple(self._problems)

    def _note(self, path: Path, why: str) -> None:
        if not self._growing:  # where every file ends in the middle
            self._problems[f"{path.relative_to(self.folder)} {why}"] = None

    def _read_manifest(self) -> Line:
        path = self.folder / MANIFEST
        try:
            manifest = json.loads(path.read_text(encoding="utf-8"))
            if not isinstance(manifest, dict):
                raise ValueError("it is no object")
        except (OSError, ValueError) as error:
            if not self._holds_tables():
                raise SessionError(self._no_session(error)) from None
            missing = isinstance(error, FileNotFoundError)
            self._note(path, "is missing" if missing else f"is damaged: {first_line(error)}")
            return {}
        version = str(manifest.get("format")).removeprefix(SESSION)
        if not version.isdecimal():
            raise SessionError(
                f"{path} has format {manifest.get('format')}; give a video or a session"
            )
        if int(version) > VERSION:
            self._note(path, f"is of the newer format {version}: what {VERSION} knows is shown")
        if manifest.get("state") == "recording":
            living = is_locked(self.folder)
            self._note(path, "says that it is being recorded" if living else "was never completed")
            self._growing = living
        return manifest

    def _holds_tables(self) -> bool:
        places = [table_path(self.folder, name, s) for name in ANALYSED for s in TABLE_SUFFIXES]
        return any(place.exists() for place in (*places, self.folder / MEDIA))

    def _no_session(self, error: Exception) -> str:
        path = self.folder / MANIFEST
        if isinstance(error, NotADirectoryError):
            return f"{self.folder} is a file and not a session; give the folder of a session"
        if isinstance(error, FileNotFoundError):
            return (
                f"{self.folder} is not a session: it has no {MANIFEST}; give a video or a session"
            )
        return f"{path} is damaged: {first_line(error)}"

    def _entry(self, *keys: str) -> Any:
        found: Any = self.manifest
        for key in keys:
            found = found.get(key) if isinstance(found, Mapping) else None
        return found

    @property
    def _live(self) -> bool:
        """Whether the session was recorded and not analysed from a file."""
        return "recorded" in self.manifest or (self.folder / MEDIA).exists()

    @property
    def title(self) -> str:
        """What to call the session."""
        title = self._entry("title") or self._entry("media", "name")
        return str(title or self.folder.name)

    @property
    def began(self) -> datetime | None:
        """When it was recorded: the wall time of session time zero; None if unknown."""
        try:
            return datetime.fromisoformat(str(self._entry("recorded")))
        except ValueError:
            return None

    @property
    def interruption(self) -> Interruption | None:
        """Where the recording was cut off; None of a session that came to its end."""
        entry = self._entry("interruption")
        if not isinstance(entry, Mapping):
            return None
        until, lost = entry.get("until"), entry.get("lost")
        return Interruption(
            str(entry.get("reason") or "the recording did not come to its end"),
            float(until) if isinstance(until, int | float) else None,
            tuple(map(str, lost)) if isinstance(lost, list) else (),
        )

    @property
    def media(self) -> Path | None:
        """Pictures and sound: those that were analysed, if they are still where they were, or
        those that were recorded into the session. None without any."""
        entry = self._entry("media", "path")
        if entry is None and not self.manifest:
            entry = MEDIA
        path = self.folder / str(entry)
        return path if entry is not None and path.is_file() else None

    @cached_property
    def duration(self) -> float:
        """Seconds of session time; where the manifest does not say, up to the last row or word."""
        declared = self._entry("duration")
        if isinstance(declared, int | float) and declared >= 0:
            return float(declared)
        if self._entry("state") != "recording":
            self._note(self.folder / MANIFEST, "has no duration")
        times = [table["time"].to_numpy() for table in map(self._times, ("timeline", "face"))]
        ends = [float(time[-1]) for time in times if len(time)]
        return max([*ends, *(to_seconds(word.end) for word in self.words)], default=0.0)

    def _times(self, name: str) -> Any:
        return self.table(name, ["time"])

    @cached_property
    def timeline(self) -> Timeline:
        """The emotion timeline."""
        return _timeline(self.table("timeline"))

    @cached_property
    def words(self) -> tuple[Word, ...]:
        """The words in the order of time."""
        words = self._read_lines("words", word_of)
        if any(b.start < a.start for a, b in pairwise(words)):
            self._note(self.folder / "words.jsonl", "has times that go backwards; they are sorted")
        return tuple(sorted(words, key=lambda word: word.start))

    @cached_property
    def markers(self) -> tuple[Line, ...]:
        """What was marked: `time` in seconds, `label` and `note`."""
        return self._read_lines("markers", line_of)

    @cached_property
    def events(self) -> tuple[Line, ...]:
        """What happened to the recording: `time` in seconds, `kind`, `text`, `details`."""
        return self._read_lines("events", line_of)

    @cached_property
    def health(self) -> tuple[Line, ...]:
        """How the program was doing: `time` in seconds and whatever it measured."""
        return self._read_lines("health", line_of)

    def _read_lines(self, name: str, parse: Callable[[Any], T]) -> tuple[T, ...]:
        path = self.folder / f"{name}.jsonl"
        if not (name == "words" or self._live or path.exists()):
            return ()
        try:
            lines = path.read_bytes().splitlines()
        except OSError as error:
            missing = isinstance(error, FileNotFoundError)
            self._note(path, "is missing" if missing else f"cannot be read: {first_line(error)}")
            return ()
        parsed: list[T] = []
        for number, line in enumerate(lines, 1):
            try:
                parsed.append(parse(json.loads(line)))
            except LINE_ERRORS:
                self._note(path, f"is damaged: line {number} is left out")
        return tuple(parsed)

    def table(self, name: str, columns: Sequence[str] | None = None) -> Any:
        """A table as a pyarrow.Table, in the order of time.

        `name` is "timeline", "face", "voice", "text", or, of a recording, "pictures" or "sound".
        """
        table = read_table(self.folder, name, columns, self._note)
        rows = self._entry("streams", name, "rows")
        if isinstance(rows, int) and len(table) < rows:  # Parquet has no checksum of its index
            self._note(table_path(self.folder, name), f"has {len(table)} of {rows} rows")
        return table

    def landmarks_at(self, time: float) -> FloatArray | None:
        """Landmarks [478, 3] of the newest picture at or before `time` seconds; None if no face.

        x and y are fractions of the picture's width and height.
        """
        times, rows = self._landmark_index
        index = bisect.bisect_right(times, time) - 1
        if index < 0 or not 0 <= rows[index] < len(self._landmarks):
            return None
        return np.asarray(self._landmarks[rows[index]], np.float32)

    @cached_property
    def _landmark_index(self) -> tuple[list[float], list[int]]:
        table = self.table("face", ["time", "landmark_row"])
        rows = [-1 if row is None else row for row in table["landmark_row"].to_pylist()]
        return table["time"].to_pylist(), rows

    @cached_property
    def _landmarks(self) -> Any:
        path = self.folder / LANDMARKS_FILE
        try:
            landmarks = read_landmarks(path)
            expected = max(declared_rows(path), max(self._landmark_index[1], default=-1) + 1)
        except SessionError:
            self._note(path, "cannot be read" if path.exists() else "is missing")
            return ()
        if expected > len(landmarks):
            self._note(path, f"is cut off: it has {len(landmarks)} of {expected} rows")
        return landmarks


def _timeline(table: Any) -> Timeline:
    def columns(names: Sequence[str]) -> Any:
        return np.stack([table[name].to_numpy(zero_copy_only=False) for name in names], axis=1)

    homogeneous, heterogeneous = (
        columns([edge_column(space, edge) for edge in EDGES]) for space in SPACES
    )
    return Timeline(
        time=table["time"].to_numpy(),
        emotions=columns(EMOTIONS),
        sentiment=np.asarray(table["sentiment"].to_numpy(zero_copy_only=False), np.float32),
        present=columns(PRESENCE).astype(np.bool_),
        homogeneous=homogeneous,
        heterogeneous=heterogeneous,
        uncertainty=np.asarray(table["uncertainty"].to_numpy(zero_copy_only=False), np.float32),
    )
