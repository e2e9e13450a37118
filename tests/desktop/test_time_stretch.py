"""Sound at other speeds: as long as it should be, in its place, and as high as before."""

import numpy as np
import numpy.typing as npt
import pytest

from desktop.playback import SPEEDS
from desktop.sound_device import CHANNELS, RATE
from desktop.time_stretch import TimeStretch, stages

SECONDS = 12
TONE = 440.0


def beeps() -> npt.NDArray[np.float32]:
    """A tone for three tenths of every second but the first."""
    at = np.arange(SECONDS * RATE) / RATE
    tone = np.where((at >= 1) & (at % 1 < 0.3), np.sin(2 * np.pi * TONE * at) / 2, 0)
    return np.repeat(tone[:, None], CHANNELS, axis=1).astype(np.float32)


def stretched(speed: float, block: int) -> npt.NDArray[np.float32]:
    stretch, sound = TimeStretch(speed), beeps()
    parts = [stretch.stretch(sound[i : i + block]) for i in range(0, len(sound), block)]
    return np.concatenate([*parts, stretch.finish()])


@pytest.mark.parametrize("speed", SPEEDS)
def test_every_beep_is_in_its_place_and_keeps_its_pitch(speed: float) -> None:
    sound = stretched(speed, RATE // 2)
    assert len(sound) * speed / RATE == pytest.approx(SECONDS, abs=0.1)
    loud = np.flatnonzero(np.abs(sound[:, 0]) > 0.1)
    begins = loud[np.concatenate([[True], np.diff(loud) > 0.3 * RATE / speed])]
    late = begins * speed / RATE - np.arange(1, SECONDS)
    assert np.abs(late).max() < 0.02 * max(1.0, speed / 2)
    first, length = begins[5] + round(0.05 * RATE / speed), round(0.15 * RATE / speed)
    piece = sound[first : first + length, 0]
    spectrum = np.abs(np.fft.rfft(piece * np.hanning(length), 1 << 16))
    assert spectrum.argmax() * RATE / (1 << 16) == pytest.approx(TONE, rel=0.03)


def test_how_the_sound_is_cut_makes_no_difference() -> None:
    assert np.array_equal(stretched(1.5, RATE // 2), stretched(1.5, 4801))


def test_stages_stay_within_what_blends() -> None:
    for speed in (*SPEEDS, 0.1, 16.0):
        factors = stages(speed)
        assert np.prod(factors) == pytest.approx(speed)
        assert all(0.5 <= factor <= 2.0 for factor in factors)
    with pytest.raises(ValueError, match="positive"):
        stages(0.0)
