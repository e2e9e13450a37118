"""What is given up when the machine cannot keep up, in which order, and when it comes back."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from extractors.stream import SECOND

__all__ = ["RUNGS", "LadderState", "Load", "Rung", "advance"]


@dataclass(frozen=True, slots=True)
class Rung:
    """A step of the ladder: what it saves on, together with all the steps before it."""

    text: str
    face_rate: float
    """Pictures a second that are looked at for faces."""
    hop_factor: int
    """Windows come so many times more rarely."""
    speech_step: int
    """Pace of `extractors.live_speech`."""
    draw_landmarks: bool


RUNGS = (
    Rung("", 30.0, 1, 0, True),
    Rung("face at 15 pictures a second", 15.0, 1, 0, True),
    Rung("face at 10 pictures a second", 10.0, 1, 0, True),
    Rung("half as many predictions", 10.0, 2, 0, True),
    Rung("words a little later", 10.0, 2, 1, True),
    Rung("words up to a second later", 10.0, 2, 3, True),
    Rung("no landmarks drawn", 10.0, 2, 3, False),
)
"""From full quality down. The face comes first: at 10 pictures a second it still fills each tenth
of a window, so the network hardly notices. Words come late: they are what is hardest to get back.
"""

LIMITS: Mapping[str, float] = {"faces": 0.2, "predictions": 0.08, "speech": 1.0}
"""What each measure of `Load` may be."""
REASONS: Mapping[str, str] = {
    "faces": "too few pictures are looked at for faces",
    "predictions": "predictions come late",
    "speech": "transcription falls behind",
}
EASE = 0.6
"""Below this fraction of every limit there may be room for more. A machine with nothing else to do
(2 cores) stays below half of each."""
DOWN_AFTER = 3 * SECOND
UP_AFTER = 12 * SECOND
RELAPSE = 30 * SECOND
"""Who must go down again so soon after climbing waits twice as long the next time."""
MOST_PATIENCE = 16 * UP_AFTER


@dataclass(frozen=True, slots=True)
class Load:
    """What was measured over the last second."""

    faces: float = 0.0
    """Fraction of the pictures meant for the face that were dropped."""
    predictions: float = 0.0
    """Seconds by which predictions came after they were due, on average."""
    speech: float = 0.0
    """Seconds of sound that wait to be heard."""

    @property
    def worst(self) -> tuple[float, str]:
        """The largest share of its limit that a measure takes, and its name."""
        return max((getattr(self, name) / limit, name) for name, limit in LIMITS.items())


@dataclass(frozen=True, slots=True)
class LadderState:
    """Where on the ladder, and for how long things have been as they are."""

    step: int = 0
    reason: str = ""
    """Why the last step down was taken; empty at full quality."""
    strained_since: int | None = None
    calm_since: int | None = None
    climbed_at: int | None = None
    patience: int = UP_AFTER

    @property
    def rung(self) -> Rung:
        return RUNGS[self.step]


def advance(state: LadderState, load: Load, now: int) -> LadderState:
    """The state after one more measurement at `now` (session nanoseconds).

    Three seconds over a limit lead a step down; twelve calm ones a step up, and a relapse doubles
    those twelve, so that it does not go up and down for ever.
    """
    pressure, worst = load.worst
    if pressure > 1:
        since = now if state.strained_since is None else state.strained_since
        state = replace(state, strained_since=since, calm_since=None)
        if now - since < DOWN_AFTER or state.step == len(RUNGS) - 1:
            return state
        relapse = state.climbed_at is not None and now - state.climbed_at < RELAPSE
        patience = min(2 * state.patience, MOST_PATIENCE) if relapse else state.patience
        return LadderState(state.step + 1, REASONS[worst], now, None, None, patience)
    if pressure >= EASE or state.step == 0:
        return replace(state, strained_since=None, calm_since=None)
    since = now if state.calm_since is None else state.calm_since
    if now - since < state.patience:
        return replace(state, strained_since=None, calm_since=since)
    step = state.step - 1
    reason = state.reason if step else ""
    return LadderState(step, reason, None, now, now, state.patience)
