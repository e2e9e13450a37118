"""A bounded queue between two workers, with a named answer to the question: what if it is full?"""

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

from assets.errors import StreamError
from extractors.stream.sample import Sample

__all__ = ["Channel", "ChannelClosed", "ChannelFull", "ChannelStats", "Overflow"]

T = TypeVar("T")


class Overflow(Enum):
    """What happens to a sample that finds the channel full."""

    BLOCK = "block"
    """The producer waits. Right for files and replay, never for a sensor."""
    DROP_OLDEST = "drop oldest"
    """The oldest sample is dropped and counted. Right where only the newest matters."""
    FAIL = "fail"
    """The producer gets `ChannelFull`: that branch stops and says why."""


class ChannelClosed(StreamError):
    """The other side has gone: nobody will read what is put, or nothing more will come."""


class ChannelFull(StreamError):
    """The consumer fell behind by more than the channel holds."""


@dataclass(frozen=True, slots=True)
class ChannelStats:
    """Counts of one channel since it was made: put = taken + dropped + waiting."""

    name: str
    put: int
    taken: int
    dropped: int
    waiting: int


class Channel(Generic[T]):
    """Samples from producers to one consumer, in order, never more than `capacity` at a time.

    A producer ends it with `close()`: what is inside is still delivered. A consumer that stops
    early ends it with `abandon()`: what is inside is discarded and counted as dropped, and the next
    `put` raises, so that no producer waits for the dead.
    """

    def __init__(self, name: str, capacity: int, overflow: Overflow = Overflow.BLOCK) -> None:
        if capacity < 1:
            raise ValueError(f"channel {name} needs a capacity of at least 1, not {capacity}")
        self.name = name
        self.capacity = capacity
        self.overflow = overflow
        self._samples: deque[Sample[T]] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._put = 0
        self._taken = 0
        self._dropped = 0

    @property
    def closed(self) -> bool:
        """Whether nothing more can be put."""
        return self._closed

    @property
    def stats(self) -> ChannelStats:
        """A consistent snapshot of the counts."""
        with self._changed:
            return ChannelStats(
                self.name, self._put, self._taken, self._dropped, len(self._samples)
            )

    def put(self, sample: Sample[T]) -> None:
        """Hand over one sample; what happens when the channel is full is its `overflow`.

        Raises ChannelClosed if the channel is closed (also while waiting) and ChannelFull under
        `Overflow.FAIL`.
        """
        with self._changed:
            if self.overflow is Overflow.BLOCK:
                self._changed.wait_for(lambda: self._closed or len(self._samples) < self.capacity)
            if self._closed:
                raise ChannelClosed(f"channel {self.name} is closed")
            self._put += 1
            if len(self._samples) >= self.capacity:
                self._dropped += 1
                if self.overflow is Overflow.FAIL:
                    raise ChannelFull(
                        f"channel {self.name} is full: its reader is {self.capacity} samples behind"
                    )
                self._samples.popleft()
            self._samples.append(sample)
            self._changed.notify_all()

    def get(self, timeout: float | None = None) -> Sample[T] | None:
        """The oldest sample, waiting for one; None if `timeout` seconds passed without any.

        Raises ChannelClosed once the channel is closed and empty.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._closed or bool(self._samples), timeout)
            if self._samples:
                self._taken += 1
                sample = self._samples.popleft()
                self._changed.notify_all()
                return sample
            if self._closed:
                raise ChannelClosed(f"channel {self.name} is closed")
            return None

    def take_all(self) -> list[Sample[T]]:
        """All samples that are there now, without waiting. For a GUI that pulls."""
        with self._changed:
            samples = list(self._samples)
            self._samples.clear()
            self._taken += len(samples)
            self._changed.notify_all()
            return samples

    def close(self) -> None:
        """The producer's end: nothing more comes; what is inside is still delivered."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def abandon(self) -> None:
        """The consumer's end: discard what is inside and refuse more."""
        with self._changed:
            self._closed = True
            self._dropped += len(self._samples)
            self._samples.clear()
            self._changed.notify_all()

    def __iter__(self) -> Iterator[Sample[T]]:
        """Samples until the channel is closed and empty."""
        while True:
            try:
                sample = self.get()
            except ChannelClosed:
                return
            assert sample is not None  # without a timeout, get() waits
            yield sample
