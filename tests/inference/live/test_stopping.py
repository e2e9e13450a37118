"""Stopping during anything: it takes at most three seconds, and what holds on is named."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from extractors.sources import SourceChoice, SourceInfo
from extractors.stream import VirtualClock, from_seconds, to_seconds
from inference.live.branches import Channels
from inference.live.interface import LiveState
from inference.live.threads import SessionThreads
from tests.inference.live.stand_ins import SYNTHETIC, Stage, stages

Make = Callable[..., Stage]
LONGEST = 3.0
DEVICE = SourceChoice("device", "0", "slow")


class Stuck:
    """A driver that does not return from opening until the test lets it."""

    def __init__(self) -> None:
        self.info: SourceInfo | None = None
        self.freed = threading.Event()
        self.asked = threading.Event()

    def close(self) -> None:
        """Nothing that a blocked driver would notice."""

    def samples(self) -> Iterator[Any]:
        self.asked.set()
        self.freed.wait()
        yield from ()


def stopped_in(one: Stage) -> float:
    began = time.monotonic()
    one.session.stop()
    one.clock.leave()
    one.session.wait(2 * LONGEST)
    return time.monotonic() - began


def test_a_driver_that_hangs_while_it_opens_does_not_hold_up_the_stop(stage: Make) -> None:
    stuck = Stuck()
    one = stage(DEVICE, SYNTHETIC, pictures=lambda *_: stuck)
    one.session.preview()
    one.until(stuck.asked.is_set)
    assert one.session.video_status().state == "opening"
    one.session.stop()
    one.clock.leave()
    assert not one.session.wait(LONGEST), "the driver still holds its thread"
    assert one.session.state is LiveState.STOPPED
    assert one.session.stragglers == ("camera",)
    stuck.freed.set()
    one.until(lambda: not one.session.stragglers)


def test_a_hanging_driver_does_not_hold_up_the_start(stage: Make) -> None:
    stuck = Stuck()
    one = stage(DEVICE, SYNTHETIC, pictures=lambda *_: stuck)
    one.session.start()
    one.until(lambda: one.session.state is LiveState.RUNNING)
    assert one.session.modalities()["face"].state == "waiting"
    stuck.freed.set()


def test_stopping_while_a_model_is_loaded(stage: Make) -> None:
    loading = threading.Event()

    def slow() -> Any:
        loading.wait(10.0)
        raise RuntimeError("too late")

    one = stage(stages=stages(face=slow))
    one.session.start()
    one.until(lambda: one.session.state is LiveState.STARTING)
    one.session.stop()
    one.clock.leave()
    one.session.wait(LONGEST)
    assert one.session.state is LiveState.STOPPED
    loading.set()
    one.until(lambda: not one.session.stragglers)


class Hanging:
    """A thread that does not end; waiting for it passes as much time as is given."""

    alive = True

    def __init__(self, name: str, clock: VirtualClock) -> None:
        self.name = name
        self._clock = clock

    def join(self, seconds: float) -> None:
        self._clock.advance(from_seconds(seconds))

    def stop(self) -> None:
        """It does not hear."""

    abort = stop


@pytest.mark.parametrize("discard", [False, True])
def test_threads_that_do_not_end_are_waited_for_three_seconds_in_all(
    monkeypatch: pytest.MonkeyPatch, discard: bool
) -> None:
    """As while models load, when no thread hears that it is to end."""
    clock = VirtualClock()
    monkeypatch.setattr("inference.live.threads.time.monotonic", lambda: to_seconds(clock.now()))
    threads: Any = SessionThreads(Channels())
    threads.sources = [Hanging(name, clock) for name in ("camera", "microphone")]
    threads.workers = [Hanging(name, clock) for name in ("face", "speech", "text", "engine")]
    threads.build = Hanging("build", clock)
    threads.end(lambda: None, discard=discard)
    assert 0 < to_seconds(clock.now()) < LONGEST
    assert len(threads.stragglers) == 7


class Endless:
    """Works on one sample until the test lets it."""

    freed = threading.Event()
    max_rate = 30.0

    def process(self, _sample: Any) -> Iterator[Any]:
        self.freed.wait(10.0)
        return iter(())

    def finish(self) -> Iterator[Any]:
        return iter(())


def test_stopping_while_a_worker_is_at_work(stage: Make) -> None:
    Endless.freed.clear()
    one = stage(stages=stages(face=Endless))
    one.running()
    one.until(lambda: one.session.newest_picture() is not None or one.run(0.05) is not None)
    one.session.stop()
    one.clock.leave()
    one.session.wait(LONGEST)
    assert one.session.state is LiveState.STOPPED
    Endless.freed.set()
    one.until(lambda: not one.session.stragglers)


@pytest.mark.parametrize("state", ["preview", "running", "paused", "lost"])
def test_an_ordinary_stop_is_quick(stage: Make, state: str) -> None:
    missing = SourceChoice("file", "/does/not/exist.mp4")
    one = stage(missing if state == "lost" else SYNTHETIC)
    one.session.preview()
    if state != "preview":
        one.running()
        one.run(0.5)
    if state == "paused":
        one.session.pause()
    assert stopped_in(one) < LONGEST
    assert one.session.stragglers == ()
