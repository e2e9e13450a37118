"""Prosody against sounds whose pitch, level, jitter and tilt are known, and against Praat."""

import itertools
import warnings

import numpy as np
import numpy.typing as npt
import parselmouth
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractors.features import PROSODY, SAMPLE_RATE, prosody_inputs
from extractors.harmonicity import PITCH_FLOOR
from extractors.prosody import PITCH_CEILING, prosody

FloatArray = npt.NDArray[np.float32]
F0, INTENSITY, VOICING, HARMONICITY, JITTER, TILT = range(6)


def tone(hertz: float, seconds: float = 1.0, level: float = 0.5) -> FloatArray:
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (level * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


def noise(seconds: float, level: float = 0.1, seed: int = 0) -> FloatArray:
    count = round(seconds * SAMPLE_RATE)
    random: npt.NDArray[np.float64] = np.random.default_rng(seed).standard_normal(count)
    scaled: FloatArray = (level * random).astype(np.float32)
    return scaled


def pulse_train(periods: npt.NDArray[np.float64]) -> FloatArray:
    """Glottis-like pulses, 50 Hz to 5 kHz, at times between the samples where need be."""
    times = np.cumsum(periods)
    count = int(times[-1] * SAMPLE_RATE) + 400
    frequency = np.fft.rfftfreq(count, 1 / SAMPLE_RATE)
    shape = np.where((frequency > 50) & (frequency < 5000), 1 / (1 + (frequency / 500) ** 2), 0)
    phases = np.exp(-2j * np.pi * np.outer(frequency, times)).sum(axis=1)
    sound = np.fft.irfft(phases * shape, count)
    scaled: FloatArray = (0.8 * sound / np.abs(sound).max()).astype(np.float32)
    return scaled


def inner(rows: FloatArray) -> FloatArray:
    """Without the rows at the ends, where the sound begins and stops."""
    return rows[1:-2]


def test_columns_are_in_the_order_of_their_names() -> None:
    assert PROSODY == ("f0", "intensity", "voicing", "harmonicity", "jitter", "tilt")


@pytest.mark.parametrize("hertz", [120, 200])
def test_a_tone_has_its_pitch_its_level_and_no_jitter(hertz: int) -> None:
    rows = prosody(tone(hertz))
    assert rows.shape == (10, 6)
    assert rows.dtype == np.float32
    assert rows[:, F0] == pytest.approx(hertz, abs=0.1)
    # mean power 0.5^2 / 2 over (2e-5)^2
    assert rows[:, INTENSITY] == pytest.approx(10 * np.log10(0.125 / 4e-10), abs=0.01)
    assert (rows[:, VOICING] == 1).all()
    assert (rows[:, HARMONICITY] > 40).all()
    assert (rows[:, JITTER] < 1e-4).all()


@pytest.mark.parametrize("hertz", [120, 200])
def test_a_pulse_train_has_the_pitch_of_its_period(hertz: int) -> None:
    rows = inner(prosody(pulse_train(np.full(hertz, 1 / hertz))))
    assert rows[:, F0] == pytest.approx(hertz, abs=0.1)
    assert (rows[:, VOICING] == 1).all()


def test_ten_times_the_amplitude_is_twenty_decibels_and_nothing_else() -> None:
    sound = tone(150) + noise(1.0, 0.01)
    quiet, loud = prosody(sound * np.float32(0.1)), prosody(sound)
    assert loud[:, INTENSITY] - quiet[:, INTENSITY] == pytest.approx(20, abs=0.01)
    assert loud[:, F0] == pytest.approx(quiet[:, F0], abs=0.01)
    assert loud[:, TILT] == pytest.approx(quiet[:, TILT], abs=0.1)


def test_rows_speak_of_their_own_tenth() -> None:
    sound = np.concatenate([tone(120, 0.5), np.zeros(8000, np.float32), tone(240, 0.5)])
    rows = prosody(sound)
    assert rows[1:4, F0] == pytest.approx(120, abs=0.5)
    assert rows[11:14, F0] == pytest.approx(240, abs=0.5)
    assert rows[6:9, VOICING].tolist() == [0, 0, 0]
    assert np.isnan(rows[6:9][:, [F0, HARMONICITY, JITTER, TILT]]).all()
    assert rows[:5, INTENSITY] == pytest.approx(84.95, abs=0.1)
    assert (rows[5:10, INTENSITY] < 0).all()


@pytest.mark.parametrize("change", [0.01, 0.03])
def test_jitter_of_alternating_periods_is_their_difference(change: float) -> None:
    long_short = np.where(np.arange(200) % 2 == 0, 1 + change / 2, 1 - change / 2) / 120
    rows = inner(prosody(pulse_train(long_short)))
    assert rows[:, JITTER] == pytest.approx(change, rel=0.02)


def test_jitter_agrees_with_praats_own() -> None:
    periods = (1 + 0.01 * np.random.default_rng(0).standard_normal(300)) / 120
    sound = pulse_train(periods)
    call = parselmouth.praat.call
    praat = parselmouth.Sound(sound.astype(np.float64), SAMPLE_RATE)
    pitch = praat.to_pitch_ac(0.01, PITCH_FLOOR, pitch_ceiling=PITCH_CEILING)
    pulses = call([praat, pitch], "To PointProcess (cc)")
    limits = (0.0001, 0.02, 1.3)
    whole = call(pulses, "Get jitter (local)", 0, 0, *limits)
    rows = prosody(sound)
    assert np.nanmean(rows[:, JITTER]) == pytest.approx(whole, rel=0.02)
    assert whole == pytest.approx(np.abs(np.diff(periods)).mean() * 120, rel=0.03)
    # row by row Praat leaves out the pairs of periods that cross a border
    borders = np.arange(len(rows) + 1) / 10
    each = [
        call(pulses, "Get jitter (local)", a, b, *limits) for a, b in itertools.pairwise(borders)
    ]
    assert np.corrcoef(inner(rows)[:, JITTER], each[1:-2])[0, 1] > 0.85


def test_noise_has_no_voice_and_no_tilt() -> None:
    rows = prosody(noise(2.0))
    assert rows[:, VOICING].max() < 0.2
    assert np.nanmax(rows[:, HARMONICITY]) < 0
    assert rows[:, TILT].mean() == pytest.approx(0, abs=0.5)


def test_tilt_is_the_slope_in_decibels_per_octave() -> None:
    white = noise(4.0)
    spectrum = np.fft.rfft(white)
    frequency = np.fft.rfftfreq(len(white), 1 / SAMPLE_RATE)
    for octave in (-6.02, 6.02):  # amplitude over or times frequency
        shaped = spectrum * np.maximum(frequency, 20) ** (octave / 6.02)
        sound = np.fft.irfft(shaped, len(white))
        rows = prosody((0.3 * sound / np.abs(sound).max()).astype(np.float32))
        assert rows[:, TILT].mean() == pytest.approx(octave, abs=0.4)


def test_more_noise_is_less_harmonic() -> None:
    clean = tone(150)
    values = [prosody(clean + noise(1.0, level))[:, HARMONICITY].mean() for level in (0.01, 0.1)]
    # 10 log10 of the power of the tone over that of the noise: 31 dB and 11 dB
    assert values == pytest.approx([31, 11], abs=3)


def test_rows_that_are_only_heard_leave_the_others_as_they_are() -> None:
    sound = np.concatenate([tone(140), noise(0.5)])
    np.testing.assert_array_equal(prosody(sound, 5), prosody(sound)[5:])


def test_silence_is_undefined_and_not_zero() -> None:
    rows = prosody(np.zeros(4800, np.float32))
    assert rows.shape == (3, 6)
    assert (rows[:, VOICING] == 0).all()
    assert (rows[:, INTENSITY] < 0).all()
    assert np.isnan(rows[:, [F0, HARMONICITY, JITTER, TILT]]).all()


def test_a_short_last_row_is_as_loud_as_it_is() -> None:
    rows = prosody(tone(200, 0.12))
    assert rows[:, INTENSITY] == pytest.approx(84.95, abs=0.1)


@settings(max_examples=40)
@given(st.integers(0, 5000), st.sampled_from(["tone", "noise", "silence"]))
def test_any_length_gives_its_rows_without_a_warning(length: int, kind: str) -> None:
    sounds = {"tone": tone(200), "noise": noise(1.0), "silence": np.zeros(16000, np.float32)}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rows = prosody(sounds[kind][:length])
    assert rows.shape == (-(-length // 1600), 6)
    assert np.isfinite(rows[:, [INTENSITY, VOICING]]).all()
    assert not np.isinf(rows).any()
    assert ((rows[:, VOICING] >= 0) & (rows[:, VOICING] <= 1)).all()


@pytest.mark.parametrize("hertz", [100, 200])
def test_the_network_gets_semitones_per_cent_and_zeros(hertz: float) -> None:
    row = np.array([hertz, 60, 0.5, 12, 0.02, -6], np.float32)
    semitones = 12 * np.log2(hertz / 100)
    assert prosody_inputs(row) == pytest.approx([semitones, 60, 0.5, 12, 2, -6])
    assert row[F0] == hertz  # what was measured is not touched
    undefined = np.array([np.nan, -26, 0, np.nan, np.nan, np.nan], np.float32)
    assert prosody_inputs(undefined).tolist() == [0, -26, 0, 0, 0, 0]


@given(
    st.lists(
        st.one_of(st.floats(0, 1e4, width=32), st.sampled_from([np.nan, np.inf, -np.inf])),
        min_size=6,
        max_size=6,
    )
)
def test_what_the_network_gets_is_always_finite(values: list[float]) -> None:
    rows = np.array([values, values], np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        inputs = prosody_inputs(rows)
    assert inputs.shape == rows.shape
    assert inputs.dtype == np.float32
    assert np.isfinite(inputs).all()
