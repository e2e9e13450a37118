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
TENTH = SECOND // 10
RECENT = SECOND
"""What was not there for so long is gone, as for a window."""
LATE = 5 * SECOND
"""What has not told for so long whether it is there is not: a source that was lost."""
SETTLING = 5 * SECOND
"""What the voice of the last seconds gets to come; it is some seconds late while someone speaks."""


class RestTaking:
    """Takes samples of the face and the voice, and looks at the clock. Used by one thread.

    What counts is decided for each tenth of a second once it is known of all that is awaited
    whether it was there: on a slow machine the voice is told of a second or more later.
    Deterministic: time is what `look` is told.
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
        self._known: dict[str, int] = {}
        """Until when it has been told of each modality whether it is there."""
        self._seen: dict[str, set[int]] = {name: set() for name in steps}
        """The tenths in which it was."""
        self._counting: set[int] = set()
        """The tenths that counted."""
        self._looked: int | None = None
        """Until when that is decided."""
        self._heard = 0
        """Until when the voice has settled."""

    def add(self, sample: Sample[Any]) -> None:
        """Take a sample; other streams are passed over."""
        if sample.stream == "tentative voice":  # not settled, but it tells that someone speaks
            for one in sample.data:
                self._tell("voice", one)
            return
        sums = self._sums.get(sample.stream)
        if sums is None or sample.data is None:
            return
        if sample.stream == "voice":
            self._heard = sample.end
        vector = sample.data.vector
        if self._tell(sample.stream, sample) and self._may_count(sample.end):
            step = (sample.end - 1) // self._steps[sample.stream]
            total, number = sums.get(step, (np.zeros_like(vector), 0))
            sums[step] = (total + vector, number + 1)

    def look(self, now: int, awaited: Collection[str]) -> bool:
        """Count as far as it is known who was there; whether it is enough, and settled."""
        if self.counted >= self.wanted:
            late = "voice" in awaited and self._heard < self._until
            return not late or now - self._until > SETTLING
        if self._looked is None:
            self._looked = now - now % TENTH
        known = min((self._known.get(name, 0) for name in awaited), default=0)
        until = max(min(known, now), now - LATE)
        while self._looked + TENTH <= until and self.counted < self.wanted:
            self._looked += TENTH
            self.missing = tuple(n for n in awaited if not self._was_there(n, self._looked))
            if awaited and not self.missing:
                self._counting.add(self._looked // TENTH)
                self.counted += TENTH
        for name, seen in self._seen.items():
            self._seen[name] = {t for t in seen if t * TENTH > self._looked - RECENT}
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

    def _tell(self, name: str, sample: Sample[Any]) -> bool:
        """Note whether a modality is there; two faces are not one person."""
        self._known[name] = max(self._known.get(name, 0), sample.end)
        there = sample.data.vector is not None and getattr(sample.data, "faces", 1) <= 1
        if there and name in self._seen:
            self._seen[name].add(_tenth(sample.end))
        return there

    def _was_there(self, name: str, at: int) -> bool:
        last = at // TENTH
        return not self._seen[name].isdisjoint(range(last - RECENT // TENTH + 1, last + 1))

    @property
    def _until(self) -> int:
        """End of what counted last."""
        return max(self._counting) * TENTH if self._counting else 0

    def _may_count(self, end: int) -> bool:
        """Whether a sample can be of a tenth that counts: of what is decided, only if it does."""
        if self._looked is None or end > self._looked:
            return self.counted < self.wanted
        return _tenth(end) in self._counting

    def _counts(self, step: int, length: int) -> bool:
        return _tenth(step * length + length // 2) in self._counting


def _tenth(time: int) -> int:
    """Which tenth of a second of the session a time is in; its end is in it, its beginning not."""
    return -(-time // TENTH)
