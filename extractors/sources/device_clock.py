"""When a sound device took its samples: its own count of them, laid on the session's clock."""

from collections import deque

import numpy as np

from extractors.stream.sample import SECOND

__all__ = ["DeviceClock"]

BIN = 1
"""Seconds of sound of which the least delayed block counts."""
HISTORY = 180
"""Bins that the line is fitted to."""
LEAST = 10
"""Bins before a drift is believed."""
JUMP = SECOND // 50
"""A whole bin further off than this is no jitter: samples were lost, or the clock jumped."""


class DeviceClock:
    """Estimates the time of each sample from block times that jitter. Pure arithmetic.

    A block that reaches the program late tells little, one that comes early tells the truth: of
    each second the earliest counts. A straight line through the last three minutes of those gives
    the offset and the drift; an error of 1 ms in each leaves 3 parts in a million.
    """

    def __init__(self, rate: float) -> None:
        """`rate`: samples a second, as the device says."""
        self.rate = rate
        self._points: deque[tuple[float, float]] = deque(maxlen=HISTORY)
        """Device time in seconds, offset of session time from it in nanoseconds."""
        self._bin: tuple[float, float] | None = None
        self._bin_ends = 0.0
        self._offset = 0.0
        self._slope = 0.0
        """Nanoseconds of offset per second of device time."""
        self._middle = 0.0

    @property
    def drift_ppm(self) -> float | None:
        """How much faster than the session's clock the device's runs, in parts per million."""
        return None if len(self._points) < LEAST else -self._slope / SECOND * 1e6

    @property
    def samples_per_second(self) -> float:
        """Samples in a second of session time, as far as is known."""
        return self.rate / (1 + self._slope / SECOND)

    def time_of(self, index: float) -> int:
        """Session nanoseconds at which the sample with that index was taken."""
        seconds = index / self.rate
        return round(seconds * SECOND + self._offset + self._slope * (seconds - self._middle))

    def add(self, index: int, time: int) -> int:
        """Take a block: the index of its first sample, and when that was taken, more or less.

        Returns by how many nanoseconds the device's samples have shifted against the session's
        clock, once that is sure: positive where samples were lost. It begins anew from there.
        """
        seconds = index / self.rate
        offset = time - seconds * SECOND
        shift = 0
        if self._bin is None:
            if not self._points:
                self._offset = offset
            self._bin_ends = seconds + BIN
        elif seconds >= self._bin_ends:
            shift = self._finish_bin(self._bin)
            self._bin = None
            self._bin_ends = seconds + BIN
        if self._bin is None or offset < self._bin[1]:
            self._bin = (seconds, offset)
        if not self._points:
            self._offset = min(self._offset, offset)
        return shift

    def _finish_bin(self, point: tuple[float, float]) -> int:
        seconds, offset = point
        expected = self.time_of(seconds * self.rate) - seconds * SECOND
        shift = round(offset - expected)
        if self._points and abs(shift) > JUMP:
            self._points.clear()
            self._points.append(point)
            self._offset, self._slope, self._middle = offset, 0.0, seconds
            return shift
        self._points.append(point)
        self._fit()
        return 0

    def _fit(self) -> None:
        times, offsets = np.asarray(self._points, np.float64).T
        if len(times) < LEAST:
            self._offset, self._slope, self._middle = float(offsets.min()), 0.0, times[0]
            return
        keep = np.ones(len(times), np.bool_)
        for _ in range(2):
            middle = times[keep].mean()
            centred = times[keep] - middle
            level = offsets[keep].mean()
            slope = float(centred @ (offsets[keep] - level) / (centred @ centred))
            apart = np.abs(offsets - level - slope * (times - middle))
            keep = apart <= 3 * max(float(np.median(apart)), 1e4)
        self._offset, self._slope, self._middle = float(level), slope, float(middle)
