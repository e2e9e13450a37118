"""The ladder of degradation, on a clock that the test moves."""

from dataclasses import replace

import pytest

from extractors.stream import SECOND
from inference.live.ladder import RUNGS, LadderState, Load, advance

CALM = Load()


def after(state: LadderState, load: Load, seconds: int, now: int) -> tuple[LadderState, int]:
    for _ in range(seconds):
        now += SECOND
        state = advance(state, load, now)
    return state, now


@pytest.mark.parametrize(
    ("load", "reason"),
    [
        (Load(faces=0.5), "faces"),
        (Load(predictions=0.4), "predictions"),
        (Load(speech=3.0), "transcription"),
    ],
)
def test_lasting_strain_goes_down_in_the_stated_order(load: Load, reason: str) -> None:
    state, now = LadderState(), 0
    steps = []
    for _ in range(40):
        state, now = after(state, load, 1, now)
        steps.append(state.step)
    assert sorted(set(steps)) == list(range(len(RUNGS)))
    assert steps == sorted(steps)
    assert reason in state.reason
    assert state.rung is RUNGS[-1]


def test_the_order_is_face_then_hop_then_words_then_drawing() -> None:
    first_change = {
        name: next(
            i for i, rung in enumerate(RUNGS) if getattr(rung, name) != getattr(RUNGS[0], name)
        )
        for name in ("face_rate", "hop_factor", "speech_step", "draw_landmarks")
    }
    assert list(first_change.values()) == sorted(first_change.values())
    assert len(set(first_change.values())) == 4


def test_a_moment_of_strain_changes_nothing() -> None:
    state, now = LadderState(), 0
    for _ in range(20):
        state, now = after(state, Load(faces=0.9), 2, now)
        state, now = after(state, CALM, 2, now)
    assert state.step == 0


def test_it_climbs_back_when_it_is_calm_again() -> None:
    state, now = after(LadderState(), Load(faces=0.5), 8, 0)
    assert state.step == 2
    state, now = after(state, CALM, 30, now)
    assert state.step == 0
    assert state.reason == ""


def test_between_half_the_limit_and_the_limit_it_stays() -> None:
    state, now = after(LadderState(), Load(faces=0.5), 4, 0)
    state, _ = after(state, Load(faces=0.15), 300, now)
    assert state.step == 1


def test_a_relapse_makes_it_more_patient() -> None:
    """A machine that can only just not do it: it must not go up and down for ever."""
    state, now, changes = LadderState(), 0, 0
    for _ in range(600):
        load = Load(faces=0.5) if state.step == 0 else CALM
        before = state.step
        state, now = after(state, load, 1, now)
        changes += state.step != before
    assert changes < 16  # without patience it would be 80
    fresh = replace(LadderState(), step=1)
    assert state.patience > fresh.patience
