"""From the blocks of a sound device to sound at exactly 16 kHz of session time."""

from collections.abc import Iterator

import numpy as np

from extractors.features import SAMPLE_RATE, AudioBlock, FloatArray
from extractors.sources.device_clock import DeviceClock
from extractors.stream import SECOND, Sample

__all__ = ["BLOCK", "LiveSound"]

BLOCK = SAMPLE_RATE // 20
"""Samples in a block that goes out: 50 ms."""
HEADROOM = 1.02
"""The resampler may run faster than its nominal ratio by up to this."""
PULL = 10.0
"""Seconds in which an error of the time is made good."""
FASTEST_PULL = 0.005
"""By which the speed changes at most for that."""


class LiveSound:
    """Resamples with a ratio that follows the device's drift, so that sample n of a section lies at
    its first time + n / 16000, to well under a millisecond, for hours.

    libsoxr in its variable-rate mode; the times come from a `DeviceClock`. Where samples were lost
    a new section begins, and the next block's `start` tells.
    """

    def __init__(self, rate: float) -> None:
        """`rate`: samples a second of the blocks that come in, as the device says."""
        self.clock = DeviceClock(rate)
        self.gaps = 0
        """Sections after the first."""
        self.lost = 0
        """Nanoseconds of sound that were missing."""
        self._rate = rate
        self._index = 0
        """Samples that came in so far."""
        self._end = 0
        """Where the last block ended."""
        self._begin_section()

    def _begin_section(self) -> None:
        import soxr

        self._resampler = soxr.ResampleStream(self._rate * HEADROOM, SAMPLE_RATE, 1, vr=True)
        self._ratio = 0.0
        self._set_ratio(self._rate / SAMPLE_RATE)
        self._first: int | None = None
        self._position = float(self._index)
        """Index of the sample that came in which the next sample that comes out belongs to."""
        self._made = 0
        self._given = 0
        self._waiting: list[FloatArray] = []
        self._next_check = self._index + self._rate

    def _set_ratio(self, ratio: float) -> None:
        if ratio != self._ratio:
            self._ratio = ratio
            self._resampler.set_io_ratio(ratio * SAMPLE_RATE, SAMPLE_RATE)

    def push(self, samples: FloatArray, time: int, published: int) -> Iterator[Sample[AudioBlock]]:
        """Take float32 [n] mono of which the first was taken at about `time`; give whole blocks."""
        shift = self.clock.add(self._index, time)
        if shift:
            self.gaps += 1
            self.lost += max(0, shift)
            self._begin_section()
        if self._first is None:
            self._first = max(self.clock.time_of(self._index), self._end)
        self._index += len(samples)
        made = self._resampler.resample_chunk(np.ascontiguousarray(samples, np.float32))
        self._made += len(made)
        self._position += len(made) * self._ratio
        if self._index >= self._next_check:
            self._next_check = self._index + self._rate
            self._follow(self._first)
        self._waiting.append(made)
        yield from self._blocks(self._first, published)

    def _follow(self, first: int) -> None:
        """Bend the ratio so that what comes out next is where its time says."""
        error = self.clock.time_of(self._position) - (first + _duration(self._made))
        pull = float(np.clip(error / (PULL * SECOND), -FASTEST_PULL, FASTEST_PULL))
        self._set_ratio(self.clock.samples_per_second / SAMPLE_RATE * (1 - pull))

    def _blocks(self, first: int, published: int) -> Iterator[Sample[AudioBlock]]:
        if sum(map(len, self._waiting)) < BLOCK:
            return
        joined = np.concatenate(self._waiting)
        whole = len(joined) // BLOCK * BLOCK
        self._waiting = [joined[whole:]]
        for begin in range(0, whole, BLOCK):
            start = first + _duration(self._given)
            self._given += BLOCK
            self._end = first + _duration(self._given)
            block = AudioBlock(joined[begin : begin + BLOCK])
            yield Sample("audio", start, self._end, published, block)


def _duration(samples: int) -> int:
    return samples * SECOND // SAMPLE_RATE
