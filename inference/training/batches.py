"""Where training batches come from: each is a function of seed, step and place in the step.

Nothing else is remembered, so a run that goes on after a stop, or that several processes share,
draws the same batches as one that does neither.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from extractors.features import MODALITIES, FloatArray
from inference.checkpoint import Normaliser
from inference.training.composer import Composer
from inference.training.configuration import NoiseSettings, TrainingSettings
from inference.training.discriminant import Teachers
from inference.training.examples import LABELS
from inference.training.losses import Lesson, Targets
from inference.training.sequences import Sequences

__all__ = ["Batch", "Batches", "ComposedBatches", "TogetherBatches", "batch_of", "class_of_label"]

BoolArray = npt.NDArray[np.bool_]


class Batch(NamedTuple):
    """Normalised features {m: [B, T, F]}, masks {m: [B, T]} and labels of one pass."""

    features: dict[str, Tensor]
    valid: dict[str, Tensor]
    targets: Targets
    lesson: Lesson | None = None


class Batches(Protocol):
    """The batches of a run."""

    @property
    def steps_in_epoch(self) -> int:
        """Steps until every example was there once; 0 where there is no such thing."""
        ...

    def count(self, step: int) -> int:
        """How many batches step 1, 2, ... consists of."""
        ...

    def draw(self, step: int, index: int) -> Batch:
        """Batch 0, 1, ... of a step."""
        ...


def class_of_label(emotions: Sequence[str]) -> npt.NDArray[np.int64]:
    """Class of each of `LABELS` among the emotions, -1 for others and, at the end, for unknown."""
    known = [emotions.index(name) if name in emotions else -1 for name in LABELS]
    return np.asarray([*known, -1], np.int64)


def noise_of(shape: tuple[int, ...], memory: float, generator: np.random.Generator) -> FloatArray:
    """Noise [B, T, F] of unit variance, half of it constant over the steps of a sample, the other
    half correlated by `memory` from one step to the next.

    Drawn by PyTorch, step by step: this is much of what a batch costs.
    """
    count, steps, features = shape
    draws = torch.Generator().manual_seed(int(generator.integers(2**63)))
    noise = torch.randn((steps + 1, count, features), generator=draws)
    constant, wandering = noise[0], noise[1:]
    wandering[1:] *= (1 - memory**2) ** 0.5
    for before, now in pairwise(wandering):
        now.add_(before, alpha=memory)
    both = wandering.add_(constant).mul_(0.5**0.5)
    return np.asarray(both.numpy().transpose(1, 0, 2))


def batch_of(
    features: Mapping[str, FloatArray],
    valid: Mapping[str, BoolArray],
    targets: Targets,
    normaliser: Normaliser,
    noise: NoiseSettings | None = None,
    generator: np.random.Generator | None = None,
) -> Batch:
    """Raw arrays as the network takes them, cut after the last step that a sample uses."""
    scaled: dict[str, Tensor] = {}
    masks: dict[str, Tensor] = {}
    for name in MODALITIES:
        mask = valid[name]
        used = np.flatnonzero(mask.any(axis=0))
        # one empty step stands for a modality that is left out: it costs next to nothing
        end = int(used[-1]) + 1 if len(used) else 1
        mask, raw = mask[:, :end], features[name][:, :end]
        rows = normaliser(name, raw, mask)
        strength = 0.0 if noise is None else getattr(noise, name)
        if strength > 0 and noise is not None and generator is not None:
            rows += strength * noise_of(raw.shape, noise.memory, generator)
        scaled[name] = torch.from_numpy(rows)
        masks[name] = torch.from_numpy(np.ascontiguousarray(mask))
    return Batch(scaled, masks, targets)


def taught(batch: Batch, teachers: Teachers | None, generator: np.random.Generator) -> Batch:
    """The batch with the teachers' lesson; samples that they mix lose their labels."""
    if teachers is None:
        return batch
    features, mixed = teachers.mixed(batch.features, batch.valid, generator)
    targets = Targets(
        batch.targets.emotion.masked_fill(mixed, -1),
        batch.targets.sentiment.masked_fill(mixed, torch.nan),
    )
    return Batch(features, batch.valid, targets, teachers.lesson(features, batch.valid))


