"""Half a minute of a person at rest, counted while it happens.

It counts only while all that is awaited is there: one face, and someone who speaks.
"""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from extractors.features import FloatArray
from extractors.stream import SECOND, Sample
from inference.calibration import RestingPerson

__all__ = ["WANTED", "RestTaking"]

WANTED = 30 * SECOND
RECENT = SECOND
"""What was not there for so long is gone, as for a window."""
SETTLING = 5 * SECOND
"""What the voice of the last seconds gets to come; it is some seconds late while someone speaks."""
STALL = SECOND
"""Between two looks; what is longer was a pause, or the machine stood still, and does not count."""


class RestTaking:
    """Takes samples of the face and the voice, and looks at the clock. Used by one thread.

    Deterministic: time is what `look` is told. Voice comes up to some seconds late; it counts if it
    is of a time that has counted.
    """

    def __init__(self, steps: Mapping[str, int], wanted: int = WANTED) -> None:
        """`steps`: the length of a step of each modality that has a rest, in nanoseconds."""
        self.counted = 0
        """Nanoseconds of rest so far."""
        self.missing: tuple[str, ...] = ()
        """What is waited for."""
        self.wanted = wanted
        self._steps = dict(steps)
        self._sums: dict[str, dict[int, tuple[FloatArray, int]]] = {name: {} for name in steps}
        """Of the features in each step, and how many samples they are of."""
        self._seen: dict[str, int] = {}
        self._spans: list[tuple[int, int]] = []
        """From when until when it counted."""
        self._looked: int | None = None
        self._heard = 0
        """Until when the voice has come."""

    def add(self, sample: Sample[Any]) -> None:
        """Take a sample; other streams are passed over."""
        if sample.stream == "tentative voice":  # not settled, but it tells that someone speaks
            spoken = [s.end for s in sample.data if s.data.vector is not None]
            self._seen["voice"] = max([self._seen.get("voice", 0), *spoken])
            return
        if sample.stream == "voice":
            self._heard = sample.end
        sums = self._sums.get(sample.stream)
        vector = None if sums is None or sample.data is None else sample.data.vector
        if sums is None or vector is None or getattr(sample.data, "faces", 1) > 1:
            return
        name = sample.stream
        self._seen[name] = max(self._seen.get(name, 0), sample.end)
        if (self.missing or self.counted >= self.wanted) and sample.end > self._until:
            return
        step = sample.end // self._steps[name]
        total, number = sums.get(step, (np.zeros_like(vector), 0))
        sums[step] = (total + vector, number + 1)

    def look(self, now: int, awaited: Collection[str]) -> bool:
        """Count up to `now` if all that is awaited is there; whether it is enough, and settled."""
        if self.counted >= self.wanted:
            late = "voice" in awaited and self._heard < self._until
            return not late or now - self._until > SETTLING
        since, self._looked = self._looked, now
        gone = [name for name in awaited if self._seen.get(name, -RECENT) <= now - RECENT]
        self.missing = tuple(gone)
        if since is None or gone or not awaited or now - since > STALL:
            return False
        if self._spans and self._until == since:
            since_before, _ = self._spans.pop()
            self._spans.append((since_before, now))
        else:
            self._spans.append((since, now))
        self.counted += now - since
        return False

    def person(self) -> RestingPerson:
        """Who was there while it counted; a modality of less than 5 s is left out."""
        rows = {}
        for name, sums in self._sums.items():
            length = self._steps[name]
            means = [total / n for step, (total, n) in sums.items() if self._counts(step, length)]
            if means:
                rows[name] = np.asarray(means, np.float32)
        return RestingPerson.measured(rows, {n: np.ones(len(r), np.bool_) for n, r in rows.items()})

    @property
    def _until(self) -> int:
        return self._spans[-1][1] if self._spans else 0

    def _counts(self, step: int, length: int) -> bool:
        middle = step * length + length // 2
        return any(since < middle <= until for since, until in self._spans)
