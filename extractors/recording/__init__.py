"""Recording a session while it happens, and what is done with a session that was cut off."""

from extractors.recording.observations import Event, Health, Marker, TimelineRows
from extractors.recording.plan import RecordingPlan
from extractors.recording.recorder import Recorder

__all__ = ["Event", "Health", "Marker", "Recorder", "RecordingPlan", "TimelineRows"]
