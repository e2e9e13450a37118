"""A recording on disk as two streams of samples with the container's presentation times."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import av.error
import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame as AvFrame

from extractors.features import ON_THE_WAY, SAMPLE_RATE, AudioBlock, VideoFrame
from extractors.kept_containers import KeptContainers
from extractors.media_info import MediaInfo, probe
from extractors.media_reader import THREADS, read_audio, read_video
from extractors.picture import PictureConverter
from extractors.sound import SoundConverter
from extractors.straight_line import Line
from extractors.stream.sample import SECOND, Sample

__all__ = ["MediaInfo", "StreamEnding", "VideoFile"]

FloatArray = npt.NDArray[np.float32]

BLOCKS_PER_SECOND = 2

KEPT = 2
"""Containers of pictures that stay open. For sound it must be a new one: which packet of a Matroska
file a seek finds depends on what was read before, and by that how times were rounded."""

SHOWING_THREADS = min(4, os.cpu_count() or 1)
"""That decode pictures for the screen: somebody waits for the first of them."""

WAY = 20_000_000
"""Pixels that are decoded on the way to a picture before one of those passed is shown."""


@dataclass(frozen=True, slots=True)
class StreamEnding:
    """What a pass over a stream found. Times are session nanoseconds."""

    end: int
    """Time of the last picture, or end of the sound; where the pass began if there is none."""
    declared: int | None
    """Where the file says that the stream ends; None if it does not say."""
    truncated: bool
    """Whether the file stops before the stream should end."""
    error: str | None
    """Why the container could not be read further; None if its end was reached."""
    skipped: int
    """Damaged packets and frames, and pictures without a usable time, that were left out."""
    replaced: int = 0
    """Samples of sound that were not finite and became 0."""
    overlap: float = 0.0
    """Seconds of sound that were left out: at their times there is sound already."""
    filled: float = 0.0
    """Seconds of silence where sound is missing."""
    late: Line | None = None
    """Milliseconds by which sound lies later than the container says, over its times in seconds."""


class VideoFile:
    """A media file on disk: its pictures, its sound, and what it says about itself.

    Session time zero is the earliest start of its pictures and its sound. Each call of `frames` or
    `audio` opens its own container in the thread that iterates, and closes it when the iterator
    ends or is closed; they can run side by side. With `keep_open` the next pictures from the
    middle are sought in what is open already. Nothing depends on frame counts or frame rates.

    Raises BadInput if the file is missing, unreadable, not a recording, holds neither pictures nor
    sound, or nothing of it can be decoded.
    """

    def __init__(self, path: Path, keep_open: bool = False) -> None:
        self.path = path
        self.info: MediaInfo = probe(path)
        self._containers = KeptContainers(path, KEPT if keep_open else 0)
        self._endings: dict[str, StreamEnding] = {}

    def ending(self, stream: Literal["video", "audio"]) -> StreamEnding | None:
        """What the last complete pass over the stream found; None before there was one."""
        return self._endings.get(stream)

    def frames(
        self, start: int = 0, max_side: int | None = None, showing: bool = False
    ) -> Iterator[Sample[VideoFrame]]:
        """The pictures from `start` (session nanoseconds) on, upright, at strictly rising times.

        A picture speaks of an instant: `start` and `end` of its sample are its presentation time.
        One without a time, or whose time does not rise, is left out and counted in the ending. With
        `max_side` larger pictures are scaled down to that many pixels on their longer side. With
        `showing` the newest picture before `start` comes first, unless one begins just there; and
        where many must be decoded until then some of them come before, as stream ON_THE_WAY.
        Empty if there are no pictures.
        """
        if not self.info.has_video:
            return
        threads = SHOWING_THREADS if showing else THREADS
        reader = read_video(self.path, start, self._containers, threads)
        converter = PictureConverter(max_side)
        last: int | None = None
        skipped = 0
        for time, frame, wanted in _due(reader.frames(), start, showing):
            if time is None or (last is not None and time <= last):
                skipped += 1
                continue
            try:
                image = converter.convert(frame)
            except av.error.FFmpegError:
                skipped += 1
                continue
            if wanted:
                last = time
            yield Sample("frame" if wanted else ON_THE_WAY, time, time, time, VideoFrame(image))
        self._endings["video"] = StreamEnding(
            start if last is None else last,
            reader.declared,
            reader.truncated,
            reader.error,
            reader.skipped + skipped,
        )

    def audio(
        self, start: int = 0, rate: int = SAMPLE_RATE, channels: int = 1
    ) -> Iterator[Sample[AudioBlock]]:
        """The sound from `start` (session nanoseconds) on, in blocks of half a second.

        Blocks follow each other without gap or overlap from the first sound on; what is missing in
        the middle is silent, and where times go back what was heard first is kept. The samples are
        mono [n], with two channels [n, 2]. Sound that begins later than the pictures begins with a
        block at that time. Empty if there is no sound.
        """
        if not self.info.has_audio:
            return
        reader = read_audio(self.path, start)
        converter = SoundConverter(rate, channels, self.info.audio_start)
        blocks = _Blocks(converter, start)
        skipped = 0
        for time, frame in reader.frames():
            lost, skipped = reader.skipped > skipped, reader.skipped
            yield from blocks.cut(converter.convert(time, frame, lost))
        yield from blocks.cut(converter.finish())
        yield from blocks.rest()
        self._endings["audio"] = StreamEnding(
            max(start, converter.timeline.end),
            reader.declared,
            reader.truncated,
            reader.error,
            reader.skipped + converter.failed,
            converter.replaced,
            *converter.cut_and_filled,
            converter.late,
        )


def _due(
    frames: Iterable[tuple[int | None, AvFrame]], start: int, showing: bool
) -> Iterator[tuple[int | None, AvFrame, bool]]:
    """Frames from `start` on; with `showing` also the last one before, if none begins there.

    The last value is whether it is one of these: where the way is long, frames that lie on it come
    too. Each time the way is twice as long, since converting a picture takes time as well.
    """
    before: tuple[int | None, AvFrame] | None = None
    passed, way = 0, WAY
    for time, frame in frames:
        if time is not None and time < start:
            before = (time, frame)
            passed += frame.width * frame.height
            if showing and passed > way:
                passed, way = 0, 2 * way
                yield time, frame, False
            continue
        if showing and before is not None and time != start:
            yield *before, True
        before = None
        yield time, frame, True
    if showing and before is not None:
        yield *before, True


class _Blocks:
    """Cuts what a converter gives into blocks of half a second, from `start` on."""

    def __init__(self, converter: SoundConverter, start: int) -> None:
        self._converter = converter
        self._timeline = converter.timeline
        self._size = max(1, converter.rate // BLOCKS_PER_SECOND)
        self._start = start
        self._seen = 0
        """Samples of the timeline so far."""
        self._given = 0
        """Index on the timeline of the first sample that waits."""
        self._waiting: list[FloatArray] = []
        self._count = 0

    def cut(self, arrays: Iterable[FloatArray]) -> Iterator[Sample[AudioBlock]]:
        """The blocks that these arrays complete."""
        for array in arrays:
            if self._seen == 0:
                early = (self._start - self._timeline.time_of(0)) * self._timeline.rate
                self._given = max(0, -(-early // SECOND))
            kept = array[max(0, self._given - self._seen) :]
            self._seen += len(array)
            self._waiting.append(kept)
            self._count += len(kept)
            while self._count >= self._size:
                yield self._block(self._size)

    def rest(self) -> Iterator[Sample[AudioBlock]]:
        """The last, shorter block."""
        if self._count:
            yield self._block(self._count)

    def _block(self, size: int) -> Sample[AudioBlock]:
        joined = np.concatenate(self._waiting)
        self._waiting = [joined[size:]]
        self._count -= size
        samples = np.ascontiguousarray(joined[:size])
        if self._converter.channels == 1:
            samples = samples[:, 0]
        start = self._timeline.time_of(self._given)
        self._given += size
        end = self._timeline.time_of(self._given)
        return Sample("audio", start, end, end, AudioBlock(samples))
