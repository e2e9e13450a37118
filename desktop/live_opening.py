"""Where the live page meets the rest; slow things here are called in a thread."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from extractors.outlets import OutletChoice
    from extractors.recording import RecordingPlan
    from extractors.sources import PictureWish, SourceChoice
    from extractors.sources.devices import Device
    from inference.live import Live

__all__ = [
    "Devices",
    "ListDevices",
    "LiveRequest",
    "MakeLive",
    "Plan",
    "list_devices",
    "make_live",
    "new_folder",
]

Plan = Callable[[], "RecordingPlan"]
"""Asked when a recording begins."""
MakeLive = Callable[["SourceChoice | None", "SourceChoice | None", Plan], "Live"]


@dataclass(frozen=True, slots=True)
class Devices:
    """What the choosers offer."""

    cameras: "tuple[Device, ...]" = ()
    microphones: "tuple[Device, ...]" = ()


ListDevices = Callable[[], Devices]


@dataclass(frozen=True, slots=True)
class LiveRequest:
    """What a command line asks of the live page."""

    sources: "Mapping[str, SourceChoice | None]" = field(default_factory=dict)
    """Of "video" and "audio"; what is not named is as it was the last time."""
    folder: Path | None = None
    """Where to record; None: as it is switched in the window."""
    checkpoint: str = "live"
    features_only: bool = False
    """Never write picture or sound, whatever is remembered."""
    keep_days: int | None = None
    """Move recordings to the trash after so many days; None: as it was the last time."""
    outlets: "tuple[OutletChoice, ...]" = ()
    """Switched on from the start."""
    baseline: Path | None = None
    """The file of a person at rest to whom the next session is fitted."""
    picture: "PictureWish | None" = None
    """What is asked of the camera; what it leaves open is as it was the last time."""


def list_devices() -> Devices:
    """Look for cameras and microphones; PortAudio may take a second."""
    from extractors.sources.devices import cameras, microphones

    return Devices(cameras(), microphones())


def make_live(
    video: "SourceChoice | None",
    audio: "SourceChoice | None",
    plan: Plan,
    checkpoint: str = "live",
) -> "Live":
    """A session in a process of its own, by default with the shipped checkpoint; takes seconds.

    Raises BadInput for another checkpoint that is damaged or not for the app.
    """
    from inference.live.own_process import LiveProcess, Order
    from inference.live.own_process.host import live_session

    return LiveProcess(Order(video, audio, checkpoint, live_session), plan)


def new_folder(where: Path, now: datetime) -> Path:
    """Where a session that begins now is recorded: a folder that does not exist yet."""
    folder = where / f"{now:%Y-%m-%d %H-%M-%S}"
    number = 2
    while folder.exists():
        folder = where / f"{now:%Y-%m-%d %H-%M-%S} {number}"
        number += 1
    return folder