@dataclass(frozen=True, slots=True)
class ComposedBatches:
    """Windows composed of examples of equal emotion; see `Composer`."""

    composer: Composer
    normaliser: Normaliser
    settings: TrainingSettings
    teachers: Teachers | None = None

    @property
    def steps_in_epoch(self) -> int:
        return 0

    def count(self, step: int) -> int:
        del step
        return self.settings.accumulation

    def draw(self, step: int, index: int) -> Batch:
        generator = np.random.default_rng([self.settings.seed, step, index])
        composer = self.composer.drawing(generator)
        subset = composer.draw_subset()
        drawn = [composer.draw(subset) for _ in range(self.settings.batch)]
        classes = class_of_label(self.settings.labels.emotions)
        targets = Targets(
            torch.from_numpy(classes[[sample.emotion for sample in drawn]]),
            torch.as_tensor([sample.sentiment for sample in drawn], dtype=torch.float32),
        )
        batch = batch_of(
            {n: np.stack([sample.window.features[n] for sample in drawn]) for n in MODALITIES},
            {n: np.stack([sample.window.valid[n] for sample in drawn]) for n in MODALITIES},
            targets,
            self.normaliser,
            self.settings.noise,
            generator,
        )
        return taught(batch, self.teachers, generator)


@dataclass(frozen=True, slots=True)
class TogetherBatches:
    """All modalities of an item at once, every item once in an epoch, in an order of its own."""

    sequences: Sequences
    items: npt.NDArray[np.int64]
    """Which of the sequences are trained on."""
    normaliser: Normaliser
    settings: TrainingSettings
    teachers: Teachers | None = None

    @property
    def _batches(self) -> int:
        return -(-len(self.items) // self.settings.batch)

    @property
    def steps_in_epoch(self) -> int:
        return -(-self._batches // self.settings.accumulation)

    def count(self, step: int) -> int:
        """As many as accumulate; the last step of an epoch takes what is left."""
        done = (step - 1) % self.steps_in_epoch * self.settings.accumulation
        return min(self.settings.accumulation, self._batches - done)

    def draw(self, step: int, index: int) -> Batch:
        epoch, within = divmod(step - 1, self.steps_in_epoch)
        order = np.random.default_rng([self.settings.seed, epoch]).permutation(self.items)
        first = (within * self.settings.accumulation + index) * self.settings.batch
        some = self.sequences.take(order[first : first + self.settings.batch])
        generator = np.random.default_rng([self.settings.seed, step, index])
        kept = kept_modalities(some.present, self.settings.drop_modality, generator)
        valid = {n: some.valid[n] & kept[:, m, None] for m, n in enumerate(MODALITIES)}
        batch = batch_of(
            some.features,
            valid,
            targets_of(some, self.settings.labels.emotions),
            self.normaliser,
            self.settings.noise,
            generator,
        )
        return taught(batch, self.teachers, generator)


def targets_of(sequences: Sequences, emotions: Sequence[str]) -> Targets:
    """The labels of the items as classes among the emotions."""
    classes = class_of_label(emotions)[sequences.emotion]
    return Targets(torch.from_numpy(classes), torch.from_numpy(sequences.sentiment))


def kept_modalities(
    present: BoolArray, probability: float, generator: np.random.Generator
) -> BoolArray:
    """Of the modalities [n, 3] that are there, which stay: each is dropped with `probability`.

    A sample that would lose all keeps one of them, whichever drew the highest number [ours].
    """
    if probability == 0:
        return present
    chance = np.where(present, generator.random(present.shape), -1.0)
    kept = present & (chance >= probability)
    best = chance == chance.max(axis=1, keepdims=True)
    return np.where(kept.any(axis=1, keepdims=True), kept, best & present)
