"""Probabilities and intervals that mean what they say, and the rest of a person as their zero.

All of it is fitted on people that the network was not trained on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from assets.errors import BadInput
from extractors.features import FloatArray
from inference.checkpoint import Normaliser

__all__ = [
    "CARRIED",
    "RestingPerson",
    "conformal_width",
    "fitted_temperature",
    "judgements",
    "log_loss",
    "with_temperature",
]

IntArray = npt.NDArray[np.int64]
JUDGES = 401
"""People, each at the middle of a part of the normal distribution, that stand for all judges."""
CARRIED: Mapping[str, float] = {"voice": 0.5}
"""How much of what sets a person apart at rest is there in expression too; where nothing is said,
all of it. A voice that is apart from others while neutral is about half as far apart while it is
angry or sad (benchmarks/rest_carried.py)."""
COLDEST, HOTTEST = 0.1, 10.0
"""Temperatures between which the best one is looked for."""
LEAST_STEPS = 50
"""Valid steps of a modality (5 s of face or voice) below which a person's rest is not known."""


def log_loss(logits: FloatArray, labels: IntArray, temperature: float) -> float:
    """Mean -log p of the labels [n] for p = softmax(logits [n, classes] / temperature)."""
    scaled = logits.astype(np.float64) / temperature
    scaled -= scaled.max(axis=1, keepdims=True)
    total = np.log(np.exp(scaled).sum(axis=1))
    return float(np.mean(total - scaled[np.arange(len(labels)), labels]))


def fitted_temperature(logits: FloatArray, labels: IntArray) -> float:
    """The temperature with the least log loss (Guo et al. 2017, section 4.2).

    The loss is convex in 1 / temperature, so a ternary search finds it. Raises ValueError without
    labels.
    """
    if len(labels) == 0:
        raise ValueError("nothing to fit a temperature to")
    low, high = 1 / HOTTEST, 1 / COLDEST
    for _ in range(60):
        third = (high - low) / 3
        left, right = low + third, high - third
        if log_loss(logits, labels, 1 / left) < log_loss(logits, labels, 1 / right):
            high = right
        else:
            low = left
    return 2 / (low + high)


def with_temperature(probabilities: FloatArray, temperature: float) -> FloatArray:
    """Probabilities [n, classes] as they had been with their logits divided by `temperature`."""
    logits = np.log(np.maximum(probabilities.astype(np.float64), 1e-12)) / temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


def judgements(labels: FloatArray, spread: float, limit: float) -> npt.NDArray[np.float64]:
    """What single people would say of items [n] whose labels are means over people, [n, people].

    People spread about the label as normal with the deviation `spread`, on a scale of +-`limit`.
    Without a spread the label itself is what is said, [n, 1].
    """
    if spread == 0:
        return np.asarray(labels, np.float64)[:, None]
    apart = [spread * NormalDist().inv_cdf((k + 0.5) / JUDGES) for k in range(JUDGES)]
    return np.clip(np.add.outer(labels.astype(np.float64), apart), -limit, limit)


def conformal_width(residuals: FloatArray, level: float) -> float:
    """Half the width of an interval that covers the truth with probability `level` or more.

    Split conformal prediction (Lei et al. 2018, JASA 113, section 2.2): the ceil((n + 1) level)-th
    smallest of the absolute residuals [n] of people who were not trained on, if those to come are
    like them. Of residuals [n, k] to `judgements` an item counts once: k times that rank among
    all. Infinite if there are too few to promise anything. Raises ValueError for a level that is
    not between 0 and 1.
    """
    if not 0 < level < 1:
        raise ValueError(f"level is {level}, not between 0 and 1")
    rank = int(np.ceil((len(residuals) + 1) * level))
    if rank > len(residuals):
        return float("inf")
    ordered = np.sort(np.abs(residuals), axis=None)
    return float(ordered[rank * (ordered.size // len(residuals)) - 1])


def require_rest(rest: Mapping[str, FloatArray]) -> None:
    """Raise BadInput if a checkpoint with this `rest` cannot be fitted to anybody."""
    if not rest:
        raise BadInput(
            "the checkpoint does not know the rest of those it was trained on; take live"
        )


@dataclass(frozen=True, slots=True, eq=False)
class RestingPerson:
    """How one person looks and sounds at rest: mean features by modality, from 30 s or so of it.

    Only the mean is taken: rest does not tell how far a face or a voice goes when it moves. Two
    measurements are never equal: what is shown of them is compared many times a second.
    """

    mean: Mapping[str, FloatArray]

    @classmethod
    def measured(
        cls,
        features: Mapping[str, FloatArray],
        valid: Mapping[str, npt.NDArray[np.bool_]],
        least: int = LEAST_STEPS,
    ) -> "RestingPerson":
        """From features [..., steps, n] and masks [..., steps] of each modality at rest.

        A modality of fewer than `least` valid steps is left out.
        """
        found = {}
        for name, values in features.items():
            rows = values[valid[name]]
            if len(rows) >= least:
                found[name] = rows.astype(np.float64).mean(axis=0).astype(np.float32)
        return cls(found)

    def require_fit(self, rest: Mapping[str, FloatArray]) -> None:
        """Raise BadInput unless something is known here and in `rest`, by as many features."""
        require_rest(rest)
        known = [name for name in self.mean if name in rest]
        if not known:
            raise BadInput("the baseline knows nothing that the checkpoint does; take a new one")
        for name in known:
            if self.mean[name].shape != rest[name].shape:
                raise BadInput(
                    f"the baseline has {self.mean[name].size} features of the {name}, the "
                    f"checkpoint {rest[name].size}; take a new one"
                )

    def normaliser(self, general: Normaliser, rest: Mapping[str, FloatArray]) -> Normaliser:
        """The normaliser for this person: their rest is moved to where `rest`, that of the people
        trained on, was, or as much of the way as expression shares (`CARRIED`); a modality of
        either that is not known is left as it is."""
        mean = dict(general.mean)
        for name, own in self.mean.items():
            if name in rest:
                part = CARRIED.get(name, 1.0)
                mean[name] = (general.mean[name] + part * (own - rest[name])).astype(np.float32)
        return replace(general, mean=mean)
