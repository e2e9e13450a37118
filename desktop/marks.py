"""What stands above the curves of a session: markers, and what happened to it."""

import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from extractors.recording.observations import Event

__all__ = ["Mark", "marks_of"]

DEVICES = ("camera", "microphone")
AWAY = ("lost", "ended", "off")
"""States in which nothing comes from a device."""
WORKERS = {"face": "Faces", "speech": "Words and voice", "text": "Meaning of words",
           "engine": "Predictions", "recorder": "Recording"}  # fmt: skip
OTHERS = {"paused": "Paused", "resumed": "Resumed", "disk slow": "Pictures left out"}


class Mark(NamedTuple):
    """A line across the curves."""

    time: float
    """Seconds of session time."""
    label: str
    text: str = ""
    """What happened, in a line; empty of a marker that somebody set."""


def marks_of(
    markers: Iterable[tuple[float, str]], events: Iterable[tuple[float, Event]]
) -> list[Mark]:
    """Markers, and of the events those that say why curves end, change or are coarser, in the order
    of time. Both with their seconds; events in the order in which they happened."""
    found = [Mark(time, label) for time, label in markers]
    away: dict[str, Mark] = {}
    for time, event in events:
        device, _, state = event.kind.partition(" ")
        text = event.text or event.kind
        if device not in DEVICES:
            at, label = _meaning(time, event)
            if label:
                found.append(Mark(at, label, text))
        elif state in AWAY and device not in away:
            away[device] = Mark(time, f"{device.capitalize()} {state}", text)
            found.append(away[device])
        elif state == "open" and device in away:
            mark = away.pop(device)
            if mark.time == time:  # before the session began: it has missed nothing
                found.remove(mark)
            else:
                found.append(Mark(time, f"{device.capitalize()} back", text))
    known = (mark for mark in found if math.isfinite(mark.time))
    return sorted(known, key=lambda mark: mark.time)


def _meaning(time: float, event: Event) -> tuple[float, str]:
    """From when on something is as it is, and a few words for it; none for what nobody need see."""
    details: Mapping[str, Any] = event.details
    match event.kind:
        case "baseline":
            on = details.get("sha256") is not None
            return time, "Calibrated" if on else "Calibration off"
        case "quality":
            step = details.get("step")
            if not isinstance(step, int):
                return time, "Quality changed"
            return time, f"Saving, step {step}" if step else "Full quality"
        case "gap":
            since, until = details.get("from"), details.get("until")
            if isinstance(since, float) and isinstance(until, float):
                return since, f"Gap of {until - since:.0f} s"
            return time, "Gap"
        case kind if kind.endswith(" failed"):
            worker = kind.removesuffix(" failed")
            return time, f"{WORKERS.get(worker, worker.capitalize())} failed"
        case kind:
            return time, OTHERS.get(kind, "")
