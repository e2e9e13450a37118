"""A live session: from start to stop, whatever happens to its devices."""

import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from extractors.features import AudioBlock, FaceFeatures, FloatArray, VideoFrame, Word
from extractors.recording.observations import Event, Marker, TimelineRows
from extractors.recording.observations import Health as RecordedHealth
from extractors.sources import Feed, Source, SourceChoice, SourceStatus
from extractors.sources.opening import open_pictures, open_sound
from extractors.sources.playhead import Playheads
from extractors.stream import (
    SECOND,
    ChannelClosed,
    Failure,
    Only,
    Output,
    Overflow,
    PacedClock,
    Sample,
    SessionClock,
    Tap,
    Worker,
    from_seconds,
    inlets,
    to_seconds,
)
from extractors.timeline import Timeline
from inference.backends.background_build import BackgroundBuild
from inference.live.branches import Channels, Sink, Stages, default_stages, open_sink
from inference.live.engine_stage import EngineStage, Ticks
from inference.live.health import HealthWatch
from inference.live.interface import Health, LiveState, ModalityStatus
from inference.live.latency import Meters
from inference.live.modality_status import modality_status
from inference.live.timeline_buffer import TimelineBuffer
from inference.predictor import Predictions

__all__ = ["LiveSession"]

SWITCH_INTERVAL = 0.0005
"""As in `inference.analysis`: the face thread needs the interpreter often and briefly."""
KEPT = 3600
"""Seconds of timeline and words that are kept in memory; the rest is in the recording."""
KEPT_FACES = 300
"""Ten seconds of landmarks."""
STOP_SECONDS = 2.5
HEALTH_EVERY = 10 * SECOND

OpenPictures = Callable[[SourceChoice, PacedClock, Playheads], Source[VideoFrame]]
OpenSound = Callable[[SourceChoice, PacedClock, Playheads], Source[AudioBlock]]


