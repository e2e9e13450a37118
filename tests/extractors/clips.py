"""Small clips for the tests of the video source, written with PyAV: known pictures, known sound."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

__all__ = [
    "Pictures",
    "Sound",
    "bursts",
    "every",
    "lag_seconds",
    "top_boxes",
    "write_clip",
]

MILLISECOND = Fraction(1, 1000)


@dataclass(frozen=True)
class Pictures:
    """Pictures at `times` (milliseconds): dark, white from `flash` on, red top left."""

    times: Sequence[int]
    flash: int | None = None
    white: frozenset[int] = frozenset()
    """Times of pictures that are white by themselves."""
    width: int = 160
    height: int = 120
    codec: str = "libx264"
    pixels: str = "yuv420p"
    options: dict[str, str] = field(default_factory=lambda: {"preset": "ultrafast"})
    rotation: int | None = None
    flipped: bool = False
    gop: int = 12


@dataclass(frozen=True)
class Sound:
    """`samples` float [channels, n] or [n]; the first one is heard `offset` ms after zero."""

    samples: npt.NDArray[Any]
    rate: int
    codec: str = "aac"
    layout: str = "mono"
    format: str | None = None
    offset: int = 0
    gap: tuple[int, int] | None = None
    """From and to (milliseconds of the sound) that is left out of the file."""
    jitter: int = 0
    """Alternating error of the times, in units of the sample rate."""


def every(step: int, until: int, start: int = 0) -> list[int]:
    """Times in milliseconds: a constant rate."""
    return list(range(start, until, step))


def bursts(
    at: Iterable[float], seconds: float, rate: int, level: float = 0.5
) -> npt.NDArray[np.float64]:
    """Sound [n]: silence with 50 ms of noise-like sweep from each second in `at`."""
    time = np.arange(round(seconds * rate)) / rate
    sound = np.zeros_like(time)
    for start in at:
        since = time - start
        inside = (since >= 0) & (since < 0.05)
        sweep = level * np.sin(2 * np.pi * (400 * since + 16000 * since**2))
        sound[inside] = sweep[inside]
    return sound


def lag_seconds(heard: npt.NDArray[Any], meant: npt.NDArray[Any], rate: int) -> float:
    """How much later `heard` is than `meant` (both [n] from time zero), by correlation."""
    size = len(heard) + len(meant)
    spectrum = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(meant, size))
    lag = int(np.argmax(np.fft.irfft(spectrum, size)))
    return (lag if lag < size // 2 else lag - size) / rate


def write_clip(
    path: Path,
    pictures: Pictures | None = None,
    sound: Sound | None = None,
    *,
    format_options: dict[str, str] | None = None,
) -> Path:
    """Write a clip; the container follows from the file's name."""
    with av.open(str(path), "w", options=format_options or {}) as container:
        streams = []
        if pictures is not None:
            streams.append(_picture_packets(container, pictures))
        if sound is not None:
            streams.append(_sound_packets(container, sound))
        packets = [packet for stream in streams for packet in stream]
        packets.sort(key=lambda packet: packet.dts * packet.time_base)
        for packet in packets:
            container.mux(packet)
    return path


def _image(pictures: Pictures, time: int) -> npt.NDArray[np.uint8]:
    image = np.full((pictures.height, pictures.width, 3), 16, np.uint8)
    if time in pictures.white or (pictures.flash is not None and time >= pictures.flash):
        image[:] = 235
    image[: pictures.height // 3, : pictures.width // 3] = (220, 20, 20)
    return image


def _picture_packets(container: Any, pictures: Pictures) -> list[Any]:
    stream = container.add_stream(pictures.codec, rate=25, options=pictures.options)
    stream.width, stream.height, stream.pix_fmt = pictures.width, pictures.height, pictures.pixels
    stream.codec_context.time_base = MILLISECOND
    stream.time_base = MILLISECOND
    stream.gop_size = pictures.gop
    if pictures.rotation is not None:
        stream.set_display_rotation(pictures.rotation, hflip=pictures.flipped)
    packets: list[Any] = []
    for time in pictures.times:
        frame = av.VideoFrame.from_ndarray(_image(pictures, time), format="rgb24")
        frame.pts, frame.time_base = time, MILLISECOND
        packets += stream.encode(frame)
    packets += stream.encode(None)
    return packets


def _sound_packets(container: Any, sound: Sound) -> list[Any]:
    stream = container.add_stream(sound.codec, rate=sound.rate)
    stream.layout = sound.layout
    if sound.format:
        stream.format = sound.format
    unit = Fraction(1, sound.rate)
    stream.codec_context.time_base = unit
    samples = np.atleast_2d(sound.samples).astype(np.float32)
    offset = sound.offset * sound.rate // 1000
    size = stream.codec_context.frame_size or 1024
    resampler = av.AudioResampler(format=stream.format.name, layout=sound.layout, rate=sound.rate)
    packets: list[Any] = []
    for number, first in enumerate(range(0, samples.shape[1], size)):
        if sound.gap is not None:
            middle = (first + size / 2) / sound.rate * 1000
            if sound.gap[0] <= middle < sound.gap[1]:
                continue
        block = np.ascontiguousarray(samples[:, first : first + size])
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout=sound.layout)
        frame.sample_rate, frame.time_base, frame.pts = sound.rate, unit, first
        for converted in resampler.resample(frame):
            shift = sound.jitter if number % 2 else 0
            converted.pts, converted.time_base = first + offset + shift, unit
            packets += stream.encode(converted)
    packets += stream.encode(None)
    return packets


def top_boxes(data: bytes) -> list[tuple[str, int, int]]:
    """Name, start and end of each top-level box of an MP4 file."""
    boxes, at = [], 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        boxes.append((data[at + 4 : at + 8].decode("latin-1"), at, at + size))
        at += size
    return boxes
