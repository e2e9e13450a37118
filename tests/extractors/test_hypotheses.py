"""What successive readings agree on, and where a model begins to repeat itself."""

from dataclasses import replace

import pytest

from extractors.hypotheses import (
    HeardWord,
    agreed,
    before_silence,
    ends_sentence,
    without_repetition,
)


def heard(text: str) -> list[HeardWord]:
    return [HeardWord(word, (i,), i, i + 1, 1.0) for i, word in enumerate(text.split())]


def squashed(text: str, until: int) -> list[HeardWord]:
    """As the alignment has words that nobody said: no time is left after the first `until`."""
    return [
        word if i < until else replace(word, start=until, end=until)
        for i, word in enumerate(heard(text))
    ]


@pytest.mark.parametrize(
    ("before", "now", "count"),
    [
        ("", "so my", 0),
        ("so my fellow", "so my fellow Americans", 3),
        ("so my fellow", "So, my fellow.", 3),
        ("and so my", "so my fellow", 0),
        ("so my friend is", "so my fellow is", 2),
        ("so my", "", 0),
    ],
)
def test_the_common_beginning_is_agreed_whatever_its_case_and_points(
    before: str, now: str, count: int
) -> None:
    assert agreed(heard(before), heard(now)) == count


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("ask not what your country can do", "ask not what your country can do"),
        ("the door the door", "the door the door"),
        ("very very good", "very very good"),
        ("ask ask ask ask ask", "ask"),
        ("and so and so and so", "and so"),
        ("by the door by the door", "by the door"),
        ("kids are by the door Kids are by the door.", "kids are by the door"),
    ],
)
def test_a_phrase_that_comes_again_at_once_is_kept_once(said: str, kept: str) -> None:
    words = without_repetition(squashed(said, len(kept.split())))
    assert [word.text for word in words] == kept.split()


def test_what_is_said_again_in_its_own_time_stays() -> None:
    for said in ("no no no no", "kids are by the door Kids are by the door."):
        assert without_repetition(heard(said)) == heard(said)


def test_what_was_committed_stays_though_it_repeats() -> None:
    before = squashed("no no no no", 1)
    assert without_repetition(heard("yes"), before) == heard("yes")
    again = [replace(word, start=3, end=3) for word in heard("by the door")]
    assert without_repetition(again, heard("by the door")) == []


def test_words_in_the_silence_behind_speech_were_not_said() -> None:
    words = heard("so my fellow")
    assert before_silence(words, 3.0) == words
    assert before_silence(words, 2.5) == words
    assert before_silence(words, 2.0) == words[:2]
    assert before_silence([replace(word, start=9.0) for word in words], 3.0) == []


def test_sentences_end_in_a_point_a_question_or_an_exclamation() -> None:
    assert all(map(ends_sentence, ("door.", "you?", "not!", 'do."')))
    assert not any(map(ends_sentence, ("door", "door,", "")))
