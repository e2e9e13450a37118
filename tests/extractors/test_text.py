"""Words as states in their context, and how far back the context goes."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from assets.errors import ModelFileError
from extractors.features import TEXT_LAYERS, TEXT_STATES, TextContext, Word
from extractors.stream import SECOND, Sample
from extractors.text import (
    CONTEXT_SPAN,
    CONTEXT_WORDS,
    MOST_TOKENS,
    TextEncoder,
    TextStage,
    open_text_stage,
    output_of,
)

FloatArray = npt.NDArray[np.float32]


@pytest.fixture(scope="module")
def encoder(models: Callable[[str], Path]) -> TextEncoder:
    return TextEncoder(models("minilm/model.onnx"), models("minilm/tokenizer.json"))


def alike(one: FloatArray, other: FloatArray) -> float:
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


def test_every_word_has_a_state(encoder: TextEncoder) -> None:
    states = encoder(["I", "am", "unbelievably", "happy!"])
    assert states.shape == (4, TEXT_STATES)
    assert states.dtype == np.float32
    assert (np.linalg.norm(states, axis=1) > 0.1).all()
    assert encoder([]).shape == (0, TEXT_STATES)


def test_a_state_is_the_mean_over_the_tokens_of_the_word(encoder: TextEncoder) -> None:
    words = ["so", "unbelievably", "good"]
    encoding = encoder._tokenizer.encode(words, is_pretokenized=True)
    assert encoding.tokens[0] == "[CLS]"
    assert encoding.word_ids.count(1) > 1  # this word has several tokens
    ids = np.array([encoding.ids], np.int64)
    inputs = {"input_ids": ids, "attention_mask": ids * 0 + 1, "token_type_ids": ids * 0}
    outputs = [output_of(layer) for layer in TEXT_LAYERS]
    hidden = np.concatenate(encoder._session.model.run(outputs, inputs), axis=-1)[0]
    for number, state in enumerate(encoder(words)):
        own = hidden[[word == number for word in encoding.word_ids]]
        assert state == pytest.approx(own.mean(axis=0), abs=1e-5)


def test_layers_stand_side_by_side_and_the_last_is_what_the_file_itself_gives(
    models: Callable[[str], Path],
) -> None:
    files = models("minilm/model.onnx"), models("minilm/tokenizer.json")
    words = ["quite", "so"]
    both, last = TextEncoder(*files, layers=(4, 6))(words), TextEncoder(*files, layers=(6,))(words)
    assert last.shape == (2, 384)
    np.testing.assert_allclose(both[:, 384:], last, atol=1e-5)
    assert not np.allclose(both[:, :384], last, atol=0.1)


def test_a_word_means_what_its_neighbours_make_of_it(encoder: TextEncoder) -> None:
    water = encoder(["he", "sat", "on", "the", "grassy", "bank", "of", "the", "river"])[5]
    shore = encoder(["he", "sat", "on", "the", "sandy", "bank", "of", "the", "stream"])[5]
    money = encoder(["she", "put", "her", "money", "in", "a", "bank", "account"])[6]
    assert alike(water, shore) > alike(water, money) + 0.1


def test_a_word_without_a_token_has_a_zero_row(encoder: TextEncoder) -> None:
    states = encoder(["good", "", "day"])
    assert not states[1].any()
    assert states[2].any()
    assert np.array_equal(states[[0, 2]], encoder(["good", "day"]))


def test_of_more_than_the_network_takes_the_last_are_read(encoder: TextEncoder) -> None:
    """The speech model may repeat itself without end, in one word or in many."""
    states = encoder(["lost", "!" * (2 * MOST_TOKENS), "so", "good"])
    assert np.isfinite(states).all()
    assert not states[0].any()
    assert (np.linalg.norm(states[1:], axis=1) > 0.1).all()
    just_full = encoder(["!" * (MOST_TOKENS - 3), "good"])
    assert just_full.all(axis=1).all()
    assert encoder(["a" * 100] * CONTEXT_WORDS)[-1].any()


@pytest.mark.parametrize("damaged", ["model", "tokenizer"])
def test_damaged_files_are_named(
    models: Callable[[str], Path], tmp_path: Path, damaged: str
) -> None:
    bad = tmp_path / "bad"
    bad.write_bytes(b"{")
    model = bad if damaged == "model" else models("minilm/model.onnx")
    tokenizer = bad if damaged == "tokenizer" else models("minilm/tokenizer.json")
    with pytest.raises(ModelFileError, match=r"cannot be read .*run: affectscope models verify"):
        TextEncoder(model, tokenizer)


class Counting(TextEncoder):
    """Stands in for the encoder: the state of a word is its place in the context."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def __call__(self, words: Sequence[str]) -> FloatArray:
        self.asked.append(list(words))
        places = np.arange(len(words), dtype=np.float32)
        return np.repeat(places[:, None], TEXT_STATES, axis=1)


def word(text: str, end: int) -> Sample[Word | None]:
    return Sample("word", end - 10, end, 77, Word(text, end - 10, end, 0.9))


def contexts(given_in: Sequence[Sample[Word | None]]) -> list[list[str]]:
    with open_text_stage(Counting) as stage:
        given_out = [s for sample in given_in for s in stage.process(sample)]
        assert list(stage.finish()) == []
    return [[word.text for word in s.data.words] for s in given_out if s.data is not None]


def test_each_word_comes_with_those_before_it() -> None:
    stage = TextStage(Counting())
    (first,) = stage.process(word("so", 100))
    (second,) = stage.process(word("good", 200))
    assert (second.stream, second.start, second.end, second.published) == ("text", 190, 200, 77)
    assert isinstance(first.data, TextContext)
    assert isinstance(second.data, TextContext)
    assert [w.text for w in first.data.words] == ["so"]
    assert [w.text for w in second.data.words] == ["so", "good"]
    assert second.data.ends == (100, 200)
    assert second.data.states[:, 0].tolist() == [0, 1]


def test_a_context_is_no_longer_than_the_window() -> None:
    many = contexts([word(str(n), n * SECOND // 10) for n in range(1, CONTEXT_WORDS + 6)])
    assert [len(context) for context in many[-6:]] == [CONTEXT_WORDS] * 6
    assert many[-1] == [str(n) for n in range(6, CONTEXT_WORDS + 6)]


def test_words_older_than_the_window_are_left_out() -> None:
    end = 20 * SECOND
    olds = [word("gone", end - CONTEXT_SPAN), word("old", end - CONTEXT_SPAN + 1)]
    assert contexts([*olds, word("new", end)])[-1] == ["old", "new"]
    assert contexts([*olds, word("late", end + CONTEXT_SPAN)])[-1] == ["late"]


def test_that_time_has_passed_is_handed_on() -> None:
    encoder = Counting()
    stage = TextStage(encoder)
    list(stage.process(word("so", 100)))
    (heartbeat,) = stage.process(Sample("word", 500, 500, 77, None))
    assert heartbeat == Sample("text", 500, 500, 77, None)
    assert len(encoder.asked) == 1
    (after,) = stage.process(word("good", 600))
    assert after.data is not None
    assert [w.text for w in after.data.words] == ["so", "good"]
