"""The last hour of a timeline, which grows and whose newest rows may still change."""

from dataclasses import fields

import numpy as np
import numpy.typing as npt

from extractors.timeline import Timeline

__all__ = ["TimelineBuffer"]

FIELDS = tuple(field.name for field in fields(Timeline))


class TimelineBuffer:
    """Written by one thread. What `timeline` gives is a view, made in microseconds however long.

    A reader sees rows that are complete; a row that is replaced while it is read may be partly old.
    """

    def __init__(self, rows: int) -> None:
        """`rows`: how many are kept at least; there is room for a quarter more."""
        self._kept = rows
        self._room = rows + max(1, rows // 4)
        empty = Timeline.empty()
        self._arrays: dict[str, npt.NDArray[np.generic]] = {}
        for name in FIELDS:
            like = getattr(empty, name)
            self._arrays[name] = np.zeros((self._room, *like.shape[1:]), like.dtype)
        self._size = 0

    def append(self, part: Timeline) -> None:
        """Add rows behind the others."""
        size = self._size
        if size + len(part) > self._room:
            # readers hold views of the old arrays: they are left as they are
            keep = min(self._kept - 1, size)
            fresh = {name: np.zeros_like(array) for name, array in self._arrays.items()}
            for name, array in self._arrays.items():
                fresh[name][:keep] = array[size - keep : size]
            self._arrays, size = fresh, keep
        for name in FIELDS:
            self._arrays[name][size : size + len(part)] = getattr(part, name)
        self._size = size + len(part)
        self._view = Timeline(*(self._arrays[name][: self._size] for name in FIELDS))  # type: ignore[arg-type]

    def replace(self, part: Timeline) -> None:
        """Put rows in the place of those at the same times."""
        times = self._arrays["time"][: self._size]
        for i, time in enumerate(part.time):
            row = int(np.searchsorted(times, time))
            if row < self._size and times[row] == time:
                for name in FIELDS:
                    self._arrays[name][row] = getattr(part, name)[i]

    _view = Timeline.empty()

    def timeline(self) -> Timeline:
        """All rows that are kept."""
        return self._view
