"""Where recorded samples lie in session time: what the capture says, without its jitter."""

from extractors.stream.sample import SECOND

__all__ = ["TOLERANCE", "SoundClock"]

TOLERANCE = SECOND // 50
"""A block further than this from where the samples before it end was preceded by a loss."""
LONGEST_SILENCE = 600 * SECOND
"""What is missing for longer is not filled: the times jump instead."""
SMOOTHING = 2 * SECOND
"""Sound by which a stamp loses two thirds of its weight."""


class SoundClock:
    """Counts samples from session time zero on, and tells the time of each.

    A sound card's rate is not quite what it says: 50 parts in a million are 180 ms in an hour. So
    the time of a sample is its count plus an offset that follows the stamps of the blocks slowly,
    which is how the card's rate shows, while the jitter of single stamps averages out. Sound that
    is missing becomes silence, and sound that overlaps is cut, so that the count alone is never
    further off than the card's rate and `TOLERANCE`.
    """

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.length = 0
        """Samples so far, silence included."""
        self._offset = 0.0
        self._blocks = 0

    def time_of(self, index: int) -> int:
        """Session nanoseconds at which a sample begins."""
        return round(index * SECOND / self.rate + self._offset)

    def add(self, start: int, samples: int) -> int:
        """Count a block that begins at `start` (session nanoseconds).

        Returns how many samples of silence go before it; if negative, how many to cut off its
        front.
        """
        late = start - self.time_of(self.length)
        shift = 0
        if late > LONGEST_SILENCE:
            self._offset += late
            late = 0
        elif self._blocks == 0 or abs(late) > TOLERANCE:
            shift = max(-samples, round(late * self.rate / SECOND))
            late = start - self.time_of(self.length + shift)
        self._blocks += 1
        weight = max(1 / self._blocks, samples * SECOND / self.rate / SMOOTHING)
        if abs(late) <= TOLERANCE:
            self._offset += min(weight, 1.0) * late
        self.length += shift + samples
        return shift
