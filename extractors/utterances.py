"""Where someone speaks: voice activity, and sound cut into pieces that end in silence."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from extractors.features import SAMPLE_RATE, AudioBlock, FloatArray, Utterances
from extractors.stream import SECOND, Sample

__all__ = ["UtteranceStage", "open_utterance_stage", "spoken_intervals"]

GRID = SECOND // 10
"""Pieces are cut at multiples of this, so that tenths of a second of voice stay whole."""
LONGEST_PIECE = 30 * SECOND
"""What the speech model can take at once."""
THRESHOLD = 0.5
SILENCE_MS = 500
"""A pause of this length ends an utterance."""
PADDING_MS = 200
PAUSE = SAMPLE_RATE // 10
"""Samples of silence between two utterances that are enough to cut there."""
LEAD = SAMPLE_RATE
"""Samples of silence before the first utterance that are enough to cut them off."""


def spoken_intervals(samples: FloatArray) -> list[tuple[int, int]]:
    """Intervals [start, end) in samples where Silero VAD hears speech in float32 [n] at 16 kHz."""
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    if len(samples) == 0:
        return []
    options = VadOptions(
        threshold=THRESHOLD, min_silence_duration_ms=SILENCE_MS, speech_pad_ms=PADDING_MS
    )
    found = get_speech_timestamps(samples, options)
    return [(int(piece["start"]), int(piece["end"])) for piece in found]


class UtteranceStage:
    """Blocks of sound to pieces of at most 30 s, cut where nobody speaks if there is such a place.

    Together the pieces cover the sound without gap or overlap. Holds at most one piece.
    """

    def __init__(self, longest: int = LONGEST_PIECE) -> None:
        self._longest = longest
        self._blocks: list[FloatArray] = []
        self._start = 0
        self._end = 0
        self._begun = False

    def process(self, sample: Sample[AudioBlock]) -> Iterator[Sample[Utterances]]:
        """Raises ValueError if the block does not begin where the last one ended."""
        if not self._begun:
            self._begun = True
            self._start = self._end = sample.start
        if abs(sample.start - self._end) > SECOND // SAMPLE_RATE:
            raise ValueError(f"sound jumps from {self._end} to {sample.start} ns")
        self._blocks.append(sample.data.samples)
        self._end = sample.end
        while self._end - self._start >= self._longest:
            yield self._cut(last=False)

    def finish(self) -> Iterator[Sample[Utterances]]:
        if self._blocks:
            yield self._cut(last=True)

    def _cut(self, last: bool) -> Sample[Utterances]:
        """The next piece. Unless it is the last, it ends in the middle of the last pause."""
        held = np.concatenate(self._blocks)
        taken = held if last else held[: _samples(self._longest)]
        spoken = spoken_intervals(taken)
        cut = len(held)
        if not last:
            cut = self._on_grid(_pause(taken, spoken))
            spoken = [(start, min(end, cut)) for start, end in spoken if start < cut]
        piece, rest = held[:cut], held[cut:]
        start = self._start
        end = self._end if last else start + _nanoseconds(cut)
        times = tuple((start + _nanoseconds(a), start + _nanoseconds(b)) for a, b in spoken)
        self._blocks = [rest] if len(rest) else []
        self._start = end
        return Sample("utterances", start, end, end, Utterances(piece, times))

    def _on_grid(self, cut: int) -> int:
        """The cut, moved back to a whole tenth of a second of session time if it can be."""
        beyond = (self._start + _nanoseconds(cut)) % GRID
        moved = cut - _samples(beyond)
        return moved if moved > 0 else cut


def _pause(samples: FloatArray, spoken: list[tuple[int, int]]) -> int:
    """Where to cut float32 [n]: in the middle of the last pause, or else where it is quietest."""
    if not spoken:
        return len(samples)
    ends = [end for _, end in spoken]
    starts = [start for start, _ in spoken[1:]] + [len(samples)]
    for end, start in zip(reversed(ends), reversed(starts), strict=True):
        if start - end >= PAUSE:
            return (end + start) // 2
    if spoken[0][0] >= LEAD:
        return spoken[0][0] - PAUSE // 2
    # one breathless passage: the quietest tenth of a second of its last third
    tail = samples[2 * len(samples) // 3 :]
    tenths = tail[: len(tail) // PAUSE * PAUSE].reshape(-1, PAUSE)
    quietest = int(np.argmin(np.mean(tenths**2, axis=1)))
    return len(samples) - len(tail) + quietest * PAUSE + PAUSE // 2


def _samples(duration: int) -> int:
    return duration * SAMPLE_RATE // SECOND


def _nanoseconds(samples: int) -> int:
    return samples * SECOND // SAMPLE_RATE


@contextmanager
def open_utterance_stage() -> Iterator[UtteranceStage]:
    """The stage; it owns nothing that must be freed."""
    yield UtteranceStage()
