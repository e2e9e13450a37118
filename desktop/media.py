"""The part of a video file that playback needs; `extractors.video_file.VideoFile` is one."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from extractors.features import AudioBlock, VideoFrame
from extractors.stream.sample import Sample

__all__ = ["Media", "OpenMedia", "open_file"]


class Media(Protocol):
    """Pictures and sound from a given moment on, with their presentation times."""

    def frames(
        self, start: int = 0, max_side: int | None = None, showing: bool = False
    ) -> Iterator[Sample[VideoFrame]]:
        """Upright pictures from `start` nanoseconds on, no side longer than `max_side`.

        With `showing` the one that is on the screen at `start` comes first; pictures of the stream
        ON_THE_WAY may come before it.
        """
        ...

    def audio(
        self, start: int = 0, rate: int = 16000, channels: int = 1
    ) -> Iterator[Sample[AudioBlock]]:
        """Sound from `start` nanoseconds on; with two channels the samples are [n, 2]."""
        ...


OpenMedia = Callable[[], Media]
"""Called in the thread that decodes, once for each of pictures and sound."""


def open_file(path: Path) -> OpenMedia:
    """Opens `path` later, where it is decoded, and once: the window never waits for a file."""
    lock = threading.Lock()
    opened: list[Media] = []

    def open_media() -> Media:
        from extractors.video_file import VideoFile

        with lock:
            if not opened:
                opened.append(VideoFile(path, keep_open=True))
            return opened[0]

    return open_media
