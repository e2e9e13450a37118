from desktop.playhead import Playhead
from extractors.stream.clock import VirtualClock


def test_runs_with_the_clock_only_while_playing() -> None:
    clock = VirtualClock(500)
    head = Playhead(clock, 1000)
    clock.advance(100)
    assert head.position == 0
    head.play()
    clock.advance(100)
    assert head.position == 100
    head.pause()
    clock.advance(100)
    assert head.position == 100


def test_stops_at_the_end_and_plays_again_from_the_start() -> None:
    clock = VirtualClock()
    head = Playhead(clock, 1000)
    head.play()
    clock.advance(5000)
    assert (head.position, head.at_end) == (1000, True)
    head.pause()
    head.play()
    assert head.position == 0


def test_seek_stays_inside_and_keeps_playing() -> None:
    clock = VirtualClock()
    head = Playhead(clock, 1000)
    head.play()
    head.seek(700)
    clock.advance(50)
    assert head.position == 750
    head.seek(-5)
    assert head.position == 0
    head.seek(10**9)
    assert head.position == 1000


def test_another_clock_takes_over_without_a_jump() -> None:
    first, second = VirtualClock(), VirtualClock(10**6)
    head = Playhead(first, 1000)
    head.play()
    first.advance(300)
    head.follow(second)
    first.advance(300)
    assert head.position == 300
    second.advance(20)
    assert head.position == 320
