"""Writes a session while it happens, so that little is lost however it ends."""

import os
import shutil
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from av.error import FFmpegError

from assets.errors import SessionError
from extractors.features import (
    SAMPLE_RATE,
    AudioBlock,
    FaceFeatures,
    TextContext,
    VideoFrame,
    VoiceFeatures,
)
from extractors.folder_lock import lock_folder
from extractors.landmark_file import landmark_bytes, landmark_header
from extractors.manifest_file import json_line, make_durable, write_manifest
from extractors.recording.arrow_stream import SUFFIX, StreamTable
from extractors.recording.disk import Disk, GrowingFile, OperatingSystem
from extractors.recording.media_writer import MediaWriter
from extractors.recording.observations import Baseline, Event, Health, Marker, TimelineRows
from extractors.recording.plan import RecordingPlan
from extractors.recording.repair import make_whole
from extractors.recording.sealing import seal
from extractors.recording.standby import Standby
from extractors.session_layout import (
    LANDMARKS_FILE,
    LINES,
    MANIFEST,
    MEDIA,
    RECORDED,
    RESERVE,
    TENTATIVE,
    baseline_path,
    table_path,
)
from extractors.session_tables import (
    TABLES,
    Row,
    face_row,
    text_row,
    timeline_rows,
    voice_row,
    word_line,
)
from extractors.stream import SECOND, Sample, to_seconds

__all__ = ["Recorder"]

FLUSH = SECOND // 2
"""Session time for which rows are held in memory."""
HEARD_BEHIND = SECOND // 2
"""Sound behind a tenth of the voice that is kept before it is settled."""
CLOSING_SECONDS = 30.0
"""How long `finish` waits for the disk."""
MOST_WAITING = 1 << 25
"""Bytes that may wait for the disk before pictures are left out."""
RESERVED = 1 << 18
"""Bytes of the reserve."""


