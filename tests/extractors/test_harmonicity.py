"""Harmonicity asked for a few frames at a time against one call of Praat, to the last bit."""

import numpy as np
import numpy.typing as npt
import parselmouth
import pytest

from extractors.features import SAMPLE_RATE
from extractors.harmonicity import AT_ONCE, HOP, PITCH_FLOOR, harmonicity

Float64Array = npt.NDArray[np.float64]
FIRST_FRAME_BEGINS_WITH_THE_SOUND = (1707, 1867, 16107, 30187)


def speechlike(count: int, seed: int = 0) -> Float64Array:
    """A voice that changes its level by 60 dB in noise, with a pause, as float32 can hold it."""
    random = np.random.default_rng(seed)
    time = np.arange(count) / SAMPLE_RATE
    phase = 2 * np.pi * 140 * time + 3 * np.sin(5 * time)
    levels = 10 ** random.uniform(-3, 0, count // 800 + 2)
    level = 0.1 * np.interp(time, np.arange(len(levels)) * 0.05, levels)
    sound = level * np.sum([np.sin(i * phase) / i for i in range(1, 20)], axis=0)
    sound += 0.001 * random.standard_normal(count)
    sound[count // 2 : count // 2 + 1000] = 0
    return np.asarray(sound.astype(np.float32), np.float64)


def assert_of_one_call(sound: Float64Array, since: int = 0) -> Float64Array:
    """The decibels."""
    whole = parselmouth.Sound(sound, SAMPLE_RATE).to_harmonicity_cc(HOP, PITCH_FLOOR)
    wanted = whole.xs() >= since / SAMPLE_RATE
    times, values = harmonicity(sound, since)
    np.testing.assert_array_equal(times, whole.xs()[wanted])
    np.testing.assert_array_equal(values, whole.values[0][wanted])
    return values


@pytest.mark.parametrize("since", [0, 1600])
@pytest.mark.parametrize(
    "count", [1600, 1601, 8000, 16001, 40001, 64002, *FIRST_FRAME_BEGINS_WITH_THE_SOUND]
)
def test_frames_have_the_harmonicity_of_the_whole(count: int, since: int) -> None:
    assert_of_one_call(speechlike(count), since)


@pytest.mark.parametrize("place", [0, 213, 3199, 3413, 8000, 15999])
@pytest.mark.parametrize("count", [16000, 16107])
def test_the_loudest_sample_counts_wherever_it_is(count: int, place: int) -> None:
    sound = 0.05 * speechlike(count)
    before = assert_of_one_call(sound)
    sound[place] = -0.5
    values = assert_of_one_call(sound)
    # what is silence beside it is so everywhere
    assert np.sum(values == -200) > np.sum(before == -200) + 10


@pytest.mark.parametrize("count", [16000, 32001])
def test_the_mean_of_the_whole_counts_and_not_that_of_a_part(count: int) -> None:
    slow = 0.1 * np.cos(2 * np.pi * np.arange(count) / SAMPLE_RATE)
    for seed in range(5):
        assert_of_one_call(0.05 + slow + 0.1 * speechlike(count, seed))


def test_the_mean_of_the_whole_counts_for_the_first_frame() -> None:
    sound = 0.02 * np.sin(2 * np.pi * 140 * np.arange(1867) / SAMPLE_RATE)
    sound[:427] += 0.05
    silent = []
    for loudest in np.linspace(0.1, 0.4, 60):
        sound[1000] = loudest
        silent.append(bool(assert_of_one_call(sound)[0] == -200))
    assert 10 < sum(silent) < 50


def test_silence_has_none() -> None:
    for level in (0.0, 0.25):
        assert set(assert_of_one_call(np.full(8000, level))) == {-200}


def test_praat_holds_up_other_threads_for_a_few_frames_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    frames = []
    real = parselmouth.Sound.to_harmonicity_cc

    def asked(sound: parselmouth.Sound, step: float, floor: float) -> parselmouth.Harmonicity:
        found = real(sound, step, floor)
        frames.append(found.n_frames)
        return found

    monkeypatch.setattr(parselmouth.Sound, "to_harmonicity_cc", asked)
    times, _ = harmonicity(speechlike(64001))
    assert max(frames) == AT_ONCE
    assert sum(frames) == len(times)
