"""Sound as Whisper's encoders take it: log-mel spectrograms, of which two frames make a state."""

import math
from typing import Any

import numpy as np

from extractors.features import SAMPLE_RATE, FloatArray

__all__ = ["STATE_RATE", "count_of_states", "log_mel"]

STATE_RATE = 50
"""Encoder states per second of sound."""


def count_of_states(samples: int) -> int:
    """States of so many samples at 16 kHz: one for each 320, and one for what is left."""
    return math.ceil(samples * STATE_RATE / SAMPLE_RATE)


def log_mel(extractor: Any, samples: FloatArray, silence: int = 0) -> FloatArray:
    """Spectrogram of `samples` float32 [n] at 16 kHz and of so many samples of `silence` behind
    them: float32 [80, frames], 100 a second, an even number and enough for all the states.

    `extractor` is faster-whisper's.
    """
    # the log-mel frames of one state more, so that the last state is whole
    until = (count_of_states(len(samples)) + 1) * SAMPLE_RATE // STATE_RATE + silence
    whole = np.pad(samples, (0, until - len(samples)))
    features: FloatArray = extractor(whole, padding=0)
    return features[:, : features.shape[1] // 2 * 2]
