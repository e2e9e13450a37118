"""Session time for threads that run as fast as the machine lets them."""

import threading

__all__ = ["SimulatedClock"]

POLL = 0.01
"""Seconds after which a waiting thread looks whether it was cancelled."""


class SimulatedClock:
    """Time that passes only while all who have joined wait for it, and then at once.

    It goes to the earliest moment that somebody waits for. Whoever works, or is held up by a full
    channel, stops it. So a session of hours passes through the same threads and channels in as
    many minutes as the work takes, and a test that has joined too finds time standing still.
    """

    origin = 0

    def __init__(self, start: int = 0) -> None:
        self._now = start
        self._joined = 0
        self._waiting: dict[threading.Condition, int] = {}
        """Until when somebody waits; each is woken alone, when its time has come."""
        self._lock = threading.RLock()

    def now(self) -> int:
        return self._now

    def join(self) -> None:
        with self._lock:
            self._joined += 1

    def leave(self) -> None:
        with self._lock:
            self._joined -= 1
            self._move()

    def jump(self, duration: int) -> None:
        """Let `duration` nanoseconds pass at once, as when the machine sleeps."""
        with self._lock:
            self._now += duration
            self._wake()

    def wait_until(self, time: int, cancelled: threading.Event) -> bool:
        me = threading.Condition(self._lock)
        with self._lock:
            if self._now < time:
                self._waiting[me] = time
                self._move()
            try:
                while self._now < time:
                    me.wait(POLL)
                    if cancelled.is_set():
                        return False
                return not cancelled.is_set()
            finally:
                self._waiting.pop(me, None)

    def _move(self) -> None:
        if self._waiting and len(self._waiting) >= self._joined:
            self._now = max(self._now, min(self._waiting.values()))
            self._wake()

    def _wake(self) -> None:
        for one in [one for one, time in self._waiting.items() if time <= self._now]:
            del self._waiting[one]  # it works again, though it may not have woken yet
            one.notify()
