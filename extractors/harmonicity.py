"""How harmonic a voice is through Praat, a few frames at a time: the values of one call for all."""

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from extractors.features import SAMPLE_RATE

__all__ = ["AT_ONCE", "HOP", "PITCH_FLOOR", "Float64Array", "harmonicity"]

PITCH_FLOOR = 75.0
HOP = 0.01
"""Seconds between frames."""
AT_ONCE = 20
"""Frames that Praat is asked for at once, which takes it some 2 ms."""

Float64Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

AHEAD, BEHIND = 214, 215
"""Samples before and after the one at or before the time of a frame that are laid out with it;
it sees no others."""
SLOT = 2 * (AHEAD + 1 + BEHIND)
RATES = {213: SAMPLE_RATE, 214: SAMPLE_RATE + 40}
"""By where Praat's correlation begins, in samples before the one at or before the time of a frame:
the rate at which it does so for a time between two samples. At either rate Praat's windows have the
same number of samples."""
EDGE = 427
"""Samples that a frame can see whose window begins with the sound."""


def harmonicity(samples: Float64Array, since: int = 0) -> tuple[Float64Array, Float64Array]:
    """Times in seconds and decibels of Praat's frames of `samples` from the sample `since` on.

    `samples` are float64 [n] at 16 kHz, 0.1 s of them or more; -200 dB is silence. What Praat
    computes at once no other thread can interrupt, and a second takes 10 ms and more. So some
    frames are asked for at a time. A frame depends on the samples that it sees, and whether it is
    silence also on the largest distance of any sample from the mean: so they are laid out in sound
    of the same mean in which that sample occurs.
    """
    times, left, first = _frames(len(samples))
    wanted = np.flatnonzero(times >= since / SAMPLE_RATE)
    mean = float(samples.mean())
    farthest = float(samples[np.abs(samples - mean).argmax()])
    values = np.empty(len(times))
    for ahead, some in _alike(left - first, wanted):
        if ahead in RATES:
            seen = left[some, np.newaxis] + np.arange(-AHEAD, BEHIND + 1)
            # what lies outside is laid out, and not seen
            slots = samples[np.clip(seen, 0, len(samples) - 1)]
            values[some] = _ask(_laid_out(slots, mean, farthest), SLOT, RATES[ahead])
        else:  # the first frame, whose correlation would begin before the sound
            beginning = _at_the_beginning(samples[:EDGE], mean, farthest)
            values[some] = _ask(beginning, SLOT + 1e-3, SAMPLE_RATE)[0]
    return times[wanted], values[wanted]


def _frames(count: int) -> tuple[Float64Array, Indices, Indices]:
    """Praat's frames of `count` samples: time, sample at or before it, where correlation begins.

    In the order in which Praat calculates: frames of an odd number of samples lie on samples, and
    rounding decides whether a time is before its sample.
    """
    period, longest = 1 / SAMPLE_RATE, 1 / PITCH_FLOOR
    window, duration = longest + longest, period * count
    frames = math.floor((duration - window) / HOP) + 1
    begin = 0.5 * period
    middle = begin - 0.5 * period + 0.5 * duration
    first = middle - 0.5 * (frames * HOP) + 0.5 * HOP
    times: Float64Array = first + np.arange(frames, dtype=np.float64) * HOP

    def before(times: Float64Array) -> Indices:
        return np.floor((times - begin) / period + 1).astype(np.int64) - 1

    return times, before(times), np.maximum(before(times - 0.5 * window), 0)


def _alike(ahead: Indices, wanted: Indices) -> Iterator[tuple[int, Indices]]:
    """Those of the frames `wanted` that can be asked for at once, with their number `ahead`."""
    for number in np.unique(ahead[wanted]):
        alike = wanted[ahead[wanted] == number]
        for place in range(0, len(alike), AT_ONCE):
            yield int(number), alike[place : place + AT_ONCE]


def _laid_out(seen: Float64Array, mean: float, farthest: float) -> Float64Array:
    """Sound in whose frames, `SLOT` samples apart, Praat sees float64 [frames, SLOT / 2].

    Everything occurs a second time mirrored at the mean: half of it before what its frame sees,
    half after it.
    """
    mirrored, half = 2 * mean - seen, SLOT // 4
    slots = np.concatenate([mirrored[:, :half], seen, mirrored[:, half:]], axis=1)
    return np.concatenate([[farthest], slots.ravel(), [2 * mean - farthest]])


def _at_the_beginning(seen: Float64Array, mean: float, farthest: float) -> Float64Array:
    """Sound in whose first frame of two, just over `SLOT` apart, Praat sees float64 [EDGE].

    Its time is just before a sample, as that of the frame was.
    """
    rest = np.full(SLOT, mean)
    rest[:EDGE] = 2 * mean - seen
    rest[-2:] = farthest, 2 * mean - farthest
    return np.concatenate([seen, rest])


def _ask(sound: Float64Array, apart: float, rate: int) -> Float64Array:
    """Decibels of the frames that are `apart` samples apart."""
    import parselmouth

    found = parselmouth.Sound(sound, rate).to_harmonicity_cc(apart / rate, PITCH_FLOOR)
    return np.asarray(found.values[0])
