"""Calibration to a person, as it is done in the live window; the session is set by hand."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PyQt6.QtCore import QSettings, Qt
from pytestqt.qtbot import QtBot

from desktop.live_memory import LiveMemory
from desktop.live_opening import LiveRequest, Plan
from desktop.main_window import MainWindow
from extractors.recording.observations import Event
from extractors.sources import SourceChoice
from extractors.stream import Sample, from_seconds
from inference.baseline_file import baseline_sha256, load_baseline, save_baseline
from inference.calibration import RestingPerson
from inference.live import BaselineStatus, Live
from tests.desktop.fake_live import FakeLive, devices
from tests.desktop.live_window import begin, until

OpenWindow = Callable[..., MainWindow]
LEFT = Qt.MouseButton.LeftButton


def somebody(value: float = 0.5) -> RestingPerson:
    return RestingPerson({"voice": np.full(3, value, np.float32), "face": np.zeros(2, np.float32)})


@pytest.fixture
def sessions() -> list[FakeLive]:
    return []


@pytest.fixture
def window(
    qtbot: QtBot, open_window: OpenWindow, sessions: list[FakeLive], settings: QSettings
) -> MainWindow:
    """A window with a session that has run for 20 seconds."""

    def make(video: SourceChoice | None, audio: SourceChoice | None, _plan: Plan) -> Live:
        sessions.append(FakeLive(video, audio))
        return sessions[-1]

    LiveMemory(settings).agree()
    window = open_window(make_live=make, list_devices=devices)
    begin(qtbot, window)
    sessions[0].advance(20.0)
    window.live.page.tick()
    return window


def parts(window: MainWindow) -> tuple[Any, Any]:
    control = window.live.page.baseline
    return control.strip, control.links


def calibrated(window: MainWindow, live: FakeLive, person: RestingPerson) -> None:
    live.the_baseline = BaselineStatus(person=person, since=live.now)
    window.live.page.tick()


def test_it_says_what_it_does_before_it_begins(qtbot: QtBot, window: MainWindow) -> None:
    strip, links = parts(window)
    assert not strip.isVisible()
    assert links.open.text() == "Calibrate to me\N{HORIZONTAL ELLIPSIS}"
    assert not links.off.isVisible()
    qtbot.mouseClick(links.open, LEFT)
    assert strip.isVisible()
    assert "Measured on voices it gained little" in strip.text.text()
    assert strip.take.isEnabled()
    assert not strip.cancel.isVisible()
    qtbot.mouseClick(strip.close_button, LEFT)
    assert not strip.isVisible()


def test_it_counts_down_and_says_what_it_waits_for(
    qtbot: QtBot, window: MainWindow, sessions: list[FakeLive]
) -> None:
    strip, links = parts(window)
    page, live = window.live.page, sessions[0]
    qtbot.mouseClick(links.open, LEFT)
    qtbot.mouseClick(strip.take, LEFT)
    assert live.calls[-1] == "take baseline"
    live.the_baseline = replace(live.the_baseline, left=23.4)
    page.tick()
    assert strip.count.text() == "24"
    assert links.open.text() == "Calibrating: 24 s"
    assert strip.aloud.isVisible()
    assert strip.cancel.isVisible()
    assert not strip.take.isVisible()
    live.the_baseline = replace(live.the_baseline, waits_for="read something aloud")
    page.tick()
    assert strip.title.text() == "It waits"
    assert "read something aloud" in strip.text.text()
    page.toggle()
    page.tick()
    assert "paused" in strip.text.text()
    page.toggle()
    qtbot.mouseClick(strip.cancel, LEFT)
    assert live.calls[-1] == "cancel baseline"
    page.tick()
    assert strip.take.isVisible()
    assert links.open.text().startswith("Calibrate")


def test_it_is_off_again_at_one_click(
    qtbot: QtBot, window: MainWindow, sessions: list[FakeLive]
) -> None:
    strip, links = parts(window)
    calibrated(window, sessions[0], somebody())
    assert links.open.text() == "Calibrated"
    assert "Since 0:20 one person's face and voice" in links.open.toolTip()
    assert not strip.isVisible()
    qtbot.mouseClick(links.off, LEFT)
    assert sessions[0].calls[-1] == "no baseline"
    window.live.page.tick()
    assert not links.off.isVisible()


def test_somebody_else_can_be_measured_after_it(
    window: MainWindow, sessions: list[FakeLive]
) -> None:
    strip, _ = parts(window)
    for minutes in (1, 2):
        person = somebody(minutes)
        sessions[0].the_baseline = BaselineStatus(person=person, since=60.0 * minutes)
        window.live.page.tick()
        assert f"Since {minutes}:00" in strip.text.text()


def test_the_next_session_knows_nothing_of_it(
    qtbot: QtBot, window: MainWindow, sessions: list[FakeLive]
) -> None:
    _, links = parts(window)
    calibrated(window, sessions[0], somebody())
    window.live.page.stop()
    begin(qtbot, window)
    window.live.page.tick()
    assert "use baseline" not in sessions[1].calls
    assert not links.off.isVisible()


def test_it_is_remembered_if_that_is_said(
    qtbot: QtBot, window: MainWindow, sessions: list[FakeLive], settings: QSettings, tmp_path: Path
) -> None:
    strip, links = parts(window)
    control = window.live.page.baseline
    qtbot.mouseClick(links.open, LEFT)
    calibrated(window, sessions[0], somebody())
    assert not strip.remember.isVisible(), "there is no file yet"
    control.ask_save = lambda _: str(tmp_path / "me")
    qtbot.mouseClick(strip.save, LEFT)
    until(qtbot, window, strip.remember.isVisible)
    saved = tmp_path / "me.baseline"
    assert baseline_sha256(load_baseline(saved)) == baseline_sha256(somebody())
    assert strip.remember.text() == "Use me.baseline in later sessions too"
    assert not strip.remember.isChecked()
    assert LiveMemory(settings).baseline is None, "a file alone does not mean it is used again"
    qtbot.mouseClick(strip.remember, LEFT)
    assert LiveMemory(settings).baseline == saved
    window.live.page.stop()
    begin(qtbot, window)
    assert sessions[1].calls[:3] == ["preview", "start", "use baseline"]
    window.close_part()  # refused while it runs
    window.live.page.stop()
    assert window.live.close()
    window.show_start()
    window.live.open()
    until(qtbot, window, lambda: window.live.page.live is not None and control._next is not None)
    begin(qtbot, window)
    assert sessions[-1].calls[-1] == "use baseline", "and after the page was left"
    person = sessions[-1].the_baseline.person
    assert person is not None
    assert baseline_sha256(person) == baseline_sha256(somebody())
    window.live.page.tick()
    assert links.off.isVisible()
    qtbot.mouseClick(links.open, LEFT)
    assert strip.remember.isChecked()
    qtbot.mouseClick(strip.remember, LEFT)
    assert LiveMemory(settings).baseline is None
    window.live.page.stop()
    begin(qtbot, window)
    assert "use baseline" not in sessions[-1].calls


def test_a_file_can_be_chosen_again(
    qtbot: QtBot, window: MainWindow, sessions: list[FakeLive], tmp_path: Path
) -> None:
    strip, links = parts(window)
    file = tmp_path / "you.baseline"
    save_baseline(file, somebody(0.25))
    window.live.page.baseline.ask_open = lambda _: str(file)
    qtbot.mouseClick(links.open, LEFT)
    qtbot.mouseClick(strip.choose, LEFT)
    until(qtbot, window, lambda: sessions[0].calls[-1] == "use baseline")
    window.live.page.tick()
    assert strip.title.text() == "Calibrated"
    assert not strip.save.isVisible(), "it lies in a file already"
    assert "you.baseline" in strip.remember.text()


def test_one_that_is_chosen_before_the_start_is_used_from_there(
    qtbot: QtBot, window: MainWindow, sessions: list[FakeLive], tmp_path: Path
) -> None:
    strip, links = parts(window)
    page = window.live.page
    page.stop()
    page.tick()
    file = tmp_path / "you.baseline"
    save_baseline(file, somebody())
    page.baseline.ask_open = lambda _: str(file)
    qtbot.mouseClick(links.open, LEFT)
    assert not strip.take.isEnabled()
    assert "Start the session first" in strip.text.text()
    qtbot.mouseClick(strip.choose, LEFT)
    until(qtbot, window, lambda: "is used as soon as" in strip.text.text())
    qtbot.mouseClick(strip.off, LEFT)
    page.tick()
    assert "is used as soon as" not in strip.text.text(), "and it can be taken back"
    qtbot.mouseClick(strip.choose, LEFT)
    until(qtbot, window, lambda: "is used as soon as" in strip.text.text())
    begin(qtbot, window)
    assert sessions[1].calls[-1] == "use baseline"
    page.stop()
    begin(qtbot, window)
    assert "use baseline" not in sessions[2].calls, "once"


def test_a_file_that_is_none_is_one_line(
    qtbot: QtBot, window: MainWindow, sessions: list[FakeLive], settings: QSettings, tmp_path: Path
) -> None:
    strip, links = parts(window)
    file = tmp_path / "you.baseline"
    file.write_bytes(b"nonsense")
    LiveMemory(settings).baseline = file
    window.live.page.baseline.ask_open = lambda _: str(file)
    qtbot.mouseClick(links.open, LEFT)
    qtbot.mouseClick(strip.choose, LEFT)
    until(qtbot, window, lambda: "is damaged" in window.message.text)
    assert "use baseline" not in sessions[0].calls
    assert LiveMemory(settings).baseline is None
    calibrated(window, sessions[0], somebody())
    window.live.page.baseline.ask_save = lambda _: str(tmp_path / "no" / "where.baseline")
    qtbot.mouseClick(strip.save, LEFT)
    until(qtbot, window, lambda: "cannot write" in window.message.text)


def test_what_cannot_be_is_said(window: MainWindow, sessions: list[FakeLive]) -> None:
    strip, _ = parts(window)
    page, live = window.live.page, sessions[0]
    live.the_baseline = BaselineStatus(impossible="this checkpoint does not know the rest")
    page.tick()
    assert not strip.take.isEnabled()
    assert "Not possible: this checkpoint" in strip.text.text()
    live.the_baseline = BaselineStatus(problem="less than 5 s of a face")
    page.tick()
    assert "It did not work: less than 5 s" in strip.text.text()
    assert "less than 5 s" in window.message.text, "the strip is closed"


def test_the_curves_say_from_when_on(window: MainWindow, sessions: list[FakeLive]) -> None:
    page, live = window.live.page, sessions[0]
    at = from_seconds(12.0)
    told = [Event("baseline", "", {"sha256": digest}) for digest in ("ab", None)]
    live.told = [Sample("event", at, at, at, event) for event in told]
    page.tick()
    marks = [(mark.time, mark.label) for mark in page.plot._marks]
    assert marks == [(12.0, "Calibrated"), (12.0, "Calibration off")]


def test_a_low_window_keeps_its_cards_whole(
    qtbot: QtBot, window: MainWindow, sessions: list[FakeLive]
) -> None:
    strip, links = parts(window)
    qtbot.mouseClick(links.open, LEFT)
    window.resize(window.minimumSize())
    sessions[0].the_baseline = BaselineStatus(left=12.0)
    window.live.page.tick()
    qtbot.waitUntil(lambda: not strip.aloud.isVisible())
    lower = window.live.page.now_panel.parentWidget()
    assert lower is not None
    bottom = lower.mapTo(window, lower.rect().bottomLeft()).y()
    qtbot.waitUntil(lambda: bottom < strip.mapTo(window, strip.rect().topLeft()).y())
    window.resize(1280, 800)
    qtbot.waitUntil(strip.aloud.isVisible)


def test_a_command_line_names_a_file(
    qtbot: QtBot, window: MainWindow, sessions: list[FakeLive], tmp_path: Path
) -> None:
    file = tmp_path / "you.baseline"
    save_baseline(file, somebody())
    window.live.page.stop()
    assert window.live.close()
    window.show_start()
    window.live.open(LiveRequest(baseline=file))
    until(qtbot, window, lambda: window.live.page.baseline._next is not None)
    begin(qtbot, window)
    assert sessions[-1].calls[-1] == "use baseline"
