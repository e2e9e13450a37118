"""Threads under control: what runs beside a test, and when a channel makes someone wait."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

from extractors.stream import Channel, ChannelClosed, Sample, Stage, Worker

__all__ = ["PATIENCE", "Beside", "Passing", "at", "drain", "ended", "times", "waits_on"]

PATIENCE = 10.0
"""Seconds after which a test gives up on a thread; no test takes so long unless it fails."""


def at(end: int, data: Any = 0, stream: str = "test", start: int | None = None) -> Sample[Any]:
    return Sample(stream, end if start is None else start, end, end, data)


def times(samples: Sequence[Sample[Any]]) -> list[int]:
    return [sample.end for sample in samples]


def drain(channel: Channel[Any]) -> list[int]:
    """Ends of all samples until the channel is closed."""
    ends: list[int] = []
    while True:
        try:
            sample = channel.get(PATIENCE)
        except ChannelClosed:
            return ends
        assert sample is not None, f"nobody closed channel {channel.name}"
        ends.append(sample.end)


def ended(*workers: Worker) -> bool:
    return all(worker.join(PATIENCE) for worker in workers)


def waits_on(channel: Channel[Any]) -> threading.Event:
    """An event that is set once somebody really waits in `put` or `get` of the channel.

    The waiter holds the channel's lock when it sets the event, so whoever then touches the channel
    meets it waiting.
    """
    seen = threading.Event()

    class Watched(threading.Condition):
        def wait(self, timeout: float | None = None) -> bool:
            seen.set()
            return super().wait(timeout)

    channel._changed = Watched()
    return seen


class Beside:
    """A call in a thread; `result()` gives what it returned or raised."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self._call = call
        self._returned: Any = None
        self._raised: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._returned = self._call()
        except BaseException as error:
            self._raised = error

    def result(self) -> Any:
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "the call never came back"
        if self._raised is not None:
            raise self._raised
        return self._returned


class Passing(Stage[Any, Any]):
    """A stage that gives on what it gets, notes it, and holds back one last sample."""

    def __init__(self, last: Sample[Any] | None = None) -> None:
        self.seen: list[int] = []
        self.finished = False
        self.closed = False
        self.thread: threading.Thread | None = None
        self._last = last

    def __enter__(self) -> "Passing":
        self.thread = threading.current_thread()
        return self

    def __exit__(self, *_: object) -> None:
        self.closed = True

    def process(self, sample: Sample[Any]) -> list[Sample[Any]]:
        self.seen.append(sample.end)
        return [sample]

    def finish(self) -> list[Sample[Any]]:
        self.finished = True
        return [] if self._last is None else [self._last]
