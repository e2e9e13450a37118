"""Voice features while someone speaks, as near as may be to those that a file gives."""

from collections.abc import Callable

import numpy as np

from extractors.features import SAMPLE_RATE, FloatArray, VoiceFeatures
from extractors.prosody import prosody
from extractors.speech import CHUNK, MARGIN, STATE_RATE
from extractors.stream import SECOND
from extractors.voice import STEP, pool_states

__all__ = ["LiveVoice"]

PER_STATE = SAMPLE_RATE // STATE_RATE
HOP = CHUNK - 2 * MARGIN
PROSODY_BEFORE = SAMPLE_RATE // 2
"""Sound before the steps that Praat hears with them: pitch is followed, not found anew."""


class LiveVoice:
    """States of chunks that lie as in `SpeechModel.states`, each as far as it has been heard."""

    def __init__(self) -> None:
        self.begin: int | None = None
        """First sample of the present speech, on a whole tenth; None while nobody speaks."""
        self._spoken: list[tuple[int, int | None]] = []

    def open(self, at: int) -> None:
        """Speech begins at sample `at`."""
        self.begin = at
        self._spoken.append((at, None))

    def close(self, at: int) -> None:
        """Speech ended before sample `at`."""
        if self.begin is not None:
            self._spoken[-1] = (self.begin, at)
            self.begin = None

    def steps(
        self,
        first: int,
        until: int,
        now: int,
        start: int,
        sound: Callable[[int, int], FloatArray],
        encode: Callable[[int, int], FloatArray],
    ) -> list[VoiceFeatures]:
        """Features of the tenths from session time `first` to `until`, heard up to sample `now`.

        `start` is the session time of sample 0; `sound(a, b)` and `encode(a, b)` give samples and
        states from sample a to b.
        """
        begin, end = _sample(first - start), min(_sample(until - start), now)
        states: dict[int, FloatArray] = {}
        for since, ended in self._spoken:
            last = now if ended is None else min(ended, now)
            for chunk, a, b in chunks(since, begin, min(end, last)):
                encoded = encode(chunk, min(chunk + CHUNK, last))
                piece = encoded[(a - chunk) // PER_STATE : -(-(b - chunk) // PER_STATE)]
                states.update(pool_states(piece, start + a * SECOND // SAMPLE_RATE))
        self._spoken = [(a, b) for a, b in self._spoken if b is None or b > end - SAMPLE_RATE]
        before = max(0, min(PROSODY_BEFORE, begin))
        before -= before % (SAMPLE_RATE // 10)
        heard = sound(max(0, begin) - before, now)
        lead = max(0, -begin)
        rows = prosody(np.pad(heard, (lead, 0)))[before * 10 // SAMPLE_RATE :]
        return [
            VoiceFeatures(rows[i], states.get(first // STEP + i))
            for i in range((until - first) // STEP)
        ]


def chunks(since: int, begin: int, end: int) -> list[tuple[int, int, int]]:
    """Chunks of speech from `since` on whose states speak of [begin, end), all in samples.

    Each is its first sample and the part [a, b) that is taken of it: all but half a second at
    either end, and from the first chunk its beginning too.
    """
    found = []
    begin = max(begin, since)
    begin = since + (begin - since) // PER_STATE * PER_STATE
    index = max(0, (begin - since - MARGIN) // HOP)
    while begin < end:
        chunk = since + index * HOP
        until = min(end, chunk + CHUNK - MARGIN)
        if until > begin:
            found.append((chunk, begin, until))
            begin = until
        index += 1
    return found


def _sample(duration: int) -> int:
    return duration * SAMPLE_RATE // SECOND
