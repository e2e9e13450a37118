"""A recording becomes a session: sources, extractors, network and writer, each in a thread.

    pictures -> face ------------------------------+
    sound -> utterances -> words -> text ----------+--> windows -> network -> session
                       \\-> voice ------------------+

Every channel blocks, so that nothing is dropped and memory stays bounded whatever the length. The
engine reads the three streams of features in the order of session time, so the result depends on
the recording alone.
"""

import bisect
import hashlib
import platform
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

from assets.errors import AffectscopeError, BadInput
from assets.version import version
from extractors.features import FloatArray, Word
from extractors.landmark_file import read_row
from extractors.media_left_out import LeftOut
from extractors.recording.synchrony import file_certificate
from extractors.session_writer import SessionWriter
from extractors.speech import open_word_stage
from extractors.stream import Channel, Failure, Sample, Worker, WorkerGroup, in_time_order
from extractors.stream.sample import to_seconds
from extractors.stream.window import Window, WindowBuilder
from extractors.text import open_text_stage
from extractors.timeline import Timeline
from extractors.utterances import open_utterance_stage
from extractors.video_file import VideoFile
from extractors.voice import open_voice_stage
from inference.models import Models

__all__ = ["Analysis"]

SWITCH_INTERVAL = 0.0005
BEHIND_FACE = 10
"""Niceness of all but pictures and faces, which take longest and must never wait for a core."""
BATCH = 8
"""Windows that the network sees at once."""
FACES = 1024
"""Pictures by which the face may be ahead: the words of 30 s of sound come all at once."""
LARGEST_SIDE = 1280
"""Larger pictures are scaled down: the face model itself looks at 256 pixels."""
LIBRARIES = ("av", "ctranslate2", "faster-whisper", "mediapipe", "numpy", "onnxruntime",
             "praat-parselmouth", "tokenizers", "torch")  # fmt: skip


