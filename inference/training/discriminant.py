"""Teachers: linear discriminant analyses, each of some modalities, that say what few labels cannot.

Of a handful of speakers a network learns by heart who spoke how: descent on labels finds, among
many directions that part the examples, those that part these examples alone. A discriminant
analysis (Fisher 1936, Annals of Eugenics 7, 179-188) has no such choice, for it is computed in
closed form from means and one covariance common to all emotions, and it reads other speakers
better (docs/results.md). So it teaches: where a teacher knows the modalities of a sample, the
network learns the teacher's probabilities of this very window, noise and all, in place of the
label (distillation, Hinton et al. 2015, arXiv:1503.02531) [ours].
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from assets.errors import BadInput
from extractors.features import MODALITIES, FloatArray
from inference.calibration import fitted_temperature
from inference.checkpoint import Normaliser
from inference.model import mean_valid_step
from inference.training.configuration import TrainingSettings, taught_subsets
from inference.training.losses import Lesson
from inference.training.sequences import Sequences

__all__ = ["Discriminant", "Teachers", "discriminant", "fitted_teachers"]

Float64Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

GROUPS = 8
"""Parts of the people of which each is told by a teacher that was not fitted on it, to find how
sure teachers may be."""


@dataclass(frozen=True, slots=True)
class Discriminant:
    """Logits of the emotions, linear in the mean steps of some modalities side by side."""

    modalities: tuple[str, ...]
    weight: Tensor
    """[F, E]"""
    bias: Tensor
    """[E]; -inf for an emotion without an example."""

    def __call__(self, means: dict[str, Tensor]) -> Tensor:
        """Mean steps {m: [B, F_m]}, normalised -> probabilities [B, E]."""
        x = torch.cat([means[name] for name in self.modalities], dim=1)
        return (x @ self.weight + self.bias).softmax(1)


def discriminant(
    x: Float64Array, classes: IntArray, count: int, shrinkage: float
) -> tuple[Float64Array, Float64Array]:
    """Weights [F, E] and biases [E] of x [n, F], whose classes [n] are below `count` = E.

    With the means mu_k of the classes and the covariance S within them, common to all, shrunk to
    (1 - shrinkage) S + shrinkage tr(S) / F I (Ledoit and Wolf 2004, J. Multivariate Analysis 88,
    eq. 1): the logit of class k is x' S^-1 mu_k - mu_k' S^-1 mu_k / 2. All classes are as likely
    beforehand, as composed samples are. A class without an example gets a bias of -inf.
    """
    there = np.bincount(classes, minlength=count) > 0
    means = np.zeros((count, x.shape[1]))
    for k in np.flatnonzero(there):
        means[k] = x[classes == k].mean(axis=0)
    within = x - means[classes]
    covariance = within.T @ within / len(x)
    even = max(float(np.trace(covariance)) / len(covariance), 1e-9)  # 0 if none differ
    shrunk = (1 - shrinkage) * covariance + shrinkage * even * np.eye(len(covariance))
    weight = np.asarray(np.linalg.solve(shrunk, means.T), np.float64)
    bias = -0.5 * (means * weight.T).sum(axis=1)
    return weight, np.where(there, bias, -np.inf)


@dataclass(frozen=True, slots=True)
class Teachers:
    """All teachers of a run."""

    discriminants: tuple[Discriminant, ...]
    sentiment: Tensor
    """[E] of each emotion, where all it was fitted on has one sentiment by emotion, a norm; or NaN:
    then sentiment is learned from labels."""
    mixing: float
    """Part of the samples taught that move towards another one of the batch; see `mixed`."""

    def mixed(
        self, features: dict[str, Tensor], valid: dict[str, Tensor], generator: np.random.Generator
    ) -> tuple[dict[str, Tensor], Tensor]:
        """The batch with some samples between two: {[B, T, F]}, and bool [B] which they are.

        Every step of such a sample is moved by the same part, drawn evenly, of the way from the
        mean of its steps to that of another sample with the same modalities. No label fits it, but
        what a teacher says of it is as good as ever, so the network is told more of the teacher
        than the examples alone could (mixup, Zhang et al. 2018, with the teacher for the label).
        """
        means, present = _means(features, valid)
        count = len(present)
        other = torch.from_numpy(generator.permutation(count))
        part = torch.from_numpy(generator.random(count, np.float32))
        chosen = torch.from_numpy(generator.random(count) < self.mixing)
        chosen &= self._known(present) & (present == present[other]).all(1)
        part = (part * chosen)[:, None, None]
        return {
            name: x + part * (means[name][other] - means[name])[:, None] * valid[name][..., None]
            for name, x in features.items()
        }, chosen

    def lesson(self, features: dict[str, Tensor], valid: dict[str, Tensor]) -> Lesson:
        """What they say of normalised features {m: [B, T, F]} with masks {m: [B, T]}."""
        means, present = _means(features, valid)
        together = torch.zeros(len(present), len(self.sentiment))
        single = torch.zeros(len(present), len(MODALITIES), len(self.sentiment))
        for teacher in self.discriminants:
            knows = _exactly(teacher, present)
            said = teacher(means)
            together = torch.where(knows[:, None], said, together)
            if len(teacher.modalities) == 1:
                m = MODALITIES.index(teacher.modalities[0])
                single[:, m] = torch.where(present[:, m, None], said, 0.0)
        return Lesson(together, single, self.sentiment)

    def _known(self, present: Tensor) -> Tensor:
        """Of which samples [B, M] there is a teacher: bool [B]."""
        return torch.stack([_exactly(d, present) for d in self.discriminants]).any(0)


def _exactly(teacher: Discriminant, present: Tensor) -> Tensor:
    """Which samples [B, M] have the modalities of a teacher, and no others: bool [B]."""
    wanted = torch.tensor([name in teacher.modalities for name in MODALITIES])
    return (present == wanted).all(1)


def _means(
    features: dict[str, Tensor], valid: dict[str, Tensor]
) -> tuple[dict[str, Tensor], Tensor]:
    """Mean steps {m: [B, F]}, zeros where there is none, and who is present, bool [B, M]."""
    means = {name: mean_valid_step(features[name], valid[name]) for name in MODALITIES}
    return means, torch.stack([valid[name].any(1) for name in MODALITIES], dim=1)


def fitted_teachers(
    settings: TrainingSettings, items: Sequences, classes: IntArray, normaliser: Normaliser
) -> Teachers | None:
    """The teachers that the settings want, fitted on `items` of classes [n], -1 unknown.

    They are as sure as is right for people they were not fitted on: their logits are divided by the
    temperature that suits what teachers of the other people say of each eighth of the people.
    None if no teacher is wanted. Raises BadInput for one whose items are of fewer than two people.
    """
    subsets = taught_subsets(settings)
    if not subsets:
        return None
    count, shrinkage = len(settings.labels.emotions), settings.teachers.shrinkage
    means = {}
    for name in sorted(set(chain.from_iterable(subsets))):
        valid = items.valid[name]
        rows = torch.from_numpy(normaliser(name, items.features[name], valid))
        means[name] = mean_valid_step(rows, torch.from_numpy(valid)).numpy().astype(np.float64)
    found, taught = [], np.zeros(len(items), np.bool_)
    for subset in subsets:
        has = items.present[:, [MODALITIES.index(name) for name in subset]].all(axis=1)
        known = has & (classes >= 0)
        people = [person for person, k in zip(items.people, known, strict=True) if k]
        if len(set(people)) < 2:
            raise BadInput(
                f"a teacher of {'+'.join(subset)} needs labelled examples of two people to train "
                f"on, and those are of {len(set(people))}; take it out of teachers.of"
            )
        x = np.concatenate([means[name][known] for name in subset], axis=1)
        weight, bias = discriminant(x, classes[known], count, shrinkage)
        temperature = _temperature(x, classes[known], people, count, shrinkage)
        found.append(
            Discriminant(subset, _tensor(weight / temperature), _tensor(bias / temperature))
        )
        taught |= known
    norms = _norms(items.sentiment[taught], classes[taught], count)
    return Teachers(tuple(found), norms, settings.teachers.mixing)


def _temperature(
    x: Float64Array, classes: IntArray, people: Sequence[str], count: int, shrinkage: float
) -> float:
    names = sorted(set(people))
    group = np.asarray([names.index(person) % GROUPS for person in people])
    logits = np.zeros((len(x), count))
    for number in range(min(GROUPS, len(names))):
        rest = group != number
        weight, bias = discriminant(x[rest], classes[rest], count, shrinkage)
        logits[~rest] = x[~rest] @ weight + bias
    told = np.isfinite(logits[np.arange(len(x)), classes])  # by a teacher with examples of it
    return fitted_temperature(logits[told].astype(np.float32), classes[told]) if told.any() else 1.0


def _norms(sentiment: FloatArray, classes: IntArray, count: int) -> Tensor:
    """The sentiment [E] of each class, if it follows from the class; or else NaN of all."""
    norms = np.full(count, np.nan, np.float32)
    for k in range(count):
        known = np.unique(sentiment[classes == k])  # what is unknown is NaN, and counts as one
        if len(known) != 1:
            return torch.full((count,), torch.nan)
        norms[k] = known[0]
    return torch.from_numpy(norms)


def _tensor(values: Float64Array) -> Tensor:
    return torch.from_numpy(values.astype(np.float32))
