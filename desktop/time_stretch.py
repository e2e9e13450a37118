"""Sound made slower or faster at the same pitch, by FFmpeg's filter `atempo`."""

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from desktop.sound_device import CHANNELS, RATE

__all__ = ["TimeStretch", "stages"]

FloatArray = npt.NDArray[np.float32]

LEAD = 1024
"""Frames by which a stage is early: half of its window of 2^11 at 48 kHz. Silence evens it out."""


def stages(speed: float) -> tuple[float, ...]:
    """Factors from 0.5 to 2 whose product is `speed`: within them `atempo` blends and never skips.

    Raises ValueError where `speed` is not positive.
    """
    if speed <= 0:
        raise ValueError(f"speed must be positive: {speed}")
    factors = []
    while not 0.5 <= speed <= 2.0:
        factors.append(2.0 if speed > 2.0 else 0.5)
        speed /= factors[-1]
    return (*factors, speed)


class TimeStretch:
    """Sound [n, 2] at `RATE` in, sound of 1 / `speed` times the length out.

    What is heard at the frame n of the sound that went in is heard near n / `speed` in what comes
    out. It deviates by up to 20 ms of the recording, above double speed by 10 ms of what is heard,
    and does not drift. Used by one thread only.
    """

    def __init__(self, speed: float) -> None:
        import av  # loaded where sound is decoded, not with the window

        self._av = av
        self._graph = av.filter.Graph()
        self._source = self._graph.add_abuffer(
            format="flt", sample_rate=RATE, layout="stereo", time_base=Fraction(1, RATE)
        )
        last, lead, before = self._source, 0.0, 1.0
        for factor in stages(speed):
            stage = self._graph.add("atempo", str(factor))
            last.link_to(stage)
            last, lead, before = stage, lead + LEAD * before, before * factor
        shape = self._graph.add("aformat", "sample_fmts=flt:channel_layouts=stereo")
        last.link_to(shape)
        self._sink = self._graph.add("abuffersink")
        shape.link_to(self._sink)
        self._graph.configure()
        self._given = 0
        self._lead = np.zeros((round(lead), CHANNELS), np.float32)

    def stretch(self, samples: FloatArray) -> FloatArray:
        """What becomes ready by these samples; often none."""
        if self._given == 0:
            samples = np.concatenate([self._lead, samples])
        frame = self._av.AudioFrame.from_ndarray(
            np.ascontiguousarray(samples, np.float32).reshape(1, -1), "flt", "stereo"
        )
        frame.sample_rate = RATE
        frame.time_base = Fraction(1, RATE)
        frame.pts = self._given
        self._given += len(samples)
        self._source.push(frame)
        return self._pull()

    def finish(self) -> FloatArray:
        """What is still held back."""
        self._source.push(None)
        return self._pull()

    def _pull(self) -> FloatArray:
        return np.concatenate([*self._ready(), np.zeros((0, CHANNELS), np.float32)])

    def _ready(self) -> Iterator[FloatArray]:
        while True:
            try:
                frame = self._sink.pull()
            except (self._av.error.BlockingIOError, self._av.error.EOFError):
                return
            assert isinstance(frame, self._av.AudioFrame)
            yield frame.to_ndarray().reshape(-1, CHANNELS).astype(np.float32, copy=False)