class Analysis:
    """The analysis of one recording, from `start` to `finish` or `abort`.

    Its properties and methods may be read from another thread while it runs. Raises BadInput if the
    recording cannot be read or the folder cannot be written.
    """

    def __init__(self, media: Path, folder: Path, models: Models) -> None:
        self.media = media
        self.folder = folder
        self.video = VideoFile(media)
        if folder.resolve() in media.resolve().parents:
            raise BadInput(f"{media} lies inside {folder}, which would be replaced; move it")
        self._models = models
        self._windows = models.checkpoint().live_windows()
        self._group = WorkerGroup(self._workers())
        self._engines_before = models.mark()
        self._first_failure: Failure | None = None
        self._until = 0
        self._ended = False
        self._timelines: list[Timeline] = []
        self._joined = (0, Timeline.empty())
        self._words: list[Word] = []
        self._picture_times: list[float] = []
        self._landmark_rows: list[int] = []
        self._largest_crowd = 0
        self._switches: list[float] = []
        self._began = 0.0
        self._writer = SessionWriter(folder)  # last: whatever it makes must be cleared away again

    def _workers(self) -> list[Worker]:
        make = partial(Worker, on_failure=self._on_failure)
        give_way = partial(make, niceness=BEHIND_FACE)
        frames = Channel[Any]("frames", 4)
        sound = Channel[Any]("sound", 8)
        to_words, to_voice = Channel[Any]("sound to words", 1), Channel[Any]("sound to voice", 1)
        words, text = Channel[Any]("words", 512), Channel[Any]("text", 512)
        voice, face = Channel[Any]("voice", 512), Channel[Any]("face", FACES)
        self._channels = (frames, sound, to_words, to_voice, words, text, voice, face)
        models, video = self._models, self.video
        return [
            make("video", video.frames(max_side=LARGEST_SIDE), None, [frames]),
            give_way("sound", video.audio(), None, [sound]),
            make("face", frames, models.face_stage, [face]),
            give_way("utterances", sound, open_utterance_stage, [to_words, to_voice]),
            give_way("words", to_words, partial(open_word_stage, models.speech), [words]),
            give_way("text", words, partial(open_text_stage, models.text), [text]),
            give_way("voice", to_voice, partial(open_voice_stage, models.voice), [voice]),
            give_way("engine", in_time_order(text, voice, face), self._open_engine, []),
        ]

    @property
    def duration(self) -> float:
        """Seconds of session time: as the file declares while it runs, then as it was found."""
        declared = None if self._ended else self.video.info.duration
        return max(to_seconds(self._until), to_seconds(declared or 0))

    @property
    def analysed_until(self) -> float:
        """Session time in seconds up to which everything is known."""
        if self._ended:
            return self.duration
        parts = self._timelines
        return float(parts[-1].time[-1]) if parts else 0.0

    @property
    def running(self) -> bool:
        return any(worker.alive for worker in self._group.workers)

    @property
    def failures(self) -> tuple[Failure, ...]:
        return self._group.failures

    def timeline(self) -> Timeline:
        """The timeline so far; joined anew only where it has grown."""
        count, joined = self._joined
        parts = self._timelines[count:]
        if parts:
            joined = Timeline.joined([joined, *parts])
            self._joined = (count + len(parts), joined)
        return joined

    def words(self) -> Sequence[Word]:
        """The words so far."""
        return tuple(self._words)

    def landmarks_at(self, time: float) -> FloatArray | None:
        """As `Session.landmarks_at`, of what is known so far."""
        index = bisect.bisect_right(self._picture_times, time) - 1
        if index < 0 or self._landmark_rows[index] < 0:
            return None
        return read_row(self._writer.landmark_path, self._landmark_rows[index])

    def start(self) -> None:
        self._began = time.perf_counter()
        # The face thread needs the interpreter often and briefly. By default every other thread
        # may keep it waiting for 5 ms each time.
        sys.setswitchinterval(SWITCH_INTERVAL)
        self._group.start()

    def finish(self) -> dict[str, Any]:
        """Wait for the end, complete the session and return its manifest.

        Raises the error of the first worker that failed; then nothing is left of the session.
        """
        try:
            self._group.join()
            failure = self._first_failure
            if failure is not None:
                if isinstance(failure.error, AffectscopeError):
                    raise failure.error
                raise AffectscopeError(f"{self.media}: {failure}") from failure.error
            manifest = self._manifest()
            self._writer.finish(manifest)
            return manifest
        except BaseException:
            self.abort()
            raise

    def abort(self, deadline: float = 10.0) -> None:
        """Stop, and remove what was written. Calling it after `finish` does no harm."""
        try:
            self._group.abort(deadline)
        finally:
            self._writer.discard()

    def wait(self, seconds: float) -> bool:
        """Wait at most so long; returns whether all workers have ended."""
        return not self._group.join(seconds)

    def _on_failure(self, failure: Failure) -> None:
        self._first_failure = self._first_failure or failure
        for worker in self._group.workers:
            if worker.name != failure.worker:
                worker.abort()

    @contextmanager
    def _open_engine(self) -> Iterator["_Engine"]:
        yield _Engine(self)

    def _take(self, sample: Sample[Any]) -> None:
        """Write a sample of features down."""
        self._until = max(self._until, sample.end)
        if sample.data is None:
            return
        if sample.stream == "face":
            row = self._writer.add_face(sample)
            self._landmark_rows.append(row)
            self._picture_times.append(to_seconds(sample.end))
            self._largest_crowd = max(self._largest_crowd, sample.data.faces)
            if sample.data.switched:
                self._switches.append(to_seconds(sample.end))
        elif sample.stream == "voice":
            self._writer.add_voice(sample)
        else:
            self._writer.add_text(sample)
            self._words.append(sample.data.words[-1])

    def _predict(self, windows: Sequence[Window]) -> None:
        if windows:
            predictions = self._models.predictor()(windows)
            activations = {
                "homogeneous": predictions.atoms_homogeneous,
                "heterogeneous": predictions.atoms_heterogeneous,
            }
            self._writer.add_timeline(predictions.timeline, activations)
            self._timelines.append(predictions.timeline)

    def _end(self) -> int:
        """Where the recording ends, in nanoseconds; known once both sources have ended."""
        endings = (self.video.ending("video"), self.video.ending("audio"))
        return max((ending.end for ending in endings if ending is not None), default=0)

    def _left_out(self) -> list[dict[str, Any]]:
        """The streams of the file that were not read, or of which nothing could be."""
        info = self.video.info
        found = list(info.left_out)
        for kind, index, codec, read in (
            ("video", info.video_index, info.video_codec, self._picture_times),
            ("audio", info.audio_index, info.audio_codec, self._heard()),
        ):
            if codec is not None and not read:
                what = f"{kind} stream of which nothing can be decoded"
                found.append(LeftOut(index, kind, codec, what))
        return [asdict(one) for one in sorted(found, key=lambda one: one.stream)]

    def _synchrony(self) -> dict[str, Any]:
        """How far what was analysed is from the times that the file gives."""
        video, audio = self.video.ending("video"), self.video.ending("audio")
        return file_certificate(
            None if audio is None else audio.late,
            pictures=bool(self._picture_times),
            dropped=0 if video is None else video.skipped,
            missing=0.0 if audio is None else audio.filled,
            cut=0.0 if audio is None else audio.overlap,
        )

    def _heard(self) -> bool:
        ending = self.video.ending("audio")
        return ending is not None and ending.end > 0

    def _manifest(self) -> dict[str, Any]:
        took = time.perf_counter() - self._began
        timeline = self.timeline()
        endings = {}
        for name, ending in (
            ("video", self.video.ending("video")),
            ("audio", self.video.ending("audio")),
        ):
            if ending is not None:
                endings[name] = {
                    "end": to_seconds(ending.end),
                    "declared": None if ending.declared is None else to_seconds(ending.declared),
                    "truncated": ending.truncated,
                    "error": ending.error,
                    "skipped": ending.skipped,
                    "overlap": round(ending.overlap, 3),
                }
        return {
            "affectscope": version(),
            "python": platform.python_version(),
            "libraries": {name: metadata.version(name) for name in LIBRARIES},
            "media": _media(self.video),
            "duration": to_seconds(self._until),
            "truncated": any(ending["truncated"] for ending in endings.values()),
            "streams": endings,
            "left_out": self._left_out(),
            "synchrony": self._synchrony(),
            "model": self._models.describe(self._engines_before),
            "windows": self._windows.to_dict(),
            "rows": len(timeline),
            "words": len(self._words),
            "face": {
                "pictures": len(self._picture_times),
                "with_face": sum(row >= 0 for row in self._landmark_rows),
                "most_faces": self._largest_crowd,
                "switched_at": self._switches,
                "choice": "the largest face, held until gone for 0.5 s "
                "or another is 1.5 times larger for 1 s",
            },
            "drops": {c.name: c.stats.dropped for c in self._channels},
            "timings": {
                "seconds": round(took, 3),
                "times_real_time": round(to_seconds(self._until) / took, 2) if took else None,
                "busy": {w.name: round(w.busy / 1e9, 3) for w in self._group.workers if w.busy},
            },
        }


