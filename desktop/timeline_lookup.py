"""What a timeline says at one moment."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from extractors.features import MODALITIES
from extractors.timeline import EDGES, Timeline

__all__ = ["Moment", "moment_at"]

REACH = 0.5
"""Seconds that a row reaches back before the first one, and ahead of the last one."""

UNSEEN = np.zeros(len(EDGES), np.float32)


@dataclass(frozen=True, slots=True)
class Moment:
    """One row of a timeline, or None in every field where there is none."""

    emotions: npt.NDArray[np.float32] | None = None
    """[7], None where nothing is known."""
    sentiment: float = float("nan")
    present: tuple[bool, ...] | None = None
    """Text, voice, face; None where nothing was analysed."""
    homogeneous: npt.NDArray[np.float32] = field(default_factory=lambda: UNSEEN)
    heterogeneous: npt.NDArray[np.float32] = field(default_factory=lambda: UNSEEN)
    time: float = -1.0
    """Seconds of the row, negative without one."""

    def same_row(self, other: "Moment") -> bool:
        """Whether both stand for the same row."""
        return self.time == other.time


def moment_at(timeline: Timeline, seconds: float) -> Moment:
    """The newest row at or before `seconds`; a row holds for at most `REACH` where none follows."""
    if not len(timeline):
        return Moment()
    row = int(np.searchsorted(timeline.time, seconds + 1e-9, side="right")) - 1
    if row < 0:
        if timeline.time[0] - seconds > REACH:
            return Moment()
        row = 0
    elif row == len(timeline) - 1 and seconds - timeline.time[row] > REACH:
        return Moment()
    present = tuple(bool(timeline.present[row, i]) for i in range(len(MODALITIES)))
    return Moment(
        emotions=timeline.emotions[row] if any(present) else None,
        sentiment=float(timeline.sentiment[row]),
        present=present,
        homogeneous=timeline.homogeneous[row],
        heterogeneous=timeline.heterogeneous[row],
        time=float(timeline.time[row]),
    )
