"""A whole evaluation: metrics, how sure they are, who is taken for whom, how honest the confidence.

`evaluate` gives the metrics alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from assets.errors import BadInput
from extractors.features import MODALITIES, FloatArray
from inference.checkpoint import Checkpoint
from inference.training.batches import class_of_label
from inference.training.calibrate import sentiment_residuals
from inference.training.evaluate import predict, scores
from inference.training.metrics import (
    Reliability,
    confusion_matrix,
    reliability,
)
from inference.training.sequences import Sequences

__all__ = ["Evaluation", "bootstrap_intervals", "evaluation_of"]

RESAMPLES = 1000
LEVEL = 0.95

IntArray = npt.NDArray[np.int64]
Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a checkpoint is worth on n items."""

    metrics: Mapping[str, float | None]
    """As `evaluate` gives them; `coverage` too, if the checkpoint has an interval: how often it
    holds what one person says of an item."""
    intervals: Mapping[str, Interval | None]
    """95 % bootstrap interval of each metric but `n`; None where it is undefined."""
    emotions: tuple[str, ...]
    confusion: IntArray
    """[E, E]: how many items of the emotion of the row were taken for that of the column."""
    reliability: Reliability | None
    """None if no emotions are predicted, or no item has one."""

    def to_json(self) -> dict[str, Any]:
        """Metrics at the top; below them `intervals`, `emotions` and `confusion`."""
        found: dict[str, Any] = dict(self.metrics)
        found["intervals"] = {n: None if i is None else list(i) for n, i in self.intervals.items()}
        if self.emotions:
            found["emotions"] = list(self.emotions)
            found["confusion"] = self.confusion.tolist()
        return found


def evaluation_of(
    checkpoint: Checkpoint, items: Sequences, resamples: int = RESAMPLES
) -> Evaluation:
    """Everything there is to say of a checkpoint on these items. Raises BadInput without items."""
    if not len(items):
        raise BadInput("there is no example to evaluate on")
    config, predicted = checkpoint.config, predict(checkpoint, items)
    half_width = _half_width(checkpoint, items)
    inside: FloatArray | None = None
    if half_width is not None and config.sentiment:  # of each item, once for all resamples
        residuals = sentiment_residuals(items, predicted.sentiment)
        inside = np.mean(np.abs(residuals) <= half_width, axis=1)

    def measured(rows: IntArray) -> dict[str, float | None]:
        found = scores(config, items, predicted, rows)
        if inside is not None:
            told = rows[predicted.known[rows] & ~np.isnan(items.sentiment[rows])]
            found["coverage"] = float(inside[told].mean()) if len(told) else None
        return found

    labels = class_of_label(config.emotions)[items.emotion]
    told = labels >= 0
    return Evaluation(
        measured(np.arange(len(items))),
        bootstrap_intervals(measured, items.people, resamples),
        config.emotions,
        confusion_matrix(
            labels[told], predicted.emotions[told].argmax(axis=1), len(config.emotions)
        )
        if config.emotions
        else np.zeros((0, 0), np.int64),
        reliability(labels[told], predicted.emotions[told])
        if config.emotions and told.any()
        else None,
    )


def _half_width(checkpoint: Checkpoint, items: Sequences) -> float | None:
    """Half the width of the sentiment's interval that the checkpoint has for what is seen here."""
    seen = [name for name in MODALITIES if items.valid[name].any()]
    known = checkpoint.origin.get("calibration", {}).get(seen[0] if len(seen) == 1 else "test", {})
    width = known.get("interval")
    return float(width) if isinstance(width, (int, float)) else None


def bootstrap_intervals(
    measured: Callable[[IntArray], Mapping[str, float | None]],
    people: tuple[str, ...],
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
) -> dict[str, Interval | None]:
    """Percentile bootstrap of each metric but `n` (Efron and Tibshirani 1993, chapter 13).

    `measured` gives the metrics of the items at some indices. Whole people are drawn, for two
    items of one person tell less than two of two; of a single person it is the items. A metric
    that is undefined in more than half of the draws has no interval, and of a single item nothing
    has: it would be drawn every time.
    """
    names = np.asarray(people)
    groups = [np.flatnonzero(names == person) for person in np.unique(names)]
    if len(groups) == 1:
        groups = [np.asarray([i]) for i in range(len(people))]
    generator = np.random.default_rng(seed)
    found: dict[str, list[float]] = {}
    for _ in range(resamples):
        drawn = generator.integers(len(groups), size=len(groups))
        try:
            values = measured(np.concatenate([groups[i] for i in drawn]))
        except BadInput:
            continue  # nobody drawn has a label
        for name, value in values.items():
            found.setdefault(name, [])
            if value is not None:
                found[name].append(value)
    found.pop("n", None)
    tails = ((1 - level) / 2, (1 + level) / 2)
    return {
        name: tuple(float(q) for q in np.quantile(values, tails))  # type: ignore[misc]
        if 2 * len(values) >= resamples and len(groups) > 1
        else None
        for name, values in found.items()
    }
