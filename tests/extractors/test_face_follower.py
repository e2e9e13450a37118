"""Which of several faces is followed; no picture and no model is needed for that."""

import numpy as np
import pytest

from extractors.face import Box, FaceFollower
from extractors.stream import SECOND

MS = SECOND // 1000


def square(x: float, size: float) -> Box:
    return Box(x, 0.2, x + size, 0.2 + size)


SMALL, LARGE = square(0.1, 0.2), square(0.6, 0.3)  # 2.25 times the area


def test_the_largest_is_taken_first() -> None:
    follower = FaceFollower()
    assert follower.choose([], 0) == (None, False)
    assert follower.choose([SMALL, LARGE], 1) == (1, False)


def test_it_is_held_although_the_order_changes_and_it_moves() -> None:
    follower = FaceFollower()
    follower.choose([LARGE, SMALL], 0)
    for step in range(1, 30):
        moved = square(0.6 - 0.01 * step, 0.3)
        assert follower.choose([SMALL, moved], step * 33 * MS) == (1, False)


def test_another_takes_over_after_a_whole_second_of_being_much_larger() -> None:
    follower = FaceFollower()
    follower.choose([SMALL], 0)
    assert follower.choose([SMALL, LARGE], 500 * MS) == (0, False)
    assert follower.choose([SMALL, LARGE], 1499 * MS) == (0, False)
    assert follower.choose([SMALL, LARGE], 1500 * MS) == (1, True)
    assert follower.choose([SMALL, LARGE], 1600 * MS) == (1, False)


@pytest.mark.parametrize(("ratio", "switches"), [(1.45, False), (1.55, True)])
def test_half_as_large_again_is_the_limit(ratio: float, switches: bool) -> None:
    follower = FaceFollower()
    rival = square(0.6, 0.2 * ratio**0.5)
    follower.choose([SMALL], 0)
    follower.choose([SMALL, rival], 1 * MS)
    assert follower.choose([SMALL, rival], 2 * SECOND) == ((1, True) if switches else (0, False))


def test_the_second_starts_again_when_the_rival_shrinks() -> None:
    follower = FaceFollower()
    follower.choose([SMALL], 0)
    follower.choose([SMALL, LARGE], 100 * MS)
    follower.choose([SMALL, square(0.6, 0.2)], 900 * MS)
    follower.choose([SMALL, LARGE], 1000 * MS)
    assert follower.choose([SMALL, LARGE], 1900 * MS) == (0, False)
    assert follower.choose([SMALL, LARGE], 2000 * MS) == (1, True)


def test_who_is_lost_is_waited_for_half_a_second_then_the_largest_is_taken() -> None:
    follower = FaceFollower()
    follower.choose([SMALL, square(0.6, 0.1)], 0)
    rest = [square(0.6, 0.1), square(0.8, 0.15)]
    assert follower.choose(rest, 499 * MS) == (None, False)
    assert follower.choose(rest, 500 * MS) == (1, True)
    assert follower.choose(rest, 501 * MS) == (1, False)


def test_a_short_absence_changes_nothing() -> None:
    follower = FaceFollower()
    follower.choose([SMALL], 0)
    assert follower.choose([], 400 * MS) == (None, False)
    assert follower.choose([LARGE, SMALL], 450 * MS) == (1, False)
    # seen again, so that the half second counts from here
    assert follower.choose([], 900 * MS) == (None, False)


def test_coming_back_late_to_the_same_place_is_the_same_face() -> None:
    follower = FaceFollower()
    follower.choose([SMALL], 0)
    assert follower.choose([], 5 * SECOND) == (None, False)
    assert follower.choose([square(0.12, 0.2)], 6 * SECOND) == (0, False)


def test_coming_back_late_elsewhere_is_written_down_as_another() -> None:
    follower = FaceFollower()
    follower.choose([SMALL], 0)
    assert follower.choose([], 5 * SECOND) == (None, False)
    assert follower.choose([LARGE], 6 * SECOND) == (0, True)


def test_an_overlap_of_a_fifth_is_the_same_face() -> None:
    def after_moving(by: float) -> int | None:
        follower = FaceFollower()
        follower.choose([SMALL], 0)
        return follower.choose([square(0.1 + by, 0.2)], 1 * MS)[0]

    # squares of side 0.2 moved by d: (0.2 - d) / (0.2 + d) = 0.2 at d = 0.1333
    assert after_moving(0.13) == 0
    assert after_moving(0.137) is None


def test_boxes_measure_what_they_should() -> None:
    landmarks = np.array([[0.2, 0.9, -5], [0.6, 0.4, 7], [0.4, 0.5, 0]], np.float32)
    box = Box.around(landmarks)
    assert (box.left, box.top, box.right, box.bottom) == pytest.approx((0.2, 0.4, 0.6, 0.9))
    assert box.area == pytest.approx(0.2)
    assert box.overlap(box) == pytest.approx(1)
    assert Box(0, 0, 2, 1).overlap(Box(1, 0, 3, 1)) == pytest.approx(1 / 3)
    assert Box(0, 0, 1, 1).overlap(Box(2, 2, 3, 3)) == 0
    assert Box(0, 0, 0, 0).overlap(Box(0, 0, 0, 0)) == 0
