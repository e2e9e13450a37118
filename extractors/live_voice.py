"""Voice features while someone speaks: tentative at once, and later those that a file gives."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import parselmouth  # noqa: F401  with all that a session loads, and not when somebody speaks

from extractors.features import SAMPLE_RATE, FloatArray, VoiceFeatures
from extractors.prosody import prosody
from extractors.spectrogram import STATE_RATE
from extractors.stream import SECOND
from extractors.voice import STEP, pool_states
from extractors.voice_model import CHUNK, MARGIN

__all__ = ["LiveVoice", "VoiceSteps", "chunks", "settled_until"]

Piece = Callable[[int, int], FloatArray]
"""From sample a to sample b: the sound, or its encoder states."""

PER_STATE = SAMPLE_RATE // STATE_RATE
PER_STEP = SAMPLE_RATE * STEP // SECOND
HOP = CHUNK - 2 * MARGIN
BEHIND = 3 * PER_STEP
"""Sound behind a step that settles its prosody, and whether someone speaks in it."""
BEFORE = 5 * PER_STEP
"""Sound before the steps that Praat hears with them: pitch is followed, not found anew."""
LOUDEST = 30 * SAMPLE_RATE
"""Praat calls silent what is quiet beside the loudest sound; this much of the past counts."""


@dataclass(frozen=True, slots=True)
class VoiceSteps:
    """Features of successive tenths; `first` is the number of the first since session time 0."""

    first: int
    settled: tuple[VoiceFeatures, ...]
    tentative: tuple[VoiceFeatures, ...]
    """The tenths after the settled ones."""


class LiveVoice:
    """States of chunks that lie as in `VoiceModel.states`, each as far as it has been heard.

    States near the end of a chunk change much when more sound follows. So a tenth is tentative, and
    read anew with each pass, until its chunk is whole or the speech has ended. Then it is what
    `extractors.voice` gives for a file. Positions are samples of one run of sound.
    """

    def __init__(self) -> None:
        self.begin: int | None = None
        """First sample of the present speech, on a whole tenth; None while nobody speaks."""
        self._spoken: list[tuple[int, int | None]] = []
        self._rows: dict[int, FloatArray] = {}
        self._peaks: list[tuple[int, float]] = []

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
        self, first: int, start: int, now: int, sound: Piece, encode: Piece, *, ended: bool
    ) -> VoiceSteps:
        """The tenths from number `first` on, after sound up to sample `now` was heard.

        `start` is the session time of sample 0. `ended`: no sound follows, all steps are settled.
        """
        heard = start + now * SECOND // SAMPLE_RATE
        last = -(-heard // STEP) if ended else heard // STEP
        if last <= first:
            return VoiceSteps(first, (), ())
        begin = (first * STEP - start) * SAMPLE_RATE // SECOND
        states = self._states(begin, now, start, encode)
        self._measure(first, last, begin, now, sound)
        features = [VoiceFeatures(self._rows[i], states.get(i)) for i in range(first, last)]
        until = start + settled_until(self.begin, now) * SECOND // SAMPLE_RATE
        settled = last if ended else min(last, max(first, until // STEP))
        for step in range(first, settled):
            del self._rows[step]
        seen = (settled * STEP - start) * SAMPLE_RATE // SECOND
        self._spoken = [(a, b) for a, b in self._spoken if b is None or b > seen]
        return VoiceSteps(
            first, tuple(features[: settled - first]), tuple(features[settled - first :])
        )

    def _states(self, begin: int, now: int, start: int, encode: Piece) -> dict[int, FloatArray]:
        states: dict[int, FloatArray] = {}
        for since, ended in self._spoken:
            end = now if ended is None else min(ended, now)
            for chunk, a, b in chunks(since, max(begin, since), end):
                encoded = encode(chunk, min(chunk + CHUNK, end))
                piece = encoded[(a - chunk) // PER_STATE : -(-(b - chunk) // PER_STATE)]
                states.update(pool_states(piece, start + a * SECOND // SAMPLE_RATE))
        return states

    def _measure(self, first: int, last: int, begin: int, now: int, sound: Piece) -> None:
        """Prosody of the steps that are new or had not enough sound behind them."""
        fresh = [i for i in range(first, last) if i not in self._rows]
        if not fresh:
            return
        changed = max(first, fresh[0] - BEHIND // PER_STEP)
        at = begin + (changed - first) * PER_STEP
        lead = max(0, -at)
        before = max(0, min(BEFORE, at)) // PER_STEP * PER_STEP
        heard = sound(max(0, at) - before, now)
        self._peaks.append((now, float(np.abs(heard).max(initial=0.0))))
        self._peaks = [(when, peak) for when, peak in self._peaks if when > now - LOUDEST]
        if before:
            heard = heard.copy()
            heard[0] = max(peak for _, peak in self._peaks)
        rows = prosody(np.pad(heard, (lead, 0)), before // PER_STEP)
        for i, row in zip(range(changed, last), rows, strict=False):
            self._rows[i] = row


def chunks(since: int, begin: int, end: int) -> list[tuple[int, int, int]]:
    """Chunks of speech that lasts from sample `since` to `end`, as far as they give [begin, end).

    Each is its first sample and the part [a, b) that is taken of it, as in `VoiceModel.states`:
    all but half a second at either end, but the beginning of the first and the end of the last.
    """
    found = []
    begin = since + (begin - since) // PER_STATE * PER_STATE
    chunk = since
    while begin < end:
        until = chunk + CHUNK - MARGIN if chunk + CHUNK < end else end
        if until > begin:
            found.append((chunk, begin, until))
            begin = until
        chunk += HOP
    return found


def settled_until(since: int | None, now: int) -> int:
    """The sample up to which more sound changes nothing.

    While someone speaks since sample `since`, these are the chunks that are whole.
    """
    if since is None:
        return max(0, now - BEHIND)
    whole = -(-(now - since - CHUNK) // HOP)
    return since + (whole - 1) * HOP + CHUNK - MARGIN if whole > 0 else since
