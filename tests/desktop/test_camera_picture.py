"""How large and how many the camera's pictures are, as it is chosen in the live window."""

import threading
from collections.abc import Callable

import pytest
from PyQt6.QtCore import QSettings, Qt
from pytestqt.qtbot import QtBot

from desktop.live_memory import LiveMemory
from desktop.live_opening import LiveRequest, Plan
from desktop.main_window import MainWindow
from extractors.sources import PictureWish, SourceChoice, SourceInfo, SourceStatus
from inference.live import Live
from tests.desktop.fake_live import CAMERA, OTHER_CAMERA, FakeLive, devices
from tests.desktop.live_window import begin, until

OpenWindow = Callable[..., MainWindow]
LARGE = PictureWish((1280, 720), 60.0)


class Made(list[FakeLive]):
    """Sessions that the window has made."""

    def __init__(self) -> None:
        super().__init__()
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    def make(self, video: SourceChoice | None, audio: SourceChoice | None, _plan: Plan) -> Live:
        assert self.may_go_on.wait(30)
        self.append(FakeLive(video, audio))
        return self[-1]


@pytest.fixture
def made() -> Made:
    return Made()


@pytest.fixture
def window(open_window: OpenWindow, made: Made, settings: QSettings) -> MainWindow:
    """A window of somebody who has agreed."""
    LiveMemory(settings).agree()
    return open_window(make_live=made.make, list_devices=devices)


def preview(qtbot: QtBot, window: MainWindow, request: LiveRequest | None = None) -> None:
    window.live.open(request)
    until(qtbot, window, lambda: window.live.page.live is not None)


def choose(window: MainWindow, size: str = "", rate: str = "") -> None:
    for box, text in zip(window.live.page.options.camera.boxes, (size, rate), strict=True):
        if text:
            assert box.findText(text) >= 0
            box.setCurrentText(text)
            box.activated.emit(box.currentIndex())


@pytest.mark.parametrize("running", [False, True])
def test_a_camera_that_is_open_is_switched_at_once(
    qtbot: QtBot, window: MainWindow, made: Made, running: bool
) -> None:
    if running:
        begin(qtbot, window)
    else:
        preview(qtbot, window)
    (live,) = made
    assert live.video == CAMERA.choice, "nothing is asked of it until somebody does"
    choose(window, size="1280 x 720")
    assert live.video == CAMERA.choice.asking(PictureWish((1280, 720)))
    choose(window, rate="60 a second")
    assert live.video == CAMERA.choice.asking(LARGE)
    chooser = window.live.page.bar.video
    chooser.activated.emit(chooser.findText(OTHER_CAMERA.name))
    assert live.video == OTHER_CAMERA.choice.asking(LARGE), "another camera is asked for the same"
    assert chooser.currentText() == OTHER_CAMERA.name
    choose(window, "Automatic size", "Automatic rate")
    assert live.video == OTHER_CAMERA.choice


def test_it_is_remembered_and_asked_of_the_next_session(
    qtbot: QtBot, window: MainWindow, made: Made, settings: QSettings, open_window: OpenWindow
) -> None:
    preview(qtbot, window)
    choose(window, "1920 x 1080", "15 a second")
    wish = PictureWish((1920, 1080), 15.0)
    assert LiveMemory(settings).picture == wish
    assert LiveMemory(settings).choice("video") == SourceChoice("device"), "no camera was chosen"
    window.close()
    again = open_window(make_live=made.make, list_devices=devices)
    preview(qtbot, again)
    assert made[-1].video == CAMERA.choice.asking(wish)
    camera = again.live.page.options.camera
    assert [box.currentText() for box in camera.boxes] == ["1920 x 1080", "15 a second"]


@pytest.mark.parametrize("nonsense", ["", "large", "0x0", "-1", "nan", "1e9", "640x480x3"])
def test_what_is_remembered_may_be_nonsense(settings: QSettings, nonsense: str) -> None:
    settings.setValue("live/picture_size", nonsense)
    settings.setValue("live/picture_rate", nonsense)
    assert LiveMemory(settings).picture == PictureWish()


