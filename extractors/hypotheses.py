"""Which words of a hypothesis may be relied on. Pure functions."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

__all__ = ["HeardWord", "agreed", "before_silence", "ends_sentence", "plain", "without_repetition"]

SHORTEST = 0.06
"""Seconds that a last word needs at least."""
LONGEST_LOOP = 12
"""Words of the longest phrase that is looked at for repetition."""
LOOP = 3
"""A phrase of so many words or more is not said twice in a row; a shorter one not three times."""


@dataclass(frozen=True, slots=True)
class HeardWord:
    """A word of a hypothesis; `start` and `end` in seconds from the first sample.

    `tokens` are those of the speech model, `marks` those of the punctuation behind them.
    """

    text: str
    tokens: tuple[int, ...]
    start: float
    end: float
    probability: float
    marks: tuple[int, ...] = ()

    def followed_by(self, text: str, tokens: tuple[int, ...]) -> "HeardWord":
        """The word with punctuation behind it."""
        return replace(self, text=self.text + text, marks=self.marks + tokens)

    @property
    def all_tokens(self) -> tuple[int, ...]:
        return self.tokens + self.marks


def plain(text: str) -> str:
    """The word without case and punctuation, for comparison."""
    return re.sub(r"[^\w']", "", text.lower())


def ends_sentence(text: str) -> bool:
    """Whether the word closes a sentence."""
    return text.rstrip("\"')").endswith((".", "?", "!"))


def agreed(before: Sequence[HeardWord], now: Sequence[HeardWord]) -> int:
    """How many first words two successive hypotheses have in common.

    Local agreement (Liu et al. 2020, LA-2): what a longer look does not change is settled.
    """
    count = 0
    for one, other in zip(before, now, strict=False):
        if plain(one.text) != plain(other.text):
            break
        count += 1
    return count


def before_silence(words: Sequence[HeardWord], silence: float) -> list[HeardWord]:
    """The words up to the first that begins where nobody speaks any more, or the sound has ended.

    The alignment puts words there that were not said.
    """
    kept = len(words)
    while kept and words[kept - 1].start >= silence - SHORTEST:
        kept -= 1
    return list(words[:kept])


def without_repetition(
    words: Sequence[HeardWord], before: Sequence[HeardWord] = ()
) -> list[HeardWord]:
    """The words up to where the model began to repeat itself.

    Of a phrase of three words or more that comes twice in a row, the first is kept, and of a
    shorter one that comes three times: unless it takes at least half as long each time, for then it
    was said again. The alignment leaves no time for words that are in the text alone. `before` are
    the words in front of them, which stay.
    """
    everything = [*before, *words]
    texts = [plain(word.text) for word in everything]
    kept = len(texts)
    for end in range(len(before) + 1, len(texts) + 1):
        for size in range(1, min(LONGEST_LOOP, end // 2) + 1):
            times = 2 if size >= LOOP else 3
            first = end - size * times
            if first < 0 or texts[first:end] != texts[end - size : end] * times:
                continue
            once = _lasts(everything[first : first + size])
            if _lasts(everything[first + size : end]) < (times - 1) * once / 2:
                kept = first + size
                break
        else:
            continue
        break
    return list(words[: max(0, kept - len(before))])


def _lasts(words: Sequence[HeardWord]) -> float:
    return words[-1].end - words[0].start
