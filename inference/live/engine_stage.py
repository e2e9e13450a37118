"""The engine's thread: it looks at the clock, collects what has come, and predicts."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from extractors.stream import SECOND, PacedClock, Sample
from extractors.stream.window import WindowSpec
from inference.live.branches import Channels
from inference.live.engine import Due, LiveEngine
from inference.live.health import HealthWatch
from inference.live.latency import Meters
from inference.predictor import Predictions, Predictor

__all__ = ["EngineStage", "Ticks"]

IDLE = SECOND // 20
"""Between looks while nothing is due."""
LONGEST = SECOND // 4
"""The engine can be ended, and looks after its channels, at least this often."""


class Ticks(Iterator[Sample[None]]):
    """A sample whenever the engine has something to do; without waiting once `ending` is set."""

    def __init__(
        self,
        clock: PacedClock,
        now: Callable[[], int],
        engine: Callable[[], "EngineStage | None"],
        ending: threading.Event,
    ) -> None:
        self._clock = clock
        self._now = now
        self._engine = engine
        self._ending = ending
        self._joined = True
        clock.join()

    def __next__(self) -> Sample[None]:
        stage, wait = self._engine(), IDLE
        if stage is not None and stage.running:
            now = self._now()
            wait = min(max(stage.next_due(now) - now, 0), LONGEST)
        self._clock.wait_until(self._clock.now() + wait, self._ending)
        now = self._now()
        return Sample("tick", now, now, now, None)

    def close(self) -> None:
        """Called by the worker, however it ends."""
        if self._joined:
            self._joined = False
            self._clock.leave()


class EngineStage:
    """Ticks in; predictions go to `on_rows` and, with late words, to `on_settled`."""

    def __init__(
        self,
        spec: WindowSpec,
        predictor: Predictor,
        channels: Channels,
        now: Callable[[], int],
        meters: Meters,
        watch: HealthWatch,
    ) -> None:
        self.running = False
        """Set from outside; without it what comes is discarded."""
        self.draining = False
        """Set at the end: no further windows; what still comes belongs to those that are open."""
        self.on_rows: Callable[[Predictions], None] = _ignore
        self.on_settled: Callable[[Predictions], None] = _ignore
        self.on_gap: Callable[[int, int], None] = _ignore
        self.on_step: Callable[[int, str, str], None] = _ignore
        self.on_sample: Callable[[Sample[Any]], None] = _ignore
        self.on_look: Callable[[int], None] = _ignore
        """Called before the windows that are due are predicted."""
        self._engine = LiveEngine(spec)
        self._hop = spec.hop
        self._predictor = predictor
        self._inboxes = (channels.text, channels.voice, channels.face)
        self._now = now
        self._meters = meters
        self._watch = watch
        self._was_running = False
        self._shown: deque[tuple[int, list[int]]] = deque(maxlen=64)
        """Ends of windows, and of the pictures that were new in them."""

    @property
    def grace(self) -> int:
        return self._engine.grace

    def next_due(self, now: int) -> int:
        return self._engine.next_due(now)

    def process(self, _tick: Sample[Any]) -> Iterator[Sample[Any]]:
        for inbox in self._inboxes:
            for sample in inbox.take_all():
                self._engine.add(sample)
                self.on_sample(sample)
        if self.draining:
            return iter(())
        self.on_look(self._now())
        if self.running:
            self._was_running = True
            self._predict(self._engine.due(self._now()))
            if self._watch.look(self._now()):
                ladder = self._watch.ladder
                self._engine.hop = self._hop * ladder.rung.hop_factor
                self.on_step(ladder.step, ladder.rung.text, ladder.reason)
        else:
            self._interrupt()
        return iter(())

    def finish(self) -> Iterator[Sample[Any]]:
        for inbox in self._inboxes:
            for sample in inbox.take_all():
                self._engine.add(sample)
        self._interrupt()
        return iter(())

    def _interrupt(self) -> None:
        if self._was_running:
            self._was_running = False
            settled = self._engine.interrupt()
            if settled:
                self.on_settled(self._predictor(settled))

    def _predict(self, due: Due) -> None:
        if due.gap is not None:
            self.on_gap(*due.gap)
        windows = (*due.settled, *due.fresh)
        if not windows:
            return
        predictions = self._predictor(windows)
        split = len(due.settled)
        if due.fresh:
            self.on_rows(_part(predictions, slice(split, None)))
            self._measure(due)
        if due.settled:
            self.on_settled(_part(predictions, slice(split)))

    def _measure(self, due: Due) -> None:
        now = self._now()
        for window in due.fresh:
            seen = self._engine.newly_seen(window, "face")
            for end in seen:
                self._meters.delay("prediction", now - end)
            self._meters.delay("late", now - window.end)
            self._watch.predicted(now - window.end - self._engine.patience)
            self._shown.append((window.end, seen))

    def displayed(self, time: int) -> None:
        """The row at `time` (session nanoseconds) is on the screen; called by the window."""
        now = self._now()
        while self._shown and self._shown[0][0] <= time + 1000:
            _, seen = self._shown.popleft()
            for end in seen:
                self._meters.delay("displayed", now - end)


def _part(predictions: Predictions, rows: slice) -> Predictions:
    from dataclasses import fields

    from extractors.timeline import Timeline

    timeline = predictions.timeline
    return Predictions(
        Timeline(*(getattr(timeline, field.name)[rows] for field in fields(Timeline))),
        predictions.atoms_homogeneous[rows],
        predictions.atoms_heterogeneous[rows],
    )


def _ignore(*_: Any) -> None:
    """Nobody wants to know."""
