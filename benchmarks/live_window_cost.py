"""What the live window costs thirty times a second, without a display.

    python benchmarks/live_window_cost.py

A session that is plain numbers: a picture of 640 by 480 and a tick thirty times a second, rows five
times a second, an hour of them behind it. Prints milliseconds of processor time a tick, painting
included, and its share of one core; the same for a plot that is drawn anew at each tick, as
pyqtgraph does it; and the longest time that the window was blocked.
"""

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"

import numpy as np
from PyQt6 import sip
from PyQt6.QtCore import QSettings
from PyQt6.QtWidgets import QApplication

from desktop.main_window import MainWindow
from desktop.trajectory_plot import TrajectoryPlot
from inference.live import Live
from tests.desktop.fake_live import FakeLive, devices
from tests.desktop.fake_recording import plain_timeline, plain_words

HOUR, TICKS, RATE = 3600.0, 300, 30


def cost(work: Callable[[int], object]) -> tuple[list[float], list[float]]:
    """Milliseconds of processor time, and of the wall, of each tick and of what it paints."""
    processor, wall = [], []
    for tick in range(TICKS):
        began, at = time.process_time(), time.perf_counter()
        work(tick)
        QApplication.sendPostedEvents()
        QApplication.processEvents()
        processor.append((time.process_time() - began) * 1000)
        wall.append((time.perf_counter() - at) * 1000)
    return processor, wall


def said(name: str, processor: list[float], wall: list[float]) -> None:
    share = np.mean(processor) * RATE / 10
    print(
        f"{name}: median {np.median(processor):.1f} ms, p95 {np.percentile(processor, 95):.1f} ms, "
        f"{share:.0f} % of a core; longest {max(wall):.0f} ms on the wall"
    )


def main() -> None:
    application = QApplication(["affectscope"])
    application.setStyle("Fusion")
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (480, 640, 3), np.uint8) for _ in range(2)]
    rows = plain_timeline(HOUR + 60)
    session = FakeLive(rows=rows, said=plain_words(HOUR))

    def make(*choices: object) -> Live:
        session.video, session.audio = choices[:2]  # type: ignore[assignment]
        return session

    with tempfile.TemporaryDirectory() as folder:
        settings = QSettings(str(Path(folder, "settings.ini")), QSettings.Format.IniFormat)
        window = MainWindow(settings, make_live=make, list_devices=devices)
        window.live.page.memory.agree()
        window.show()
        window.live.open()
        page = window.live.page
        while page.live is None:
            page.tick()
            time.sleep(0.01)
        page.start()
        page._timer.stop()
        session.now = HOUR
        page.tick()

        def tick(number: int) -> None:
            session.image = images[number % 2]
            session.now = HOUR + number / RATE
            page.tick()

        said("window", *cost(tick))
        drawn = page.plot.drawn
        plot = page.plot
        said("plot alone", *cost(lambda number: plot.set_now(HOUR + 10 + number / RATE)))
        print(f"  the curves were drawn {plot.drawn - drawn} times in {TICKS} ticks")
        window.close()
    whole = TrajectoryPlot()
    whole.resize(plot.size())
    whole.show()
    whole.set_duration(HOUR)
    whole.set_timeline(rows, HOUR)

    def scroll(number: int) -> None:
        end = HOUR - 60 + number / RATE
        whole.show_range(end - 60, end)

    said("drawn anew at each tick", *cost(scroll))
    sip.delete(whole)


if __name__ == "__main__":
    main()
