"""What a checkpoint says of people held out, made to mean what it says.

The temperature and the width of the interval that go into the checkpoint are fitted on all people
held out. What is reported of them is measured across two halves of these people: fitted on one,
measured on the other, both ways, so that nobody is measured with what was fitted on them.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from extractors.features import FloatArray
from inference.calibration import (
    conformal_width,
    coverage,
    fitted_temperature,
    with_temperature,
)
from inference.checkpoint import Checkpoint
from inference.training.batches import targets_of
from inference.training.evaluate import predict
from inference.training.metrics import expected_calibration_error
from inference.training.sequences import Sequences

__all__ = ["INTERVAL_LEVEL", "calibrated", "halves"]

INTERVAL_LEVEL = 0.9
"""How often the interval of the sentiment is to hold the truth."""

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
    """The checkpoint with the temperature fitted on `held_out`, and what that is worth.

    Every one of `held_out` weighs the same, however many items it has. The report has by name
    `ece` and `coverage`, measured across halves of the people, and `interval`, half the width of
    the interval of the sentiment at `INTERVAL_LEVEL`; None where nothing is known.
    """
    plain = replace(checkpoint, temperature=1.0)
    found = {name: _Held(plain, items) for name, items in held_out.items() if len(items)}
    emotions = [held for held in found.values() if len(held.labels)]
    temperature = 1.0
    if emotions and checkpoint.config.emotions:
        temperature = _temperature(emotions, [np.ones(len(h.labels), bool) for h in emotions])
    report: dict[str, Any] = {"temperature": temperature, "level": INTERVAL_LEVEL}
    for name, held in found.items():
        report[name] = {
            "ece": _crossed_error(held, emotions),
            "interval": _finite(conformal_width(held.residuals, INTERVAL_LEVEL)),
            "coverage": _crossed_coverage(held),
        }
    return replace(checkpoint, temperature=temperature), report


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
        self.residuals: FloatArray = (items.sentiment - predicted.sentiment)[known]
        self.residuals_first = first[known]


def _temperature(held: Sequence[_Held], masks: Sequence[npt.NDArray[np.bool_]]) -> float:
    """The temperature of what the masks choose; each modality repeated to the same weight."""
    most = max(int(mask.sum()) for mask in masks)
    logits, labels = [], []
    for one, mask in zip(held, masks, strict=True):
        chosen = np.flatnonzero(mask)
        if len(chosen):
            repeated = np.resize(chosen, most)
            logits.append(np.log(np.maximum(one.probabilities[repeated], 1e-12)))
            labels.append(one.labels[repeated])
    if not logits:
        return 1.0
    return fitted_temperature(np.concatenate(logits), np.concatenate(labels))


def _crossed_error(held: _Held, all_held: Sequence[_Held]) -> float | None:
    """Calibration error with the temperature that the other half of the people gives."""
    if not len(held.labels):
        return None
    probabilities = held.probabilities.copy()
    for half in (True, False):
        temperature = _temperature(all_held, [one.first != half for one in all_held])
        chosen = held.first == half
        probabilities[chosen] = with_temperature(held.probabilities[chosen], temperature)
    return expected_calibration_error(held.labels, probabilities)


def _crossed_coverage(held: _Held) -> float | None:
    """Part of the people's sentiments inside the interval that the other half gives."""
    if not len(held.residuals):
        return None
    inside = np.zeros(len(held.residuals), np.bool_)
    for half in (True, False):
        chosen = held.residuals_first == half
        width = conformal_width(held.residuals[~chosen], INTERVAL_LEVEL)
        inside[chosen] = np.abs(held.residuals[chosen]) <= width
    return coverage(inside.astype(np.float32), np.ones(len(inside), np.float32), 0.0)


def _finite(width: float) -> float | None:
    return width if np.isfinite(width) else None
