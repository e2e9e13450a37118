"""A session predicted again by another checkpoint, in a thread, for comparison in the window."""

import logging
import threading
from pathlib import Path

from assets.errors import AffectscopeError
from extractors.timeline import Timeline

__all__ = ["Rerun"]

log = logging.getLogger(__name__)


class Rerun:
    """Implements `desktop.comparison.Comparison`; starts at once."""

    def __init__(self, folder: Path, checkpoint: Path) -> None:
        self.title = checkpoint.name
        self.before = "before"
        """What the session's own checkpoint is called; known once the session was read."""
        self.duration = 0.0
        self.failure: str | None = None
        self.complete = False
        self._folder = folder
        self._checkpoint = checkpoint
        self._parts: list[Timeline] = []
        self._joined = (0, Timeline.empty())
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="affectscope rerun")
        self._thread.start()

    def timeline(self) -> Timeline:
        """The timeline so far."""
        count, joined = self._joined
        parts = self._parts[count:]
        if parts:
            joined = Timeline.joined([joined, *parts])
            self._joined = (count + len(parts), joined)
        return joined

    def close(self) -> None:
        """Stop."""
        self._closing.set()
        self._thread.join(3.0)

    def _work(self) -> None:
        try:
            from extractors.session import Session
            from inference.models import Models
            from inference.rerun import predict_again

            session = Session(self._folder)
            self.before = str(session.manifest.get("model", {}).get("checkpoint", self.before))
            self.duration = session.duration
            for part in predict_again(session, Models(self._checkpoint)):
                if self._closing.is_set():
                    return
                self._parts.append(part)
            self.complete = True
        except AffectscopeError as error:
            self.failure = str(error)
        except Exception as error:
            log.exception("predicting %s again failed", self._folder)
            self.failure = f"{type(error).__name__}: {error}"
