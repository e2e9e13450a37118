"""A live session to its outlets: predictions as soon as they are there, and markers."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from typing import Any

import numpy as np

from extractors.outlets import Outlet, OutletChoice, open_outlet, outlet_worker
from extractors.recording.observations import TimelineRows
from extractors.stream import Channel, ChannelClosed, Failure, Sample, from_seconds
from inference.live.interface import Live

__all__ = ["LiveClock", "OutletFeed", "outlets_of"]

PERIOD = 0.05
"""Seconds between two looks. Time stamps are those of the capture, so it does not blur them."""
CLOSING = 5.0
"""Seconds in which the outlets may send what they still hold."""


class LiveClock:
    """The session time of a live session as a clock."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def now(self) -> int:
        """Session time in nanoseconds."""
        return from_seconds(self._live.now)


class OutletFeed:
    """Puts what is new in a live session into channels. Used by one thread.

    A row is sent once, as it was predicted first: late words change it in the timeline only.
    """

    def __init__(self, live: Live, channels: Sequence[Channel[Any]]) -> None:
        self._live = live
        self._channels = list(channels)
        self._last = -np.inf
        self._marked = 0

    def add(self, channel: Channel[Any]) -> None:
        """Feed one more channel: with what comes from now on."""
        self.poll()
        self._channels.append(channel)

    def remove(self, channel: Channel[Any]) -> None:
        """Feed this channel no longer."""
        if channel in self._channels:
            self._channels.remove(channel)

    def poll(self) -> None:
        """Send on what has come since the last call."""
        timeline = self._live.timeline()
        first = int(np.searchsorted(timeline.time, self._last, side="right"))
        new: list[Sample[Any]] = []
        if first < len(timeline):
            part = {f.name: getattr(timeline, f.name)[first:].copy() for f in fields(timeline)}
            rows = replace(timeline, **part)
            self._last = float(rows.time[-1])
            at = from_seconds(self._last)
            new.append(Sample("timeline", from_seconds(float(rows.time[0])), at, at,
                              TimelineRows(rows, {})))  # fmt: skip
        markers = self._live.markers()
        new += [marker for marker in markers if marker.end > self._marked]
        self._marked = max([self._marked, *(marker.end for marker in markers)])
        for sample in sorted(new, key=lambda sample: sample.end):
            for channel in tuple(self._channels):
                try:
                    channel.put(sample)
                except ChannelClosed:  # that outlet has failed, and its worker said so
                    self._channels.remove(channel)


@contextmanager
def outlets_of(
    live: Live,
    choices: Sequence[OutletChoice],
    on_failure: Callable[[Failure], None] | None = None,
) -> Iterator[tuple[Outlet, ...]]:
    """Feed a live session to outlets while the block runs. Raises BadInput if one cannot open.

    Nothing that an outlet does holds up the session; what goes wrong is told to `on_failure`.
    """
    outlets: list[Outlet] = []
    try:
        for choice in choices:
            outlets.append(open_outlet(choice, LiveClock(live)))  # noqa: PERF401 (some may fail)
    except BaseException:
        for outlet in outlets:
            outlet.close()
        raise
    made = [outlet_worker(type(outlet).__name__, outlet, on_failure) for outlet in outlets]
    feed = OutletFeed(live, [channel for channel, _ in made])
    ended = threading.Event()

    def run() -> None:
        while not ended.wait(PERIOD):
            feed.poll()
        feed.poll()

    thread = threading.Thread(target=run, name="affectscope outlets", daemon=True)
    for _, worker in made:
        worker.start()
    if made:
        thread.start()
    try:
        yield tuple(outlets)
    finally:
        ended.set()
        if made:
            thread.join()
        for channel, _ in made:
            channel.close()
        for _, worker in made:
            worker.join(CLOSING)
