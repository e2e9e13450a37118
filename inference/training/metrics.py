"""How good predictions are, as pure functions of labels and predictions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from extractors.features import FloatArray

__all__ = [
    "EmotionMetrics",
    "Reliability",
    "SentimentMetrics",
    "calibration_bins",
    "confusion_matrix",
    "emotion_metrics",
    "expected_calibration_error",
    "pooled_calibration_error",
    "reliability",
    "sentiment_metrics",
    "weighted_f1",
]

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class EmotionMetrics:
    """Of `n` predictions over the classes that occur in the labels."""

    n: int
    accuracy: float
    macro_recall: float
    macro_f1: float
    weighted_f1: float
    ece: float


@dataclass(frozen=True, slots=True)
class SentimentMetrics:
    """Of predictions of sentiment in [-3, 3], as the field reports them; None is undefined."""

    mae: float | None
    corr: float | None
    """Pearson's r; None if either side never varies."""
    acc2: float | None
    """Same sign, over labels that are not 0; None without any."""
    acc7: float | None
    """Same integer after rounding half to even within [-3, 3]."""
    f1: float | None
    """F1 of the signs, weighted by how often each occurs; labels as for `acc2`."""
    acc2_has_zero: float | None
    """Both below 0 or neither, over all labels: 0 counts as not negative."""
    f1_has_zero: float | None
    """The weighted F1 of that."""


def emotion_metrics(labels: IntArray, probabilities: FloatArray) -> EmotionMetrics:
    """Metrics of `probabilities` [n, classes] against `labels` [n].

    Macro averages run over the classes that occur in the labels; a prediction of any other class
    is an error. Raises ValueError without labels.
    """
    if len(labels) == 0:
        raise ValueError("nothing to measure")
    predicted = probabilities.argmax(axis=1)
    recall, f1, share = [], [], []
    for label in np.unique(labels):
        hits = float(np.sum((labels == label) & (predicted == label)))
        real, claimed = float(np.sum(labels == label)), float(np.sum(predicted == label))
        recall.append(hits / real)
        f1.append(2 * hits / (real + claimed))
        share.append(real / len(labels))
    return EmotionMetrics(
        n=len(labels),
        accuracy=float(np.mean(predicted == labels)),
        macro_recall=float(np.mean(recall)),
        macro_f1=float(np.mean(f1)),
        weighted_f1=float(np.dot(f1, share)),
        ece=expected_calibration_error(labels, probabilities),
    )


def sentiment_metrics(labels: FloatArray, predicted: FloatArray) -> SentimentMetrics:
    """Metrics of `predicted` [n] against `labels` [n], both in [-3, 3]."""
    if len(labels) == 0:
        return SentimentMetrics(*[None] * 7)
    signed = labels != 0
    positive = (labels > 0)[signed], (predicted > 0)[signed]
    negative = labels < 0, predicted < 0
    varied = labels.std() > 0 and predicted.std() > 0
    return SentimentMetrics(
        mae=float(np.abs(labels - predicted).mean()),
        corr=float(np.corrcoef(labels, predicted)[0, 1]) if varied else None,
        acc2=float(np.mean(positive[0] == positive[1])) if signed.any() else None,
        acc7=float(np.mean(np.round(labels) == np.round(np.clip(predicted, -3, 3)))),
        f1=weighted_f1(*positive) if signed.any() else None,
        acc2_has_zero=float(np.mean(negative[0] == negative[1])),
        f1_has_zero=weighted_f1(*negative),
    )


def weighted_f1(labels: npt.NDArray[np.bool_], predicted: npt.NDArray[np.bool_]) -> float:
    """Mean F1 of the classes true and false, weighted by how often each is in the labels [n]."""
    total = 0.0
    for side in (True, False):
        hits = np.sum((labels == side) & (predicted == side))
        both = np.sum(labels == side) + np.sum(predicted == side)
        total += 2 * hits / both * np.mean(labels == side) if both else 0.0
    return float(total)


def confusion_matrix(labels: IntArray, predicted: IntArray, classes: int) -> IntArray:
    """How many items of class i were taken for class j: [classes, classes]."""
    counts = np.bincount(labels * classes + predicted, minlength=classes**2)
    return counts.reshape(classes, classes)


@dataclass(frozen=True, slots=True)
class Reliability:
    """Per bin of confidence that is not empty: mean confidence, accuracy and items, [bins]."""

    confidence: FloatArray
    accuracy: FloatArray
    count: IntArray


def reliability(labels: IntArray, probabilities: FloatArray, bins: int = 15) -> Reliability:
    """How right predictions are by how sure they are (Guo et al. 2017, figure 1)."""
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == labels
    index = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    count = np.bincount(index, minlength=bins)
    filled = count > 0
    sums = [np.bincount(index, weights=values, minlength=bins) for values in (confidence, right)]
    mean, accuracy = ((total[filled] / count[filled]).astype(np.float32) for total in sums)
    return Reliability(mean, accuracy, count[filled])


def expected_calibration_error(
    labels: IntArray, probabilities: FloatArray, bins: int = 15
) -> float:
    """Mean |accuracy - confidence| over equal bins of confidence (Guo et al. 2017, eq. 3)."""
    found = reliability(labels, probabilities, bins)
    return float(np.average(np.abs(found.accuracy - found.confidence), weights=found.count))


def calibration_bins(
    labels: IntArray, probabilities: FloatArray, bins: int = 15
) -> dict[str, list[float]]:
    """Sums by bin of confidence, [bins] each: items, their confidence, and those told rightly."""
    confidence = probabilities.max(axis=1).astype(np.float64)
    index = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    sums = {
        "items": np.ones(len(labels)),
        "confidence": confidence,
        "right": probabilities.argmax(axis=1) == labels,
    }
    return {n: np.bincount(index, v, minlength=bins).tolist() for n, v in sums.items()}


def pooled_calibration_error(parts: Sequence[Mapping[str, Sequence[float]]]) -> float:
    """The expected calibration error of all that `calibration_bins` has summed up, together.

    That of few items in many bins is above 0 even if every probability is right, so the mean of
    the errors of folds is larger than the error of the folds together.
    """
    items, confidence, right = (
        np.sum([part[name] for part in parts], axis=0) for name in ("items", "confidence", "right")
    )
    return float(np.abs(confidence - right).sum() / items.sum())
