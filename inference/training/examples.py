"""Labelled examples as time-stamped samples."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from assets.errors import BadInput
from extractors.features import EMOTIONS, MODALITIES, FloatArray
from extractors.stream import Sample
from extractors.stream.window import Window, WindowSpec, build_window

__all__ = [
    "LABELS",
    "STREAMS",
    "Example",
    "ExampleSet",
    "Row",
    "StatesOfWords",
    "require_widths",
    "rows_of",
]

LABELS = (*EMOTIONS, "calm", "contempt")
"""Every emotion that a label can name: those of the app, and others that corpora have."""

STREAMS = (*MODALITIES, "action_units")
"""Samples that an example can have; a configuration says which of them a modality is made of."""


@dataclass(frozen=True, slots=True)
class Row:
    """Data of a stored sample of voice or face: its features, or None where it was absent."""

    vector: FloatArray | None


@dataclass(frozen=True, slots=True)
class StatesOfWords:
    """Data of a stored sample of text: ends in session nanoseconds and states [words, 768]."""

    ends: tuple[int, ...]
    states: FloatArray


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled item as samples of the modalities that it has.

    `emotion` indexes `LABELS`, -1 is unknown; `sentiment` lies in [-3, 3], NaN is
    unknown. Variants above 0 are augmentations of the same item: train on them, never test on them.
    """

    id: str
    person: str
    emotion: int
    sentiment: float
    split: str = ""
    variant: int = 0
    samples: dict[str, tuple[Sample[Any], ...]] = field(default_factory=dict)

    @property
    def end(self) -> int:
        """Session time at which the last thing was there, in nanoseconds."""
        return max(_last_present(samples) for samples in self.samples.values())

    def window(self, spec: WindowSpec, end: int | None = None) -> Window:
        """The window that ends at `end`, by default when the last thing was there."""
        return build_window(spec, self.end if end is None else end, self.samples)


def _last_present(samples: Sequence[Sample[Any]]) -> int:
    ends = [s.end for s in samples if getattr(s.data, "vector", 0) is not None]
    return max(ends, default=samples[-1].end)


@dataclass(frozen=True, slots=True)
class ExampleSet:
    """The examples of one corpus and where they came from."""

    kind: str
    examples: tuple[Example, ...]
    origin: dict[str, Any] = field(default_factory=dict)


def rows_of(sample: Sample[Any]) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    """Rows [n, features] and their ends [n] of one sample; absent ones have no row."""
    if hasattr(sample.data, "states") and hasattr(sample.data, "ends"):
        return sample.data.states, np.asarray(sample.data.ends, np.int64)
    vector = sample.data.vector
    if vector is None:
        return np.zeros((0, 0), np.float32), np.zeros(0, np.int64)
    return vector[None, :], np.asarray([sample.end], np.int64)


def require_widths(examples: Sequence[Example], spec: WindowSpec) -> None:
    """Raise BadInput unless the features of the examples are as wide as the windows want them."""
    for example in examples:
        for name, samples in example.samples.items():
            wanted = spec.modalities[name].features
            width = next((w for w in map(_width, samples) if w is not None), wanted)
            if width != wanted:
                raise BadInput(
                    f"samples.npz field {name}.rows of example {example.id} has {width} features "
                    f"of {name}, the windows want {wanted}; run: affectscope extract"
                )


def _width(sample: Sample[Any]) -> int | None:
    rows, _ = rows_of(sample)
    return rows.shape[1] if len(rows) else None