class LiveSession:
    """Implements `inference.live.Live`.

    The devices stay open from `preview` or `start` to `stop`; in between they may be switched, lost
    and found again. Threads: one for each source, each extractor, the engine and the recorder, and
    one that ends them all.
    """

    def __init__(
        self,
        video: SourceChoice | None,
        audio: SourceChoice | None,
        models: Callable[[], Any],
        *,
        recorder: Callable[[Path], Sink] | None = None,
        clock: PacedClock | None = None,
        stages: Callable[[Any, Callable[[], int]], Stages] = default_stages,
        pictures: OpenPictures = open_pictures,
        sound: OpenSound = open_sound,
        overflow: Overflow = Overflow.DROP_OLDEST,
    ) -> None:
        """`models` gives an `inference.models.Models`; it is called in a worker's thread.

        `recorder` makes the sink for a folder; by default `extractors.recording.Recorder`.
        """
        self._clock = SessionClock() if clock is None else clock
        self._models = _Shared(models)
        self._make_stages = stages
        self._make_sink = _default_recorder if recorder is None else recorder
        self._state = LiveState.PREVIEW
        self._lock = threading.RLock()
        self._zero: int | None = None
        self._paused_at: int | None = None
        self._channels = Channels(overflow)
        self._playheads = Playheads(self._clock)
        self._meters = Meters()
        self._watch = HealthWatch(self._channels, self._meters)
        self._buffer = TimelineBuffer(KEPT * 5)
        self._words: deque[Word] = deque(maxlen=KEPT * 5)
        self._word_view: tuple[Word, ...] = ()
        self._tentative: tuple[Word, ...] = ()
        self._faces: deque[Sample[FaceFeatures]] = deque(maxlen=KEPT_FACES)
        self._picture: Sample[VideoFrame] | None = None
        self._level = (0.0, 0.0)
        self._markers: deque[Sample[Marker]] = deque(maxlen=10_000)
        self._events: deque[Sample[Event]] = deque(maxlen=1000)
        self._failed: set[str] = set()
        self._engine: EngineStage | None = None
        self._build: BackgroundBuild | None = None
        self._video = Feed(
            video,
            lambda choice: pictures(choice, self._clock, self._playheads),
            self._clock,
            lambda status: self._on_source("camera", status),
        )
        self._audio = Feed(
            audio,
            lambda choice: sound(choice, self._clock, self._playheads),
            self._clock,
            lambda status: self._on_source("microphone", status),
        )
        self._sources: list[Worker] = []
        self._workers: list[Worker] = []
        self._recorder: Worker | None = None
        self._recorder_inlet: Output | None = None
        self._loading: set[str] = set()
        self._closer: threading.Thread | None = None
        self._ending = threading.Event()
        self._ended = threading.Event()

    # -- its life

    @property
    def state(self) -> LiveState:
        return self._state

    @property
    def now(self) -> float:
        return to_seconds(self._now())

    @property
    def stragglers(self) -> tuple[str, ...]:
        """Threads that had not ended when `stop` gave up waiting: a driver holds them."""
        everyone = [*self._sources, *self._workers, self._recorder, self._build]
        return tuple(worker.name for worker in everyone if worker is not None and worker.alive)

    def _now(self) -> int:
        """Session time in nanoseconds; 0 before it begins."""
        return 0 if self._zero is None else self._clock.now() - self._zero

    def preview(self) -> None:
        with self._lock:
            if self._sources or self._state is not LiveState.PREVIEW:
                return
            sys.setswitchinterval(SWITCH_INTERVAL)
            self._sources = [
                Worker("camera", self._video.samples(), None, [Tap(self._on_picture)]),
                Worker("microphone", self._audio.samples(), None, [Tap(self._on_sound)]),
            ]
            for worker in self._sources:
                worker.start()

    def start(self, folder: Path | None = None) -> None:
        with self._lock:
            if self._state is not LiveState.PREVIEW:
                return
            self.preview()
            self._state = LiveState.STARTING
            self._workers = self._make_workers()
            self._loading = {worker.name for worker in self._workers}
            if folder is not None:
                self._recorder = self._make_recorder(folder)
                self._loading.add("recorder")
                self._recorder.start()
            for worker in self._workers:
                worker.start()

    def _make_workers(self) -> list[Worker]:
        channels, record = self._channels, Tap(self._record)

        def opener(name: str) -> Callable[[], AbstractContextManager[Any]]:
            return lambda: self._opened(name)

        make = _worker_maker(self._on_failure)
        return [
            make("face", channels.frames, opener("face"),
                 [channels.face, Tap(self._on_face), record]),
            make("speech", channels.sound, opener("speech"),
                 [Only("word", channels.words), Only("voice", channels.voice),
                  Only("tentative voice", channels.voice), Tap(self._on_speech), record]),
            make("text", channels.words, opener("text"),
                 [channels.text, Tap(self._on_text), record]),
            make("engine", Ticks(self._clock, self._now, lambda: self._engine, self._ending),
                 self._open_engine, [record]),
        ]  # fmt: skip

    def _make_recorder(self, folder: Path) -> Worker:
        (self._recorder_inlet,) = inlets(self._channels.recorder, 1)

        @contextmanager
        def opened() -> Iterator[Any]:
            with open_sink(lambda: self._make_sink(folder), self._manifest) as stage:
                self._ready("recorder")
                yield stage

        return Worker("recorder", self._channels.recorder, opened, [], self._on_failure)

    @contextmanager
    def _opened(self, name: str) -> Iterator[Any]:
        """A stage with its models; the session begins when all are there, or have failed."""
        stages = self._make_stages(self._models(), self._now)
        with getattr(stages, name)() as stage:
            self._watch.stages[name] = stage
            self._ready(name)
            yield stage

    @contextmanager
    def _open_engine(self) -> Iterator[EngineStage]:
        models = self._models()
        predictor, self._build = models.live_predictor(lambda text: self._tell("engine", text))
        engine = EngineStage(
            models.checkpoint().windows,
            predictor,
            self._channels,
            self._now,
            self._meters,
            self._watch,
        )
        engine.on_rows = self._on_rows
        engine.on_settled = self._on_settled
        engine.on_gap = self._on_gap
        engine.on_step = self._on_step
        self._engine = engine
        self._ready("engine")
        try:
            yield engine
        finally:
            self._stop_build()

    def _stop_build(self) -> None:
        if self._build is not None:
            self._build.stop()

    def _ready(self, name: str) -> None:
        with self._lock:
            self._loading.discard(name)
            if not self._loading and self._state is LiveState.STARTING:
                self._zero = self._clock.now()
                self._playheads.restart()
                self._state = LiveState.RUNNING
                if self._engine is not None:
                    self._engine.running = True
                if self._build is not None:  # not before: it would hold up the loading
                    self._build.start()
                for event in tuple(self._events):  # what happened before there was a session time
                    self._record(event)

    def pause(self) -> None:
        with self._lock:
            if self._state is LiveState.RUNNING:
                self._state = LiveState.PAUSED
                self._paused_at = self._now()
                if self._engine is not None:
                    self._engine.running = False
                self._tell("paused", "paused")

    def resume(self) -> None:
        with self._lock:
            if self._state is LiveState.PAUSED:
                now, since = self._now(), self._paused_at or 0
                self._paused_at = None
                self._state = LiveState.RUNNING
                if self._engine is not None:
                    self._engine.running = True
                gap = {"from": to_seconds(since), "until": to_seconds(now)}
                self._tell("resumed", f"resumed after {to_seconds(now - since):.0f} s", gap)

    def stop(self) -> None:
        self._end(discard=False)

    def abort(self) -> None:
        self._end(discard=True)

    def _end(self, *, discard: bool) -> None:
        with self._lock:
            if self._closer is not None:
                return
            self._state = LiveState.STOPPING
            if self._engine is not None:
                self._engine.draining = True
            self._closer = threading.Thread(
                target=self._close, args=(discard,), name="affectscope stop", daemon=True
            )
            self._closer.start()

    def wait(self, seconds: float) -> bool:
        return self._ended.wait(seconds) and not self.stragglers

    def _close(self, discard: bool) -> None:
        """End sources first, then what they feed, and the recording last."""
        channels = self._channels
        self._stop_build()
        self._video.end()
        self._audio.end()
        by_name = {worker.name: worker for worker in self._workers}
        if not discard:
            _join(self._sources, STOP_SECONDS / 3)
            channels.frames.close()
            channels.sound.close()
            _join([w for w in self._workers if w.name != "engine"], STOP_SECONDS / 3)
            if "engine" in by_name:
                by_name["engine"].stop()
                self._ending.set()
                by_name["engine"].join(STOP_SECONDS / 6)
        for worker in [*self._sources, *self._workers]:
            if worker.alive:
                worker.abort()
        self._ending.set()
        builds = [] if self._build is None else [self._build]
        _join([*self._sources, *self._workers, *builds], STOP_SECONDS / 6)
        if self._recorder is not None and self._recorder_inlet is not None:
            if discard:
                self._recorder.abort()
            else:
                self._recorder_inlet.close()
            self._recorder.join()
        for channel in channels.all:
            channel.abandon()
        self._picture = None
        self._state = LiveState.STOPPED
        self._ended.set()

    # -- what the window changes

    def choose_video(self, choice: SourceChoice | None) -> None:
        self._video.switch(choice)

    def choose_audio(self, choice: SourceChoice | None) -> None:
        self._audio.switch(choice)

    def mark(self, label: str, note: str = "") -> None:
        now = self._now()
        marker = Sample("marker", now, now, now, Marker(label, note))
        self._markers.append(marker)
        self._record(marker)

    def displayed(self, time: float) -> None:
        if self._engine is not None:
            self._engine.displayed(from_seconds(time))

    # -- what the window shows

    def timeline(self) -> Timeline:
        return self._buffer.timeline()

    @property
    def grace(self) -> float:
        return 0.0 if self._engine is None else to_seconds(self._engine.grace)

    def words(self) -> Sequence[Word]:
        return self._word_view

    def tentative(self) -> Sequence[Word]:
        return self._tentative

    def markers(self) -> Sequence[Sample[Marker]]:
        return tuple(self._markers)

    def events(self) -> Sequence[Sample[Event]]:
        return tuple(self._events)

    def newest_picture(self) -> Sample[VideoFrame] | None:
        return self._picture

    def newest_face(self) -> Sample[FaceFeatures] | None:
        faces = self._faces
        return faces[-1] if faces else None

    def landmarks_at(self, time: float) -> FloatArray | None:
        at = from_seconds(time)
        with self._lock:
            faces = list(self._faces)
        found = next((face for face in reversed(faces) if face.end <= at), None)
        return None if found is None else found.data.landmarks

    def level(self) -> tuple[float, float]:
        return self._level

    def video_status(self) -> SourceStatus:
        return self._video.status

    def audio_status(self) -> SourceStatus:
        return self._audio.status

    def modalities(self) -> Mapping[str, ModalityStatus]:
        timeline = self._buffer.timeline()
        present = timeline.present[-1] if len(timeline) else None
        return modality_status(self._video.status, self._audio.status, self._failed, present)

    def health(self) -> Health:
        engine = "" if self._engine is None else self._models().engine_name()
        return self._watch.health(self._clock.now(), self._audio.source, self._busy(), engine)

    def _busy(self) -> Mapping[str, int]:
        everyone = [*self._workers, self._recorder]
        return {worker.name: worker.busy for worker in everyone if worker is not None}

    # -- what comes from the workers, in their threads

    def _session_time(self, sample: Sample[Any]) -> Sample[Any] | None:
        """The sample in session time; None if it is not to be analysed."""
        if self._zero is None or self._state is not LiveState.RUNNING:
            return None
        zero = self._zero
        if sample.start < zero:
            return None  # it was taken before the session began
        return Sample(
            sample.stream, sample.start - zero, sample.end - zero,
            max(sample.published - zero, sample.end - zero), sample.data,
        )  # fmt: skip

    def _on_picture(self, sample: Sample[VideoFrame]) -> None:
        taken = self._session_time(sample)
        self._picture = sample if taken is None else taken
        self._meters.event("camera", self._clock.now())
        if taken is not None:
            self._meters.delay("picture", self._now() - taken.end)
            _put(self._channels.frames, taken)
            self._record(taken)

    def _on_sound(self, sample: Sample[AudioBlock]) -> None:
        samples = sample.data.samples
        if len(samples):
            rms = float(np.sqrt(np.mean(samples**2)))
            self._level = (min(1.0, rms), min(1.0, float(np.abs(samples).max())))
        taken = self._session_time(sample)
        if taken is not None:
            self._meters.delay("sound", self._now() - taken.end)
            _put(self._channels.sound, taken)
            self._record(taken)

    def _on_face(self, sample: Sample[FaceFeatures]) -> None:
        now = self._now()
        self._meters.delay("face", now - sample.end)
        self._meters.event("face", self._clock.now())
        with self._lock:
            self._faces.append(sample)

    def _on_speech(self, sample: Sample[Any]) -> None:
        if sample.stream == "tentative":
            self._tentative = sample.data
        elif sample.stream == "tentative voice":
            self._meters.delay("voice", self._now() - sample.end)
        elif sample.stream == "word" and sample.data is not None:
            self._meters.delay("words", self._now() - sample.end)
            self._words.append(sample.data)
            while self._words[0].end < sample.end - KEPT * SECOND:
                self._words.popleft()
            self._word_view = tuple(self._words)

    def _on_text(self, sample: Sample[Any]) -> None:
        if sample.data is not None:
            self._meters.delay("text", self._now() - sample.end)

    def _on_rows(self, predictions: Predictions) -> None:
        self._buffer.append(predictions.timeline)
        for _ in range(len(predictions.timeline)):
            self._meters.event("predictions", self._clock.now())

    def _on_settled(self, predictions: Predictions) -> None:
        self._buffer.replace(predictions.timeline)
        activations = {
            "homogeneous": predictions.atoms_homogeneous,
            "heterogeneous": predictions.atoms_heterogeneous,
        }
        time = from_seconds(float(predictions.timeline.time[-1]))
        rows = TimelineRows(predictions.timeline, activations)
        self._record(Sample("timeline", time, time, self._now(), rows))
        if self._watch.due(self._now(), HEALTH_EVERY):
            values = self._watch.as_json(self.health())
            now = self._now()
            self._record(Sample("health", now, now, now, RecordedHealth(values)))

    def _on_gap(self, since: int, until: int) -> None:
        self._tell(
            "gap",
            f"nothing for {to_seconds(until - since):.0f} s: the computer slept or stood still",
            {"from": to_seconds(since), "until": to_seconds(until)},
        )

    def _on_step(self, step: int, text: str, reason: str) -> None:
        said = f"{reason}; saving: {text}" if step else "full quality again"
        self._tell("quality", said, {"step": step})

    def _on_source(self, kind: str, status: SourceStatus) -> None:
        if self._state in (LiveState.STOPPING, LiveState.STOPPED):
            return
        label = "" if status.choice is None else status.choice.label
        text = {
            "off": f"the {kind} is off",
            "opening": f"{label} is being opened",
            "open": f"{label} is open",
            "lost": status.text,
            "ended": status.text,
        }[status.state]
        self._tell(f"{kind} {status.state}", text)

    def _on_failure(self, failure: Failure) -> None:
        self._failed.add(failure.worker)
        what = {
            "face": "faces are no longer followed",
            "speech": "words and voice are no longer heard",
            "text": "words no longer count for the emotions",
            "engine": "there are no more predictions",
            "recorder": "the recording has ended; what was recorded is kept",
        }.get(failure.worker, "nothing more comes from it")
        if failure.worker == "engine":
            for channel in (self._channels.text, self._channels.voice, self._channels.face):
                channel.abandon()
        text = f"{failure}; {what}. The rest goes on; start a new session to have it back"
        self._tell(f"{failure.worker} failed", text)
        self._ready(failure.worker)

    def _tell(self, kind: str, text: str, details: Mapping[str, Any] | None = None) -> None:
        now = self._now()
        event = Sample("event", now, now, now, Event(kind, text, details or {}))
        self._events.append(event)
        self._record(event)

    def _record(self, sample: Sample[Any]) -> None:
        recorded = sample.stream in RECORDED and sample.data is not None
        if self._recorder_inlet is not None and recorded and self._zero is not None:
            try:
                self._recorder_inlet.put(sample)
            except ChannelClosed:
                return

    def _manifest(self) -> dict[str, Any]:
        health = self._watch.as_json(self.health())
        sources = {
            "camera": _described(self._video.status),
            "microphone": _described(self._audio.status),
        }
        return {"live": {"sources": sources, "health": health}, "model": self._models().describe()}


