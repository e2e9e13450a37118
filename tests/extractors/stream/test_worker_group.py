"""Workers that start and end together: drain, abort, deadline."""

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from extractors.stream import Channel, Worker, WorkerGroup, in_time_order
from tests.extractors.stream.threads import PATIENCE, Beside, Passing, at


class Chain:
    """Two sources, a worker behind each, and a sink that reads both in the order of time."""

    def __init__(
        self,
        sources: list[Iterator[Any]],
        capacity: int = 2,
        stages: Sequence[Callable[[], Passing] | None] = (None, None),
    ) -> None:
        self.sink = Passing()
        make: Callable[[str], Channel[Any]] = lambda name: Channel(name, capacity)  # noqa: E731
        raw = [make(f"raw {i}") for i in range(len(sources))]
        done = [make(f"done {i}") for i in range(len(sources))]
        self.channels = raw + done
        workers = [
            Worker(f"source {i}", source, stages[i], [raw[i]]) for i, source in enumerate(sources)
        ]
        workers += [Worker(f"middle {i}", raw[i], Passing, [done[i]]) for i in range(len(sources))]
        workers.append(Worker("sink", in_time_order(*done), lambda: self.sink, []))
        self.group = WorkerGroup(workers)


def test_finite_sources_run_to_the_end() -> None:
    chain = Chain([iter([at(t) for t in range(0, 50, 2)]), iter([at(t) for t in range(1, 50, 2)])])
    chain.group.start()
    assert chain.group.join(PATIENCE) == ()
    assert chain.sink.seen == list(range(50))
    assert chain.sink.finished
    assert chain.group.failures == ()
    assert all(channel.stats.dropped == 0 for channel in chain.channels)


class Devices:
    """Endless sources that give all they have ready, then wait to be told to go on."""

    def __init__(self, ready: int) -> None:
        self._ready = ready
        self.given = [0, 0]
        self.idle = [threading.Event(), threading.Event()]
        self.go_on = threading.Event()

    def source(self, number: int) -> Iterator[Any]:
        time = number
        while True:
            if self.given[number] == self._ready:
                self.idle[number].set()
                assert self.go_on.wait(PATIENCE)
            self.given[number] += 1
            yield at(time)
            time += 2


def test_stop_drains_everything_that_the_sources_gave() -> None:
    devices = Devices(20)
    held_back = [lambda: Passing(last=at(100)), lambda: Passing(last=at(101))]
    chain = Chain([devices.source(0), devices.source(1)], 64, held_back)
    chain.group.start()
    assert all(event.wait(PATIENCE) for event in devices.idle)
    stopping = Beside(lambda: chain.group.stop(PATIENCE))
    assert all(worker._stopping.wait(PATIENCE) for worker in chain.group.workers[:2])
    devices.go_on.set()  # the devices have one more, which nobody wants, while stop() waits
    assert stopping.result() == ()
    assert chain.sink.seen == [*range(40), 100, 101]
    assert chain.sink.finished
    assert sum(channel.stats.dropped for channel in chain.channels) == 0


def test_abort_discards_and_ends_workers_that_wait_for_each_other() -> None:
    devices = Devices(1000)
    chain = Chain([devices.source(0)], capacity=1)
    blocked = Channel[Any]("never read", 1)
    stuck = Worker("stuck", devices.source(1), None, [blocked])
    group = WorkerGroup([stuck, *chain.group.workers])
    group.start()
    devices.go_on.set()
    assert group.abort(PATIENCE) == ()
    assert group.failures == ()
    assert not chain.sink.finished
    assert blocked.stats.waiting == 0


def test_a_sink_that_cannot_open_releases_everyone_before_it() -> None:
    """Without on_failure, so that only the abandoned channels can free the others."""

    def no_model() -> Passing:
        raise OSError("no model")

    sources = [iter([at(t) for t in range(1000)]) for _ in range(2)]
    chain = Chain(list(sources))
    sink = Worker("sink", in_time_order(*chain.channels[2:]), no_model, [])
    group = WorkerGroup([*chain.group.workers[:-1], sink])
    group.start()
    assert group.join(PATIENCE) == ()
    assert [str(failure) for failure in group.failures] == ["sink: OSError: no model"]


@pytest.mark.parametrize("ending", ["stop", "abort", "join"])
def test_who_does_not_end_by_the_deadline_is_named(ending: str) -> None:
    go = threading.Event()

    def hung() -> Iterator[Any]:
        assert go.wait(PATIENCE)
        yield at(1)

    group = WorkerGroup([Worker("hung", hung(), None, []), Worker("quick", [], None, [])])
    group.start()
    assert group.workers[1].join(PATIENCE)
    assert getattr(group, ending)(0.0) == ("hung",)
    go.set()
    assert group.join(PATIENCE) == ()


def test_a_group_that_never_started_can_be_aborted() -> None:
    chain = Chain([iter([at(1)])])
    assert chain.group.abort(0.0) == ()
    assert all(channel.closed for channel in chain.channels)


def test_failures_come_in_the_order_of_the_workers() -> None:
    def failing(name: str) -> Iterator[Any]:
        yield from ()
        raise OSError(name)

    group = WorkerGroup([Worker(name, failing(name), None, []) for name in ("b", "a")])
    for worker in reversed(group.workers):
        worker.start()
        assert worker.join(PATIENCE)
    assert [failure.worker for failure in group.failures] == ["b", "a"]
