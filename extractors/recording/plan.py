"""What a recording is to hold, decided before it begins."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from extractors.recording.expiry import Removal

__all__ = ["RecordingPlan"]


@dataclass(frozen=True, slots=True)
class RecordingPlan:
    """What is recorded, and what the manifest says from its first moment on."""

    title: str = ""
    """Shown to people; the name of the folder if empty."""
    pictures: bool = True
    sound: bool = True
    features_only: bool = False
    """Neither picture nor sound reaches the disk; everything else does."""
    picture_size: tuple[int, int] | None = None
    """Width and height on disk; if None that of the first picture, or 640 x 480 where sound came
    for a second before any. Pictures of another size are fitted in."""
    began: datetime | None = None
    """Wall time of session time zero; now if None."""
    keep_days: int | None = None
    """After so many days the session is removed by itself; None keeps it."""
    then: Removal = "trash"
    """How it is removed."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """Entries of the manifest that are known at the start: versions, model, devices."""

    @property
    def media(self) -> bool:
        """Whether a media file is written."""
        return not self.features_only and (self.pictures or self.sound)
