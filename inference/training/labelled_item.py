"""One labelled thing of a corpus, before anything is extracted from it."""

import math
from dataclasses import dataclass
from pathlib import Path

from extractors.features import FloatArray

__all__ = ["LabelledItem"]


@dataclass(frozen=True, slots=True)
class LabelledItem:
    """One labelled clip, picture, utterance, or part of a recording.

    `person` is whom a split keeps together; `split` names the corpus's own split, if it has one.
    """

    id: str
    person: str
    emotion: str | None
    """One of `LABELS`; None is unknown."""
    sentiment: float
    """In [-3, 3]; NaN is unknown."""
    path: Path | None = None
    text: str = ""
    split: str = ""
    start: float = 0.0
    end: float = math.inf
    """The part of the recording that the label is of, in seconds."""
    action_units: FloatArray | None = None
    """float32 [35] that came with the item."""
