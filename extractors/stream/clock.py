"""Where session time comes from. Tests and replay move a clock; nobody sleeps to pass time."""

import threading
import time
from typing import Protocol

from extractors.stream.sample import SECOND

__all__ = [
    "Clock",
    "MonotonicClock",
    "PacedClock",
    "SessionClock",
    "VirtualClock",
    "time_since_boot",
]


class Clock(Protocol):
    """A source of session time."""

    def now(self) -> int:
        """Session time in nanoseconds; never decreases."""
        ...


class PacedClock(Clock, Protocol):
    """A clock that threads wait for."""

    @property
    def origin(self) -> int:
        """Where on `time_since_boot` it is zero; 0 if it has nothing to do with it."""
        ...

    def wait_until(self, time: int, cancelled: threading.Event) -> bool:
        """Wait until `now()` is `time`; returns False as soon as `cancelled` is set."""
        ...

    def join(self) -> None:
        """Say that one more thread is going to wait for this clock, again and again."""
        ...

    def leave(self) -> None:
        """Say that it will not any more."""
        ...


class MonotonicClock:
    """The machine's monotonic clock, with zero at the start of the session."""

    def __init__(self) -> None:
        self._zero = time.monotonic_ns()

    def now(self) -> int:
        return time.monotonic_ns() - self._zero


class SessionClock:
    """The clock of a live session: as the monotonic one, but it goes on while the machine sleeps.

    So a session that the lid was closed on has a gap, and not two moments that seem to touch.
    """

    def __init__(self) -> None:
        self._zero = time_since_boot()

    @property
    def origin(self) -> int:
        return self._zero

    def now(self) -> int:
        return time_since_boot() - self._zero

    def wait_until(self, time: int, cancelled: threading.Event) -> bool:
        while (left := time - self.now()) > 0:
            if cancelled.wait(left / SECOND):
                return False
        return not cancelled.is_set()

    def join(self) -> None:
        """Real time passes whoever waits."""

    def leave(self) -> None:
        """Real time passes whoever waits."""


def time_since_boot() -> int:
    """Nanoseconds, sleep included: all processes of a machine read the same."""
    which = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic_ns() if which is None else time.clock_gettime_ns(which)


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
