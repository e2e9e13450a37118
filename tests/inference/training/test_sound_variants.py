"""Made variants of a voice: what they change, and what they leave."""

import numpy as np
import pytest

from extractors.features import SAMPLE_RATE
from inference.training.sound_variants import (
    at_speed,
    by_another,
    in_a_room,
    varied,
    with_noise,
    with_variants,
)


def tone(hertz: float, seconds: float = 1.0) -> np.ndarray:
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (0.3 * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


def pitch(samples: np.ndarray) -> float:
    return float(np.abs(np.fft.rfft(samples)).argmax() * SAMPLE_RATE / len(samples))


@pytest.mark.parametrize("speed", [0.8, 1.25])
def test_speed_changes_length_and_pitch_and_not_loudness(speed: float) -> None:
    changed = at_speed(tone(400.0), speed)
    assert len(changed) == round(SAMPLE_RATE / speed)
    assert pitch(changed) == pytest.approx(400 * speed, abs=2)
    assert np.abs(changed).max() == pytest.approx(0.3, abs=0.03)


def spoken(hertz: float) -> np.ndarray:
    """A vowel: pulses at the pitch through resonances at 700, 1200 and 2600 Hz."""
    time = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    harmonics = np.arange(1, 40) * hertz
    gains = sum(1 / (1 + ((harmonics - formant) / 90) ** 2) for formant in (700, 1200, 2600))
    sound = (gains[:, None] * np.sin(2 * np.pi * harmonics[:, None] * time)).sum(axis=0)
    return (0.3 * sound / np.abs(sound).max()).astype(np.float32)


def median_pitch(samples: np.ndarray) -> float:
    import parselmouth

    pitch = parselmouth.Sound(samples.astype(np.float64), SAMPLE_RATE).to_pitch()
    heard = pitch.selected_array["frequency"]
    return float(np.median(heard[heard > 0]))


def test_another_speaker_has_another_pitch_and_takes_as_long() -> None:
    sound = spoken(140.0)
    found = [median_pitch(by_another(sound, np.random.default_rng(seed))) for seed in range(6)]
    assert all(80 < pitch < 290 for pitch in found)
    assert min(found) < 160 < max(found)
    assert abs(len(by_another(sound, np.random.default_rng(0))) - len(sound)) < SAMPLE_RATE // 20


def test_another_speaker_is_the_same_each_time() -> None:
    sound = np.concatenate([spoken(140.0), with_noise(spoken(140.0), np.random.default_rng(1))])
    first, second = (by_another(sound, np.random.default_rng(0)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_sound_without_a_voice_has_no_other_speaker() -> None:
    short = np.zeros(200, np.float32)
    assert by_another(short, np.random.default_rng(0)) is short


def test_a_room_goes_on_after_the_sound_and_adds_nothing_before_it() -> None:
    click = np.zeros(SAMPLE_RATE, np.float32)
    click[4000] = 1.0
    heard = in_a_room(click, np.random.default_rng(0))
    assert np.abs(heard[:4000]).max() < 1e-6
    assert heard[4000] == pytest.approx(1.0, abs=1e-6)
    early, late = np.std(heard[4010:4500]), np.std(heard[5500:6000])
    assert early > 3 * late > 0


def test_noise_is_as_loud_as_it_should_be() -> None:
    clean = tone(400.0)
    for seed in range(10):
        noise = with_noise(clean, np.random.default_rng(seed)) - clean
        ratio = 20 * np.log10(np.sqrt(np.mean(clean**2)) / noise.std())
        assert 7.5 < ratio < 30.5


def test_variants_stay_in_range_and_nothing_becomes_of_nothing() -> None:
    loud = np.clip(4 * tone(200.0), -1, 1)
    for variant in range(1, 9):
        changed = varied(loud, variant, np.random.default_rng(variant))
        assert changed.dtype == np.float32
        assert np.isfinite(changed).all()
        assert np.abs(changed).max() <= 1.0
        assert not np.array_equal(changed[:100], loud[:100])
    assert varied(loud, 0, np.random.default_rng(0)) is loud
    silent = np.zeros(800, np.float32)
    assert not varied(silent, 2, np.random.default_rng(0)).any()
    assert len(varied(np.zeros(0, np.float32), 1, np.random.default_rng(0))) == 0


@pytest.mark.parametrize("seed", [0, 1, 3])
def test_the_fourth_variant_is_by_another_speaker_and_at_another_speed(seed: int) -> None:
    sound = spoken(140.0)
    third, fourth = (varied(sound, variant, np.random.default_rng(seed)) for variant in (3, 4))
    speed = len(third) / len(fourth)
    assert 0.87 < speed < 0.96 or 1.04 < speed < 1.15
    assert median_pitch(fourth) == pytest.approx(speed * median_pitch(third), rel=0.03)


def test_a_sound_has_the_same_variants_whenever_it_is_read() -> None:
    sound = spoken(150.0)
    first, *made = with_variants(sound, 3)
    assert np.array_equal(first, sound)
    assert len(made) == 3
    list(with_variants(spoken(200.0), 2))
    for one, other in zip(made, list(with_variants(sound, 3))[1:], strict=True):
        assert np.array_equal(one, other)
        assert not np.array_equal(one[: len(sound)], sound[: len(one)])
