"""Reads a session folder: what `affectscope analyze` and the recorder write."""

import bisect
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from assets.errors import SessionError
from extractors.features import EMOTIONS, FloatArray, Word
from extractors.landmark_file import read_landmarks
from extractors.session_layout import FORMAT, MANIFEST, READABLE, table_path
from extractors.session_tables import PRESENCE, SPACES, edge_column
from extractors.stream import from_seconds
from extractors.timeline import EDGES, Timeline

__all__ = ["Session"]


class Session:
    """A session folder on disk. Files are read when they are first asked for.

    Raises SessionError, naming the file, if the folder is not a session or something in it is
    missing, damaged or of a newer version.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self.manifest: Mapping[str, Any] = self._read_manifest()

    def _read_manifest(self) -> Mapping[str, Any]:
        path = self.folder / MANIFEST
        try:
            manifest = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise SessionError(
                f"{self.folder} is not a session: it has no {MANIFEST}; give a video or a session"
            ) from None
        except (OSError, ValueError) as error:
            raise SessionError(f"{path} is damaged: {error}") from error
        found = manifest.get("format") if isinstance(manifest, dict) else None
        if not isinstance(manifest, dict) or found not in READABLE:
            raise SessionError(f"{path} has format {found}, this version reads {FORMAT}")
        return manifest

    @property
    def title(self) -> str:
        """What to call the session."""
        media = self.manifest.get("media")
        name = media.get("name") if isinstance(media, Mapping) else None
        return str(self.manifest.get("title") or name or self.folder.name)

    @property
    def media(self) -> Path | None:
        """Pictures and sound: those that were analysed, if they are still where they were, or
        those that were recorded into the session. None without any."""
        entry = self._entry("media", "path")
        path = self.folder / str(entry)
        return path if entry is not None and path.is_file() else None

    @property
    def duration(self) -> float:
        """Seconds of session time."""
        try:
            return float(self._entry("duration"))
        except (TypeError, ValueError):
            raise SessionError(f"{self.folder / MANIFEST} is damaged: no duration") from None

    def _entry(self, *keys: str) -> Any:
        found: Any = self.manifest
        for key in keys:
            if not isinstance(found, Mapping) or key not in found:
                raise SessionError(f"{self.folder / MANIFEST} is damaged: it lacks {keys[-1]}")
            found = found[key]
        return found

    @cached_property
    def timeline(self) -> Timeline:
        """The emotion timeline."""
        table = self.table("timeline")
        try:
            return _timeline(table)
        except (KeyError, ValueError, TypeError) as error:
            path = self.folder / "timeline.parquet"
            raise SessionError(f"{path} cannot be read: {error}") from error

    @cached_property
    def words(self) -> tuple[Word, ...]:
        """The words in the order of time."""
        path = self.folder / "words.jsonl"
        try:
            lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
            return tuple(
                Word(
                    line["word"],
                    from_seconds(line["start"]),
                    from_seconds(line["end"]),
                    line["probability"],
                )
                for line in lines
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SessionError(f"{path} cannot be read: {error}") from error

    @cached_property
    def markers(self) -> tuple[Mapping[str, Any], ...]:
        """What was marked: `time` in seconds, `label` and `note`; empty unless recorded live."""
        return self._lines("markers")

    @cached_property
    def events(self) -> tuple[Mapping[str, Any], ...]:
        """What happened to the recording: `time` in seconds, `kind`, `text`, `details`."""
        return self._lines("events")

    @cached_property
    def health(self) -> tuple[Mapping[str, Any], ...]:
        """How the program was doing: `time` in seconds and whatever it measured."""
        return self._lines("health")

    def _lines(self, name: str) -> tuple[Mapping[str, Any], ...]:
        path = self.folder / f"{name}.jsonl"
        if not path.exists():
            return ()
        try:
            text = path.read_text(encoding="utf-8")
            return tuple(json.loads(line) for line in text.splitlines())
        except (OSError, ValueError) as error:
            raise SessionError(f"{path} cannot be read: {error}") from error

    def table(self, name: str, columns: Sequence[str] | None = None) -> Any:
        """A table as a pyarrow.Table: "timeline", "face", "voice", "text", "pictures", "sound"."""
        import pyarrow
        import pyarrow.parquet

        path = table_path(self.folder, name)
        try:
            with path.open("rb") as file:  # Arrow itself refuses names that are not UTF-8
                return pyarrow.parquet.read_table(file, columns=columns)
        except (OSError, pyarrow.ArrowException) as error:
            raise SessionError(f"{path} cannot be read: {error}") from error

    def landmarks_at(self, time: float) -> FloatArray | None:
        """Landmarks [478, 3] of the newest picture at or before `time` seconds; None if no face.

        x and y are fractions of the picture's width and height.
        """
        times, rows = self._landmark_index
        index = bisect.bisect_right(times, time) - 1
        if index < 0 or rows[index] < 0:
            return None
        return np.asarray(self._landmarks[rows[index]], np.float32)

    @cached_property
    def _landmark_index(self) -> tuple[list[float], list[int]]:
        table = self.table("face", ["time", "landmark_row"])
        rows = table["landmark_row"].to_pylist()
        if max(rows, default=-1) >= len(self._landmarks):
            raise SessionError(f"{self.folder / 'features' / 'landmarks.npy'} ends too early")
        return table["time"].to_pylist(), rows

    @cached_property
    def _landmarks(self) -> Any:
        return read_landmarks(self.folder / "features" / "landmarks.npy")


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
    )
