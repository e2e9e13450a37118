"""Looks after the folder of sessions while the window opens, and tells what was done."""

import logging
import threading
from collections.abc import Callable

__all__ = ["UpkeepAtStart"]

log = logging.getLogger(__name__)


class UpkeepAtStart:
    """A thread of its own: an hour's recording takes seconds to repair."""

    def __init__(self) -> None:
        self._told: tuple[str, ...] = ()
        self._thread = threading.Thread(target=self._work, name="affectscope upkeep", daemon=True)
        self._thread.start()

    def poll(self, show: Callable[[str], None]) -> bool:
        """Show what was done, once it is done. Returns whether it is still to be done."""
        if self._thread.is_alive():
            return True
        told, self._told = self._told, ()
        if told:
            show("\n".join(told))
        return False

    def join(self, seconds: float) -> None:
        """Wait at most so long; a repair that is cut off begins anew at the next start."""
        self._thread.join(seconds)

    def _work(self) -> None:
        try:
            from desktop.library import library_folder, look_after

            self._told = look_after(library_folder())
        except Exception as error:
            log.exception("looking after the sessions failed")
            self._told = (f"The sessions were not looked after: {type(error).__name__}: {error}",)
