"""Writes a session folder. It bears its name only when it is whole."""

import fcntl
import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Mapping
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

__all__ = ["FORMAT", "MANIFEST", "SessionWriter", "is_session", "session_folder"]

SESSION = "affectscope-session-"
FORMAT = f"{SESSION}1"
MANIFEST = "manifest.json"
ROWS = 256
"""Rows held in memory before they are written."""
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


class _Table:
    """A Parquet file written in row groups."""

    def __init__(self, path: Path, columns: Iterable[tuple[str, str]]) -> None:
        import pyarrow
        import pyarrow.parquet

        self._arrow = pyarrow
        self._schema = pyarrow.schema([(name, _arrow_type(kind)) for name, kind in columns])
        self._rows: list[Row] = []
        # Python's file: Arrow itself refuses names that are not UTF-8
        self._sink = path.open("wb")
        self._file = pyarrow.parquet.ParquetWriter(self._sink, self._schema, compression="zstd")

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
        self._sink.close()

    def discard(self) -> None:
        """Free what is held; the file is not usable."""
        self._rows = []
        for close in (self._file.close, self._sink.close):
            _quietly(close)


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
            self._lock = _locked(self.partial)
            self._open_files()
        except OSError as error:
            self.discard()
            raise self._cannot(error) from error
        except BaseException:
            self.discard()
            raise

    def _open_files(self) -> None:
        features = self.partial / "features"
        features.mkdir()
        self._landmarks = LandmarkWriter(self.landmark_path)
        self._open.append(self._landmarks.close)
        self._words = (self.partial / "words.jsonl").open("w", encoding="utf-8")
        self._open.append(self._words.close)
        self._tables: dict[str, _Table] = {}
        for name, columns in TABLES.items():
            place = self.partial if name == "timeline" else features
            self._tables[name] = _Table(place / f"{name}.parquet", columns)
            self._open.append(self._tables[name].discard)

    def _beside(self, kind: str) -> Path:
        return self._place.parent / f".{self._place.name}.{os.getpid()}.{kind}"

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
            # a path that is not UTF-8 holds lone surrogates, which JSON writes as \udcff
            (self.partial / MANIFEST).write_text(
                text + "\n", encoding="utf-8", errors="backslashreplace"
            )
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
            _quietly(close)
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


def _quietly(close: Callable[[], None]) -> None:
    with suppress(OSError, ValueError):  # the disk is full, and the folder is removed anyway
        close()


def is_session(folder: Path) -> bool:
    """Whether the folder holds a session of any version: many other things have a manifest."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(manifest, dict) and str(manifest.get("format")).startswith(SESSION)


def _locked(folder: Path) -> int:
    """A descriptor that locks the folder until it is closed or the process ends, however."""
    lock = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException:
        os.close(lock)
        raise
    return lock


def _clear_up(place: Path) -> None:
    """Remove what a process that was killed left beside `place`; a session it took away returns.

    A folder that a living process still writes is locked. It is not asked for by process number:
    numbers are used again, and mean nothing to another container with the same folder.
    """
    pattern = re.compile(rf"\.{re.escape(place.name)}\.\d+\.(partial|old)")
    left = [path for path in place.parent.iterdir() if pattern.fullmatch(path.name)]
    for path in left:
        try:
            lock = _locked(path)
        except OSError:
            continue
        try:
            if path.name.endswith(".old") and not place.exists():
                path.rename(place)
            else:
                shutil.rmtree(path, ignore_errors=True)
        finally:
            os.close(lock)
