"""How long an analysis will still take."""

from desktop.time_format import clock_text, span_text

__all__ = ["Progress"]

MEMORY = 0.85
"""Part of the older speed that is kept at each look; five looks a second forget in about 1 s."""
SETTLING = 1.0
"""Seconds of watching before a time is named."""


class Progress:
    """Smoothed speed of the analysis, from looks at how far it is. Times are seconds."""

    def __init__(self) -> None:
        self._first: float | None = None
        self._last = (0.0, 0.0)
        self._speed: float | None = None

    def look(self, now: float, analysed: float) -> None:
        """Take note that at `now` the recording was analysed until `analysed`."""
        if self._first is None:
            self._first = now
            self._last = (now, analysed)
            return
        elapsed = now - self._last[0]
        if elapsed <= 0:
            return
        speed = max(0.0, analysed - self._last[1]) / elapsed
        self._last = (now, analysed)
        self._speed = speed if self._speed is None else MEMORY * self._speed + (1 - MEMORY) * speed

    def left(self, duration: float) -> float | None:
        """Seconds until the end; None while it cannot be told."""
        if self._first is None or not self._speed or self._last[0] - self._first < SETTLING:
            return None
        return (duration - self._last[1]) / self._speed

    def text(self, analysed: float, duration: float) -> str:
        """Analysed 0:03 of 0:12, 4 s left."""
        left = self.left(duration)
        done = (
            f"Analysed {clock_text(analysed, tenths=False)} of {clock_text(duration, tenths=False)}"
        )
        return done if left is None else f"{done}, {span_text(left)} left"
