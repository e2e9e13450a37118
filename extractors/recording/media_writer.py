"""Pictures and sound into one Matroska file while they happen, with their capture times."""

from collections import deque
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from av.video.frame import PictureType
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from extractors.features import SAMPLE_RATE, FloatArray
from extractors.recording.disk import GrowingFile
from extractors.recording.plan import RecordingPlan
from extractors.recording.sound_clock import SoundClock
from extractors.session_tables import Row
from extractors.stream.sample import SECOND

__all__ = ["MUXER", "MediaWriter"]

Image = npt.NDArray[np.uint8]

MILLISECOND = Fraction(1, 1000)
"""Matroska's unit of time as FFmpeg writes it."""
MUXER = {
    # a cluster is written as a whole: what is in the last one is lost with the process
    "cluster_time_limit": "500",
    "flush_packets": "1",
    # microseconds that one stream waits for the other, so that a dead microphone costs no pictures
    "max_interleave_delta": "500000",
    "avoid_negative_ts": "disabled",
}
ENCODER = {"preset": "ultrafast", "tune": "zerolatency", "crf": "23"}
BT601 = 6
"""AVCOL_SPC_SMPTE170M (ITU-T H.273, matrix coefficients): what the pictures are converted with."""
KEY_PICTURES = SECOND
"""Between two pictures from which playing can start."""
WAITS_FOR_PICTURE = SECOND
USUAL_SIZE = (640, 480)
"""Of the pictures on disk if sound came for a second and no picture told a size."""


