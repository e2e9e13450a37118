"""What the events of a live session say: what happened, and what to do."""

from collections.abc import Mapping
from typing import Any

from extractors.sources import SourceStatus
from extractors.stream import Failure, to_seconds

__all__ = ["failure_text", "gap_event", "source_text", "step_text"]

ENDED = {
    "face": "faces are no longer followed",
    "speech": "words and voice are no longer heard",
    "text": "words no longer count for the emotions",
    "engine": "there are no more predictions",
    "recorder": "the recording has ended",
}
"""What is missing when a worker has failed."""


def source_text(kind: str, status: SourceStatus) -> str:
    """The state of the "camera" or the "microphone" has changed."""
    label = "" if status.choice is None else status.choice.label
    return {
        "off": f"the {kind} is off",
        "opening": f"{label} is being opened",
        "open": f"{label} is open" + (f"; it {status.gives}" if status.unlike else ""),
        "lost": status.text,
        "ended": status.text,
    }[status.state]


def failure_text(failure: Failure) -> str:
    """A worker has failed."""
    what = ENDED.get(failure.worker, "nothing more comes from it")
    return f"{failure}; {what}. The rest goes on; start a new session to have it back"


def step_text(step: int, text: str, reason: str) -> str:
    """The step of the ladder has changed."""
    return f"{reason}; saving: {text}" if step else "full quality again"


def gap_event(since: int, until: int) -> tuple[str, Mapping[str, Any]]:
    """Text and details: no windows from `since` until `until`, session nanoseconds."""
    text = f"nothing for {to_seconds(until - since):.0f} s: the computer slept or stood still"
    return text, {"from": to_seconds(since), "until": to_seconds(until)}
