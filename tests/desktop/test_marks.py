"""What stands above the curves: markers, and what happened to a session."""

from typing import Any

import pytest

from desktop.marks import Mark, marks_of
from extractors.recording.observations import Event
from inference.live.event_texts import gap_event, step_text


def told(*events: tuple[float, str, dict[str, Any]]) -> list[tuple[float, str]]:
    """Times and labels of what is shown of events (seconds, kind, details)."""
    given = [(time, Event(kind, f"text of {kind}", details)) for time, kind, details in events]
    return [(mark.time, mark.label) for mark in marks_of((), given)]


def test_quality_and_calibration_are_named() -> None:
    assert told(
        (5.0, "quality", {"step": 2}),
        (9.0, "quality", {"step": 0}),
        (9.5, "baseline", {"sha256": "ab"}),
        (9.9, "baseline", {"sha256": None}),
    ) == [
        (5.0, "Saving, step 2"),
        (9.0, "Full quality"),
        (9.5, "Calibrated"),
        (9.9, "Calibration off"),
    ]


def test_a_device_is_lost_once_and_back_once() -> None:
    assert told(
        (3.0, "camera lost", {}),
        (4.0, "camera lost", {}),
        (4.5, "camera opening", {}),
        (5.0, "camera open", {}),
        (6.0, "microphone off", {}),
        (7.0, "camera ended", {}),
        (8.0, "microphone open", {}),
    ) == [
        (3.0, "Camera lost"),
        (5.0, "Camera back"),
        (6.0, "Microphone off"),
        (7.0, "Camera ended"),
        (8.0, "Microphone back"),
    ]


def test_opening_is_nothing_that_happened() -> None:
    assert (
        told((0.0, "camera opening", {}), (0.0, "camera open", {}), (2.0, "camera open", {})) == []
    )


def test_what_was_away_before_the_session_began_only_counts_if_it_stays_away() -> None:
    away = (0.0, "camera lost", {})
    assert told(away, (0.0, "camera open", {})) == []
    assert told(away, (2.0, "camera open", {})) == [(0.0, "Camera lost"), (2.0, "Camera back")]


def test_a_gap_stands_where_it_begins() -> None:
    text, details = gap_event(4_000_000_000, 16_400_000_000)
    marks = marks_of([(5.0, "Question")], [(16.5, Event("gap", text, details))])
    assert marks == [Mark(4.0, "Gap of 12 s", text), Mark(5.0, "Question")]


def test_pauses_failures_and_a_slow_disk_are_named() -> None:
    assert told(
        (1.0, "paused", {}),
        (2.0, "resumed", {"from": 1.0, "until": 2.0}),
        (3.0, "face failed", {}),
        (4.0, "disk slow", {}),
        (5.0, "engine", {}),
        (6.0, "something new", {}),
    ) == [(1.0, "Paused"), (2.0, "Resumed"), (3.0, "Faces failed"), (4.0, "Pictures left out")]


def test_the_text_says_all_and_tells_events_from_markers() -> None:
    text = step_text(1, "face at 15 pictures a second", "the face is late")
    (marker, event) = marks_of([(1.0, "Begin")], [(2.0, Event("quality", text, {"step": 1}))])
    assert (marker.text, event.text) == ("", text)
    (without,) = marks_of((), [(2.0, Event("paused"))])
    assert without.text, "also one that says nothing is no marker"


@pytest.mark.parametrize("details", [{}, {"from": "x", "until": 2.0}, {"from": float("nan")}])
def test_what_a_damaged_line_does_not_tell_is_left_out(details: dict[str, Any]) -> None:
    assert told((7.0, "gap", details)) == [(7.0, "Gap")]
    assert told((float("nan"), "gap", details)) == []
    assert told((float("inf"), "quality", details), (8.0, "", details)) == []
