"""A live session without devices, models or real time."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np

from extractors.features import (
    BLENDSHAPES,
    EMOTIONS,
    LANDMARKS,
    LIVE_WINDOWS,
    MEASURES,
    PROSODY,
    TEXT_STATES,
    VOICE_STATES,
    FaceFeatures,
    TextContext,
    VoiceFeatures,
    Word,
)
from extractors.sources import SourceChoice
from extractors.stream import SECOND, Overflow, Sample, SimulatedClock, to_seconds
from extractors.timeline import EDGES, Timeline
from inference.live.branches import Stages
from inference.live.interface import LiveState
from inference.live.session import LiveSession
from inference.predictor import Predictions

SYNTHETIC = SourceChoice("synthetic", size=(64, 48))
PATIENCE = 10.0


def predict(windows: Any) -> Predictions:
    """The mean of the face as emotion "happy": enough to see what a window saw."""
    rows = len(windows)
    present = np.asarray([[w.present(m) for m in ("text", "voice", "face")] for w in windows])
    emotions = np.full((rows, len(EMOTIONS)), 1 / len(EMOTIONS), np.float32)
    edges = np.zeros((rows, len(EDGES)), np.float32)
    words = np.asarray([w.valid["text"].sum() for w in windows], np.float32)
    timeline = Timeline(
        np.asarray([to_seconds(w.end) for w in windows]), emotions, words, present, edges, edges
    )
    return Predictions(timeline, np.zeros((rows, 4), np.float32), np.zeros((rows, 4), np.float32))


def models() -> Any:
    return SimpleNamespace(
        checkpoint=lambda: SimpleNamespace(live_windows=lambda: LIVE_WINDOWS, rest={}),
        live_predictor=lambda _on_change: (predict, None),
        engine_name=lambda: "stand-in on CPU",
        devices=dict,
        gave_way=dict,
        describe=lambda: {"checkpoint": "stand-in"},
    )


class Face:
    max_rate = 30.0

    def process(self, sample: Sample[Any]) -> Iterator[Sample[FaceFeatures]]:
        shapes = np.full(len(BLENDSHAPES), 0.5, np.float32)
        mesh = np.full((LANDMARKS, 3), 0.5, np.float32)
        face = FaceFeatures(
            1, mesh, shapes, np.zeros(6, np.float32), np.ones(len(MEASURES), np.float32)
        )
        yield Sample("face", sample.start, sample.end, sample.published, face)

    def finish(self) -> Iterator[Sample[Any]]:
        return iter(())


class Speech:
    """A voice in each tenth, and each second a word that is committed 0.8 s after its end."""

    step = 0

    def __init__(self) -> None:
        self._until: int | None = None

    def process(self, sample: Sample[Any]) -> Iterator[Sample[Any]]:
        tenth = SECOND // 10
        until = sample.end - sample.end % tenth
        if self._until is None or sample.start - self._until > SECOND:
            self._until = sample.start - sample.start % tenth
        while self._until < until:
            start, self._until = self._until, self._until + tenth
            voice = VoiceFeatures(
                np.zeros(len(PROSODY), np.float32), np.ones(VOICE_STATES, np.float32)
            )
            heard = Sample("voice", start, self._until, sample.published, voice)
            yield Sample("tentative voice", start, self._until, sample.published, (heard,))
            yield heard
            end = self._until - 8 * tenth
            if end > 0 and end % SECOND == 0:
                word = Word(f"w{end // SECOND}", end - tenth, end, 0.9)
                yield Sample("word", word.start, word.end, sample.published, word)
                yield Sample("tentative", end, until, sample.published, ())

    def finish(self) -> Iterator[Sample[Any]]:
        return iter(())


class Text:
    def __init__(self) -> None:
        self._words: list[Word] = []

    def process(self, sample: Sample[Any]) -> Iterator[Sample[Any]]:
        if sample.stream == "word" and sample.data is not None:
            self._words = [*self._words[-23:], sample.data]
            states = np.ones((len(self._words), TEXT_STATES), np.float32)
            context = TextContext(tuple(self._words), states)
            yield Sample("text", sample.start, sample.end, sample.published, context)

    def finish(self) -> Iterator[Sample[Any]]:
        return iter(())


def opened(make: Callable[[], Any]) -> Callable[[], Any]:
    @contextmanager
    def open_stage() -> Iterator[Any]:
        yield make()

    return open_stage


def stages(
    face: Callable[[], Any] = Face,
    speech: Callable[[], Any] = Speech,
    text: Callable[[], Any] = Text,
) -> Callable[[Any, Callable[[], int]], Stages]:
    return lambda _models, _now: Stages(opened(face), opened(speech), opened(text))


class Sink:
    """A recorder that remembers."""

    def __init__(self) -> None:
        self.samples: list[Sample[Any]] = []
        self.beginning: Any = None
        self.manifest: Any = None
        self.aborted = False

    def add(self, sample: Sample[Any]) -> None:
        self.samples.append(sample)

    def describe(self, manifest: Any) -> None:
        self.beginning = manifest

    def finish(self, manifest: Any = None) -> None:
        self.manifest = manifest or {}

    def abort(self) -> None:
        self.aborted = True

    def of(self, stream: str) -> list[Sample[Any]]:
        return [sample for sample in self.samples if sample.stream == stream]


class Stage:
    """A session on a clock that the test moves."""

    def __init__(self, video: Any = SYNTHETIC, audio: Any = SYNTHETIC, **options: Any) -> None:
        self.clock = SimulatedClock()
        self.clock.join()  # the test itself: time stands still unless it waits
        self.sink = Sink()
        options.setdefault("stages", stages())
        options.setdefault("models", models)
        options.setdefault("overflow", Overflow.BLOCK)
        self.session = LiveSession(
            video, audio, clock=self.clock, recorder=lambda _folder: self.sink, **options
        )

    def run(self, seconds: float) -> None:
        """Let session time pass."""
        until = self.clock.now() + round(seconds * SECOND)
        stuck = threading.Event()
        patience = threading.Timer(PATIENCE, stuck.set)
        patience.start()
        assert self.clock.wait_until(until, stuck), "session time does not move"
        patience.cancel()

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait for other threads, while session time stands still."""
        patience = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < patience, "it never happened"
            time.sleep(0.001)

    def running(self, folder: Any = None) -> None:
        self.session.start(folder)
        self.until(lambda: self.session.state is LiveState.RUNNING)

    def close(self) -> bool:
        self.session.stop()
        self.clock.leave()
        return self.session.wait(PATIENCE)
