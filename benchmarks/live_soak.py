"""Hours of a live session as fast as the machine goes: does anything grow, leak or drift?

    python -m benchmarks.live_soak [--hours 8] [--full]

Simulated time passes whenever all threads wait for it; what passes through is the same session,
channels, engine, ladder and recorder as in the window. The camera gives small pictures; the
microphone's clock runs 80 ppm fast and its block times jitter, as those of devices do. The face,
speech and network models are replaced by stand-ins of no cost, since they hold nothing over time;
`--full` records landmarks too (some 90 kB a second). Once a minute the camera shows a flash at the
moment of a click: what is between them at the end against the first minutes is the drift.
"""

import argparse
import gc
import json
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from extractors.features import (
    BLENDSHAPES,
    EMOTIONS,
    LANDMARKS,
    LIVE_WINDOWS,
    MEASURES,
    PROSODY,
    SAMPLE_RATE,
    TEXT_STATES,
    VOICE_STATES,
    AudioBlock,
    FaceFeatures,
    TextContext,
    VideoFrame,
    VoiceFeatures,
    Word,
)
from extractors.recording import Recorder
from extractors.sources import SourceChoice, SourceInfo
from extractors.sources.live_sound import LiveSound
from extractors.stream import SECOND, Overflow, PacedClock, Sample, SimulatedClock, to_seconds
from extractors.timeline import EDGES, Timeline
from inference.live.branches import Stages
from inference.live.interface import LiveState
from inference.live.session import LiveSession
from inference.predictor import Predictions

PPM = 80.0
JITTER = SECOND // 200
WARM_UP = 600
"""Seconds of session time after which memory is to stay."""
GROWTH_MB = 20.0
DRIFT_MS = 5.0
MINUTE = 60 * SECOND
SIZE = (64, 48)
CLICK = SECOND // 2 + SECOND // 40
"""Where in a minute flash and click lie: in the middle of a block of sound."""


class Camera:
    """Small grey pictures, 30 a second; the one next to a flash is white."""

    def __init__(self, clock: PacedClock) -> None:
        self.info: SourceInfo | None = SourceInfo("soak camera", SIZE, 30.0)
        self._clock = clock
        self._closing = threading.Event()

    def close(self) -> None:
        self._closing.set()

    def samples(self) -> Iterator[Sample[VideoFrame]]:
        began = self._clock.now()
        grey = VideoFrame(np.full((SIZE[1], SIZE[0], 3), 90, np.uint8))
        white = VideoFrame(np.full((SIZE[1], SIZE[0], 3), 250, np.uint8))
        number = 1
        while True:
            time = began + number * SECOND // 30
            if not self._clock.wait_until(time, self._closing):
                return
            number += 1
            flash = 0 <= time % MINUTE - CLICK < SECOND // 30
            yield Sample("frame", time, time, self._clock.now(), white if flash else grey)


class Microphone:
    """A device whose clock is fast and whose block times jitter, through `LiveSound`."""

    overflows = 0

    def __init__(self, clock: PacedClock) -> None:
        self.info: SourceInfo | None = SourceInfo("soak microphone", None, float(SAMPLE_RATE))
        self.sound = LiveSound(SAMPLE_RATE)
        self._clock = clock
        self._closing = threading.Event()
        self._rng = np.random.default_rng(1)

    @property
    def drift_ppm(self) -> float | None:
        return self.sound.clock.drift_ppm

    def close(self) -> None:
        self._closing.set()

    def samples(self) -> Iterator[Sample[AudioBlock]]:
        rate = SAMPLE_RATE * (1 + PPM * 1e-6)
        began = self._clock.now()
        size, index = 800, 0
        while True:
            end = began + round((index + size) / rate * SECOND)
            if not self._clock.wait_until(end, self._closing):
                return
            start = began + round(index / rate * SECOND)
            sound = np.zeros(size, np.float32)
            since = start % MINUTE - CLICK
            if -2 * SECOND < since < 2 * SECOND:
                at = since / SECOND + np.arange(size) / rate
                sound = np.exp(-0.5 * (at / 0.001) ** 2).astype(np.float32)
            told = start + round(min(self._rng.exponential(SECOND / 1000), JITTER))
            index += size
            yield from self.sound.push(sound, told, self._clock.now())


