"""From decoded audio frames to one gapless run of samples at one rate."""

import math
from collections.abc import Iterator
from fractions import Fraction

import av.error
import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from extractors.audio_timeline import AudioTimeline
from extractors.straight_line import Line
from extractors.stream.sample import SECOND

__all__ = ["SoundConverter"]

FloatArray = npt.NDArray[np.float32]

LAYOUTS = {1: "mono", 2: "stereo"}

USUAL_CHANNELS = 8
"""Up to so many channels FFmpeg knows a usual layout if the file does not say which is where."""

MIX = {"rematrix_maxval": "1"}
"""Options of libswresample: scale a mix of channels so that it stays within [-1, 1]."""


class SoundConverter:
    """Mixes, places and resamples frames of any format. Used by one thread only.

    Frames are mixed to `channels` (1 or 2) at their own rate, laid on an `AudioTimeline`, and only
    then resampled to `rate`, so that a gap or a jitter of the times never reaches the resampler.
    `grid` (session nanoseconds) is where the sound of the file begins: output samples fall on
    whole steps of `rate` from there, also if decoding starts in the middle.
    """

    def __init__(self, rate: int, channels: int, grid: int = 0) -> None:
        if rate < 1 or channels not in LAYOUTS:
            raise ValueError(f"rate must be positive and channels 1 or 2: {rate}, {channels}")
        self.rate = rate
        self.channels = channels
        self.timeline = AudioTimeline(rate, channels)
        """The run that comes out."""
        self.replaced = 0
        """Samples that were not finite and became 0."""
        self.failed = 0
        """Frames that could not be converted."""
        self.late = Line()
        """Milliseconds by which frames lie later than their times say, over those in seconds."""
        self._before = np.zeros(2)
        """Seconds that were cut off and filled in sections before this one."""
        self._grid = grid
        self._section: _Section | None = None

    @property
    def cut_and_filled(self) -> tuple[float, float]:
        """Seconds of sound left out because there is sound at their times already, and seconds of
        silence where something is missing."""
        section = np.zeros(2) if self._section is None else self._section.cut_and_filled
        cut, filled = self._before + section + _cut_and_filled(self.timeline)
        return float(cut), float(filled)

    def convert(
        self, time: int | None, frame: AudioFrame, lost: bool = False
    ) -> Iterator[FloatArray]:
        """Arrays [n, channels] that come next on `timeline`; often none.

        `time` in session nanoseconds, None to follow the frame before. `lost`: something between
        this frame and the one before could not be decoded.
        """
        key = (frame.sample_rate, frame.format.name, frame.layout.name)
        if self._section is not None and self._section.key != key:
            yield from self.finish()
        if self._section is None:
            begin = self.timeline.end if time is None else time
            self._section = _Section(key, self.rate, self.channels, self._grid, begin, self.late)
        try:
            mixed = self._section.mix(frame)
        except av.error.FFmpegError:
            self.failed += 1
            return
        unusable = ~np.isfinite(mixed)
        if unusable.any():
            self.replaced += int(unusable.sum())
            mixed = np.where(unusable, np.float32(0), mixed)
        for begin, array in self._section.resample(time, mixed, lost):
            yield from self.timeline.place(begin, array)

    def finish(self) -> Iterator[FloatArray]:
        """What the resampler still holds."""
        section, self._section = self._section, None
        if section is not None:
            self._before += section.cut_and_filled
            for begin, array in section.finish():
                yield from self.timeline.place(begin, array)


class _Section:
    """A run of frames of one format."""

    def __init__(
        self, key: tuple[int, str, str], rate: int, channels: int, grid: int, begin: int, late: Line
    ) -> None:
        self.key = key
        self._rate = rate
        self._channels = channels
        self._timeline = AudioTimeline(key[0], channels, late=late)
        self._mixer = AudioResampler("flt", LAYOUTS[channels], key[0], options=MIX)
        self._resampler = AudioResampler("flt", LAYOUTS[channels], rate)
        self._given = 0
        self._taken = 0
        # Only every `step`-th sample of the source falls on a sample of the output.
        step = key[0] // math.gcd(key[0], rate)
        first = round((begin - grid) * key[0] / SECOND)
        self._to_grid = -first % step
        self._origin = grid + Fraction((first + self._to_grid) * SECOND, key[0])

    @property
    def cut_and_filled(self) -> npt.NDArray[np.float64]:
        return _cut_and_filled(self._timeline)

    def mix(self, frame: AudioFrame) -> FloatArray:
        """The samples of a frame as float32 [n, channels]."""
        layout = frame.layout
        if layout.name.endswith("channels") and layout.nb_channels > USUAL_CHANNELS:
            return np.repeat(_average(frame), self._channels, axis=1)
        frame.pts = None
        frames = self._mixer.resample(frame)
        return np.concatenate([self._array(mixed) for mixed in frames] or [self._silence(0)])

    def resample(
        self, time: int | None, mixed: FloatArray, lost: bool
    ) -> Iterator[tuple[int, FloatArray]]:
        """Times and arrays at the output's rate."""
        for placed in self._timeline.place(time, mixed, lost):
            on_grid = placed[self._to_grid :]
            self._to_grid -= len(placed) - len(on_grid)
            if len(on_grid):
                yield from self._through(on_grid)

    def finish(self) -> Iterator[tuple[int, FloatArray]]:
        """The end of the run, exactly as long as the sound that went in."""
        if self.key[0] == self._rate or self._taken == 0:
            return
        for frame in self._resampler.resample(None):
            yield from self._out(self._array(frame))

    def _through(self, samples: FloatArray) -> Iterator[tuple[int, FloatArray]]:
        if self.key[0] == self._rate:
            yield from self._out(samples)
            return
        frame = AudioFrame.from_ndarray(
            np.ascontiguousarray(samples).reshape(1, -1), "flt", LAYOUTS[self._channels]
        )
        frame.sample_rate = self.key[0]
        frame.time_base = Fraction(1, self.key[0])
        frame.pts = self._taken
        self._taken += len(samples)
        for resampled in self._resampler.resample(frame):
            yield from self._out(self._array(resampled))

    def _out(self, array: FloatArray) -> Iterator[tuple[int, FloatArray]]:
        begin = round(self._origin + Fraction(self._given * SECOND, self._rate))
        self._given += len(array)
        yield begin, array

    def _array(self, frame: AudioFrame) -> FloatArray:
        return frame.to_ndarray().astype(np.float32, copy=False).reshape(-1, self._channels)

    def _silence(self, length: int) -> FloatArray:
        return np.zeros((length, self._channels), np.float32)


def _cut_and_filled(timeline: AudioTimeline) -> npt.NDArray[np.float64]:
    return np.asarray([timeline.overlap, timeline.filled]) / timeline.rate


def _average(frame: AudioFrame) -> FloatArray:
    """The mean of the channels, [n, 1], whatever they are."""
    array = frame.to_ndarray()
    channels = frame.layout.nb_channels
    samples = (array.T if frame.format.is_planar else array.reshape(-1, channels)).astype(float)
    if array.dtype == np.uint8:
        samples -= 128
    if np.issubdtype(array.dtype, np.integer):
        samples /= 2 ** (8 * array.dtype.itemsize - 1)
    mean: FloatArray = samples.mean(axis=1, keepdims=True).astype(np.float32)
    return mean
