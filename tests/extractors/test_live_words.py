"""Which words are committed while the sound grows, and where it is cut; hypotheses made by hand."""

from collections.abc import Sequence

import numpy as np
import pytest

from extractors.features import SAMPLE_RATE, FloatArray
from extractors.hypotheses import HeardWord
from extractors.live_words import COMFORTABLE, LONGEST, REST, UNREAD, Heard, LiveWords


def encode(_: int) -> FloatArray:
    return np.zeros((1, 1), np.float32)


class Speech:
    """What is said, word by word, to a `LiveWords` that listens to it from sample `begin` on."""

    def __init__(self, words: Sequence[HeardWord], begin: int = 0) -> None:
        self.said = list(words)
        self.live = LiveWords()
        self.live.open(begin)
        self.expected: list[int] = []

    def decode(self, _: object, said: Sequence[int], expected: Sequence[int]) -> list[HeardWord]:
        """All words after those with the tokens `said`, in seconds of the present sound."""
        self.expected = list(expected)
        assert self.live.begin is not None
        offset = self.live.begin / SAMPLE_RATE
        after = max(said, default=-1)
        left = [w for w in self.said if w.tokens[0] > after and w.start >= offset - 1e-9]
        return [
            HeardWord(w.text, w.tokens, w.start - offset, w.end - offset, w.probability)
            for w in left
        ]

    def hear(self, seconds: float, *, final: bool = False) -> tuple[list[str], list[str]]:
        """A pass over the sound up to then: committed and tentative words."""
        everything, now = self.said, round(seconds * SAMPLE_RATE)
        self.said = [word for word in everything if word.start < seconds]
        committed, tentative = self.live.hear(encode, self.decode, now, now, now, final=final)
        self.said = everything
        return texts(committed), texts(tentative)

    def begins_after_cut(self, seconds: float) -> float:
        self.live.cut(round(seconds * SAMPLE_RATE))
        assert self.live.begin is not None
        return self.live.begin / SAMPLE_RATE


def texts(words: Sequence[Heard]) -> list[str]:
    return [word.text for word in words]


def spoken(
    text: str, *, length: float = 0.5, pause_after: str = "", pause: float = 0.5
) -> list[HeardWord]:
    """The words of `text`, each so long; a pause follows the word `pause_after`."""
    words, at = [], 0.0
    for number, word in enumerate(text.split()):
        words.append(HeardWord(word, (number,), at, at + length, 0.9))
        at += length + (pause if word == pause_after else 0.0)
    return words


def test_a_word_needs_two_hypotheses_and_sound_behind_it() -> None:
    speech = Speech(spoken("one two three"))
    assert speech.hear(1.0) == ([], ["one", "two"])
    assert speech.hear(1.2) == (["one"], ["two", "three"])
    assert speech.hear(1.25) == ([], ["two", "three"])
    assert speech.hear(1.35) == (["two"], ["three"])


def test_tentative_words_are_expected_again() -> None:
    speech = Speech(spoken("one two three"))
    speech.hear(1.0)
    assert speech.expected == []
    speech.hear(1.2)
    assert speech.expected == [0, 1]
    speech.hear(1.25)
    assert speech.expected == [1, 2]


def test_an_unlikely_word_waits_longer() -> None:
    unsure = [HeardWord("one", (0,), 0.0, 0.5, 0.3)]
    speech = Speech(unsure)
    assert speech.hear(1.0) == ([], ["one"])
    assert speech.hear(1.35) == ([], ["one"])
    assert speech.hear(1.45) == (["one"], [])


def test_a_pause_commits_everything_at_once() -> None:
    speech = Speech(spoken("one two three"))
    assert speech.hear(1.6, final=True) == (["one", "two", "three"], [])


def after_a_pause(reading: Sequence[HeardWord], speech: int) -> tuple[list[str], int | None]:
    """What is committed, and where listening begins then, after two words and a pause, when from
    second 3 on there are so many samples of speech: read so behind what was said before, and as
    "four" without it."""
    live = LiveWords()
    live.open(0)
    before = spoken("one two")
    live.hear(encode, lambda *_: before, SAMPLE_RATE, SAMPLE_RATE, 0, final=True)
    live.resume(3 * SAMPLE_RATE)

    def decode(_: FloatArray, said: Sequence[int], *_expected: object) -> list[HeardWord]:
        return list(reading) if said else [HeardWord("four", (9,), 0.2, 0.7, 0.9)]

    now = 5 * SAMPLE_RATE
    committed, _ = live.hear(encode, decode, now, now, speech, final=True)
    return texts(committed), live.begin


