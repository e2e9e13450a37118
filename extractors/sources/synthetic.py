"""Pictures and sound made up, for trying the program and for its tests."""

import threading
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from extractors.features import SAMPLE_RATE, AudioBlock, VideoFrame
from extractors.sources.choice import SourceChoice
from extractors.sources.live_sound import BLOCK
from extractors.sources.source import SourceInfo
from extractors.stream import SECOND, PacedClock, Sample

__all__ = ["SyntheticPictures", "SyntheticSound"]

SIZE = (320, 240)
RATE = 30.0
PERIOD = 2 * SECOND
"""The spot goes round, and the tone sounds, once in this time."""
PITCH = 140.0


class SyntheticPictures:
    """A light that goes round on grey, at a steady rate."""

    def __init__(self, choice: SourceChoice, clock: PacedClock) -> None:
        self.info: SourceInfo | None = None
        self._size = choice.size or SIZE
        self._rate = choice.rate or RATE
        self._clock = clock
        self._closing = threading.Event()

    def close(self) -> None:
        self._closing.set()

    def samples(self) -> Iterator[Sample[VideoFrame]]:
        self.info = SourceInfo("synthetic pictures", self._size, self._rate)
        began = self._clock.now()
        number = 1
        while self._clock.wait_until(began + round(number * SECOND / self._rate), self._closing):
            time = began + round(number * SECOND / self._rate)
            yield Sample("frame", time, time, self._clock.now(), VideoFrame(self._picture(time)))
            # a machine that fell behind leaves pictures out, as a camera does
            due = (self._clock.now() - began) * self._rate / SECOND
            number = max(number + 1, int(due))

    def _picture(self, time: int) -> npt.NDArray[np.uint8]:
        width, height = self._size
        image = np.full((height, width, 3), 96, np.uint8)
        angle = 2 * np.pi * (time % PERIOD) / PERIOD
        x, y = width * (0.5 + 0.3 * np.cos(angle)), height * (0.5 + 0.3 * np.sin(angle))
        image[max(0, int(y) - 8) : int(y) + 8, max(0, int(x) - 8) : int(x) + 8] = 224
        return image


class SyntheticSound:
    """A tone of 140 Hz with its harmonics, a second on and a second off."""

    def __init__(self, choice: SourceChoice, clock: PacedClock) -> None:
        self.info: SourceInfo | None = None
        self._choice = choice
        self._clock = clock
        self._closing = threading.Event()

    def close(self) -> None:
        self._closing.set()

    def samples(self) -> Iterator[Sample[AudioBlock]]:
        self.info = SourceInfo("synthetic sound", None, float(SAMPLE_RATE), "mono")
        began = self._clock.now()
        length = BLOCK * SECOND // SAMPLE_RATE
        number = 0
        while self._clock.wait_until(began + (number + 1) * length, self._closing):
            behind = (self._clock.now() - began) // length - number - 1
            if behind > SECOND // length:
                number += behind  # the machine slept: a gap, as a microphone has one
            start = began + number * length
            number += 1
            block = AudioBlock(self._tone(start))
            yield Sample("audio", start, start + length, self._clock.now(), block)

    def _tone(self, start: int) -> npt.NDArray[np.float32]:
        times = start % (10 * PERIOD) / SECOND + np.arange(BLOCK) / SAMPLE_RATE
        wave = sum(np.sin(2 * np.pi * PITCH * k * times) / k for k in range(1, 8))
        gate = (times % (PERIOD / SECOND)) < PERIOD / SECOND / 2
        return np.asarray(0.1 * wave * gate, np.float32)
