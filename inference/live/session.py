"""A live session: from start to stop, whatever happens to its devices."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from assets.errors import BadInput
from extractors.features import AudioBlock, FaceFeatures, FloatArray, VideoFrame, Word
from extractors.recording.observations import Event, Marker
from extractors.recording.observations import Health as RecordedHealth
from extractors.sources import Feed, Source, SourceChoice, SourceStatus
from extractors.sources.opening import open_pictures, open_sound
from extractors.sources.playhead import Playheads
from extractors.stream import (
    SECOND,
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
from inference.calibration import RestingPerson
from inference.live.baseline import LiveBaseline
from inference.live.branches import Channels, Sink, Stages, default_stages
from inference.live.engine_stage import EngineStage, Ticks
from inference.live.event_texts import failure_text, gap_event, source_text, step_text
from inference.live.health import HealthWatch
from inference.live.intake import Intake
from inference.live.interface import BaselineStatus, Health, LiveState, ModalityStatus
from inference.live.interpreter import collection
from inference.live.latency import Meters
from inference.live.modality_status import modality_status
from inference.live.reception import Reception
from inference.live.recording import LiveRecording, default_recorder, described
from inference.live.rest_taking import WANTED
from inference.live.shared import Shared
from inference.live.threads import SessionThreads
from inference.predictor import Predictions

__all__ = ["LiveSession"]

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
        baseline: int = WANTED,
    ) -> None:
        """`models` gives an `inference.models.Models`; it is called in a worker's thread.

        `recorder` makes the sink for a folder; by default `extractors.recording.Recorder`.
        `baseline`: nanoseconds of rest that a person is measured for.
        """
        self._clock = SessionClock() if clock is None else clock
        self._models = Shared(lambda: self._heard(models()))
        self._make_stages = stages
        self._make_sink = default_recorder if recorder is None else recorder
        self._state = LiveState.PREVIEW
        self._lock = threading.RLock()
        self._paused_at: int | None = None
        self._channels = Channels(overflow)
        self._playheads = Playheads(self._clock)
        self._meters = Meters()
        self._watch = HealthWatch(self._channels, self._meters)
        self._threads = SessionThreads(self._channels)
        self._seen = Reception(self._clock, self._now, self._meters, self._record)
        self._intake = Intake(
            self._clock,
            lambda: self._state is LiveState.RUNNING,
            self._channels,
            self._meters,
            self._seen,
            self._record,
        )
        self._baseline = LiveBaseline(self._at_rest, self._seen.tell, self._record, baseline)
        self._failed: dict[str, str] = {}
        self._engine: EngineStage | None = None
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
        self._loading: set[str] = set()
        self._closer: threading.Thread | None = None
        self._ended = threading.Event()

    # -- its life

    @property
    def state(self) -> LiveState:
        return self._state

    @property
    def now(self) -> float:
        return to_seconds(self._now())

    @property
    def origin(self) -> int | None:
        """Where on `extractors.stream.time_since_boot` session time is zero; None before."""
        zero = self._intake.zero
        return None if zero is None else self._clock.origin + zero

    @property
    def stragglers(self) -> tuple[str, ...]:
        """Threads that had not ended when `stop` gave up waiting: a driver holds them."""
        return self._threads.stragglers

    def on_predicted(self, listener: Callable[[Timeline, bool], None]) -> None:
        """Tell `listener` of all windows, in the engine's thread: when they are predicted and, with
        True, as they stay."""
        self._seen.on_predicted = listener

    def _now(self) -> int:
        """Session time in nanoseconds; 0 before it begins."""
        return self._intake.now()

    def preview(self) -> None:
        with self._lock:
            if self._threads.sources or self._state is not LiveState.PREVIEW:
                return
            self._threads.sources = [
                Worker("camera", self._video.samples(), None, [Tap(self._intake.picture)]),
                Worker("microphone", self._audio.samples(), None, [Tap(self._intake.sound)]),
            ]
            for worker in self._threads.sources:
                worker.start()

    def start(self, folder: Path | None = None) -> None:
        with self._lock:
            if self._state is not LiveState.PREVIEW:
                return
            self.preview()
            self._state = LiveState.STARTING
            collection.loading(self)
            workers = self._threads.workers = self._make_workers()
            self._loading = {worker.name for worker in workers}
            if folder is not None:
                recording = self._threads.recording = LiveRecording(
                    self._channels.recorder,
                    lambda: self._make_sink(folder),
                    self._model,
                    self._manifest,
                    self._ready,
                    self._on_failure,
                )
                self._loading.add("recorder")
                recording.worker.start()
            for worker in workers:
                worker.start()

    def _make_workers(self) -> list[Worker]:
        channels, record = self._channels, Tap(self._record)

        def opener(name: str) -> Callable[[], AbstractContextManager[Any]]:
            return lambda: self._opened(name)

        def make(name: str, inbox: Any, opener: Any, outputs: list[Output]) -> Worker:
            return Worker(name, inbox, opener, outputs, self._on_failure)

        return [
            make("face", channels.frames, opener("face"),
                 [channels.face, Tap(self._seen.on_face), record]),
            make("speech", channels.sound, opener("speech"),
                 [Only("word", channels.words), Only("voice", channels.voice),
                  Only("tentative voice", channels.voice), Tap(self._seen.on_speech), record]),
            make("text", channels.words, opener("text"),
                 [channels.text, Tap(self._seen.on_text), record]),
            make("engine", Ticks(self._clock, self._now, lambda: self._engine,
                                self._threads.ending),
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
        predictor, build = models.live_predictor(lambda text: self._seen.tell("engine", text))
        self._threads.build = build
        self._baseline.attach(models.checkpoint(), predictor)
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
        engine.on_sample = self._baseline.add
        engine.on_look = lambda now: self._baseline.look(now, running=engine.running)
        self._engine = engine
        self._ready("engine")
        try:
            yield engine
        finally:
            self._threads.stop_build()

    def _heard(self, models: Any) -> Any:
        """The models; what they say of a GPU that fails is an event of this session."""
        models.on_fallback = self._seen.tell
        return models

    def _ready(self, name: str) -> None:
        with self._lock:
            self._loading.discard(name)
            if not self._loading and self._state is LiveState.STARTING:
                self._intake.zero = self._clock.now()
                self._playheads.restart()
                self._state = LiveState.RUNNING
                if self._engine is not None:
                    self._engine.running = True
                collection.running(self)
                self._threads.start_build()  # not before: it would hold up the loading
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
        self._threads.end(self._end_feeds, discard=discard)
        self._seen.picture = None
        collection.ended(self)
        self._state = LiveState.STOPPED
        self._ended.set()

    def _end_feeds(self) -> None:
        self._video.end()
        self._audio.end()

    # -- what the window changes

    def choose_video(self, choice: SourceChoice | None) -> None:
        self._video.switch(choice)

    def choose_audio(self, choice: SourceChoice | None) -> None:
        self._audio.switch(choice)

    def mark(self, label: str, note: str = "", at: int | None = None) -> None:
        """As `Live.mark`; `at`: session nanoseconds of a moment that has just been."""
        self._seen.mark(label, note, at)

    def take_baseline(self) -> None:
        self._baseline.take()

    def cancel_baseline(self) -> None:
        self._baseline.cancel()

    def use_baseline(self, person: RestingPerson | None) -> None:
        self._baseline.use(person)

    def baseline(self) -> BaselineStatus:
        return self._baseline.status

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
        return modality_status(
            self._video.status,
            self._audio.status,
            self._failed,
            present,
            speaking=self._seen.heard.speaking(self._now()),
        )

    def health(self) -> Health:
        models = None if self._engine is None else self._models()
        return self._watch.health(self._clock.now(), self._audio.source, self._threads.busy, models)

    # -- what comes from the workers, in their threads

    def _at_rest(self) -> Sequence[str]:
        """Modalities that a person at rest can be measured by now."""
        sources = {"face": self._video.status, "voice": self._audio.status}
        states = self.modalities()
        return [
            name
            for name, source in sources.items()
            if source.state != "off" and states[name].state != "failed"
        ]

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
        text = failure_text(failure)
        self._failed[failure.worker] = text
        if failure.worker == "engine":
            for channel in (self._channels.text, self._channels.voice, self._channels.face):
                channel.abandon()
        self._seen.tell(f"{failure.worker} failed", text)
        self._ready(failure.worker)

    def _record(self, sample: Sample[Any]) -> None:
        if self._threads.recording is not None and self._intake.zero is not None:
            self._threads.recording.take(sample)

    def _manifest(self) -> dict[str, Any]:
        health = self._watch.as_json(self.health())
        sources = {
            "camera": described(self._video.status),
            "microphone": described(self._audio.status),
        }
        live = {"sources": sources, "health": health, "baselines": self._baseline.history}
        return {"live": live, **self._model()}

    def _model(self) -> dict[str, Any]:
        """What predicts; nothing if it cannot be had: the rest is recorded all the same."""
        try:
            return {"model": self._models().describe()}
        except (BadInput, OSError):  # the workers that need it have said so
            return {}