def test_what_is_chosen_while_the_session_is_made_is_not_lost(
    qtbot: QtBot, window: MainWindow, made: Made
) -> None:
    made.may_go_on.clear()
    window.live.open()
    page = window.live.page
    until(qtbot, window, lambda: page.sessions.making is not None)
    choose(window, "1280 x 720", "60 a second")
    page.bar.audio.activated.emit(page.bar.audio.findText("Off"))
    made.may_go_on.set()
    until(qtbot, window, lambda: page.live is not None)
    assert (made[0].video, made[0].audio) == (CAMERA.choice.asking(LARGE), None)


def test_only_a_camera_can_be_asked(qtbot: QtBot, window: MainWindow, made: Made) -> None:
    preview(qtbot, window)
    page = window.live.page
    choose(window, size="1280 x 720")
    page.bar.video.activated.emit(page.bar.video.findText("Synthetic"))
    page.tick()
    assert made[0].video == SourceChoice("synthetic")
    assert not any(box.isEnabled() for box in page.options.camera.boxes)
    assert page.options.camera.line.text() == "The source of pictures is not a camera."
    page.options.open_above(page.bar.options)
    assert page.options.features_only.hasFocus()
    page.options.hide()
    page.bar.video.activated.emit(page.bar.video.findText(CAMERA.name))
    page.tick()
    assert made[0].video == CAMERA.choice.asking(PictureWish((1280, 720)))
    assert all(box.isEnabled() for box in page.options.camera.boxes)


def test_what_the_camera_gives_is_shown(qtbot: QtBot, window: MainWindow, made: Made) -> None:
    preview(qtbot, window)
    page, live = window.live.page, made[0]
    line = page.options.camera.line
    assert line.text() == "Automatic is 640 x 480 at 30/s."
    choose(window, "1280 x 720", "60 a second")
    info = SourceInfo(CAMERA.name, (1280, 720), 60.0, "MJPG")
    live.video_state = SourceStatus(live.video, "open", info=info)
    page.tick()
    assert line.text() == "The camera gives 1280 x 720 at 60/s (MJPG)."
    assert page.status.whole == "Preview: nothing is analysed yet"
    info = SourceInfo(CAMERA.name, (640, 480), 30.0, "YUYV")
    live.video_state = SourceStatus(live.video, "open", info=info)
    page.tick()
    gives = "gives 640 x 480 at 30/s (YUYV), not 1280 x 720 at 60/s"
    assert line.text() == f"The camera {gives}."
    assert page.status.whole == f"Preview: nothing is analysed yet; the camera {gives}"
    page._show_health(live)
    assert page.health.cell("given") == "640 x 480 at 30/s"
    assert page.health._cells["given"].toolTip() == f"The camera {gives}"
    live.video_state = None
    page._show_health(live)
    assert page.health.cell("given") == "–", "it is not known"


def test_a_command_line_asks_for_once_and_leaves_open_what_it_does_not_name(
    qtbot: QtBot, window: MainWindow, made: Made, settings: QSettings
) -> None:
    LiveMemory(settings).picture = PictureWish((640, 480), 15.0)
    preview(qtbot, window, LiveRequest(picture=PictureWish((800, 600))))
    assert made[0].video == CAMERA.choice.asking(PictureWish((800, 600), 15.0))
    assert window.live.page.options.camera.size_box.currentText() == "800 x 600"
    assert LiveMemory(settings).picture == PictureWish((640, 480), 15.0)


def test_it_is_chosen_by_keys(qtbot: QtBot, window: MainWindow, made: Made) -> None:
    preview(qtbot, window)
    page = window.live.page
    page.options.open_above(page.bar.options)
    size, rate = page.options.camera.boxes
    assert size.hasFocus()
    qtbot.keyClick(size, Qt.Key.Key_Down)
    qtbot.keyClick(size, Qt.Key.Key_Down)
    qtbot.keyClick(size, Qt.Key.Key_Tab)
    assert rate.hasFocus()
    qtbot.keyClick(rate, Qt.Key.Key_Down)
    page.options.hide()
    assert made[0].video == CAMERA.choice.asking(PictureWish((1280, 720), 15.0))
    assert {box.accessibleName() for box in (size, rate)} == {
        "Size of the camera's pictures", "Pictures of the camera a second",
    }  # fmt: skip
