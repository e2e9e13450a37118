"""What the two processes of a live session tell each other."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from extractors.features import FloatArray, Word
from extractors.recording.observations import Event, Marker
from extractors.sources import SourceChoice, SourceStatus
from extractors.stream import Sample
from extractors.timeline import Timeline
from inference.live.interface import BaselineStatus, Health, LiveState, ModalityStatus

if TYPE_CHECKING:
    from extractors.recording import RecordingPlan
    from inference.live.session import LiveSession

__all__ = [
    "Call",
    "Ended",
    "Made",
    "MakeSession",
    "Order",
    "Picture",
    "Refused",
    "Rows",
    "Said",
    "Seen",
    "Standing",
    "Told",
    "Vitals",
]

MakeSession = Callable[["Order", Callable[[], "RecordingPlan"]], "LiveSession"]
"""A function of a module, by whose name the other process finds it. What it is given tells, when
a recording begins, how it is recorded."""


@dataclass(frozen=True, slots=True)
class Order:
    """To the session's process, once: which session it is to make."""

    video: SourceChoice | None
    audio: SourceChoice | None
    checkpoint: str
    make: MakeSession


@dataclass(frozen=True, slots=True)
class Call:
    """To it: call a method of the session."""

    name: str
    arguments: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Made:
    """From it: the session is there."""


@dataclass(frozen=True, slots=True)
class Refused:
    """There is none, and why, in one line."""

    text: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How the session is; sent when something of it has changed."""

    state: LiveState
    origin: int | None
    """Where on `extractors.stream.time_since_boot` session time is zero; None before."""
    calls: int
    """How many calls had been done when this was so."""
    grace: float
    level: tuple[float, float]
    video: SourceStatus
    audio: SourceStatus
    modalities: Mapping[str, ModalityStatus]


@dataclass(frozen=True, slots=True)
class Rows:
    """Windows that were predicted: for the first time, or again as they stay."""

    timeline: Timeline
    settled: bool


@dataclass(frozen=True, slots=True)
class Said:
    """Words committed since, and all that is tentative now."""

    words: tuple[Word, ...]
    tentative: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """Events and markers since."""

    events: tuple[Sample[Event], ...]
    markers: tuple[Sample[Marker], ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """Landmarks [478, 3] of the picture at `time`, session nanoseconds; None without a face."""

    time: int
    landmarks: FloatArray | None


@dataclass(frozen=True, slots=True)
class Picture:
    """Times of the newest picture, which is beside the message, fit for a window."""

    start: int
    end: int
    published: int


@dataclass(frozen=True, slots=True)
class Vitals:
    """What changes seldom; None where it has not."""

    health: Health | None = None
    baseline: BaselineStatus | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """All has ended in order; the process goes."""
