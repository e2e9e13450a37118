"""A recording on disk as two streams of samples with the container's presentation times."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import av.error
import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame as AvFrame

from extractors.features import SAMPLE_RATE, AudioBlock, VideoFrame
from extractors.media_info import MediaInfo, probe
from extractors.media_reader import read_audio, read_video
from extractors.picture import PictureConverter
from extractors.sound import SoundConverter
from extractors.straight_line import Line
from extractors.stream.sample import SECOND, Sample

__all__ = ["MediaInfo", "StreamEnding", "VideoFile"]

FloatArray = npt.NDArray[np.float32]

BLOCKS_PER_SECOND = 2


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
    ends or is closed; they can run side by side. Nothing depends on frame counts or frame rates.

    Raises BadInput if the file is missing, unreadable, not a recording, holds neither pictures nor
    sound, or nothing of it can be decoded.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.info: MediaInfo = probe(path)
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
        `showing` the newest picture before `start` comes first, unless one begins just there.
        Empty if there are no pictures.
        """
        if not self.info.has_video:
            return
        reader = read_video(self.path, start)
        converter = PictureConverter(max_side)
        last: int | None = None
        skipped = 0
        for time, frame in _due(reader.frames(), start, showing):
            if time is None or (last is not None and time <= last):
                skipped += 1
                continue
            try:
                image = converter.convert(frame)
            except av.error.FFmpegError:
                skipped += 1
                continue
            last = time
            yield Sample("frame", time, time, time, VideoFrame(image))
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
) -> Iterator[tuple[int | None, AvFrame]]:
    """Frames from `start` on; with `showing` also the last one before, if none begins there."""
    before: tuple[int | None, AvFrame] | None = None
    for time, frame in frames:
        if time is not None and time < start:
            before = (time, frame)
            continue
        if showing and before is not None and time != start:
            yield before
        before = None
        yield time, frame
    if showing and before is not None:
        yield before


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
