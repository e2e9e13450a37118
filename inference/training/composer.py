"""Training batches: windows of equal emotion from different corpora, composed, with parts missing.

No corpus here has all three modalities. A batch picks a subset of the modalities; each sample picks
an emotion and then, for each modality, an example with this emotion, whoever it is of. What is left
out is absent, exactly as a face out of the picture is in live use.
"""

import math
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assets.errors import BadInput
from extractors.features import MODALITIES, FloatArray
from extractors.stream import SECOND
from extractors.stream.window import ContextWindow, StepWindow, Window, WindowSpec
from inference.training.examples import Example
from inference.training.made_faces import enlivened, measure_slopes

__all__ = ["SUBSETS", "Composer"]

SUBSETS: Mapping[tuple[str, ...], float] = {
    ("text",): 0.20,
    ("voice",): 0.27,
    ("face",): 0.18,
    ("text", "voice"): 0.05,
    ("text", "face"): 0.05,
    ("voice", "face"): 0.05,
    ("text", "voice", "face"): 0.20,
}
"""How often a training sample has which modalities; a voice alone most often, for other speakers
are read the better the more steps there are of it."""
SHORTEST = 6
"""Fewest steps of a voice or face in a training window; live windows begin as short as that."""


@dataclass(frozen=True, slots=True)
class Composed:
    """A training sample: one window with the modalities of its subset, and its labels."""

    window: Window
    emotion: int
    sentiment: float


class Composer:
    """Draws training samples; the same generator state gives the same samples."""

    def __init__(
        self,
        examples: Sequence[Example],
        spec: WindowSpec,
        generator: np.random.Generator,
        balance: float = 0.5,
        turning: float = 0.3,
        modalities: Sequence[str] = MODALITIES,
    ) -> None:
        """See `TrainingSettings` for `balance`, `turning` and `modalities`.

        Every modality in use needs examples; emotions that none of them has are never drawn. Raises
        BadInput if there are modalities without an emotion in common.
        """
        self._spec = spec
        self._balance = balance
        self._turning = turning
        self._generator = generator
        self._pools: dict[str, dict[int, list[Example]]] = {name: {} for name in modalities}
        for example in examples:
            for name in self._pools if example.emotion >= 0 else ():
                if name not in example.samples:
                    continue
                self._pools[name].setdefault(example.emotion, []).append(example)
        if not set.intersection(*(set(pool) for pool in self._pools.values())):
            raise BadInput("no emotion has examples of all modalities: there is nothing to compose")
        self._wanted: dict[tuple[str, ...], tuple[list[int], npt.NDArray[np.float64]]] = {}
        self._subsets = [subset for subset in SUBSETS if set(subset) <= set(modalities)]
        self._slopes = self._slopes_of_faces()
        weights = np.asarray([SUBSETS[subset] for subset in self._subsets])
        self._weights = weights / weights.sum()

    def _slopes_of_faces(self) -> FloatArray:
        pools = self._pools.get("face", {}).values()
        faces = [example for pool in pools for example in pool]
        return measure_slopes(faces) if faces else np.zeros((0, 0), np.float32)

    def drawing(self, generator: np.random.Generator) -> "Composer":
        """The same composer, which draws from another generator."""
        other = copy(self)
        other._generator = generator
        return other

    def draw_subset(self) -> tuple[str, ...]:
        """Modalities for a batch, as often as `SUBSETS` says."""
        return self._subsets[self._generator.choice(len(self._subsets), p=self._weights)]

    def draw(self, subset: tuple[str, ...]) -> Composed:
        """One composed sample with the modalities of `subset`."""
        emotion = self._draw_emotion(subset)
        parts = {name: self._part(name, emotion) for name in subset}
        end = next(iter(parts.values()))[1].end
        features = {n: np.zeros((m.steps, m.features), np.float32) for n, m in self._shapes}
        valid = {n: np.zeros(m.steps, np.bool_) for n, m in self._shapes}
        for name, (_, window) in parts.items():
            features[name], valid[name] = window.features[name], window.valid[name]
        known = [e.sentiment for e, _ in parts.values() if not math.isnan(e.sentiment)]
        sentiment = float(np.mean(known)) if known else math.nan
        return Composed(Window(end, features, valid), emotion, sentiment)

    @property
    def _shapes(self) -> list[tuple[str, StepWindow | ContextWindow]]:
        return list(self._spec.modalities.items())

    def _draw_emotion(self, subset: tuple[str, ...]) -> int:
        """An emotion that all modalities of the subset have."""
        if subset not in self._wanted:
            shared = sorted(set.intersection(*(set(self._pools[name]) for name in subset)))
            weights = np.mean([self._frequencies(name, shared) for name in subset], axis=0)
            self._wanted[subset] = shared, weights
        emotions, often = self._wanted[subset]
        return int(self._generator.choice(emotions, p=often))

    def _frequencies(self, name: str, emotions: Sequence[int]) -> npt.NDArray[np.float64]:
        """How often a modality wants each emotion; they sum to 1.

        Only dialogue tells how often emotions occur. Actors and volunteers were asked for each.
        """
        if name != "text":
            return np.full(len(emotions), 1 / len(emotions))
        counts = np.asarray([len(self._pools[name][e]) for e in emotions]) ** self._balance
        return np.asarray(counts / counts.sum())

    def _part(self, name: str, emotion: int) -> tuple[Example, Window]:
        pool = self._pools[name][emotion]
        example = pool[int(self._generator.integers(len(pool)))]
        window = example.window(self._spec, self._moment(name, example))
        if name == "face":
            if self._generator.random() < self._turning:
                self._turn(window)
            shown = window.valid["face"]
            moving = enlivened(window.features["face"], self._slopes, self._generator)
            window.features["face"][:] = np.where(shown[:, None], moving, 0)
        return example, window

    def _turn(self, window: Window) -> None:
        """Let the window of a face begin with another face: what counts is how it ends."""
        pool = self._pools["face"][int(self._generator.choice(list(self._pools["face"])))]
        other = pool[int(self._generator.integers(len(pool)))].window(self._spec)
        steps = len(window.valid["face"])
        until = int(self._generator.integers(max(1, steps - SHORTEST)))
        window.features["face"][:until] = other.features["face"][:until]
        window.valid["face"][:until] = other.valid["face"][:until]

    def _moment(self, name: str, example: Example) -> int:
        """When the window of a part ends: often early, so that short beginnings are learned too."""
        if name == "text" or self._generator.random() < 0.5:
            return example.end
        first = min(s.end for s in example.samples[name] if s.data.vector is not None)
        earliest = min(example.end, first + SHORTEST * SECOND // 10)
        return int(self._generator.integers(earliest, example.end + 1))
