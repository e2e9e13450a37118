"""Drift of a sound device, measured through block times that jitter."""

from itertools import pairwise

import numpy as np
import pytest

from extractors.features import SAMPLE_RATE
from extractors.sources.device_clock import DeviceClock
from extractors.sources.live_sound import BLOCK, LiveSound
from extractors.stream import SECOND

RATE = 48_000
FRAMES = 960


def blocks(ppm: float, seconds: int, seed: int = 1) -> list[tuple[int, int]]:
    """(index, time that the host tells): true times plus 2 to 12 ms of delay, mostly short."""
    delay = np.random.default_rng(seed)
    true_rate = RATE * (1 + ppm * 1e-6)
    return [
        (index, round(index / true_rate * SECOND + 2e6 + min(delay.exponential(1e6), 1e7)))
        for index in range(0, round(seconds * true_rate), FRAMES)
    ]


@pytest.mark.parametrize("ppm", [-180.0, 0.0, 35.0, 400.0])
def test_drift_is_found_through_jitter(ppm: float) -> None:
    clock = DeviceClock(RATE)
    for index, time in blocks(ppm, 120):
        assert clock.add(index, time) == 0
    assert clock.drift_ppm == pytest.approx(ppm, abs=3)
    last = 120 * RATE
    assert clock.time_of(last) == pytest.approx(last / (RATE * (1 + ppm * 1e-6)) * 1e9, abs=3e6)


def test_nothing_is_said_of_the_drift_at_first() -> None:
    clock = DeviceClock(RATE)
    for index, time in blocks(100, 5):
        clock.add(index, time)
    assert clock.drift_ppm is None


def test_one_late_block_is_jitter_and_lost_samples_are_not() -> None:
    clock = DeviceClock(RATE)
    shifts = []
    for index, time in blocks(0, 60):
        late = 80_000_000 if index == 20 * RATE else 0
        lost = 250_000_000 if index >= 30 * RATE else 0
        shifts.append(clock.add(index, time + late + lost))
    assert sum(shifts) == pytest.approx(250_000_000, abs=3e6)
    assert clock.time_of(60 * RATE) == pytest.approx(60.25e9, abs=5e6)


CLICK = 0.525
"""Where in each second a click lies: in the middle of a block."""


def heard(sound: LiveSound, ppm: float, seconds: int) -> list[tuple[int, float]]:
    """Clicks, one in each true second, through `sound`: (second, error in seconds)."""
    true_rate = RATE * (1 + ppm * 1e-6)
    errors = []
    for index, told in blocks(ppm, seconds):
        at = np.arange(index, index + FRAMES) / true_rate - CLICK
        samples = np.exp(-0.5 * ((at - np.rint(at)) / 0.001) ** 2).astype(np.float32)
        for block in sound.push(samples, told, told):
            power = block.data.samples.astype(np.float64) ** 2
            if power.max() > 0.5:
                centre = (power * np.arange(BLOCK)).sum() / power.sum()
                time = block.start / SECOND + centre / SAMPLE_RATE - 0.002 - CLICK
                errors.append((round(time), time - round(time)))
    return errors


@pytest.mark.parametrize("ppm", [0.0, 150.0, -300.0])
def test_sound_stays_where_it_was_taken(ppm: float) -> None:
    sound = LiveSound(RATE)
    errors = heard(sound, ppm, 90)
    late = [error for second, error in errors if second > 30]
    assert len(late) > 10
    assert max(map(abs, late)) < 0.002
    assert sound.gaps == 0


def test_blocks_touch_and_a_loss_shows_as_a_gap() -> None:
    sound = LiveSound(RATE)
    out = []
    for index, time in blocks(50, 40):
        lost = SECOND // 2 if index >= 20 * RATE else 0
        out += list(sound.push(np.zeros(FRAMES, np.float32), time + lost, time + lost))
    steps = [later.start - earlier.end for earlier, later in pairwise(out)]
    assert sorted(steps)[:-1] == [0] * (len(steps) - 1)
    assert max(steps) > SECOND // 4
    assert sound.gaps == 1
    assert all(len(block.data.samples) == BLOCK for block in out)
