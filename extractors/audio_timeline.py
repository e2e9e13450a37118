"""Pieces of sound with times, laid out as one run of samples without gap or overlap."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from extractors.straight_line import Line
from extractors.stream.sample import SECOND

__all__ = ["AudioTimeline"]

FloatArray = npt.NDArray[np.float32]

TOLERANCE = SECOND // 50
"""Containers round times (Matroska to milliseconds); up to this the count of samples is right."""


class AudioTimeline:
    """Puts pieces of sound where their times say.

    The first piece sets `origin`. A later one follows the samples before it as long as its time
    agrees with their count within `tolerance`; beyond that silence fills the gap, or what overlaps
    is cut off its front. So jitter shifts nothing, and errors do not add up.
    """

    def __init__(
        self, rate: int, channels: int, tolerance: int = TOLERANCE, late: Line | None = None
    ) -> None:
        self.rate = rate
        self.channels = channels
        self.tolerance = tolerance
        self.origin: int | None = None
        """Session nanoseconds of the first sample; None before there is one."""
        self.length = 0
        """Samples so far."""
        self.overlap = 0
        """Samples that were cut off because something else is heard at their time."""
        self.filled = 0
        """Samples of silence where something is missing."""
        self.late = Line() if late is None else late
        """Milliseconds by which pieces lie later than their times say, over those in seconds."""

    def time_of(self, index: int) -> int:
        """Session nanoseconds at which the sample with that index begins."""
        return (self.origin or 0) + (2 * index * SECOND + self.rate) // (2 * self.rate)

    @property
    def end(self) -> int:
        """Session nanoseconds at which the last sample ends."""
        return self.time_of(self.length)

    def place(
        self, time: int | None, samples: FloatArray, exact: bool = False
    ) -> Iterator[FloatArray]:
        """What comes next: silence if needed, in pieces of a second at most, then the sound.

        `time` in session nanoseconds, None to follow what is there; `samples` float32 [n,
        channels]. `exact` (something before this piece is known to be lost) puts it at its time,
        however small the drift.
        """
        if self.origin is None:
            self.origin = time or 0
        drift = 0 if time is None else time - self.end
        missing = 0
        if exact or abs(drift) > self.tolerance:
            missing = round(drift * self.rate / SECOND)
        if missing < 0:
            self.overlap += min(-missing, len(samples))
            samples = samples[-missing:]
        self.filled += max(0, missing)
        if time is not None:
            placed = self.time_of(self.length + missing)
            self.late.add_one(time / SECOND, (placed - time) / 1e6)
        while missing > 0:
            silence = np.zeros((min(missing, self.rate), self.channels), np.float32)
            missing -= len(silence)
            self.length += len(silence)
            yield silence
        if len(samples):
            self.length += len(samples)
            yield samples
