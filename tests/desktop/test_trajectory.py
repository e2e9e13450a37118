import numpy as np
import pytest

from desktop.trajectory_axes import spread, time_step
from desktop.trajectory_lanes import condense, runs, visible_rows


def test_a_short_recording_is_drawn_row_by_row() -> None:
    time, values = np.arange(10.0), np.arange(20.0).reshape(10, 2)
    assert condense(time, values, 5).exact


def test_a_long_one_keeps_its_mean_its_peaks_and_its_gaps() -> None:
    time = np.arange(18_000) * 0.2
    values = np.zeros((18_000, 1))
    values[9000] = 1.0
    values[100] = np.nan
    shown = condense(time, values, 300)
    assert len(shown.time) <= 300
    assert not shown.exact
    assert np.nanmax(shown.high) == 1.0
    assert np.nanmax(shown.mean) == pytest.approx(1 / 60)
    assert np.isnan(shown.mean).sum() == 1
    assert (np.diff(shown.time) > 0).all()


def test_rows_just_outside_are_drawn_too() -> None:
    time = np.arange(10.0)
    assert visible_rows(time, 2.5, 4.5) == slice(2, 6)
    assert visible_rows(time, -5, 50) == slice(0, 10)


def test_a_row_holds_until_the_next() -> None:
    time = np.array([0.2, 0.4, 0.6, 0.8])
    assert runs(time, np.array([True, False, True, True])) == [(0.0, 0.4), (0.6, 0.8)]
    assert runs(time, np.zeros(4, bool)) == []


def test_labels_keep_their_distance_and_order_and_stay_inside() -> None:
    wanted = [50.0, 51.0, 52.0, 10.0, 99.0]
    placed = spread(wanted, 10.0, 0.0, 100.0)
    assert np.argsort(placed).tolist() == np.argsort(wanted).tolist()
    assert np.diff(np.sort(placed)).min() >= 10 - 1e-9
    assert min(placed) >= 0
    assert max(placed) <= 100
    assert placed[3] == 10.0


def test_labels_that_do_not_fit_stand_evenly() -> None:
    assert np.diff(spread([5.0] * 5, 10.0, 0.0, 20.0)) == pytest.approx([5.0] * 4)


def test_time_labels_stand_at_round_distances() -> None:
    assert time_step(8, 760) == 2
    assert time_step(3600, 760) == 600
    assert time_step(1, 1900) == 0.1
