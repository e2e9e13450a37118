"""The threads of a live session, and the order in which they end."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence

from extractors.stream import Worker
from inference.backends.background_build import BackgroundBuild
from inference.live.branches import Channels
from inference.live.recording import LiveRecording

__all__ = ["SessionThreads"]

STOP_SECONDS = 2.5


class SessionThreads:
    """Sources first, then what they feed, then the engine, and the recording last."""

    def __init__(self, channels: Channels) -> None:
        self.sources: list[Worker] = []
        self.workers: list[Worker] = []
        self.recording: LiveRecording | None = None
        self.build: BackgroundBuild | None = None
        """Of a better engine, while the session runs."""
        self.ending = threading.Event()
        """Set when the engine is not to wait any more."""
        self._channels = channels

    @property
    def stragglers(self) -> tuple[str, ...]:
        """Threads that are still alive."""
        everyone: list[Worker | BackgroundBuild] = [*self.sources, *self.workers, *self._recorder]
        return tuple(thread.name for thread in [*everyone, *self._builds] if thread.alive)

    @property
    def busy(self) -> Mapping[str, int]:
        """Nanoseconds of work so far by worker."""
        return {worker.name: worker.busy for worker in (*self.workers, *self._recorder)}

    @property
    def _recorder(self) -> tuple[Worker, ...]:
        return () if self.recording is None else (self.recording.worker,)

    @property
    def _builds(self) -> tuple[BackgroundBuild, ...]:
        return () if self.build is None else (self.build,)

    def start_build(self) -> None:
        if self.build is not None:
            self.build.start()

    def stop_build(self) -> None:
        if self.build is not None:
            self.build.stop()

    def end(self, end_feeds: Callable[[], None], *, discard: bool) -> None:
        """End all within `STOP_SECONDS` but for the recording, which is waited for.

        `end_feeds` tells the devices to close. `discard`: nothing that waits is worked off, and the
        recording is not completed. Whoever a driver holds is among the `stragglers` afterwards.
        """
        self.stop_build()
        end_feeds()
        if not discard:
            self._drain()
        for worker in [*self.sources, *self.workers]:
            if worker.alive:
                worker.abort()
        self.ending.set()
        _join([*self.sources, *self.workers, *self._builds], STOP_SECONDS / 6)
        if self.recording is not None:
            if discard:
                self.recording.discard()
            else:
                self.recording.finish()
        for channel in self._channels.all:
            channel.abandon()

    def _drain(self) -> None:
        """Let what was captured pass through to the engine, as far as the time allows."""
        by_name = {worker.name: worker for worker in self.workers}
        _join(self.sources, STOP_SECONDS / 3)
        self._channels.frames.close()
        self._channels.sound.close()
        _join([w for w in self.workers if w.name != "engine"], STOP_SECONDS / 3)
        if "engine" in by_name:
            by_name["engine"].stop()
            self.ending.set()
            by_name["engine"].join(STOP_SECONDS / 6)


def _join(workers: Sequence[Worker | BackgroundBuild], seconds: float) -> None:
    until = time.monotonic() + seconds
    for worker in workers:
        worker.join(max(0.0, until - time.monotonic()))
