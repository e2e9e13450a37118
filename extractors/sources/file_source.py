"""A media file played in real time, in the place of a camera or a microphone."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Generic, TypeVar

from assets.errors import BadInput
from extractors.features import AudioBlock, VideoFrame
from extractors.sources.choice import SourceChoice
from extractors.sources.live_sound import BLOCK
from extractors.sources.playhead import Playheads
from extractors.sources.source import SourceInfo, SourceLost, freed
from extractors.stream import SECOND, PacedClock, Sample
from extractors.video_file import VideoFile

__all__ = ["FileSource", "file_pictures", "file_sound"]

T = TypeVar("T")

LATE = SECOND // 4
"""Samples that are later than this are passed over, as a device would have."""
LARGEST_SIDE = 1280

Read = Callable[[VideoFile, int], Iterator[Sample[T]]]
Describe = Callable[[VideoFile], SourceInfo]


class FileSource(Generic[T]):
    """One opening of a file as a device; see `Playheads` for which part of it plays when."""

    def __init__(
        self,
        choice: SourceChoice,
        clock: PacedClock,
        playheads: Playheads,
        read: Read[T],
        describe: Describe,
    ) -> None:
        self.info: SourceInfo | None = None
        self._choice = choice
        self._clock = clock
        self._playheads = playheads
        self._read = read
        self._describe = describe
        self._closing = threading.Event()
        self._last = -1
        """End of the last sample."""

    def close(self) -> None:
        self._closing.set()

    def samples(self) -> Iterator[Sample[T]]:
        try:
            video = VideoFile(Path(self._choice.where))
        except BadInput as error:
            raise SourceLost("failed", str(error), hopeless=True) from error
        info = self._describe(video)
        while not self._closing.is_set():
            began, generation = self._playheads.began(self._choice.where)
            into = max(0, self._clock.now() - began)
            length = video.info.duration or 0
            round_ = into // length if length else 0
            if round_ > 0 and not self._choice.loop:
                return
            began += round_ * length
            start = into - round_ * length
            with freed(self._read(video, 0 if start < LATE else start)) as samples:
                for sample in samples:
                    if self._playheads.generation != generation:
                        break
                    shifted = self._due(sample, began)
                    if shifted is not None:
                        self.info = info
                        yield shifted
                    if self._closing.is_set():
                        return
                else:
                    if not self._choice.loop or not length:
                        return
                    if not self._clock.wait_until(began + length, self._closing):
                        return

    def _due(self, sample: Sample[T], began: int) -> Sample[T] | None:
        """The sample at its time of the session, once that has come; None if it is long past."""
        start, end = began + sample.start, began + sample.end
        if self._clock.now() - end > LATE or start < self._last or end <= self._last:
            return None
        if not self._clock.wait_until(end, self._closing):
            return None
        self._last = end
        return Sample(sample.stream, start, end, self._clock.now(), sample.data)


def file_pictures(
    choice: SourceChoice, clock: PacedClock, playheads: Playheads
) -> FileSource[VideoFrame]:
    """The pictures of a file."""

    def describe(video: VideoFile) -> SourceInfo:
        info = video.info
        if not info.has_video:
            raise SourceLost("failed", f"{video.path} has no pictures", hopeless=True)
        return SourceInfo(video.path.name, (info.width or 0, info.height or 0), None, "file")

    return FileSource(
        choice, clock, playheads, lambda video, start: video.frames(start, LARGEST_SIDE), describe
    )


def file_sound(
    choice: SourceChoice, clock: PacedClock, playheads: Playheads
) -> FileSource[AudioBlock]:
    """The sound of a file."""

    def describe(video: VideoFile) -> SourceInfo:
        if not video.info.has_audio:
            raise SourceLost("failed", f"{video.path} has no sound", hopeless=True)
        rate = video.info.audio_rate
        return SourceInfo(video.path.name, None, None if rate is None else float(rate), "file")

    def read(video: VideoFile, start: int) -> Iterator[Sample[AudioBlock]]:
        for block in video.audio(start):
            yield from in_short_blocks(block)

    return FileSource(choice, clock, playheads, read, describe)


def in_short_blocks(sample: Sample[AudioBlock]) -> Iterator[Sample[AudioBlock]]:
    """A block of sound in pieces as a microphone gives them."""
    samples = sample.data.samples
    length = sample.end - sample.start
    for first in range(0, len(samples), BLOCK):
        piece = samples[first : first + BLOCK]
        start = sample.start + length * first // len(samples)
        end = sample.start + length * (first + len(piece)) // len(samples)
        yield Sample(sample.stream, start, end, end, AudioBlock(piece))
