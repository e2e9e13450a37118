"""The certificate of a recording: how far what was written is from when it was captured."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Line", "certificate"]

SHORTEST = 60.0
"""Seconds; the slope of less says nothing, as the file rounds times to a millisecond."""
HOUR = 3600.0
GAP = 1.75
"""A step between pictures this many times the usual one is where pictures are missing."""

Floats = npt.NDArray[np.float64]


@dataclass(slots=True)
class Line:
    """A straight line through points that come in pieces, by least squares."""

    count: int = 0
    largest: float = 0.0
    """The largest absolute value seen."""
    first: float = math.inf
    last: float = -math.inf
    _sums: Floats = field(default_factory=lambda: np.zeros(4))

    def add(self, x: Floats, y: Floats) -> None:
        """Add points [n] and [n]; those that are not finite do not count."""
        usable = np.isfinite(x) & np.isfinite(y)
        x, y = x[usable], y[usable]
        if len(x):
            self.count += len(x)
            self.largest = max(self.largest, float(np.abs(y).max()))
            self.first, self.last = min(self.first, float(x[0])), max(self.last, float(x[-1]))
            self._sums += (x.sum(), y.sum(), (x * x).sum(), (x * y).sum())

    @property
    def mean(self) -> float | None:
        return float(self._sums[1] / self.count) if self.count else None

    @property
    def slope(self) -> float | None:
        """Per unit of x; None where the points are too few or too close to tell."""
        if self.count < 2 or self.last - self.first < SHORTEST:
            return None
        x, y, xx, xy = self._sums
        return float((self.count * xy - x * y) / (self.count * xx - x * x))


def certificate(
    pictures: Iterable[Mapping[str, Floats]], sound: Iterable[Mapping[str, Floats]]
) -> dict[str, Any]:
    """What the manifest says of synchrony, from pieces of the tables `pictures` and `sound`.

    - offset_ms: how much later than the pictures the sound is in the file, against how both were
      captured; None where one of them is missing
    - worst_ms: the largest distance of a picture plus that of a block of sound from its capture
    - drift_ms_per_hour: how that offset grows; None for less than a minute
    - sound_clock_ms_per_hour: how the sound card's count runs away from the capture clock, which
      the file's times make up for
    - dropped_frames: pictures that were recorded but could not be written
    - missing_frames: pictures that never came, by the gaps between capture times
    - missing_sound_ms: silence put where sound was missing
    - cut_sound_ms: sound left out because its times overlap
    """
    shown, heard, card = Line(), Line(), Line()
    dropped, missing = 0, 0
    last, usual = math.nan, math.nan
    written_any = False
    for piece in pictures:
        time, written = piece["time"], piece["written"]
        shown.add(time, (written - time) * 1000)
        dropped += int(np.isnan(written).sum())
        written_any |= bool(np.isfinite(written).any())
        for at in time:
            step = float(at) - last
            if step > GAP * usual:
                missing += round(step / usual) - 1
            elif step > 0:
                usual = step if math.isnan(usual) else usual + 0.1 * (step - usual)
            last = float(at)
    filled, cut, first = 0.0, 0.0, True
    for piece in sound:
        start, written, shift = piece["start"], piece["written"], piece["filled"]
        heard.add(start, (written - start) * 1000)
        shift = np.nan_to_num(shift)
        if first and len(shift):
            first, shift = False, np.concatenate([[0.0], shift[1:]])  # before it began
        filled, cut = filled + shift[shift > 0].sum(), cut - shift[shift < 0].sum()
        card.add(start, (start - piece["counted"]) * 1000)
    known = heard.count + shown.count > 0
    return {
        "offset_ms": _difference(heard.mean, shown.mean),
        "worst_ms": _rounded(heard.largest + shown.largest) if known else None,
        "drift_ms_per_hour": _difference(heard.slope, shown.slope, HOUR),
        "sound_clock_ms_per_hour": _difference(card.slope, 0.0, HOUR),
        "dropped_frames": dropped if written_any else 0,
        "missing_frames": missing,
        "missing_sound_ms": _rounded(filled * 1000),
        "cut_sound_ms": _rounded(cut * 1000),
    }


def _difference(a: float | None, b: float | None, unit: float = 1.0) -> float | None:
    return None if a is None or b is None else _rounded((a - b) * unit)


def _rounded(value: float) -> float:
    return round(float(value), 3)
