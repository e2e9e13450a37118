"""Whatever the times say, the pieces become one run in which each sample is where it belongs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractors.audio_timeline import TOLERANCE, AudioTimeline
from extractors.stream.sample import SECOND

RATE = 8000


def lay(
    pieces: list[tuple[int | None, int]], exact: bool = False
) -> tuple[AudioTimeline, list[float]]:
    """A timeline with pieces of (time, length); samples are numbered from 1."""
    timeline = AudioTimeline(RATE, 1)
    run: list[float] = []
    number = 1
    for time, length in pieces:
        samples = np.arange(number, number + length, dtype=np.float32)[:, None]
        number += length
        for array in timeline.place(time, samples, exact):
            assert array.dtype == np.float32
            assert len(array) <= max(RATE, length)
            run += array[:, 0].tolist()
            assert timeline.length == len(run)
    return timeline, run


@given(
    origin=st.integers(-SECOND, SECOND),
    lengths=st.lists(st.integers(1, 400), min_size=1, max_size=20),
    data=st.data(),
)
def test_jitter_up_to_the_tolerance_shifts_nothing(
    origin: int, lengths: list[int], data: st.DataObject
) -> None:
    starts = np.cumsum([0, *lengths[:-1]])
    pieces = [(origin, lengths[0])]
    for start, length in zip(starts[1:].tolist(), lengths[1:], strict=True):
        jitter = data.draw(st.integers(-TOLERANCE + 1, TOLERANCE - 1))
        pieces.append((origin + start * SECOND // RATE + jitter, length))
    timeline, run = lay(list(pieces))
    assert run == list(range(1, sum(lengths) + 1))
    assert timeline.origin == origin
    assert timeline.end == origin + sum(lengths) * SECOND // RATE


@given(
    st.lists(st.tuples(st.integers(0, 4 * SECOND), st.integers(1, 4000)), min_size=1, max_size=12)
)
def test_every_sample_that_is_kept_is_heard_at_its_time(pieces: list[tuple[int, int]]) -> None:
    timeline, run = lay(list(pieces))
    assert timeline.origin == pieces[0][0]
    kept = [value for value in run if value]
    assert kept == sorted(set(kept)), "nothing comes twice or out of order"
    index_of = {value: index for index, value in enumerate(run) if value}
    number = 1
    for time, length in pieces:
        for value in range(number, number + length):
            meant = time + (value - number) * SECOND // RATE
            if value in index_of:
                error = timeline.time_of(index_of[value]) - meant
                assert abs(error) <= TOLERANCE + SECOND // RATE
            else:  # left out only because something else is heard there
                assert meant < timeline.end
        number += length


@given(
    st.lists(st.tuples(st.integers(0, 2 * SECOND), st.integers(1, 2000)), min_size=2, max_size=8)
)
def test_after_a_known_loss_a_piece_is_at_its_time_to_the_sample(
    pieces: list[tuple[int, int]],
) -> None:
    timeline, run = lay(list(pieces), exact=True)
    index_of = {value: index for index, value in enumerate(run) if value}
    number = 1
    for time, length in pieces:
        last = number + length - 1
        if last in index_of:
            meant = time + (length - 1) * SECOND // RATE
            assert abs(timeline.time_of(index_of[last]) - meant) <= SECOND // RATE
        number += length


def test_a_piece_without_a_time_follows() -> None:
    _, run = lay([(SECOND, 3), (None, 2)])
    assert run == [1, 2, 3, 4, 5]


def test_past_the_tolerance_a_gap_is_silent() -> None:
    gap = TOLERANCE * RATE // SECOND + 10
    _, run = lay([(0, 1), ((1 + gap) * SECOND // RATE, 2)])
    assert run == [1, *[0] * gap, 2, 3]


def test_past_the_tolerance_an_overlap_is_cut() -> None:
    overlap = TOLERANCE * RATE // SECOND + 10
    _, run = lay([(0, 1000), ((1000 - overlap) * SECOND // RATE, 300)])
    assert run == [*range(1, 1001), *range(1001 + overlap, 1301)]


def test_a_long_silence_comes_in_small_pieces() -> None:
    timeline, run = lay([(0, 1), (60 * SECOND, 1)])
    assert len(run) == timeline.length == 60 * RATE + 1


def test_a_clock_that_runs_fast_parts_sound_from_its_times_by_the_tolerance_at_most() -> None:
    """Two hours by a card of 300 ppm: pieces of a second that say when they were really heard."""
    timeline = AudioTimeline(RATE, 1)
    second = np.zeros((RATE, 1), np.float32)
    for number in range(7200):
        for _ in timeline.place(round(number * 0.9997 * SECOND), second):
            pass
    assert timeline.overlap / RATE == pytest.approx(7200 * 0.0003, abs=0.03)
    assert timeline.filled == 0
    assert 15 < timeline.late.largest <= TOLERANCE / 1e6
    assert timeline.late.mean == pytest.approx(10, abs=1)
    assert timeline.late.slope is not None
    assert abs(timeline.late.slope * 3600) < 0.5, "the error does not grow"


def test_what_is_filled_and_cut_is_counted() -> None:
    timeline, _ = lay([(0, RATE), (2 * SECOND, RATE), (5 * SECOND // 2, RATE)])
    assert (timeline.filled, timeline.overlap) == (RATE, RATE // 2)
    assert timeline.late.largest == 0
    assert timeline.late.slope is None, "less than a minute says nothing"
