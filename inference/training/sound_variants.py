"""A recorded voice made different without changing how it is meant: to train on, never to test on.

Faster and higher or slower and lower; with the throat and the pitch of another speaker; in a room;
among noise; louder or softer, as another microphone might be.
"""

from collections.abc import Iterator

import numpy as np

from extractors.features import SAMPLE_RATE, FloatArray

__all__ = ["at_speed", "by_another", "in_a_room", "varied", "with_noise", "with_variants"]

SPEEDS = (0.88, 1.14)
"""Slowest and fastest; pitch goes with it, two semitones either way."""
FORMANT_RATIOS = (0.84, 1.18)
"""Longest and shortest vocal tract, as a ratio of formants: about from a woman's to a man's."""
LOW_HZ, HIGH_HZ = (85.0, 160.0), (160.0, 270.0)
"""Median pitch of those with a longer and with a shorter vocal tract than the speaker."""
PITCH_RANGES = (0.85, 1.2)
PITCH_SEARCHED_HZ = (75.0, 600.0)
SEEDED = "random_initializeWithSeedUnsafelyButPredictably: 1"
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


def by_another(samples: FloatArray, generator: np.random.Generator) -> FloatArray:
    """float32 [n] in the voice of another speaker, at the same speed: [about n].

    Praat's "Change gender": formants, median pitch and range of pitch are changed. Sound in which
    Praat finds no pitch comes back as it is.
    """
    import parselmouth

    longer = generator.random() < 0.5
    ratio = (
        generator.uniform(FORMANT_RATIOS[0], 0.95)
        if longer
        else generator.uniform(1.05, FORMANT_RATIOS[1])
    )
    median = generator.uniform(*(LOW_HZ if longer else HIGH_HZ))
    pitch_range = generator.uniform(*PITCH_RANGES)
    sound = parselmouth.Sound(samples.astype(np.float64), SAMPLE_RATE)
    parselmouth.praat.run(SEEDED)  # Praat throws dice for where nothing is voiced
    try:
        changed = parselmouth.praat.call(
            sound, "Change gender", *PITCH_SEARCHED_HZ, ratio, median, pitch_range, 1.0
        )
    except parselmouth.PraatError:
        return samples
    return np.asarray(changed.values[0], np.float32)


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
    """Variant 1, 2, ... of float32 [n], never above full scale; variant 0 is the recording itself.

    Of four in turn the first is at another speed, the second in noise and rooms, the third by
    another speaker, the fourth by another speaker and at another speed.
    """
    if variant == 0 or len(samples) < 2:
        return samples
    kind = (variant - 1) % 4
    if kind >= 2:
        samples = by_another(samples, generator)
    if kind in (0, 3):
        slower = generator.random() < 0.5
        speed = generator.uniform(SPEEDS[0], 0.95) if slower else generator.uniform(1.05, SPEEDS[1])
        samples = at_speed(samples, speed)
    if kind == 1:
        if generator.random() < 0.5:
            samples = in_a_room(samples, generator)
        samples = with_noise(samples, generator)
    samples = samples * np.float32(10 ** (generator.uniform(*GAIN_DB) / 20))
    return samples / max(1.0, float(np.abs(samples).max()))


def with_variants(samples: FloatArray, count: int) -> Iterator[FloatArray]:
    """The recording float32 [n], then `count` variants: the same ones whatever else is read."""
    generator = np.random.default_rng(np.frombuffer(samples.tobytes()[-64:], np.uint8))
    for variant in range(count + 1):
        yield varied(samples, variant, generator)
