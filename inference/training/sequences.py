"""Labelled items as fixed arrays: what the network is trained and measured on, all alike."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from assets.errors import BadInput
from extractors.features import MODALITIES, FloatArray
from extractors.stream.window import WindowSpec
from inference.checkpoint import Normaliser
from inference.training.examples import Example

__all__ = ["Sequences", "fitted_normaliser", "joined", "per_person", "sequences_of"]

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

AT_ONCE = 512
"""Items of which the features are in memory at the same time while they are summed up."""


@dataclass(frozen=True, slots=True)
class Sequences:
    """n labelled items: `features[m]` float32 [n, steps, features], `valid[m]` bool [n, steps].

    `emotion` [n] indexes `LABELS`, -1 is unknown; `sentiment` [n] lies in [-3, 3], NaN is unknown.
    Variants above 0 are augmentations of the same item. The features may lie in a mapped file and
    are read only where they are indexed.
    """

    kind: str
    ids: tuple[str, ...]
    people: tuple[str, ...]
    splits: tuple[str, ...]
    variants: IntArray
    emotion: IntArray
    sentiment: FloatArray
    features: Mapping[str, FloatArray]
    valid: Mapping[str, BoolArray]
    origin: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, indices: npt.NDArray[Any]) -> "Sequences":
        """The items at these indices, or where this mask [n] is true."""
        rows = np.flatnonzero(indices) if indices.dtype == np.bool_ else indices
        return Sequences(
            self.kind,
            tuple(self.ids[i] for i in rows),
            tuple(self.people[i] for i in rows),
            tuple(self.splits[i] for i in rows),
            self.variants[rows],
            self.emotion[rows],
            self.sentiment[rows],
            {name: array[rows] for name, array in self.features.items()},
            {name: array[rows] for name, array in self.valid.items()},
            self.origin,
        )

    @property
    def present(self) -> BoolArray:
        """Which modalities each item has, [n, 3]."""
        return np.stack([self.valid[name].any(axis=1) for name in MODALITIES], axis=1)


def sequences_of(kind: str, examples: Sequence[Example], spec: WindowSpec) -> Sequences:
    """The last whole window of each example, which has one at least of the window's modalities."""
    count, shapes = len(examples), spec.modalities.items()
    features = {n: np.zeros((count, m.steps, m.features), np.float32) for n, m in shapes}
    valid = {n: np.zeros((count, m.steps), np.bool_) for n, m in shapes}
    for index, example in enumerate(examples):
        window = example.window(spec)
        for name in example.samples:
            features[name][index], valid[name][index] = window.features[name], window.valid[name]
    return Sequences(
        kind,
        tuple(e.id for e in examples),
        tuple(e.person for e in examples),
        tuple(e.split for e in examples),
        np.asarray([e.variant for e in examples], np.int64),
        np.asarray([e.emotion for e in examples], np.int64),
        np.asarray([e.sentiment for e in examples], np.float32),
        features,
        valid,
    )


def joined(sets: Sequence[Sequences]) -> Sequences:
    """All items of the sets, which have sequences of the same sizes. Raises BadInput otherwise."""
    first = sets[0]
    if len(sets) == 1:
        return first
    for other in sets[1:]:
        for name in MODALITIES:
            here, there = first.features[name].shape[1:], other.features[name].shape[1:]
            if here != there:
                raise BadInput(
                    f"{name} of {first.kind} is {list(here)} and of {other.kind} {list(there)}: "
                    "they cannot be trained on together"
                )
    return Sequences(
        " and ".join(s.kind for s in sets),
        tuple(chain.from_iterable(s.ids for s in sets)),
        tuple(chain.from_iterable(s.people for s in sets)),
        tuple(chain.from_iterable(s.splits for s in sets)),
        np.concatenate([s.variants for s in sets]),
        np.concatenate([s.emotion for s in sets]),
        np.concatenate([s.sentiment for s in sets]),
        {name: np.concatenate([s.features[name] for s in sets]) for name in MODALITIES},
        {name: np.concatenate([s.valid[name] for s in sets]) for name in MODALITIES},
    )


def _rows(sequences: Sequences, name: str, items: IntArray) -> Iterator[FloatArray]:
    """The valid rows of a modality, some items at a time."""
    for begin in range(0, len(items), AT_ONCE):
        some = items[begin : begin + AT_ONCE]
        yield sequences.features[name][some][sequences.valid[name][some]]


def fitted_normaliser(sequences: Sequences, items: IntArray) -> Normaliser:
    """Mean and deviation of each feature over the valid steps of the items at these indices.

    In two passes, so that the features need not be in memory. A modality that is nowhere is left
    as it is.
    """
    mean: dict[str, FloatArray] = {}
    deviation: dict[str, FloatArray] = {}
    for name in MODALITIES:
        width = sequences.features[name].shape[2]
        count, total = 0, np.zeros(width)
        for rows in _rows(sequences, name, items):
            count, total = count + len(rows), total + rows.sum(axis=0, dtype=np.float64)
        middle = total / max(count, 1)
        squares = np.zeros(width)
        for rows in _rows(sequences, name, items):
            squares += np.square(rows - middle).sum(axis=0)
        spread = np.sqrt(squares / count) if count else np.ones(width)
        mean[name] = middle.astype(np.float32)
        # a feature that never moves carries nothing and must not be blown up later
        deviation[name] = np.maximum(spread, 1e-3).astype(np.float32)
    return Normaliser(mean, deviation)


def per_person(sequences: Sequences) -> Sequences:
    """Each feature of each person with mean 0 and deviation 1 over that person's items.

    It takes several recordings of a person to know these, and none of their labels. Variants are
    scaled by what the items themselves show.
    """
    features = {name: np.array(array, np.float32) for name, array in sequences.features.items()}
    people = np.asarray(sequences.people)
    for person in np.unique(people):
        own = np.flatnonzero(people == person)
        shown = own[sequences.variants[own] == 0]
        scale = fitted_normaliser(sequences, shown if len(shown) else own)
        for name in MODALITIES:
            scaled = (features[name][own] - scale.mean[name]) / scale.deviation[name]
            features[name][own] = np.where(sequences.valid[name][own][..., None], scaled, 0)
    return replace(sequences, features=features)
