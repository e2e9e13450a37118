"""The live page as a person uses it; the session and the devices are set by hand."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PyQt6.QtCore import QSettings, Qt
from PyQt6.QtGui import QImage
from pytestqt.qtbot import QtBot

from assets.errors import AffectscopeError
from desktop.level_meter import level_share
from desktop.live_memory import LiveMemory
from desktop.live_opening import LiveRequest, Plan, new_folder
from desktop.live_plot import LivePlot
from desktop.live_rows import with_gaps
from desktop.live_sessions import JOIN
from desktop.live_strip import changed_since
from desktop.main_window import MainWindow
from desktop.marks import Mark
from desktop.source_chooser import SourceChooser
from extractors.features import MODALITIES
from extractors.recording.observations import Event
from extractors.sources import SourceChoice
from extractors.sources.devices import Device
from extractors.stream import Sample, from_seconds
from extractors.timeline import Timeline
from inference.live import Live, LiveState, ModalityStatus, SourceStatus
from inference.live.timeline_buffer import TimelineBuffer
from tests.desktop.fake_live import (
    CAMERA,
    MICROPHONE,
    OTHER_CAMERA,
    FakeLive,
    devices,
    quiet_health,
)
from tests.desktop.fake_recording import FakeRecording, plain_timeline
from tests.desktop.live_window import until

OpenWindow = Callable[..., MainWindow]
LEFT = Qt.MouseButton.LeftButton
NOON = datetime(2026, 5, 4, 12, 0, 0)


class Sessions(list[FakeLive]):
    """Makes sessions and keeps them."""

    def make(self, video: SourceChoice | None, audio: SourceChoice | None, _plan: Plan) -> Live:
        self.append(FakeLive(video, audio))
        return self[-1]


@pytest.fixture
def sessions() -> Sessions:
    return Sessions()


@pytest.fixture
def window(
    open_window: OpenWindow, sessions: Sessions, settings: QSettings, tmp_path: Path
) -> MainWindow:
    """An empty window of somebody who has agreed."""
    LiveMemory(settings).agree()
    made = open_window(
        make_live=sessions.make, list_devices=devices, opener=lambda _: FakeRecording()
    )
    made.live.page.now = lambda: NOON
    made.live.page.set_folder(tmp_path / "recordings")
    return made


def wait_until_open(qtbot: QtBot, window: MainWindow) -> None:
    until(qtbot, window, lambda: window.live.page.live is not None)


@pytest.fixture
def running(qtbot: QtBot, window: MainWindow, sessions: Sessions) -> MainWindow:
    """A window with a session that has run for 20 seconds."""
    window.live.open()
    wait_until_open(qtbot, window)
    window.live.page.start()
    sessions[0].advance(20.0)
    window.live.page.tick()
    return window


def test_two_clicks_from_launch(qtbot: QtBot, window: MainWindow, sessions: Sessions) -> None:
    qtbot.mouseClick(window.empty.live, LEFT)
    assert window.live.page.isVisible()
    wait_until_open(qtbot, window)
    assert sessions[0].calls == ["preview"]
    assert sessions[0].video == CAMERA.choice
    assert sessions[0].audio == MICROPHONE.choice
    assert window.live.page.picture.picture_rect().width() > 0, "the preview is seen"
    assert window.head.privacy.text == "Camera and microphone on"
    assert window.head.privacy.isVisible()
    qtbot.mouseClick(window.live.page.bar.main, LEFT)
    assert sessions[0].calls == ["preview", "start"]
    assert sessions[0].folder is None, "nothing is recorded unless asked for"


def test_the_first_start_asks(
    qtbot: QtBot, open_window: OpenWindow, sessions: Sessions, settings: QSettings
) -> None:
    window = open_window(make_live=sessions.make, list_devices=devices)
    consent = window.live.consent
    window.live.open()
    assert consent.isVisible()
    assert not sessions
    qtbot.mouseClick(consent.decline, LEFT)
    assert window.empty.isVisible()
    assert not LiveMemory(settings).agreed
    window.live.open()
    qtbot.mouseClick(consent.agree, LEFT)
    assert window.live.page.isVisible()
    assert LiveMemory(settings).agreed
    window.close_part()
    window.live.open()
    assert window.live.page.isVisible(), "it is asked once"


def test_keys_start_pause_and_stop(qtbot: QtBot, window: MainWindow, sessions: Sessions) -> None:
    qtbot.keyClick(window, Qt.Key.Key_L, modifier=Qt.KeyboardModifier.ControlModifier)
    wait_until_open(qtbot, window)
    bar = window.live.page.bar
    for expected in ("start", "pause", "resume"):
        qtbot.keyClick(window, Qt.Key.Key_Space)
        assert sessions[0].calls[-1] == expected
    assert bar.main.accessibleName() == "Stop"
    qtbot.keyClick(window, Qt.Key.Key_Space)
    assert bar.pause.accessibleName() == "Go on"
    assert "Paused" in window.live.page.status.whole
    qtbot.keyClick(window, Qt.Key.Key_Space, modifier=Qt.KeyboardModifier.ShiftModifier)
    assert sessions[0].calls[-1] == "stop"
    window.live.page.tick()
    assert bar.main.accessibleName() == "Start"
    assert not window.head.privacy.isVisible(), "nothing is open any more"
    qtbot.keyClick(window, Qt.Key.Key_Space)
    wait_until_open(qtbot, window)
    assert sessions[1].calls == ["preview", "start"], "the next session is a new one"


def test_everything_follows_the_session(running: MainWindow, sessions: Sessions) -> None:
    page, live = running.live.page, sessions[0]
    rows = live.timeline()
    assert page.bar.time.text() == "0:20.0"
    assert page.plot._timeline.time[-1] == rows.time[-1]
    assert live.shown == [rows.time[-1]]
    page.tick()
    assert page.now_panel.description().startswith("neutral")
    assert [w.text for w in page.transcript.view.words] == [w.text for w in live.words()]
    live.unsure = live.said[-3:]
    live.states["face"] = ModalityStatus("absent", "no face")
    live.states["text"] = ModalityStatus("waiting", "waiting for the first data")
    live.advance(5.0)
    page.tick()
    assert page.transcript.tentative.isVisible()
    assert page.transcript.tentative.text() == " ".join(w.text for w in live.said[-3:])
    assert page.chips.chips["face"].text == "Face: no face"
    assert page.chips.chips["text"].text == "Words: waiting"
    assert len(live.shown) == 2


def test_picture_and_curves_are_not_painted_at_once(
    running: MainWindow, sessions: Sessions
) -> None:
    page, live = running.live.page, sessions[0]
    page._timer.stop()
    changed = []
    for turn in range(12):
        live.advance(0.2 if turn % 4 == 1 else 0.0)
        live.image = np.full((48, 64, 3), turn, np.uint8)
        picture, rows = page.picture._pixels, len(live.shown)
        page._turn()
        changed.append((page.picture._pixels is not picture, len(live.shown) > rows))
    assert (True, True) not in changed
    assert all(rows for _, rows in changed[1::4]), "predictions do not wait for their turn"
    assert sum(picture for picture, _ in changed) >= 4


def test_words_that_the_session_forgets_stay(running: MainWindow, sessions: Sessions) -> None:
    page, live = running.live.page, sessions[0]
    before = list(page.transcript.view.words)
    live.said = live.said[10:]
    live.advance(3.0)
    page.tick()
    assert list(page.transcript.view.words)[: len(before)] == before
    assert len(page.transcript.view.words) > len(before)


def test_markers_have_keys(qtbot: QtBot, running: MainWindow, sessions: Sessions) -> None:
    qtbot.keyClick(running, Qt.Key.Key_M)
    qtbot.keyClick(running, Qt.Key.Key_3, modifier=Qt.KeyboardModifier.ControlModifier)
    qtbot.mouseClick(running.live.page.bar.mark, LEFT)
    assert [marker.data.label for marker in sessions[0].put] == ["Marker 1", "3", "Marker 3"]
    running.live.page.tick()
    assert len(running.live.page.plot._marks) == 3


def test_a_recording_says_where_it_goes_and_can_be_opened(
    qtbot: QtBot, window: MainWindow, sessions: Sessions, tmp_path: Path
) -> None:
    window.live.open()
    wait_until_open(qtbot, window)
    page = window.live.page
    qtbot.mouseClick(page.bar.record, LEFT)
    assert str(tmp_path / "recordings") in page.bar.record.toolTip()
    page.start()
    page.tick()
    folder = tmp_path / "recordings" / "2026-05-04 12-00-00"
    assert sessions[0].folder == folder
    assert window.head.privacy.text == "Camera and microphone on, recording"
    page.stop()
    page.tick()
    assert window.message.text == f"Recorded into {folder}"
    qtbot.mouseClick(window.message.action, LEFT)
    assert window.page.isVisible()
    assert not window.message.isVisible()
    assert new_folder(tmp_path / "recordings", NOON).name == "2026-05-04 12-00-00 2"


def test_a_command_line_names_sources_and_a_place(
    qtbot: QtBot, window: MainWindow, sessions: Sessions, settings: QSettings, tmp_path: Path
) -> None:
    synthetic = SourceChoice("synthetic")
    window.live.open(LiveRequest({"video": synthetic, "audio": None}, tmp_path / "here"))
    wait_until_open(qtbot, window)
    assert (sessions[0].video, sessions[0].audio) == (synthetic, None)
    assert window.head.privacy.text == ""
    window.live.page.start()
    assert sessions[0].folder == tmp_path / "here"
    assert LiveMemory(settings).choice("video") == SourceChoice("device")
    window.live.page.stop()
    window.live.page.start()
    wait_until_open(qtbot, window)
    assert sessions[1].folder is None, "once only"


def test_devices_are_remembered_and_found_by_name(
    qtbot: QtBot, window: MainWindow, sessions: Sessions, settings: QSettings
) -> None:
    window.live.open()
    wait_until_open(qtbot, window)
    chooser = window.live.page.bar.video
    chooser.activated.emit(chooser.findText(OTHER_CAMERA.name))
    assert sessions[0].video == OTHER_CAMERA.choice
    chooser.activated.emit(chooser.findText("Off"))
    assert sessions[0].video is None
    chooser.activated.emit(chooser.findText(OTHER_CAMERA.name))
    assert LiveMemory(settings).choice("video") == OTHER_CAMERA.choice
    again = SourceChooser("Camera")
    again.set_choice(LiveMemory(settings).choice("video"))
    again.set_devices([CAMERA, Device("7", OTHER_CAMERA.name)])
    assert again.choice == SourceChoice("device", "7", OTHER_CAMERA.name)
    again.deleteLater()


def test_files_addresses_and_nonsense_stand_in_for_a_device(
    qtbot: QtBot, window: MainWindow, sessions: Sessions, tmp_path: Path
) -> None:
    window.live.open()
    wait_until_open(qtbot, window)
    chooser = window.live.page.bar.audio
    clip = tmp_path / "clip.wav"
    clip.touch()
    chooser.ask_file = lambda _: str(clip)
    chooser.activated.emit(chooser.findText("File…"))
    assert sessions[0].audio == SourceChoice("file", str(clip))
    assert chooser.currentText() == "clip.wav"
    chooser.ask_address = lambda _: "rtsp://camera.local/1"
    chooser.activated.emit(chooser.findText("Address…"))
    assert sessions[0].audio == SourceChoice("url", "rtsp://camera.local/1")
    chooser.ask_address = lambda _: "gopher://old"
    chooser.activated.emit(chooser.findText("Address…"))
    assert "gopher" in window.message.text
    assert sessions[0].audio == SourceChoice("url", "rtsp://camera.local/1")


def test_a_fault_is_said_and_unsaid(running: MainWindow, sessions: Sessions) -> None:
    live, page = sessions[0], running.live.page
    why = "the camera was unplugged: plug it in again, or choose another one"
    live.video_state = SourceStatus(CAMERA.choice, "lost", why)
    page.tick()
    assert running.message.text == why
    assert page.picture.accessibleDescription() == why
    assert running.head.privacy.text == "Microphone on"
    running.message.hide()
    page.tick()
    assert not running.message.isVisible(), "it is said once"
    live.video_state = None
    page.tick()
    live.video_state = SourceStatus(CAMERA.choice, "lost", why)
    page.tick()
    assert running.message.isVisible()
    live.video_state = None
    page.tick()
    assert not running.message.isVisible(), "it is back: the message goes by itself"


@pytest.mark.parametrize("worker", ["face", "engine", "recorder"])
def test_a_worker_that_failed_is_said(running: MainWindow, sessions: Sessions, worker: str) -> None:
    why = f"{worker}: OSError: it fell over. The rest goes on; start a new session"
    sessions[0].told = [
        Sample("event", 0, 0, 0, Event("camera open", "it is open")),
        Sample("event", 1, 1, 1, Event(f"{worker} failed", why)),
    ]
    running.live.page.tick()
    assert running.message.isVisible()
    assert running.message.text == why


def test_health_is_shown_with_what_is_saved(running: MainWindow, sessions: Sessions) -> None:
    page, live = running.live.page, sessions[0]
    running.live.page.toggle_health()
    assert page.health.isVisible()
    page._show_health(live)
    assert (page.health.cell("face p95"), page.health.cell("drift")) == ("51", "−12 ppm")
    assert page.health.cell("dropped") == "3"
    assert page.health.cell("engine") == "onnxruntime on CPU"
    assert page.health.cell("devices") == "on CPU"
    assert page.status.whole == "142 ms behind · 29 faces/s · 3 dropped"
    live.the_health = quiet_health(4)
    page._show_health(live)
    assert page.status.whole == "Saving: face at 15 pictures a second (the face is late)"
    assert not page.picture.draw_mesh


def test_the_curves_say_what_happened(running: MainWindow, sessions: Sessions) -> None:
    page, live = running.live.page, sessions[0]
    happened = [
        (12.0, Event("quality", "the face is late", {"step": 2})),
        (14.0, Event("camera lost", "it was unplugged")),
        (18.0, Event("gap", "nothing for 3 s", {"from": 15.0, "until": 18.0})),
    ]
    live.told = [
        Sample("event", at, at, at, event)
        for at, event in ((from_seconds(time), event) for time, event in happened)
    ]
    page.tick()
    assert page.plot._marks == [
        Mark(12.0, "Saving, step 2", "the face is late"),
        Mark(14.0, "Camera lost", "it was unplugged"),
        Mark(15.0, "Gap of 3 s", "nothing for 3 s"),
    ]


def test_where_the_models_run_is_shown(running: MainWindow, sessions: Sessions) -> None:
    page, live = running.live.page, sessions[0]
    page.toggle_health()
    live.the_health = replace(
        quiet_health(),
        devices={"face": "gpu", "speech": "cpu", "text": "cuda"},
        gave_way={"speech": "RuntimeError: out of memory"},
    )
    page._show_health(live)
    assert page.health.cell("devices") == (
        "face on GPU, speech on CPU (the GPU failed), text on GPU"
    )
    assert page.health._cells["devices"].toolTip() == "speech: RuntimeError: out of memory"


def test_opening_never_blocks_and_a_start_is_kept(
    qtbot: QtBot, open_window: OpenWindow, settings: QSettings
) -> None:
    LiveMemory(settings).agree()
    gate = threading.Event()
    made: list[FakeLive] = []

    def slow(video: SourceChoice | None, audio: SourceChoice | None, _plan: Plan) -> Live:
        gate.wait(10.0)
        made.append(FakeLive(video, audio))
        return made[-1]

    window = open_window(make_live=slow, list_devices=devices)
    window.live.open()
    page = window.live.page
    qtbot.waitUntil(lambda: page.sessions.making is not None)
    page.start()
    page.tick()
    assert "Opening" in page.picture.accessibleDescription()
    assert not page.bar.main.isEnabled()
    gate.set()
    wait_until_open(qtbot, window)
    assert made[0].calls == ["preview", "start"]


def test_what_cannot_be_opened_is_said(
    qtbot: QtBot, open_window: OpenWindow, settings: QSettings
) -> None:
    def refuse(*_: object) -> Live:
        raise AffectscopeError("a model file is missing; run: affectscope models fetch")

    LiveMemory(settings).agree()
    window = open_window(make_live=refuse, list_devices=devices)
    window.live.open()
    qtbot.waitUntil(window.message.isVisible)
    assert "models fetch" in window.message.text
    assert window.live.page.bar.main.isEnabled(), "it can be tried again"


def test_nothing_else_opens_while_it_runs(running: MainWindow, sessions: Sessions) -> None:
    assert not running.open_with(FakeRecording)
    assert "stop it first" in running.message.text
    assert running.live.page.isVisible()
    running.close_part()
    assert running.live.page.isVisible()
    running.live.page.stop()
    assert running.open_with(FakeRecording)
    assert running.page.isVisible()
    assert not running.live.page._timer.isActive()
    assert sessions[0].calls[-1] == "stop"


def test_leaving_the_preview_closes_the_devices(
    qtbot: QtBot, window: MainWindow, sessions: Sessions
) -> None:
    window.live.open()
    wait_until_open(qtbot, window)
    window.close_part()
    assert window.empty.isVisible()
    assert sessions[0].calls == ["preview", "abort"]
    assert not window.head.privacy.isVisible()
    assert not window.live.page._timer.isActive()


def test_devices_are_said_to_be_open_until_they_are_closed(
    running: MainWindow, sessions: Sessions
) -> None:
    page, badge = running.live.page, running.head.privacy
    sessions[0].ends_at_once = False
    page.stop()
    page.tick()
    assert badge.isVisible()
    assert badge.text == "Camera and microphone on", "and nothing is recorded"
    sessions[0].ended.set()
    page.tick()
    assert not badge.isVisible()


def test_closing_stops_in_order_and_does_not_wait_for_ever(
    running: MainWindow, sessions: Sessions
) -> None:
    sessions[0].ends_at_once = False
    running.close()
    assert sessions[0].calls[-2:] == ["stop", "abort"]
    assert running.live.page.live is None


def test_closing_while_models_load_waits_less_than_three_seconds(
    running: MainWindow, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the session nor the outlets hear that they are to end."""
    waited: list[float] = []

    def leave(seconds: float) -> bool:
        waited.append(seconds)
        return False

    page = running.live.page
    sessions[0].state = LiveState.STARTING
    sessions[0].ends_at_once = False
    monkeypatch.setattr(sessions[0], "abort", lambda: sessions[0].calls.append("abort"))
    monkeypatch.setattr(page.outlets, "leave", leave)
    running.close()
    assert sessions[0].calls[-2:] == ["stop", "abort"]
    assert 0 < sessions[0].waited + sum(waited) < 3 - 2 * JOIN


