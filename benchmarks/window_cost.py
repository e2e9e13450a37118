"""What the window costs, without a display: one hour of trajectories, pictures of 640 by 480.

    python benchmarks/window_cost.py

Prints milliseconds; a tick is everything that happens 30 times a second, painting included.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"

import numpy as np
from PyQt6.QtCore import QSettings
from PyQt6.QtWidgets import QApplication

from desktop.main_window import MainWindow
from desktop.playback import Playback
from extractors.features import VideoFrame
from extractors.stream.clock import VirtualClock
from extractors.stream.sample import SECOND, Sample, from_seconds
from tests.desktop.fake_media import FakeMedia, no_device
from tests.desktop.fake_recording import FakeRecording, plain_timeline, plain_words

HOUR = 3600.0
TICKS = 300


class Pictures(FakeMedia):
    """Two pictures in turn, 25 a second."""

    def frames(
        self, start: int = 0, max_side: int | None = None, showing: bool = False
    ) -> Iterator[Sample[VideoFrame]]:
        del max_side, showing
        rng = np.random.default_rng(0)
        images = [rng.integers(0, 256, (480, 640, 3), np.uint8) for _ in range(2)]
        step = SECOND // 25
        for index in range(start // step, int(HOUR * 25)):
            at = index * step
            yield Sample("frame", at, at, at, VideoFrame(images[index % 2]))


def milliseconds(work: Callable[[], object]) -> float:
    """Of the work and of painting what it changed."""
    began = time.perf_counter()
    work()
    _paint()
    return (time.perf_counter() - began) * 1000


def main() -> None:
    application = QApplication(["affectscope"])
    application.setStyle("Fusion")
    clock = VirtualClock()
    recording = FakeRecording(
        duration=HOUR, analysed_until=HOUR, rows=plain_timeline(HOUR), said=plain_words(HOUR)
    )
    with tempfile.TemporaryDirectory() as folder:
        window = MainWindow(
            QSettings(str(Path(folder, "settings.ini")), QSettings.Format.IniFormat),
            play=lambda _: Playback(lambda: Pictures(HOUR), from_seconds(HOUR), no_device, clock),
        )
        window.show()
        opening = milliseconds(lambda: window.open_with(lambda: recording))
        window.page.seek(1800.0)
        window.page.toggle()
        window._ticks.stop()
        ticks = []
        for _ in range(TICKS):
            clock.advance(SECOND // 30)
            ticks.append(milliseconds(window.page.tick))
        refreshes = []
        for until in np.arange(100, 3500, 1.2):  # 5 looks a second at 6 times real time
            recording.analysed_until = float(until)
            refreshes.append(milliseconds(window.page.refresh))
        window.close()
    print(f"rows {len(recording.timeline())}, words {len(recording.words())}")
    print(f"open {opening:.0f}")
    for name, values in (("tick", ticks), ("refresh", refreshes)):
        print(f"{name}: median {np.median(values):.1f}, p95 {np.percentile(values, 95):.1f}")


def _paint() -> None:
    QApplication.sendPostedEvents()
    QApplication.processEvents()


if __name__ == "__main__":
    main()
