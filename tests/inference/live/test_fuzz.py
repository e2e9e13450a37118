"""Two hundred steps in random order: start, pause, switch, lose, mark, stop; nothing is left."""

import random
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from extractors.sources import SourceChoice, SourceInfo, SourceLost
from extractors.stream import SECOND
from inference.live.interface import LiveState
from tests.inference.live.stand_ins import PATIENCE, SYNTHETIC, Stage

STEPS = 200
FLAKY = SourceChoice("device", "0", "flaky")
NO_FILE = SourceChoice("file", "/does/not/exist.mp4")
CHOICES = (SYNTHETIC, FLAKY, NO_FILE, None)


class Flaky:
    """Gives a few samples and is then lost, or cannot be opened, or raises what a driver may."""

    def __init__(self, inner: Any, rng: random.Random) -> None:
        self.info = SourceInfo("flaky")
        self._inner = inner
        self._end = rng.choice(["lost", "ended", "error"])
        self._count = rng.randrange(12)

    def close(self) -> None:
        self._inner.close()

    def samples(self) -> Iterator[Any]:
        for i, sample in enumerate(self._inner.samples()):
            if i >= self._count:
                break
            yield sample
        if self._end == "lost":
            raise SourceLost("unplugged", "flaky was unplugged; plug it in")
        if self._end == "error":
            raise OSError("ioctl failed")


def flaky(kind: str, rng: random.Random) -> Callable[..., Any]:
    from extractors.sources import opening

    def open_source(choice: SourceChoice, clock: Any, playheads: Any) -> Any:
        made = getattr(opening, f"open_{kind}")
        if choice == FLAKY:
            return Flaky(made(SYNTHETIC, clock, playheads), rng)
        return made(choice, clock, playheads)

    return open_source


class Fuzz:
    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.sessions = 0
        self.states: set[LiveState] = set()
        self.one = self._new()

    def _new(self) -> Stage:
        self.sessions += 1
        rng = random.Random(self.rng.random())
        return Stage(
            self.rng.choice(CHOICES), self.rng.choice(CHOICES),
            pictures=flaky("pictures", rng), sound=flaky("sound", rng),
        )  # fmt: skip

    def step(self) -> None:
        session = self.one.session
        actions: list[tuple[int, Callable[[], Any]]] = [
            (2, session.preview),
            (4, lambda: session.start(self.rng.choice([None, "folder"]))),
            (3, session.pause),
            (3, session.resume),
            (6, lambda: session.choose_video(self.rng.choice(CHOICES))),
            (6, lambda: session.choose_audio(self.rng.choice(CHOICES))),
            (2, lambda: session.mark("here")),
            (8, lambda: self.one.run(self.rng.choice([0.01, 0.1, 0.5]))),
            (1, lambda: self.one.clock.jump(self.rng.randrange(30) * SECOND)),
            (2, self.look),
            (2, lambda: self.end(session.stop)),
            (1, lambda: self.end(session.abort)),
        ]
        weights = [weight for weight, _ in actions]
        (action,) = self.rng.choices([call for _, call in actions], weights)
        action()
        self.states.add(session.state)

    def look(self) -> None:
        session = self.one.session
        timeline = session.timeline()
        assert (timeline.time[1:] > timeline.time[:-1]).all()
        session.words(), session.tentative(), session.newest_picture(), session.newest_face()
        session.landmarks_at(session.now), session.level(), session.health()
        assert set(session.modalities()) == {"text", "voice", "face"}
        for event in session.events():
            assert event.data.text
        session.displayed(session.now)

    def end(self, how: Callable[[], None]) -> None:
        how()
        self.one.clock.leave()
        assert self.one.session.wait(PATIENCE), self.one.session.stragglers
        assert self.one.session.state is LiveState.STOPPED
        assert self.one.session.video_status().state != "open" or not ours()
        self.one = self._new()


def ours() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("affectscope")]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_two_hundred_steps_leave_nothing_behind(seed: int) -> None:
    fuzz = Fuzz(seed)
    for _ in range(STEPS):
        fuzz.step()
    fuzz.end(fuzz.one.session.stop)
    fuzz.one.close()
    assert ours() == []
    assert fuzz.sessions > 5
    assert fuzz.states >= {LiveState.PREVIEW, LiveState.RUNNING, LiveState.PAUSED}