def test_closing_while_a_device_is_being_opened(
    qtbot: QtBot, open_window: OpenWindow, settings: QSettings
) -> None:
    LiveMemory(settings).agree()
    gate = threading.Event()

    def stuck(*_: object) -> Live:
        gate.wait(10.0)
        return FakeLive()

    window = open_window(make_live=stuck, list_devices=devices)
    window.live.open()
    qtbot.waitUntil(lambda: window.live.page.sessions.making is not None)
    assert window.close()
    gate.set()


def test_a_session_that_is_made_too_late_is_ended(
    qtbot: QtBot, open_window: OpenWindow, settings: QSettings
) -> None:
    LiveMemory(settings).agree()
    gate = threading.Event()
    made: list[FakeLive] = []

    def late(*_: object) -> Live:
        gate.wait(10.0)
        made.append(FakeLive())
        return made[-1]

    window = open_window(make_live=late, list_devices=devices)
    window.live.open()
    qtbot.waitUntil(lambda: window.live.page.sessions.making is not None)
    window.close_part()
    gate.set()
    qtbot.waitUntil(lambda: bool(made) and made[0].ended.is_set())
    assert made[0].calls == ["abort"], "its process would stay for ever"


def test_a_session_that_dies_is_told_and_the_next_start_makes_another(
    qtbot: QtBot, running: MainWindow, sessions: Sessions
) -> None:
    text = "The live session's process ended by signal 11. Start again to go on"
    dead = sessions[0]
    dead.told = [Sample("event", 0, 0, 0, Event("session failed", text, {}))]
    dead.state = LiveState.STOPPED
    dead.ended.set()
    page = running.live.page
    page.tick()
    assert running.message.text == text
    assert page.live is None
    assert not running.head.privacy.isVisible()
    page.tick()
    assert running.message.text == text, "and it stays until something else happens"
    page.start()
    until(qtbot, running, lambda: page.running)
    assert sessions[1].calls == ["preview", "start"]


