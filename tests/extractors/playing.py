"""What the tests see and hear of a clip."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from extractors.features import SAMPLE_RATE
from extractors.stream.sample import SECOND
from extractors.video_file import VideoFile
from tests.extractors.clips import (
    Pictures,
    Sound,
    bursts,
    every,
    lag_seconds,
    top_boxes,
    write_clip,
)

__all__ = ["B_FRAMES", "MS", "faststart_clip", "flash_time", "lateness", "times", "whole_sound"]

MS = SECOND // 1000
B_FRAMES = {"preset": "veryfast", "bf": "3", "b-adapt": "0"}


def times(file: VideoFile, start: int = 0) -> list[int]:
    return [sample.start for sample in file.frames(start)]


def whole_sound(
    file: VideoFile, start: int = 0, rate: int = SAMPLE_RATE, channels: int = 1
) -> tuple[int, npt.NDArray[np.float32]]:
    """Start and samples; checks that the blocks follow each other exactly."""
    blocks = list(file.audio(start, rate, channels))
    assert blocks
    origin = blocks[0].start
    count = 0
    for block in blocks:
        assert block.stream == "audio"
        assert block.data.samples.dtype == np.float32
        assert block.start == pytest.approx(origin + count * SECOND / rate, abs=1)
        count += len(block.data.samples)
        assert block.end == block.published == pytest.approx(origin + count * SECOND / rate, abs=1)
    assert all(len(block.data.samples) == rate // 2 for block in blocks[:-1])
    return origin, np.concatenate([block.data.samples for block in blocks])


def lateness(file: VideoFile, at: list[float], seconds: float) -> float:
    """Seconds by which the bursts are heard later than meant."""
    origin, samples = whole_sound(file)
    heard = np.concatenate([np.zeros(round(origin * SAMPLE_RATE / SECOND)), samples])
    return lag_seconds(heard, bursts(at, seconds, SAMPLE_RATE), SAMPLE_RATE)


def flash_time(file: VideoFile) -> int:
    return next(s.start for s in file.frames() if s.data.image[60:, 80:].mean() > 128)


def faststart_clip(path: Path) -> bytes:
    """An MP4 of 4 s with its index in front, flash at 1 s and bursts at 0.5, 1.0 and 1.7 s."""
    clip = write_clip(
        path,
        Pictures(every(40, 4000), flash=1000, options=B_FRAMES),
        Sound(bursts([0.5, 1.0, 1.7], 4.0, 48000), 48000),
        format_options={"movflags": "faststart"},
    )
    data = clip.read_bytes()
    names = [name for name, _, _ in top_boxes(data)]
    assert names.index("moov") < names.index("mdat")
    return data
