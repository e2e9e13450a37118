"""A live session: from start to stop, whatever happens to its devices."""

import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from extractors.features import AudioBlock, FaceFeatures, FloatArray, VideoFrame, Word
from extractors.recording.observations import Event, Marker
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
    to_seconds,
)
from extractors.timeline import Timeline
from inference.backends.background_build import BackgroundBuild
from inference.live.branches import Channels, Sink, Stages, default_stages
from inference.live.engine_stage import EngineStage, Ticks
from inference.live.event_texts import failure_text, gap_event, source_text, step_text
from inference.live.health import HealthWatch
from inference.live.interface import Health, LiveState, ModalityStatus
from inference.live.latency import Meters
from inference.live.modality_status import modality_status
from inference.live.reception import Reception
from inference.live.recording import LiveRecording, default_recorder, described
from inference.predictor import Predictions

__all__ = ["LiveSession"]

SWITCH_INTERVAL = 0.0005
"""As in `inference.analysis`: the face thread needs the interpreter often and briefly."""
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
        self._make_sink = default_recorder if recorder is None else recorder
        self._state = LiveState.PREVIEW
        self._lock = threading.RLock()
        self._zero: int | None = None
        self._paused_at: int | None = None
        self._channels = Channels(overflow)
        self._playheads = Playheads(self._clock)
        self._meters = Meters()
        self._watch = HealthWatch(self._channels, self._meters)
        self._seen = Reception(self._clock, self._now, self._meters, self._record)
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
        self._recording: LiveRecording | None = None
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
        everyone = [*self._sources, *self._workers, *self._recorder, self._build]
        return tuple(worker.name for worker in everyone if worker is not None and worker.alive)

    @property
    def _recorder(self) -> tuple[Worker, ...]:
        """The recorder's worker, if it is recorded."""
        return () if self._recording is None else (self._recording.worker,)

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
                self._recording = LiveRecording(
                    self._channels.recorder,
                    lambda: self._make_sink(folder),
                    self._manifest,
                    self._ready,
                    self._on_failure,
                )
                self._loading.add("recorder")
                self._recording.worker.start()
            for worker in self._workers:
                worker.start()

    def _make_workers(self) -> list[Worker]:
        channels, record = self._channels, Tap(self._record)

        def opener(name: str) -> Callable[[], AbstractContextManager[Any]]:
            return lambda: self._opened(name)

        make = _worker_maker(self._on_failure)
        return [
            make("face", channels.frames, opener("face"),
                 [channels.face, Tap(self._seen.on_face), record]),
            make("speech", channels.sound, opener("speech"),
                 [Only("word", channels.words), Only("voice", channels.voice),
                  Only("tentative voice", channels.voice), Tap(self._seen.on_speech), record]),
            make("text", channels.words, opener("text"),
                 [channels.text, Tap(self._seen.on_text), record]),
            make("engine", Ticks(self._clock, self._now, lambda: self._engine, self._ending),
                 self._open_engine, [record]),
        ]  # fmt: skip

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
        predictor, self._build = models.live_predictor(lambda text: self._seen.tell("engine", text))
        engine = EngineStage(
            models.checkpoint().live_windows(),
            predictor,
            self._channels,
            self._now,
            self._meters,
            self._watch,
        )
        engine.on_rows = self._seen.on_rows
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
                for event in self._seen.events:  # what happened before there was a session time
                    self._record(event)

    def pause(self) -> None:
        with self._lock:
            if self._state is LiveState.RUNNING:
                self._state = LiveState.PAUSED
                self._paused_at = self._now()
                if self._engine is not None:
                    self._engine.running = False
                self._seen.tell("paused", "paused")

    def resume(self) -> None:
        with self._lock:
            if self._state is LiveState.PAUSED:
                now, since = self._now(), self._paused_at or 0
                self._paused_at = None
                self._state = LiveState.RUNNING
                if self._engine is not None:
                    self._engine.running = True
                gap = {"from": to_seconds(since), "until": to_seconds(now)}
                self._seen.tell("resumed", f"resumed after {to_seconds(now - since):.0f} s", gap)

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
        if self._recording is not None:
            if discard:
                self._recording.discard()
            else:
                self._recording.finish()
        for channel in channels.all:
            channel.abandon()
        self._seen.picture = None
        self._state = LiveState.STOPPED
        self._ended.set()

    # -- what the window changes

    def choose_video(self, choice: SourceChoice | None) -> None:
        self._video.switch(choice)

    def choose_audio(self, choice: SourceChoice | None) -> None:
        self._audio.switch(choice)

    def mark(self, label: str, note: str = "") -> None:
        self._seen.mark(label, note)

    def displayed(self, time: float) -> None:
        if self._engine is not None:
            self._engine.displayed(from_seconds(time))

    # -- what the window shows

    def timeline(self) -> Timeline:
        return self._seen.timeline()

    @property
    def grace(self) -> float:
        return 0.0 if self._engine is None else to_seconds(self._engine.grace)

    def words(self) -> Sequence[Word]:
        return self._seen.words

    def tentative(self) -> Sequence[Word]:
        return self._seen.tentative

    def markers(self) -> Sequence[Sample[Marker]]:
        return self._seen.markers

    def events(self) -> Sequence[Sample[Event]]:
        return self._seen.events

    def newest_picture(self) -> Sample[VideoFrame] | None:
        return self._seen.picture

    def newest_face(self) -> Sample[FaceFeatures] | None:
        return self._seen.face

    def landmarks_at(self, time: float) -> FloatArray | None:
        return self._seen.landmarks_at(from_seconds(time))

    def level(self) -> tuple[float, float]:
        return self._seen.level

    def video_status(self) -> SourceStatus:
        return self._video.status

    def audio_status(self) -> SourceStatus:
        return self._audio.status

    def modalities(self) -> Mapping[str, ModalityStatus]:
        timeline = self._seen.timeline()
        present = timeline.present[-1] if len(timeline) else None
        return modality_status(self._video.status, self._audio.status, self._failed, present)

    def health(self) -> Health:
        engine = "" if self._engine is None else self._models().engine_name()
        return self._watch.health(self._clock.now(), self._audio.source, self._busy(), engine)

    def _busy(self) -> Mapping[str, int]:
        return {worker.name: worker.busy for worker in (*self._workers, *self._recorder)}

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
        self._seen.picture = sample if taken is None else taken
        self._meters.event("camera", self._clock.now())
        if taken is not None:
            self._meters.delay("picture", self._now() - taken.end)
            _put(self._channels.frames, taken)
            self._record(taken)

    def _on_sound(self, sample: Sample[AudioBlock]) -> None:
        self._seen.hear(sample.data)
        taken = self._session_time(sample)
        if taken is not None:
            self._meters.delay("sound", self._now() - taken.end)
            _put(self._channels.sound, taken)
            self._record(taken)

    def _on_settled(self, predictions: Predictions) -> None:
        self._seen.on_settled(predictions)
        if self._watch.due(self._now(), HEALTH_EVERY):
            values = self._watch.as_json(self.health())
            now = self._now()
            self._record(Sample("health", now, now, now, RecordedHealth(values)))

    def _on_gap(self, since: int, until: int) -> None:
        self._seen.tell("gap", *gap_event(since, until))

    def _on_step(self, step: int, text: str, reason: str) -> None:
        self._seen.tell("quality", step_text(step, text, reason), {"step": step})

    def _on_source(self, kind: str, status: SourceStatus) -> None:
        if self._state in (LiveState.STOPPING, LiveState.STOPPED):
            return
        self._seen.tell(f"{kind} {status.state}", source_text(kind, status))

    def _on_failure(self, failure: Failure) -> None:
        self._failed.add(failure.worker)
        if failure.worker == "engine":
            for channel in (self._channels.text, self._channels.voice, self._channels.face):
                channel.abandon()
        self._seen.tell(f"{failure.worker} failed", failure_text(failure))
        self._ready(failure.worker)

    def _record(self, sample: Sample[Any]) -> None:
        if self._recording is not None and self._zero is not None:
            self._recording.take(sample)

    def _manifest(self) -> dict[str, Any]:
        health = self._watch.as_json(self.health())
        sources = {
            "camera": described(self._video.status),
            "microphone": described(self._audio.status),
        }
        return {"live": {"sources": sources, "health": health}, "model": self._models().describe()}


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