class MediaWriter:
    """Encodes H.264 and FLAC (16 bit) into `file`. Used by one thread at a time.

    The file starts at session time zero, with a black picture and silence if nothing is there yet,
    so that a player's time is session time.
    """

    def __init__(self, file: GrowingFile, plan: RecordingPlan) -> None:
        self._file = file
        self._plan = plan
        self._container: Any = None
        self._early: deque[tuple[FloatArray, int, Row]] = deque()
        """Sound that came before the size of the pictures was known."""
        self.size: tuple[int, int] | None = None
        """Width and height of the pictures in the file; None before it has begun."""
        if not plan.pictures or plan.picture_size is not None:
            self._begin(plan.picture_size)

    def add_picture(self, image: Image, time: int) -> int | None:
        """Write an RGB picture uint8 [height, width, 3] that was taken at `time`.

        Returns the time that the file gives it, None if it is left out because time did not rise.
        Raises ValueError if it is no such picture.
        """
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
            raise ValueError(f"not RGB: a picture of {image.dtype} {image.shape}")
        if self._container is None:
            self._begin((image.shape[1], image.shape[0]))
        return self._pictures.add(image, time)

    def add_sound(self, samples: FloatArray, start: int, row: Row) -> list[Row]:
        """Write a block of sound; `row` is what the table `sound` will say of it.

        Returns the rows of blocks that have reached the file since the last call, this one or not,
        with `written` (the time that the file gives to their start), `counted` and `filled`.
        """
        if self._container is None:
            self._early.append((samples, start, row))
            if start - self._early[0][1] < WAITS_FOR_PICTURE:
                return []
            self._begin(None)
        else:
            self._sound.add(samples, start, row)
        return self._sound.take_written()

    def close(self) -> list[Row]:
        """Complete the file. Returns the rows of the last blocks of sound."""
        if self._container is None:
            self._begin(None)
        written: list[Row] = []
        if self._plan.pictures:
            self._pictures.close()
        if self._plan.sound:
            self._sound.close()
            written = self._sound.take_written()
        self._container.close()
        return written

    def _begin(self, size: tuple[int, int] | None) -> None:
        container = av.open(self._file, "w", format="matroska", container_options=MUXER)
        if self._plan.pictures:
            width, height = size or USUAL_SIZE
            self.size = (max(2, width // 2 * 2), max(2, height // 2 * 2))
            self._pictures = _PictureTrack(container, self.size)
        if self._plan.sound:
            self._sound = _SoundTrack(container)
        container.start_encoding()
        self._container = container
        while self._early:
            self._sound.add(*self._early.popleft())


class _PictureTrack:
    def __init__(self, container: Any, size: tuple[int, int]) -> None:
        self._container = container
        self._size = size
        self._reformatter = VideoReformatter()
        stream = container.add_stream("libx264", rate=30, options=ENCODER)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.time_base = stream.codec_context.time_base = MILLISECOND
        stream.codec_context.thread_count = 1
        stream.codec_context.colorspace = BT601
        stream.codec_context.color_range = ColorRange.MPEG
        stream.codec_context.gop_size = 1 << 20  # by time, not by count: see KEY_PICTURES
        self._stream = stream
        self._taken: int | None = None
        self._written = -1
        self._key = -KEY_PICTURES

    def add(self, image: Image, time: int) -> int | None:
        if self._taken is None and time >= SECOND // 1000:
            self._encode(np.zeros((self._size[1], self._size[0], 3), np.uint8), 0)
        if time < 0 or (self._taken is not None and time <= self._taken):
            return None
        self._taken = time
        # two pictures within one millisecond still are two
        written = max(round(time * 1000 / SECOND), self._written + 1)
        self._encode(self._fitted(image), written)
        return written * SECOND // 1000

    def _encode(self, image: Image, written: int) -> None:
        frame = self._reformatter.reformat(
            av.VideoFrame.from_ndarray(image, format="rgb24"),
            width=self._size[0],
            height=self._size[1],
            format="yuv420p",
            dst_colorspace=Colorspace.ITU601,
            threads=1,
        )
        frame.pts, frame.time_base = written, MILLISECOND
        frame.pict_type = PictureType.NONE
        if written * (SECOND // 1000) - self._key >= KEY_PICTURES:
            frame.pict_type, self._key = PictureType.I, written * (SECOND // 1000)
        self._written = written
        self._mux(self._stream.encode(frame))

    def _fitted(self, image: Image) -> Image:
        """The picture, between black bars if its shape is not that of the file's pictures."""
        height, width = image.shape[:2]
        scale = min(self._size[0] / width, self._size[1] / height)
        inner = [max(2, round(side * scale)) for side in (width, height)]
        if all(abs(a - b) <= 2 for a, b in zip(inner, self._size, strict=True)):
            return np.ascontiguousarray(image)
        source = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
        scaled = self._reformatter.reformat(
            source, width=inner[0], height=inner[1], format="rgb24", interpolation="AREA"
        ).to_ndarray()
        canvas = np.zeros((self._size[1], self._size[0], 3), np.uint8)
        left, top = ((side - part) // 2 for side, part in zip(self._size, inner, strict=True))
        canvas[top : top + inner[1], left : left + inner[0]] = scaled
        return canvas

    def _mux(self, packets: Iterable[Any]) -> None:
        for packet in packets:
            self._container.mux(packet)

    def close(self) -> None:
        if self._taken is None:
            self._encode(np.zeros((self._size[1], self._size[0], 3), np.uint8), 0)
        self._mux(self._stream.encode(None))


class _SoundTrack:
    def __init__(self, container: Any) -> None:
        self._container = container
        stream = container.add_stream("flac", rate=SAMPLE_RATE)
        stream.layout, stream.format = "mono", "s16"
        stream.codec_context.time_base = Fraction(1, SAMPLE_RATE)
        self._stream = stream
        self._clock = SoundClock(SAMPLE_RATE)
        self._held = np.zeros(0, np.int16)
        self._given = 0
        """Samples that the encoder has got."""
        self._blocks: deque[tuple[int, Row]] = deque()
        """First sample and row of blocks that are not in the file yet."""
        self._written: list[Row] = []

    def add(self, samples: FloatArray, start: int, row: Row) -> None:
        shift = self._clock.add(start, len(samples))
        row["filled"] = shift / SAMPLE_RATE
        if shift > 0:
            self._silence(shift)
        elif shift < 0:
            samples = samples[-shift:]
            row["start"] -= shift / SAMPLE_RATE
        if len(samples):
            index = self._given + len(self._held)
            row["counted"] = index / SAMPLE_RATE
            self._blocks.append((index, row))
            usable = np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0)
            scaled = np.rint(usable * 32768.0)
            self._take(np.clip(scaled, -32768, 32767).astype(np.int16))
        else:
            self._written.append(row)

    def _silence(self, samples: int) -> None:
        for begin in range(0, samples, SAMPLE_RATE):
            self._take(np.zeros(min(SAMPLE_RATE, samples - begin), np.int16))

    def _take(self, samples: npt.NDArray[np.int16]) -> None:
        self._held = np.concatenate([self._held, samples])
        size = self._stream.codec_context.frame_size
        while len(self._held) >= size:
            self._encode(self._held[:size])
            self._held = self._held[size:]

    def _encode(self, samples: npt.NDArray[np.int16]) -> None:
        frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts = SAMPLE_RATE, self._given
        frame.time_base = Fraction(1, SAMPLE_RATE)
        self._given += len(samples)
        self._mux(self._stream.encode(frame))

    def _mux(self, packets: Iterable[Any]) -> None:
        for packet in packets:
            first = round(packet.pts * packet.time_base * SAMPLE_RATE)
            last = first + round((packet.duration or 0) * packet.time_base * SAMPLE_RATE)
            written = round(self._clock.time_of(first) * 1000 / SECOND)
            packet.pts = packet.dts = max(0, written)
            packet.time_base = MILLISECOND
            packet.duration = round((last - first) * 1000 / SAMPLE_RATE)
            self._container.mux(packet)
            while self._blocks and self._blocks[0][0] < last:
                index, row = self._blocks.popleft()
                row["written"] = written / 1000 + (index - first) / SAMPLE_RATE
                self._written.append(row)

    def take_written(self) -> list[Row]:
        written, self._written = self._written, []
        return written

    def close(self) -> None:
        if len(self._held):
            self._encode(self._held)
            self._held = self._held[:0]
        self._mux(self._stream.encode(None))
