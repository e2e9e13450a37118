"""Something slow, done in a thread while the window asks now and then whether it is done."""

import logging
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from assets.errors import AffectscopeError

__all__ = ["Background"]

log = logging.getLogger(__name__)

T = TypeVar("T")


class Background(Generic[T]):
    """Runs `work` once, at once. The thread never touches a widget."""

    def __init__(self, name: str, work: Callable[[], T]) -> None:
        self._work = work
        self._result: list[T] = []
        self.failure: str | None = None
        """One line, if it failed."""
        self._thread = threading.Thread(target=self._run, name=f"affectscope {name}", daemon=True)
        self._thread.start()

    @property
    def done(self) -> bool:
        return bool(self._result) or self.failure is not None

    @property
    def result(self) -> T | None:
        """None until it is done, or if it failed."""
        return self._result[0] if self._result else None

    def join(self, seconds: float) -> bool:
        """Wait at most so long; whether the thread has ended."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._result.append(self._work())
        except AffectscopeError as error:
            self.failure = str(error)
        except Exception as error:
            log.exception("%s failed", self._thread.name)
            self.failure = f"{type(error).__name__}: {error}"
