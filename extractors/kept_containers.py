"""Containers that stay open between two seeks in the same file."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from av.container import InputContainer

from extractors.media_open import open_media

__all__ = ["KeptContainers"]


class KeptContainers:
    """Opening reads the index of the whole file and looks at the first pictures, a seek in what is
    open does neither. Each container is used by one thread at a time; with `room` for two there is
    one for a seek also while the pass before has not quite ended. Without room none is kept.
    """

    def __init__(self, path: Path, room: int) -> None:
        self._path = path
        self._room = room
        self._guard = threading.Lock()
        self._idle: list[InputContainer] = []

    @contextmanager
    def use(self, *, anew: bool) -> Iterator[InputContainer]:
        """A container at any place, with `anew` one that nobody has read from. Raises BadInput.

        One with which something went wrong is not used again.
        """
        container: InputContainer | None = None
        with self._guard:
            if self._idle and not anew:
                container = self._idle.pop()
        container = container or open_media(self._path)
        kept = False
        try:
            try:
                yield container
            except GeneratorExit:  # who reads has seen enough
                kept = self._keep(container)
                raise
            kept = self._keep(container)
        finally:
            if not kept:
                container.close()

    def _keep(self, container: InputContainer) -> bool:
        with self._guard:
            if len(self._idle) >= self._room:
                return False
            self._idle.append(container)
            return True
