"""Delays and rates, measured as samples pass."""

import threading
from collections import deque
from collections.abc import Mapping

import numpy as np

from extractors.stream import SECOND
from inference.live.interface import Latency

__all__ = ["Meters"]

KEPT = 1024
"""Delays of each stage that quantiles are taken of."""
RATE_SPAN = 4 * SECOND


class Meters:
    """Delays by stage and events by name. Used by many threads; adding takes a microsecond."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._delays: dict[str, deque[int]] = {}
        self._counts: dict[str, int] = {}
        self._times: dict[str, deque[int]] = {}

    def delay(self, stage: str, nanoseconds: int) -> None:
        """Note how long something took to come through to `stage`."""
        with self._lock:
            self._delays.setdefault(stage, deque(maxlen=KEPT)).append(nanoseconds)
            self._counts[stage] = self._counts.get(stage, 0) + 1

    def event(self, name: str, now: int) -> None:
        """Note that something happened that is to happen at a rate."""
        with self._lock:
            times = self._times.setdefault(name, deque())
            times.append(now)
            while times[0] <= now - RATE_SPAN:
                times.popleft()

    def latencies(self) -> Mapping[str, Latency]:
        """Quantiles in milliseconds."""
        with self._lock:
            delays = {stage: np.asarray(kept) for stage, kept in self._delays.items()}
            counts = dict(self._counts)
        result = {}
        for stage, values in delays.items():
            p50, p95, p99 = (float(q) / 1e6 for q in np.quantile(values, (0.5, 0.95, 0.99)))
            result[stage] = Latency(p50, p95, p99, counts[stage])
        return result

    def rates(self, now: int) -> Mapping[str, float]:
        """How often a second, over the last four."""
        with self._lock:
            return {
                name: sum(time > now - RATE_SPAN for time in times) * SECOND / RATE_SPAN
                for name, times in self._times.items()
            }
