"""Writes a session folder. It bears its name only when it is whole."""

import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from assets.errors import SessionError
from extractors.features import FaceFeatures, FloatArray, TextContext, VoiceFeatures
from extractors.folder_lock import lock_folder
from extractors.landmark_file import LandmarkWriter
from extractors.manifest_file import write_manifest
from extractors.parquet_table import ParquetTable, quietly
from extractors.session_layout import (
    ANALYSED,
    LANDMARKS_FILE,
    MANIFEST,
    SESSION,
    table_path,
)
from extractors.session_tables import (
    face_row,
    text_row,
    timeline_rows,
    voice_row,
    word_line,
)
from extractors.stream import Sample
from extractors.timeline import Timeline

__all__ = ["SessionWriter", "is_session", "session_folder"]

LONGEST_NAME = 200
"""Bytes; file systems commonly take 255."""


def session_folder(out: Path, media: Path, taken: Iterable[Path] = ()) -> Path:
    """The folder in `out` for a recording: its name without extension, numbered if in `taken`.

    Very long names are cut, so that there is room for what is added while it is written.
    """
    taken = set(taken)
    stem = os.fsdecode(os.fsencode(media.stem.strip(". "))[:LONGEST_NAME]) or "session"
    folder, number = out / stem, 2
    while folder in taken:
        folder, number = out / f"{stem}-{number}", number + 1
    return folder


class SessionWriter:
    """A session folder in the making, as a context manager.

    Everything goes into a hidden folder beside the final one. `finish` writes the manifest and
    gives the folder its name; a session of that name that was there is replaced. Left without
    `finish`, whatever was written is removed. Used by one thread at a time.
    """

    def __init__(self, folder: Path) -> None:
        """Raises SessionError if the place cannot be written or holds something else."""
        self.folder = folder
        self._lock = -1
        self._open: list[Callable[[], None]] = []
        """What frees the files again, if it comes to that."""
        try:
            self._place = folder.resolve()
            if os.path.lexists(self._place) and not is_session(self._place):
                raise SessionError(f"{folder} exists and is not a session; choose another --out")
            self.partial = self._beside("partial")
            self._place.parent.mkdir(parents=True, exist_ok=True)
            _clear_up(self._place)
            self.partial.mkdir()
        except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links
            raise self._cannot(error) from error
        try:
            self._lock = lock_folder(self.partial)
            self._open_files()
        except OSError as error:
            self.discard()
            raise self._cannot(error) from error
        except BaseException:
            self.discard()
            raise

    def _open_files(self) -> None:
        (self.partial / "features").mkdir()
        self._landmarks = LandmarkWriter(self.landmark_path)
        self._open.append(self._landmarks.close)
        self._words = (self.partial / "words.jsonl").open("w", encoding="utf-8")
        self._open.append(self._words.close)
        self._tables: dict[str, ParquetTable] = {}
        for name in ANALYSED:
            self._tables[name] = ParquetTable(table_path(self.partial, name), name)
            self._open.append(self._tables[name].discard)

    def _beside(self, kind: str) -> Path:
        return self._place.parent / f".{self._place.name}.{os.getpid()}.{kind}"

    @property
    def landmark_path(self) -> Path:
        """The file of landmarks while the session is in the making."""
        return self.partial / LANDMARKS_FILE

    def add_face(self, sample: Sample[FaceFeatures]) -> int:
        """Add what is known of a face in one picture. Returns its row of landmarks, or -1."""
        with self._writing():
            row = -1
            if sample.data.landmarks is not None:
                row = self._landmarks.rows
                self._landmarks.append(sample.data.landmarks)
            self._tables["face"].add(face_row(sample, row))
        return row

    def add_voice(self, sample: Sample[VoiceFeatures]) -> None:
        """Add a tenth of a second of voice."""
        with self._writing():
            self._tables["voice"].add(voice_row(sample))

    def add_text(self, sample: Sample[TextContext]) -> None:
        """Add the newest word and its state."""
        with self._writing():
            self._words.write(json.dumps(word_line(sample.data.words[-1]), ensure_ascii=False))
            self._words.write("\n")
            self._tables["text"].add(text_row(sample))

    def add_timeline(self, timeline: Timeline, activations: Mapping[str, FloatArray]) -> None:
        """Add predictions with the activations of both dictionaries."""
        with self._writing():
            for row in timeline_rows(timeline, activations):
                self._tables["timeline"].add(row)

    def finish(self, manifest: Mapping[str, Any]) -> Path:
        """Complete the session and give the folder its name. Returns the folder."""
        with self._writing():
            self._words.close()
            self._landmarks.close()
            for table in self._tables.values():
                table.close()
            write_manifest(self.partial, manifest)
            self._replace()
        return self.folder

    def _replace(self) -> None:
        """Put the new folder in the place of the old one, which stays if that fails."""
        old = self._beside("old")
        try:
            if self._place.exists():
                self._place.rename(old)
            self.partial.rename(self._place)
        except BaseException:
            if old.exists() and not self._place.exists():
                old.rename(self._place)
            raise
        finally:
            if self._place.exists():
                shutil.rmtree(old, ignore_errors=True)
        self._unlock()

    def discard(self) -> None:
        """Remove what was written, unless the session is finished. Twice does no harm."""
        if not self.partial.exists():
            return
        for close in self._open:
            quietly(close)
        shutil.rmtree(self.partial, ignore_errors=True)
        self._unlock()

    def _unlock(self) -> None:
        lock, self._lock = self._lock, -1
        if lock >= 0:
            os.close(lock)

    def _writing(self) -> "_Writing":
        return _Writing(self)

    def _cannot(self, error: Exception) -> SessionError:
        why = getattr(error, "strerror", None) or str(error)
        return SessionError(f"cannot write the session {self.folder}: {why}; choose another --out")

    def __enter__(self) -> "SessionWriter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.discard()


class _Writing:
    """Turns what goes wrong while writing into one line that names the session."""

    def __init__(self, writer: SessionWriter) -> None:
        self._writer = writer

    def __enter__(self) -> None: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, OSError):
            raise self._writer._cannot(error) from error


def is_session(folder: Path) -> bool:
    """Whether the folder holds a session of any version: many other things have a manifest."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(manifest, dict) and str(manifest.get("format")).startswith(SESSION)


def _clear_up(place: Path) -> None:
    """Remove what a process that was killed left beside `place`; a session it took away returns.

    A folder that a living process still writes is locked. It is not asked for by process number:
    numbers are used again, and mean nothing to another container with the same folder.
    """
    pattern = re.compile(rf"\.{re.escape(place.name)}\.\d+\.(partial|old)")
    left = [path for path in place.parent.iterdir() if pattern.fullmatch(path.name)]
    for path in left:
        try:
            lock = lock_folder(path)
        except OSError:
            continue
        try:
            if path.name.endswith(".old") and not place.exists():
                path.rename(place)
            else:
                shutil.rmtree(path, ignore_errors=True)
        finally:
            os.close(lock)
