"""Where someone speaks, heard while it happens: Silero VAD, frame by frame."""

from typing import Any

import numpy as np

from extractors.features import SAMPLE_RATE, FloatArray
from extractors.utterances import SILENCE_MS, THRESHOLD

__all__ = ["FRAME", "SpeechDetector", "VoiceActivity"]

FRAME = 512
"""Samples that the network judges at once."""
CONTEXT = 64
"""Samples before a frame that the network sees with it."""
WIDTH = 128
"""Size of the network's memory."""
UNTIL = THRESHOLD - 0.15
"""Speech goes on while frames are not less probable than this, as in faster-whisper."""


class VoiceActivity:
    """Probability of speech in each frame; the network's memory goes on from call to call."""

    def __init__(self) -> None:
        from faster_whisper.vad import get_vad_model

        self._session: Any = get_vad_model().session
        self.reset()

    def reset(self) -> None:
        """Forget what was heard: the sound that follows does not join on."""
        self._h = np.zeros((1, 1, WIDTH), np.float32)
        self._c = np.zeros((1, 1, WIDTH), np.float32)
        self._context = np.zeros(CONTEXT, np.float32)

    def __call__(self, frames: FloatArray) -> FloatArray:
        """Probabilities float32 [n] of `frames` float32 [n, 512] at 16 kHz that follow the last."""
        if len(frames) == 0:
            return np.zeros(0, np.float32)
        tails = np.concatenate([self._context[None], frames[:-1, -CONTEXT:]])
        inputs = {"input": np.concatenate([tails, frames], axis=1), "h": self._h, "c": self._c}
        output, self._h, self._c = self._session.run(None, inputs)
        self._context = frames[-1, -CONTEXT:].copy()
        return np.asarray(output, np.float32).reshape(-1)


class SpeechDetector:
    """Probabilities of frames to speech and pauses, by the rule that files are cut with.

    Speech begins with a probable frame and ends with the first improbable one that half a second
    without a probable one follows. Positions are samples from the first frame on.
    """

    def __init__(self) -> None:
        self.now = 0
        self.start: int | None = None
        """Where the present speech began; None while nobody speaks."""
        self.quiet_since: int | None = None
        """Where the pause began that may end the present speech."""
        self.probable = 0
        """Samples in probable frames of the present speech."""

    @property
    def quiet(self) -> int:
        """Samples of the pause within the present speech so far."""
        return 0 if self.quiet_since is None else self.now - self.quiet_since

    def add(self, probability: float) -> None:
        """Take the next frame."""
        here = self.now
        self.now += FRAME
        if probability >= THRESHOLD:
            if self.start is None:
                self.start, self.probable = here, 0
            self.quiet_since = None
            self.probable += FRAME
        elif self.start is not None:
            if probability < UNTIL and self.quiet_since is None:
                self.quiet_since = here
            waited = here - (here if self.quiet_since is None else self.quiet_since)
            if waited >= SILENCE_MS * SAMPLE_RATE // 1000:
                self.start = self.quiet_since = None
