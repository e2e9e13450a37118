"""What a live session has found so far, for whoever looks.

The workers write it, each in its own thread; the window reads it without waiting.
"""

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from extractors.features import AudioBlock, FaceFeatures, FloatArray, VideoFrame, Word
from extractors.recording.observations import Event, Marker, TimelineRows
from extractors.stream import SECOND, Clock, Sample, from_seconds
from extractors.timeline import Timeline
from inference.live.latency import Meters
from inference.live.modality_status import LastHeard
from inference.live.timeline_buffer import TimelineBuffer
from inference.predictor import Predictions

__all__ = ["KEPT", "KEPT_EVENTS", "KEPT_FACES", "KEPT_MARKERS", "Reception"]

KEPT = 3600
"""Seconds of timeline and words that are kept in memory; the rest is in the recording."""
KEPT_FACES = 300
"""Ten seconds of landmarks."""
KEPT_EVENTS, KEPT_MARKERS = 1000, 10_000


class Reception:
    """Keeps what comes from the workers, measures how late it is, and hands on what is recorded."""

    def __init__(
        self,
        clock: Clock,
        now: Callable[[], int],
        meters: Meters,
        record: Callable[[Sample[Any]], None],
    ) -> None:
        """`now` is the session time in nanoseconds, 0 before it begins."""
        self._clock, self._now = clock, now
        self._meters, self._record = meters, record
        self._lock = threading.Lock()
        self._buffer = TimelineBuffer(KEPT * 5)
        self._words: deque[Word] = deque(maxlen=KEPT * 5)
        self._faces: deque[Sample[FaceFeatures]] = deque(maxlen=KEPT_FACES)
        self._markers: deque[Sample[Marker]] = deque(maxlen=KEPT_MARKERS)
        self._events: deque[Sample[Event]] = deque(maxlen=KEPT_EVENTS)
        self.timeline = self._buffer.timeline
        self.heard = LastHeard()
        self.words: tuple[Word, ...] = ()
        self.tentative: tuple[Word, ...] = ()
        self.picture: Sample[VideoFrame] | None = None
        self.level = (0.0, 0.0)
        """Root mean square and peak of the last block of sound, 0 to 1."""
        self.on_predicted: Callable[[Timeline, bool], None] = _nobody

    @property
    def markers(self) -> Sequence[Sample[Marker]]:
        return tuple(self._markers)

    @property
    def events(self) -> Sequence[Sample[Event]]:
        return tuple(self._events)

    @property
    def face(self) -> Sample[FaceFeatures] | None:
        """The newest."""
        faces = self._faces
        return faces[-1] if faces else None

    def landmarks_at(self, time: int) -> FloatArray | None:
        """[478, 3] of the newest picture at or before `time` in session nanoseconds."""
        with self._lock:
            faces = list(self._faces)
        found = next((face for face in reversed(faces) if face.end <= time), None)
        return None if found is None else found.data.landmarks

    def hear(self, block: AudioBlock) -> None:
        """Measure how loud it is."""
        if len(block.samples):
            rms = float(np.sqrt(np.mean(block.samples**2)))
            self.level = (min(1.0, rms), min(1.0, float(np.abs(block.samples).max())))

    def mark(self, label: str, note: str, at: int | None = None) -> None:
        """Put a marker at session time `at`, at the present moment without."""
        now = self._now()
        when = now if at is None else min(at, now)
        marker = Sample("marker", when, when, now, Marker(label, note))
        self._markers.append(marker)
        self._record(marker)

    def tell(self, kind: str, text: str, details: Mapping[str, Any] | None = None) -> None:
        """Keep an event of the present moment."""
        now = self._now()
        event = Sample("event", now, now, now, Event(kind, text, details or {}))
        self._events.append(event)
        self._record(event)

    def on_face(self, sample: Sample[FaceFeatures]) -> None:
        self._meters.delay("face", self._now() - sample.end)
        self._meters.event("face", self._clock.now())
        with self._lock:
            self._faces.append(sample)

    def on_speech(self, sample: Sample[Any]) -> None:
        self.heard.add(sample)
        if sample.stream == "tentative":
            self.tentative = sample.data
        elif sample.stream == "tentative voice":
            self._meters.delay("voice", self._now() - sample.end)
        elif sample.stream == "word" and sample.data is not None:
            self._meters.delay("words", self._now() - sample.end)
            self._words.append(sample.data)
            while self._words[0].end < sample.end - KEPT * SECOND:
                self._words.popleft()
            self.words = tuple(self._words)

    def on_text(self, sample: Sample[Any]) -> None:
        if sample.data is not None:
            self._meters.delay("text", self._now() - sample.end)

    def on_rows(self, predictions: Predictions) -> None:
        """Windows that were predicted for the first time."""
        self._buffer.append(predictions.timeline)
        self._hand_on("tentative timeline", predictions, settled=False)
        for _ in range(len(predictions.timeline)):
            self._meters.event("predictions", self._clock.now())

    def on_settled(self, predictions: Predictions) -> None:
        """Windows whose grace is over, predicted again; these are the final ones."""
        self._buffer.replace(predictions.timeline)
        self._hand_on("timeline", predictions, settled=True)

    def _hand_on(self, stream: str, predictions: Predictions, *, settled: bool) -> None:
        activations = {
            "homogeneous": predictions.atoms_homogeneous,
            "heterogeneous": predictions.atoms_heterogeneous,
        }
        time = from_seconds(float(predictions.timeline.time[-1]))
        rows = TimelineRows(predictions.timeline, activations, settled)
        self._record(Sample(stream, time, time, self._now(), rows))
        self.on_predicted(predictions.timeline, settled)


def _nobody(_timeline: Timeline, _settled: bool) -> None:
    pass
