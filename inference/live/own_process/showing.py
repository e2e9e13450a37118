"""What a live session in another process has told so far."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from extractors.features import MODALITIES, FloatArray, VideoFrame, Word
from extractors.recording.observations import Event, Marker
from extractors.sources import SourceChoice, SourceStatus
from extractors.stream import SECOND, Sample, from_seconds
from extractors.timeline import Timeline
from inference.baseline_file import baseline_sha256
from inference.calibration import RestingPerson
from inference.live.interface import BaselineStatus, Health, LiveState, ModalityStatus
from inference.live.own_process.messages import (
    Order,
    Picture,
    Rows,
    Said,
    Seen,
    Standing,
    Told,
    Vitals,
)
from inference.live.reception import KEPT, KEPT_EVENTS, KEPT_FACES, KEPT_MARKERS
from inference.live.timeline_buffer import TimelineBuffer

__all__ = ["Showing"]

UNKNOWN = Health({}, {}, {}, None, 0, "", "", draw_landmarks=True, load={})
WAITING = ModalityStatus("waiting", "nothing yet")


class Showing:
    """The part of `inference.live.Live` that shows. One thread takes what is told, others read."""

    def __init__(self, order: Order) -> None:
        self._standing = Standing(
            LiveState.PREVIEW, None, 0, 0.0, (0.0, 0.0),
            _not_yet(order.video), _not_yet(order.audio), dict.fromkeys(MODALITIES, WAITING),
        )  # fmt: skip
        self._buffer = TimelineBuffer(KEPT * 5)
        self._kept_words: deque[Word] = deque(maxlen=KEPT * 5)
        self._words: tuple[Word, ...] = ()
        self._tentative: tuple[Word, ...] = ()
        self._faces: deque[Seen] = deque(maxlen=KEPT_FACES)
        self._events: deque[Sample[Event]] = deque(maxlen=KEPT_EVENTS)
        self._markers: deque[Sample[Marker]] = deque(maxlen=KEPT_MARKERS)
        self._picture: Sample[VideoFrame] | None = None
        self._health, self._baseline = UNKNOWN, BaselineStatus()
        self._people: dict[str, RestingPerson] = {}

    def _take(self, message: Any, image: npt.NDArray[np.uint8] | None) -> None:
        """Take a message and the picture beside it."""
        match message:
            case Standing():
                self._standing = message
            case Rows(timeline, settled):
                (self._buffer.replace if settled else self._buffer.append)(timeline)
            case Said(words, tentative):
                self._kept_words.extend(words)
                newest = self._kept_words[-1].end if self._kept_words else 0
                while self._kept_words and self._kept_words[0].end < newest - KEPT * SECOND:
                    self._kept_words.popleft()
                self._words, self._tentative = tuple(self._kept_words), tentative
            case Told(events, markers):
                self._events.extend(events)
                self._markers.extend(markers)
            case Seen():
                self._faces.append(message)
            case Picture(start, end, published) if image is not None:
                self._picture = Sample("frame", start, end, published, VideoFrame(image))
            case Vitals(health, baseline):
                self._health = self._health if health is None else health
                self._baseline = self._baseline if baseline is None else self._known(baseline)

    def _fail(self, text: str, now: int) -> None:
        """Show that the process is gone, `text` says why; what was shown before stays."""
        self._events.append(Sample("event", now, now, now, Event("session failed", text, {})))
        before = self._standing
        self._standing = replace(
            before,
            state=LiveState.STOPPED,
            level=(0.0, 0.0),
            video=SourceStatus(before.video.choice, "ended"),
            audio=SourceStatus(before.audio.choice, "ended"),
            modalities=dict.fromkeys(MODALITIES, ModalityStatus("failed", text)),
        )

    def _known(self, status: BaselineStatus) -> BaselineStatus:
        """The status with the very person that this side knows: two copies are never equal."""
        if status.person is None:
            return status
        known = self._people.setdefault(baseline_sha256(status.person), status.person)
        return replace(status, person=known)

    def baseline(self) -> BaselineStatus:
        return self._baseline

    def timeline(self) -> Timeline:
        return self._buffer.timeline()

    @property
    def grace(self) -> float:
        return self._standing.grace

    def words(self) -> Sequence[Word]:
        return self._words

    def tentative(self) -> Sequence[Word]:
        return self._tentative

    def markers(self) -> Sequence[Sample[Marker]]:
        return tuple(self._markers)

    def events(self) -> Sequence[Sample[Event]]:
        return tuple(self._events)

    def newest_picture(self) -> Sample[VideoFrame] | None:
        return self._picture

    def landmarks_at(self, time: float) -> FloatArray | None:
        at = from_seconds(time)
        faces = reversed(tuple(self._faces))
        found = next((seen for seen in faces if seen.time <= at), None)
        return None if found is None else found.landmarks

    def level(self) -> tuple[float, float]:
        return self._standing.level

    def video_status(self) -> SourceStatus:
        return self._standing.video

    def audio_status(self) -> SourceStatus:
        return self._standing.audio

    def modalities(self) -> Mapping[str, ModalityStatus]:
        return self._standing.modalities

    def health(self) -> Health:
        return self._health


def _not_yet(choice: SourceChoice | None) -> SourceStatus:
    return SourceStatus(choice, "off" if choice is None else "opening")