class Recorder:
    """A session in the making. `add` is called by one thread, in the order in which samples come.

    The folder bears its name from the start, and its manifest says "recording" until `finish`.
    If the process ends before, `repair` makes the session whole at the next start. Writing never
    waits for the disk; what the process has handed over survives its death, and once a second it
    is made to survive a power cut.

    With `plan.features_only` pictures and sound leave nothing but their times.
    """

    def __init__(
        self, folder: Path, plan: RecordingPlan | None = None, system: OperatingSystem | None = None
    ) -> None:
        """Raises SessionError if the folder exists and holds something, or cannot be written."""
        self.folder = folder
        self.plan = plan or RecordingPlan()
        self._guard = threading.Lock()
        self._newest = self._flushed = self._voice_until = 0
        self._landmark_rows = 0
        self._skipping = False
        self._opened = False
        self._named = False
        """Whether the manifest and the names of all files are known to outlive a power cut."""
        self._media: MediaWriter | None = None
        self._began = self._ended = False
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if list(folder.iterdir()):
                raise SessionError(f"{folder} holds something already; choose another folder")
            self._lock = lock_folder(folder)
        except OSError as error:
            raise self._cannot(error) from error
        self._disk = Disk(system, before_sync=self._tick, standby=_standby(folder))
        try:
            self._manifest = self._first_manifest()
            self._open_files()
            self._opened = True
        except BaseException as error:
            self.abort()
            if isinstance(error, OSError):
                raise self._cannot(error) from error
            raise

    def _first_manifest(self) -> dict[str, Any]:
        plan = self.plan
        began = plan.began or datetime.now(UTC)
        return {
            "state": "recording",
            "title": plan.title or self.folder.name,
            "recorded": began.astimezone(UTC).isoformat(timespec="milliseconds"),
            "features_only": plan.features_only,
            "keep_days": plan.keep_days,
            "then": plan.then,
            "media": {
                "name": plan.title or self.folder.name,
                "path": MEDIA if plan.media else None,
            },
            **plan.details,
        }

    def _open_files(self) -> None:
        write_manifest(self.folder, self._manifest, durable=False)
        with (self.folder / RESERVE).open("wb") as reserve:
            os.posix_fallocate(reserve.fileno(), 0, RESERVED)
        self._tables: dict[str, StreamTable] = {}
        for name in TABLES:
            path = table_path(self.folder, name, SUFFIX)
            path.parent.mkdir(exist_ok=True)
            self._tables[name] = StreamTable(name, self._disk.open(path))
        self._tentative = {
            name: StreamTable(name, self._disk.open(self.folder / file))
            for name, file in TENTATIVE.items()
        }
        self._landmarks = self._disk.open(self.folder / LANDMARKS_FILE)
        self._landmarks.write(landmark_header(0))
        self._lines: dict[str, GrowingFile] = {
            name: self._disk.open(self.folder / f"{name}.jsonl") for name in LINES
        }
        if self.plan.media:
            self._media = MediaWriter(self._disk.open(self.folder / MEDIA), self.plan)

    def describe(self, manifest: Mapping[str, Any]) -> None:
        """Add entries to the manifest that became known only now: a session that is cut off has
        them too. Raises SessionError."""
        self._manifest = {**self._manifest, **manifest, **self._kept()}
        try:
            write_manifest(self.folder, self._manifest, durable=False)
        except OSError as error:
            raise self._cannot(error) from error
        self._named = False

    @property
    def waiting(self) -> int:
        """Bytes that the disk has not yet taken."""
        return self._disk.waiting

    def add(self, sample: Sample[Any]) -> None:
        """Record one sample; what it is follows from the type of its data.

        VideoFrame, AudioBlock, FaceFeatures, VoiceFeatures (while they are not settled, a tuple of
        samples of them), TextContext, TimelineRows, Marker, Event, Health and Baseline are
        recorded; a sample without data only tells the time. Raises SessionError once the disk
        takes nothing more: what was recorded before is kept, and `finish` completes it; TypeError
        for anything else.
        """
        if self._disk.error is not None:
            raise self._cannot(self._disk.error)
        if self._disk.waiting > 4 * MOST_WAITING:
            raise self._cannot(TimeoutError("the disk does not take what is recorded"))
        if not self._began:
            self._began = True
            if self.plan.began is None:  # devices and models took their time to open
                began = datetime.now(UTC) - timedelta(seconds=to_seconds(sample.end))
                self._manifest["recorded"] = began.isoformat(timespec="milliseconds")
                self.describe({})
        with self._guard:
            try:
                self._write(sample)
            except (FFmpegError, OSError) as error:
                raise self._cannot(error) from error
            self._newest = max(self._newest, sample.end)
            due = self._newest - self._flushed >= FLUSH
        if due:
            self._flush()

    def _write(self, sample: Sample[Any]) -> None:
        match sample.data:
            case None:
                pass
            case VideoFrame():
                self._add_picture(sample)
            case AudioBlock():
                self._add_sound(sample)
            case FaceFeatures():
                self._add_face(sample)
            case VoiceFeatures():
                self._tables["voice"].add(voice_row(sample))
            case tuple(samples):
                self._add_tentative_voice(samples)
            case TextContext() as text:
                self._add_line("words", word_line(text.words[-1]))
                self._tables["text"].add(text_row(sample))
            case TimelineRows(timeline, activations, settled):
                table = (self._tables if settled else self._tentative)["timeline"]
                for row in timeline_rows(timeline, activations):
                    table.add(row)
                table.flush()  # they come late enough as it is
            case Marker(label, note):
                self._add_line("markers", {**_at(sample), "label": label, "note": note})
            case Event(kind, text, details):
                line = {**_at(sample), "kind": kind, "text": text, "details": dict(details)}
                self._add_line("events", line)
            case Baseline(sha256, content):
                self._add_baseline(baseline_path(self.folder, sha256), content)
            case Health(values):
                self._add_line("health", {**_at(sample), **values})
            case other:
                raise TypeError(f"a recording holds no {type(other).__name__}")

    def _add_picture(self, sample: Sample[VideoFrame]) -> None:
        written: int | None = None
        if self._media is not None and self.plan.pictures:
            skipping = self._disk.waiting > MOST_WAITING
            if skipping and not self._skipping:
                text = "the disk is too slow: pictures are left out"
                self._add_line("events", {**_at(sample), "kind": "disk slow", "text": text})
            self._skipping = skipping
            if not skipping:
                written = self._media.add_picture(sample.data.image, sample.end)
        row = _capture_row(sample)
        row["written"] = None if written is None else to_seconds(written)
        self._tables["pictures"].add(row)

    def _add_sound(self, sample: Sample[AudioBlock]) -> None:
        row = {
            **_capture_row(sample),
            "start": to_seconds(sample.start),
            "counted": None,
            "filled": None,
        }
        rows = [row]
        if self._media is not None and self.plan.sound:
            rows = self._media.add_sound(sample.data.samples, sample.start, row)
        for row in rows:
            self._tables["sound"].add(row)

    def _add_face(self, sample: Sample[FaceFeatures]) -> None:
        row = -1
        if sample.data.landmarks is not None:
            row, self._landmark_rows = self._landmark_rows, self._landmark_rows + 1
            self._landmarks.write(landmark_bytes(sample.data.landmarks))
        self._tables["face"].add(face_row(sample, row))

    def _add_baseline(self, path: Path, content: bytes) -> None:
        if path.exists():  # the same person a second time
            return
        path.parent.mkdir(exist_ok=True)
        file = self._disk.open(path)
        file.write(content)
        file.close()
        self._named = False

    def _add_tentative_voice(self, samples: Sequence[Sample[VoiceFeatures]]) -> None:
        """Each tenth once, when some sound behind it is known; most are settled far later."""
        for sample in samples:
            if self._voice_until < sample.end <= samples[-1].end - HEARD_BEHIND:
                self._voice_until = sample.end
                self._tentative["voice"].add(voice_row(sample))

    def _add_line(self, name: str, line: Row) -> None:
        self._lines[name].write(json_line(line))

    def _tick(self) -> None:
        """Once a second, in the thread that makes data durable. Raises OSError."""
        if not self._opened:
            return
        self._flush()
        if not self._named:
            self._named = True
            make_durable(self.folder / MANIFEST)
            for place in {self.folder.parent, self.folder, *self._places()}:
                make_durable(place)

    def _places(self) -> set[Path]:
        baselines = baseline_path(self.folder, "").parent
        places = {table_path(self.folder, name).parent for name in TABLES}
        return {*places, baselines} if baselines.exists() else places

    def _flush(self) -> None:
        with self._guard:
            if not self._ended:
                self._flushed = self._newest
                for table in (*self._tables.values(), self._tentative["voice"]):
                    table.flush()

    def finish(self, manifest: Mapping[str, Any] | None = None) -> Path:
        """Complete the session and return its folder. `manifest` adds entries to what is known.

        Raises SessionError if something could not be written; the session is then complete up to
        there, and its manifest says why it ends.
        """
        self._close_files()
        on_disk, error = self._disk.close(CLOSING_SECONDS), self._disk.error
        entries = {**self._manifest, **(manifest or {}), **self._kept()}
        try:
            if on_disk:
                (self.folder / RESERVE).unlink(missing_ok=True)
                found = seal(self.folder)
                found["duration"] = max(found["duration"], to_seconds(self._newest))
                found["media"] = self._media_entry(found["streams"])
                write_manifest(self.folder, {**entries, **found, "state": "complete"})
            elif error is not None:
                make_whole(self.folder, entries, "interrupted", error.strerror or str(error))
        except OSError as failed:
            raise self._cannot(failed) from failed
        finally:
            self._unlock()
        if not on_disk:
            raise self._cannot(error or TimeoutError("the disk does not answer"))
        return self.folder

    def _kept(self) -> dict[str, Any]:
        """Entries that the recorder answers for, whatever a caller says."""
        names = ("title", "recorded", "features_only", "keep_days", "then", "media")
        return {name: self._manifest[name] for name in names}

    def _media_entry(self, streams: Mapping[str, Any]) -> dict[str, Any]:
        entry: dict[str, Any] = {**self._manifest["media"], "path": None}
        if not any(streams[name]["rows"] for name in RECORDED):
            (self.folder / MEDIA).unlink(missing_ok=True)
        elif self._media is not None:
            entry["path"] = MEDIA
            if self._media.size is not None:
                entry.update(video="h264", width=self._media.size[0], height=self._media.size[1])
            if self.plan.sound:
                entry.update(audio="flac", audio_rate=SAMPLE_RATE, audio_channels=1)
        return entry

    def _close_files(self) -> None:
        self._flush()
        with self._guard:
            if self._ended:
                return
            self._ended = True
            if self._media is not None:
                with suppress(FFmpegError):  # it was told; the file is whole up to there
                    for row in self._media.close():
                        self._tables["sound"].add(row)
            for table in (*self._tables.values(), *self._tentative.values()):
                table.close()
            self._landmarks.seek(0)
            self._landmarks.write(landmark_header(self._landmark_rows))

    def abort(self) -> None:
        """Discard the recording and remove its folder, unless it is finished."""
        with self._guard:
            self._ended = True
        if self._lock >= 0:
            self._disk.discard(CLOSING_SECONDS)
            shutil.rmtree(self.folder, ignore_errors=True)
            self._unlock()

    def _unlock(self) -> None:
        lock, self._lock = self._lock, -1
        if lock >= 0:
            with suppress(OSError):
                os.close(lock)

    def _cannot(self, error: Exception) -> SessionError:
        why = getattr(error, "strerror", None) or str(error)
        return SessionError(f"cannot record into {self.folder}: {why}; what was recorded is kept")


def _standby(folder: Path) -> Standby | None:
    try:
        return Standby(folder)
    except OSError:  # no such memory on this system
        return None


def _capture_row(sample: Sample[Any]) -> Row:
    return {**_at(sample), "published": to_seconds(sample.published), "written": None}


def _at(sample: Sample[Any]) -> Row:
    return {"time": to_seconds(sample.end)}
