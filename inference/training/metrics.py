"""How good predictions are, as pure functions of labels and predictions."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from extractors.features import FloatArray

__all__ = [
    "EmotionMetrics",
    "SentimentMetrics",
    "emotion_metrics",
    "expected_calibration_error",
    "sentiment_metrics",
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
        return SentimentMetrics(None, None, None, None)
    signed = labels != 0
    varied = labels.std() > 0 and predicted.std() > 0
    return SentimentMetrics(
        mae=float(np.abs(labels - predicted).mean()),
        corr=float(np.corrcoef(labels, predicted)[0, 1]) if varied else None,
        acc2=float(np.mean((labels > 0)[signed] == (predicted > 0)[signed]))
        if signed.any()
        else None,
        acc7=float(np.mean(np.round(labels) == np.round(np.clip(predicted, -3, 3)))),
    )


def expected_calibration_error(
    labels: IntArray, probabilities: FloatArray, bins: int = 15
) -> float:
    """Mean |accuracy - confidence| over equal bins of confidence (Guo et al. 2017, eq. 3)."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    index = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    error = 0.0
    for b in np.unique(index):
        inside = index == b
        error += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    return float(error)
