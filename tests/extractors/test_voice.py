"""Ten samples of voice a second on whole tenths, with states only where somebody speaks."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractors.features import (
    PROSODY,
    SAMPLE_RATE,
    VOICE_STATES,
    Utterances,
    VoiceFeatures,
    prosody_inputs,
)
from extractors.prosody import prosody
from extractors.spectrogram import STATE_RATE
from extractors.stream import SECOND, Sample, from_seconds
from extractors.utterances import spoken_intervals
from extractors.voice import STEP, VoiceStage, open_voice_stage, pool_states
from extractors.voice_model import VoiceModel

FloatArray = npt.NDArray[np.float32]
PERIOD = SECOND // SAMPLE_RATE


def test_five_states_make_a_step() -> None:
    states = np.arange(20, dtype=np.float32).reshape(10, 2)
    pooled = pool_states(states, 3 * STEP)
    assert {step: row.tolist() for step, row in pooled.items()} == {3: [4, 5], 4: [14, 15]}


def test_a_state_belongs_to_the_step_of_its_middle() -> None:
    states = np.arange(6, dtype=np.float32)[:, None]
    # middles at 60, 80, 100, ... ms: the third one opens the next step
    assert {k: float(v[0]) for k, v in pool_states(states, from_seconds(0.05)).items()} == {
        0: 0.5,
        1: 3.5,
    }
    just_before = pool_states(states, from_seconds(0.05) - 1)
    assert {k: float(v[0]) for k, v in just_before.items()} == {0: 1.0, 1: 4.0}


@given(st.integers(0, 40), st.integers(0, 10 * SECOND))
def test_every_state_is_pooled_once(count: int, first: int) -> None:
    states = np.random.default_rng(count).standard_normal((count, 3)).astype(np.float32)
    pooled = pool_states(states, first)
    middles = first + SECOND // STATE_RATE // 2 + np.arange(count) * (SECOND // STATE_RATE)
    for step, row in pooled.items():
        inside = (middles >= step * STEP) & (middles < (step + 1) * STEP)
        assert row == pytest.approx(states[inside].mean(axis=0), abs=1e-5)
    assert set(pooled) == {int(middle) // STEP for middle in middles}


class Ramp(VoiceModel):
    """Stands in for the model: the state at a time is the sound's own value there."""

    def __init__(self) -> None:
        self.heard: list[int] = []

    def states(self, samples: FloatArray) -> FloatArray:
        self.heard.append(len(samples))
        count = -(-len(samples) // (SAMPLE_RATE // STATE_RATE))
        middles = (np.arange(count) * 320 + 160).clip(max=max(len(samples) - 1, 0))
        return np.repeat(samples[middles][:, None], VOICE_STATES, axis=1)


def ramp(start: int, seconds: float) -> FloatArray:
    """Sound whose value is the session time in seconds."""
    count = round(seconds * SAMPLE_RATE)
    return ((start + np.arange(count) * PERIOD) / SECOND).astype(np.float32)


def run(
    start: int, samples: FloatArray, *spoken: tuple[int, int]
) -> tuple[Ramp, list[Sample[VoiceFeatures]]]:
    model = Ramp()
    end = start + len(samples) * PERIOD
    given_in = Sample("utterances", start, end, 77, Utterances(samples, spoken))
    with open_voice_stage(lambda: model) as stage:
        samples_out = list(stage.process(given_in))
        assert list(stage.finish()) == []
    return model, samples_out


@given(st.integers(0, 3 * SECOND // PERIOD), st.integers(0, 30_000))
def test_there_is_one_sample_for_each_tenth_that_the_sound_touches(first: int, count: int) -> None:
    start = first * PERIOD
    _, samples = run(start, np.zeros(count, np.float32))
    if count == 0:
        assert len(samples) <= 1
        return
    assert [sample.start for sample in samples] == list(
        range(start - start % STEP, start + count * PERIOD, STEP)
    )
    assert all(sample.end == sample.start + STEP for sample in samples)
    assert all(sample.stream == "voice" and sample.published == 77 for sample in samples)


@pytest.mark.parametrize("odd", [0, 30 * PERIOD, SECOND // 20, SECOND // 10 - PERIOD])
def test_states_stand_at_the_time_at_which_they_were_heard(odd: int) -> None:
    start = 2 * SECOND + odd
    speech_at = (start + SECOND // 4, start + 3 * SECOND // 2)
    _, samples = run(start, ramp(start, 2.0), speech_at)
    present = [sample for sample in samples if sample.data.states is not None]
    for sample in present:
        assert sample.data.states is not None
        middle = (sample.start + sample.end) / 2 / SECOND
        # the last one is heard in part
        tolerance = 0.06 if sample is present[-1] else 0.012
        assert sample.data.states[0] == pytest.approx(middle, abs=tolerance)
    # from the tenth in which speech begins to the one in which it ends
    assert present[0].start == speech_at[0] // STEP * STEP
    assert abs(present[-1].end - speech_at[1]) <= STEP


def test_speech_that_begins_with_the_sound_is_not_read_before_it() -> None:
    start = SECOND + 70 * PERIOD
    model, samples = run(start, ramp(start, 0.5), (start, start + SECOND // 2))
    assert model.heard == [SAMPLE_RATE // 2]
    # of the last tenth only 70 samples were heard: the middle of no state lies in it
    assert [sample.data.present for sample in samples] == [True] * 5 + [False]


def test_only_what_is_spoken_is_present() -> None:
    spoken = ((SECOND, 2 * SECOND), (3 * SECOND, 4 * SECOND))
    model, samples = run(0, ramp(0, 5.0), *spoken)
    assert model.heard == [SAMPLE_RATE, SAMPLE_RATE]
    present = {sample.start for sample in samples if sample.data.present}
    assert present == {t for a, b in spoken for t in range(a, b, STEP)}
    silent = next(sample for sample in samples if not sample.data.present)
    assert silent.data.vector is None
    assert silent.data.prosody.shape == (len(PROSODY),)


def test_prosody_is_measured_on_the_same_tenths() -> None:
    start = STEP // 2
    time = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    tone = np.where(time < 1.05, 0, 0.5 * np.sin(2 * np.pi * 200 * time)).astype(np.float32)
    _, samples = run(start, tone)
    voiced = [sample.start for sample in samples if sample.data.prosody[2] > 0.5]
    # silent until 0.05 + 1.05 s of session time
    assert voiced[0] in (from_seconds(1.1), from_seconds(1.2))
    lead = np.pad(tone, (800, 0))
    expected = prosody(lead)
    measured = np.stack([sample.data.prosody for sample in samples])
    assert np.array_equal(measured, expected, equal_nan=True)


def test_the_vector_is_states_then_prosody() -> None:
    row = np.array([np.nan, 60, 0, np.nan, np.nan, -6], np.float32)
    states = np.arange(VOICE_STATES, dtype=np.float32)
    vector = VoiceFeatures(row, states).vector
    assert vector is not None
    assert vector.dtype == np.float32
    assert np.array_equal(vector[:VOICE_STATES], states)
    assert np.array_equal(vector[VOICE_STATES:], prosody_inputs(row))


def test_real_speech(voice_model: VoiceModel, jfk: FloatArray) -> None:
    spoken = tuple((a * PERIOD, b * PERIOD) for a, b in spoken_intervals(jfk))
    stage = VoiceStage(voice_model)
    given_in = Sample("utterances", 0, 11 * SECOND, 0, Utterances(jfk, spoken))
    samples = list(stage.process(given_in))
    assert len(samples) == 110
    present = np.array([sample.data.present for sample in samples])
    middles = np.arange(110) * STEP + STEP // 2
    heard = np.array([any(a <= middle < b for a, b in spoken) for middle in middles])
    assert (present == heard).mean() > 0.95
    assert present[heard].all()
    vectors = np.stack([s.data.vector for s in samples if s.data.vector is not None])
    assert vectors.shape == (present.sum(), VOICE_STATES + len(PROSODY))
    assert np.isfinite(vectors).all()
    level: Callable[[npt.NDArray[np.bool_]], float] = lambda rows: float(  # noqa: E731
        np.mean([s.data.prosody[1] for s, row in zip(samples, rows, strict=True) if row])
    )
    assert level(present) > level(~present) + 10
