"""Lab Streaming Layer: two streams, predictions and markers, with the time of capture."""

from typing import Any

from assets.errors import BadInput
from extractors.features import EMOTIONS
from extractors.outlets.outlet import PRESENT, OutletRow
from extractors.recording.observations import Marker
from extractors.stream import SECOND, Clock

__all__ = ["LslOutlet", "lsl_time"]

TRIES = 5
"""Comparisons of the two clocks of which the quickest counts: a thread may stand in between."""
CHANNELS = (*EMOTIONS, "sentiment", *(f"{name}_present" for name in PRESENT), "uncertainty")


class LslOutlet:
    """The streams "NAME emotions" (float32, irregular) and "NAME markers" (string).

    LSL asks for the time at which something was measured, on its own clock: that is the end of the
    window, not the moment of sending, so that a recorder can line it up with other devices.
    """

    def __init__(self, name: str, clock: Clock) -> None:
        """`clock` is that of the session. Raises BadInput if LSL is not installed."""
        self._lsl: Any = _library()
        self._clock = clock
        self._emotions: Any = self._outlet(f"{name} emotions", "Emotion", CHANNELS, "float32")
        self._markers: Any = self._outlet(f"{name} markers", "Markers", ("marker",), "string")

    def _outlet(self, name: str, kind: str, channels: tuple[str, ...], values: str) -> Any:
        # gaps and pauses make the rate irregular, and a given source lets receivers reconnect
        info = self._lsl.StreamInfo(name, kind, len(channels), 0.0, values, f"affectscope {name}")
        described = info.desc().append_child("channels")
        for channel in channels:
            described.append_child("channel").append_child_value("label", channel)
        return self._lsl.StreamOutlet(info)

    def send(self, row: OutletRow) -> None:
        sentiment, uncertainty = (
            float("nan") if value is None else value for value in (row.sentiment, row.uncertainty)
        )
        values = [*row.emotions, sentiment, *map(float, row.present), uncertainty]
        self._emotions.push_sample(values, lsl_time(row.time, self._clock, self._lsl.local_clock))

    def mark(self, time: int, marker: Marker) -> None:
        text = f"{marker.label} {marker.note}".strip()
        self._markers.push_sample([text], lsl_time(time, self._clock, self._lsl.local_clock))

    def wait_for_receivers(self, seconds: float) -> bool:
        """Wait until there is one of both streams, for each at most so long."""
        waiting = (self._emotions, self._markers)
        return all(bool(outlet.wait_for_consumers(seconds)) for outlet in waiting)

    def close(self) -> None:
        self._emotions = self._markers = None  # LSL ends a stream with its object


def lsl_time(time: int, clock: Clock, local_clock: Any) -> float:
    """The session time `time` (nanoseconds) on the clock of LSL, in seconds.

    The clocks are compared anew each time: one may stand still while the computer sleeps.
    """
    best = (float("inf"), 0.0)
    for _ in range(TRIES):
        before = local_clock()
        now = clock.now()
        after = local_clock()
        best = min(best, (after - before, (before + after) / 2 - (now - time) / SECOND))
    return best[1]


def _library() -> Any:
    try:
        import pylsl
    except ImportError as error:
        raise BadInput("LSL needs pylsl: `pip install affectscope[outlets]`") from error
    except (OSError, RuntimeError) as error:
        raise BadInput(f"pylsl is here, but not its library liblsl: {error}") from error
    return pylsl
