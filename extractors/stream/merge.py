"""Several streams read as one, in the order of session time."""

import heapq
from collections.abc import Iterable, Iterator
from typing import Any

from extractors.stream.sample import Sample

__all__ = ["in_time_order"]


def in_time_order(*streams: Iterable[Sample[Any]]) -> Iterator[Sample[Any]]:
    """Samples of all streams by `end`; at equal times the earlier argument comes first.

    Each stream must itself be in order. It reads from the stream that is furthest behind and waits
    for it, so what it yields depends on the samples alone and never on which thread was faster:
    the same recording gives the same order twice. Bounded blocking channels cannot deadlock here
    as long as no two of them are fed by one thread.
    """
    return heapq.merge(*streams, key=lambda sample: sample.end)
