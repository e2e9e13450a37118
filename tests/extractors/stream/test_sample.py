"""Samples and clocks: integer nanoseconds that never run back."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractors.stream import (
    SECOND,
    MonotonicClock,
    Sample,
    VirtualClock,
    from_seconds,
    to_seconds,
)


def test_a_sample_cannot_end_before_it_starts() -> None:
    assert Sample("s", 5, 5, 0, None).end == 5  # an instant is fine
    with pytest.raises(ValueError, match="sample of s ends at 4, before 5"):
        Sample("s", 5, 4, 0, None)


def test_a_sample_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Sample("s", 0, 1, 0, None).end = 2  # type: ignore[misc]


@given(st.integers(0, 24 * 3600 * 1_000_000))
def test_seconds_keep_microseconds_over_a_day(microseconds: int) -> None:
    time = microseconds * 1000
    assert from_seconds(to_seconds(time)) == time


def test_seconds_are_rounded_and_not_cut() -> None:
    assert from_seconds(0.29) == 290_000_000  # 0.29 * 1e9 is 289999999.99999994
    assert from_seconds(1e-9 * 0.6) == 1
    assert to_seconds(SECOND // 4) == 0.25


def test_monotonic_clock_starts_at_zero_and_never_runs_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    machine = iter([700, 700, 705, 905])
    monkeypatch.setattr("time.monotonic_ns", lambda: next(machine))
    clock = MonotonicClock()
    assert [clock.now(), clock.now(), clock.now()] == [0, 5, 205]


def test_virtual_clock_stands_still_until_it_is_moved() -> None:
    clock = VirtualClock(3)
    assert clock.now() == clock.now() == 3
    clock.advance(4)
    clock.advance(0)
    assert clock.now() == 7
    with pytest.raises(ValueError, match="never goes back"):
        clock.advance(-1)
    assert clock.now() == 7