@pytest.fixture
def plot(qtbot: QtBot) -> Iterator[LivePlot]:
    plot = LivePlot()
    plot.resize(800, 320)
    with qtbot.waitExposed(plot):
        plot.show()
    yield plot
    plot.close()
    plot.deleteLater()


def test_scrolling_draws_the_curves_once_per_prediction(plot: LivePlot) -> None:
    plot.set_now(100.0)
    plot.set_rows(plain_timeline(100.0))
    plot.grab()
    drawn = plot.drawn
    before = plot.grab().toImage()
    for tick in range(30):
        plot.set_now(100.0 + tick / 30)
        plot.grab()
    assert plot.drawn == drawn, "in between the picture is only shifted"
    assert plot.grab().toImage() != before
    plot.set_rows(plain_timeline(101.0))
    plot.grab()
    assert plot.drawn == drawn + 1
    plot.set_now(150.0)
    plot.grab()
    assert plot.drawn == drawn + 2, "out of the picture: drawn anew"


def test_rows_that_the_session_corrects_in_place_are_drawn_anew(plot: LivePlot) -> None:
    """A voice that was heard late: the row said at first that nobody spoke."""
    buffer = TimelineBuffer(1000)
    whole = plain_timeline(100.0)
    whole.present[-20:, MODALITIES.index("voice")] = False
    buffer.append(whole)
    plot.set_now(100.0)
    plot.set_rows(buffer.timeline())
    before = pixels_of(plot)
    corrected = plain_timeline(100.0)
    corrected.present[:] = True
    buffer.replace(corrected)
    plot.set_rows(buffer.timeline())
    after = pixels_of(plot)
    plot._redraw()
    assert np.abs(after - before).max() > 24
    assert np.abs(after - pixels_of(plot)).max() < 24, "as if all were drawn anew"


