"""Writes a session folder. It bears its name only when it is whole."""

import json
import os
import re
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from assets.errors import SessionError
from extractors.features import FaceFeatures, FloatArray, TextContext, VoiceFeatures
from extractors.landmark_file import LandmarkWriter
from extractors.session_tables import (
    TABLES,
    Row,
    face_row,
    text_row,
    timeline_rows,
    voice_row,
    word_line,
)
from extractors.stream import Sample
from extractors.timeline import Timeline

__all__ = ["FORMAT", "MANIFEST", "SessionWriter", "session_folder"]

FORMAT = "affectscope-session-1"
MANIFEST = "manifest.json"
ROWS = 256
"""Rows held in memory before they are written."""


def session_folder(out: Path, media: Path, taken: Iterable[Path] = ()) -> Path:
    """The folder in `out` for a recording: its name without extension, numbered if in `taken`."""
    taken = set(taken)
    stem = media.stem.strip(". ") or "session"
    folder, number = out / stem, 2
    while folder in taken:
        folder, number = out / f"{stem}-{number}", number + 1
    return folder


class _Table:
    """A Parquet file written in row groups."""

    def __init__(self, path: Path, columns: Iterable[tuple[str, str]]) -> None:
        import pyarrow
        import pyarrow.parquet

        self._arrow = pyarrow
        self._schema = pyarrow.schema([(name, _arrow_type(kind)) for name, kind in columns])
        self._rows: list[Row] = []
        self._file = pyarrow.parquet.ParquetWriter(str(path), self._schema, compression="zstd")

    def add(self, row: Row) -> None:
        self._rows.append(row)
        if len(self._rows) >= ROWS:
            self.flush()

    def flush(self) -> None:
        if self._rows:
            columns = [
                self._arrow.array([row[field.name] for row in self._rows], field.type)
                for field in self._schema
            ]
            self._rows = []
            self._file.write_table(self._arrow.table(columns, schema=self._schema))

    def close(self) -> None:
        self.flush()
        self._file.close()

    def discard(self) -> None:
        self._rows = []
        self._file.close()


def _arrow_type(kind: str) -> Any:
    import pyarrow

    if match := re.fullmatch(r"list<(\w+)>", kind):
        return pyarrow.list_(_arrow_type(match[1]))
    if match := re.fullmatch(r"(\w+)\[(\d+)\]", kind):
        return pyarrow.list_(_arrow_type(match[1]), int(match[2]))
    return getattr(pyarrow, {"bool": "bool_"}.get(kind, kind))()


class SessionWriter:
    """A session folder in the making, as a context manager.

    Everything goes into a hidden folder beside the final one. `finish` writes the manifest and
    gives the folder its name; a session of that name that was there is replaced. Left without
    `finish`, whatever was written is removed. Used by one thread at a time.
    """

    def __init__(self, folder: Path) -> None:
        """Raises SessionError if the place cannot be written or holds something else."""
        self.folder = folder
        self.partial = folder.parent / f".{folder.name}.{os.getpid()}.partial"
        if folder.exists() and not (folder / MANIFEST).is_file():
            raise SessionError(f"{folder} exists and is not a session; choose another --out")
        try:
            features = self.partial / "features"
            features.mkdir(parents=True)
            self._landmarks = LandmarkWriter(self.landmark_path)
            self._words = (self.partial / "words.jsonl").open("w", encoding="utf-8")
            self._tables = {
                name: _Table((self.partial if name == "timeline" else features) / file, columns)
                for name, columns in TABLES.items()
                for file in [f"{name}.parquet"]
            }
        except OSError as error:
            shutil.rmtree(self.partial, ignore_errors=True)
            raise self._cannot(error) from error

    @property
    def landmark_path(self) -> Path:
        """The file of landmarks while the session is in the making."""
        return self.partial / "features" / "landmarks.npy"

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
            text = json.dumps({"format": FORMAT, **manifest}, indent=2, ensure_ascii=False)
            (self.partial / MANIFEST).write_text(text + "\n", encoding="utf-8")
            self._replace()
        return self.folder

    def _replace(self) -> None:
        old = self.folder.parent / f".{self.folder.name}.{os.getpid()}.old"
        if self.folder.exists():
            self.folder.rename(old)
        self.partial.rename(self.folder)
        shutil.rmtree(old, ignore_errors=True)

    def discard(self) -> None:
        """Remove what was written, unless the session is finished."""
        if not self.partial.exists():
            return
        for close in (self._words.close, self._landmarks.close):
            _quietly(close)
        for table in self._tables.values():
            _quietly(table.discard)
        shutil.rmtree(self.partial, ignore_errors=True)

    def _writing(self) -> "_Writing":
        return _Writing(self)

    def _cannot(self, error: OSError) -> SessionError:
        why = error.strerror or str(error)
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


def _quietly(close: Any) -> None:
    with suppress(OSError):  # the disk is full, and the folder is removed anyway
        close()
