"""Damaged and odd recordings, the same for the same seed, for tests of what reads them."""

import random
import wave
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from tests.extractors.clips import Pictures, Sound, bursts, every, write_clip

__all__ = ["damaged", "odd"]

SECONDS = 0.6
SMALL = {"width": 64, "height": 48}
MILLISECOND = Fraction(1, 1000)


def _sound(rate: int = 16_000, codec: str = "aac", **options: Any) -> Sound:
    return Sound(bursts([0.2], SECONDS, rate), rate, codec, **options)


def _pictures(**options: Any) -> Pictures:
    return Pictures(every(40, 600), **{**SMALL, **options})


WHOLE: dict[str, Callable[[Path], Path]] = {
    "fast.mp4": lambda path: write_clip(
        path, _pictures(), _sound(), format_options={"movflags": "faststart"}
    ),
    "late.mp4": lambda path: write_clip(path, _pictures(), _sound()),
    "a.mkv": lambda path: write_clip(path, _pictures(), _sound(codec="flac", format="s16")),
    "a.ts": lambda path: write_clip(path, _pictures(), _sound()),
    "a.avi": lambda path: write_clip(path, _pictures(codec="mpeg4", options={}), _sound(44_100)),
    "a.wav": lambda path: write_clip(path, None, _sound(codec="pcm_s16le")),
    "a.ogg": lambda path: write_clip(path, None, _sound(48_000, "libopus")),
}
"""Sound recordings that are then damaged, by name."""


def damaged(folder: Path, seed: int, count: int) -> Iterator[Path]:
    """`count` files cut off somewhere or with some bytes changed, of every container in turn."""
    folder.mkdir(parents=True, exist_ok=True)
    contents = {}
    for name, write in WHOLE.items():
        contents[name] = write(folder / name).read_bytes()
        (folder / name).unlink()
    chance = random.Random(seed)
    for number in range(count):
        name = list(WHOLE)[number % len(WHOLE)]
        data = bytearray(contents[name])
        if number // len(WHOLE) % 2 == 0:
            what = "cut"
            del data[chance.randrange(len(data)) :]
        else:
            what = "flipped"
            for _ in range(2 ** chance.randrange(7)):
                data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        path = folder / f"{number:04} {what} {name}"
        path.write_bytes(data)
        yield path


def odd(folder: Path) -> Iterator[Path]:
    """Whole files that are unusual in one way each."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "nothing.mp4").touch()
    yield folder / "nothing.mp4"
    (folder / "noise.mkv").write_bytes(random.Random(1).randbytes(5000))
    yield folder / "noise.mkv"
    yield _timed(folder / "no packets.mkv", [], [])
    yield _timed(folder / "no sound packets.mkv", every(40, 600), [])
    yield _timed(folder / "no picture packets.mkv", [], every(100, 600))
    yield _wave(folder / "no samples.wav", np.zeros((0, 1)), 16_000)
    yield _timed(folder / "one picture.mkv", [0], [])
    late = 10**12  # 31 years
    after = every(40, late + 600, late)
    yield _timed(folder / "late.mkv", after, every(100, late + 600, late))
    yield _timed(folder / "a jump.mkv", [*every(40, 300), *after], every(100, 600))
    yield _timed(folder / "sound jumps.mkv", every(40, 600), [0, 100, 200, late, late + 100])
    yield _timed(folder / "negative.mkv", every(40, 600, -400), every(100, 600, -400))
    yield _timed(folder / "equal times.mkv", [0, 0, 0, 40, 40, 80, 80, 80, 200], every(100, 300))
    yield _timed(folder / "sound again.mkv", every(40, 600), [0, 0, 100, 100, 100, 200])
    for width, height in ((1, 1), (161, 121), (3, 401), (401, 2)):
        lossless = {"codec": "ffv1", "pixels": "bgr0", "options": {}}
        pictures = _pictures(**lossless, width=width, height=height)
        yield write_clip(folder / f"{width} by {height}.mkv", pictures, _sound(codec="flac"))
    for turn in (90, 180, 270):
        yield write_clip(folder / f"turned {turn}.mp4", _pictures(rotation=turn), _sound())
    for rate in (96_000, 8_000, 11_025):
        yield write_clip(folder / f"{rate} Hz.wav", None, _sound(rate, "pcm_s16le"))
    eight = np.tile(bursts([0.2], SECONDS, 48_000)[:, None], (1, 8))
    yield _wave(folder / "eight channels.wav", eight, 48_000)
    yield write_clip(folder / ("ö" * 100 + ".mp4"), _pictures(), _sound())


def _wave(path: Path, samples: npt.NDArray[Any], rate: int) -> Path:
    """`samples` [n, channels] within 1 as 16-bit sound."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(samples.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((samples * 32767).astype(np.int16).tobytes())
    return path


def _timed(path: Path, pictures: list[int], sounds: list[int]) -> Path:
    """Pictures and tenths of a second of sound at just these times, in milliseconds."""
    with av.open(str(path), "w", options={"avoid_negative_ts": "disabled"}) as container:
        video: Any = container.add_stream("mjpeg")
        video.width, video.height, video.pix_fmt = 64, 48, "yuvj420p"
        audio: Any = container.add_stream("pcm_s16le", rate=16_000)
        audio.layout = "mono"
        container.start_encoding()
        encoded = []
        for number in range(max(len(pictures), 1)):
            shade = np.full((48, 64, 3), 40 * number % 256, np.uint8)
            frame = av.VideoFrame.from_ndarray(shade, "rgb24").reformat(format="yuvj420p")
            frame.pts = number
            encoded += video.encode(frame)
        tenth = (np.sin(np.arange(1600) / 5) * 9000).astype(np.int16).tobytes()
        packets = []
        for stream, times, contents in (
            (video, pictures, [bytes(packet) for packet in encoded]),
            (audio, sounds, [tenth] * len(sounds)),
        ):
            for time, content in zip(times, contents, strict=False):
                packet = av.Packet(content)
                packet.stream, packet.time_base = stream, MILLISECOND
                packet.pts = packet.dts = time
                packet.is_keyframe = True
                packets.append(packet)
        for packet in sorted(packets, key=lambda packet: packet.dts or 0):
            container.mux(packet)
    return path
