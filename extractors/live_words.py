"""Words while they are spoken: what two successive hypotheses agree on is committed."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from extractors.features import SAMPLE_RATE, FloatArray
from extractors.hypotheses import (
    HeardWord,
    agreed,
    before_silence,
    ends_sentence,
    plain,
    without_repetition,
)
from extractors.speech import LEAST_PROBABILITY

__all__ = ["Heard", "LiveWords"]

Encoder = Callable[[int], FloatArray]
"""The sound from a sample on to encoder states [n, width]."""
Decoder = Callable[[FloatArray, Sequence[int], Sequence[int]], list[HeardWord]]
"""Encoder states [n, width], tokens that they begin with and tokens that may follow, to the words
after the former."""

EDGE = 0.3
"""Seconds before the end of the sound in which a word may still turn out to be a longer one."""
CERTAIN = 0.5
PATIENCE = 0.9
"""A word less probable than `CERTAIN` needs so many seconds of sound behind it."""
COMFORTABLE = 5 * SAMPLE_RATE
"""Sound beyond this is cut off in front at the end of a committed sentence or in a pause."""
LONGEST = 9 * SAMPLE_RATE
"""Sound is never longer than this when a pass begins: beyond, it is cut after any word."""
REST = 3 * SAMPLE_RATE // 2
"""Sound that a cut leaves."""
GAP = 0.3
"""Seconds between committed words that are a pause."""
UNREAD = SAMPLE_RATE
"""So much speech after a pause without a word that was said in it is read on its own. Less sound
without what was said before it is often read as words of thanks."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A word at its place: `start` and `end` in samples of the run of sound."""

    text: str
    start: int
    end: int
    probability: float


class LiveWords:
    """The growing sound since a pause, what is committed of it, and the last hypothesis."""

    def __init__(self) -> None:
        self.begin: int | None = None
        """First sample that is still listened to; None while nobody speaks."""
        self._committed: list[HeardWord] = []  # of the present sound, in seconds of the run
        self._before: list[HeardWord] = []
        self._resumed: int | None = None  # where speech goes on of which no word is committed yet

    def open(self, at: int) -> None:
        """Listen from sample `at` on."""
        self.begin = at
        self._committed, self._before = [], []
        self._resumed = None

    def resume(self, at: int) -> None:
        """Somebody speaks again from sample `at` on, after a pause that committed all before."""
        self._resumed = at

    def close(self) -> None:
        """Nobody speaks; forget the sound."""
        self.begin = None

    def hear(
        self, encode: Encoder, decode: Decoder, now: int, silence: int, spoken: int, *, final: bool
    ) -> tuple[list[Heard], tuple[Heard, ...]]:
        """One pass over the sound from `begin` to sample `now`.

        Nobody speaks from sample `silence` on, which is `now` if somebody still does; since the
        last pause `spoken` samples are speech.
        Returns the words that are committed by it and those that remain tentative. `final`: a pause
        follows, nothing remains tentative.
        """
        words = self._read(encode, decode, silence)
        resumed = self._resumed
        nothing = not words or (resumed is not None and words[0].end * SAMPLE_RATE <= resumed)
        if resumed is not None and nothing and spoken >= UNREAD:
            # a sentence and a pause look to the model like the end of all, or it says them again
            self.open(resumed)
            words = self._read(encode, decode, silence)
        count = len(words) if final else self._reliable(words, now)
        if count:
            self._resumed = None
        committed = self._commit(words[:count], last=count == len(words))
        self._before = words[count:]
        likely = (word for word in self._before if word.probability >= LEAST_PROBABILITY)
        return committed, tuple(_placed(word) for word in likely)

    def cut(self, now: int) -> None:
        """Let go of the front of the sound if it has grown long."""
        if self.begin is None or now - self.begin <= COMFORTABLE:
            return
        place = self._place(now)
        if place is None:
            return
        self.begin = place
        self._committed = [word for word in self._committed if word.start * SAMPLE_RATE >= place]

    def _read(self, encode: Encoder, decode: Decoder, silence: int) -> list[HeardWord]:
        """The words after those that are committed, in seconds of the run."""
        assert self.begin is not None
        said = [token for word in self._committed for token in word.all_tokens]
        expected = [token for word in self._before for token in word.all_tokens]
        offset = self.begin / SAMPLE_RATE
        words = [
            replace(word, start=word.start + offset, end=word.end + offset)
            for word in decode(encode(self.begin), said, expected)
        ]
        words = before_silence(self._joined(words), silence / SAMPLE_RATE)
        return without_repetition(words, self._committed)

    def _joined(self, words: list[HeardWord]) -> list[HeardWord]:
        """The words without leading punctuation, which joins the last committed word unseen."""
        while words and not plain(words[0].text):
            if self._committed:
                last = self._committed[-1].followed_by(words[0].text, words[0].tokens)
                self._committed[-1] = last
            words = words[1:]
        return words

    def _reliable(self, words: Sequence[HeardWord], now: int) -> int:
        count = agreed(self._before, words)
        end = now / SAMPLE_RATE
        for index, word in enumerate(words[:count]):
            behind = EDGE if word.probability >= CERTAIN else PATIENCE
            if word.end > end - behind:
                return index
        return count

    def _commit(self, words: Sequence[HeardWord], *, last: bool) -> list[Heard]:
        """Take the words over. Of the `last` that were heard the punctuation is a mere guess."""
        self._committed += words
        if last and words:
            self._committed[-1] = replace(words[-1], marks=())
        return [_placed(word) for word in words if word.probability >= LEAST_PROBABILITY]

    def _place(self, now: int) -> int | None:
        """Where to cut: after the last sentence, else in the last pause, else after a word."""
        assert self.begin is not None
        latest = (now - REST) / SAMPLE_RATE
        words = self._committed
        pairs = [(one, other) for one, other in itertools.pairwise(words) if other.start <= latest]
        sentences = [pair for pair in pairs if ends_sentence(pair[0].text)]
        pauses = [pair for pair in pairs if pair[1].start - pair[0].end >= GAP]
        late = now - self.begin > LONGEST
        for choice in (sentences, pauses, pairs if late else []):
            if choice:
                one, other = choice[-1]
                return round((one.end + max(one.end, other.start)) / 2 * SAMPLE_RATE)
        return now - REST if late else None


def _placed(word: HeardWord) -> Heard:
    start, end = round(word.start * SAMPLE_RATE), round(word.end * SAMPLE_RATE)
    return Heard(word.text, start, max(start, end), word.probability)
