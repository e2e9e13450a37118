"""A file of pictures and sound made of plain numbers, and a loudspeaker moved by hand."""

import threading
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from desktop.sound_device import Device, FillBlock, SoundUnavailable
from extractors.features import AudioBlock, VideoFrame
from extractors.stream.sample import SECOND, Sample

PICTURE = SECOND // 10


class FakeMedia:
    """Ten pictures a second; all pixels of picture n are n. The sound is a ramp of its seconds."""

    def __init__(self, seconds: float, sound: bool = False) -> None:
        self.pictures = round(seconds * 10)
        self.seconds = seconds
        self.sound = sound
        self.passes = 0
        self.sound_read = threading.Event()

    def frames(
        self, start: int = 0, max_side: int | None = None, showing: bool = False
    ) -> Iterator[Sample[VideoFrame]]:
        assert max_side is not None
        self.passes += 1
        for index in range(self.pictures):
            time = index * PICTURE
            if time >= start or (showing and time + PICTURE > start):
                image = np.full((48, 64, 3), index % 256, np.uint8)
                yield Sample("frame", time, time, time, VideoFrame(image))

    def audio(
        self, start: int = 0, rate: int = 16000, channels: int = 1
    ) -> Iterator[Sample[AudioBlock]]:
        for block in range(int(self.seconds * 2) if self.sound else 0):
            begin = block * SECOND // 2
            if begin >= start:
                ramp = (begin / SECOND + np.arange(rate // 2) / rate) / 100
                samples = np.repeat(ramp[:, None], channels, axis=1).astype(np.float32)
                end = begin + SECOND // 2
                yield Sample("audio", begin, end, end, AudioBlock(samples))
        self.sound_read.set()


class FakeDevice:
    """Asks for sound when it is told to."""

    def __init__(self) -> None:
        self.fill: FillBlock | None = None
        self.opened = threading.Event()
        self.closed = threading.Event()

    def open(self, fill: FillBlock) -> Device:
        self.fill = fill
        self.opened.set()
        return self

    def close(self) -> None:
        self.closed.set()

    def ask(self, frames: int, delay: int = 0) -> npt.NDArray[np.float32]:
        """What the device gets, [frames, 2]."""
        assert self.fill is not None
        out = np.full((frames, 2), 9.0, np.float32)
        self.fill(out, delay)
        return out


def no_device(_fill: FillBlock) -> Device:
    """A machine without a loudspeaker."""
    raise SoundUnavailable("no sound device")
