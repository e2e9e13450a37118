"""States of the voice from sound: the first layers of a Whisper encoder, and none of its words."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from assets.errors import ModelFileError
from extractors.features import SAMPLE_RATE, VOICE_LAYERS, FloatArray
from extractors.spectrogram import STATE_RATE, count_of_states, log_mel
from extractors.voice_encoder import VoiceEncoder, read_weights

__all__ = ["CHUNK", "MARGIN", "VoiceModel"]

CHUNK = 4 * SAMPLE_RATE
"""Sound that the encoder sees at once: the length of the window of the network."""
MARGIN = SAMPLE_RATE // 2
"""Of a chunk inside longer speech, this much at either side is context only."""


class VoiceModel:
    """Sound to states, on the CPU always. Safe to share between threads."""

    def __init__(
        self, folder: Path, layers: Sequence[int] = VOICE_LAYERS, *, threads: int = 1
    ) -> None:
        """Load a CTranslate2 model folder; layers count from 1.

        Raises ModelFileError if it is not one.
        """
        from faster_whisper.feature_extractor import FeatureExtractor
        from threadpoolctl import threadpool_limits

        file = folder / "model.bin"
        if not file.is_file():
            raise ModelFileError(f"{folder} holds no speech model; run: affectscope models fetch")
        # NumPy's threads would spin on a core that others need, long after each small product
        threadpool_limits(1, user_api="blas")
        self._features: Any = FeatureExtractor()
        self._encoder = VoiceEncoder(read_weights(file), layers, threads=threads)

    def states(self, samples: FloatArray) -> FloatArray:
        """States of `samples` float32 [n] at 16 kHz: float32 [ceil(n / 320), width] at 50 Hz, those
        of the layers side by side.

        Longer sound is encoded in chunks of 4 s that overlap by 1 s, of which the middle is kept:
        Whisper adds absolute positions to its input, so that states late in a long passage differ
        from the same sound in a short one.
        """
        count = count_of_states(len(samples))
        if count == 0:
            return np.zeros((0, 0), np.float32)
        pieces: list[FloatArray] = []
        have = 0
        for start in range(0, max(1, len(samples) - 2 * MARGIN), CHUNK - 2 * MARGIN):
            last = start + CHUNK >= len(samples)
            encoded = self.encode(samples[start : start + CHUNK])
            first = start * STATE_RATE // SAMPLE_RATE
            until = count if last else (start + CHUNK - MARGIN) * STATE_RATE // SAMPLE_RATE
            pieces.append(encoded[have - first : until - first])
            have = until
            if last:
                break
        return np.concatenate(pieces)

    def encode(self, samples: FloatArray) -> FloatArray:
        """As `states`, of at most 30 s, in one unpadded pass."""
        spectrogram = log_mel(self._features, samples)
        return self._encoder(spectrogram)[: count_of_states(len(samples))]