def test_speech_after_a_pause_is_read_on_its_own_if_nothing_is_found_in_it() -> None:
    assert after_a_pause([], UNREAD) == (["four"], 3 * SAMPLE_RATE)
    assert after_a_pause([], UNREAD - 1) == ([], 0)
    said_again = [HeardWord("one", (0,), 1.5, 1.5, 0.9), HeardWord("two", (1,), 1.5, 3.4, 0.9)]
    assert after_a_pause(said_again, UNREAD) == (["four"], 3 * SAMPLE_RATE)
    heard = [HeardWord("three", (2,), 2.9, 3.5, 0.9)]
    assert after_a_pause(heard, UNREAD) == (["three"], 0)


def test_once_something_is_found_after_a_pause_the_sound_stays() -> None:
    live = LiveWords()
    live.open(0)
    live.resume(SAMPLE_RATE)
    word = [HeardWord("one", (0,), 1.0, 1.5, 0.9)]
    assert live.hear(encode, lambda *_: word, 32_000, 32_000, UNREAD, final=True)[0]
    assert live.hear(encode, lambda *_: [], 48_000, 48_000, UNREAD, final=False) == ([], ())
    assert live.begin == 0


def listened(text: str, seconds: float, **gaps: float | str) -> Speech:
    """All words of `text` are committed but those of the last moments."""
    speech = Speech(spoken(text, **gaps))  # type: ignore[arg-type]
    for _ in range(2):
        speech.hear(seconds)
    return speech


NUMBERS = " ".join(f"w{i}" for i in range(40))


def test_short_sound_is_not_cut() -> None:
    speech = listened(NUMBERS.replace("w5 ", "w5. "), COMFORTABLE / SAMPLE_RATE)
    assert speech.begins_after_cut(COMFORTABLE / SAMPLE_RATE) == 0


def test_long_sound_is_cut_after_the_last_sentence() -> None:
    text = NUMBERS.replace("w3 ", "w3. ").replace("w5 ", "w5. ")
    assert listened(text, 8.0).begins_after_cut(8.0) == pytest.approx(3.0)


def test_a_sentence_goes_before_a_pause_and_a_pause_before_any_word() -> None:
    both = listened(NUMBERS.replace("w3 ", "w3. "), 8.0, pause_after="w7")
    assert both.begins_after_cut(8.0) == pytest.approx(2.0)
    pause = listened(NUMBERS, 8.0, pause_after="w7", pause=0.4)
    assert pause.begins_after_cut(8.0) == pytest.approx(4.2)  # the middle of the pause


def test_sound_without_a_place_to_cut_is_kept_until_it_is_too_long() -> None:
    speech = listened(NUMBERS, 8.9)
    assert speech.begins_after_cut(8.9) == 0
    late = LONGEST / SAMPLE_RATE + 0.1
    assert speech.begins_after_cut(late) == pytest.approx(7.5)  # leaves what a cut leaves and more


def test_sound_without_committed_words_is_cut_when_it_is_too_long() -> None:
    speech = Speech([])
    assert speech.begins_after_cut(LONGEST / SAMPLE_RATE) == 0
    assert speech.begins_after_cut(13.0) == pytest.approx(13.0 - REST / SAMPLE_RATE)


def test_after_a_cut_words_go_on_where_they_were() -> None:
    speech = listened(NUMBERS.replace("w5 ", "w5. "), 8.0)
    assert speech.begins_after_cut(8.0) == pytest.approx(3.0)
    committed, tentative = speech.hear(8.5)
    assert committed + tentative == ["w15", "w16"]
    committed, _ = speech.live.hear(encode, speech.decode, 160_000, 160_000, 0, final=True)
    assert committed[0].start == 8 * SAMPLE_RATE
    assert speech.live.begin == 3 * SAMPLE_RATE


def test_however_long_someone_speaks_the_sound_stays_short() -> None:
    speech = Speech(spoken(" ".join(f"w{i}" for i in range(1200))))
    heard: list[str] = []
    for tenth in range(5, 6000, 5):
        heard += speech.hear(tenth / 10)[0]
        begin = speech.begins_after_cut(tenth / 10)
        assert tenth / 10 - begin <= LONGEST / SAMPLE_RATE
    assert heard == [f"w{i}" for i in range(len(heard))]
    assert len(heard) > 1190
