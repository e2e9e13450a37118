"""The bounded queue: what happens when it is full, when it ends, and what it counts."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractors.stream import Channel, ChannelClosed, ChannelFull, Overflow
from tests.extractors.stream.threads import Beside, at, drain, times, waits_on


def filled(overflow: Overflow, capacity: int = 2) -> Channel[Any]:
    channel: Channel[Any] = Channel("full", capacity, overflow)
    for time in range(capacity):
        channel.put(at(time))
    return channel


def counts(channel: Channel[Any]) -> tuple[int, int, int, int]:
    stats = channel.stats
    assert stats.name == channel.name
    assert stats.put == stats.taken + stats.dropped + stats.waiting
    return stats.put, stats.taken, stats.dropped, stats.waiting


def test_a_channel_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="channel none needs a capacity of at least 1, not 0"):
        Channel("none", 0)


def test_samples_come_in_the_order_they_were_put() -> None:
    channel = filled(Overflow.BLOCK, 3)
    assert [sample.end for _ in range(3) if (sample := channel.get())] == [0, 1, 2]
    assert counts(channel) == (3, 3, 0, 0)


def test_drop_oldest_keeps_the_newest_and_counts_the_rest() -> None:
    channel = filled(Overflow.DROP_OLDEST)
    channel.put(at(2))
    channel.put(at(3))
    assert counts(channel) == (4, 0, 2, 2)
    assert times(channel.take_all()) == [2, 3]
    assert counts(channel) == (4, 2, 2, 0)


def test_fail_refuses_the_new_one_and_says_who_is_behind() -> None:
    channel = filled(Overflow.FAIL)
    with pytest.raises(ChannelFull, match="channel full is full: its reader is 2 samples behind"):
        channel.put(at(2))
    assert counts(channel) == (3, 0, 1, 2)
    channel.get()
    channel.put(at(3))
    channel.close()
    assert drain(channel) == [1, 3]


def test_block_makes_the_producer_wait_until_there_is_room() -> None:
    channel = filled(Overflow.BLOCK)
    waiting = waits_on(channel)
    producer = Beside(lambda: channel.put(at(2)))
    assert waiting.wait(10)
    assert counts(channel) == (2, 0, 0, 2)  # it holds no more than it may
    first = channel.get()
    assert first is not None
    assert first.end == 0
    producer.result()
    assert times(channel.take_all()) == [1, 2]


def test_take_all_makes_room_for_a_waiting_producer() -> None:
    channel = filled(Overflow.BLOCK)
    waiting = waits_on(channel)
    producer = Beside(lambda: channel.put(at(2)))
    assert waiting.wait(10)
    assert times(channel.take_all()) == [0, 1]
    producer.result()
    assert times(channel.take_all()) == [2]
    assert channel.take_all() == []


@pytest.mark.parametrize("end", ["close", "abandon"])
def test_a_producer_blocked_on_an_ended_channel_is_released(end: str) -> None:
    channel = filled(Overflow.BLOCK)
    waiting = waits_on(channel)
    producer = Beside(lambda: channel.put(at(2)))
    assert waiting.wait(10)
    getattr(channel, end)()
    with pytest.raises(ChannelClosed, match="channel full is closed"):
        producer.result()


def test_a_waiting_reader_gets_the_next_sample() -> None:
    channel: Channel[Any] = Channel("empty", 1)
    waiting = waits_on(channel)
    reader = Beside(channel.get)
    assert waiting.wait(10)
    channel.put(at(7))
    assert reader.result().end == 7


@pytest.mark.parametrize("end", ["close", "abandon"])
def test_a_waiting_reader_is_released_at_the_end(end: str) -> None:
    channel: Channel[Any] = Channel("empty", 1)
    waiting = waits_on(channel)
    reader = Beside(lambda: drain(channel))
    assert waiting.wait(10)
    getattr(channel, end)()
    assert reader.result() == []


def test_close_delivers_what_is_inside_and_refuses_more() -> None:
    channel = filled(Overflow.DROP_OLDEST)
    channel.close()
    channel.close()
    assert channel.closed
    with pytest.raises(ChannelClosed):
        channel.put(at(9))
    assert drain(channel) == [0, 1]
    with pytest.raises(ChannelClosed):
        channel.get()
    assert counts(channel) == (2, 2, 0, 0)


def test_abandon_discards_what_is_inside_counts_it_and_refuses_more() -> None:
    channel = filled(Overflow.FAIL)
    channel.close()
    channel.abandon()
    channel.abandon()
    with pytest.raises(ChannelClosed):
        channel.put(at(9))
    with pytest.raises(ChannelClosed):
        channel.get()
    assert counts(channel) == (2, 0, 2, 0)


def test_get_with_a_timeout_gives_none_when_nothing_came() -> None:
    channel: Channel[Any] = Channel("empty", 1)
    assert channel.get(timeout=0) is None
    channel.put(at(1))
    assert channel.get(timeout=0) is not None
    assert counts(channel) == (1, 1, 0, 0)


@given(
    st.sampled_from([Overflow.DROP_OLDEST, Overflow.FAIL]),
    st.integers(1, 4),
    st.lists(st.sampled_from(["put", "get", "take all", "close", "abandon"]), max_size=30),
)
def test_counts_add_up_and_order_holds_whatever_happens(
    overflow: Overflow, capacity: int, actions: list[str]
) -> None:
    channel: Channel[Any] = Channel("any", capacity, overflow)
    taken: list[int] = []
    for time, action in enumerate(actions):
        try:
            if action == "put":
                channel.put(at(time))
            elif action == "get":
                taken += times([sample for sample in [channel.get(timeout=0)] if sample])
            elif action == "take all":
                taken += times(channel.take_all())
            else:
                getattr(channel, action)()
        except (ChannelFull, ChannelClosed):
            pass
        put, given_out, _, waiting = counts(channel)
        assert waiting <= capacity
        assert put <= actions[: time + 1].count("put")
        assert given_out == len(taken)
    assert taken == sorted(taken)


def test_two_threads_pass_every_sample_once_and_in_order() -> None:
    channel: Channel[Any] = Channel("busy", 3)

    def produce() -> None:
        for time in range(2000):
            channel.put(at(time))
        channel.close()

    producer = Beside(produce)
    assert drain(channel) == list(range(2000))
    producer.result()
    assert counts(channel) == (2000, 2000, 0, 0)
