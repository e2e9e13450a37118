"""Sound decoded ahead, played by the device, and the clock that it gives to playback."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from desktop.media import OpenMedia
from desktop.sound_device import CHANNELS, RATE, OpenDevice
from desktop.time_stretch import TimeStretch
from extractors.features import AudioBlock
from extractors.stream import Channel, ChannelClosed, Clock, Failure, Sample, Worker
from extractors.stream.sample import SECOND

__all__ = ["SoundTrack", "Volume"]

BLOCKS_AHEAD = 8
TOLERANCE = RATE // 200
"""Frames by which blocks may be off their time before silence is put in or sound is cut."""

STEADINESS = 16
"""Devices ask in bursts: each block moves the clock by this part of its deviation only."""
JUMP = SECOND // 20
"""A deviation from here on is a pause of the sound, not unsteadiness, and counts in full."""


@dataclass(slots=True)
class Volume:
    """Loudness, shared between the window and the device."""

    level: float = 1.0
    """0 to 1 as the slider shows it."""
    muted: bool = False

    @property
    def gain(self) -> float:
        """Amplitude; the square of the level comes near to how loudness is felt."""
        return 0.0 if self.muted else self.level**2


class SoundTrack:
    """The sound from `start` nanoseconds on, `speed` times as fast at the same pitch.

    Its `now` is how long it has been heard so far; the recording moved `speed` times as far.

    One thread opens the device, feeds it and closes it again. The clock stands still until the
    first frame is heard and whenever the decoder falls behind, so pictures wait for the sound; once
    the sound has ended it runs on in silence.
    """

    def __init__(
        self,
        open_media: OpenMedia,
        start: int,
        open_device: OpenDevice,
        volume: Volume,
        clock: Clock,
        speed: float = 1.0,
    ) -> None:
        self._speed = speed
        self._open_media = open_media
        self._start = start
        self._open_device = open_device
        self._volume = volume
        self._clock = clock
        self._channel: Channel[npt.NDArray[np.float32]] = Channel("sound", BLOCKS_AHEAD)
        self._rest = np.zeros((0, CHANNELS), np.float32)
        self._given = 0
        self._mark: tuple[int, int] | None = None  # time of frame 0; nanoseconds given so far
        self._heard = 0
        self._complete = False
        self._stopping = threading.Event()
        self.silent = False
        """Whether there turned out to be no sound from here on."""
        self.worker = Worker("sound", self._feed(), None, [self._channel])
        self.worker.start()

    @property
    def failure(self) -> Failure | None:
        return self.worker.failure

    @property
    def started(self) -> bool:
        """Whether the device has asked for sound and got some."""
        return self._mark is not None

    def now(self) -> int:
        """Nanoseconds of this track that have left the loudspeaker; never decreases."""
        mark = self._mark
        if mark is not None:
            zero, given = mark
            self._heard = max(self._heard, min(self._clock.now() - zero, given))
        return self._heard

    def fill(self, out: npt.NDArray[np.float32], delay: int) -> None:
        """Called by the device: the next frames, heard after `delay` nanoseconds."""
        first, filled = self._given, 0
        while filled < len(out):
            if not len(self._rest) and not self._take():
                break
            piece = self._rest[: len(out) - filled]
            np.multiply(piece, self._volume.gain, out=out[filled : filled + len(piece)])
            self._rest = self._rest[len(piece) :]
            filled += len(piece)
        out[filled:] = 0.0
        media_frames = len(out) if self._complete else filled
        self._given += media_frames
        if media_frames:
            zero = self._clock.now() + delay - first * SECOND // RATE
            if self._mark is not None and abs(zero - self._mark[0]) < JUMP:
                zero = self._mark[0] + (zero - self._mark[0]) // STEADINESS
            self._mark = zero, self._given * SECOND // RATE

    def stop(self) -> Worker:
        """Fall silent. Returns the thread, which closes the device and ends."""
        self._volume = Volume(0.0)
        self._stopping.set()
        self.worker.abort()
        return self.worker

    def _take(self) -> bool:
        try:
            sample = self._channel.get(timeout=0)
        except ChannelClosed:
            return False
        if sample is None:
            return False
        if sample.end == sample.start:  # the mark that nothing follows
            self._complete = True
            return False
        self._rest = sample.data
        return True

    def _feed(self) -> Iterator[Sample[npt.NDArray[np.float32]]]:
        blocks = self._in_step(self._open_media().audio(self._start, RATE, CHANNELS))
        if self._speed != 1.0:
            blocks = self._stretched(blocks)
        first = next(blocks, None)
        if first is None:
            self.silent = True
            return
        device = self._open_device(self.fill)
        try:
            yield first
            end = first.end
            for block in blocks:
                yield block
                end = block.end
            yield Sample("sound", end, end, 0, np.zeros((0, CHANNELS), np.float32))
            self._stopping.wait()
        finally:
            device.close()

    def _stretched(
        self, blocks: Iterator[Sample[npt.NDArray[np.float32]]]
    ) -> Iterator[Sample[npt.NDArray[np.float32]]]:
        """The same sound at another speed; the times are those at which it is heard."""
        stretch = TimeStretch(self._speed)
        fed = 0
        for block in blocks:
            samples = stretch.stretch(block.data)
            if len(samples):
                yield _heard(fed, samples)
                fed += len(samples)
        rest = stretch.finish()
        if len(rest):
            yield _heard(fed, rest)

    def _in_step(
        self, blocks: Iterator[Sample[AudioBlock]]
    ) -> Iterator[Sample[npt.NDArray[np.float32]]]:
        """Blocks without gap or overlap from `start` on: frame n is heard at start + n / RATE."""
        fed = 0
        for block in blocks:
            samples = np.ascontiguousarray(block.data.samples.reshape(-1, CHANNELS), np.float32)
            ahead = round((block.start - self._start) * RATE / SECOND) - fed
            if ahead > TOLERANCE:
                samples = np.concatenate([np.zeros((ahead, CHANNELS), np.float32), samples])
            elif ahead < -TOLERANCE:
                samples = samples[-ahead:]
            if len(samples):
                start = self._start + fed * SECOND // RATE
                fed += len(samples)
                end = self._start + fed * SECOND // RATE
                yield Sample("sound", start, end, 0, samples)


def _heard(first: int, samples: npt.NDArray[np.float32]) -> Sample[npt.NDArray[np.float32]]:
    """A block whose first frame is frame `first` of what the device gets."""
    start, end = first * SECOND // RATE, (first + len(samples)) * SECOND // RATE
    return Sample("sound", start, end, 0, samples)
