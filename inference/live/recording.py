"""The recording of a live session: a worker with an inlet that every other thread may use."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from extractors.sources import SourceStatus
from extractors.stream import Channel, ChannelClosed, Failure, Output, Sample, Worker, inlets
from inference.live.branches import Sink, open_sink

__all__ = ["LiveRecording", "default_recorder", "described"]

GIVES_WAY = 10
"""Niceness: what is recorded may wait some seconds in its channel, the window and words may not."""
RECORDED = {
    "frame", "audio", "face", "voice", "tentative voice", "text", "timeline", "tentative timeline",
    "marker", "event", "health", "baseline",
}  # fmt: skip
"""Streams that a recorder takes."""


class LiveRecording:
    """Begins with the worker's start and ends with `finish` or `discard`."""

    def __init__(
        self,
        channel: Channel[Any],
        make: Callable[[], Sink],
        beginning: Callable[[], dict[str, Any]],
        manifest: Callable[[], dict[str, Any]],
        on_ready: Callable[[str], None],
        on_failure: Callable[[Failure], None],
    ) -> None:
        self._inlet: Output
        (self._inlet,) = inlets(channel, 1)

        @contextmanager
        def opened() -> Iterator[Any]:
            with open_sink(make, beginning, manifest) as stage:
                on_ready("recorder")
                yield stage

        self.worker = Worker("recorder", channel, opened, [], on_failure, GIVES_WAY)

    def take(self, sample: Sample[Any]) -> None:
        """Record a sample, if it is of a stream that is recorded and the recorder still lives."""
        if sample.stream in RECORDED and sample.data is not None:
            try:
                self._inlet.put(sample)
            except ChannelClosed:
                return

    def finish(self) -> None:
        """Complete the recording; waits for it."""
        self._inlet.close()
        self.worker.join()

    def discard(self) -> None:
        """End it without completing it; waits for it."""
        self.worker.abort()
        self.worker.join()


def default_recorder(folder: Path) -> Sink:
    """The recorder of `extractors.recording`."""
    from extractors.recording import Recorder

    return Recorder(folder)


def described(status: SourceStatus) -> dict[str, Any] | None:
    """A source, for the manifest."""
    if status.choice is None:
        return None
    info = status.info
    return {
        "kind": status.choice.kind,
        "name": status.choice.label if info is None else info.name,
        "size": None if info is None else info.size,
        "rate": None if info is None else info.rate,
        "detail": "" if info is None else info.detail,
    }
