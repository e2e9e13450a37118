"""Words from sound, and the encoder states that they are decoded from."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from assets.errors import ModelFileError
from extractors.features import FloatArray, Utterances, Word
from extractors.gpu_or_cpu import GaveWay, GpuOrCpu, ignore
from extractors.spectrogram import count_of_states, log_mel
from extractors.stream import Sample, from_seconds
from extractors.utterances import PADDING_MS, SILENCE_MS, THRESHOLD

__all__ = ["SpeechModel", "SpokenWord", "WordStage", "open_word_stage", "with_length"]

LEAST_PROBABILITY = 0.1
"""Words that the model itself holds for less likely than this are left out."""

SEED = 0
SHORTEST_WORD = 0.02
BORROWED = 0.1
"""Seconds, see `with_length`."""

SpokenWord = tuple[str, float, float, float]
"""Text, start and end in seconds from the first sample, probability."""


class SpeechModel:
    """Whisper through faster-whisper. Safe to share between threads.

    Words come from the usual pass over sound padded to 30 s: without padding it is several times
    faster, but on short clips it repeats phrases that nobody said twice
    (benchmarks/unpadded_words.py).
    """

    def __init__(
        self,
        folder: Path,
        *,
        threads: int = 1,
        language: str | None = "en",
        device: str = "cpu",
        compute_type: str = "int8",
        threads_on_cpu: int = 1,
        gave_way: GaveWay = ignore,
    ) -> None:
        """Load a CTranslate2 model folder. Raises ModelFileError if it is not one.

        `device` is "cpu" or "cuda"; a GPU that cannot take the model, or fails later, leaves it to
        the CPU, in int8 and with `threads_on_cpu`; `device` then says so, and `gave_way` why.
        """
        from ctranslate2 import set_random_seed
        from faster_whisper import WhisperModel
        from threadpoolctl import threadpool_limits

        if not (folder / "model.bin").is_file():
            raise ModelFileError(f"{folder} holds no speech model; run: affectscope models fetch")

        def load(on: str) -> Any:
            if on == device:
                kind, count = compute_type, threads
            else:
                kind, count = "int8", threads_on_cpu
            # Words that Whisper doubts are decoded again by sampling; without that a short clip may
            # become a phrase thirty times over (benchmarks/sampled_words.py). A model that begins
            # anew draws the same.
            set_random_seed(SEED)
            return WhisperModel(str(folder), device=on, compute_type=kind, cpu_threads=count)

        try:
            self.whisper: GpuOrCpu[Any] = GpuOrCpu(load, device, gave_way)
        except (RuntimeError, ValueError, OSError) as error:
            raise ModelFileError(
                f"the speech model in {folder} is damaged ({error}); run: affectscope models verify"
            ) from error
        # NumPy's threads would spin on a core that others need, long after each small product
        threadpool_limits(1, user_api="blas")
        self.folder = folder
        self.language = language

    @property
    def device(self) -> str:
        """Where words are decoded: "cpu" or "cuda"."""
        return self.whisper.device

    @property
    def compute_type(self) -> str:
        """The numbers in which CTranslate2 really computes."""
        return str(self.whisper.model.model.compute_type)

    @property
    def feature_extractor(self) -> Any:
        """faster-whisper's: float32 [n] at 16 kHz to a log-mel spectrogram, 100 a second."""
        return self.whisper.model.feature_extractor

    def words(self, samples: FloatArray) -> list[SpokenWord]:
        """Words spoken in `samples` float32 [n] at 16 kHz, in order; silence gives none.

        Voice activity detection is always on, so that nothing is invented where nobody speaks.
        """
        if len(samples) == 0:
            return []
        return self.whisper(lambda model: self._transcribed(model, samples))

    def _transcribed(self, model: Any, samples: FloatArray) -> list[SpokenWord]:
        segments, _ = model.transcribe(
            samples,
            language=self.language,
            beam_size=5,
            condition_on_previous_text=False,
            word_timestamps=True,
            vad_filter=True,
            vad_parameters={
                "threshold": THRESHOLD,
                "min_silence_duration_ms": SILENCE_MS,
                "speech_pad_ms": PADDING_MS,
            },
        )
        words: list[SpokenWord] = []
        for segment in segments:  # decoded only now
            for word in segment.words or ():
                if words and not word.word.startswith(" "):  # "D" and ".C." are one word
                    text, start, _, probability = words[-1]
                    least = min(probability, word.probability)
                    words[-1] = (text + word.word.strip(), start, word.end, least)
                elif word.word.strip():
                    words.append((word.word.strip(), word.start, word.end, word.probability))
        return with_length([word for word in words if word[3] >= LEAST_PROBABILITY])

    def encode(self, samples: FloatArray, *, silence: int = 0) -> FloatArray:
        """States of the last layer, from which words are decoded, of `samples` float32 [n], at most
        30 s, in one unpadded pass: float32 [ceil(n / 320), width].

        So many samples of `silence` are heard behind them, and their states left out.
        """
        spectrogram = log_mel(self.feature_extractor, samples, silence)
        return self.encode_features(spectrogram)[: count_of_states(len(samples))]

    def encode_features(self, features: FloatArray) -> FloatArray:
        """The same of a log-mel spectrogram float32 [80, 2 n]: float32 [n, width]."""
        from ctranslate2 import StorageView

        held = StorageView.from_array(np.ascontiguousarray(features[None], np.float32))
        # what lies on a GPU is no array
        encoded = self.whisper(lambda model: model.model.encode(held, to_cpu=True))
        states: FloatArray = np.asarray(encoded, np.float32)[0]
        return states


def with_length(words: Sequence[SpokenWord]) -> list[SpokenWord]:
    """The words, none shorter than 20 ms: the alignment gives some unstressed ones no time at all.

    Such a word begins up to 100 ms earlier, as far as the word before it lets it, or ends later.
    """
    result: list[SpokenWord] = []
    for text, start, end, probability in words:
        since, until = start, end
        if until - since < SHORTEST_WORD:
            free = result[-1][2] if result else 0.0
            since = min(since, max(free, until - BORROWED))
            until = max(until, since + SHORTEST_WORD)
        result.append((text, since, until, probability))
    return result


class WordStage:
    """Pieces of sound to words in the order in which they end, and None at the end of each piece.

    None says that no further word ends before: readers that wait for all streams need to know.
    """

    def __init__(self, model: SpeechModel) -> None:
        self._model = model
        self._last = 0

    def process(self, sample: Sample[Utterances]) -> Iterator[Sample[Word | None]]:
        spoken = self._model.words(sample.data.samples) if sample.data.spoken else []
        for text, start, end, probability in spoken:
            until = min(max(sample.start + from_seconds(end), self._last), sample.end)
            since = min(sample.start + from_seconds(start), until)
            self._last = until
            word = Word(text, since, until, probability)
            yield Sample("word", since, until, sample.published, word)
        yield Sample("word", sample.end, sample.end, sample.published, None)

    def finish(self) -> Iterator[Sample[Word | None]]:
        return iter(())


@contextmanager
def open_word_stage(model: Callable[[], SpeechModel]) -> Iterator[WordStage]:
    """The stage; the model is shared and stays with whoever gives it."""
    yield WordStage(model())
