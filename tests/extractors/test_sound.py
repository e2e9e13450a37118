"""Frames of changing formats, with and without losses, become one run at one rate."""

from fractions import Fraction

import av
import numpy as np
import numpy.typing as npt
import pytest

from extractors.sound import SoundConverter
from extractors.stream.sample import SECOND

RATE = 16_000


def tone(start: float, seconds: float, rate: int) -> npt.NDArray[np.float32]:
    """Half-scale 440 Hz, in phase with time zero."""
    at = start + np.arange(round(seconds * rate)) / rate
    return (0.5 * np.sin(2 * np.pi * 440 * at)).astype(np.float32)


def frame_of(samples: npt.NDArray[np.float32], rate: int, layout: str = "mono") -> av.AudioFrame:
    channels = av.AudioLayout(layout).nb_channels
    frame = av.AudioFrame.from_ndarray(np.stack([samples] * channels), "fltp", layout)
    frame.sample_rate = rate
    frame.time_base = Fraction(1, rate)
    return frame


def run_of(
    pieces: list[tuple[float, float, int, str, bool]],
) -> tuple[SoundConverter, npt.NDArray[np.float32]]:
    """What comes out of pieces of (start, seconds, rate, layout, lost)."""
    converter = SoundConverter(RATE, 1)
    arrays = []
    for start, seconds, rate, layout, lost in pieces:
        frame = frame_of(tone(start, seconds, rate), rate, layout)
        arrays += list(converter.convert(round(start * SECOND), frame, lost))
    arrays += list(converter.finish())
    return converter, np.concatenate(arrays)[:, 0]


def test_a_change_of_rate_and_channels_is_heard_as_one_run() -> None:
    converter, heard = run_of(
        [
            (0.0, 0.5, 44_100, "mono", False),
            (0.5, 0.5, 48_000, "stereo", False),
            (1.0, 0.5, 16_000, "5.1", False),
            (1.5, 0.5, 8_000, "mono", False),
        ]
    )
    assert converter.timeline.origin == 0
    assert len(heard) == converter.timeline.length == pytest.approx(2 * RATE, abs=3)
    meant = tone(0, 2, RATE)
    seams = np.array([0.5, 1.0, 1.5, 2.0]) * RATE
    index = np.arange(100, len(heard))
    calm = index[np.abs(index[:, None] - seams).min(1) > 40]
    np.testing.assert_allclose(heard[calm], meant[calm], atol=0.02)


@pytest.mark.parametrize("lost", [False, True])
def test_a_frame_that_is_known_to_be_lost_leaves_its_place(lost: bool) -> None:
    pieces = [(n / 50, 0.02, 48_000, "mono", lost and n == 11) for n in range(50) if n != 10]
    _, heard = run_of(pieces)
    after = slice(round(0.3 * RATE), round(0.9 * RATE))
    in_place = np.allclose(heard[after], tone(0, 1, RATE)[after], atol=0.01)
    assert in_place is lost, "20 ms alone could be jitter; only the loss says that it is not"


def test_the_run_begins_on_the_grid_of_the_file() -> None:
    converter = SoundConverter(RATE, 1, grid=0)
    begin = 12_345 / 44_100
    arrays = list(
        converter.convert(round(begin * SECOND), frame_of(tone(begin, 1, 44_100), 44_100))
    )
    arrays += list(converter.finish())
    assert converter.timeline.origin is not None
    steps = converter.timeline.origin * RATE / SECOND
    assert steps == pytest.approx(round(steps), abs=1e-4)
    heard = np.concatenate(arrays)[:, 0]
    meant = tone(converter.timeline.origin / SECOND, 1, RATE)
    np.testing.assert_allclose(heard[50:-50], meant[50 : len(heard) - 50], atol=2e-3)


@pytest.mark.parametrize(("rate", "channels"), [(0, 1), (16_000, 3)])
def test_what_cannot_be_given_is_refused(rate: int, channels: int) -> None:
    with pytest.raises(ValueError, match="channels 1 or 2"):
        SoundConverter(rate, channels)
