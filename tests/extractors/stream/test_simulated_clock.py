"""Time that passes only while everyone waits for it."""

import threading

from extractors.stream import SimulatedClock
from tests.extractors.stream.threads import Beside


def test_alone_time_goes_where_it_is_waited_for() -> None:
    clock = SimulatedClock(5)
    clock.join()
    assert clock.wait_until(1_000_000, threading.Event())
    assert clock.now() == 1_000_000
    assert clock.wait_until(7, threading.Event()), "it is over already"
    assert clock.now() == 1_000_000


def test_it_goes_to_the_earliest_moment_and_wakes_nobody_else() -> None:
    clock = SimulatedClock()
    order = []
    for _ in range(2):
        clock.join()

    def steps(name: str, step: int) -> None:
        for number in range(1, 6):
            assert clock.wait_until(number * step, threading.Event())
            order.append((clock.now(), name))
        clock.leave()

    running = [Beside(lambda: steps("a", 10)), Beside(lambda: steps("b", 15))]
    for one in running:
        one.result()
    assert [time for time, _ in order] == sorted(time for time, _ in order)
    assert {time for time, name in order if name == "a"} == {10, 20, 30, 40, 50}
    assert {time for time, name in order if name == "b"} == {15, 30, 45, 60, 75}


def test_who_works_stops_it_and_who_leaves_lets_it_go() -> None:
    clock = SimulatedClock()
    clock.join()  # this thread, which does not wait
    clock.join()
    running = Beside(lambda: clock.wait_until(10, threading.Event()))
    stand = threading.Event()
    stand.wait(0.05)
    assert clock.now() == 0
    clock.leave()
    assert running.result() is True
    assert clock.now() == 10


def test_a_wait_can_be_cancelled() -> None:
    clock = SimulatedClock()
    clock.join()
    clock.join()
    cancelled = threading.Event()
    running = Beside(lambda: clock.wait_until(10, cancelled))
    cancelled.set()
    assert running.result() is False


def test_a_jump_wakes_who_waited_for_less() -> None:
    clock = SimulatedClock()
    clock.join()
    clock.join()
    running = Beside(lambda: clock.wait_until(10, threading.Event()))
    clock.jump(50)
    assert running.result() is True
    assert clock.now() == 50