class _Engine:
    """The last stage: samples in the order of time to windows, predictions and the session."""

    def __init__(self, analysis: Analysis) -> None:
        self._analysis = analysis
        self._builder = WindowBuilder(analysis._windows)
        self._windows: list[Window] = []

    def process(self, sample: Sample[Any]) -> Iterator[Sample[Any]]:
        self._windows += self._builder.add(sample.stream, sample)
        if len(self._windows) >= BATCH:
            self._flush()
        self._analysis._take(sample)
        return iter(())

    def finish(self) -> Iterator[Sample[Any]]:
        end = self._analysis._end()
        self._windows += self._builder.advance(end)
        self._flush()
        self._analysis._until = end
        self._analysis._ended = True
        return iter(())

    def _flush(self) -> None:
        for first in range(0, len(self._windows), BATCH):
            self._analysis._predict(self._windows[first : first + BATCH])
        self._windows = []


def _media(video: VideoFile) -> dict[str, Any]:
    info = video.info
    return {
        "name": video.path.name,
        "path": str(video.path.absolute()),
        "bytes": video.path.stat().st_size,
        "sha256": _sha256(video.path),
        "video": info.video_codec,
        "width": info.width,
        "height": info.height,
        "rotation": info.rotation,
        "audio": info.audio_codec,
        "audio_rate": info.audio_rate,
        "audio_channels": info.audio_channels,
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
