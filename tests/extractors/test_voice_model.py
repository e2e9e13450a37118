"""States of the voice of real speech, one every fiftieth of a second."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from assets.errors import ModelFileError
from extractors.features import SAMPLE_RATE, VOICE_STATES
from extractors.spectrogram import STATE_RATE
from extractors.voice_model import CHUNK, MARGIN, VoiceModel

FloatArray = npt.NDArray[np.float32]
PER_STATE = SAMPLE_RATE // STATE_RATE


def test_no_sound_has_no_states(voice_model: VoiceModel) -> None:
    assert voice_model.states(np.zeros(0, np.float32)).shape[0] == 0


def test_every_fiftieth_of_a_second_has_a_state(voice_model: VoiceModel, jfk: FloatArray) -> None:
    # around one state, one chunk, two chunks
    for samples in (1, 319, 320, 321, 4999, 64_000, 64_001, 112_000, 112_001):
        states = voice_model.states(jfk[:samples])
        assert states.shape == (-(-samples // PER_STATE), VOICE_STATES)
        assert states.dtype == np.float32
        assert np.isfinite(states).all()


def test_up_to_a_chunk_states_are_those_of_a_single_pass(
    voice_model: VoiceModel, jfk: FloatArray
) -> None:
    assert np.array_equal(voice_model.states(jfk[:CHUNK]), voice_model.encode(jfk[:CHUNK]))


def test_longer_speech_is_the_middles_of_passes_over_chunks(
    voice_model: VoiceModel, jfk: FloatArray
) -> None:
    whole = voice_model.states(jfk)
    hop, margin = CHUNK - 2 * MARGIN, MARGIN // PER_STATE
    inside = (CHUNK - MARGIN) // PER_STATE
    for start in (0, hop, 2 * hop):
        single = voice_model.encode(jfk[start : start + CHUNK])
        first = 0 if start == 0 else margin
        begin = start // PER_STATE
        expected = single[first:inside]
        assert np.array_equal(whole[begin + first : begin + inside][: len(expected)], expected)


def cosine(one: FloatArray, other: FloatArray) -> FloatArray:
    product: FloatArray = (one * other).sum(axis=1)
    length: FloatArray = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return product / length


@pytest.mark.parametrize("later", [5, 10, 25])
def test_sound_that_comes_some_states_later_has_its_states_so_much_later(
    voice_model: VoiceModel, jfk: FloatArray, later: int
) -> None:
    spoken = jfk[5000 : 5000 + 3 * SAMPLE_RATE]
    there = voice_model.states(spoken)
    delayed = voice_model.states(np.concatenate([np.zeros(later * PER_STATE, np.float32), spoken]))
    assert len(delayed) == len(there) + later
    # a state also says where it lies, and silence shows what a place alone looks like
    place = voice_model.states(np.zeros(len(spoken) + later * PER_STATE, np.float32))
    there, delayed = there - place[: len(there)], delayed - place
    there, delayed = there - there.mean(axis=0), delayed - delayed.mean(axis=0)
    alike = [
        cosine(there[30:120], delayed[30 + lag : 120 + lag]).mean()
        for lag in range(later - 4, later + 5)
    ]
    assert int(np.argmax(alike)) == 4
    assert max(alike) > 0.7


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="holds no speech model; run: affectscope models"):
        VoiceModel(tmp_path)
    (tmp_path / "model.bin").write_bytes(b"not a model")
    with pytest.raises(ModelFileError, match=r"is damaged|no weights"):
        VoiceModel(tmp_path)
