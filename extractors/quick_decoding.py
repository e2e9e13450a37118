"""Words from an unpadded encoder pass, as right as padded ones and many times cheaper."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from extractors.features import SAMPLE_RATE, FloatArray
from extractors.hypotheses import HeardWord, plain
from extractors.speech import STATE_RATE, SpeechModel

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
    free are put behind those of the sound (benchmarks/quick_decoding.py measures both).
    """

    def __init__(self, speech: SpeechModel) -> None:
        import ctranslate2
        from faster_whisper.tokenizer import Tokenizer

        self._storage: Any = ctranslate2.StorageView
        self._speech = speech
        whisper = speech.whisper.model
        self._tokenizer: Any = Tokenizer(
            whisper.hf_tokenizer,
            whisper.model.is_multilingual,
            "transcribe",
            speech.language or "en",
        )
        tokenizer = self._tokenizer
        self._prompt: list[int] = [*tokenizer.sot_sequence, tokenizer.no_timestamps]
        features = speech.feature_extractor(np.zeros(0, np.float32))[:, : 2 * POSITIONS]
        padding = ((0, 0), (0, 2 * POSITIONS - features.shape[1]))
        self._silence = speech.encode_features(np.pad(features, padding, mode="edge"))

    def __call__(self, states: FloatArray, said: Sequence[int] = ()) -> list[HeardWord]:
        """Words of sound with encoder states float32 [n, width], n <= 1500, at 50 Hz.

        `said` are tokens of words that it certainly begins with: they are not decoded again, and
        only the words after them are given. Punctuation that follows `said` at once comes as a word
        of its own.
        """
        if len(states) == 0:
            return []
        return self._speech.whisper(lambda whisper: self._words(whisper, states, said))

    def _words(self, whisper: Any, states: FloatArray, said: Sequence[int]) -> list[HeardWord]:
        count = len(states)
        encoded, sequence = self._decoded(whisper, states, said, count, POSITIONS)
        eot = self._tokenizer.eot
        tokens = [token for token in sequence if token < eot]
        if len(tokens) <= len(said):  # what was said is given back in front
            return []
        (parts,) = whisper.find_alignment(self._tokenizer, [tokens], encoded, 2 * count)
        words: list[HeardWord] = []
        position = 0
        for part in parts:
            position += len(part["tokens"])
            if position <= len(said):
                continue
            own = tuple(part["tokens"])
            start, end = float(part["start"]), float(part["end"])
            probability = float(part["probability"])
            text = part["word"].strip()
            if words and not part["word"].startswith(" "):
                if plain(text):  # "D" and ".C." are one word
                    last = words[-1]
                    words[-1] = HeardWord(
                        last.text + text,
                        last.all_tokens + own,
                        last.start,
                        end,
                        min(last.probability, probability),
                    )
                else:
                    words[-1] = words[-1].followed_by(text, own)
            else:
                words.append(HeardWord(text, own, start, end, probability))
        return words

    def text(self, states: FloatArray, samples: int, silence: int = POSITIONS) -> str:
        """What is said in so many samples, with at most `silence` states of silence behind.

        For measuring: `__call__` uses all there are.
        """
        length = -(-samples * STATE_RATE // SAMPLE_RATE)
        whisper = self._speech.whisper.model
        _, sequence = self._decoded(whisper, states, (), length, silence)
        text: str = self._tokenizer.decode(sequence)
        return text

    def _decoded(
        self,
        whisper: Any,
        states: FloatArray,
        said: Sequence[int],
        length: int,
        silence: int,
    ) -> tuple[Any, list[int]]:
        """The states that the decoder saw, and its tokens for `length` states of sound."""
        behind = self._silence[len(states) : len(states) + silence]
        whole = np.concatenate([states, behind])[None, :POSITIONS]
        encoded = self._storage.from_array(np.ascontiguousarray(whole))
        prompt = [*self._prompt, *said]
        bound = len(prompt) + MARGIN + TOKENS_PER_SECOND * length // STATE_RATE
        result = whisper.model.generate(encoded, [prompt], beam_size=1, max_length=bound)
        return encoded, list(result[0].sequences_ids[0])
