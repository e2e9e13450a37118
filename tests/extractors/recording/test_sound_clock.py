import numpy as np
import pytest

from extractors.features import SAMPLE_RATE
from extractors.recording.sound_clock import LONGEST_SILENCE, TOLERANCE, SoundClock
from extractors.stream import SECOND

BLOCK = SAMPLE_RATE // 20


@pytest.mark.parametrize("parts", [-300e-6, -50e-6, 0.0, 50e-6, 300e-6])
def test_an_hour_by_a_card_that_is_not_exact(parts: float) -> None:
    """Stamps that jitter by 8 ms; every block is placed within 5 ms of when it was heard."""
    clock, random = SoundClock(SAMPLE_RATE), np.random.default_rng(0)
    jitter = random.uniform(-0.008, 0.008, 72_000)
    worst = 0.0
    for number, error in enumerate(jitter):
        true = number * BLOCK / (SAMPLE_RATE * (1 + parts))
        first = clock.length
        shift = clock.add(max(0, round((true + error) * SECOND)), BLOCK)
        if number:
            assert shift == 0
        if number > 40:  # two seconds in
            worst = max(worst, abs(clock.time_of(first) / SECOND - true))
    assert worst < 0.005
    assert clock.length == pytest.approx(72_000 * BLOCK, abs=0.01 * SAMPLE_RATE)


def test_what_is_missing_is_filled_once() -> None:
    clock = SoundClock(SAMPLE_RATE)
    shifts = [clock.add(time * SECOND, SAMPLE_RATE) for time in (2, 3, 10, 11)]
    assert shifts == [2 * SAMPLE_RATE, 0, 6 * SAMPLE_RATE, 0]
    assert clock.time_of(clock.length) == 12 * SECOND


def test_what_is_too_long_to_fill_becomes_a_jump() -> None:
    clock = SoundClock(SAMPLE_RATE)
    clock.add(0, SAMPLE_RATE)
    late = 2 * LONGEST_SILENCE
    assert clock.add(late, SAMPLE_RATE) == 0
    assert clock.time_of(SAMPLE_RATE) == late
    assert clock.add(late + SECOND, SAMPLE_RATE) == 0


def test_what_overlaps_is_cut() -> None:
    clock = SoundClock(SAMPLE_RATE)
    clock.add(0, SAMPLE_RATE)
    assert clock.add(SECOND // 2, SAMPLE_RATE) == -SAMPLE_RATE // 2
    assert clock.add(0, SAMPLE_RATE) == -SAMPLE_RATE
    assert clock.length == SAMPLE_RATE * 3 // 2


def test_a_small_error_moves_nothing() -> None:
    clock = SoundClock(SAMPLE_RATE)
    clock.add(0, SAMPLE_RATE)
    assert clock.add(SECOND + TOLERANCE, SAMPLE_RATE) == 0