@pytest.mark.parametrize("span", [15.0, 60.0])
def test_drawn_piece_by_piece_it_looks_as_if_drawn_at_once(
    qtbot: QtBot, plot: LivePlot, span: float
) -> None:
    at_once = LivePlot()
    at_once.resize(plot.size())
    with qtbot.waitExposed(at_once):
        at_once.show()
    names = list(Timeline.__dataclass_fields__)
    whole = plain_timeline(120.0)
    for tick in range(40):
        now = 100.0 + tick / 4
        rows = whole.time <= now
        timeline = Timeline(*(getattr(whole, name)[rows] for name in names))
        timeline.emotions[-5:] *= 0.5  # will be corrected
        for shown in (plot, at_once):
            shown.set_now(now)
            if shown.span != span:
                shown.set_span(span)
            shown.set_rows(timeline)
        at_once._redraw()
        pieces, drawn = (pixels_of(shown) for shown in (plot, at_once))
        assert np.abs(pieces - drawn).max() < 24, "but for the smoothing of parts of a pixel"
    assert plot._strip.drawn > 40, "also where the picture ended"
    at_once.close()
    at_once.deleteLater()


def pixels_of(plot: LivePlot) -> npt.NDArray[np.int16]:
    """[height, width, 4]"""
    image = plot.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    bits = image.constBits()
    assert bits is not None
    bits.setsize(image.sizeInBytes())
    flat = np.frombuffer(bits, np.uint8)  # type: ignore[call-overload]  # a buffer will do
    pixels: npt.NDArray[np.int16] = flat.astype(np.int16)
    return pixels.reshape(image.height(), image.width(), 4)


