"""A live session whose every answer is set by hand."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from desktop.live_opening import Devices
from extractors.features import MODALITIES, VideoFrame, Word
from extractors.recording.observations import Event, Marker
from extractors.sources import SourceChoice
from extractors.sources.devices import Device
from extractors.sources.feed import FeedState
from extractors.stream import Sample, from_seconds
from extractors.timeline import Timeline
from inference.calibration import RestingPerson
from inference.live import BaselineStatus, Health, Latency, LiveState, ModalityStatus, SourceStatus
from tests.desktop.fake_recording import plain_timeline, plain_words

CAMERA = Device("0", "Integrated Camera", True)
OTHER_CAMERA = Device("2", "Konferenzraumkamera Weitwinkel (USB-Videogerät)")
MICROPHONE = Device("1", "Built-in Audio Analog Stereo", True)


def devices() -> Devices:
    return Devices((CAMERA, OTHER_CAMERA), (MICROPHONE,))


def quiet_health(step: int = 0) -> Health:
    return Health(
        latency={
            "picture": Latency(9.0, 14.2, 20.0, 900),
            "face": Latency(38.0, 51.0, 66.0, 900),
            "voice": Latency(160.0, 240.0, 300.0, 300),
            "words": Latency(640.0, 1180.0, 1500.0, 40),
            "prediction": Latency(88.0, 121.0, 140.0, 150),
            "displayed": Latency(104.0, 142.0, 171.0, 150),
        },
        dropped={"frames": 3, "sound": 0},
        rates={"camera": 29.9, "face": 28.7, "predictions": 5.0},
        drift_ppm=-12.4,
        step=step,
        step_text="face at 15 pictures a second" if step else "",
        step_reason="the face is late" if step else "",
        draw_landmarks=step < 4,
        load={"face": 0.6},
        engine="onnxruntime on CPU",
        devices={"face": "cpu", "speech": "cpu", "text": "cpu"},
    )


@dataclass
class FakeLive:
    """Implements `inference.live.Live`; `advance` lets time pass."""

    video: SourceChoice | None = None
    audio: SourceChoice | None = None
    state: LiveState = LiveState.PREVIEW
    now: float = 0.0
    grace: float = 1.0
    calls: list[str] = field(default_factory=list)
    folder: Path | None = None
    rows: Timeline = field(default_factory=lambda: plain_timeline(600.0))
    said: Sequence[Word] = field(default_factory=lambda: plain_words(600.0))
    unsure: Sequence[Word] = ()
    video_state: SourceStatus | None = None
    audio_state: SourceStatus | None = None
    states: dict[str, ModalityStatus] = field(
        default_factory=lambda: dict.fromkeys(MODALITIES, ModalityStatus("present", "there"))
    )
    told: Sequence[Sample[Event]] = ()
    the_baseline: BaselineStatus = field(default_factory=BaselineStatus)
    the_health: Health = field(default_factory=quiet_health)
    image: npt.NDArray[np.uint8] = field(
        default_factory=lambda: np.full((48, 64, 3), 128, np.uint8)
    )
    put: list[Sample[Marker]] = field(default_factory=list)
    shown: list[float] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)
    ends_at_once: bool = True
    waited: float = 0.0
    """Seconds that somebody was ready to wait for the end."""

    def advance(self, seconds: float) -> None:
        self.now += seconds

    def preview(self) -> None:
        self.calls.append("preview")

    def start(self, folder: Path | None = None) -> None:
        self.calls.append("start")
        self.folder = folder
        self.state = LiveState.RUNNING

    def pause(self) -> None:
        self.calls.append("pause")
        self.state = LiveState.PAUSED

    def resume(self) -> None:
        self.calls.append("resume")
        self.state = LiveState.RUNNING

    def stop(self) -> None:
        self.calls.append("stop")
        self.state = LiveState.STOPPED
        if self.ends_at_once:
            if self.folder is not None:
                self.folder.mkdir(parents=True)
            self.ended.set()

    def abort(self) -> None:
        self.calls.append("abort")
        self.state = LiveState.STOPPED
        self.ended.set()

    def wait(self, seconds: float) -> bool:
        self.waited += 0.0 if self.ended.is_set() else seconds
        return self.ended.is_set()

    def choose_video(self, choice: SourceChoice | None) -> None:
        self.video = choice

    def choose_audio(self, choice: SourceChoice | None) -> None:
        self.audio = choice

    def mark(self, label: str, note: str = "") -> None:
        at = from_seconds(self.now)
        self.put.append(Sample("marker", at, at, at, Marker(label, note)))

    def take_baseline(self) -> None:
        self.calls.append("take baseline")
        self.the_baseline = replace(self.the_baseline, left=30.0, problem="")

    def cancel_baseline(self) -> None:
        self.calls.append("cancel baseline")
        self.the_baseline = replace(self.the_baseline, left=None, waits_for="")

    def use_baseline(self, person: RestingPerson | None) -> None:
        self.calls.append("no baseline" if person is None else "use baseline")
        since = None if person is None else self.now
        self.the_baseline = BaselineStatus(person=person, since=since)

    def baseline(self) -> BaselineStatus:
        return self.the_baseline

    def timeline(self) -> Timeline:
        last = int(np.searchsorted(self.rows.time, self.now - 0.2))
        return Timeline(
            *(getattr(self.rows, name)[:last] for name in self.rows.__dataclass_fields__)
        )

    def words(self) -> Sequence[Word]:
        return [word for word in self.said if word.end <= from_seconds(self.now)]

    def tentative(self) -> Sequence[Word]:
        return self.unsure

    def markers(self) -> Sequence[Sample[Marker]]:
        return self.put

    def events(self) -> Sequence[Sample[Event]]:
        return self.told

    def newest_picture(self) -> Sample[VideoFrame] | None:
        if self.video is None:
            return None
        at = from_seconds(self.now)
        return Sample("frame", at, at, at, VideoFrame(self.image))

    def landmarks_at(self, time: float) -> npt.NDArray[np.float32] | None:
        del time
        return None

    def level(self) -> tuple[float, float]:
        return 0.05, 0.2

    def video_status(self) -> SourceStatus:
        return self.video_state or self._status(self.video)

    def audio_status(self) -> SourceStatus:
        return self.audio_state or self._status(self.audio)

    def modalities(self) -> Mapping[str, ModalityStatus]:
        return self.states

    def health(self) -> Health:
        return self.the_health

    def displayed(self, time: float) -> None:
        self.shown.append(time)

    def _status(self, choice: SourceChoice | None) -> SourceStatus:
        state: FeedState = "ended" if self.ended.is_set() else "open"
        return SourceStatus(choice, "off" if choice is None else state)
