"""The last hour of a timeline."""

import numpy as np

from extractors.features import EMOTIONS
from extractors.timeline import EDGES, Timeline, uncertainty_of
from inference.live.timeline_buffer import TimelineBuffer


def rows(first: int, count: int, sentiment: float = 0.0) -> Timeline:
    return Timeline(
        (first + np.arange(count)) / 5,
        np.full((count, len(EMOTIONS)), 1 / 7, np.float32),
        np.full(count, sentiment, np.float32),
        np.ones((count, 3), np.bool_),
        np.zeros((count, len(EDGES)), np.float32),
        np.zeros((count, len(EDGES)), np.float32),
    )


def test_it_keeps_the_newest_and_no_more_than_a_quarter_more() -> None:
    buffer = TimelineBuffer(10)
    for i in range(1000):
        buffer.append(rows(i, 1))
        kept = buffer.timeline()
        assert len(kept) >= min(i + 1, 10)
        assert len(kept) <= 12
        assert kept.time[-1] == i / 5
        assert (np.diff(kept.time) > 0).all()


def test_a_view_that_was_given_keeps_its_rows() -> None:
    buffer = TimelineBuffer(3)
    buffer.append(rows(0, 3))
    view = buffer.timeline()
    before = view.time.copy()
    for i in range(3, 50):
        buffer.append(rows(i, 1))
    np.testing.assert_array_equal(view.time, before)


def test_settled_rows_replace_those_at_their_times_and_nothing_else() -> None:
    buffer = TimelineBuffer(10)
    buffer.append(rows(0, 6))
    buffer.replace(rows(2, 2, sentiment=1.5))
    buffer.replace(rows(50, 1, sentiment=9.0))
    np.testing.assert_array_equal(buffer.timeline().sentiment, [0, 0, 1.5, 1.5, 0, 0])


def test_uncertainty_is_the_share_of_the_greatest_entropy() -> None:
    emotions = rows(0, 2).emotions
    emotions[1] = [1, 0, 0, 0, 0, 0, 0]
    np.testing.assert_allclose(uncertainty_of(emotions), [1, 0], atol=1e-5)
    np.testing.assert_allclose(rows(0, 2).uncertainty, [1, 1], atol=1e-5)
