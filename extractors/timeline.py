"""The emotion timeline of a recording: one row per window, as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields

import numpy as np
import numpy.typing as npt

from extractors.features import EMOTIONS, MODALITIES

__all__ = ["EDGES", "Timeline", "uncertainty_of"]

EDGES = (
    ("voice", "text"),
    ("face", "text"),
    ("text", "voice"),
    ("face", "voice"),
    ("text", "face"),
    ("voice", "face"),
)
"""Directed edges of the distillation graph as (teacher, student), in the order of the network."""

NOT_GIVEN = np.zeros(0, np.float32)


def uncertainty_of(emotions: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """[n] entropy of calibrated probabilities [n, k] as a share of the most there can be.

    0 where one is certain, 1 where all are equal, which they are where nothing is present.
    """
    p = np.clip(emotions, 1e-12, 1.0)
    entropy = -(p * np.log(p)).sum(axis=1) / np.log(p.shape[1])
    return np.asarray(entropy.clip(0.0, 1.0), np.float32)


@dataclass(frozen=True, slots=True)
class Timeline:
    """`n` windows in the order of time.

    Where no modality is present nothing is known: the emotions are then all 1/7 and the sentiment
    is NaN, never a confident value.
    """

    time: npt.NDArray[np.float64]
    """[n] end of the window in seconds."""
    emotions: npt.NDArray[np.float32]
    """[n, 7] probabilities in the order of `EMOTIONS`; each row sums to 1."""
    sentiment: npt.NDArray[np.float32]
    """[n] in [-3, 3], NaN where unknown."""
    present: npt.NDArray[np.bool_]
    """[n, 3] whether text, voice and face were there, in the order of `MODALITIES`."""
    homogeneous: npt.NDArray[np.float32]
    """[n, 6] weights of `EDGES` in the common space; they sum to 1, or are 0 without two nodes."""
    heterogeneous: npt.NDArray[np.float32]
    """[n, 6] weights of `EDGES` in the specific space."""
    uncertainty: npt.NDArray[np.float32] = field(default_factory=lambda: NOT_GIVEN)
    """[n] of the emotions, 0 to 1; NaN in sessions that did not keep it. Without it, that of
    `uncertainty_of`."""

    def __post_init__(self) -> None:
        rows = len(self.time)
        if self.uncertainty is NOT_GIVEN:
            object.__setattr__(self, "uncertainty", uncertainty_of(self.emotions))
        expected = {
            "time": (rows,),
            "emotions": (rows, len(EMOTIONS)),
            "sentiment": (rows,),
            "present": (rows, len(MODALITIES)),
            "homogeneous": (rows, len(EDGES)),
            "heterogeneous": (rows, len(EDGES)),
            "uncertainty": (rows,),
        }
        for name in (column.name for column in fields(self)):
            shape = getattr(self, name).shape
            if shape != expected[name]:
                raise ValueError(f"{name} is {shape}, expected {expected[name]}")

    def __len__(self) -> int:
        return len(self.time)

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """[n] whether any modality was there."""
        return np.asarray(self.present.any(axis=1))

    @classmethod
    def joined(cls, parts: Sequence["Timeline"]) -> "Timeline":
        """One timeline of parts that follow each other."""
        if not parts:
            return cls.empty()
        names = [column.name for column in fields(cls)]
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))

    @classmethod
    def empty(cls) -> "Timeline":
        """A timeline without rows."""
        return cls(
            np.zeros(0),
            np.zeros((0, len(EMOTIONS)), np.float32),
            np.zeros(0, np.float32),
            np.zeros((0, len(MODALITIES)), np.bool_),
            np.zeros((0, len(EDGES)), np.float32),
            np.zeros((0, len(EDGES)), np.float32),
        )
