"""A feed outlives its sources: it finds them again, switches between them, and ends when told."""

import threading
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from extractors.sources import Feed, SourceChoice, SourceInfo, SourceLost, SourceStatus
from extractors.sources.feed import retry_after
from extractors.stream import SECOND, Sample, SimulatedClock
from tests.extractors.stream.threads import Beside

A, B = SourceChoice("device", "0", "A"), SourceChoice("device", "1", "B")


class Source:
    """Follows a script: numbers are samples, exceptions are raised, the end ends it."""

    def __init__(self, name: str, script: list[Any]) -> None:
        self.info: SourceInfo | None = SourceInfo(name)
        self.freed = False
        self._script = script
        self._closing = threading.Event()

    def close(self) -> None:
        self._closing.set()

    def samples(self) -> Iterator[Sample[int]]:
        try:
            for step in self._script:
                if isinstance(step, Exception):
                    raise step
                if callable(step):
                    step()
                    continue
                yield Sample(str(self.info and self.info.name), step, step, step, step)
                if self._closing.is_set():
                    return
        finally:
            self.freed = True


class Script:
    """Opens sources one after the other, whatever is chosen."""

    def __init__(self, *sources: list[Any]) -> None:
        self.clock = SimulatedClock()
        self.told: list[SourceStatus] = []
        self.opened: list[Source] = []
        self.opened_at: list[int] = []
        self._scripts = list(sources)
        self.feed: Feed[int] = Feed(A, self._open, self.clock, self.told.append)

    def _open(self, choice: SourceChoice) -> Any:
        if not self._scripts:
            self.feed.end()
            return Source(choice.name, [])
        self.opened_at.append(self.clock.now())
        self.opened.append(Source(choice.name, self._scripts.pop(0)))
        return self.opened[-1]

    def run(self) -> list[int]:
        return [sample.data for sample in self.feed.samples()]

    @property
    def states(self) -> list[str]:
        return [status.state for status in self.told]


def lost(text: str = "A was unplugged", **options: Any) -> SourceLost:
    return SourceLost("unplugged", text, **options)


def test_a_lost_source_is_opened_again_until_it_is_back() -> None:
    script = Script([1, 2, lost()], [lost()], [lost()], [3, 4])
    assert script.run() == [1, 2, 3, 4]
    assert script.states[:3] == ["open", "lost", "open"]
    assert script.told[1].text == "A was unplugged"
    assert [b - a for a, b in pairwise(script.opened_at)] == [retry_after(n) for n in range(3)]
    assert all(source.freed for source in script.opened)


def test_waiting_grows_to_four_seconds() -> None:
    assert [retry_after(n) / SECOND for n in range(6)] == [0.5, 1, 2, 4, 4, 4]


def test_what_a_driver_raises_is_a_loss_too() -> None:
    script = Script([1, ValueError("driver")], [2])
    assert script.run() == [1, 2]
    assert "ValueError: driver" in script.told[1].text


def test_a_hopeless_source_is_not_tried_again_before_someone_switches() -> None:
    script = Script([lost("no recording", hopeless=True)], [lambda: script.feed.end(), 7])
    script.clock.join()  # time stands still
    running = Beside(script.run)
    deadline = threading.Event()
    while "lost" not in script.states:
        deadline.wait(0.001)
    script.feed.switch(B)
    assert running.result() == [7]
    assert script.opened[1].info == SourceInfo("B")


def test_switching_leaves_one_source_and_opens_the_other() -> None:
    script = Script([], [])

    script._scripts = [[1, 2, lambda: script.feed.switch(B), 3, 4], [10, 11]]
    assert script.run() == [1, 2, 3, 10, 11]
    assert [status.choice for status in script.told if status.state == "open"] == [A, B]
    assert script.opened[0].freed


def test_switched_off_it_waits_until_it_is_switched_on() -> None:
    script = Script([], [])
    script._scripts = [[1, lambda: script.feed.switch(None), 2], [lambda: script.feed.end(), 3]]
    script.clock.join()  # time stands still
    running = Beside(script.run)
    deadline = threading.Event()
    while "off" not in script.states:
        deadline.wait(0.001)
    script.feed.switch(B)
    assert running.result() == [1, 2, 3]


@pytest.mark.parametrize("state", ["open", "lost", "off"])
def test_it_ends_in_any_state(state: str) -> None:
    script = Script([])
    scripts: dict[str, list[Any]] = {
        "open": [1, lambda: script.feed.end(), 2, 3],
        "lost": [lost(hopeless=True)],
        "off": [1, lambda: script.feed.switch(None), 2],
    }
    script._scripts = [scripts[state]]
    script.clock.join()  # time stands still
    running = Beside(script.run)
    if state != "open":
        deadline = threading.Event()
        while state not in script.states:
            deadline.wait(0.001)
        script.feed.end()
    assert running.result() in ([1, 2], [])
    assert not script.feed.status.in_use


def test_a_source_is_in_use_until_it_is_freed() -> None:
    script = Script([1, lambda: script.feed.end(), 2])
    samples = script.feed.samples()
    in_use = [(script.feed.status.in_use, script.opened[0].freed) for _ in samples]
    assert set(in_use) == {(True, False)}
    assert script.opened[0].freed
    assert script.feed.status.state == "ended"
    assert script.feed.status.info == SourceInfo("A"), "a recording says what it was"


def test_only_a_device_is_private() -> None:
    opened = SourceStatus(A, "open")
    assert opened.in_use
    assert SourceStatus(A, "opening").in_use
    assert not SourceStatus(A, "lost").in_use
    assert not SourceStatus(SourceChoice("file", "x.mp4"), "open").in_use
    assert not SourceStatus(None, "off").in_use
