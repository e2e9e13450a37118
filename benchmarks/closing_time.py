"""How long the window takes to close during everything that a live session can be doing.

    python benchmarks/closing_time.py

With the real session and the bundled clip in place of camera and microphone. Prints seconds, and
the threads of the window that are still alive a tenth of a second later: they wait for the
session's process, which may still be loading a model or completing a recording.
"""

import os
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ.setdefault("OMP_NUM_THREADS", "1")

from PyQt6.QtCore import QEventLoop, QSettings, QTimer
from PyQt6.QtWidgets import QApplication

from assets import ASSETS
from desktop.live_opening import LiveRequest
from desktop.live_page import LivePage
from desktop.main_window import MainWindow
from extractors.sources import SourceChoice

CLIP = SourceChoice("file", str(ASSETS / "sample" / "sample.mp4"))
SYNTHETIC, DEVICE = SourceChoice("synthetic"), SourceChoice("device")

Step = tuple[float, Callable[[LivePage], object]]
"""Seconds of waiting, then what is done."""


def wait(seconds: float) -> None:
    """Let the window work."""
    loop = QEventLoop()
    QTimer.singleShot(round(seconds * 1000), loop.quit)
    loop.exec()


def nothing(_page: LivePage) -> None:
    """Only wait."""


def close_after(name: str, source: SourceChoice, steps: Sequence[Step], *, record: bool) -> None:
    """Open the live page, take the steps, and close the window."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        settings = QSettings(str(Path(folder, "settings.ini")), QSettings.Format.IniFormat)
        window = MainWindow(settings)
        page = window.live.page
        page.memory.agree()
        window.show()
        target = Path(folder, "session") if record else None
        window.live.open(LiveRequest({"video": source, "audio": source}, target))
        for seconds, act in steps:
            wait(seconds)
            act(page)
        state = page.state.value
        began = time.perf_counter()
        window.close()
        took = time.perf_counter() - began
        time.sleep(0.1)
        left = [t.name for t in threading.enumerate() if t.name.startswith("affectscope")]
        print(f"{name} ({state}): {took:.2f} s, alive: {', '.join(left) or 'none'}")
        window.deleteLater()
        for thread in threading.enumerate():  # so that one case does not slow the next one down
            if thread.name.startswith("affectscope"):
                thread.join(10.0)


def main() -> None:
    application = QApplication(["affectscope"])
    application.setStyle("Fusion")
    start: Callable[[LivePage], object] = LivePage.start
    close_after("opening", CLIP, [(0.0, nothing)], record=False)
    close_after("preview", CLIP, [(3.0, nothing)], record=False)
    close_after("loading", CLIP, [(1.0, start), (0.3, nothing)], record=True)
    close_after("recording", CLIP, [(1.0, start), (10.0, nothing)], record=True)
    paused = [(1.0, start), (6.0, LivePage.toggle), (0.3, nothing)]
    close_after("pause", CLIP, paused, record=False)
    close_after("stopping", CLIP, [(1.0, start), (6.0, LivePage.stop)], record=True)
    close_after("synthetic", SYNTHETIC, [(1.0, start), (4.0, nothing)], record=False)
    close_after("no device", DEVICE, [(1.0, start), (4.0, nothing)], record=False)


if __name__ == "__main__":
    main()
