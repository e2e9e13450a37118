"""What is recorded beside pictures, sound and features."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from extractors.features import FloatArray
from extractors.timeline import Timeline

__all__ = ["Baseline", "Event", "Health", "Marker", "TimelineRows"]


@dataclass(frozen=True, slots=True)
class TimelineRows:
    """Predictions as they come."""

    timeline: Timeline
    activations: Mapping[str, FloatArray]
    """[rows, atoms] of the dictionaries "homogeneous" and "heterogeneous"."""
    settled: bool = True
    """Whether they are final. Those that are not are kept until they are made again."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """Somebody at rest, to whom predictions are fitted."""

    sha256: str
    """Of the content."""
    content: bytes
    """Of a file that can be chosen again."""


@dataclass(frozen=True, slots=True)
class Marker:
    """Something that a person or an experiment marks at the time of its sample."""

    label: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to the recording: a camera was unplugged, pictures were dropped."""

    kind: str
    """A short name for programs: "camera lost"."""
    text: str = ""
    """A line for people."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """Anything that JSON can hold."""


@dataclass(frozen=True, slots=True)
class Health:
    """How the program is doing: rates, latencies, loads, by name."""

    values: Mapping[str, Any]
    """Anything that JSON can hold."""
