"""Pictures decoded a little ahead, and which of them belongs on the screen now."""

from collections.abc import Iterator

from desktop.media import OpenMedia
from extractors.features import ON_THE_WAY, VideoFrame
from extractors.stream import Channel, ChannelClosed, Failure, Sample, Worker

__all__ = ["AHEAD", "MAX_SIDE", "PictureTrack"]

AHEAD = 8
"""Pictures that are decoded before they are needed."""

LAG = 1_000_000_000
"""Nanoseconds by which a picture may be late: some decoders cannot follow four times the speed."""

MAX_SIDE = 1280
"""Longer pictures are made smaller while they are decoded, in pixels."""


class PictureTrack:
    """The pictures from `start` nanoseconds on, decoded in a thread until `stop`."""

    def __init__(self, open_media: OpenMedia, start: int) -> None:
        self._channel: Channel[VideoFrame] = Channel("pictures", AHEAD)
        self._current: Sample[VideoFrame] | None = None
        self._next: Sample[VideoFrame] | None = None
        self._passed: Sample[VideoFrame] | None = None
        """On the way to the first picture, the newest one that was decoded."""
        self._ended = False
        self.late = 0
        """Pictures that were passed over because a newer one was due."""

        def frames() -> Iterator[Sample[VideoFrame]]:
            yield from open_media().frames(start, MAX_SIDE, showing=True)

        self.worker = Worker("pictures", frames(), None, [self._channel])
        self.worker.start()

    @property
    def failure(self) -> Failure | None:
        return self.worker.failure

    @property
    def waiting(self) -> bool:
        """Whether the first picture has yet to come."""
        self._pull()
        return self._current is None and self._next is None and not self._ended

    def at(self, position: int) -> Sample[VideoFrame] | None:
        """The newest decoded picture that is due at `position`; the first one until then, and
        until that is there one that lies on the way to it."""
        passed = -1
        while self._pull():
            assert self._next is not None
            if self._current is not None and self._next.start > position:
                break
            self._current, self._next = self._next, None
            passed += 1
        self.late += max(0, passed)
        return self._current or self._passed

    def reaches(self, position: int) -> bool:
        """Whether going on from here leads to `position` soon, so that no restart is needed."""
        if self._current is None:
            return False
        known = self._current if self._next is None else self._next
        return self._current.start <= position <= known.start + (known.start - self._current.start)

    @property
    def ended(self) -> bool:
        """Whether the picture that was taken last is the last one."""
        self._pull()
        return self._ended and self._next is None

    def lags(self, position: int) -> bool:
        """Whether the decoder is so late that it had better start anew at `position`."""
        if self._current is None or self._pull() or self._ended:
            return False
        return position - self._current.start > LAG

    def next_start(self) -> int | None:
        """Presentation time of the picture after the one that is shown, if it is decoded."""
        self._pull()
        return None if self._next is None else self._next.start

    def stop(self) -> Worker:
        """Stop decoding. Returns the thread, which ends after the picture it is at."""
        self._current = self._next = self._passed = None
        self.worker.abort()
        return self.worker

    def _pull(self) -> bool:
        """Whether there is a next picture, taken from the channel without waiting."""
        while self._next is None and not self._ended:
            try:
                sample = self._channel.get(timeout=0)
            except ChannelClosed:
                self._ended = True
                break
            if sample is None:
                break
            if sample.stream == ON_THE_WAY:
                self._passed = sample
            else:
                self._next = sample
        return self._next is not None
