"""An outlet in a thread of its own, so that nothing it does can hold up a live session."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from typing import Any

from extractors.outlets.outlet import Outlet, outlet_rows
from extractors.recording.observations import Marker, TimelineRows
from extractors.stream import Channel, Failure, Overflow, Sample, Worker

__all__ = ["outlet_worker"]

HELD = 64
"""Samples that wait for an outlet that is slow; then the oldest are dropped and counted."""


def outlet_worker(
    name: str, outlet: Outlet, on_failure: Callable[[Failure], None] | None = None
) -> tuple[Channel[Any], Worker]:
    """A channel for samples and the worker that gives them to `outlet`, not started yet.

    Put in what a recorder is given: `TimelineRows` and `Marker` are sent, everything else is passed
    over. The channel never blocks. The worker closes the outlet when the channel is closed and
    empty, or when the outlet fails.
    """
    channel = Channel[Any](f"outlet {name}", HELD, Overflow.DROP_OLDEST)
    return channel, Worker(f"outlet {name}", channel, partial(_open, outlet), [], on_failure)


@contextmanager
def _open(outlet: Outlet) -> Iterator["_OutletStage"]:
    with closing(outlet):
        yield _OutletStage(outlet)


class _OutletStage:
    """The last stage of its branch: it gives nothing on."""

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet

    def process(self, sample: Sample[Any]) -> Iterator[Sample[Any]]:
        if isinstance(sample.data, TimelineRows):
            for row in outlet_rows(sample.data.timeline):
                self._outlet.send(row)
        elif isinstance(sample.data, Marker):
            self._outlet.mark(sample.end, sample.data)
        return iter(())

    def finish(self) -> Iterator[Sample[Any]]:
        return iter(())
