"""Threads around stages: however one ends, nobody waits for it in vain."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from assets.errors import BadInput
from extractors.stream import (
    Channel,
    ChannelClosed,
    ChannelFull,
    Failure,
    Overflow,
    Worker,
    in_time_order,
)
from tests.extractors.stream.threads import PATIENCE, Beside, Passing, at, drain, ended, waits_on


class Breaking(Passing):
    """A stage that fails where it is told to."""

    def __init__(self, where: str) -> None:
        super().__init__()
        self._where = where

    def fail(self, where: str) -> None:
        if where == self._where:
            raise BadInput(f"broken {where}")

    def __enter__(self) -> "Breaking":
        self.fail("open")
        return self

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self.fail("close")

    def process(self, sample: Any) -> Any:
        self.fail("process")
        return super().process(sample)

    def finish(self) -> Any:
        self.fail("finish")
        return super().finish()


def full_inbox() -> Channel[Any]:
    """An inbox with one sample and no room."""
    inbox: Channel[Any] = Channel("inbox", 1)
    inbox.put(at(1))
    return inbox


def test_it_passes_on_what_the_stage_gives_to_every_output_and_finishes() -> None:
    stage = Passing(last=at(9))
    first: Channel[Any] = Channel("first", 4)
    second: Channel[Any] = Channel("second", 4)
    worker = Worker("pass", [at(1), at(2)], lambda: stage, [first, second])
    worker.start()
    assert drain(first) == drain(second) == [1, 2, 9]
    assert ended(worker)
    assert worker.failure is None
    assert stage.closed
    assert worker.busy > 0


def test_a_result_is_passed_on_before_the_next_is_computed() -> None:
    taken = threading.Event()

    class TwoParts(Passing):
        def process(self, sample: Any) -> Any:
            yield sample
            assert taken.wait(PATIENCE)
            yield at(2)

    out: Channel[Any] = Channel("out", 4)
    worker = Worker("parts", [at(1)], TwoParts, [out])
    worker.start()
    first = out.get(PATIENCE)
    assert first is not None
    taken.set()
    assert [first.end, *drain(out)] == [1, 2]
    assert ended(worker)
    assert worker.failure is None


def test_without_a_stage_samples_pass_through() -> None:
    out: Channel[Any] = Channel("out", 4)
    worker = Worker("source", [at(1), at(2)], None, [out])
    worker.start()
    assert drain(out) == [1, 2]
    assert ended(worker)
    assert worker.busy == 0


@pytest.mark.skipif(sys.platform != "linux", reason="threads have no niceness of their own")
def test_a_nice_worker_gives_way_alone() -> None:
    found: list[int] = []

    @contextmanager
    def open_stage() -> Iterator[Passing]:
        found.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        yield Passing()

    own = os.getpriority(os.PRIO_PROCESS, 0)
    for niceness in (0, 3):
        worker = Worker("nice", [], open_stage, [], niceness=niceness)
        worker.start()
        assert ended(worker)
        assert worker.failure is None
    assert found == [own, min(19, own + 3)]
    assert os.getpriority(os.PRIO_PROCESS, 0) == own


def test_the_stage_is_opened_in_the_thread_of_the_worker() -> None:
    stage = Passing()
    worker = Worker("open", [], lambda: stage, [])
    worker.start()
    assert ended(worker)
    assert stage.thread is not None
    assert stage.thread is not threading.current_thread()
    assert stage.thread.name == "affectscope open"


@pytest.mark.parametrize("where", ["open", "process", "finish", "close"])
def test_a_failure_is_reported_and_frees_both_neighbours(where: str) -> None:
    inbox = full_inbox()
    waiting = waits_on(inbox)
    producer = Beside(lambda: inbox.put(at(2)))
    assert waiting.wait(PATIENCE)
    if where in ("finish", "close"):
        inbox.close()
    out: Channel[Any] = Channel("out", 4)
    stage = Breaking(where)
    reported: list[Failure] = []
    worker = Worker("weak", inbox, lambda: stage, [out], reported.append)
    worker.start()
    drain(out)  # ends only because the worker closes it
    assert ended(worker)
    assert worker.failure is not None
    assert reported == [worker.failure]
    assert str(worker.failure) == f"weak: broken {where}"
    assert inbox.closed
    assert stage.closed == (where != "open")
    with suppress(ChannelClosed):
        producer.result()  # refused or taken, in any case it comes back
    with pytest.raises(ChannelClosed):
        inbox.put(at(3))


def test_a_failure_names_errors_that_were_not_meant_for_people() -> None:
    assert str(Failure("face", KeyError("x"))) == "face: KeyError: 'x'"
    assert str(Failure("face", BadInput("no face file"))) == "face: no face file"


def test_a_failing_source_is_reported_and_ends_its_readers() -> None:
    def camera() -> Iterator[Any]:
        yield at(1)
        raise OSError("unplugged")

    out: Channel[Any] = Channel("out", 4)
    worker = Worker("camera", camera(), None, [out])
    worker.start()
    assert drain(out) == [1]
    assert ended(worker)
    assert str(worker.failure) == "camera: OSError: unplugged"


def test_a_source_is_closed_in_its_own_thread_when_its_readers_have_gone() -> None:
    closed_by: list[threading.Thread] = []

    def endless() -> Iterator[Any]:
        try:
            time = 0
            while True:
                yield at(time := time + 1)
        finally:
            closed_by.append(threading.current_thread())

    out: Channel[Any] = Channel("out", 1)
    worker = Worker("endless", endless(), None, [out])
    worker.start()
    assert out.get() is not None
    out.abandon()
    assert ended(worker)
    assert worker.failure is None  # to have no readers left is no failure
    assert [thread.name for thread in closed_by] == ["affectscope endless"]


def test_a_source_that_fails_to_close_still_ends_its_readers() -> None:
    def stuck() -> Iterator[Any]:
        try:
            yield at(1)
            yield at(2)
        finally:
            raise OSError("cannot close")

    out: Channel[Any] = Channel("out", 1)
    worker = Worker("stuck", stuck(), lambda: Breaking("process"), [out])
    worker.start()
    assert drain(out) == []
    assert ended(worker)
    assert worker.failure is not None


def test_an_output_whose_reader_has_gone_is_skipped() -> None:
    gone: Channel[Any] = Channel("gone", 1)
    gone.abandon()
    there: Channel[Any] = Channel("there", 4)
    worker = Worker("fork", [at(1), at(2)], Passing, [gone, there])
    worker.start()
    assert drain(there) == [1, 2]
    assert ended(worker)
    assert worker.failure is None


def test_without_any_reader_the_worker_leaves_its_inbox() -> None:
    inbox: Channel[Any] = Channel("inbox", 4)
    inbox.put(at(1))
    inbox.put(at(2))
    gone: Channel[Any] = Channel("gone", 1)
    gone.abandon()
    stage = Passing()
    worker = Worker("lonely", inbox, lambda: stage, [gone])
    worker.start()
    assert ended(worker)
    assert worker.failure is None
    assert stage.seen == [1]
    assert inbox.stats.dropped == 1


def test_a_sink_without_outputs_reads_everything() -> None:
    stage = Passing()
    worker = Worker("sink", [at(1), at(2)], lambda: stage, [])
    worker.start()
    assert ended(worker)
    assert stage.seen == [1, 2]
    assert stage.finished


def test_a_full_channel_that_must_not_wait_stops_the_branch_and_says_why() -> None:
    out: Channel[Any] = Channel("voice", 1, Overflow.FAIL)
    worker = Worker("microphone", [at(1), at(2), at(3)], None, [out])
    worker.start()
    assert ended(worker)
    assert worker.failure is not None
    assert isinstance(worker.failure.error, ChannelFull)
    assert drain(out) == [1]


def held(stage: Passing, inside: threading.Event, go: threading.Event) -> Passing:
    """The stage, which waits inside its first sample until it may go on."""
    process = stage.process

    def waiting(sample: Any) -> Any:
        inside.set()
        assert go.wait(PATIENCE)
        return process(sample)

    stage.process = waiting  # type: ignore[method-assign]
    return stage


@pytest.mark.parametrize("merged", [False, True])
@pytest.mark.parametrize("ending", ["stop", "abort"])
def test_stop_drains_and_abort_discards(ending: str, merged: bool) -> None:
    inbox: Channel[Any] = Channel("inbox", 4)
    for time in (1, 2, 3):
        inbox.put(at(time))
    out: Channel[Any] = Channel("out", 8)
    inside, go = threading.Event(), threading.Event()
    stage = held(Passing(last=at(9)), inside, go)
    reads: Any = in_time_order(inbox, [at(5)]) if merged else inbox
    worker = Worker("middle", reads, lambda: stage, [out])
    worker.start()
    assert inside.wait(PATIENCE)
    getattr(worker, ending)()
    with pytest.raises(ChannelClosed):
        inbox.put(at(4))
    go.set()
    assert ended(worker)
    assert worker.failure is None
    assert stage.closed
    if ending == "stop":
        expected = [1, 2, 3, 5] if merged else [1, 2, 3]
        assert stage.seen == expected
        assert drain(out) == [*expected, 9]
    else:
        assert stage.seen == [1]
        assert not stage.finished
        assert drain(out) == []


def test_an_aborted_sink_leaves_what_the_merge_already_holds() -> None:
    inside, go = threading.Event(), threading.Event()
    stage = held(Passing(), inside, go)
    worker = Worker("sink", in_time_order([at(1)], [at(2)]), lambda: stage, [])
    worker.start()
    assert inside.wait(PATIENCE)
    worker.abort()
    go.set()
    assert ended(worker)
    assert stage.seen == [1]
    assert not stage.finished


def test_stop_ends_a_source_and_delivers_what_its_stage_holds() -> None:
    first_taken, stopped = threading.Event(), threading.Event()

    def device() -> Iterator[Any]:
        yield at(1)
        first_taken.set()
        assert stopped.wait(PATIENCE)
        time = 1
        while True:
            yield at(time := time + 1)

    out: Channel[Any] = Channel("out", 8)
    worker = Worker("device", device(), lambda: Passing(last=at(9)), [out])
    worker.start()
    assert first_taken.wait(PATIENCE)
    worker.stop()
    stopped.set()
    assert drain(out) == [1, 9]
    assert ended(worker)


def test_abort_while_the_stage_opens_reads_nothing() -> None:
    opening, go = threading.Event(), threading.Event()
    stage = Passing()

    @contextmanager
    def slow() -> Iterator[Passing]:
        opening.set()
        assert go.wait(PATIENCE)
        yield stage

    worker = Worker("loading", [at(1)], slow, [])
    worker.start()
    assert opening.wait(PATIENCE)
    worker.abort()
    go.set()
    assert ended(worker)
    assert stage.seen == []
    assert not stage.finished


def test_join_says_whether_the_thread_has_ended() -> None:
    inbox: Channel[Any] = Channel("inbox", 1)
    worker = Worker("reader", inbox, Passing, [])
    assert worker.join(0)  # never started, so there is nothing to wait for
    worker.start()
    assert not worker.join(0)
    assert worker.alive
    inbox.close()
    assert ended(worker)
    assert not worker.alive
