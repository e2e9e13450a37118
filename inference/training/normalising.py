"""What is fitted on the examples trained on: the normaliser, and how people are at rest."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from extractors.features import MODALITIES, FloatArray
from extractors.stream.window import Window, WindowSpec
from inference.checkpoint import Normaliser
from inference.training.configuration import TrainingSettings, size_of
from inference.training.examples import LABELS, Example
from inference.training.sequences import Sequences, fitted_normaliser

__all__ = ["normaliser_of_examples", "rest_of_examples", "rest_of_sequences"]


def normaliser_of_examples(
    known: Sequence[Example], spec: WindowSpec, settings: TrainingSettings
) -> Normaliser:
    """Of the valid steps of the items `known`; a modality that is not in use is left as it is."""
    fitted = Normaliser.fitted(
        {name: _windows_with(name, known, spec) for name in settings.modalities}
    )
    mean, deviation = dict(fitted.mean), dict(fitted.deviation)
    for name in set(MODALITIES) - set(settings.modalities):
        width = size_of(settings, name).features
        mean[name], deviation[name] = np.zeros(width, np.float32), np.ones(width, np.float32)
    return Normaliser(mean, deviation)


def rest_of_examples(known: Sequence[Example], spec: WindowSpec) -> dict[str, FloatArray]:
    """By modality, mean features [n] of the neutral voices and faces among `known`, real or made;
    what is said has no rest."""
    neutral = LABELS.index("neutral")
    found = {}
    for name in ("voice", "face"):
        at_rest = [e for e in known if e.emotion == neutral and e.variant == 0]
        windows_ = [e.window(spec) for e in at_rest if name in e.samples]
        if windows_:
            rows = np.concatenate([w.features[name][w.valid[name]] for w in windows_])
            found[name] = rows.astype(np.float64).mean(axis=0).astype(np.float32)
    return found


def rest_of_sequences(
    whole: Sequences,
    known: npt.NDArray[np.int64],
    settings: TrainingSettings,
    spec: WindowSpec | None,
) -> dict[str, FloatArray]:
    """By modality, mean features [n] of what is neutral among the items at the indices `known`.

    Nothing without a clock, which live use needs, and of people who were normalised, whose rest is
    gone.
    """
    neutral = known[whole.emotion[known] == LABELS.index("neutral")]
    if spec is None or settings.normalise_people or not len(neutral):
        return {}
    mean = fitted_normaliser(whole, neutral).mean
    there = whole.present[neutral].any(axis=0)
    return {n: mean[n] for n in ("voice", "face") if there[MODALITIES.index(n)]}


def _windows_with(name: str, examples: Sequence[Example], spec: WindowSpec) -> Iterator[Window]:
    """Windows of the items that have this modality; one at a time, for they are large."""
    return (e.window(spec) for e in examples if name in e.samples and e.variant == 0)