def test_the_name_of_a_marker_ends_where_the_next_one_is(plot: LivePlot) -> None:
    plot.set_now(100.0)
    plot.set_marks([Mark(90.0, "Begin")])
    alone = pixels_of(plot)
    plot.set_marks([Mark(90.0, "Begin"), Mark(89.0, "Question of the interviewer")])
    both = pixels_of(plot)
    from_it = round(56 + (90.0 - 70.0) * plot._pixels_per_second()) + 1
    assert (both[:, :from_it] != alone[:, :from_it]).any()
    assert (both[:, from_it:] == alone[:, from_it:]).all()


def test_only_what_changed_is_drawn_anew() -> None:
    whole = plain_timeline(20.0)
    names = list(Timeline.__dataclass_fields__)

    def part(rows: slice) -> Timeline:
        return Timeline(*(getattr(whole, name)[rows].copy() for name in names))

    before, corrected = part(slice(50)), part(slice(10, 60))
    assert changed_since(before, part(slice(10, 50))) == np.inf
    assert changed_since(before, corrected) == whole.time[49]
    corrected.emotions[30] *= 0.5
    assert changed_since(before, corrected) == whole.time[39]
    corrected.present[20] = ~corrected.present[20]
    assert changed_since(before, corrected) == whole.time[29]
    assert changed_since(Timeline.empty(), before) == -np.inf
    assert changed_since(before, Timeline.empty()) == -np.inf