class Face:
    max_rate = 30.0

    def __init__(self, landmarks: bool) -> None:
        mesh = np.full((LANDMARKS, 3), 0.5, np.float32) if landmarks else None
        shapes = np.full(len(BLENDSHAPES), 0.5, np.float32)
        self._face = FaceFeatures(
            1, mesh, shapes, np.zeros(6, np.float32), np.ones(len(MEASURES), np.float32)
        )

    def process(self, sample: Sample[Any]) -> Iterator[Sample[FaceFeatures]]:
        yield Sample("face", sample.start, sample.end, sample.published, self._face)

    def finish(self) -> Iterator[Sample[Any]]:
        return iter(())


class Speech:
    """Voice in every tenth; two words a second, committed 0.8 s after they end."""

    step = 0
    _states = np.ones(VOICE_STATES, np.float32)

    def __init__(self) -> None:
        self._until: int | None = None

    def process(self, sample: Sample[Any]) -> Iterator[Sample[Any]]:
        tenth = SECOND // 10
        if self._until is None:
            self._until = sample.start - sample.start % tenth
        while self._until + tenth <= sample.end:
            start, self._until = self._until, self._until + tenth
            voice = VoiceFeatures(np.zeros(len(PROSODY), np.float32), self._states)
            yield Sample("voice", start, self._until, sample.published, voice)
            end = self._until - 8 * tenth
            if end > 0 and end % (SECOND // 2) == 0:
                word = Word(f"word{end // SECOND % 97}", end - tenth, end, 0.9)
                yield Sample("word", word.start, end, sample.published, word)

    def finish(self) -> Iterator[Sample[Any]]:
        return iter(())


class Text:
    def __init__(self) -> None:
        self._words: list[Word] = []

    def process(self, sample: Sample[Any]) -> Iterator[Sample[Any]]:
        self._words = [*self._words[-15:], sample.data]
        context = TextContext(
            tuple(self._words), np.ones((len(self._words), TEXT_STATES), np.float32)
        )
        yield Sample("text", sample.start, sample.end, sample.published, context)

    def finish(self) -> Iterator[Sample[Any]]:
        return iter(())


def predict(windows: Any) -> Predictions:
    """Even emotions for every window."""
    rows = len(windows)
    edges = np.zeros((rows, len(EDGES)), np.float32)
    timeline = Timeline(
        np.asarray([to_seconds(w.end) for w in windows]),
        np.full((rows, len(EMOTIONS)), 1 / len(EMOTIONS), np.float32),
        np.zeros(rows, np.float32),
        np.asarray([[w.present(m) for m in ("text", "voice", "face")] for w in windows]),
        edges,
        edges,
    )
    atoms = np.zeros((rows, 64), np.float32)
    return Predictions(timeline, atoms, atoms)


def stages(landmarks: bool) -> Callable[[Any, Callable[[], int]], Stages]:
    """The stand-ins of the extractors."""

    def opened(make: Callable[[], Any]) -> Callable[[], Any]:
        @contextmanager
        def open_stage() -> Iterator[Any]:
            yield make()

        return open_stage

    made = Stages(opened(lambda: Face(landmarks)), opened(Speech), opened(Text))
    return lambda _models, _now: made


class Synchrony:
    """A recorder that looks for flashes and clicks on the way."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self.flashes: dict[int, int] = {}
        self.clicks: dict[int, int] = {}

    def add(self, sample: Sample[Any]) -> None:
        self._recorder.add(sample)
        if sample.stream == "frame" and sample.data.image[0, 0, 0] > 200:
            self.flashes[sample.start // MINUTE] = sample.start
        elif sample.stream == "audio":
            samples = sample.data.samples
            if samples.max(initial=0.0) > 0.5:
                power = samples.astype(np.float64) ** 2
                centre = float((power * np.arange(len(power))).sum() / power.sum())
                time = sample.start + round(centre * SECOND / SAMPLE_RATE)
                self.clicks[time // MINUTE] = time

    def describe(self, manifest: Any) -> None:
        self._recorder.describe(manifest)

    def finish(self, manifest: Any = None) -> Any:
        return self._recorder.finish(manifest)

    def abort(self) -> None:
        self._recorder.abort()

    def apart(self) -> list[float]:
        """Milliseconds from flash to click, by minute; of the second a steady part is the grid of
        the pictures, the same in each minute since a minute holds whole pictures."""
        both = sorted(self.flashes.keys() & self.clicks.keys())
        return [(self.clicks[m] - self.flashes[m]) / 1e6 for m in both]


def counts() -> tuple[float, int, int]:
    """Resident memory in MB, open files, threads of the process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    files = sum(1 for _ in Path("/proc/self/fd").iterdir())
    threads = sum(1 for _ in Path("/proc/self/task").iterdir())
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6, files, threads


def main() -> None:
    """Run, print one line for each target and one JSON object."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--hours", type=float, default=8.0)
    parser.add_argument("--full", action="store_true", help="record landmarks too")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = run(Path(folder) / "session", args.hours, args.full)
    lines = [
        ("memory after the warm-up", f"{result['growth_mb']:+.1f} MB", GROWTH_MB,
         result["growth_mb"] < GROWTH_MB),
        ("open files more than after a minute", f"{result['files']:+d}", 0, result["files"] <= 0),
        ("threads more than after a minute", f"{result['threads']:+d}", 0,
         result["threads"] <= 0),
        ("drift of sound against pictures", f"{result['drift_ms']:.2f} ms", DRIFT_MS,
         result["drift_ms"] < DRIFT_MS),
    ]  # fmt: skip
    for what, measured, target, good in lines:
        print(f"{'met   ' if good else 'missed'}  {what:<42} {measured:>10}  {target:>6}")
    print(json.dumps(result))


def run(folder: Path, hours: float, landmarks: bool) -> dict[str, Any]:
    """Hours of session time; what was counted."""
    clock = SimulatedClock()
    clock.join()
    never = threading.Event()
    sinks: list[Synchrony] = []

    def recorder(place: Path) -> Synchrony:
        sinks.append(Synchrony(Recorder(place)))
        return sinks[-1]

    models = SimpleNamespace(
        checkpoint=lambda: SimpleNamespace(live_windows=lambda: LIVE_WINDOWS, rest={}),
        live_predictor=lambda _on_change: (predict, None),
        engine_name=lambda: "stand-in",
        devices=dict,
        gave_way=dict,
        describe=dict,
    )
    device = SourceChoice("device", "0", "soak")
    session = LiveSession(
        device, device, lambda: models, recorder=recorder, clock=clock, stages=stages(landmarks),
        pictures=lambda _choice, paced, _heads: Camera(paced),
        sound=lambda _choice, paced, _heads: Microphone(paced),
        overflow=Overflow.BLOCK,
    )  # fmt: skip
    began = time.monotonic()
    session.start(folder)
    while session.state is not LiveState.RUNNING:
        time.sleep(0.01)
    memory: list[float] = []
    after_a_minute = (0, 0)
    minutes = max(round(hours * 60), WARM_UP // 60 + 5)
    for minute in range(minutes):
        clock.wait_until(clock.now() + MINUTE, never)
        session.timeline(), session.words(), session.health(), session.events()
        gc.collect()
        megabytes, files, threads = counts()
        memory.append(megabytes)
        if minute == 0:
            after_a_minute = (files, threads)
        if minute % 30 == 0:
            print(f"{minute / 60:6.1f} h  {megabytes:7.1f} MB  {files} files  {threads} threads  "
                  f"{time.monotonic() - began:.0f} s", flush=True)  # fmt: skip
    health = session.health()
    _, files, threads = counts()
    rows = len(session.timeline())
    session.stop()
    clock.leave()
    ended = session.wait(600.0)
    apart = sinks[0].apart()
    first, last = np.median(apart[1:5]), np.median(apart[-5:])
    return {
        "hours": minutes / 60,
        "took_seconds": round(time.monotonic() - began),
        "memory_mb": {"warm": round(memory[WARM_UP // 60 - 1], 1), "end": round(memory[-1], 1)},
        "growth_mb": round(memory[-1] - memory[WARM_UP // 60 - 1], 1),
        "files": files - after_a_minute[0],
        "threads": threads - after_a_minute[1],
        "drift_ms": round(abs(float(last - first)), 3),
        "apart_ms": {"least": round(min(apart[1:]), 2), "most": round(max(apart[1:]), 2)},
        "drift_ppm": health.drift_ppm,
        "dropped": dict(health.dropped),
        "rows_in_memory": rows,
        "events": [event.data.text for event in session.events()],
        "ended": ended,
    }


if __name__ == "__main__":
    main()
