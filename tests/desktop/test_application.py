"""How the window starts and ends as a process."""

import os
import socket
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path

import pytest

from assets.errors import BadInput
from desktop import replay_command
from desktop.display import prepare_display
from extractors import Session
from extractors.recording import Marker, Recorder, RecordingPlan
from extractors.stream import SECOND, Sample

WINDOW = """
import os, signal, sys
from PyQt6.QtCore import QTimer
import desktop.application as application
from tests.desktop.fake_recording import FakeRecording

def make():
    QTimer.singleShot(0, act)
    return FakeRecording()

def act():
    {act}

sys.exit(application.run_window(make))
"""


def run_window(act: str, home: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PYTHONFAULTHANDLER": "1",
        "QT_QPA_PLATFORM": "offscreen",
        "XDG_CONFIG_HOME": str(home),
        "AFFECTSCOPE_SESSIONS": str(home / "sessions"),
    }
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", WINDOW.format(act=act)],
        env=environment,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def test_an_interrupt_closes_the_window(tmp_path: Path) -> None:
    done = run_window("os.kill(os.getpid(), signal.SIGINT)", tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
    assert "Traceback" not in done.stderr


def test_an_unexpected_error_is_shown_and_the_window_lives_on(tmp_path: Path) -> None:
    act = """
    from PyQt6.QtWidgets import QApplication
    from desktop.main_window import MainWindow
    window = next(w for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow))
    QTimer.singleShot(0, lambda: 1 / 0)
    def look():
        if not window.message.isVisible():
            return
        timer.stop()
        print(window.message.text, window.message.isVisible())
        window.close()
    timer = QTimer(window)
    timer.timeout.connect(look)
    timer.start(20)
    """
    done = run_window(act.strip(), tmp_path)
    assert done.stdout.strip() == "Something went wrong: ZeroDivisionError: division by zero True"
    assert done.returncode == 0


def test_a_session_that_was_cut_off_is_repaired_at_the_start_and_told(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "sessions" / "take", RecordingPlan(features_only=True))
    recorder.add(Sample("marker", SECOND, SECOND, SECOND, Marker("begin")))
    recorder._disk.close(10.0)
    recorder._unlock()  # what the end of its process does
    act = """
    from PyQt6.QtWidgets import QApplication
    from desktop.main_window import MainWindow
    window = next(w for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow))
    timer = QTimer(window)
    def look():
        if window.message.isVisible():
            print(window.message.text)
            window.close()
    timer.timeout.connect(look)
    timer.start(20)
    """
    done = run_window(act.strip(), tmp_path)
    assert done.stdout.startswith("take was cut off and is whole again: 1.0 s are there"), done
    assert done.returncode == 0
    assert Session(tmp_path / "sessions" / "take").problems == ()


def test_no_display_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(BadInput, match=r"no display .* use 'affectscope analyze"):
        prepare_display()


def test_a_display_that_does_not_answer_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("QT_QPA_PLATFORM", raising=False)
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-9")
    with pytest.raises(BadInput, match="wayland-9 does not answer"):
        prepare_display()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "wayland-9"))
        server.listen()
        prepare_display()


def test_what_opencv_sets_for_its_own_qt_is_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    monkeypatch.setenv("QT_QPA_FONTDIR", "/nowhere")
    monkeypatch.setenv("QT_QPA_PLATFORM_PLUGIN_PATH", "/nowhere")
    prepare_display()
    assert not {"QT_QPA_FONTDIR", "QT_QPA_PLATFORM_PLUGIN_PATH"} & os.environ.keys()


def test_the_replay_command_needs_something_to_play() -> None:
    parser = ArgumentParser()
    replay_command.add_arguments(parser)
    with pytest.raises(BadInput, match=r"nowhere\.mp4: no such file"):
        replay_command.run(parser.parse_args(["nowhere.mp4"]))


def test_the_command_line_does_not_load_qt_to_know_the_command() -> None:
    code = "import sys, desktop.replay_command; print('PyQt6' in sys.modules)"
    assert printed_by(code) == "False"


def test_the_window_loads_no_model_library() -> None:
    code = (
        "import sys, desktop.main_window;"
        "heavy = {'torch', 'mediapipe', 'cv2', 'faster_whisper', 'av', 'onnxruntime'};"
        "print(', '.join(heavy & sys.modules.keys()))"
    )
    assert printed_by(code) == ""


def printed_by(code: str) -> str:
    """What a process of its own prints."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()
