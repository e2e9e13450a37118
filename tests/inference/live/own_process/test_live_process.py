"""A session in a process of its own shows what the session shows, and outlives nobody."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assets.errors import BadInput
from extractors.recording import RecordingPlan
from extractors.sources import SourceChoice
from inference.calibration import RestingPerson
from inference.live.interface import Live, LiveState
from inference.live.own_process import LiveProcess, Order
from inference.live.own_process.host import fit_for_a_window
from tests.inference.live.own_process import sessions
from tests.inference.live.own_process.sessions import InAThread
from tests.inference.live.stand_ins import SYNTHETIC, Stage

PATIENCE = 30.0


def until(condition: Callable[[], Any]) -> None:
    """Wait for the other process."""
    patience = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < patience, "it never happened"
        time.sleep(0.002)


def order(make: Any) -> Order:
    return Order(SYNTHETIC, SYNTHETIC, "live", make)


@pytest.fixture
def stage(stage: Callable[..., Stage]) -> Iterator[Stage]:
    sessions.stages.append(stage())
    yield sessions.stages[-1]
    sessions.stages.clear()


@pytest.fixture
def live(stage: Stage) -> Iterator[LiveProcess]:
    """The session of `stage`, through the pipes."""
    live = LiveProcess(order(sessions.of_the_test), RecordingPlan, InAThread)  # type: ignore[arg-type]
    yield live
    live.stop()
    stage.clock.leave()
    assert live.wait(PATIENCE)
    stage.clock.join()


@pytest.fixture
def apart() -> Iterator[LiveProcess]:
    """A session that is really in another process."""
    live = LiveProcess(order(sessions.real_time), RecordingPlan)
    yield live
    live.abort()
    assert live.wait(PATIENCE)
    assert live._process.returncode is not None


def different(live: LiveProcess, session: Live) -> list[str]:
    """The columns in which they show something else."""
    columns = [column.name for column in fields(session.timeline())]
    pairs = {name: [getattr(one.timeline(), name) for one in (live, session)] for name in columns}
    return [name for name, both in pairs.items() if not np.array_equal(*both, equal_nan=True)]


def same_picture(live: LiveProcess, session: Live) -> bool:
    mine, its = live.newest_picture(), session.newest_picture()
    if mine is None or its is None or mine.end != its.end:
        return False
    assert np.array_equal(mine.data.image, its.data.image)
    return True


def begin(live: LiveProcess, stage: Stage) -> None:
    live.start()
    assert live.state is LiveState.STARTING, "at once, whatever the other side knows"
    until(lambda: live.state is LiveState.RUNNING)
    assert stage.session.state is LiveState.RUNNING


def test_all_that_is_shown_is_what_the_session_shows(live: LiveProcess, stage: Stage) -> None:
    session = stage.session
    begin(live, stage)
    stage.run(6.0)
    until(lambda: len(session.timeline()) >= 25 and len(session.words()) >= 4)
    until(lambda: len(live.timeline()) == len(session.timeline()))
    until(lambda: live._standing.modalities == session.modalities())
    until(lambda: tuple(live.words()) == tuple(session.words()))
    until(lambda: not different(live, session))
    assert live.tentative() == session.tentative()
    assert live.grace == session.grace > 0
    assert live.level() == session.level()
    assert live.video_status() == session.video_status()
    assert live.audio_status().state == "open"
    until(lambda: same_picture(live, session))
    until(lambda: live.landmarks_at(6.0) is not None)
    assert np.array_equal(live.landmarks_at(6.0), session.landmarks_at(6.0))  # type: ignore[arg-type]
    assert live.landmarks_at(-1.0) is None
    until(lambda: live.health().engine == "stand-in on CPU")


def test_a_row_is_corrected_when_its_grace_is_over(live: LiveProcess, stage: Stage) -> None:
    """The stand-in network counts words, and the word of a second comes 0.8 s late."""
    begin(live, stage)
    stage.run(8.0)
    until(lambda: len(live.timeline()) == len(stage.session.timeline()) >= 35)
    its = stage.session.timeline()
    until(lambda: np.array_equal(live.timeline().sentiment, its.sentiment))
    row = int(np.searchsorted(its.time, 2.2))
    assert its.sentiment[row] >= 1, "with the word that came late"


def test_what_is_asked_for_happens_there(live: LiveProcess, stage: Stage) -> None:
    session = stage.session
    begin(live, stage)
    stage.run(2.0)
    live.pause()
    assert live.state is LiveState.PAUSED
    until(lambda: session.state is LiveState.PAUSED)
    live.resume()
    until(lambda: session.state is LiveState.RUNNING)
    live.choose_video(None)
    until(lambda: session.video_status().state == "off" == live.video_status().state)
    live._origin = 0  # the clock of the test is none of the machine
    live.mark("here", "a note")
    until(lambda: len(live.markers()) == 1)
    assert live.markers() == session.markers()
    assert live.markers()[0].data.label == "here"
    until(lambda: [e.data.kind for e in live.events()] == [e.data.kind for e in session.events()])
    assert "paused" in [event.data.kind for event in live.events()]


def test_older_news_do_not_undo_what_was_asked_for_since(live: LiveProcess, stage: Stage) -> None:
    begin(live, stage)
    old = live._standing
    live.pause()
    live._take(old, None)
    assert live.state is LiveState.PAUSED
    until(lambda: live._standing.state is LiveState.PAUSED)
    live._take(live._standing, None)
    assert live.state is LiveState.PAUSED


def test_what_fails_there_ends_nothing(
    live: LiveProcess, stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    begin(live, stage)
    live._ask("mark")  # without a label
    live.pause()
    until(lambda: stage.session.state is LiveState.PAUSED)
    assert "could not mark" in caplog.text


def test_news_that_cannot_be_taken_end_the_session(apart: LiveProcess) -> None:
    apart._take = lambda *_: [][0]  # type: ignore[method-assign]
    apart.preview()
    assert apart.wait(PATIENCE)
    assert apart.state is LiveState.STOPPED
    assert apart.events()[-1].data.kind == "session failed"


def test_a_person_comes_back_as_the_same(live: LiveProcess, stage: Stage) -> None:
    person = RestingPerson({"face": np.ones(94, np.float32)})
    live.use_baseline(person)
    begin(live, stage)
    stage.run(1.0)
    until(lambda: live.baseline().problem or live.baseline().person)
    status = stage.session.baseline()
    assert live.baseline().problem == status.problem
    known = live._known(type(status)(RestingPerson({"face": np.ones(94, np.float32)})))
    assert known.person is person


def test_it_is_another_process_with_its_own_libraries(apart: LiveProcess) -> None:
    assert apart._process.pid != os.getpid()
    apart.preview()
    until(lambda: apart.newest_picture() is not None)
    assert apart.now == 0.0
    apart.start()
    until(lambda: len(apart.timeline()) >= 3)
    until(lambda: apart.level()[1] > 0)
    assert 0 < apart.timeline().time[-1] <= apart.now, "both read the same clock"
    assert apart.video_status().state == "open"


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (sessions.refused, r"^x\.safetensors is no checkpoint of the app; choose another$"),
        (sessions.broken, "ZeroDivisionError: by zero"),
        (test_it_is_another_process_with_its_own_libraries, "argument"),
    ],
)
def test_what_cannot_be_made_is_bad_input(make: Any, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        LiveProcess(order(make), RecordingPlan)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no such signal")
def test_a_process_that_dies_is_told_and_nothing_else_fails(
    apart: LiveProcess, tmp_path: Path
) -> None:
    folder = tmp_path / "session"
    apart.start(folder)
    until(lambda: len(apart.timeline()) >= 2)
    rows = len(apart.timeline())
    apart._process.send_signal(signal.SIGKILL)
    assert apart.wait(PATIENCE)
    assert apart.state is LiveState.STOPPED
    event = apart.events()[-1].data
    assert event.kind == "session failed"
    assert "ended by signal 9" in event.text
    assert str(folder) in event.text
    assert len(apart.timeline()) >= rows, "what was shown stays"
    assert not apart.video_status().in_use
    apart.mark("too late")
    apart.stop()


def test_without_its_window_it_completes_the_recording(tmp_path: Path) -> None:
    from extractors.session import Session

    folder = tmp_path / "session"
    live = LiveProcess(order(sessions.real_time), lambda: RecordingPlan(title="alone"))
    live.start(folder)
    until(lambda: len(live.timeline()) >= 5)
    live._calls.put(None)
    live._writer.join()
    live._process.stdin.close()  # type: ignore[union-attr]  # as when this process is killed
    assert live.wait(PATIENCE)
    assert live._process.returncode == 0
    session = Session(folder)
    assert session.title == "alone"
    assert session.interruption is None
    assert len(session.timeline) >= 5


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no such signal")
def test_a_driver_that_holds_on_goes_with_the_process() -> None:
    live = LiveProcess(order(sessions.endless), RecordingPlan)
    live.preview()
    live.abort()
    assert not live.wait(0)
    live.abort()
    assert live.wait(PATIENCE)
    assert live._process.returncode == -signal.SIGKILL
    assert "session failed" not in [event.data.kind for event in live.events()]


def test_what_is_recorded_is_never_cut_off_by_force(apart: LiveProcess, tmp_path: Path) -> None:
    from extractors.session import Session

    folder = tmp_path / "session"
    apart.start(folder)
    until(lambda: len(apart.timeline()) >= 2)
    apart.stop()
    apart.abort()
    assert apart.wait(PATIENCE)
    assert apart._process.returncode == 0
    assert Session(folder).interruption is None


def test_a_picture_is_made_fit_for_a_window() -> None:
    small = np.zeros((480, 640, 3), np.uint8)
    assert fit_for_a_window(small) is small
    assert fit_for_a_window(np.zeros((1080, 1920, 3), np.uint8)).shape == (540, 960, 3)


def test_a_file_that_stands_for_the_camera_keeps_its_times(tmp_path: Path) -> None:
    del tmp_path
    choice = SourceChoice("synthetic", size=(1920, 1080))
    live = LiveProcess(Order(choice, None, "live", sessions.real_time), RecordingPlan)
    live.preview()
    until(lambda: live.newest_picture() is not None)
    picture = live.newest_picture()
    assert picture is not None
    assert picture.data.image.shape == (540, 960, 3)
    assert live.video_status().info.size == (1920, 1080)  # type: ignore[union-attr]
    assert live.audio_status().state == "off"
    live.abort()
    assert live.wait(PATIENCE)
