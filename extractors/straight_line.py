"""A straight line through points that come in pieces."""

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

__all__ = ["Line"]

SHORTEST = 60.0
"""Of x, in seconds; the slope of less says nothing, as files round times to a millisecond."""

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

    def add_one(self, x: float, y: float) -> None:
        """Add a point of finite numbers."""
        self.count += 1
        self.largest = max(self.largest, abs(y))
        self.first, self.last = min(self.first, x), max(self.last, x)
        self._sums += (x, y, x * x, x * y)

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
