"""Several streams read as one, in the order of session time."""

import heapq
from collections.abc import Iterable, Iterator
from typing import Any

from extractors.stream.channel import Channel
from extractors.stream.sample import Sample

__all__ = ["TimeOrder", "in_time_order"]


class TimeOrder(Iterator[Sample[Any]]):
    """What `in_time_order` gives: an iterator that ends like a channel.

    Not a generator: one that is closed before its first sample would never reach its `finally`, and
    the producers would wait for ever.
    """

    def __init__(self, streams: Iterable[Iterable[Sample[Any]]]) -> None:
        self._streams = tuple(streams)
        self._merged = heapq.merge(*self._streams, key=lambda sample: sample.end)

    def __next__(self) -> Sample[Any]:
        try:
            return next(self._merged)
        except BaseException:
            self.abandon()
            raise

    def close(self) -> None:
        """Close those streams that are channels: what is inside is still delivered."""
        for channel in self._channels():
            channel.close()

    def abandon(self) -> None:
        """Abandon those streams that are channels."""
        for channel in self._channels():
            channel.abandon()

    def _channels(self) -> Iterator[Channel[Any]]:
        return (stream for stream in self._streams if isinstance(stream, Channel))


def in_time_order(*streams: Iterable[Sample[Any]]) -> TimeOrder:
    """Samples of all streams by `end`; at equal times the earlier argument comes first.

    Each stream must itself be in order. It reads from the stream that is furthest behind and waits
    for it, so a stream with long pauses must say that time passes (a sample whose data is None).
    What it yields depends on the samples alone and never on which thread was faster: the same
    recording gives the same order twice. When it ends, by itself or by an error, it abandons those
    streams that are channels; whoever stops reading earlier calls `abandon`.
    """
    return TimeOrder(streams)
