"""Gathers how a session keeps up, and decides about the ladder."""

import threading
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from extractors.features import SAMPLE_RATE
from extractors.sources.live_sound import BLOCK
from extractors.stream import SECOND
from inference.live.branches import Channels
from inference.live.interface import Health
from inference.live.ladder import LadderState, Load, advance
from inference.live.latency import Meters

__all__ = ["HealthWatch"]

LOOK_EVERY = SECOND


class HealthWatch:
    """One for each session. `look` is called by the engine, `health` by anyone."""

    def __init__(self, channels: Channels, meters: Meters) -> None:
        self.ladder = LadderState()
        self.stages: dict[str, Any] = {}
        """The open stages by the names of their workers; what the ladder lowers."""
        self._channels = channels
        self._meters = meters
        self._lock = threading.Lock()
        self._looked = 0
        self._late: list[int] = []
        self._frames = (0, 0)
        self._recorded = 0
        self._busy: tuple[int, dict[str, int]] = (0, {})
        self._load: Mapping[str, float] = {}

    def predicted(self, delay: int) -> None:
        """A prediction came so many nanoseconds after it was due."""
        self._late.append(delay)

    def look(self, now: int) -> bool:
        """Measure, once a second, and go down or up the ladder; whether the step has changed."""
        if now - self._looked < LOOK_EVERY:
            return False
        self._looked = now
        before = self.ladder.step
        self.ladder = advance(self.ladder, self._measure(), now)
        if self.ladder.step == before:
            return False
        rung = self.ladder.rung
        if "face" in self.stages:
            self.stages["face"].max_rate = rung.face_rate
        if "speech" in self.stages:
            self.stages["speech"].step = rung.speech_step
        return True

    def _measure(self) -> Load:
        frames = self._channels.frames.stats
        put, dropped = frames.put - self._frames[0], frames.dropped - self._frames[1]
        self._frames = (frames.put, frames.dropped)
        late, self._late = self._late, []
        return Load(
            faces=dropped / put if put else 0.0,
            predictions=sum(late) / len(late) / SECOND if late else 0.0,
            speech=self._channels.sound.stats.waiting * BLOCK / SAMPLE_RATE,
        )

    def due(self, now: int, every: int) -> bool:
        """Whether health is to be recorded again."""
        if now - self._recorded < every:
            return False
        self._recorded = now
        return True

    def health(self, now: int, sound: Any, busy: Mapping[str, int], models: Any = None) -> Health:
        """`now` of the clock that `Meters.event` is told; `sound`: the source of sound that is
        open; `busy`: nanoseconds of work by worker; `models`: those that are loaded, as
        `inference.models.Models` tells of them."""
        dropped = {channel.name: channel.stats.dropped for channel in self._channels.all}
        overflows = getattr(sound, "overflows", None)
        if overflows is not None:
            dropped["device"] = overflows
        rung = self.ladder.rung
        return Health(
            latency=self._meters.latencies(),
            dropped=dropped,
            rates=self._meters.rates(now),
            drift_ppm=getattr(sound, "drift_ppm", None),
            step=self.ladder.step,
            step_text=rung.text,
            step_reason=self.ladder.reason,
            draw_landmarks=rung.draw_landmarks,
            load=self._shares(now, busy),
            engine="" if models is None else models.engine_name(),
            devices={} if models is None else models.devices(),
            gave_way={} if models is None else models.gave_way(),
        )

    def _shares(self, now: int, busy: Mapping[str, int]) -> Mapping[str, float]:
        """How much of the time since the last look each worker worked; renewed every 2 s."""
        with self._lock:
            since, before = self._busy
            if now - since >= 2 * SECOND:
                spent = {name: busy[name] - before.get(name, 0) for name in busy}
                self._load = {n: round(v / (now - since), 3) for n, v in spent.items()}
                self._busy = (now, dict(busy))
            return self._load

    @staticmethod
    def as_json(health: Health) -> dict[str, Any]:
        """For the recording."""
        values = asdict(health)
        values["latency"] = {
            stage: {k: round(v, 1) for k, v in quantiles.items()}
            for stage, quantiles in values["latency"].items()
        }
        return values
