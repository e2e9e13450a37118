"""Pictures and sound as a camera and a microphone would give them, for tests of the recorder."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from extractors.features import SAMPLE_RATE, AudioBlock, VideoFrame
from extractors.stream import SECOND, Sample
from tests.extractors import clips

__all__ = ["picture", "pictures", "sound", "together"]

BLOCK = SAMPLE_RATE // 20
"""Samples in a block: 50 ms."""


def picture(bright: bool = False, width: int = 160, height: int = 120) -> npt.NDArray[np.uint8]:
    """Dark with a red corner, or white."""
    image = np.full((height, width, 3), 235 if bright else 16, np.uint8)
    image[: height // 3, : width // 3] = (220, 20, 20)
    return image


def pictures(
    seconds: float, flashes: tuple[float, ...] = (), *, since: float = 0.0, rate: int = 30,
    seed: int = 0,
) -> Iterator[Sample[VideoFrame]]:  # fmt: skip
    """At an uneven rate, as cameras give them; white for 0.1 s from each second in `flashes`."""
    random = np.random.default_rng(seed)
    time = since
    while time < seconds:
        bright = any(0 <= time - flash < 0.1 for flash in flashes)
        at = round(time * SECOND)
        yield Sample("video", at, at, at + SECOND // 100, VideoFrame(picture(bright)))
        time += random.uniform(0.7, 1.3) / rate


def sound(
    seconds: float, claps: tuple[float, ...] = (), *, since: float = 0.0, card: float = 1.0,
    jitter: float = 0.0, seed: int = 0,
) -> Iterator[Sample[AudioBlock]]:  # fmt: skip
    """Blocks of 50 ms by a card that is `card` times as fast as it says; claps in true time.

    The stamps err by up to `jitter` seconds.
    """
    random = np.random.default_rng(seed)
    rate = SAMPLE_RATE * card
    count = round((seconds - since) * rate)
    heard = np.zeros(count, np.float32)
    for clap in claps:
        burst = clips.bursts([0.0], 0.05, SAMPLE_RATE)
        first = round((clap - since) * rate)
        heard[first : first + len(burst)] = burst[: max(0, count - first)]
    for first in range(0, count, BLOCK):
        samples = heard[first : first + BLOCK]
        true = since + first / rate
        start = max(0, round((true + random.uniform(-jitter, jitter)) * SECOND))
        end = start + len(samples) * SECOND // SAMPLE_RATE
        yield Sample("sound", start, end, end, AudioBlock(samples))


def together(*streams: Iterator[Sample[object]]) -> Iterator[Sample[object]]:
    """Streams in the order in which their samples become available."""
    yield from sorted((sample for stream in streams for sample in stream), key=lambda s: s.end)
