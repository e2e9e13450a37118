"""A stream from the network (rtsp, http), through PyAV."""

import threading
from collections.abc import Callable, Iterator
from typing import Any, Generic, Literal, TypeVar

import av
import av.error
import numpy as np

from extractors.features import SAMPLE_RATE, AudioBlock, VideoFrame
from extractors.picture import PictureConverter
from extractors.sources.choice import SourceChoice
from extractors.sources.file_source import in_short_blocks
from extractors.sources.source import SourceInfo, SourceLost
from extractors.stream import SECOND, PacedClock, Sample

__all__ = ["UrlSource", "url_pictures", "url_sound"]

T = TypeVar("T")

OPEN_SECONDS = 5.0
READ_SECONDS = 2.0
"""Without anything for so long the stream counts as lost."""
BEHIND = SECOND
"""A stream that is later than this against its own times had a pause: its times begin anew."""
JOINS = SECOND // 16
"""Sound that begins so little after the last follows it: times are rounded, and so are lengths."""
LARGEST_SIDE = 1280

Convert = Callable[[Any], Iterator[tuple[int, T]]]
"""A frame to values with their lengths in nanoseconds."""


class UrlSource(Generic[T]):
    """One connection; it is closed and free within `READ_SECONDS`.

    The first frame is taken to be of the moment at which it comes, the others follow it by their
    own times; what comes earlier waits, so that a file on a server plays in real time.
    """

    def __init__(
        self,
        choice: SourceChoice,
        clock: PacedClock,
        stream: Literal["frame", "audio"],
        converter: Callable[[], Convert[T]],
    ) -> None:
        self.info: SourceInfo | None = None
        self._url = choice.where
        self._clock = clock
        self._stream: Literal["frame", "audio"] = stream
        self._converter = converter
        self._closing = threading.Event()

    def close(self) -> None:
        self._closing.set()

    def samples(self) -> Iterator[Sample[T]]:
        try:
            with self._open() as container:
                yield from self._read(container)
        except av.error.FFmpegError as error:
            why = error.strerror or str(error)
            raise SourceLost("failed", f"{self._url}: {why}; check address and network") from error

    def _open(self) -> Any:
        return av.open(
            self._url,
            mode="r",
            timeout=(OPEN_SECONDS, READ_SECONDS),
            options={"rtsp_transport": "tcp", "fflags": "nobuffer"},
        )

    def _read(self, container: Any) -> Iterator[Sample[T]]:
        kind = "video" if self._stream == "frame" else "audio"
        found = getattr(container.streams, kind)
        if not found:
            what = "pictures" if kind == "video" else "sound"
            raise SourceLost("failed", f"{self._url} has no {what}; choose another", hopeless=True)
        stream = found[0]
        convert = self._converter()
        anchor: int | None = None
        last = -1
        for packet in container.demux(stream):
            try:
                frames = packet.decode()
            except av.error.FFmpegError:
                continue  # a packet that was damaged on the way
            for frame in frames:
                if self._closing.is_set():
                    return
                if frame.time is None:
                    continue
                time = round(frame.time * SECOND)
                now = self._clock.now()
                if anchor is None or now - (anchor + time) > BEHIND:
                    anchor = now - time
                start = max(anchor + time, last)
                if self._stream == "audio" and start - last < JOINS:
                    start = last
                for length, value in convert(frame):
                    if not self._clock.wait_until(start + length, self._closing):
                        return
                    if self.info is None:
                        self.info = self._describe(stream)
                    if length == 0 and start <= last:
                        start = last + 1
                    last = start + length
                    yield Sample(self._stream, start, last, self._clock.now(), value)
                    start = last

    def _describe(self, stream: Any) -> SourceInfo:
        context = stream.codec_context
        if self._stream == "audio":
            return SourceInfo(self._url, None, float(context.rate), context.name)
        rate = stream.average_rate
        size = (context.width, context.height)
        return SourceInfo(self._url, size, None if rate is None else float(rate), context.name)


def url_pictures(choice: SourceChoice, clock: PacedClock) -> UrlSource[VideoFrame]:
    """The pictures of a stream."""

    def converter() -> Convert[VideoFrame]:
        pictures = PictureConverter(LARGEST_SIDE)

        def convert(frame: Any) -> Iterator[tuple[int, VideoFrame]]:
            yield 0, VideoFrame(pictures.convert(frame))

        return convert

    return UrlSource(choice, clock, "frame", converter)


def url_sound(choice: SourceChoice, clock: PacedClock) -> UrlSource[AudioBlock]:
    """The sound of a stream."""

    def converter() -> Convert[AudioBlock]:
        resampler = av.AudioResampler("flt", "mono", SAMPLE_RATE)

        def convert(frame: Any) -> Iterator[tuple[int, AudioBlock]]:
            frame.pts = None
            for resampled in resampler.resample(frame):
                samples = resampled.to_ndarray().reshape(-1).astype(np.float32, copy=False)
                length = len(samples) * SECOND // SAMPLE_RATE
                whole = Sample("audio", 0, length, 0, AudioBlock(samples))
                for piece in in_short_blocks(whole):
                    yield piece.end - piece.start, piece.data

        return convert

    return UrlSource(choice, clock, "audio", converter)
