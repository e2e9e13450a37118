"""A session or a video as the window sees it: loading and analysis run in a thread of its own."""

import logging
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assets.errors import AffectscopeError
from desktop.interruption import interruption_of
from desktop.marks import Mark, marks_of
from desktop.session_cache import cache_folder, cached_session, forget_old, place_for
from extractors.features import FloatArray, Word
from extractors.recording.observations import Event
from extractors.session import Session
from extractors.stream import to_seconds
from extractors.timeline import Timeline

if TYPE_CHECKING:
    from inference.analysis import Analysis

__all__ = ["LoadedRecording"]

log = logging.getLogger(__name__)


class LoadedRecording:
    """Implements `desktop.recording.Recording` for a session folder or a video file.

    A video is analysed while it plays; its session goes into the cache, from where it comes at
    once when the same file is opened again. Raises BadInput at once if the path is neither.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._session: Session | None = None
        self._analysis: Analysis | None = None
        self._failure: str | None = None
        self._interruption: str | None = None
        self._closing = threading.Event()
        self._marks: Sequence[Mark] = ()
        if path.is_dir():
            session = Session(path)
            self.title = session.title
            self.media = session.media
            self._declared = session.duration
            self._interruption = interruption_of(session)
        else:
            from extractors.video_file import VideoFile

            self.title, self.media = path.name, path
            self._declared = to_seconds(VideoFile(path).info.duration or 0)
        self._thread = threading.Thread(target=self._work, name="affectscope recording")
        self._thread.start()

    @property
    def session(self) -> Path | None:
        return None if self._session is None else self._session.folder

    @property
    def duration(self) -> float:
        session, analysis = self._session, self._analysis
        if session is not None:
            return session.duration
        return max(self._declared, analysis.duration if analysis is not None else 0.0)

    @property
    def analysed_until(self) -> float:
        session, analysis = self._session, self._analysis
        if session is not None:
            return session.duration
        return analysis.analysed_until if analysis is not None else 0.0

    @property
    def complete(self) -> bool:
        return self._session is not None or self._failure is not None

    @property
    def failure(self) -> str | None:
        return self._failure

    @property
    def interruption(self) -> str | None:
        return self._interruption

    def timeline(self) -> Timeline:
        source = self._session or self._analysis
        if isinstance(source, Session):
            return source.timeline
        return source.timeline() if source is not None else Timeline.empty()

    def words(self) -> Sequence[Word]:
        source = self._session or self._analysis
        if isinstance(source, Session):
            return source.words
        return source.words() if source is not None else ()

    def marks(self) -> Sequence[Mark]:
        return self._marks

    def landmarks_at(self, time: float) -> FloatArray | None:
        source = self._session or self._analysis
        return source.landmarks_at(time) if source is not None else None

    def close(self) -> None:
        """Stop the analysis, if it still runs, and discard it."""
        self._closing.set()
        analysis = self._analysis
        if analysis is not None:
            analysis.abort(deadline=0)
        self._thread.join(3.0)

    def _work(self) -> None:
        try:
            session = Session(self._path) if self._path.is_dir() else self._analyse()
            if session is not None:
                # read what the window will ask for while the window does not wait
                _ = session.timeline, session.words, session.landmarks_at(0.0)
                if session.problems:
                    self._failure = f"Not all of {self.title} can be read: " + "; ".join(
                        session.problems
                    )
                self._marks = _marks(session)
                self._session = session
        except AffectscopeError as error:
            if not self._closing.is_set():
                self._failure = str(error)
        except Exception as error:
            log.exception("the recording %s failed", self._path)
            self._failure = f"{type(error).__name__}: {error}"

    def _analyse(self) -> Session | None:
        from inference.analysis import Analysis
        from inference.models import Models

        models = Models()
        folder = place_for(self._path, models.checkpoint_path)
        if (session := cached_session(folder)) is not None:
            return session
        if self._closing.is_set():
            return None
        analysis = Analysis(self._path, folder, models)
        self._analysis = analysis
        analysis.start()
        if self._closing.is_set():
            analysis.abort()
        analysis.finish()
        forget_old(found for found in cache_folder().iterdir() if not found.name.startswith("."))
        return Session(folder)


def _marks(session: Session) -> list[Mark]:
    """Those of a session; what a damaged line does not tell is empty."""
    markers = ((float(line["time"]), str(line.get("label", ""))) for line in session.markers)
    return marks_of(markers, ((float(line["time"]), _event(line)) for line in session.events))


def _event(line: Mapping[str, Any]) -> Event:
    details = line.get("details")
    known = details if isinstance(details, Mapping) else {}
    return Event(str(line.get("kind", "")), str(line.get("text", "")), known)
