"""What the window shows: a finished session on disk, or an analysis that still runs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from desktop.marks import Mark
from extractors.features import Word
from extractors.timeline import Timeline

__all__ = ["Recording"]


class Recording(Protocol):
    """The window pulls; nothing here may block for longer than a few milliseconds.

    Every member is read by the thread of the window only; an implementation that runs an analysis
    guards its own state.
    """

    @property
    def title(self) -> str:
        """The name in the head of the window."""
        ...

    @property
    def media(self) -> Path | None:
        """The video to play; None where it is gone."""
        ...

    @property
    def session(self) -> Path | None:
        """The folder of the whole session; None while it is in the making."""
        ...

    @property
    def duration(self) -> float:
        """Seconds."""
        ...

    @property
    def analysed_until(self) -> float:
        """Seconds; equal to `duration` when complete."""
        ...

    @property
    def complete(self) -> bool:
        """Whether nothing more will come."""
        ...

    @property
    def failure(self) -> str | None:
        """One line that says what went wrong, or None."""
        ...

    @property
    def interruption(self) -> str | None:
        """One line: when a recording was cut off and what is lost; None if it was not."""
        ...

    def timeline(self) -> Timeline:
        """A snapshot; cheap, as it is asked for five times a second while not complete."""
        ...

    def words(self) -> Sequence[Word]:
        """A snapshot in the order of time; cheap."""
        ...

    def marks(self) -> Sequence[Mark]:
        """What was marked and what happened, in the order of time; cheap."""
        ...

    def landmarks_at(self, time: float) -> npt.NDArray[np.float32] | None:
        """[478, 3] of the newest picture at or before `time` seconds; None without a face.

        x and y are fractions of the picture's width and height.
        """
        ...

    def close(self) -> None:
        """Stop what still runs and free the files. Called once."""
        ...
