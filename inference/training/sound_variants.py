"""A recorded voice made different without changing how it is meant: to train on, never to test on.

Faster and higher or slower and lower, as another speaker might be; in a room; among noise; louder
or softer, as another microphone might be.
"""

import numpy as np

from extractors.features import SAMPLE_RATE, FloatArray

__all__ = ["at_speed", "in_a_room", "varied", "with_noise"]

SPEEDS = (0.88, 1.14)
"""Slowest and fastest; pitch goes with it, two semitones either way."""
NOISE_DB = (8.0, 30.0)
"""Signal-to-noise ratio."""
REVERBERATION_S = (0.15, 0.5)
"""Time in which the sound of the room falls by 60 dB."""
DIRECT_DB = (3.0, 12.0)
"""How much louder the voice is than the room."""
GAIN_DB = (-6.0, 6.0)


def at_speed(samples: FloatArray, speed: float) -> FloatArray:
    """float32 [n] played `speed` times as fast: [n / speed], resampled in the frequency domain."""
    count = max(1, round(len(samples) / speed))
    spectrum = np.fft.rfft(samples)
    kept = np.zeros(count // 2 + 1, spectrum.dtype)
    shared = min(len(kept), len(spectrum))
    kept[:shared] = spectrum[:shared]
    return np.asarray(np.fft.irfft(kept, count) * (count / len(samples)), np.float32)


def in_a_room(samples: FloatArray, generator: np.random.Generator) -> FloatArray:
    """float32 [n] with decaying noise as the answer of a room."""
    decay = generator.uniform(*REVERBERATION_S)
    time = np.arange(round(decay * SAMPLE_RATE)) / SAMPLE_RATE
    answer = generator.standard_normal(len(time)) * 10 ** (-3 * time / decay)
    answer *= 10 ** (-generator.uniform(*DIRECT_DB) / 20) / np.sqrt(np.sum(answer**2))
    answer[0] = 1.0
    length = len(samples) + len(answer) - 1
    product = np.fft.rfft(samples, length) * np.fft.rfft(answer, length)
    return np.asarray(np.fft.irfft(product, length)[: len(samples)], np.float32)


def with_noise(samples: FloatArray, generator: np.random.Generator) -> FloatArray:
    """float32 [n] with white or pink noise, measured against where it is loud."""
    spectrum = np.fft.rfft(generator.standard_normal(len(samples)))
    if generator.random() < 0.6:
        spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 1))
    noise = np.fft.irfft(spectrum, len(samples))
    loud = np.abs(samples) > 0.1 * np.abs(samples).max()
    level = float(np.sqrt(np.mean(samples[loud] ** 2))) if loud.any() else 0.0
    noise *= level * 10 ** (-generator.uniform(*NOISE_DB) / 20) / max(float(noise.std()), 1e-9)
    return np.asarray(samples + noise, np.float32)


def varied(samples: FloatArray, variant: int, generator: np.random.Generator) -> FloatArray:
    """Variant 1, 2, ... of float32 [n]: odd ones at another speed, even ones in noise and rooms.

    Never above full scale. Variant 0 is the recording as it is.
    """
    if variant == 0 or len(samples) < 2:
        return samples
    if variant % 2:
        slower = generator.random() < 0.5
        speed = generator.uniform(SPEEDS[0], 0.95) if slower else generator.uniform(1.05, SPEEDS[1])
        samples = at_speed(samples, speed)
    else:
        if generator.random() < 0.5:
            samples = in_a_room(samples, generator)
        samples = with_noise(samples, generator)
    samples = samples * np.float32(10 ** (generator.uniform(*GAIN_DB) / 20))
    return samples / max(1.0, float(np.abs(samples).max()))
