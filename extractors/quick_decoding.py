"""Words from an unpadded encoder pass, as right as padded ones and many times cheaper."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from extractors.features import SAMPLE_RATE, FloatArray
from extractors.hypotheses import HeardWord, plain
from extractors.spectrogram import STATE_RATE
from extractors.speech import SpeechModel
from extractors.word_decoder import WordDecoder
from extractors.word_times import token_starts

__all__ = ["QuickDecoder"]

POSITIONS = 1500
"""States of the 30 s that the decoder was trained to look at."""
TOKENS_PER_SECOND = 8
"""More than anyone says; with `MARGIN`, the bound for a model that repeats itself."""
MARGIN = 12


class QuickDecoder:
    """Whisper's decoder over states of short sound, followed by the states of silence.

    Whisper is trained on 30 s, so a decoder that sees the states of 3 s alone does not know that
    they are all, and says everything again. Encoding 27 s of silence each time would cost most of
    the pass. Here silence is encoded once, and its states at the positions that the sound leaves
    free are put behind those of the sound (benchmarks/quick_decoding.py measures both). It is
    computed on the CPU; one thread at a time may use it.
    """

    def __init__(self, speech: SpeechModel) -> None:
        """Load the decoder of the same model. Raises ModelFileError if it has none."""
        from faster_whisper.tokenizer import Tokenizer

        whisper = speech.whisper.model
        self.tokenizer: Any = Tokenizer(
            whisper.hf_tokenizer,
            whisper.model.is_multilingual,
            "transcribe",
            speech.language or "en",
        )
        tokenizer = self.tokenizer
        features = speech.feature_extractor(np.zeros(0, np.float32))[:, : 2 * POSITIONS]
        padding = ((0, 0), (0, 2 * POSITIONS - features.shape[1]))
        self.silence = speech.encode_features(np.pad(features, padding, mode="edge"))
        self.decoder = WordDecoder(
            speech.folder,
            silence=self.silence,
            prompt=[*tokenizer.sot_sequence, tokenizer.no_timestamps],
            end=tokenizer.eot,
        )

    def __call__(
        self, states: FloatArray, said: Sequence[int] = (), expected: Sequence[int] = ()
    ) -> list[HeardWord]:
        """Words of sound with encoder states float32 [n, width], n <= 1500, at 50 Hz.

        `said` are tokens of words that it certainly begins with: only the words after them are
        given. Punctuation that follows `said` at once comes as a word of its own. `expected` are
        tokens that probably follow; they change the time it takes, and nothing else.
        """
        if len(states) == 0:
            return []
        most = max(MARGIN, _most(len(states)) - len(said))
        decoded = self.decoder(states, said, expected, most=most)
        if len(decoded.tokens) == len(said):
            return []
        starts = token_starts(decoded.attention, len(states)) / STATE_RATE
        end = self.tokenizer.eot
        texts, tokens = self.tokenizer.split_to_word_tokens([*decoded.tokens, end])
        words: list[HeardWord] = []
        bounds = itertools.pairwise(itertools.accumulate(map(len, tokens), initial=0))
        for raw, (first, until) in zip(texts[:-1], bounds, strict=False):
            if until <= len(said):
                continue
            if first < len(said):  # more of a word of which the beginning was said
                first, raw = len(said), self.tokenizer.decode(decoded.tokens[len(said) : until])
            own = decoded.tokens[first:until]
            start, finish = float(starts[first]), float(starts[until])
            probability = float(decoded.probabilities[first:until].mean())
            text = raw.strip()
            if words and not raw.startswith(" "):
                if plain(text):  # "D" and ".C." are one word
                    last = words[-1]
                    words[-1] = HeardWord(
                        last.text + text,
                        last.all_tokens + own,
                        last.start,
                        finish,
                        min(last.probability, probability),
                    )
                else:
                    words[-1] = words[-1].followed_by(text, own)
            else:
                words.append(HeardWord(text, own, start, finish, probability))
        return words

    def text(self, states: FloatArray, samples: int, silence: int = POSITIONS) -> str:
        """What is said in so many samples, with at most `silence` states of silence behind.

        For measuring: `__call__` uses all there are.
        """
        length = -(-samples * STATE_RATE // SAMPLE_RATE)
        decoded = self.decoder(states, most=_most(length), silence=silence)
        text: str = self.tokenizer.decode(list(decoded.tokens))
        return text


def _most(length: int) -> int:
    """Tokens that so many states of sound may have."""
    return MARGIN + TOKENS_PER_SECOND * length // STATE_RATE
