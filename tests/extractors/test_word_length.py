"""No word without a duration."""

import pytest

from extractors.speech import with_length


def test_a_word_without_time_borrows_from_the_pause_before_it() -> None:
    words = [("morning", 0.8, 1.3, 0.9), ("the", 1.54, 1.54, 0.9), ("station", 1.54, 2.0, 0.9)]
    assert with_length(words)[1] == ("the", pytest.approx(1.44), 1.54, 0.9)


def test_it_takes_no_more_than_is_free() -> None:
    words = [("a", 1.0, 1.5, 0.9), ("the", 1.54, 1.54, 0.9)]
    assert with_length(words)[1] == ("the", 1.5, 1.54, 0.9)


def test_without_a_pause_it_ends_later() -> None:
    words = [("a", 1.0, 1.54, 0.9), ("the", 1.54, 1.54, 0.9)]
    assert with_length(words)[1] == ("the", 1.54, pytest.approx(1.56), 0.9)


def test_other_words_stay_as_they_are() -> None:
    words = [("a", 1.0, 1.5, 0.9), ("b", 1.5, 1.9, 0.8)]
    assert with_length(words) == words
