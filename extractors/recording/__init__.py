"""Recording a session while it happens, and what is done with a session that was cut off."""

from typing import TYPE_CHECKING, Any

from extractors.recording.observations import Event, Health, Marker, TimelineRows
from extractors.recording.plan import RecordingPlan

if TYPE_CHECKING:
    from extractors.recording.recorder import Recorder

__all__ = ["Event", "Health", "Marker", "Recorder", "RecordingPlan", "TimelineRows"]


def __getattr__(name: str) -> Any:
    """Import the recorder when it is asked for: who only reads sessions needs no encoder."""
    if name == "Recorder":
        from extractors.recording.recorder import Recorder

        return Recorder
    raise AttributeError(f"module {__name__} has no attribute {name}")