def test_it_moves_thirty_times_a_second(plot: LivePlot) -> None:
    """Though the half minute in sight is not 30 pixels a second wide."""
    assert plot.span == 30.0
    plot.set_now(100.0)
    plot.set_rows(plain_timeline(100.0))
    pictures = []
    for tick in range(30):
        plot.set_now(100.0 + tick / 30)
        pictures.append(plot.grab().toImage())
    assert all(one != other for one, other in pairwise(pictures))


def test_a_hole_in_the_times_breaks_the_curves() -> None:
    whole = plain_timeline(20.0)
    keep = (whole.time < 5) | (whole.time > 9)
    names = list(Timeline.__dataclass_fields__)
    with_hole = Timeline(*(getattr(whole, name)[keep] for name in names))
    shown = with_gaps(with_hole)
    hole = np.flatnonzero((shown.time > 5) & (shown.time < 9))
    assert len(shown) == len(with_hole) + 1
    assert len(hole) == 1
    assert not shown.known[hole[0]]
    assert (np.diff(shown.time) > 0).all()
    assert with_gaps(whole) is whole


def test_the_wheel_changes_how_much_is_in_sight(plot: LivePlot) -> None:
    for span in (15.0, 300.0):
        plot.set_now(400.0)
        plot.set_rows(plain_timeline(400.0))
        plot.set_span(span)
        plot.grab()
        first = float(plot._timeline.time[0])
        assert first <= 400.0 - span


def test_level_is_in_decibels() -> None:
    assert level_share(0.0) == 0.0
    assert level_share(1.0) == 1.0
    assert level_share(0.001) == pytest.approx(0.0)
    assert level_share(0.0316) == pytest.approx(0.5, abs=0.01)


def test_a_state_that_is_not_running_has_nothing_to_mark(
    qtbot: QtBot, window: MainWindow, sessions: Sessions
) -> None:
    window.live.open()
    wait_until_open(qtbot, window)
    qtbot.keyClick(window, Qt.Key.Key_M)
    assert sessions[0].put == []
    assert window.live.page.state is LiveState.PREVIEW
    assert not window.live.page.bar.mark.isEnabled()
