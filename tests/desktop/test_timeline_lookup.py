import numpy as np
import pytest

from desktop.progress import Progress
from desktop.timeline_lookup import moment_at
from extractors.timeline import Timeline
from tests.desktop.fake_recording import plain_timeline


def test_the_newest_row_holds_until_the_next() -> None:
    timeline = plain_timeline(4.0)
    moment = moment_at(timeline, 1.19)
    assert moment.time == pytest.approx(1.0)
    assert moment.emotions is not None
    assert np.array_equal(moment.emotions, timeline.emotions[4])
    assert moment_at(timeline, 1.2).time == pytest.approx(1.2)


def test_nothing_is_claimed_where_nothing_is_known() -> None:
    timeline = plain_timeline(12.0)
    absent = moment_at(timeline, 9.5)
    assert absent.present == (False, False, False)
    assert absent.emotions is None
    assert moment_at(timeline, 13.0).present is None
    assert moment_at(Timeline.empty(), 0.0).present is None
    assert moment_at(timeline, 0.0).time == pytest.approx(0.2)


def test_time_left_comes_from_the_measured_speed() -> None:
    progress = Progress()
    assert progress.left(60.0) is None
    for look in range(11):
        progress.look(look * 0.2, look * 0.8)
    assert progress.left(60.0) == pytest.approx((60 - 8) / 4)
    assert progress.text(8.0, 60.0) == "Analysed 0:08 of 1:00, 13 s left"
