"""The decoder for sound that grows, against the library that decodes one token after the other."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from assets.errors import ModelFileError
from extractors.features import SAMPLE_RATE
from extractors.quick_decoding import POSITIONS, QuickDecoder
from extractors.spectrogram import STATE_RATE
from extractors.speech import SpeechModel
from extractors.word_decoder import Decoded, WordDecoder, runs_on

FloatArray = npt.NDArray[np.float32]
Models = Callable[[str], Path]
MOST = 60
ROUNDING = 2e-3
"""Of a probability. One row and several go through different products on some processors, and a
difference in the last bit becomes one of a whole step where activations are rounded to 8 bits."""


@pytest.fixture(scope="module")
def quick(speech: SpeechModel) -> QuickDecoder:
    return QuickDecoder(speech)


@pytest.fixture(scope="module")
def decoder(quick: QuickDecoder) -> WordDecoder:
    return quick.decoder


@pytest.fixture(scope="module")
def states(speech: SpeechModel, jfk: FloatArray) -> FloatArray:
    # to the end of a sentence: where sound breaks off before, the next token is a tie, which the
    # rounding of a processor decides
    return speech.encode(jfk[: 8 * SAMPLE_RATE])


@pytest.fixture(scope="module")
def alone(decoder: WordDecoder, states: FloatArray) -> Decoded:
    """Decoded with nothing given and nothing expected."""
    return decoder(states, most=MOST)


def same(one: Decoded, other: Decoded) -> None:
    assert one.tokens == other.tokens
    assert one.attention == pytest.approx(other.attention, abs=1e-4)


def test_expected_tokens_change_nothing_however_wrong_they_are(
    decoder: WordDecoder, states: FloatArray, alone: Decoded
) -> None:
    tokens = alone.tokens
    assert len(tokens) > 10
    wrong = (tokens[0] + 1, *tokens[1:])
    for expected in (
        tokens,
        tokens[:5],
        (*tokens, 11, 12),  # more than is said
        wrong,
        tokens[3:],  # something is new
        (11, 12, 13),
        (*tokens[:4], 11, *tokens[4:]),
    ):
        found = decoder(states, (), expected, most=MOST)
        same(found, alone)
        assert found.probabilities == pytest.approx(alone.probabilities, abs=ROUNDING)


def test_what_was_said_is_given_back_and_decoding_goes_on_behind_it(
    decoder: WordDecoder, states: FloatArray, alone: Decoded
) -> None:
    for count in (1, 4, len(alone.tokens)):
        found = decoder(states, alone.tokens[:count], alone.tokens[count : count + 2], most=MOST)
        same(found, alone)
        assert (found.probabilities[:count] == 1).all()
        assert found.probabilities[count:] == pytest.approx(
            alone.probabilities[count:], abs=ROUNDING
        )


def test_expected_tokens_are_read_at_once(
    quick: QuickDecoder, states: FloatArray, alone: Decoded, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoder = quick.decoder
    passes = 0
    session = decoder.session

    class Counting:
        def run(self, *arguments: Any) -> Any:
            nonlocal passes
            passes += 1
            return session.run(*arguments)

    monkeypatch.setattr(decoder, "session", Counting())
    decoder(states, most=MOST)
    assert passes == len(alone.tokens) + 1
    passes = 0
    decoder(states, alone.tokens[:4], alone.tokens[4:], most=MOST)
    assert passes == 1


def test_it_chooses_what_the_library_chooses_and_looks_where_it_looks(
    speech: SpeechModel, quick: QuickDecoder, states: FloatArray, alone: Decoded
) -> None:
    import ctranslate2

    silence = quick.silence[len(states) :]
    whole = np.concatenate([states, silence])[None]
    encoded = ctranslate2.StorageView.from_array(np.ascontiguousarray(whole))
    prompt = [*quick.tokenizer.sot_sequence, quick.tokenizer.no_timestamps]
    model = speech.whisper.model
    (told,) = model.model.generate(encoded, [prompt], beam_size=1, max_length=MOST)
    tokens = [token for token in told.sequences_ids[0] if token < quick.tokenizer.eot]
    assert quick.tokenizer.decode(list(alone.tokens)) == quick.tokenizer.decode(tokens)

    (parts,) = model.find_alignment(quick.tokenizer, [tokens], encoded, 2 * len(states))
    words = quick(states)
    ends = [float(part["end"]) for part in parts if part["word"].startswith(" ")]
    assert [word.end for word in words][:-1] == pytest.approx(ends[:-1], abs=0.12)
    likely = [float(part["probability"]) for part in parts if part["word"].startswith(" ")]
    assert [word.probability for word in words][:-1] == pytest.approx(likely[:-1], abs=0.15)


def test_shorter_sound_leaves_nothing_of_longer_sound(
    decoder: WordDecoder, states: FloatArray, alone: Decoded
) -> None:
    short = states[: 3 * STATE_RATE]
    first = decoder(short, most=MOST)
    same(decoder(states, most=MOST), alone)
    same(decoder(short, most=MOST), first)


def test_no_more_tokens_are_chosen_than_are_asked_for(
    decoder: WordDecoder, states: FloatArray, alone: Decoded
) -> None:
    for expected in ((), alone.tokens):
        assert decoder(states, (), expected, most=3).tokens == alone.tokens[:3]
    assert decoder.positions == POSITIONS


def test_a_phrase_for_the_third_time_is_the_end() -> None:
    assert runs_on([5, 1, 1, 1])
    assert runs_on([7, 1, 2, 1, 2, 1, 2])
    assert not runs_on([1, 1])
    assert not runs_on([1, 2, 1, 2, 1, 3])


def test_a_folder_without_a_decoder_is_named(models: Models, tmp_path: Path) -> None:
    silence = np.zeros((POSITIONS, 384), np.float32)
    source = models("whisper-tiny.en")
    for number, config in enumerate(("", "{}", '{"alignment_heads": [[1, 0]]}', "[]")):
        folder = tmp_path / str(number)
        folder.mkdir()
        shutil.copy(source / "model.bin", folder)
        (folder / "config.json").write_text(config, encoding="utf-8")
        with pytest.raises(ModelFileError, match=rf"{number} has no decoder"):
            WordDecoder(folder, silence, [0], 1)
