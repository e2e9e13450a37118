"""What is kept and what is sent, as it is chosen in the live window."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PyQt6.QtCore import QSettings, Qt
from pytestqt.qtbot import QtBot
from websockets.sync.client import connect

from assets.errors import BadInput
from desktop.live_memory import Keeping, LiveMemory
from desktop.live_opening import LiveRequest, Plan
from desktop.live_outlets import LiveOutlets
from desktop.main_window import MainWindow
from extractors.outlets import OscChoice, Outlet, OutletChoice, OutletRow
from extractors.recording import Marker, RecordingPlan
from extractors.sources import SourceChoice
from extractors.stream import Clock
from inference.live import Live
from tests.desktop.fake_live import FakeLive, devices
from tests.desktop.live_window import begin, until

OpenWindow = Callable[..., MainWindow]
LEFT = Qt.MouseButton.LeftButton


class Heard:
    """An outlet that keeps what it is given."""

    def __init__(self, choice: OutletChoice, clock: Clock) -> None:
        self.choice, self.clock = choice, clock
        self.rows: list[OutletRow] = []
        self.marks: list[str] = []
        self.broken = False
        self.closed = 0

    def send(self, row: OutletRow) -> None:
        if self.broken:
            raise OSError("the cable is out")
        self.rows.append(row)

    def mark(self, time: int, marker: Marker) -> None:
        del time
        self.marks.append(marker.label)

    def close(self) -> None:
        self.closed += 1


class Made:
    """Sessions and outlets that the window has made, and the plans it was asked for."""

    def __init__(self) -> None:
        self.sessions: list[FakeLive] = []
        self.plans: list[Plan] = []
        self.outlets: list[Heard] = []
        self.refuse = ""

    def live(self, video: SourceChoice | None, audio: SourceChoice | None, plan: Plan) -> Live:
        self.sessions.append(FakeLive(video, audio))
        self.plans.append(plan)
        return self.sessions[-1]

    def outlet(self, choice: OutletChoice, clock: Clock) -> Outlet:
        if self.refuse:
            raise BadInput(self.refuse)
        self.outlets.append(Heard(choice, clock))
        return self.outlets[-1]


@pytest.fixture
def made() -> Made:
    return Made()


@pytest.fixture
def window(
    qtbot: QtBot, open_window: OpenWindow, made: Made, settings: QSettings, tmp_path: Path
) -> MainWindow:
    """A window with a session that has run for 20 seconds; no outlet of it is a real one."""
    LiveMemory(settings).agree()
    window = open_window(make_live=made.live, list_devices=devices)
    window.live.page.outlets = LiveOutlets(made.outlet)
    window.live.page.set_folder(tmp_path / "recordings")
    begin(qtbot, window)
    made.sessions[0].advance(20.0)
    window.live.page.tick()
    return window


def state(window: MainWindow, kind: str) -> str:
    return window.live.page.outlets.statuses()[kind].state


def test_nothing_is_sent_unless_it_is_switched_on(window: MainWindow, made: Made) -> None:
    assert made.outlets == []
    assert {s.state for s in window.live.page.outlets.statuses().values()} == {"off"}
    assert window.live.page.bar.options.isVisible()
    assert window.head.privacy.text == "Camera and microphone on"


def test_an_outlet_gets_what_comes_from_then_on(
    qtbot: QtBot, window: MainWindow, made: Made, settings: QSettings
) -> None:
    page = window.live.page
    page.mark("before")
    page.options.fields["osc"].setText("stage.local:7000")
    page.options.switches["osc"].click()
    until(qtbot, window, lambda: state(window, "osc") == "on")
    (outlet,) = made.outlets
    assert outlet.choice == OscChoice("stage.local", 7000)
    assert page.options.lines["osc"].text() == "UDP to stage.local:7000, addresses /affectscope/…"
    assert window.head.privacy.text == "Camera and microphone on, sending"
    assert "go to OSC" in window.head.privacy.toolTip()
    made.sessions[0].advance(1.0)
    page.mark("after")
    until(qtbot, window, lambda: len(outlet.rows) == 5 and bool(outlet.marks))
    assert outlet.rows[0].time > 19.5e9, "the twenty seconds before are not sent"
    assert outlet.marks == ["after"]
    assert outlet.clock.now() == round(21.0e9)
    assert LiveMemory(settings).outlet("osc") == (True, "stage.local:7000")
    page.options.switches["osc"].click()
    until(qtbot, window, lambda: outlet.closed == 1)
    assert LiveMemory(settings).outlet("osc") == (False, "stage.local:7000")
    assert window.head.privacy.text == "Camera and microphone on"


def test_the_next_session_is_sent_too(qtbot: QtBot, window: MainWindow, made: Made) -> None:
    page = window.live.page
    page.options.switches["lsl"].click()
    until(qtbot, window, lambda: state(window, "lsl") == "on")
    page.stop()
    page.start()
    until(qtbot, window, lambda: len(made.sessions) == 2 and page.running)
    made.sessions[1].advance(2.0)
    (outlet,) = made.outlets
    until(qtbot, window, lambda: len(outlet.rows) > 5)
    assert max(row.time for row in outlet.rows) < 2e9


def test_one_that_cannot_open_is_one_line_and_the_others_go_on(
    qtbot: QtBot, window: MainWindow, made: Made
) -> None:
    page = window.live.page
    page.options.switches["lsl"].click()
    until(qtbot, window, lambda: state(window, "lsl") == "on")
    made.refuse = "cannot listen on port 8765: Address already in use; choose another one"
    page.options.switches["websocket"].click()
    until(qtbot, window, lambda: state(window, "websocket") == "failed")
    page.tick()
    line = f"WebSocket: {made.refuse}"
    assert page.options.lines["websocket"].text() == line
    assert window.message.text == line
    assert state(window, "lsl") == "on"
    assert page.running
    page.options.switches["websocket"].click()
    page.tick()
    assert not window.message.isVisible(), "switched off it is no fault any more"


def test_one_that_stops_in_between_says_why(qtbot: QtBot, window: MainWindow, made: Made) -> None:
    page = window.live.page
    page.options.switches["osc"].click()
    until(qtbot, window, lambda: state(window, "osc") == "on")
    made.outlets[0].broken = True
    made.sessions[0].advance(1.0)
    until(qtbot, window, lambda: state(window, "osc") == "failed")
    page.tick()
    assert page.options.lines["osc"].text() == "OSC: it has stopped: the cable is out"
    assert page.running


def test_nonsense_beside_a_switch_is_refused(window: MainWindow, made: Made) -> None:
    options = window.live.page.options
    options.fields["osc"].setText("nowhere")
    options.switches["osc"].click()
    assert not options.switches["osc"].isChecked()
    assert "osc:HOST:PORT" in options.lines["osc"].text()
    assert made.outlets == []


def test_another_place_is_taken_while_it_is_on(
    qtbot: QtBot, window: MainWindow, made: Made
) -> None:
    options = window.live.page.options
    options.switches["osc"].click()
    until(qtbot, window, lambda: state(window, "osc") == "on")
    options.open_above(window.live.page.bar.options)
    options.fields["osc"].setFocus()
    options.fields["osc"].selectAll()
    qtbot.keyClicks(options.fields["osc"], "10.0.0.2:9001")
    qtbot.keyClick(options.fields["osc"], Qt.Key.Key_Return)
    until(qtbot, window, lambda: len(made.outlets) == 2 and state(window, "osc") == "on")
    assert made.outlets[1].choice == OscChoice("10.0.0.2", 9001)
    until(qtbot, window, lambda: made.outlets[0].closed == 1)
    options.hide()


def test_the_websocket_says_its_address_and_keeps_its_token(
    qtbot: QtBot, window: MainWindow, made: Made
) -> None:
    page = window.live.page
    page.outlets = LiveOutlets()
    copied: list[str] = []
    page.options.copy_text = copied.append
    page.options.fields["websocket"].setText("0")
    page.options.switches["websocket"].click()
    until(qtbot, window, lambda: state(window, "websocket") == "on")
    address = page.options.lines["websocket"].text()
    page.options.open_above(page.bar.options)
    page.options.copy.click()
    page.options.hide()
    assert copied == [address]
    with connect(address) as receiver:
        assert json.loads(receiver.recv(timeout=10))["type"] == "hello"
        made.sessions[0].advance(0.5)
        page.tick()
        assert json.loads(receiver.recv(timeout=10))["type"] == "prediction"
    page.options.switches["websocket"].click()
    page.options.switches["websocket"].click()
    until(qtbot, window, lambda: state(window, "websocket") == "on")
    again = page.options.lines["websocket"].text()
    assert again.partition("token=")[2] == address.partition("token=")[2]
    window.close()
    assert state(window, "websocket") == "off"


def test_what_was_on_the_last_time_is_on_again(
    qtbot: QtBot, open_window: OpenWindow, made: Made, settings: QSettings
) -> None:
    memory = LiveMemory(settings)
    memory.agree()
    memory.remember_outlet("osc", True, "127.0.0.1:9100")
    window = open_window(make_live=made.live, list_devices=devices)
    window.live.page.outlets = LiveOutlets(made.outlet)
    assert made.outlets == [], "not before the page is open"
    window.live.open()
    until(qtbot, window, lambda: state(window, "osc") == "on")
    assert made.outlets[0].choice == OscChoice("127.0.0.1", 9100)
    window.close_part()
    assert made.outlets[0].closed == 1


def test_a_command_line_switches_outlets_on_for_once(
    qtbot: QtBot, open_window: OpenWindow, made: Made, settings: QSettings
) -> None:
    LiveMemory(settings).agree()
    window = open_window(make_live=made.live, list_devices=devices)
    window.live.page.outlets = LiveOutlets(made.outlet)
    asked = LiveRequest(features_only=True, keep_days=7, outlets=(OscChoice("127.0.0.1", 9200),))
    window.live.open(asked)
    until(qtbot, window, lambda: state(window, "osc") == "on")
    options = window.live.page.options
    assert options.switches["osc"].isChecked()
    assert options.fields["osc"].text() == "127.0.0.1:9200"
    assert options.plan == RecordingPlan(features_only=True, keep_days=7)
    memory = LiveMemory(settings)
    assert memory.outlet("osc") == (False, "")
    assert not memory.features_only
    assert memory.keeping == Keeping()


def test_what_is_kept_is_chosen_and_remembered(
    qtbot: QtBot, window: MainWindow, made: Made, settings: QSettings
) -> None:
    page = window.live.page
    options = page.options
    assert made.plans[0]() == RecordingPlan()
    assert not options.features_only.isEnabled(), "not in the middle of a recording"
    page.stop()
    page.tick()
    assert options.features_only.isEnabled()
    options.features_only.click()
    options.keep.setCurrentIndex(2)
    options.keep.activated.emit(2)
    options.days.setValue(14)
    page.set_recording(True)
    page.start()
    until(qtbot, window, lambda: page.running)
    assert made.plans[-1]() == RecordingPlan(features_only=True, keep_days=14, then="delete")
    assert made.sessions[-1].folder is not None
    memory = LiveMemory(settings)
    assert memory.features_only
    assert memory.keeping == Keeping(14, "delete")
    options.set_keeping(Keeping())
    assert options.plan == RecordingPlan(features_only=True)


def test_what_is_remembered_of_keeping_may_be_nonsense(settings: QSettings) -> None:
    for nonsense in ("", "x trash", "5", "5 burn", "-3 trash"):
        settings.setValue("live/keep", nonsense)
        assert LiveMemory(settings).keeping == Keeping()
