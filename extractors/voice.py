"""How something is said: states of an encoder of speech and prosody, ten times a second."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from extractors.features import SAMPLE_RATE, FloatArray, Utterances, VoiceFeatures
from extractors.prosody import prosody
from extractors.spectrogram import STATE_RATE
from extractors.stream import SECOND, Sample
from extractors.voice_model import VoiceModel

__all__ = ["STEP", "VoiceStage", "open_voice_stage", "pool_states"]

STEP = SECOND // 10
"""Nanoseconds per sample of the voice; steps lie on whole tenths of session time."""


def pool_states(states: FloatArray, first: int) -> dict[int, FloatArray]:
    """Mean of `states` float32 [n, width] at 50 Hz in each step: step number to float32 [width].

    `first` is the session time of the first state in nanoseconds. A state belongs to the step in
    which its middle lies; steps without a state are left out.
    """
    period = SECOND // STATE_RATE
    steps = (first + period // 2 + period * np.arange(len(states), dtype=np.int64)) // STEP
    return {int(step): states[steps == step].mean(axis=0) for step in np.unique(steps)}


class VoiceStage:
    """Pieces of sound to `VoiceFeatures`, one for each tenth of a second, spoken or not."""

    def __init__(self, model: VoiceModel) -> None:
        self._model = model

    def process(self, sample: Sample[Utterances]) -> Iterator[Sample[VoiceFeatures]]:
        samples = sample.data.samples
        states: dict[int, FloatArray] = {}
        for start, end in sample.data.spoken:
            start -= start % STEP
            begin = max(0, _samples(start - sample.start))
            heard = samples[begin : _samples(end - sample.start)]
            since = sample.start + begin * SECOND // SAMPLE_RATE
            states.update(pool_states(self._model.states(heard), since))
        lead = _samples(sample.start % STEP)
        rows = prosody(np.pad(samples, (lead, 0)))
        origin = sample.start - sample.start % STEP
        for index, row in enumerate(rows):
            start = origin + index * STEP
            end = start + STEP
            features = VoiceFeatures(row, states.get(start // STEP))
            yield Sample("voice", start, end, sample.published, features)

    def finish(self) -> Iterator[Sample[VoiceFeatures]]:
        return iter(())


def _samples(duration: int) -> int:
    return duration * SAMPLE_RATE // SECOND


@contextmanager
def open_voice_stage(model: Callable[[], VoiceModel]) -> Iterator[VoiceStage]:
    """The stage; the model is shared and stays with whoever gives it."""
    yield VoiceStage(model())
