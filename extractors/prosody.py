"""Interpretable measures of the voice, ten a second, through Praat: the field's reference."""

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt

from extractors.features import PROSODY, SAMPLE_RATE, FloatArray
from extractors.harmonicity import HOP, PITCH_FLOOR, Float64Array, harmonicity

__all__ = ["STEP", "prosody"]

STEP = 0.1
"""Seconds per row."""
PITCH_CEILING = 600.0
SHORTEST = 0.1
"""Praat needs some periods of the lowest pitch to say anything at all."""


def prosody(samples: FloatArray, before: int = 0) -> FloatArray:
    """Prosody of `samples` float32 [n] at 16 kHz: float32 [ceil(n / 1600), 6], see `PROSODY`.

    Row i speaks of the samples from i * 0.1 s on, for 0.1 s. The first `before` rows are left out:
    they are heard with the others, since pitch is followed from one to the next.

    - f0: mean fundamental frequency of the voiced frames in hertz (autocorrelation method,
      Boersma 1993), NaN without any
    - intensity: mean in dB relative to 2e-5, as Praat gives it for a full scale of 1
    - voicing: fraction of frames that are voiced
    - harmonicity: mean harmonics-to-noise ratio in dB (cross-correlation), NaN in silence
    - jitter: mean absolute difference of successive periods over the mean period, as a fraction
      (Praat's "local" jitter), NaN with fewer than three periods
    - tilt: slope of the spectrum from 100 Hz to 5 kHz in dB per octave, NaN in digital silence
    """
    rows = -(-len(samples) // round(STEP * SAMPLE_RATE))
    result = np.full((rows, len(PROSODY)), np.nan, np.float32)
    result[:, PROSODY.index("voicing")] = 0.0
    if rows <= before:
        return result[before:]
    padding = max(0, round(SHORTEST * SAMPLE_RATE) - len(samples))
    padded = np.pad(samples, (0, padding)).astype(np.float64)

    import parselmouth

    sound = parselmouth.Sound(padded, SAMPLE_RATE)
    pitch = sound.to_pitch_ac(HOP, PITCH_FLOOR, pitch_ceiling=PITCH_CEILING)
    frequency = pitch.selected_array["frequency"]
    voiced = frequency > 0
    row_of = _rows(pitch.xs(), rows)
    result[:, 0] = _mean(frequency, row_of, rows, voiced)
    result[:, 2] = np.nan_to_num(_mean(voiced.astype(np.float64), row_of, rows))
    result[:, 1] = _intensity(samples.astype(np.float64))
    times, values = harmonicity(padded, before * round(STEP * SAMPLE_RATE))
    result[:, 3] = _mean(values, _rows(times, rows), rows, values > -200)
    result[:, 4] = _jitter(sound, pitch, rows)
    result[:, 5] = np.where(result[:, 1] > 0, _tilt(padded, rows), np.nan)
    return result[before:]


def _rows(times: Float64Array, rows: int) -> npt.NDArray[np.int64]:
    return np.clip((times / STEP).astype(np.int64), 0, rows - 1)


def _mean(
    values: Float64Array,
    row_of: npt.NDArray[np.int64],
    rows: int,
    keep: npt.NDArray[np.bool_] | None = None,
) -> Float64Array:
    """Mean of the kept values in each row; NaN where there is none."""
    if keep is not None:
        values, row_of = values[keep], row_of[keep]
    count = np.bincount(row_of, minlength=rows)
    total = np.bincount(row_of, weights=values, minlength=rows)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(total / count)


def _intensity(samples: Float64Array) -> Float64Array:
    """Mean power of each row in dB; Praat's own contour smooths over 43 ms and more.

    The last row counts the samples that it has: a short one is not quieter.
    """
    first = np.arange(0, len(samples), round(STEP * SAMPLE_RATE))
    counts = np.diff(first, append=len(samples))
    power = np.add.reduceat(samples**2, first) / counts
    return np.asarray(10 * np.log10(np.maximum(power, 1e-12) / 4e-10))


def _jitter(sound: Any, pitch: Any, rows: int) -> Float64Array:
    """Praat's local jitter, from the pulses that Praat finds: sum |T_i - T_i+1| / sum T."""
    import parselmouth

    pulses = parselmouth.praat.call([sound, pitch], "To PointProcess (cc)")
    count = int(parselmouth.praat.call(pulses, "Get number of points"))
    matrix = parselmouth.praat.call(pulses, "To Matrix") if count > 2 else None
    if matrix is None:
        return np.full(rows, np.nan)
    times = np.asarray(matrix.values[0])
    periods = np.diff(times)
    change = np.abs(np.diff(periods))
    mean = (periods[1:] + periods[:-1]) / 2
    longest, ratio = 1 / PITCH_FLOOR * 1.25, 1.3
    longer = np.maximum(periods[1:], periods[:-1])
    shorter = np.minimum(periods[1:], periods[:-1])
    usable = (longer < longest) & (longer < ratio * shorter)
    row_of = _rows(times[1:-1], rows)
    numerator = _mean(change, row_of, rows, usable)
    enough = np.bincount(row_of[usable], minlength=rows) >= 2
    return np.where(enough, numerator / _mean(mean, row_of, rows, usable), np.nan)


def _tilt(samples: Float64Array, rows: int) -> Float64Array:
    """Least-squares slope of the level over log2 frequency, in third-octave bands."""
    size = round(STEP * SAMPLE_RATE)
    whole = np.pad(samples[: rows * size], (0, max(0, rows * size - len(samples))))
    spectrum = np.abs(np.fft.rfft(whole.reshape(rows, size) * np.hanning(size), axis=1)) ** 2
    frequency = np.fft.rfftfreq(size, 1 / SAMPLE_RATE)
    edges = 100 * 2 ** (np.arange(18) / 3)
    bands = np.stack(
        [
            spectrum[:, (frequency >= low) & (frequency < high)].mean(axis=1)
            for low, high in itertools.pairwise(edges)
        ],
        axis=1,
    )
    level = 10 * np.log10(bands + 1e-12)
    octave = (np.arange(len(edges) - 1) + 0.5) / 3
    octave -= octave.mean()
    return np.asarray(level @ octave / (octave @ octave))
