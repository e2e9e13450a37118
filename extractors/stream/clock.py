"""Where session time comes from. Tests and replay move a clock; nobody sleeps to pass time."""

import time
from typing import Protocol

__all__ = ["Clock", "MonotonicClock", "VirtualClock"]


class Clock(Protocol):
    """A source of session time."""

    def now(self) -> int:
        """Session time in nanoseconds; never decreases."""
        ...


class MonotonicClock:
    """The machine's monotonic clock, with zero at the start of the session."""

    def __init__(self) -> None:
        self._zero = time.monotonic_ns()

    def now(self) -> int:
        return time.monotonic_ns() - self._zero


class VirtualClock:
    """A clock that stands still until it is moved."""

    def __init__(self, start: int = 0) -> None:
        self._now = start

    def now(self) -> int:
        return self._now

    def advance(self, duration: int) -> None:
        """Move on by `duration` nanoseconds. Raises ValueError for a negative one."""
        if duration < 0:
            raise ValueError("a clock never goes back")
        self._now += duration
