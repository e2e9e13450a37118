"""Several streams as one: the order depends on the samples, never on the threads."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractors.stream import Channel, ChannelClosed, Sample, in_time_order
from tests.extractors.stream.threads import Beside, at, drain, times, waits_on

streams = st.lists(st.lists(st.integers(0, 20)).map(sorted), max_size=4)


@given(streams)
def test_order_is_by_end_and_at_equal_times_by_argument(ends: list[list[int]]) -> None:
    # data that cannot be compared: nothing but the time may decide
    given_in = [
        [at(end, object(), str(i), end // (i + 1)) for end in row] for i, row in enumerate(ends)
    ]
    merged = list(in_time_order(*given_in))
    everything = [sample for row in given_in for sample in row]
    assert merged == sorted(everything, key=lambda sample: (sample.end, sample.stream))


@pytest.mark.parametrize("seed", range(5))
def test_order_does_not_depend_on_which_thread_is_faster(seed: int) -> None:
    chance = random.Random(seed)
    ends = {name: sorted(chance.sample(range(1000), 200)) for name in ("text", "voice", "face")}
    channels: dict[str, Channel[Any]] = {name: Channel(name, 1000) for name in ends}
    merged = Beside(lambda: list(in_time_order(*channels.values())))
    left = {name: list(row) for name, row in ends.items()}
    while left:  # the seed plays the scheduler
        name = chance.choice(list(left))
        if left[name]:
            channels[name].put(at(left[name].pop(0), None, name))
        else:
            channels[name].close()
            del left[name]
    expected = in_time_order(*([at(t, None, name) for t in row] for name, row in ends.items()))
    assert merged.result() == list(expected)


def test_it_waits_for_the_stream_that_is_furthest_behind() -> None:
    slow: Channel[Any] = Channel("slow", 4)
    fast: Channel[Any] = Channel("fast", 4)
    for time in (1, 2, 3):
        fast.put(at(time))
    waiting = waits_on(slow)
    merged = in_time_order(slow, fast)
    first = Beside(lambda: next(merged))
    assert waiting.wait(10)
    slow.put(at(2, None, "slow"))
    assert first.result().end == 1
    slow.close()
    fast.close()
    assert [(s.stream, s.end) for s in merged] == [("slow", 2), ("test", 2), ("test", 3)]


def test_heartbeats_keep_small_channels_from_deadlock() -> None:
    """One producer feeds two channels of one sample each; one stream is almost always silent."""
    words: Channel[Any] = Channel("words", 1)
    sound: Channel[Any] = Channel("sound", 1)

    def produce() -> None:
        for time in range(500):
            word = "word" if time % 100 == 0 else None
            words.put(at(time, word, "words"))
            sound.put(at(time, "sound", "sound"))
        words.close()
        sound.close()

    producer = Beside(produce)
    merged = Beside(lambda: list(in_time_order(words, sound)))
    assert len(merged.result()) == 1000
    producer.result()


def test_when_it_has_ended_its_channels_take_nothing_more() -> None:
    done: Channel[Any] = Channel("done", 2)
    done.put(at(1))
    done.close()
    assert times(list(in_time_order(done, [at(0)]))) == [0, 1]
    with pytest.raises(ChannelClosed):
        done.put(at(2))


def test_an_error_of_one_stream_releases_the_producers_of_the_others() -> None:
    def broken() -> Any:
        yield at(0)
        raise OSError("cable pulled")

    full: Channel[Any] = Channel("full", 1)
    full.put(at(5))
    waiting = waits_on(full)
    producer = Beside(lambda: full.put(at(6)))
    assert waiting.wait(10)
    merged = in_time_order(broken(), full)
    assert next(merged).end == 0
    with pytest.raises(OSError, match="cable pulled"):
        next(merged)
    with pytest.raises(ChannelClosed):
        producer.result()


@pytest.mark.parametrize("begun", [True, False])
def test_abandoning_it_releases_producers_also_before_the_first_sample(begun: bool) -> None:
    full: Channel[Any] = Channel("full", 1)
    full.put(at(0))
    merged = in_time_order(full, [at(3)])
    if begun:
        assert next(merged).end == 0
        full.put(at(1))
    waiting = waits_on(full)
    producer = Beside(lambda: full.put(at(2)))
    assert waiting.wait(10)
    merged.abandon()
    with pytest.raises(ChannelClosed):
        producer.result()


def test_closing_it_still_delivers_what_is_inside() -> None:
    one: Channel[Any] = Channel("one", 2)
    one.put(at(1))
    merged = in_time_order(one, [at(0), at(2)])
    merged.close()
    with pytest.raises(ChannelClosed):
        one.put(at(2))
    ordered: list[Sample[Any]] = list(merged)
    assert times(ordered) == [0, 1, 2]
    assert drain(one) == []
