"""One set of models for all threads of a session."""

import threading
from collections.abc import Callable
from typing import Any

__all__ = ["Shared"]


class Shared:
    """A value made by the first thread that asks, as `inference.models` makes its models."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._made: list[Any] = []

    def __call__(self) -> Any:
        with self._lock:
            if not self._made:
                self._made.append(self._make())
            return self._made[0]
