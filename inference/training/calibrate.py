"""What a checkpoint says of people held out, made to mean what it says.

The temperatures, one for each modality since the network is not as sure of words as of faces, and
the width of the interval that go into the checkpoint are fitted on all people held out. What is
reported of them is measured across two halves of these people: fitted on one, measured on the
other, both ways, so that nobody is measured with what was fitted on them.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from assets.errors import BadInput
from extractors.features import MODALITIES, FloatArray
from inference.calibration import (
    conformal_width,
    fitted_temperature,
    judgements,
    with_temperature,
)
from inference.checkpoint import Checkpoint
from inference.training.batches import targets_of
from inference.training.corpora import sentiment_spread
from inference.training.evaluate import SENTIMENT_LIMIT, predict
from inference.training.metrics import calibration_bins, pooled_calibration_error
from inference.training.sequences import Sequences

__all__ = [
    "INTERVAL_LEVEL",
    "PLAIN",
    "calibrated",
    "halves",
    "measured_by",
    "require_comparable",
    "sentiment_residuals",
]

INTERVAL_LEVEL = 0.9
"""How often the interval of the sentiment is to hold what one person says."""

PLAIN: Mapping[str, float] = dict.fromkeys(MODALITIES, 1.0)
"""Temperatures that change nothing."""

IntArray = npt.NDArray[np.int64]


def halves(people: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Which items [n] are of the first half of the people, by the hash of their names."""
    order = sorted(
        set(people), key=lambda name: hashlib.sha256(f"calibration {name}".encode()).digest()
    )
    first = set(order[: len(order) // 2])
    return np.asarray([person in first for person in people])


def calibrated(
    checkpoint: Checkpoint, held_out: Mapping[str, Sequences]
) -> tuple[Checkpoint, dict[str, Any]]:
    """The checkpoint with temperatures fitted on `held_out`, and what they are worth.

    Where `held_out` is by modality each has its own; what else there is gives that of the others.
    The report has by name
    `ece`, the `bins` that it is made of, and `coverage`, measured across halves of the people, and
    `interval`, half the width of the interval of the sentiment at `INTERVAL_LEVEL`: of what one
    person says, where the label is a norm (see `sentiment_residuals`). None where nothing is known.
    """
    plain = replace(checkpoint, temperature=dict(PLAIN))
    found = {name: _Held(plain, items) for name, items in held_out.items() if len(items)}
    temperature = dict(PLAIN)
    report: dict[str, Any] = {"temperature": temperature, "level": INTERVAL_LEVEL}
    for name, held in found.items():
        fitted = _temperature(held, np.ones(len(held.labels), np.bool_))
        temperature |= {name: fitted} if name in MODALITIES else dict.fromkeys(MODALITIES, fitted)
        bins = _crossed_bins(held)
        report[name] = {
            "ece": None if bins is None else pooled_calibration_error([bins]),
            "bins": bins,
            "interval": _finite(conformal_width(held.residuals, INTERVAL_LEVEL)),
            "coverage": _crossed_coverage(held),
        }
    return replace(checkpoint, temperature=temperature), report


def measured_by(checkpoint: Checkpoint, others: Sequence[Checkpoint]) -> Checkpoint:
    """A checkpoint that was trained on everybody, with what others of its settings are worth.

    The others held out a fold each. Their temperatures (geometric mean), their intervals and all
    that was measured (mean; errors of calibration over all folds together) become its own.
    Raises BadInput as `require_comparable` does.
    """
    require_comparable(checkpoint.origin["settings"], others)
    temperature = {
        name: float(np.exp(np.mean([np.log(other.temperature[name]) for other in others])))
        for name in MODALITIES
    }
    found = {
        name: _mean([other.origin[name] for other in others])
        for name in ("people_held_out", "held_out", "calibration")
    }
    found["calibration"]["temperature"] = temperature
    for name, numbers in found["held_out"].items():
        bins = [other.origin["calibration"][name]["bins"] for other in others]
        if all(bins):
            numbers["ece"] = pooled_calibration_error(bins)
            found["calibration"][name]["ece"] = numbers["ece"]
    folds = sorted(other.origin["settings"]["fold"] for other in others)
    origin = {**checkpoint.origin, **found, "measured_on_folds": folds}
    return replace(checkpoint, temperature=temperature, origin=origin)


def require_comparable(
    settings: Mapping[str, Any], others: Sequence[Checkpoint], people: Sequence[str] = ()
) -> None:
    """Raise BadInput unless `others` can measure what these settings make; see `measured_by`.

    They must have held out a fold each, of the same `people` (`hash_of_people` of each set) where
    that is known.
    """
    for other in others:
        if _comparable(other.origin.get("settings", {})) != _comparable(settings):
            raise BadInput("a checkpoint to be measured by was made with other settings than this")
        if not other.origin.get("held_out"):
            raise BadInput("a checkpoint to be measured by held out nobody itself")
        if people and other.origin.get("people", list(people)) != list(people):
            raise BadInput("a checkpoint to be measured by was trained on other people")
    folds = sorted(other.origin["settings"]["fold"] for other in others)
    if len(set(folds)) < len(folds):
        raise BadInput(
            f"checkpoints to be measured by must hold out a fold each; these did {folds}"
        )


def _comparable(settings: Mapping[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(settings))
    return plain | {"fold": 0, "seed": 0, "everyone": True}


def _mean(values: Sequence[Any]) -> Any:
    """The mean of numbers, of dictionaries by key; None where one is missing."""
    first = values[0]
    if isinstance(first, Mapping):
        return {name: _mean([value[name] for value in values]) for name in first}
    if any(value is None for value in values):
        return None
    if isinstance(first, Sequence):
        return [_mean(each) for each in zip(*values, strict=True)]
    mean = float(np.mean(values))
    return round(mean) if all(isinstance(value, int) for value in values) else mean


def sentiment_residuals(items: Sequences, predicted: FloatArray) -> FloatArray:
    """How far what is predicted [n] is from what single people say of the items, [n, people].

    A label that is a norm stands for people who do not agree; any other is what was said.
    """
    said = judgements(items.sentiment, sentiment_spread(items.kind), SENTIMENT_LIMIT)
    return np.asarray(said - predicted[:, None])


class _Held:
    """Predictions for the items of one modality that were held out, and the truth."""

    def __init__(self, checkpoint: Checkpoint, items: Sequences) -> None:
        predicted = predict(checkpoint, items)
        told = np.zeros(len(items), np.bool_)
        labels = np.full(len(items), -1, np.int64)
        if checkpoint.config.emotions:
            labels = targets_of(items, checkpoint.config.emotions).emotion.numpy()
            told = (labels >= 0) & predicted.known
        known = predicted.known & ~np.isnan(items.sentiment) & checkpoint.config.sentiment
        first = halves(items.people)
        self.labels: IntArray = labels[told]
        self.probabilities: FloatArray = predicted.emotions[told]
        self.first = first[told]
        self.residuals: FloatArray = sentiment_residuals(items, predicted.sentiment)[known]
        self.residuals_first = first[known]


def _temperature(held: _Held, chosen: npt.NDArray[np.bool_]) -> float:
    """The temperature that fits the items of a mask [n]; 1 without any."""
    if not chosen.any():
        return 1.0
    logits = np.log(np.maximum(held.probabilities[chosen], 1e-12))
    return fitted_temperature(logits, held.labels[chosen])


def _crossed_bins(held: _Held) -> dict[str, list[float]] | None:
    """How sure and how right, with the temperature that the other half of the people gives."""
    if not len(held.labels):
        return None
    probabilities = held.probabilities.copy()
    for half in (True, False):
        temperature = _temperature(held, held.first != half)
        chosen = held.first == half
        probabilities[chosen] = with_temperature(held.probabilities[chosen], temperature)
    return calibration_bins(held.labels, probabilities)


def _crossed_coverage(held: _Held) -> float | None:
    """Part of what is said of the people inside the interval that the other half gives; None if one
    half is too few people to give any."""
    if not len(held.residuals):
        return None
    inside = np.zeros(held.residuals.shape, np.bool_)
    for half in (True, False):
        chosen = held.residuals_first == half
        width = conformal_width(held.residuals[~chosen], INTERVAL_LEVEL)
        if not np.isfinite(width):  # it would hold everything, and tell nothing
            return None
        inside[chosen] = np.abs(held.residuals[chosen]) <= width
    return float(inside.mean())


def _finite(width: float) -> float | None:
    return width if np.isfinite(width) else None
