"""What every outlet does, and the row that it is given."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from extractors.features import MODALITIES
from extractors.recording.observations import Marker
from extractors.stream import from_seconds
from extractors.timeline import Timeline

__all__ = ["PRESENT", "Outlet", "OutletRow", "outlet_rows"]

PRESENT = ("face", "voice", "words")
"""Names of the modalities as others see them, in the order of `OutletRow.present`."""


@dataclass(frozen=True, slots=True)
class OutletRow:
    """One prediction."""

    time: int
    """End of its window: session nanoseconds, by the clock that stamped the capture."""
    emotions: tuple[float, ...]
    """Probabilities in the order of `EMOTIONS`; all 1/7 where nothing is present."""
    sentiment: float | None
    """-3 to 3; None where nothing is present."""
    present: tuple[bool, bool, bool]
    """In the order of `PRESENT`."""
    uncertainty: float | None
    """Of the emotions, 0 to 1; None where a session did not keep it."""


class Outlet(Protocol):
    """Hands predictions to another program. Used by one thread.

    `send` and `mark` never raise because nobody listens; what they raise ends this outlet alone.
    """

    def send(self, row: OutletRow) -> None: ...

    def mark(self, time: int, marker: Marker) -> None:
        """`time` in session nanoseconds."""
        ...

    def close(self) -> None:
        """Free what is held. Twice does no harm."""
        ...


def outlet_rows(timeline: Timeline) -> Iterator[OutletRow]:
    """The rows of a timeline."""
    columns = [MODALITIES.index(name) for name in ("face", "voice", "text")]
    for i in range(len(timeline)):
        sentiment, uncertainty = float(timeline.sentiment[i]), float(timeline.uncertainty[i])
        face, voice, words = (bool(timeline.present[i, column]) for column in columns)
        yield OutletRow(
            from_seconds(float(timeline.time[i])),
            tuple(float(value) for value in timeline.emotions[i]),
            sentiment if np.isfinite(sentiment) else None,
            (face, voice, words),
            uncertainty if np.isfinite(uncertainty) else None,
        )
