"""H.264 and AAC in MP4, with the times of pictures and sound as they are given."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from av.video.reformatter import Colorspace

from extractors.features import FloatArray
from extractors.stream import SECOND

__all__ = ["write_mp4"]

TICK = Fraction(1, 90_000)
"""The clock of the pictures: 25, 30, 50 and 60 a second are whole numbers of it."""
BT601 = 6
"""AVCOL_SPC_SMPTE170M (ITU-T H.273, matrix coefficients): what the pictures are converted with."""
SAMPLES = 1024
"""Of one AAC frame."""


def write_mp4(
    path: Path,
    size: tuple[int, int] | None,
    pictures: Iterable[tuple[int, npt.NDArray[np.uint8]]],
    sound: tuple[int, int] | None,
    blocks: Iterable[tuple[int, FloatArray]],
    *,
    quality: int = 20,
) -> None:
    """Write pictures uint8 [height, width, 3] and sound float32 [n, channels] with their times.

    Times are nanoseconds and rise; `size` is width and height, both even,
    None without pictures; `sound` is rate and
    channels, None without sound. `quality` is x264's crf. The index stands at the front, so that
    browsers can play it. Raises av.error.FFmpegError.
    """
    container = av.open(
        f"file:{path}",  # without the prefix a colon in a name would mean a protocol
        "w",
        format="mp4",
        options={"movflags": "+faststart"},
    )
    try:
        streams: list[Any] = []
        if size is not None:
            video = _picture_stream(container, size, quality)
            streams.append(video)
        frames: Iterator[tuple[Fraction, av.AudioFrame]] = iter(())
        if sound is not None:
            audio: Any = container.add_stream("aac", rate=sound[0])
            streams.append(audio)
            audio.layout = "mono" if sound[1] == 1 else "stereo"
            audio.codec_context.bit_rate = 96_000 * sound[1]
            frames = _sound_frames(blocks, *sound)
        waiting = next(frames, None)
        last = -1
        for time, picture in pictures:
            while waiting is not None and waiting[0] <= Fraction(time, SECOND):
                container.mux(audio.encode(waiting[1]))
                waiting = next(frames, None)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame = frame.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU601)
            # two pictures within one tick still are two
            last = max(round(Fraction(time, SECOND) / TICK), last + 1)
            frame.pts, frame.time_base = last, TICK
            container.mux(video.encode(frame))
        while waiting is not None:
            container.mux(audio.encode(waiting[1]))
            waiting = next(frames, None)
        for stream in streams:
            container.mux(stream.encode(None))
    finally:
        container.close()


def _picture_stream(container: Any, size: tuple[int, int], quality: int) -> Any:
    stream = container.add_stream("libx264", rate=30)
    stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
    stream.time_base = stream.codec_context.time_base = TICK
    stream.codec_context.colorspace = BT601
    stream.codec_context.gop_size = 60
    stream.codec_context.options = {"preset": "veryfast", "crf": str(quality)}
    return stream


def _sound_frames(
    blocks: Iterable[tuple[int, FloatArray]], rate: int, channels: int
) -> Iterator[tuple[Fraction, av.AudioFrame]]:
    """Frames of the size that AAC wants, each with its time in seconds."""
    layout = "mono" if channels == 1 else "stereo"
    held = np.zeros((0, channels), np.float32)
    at: int | None = None

    def frame(samples: FloatArray, start: int) -> tuple[Fraction, av.AudioFrame]:
        made = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples.T), "fltp", layout)
        made.sample_rate, made.time_base, made.pts = rate, Fraction(1, rate), start
        return Fraction(start, rate), made

    for start, samples in blocks:
        if at is None:
            at = round(start * rate / SECOND)
        held = np.concatenate([held, samples])
        while len(held) >= SAMPLES:
            yield frame(held[:SAMPLES], at)
            held, at = held[SAMPLES:], at + SAMPLES
    if at is not None and len(held):
        yield frame(held, at)
