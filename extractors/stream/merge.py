"""Several streams read as one, in the order of session time."""

import heapq
from collections.abc import Iterable, Iterator
from typing import Any

from extractors.stream.channel import Channel
from extractors.stream.sample import Sample

__all__ = ["in_time_order"]


def in_time_order(*streams: Iterable[Sample[Any]]) -> Iterator[Sample[Any]]:
    """Samples of all streams by `end`; at equal times the earlier argument comes first.

    Each stream must itself be in order. It reads from the stream that is furthest behind and waits
    for it, so a stream with long pauses must say that time passes (a sample whose data is None).
    What it yields depends on the samples alone and never on which thread was faster: the same
    recording gives the same order twice. However it ends, it abandons those streams that are
    channels.
    """
    try:
        yield from heapq.merge(*streams, key=lambda sample: sample.end)
    finally:
        for stream in streams:
            if isinstance(stream, Channel):
                stream.abandon()
