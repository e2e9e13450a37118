"""What a live session shows. The window pulls; every call returns within a few milliseconds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Literal, Protocol

from extractors.features import FloatArray, VideoFrame, Word
from extractors.recording.observations import Event, Marker
from extractors.sources import SourceChoice, SourceStatus
from extractors.stream import Sample
from extractors.timeline import Timeline
from inference.calibration import RestingPerson

__all__ = [
    "BaselineStatus",
    "Health",
    "Latency",
    "Live",
    "LiveState",
    "ModalityStatus",
    "SourceStatus",
]


class LiveState(Enum):
    """Where a session is in its life; it only ever moves on, but for pauses."""

    PREVIEW = "preview"
    """The chosen devices are open, and pictures and level are shown; nothing is analysed."""
    STARTING = "starting"
    """The models are being loaded."""
    RUNNING = "running"
    PAUSED = "paused"
    """The devices stay open; nothing is analysed or recorded. The timeline has a gap."""
    STOPPING = "stopping"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class ModalityStatus:
    """What the network sees of one modality now; a voice that comes late to it counts already."""

    state: Literal["present", "absent", "waiting", "off", "failed"]
    """waiting: nothing has come yet; off: no source is chosen; failed: its worker has stopped."""
    text: str
    """One line for people: "no face", "silence"; of a failure what happened and what to do."""


@dataclass(frozen=True, slots=True)
class BaselineStatus:
    """Whom the predictions are fitted to, and how far it is with measuring somebody."""

    person: RestingPerson | None = None
    """In force; None: the predictions are those for anybody."""
    since: float | None = None
    """Session time from which on; windows that end later are fitted."""
    left: float | None = None
    """Seconds of rest that are still to be measured; None: nobody is being measured."""
    waits_for: str = ""
    """Why the measurement stands still, in one line; empty while it goes on."""
    problem: str = ""
    """Why the last wish could not be fulfilled, in one line."""
    impossible: str = ""
    """Why nobody can be measured at all, in one line; empty if it is possible or not yet known."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Quantiles of a delay over the last minute or so, in milliseconds."""

    p50: float
    p95: float
    p99: float
    count: int
    """How many were measured since the start."""


@dataclass(frozen=True, slots=True)
class Health:
    """How the program keeps up."""

    latency: Mapping[str, Latency]
    """By stage, each from capture on: "picture" and "sound" (reached the program), "face",
    "voice", "words" (committed, from the end of the word), "prediction" (from the newest picture
    in the window to the prediction), "late" (from the end of the window to the prediction),
    "displayed" (from the newest picture in the window to the screen)."""
    dropped: Mapping[str, int]
    """Samples dropped so far, by channel; sound that the device itself lost under "device"."""
    rates: Mapping[str, float]
    """A second, over the last seconds: "camera", "face", "predictions"."""
    drift_ppm: float | None
    """How much faster than the session's clock the microphone's runs; None until it is known."""
    step: int
    """On the ladder of degradation; 0 is full quality."""
    step_text: str
    """What is being saved: "face at 15 pictures a second"; empty at 0."""
    step_reason: str
    """Why; empty at 0."""
    draw_landmarks: bool
    """False on the last step: the window leaves the mesh away."""
    load: Mapping[str, float]
    """Fraction of the time that each worker is busy, 0 to 1, over the last seconds."""
    engine: str = ""
    """What predicts, and where: "onnxruntime on CPU"; empty until there are models."""
    devices: Mapping[str, str] = field(default_factory=dict)
    """Where "face", "speech" and "text" run: "cpu", "gpu" or "cuda"."""
    gave_way: Mapping[str, str] = field(default_factory=dict)
    """Why those of them that a GPU has failed run on the CPU."""


class Live(Protocol):
    """A live session; `inference.live.session.LiveSession` is one.

    All methods may be called from one thread that must not wait; times are seconds of session
    time, which begins with `start` and passes during pauses and while the computer sleeps.
    """

    @property
    def state(self) -> LiveState: ...

    @property
    def now(self) -> float:
        """Session time; 0 before the start."""
        ...

    def preview(self) -> None:
        """Open the chosen sources; returns at once."""
        ...

    def start(self, folder: Path | None = None) -> None:
        """Analyse from now on, and record into `folder` if one is given; returns at once.

        Sources that are not open yet are opened. Session time begins when the models are loaded.
        """
        ...

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    def stop(self) -> None:
        """End in order, the recording included. Returns at once; `wait` tells when it is done."""
        ...

    def abort(self) -> None:
        """As `stop`, but discard what is under way, and the recording."""
        ...

    def wait(self, seconds: float) -> bool:
        """Wait at most so long for the end after `stop` or `abort`; whether all has ended."""
        ...

    def choose_video(self, choice: SourceChoice | None) -> None:
        """Switch to another source of pictures, or to none, in any state; returns at once."""
        ...

    def choose_audio(self, choice: SourceChoice | None) -> None: ...

    def mark(self, label: str, note: str = "") -> None:
        """Put a marker at the present moment."""
        ...

    def take_baseline(self) -> None:
        """Measure the person at rest from now on, 30 s of it, and then fit the predictions to them;
        `baseline` tells how far it is. Returns at once."""
        ...

    def cancel_baseline(self) -> None:
        """Give the measurement up; what is in force stays."""
        ...

    def use_baseline(self, person: RestingPerson | None) -> None:
        """Fit the predictions to somebody from now on, or to nobody; also before the start."""
        ...

    def baseline(self) -> BaselineStatus: ...

    def timeline(self) -> Timeline:
        """The last hour, without copying. Rows of the last `grace` seconds may still change, as
        words come late; a pause or a gap has no rows."""
        ...

    @property
    def grace(self) -> float:
        """Seconds for which late words still change a row; more while the voice is behind."""
        ...

    def words(self) -> Sequence[Word]:
        """The committed words of the last hour."""
        ...

    def tentative(self) -> Sequence[Word]:
        """What may have been said after the last committed word."""
        ...

    def markers(self) -> Sequence[Sample[Marker]]: ...

    def events(self) -> Sequence[Sample[Event]]:
        """What happened, oldest first: faults, gaps, changes of quality. `Event.text` says what
        happened and what to do; `Event.kind` is for programs."""
        ...

    def newest_picture(self) -> Sample[VideoFrame] | None:
        """Also before the start."""
        ...

    def landmarks_at(self, time: float) -> FloatArray | None:
        """[478, 3] of the newest picture at or before `time`, of the last ten seconds."""
        ...

    def level(self) -> tuple[float, float]:
        """Root mean square and peak of the last tenth of a second of sound, 0 to 1."""
        ...

    def video_status(self) -> SourceStatus: ...

    def audio_status(self) -> SourceStatus: ...

    def modalities(self) -> Mapping[str, ModalityStatus]:
        """By the names of `extractors.features.MODALITIES`."""
        ...

    def health(self) -> Health: ...

    def displayed(self, time: float) -> None:
        """Tell that the row of `timeline()` at `time` is on the screen now, for the latency
        "displayed"."""
        ...
