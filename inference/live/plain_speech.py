"""Speech in short pieces through the stages of the analysis: the words come seconds late."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from extractors.features import AudioBlock
from extractors.speech import SpeechModel, WordStage
from extractors.stream import SECOND, Sample
from extractors.utterances import UtteranceStage
from extractors.voice import VoiceStage

__all__ = ["PlainSpeech", "open_plain_speech"]

PIECE = 3 * SECOND


class PlainSpeech:
    """Blocks of sound to "word" and "voice"; a gap ends the piece before it."""

    def __init__(self, model: SpeechModel) -> None:
        self.step = 0
        self._words, self._voice = WordStage(model), VoiceStage(model)
        self._pieces = UtteranceStage(PIECE)
        self._end: int | None = None

    def process(self, sample: Sample[AudioBlock]) -> Iterator[Sample[Any]]:
        if self._end is not None and abs(sample.start - self._end) > SECOND // 16_000:
            yield from self.finish()
        self._end = sample.end
        for piece in self._pieces.process(sample):
            yield from self._voice.process(piece)
            yield from self._words.process(piece)

    def finish(self) -> Iterator[Sample[Any]]:
        for piece in self._pieces.finish():
            yield from self._voice.process(piece)
            yield from self._words.process(piece)
        self._pieces = UtteranceStage(PIECE)


@contextmanager
def open_plain_speech(model: Callable[[], SpeechModel]) -> Iterator[PlainSpeech]:
    """The stage; the model is shared and stays with whoever gives it."""
    yield PlainSpeech(model())
