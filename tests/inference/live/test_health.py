"""The watch over a session: its measurements move the ladder, and the ladder the stages."""

from types import SimpleNamespace

import pytest

from extractors.stream import SECOND, Sample
from inference.live.branches import Channels
from inference.live.health import HealthWatch
from inference.live.ladder import RUNGS
from inference.live.latency import Meters


class Watched:
    """A watch with stand-ins for the stages; `second` lets one pass."""

    def __init__(self) -> None:
        self.channels = Channels()
        self.watch = HealthWatch(self.channels, Meters())
        self.face, self.speech = SimpleNamespace(max_rate=30.0), SimpleNamespace(step=0)
        self.watch.stages.update(face=self.face, speech=self.speech)
        self.now = 0

    def second(self, late_ms: float = 20, dropped: int = 0, waiting: int = 0) -> None:
        self.now += SECOND
        for _ in range(5):
            self.watch.predicted(round(late_ms * 1e6))
        for number in range(30):
            self.channels.frames.put(Sample("frame", self.now, self.now, self.now, None))
            if number >= dropped:
                self.channels.frames.take_all()
        self.channels.sound.take_all()
        for _ in range(waiting):
            self.channels.sound.put(Sample("audio", self.now, self.now, self.now, None))
        self.watch.look(self.now)


def test_a_machine_with_time_to_spare_stays_at_full_quality() -> None:
    watched = Watched()
    for _ in range(60):
        watched.second(late_ms=35, dropped=1)
    assert watched.watch.ladder.step == 0


@pytest.mark.parametrize(
    "burden", [{"late_ms": 120}, {"dropped": 15}, {"waiting": 40}], ids=lambda b: next(iter(b))
)
def test_what_cannot_keep_up_leads_down_and_its_end_up_again(burden: dict[str, int]) -> None:
    watched = Watched()
    for _ in range(40):
        watched.second(**burden)
    assert watched.watch.ladder.step == len(RUNGS) - 1
    assert watched.face.max_rate == RUNGS[-1].face_rate
    assert watched.speech.step == RUNGS[-1].speech_step
    health = watched.watch.health(watched.now, None, {})
    assert not health.draw_landmarks
    assert health.step_reason
    for _ in range(120):
        watched.second()
    assert watched.watch.ladder.step == 0
    assert (watched.face.max_rate, watched.speech.step) == (30.0, 0)
    assert watched.watch.health(watched.now, None, {}).step_text == ""


def test_shares_of_the_time_come_from_the_work_since_the_last_look() -> None:
    watched = Watched()
    watched.watch.health(2 * SECOND, None, {"face": SECOND // 2})
    health = watched.watch.health(4 * SECOND, None, {"face": SECOND + SECOND // 2})
    assert health.load == {"face": 0.5}
