"""A window without display, clock or loudspeaker; nothing may be left behind by a test."""

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PyQt6.QtCore import QSettings
from PyQt6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop.main_window import MainWindow
from desktop.playback import Playback
from desktop.recording import Recording
from extractors.stream.clock import VirtualClock
from extractors.stream.sample import from_seconds
from tests.desktop.fake_media import FakeMedia, no_device


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """Fails when a thread of ours or a visible window outlives the test."""
    yield
    ours = [t for t in threading.enumerate() if t.name.startswith("affectscope")]
    for thread in ours:
        thread.join(3.0)
    assert not [thread.name for thread in ours if thread.is_alive()]
    if QApplication.instance() is not None:
        assert not [w for w in QApplication.topLevelWidgets() if w.isVisible()]


@pytest.fixture
def settings(tmp_path: Path) -> QSettings:
    return QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


OpenWindow = Callable[..., MainWindow]


@pytest.fixture
def open_window(qtbot: QtBot, settings: QSettings, clock: VirtualClock) -> Iterator[OpenWindow]:
    """Makes a visible window whose playback runs on `clock`."""
    windows: list[MainWindow] = []

    def make(media: FakeMedia | None = None, **more: object) -> MainWindow:
        def play(recording: Recording) -> Playback:
            opener = None if media is None else (lambda: media)
            return Playback(opener, from_seconds(recording.duration), no_device, clock)

        window = MainWindow(settings, play=play, **more)  # type: ignore[arg-type]
        window.resize(1280, 800)
        windows.append(window)
        with qtbot.waitExposed(window):
            window.show()
        return window

    yield make
    for window in windows:
        window.close()
        assert not window._ticks.isActive()
        assert not window._refreshes.isActive()
        window.deleteLater()
    QApplication.processEvents()
