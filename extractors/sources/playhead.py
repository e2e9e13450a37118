"""Where a file that plays as if it were a device is now."""

import threading

from extractors.stream import SECOND, Clock

__all__ = ["Playheads"]


class Playheads:
    """When each file began. Pictures and sound of one file share it, and so keep together.

    A file plays from its first use on, like a device that goes on whether anybody looks or not;
    `restart` begins all of them anew.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._began: dict[str, int] = {}
        self.generation = 0
        """How often they were begun anew."""

    def began(self, path: str) -> tuple[int, int]:
        """Session nanoseconds at which the file began, and the generation that this is of."""
        with self._lock:
            return self._began.setdefault(path, self._clock.now()), self.generation

    def restart(self) -> None:
        with self._lock:
            soon = self._clock.now() + SECOND // 1000  # later than all that was read before
            self._began = dict.fromkeys(self._began, soon)
            self.generation += 1
