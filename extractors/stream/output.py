"""Where a worker's samples go, beside a channel of its own: a shared channel, or a function."""

import threading
from collections.abc import Callable
from typing import Any, Protocol

from extractors.stream.channel import Channel, ChannelClosed
from extractors.stream.sample import Sample

__all__ = ["Inlet", "Only", "Output", "Tap", "inlets"]


class Output(Protocol):
    """What a worker puts its samples into; `Channel` is one."""

    def put(self, sample: Sample[Any]) -> None:
        """Raises ChannelClosed if nobody reads it any more."""
        ...

    def close(self) -> None: ...

    def abandon(self) -> None: ...


class Inlet:
    """One of several producers of a channel, which is closed when the last of them has closed."""

    def __init__(self, channel: Channel[Any], open_inlets: set["Inlet"], lock: Any) -> None:
        self._channel = channel
        self._open = open_inlets
        self._lock = lock

    def put(self, sample: Sample[Any]) -> None:
        if self not in self._open:
            raise ChannelClosed(f"channel {self._channel.name} is closed")
        self._channel.put(sample)

    def close(self) -> None:
        with self._lock:
            self._open.discard(self)
            last = not self._open
        if last:
            self._channel.close()

    def abandon(self) -> None:
        self.close()


def inlets(channel: Channel[Any], count: int) -> list[Inlet]:
    """`count` ways into one channel."""
    lock = threading.Lock()
    made: set[Inlet] = set()
    found = [Inlet(channel, made, lock) for _ in range(count)]
    made.update(found)
    return found


class Tap:
    """A function that sees the samples as they pass, in the thread of the worker; it is quick."""

    def __init__(self, take: Callable[[Sample[Any]], None]) -> None:
        self._take = take

    def put(self, sample: Sample[Any]) -> None:
        self._take(sample)

    def close(self) -> None:
        """There is nothing to end."""

    def abandon(self) -> None:
        """There is nothing to end."""


class Only:
    """One stream of several that a worker gives; the others are passed over."""

    def __init__(self, stream: str, output: Output) -> None:
        self._stream = stream
        self._output = output

    def put(self, sample: Sample[Any]) -> None:
        if sample.stream == self._stream:
            self._output.put(sample)

    def close(self) -> None:
        self._output.close()

    def abandon(self) -> None:
        self._output.abandon()