RECORDED = {"frame", "audio", "face", "voice", "text", "timeline", "marker", "event", "health"}


class _Shared:
    """A value made by the first thread that asks, as `inference.models` makes its models."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._made: list[Any] = []

    def __call__(self) -> Any:
        with self._lock:
            if not self._made:
                self._made.append(self._make())
            return self._made[0]


def _worker_maker(on_failure: Callable[[Failure], None]) -> Callable[..., Worker]:
    def make(name: str, inbox: Any, opener: Any, outputs: list[Output]) -> Worker:
        return Worker(name, inbox, opener, outputs, on_failure)

    return make


def _default_recorder(folder: Path) -> Sink:
    from extractors.recording import Recorder

    return Recorder(folder)


def _put(channel: Output, sample: Sample[Any]) -> None:
    try:
        channel.put(sample)
    except ChannelClosed:
        return  # that branch has failed; it was told


def _join(workers: Sequence[Worker | BackgroundBuild], seconds: float) -> None:
    import time

    until = time.monotonic() + seconds
    for worker in workers:
        worker.join(max(0.0, until - time.monotonic()))


def _described(status: SourceStatus) -> dict[str, Any] | None:
    if status.choice is None:
        return None
    info = status.info
    return {
        "kind": status.choice.kind,
        "name": status.choice.label if info is None else info.name,
        "size": None if info is None else info.size,
        "rate": None if info is None else info.rate,
        "detail": "" if info is None else info.detail,
    }
